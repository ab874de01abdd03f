"""What the engine knows of a puck's driver: a machine fed bytes and time, without any input or output of its own."""

from enum import StrEnum
from typing import NamedTuple, Protocol

from controller.vocabulary.sample import Sample

NEVER = 2**63 - 1
"""The deadline of a driver that has nothing to do until bytes arrive."""


ENDS = 0.995
"""Of its full scale: from there on a gyroscope is clipped."""


class PuckDriver(Protocol):
    """One motion puck, or one dongle with several.

    `name` is the link's name on the screen, `device` the port it is read from, `pucks` the names that its samples
    carry. `bad_frames` counts what was refused since the start.
    """

    name: str
    device: str
    pucks: tuple[str, ...]
    bad_frames: int

    def start(self, now_ns: int) -> bytes:
        """The port has been (re)opened: forget the past; bytes to write first (b"" for none)."""
        ...

    def feed(self, now_ns: int, data: bytes) -> list[Sample]:
        """The samples in the bytes of one read, oldest first. Never raises: what is broken is counted."""
        ...

    def poll(self, now_ns: int) -> bytes:
        """The bytes due now. Write each answer with a write of its own, and poll again at `next_deadline`."""
        ...

    def next_deadline(self) -> int:
        """When `poll` has something to give, ns (`NEVER` if nothing is planned)."""
        ...


class Signal(StrEnum):
    """What a puck may show its wearer. `HERE` shakes it: only where no current can flow and no motion is judged."""

    CUE = "cue"
    DONE = "done"
    HERE = "here"


class Senses(NamedTuple):
    """What a puck feels besides its own motion: a hand that touches it, a load in newton."""

    touch: bool = False
    load: bool = False


NO_SENSES = Senses()


class PuckExtras:
    """What some pucks can do beyond measuring. A driver that can inherits this class; all others do nothing.

    `remark` is a sentence for the check list ("" for none).
    """

    remark: str = ""

    def senses(self, puck: str) -> Senses:
        """What the puck of that name can feel."""
        return NO_SENSES

    def signal(self, now_ns: int, puck: str, what: Signal) -> None:
        """Show it on the puck of that name; the bytes come out of `poll`. May be dropped: a light is no message."""

    def close(self, now_ns: int) -> tuple[bytes, ...]:
        """The port will be closed: the writes that leave the puck as it was found, each to be made on its own."""
        return ()


_NOTHING_MORE = PuckExtras()


def extras_of(driver: PuckDriver) -> PuckExtras:
    """The driver itself where it has extras, else a stand-in that does nothing."""
    return driver if isinstance(driver, PuckExtras) else _NOTHING_MORE
