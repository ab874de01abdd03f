"""What must hold across the keys of a protocol: phases that lead somewhere, and limits of the body region."""

from collections.abc import Iterator
from typing import NamedTuple

from controller.session import graph
from controller.session.attempts import outside_bounds
from controller.session.conditions import BLANKED, MOVEMENT, Kind
from controller.session.faults import suggest
from controller.session.joint_checks import joint_findings
from controller.session.model import Activity, Follow, Phase, Protocol
from controller.session.nodes import Path
from controller.session.prescription import prescription_findings

PHASES_MAX = 64


class Finding(NamedTuple):
    """A fault by its path in the protocol; `key` points at the key instead of its value."""

    path: Path
    rule: str
    message: str
    fix: str
    key: bool = True


def check(protocol: Protocol) -> Iterator[Finding]:
    """All faults of a protocol whose keys and values are each right in themselves."""
    for path, rule, message, fix in prescription_findings(protocol):
        yield Finding(path, rule, message, fix, key=path[0] == "activity")
    for path, rule, message, fix in joint_findings(protocol):
        yield Finding(path, rule, message, fix)
    if protocol.attempt:
        for below, message, fix in outside_bounds(protocol.attempt):
            yield Finding(("attempt", *below), "UNT002", message, fix, key=False)
    if protocol.session.activity not in protocol.activity:
        message = f'there is no activity "{protocol.session.activity}"'
        fix = suggest(protocol.session.activity, protocol.activity)
        yield Finding(("session", "activity"), "ACT012", message, fix, key=False)
    for name, activity in protocol.activity.items():
        yield from _activity(protocol, activity, ("activity", name, "phases"))


def _activity(protocol: Protocol, activity: Activity, path: Path) -> Iterator[Finding]:
    if not 1 <= len(activity.phases) <= PHASES_MAX:
        yield Finding(path, "ACT008", f"there are {len(activity.phases)} phases", f"write 1 to {PHASES_MAX} phases")
        return
    for name, phase in activity.phases.items():
        here = (*path, name)
        yield from _ways(activity, phase, here, name)
        yield from _needs(protocol, phase, here)
        yield from _stimulation(protocol, phase, here, name)
    yield from _whole(activity, path)


def _ways(activity: Activity, phase: Phase, path: Path, name: str) -> Iterator[Finding]:
    if not phase.ways():
        yield Finding(
            path, "ACT003", f'phase "{name}" has no way out', "add `then: phase`, or `then: {after 5 s: phase}`"
        )
        return
    seen: dict[object, str] = {}
    for condition, to in phase.ways():
        way = (*path, "then", condition.text)
        if to not in activity.phases:
            message = f'phase "{name}" leads to "{to}", which does not exist'
            yield Finding(way, "ACT001", message, suggest(to, activity.phases), key=False)
        if condition.any_of in seen:
            message = f'"{condition.text}" says the same as "{seen[condition.any_of]}"'
            yield Finding(way, "ACT011", message, "keep one of the two")
        seen[condition.any_of] = condition.text
    held = phase.at_least_ns > 0 or phase.until is not None
    if held and not any(Kind.DONE in condition.kinds() for condition, _ in phase.ways()):
        message = f'phase "{name}" has at_least or until, but no way out that waits for them'
        yield Finding((*path, "then"), "ACT013", message, "write `done: phase` among its ways out")
    yield from _never(phase, path)


def _never(phase: Phase, path: Path) -> Iterator[Finding]:
    """A way that rests on time alone is never taken when another way is sure to be taken by then."""
    surest: tuple[int, str] | None = None
    for condition, _ in phase.ways():
        sure = graph.sure_ns(phase, condition)
        if surest and sure is not None and sure >= surest[0] and condition.kinds() <= {Kind.AFTER, Kind.DONE}:
            message = f'"{condition.text}" is never taken: "{surest[1]}" always comes first'
            yield Finding((*path, "then", condition.text), "ACT014", message, "shorten its time, or remove it")
        if sure is not None and (surest is None or sure < surest[0]):
            surest = (sure, condition.text)


def _needs(protocol: Protocol, phase: Phase, path: Path) -> Iterator[Finding]:
    for condition, _ in phase.ways():
        kinds = condition.kinds()
        way = (*path, "then", condition.text)
        if protocol.puck is None and kinds & set(MOVEMENT):
            words = " and ".join(sorted(kinds & set(MOVEMENT)))
            yield Finding(way, "ACT005", f"{words} needs a puck, and the protocol declares none", "add `puck:`")
        elif protocol.attempt is None and Kind.ATTEMPT in kinds:
            fix = "add `attempt: {window: 6 s}` or `attempt: {self_paced: true}`"
            yield Finding(way, "ACT005", "attempt needs `attempt:`, and the protocol has none", fix)
        blanked = kinds & set(BLANKED)
        if blanked and (graph.stimulates(phase) or graph.moves(phase)):
            words = " and ".join(sorted(blanked))
            message = f"{words} is not looked at while current flows or the orthosis pushes"
            yield Finding(way, "ACT017", message, "wait for it in a phase without help, or use `button pedal` or angle")
    if protocol.puck is None and phase.until is not None:
        yield Finding((*path, "until"), "ACT005", "quiet needs a puck, and the protocol declares none", "add `puck:`")


def _stimulation(protocol: Protocol, phase: Phase, path: Path, name: str) -> Iterator[Finding]:
    for channel, share in phase.stimulate.items():
        at = (*path, "stimulate", channel)
        if channel not in protocol.channels:
            message = f'there is no channel "{channel}"'
            yield Finding(at, "ACT006", message, suggest(channel, protocol.channels))
        if isinstance(share, Follow) and not share.from_mdeg < share.to_mdeg:
            yield Finding(
                (*at, "to"), "UNT002", "`to` must be a larger angle than `from`", "exchange the two", key=False
            )
        if isinstance(share, Follow) and protocol.puck is None:
            yield Finding(
                (*at, "follow"), "ACT005", "follow needs a puck, and the protocol declares none", "add `puck:`"
            )
    if graph.stimulates(phase) and graph.limit_ns(phase) is None:
        message = f'phase "{name}" stimulates and has no time limit'
        yield Finding(path, "SAF009", message, "add a way out that time alone opens: `after 5 s: phase`")


def _whole(activity: Activity, path: Path) -> Iterator[Finding]:
    found = graph.reachable(activity)
    first = next(iter(activity.phases))
    for name in activity.phases:
        if name not in found:
            message = f'phase "{name}" is never reached from "{first}"'
            yield Finding((*path, name), "ACT002", message, "name it under `then` of another phase, or remove it")
    if not any(activity.phases[name].counts == "repetition" for name in activity.phases if name in found):
        fix = "add `counts: repetition` to the phase that ends a completed repetition"
        yield Finding(path, "ACT007", "no phase counts a repetition", fix)
    stuck = graph.circle(graph.passing(activity))
    if stuck:
        message = f"these phases pass at once, for ever: {' > '.join([*stuck, stuck[0]])}"
        yield Finding((*path, stuck[0]), "ACT010", message, "give one of them `at_least: 1 s`")
