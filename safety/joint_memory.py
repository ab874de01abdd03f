"""What the guard remembers between orders of motion: the movement, the motor's torque, the dose, the posture.

Data and bookkeeping only: it decides nothing. Times are ns on the gateway's clock, torques mNm, angles cdeg.
"""

from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.joint_limits import CROWD_NS, MOTION_REST_NS_MIN, MOVEMENTS_MAX, THERE_CDEG, JointLimit
from safety.limits import MINUTE_NS
from safety.memory import NEVER_NS, Memory, Trail

NOWHERE = Posture(NEVER_NS, 0, 0, 0, False)
"""The posture that is not known: infinitely old."""


def goal_cdeg(order: Hold | Assist) -> int:
    """Where an order wants the joint."""
    return order.angle_cdeg if isinstance(order, Hold) else order.target_cdeg


def way_of(order: Hold | Assist, posture: Posture) -> int:
    """Which way an assist moves the joint: +1 extends, -1 flexes, 0 when it is there (or for a hold)."""
    if isinstance(order, Hold):
        return 0
    away_cdeg = order.target_cdeg - posture.angle_cdeg
    return (away_cdeg > THERE_CDEG) - (away_cdeg < -THERE_CDEG)


class JointDose:
    """What one patient's joint has had today: movements, their time, and when those of the last ten minutes began."""

    __slots__ = ("begun", "moved_ns", "movements")

    def __init__(self) -> None:
        self.movements = 0
        self.moved_ns = 0
        self.begun: list[int] = []

    def of_late(self, now_ns: int) -> tuple[int, int]:
        """Movements begun in the last 10 min, and those of them that began in the last minute."""
        crowd = min(len([begun for begun in self.begun if begun > now_ns - CROWD_NS]), MOVEMENTS_MAX)
        return crowd, min(crowd, len([begun for begun in self.begun if begun > now_ns - MINUTE_NS]))

    def recall(self, now_ns: int, crowd: int, movements: int) -> None:
        """So many were had before this program began: as if the last minute's had begun now, the others before it."""
        self.begun = sorted([*self.begun, *[now_ns - MINUTE_NS] * (crowd - movements), *[now_ns] * movements])


class JointMemory:
    """All that the rules of motion read. `live` means that a movement is on: from its first admitted order to off.

    `shared` is the memory of stimulation: armed scope and time, the guard's own clock, and what the channels carry.
    """

    __slots__ = (
        "device",
        "dose",
        "last_seq",
        "last_stamp_ns",
        "lease_until_ns",
        "limit",
        "live",
        "moved_from_ns",
        "posture",
        "rest_until_ns",
        "shared",
        "torque",
    )

    def __init__(self, device: JointDeviceLimits | None, shared: Memory) -> None:
        self.device = device
        self.shared = shared
        self.limit: JointLimit | None = None
        self.posture = NOWHERE
        self.torque = Trail()
        self.dose = JointDose()
        self.live = False
        self.last_seq = -1
        self.last_stamp_ns = NEVER_NS
        self.moved_from_ns = self.lease_until_ns = self.rest_until_ns = 0

    def end_movement(self, now_ns: int) -> None:
        """Torque is off from `now_ns`: the dose is booked and the rest begins. Nothing happens without a movement."""
        self.torque = Trail()
        self.shared.assisted_sign = 0
        if self.live:
            self.live = False
            moved_ns = max(0, now_ns - self.moved_from_ns)
            self.dose.moved_ns += moved_ns
            self.rest_until_ns = now_ns + max(moved_ns, MOTION_REST_NS_MIN)

    def lapse(self, now_ns: int) -> None:
        """Silence means stop: a movement whose lease has run out is over, and counted up to now in case it was not."""
        if now_ns > self.lease_until_ns:
            self.end_movement(now_ns)

    def move(self, now_ns: int, order: Hold | Assist) -> None:
        """This order, and no other, is in force from `now_ns`."""
        if not self.live:
            self.live = True
            self.moved_from_ns = now_ns
            self.dose.movements += 1
            self.dose.begun = [began_ns for began_ns in self.dose.begun if began_ns > now_ns - CROWD_NS]
            self.dose.begun.append(now_ns)
        self.torque.change(now_ns, order.torque_mnm)
        self.shared.assisted_sign = way_of(order, self.posture)
        self.lease_until_ns = order.expires_ns
        self.last_stamp_ns = order.stamp_ns
