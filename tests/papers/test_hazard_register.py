"""The hazard register is bound to the tests: no hazard without one, no test that is not there, none that names none."""

import ast
from functools import cache
from pathlib import Path

import pytest

from controller.assembly import papers
from controller.assembly.register import SCENARIO, RegisterError, read, shipped
from controller.assembly.validate.reader import shipped_scenarios

pytestmark = pytest.mark.hazard("H42", "H51")
ROOT = Path(__file__).parents[2]
CASE = ("safety", "gateway", "processes", "assembly", "validate", "model", "sweeps", "mutation", "bugs")
"""Folders of tests/ that are the safety case: every module there names the hazards that it is a proof for."""
GOOD = """
version: 1
severities: {1: discomfort}
hazards:
  - {id: H01, title: t, severity: 1, mitigations: {guard: refuses}, tests: [tests/x.py], residual: r}
"""


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def case_modules() -> list[Path]:
    return sorted(path for name in CASE for path in (ROOT / "tests" / name).glob("test_*.py"))


def marked(path: Path) -> set[str]:
    """The hazards that `pytest.mark.hazard(...)` names anywhere in a module."""
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    marks = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "hazard"]
    return {arg.value for call in marks for arg in call.args if isinstance(arg, ast.Constant)}


def is_there(test: str) -> bool:
    name, _, function = test.partition("::")
    path = ROOT / name
    if not path.is_file():
        return False
    named = [n.name for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return function in named if function else any(one.startswith("test_") for one in named)


@pytest.mark.parametrize("hazard", shipped().hazards, ids=lambda hazard: hazard.id)
def test_every_hazard_has_tests_and_each_is_there(hazard):
    code = [test for test in hazard.tests if not test.startswith(SCENARIO)]
    assert [test for test in code if not is_there(test)] == []
    assert code or hazard.scenarios


@pytest.mark.parametrize("path", case_modules(), ids=lambda path: path.stem)
def test_every_test_of_the_safety_case_names_a_hazard_that_is_there(path):
    named = marked(path)
    assert named, f'{path.name}: write pytestmark = pytest.mark.hazard("H..") with the hazards it is a proof for'
    assert named <= set(shipped().ids)


def test_a_hazard_that_names_a_test_is_named_by_it():
    wrong = []
    for hazard in shipped().hazards:
        for test in hazard.tests:
            path = ROOT / test.partition("::")[0]
            if path in case_modules() and hazard.id not in marked(path):
                wrong.append(f"{hazard.id} names {test}, which is not marked with it")
    assert wrong == []


def test_every_scenario_that_is_named_is_there():
    named = {scenario for hazard in shipped().hazards for scenario in hazard.scenarios}
    assert named
    assert named <= {path.stem for path in shipped_scenarios()}


def test_a_test_that_is_not_there_is_noticed():
    assert not is_there("tests/papers/test_hazard_register.py::test_nothing_of_the_kind")
    assert not is_there("tests/papers/no_such_file.py")
    assert is_there("tests/papers/test_hazard_register.py::test_a_test_that_is_not_there_is_noticed")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("id: H01", "id: H02"), "numbers rise"),
        (("id: H01", "id: X1"), "no number of a hazard"),
        (("severity: 1,", "severity: 9,"), "severity 9"),
        (("guard:", "fairy:"), "at least one layer"),
        (("[tests/x.py]", "[]"), "at least one test"),
        (("[tests/x.py]", "[a, a]"), "each once"),
        ((", residual: r", ""), "missing or unknown"),
    ],
)
def test_a_register_that_is_not_whole_is_refused(change, told):
    assert read(GOOD).ids == ("H01",)
    with pytest.raises(RegisterError, match=told):
        read(GOOD.replace(*change))


def test_the_pages_are_fresh():
    assert papers.stale() == [], "run `make papers`"


def test_a_stale_page_is_noticed(monkeypatch):
    monkeypatch.setitem(papers.PAGES, "docs/HAZARDS.md", lambda: "another page")
    assert "docs/HAZARDS.md" in papers.stale()


def test_every_package_of_the_lock_has_its_row_and_its_reason():
    lock, page = (ROOT / "requirements.lock").read_text(), (ROOT / "docs/SOUP.md").read_text()
    pins = papers._pins(lock)
    assert len(pins) > 10
    for name, version, hashes, _ in pins:
        row = next(line for line in page.splitlines() if line.startswith(f"| {name} | {version} |"))
        assert hashes > 0
        assert len(row.split("|")[4].strip()) > 10
