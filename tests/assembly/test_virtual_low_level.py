"""A whole session on the virtual clock whose pulses the host clocks one by one, beside the same in the mid level."""

import pytest

from controller.assembly.demo import DemoPlan, run_virtual
from controller.record.merge import records

pytestmark = pytest.mark.hazard("H28")


def sat_through(unit, folder):
    run = run_virtual(DemoPlan(repetitions=3, seed=1, unit=unit), folder)
    events = records(run.assembly.engine.record.folder / "events.jsonl")
    trains = [entry for entry in run.trains if entry.get("kind") == "train"]
    return run, next(event.data for event in events if event.kind == "tally"), trains


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return {unit: sat_through(unit, tmp_path_factory.mktemp(unit)) for unit in ("p24", "p24-low")}


def test_the_session_ends_the_same_in_both_levels(both):
    assert both["p24-low"][1] == both["p24"][1]
    assert both["p24-low"][1]["completed"] == 3


def test_the_skin_gets_the_same_pulses_but_for_one_at_the_ends_of_bursts(both):
    delivered = {unit: sum(train["pulses"] for train in trains) for unit, (_, _, trains) in both.items()}
    assert delivered["p24"] > 500
    assert delivered["p24-low"] == pytest.approx(delivered["p24"], rel=0.01)
    assert {train["period_us"] for train in both["p24-low"][2]} <= {29_000, 0}
    assert {train["width_us"] for train in both["p24-low"][2]} == {train["width_us"] for train in both["p24"][2]}


def test_the_unit_saw_no_fault_and_was_in_its_low_level(both):
    said = [entry for entry in both["p24-low"][0].trains if entry.get("kind") in ("fault", "state")]
    assert {entry["state"] for entry in said} == {"ll", "none"}
    assert said[-1]["state"] == "none"
