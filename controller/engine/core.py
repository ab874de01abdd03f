"""The engine's core: from puck bytes and a person's intents to orders, as a pure machine.

`step(now, inputs) -> outputs`. It sees the gateway only as facts and speaks to it only in orders and notices: it can
lose permission and never gain it. Order within a step: the gateway's facts and the person first, then deadlines, then
motion, then the screen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from controller.clock import MS
from controller.drivers.pucks.base import PuckDriver
from controller.drivers.recognise import Listener
from controller.engine import buttons, ports, puck_port
from controller.engine.happenings import HAPPENINGS
from controller.engine.heard import FACTS
from controller.engine.motion_feed import MotionFeed
from controller.engine.recorder import Recorder
from controller.engine.screening import Care, Checks, NoCare
from controller.engine.setup import SetUp
from controller.engine.stimulation import TICK_NS, Stimulation
from controller.engine.training import Training
from controller.engine.view import snapshot_of
from controller.engine.watches import (
    LISTENS_NS,
    excuse_gateway,
    watch_gateway,
    watch_heads,
    watch_puck,
    watch_record,
)
from controller.engine.wishes import WISHES
from controller.engine.worn import Wardrobe
from controller.session.attempts import attempt_settings
from controller.session.loader import Loaded
from controller.session.resolve import ResolvedProtocol
from controller.session.screening import Screening, shipped
from controller.session.states import SessionCourse
from controller.vocabulary.button import ButtonSource
from controller.vocabulary.facts import GatewayStatus
from controller.vocabulary.feature import Feature
from controller.vocabulary.notices import EngineBeat, OpenRecord
from controller.vocabulary.sample import Sample
from controller.vocabulary.snapshot import SessionState
from safety.orders import StopReason

BEAT_EVERY_NS = 100 * MS
SNAPSHOT_EVERY_NS = 40 * MS
JUMP_NS = 500 * MS
NO_GRAVITY = (0.0, 0.0, 0.0)
_RANK: dict[type, int] = {
    ports.FromGateway: 0,
    ports.GatewayGone: 0,
    ports.GatewayBack: 0,
    ports.FrontGone: 0,
    ports.FromFront: 1,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What an engine is made of. `open_record` makes the session's record when a patient is chosen."""

    loaded: Loaded
    puck: PuckDriver
    puck_rate_hz: float
    open_record: Callable[[str, int, ResolvedProtocol], Recorder]
    listener: Listener | None = None
    """Says what talks on the puck's port when it is not the puck."""
    which_puck: str = ""
    """The puck that is worn, where a dongle brings several ("": its first)."""
    affected_side: str = "right"
    repetitions: int | None = None
    calibration_rest_s: float | None = None
    calibration_attempts: int | None = None
    snapshot_every_ns: int = SNAPSHOT_EVERY_NS
    screening: Screening = field(default_factory=shipped)
    care: Care = field(default_factory=NoCare)
    day: Callable[[], str] = lambda: "2000-01-01"
    """Today, YYYY-MM-DD, asked once for each patient; simulated patients have no calendar."""


