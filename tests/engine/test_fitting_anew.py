"""Fitting that is armed anew starts from 0, as the guard does: the first step after a stop is a first step."""

import pytest

from controller.engine import ports
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState, Latched


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


def test_what_was_found_stays_when_fitting_is_armed_anew(bench):
    bench.to_fitting()
    step(bench)
    bench.intend(intents.MarkLevel(1, intents.Level.SENSORY))
    bench.state = GatewayState.DISARMED
    bench.run(300)
    assert bench.core.set_up.fitting.found["extensors"].sensory_ua == 500
