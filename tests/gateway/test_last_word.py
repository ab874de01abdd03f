"""Whatever raises in the gateway: each device is told to stop first, and a person gets a sentence."""

import os
import pty
import subprocess
import sys
import tty

import pytest

from controller.drivers.orthoses.dynamixel import DynamixelDriver
from controller.drivers.stimulators.p24 import P24Driver
from controller.drivers.stimulators.sciencemode_orders import STOP_FRAMES
from controller.gateway.blackbox import NAME
from controller.gateway.last_word import off
from controller.vocabulary.chain import read

pytestmark = pytest.mark.hazard("H36")


class Port:
    def __init__(self, fault=None):
        self.written, self.fault = b"", fault

    def write(self, data):
        if self.fault is not None:
            raise self.fault
        self.written += data


class Broken:
    def stop(self, now_ns):
        raise RecursionError("deep inside")


def test_each_device_is_told_whatever_becomes_of_the_other():
    unit, joint = Port(), Port()
    told = off(5, [("unit", P24Driver(), unit), ("orthosis", DynamixelDriver(), joint)])
    assert unit.written == STOP_FRAMES.data
    assert joint.written == DynamixelDriver().stop(5)
    assert told == {"unit": "told to stop", "orthosis": "told to stop"}
    for broken_driver, broken_port in ((Broken(), Port()), (P24Driver(), Port(OSError("gone")))):
        joint = Port()
        told = off(5, [("unit", broken_driver, broken_port), ("orthosis", DynamixelDriver(), joint)])
        assert joint.written == DynamixelDriver().stop(5)
        assert told["unit"].startswith("could not be told: ")
        assert told["orthosis"] == "told to stop"


def test_what_is_not_connected_is_not_told():
    assert off(5, [("unit", None, Port()), ("orthosis", P24Driver(), None)]) == {
        "unit": "not connected",
        "orthosis": "not connected",
    }


# A real gateway in a fresh interpreter, on two terminals as ports, whose core raises once both are open.
LIFE = """
import contextlib, os, socket, sys
from pathlib import Path
from controller.gateway import __main__ as gateway, core, ports
front, screen = socket.socketpair()
engine, other = socket.socketpair()
decide = core.GatewayCore.decide
steps = []

def broken(self, now_ns, inputs):
    steps.append(now_ns)
    if len(steps) == 1:
        return [*decide(self, now_ns, inputs), ports.OpenLog(FOLDER)]
    for device in DEVICES:
        with contextlib.suppress(BlockingIOError):
            os.read(device, 4096)  # what was said up to here: asking who it is
    raise RecursionError("nobody thought of it")

core.GatewayCore.decide = broken
lines = ["--front", str(front.detach()), "--engine", str(engine.detach())]
sys.argv = ["gateway", *lines, "--unit", "p24:" + UNIT, "--orthosis", "dynamixel:" + ORTHOSIS]
try:
    gateway.main()
finally:
    for far in (screen, other):
        far.settimeout(2.0)
        while far.recv(65536):  # to its end: both are hung up on
            pass
"""


def terminal():
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    return master, os.ttyname(slave), slave


def test_a_core_that_raises_ends_with_both_devices_off_and_a_sentence(tmp_path):
    unit, unit_name, _ = terminal()
    joint, joint_name, _ = terminal()
    head = f"FOLDER, DEVICES, UNIT, ORTHOSIS = {str(tmp_path)!r}, {(unit, joint)}, {unit_name!r}, {joint_name!r}\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", head + LIFE],
        capture_output=True,
        text=True,
        timeout=20,
        pass_fds=(unit, joint),
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert done.returncode == 1, done.stderr
    assert STOP_FRAMES.data in os.read(unit, 4096)
    assert DynamixelDriver().stop(0) in os.read(joint, 4096)
    assert "nobody thought of it" in done.stderr
    assert "Look after the patient" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" in (tmp_path / ".cache" / "stimloop" / "crash-gateway.txt").read_text()
    (record,) = [record for record in read((tmp_path / NAME).read_bytes()).records if record.kind == "gateway_failed"]
    assert record.data["told"] == {"the unit": "told to stop", "the orthosis": "told to stop"}
    assert "RecursionError" in record.data["details"]
    assert not list((tmp_path / f"stimloop-{os.getuid()}").iterdir())


def test_a_gateway_that_cannot_start_says_so_in_a_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "controller.gateway", "--front", "9", "--engine", "9", "--unit", "toaster:x"],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "did not start" in done.stderr
    assert "Traceback" not in done.stderr
