"""The low level behind the gateway: what reaches the skin when the engine, the gateway, the cable or a person stops."""

from dataclasses import replace

import pytest

from controller.drivers.stimulators.p24_low import P24_LOW, P24LowDriver
from controller.gateway.core import GatewayCore
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.requests import StopNow

pytestmark = pytest.mark.hazard("H03", "H28")

MS = 1_000_000
PERIOD_NS = 29 * MS


class Spy(P24LowDriver):
    """The driver, which also remembers what each `poll` was told of being alive and what it gave."""

    def __init__(self):
        super().__init__()
        self.polls = []

    def poll(self, now_ns, alive):
        data, events = super().poll(now_ns, alive)
        self.polls.append((now_ns, alive, data))
        return data, events


@pytest.fixture
def bench(kit):
    """Armed, then channel 1 at 6 mA for a second, renewed every 20 ms."""
    bench = kit.Bench()
    bench.core = GatewayCore(replace(P24_LOW, driver=Spy))
    bench.connect().prescribe().arm()
    for ua in (2_000, 4_000, 6_000):
        bench.run(25)
        bench.send(bench.order(ua))
    bench._renew_ns = bench.now_ns + 20 * MS
    bench.renews = True
    bench.run(1_000)
    assert bench.core.state is GatewayState.DELIVERING
    return bench


def trains(bench):
    """The twin's trains up to now, those that still run too."""
    bench.twin.close(bench.now_ns)
    return [entry for entry in bench.twin_log if entry["kind"] == "train"]


def test_an_assisted_burst_is_one_pulse_a_period(bench):
    assert bench.twin.drive() == ((1, 6_000, 250, 29_000),)
    assert bench.core.unit.driver.outputs() == ((1, 6_000, 6_000, ""),)
    *ramp, last = trains(bench)
    assert [train["amplitude_ua"] for train in ramp] == [2_000, 4_000]
    assert (last["amplitude_ua"], last["period_us"]) == (6_000, 29_000)
    assert last["pulses"] == (last["t_end_ns"] - last["t_start_ns"]) // PERIOD_NS + 1 >= 33


def test_after_the_engine_fell_silent_no_pulse_comes_later_than_its_lease(bench):
    bench.engine_talks = False
    lease_ns = bench.core.delivery.lease_until_ns
    bench.run(2_000)
    assert bench.core.state is GatewayState.LATCHED
    end_ns = max(train["t_end_ns"] for train in trains(bench))
    assert lease_ns - PERIOD_NS <= end_ns <= lease_ns
    assert bench.twin.drive() == ()


def test_after_the_gateway_died_not_one_further_pulse_comes(bench):
    before, died_ns = bench.twin.pulses, bench.now_ns
    bench.twin.advance(died_ns + 60_000 * MS)
    assert bench.twin.pulses == before
    assert bench.twin.drive() == ()


def test_a_stop_ends_it_within_the_same_step(bench):
    bench.press(StopNow("F12"))
    pressed_ns = bench.now_ns
    assert bench.twin.drive() == ()
    bench.run(1_000)
    assert max(train["t_end_ns"] for train in trains(bench)) <= pressed_ns
    assert bench.core.unit.driver.confirmed_zero


def test_no_pulse_was_ever_handed_out_without_being_alive(bench):
    bench.engine_talks = False
    bench.run(500)
    sent = [alive for _, alive, data in bench.core.unit.driver.polls if data]
    assert sent.count(True) > 30
    lapsed = [data for at_ns, alive, data in bench.core.unit.driver.polls if not alive]
    assert all(len(data) < 20 for data in lapsed)  # a pulse has 27 bytes and more; questions and stops have 12 each


def test_a_frozen_host_skips_what_it_missed(bench):
    before = bench.twin.pulses
    bench.now_ns += 400 * MS
    bench.twin.advance(bench.now_ns)
    bench.run(1_000)
    # The clock jumped and the lease is over: the gateway latches, and nothing is made up for.
    assert bench.core.state is GatewayState.LATCHED
    assert bench.twin.pulses == before


def test_a_lifted_electrode_latches(bench):
    for ua in (8_000, 10_000, 12_000, 14_000, 16_000):
        bench.send(bench.order(ua))
        bench.run(25)
    assert bench.core.state is GatewayState.DELIVERING
    bench.twin.electrode(1, ok=False)
    bench.run(60)
    assert bench.core.state is GatewayState.LATCHED
    assert "channel 1" in bench.core.cause
