"""Set-up: fitting and calibration, and the settings that follow from them for the session."""

from collections.abc import Sequence
from dataclasses import asdict

from controller.drivers.pucks.base import Signal
from controller.engine import ports
from controller.engine.fitting import Fitting
from controller.engine.motion_feed import MotionFeed
from controller.engine.stimulation import GRID_UA, Output, Stimulation
from controller.motion.axis import AxisStudy
from controller.motion.calibration import Calibrated
from controller.motion.calibration_run import CalibrationRun
from controller.motion.oscillation import RestTremor
from controller.motion.settings import Direction
from controller.session.button import by_button_only
from controller.session.loader import Loaded
from controller.session.resolve import ResolvedChannel, ResolvedProtocol, resolve
from controller.vocabulary import intents
from controller.vocabulary.capabilities import UNKNOWN, Capabilities
from controller.vocabulary.facts import Ceiling
from controller.vocabulary.feature import Feature
from controller.vocabulary.notices import Constrain, ConstrainJoint, NeedPosition, Notice, StartsBy
from controller.vocabulary.sample import Sample
from safety.limits import CAPS, REST_NS_MIN, Region, step_every_ns

SECOND = 1_000_000_000
LATE_NS = 50_000_000  # the guard counts from the arrival, which may be 40 ms late


