"""The validation report as data: verdict, versions, scenarios, traceability, stop times; and as text and JUnit."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from controller.assembly.validate.run import FAILED, NOT_YET, PASSED, Result
from controller.assembly.validate.trace import Trace
from safety.digest import compute

PACKAGES = ("stimloop", "pydantic", "pyyaml", "transitions", "pint", "numpy")
BIN_MS = 25
STOP_KIND = "scenarios"


@dataclass(frozen=True, slots=True)
class Stops:
    """Stop times of one kind: how many, the longest, their spread as (from ms, how many), the bound (0: none)."""

    number: int
    longest_ms: float
    bins: Sequence[tuple[int, int]]
    bound_ms: float = 0.0

    @property
    def good(self) -> bool:
        """Within the bound, where there is one."""
        return not self.bound_ms or self.longest_ms <= self.bound_ms


@dataclass(frozen=True)
class Report:
    """Everything that a report says. `stops` are stop times by kind."""

    results: Sequence[Result]
    trace: Trace
    stops: Mapping[str, Stops]
    took_s: float

    def count(self, verdict: str) -> int:
        """Scenarios with that verdict."""
        return sum(each.verdict == verdict for each in self.results)

    @property
    def passed(self) -> bool:
        """No scenario failed, every id that is named is known, and no stop took longer than its bound."""
        on_time = all(stops.good for stops in self.stops.values())
        return self.count(FAILED) == 0 and not self.trace.unknown and on_time

    @property
    def versions(self) -> dict[str, str]:
        """What was validated, and on what."""
        found = {"python": platform.python_version(), "safety_digest": compute()}
        for package in PACKAGES:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
        return found

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "verdict": "PASS" if self.passed else "FAIL",
            "scenarios": {
                "total": len(self.results),
                "passed": self.count(PASSED),
                "failed": self.count(FAILED),
                "not_yet": self.count(NOT_YET),
            },
            "hazards": {"total": len(self.trace.hazards), "covered": len(self.trace.covered())},
            "stop_ms": {
                "n": sum(stops.number for stops in self.stops.values()),
                "max": max((stops.longest_ms for stops in self.stops.values()), default=None),
                **{kind: {"n": stops.number, "max": stops.longest_ms} for kind, stops in self.stops.items()},
            },
            "failed": [each.scenario.id for each in self.results if each.verdict == FAILED],
            "not_yet": [each.scenario.id for each in self.results if each.verdict == NOT_YET],
            "versions": self.versions,
            "took_s": round(self.took_s, 1),
        }


def stop_times(results: Sequence[Result], campaign: Path | None = None) -> dict[str, Stops]:
    """Stop times of the scenarios, and those at the skin of a campaign (`python -m controller.assembly.stop_times`).

    Raises ValueError for a file that is no such campaign.
    """
    measured = [value for each in results for value in each.stop_ms]
    found = {STOP_KIND: Stops(len(measured), max(measured), histogram(measured))} if measured else {}
    if campaign is not None:
        try:
            told = json.loads(campaign.read_text(encoding="utf-8"))
            for kind, entry in told["kinds"].items():
                skin = entry["skin"]
                bins = sorted((int(edge), int(count)) for edge, count in skin.get("histogram", {}).items())
                if entry["n"] and bins:
                    bound_ms = float(skin["bound_ms"])
                    found[f"{told['unit']}: {kind}"] = Stops(int(entry["n"]), float(skin["p100_ms"]), bins, bound_ms)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{campaign} holds no campaign of stop times ({error})") from None
    return found


def histogram(values: Sequence[float]) -> list[tuple[int, int]]:
    """(from ms, how many) in bins of `BIN_MS`, empty ones inside included."""
    if not values:
        return []
    counts: dict[int, int] = {}
    for value in values:
        counts[int(value // BIN_MS)] = counts.get(int(value // BIN_MS), 0) + 1
    return [(number * BIN_MS, counts.get(number, 0)) for number in range(min(counts), max(counts) + 1)]


def text(report: Report, every: bool = False) -> str:
    """For the terminal. Checks are told of scenarios that failed, with `every` of all."""
    lines = []
    for result in report.results:
        lines.append(headline(result))
        if result.verdict == FAILED or every:
            lines += _told(result, every)
    lines += ["", *_summary(report)]
    return "\n".join(lines)


def headline(result: Result) -> str:
    """A scenario in one line."""
    scenario = result.scenario
    cases = f", {len(result.cases)} cases" if len(result.cases) > 1 else ""
    why = f" (waits for {scenario.waits_for})" if scenario.waits_for else ""
    where = ", real processes" if result.real else ""
    simulated = sum(case.simulated_s for case in result.cases)
    return (
        f"{result.verdict:<8}{scenario.id:<6}{scenario.name}{why}"
        f"  [seed {scenario.seed}{cases}{where}, {simulated:.0f} s simulated in {result.took_s:.1f} s]"
    )


def _told(result: Result, every: bool) -> list[str]:
    lines = []
    for case in result.cases:
        if case.name and (every or not case.good):
            lines.append(f"          {case.name}:")
        for each in case.found:
            if every or not each.good:
                sign = "ok  " if each.good else "FAIL"
                lines.append(f"          {sign} {each.check}: wanted {each.wanted}, found {each.found}")
        lines += [f"          FAIL at the skin: {violation}" for violation in case.violations]
    return lines


def _summary(report: Report) -> list[str]:
    told, trace = report.as_json(), report.trace
    scenarios, hazards = told["scenarios"], told["hazards"]
    lines = [
        f"scenarios  {scenarios['total']} in all: {scenarios['passed']} passed, {scenarios['failed']} failed, "
        f"{scenarios['not_yet']} not yet",
        f"hazards    {hazards['covered']} of {hazards['total']} have a proof"
        + ("" if trace.checked else " (the tests are not installed here: the register's word is taken)"),
    ]
    for kind, stops in report.stops.items():
        bound = f", bound {stops.bound_ms:.0f} ms{'' if stops.good else ': TOO LONG'}" if stops.bound_ms else ""
        lines.append(
            f"stop time  {kind}: {stops.number} stops, longest {stops.longest_ms:.0f} ms after the cause{bound}"
        )
    lines += [f"unknown    {entry}" for entry in trace.unknown]
    lines += [f"took       {report.took_s:.0f} s", "", "PASS" if report.passed else "FAIL"]
    return lines


def junit(report: Report) -> str:
    """JUnit XML: one suite, a case a scenario; `not yet` is skipped."""
    told = report.as_json()["scenarios"]
    counts = {"tests": told["total"], "failures": told["failed"], "skipped": told["not_yet"], "errors": 0}
    head = {"name": "stimloop validate", "time": f"{report.took_s:.2f}", **{k: str(v) for k, v in counts.items()}}
    suite = ElementTree.Element("testsuite", head)
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in report.versions.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})
    for result in report.results:
        scenario = result.scenario
        name = f"{scenario.id} {scenario.name}"
        given = {"classname": "scenarios", "name": name, "time": f"{result.took_s:.2f}"}
        case = ElementTree.SubElement(suite, "testcase", given)
        linked = ElementTree.SubElement(case, "properties")
        for key, values in (("requirement", scenario.requirements), ("hazard", scenario.hazards)):
            for value in values:
                ElementTree.SubElement(linked, "property", {"name": key, "value": value})
        ElementTree.SubElement(linked, "property", {"name": "seed", "value": str(scenario.seed)})
        if result.verdict == NOT_YET:
            ElementTree.SubElement(case, "skipped", {"message": f"waits for {scenario.waits_for}"})
        elif result.verdict == FAILED:
            failure = ElementTree.SubElement(case, "failure", {"message": "what was expected is not so"})
            failure.text = "\n".join(line.strip() for line in _told(result, every=False))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
