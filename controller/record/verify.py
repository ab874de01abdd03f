"""Is a session folder what was written? Chains, digests, tables and where an interrupted session ends."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from controller.record import manifest as manifests
from controller.record import vouching
from controller.record.journal import CLOSED
from controller.record.tables import TRIAL_COLUMNS, header_line, line, trial_cells
from controller.vocabulary.chain import Reading, Record, read


@dataclass
class Verification:
    """What `verify` found. `ok` is False as soon as there is a fault; torn ends of a killed writer are `notes`."""

    folder: str
    ended: str = manifests.INTERRUPTED
    events: int = 0
    gateway_events: int = 0
    last_t_ns: int = 0
    torn_bytes: int = 0
    gateway_torn_bytes: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when nothing was changed, cut out, moved or added."""
        return not self.faults

    @property
    def sentence(self) -> str:
        """The result in one line."""
        if self.faults:
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            return f"NOT intact: {self.faults[0]}{more}"
        if self.ended != manifests.INTERRUPTED:
            return f"intact: {self.events} records, {self.gateway_events} of the gateway, ended: {self.ended}"
        if not self.events:
            return "intact: interrupted before the first record"
        return f"intact: interrupted after record {self.events - 1}, {self.last_t_ns / 1e9:.3f} s into the session"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.ok, **asdict(self), "sentence": self.sentence}


def verify(folder: Path) -> Verification:
    """Check a session folder. Never raises for what it finds in it; raises `NotADirectoryError` for no folder."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a session folder")
    found = Verification(str(folder))
    events = _chain(folder / manifests.EVENTS, found)
    gateway = _chain(folder / manifests.GATEWAY, found)
    found.events, found.torn_bytes = len(events.records), len(events.torn)
    found.gateway_events, found.gateway_torn_bytes = len(gateway.records), len(gateway.torn)
    found.last_t_ns = events.records[-1].t_ns if events.records else 0
    looks: list[tuple[str, Callable[[], None]]] = [
        (manifests.NAME, lambda: _manifest(folder, found, events)),
        ("the records that vouch for the files", lambda: _vouched(folder, found, events, gateway)),
        ("the first record", lambda: _protocol(folder, found, events.records)),
        ("the trial records", lambda: _trials(folder, found, events.records)),
        ("the motion", lambda: _motion(folder, found)),
    ]
    for what, look in looks:
        try:
            look()
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            # Sealed as it should be, and yet nothing that this program writes: a chain has no key.
            found.faults.append(f"{what}: not as stimloop writes it ({type(error).__name__})")
    return found


def _chain(path: Path, found: Verification) -> Reading:
    reading = read(path.read_bytes()) if path.exists() else Reading()
    found.faults += [f"{path.name}: {fault}" for fault in reading.faults]
    if reading.torn:
        found.notes.append(f"{path.name}: the last line is torn, {len(reading.torn)} bytes of it are there")
    return reading


def _manifest(folder: Path, found: Verification, events: Reading) -> None:
    try:
        manifest = manifests.read(folder)
    except manifests.ManifestError as error:
        if events.records or (folder / manifests.NAME).exists():
            found.faults.append(str(error))
        return
    found.ended = manifest["ended"]
    last = events.records[-1] if events.records else None
    closing = last.data.get("ended") if last is not None and last.kind == CLOSED else None
    if manifest["ended_at"] is None:
        if closing is not None:
            found.notes.append(f"killed while closing: the last record says it ended: {closing}")
        return
    if closing != found.ended:
        found.faults.append(f"{manifests.NAME} says ended: {found.ended}, the last record does not")
    if events.torn:
        found.faults.append(f"{manifests.EVENTS}: {len(events.torn)} bytes follow the last record of a closed session")
    _files(folder, found, manifest["files"])


def _vouched(folder: Path, found: Verification, events: Reading, gateway: Reading) -> None:
    """What the files say of each other: cuts at their ends."""
    faults = vouching.heads(gateway, vouching.EVENTS_HEAD, events, manifests.GATEWAY, manifests.EVENTS)
    faults += vouching.heads(events, vouching.GATEWAY_HEAD, gateway, manifests.EVENTS, manifests.GATEWAY)
    audit = vouching.audit_of(folder)
    if audit is not None:
        name = f"{folder.resolve().parent.name}/{folder.resolve().name}"
        faults += vouching.seals(audit, name, gateway)
        faults += vouching.heads(gateway, vouching.AUDIT_HEAD, audit, manifests.GATEWAY, vouching.AUDIT)
    elif any(record.kind == vouching.AUDIT_HEAD for record in gateway.records):
        found.notes.append(f"{vouching.AUDIT} is not here: what it knows of this session was not asked")
    if found.ended == manifests.INTERRUPTED:
        torn, notes = vouching.files(folder, events)
        faults += torn
        found.notes += notes
    found.faults += faults


def _files(folder: Path, found: Verification, listed: list[dict[str, Any]]) -> None:
    names = {entry["name"] for entry in listed}
    for entry in listed:
        path = folder / entry["name"]
        if not path.is_file():
            found.faults.append(f"{entry['name']} is missing")
            continue
        content = path.read_bytes()
        content = content[: entry["bytes"]] if entry.get("grows") else content
        if len(content) != entry["bytes"]:
            found.faults.append(f"{entry['name']} has {len(content)} bytes, {entry['bytes']} when it was closed")
        elif hashlib.sha256(content).hexdigest() != entry["sha256"]:
            found.faults.append(f"{entry['name']} was changed after the session was closed")
    for path in sorted(folder.iterdir()):
        if path.name not in names and path.name not in (manifests.NAME, manifests.GATEWAY):
            found.notes.append(f"{path.name} is not part of the session")


def _protocol(folder: Path, found: Verification, records: list[Record]) -> None:
    if not records:
        return
    header = records[0]
    stated = header.data.get("protocol_sha256")
    path = folder / manifests.PROTOCOL
    if stated and path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != stated:
        found.faults.append(f"{manifests.PROTOCOL} is not the protocol that the first record names")
    stated, path = header.data.get("resolved_sha256"), folder / manifests.RESOLVED
    if stated and path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != stated:
        found.faults.append(f"{manifests.RESOLVED} is not what the first record names")


def _trials(folder: Path, found: Verification, records: list[Record]) -> None:
    """The table must say what the chain says; its last rows may be missing after a kill."""
    path = folder / manifests.TRIALS
    if not records or not path.exists():
        return
    told = [line(trial_cells(record.t_ns, record.data)) for record in records if record.kind == "trial"]
    expected = b"".join([header_line(TRIAL_COLUMNS), *told])
    content = path.read_bytes()
    if content == expected:
        return
    if found.ended == manifests.INTERRUPTED and expected.startswith(content):
        rows = max(0, content.count(b"\n") - 1)
        found.notes.append(f"{manifests.TRIALS} ends after {rows} of {len(told)} trials; the chain has them all")
    else:
        found.faults.append(f"{manifests.TRIALS} does not say what the trial records say")


def _motion(folder: Path, found: Verification) -> None:
    for path in sorted(folder.glob("motion_*.json")):
        try:
            sidecar = json.loads(path.read_bytes())
            rows = folder / sidecar["file"]
            rest = rows.stat().st_size % sidecar["row_bytes"] if rows.exists() else 0
        except (ValueError, KeyError, TypeError, ZeroDivisionError, RecursionError):
            (found.notes if found.ended == manifests.INTERRUPTED else found.faults).append(f"{path.name} is not whole")
            continue
        if rest:
            found.notes.append(f"{rows.name}: the last row is torn, {rest} bytes of it are there")
