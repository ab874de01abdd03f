"""The rules of a powered orthosis: one table of small, numbered functions, in the order in which they are asked.

Written as in `safety.rules`: each returns None when it holds, else the reason in one sentence with its figures; none
changes anything. Two stages: the order (`J01` to `J07`, `J21`), and what it would do to the joint (`J08` to `J20`,
`J22`). Off (`Release`, `Free`) never comes here.
"""

from collections.abc import Callable
from typing import NamedTuple

from safety.interlocks import Conditions, first_open
from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.joint_limits import (
    CROWD_NS,
    HOLD_AWAY_CDEG_MAX,
    JOINT_CAPS,
    MOVED_NS_MAX,
    MOVEMENTS_A_MINUTE_MAX,
    MOVEMENTS_MAX,
    OUTSIDE_CDEG_MAX,
    POSTURE_AGE_NS_MAX,
    JointLimit,
)
from safety.joint_memory import JointMemory, goal_cdeg, way_of
from safety.limits import GAP_NS_MAX, MINUTE_NS, SENSOR_AGE_NS_MAX
from safety.orders import LEASE_MAX_NS, ArmScope
from safety.position import Position, misplaced

_MS = 1_000_000
_AGE_MS_MAX = POSTURE_AGE_NS_MAX // _MS

# -- the order --------------------------------------------------------------------------------------------------------


def j01_exact_integers(_: JointMemory, order: Hold | Assist, now_ns: int, __: Conditions) -> str | None:
    """Every number is exactly an int (no bool, no float: NaN cannot exist here), every type exactly ours."""
    if type(order) is not Hold and type(order) is not Assist:
        return "This is no order to hold or to assist."
    if not type(now_ns) is type(order.seq) is type(order.stamp_ns) is type(order.expires_ns) is int:
        return "A time or number of the order is not a whole number."
    if not type(order.torque_mnm) is type(order.sensor_ns) is type(goal_cdeg(order)) is int:
        return "An angle, a torque or the time of the puck's sample is not a whole number."
    if isinstance(order, Assist) and type(order.speed_cdps) is not int:
        return "The speed is not a whole number."
    return None


def j02_sequence_rises(memory: JointMemory, order: Hold | Assist, _: int, __: Conditions) -> str | None:
    """Each order of motion once, and never an older one after a newer one."""
    if order.seq > memory.last_seq:
        return None
    return f"Order of motion {order.seq} came after {memory.last_seq}."


def j03_time(memory: JointMemory, order: Hold | Assist, now_ns: int, _: Conditions) -> str | None:
    """Time does not run backwards; the order was made since arming, not in the future, not over 120 ms ago."""
    if not memory.shared.last_now_ns <= now_ns:
        return f"The guard's clock ran backwards by {memory.shared.last_now_ns - now_ns} ns."
    if not memory.last_stamp_ns <= order.stamp_ns:
        return "The order of motion was made before the one that came before it."
    if not memory.shared.armed_ns <= order.stamp_ns:
        return "The order of motion was made before the output was armed."
    if not 0 <= now_ns - order.stamp_ns <= LEASE_MAX_NS:
        return f"The order's age is {(now_ns - order.stamp_ns) // _MS} ms; 0 to 120 ms are allowed."
    return None


def j04_lease(_: JointMemory, order: Hold | Assist, now_ns: int, __: Conditions) -> str | None:
    """The lease lasts 1 to 120 ms from the stamp and is not over yet."""
    if not _MS <= order.expires_ns - order.stamp_ns <= LEASE_MAX_NS:
        return f"The lease of {(order.expires_ns - order.stamp_ns) // _MS} ms is not within 1 to 120 ms."
    if not now_ns <= order.expires_ns:
        return "The order's lease is already over."
    return None


def j05_interlocks(_: JointMemory, __: Hold | Assist, ___: int, conditions: Conditions) -> str | None:
    """All interlocks are closed, the stimulator's among them."""
    return first_open(conditions)


def j06_scope(memory: JointMemory, _: Hold | Assist, __: int, ___: Conditions) -> str | None:
    """A person armed for a session: nothing moves in fitting."""
    if memory.shared.scope is ArmScope.SESSION:
        return None
    return "Output is not armed for a session, so the orthosis may not move."


def j07_joint(memory: JointMemory, _: Hold | Assist, __: int, ___: Conditions) -> str | None:
    """A person prescribed the joint today: its passive range, and a torque above 0 (for the protocol's joint)."""
    if memory.limit is None:
        return "The joint is not prescribed, or the protocol means another one, or no orthosis is fitted."
    if memory.limit.ceiling_mnm > 0:
        return None
    return "The torque that the patient accepts has not been found today."


