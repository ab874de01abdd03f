"""Identified channels, the patient's position and the way out of a latch, end to end: screen, gateway, guard, unit."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.gateway import ports
from controller.gateway.states import PERMITS_DELIVERY, TABLE, Happening
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState, GatewayStatus, Refusal
from controller.vocabulary.notices import NeedPosition
from controller.vocabulary.requests import Arm, ConfirmArm, Disarm, Identified, Place, Prescribe, Press, StopNow
from controller.wire.link import MemoryLink
from safety.orders import ArmScope, Purpose
from safety.stimulus import Waveform

pytestmark = pytest.mark.hazard("H16", "H31", "H34", "H35")

MS = 1_000_000


@pytest.fixture
def fresh(kit):
    """Connected and prescribed, position said; nobody has looked which muscles move."""
    bench = kit.Bench().connect().prescribe()
    bench.core.delivery.guard._memory.identified = set()
    return bench


def pulse(bench, number, channel=1):
    """One fresh key press and the low train that answers to it, on one channel."""
    order = bench.order(*[0] * (channel - 1), 500, purpose=Purpose.TITRATE, press=number)
    bench.press(Press(number))
    bench.send(type(order)(**{name: getattr(order, name) for name in order.__slots__} | {"trains": order.trains[-1:]}))
    assert bench.core.state is GatewayState.DELIVERING
    bench.run(50)


def identified(bench):
    return bench.core.delivery.guard.identified


def test_a_session_is_armed_only_when_every_channel_was_identified_by_a_pulse(fresh, kit):
    fresh.press(StopNow("F12"))
    fresh.run(200)
    denied = fresh.ask()
    assert isinstance(denied, ArmDenied)
    assert "which muscle channel 1 and 2 moves" in denied.reason
    fresh.press(Identified(kit.PATIENT, kit.DATE, 1))
    assert identified(fresh) == ()  # a word without a pulse counts for nothing
    fresh.arm(ArmScope.FITTING)
    fresh.press(Identified(kit.PATIENT, kit.DATE, 1))
    assert identified(fresh) == ()
    for number, channel in ((1, 1), (2, 2)):
        pulse(fresh, number, channel)
        fresh.press(Identified(kit.PATIENT, kit.DATE, channel))
        fresh.send(fresh.order())
        fresh.run(2_100)
    assert identified(fresh) == (1, 2)
    assert [entry["channel"] for entry in fresh.logged("channel_identified") if "refused" not in entry] == [1, 2]
    fresh.press(Disarm("fitting is done"))
    fresh.run(50)
    assert isinstance(fresh.ask(), ArmNumber)


def test_the_screen_is_told_who_was_identified_and_how_the_patient_is_placed(fresh, kit):
    fresh.core.delivery.guard._memory.identified = {2}
    fresh.core.delivery.guard._memory.fitted = dict.fromkeys({2}, Waveform(10_000, 0, 1))
    fresh.run(150)
    told = fresh.facts(GatewayStatus)[-1]
    assert (told.identified, told.position, told.position_of) == ((2,), "seated", kit.PATIENT)


def test_another_unit_or_patient_must_be_identified_anew(bench, kit):
    bench.step(ports.UnitGone("unplugged"))
    bench.closed = True
    bench.run(1_100)
    bench.twin.identity = "SIM0P24999"
    bench.closed = False
    bench._here, bench._there = MemoryLink.pair()
    bench.step(ports.UnitOpened("memory"))
    bench.run(300)
    assert identified(bench) == ()
    other = kit.Bench().connect().prescribe()
    other.press(Prescribe("SIM02", kit.DATE, 1, "forearm", 2_500, 10_000, 5_000))
    assert identified(other) == ()


@pytest.mark.parametrize(
    ("needed", "placed", "harness", "says"),
    [
        ("seated", "lying", False, "made for a patient who is seated, but lying was confirmed"),
        ("standing", "standing", False, "must be held by a harness"),
        ("standing", "standing", True, ""),
        ("lying", "seated", False, "made for a patient who is lying"),
    ],
)
def test_the_arm_key_says_what_is_wrong_with_the_position(bench, kit, needed, placed, harness, says):
    bench.press(StopNow("F12"))
    bench.run(200)
    bench.send(NeedPosition(needed))
    bench.press(Place(kit.PATIENT, kit.DATE, placed, harness))
    answer = bench.ask()
    assert isinstance(answer, ArmDenied) is bool(says)
    assert not says or (says in answer.reason and "F2, then p" in answer.reason)


def test_a_position_nobody_confirmed_or_of_somebody_else_arms_nothing(bench, kit):
    bench.press(StopNow("F12"))
    bench.run(200)
    bench.press(Place("SIM02", kit.DATE, "seated", False))
    assert "has not been confirmed" in bench.ask().reason
    bench.press(Place(kit.PATIENT, kit.DATE, "sitting", False))
    assert bench.facts(Refusal)[-1].rule == "P07"
    assert "has not been confirmed" in bench.ask().reason


def test_the_position_does_not_change_under_an_armed_session(armed, kit):
    armed.press(Place(kit.PATIENT, kit.DATE, "standing", True))
    assert armed.facts(Refusal)[-1].rule == "P06"
    armed.send(NeedPosition("standing"))
    assert armed.facts(Refusal)[-1].rule == "C06"
    assert armed.core.state is GatewayState.ARMED
    armed.stimulate()


def test_the_latch_has_one_way_out_in_the_table():
    out = {(happening, TABLE[state, happening]) for state, happening in TABLE if state is GatewayState.LATCHED}
    assert out == {(Happening.REARMED, GatewayState.ARMED), (Happening.LATCHED, GatewayState.LATCHED)}


WORDS = ["order", "renew", "release", "disarm", "stop", "prescribe", "place", "identify", "press", "arm", "confirm"]
WORDS += ["unit_gone", "unit_back", "wait", "constrain"]
ACTIONS = st.tuples(
    st.sampled_from(WORDS),
    st.integers(0, 3),
)


def act(bench, kit, action, value):
    """One thing that anybody but a person with a reason can do; gives the answer to an arm key."""
    number = getattr(bench, "open_number", 0)
    if action == "arm":
        answer = bench.ask(reason=("", " ", "ok", "\t \n")[value])  # none of these is a reason
        bench.open_number = answer.number if isinstance(answer, ArmNumber) else number
        return answer
    if action == "confirm":
        bench.press(ConfirmArm((number, number + 1, 0, 99)[value]))
    elif action == "order":
        bench.send(bench.order(500 * value))
    elif action == "renew":
        bench.send(bench.renewal())
    elif action == "release":
        bench.send(bench.order())
    elif action == "disarm":
        bench.press(Disarm("because"))
    elif action == "stop":
        bench.press(StopNow("F12"))
    elif action == "prescribe":
        bench.press(Prescribe(kit.PATIENT, kit.DATE, 1, "forearm", 2_500, 1_000 * value, 0))
    elif action == "place":
        bench.press(Place(kit.PATIENT, kit.DATE, "seated", bool(value)))
    elif action == "identify":
        bench.press(Identified(kit.PATIENT, kit.DATE, value))
    elif action == "press":
        bench.press(Press(value))
    elif action == "constrain":
        bench.send(NeedPosition("seated"))
    elif action == "unit_gone" and not bench.closed:
        bench.closed = True
        bench.step(ports.UnitGone("unplugged"))
    elif action == "unit_back" and bench.closed:
        bench.closed = False
        bench._here, bench._there = MemoryLink.pair()
        bench.step(ports.UnitOpened("memory"))
    bench.run((10, 60, 300, 1_200)[value])
    return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(ACTIONS, max_size=20))
def test_a_latch_is_left_only_by_a_person_s_two_keys_and_a_reason(kit, script):
    bench = kit.in_state(GatewayState.LATCHED)
    for action, value in script:
        answer = act(bench, kit, action, value)
        assert not isinstance(answer, ArmNumber), "a number was given without a reason"
        assert bench.core.state is GatewayState.LATCHED
        assert not bench.twin.drive()
    assert not bench.logged("rearmed")
    # And with them it is left: the property above is not held by a gateway that is stuck.
    act(bench, kit, "unit_back", 3)
    act(bench, kit, "wait", 3)
    bench.press(Prescribe(kit.PATIENT, kit.DATE, 1, "forearm", 2_500, 500, 0))
    bench.core.delivery.guard._memory.identified = {1, 2}
    bench.core.delivery.guard._memory.fitted = dict.fromkeys({1, 2}, Waveform(10_000, 0, 1))
    answer = bench.ask(reason="looked at the patient, all well")
    assert isinstance(answer, ArmNumber), answer
    bench.press(ConfirmArm(answer.number))
    bench.run(1_000)
    assert bench.core.state in PERMITS_DELIVERY
    assert bench.logged("rearmed")[-1]["reason"] == "looked at the patient, all well"


@pytest.mark.parametrize("reason", ["", " ", "\n", "a", "ok", "  ok  "])
def test_too_short_a_reason_is_none(kit, reason):
    bench = kit.in_state(GatewayState.LATCHED)
    answer = bench.ask(reason=reason)
    assert isinstance(answer, ArmDenied)
    assert "Write in a few words" in answer.reason
    assert Arm(ArmScope.SESSION).reason == ""
