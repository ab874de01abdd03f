"""ScienceMode 2 frames: start, escaped CRC, escaped length, stuffed body, stop.

    F0 | 81 crc^55 | 81 length^55 | stuffed(packet number, command, data) | 0F

The length counts the bytes of the stuffed body. The CRC (CRC-8, polynomial 0x07, start 0, not reflected) covers the
same bytes; the start value is not in the maker's document, it is the one that reproduces other people's frames. An
encoder escapes F0, 0F and 81 and nothing else; what is read may have more escapes, for other hosts make them: after an
81 any byte is taken XOR 55. A bare F0 or 0F in the body proves that the frame was cut or its length is wrong.
Source: ScienceMode2 Description and Protocol v1.24 (docs/devices/rehastim2.md).
"""

import re
from typing import NamedTuple

from controller.wire.errors import LocalError

START, STOP, ESCAPE, KEY = 0xF0, 0x0F, 0x81, 0x55
HEADER_BYTES = 5
DATA_BYTES_MAX = 60
BODY_BYTES_MIN, BODY_BYTES_MAX = 2, 2 * (2 + DATA_BYTES_MAX)
FRAME_BYTES_MIN = HEADER_BYTES + BODY_BYTES_MIN + 1
FRAME_BYTES_MAX = HEADER_BYTES + BODY_BYTES_MAX + 1
PACKET_NUMBERS = COMMANDS = 256

STRAY = "bytes outside a frame"
CUT = "cut off, or wrong length field"

_STUFFED = re.compile(rb"(?:[^\x0f\x81\xf0]|\x81.)*", re.DOTALL)
"""The longest run of bytes that a body can begin with."""
_ESCAPED = re.compile(rb"\x81(.)", re.DOTALL)
_HEADER = bytes((START, ESCAPE))
_STOP = bytes((STOP,))


class Frame(NamedTuple):
    """One good frame: packet number 0-255, command 0-255, data without stuffing."""

    packet_number: int
    command: int
    payload: bytes


class BadFrame(NamedTuple):
    """Something that was not a frame, and why. Packet number and command where the body could be read, else -1."""

    reason: str
    packet_number: int = -1
    command: int = -1


def _table() -> bytes:
    entries = bytearray()
    for byte in range(256):
        for _ in range(8):
            byte = (byte << 1 ^ 0x07 if byte & 0x80 else byte << 1) & 0xFF
        entries.append(byte)
    return bytes(entries)


_CRC = _table()


def crc8(data: bytes) -> int:
    """The checksum of `data`, 0 to 255."""
    crc = 0
    for byte in data:
        crc = _CRC[crc ^ byte]
    return crc


def build(packet_number: int, command: int, payload: bytes) -> bytes:
    """The bytes of one frame. Raises `LocalError` when a number or the size does not fit."""
    if not (0 <= packet_number < PACKET_NUMBERS and 0 <= command < COMMANDS):
        raise LocalError(f"packet number {packet_number} or command {command} does not fit a frame")
    if len(payload) > DATA_BYTES_MAX:
        raise LocalError(f"{len(payload)} bytes of data are more than {DATA_BYTES_MAX}")
    body = bytes((packet_number, command)) + payload
    body = body.replace(b"\x81", b"\x81\xd4").replace(b"\xf0", b"\x81\xa5").replace(b"\x0f", b"\x81\x5a")
    return _sealed(body, len(body))


def _sealed(body: bytes, length: int) -> bytes:
    """Header, CRC and stop byte around a stuffed body."""
    return bytes((START, ESCAPE, crc8(body) ^ KEY, ESCAPE, length ^ KEY)) + body + _STOP


def parse(data: bytes) -> Frame | BadFrame:
    """`data` as exactly one whole frame (the pair check reads its own bytes back with this)."""
    if len(data) < FRAME_BYTES_MIN or not _opens(data, 0) or _size(data, 0) != len(data):
        return BadFrame("not exactly one frame")
    return _read(data, 0, len(data))


