"""What is plugged in, by serial number: serial ports and hidraw nodes with what their USB chip says of itself.

A port's name depends on the order in which things were plugged in; its serial number does not. `usb:SERIAL` in the
place of a path means the device of that number, wherever it is now. What USB says is no proof of what the device is:
that is for its driver to ask.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from controller.drivers.ports import PortMissing
from controller.drivers.usb import UsbId

USB_PREFIX = "usb:"


class Present(NamedTuple):
    """One port that is there now. `serial` is "" and `usb` None where the port has no such thing."""

    path: str
    serial: str
    usb: UsbId | None
    about: str


class ListedPort(Protocol):
    """What we read of pyserial's `ListPortInfo`."""

    device: str
    description: str
    serial_number: str | None
    vid: int | None
    pid: int | None


def present(ports: Iterable[ListedPort] | None = None, hidraw: Path = Path("/sys/class/hidraw")) -> list[Present]:
    """All serial ports and hidraw nodes, in the order of their paths."""
    if ports is None:
        from serial.tools import list_ports  # only where it is asked for: it costs a tenth of a second

        ports = list_ports.comports()
    found = [_serial(port) for port in ports] + [_hidraw(entry) for entry in sorted(hidraw.glob("hidraw*"))]
    return sorted(found)


def locate(url: str, there: Iterable[Present] | None = None) -> str:
    """The path of `usb:SERIAL` as of now; any other url as it is. Raises `PortMissing` when it is not plugged in."""
    if not url.startswith(USB_PREFIX):
        return url
    serial = url.removeprefix(USB_PREFIX)
    if not serial:
        raise PortMissing("`usb:` names no serial number", "`stimloop devices` lists what is there, with its numbers")
    found = [port.path for port in (present() if there is None else there) if port.serial == serial]
    if len(found) == 1:
        return found[0]
    if not found:
        todo = "plug it in and switch it on; `stimloop devices` lists what is there"
        raise PortMissing(f"no device with the serial number {serial} is plugged in", todo)
    ports = ", ".join(found)
    raise PortMissing(f"{len(found)} ports have the serial number {serial}: {ports}", "name the port by its path")


class SamePort:
    """A port that must stay the same device: what USB says of it at the first opening holds for all later ones.

    Ports without USB behind them (a PTY, a socket) say nothing of themselves; there the driver's question remains.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._first: tuple[str, UsbId] | None = None

    def path(self, there: Iterable[Present] | None = None) -> str:
        """Where to open it now. Raises `PortMissing` when it has gone, or has become something else."""
        if "://" in self.url or self.url.startswith("/dev/pts/"):
            return self.url
        listed = list(present() if there is None else there)
        path = locate(self.url, listed)
        real = str(Path(path).resolve())
        told = next((port for port in listed if port.path in (path, real)), None)
        now = None if told is None or told.usb is None else (told.serial, told.usb)
        self._first = self._first or now
        if self._first is not None and now != self._first:
            is_now = "no USB device that is known" if now is None else _named(*now)
            todo = "plug the first device in again, or leave and start stimloop with the other one"
            raise PortMissing(f"{path} was {_named(*self._first)} and is now {is_now}", todo)
        return path


def _named(serial: str, usb: UsbId) -> str:
    return f"{usb[0]:04x}:{usb[1]:04x} number {serial or 'none'}"


def _serial(port: ListedPort) -> Present:
    usb = None if port.vid is None or port.pid is None else (port.vid, port.pid)
    return Present(str(port.device), str(port.serial_number or ""), usb, str(port.description or "serial port"))


def _hidraw(entry: Path) -> Present:
    usb, serial, about = None, "", "hidraw node"
    for line in _lines(entry / "device" / "uevent"):
        key, _, value = line.partition("=")
        parts = value.split(":")
        if key == "HID_ID" and len(parts) == 3:
            usb = (int(parts[1], 16), int(parts[2], 16))
        elif key == "HID_UNIQ":
            serial = value
        elif key == "HID_NAME":
            about = value
    return Present(f"/dev/{entry.name}", serial, usb, about)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
