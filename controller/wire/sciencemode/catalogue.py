"""What the catalogues of both units are made of: a table that reads and writes, and the rows that are the same in both.

A `Catalogue` has both roles: `encode` makes the frame of any message, `decode_request` reads one as the unit does and
`decode_answer` as the host does. Sources: `messages` and `pulses` in this package.
"""

import struct
from collections.abc import Callable
from typing import Any

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.frame import Frame, build
from controller.wire.sciencemode.messages import (
    GENERAL_ERROR,
    UNKNOWN_COMMAND,
    Ack,
    BatteryStatus,
    DeviceId,
    ExtendedVersion,
    GetBatteryStatus,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    LlChannelConfig,
    LlInit,
    LlStop,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    Reset,
    StimStatus,
    VersionMain,
)
from controller.wire.sciencemode.pulses import decode_points, encode_points

IDENTITY_BYTES = 10

Message = Any
"""Any of the classes in `messages`."""
Encoder = Callable[[Any], bytes]
Decoder = Callable[[bytes], Any]
RequestRow = tuple[type, Encoder, Decoder]
"""A request, how its payload is written, how it is read."""
AnswerRow = tuple[int, type, Encoder, Decoder]
"""The same of an answer, with its number."""

COMMAND: dict[type, int] = {
    LlInit: 0,
    LlChannelConfig: 2,
    LlStop: 4,
    MlInit: 30,
    MlUpdate: 32,
    MlStop: 34,
    MlGetCurrentData: 36,
    GetVersionMain: 50,
    GetDeviceId: 52,
    GetBatteryStatus: 54,
    Reset: 58,
    GetStimStatus: 62,
    GetExtendedVersion: 68,
}
"""The command number of each request; its answer has the next number."""
ACKS = frozenset({1, 5, 31, 33, 35, 59, GENERAL_ERROR, UNKNOWN_COMMAND})
"""Answers that carry a result and nothing else."""

_BATTERY = struct.Struct(">BBH")
_EXTENDED = struct.Struct(">B3B3BIBB")


class Catalogue:
    """The messages of one unit, both roles. `unknown`: what a host may ask to learn that another unit is there."""

    def __init__(
        self, requests: tuple[RequestRow, ...], answers: tuple[AnswerRow, ...], unknown: tuple[RequestRow, ...] = ()
    ) -> None:
        self._writers: dict[type, tuple[int, Encoder]] = {
            **{kind: (COMMAND[kind], writer) for kind, writer, _ in (*requests, *unknown)},
            **{kind: (command, writer) for command, kind, writer, _ in answers},
        }
        self._request_readers = {COMMAND[kind]: reader for kind, _, reader in requests}
        self._answer_readers = {command: reader for command, _, _, reader in answers}

    def encode(self, packet_number: int, message: Message) -> bytes:
        """The frame of any message, of either role. Raises `LocalError` for what must never be on the wire."""
        if type(message) is Ack:
            if message.command not in ACKS:
                raise LocalError(f"no such answer: {message}")
            return build(packet_number, message.command, packed(message.result))
        entry = self._writers.get(type(message))
        if entry is None:
            raise LocalError(f"not a message of this unit: {message!r}")
        try:
            return build(packet_number, entry[0], entry[1](message))
        except (struct.error, TypeError) as error:
            raise LocalError(f"{message!r} does not fit its frame: {error}") from error

    def decode_request(self, frame: Frame) -> Message:
        """The request in `frame`, read as the unit reads it. Raises `RemoteError`; `KeyError` never leaves here."""
        reader = self._request_readers.get(frame.command)
        if reader is None:
            raise RemoteError(f"unknown request {frame.command}")
        return reader(frame.payload)

    def decode_answer(self, frame: Frame) -> Message:
        """The answer in `frame`, read as the host reads it. Raises `RemoteError`."""
        command, payload = frame.command, frame.payload
        if command in ACKS:
            if len(payload) != 1:
                raise RemoteError(f"answer {command} with {len(payload)} bytes instead of 1")
            return Ack(command, payload[0])
        reader = self._answer_readers.get(command)
        if reader is None:
            raise RemoteError(f"unknown answer {command}")
        return reader(payload)

    def is_request(self, command: int) -> bool:
        """True for a command number that a host may send."""
        return command in self._request_readers


def packed(*values: int) -> bytes:
    """One byte each. Raises `LocalError` where a value does not fit."""
    if not all(0 <= value <= 0xFF for value in values):
        raise LocalError(f"{values} do not all fit a byte")
    return bytes(values)


def sized(data: bytes, *sizes: int) -> bytes:
    """`data`, when it has one of these sizes. Raises `RemoteError`."""
    if len(data) not in sizes:
        raise RemoteError(f"{len(data)} bytes of payload where {sizes} belong")
    return data


