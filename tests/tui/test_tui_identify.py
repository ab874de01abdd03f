"""The keys by which a person says that the right muscle moved, and how the patient is placed."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.vocabulary.facts import ArmScope, GatewayState
from controller.vocabulary.requests import Identified, Place
from controller.vocabulary.snapshot import SessionState

pytestmark = pytest.mark.hazard("H16", "H34")

FITTING = replace(samples.status(GatewayState.DELIVERING, 8_000), scope=ArmScope.FITTING, identified=())


async def pressed(app, front, *keys, checked=True):
    """What goes out after these keys."""
    app.devices_checked = checked
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press(*keys)
        await pilot.pause()
        await app.tick()
    return front.said


async def test_i_says_straight_to_the_gateway_that_the_right_muscle_moved(show):
    app, front = show(samples.fitting(), FITTING)
    assert await pressed(app, front, "i") == [Identified("SIM01", "2026-11-22", 1)]


async def test_i_without_current_is_told_and_says_nothing(show, rows):
    still = replace(samples.fitting(), channels=tuple(replace(c, now_ua=0) for c in samples.fitting().channels))
    app, front = show(still, FITTING)
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("i")
        await pilot.pause()
        assert front.said == []
        assert "No current flows now" in "\n".join(rows(app))


async def test_finish_says_which_channel_nobody_identified(show, rows):
    app, front = show(samples.fitting(marked=True), FITTING)
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        assert "Is it the right muscle?" in "\n".join(rows(app))
        await pilot.press("f")
        await pilot.pause()
        assert front.said == []
        assert "Nobody has said yet that extensors moves the right muscle" in "\n".join(rows(app))
        front.status = replace(FITTING, identified=(1,))
        await app.tick()
        await pilot.press("f")
        await pilot.pause()
        assert front.said != []


@pytest.mark.parametrize(
    ("position", "harness", "asks"),
    [
        ("seated", False, "does the patient sit safely?"),
        ("lying", False, "does the patient lie safely?"),
        ("standing", True, "held by the harness?"),
    ],
)
async def test_the_check_asks_how_the_patient_is_placed_and_waits_for_it(show, rows, position, harness, asks):
    snapshot = replace(samples.snapshot(SessionState.FITTING), position=position)
    unknown = replace(samples.status(), position="", position_of="")
    app, front = show(snapshot, unknown)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        assert asks in "\n".join(rows(app))
        await pilot.press("g")
        await pilot.pause()
        assert not app.devices_checked
        await pilot.press("p")
        await pilot.pause()
        assert front.said == [Place("SIM01", "2026-11-22", position, harness)]
        front.status = replace(unknown, position=position, position_of="SIM02")  # said of somebody else
        await app.tick()
        await pilot.press("g")
        await pilot.pause()
        assert not app.devices_checked
        front.status = replace(unknown, position=position, position_of="SIM01")
        await app.tick()
        await pilot.press("g")
        await pilot.pause()
        assert app.devices_checked


async def test_f2_confirms_it_later_and_only_disarmed(show, rows):
    unknown = replace(samples.status(), position="", position_of="")
    app, front = show(samples.snapshot(SessionState.READY), unknown)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("f2")
        await pilot.pause()
        await app.tick()
        await pilot.press("p")
        await pilot.pause()
        assert front.said == [Place("SIM01", "2026-11-22", "seated", False)]
        front.status = replace(unknown, state=GatewayState.ARMED, scope=ArmScope.SESSION)
        await app.tick()
        await pilot.press("p")
        await pilot.pause()
        assert len([said for said in front.said if isinstance(said, Place)]) == 1
