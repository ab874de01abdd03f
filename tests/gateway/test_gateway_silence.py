"""Silence means stop: leases, heartbeats, ends of lines, the clock, the unit's cable."""

from itertools import pairwise

import pytest

from controller.drivers.stimulators.sciencemode_orders import STOP_FRAMES
from controller.gateway import ports
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary.facts import BurstEnded, GatewayState, GatewayStatus, Latched
from controller.vocabulary.requests import StopNow
from controller.wire.sciencemode.messages import MlGetCurrentData, MlUpdate
from safety.orders import Stop, StopReason

pytestmark = pytest.mark.hazard("H01", "H02", "H04", "H17", "H21")

MS = 1_000_000
LEASE_NS = 120 * MS
TICK_NS = 10 * MS


def test_a_lease_that_is_not_renewed_stops_and_latches_in_time(stimulating):
    lease_until_ns = stimulating.core.delivery.lease_until_ns
    stimulating.engine_talks = False
    assert stimulating.core.next_deadline() <= lease_until_ns + TICK_NS
    stimulating.run(300)
    assert stimulating.core.state is GatewayState.LATCHED
    assert "lease ended" in stimulating.core.cause
    assert stimulating.now_ns > stimulating.off_ns > 0
    assert stimulating.off_ns <= lease_until_ns + TICK_NS
    written = [at_ns for at_ns, data in stimulating.wire if data == STOP_FRAMES.data and at_ns > lease_until_ns]
    assert written[0] <= lease_until_ns + TICK_NS
    assert stimulating.facts(BurstEnded)[-1].why == "stopped"


def test_a_lease_ends_even_while_the_engine_beats(stimulating):
    stimulating.renews = False
    stimulating.run(200)
    assert stimulating.core.state is GatewayState.LATCHED
    assert "lease ended" in stimulating.core.cause


def test_a_renewal_that_comes_after_the_end_of_its_lease_revives_nothing(stimulating):
    stimulating.renews = False
    renewal = stimulating.renewal()
    stimulating.now_ns = stimulating.core.delivery.lease_until_ns + 1
    stimulating.step(ports.FromEngine(renewal))
    assert stimulating.core.state is GatewayState.LATCHED
    assert stimulating.twin.drive() == ()


def test_a_silent_screen_stops_after_500_ms(stimulating):
    stimulating.screen_talks = False
    heard_ns = stimulating.core.watch.front_ns
    stimulating.run(1_000)
    assert stimulating.core.state is GatewayState.LATCHED
    assert "screen fell silent" in stimulating.core.cause
    assert heard_ns + 500 * MS < stimulating.off_ns <= heard_ns + 500 * MS + 100 * MS


def test_a_silent_engine_stops_an_armed_gateway_that_delivers_nothing(armed):
    armed.engine_talks = False
    armed.run(900)
    assert armed.core.state is GatewayState.LATCHED
    assert "engine fell silent" in armed.core.cause


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (ports.EngineGone("end of stream"), "engine has gone (end of stream)"),
        (ports.FrontGone("connection reset"), "screen has gone (connection reset)"),
        (ports.StopSignal("stimloop stop"), "STOP was pressed (stimloop stop)"),
    ],
    ids=["engine", "front", "stop"],
)
def test_a_line_that_ends_stops_at_once(stimulating, lost, words):
    outputs = stimulating.step(lost)
    assert words in stimulating.core.cause
    assert stimulating.twin.drive() == ()
    first = next(output for output in outputs if isinstance(output, ports.ToUnit))
    assert first.data == STOP_FRAMES.data
    told = [output.message for output in outputs if isinstance(getattr(output, "message", None), Latched)]
    assert {type(output) for output in outputs if getattr(output, "message", None) in told} == {
        ports.ToEngine,
        ports.ToFront,
    }


