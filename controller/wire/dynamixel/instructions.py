"""The packets of Dynamixel Protocol 2.0 as one table, both roles: the same rows encode and decode for host and servo.

`encode(message)` makes a whole frame; `decode_instruction` reads one as a servo does, `decode_status` as the host does.
Sources: e-manual of Robotis, page Protocol 2.0. The inner CRCs of a fast sync read's answer are an assumption.
"""

from collections.abc import Callable, Iterator
from typing import Any

from controller.wire.dynamixel.frame import (
    BEFORE_BODY,
    BROADCAST,
    CRC_BYTES,
    HEADER,
    Frame,
    Framer,
    build,
    crc16,
    is_id,
    stuff,
)
from controller.wire.dynamixel.messages import (
    Action,
    BulkRead,
    BulkWrite,
    Clear,
    FactoryReset,
    FastBulkRead,
    FastStatus,
    FastSyncRead,
    Message,
    Ping,
    Read,
    Reboot,
    RegWrite,
    Status,
    SyncRead,
    SyncWrite,
    Write,
)
from controller.wire.errors import LocalError, RemoteError

STATUS = 0x55
_WORD = 0xFFFF


def _two(*values: int) -> bytes:
    if not all(type(value) is int and 0 <= value <= _WORD for value in values):
        raise LocalError(f"{values} do not all fit two bytes")
    return b"".join(value.to_bytes(2, "little") for value in values)


def _byte(value: int) -> bytes:
    if not (type(value) is int and 0 <= value <= 0xFF):
        raise LocalError(f"{value!r} does not fit a byte")
    return bytes((value,))


def _ids(ids: tuple[int, ...]) -> bytes:
    if not ids or len(set(ids)) != len(ids) or not all(is_id(id) and id != BROADCAST for id in ids):
        raise LocalError(f"{ids} are no different ids of servos")
    return bytes(ids)


