"""Requests on their way to a RehaStim2: which answers are due, which are late, and which no longer matter.

At most one request about the list is open, and beside it one question. The unit answers in order.
"""

from typing import NamedTuple

from controller.drivers.stimulators.rehastim2_orders import FIRST_RESERVED, ListUpdate

FOREVER = 1 << 62
Key = tuple[int, int]
"""(command of the answer, packet number)."""


class Sent(NamedTuple):
    """A request that waits for its answer. `update` belongs to a list, `expected` is the mode that a question expects
    (-1: any, for a list was on its way when it was asked)."""

    due_ns: int
    update: ListUpdate | None = None
    expected: int = -1


class Line:
    """`order` is the open request about the list, `question` the open question; `suspect` when the question asks
    after something that is late."""

    def __init__(self) -> None:
        self.open: dict[Key, Sent] = {}
        self.order: Key | None = None
        self.question: Key | None = None
        self.suspect = False
        self._stale: set[Key] = set()
        self._number = FIRST_RESERVED - 1

    def next_number(self) -> int:
        """A packet number that no open request carries (the stop has its own)."""
        number = (self._number + 1) % FIRST_RESERVED
        taken = {number for _, number in self.open}
        while number in taken:
            number = (number + 1) % FIRST_RESERVED
        self._number = number
        self._stale = {key for key in self._stale if key[1] != number}
        return number

    def send(self, key: Key, sent: Sent, is_question: bool = False) -> None:
        """Remember what is being written."""
        self.open[key] = sent
        if is_question:
            self.question = key
        else:
            self.order = key

    def take(self, key: Key) -> Sent | None:
        """The request that this answer belongs to; None when none waits for it."""
        sent = self.open.pop(key, None)
        if key == self.order:
            self.order = None
        if key == self.question:
            self.question = None
        return sent

    def drop_question(self) -> None:
        """Wait no longer for the answer to the last question."""
        if self.question is not None:
            self.open.pop(self.question, None)
            self._stale.add(self.question)
            self.question = None

    def overdue_ns(self) -> int:
        """When the oldest answer is late; once a question asks after it, when the question's answer is late."""
        if self.suspect and self.question is not None:
            return self.open[self.question].due_ns
        return min((sent.due_ns for sent in self.open.values()), default=FOREVER)

    def forget(self) -> None:
        """Nothing that is on its way counts any more; its answers will be let pass."""
        self._stale.update(self.open)
        self.open.clear()
        self.order = self.question = None
        self.suspect = False

    def is_stale(self, key: Key) -> bool:
        """True, once, for the answer to something that was given up."""
        if key in self._stale:
            self._stale.discard(key)
            return True
        return False
