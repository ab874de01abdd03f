"""The training log as text: one table that fits 80 columns and opens out on a wide terminal."""

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from controller.record.training_log import LogRow, Totals, TrainingLog
from controller.record.worn import CUT_OFF

WIDE = 132
NONE = "-"
_WORN = {"splint": "splint", "afo": "AFO", "sling": "sling"}


class _Column(NamedTuple):
    title: str
    width: int
    right: bool = False


_NARROW = (
    _Column("Time", 5),
    _Column("No.", 4, True),
    _Column("Peak/need", 9, True),
    _Column("Delay", 6, True),
    _Column("Channels, mA", 20),
    _Column("Orthosis", 8),
    _Column("Outcome", 9),
)


def render_text(log: TrainingLog, width: int = 80) -> str:
    """The whole log in lines of at most `width` characters (80 or more). ASCII rules, no colour, no control codes."""
    width = max(80, width)
    parts = [_heading(log, width), ""]
    if not log.rows:
        parts.append("No trial was completed.")
    elif width >= WIDE:
        parts += _wide_table(log, width)
    else:
        parts += _narrow_tables(log, width)
    for note in log.notes:
        parts += _indented("Note: ", note, width)
    if log.worn:
        parts += ["", *_worn_table(log, width)]
    parts += ["", *_totals_table(log, width), "", *_legend(width)]
    return "\n".join(line.rstrip() for line in parts) + "\n"


def _heading(log: TrainingLog, width: int) -> str:
    facts = [
        ("Patient", log.patient),
        ("Session", log.session),
        ("Started", _moment(log.started)),
        ("Protocol", log.protocol),
    ]
    facts.append(("Ended", log.ended + (", simulated devices" if log.simulated else "")))
    title = "Task-training log"
    lines = [title, "=" * len(title), *(f"{name + ':':<10}{value or NONE}" for name, value in facts)]
    return "\n".join(textwrap.shorten(line, width, placeholder="…") if len(line) > width else line for line in lines)


def _narrow_tables(log: TrainingLog, width: int) -> list[str]:
    """One table a run of trials of the same task, whose name stands above it."""
    columns = _stretched(_NARROW, width, ("Channels, mA", "Orthosis"))
    parts: list[str] = []
    for (activity, task, side), rows in groupby(log.rows, key=lambda row: (row.activity, row.task, row.side)):
        parts += textwrap.wrap(_task_title(activity, task, side), width)
        parts += [_titles(columns), _rule(columns)]
        for row in rows:
            parts += _lines(columns, [row.clock, *_middle(row), row.orthosis, row.outcome])
            parts += _indented(" " * 7 + "aid: ", row.aid, width)
            parts += _indented(" " * 7 + "note: ", row.note, width)
        parts.append("")
    return parts[:-1]


def _wide_table(log: TrainingLog, width: int) -> list[str]:
    """Every column of the record in one table."""
    time, number, *rest = _NARROW
    columns = (
        time,
        number,
        _Column("Activity", 12),
        _Column("Task", 16),
        _Column("Side", 5),
        *rest,
        _Column("Aid", 6),
        _Column("Note", 6),
    )
    columns = _stretched(columns, width, ("Note", "Task", "Note", "Channels, mA", "Activity", "Aid"))
    parts = [_titles(columns), _rule(columns)]
    for row in log.rows:
        first, *rest_cells = _middle(row)
        cells = [row.clock, first, _words(row.activity), row.task, row.side, *rest_cells]
        parts += _lines(columns, [*cells, row.orthosis, row.outcome, row.aid, row.note])
    return parts


def _totals_table(log: TrainingLog, width: int) -> list[str]:
    counts = [
        _Column(name, len(name), True) for name in ("Attempts", "Assisted", "Completed", "Missed", "Pulses", "Min")
    ]
    counts[-1] = _Column("Min", 5, True)
    used = sum(column.width + 2 for column in counts)
    columns = (_Column("Totals", min(60, width - used)), *counts)
    parts = [_titles(columns), _rule(columns)]
    for (activity, task, side), totals in log.tasks.items():
        parts += _lines(columns, [_task_title(activity, task, side), *_counts(totals)])
    return [*parts, _rule(columns), *_lines(columns, ["Session", *_counts(log.total)])]


