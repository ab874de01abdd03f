"""Foot pedals and buttons: input devices found by their serial number, opened, and taken for this program alone.

A pedal shows as one or more event nodes (`/dev/input/eventN`) whose numbers change with every plugging; its serial
number does not. All nodes of it that have keys are opened: any of its keys counts. While it is grabbed, its strokes do
not reach the terminal; a pedal that another program has grabbed would be dead for us, so it cannot be opened then.
A PTY or `socket://` in the place of a serial number is a simulated pedal.
"""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from controller.drivers.ports import DescriptorLink, LineSettings, PortBusy, PortFault, PortMissing, open_serial
from controller.wire import evdev
from controller.wire.link import Link

SYSTEM = Path("/sys/class/input")
NODES = Path("/dev/input")
SIMULATED = "SIM-PEDAL"
"""The serial number that a pedal behind a simulator's port goes by."""
KEYS_MAX = 16
"""A keyboard has a hundred keys; what has no more than this may be a pedal."""
KNOWN = {
    (0x0C45, 0x7403): "PCsensor",
    (0x0C45, 0x7404): "PCsensor",
    (0x413D, 0x2107): "PCsensor",
    (0x1A86, 0xE026): "PCsensor",
    (0x1A86, 0xE02D): "PCsensor",
    (0x3553, 0xB001): "PCsensor",
    (0x0426, 0x3011): "Scythe",
    (0x05F3, 0x00FF): "VEC",
}
"""Foot pedals by USB vendor and product, as public drivers and rules name them."""
RULE = Path(__file__).resolve().parent / "71-stimloop-pedal.rules"
PERMISSION = "join the group input, or install the rule of `stimloop pedal rule`; then plug the pedal in again"


class InputNode(NamedTuple):
    """One event node that has keys. `device` tells physical devices apart, `number` is its (major, minor)."""

    path: str
    serial: str
    name: str
    usb: tuple[int, int] | None
    keys: int
    device: str
    number: tuple[int, int] | None


class InputDevice(NamedTuple):
    """One physical device with all its nodes that have keys. `serial` is "" where it has none."""

    serial: str
    name: str
    usb: tuple[int, int] | None
    nodes: tuple[InputNode, ...]

    @property
    def like_a_pedal(self) -> bool:
        """Known as one, called one, or with as few keys as one. Nothing depends on it but what is listed."""
        words = self.name.lower()
        few = all(node.keys <= KEYS_MAX for node in self.nodes)
        return self.usb in KNOWN or "pedal" in words or "foot" in words or few

    @property
    def ours(self) -> bool:
        """This user may read all of it."""
        return all(os.access(node.path, os.R_OK) for node in self.nodes)


class Opened(NamedTuple):
    """A pedal that is open. `held` are the keys that were down at that moment, by link."""

    serial: str
    name: str
    links: tuple[Link, ...]
    held: tuple[frozenset[int], ...]
    simulated: bool


class Kernel(Protocol):
    """What an event node is asked. Each raises OSError."""

    def name(self, descriptor: int) -> str:
        """What the device calls itself."""

    def number(self, descriptor: int) -> tuple[int, int]:
        """(major, minor) of the node that was opened."""

    def keys(self, descriptor: int) -> frozenset[int]:
        """The keys that are down."""

    def grab(self, descriptor: int) -> None:
        """From now on its events come here alone."""


class RealKernel:
    """The requests of the kernel itself. On what is no event node they fail."""

    def name(self, descriptor: int) -> str:
        """See `Kernel`."""
        buffer = bytearray(evdev.TEXT_BYTES)
        fcntl.ioctl(descriptor, evdev.GET_NAME, buffer)
        return bytes(buffer).partition(b"\0")[0].decode("utf-8", "replace")

    def number(self, descriptor: int) -> tuple[int, int]:
        """See `Kernel`."""
        device = os.fstat(descriptor).st_rdev
        return os.major(device), os.minor(device)

    def keys(self, descriptor: int) -> frozenset[int]:
        """See `Kernel`."""
        state = bytearray(evdev.KEY_STATE_BYTES)
        fcntl.ioctl(descriptor, evdev.GET_KEYS, state)
        return evdev.keys_of(bytes(state))

    def grab(self, descriptor: int) -> None:
        """See `Kernel`."""
        fcntl.ioctl(descriptor, evdev.GRAB, 1)


KERNEL: Kernel = RealKernel()


