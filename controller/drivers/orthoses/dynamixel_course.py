"""The course of one movement: a goal that walks at the ordered speed, and the torque that takes the joint along.

Integers: cdeg, cdeg/s, mNm, ns. All gains are in proportion to the admitted torque, so that a smaller torque also makes
a softer joint. The goal is never more than `AHEAD_CDEG` ahead of the joint. Beyond the admitted range nothing pushes
further out: over the last `MARGIN_CDEG` the outward torque falls to nothing.
"""

from typing import NamedTuple

from safety.joint import JointDeviceLimits, Posture

MS = 1_000_000
AHEAD_CDEG = 1_000
MARGIN_CDEG = 200
FULL_CDEG = 4_300
"""This far off, the spring part alone asks for all of the admitted torque."""
FULL_CDPS = 107_000
"""This much too slow or too fast, the damping alone asks for all of it."""
INTEGRAL_MS = 200
"""A lasting error doubles the spring part in this time."""
FORGET_PERCENT = 75
"""What a step leaves of a lasting error's part once the error has changed its side."""
STEP_NS_MAX = 60 * MS
CAP_PERCENT = 95
STALL_NS = 300 * MS
STALL_HOLD_CDEG = 50
AGAINST_CDPS, AGAINST_NS = 1_500, 100 * MS
FAST_CDPS = 12_000
"""Twice in a row this much faster than ordered, either way: the joint is thrown, or swings."""

DYNAMIXEL_LIMITS = JointDeviceLimits(
    name="dynamixel",
    torque_mnm_max=2_700,
    torque_step_mnm=5,
    speed_cdps_max=30_000,
    angle_cdeg_min=-15_000,
    angle_cdeg_max=15_000,
)
"""XM430-W210: 2.7 N m at standstill and 11.1 V, one unit of current about 4.8 mNm; the weaker XC330-T288 is held back
by its own current limit. Both turn at 390 deg/s and more at 11.1 V without load. Angles: a joint, not a wheel."""

ALONG_CDPS = 2_000
"""This much faster than ordered the way it is pushed: nothing is held up by what is still eased then."""

HARDER_MNM, HARDER_TIMES = 100, 3
"""So often in a row more than half above the admitted torque and this: the servo does not obey its goal current."""


class Wish(NamedTuple):
    """What was admitted: where to, how fast at most, with how much torque at most."""

    target_cdeg: int
    speed_cdps: int
    torque_mnm: int


def _within(value: int, most: int) -> int:
    return max(-most, min(most, value))


def _part(value: int, whole: int) -> int:
    """`value / whole` rounded toward zero."""
    return value // whole if value >= 0 else -(-value // whole)


