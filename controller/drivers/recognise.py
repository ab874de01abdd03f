"""Which device is it that says this? For a port on which the device that was expected does not answer.

Only the bytes are looked at, never the port's name. The kinds are loaded when somebody asks, so nothing of this costs
anything while all is well.
"""

from typing import Any

from controller.drivers import registry
from controller.drivers.registry import OWN, UnknownDevice

KEPT_BYTES = 600
PATIENCE_NS = 2_000_000_000
CHOOSE = "Choose the right port or device."


def recognise(data: bytes, but: str = "") -> str:
    """The name (as printed on it) of a device other than `but` that talks like `data`; "" when none does."""
    for group in OWN:
        for name in OWN[group]:
            try:
                kind: Any = registry.load(group, name, object)  # of whichever group: all kinds have these two
            except UnknownDevice:
                continue
            if kind.capabilities.device != but and kind.resembles(data):
                return str(kind.capabilities.device)
    return ""


class Listener:
    """Keeps the first bytes of a connection until the device has said who it is.

    `verdict` gives a sentence once the patience is over: what talks there instead, or that nobody talks.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._heard = b""
        self._since_ns = 0
        self._told = False

    def begin(self, now_ns: int) -> None:
        """A new connection."""
        self._heard, self._since_ns, self._told = b"", now_ns, False

    def hear(self, data: bytes) -> None:
        """Bytes that arrived while the device was not known."""
        if len(self._heard) < KEPT_BYTES:
            self._heard = (self._heard + data)[:KEPT_BYTES]

    def other(self) -> str:
        """A sentence that names both devices when something else talks here; "" when nothing else is recognised."""
        other = recognise(self._heard, self._device) if self._heard else ""
        if not other:
            return ""
        return f"This port was opened as a {self._device}, but a {other} talks there."

    def verdict(self, now_ns: int) -> str:
        """Once for a connection, after two seconds: why the device was not met, and what to do; else ""."""
        if self._told or now_ns - self._since_ns < PATIENCE_NS:
            return ""
        self._told = True
        if not self._heard:
            return f"Nothing answers as a {self._device} on this port. Is it switched on, and the right port?"
        other = self.other()
        if other:
            return f"{other} {CHOOSE}"
        return f"What talks on this port is no {self._device}. {CHOOSE}"
