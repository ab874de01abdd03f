"""The checkers' longer view: how long current was on, how long it rested, and how much there was of it.

In a burst, in a minute, in ten minutes and in a day. Where a loose pad or a bad line broke a burst, what follows counts
as the same one.
"""

from collections.abc import Sequence

from sim import checker_limits as limits
from sim.checker_course import FITTING, GAP_NS, Body, Course, Span, Train, Violation, overlaps
from sim.checker_limits import MS, SECOND

TOLERANCE_NS = 60 * MS
"""What a busy gateway and the phase of the pulse clock may add to a length or take from a rest."""
DRIFT_PERCENT = 2
"""No computer's clock runs further from the truth, in the worlds that are drawn."""


def dose(bursts: Sequence[Span], trains: Sequence[Train], body: Body, course: Course) -> list[Violation]:
    """On-time, rest, bursts of a minute, half of ten minutes, and the day."""
    return [*_lengths(bursts, trains, body, course), *_lately(bursts, course)]


def _lengths(bursts: Sequence[Span], trains: Sequence[Train], body: Body, course: Course) -> list[Violation]:
    """On-time, rest and the day."""
    found: list[Violation] = []
    longest_ns = min((limits.REGIONS[name].on_ns for name in body.regions.values()), default=0)
    before: Span | None = None
    for burst in bursts:
        on_ns = burst.end_ns - burst.start_ns
        most_ns = limits.FITTING_ON_NS.value if course.scope_at(burst.start_ns) == FITTING else longest_ns
        if overlaps(course.untrusted, burst.start_ns, burst.end_ns):
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


def _lately(bursts: Sequence[Span], course: Course) -> list[Violation]:
    """Bursts begun within a minute, and current within ten. A window in which the clock jumped is not judged."""
    found: list[Violation] = []
    begun: list[Span] = []
    for number, burst in enumerate(bursts):
        if not number or not _broken(bursts[number - 1], burst, course):
            begun.append(burst)
        now_ns, minute_ns = burst.end_ns, limits.MINUTE_NS * (100 - DRIFT_PERCENT) // 100
        crowd = [each for each in begun if each.start_ns > burst.start_ns - minute_ns]
        if not (len(crowd) <= limits.BURSTS_A_MINUTE.value or _jumped(course, crowd[0].start_ns, now_ns)):
            found.append(Violation(burst.start_ns, "crowd", f"{len(crowd)} bursts within a minute"))
        from_ns = now_ns - limits.DUTY_WINDOW_NS
        recent = [each for each in bursts[: number + 1] if each.end_ns > from_ns]
        on_ns = sum(each.end_ns - max(each.start_ns, from_ns) for each in recent)
        most_ns = limits.DUTY_NS.value * (100 + DRIFT_PERCENT) // 100 + TOLERANCE_NS * len(recent)
        if not (on_ns <= most_ns or _jumped(course, from_ns, now_ns)):
            found.append(Violation(now_ns, "duty", f"{on_ns // SECOND} s of current within ten minutes"))
    return found


def _jumped(course: Course, from_ns: int, to_ns: int) -> bool:
    return any(from_ns <= at_ns <= to_ns for at_ns in course.stepped_ns)


def _broken(before: Span, burst: Span, course: Course) -> bool:
    """The pause between the two was (or may have been) made by a loose pad or a line that lost what was said."""
    loose = any(a <= burst.start_ns + GAP_NS and before.end_ns - GAP_NS <= b for _, a, b in course.loose)
    blind = any(before.end_ns - GAP_NS <= at_ns <= burst.start_ns for at_ns in course.blind_ns)
    return loose or blind or overlaps(course.untrusted, before.end_ns - GAP_NS, burst.start_ns)
