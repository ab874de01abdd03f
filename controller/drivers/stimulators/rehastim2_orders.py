"""From an admitted order to the two frames of a RehaStim2's list, with the pair check; and the frames made beforehand.

`InitChannelListMode` names the channels and their one period, `StartChannelListMode` gives each a width and a current.
The unit makes the shape itself: two equal phases with 100 us between them. So an order is carried out only when it is
exactly that shape, on the unit's grid; everything else is refused, never rounded.
"""

from typing import NamedTuple

from controller.drivers.stimulators.events import PairCheckFailed
from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode2.frame import PACKET_NUMBERS, Frame, build, parse
from controller.wire.sciencemode2.messages import (
    CHANNELS,
    InitChannelListMode,
    ListPulse,
    StartChannelListMode,
    StopChannelListMode,
)
from controller.wire.sciencemode2.rehastim2 import COMMAND, Message, decode_request, encode
from safety.limits import DeviceLimits
from safety.stimulus import Point, Train

Outputs = tuple[tuple[int, int], ...]
"""(channel from 1, uA) of each channel that a list switches on; empty for all off."""

INTERPHASE_US = 100
REHASTIM2_LIMITS = DeviceLimits(
    name="RehaStim2",
    channels=CHANNELS,
    amplitude_ua_max=126_000,
    amplitude_step_ua=2_000,
    pulse_width_us_min=20,
    pulse_width_us_max=500,
    period_us_min=20_000,
    period_us_max=1_025_000,
    period_step_us=500,
    points_max=3,
    interphase_us=INTERPHASE_US,
    common_period=True,
    slot_us=1_500,
    slot_channels=4,
)
"""From ScienceMode2 Description and Protocol v1.24 and the maker's notes beside it; never tried on hardware."""

INIT, START, STOP_LIST = COMMAND[InitChannelListMode], COMMAND[StartChannelListMode], COMMAND[StopChannelListMode]
FIRST_RESERVED = PACKET_NUMBERS - 1
"""Ordinary packet numbers stay below; this one is the stop's own."""
STOP = encode(FIRST_RESERVED, StopChannelListMode())
STOP_KEY = (STOP_LIST + 1, FIRST_RESERVED)
RELEASES = tuple(encode(number, StopChannelListMode()) for number in range(FIRST_RESERVED))
"""The ordinary end of a burst, for each packet number."""


class ListUpdate(NamedTuple):
    """Trains that have been encoded, read back and compared: the data of both frames, and what they switch on."""

    mask: int
    period_us: int
    init: bytes
    start: bytes
    outputs: Outputs

    @property
    def shape(self) -> tuple[int, int]:
        """What only a new `InitChannelListMode` can change: (channel mask, period in us)."""
        return (self.mask, self.period_us)


KNOWN_MAX = 512
Known = dict[tuple[Train, ...], ListUpdate | None]
"""What one connection has read back already."""


def checked_list(trains: tuple[Train, ...], known: Known | None = None) -> ListUpdate | None:
    """The list for `trains` (those without current are left out, which is off); None when all is off.

    Both frames have been read back as the unit reads them and say exactly what `trains` say. Raises `PairCheckFailed`.
    """
    if known is not None and trains in known:
        return known[trains]
    wanted = sorted(train for train in trains if any(current_ua for _, current_ua in train.points))
    update = _checked(wanted) if wanted else None
    if known is not None:
        if len(known) >= KNOWN_MAX:
            known.clear()
        known[trains] = update
    return update


def list_frame(number: int, command: int, payload: bytes) -> bytes:
    """A frame with data that have been checked. Raises `PairCheckFailed` when it does not read back."""
    data = build(number, command, payload)
    if parse(data) != (number, command, payload):
        raise PairCheckFailed("the frame does not read back")
    return data


