"""WitMotion motion sensors (WT901, BWT901, HWT905, JY901 and kin), both roles: frames of 11 bytes, and notifications.

    55 | type | 8 data bytes, mostly 4 x int16 little endian | sum of the first ten bytes, low byte

A sensor sends the types that it has been told to, in rising order, once a cycle; acceleration, rate and angles make a
measurement. The Bluetooth LE models send 20 bytes instead, `55 61` and nine int16, without any checksum. There is no
number of a frame and no length field, so there is nothing to misnumber or mislength. Source: the maker's data sheets
of WT901, WT901BLECL and HWT905-TTL (v20-0605 to v20-0707), sections on output data.
"""

import struct
from typing import NamedTuple

from controller.wire.errors import LocalError, RemoteError
from controller.wire.fixed import FixedFramer, Stray, mostly_frames

Vector = tuple[float, float, float]

FRAME_BYTES = 11
NOTIFICATION_BYTES = 20
TIME, ACCELERATION, RATE, ANGLES, QUATERNION = 0x50, 0x51, 0x52, 0x53, 0x59

START = 0x55
_NOTIFICATION = 0x61
_TYPES = frozenset((*range(0x50, 0x5B), 0x5F))  # the rest: magnetometer, ports, pressure, GPS, answers about registers
_ACC_G, _GYRO_DPS, _ANGLE_DEG, _PART = 16 / 32768, 2000 / 32768, 180 / 32768, 1 / 32768  # per count, exact in binary
_HUNDREDTHS = 100

_COUNTS = struct.Struct("<xx4hx").unpack_from
_PACK_COUNTS = struct.Struct("<BB4h").pack
_TIME_FIELDS = struct.Struct("<xx6BHx").unpack_from
_PACK_TIME = struct.Struct("<BB6BH").pack
_NINE = struct.Struct("<BB9h")


class Clock(NamedTuple):
    """The device's date and time as it sends them (type 50): `year` since 2000. Any value may come."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    ms: int


class Acceleration(NamedTuple):
    """Specific force in g, sensor axes (type 51)."""

    acc_g: Vector
    temperature_c: float = 25.0


class Rate(NamedTuple):
    """Angular rate in deg/s, sensor axes (type 52). `fourth`: temperature or voltage, differing between models."""

    gyro_dps: Vector
    fourth: int = 0


class Angles(NamedTuple):
    """Turns about x, y and z in degrees (type 53); they are applied in the order z, y, x."""

    roll_deg: float
    pitch_deg: float
    yaw_deg: float
    version: int = 0


class Orientation(NamedTuple):
    """The orientation as a quaternion w, x, y, z (type 59)."""

    quaternion: tuple[float, float, float, float]


class NotNeeded(NamedTuple):
    """A good frame of a type that this program has no use for."""

    type: int


class Notification(NamedTuple):
    """What a Bluetooth LE model sends at once: g, deg/s, and roll, pitch and yaw in degrees."""

    acc_g: Vector
    gyro_dps: Vector
    angles_deg: Vector


BadFrame = Stray
Message = Clock | Acceleration | Rate | Angles | Orientation | NotNeeded | BadFrame
Sent = Clock | Acceleration | Rate | Angles | Orientation


def _good(frame: bytes) -> bool:
    return frame[0] == START and frame[1] in _TYPES and sum(frame[:10]) & 0xFF == frame[10]


class Framer:
    """Cuts a serial stream into messages. Never raises, keeps at most 10 bytes; see `FixedFramer`."""

    def __init__(self) -> None:
        self._frames = FixedFramer(b"\x55", FRAME_BYTES, _good)

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, oldest first."""
        return [item if isinstance(item, Stray) else _decode(item) for item in self._frames.feed(data)]


