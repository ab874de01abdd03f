"""The table of the gateway's states, and STOP from each of them on the real core."""

import pytest

from controller.drivers.stimulators.sciencemode_orders import STOP_FRAMES
from controller.gateway import ports
from controller.gateway.states import PERMITS_DELIVERY, TABLE, Happening, after
from controller.vocabulary.facts import GatewayState, Latched
from controller.vocabulary.requests import Disarm, StopNow
from safety.orders import Stop, StopReason

pytestmark = pytest.mark.hazard("H18", "H35")

EVERY = list(GatewayState)


def stop_frames(outputs):
    return [output.data for output in outputs if isinstance(output, ports.ToUnit)]


@pytest.mark.parametrize("state", EVERY)
def test_latched_is_one_step_from_every_state(state):
    assert after(state, Happening.LATCHED) is GatewayState.LATCHED


def test_only_a_rearm_leaves_latched():
    ways_out = {happening for (state, happening), target in TABLE.items() if state is GatewayState.LATCHED != target}
    assert ways_out == {Happening.REARMED}
    assert {state for (state, happening) in TABLE if happening is Happening.REARMED} == {GatewayState.LATCHED}


def test_current_can_only_begin_where_a_person_has_armed():
    before = {state for (state, happening) in TABLE if happening is Happening.DELIVERED}
    assert before == {GatewayState.ARMED, GatewayState.RESTING}
    into = {happening for (state, happening), target in TABLE.items() if target is GatewayState.ARMED}
    assert into == {Happening.ARMED, Happening.REARMED, Happening.RESTED}


def test_every_state_can_be_reached_from_closed():
    reached, frontier = {GatewayState.CLOSED}, [GatewayState.CLOSED]
    while frontier:
        here = frontier.pop()
        for (state, _), target in TABLE.items():
            if state is here and target not in reached:
                reached.add(target)
                frontier.append(target)
    assert reached == set(GatewayState)


@pytest.mark.parametrize("state", EVERY)
@pytest.mark.parametrize("happening", list(Happening))
def test_a_step_that_is_not_in_the_table_is_a_defect(state, happening):
    if (state, happening) in TABLE:
        assert after(state, happening) in GatewayState
    else:
        with pytest.raises(KeyError):
            after(state, happening)


@pytest.mark.parametrize("state", EVERY)
@pytest.mark.parametrize("stop", [ports.FromFront(StopNow("F12")), ports.StopSignal("SIGTERM")], ids=["key", "signal"])
def test_stop_is_total_and_may_be_repeated(kit, state, stop):
    bench = kit.in_state(state)
    assert bench.core.state is state
    first, second = bench.step(stop), bench.step(stop)
    expected = GatewayState.LATCHED if state in PERMITS_DELIVERY else state
    assert bench.core.state is expected
    if state is not GatewayState.CLOSED:
        assert STOP_FRAMES.data in stop_frames(first)
        assert STOP_FRAMES.data in stop_frames(second)
    assert bench.twin.drive() == ()
    assert bench.core.stop_tested
    assert len(bench.facts(Latched)) in (0, 2)  # to the screen and to the engine, once
    bench.run(300)
    assert bench.core.state is expected
    assert bench.twin.drive() == ()


@pytest.mark.parametrize("state", EVERY)
@pytest.mark.parametrize(
    "happens",
    [
        ports.FrontGone("end of stream"),
        ports.EngineGone("end of stream"),
        ports.UnitGone("input/output error"),
        ports.FromEngine(Stop(9_999, 0, StopReason.FAULT)),
        ports.FromEngine(Stop(9_999, 0)),
        ports.FromFront(Disarm("pause")),
    ],
    ids=["front gone", "engine gone", "unit gone", "fault stop", "release", "disarm"],
)
def test_whatever_is_lost_in_whatever_state_no_current_is_left_ordered(kit, state, happens):
    bench = kit.in_state(state)
    bench.renews = False
    outputs = bench.step(happens)
    if isinstance(happens, ports.UnitGone):
        bench.closed = True
        assert (STOP_FRAMES.data in stop_frames(outputs)) == (state in PERMITS_DELIVERY)
        bench.run(2_500)
    assert bench.twin.drive() == ()
    losing = not isinstance(happens, ports.FromEngine | ports.FromFront) or happens.message == Stop(
        9_999, 0, StopReason.FAULT
    )
    if state in PERMITS_DELIVERY and losing:
        assert bench.core.state is GatewayState.LATCHED
        assert bench.core.cause
        assert bench.core.todo
    elif isinstance(happens, ports.FrontGone):
        assert bench.core.state is GatewayState.LATCHED
    assert bench.core.leaving == isinstance(happens, ports.FrontGone)
