"""Devices by serial number, and a port that may not become something else behind our back."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.drivers.ports import PortMissing
from controller.drivers.presence import Present, SamePort, locate, present


@dataclass
class Listed:
    device: str
    serial_number: str | None = None
    vid: int | None = None
    pid: int | None = None
    description: str = "USB serial"


P24 = Present("/dev/ttyACM0", "P24-0017", (0x0483, 0x5740), "P24")
PUCK = Present("/dev/ttyACM1", "X3-55", (0x04D8, 0xE500), "x-IMU3")


def test_serial_ports_and_hidraw_nodes_are_listed_with_what_usb_says(tmp_path):
    entry = tmp_path / "hidraw3" / "device"
    entry.mkdir(parents=True)
    (entry / "uevent").write_text("HID_ID=0003:000004D8:00002742\nHID_NAME=Flint FitMi\nHID_UNIQ=F77\n")
    (tmp_path / "hidraw9").mkdir()
    found = present([Listed("/dev/ttyUSB0", "A10", 0x0403, 0x6001), Listed("/dev/ttyS0")], tmp_path)
    assert found == [
        Present("/dev/hidraw3", "F77", (0x04D8, 0x2742), "Flint FitMi"),
        Present("/dev/hidraw9", "", None, "hidraw node"),
        Present("/dev/ttyS0", "", None, "USB serial"),
        Present("/dev/ttyUSB0", "A10", (0x0403, 0x6001), "USB serial"),
    ]


def test_a_serial_number_is_found_wherever_it_is_plugged_in():
    assert locate("usb:X3-55", [P24, PUCK]) == "/dev/ttyACM1"
    assert (
        locate("usb:X3-55", [P24._replace(path="/dev/ttyACM1"), PUCK._replace(path="/dev/ttyACM0")]) == "/dev/ttyACM0"
    )
    assert locate("/dev/ttyACM7", []) == "/dev/ttyACM7"


def test_a_number_that_is_not_there_or_there_twice_is_said():
    with pytest.raises(PortMissing, match="no device with the serial number Z9") as missing:
        locate("usb:Z9", [P24])
    assert "stimloop devices" in missing.value.todo
    with pytest.raises(PortMissing, match="2 ports have the serial number"):
        locate("usb:P24-0017", [P24, P24._replace(path="/dev/ttyACM5")])


def test_a_port_that_comes_back_as_something_else_is_refused_and_both_are_named():
    port = SamePort("/dev/ttyACM0")
    assert port.path([P24, PUCK]) == "/dev/ttyACM0"
    assert port.path([P24]) == "/dev/ttyACM0"
    with pytest.raises(PortMissing) as changed:
        port.path([PUCK._replace(path="/dev/ttyACM0")])
    assert "0483:5740 number P24-0017" in str(changed.value)
    assert "04d8:e500 number X3-55" in str(changed.value)
    assert port.path([P24]) == "/dev/ttyACM0"  # the first one is welcome again


def test_the_same_chip_with_another_number_is_another_device():
    port = SamePort("/dev/ttyACM0")
    port.path([P24])
    with pytest.raises(PortMissing, match="number P24-0018"):
        port.path([P24._replace(serial="P24-0018")])


def test_a_name_that_points_to_the_port_is_followed(tmp_path):
    link = tmp_path / "my-unit"
    link.symlink_to(Path("/dev/null"))
    port = SamePort(str(link))
    port.path([P24._replace(path="/dev/null")])
    with pytest.raises(PortMissing):
        port.path([PUCK._replace(path="/dev/null")])


def test_ports_without_usb_behind_them_are_left_to_the_drivers_question():
    for url in ("/dev/pts/3", "socket://127.0.0.1:9"):
        assert SamePort(url).path([P24]) == url
    port = SamePort("/dev/ttyS0")
    assert port.path([Present("/dev/ttyS0", "", None, "on board")]) == "/dev/ttyS0"
    assert port.path([]) == "/dev/ttyS0"


def test_a_port_that_usb_says_nothing_of_any_more_is_not_taken_for_the_first_device():
    port = SamePort(P24.path)
    assert port.path([P24]) == P24.path
    for there in ([], [P24._replace(serial="", usb=None)]):
        with pytest.raises(PortMissing, match="no USB device"):
            port.path(there)
    assert port.path([P24]) == P24.path


def test_a_serial_number_that_is_empty_names_no_port():
    with pytest.raises(PortMissing, match="no serial number"):
        locate("usb:", [P24._replace(serial="")])
