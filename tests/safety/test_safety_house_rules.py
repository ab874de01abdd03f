"""House rules of the guard's files, held by their syntax trees; and the one place that makes a ticket."""

import ast
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.safety.house_rules import GUARD_FILES, RULES, broken

pytestmark = pytest.mark.hazard("H12", "H35", "H47")

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {name: (ROOT / "safety" / f"{name}.py").read_text(encoding="utf-8") for name in GUARD_FILES}

HEALTHY = '''
from typing import NamedTuple

from safety.limits import SLEW_UA_MAX


class Wish(NamedTuple):
    amounts: tuple[int, ...]
    state: str

    def most(self) -> int:
        return max(self.amounts, default=0)


def too_steep(wish: Wish, before_ua: int = 0) -> str | None:
    """A rise of more than may be."""
    square = before_ua**2
    for number, amount in enumerate(wish.amounts):
        if not amount - before_ua <= SLEW_UA_MAX:
            return f"Channel {number} rises by {amount - before_ua} uA."
    steps = [amount // 2 for amount in wish.amounts[1:] if amount % 2 == 0]
    return None if square >= 0 and all(steps) and _even(wish.most()) else "odd"


def _even(amount: int) -> bool:
    return amount % 2 == 0
'''
# Rule > statements that break it, in any function of any file; `;;` begins a new line, `HERE` is that function.
STATEMENTS = {
    "float": """
        bad = 0.5
        bad = 1e3
        bad = 1j
        bad = float(1)
        bad: float = 1
        bad: "float" = 1
        round(1)
        bad = Decimal(1)
        bad = fractions.Fraction(1)
        bad = math.inf
        divmod(7, 2)
        bad: list[float] = []
        bad = complex(1)
        operator.truediv(1, 2)
        bad.__truediv__(2)
        bad = math.nan
    """,
    "division": """
        bad = 4 / 2
        bad /= 2
        bad = 2 ** bad
        bad **= bad
        bad = 2**-1
        bad = 2**0.5
    """,
    "bounds": """
        bad = a < 0 or a > 9
        bad = not (a.b <= 0 or c or a.b >= 9)
        bad = a > 9 or a < 0
    """,
    "exception": """
        try:;;     pass;; finally:;;     pass
        raise ValueError
        assert True
        with bad:;;     pass
        try:;;     pass;; except ValueError:;;     pass
        try:;;     pass;; except* ValueError:;;     pass
    """,
    "endless": """
        while True:;;     pass
        while bad:;;     bad = next(bad)
        for one in endless():;;     pass
        next(bad)
        for one in bad:;;     bad.append(one)
        bad = [one for one in endless()]
        for one in iter(int, 1):;;     pass
        for one in self.bad:;;     self.bad += [one]
        for one in a.b():;;     pass
        for one in iter(bad):;;     pass
        for one in [1, 2]:;;     pass
        for one in (lambda: 1):;;     pass
        for one in endless()[0]:;;     pass
        bad = iter(bad)
        for one in bad:;;     bad.extend(one)
        for one in bad:;;     bad.insert(0, one)
        for one in bad:;;     bad.add(one)
        for one in bad:;;     bad.update(one)
        for one in bad:;;     bad.setdefault(one)
        for one in range(1 << 60):;;     pass
    """,
    "waiting": """
        async def bad() -> None:;;     await bad
        yield 1
        yield from bad
        async def bad() -> None:;;     async for one in bad:;;         pass
        async def bad() -> None:;;     async with bad:;;         pass
    """,
    "import": """
        import time
        from time import time
        import pint
        from math import sqrt
        from safety import units
        from safety.units import quantity
        from . import limits
        from math import isqrt
        from dataclasses import *
        from controller.clock import now
        import safety.limits
        from safetyx import limits
        import enum as e
    """,
    "outside": """
        print(1)
        eval('1')
        exec('1')
        open('x')
        global bad
        nonlocal bad
        setattr(self, 'a', 1)
        bad = __import__('os')
        bad = globals()
        builtins.open('x')
        compile('', '', 'exec')
        delattr(self, 'a')
        input()
        locals()
    """,
    "bypass": """
        machine.to_running()
        self.state = 'running'
        object.__new__(Admitted)
        self.a.state += 1
        object.__setattr__(self, 'a', 1)
        self.__dict__['a'] = 1
        self.__class__ = int
        f.__code__ = g
    """,
    "untyped": """
        bad = lambda: 1
        def bad(x: int):;;     pass
        def bad(x) -> None:;;     pass
        bad: Any = 1
        def bad(*x) -> None:;;     pass
        def bad(**x) -> None:;;     pass
        def bad(*, x) -> None:;;     pass
        def bad(x, /) -> None:;;     pass
        def bad(self) -> None:;;     pass
        bad: typing.Any = 1
    """,
    "recursion": """
        def bad() -> None:;;     bad()
        def bad(self: int) -> None:;;     self.bad()
        HERE()
        def bad(other: int) -> None:;;     other.bad()
        self.HERE()
        other.HERE()
        def bad() -> None:;;     self.worse();; def worse() -> None:;;     self.bad()
        def bad() -> None:;;     cls.worse();; def worse() -> None:;;     cls.bad()
        def bad() -> None:;;     worse();; def worse() -> None:;;     worst();; def worst() -> None:;;     bad()
    """,
    "long": " bad = 1;;" * 70,
}
STATEMENTS = {
    rule: [line.strip().replace(";; ", "\n").replace(";;", "\n") for line in text.strip().splitlines()]
    for rule, text in STATEMENTS.items()
}


