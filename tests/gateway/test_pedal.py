"""Foot pedals at the gateway: any key stops, nothing is armed untested, its loss latches, and the button only tells."""

import pytest

from controller.gateway import ports
from controller.gateway.pedal import LOOK_EVERY_NS, Pedals
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState, GatewayStatus, PedalPressed
from controller.vocabulary.pedal import PedalRole
from controller.vocabulary.requests import ConfirmArm, StopNow
from controller.wire import evdev
from controller.wire.evdev import encode, encode_key
from safety.interlocks import first_open

pytestmark = pytest.mark.hazard("H18", "H37", "H49")

FOOT, HAND = "FS-77", "FB-1"
STOP, BUTTON = PedalRole.STOP, PedalRole.BUTTON
DOWN, UP, AGAIN = (encode_key(183, value) for value in (evdev.PRESSED, evdev.RELEASED, evdev.REPEATED))
STEP = DOWN + UP
SOON_MS = 100


def opened(role=STOP, serial=FOOT, held=frozenset(), **more):
    return ports.PedalOpened(role, serial, "FootSwitch", (held,), **more)


def foot(data, role=STOP, node=0):
    return ports.PedalBytes(role, node, data)


@pytest.fixture
def plugged(bench):
    """A bench with the pedal that stops plugged in, not tested; F12 was."""
    bench.core.pedals = Pedals(FOOT, HAND)
    bench.press(StopNow("F12"))
    bench.step(opened(), opened(BUTTON, HAND))
    bench.run(300)
    return bench


@pytest.fixture
def tested(plugged):
    plugged.step(foot(STEP))
    plugged.run(300)
    return plugged


@pytest.fixture
def stimulating(tested):
    return tested.arm().stimulate()


def denied(bench):
    answer = bench.ask()
    return answer.reason if isinstance(answer, ArmDenied) else ""


# -- tested before anything ---------------------------------------------------------------------------------------


def test_nothing_is_armed_before_the_pedal_was_pressed_and_the_sentence_names_it(plugged):
    assert "foot pedal FS-77 has not been tested since it was plugged in: press it once" in denied(plugged)
    plugged.step(foot(STEP))
    assert denied(plugged) == ""
    assert plugged.arm().core.state is GatewayState.ARMED


def test_without_a_pedal_on_the_command_line_nothing_asks_for_one(bench):
    bench.press(StopNow("F12"))
    assert denied(bench) == ""
    assert bench.core.pedals.reports("SIM") == ()


def test_the_pedals_press_does_not_stand_for_f12_nor_f12_for_the_pedals(bench):
    bench.core.pedals = Pedals(FOOT)
    bench.step(opened())
    bench.step(foot(STEP))
    bench.run(300)
    assert not bench.core.stop_tested
    assert "STOP has not been tested" in denied(bench)


def test_the_button_pedal_is_no_test_and_no_stop(plugged):
    plugged.step(foot(STEP, BUTTON))
    assert "has not been tested" in denied(plugged)
    assert not plugged.logged("stop_pressed")[1:]


def test_a_pedal_that_is_missing_keeps_all_disarmed_and_is_looked_for_each_second(bench):
    bench.core.pedals = Pedals(FOOT)
    bench.press(StopNow("F12"))
    bench.step(ports.PedalMissing(STOP, "no foot pedal with the serial number FS-77 is plugged in. Plug it in."))
    assert denied(bench).startswith("The foot pedal FS-77 is not there: no foot pedal with")
    bench.said.clear()
    bench.run(3_500)
    assert sum(isinstance(output, ports.OpenPedal) for output in bench.said) == 3
    assert LOOK_EVERY_NS == 1_000_000_000


def test_a_pedal_that_is_held_keeps_all_disarmed_until_it_is_let_go(tested):
    tested.step(foot(DOWN))
    assert "FS-77 is held down: let go of it" in denied(tested)
    assert not tested.core.pedals.ready  # so the guard's own interlock is open as well
    tested.step(foot(AGAIN))
    assert "held down" in denied(tested)
    tested.step(foot(UP))
    assert denied(tested) == ""


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_press_between_the_two_keys_closes_the_request(tested, when):
    number = tested.ask()
    assert isinstance(number, ArmNumber)
    if when == "between":
        tested.press(ConfirmArm(number.number))  # the unit is getting ready
    tested.step(foot(STEP))
    tested.press(ConfirmArm(number.number))
    tested.run(500)
    assert tested.core.state is GatewayState.DISARMED


