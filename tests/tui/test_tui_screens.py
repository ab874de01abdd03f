"""Every screen at 80 x 24 and 160 x 50: bar on row 1, keys line whole, and its own content in view."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.tui.look import SCENES
from controller.tui.samples import NOW_NS, SampleFront
from controller.tui.screens.base import HouseScreen
from controller.tui.widgets.keys_line import KeysLine, line_width
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState

EXPECTED = {
    "real_running": ("RESISTOR BOX ONLY", "STIM ON ch1 12.5 mA", "x  unwell: STOP"),
    "real_check": ("RESISTOR BOX ONLY", "operator", "m.weiss", "the patient sits, as you confirmed"),
    "starting": ("No current can flow", "gateway  ○ not heard yet"),
    "patient": ("Who is treated today?", "SIM01", "right side affected", "simulated patient"),
    "screening": ("the questions are shown for practice", "Pacemaker", "HF surgery", "11 questions are open"),
    "screening_blocked": ("▲ YES", "BLOCKED"),
    "screening_sign_off": ("Botulinum toxin", "date of the injection", "clinician who signs this off"),
    "check": ("SIM0P24001", "100 Hz", "This unit has no emergency-stop input", "blind below 15 mA"),
    "check_missing": ("Plug the unit in", "Switch the motion puck on"),
    "stop_test": ("Press F12 now", "Nothing can be armed"),
    "fitting": ("■ STIM ON ch1 8.0 mA", "limit now   40.0 mA", "cap for the forearm", "7.5 mA ≠", "first moves"),
    "fitting_done": ("ceiling     18.0 mA", "All levels are found"),
    "calibration": ("60 %", "Three attempts seen", "attempt threshold"),
    "calibration_done": ("attempt threshold  11.5 deg/s", "Press y to accept"),
    "ready": ("Press a, then c", "Repetitions 3/10"),
    "ready_confirm": ("Press c within 5 s", "confirm: arm (4 s)"),
    "running": ("cue  1.4 s of 6.0 s", "score 340", "streak 2", "12.5 mA   12.0 mA ≠", "╌╌╌", "session 04:12"),
    "paused": ("‖ PAUSED, safe, 0 mA", "Paused, disarmed"),
    "tripped": ("▲ THE SESSION WAS STOPPED", "STOP was pressed (F12).", "What to do", "Why is it safe"),
    "gateway_silent": ("▲ PULL THE LEADS: gateway silent 0.4 s", "*** PULL THE LEADS"),
    "help": ("This screen", "F12 stops at once"),
    "devices": ("Devices", "report fresh", "orders refused: 0"),
    "end": ("End the session?",),
    "note": ("Note for the training log",),
    "review": ("is over", "Task-training log", "asked for a break", "Record: data/sub-SIM01"),
    "orthosis_check": (
        "SIM RehaStim2",
        "emergency-stop switch must be plugged in",
        "-12 deg, torque off",
        "Its own power",
    ),
    "orthosis_fitting": ("Press j to measure the joint", "not measured yet: j, now at -12 deg", "torque off"),
    "orthosis_measure": ("The wrist today", "deg now", "lowest angle, degrees", "for 1.2 Nm"),
    "orthosis_running": (
        "■ STIM ON ch1 12.5 mA + ORTHOSIS 0.42 Nm",
        "wrist extends   0.60 Nm   0.42 Nm",
        "limit 0.80 Nm: patient ceiling",
        "-12 deg",
        "╌╌╌",
    ),
    "orthosis_tripped": ("The orthosis has let go: its torque is off", "No current and no movement"),
    "worn": ("splint, right side, 30 deg, for 12 min", "sling, left side, for 3 min", "1-2  take off"),
    "worn_on": ("Put on: AFO", "skin before it goes on", "right"),
    "worn_off": ("Take off: splint, right side, 30 deg", "skin after it came off"),
    "worn_paused": ("session 04:12  worn: splint right 30 deg, sling left",),
    "worn_review": ("▲ Still worn: splint right 30 deg", "Check the skin when it comes off"),
}


def test_every_scene_is_looked_at():
    assert set(EXPECTED) == set(SCENES)


@pytest.mark.parametrize("name", list(SCENES))
async def test_scene(name, size, make_app, rows):
    make_front, keys = SCENES[name]
    app = make_app(make_front())
    async with app.run_test(size=size) as pilot:
        await app.tick()
        await pilot.press(*keys)
        await app.tick()
        await pilot.pause()
        shown = rows(app)
        assert len(shown) == size[1]
        assert shown[0].endswith(" F12 STOP ")
        assert shown[-1].rstrip().endswith("F1  help")
        page = "\n".join(shown)
        assert [word for word in EXPECTED[name] if word not in page] == []


@pytest.mark.parametrize("name", list(SCENES))
async def test_the_keys_line_fits_80_columns(name, make_app):
    make_front, keys = SCENES[name]
    app = make_app(make_front())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press(*keys)
        await app.tick()
        assert line_width(app.screen.query_one(KeysLine).shown) <= 80


async def test_the_fullest_keys_line_of_fitting_fits_80_columns(show, rows):
    two = replace(samples.EXTENSORS, channel=2, name="flexors")
    snapshot = replace(samples.fitting(marked=True), channels=(samples.EXTENSORS, two))
    status = replace(samples.status(GatewayState.ARMED), scope="fitting")
    app, _ = show(snapshot, status)
    app.devices_checked = True
    async with app.run_test(size=(80, 24)):
        await app.tick()
        assert line_width(app.screen.query_one(KeysLine).shown) <= 80


@pytest.mark.parametrize(
    ("state", "screen"),
    [
        (SessionState.IDLE, "PatientScreen"),
        (SessionState.SCREENING, "ScreeningScreen"),
        (SessionState.FITTING, "CheckScreen"),
        (SessionState.CALIBRATING, "CalibrationScreen"),
        (SessionState.READY, "RunScreen"),
        (SessionState.RUNNING, "RunScreen"),
        (SessionState.PAUSED, "RunScreen"),
        (SessionState.REVIEW, "ReviewScreen"),
        (SessionState.TRIPPED, "TrippedScreen"),
    ],
)
async def test_the_screen_follows_the_session(state, screen, show):
    app, front = show(samples.snapshot(SessionState.IDLE), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        front.snapshot = samples.snapshot(state)
        await app.tick()
        await pilot.pause()
        assert type(app.screen).__name__ == screen
        assert isinstance(app.screen, HouseScreen)


async def test_device_check_then_stop_test_then_fitting(show):
    app, front = show(samples.snapshot(SessionState.FITTING), replace(samples.status(), stop_tested=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("g")
        await app.tick()
        assert type(app.screen).__name__ == "StopTestScreen"
        front.status = replace(front.status, stop_tested=True)
        await app.tick()
        assert type(app.screen).__name__ == "FittingScreen"


async def test_a_dialog_gives_way_when_the_session_trips(show):
    app, front = show(samples.snapshot(), samples.status(GatewayState.ARMED))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("e", "f1")
        assert len(app.screen_stack) == 4
        front.snapshot = samples.snapshot(SessionState.TRIPPED)
        front.status = samples.latched()
        await app.tick()
        assert type(app.screen).__name__ == "TrippedScreen"
        assert len(app.screen_stack) == 2


async def test_frames_are_counted_only_when_the_chart_draws(show):
    app, front = show(samples.snapshot(), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.pause()
        before = app.frames_drawn
        assert before > 0
        await app.tick()
        await pilot.pause()
        assert app.frames_drawn == before
        for until_ms in (60_040, 60_080, 60_120):
            front.snapshot = replace(front.snapshot, motion=samples.motion(until_ms)[-4:])
            await app.tick()
            await pilot.pause()
        assert app.frames_drawn == before + 3


async def test_stale_figures_lose_their_colour_and_say_their_age(show, rows):
    app, front = show(samples.snapshot(), samples.status())
    front.snapshot = replace(front.snapshot, t_ns=NOW_NS - 400_000_000)
    async with app.run_test(size=(80, 24)):
        await app.tick()
        assert "stale 0.4 s" in rows(app)[0]
        assert app.screen.query_one("#chart").model.stale


async def test_no_color_keeps_every_word(monkeypatch, make_app, rows, size):
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("running", "tripped", "gateway_silent"):
        app = make_app(SCENES[name][0]())
        async with app.run_test(size=size) as pilot:
            await app.tick()
            await pilot.pause()
            page = "\n".join(rows(app))
            assert [word for word in EXPECTED[name] if word not in page] == []
            colours = {
                colour.triplet
                for strip in app.screen._compositor.render_strips()
                for segment in strip.apply_filter(app._filters[0], app.screen.background_colors[1])
                if segment.style is not None
                for colour in (segment.style.color, segment.style.bgcolor)
                if colour is not None and colour.triplet is not None
            }
            assert all(len({colour.red, colour.green, colour.blue}) == 1 for colour in colours)


async def test_the_heartbeat_comes_from_the_event_loop(make_app):
    front = SampleFront(samples.snapshot(), samples.status())
    app = make_app(front)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.5)
        assert front.beats >= 1


async def test_a_scripted_therapist_is_asked_on_every_poll_and_skips_the_device_check(show):
    class Script:
        steps = 0

        def step(self, now_ns, front):
            self.steps += 1

    app, _front = show(samples.fitting(), samples.status())
    app.hands_free = script = Script()
    async with app.run_test(size=(80, 24)):
        await app.tick()
        await app.tick()
        assert script.steps >= 2
        assert type(app.screen).__name__ == "FittingScreen"
