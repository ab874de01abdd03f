"""The authorisation file: who may use which real unit for what, until when. Read once, at the start; it is TOML.

An entry grants one operator one stage on one unit. What is wrong anywhere in the file voids the whole file: nobody
should have to guess which half of it counts. Nothing here reads a clock: `check` is told which day it is.
"""

import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from controller.vocabulary.stages import GRANTED, Stage

NAME = "authorisation.toml"
FORMAT = 1
BYTES_MAX = 65_536
ENTRIES_MAX = 200
TEXT_MAX = 120
LASTS_DAYS_MAX = 366
"""An entry has to be renewed at least each year."""
_HEAD = re.compile(r"\s*\[\[\s*authorisation\s*\]\]")
_NEEDED = ("unit", "operator", "stage", "approver", "approved", "expires")
_RECORDS = {Stage.RESISTOR_BOX: "resistor_box", Stage.BUTTON_TRIGGERED: "button_triggered"}
_KNOWN = (*_NEEDED, "port", *_RECORDS.values())


@dataclass(frozen=True, slots=True)
class Entry:
    """One operator's permission on one unit: both days included. `port` is "usb:SERIAL" or "" for any."""

    unit: str
    operator: str
    stage: Stage
    approver: str
    approved: date
    expires: date
    port: str
    line: int


@dataclass(frozen=True, slots=True)
class Book:
    """What a file grants. With a `fault` (one sentence: file, line, what is wrong, how to mend it) it grants nothing.

    `missing` says that there is no file, which is no fault where nothing real is connected.
    """

    path: str = ""
    site: str = ""
    sha256: str = ""
    entries: tuple[Entry, ...] = ()
    fault: str = ""
    missing: bool = False


NO_BOOK = Book(missing=True)


class _Wrong(ValueError):
    """What is wrong, and the number of the entry (-1: the file itself) and the key it is about."""

    def __init__(self, text: str, entry: int = -1, key: str = "") -> None:
        super().__init__(text)
        self.entry = entry
        self.key = key


def default_path() -> Path:
    """$XDG_CONFIG_HOME/stimloop/authorisation.toml, else ~/.config/stimloop/authorisation.toml."""
    base = os.environ.get("XDG_CONFIG_HOME") or ""
    folder = Path(base) if base.startswith("/") else Path.home() / ".config"
    return folder / "stimloop" / NAME


def read(path: Path, today: date) -> Book:
    """The file as of `today`. Never raises: what is wrong is the book's `fault`."""
    try:
        content = _content(path)
    except FileNotFoundError:
        return Book(str(path), missing=True)
    except (OSError, ValueError) as error:
        return Book(str(path), fault=f"{path}: {_told(error)}")
    return check(content, str(path), today)


def check(content: bytes, path: str, today: date) -> Book:
    """The same for bytes that were read already."""
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        text = content.decode("utf-8")
        site, entries = _entries(tomllib.loads(text), text, today)
    except _Wrong as wrong:
        line = _line_of(text, wrong.entry, wrong.key)
        return Book(path, sha256=sha256, fault=f"{path}{f', line {line}' if line else ''}: {wrong}")
    except (ValueError, RecursionError) as error:
        how = "Write it as in `stimloop authorise new`."
        return Book(path, sha256=sha256, fault=f"{path}: this is no TOML file ({_told(error)}). {how}")
    return Book(path, site, sha256, entries)


# -- the file itself -------------------------------------------------------------------------------------------------


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("this is no plain file. Name the file itself.")
        _guarded(found, "it", path)
        folder = os.stat(path.resolve().parent)
        if not folder.st_mode & stat.S_ISVTX:
            _guarded(folder, "its folder", path.resolve().parent)
        if found.st_size > BYTES_MAX:
            raise ValueError(f"it is larger than {BYTES_MAX} bytes. Keep the entries that are still needed.")
        return os.read(descriptor, BYTES_MAX + 1)
    finally:
        os.close(descriptor)


def _guarded(found: os.stat_result, what: str, path: Path) -> None:
    """Nobody but its owner may be able to change it, and the owner is this user or the administrator."""
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ValueError(f"others than its owner can change {what}. Take that away: chmod go-w {path}")
    if found.st_uid not in (0, os.geteuid()):
        raise ValueError(f"{what} belongs to another user. It must belong to the operator's account or to root.")


def _told(error: Exception) -> str:
    return (error.strerror or "it cannot be read") if isinstance(error, OSError) else str(error)


# -- its content -----------------------------------------------------------------------------------------------------


