"""From an admitted order to single pulses of a P24's low level, with the pair check; and the stop frames, made before.

A train becomes one pulse and the time between two of it; the period is not on the wire, so it is checked here. Each
pulse is decoded as the unit decodes it and compared with its train once; after that only the packet number, CRC and
stuffing change, and each frame is still read back.
"""

from dataclasses import replace
from typing import NamedTuple

from controller.drivers.stimulators.events import PairCheckFailed
from controller.drivers.stimulators.p24 import P24_LIMITS
from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.frame import PACKET_NUMBERS, Frame, build, parse
from controller.wire.sciencemode.messages import LlChannelConfig, LlStop, MlStop, MlUpdate
from controller.wire.sciencemode.p24 import COMMAND, decode_request, encode
from safety.stimulus import Train

P24_LOW_LIMITS = replace(P24_LIMITS, name="P24 low level", period_us_min=10_000, overhead_us=1_000)
"""The unit's own limits, and the host's: its timer has steps of 1 ms, so each pulse is given 1 ms beside its length."""

PULSE = COMMAND[LlChannelConfig]
PULSE_ACK = PULSE + 1
SHORTEST_US = 10
"""The unit lets shorter points act as 10 us."""
CHANNELS_PER_CONNECTOR = 4

_LAST = PACKET_NUMBERS - 1
LL_STOP_KEY, ML_STOP_KEY = (COMMAND[LlStop] + 1, _LAST), (COMMAND[MlStop] + 1, _LAST)
"""(command of the answer, packet number) of the two stops; ordinary packet numbers stay below both."""
STOP = encode(_LAST, LlStop())
STOP_WHOEVER_DROVE = encode(_LAST - 1, MlUpdate()) + encode(_LAST, MlStop()) + STOP
"""The first stop of a connection: another host may have left the unit in its mid level."""


class Pulse(NamedTuple):
    """One checked pulse: `payload` makes channel `channel` (from 1) put out `amplitude_ua` once, for `length_us`."""

    channel: int
    payload: bytes
    amplitude_ua: int
    length_us: int
    period_us: int


KNOWN_MAX = 512
Pulses = tuple[Pulse, ...]
KnownPulses = dict[tuple[Train, ...], Pulses]
"""What one connection has read back already."""


def checked_pulses(trains: tuple[Train, ...], known: KnownPulses | None = None) -> Pulses:
    """A pulse for each of `trains` that carries current, in the order of the channels. Raises `PairCheckFailed`."""
    before = None if known is None else known.get(trains)
    if before is not None:
        return before
    wanted = sorted(train for train in trains if any(current_ua for _, current_ua in train.points))
    if len({train.channel for train in wanted}) != len(wanted):
        raise PairCheckFailed("a channel is named twice")
    pulses = tuple(_checked(train) for train in wanted)
    busy, whole = 0, 1
    for pulse in pulses:
        taken_us = pulse.length_us + P24_LOW_LIMITS.overhead_us
        busy, whole = busy * pulse.period_us + taken_us * whole, whole * pulse.period_us
    if busy >= whole:
        raise PairCheckFailed("the pulses of all channels do not fit into their periods")
    if known is not None:
        if len(known) >= KNOWN_MAX:
            known.clear()
        known[trains] = pulses
    return pulses


def pulse_frame(number: int, pulse: Pulse) -> bytes:
    """The frame that makes the unit put out `pulse` once. Raises `PairCheckFailed` when it does not read back."""
    data = build(number, PULSE, pulse.payload)
    if parse(data) != (number, PULSE, pulse.payload):
        raise PairCheckFailed("the frame does not read back")
    return data


def _checked(train: Train) -> Pulse:
    """`train` as a pulse whose bytes say exactly its channel and points, balanced and inside the unit's limits."""
    limits = P24_LOW_LIMITS
    channel, points, period_us = train
    if type(period_us) is not int or not limits.period_us_min <= period_us <= limits.period_us_max:
        raise PairCheckFailed(f"pulses of the low level cannot come every {period_us!r} us")
    if type(channel) is not int or not 1 <= channel <= limits.channels:
        raise PairCheckFailed(f"there is no channel {channel!r}")
    connector, place = divmod(channel - 1, CHANNELS_PER_CONNECTOR)
    try:
        frame = parse(encode(0, LlChannelConfig(place, connector, points)))
        if type(frame) is not Frame:
            raise PairCheckFailed("the frame does not read back")
        said = decode_request(frame)
    except (LocalError, RemoteError, TypeError) as error:
        raise PairCheckFailed(f"no frame can be made for this order: {error}") from error
    if said != (place, connector, points, True) or type(said) is not LlChannelConfig:
        raise PairCheckFailed(f"channel {channel} reads back as {said}")
    net_pc = peak_ua = length_us = 0
    for duration_us, current_ua in said.points:
        net_pc += duration_us * current_ua
        peak_ua = max(peak_ua, current_ua, -current_ua)
        length_us += max(duration_us, SHORTEST_US)
    if net_pc:
        raise PairCheckFailed(f"a pulse on channel {channel} leaves {net_pc} pC behind")
    if not peak_ua <= limits.amplitude_ua_max:
        raise PairCheckFailed(f"the unit would refuse it: {peak_ua} uA is above {limits.amplitude_ua_max} uA")
    return Pulse(channel, frame.payload, peak_ua, length_us, period_us)