def _decode(frame: bytes) -> Message:
    """One good frame."""
    kind = frame[1]
    if kind == TIME:
        return Clock(*_TIME_FIELDS(frame))
    x, y, z, fourth = _COUNTS(frame)
    if kind == ACCELERATION:
        return Acceleration((x * _ACC_G, y * _ACC_G, z * _ACC_G), fourth / _HUNDREDTHS)
    if kind == RATE:
        return Rate((x * _GYRO_DPS, y * _GYRO_DPS, z * _GYRO_DPS), fourth)
    if kind == ANGLES:
        return Angles(x * _ANGLE_DEG, y * _ANGLE_DEG, z * _ANGLE_DEG, fourth)
    if kind == QUATERNION:
        return Orientation((x * _PART, y * _PART, z * _PART, fourth * _PART))
    return NotNeeded(kind)


def decode(frame: bytes) -> Message:
    """Exactly one frame. Raises `RemoteError`."""
    if len(frame) != FRAME_BYTES or not _good(frame):
        raise RemoteError(f"not a WitMotion frame: {frame[:FRAME_BYTES].hex()}")
    return _decode(frame)


def encode(message: Sent) -> bytes:
    """The frame of a message, to the nearest count. Raises `LocalError` where it does not fit."""
    try:
        body = _body(message)
    except (struct.error, ValueError, OverflowError) as error:
        raise LocalError(f"{message} does not fit a WitMotion frame: {error}") from error
    return body + bytes((sum(body) & 0xFF,))


def _body(message: Sent) -> bytes:
    if isinstance(message, Clock):
        return _PACK_TIME(START, TIME, *message)
    if isinstance(message, Acceleration):
        counts = (*_counts(message.acc_g, _ACC_G), round(message.temperature_c * _HUNDREDTHS))
        return _PACK_COUNTS(START, ACCELERATION, *counts)
    if isinstance(message, Rate):
        return _PACK_COUNTS(START, RATE, *_counts(message.gyro_dps, _GYRO_DPS), message.fourth)
    if isinstance(message, Angles):
        return _PACK_COUNTS(START, ANGLES, *_counts(message[:3], _ANGLE_DEG), message.version)
    w, x, y, z = _counts(message.quaternion, _PART)
    return _PACK_COUNTS(START, QUATERNION, w, x, y, z)


def _counts(values: tuple[float, ...], unit: float) -> list[int]:
    return [round(value / unit) for value in values]


def decode_notification(data: bytes) -> Notification:
    """One whole notification of a Bluetooth LE model; nothing in it says whether it is intact. Raises `RemoteError`."""
    if len(data) != NOTIFICATION_BYTES or data[0] != START or data[1] != _NOTIFICATION:
        raise RemoteError(f"not a WitMotion notification: {data[:NOTIFICATION_BYTES].hex()}")
    _, _, ax, ay, az, gx, gy, gz, roll, pitch, yaw = _NINE.unpack(data)
    return Notification(
        (ax * _ACC_G, ay * _ACC_G, az * _ACC_G),
        (gx * _GYRO_DPS, gy * _GYRO_DPS, gz * _GYRO_DPS),
        (roll * _ANGLE_DEG, pitch * _ANGLE_DEG, yaw * _ANGLE_DEG),
    )


def encode_notification(message: Notification) -> bytes:
    """The 20 bytes of a notification, to the nearest count. Raises `LocalError` where it does not fit."""
    acc_g, gyro_dps, angles_deg = message
    try:
        counts = _counts(acc_g, _ACC_G) + _counts(gyro_dps, _GYRO_DPS) + _counts(angles_deg, _ANGLE_DEG)
        return _NINE.pack(START, _NOTIFICATION, *counts)
    except (struct.error, ValueError, OverflowError) as error:
        raise LocalError(f"{message} does not fit a WitMotion notification: {error}") from error


def resembles(data: bytes) -> bool:
    """Are these bytes, cut anywhere, a WitMotion sensor's serial stream?"""
    return mostly_frames(FixedFramer(b"\x55", FRAME_BYTES, _good), data, FRAME_BYTES)
