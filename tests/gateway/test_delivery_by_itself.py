"""Delivery beside a guard and a driver that answer as they are told: each verdict, each word, each nanosecond."""

from types import SimpleNamespace

import pytest

from controller.drivers.stimulators.events import PairCheckFailed
from controller.drivers.stimulators.p24 import P24_LIMITS
from controller.gateway import ports
from controller.gateway.delivery import Delivery, Verdict
from controller.gateway.voice import Voice
from controller.vocabulary.facts import BurstEnded, BurstStarted, Refusal
from controller.vocabulary.notices import Constrain, NeedPosition
from controller.vocabulary.requests import Identified, Place, Prescribe
from safety.orders import Admitted, ArmScope, Deliver, Purpose, Refused, Renew, Token
from safety.stimulus import Point, Train

pytestmark = pytest.mark.hazard("H20", "H33", "H35")

AT = 70_000_000_000
TODO = "Keep this session's record: a refusal is a defect. Acknowledge, then arm again."


class Told:
    """A guard: `answer` is what it says to an order, `refusal` to everything else; what it was told is in `told`."""

    rest_until_ns, delivering, identified, position_fault = AT + 7, True, (), ""

    def __init__(self):
        self.answer, self.refusal, self.told, self.limits = None, None, [], {}

    def admit(self, order, now_ns, conditions):
        return self.answer or Admitted(Token(), 1, now_ns, order)

    def limit(self, channel, scope):
        assert scope is ArmScope.SESSION
        return self.limits.get(channel)

    def off_stimulation(self, now_ns):
        self.told.append(("off", now_ns))

    def __getattr__(self, name):
        return lambda *words, **named: self.told.append((name, words, named)) or self.refusal


class Driver:
    """Writes down what it is asked; gives bytes, or fails its pair check."""

    fails = False

    def deliver(self, admitted, now_ns):
        if self.fails:
            raise PairCheckFailed("channel 1 differs")
        return b"deliver"

    def release(self, now_ns):
        return b"release"


@pytest.fixture
def desk():
    voice = Voice()
    delivery = Delivery(P24_LIMITS, voice)
    delivery.guard = Told()
    return SimpleNamespace(voice=voice, delivery=delivery, guard=delivery.guard, driver=Driver())


def train(ua, channel=1):
    return Train(channel, (Point(200, ua), Point(200, -ua)), 25_000)


def order(*amplitudes, expires_ns=AT + 100, purpose=Purpose.ASSIST):
    trains = tuple(train(ua, channel) for channel, ua in enumerate(amplitudes, 1))
    return Deliver(9, AT, expires_ns, purpose, trains, 0, AT)


def put(desk, what, now_ns=AT):
    desk.voice.begin()
    return desk.delivery.order(now_ns, what, desk.driver, None)


STARTED = [
    ports.ToUnit(b"deliver"),
    ports.ToEngine(BurstStarted(9, AT, AT, AT)),
    ports.Log(AT, "burst_started", {"seq": 9, "purpose": "assist", "first_ua": 7_000}, False),
]


def ended(why, sync=False):
    told = ports.Log(AT, "burst_ended", {"why": why, "rest_until_ns": AT + 7}, sync)
    return [ports.ToEngine(BurstEnded(AT, why, AT + 7)), told]


def refused(rule, latches):
    fact = Refusal(AT, 9, rule, "Too much.", latches)
    told = ports.Log(AT, "refused", {"seq": 9, "rule": rule, "reason": "Too much."}, True)
    return [ports.ToFront(fact), ports.ToEngine(fact), told]


def test_at_first_nothing_is_on_and_nothing_is_wrong(desk):
    found = Delivery(P24_LIMITS, Voice())
    assert (found.on, found.lease_until_ns, found.refused, found.dropped) == (False, 0, 0, 0)
    assert found.cause == found.todo == found.misfit == ""
    assert {verdict.value for verdict in Verdict} == {"carried", "started", "ended", "unsafe"}


