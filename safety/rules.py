"""The guard's rules: one table of small functions, numbered in the order in which they are asked.

Each returns None when it holds, else the reason in one sentence with its figures. None changes anything. Bounds are
written `lo <= x <= hi`, else refuse. A refusal latches unless the table says otherwise. Three stages: the order
(`G01` to `G06`), each train's pulse (`G07` to `G16`, in `safety.pulse_rules`), and what the order would do on the
body (`G17` to `G28`). What a powered orthosis is asked to do has a table of its own, in `safety.joint_rules`.
"""

from collections.abc import Callable
from typing import NamedTuple

from safety.interlocks import Conditions, first_open
from safety.limits import (
    BURSTS_MAX,
    CHANNELS_ACTIVE_MAX,
    PRESS_FRESH_NS,
    SENSOR_AGE_NS_MAX,
    SLEW_UA_MAX,
    STIMULATED_NS_MAX,
    ChannelLimit,
    DeviceLimits,
    fitting_step_ua,
    step_every_ns,
)
from safety.memory import Memory, Vetted
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
        if memory.exact.get(id(train)) is train:
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


# -- what the order would do on the body ------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """An order as the last rules see it: its vetted trains (none for a renewal) and the longest burst they allow."""

    memory: Memory
    order: Deliver | Renew
    now_ns: int
    trains: list[Vetted]
    on_ms: int
    purpose: Purpose


def g17_channels(wanted: Wanted) -> str | None:
    """Each channel once, and at most four with current."""
    trains = wanted.trains
    if len(trains) <= 1:
        return None
    if len({train.channel for train in trains}) != len(trains):
        return "A channel is named twice."
    active = len([train for train in trains if train.amplitude_ua > 0])
    if 0 <= active <= CHANNELS_ACTIVE_MAX:
        return None
    return f"{active} channels at once; at most {CHANNELS_ACTIVE_MAX} may carry current."


def g18_duty(wanted: Wanted) -> str | None:
    """All pulses with the unit's own overhead fit: the sum over trains of busy time per period stays under one.

    Where the unit has one period for all its channels, or a slot for each, the trains fit into those too.
    """
    unfit = _unpaced(wanted) if wanted.memory.paced else None
    if unfit is not None:
        return unfit
    busy, whole = 0, 1
    for train in wanted.trains:
        busy = busy * train.period_us + train.busy_us * whole
        whole *= train.period_us
    if 0 <= busy < whole:
        return None
    return f"The unit would be busy {busy * 1000 // whole} us of each ms; it must stay under 1000."


