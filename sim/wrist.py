"""The wrist as one hinge, moved by a muscle, by the person's own effort, by an orthosis and by gravity.

    I q'' = tau_effort + tau_stimulated + tau_orthosis - B q' - K (q - q_rest) - tau_end(q) - tau_gravity(q)
    tau_end = c (exp((q - q_hi) / w) - exp((q_lo - q) / w)),  tau_gravity = mgl cos(q)   palm down

Angles are wrist extension in radians inside this file. One step is 1 ms, semi-implicit Euler (speed first, then angle
with the new speed), which keeps the energy of an oscillation bounded. The state is kept in plain floats and integrated
in one loop, because this loop is most of what a simulated second costs.
"""

import math
from typing import NamedTuple

from sim.muscle import STEP_S, WRIST_EXTENSORS, MusclePreset, lag


class WristPreset(NamedTuple):
    """What describes one wrist with a puck strapped to the hand (kg m2, N m s/rad, N m/rad, N m, degrees, rad)."""

    inertia: float = 0.0035
    damping: float = 0.03
    stiffness: float = 0.6
    rest_deg: float = -10.0
    gravity_nm: float = 0.331
    end_nm: float = 0.5
    end_high_deg: float = 55.0
    end_low_deg: float = -65.0
    end_width_rad: float = 0.1


PALM_DOWN = WristPreset()
NEAR_END = 10.0  # widths: further than this from an end stop its exponential is below 0.03 mN m and is left out
STILL_RAD_S = 1e-3  # a limb slower than this (0.06 deg/s, below any puck's noise) and pushed by less than this, which
STILL_RAD_S2 = 1e-2  # would move it by another 0.004 deg, has come to rest: not integrated until something pushes again
SILENT = 1e-5  # a muscle that pulls with less of its torque than this has gone silent


def passive_torque(angle: float, preset: WristPreset = PALM_DOWN) -> float:
    """Torque (N m, + = extension) of tissue, end stops and weight at rest at `angle` rad."""
    width = preset.end_width_rad
    end = math.exp((angle - math.radians(preset.end_high_deg)) / width)
    end -= math.exp((math.radians(preset.end_low_deg) - angle) / width)
    spring = preset.stiffness * (angle - math.radians(preset.rest_deg))
    return -spring - preset.end_nm * end - preset.gravity_nm * math.cos(angle)


def resting_angle(active_nm: float = 0.0, preset: WristPreset = PALM_DOWN) -> float:
    """Angle (rad) at which the wrist rests under a constant `active_nm`; bisection between -90 and +90 degrees."""
    low, high = -math.pi / 2, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        if passive_torque(middle, preset) + active_nm > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


class Push(NamedTuple):
    """The person's own torque over some steps: `start_nm + change_nm * mj(s)`, s from `phase` by `phase_step` a step.

    `mj` is the minimum-jerk course 10 s^3 - 15 s^4 + 6 s^5.
    """

    start_nm: float
    change_nm: float = 0.0
    phase: float = 0.0
    phase_step: float = 0.0


NO_PUSH = Push(0.0)


class Wrist:
    """One wrist and its extensor muscle: `angle` rad, `speed` rad/s, `acceleration` rad/s2, lags `x1` and `x2`.

    `pushed_nm` is the torque from outside, set by `push_by`.
    """

    def __init__(self, joint: WristPreset = PALM_DOWN, muscle: MusclePreset = WRIST_EXTENSORS) -> None:
        self.joint = joint
        self.muscle = muscle
        self.angle = resting_angle(0.0, joint)
        self.speed = 0.0
        self.acceleration = 0.0
        self.x1 = 0.0
        self.x2 = 0.0
        self.pushed_nm = 0.0
        high, low = math.radians(joint.end_high_deg), math.radians(joint.end_low_deg)
        reach = NEAR_END * joint.end_width_rad
        # One tuple, because `step` unpacks it far faster than it could look up twenty attributes.
        self._constants = (
            *lag(muscle.rise_s),
            *lag(muscle.fall_s),
            muscle.torque_max_nm,
            1.0 / joint.inertia,
            joint.damping,
            joint.stiffness,
            joint.stiffness * math.radians(joint.rest_deg),
            joint.gravity_nm,
            joint.end_nm,
            1.0 / joint.end_width_rad,
            high,
            low,
            high - reach,
            low + reach,
        )

    def still(self) -> bool:
        """Nothing moves and nothing is about to: the muscle is silent and every torque balances."""
        return (
            self.x1 == 0.0
            and self.x2 == 0.0
            and self.pushed_nm == 0.0
            and -STILL_RAD_S < self.speed < STILL_RAD_S
            and -STILL_RAD_S2 < self.acceleration < STILL_RAD_S2
        )

    def rest(self) -> None:
        """Come to rest exactly."""
        self.speed = 0.0
        self.acceleration = 0.0

    def push_by(self, torque_nm: float) -> None:
        """Something outside pushes with `torque_nm` (+ = extension) until told otherwise."""
        # The change shows in the acceleration at once, so that a limb that was in balance is not taken for still.
        self.acceleration += (torque_nm - self.pushed_nm) / self.joint.inertia
        self.pushed_nm = torque_nm

    def step(self, steps: int, drive: float, push: Push) -> None:
        """`steps` of 1 ms under a constant muscle input `drive` (0..1, already delayed) and the effort `push`."""
        exp, cos, h = math.exp, math.cos, STEP_S
        q, w, x1, x2, a = self.angle, self.speed, self.x1, self.x2, self.acceleration
        up_e, up_k, down_e, down_k, torque_max, per_inertia, damping, stiffness, relaxed, *ends = self._constants
        gravity, end, per_width, high, low, near_high, near_low = ends
        start, change, s, ds = push
        start += relaxed + self.pushed_nm  # `relaxed`: the spring's share that does not depend on the angle
        own = start
        working = drive > 0.0 or x1 > 0.0
        torque = a / per_inertia
        turn = h * per_inertia
        for _ in range(steps):
            if change:
                own = start + change * s * s * s * (10.0 + s * (6.0 * s - 15.0))
                s += ds
            torque = own - damping * w - stiffness * q - gravity * cos(q)
            if working:
                torque += torque_max * x2
                d = x1 - drive
                if drive >= x2:
                    x2 = drive + (x2 - drive + d * up_k) * up_e
                    x1 = drive + d * up_e
                else:
                    x2 = drive + (x2 - drive + d * down_k) * down_e
                    x1 = drive + d * down_e
            if not near_low <= q <= near_high:
                torque -= end * (exp((q - high) * per_width) - exp((low - q) * per_width))
            w += turn * torque
            q += h * w
        if drive == 0.0 and x2 < SILENT and x1 < SILENT:
            x1 = x2 = 0.0
        self.angle, self.speed, self.x1, self.x2, self.acceleration = q, w, x1, x2, torque * per_inertia
