"""Worn orthoses in the record: from `orthosis_donned` to `orthosis_doffed`, and what is still on where it ends."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from controller.record import manifest as manifests
from controller.vocabulary.chain import Record, record_of

_NAME = re.compile(r"(ses-\d{8}T\d{6})(?:-(\d+))?")
DONNED, DOFFED = "orthosis_donned", "orthosis_doffed"
KEPT_ON = "not taken off in the session"
CUT_OFF = "whether it came off is not known: the record ends while it was worn"


@dataclass(frozen=True, slots=True)
class WornSpan:
    """One orthosis, once on: seconds into the session, wall time (ISO 8601, "" where the manifest is gone), minutes.

    `angle_deg` is None where it has none. `doffed_s` is None, and `skin_after` "", where it was not taken off: then
    `minutes` count to the end of the record, and `left` says which of the two ends that was ("" where it came off).
    """

    kind: str
    side: str
    angle_deg: float | None
    donned_s: float
    donned_at: str
    skin_before: str
    doffed_s: float | None
    doffed_at: str
    skin_after: str
    minutes: float
    left: str


def worn_spans(chained: Sequence[Record], started: str, ended: str) -> list[WornSpan]:
    """Every wearing of a session in the order of donning. `started` is the manifest's wall time, `ended` its ending."""
    open_spans: dict[tuple[str, str], Record] = {}
    spans: list[tuple[Record, Record | None]] = []
    for record in chained:
        key = (str(record.data.get("kind", "")), str(record.data.get("side", "")))
        if record.kind == DONNED:
            open_spans.setdefault(key, record)
        elif record.kind == DOFFED and key in open_spans:
            spans.append((open_spans.pop(key), record))
    spans += [(record, None) for record in open_spans.values()]
    end_ns = chained[-1].t_ns if chained else 0
    left = CUT_OFF if ended == manifests.INTERRUPTED else KEPT_ON
    return [_span(on, off, started, end_ns, left) for on, off in sorted(spans, key=lambda span: span[0].seq)]


def left_on(folder: Path) -> list[WornSpan]:
    """What the patient still wore where this session's record ends; nothing for a folder without one.

    Reads only the lines that matter, unproved: it reminds a person, it decides nothing.
    """
    try:
        content = (folder / manifests.EVENTS).read_bytes()
    except OSError:
        return []
    wanted = (f'"kind":"{DONNED}"'.encode(), f'"kind":"{DOFFED}"'.encode())
    told = [record_of(line) for line in content.splitlines() if any(mark in line for mark in wanted)]
    started, ended = "", manifests.INTERRUPTED
    with contextlib.suppress(manifests.ManifestError, KeyError):
        manifest = manifests.read(folder)
        started, ended = manifest["started"], manifest["ended"]
    return [span for span in worn_spans([record for record in told if record], started, ended) if span.left]


def look_back(folder: str) -> tuple[WornSpan, ...]:
    """What the same patient still wore where the session before the one in `folder` ends."""
    before = session_before(Path(folder)) if folder else None
    return () if before is None else tuple(left_on(before))


def session_before(folder: Path) -> Path | None:
    """The same patient's session before this one; None for the first."""
    here = _order(folder)
    earlier = [path for path in folder.parent.glob("ses-*") if path.is_dir() and ("", 0) < _order(path) < here]
    return max(earlier, key=_order, default=None)


def _order(folder: Path) -> tuple[str, int]:
    """Sorts `ses-<time>`, `ses-<time>-2`, ...; ("", 0) for another name."""
    found = _NAME.fullmatch(folder.name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def _span(on: Record, off: Record | None, started: str, end_ns: int, left: str) -> WornSpan:
    angle_cdeg = on.data.get("angle_cdeg")
    until_ns = off.t_ns if off is not None else end_ns
    return WornSpan(
        kind=str(on.data.get("kind", "")),
        side=str(on.data.get("side", "")),
        angle_deg=angle_cdeg / 100 if isinstance(angle_cdeg, int) else None,
        donned_s=on.t_ns / 1e9,
        donned_at=_moment(started, on.t_ns),
        skin_before=str(on.data.get("skin", "")),
        doffed_s=None if off is None else off.t_ns / 1e9,
        doffed_at="" if off is None else _moment(started, off.t_ns),
        skin_after="" if off is None else str(off.data.get("skin", "")),
        minutes=max(0, until_ns - on.t_ns) / 60e9,
        left="" if off is not None else left,
    )


def _moment(started: str, t_ns: int) -> str:
    """Wall time of an instant of the session, to the second; "" where the start is not known."""
    try:
        moment = datetime.fromisoformat(started) + timedelta(microseconds=t_ns // 1000)
    except ValueError:
        return ""
    return moment.isoformat(timespec="seconds")
