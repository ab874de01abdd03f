"""The report of a run that failed, the traceability, and the command's exit codes."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from controller.assembly.validate import report, trace
from controller.assembly.validate.checks import Found
from controller.assembly.validate.html import page
from controller.assembly.validate.reader import load_scenario, shipped_scenarios
from controller.assembly.validate.run import Case, Result

pytestmark = pytest.mark.hazard("H18", "H40")

REFUSED = """stimloop_scenario: 1
id: X-1
name: refused
given: a wrong unit
expected: that it is refused
requirements: [REQ-LIMIT-2]
hazards: [H11]
change: {channels.extensors.amplitude: 20 A}
expect:
  - {refused: UNT001}
"""


def a_report(good: bool) -> report.Report:
    paths = {path.stem: path for path in shipped_scenarios()}
    stop = load_scenario(paths["S29"])
    found = [Found("last pulse after stop", "<= 100 ms", "<b>12.0 ms</b>", good, 12.0)]
    cases = [Case("", found, [] if good else ["1.000 s stop: current"])]
    results = [Result(stop, paths["S29"], cases), Result(load_scenario(paths["S35"]), paths["S35"])]
    return report.Report(results, trace.trace(results), report.stop_times(results), 1.0)


def test_a_run_that_failed_says_so_everywhere() -> None:
    failed = a_report(good=False)
    told = failed.as_json()
    assert (told["verdict"], told["failed"], told["not_yet"]) == ("FAIL", ["S29"], ["S35"])
    assert report.text(failed).endswith("FAIL")
    assert "FAIL last pulse after stop: wanted <= 100 ms" in report.text(failed)
    assert "at the skin: 1.000 s stop: current" in report.text(failed)
    root = ElementTree.fromstring(report.junit(failed))
    assert (root.get("failures"), root.get("skipped")) == ("1", "1")
    assert ">FAIL<" in page(failed)
    assert "<b>12.0 ms</b>" not in page(failed), "what was found is text, not a tag"


def test_a_run_that_passed_says_so() -> None:
    passed = a_report(good=True)
    assert passed.as_json()["verdict"] == "PASS"
    assert report.text(passed).endswith("PASS")
    assert passed.as_json()["stop_ms"]["max"] == 12.0


def test_a_hazard_without_a_passing_scenario_or_a_test_has_no_proof() -> None:
    joined = a_report(good=False).trace
    lonely = trace.Hazard("H99", "x", 1, ("tests/nowhere.py::test_x", "scenario:S29", "scenario:S35"))
    assert joined.proofs_of(lonely) == []
    assert a_report(good=True).trace.proofs_of(lonely) == ["S29"]


def test_tests_are_looked_for() -> None:
    here = "tests/validate/test_validate_reports.py"
    assert trace.exists(here)
    assert trace.exists(f"{here}::test_tests_are_looked_for")
    assert trace.exists(f"{here}::test_tests_are_looked_for[a-b]")
    assert not trace.exists(f"{here}::test_that_is_not_there")
    assert not trace.exists("tests/validate/nowhere.py")


def test_every_id_that_is_named_is_known() -> None:
    results = [Result(load_scenario(path), path) for path in shipped_scenarios()]
    joined = trace.trace(results)
    assert joined.unknown == []
    wrong = results[0].scenario.model_copy(update={"hazards": ["H99"], "requirements": ["REQ-NONE-1"]})
    assert len(trace.trace([Result(wrong, results[0].path)]).unknown) == 2


def test_histograms_count_every_stop() -> None:
    bins = report.histogram([0.0, 3.0, 30.0, 99.0])
    assert bins == [(0, 2), (25, 1), (50, 0), (75, 1)]
    assert report.histogram([]) == []


def test_a_campaign_of_stop_times_counts_too(tmp_path: Path) -> None:
    path = tmp_path / "stops.json"
    skin = {"p100_ms": 180.0, "bound_ms": 250, "histogram": {"0": 3, "175": 1}}
    path.write_text(json.dumps({"unit": "p24", "kinds": {"engine killed": {"n": 4, "skin": skin}}}))
    good = a_report(good=True)
    told = report.stop_times(good.results, path)["p24: engine killed"]
    assert (told.number, told.longest_ms, told.good) == (4, 180.0, True)
    late = report.Report(good.results, good.trace, {"x": report.Stops(1, 300.0, [(300, 1)], 250.0)}, 1.0)
    assert late.as_json()["verdict"] == "FAIL"
    assert "TOO LONG" in report.text(late)
    path.write_text("[]")
    with pytest.raises(ValueError, match="no campaign"):
        report.stop_times(good.results, path)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "controller.cli.main", "validate", *words], capture_output=True, text=True, timeout=120
    )


def test_exit_codes(tmp_path: Path) -> None:
    good, bad, broken = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "broken.yaml"
    good.write_text(REFUSED)
    bad.write_text(REFUSED.replace("UNT001", "SAF004"))
    broken.write_text(REFUSED.replace("name:", "nmae:"))
    passed = run(str(good), "--json")
    assert (passed.returncode, json.loads(passed.stdout)["scenarios"]["passed"]) == (0, 1)
    assert run(str(bad)).returncode == 1
    refused = run(str(broken))
    assert refused.returncode == 2
    assert "broken.yaml:3:1  error KEY001" in refused.stderr
    assert run("S99").returncode == 2
    assert "S40" in run("--list").stdout
