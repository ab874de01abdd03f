"""Which tests run which lines, and how long each test takes: `python -m tests.mutation.reach GROUP OUT.json`.

A process of its own, because coverage has to be there before anything of ours is loaded.
"""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Group(NamedTuple):
    """Files to be made wrong (a folder and a pattern), and the tests that have to notice."""

    sources: str
    pattern: str
    left_out: tuple[str, ...]
    tests: tuple[str, ...]


GROUPS = {
    "safety": Group("safety", "*.py", ("__init__.py",), ("tests/safety",)),
    "gateway": Group("controller/gateway", "*.py", ("__init__.py", "__main__.py", "shell.py"), ("tests/gateway",)),
    "checker": Group("tests/safety", "house_rules.py", (), ("tests/safety/test_safety_house_rules.py",)),
}
"""The gateway's shell has no decisions and needs real processes: its tests are those of `tests/processes`."""


def files_of(group: Group) -> list[str]:
    """The files of a group, as paths from the root of the checkout."""
    found = sorted(path for path in (ROOT / group.sources).glob(group.pattern) if path.name not in group.left_out)
    return [path.relative_to(ROOT).as_posix() for path in found if path.stat().st_size]


def _python_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def fingerprint(group: Group) -> str:
    """Changes when a source or a test of the group does."""
    digest = hashlib.sha256()
    tests = [path for name in group.tests for path in _python_files(ROOT / name)]
    for path in sorted([*(ROOT / group.sources).glob(group.pattern), *tests]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


class Reach:
    """The answers: `tests_of(file, first line, last line)`, cheapest first, and how long tests take."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.seconds: dict[str, float] = data["seconds"]
        self._names: list[str] = data["names"]
        self._lines: dict[str, dict[str, list[int]]] = data["lines"]

    def tests_of(self, file: str, first: int, last: int) -> list[str]:
        """Tests that ran one of these lines."""
        lines = self._lines.get(file, {})
        found = {number for line in range(first, last + 1) for number in lines.get(str(line), ())}
        return sorted((self._names[number] for number in found), key=lambda name: self.seconds.get(name, 1.0))

    def all_tests(self) -> list[str]:
        """Every test, cheapest first."""
        return sorted(self.seconds, key=lambda name: self.seconds[name])

    def time_of(self, names: list[str]) -> float:
        """How long these take, in seconds."""
        return sum(self.seconds.get(name, 1.0) for name in names)


def reach_of(name: str, folder: Path) -> Reach:
    """The map of a group, made anew when a source or a test has changed."""
    kept = folder / f"reach-{name}.json"
    data = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    if data.get("fingerprint") != fingerprint(GROUPS[name]):
        print(f"{name}: finding out which tests run which lines", flush=True)
        command = [sys.executable, "-m", "tests.mutation.reach", name, str(kept)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        data = json.loads(kept.read_text(encoding="utf-8"))
    return Reach(data)


class Watch:
    """A pytest plugin: says to coverage which test is running, and takes its time."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Around each test."""
        self.coverage.switch_context(item.nodeid)
        begun = time.monotonic()
        yield
        self.seconds[item.nodeid] = round(time.monotonic() - begun, 4)
        self.coverage.switch_context("")


def main(arguments: list[str]) -> int:
    """Run all tests of the group once."""
    import coverage

    from tests.mutation.workers import OPTIONS, prepare

    group, out = GROUPS[arguments[0]], Path(arguments[1])
    before = fingerprint(group)
    watcher = coverage.Coverage(data_file=None, source=[str(ROOT / group.sources)], config_file=False)
    prepare()
    watcher.start()
    watch = Watch(watcher)
    options = [option for option in OPTIONS if option != "-x"]
    code = pytest.main([*options, *group.tests], plugins=[watch])
    watcher.stop()
    if code != 0:
        print("the tests have to pass before faults are sown", file=sys.stderr)
        return 1
    names = sorted(watch.seconds)
    number = {name: at for at, name in enumerate(names)}
    data = watcher.get_data()
    lines: dict[str, dict[int, list[int]]] = {}
    for measured in data.measured_files():
        file = Path(measured).relative_to(ROOT).as_posix()
        contexts = data.contexts_by_lineno(measured)
        lines[file] = {line: [number[one] for one in ran if one in number] for line, ran in contexts.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    found = {"fingerprint": before, "seconds": watch.seconds, "names": names, "lines": lines}
    out.write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