@pytest.mark.parametrize("jump_ms", [501, 60_000, -1, -5_000])
@pytest.mark.parametrize("state", sorted(PERMITS_DELIVERY))
def test_a_clock_that_jumps_latches_whoever_is_armed(kit, state, jump_ms):
    bench = kit.in_state(state)
    bench.renews = False
    bench.now_ns += jump_ms * MS
    stale = bench.renewal()
    outputs = bench.core.step(bench.now_ns, [ports.FromEngine(stale)])
    assert bench.core.state is GatewayState.LATCHED
    assert f"clock jumped by {jump_ms} ms" in bench.core.cause
    assert any(isinstance(output, ports.ToUnit) and output.data == STOP_FRAMES.data for output in outputs)


def test_after_a_jump_the_rest_begins_anew(kit):
    """How long the last burst and its rest really were is not known: the patient gets the longest of it."""
    bench = kit.in_state(GatewayState.RESTING)
    bench.now_ns += 10_000 * MS
    bench.core.step(bench.now_ns, [])
    assert bench.core.delivery.guard.rest_until_ns == bench.now_ns + 7_560 * MS


def test_a_gap_that_a_busy_machine_makes_is_no_jump(armed):
    armed.now_ns += 400 * MS
    armed.step()
    assert armed.core.state is GatewayState.ARMED


@pytest.mark.parametrize("state", [GatewayState.CONNECTED, GatewayState.DISARMED])
def test_a_jump_while_nothing_may_flow_is_only_a_late_wake_up(kit, state):
    bench = kit.in_state(state)
    bench.now_ns += 60_000 * MS
    bench.core.step(bench.now_ns, [])
    assert bench.core.state is state


def test_the_keep_alive_is_never_sent_without_a_live_lease_or_confirmed_zero(stimulating):
    """Even where the unit never hears a stop: its own watchdog must get its chance."""
    stimulating.heard = lambda data: b"" if data == STOP_FRAMES.data else data
    silent_from_ns = stimulating.now_ns
    lease_until_ns = stimulating.core.delivery.lease_until_ns
    stimulating.engine_talks = False
    stimulating.run(2_600)
    kept_alive = [
        request
        for at_ns, data in stimulating.wire
        if at_ns > lease_until_ns and data != STOP_FRAMES.data
        for request in stimulating.requests(at_ns)
        if isinstance(request, MlGetCurrentData) or (isinstance(request, MlUpdate) and request.channels)
    ]
    assert kept_alive == []
    assert stimulating.twin.drive() == ()
    assert [entry["fault"] for entry in stimulating.twin_log if entry["kind"] == "fault"] == ["watchdog"]
    assert stimulating.off_ns <= silent_from_ns + LEASE_NS + 2_000 * MS
    for at_ns, alive, zero in stimulating.core.unit.driver.polls:
        if at_ns > lease_until_ns:
            assert not alive or zero


def test_the_keep_alive_goes_on_at_confirmed_zero_and_while_a_lease_lives(stimulating):
    stimulating.run(3_000)
    assert stimulating.core.state is GatewayState.DELIVERING  # over the unit's 2 s without a new update
    stimulating.renews = False
    stimulating.send(Stop(10_000, stimulating.now_ns))
    stimulating.run(5_000)
    assert stimulating.core.state is GatewayState.ARMED
    assert [entry for entry in stimulating.twin_log if entry["kind"] == "fault"] == []


def test_the_first_cause_is_kept(stimulating):
    stimulating.step(ports.EngineGone("end of stream"))
    first = stimulating.core.cause
    for later in (
        ports.FromFront(StopNow("F12")),
        ports.StopSignal("SIGHUP"),
        ports.FrontGone("end of stream"),
        ports.UnitGone("input/output error"),
        ports.FromEngine(Stop(10_001, stimulating.now_ns, StopReason.FAULT)),
    ):
        stimulating.step(later)
        assert stimulating.core.cause == first
    assert len(stimulating.logged("latched")) == 1
    assert {entry["cause"] for entry in stimulating.logged("stopped_again")} == {"The screen has gone (end of stream)."}
    assert stimulating.facts(GatewayStatus)[-1].cause == first


def test_causes_of_one_instant_are_ranked_and_stops_come_first(stimulating):
    late = stimulating.order(8_000)
    stimulating.step(ports.FromEngine(late), ports.UnitBytes(b""), ports.StopSignal("SIGTERM"))
    assert "SIGTERM" in stimulating.core.cause
    assert stimulating.twin.drive() == ()


