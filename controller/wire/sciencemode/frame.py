"""ScienceMode 3/4 frames: start, escaped length, escaped CRC, stuffed body, stop.

    F0 | 81 len>>8^55  81 len&FF^55 | 81 crc>>8^55  81 crc&FF^55 | stuffed(packet number, command, payload) | 0F

The nine header bytes stand at fixed places and their second halves may be any byte, F0, 0F and 81 included, so the
framer never looks for a stop byte in them. In the body F0, 0F and 81 occur only as `81 A5`, `81 5A` and `81 D4`: a
bare F0 or 0F there proves that the frame was cut or its length is wrong. The CRC is CRC-16/XMODEM over the *stuffed*
body. Source: vendor C library ScienceMode4 0cb1201 and the vendor's protocol description (docs/devices/p24.md).
"""

from binascii import crc_hqx
from struct import Struct
from typing import NamedTuple

from controller.wire.errors import LocalError

START, STOP, ESCAPE, KEY = 0xF0, 0x0F, 0x81, 0x55
HEADER_BYTES = 9
FRAME_BYTES_MIN = 12
FRAME_BYTES_MAX = 1200
PACKET_NUMBERS = 64
COMMANDS = 1024

STRAY = "bytes outside a frame"

_HEADER = Struct("9B").unpack_from
_STOP = bytes([STOP])
_ESCAPED = [bytes([ESCAPE, byte ^ KEY]) for byte in range(256)]
_OPENING = [bytes([START]) + _ESCAPED[size >> 8] + _ESCAPED[size & 0xFF] for size in range(FRAME_BYTES_MAX + 1)]


class Frame(NamedTuple):
    """One good frame: packet number 0-63, command 0-1023, payload without stuffing."""

    packet_number: int
    command: int
    payload: bytes


class BadFrame(NamedTuple):
    """Something that was not a frame, and why. Packet number and command where the body could be read, else -1."""

    reason: str
    packet_number: int = -1
    command: int = -1


def build(packet_number: int, command: int, payload: bytes) -> bytes:
    """The bytes of one frame. Raises `LocalError` when a number or the size does not fit."""
    if not (0 <= packet_number < PACKET_NUMBERS and 0 <= command < COMMANDS):
        raise LocalError(f"packet number {packet_number} or command {command} does not fit a frame")
    body = bytes((packet_number << 2 | command >> 8, command & 0xFF)) + payload
    body = body.replace(b"\x81", b"\x81\xd4").replace(b"\xf0", b"\x81\xa5").replace(b"\x0f", b"\x81\x5a")
    size = len(body) + HEADER_BYTES + 1
    if size > FRAME_BYTES_MAX:
        raise LocalError(f"a frame of {size} bytes is longer than {FRAME_BYTES_MAX}")
    crc = crc_hqx(body, 0)
    return _OPENING[size] + _ESCAPED[crc >> 8] + _ESCAPED[crc & 0xFF] + body + _STOP


def parse(data: bytes) -> Frame | BadFrame:
    """`data` as exactly one whole frame (the pair check reads its own bytes back with this)."""
    size, crc = _header(data, 0)
    if size != len(data) or size < FRAME_BYTES_MIN:
        return BadFrame("not exactly one frame")
    return _read(data, 0, size, crc)


