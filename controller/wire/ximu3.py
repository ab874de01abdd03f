"""x-io x-IMU3: the messages of its byte stream, both roles.

A message ends with LF. A first byte of `{` starts a JSON command line; an upper-case letter an ASCII data line; the
same letter plus 0x80 a binary data message: id, timestamp (uint64, us), float32 arguments, all little endian. Inside
a binary message LF is sent as DB DC and DB as DB DD. There is no checksum.
Source: x-IMU3 User Manual v0.11, section 8 (ids, layouts, examples); x-IMU3-API `receiver.rs` (4096-byte bound).
"""

import struct
from typing import NamedTuple

from controller.wire.errors import LocalError

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

LINE_BYTES_MAX = 4096
BAD_BYTES_KEPT = 64

_END = 0x0A
_ESCAPE = 0xDB
_BINARY = 0x80
_INERTIAL = struct.Struct("<BQ6f")
_QUATERNION = struct.Struct("<BQ4f")
_INERTIAL_ID = _BINARY | ord("I")
_QUATERNION_ID = _BINARY | ord("Q")
_HEAD_BYTES = 9
_INERTIAL_BYTES = _INERTIAL.size + 1
_SINGLE_INERTIAL = _INERTIAL.unpack_from

# Messages that a real device also sends and nobody here needs: float arguments of each letter (None: a text).
_NOT_NEEDED: dict[str, int | None] = {
    "M": 3,  # magnetometer
    "R": 9,  # rotation matrix
    "A": 3,  # Euler angles
    "L": 7,  # linear acceleration
    "E": 7,  # Earth acceleration
    "H": 3,  # high-g accelerometer
    "T": 1,  # temperature
    "B": 3,  # battery
    "W": 2,  # radio signal strength
    "S": None,  # serial accessory
    "N": None,  # notification
    "F": None,  # error text
}


class Inertial(NamedTuple):
    """Angular rate in deg/s and acceleration in g, sensor axes; `device_us` is the device's own clock in us."""

    device_us: int
    gyro_dps: Vector
    acc_g: Vector


class Orientation(NamedTuple):
    """Orientation of the sensor relative to the Earth as a quaternion w, x, y, z."""

    device_us: int
    quaternion: Quaternion


class Command(NamedTuple):
    """A JSON command line as it came, without its line end; never parsed here."""

    line: bytes


class NotNeeded(NamedTuple):
    """A whole data message of a known kind that this program has no use for; `letter` says which."""

    letter: str


class BadFrame(NamedTuple):
    """Bytes that are no message: why, and at most `BAD_BYTES_KEPT` of them."""

    reason: str
    data: bytes


Message = Inertial | Orientation | Command | NotNeeded | BadFrame


