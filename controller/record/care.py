"""What is kept of a patient over sessions: how long the pads are in use, and whether the skin was well.

`sub-PSEUDONYM/care.jsonl`, chained and append only. Writing is a thread's work and never waits. A file that cannot be
read, was changed, or is in another program's hands counts as pads that must be replaced, never as new ones.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from controller.disk import ThreadAppender
from controller.vocabulary.chain import REOPENED, Chain, Record, read, reopened, resume
from safety.screening import Pads

NAME = "care.jsonl"
SESSION, PADS_NEW, SKIN = "session", "pads_new", "skin"
BYTES_MAX = 4_000_000
REPLACE = Pads(0, "", True)
_PATIENT = re.compile(r"[A-Za-z0-9]{1,64}")


def pads_of(records: Iterable[Record]) -> Pads:
    """The pads as the file tells of them: counted from the last new ones, else from the first session."""
    pads = Pads()
    for record in records:
        day = str(record.data.get("day", ""))
        if record.kind == PADS_NEW:
            pads = Pads(0, day, False)
        elif record.kind == SESSION:
            pads = Pads(pads.sessions + 1, pads.since or day, pads.irritated)
        elif record.kind == SKIN and record.data.get("well") is not True:
            pads = pads._replace(irritated=True)
    return pads


class CareBook:
    """The open file of one patient under `root`. Nothing here raises; `failed` is what went wrong, "" while nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._chain = Chain()
        self._appender: ThreadAppender | None = None
        self._lock = -1
        self._trouble = ""

    @property
    def failed(self) -> str:
        """The first thing that went wrong, in words."""
        return self._trouble or ("" if self._appender is None else self._appender.failed)

    def meet(self, patient: str) -> Pads:
        """What is known of this patient's pads; notes go to this patient's file from now on."""
        self.close()
        try:
            if not _PATIENT.fullmatch(patient):
                raise ValueError(f"{patient!r} is no pseudonym")
            folder = self._root / f"sub-{patient}"
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = self._take(folder / NAME)
        except (OSError, ValueError) as error:
            self.close()
            self._trouble = f"{NAME}: {error}"
            return REPLACE
        reading = read(content)
        self._chain, torn = resume(content)
        self._appender = ThreadAppender(folder)
        if content[-1:] not in (b"", b"\n"):
            self._append(0, b"\n" + self._chain.line(0, REOPENED, reopened(torn)))
        if reading.faults:
            self._trouble = f"{NAME}: {reading.faults[0]}"
            return REPLACE
        return pads_of(reading.records)

    def note(self, t_ns: int, kind: str, data: Mapping[str, object]) -> None:
        """One more record, synced."""
        self._append(t_ns, self._chain.line(t_ns, kind, data))

    def close(self, timeout_s: float = 0.0) -> None:
        """Let go of the file; what waits is still written."""
        if self._appender is not None:
            self._appender.finish()
            self._appender.join(timeout_s)
        if self._lock >= 0:
            os.close(self._lock)
        self._appender, self._lock, self._trouble = None, -1, ""

    def _take(self, path: Path) -> bytes:
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(self._lock).st_size > BYTES_MAX:
            raise ValueError("larger than a patient's file can be")
        return os.read(self._lock, BYTES_MAX + 1)

    def _append(self, t_ns: int, data: bytes) -> None:
        if self._appender is not None:
            self._appender.append(t_ns, NAME, data, sync=True)
