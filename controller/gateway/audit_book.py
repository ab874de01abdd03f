"""The record of changes of a site: `audit.jsonl` in the data folder, over all sessions, chained, append only.

Who, when (wall time, UTC), what, of whom, the old value, the new one, and why. Standard library alone. Several programs
may write it in turn: each append takes the file's lock, goes on after whatever was added meanwhile, and is synced. All
of that is a thread's work, so nobody waits.
"""

import fcntl
import json
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

from controller.gateway.ports import Audit
from controller.vocabulary.chain import GENESIS, REOPENED, Chain, plain, read, reopened, resume

NAME = "audit.jsonl"
SCHEMA = 1
BYTES_MAX = 64_000_000
KIND = "change"
UNNAMED = "unnamed"
WAITING_MAX = 1_000
LOCK_TRIES, LOCK_AGAIN_S = 40, 0.05
"""Two seconds: an append of another program takes milliseconds."""
Head = tuple[int, str]


class _Waiting(NamedTuple):
    entry: Audit
    at: str


class AuditBook:
    """Nothing here raises. `head` is (number, hash) of the last record on disk; `failed` the first failure."""

    def __init__(self, root: Path, operator: str = "") -> None:
        self.failed = ""
        self.head: Head = (-1, GENESIS)
        self._path = root / NAME
        self._operator = operator or UNNAMED
        self._chain = Chain()
        self._size = -1
        self._latest: dict[tuple[str, str], Any] = {}
        self._waiting: deque[_Waiting | None] = deque()
        self._wake = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="audit-writer", daemon=True)
        self._thread.start()

    def add(self, entry: Audit, at: str) -> None:
        """One more change, at the wall time `at`. What is as it was is left out."""
        if len(self._waiting) >= WAITING_MAX:
            self.failed = self.failed or f"{WAITING_MAX} changes wait for the disk, and it takes none"
            return
        self._waiting.append(_Waiting(entry, at))
        self._wake.release()

    def close(self, timeout_s: float = 2.0) -> bool:
        """Write what waits, at most `timeout_s`; True when it is all on disk."""
        self._waiting.append(None)
        self._wake.release()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self.failed

    def _run(self) -> None:
        while True:
            self._wake.acquire()
            waiting = self._waiting.popleft()
            if waiting is None:
                return
            try:
                self._write(waiting)
            except Exception as error:  # whatever it is, the gateway must hear that changes are not kept
                self.failed = self.failed or f"{type(error).__name__}: {error}"

    def _write(self, waiting: _Waiting) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o600)
        try:
            _lock(descriptor)
            data = self._catch_up(descriptor, waiting) + self._line(waiting)
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
            self._size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        self.head = (self._chain.seq - 1, self._chain.head)

    def _catch_up(self, descriptor: int, waiting: _Waiting) -> bytes:
        """Take in what others have added; gives what must come before the next line (a torn end, the header)."""
        size = os.fstat(descriptor).st_size
        if size == self._size:
            return b""
        if size > BYTES_MAX:
            raise OSError(f"{NAME} is larger than {BYTES_MAX} bytes: put it away safely, a new one begins")
        content = os.pread(descriptor, BYTES_MAX, 0)
        for record in read(content).records:
            if record.kind == KIND:
                key = (str(record.data.get("what")), str(record.data.get("subject")))
                self._latest[key] = record.data.get("new")
        self._chain, torn = resume(content)
        t_ns = waiting.entry.t_ns
        if not content:
            return self._chain.line(t_ns, "header", {"schema": SCHEMA, "at": waiting.at})
        if content[-1:] != b"\n":
            return b"\n" + self._chain.line(t_ns, REOPENED, reopened(torn))
        return b""

    def _line(self, waiting: _Waiting) -> bytes:
        entry = waiting.entry
        key, new = (entry.what, entry.subject), json.loads(json.dumps(plain(entry.new)))  # as it is read again later
        old = self._latest.get(key)
        if old == new:
            return b""
        self._latest[key] = new
        told = {"at": waiting.at, "operator": self._operator, "what": entry.what, "subject": entry.subject}
        return self._chain.line(entry.t_ns, KIND, told | {"old": old, "new": new, "reason": entry.reason})


def _lock(descriptor: int) -> None:
    """Wait for another program's append. Raises OSError when it does not end."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_AGAIN_S)
        else:
            return
    raise OSError(f"another program keeps {NAME} locked: end it")
