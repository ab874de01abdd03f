"""What `stimloop doctor` looks at: versions, self-test, processors, clock, folders, terminal (ports: `doctor_ports`).

Each check returns findings and changes nothing on the machine, except that the runtime folder is made, as every
session does. What a check needs of the machine is an argument, so that tests can bring a machine of their own.
"""

import importlib.metadata
import locale
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from controller.channel.stopline import runtime_folder
from controller.clock import wall_day
from controller.gateway.authorisation import default_path, read
from controller.record.manifest import default_root

PYTHONS = ((3, 11), (3, 13))
"""First and last version of Python that is supported."""
PARTS = ("stimloop", "textual", "pyserial", "numpy", "transitions", "PyYAML", "pint", "pydantic")
STRANGER = "safety"
"""A distribution on the package index that has the import name of our `safety`."""
COLUMNS_MIN, LINES_MIN = 80, 24
FREE_BYTES_MIN = 500 * 1000 * 1000
RESOLUTION_S_MAX = 0.001
SOCKET_PATH_MAX = 107
"""Characters of a socket's path that the system takes."""
_LONGEST_SOCKET = "gateway-4194304.sock"


class Level(StrEnum):
    """How bad it is: fine; worth knowing, or in the way of some uses; in the way of a session."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, what was found, and what to do ("" when nothing is to be done)."""

    level: Level
    name: str
    text: str
    todo: str = ""

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


Check = Callable[[], list[Finding]]


def examine(checks: Mapping[str, Check]) -> list[Finding]:
    """Run all checks, in order. A check that cannot be made is a fault of that name."""
    findings: list[Finding] = []
    for name, check in checks.items():
        try:
            findings += check()
        except (OSError, ImportError, ValueError) as error:
            findings.append(Finding(Level.FAULT, name, f"could not be looked at: {error}", "see to that first"))
    return findings


# -- the program ------------------------------------------------------------------------------------------------------


def system(name: str = platform.system(), machine: str = platform.machine()) -> list[Finding]:
    """Linux; macOS with the simulator; nothing else yet."""
    text = f"{name} {machine}"
    if name == "Linux":
        return [Finding(Level.OK, "system", text)]
    if name == "Darwin":
        return [Finding(Level.NOTE, "system", text, "macOS is best effort, and for the simulator only")]
    return [Finding(Level.FAULT, "system", text, "use Linux; other systems are not supported yet")]


def python(version: tuple[int, int, int] = sys.version_info[:3]) -> list[Finding]:
    """Within the supported versions."""
    text = ".".join(str(part) for part in version)
    if PYTHONS[0] <= version[:2] <= PYTHONS[1]:
        return [Finding(Level.OK, "Python", text)]
    return [Finding(Level.FAULT, "Python", text, "install with Python 3.11, 3.12 or 3.13")]


def versions(find: Callable[[str], str] = importlib.metadata.version) -> list[Finding]:
    """What is installed, and that the stranger with our package's name is not."""
    findings = []
    for name in PARTS:
        try:
            findings.append(Finding(Level.OK, name, find(name)))
        except importlib.metadata.PackageNotFoundError:
            findings.append(Finding(Level.FAULT, name, "not installed", "install stimloop again: make install"))
    try:
        found = find(STRANGER)
    except importlib.metadata.PackageNotFoundError:
        return findings
    todo = "take it out: pip uninstall safety (for known weaknesses use pip-audit)"
    return [*findings, Finding(Level.FAULT, STRANGER, f"{found} of the package index hides stimloop's own", todo)]


def own_test() -> list[Finding]:
    """The start-up self-test."""
    from controller.gateway.selftest import self_test

    faults = self_test()
    if not faults:
        return [Finding(Level.OK, "self-test", "packages from one place, safety/ matches its digest")]
    return [Finding(Level.FAULT, "self-test", fault, "until then nothing may be armed") for fault in faults]


def authorisation(path: Path | None = None, today: date | None = None) -> list[Finding]:
    """Whether real units may be used here, as far as the file says."""
    today = today or date.fromisoformat(wall_day()[0])
    book = read(path or default_path(), today)
    if book.missing:
        todo = "fine with simulated devices; for real ones: stimloop authorise new FILE"
        return [Finding(Level.NOTE, "authorisation", f"no file {book.path}", todo)]
    if book.fault:
        return [Finding(Level.FAULT, "authorisation", book.fault, "until then no real unit can be armed")]
    over = [entry for entry in book.entries if entry.expires < today]
    text = f"{book.path}: {len(book.entries) - len(over)} valid, {len(over)} expired"
    if over or not book.entries:
        todo = "have what is still needed renewed by its approver"
        return [Finding(Level.NOTE, "authorisation", text, todo)]
    return [Finding(Level.OK, "authorisation", text)]


# -- the machine ------------------------------------------------------------------------------------------------------


