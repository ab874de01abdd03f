"""House rules of the guard's files, held by their syntax trees; and the one place that makes a ticket."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUARD_FILES = (
    "guard",
    "joint",
    "joint_guard",
    "joint_limits",
    "joint_memory",
    "joint_prescribing",
    "joint_rules",
    "vetting",
    "rules",
    "pulse_rules",
    "memory",
    "prescribing",
    "limits",
    "interlocks",
    "orders",
    "stimulus",
)
IMPORTS = {"collections.abc", "dataclasses", "enum", "math", "typing"}
FORBIDDEN = (ast.Div, ast.Try, ast.While, ast.Raise, ast.Global, ast.Nonlocal, ast.AsyncFunctionDef, ast.Await)


def faults_of(tree):
    """What a guard's file must not hold, as words."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, FORBIDDEN):
            found.append(type(node).__name__)
        elif isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append("float")
        elif isinstance(node, ast.Name) and node.id in (
            "float",
            "Decimal",
            "Fraction",
            "eval",
            "exec",
            "open",
            "print",
        ):
            found.append(node.id)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module not in IMPORTS and not (module.startswith("safety.") and module.split(".")[1] in GUARD_FILES):
                found.append(module)
            if module == "math" and {alias.name for alias in node.names} != {"isqrt"}:
                found.append("math")
        elif isinstance(node, ast.FunctionDef):
            if node.end_lineno - node.lineno >= 70:
                found.append("long function")
            if node.returns is None:
                found.append("untyped")
            if any(isinstance(call, ast.Call) and _name(call.func) == node.name for call in ast.walk(node)):
                found.append("recursion")
    return found


def _name(node):
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@pytest.mark.parametrize("name", GUARD_FILES)
def test_guard_files_keep_the_rules(name):
    assert faults_of(ast.parse((ROOT / "safety" / f"{name}.py").read_text())) == []


def test_no_file_is_forgotten():
    files = {path.stem for path in (ROOT / "safety").glob("*.py")}
    assert files == {*GUARD_FILES, "__init__", "units", "digest"}
    assert (ROOT / "safety" / "__init__.py").read_text() == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = a / b", "Div"),
        ("x /= b", "Div"),
        ("x = 0.5", "float"),
        ("x = float(y)", "float"),
        ("try:\n    pass\nfinally:\n    pass", "Try"),
        ("while True:\n    pass", "While"),
        ("import pint", "pint"),
        ("from time import time", "time"),
        ("from math import sqrt", "math"),
        ("from safety.units import quantity", "safety.units"),
        ("def f(x):\n    return x", "untyped"),
        ("def f(x) -> int:\n    return f(x)", "recursion"),
        ("def f() -> int:\n" + "    x = 1\n" * 70, "long function"),
    ],
)
def test_the_checker_sees_each_fault(text, fault):
    assert fault in faults_of(ast.parse(text))


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
