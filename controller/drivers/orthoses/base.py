"""What the gateway knows of a powered orthosis' driver: a machine fed bytes and time, without input or output."""

from typing import Protocol

from controller.drivers.orthoses.events import JointEvent
from safety.joint import Posture
from safety.orders import Admitted


class OrthosisDriver(Protocol):
    """One connection to one powered joint. Only tickets of the guard make it push; letting go needs none."""

    identity: str
    posture: Posture | None
    """The newest posture that was read; None before the first."""
    confirmed_free: bool
    """The orthosis has confirmed that its torque is off, and nothing was ordered since."""

    @property
    def ready(self) -> bool:
        """True while `move` may be called."""
        ...

    @property
    def wire_faults(self) -> int:
        """Damaged frames and answers to nothing that was asked."""
        ...

    def start(self, now_ns: int) -> bytes:
        """The first bytes on a fresh connection: torque off."""
        ...

    def feed(self, now_ns: int, data: bytes) -> list[JointEvent]:
        """What the orthosis said. Never raises: what is broken is counted."""
        ...

    def poll(self, now_ns: int, alive: bool) -> tuple[bytes, list[JointEvent]]:
        """Bytes that fall due (posture reads, the next step of an admitted movement), and what silence means.

        A step of a movement, and whatever else keeps torque on, is among them only when `alive`: while a lease lives.
        """
        ...

    def next_deadline(self) -> int:
        """When `poll` has something to do, in ns."""
        ...

    def move(self, ticket: Admitted, now_ns: int) -> bytes:
        """Bytes for an admitted `Hold` or `Assist`. Raises `PairCheckFailed` when they would not say it."""
        ...

    def release(self, now_ns: int, ramp_ms: int) -> bytes:
        """Let go over `ramp_ms` (steps come out of `poll`; 0: at once), then torque off. What was ready stays so."""
        ...

    def stop(self, now_ns: int) -> bytes:
        """Torque off, now; valid in every state; `poll` repeats it until a read confirms it."""
        ...

    def rearm(self, now_ns: int) -> bytes:
        """Make a stopped orthosis ready again; `Ready` follows."""
        ...
