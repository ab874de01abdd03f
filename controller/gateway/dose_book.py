"""A patient's dose of a day on disk: `sub-PSEUDONYM/dose-DATE.jsonl`, chained, append only, standard library alone.

Each line holds the whole dose up to then, what of it still counts for the rests, and the ceilings found that day; so
the last one counts. Writing is a thread's work and never waits; reading happens only while disarmed. One program at a
time may have the file, and a file is read again only after all that was to be written to it is there.
"""

import fcntl
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from controller.disk import ThreadAppender
from controller.gateway.ports import Ceilings, DoseRead, NoteDose, Torques
from controller.vocabulary.chain import REOPENED, Chain, Marks, Record, read, reopened, resume
from safety.joint_limits import JOINT_CAPS, MOVEMENTS_MAX
from safety.lately import Lately
from safety.limits import BURSTS_A_MINUTE_MAX, CAPS, DUTY_WINDOW_NS, LONGEST_BURST_NS
from safety.memory import rest_after_ns

KIND = "dose"
BYTES_MAX = 4_000_000
_PATIENT, _DATE = re.compile(r"[A-Za-z0-9]{1,64}"), re.compile(r"\d{4}-\d\d-\d\d")
_KEYS = ("bursts", "on_ns", "movements", "moved_ns")
_TORN = (1, max(cap.on_ms for cap in CAPS.values()) * 1_000_000, 1, max(cap.on_ms for cap in CAPS.values()) * 1_000_000)
"""What a line counts for that was torn by a power cut: one burst and one movement of the longest kind."""
_REST_NS = rest_after_ns(LONGEST_BURST_NS)
_MOTION_REST_NS = max(cap.on_ms for cap in JOINT_CAPS.values()) * 1_000_000
"""The rests after them."""

Amounts = tuple[int, int, int, int]


class Kept(NamedTuple):
    """What a file says of a patient's day."""

    amounts: Amounts = (0, 0, 0, 0)
    lately: Lately = Lately()
    ceilings: Ceilings = ()
    torques: Torques = ()


def path_of(root: Path, patient: str, date: str) -> Path:
    """Where the dose of this patient and day stands. Raises `ValueError` for names that cannot be a file's."""
    if not _PATIENT.fullmatch(patient) or not _DATE.fullmatch(date):
        raise ValueError(f"'{patient}' on '{date}' is no pseudonym and date")
    return root / f"sub-{patient}" / f"dose-{date}.jsonl"


def amounts_of(content: bytes) -> Amounts:
    """(bursts, ns of current, movements, ns of torque) that a file says. Raises `ValueError` when it was changed."""
    return kept_in(content).amounts


def kept_in(content: bytes) -> Kept:
    """All that a file says. Raises `ValueError` when it was changed."""
    reading = read(content)
    if reading.faults:
        raise ValueError(reading.faults[0])
    kept = Kept()
    for record in reading.records:
        if record.kind == KIND:
            kept = _kept(record)
        elif record.kind == REOPENED:
            kept = _with_torn(kept)
    return _with_torn(kept) if reading.torn else kept


def _kept(record: Record) -> Kept:
    amounts = _whole(record, record.data, _KEYS)
    lately = Lately(*_whole(record, record.data["lately"], Lately._fields)) if "lately" in record.data else None
    ceilings = tuple([_found(record, entry, int, str) for entry in record.data.get("ceilings", ())])
    torques = tuple([_found(record, entry, str, str) for entry in record.data.get("torques", ())])
    return Kept((amounts[0], amounts[1], amounts[2], amounts[3]), lately or _all_lately(amounts), ceilings, torques)


def _whole(record: Record, data: Any, keys: tuple[str, ...]) -> list[int]:
    found = [data.get(key) for key in keys] if type(data) is dict else []
    whole = [number for number in found if type(number) is int and number >= 0]
    if len(whole) != len(keys):
        raise ValueError(f"record {record.seq} is no dose")
    return whole


def _found(record: Record, entry: Any, *kinds: type) -> tuple[Any, Any, int]:
    if type(entry) is not list or [type(value) for value in entry] != [*kinds, int]:
        raise ValueError(f"record {record.seq} holds a ceiling that is none")
    return entry[0], entry[1], entry[2]


def _all_lately(amounts: list[int]) -> Lately:
    """A line of an earlier version does not say when it was: then all of the day's dose was of late."""
    bursts, on_ns, movements, _ = amounts
    lately = Lately(min(on_ns, DUTY_WINDOW_NS), min(bursts, BURSTS_A_MINUTE_MAX), _REST_NS if bursts else 0)
    crowd = min(movements, MOVEMENTS_MAX)
    return lately._replace(crowd=crowd, movements=crowd, motion_rest_ns=_MOTION_REST_NS if movements else 0)


