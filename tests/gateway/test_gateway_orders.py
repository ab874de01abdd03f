"""Orders at the gateway: dropped when nobody armed, refused when old, and each Press straight from the screen."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.drivers.stimulators.events import PairCheckFailed
from controller.gateway import ports
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary.facts import BurstEnded, BurstStarted, GatewayState, GatewayStatus, Refusal
from controller.vocabulary.notices import Constrain, OpenRecord
from controller.vocabulary.requests import Arm, ConfirmArm, Disarm, Heartbeat, Prescribe, Press, StopNow
from safety.orders import ArmScope, Purpose, Stop, StopReason

pytestmark = pytest.mark.hazard("H15", "H20", "H32", "H51")

MS = 1_000_000
NOT_ARMED = [state for state in GatewayState if state not in PERMITS_DELIVERY]


@pytest.mark.parametrize("state", NOT_ARMED)
def test_orders_are_dropped_and_counted_while_not_armed(kit, state):
    bench = kit.in_state(state)
    bench.renews = False
    pulses, dropped, refused = bench.twin.pulses, bench.core.delivery.dropped, bench.core.delivery.refused
    bench.send(bench.order(2_000), bench.renewal())
    bench.run(200)
    assert bench.core.delivery.dropped == dropped + 2
    assert bench.core.delivery.refused == refused  # the guard was not even asked
    assert bench.facts(GatewayStatus)[-1].dropped == dropped + 2
    assert bench.twin.pulses == pulses
    assert bench.core.state not in PERMITS_DELIVERY


def test_a_burst_begins_goes_on_ends_and_rests(stimulating):
    started = stimulating.facts(BurstStarted)
    assert len(started) == 1
    stimulating.run(1_000)
    stimulating.renews = False
    stimulating.send(Stop(10_000, stimulating.now_ns))
    assert stimulating.core.state is GatewayState.RESTING
    assert stimulating.twin.drive() == ()
    ended = stimulating.facts(BurstEnded)[-1]
    assert ended.rest_until_ns == stimulating.now_ns + 2_000 * MS
    stimulating.run(1_900)
    assert stimulating.core.state is GatewayState.RESTING
    stimulating.run(200)
    assert stimulating.core.state is GatewayState.ARMED


@pytest.mark.parametrize("off", ["no trains", "zero"])
def test_an_order_for_no_current_ends_the_burst(stimulating, off):
    stimulating.renews = False
    stimulating.send(stimulating.order(*([0] if off == "zero" else [])))
    assert stimulating.core.state is GatewayState.RESTING
    assert stimulating.twin.drive() == ()


def test_an_engine_that_reports_a_fault_latches(stimulating):
    stimulating.send(Stop(10_000, stimulating.now_ns, StopReason.FAULT))
    assert stimulating.core.state is GatewayState.LATCHED


def test_an_order_too_early_in_the_rest_is_refused_without_a_latch(stimulating):
    stimulating.renews = False
    stimulating.send(stimulating.order())
    stimulating.run(50)
    stimulating.send(stimulating.order(2_000))
    assert stimulating.facts(Refusal)[-1].rule == "G22"
    assert stimulating.core.state is GatewayState.RESTING
    assert stimulating.twin.drive() == ()


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("G02", {"seq": 1}),
        ("G03", {"stamp_ns": -150 * MS, "expires_ns": -30 * MS, "sensor_ns": -155 * MS}),
        ("G03", {"stamp_ns": 5 * MS, "expires_ns": 100 * MS}),
        ("G04", {"expires_ns": 200 * MS}),
        ("G06", {"purpose": Purpose.TITRATE}),
        ("G25", {"sensor_ns": -150 * MS}),
    ],
)
def test_a_defective_order_is_refused_stops_and_latches(stimulating, rule, changes):
    times = {name: stimulating.now_ns + value for name, value in changes.items() if name.endswith("_ns")}
    stimulating.send(replace(stimulating.order(6_000), **(changes | times)))
    assert stimulating.facts(Refusal)[-1].rule == rule
    assert stimulating.core.state is GatewayState.LATCHED
    assert rule in stimulating.core.cause
    assert stimulating.twin.drive() == ()


def test_what_a_frozen_engine_sends_afterwards_is_worth_nothing(stimulating):
    """SIGSTOP, then SIGCONT: orders of before the freeze, and of its end, arrive in a bunch."""
    old = [stimulating.order(6_000), stimulating.renewal(), stimulating.order(6_000)]
    stimulating.engine_talks = False
    stimulating.run(1_000)
    assert stimulating.core.state is GatewayState.LATCHED
    pulses = stimulating.twin.pulses
    stimulating.engine_talks, stimulating.renews = True, False
    stimulating.send(*old, stimulating.order(6_000))
    stimulating.run(300)
    assert stimulating.twin.pulses == pulses
    stimulating.arm(reason="engine was frozen, all well")
    stimulating.send(old[-1])
    assert stimulating.facts(Refusal)[-1].rule == "G03"
    assert stimulating.core.state is GatewayState.LATCHED
    stimulating.run(300)
    assert stimulating.twin.pulses == pulses


def test_bytes_that_would_not_say_the_order_are_never_written(stimulating, monkeypatch):
    def differ(ticket, now_ns):
        raise PairCheckFailed("channel 1 reads back as channel 2")

    monkeypatch.setattr(stimulating.core.unit.driver, "deliver", differ)
    stimulating.send(stimulating.order(6_000))
    assert stimulating.core.state is GatewayState.LATCHED
    assert "did not match the order" in stimulating.core.cause
    assert stimulating.twin.drive() == ()


def test_a_protocol_can_only_narrow(armed):
    armed.send(Constrain(1, "forearm", 2_500, 1_500, 250, 29_000, 5_000))
    armed.run(25)
    armed.send(armed.order(2_000))
    assert armed.facts(Refusal)[-1].rule == "G11"
    assert "protocol" in armed.facts(Refusal)[-1].reason


def test_a_ceiling_cannot_be_changed_while_armed(armed, kit):
    armed.press(Prescribe(kit.PATIENT, kit.DATE, 1, "forearm", 2_500, 25_000, 8_000))
    assert armed.logged("prescribed")[-1]["refused"]
    assert armed.facts(Refusal)[-1].latched is False
    assert armed.core.state is GatewayState.ARMED


def test_the_gateway_keeps_its_record_where_the_engine_says(bench):
    outputs = bench.send(OpenRecord("/tmp/somewhere"))
    assert [output.folder for output in outputs if isinstance(output, ports.OpenLog)] == ["/tmp/somewhere"]


# -- fitting: every step answers to a key press that came straight from the screen ------------------------------------


def titration(bench, ua, press):
    return bench.order(ua, purpose=Purpose.TITRATE, press=press, sensor_ns=0)


@pytest.fixture
def fitting(bench):
    return bench.arm(ArmScope.FITTING)


def test_a_press_from_the_screen_earns_one_step(fitting):
    fitting.press(Press(1))
    fitting.send(titration(fitting, 500, 1))
    assert fitting.core.state is GatewayState.DELIVERING
    fitting.send(titration(fitting, 1_000, 1))
    assert fitting.facts(Refusal)[-1].rule == "G27"


@pytest.mark.parametrize("claimed", [1, 7])
def test_a_press_that_only_the_engine_claims_earns_nothing(fitting, claimed):
    fitting.send(Press(claimed))  # a message that has no business on the engine's line
    fitting.send(titration(fitting, 500, claimed))
    assert fitting.facts(Refusal)[-1].rule == "G26"
    assert fitting.core.state is GatewayState.LATCHED
    assert fitting.twin.pulses == 0


def test_a_press_reaches_the_guard_before_the_order_that_answers_to_it(fitting):
    """They come on two lines; in one wake-up the person is heard first."""
    fitting.step(ports.FromEngine(titration(fitting, 500, 1)), ports.FromFront(Press(1)))
    assert fitting.core.state is GatewayState.DELIVERING


def test_help_is_not_for_fitting(fitting):
    fitting.press(Press(1))
    fitting.send(fitting.order(500, press=1))
    assert fitting.facts(Refusal)[-1].rule == "G06"
    assert fitting.twin.pulses == 0


# -- whatever comes --------------------------------------------------------------------------------------------------

numbers = st.integers(0, 4)
actions = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 20, 60, 130, 600, 2_200])),
    st.tuples(st.just("deliver"), st.sampled_from([0, 500, 2_000, 4_000, 21_000, 200_000])),
    st.tuples(st.just("renew"), st.just(0)),
    st.tuples(st.just("old"), st.integers(-700, 200)),
    st.tuples(st.just("arm"), st.sampled_from(["", "all well"])),
    st.tuples(st.just("confirm"), st.integers(-1, 1)),
    st.tuples(st.just("say"), st.sampled_from(["stop", "disarm", "press", "release", "fault", "prescribe"])),
    st.tuples(st.just("noise"), st.binary(max_size=40)),
    st.tuples(st.just("lose"), st.sampled_from(["engine", "unit", "plug"])),
    st.tuples(st.just("jump"), st.sampled_from([-3, 700])),
)


def act(bench, action, value):
    if action == "wait":
        bench.run(value)
    elif action == "deliver":
        bench.send(bench.order(value))
    elif action == "renew":
        bench.send(bench.renewal())
    elif action == "old":
        at_ns = bench.now_ns + value * MS
        bench.send(bench.order(2_000, stamp_ns=at_ns, expires_ns=at_ns + 120 * MS))
    elif action == "arm":
        bench.ask(reason=value)
    elif action == "confirm":
        bench.press(ConfirmArm(bench.core.desk._next_number - 1 + value))
        bench.run(100)
    elif action == "noise":
        bench.step(ports.UnitBytes(value))
    elif action == "jump":
        bench.now_ns += value * MS
        bench.step()
    elif value == "plug":
        if bench.core.unit.driver is None:
            bench._plug_in()
            bench.step(ports.UnitOpened("memory"))
    elif value in ("engine", "unit"):
        bench.step(ports.EngineGone("gone") if value == "engine" else ports.UnitGone("gone"))
    else:
        said = {
            "stop": ports.FromFront(StopNow("F12")),
            "disarm": ports.FromFront(Disarm("pause")),
            "press": ports.FromFront(Press(1)),
            "release": ports.FromEngine(Stop(1, bench.now_ns)),
            "fault": ports.FromEngine(Stop(1, bench.now_ns, StopReason.FAULT)),
            "prescribe": ports.FromFront(Prescribe("P", "D", 1, "thigh", 100, 90_000, 0)),
        }
        bench.step(said[value])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(actions, max_size=25), st.booleans())
def test_whatever_comes_current_flows_only_while_delivering_under_a_lease(kit, script, armed):
    bench = kit.Bench().connect().prescribe()
    if armed:
        bench.arm()
        bench.run(50)
    latest_ns = bench.now_ns
    for action, value in script:
        act(bench, action, value)
        core, latest_ns = bench.core, max(latest_ns, bench.now_ns)
        if bench.twin.drive() and core.unit.driver is not None:
            assert core.state is GatewayState.DELIVERING
            assert bench.now_ns <= core.delivery.lease_until_ns
            assert all(ua <= 20_000 for _, ua, _, _ in bench.twin.drive())
        assert core.next_deadline() <= latest_ns + 100 * MS
    bench.press(StopNow("F12"), Heartbeat(bench.now_ns), Arm(ArmScope.SESSION))
    if bench.core.unit.driver is not None:
        assert bench.twin.drive() == ()
    assert bench.core.state not in PERMITS_DELIVERY