def _three(data: bytes, at: int) -> tuple[int, int, int]:
    """A version of three bytes; zeros where it is missing."""
    return (data[at], data[at + 1], data[at + 2]) if at + 3 <= len(data) else (0, 0, 0)


def nothing(message: object) -> bytes:
    """The payload of a message that is only its name."""
    return b""


def exactly(kind: Callable[[], Any]) -> Decoder:
    """Read a message that is only its name."""
    return lambda data: kind() if not sized(data, 0) else None


def encode_ll_channel(message: LlChannelConfig) -> bytes:
    """Payload of one pulse of the low level."""
    if not (0 <= message.channel <= 3 and 0 <= message.connector <= 1):
        raise LocalError(f"there is no channel {message.channel} on connector {message.connector}")
    place = message.channel << 5 | message.connector << 4
    if not (message.execute or message.points):
        return packed(place)
    words = encode_points(message.points)
    return packed(bool(message.execute) << 7 | place | len(message.points) - 1) + words


def decode_ll_channel(data: bytes) -> LlChannelConfig:
    """One pulse of the low level as the unit reads it."""
    if not data:
        raise RemoteError("an empty channel configuration")
    # Where nothing is executed the vendor's library leaves the points out; other clients send them all the same.
    count = 0 if len(data) == 1 and not data[0] & 0x80 else (data[0] & 0xF) + 1
    sized(data, 1 + 4 * count)
    points = decode_points(data, 1, count)
    return LlChannelConfig(data[0] >> 5 & 3, data[0] >> 4 & 1, points, bool(data[0] & 0x80))


def _encode_version(message: VersionMain) -> bytes:
    return packed(message.result, *message.firmware, *message.protocol)


def _decode_version(data: bytes) -> VersionMain:
    sized(data, 1, 7)
    return VersionMain(data[0], _three(data, 1), _three(data, 4))


def _encode_identity(message: DeviceId) -> bytes:
    if not (message.identity.isascii() and len(message.identity) <= IDENTITY_BYTES):
        raise LocalError(f"an identity has at most {IDENTITY_BYTES} ASCII characters, not {message.identity!r}")
    return packed(message.result) + message.identity.encode("ascii").ljust(IDENTITY_BYTES)


def _decode_identity(data: bytes) -> DeviceId:
    sized(data, 1, 1 + IDENTITY_BYTES)
    text = data[1:].rstrip(b"\0 ")
    if not (text.isascii() and text.decode("ascii").isprintable()):
        raise RemoteError("an identity that is not printable ASCII")
    return DeviceId(data[0], text.decode("ascii"))


def _encode_extended(message: ExtendedVersion) -> bytes:
    hashed = (message.hash_value, message.hash_kind, bool(message.hash_valid))
    return _EXTENDED.pack(message.result, *message.firmware, *message.protocol, *hashed)


def _decode_extended(data: bytes) -> ExtendedVersion:
    sized(data, 1, _EXTENDED.size)
    if len(data) == 1:
        return ExtendedVersion(data[0])
    *_, hash_value, hash_kind, valid = _EXTENDED.unpack(data)
    return ExtendedVersion(data[0], _three(data, 1), _three(data, 4), hash_value, hash_kind, bool(valid))


def _decode_battery(data: bytes) -> BatteryStatus:
    return BatteryStatus(data[0]) if len(sized(data, 1, 4)) == 1 else BatteryStatus(*_BATTERY.unpack(data))


COMMON_REQUESTS: tuple[RequestRow, ...] = (
    (LlStop, nothing, exactly(LlStop)),
    (MlStop, nothing, exactly(MlStop)),
    (MlGetCurrentData, lambda m: packed(m.selection), lambda d: MlGetCurrentData(*sized(d, 1))),
    (GetVersionMain, nothing, exactly(GetVersionMain)),
    (GetDeviceId, nothing, exactly(GetDeviceId)),
    (GetBatteryStatus, nothing, exactly(GetBatteryStatus)),
    (Reset, nothing, exactly(Reset)),
    (GetStimStatus, nothing, exactly(GetStimStatus)),
)
ASK_EXTENDED_VERSION: RequestRow = (GetExtendedVersion, nothing, exactly(GetExtendedVersion))
"""Only a P24 knows this question."""
COMMON_ANSWERS: tuple[AnswerRow, ...] = (
    (51, VersionMain, _encode_version, _decode_version),
    (53, DeviceId, _encode_identity, _decode_identity),
    (55, BatteryStatus, lambda m: _BATTERY.pack(*m), _decode_battery),
    (63, StimStatus, lambda m: packed(*m), lambda d: StimStatus(*sized(d, 1, 3))),
    (69, ExtendedVersion, _encode_extended, _decode_extended),
)
