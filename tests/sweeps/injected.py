"""The seams at which a sweep makes one call fail: system calls of the disk, bytes of a cable, a clock read.

Every call is counted by kind. `Injector.due` is asked at each; where it says so, the call fails as `Injector.fail_with`
tells. Files are real files: `FailingOs` stands in the place of the module `os` in `controller.disk`, so every line of
the product's own appenders is what runs. It also knows what of each file was synced, so a power cut can be played.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller import disk


class Injector:
    """Counts calls by kind. `due(kind, number)` decides; it is called once for each call, before it is made."""

    def __init__(self, due: Callable[[str, int], bool]) -> None:
        self.counts: Counter[str] = Counter()
        self._due = due

    def fails(self, kind: str) -> bool:
        """One more call of that kind: does it fail?"""
        self.counts[kind] += 1
        return self._due(kind, self.counts[kind])


class FailingOs:
    """`os` as `controller.disk` uses it. `error` is the errno of what fails; `for_good`: so does all after it."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector
        self.error = 0
        self.for_good = False
        self.open_files: dict[int, Path] = {}
        self.appended: set[Path] = set()
        self.synced: dict[Path, int] = {}
        """How many bytes of a file are known to be on disk."""
        self.sync_writes: set[int] = set()
        """Numbers of the log writes that were followed by a sync."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path | str, flags: int, mode: int = 0o777) -> int:
        """As it is; remembers which file it was."""
        self._refuse("open")
        descriptor = os.open(path, flags, mode)
        self.open_files[descriptor] = Path(path)
        if flags & os.O_APPEND:
            self.appended.add(Path(path))
        return descriptor

    def close(self, descriptor: int) -> None:
        """As it is."""
        self.open_files.pop(descriptor, None)
        os.close(descriptor)

    def write(self, descriptor: int, data: bytes) -> int:
        """A write; where it is due, half of the bytes get there and the rest does not."""
        if self._injector.fails("log write") and self.error:
            os.write(descriptor, bytes(data)[: len(data) // 2])
            raise OSError(self.error, os.strerror(self.error))
        self._refuse("write")
        return os.write(descriptor, data)

    def fdatasync(self, descriptor: int) -> None:
        """A sync of a file (the disk is not asked: a cut of the power is played from `synced`)."""
        if self._injector.fails("fsync") and self.error:
            raise OSError(self.error, os.strerror(self.error))
        self._refuse("fdatasync")
        self.synced[self.open_files[descriptor]] = os.fstat(descriptor).st_size
        self.sync_writes.add(self._injector.counts["log write"])

    def fsync(self, descriptor: int) -> None:
        """A sync of a folder."""
        if self._injector.fails("fsync") and self.error:
            raise OSError(self.error, os.strerror(self.error))
        self._refuse("fsync")

    def _refuse(self, what: str) -> None:
        if self.for_good and self.error:
            raise OSError(self.error, f"{os.strerror(self.error)} ({what})")

    # -- copies --------------------------------------------------------------------------------------------------------

    def move_to(self, old: Path, new: Path) -> None:
        """After a fork: everything open in `old` goes on in `new`, a copy of it, so that each has files of its own."""
        for descriptor, path in list(self.open_files.items()):
            moved = new / path.relative_to(old)
            if not moved.is_dir():
                again = os.open(moved, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
                os.dup2(again, descriptor)
                os.close(again)
            self.open_files[descriptor] = moved
        self.synced = {new / path.relative_to(old): size for path, size in self.synced.items()}
        self.appended = {new / path.relative_to(old) for path in self.appended}

    def cut_power(self, folder: Path, copy: Path) -> None:
        """A copy of a folder as a cut of the power leaves it: appended files end where they were synced last."""
        shutil.copytree(folder, copy)
        for path in self.appended:
            if path.is_file() and path.is_relative_to(folder):
                os.truncate(copy / path.relative_to(folder), self.synced.get(path, 0))


class SteppedAppender(disk.ThreadAppender):
    """The product's own appender with its thread's rounds made in the caller's time: each append is a round."""

    def __init__(self, folder: Path, before: Callable[[], None] | None = None) -> None:
        real = disk.threading
        disk.threading = _NoThreads  # type: ignore[assignment]
        try:
            super().__init__(folder, None)
        finally:
            disk.threading = real
        if before is not None:
            before()

    def append(self, stamp_ns: int, name: str, data: bytes, sync: bool = False, mark: int = -1) -> None:
        """Queue and write at once."""
        super().append(stamp_ns, name, data, sync, mark)
        self._turn()

    def finish(self, then: Callable[[], None] | None = None) -> None:
        """The last round, and the end."""
        if not self._finishing and not self.failed:
            super().finish(then)
            self._run()

    def join(self, timeout_s: float) -> bool:
        """There is nothing to wait for."""
        del timeout_s
        return True

    def _turn(self) -> None:
        """A round, and what `_run` does when it fails."""
        try:
            self._round()
        except Exception as error:
            self._give_up(error)
        finally:
            self._in_hand_ns = None


class _Once:
    """A lock that is never waited for."""

    def acquire(self, timeout: float = 0.0) -> bool:
        return True

    def locked(self) -> bool:
        return False


class _NoThread:
    """A thread that never starts."""

    def __init__(self, **_: Any) -> None:
        pass

    def start(self) -> None:
        pass


class _NoThreads:
    Lock = _Once
    Thread = _NoThread
