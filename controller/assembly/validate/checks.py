"""The closed list of checks: each looks at one thing that a scenario left behind, and says what it found.

A check never raises: what cannot be looked at (a step that was never done, no train at all) is a check that failed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import NamedTuple

from controller.assembly.validate.model import Check
from controller.assembly.validate.witness import Line, Witness
from controller.assembly.validate.words import Range
from controller.clock import SECOND
from sim.checker_course import Span

ONCE = Range(1, float("inf"), "at least once")
TRIED_NS = 200_000_000
"""So long after the person let go a movement may still be their own."""
PERIOD_NS = 60_000_000
"""The longest time between two pulses of one train: current may flow although no pulse came since then."""


class Window(NamedTuple):
    """The time that a check looks at, ns, both ends included."""

    from_ns: int
    to_ns: int

    def has(self, t_ns: int) -> bool:
        """Whether the instant is inside."""
        return self.from_ns <= t_ns <= self.to_ns


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a check: in words, whether it is so, and a stop time in ms where it was one."""

    check: str
    wanted: str
    found: str
    good: bool
    stop_ms: float | None = None


class Missing(Exception):
    """What the check speaks of is not there; says what."""


def look(check: Check, witness: Witness) -> Found:
    """Carry out the check."""
    subject = check.subject
    wanted = getattr(check, subject)
    where = "".join(
        [
            f" after {check.after}" if check.after else "",
            f" before {check.before}" if check.before else "",
            f" within {check.within:g} s" if check.within is not None else "",
        ]
    )
    named = f"{subject.replace('_', ' ')}{where}"
    text = wanted.text if isinstance(wanted, Range) else str(wanted)
    if check.holding:
        text += f" with {check.holding}"
    if check.count is not None:
        text += f", {check.count.text} times"
    if subject == "refused":
        good = bool(witness.refusal) and wanted.lower() in witness.refusal.lower()
        return Found(named, text, witness.refusal or "it was accepted", good)
    if witness.refusal:
        return Found(named, text, f"the protocol was refused: {witness.refusal}", False)
    try:
        window = _window(check, witness)
        good, found, stop_ms = LOOKS[subject](check, witness, window)
    except Missing as missing:
        return Found(named, text, str(missing), False)
    return Found(named, text, found, good, stop_ms)


Answer = tuple[bool, str, float | None]


def _window(check: Check, witness: Witness) -> Window:
    begun_ns = witness.begun_ns
    if check.subject in ("record", "gateway", "screen", "state", "ends", "never") and not check.after:
        begun_ns = begun_ns if check.within is not None else 1
    from_ns, to_ns = begun_ns, witness.ended_ns
    if check.after:
        from_ns = _step_ns(check.after, witness)
    if check.before:
        to_ns = _step_ns(check.before, witness)
    if not from_ns:
        raise Missing("training never began")
    if check.within is not None:
        to_ns = min(to_ns, from_ns + round(check.within * SECOND))
    return Window(from_ns, to_ns)


def _step_ns(name: str, witness: Witness) -> int:
    if name not in witness.steps:
        raise Missing(f'the step "{name}" was never done')
    return witness.steps[name]


# -- counts ------------------------------------------------------------------------------------------------------------


def _counted(wanted: Range | None, times: Sequence[int], witness: Witness) -> Answer:
    wanted = wanted or ONCE
    shown = ""
    if 0 < len(times) <= 8:
        shown = " (at " + ", ".join(f"{(t_ns - witness.begun_ns) / SECOND:.2f} s" for t_ns in times) + ")"
    return wanted.holds(len(times)), f"{len(times)}{shown}", None


def _times(lines: Sequence[Line], kind: str, window: Window, holding: str = "") -> list[int]:
    return [
        line.t_ns
        for line in lines
        if line.kind == kind and window.has(line.t_ns) and (not holding or holding in _worded(line))
    ]


def _worded(line: Line) -> str:
    return ", ".join(f"{key}: {value}" for key, value in line.data.items())


