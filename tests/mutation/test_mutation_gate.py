"""The mutation gate's own parts: which faults are sown, that they reach the code, and that the reviewed list is one."""

import ast
import inspect
from types import ModuleType

import pytest

from tests.mutation import run
from tests.mutation.operators import mutants, mutated
from tests.mutation.reach import GROUPS, ROOT, files_of
from tests.mutation.workers import SURVIVED, TIMEOUT, exchange, module_name

pytestmark = pytest.mark.hazard("H47")
SOURCE = '''
"""What it is."""
from typing import NamedTuple

CAP = 20_000
__slots__ = ("a",)


class One(NamedTuple):
    """A 1."""

    some: int = 3

    def most(self, items: list[int]) -> int | None:
        if not items or self.some <= 0:
            return None
        self.total = -CAP * len(items)
        items.append(1 if True else 2)
        return max(item for item in items if 0 < item < CAP)


def said(a: int) -> str:
    return f"{a + 1} is more than 1" if a == "word" else "not a word"


if __name__ == "__main__":
    print(1)
'''


def sown():
    return [(one.where, one.id.split(" | ")[1]) for one in mutants("safety/none.py", SOURCE)]


@pytest.mark.parametrize(
    "fault",
    [
        ("", "20000 as 20001"),
        ("", "20000 as 19999"),
        ("", "3 as 4"),
        ("One.most", "condition negated"),
        ("One.most", "not items or self.some <= 0: and for or"),
        ("One.most", "not items: not lost"),
        ("One.most", "self.some <= 0: <= as <"),
        ("One.most", "self.some <= 0: <= as >"),
        ("One.most", "0 as 1"),
        ("One.most", "left out"),
        ("One.most", "-CAP: sign lost"),
        ("One.most", "-CAP * len(items): Mult as FloorDiv"),
        ("One.most", "True as False"),
        ("One.most", "max as min"),
        ("One.most", "0 < item < CAP: < as <="),
        ("One.most", "0 < item < CAP: < as >="),
        ("One.most", "condition negated: 0 < item < CAP"),
        ("One.most", "return None"),
        ("said", "f'{a + 1} is more than 1' if a == 'word' else 'not a word': condition negated"),
        ("said", "'word' as 'XwordX'"),
        ("said", "return None"),
    ],
)
def test_each_kind_of_fault_is_sown(fault):
    assert fault in sown()


def test_what_is_only_said_or_typed_is_left_alone():
    what = " ".join(text for _, text in sown())
    for text in ("What it is", "A 1", "print", "__slots__", "a + 1: ", "'a'", "'not a word' as", "1 as 2 #"):
        assert text not in what


def test_every_fault_has_a_name_of_its_own_and_changes_the_source():
    found = mutants("safety/none.py", SOURCE)
    assert len({one.id for one in found}) == len(found)
    plain = ast.unparse(ast.parse(SOURCE))
    for one in found:
        text = ast.unparse(mutated(SOURCE, one.number))
        assert text != plain
        compile(text, "none", "exec")
    with pytest.raises(IndexError):
        mutated(SOURCE, len(found))


def test_names_do_not_move_with_other_lines():
    moved = SOURCE.replace("CAP = 20_000", "OTHER = some()\n\nCAP = 20_000")
    assert {one.id for one in mutants("f", SOURCE)} <= {one.id for one in mutants("f", moved)}


@pytest.mark.parametrize("group", GROUPS)
def test_every_function_of_the_files_can_be_reached(group):
    for file in files_of(GROUPS[group]):
        source = (ROOT / file).read_text(encoding="utf-8")
        functions = {one.where for one in mutants(file, source) if one.where}
        code = compile(source, file, "exec")
        from tests.mutation.workers import _code_of

        assert [where for where in functions if _code_of(code, where) is None] == []


def test_a_fault_reaches_a_function_wherever_it_was_imported_to():
    from safety import body_rules, limits

    file = "safety/limits.py"
    source = (ROOT / file).read_text(encoding="utf-8")
    assert body_rules.step_every_ns is limits.step_every_ns
    real = limits.step_every_ns.__code__
    one = next(m for m in mutants(file, source) if m.where == "step_every_ns" and m.id.endswith("max as min"))
    try:
        assert body_rules.step_every_ns(2_000) == 400_000_000
        assert exchange(limits, one)
        assert body_rules.step_every_ns(2_000) == 300_000_000
    finally:
        limits.step_every_ns.__code__ = real
    assert not exchange(ModuleType("empty"), one)


def test_the_reviewed_survivors_are_faults_that_exist_each_with_a_reason():
    rows = list(run.reviewed().values())
    exist = {one.id for group in GROUPS for one in run.all_mutants(files_of(GROUPS[group]))}
    for row in rows:
        assert set(row) == {"id", "kind", "reason"}
        assert row["id"] in exist, row["id"]
        assert row["kind"] in ("equivalent", "accepted")
        assert len(row["reason"]) >= 20
    assert len([row for row in rows if row["kind"] == "accepted" and row["id"].startswith("safety/")]) <= 3


def test_the_gate_says_what_survives_and_closes(capsys, monkeypatch):
    monkeypatch.setattr(run, "reviewed", lambda: {"b": {}, "c": {}})
    answers = {"a": "tests/x.py::test_y", "b": SURVIVED, "c": TIMEOUT}
    assert run.report("safety", answers, 1.0) == 0
    assert "no survivor any more, take it off the list: c" in capsys.readouterr().out
    assert run.report("safety", answers | {"d": SURVIVED}, 1.0) == 1
    assert "SURVIVED  d" in capsys.readouterr().out
    assert run.report("gateway", {str(n): "t::t" for n in range(9)} | {"d": SURVIVED}, 1.0) == 0
    assert run.report("gateway", {str(n): "t::t" for n in range(8)} | {"d": SURVIVED}, 1.0) == 1


def test_modules_are_named_as_they_are_imported():
    assert module_name("controller/gateway/core.py") == "controller.gateway.core"
    assert inspect.getmodule(exchange).__name__ == "tests.mutation.workers"