def renumbered(frame: bytes) -> bytes:
    """`frame` with the next packet number, and a CRC that fits. Raises `LocalError` where no frame begins."""
    found, rest = _first(frame)
    return build((found.packet_number + 1) % PACKET_NUMBERS, found.command, found.payload) + rest


def mislengthed(frame: bytes) -> bytes:
    """`frame` with a length field that is one too large, and a CRC that fits. Raises `LocalError` as above."""
    found, rest = _first(frame)
    body = build(*found)[HEADER_BYTES:-1]
    return _sealed(body, len(body) + 1) + rest


def _first(data: bytes) -> tuple[Frame, bytes]:
    """The frame that begins `data`, and what follows it."""
    size = _size(data, 0) if len(data) >= HEADER_BYTES and _opens(data, 0) else 0
    found = parse(data[:size])
    if type(found) is not Frame:
        raise LocalError("no whole frame begins here")
    return found, data[size:]


def _opens(data: bytes, at: int) -> bool:
    """The bytes from `at` on, as far as there are any, can be the header of a frame."""
    return data[at : at + 2] == _HEADER[: len(data) - at] and data[at + 3 : at + 4] in (b"", b"\x81")


def _size(data: bytes, at: int) -> int:
    """Bytes of the whole frame whose header stands at `at`; 0 where the length cannot be right."""
    length = data[at + 4] ^ KEY
    return length + HEADER_BYTES + 1 if BODY_BYTES_MIN <= length <= BODY_BYTES_MAX else 0


def _broken(data: bytes, at: int, size: int) -> bool:
    """A frame that is not all here yet already holds a byte that cannot stand there."""
    begin, end = at + HEADER_BYTES, min(at + size - 1, len(data))
    match = _STUFFED.match(data, begin, end)
    reached = match.end() if match else begin
    return reached < end and not (reached == end - 1 == len(data) - 1 and data[reached] == ESCAPE)


def _read(data: bytes, at: int, size: int) -> Frame | BadFrame:
    """The frame of `size` bytes that lies complete at `at`."""
    stop = at + size - 1
    body = data[at + HEADER_BYTES : stop]
    if _STUFFED.fullmatch(body) is None:
        return BadFrame(CUT)
    if data[stop] != STOP:
        return BadFrame("no stop byte where the length field says")
    plain = body if b"\x81" not in body else _ESCAPED.sub(_plain, body)
    if len(plain) < BODY_BYTES_MIN:
        return BadFrame("no room for packet number and command")
    if crc8(body) != data[at + 2] ^ KEY:
        return BadFrame("wrong CRC", plain[0], plain[1])
    return Frame(plain[0], plain[1], plain[2:])


def _plain(escape: re.Match[bytes]) -> bytes:
    return bytes((escape[1][0] ^ KEY,))


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
            if not _opens(data, at):
                self._skip(found)
                at = data.find(b"\xf0", at + 1)
                if at < 0:
                    at = end
                continue
            if end - at < HEADER_BYTES:
                break
            size = _size(data, at)
            if size and at + size > end and not _broken(data, at, size):
                break
            at = self._take(data, at, size, found)
        self._rest = data[at:]
        return found

    def clear(self) -> None:
        """Forget a half-received frame (the far end has been changed)."""
        self._rest = b""
        self._stray = False

    def _take(self, data: bytes, at: int, size: int, found: list[Frame | BadFrame]) -> int:
        """Read what stands at `at` and give where to go on."""
        if not size:
            frame: Frame | BadFrame = BadFrame("length field out of range")
        else:
            frame = BadFrame(CUT) if at + size > len(data) else _read(data, at, size)
        found.append(frame)
        self._stray = type(frame) is BadFrame  # the rest of a damaged frame belongs to the fault just counted
        if self._stray:
            self.bad += 1
            return at + 1
        return at + size

    def _skip(self, found: list[Frame | BadFrame]) -> None:
        if not self._stray:
            self._stray = True
            self.bad += 1
            found.append(BadFrame(STRAY))