def _worn_table(log: TrainingLog, width: int) -> list[str]:
    """Splints and the like: when they went on and came off, and the skin before and after."""
    columns = (
        _Column("Orthoses worn", 13),
        _Column("Side", 5),
        _Column("Angle", 8, True),
        _Column("On, UTC", 8),
        _Column("Off, UTC", 8),
        _Column("Min", 5, True),
    )
    parts = [_titles(columns), _rule(columns)]
    for span in log.worn:
        angle = NONE if span.angle_deg is None else f"{span.angle_deg:g} deg"
        on, off = _clock(span.donned_at, span.donned_s), _clock(span.doffed_at, span.doffed_s)
        minutes = NONE if span.left == CUT_OFF else f"{span.minutes:.1f}"
        parts += _lines(columns, [_WORN.get(span.kind, span.kind), span.side, angle, on, off, minutes])
        parts += _indented("       ", span.left, width)
        parts += _indented("       skin before: ", span.skin_before, width)
        parts += _indented("       skin after: ", span.skin_after, width)
    return parts


def _clock(moment: str, session_s: float | None) -> str:
    """Wall time; where that is not known, +mm:ss into the session."""
    if moment:
        return moment[11:19]
    if session_s is None:
        return NONE
    minutes, seconds = divmod(int(session_s), 60)
    return f"+{minutes:02d}:{seconds:02d}"


def _legend(width: int) -> list[str]:
    return textwrap.wrap(
        "Peak/need: the patient's own peak against the attempt threshold, deg/s. Delay: from the attempt to the "
        "first current, ms. Attempts count every trial that was not missed; an assisted trial that came to its end "
        "counts as assisted and as completed.",
        width,
    )


def _task_title(activity: str, task: str, side: str) -> str:
    return " · ".join(part for part in (_words(activity), task, side) if part) or NONE


def _moment(iso: str) -> str:
    """2026-01-31T09:30:00.000+00:00 -> 2026-01-31 09:30 UTC"""
    zone = iso[23:].replace("+00:00", "UTC")
    return f"{iso[:10]} {iso[11:16]} {zone}".strip()


def _words(name: str) -> str:
    return name.replace("_", " ")


def _middle(row: LogRow) -> list[str]:
    peak, need = (NONE if value is None else f"{value:.0f}" for value in (row.peak_dps, row.threshold_dps))
    against = NONE if row.peak_dps is None and row.threshold_dps is None else f"{peak}/{need}"
    return [
        str(row.trial),
        against,
        "" if row.latency_ms is None else f"{row.latency_ms:.0f} ms",
        row.channels.replace(" mA", ""),
    ]


def _counts(totals: Totals) -> list[str]:
    pulses = "" if totals.pulses is None else str(totals.pulses)
    counts = (totals.attempts, totals.assisted, totals.completed, totals.missed)
    return [*(str(count) for count in counts), pulses, f"{totals.minutes:.1f}"]


def _stretched(columns: Sequence[_Column], width: int, hungry: Sequence[str]) -> tuple[_Column, ...]:
    """Give the spare width to the columns that hold free text, in turn."""
    spare = width - sum(column.width + 2 for column in columns) + 2
    wide = {column.title: column.width for column in columns}
    for turn in range(max(0, spare)):
        wide[hungry[turn % len(hungry)]] += 1
    return tuple(column._replace(width=wide[column.title]) for column in columns)


def _titles(columns: Sequence[_Column]) -> str:
    return _joined(columns, [column.title for column in columns])


def _rule(columns: Sequence[_Column]) -> str:
    return "  ".join("-" * column.width for column in columns)


def _lines(columns: Sequence[_Column], cells: Sequence[str]) -> list[str]:
    """One row, as many lines as its longest cell needs."""
    wrapped = [
        textwrap.wrap(cell or NONE, column.width, break_on_hyphens=False)
        for column, cell in zip(columns, cells, strict=True)
    ]
    depth = max(len(lines) for lines in wrapped)
    return [_joined(columns, [lines[at] if at < len(lines) else "" for lines in wrapped]) for at in range(depth)]


def _joined(columns: Sequence[_Column], cells: Sequence[str]) -> str:
    pairs = zip(columns, cells, strict=True)
    return "  ".join(f"{cell:>{column.width}}" if column.right else f"{cell:<{column.width}}" for column, cell in pairs)


def _indented(lead: str, text: str, width: int) -> list[str]:
    if not text:
        return []
    return textwrap.wrap(text, width, initial_indent=lead, subsequent_indent=" " * len(lead))
