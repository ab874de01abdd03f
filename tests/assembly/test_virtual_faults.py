"""Faults on the virtual clock, where every figure is exact: both cores, the twin, and a limb that the test holds."""

import pytest

from controller.clock import SECOND
from controller.engine import ports as engine_ports
from controller.gateway import ports as gateway_ports
from controller.record.verify import verify
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.requests import StopNow
from controller.vocabulary.snapshot import SessionState

pytestmark = pytest.mark.hazard("H01", "H02", "H18", "H21")

MS = 1_000_000
STOP_NS = 100 * MS  # operator's STOP to last pulse
LEASE_AND_TICK_NS = 130 * MS


def last_pulse_ns(held):
    """When the last train of the twin's log ended (the log is whole after `finish`)."""
    return max(entry["t_end_ns"] for entry in held.trains if entry.get("kind") == "train")


def test_an_operators_stop_ends_the_pulses_within_100_ms(held):
    held.to_current()
    stopped_ns = held.assembly.now_ns
    held.assembly._to_gateway.append(gateway_ports.FromFront(StopNow("F12")))
    held.assembly._step_gateway()
    held.assembly._settle()
    assert held.drive == ()
    held.alone()
    held.go(5_000)
    assert held.engine.state is SessionState.TRIPPED
    assert held.gateway.state is GatewayState.LATCHED
    assert verify(held.finish()).ok
    assert last_pulse_ns(held) - stopped_ns <= STOP_NS


def test_an_engine_that_freezes_stops_within_the_lease_and_a_tick(held):
    held.to_current()
    frozen_ns = held.assembly.now_ns
    held.assembly._step_engine = lambda: held.assembly._to_engine.clear()
    held.assembly._engine_due_ns = 1 << 62
    held.go(2_000)
    assert held.gateway.state is GatewayState.LATCHED
    assert held.drive == ()
    held.world.close(held.assembly.now_ns)
    held.assembly.black_box.close(0)
    assert last_pulse_ns(held) - frozen_ns <= LEASE_AND_TICK_NS


def test_a_gateway_that_freezes_leaves_it_to_the_units_own_watchdog(held):
    held.to_current().alone()
    frozen_ns = held.assembly.now_ns
    held.assembly._step_gateway = lambda: held.assembly._to_gateway.clear()
    held.assembly._gateway_due_ns = 1 << 62
    held.go(3_000)
    assert held.engine.state is SessionState.TRIPPED
    assert "PULL THE LEADS" in held.engine.todo
    assert held.drive == ()
    held.world.close(held.assembly.now_ns)
    assert last_pulse_ns(held) - frozen_ns <= 2_000 * MS
    assert [e["fault"] for e in held.trains if e.get("kind") == "fault"] == ["watchdog"]


def test_a_screen_that_freezes_stops_within_its_500_ms(held):
    held.to_current()
    frozen_ns = held.assembly.now_ns
    held.assembly._look = lambda: setattr(held.assembly, "_look_due_ns", held.assembly.now_ns + SECOND)
    held.go(2_000)
    assert held.gateway.state is GatewayState.LATCHED
    assert "screen fell silent" in held.gateway.cause
    held.world.close(held.assembly.now_ns)
    assert last_pulse_ns(held) - frozen_ns <= 620 * MS


def test_a_puck_that_falls_silent_pauses_and_nothing_latches(held):
    """The engine is to notice before the guard has to refuse."""
    held.to_current()
    silent_ns = held.assembly.now_ns
    held.alone()
    held.world.pucks[0].link = None
    held.go(1_500)
    assert held.engine.state is SessionState.PAUSED
    assert held.gateway.state is GatewayState.RESTING
    assert held.engine.training.refused == 0
    assert held.drive == ()
    assert verify(held.finish()).ok
    assert last_pulse_ns(held) - silent_ns <= 150 * MS


@pytest.mark.parametrize("phase_ms", [0, 3, 7, 11, 16])
def test_whatever_the_phase_of_the_tick_a_silent_puck_is_no_refusal(held, phase_ms):
    held.to_current().go(phase_ms)
    held.alone()
    held.world.pucks[0].link = None
    held.go(400)
    assert held.engine.training.refused == 0
    assert held.engine.state is SessionState.PAUSED


def test_a_lost_puck_trips_both(held):
    held.to_current()
    held.assembly._to_engine.append(engine_ports.PuckGone("no such device"))
    held.assembly._step_engine()
    held.assembly._settle()
    assert held.engine.state is SessionState.TRIPPED
    assert held.gateway.state is GatewayState.LATCHED
    assert held.drive == ()


def test_a_lost_unit_latches_and_trips(held):
    held.to_current()
    held.assembly._to_gateway.append(gateway_ports.UnitGone("input/output error"))
    held.assembly._step_gateway()
    held.assembly._settle()
    assert held.gateway.state is GatewayState.LATCHED
    assert held.engine.state is SessionState.TRIPPED
    assert "unit was lost" in held.engine.trip


def test_after_a_trip_a_person_goes_on_and_the_first_burst_waits_for_its_rest(kit, tmp_path):
    held = kit.Held(tmp_path, go_on_after_trip=True).to_current()
    held.assembly._to_gateway.append(gateway_ports.FromFront(StopNow("F12")))
    held.assembly._step_gateway()
    held.assembly._settle()
    assert held.engine.state is SessionState.TRIPPED
    held.go(10_000)
    assert held.engine.state is SessionState.RUNNING
    folder = held.finish()
    assert verify(folder).ok
    kinds = [record.kind for record in kit.records(folder / "gateway.jsonl")]
    assert "refused" not in kinds
    assert kinds.count("latched") == 2  # the STOP, and the end of the screen
    assert kinds.count("rearmed") == 1


def test_an_amplitude_that_follows_the_limb_through_zero_is_no_refusal(held):
    held.to_current()
    for angle_deg in (0.8, 45.0, 0.6, 30.0, 0.0, 60.0, 1.0, 45.0):
        held.limb.target_deg = angle_deg
        held.go(900)
    held.go(3_000)
    assert held.engine.training.refused == 0
    assert held.engine.state is SessionState.RUNNING
    assert held.drive


def test_the_stop_test_and_the_ceiling_come_before_the_first_current_of_a_session(held, kit):
    held.to_current()
    folder = held.finish()
    gateway = kit.records(folder / "gateway.jsonl")
    kinds = [record.kind for record in gateway]
    session_armed = next(n for n, r in enumerate(gateway) if r.kind == "armed" and r.data["scope"] == "session")
    assert kinds.index("stop_pressed") < kinds.index("armed")
    ceilings = [r.data["ceiling_ua"] for r in gateway[:session_armed] if r.kind == "prescribed"]
    assert ceilings[-1] == 20_000
    assert not [record for record in gateway if record.kind == "refused"]
