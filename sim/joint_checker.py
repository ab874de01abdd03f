"""The checker at the simulated joint: it feels the torque that the orthosis puts on the limb, instant by instant.

`WatchedWrist` is the simulated person with a witness at the joint. What it notes are the runs of torque and what was
wrong with them; who allowed a run is asked at the end, by `sim.checkers.permission`.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sim import checker_limits as limits
from sim.checker_course import Course, Span, Violation, bursts_of
from sim.checker_limits import MS
from sim.checkers import permission
from sim.patient import WristPatient
from sim.wrist import passive_torque

Gear = Sequence[tuple[int, int]]
FELT_NM = 0.020
"""Torque below this is friction."""
OVER, OVER_MNM = 1.05, 10.0
"""A servo's current control is good to about this."""
SPEED_OVER, SPEED_NS = 1.5, 100 * MS
"""A motor that goes on driving a joint which is already that much too fast, for that long. What only bears the limb's
weight and stretches its tissue does not drive it: somebody else does, and letting go would drop the limb."""
PUSHING_NM = 0.10
TOLERANCE_NS = 100 * MS


class JointWitness:
    """Sees every push. `ceiling_mnm` and the range in deg are what the person found today.

    `passive` gives the torque of weight and tissue (N m, + = extension) at an angle in deg.
    """

    def __init__(
        self,
        joint: str,
        ceiling_mnm: int,
        rom_deg: tuple[float, float],
        passive: Callable[[float], float] = lambda angle_deg: 0.0,
    ) -> None:
        self.most = limits.JOINTS[joint]
        self.spans: list[Span] = []
        self.found: list[Violation] = []
        self.peak_nm = 0.0
        self._ceiling_nm = min(self.most.torque_mnm, ceiling_mnm) / 1000
        self._rom_deg = rom_deg
        self._passive = passive
        self._from_ns = self._until_ns = -1
        self._recent: deque[tuple[int, float]] = deque()
        self._fast_from_ns = 0

    def push(self, now_ns: int, torque_nm: float, angle_deg: float, speed_dps: float) -> None:
        """The orthosis pushes with `torque_nm` from now on."""
        strength = abs(torque_nm)
        if strength < FELT_NM:
            if self._from_ns >= 0:
                self.spans.append(Span(self._from_ns, now_ns))
                self._from_ns = -1
            self._recent.clear()
            self._fast_from_ns = 0
            return
        if self._from_ns < 0:
            self._from_ns = now_ns
        self._until_ns = now_ns
        if strength > self.peak_nm:
            self.peak_nm = strength
        if strength > self._ceiling_nm * OVER + OVER_MNM / 1000:
            self._note(now_ns, "torque", f"{torque_nm * 1000:.0f} mNm, {self._ceiling_nm * 1000:.0f} mNm were accepted")
        low, high = self._rom_deg
        outwards = (torque_nm > 0 and angle_deg > high) or (torque_nm < 0 and angle_deg < low)
        if outwards and strength > PUSHING_NM:
            self._note(now_ns, "angle", f"{torque_nm * 1000:.0f} mNm outwards at {angle_deg:.1f} deg")
        self._watch_rise(now_ns, strength)
        self._watch_speed(now_ns, torque_nm, angle_deg, speed_dps)

    @property
    def last_ns(self) -> int:
        """When torque was felt last (0: never)."""
        return max(self._until_ns, self.spans[-1].end_ns if self.spans else 0, 0)

    def _watch_rise(self, now_ns: int, strength: float) -> None:
        """Twice the guard's step within 20 ms: what the servo makes of a step comes at its own control steps."""
        recent = self._recent
        while recent and recent[0][0] < now_ns - limits.RISE_NS.value:
            recent.popleft()
        lowest = min((entry[1] for entry in recent), default=strength if recent else 0.0)
        if strength - lowest > 2 * self.most.rise_mnm / 1000:
            self._note(now_ns, "torque rise", f"{(strength - lowest) * 1000:.0f} mNm within 20 ms")
        recent.append((now_ns, strength))

    def _watch_speed(self, now_ns: int, torque_nm: float, angle_deg: float, speed_dps: float) -> None:
        limit_dps = self.most.speed_cdps / 100 * SPEED_OVER
        along = abs(torque_nm) > PUSHING_NM and torque_nm * speed_dps > 0 and abs(speed_dps) > limit_dps
        if not (along and self._drives(torque_nm, angle_deg)):
            self._fast_from_ns = 0
        elif not self._fast_from_ns:
            self._fast_from_ns = now_ns
        elif now_ns - self._fast_from_ns > SPEED_NS:
            self._note(now_ns, "speed", f"driven at {speed_dps:.0f} deg/s")

    def _drives(self, torque_nm: float, angle_deg: float) -> bool:
        """There is more of it than what bears the limb."""
        borne_nm = -self._passive(angle_deg) if torque_nm > 0 else self._passive(angle_deg)
        return abs(torque_nm) - max(0.0, borne_nm) > FELT_NM

    def _note(self, now_ns: int, rule: str, text: str) -> None:
        if len(self.found) < 1000:
            self.found.append(Violation(now_ns, rule, text))

    def judge(self, course: Course, gear: Gear, driven: Sequence[Span]) -> list[Violation]:
        """Everything at the joint. `gear` are times of a jammed or dragging gear: what it holds is not the motor's, and
        `driven`, the runs of the motor's own torque, count instead."""
        if self._from_ns >= 0:
            self.spans.append(Span(self._from_ns, self._until_ns))
            self._from_ns = -1
        excused = [*gear, *course.joint_untrusted]
        found: list[Violation] = []
        for violation in self.found:
            spoilt = excused if violation.rule in ("torque rise", "speed") else gear
            known = any(violation.rule == other.rule for other in found)
            if not known and not any(a <= violation.at_ns <= b for a, b in spoilt):
                found.append(violation)
        spans = _of_the_motor(self.spans, gear, driven)
        for run in bursts_of(spans):
            on_ns = run.end_ns - run.start_ns
            slow = any(a <= run.end_ns and run.start_ns <= b for a, b in excused)
            if on_ns > self.most.on_ns + TOLERANCE_NS + slow * course.joint_slow_ns:
                found.append(Violation(run.end_ns, "movement", f"{on_ns // MS} ms without letting go"))
        return found + permission(spans, course, "torque")


