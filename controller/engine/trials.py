"""Trials as they go: what the training log wants of each, from the cue (or the wait) to its count."""

from dataclasses import dataclass, field

from controller.clock import MS
from controller.engine.recorder import Recorder
from controller.engine.stimulation import Stimulation
from controller.record.tables import Outcome, Trial
from controller.session.resolve import ResolvedMove, ResolvedProtocol
from controller.vocabulary.events import AttemptStarted
from controller.vocabulary.facts import BurstStarted


@dataclass(slots=True)
class _Open:
    """The trial that runs now. Times in ns, speeds in deg/s, amplitudes in uA."""

    crossed_ns: int = 0
    detected_ns: int = 0
    peak_dps: float = 0.0
    threshold_dps: float | None = None
    latency_ns: int = 0
    assisted: bool = False
    used_ua: dict[str, int] = field(default_factory=dict)
    orthosis: str = ""
    torque_mnm: int = 0


class TrialBook:
    """Opens, follows and closes trials."""

    def __init__(self, protocol: ResolvedProtocol, affected_side: str) -> None:
        self._activity = protocol.activity
        self._task = protocol.task
        self._side = affected_side
        self._open = _Open()
        self._number = 0
        self._running = False
        self.latencies_ns: list[int] = []

    @property
    def latency_ms(self) -> float | None:
        """The newest latency from crossing to current, in ms."""
        return round(self.latencies_ns[-1] / MS, 2) if self.latencies_ns else None

    @property
    def number(self) -> int:
        """The number of the running trial; 0 before the first."""
        return self._number + 1 if self._running else 0

    def open(self, _now_ns: int) -> None:
        """A trial begins."""
        self._open = _Open()
        self._running = True

    def drop(self) -> None:
        """The trial was broken off: it counts as nothing."""
        self._open = _Open()
        self._running = False

    def look(self, speed_dps: float) -> None:
        """The patient's own peak counts only until help begins."""
        now = self._open
        if not now.assisted and speed_dps > now.peak_dps:
            now.peak_dps = speed_dps

    def attempt(self, event: AttemptStarted) -> None:
        """The attempt of this trial (the first one counts)."""
        now = self._open
        if not now.detected_ns:
            now.crossed_ns, now.detected_ns, now.threshold_dps = event.crossed_ns, event.t_ns, event.threshold

    def assist(self, fact: BurstStarted) -> dict[str, object]:
        """The first update with current was written: the stages of the latency in ns, from the crossing on."""
        now = self._open
        now.assisted = True
        if not now.crossed_ns or now.latency_ns:
            return {}
        now.latency_ns = fact.written_ns - now.crossed_ns
        self.latencies_ns.append(now.latency_ns)
        return {
            "detected_ns": now.detected_ns - now.crossed_ns,
            "received_ns": fact.received_ns - now.crossed_ns,
            "admitted_ns": fact.admitted_ns - now.crossed_ns,
            "written_ns": now.latency_ns,
        }

    def use(self, stimulation: Stimulation) -> None:
        """Keep the largest amplitude of each channel."""
        used = self._open.used_ua
        for name, amplitude_ua in stimulation.levels():
            if amplitude_ua > used.get(name, 0):
                used[name] = amplitude_ua

    def moved(self, move: ResolvedMove | None, asked_mnm: int) -> None:
        """The orthosis helped: where to, and with how much at most (`asked_mnm`: today's limits are in it)."""
        if move is not None and asked_mnm > self._open.torque_mnm:
            self._open.torque_mnm = asked_mnm
            verb = "held" if move.hold else "to"
            self._open.orthosis = f"{verb} {move.position}, {asked_mnm / 1000:g} Nm"
            self._open.assisted = True

    def close(self, now_ns: int, outcome: str, record: Recorder | None) -> None:
        """The trial counts: write its row, and begin the next."""
        self._number += 1
        now, self._open = self._open, _Open()
        if record is None:
            return
        record.trial(
            now_ns,
            Trial(
                trial=self._number,
                activity=self._activity,
                task=self._task,
                side=self._side,
                outcome=Outcome(outcome),
                peak_dps=round(now.peak_dps, 1),
                threshold_dps=None if now.threshold_dps is None else round(now.threshold_dps, 1),
                latency_ms=round(now.latency_ns / MS, 1) if now.latency_ns else None,
                channels=tuple(sorted(now.used_ua.items())),
                orthosis=now.orthosis,
                aid=_aid(now),
            ),
        )


def _aid(now: _Open) -> str:
    """What helped in this trial, in words."""
    helps = [name for name, used in (("stimulation", any(now.used_ua.values())), ("orthosis", now.orthosis)) if used]
    return " and ".join(helps) if now.assisted else ""
