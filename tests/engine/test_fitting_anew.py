"""Fitting that is armed anew starts from 0, as the guard does: the first step after a stop is a first step."""

import pytest

from controller.engine import ports
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState, Latched
from controller.vocabulary.snapshot import SessionState
from safety.orders import Deliver

MS = 1_000_000


def step(bench):
    """One press, and the largest amplitude of the orders that followed."""
    since_ns = bench.now_ns
    bench.press()
    bench.run(400)
    return max((t.amplitude_ua for order in bench.orders(since_ns) for t in getattr(order, "trains", ())), default=0)


@pytest.mark.parametrize("stopped", [False, True], ids=["disarmed", "stopped"])
def test_the_first_step_after_arming_anew_is_one_step_from_nothing(bench, stopped):
    bench.to_fitting()
    assert [step(bench) for _ in range(4)] == [500, 1_000, 1_500, 2_000]
    bench.intend(intents.TitrateOff())
    if stopped:
        bench.state = GatewayState.LATCHED
        bench.step(ports.FromGateway(Latched(bench.now_ns, "STOP was pressed (F12).", "Look after the patient.")))
        bench.run(200)
        bench.intend(intents.Acknowledge("all well"))
    else:
        bench.state = GatewayState.DISARMED
    bench.run(2_500)
    bench.state, bench.rest_until_ns = GatewayState.ARMED, 0
    bench.run(200)
    assert [step(bench) for _ in range(2)] == [500, 1_000]


def test_a_trip_in_fitting_counts_the_steps_anew_however_soon_a_person_arms_again(bench):
    bench.to_fitting()
    for _ in range(4):
        bench.press()
        bench.run(400)
    assert bench.core.set_up.fitting.level_ua[1] == 2_000
    bench.state, bench.on = GatewayState.LATCHED, False
    bench.core.halt(bench.now_ns, "The gateway stopped.", "Look.")
    bench.step(ports.FromGateway(bench.status()))
    assert bench.core.state is SessionState.TRIPPED
    bench.state = GatewayState.ARMED
    bench.step(ports.FromGateway(bench.status()))
    bench.intend(intents.Acknowledge("it is safe"))
    assert bench.core.state is SessionState.FITTING
    assert bench.core.set_up.fitting.level_ua[1] == 0


def test_a_rest_that_a_new_gateway_knows_of_is_known_in_fitting_too(bench):
    bench.to_fitting()
    bench.rest_until_ns = bench.now_ns + 5_000 * MS
    bench.step(ports.FromGateway(bench.status()))
    for _ in range(4):
        bench.press()
        bench.run(300)
    assert bench.orders(kinds=Deliver) == []
    assert bench.core.set_up.fitting.level_ua[1] == 0
    bench.run(4_000)
    bench.press()
    (order,) = bench.orders(kinds=Deliver)
    assert order.trains[0].amplitude_ua == 500


def test_what_was_found_stays_when_fitting_is_armed_anew(bench):
    bench.to_fitting()
    step(bench)
    bench.intend(intents.MarkLevel(1, intents.Level.SENSORY))
    bench.state = GatewayState.DISARMED
    bench.run(300)
    assert bench.core.set_up.fitting.found["extensors"].sensory_ua == 500
