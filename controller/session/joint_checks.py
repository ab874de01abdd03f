"""What a protocol asks of a powered orthosis, against the caps of the joint and against its own current.

The guard checks all of it again on every order. Here the author learns of it, with the line and a figure that fits.
"""

from collections.abc import Iterator

from controller.session import graph
from controller.session.faults import suggest
from controller.session.model import Move, Orthosis, Phase, Protocol, Way
from controller.session.nodes import Path
from safety.joint_limits import JOINT_CAPS, JointCap
from safety.position import Position

MS = 1_000_000
MOTION_LATENESS_NS = 500_000_000
"""Allowance for letting go over its ramp, and for the last tick: it pushes a little longer than the phases say."""

Found = tuple[Path, str, str, str]


def joint_findings(protocol: Protocol) -> Iterator[Found]:
    """(path, rule, message, fix) for each fault in what is asked of the orthosis."""
    worn = protocol.orthosis
    if worn is not None:
        yield from _whole(protocol, worn)
    for name, activity in protocol.activity.items():
        path: Path = ("activity", name, "phases")
        for key, phase in activity.phases.items():
            if phase.orthosis is not None:
                yield from _phase(protocol, worn, phase, phase.orthosis, (*path, key, "orthosis"))
        if worn is not None:
            yield from _time(protocol, name, JOINT_CAPS[worn.joint], path)


def _whole(protocol: Protocol, worn: Orthosis) -> Iterator[Found]:
    cap, path = JOINT_CAPS[worn.joint], ("orthosis",)
    where = f"the cap of the {worn.joint.value} is"
    source = f"(safety/joint_limits.py, {cap.source})"
    if not worn.torque_mnm <= cap.torque_mnm:
        most = f"{cap.torque_mnm / 1000:g} Nm"
        message = f"{worn.torque_mnm / 1000:g} Nm; {where} {most} {source}"
        yield (*path, "torque"), "SAF011", message, f"at most {most}"
    if not worn.speed_cdps <= cap.speed_cdps:
        most = f"{cap.speed_cdps / 100:g} deg/s"
        message = f"{worn.speed_cdps / 100:g} deg/s; {where} {most} {source}"
        yield (*path, "speed"), "SAF011", message, f"at most {most}"
    if cap.seated_only and protocol.position is not Position.SEATED:
        message = f"the {worn.joint.value} is moved only with the patient seated"
        yield ("position",), "SAF015", message, "write `position: seated`, or leave out `orthosis`"
    if not worn.positions:
        yield (*path, "positions"), "KEY003", "there is no position", "write for example positions: {open: 30 deg}"
    for name, angle_cdeg in worn.positions.items():
        if not cap.angle_min_cdeg <= angle_cdeg <= cap.angle_max_cdeg:
            span = f"{cap.angle_min_cdeg / 100:g} deg to {cap.angle_max_cdeg / 100:g} deg"
            message = (
                f"{name} at {angle_cdeg / 100:g} deg is outside the range of the {worn.joint.value}, {span} {source}"
            )
            yield (*path, "positions", name), "SAF012", message, f"write {span}"
    for name in worn.moved_by:
        if name not in protocol.channels:
            fix = suggest(name, protocol.channels)
            yield (*path, "moved_by", name), "ACT006", f'there is no channel "{name}"', fix


def _phase(protocol: Protocol, worn: Orthosis | None, phase: Phase, wanted: Move, path: Path) -> Iterator[Found]:
    if worn is None:
        fix = "add `orthosis: {joint: wrist, positions: {open: 30 deg}, torque: 0.5 Nm, speed: 30 deg/s}`"
        yield path, "ACT009", "this phase moves an orthosis, and the protocol declares none", fix
        return
    position = wanted.move_to or wanted.hold
    if position is None or (wanted.move_to is not None and wanted.hold is not None):
        yield path, "ACT015", "say either where to move or what to hold", "write {move_to: open} or {hold: open}"
        return
    if position not in worn.positions:
        key = "move_to" if wanted.move_to is not None else "hold"
        yield (*path, key), "ACT009", f'there is no position "{position}"', suggest(position, worn.positions)
        return
    if wanted.torque_mnm is not None and not wanted.torque_mnm <= worn.torque_mnm:
        message = f"{wanted.torque_mnm / 1000:g} Nm is more than the protocol's {worn.torque_mnm / 1000:g} Nm"
        yield (*path, "torque"), "SAF011", message, f"at most {worn.torque_mnm / 1000:g} Nm"
    if wanted.speed_cdps is not None and not wanted.speed_cdps <= worn.speed_cdps:
        message = f"{wanted.speed_cdps / 100:g} deg/s is more than the protocol's {worn.speed_cdps / 100:g} deg/s"
        yield (*path, "speed"), "SAF011", message, f"at most {worn.speed_cdps / 100:g} deg/s"
    if graph.wants_attempt(phase):
        message = "this phase waits for an attempt while the orthosis moves the limb"
        yield path, "ACT016", message, "let the orthosis rest here, and move in the phase that follows the attempt"
    yield from _against(worn, phase, position, path)


def _against(worn: Orthosis, phase: Phase, position: str, path: Path) -> Iterator[Found]:
    """Where the direction of the movement is plain from the positions, a muscle that works against it is a fault."""
    angle, others = worn.positions[position], list(worn.positions.values())
    if len(set(others)) < 2:
        return
    opposing = {max(others): Way.FLEXES, min(others): Way.EXTENDS}.get(angle)
    for channel, way in worn.moved_by.items():
        if way is opposing and channel in phase.stimulate and graph.most_permille(phase.stimulate[channel]) > 0:
            message = f"{channel} {way.value} the joint, against the movement to {position}"
            yield path, "SAF014", message, f"leave out {channel} here, or move the other way"


def _time(protocol: Protocol, name: str, cap: JointCap, path: Path) -> Iterator[Found]:
    activity = protocol.activity[name]
    moving = graph.flowing(activity, graph.moves)
    endless = graph.circle(moving)
    if endless:
        message = f"the orthosis never lets go: {' > '.join([*endless, endless[0]])}"
        yield (*path, endless[0]), "SAF013", message, "put a phase without `orthosis` between them"
        return
    for key in moving:
        if graph.limit_ns(activity.phases[key]) is None:
            message = f'phase "{key}" moves the orthosis and has no time limit'
            yield (*path, key), "SAF013", message, "add a way out that time alone opens: `after 5 s: phase`"
            return
    longest = graph.moving_ns(activity) + MOTION_LATENESS_NS
    if moving and longest > cap.on_ms * MS:
        message = f"the orthosis can push for {longest // MS} ms without a pause; the cap is {cap.on_ms} ms"
        fix = f"shorten these phases to {cap.on_ms - MOTION_LATENESS_NS // MS} ms together"
        yield (*path, next(iter(moving))), "SAF013", message, fix
