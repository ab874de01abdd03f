"""Every driver against its twin under a few mixes of faults (`campaign` runs as many as one likes), and that the
observers notice what must not happen."""

from typing import Any

import pytest

from controller.drivers import registry
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.drivers.stimulators.p24 import P24Driver
from controller.gateway.core import GatewayCore
from sim.faults import FOREVER
from tests.drivers import campaign_orthoses, campaign_pucks, campaign_stimulators
from tests.drivers.campaign import again, devices, main, run_seed
from tests.drivers.campaign_mix import Outcome, names_for

SEEDS = (1, 2, 3)


@pytest.mark.parametrize("device", devices())
def test_no_mix_of_faults_breaks_a_rule_or_the_way_back(device: str) -> None:
    # An orthosis costs five times as much as the others: the limb lives in steps of a millisecond.
    for seed in SEEDS if devices()[device] != registry.ORTHOSES else SEEDS[:1]:
        outcome = run_seed(device, seed)
        assert outcome.violations == [], again(outcome)
        assert outcome.recovered_ns >= 0
        assert outcome.count > 0


@pytest.mark.parametrize("device", ["p24", "ximu3", "dynamixel"])
def test_a_seed_gives_the_same_run_each_time(device: str) -> None:
    assert run_seed(device, 2) == run_seed(device, 2)


def test_mixes_differ_and_stay_within_their_time() -> None:
    mixes = [campaign_pucks.Session("ximu3", seed).mix for seed in range(1, 40)]
    assert len({tuple(fault.text for fault in mix) for mix in mixes}) == 39
    assert {fault.name for mix in mixes for fault in mix} == set(names_for("ximu3"))
    for mix in mixes:
        assert 1 <= len(mix) <= 4
        assert all(fault.start_ns + fault.length_ns <= 12_000_000_000 for fault in mix if fault.length_ns < FOREVER)


# -- the observers notice ----------------------------------------------------------------------------------------------


def violations(device: str, seeds: range = range(1, 9)) -> str:
    """What the first seed with a violation says ("" for none)."""
    return next((" ".join(outcome.violations) for seed in seeds if (outcome := run_seed(device, seed)).violations), "")


def test_a_burst_that_is_not_ended_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(P24Driver, "release", lambda *_: b"")
    assert "which no order admits" in violations("p24")


def test_an_order_that_is_sent_again_after_a_stop_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver, stop = P24Driver.deliver, P24Driver.stop
    sent: dict[int, bytes] = {}

    def remembering(self: P24Driver, ticket: Any, now_ns: int) -> bytes:
        sent[id(self)] = deliver(self, ticket, now_ns) or sent.get(id(self), b"")
        return sent[id(self)]

    def resending(self: P24Driver, now_ns: int) -> bytes:
        return stop(self, now_ns)[:0] + sent.get(id(self), b"")

    monkeypatch.setattr(P24Driver, "deliver", remembering)
    monkeypatch.setattr(P24Driver, "stop", resending)
    assert violations("p24") != ""


def test_a_gateway_that_cannot_be_armed_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    session = campaign_stimulators.Session("p24", 1)
    until = session._until

    def latched_for_good(ends_ns: int) -> None:
        until(ends_ns)
        if session.now_ns >= session.faults_end_ns:
            monkeypatch.setattr(GatewayCore, "blocked", lambda *_: "no")
            session.core.latch(session.now_ns, "something", "nothing")

    session._until = latched_for_good  # type: ignore[method-assign]
    assert "after the last fault" in session.run().violations[0]


def test_a_puck_that_says_again_what_it_said_long_ago_is_noticed() -> None:
    session = campaign_pucks.Session("ximu3", 1)
    feed = session.driver.feed
    first: list[Any] = []

    def stuck(now_ns: int, data: bytes) -> list[Any]:
        samples = feed(now_ns, data)
        first.extend(samples[: not first])
        return first[:1] if now_ns > session.faults_end_ns else samples

    session.driver.feed = stuck  # type: ignore[method-assign]
    assert "a fresh sample was measured" in session.run().violations[0]


def test_a_driver_that_raises_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ximu3Driver, "poll", lambda *_: 1 // 0)
    monkeypatch.setattr(Ximu3Driver, "next_deadline", lambda *_: 0)
    outcome = run_seed("ximu3", 1)
    assert "ZeroDivisionError" in outcome.violations[0]
    assert again(outcome) == "python -m tests.drivers.campaign --device ximu3 --seed 1"


def test_torque_beyond_the_ticket_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    session = campaign_orthoses.JointSession("dynamixel", 1)
    torque_nm = session.joint.twin.torque_nm
    monkeypatch.setattr(session.joint.twin, "torque_nm", lambda: 2.0 if torque_nm() else 0.0)
    assert "admitted were" in " ".join(session.run().violations)


def test_the_runner_says_what_is_wrong_and_how_to_repeat_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(device: str, seed: int) -> Outcome:
        outcome = Outcome(device, seed, ("drop",), recovered_ns=1_500_000_000)
        if seed == 3:
            outcome.broken(2_000_000_000, "it rains")
        return outcome

    monkeypatch.setattr("tests.drivers.campaign.run_seed", run)
    monkeypatch.setattr("sys.argv", ["campaign", "--seeds", "2", "--device", "p24"])
    assert main() == 0
    assert (
        "p24            seeds 2, faults 2, latches 0, violations 0, slowest recovery 1.50 s" in capsys.readouterr().out
    )
    monkeypatch.setattr("sys.argv", ["campaign", "--seeds", "4", "--device", "p24"])
    assert main() == 1
    assert "campaign --device p24 --seed 3\n    at 2.000 s: it rains" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["campaign", "--seed", "3", "--device", "p24"])
    assert main() == 1
    assert "it rains" in capsys.readouterr().out
