"""Pedals and buttons on the screens: STOP test, check list, bar, and Enter as a button only where it is one."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.tui.follow import screen_for
from controller.tui.pedal_words import pedal_link, stop_test_parts
from controller.tui.screens.check import items
from controller.tui.stop_keys import is_f12
from controller.tui.view import View
from controller.vocabulary.button import ButtonSource
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.intents import PressButton
from controller.vocabulary.pedal import PedalReport, PedalRole
from controller.vocabulary.requests import Press
from controller.vocabulary.snapshot import ButtonView, SessionState

pytestmark = pytest.mark.hazard("H18")

FOOT = PedalReport(PedalRole.STOP, "FS-77", "FootSwitch", here=True, tested=True, held=False, simulated=False, fault="")
HAND = replace(FOOT, role=PedalRole.BUTTON, serial="FB-1", tested=False)
MISSING = replace(FOOT, here=False, tested=False, fault="it was pulled out. Plug the same pedal in again.")
KEY = (ButtonView(ButtonSource.KEY, True),)
ARMED = replace(samples.status(GatewayState.ARMED))


def view_of(show, *pedals, stop_tested=True, state=SessionState.FITTING):
    status = replace(samples.status(), pedals=pedals, stop_tested=stop_tested)
    app, front = show(samples.snapshot(state), status)
    return View.of(front, app.clock())


@pytest.mark.parametrize(
    ("pedals", "f12", "screen"),
    [
        ((), False, "stop_test"),
        ((), True, "fitting"),
        ((FOOT,), False, "stop_test"),
        ((replace(FOOT, tested=False),), True, "stop_test"),
        ((MISSING,), True, "stop_test"),
        ((FOOT, HAND), True, "fitting"),
    ],
)
def test_fitting_comes_after_f12_and_the_pedal_were_both_tried(show, pedals, f12, screen):
    assert screen_for(view_of(show, *pedals, stop_tested=f12), True) == screen


@pytest.mark.parametrize(
    ("pedal", "f12", "says"),
    [
        (
            replace(FOOT, tested=False),
            False,
            ["Press F12 now, then the foot pedal", "not seen F12", "not seen the"],
        ),
        (replace(FOOT, tested=False), True, ["Press the foot pedal now", "✓ the gateway has seen F12", "FS-77 yet"]),
        (FOOT, False, ["not seen F12 yet", "✓ it has seen the foot pedal FS-77"]),
        (MISSING, True, ["FS-77 is not there: it was pulled out. Plug"]),
        (replace(FOOT, tested=False, held=True), True, ["FS-77 is held down: let go of it"]),
    ],
)
def test_the_stop_test_says_what_is_still_to_be_pressed(show, pedal, f12, says):
    parts = stop_test_parts(view_of(show, pedal, stop_tested=f12))
    text = "".join(part if isinstance(part, str) else part[0] for part in parts)
    assert all(each in text for each in says), text


@pytest.mark.parametrize(
    ("pedal", "good", "says"),
    [
        (FOOT, True, "FS-77  FootSwitch: tested"),
        (replace(FOOT, tested=False), True, "not tested yet"),
        (replace(FOOT, held=True), False, "held down"),
        (MISSING, False, "not there"),
        (replace(FOOT, simulated=True), True, "simulated"),
        (HAND, True, "FB-1  FootSwitch"),
        (replace(MISSING, role=PedalRole.BUTTON), False, "not there"),
    ],
)
def test_a_pedal_has_a_line_on_the_check_list(show, pedal, good, says):
    (item,) = [item for item in items(view_of(show, pedal)) if "pedal" in item.name]
    assert item.name == ("STOP pedal" if pedal.role is PedalRole.STOP else "button pedal")
    assert (item.good, item.stops) == (good, not good)
    assert says in item.found
    assert bool(item.todo) == (not good or not (pedal.tested or pedal.role is PedalRole.BUTTON))


def test_without_a_pedal_no_screen_speaks_of_one(show):
    view = view_of(show)
    assert not [item for item in items(view) if "pedal" in item.name]
    assert pedal_link(view) == ()
    assert "pedal" not in str(stop_test_parts(view))


@pytest.mark.parametrize(
    ("pedal", "link"),
    [(FOOT, "●"), (MISSING, "○"), (replace(FOOT, tested=False), "○"), (replace(FOOT, held=True), "○"), (HAND, "")],
)
def test_the_bar_shows_whether_the_pedal_would_stop(show, pedal, link):
    parts = pedal_link(view_of(show, pedal))
    assert "".join(text for text, _ in parts) == (f"pedal {link} " if link else "")


# -- Enter ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pressing(show):
    """What is said and stopped when Enter is pressed `times` on the run screen."""

    async def press(buttons, state=SessionState.RUNNING, times=1, status=ARMED):
        app, front = show(replace(samples.snapshot(state), buttons=buttons), status)
        async with app.run_test(size=(80, 24)) as pilot:
            await app.tick()
            for _ in range(times):
                stopped = app.stop_keys.source("enter")
                await pilot.press("enter")
                await app.tick()
        return front.said, stopped

    return press


async def test_enter_is_the_button_where_the_protocol_listens_to_it(pressing):
    said, stopped = await pressing(KEY)
    assert said == [Press(1), PressButton()]  # the gateway is told first
    assert stopped == ""


async def test_a_held_enter_is_one_press(pressing):
    said, _ = await pressing(KEY, times=5)
    assert said.count(PressButton()) == 1


@pytest.mark.parametrize("buttons", [(), (ButtonView(ButtonSource.PEDAL, True), ButtonView(ButtonSource.TOUCH, True))])
async def test_enter_stops_where_the_protocol_does_not_listen_to_it(pressing, buttons):
    said, stopped = await pressing(buttons)
    assert said == []
    assert stopped == "unbound key"


async def test_a_moment_before_it_begins_enter_neither_stops_nor_presses(pressing):
    said, stopped = await pressing(KEY, SessionState.READY)
    assert (said, stopped) == ([], "")


async def test_the_keys_line_names_it_only_where_it_works(show, rows):
    for buttons, shown in ((KEY, True), ((), False)):
        app, _ = show(replace(samples.snapshot(SessionState.RUNNING), buttons=buttons), ARMED)
        async with app.run_test(size=(160, 50)):
            await app.tick()
            assert ("button" in rows(app)[-1]) == shown


def test_no_key_that_always_stops_is_the_button():
    assert not is_f12("enter")
    assert "enter" not in ("space", "escape")