def _triggers(check: Check, witness: Witness, window: Window) -> Answer:
    return _counted(check.triggers, _times(witness.record, "attempt_started", window), witness)


def _false_triggers(check: Check, witness: Witness, window: Window) -> Answer:
    times = _times(witness.record, "attempt_started", window)
    false = [t_ns for t_ns in times if not any(a <= t_ns <= b + TRIED_NS for a, b in witness.attempts)]
    good, found, _ = _counted(check.false_triggers, false, witness)
    minutes = (window.to_ns - window.from_ns) / SECOND / 60
    return good, f"{found}, {len(false) * 30 / minutes:.2f} in 30 min" if minutes else found, None


def _trains(check: Check, witness: Witness, window: Window) -> Answer:
    return _counted(check.trains, [burst.start_ns for burst in _bursts(witness, window)], witness)


def _bursts(witness: Witness, window: Window) -> list[Span]:
    return [burst for burst in witness.bursts() if window.has(burst.start_ns)]


def _pulses(check: Check, witness: Witness, window: Window) -> Answer:
    assert check.pulses is not None
    number = 0
    for train in witness.trains():
        period_ns = max(train.period_us * 1000, 1)
        for at in range(train.pulses):
            number += window.has(train.start_ns + at * period_ns)
    return check.pulses.holds(number), str(number), None


def _repetitions(check: Check, witness: Witness, window: Window) -> Answer:
    return _counted(check.repetitions, _times(witness.record, "trial", window, "completed"), witness)


def _missed(check: Check, witness: Witness, window: Window) -> Answer:
    return _counted(check.missed, _times(witness.record, "trial", window, "missed"), witness)


def _phase(check: Check, witness: Witness, window: Window) -> Answer:
    times = _times(witness.record, "phase", window, f"entered: {check.phase}")
    return _counted(check.count, times, witness)


def _record(check: Check, witness: Witness, window: Window) -> Answer:
    return _counted(check.count, _times(witness.record, check.record or "", window, check.holding), witness)


def _gateway(check: Check, witness: Witness, window: Window) -> Answer:
    return _counted(check.count, _times(witness.gateway, check.gateway or "", window, check.holding), witness)


def _screen(check: Check, witness: Witness, window: Window) -> Answer:
    words = (check.screen or "").lower()
    said = [text for t_ns, text in witness.screen if window.has(t_ns)]
    found = next((text for text in said if words in text.lower()), "")
    return bool(found), found or f"it never did; it said: {' | '.join(dict.fromkeys(said))[:400]}", None


# -- states ------------------------------------------------------------------------------------------------------------


def _visited(witness: Witness, window: Window) -> list[str]:
    entered = [state for t_ns, state in witness.states if window.has(t_ns)]
    return [witness.state_at(window.from_ns), *entered]


def _state(check: Check, witness: Witness, window: Window) -> Answer:
    visited = _visited(witness, window)
    return check.state in visited, " > ".join(dict.fromkeys(visited)), None


def _ends(check: Check, witness: Witness, window: Window) -> Answer:
    state = witness.state_at(window.to_ns)
    return state == check.ends, state, None


def _never(check: Check, witness: Witness, window: Window) -> Answer:
    visited = _visited(witness, window)
    return check.never not in visited, " > ".join(dict.fromkeys(visited)), None


# -- times and sizes ---------------------------------------------------------------------------------------------------


def _all(wanted: Range | None, values: Sequence[float], unit: str, factor: float = 1.0) -> Answer:
    """Every value is in the range, and there is at least one."""
    assert wanted is not None
    if not values:
        raise Missing("there was none")
    low, high = min(values), max(values)
    shown = f"{low * factor:.3g} {unit}" if len(values) == 1 else f"{low * factor:.3g} to {high * factor:.3g} {unit}"
    return all(isfinite(value) and wanted.holds(value) for value in values), shown, None


