"""Line settings of every device in the registry: what pyserial is asked for, and what arrives at the far end of a PTY.

A PTY keeps speed, stop bits and RTS/CTS and drops parity, so parity is seen only in what pyserial is given.
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
}


def line_of(group: str, name: str) -> LineSettings:
    kind: Any = registry.load(group, name, object)
    assert kind.name == name
    return kind.line


@pytest.fixture
def path() -> Iterator[str]:
    master, slave = pty.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


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
def test_the_far_end_sees_speed_stop_bits_and_flow_control(group: str, name: str, path: str) -> None:
    line = line_of(group, name)
    link = open_serial(path, line)
    try:
        _, _, control, _, speed_in, speed_out, _ = termios.tcgetattr(link.fileno())
        speed = getattr(termios, f"B{line.baud}")
        assert (speed_in, speed_out) == (speed, speed)
        assert control & termios.CSIZE == termios.CS8
        assert bool(control & termios.CSTOPB) is (line.stop_bits == 2)
        assert bool(control & termios.CRTSCTS) is line.rts_cts
    finally:
        link.close()


@pytest.mark.parametrize("name", [name for _, name in KINDS if name in DOCUMENTED])
def test_the_line_is_the_documented_one(name: str) -> None:
    groups = [group for group, other in KINDS if other == name]
    for group in groups:
        line = line_of(group, name)
        assert (line.baud, line.parity, line.stop_bits, line.rts_cts) == DOCUMENTED[name]


def test_every_stimulator_has_a_documented_line() -> None:
    assert set(registry.OWN[registry.STIMULATORS]) <= set(DOCUMENTED)
