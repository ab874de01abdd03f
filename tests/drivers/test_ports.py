"""Ports on real PTYs and loopback sockets: raw bytes both ways, exclusive, and honest when the cable is pulled."""

import errno
import os
import pty
import select
import socket
import termios
import tty

import pytest
import serial

from controller.drivers import ports
from controller.drivers.ports import LineSettings, PortBusy, PortFault, PortMissing, is_hidraw, open_hidraw, open_serial
from controller.drivers.pucks.fitmi import FitMiDriver
from controller.vocabulary.sample import STALE
from controller.wire.link import LinkLost
from sim.devices.fitmi import FitMiTwin

LINE = LineSettings(baud=460_800, stop_bits=2)
EVERY_BYTE = bytes(range(256))


class Cable:
    """A PTY: `path` is the port, `master` the device. `pull` takes the cable out."""

    def __init__(self):
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)
        self.links = []

    def pull(self):
        for descriptor in (self.master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self.master = self._slave = -1


@pytest.fixture
def cable():
    cable = Cable()
    yield cable
    for link in cable.links:
        link.close()
    cable.pull()


@pytest.fixture(params=["serial", "hidraw"])
def link(cable, request):
    link = open_serial(cable.path, LINE) if request.param == "serial" else open_hidraw(cable.path)
    cable.links.append(link)
    return link


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


def received(link, size):
    """`size` bytes, each wait bounded."""
    data = b""
    while len(data) < size and select.select([link], [], [], 5)[0]:
        data += link.read()
    return data


def test_every_byte_goes_through_unchanged_both_ways(cable, link):
    assert link.read() == b""
    os.write(cable.master, EVERY_BYTE)
    assert received(link, 256) == EVERY_BYTE
    assert link.read() == b""
    assert link.write(EVERY_BYTE) == 256
    assert select.select([cable.master], [], [], 5)[0]
    assert os.read(cable.master, 4096) == EVERY_BYTE


def test_a_read_takes_no_more_than_its_limit(cable, link):
    os.write(cable.master, b"abcdef")
    assert select.select([link], [], [], 5)[0]
    assert (link.read(2), received(link, 4)) == (b"ab", b"cdef")


def test_the_line_is_raw_and_set_as_asked(cable):
    cable.links.append(open_serial(cable.path, LINE))
    iflag, oflag, cflag, lflag, ispeed, ospeed, _ = termios.tcgetattr(cable.master)
    assert ispeed == ospeed == termios.B460800
    assert cflag & termios.CSTOPB
    assert not lflag & (termios.ICANON | termios.ECHO | termios.ISIG)
    assert not oflag & termios.OPOST
    assert not iflag & (termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)


def test_pulling_the_cable_is_said_in_the_systems_words_and_goes_on_being_said(cable, link):
    cable.pull()
    assert select.select([link], [], [], 5)[0]
    with pytest.raises(LinkLost, match=f"{cable.path}: (end of file|input/output error)") as first:
        link.read()
    with pytest.raises(LinkLost) as second:
        link.write(b"x")
    assert str(second.value) == str(first.value)


def test_writing_notices_a_pulled_cable_too(cable, link):
    cable.pull()
    with pytest.raises(LinkLost, match="input/output error"):
        link.write(b"x")


def test_a_device_that_stops_listening_is_lost_not_waited_for(cable, link):
    def write_on():
        for _ in range(10_000):
            link.write(bytes(1000))

    with pytest.raises(LinkLost, match="no longer listens"):
        write_on()
    with pytest.raises(LinkLost, match="no longer listens"):
        link.read()


def test_a_closed_link_says_so(link):
    link.close()
    link.close()
    assert link.fileno() == -1
    with pytest.raises(LinkLost, match="closed"):
        link.read()
    with pytest.raises(LinkLost, match="closed"):
        link.write(b"x")


def test_closing_after_the_cable_was_pulled_is_quiet(cable, link):
    cable.pull()
    link.close()
    assert link.fileno() == -1


@pytest.mark.parametrize("second", [lambda path: open_serial(path, LINE), open_hidraw])
def test_a_port_is_opened_once(cable, link, second):
    with pytest.raises(PortBusy, match="in use by another program") as refused:
        second(cable.path)
    assert "close the other program" in refused.value.todo
    link.close()
    cable.links.append(second(cable.path))
    assert cable.links[-1].read() == b""


def test_children_do_not_inherit_the_port(link):
    assert not os.get_inheritable(link.fileno())


@pytest.mark.parametrize("opener", [lambda path: open_serial(path, LINE), open_hidraw])
def test_a_port_that_is_not_there_says_what_to_do(opener, tmp_path):
    with pytest.raises(PortMissing, match="no such file") as refused:
        opener(str(tmp_path / "ttyUSB9"))
    assert "plug the device in" in refused.value.todo
    (tmp_path / "file").write_bytes(b"")
    for no_port in (str(tmp_path / "file"), str(tmp_path)):
        with pytest.raises(PortMissing, match="is no port"):
            opener(no_port)
    with pytest.raises(PortMissing):
        opener("/dev/tty\0")


def test_a_device_that_is_no_serial_line_is_refused():
    with pytest.raises(PortFault):
        open_serial("/dev/null", LINE)


@pytest.mark.parametrize(
    ("number", "kind", "todo"),
    [
        (errno.EBUSY, PortBusy, "close the other program"),
        (errno.EAGAIN, PortBusy, "close the other program"),
        (errno.EACCES, PortMissing, "dialout"),
        (errno.ENODEV, PortMissing, "plug the device in"),
        (errno.EINVAL, PortMissing, "line settings"),
    ],
)
def test_pyserial_is_asked_for_an_exclusive_line_and_its_refusal_is_explained(cable, monkeypatch, number, kind, todo):
    asked = {}

    def refuse(url, **settings):
        asked.update(settings, url=url)
        raise serial.SerialException(number, "could not open")

    monkeypatch.setattr(ports.serial, "Serial", refuse)
    with pytest.raises(kind) as refused:
        open_serial(cable.path, LineSettings(baud=460_800, parity="E", stop_bits=1, rts_cts=True))
    assert todo in refused.value.todo
    assert asked == {
        "url": cable.path,
        "baudrate": 460_800,
        "parity": "E",
        "stopbits": 1,
        "rtscts": True,
        "timeout": 0,
        "write_timeout": 0,
        "exclusive": True,
    }


def test_a_socket_is_a_port_like_any_other(server):
    host, port = server.getsockname()
    link = open_serial(f"socket://{host}:{port}", LINE)
    device, _ = server.accept()
    with device:
        assert link.read() == b""
        device.sendall(EVERY_BYTE)
        assert received(link, 256) == EVERY_BYTE
        assert link.write(EVERY_BYTE) == 256
        device.settimeout(5)
        assert device.recv(4096) == EVERY_BYTE
    assert select.select([link], [], [], 5)[0]
    with pytest.raises(LinkLost, match="other end has gone"):
        link.read()
    with pytest.raises(LinkLost, match="other end has gone"):
        link.write(b"x")
    link.close()
    assert link.fileno() == -1


def test_a_reset_connection_is_a_lost_link(server):
    host, port = server.getsockname()
    link = open_serial(f"socket://{host}:{port}", LINE)
    device, _ = server.accept()
    link.write(b"unread")
    assert select.select([device], [], [], 5)[0]
    device.close()
    assert select.select([link], [], [], 5)[0]
    with pytest.raises(LinkLost, match="connection reset"):
        link.read()
    link.close()


def test_nobody_at_the_address_is_said_clearly(server):
    host, port = server.getsockname()
    server.close()
    with pytest.raises(PortMissing, match="connection refused") as refused:
        open_serial(f"socket://{host}:{port}", LINE)
    assert "simulator" in refused.value.todo


@pytest.mark.parametrize("url", ["socket://", "socket://host", "socket://:5", "socket://host:99999", "socket://h:x"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(PortMissing, match="is no address") as refused:
        open_serial(url, LINE)
    assert "socket://host:port" in refused.value.todo


def test_hidraw_nodes_are_known_by_name_also_through_a_link(tmp_path):
    (tmp_path / "fitmi").symlink_to("/dev/hidraw7")
    assert is_hidraw(str(tmp_path / "fitmi"))
    assert is_hidraw("/dev/hidraw0")
    assert not is_hidraw("/dev/ttyUSB0")


def test_a_fitmi_twin_on_a_pty_reaches_the_driver(cable):
    link = open_serial(cable.path, LINE)
    cable.links.append(link)
    driver, twin = FitMiDriver(device=cable.path), FitMiTwin()
    driver.start(0)
    samples = []
    for step in range(1, 14):
        os.write(cable.master, twin.frame(step * 10_000, (0.0, 0.0, 45.0), (0.0, 0.0, 1.0)))
        samples += driver.feed(step * 10_000_000, received(link, 62))
        if command := driver.poll(step * 10_000_000):
            link.write(command)
            assert select.select([cable.master], [], [], 5)[0]
            twin.feed(0, os.read(cable.master, 4096))
    assert len(twin.commands) == 4
    fresh = [sample for sample in samples if sample.puck == "blue" and not sample.flags & STALE]
    assert len(fresh) >= 8
    assert [sample.gyro_dps[2] for sample in fresh] == pytest.approx([45.0] * len(fresh), abs=2.5)