@pytest.mark.parametrize("name", GUARD_FILES)
def test_guard_files_keep_the_rules(name):
    assert broken(TEXTS[name]) == []


def test_no_file_is_forgotten():
    files = {path.stem for path in (ROOT / "safety").glob("*.py")}
    assert files == {*GUARD_FILES, "__init__", "units", "digest", "limits_lock"}
    assert (ROOT / "safety" / "__init__.py").read_text() == ""


def test_the_checker_leaves_healthy_text_alone():
    assert broken(HEALTHY) == []


@pytest.mark.parametrize(
    "line",
    [
        *("from dataclasses import *", "from . import limits", "from .limits import CAPS", "from math import sqrt"),
        *("from safety.units import quantity", "from controller.clock import now", "from . import *"),
        *("from safety import limits", "from safety.limits import *", "from .enum import Enum", "import enum"),
    ],
)
def test_at_the_top_of_a_file_too_only_what_is_known_is_imported(line):
    assert [one.rule for one in broken(line)] == ["import"]


@pytest.mark.parametrize(
    "line", ["from dataclasses import dataclass", "from math import isqrt", "from safety.limits import CAPS"]
)
def test_what_may_be_imported(line):
    assert broken(line) == []


def test_every_rule_is_shown_to_see_something():
    assert set(STATEMENTS) == set(RULES)


