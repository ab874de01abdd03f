"""Keys: two different keys to arm, one step for one fresh press, and what each screen says to engine and gateway."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.tui.keys import FRESH_AFTER_NS, PressGate
from controller.tui.samples import NOW_NS
from controller.vocabulary.facts import ArmNumber, GatewayState
from controller.vocabulary.intents import (
    AcceptCalibration,
    Acknowledge,
    Begin,
    CalibrateRest,
    ChoosePatient,
    EndSession,
    FittingDone,
    Level,
    MarkLevel,
    Note,
    Pause,
    Resume,
    ScreeningAnswer,
    ScreeningDone,
    Titrate,
    TitrateOff,
)
from controller.vocabulary.requests import Arm, ConfirmArm, Disarm, Prescribe, Press
from controller.vocabulary.snapshot import SessionState
from safety.orders import ArmScope

READY = SessionState.READY
FITTING_ARMED = replace(samples.status(GatewayState.ARMED), scope=ArmScope.FITTING)


async def press(app, front, *keys: str) -> list[object]:
    """What was said after `keys` were pressed one by one."""
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        for key in keys:
            await pilot.press(key)
            await app.tick()
    return front.said


def test_a_press_is_fresh_only_after_300_ms_without_one():
    gate = PressGate()
    assert gate.fresh(0)
    assert not any(gate.fresh(repeat * 33_000_000) for repeat in range(1, 40))
    assert not gate.fresh(39 * 33_000_000 + FRESH_AFTER_NS - 1)
    assert gate.fresh(39 * 33_000_000 + 2 * FRESH_AFTER_NS - 1)
    assert gate.number == 2


async def test_arming_takes_two_different_keys(show):
    app, front = show(samples.snapshot(READY), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("c", "enter")
        assert front.said == []
        await pilot.press("a")
        assert front.said == [Arm(ArmScope.SESSION, "")]
        front.arm_number = ArmNumber(41, ArmScope.SESSION, NOW_NS + 5_000_000_000)
        await app.tick()
        await pilot.press("a", "a")
        assert front.said == [Arm(ArmScope.SESSION, "")]
        await pilot.press("c")
        assert front.said[-1] == ConfirmArm(41)


async def test_an_expired_number_cannot_be_confirmed(show):
    app, front = show(samples.snapshot(READY), samples.status())
    front.arm_number = ArmNumber(41, ArmScope.SESSION, NOW_NS - 1)
    assert await press(app, front, "c") == []


@pytest.mark.parametrize(
    ("state", "gateway", "key", "said"),
    [
        (READY, GatewayState.DISARMED, "b", []),
        (READY, GatewayState.ARMED, "b", [Begin()]),
        (READY, GatewayState.ARMED, "d", [Disarm("the therapist disarmed")]),
        (SessionState.RUNNING, GatewayState.DELIVERING, "p", [Pause()]),
        (SessionState.PAUSED, GatewayState.ARMED, "r", [Resume()]),
        (SessionState.PAUSED, GatewayState.DISARMED, "r", []),
        (SessionState.CALIBRATING, GatewayState.DISARMED, "y", [AcceptCalibration()]),
        (SessionState.CALIBRATING, GatewayState.DISARMED, "r", [CalibrateRest()]),
        (SessionState.IDLE, GatewayState.DISARMED, "enter", [ChoosePatient("SIM01")]),
        (SessionState.IDLE, GatewayState.DISARMED, "1", [ChoosePatient("SIM01")]),
        (SessionState.IDLE, GatewayState.DISARMED, "2", []),
    ],
)
async def test_one_key(state, gateway, key, said, show):
    app, front = show(samples.snapshot(state), samples.status(gateway))
    assert await press(app, front, key) == said


async def test_a_session_cannot_begin_on_a_permission_for_fitting(show):
    app, front = show(samples.snapshot(READY), FITTING_ARMED)
    assert await press(app, front, "b") == []


async def test_ending_asks_first_and_disarms_before_it_ends(show):
    app, front = show(samples.snapshot(), samples.status(GatewayState.ARMED))
    assert await press(app, front, "e", "n") == []
    app, front = show(samples.snapshot(), samples.status(GatewayState.ARMED))
    assert await press(app, front, "e", "y") == [Disarm("the session was ended"), EndSession()]


async def test_a_yes_in_screening_blocks_and_only_all_no_goes_on(show):
    app, front = show(samples.snapshot(SessionState.SCREENING), samples.status())
    said = await press(app, front, "g", "y", "y", "n", "y", "g", "b")
    assert [(answer.row, answer.yes) for answer in said[0].answers][-1] == ("pregnancy", True)
    app, front = show(samples.snapshot(SessionState.SCREENING), samples.status())
    good = {row.row: row.good for row in samples.questions()}
    said = await press(app, front, *["y" if yes else "n" for yes in good.values()], "g")
    assert said == [ScreeningDone(tuple(ScreeningAnswer(row, yes) for row, yes in good.items()))]


async def test_one_titration_step_for_one_fresh_press(show):
    app, front = show(samples.fitting(), FITTING_ARMED)
    app.devices_checked = True
    now = [NOW_NS]
    app.clock = lambda: now[0]
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        for after_ms in (0, 250, 30, 30, 30, 300):
            now[0] += after_ms * 1_000_000
            front.status = replace(front.status, t_ns=now[0])
            before = len(front.said)
            await pilot.press("up")
            if len(front.said) > before:  # the step that was taken shows in the next snapshot
                channel = front.snapshot.channels[0]
                risen = (replace(channel, now_ua=channel.now_ua + 500), *front.snapshot.channels[1:])
                front.snapshot = replace(front.snapshot, channels=risen, number=front.snapshot.number + 1)
                await app.tick()
    assert front.said == [Press(1), Titrate(1, 500, 1), Press(2), Titrate(1, 500, 2)]


async def test_fitting_marks_levels_and_switches_off(show):
    app, front = show(samples.fitting(), FITTING_ARMED)
    app.devices_checked = True
    said = await press(app, front, "s", "m", "t", "o")
    assert said == [*(MarkLevel(1, level) for level in Level), TitrateOff()]


async def test_a_level_is_not_marked_without_current(show, rows):
    snapshot = samples.fitting()
    silent = replace(snapshot, channels=(replace(snapshot.channels[0], now_ua=0),))
    app, front = show(silent, FITTING_ARMED)
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("m")
        await pilot.pause()
        assert front.said == []
        assert "No current flows now" in "\n".join(rows(app))


async def test_region_and_pad_go_to_the_gateway_before_arming_for_fitting(show):
    app, front = show(samples.fitting(), samples.status())
    app.devices_checked = True
    said = await press(app, front, "a")
    assert said == [
        Prescribe("SIM01", "2026-11-22", 1, "forearm", 2500, 0, 0),
        Prescribe("SIM01", "2026-11-22", 2, "forearm", 2500, 0, 0),
        Arm(ArmScope.FITTING, ""),
    ]


async def test_finishing_disarms_before_it_prescribes_the_ceiling(show):
    app, front = show(samples.fitting(marked=True), FITTING_ARMED)
    app.devices_checked = True
    assert await press(app, front, "f") == [
        TitrateOff(),
        Disarm("fitting is done"),
        Prescribe("SIM01", "2026-11-22", 1, "forearm", 2500, 18_000, 10_500),
        FittingDone(),
    ]


async def test_fitting_cannot_finish_before_all_levels_are_found(show):
    app, front = show(samples.fitting(), FITTING_ARMED)
    app.devices_checked = True
    assert await press(app, front, "f") == []


async def test_a_trip_needs_a_reason_which_then_arms_again(show):
    app, front = show(samples.snapshot(SessionState.TRIPPED), samples.latched())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("o", "k", "enter")
        assert front.said == []
        await pilot.press(*" now", "enter")
        assert front.said == [Acknowledge("ok now")]
        front.snapshot = samples.snapshot(READY)
        await app.tick()
        await pilot.press("a")
        assert front.said[-1] == Arm(ArmScope.SESSION, "ok now")


async def test_arming_after_a_latch_without_a_trip_asks_for_the_reason(show):
    app, front = show(samples.snapshot(READY), samples.latched())
    said = await press(app, front, "a", "p", "a", "d", "enter")
    assert said == [Arm(ArmScope.SESSION, "pad")]


async def test_a_note_is_written_only_while_disarmed(show):
    app, front = show(samples.snapshot(READY), samples.status(GatewayState.ARMED))
    assert await press(app, front, "n", "a", "b", "c", "enter") == [Begin()]
    app, front = show(samples.snapshot(READY), samples.status())
    assert await press(app, front, "n", "w", "e", "l", "l", "enter") == [Note("well")]


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_a_session_stops_first_and_asks(key, show):
    app, front = show(samples.snapshot(), samples.status(GatewayState.DELIVERING, 12_500))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press(key)
        await pilot.pause()
        assert front.stops == ["quit"]
        assert type(app.screen).__name__ == "QuitDialog"
        assert front.said == []
        await pilot.press("y")
        await pilot.pause()
    assert front.said == [Disarm("the program was left"), EndSession()]


async def test_leaving_without_a_session_does_not_ask(show):
    app, front = show(samples.snapshot(SessionState.IDLE), samples.status())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("q")
        await pilot.pause()
    assert front.stops == []
    assert not app.is_running