def _entries(data: Mapping[str, Any], text: str, today: date) -> tuple[str, tuple[Entry, ...]]:
    for key in data:
        if key not in ("format", "site", "authorisation"):
            raise _Wrong(f"there is no `{key}` here; there are format, site and [[authorisation]].", -1, key)
    if type(data.get("format")) is not int or data["format"] != FORMAT:
        raise _Wrong(f"`format` must be {FORMAT}.", -1, "format")
    site = _text(data, "site", -1)
    rows = data.get("authorisation", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _Wrong("write each entry below a line [[authorisation]].", -1, "authorisation")
    if len(rows) > ENTRIES_MAX:
        raise _Wrong(f"there are more than {ENTRIES_MAX} entries. Take out those that have expired.")
    entries: list[Entry] = []
    for number, row in enumerate(rows):
        entry = _entry(row, number, _line_of(text, number, ""), today)
        for other in entries:
            if (other.unit, other.operator, other.port) == (entry.unit, entry.operator, entry.port):
                said = f"{entry.operator} has an entry for {entry.unit} on line {other.line} already."
                raise _Wrong(f"{said} Keep one of them.", number, "unit")
        entries.append(entry)
    return site, tuple(entries)


def _entry(row: Mapping[str, Any], number: int, line: int, today: date) -> Entry:
    for key in row:
        if key not in _KNOWN:
            raise _Wrong(f"an entry has no `{key}`; it has {', '.join(_KNOWN)}.", number, key)
    for key in _NEEDED:
        if key not in row:
            raise _Wrong(f"this entry has no `{key}`. Add it.", number)
    word = _text(row, "stage", number)
    stage = next((known for known in GRANTED if known == word), None)
    if stage is None:
        raise _Wrong(f'"{word}" is no stage; there are {", ".join(GRANTED)}.', number, "stage")
    port = _text(row, "port", number) if "port" in row else ""
    if port and not re.fullmatch(r"usb:\S+", port):
        raise _Wrong('`port` names a serial number: "usb:A50285BI" (see `stimloop devices`).', number, "port")
    approved, expires = _day(row, "approved", number), _day(row, "expires", number)
    if approved > today:
        raise _Wrong(f"`approved` is {approved}, which is after today ({today}).", number, "approved")
    if not approved <= expires:
        raise _Wrong(f"it expires ({expires}) before it was approved ({approved}).", number, "expires")
    if (expires - approved).days > LASTS_DAYS_MAX:
        raise _Wrong(f"an entry lasts {LASTS_DAYS_MAX} days at most. Choose an earlier `expires`.", number, "expires")
    _records(row, number, stage, approved)
    unit, operator, approver = (_text(row, key, number) for key in ("unit", "operator", "approver"))
    return Entry(unit, operator, stage, approver, approved, expires, port, line)


def _records(row: Mapping[str, Any], number: int, stage: Stage, approved: date) -> None:
    """A later stage is unlocked by the dated records of the earlier ones, done in their order."""
    before: date | None = None
    earlier = GRANTED[: GRANTED.index(stage)]
    for done in GRANTED[:-1]:
        key = _RECORDS[done]
        if done not in earlier:
            if key in row:
                raise _Wrong(f'`{key}` belongs to an entry of a later stage than "{stage}".', number, key)
            continue
        record = row.get(key)
        if not isinstance(record, dict) or set(record) != {"done", "by"}:
            how = f'{key} = {{ done = 2026-01-31, by = "name" }}'
            raise _Wrong(f'the stage "{stage}" needs the record of "{done}" before it: {how}', number, key)
        day = _day(record, "done", number, key)
        _text(record, "by", number, key)
        if before is not None and day < before:
            raise _Wrong(f'"{done}" was done on {day}, before the stage that comes first.', number, key)
        if day > approved:
            raise _Wrong(f'"{done}" was done on {day}, after this entry was approved ({approved}).', number, key)
        before = day


def _text(row: Mapping[str, Any], key: str, number: int, at: str = "") -> str:
    value = row.get(key)
    good = isinstance(value, str) and value == value.strip() and value.isprintable() and 0 < len(value) <= TEXT_MAX
    if not good:
        raise _Wrong(f"`{key}` must be a text of 1 to {TEXT_MAX} characters in quotes.", number, at or key)
    return str(value)


def _day(row: Mapping[str, Any], key: str, number: int, at: str = "") -> date:
    value = row.get(key)
    if type(value) is not date:
        raise _Wrong(f"`{key}` must be a date without quotes: 2026-01-31.", number, at or key)
    return value


def _line_of(text: str, entry: int, key: str) -> int:
    """The line of `key` in the entry of that number (-1: before the first), as far as it can be found; else 0."""
    found, number = -1, 0
    is_key: Callable[[str], object] = re.compile(rf"\s*\[?\s*(authorisation\s*\.\s*)?\"?{re.escape(key)}\b").match
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if _HEAD.match(line):
            found += 1
            start = number if found == entry else start
        if found == entry and key and is_key(line) and not _HEAD.match(line):
            return number
    return start


def template(site: str, unit: str, operator: str, approver: str, today: date, expires: date) -> str:
    """A new file for the first stage, with the later stages explained in it. `stimloop authorise new` writes it."""
    named = {"site": site, "unit": unit, "operator": operator, "approver": approver}
    quoted = {key: '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for key, value in named.items()}
    return _TEMPLATE.format(**quoted, approved=today.isoformat(), expires=expires.isoformat())


_TEMPLATE = """\
# Which real unit may be used by whom, for what, until when. Without a valid entry a real unit cannot be armed.
# Research software, not a medical device: whoever signs here answers for it.
# Only its owner may be able to change this file: chmod go-w authorisation.toml
format = 1
site = {site}

[[authorisation]]
unit = {unit}                # as the unit names itself; the check list shows it
operator = {operator}        # as given with --operator
approver = {approver}
approved = {approved}
expires = {expires}          # within a year
stage = "resistor box"       # current into a test load alone, patient RESISTOR
# port = "usb:A50285BI"      # needed for units that cannot say a serial number of their own

# The next stage is unlocked by the record of the one before it:
#   stage = "button-triggered"
#   resistor_box = {{ done = 2026-01-31, by = "name" }}
# and the last by both:
#   stage = "closed loop"
#   resistor_box = {{ done = 2026-01-31, by = "name" }}
#   button_triggered = {{ done = 2026-02-28, by = "name" }}
"""
