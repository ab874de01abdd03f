"""What a step of the script does, and what the checkers at the skin have to know of it."""

from typing import TYPE_CHECKING

from controller.assembly.swarm_acts import Acts
from controller.assembly.swarm_person import Person
from controller.assembly.therapist import Script
from controller.assembly.validate.model import Step
from controller.clock import MS, SECOND
from controller.vocabulary import intents, requests
from sim import disturbances
from sim.checker_course import Event, Kind
from sim.checker_limits import OPERATOR_STOP_NS, STOP_NS
from sim.disk import SimulatedDisk
from sim.disturbances import Disturbance
from sim.effort import Attempt as Effort
from sim.faults import parse

if TYPE_CHECKING:
    from controller.assembly.validate.play import Play

FOREVER = 1 << 62
AGAIN_NS = 400 * MS


class Deeds:
    """Does the steps of one play. `resuming`: the therapist has been told to resume."""

    def __init__(self, play: "Play") -> None:
        self.play = play
        self.resuming = False
        self._presses = 1_000_000
        self._acknowledged_ns = 0
        house, course = play.house, play.witness.course
        self.acts = Acts(house, Person(Script(), house), SimulatedDisk(), course, play.scenario.seed)

    def do(self, step: Step, now_ns: int) -> None:
        """The step, now."""
        if step.name:
            self.play.witness.steps.setdefault(step.name, now_ns)
        signal = _signal(step)
        if signal is not None:
            self.play.person.disturb(now_ns, signal)
        elif step.attempt is not None:
            given = step.attempt
            rise, hold, fall = (round(part * SECOND) for part in (given.rise, given.hold, given.fall))
            self.play.person.effort.begin(Effort(now_ns, given.torque, rise, hold, fall))
        elif step.recruitment is not None:
            self.play.person.shift_recruitment(now_ns, step.recruitment.by, round(step.recruitment.over * SECOND))
        elif step.load is not None:
            self.play.person.press(now_ns, step.load.force, round(step.load.length * SECOND))
        elif step.press is not None:
            self._press(step.press, now_ns)
        elif step.wear is not None:
            angle = None if step.wear.angle is None else round(step.wear.angle * 100)
            self.play.hands.intend(intents.WearOrthosis(intents.Orthosis.SPLINT, "right", angle, "no marks", True))
        elif step.fault is not None:
            self.acts.add_faults((parse(step.fault),), now_ns)
        elif step.clear is not None:
            self.play.house.world.clear(step.clear, now_ns)
        elif step.rate is not None:
            for puck in self.play.house.world.pucks:
                puck.period_ns = round(SECOND / step.rate)

    def acknowledge(self, now_ns: int) -> None:
        """A person has seen the trip, and says why it is safe to go on."""
        if now_ns - self._acknowledged_ns >= AGAIN_NS:
            self._acknowledged_ns = now_ns
            self.resuming = True
            self.play.hands.intend(intents.Acknowledge("simulated patient looked at, all well"))

    def _press(self, key: str, now_ns: int) -> None:
        hands = self.play.hands
        if key == "stop":
            bound_ns = OPERATOR_STOP_NS.value
            self._must_end(now_ns, bound_ns, "the operator's STOP")
            hands.stop("F12")
        elif key == "disarm":
            self._must_end(now_ns, STOP_NS.value, "disarming")
            hands.request(requests.Disarm("for a moment"))
        elif key == "resume":
            self.resuming = True
        elif key == "button":
            self._presses += 1
            hands.request(requests.Press(self._presses))
            hands.intend(intents.PressButton())
        elif key == "pause":
            self._must_end(now_ns, STOP_NS.value, "pause", kind=Kind.IF_FLOWING)
            hands.intend(intents.Pause())
        elif key == "end":
            hands.intend(intents.EndSession())
        else:
            hands.intend(intents.HoldLimb(key == "hold"))

    def _must_end(self, now_ns: int, bound_ns: int, cause: str, kind: Kind = Kind.STOP) -> None:
        """Tell the checkers at skin and joint what has to end the output."""
        self.play.witness.course.events.append(Event(kind, now_ns, FOREVER, bound_ns, bound_ns + 200 * MS, cause))


def _signal(step: Step) -> Disturbance | None:
    """The disturbance that the step asks for; None for a step that does something else."""
    if step.sine is not None:
        return disturbances.Sine(step.sine.amplitude, step.sine.frequency, step.sine.length)
    if step.burst is not None:
        return disturbances.Burst(step.burst.speed, step.burst.length, step.burst.back or 0.0)
    if step.stroke is not None:
        return disturbances.Stroke(step.stroke.turn, step.stroke.speed, step.stroke.hold, step.stroke.back)
    if step.drift is not None:
        return disturbances.Drift(step.drift.speed, step.drift.length)
    if step.torque is not None:
        push = step.torque
        return disturbances.ExtraTorque(push.torque, push.rise, push.hold, push.fall, push.frequency or 0.0)
    if step.knock is not None:
        return disturbances.Knock(step.knock.peak, step.knock.length)
    if step.carry is not None:
        return disturbances.Carry(step.carry.speed, step.carry.acceleration, step.carry.length)
    if step.gain is not None:
        return disturbances.Bias(step.gain.bias, step.gain.gain, step.gain.length or 1e6)
    return None
