"""The simulated foot pedal and the simulated hand on a puck, by the lines of `stimloop sim`."""

import select

import pytest

from controller.channel.waiter import Waiter
from controller.drivers.inputs import SIMULATED, open_pedal
from controller.drivers.pucks.fitmi import FitMiDriver
from controller.gateway import ports
from controller.gateway.pedal_port import PedalPort
from controller.vocabulary.pedal import PedalRole
from controller.vocabulary.sample import TOUCHED
from controller.wire.evdev import KeyPressed, KeyReader, KeyReleased
from controller.wire.link import MemoryLink
from sim.commands import obey
from sim.devices.fitmi import FitMiTwin
from sim.devices.pedal import F13, PedalTwin
from sim.room import furnish
from sim.terminal import PtyLink

pytestmark = pytest.mark.hazard("H18", "H40")

MS = 1_000_000


@pytest.fixture
def room():
    """A world with a FitMi, both pedals, and our ends of their cables."""
    pairs = {name: MemoryLink.pair() for name in ("fitmi", "pedal", "button-pedal")}
    world = furnish({name: there for name, (_, there) in pairs.items()}, 0)
    return world, {name: here for name, (here, _) in pairs.items()}


def test_a_pedal_that_is_no_simulated_one_by_name_is_refused():
    with pytest.raises(ValueError, match="begins with SIM"):
        PedalTwin("FS-77")


@pytest.mark.parametrize(
    ("line", "device", "events"),
    [
        ("press", "pedal", [KeyPressed(F13), KeyReleased(F13)]),
        ("press pedal", "pedal", [KeyPressed(F13), KeyReleased(F13)]),
        ("press button-pedal", "button-pedal", [KeyPressed(F13), KeyReleased(F13)]),
        ("press pedal down", "pedal", [KeyPressed(F13)]),
        ("press pedal up", "pedal", [KeyReleased(F13)]),
    ],
)
def test_a_line_steps_on_the_pedal_that_it_names(room, line, device, events):
    world, cables = room
    assert obey(world, line, 5 * MS)
    assert KeyReader().feed(cables[device].read()) == events
    assert all(not cable.read() for name, cable in cables.items() if "pedal" in name and name != device)


@pytest.mark.parametrize("line", ["press hand", "press pedal sideways", "touch", "touch on much", "touch maybe"])
def test_a_line_that_cannot_be_obeyed_is_told(room, line, capsys):
    assert obey(room[0], line, 0)
    assert "not done" in capsys.readouterr().err


def test_a_hand_on_the_puck_is_felt_until_it_goes():
    twin = FitMiTwin()
    driver = FitMiDriver(stream=False)
    twin.feed(0, bytes((0, 0x0B, 0, 1)) + bytes((0, 0x20 | 0x0B, 0, 1)))

    def sample(at_ms):
        report = twin.frame(at_ms * 1000, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
        return next(each for each in driver.feed(at_ms * MS, report) if each.puck == "blue")

    sample(0)
    assert not sample(20).flags & TOUCHED
    zero = driver.blocks[0].load
    twin.hand(True, 9.8)
    assert sample(40).flags & TOUCHED
    assert driver.blocks[0].load == zero + 50
    assert not driver.blocks[1].load - zero
    twin.hand(False)
    assert not sample(60).flags & TOUCHED
    assert driver.blocks[0].load == zero


def test_touch_by_line_reaches_the_worn_puck_and_the_log():
    log = []
    here, there = MemoryLink.pair()
    world = furnish({"fitmi": there}, 0, log=log.append)
    assert obey(world, "touch on 12.5", 3 * MS)
    assert [entry["touched"] for entry in log if entry.get("event") == "touch"] == [True]
    assert here is not None


def test_a_world_without_a_puck_that_feels_says_that_it_was_not_done(capsys):
    _, there = MemoryLink.pair()
    obey(furnish({"ximu3": there}, 0), "touch on", 0)
    assert "not done" in capsys.readouterr().err


def test_on_a_terminal_it_is_a_simulated_pedal_and_says_so():
    """The port of the gateway's shell, at the terminal of a twin: what it steps is what the core is told."""
    port = PtyLink(streaming=False)
    world = furnish({"pedal": port}, 0)
    inputs: list[ports.Input] = []
    waiter = Waiter()
    pedal = PedalPort(PedalRole.STOP, port.url, inputs, waiter)
    pedal.open()
    opened = inputs.pop()
    assert isinstance(opened, ports.PedalOpened)
    assert (opened.serial, opened.simulated, opened.held) == (SIMULATED, True, (frozenset(),))
    world.step("pedal", True, 7 * MS)
    select.select([port.fileno()], [], [], 0)
    heard = b""
    for _ in range(50):
        for reader in waiter.wait(20 * MS):
            reader()
        heard = b"".join(entry.data for entry in inputs if isinstance(entry, ports.PedalBytes))
        if len(heard) >= 48:
            break
    assert KeyReader().feed(heard) == [KeyPressed(F13)]
    port.close()
    for _ in range(50):
        for reader in waiter.wait(20 * MS):
            reader()
        if isinstance(inputs[-1], ports.PedalGone):
            break
    assert isinstance(inputs[-1], ports.PedalGone)


def test_a_terminal_is_opened_as_one_link():
    port = PtyLink(streaming=False)
    opened = open_pedal(port.url)
    assert len(opened.links) == 1
    opened.links[0].close()
    port.close()