class EngineCore:
    """See the module's text."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        protocol = setting.loaded.protocol
        self.course = SessionCourse()
        self.state = self.course.state
        self.stimulation = Stimulation()
        attempt = attempt_settings(protocol.attempt, protocol.puck)
        self.feed = MotionFeed(setting.puck, attempt, setting.puck_rate_hz, setting.which_puck)
        self.set_up = SetUp(
            setting.loaded, self.feed, self.stimulation, setting.calibration_rest_s, setting.calibration_attempts
        )
        self.training = Training(
            self.set_up.resolved, self.feed, self.stimulation, setting.affected_side, setting.repetitions
        )
        self.buttons = buttons.Buttons(protocol)
        self.wardrobe = Wardrobe()
        self.checks = Checks(setting.screening, setting.care)
        self.record: Recorder | None = None
        self.status: GatewayStatus | None = None
        self.patient = ""
        self.trip = ""
        self.todo = ""
        self.started_ns = 0
        self.snapshots = 0
        self.status_ns = 0
        self.gateway_here = True
        self._tick_due_ns = 0
        self._beat_due_ns = 0
        self._snapshot_due_ns = 0
        self.reopen_at_ns = 0
        self._last_step_ns = 0
        self.unmet: Listener | None = None
        self.was_stale = False
        self.vouched_seq = -1
        self.vouch_due_ns = 0
        self.noted: dict[str, str] = {}
        """Which device the record names already, by role."""
        self._rows: list[tuple[Sample, Feature]] = []
        self.out: list[ports.Output] = []
        self._handlers: dict[type, Callable[..., None]] = {
            ports.FromFront: self._on_front,
            ports.FromGateway: self._on_gateway,
            ports.FrontGone: self._on_front_gone,
            ports.GatewayGone: self._on_gateway_gone,
            ports.GatewayBack: self._on_gateway_back,
            ports.PuckBytes: self._on_puck_bytes,
            **{kind: partial(mind, self) for kind, mind in puck_port.INPUTS.items()},
        }

    # -- the machine -----------------------------------------------------------------------------------------

    def step(self, now_ns: int, inputs: Sequence[ports.Input]) -> list[ports.Output]:
        """Take what arrived by `now_ns` and say what is to be done."""
        return self.decide(now_ns, inputs) + self.tick(now_ns)

    def decide(self, now_ns: int, inputs: Sequence[ports.Input]) -> list[ports.Output]:
        """The first half of a step: what arrived, and the orders that follow. A shell performs it at once."""
        self.out = []
        last_ns, self._last_step_ns = self._last_step_ns, now_ns
        if last_ns and not 0 <= now_ns - last_ns <= JUMP_NS:
            self._wake_up(now_ns, now_ns - last_ns)
            inputs = [entry for entry in inputs if not isinstance(entry, ports.PuckBytes)]
        elif now_ns - last_ns > LISTENS_NS:
            excuse_gateway(self, now_ns, now_ns - last_ns)
        if len(inputs) > 1:
            inputs = sorted(inputs, key=lambda entry: _RANK.get(type(entry), 2))
        for entry in inputs:
            self._handlers[type(entry)](now_ns, entry)
        return self.out

    def tick(self, now_ns: int) -> list[ports.Output]:
        """The second half of a step: the record of what was decided, and what time brings."""
        self.out = []
        self._keep()
        self._deadlines(now_ns)
        if now_ns >= self._tick_due_ns:
            self._tick(now_ns)
        return self.out

    def _keep(self) -> None:
        """Write down the samples and trains of what was decided."""
        if self._rows:
            self._keep_rows()
        self.stimulation.log.keep(self.record, self.training.trials.number)

    def _keep_rows(self) -> None:
        record, rows, puck = self.record, self._rows, self.feed.puck
        self._rows = []
        if record is not None:
            for sample, feature in rows:
                acc = sample.acc_g or NO_GRAVITY
                row = (*sample.gyro_dps, *acc, feature.angular_speed_dps, feature.angle_deg)
                record.motion(puck, sample.t_ns, row)

    def next_deadline(self) -> int:
        """When `step` must be called again even if nothing arrives, in ns."""
        due = self._tick_due_ns
        other = 0  # where nothing is done at a deadline there is none, or the loop would never sleep again
        if self.state is SessionState.RUNNING:
            other = self.training.next_deadline()
        elif self.state is SessionState.FITTING:
            other = self.set_up.next_deadline()
        return other if 0 < other < due else due

    def _wake_up(self, now_ns: int, gap_ns: int) -> None:
        """After a gap of our own the waiting puck bytes are old: they are dropped, and a session does not go on."""
        self.status_ns = self.status_ns and now_ns  # nobody listened: the gateway's silence counts from here
        if self.state is SessionState.RUNNING or self.stimulation.delivering:
            self.halt(now_ns, f"The engine stood still for {gap_ns // MS} ms.", "Acknowledge, arm again and go on.")

    # -- the puck --------------------------------------------------------------------------------------------

    def _on_puck_bytes(self, now_ns: int, entry: ports.PuckBytes) -> None:
        feed = self.feed
        if self.unmet is not None:
            self.unmet.hear(entry.data)
        for sample in feed.hear(now_ns, entry.data):
            if self.unmet is not None:
                self.unmet, feed.lost = None, ""
            if sample.puck != feed.puck:  # a dongle may bring others too
                feed.glance(sample)
                continue
            feature, events = feed.take(sample, self.started_ns)
            if feed.touch_began:
                buttons.press(self, now_ns, ButtonSource.TOUCH)
            for event in events:
                happened = HAPPENINGS.get(type(event))
                if happened is not None:
                    happened(self, now_ns, event, sample.device_us)
            state = self.state
            if state is SessionState.RUNNING and feed.fresh(now_ns):
                self.carry(self.training.on_feature(now_ns, feature, self.record))
            elif state is SessionState.CALIBRATING:
                self.set_up.on_feature(feature, sample)
            self._rows.append((sample, feature))

    # -- the gateway -----------------------------------------------------------------------------------------

    def _on_gateway(self, now_ns: int, entry: ports.FromGateway) -> None:
        self.status_ns = now_ns
        heed = FACTS.get(type(entry.message))
        if heed is not None:
            heed(self, now_ns, entry.message)

    def _on_gateway_gone(self, now_ns: int, entry: ports.GatewayGone) -> None:
        self.gateway_here = False
        self.status = None
        self.halt(
            now_ns,
            f"The gateway has gone ({entry.cause}).",
            f"PULL THE LEADS: {self.set_up.unit.alone}",
            told_gateway=True,
        )

    def _on_gateway_back(self, now_ns: int, entry: ports.GatewayBack) -> None:
        self.gateway_here = True
        self.status_ns = 0  # it has only just been started: its silence counts from its first word
        self.note(now_ns, "gateway_back", {}, sync=True)
        if self.record is not None:
            self.out.append(ports.ToGateway(OpenRecord(str(self.record.folder))))
        for notice in self.set_up.notices():
            self.out.append(ports.ToGateway(notice))

    # -- a person at the screen ------------------------------------------------------------------------------

    def _on_front(self, now_ns: int, entry: ports.FromFront) -> None:
        wish = entry.message
        handler, states = WISHES[type(wish)]
        if self.state in states:
            handler(self, now_ns, wish)

    def _on_front_gone(self, now_ns: int, entry: ports.FrontGone) -> None:
        self.out.append(ports.ToGateway(self.stimulation.stop(now_ns, StopReason.FAULT)))
        self.note(now_ns, "screen_gone", {"cause": entry.cause}, sync=True)
        self.close(now_ns, "fault" if self.state is SessionState.RUNNING else "normal")
        self.out += [ports.ToPuck(data) for data in self.feed.farewell(now_ns)]
        self.out.append(ports.Leave())

    # -- what time brings ------------------------------------------------------------------------------------

    def _deadlines(self, now_ns: int) -> None:
        if self.state is SessionState.RUNNING and not self.feed.fresh(now_ns):
            watch_puck(self, now_ns)  # before any order: none may rest on a sample that is too old
        state = self.state
        if state is SessionState.RUNNING:
            self.carry(self.training.on_time(now_ns, self.record))
            if self.training.finished:
                self.carry(self.training.pause(now_ns))
                self.apply(now_ns, "end")
                self.close(now_ns, "normal")
        elif state is SessionState.FITTING:
            self.carry(self.set_up.on_time(now_ns))

    def _tick(self, now_ns: int) -> None:
        """Each 20 ms: who has fallen silent, what else is due, and now and then the screen."""
        self._tick_due_ns = now_ns + TICK_NS
        watch_gateway(self, now_ns)
        watch_puck(self, now_ns)
        if self.unmet is not None:
            self.feed.lost = self.unmet.verdict(now_ns) or self.feed.lost
        watch_record(self, now_ns)
        self.checks.on_time(now_ns, self.state)
        if now_ns >= self.feed.driver.next_deadline():
            data = self.feed.driver.poll(now_ns)
            if data:
                self.out.append(ports.ToPuck(data))
        puck_port.look_again(self, now_ns)
        if now_ns >= self._beat_due_ns:
            self._beat_due_ns = now_ns + BEAT_EVERY_NS
            self.out.append(ports.ToGateway(EngineBeat(now_ns)))
            watch_heads(self, now_ns)
        if now_ns >= self._snapshot_due_ns:
            self._snapshot_due_ns = now_ns + self.setting.snapshot_every_ns
            self.out.append(ports.ToFront(snapshot_of(self, now_ns)))

    # -- help ------------------------------------------------------------------------------------------------

    def carry(self, outputs: Sequence[ports.Output]) -> None:
        self.out += outputs

    def apply(self, now_ns: int, trigger: str) -> bool:
        before = self.state
        if trigger not in self.course.permits:
            return False
        self.state = self.course.apply(trigger)
        self.note(now_ns, "session", {"from": before, "to": self.state}, sync=True)
        self._snapshot_due_ns = self._tick_due_ns = now_ns
        return True

    def halt(self, now_ns: int, cause: str, todo: str, told_gateway: bool = False) -> None:
        """Current off and latched; the first cause is kept."""
        if not told_gateway:
            self.out.append(ports.ToGateway(self.stimulation.stop(now_ns, StopReason.FAULT)))
        self.training.halt(now_ns)
        self.set_up.fitting.off()
        if self.state is SessionState.TRIPPED:
            return
        if self.apply(now_ns, "trip"):
            self.trip, self.todo = cause, todo
            self.note(now_ns, "tripped", {"cause": cause}, sync=True)

    def note(self, now_ns: int, kind: str, data: Mapping[str, object], sync: bool = False) -> None:
        if self.record is not None:
            self.record.event(now_ns, kind, data, sync)

    def close(self, now_ns: int, reason: str) -> None:
        if self.record is not None:
            self._keep()  # a closed record takes nothing more
            self.record.event(now_ns, "tally", self.training.tally(), True)
            self.record.close(now_ns, reason)
