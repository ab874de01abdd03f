"""Foot pedals on a machine of the test's own: sysfs as the kernel lays it out, FIFOs in the place of event nodes."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.assembly.pedals import check_pedals, pedals, pedals_text
from controller.drivers import inputs
from controller.drivers.ports import PortBusy, PortMissing
from controller.wire import evdev
from controller.wire.link import LinkLost

pytestmark = pytest.mark.hazard("H18", "H37")

FEW, MANY = "7", "120013 fffffffffffffffe ffffffffffffffff fffffffffffffffe"


class Machine:
    """`/sys/class/input` and `/dev/input`, with what a test plugs in."""

    def __init__(self, folder: Path):
        self.system, self.nodes = folder / "class", folder / "dev"
        self.system.mkdir()
        self.nodes.mkdir()
        self._devices = folder / "devices"
        self.number = 0
        self.numbers: dict[str, tuple[int, int]] = {}

    def plug(self, serial, name, keys=FEW, usb="3553:b001", interfaces=1, uniq=True, port=""):
        """One USB device with as many event nodes as it has interfaces."""
        at = self._devices / (port or f"usb-{self.number}")
        at.mkdir(parents=True)
        (at / "idVendor").write_text(usb.split(":")[0])
        (at / "serial").write_text(f"{serial}\n")
        paths = []
        for interface in range(interfaces):
            device = at / f"if{interface}" / f"input{self.number}"
            (device / "id").mkdir(parents=True)
            (device / "capabilities").mkdir()
            (device / "name").write_text(f"{name}\n")
            (device / "uniq").write_text(f"{serial}\n" if uniq else "\n")
            (device / "id" / "vendor").write_text(usb.split(":")[0])
            (device / "id" / "product").write_text(usb.split(":")[1])
            (device / "capabilities" / "key").write_text(f"{keys}\n")
            entry = self.system / f"event{self.number}"
            entry.mkdir()
            (entry / "device").symlink_to(device)
            (entry / "dev").write_text(f"13:{64 + self.number}\n")
            node = self.nodes / entry.name
            os.mkfifo(node)
            self.numbers[str(node)] = (13, 64 + self.number)
            paths.append(node)
            self.number += 1
        return paths

    def unplug(self, path):
        entry = self.system / path.name
        (entry / "device").unlink()
        (entry / "dev").unlink()
        entry.rmdir()
        path.unlink()


class Stub:
    """A kernel that takes FIFOs for event nodes."""

    def __init__(self, machine):
        self._machine = machine
        self.grabbed, self.down, self.refuses = [], frozenset(), 0
        self.called = ""

    def number(self, descriptor):
        return self._machine.numbers[os.readlink(f"/proc/self/fd/{descriptor}")]

    def name(self, descriptor):
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        return self.called or (self._machine.system / path.name / "device" / "name").read_text().strip()

    def keys(self, descriptor):
        return self.down

    def grab(self, descriptor):
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))
        self.grabbed.append(os.readlink(f"/proc/self/fd/{descriptor}"))


@pytest.fixture
def machine(tmp_path, monkeypatch):
    made = Machine(tmp_path)
    monkeypatch.setattr(inputs, "SYSTEM", made.system)
    monkeypatch.setattr(inputs, "NODES", made.nodes)
    return made


@pytest.fixture
def kernel(machine):
    return Stub(machine)


def test_a_pedal_is_found_by_its_serial_number_whatever_its_node_is_called(machine):
    machine.plug("KB-1", "Keyboard", keys=MANY, usb="046d:c31c")
    (node,) = machine.plug("FS-77", "PCsensor FootSwitch")
    found = inputs.find("FS-77")
    assert [each.path for each in found.nodes] == [str(node)]
    machine.unplug(node)
    machine.plug("MS-9", "Mouse", usb="046d:c077")
    (again,) = machine.plug("FS-77", "PCsensor FootSwitch")
    assert again.name != node.name
    assert inputs.find("FS-77").nodes[0].path == str(again)


def test_the_number_of_the_usb_device_counts_where_the_input_device_names_none(machine):
    machine.plug("FS-78", "FootSwitch", uniq=False)
    assert inputs.find("FS-78").serial == "FS-78"


@pytest.mark.parametrize("serial", ["FS-1", "", "FS-77 "])
def test_a_pedal_that_is_not_there_is_told_with_what_to_do(machine, serial):
    machine.plug("FS-77", "FootSwitch")
    machine.plug("", "No number")
    with pytest.raises(PortMissing, match="is plugged in") as caught:
        inputs.find(serial)
    assert "stimloop devices" in caught.value.todo


def test_two_devices_of_one_number_are_refused(machine):
    machine.plug("0001", "FootSwitch")
    machine.plug("0001", "FootSwitch")
    with pytest.raises(PortMissing, match="2 input devices have the serial number 0001"):
        inputs.find("0001")


def test_all_nodes_of_one_device_are_opened_and_grabbed_and_what_has_no_keys_is_not(machine, kernel):
    nodes = machine.plug("FS-77", "FootSwitch", interfaces=2)
    machine.plug("JS-1", "Wheel", keys="0")
    opened = inputs.open_pedal("FS-77", kernel)
    assert kernel.grabbed == [str(node) for node in nodes]
    assert (opened.serial, opened.simulated, len(opened.links)) == ("FS-77", False, 2)
    with open(nodes[1], "wb", buffering=0) as foot:
        foot.write(evdev.encode_key(183, evdev.PRESSED))
        assert opened.links[1].read() == evdev.encode_key(183, evdev.PRESSED)
    with pytest.raises(LinkLost):
        opened.links[1].read()
    for link in opened.links:
        link.close()


def test_a_key_that_is_down_at_the_opening_is_told(machine, kernel):
    machine.plug("FS-77", "FootSwitch")
    kernel.down = frozenset({183})
    assert inputs.open_pedal("FS-77", kernel).held == (frozenset({183}),)


@pytest.mark.parametrize("refuses", [errno.EBUSY, errno.ENOTTY, errno.ENODEV])
def test_a_pedal_that_cannot_be_had_alone_is_not_opened(machine, kernel, refuses):
    """Whoever else has grabbed it gets its events, and we would wait for ever."""
    machine.plug("FS-77", "FootSwitch", interfaces=2)
    before = set(os.listdir("/proc/self/fd"))
    kernel.refuses = refuses
    with pytest.raises(PortBusy, match="cannot be had for this program alone") as caught:
        inputs.open_pedal("FS-77", kernel)
    assert "close the other program" in caught.value.todo
    assert set(os.listdir("/proc/self/fd")) == before


def test_the_real_kernel_takes_no_fifo_for_a_pedal(machine):
    machine.plug("FS-77", "FootSwitch")
    with pytest.raises((PortBusy, PortMissing)):
        inputs.open_pedal("FS-77")


def test_a_node_that_has_become_another_device_is_not_opened(machine, kernel):
    (node,) = machine.plug("FS-77", "FootSwitch")
    kernel.called = "Keyboard"
    with pytest.raises(PortMissing, match=r"has just become another device \(Keyboard\)"):
        inputs.open_pedal("FS-77", kernel)
    kernel.called = ""
    machine.numbers[str(node)] = (13, 99)
    with pytest.raises(PortMissing, match="has just become another device"):
        inputs.open_pedal("FS-77", kernel)


def test_a_pedal_without_permission_is_told_with_the_rule(machine, kernel, monkeypatch):
    machine.plug("FS-77", "FootSwitch")

    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(
        inputs, "os", SimpleNamespace(**{name: getattr(os, name) for name in dir(os)} | {"open": denied})
    )
    with pytest.raises(PortMissing, match="not ours to open") as caught:
        inputs.open_pedal("FS-77", kernel)
    assert "group input" in caught.value.todo
    assert "stimloop pedal rule" in caught.value.todo


def test_what_looks_like_a_pedal_is_listed_with_its_number_and_what_is_in_the_way(machine, monkeypatch):
    machine.plug("KB-1", "Keyboard", keys=MANY, usb="046d:c31c")
    machine.plug("FS-77", "PCsensor FootSwitch", keys=MANY)
    machine.plug("", "USB foot control", keys=MANY, usb="1234:5678")
    found = pedals()
    assert [pedal.serial for pedal in found] == ["FS-77", ""]
    assert len(pedals(everything=True)) == 3
    assert (found[0].usb, found[0].known, found[0].remark) == ("3553:b001", "PCsensor", "")
    text = pedals_text(found)
    assert text.index("FS-77") < text.index("no serial number")
    assert "--pedal SERIAL" in text
    assert "cannot be named" in text
    assert [str(finding.level) for finding in check_pedals()] == ["ok", "note"]
    monkeypatch.setattr(inputs.os, "access", lambda *_: False)
    assert "not ours to open" in pedals()[0].remark
    assert "stimloop pedal rule" in check_pedals()[0].todo


def test_a_machine_without_input_devices_has_no_pedals(tmp_path):
    assert inputs.devices(tmp_path / "none", tmp_path) == []
    assert "No input device" in pedals_text([])
    assert [str(finding.level) for finding in check_pedals(())] == ["note"]


def test_the_rule_names_every_pedal_that_is_known():
    rule = inputs.RULE.read_text(encoding="utf-8")
    for vendor, product in inputs.KNOWN:
        (line,) = [line for line in rule.splitlines() if f'ATTRS{{idVendor}}=="{vendor:04x}"' in line]
        assert f"{product:04x}" in line
        assert 'TAG+="uaccess"' in line
    assert inputs.RULE.name < "73-seat-late.rules"  # later, the tag would do nothing
    assert inputs.RULE.name in rule
