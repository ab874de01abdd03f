"""From "move the orthosis there" to absolute orders, one a tick; and whether it is the orthosis that moves the limb.

The engine aims inside the limits that the guard holds: torque rises in steps here, the aim is kept inside the range of
motion that was measured today, and a movement against a muscle that current drives is not asked for. A wish that cannot
begin yet (the joint rests, a muscle pulls the other way) waits until its phase ends. What the actuator moves is no
attempt of the patient's: `masks` stays true from the first order until the joint has been still.
"""

from controller.clock import MS
from controller.session.resolve import ResolvedJoint, ResolvedMove
from controller.vocabulary.facts import JointReport
from safety.joint import Assist, Free, Hold, MotionOrder, Release
from safety.joint_limits import HOLD_AWAY_CDEG_MAX, JOINT_CAPS, MOTION_REST_NS_MIN, THERE_CDEG, JointRegion
from safety.orders import LEASE_MAX_NS

TICK_NS = 20 * MS
RAMP_MS = 300
SHORT_RAMP_MS = 100
"""Where something has failed: 100 ms until it is noticed, and this, stay under the 250 ms of every stop."""
NEAR_CDEG = THERE_CDEG * 4 // 5
"""Nearer to its goal than this a joint is there; a little inside what the guard calls so."""
AHEAD_MS = 60
"""So far ahead of its report the joint is looked for: reports come each 40 ms, and the order takes its way too."""
HOLD_CDEG = HOLD_AWAY_CDEG_MAX * 7 // 10
"""A hold reaches no further; the guard allows more, because what is reported here is up to 45 ms old."""
STILL_CDPS = 200
STILL_NS = 250 * MS
GAP_NS = 100 * MS
"""Reports come each 40 ms. Over a longer gap nothing is known of stillness."""
AFTER_ORDER_NS = 400 * MS
RISE_STEPS = 30
"""Ticks in which the torque rises to the most that the protocol ever asks: 0.6 s. The guard allows ten."""
LATE_NS = 60 * MS
"""The guard counts the rise in 20 ms on its own clock. Orders may arrive up to 40 ms late, in a bunch."""
DENIED_NS = 100 * MS
"""When the gateway still reports no movement so long after the first order, it has let go or never begun."""


