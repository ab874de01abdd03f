"""The key that says "I move the limb": fresh presses alone, and the screen says that nothing counts."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.intents import HoldLimb
from controller.vocabulary.snapshot import SessionState

pytestmark = pytest.mark.hazard("H09", "H18")

ARMED = samples.status(GatewayState.ARMED)
RUNNING = samples.snapshot(SessionState.RUNNING)


@pytest.mark.parametrize(
    ("snapshot", "said"),
    [
        (RUNNING, [HoldLimb(True)]),
        (replace(RUNNING, limb_held=True), [HoldLimb(False)]),
        (samples.snapshot(SessionState.READY), []),
    ],
)
async def test_h_takes_the_limb_or_lets_go_of_it_once_and_never_stops(show, snapshot, said):
    app, front = show(snapshot, ARMED)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        for _ in range(3):  # a held key repeats itself
            await pilot.press("h")
        await app.tick()
        assert front.said == said


async def test_the_screen_says_that_nothing_counts(show):
    app, _ = show(replace(RUNNING, limb_held=True), ARMED)
    async with app.run_test(size=(80, 24)):
        await app.tick()
        painted = " ".join(str(part) for part in app.screen.query_one("#run-prompt").parts)
        assert "you move the limb: nothing counts" in painted
