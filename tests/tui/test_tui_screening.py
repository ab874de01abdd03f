"""The screening on the screen: three kinds of rows, a date, a signature, the skin; and the key for a patient unwell."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.intents import ScreeningAnswer, ScreeningDone, SkinSeen
from controller.vocabulary.snapshot import SessionState

pytestmark = pytest.mark.hazard("H17", "H41", "H50")

TO_EPILEPSY = ("y", "y", *["n"] * 9)
SCREENING = samples.snapshot(SessionState.SCREENING)


async def walk(app, pilot, *keys):
    for key in keys:
        await pilot.press(key)
        await app.tick()


def typed(text):
    names = {" ": "space", "-": "minus", ".": "full_stop"}
    return [names.get(letter, letter) for letter in text]


async def test_a_sign_off_asks_for_name_and_reason_and_going_back_leaves_the_row_open(show):
    app, _front = show(SCREENING, samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await walk(app, pilot, *TO_EPILEPSY, "y", "escape")
        assert "epilepsy" not in app.screen.answers
        await walk(app, pilot, "y", "enter", "enter")
        assert app.screen.said == "The clinician's name is missing."
        await walk(app, pilot, *typed("Weiss"), "enter", "enter")
        assert app.screen.said == "The reason is missing."
        await walk(app, pilot, *typed("seen today"), "enter")
        answer = ScreeningAnswer("epilepsy", True, clinician="Weiss", reason="seen today")
        assert app.screen.answers["epilepsy"] == answer
        assert app.screen.at == 12


async def test_botulinum_toxin_asks_for_date_and_muscles(show, rows):
    app, front = show(SCREENING, samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await walk(app, pilot, *TO_EPILEPSY, "n", "n", "y")
        assert any("date of the injection" in row for row in rows(app))
        await walk(app, pilot, *typed("20.3.2026"), "enter", *typed("biceps"), "enter", "enter", "enter")
        assert "year-month-day" in app.screen.said
        await walk(app, pilot, *["backspace"] * 10, *typed("2026-03-20"), "enter", "enter", "enter", "enter")
        assert app.screen.answers["botulinum"] == ScreeningAnswer("botulinum", True, "2026-03-20", "biceps")
        await walk(app, pilot, "y", "n", "g")
    said = [message for message in front.said if isinstance(message, ScreeningDone)]
    assert len(said[0].answers) == len(samples.questions())
    assert said[0].answers[13].date == "2026-03-20"


async def test_an_answer_is_replaced_and_an_incomplete_list_is_not_sent(show):
    app, front = show(SCREENING, samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await walk(app, pilot, "n", "g")
        assert "put it right" in app.screen.said
        await walk(app, pilot, "up", "y", "g")
        assert app.screen.said == "Answer every question first: y or n."
        await walk(app, pilot, "b")
        assert app.screen.said == "Nothing blocks so far."
    assert front.said == []


@pytest.mark.parametrize("at", [0, 7, 15])
async def test_the_marked_row_is_always_shown(show, rows, size, at):
    app, _front = show(SCREENING, samples.status())
    async with app.run_test(size=size) as pilot:
        await walk(app, pilot, *["down"] * at)
        marked = [row for row in rows(app) if "▶" in row]
        assert len(marked) == 1
        assert samples.questions()[at].question in marked[0]


async def test_the_list_is_painted_from_what_the_engine_hands_out(show, rows):
    app, _front = show(replace(SCREENING, screening=()), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await walk(app, pilot, "y", "n", "g", "down")
        assert not any("Pacemaker" in row for row in rows(app))


# -- the skin, and a patient who is unwell -----------------------------------------------------------------------------


async def test_the_look_at_the_skin_is_answered_with_one_key_while_armed(show, rows):
    due = replace(samples.snapshot(), skin_due="2 min of stimulation: look under the pads. Skin well?")
    app, front = show(due, samples.status(GatewayState.ARMED))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        assert any("SKIN" in row and "k: well" in row for row in rows(app))
        await walk(app, pilot, "k", "i")
    assert front.said == [SkinSeen(True), SkinSeen(False)]
    assert front.stops == []
    assert {"k", "i"} <= app.stop_keys.live


async def test_letters_that_nobody_asked_for_still_stop(show):
    app, front = show(samples.snapshot(), samples.status(GatewayState.ARMED))
    async with app.run_test(size=(80, 24)):
        await app.tick()
        assert app.stop_keys.pressed("k")
        assert app.stop_keys.pressed("x")
    assert front.stops == ["unbound key", "the patient is unwell"]


@pytest.mark.parametrize("state", [GatewayState.ARMED, GatewayState.DELIVERING, GatewayState.RESTING])
async def test_x_stops_in_the_input_thread_and_says_why(show, rows, state):
    app, front = show(samples.snapshot(), samples.status(state))
    async with app.run_test(size=(80, 24)):
        await app.tick()
        assert any("unwell: STOP" in row for row in rows(app))
        assert app.stop_keys.source("x") == "the patient is unwell"
    assert "x" not in app.stop_keys.live
    assert front.said == []


async def test_the_card_for_a_patient_who_is_unwell(show, rows):
    cause = "STOP was pressed (the patient is unwell)."
    tripped = replace(samples.snapshot(SessionState.TRIPPED), trip=cause, todo="Look after the patient.")
    app, _front = show(tripped, samples.latched())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.pause()
        text = "\n".join(rows(app))
    assert "lie flat" in text
    assert "sit upright" in text
    assert "acknowledge with this reason" in text


async def test_what_has_to_be_kept_in_mind_stands_on_the_alert_line(show, rows):
    kept = replace(samples.snapshot(), reminders=("Botulinum toxin in the last 12 weeks: STRENGTH IS CHANGING.",))
    app, _front = show(kept, samples.status())
    async with app.run_test(size=(80, 24)):
        await app.tick()
        assert any("STRENGTH IS CHANGING" in row for row in rows(app))


async def test_after_the_session_the_skin_is_asked_for(show, rows):
    over = replace(samples.snapshot(SessionState.REVIEW), skin_due="Pads off: look at the skin. Well?")
    app, front = show(over, samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        assert any("Pads off" in row for row in rows(app))
        await walk(app, pilot, "k")
    assert front.said == [SkinSeen(True)]
