"""Checkers at the simulated skin: they read the pulses that the unit's twin put out, and never a variable of ours.

A `Course` says what people and faults did around the skin, and when: who armed (as the scripted person did it, not as
the gateway believes), what had to stop the current. `judge` compares the twin's log of pulse trains with it and with
the limits of `sim.checker_limits`. It is asked once, at the end of a run, so it costs a run next to nothing.
"""

from collections.abc import Sequence
from typing import Any

from sim import checker_limits as limits
from sim.checker_course import GAP_NS, SESSION, Body, Course, Kind, Span, Train, Violation, bursts_of, overlaps
from sim.checker_dose import dose
from sim.checker_limits import MS

LOST_ORDERS_NS = 300 * MS
"""So long orders may be lost on a bad line before the driver misses their answers: the next one then rises at once."""


def judge(trains: Sequence[Train], body: Body, course: Course) -> list[Violation]:
    """Every rule at the skin."""
    spans = [Span(train.start_ns, train.end_ns, train.period_us * 1000) for train in trains]
    bursts = bursts_of(spans)
    return [
        *_pulses(trains, body, course),
        *_together(trains),
        *_rises(trains, course),
        *dose(bursts, trains, body, course),
        *permission(spans, course, "current"),
    ]


def unprompted(bursts: Sequence[Span], attempts: Sequence[tuple[int, int]], course: Course, within_ns: int) -> int:
    """Session bursts that began without an attempt of the person under way, or over for at most `within_ns`. No
    violation, for a knock may look like an attempt to any detector: it is reported apart."""
    return sum(
        course.scope_at(burst.start_ns) == SESSION
        and not any(begin <= burst.start_ns <= end + within_ns for begin, end in attempts)
        for burst in bursts
    )


# -- one pulse ---------------------------------------------------------------------------------------------------------


def _pulses(trains: Sequence[Train], body: Body, course: Course) -> list[Violation]:
    found: list[Violation] = []
    seen: set[tuple[Any, ...]] = set()
    for train in trains:
        scope = course.scope_at(train.start_ns)
        key = (scope, train[2:3], train[4:])
        if key not in seen:
            seen.add(key)
            # A unit that is told every single pulse makes them as a spoilt line brings them.
            spoilt = overlaps(course.untrusted, train.start_ns, train.end_ns)
            wrong = [each for each in _pulse(train, body, scope) if not (spoilt and each[0] == "frequency")]
            found += [Violation(train.start_ns, rule, text) for rule, text in wrong]
    return found


def _pulse(train: Train, body: Body, scope: str) -> list[tuple[str, str]]:
    """What is wrong with a train's pulse."""
    named, channel = body.regions.get(train.channel), train.channel
    if named is None:
        return [("channel", f"channel {channel} has no pads on this person")]
    most, found = limits.REGIONS[named], []
    ceiling_ua = body.ceilings_ua.get(channel, 0) if scope == SESSION else most.amplitude_ua
    if not 0 <= train.amplitude_ua <= min(most.amplitude_ua, ceiling_ua):
        found.append(("amplitude", f"channel {channel}: {train.amplitude_ua} uA, {ceiling_ua} uA were accepted"))
    if not 0 <= train.width_us <= most.width_us:
        found.append(("width", f"channel {channel}: {train.width_us} us of {most.width_us} us"))
    if train.period_us and not train.period_us >= most.period_us_min * 97 // 100:
        found.append(("frequency", f"channel {channel}: a pulse every {train.period_us} us"))
    if not 0 <= train.charge_pc <= most.charge_pc:
        found.append(("charge", f"channel {channel}: {train.charge_pc} pC in a phase"))
    if train.net_pc != 0:
        found.append(("net charge", f"channel {channel}: {train.net_pc} pC stay in the body with each pulse"))
    found += _heat(train, body.pads_mm2.get(channel, 0), most.period_us_min)
    return found


def _heat(train: Train, pad_mm2: int, period_us_min: int) -> list[tuple[str, str]]:
    """Rms density and mean power on the derated pad (100 mm2 = 1 cm2; a lone pulse has the shortest period)."""
    squares = 2 * train.amplitude_ua * train.charge_pc
    period_us = train.period_us or period_us_min
    allowed = limits.DENSITY_UA_PER_CM2.value * pad_mm2
    derated = 100 * limits.DERATING.value
    found = []
    if not squares * derated * derated <= allowed * allowed * period_us:
        found.append(("density", f"channel {train.channel}: more than 2 mA rms/cm2 on half of {pad_mm2} mm2"))
    power = limits.POWER_UW_PER_CM2.value * pad_mm2 * period_us * 1_000_000
    if not squares * limits.LOAD_OHM.value * derated <= power:
        found.append(("power", f"channel {train.channel}: more than 0.1 W/cm2 on half of {pad_mm2} mm2"))
    return found