class SetUp:
    """Fitting and calibration of one session."""

    def __init__(
        self,
        loaded: Loaded,
        feed: MotionFeed,
        stimulation: Stimulation,
        rest_s: float | None = None,
        attempts: int | None = None,
    ) -> None:
        self._loaded = loaded
        self.resolved = resolve(loaded, {})
        """The protocol with what fitting has found so far."""
        self._limits_ua = {each.channel: _cap_ua(each.region, GRID_UA) for each in self.resolved.channels}
        self._today: dict[int, int] = {}
        self.fitting = Fitting({each.channel: each.name for each in self.resolved.channels}, self._limits_ua)
        self.calibration = CalibrationRun(
            feed.settings,
            rest_s if rest_s is not None else self.resolved.rest_ns / SECOND,
            attempts if attempts is not None else self.resolved.attempts,
            self.resolved.timeout_ns / SECOND,
        )
        self.study = AxisStudy()
        """Which way the patient's attempts go, where the protocol asks for one."""
        self._directed = feed.settings.direction != Direction.ANY and self.calibration.asks
        self.unit = UNKNOWN
        self.rest_until_ns = 0
        self._raised_ns = 0
        self._highest_ua: dict[str, int] = {}
        self.cues_asked = 0
        self._cues_seen = 0
        self._feed = feed
        self._stimulation = stimulation
        self._tremor = RestTremor()

    @property
    def grid_ua(self) -> int:
        """The amplitude grid of the unit; the finest that is known until it has said what it is."""
        return self.unit.amplitude_step_ua or GRID_UA

    def meet(self, unit: Capabilities) -> None:
        """The gateway said what the unit can do."""
        self.unit = unit
        self._bound()

    def recall(self, ceilings: Sequence[Ceiling]) -> None:
        """The gateway said what was found earlier today: fitting goes no higher, for it would not be taken."""
        worn = {each.channel: each.region for each in self.resolved.channels}
        today = {found.channel: found.ua for found in ceilings if worn.get(found.channel) == found.region}
        if today != self._today:
            self._today = today
            self._bound()

    def _bound(self) -> None:
        for each in self.resolved.channels:
            cap_ua = _cap_ua(each.region, self.grid_ua)
            found_ua = self._today.get(each.channel, cap_ua)
            self._limits_ua[each.channel] = min(cap_ua, found_ua // self.grid_ua * self.grid_ua)

    def resolve(self) -> ResolvedProtocol:
        """Freeze the protocol with today's ceilings, and let the orders be made from it."""
        ceilings = {name: found.tolerance_ua for name, found in self.fitting.found.items()}
        self.resolved = resolve(self._loaded, ceilings, self.grid_ua)
        self._stimulation.use([self._output(each, each.amplitude_ua) for each in self.resolved.channels])
        return self.resolved

    def constraints(self) -> list[Constrain]:
        """The protocol's own limits, for the gateway's guard."""
        return [
            Constrain(
                channel=each.channel,
                region=each.region,
                pad_area_mm2=each.pad_area_mm2,
                amplitude_ua=each.protocol_ua,
                pulse_width_us=each.pulse_width_us,
                period_us_min=each.period_us,
                on_ms_max=each.on_ms_max,
            )
            for each in self.resolved.channels
        ]

    def joint_constraint(self) -> ConstrainJoint | None:
        """The protocol's own limits for a powered orthosis; None where it has none."""
        joint = self.resolved.joint
        return None if joint is None else ConstrainJoint(**asdict(joint))

    def notices(self) -> list[Notice]:
        """Everything that the gateway is told of the protocol."""
        joint = self.joint_constraint()
        starts = StartsBy(by_button_only(self.resolved.phases))
        placed = NeedPosition(self.resolved.position)
        return [placed, *self.constraints(), *([] if joint is None else [joint]), starts]

    def unidentified(self, known: Sequence[int]) -> list[str]:
        """The channels of the protocol that are not among those whose muscle a person saw move today, by name."""
        return [each.name for each in self.resolved.channels if each.channel not in known]

    def limit(self, name: str) -> tuple[int, str]:
        """(today's limit in uA, what binds it) of a channel: the region's cap until a ceiling is found."""
        each = self.resolved.channel(name)
        found = self.fitting.found[name]
        if not found.tolerance_ua:
            source = "today's ceiling" if each.channel in self._today else f"{each.region.replace('_', ' ')} cap"
            return self._limits_ua[each.channel], source
        if each.protocol_ua < found.tolerance_ua:
            return each.protocol_ua, "protocol"
        return found.tolerance_ua, "patient ceiling"

    def _output(self, channel: ResolvedChannel, ceiling_ua: int) -> Output:
        gap_us = self.unit.interphase_us
        return Output(
            name=channel.name,
            channel=channel.channel,
            pulse_width_us=channel.pulse_width_us,
            interphase_us=channel.interphase_us if gap_us is None else gap_us,
            period_us=channel.period_us,
            ceiling_ua=ceiling_ua,
            ramp_up_ns=channel.ramp_up_ns,
            ramp_down_ns=channel.ramp_down_ns,
            grid_ua=self.grid_ua,
        )

    # -- fitting ---------------------------------------------------------------------------------------------

    def titrate(self, now_ns: int, wish: intents.Titrate) -> Sequence[ports.Output]:
        """One fresh key press. During the guard's rest between two trains it counts for nothing."""
        if wish.step_ua not in (-self.grid_ua, self.grid_ua):
            return ()  # the sender does not know this unit's grid
        resting = not self._stimulation.delivering and now_ns < self.rest_until_ns
        if resting or (wish.step_ua > 0 and self._still_rising(now_ns, wish.channel)):
            return ()
        name = self.fitting.titrate(now_ns, wish)
        if not name:
            return ()
        if wish.step_ua < 0:  # the guard lowers its level too: going up again is an increase
            self._highest_ua[name] = min(self._highest_ua.get(name, 0), self.fitting.level_ua[wish.channel])
        if not self._stimulation.delivering:
            channels = self.resolved.channels
            self._stimulation.use([self._output(each, self._limits_ua[each.channel]) for each in channels])
        return self._order(now_ns)

    def flowing_ua(self, channel: int) -> int:
        """What flows on this channel now, in uA: only that can be a level the patient feels."""
        if channel != self.fitting.active or not self._stimulation.delivering:
            return 0
        return self._stimulation.peak_ua()

    def titrate_off(self, now_ns: int) -> Sequence[ports.Output]:
        """Current off."""
        self.fitting.off()
        return self._order(now_ns) if self._stimulation.delivering else ()

    def on_time(self, now_ns: int) -> Sequence[ports.Output]:
        """Renewals, ramps and the end of a titration train."""
        due = self._stimulation.due()
        ends = self.fitting.deadline()
        if (due and now_ns >= due) or (ends and now_ns >= ends):
            return self._order(now_ns)
        return ()

    def _order(self, now_ns: int) -> Sequence[ports.Output]:
        targets = self.fitting.targets(now_ns)
        if not targets:
            return self._end(now_ns)
        self._stimulation.aim(now_ns, targets, direct=True)
        order = self._stimulation.order(now_ns, 0, self.fitting.purpose, self.fitting.press)
        self._note_raise(now_ns)
        return () if order is None else (ports.ToGateway(order),)

    def start_over(self) -> None:
        """Not armed any more: as the guard does, fitting counts its steps from 0 when it is armed again."""
        self.fitting.start_over()
        self._highest_ua.clear()

    def _still_rising(self, now_ns: int, channel: int) -> bool:
        """The last increase is too fresh, or the current is still on its way up to the level reached before."""
        level_ua = self.fitting.level_ua.get(channel, 0)
        on_the_way = channel == self.fitting.active and self._stimulation.peak_ua() < level_ua
        return on_the_way or now_ns - self._raised_ns < step_every_ns(self.grid_ua) + LATE_NS

    def _note_raise(self, now_ns: int) -> None:
        """The guard counts its 300 ms from the order that went above all before it, which the slew may delay."""
        for name, amplitude_ua in self._stimulation.levels():
            if amplitude_ua > self._highest_ua.get(name, 0):
                self._highest_ua[name] = amplitude_ua
                self._raised_ns = now_ns

    def _end(self, now_ns: int) -> Sequence[ports.Output]:
        if not self._stimulation.delivering:
            return ()
        self.rest_until_ns = now_ns + REST_NS_MIN  # at least; the gateway's own word follows
        return (ports.ToGateway(self._stimulation.stop(now_ns)),)

    def next_deadline(self) -> int:
        """The next renewal or end of a titration train, in ns (0 for none)."""
        if not self.fitting.active:
            return 0
        return min(due for due in (self._stimulation.due(), self.fitting.deadline()) if due) if self._busy() else 0

    def _busy(self) -> bool:
        return bool(self._stimulation.due() or self.fitting.deadline())

    # -- calibration -----------------------------------------------------------------------------------------

    def calibrate_rest(self, now_ns: int) -> None:
        """Record the limb at rest, and take its posture as the reference of the angle."""
        self._feed.filter.set_reference()
        self.study.start_rest()
        self._tremor = RestTremor()
        self.calibration.start_rest(now_ns)

    def calibrate_attempts(self, now_ns: int) -> None:
        """Ask for the patient's own attempts."""
        if self.calibration.view.rest_p99_dps > 0.0:
            self.study.start_attempts()
            self.calibration.start_attempts(now_ns)

    def on_feature(self, feature: Feature, sample: Sample) -> None:
        """A feature of the puck that is being calibrated, and the sample that it was made of."""
        calibration, study, gate = self.calibration, self.study, self._feed.watch.gate
        if calibration.resting:
            study.rest(sample.acc_g)
            if gate is not None and self._tremor.step(feature.t_ns, gate.alternates(feature.t_ns)):
                self._feed.watch.gate_tremor()
        else:
            study.attempt(feature.t_ns, self._feed.filter.rates_dps, calibration.moving)
        calibration.step(feature)
        if self._directed and isinstance(calibration.result, Calibrated) and study.axis is None:
            refused = study.conclude()
            if refused is not None:
                calibration.refuse(refused)
        if self.calibration.cue_number != self._cues_seen:
            if self.calibration.cue_number > self._cues_seen:
                self.cues_asked += 1
                self._feed.signal(feature.t_ns, Signal.CUE)
            self._cues_seen = self.calibration.cue_number

    def accept_calibration(self) -> float:
        """Use the attempt threshold that was found, deg/s; 0.0 when there is none yet."""
        result = self.calibration.result
        if not isinstance(result, Calibrated):
            return 0.0
        self._feed.detector.threshold_dps = result.threshold_dps
        if self.study.axis is not None:
            self._feed.watch.learned(self.study.axis)
        return result.threshold_dps


def _cap_ua(region: str, grid_ua: int) -> int:
    """The region's cap on the amplitude grid."""
    cap_ua = CAPS[Region(region)].amplitude_ua
    return cap_ua - cap_ua % grid_ua
