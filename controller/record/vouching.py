"""What the records of a site say of each other: a cut at the end of one is missed by another.

    events.jsonl   says how far the gateway's log was on disk (`gateway_head`), and how the files go that are no chains
    gateway.jsonl  says how far the journal was on disk (`events_head`), and how far audit.jsonl went (`audit_head`)
    audit.jsonl    says how far the gateway's log of a session went when the gateway ended (`session`)

What nothing can see: records cut off after the last time that another file spoke of them (seconds, for a session), and
a whole data folder put back to an earlier day. Against the second, write down the head of audit.jsonl elsewhere.
"""

import hashlib
from pathlib import Path
from typing import Any

from controller.record import manifest as manifests
from controller.vocabulary.chain import Reading, read

AUDIT = "audit.jsonl"
EVENTS_HEAD, GATEWAY_HEAD, AUDIT_HEAD = "events_head", "gateway_head", "audit_head"
FAULTS_MAX = 20


def audit_of(folder: Path) -> Reading | None:
    """The record of changes of the site that a session folder belongs to; None where there is none."""
    path = folder.resolve().parent.parent / AUDIT
    return read(path.read_bytes()) if path.is_file() else None


def heads(speaker: Reading, kind: str, spoken_of: Reading, by: str, of: str) -> list[str]:
    """Faults: records that `speaker` names and `spoken_of` does not have, or has differently."""
    found: list[str] = []
    for record in speaker.records:
        if record.kind == kind and len(found) < FAULTS_MAX:
            fault = missing(record.data, spoken_of, of)
            if fault:
                found.append(f"{fault}, as {by} knows")
    return found[:1]  # the first says all: what follows it is the same cut


def missing(named: dict[str, Any], reading: Reading, of: str) -> str:
    """The fault of a file that does not hold the record that another one names; "" when it does."""
    seq, digest = named.get("seq"), named.get("hash")
    if type(seq) is not int or type(digest) is not str:
        return ""
    if not seq < len(reading.hashes):
        return f"{of} was cut: record {seq} is missing"
    return "" if reading.hashes[seq] == digest else f"{of} is another one: record {seq} is not what it was"


def seals(audit: Reading, name: str, gateway: Reading) -> list[str]:
    """Faults: what the record of changes says of this session's gateway log at its end."""
    said = [record.data for record in audit.records if record.data.get("what") == "session"]
    mine = [data.get("new") for data in said if data.get("subject") == name]
    faults = [missing(new, gateway, manifests.GATEWAY) for new in mine if isinstance(new, dict)]
    return [f"{fault}, as {AUDIT} knows" for fault in faults if fault][:1]


def files(folder: Path, events: Reading) -> tuple[list[str], list[str]]:
    """(faults, notes) of the files that are no chains, by the last `files` record that speaks of each."""
    said: dict[str, tuple[int, str]] = {}
    for record in events.records:
        if record.kind == "files":
            for name, entry in record.data.items():
                if isinstance(entry, list) and len(entry) == 2 and Path(name).name == name:
                    said[name] = (int(entry[0]), str(entry[1]))
    faults: list[str] = []
    notes: list[str] = []
    for name, (count, digest) in said.items():
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        if len(content) < count:
            faults.append(f"{name} was cut: {len(content)} bytes are there of {count}")
        elif hashlib.sha256(content[:count]).hexdigest() != digest:
            faults.append(f"{name} was changed in its first {count} bytes")
        elif len(content) > count:
            notes.append(f"{name}: nothing vouches for its last {len(content) - count} bytes")
    return faults, notes