class Course:
    """One movement, from torque on to torque off. `order` may change where it goes at any time."""

    def __init__(self, wish: Wish, now_ns: int, angle_cdeg: int) -> None:
        self.wish = wish
        self.goal_cdeg = angle_cdeg
        self.stalled = False
        self.against = False
        self.thrown = False
        self.harder = False
        self._low_cdeg = self._high_cdeg = angle_cdeg
        self._sum_unm = 0
        self._stepped_ns = now_ns
        self._capped_ns = -1  # since when all of the admitted torque has been asked for
        self._capped_cdeg = 0
        self._against_ns = -1
        self._fast = False
        self._hard = 0
        self._admit(angle_cdeg)

    def order(self, wish: Wish, angle_cdeg: int) -> None:
        """Go where `wish` says from now on. The same place again changes neither range nor goal."""
        moved = wish.target_cdeg != self.wish.target_cdeg
        self.wish = wish
        if moved:
            self._capped_ns = -1
            self._admit(angle_cdeg)

    def _admit(self, angle_cdeg: int) -> None:
        """From where the joint is to where it is to go, and never beyond what the device may do."""
        limits = DYNAMIXEL_LIMITS
        self._low_cdeg = max(min(angle_cdeg, self.wish.target_cdeg), limits.angle_cdeg_min)
        self._high_cdeg = min(max(angle_cdeg, self.wish.target_cdeg), limits.angle_cdeg_max)

    def step(self, now_ns: int, posture: Posture) -> int:
        """The torque to ask for now (mNm, + = extension); sets `stalled`, `against`, `thrown`, `harder`."""
        elapsed_ns = max(0, min(now_ns - self._stepped_ns, STEP_NS_MAX))
        self._stepped_ns = now_ns
        cap = self.wish.torque_mnm
        goal_cdps = self._walk(elapsed_ns, posture.angle_cdeg)
        spring_unm = _part(1000 * cap * (self.goal_cdeg - posture.angle_cdeg), FULL_CDEG)
        damping_unm = _part(1000 * cap * (goal_cdps - posture.speed_cdps), FULL_CDPS)
        if spring_unm * self._sum_unm < 0:
            # What was built up against current that lifted faster than ordered must not pull a falling limb down.
            self._sum_unm = _part(self._sum_unm * FORGET_PERCENT, 100)
        grown_unm = self._sum_unm + _part(spring_unm * elapsed_ns, INTEGRAL_MS * MS)
        wanted_unm = spring_unm + damping_unm + grown_unm
        if abs(wanted_unm) <= 1000 * cap or abs(grown_unm) < abs(self._sum_unm):
            self._sum_unm = grown_unm
        self._sum_unm = _within(self._sum_unm, 1000 * cap)
        torque_mnm = self.inward(_within(_part(wanted_unm, 1000), cap), posture.angle_cdeg)
        self._watch(now_ns, posture, torque_mnm, goal_cdps)
        return torque_mnm

    def _walk(self, elapsed_ns: int, angle_cdeg: int) -> int:
        """Move the goal on; its speed in cdeg/s."""
        rest = self.wish.target_cdeg - self.goal_cdeg
        reach = self.wish.speed_cdps * elapsed_ns // (1000 * MS)
        walked = _within(rest, reach)
        goal_cdeg = self.goal_cdeg + walked
        self.goal_cdeg = angle_cdeg + _within(goal_cdeg - angle_cdeg, AHEAD_CDEG)
        if self.goal_cdeg != goal_cdeg or not walked:
            return 0
        return self.wish.speed_cdps if walked > 0 else -self.wish.speed_cdps

    def inward(self, torque_mnm: int, angle_cdeg: int) -> int:
        """`torque_mnm`, without what would push a joint out of the admitted range."""
        beyond = angle_cdeg - self._high_cdeg if torque_mnm > 0 else self._low_cdeg - angle_cdeg
        if beyond <= 0:
            return torque_mnm
        room = max(0, MARGIN_CDEG - beyond)
        return _within(torque_mnm, self.wish.torque_mnm * room // MARGIN_CDEG)

    def runs_along(self, torque: int, speed_cdps: int) -> bool:
        """Does the joint run the way it is pushed, faster than ordered? Then that torque drives the limb, and lets
        nobody down by ending at once."""
        return torque * speed_cdps > 0 and abs(speed_cdps) > self.wish.speed_cdps + ALONG_CDPS

    def _watch(self, now_ns: int, posture: Posture, torque_mnm: int, goal_cdps: int) -> None:
        """Does the joint follow, and no faster than it should?"""
        fast = abs(posture.speed_cdps) > self.wish.speed_cdps + FAST_CDPS
        self.thrown = self.thrown or (fast and self._fast)
        self._fast = fast
        hard = abs(posture.torque_mnm) > self.wish.torque_mnm * 3 // 2 + HARDER_MNM
        self._hard = self._hard + 1 if hard else 0
        self.harder = self.harder or self._hard >= HARDER_TIMES
        sign = 1 if torque_mnm > 0 else -1
        if abs(torque_mnm) * 100 < self.wish.torque_mnm * CAP_PERCENT:
            self._capped_ns = -1
        elif self._capped_ns < 0:
            self._capped_ns, self._capped_cdeg = now_ns, posture.angle_cdeg
        elif now_ns - self._capped_ns > STALL_NS:
            least = max(STALL_HOLD_CDEG, self.wish.speed_cdps * (STALL_NS // MS) // 4000)
            self.stalled = self.stalled or sign * (posture.angle_cdeg - self._capped_cdeg) < least
            self._capped_ns, self._capped_cdeg = now_ns, posture.angle_cdeg
        if goal_cdps and posture.speed_cdps * (1 if goal_cdps > 0 else -1) < -AGAINST_CDPS:
            if self._against_ns < 0:
                self._against_ns = now_ns
            self.against = self.against or now_ns - self._against_ns >= AGAINST_NS
        else:
            self._against_ns = -1
