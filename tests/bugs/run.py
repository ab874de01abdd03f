"""`python -m tests.bugs.run [BUG...] [--layer NAME] [--quick]`: each bug on purpose is seen by all of its layers.

Each layer is run once as things are (green) and once with the bug (red), in a process of its own into which the
patched source is put while it is loaded: no file is touched. Exit 1 when a layer is not green, or stays green.
"""

import argparse
import ast
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.bugs.catalogue import BUGS, Patch
from tests.mutation.workers import OPTIONS, SURVIVED, Mutated, in_a_fork, prepare

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 600


class Patched(Mutated):
    """Hands out one module with its source patched."""

    def __init__(self, file: str, patches: Sequence[Patch]) -> None:
        self.name = file.removesuffix(".py").replace("/", ".")
        self.path = ROOT / file
        self.text = patched(self.path.read_text(encoding="utf-8"), patches)
        self.tree = ast.parse(self.text)


def patched(text: str, patches: Sequence[Patch]) -> str:
    """The text with all patches. Raises `ValueError` when one of them does not fit any more."""
    for patch in patches:
        if text.count(patch.before) != 1:
            raise ValueError(
                f"{patch.file} has changed: {patch.before!r} stands there {text.count(patch.before)} times"
            )
        text = text.replace(patch.before, patch.after)
    return text


def files_of(name: str) -> dict[str, list[Patch]]:
    """File > its patches."""
    found: dict[str, list[Patch]] = {}
    for patch in BUGS[name].patches:
        found.setdefault(patch.file, []).append(patch)
    return found


class FirstFailure:
    """A pytest plugin that remembers which test failed first."""

    def __init__(self) -> None:
        self.node = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of any phase."""
        self.node = self.node or (report.nodeid if report.failed else "")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be loaded."""
        self.node = self.node or (f"{report.nodeid} (not loaded)" if report.failed else "")


@contextlib.contextmanager
def source_of(finders: Sequence[Patched]) -> Iterator[None]:
    """Tests that read our files as text see the patched text, too."""
    texts = {str(finder.path): finder.text for finder in finders}
    read = Path.read_text

    def read_patched(path: Path, *arguments: object, **named: object) -> str:
        return texts.get(str(path.resolve())) or read(path, *arguments, **named)  # type: ignore[arg-type]

    Path.read_text = read_patched  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Path.read_text = read  # type: ignore[method-assign]


def _run(name: str, tests: Sequence[str]) -> str:
    """In a fork: which test failed, `SURVIVED` when none did."""
    finders = [Patched(file, patches) for file, patches in files_of(name).items()] if name else []
    sys.meta_path[:0] = finders
    first = FirstFailure()
    with source_of(finders):
        code = pytest.main([*OPTIONS, *tests], plugins=[first])
    return first.node or (SURVIVED if code == 0 else f"pytest ended with {code}")


def judge(name: str, tests: Sequence[str]) -> str:
    """Which test fails with this bug (""  for none of them, without a bug where `name` is "")."""
    answer = in_a_fork(LIMIT_S, lambda: _run(name, tests))
    return "" if answer == SURVIVED else answer


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="python -m tests.bugs.run")
    parser.add_argument("bugs", nargs="*", metavar="BUG", help=", ".join(BUGS))
    parser.add_argument("--layer", help="only layers of this name")
    parser.add_argument("--quick", action="store_true", help="one layer a bug, and only with the bug")
    parser.add_argument("--skip-green", action="store_true", help="do not show first that all is green without bugs")
    options = parser.parse_args(arguments)
    if unknown := set(options.bugs) - set(BUGS):
        parser.error(f"no such bug: {', '.join(sorted(unknown))}")
    os.chdir(ROOT)
    prepare()
    names = options.bugs or list(BUGS)
    bad = 0
    for name in names:
        layers = [(layer, tests) for layer, tests in BUGS[name].layers.items() if options.layer in (None, layer)]
        for layer, tests in layers[:1] if options.quick else layers:
            begun = time.monotonic()
            before = "" if options.skip_green or options.quick else judge("", tests)
            seen = judge(name, tests)
            bad += bool(before) or not seen
            word = "red" if seen else "STAYS GREEN"
            if before:
                word = f"NOT GREEN WITHOUT THE BUG: {before}; {word}"
            print(f"{name:24} {layer:34} {word:12} {time.monotonic() - begun:4.0f} s  {seen}", flush=True)
    print(f"{len(names)} bugs, {bad} layers are not as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