def j21_gap(memory: JointMemory, _: Hold | Assist, now_ns: int, __: Conditions) -> str | None:
    """While a movement is on, the guard looks at its clock every 500 ms at least: longer, and nobody watched."""
    gap_ns = now_ns - memory.shared.last_now_ns
    if not memory.live or 0 <= gap_ns <= GAP_NS_MAX:
        return None
    return f"The orthosis pushed and nobody looked for {gap_ns // _MS} ms; at most 500 ms may pass."


# -- what the order would do to the joint -----------------------------------------------------------------------------


class Asked(NamedTuple):
    """An order of motion as the last rules see it."""

    memory: JointMemory
    order: Hold | Assist
    now_ns: int
    device: JointDeviceLimits
    limit: JointLimit
    posture: Posture


def j08_torque(asked: Asked) -> str | None:
    """Torque from 1 mNm to the least of device, cap, ceiling and protocol, and on the device's grid."""
    torque_mnm, most = asked.order.torque_mnm, asked.limit.torque_mnm
    if not 1 <= torque_mnm <= most.value:
        return f"A torque of {torque_mnm} mNm is not within 1 to {most.value} mNm ({most.source})."
    if torque_mnm % asked.device.torque_step_mnm != 0:
        return f"A torque of {torque_mnm} mNm is off the device's grid of {asked.device.torque_step_mnm} mNm."
    return None


def j09_goal(asked: Asked) -> str | None:
    """The angle to reach or to hold lies within device, cap, today's range less 3 deg, and protocol."""
    low, high, goal = asked.limit.angle_min_cdeg, asked.limit.angle_max_cdeg, goal_cdeg(asked.order)
    if low.value <= goal <= high.value:
        return None
    return f"{goal} cdeg is not within {low.value} ({low.source}) to {high.value} cdeg ({high.source})."


def j10_speed(asked: Asked) -> str | None:
    """The speed of an assist from 1 cdeg/s to the least of device, cap and protocol."""
    order, most = asked.order, asked.limit.speed_cdps
    if isinstance(order, Hold) or 1 <= order.speed_cdps <= most.value:
        return None
    return f"A speed of {order.speed_cdps} cdeg/s is not within 1 to {most.value} cdeg/s ({most.source})."


def j11_posture(asked: Asked) -> str | None:
    """Where the joint stands is known, and was reported at most 60 ms ago."""
    age_ns = asked.now_ns - asked.posture.t_ns
    if 0 <= age_ns <= POSTURE_AGE_NS_MAX:
        return None
    return f"The orthosis reported its posture {age_ns // _MS} ms ago; at most {_AGE_MS_MAX} ms are allowed."


def j12_inside(asked: Asked) -> str | None:
    """The joint is inside its effective range, or up to 10 deg outside today's and the order brings it back."""
    limit, angle = asked.limit, asked.posture.angle_cdeg
    if not limit.rom_min_cdeg - OUTSIDE_CDEG_MAX <= angle <= limit.rom_max_cdeg + OUTSIDE_CDEG_MAX:
        return (
            f"The joint stands at {angle} cdeg, too far outside what was measured today "
            f"({limit.rom_min_cdeg} to {limit.rom_max_cdeg} cdeg) to be believed."
        )
    if limit.angle_min_cdeg.value <= angle <= limit.angle_max_cdeg.value:
        return None
    goal = goal_cdeg(asked.order)
    if angle < goal if angle < limit.angle_min_cdeg.value else goal < angle:
        return None
    return f"The joint stands at {angle} cdeg, outside its range, and {goal} cdeg does not bring it back."


def j13_torque_rise(asked: Asked) -> str | None:
    """At most a tenth of the region's cap over the lowest torque of the last 20 ms. Falls are always allowed."""
    most = asked.limit.torque_rise_mnm
    rise_mnm = asked.order.torque_mnm - asked.memory.torque.lowest(asked.now_ns)
    if rise_mnm <= most.value:
        return None
    return f"The torque would rise {rise_mnm} mNm in 20 ms; {most.value} are allowed ({most.source})."


def j14_on_time(asked: Asked) -> str | None:
    """The movement has not outlasted the least of cap and protocol."""
    memory, most = asked.memory, asked.limit.on_ms
    if not memory.live or 0 <= asked.now_ns - memory.moved_from_ns <= most.value * _MS:
        return None
    on_ms = (asked.now_ns - memory.moved_from_ns) // _MS
    return f"Moving or holding for {on_ms} ms; at most {most.value} ms are allowed ({most.source})."