def _latency(check: Check, witness: Witness, window: Window) -> Answer:
    """From the onset of the attempt that was under way to the trigger."""
    values = []
    for t_ns in _times(witness.record, "attempt_started", window):
        onsets = [begin for begin, end in witness.attempts if begin <= t_ns <= end + TRIED_NS]
        if not onsets:
            raise Missing("a trigger had no attempt of the person before it")
        values.append((t_ns - max(onsets)) / SECOND)
    return _all(check.latency, values, "s")


def _last_pulse(check: Check, witness: Witness, window: Window) -> Answer:
    """From the step to the last pulse of the current that was flowing then."""
    assert check.last_pulse is not None
    flowing = [burst for burst in witness.bursts() if burst.start_ns <= window.from_ns <= burst.end_ns + PERIOD_NS]
    if not flowing:
        raise Missing("no current was flowing then")
    value = max(0, flowing[0].end_ns - window.from_ns) / SECOND
    return check.last_pulse.holds(value), f"{value * 1000:.1f} ms", value * 1000


def _pause(check: Check, witness: Witness, window: Window) -> Answer:
    bursts = _bursts(witness, window)
    gaps = [(after.start_ns - before.end_ns) / SECOND for before, after in pairwise(bursts)]
    return _all(check.pause, gaps, "s")


def _train_length(check: Check, witness: Witness, window: Window) -> Answer:
    bursts = [burst for burst in _bursts(witness, window) if burst.end_ns <= window.to_ns]
    return _all(check.train_length, [(burst.end_ns - burst.start_ns) / SECOND for burst in bursts], "s")


def _duty(check: Check, witness: Witness, window: Window) -> Answer:
    on_ns = sum(
        max(0, min(burst.end_ns, window.to_ns) - max(burst.start_ns, window.from_ns)) for burst in witness.bursts()
    )
    return _all(check.duty, [on_ns / (window.to_ns - window.from_ns)], "%", 100.0)


def _current(check: Check, witness: Witness, window: Window) -> Answer:
    most = [train.amplitude_ua / 1000 for train in witness.trains() if window.has(train.start_ns)]
    return _all(check.current, [max(most)] if most else [], "mA")


def _first_current(check: Check, witness: Witness, window: Window) -> Answer:
    first = next((train.amplitude_ua / 1000 for train in witness.trains() if window.has(train.start_ns)), None)
    return _all(check.first_current, [] if first is None else [first], "mA")


def _limb_speed(check: Check, witness: Witness, window: Window) -> Answer:
    speeds = [abs(row.speed_dps) for row in witness.limb if window.has(row.t_ns)]
    return _all(check.limb_speed, [max(speeds)] if speeds else [], "deg/s")


def _limb_turn(check: Check, witness: Witness, window: Window) -> Answer:
    angles = [row.angle_deg for row in witness.limb if window.has(row.t_ns)]
    return _all(check.limb_turn, [max(angles) - min(angles)] if angles else [], "deg")


def _force_left(check: Check, witness: Witness, window: Window) -> Answer:
    left = [share for t_ns, share in witness.force if window.has(t_ns)]
    return _all(check.force_left, left[-1:], "%", 100.0)


LOOKS: dict[str, Callable[[Check, Witness, Window], Answer]] = {
    "triggers": _triggers,
    "false_triggers": _false_triggers,
    "trains": _trains,
    "pulses": _pulses,
    "repetitions": _repetitions,
    "missed": _missed,
    "latency": _latency,
    "last_pulse": _last_pulse,
    "pause": _pause,
    "train_length": _train_length,
    "duty": _duty,
    "current": _current,
    "first_current": _first_current,
    "limb_speed": _limb_speed,
    "limb_turn": _limb_turn,
    "force_left": _force_left,
    "state": _state,
    "ends": _ends,
    "never": _never,
    "phase": _phase,
    "record": _record,
    "gateway": _gateway,
    "screen": _screen,
}