# -- any key stops --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 183, 256, 0x110, evdev.KEY_MAX])
def test_any_key_of_it_stops_at_once_and_latches(stimulating, code):
    pressed_ns = stimulating.now_ns
    stimulating.step(foot(encode_key(code, evdev.PRESSED)))
    assert stimulating.core.state is GatewayState.LATCHED
    assert stimulating.core.cause == "STOP was pressed (foot pedal FS-77)."
    stimulating.run(300)
    assert 0 <= stimulating.off_ns - pressed_ns <= SOON_MS * 1_000_000
    assert stimulating.twin.drive() == ()


@pytest.mark.parametrize(
    "data",
    [
        AGAIN,
        encode(evdev.EV_SYN, evdev.SYN_DROPPED, 0),
        b"\xff" * 24,
        encode(4, 4, 7) + encode_key(30, evdev.PRESSED),
    ],
    ids=["repeated", "dropped", "unreadable", "after other events"],
)
def test_whatever_leaves_us_in_doubt_stops(stimulating, data):
    stimulating.step(foot(data))
    assert stimulating.core.state is GatewayState.LATCHED
    assert "foot pedal FS-77" in stimulating.core.cause


def test_a_release_and_other_events_alone_stop_nothing(stimulating):
    stimulating.step(foot(UP + encode(4, 4, 7) + encode(2, 0, -3)))
    assert stimulating.core.state is GatewayState.DELIVERING


def test_a_torn_event_stops_when_it_is_whole(stimulating):
    stimulating.step(foot(DOWN[:17]))
    assert stimulating.core.state is GatewayState.DELIVERING
    stimulating.step(foot(DOWN[17:]))
    assert stimulating.core.state is GatewayState.LATCHED


def test_the_second_node_of_a_pedal_stops_as_well(bench):
    bench.core.pedals = Pedals(FOOT)
    bench.press(StopNow("F12"))
    bench.step(ports.PedalOpened(STOP, FOOT, "FootSwitch", (frozenset(), frozenset())))
    bench.step(foot(STEP))
    bench.run(300)
    bench.arm()
    bench.step(foot(DOWN, node=1))
    assert bench.core.state is GatewayState.LATCHED


def test_a_press_comes_before_whatever_the_engine_says_in_the_same_step(stimulating):
    order = stimulating.order(8_000)
    stimulating.step(ports.FromEngine(order), foot(DOWN))
    assert stimulating.core.state is GatewayState.LATCHED
    assert stimulating.core.cause == "STOP was pressed (foot pedal FS-77)."
    stimulating.run(300)
    assert stimulating.twin.drive() == ()


def test_a_stop_by_foot_is_left_only_with_two_keys_and_a_reason(stimulating):
    stimulating.step(foot(STEP))
    stimulating.run(2_500)
    assert "Write in a few words" in denied(stimulating)
    stimulating.arm(reason="the patient is well")
    assert stimulating.core.state is GatewayState.ARMED


# -- its loss ---------------------------------------------------------------------------------------------------------


def test_its_loss_latches_with_cause_and_what_to_do(stimulating):
    lost_ns = stimulating.now_ns
    stimulating.step(ports.PedalGone(STOP, "/dev/input/event7: no such device"))
    assert stimulating.core.state is GatewayState.LATCHED
    assert stimulating.core.cause == "The foot pedal FS-77 was lost (/dev/input/event7: no such device)."
    assert "Plug the same pedal in again and press it once" in stimulating.core.todo
    stimulating.run(300)
    assert stimulating.off_ns - lost_ns <= SOON_MS * 1_000_000
    assert stimulating.logged("pedal_lost")[-1]["role"] == STOP


