"""Line settings of every device in the registry: what pyserial is asked for, and what arrives at the far end of a PTY.

A PTY keeps speed, stop bits and RTS/CTS and drops parity, so parity is seen only in what pyserial is given. The far end
is asked through the master, as a twin would ask, and is set to something else beforehand.
"""

import os
import pty
import termios
import tty
from collections.abc import Iterator
from typing import Any

import pytest
import serial

from controller.drivers import ports, registry
from controller.drivers.ports import LineSettings, open_serial

KINDS = [(group, name) for group, devices in registry.OWN.items() for name in devices]
DOCUMENTED = {
    # speed, parity, stop bits, RTS/CTS: from each maker's document (docs/devices)
    "p24": (3_000_000, "N", 2, True),
    "p24-low": (3_000_000, "N", 2, True),
    "rehamove3": (3_000_000, "N", 2, True),
    "rehastim2": (460_800, "E", 1, False),
    "ximu3": (115_200, "N", 1, False),
    "witmotion": (115_200, "N", 1, False),
    "bno085": (115_200, "N", 1, False),
    "textline": (115_200, "N", 1, False),
    "dynamixel": (1_000_000, "N", 1, False),
}
NO_LINE = {"fitmi"}
"""A hidraw node has no line."""
SPEED_IN, SPEED_OUT, CONTROL = 4, 5, 2


def line_of(group: str, name: str) -> LineSettings:
    kind: Any = registry.load(group, name, object)
    assert kind.name == name
    return kind.line


@pytest.fixture
def far_end() -> Iterator[tuple[int, str]]:
    """The master of a PTY and the path of its other side."""
    master, slave = pty.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.fixture
def path(far_end: tuple[int, str]) -> str:
    return far_end[1]


def seen(master: int) -> tuple[int, int, int, bool, bool]:
    """Both speeds, size of a character, two stop bits?, RTS/CTS?, as the far end of the cable has them."""
    attributes = termios.tcgetattr(master)
    control = attributes[CONTROL]
    speeds = attributes[SPEED_IN], attributes[SPEED_OUT]
    return (*speeds, control & termios.CSIZE, bool(control & termios.CSTOPB), bool(control & termios.CRTSCTS))


@pytest.mark.parametrize(("group", "name"), KINDS, ids=[name for _, name in KINDS])
def test_pyserial_is_asked_for_exactly_the_line_of_the_device(
    group: str, name: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = line_of(group, name)
    asked: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    real = serial.Serial

    def spy(*args: Any, **options: Any) -> serial.Serial:
        asked.append((args, options))
        return real(*args, **options)

    monkeypatch.setattr(ports.serial, "Serial", spy)
    open_serial(path, line).close()
    assert asked == [
        (
            (path,),
            {
                "baudrate": line.baud,
                "parity": line.parity,
                "stopbits": line.stop_bits,
                "rtscts": line.rts_cts,
                "timeout": 0,
                "write_timeout": 0,
                "exclusive": True,
            },
        )
    ]
    assert line.parity in (serial.PARITY_NONE, serial.PARITY_EVEN, serial.PARITY_ODD)
    assert line.stop_bits in (serial.STOPBITS_ONE, serial.STOPBITS_TWO)


@pytest.mark.parametrize(("group", "name"), KINDS, ids=[name for _, name in KINDS])
def test_the_far_end_sees_speed_stop_bits_and_flow_control(group: str, name: str, far_end: tuple[int, str]) -> None:
    (master, path), line = far_end, line_of(group, name)
    speed = getattr(termios, f"B{line.baud}")
    wanted = (speed, speed, termios.CS8, line.stop_bits == 2, line.rts_cts)
    attributes = termios.tcgetattr(master)
    attributes[SPEED_IN] = attributes[SPEED_OUT] = termios.B9600
    attributes[CONTROL] ^= termios.CSTOPB if bool(attributes[CONTROL] & termios.CSTOPB) is wanted[3] else 0
    attributes[CONTROL] ^= termios.CRTSCTS if bool(attributes[CONTROL] & termios.CRTSCTS) is wanted[4] else 0
    termios.tcsetattr(master, termios.TCSANOW, attributes)
    before = seen(master)
    assert not [index for index in (0, 1, 3, 4) if before[index] == wanted[index]]
    link = open_serial(path, line)
    try:
        assert seen(master) == wanted
        _, _, control, _, speed_in, speed_out, _ = termios.tcgetattr(link.fileno())
        assert (speed_in, speed_out) == (speed, speed)
        assert bool(control & termios.CSTOPB) is (line.stop_bits == 2)
    finally:
        link.close()


@pytest.mark.parametrize("name", [name for _, name in KINDS if name in DOCUMENTED])
def test_the_line_is_the_documented_one(name: str) -> None:
    groups = [group for group, other in KINDS if other == name]
    for group in groups:
        line = line_of(group, name)
        assert (line.baud, line.parity, line.stop_bits, line.rts_cts) == DOCUMENTED[name]


def test_every_device_on_a_serial_line_has_a_documented_one() -> None:
    assert {name for _, name in KINDS} == set(DOCUMENTED) | NO_LINE
