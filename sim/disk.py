"""A disk in memory for the record: it can fail at the N-th write, be full, be read-only, or fall behind.

`MemoryAppender` takes the place of what writes a session's files. What was written is kept as a digest alone, so a
thousand sessions cost no memory; two runs are equal when their digests are.
"""

import hashlib
from collections.abc import Callable

MS = 1_000_000


class SimulatedDisk:
    """The state of the disk, set by whoever makes the faults. `writes` counts every write that was tried."""

    def __init__(self) -> None:
        self.writes = 0
        self.full = False
        self.read_only = False
        self.fail_at = 0
        """The write of this number fails, once (0: none)."""
        self.behind_since_ns = 0
        """It has been taking bytes without writing them since then (0: it keeps up)."""
        self.digest = hashlib.sha256()
        self.failed_writes = 0
        """Writes that failed so far."""

    @property
    def refuses(self) -> str:
        """Why nothing can be written or made now, in words; "" when it can."""
        if self.full:
            return "OSError: [Errno 28] No space left on device"
        return "OSError: [Errno 30] Read-only file system" if self.read_only else ""

    def write(self, data: bytes) -> str:
        """One write; why it failed, "" when it did not."""
        self.writes += 1
        trouble = self.refuses
        if not trouble and self.writes == self.fail_at:
            trouble = "OSError: [Errno 5] Input/output error"
        if trouble:
            self.failed_writes += 1
            return trouble
        self.digest.update(data)
        return ""

    def mend(self) -> None:
        """All is well with the disk again; a record that has failed stays failed."""
        self.full = self.read_only = False
        self.fail_at = self.behind_since_ns = 0


class MemoryAppender:
    """Writes a session's entries to a `SimulatedDisk`: the first failed write is kept, later entries are counted."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self.failed = ""
        self.lost = 0
        self.synced = -1
        self._disk = disk
        self._finished = False

    def append(self, stamp_ns: int, name: str, data: bytes, sync: bool = False, mark: int = -1) -> None:
        """One entry of the file `name`."""
        if self.failed or self._finished:
            self.lost += 1
            return
        self.failed = self._disk.write(data)
        if not self.failed and sync:
            self.synced = max(self.synced, mark)

    def backlog_ms(self, now_ns: int) -> int:
        """How far the disk is behind, ms."""
        since_ns = self._disk.behind_since_ns
        return max(0, (now_ns - since_ns) // MS) if since_ns else 0

    def finish(self, then: Callable[[], None] | None = None) -> None:
        """The session is over; there is no folder to seal, so `then` is not called."""
        del then
        self._finished = True

    def join(self, timeout_s: float) -> bool:
        """True: there is nothing to wait for."""
        del timeout_s
        return True
