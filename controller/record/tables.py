"""The two tables of a session folder, `trials.tsv` and `stim.tsv`: columns, cells, and reading them back.

Tab-separated, one header line, times in seconds from the session's start, `n/a` for what is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MISSING = "n/a"

TRIAL_COLUMNS = (
    "trial",
    "t_s",
    "activity",
    "task",
    "side",
    "peak_dps",
    "threshold_dps",
    "latency_ms",
    "channels",
    "orthosis",
    "outcome",
    "aid",
    "note",
)
STIM_COLUMNS = (
    "onset_s",
    "duration_s",
    "channel",
    "amplitude_ma",
    "width_us",
    "rate_hz",
    "pulses",
    "charge_uc",
    "purpose",
    "trial",
)


class Outcome(StrEnum):
    """How a trial ended."""

    COMPLETED = "completed"  # to its end: a repetition
    ASSISTED = "assisted"  # an attempt was seen and helped, but the movement did not come to its end
    MISSED = "missed"  # no attempt in time


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as the therapist files it.

    `task` in words. `peak_dps` is the patient's own peak before help, `threshold_dps` the attempt threshold (deg/s),
    `latency_ms` from the attempt to the first current. `channels` are (name, amplitude in uA); `orthosis`, `aid` and
    `note` are "" where there was none.
    """

    trial: int
    activity: str
    task: str
    side: str
    outcome: Outcome
    peak_dps: float | None = None
    threshold_dps: float | None = None
    latency_ms: float | None = None
    channels: tuple[tuple[str, int], ...] = ()
    orthosis: str = ""
    aid: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stim:
    """One commanded train of equal pulses on one channel: us, uA, ns, nC; `trial` 0 outside trials."""

    duration_ns: int
    channel: int
    amplitude_ua: int
    width_us: int
    period_us: int
    purpose: str
    pulses: int | None = None
    charge_nc: int | None = None
    trial: int = 0


def header_line(columns: Sequence[str]) -> bytes:
    """The first line of a table."""
    return ("\t".join(columns) + "\n").encode()


def line(cells: Sequence[str]) -> bytes:
    """One row; tabs and line ends inside a cell become blanks."""
    return ("\t".join(" ".join(cell.split()) or MISSING for cell in cells) + "\n").encode("utf-8", "replace")


def milliamperes(amplitude_ua: int) -> str:
    """12500 -> `12.5`, 8000 -> `8`: exact, without a float."""
    whole, rest = divmod(amplitude_ua, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def trial_data(trial: Trial) -> dict[str, Any]:
    """What the journal's `trial` record holds."""
    return asdict(trial)


def trial_cells(t_ns: int, data: Mapping[str, Any]) -> list[str]:
    """The row of `trials.tsv` that belongs to a `trial` record at `t_ns` (ns from the session's start)."""
    channels = "; ".join(f"{name} {milliamperes(amplitude)} mA" for name, amplitude in data.get("channels") or ())
    given = {**data, "t_s": f"{t_ns / 1e9:.3f}", "channels": channels}
    return [_cell(given.get(column)) for column in TRIAL_COLUMNS]


def stim_cells(t_ns: int, stim: Stim) -> list[str]:
    """The row of `stim.tsv` for a train that began at `t_ns` (ns from the session's start)."""
    charge = "" if stim.charge_nc is None else milliamperes(stim.charge_nc)  # nC to uC is the same thousand
    return [
        f"{t_ns / 1e9:.3f}",
        f"{stim.duration_ns / 1e9:.3f}",
        str(stim.channel),
        milliamperes(stim.amplitude_ua),
        str(stim.width_us),
        f"{1e6 / stim.period_us:.2f}" if stim.period_us else "",
        _cell(stim.pulses),
        charge,
        stim.purpose,
        _cell(stim.trial or None),
    ]


def read_table(content: bytes, columns: Sequence[str]) -> tuple[list[dict[str, str]], bool]:
    """(rows as column -> cell with "" for missing, whole). `whole` is False for a torn or foreign table."""
    *lines, torn = content.split(b"\n")
    rows = []
    whole = not torn and bool(lines) and lines[0] + b"\n" == header_line(columns)
    for raw in lines[1:]:
        cells = raw.decode("utf-8", "replace").split("\t")
        if len(cells) != len(columns):
            whole = False
            continue
        rows.append({name: "" if cell == MISSING else cell for name, cell in zip(columns, cells, strict=True)})
    return rows, whole


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)