def renumbered(data: bytes) -> bytes:
    """`data` with another packet number in the frame that it begins with. Raises `LocalError` when it begins with none.

    For tests of what a bad line does: the frame is good in everything else.
    """
    size, frame = _first(data)
    return build(frame.packet_number ^ PACKET_NUMBERS // 2, frame.command, frame.payload) + data[size:]


def mislengthed(data: bytes) -> bytes:
    """`data` with a wrong length field in the frame that it begins with. Raises `LocalError` where there is none."""
    size, _ = _first(data)
    return _OPENING[size + 1 if size < FRAME_BYTES_MAX else size - 1] + data[HEADER_BYTES - 4 :]


def _first(data: bytes) -> tuple[int, Frame]:
    size, crc = _header(data, 0)
    if FRAME_BYTES_MIN <= size <= len(data):
        frame = _read(data, 0, size, crc)
        if isinstance(frame, Frame):
            return size, frame
    raise LocalError("these bytes do not begin with a good frame")


def _header(data: bytes, at: int) -> tuple[int, int]:
    """Length and CRC of the header at `at`; length 0 where there is none, -1 where more bytes are needed to tell."""
    if len(data) - at < HEADER_BYTES:
        odd = data[at + 1 :: 2]
        possible = at < len(data) and data[at] == START and odd == b"\x81\x81\x81\x81"[: len(odd)]
        return (-1 if possible else 0), 0
    start, e1, size_high, e2, size_low, e3, crc_high, e4, crc_low = _HEADER(data, at)
    if not (start == START and e1 == e2 == e3 == e4 == ESCAPE):
        return 0, 0
    return (size_high ^ KEY) << 8 | (size_low ^ KEY), (crc_high ^ KEY) << 8 | (crc_low ^ KEY)


def _read(data: bytes, at: int, size: int, crc: int) -> Frame | BadFrame:
    """The frame of `size` bytes that lies complete at `at`."""
    stop = at + size - 1
    body = data[at + HEADER_BYTES : stop]
    if b"\xf0" in body or b"\x0f" in body:
        return BadFrame("cut off, or wrong length field")
    if data[stop] != STOP:
        return BadFrame("no stop byte where the length field says")
    plain = body if b"\x81" not in body else _unstuff(body)
    if len(plain) < 2:
        return BadFrame("broken escape")
    first = plain[0]
    if crc_hqx(body, 0) != crc:
        return BadFrame("wrong CRC", first >> 2, (first & 3) << 8 | plain[1])
    # The constructor of a NamedTuple is a Python function; this one is not, and runs for every frame.
    return tuple.__new__(Frame, (first >> 2, (first & 3) << 8 | plain[1], plain[2:]))


def _unstuff(body: bytes) -> bytes:
    """The body without stuffing; b"" where an escape is none of the three that an encoder makes."""
    plain = body.replace(b"\x81\x5a", b"\x0f").replace(b"\x81\xa5", b"\xf0")
    if plain.count(b"\x81") != plain.count(b"\x81\xd4"):
        return b""
    return plain.replace(b"\x81\xd4", b"\x81")


class Framer:
    """Cuts a byte stream into frames. However the stream is cut, the same frames and faults come out.

    Never raises, never waits for more than one frame's length: a damaged frame is given up at the first byte that
    cannot belong to it, and the search goes on one byte after its start, so a good frame behind it is not lost. A run
    of stray bytes counts once. `bad` counts all faults.
    """

    def __init__(self) -> None:
        self.bad = 0
        self._rest = b""
        self._stray = False

    def feed(self, data: bytes) -> list[Frame | BadFrame]:
        """Frames and faults that `data` completes, oldest first."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        found: list[Frame | BadFrame] = []
        while at < end:
            size, crc = _header(data, at)
            if size < 0:
                break
            if size == 0:
                self._skip(found)
                at = data.find(b"\xf0", at + 1)
                if at < 0:
                    at = end
                continue
            if at + size > end and FRAME_BYTES_MIN <= size <= FRAME_BYTES_MAX and not _broken(data, at):
                break
            frame = self._take(data, at, size, crc)
            found.append(frame)
            if type(frame) is Frame:
                self._stray = False
                at += size
            else:
                self.bad += 1
                self._stray = True  # the rest of the damaged frame belongs to the fault that has just been counted
                at += 1
        self._rest = data[at:]
        return found

    def clear(self) -> None:
        """Forget a half-received frame (the far end has been changed)."""
        self._rest = b""
        self._stray = False

    def _take(self, data: bytes, at: int, size: int, crc: int) -> Frame | BadFrame:
        if not FRAME_BYTES_MIN <= size <= FRAME_BYTES_MAX:
            return BadFrame("length field out of range")
        if at + size > len(data):
            return BadFrame("cut off, or wrong length field")
        return _read(data, at, size, crc)

    def _skip(self, found: list[Frame | BadFrame]) -> None:
        if not self._stray:
            self._stray = True
            self.bad += 1
            found.append(BadFrame(STRAY))


def _broken(data: bytes, at: int) -> bool:
    """A frame that is not all here yet, yet already holds a byte that its body cannot hold."""
    at += HEADER_BYTES
    return data.find(b"\x0f", at) >= 0 or data.find(b"\xf0", at) >= 0
