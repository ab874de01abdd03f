"""Training: the running session, from attempts and phases to orders, trials and score."""

from collections.abc import Sequence
from math import isnan, nan

from controller.clock import MS
from controller.drivers.pucks.base import Signal
from controller.engine import ports
from controller.engine.motion_feed import MotionFeed
from controller.engine.movement import RAMP_MS, Movement
from controller.engine.recorder import Recorder
from controller.engine.response import Reduced, ResponseBook
from controller.engine.stimulation import Stimulation
from controller.engine.trials import TrialBook
from controller.session.activity import NEVER_NS, Activity, PhaseChange, PhasePlan, Seen
from controller.session.model import Counts
from controller.session.resolve import ResolvedFollow, ResolvedProtocol
from controller.session.score import Score
from controller.vocabulary.button import BITS, ButtonSource
from controller.vocabulary.events import AttemptStarted, Veto
from controller.vocabulary.facts import BurstEnded, BurstStarted, JointReport
from controller.vocabulary.feature import Feature
from safety.limits import REST_NS_MIN
from safety.orders import Purpose, Stop

FULL_PERMILLE = 1000
_new = tuple.__new__  # what `Seen(...)` ends in, without the 0.2 us before it


class Training:
    """Runs the session's activity. It is fed features, facts and time, and answers with orders."""

    def __init__(
        self,
        protocol: ResolvedProtocol,
        feed: MotionFeed,
        stimulation: Stimulation,
        affected_side: str,
        target: int | None = None,
    ) -> None:
        self.protocol = protocol
        self.stimulation = stimulation
        self.movement = Movement(protocol.joint)
        self.activity = Activity(protocol)
        self.score = Score()
        self.trials = TrialBook(protocol, affected_side)
        self.target = target or protocol.repetitions
        self.refused = 0
        self.cue_number = 0
        self.running = False
        self.rest_until_ns = 0
        self._feed = feed
        self._attempt = False
        self._pressed = 0
        self._follows = False
        self.held = False
        """Somebody else moves the limb: nothing that it does is an attempt, and no help begins."""
        self.winding_down = False
        """The current is on its way down, and the session pauses when it is off."""
        self.response = ResponseBook()
        self.vetoes = dict.fromkeys(Veto, 0)

    @property
    def finished(self) -> bool:
        """All repetitions are done and output has ended."""
        return self.score.completed >= self.target and not self.stimulation.delivering and not self.movement.moving

    @property
    def plan(self) -> PhasePlan:
        """What the present phase wants."""
        return self.activity.plan

    # -- begin and end ---------------------------------------------------------------------------------------

    def begin(self, now_ns: int, rest_until_ns: int) -> Sequence[ports.Output]:
        """Start (or start again) with the activity's first phase."""
        self.running = True
        self.winding_down = False
        self.rest_until_ns = rest_until_ns
        self.response.at([self.stimulation.ceiling_ua(each.name) for each in self.protocol.channels])
        self._attempt = False
        self._pressed = 0
        self.activity.start(now_ns)
        self.trials.open(now_ns)
        return self._enter(now_ns)

    def pause(self, now_ns: int, ramp_ms: int = RAMP_MS) -> Sequence[ports.Output]:
        """Current off, no phase: the activity starts anew afterwards. A movement is let go over `ramp_ms`, and one
        that is being let go more slowly than that, too."""
        outputs: list[ports.Output] = []
        if self.movement.moving or self.movement.eased_ns > now_ns + ramp_ms * MS:
            outputs.append(ports.ToGateway(self.movement.release(now_ns, ramp_ms)))
        was_on = self.stimulation.delivering
        self.halt(now_ns)
        if was_on:
            outputs.append(ports.ToGateway(self.stimulation.stop(now_ns)))
        return outputs

    def halt(self, now_ns: int) -> None:
        """Output was stopped from outside: nothing is wanted any more."""
        self.stimulation.forget(now_ns)
        self.movement.forget(now_ns)
        self.trials.drop()
        self._feed.current(now_ns, on=False)
        self._feed.detector.disarm(now_ns)
        if self.running:
            self.running = self.winding_down = False
            self.activity.stop(now_ns)

    def wind_down(self, now_ns: int) -> Sequence[ports.Output]:
        """No phase any more, and the current falls along its ramp. The session pauses when `wound_down`."""
        self.winding_down, self._follows = True, False
        self.activity.stop(now_ns)
        self._feed.detector.disarm(now_ns)
        outputs: list[ports.Output] = []
        if self.movement.moving:
            outputs.append(ports.ToGateway(self.movement.release(now_ns)))
        self.movement.aim(None)
        self.stimulation.aim(now_ns, {})
        return [*outputs, *(self._order(now_ns) if self.stimulation.delivering else ())]

    @property
    def wound_down(self) -> bool:
        """The current that was to fall is off."""
        return self.winding_down and not self.stimulation.delivering

    def hold(self, now_ns: int, on: bool) -> None:
        """Somebody takes the limb, or lets go of it."""
        self.held = on
        self._feed.watch.hands_on()
        self._mask(now_ns)

    def vetoed(self, why: Veto) -> None:
        """A movement was no attempt."""
        self.vetoes[why] += 1

    # -- what happened ---------------------------------------------------------------------------------------

    def on_attempt(self, event: AttemptStarted) -> None:
        """The patient's own attempt."""
        if not self.running:
            return
        self._attempt = True
        self.score.attempted()
        self.trials.attempt(event)

    def on_button(self, now_ns: int, source: ButtonSource, record: Recorder | None) -> Sequence[ports.Output]:
        """A press: phases may follow from it at once, not only at the next sample."""
        self._pressed |= BITS[source]
        if self._feed.feature is None or not self._feed.fresh(now_ns):
            return ()
        return self._step(now_ns, self._feed.feature, record)

    def on_burst_started(self, fact: BurstStarted) -> dict[str, object]:
        """The first current is on the wire: the stages of the latency, in ns since the crossing."""
        if not self.running:
            return {}
        self.score.helped()
        if not self._follows and self._feed.feature is not None:
            self.response.began(self._feed.feature.angle_deg)
        return self.trials.assist(fact)

    def on_burst_ended(self, now_ns: int, fact: BurstEnded) -> Reduced | None:
        """Output is at zero. What it says of the limb's answer, when that has become small."""
        self.rest_until_ns = fact.rest_until_ns
        self.stimulation.forget(now_ns)
        self._feed.current(now_ns, on=False)
        return self.response.ended() if self.running else None

    def on_joint(self, now_ns: int, report: JointReport) -> None:
        """The orthosis said where it is. What it moves is no attempt, until the limb has come to rest."""
        self.movement.reported(now_ns, report)
        self._mask(now_ns)

    def _mask(self, now_ns: int) -> None:
        self._feed.detector.actuation(now_ns, on=self.movement.masks or self.held)

    def on_feature(self, now_ns: int, feature: Feature, record: Recorder | None) -> Sequence[ports.Output]:
        """A new sample: phases may follow from it, and an amplitude that follows the limb does."""
        if not self.movement.masks:
            self.trials.look(feature.angular_speed_dps)
            self.response.look(feature.angle_deg)
        outputs = self._step(now_ns, feature, record)
        if self._follows and not outputs:
            return self._follow(now_ns, feature)
        return outputs

    def on_time(self, now_ns: int, record: Recorder | None) -> Sequence[ports.Output]:
        """Time limits of phases, and the tick of a running burst."""
        outputs: Sequence[ports.Output] = ()
        if now_ns >= self.activity.due_ns and self._feed.feature is not None:
            outputs = self._step(now_ns, self._feed.feature, record)
        if outputs:
            return outputs
        tick = self.stimulation.due()
        if tick and now_ns >= tick:
            outputs = self._order(now_ns)
        tick = self.movement.due()
        if tick and now_ns >= tick:
            outputs = [*outputs, *self._move(now_ns)]
        return outputs

    def next_deadline(self) -> int:
        """The next instant at which `on_time` has something to do, in ns (0 for none)."""
        if not self.running:
            return 0
        due = self.activity.due_ns
        for tick in (self.stimulation.due(), self.movement.due()):
            if tick and tick < due:
                due = tick
        return due if due < NEVER_NS else 0

    # -- phases ----------------------------------------------------------------------------------------------

    def _step(self, now_ns: int, feature: Feature, record: Recorder | None) -> Sequence[ports.Output]:
        _, speed_dps, angle_deg, quiet_ns = feature
        # Help that has not ended yet (current on its way down) is followed by a rest that nobody has told of so far.
        ending = not self.activity.plan.helps and (self.stimulation.delivering or self.movement.moving)
        may_stimulate = (
            not (ending or self.held) and now_ns >= self.rest_until_ns and now_ns >= self.movement.rest_until_ns
        )
        load_n, touched = self._feed.load_n, self._feed.touched
        if (touched or not isnan(load_n)) and self._feed.detector.blanked(now_ns):
            load_n, touched = nan, False  # a stimulated muscle presses and lets go as well
        fields = (self._attempt, angle_deg, speed_dps, quiet_ns, load_n, touched, self._pressed, may_stimulate)
        seen = _new(Seen, fields)
        self._attempt, self._pressed = False, 0
        changes = self.activity.step(now_ns, seen)
        if not changes:
            return ()
        for change in changes:
            self._count(now_ns, change, record)
        return self._enter(now_ns)

    def _count(self, now_ns: int, change: PhaseChange, record: Recorder | None) -> None:
        if record is not None:
            data = {"left": change.left, "entered": change.entered, "because": change.because}
            record.event(now_ns, "phase", data)
        if change.counts == Counts.REPETITION:
            self.score.complete()
            self._feed.signal(now_ns, Signal.DONE)
            self.trials.close(now_ns, "completed", record)
        elif change.counts == Counts.MISSED:
            self.score.miss()
            self.trials.close(now_ns, "missed", record)

    def _enter(self, now_ns: int) -> Sequence[ports.Output]:
        plan = self.activity.plan
        self._attempt, self._pressed = False, 0
        if plan.is_cue:
            self.cue_number += 1
            self._feed.signal(now_ns, Signal.CUE)
            self.trials.open(now_ns)
        self._watch_for(now_ns, plan)
        movement = self.movement
        movement.aim(plan.orthosis)
        carried = frozenset(self.stimulation.driven())
        stimulates = self._stimulate(now_ns, plan)
        if plan.orthosis is None and not movement.moving:
            return stimulates
        # Current against the movement that is on may not come before the order that ends or turns that movement.
        first = movement.works_against(frozenset(self.stimulation.driven()) - carried)
        moves = self._move(now_ns, carried if first else frozenset())
        return [*moves, *stimulates] if first or not movement.moving else [*stimulates, *moves]

    def _stimulate(self, now_ns: int, plan: PhasePlan) -> Sequence[ports.Output]:
        self._follows = any(isinstance(share, ResolvedFollow) for _, share in plan.stimulate)
        if self._follows:
            return self._follow(now_ns, self._feed.feature) if self._feed.feature else ()
        targets = {
            name: self.stimulation.ceiling_ua(name) * share // FULL_PERMILLE
            for name, share in plan.stimulate
            if isinstance(share, int)
        }
        self.stimulation.aim(now_ns, targets)
        return self._order(now_ns)

    def _watch_for(self, now_ns: int, plan: PhasePlan) -> None:
        """Tell the detector what this phase wants of it."""
        detector = self._feed.detector
        if not plan.wants_attempt:
            detector.disarm(now_ns)
        elif plan.is_cue and self.protocol.window_ns:
            detector.arm(now_ns, (now_ns, now_ns + self.protocol.window_ns))
        else:
            detector.arm(now_ns)

    def _move(self, now_ns: int, carried: frozenset[int] = frozenset()) -> Sequence[ports.Output]:
        """What the orthosis is asked to do now, if anything. `carried`: channels that are not off yet."""
        driven = carried | frozenset(self.stimulation.driven())
        order = self.movement.order(now_ns, self._feed.sample_ns, driven)
        if order is None:
            return ()
        self._mask(now_ns)
        self.trials.moved(self.activity.plan.orthosis, self.movement.asked_mnm)
        return (ports.ToGateway(order),)

    # -- orders ----------------------------------------------------------------------------------------------

    def _follow(self, now_ns: int, feature: Feature) -> Sequence[ports.Output]:
        """Amplitude as a function of the limb's angle, one order a sample."""
        if now_ns < self.rest_until_ns and not self.stimulation.delivering:
            return ()  # the amplitude fell to nothing, which ended the burst: its rest comes first
        targets = {}
        for name, share in self.activity.plan.stimulate:
            permille = share.permille(feature.angle_deg) if isinstance(share, ResolvedFollow) else share
            targets[name] = self.stimulation.ceiling_ua(name) * permille // FULL_PERMILLE
        self.stimulation.aim(now_ns, targets, direct=True)
        return self._order(now_ns, always=True)

    def _order(self, now_ns: int, always: bool = False) -> Sequence[ports.Output]:
        was_on = self.stimulation.delivering
        order = self.stimulation.order(now_ns, self._feed.sample_ns, Purpose.ASSIST, always=always)
        if order is None:
            return ()
        if isinstance(order, Stop) or (was_on and not self.stimulation.delivering):
            self.rest_until_ns = now_ns + REST_NS_MIN  # at least; the gateway's own word follows
        if self.stimulation.delivering and not was_on:
            self._feed.current(now_ns, on=True)
        self.trials.use(self.stimulation)
        return (ports.ToGateway(order),)

    def tally(self) -> dict[str, object]:
        """The counts of the session."""
        score = self.score
        return {
            "attempts": score.attempts,
            "assisted": score.assisted,
            "completed": score.completed,
            "missed": score.missed,
            "refused": self.refused,
            "points": score.points,
            "antagonist": self.vetoes[Veto.DIRECTION],
            "vetoed": sum(self.vetoes.values()),
            "response_first_deg": _tenth(self.response.first_deg),
            "response_last_deg": _tenth(self.response.last_deg),
        }


def _tenth(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
