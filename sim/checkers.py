"""Checkers at the simulated skin: they read the pulses that the unit's twin put out, and never a variable of ours.

A `Course` says what people and faults did around the skin, and when: who armed (as the scripted person did it, not as
the gateway believes), what had to stop the current. `judge` compares the twin's log of pulse trains with it and with
the limits of `sim.checker_limits`. It is asked once, at the end of a run, so it costs a run next to nothing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sim import checker_limits as limits
from sim.checker_limits import MS, SECOND

GAP_NS = 200 * MS
"""A pause longer than this ends a burst; the slowest train that any protocol may ask for is far faster."""
TOLERANCE_NS = 60 * MS
"""What a busy gateway and the phase of the pulse clock may add to a length or take from a rest."""
LOST_ORDERS_NS = 300 * MS
"""So long orders may be lost on a bad line before the driver misses their answers: the next one then rises at once."""
SESSION, FITTING = "session", "fitting"


class Violation(NamedTuple):
    """What was found at the skin or the joint that must not be: when, which rule of the checker, and in words."""

    at_ns: int
    rule: str
    text: str


class Train(NamedTuple):
    """An unbroken run of equal pulses at the skin; charges of one pulse in pC (uA x us)."""

    start_ns: int
    end_ns: int
    channel: int
    pulses: int
    amplitude_ua: int
    width_us: int
    period_us: int
    charge_pc: int
    net_pc: int


class Span(NamedTuple):
    """Output from the first to the last pulse (or instant of torque), with the time between two of them."""

    start_ns: int
    end_ns: int
    period_ns: int = 0


class Armed(NamedTuple):
    """A person armed: the second key, with the right number, at `t_ns`."""

    t_ns: int
    scope: str


class Kind(StrEnum):
    """What an event asks of the output."""

    STOP = "stop"  # dark after the bound, until a person arms again
    IF_FLOWING = "if flowing"  # the same, where output was on at that instant
    DARK = "dark"  # dark after the bound, until the event is over


class Event(NamedTuple):
    """Something that has to end the output. A bound of 0 means that this output has nothing to do with it.

    `bound_ns` holds where software can act, for current and for torque; `session` alone: fitting goes on.
    """

    kind: Kind
    t_ns: int
    until_ns: int
    skin_ns: int
    joint_ns: int
    cause: str
    session: bool = False


@dataclass
class Course:
    """What people and faults did. `untrusted` are times in which the last word is the device's own watchdog.

    That is while its cable spoils what is sent, or nobody is there to send: a bound is then `slow_ns` (`joint_slow_ns`
    for torque). `loose` are (channel, from, to) of a pad without contact. Times in ns of the world.
    """

    armed: list[Armed] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    untrusted: list[tuple[int, int]] = field(default_factory=list)
    joint_untrusted: list[tuple[int, int]] = field(default_factory=list)
    loose: list[tuple[int, int, int]] = field(default_factory=list)
    blind_ns: list[int] = field(default_factory=list)
    slow_ns: int = 2_500 * MS
    joint_slow_ns: int = 1_500 * MS

    def scope_at(self, t_ns: int) -> str:
        """What a person had armed for last, "" before the first time."""
        at = bisect_right(self.armed, t_ns, key=lambda armed: armed.t_ns)
        return self.armed[at - 1].scope if at else ""

    def next_armed_ns(self, t_ns: int) -> int:
        """When a person armed next after `t_ns`; far away if never."""
        at = bisect_right(self.armed, t_ns, key=lambda armed: armed.t_ns)
        return self.armed[at].t_ns if at < len(self.armed) else 1 << 62


@dataclass(frozen=True, slots=True)
class Body:
    """What the current meets: channel -> region, channel -> pad in mm2, channel -> most current ever accepted (uA)."""

    regions: Mapping[int, str]
    pads_mm2: Mapping[int, int]
    ceilings_ua: Mapping[int, int]


def trains_of(log: Iterable[Mapping[str, Any]]) -> list[Train]:
    """The pulse trains of a twin's log, by their start."""
    return sorted(
        Train(
            entry["t_start_ns"],
            entry["t_end_ns"],
            entry["channel"],
            entry["pulses"],
            entry["amplitude_ua"],
            entry["width_us"],
            entry["period_us"],
            round(entry["charge_nc"] * 1000 / entry["pulses"]),
            round(entry.get("net_nc", 0) * 1000 / entry["pulses"]),
        )
        for entry in log
        if entry.get("kind") == "train"
    )


