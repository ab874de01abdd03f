"""From "move the orthosis there" to absolute orders, one a tick; and whether it is the orthosis that moves the limb.

The engine aims inside the limits that the guard holds: torque rises in steps here, the aim is kept inside the range of
motion that was measured today, and a movement against a muscle that current drives is not asked for. What the actuator
moves is no attempt of the patient's: `masks` stays true from the first order until the joint has been still.
"""

from controller.clock import MS
from controller.session.resolve import ResolvedJoint, ResolvedMove
from controller.vocabulary.facts import JointReport
from safety.joint import Assist, Free, Hold, MotionOrder, Release
from safety.joint_limits import THERE_CDEG
from safety.orders import LEASE_MAX_NS

TICK_NS = 20 * MS
RAMP_MS = 300
NEAR_CDEG = THERE_CDEG * 4 // 5
"""Nearer to its goal than this a joint is there; a little inside what the guard calls so."""
STILL_CDPS = 200
STILL_NS = 250 * MS
AFTER_ORDER_NS = 400 * MS
RISE_STEPS = 30
"""Ticks in which the torque rises to the most that the protocol ever asks: 0.6 s. The guard allows ten."""


class Movement:
    """Makes the orders to the orthosis. It holds no permission: it only knows what it last asked for."""

    def __init__(self, joint: ResolvedJoint | None) -> None:
        self.joint = joint
        self.report: JointReport | None = None
        self.rest_until_ns = 0
        self._wanted: ResolvedMove | None = None
        self._seq = 0
        self._moving = False
        self._ordered_ns = 0
        self._torque_mnm = 0
        self.aim_cdeg = 0
        """Where the last order went to."""
        self._masked = False
        self._still_from_ns = 0

    # -- what the orthosis says ------------------------------------------------------------------------------

    def reported(self, now_ns: int, report: JointReport) -> None:
        """Its newest posture. Stillness is counted on the reports alone: no news is not stillness."""
        self.report = report
        self.rest_until_ns = report.rest_until_ns
        if not -STILL_CDPS <= report.speed_cdps <= STILL_CDPS or report.torque_on or self._moving:
            self._still_from_ns = 0
        elif not self._still_from_ns:
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

    def due(self) -> int:
        """When the next order of a movement is due, in ns (0 when nothing moves)."""
        return self._ordered_ns + TICK_NS if self._moving else 0

    def order(self, now_ns: int, sensor_ns: int, driven: frozenset[int]) -> MotionOrder | None:
        """The order for `now_ns`; None when nothing is wanted and nothing moves. `driven`: channels with current."""
        wanted, joint, report = self._wanted, self.joint, self.report
        if wanted is None or joint is None or report is None or self._opposed(wanted, report, driven):
            return self.release(now_ns) if self._moving else None
        if not (report.torque_limit_mnm > 0 and report.angle_min_cdeg <= report.angle_max_cdeg):
            return self.release(now_ns) if self._moving else None
        grid_mnm = report.torque_step_mnm
        step_mnm = max(grid_mnm, joint.torque_mnm // RISE_STEPS)
        self._torque_mnm = min(
            wanted.torque_mnm, report.torque_limit_mnm, (self._torque_mnm if self._moving else 0) + step_mnm
        )
        self._torque_mnm -= self._torque_mnm % grid_mnm
        angle_cdeg = min(max(wanted.angle_cdeg, report.angle_min_cdeg), report.angle_max_cdeg)
        speed_cdps = min(wanted.speed_cdps, report.speed_limit_cdps)
        self.aim_cdeg = angle_cdeg
        self._moving = self._masked = True
        self._still_from_ns = 0
        self._ordered_ns = now_ns
        self._seq += 1
        stamps = (self._seq, now_ns, now_ns + LEASE_MAX_NS)
        if wanted.hold:
            return Hold(*stamps, angle_cdeg, self._torque_mnm, sensor_ns)
        return Assist(*stamps, angle_cdeg, speed_cdps, self._torque_mnm, sensor_ns)

    def _opposed(self, wanted: ResolvedMove, report: JointReport, driven: frozenset[int]) -> bool:
        """Current drives the joint the other way."""
        assert self.joint is not None
        way = wanted.angle_cdeg - report.angle_cdeg
        return any(number in driven and sign * way < -NEAR_CDEG for number, sign in self.joint.channel_signs)

    def release(self, now_ns: int) -> Release:
        """Let go, softly."""
        self._end(now_ns)
        return Release(self._seq, now_ns, RAMP_MS)

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
        self._moving = False
        self._wanted = None
        self._torque_mnm = 0
        self._ordered_ns = now_ns
        self._seq += 1