def read_back(init: bytes, start: bytes) -> list[Train]:
    """What the two frames together make the unit do, as trains. Raises `PairCheckFailed`."""
    told, pulses = _said(init), _said(start)
    if type(told) is not InitChannelListMode or type(pulses) is not StartChannelListMode:
        raise PairCheckFailed("the frames are not those of a list")
    if told.low_frequency_factor or told.low_frequency_mask or told.execution or not told.interval_us:
        raise PairCheckFailed("the list would run otherwise than every channel at every interval")
    channels = [bit + 1 for bit in range(CHANNELS) if told.channels >> bit & 1]
    if len(channels) != len(pulses.pulses):
        raise PairCheckFailed("the list does not give one pulse for each of its channels")
    trains = []
    for channel, (mode, width_us, current_ua) in zip(channels, pulses.pulses, strict=True):
        if mode:
            raise PairCheckFailed(f"channel {channel} reads back with more than one pulse")
        points = (Point(width_us, current_ua), Point(INTERPHASE_US, 0), Point(width_us, -current_ua))
        trains.append(Train(channel, points, told.interval_us))
    return trains


def _said(data: bytes) -> Message:
    frame = parse(data)
    if type(frame) is not Frame:
        raise PairCheckFailed("the frame does not read back")
    try:
        return decode_request(frame)
    except RemoteError as error:
        raise PairCheckFailed(f"the frame does not read back: {error}") from error


def _checked(wanted: list[Train]) -> ListUpdate:
    _check_limits(wanted)
    mask = 0
    for train in wanted:
        mask |= 1 << train.channel - 1
    period_us = wanted[0].period_us
    pulses = tuple(ListPulse(0, *train.points[0]) for train in wanted)
    try:
        init = encode(0, InitChannelListMode(mask, period_us))
        start = encode(0, StartChannelListMode(pulses))
    except (LocalError, TypeError) as error:
        raise PairCheckFailed(f"no frame can be made for this order: {error}") from error
    said = read_back(init, start)
    if said != wanted:
        raise PairCheckFailed(f"the list reads back as {said}")
    first, second = parse(init), parse(start)
    assert type(first) is Frame
    assert type(second) is Frame
    outputs = tuple((train.channel, train.points[0].current_ua) for train in said)
    return ListUpdate(mask, period_us, first.payload, second.payload, outputs)


def _check_limits(wanted: list[Train]) -> None:
    """Refuse, with a sentence, what this unit cannot do although bytes could say it."""
    limits = REHASTIM2_LIMITS
    periods = sorted({train.period_us for train in wanted})
    if len(periods) > 1:
        raise PairCheckFailed(f"all channels of this unit share one period, and {periods} us were ordered")
    period_us = periods[0]
    if type(period_us) is not int or not limits.period_us_min <= period_us <= limits.period_us_max:
        raise PairCheckFailed(
            f"a period of {period_us!r} us is outside {limits.period_us_min} to {limits.period_us_max}"
        )
    in_module = [0] * (CHANNELS // limits.slot_channels)
    seen: set[int] = set()
    for train in wanted:
        channel = train.channel
        if type(channel) is not int or not 1 <= channel <= limits.channels or channel in seen:
            raise PairCheckFailed(f"channel {channel!r} does not exist, or is named twice")
        seen.add(channel)
        in_module[(channel - 1) // limits.slot_channels] += 1
        _check_pulse(train)
    if max(in_module) * limits.slot_us > period_us:
        raise PairCheckFailed(
            f"{max(in_module)} channels of one module need {limits.slot_us} us each in {period_us} us"
        )


def _check_pulse(train: Train) -> None:
    limits = REHASTIM2_LIMITS
    numbers = [number for point in train.points for number in point]
    if not all(type(number) is int for number in numbers) or len(train.points) != limits.points_max:
        raise PairCheckFailed(
            f"channel {train.channel}: a pulse of this unit is phase, gap and phase, in whole numbers"
        )
    (width_us, current_ua), gap, after = train.points
    if gap != (INTERPHASE_US, 0) or after != (width_us, -current_ua) or current_ua <= 0:
        raise PairCheckFailed(
            f"channel {train.channel}: the unit makes two equal phases, + then -, {INTERPHASE_US} us apart"
        )
    if current_ua % limits.amplitude_step_ua or current_ua > limits.amplitude_ua_max:
        raise PairCheckFailed(
            f"channel {train.channel}: {current_ua} uA is above {limits.amplitude_ua_max} uA, "
            f"or not in steps of {limits.amplitude_step_ua} uA"
        )
    if not limits.pulse_width_us_min <= width_us <= limits.pulse_width_us_max:
        raise PairCheckFailed(f"channel {train.channel}: the unit makes no pulses of {width_us} us")
