"""A patient's dose of a day on disk: `sub-PSEUDONYM/dose-DATE.jsonl`, chained, append only, standard library alone.

Each line holds the whole dose up to then, so the last one counts. Writing is a thread's work and never waits; reading
happens only while disarmed. One program at a time may have the file.
"""

import fcntl
import os
import re
from pathlib import Path

from controller.disk import ThreadAppender
from controller.gateway.ports import DoseRead, NoteDose
from controller.vocabulary.chain import REOPENED, Chain, read, reopened, resume
from safety.limits import CAPS

KIND = "dose"
BYTES_MAX = 4_000_000
_PATIENT, _DATE = re.compile(r"[A-Za-z0-9]{1,64}"), re.compile(r"\d{4}-\d\d-\d\d")
_KEYS = ("bursts", "on_ns", "movements", "moved_ns")
_TORN = (1, max(cap.on_ms for cap in CAPS.values()) * 1_000_000, 1, max(cap.on_ms for cap in CAPS.values()) * 1_000_000)
"""What a line counts for that was torn by a power cut: one burst and one movement of the longest kind."""

Amounts = tuple[int, int, int, int]


def path_of(root: Path, patient: str, date: str) -> Path:
    """Where the dose of this patient and day stands. Raises `ValueError` for names that cannot be a file's."""
    if not _PATIENT.fullmatch(patient) or not _DATE.fullmatch(date):
        raise ValueError(f"'{patient}' on '{date}' is no pseudonym and date")
    return root / f"sub-{patient}" / f"dose-{date}.jsonl"


def amounts_of(content: bytes) -> Amounts:
    """(bursts, ns of current, movements, ns of torque) that a file says. Raises `ValueError` when it was changed."""
    reading = read(content)
    if reading.faults:
        raise ValueError(reading.faults[0])
    amounts: Amounts = (0, 0, 0, 0)
    for record in reading.records:
        if record.kind == KIND:
            found = [record.data.get(key) for key in _KEYS]
            whole = [number for number in found if type(number) is int and number >= 0]
            if len(whole) != len(_KEYS):
                raise ValueError(f"record {record.seq} is no dose")
            amounts = (whole[0], whole[1], whole[2], whole[3])
        elif record.kind == REOPENED:
            amounts = _with_torn(amounts)
    return _with_torn(amounts) if reading.torn else amounts


def _with_torn(amounts: Amounts) -> Amounts:
    bursts, on_ns, movements, moved_ns = (had + torn for had, torn in zip(amounts, _TORN, strict=True))
    return bursts, on_ns, movements, moved_ns


class DoseBook:
    """The open file of one patient and day under `root`. Nothing here raises; `failed` is the first failed write."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._whose = ("", "")
        self._chain = Chain()
        self._appender: ThreadAppender | None = None
        self._lock = -1
        self._name = ""

    @property
    def failed(self) -> str:
        """Why the dose cannot be written any more, "" while all is well."""
        return "" if self._appender is None else self._appender.failed

    def open(self, t_ns: int, patient: str, date: str) -> DoseRead:
        """Read the file, and keep it for what follows."""
        self.close()
        try:
            path = path_of(self._root, patient, date)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = self._take(path)
            amounts = amounts_of(content)
        except BlockingIOError:
            self.close()
            fault = "another stimloop keeps this patient's dose. Leave that one first."
            return DoseRead(patient, date, (0, 0, 0, 0), fault)
        except (OSError, ValueError) as error:
            self.close()
            fault = f"{error}. Look at {self._root / f'sub-{patient}'}, and ask who treated the patient today."
            return DoseRead(patient, date, (0, 0, 0, 0), fault)
        self._chain, torn = resume(content)
        self._whose, self._name = (patient, date), path.name
        self._appender = ThreadAppender(path.parent)
        if content[-1:] not in (b"", b"\n"):
            self._append(t_ns, b"\n" + self._chain.line(t_ns, REOPENED, reopened(torn)))
        return DoseRead(patient, date, amounts, "")

    def note(self, entry: NoteDose) -> None:
        """Write the dose as it is now."""
        if (entry.patient, entry.date) == self._whose:
            data = dict(zip(_KEYS, entry.amounts, strict=True))
            self._append(entry.t_ns, self._chain.line(entry.t_ns, KIND, data))

    def close(self, timeout_s: float = 0.0) -> None:
        """Let go of the file; what waits is still written."""
        if self._appender is not None:
            self._appender.finish()
            self._appender.join(timeout_s)
        if self._lock >= 0:
            os.close(self._lock)
        self._appender, self._lock, self._whose = None, -1, ("", "")

    def _take(self, path: Path) -> bytes:
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.fstat(self._lock).st_size
        if size > BYTES_MAX:
            raise ValueError(f"{path.name} is larger than a day can make it")
        return os.read(self._lock, BYTES_MAX + 1)

    def _append(self, t_ns: int, data: bytes) -> None:
        if self._appender is not None:
            self._appender.append(t_ns, self._name, data, sync=True)
