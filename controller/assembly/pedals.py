"""The input devices that may serve as foot pedals, for those who list devices and look at the machine."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from controller.assembly.doctor import Finding, Level
from controller.drivers.inputs import KNOWN, PERMISSION, InputDevice, devices


@dataclass(frozen=True, slots=True)
class FoundPedal:
    """An input device that has keys. `ours`: this user may read it. `known`: its maker, where its numbers are known."""

    serial: str
    name: str
    usb: str
    nodes: tuple[str, ...]
    ours: bool
    known: str
    like_a_pedal: bool

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    @property
    def remark(self) -> str:
        """What stands in the way of using it, with what to do; "" for nothing."""
        if not self.serial:
            return "it has no serial number, so it cannot be named and used"
        return "" if self.ours else f"not ours to open: {PERMISSION}"


def pedals(everything: bool = False, there: Sequence[InputDevice] | None = None) -> list[FoundPedal]:
    """What looks like a pedal; keyboards and mice too where `everything` is asked for."""
    listed = devices() if there is None else there
    return [_found(one) for one in listed if everything or one.like_a_pedal]


def _found(device: InputDevice) -> FoundPedal:
    return FoundPedal(
        serial=device.serial,
        name=device.name or "unnamed",
        usb="" if device.usb is None else f"{device.usb[0]:04x}:{device.usb[1]:04x}",
        nodes=tuple(node.path for node in device.nodes),
        ours=device.ours,
        known="" if device.usb is None else KNOWN.get(device.usb, ""),
        like_a_pedal=device.like_a_pedal,
    )


def pedals_text(found: Sequence[FoundPedal]) -> str:
    """A line a pedal, and how to name it."""
    if not found:
        return "No input device that looks like a foot pedal is plugged in (`stimloop pedal list --all`: everything)."
    lines = []
    for pedal in found:
        maker = f", {pedal.known} pedal" if pedal.known else ""
        usb = f" {pedal.usb}" if pedal.usb else ""
        remark = f"  ({pedal.remark})" if pedal.remark else ""
        name = pedal.serial or "no serial number"
        lines.append(f"{name:<16}  {', '.join(pedal.nodes)}  {pedal.name}{usb}{maker}{remark}")
    lines.append("\nA pedal that stops: --pedal SERIAL. A pedal that is the protocol's button: --button-pedal SERIAL.")
    return "\n".join(lines)


def check_pedals(there: Sequence[InputDevice] | None = None) -> list[Finding]:
    """For the doctor: each pedal, and whether this user may read it."""
    found = pedals(there=there)
    if not found:
        todo = "needed for a STOP by foot alone: plug a pedal in; F12 stops without one"
        return [Finding(Level.NOTE, "foot pedal", "none", todo)]
    findings = []
    for pedal in found:
        text = f"{pedal.serial or 'no serial number'}: {pedal.name}, {', '.join(pedal.nodes)}"
        level = Level.NOTE if pedal.remark else Level.OK
        findings.append(Finding(level, "foot pedal", text, pedal.remark))
    return findings