def devices(system: Path | None = None, nodes: Path | None = None) -> list[InputDevice]:
    """Every input device that has keys, those with a serial number first."""
    system, nodes = system or SYSTEM, nodes or NODES
    found: dict[str, list[InputNode]] = {}
    for entry in sorted(system.glob("event*"), key=lambda path: (len(path.name), path.name)):
        node = _node(entry, nodes)
        if node.keys:
            found.setdefault(node.device, []).append(node)
    made = [InputDevice(group[0].serial, group[0].name, group[0].usb, tuple(group)) for group in found.values()]
    return sorted(made, key=lambda one: (one.serial == "", one.serial, one.nodes[0].path))


def is_simulated_port(named: str) -> bool:
    """A simulator's port in the place of a serial number."""
    return named.startswith(("/dev/pts/", "socket://"))


def find(serial: str, there: Iterable[InputDevice] | None = None) -> InputDevice:
    """The device of that serial number. Raises `PortMissing` where there is none, or several."""
    found = [one for one in (devices() if there is None else there) if one.serial == serial] if serial else []
    if len(found) == 1:
        return found[0]
    if not found:
        todo = "plug it in; `stimloop devices` lists pedals with their numbers"
        raise PortMissing(f"no foot pedal with the serial number {serial or '(none)'} is plugged in", todo)
    names = ", ".join(one.nodes[0].path for one in found)
    raise PortMissing(f"{len(found)} input devices have the serial number {serial}: {names}", "unplug all but one")


def open_pedal(named: str, kernel: Kernel | None = None) -> Opened:
    """Open the pedal of that serial number, or a simulated one at its port. Raises `PortFault`."""
    if is_simulated_port(named):
        return Opened(SIMULATED, "simulated pedal", (open_serial(named, LineSettings()),), (frozenset(),), True)
    kernel = kernel or KERNEL
    device = find(named)
    links: list[Link] = []
    held: list[frozenset[int]] = []
    try:
        for node in device.nodes:
            link, down = _open_node(node, kernel)
            links.append(link)
            held.append(down)
    except PortFault:
        for link in links:
            link.close()
        raise
    return Opened(device.serial, device.name, tuple(links), tuple(held), False)


def _open_node(node: InputNode, kernel: Kernel) -> tuple[Link, frozenset[int]]:
    try:
        descriptor = os.open(node.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except PermissionError as error:
        raise PortMissing(f"{node.path} ({node.name}) is not ours to open", PERMISSION) from error
    except OSError as error:
        raise PortMissing(f"{node.path}: {_words(error)}", "plug the pedal in again") from error
    try:
        is_now = kernel.number(descriptor), kernel.name(descriptor)
        if is_now != (node.number, node.name):
            raise PortMissing(f"{node.path} has just become another device ({is_now[1]})", "try again")
        kernel.grab(descriptor)
        down = kernel.keys(descriptor)  # after the grab: from here on every change comes to us
    except PortFault:
        os.close(descriptor)
        raise
    except OSError as error:
        os.close(descriptor)
        text = f"{node.path} ({node.name}) cannot be had for this program alone: {_words(error)}"
        raise PortBusy(text, "close the other program that uses this pedal") from error
    return DescriptorLink(descriptor, node.path), down


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


# -- what sysfs says --------------------------------------------------------------------------------------------------


def _node(entry: Path, nodes: Path) -> InputNode:
    device = (entry / "device").resolve()
    usb = _usb_parent(device)
    serial = _text(device / "uniq") or ("" if usb is None else _text(usb / "serial"))
    name = _text(device / "name")
    number = _text(entry / "dev").partition(":")
    return InputNode(
        path=str(nodes / entry.name),
        serial=serial,
        name=name,
        usb=_usb_id(device),
        keys=_bits(_text(device / "capabilities" / "key")),
        device=str(usb or device),
        number=(int(number[0]), int(number[2])) if number[0].isdigit() and number[2].isdigit() else None,
    )


def _usb_parent(device: Path) -> Path | None:
    """The USB device that the input device is a part of."""
    return next((folder for folder in device.parents if (folder / "idVendor").exists()), None)


def _usb_id(device: Path) -> tuple[int, int] | None:
    try:
        found = int(_text(device / "id" / "vendor"), 16), int(_text(device / "id" / "product"), 16)
    except ValueError:
        return None
    return found if any(found) else None


def _bits(words: str) -> int:
    """How many bits are set in a bit map of sysfs: hexadecimal words, the highest first."""
    try:
        return sum(int(word, 16).bit_count() for word in words.split())
    except ValueError:
        return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
