"""STOP keys: which keys stop and when, and that the input thread sends it while the event loop is blocked."""

import threading
from dataclasses import replace

import pytest
from textual import events

from controller.tui import samples
from controller.tui.driver import StopDriver
from controller.tui.samples import SampleFront
from controller.tui.stop_keys import StopKeys
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState

ARMED = (GatewayState.ARMED, GatewayState.DELIVERING, GatewayState.RESTING)


def keys_on(state: GatewayState | None) -> StopKeys:
    stop_keys = StopKeys(SampleFront(samples.snapshot(), None if state is None else samples.status(state)))
    stop_keys.live = frozenset({"p", "e"})
    return stop_keys


@pytest.mark.parametrize("state", [None, *GatewayState])
@pytest.mark.parametrize("key", ["f12", "shift+f12", "ctrl+f12", "f24"])
def test_f12_stops_in_every_state(state, key):
    assert keys_on(state).source(key) == "F12"


@pytest.mark.parametrize("state", ARMED)
@pytest.mark.parametrize(
    ("key", "source"), [("space", "space"), ("escape", "escape"), ("z", "unbound key"), ("enter", "unbound key")]
)
def test_while_armed_every_dead_key_stops(state, key, source):
    assert keys_on(state).source(key) == source


@pytest.mark.parametrize("state", ARMED)
@pytest.mark.parametrize("key", ["p", "e", "f1", "f2", "ctrl+q"])
def test_live_keys_do_not_stop(state, key):
    assert keys_on(state).source(key) == ""


@pytest.mark.parametrize("state", [None, *sorted(set(GatewayState) - set(ARMED))])
@pytest.mark.parametrize("key", ["space", "escape", "z"])
def test_while_not_armed_only_f12_stops(state, key):
    assert keys_on(state).source(key) == ""


async def test_the_input_thread_stops_while_the_event_loop_is_blocked(make_app):
    front = SampleFront(samples.snapshot(), samples.status(GatewayState.DELIVERING, 12_500))
    app = make_app(front)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        driver = StopDriver(app)
        for key in ("f12", "space", "z"):
            thread = threading.Thread(target=driver.process_message, args=(events.Key(key, None),))
            thread.start()
            thread.join(10)  # blocks this very loop: nothing of the app can run meanwhile
            assert not thread.is_alive()
        assert front.stops == ["F12", "space", "unbound key"]
        await pilot.pause(0.1)  # the loop runs again and takes the keys from its queue


async def test_the_driver_passes_the_key_on(make_app):
    front = SampleFront(samples.snapshot(), samples.status(GatewayState.ARMED))
    app = make_app(front)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        StopDriver(app).process_message(events.Key("p", "p"))
        await pilot.pause(0.1)
        assert front.stops == []
        assert [type(said).__name__ for said in front.said] == ["Pause"]


async def test_f12_reaches_the_front_with_a_driver_that_cannot_stop_by_itself(make_app, front):
    app = make_app(front)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("f12")
        await pilot.press("e", "f12")
        await pilot.press("f1", "f12")
        assert front.stops == ["F12"] * 3


async def test_the_screen_tells_the_input_thread_which_keys_are_live(show):
    app, front = show(samples.snapshot(), samples.status(GatewayState.ARMED))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        assert app.stop_keys.source("p") == ""
        assert app.stop_keys.source("y") == "unbound key"
        await pilot.press("e")
        await app.tick()
        assert app.stop_keys.source("y") == ""
        assert app.stop_keys.source("p") == "unbound key"
        front.status = replace(front.status, state=GatewayState.DISARMED)
        front.snapshot = samples.snapshot(SessionState.REVIEW)
        await app.tick()
        assert app.stop_keys.source("p") == ""