def _together(trains: Sequence[Train]) -> list[Violation]:
    """At most so many channels at once."""
    found: list[Violation] = []
    running: list[Train] = []
    for train in trains:
        running = [other for other in running if other.end_ns >= train.start_ns]
        running.append(train)
        active = len({other.channel for other in running})
        if not active <= limits.CHANNELS_AT_ONCE.value:
            found.append(Violation(train.start_ns, "channels", f"{active} channels at once"))
    return found


# -- from pulse to pulse -----------------------------------------------------------------------------------------------


def _rises(trains: Sequence[Train], course: Course) -> list[Violation]:
    """At most 2 mA within 20 ms, from nothing as well; and pulses that grow no wider while current flows."""
    found: list[Violation] = []
    last: dict[int, Train] = {}
    for train in trains:
        before = last.get(train.channel)
        last[train.channel] = train
        gap_ns = GAP_NS if before is None else train.start_ns - before.end_ns
        silent = before is None or gap_ns >= GAP_NS
        level_ua, passed_ns = (0, 0) if before is None or silent else (before.amplitude_ua, gap_ns)
        since_ns = train.start_ns - LOST_ORDERS_NS
        if overlaps(course.untrusted, since_ns, train.start_ns):
            passed_ns += LOST_ORDERS_NS
        allowed_ua = limits.RISE_UA.value * (passed_ns // limits.RISE_NS.value + 1)
        if before is not None and not silent and passed_ns == gap_ns and train.width_us > before.width_us:
            found.append(Violation(train.start_ns, "wider", f"channel {train.channel}: {train.width_us} us mid-burst"))
        if train.amplitude_ua - level_ua <= allowed_ua:
            continue
        if not any(c == train.channel and a <= train.start_ns and since_ns <= b for c, a, b in course.loose):
            text = f"channel {train.channel}: from {level_ua} to {train.amplitude_ua} uA in {gap_ns // MS} ms"
            found.append(Violation(train.start_ns, "rise", text))
    return found


# -- who allowed it ----------------------------------------------------------------------------------------------------


def permission(spans: Sequence[Span], course: Course, what: str) -> list[Violation]:
    """Nothing before a person armed, nothing after an event that had to end it. `what` is "current" or "torque"."""
    found: list[Violation] = []
    first_ns = course.armed[0].t_ns if course.armed else 1 << 62
    early = _inside(spans, -(1 << 62), first_ns)
    if early is not None:
        found.append(Violation(early, "not armed", f"{what} before a person had armed"))
    for event in course.events:
        bound_ns = event.skin_ns if what == "current" else event.joint_ns
        if not bound_ns:
            continue
        if event.kind is Kind.IF_FLOWING and not any(s.start_ns <= event.t_ns < s.end_ns for s in spans):
            continue
        until_ns = event.until_ns if event.kind is Kind.DARK else course.next_armed_ns(event.t_ns)
        from_ns = event.t_ns + _slowed(bound_ns, event.t_ns, course, what)
        at_ns = _inside(spans, from_ns, until_ns)
        if at_ns is not None and not (event.session and course.scope_at(at_ns) != SESSION):
            late_ms = (at_ns - event.t_ns) // MS
            text = f"{what} {late_ms} ms after {event.cause}, {(from_ns - event.t_ns) // MS} ms are allowed"
            found.append(Violation(at_ns, "stop", text))
    return found


def _slowed(bound_ns: int, t_ns: int, course: Course, what: str) -> int:
    """The bound, or that of the device's own watchdog where software could not act."""
    skin = what == "current"
    times = course.untrusted if skin else course.joint_untrusted
    slow_ns = course.slow_ns if skin else course.joint_slow_ns
    return max(bound_ns, slow_ns) if overlaps(times, t_ns, t_ns + bound_ns) else bound_ns


def _inside(spans: Sequence[Span], after_ns: int, before_ns: int) -> int | None:
    """The first pulse between the two; None where there is none."""
    for start_ns, end_ns, period_ns in spans:
        if end_ns <= after_ns or start_ns >= before_ns:
            continue
        at_ns = start_ns
        if start_ns <= after_ns:
            at_ns = start_ns + ((after_ns - start_ns) // period_ns + 1) * period_ns if period_ns else after_ns + 1
        if at_ns < before_ns and at_ns <= end_ns:
            return at_ns
    return None
