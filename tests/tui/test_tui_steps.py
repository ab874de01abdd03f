"""What the screen says of presses that come to nothing, and of keys that do nothing now."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.tui.samples import NOW_NS, SampleFront
from controller.tui.screens.dialogs import QuitDialog
from controller.tui.steps import StepWatch
from controller.tui.view import View
from controller.tui.widgets.status_bar import bar_model
from controller.vocabulary.facts import ArmScope, GatewayState
from controller.vocabulary.snapshot import SessionState

MS = 1_000_000
ARMED = replace(samples.status(GatewayState.DELIVERING, 8_000), scope=ArmScope.FITTING)


class Watched:
    """A step watch that is shown one current after the other, 40 ms apart."""

    def __init__(self) -> None:
        self.steps = StepWatch()
        self.front = SampleFront(samples.fitting(), ARMED)
        self.now_ns = NOW_NS

    @property
    def view(self) -> View:
        return View.of(self.front, self.now_ns)

    def see(self, *now_ua: int) -> str:
        said = ""
        for each_ua in now_ua:
            self.now_ns += 40 * MS
            shown = self.front.snapshot
            channel = replace(shown.channels[0], now_ua=each_ua)
            self.front.snapshot = replace(shown, number=shown.number + 1, channels=(channel,))
            said = self.steps.look(self.view) or said
        return said

    def press(self, step_ua: int = 500) -> str:
        channel = self.view.channels[0]
        refused = self.steps.in_the_way(self.view, channel, step_ua)
        if not refused:
            self.steps.pressed(channel, step_ua, self.now_ns)
        return refused


@pytest.fixture
def watched():
    made = Watched()
    made.see(8_000, 8_000)
    return made


def test_a_press_that_raised_the_current_says_nothing(watched):
    assert watched.press() == ""
    assert watched.see(8_000, 8_500, *[8_500] * 20) == ""
    assert watched.steps.reached_ua == {1: 8_500}


def test_a_press_that_raised_nothing_is_told(watched):
    assert watched.press() == ""
    assert watched.see(*[8_000] * 8) == ""
    assert "did not count" in watched.see(*[8_000] * 3)


def test_while_the_current_climbs_to_the_last_step_a_press_is_told_at_once(watched):
    watched.see(0, 0)
    assert watched.press() == ""
    assert watched.see(2_000, 6_000) == ""
    assert "still rising to 8.5 mA" in watched.press()
    assert watched.steps.reached_ua == {1: 8_000}
    assert watched.see(8_500, 8_500) == ""
    assert watched.press() == ""


def test_a_step_down_is_the_new_step_reached_and_ends_a_climb(watched):
    assert watched.press() == ""
    assert watched.press(-500) == ""
    assert watched.see(7_500, 7_500, 7_500) == ""
    assert watched.steps.reached_ua == {1: 7_500}
    assert watched.press() == ""


@pytest.mark.parametrize("state", [GatewayState.RESTING, GatewayState.ARMED])
def test_no_press_counts_during_the_rest(watched, state):
    """Nor before the first train, where a rest of an earlier run is due."""
    resting = replace(ARMED, state=state, rest_until_ns=watched.now_ns + 1400 * MS)
    watched.front.status = resting
    assert "rests for another 1.4 s" in watched.press()
    assert "rests for another 1.4 s" in watched.press(-500)


def test_the_limit_is_named_with_what_sets_it(watched):
    shown = watched.front.snapshot
    channel = replace(shown.channels[0], limit_ua=8_000, limit_source="patient ceiling")
    watched.front.snapshot = replace(shown, channels=(channel,))
    assert watched.press() == "No higher: the limit is 8.0 mA (patient ceiling)."
    assert watched.press(-500) == ""


@pytest.mark.parametrize(
    ("state", "status", "key", "said"),
    [
        (SessionState.READY, samples.status(), "b", "Arm first: press a, then c. Then b begins."),
        (SessionState.PAUSED, samples.status(), "r", "Arm first: press a, then c. Then r resumes."),
        (SessionState.RUNNING, samples.status(GatewayState.ARMED), "n", "Notes are written while disarmed"),
        (SessionState.READY, samples.status(), "c", "Press a first"),
        (SessionState.CALIBRATING, samples.status(), "x", ""),
    ],
)
async def test_a_key_that_does_nothing_now_says_why(state, status, key, said, show, rows):
    app, front = show(samples.snapshot(state), status)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press(key)
        await pilot.pause()
        alert = rows(app)[1]
        assert said in alert
        assert bool(said) == bool(alert.strip())
        assert front.said == []


async def test_fitting_unarmed_says_to_arm(show, rows):
    app, front = show(samples.fitting(), samples.status())
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("up")
        await pilot.pause()
        assert "Arm first: press a, then c." in rows(app)[1]
        assert front.said == []


def test_a_gateway_that_spoke_and_is_replaced_leaves_the_leads_to_pull_until_the_new_one_speaks():
    front = SampleFront(samples.snapshot(), samples.status(GatewayState.DELIVERING, 12_500))
    front.status = None
    assert bar_model(View.of(front, NOW_NS)).word.startswith("○ STARTING")
    front.gateway_lost = "end of stream"
    assert bar_model(View.of(front, NOW_NS)).word.startswith("▲ PULL THE LEADS")
    front.status, front.gateway_lost = samples.status(), ""
    assert bar_model(View.of(front, NOW_NS)).word == "□ SAFE 0 mA"


async def test_leaving_while_armed_still_asks_after_its_own_stop_has_tripped_the_session(show):
    app, front = show(samples.snapshot(), samples.status(GatewayState.ARMED))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("ctrl+q")
        assert front.stops == ["quit"]
        front.snapshot = samples.snapshot(SessionState.TRIPPED)
        await app.tick()
        await pilot.pause()
        assert isinstance(app.screen, QuitDialog)
        await pilot.press("n")
        await app.tick()
        await pilot.pause()
        assert type(app.screen).__name__ == "TrippedScreen"


async def test_without_an_engine_nothing_offers_to_arm(show, rows):
    app, front = show(samples.fitting(), samples.status())
    app.devices_checked = True
    front.engine_lost = "end of stream"
    async with app.run_test(size=(80, 24)):
        await app.tick()
        assert "arm" not in rows(app)[-1]
