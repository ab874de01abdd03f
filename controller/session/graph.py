"""The graph of an activity's phases, as numbers: what can be reached, and how long current can flow without a pause."""

from collections.abc import Callable

from controller.session.conditions import Condition, Kind
from controller.session.model import Activity, Follow, Phase

UNLIMITED_NS = 1 << 62
"""Stands for a phase without a time limit."""


def sure_ns(phase: Phase, condition: Condition) -> int | None:
    """The time by which a way out is taken whatever the patient does, in ns; None when there is none."""
    found = [condition.sure_after_ns()]
    if phase.until is None and any(len(group) == 1 and group[0].kind is Kind.DONE for group in condition.any_of):
        found.append(phase.at_least_ns)
    return min((value for value in found if value is not None), default=None)


def limit_ns(phase: Phase) -> int | None:
    """The longest that a phase can last, in ns; None when it can last for ever."""
    found = [sure_ns(phase, condition) for condition, _ in phase.ways()]
    return min((value for value in found if value is not None), default=None)


def stimulates(phase: Phase) -> bool:
    """Whether current can flow in this phase."""
    return any(most_permille(share) > 0 for share in phase.stimulate.values())


def moves(phase: Phase) -> bool:
    """Whether the powered orthosis pushes in this phase."""
    return phase.orthosis is not None


def most_permille(share: int | Follow) -> int:
    """The most that a share can ask for, per mille of the ceiling."""
    return max(share.least_permille, share.most_permille) if isinstance(share, Follow) else share


def wants_attempt(phase: Phase) -> bool:
    """Whether a way out waits for the patient's attempt."""
    return any(Kind.ATTEMPT in condition.kinds() for condition, _ in phase.ways())


def targets(activity: Activity, name: str) -> list[str]:
    """Where the ways out of a phase lead, those that exist."""
    return [to for _, to in activity.phases[name].ways() if to in activity.phases]


def reachable(activity: Activity) -> set[str]:
    """All phases that can be reached from the first one, itself included."""
    pending = list(activity.phases)[:1]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(targets(activity, name))
    return seen


def circle(edges: dict[str, list[str]]) -> list[str]:
    """A circle in `edges` (each phase with those that follow it), as names in order; empty when there is none."""
    left = dict(edges)
    ends = [""]
    while ends:
        ends = [name for name, following in left.items() if not any(to in left for to in following)]
        for name in ends:
            del left[name]
    trail: list[str] = []
    name = next(iter(left), "")
    while name and name not in trail:
        trail.append(name)
        name = next(to for to in left[name] if to in left)
    return trail[trail.index(name) :] if name else []


def flowing(activity: Activity, active: Callable[[Phase], bool] = stimulates) -> dict[str, list[str]]:
    """The phases that are `active` (that stimulate), each with those of them that can follow it."""
    names = {name for name, phase in activity.phases.items() if active(phase)}
    ordered = [name for name in activity.phases if name in names]
    return {name: [to for to in targets(activity, name) if to in names] for name in ordered}


def passing(activity: Activity) -> dict[str, list[str]]:
    """Phases that can end the moment they begin, each with where they then lead."""
    edges: dict[str, list[str]] = {}
    for name, phase in activity.phases.items():
        at_once = [to for condition, to in phase.ways() if sure_ns(phase, condition) == 0]
        if at_once:
            edges[name] = [to for to in at_once if to in activity.phases]
    return edges


def on_time_ns(activity: Activity, channel: str) -> int:
    """The longest that current can flow without a pause on a path that uses `channel`, in ns, ramp down not included.

    Stimulating phases must not form a circle (checked before).
    """
    return _unbroken_ns(activity, stimulates, lambda phase: channel in phase.stimulate)


def moving_ns(activity: Activity) -> int:
    """The longest that the orthosis can push without a pause, in ns. Phases that move must not form a circle."""
    return _unbroken_ns(activity, moves, moves)


def _unbroken_ns(activity: Activity, active: Callable[[Phase], bool], counted: Callable[[Phase], bool]) -> int:
    ahead = flowing(activity, active)
    behind: dict[str, list[str]] = {name: [] for name in ahead}
    for name, following in ahead.items():
        for to in following:
            behind[to].append(name)
    longest = 0
    for name in ahead:
        if counted(activity.phases[name]):
            own = _own_ns(activity, name)
            total = _longest(activity, name, ahead, {}) + _longest(activity, name, behind, {}) - own
            longest = max(longest, min(total, UNLIMITED_NS))
    return longest


def _own_ns(activity: Activity, name: str) -> int:
    limit = limit_ns(activity.phases[name])
    return UNLIMITED_NS if limit is None else limit


def _longest(activity: Activity, name: str, edges: dict[str, list[str]], known: dict[str, int]) -> int:
    """Longest sum of limits along `edges` from `name`; at most 64 deep, because no circle exists."""
    if name not in known:
        further = max((_longest(activity, to, edges, known) for to in edges[name]), default=0)
        known[name] = _own_ns(activity, name) + further
    return known[name]