def test_a_burst_starts_goes_on_and_ends_as_ordered(desk):
    assert put(desk, order(5_000, 7_000)) is Verdict.STARTED
    assert desk.voice.out == STARTED
    assert (desk.delivery.on, desk.delivery.lease_until_ns) == (True, AT + 100)
    assert put(desk, order(5_000, expires_ns=AT + 120)) is Verdict.CARRIED
    assert desk.voice.out == [ports.ToUnit(b"deliver")]
    assert desk.delivery.lease_until_ns == AT + 120
    assert put(desk, Renew(10, AT, AT + 130)) is Verdict.CARRIED
    assert desk.voice.out == []
    assert desk.delivery.lease_until_ns == AT + 130
    desk.guard.delivering = False
    assert put(desk, order()) is Verdict.ENDED
    assert desk.voice.out == [ports.ToUnit(b"deliver"), *ended("the order asked for no current")]
    assert (desk.delivery.on, desk.delivery.lease_until_ns) == (False, 0)


def test_an_order_without_current_starts_nothing(desk):
    desk.guard.delivering = False
    assert put(desk, order()) is Verdict.CARRIED
    assert not desk.delivery.on
    assert desk.voice.out == [ports.ToUnit(b"deliver")]
    desk.guard.delivering = True
    assert put(desk, order(purpose=Purpose.TITRATE)) is Verdict.STARTED
    assert desk.voice.out[-1].data == {"seq": 9, "purpose": "titrate", "first_ua": 0}


@pytest.mark.parametrize(("late_ns", "leased"), [(-1, True), (0, True), (1, False)])
def test_a_lease_lives_up_to_its_last_nanosecond(desk, late_ns, leased):
    delivery = desk.delivery
    assert delivery.leased(0) is delivery.expired(AT) is False
    put(desk, order(5_000))
    assert delivery.leased(AT + 100 + late_ns) is leased
    assert delivery.expired(AT + 100 + late_ns) is not leased
    delivery.end(AT, "stopped")
    assert delivery.leased(AT) is delivery.expired(AT + 200) is False


def test_bytes_that_are_not_the_order_are_unsafe(desk):
    desk.driver.fails = True
    assert put(desk, order(5_000)) is Verdict.UNSAFE
    assert desk.delivery.cause == "The encoded frame did not match the order: channel 1 differs."
    assert desk.delivery.todo == "Report this defect."
    assert desk.voice.out == []
    assert not desk.delivery.on


def test_a_refusal_that_latches_says_why_and_is_counted(desk):
    desk.guard.answer = Refused("G07", "Too much.")
    assert put(desk, order(5_000)) is Verdict.UNSAFE
    assert desk.voice.out == refused("G07", True)
    assert desk.delivery.cause == "Rule G07 refused an order. Too much."
    assert desk.delivery.todo == TODO
    assert desk.delivery.refused == 1
    put(desk, order(5_000))
    assert desk.delivery.refused == 2


def test_a_refusal_that_does_not_latch_ends_what_runs(desk):
    desk.guard.answer = Refused("G22", "Too much.", latches=False)
    assert put(desk, order(5_000)) is Verdict.CARRIED
    assert desk.voice.out == refused("G22", False)
    desk.guard.answer = None
    put(desk, order(5_000))
    desk.guard.answer = Refused("G22", "Too much.", latches=False)
    assert put(desk, Renew(9, AT, AT + 100)) is Verdict.ENDED
    assert desk.voice.out == [*refused("G22", False), ports.ToUnit(b"release"), *ended("refused by G22")]
    assert desk.guard.told == [("off", AT)]
    assert desk.delivery.cause == desk.delivery.todo == ""
    assert not desk.delivery.on


@pytest.mark.parametrize("sync", [True, False])
def test_an_end_is_synced_where_it_is_asked_for(desk, sync):
    desk.voice.begin()
    assert desk.delivery.end(AT, "stopped", sync) is Verdict.ENDED
    assert desk.voice.out == ended("stopped", sync)
    desk.voice.begin()
    desk.delivery.end(AT, "stopped")
    assert desk.voice.out == ended("stopped")


# -- what is fitted ----------------------------------------------------------------------------------------------------


