"""Appending to files without making anybody wait: the one place that writes a session's files. Standard library alone.

`ThreadAppender` hands bytes to a thread that writes them, and syncs to disk what asks for it; `InlineAppender` writes
the same bytes in the caller's own time, for the virtual clock, where nobody waits. Neither ever raises or blocks in
`append`: the first failed write is kept in `failed`, nothing more is written after it, and what came later is counted
in `lost`. So the file stays a whole beginning of what was to be written.
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

WAITING_MAX = 65_536
WAKE_S = 0.05
INLINE_BYTES = 64 * 1024


class _Entry(NamedTuple):
    stamp_ns: int
    name: str
    data: bytes
    sync: bool
    mark: int


class Appender(Protocol):
    """What a journal writes through. `synced` is the highest mark known to be on disk (-1 before the first)."""

    failed: str
    lost: int
    synced: int

    def append(self, stamp_ns: int, name: str, data: bytes, sync: bool = False, mark: int = -1) -> None: ...

    def backlog_ms(self, now_ns: int) -> int: ...

    def finish(self, then: Callable[[], None] | None = None) -> None: ...

    def join(self, timeout_s: float) -> bool: ...


class _Files:
    """The open files of one folder, by name, append only, readable by the user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, int] = {}
        self._unsynced_folder = False

    def write(self, name: str, data: bytes) -> None:
        descriptor = self._open.get(name)
        if descriptor is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._open[name] = descriptor = os.open(self._folder / name, flags, 0o600)
            self._unsynced_folder = True
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, name: str) -> None:
        getattr(os, "fdatasync", os.fsync)(self._open[name])
        if self._unsynced_folder:
            self._unsynced_folder = False
            sync_folder(self._folder)

    def close(self) -> None:
        for name in self._open:
            self.sync(name)
        while self._open:
            os.close(self._open.popitem()[1])

    def abandon(self) -> None:
        """Close without asking the disk for anything more, after a failure."""
        while self._open:
            with contextlib.suppress(OSError):
                os.close(self._open.popitem()[1])


class ThreadAppender:
    """Bounded queue and one writer thread. One thread may call `append`; the order within a file is kept.

    In each round the thread writes every file once, in the order in which files first appear in the queue, then syncs
    those with an entry that asks for it. Rounds come each 50 ms, and at once after an entry that asks for a sync.
    `before` is called in the writer thread ahead of the first write.
    """

    def __init__(self, folder: Path, before: Callable[[], None] | None = None, waiting_max: int = WAITING_MAX) -> None:
        self.failed = ""
        self.lost = 0
        self.synced = -1
        self._files = _Files(folder)
        self._waiting: deque[_Entry] = deque()
        self._waiting_max = waiting_max
        self._in_hand_ns: int | None = None
        self._finishing = False
        self._before = before
        self._then: Callable[[], None] | None = None
        self._wake = threading.Lock()  # a raw lock as a binary semaphore: 60 ns to post, an Event takes microseconds
        self._wake.acquire()
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def append(self, stamp_ns: int, name: str, data: bytes, sync: bool = False, mark: int = -1) -> None:
        """Queue `data` for the file `name`. `stamp_ns` is the caller's clock, `mark` what `synced` shows later."""
        if self.failed or self._finishing:
            self.lost += 1
            return
        if len(self._waiting) >= self._waiting_max:
            self.failed = f"the disk cannot keep up: {len(self._waiting)} entries wait"
            self.lost += 1
            return
        self._waiting.append(_Entry(stamp_ns, name, data, sync, mark))
        if sync:
            self._post()

    def backlog_ms(self, now_ns: int) -> int:
        """Age of the oldest entry that is not written yet, in ms on the caller's clock (0 when none waits)."""
        oldest = self._in_hand_ns
        if oldest is None:
            try:
                oldest = self._waiting[0].stamp_ns
            except IndexError:
                return 0
        return max(0, (now_ns - oldest) // 1_000_000)

    def finish(self, then: Callable[[], None] | None = None) -> None:
        """Write what waits, sync, close the files, then call `then` in the writer thread. Returns at once."""
        if not self._finishing:
            self._then = then
            self._finishing = True
            self._post()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of `finish`, at most `timeout_s` seconds; True when the writer has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _post(self) -> None:
        # Only the caller's thread releases, so a lock seen locked here stays so until this release.
        if self._wake.locked():
            self._wake.release()

    def _run(self) -> None:
        try:
            if self._before is not None:
                self._before()
            finishing = False
            while not finishing:
                self._wake.acquire(timeout=WAKE_S)
                finishing = self._finishing  # read before the round: entries come before `finish`
                self._round()
            self._files.close()
            if self._then is not None and not self.failed:
                self._then()
        except Exception as error:  # whatever it is: the engine must hear of it, for it trips on `failed`
            self._give_up(error)
        finally:
            self._in_hand_ns = None

    def _give_up(self, error: Exception) -> None:
        """Nothing more is written: the file stays a whole beginning of what was to be written."""
        self.failed = self.failed or f"{type(error).__name__}: {error}"
        self.lost += len(self._waiting)
        self._waiting.clear()
        self._files.abandon()

    def _round(self) -> None:
        count = len(self._waiting)
        if not count:
            return
        self._in_hand_ns = self._waiting[0].stamp_ns
        chunks: dict[str, list[bytes]] = {}
        wanted: dict[str, None] = {}
        mark = self.synced
        for _ in range(count):
            entry = self._waiting.popleft()
            chunks.setdefault(entry.name, []).append(entry.data)
            if entry.sync:
                wanted[entry.name] = None
                mark = max(mark, entry.mark)
        for name, parts in chunks.items():
            self._files.write(name, b"".join(parts))
        for name in wanted:
            self._files.sync(name)
        self.synced = mark
        self._in_hand_ns = None


class InlineAppender:
    """The same files without a thread: written in the caller's time each 64 KiB, synced only at the end."""

    def __init__(self, folder: Path, before: Callable[[], None] | None = None) -> None:
        self.failed = ""
        self.lost = 0
        self.synced = -1
        self._files = _Files(folder)
        self._parts: dict[str, list[bytes]] = {}
        self._bytes = 0
        self._finished = False
        if before is not None:
            self._guarded(before)

    def append(self, stamp_ns: int, name: str, data: bytes, sync: bool = False, mark: int = -1) -> None:
        """Keep `data` for the file `name`; the stamp, the wish for a sync and the mark do not matter here."""
        if self.failed or self._finished:
            self.lost += 1
            return
        parts = self._parts.get(name)
        if parts is None:
            parts = self._parts[name] = []
        parts.append(data)
        self._bytes += len(data)
        if self._bytes >= INLINE_BYTES:
            self._guarded(self.flush)

    def backlog_ms(self, now_ns: int) -> int:
        """Always 0: nothing waits for another thread."""
        del now_ns
        return 0

    def flush(self) -> None:
        """Write what is kept. Raises `OSError`."""
        for name, parts in self._parts.items():
            self._files.write(name, b"".join(parts))
            parts.clear()
        self._bytes = 0

    def finish(self, then: Callable[[], None] | None = None) -> None:
        """Write, sync, close, then call `then`."""
        if self._finished:
            return
        self._finished = True
        for step in (self.flush, self._files.close, then):
            if step is not None and not self.failed:
                self._guarded(step)

    def join(self, timeout_s: float) -> bool:
        """True: there is nothing to wait for."""
        del timeout_s
        return True

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            self.failed = f"{type(error).__name__}: {error}"
            self._files.abandon()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
