"""The guard's rules: one table of small, numbered functions, in the order in which they are asked.

Each returns None when it holds, else the reason in one sentence with its figures. None changes anything. Bounds are
written `lo <= x <= hi`, else refuse. A refusal latches unless the table says otherwise. Three stages: the order
(`G01` to `G06`, `G29`), each train's pulse (`G07` to `G16`, `G30`, in `safety.pulse_rules`), and what the order would
do on the body (`G17` to `G28`, from `G31` on, in `safety.body_rules`). What a powered orthosis is asked to do has a
table of its own, in `safety.joint_rules`. A number is never given twice and never changes; the table is the order.
"""

from collections.abc import Callable

from safety.body_rules import (
    Wanted,
    g17_channels,
    g18_duty,
    g19_slew,
    g20_on_time,
    g21_renewal,
    g22_rest,
    g23_bursts,
    g24_session_dose,
    g25_sensor,
    g26_press,
    g27_step,
    g28_antagonist,
    g31_bursts_a_minute,
    g32_duty,
    g33_identified,
    g34_position,
    g35_one_purpose,
    g36_one_waveform,
    g37_as_fitted,
)
from safety.interlocks import Conditions, first_open
from safety.limits import GAP_NS_MAX, ChannelLimit, DeviceLimits
from safety.memory import Memory
from safety.orders import LEASE_MAX_NS, ArmScope, Deliver, Purpose, Renew
from safety.pulse_rules import (
    g07_channel,
    g08_ceiling_found,
    g09_points,
    g10_net_charge,
    g11_amplitude,
    g12_pulse_width,
    g13_period,
    g14_charge,
    g15_density,
    g16_power,
    g30_rms,
)
from safety.stimulus import Point, Train

_MS = 1_000_000
PURPOSES: dict[ArmScope, tuple[Purpose, Purpose]] = {
    ArmScope.FITTING: (Purpose.IDENTIFY, Purpose.TITRATE),
    ArmScope.SESSION: (Purpose.ASSIST, Purpose.CYCLIC),
}

# -- the order --------------------------------------------------------------------------------------------------------


def g01_exact_integers(memory: Memory, order: Deliver | Renew, now_ns: int, _: Conditions) -> str | None:
    """Every number is exactly an int (no bool, no float: NaN cannot exist here), every type exactly ours."""
    kind = type(order)
    if kind is not Deliver and kind is not Renew:
        return "This is no order to deliver or to renew."
    if not type(now_ns) is type(order.seq) is type(order.stamp_ns) is type(order.expires_ns) is int:
        return "A time or number of the order is not a whole number."
    if type(order.sensor_ns) is not int:
        return "The time of the puck's sample is not a whole number."
    if isinstance(order, Renew):
        return None
    if type(order.purpose) is not Purpose or type(order.press) is not int or type(order.trains) is not tuple:
        return "The order's purpose, press or list of trains is not of the agreed type."
    for train in order.trains:
        if train is not None and memory.exact.get(id(train)) is train:
            continue
        if type(train) is not Train or type(train.points) is not tuple:
            return "A train of the order is not of the agreed type."
        if type(train.channel) is not int or type(train.period_us) is not int:
            return "A train's channel or period is not a whole number."
        for point in train.points:
            if type(point) is not Point or not type(point[0]) is type(point[1]) is int:
                return "A point of a pulse is not two whole numbers."
    return None


def g02_sequence_rises(memory: Memory, order: Deliver | Renew, _: int, __: Conditions) -> str | None:
    """Each order once, and never an older one after a newer one."""
    if order.seq > memory.last_seq:
        return None
    return f"Order {order.seq} came after order {memory.last_seq}."


