"""The engine and the guard's newer rules: fitting needs identified channels, and a new gateway leads back to it."""

from dataclasses import replace

import pytest

from controller.engine import ports
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState
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


def test_a_gateway_that_has_not_heard_its_unit_yet_does_not_lead_back(kit):
    bench = kit.Bench()
    bench.to_ready()
    usual = type(bench).status
    bench.status = lambda **changes: replace(usual(bench, **changes), identified=(), unit="")
    bench.run(300)
    assert bench.core.state is SessionState.READY
