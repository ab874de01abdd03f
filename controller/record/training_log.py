"""The task-training log: what the therapist files. A row a trial, totals a task and the session.

Its rows come from `trials.tsv`, or from the chained `trial` records where that table is torn or missing; notes made
during the session are put beside the trial they followed. Orthoses that were worn come from the chain alone.
"""

import contextlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from controller.record import manifest as manifests
from controller.record.merge import records
from controller.record.tables import STIM_COLUMNS, TRIAL_COLUMNS, Outcome, read_table, trial_cells
from controller.record.worn import WornSpan, worn_spans
from controller.vocabulary.chain import Record

NOTE = "note"


@dataclass(frozen=True, slots=True)
class LogRow:
    """One trial: `t_s` into the session, speeds in deg/s, latency in ms; "" and None where nothing is known."""

    trial: int
    t_s: float
    activity: str
    task: str
    side: str
    peak_dps: float | None
    threshold_dps: float | None
    latency_ms: float | None
    channels: str
    orthosis: str
    outcome: str
    aid: str
    note: str

    @property
    def clock(self) -> str:
        """mm:ss into the session."""
        minutes, seconds = divmod(int(self.t_s), 60)
        return f"{minutes:02d}:{seconds:02d}"

    @property
    def assisted(self) -> bool:
        """True when stimulation or an orthosis helped."""
        return self.outcome == Outcome.ASSISTED or (
            self.outcome == Outcome.COMPLETED and bool(self.channels or self.orthosis)
        )


@dataclass(slots=True)
class Totals:
    """Counts of a task or of the session. `pulses` is None when it is not known; minutes from its first trial on."""

    attempts: int = 0
    assisted: int = 0
    completed: int = 0
    missed: int = 0
    pulses: int | None = None
    minutes: float = 0.0

    def count(self, row: LogRow) -> None:
        """Add one trial."""
        self.attempts += row.outcome != Outcome.MISSED
        self.assisted += row.assisted
        self.completed += row.outcome == Outcome.COMPLETED
        self.missed += row.outcome == Outcome.MISSED


@dataclass
class TrainingLog:
    """The log of one session. `tasks` maps (activity, task, side) to totals in the order in which they came."""

    session: str
    patient: str = ""
    started: str = ""
    protocol: str = ""
    ended: str = manifests.INTERRUPTED
    simulated: bool | None = None
    rows: list[LogRow] = field(default_factory=list)
    tasks: dict[tuple[str, str, str], Totals] = field(default_factory=dict)
    total: Totals = field(default_factory=Totals)
    notes: list[str] = field(default_factory=list)
    worn: list[WornSpan] = field(default_factory=list)
    from_chain: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: plain values, tasks as a list."""
        tasks = [
            {"activity": activity, "task": task, "side": side, **asdict(totals)}
            for (activity, task, side), totals in self.tasks.items()
        ]
        return {**{k: v for k, v in asdict(self).items() if k != "tasks"}, "tasks": tasks}


def training_log(folder: Path) -> TrainingLog:
    """The training log of a session folder; raises `NotADirectoryError` for no folder."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a session folder")
    log = TrainingLog(folder.name)
    _describe(folder, log)
    chained = records(folder / manifests.EVENTS)
    rows, log.from_chain = _trial_rows(folder, chained)
    _add_notes(log, rows, chained)
    log.worn = worn_spans(chained, log.started, log.ended)
    log.rows = [_row(cells) for cells in rows]
    for row in log.rows:
        log.tasks.setdefault((row.activity, row.task, row.side), Totals()).count(row)
        log.total.count(row)
    _minutes(log, chained)
    _pulses(folder, log)
    return log


def _describe(folder: Path, log: TrainingLog) -> None:
    with contextlib.suppress(manifests.ManifestError):
        manifest = manifests.read(folder)
        log.patient, log.started = manifest["patient"], manifest["started"]
        log.protocol, log.ended = manifest["protocol"]["id"], manifest["ended"]
        log.simulated = manifest["simulated"]


def _trial_rows(folder: Path, chained: list[Record]) -> tuple[list[dict[str, str]], bool]:
    """(rows as cells, whether they had to come from the chain)."""
    told = [record for record in chained if record.kind == "trial"]
    path = folder / manifests.TRIALS
    rows, whole = read_table(path.read_bytes(), TRIAL_COLUMNS) if path.exists() else ([], False)
    if whole and len(rows) >= len(told):
        return rows, False
    cells = [trial_cells(record.t_ns, record.data) for record in told]
    return [dict(zip(TRIAL_COLUMNS, row, strict=True)) for row in cells], True


def _add_notes(log: TrainingLog, rows: list[dict[str, str]], chained: list[Record]) -> None:
    before = 0
    for record in chained:
        if record.kind == "trial":
            before += 1
        elif record.kind == NOTE:
            text = str(record.data.get("text", ""))
            if 0 < before <= len(rows):
                row = rows[before - 1]
                row["note"] = f"{row['note']}; {text}" if row["note"] else text
            elif text:
                log.notes.append(text)


def _row(cells: dict[str, str]) -> LogRow:
    return LogRow(
        trial=int(_number(cells["trial"]) or 0),
        t_s=_number(cells["t_s"]) or 0.0,
        activity=cells["activity"],
        task=cells["task"],
        side=cells["side"],
        peak_dps=_number(cells["peak_dps"]),
        threshold_dps=_number(cells["threshold_dps"]),
        latency_ms=_number(cells["latency_ms"]),
        channels=cells["channels"],
        orthosis=cells["orthosis"],
        outcome=cells["outcome"],
        aid=cells["aid"],
        note=cells["note"],
    )


def _minutes(log: TrainingLog, chained: list[Record]) -> None:
    """A trial lasts from the end of the one before it (the first: from when the session ran)."""
    began = _first_run_s(chained)
    for row in log.rows:
        log.tasks[row.activity, row.task, row.side].minutes += max(0.0, row.t_s - began) / 60
        began = row.t_s
    log.total.minutes = chained[-1].t_ns / 60e9 if chained else began / 60


def _first_run_s(chained: list[Record]) -> float:
    """When the session began to run: the first record ahead of any trial with a value `running`; else 0."""
    for record in chained:
        if record.kind == "trial":
            break
        if "running" in record.data.values():
            return record.t_ns / 1e9
    return 0.0


def _pulses(folder: Path, log: TrainingLog) -> None:
    path = folder / manifests.STIM
    rows, whole = read_table(path.read_bytes(), STIM_COLUMNS) if path.exists() else ([], False)
    if not whole or not rows or any(not row["pulses"] for row in rows):
        return
    task_of = {str(row.trial): (row.activity, row.task, row.side) for row in log.rows}
    for totals in (*log.tasks.values(), log.total):
        totals.pulses = 0
    for row in rows:
        pulses = int(_number(row["pulses"]) or 0)
        log.total.pulses = (log.total.pulses or 0) + pulses
        totals_of_task = log.tasks.get(task_of.get(row["trial"], ("", "", "")))
        if totals_of_task is not None:
            totals_of_task.pulses = (totals_of_task.pulses or 0) + pulses


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
