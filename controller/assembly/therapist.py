"""A scripted therapist: presses the keys that a person would, for simulated units alone.

It sees what the screen sees and does what the screen can do, so a headless demonstration, the benches and the virtual
assembly all walk the same way as a person: patient, screening, STOP test, fitting, calibration, arm, begin, review.
The gateway admits it to simulated units only, as everybody.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from controller.clock import MS
from controller.vocabulary import intents, requests
from controller.vocabulary.button import ButtonSource
from controller.vocabulary.facts import ArmNumber, ArmScope, GatewayState, GatewayStatus
from controller.vocabulary.snapshot import ChannelView, SessionState, Snapshot

AGAIN_AFTER_NS = 400 * MS
BUTTON_AFTER_NS = 1_000 * MS
PRESS_EVERY_NS = 400 * MS  # the guard wants 300 ms between two increases, and the slew takes its time
_MAY_ARM = frozenset({GatewayState.CONNECTED, GatewayState.DISARMED, GatewayState.LATCHED})
"""Where the arm key is tried: a unit that was stopped before it was ready gets ready by it."""
_LOOKS = frozenset({SessionState.READY, SessionState.RUNNING, SessionState.PAUSED, SessionState.REVIEW})
DATE = "2000-01-01"  # the virtual clock has no calendar; a ceiling is bound to its date all the same


class FrontPort(Protocol):
    """What the therapist sees and can do: the same as the screen."""

    @property
    def snapshot(self) -> Snapshot | None: ...

    @property
    def status(self) -> GatewayStatus | None: ...

    @property
    def arm_number(self) -> ArmNumber | None: ...

    def intend(self, intent: intents.Intent) -> object: ...

    def request(self, request: requests.Request) -> object: ...

    def stop(self, source: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Script:
    """How this therapist works: levels to mark in uA, range and torque found at the joint, and what comes after."""

    sensory_ua: int = 6_000
    motor_ua: int = 10_000
    tolerance_ua: int = 18_000
    rom_cdeg: tuple[int, int] = (-5_500, 5_000)
    torque_mnm: int = 1_200
    calibrate_attempts: bool = True
    go_on_after_trip: bool = False
    reason: str = "simulated patient looked at, all well"


@dataclass(slots=True)
class ScriptedTherapist:
    """`step(now, front)` as often as the screen looks; `cue` is called each time the patient is asked to try."""

    script: Script = field(default_factory=Script)
    patient: str = "SIM01"
    date: str = DATE
    on_cue: Callable[[int], None] | None = None
    done: bool = False
    ending: bool = False
    """Set to have the running session ended."""
    _cues: int = 0
    _press: int = 0
    _acted_ns: int = 0
    _pressed_ns: int = 0
    _answered: int = 0
    _what: str = ""
    _introduced: bool = False

    def step(self, now_ns: int, front: FrontPort) -> None:
        """Look once and do at most one thing."""
        snapshot, status = front.snapshot, front.status
        if snapshot is None:
            return
        self._watch_cue(now_ns, snapshot)
        if status is None:
            return
        if status.alone and self._once(now_ns, "present"):
            front.request(requests.Present())
        act = _STEPS.get(snapshot.state)
        if snapshot.skin_due and snapshot.state in _LOOKS and self._once(now_ns, "skin"):
            front.intend(intents.SkinSeen(True))
        elif act is not None:
            act(self, now_ns, front, snapshot, status)

    def _watch_cue(self, now_ns: int, snapshot: Snapshot) -> None:
        if snapshot.cue_number != self._cues:
            self._cues = snapshot.cue_number
            if self.on_cue is not None:
                self.on_cue(now_ns)

    def _once(self, now_ns: int, what: str) -> bool:
        """True when `what` is to be done now: it is new, or nothing came of it for a while."""
        if what == self._what and now_ns - self._acted_ns < AGAIN_AFTER_NS:
            return False
        self._what, self._acted_ns = what, now_ns
        return True

    # -- one method a step of the session --------------------------------------------------------------------

    def choose(self, now_ns: int, front: FrontPort, _snapshot: Snapshot, _status: GatewayStatus) -> None:
        if self._once(now_ns, "choose"):
            front.intend(intents.ChoosePatient(self.patient))

    def screen(self, now_ns: int, front: FrontPort, snapshot: Snapshot, status: GatewayStatus) -> None:
        if not status.stop_tested:
            if self._once(now_ns, "stop test"):
                front.stop("F12")
        elif self._placed(now_ns, front, snapshot, status) and self._once(now_ns, "screened"):
            asked = [intents.ScreeningAnswer(row.row, row.good) for row in snapshot.screening]
            front.intend(intents.ScreeningDone(tuple(asked)))

    def _placed(self, now_ns: int, front: FrontPort, snapshot: Snapshot, status: GatewayStatus) -> bool:
        """The simulated patient sits, lies, or stands in a harness, as the protocol wants; said until it is known."""
        known = (status.position, status.position_of) == (snapshot.position, snapshot.patient)
        if not known and self._once(now_ns, "place"):
            front.request(
                requests.Place(snapshot.patient, self.date, snapshot.position, snapshot.position == "standing")
            )
        return known

    def fit(self, now_ns: int, front: FrontPort, snapshot: Snapshot, status: GatewayStatus) -> None:
        seen = status.identified
        unmet = [c for c in snapshot.channels if not (c.motor_ua and c.tolerance_ua and c.channel in seen)]
        channel = unmet[0] if unmet else None
        if channel is None:
            self._finish_fitting(now_ns, front, snapshot, status)
        elif status.state in _MAY_ARM:
            if not self._introduced:
                self._introduced = True
                self._prescribe(front, snapshot)
            self._arm(now_ns, front, status, ArmScope.FITTING, self.script.reason)
        elif status.state in (GatewayState.ARMED, GatewayState.DELIVERING):
            self._titrate(now_ns, front, snapshot, channel, channel.channel in seen)

    def _titrate(
        self, now_ns: int, front: FrontPort, snapshot: Snapshot, channel: ChannelView, identified: bool
    ) -> None:
        script = self.script
        if not identified and channel.now_ua >= script.motor_ua:  # the muscle moves: is it the right one?
            if self._once(now_ns, f"identify {channel.channel}"):
                front.request(requests.Identified(snapshot.patient, self.date, channel.channel))
            return
        marks = (
            (channel.sensory_ua, script.sensory_ua, intents.Level.SENSORY),
            (channel.motor_ua, script.motor_ua, intents.Level.MOTOR),
            (channel.tolerance_ua, min(script.tolerance_ua, channel.limit_ua), intents.Level.TOLERANCE),
        )
        for found_ua, wanted_ua, level in marks:
            if not found_ua and channel.now_ua >= wanted_ua:
                if self._once(now_ns, f"mark {channel.channel} {level}"):
                    front.intend(intents.MarkLevel(channel.channel, level))
                return
        if now_ns - self._pressed_ns >= PRESS_EVERY_NS:
            self._pressed_ns = now_ns
            self._press += 1
            front.request(requests.Press(self._press))
            front.intend(intents.Titrate(channel.channel, channel.step_ua, self._press))

    def press_by_mistake(self, front: FrontPort) -> None:
        """One more press of the key for more current, on the first channel, whatever the screen says: a held key."""
        snapshot = front.snapshot
        if snapshot is not None and snapshot.channels:
            channel = snapshot.channels[0]
            self._press += 1
            front.request(requests.Press(self._press))
            front.intend(intents.Titrate(channel.channel, channel.step_ua, self._press))

    def _finish_fitting(self, now_ns: int, front: FrontPort, snapshot: Snapshot, status: GatewayStatus) -> None:
        if status.state in (GatewayState.ARMED, GatewayState.DELIVERING, GatewayState.RESTING):
            if self._once(now_ns, "disarm"):
                front.request(requests.Disarm("fitting is done"))
        elif self._once(now_ns, "prescribe"):
            self._prescribe(front, snapshot)
            front.intend(intents.FittingDone())

    def _prescribe(self, front: FrontPort, snapshot: Snapshot) -> None:
        """Tell the gateway what is known of each channel: pads and regions first, today's ceilings later."""
        for channel in snapshot.channels:
            front.request(
                requests.Prescribe(
                    patient=snapshot.patient,
                    date=self.date,
                    channel=channel.channel,
                    region=channel.region,
                    pad_area_mm2=channel.pad_area_mm2,
                    ceiling_ua=channel.tolerance_ua,
                    motor_ua=channel.motor_ua,
                    reason=self.script.reason,
                )
            )
        for joint in snapshot.joint:
            least_cdeg, most_cdeg = self.script.rom_cdeg
            front.request(
                requests.PrescribeJoint(
                    patient=snapshot.patient,
                    date=self.date,
                    region=joint.region,
                    side=snapshot.affected_side,
                    rom_min_cdeg=least_cdeg,
                    rom_max_cdeg=most_cdeg,
                    torque_mnm=self.script.torque_mnm,
                    reason=self.script.reason,
                )
            )

    def calibrate(self, now_ns: int, front: FrontPort, snapshot: Snapshot, _status: GatewayStatus) -> None:
        stage = snapshot.calibration.stage
        if stage == "rest" and snapshot.calibration.progress >= 1.0:
            stage = "rested"
        if stage in ("idle", "failed"):
            if self._once(now_ns, "rest"):
                front.intend(intents.CalibrateRest())
        elif stage == "rested" and self.script.calibrate_attempts:
            if self._once(now_ns, "attempts"):
                front.intend(intents.CalibrateAttempts())
        elif stage == "done" and self._once(now_ns, "accept"):
            front.intend(intents.AcceptCalibration())

    def begin(self, now_ns: int, front: FrontPort, snapshot: Snapshot, status: GatewayStatus) -> None:
        if status.state in _MAY_ARM:
            if self._placed(now_ns, front, snapshot, status):
                self._arm(now_ns, front, status, ArmScope.SESSION, self.script.reason)
        elif status.state is GatewayState.ARMED and self._once(now_ns, f"begin {snapshot.state}"):
            resuming = snapshot.state is SessionState.PAUSED
            front.intend(intents.Resume() if resuming else intents.Begin())

    def running(self, now_ns: int, front: FrontPort, snapshot: Snapshot, _status: GatewayStatus) -> None:
        """Press the button where a phase has waited for it a while; else watch, until it is time to end."""
        if self.ending:
            if self._once(now_ns, "end"):
                front.intend(intents.EndSession())
            return
        wanted = any(button.wanted and button.source is ButtonSource.KEY for button in snapshot.buttons)
        waited_ns = min(snapshot.phase_elapsed_ms * MS, now_ns - self._pressed_ns)
        if wanted and waited_ns >= BUTTON_AFTER_NS:
            self._pressed_ns = now_ns
            self._press += 1
            front.request(requests.Press(self._press))
            front.intend(intents.PressButton())

    def after_trip(self, now_ns: int, front: FrontPort, _snapshot: Snapshot, _status: GatewayStatus) -> None:
        if not self.script.go_on_after_trip:
            self.done = True
        elif self._once(now_ns, "acknowledge"):
            front.intend(intents.Acknowledge(self.script.reason))

    def review(self, _now_ns: int, _front: FrontPort, _snapshot: Snapshot, _status: GatewayStatus) -> None:
        self.done = True

    def _arm(self, now_ns: int, front: FrontPort, status: GatewayStatus, scope: ArmScope, reason: str) -> None:
        number = front.arm_number
        if not status.stop_tested:  # a new gateway has seen no press of STOP yet
            if self._once(now_ns, "stop test"):
                front.stop("F12")
        elif number is not None and number.number != self._answered and number.scope is scope:
            self._answered = number.number
            front.request(requests.ConfirmArm(number.number))
        elif not status.blocked and self._once(now_ns, f"arm {scope}"):
            front.request(requests.Arm(scope, reason))


_STEPS: dict[SessionState, Callable[..., None]] = {
    SessionState.IDLE: ScriptedTherapist.choose,
    SessionState.SCREENING: ScriptedTherapist.screen,
    SessionState.FITTING: ScriptedTherapist.fit,
    SessionState.CALIBRATING: ScriptedTherapist.calibrate,
    SessionState.READY: ScriptedTherapist.begin,
    SessionState.RUNNING: ScriptedTherapist.running,
    SessionState.PAUSED: ScriptedTherapist.begin,
    SessionState.TRIPPED: ScriptedTherapist.after_trip,
    SessionState.REVIEW: ScriptedTherapist.review,
}
