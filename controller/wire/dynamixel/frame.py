"""Frames of Dynamixel Protocol 2.0: header, id, length, stuffed body, CRC.

    FF FF FD 00 | id | length low, high | stuffed(instruction, parameters) | CRC low, high

The length counts the stuffed body and the CRC. In the body an FD is inserted after each FF FF FD, so a bare FF FF FD
there proves that the frame was cut or its length is wrong. The CRC (CRC-16/UMTS: polynomial 0x8005, start 0, not
reflected) covers everything before it, stuffing included. Source: e-manual of Robotis, page Protocol 2.0.
"""

from typing import NamedTuple

from controller.wire.errors import LocalError

HEADER = b"\xff\xff\xfd\x00"
BROADCAST = 0xFE
ID_MAX = 0xFC
BEFORE_BODY = 7
CRC_BYTES = 2
FRAME_BYTES_MIN = 10
FRAME_BYTES_MAX = 1024

STRAY = "bytes outside a frame"
CUT = "cut off, or wrong length field"

_MARK, _STUFFED = b"\xff\xff\xfd", b"\xff\xff\xfd\xfd"


class Frame(NamedTuple):
    """One good frame: id 0-252 or 254 (all), instruction, parameters without stuffing."""

    id: int
    instruction: int
    payload: bytes


class BadFrame(NamedTuple):
    """Something that was not a frame, and why; the id where the frame was whole but damaged, else -1."""

    reason: str
    id: int = -1


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
        entries.append(crc)
    return tuple(entries)


_CRC = _table()


def crc16(data: bytes) -> int:
    """The checksum of `data`, 0 to 65535."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC[crc >> 8 ^ byte]
    return crc


def stuff(body: bytes) -> bytes:
    """`body` with an FD after each FF FF FD."""
    return body.replace(_MARK, _STUFFED)


def unstuff(body: bytes) -> bytes | None:
    """`body` without stuffing; None where it holds an FF FF FD that is not stuffed."""
    return None if _bare(body, len(body)) else body.replace(_STUFFED, _MARK)


def is_id(number: int) -> bool:
    """True for an id that a frame may carry."""
    return 0 <= number <= ID_MAX or number == BROADCAST


def build(id: int, instruction: int, payload: bytes) -> bytes:
    """The bytes of one frame. Raises `LocalError` when a number or the size does not fit."""
    if not (is_id(id) and 0 <= instruction <= 0xFE):
        raise LocalError(f"id {id} or instruction {instruction} does not fit a frame")
    body = stuff(bytes((instruction,)) + payload)
    return _sealed(id, body)


def _sealed(id: int, body: bytes) -> bytes:
    """Header and CRC around a body that is stuffed already."""
    length = len(body) + CRC_BYTES
    if length + BEFORE_BODY > FRAME_BYTES_MAX:
        raise LocalError(f"a frame of {length + BEFORE_BODY} bytes is longer than {FRAME_BYTES_MAX}")
    data = HEADER + bytes((id, length & 0xFF, length >> 8)) + body
    return data + crc16(data).to_bytes(CRC_BYTES, "little")


def parse(data: bytes) -> Frame | BadFrame:
    """`data` as exactly one whole frame (the pair check reads its own bytes back with this)."""
    if len(data) < FRAME_BYTES_MIN or data[:4] != HEADER or _size(data, 0) != len(data):
        return BadFrame("not exactly one frame")
    return _read(data, 0, len(data))


def renumbered(frame: bytes) -> bytes:
    """`frame` as if another servo had sent it: another id, and a CRC that fits."""
    return _sealed(frame[4] + 1 if frame[4] < ID_MAX else 0, frame[BEFORE_BODY:-CRC_BYTES])


def mislengthed(frame: bytes) -> bytes:
    """`frame` with a length field that is one too large, and a CRC that fits the changed bytes."""
    length = len(frame) - BEFORE_BODY + 1
    data = frame[:5] + bytes((length & 0xFF, length >> 8)) + frame[BEFORE_BODY:-CRC_BYTES]
    return data + crc16(data).to_bytes(CRC_BYTES, "little")


def _size(data: bytes, at: int) -> int:
    """Bytes of the whole frame whose header stands at `at`; 0 where id or length cannot be right."""
    size = (data[at + 6] << 8 | data[at + 5]) + BEFORE_BODY
    return size if is_id(data[at + 4]) and FRAME_BYTES_MIN <= size <= FRAME_BYTES_MAX else 0


def _bare(body: bytes, whole: int) -> bool:
    """`body`, which will have `whole` bytes, holds an FF FF FD without its FD."""
    at = body.find(_MARK)
    while at >= 0:
        after = body[at + 3 : at + 4]
        if after != b"\xfd" and (after or at + 3 == whole):
            return True
        at = body.find(_MARK, at + 3)
    return False


def _read(data: bytes, at: int, size: int) -> Frame | BadFrame:
    """The frame of `size` bytes that lies complete at `at`."""
    stop = at + size - CRC_BYTES
    body = unstuff(data[at + BEFORE_BODY : stop])
    if body is None:
        return BadFrame(CUT)
    if crc16(data[at:stop]) != data[stop + 1] << 8 | data[stop]:
        return BadFrame("wrong CRC", data[at + 4])
    return Frame(data[at + 4], body[0], body[1:])


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
            head = data[at : at + 4]
            if head != HEADER[: len(head)]:
                self._skip(found)
                at = data.find(b"\xff", at + 1)
                if at < 0:
                    at = end
                continue
            if end - at < BEFORE_BODY:
                break
            size = _size(data, at)
            whole = size - BEFORE_BODY - CRC_BYTES
            if size and at + size > end and not _bare(data[at + BEFORE_BODY : at + BEFORE_BODY + whole], whole):
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
            frame: Frame | BadFrame = BadFrame("id or length field out of range")
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
