"""What a demonstration reports: the engine's counts, the twin's own log, and where the record is."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Keys that others' scripts rely on. `latency_ms` is None on the virtual clock; times in s of the motion."""

    attempts: int
    triggers: int
    trigger_times_s: tuple[float, ...]
    assisted: int
    completed: int
    missed: int
    refused: int
    pulses: int
    charge_uc: float
    latency_ms: dict[str, Any] | None
    session: str
    ended: str

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def skin_totals(entries: Iterable[Mapping[str, Any]]) -> tuple[int, float]:
    """(pulses, charge in uC) that the twin delivered, from its log of pulse trains."""
    pulses = charge_nc = 0
    for entry in entries:
        if entry.get("kind") == "train":
            pulses += entry["pulses"]
            charge_nc += entry["charge_nc"]
    return pulses, charge_nc / 1000


def twin_log(path: Path) -> list[dict[str, Any]]:
    """The entries of a twin's log file; a last line that is still being written is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def collect(folder: Path, trains: Sequence[Mapping[str, Any]], real_time: bool) -> DemoResult:
    """Read a closed session folder and the twin's log."""
    from controller.record import manifest
    from controller.record.merge import records

    events = list(records(folder / manifest.EVENTS))
    tally: Mapping[str, Any] = next((event.data for event in reversed(events) if event.kind == "tally"), {})
    attempts = [event for event in events if event.kind == "attempt_started"]
    bursts = [event.data for event in events if event.kind == "burst_started" and event.data.get("written_ns")]
    ended = next((event.data.get("ended", "") for event in reversed(events) if event.kind == "session_closed"), "")
    pulses, charge_uc = skin_totals(trains)
    return DemoResult(
        attempts=tally.get("attempts", len(attempts)),
        triggers=len(attempts),
        trigger_times_s=tuple(_motion_time_s(event, _played_us(trains)) for event in attempts),
        assisted=tally.get("assisted", 0),
        completed=tally.get("completed", 0),
        missed=tally.get("missed", 0),
        refused=tally.get("refused", 0),
        pulses=pulses,
        charge_uc=round(charge_uc, 3),
        latency_ms=_latency(bursts) if real_time else None,
        session=str(folder),
        ended=ended,
    )


def _played_us(entries: Iterable[Mapping[str, Any]]) -> int | None:
    """The puck's own time at the start of the recording; None where none was played."""
    return next((entry["puck_us"] for entry in entries if entry.get("event") == "play"), None)


def _motion_time_s(event: Any, played_us: int | None) -> float:
    """Time of a trigger within the recording by the puck's own clock; without a recording: within the session."""
    puck_us: int | None = event.data.get("puck_us")
    seconds: float = event.t_ns / 1e9 if puck_us is None or played_us is None else (puck_us - played_us) / 1e6
    return round(seconds, 3)


STAGES = (("dwell", "crossed", "detected"), ("engine", "detected", "received"), ("gateway", "received", "written"))


def _latency(bursts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Median and p95 from the crossing to the first written current, and the median of each stage, in ms."""
    if not bursts:
        return {"median": None, "p95": None, "stages": {}}
    total = sorted(burst["written_ns"] / 1e6 for burst in bursts)
    stages = {}
    for name, start, end in STAGES:
        values = [(burst[f"{end}_ns"] - burst.get(f"{start}_ns", 0)) / 1e6 for burst in bursts]
        stages[name] = round(statistics.median(values), 3)
    p95 = total[min(len(total) - 1, -(-len(total) * 95 // 100) - 1)]
    return {"median": round(statistics.median(total), 3), "p95": round(p95, 3), "stages": stages}