def test_the_way_back_is_the_same_pedal_pressed_again(stimulating):
    stimulating.step(ports.PedalGone(STOP, "unplugged"))
    stimulating.run(2_500)
    assert "is not there: unplugged" in denied(stimulating)
    stimulating.step(opened())
    assert "has not been tested since it was plugged in" in denied(stimulating)
    stimulating.step(foot(STEP))
    stimulating.run(300)
    stimulating.arm(reason="the cable was pulled by mistake")
    assert stimulating.core.state is GatewayState.ARMED


def test_losing_it_while_disarmed_takes_an_open_number_back(tested):
    number = tested.ask()
    tested.step(ports.PedalGone(STOP, "unplugged"))
    tested.press(ConfirmArm(number.number))
    tested.run(500)
    assert tested.core.state is GatewayState.DISARMED


def test_bytes_of_a_pedal_that_has_gone_mean_nothing_and_break_nothing(tested):
    tested.step(ports.PedalGone(STOP, "unplugged"))
    tested.step(foot(DOWN), foot(DOWN, node=7))
    assert not tested.core.pedals.ready


def test_a_pedal_held_down_when_it_is_opened_stops_and_is_no_test(stimulating):
    stimulating.step(opened(held=frozenset({183})))
    assert stimulating.core.state is GatewayState.LATCHED
    assert "held down when it was opened" in stimulating.core.cause
    stimulating.run(2_500)
    assert "is held down: let go" in denied(stimulating)
    stimulating.step(foot(UP))
    assert "has not been tested" in denied(stimulating)


def test_the_guards_interlock_is_open_too_while_the_pedal_is_not_ready(stimulating):
    """Should an order ever come to the guard with the pedal gone, the guard refuses it by itself."""
    from controller.gateway.conditions import conditions_of

    assert first_open(conditions_of(stimulating.core, stimulating.now_ns)) is None
    stimulating.core.pedals.by_role[STOP].lost(stimulating.now_ns, "unplugged")
    assert "STOP has not been tested" in (first_open(conditions_of(stimulating.core, stimulating.now_ns)) or "")


# -- the button, and what is said -------------------------------------------------------------------------------------


def test_the_button_pedal_tells_the_engine_alone_and_stops_nothing(stimulating):
    outputs = stimulating.step(foot(DOWN, BUTTON))
    told = [output for output in outputs if isinstance(getattr(output, "message", None), PedalPressed)]
    assert [type(output) for output in told] == [ports.ToEngine]
    assert stimulating.core.state is GatewayState.DELIVERING


@pytest.mark.parametrize("data", [UP, AGAIN[24:], encode(evdev.EV_SYN, evdev.SYN_DROPPED, 0), b"\xff" * 24])
def test_doubt_is_no_press_of_the_button(stimulating, data):
    outputs = stimulating.step(foot(data, BUTTON))
    assert not stimulating.facts(PedalPressed, outputs)
    assert stimulating.core.state is GatewayState.DELIVERING


def test_losing_the_button_pedal_stops_nothing(stimulating):
    stimulating.step(ports.PedalGone(BUTTON, "unplugged"))
    assert stimulating.core.state is GatewayState.DELIVERING
    assert stimulating.logged("pedal_lost")[-1]["role"] == BUTTON


def test_a_button_pedal_held_at_the_opening_was_not_pressed(plugged):
    outputs = plugged.step(opened(BUTTON, HAND, held=frozenset({183})))
    assert not plugged.facts(PedalPressed, outputs)


def test_one_pedal_is_never_both():
    with pytest.raises(ValueError, match="at once"):
        Pedals(FOOT, FOOT)


def test_a_simulated_pedal_does_not_guard_a_real_unit(tested):
    pedals = tested.core.pedals
    tested.step(opened(simulated=True), foot(STEP))
    assert pedals.blocked("SIM0P24001") == ""
    assert "is a simulated one, and a device is not" in pedals.blocked("P24-000042")


def test_the_screen_is_told_how_each_pedal_stands(tested):
    status = tested.facts(GatewayStatus)[-1]
    stop, button = status.pedals
    assert (stop.role, stop.serial, stop.here, stop.tested, stop.held, stop.fault) == (
        STOP,
        FOOT,
        True,
        True,
        False,
        "",
    )
    assert (button.role, button.serial, button.here) == (BUTTON, HAND, True)
    tested.step(foot(DOWN))
    assert tested.facts(GatewayStatus)[-1].pedals[0].held
