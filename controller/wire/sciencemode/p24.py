"""The messages of a P24 (ScienceMode 4) as one table, both roles: the same rows encode and decode for host and unit.

`encode(packet_number, message)` makes a whole frame; `decode_request` reads one as the unit does, `decode_answer` as
the host does. Sources: `messages` and `pulses` in this package; what is uncertain stands in docs/devices/p24.md.
"""

import struct
from collections.abc import Callable
from typing import Any

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.frame import Frame, build
from controller.wire.sciencemode.messages import (
    CHANNELS,
    Ack,
    BatteryStatus,
    ChannelReport,
    DeviceId,
    ExtendedVersion,
    GetBatteryStatus,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    LlStop,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    Reset,
    RunReport,
    StimStatus,
    VersionMain,
)
from controller.wire.sciencemode.pulses import decode_points, decode_update, encode_points, encode_update

IDENTITY_BYTES = 10
SAMPLES = 128

Message = Any
"""Any of the classes in `messages`."""
_Encoder = Callable[[Any], bytes]
_Decoder = Callable[[bytes], Any]

_BATTERY = struct.Struct(">BBH")
_EXTENDED = struct.Struct(">B3B3BIBB")
_MEASURED = struct.Struct(f">H{SAMPLES}H")


def _bytes(*values: int) -> bytes:
    if not all(0 <= value <= 0xFF for value in values):
        raise LocalError(f"{values} do not all fit a byte")
    return bytes(values)


def _sized(data: bytes, *sizes: int) -> bytes:
    if len(data) not in sizes:
        raise RemoteError(f"{len(data)} bytes of payload where {sizes} belong")
    return data


def _encode_ll_init(message: LlInit) -> bytes:
    return _bytes(message.measurement << 4 | message.high_voltage << 1)


def _decode_ll_init(data: bytes) -> LlInit:
    (byte,) = _sized(data, 1)
    return LlInit(byte >> 4 & 7, byte >> 1 & 7)


def _encode_ll_channel(message: LlChannelConfig) -> bytes:
    words = encode_points(message.points)
    place = message.channel << 5 | message.connector << 4
    return _bytes(bool(message.execute) << 7 | place | len(message.points) - 1) + words


def _decode_ll_channel(data: bytes) -> LlChannelConfig:
    if not data:
        raise RemoteError("an empty channel configuration")
    count = (data[0] & 0xF) + 1
    _sized(data, 1 + 4 * count)
    points = decode_points(data, 1, count)
    return LlChannelConfig(data[0] >> 5 & 3, data[0] >> 4 & 1, points, bool(data[0] & 0x80))


def _encode_ll_channel_ack(message: LlChannelConfigAck) -> bytes:
    head = _bytes(message.result, message.connector << 4 | message.channel, message.measurement)
    return head + _MEASURED.pack(message.sampling_us, *message.samples) if message.measurement else head


def _decode_ll_channel_ack(data: bytes) -> LlChannelConfigAck:
    _sized(data, 3, 3 + _MEASURED.size)
    place = (data[0], data[1] >> 4, data[1] & 0xF, data[2])
    if len(data) == 3:
        return LlChannelConfigAck(*place)
    sampling_us, *samples = _MEASURED.unpack_from(data, 3)
    return LlChannelConfigAck(*place, sampling_us, tuple(samples))


def _encode_report(message: ChannelReport | RunReport) -> bytes:
    if isinstance(message, RunReport):
        run = bool(message.running) << 4
        low, high = message.electrode_faults & 0xF, message.electrode_faults >> 4
        more = (run | low,) if message.selection == 2 else (run | low, run | high)
        return _bytes(message.result, message.selection, *more)
    nibbles = (message.errors[odd] << 4 | message.errors[odd - 1] for odd in range(1, CHANNELS, 2))
    return _bytes(message.result, 4, message.active, *nibbles)


