"""Workers that judge mutants: a process with everything of others loaded, from which each mutant gets a fork.

A fault inside a function needs no import at all: in a fork of a pytest that has collected the tests already, the
function's code object is exchanged for the mutant's, wherever that function was imported to. This takes milliseconds.
A fault outside of functions (a constant, a table, a default), and a fault that no test noticed that way, is judged in
a fork that has none of our modules loaded yet: an import hook hands out the mutant's source, and pytest starts afresh.
Both run the tests that are given, cheapest first, and stop at the first that fails.
"""

import ast
import contextlib
import importlib.abc
import importlib.machinery
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from tests.mutation.operators import Mutant, mutated

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("decimal", "hypothesis.strategies", "json", "numpy", "pint", "pydantic", "serial", "transitions", "yaml")
OURS = ("controller", "safety", "sim")
OPTIONS = (
    *("-x", "-s", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
    *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:cov", "-p", "no:xdist"),
)
SURVIVED, TIMEOUT, CRASHED = "survived", "timeout", "crashed"


def module_name(file: str) -> str:
    """`safety/limits.py` is `safety.limits`."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def prepare() -> None:
    """Load what is not ours, and make generated examples the same in each run: a verdict must not be luck."""
    os.chdir(ROOT)
    for name in OTHERS:
        with contextlib.suppress(ImportError):
            __import__(name)
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutation")


def in_a_fork(limit_s: float, judge: Callable[[], str]) -> str:
    """What `judge` gives, in a fork that is ended after `limit_s`."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(quiet, number)
        answer = CRASHED
        try:
            answer = judge()
        finally:
            os.write(writer, answer.encode()[:4000])
            os._exit(0)
    os.close(writer)
    answer = _read_until(reader, time.monotonic() + limit_s)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reader)
    return answer


def _read_until(reader: int, until_s: float) -> str:
    ready, _, _ = select.select([reader], [], [], max(0.0, until_s - time.monotonic()))
    return (os.read(reader, 4096).decode() or CRASHED) if ready else TIMEOUT


# -- in a fork of collected tests --------------------------------------------------------------------------------------


class Collected:
    """A pytest plugin: instead of running the tests it answers (mutant, node ids, seconds) with who failed."""

    def __init__(self, orders: Connection) -> None:
        self.orders = orders

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge until the worker goes away."""
        items = {item.nodeid: item for item in session.items}
        self.orders.send(sorted(items))
        while (job := self.orders.recv()) is not None:
            mutant, chosen, limit_s = job
            wanted = [items[name] for name in chosen if name in items]
            self.orders.send(in_a_fork(limit_s, lambda m=mutant, w=wanted: _exchanged(m, w, session)))
        return True


def _exchanged(mutant: Mutant, items: Sequence[pytest.Item], session: pytest.Session) -> str:
    module = sys.modules.get(module_name(mutant.file))
    if module is None or not exchange(module, mutant):
        return SURVIVED
    for at, item in enumerate(items):
        if _fails(item, items[at + 1] if at + 1 < len(items) else None):
            return item.nodeid
    return SURVIVED


def _fails(item: pytest.Item, after: pytest.Item | None) -> bool:
    from _pytest.runner import runtestprotocol

    reports = runtestprotocol(item, log=False, nextitem=after)
    return any(report.failed for report in reports)


def exchange(module: ModuleType, mutant: Mutant) -> bool:
    """Give the live function of the module the mutant's code; False where that cannot be done."""
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    code = compile(mutated(source, mutant.number), str(ROOT / mutant.file), "exec")
    new = _code_of(code, mutant.where)
    live = _function_of(module, mutant.where)
    if new is None or live is None or live.__code__.co_freevars != new.co_freevars:
        return False
    live.__code__ = new
    return True


def _code_of(code: CodeType, where: str) -> CodeType | None:
    """The code object of that qualified name inside a module's."""
    for name in where.split("."):
        inside = [one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == name]
        if len(inside) != 1:
            return None
        code = inside[0]
    return code


def _function_of(module: ModuleType, where: str) -> FunctionType | None:
    """The function of that qualified name, out of whatever is wrapped around it."""
    found: Any = module
    for name in where.split("."):
        found = vars(found).get(name)
        if found is None:
            return None
    found = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    return found if isinstance(found, FunctionType) else None


# -- in a fork with nothing of ours loaded -----------------------------------------------------------------------------


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hands out one module with its fault; all others come from where they always do."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.path = module_name(mutant.file), ROOT / mutant.file
        self.tree: ast.Module = mutated(self.path.read_text(encoding="utf-8"), mutant.number)

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """The mutant's own name only."""
        if name != self.name:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=str(self.path))

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """As always."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the source with the fault."""
        module.__file__ = str(self.path)
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


class InOrder:
    """A pytest plugin: only the given tests, in the given order; remembers the first that failed."""

    def __init__(self, chosen: Sequence[str]) -> None:
        self.place = {name: at for at, name in enumerate(chosen)}
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        items[:] = sorted((i for i in items if i.nodeid in self.place), key=lambda item: self.place[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Who was it?"""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot even be loaded notices a fault, too."""
        if report.failed and not self.failed:
            self.failed = report.nodeid


def _afresh(mutant: Mutant, chosen: Sequence[str]) -> str:
    sys.meta_path.insert(0, Mutated(mutant))
    files = list(dict.fromkeys(name.split("::")[0] for name in chosen))
    order = InOrder(chosen)
    code = pytest.main([*OPTIONS, *files], plugins=[order])
    return order.failed or (SURVIVED if code in (0, 5) else CRASHED)


# -- a worker ----------------------------------------------------------------------------------------------------------


class Worker:
    """Judges mutants one after another. `tests` are the files or folders whose tests there are."""

    def __init__(self, tests: Sequence[str]) -> None:
        loaded = [name for name in sys.modules if name.split(".")[0] in OURS]
        assert loaded == [], loaded
        from multiprocessing import Pipe

        self._here, there = Pipe()
        if os.fork() == 0:
            self._here.close()
            quiet = os.open(os.devnull, os.O_RDWR)
            os.dup2(quiet, 1)
            with contextlib.suppress(EOFError):
                pytest.main([*OPTIONS, *tests], plugins=[Collected(there)])
            os._exit(0)
        there.close()
        self.nodes: list[str] = self._here.recv()

    def judge(self, mutant: Mutant, stages: Iterator[tuple[Sequence[str], float]]) -> str:
        """The node id of the test that failed, or `SURVIVED`, `TIMEOUT`, `CRASHED`.

        `stages` are (node ids, seconds) in the order in which they are tried; the last one counts.
        """
        answer = SURVIVED
        for chosen, limit_s in stages:
            if not chosen:
                continue
            if mutant.where:
                self._here.send((mutant, list(chosen), limit_s))
                answer = self._here.recv()
                if answer != SURVIVED:
                    return answer
            else:
                answer = in_a_fork(limit_s + 15, lambda c=chosen: _afresh(mutant, c))
                if answer != SURVIVED:
                    return answer
        return answer

    def afresh(self, mutant: Mutant, chosen: Sequence[str], limit_s: float) -> str:
        """A second opinion on what nothing noticed while functions only exchanged their code."""
        return in_a_fork(limit_s + 15, lambda: _afresh(mutant, chosen))

    def close(self) -> None:
        """The fork with the collected tests ends."""
        with contextlib.suppress(OSError):
            self._here.send(None)
