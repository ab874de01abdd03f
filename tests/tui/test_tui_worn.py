"""Worn orthoses on the screen: the dialogs by key, where `w` works and where it does not, reminders."""

from dataclasses import replace

import pytest

from controller.record.worn import WornSpan
from controller.tui import samples
from controller.tui.samples import SLING, SPLINT, SampleFront
from controller.tui.screens.check import items
from controller.tui.screens.worn_dialog import angle_cdeg
from controller.tui.view import View
from controller.tui.worn_words import worn_line
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.intents import Orthosis, WearOrthosis
from controller.vocabulary.snapshot import SessionState

PAUSED = SessionState.PAUSED


def wearing(state, *worn):
    return replace(samples.snapshot(state), worn=worn)


async def typed(pilot, app, text):
    await pilot.press(*text)
    await pilot.press("enter")
    await app.tick()
    await pilot.pause()


async def test_putting_one_on_asks_side_angle_and_skin(show):
    app, front = show(samples.snapshot(PAUSED), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("w", "s")
        await pilot.pause()
        await typed(pilot, app, "")  # the affected side stands there already
        await typed(pilot, app, "-12.5")
        await typed(pilot, app, "clear")
        assert front.said == [WearOrthosis(Orthosis.SPLINT, "right", -1_250, "clear", on=True)]
        assert type(app.screen).__name__ == "RunScreen"


async def test_without_a_skin_check_nothing_is_said_to_the_engine(show, rows):
    app, front = show(samples.snapshot(PAUSED), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("w", "l")
        await pilot.pause()
        for text in ("", "", " "):
            await typed(pilot, app, text)
        assert front.said == []
        assert "what the skin looks like" in rows(app)[1]
        assert app.focused.id == "skin"
        await typed(pilot, app, "dry")
        assert front.said == [WearOrthosis(Orthosis.SLING, "right", None, "dry", on=True)]


@pytest.mark.parametrize(
    ("side", "angle", "said", "field"),
    [
        ("up", "", "left or right", "side"),
        ("right", "", "on the right side already", "side"),
        ("l", "30,5", "Use a point, not a comma", "angle"),
        ("l", "181", "cannot be", "angle"),
    ],
)
async def test_what_cannot_be_is_told_and_its_field_waits(side, angle, said, field, show, rows):
    app, front = show(wearing(PAUSED, SPLINT), samples.latched())  # told even while the bar says STOPPED
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("w", "s")
        await pilot.pause()
        assert app.screen.query_one("#side").value == "left"  # the right one is on
        for text in (side, angle, "clear"):
            await typed(pilot, app, text)
        assert front.said == []
        assert said in rows(app)[1]
        assert app.focused.id == field


async def test_taking_one_off_asks_for_the_skin_after(show, rows):
    app, front = show(wearing(PAUSED, SPLINT, SLING), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("w", "3")
        await pilot.pause()
        assert "There is no number 3" in rows(app)[1]
        await pilot.press("2")
        await pilot.pause()
        await typed(pilot, app, "")
        assert front.said == []
        await typed(pilot, app, "red, 1 cm")
        assert front.said == [WearOrthosis(Orthosis.SLING, "left", None, "red, 1 cm", on=False)]


async def test_both_sides_taken_leaves_nothing_to_put_on(show, rows):
    both = (SPLINT, replace(SPLINT, side="left"))
    app, _ = show(wearing(PAUSED, *both), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("w", "s")
        await pilot.pause()
        assert "on both sides already" in rows(app)[1]


@pytest.mark.parametrize(
    ("state", "before"),
    [
        (SessionState.SCREENING, ()),
        (SessionState.FITTING, ()),
        (SessionState.FITTING, ("g",)),
        (SessionState.CALIBRATING, ()),
        (SessionState.READY, ()),
        (PAUSED, ()),
    ],
)
async def test_w_opens_it_and_escape_closes_it_on_every_screen_of_a_session(state, before, show, rows):
    app, front = show(samples.snapshot(state), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        for key in before:
            await pilot.press(key)
            await app.tick()
        under = type(app.screen).__name__
        assert " w  worn " in rows(app)[-1]
        await pilot.press("w")
        await pilot.pause()
        assert type(app.screen).__name__ == "WornDialog"
        await pilot.press("escape")
        await pilot.pause()
        assert type(app.screen).__name__ == under
        assert front.said == []


@pytest.mark.parametrize("state", [SessionState.READY, SessionState.RUNNING, PAUSED, SessionState.CALIBRATING])
@pytest.mark.parametrize("gateway", [GatewayState.ARMED, GatewayState.DELIVERING])
async def test_while_armed_w_opens_nothing_and_says_why(state, gateway, show, rows):
    app, front = show(samples.snapshot(state), samples.status(gateway))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("w")
        await pilot.pause()
        assert len(app.screen_stack) == 2
        assert "Disarm first" in rows(app)[1]
        assert (front.said, front.stops) == ([], [])


@pytest.mark.parametrize("state", [SessionState.IDLE, SessionState.REVIEW])
async def test_without_an_open_record_w_does_nothing(state, show, rows):
    app, _ = show(samples.snapshot(state), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        assert "worn" not in rows(app)[-1]
        await pilot.press("w")
        await pilot.pause()
        assert len(app.screen_stack) == 2


async def test_ending_says_what_is_still_worn_first(show, rows):
    app, _ = show(wearing(PAUSED, SPLINT), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("e")
        await pilot.pause()
        assert "Still worn: splint right 30 deg" in "\n".join(rows(app))


async def test_the_run_screen_at_80_columns_gives_the_task_up_for_what_is_worn(show, rows):
    worn = tuple(replace(SPLINT, kind=kind, side=side) for kind in Orthosis for side in ("left", "right"))
    app, _ = show(wearing(PAUSED, *worn), samples.status())
    async with app.run_test(size=(80, 24)):
        await app.tick()
        line = rows(app)[3]
        assert "session 04:12  worn: splint left 30 deg" in line
        assert line.rstrip().endswith("…")
        assert "lift the hand" not in line


# -- words and the check list -----------------------------------------------------------------------------------------

LEFT_ON = WornSpan("splint", "right", 30.0, 60.0, "", "clear", None, "", "", 8.0, "not taken off in the session")


def view(snapshot):
    return View.of(SampleFront(snapshot, samples.status()), samples.NOW_NS)


def test_the_check_list_reminds_of_what_the_last_record_left_on_until_it_is_entered():
    reminder = items(view(samples.snapshot(SessionState.FITTING)), (LEFT_ON,))[-1]
    assert (reminder.name, reminder.stops) == ("still worn?", False)
    assert "splint, right side" in reminder.found
    assert "press w" in reminder.todo
    entered = items(view(wearing(SessionState.FITTING, SPLINT)), (LEFT_ON,))[-1]
    assert (entered.good, entered.name, entered.found) == (True, "worn", "splint right 30 deg")


def test_the_line_is_short_and_empty_when_nothing_is_worn():
    assert worn_line(view(samples.snapshot()), 60) == ""
    assert worn_line(view(wearing(PAUSED, SPLINT, SLING)), 60) == "worn: splint right 30 deg, sling left"
    assert worn_line(view(wearing(PAUSED, SPLINT, SLING)), 20) == "worn: splint right…"


@pytest.mark.parametrize(
    ("text", "cdeg"), [("", None), ("0", 0), ("30", 3_000), ("−12.5", -1_250), ("30.004", 3_000), ("-180", -18_000)]
)
def test_an_angle_is_taken_in_hundredths_and_may_be_left_out(text, cdeg):
    assert angle_cdeg(text) == cdeg


@pytest.mark.parametrize("text", ["thirty", "nan", "inf", "-180.1", "1e9", "30,5", "30 deg"])
def test_an_angle_that_is_none_is_a_sentence(text):
    told = angle_cdeg(text)
    assert isinstance(told, str)
    assert told.endswith(".")


async def test_the_app_looks_back_when_a_session_begins(monkeypatch, show):
    asked = []

    def look_back(folder):
        asked.append(folder)
        return (LEFT_ON,)

    monkeypatch.setattr("controller.tui.app.look_back", look_back)
    app, front = show(samples.snapshot(SessionState.IDLE), samples.status())
    async with app.run_test(size=(80, 24)):
        await app.tick()
        assert asked == []
        front.snapshot = samples.snapshot(SessionState.SCREENING)
        await app.tick()
        await app.tick()
        assert asked == [front.snapshot.folder]
        assert app.left_on == (LEFT_ON,)