def _decode_report(data: bytes) -> ChannelReport | RunReport:
    selection = data[1] if len(data) > 1 else 0
    if selection == 4:
        _sized(data, 3 + CHANNELS // 2)
        errors = tuple(byte >> shift & 0xF for byte in data[3:] for shift in (0, 4))
        return ChannelReport(data[0], data[2], errors)
    if selection == 2:
        _sized(data, 3)
        return RunReport(data[0], 2, bool(data[2] >> 4), data[2] & 0xF)
    if selection == 3:
        _sized(data, 4)
        return RunReport(data[0], 3, bool(data[2] >> 4), (data[3] & 0xF) << 4 | data[2] & 0xF)
    # A unit that refuses the question has nothing to report but the result.
    return ChannelReport(*_sized(data, 1))


def _decode_current_data(data: bytes) -> MlGetCurrentData:
    return MlGetCurrentData(*_sized(data, 1))


def _encode_version(message: VersionMain) -> bytes:
    return _bytes(message.result, *message.firmware, *message.protocol)


def _decode_version(data: bytes) -> VersionMain:
    _sized(data, 1, 7)
    return VersionMain(data[0], _three(data, 1), _three(data, 4))


def _encode_identity(message: DeviceId) -> bytes:
    if not (message.identity.isascii() and len(message.identity) <= IDENTITY_BYTES):
        raise LocalError(f"an identity has at most {IDENTITY_BYTES} ASCII characters, not {message.identity!r}")
    return _bytes(message.result) + message.identity.encode("ascii").ljust(IDENTITY_BYTES)


def _decode_identity(data: bytes) -> DeviceId:
    _sized(data, 1, 1 + IDENTITY_BYTES)
    text = data[1:].rstrip(b"\0 ")
    if not (text.isascii() and text.decode("ascii").isprintable()):
        raise RemoteError("an identity that is not printable ASCII")
    return DeviceId(data[0], text.decode("ascii"))


def _encode_extended(message: ExtendedVersion) -> bytes:
    hashed = (message.hash_value, message.hash_kind, bool(message.hash_valid))
    return _EXTENDED.pack(message.result, *message.firmware, *message.protocol, *hashed)


def _decode_extended(data: bytes) -> ExtendedVersion:
    _sized(data, 1, _EXTENDED.size)
    if len(data) == 1:
        return ExtendedVersion(data[0])
    *_, hash_value, hash_kind, valid = _EXTENDED.unpack(data)
    return ExtendedVersion(data[0], _three(data, 1), _three(data, 4), hash_value, hash_kind, bool(valid))


def _decode_battery(data: bytes) -> BatteryStatus:
    return BatteryStatus(data[0]) if len(_sized(data, 1, 4)) == 1 else BatteryStatus(*_BATTERY.unpack(data))


def _three(data: bytes, at: int) -> tuple[int, int, int]:
    return (data[at], data[at + 1], data[at + 2]) if at + 3 <= len(data) else (0, 0, 0)


def _nothing(message: object) -> bytes:
    return b""


def _exactly(kind: Callable[[], Any]) -> _Decoder:
    return lambda data: kind() if not _sized(data, 0) else None


# command, class, how its payload is written, how it is read
_REQUESTS: tuple[tuple[int, type, _Encoder, _Decoder], ...] = (
    (0, LlInit, _encode_ll_init, _decode_ll_init),
    (2, LlChannelConfig, _encode_ll_channel, _decode_ll_channel),
    (4, LlStop, _nothing, _exactly(LlStop)),
    (30, MlInit, lambda m: _bytes(bool(m.stop_on_all_errors)), lambda d: MlInit(bool(_sized(d, 1)[0] & 1))),
    (32, MlUpdate, encode_update, decode_update),
    (34, MlStop, _nothing, _exactly(MlStop)),
    (36, MlGetCurrentData, lambda m: _bytes(m.selection), _decode_current_data),
    (50, GetVersionMain, _nothing, _exactly(GetVersionMain)),
    (52, GetDeviceId, _nothing, _exactly(GetDeviceId)),
    (54, GetBatteryStatus, _nothing, _exactly(GetBatteryStatus)),
    (58, Reset, _nothing, _exactly(Reset)),
    (62, GetStimStatus, _nothing, _exactly(GetStimStatus)),
    (68, GetExtendedVersion, _nothing, _exactly(GetExtendedVersion)),
)
_ANSWERS: tuple[tuple[int, type, _Encoder, _Decoder], ...] = (
    (3, LlChannelConfigAck, _encode_ll_channel_ack, _decode_ll_channel_ack),
    (37, ChannelReport, _encode_report, _decode_report),
    (37, RunReport, _encode_report, _decode_report),
    (51, VersionMain, _encode_version, _decode_version),
    (53, DeviceId, _encode_identity, _decode_identity),
    (55, BatteryStatus, lambda m: _BATTERY.pack(*m), _decode_battery),
    (63, StimStatus, lambda m: _bytes(*m), lambda d: StimStatus(*_sized(d, 1, 3))),
    (69, ExtendedVersion, _encode_extended, _decode_extended),
)
GENERAL_ERROR, UNKNOWN_COMMAND = 66, 67
ACKS = frozenset({1, 5, 31, 33, 35, 59, GENERAL_ERROR, UNKNOWN_COMMAND})
"""Answers that carry a result and nothing else."""

COMMAND = {kind: command for command, kind, _, _ in _REQUESTS}
"""The command number of each request; its answer has the next number."""
_WRITERS = {kind: (command, writer) for command, kind, writer, _ in (*_REQUESTS, *_ANSWERS)}
_REQUEST_READERS = {command: reader for command, _, _, reader in _REQUESTS}
_ANSWER_READERS = {command: reader for command, _, _, reader in _ANSWERS}


def encode(packet_number: int, message: Message) -> bytes:
    """The frame of any message, of either role. Raises `LocalError` for what must never be on the wire."""
    if type(message) is Ack:
        if message.command not in ACKS:
            raise LocalError(f"no such answer: {message}")
        return build(packet_number, message.command, _bytes(message.result))
    entry = _WRITERS.get(type(message))
    if entry is None:
        raise LocalError(f"not a message of this unit: {message!r}")
    try:
        return build(packet_number, entry[0], entry[1](message))
    except (struct.error, TypeError) as error:
        raise LocalError(f"{message!r} does not fit its frame: {error}") from error


def decode_request(frame: Frame) -> Message:
    """The request in `frame`, read as the unit reads it. Raises `RemoteError`; `KeyError` never leaves here."""
    reader = _REQUEST_READERS.get(frame.command)
    if reader is None:
        raise RemoteError(f"unknown request {frame.command}")
    return reader(frame.payload)


def decode_answer(frame: Frame) -> Message:
    """The answer in `frame`, read as the host reads it. Raises `RemoteError`."""
    command, payload = frame.command, frame.payload
    if command in ACKS:
        if len(payload) != 1:
            raise RemoteError(f"answer {command} with {len(payload)} bytes instead of 1")
        return Ack(command, payload[0])
    reader = _ANSWER_READERS.get(command)
    if reader is None:
        raise RemoteError(f"unknown answer {command}")
    return reader(payload)


def is_request(command: int) -> bool:
    """True for a command number that a host may send."""
    return command in _REQUEST_READERS
