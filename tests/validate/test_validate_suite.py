"""The whole suite once, as a test engineer runs it: nothing fails, S35 waits, and the reports say so."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = [
    pytest.mark.hazard(
        "H06", "H07", "H08", "H09", "H10", "H11", "H12", "H17", "H18", "H19", "H27", "H28", "H33", "H38", "H45"
    ),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("validate")
    words = ["validate", "--json", "--junit", str(folder / "v.xml"), "--html", str(folder / "v.html"), "--jobs", "2"]
    run = subprocess.run([sys.executable, "-m", "controller.cli.main", *words], capture_output=True, text=True)
    return run, folder


def test_all_scenarios_pass_but_the_one_that_waits(
    suite: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    run, _ = suite
    told = json.loads(run.stdout)
    assert told["failed"] == []
    assert told["not_yet"] == ["S35"]
    assert told["scenarios"] == {"total": 40, "passed": 39, "failed": 0, "not_yet": 1}
    assert told["verdict"] == "PASS"
    assert run.returncode == 0
    assert told["hazards"]["covered"] > 0
    assert told["stop_ms"]["n"] >= 5
    assert told["stop_ms"]["max"] <= 4_000


def test_the_reports_say_the_same(suite: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, folder = suite
    root = ElementTree.parse(folder / "v.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("40", "0", "1")
    assert len(root.findall("testcase")) == 40
    page = (folder / "v.html").read_text(encoding="utf-8")
    assert ">PASS<" in page
    assert "REQ-STOP-1" in page
    assert "<svg" in page
    assert "http" not in page
