"""The journal of a session: one folder, append only, written so that the loop never waits and a kill loses nothing.

Times go in on the engine's clock and stand in the files relative to the session's start, so that two runs with one
seed make the same bytes; wall time, host and devices stand in the manifest alone.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from controller.disk import Appender, InlineAppender, ThreadAppender
from controller.record import manifest as manifests
from controller.record.motion_rows import SAMPLE_COLUMNS, MotionRows
from controller.record.tables import (
    STIM_COLUMNS,
    TRIAL_COLUMNS,
    Stim,
    Trial,
    header_line,
    line,
    stim_cells,
    trial_cells,
    trial_data,
)
from controller.vocabulary.chain import Chain, Marks, plain

Sync = Literal["thread", "inline"]
HEADER = "header"
CLOSED = "session_closed"
FILES = "files"
SUMMED_EVERY_NS = 5_000_000_000
"""How often the chain says how the files go that are no chains."""
BACKLOG_MAX_MS = 1000


def rendered(resolved: Mapping[str, Any]) -> bytes:
    """The exact bytes of the resolved protocol's file."""
    return (json.dumps(plain(resolved), indent=2, sort_keys=True) + "\n").encode()


class Journal:
    """Writes a session. No method raises or waits for the disk; `failed` and `backlog_ms` say when to trip.

    `header` is the first record: seed, protocol_sha256, safety_digest, software (schema is added). `sync="thread"` is
    for real sessions; `sync="inline"` makes the same bytes in the caller's time for the virtual clock. `start_ns` is
    the session's start on the clock of all `t_ns` given later. `manifest` comes from `manifest.begin`. With an
    `appender` of one's own the entries go there and no file is made: for simulated disks.
    """

    def __init__(
        self,
        folder: Path,
        header: Mapping[str, Any],
        sync: Sync = "thread",
        *,
        start_ns: int = 0,
        manifest: Mapping[str, Any] | None = None,
        protocol_yaml: bytes | None = None,
        resolved: Mapping[str, Any] | None = None,
        appender: Appender | None = None,
    ) -> None:
        self.folder = folder
        self._start_ns = start_ns
        self._manifest = dict(manifest) if manifest is not None else manifests.begin(manifests.utc_now(), start_ns)
        self._durable = sync == "thread"
        self._chain = Chain()
        self._marks = Marks()
        self._sums: dict[str, tuple[int, hashlib._Hash]] = {}
        self._summed_ns = start_ns
        self._summed: dict[str, list[int | str]] = {}
        self._own_failure = ""
        self._rows: dict[str, MotionRows] = {}
        self._closed = False
        if appender is None:
            first = self._opening(protocol_yaml, resolved)
            appender = ThreadAppender(folder, first) if sync == "thread" else InlineAppender(folder, first)
        self._appender = appender
        self._append = self._appender.append
        self.event(start_ns, HEADER, {"schema": manifests.SCHEMA, **header}, sync=True)
        self._append(start_ns, manifests.TRIALS, header_line(TRIAL_COLUMNS))
        self._more(start_ns, manifests.STIM, header_line(STIM_COLUMNS))

    def _opening(self, protocol_yaml: bytes | None, resolved: Mapping[str, Any] | None) -> Callable[[], None]:
        first = dict(self._manifest)

        def write_first() -> None:
            if (self.folder / manifests.EVENTS).exists():
                raise FileExistsError(f"{self.folder} already holds a session")
            if protocol_yaml is not None:
                (self.folder / manifests.PROTOCOL).write_bytes(protocol_yaml)
            if resolved is not None:
                (self.folder / manifests.RESOLVED).write_bytes(rendered(resolved))
            manifests.write(self.folder, first, self._durable)

        return write_first

    @property
    def failed(self) -> str:
        """The first failure in words, "" while all is well. The engine trips on it."""
        return self._own_failure or self._appender.failed

    @property
    def vouched(self) -> tuple[int, str] | None:
        """(number, hash) of the newest record that is known to be on disk; None before the first."""
        return self._marks.vouched(self._appender.synced)

    @property
    def lost(self) -> int:
        """Entries that came after a failure and were not written."""
        return self._appender.lost

    @property
    def synced_seq(self) -> int:
        """Number of the newest record known to be on disk, -1 before the first."""
        return self._appender.synced

    def backlog_ms(self, now_ns: int) -> int:
        """Age of the oldest entry that is not written yet, ms. Over `BACKLOG_MAX_MS` the engine trips."""
        return self._appender.backlog_ms(now_ns)

    def event(self, t_ns: int, kind: str, data: Mapping[str, Any], sync: bool = False) -> None:
        """One chained record. `sync` for safety events: on disk as soon as the disk can."""
        chain = self._chain
        seq = chain.seq
        line = chain.line(t_ns - self._start_ns, kind, data)
        if sync:
            self._marks.add(chain)
        self._append(t_ns, manifests.EVENTS, line, sync, seq)

    def _more(self, t_ns: int, name: str, data: bytes) -> None:
        """Bytes for a file that is no chain: the chain says now and then how it goes."""
        count, digest = self._sums.get(name) or (0, hashlib.sha256())
        digest.update(data)
        self._sums[name] = (count + len(data), digest)
        self._append(t_ns, name, data)
        if t_ns - self._summed_ns >= SUMMED_EVERY_NS:
            self.sum_up(t_ns)

    def sum_up(self, t_ns: int) -> None:
        """A record with length and digest of the files that are no chains, as they were the last time.

        They are synced in between: what the record says is on the disk before the record is.
        """
        self._summed_ns = t_ns
        if self._summed:
            self.event(t_ns, FILES, self._summed)
        self._summed = {name: [count, digest.hexdigest()] for name, (count, digest) in self._sums.items()}
        for name in self._sums:
            self._append(t_ns, name, b"", True)

    def declare(self, t_ns: int, puck: str, columns: Sequence[tuple[str, str]] = SAMPLE_COLUMNS) -> None:
        """Name the columns (name, unit) of a puck's rows; without it the first row takes `SAMPLE_COLUMNS`."""
        if puck not in self._rows:
            self._rows[puck] = rows = MotionRows(puck, columns)
            self._more(t_ns, *rows.sidecar())

    def motion(self, puck: str, t_ns: int, row: Sequence[float | None]) -> None:
        """One row of a puck: the values of its columns without the time."""
        rows = self._rows.get(puck)
        if rows is None:
            self.declare(t_ns, puck)
            rows = self._rows[puck]
        try:
            packed = rows.pack(t_ns - self._start_ns, row)
        except ValueError as error:
            self._own_failure = self._own_failure or str(error)
            return
        self._more(t_ns, rows.name, packed)

    def trial(self, t_ns: int, trial: Trial) -> None:
        """A trial is over: a `trial` record in the chain, synced, and a row of `trials.tsv`, which follows from it."""
        data = plain(trial_data(trial))
        self.event(t_ns, "trial", data, sync=True)
        self._append(t_ns, manifests.TRIALS, line(trial_cells(t_ns - self._start_ns, data)))

    def stim(self, t_ns: int, stim: Stim) -> None:
        """A commanded train that began at `t_ns`: a row of `stim.tsv`."""
        self._more(t_ns, manifests.STIM, line(stim_cells(t_ns - self._start_ns, stim)))

    def device(self, t_ns: int, role: str, identity: str, **details: str) -> None:
        """A device takes part: a `device` record, and at the close a line of the manifest.

        `details` (port, firmware) stand in the manifest alone, for they differ between two equal runs.
        """
        self._manifest["devices"] = [*self._manifest["devices"], {"role": role, "identity": identity, **details}]
        self.event(t_ns, "device", {"role": role, "identity": identity})

    def close(self, t_ns: int, ended: str, reason: str = "") -> None:
        """End the session: last record, digests, manifest. Returns at once; `join` waits for the disk.

        `ended` is normal, stop, fault or interrupted. A second close, and whatever comes later, is ignored.
        """
        if self._closed:
            return
        self._closed = True
        self.event(t_ns, CLOSED, {"ended": ended, "reason": reason}, sync=True)

        def seal() -> None:
            closed = manifests.close(self._manifest, self.folder, ended, reason, t_ns)
            manifests.write(self.folder, closed, self._durable)

        self._appender.finish(seal)

    def join(self, timeout_s: float = 5.0) -> bool:
        """After `close`: wait at most `timeout_s`; True when the session is whole on disk."""
        return self._appender.join(timeout_s) and not self.failed