class Framer:
    """Cuts a byte stream into messages. Never raises; keeps at most `LINE_BYTES_MAX` bytes of an unfinished one."""

    def __init__(self) -> None:
        self._rest = b""
        self._overrun = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, oldest first. However the stream is cut, the same messages come out."""
        if (
            len(data) == _INERTIAL_BYTES
            and data[0] == _INERTIAL_ID
            and not self._rest
            and not self._overrun
            and data.find(_END) == _INERTIAL_BYTES - 1
            and _ESCAPE not in data
        ):
            # One whole frame without stuffing, as a puck sends it: the path that has to be quick.
            _, device_us, gx, gy, gz, ax, ay, az = _SINGLE_INERTIAL(data)
            return [Inertial(device_us, (gx, gy, gz), (ax, ay, az))]
        return self._cut(data)

    def _cut(self, data: bytes) -> list[Message]:
        *lines, rest = (self._rest + data).split(b"\n")
        found: list[Message] = []
        for line in lines:
            if self._overrun:
                self._overrun = False  # the tail of an over-long line, already reported
            elif len(line) > LINE_BYTES_MAX:
                found.append(_overrun(line))
            else:
                found.append(decode(line))
        if self._overrun:
            rest = b""
        elif len(rest) > LINE_BYTES_MAX:
            found.append(_overrun(rest))
            self._overrun = True
            rest = b""
        self._rest = rest
        return found


def decode(line: bytes) -> Message:
    """One message without its final LF, still stuffed. Anything that is not a message becomes a `BadFrame`."""
    if not line:
        return BadFrame("empty line", line)
    first = line[0]
    if first > _BINARY:
        return _decode_binary(line)
    if first == ord("{"):
        return Command(line.rstrip(b"\r"))
    return _decode_ascii(line)


def _decode_binary(line: bytes) -> Message:
    plain = unstuff(line)
    if plain is None:
        return _bad("broken byte stuffing", line)
    identity, size = plain[0], len(plain)
    if identity == _INERTIAL_ID and size == _INERTIAL.size:
        _, device_us, gx, gy, gz, ax, ay, az = _INERTIAL.unpack(plain)
        return Inertial(device_us, (gx, gy, gz), (ax, ay, az))
    if identity == _QUATERNION_ID and size == _QUATERNION.size:
        _, device_us, w, x, y, z = _QUATERNION.unpack(plain)
        return Orientation(device_us, (w, x, y, z))
    letter = chr(identity & ~_BINARY)
    if letter in _NOT_NEEDED:
        arguments = _NOT_NEEDED[letter]
        if (size >= _HEAD_BYTES) if arguments is None else (size == _HEAD_BYTES + 4 * arguments):
            return NotNeeded(letter)
    return _bad("unknown id or wrong length", line)


def _decode_ascii(line: bytes) -> Message:
    if b"_" in line:
        return _bad("not a number where one belongs", line)  # Python would read 1_0 as 10
    letter, *fields = line.rstrip(b"\r").split(b",")
    try:
        device_us = int(fields[0]) if fields[0].isdigit() else -1
        if not 0 <= device_us < 1 << 64:
            return _bad("bad timestamp", line)
        if letter == b"I" and len(fields) == 7:
            gx, gy, gz, ax, ay, az = map(float, fields[1:])
            return Inertial(device_us, (gx, gy, gz), (ax, ay, az))
        if letter == b"Q" and len(fields) == 5:
            w, x, y, z = map(float, fields[1:])
            return Orientation(device_us, (w, x, y, z))
    except (ValueError, IndexError):
        return _bad("not a number where one belongs", line)
    name = letter.decode("latin-1")
    if name in _NOT_NEEDED and _NOT_NEEDED[name] in (None, len(fields) - 1):
        return NotNeeded(name)
    return _bad("unknown id or wrong number of fields", line)


def _bad(reason: str, line: bytes) -> BadFrame:
    return BadFrame(reason, line[:BAD_BYTES_KEPT])


def _overrun(line: bytes) -> BadFrame:
    return _bad(f"no line end within {LINE_BYTES_MAX} bytes", line)


def stuff(plain: bytes) -> bytes:
    """Byte stuffing, and the final LF."""
    return plain.replace(b"\xdb", b"\xdb\xdd").replace(b"\x0a", b"\xdb\xdc") + b"\x0a"


def unstuff(stuffed: bytes) -> bytes | None:
    """The message without byte stuffing (give it without the final LF), or None where an escape is broken."""
    if stuffed.count(b"\xdb") != stuffed.count(b"\xdb\xdc") + stuffed.count(b"\xdb\xdd"):
        return None
    return stuffed.replace(b"\xdb\xdc", b"\x0a").replace(b"\xdb\xdd", b"\xdb")


def resembles(data: bytes) -> bool:
    """Are these bytes, cut anywhere, an x-IMU3's stream, binary or ASCII? Two measurements, and few bad messages."""
    whole = [decode(line) for line in data.split(b"\n")[1:-1]]
    measured = sum(isinstance(message, Inertial | Orientation) for message in whole)
    return measured >= 2 and measured >= 2 * sum(isinstance(message, BadFrame) for message in whole)


def encode(message: Inertial | Orientation, *, text: bool = False) -> bytes:
    """A data message as the device sends it, binary or (`text`) ASCII. Raises `LocalError` if it does not fit."""
    try:
        if isinstance(message, Inertial):
            plain = _INERTIAL.pack(_INERTIAL_ID, message.device_us, *message.gyro_dps, *message.acc_g)
        else:
            plain = _QUATERNION.pack(_QUATERNION_ID, message.device_us, *message.quaternion)
    except (struct.error, OverflowError) as error:
        raise LocalError(f"{message} does not fit an x-IMU3 message: {error}") from error
    return _as_text(message) if text else stuff(plain)


def _as_text(message: Inertial | Orientation) -> bytes:
    letter, values = (
        ("I", (*message.gyro_dps, *message.acc_g)) if isinstance(message, Inertial) else ("Q", message.quaternion)
    )
    numbers = ",".join(f"{value:.4f}" for value in values)
    return f"{letter},{message.device_us},{numbers}\r\n".encode("ascii")
