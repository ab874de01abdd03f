"""How a powered orthosis reads on the screen: is its torque on, how much, which way, and which limit binds."""

from controller.tui.view import View
from controller.tui.words import Part, shortened
from controller.vocabulary.facts import GatewayStatus, JointReport
from controller.vocabulary.snapshot import JointView

_WAYS = {
    "wrist": ("extends", "flexes"),
    "elbow": ("extends", "flexes"),
    "finger": ("opens", "closes"),
    "ankle": ("lifts", "lowers"),
}
Range = tuple[int, int]
"""Lowest and highest angle, cdeg."""
FRESH_NS = 300_000_000
HOLDS_MNM = 10
"""Less torque than this has no direction worth a word."""
LINE_COLUMNS = 76
"""A box on a terminal of 80 columns."""
GAUGE_COLUMNS = 15
AXIS_CDEG = 3_000


def ways(region: str) -> tuple[str, str]:
    """What the joint does when its angle counts up, and when it counts down."""
    return _WAYS.get(region, ("extends", "flexes"))


def degrees(angle_cdeg: int) -> str:
    """`-1250` -> `-12 deg` (to the nearest)."""
    return f"{round(angle_cdeg / 100)} deg"


def newton_metres(torque_mnm: int) -> str:
    """`-400` -> `0.40 Nm`: how hard, not which way."""
    return f"{abs(torque_mnm) / 1000:.2f} Nm"


def pushing(joint: JointReport) -> bool:
    """Its torque is on, or a movement is in force."""
    return joint.torque_on or joint.moving


def stands_by(joint: JointReport, status: GatewayStatus) -> bool:
    """It was stopped, has no torque, and still says where it is: arming makes it ready again."""
    told = joint.t_ns > 0 and status.t_ns - joint.t_ns <= FRESH_NS
    return bool(joint.identity) and told and not (joint.ready or joint.fault or pushing(joint))


def has_orthosis(view: View) -> bool:
    """A powered orthosis is fitted, or the protocol moves one."""
    fitted = view.status is not None and bool(view.status.joint)
    return fitted or (view.snapshot is not None and bool(view.snapshot.joint))


def region_of(view: View) -> str:
    """The joint's name, "" where the protocol moves none."""
    joints = () if view.snapshot is None else view.snapshot.joint
    return joints[0].region if joints else ""


def does(joint: JointReport, region: str) -> str:
    """In one word what the torque does; "off" without one."""
    if not pushing(joint):
        return "off"
    if not joint.moving:
        return "lets go"
    if abs(joint.torque_mnm) < HOLDS_MNM:
        return "holds"
    return ways(region)[joint.torque_mnm < 0]


def joint_line(view: View, found: Range | None) -> tuple[Part, ...]:
    """One line for fitting: whether the joint is measured, and where it stands. Empty where there is no orthosis.

    `found` is the passive range that was measured today, cdeg.
    """
    joints = () if view.status is None else view.status.joint
    if not joints or not region_of(view):
        return ()
    joint, name = joints[0], f"{region_of(view):<6}"
    if not joint.identity or joint.fault:
        return ((f"{name}▲ {joint.fault or 'The orthosis has not said who it is yet.'}\n", "bold $warning"),)
    now = f"{'torque ON, ' if joint.torque_on else ''}now at {degrees(joint.angle_cdeg)}"
    if not joint.torque_limit_mnm > 0:
        return (name, ("○ not measured yet: j", "bold $warning"), f", {now}\n")
    today = f"{_span(*found)}, " if found else ""
    goals = _span(joint.angle_min_cdeg, joint.angle_max_cdeg)
    most = f"{newton_metres(joint.torque_limit_mnm)} ({joint.bound_by})"
    told = shortened(f"{today}moved to {goals} deg, {most}", LINE_COLUMNS - len(name) - 2)
    return (name, ("✓ ", "$good"), f"{told}\n")


def _span(low_cdeg: int, high_cdeg: int) -> str:
    return f"{round(low_cdeg / 100)} to {round(high_cdeg / 100)}"


