"""What a scenario leaves behind for its checks: the record, the gateway's log, the screen, the skin and the limb.

Times are the world's, in ns. The skin is the unit's twin's own log; the record is the journal as it was written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from controller.record.journal import Journal
from controller.vocabulary.facts import GatewayStatus
from controller.vocabulary.snapshot import Snapshot
from sim.checker_course import Course, Span, Train, bursts_of, trains_of

TEXTS_MAX = 10_000


class Line(NamedTuple):
    """A line of the record or of the gateway's log."""

    t_ns: int
    kind: str
    data: Mapping[str, Any]


class WitnessedJournal(Journal):
    """A journal that also tells each line to whoever looks on."""

    def __init__(self, folder: Path, header: Mapping[str, Any], tell: Callable[[Line], None], **more: Any) -> None:
        self._tell = tell
        super().__init__(folder, header, **more)

    def event(self, t_ns: int, kind: str, data: Mapping[str, Any], sync: bool = False) -> None:
        """Write the line, and tell it."""
        super().event(t_ns, kind, data, sync)
        self._tell(Line(t_ns, kind, data))


@dataclass
class Witness:
    """Everything that the checks of one run may look at. `begun_ns` is 0 where training never began."""

    begun_ns: int = 0
    ended_ns: int = 0
    record: list[Line] = field(default_factory=list)
    gateway: list[Line] = field(default_factory=list)
    states: list[tuple[int, str]] = field(default_factory=list)
    screen: list[tuple[int, str]] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=dict)
    """When the steps with a name were done for the first time."""
    log: list[dict[str, Any]] = field(default_factory=list)
    course: Course = field(default_factory=Course)
    attempts: list[tuple[int, int]] = field(default_factory=list)
    """(from, to) of everything that the person themselves tried."""
    limb: list[Any] = field(default_factory=list)
    force: list[tuple[int, float]] = field(default_factory=list)
    refusal: str = ""
    _last: dict[str, str] = field(default_factory=dict)

    def see(self, t_ns: int, snapshot: Snapshot | None, status: GatewayStatus | None) -> None:
        """The screen as it is now: sentences that are new are kept."""
        if snapshot is not None:
            self._say(t_ns, "todo", snapshot.todo)
            self._say(t_ns, "trip", snapshot.trip)
            self._say(t_ns, "prompt", snapshot.prompt)
            self._say(t_ns, "calibration", snapshot.calibration.advice)
            self._say(t_ns, "advice", getattr(snapshot, "advice", ""))
            for puck in snapshot.pucks:
                self._say(t_ns, f"puck {puck.name}", puck.remark)
        if status is not None:
            self._say(t_ns, "gateway", status.todo)
            self._say(t_ns, "cause", status.cause)

    def _say(self, t_ns: int, place: str, text: str) -> None:
        if text and self._last.get(place) != text and len(self.screen) < TEXTS_MAX:
            self.screen.append((t_ns, text))
        self._last[place] = text

    def trains(self) -> list[Train]:
        """Runs of equal pulses while the session was armed for training."""
        if not hasattr(self, "_trains"):
            everything = trains_of(self.log)
            self._trains = [each for each in everything if self.course.scope_at(each.start_ns) == "session"]
        return self._trains

    def bursts(self) -> list[Span]:
        """The same joined: one for each time that current came and went."""
        return bursts_of([Span(train.start_ns, train.end_ns) for train in self.trains()])

    def state_at(self, t_ns: int) -> str:
        """The session's state at that time."""
        found = "idle"
        for at_ns, state in self.states:
            if at_ns > t_ns:
                break
            found = state
        return found
