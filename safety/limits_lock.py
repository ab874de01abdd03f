"""The lock of the limits: every compiled limit and constant by name and value, stored in `limits.lock`, with a hash.

It is made from the values that the program works with, not from the text that they are written in: a cap that changes
is seen, however it came about; a line that is written another way is not. The rules' tables and defaults are locked,
too. After a change that was meant,
`python -m safety.limits_lock --write "why" --date YYYY-MM-DD` stores it and adds it to the history. Nobody has signed
the limits yet: until a clinician has, `signed` says `unsigned: proposal` (`--signed "name, role"` says who did).
"""

import argparse
import dataclasses
import hashlib
import inspect
import json
import sys
from enum import Enum
from pathlib import Path

from safety import (
    guard,
    interlocks,
    joint,
    joint_limits,
    joint_memory,
    joint_prescribing,
    joint_rules,
    lately,
    limits,
    memory,
    orders,
    position,
    prescribing,
    rules,
    screening,
    stimulus,
    vetting,
)

STORED = Path(__file__).resolve().parent / "limits.lock"
UNSIGNED = "unsigned: proposal"
MODULES = (
    *(stimulus, orders, joint, limits, joint_limits, interlocks, position, memory, joint_memory),
    *(lately, prescribing, joint_prescribing, rules, joint_rules, vetting, guard, screening),
)
"""Where constants are; a name that several know belongs to the first of them."""
Plain = bool | int | str | None


def values() -> dict[str, Plain]:
    """Every limit and constant: "limits.CAPS.hand.amplitude_ua" > 25000. Raises `TypeError` for what is no value."""
    found: dict[str, Plain] = {}
    known: set[str] = set()
    for module in MODULES:
        short = module.__name__.removeprefix("safety.")
        for name, value in sorted(vars(module).items()):
            if inspect.isclass(value) and value.__module__ == module.__name__:
                _flatten(f"{short}.{name}", _of_class(value), found)
            elif name.isupper() and name not in known:
                known.add(name)
                _flatten(f"{short}.{name}", value, found)
    return found


def _of_class(kind: type) -> dict[str, object]:
    """What a class says by itself: the members of an enumeration, the defaults of fields."""
    if issubclass(kind, Enum):
        return {member.name: member for member in kind}
    if dataclasses.is_dataclass(kind):
        return {f.name: f.default for f in dataclasses.fields(kind) if f.default is not dataclasses.MISSING}
    return dict(getattr(kind, "_field_defaults", {}))


def _flatten(name: str, value: object, found: dict[str, Plain]) -> None:
    """Add the value, or each of its parts, under its name."""
    if isinstance(value, Enum):
        found[name] = value.value
    elif value is None or isinstance(value, bool | int | str):
        found[name] = value
    elif inspect.isfunction(value):
        found[name] = value.__name__
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            _flatten(f"{name}.{field.name}", getattr(value, field.name), found)
    elif isinstance(value, dict):
        for key, part in value.items():
            _flatten(f"{name}.{key.value if isinstance(key, Enum) else key}", part, found)
    elif isinstance(value, tuple | frozenset):
        parts = sorted(value) if isinstance(value, frozenset) else value
        for number, part in enumerate(parts):
            _flatten(f"{name}.{number}", part, found)
    else:
        raise TypeError(f"{name} is of no kind that can be locked: {value!r}")


def digest(of: dict[str, Plain]) -> str:
    """SHA-256, in hex, over all names and values."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()


def changes(before: dict[str, Plain], after: dict[str, Plain]) -> list[str]:
    """One line for each value that came, went or became another."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        old, new = (json.dumps(of[name]) if name in of else "nothing" for of in (before, after))
        if old != new:
            lines.append(f"{name}: {old} became {new}")
    return lines


def read(path: Path = STORED) -> dict[str, Plain]:
    """The values that were stored last, none when none were. Raises `ValueError` when their hash is not theirs."""
    if not path.is_file():
        return {}
    lock = json.loads(path.read_text(encoding="utf-8"))
    if digest(lock["values"]) != lock["sha256"]:
        raise ValueError(f"{path.name} was changed by hand: its hash is not that of its values")
    return dict(lock["values"])


def write(rationale: str, date: str, signed: str = UNSIGNED, path: Path = STORED) -> None:
    """Store the values of now. What it was before is in the history: when, why, who signed, what changed."""
    history = json.loads(path.read_text(encoding="utf-8"))["history"] if path.is_file() else []
    now = values()
    changed = changes(read(path), now) if history else [f"{len(now)} values"]
    entry = {"date": date, "rationale": rationale, "signed": signed, "sha256": digest(now), "changed": changed}
    lock = {
        "sha256": digest(now),
        "signed": signed,
        "rationale": rationale,
        "history": [*history, entry],
        "values": now,
    }
    path.write_text(json.dumps(lock, indent=1, sort_keys=False) + "\n", encoding="utf-8")


def main(arguments: list[str], path: Path = STORED) -> int:
    """Say what differs from the lock, or store it. Exit 0 equal, 1 different."""
    parser = argparse.ArgumentParser(prog="python -m safety.limits_lock")
    parser.add_argument("--write", metavar="RATIONALE", help="store the values of now, and why they changed")
    parser.add_argument("--date", help="the day of the change, YYYY-MM-DD")
    parser.add_argument("--signed", default=UNSIGNED, help="the clinician who signed these limits, with their role")
    options = parser.parse_args(arguments)
    if options.write is not None:
        if not options.write.strip() or screening.day_number(options.date) is None:
            parser.error("a change of limits needs a reason and its date: --write REASON --date YYYY-MM-DD")
        write(options.write.strip(), options.date, options.signed, path)
    found = changes(read(path), values())
    for line in found:
        print(line)
    print(f"{digest(values())} {'matches' if not found else 'differs from'} {path.name}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
