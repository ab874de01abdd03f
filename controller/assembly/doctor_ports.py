"""The doctor's look at the ports: serial ones, the FTDI chips' latency timers, and the FitMi dongle's hidraw node."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from serial.tools import list_ports

from controller.assembly.doctor import Finding, Level
from controller.drivers.pucks.fitmi_scales import default_path, load

P24 = (0x0483, 0x5740)
"""USB vendor and product that a P24 announces: its USB chip's own, so other devices announce it too."""
FITMI = (0x04D8, 0x2742)
LATENCY_MS_MAX = 1
INSTALL_RULE = (
    "stimloop fitmi rule | sudo tee /etc/udev/rules.d/70-stimloop-fitmi.rules && sudo udevadm control --reload, "
    "then plug the dongle in again"
)


class SerialPort(Protocol):
    """What we read of pyserial's `ListPortInfo`."""

    device: str
    description: str
    vid: int | None
    pid: int | None


def serial_ports(ports: Iterable[SerialPort] | None = None) -> list[Finding]:
    """A line a port: its name, what it says it is, and whether this user may open it."""
    found = sorted(list_ports.comports() if ports is None else ports, key=lambda port: port.device)
    if not found:
        todo = "plug a device in and switch it on; simulated ones need none: stimloop demo"
        return [Finding(Level.NOTE, "serial ports", "none", todo)]
    return [_serial_port(port) for port in found]


def _serial_port(port: SerialPort) -> Finding:
    named = (port.vid, port.pid) == P24
    about = "may be a P24 (0483:5740)" if named else str(port.description or "unknown")
    if not named and port.vid is not None and port.pid is not None:
        about += f" ({port.vid:04x}:{port.pid:04x})"
    text = f"{port.device}: {about}"
    if os.access(port.device, os.R_OK | os.W_OK):
        return Finding(Level.OK, "serial port", text)
    todo = "join its group, then log in again: sudo usermod -aG dialout $USER"
    return Finding(Level.FAULT if named else Level.NOTE, "serial port", f"{text}, not ours to open", todo)


def latency_timers(devices: Path = Path("/sys/bus/usb-serial/devices")) -> list[Finding]:
    """FTDI chips keep bytes back for up to 16 ms unless told otherwise. Other chips have no such file."""
    findings = []
    for timer in sorted(devices.glob("*/latency_timer")):
        port, kept_ms = f"/dev/{timer.parent.name}", int(timer.read_text().strip() or "0")
        text = f"{port} keeps bytes back for {kept_ms} ms"
        if kept_ms <= LATENCY_MS_MAX:
            findings.append(Finding(Level.OK, "latency timer", text))
        else:
            todo = f"until it is unplugged: echo 1 | sudo tee {timer}"
            findings.append(Finding(Level.NOTE, "latency timer", text, todo))
    return findings


def fitmi_dongles(classes: Path = Path("/sys/class/hidraw"), nodes: Path = Path("/dev")) -> list[Finding]:
    """The hidraw nodes of FitMi dongles, and whether this user may open them."""
    found = [entry.name for entry in sorted(classes.glob("hidraw*")) if _usb_id(entry) == FITMI]
    if not found:
        return [Finding(Level.NOTE, "FitMi dongle", "none", "needed for FitMi pucks alone: plug its radio dongle in")]
    findings = []
    for name in found:
        node = nodes / name
        if os.access(node, os.R_OK | os.W_OK):
            findings.append(Finding(Level.OK, "FitMi dongle", f"{node}"))
            continue
        findings.append(Finding(Level.FAULT, "FitMi dongle", f"{node}, not ours to open", INSTALL_RULE))
    return findings


def fitmi_scales(path: Path | None = None) -> list[Finding]:
    """The file of scales that `stimloop fitmi calibrate` writes: nothing is said where there is none."""
    path = path or default_path()
    _, remark = load("", path)
    if remark:
        return [Finding(Level.NOTE, "FitMi scales", "the file cannot be used", remark)]
    return [Finding(Level.OK, "FitMi scales", f"{path}")] if path.exists() else []


def _usb_id(entry: Path) -> tuple[int, int] | None:
    """(vendor, product) of a hidraw class entry, from the line `HID_ID=bus:vendor:product` of its uevent."""
    try:
        lines = (entry / "device" / "uevent").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition("=")
        parts = value.split(":")
        if key == "HID_ID" and len(parts) == 3:
            return int(parts[1], 16), int(parts[2], 16)
    return None