class Movement:
    """Makes the orders to the orthosis. It holds no permission: it only knows what it last asked for."""

    def __init__(self, joint: ResolvedJoint | None) -> None:
        self.joint = joint
        self.report: JointReport | None = None
        self.rest_until_ns = 0
        self._own_rest_ns = 0
        self._wanted: ResolvedMove | None = None
        self._seq = 0
        self._moving = False
        self._began_ns = 0
        self._ordered_ns = 0
        self._tried_ns = 0
        self._raised_ns = 0
        self._torque_mnm = 0
        self._held_cdeg: int | None = None
        self.aim_cdeg = 0
        """Where the last order went to."""
        self._masked = False
        self._still_from_ns = 0
        self._reported_ns = 0
        self.eased_ns = 0
        """Until then what was let go may still push."""

    # -- what the orthosis says ------------------------------------------------------------------------------

    def reported(self, now_ns: int, report: JointReport) -> None:
        """Its newest posture. Stillness is counted on the reports alone: no news is not stillness."""
        gap_ns, self._reported_ns = now_ns - self._reported_ns, now_ns
        self.report = report
        self.rest_until_ns = max(self._own_rest_ns, report.rest_until_ns)
        if self._moving and not report.moving and report.t_ns - self._began_ns >= DENIED_NS:
            self.forget(now_ns)
        if not -STILL_CDPS <= report.speed_cdps <= STILL_CDPS or report.torque_on or self._moving:
            self._still_from_ns = 0
        elif not self._still_from_ns or not gap_ns <= GAP_NS:
            self._still_from_ns = now_ns
        rested = now_ns - self._ordered_ns >= AFTER_ORDER_NS
        if self._masked and rested and self._still_from_ns and now_ns - self._still_from_ns >= STILL_NS:
            self._masked = False

    @property
    def masks(self) -> bool:
        """The limb is, or was just now, moved by the actuator: no motion of it is an attempt."""
        return self._masked

    @property
    def moving(self) -> bool:
        """A movement was asked for and not yet ended."""
        return self._moving

    @property
    def asked_mnm(self) -> int:
        """The torque that the last order asks for at most; 0 when nothing is asked for."""
        return self._torque_mnm if self._moving else 0

    # -- what is wanted of it --------------------------------------------------------------------------------

    def aim(self, wanted: ResolvedMove | None) -> None:
        """What the present phase wants; None: let go."""
        self._wanted = wanted
        self._held_cdeg = None

    def due(self) -> int:
        """When the next order of a movement, or the next try to begin one, is due, in ns (0 when none is wanted)."""
        return self._tried_ns + TICK_NS if self._moving or self._wanted is not None else 0

    def works_against(self, channels: frozenset[int]) -> bool:
        """The movement that is on goes against the muscle of one of these channels."""
        if not self._moving or self.joint is None or self.report is None:
            return False
        way = self.aim_cdeg - self.report.angle_cdeg
        return any(number in channels and sign * way < 0 for number, sign in self.joint.channel_signs)

    def order(self, now_ns: int, sensor_ns: int, driven: frozenset[int]) -> MotionOrder | None:
        """The order for `now_ns`; None when nothing can be asked for and nothing moves. `driven`: channels with
        current. A movement that cannot go on is let go, and its wish with it."""
        self._tried_ns = now_ns
        wanted, joint, report = self._wanted, self.joint, self.report
        aim_cdeg = torque_mnm = None
        if wanted is not None and joint is not None and report is not None:
            aim_cdeg = self._place(wanted, joint, report, driven)
            torque_mnm = self._raised(now_ns, wanted, joint, report)
        if wanted is None or report is None or aim_cdeg is None or torque_mnm is None:
            return self.release(now_ns) if self._moving else None
        if not self._moving:
            if now_ns < self.rest_until_ns:
                return None
            self._began_ns = now_ns
        if torque_mnm > self._torque_mnm:
            self._raised_ns = now_ns
        self._torque_mnm, self.aim_cdeg = torque_mnm, aim_cdeg
        self._moving = self._masked = True
        self._still_from_ns = 0
        self._ordered_ns = now_ns
        self._seq += 1
        stamps = (self._seq, now_ns, now_ns + LEASE_MAX_NS)
        if wanted.hold:
            return Hold(*stamps, aim_cdeg, torque_mnm, sensor_ns)
        return Assist(*stamps, aim_cdeg, min(wanted.speed_cdps, report.speed_limit_cdps), torque_mnm, sensor_ns)

    def _place(
        self, wanted: ResolvedMove, joint: ResolvedJoint, report: JointReport, driven: frozenset[int]
    ) -> int | None:
        """Where to, in today's range; None when there is none, or current drives the joint the other way."""
        low_cdeg, high_cdeg, here_cdeg = report.angle_min_cdeg, report.angle_max_cdeg, report.angle_cdeg
        if not low_cdeg <= high_cdeg:
            return None
        aim_cdeg = min(max(wanted.angle_cdeg, low_cdeg), high_cdeg)
        way = aim_cdeg - here_cdeg
        soon = way - report.speed_cdps * AHEAD_MS // 1000
        against = [sign for number, sign in joint.channel_signs if number in driven and sign]
        if any(min(sign * way, sign * soon) < -NEAR_CDEG for sign in against):
            return None
        if not wanted.hold:
            return aim_cdeg
        # Only an assist travels: short of its place a joint is held where it stands, and nearer as it comes nearer.
        stands_cdeg = min(max(here_cdeg, low_cdeg), high_cdeg)
        held_cdeg = self._held_cdeg
        if -HOLD_CDEG <= way <= HOLD_CDEG:
            held_cdeg = aim_cdeg
        elif held_cdeg is None or abs(aim_cdeg - stands_cdeg) < abs(aim_cdeg - held_cdeg):
            held_cdeg = stands_cdeg
        self._held_cdeg = held_cdeg
        return held_cdeg if -HOLD_CDEG <= held_cdeg - here_cdeg <= HOLD_CDEG else None

    def _raised(self, now_ns: int, wanted: ResolvedMove, joint: ResolvedJoint, report: JointReport) -> int | None:
        """The torque on its way up, on the device's grid; None when there is none to be had."""
        most_mnm, grid_mnm = min(wanted.torque_mnm, report.torque_limit_mnm), max(1, report.torque_step_mnm)
        if not most_mnm >= grid_mnm:
            return None
        step_mnm = max(grid_mnm, joint.torque_mnm // RISE_STEPS)
        at_once = max(1, JOINT_CAPS[JointRegion(joint.region)].torque_rise_mnm // step_mnm)
        before_mnm = self._torque_mnm if self._moving else 0
        rises = not before_mnm or now_ns - self._raised_ns >= max(TICK_NS, LATE_NS // at_once)
        torque_mnm = min(most_mnm, before_mnm + (step_mnm if rises else 0))
        return torque_mnm - torque_mnm % grid_mnm

    def release(self, now_ns: int, ramp_ms: int = RAMP_MS) -> Release:
        """Let go, softly. Said again, it can only shorten what is left."""
        self._end(now_ns)
        self.eased_ns = now_ns + ramp_ms * MS
        return Release(self._seq, now_ns, ramp_ms)

    def free(self, now_ns: int) -> Free:
        """Let go, at once."""
        self._end(now_ns)
        return Free(self._seq, now_ns)

    def forget(self, now_ns: int) -> None:
        """The gateway has stopped by itself: nothing moves any more."""
        if self._moving:
            self._end(now_ns)
        self._wanted = None

    def _end(self, now_ns: int) -> None:
        if self._moving:  # at least; the gateway's own word follows
            rest_ns = max(now_ns - self._began_ns, MOTION_REST_NS_MIN)
            self._own_rest_ns = now_ns + rest_ns
            self.rest_until_ns = max(self.rest_until_ns, self._own_rest_ns)
        self._moving = False
        self._wanted = None
        self._torque_mnm = 0
        self._ordered_ns = now_ns
        self._seq += 1
