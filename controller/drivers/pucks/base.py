"""What the engine knows of a puck's driver: a machine fed bytes and time, without any input or output of its own."""

from typing import Protocol

from controller.vocabulary.sample import Sample

NEVER = 2**63 - 1
"""The deadline of a driver that has nothing to do until bytes arrive."""


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
