"""One scenario from its file to its result; all of them over several worker processes."""

import gc
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from controller.assembly.start_check import check_start
from controller.assembly.validate.checks import Found, look
from controller.assembly.validate.model import Scenario
from controller.assembly.validate.play import START_NS, Play
from controller.assembly.validate.reader import load_protocol, load_scenario
from controller.assembly.validate.witness import Witness
from controller.clock import SECOND
from controller.session.faults import ProtocolRefused, shorten

PASSED, FAILED, NOT_YET = "passed", "failed", "not yet"
VIOLATIONS_MAX = 5


@dataclass
class Case:
    """What one case of a scenario came to. `name` is that of the variant, "" for a scenario without any."""

    name: str
    found: list[Found] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    simulated_s: float = 0.0

    @property
    def good(self) -> bool:
        """Every check holds, and the checkers at skin and joint saw nothing bad."""
        return bool(self.found) and not self.violations and all(each.good for each in self.found)


@dataclass
class Result:
    """What a scenario came to."""

    scenario: Scenario
    path: Path
    cases: list[Case] = field(default_factory=list)
    took_s: float = 0.0
    real: bool = False

    @property
    def verdict(self) -> str:
        """passed, failed or not yet."""
        if self.scenario.waits_for:
            return NOT_YET
        return PASSED if self.cases and all(case.good for case in self.cases) else FAILED

    @property
    def stop_ms(self) -> list[float]:
        """The stop times that were measured."""
        return [each.stop_ms for case in self.cases for each in case.found if each.stop_ms is not None]


def run_case(name: str, scenario: Scenario, beside: Path) -> Case:
    """Play one case and look at what it left behind."""
    witness, case = Witness(), Case(name)
    try:
        loaded = load_protocol(scenario, beside)
        if not scenario.world.load_while_stimulated:
            check_start(loaded, scenario.world.puck)
    except ProtocolRefused as refused:
        witness.refusal = " | ".join(
            shorten(f"{fault.rule} {fault.message}; {fault.fix}", 300) for fault in refused.faults
        )
    else:
        play = Play(scenario, loaded)
        witness = play.run()
        case.simulated_s = (play.house.now_ns - START_NS) / SECOND
        case.violations = [
            f"{(each.at_ns - (witness.begun_ns or START_NS)) / SECOND:.3f} s {each.rule}: {each.text}"
            for each in play.violations[:VIOLATIONS_MAX]
        ]
    case.found = [look(check, witness) for check in scenario.expect]
    return case


def run_scenario(path: Path) -> Result:
    """Read the file and play all its cases. Raises ProtocolRefused for a file that cannot be read."""
    scenario = load_scenario(path)
    result = Result(scenario, path)
    if scenario.waits_for:
        return result
    began = time.perf_counter()
    gc.disable()
    for name, case in scenario.cases().items():
        result.cases.append(run_case(name, case, path.parent))
        gc.collect()
    gc.enable()
    result.took_s = time.perf_counter() - began
    return result


def run_all(paths: Sequence[Path], jobs: int) -> Iterator[Result]:
    """All of them, in the order of the paths. The longest are begun first."""
    if jobs <= 1 or len(paths) < 2:
        yield from map(run_scenario, paths)
        return
    work = sorted(paths, key=_weight, reverse=True)
    with ProcessPoolExecutor(jobs) as pool:
        futures = {path: pool.submit(run_scenario, path) for path in work}
        for path in paths:
            yield futures[path].result()


def _weight(path: Path) -> float:
    """About how long the scenario takes, in simulated s."""
    scenario = load_scenario(path)
    return sum(case.length + 20.0 for case in scenario.cases().values())


def select(words: Iterable[str], shipped: Sequence[Path]) -> list[Path]:
    """The files that are meant: an id or name of a shipped scenario, or a path. Raises KeyError with the word."""
    found: list[Path] = []
    known = {path.stem.upper(): path for path in shipped}
    for word in words:
        path = known.get(word.upper()) or (Path(word) if word.endswith((".yaml", ".yml")) else None)
        if path is None:
            raise KeyError(word)
        found.append(path)
    return found or list(shipped)
