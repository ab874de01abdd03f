"""Twin of a foot pedal: the kernel's input events of one key, as if read from its event node."""

from collections.abc import Callable
from typing import Any

from controller.wire.evdev import PRESSED, RELEASED, encode_key

Log = Callable[[dict[str, Any]], None]

F13 = 183
"""The key that it sends: one that no keyboard has, as makers advise."""
FOREVER = 1 << 62


class PedalTwin:
    """Device role of the codec. It says nothing by itself and obeys nothing; `step` presses it or lets go of it."""

    def __init__(self, identity: str = "SIM-PEDAL-01", log: Log | None = None) -> None:
        if not identity.startswith("SIM"):
            raise ValueError(f"the identity of a simulated device begins with SIM, not {identity!r}")
        self.identity = identity
        self._log = log

    def step(self, now_ns: int, down: bool) -> bytes:
        """A foot goes on it, or off it: the bytes of that."""
        if self._log is not None:
            self._log({"kind": "pedal", "t_ns": now_ns, "identity": self.identity, "down": down})
        return encode_key(F13, PRESSED if down else RELEASED, now_ns // 1000)

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """Nothing that is sent to it means anything."""
        return b""

    def advance(self, now_ns: int) -> bytes:
        """Nothing happens by itself."""
        return b""

    def next_deadline(self) -> int:
        """Never."""
        return FOREVER

    def unplug(self, now_ns: int) -> None:
        """It has no state to lose."""


def button_twin(log: Log | None = None) -> PedalTwin:
    """A second pedal, for protocols that wait for `button pedal`."""
    return PedalTwin("SIM-PEDAL-02", log)
