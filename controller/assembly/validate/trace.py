"""Traceability: which requirement answers which hazard, and which scenarios and tests prove it.

Hazards and requirements stand in `safety/hazards.yaml` and `safety/requirements.yaml`. A hazard is covered when at
least one proof of it is there: a scenario that passed, or a test that exists. Where the tests are not installed beside
the program (they are not shipped), the register's word is taken for them, and the report says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from controller.assembly.validate.model import Requirement
from controller.assembly.validate.run import PASSED, Result

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard of the register."""

    id: str
    title: str
    severity: int
    tests: tuple[str, ...]


@dataclass
class Trace:
    """Everything that is joined. `checked` says that the tests were looked for."""

    hazards: list[Hazard]
    requirements: dict[str, Requirement]
    results: Sequence[Result]
    checked: bool
    unknown: list[str] = field(default_factory=list)
    """Ids that a scenario or a requirement names and nobody knows."""

    def scenarios_of(self, hazard: Hazard) -> list[str]:
        """The scenarios that name the hazard, or that it names."""
        named = [each.scenario.id for each in self.results if hazard.id in each.scenario.hazards]
        here = {each.scenario.id for each in self.results}
        for test in hazard.tests:
            _, scenario, identity = test.partition("scenario:")
            if scenario and identity in here and identity not in named:
                named.append(identity)
        return named

    def proofs_of(self, hazard: Hazard) -> list[str]:
        """What proves it: scenarios that passed, tests that exist."""
        passed = {each.scenario.id for each in self.results if each.verdict == PASSED}
        proofs = [identity for identity in self.scenarios_of(hazard) if identity in passed]
        proofs += [test for test in hazard.tests if not test.startswith("scenario:") and self._exists(test)]
        return proofs

    def _exists(self, test: str) -> bool:
        return not self.checked or exists(test)

    def covered(self) -> list[Hazard]:
        """The hazards with a proof."""
        return [hazard for hazard in self.hazards if self.proofs_of(hazard)]

    def scenarios_for(self, requirement: str) -> list[str]:
        """The scenarios that name the requirement."""
        return [each.scenario.id for each in self.results if requirement in each.scenario.requirements]


@cache
def exists(test: str, root: Path = ROOT) -> bool:
    """A test's file is there, and holds the test where one is named."""
    path, _, name = test.partition("::")
    file = root / path
    if not file.exists():
        return False
    name = name.split("[")[0].rpartition("::")[2]
    return not name or f"def {name}(" in file.read_text(encoding="utf-8")


def _shipped(name: str) -> Mapping[str, Any]:
    place = files("safety").joinpath(name)
    loaded: Any = yaml.safe_load(place.read_text(encoding="utf-8")) if place.is_file() else {}
    return loaded if isinstance(loaded, dict) else {}


def hazards() -> list[Hazard]:
    """The register; nothing where there is none."""
    entries: Iterable[Mapping[str, Any]] = _shipped("hazards.yaml").get("hazards", ())
    return [
        Hazard(str(each["id"]), str(each["title"]), int(each["severity"]), tuple(map(str, each.get("tests") or ())))
        for each in entries
    ]


def requirements() -> dict[str, Requirement]:
    """The requirements. Raises ValueError for a table that cannot be read."""
    entries: Mapping[str, Any] = _shipped("requirements.yaml").get("requirements", {})
    try:
        return {name: Requirement.model_validate(each) for name, each in entries.items()}
    except ValidationError as refused:
        raise ValueError(f"safety/requirements.yaml: {refused.errors()[0]['msg']}") from None


def trace(results: Sequence[Result]) -> Trace:
    """Join results, requirements and hazards."""
    register, wanted = hazards(), requirements()
    joined = Trace(register, wanted, results, (ROOT / "tests").is_dir())
    ids = {hazard.id for hazard in register}
    named: list[tuple[str, Sequence[str]]] = [(each.scenario.id, each.scenario.hazards) for each in results]
    named += [(name, each.hazards) for name, each in wanted.items()]
    if register:
        joined.unknown += [f"{by} names {one}" for by, many in named for one in many if one not in ids]
    for each in results:
        known = (one for one in each.scenario.requirements if one not in wanted)
        joined.unknown += [f"{each.scenario.id} names {one}" for one in known]
    return joined