def found(channel, ua):
    return SimpleNamespace(channel=channel, ceiling_ua=ua)


@pytest.mark.parametrize(("channel", "ua", "fits"), [(1, 1, True), (8, 1, True), (1, 0, False), (9, 1, False)])
def test_any_channel_of_the_unit_with_a_ceiling_makes_a_session_possible(desk, channel, ua, fits):
    assert P24_LIMITS.channels == 8
    desk.guard.limits = {channel: found(channel, ua)}
    assert desk.delivery.fitted is fits
    assert desk.delivery.unidentified == ([channel] if fits else [])


def test_what_is_missing_for_a_session_is_told_in_order(desk):
    guard, delivery = desk.guard, desk.delivery
    assert delivery.unfit.startswith("No channel has a ceiling of today. Fit the electrodes first")
    guard.limits = {channel: found(channel, 5_000) for channel in (1, 2, 8)}
    guard.limits[3] = found(3, 0)
    guard.identified = (2,)
    assert delivery.unidentified == [1, 8]
    assert delivery.unfit == (
        "Nobody has confirmed yet which muscle channel 1 and 8 moves. Identify it in fitting, then arm."
    )
    guard.identified, guard.position_fault = (1, 2, 8), "Nobody knows how the patient sits."
    assert delivery.unfit.startswith("Nobody knows how the patient sits. Look at the patient")
    guard.position_fault = ""
    assert delivery.unfit == ""


# -- what a person or a protocol sets ----------------------------------------------------------------------------------


CONSTRAIN = Constrain(1, "forearm", 2_500, 20_000, 250, 25_000, 6_000)
PRESCRIBE = Prescribe("P1", "2026-01-05", 1, "forearm", 2_500, 8_000, 4_000, "fitted")
PLACE = Place("P1", "2026-01-05", "seated", False)
SET = [
    ("constrain", CONSTRAIN, (), "constrained"),
    ("prescribe", PRESCRIBE, (False,), "prescribed"),
    ("identify", Identified("P1", "2026-01-05", 1), (), "channel_identified"),
    ("place", PLACE, (False,), "position_confirmed"),
    ("need_position", NeedPosition("seated"), (), "position_needed"),
]


@pytest.mark.parametrize(("what", "wish", "more", "kind"), SET)
@pytest.mark.parametrize("no", [True, False])
def test_what_is_set_is_written_down_and_a_no_is_told_to_all(desk, what, wish, more, kind, no):
    desk.guard.refusal = Refused("P02", "No such pad.", latches=False) if no else None
    desk.voice.begin()
    answer = getattr(desk.delivery, what)(AT, wish, *more)
    fields = {name: getattr(wish, name) for name in wish.__slots__}
    fact = Refusal(AT, 0, "P02", "No such pad.", False)
    told = fields | ({"refused": "P02", "reason": "No such pad."} if no else {})
    facts = [ports.ToFront(fact), ports.ToEngine(fact)] if no else []
    assert desk.voice.out == [*facts, ports.Log(AT, kind, told, True)]
    assert answer in (None, not no)
    if what in ("constrain", "prescribe"):
        assert answer is not no


def test_the_guard_is_told_everything_but_the_reason(desk):
    desk.delivery.prescribe(AT, PRESCRIBE, True)
    desk.delivery.place(AT, PLACE, True)
    (_, _, told), (_, _, placed) = desk.guard.told
    fields = {name: getattr(PRESCRIBE, name) for name in PRESCRIBE.__slots__ if name != "reason"}
    assert told == fields | {"armed": True}
    assert placed == {name: getattr(PLACE, name) for name in PLACE.__slots__} | {"armed": True}


def test_a_protocol_that_does_not_fit_the_unit_is_told(desk):
    desk.delivery.constrain(AT, CONSTRAIN)
    assert desk.delivery.misfit == ""
    desk.delivery.constrain(AT, CONSTRAIN.__class__(9, "forearm", 2_500, 20_000, 250, 25_000, 6_000))
    assert "channel 9" in desk.delivery.misfit