def processors(count: int | None = None) -> list[Finding]:
    """Screen, engine and gateway run side by side."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    count = usable if count is None else count
    if count >= 2:
        return [Finding(Level.OK, "processors", str(count))]
    todo = "give the program two: on one, drawing the screen delays the help"
    return [Finding(Level.NOTE, "processors", f"{count} for three processes", todo)]


def clock(boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)) -> list[Finding]:
    """A clock that goes on while the computer sleeps, so that the gap is noticed."""
    if boot is None:
        todo = "fine with simulated devices; a sleep of the computer would go unnoticed"
        return [Finding(Level.NOTE, "clock", "no CLOCK_BOOTTIME here", todo)]
    resolution_s = time.clock_getres(boot)
    text = f"CLOCK_BOOTTIME, resolution {resolution_s * 1e9:.0f} ns"
    if resolution_s <= RESOLUTION_S_MAX:
        return [Finding(Level.OK, "clock", text)]
    return [Finding(Level.FAULT, "clock", text, "use a machine whose clock resolves 1 ms")]


def runtime() -> list[Finding]:
    """The folder of the STOP socket: there, of this user alone, and not too deep for a socket."""
    try:
        folder = runtime_folder()
    except OSError as error:
        return [Finding(Level.FAULT, "runtime folder", str(error), "make it usable: without it no session can start")]
    if len(str(folder / _LONGEST_SOCKET)) > SOCKET_PATH_MAX:
        return [Finding(Level.FAULT, "runtime folder", f"{folder} is too long", "set XDG_RUNTIME_DIR to a short path")]
    mode = folder.stat().st_mode & 0o777
    if mode != 0o700:
        return [Finding(Level.FAULT, "runtime folder", f"{folder} has mode {mode:o}", f"chmod 700 {folder}")]
    return [Finding(Level.OK, "runtime folder", f"{folder}, for this user alone")]


def data_folder(root: Path | None = None, free_bytes: int | None = None) -> list[Finding]:
    """Where records go: writable, with room. It is not made here; the nearest folder above it is looked at."""
    root = default_root() if root is None else root
    there = next((folder for folder in (root, *root.parents) if folder.exists()), Path("/"))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        todo = "give yourself the right to write there, or set STIMLOOP_DATA to another folder"
        return [Finding(Level.FAULT, "data folder", f"{root}: {there} cannot be written to", todo)]
    free = shutil.disk_usage(there).free if free_bytes is None else free_bytes
    text = f"{root}, {free / 1e9:.1f} GB free"
    if free >= FREE_BYTES_MIN:
        return [Finding(Level.OK, "data folder", text)]
    return [Finding(Level.NOTE, "data folder", text, "make room: under 0.5 GB a long session may not fit")]


# -- the terminal -----------------------------------------------------------------------------------------------------


def terminal_size() -> tuple[int, int] | None:
    """(columns, lines) of the terminal that the screen would use; None without one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    size = os.get_terminal_size(sys.stdout.fileno())
    return size.columns, size.lines


def terminal(
    size: tuple[int, int] | None = None,
    environment: Mapping[str, str] = os.environ,
    encoding: str = locale.getpreferredencoding(False),
) -> list[Finding]:
    """Large enough, with colours, in UTF-8. Without a terminal the rest cannot be told."""
    if size is None:
        todo = "the therapist's screen needs one; without it: stimloop demo --headless"
        return [Finding(Level.NOTE, "terminal", "input or output is no terminal", todo)]
    columns, lines = size
    kind = environment.get("TERM", "")
    text = f"{columns} x {lines}, TERM={kind or '(not set)'}"
    findings = []
    if not (columns >= COLUMNS_MIN and lines >= LINES_MIN):
        findings.append(Finding(Level.FAULT, "terminal", text, f"enlarge it to {COLUMNS_MIN} x {LINES_MIN} or more"))
    elif kind in ("", "dumb"):
        findings.append(Finding(Level.FAULT, "terminal", text, "use a terminal that can draw, or set TERM rightly"))
    else:
        findings.append(Finding(Level.OK, "terminal", text))
    if encoding.upper().replace("-", "") != "UTF8":
        todo = "set LANG to a UTF-8 locale, for example C.UTF-8"
        findings.append(Finding(Level.NOTE, "characters", f"{encoding}: charts need UTF-8", todo))
    return [*findings, _colours(kind, environment)]


def _colours(kind: str, environment: Mapping[str, str]) -> Finding:
    if environment.get("NO_COLOR"):
        return Finding(
            Level.NOTE, "colours", "NO_COLOR is set: screens are drawn without colour", "unset it for colour"
        )
    if environment.get("COLORTERM") in ("truecolor", "24bit") or kind.endswith("-direct"):
        return Finding(Level.OK, "colours", "all")
    if "256" in kind:
        return Finding(Level.OK, "colours", "256")
    return Finding(
        Level.NOTE, "colours", "few, as far as TERM says", "nothing is told by colour alone; it is just plainer"
    )
