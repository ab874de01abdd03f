"""The messages of a RehaStim2 (ScienceMode 2) as one table, both roles: the same rows encode and decode for both ends.

`encode(packet_number, message)` makes a whole frame; `decode_request` reads one as the unit does, `decode_answer` as
the host does. Reading is permissive about values (the unit has its own rules for them), writing is strict: what a unit
must never be told is refused with `LocalError`, never rounded. Sources: `frame` and `messages` in this package.
"""

import struct
from collections.abc import Callable
from typing import Any

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode2.frame import Frame, Framer, build
from controller.wire.sciencemode2.frame import mislengthed as mislengthed
from controller.wire.sciencemode2.frame import renumbered as renumbered
from controller.wire.sciencemode2.messages import (
    CHANNELS,
    Ack,
    GetStimulationMode,
    Init,
    InitAck,
    InitChannelListMode,
    ListPulse,
    Motomed,
    SimulatedName,
    SinglePulse,
    StartChannelListMode,
    StimulationError,
    StimulationMode,
    StopChannelListMode,
    UnknownCommand,
    Watchdog,
    WhoAreYou,
)

WIDTH_US_MIN, WIDTH_US_MAX = 20, 500
"""Shorter pulses fit the field, but the unit makes them 20 us."""
CURRENT_STEP_UA = 1_000
CURRENT_UA_MAX = 130_000
INTERVAL_STEP_US, INTERVAL_ZERO_US, INTERVAL_UNITS_MAX = 500, 1_000, 2_048
INTERVAL_US_MIN = 8_000
"""Shorter ones fit the field, but the unit's current software does not make them; so for doublets and triplets."""
INTER_PULSE_ZERO_US = 1_500
FACTOR_MAX = 7
PULSES_MODE_MAX = 2
NAME_BYTES_MAX = 40

WHO_ARE_YOU, SIMULATED_NAME = 200, 201
"""Not in any document of ScienceMode 2, 3 or 4."""
ACKS = frozenset({31, 33, 35, 37})
"""Answers that carry a result and nothing else."""
MOTOMED = frozenset({12, 13, 60, 89, 90, *range(50, 59), *range(70, 78), *range(80, 88)})
"""Commands of a MOTOmed trainer, both directions: read as `Motomed`, whatever they carry."""

Message = Any
"""Any of the classes in `messages`."""
_Encoder = Callable[[Any], bytes]
_Decoder = Callable[[bytes], Any]

_LIST = struct.Struct(">4BHB")
_PULSE = struct.Struct(">BHB")
_SIGNED = struct.Struct(">b")


def _sized(data: bytes, *sizes: int) -> bytes:
    if len(data) not in sizes:
        raise RemoteError(f"{len(data)} bytes of data where {sizes} belong")
    return data


def _whole(name: str, value: object, least: int, most: int, step: int = 1) -> int:
    """`value` as it is, if it is an int on the grid; `type is int` keeps out bool, NaN and floats."""
    if type(value) is not int or not least <= value <= most or value % step:
        raise LocalError(f"{name} is {least} to {most} in whole steps of {step}, not {value!r}")
    return value


