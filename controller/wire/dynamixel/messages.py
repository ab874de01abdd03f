"""What a Dynamixel servo and its host say to each other, as plain values. Data are bytes as on the wire."""

from enum import IntEnum
from typing import Any, NamedTuple

ALERT = 0x80
"""Bit of a status' error byte: look at the hardware error."""


class Error(IntEnum):
    """Error numbers of a status (its low seven bits)."""

    NONE = 0
    RESULT = 1
    INSTRUCTION = 2
    CRC = 3
    RANGE = 4
    LENGTH = 5
    LIMIT = 6
    ACCESS = 7


class Ping(NamedTuple):
    id: int


class Read(NamedTuple):
    id: int
    address: int
    size: int


class Write(NamedTuple):
    id: int
    address: int
    data: bytes


class RegWrite(NamedTuple):
    """Written, but obeyed only at the next `Action`."""

    id: int
    address: int
    data: bytes


class Action(NamedTuple):
    id: int


class FactoryReset(NamedTuple):
    id: int
    option: int


class Reboot(NamedTuple):
    id: int


class Clear(NamedTuple):
    id: int
    data: bytes


class SyncRead(NamedTuple):
    address: int
    size: int
    ids: tuple[int, ...]


class FastSyncRead(NamedTuple):
    address: int
    size: int
    ids: tuple[int, ...]


class SyncWrite(NamedTuple):
    """The same register of several servos: (id, data) each. Nobody answers."""

    address: int
    size: int
    entries: tuple[tuple[int, bytes], ...]


class BulkRead(NamedTuple):
    """(id, address, size) each."""

    entries: tuple[tuple[int, int, int], ...]


class FastBulkRead(NamedTuple):
    """(id, address, size) each."""

    entries: tuple[tuple[int, int, int], ...]


class BulkWrite(NamedTuple):
    """(id, address, data) each."""

    entries: tuple[tuple[int, int, bytes], ...]


class Status(NamedTuple):
    """A servo's answer: error byte (`Error`, and `ALERT`), and what was asked for."""

    id: int
    error: int = 0
    data: bytes = b""


class FastStatus(NamedTuple):
    """The one answer of several servos to a fast sync read: their statuses, all with data of the same size."""

    parts: tuple[Status, ...]


Message = Any
"""Any of the classes above."""
