"""From an admitted order to the bytes of an update, with the pair check; and the frames that are made beforehand."""

from typing import NamedTuple

from controller.drivers.stimulators.events import PairCheckFailed
from controller.drivers.stimulators.sciencemode_profile import Profile
from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.catalogue import COMMAND
from controller.wire.sciencemode.frame import PACKET_NUMBERS, Frame, build, parse
from controller.wire.sciencemode.messages import ChannelUpdate, LlStop, MlStop, MlUpdate
from controller.wire.sciencemode.pulses import encode_update
from safety.stimulus import Train

Outputs = tuple[tuple[int, int], ...]
"""(channel from 1, uA) of each channel that an update switches on; empty for all off."""

UPDATE, STOP = COMMAND[MlUpdate], COMMAND[MlStop]


class StopFrames(NamedTuple):
    """The stop, made beforehand. Ordinary packet numbers stay below `first_number`; answers carry the two keys."""

    data: bytes
    off_key: tuple[int, int]
    stop_key: tuple[int, int]
    first_number: int
    low: bytes
    low_key: tuple[int, int]
    """Leaves the low level, in which an earlier host may have left the unit: said after the stop, at a start alone."""


def _stop_frames() -> StopFrames:
    off, stop = PACKET_NUMBERS - 2, PACKET_NUMBERS - 1
    data = build(off, UPDATE, _ALL_OFF) + build(stop, STOP, b"")
    low = COMMAND[LlStop]
    return StopFrames(data, (UPDATE + 1, off), (STOP + 1, stop), off, build(off, low, b""), (low + 1, off))


_ALL_OFF = encode_update(MlUpdate())
STOP_FRAMES = _stop_frames()
"""The same bytes for every ScienceMode unit, so that the first stop needs no knowledge of who is there."""
ALL_OFF = tuple(build(number, UPDATE, _ALL_OFF) for number in range(PACKET_NUMBERS))
"""The all-off update for each packet number."""


class ReadBack(NamedTuple):
    """The payload of an update that has been decoded and compared with its trains, and what it switches on."""

    payload: bytes
    outputs: Outputs
    mask: int


KNOWN_MAX = 512
Known = dict[tuple[Train, ...], ReadBack]
"""What one connection has read back already."""


def checked_update(number: int, trains: tuple[Train, ...], known: Known, unit: Profile) -> tuple[bytes, Outputs, int]:
    """Frame, outputs and channel mask for `trains` (those without current are left out, which is off).

    The frame has been read back as the unit reads it and says exactly what `trains` say. Raises `PairCheckFailed`.
    """
    before = known.get(trains)
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
        data = unit.catalogue.encode(number, update)
    except (LocalError, TypeError) as error:
        raise PairCheckFailed(f"no frame can be made for this order: {error}") from error
    outputs = read_back(data, number, wanted, unit)
    mask = 0
    for channel, _ in outputs:
        mask |= 1 << channel - 1
    frame = parse(data)
    if type(frame) is Frame:
        if len(known) >= KNOWN_MAX:
            known.clear()
        known[trains] = ReadBack(frame.payload, outputs, mask)
    return data, outputs, mask


def read_back(data: bytes, number: int, wanted: list[Train], unit: Profile) -> Outputs:
    """What `data` says to `unit`, if that is exactly `wanted` and balanced; else raises `PairCheckFailed`."""
    frame = parse(data)
    if type(frame) is not Frame or frame.packet_number != number:
        raise PairCheckFailed("the frame does not read back")
    try:
        said = unit.catalogue.decode_request(frame)
    except RemoteError as error:
        raise PairCheckFailed(f"the frame does not read back: {error}") from error
    if type(said) is not MlUpdate or said.soft_start or len(said.channels) != len(wanted):
        raise PairCheckFailed("the frame does not name the channels of the order")
    if fault := unit.refusal(said):
        raise PairCheckFailed(f"the unit would refuse it: {fault}")
    outputs = []
    for (channel, points, period_us, ramp, _), train in zip(said.channels, wanted, strict=True):
        net_pc, peak_ua = 0, 0
        for duration_us, current_ua in points:
            net_pc += duration_us * current_ua
            peak_ua = max(peak_ua, current_ua, -current_ua)
        if not peak_ua <= unit.limits.amplitude_ua_max:
            raise PairCheckFailed(f"{peak_ua} uA on channel {channel + 1} is above {unit.limits.amplitude_ua_max} uA")
        if net_pc:
            raise PairCheckFailed(f"a pulse on channel {channel + 1} leaves {net_pc} pC behind")
        if (channel + 1, points, period_us) != train or ramp:
            raise PairCheckFailed(f"channel {channel + 1} reads back as {points} each {period_us} us")
        outputs.append((channel + 1, peak_ua))
    return tuple(outputs)
