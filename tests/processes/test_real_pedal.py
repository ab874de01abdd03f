"""A foot pedal at the real gateway: its node is a FIFO into which the test packs the kernel's own events by hand."""

import os
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.assembly import house
from controller.clock import now_ns
from controller.vocabulary.facts import GatewayState

pytestmark = pytest.mark.hazard("H18", "H49")

SERIAL = "FS-77"
SOON_MS = 1_000.0
EVENT = struct.Struct("@llHHi")  # as the kernel lays it out on this machine; the codec of the product is not asked
KEY, REPORT = (1, 183), (0, 0)


def event(kind, code, value):
    t_ns = now_ns()
    return EVENT.pack(t_ns // 1_000_000_000, t_ns // 1_000 % 1_000_000, kind, code, value)


class Foot:
    """`/sys/class/input` with one pedal, and the writing end of its node."""

    def __init__(self, machine: Path):
        device = machine / "usb" / "input7"
        (device / "capabilities").mkdir(parents=True)
        (device / "name").write_text("FootSwitch\n")
        (device / "uniq").write_text(f"{SERIAL}\n")
        (device / "capabilities" / "key").write_text("7\n")
        self._entry = machine / "class" / "event7"
        self._entry.mkdir(parents=True)
        (self._entry / "device").symlink_to(device)
        (self._entry / "dev").write_text("13:64\n")
        (machine / "dev").mkdir()
        self._node = machine / "dev" / "event7"
        self._end = -1
        self.plug_in()

    def plug_in(self):
        if not self._node.exists():
            os.mkfifo(self._node)
        self._end = os.open(self._node, os.O_RDWR)  # both ways, so that opening it waits for nobody

    def pull_out(self):
        self._node.unlink()
        os.close(self._end)
        self._end = -1

    def step(self, torn=False):
        down = event(4, 4, 7) + event(*KEY, 1) + event(*REPORT, 0)
        for part in (down[:31], down[31:]) if torn else (down,):
            os.write(self._end, part)
        os.write(self._end, event(*KEY, 0) + event(*REPORT, 0))

    def close(self):
        if self._end >= 0:
            os.close(self._end)


@pytest.fixture
def foot(tmp_path, monkeypatch):
    """The pedal, and a house whose gateway takes a FIFO for it."""
    machine = tmp_path / "machine"
    made = Foot(machine)
    script = str(Path(__file__).with_name("gateway_at_fifo.py"))

    def start(command, **more):
        if "controller.gateway" in command:
            at = command.index("-m")
            command = [*command[:at], script, *command[at + 2 :]]
        return subprocess.Popen(command, **more)

    monkeypatch.setenv("PEDAL_MACHINE", str(machine))
    names = {name: getattr(subprocess, name) for name in ("DEVNULL", "TimeoutExpired")}
    monkeypatch.setattr(house, "subprocess", SimpleNamespace(Popen=start, **names))
    yield made
    made.close()


def pedal(live):
    return live.front.status.pedals[0]


def test_a_foot_on_the_pedal_stops_and_a_pulled_cable_too(start, foot, kit):
    live = start(kit.GOES_ON, pedal=SERIAL)
    assert live.pump(30.0, live.is_up), live.told()
    assert live.pump(3.0, lambda: pedal(live).here), live.told()
    live.pump(0.3)
    assert "has not been tested" in live.front.status.blocked
    foot.step()
    assert live.pump(3.0, lambda: pedal(live).tested), live.told()
    live.to_current()

    pressed_ns = now_ns()
    foot.step(torn=True)
    assert live.pump(3.0, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    told_ms = (now_ns() - pressed_ns) / 1e6
    # the scripted person acknowledges with a reason, arms with two keys, and resumes; the rest comes first
    assert live.pump(60.0, live.flows), live.told()
    again_ns = now_ns()
    foot.pull_out()
    assert live.pump(3.0, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    live.therapist.script = kit.QUICK
    assert live.pump(3.0, lambda: "is not there" in live.front.status.blocked), live.told()
    foot.plug_in()
    assert live.pump(4.0, lambda: pedal(live).here), live.told()
    assert not pedal(live).tested
    foot.step()
    assert live.pump(3.0, lambda: pedal(live).tested), live.told()
    live.close()

    between = [train["t_end_ns"] for train in live.trains() if train["t_start_ns"] < pressed_ns]
    stopped_ms = max(0.0, (max(between) - pressed_ns) / 1e6)
    lost_ms = live.last_pulse_ms(again_ns)
    print(f"foot to last pulse {stopped_ms:.1f} ms (told after {told_ms:.1f} ms); cable to last pulse {lost_ms:.1f} ms")
    assert stopped_ms < SOON_MS
    assert lost_ms < SOON_MS
    causes = live.causes()
    assert "STOP was pressed (foot pedal FS-77)." in causes
    assert any("The foot pedal FS-77 was lost" in cause for cause in causes)
    kinds = [record.kind for record in live.gateway_records()]
    assert kinds.count("rearmed") == 1
    live.assert_whole()


def test_a_foot_on_the_pedal_stops_fitting(start, foot, kit):
    live = start(kit.QUICK, pedal=SERIAL)
    assert live.pump(30.0, live.is_up), live.told()
    assert live.pump(3.0, lambda: pedal(live).here), live.told()
    foot.step()
    assert live.pump(3.0, lambda: pedal(live).tested), live.told()

    def flows():
        return live.gateway_state is GatewayState.DELIVERING and any(o.confirmed_ua for o in live.front.status.outputs)

    assert live.pump(60.0, flows), live.told()
    pressed_ns = now_ns()
    foot.step(torn=True)
    assert live.pump(3.0, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    live.pump(0.3)
    live.close()
    print(f"foot to last pulse, in fitting: {live.last_pulse_ms(pressed_ns):.1f} ms")
    assert live.last_pulse_ms(pressed_ns) < SOON_MS
    assert live.causes() == ["STOP was pressed (foot pedal FS-77)."]


def test_the_gateway_of_the_product_takes_no_fifo_for_a_pedal(foot, tmp_path):
    """Nothing of the test's kernel is in the product: the same machine without it finds a node that it refuses."""
    code = (
        "from pathlib import Path; from controller.drivers import inputs\n"
        f"machine = Path({str(tmp_path / 'machine')!r})\n"
        "inputs.SYSTEM, inputs.NODES = machine / 'class', machine / 'dev'\n"
        f"try: inputs.open_pedal({SERIAL!r})\n"
        "except inputs.PortFault as fault: print(type(fault).__name__)\n"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=30)
    assert ran.stdout.strip() in ("PortBusy", "PortMissing"), ran.stderr
