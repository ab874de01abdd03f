"""A whole session with each device in turn: the real cores, drivers and twins, on the virtual clock."""

import json

import pytest

from controller.assembly.demo import DemoPlan, run_virtual
from controller.assembly.protocols import shipped
from controller.assembly.results import collect
from controller.drivers import registry
from controller.engine.movement import Movement

pytestmark = pytest.mark.hazard("H25", "H33")

ASSISTED = shipped("wrist_extension_assisted")
UNITS = registry.own(registry.STIMULATORS)
PUCKS = registry.own(registry.PUCKS)


def session(tmp_path, **choice):
    """One completed repetition; the result and the gateway's own records."""
    plan = DemoPlan(repetitions=1, data=tmp_path, **choice)
    run = run_virtual(plan, tmp_path)
    record = run.assembly.engine.record
    result = collect(record.folder, run.trains, real_time=False)
    lines = (record.folder / "gateway.jsonl").read_text().splitlines()
    return run, result, [json.loads(line) for line in lines]


def assert_whole(result):
    assert result.ended == "normal"
    assert result.completed == 1
    assert result.refused == 0
    assert result.pulses > 50


@pytest.mark.parametrize("unit", UNITS)
def test_every_stimulator_carries_a_session_without_a_refusal(tmp_path, unit):
    run, result, records = session(tmp_path, unit=unit)
    assert_whole(result)
    assert run.assembly.gateway.kind.name == unit
    [identified] = {entry["data"]["identity"] for entry in records if entry["kind"] == "identified"}
    assert identified.startswith("SIM")
    limits = run.assembly.gateway.kind.limits
    trains = [entry for entry in run.trains if entry["kind"] == "train"]
    assert all(entry["amplitude_ua"] % limits.amplitude_step_ua == 0 for entry in trains)
    assert max(entry["amplitude_ua"] for entry in trains) <= 18_000  # what the patient accepted


@pytest.mark.parametrize("puck", PUCKS)
def test_every_puck_brings_the_attempt(tmp_path, puck):
    _, result, _ = session(tmp_path, puck=puck)
    assert_whole(result)
    assert result.triggers == result.assisted == 1


def watched(reported, highest):
    """`Movement.reported`, which also keeps the joint's angle (deg) while the orthosis pushes."""

    def report(movement, now_ns, fact):
        if fact.torque_on:
            highest.append(fact.angle_cdeg / 100)
        reported(movement, now_ns, fact)

    return report


@pytest.mark.parametrize("unit", UNITS)
def test_current_and_orthosis_together_carry_the_wrist_to_its_end(tmp_path, monkeypatch, unit):
    highest = []
    monkeypatch.setattr(Movement, "reported", watched(Movement.reported, highest))
    run, result, records = session(tmp_path, unit=unit, protocol=ASSISTED)
    assert_whole(result)
    kinds = [entry["kind"] for entry in records]
    assert kinds.count("motion_started") == kinds.count("motion_ended") == 1
    torques = [entry for entry in run.trains if entry["kind"] == "torque"]
    assert torques
    assert all(entry["peak_mnm"] <= 1_200 for entry in torques)
    assert max(highest) >= 27.0  # of the 30 deg that the protocol asks for
    assert run.world.motion.angle_deg < 15.0  # let go again: the hand sinks
