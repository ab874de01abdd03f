"""A device's port in the gateway's shell, on a real PTY: everything that becomes of it is said once, in order."""

import errno
import os
import pty
import tty
from typing import NamedTuple

import pytest

from controller.channel.waiter import Waiter
from controller.drivers.ports import LineSettings, open_serial
from controller.gateway import device_port
from controller.gateway.device_port import DevicePort, PortInputs
from controller.wire.link import LinkLost

pytestmark = pytest.mark.hazard("H01", "H37")

LINE = LineSettings(baud=460_800, stop_bits=2)


class Opened(NamedTuple):
    port: str


class Missing(NamedTuple):
    cause: str


class Gone(NamedTuple):
    cause: str


class Data(NamedTuple):
    data: bytes


SAY = PortInputs(Opened, Missing, Gone, Data)


class Cable:
    """A PTY with a port at its end. `turn` is one turn of the shell's loop."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self.slave)
        self.inputs = []
        self.waiter = Waiter()
        self.port = DevicePort(self.path, LINE, SAY, self.inputs, self.waiter)

    def turn(self):
        """What the core is told by one turn of the loop."""
        for reader in self.waiter.wait(20_000_000):
            reader()
        return self.told()

    def told(self):
        told = self.inputs[:]
        self.inputs.clear()
        return told

    def arrived(self):
        try:
            return os.read(self.master, 4096)
        except BlockingIOError:
            return b""

    def pull(self):
        for descriptor in (self.master, self.slave):
            if descriptor >= 0:
                os.close(descriptor)
        self.master = self.slave = -1


@pytest.fixture
def cable():
    cable = Cable()
    yield cable
    cable.port.close()
    cable.pull()


def test_an_open_port_is_told_by_its_name_and_carries_bytes_both_ways(cable):
    cable.port.open()
    assert cable.told() == [Opened(cable.path)]
    os.write(cable.master, b"\x00\xf0answer")
    assert cable.turn() == [Data(b"\x00\xf0answer")]
    assert cable.turn() == []
    cable.port.write(b"\x01order\xff")
    assert cable.arrived() == b"\x01order\xff"
    cable.port.write(b"")
    assert cable.arrived() == b""
    assert cable.told() == []


def test_the_line_is_opened_as_the_device_wants_it(cable, monkeypatch):
    asked = []
    monkeypatch.setattr(
        device_port, "open_serial", lambda path, line: asked.append((path, line)) or open_serial(path, line)
    )
    cable.port.open()
    assert asked == [(cable.path, LINE)]


def test_a_port_that_is_not_there_says_what_is_wrong_and_what_to_do(cable):
    path = cable.path
    cable.pull()
    cable.port.open()
    (told,) = cable.told()
    assert isinstance(told, Missing)
    assert path in told.cause
    cause, todo = told.cause.split(". ", 1)
    assert cause
    assert todo[0].isupper()
    assert todo.endswith(".")
    cable.port.write(b"x")  # nothing is open: nothing happens
    cable.port.close()
    assert cable.turn() == []


def test_a_cable_that_is_pulled_is_told_once_and_the_port_is_watched_no_longer(cable):
    cable.port.open()
    cable.told()
    cable.pull()
    (told,) = cable.turn()
    assert isinstance(told, Gone)
    assert told.cause
    assert cable.turn() == []
    cable.port.write(b"too late")
    assert cable.told() == []


def test_a_port_that_takes_no_bytes_is_lost(cable):
    cable.port.open()
    cable.told()
    cable.pull()
    cable.port.write(b"order")
    (told,) = cable.told()
    assert isinstance(told, Gone)
    assert cable.turn() == []


def test_a_closed_port_is_neither_read_nor_written_and_its_descriptor_is_free(cable):
    before = len(os.listdir("/proc/self/fd"))
    cable.port.open()
    assert len(os.listdir("/proc/self/fd")) > before
    cable.told()
    cable.port.close()
    cable.port.close()
    assert len(os.listdir("/proc/self/fd")) == before
    os.write(cable.master, b"nobody listens")
    cable.port.write(b"nobody speaks")
    assert cable.turn() == []
    assert cable.arrived() == b""


def test_the_same_port_is_opened_again_and_again_and_must_stay_the_same_device(cable, monkeypatch):
    cable.port.open()
    cable.port.close()
    cable.port.open()
    assert cable.told() == [Opened(cable.path)] * 2
    cable.port.close()
    port = DevicePort("usb:WHERE-IS-IT", LINE, SAY, cable.inputs, cable.waiter)
    port.open()
    (told,) = cable.told()
    assert "no device with the serial number WHERE-IS-IT is plugged in" in told.cause


def test_what_a_lost_link_says_is_told_as_it_is(cable):
    class Broken:
        def fileno(self):
            return cable.slave

        def read(self):
            raise LinkLost("the other end has gone")

        def write(self, data):
            raise LinkLost(os.strerror(errno.EIO))

        def close(self):
            pass

    cable.port._link = Broken()
    cable.port._read()
    assert cable.told() == [Gone("the other end has gone")]
    cable.port._read()
    assert cable.told() == []
    cable.port._link = Broken()
    cable.port.write(b"x")
    assert cable.told() == [Gone(os.strerror(errno.EIO))]