def _unpaced(wanted: Wanted) -> str | None:
    """Why the trains do not fit the unit's one period or its slots; None when they do."""
    device, trains = wanted.memory.device, wanted.trains
    if device.common_period and len({train.period_us for train in trains}) > 1:
        return "All channels of this unit share one period, and the order names several."
    if device.slot_us == 0:
        return None
    per_module = device.slot_channels or device.channels
    modules = [(train.channel - 1) // per_module for train in trains if train.amplitude_ua > 0]
    for train in trains:
        slots_us = modules.count((train.channel - 1) // per_module) * device.slot_us
        if not slots_us <= train.period_us:
            return f"The channels of one module need {slots_us} us, more than the period of {train.period_us} us."
    return None


def g19_slew(wanted: Wanted) -> str | None:
    """At most 2 mA over the lowest current of the last 20 ms, channel by channel. Falls are always allowed."""
    trails = wanted.memory.trails
    for train in wanted.trains:
        trail = trails.get(train.channel)
        lowest_ua = 0 if trail is None else trail.lowest(wanted.now_ns)
        if not train.amplitude_ua - lowest_ua <= SLEW_UA_MAX:
            return f"Channel {train.channel} would rise {train.amplitude_ua - lowest_ua} uA in 20 ms; 2000 are allowed."
    return None


def g20_on_time(wanted: Wanted) -> str | None:
    """The burst has not outlasted the least of cap, protocol and (in fitting) 3 s."""
    memory = wanted.memory
    if not memory.live or 0 <= wanted.now_ns - memory.burst_from_ns <= wanted.on_ms * _MS:
        return None
    return f"On for {(wanted.now_ns - memory.burst_from_ns) // _MS} ms; at most {wanted.on_ms} ms are allowed."


def g21_renewal(wanted: Wanted) -> str | None:
    """Only what is being delivered can be renewed."""
    if isinstance(wanted.order, Deliver) or wanted.memory.live:
        return None
    return "Nothing is being delivered, so nothing can be renewed."


def g22_rest(wanted: Wanted) -> str | None:
    """After a burst: half its length, and 2 s at least."""
    memory = wanted.memory
    if memory.live or memory.rest_until_ns <= wanted.now_ns:
        return None
    return f"The rest after the last burst lasts another {(memory.rest_until_ns - wanted.now_ns) // _MS} ms."


def g23_bursts(wanted: Wanted) -> str | None:
    """At most 1200 bursts for one patient in one day's session."""
    memory = wanted.memory
    if memory.live or 0 <= memory.dose.bursts < BURSTS_MAX:
        return None
    return f"The session has had its {BURSTS_MAX} bursts."


def g24_session_dose(wanted: Wanted) -> str | None:
    """At most 60 min of current for one patient in one day's session."""
    memory = wanted.memory
    running_ns = wanted.now_ns - memory.burst_from_ns if memory.live else 0
    if 0 <= memory.dose.on_ns + running_ns < STIMULATED_NS_MAX:
        return None
    return "The session has had its 60 minutes of stimulation."


def g25_sensor(wanted: Wanted) -> str | None:
    """Help rests on a puck sample that was at most 100 ms old when the order was made."""
    age_ns = wanted.order.stamp_ns - wanted.order.sensor_ns
    if wanted.purpose is not Purpose.ASSIST or 0 <= age_ns <= SENSOR_AGE_NS_MAX:
        return None
    return f"The puck's newest sample was {age_ns // _MS} ms old; at most 100 ms are allowed."


def g26_press(wanted: Wanted) -> str | None:
    """In fitting: one channel, and a fresh key press of its own for each start and each change of channel."""
    memory, order = wanted.memory, wanted.order
    if memory.scope is not ArmScope.FITTING or not isinstance(order, Deliver):
        return None
    if len(wanted.trains) != 1:
        return f"Fitting works on one channel at a time, not on {len(wanted.trains)}."
    fitting = memory.fitting
    if order.press == fitting.used and memory.live and wanted.trains[0].channel in memory.trails:
        return None
    if not fitting.used < order.press == fitting.pressed:
        return f"Key press {order.press} is not a fresh one from the screen."
    if not 0 <= wanted.now_ns - fitting.pressed_ns <= PRESS_FRESH_NS:
        return f"Key press {order.press} is too old."
    return None


def g27_step(wanted: Wanted) -> str | None:
    """In fitting: one step a press (0.5 mA below motor threshold, 1 mA from it on), increases 300 ms apart.

    On a grid coarser than that, up to 2 mA: one step of the grid, and as far apart as 5 mA/s asks for.
    """
    memory, order = wanted.memory, wanted.order
    if memory.scope is not ArmScope.FITTING or not isinstance(order, Deliver):
        return None
    fitting, train = memory.fitting, wanted.trains[0]
    level_ua = fitting.levels.get(train.channel, 0)
    allowed_ua = (
        fitting.allowed_ua if order.press == fitting.used else level_ua + step_ua(memory, train.limit, level_ua)
    )
    if not train.amplitude_ua <= allowed_ua:
        return f"{train.amplitude_ua} uA is more than one step up: {allowed_ua} uA are allowed now."
    first_rise = train.amplitude_ua > level_ua and order.press != fitting.raised_press
    every_ns = step_every_ns(memory.device.amplitude_step_ua)
    if first_rise and not wanted.now_ns - fitting.raised_ns >= every_ns:
        return f"The last increase was {(wanted.now_ns - fitting.raised_ns) // _MS} ms ago; wait {every_ns // _MS} ms."
    return None


def g28_antagonist(wanted: Wanted) -> str | None:
    """No channel is switched on whose muscle works against the way that an assist in force moves the joint."""
    memory = wanted.memory
    for train in wanted.trains:
        on = train.channel in memory.trails and memory.trails[train.channel].amount > 0
        if train.amplitude_ua > 0 and not on and memory.channel_signs.get(train.channel) == -memory.assisted_sign:
            return f"Channel {train.channel} would work against the movement that the orthosis is making."
    return None


def step_ua(memory: Memory, limit: ChannelLimit, level_ua: int) -> int:
    """The step that one key press earns at this level, in uA."""
    return fitting_step_ua(level_ua, limit.motor_ua, memory.device.amplitude_step_ua)


OrderRule = Callable[[Memory, Deliver | Renew, int, Conditions], str | None]
ORDER_RULES: tuple[tuple[str, OrderRule], ...] = (
    ("G01", g01_exact_integers),
    ("G02", g02_sequence_rises),
    ("G03", g03_time),
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
)
BODY_RULES: tuple[tuple[str, Callable[[Wanted], str | None]], ...] = (
    ("G17", g17_channels),
    ("G18", g18_duty),
    ("G19", g19_slew),
    ("G20", g20_on_time),
    ("G21", g21_renewal),
    ("G22", g22_rest),
    ("G23", g23_bursts),
    ("G24", g24_session_dose),
    ("G25", g25_sensor),
    ("G26", g26_press),
    ("G27", g27_step),
)
ANTAGONIST_RULE = ("G28", g28_antagonist)
"""Asked last, and only while an assist is in force."""
WITHOUT_LATCH = ("G21", "G22")
"""A rest not yet over, and a renewal that crossed the end of its burst on the way, are no defects: refused, no more."""
