"""A simulated person with one weak wrist: attempts, stimulated movement, and a puck on the back of the hand.

Everything is a function of the seed and of the calls, in simulated nanoseconds; nothing here reads a clock.
"""

import math
import random
from collections import deque
from collections.abc import Sequence

from sim.effort import MODERATE, MS, NEVER, SECOND, Attempt, Effort, EffortPreset
from sim.imu import CONSUMER, Sensor, SensorPreset, Vector, rigid_motion
from sim.muscle import WRIST_EXTENSORS, MusclePreset, Pulses, neural_drive
from sim.wrist import NO_PUSH, PALM_DOWN, Wrist, WristPreset

PUCK_RADIUS_M = 0.08
RELAXED_RAD_S = math.radians(5.0)
LOOK_AGAIN_NS = 500 * MS


class WristPatient:
    """The person. `advance(to, drive)` lives through 1 ms steps up to `to`; `imu(now)` is what the puck feels.

    `start_ns` is the person's first instant. `extensors` are the stimulator channels that reach the wrist extensors.
    A `self_paced` person attempts by themselves, a pause after the limb was last moved by them or by current.
    """

    def __init__(
        self,
        seed: int,
        self_paced: bool = False,
        *,
        start_ns: int = 0,
        extensors: frozenset[int] = frozenset({1}),
        joint: WristPreset = PALM_DOWN,
        muscle: MusclePreset = WRIST_EXTENSORS,
        effort: EffortPreset = MODERATE,
        sensor: SensorPreset = CONSUMER,
    ) -> None:
        rng = random.Random(seed)
        self._sensor = Sensor(random.Random(rng.getrandbits(64)), sensor)
        self._effort = Effort(random.Random(rng.getrandbits(64)), effort)
        self._wrist = Wrist(joint, muscle)
        self._extensors = extensors
        self._muscle = muscle
        self._now_ns = start_ns
        self._pulses: tuple[Pulses, ...] = ()
        self._asked = 0.0  # what the pulses ask of the muscle now, and what reaches it one delay later
        self._arrived = 0.0
        self._on_the_way: deque[tuple[int, float]] = deque()
        self._self_paced = self_paced
        self._next_attempt_ns = start_ns + self._effort.pause_ns()

    @property
    def angle_deg(self) -> float:
        """Wrist extension; about -35 for the relaxed hand hanging palm down."""
        return math.degrees(self._wrist.angle)

    @property
    def speed_dps(self) -> float:
        """Angular speed, + = extending."""
        return math.degrees(self._wrist.speed)

    @property
    def activation(self) -> float:
        """The muscle's stimulated activation, 0 to 1."""
        return self._wrist.x2

    @property
    def attempting(self) -> bool:
        """An attempt is under way or about to start."""
        return self._effort.busy()

    def cue(self, now_ns: int) -> str:
        """The person is asked to move; gives their answer: "attempt", "weak", "missed", or "busy" with the last one."""
        return self._effort.cue(now_ns)

    def relax(self, now_ns: int) -> None:
        """The person is asked to let go (they do so late)."""
        self._effort.relax(now_ns)

    def attempt(self, now_ns: int, torque_nm: float, rise_s: float, hold_s: float, fall_s: float) -> None:
        """Exactly this attempt, starting now, in place of any other: for scenarios."""
        rise_ns, fall_ns = max(round(rise_s * SECOND), MS), max(round(fall_s * SECOND), MS)
        self._effort.begin(Attempt(now_ns, torque_nm, rise_ns, round(hold_s * SECOND), fall_ns))

    @property
    def lived_ns(self) -> int:
        """The instant up to which this person has lived, to the ms."""
        return self._now_ns

    @property
    def effort(self) -> Effort:
        """The person's own will, for those who look on or have something to ask of it."""
        return self._effort

    def push(self, torque_nm: float) -> None:
        """An orthosis pushes the joint with `torque_nm` (+ = extension), from now on until told otherwise."""
        if torque_nm != self._wrist.pushed_nm:
            self._wrist.push_by(torque_nm)

    def imu(self, now_ns: int) -> tuple[Vector, Vector]:
        """(gyro deg/s, specific force g) measured by the puck at `now_ns`, within a step after `advance`."""
        wrist = self._wrist
        angle = wrist.angle + wrist.speed * (now_ns - self._now_ns) * 1e-9
        gyro, acc = rigid_motion(angle, wrist.speed, wrist.acceleration, PUCK_RADIUS_M)
        return self._sensor.measure(now_ns, gyro, acc)

    def advance(self, to_ns: int, drive: Sequence[Pulses]) -> None:
        """Live through every whole 1 ms step up to `to_ns` with the trains `drive` at the skin."""
        pulses = tuple(drive)
        if pulses is not self._pulses and pulses != self._pulses:
            self._pulses = pulses
            self._asked = neural_drive(pulses, self._extensors, self._muscle)
            self._on_the_way.append((self._now_ns + self._muscle.delay_ms * MS, self._asked))
        wrist, effort = self._wrist, self._effort
        while to_ns - self._now_ns >= MS:
            now_ns = self._now_ns
            while self._on_the_way and self._on_the_way[0][0] <= now_ns:
                self._arrived = self._on_the_way.popleft()[1]
            if self._self_paced:
                self._pace(now_ns)
            whole = (to_ns - now_ns) // MS
            until_ns = self._next_change(now_ns)
            steps = whole if until_ns >= to_ns else max(1, min(-(-(until_ns - now_ns) // MS), whole))
            push = effort.push(now_ns)
            if push is NO_PUSH and self._arrived == 0.0 and wrist.still():
                wrist.rest()
            else:
                wrist.step(steps, self._arrived, push)
            self._now_ns = now_ns + steps * MS

    def _next_change(self, now_ns: int) -> int:
        """The next instant at which the inputs of the wrist may no longer be those of now."""
        until_ns = self._effort.changes_ns(now_ns)
        if self._on_the_way and self._on_the_way[0][0] < until_ns:
            until_ns = self._on_the_way[0][0]
        if self._self_paced and self._next_attempt_ns < until_ns:
            until_ns = self._next_attempt_ns
        return until_ns

    def _pace(self, now_ns: int) -> None:
        """Self-paced attempts: only from rest, a pause after the last one and after the last pulse."""
        wrist = self._wrist
        if self._effort.busy() or self._asked > 0.0 or self._on_the_way:
            self._next_attempt_ns = NEVER
        elif self._next_attempt_ns == NEVER:
            self._next_attempt_ns = now_ns + self._effort.pause_ns()
        elif now_ns >= self._next_attempt_ns:
            if wrist.x2 < 0.02 and -RELAXED_RAD_S < wrist.speed < RELAXED_RAD_S:
                self._effort.start(now_ns)
            else:
                self._next_attempt_ns = now_ns + LOOK_AGAIN_NS
