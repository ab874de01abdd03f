"""The gateway's own log, `gateway.jsonl`: chained, append only, standard library alone.

It is the record that outlives the engine: a stop after the engine's death stands here. Times are the gateway's clock
(ns); `controller.record.merge` puts them beside the journal's.
"""

from collections import deque
from pathlib import Path
from typing import Any

from controller.disk import Appender, InlineAppender, ThreadAppender
from controller.vocabulary.chain import REOPENED, Chain, Marks, after, read_to_end, reopened

NAME = "gateway.jsonl"
SCHEMA = 1
KEPT_MAX = 1024
DROPPED = "records_dropped"


class BlackBox:
    """Records of the gateway. Before a folder is known the first 1024 wait in memory and then go into it first.

    How many came after those, and are lost, is written down in their place.

    `threaded=False` writes in the caller's time, for the virtual clock. Nothing here raises or blocks for the disk:
    `failed` holds the first failure in words.
    """

    def __init__(self, threaded: bool = True) -> None:
        self._threaded = threaded
        self._chain = Chain()
        self._appender: Appender | None = None
        self._kept: deque[tuple[int, str, dict[str, Any], bool]] = deque()
        self._dropped = 0
        self._dropped_ns = 0
        self._opened_ns = 0
        self._open_failure = ""
        self._folder: Path | None = None
        self._first: tuple[str, dict[str, Any]] | None = None
        self._unended = False
        self._marks = Marks()

    @property
    def failed(self) -> str:
        """The first failure of this folder's log, "" while all is well."""
        return self._open_failure or (self._appender.failed if self._appender is not None else "")

    @property
    def folder(self) -> Path | None:
        """Where the log goes now."""
        return self._folder

    @property
    def head(self) -> tuple[int, str]:
        """(number, hash) of the last record that was made."""
        return self._chain.seq - 1, self._chain.head

    @property
    def vouched(self) -> tuple[int, str] | None:
        """(number, hash) of the newest record that is known to be on disk; None before the first."""
        return None if self._appender is None else self._marks.vouched(self._appender.synced)

    def backlog_ms(self, now_ns: int) -> int:
        """How long the oldest record has waited for the disk by now, in ms; 0 when none waits."""
        return 0 if self._appender is None or self.failed else self._appender.backlog_ms(now_ns)

    def open(self, folder: Path, now_ns: int = 0) -> None:
        """Keep the log in `folder` from now on; a log that is there already is continued after its last record.

        One that was changed is continued as well, so that nothing more is lost, and is a failure all the same.
        """
        if folder == self._folder:
            return
        self.close(0, timeout_s=0.0)  # never wait for the disk here: the old folder's thread ends on its own
        self._folder = folder
        self._open_failure = ""
        self._marks = Marks()
        try:
            path = folder / NAME
            content = path.read_bytes() if path.exists() else b""
            reading = read_to_end(content)
            self._chain = after(reading)
            self._appender = ThreadAppender(folder) if self._threaded else InlineAppender(folder)
        except (OSError, ValueError) as error:  # a path that no file can have is a ValueError
            self._open_failure = str(error)
            return
        if reading.faults:
            fault = f"{NAME} was changed or damaged, {reading.faults[0]}"
            self._open_failure = f"{fault}; keep {folder} as it is and begin a new session"
        self._unended = content[-1:] not in (b"", b"\n")
        self._first = (REOPENED, reopened(reading.torn)) if content else ("header", {"schema": SCHEMA})
        self._opened_ns = now_ns  # what waited for a folder has not waited for the disk
        while self._kept:
            self._write(*self._kept.popleft())
        if self._dropped:
            self._write(self._dropped_ns, DROPPED, {"records": self._dropped}, True)
            self._dropped = 0
        if now_ns:
            self._begin(now_ns)

    def record(self, t_ns: int, kind: str, data: dict[str, Any], sync: bool = False) -> None:
        """Add a record; `sync` wants it on disk as soon as the disk can."""
        if self._appender is not None:
            self._write(t_ns, kind, data, sync)
            return
        if len(self._kept) < KEPT_MAX:
            self._kept.append((t_ns, kind, data, sync))
        else:
            self._dropped += 1
            self._dropped_ns = t_ns

    def close(self, now_ns: int, timeout_s: float = 2.0) -> bool:
        """Write out and close, waiting at most `timeout_s`; True when all is on disk. Later records wait for `open`."""
        del now_ns  # the box closes silently: the last record is the gateway's own
        appender, self._appender, self._folder = self._appender, None, None
        if appender is None:
            return True
        appender.finish()
        return appender.join(timeout_s) and not appender.failed

    def _write(self, t_ns: int, kind: str, data: dict[str, Any], sync: bool) -> None:
        if self._appender is not None:
            stamp_ns = max(t_ns, self._opened_ns)
            self._begin(t_ns)
            line = self._chain.line(t_ns, kind, data)
            if sync:
                self._marks.add(self._chain)
            self._appender.append(stamp_ns, NAME, line, sync, self._chain.seq - 1)

    def _begin(self, t_ns: int) -> None:
        """The first record in this folder: made only now, so that it carries a time."""
        if self._first is not None and self._appender is not None:
            first, self._first = self._first, None
            if self._unended:
                self._appender.append(max(t_ns, self._opened_ns), NAME, b"\n")
            self._write(t_ns, *first, True)
