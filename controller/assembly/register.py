"""The hazard register, `safety/hazards.yaml`, read and checked: what `validate` traces and `docs/HAZARDS.md` shows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import safety

REGISTER = Path(safety.__file__).parent / "hazards.yaml"
LAYERS = ("person", "protocol", "screen", "engine", "guard", "gateway", "driver", "unit")
SCENARIO = "scenario:"
"""How a test id begins that is a scenario of `stimloop validate`."""
_KEYS = {"id", "title", "severity", "mitigations", "tests", "residual"}
_ID = re.compile(r"H\d\d")


class RegisterError(ValueError):
    """The register is not what it must be; one sentence that names the hazard and the fix."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One way to come to harm. `mitigations` are (layer, what it does), from the person to the unit.

    `tests` are files, `file::test`, or `scenario:S01`; `severity` is 1 (discomfort) to 4 (life-threatening).
    """

    id: str
    title: str
    severity: int
    mitigations: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]
    residual: str

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios of `stimloop validate` among its tests."""
        return tuple(test.removeprefix(SCENARIO) for test in self.tests if test.startswith(SCENARIO))


@dataclass(frozen=True, slots=True)
class Register:
    """All hazards in the order of their numbers, and what each severity is called."""

    severities: Mapping[int, str]
    hazards: tuple[Hazard, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The numbers of all hazards."""
        return tuple(hazard.id for hazard in self.hazards)


def read(text: str) -> Register:
    """The register in `text`. Raises RegisterError: a number out of order, an unknown key or layer, an empty list."""
    data = yaml.safe_load(text)
    severities = data["severities"]
    hazards = tuple(_hazard(entry, severities) for entry in data["hazards"])
    for place, hazard in enumerate(hazards, start=1):
        if hazard.id != f"H{place:02d}":
            raise RegisterError(f"{hazard.id} stands in place {place}: numbers rise by one and none is used again.")
    return Register(severities, hazards)


def _hazard(entry: dict[str, Any], severities: Mapping[int, str]) -> Hazard:
    name = str(entry.get("id", "?"))
    if not _ID.fullmatch(name):
        raise RegisterError(f"{name!r} is no number of a hazard: write H and two digits.")
    if set(entry) != _KEYS:
        wrong = ", ".join(sorted(set(entry) ^ _KEYS))
        raise RegisterError(f"{name}: these keys are missing or unknown: {wrong}.")
    if entry["severity"] not in severities:
        raise RegisterError(f"{name}: severity {entry['severity']!r} is none of {', '.join(map(str, severities))}.")
    unknown = set(entry["mitigations"]) - set(LAYERS)
    if unknown or not entry["mitigations"]:
        raise RegisterError(f"{name}: name at least one layer of {', '.join(LAYERS)}; unknown: {sorted(unknown)}.")
    if not entry["tests"] or len(set(entry["tests"])) != len(entry["tests"]):
        raise RegisterError(f"{name}: name at least one test, and each once.")
    mitigations = tuple((layer, entry["mitigations"][layer]) for layer in LAYERS if layer in entry["mitigations"])
    return Hazard(name, entry["title"], entry["severity"], mitigations, tuple(entry["tests"]), entry["residual"])


@cache
def shipped() -> Register:
    """The register of this program."""
    return read(REGISTER.read_text(encoding="utf-8"))