def joint_parts(view: View, width: int, found: Range | None) -> tuple[Part, ...]:
    """Three lines of at most `width` columns: asked and reported torque, what binds, the angle in its range.

    Empty where there is no orthosis. The columns are those of the stimulation's lines, under one heading.
    """
    joints = () if view.status is None else view.status.joint
    if not joints:
        return ()
    joint, region = joints[0], region_of(view)
    if not joint.identity or joint.fault:
        wrong = joint.fault or "The orthosis has not said who it is yet."
        return ((f"▲ {shortened(wrong, 3 * width - 6)}\n", "bold $warning"),)
    wanted = view.snapshot.joint[0] if view.snapshot is not None and view.snapshot.joint else None
    return (
        *_torque_line(joint, wanted, region, view.gateway_silent),
        *_limit_line(joint, view, width),
        *_gauge(joint, found),
    )


def _torque_line(joint: JointReport, wanted: JointView | None, region: str, old: bool) -> tuple[Part, ...]:
    asked_mnm = wanted.asked_mnm if wanted is not None and joint.moving else 0
    look = "$quiet" if old else ("bold $stim" if pushing(joint) else "")
    over = joint.torque_on and abs(joint.torque_mnm) > max(asked_mnm, joint.torque_limit_mnm)
    name = f"{region or 'joint'} {does(joint, region)}"
    return (
        (f"{name:<13.13} ", look if pushing(joint) else ""),
        (f"{newton_metres(asked_mnm):>9} ", look),
        (f"{newton_metres(joint.torque_mnm):>9}", "bold $warning" if over and not old else look),
        (" ▲\n" if over else "\n", "bold $warning"),
    )


def _limit_line(joint: JointReport, view: View, width: int) -> tuple[Part, ...]:
    if not joint.torque_limit_mnm > 0:
        return (("not measured today: it cannot move\n", "$quiet"),)
    if not joint.angle_min_cdeg < joint.angle_max_cdeg:
        return (("today's range leaves it nowhere to go\n", "bold $warning"),)
    resting_s = (joint.rest_until_ns - view.now_ns) / 1e9
    if resting_s > 0 and not pushing(joint):
        return ((f"resting for another {resting_s:.0f} s\n", "$quiet"),)
    limit = f"limit {newton_metres(joint.torque_limit_mnm)}: {joint.bound_by}"
    return ((f"{shortened(limit, width)}\n", "$quiet"),)


def _gauge(joint: JointReport, found: Range | None) -> tuple[Part, ...]:
    """The angle within today's passive range; `═` is where it may be moved to."""
    low, high, now = joint.angle_min_cdeg, joint.angle_max_cdeg, joint.angle_cdeg
    if not joint.torque_limit_mnm > 0 or not low < high:
        return ((f"angle {degrees(now)}\n", "$trace"),)
    first, last = found or _axis(low, high, now)
    cells = ["═" if low <= _angle_at(cell, first, last) <= high else "─" for cell in range(GAUGE_COLUMNS)]
    outside = not first <= now <= last
    at = round((min(last, max(first, now)) - first) / (last - first) * (GAUGE_COLUMNS - 1))
    mark, look = ("◆", "bold $warning") if outside else ("●", "bold $trace")
    return (
        f"{round(first / 100):>4} ",
        ("".join(cells[:at]), "$quiet"),
        (mark, look),
        ("".join(cells[at + 1 :]), "$quiet"),
        f" {round(last / 100):<4}",
        (f"{degrees(now):>9}\n", look),
    )


def _axis(low: int, high: int, now: int) -> Range:
    """Where nobody measured at this screen: all that is known, to the next 30 deg."""
    return min(low, now) // AXIS_CDEG * AXIS_CDEG, -(-max(high, now) // AXIS_CDEG) * AXIS_CDEG


def _angle_at(cell: int, first: int, last: int) -> float:
    return first + (last - first) * cell / (GAUGE_COLUMNS - 1)
