"""The rules of the body, `G17` to `G28` and from `G31` on: what an order would do to the patient, here and today.

Asked of the order as a whole, after its pulses have passed. Written as in `safety.rules`, which holds the table.
"""

from typing import NamedTuple

from safety.limits import (
    BURSTS_A_MINUTE_MAX,
    BURSTS_MAX,
    CHANNELS_ACTIVE_MAX,
    PRESS_FRESH_NS,
    SENSOR_AGE_NS_MAX,
    SLEW_UA_MAX,
    STIMULATED_NS_MAX,
    fitting_step_ua,
    step_every_ns,
)
from safety.memory import Memory, Vetted
from safety.orders import ArmScope, Deliver, Purpose, Renew
from safety.position import misplaced
from safety.stimulus import Waveform

_MS = 1_000_000


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
    if len({train.channel for train in trains}) != len(trains):
        return "A channel is named twice."
    active = len([train for train in trains if train.amplitude_ua > 0])
    if active <= CHANNELS_ACTIVE_MAX:
        return None
    return f"{active} channels at once; at most {CHANNELS_ACTIVE_MAX} may carry current."


def g18_duty(wanted: Wanted) -> str | None:
    """All pulses with the unit's own overhead fit: the sum over trains of busy time per period stays under one.

    Where the unit has one period for all its channels, or a slot for each, the trains fit into those too.
    """
    unfit = _unpaced(wanted) if wanted.memory.paced else None
    if unfit is not None:
        return unfit
    left, whole = 1, 1
    for train in wanted.trains:
        left = left * train.period_us - train.busy_us * whole
        whole *= train.period_us
    if 0 < left <= whole:
        return None
    return f"The unit would be busy {(whole - left) * 1000 // whole} us of each ms; it must stay under 1000."


def _unpaced(wanted: Wanted) -> str | None:
    """Why the trains do not fit the unit's one period or its slots; None when they do."""
    device, trains = wanted.memory.device, wanted.trains
    if device.common_period and len({train.period_us for train in trains}) > 1:
        return "All channels of this unit share one period, and the order names several."
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
    (train,) = wanted.trains
    if order.press == fitting.used and memory.live and train.channel in memory.trails:
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
    fitting, since_ns = memory.fitting, wanted.now_ns - memory.fitting.raised_ns
    every_ns = step_every_ns(memory.device.amplitude_step_ua)
    for train in wanted.trains:
        level_ua = fitting.reached_ua(train)
        earned_ua = level_ua + step_ua(memory, train)
        allowed_ua = fitting.allowed_ua if order.press == fitting.used else earned_ua
        if not train.amplitude_ua <= allowed_ua:
            return f"{train.amplitude_ua} uA is more than one step up: {allowed_ua} uA are allowed now."
        first_rise = train.amplitude_ua > level_ua and order.press != fitting.raised_press
        if first_rise and not since_ns >= every_ns:
            return f"The last increase was {since_ns // _MS} ms ago; wait {every_ns // _MS} ms."
    return None


def g28_antagonist(wanted: Wanted) -> str | None:
    """No channel is switched on whose muscle works against the way that an assist in force moves the joint."""
    memory = wanted.memory
    for train in wanted.trains:
        on = train.channel in memory.trails and memory.trails[train.channel].amount > 0
        if train.amplitude_ua > 0 and not on and memory.channel_signs.get(train.channel) == -memory.assisted_sign:
            return f"Channel {train.channel} would work against the movement that the orthosis is making."
    return None


def g31_bursts_a_minute(wanted: Wanted) -> str | None:
    """At most 20 bursts begin within any minute."""
    memory = wanted.memory
    if memory.live or memory.dose.crowded_until_ns <= wanted.now_ns:
        return None
    left_ms = (memory.dose.crowded_until_ns - wanted.now_ns) // _MS
    return f"{BURSTS_A_MINUTE_MAX} bursts began within a minute; the next may begin in {left_ms} ms."


def g32_duty(wanted: Wanted) -> str | None:
    """A burst begins only where current stays on for at most half of any 10 min, should it last 15 s."""
    memory = wanted.memory
    if memory.live or memory.dose.spent_until_ns <= wanted.now_ns:
        return None
    left_ms = (memory.dose.spent_until_ns - wanted.now_ns) // _MS
    return f"The muscles have had their 300 s in 600 s of current; the next burst may begin in {left_ms} ms."


def g33_identified(wanted: Wanted) -> str | None:
    """In a session, a person saw today that each channel with current moves the muscle that it is meant for."""
    memory = wanted.memory
    if memory.scope is not ArmScope.SESSION:
        return None
    for train in wanted.trains:
        if train.amplitude_ua > 0 and train.channel not in memory.identified:
            return f"Nobody has confirmed today which muscle channel {train.channel} moves."
    return None


def g34_position(wanted: Wanted) -> str | None:
    """In a session, the patient is placed as the protocol is made for, as a person confirmed; standing in a harness."""
    memory = wanted.memory
    return None if memory.scope is not ArmScope.SESSION else misplaced(memory.needed, memory.placed)


def g35_one_purpose(wanted: Wanted) -> str | None:
    """In a session, a burst keeps the purpose that it began with: help does not become a cycle that needs no sample."""
    memory = wanted.memory
    if memory.scope is not ArmScope.SESSION or not memory.live or wanted.purpose is memory.purpose:
        return None
    return f"The burst began as {memory.purpose.name.lower()} and cannot become {wanted.purpose.name.lower()}."


def g36_one_waveform(wanted: Wanted) -> str | None:
    """While a channel carries current only its amplitude changes: width, pause and period stay as they began.

    G19 and the steps of fitting watch the amplitude; a pulse that grew wider or came more often would jump past them.
    """
    for train in wanted.trains:
        before = wanted.memory.waveforms.get(train.channel, train.waveform)
        if train.amplitude_ua and train.waveform != before:
            return (
                f"Channel {train.channel} would change width, pause or period of its pulses while it carries current."
            )
    return None


def g37_as_fitted(wanted: Wanted) -> str | None:
    """In a session: pulses no wider and no more often than the gentlest with which the channel was fitted today."""
    memory = wanted.memory
    if memory.scope is not ArmScope.SESSION:
        return None
    for train in wanted.trains:
        fitted = memory.fitted.get(train.channel)
        if train.amplitude_ua and not (fitted and _as_gentle(train.waveform, fitted)):
            return f"Channel {train.channel} was fitted with narrower or rarer pulses than these."
    return None


def _as_gentle(pulse: Waveform, fitted: Waveform) -> bool:
    return pulse.pulse_width_us <= fitted.pulse_width_us and fitted.period_us <= pulse.period_us


def step_ua(memory: Memory, train: Vetted) -> int:
    """The step that one key press earns this train's channel at the level that it has reached, in uA."""
    return fitting_step_ua(memory.fitting.reached_ua(train), train.limit.motor_ua, memory.device.amplitude_step_ua)