def judge(trains: Sequence[Train], body: Body, course: Course) -> list[Violation]:
    """Every rule at the skin."""
    spans = [Span(train.start_ns, train.end_ns, train.period_us * 1000) for train in trains]
    bursts = bursts_of(spans)
    return [
        *_pulses(trains, body, course),
        *_together(trains),
        *_rises(trains, course),
        *_lengths(bursts, trains, body, course),
        *permission(spans, course, "current"),
    ]


def bursts_of(spans: Sequence[Span]) -> list[Span]:
    """Output on any channel, joined where no pause is longer than `GAP_NS`."""
    bursts: list[Span] = []
    for span in spans:
        if bursts and span.start_ns - bursts[-1].end_ns <= GAP_NS:
            bursts[-1] = Span(bursts[-1].start_ns, max(bursts[-1].end_ns, span.end_ns))
        else:
            bursts.append(Span(span.start_ns, span.end_ns))
    return bursts


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
            spoilt = _overlaps(course.untrusted, train.start_ns, train.end_ns)
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
        if _overlaps(course.untrusted, since_ns, train.start_ns):
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


def _lengths(bursts: Sequence[Span], trains: Sequence[Train], body: Body, course: Course) -> list[Violation]:
    """On-time, rest and the dose of the day."""
    found: list[Violation] = []
    longest_ns = min((limits.REGIONS[name].on_ns for name in body.regions.values()), default=0)
    before: Span | None = None
    for burst in bursts:
        on_ns = burst.end_ns - burst.start_ns
        most_ns = limits.FITTING_ON_NS.value if course.scope_at(burst.start_ns) == FITTING else longest_ns
        if _overlaps(course.untrusted, burst.start_ns, burst.end_ns):
            most_ns += course.slow_ns
        if not on_ns <= most_ns + TOLERANCE_NS:
            found.append(Violation(burst.end_ns, "on-time", f"{on_ns // MS} ms without a pause; {most_ns // MS} ms"))
        if before is not None and not _broken(before, burst, course):
            rest_ns = burst.start_ns - before.end_ns
            least_ns = max(limits.REST_NS.value, (before.end_ns - before.start_ns) // 2)
            if not rest_ns >= least_ns - TOLERANCE_NS:
                text = f"{rest_ns // MS} ms of rest after a burst, {least_ns // MS} ms are due"
                found.append(Violation(burst.start_ns, "rest", text))
        before = burst
    on_ns = sum(burst.end_ns - burst.start_ns for burst in bursts)
    if not (len(bursts) <= limits.BURSTS_A_DAY.value and on_ns <= limits.ON_NS_A_DAY.value):
        found.append(Violation(trains[-1].end_ns, "dose", f"{len(bursts)} bursts, {on_ns // SECOND} s of current"))
    return found


def _broken(before: Span, burst: Span, course: Course) -> bool:
    """The pause between the two was (or may have been) made by a loose pad or a line that lost what was said."""
    loose = any(a <= burst.start_ns + GAP_NS and before.end_ns - GAP_NS <= b for _, a, b in course.loose)
    blind = any(before.end_ns - GAP_NS <= at_ns <= burst.start_ns for at_ns in course.blind_ns)
    return loose or blind or _overlaps(course.untrusted, before.end_ns - GAP_NS, burst.start_ns)


def _overlaps(times: Iterable[tuple[int, int]], from_ns: int, to_ns: int) -> bool:
    return any(begin <= to_ns and from_ns <= end for begin, end in times)


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
    return max(bound_ns, slow_ns) if _overlaps(times, t_ns, t_ns + bound_ns) else bound_ns


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
