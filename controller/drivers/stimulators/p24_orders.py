"""From an admitted order to the bytes of a P24 update, with the pair check; and the frames that are made beforehand."""

from typing import NamedTuple

from controller.drivers.stimulators.events import PairCheckFailed
from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.frame import PACKET_NUMBERS, Frame, build, parse
from controller.wire.sciencemode.messages import CHANNELS, ChannelUpdate, MlStop, MlUpdate
from controller.wire.sciencemode.p24 import COMMAND, decode_request, encode
from controller.wire.sciencemode.pulses import (
    CURRENT_STEP_UA,
    CURRENT_UA_MAX,
    DURATION_US_MAX,
    POINTS_MAX,
    update_fault,
)
from safety.limits import DeviceLimits
from safety.stimulus import Train

Outputs = tuple[tuple[int, int], ...]
"""(channel from 1, uA) of each channel that an update switches on; empty for all off."""

P24_LIMITS = DeviceLimits(
    name="P24",
    channels=CHANNELS,
    amplitude_ua_max=CURRENT_UA_MAX,
    amplitude_step_ua=CURRENT_STEP_UA,
    pulse_width_us_min=10,
    pulse_width_us_max=DURATION_US_MAX,
    period_us_min=500,
    period_us_max=16_383_000,
    period_step_us=500,
    points_max=POINTS_MAX,
)
"""From the P24 instructions for use v1.1 and the vendor's C library; never tried on hardware."""


class StopFrames(NamedTuple):
    """The stop, made beforehand. Ordinary packet numbers stay below `first_number`; answers carry the two keys."""

    data: bytes
    off_key: tuple[int, int]
    stop_key: tuple[int, int]
    first_number: int


def _stop_frames() -> StopFrames:
    off, stop = PACKET_NUMBERS - 2, PACKET_NUMBERS - 1
    data = encode(off, MlUpdate()) + encode(stop, MlStop())
    return StopFrames(data, (COMMAND[MlUpdate] + 1, off), (COMMAND[MlStop] + 1, stop), off)


STOP_FRAMES = _stop_frames()
ALL_OFF = tuple(encode(number, MlUpdate()) for number in range(PACKET_NUMBERS))
"""The all-off update for each packet number."""


class ReadBack(NamedTuple):
    """The payload of an update that has been decoded and compared with its trains, and what it switches on."""

    payload: bytes
    outputs: Outputs
    mask: int


KNOWN_MAX = 512
UPDATE = COMMAND[MlUpdate]
Known = dict[tuple[Train, ...], ReadBack]
"""What one connection has read back already."""


def checked_update(number: int, trains: tuple[Train, ...], known: Known | None = None) -> tuple[bytes, Outputs, int]:
    """Frame, outputs and channel mask for `trains` (those without current are left out, which is off).

    The frame has been read back as the unit reads it and says exactly what `trains` say. Raises `PairCheckFailed`.
    """
    before = None if known is None else known.get(trains)
    if before is not None:
        # These very trains were encoded, read back and compared before: only number, CRC and stuffing are new.
        data = build(number, UPDATE, before.payload)
        if parse(data) != (number, UPDATE, before.payload):
            raise PairCheckFailed("the frame does not read back")
        return data, before.outputs, before.mask
    wanted = [train for train in trains if any(current_ua for _, current_ua in train.points)]
    if len(wanted) > 1:
        wanted.sort()
    try:
        update = MlUpdate(tuple([ChannelUpdate(train.channel - 1, train.points, train.period_us) for train in wanted]))
        data = encode(number, update)
    except (LocalError, TypeError) as error:
        raise PairCheckFailed(f"no frame can be made for this order: {error}") from error
    outputs = read_back(data, number, wanted)
    mask = 0
    for channel, _ in outputs:
        mask |= 1 << channel - 1
    frame = parse(data)
    if known is not None and type(frame) is Frame:
        if len(known) >= KNOWN_MAX:
            known.clear()
        known[trains] = ReadBack(frame.payload, outputs, mask)
    return data, outputs, mask


def read_back(data: bytes, number: int, wanted: list[Train]) -> Outputs:
    """What `data` says to the unit, if that is exactly `wanted` and balanced; else raises `PairCheckFailed`."""
    frame = parse(data)
    if type(frame) is not Frame or frame.packet_number != number:
        raise PairCheckFailed("the frame does not read back")
    try:
        said = decode_request(frame)
    except RemoteError as error:
        raise PairCheckFailed(f"the frame does not read back: {error}") from error
    if type(said) is not MlUpdate or len(said.channels) != len(wanted):
        raise PairCheckFailed("the frame does not name the channels of the order")
    if fault := update_fault(said):
        raise PairCheckFailed(f"the unit would refuse it: {fault}")
    outputs = []
    for (channel, points, period_us, ramp, _), train in zip(said.channels, wanted, strict=True):
        net_pc, peak_ua = 0, 0
        for duration_us, current_ua in points:
            net_pc += duration_us * current_ua
            peak_ua = max(peak_ua, current_ua, -current_ua)
        if net_pc:
            raise PairCheckFailed(f"a pulse on channel {channel + 1} leaves {net_pc} pC behind")
        if (channel + 1, points, period_us) != train or ramp:
            raise PairCheckFailed(f"channel {channel + 1} reads back as {points} each {period_us} us")
        outputs.append((channel + 1, peak_ua))
    return tuple(outputs)