def runs_of(log: Iterable[Mapping[str, Any]]) -> list[Span]:
    """When the motor itself pushed, by its twin's log."""
    least_mnm = FELT_NM * 1000
    return [
        Span(entry["t_start_ns"], entry["t_end_ns"])
        for entry in log
        if entry.get("kind") == "torque" and entry["peak_mnm"] >= least_mnm
    ]


def _of_the_motor(felt: Sequence[Span], gear: Gear, driven: Sequence[Span]) -> list[Span]:
    """What was felt while the gear was well, and what the motor did while it was not."""
    for begin_ns, end_ns in gear:
        before = [Span(span.start_ns, min(span.end_ns, begin_ns)) for span in felt if span.start_ns < begin_ns]
        felt = [*before, *[Span(max(span.start_ns, end_ns), span.end_ns) for span in felt if end_ns < span.end_ns]]
    inside = [
        Span(max(run.start_ns, begin_ns), min(run.end_ns, end_ns))
        for run in driven
        for begin_ns, end_ns in gear
        if run.start_ns < end_ns and begin_ns < run.end_ns
    ]
    return sorted([*felt, *inside])


class WatchedWrist(WristPatient):
    """The simulated person with a witness at the joint."""

    witness: JointWitness | None = None

    def passive(self, angle_deg: float) -> float:
        """Torque of weight and tissue (N m, + = extension) at rest at that angle."""
        return passive_torque(math.radians(angle_deg), self._wrist.joint)

    def __init__(self, seed: int, self_paced: bool = False, **more: Any) -> None:
        super().__init__(seed, self_paced, **more)
        self.attempts: list[tuple[int, int]] = []
        self.effort.witness = lambda attempt: self.attempts.append(
            (attempt.start_ns, attempt.start_ns + attempt.rise_ns + attempt.hold_ns + attempt.fall_ns)
        )

    def push(self, torque_nm: float) -> None:
        """The orthosis pushes; the witness feels it too."""
        super().push(torque_nm)
        if self.witness is not None:
            self.witness.push(self.lived_ns, torque_nm, self.angle_deg, self.speed_dps)
