"""Both logs of a session in one order of time: the engine's `events.jsonl` and the gateway's `gateway.jsonl`."""

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from controller.record import manifest as manifests
from controller.vocabulary.chain import Record, read


class Entry(NamedTuple):
    """A record of either log: `t_ns` from the session's start (ns), `source` is `engine` or `gateway`."""

    t_ns: int
    source: str
    seq: int
    kind: str
    data: dict[str, Any]


def merged(folder: Path) -> Iterator[Entry]:
    """Every whole record of both logs, ordered by time, the gateway's first within one nanosecond.

    The gateway writes its own clock; the manifest's `clock.start_ns` brings it to the session's start. Raises
    `manifest.ManifestError` when the manifest cannot be read.
    """
    start_ns = manifests.read(folder)["clock"]["start_ns"]
    gateway = _entries(folder / manifests.GATEWAY, "gateway", start_ns)
    engine = _entries(folder / manifests.EVENTS, "engine", 0)
    yield from heapq.merge(gateway, engine, key=lambda entry: entry.t_ns)


def records(path: Path) -> list[Record]:
    """The whole records of one chained file; none when it does not exist."""
    return read(path.read_bytes()).records if path.exists() else []


def _entries(path: Path, source: str, start_ns: int) -> list[Entry]:
    found = [Entry(record.t_ns - start_ns, source, record.seq, record.kind, record.data) for record in records(path)]
    return sorted(found, key=lambda entry: entry.t_ns)
