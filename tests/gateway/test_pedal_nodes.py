"""The nodes of a foot pedal in the shell: opened, read by their number, and closed together."""

from types import SimpleNamespace

import pytest

from controller.drivers.ports import PortMissing
from controller.gateway import pedal_port, ports
from controller.gateway.pedal_port import PedalPort
from controller.vocabulary.pedal import PedalRole
from controller.wire import evdev
from controller.wire.evdev import encode_key
from controller.wire.link import LinkLost

pytestmark = pytest.mark.hazard("H18", "H37", "H49")

STOP, BUTTON = PedalRole.STOP, PedalRole.BUTTON
DOWN, UP = encode_key(183, evdev.PRESSED), encode_key(183, evdev.RELEASED)


class Node:
    """A link in memory with a descriptor's number."""

    def __init__(self, number):
        self.number, self.closed, self.words = number, 0, []
        self.asked = []

    def fileno(self):
        return self.number

    def read(self, most):
        self.asked.append(most)
        said = self.words.pop(0) if self.words else b""
        if isinstance(said, Exception):
            raise said
        return said

    def close(self):
        self.closed += 1


class Waiter:
    """Remembers who is called for which descriptor."""

    def __init__(self):
        self.calls = {}

    def watch(self, number, call):
        self.calls[number] = call

    def forget(self, number):
        del self.calls[number]


@pytest.fixture
def port(monkeypatch):
    """A pedal of two nodes at its port, not opened yet."""
    nodes = (Node(11), Node(12))
    found = SimpleNamespace(serial="FS-77", name="FootSwitch", links=nodes, held=(frozenset(), {30}), simulated=True)
    asked = []
    monkeypatch.setattr(pedal_port, "open_pedal", lambda named: asked.append(named) or found)
    inputs, waiter = [], Waiter()
    made = PedalPort(STOP, "FS", inputs, waiter)
    return SimpleNamespace(port=made, nodes=nodes, inputs=inputs, waiter=waiter, asked=asked, found=found)


def test_each_node_is_read_by_its_number(port):
    port.port.open()
    assert port.asked == ["FS"]
    assert port.inputs == [ports.PedalOpened(STOP, "FS-77", "FootSwitch", (frozenset(), {30}), True)]
    for at, node in enumerate(port.nodes):
        node.words = [DOWN]
        port.waiter.calls[node.number]()
        assert port.inputs[-1] == ports.PedalBytes(STOP, at, DOWN)
        assert node.asked == [64 * 24]  # whole events
    before = len(port.inputs)
    port.waiter.calls[11]()  # woken for nothing
    assert len(port.inputs) == before


def test_a_node_that_is_lost_closes_all_of_it_and_is_said_once(port):
    port.port.open()
    calls = dict(port.waiter.calls)
    port.nodes[1].words = [LinkLost("event7 is gone")]
    calls[12]()
    assert port.inputs[1:] == [ports.PedalGone(STOP, "event7 is gone")]
    assert [node.closed for node in port.nodes] == [1, 1]
    assert port.waiter.calls == {}
    for call in calls.values():
        call()  # the other node was ready in the same wake-up
    assert len(port.inputs) == 2
    assert port.nodes[0].asked == []


def test_opening_it_again_closes_what_was_open(port):
    port.port.open()
    port.port.open()
    assert [node.closed for node in port.nodes] == [1, 1]
    assert set(port.waiter.calls) == {11, 12}


def test_what_cannot_be_opened_says_why_and_what_to_do(port, monkeypatch):
    def fail(named):
        raise PortMissing(f"no foot pedal {named}", "plug it in, then wait")

    monkeypatch.setattr(pedal_port, "open_pedal", fail)
    port.port.open()
    assert port.inputs == [ports.PedalMissing(STOP, "no foot pedal FS. Plug it in, then wait.")]
    assert port.waiter.calls == {}
