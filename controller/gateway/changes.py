"""The shell's hands for the record of changes: it is dated here, and the session's log and it vouch for each other.

It also says how far each patient's dose of a day went, so that a file that is gone is missed.

The gateway's log is told how far `audit.jsonl` goes, the journal how far the gateway's log is on disk, and
`audit.jsonl` at the end how far the gateway's log went. So what is cut off one of them is missed by another.
"""

from pathlib import Path

from controller.clock import SECOND, now_ns, wall_utc
from controller.gateway import ports
from controller.gateway.audit_book import AuditBook, Head
from controller.vocabulary.facts import LogHead
from safety.digest import stored

VOUCH_EVERY_NS = 5 * SECOND


class Changes:
    """One for a gateway process; `inputs` is where the core hears of it."""

    def __init__(self, root: Path, operator: str, inputs: list[ports.Input]) -> None:
        self._root = root
        self._book = AuditBook(root, operator)
        self._inputs = inputs
        self._head: Head = self._book.head
        self._failed = ""
        self._vouched = -1
        self._vouch_due_ns = 0
        self.add(ports.Audit(now_ns(), "software limits", "safety", {"digest": stored()}, "as installed"))

    def add(self, entry: ports.Audit) -> None:
        """A change, now."""
        self._book.add(entry, wall_utc())

    def session(self, t_ns: int, folder: Path) -> None:
        """A session's log is opened."""
        self.add(ports.Audit(t_ns, "session", self._name(folder), {"open": True}, "the session began"))

    def dose(self, name: str, vouched: Head | None) -> None:
        """How far a patient's dose of a day is on disk: told once it is there, and again at the end."""
        if vouched is not None:
            told = {"seq": vouched[0], "hash": vouched[1]}
            self.add(ports.Audit(now_ns(), "dose", name, told, "the dose is kept"))

    def look(self, t_ns: int, vouched: Head | None) -> LogHead | None:
        """Tell the core what is new on disk; gives what the engine is to be told of the gateway's log."""
        if self._book.head != self._head:
            self._head = self._book.head
            self._inputs.append(ports.AuditHead(*self._head))
        if self._book.failed and not self._failed:
            self._failed = self._book.failed
            self._inputs.append(ports.AuditFailed(self._failed))
        if vouched is None or vouched[0] <= self._vouched or t_ns < self._vouch_due_ns:
            return None
        self._vouched, self._vouch_due_ns = vouched[0], t_ns + VOUCH_EVERY_NS
        return LogHead(*vouched)

    def close(self, folder: Path | None, head: Head, timeout_s: float = 2.0) -> None:
        """The gateway's log is closed: how far it went is written down."""
        if folder is not None and head[0] >= 0:
            sealed = {"open": False, "seq": head[0], "hash": head[1]}
            self.add(ports.Audit(now_ns(), "session", self._name(folder), sealed, "the gateway ended"))
        self._book.close(timeout_s)

    def _name(self, folder: Path) -> str:
        return f"{folder.parent.name}/{folder.name}"