def _word(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _sized(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise RemoteError(f"{len(data)} bytes of parameters where {size} belong")
    return data


def _at_least(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise RemoteError(f"{len(data)} bytes of parameters where at least {size} belong")
    return data


def _head(data: bytes) -> tuple[int, int]:
    _at_least(data, 5)
    return _word(data, 0), _word(data, 2)


def _known_ids(data: bytes) -> tuple[int, ...]:
    ids = tuple(data)
    if len(set(ids)) != len(ids) or not all(is_id(id) and id != BROADCAST for id in ids):
        raise RemoteError("ids that are no different ids of servos")
    return ids


def _write_sync(message: SyncWrite) -> bytes:
    _ids(tuple(id for id, _ in message.entries))
    if message.size < 1 or any(len(data) != message.size for _, data in message.entries):
        raise LocalError(f"a sync write whose data are not all {message.size} bytes")
    body = b"".join(bytes((id,)) + data for id, data in message.entries)
    return _two(message.address, message.size) + body


def _read_sync(id: int, data: bytes) -> SyncWrite:
    address, size = _head(data)
    step = size + 1
    if size < 1 or (len(data) - 4) % step:
        raise RemoteError("a sync write that ends in the middle of an entry")
    entries = tuple((data[at], data[at + 1 : at + step]) for at in range(4, len(data), step))
    _known_ids(bytes(entry[0] for entry in entries))
    return SyncWrite(address, size, entries)


def _write_bulk(message: BulkRead | FastBulkRead) -> bytes:
    _ids(tuple(entry[0] for entry in message.entries))
    return b"".join(bytes((id,)) + _two(address, size) for id, address, size in message.entries)


def _bulk(data: bytes) -> tuple[tuple[int, int, int], ...]:
    if not data or len(data) % 5:
        raise RemoteError("a bulk read that ends in the middle of an entry")
    entries = tuple((data[at], _word(data, at + 1), _word(data, at + 3)) for at in range(0, len(data), 5))
    _known_ids(bytes(entry[0] for entry in entries))
    return entries


def _write_bulk_write(message: BulkWrite) -> bytes:
    _ids(tuple(entry[0] for entry in message.entries))
    return b"".join(bytes((id,)) + _two(address, len(data)) + data for id, address, data in message.entries)


def _bulk_writes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(data):
        _at_least(data, at + 5)
        size = _word(data, at + 3)
        yield data[at], _word(data, at + 1), _at_least(data, at + 5 + size)[at + 5 : at + 5 + size]
        at += 5 + size


def _read_bulk_write(id: int, data: bytes) -> BulkWrite:
    entries = tuple(_bulk_writes(data))
    if not entries:
        raise RemoteError("an empty bulk write")
    _known_ids(bytes(entry[0] for entry in entries))
    return BulkWrite(entries)


def _addressed(kind: Callable[[int, int, bytes], Any]) -> Callable[[int, bytes], Any]:
    return lambda id, data: kind(id, _word(_at_least(data, 3), 0), data[2:])


def _for_one(kind: Callable[[int], Any]) -> Callable[[int, bytes], Any]:
    return lambda id, data: kind(id) if not _sized(data, 0) else None


# number, class, how its parameters are written, how they are read
_INSTRUCTIONS: tuple[tuple[int, type, Callable[[Any], bytes], Callable[[int, bytes], Any]], ...] = (
    (0x01, Ping, lambda m: b"", _for_one(Ping)),
    (0x02, Read, lambda m: _two(m.address, m.size), lambda id, d: Read(id, _word(_sized(d, 4), 0), _word(d, 2))),
    (0x03, Write, lambda m: _two(m.address) + m.data, _addressed(Write)),
    (0x04, RegWrite, lambda m: _two(m.address) + m.data, _addressed(RegWrite)),
    (0x05, Action, lambda m: b"", _for_one(Action)),
    (0x06, FactoryReset, lambda m: _byte(m.option), lambda id, d: FactoryReset(id, _sized(d, 1)[0])),
    (0x08, Reboot, lambda m: b"", _for_one(Reboot)),
    (0x10, Clear, lambda m: m.data, lambda id, d: Clear(id, _at_least(d, 1))),
    (
        0x82,
        SyncRead,
        lambda m: _two(m.address, m.size) + _ids(m.ids),
        lambda i, d: SyncRead(*_head(d), _known_ids(d[4:])),
    ),
    (0x83, SyncWrite, _write_sync, _read_sync),
    (
        0x8A,
        FastSyncRead,
        lambda m: _two(m.address, m.size) + _ids(m.ids),
        lambda i, d: FastSyncRead(*_head(d), _known_ids(d[4:])),
    ),
    (0x92, BulkRead, _write_bulk, lambda i, d: BulkRead(_bulk(d))),
    (0x93, BulkWrite, _write_bulk_write, _read_bulk_write),
    (0x9A, FastBulkRead, _write_bulk, lambda i, d: FastBulkRead(_bulk(d))),
)
_WRITERS = {kind: (number, writer) for number, kind, writer, _ in _INSTRUCTIONS}
_READERS = {number: reader for number, _, _, reader in _INSTRUCTIONS}
_TO_ALL = frozenset({0x82, 0x83, 0x8A, 0x92, 0x93, 0x9A})
INSTRUCTIONS = tuple(kind for _, kind, _, _ in _INSTRUCTIONS)
"""The classes that a host may send."""


def encode(message: Message) -> bytes:
    """The frame of any message, of either role. Raises `LocalError` for what must never be on the wire."""
    kind = type(message)
    try:
        if kind is Status:
            return build(message.id, STATUS, _byte(message.error) + message.data)
        if kind is FastStatus:
            return _fast(message)
        if kind not in _WRITERS:
            raise LocalError(f"not a message of this protocol: {message!r}")
        number, writer = _WRITERS[kind]
        return build(BROADCAST if number in _TO_ALL else message.id, number, writer(message))
    except TypeError as error:
        raise LocalError(f"{message!r} does not fit its frame: {error}") from error


def decode_instruction(frame: Frame) -> Message:
    """The instruction in `frame`, read as a servo reads it. Raises `RemoteError`."""
    reader = _READERS.get(frame.instruction)
    if reader is None:
        raise RemoteError(f"unknown instruction {frame.instruction}")
    if frame.instruction in _TO_ALL and frame.id != BROADCAST:
        raise RemoteError(f"instruction {frame.instruction} goes to all, not to {frame.id}")
    return reader(frame.id, frame.payload)


def decode_status(frame: Frame) -> Status:
    """The answer in `frame`, read as the host reads it. Raises `RemoteError`."""
    if frame.instruction != STATUS:
        raise RemoteError(f"instruction {frame.instruction} is no answer")
    _at_least(frame.payload, 1)
    return Status(frame.id, frame.payload[0], frame.payload[1:])


def decode_fast_status(frame: Frame, size: int) -> FastStatus:
    """The answer to a fast sync read of `size` bytes. Raises `RemoteError`. Inner CRCs are not looked at."""
    if frame.instruction != STATUS or frame.id != BROADCAST:
        raise RemoteError("no answer to a fast sync read")
    # Each record ends in a CRC; that of the last is the frame's own, which is no longer here.
    data, step = frame.payload + bytes(CRC_BYTES), size + 4
    if not data or len(data) % step:
        raise RemoteError(f"{len(frame.payload)} bytes are no records of {size}")
    parts = (Status(data[at + 1], data[at], data[at + 2 : at + 2 + size]) for at in range(0, len(data), step))
    return FastStatus(tuple(parts))


def _fast(message: FastStatus) -> bytes:
    """Records of error, id, data, CRC; each inner CRC covers all that stands before it. Raises `LocalError`."""
    parts = message.parts
    if not parts or len({len(part.data) for part in parts}) != 1:
        raise LocalError("a fast status whose data are not all of one size")
    length = 1 + len(parts) * (len(parts[0].data) + 4)
    for _ in range(len(parts) + 4):  # stuffing changes the length, which the inner CRCs cover
        body = bytes((STATUS,))
        for part in parts[:-1]:
            body += _byte(part.error) + bytes((part.id,)) + part.data
            before = HEADER + bytes((BROADCAST, length & 0xFF, length >> 8)) + stuff(body)
            body += crc16(before).to_bytes(CRC_BYTES, "little")
        body += _byte(parts[-1].error) + bytes((parts[-1].id,)) + parts[-1].data
        if len(stuff(body)) + CRC_BYTES == length:
            return build(BROADCAST, STATUS, body[1:])
        length = len(stuff(body)) + CRC_BYTES
    raise LocalError("no length fits these records")


def resembles(data: bytes) -> bool:
    """Do these bytes hold a whole, undamaged answer of a servo?"""
    if len(data) < BEFORE_BODY:
        return False
    found = Framer().feed(data)
    return any(type(frame) is Frame and frame.instruction == STATUS for frame in found)
