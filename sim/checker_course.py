"""What the checkers compare: the log of the unit's twin, and what people and faults did around the skin, and when."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sim.checker_limits import MS

GAP_NS = 200 * MS
"""A pause longer than this ends a burst; the slowest train that any protocol may ask for is far faster."""
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
    for torque). `loose` are (channel, from, to) of a pad without contact; `stepped_ns` when the computer's
    clock jumped, `blind_ns` when nobody could notice it. Times in ns of the world.
    """

    armed: list[Armed] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    untrusted: list[tuple[int, int]] = field(default_factory=list)
    joint_untrusted: list[tuple[int, int]] = field(default_factory=list)
    loose: list[tuple[int, int, int]] = field(default_factory=list)
    blind_ns: list[int] = field(default_factory=list)
    stepped_ns: list[int] = field(default_factory=list)
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


def bursts_of(spans: Sequence[Span]) -> list[Span]:
    """Output on any channel, joined where no pause is longer than `GAP_NS`."""
    bursts: list[Span] = []
    for span in spans:
        if bursts and span.start_ns - bursts[-1].end_ns <= GAP_NS:
            bursts[-1] = Span(bursts[-1].start_ns, max(bursts[-1].end_ns, span.end_ns))
        else:
            bursts.append(Span(span.start_ns, span.end_ns))
    return bursts


def overlaps(times: Iterable[tuple[int, int]], from_ns: int, to_ns: int) -> bool:
    """Any of them touches the time from the one to the other."""
    return any(begin <= to_ns and from_ns <= end for begin, end in times)
