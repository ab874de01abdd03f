"""What the gateway knows of a stimulator's driver: a machine fed bytes and time, without input or output of its own."""

from typing import Protocol

from controller.drivers.stimulators.events import UnitEvent
from safety.orders import Admitted


class StimulatorDriver(Protocol):
    """One connection to one unit. Only tickets of the guard can make it deliver; stopping needs none."""

    identity: str
    confirmed_at_ns: int
    confirmed_zero: bool

    @property
    def ready(self) -> bool:
        """True while `deliver` may be called."""
        ...

    @property
    def wire_faults(self) -> int:
        """Damaged frames and answers to nothing that was asked."""
        ...

    def start(self, now_ns: int) -> bytes:
        """The first bytes on a fresh connection: stop."""
        ...

    def feed(self, now_ns: int, data: bytes) -> list[UnitEvent]:
        """What the unit said. Never raises: what is broken is counted."""
        ...

    def poll(self, now_ns: int, alive: bool) -> tuple[bytes, list[UnitEvent]]:
        """Bytes that fall due, and what silence means. The keep-alive is among them only when `alive`."""
        ...

    def next_deadline(self) -> int:
        """When `poll` has something to do, in ns."""
        ...

    def deliver(self, ticket: Admitted, now_ns: int) -> bytes:
        """The absolute update for an admitted order. Raises `PairCheckFailed` when the bytes would not say it."""
        ...

    def release(self, now_ns: int) -> bytes:
        """The ordinary end of a burst."""
        ...

    def stop(self, now_ns: int) -> bytes:
        """Everything off; valid in every state."""
        ...

    def rearm(self, now_ns: int) -> bytes:
        """Make a stopped unit ready again; `Ready` follows."""
        ...

    def outputs(self) -> tuple[tuple[int, int, int, str], ...]:
        """(channel, commanded uA, confirmed uA, fault) of each channel used in this connection."""
        ...
