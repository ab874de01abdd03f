"""The house's own rules: sizes, docstrings, what pure parts may import, and the words we do not use."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("safety", "controller", "sim")
FILES = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
MODULES = [path for path in FILES if path.read_text(encoding="utf-8").strip()]
PURE = ("controller/session", "controller/motion", "controller/wire")
NOT_IN_PURE = {"asyncio", "threading", "time", "serial", "textual"}
FILE_LINES_MAX, FUNCTION_LINES_MAX, LINE_MAX = 350, 70, 120


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.AST) -> set[str]:
    """Full names of everything imported anywhere in a file, also inside functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.fixture(params=MODULES, ids=name_of)
def module(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_the_house_is_there():
    assert len(MODULES) >= 20
    assert {name_of(path).split("/")[0] for path in MODULES} == set(PARTS)


def test_files_functions_and_lines_stay_short(module):
    text = module.read_text(encoding="utf-8")
    assert text.count("\n") <= FILE_LINES_MAX
    assert [number for number, line in enumerate(text.splitlines(), 1) if len(line) > LINE_MAX] == []
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno + 1 > FUNCTION_LINES_MAX]
    assert long == []


def test_every_module_says_what_it_is(module):
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    assert docstring is not None
    assert len(docstring) >= 10


def test_no_import_is_a_star_or_relative(module):
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.names[0].name != "*"


def test_amplitude_is_never_called_intensity(module):
    assert re.findall(r"(?i)intensit(?:y|ies)", module.read_text(encoding="utf-8")) == []


def test_nothing_is_left_for_later(module):
    assert re.findall(r"\b(?:TODO|FIXME|XXX|NotImplementedError)\b", module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path).startswith(PURE)], ids=name_of)
def test_time_is_an_argument_in_the_pure_parts(path):
    roots = {name.split(".")[0] for name in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert roots & NOT_IN_PURE == set()


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path).startswith("sim/")], ids=name_of)
def test_the_simulator_knows_only_the_wire_and_the_clock(path):
    for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
        if name.split(".")[0] in ("controller", "safety"):
            assert name.startswith(("controller.wire", "controller.clock")), name


def test_the_clock_is_read_in_one_file_only():
    """Monotonic time comes from `controller.clock`; nobody else asks the system for it."""
    readers = {"time", "time_ns", "monotonic", "monotonic_ns", "clock_gettime", "clock_gettime_ns"}
    for path in MODULES:
        if name_of(path) == "controller/clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time":
                assert node.attr not in readers, f"{name_of(path)} reads time.{node.attr}"


def test_tests_have_unique_names_and_no_packages():
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert [name_of(path) for path in files if path.name == "__init__.py"] == []
    names = [path.name for path in files if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


def test_the_black_box_and_the_chain_need_only_the_standard_library():
    allowed = set(sys.stdlib_module_names) | {"controller"}
    for name in ("controller/vocabulary/chain.py", "controller/disk.py", "controller/gateway/blackbox.py"):
        found = imports(ast.parse((ROOT / name).read_text(encoding="utf-8")))
        assert {entry.split(".")[0] for entry in found} <= allowed
    code = (
        "import sys, controller.gateway.blackbox;"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'numpy','pint','yaml','pydantic','textual','hid'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
