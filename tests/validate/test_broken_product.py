"""Scenarios turn red when the product is broken on purpose: each defect by the scenario that is there for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.assembly.validate.reader import load_scenario, shipped_scenarios
from controller.assembly.validate.run import Case, run_case
from controller.engine import watches
from controller.engine.core import EngineCore
from controller.engine.training import Training
from controller.gateway.core import GatewayCore
from controller.gateway.ports import FromFront
from controller.motion.detector import AttemptDetector
from controller.motion.gate import AttemptGate
from controller.vocabulary.requests import StopNow

pytestmark = pytest.mark.hazard("H06", "H08", "H09", "H10", "H18", "H27")


def played(identity: str, variant: str = "") -> Case:
    path = next(path for path in shipped_scenarios() if path.stem == identity)
    scenario = load_scenario(path).cases()[variant]
    # Without attempts in calibration set-up is short, and the attempt threshold is the floor.
    return run_case(variant, scenario, Path(path).parent)


def red(case: Case) -> set[str]:
    return {each.check for each in case.found if not each.good} | ({"skin"} if case.violations else set())


def deaf_to_stop(patch: pytest.MonkeyPatch) -> None:
    step: Callable[..., Any] = GatewayCore.step

    def deaf(self: GatewayCore, now_ns: int, inputs: Any) -> Any:
        tested = self.state in ("connected", "disarmed", "closed")
        heard = [each for each in inputs if tested or not (isinstance(each, FromFront) and _stops(each))]
        return step(self, now_ns, heard)

    patch.setattr(GatewayCore, "step", deaf)


def _stops(entry: FromFront) -> bool:
    return isinstance(entry.message, StopNow)


def test_a_gateway_that_ignores_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf_to_stop(monkeypatch)
    found = red(played("S29"))
    assert "last pulse after stop" in found
    assert "skin" in found


def test_a_detector_without_blanking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AttemptDetector, "stimulation", lambda self, now_ns, on: None)
    monkeypatch.setattr(AttemptDetector, "blanked", lambda self, now_ns: False)
    monkeypatch.setattr(AttemptDetector, "_still", lambda self, t_ns, quiet_ns: True)
    assert "triggers" in red(played("S06"))


def test_an_engine_that_does_not_miss_its_puck(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(core: EngineCore, now_ns: int) -> None:
        core.feed.sample_ns = now_ns

    monkeypatch.setattr(watches, "watch_puck", blind)
    monkeypatch.setattr("controller.engine.core.watch_puck", blind)
    assert {"record after gap within 0.2 s", "state after gap within 0.3 s"} <= red(played("S21"))


def test_a_gate_that_lets_everything_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AttemptGate, "judge", lambda self, t_ns, lasted_ns: True)
    assert "triggers within 10 s" in red(played("S14"))


def test_a_hold_key_that_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Training, "hold", lambda self, now_ns, on: None)
    assert {"triggers", "pulses"} <= red(played("S08", "held"))


def test_the_same_scenarios_are_green_on_the_product_as_it_is() -> None:
    assert not red(played("S29"))


def test_the_same_seed_gives_the_same_run() -> None:
    path = next(path for path in shipped_scenarios() if path.stem == "S21")
    scenario = load_scenario(path)
    first, second = (run_case("", scenario, path.parent) for _ in range(2))
    assert first.found == second.found
    other = run_case("", scenario.model_copy(update={"seed": 2}), path.parent)
    assert other.good