# -- the unit's cable -------------------------------------------------------------------------------------------------


def test_a_lost_unit_latches_and_its_port_is_tried_each_second(stimulating):
    outputs = stimulating.step(ports.UnitGone("input/output error"))
    stimulating.closed = True
    assert stimulating.core.state is GatewayState.LATCHED
    assert "TAKE THE LEADS OFF" in stimulating.core.todo
    assert any(isinstance(output, ports.CloseUnit) for output in outputs)
    before = len(stimulating.said)
    stimulating.run(950)
    assert not [o for o in stimulating.said[before:] if isinstance(o, ports.OpenUnit)]
    stimulating.run(100)
    assert [o for o in stimulating.said[before:] if isinstance(o, ports.OpenUnit)]
    stimulating.step(ports.UnitMissing("There is no such port. Plug the unit in."))
    assert stimulating.core.blocked(stimulating.now_ns) == "There is no such port. Plug the unit in."


def test_after_a_reconnect_stop_comes_first_and_no_update_ever_again(stimulating):
    stimulating.step(ports.UnitGone("input/output error"))
    stimulating.closed = True
    stimulating.run(1_100)
    back_ns = stimulating.now_ns
    stimulating.closed = False
    stimulating._plug_in()
    stimulating.step(ports.UnitOpened("memory"))
    assert stimulating.wire[-1][0] == back_ns
    assert next(data for at_ns, data in stimulating.wire if at_ns >= back_ns).startswith(STOP_FRAMES.data)
    for _ in range(10):  # the engine has not understood yet
        stimulating.send(stimulating.order(6_000), stimulating.renewal())
        stimulating.run(50)
    updates = [request for request in stimulating.requests(back_ns) if isinstance(request, MlUpdate)]
    assert updates
    assert all(update.channels == () for update in updates)
    assert stimulating.core.state is GatewayState.LATCHED
    assert stimulating.twin.drive() == ()


def test_while_latched_for_another_reason_a_reconnect_changes_nothing(stimulating):
    stimulating.press(StopNow("F12"))
    stimulating.step(ports.UnitGone("unplugged"))
    stimulating._plug_in()
    stimulating.step(ports.UnitOpened("memory"))
    stimulating.run(500)
    assert stimulating.core.state is GatewayState.LATCHED
    assert "STOP was pressed" in stimulating.core.cause
    stimulating.arm(reason="cable plugged in again")
    stimulating.run(2_500)
    stimulating.stimulate()


def test_an_electrode_that_comes_off_stops_everything(stimulating):
    stimulating.renews = False
    for ua in range(8_000, 19_000, 2_000):
        stimulating.run(25)
        stimulating.send(stimulating.order(ua))
    stimulating.renews = True
    stimulating.run(100)
    stimulating.twin.electrode(1, False)
    stimulating.run(600)
    assert stimulating.core.state is GatewayState.LATCHED
    assert "lost its contact" in stimulating.core.cause
    assert stimulating.twin.drive() == ()


def test_a_unit_that_falls_silent_is_found_out(stimulating):
    stimulating.heard = lambda data: b""
    stimulating.run(900)
    assert stimulating.core.state is GatewayState.LATCHED
    assert "no longer answers" in stimulating.core.cause
    stimulating.run(2_000)
    assert stimulating.twin.drive() == ()  # by its own watchdog: nobody keeps it alive


def test_the_status_is_said_on_every_change_and_ten_times_a_second(stimulating):
    times = [fact.t_ns for fact in stimulating.facts(GatewayStatus)]
    assert max(b - a for a, b in pairwise(times)) <= 100 * MS
    status = stimulating.facts(GatewayStatus)[-1]
    assert status.state is GatewayState.DELIVERING
    assert status.simulated
    assert status.stop_tested
    assert status.unit == "SIM0P24001"
    assert [(o.channel, o.commanded_ua, o.confirmed_ua) for o in status.outputs] == [(1, 6_000, 6_000)]
    assert 0 <= status.confirmed_age_ms <= 500