def with_statement(text, statement, chance):
    """The text with the statement at the begin of some function, and the lines that it has there."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    function = chance.choice(functions)
    first, indent = function.body[0].lineno, " " * function.body[0].col_offset
    added = [indent + line for line in statement.replace("HERE", function.name).split("\n")]
    lines = text.split("\n")
    return "\n".join([*lines[: first - 1], *added, *lines[first - 1 :]]), range(function.lineno, first + len(added))


@pytest.mark.parametrize(("rule", "statement"), [(rule, one) for rule, many in STATEMENTS.items() for one in many])
def test_the_checker_sees_each_fault_in_any_file(rule, statement):
    chance = random.Random(f"{rule} {statement}")
    name = chance.choice(sorted(set(GUARD_FILES) - {"joint"}))
    text, lines = with_statement(TEXTS[name], statement, chance)
    seen = [one for one in broken(text) if one.rule == rule]
    assert seen, f"{rule} in safety/{name}.py"
    assert all(one.line in lines for one in seen)
    text, _ = with_statement(HEALTHY, statement, chance)
    assert rule in [one.rule for one in broken(text)]


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("before_ua: int = 0", "before_ua=0", "untyped"),
        (") -> str | None:", "):", "untyped"),
        ("amounts: tuple[int, ...]", "amounts: tuple[float, ...]", "float"),
        ("amount // 2 for", "amount / 2 for", "division"),
        ("in wish.amounts[1:] if", "in wish.all() if", "endless"),
        (
            "from safety.limits import SLEW_UA_MAX",
            "from safety.today import Today\nfrom safety.digest import a",
            "import",
        ),
        ("from typing import NamedTuple", "import typing", "import"),
        ("return amount % 2 == 0", "return _even(amount)", "recursion"),
        ("return max(", "return self.most(", "recursion"),
    ],
)
def test_a_small_change_of_healthy_text_is_seen(before, after, rule):
    assert before in HEALTHY
    assert [one.rule for one in broken(HEALTHY.replace(before, after))] == [rule]


def test_a_function_of_just_seventy_lines_is_short():
    function = next(node for node in ast.parse(HEALTHY).body if getattr(node, "name", "") == "too_steep")
    room = 70 - (function.end_lineno - function.lineno + 1)
    line = "    square = before_ua**2\n"
    assert broken(HEALTHY.replace(line, line * (1 + room))) == []
    assert broken(HEALTHY.replace(line, line * (2 + room))) == [("long", function.lineno)]


@pytest.mark.parametrize(
    "text",
    [
        "def f(one: int) -> int:\n    return one.g()\ndef g() -> int:\n    return f(1)",  # another's g is not ours
        "for one in a.b, c:\n    d.append(one)",
        "for one in (1, 2):\n    pass",
        "for one in a.items():\n    b |= {one}",
        "x = 3**2 * a % b // c",
        "class A:\n    def f(self, x: int) -> int:\n        return x\n    def g(cls) -> int:\n        return 1",
        "from safety.joint_rules import Asked",
        "from math import isqrt",
        "x = a.state",
        "x = a < 0 or b > 9 or a < -9",
        "x = a < 0 and a > 9 or a > 3",
        "to_day()",
    ],
)
def test_the_checker_does_not_see_what_is_not_there(text):
    assert broken(text) == []


def test_lines_are_told():
    assert broken("a = 1\nb = 0.5\nc = 1 / 2\n\nd = 0.5 / 2") == [
        ("float", 2),
        ("division", 3),
        ("division", 5),
        ("float", 5),
    ]


def _name(node):
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def ticket_makers(tree):
    """Names by which a file calls the ticket's or the token's constructor, or copies a ticket."""
    names = {"Admitted", "Token"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.asname and alias.name in ("Admitted", "Token")}
        if isinstance(node, ast.Assign) and _name(node.value) in names:
            names |= {_name(target) for target in node.targets}
    made = [_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in names]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in ("partial", "__new__", "map"):
            made += [_name(argument) for argument in node.args if _name(argument) in names]
        if isinstance(node, ast.Attribute) and node.attr in ("_token", "token") and isinstance(node.ctx, ast.Load):
            made.append(node.attr)
    return made


def test_only_the_guard_makes_tickets():
    makers = {}
    for folder in ("safety", "controller", "sim"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            made = ticket_makers(ast.parse(path.read_text(encoding="utf-8")))
            if made:
                makers[str(path.relative_to(ROOT))] = sorted(made)
    assert makers == {"safety/guard.py": ["Admitted", "Token", "_token"]}


@pytest.mark.parametrize(
    "text",
    [
        "from safety.orders import Admitted\nAdmitted(t, 1, 2, o)",
        "from safety.orders import Admitted as Yes\nYes(t, 1, 2, o)",
        "from safety import orders\norders.Admitted(t, 1, 2, o)",
        "from safety.orders import Admitted\nmake = Admitted\nmake(t, 1, 2, o)",
        "object.__new__(Admitted)",
        "from safety.orders import Token\nToken()",
        "guard._token",
        "ticket.token",
    ],
)
def test_forged_tickets_are_seen(text):
    assert ticket_makers(ast.parse(text))


def test_the_guard_loads_nothing_heavy():
    heavy = ("pint", "numpy", "yaml", "pydantic", "textual", "decimal")
    code = f"import sys, safety.guard; print([name for name in {heavy!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "[]"