def _encode_pulse(pulse: ListPulse | SinglePulse, first_max: int) -> bytes:
    first, width_us, current_ua = pulse
    _whole("a channel or pulse mode", first, 0, first_max)
    _whole("a pulse width in us", width_us, WIDTH_US_MIN, WIDTH_US_MAX)
    _whole("a current in uA", current_ua, 0, CURRENT_UA_MAX, CURRENT_STEP_UA)
    return _PULSE.pack(first, width_us, current_ua // CURRENT_STEP_UA)


def _encode_list(message: InitChannelListMode) -> bytes:
    longest_us = INTERVAL_ZERO_US + INTERVAL_STEP_US * INTERVAL_UNITS_MAX
    interval_us = message.interval_us
    if type(interval_us) is int and interval_us == 0:
        units = 0
    else:
        _whole("an interval in us", interval_us, INTERVAL_US_MIN, longest_us, INTERVAL_STEP_US)
        units = (interval_us - INTERVAL_ZERO_US) // INTERVAL_STEP_US
    _whole("an inter-pulse time in us", message.inter_pulse_us, INTER_PULSE_ZERO_US, 129_000, INTERVAL_STEP_US)
    return _LIST.pack(
        _whole("a low-frequency factor", message.low_frequency_factor, 0, FACTOR_MAX),
        _whole("a channel mask", message.channels, 1, 0xFF),
        _whole("a low-frequency mask", message.low_frequency_mask, 0, 0xFF),
        (message.inter_pulse_us - INTER_PULSE_ZERO_US) // INTERVAL_STEP_US,
        units,
        _whole("the execution", message.execution, 0, 1),
    )


def _decode_list(data: bytes) -> InitChannelListMode:
    factor, mask, low_mask, inter, units, execution = _LIST.unpack(_sized(data, _LIST.size))
    interval_us = INTERVAL_ZERO_US + INTERVAL_STEP_US * units if units else 0
    inter_us = INTER_PULSE_ZERO_US + INTERVAL_STEP_US * inter
    return InitChannelListMode(mask, interval_us, inter_us, factor, low_mask, execution)


def _encode_start(message: StartChannelListMode) -> bytes:
    if not 1 <= len(message.pulses) <= CHANNELS:
        raise LocalError(f"a list has 1 to {CHANNELS} channels, not {len(message.pulses)}")
    return b"".join(_encode_pulse(pulse, PULSES_MODE_MAX) for pulse in message.pulses)


def _decode_start(data: bytes) -> StartChannelListMode:
    if not data or len(data) % _PULSE.size:
        raise RemoteError(f"{len(data)} bytes are no whole number of pulses")
    pulses = tuple(ListPulse(mode, width, ma * CURRENT_STEP_UA) for mode, width, ma in _PULSE.iter_unpack(data))
    return StartChannelListMode(pulses)


def _decode_single(data: bytes) -> SinglePulse:
    channel, width_us, current_ma = _PULSE.unpack(_sized(data, _PULSE.size))
    return SinglePulse(channel, width_us, current_ma * CURRENT_STEP_UA)


def _encode_mode(message: StimulationMode) -> bytes:
    return _SIGNED.pack(message.result) + (b"" if message.result else bytes((message.mode,)))


def _decode_mode(data: bytes) -> StimulationMode:
    (result,) = _SIGNED.unpack(_sized(data, 1, 2)[:1])
    if not result and len(data) == 1:
        raise RemoteError("an answer without the mode")
    return StimulationMode(result, data[1] if len(data) > 1 else 0)


def _encode_name(message: SimulatedName) -> bytes:
    name = message.name
    if not (name.isascii() and name.isprintable() and name.startswith("SIM") and len(name) <= NAME_BYTES_MAX):
        raise LocalError(
            f"a simulated unit's name begins with SIM and has at most {NAME_BYTES_MAX} characters: {name!r}"
        )
    return name.encode("ascii")


def _decode_name(data: bytes) -> SimulatedName:
    if not (data.startswith(b"SIM") and data.isascii() and data.decode("ascii").isprintable()):
        raise RemoteError("a name that is not printable ASCII, or does not begin with SIM")
    return SimulatedName(data.decode("ascii"))


def _nothing(message: object) -> bytes:
    return b""


def _exactly(kind: Callable[[], Any]) -> _Decoder:
    return lambda data: kind() if not _sized(data, 0) else None


def _signed(kind: Callable[[int], Any]) -> _Decoder:
    return lambda data: kind(_SIGNED.unpack(_sized(data, 1))[0])


# command, class, how its data are written, how they are read
_REQUESTS: tuple[tuple[int, type, _Encoder, _Decoder], ...] = (
    (2, InitAck, lambda m: _SIGNED.pack(m.result), _signed(InitAck)),
    (4, Watchdog, _nothing, _exactly(Watchdog)),
    (10, GetStimulationMode, _nothing, _exactly(GetStimulationMode)),
    (30, InitChannelListMode, _encode_list, _decode_list),
    (32, StartChannelListMode, _encode_start, _decode_start),
    (34, StopChannelListMode, _nothing, _exactly(StopChannelListMode)),
    (36, SinglePulse, lambda m: _encode_pulse(m, CHANNELS - 1), _decode_single),
    (WHO_ARE_YOU, WhoAreYou, _nothing, _exactly(WhoAreYou)),
)
_ANSWERS: tuple[tuple[int, type, _Encoder, _Decoder], ...] = (
    (1, Init, lambda m: bytes((m.version,)), lambda d: Init(_sized(d, 1)[0])),
    (3, UnknownCommand, lambda m: bytes((m.command,)), lambda d: UnknownCommand(_sized(d, 1)[0])),
    (11, StimulationMode, _encode_mode, _decode_mode),
    (38, StimulationError, lambda m: _SIGNED.pack(m.fault), _signed(StimulationError)),
    (SIMULATED_NAME, SimulatedName, _encode_name, _decode_name),
)

COMMAND = {kind: command for command, kind, _, _ in _REQUESTS}
"""The command number of each request; its answer has the next number."""
_WRITERS = {kind: (command, writer) for command, kind, writer, _ in (*_REQUESTS, *_ANSWERS)}
_REQUEST_READERS = {command: reader for command, _, _, reader in _REQUESTS}
_ANSWER_READERS = {command: reader for command, _, _, reader in _ANSWERS}


def encode(packet_number: int, message: Message) -> bytes:
    """The frame of any message, of either role. Raises `LocalError` for what must never be on the wire."""
    if type(message) is Motomed and message.command in MOTOMED:
        return build(packet_number, message.command, message.payload)
    try:
        if type(message) is Ack and message.command in ACKS:
            return build(packet_number, message.command, _SIGNED.pack(message.result))
        entry = _WRITERS.get(type(message))
        if entry is None:
            raise LocalError(f"not a message of this unit: {message!r}")
        return build(packet_number, entry[0], entry[1](message))
    except (struct.error, TypeError) as error:
        raise LocalError(f"{message!r} does not fit its frame: {error}") from error
    except ValueError as error:
        raise error if isinstance(error, LocalError) else LocalError(f"{message!r} does not fit: {error}") from error


def decode_request(frame: Frame) -> Message:
    """The request in `frame`, read as the unit reads it. Raises `RemoteError`."""
    reader = _REQUEST_READERS.get(frame.command)
    if reader is not None:
        return reader(frame.payload)
    if frame.command in MOTOMED:
        return Motomed(frame.command, frame.payload)
    raise RemoteError(f"unknown request {frame.command}")


def decode_answer(frame: Frame) -> Message:
    """The answer in `frame`, read as the host reads it. Raises `RemoteError`."""
    command, payload = frame.command, frame.payload
    if command in ACKS:
        return Ack(command, _SIGNED.unpack(_sized(payload, 1))[0])
    reader = _ANSWER_READERS.get(command)
    if reader is not None:
        return reader(payload)
    if command in MOTOMED:
        return Motomed(command, payload)
    raise RemoteError(f"unknown answer {command}")


def resembles(data: bytes) -> bool:
    """Do these bytes hold a whole, undamaged message that a RehaStim2 sends to its host?"""
    for frame in Framer().feed(data):
        if type(frame) is not Frame or frame.command in MOTOMED:
            continue
        try:
            decode_answer(frame)
        except RemoteError:
            continue
        return True
    return False