def _with_torn(kept: Kept) -> Kept:
    bursts, on_ns, movements, moved_ns = (had + torn for had, torn in zip(kept.amounts, _TORN, strict=True))
    late = kept.lately
    lately = Lately(
        min(late.on_ns + _TORN[1], DUTY_WINDOW_NS),
        min(late.bursts + 1, BURSTS_A_MINUTE_MAX),
        max(late.rest_ns, _REST_NS),
        min(late.crowd + 1, MOVEMENTS_MAX),
        min(late.movements + 1, late.crowd + 1, MOVEMENTS_MAX),
        max(late.motion_rest_ns, _MOTION_REST_NS),
    )
    return kept._replace(amounts=(bursts, on_ns, movements, moved_ns), lately=lately)


def file_of(root: Path, patient: str, date: str) -> Path:
    """`path_of`, or the file that is there already under another spelling of the pseudonym: `P1` and `p1` are one.

    Raises `ValueError` when there are several.
    """
    path = path_of(root, patient, date)
    folder = path.parent.name.casefold()
    there = sorted(other for other in root.glob(f"sub-*/{path.name}") if other.parent.name.casefold() == folder)
    if len(there) > 1:
        names = " and ".join(str(other.relative_to(root)) for other in there)
        raise ValueError(f"{names} are of one patient")
    return there[0] if there else path


class DoseBook:
    """The open file of one patient and day under `root`. Nothing here raises; `failed` is the first failed write."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._whose = ("", "")
        self._chain = Chain()
        self._appender: ThreadAppender | None = None
        self._lock = -1
        self._name = self.name = ""
        self._marks = Marks()

    @property
    def failed(self) -> str:
        """Why the dose cannot be written any more, "" while all is well."""
        return "" if self._appender is None else self._appender.failed

    @property
    def vouched(self) -> tuple[int, str] | None:
        """(number, hash) of the newest record that is known to be on disk; None before the first."""
        return None if self._appender is None or self._whose == ("", "") else self._marks.vouched(self._appender.synced)

    def let_go(self, timeout_s: float = 0.0) -> bool:
        """Write what waits, take nothing more (`vouched` is None), close. False: not yet written, so ask again."""
        self._whose = ("", "")
        if self._appender is not None:
            self._appender.finish()
            if not self._appender.join(timeout_s):
                return False
        self._close()
        return True

    def open(self, t_ns: int, patient: str, date: str) -> DoseRead:
        """Read the file, and keep it for what follows. The last one has been let go of."""
        self._close()
        try:
            path = file_of(self._root, patient, date)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = self._take(path)
            kept = kept_in(content)
        except BlockingIOError:
            self._close()
            fault = "another stimloop keeps this patient's dose. Leave that one first."
            return DoseRead(patient, date, (0, 0, 0, 0), fault)
        except (OSError, ValueError) as error:
            self._close()
            fault = f"{error}. Look at {self._root / f'sub-{patient}'}, and ask who treated the patient today."
            return DoseRead(patient, date, (0, 0, 0, 0), fault)
        self._chain, torn = resume(content)
        self._whose, self._name = (patient, date), path.name
        self.name, self._marks = f"{path.parent.name}/{path.name}", Marks()
        self._appender = ThreadAppender(path.parent)
        if content[-1:] not in (b"", b"\n"):
            self._append(t_ns, b"\n" + self._chain.line(t_ns, REOPENED, reopened(torn)))
        return DoseRead(patient, date, kept.amounts, "", kept.lately, kept.ceilings, kept.torques)

    def note(self, entry: NoteDose) -> None:
        """Write the dose as it is now."""
        if (entry.patient, entry.date) == self._whose:
            data: dict[str, Any] = dict(zip(_KEYS, entry.amounts, strict=True))
            data |= {"lately": entry.lately._asdict(), "ceilings": entry.ceilings, "torques": entry.torques}
            self._append(entry.t_ns, self._chain.line(entry.t_ns, KIND, data))

    def close(self, timeout_s: float) -> None:
        """The end: what waits is written within that time, or never."""
        self.let_go(timeout_s)
        self._close()

    def _close(self) -> None:
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
            self._marks.add(self._chain)
            self._appender.append(t_ns, self._name, data, True, self._chain.seq - 1)
