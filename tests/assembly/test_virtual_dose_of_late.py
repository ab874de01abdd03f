"""The engine aims inside the dose of late too: bursts a minute and duty make it wait, and never be refused."""

from pathlib import Path

import pytest

from controller.assembly.demo import DemoPlan, VirtualRun
from controller.session.model import Protocol
from controller.vocabulary.snapshot import SessionState
from safety.limits import DUTY_NS_MAX, DUTY_WINDOW_NS, LONGEST_BURST_NS

pytestmark = pytest.mark.hazard("H08", "H09")

MS = 1_000_000
SECOND = 1_000 * MS
SHORT = """stimloop: 1
name: short bursts, as often as the rest allows
task: none
position: POSITION
puck: {placement: hand, min_rate: 50 Hz}
channels:
  extensors: {channel: 1, muscle: extensors, placement: arm, region: forearm, electrode_area: 25 cm2,
    amplitude: 20 mA, pulse_width: 250 us, frequency: 35 Hz, ramp_up: 300 ms, ramp_down: 200 ms}
attempt: {window: 6 s}
activity:
  twitch:
    phases:
      rest: {at_least: 100 ms, then: go}
      go: {stimulate: {extensors: 50 %}, then: {after 300 ms: back}}
      back: {counts: repetition, then: rest}
session: {activity: twitch, repetitions: 30}
"""


def run_of(tmp_path, repetitions, position="seated"):
    path = Path(tmp_path) / "short.yaml"
    path.write_text(SHORT.replace("POSITION", position))
    return VirtualRun(DemoPlan(protocol=path, repetitions=repetitions), Path(tmp_path))


def until_running(run):
    assembly = run.assembly
    for _ in range(400):
        assembly.run(assembly.now_ns + 500 * MS)
        if assembly.engine.state is SessionState.RUNNING:
            return
    raise AssertionError(f"never ran: {assembly.engine.state}, {assembly.engine.todo}, {assembly.front.arm_denied}")


def test_more_bursts_than_a_minute_may_have_are_waited_for(tmp_path):
    run = run_of(tmp_path, 26)
    run.finish(run.assembly.now_ns + 400 * SECOND)
    assert run.assembly.engine.training.score.completed == 26
    assert run.assembly.gateway.delivery.refused == 0
    begun = run.assembly.gateway.delivery.guard._memory.dose.begun
    assert len(begun) == 20
    assert begun[-1] - begun[0] >= 57 * SECOND  # it did come as close as it may


def test_a_window_that_is_full_of_current_is_waited_for(tmp_path):
    run = run_of(tmp_path, 3)
    until_running(run)
    now_ns = run.assembly.now_ns
    dose = run.assembly.gateway.delivery.guard._memory.dose
    # As if nearly all that ten minutes may have had begun 590 s ago: the next burst fills it up.
    begun_ns = now_ns - DUTY_WINDOW_NS + 10 * SECOND
    dose.spans = [(begun_ns, begun_ns + DUTY_NS_MAX - LONGEST_BURST_NS - 100 * MS)]
    run.finish(now_ns + 120 * SECOND)
    assert run.assembly.engine.training.score.completed == 3
    assert run.assembly.gateway.delivery.refused == 0
    assert dose.spent_until_ns > now_ns + 9 * SECOND


@pytest.mark.parametrize("position", ["lying", "standing"])
def test_the_scripted_therapist_places_the_patient_as_the_protocol_wants(tmp_path, position):
    run = run_of(tmp_path, 1, position)
    run.finish(run.assembly.now_ns + 120 * SECOND)
    assert run.assembly.engine.training.score.completed == 1
    assert run.assembly.gateway.delivery.refused == 0
    assert "position" in Protocol.model_fields
