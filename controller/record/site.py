"""A site's whole data folder: the record of changes, and every session that it speaks of."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from controller.record import vouching
from controller.record.verify import Verification, verify
from controller.record.vouching import AUDIT
from controller.vocabulary.chain import GENESIS, Reading, Record, read

CHANGE = "change"
_DOSE = re.compile(r"sub-[A-Za-z0-9]{1,64}/dose-\d{4}-\d\d-\d\d\.jsonl")


@dataclass
class SiteVerification:
    """What was found in a data folder. `head` is number and hash of the last change: worth writing down elsewhere."""

    folder: str
    changes: int = 0
    head: str = f"-1:{GENESIS}"
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sessions: list[Verification] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing was changed, cut out or added, here or in a session."""
        return not self.faults and all(session.ok for session in self.sessions)

    @property
    def sentence(self) -> str:
        """The result in one line."""
        bad = sum(not session.ok for session in self.sessions)
        if self.faults or bad:
            first = self.faults[0] if self.faults else f"{bad} of {len(self.sessions)} sessions are not"
            return f"NOT intact: {first}"
        return f"intact: {self.changes} changes, {len(self.sessions)} sessions; last change {self.head}"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        found = asdict(self) | {"sessions": [session.as_dict() for session in self.sessions]}
        return {"ok": self.ok, **found, "sentence": self.sentence}


def is_site(folder: Path) -> bool:
    """A data folder, not a session's: it holds patients or the record of changes."""
    return (folder / AUDIT).is_file() or any(folder.glob("sub-*/ses-*"))


def verify_site(folder: Path, known: str = "") -> SiteVerification:
    """Check a data folder with all its sessions. `known` is a head that was written down earlier, `NUMBER:HASH`."""
    found = SiteVerification(str(folder))
    reading = changes_of(folder)
    found.faults += [f"{AUDIT}: {fault}" for fault in reading.faults]
    if reading.torn:
        found.notes.append(f"{AUDIT}: the last line is torn, {len(reading.torn)} bytes of it are there")
    found.changes = sum(record.kind == CHANGE for record in reading.records)
    if reading.hashes:
        found.head = f"{len(reading.hashes) - 1}:{reading.hashes[-1]}"
    number, _, digest = known.partition(":")
    if known and not (number.isdigit() and reading.hashes[int(number) : int(number) + 1] == [digest]):
        found.faults.append(f"{AUDIT} does not hold record {number} as it was written down elsewhere")
    there = {f"{path.parent.name}/{path.name}": path for path in sorted(folder.glob("sub-*/ses-*")) if path.is_dir()}
    for name in dict.fromkeys(_sessions(reading)):
        if name not in there:
            found.faults.append(f"the session {name} is missing, {AUDIT} knows it")
    found.faults += _doses(folder, reading)
    found.sessions = [verify(path) for path in there.values()]
    return found


def _doses(folder: Path, changes: Reading) -> list[str]:
    """Faults: files of a day's dose that were kept once, and are gone or cut."""
    faults: dict[str, str] = {}
    for record in changes.records:
        name, new = str(record.data.get("subject")), record.data.get("new")
        if record.data.get("what") != "dose" or not _DOSE.fullmatch(name) or not isinstance(new, dict):
            continue
        path = folder / name
        fault = vouching.missing(new, read(path.read_bytes()), name) if path.is_file() else f"{name} is missing"
        if fault:
            faults.setdefault(name, f"{fault}, as {AUDIT} knows")
    return list(faults.values())


def changes_of(folder: Path) -> Reading:
    """The record of changes of a data folder; empty where there is none."""
    path = folder / AUDIT
    return read(path.read_bytes()) if path.is_file() else Reading()


def _sessions(reading: Reading) -> Iterator[str]:
    for record in reading.records:
        if record.kind == CHANGE and record.data.get("what") == "session":
            yield str(record.data.get("subject"))


def concerns(record: Record, patient: str) -> bool:
    """A change that is about this patient (a session's folder and a prescription begin with the pseudonym)."""
    subject = str(record.data.get("subject", ""))
    return subject == patient or subject.startswith((f"{patient} ", f"sub-{patient}/"))


def change_line(record: Record) -> str:
    """One change as text: when, who, what, from what to what, why."""
    data = record.data
    head = f"{data.get('at')}  {data.get('operator')}  {data.get('what')}, {data.get('subject')}"
    lines = [head]
    old, new = data.get("old"), data.get("new")
    before = old if isinstance(old, dict) else {}
    for name, value in (new if isinstance(new, dict) else {"value": new}).items():
        was = before.get(name)
        if value != was:
            lines.append(f"    {name}: {_word(was)} -> {_word(value)}")
    if data.get("reason"):
        lines.append(f"    why: {data.get('reason')}")
    return "\n".join(lines)


def _word(value: object) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)
