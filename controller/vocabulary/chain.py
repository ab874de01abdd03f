"""The hash chain of the records: one JSON object a line, each sealed to the one before it. Standard library alone.

A line is `{"seq":n,"t_ns":t,"kind":k,"data":{...},"prev":h,"hash":h}` and a line feed, in exactly these bytes: data
with sorted keys, no blanks, ASCII. `hash` is the SHA-256, in hex, of `prev` followed by everything in the line before
`,"prev"`. So a flipped bit, a missing, moved or foreign line shows; only whoever rewrites the whole rest of the file
can hide a change, and the manifest's digest of the closed file shows that too.
"""

import hashlib
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from json import encoder as _json_encoder
from typing import Any, NamedTuple

GENESIS = "0" * 64
REOPENED = "reopened"
FAULTS_MAX = 20
_BEYOND = 1 << 63

_SEAL = re.compile(rb',"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}')
_SEAL_BYTES = len(',"prev":"","hash":""}') + 128


class Record(NamedTuple):
    """One record as read: `t_ns` on the writer's clock (ns), `data` as plain JSON values."""

    seq: int
    t_ns: int
    kind: str
    data: dict[str, Any]


@dataclass
class Reading:
    """What a chained file holds: whole records, faults in words, and the bytes after the last line feed."""

    records: list[Record] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    torn: bytes = b""
    hashes: list[str] = field(default_factory=list)
    """The hash of each record, in their order."""
    head: str = GENESIS


class Chain:
    """Makes the lines of one file, in order. `seq` is the number of the next record, `head` the hash of the last."""

    __slots__ = ("_kinds", "head", "seq")

    def __init__(self, seq: int = 0, head: str = GENESIS) -> None:
        self.seq = seq
        self.head = head
        self._kinds: dict[str, str] = {}

    def line(self, t_ns: int, kind: str, data: Mapping[str, Any]) -> bytes:
        """The next line. Never raises for odd data: what JSON cannot hold is written as text."""
        try:
            text = _encode(data)
        except (TypeError, ValueError, RecursionError):
            text = json.dumps(plain(data), sort_keys=True, separators=(",", ":"))
        quoted = self._kinds.get(kind) or self._quote(kind)
        body = f'{{"seq":{self.seq},"t_ns":{t_ns},"kind":{quoted},"data":{text}'
        prev = self.head
        self.head = head = hashlib.sha256((prev + body).encode()).hexdigest()
        self.seq += 1
        return f'{body},"prev":"{prev}","hash":"{head}"}}\n'.encode()

    def _quote(self, kind: str) -> str:
        quoted = json.dumps(kind)
        if len(self._kinds) < 256:
            self._kinds[kind] = quoted
        return quoted


class Marks:
    """Remembers (number, hash) of records that ask to be synced, to say later which of them is known to be on disk."""

    __slots__ = ("_marks", "_vouched")

    def __init__(self) -> None:
        self._marks: deque[tuple[int, str]] = deque(maxlen=256)
        self._vouched: tuple[int, str] | None = None

    def add(self, chain: Chain) -> None:
        """The record that was made last asks to be synced."""
        self._marks.append((chain.seq - 1, chain.head))

    def vouched(self, synced: int) -> tuple[int, str] | None:
        """The newest remembered record up to number `synced`; None before the first."""
        while self._marks and self._marks[0][0] <= synced:
            self._vouched = self._marks.popleft()
        return self._vouched


