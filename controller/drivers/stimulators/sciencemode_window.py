"""Requests on their way to a ScienceMode unit: which answers are due, which are late, and which no longer matter.

The unit answers in order, so a request that is still open when a later one has been answered is lost.
"""

from typing import NamedTuple

from controller.drivers.stimulators.sciencemode_orders import STOP_FRAMES, Outputs

FOREVER = 1 << 62
WINDOW = 32
"""Requests that may be unanswered at once."""

UPDATE_ACK, REPORT = 33, 37
Key = tuple[int, int]
"""(command of the answer, packet number)."""


class Sent(NamedTuple):
    """A request that waits for its answer. `outputs` belong to an update, `mask` is what a probe expects to run."""

    due_ns: int
    outputs: Outputs = ()
    mask: int = 0


class Window:
    """Open requests, oldest first. `probe` is the open Ml_get_current_data; `suspect` when it asks after a late one."""

    def __init__(self) -> None:
        self.open: dict[Key, Sent] = {}
        self.probe: Key | None = None
        self.suspect = False
        self.last_update: Key = (0, 0)
        self._stale: set[Key] = set()
        self._number = 0

    @property
    def full(self) -> bool:
        """True while no further update may be sent."""
        return len(self.open) >= WINDOW

    def carries(self, number: int) -> bool:
        """True while an answer with this packet number is due."""
        return any(open_number == number for _, open_number in self.open)

    def next_number(self) -> int:
        """A packet number that no open or abandoned update carries (the stop frames have their own)."""
        number = self._number
        for _ in range(STOP_FRAMES.first_number):
            number = (number + 1) % STOP_FRAMES.first_number
            if (UPDATE_ACK, number) not in self.open and (UPDATE_ACK, number) not in self._stale:
                break
        self._number = number
        return number

    def overdue_ns(self) -> int:
        """When the oldest answer is late; once a probe asks after it, when the probe's answer is late."""
        if self.suspect and self.probe is not None:
            return self.open[self.probe].due_ns
        for sent in self.open.values():
            return sent.due_ns
        return FOREVER

    def drop_questions(self) -> None:
        """Wait no longer for answers that carry no order (the last probe, the battery): they are asked again."""
        for key in [key for key in self.open if key[0] != UPDATE_ACK]:
            del self.open[key]
            self._stale.add(key)
        self.probe = None

    def forget(self) -> None:
        """Nothing that is on its way counts any more; its answers will be let pass."""
        self._stale.update(self.open)
        self.open.clear()
        self.probe = None
        self.suspect = False

    def is_stale(self, key: Key) -> bool:
        """True, once, for the answer to something that was given up."""
        if key in self._stale:
            self._stale.discard(key)
            return True
        return False

    def settled(self) -> None:
        """Something newer than all that was given up has been answered: its answers will never come."""
        self._stale.clear()
