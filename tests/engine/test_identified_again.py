"""The engine and the guard's newer rules: fitting needs identified channels, and a new gateway leads back to it."""

from dataclasses import replace

import pytest

from controller.engine import ports
from controller.vocabulary import intents
from controller.vocabulary.facts import Ceiling, GatewayState, Refusal
from controller.vocabulary.notices import NeedPosition
from controller.vocabulary.snapshot import SessionState

pytestmark = pytest.mark.hazard("H16", "H34")


def identifies(bench, *channels):
    """What the gateway says from now on of the channels that a person identified."""
    usual = type(bench).status
    bench.status = lambda **changes: replace(usual(bench, **changes), identified=channels)


def test_the_gateway_is_told_the_position_of_the_protocol(kit):
    bench = kit.Bench().to_fitting()
    told = [o.message for _, o in bench.said if isinstance(o, ports.ToGateway) and isinstance(o.message, NeedPosition)]
    assert told == [NeedPosition("seated")]
    assert bench.core.set_up.resolved.as_json()["position"] == "seated"


def test_fitting_does_not_end_before_every_channel_is_identified(kit):
    bench = kit.Bench()
    identifies(bench)
    with pytest.raises(AssertionError):
        bench.to_ready()
    assert bench.core.set_up.fitting.complete
    assert bench.core.state is SessionState.FITTING
    identifies(bench, 1)
    bench.run(200)
    bench.intend(intents.FittingDone())
    assert bench.core.state is SessionState.CALIBRATING


def test_a_gateway_that_knows_of_no_channel_leads_back_to_fitting_with_its_levels_kept(kit):
    bench = kit.Bench()
    bench.to_ready()
    found = bench.core.set_up.fitting.found
    bench.state = GatewayState.ARMED
    identifies(bench)
    bench.run(300)
    assert bench.core.state is SessionState.READY  # armed by a person: not now
    bench.state = GatewayState.DISARMED
    bench.run(300)
    assert bench.core.state is SessionState.FITTING
    assert "Identify extensors again" in bench.core.todo
    assert bench.core.set_up.fitting.complete
    assert bench.core.set_up.fitting.found == found
    bench.intend(intents.FittingDone())
    assert bench.core.state is SessionState.FITTING
    identifies(bench, 1)
    bench.run(300)
    bench.intend(intents.FittingDone())
    bench.intend(intents.AcceptCalibration())  # it was found before, and still holds
    assert bench.core.state is SessionState.READY


def test_a_unit_that_was_stopped_before_it_was_ready_leads_back_too(kit):
    """It stays connected until it is armed, and nobody can arm what nobody has identified."""
    bench = kit.Bench()
    bench.to_ready()
    bench.state = GatewayState.CONNECTED
    identifies(bench)
    bench.run(300)
    assert bench.core.state is SessionState.FITTING


@pytest.mark.parametrize("rule", ["P04", "P14", "A01"])
def test_what_was_found_and_is_not_taken_leads_back_with_the_reason(kit, rule):
    """Nothing could be armed with it, and nobody should have to guess why."""
    bench = kit.Bench()
    bench.to_ready()
    bench.state = GatewayState.DISARMED
    bench.step(ports.FromGateway(Refusal(bench.now_ns, 0, rule, "It may only fall.", False)))
    assert bench.core.state is SessionState.FITTING
    assert bench.core.todo == "It may only fall."
    assert bench.core.set_up.fitting.complete
    bench.intend(intents.FittingDone())
    assert bench.core.state is SessionState.CALIBRATING
    bench.step(ports.FromGateway(Refusal(bench.now_ns, 0, rule, "It may only fall.", False)))
    assert bench.core.state is SessionState.FITTING


@pytest.mark.parametrize("rule", ["G07", "J09", ""])
def test_an_order_that_is_refused_leads_nowhere_back(kit, rule):
    bench = kit.Bench()
    bench.to_ready()
    bench.step(ports.FromGateway(Refusal(bench.now_ns, 0, rule, "Too much.", False)))
    assert bench.core.state is SessionState.READY


def told(bench, *ceilings):
    usual = type(bench).status
    bench.status = lambda **changes: replace(usual(bench, **changes), ceilings=ceilings)
    bench.run(300)


def test_fitting_goes_no_higher_than_what_was_found_earlier_today(kit):
    bench = kit.Bench()
    bench.to_fitting()
    set_up = bench.core.set_up
    assert set_up.limit("extensors") == (45_000, "forearm cap")
    told(bench, Ceiling(1, "forearm", 7_900), Ceiling(2, "forearm", 3_000))
    assert set_up.limit("extensors") == (7_500, "today's ceiling")  # on the unit's grid of 0.5 mA
    assert set_up.fitting.titrate(0, intents.Titrate(1, 7_500, 1))
    assert set_up.fitting.level_ua[1] == 7_500
    set_up.fitting.titrate(0, intents.Titrate(1, 500, 2))
    assert set_up.fitting.level_ua[1] == 7_500
    told(bench, Ceiling(1, "thigh", 3_000))  # of another muscle: the pads were elsewhere then
    assert set_up.limit("extensors") == (45_000, "forearm cap")


def test_a_gateway_that_has_not_heard_its_unit_yet_does_not_lead_back(kit):
    bench = kit.Bench()
    bench.to_ready()
    usual = type(bench).status
    bench.status = lambda **changes: replace(usual(bench, **changes), identified=(), unit="")
    bench.run(300)
    assert bench.core.state is SessionState.READY