def j15_rest(asked: Asked) -> str | None:
    """After a movement: a rest as long as it was, and 2 s at least; and no more in 10 min than the joint may have."""
    memory, crowd = asked.memory, JOINT_CAPS[asked.limit.region].crowd
    if memory.live:
        return None
    if not memory.rest_until_ns <= asked.now_ns:
        return f"The rest after the last movement lasts another {(memory.rest_until_ns - asked.now_ns) // _MS} ms."
    if len([began_ns for began_ns in memory.dose.begun if began_ns > asked.now_ns - CROWD_NS]) < crowd:
        return None
    return f"The joint has had its {crowd} movements in 10 minutes and rests."


def j16_session_dose(asked: Asked) -> str | None:
    """At most 1200 movements and 60 min of motion for one patient in one day's session."""
    memory = asked.memory
    if not memory.live and not 0 <= memory.dose.movements < MOVEMENTS_MAX:
        return f"The session has had its {MOVEMENTS_MAX} movements."
    running_ns = asked.now_ns - memory.moved_from_ns if memory.live else 0
    if 0 <= memory.dose.moved_ns + running_ns < MOVED_NS_MAX:
        return None
    return "The session has had its 60 minutes of motion."


def j17_sensor(asked: Asked) -> str | None:
    """An assist (and a hold that names one) rests on a puck sample at most 100 ms old when the order was made."""
    order = asked.order
    age_ns = order.stamp_ns - order.sensor_ns
    if (isinstance(order, Hold) and order.sensor_ns == 0) or 0 <= age_ns <= SENSOR_AGE_NS_MAX:
        return None
    return f"The puck's newest sample was {age_ns // _MS} ms old; at most 100 ms are allowed."


def j18_hold_here(asked: Asked) -> str | None:
    """A joint is held where it stands: at most 10 deg away. Only an assist travels."""
    order = asked.order
    if not isinstance(order, Hold):
        return None
    away_cdeg = order.angle_cdeg - asked.posture.angle_cdeg
    if -HOLD_AWAY_CDEG_MAX <= away_cdeg <= HOLD_AWAY_CDEG_MAX:
        return None
    return f"The angle to hold is {away_cdeg} cdeg from where the joint stands; 1000 are allowed."


def j19_antagonist(asked: Asked) -> str | None:
    """No assist works against the muscle of a channel that carries current."""
    shared, way = asked.memory.shared, way_of(asked.order, asked.posture)
    against = [
        channel
        for channel, trail in shared.trails.items()
        if trail.amount > 0 and way != 0 and shared.channel_signs.get(channel) == -way
    ]
    if not against:
        return None
    return f"The movement would work against the muscle of channel {against[0]}, which carries current."


def j20_position(asked: Asked) -> str | None:
    """The patient is placed as the protocol is made for, as a person confirmed; for the ankle that is seated."""
    shared = asked.memory.shared
    if JOINT_CAPS[asked.limit.region].seated_only and shared.needed is not Position.SEATED:
        return f"The {asked.limit.region} is moved only with the patient seated."
    return misplaced(shared.needed, shared.placed)


def j22_movements_a_minute(asked: Asked) -> str | None:
    """At most 20 movements begin within any minute."""
    memory = asked.memory
    if memory.live:
        return None
    begun = len([began_ns for began_ns in memory.dose.begun if began_ns > asked.now_ns - MINUTE_NS])
    if begun < MOVEMENTS_A_MINUTE_MAX:
        return None
    return f"The joint has had {begun} movements within a minute and rests."


JOINT_ORDER_RULES: tuple[tuple[str, Callable[[JointMemory, Hold | Assist, int, Conditions], str | None]], ...] = (
    ("J01", j01_exact_integers),
    ("J02", j02_sequence_rises),
    ("J03", j03_time),
    ("J21", j21_gap),
    ("J04", j04_lease),
    ("J05", j05_interlocks),
    ("J06", j06_scope),
)
JOINT_LIMIT_RULE = ("J07", j07_joint)
JOINT_RULES: tuple[tuple[str, Callable[[Asked], str | None]], ...] = (
    ("J20", j20_position),
    ("J08", j08_torque),
    ("J09", j09_goal),
    ("J10", j10_speed),
    ("J11", j11_posture),
    ("J12", j12_inside),
    ("J13", j13_torque_rise),
    ("J14", j14_on_time),
    ("J15", j15_rest),
    ("J22", j22_movements_a_minute),
    ("J16", j16_session_dose),
    ("J17", j17_sensor),
    ("J18", j18_hold_here),
    ("J19", j19_antagonist),
)
JOINT_WITHOUT_LATCH = ("J15", "J19", "J22")
"""No defects, so refused and no more: a rest not yet over, and a muscle that has carried the joint past its goal (the
motor lets go; the current was there first and goes on by its own rules)."""
