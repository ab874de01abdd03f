"""The gateway with a RehaStim2: its real driver and guard, the twin at the far end of a cable in memory."""

import pytest

from controller.drivers.stimulators.rehastim2 import REHASTIM2
from controller.gateway.core import GatewayCore
from controller.vocabulary.facts import GatewayState, Latched
from controller.vocabulary.requests import StopNow
from sim.devices.rehastim2 import RehaStim2Twin

pytestmark = pytest.mark.hazard("H18", "H19", "H24")


@pytest.fixture
def unit(kit):
    class Bench(kit.Bench):
        def __init__(self):
            super().__init__()
            self.twin = RehaStim2Twin(log=self.twin_log.append)
            self.core = GatewayCore(REHASTIM2)

        def stimulate(self):
            """Up to 6 mA in steps of 2 mA, one a period, then renewing."""
            for ua in (2_000, 4_000, 6_000):
                self.run(40)
                self.send(self.order(ua))
            self.run(1)
            self._renew_ns = self.now_ns
            self.renews = True
            assert self.twin.drive() == ((1, 6_000, 250, 29_000),)
            return self

        def faults(self):
            return [entry["fault"] for entry in self.twin_log if entry["kind"] == "fault"]

    bench = Bench().connect().prescribe()
    assert bench.core.unit.ready
    assert bench.core.unit.identity == "SIM0RS2001"
    return bench


@pytest.fixture
def stimulating(unit):
    unit.arm().stimulate()
    unit.run(300)
    return unit


def test_it_is_armed_ramped_up_renewed_and_released(stimulating):
    stimulating.run(1_500)
    assert stimulating.core.state is GatewayState.DELIVERING
    assert stimulating.core.unit.driver.outputs() == ((1, 6_000, 6_000, ""),)
    stimulating.renews = False
    stimulating.send(stimulating.order())
    assert stimulating.twin.drive() == ()
    stimulating.run(1_000)
    assert stimulating.core.unit.driver.confirmed_zero
    assert stimulating.core.unit.driver.wire_faults == 0
    assert stimulating.faults() == []
    assert stimulating.facts(Latched)[1:] == []  # the one at the STOP test


def test_a_session_at_rest_is_kept_alive_for_minutes(unit):
    unit.run(180_000)
    assert unit.faults() == []
    assert unit.core.unit.ready


def test_stop_ends_output_in_the_same_step(stimulating):
    stimulating.renews = False
    at_ns = stimulating.now_ns
    stimulating.press(StopNow("F12"))
    assert stimulating.twin.drive() == ()
    assert stimulating.off_ns == at_ns


def test_an_engine_that_falls_silent_ends_output_by_the_lease(stimulating, kit):
    stimulating.renews = False
    stimulating.engine_talks = False
    silent_ns = stimulating.now_ns
    stimulating.run(1_000)
    assert stimulating.core.state is GatewayState.LATCHED
    assert stimulating.off_ns - silent_ns <= 125 * kit.MS
    assert stimulating.faults() == []


def test_the_emergency_switch_latches_with_its_own_sentence_and_can_be_rearmed(stimulating):
    stimulating.twin.suffer("e-stop", "", stimulating.now_ns)
    stimulating.renews = False
    stimulating.run(50)
    assert stimulating.twin.drive() == ()
    assert stimulating.core.state is GatewayState.LATCHED
    assert "emergency-stop switch" in stimulating.core.cause
    stimulating.twin.suffer("e-stop", "off", stimulating.now_ns)
    stimulating.run(10_000)
    stimulating.arm(reason="the switch was pressed by accident").stimulate()
    assert stimulating.core.state is GatewayState.DELIVERING


def test_a_unit_that_resets_latches_and_nothing_starts_by_itself(stimulating):
    stimulating.twin.suffer("reset", "", stimulating.now_ns)
    stimulating.renews = False
    stimulating.run(5_000)
    assert stimulating.core.state is GatewayState.LATCHED
    assert stimulating.twin.drive() == ()
    assert stimulating.core.unit.identity == "SIM0RS2001"
    assert stimulating.twin.state == "start"