def g03_time(memory: Memory, order: Deliver | Renew, now_ns: int, _: Conditions) -> str | None:
    """Time does not run backwards; the order was made since arming, not in the future, not over 120 ms ago."""
    if not memory.last_now_ns <= now_ns:
        return f"The guard's clock ran backwards by {memory.last_now_ns - now_ns} ns."
    if not memory.last_stamp_ns <= order.stamp_ns:
        return "The order was made before the one that came before it."
    if not memory.armed_ns <= order.stamp_ns:
        return "The order was made before the output was armed."
    if not 0 <= now_ns - order.stamp_ns <= LEASE_MAX_NS:
        return f"The order's age is {(now_ns - order.stamp_ns) // _MS} ms; 0 to 120 ms are allowed."
    return None


def g04_lease(_: Memory, order: Deliver | Renew, now_ns: int, __: Conditions) -> str | None:
    """The lease lasts 1 to 120 ms from the stamp and is not over yet."""
    if not _MS <= order.expires_ns - order.stamp_ns <= LEASE_MAX_NS:
        return f"The lease of {(order.expires_ns - order.stamp_ns) // _MS} ms is not within 1 to 120 ms."
    if not now_ns <= order.expires_ns:
        return "The order's lease is already over."
    return None


def g05_interlocks(_: Memory, __: Deliver | Renew, ___: int, conditions: Conditions) -> str | None:
    """All interlocks are closed."""
    return first_open(conditions)


def g06_scope(memory: Memory, order: Deliver | Renew, _: int, __: Conditions) -> str | None:
    """What a person armed for permits the purpose."""
    if memory.scope is None:
        return "Output is not armed."
    purpose = order.purpose if isinstance(order, Deliver) else memory.purpose
    if purpose in PURPOSES[memory.scope]:
        return None
    return f"Armed for {memory.scope}, which does not permit {purpose.name.lower()}."


def g29_gap(memory: Memory, _: Deliver | Renew, now_ns: int, __: Conditions) -> str | None:
    """While a burst is on, the guard looks at its clock every 500 ms at least: longer, and nobody watched."""
    if not memory.live or 0 <= now_ns - memory.last_now_ns <= GAP_NS_MAX:
        return None
    return f"Current was on and nobody looked for {(now_ns - memory.last_now_ns) // _MS} ms; at most 500 ms may pass."


OrderRule = Callable[[Memory, Deliver | Renew, int, Conditions], str | None]
ORDER_RULES: tuple[tuple[str, OrderRule], ...] = (
    ("G01", g01_exact_integers),
    ("G02", g02_sequence_rises),
    ("G03", g03_time),
    ("G29", g29_gap),
    ("G04", g04_lease),
    ("G05", g05_interlocks),
    ("G06", g06_scope),
)
TrainRule = Callable[[DeviceLimits, Train, ChannelLimit], str | None]
CHANNEL_RULE = ("G07", g07_channel)
TRAIN_RULES: tuple[tuple[str, TrainRule], ...] = (
    ("G08", g08_ceiling_found),
    ("G09", g09_points),
    ("G10", g10_net_charge),
    ("G11", g11_amplitude),
    ("G12", g12_pulse_width),
    ("G13", g13_period),
    ("G14", g14_charge),
    ("G15", g15_density),
    ("G16", g16_power),
    ("G30", g30_rms),
)
BODY_RULES: tuple[tuple[str, Callable[[Wanted], str | None]], ...] = (
    ("G33", g33_identified),
    ("G34", g34_position),
    ("G17", g17_channels),
    ("G18", g18_duty),
    ("G19", g19_slew),
    ("G20", g20_on_time),
    ("G21", g21_renewal),
    ("G22", g22_rest),
    ("G31", g31_bursts_a_minute),
    ("G32", g32_duty),
    ("G23", g23_bursts),
    ("G24", g24_session_dose),
    ("G25", g25_sensor),
    ("G26", g26_press),
    ("G27", g27_step),
    ("G35", g35_one_purpose),
    ("G36", g36_one_waveform),
    ("G37", g37_as_fitted),
)
ANTAGONIST_RULE = ("G28", g28_antagonist)
"""Asked last, and only while an assist is in force."""
WITHOUT_LATCH = ("G21", "G22", "G31", "G32")
"""A rest not yet over, and a renewal that crossed the end of its burst on the way, are no defects: refused, no more."""