def plain(value: Any, depth: int = 0) -> Any:
    """`value` as JSON can hold it: not-a-number and infinity, bytes and foreign types become text, keys strings."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0.0 else str(value)
    if depth >= 12:
        return "(nested too deeply)"
    if isinstance(value, Mapping):
        return {str(key): plain(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, set | frozenset):
        return sorted(str(plain(entry, depth + 1)) for entry in value)
    if isinstance(value, list | tuple):
        return [plain(entry, depth + 1) for entry in value]
    item = getattr(value, "item", None)
    return plain(item(), depth + 1) if callable(item) else f"({type(value).__name__})"


def read(content: bytes) -> Reading:
    """Every whole record of a chained file and what is wrong with it.

    A torn end is no fault here: `torn` holds its bytes. A torn line in the middle is none either when the next record
    is a `reopened` one that carries its digest: that is how a log goes on after its writer died in mid-line.
    """
    reading = Reading()
    lines = content.split(b"\n")
    reading.torn = lines.pop()
    for number, line in enumerate(lines, 1):
        following = lines[number] if number < len(lines) else b""
        seal = _SEAL.fullmatch(line, max(0, len(line) - _SEAL_BYTES))
        if seal is not None:
            _take(reading, number, line[: seal.start()], seal[1].decode(), seal[2].decode())
        elif not _accounts_for(following, line):
            _fault(reading, f"line {number} is not a sealed record")
    if not _may_be_torn(reading.torn, reading):
        _fault(reading, f"{len(reading.torn)} bytes that no record begins with follow line {len(lines)}")
    return reading


def resume(content: bytes) -> tuple[Chain, bytes]:
    """A chain that goes on after `content`, and the torn bytes at its end (b"" when it ends with a whole record)."""
    reading = read_to_end(content)
    return after(reading), reading.torn


def read_to_end(content: bytes) -> Reading:
    """As `read`, with a last record that is whole but for its line feed."""
    reading = read(content)
    if reading.torn:
        with_end = read(content + b"\n")
        if len(with_end.records) > len(reading.records):
            return with_end
    return reading


def after(reading: Reading) -> Chain:
    """A chain that goes on after what was read."""
    seq = reading.records[-1].seq + 1 if reading.records else 0
    return Chain(seq, reading.head)


def reopened(torn: bytes) -> dict[str, Any]:
    """Data of the `reopened` record that accounts for `torn`: their number, and their digest."""
    return {"torn_bytes": len(torn), "torn_sha256": hashlib.sha256(torn).hexdigest()}


def _take(reading: Reading, number: int, body: bytes, prev: str, stated: str) -> None:
    expected = reading.records[-1].seq + 1 if reading.records else 0
    if hashlib.sha256(prev.encode() + body).hexdigest() != stated:
        _fault(reading, f"line {number} was changed: its hash does not fit")
    elif prev != reading.head:
        _fault(reading, f"line {number} does not follow the line before it (expected record {expected})")
    reading.head = stated
    record = record_of(body + b"}")
    if record is None:
        _fault(reading, f"line {number} is not a record")
        return
    if record.seq != expected:
        _fault(reading, f"line {number} is record {record.seq}, expected record {expected}")
    reading.records.append(record)
    reading.hashes.append(stated)


def record_of(text: bytes) -> Record | None:
    """The record that a JSON object says, each part of the kind that `Record` states; None for anything else."""
    try:
        found = json.loads(text)
        record = Record(found["seq"], found["t_ns"], found["kind"], found["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    fits = type(record.seq) is type(record.t_ns) is int and type(record.kind) is str and type(record.data) is dict
    return record if fits and 0 <= record.seq < _BEYOND and -_BEYOND <= record.t_ns < _BEYOND else None


def _accounts_for(line: bytes, torn: bytes) -> bool:
    """True when `line` is a `reopened` record that carries the digest of `torn`."""
    digest = reopened(torn)["torn_sha256"].encode()
    return b'"kind":"reopened"' in line and b'"torn_sha256":"' + digest + b'"' in line


def _may_be_torn(torn: bytes, reading: Reading) -> bool:
    """True when these bytes can be the beginning of the next record, or blocks that the disk never wrote."""
    expected = reading.records[-1].seq + 1 if reading.records else 0
    head = b'{"seq":%d,"t_ns":' % expected
    if not torn.strip(b"\0"):
        return True
    seal = _SEAL.search(torn)
    whole_and_more = seal is not None and seal.end() < len(torn)
    return torn[: len(head)] == head[: len(torn)] and not whole_and_more


def _fault(reading: Reading, text: str) -> None:
    if len(reading.faults) < FAULTS_MAX:
        reading.faults.append(text)


def _encoder() -> Callable[[Any], str]:
    """JSON text with sorted keys and no blanks; raises `TypeError` or `ValueError` for what JSON cannot hold."""
    options = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False)
    make = getattr(_json_encoder, "c_make_encoder", None)
    if make is None:
        return options.encode
    # `encode` builds this C object anew on every call, which is a third of its cost; the bytes are the same.
    text = _json_encoder.encode_basestring_ascii
    chunks = make(None, options.default, text, None, ":", ",", True, False, False)
    return lambda data: "".join(chunks(data, 0))


_encode = _encoder()
