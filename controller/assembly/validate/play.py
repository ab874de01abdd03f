"""Plays a scenario: the production cores, the twins and the simulated person on the virtual clock, as the script says.

The simulated computer is that of the swarm (`controller.assembly.swarm_house`): real lines between the processes, a
disk in memory. The script's steps come in by its agenda, so a key is pressed at the very instant that was written.
"""

from functools import partial
from pathlib import Path
from typing import Any

from controller.assembly.simulated import twin_of
from controller.assembly.swarm_house import SimulatedHouse
from controller.assembly.swarm_parts import Hardware, Process
from controller.assembly.swarm_person import Hands
from controller.assembly.therapist import Script, ScriptedTherapist
from controller.assembly.validate.deeds import Deeds
from controller.assembly.validate.model import Scenario, Step
from controller.assembly.validate.witness import Line, Witness, WitnessedJournal
from controller.assembly.validate.words import Moment
from controller.assembly.validate.worn import chosen_driver, dress
from controller.clock import MS, SECOND
from controller.drivers.orthoses.kind import orthosis
from controller.drivers.pucks.kind import chosen_puck
from controller.drivers.stimulators.kind import stimulator
from controller.engine.core import Setting
from controller.gateway import ports as gateway_ports
from controller.session.loader import Loaded
from controller.session.resolve import ResolvedProtocol
from controller.vocabulary.snapshot import SessionState
from controller.wire.link import MemoryLink
from sim.checker_course import Body, Violation, trains_of
from sim.checkers import judge
from sim.clocks import HostClock
from sim.disk import MemoryAppender, SimulatedDisk
from sim.disturbed import DisturbedWrist
from sim.effort import Attempt as Effort
from sim.joint_checker import JointWitness, runs_of
from sim.phenotypes import PHENOTYPES
from sim.room import furnish

START_NS = 1_000 * SECOND
LOOK_NS = 100 * MS
FORCE_NS = SECOND
REPETITIONS = 1_200
KIND_OF = {"attempt_started": "attempt", "burst_started": "train", "burst_ended": "train over"}


class WitnessedHouse(SimulatedHouse):
    """The simulated computer, whose gateway's log is listened to."""

    witness: Witness | None = None

    def _perform_gateway(self, now_ns: int, process: Process, output: gateway_ports.Output) -> None:
        if isinstance(output, gateway_ports.Log) and self.witness is not None:
            self.witness.gateway.append(Line(now_ns, output.kind, output.data))
        super()._perform_gateway(now_ns, process, output)


class Waiting:
    """A step that waits for its moment; how often that has come."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.seen = 0

    def meets(self, moment: Moment, begun: bool) -> bool:
        """The moment has come, and it is one of those that the step is done at."""
        step = self.step
        if step.when != moment or not (begun or step.before):
            return False
        self.seen += 1
        return step.number <= self.seen < step.number + step.times


class Play:
    """One case of a scenario. `run()` plays it; `witness` and `violations` are what came of it."""

    def __init__(self, scenario: Scenario, loaded: Loaded) -> None:
        self.scenario = scenario
        self.loaded = loaded
        self.witness = Witness()
        self.violations: list[Violation] = []
        self.person = self._person()
        self.house = self._house()
        self.house.witness = self.witness
        self.hands = Hands(self.house, armed=self.witness.course.armed)
        set_up = scenario.set_up
        script = Script(tolerance_ua=round(set_up.tolerance * 1000), calibrate_attempts=set_up.attempts > 0)
        self.therapist = ScriptedTherapist(script, on_cue=self._cued)
        self.deeds = Deeds(self)
        self._waiting = [Waiting(step) for step in scenario.script if step.when is not None]
        self._looks = 0

    # -- how it is made ------------------------------------------------------------------------------------------------

    def _person(self) -> DisturbedWrist:
        given = self.scenario.patient
        kind = PHENOTYPES[given.phenotype]
        joint = kind.joint
        if given.splint:
            together = joint.stiffness + given.splint
            rest = (joint.stiffness * joint.rest_deg + given.splint * given.splint_angle) / together
            joint = joint._replace(stiffness=together, rest_deg=rest)
        if given.rests_at is not None:
            joint = joint._replace(rest_deg=given.rests_at, gravity_nm=0.0)
        person = DisturbedWrist(
            self.scenario.seed,
            given.self_paced,
            start_ns=START_NS,
            joint=joint,
            muscle=kind.muscle,
            effort=kind.effort,
            sensor=kind.sensor,
        )
        if given.tires:
            person.tire()
        return person

    def _house(self) -> WitnessedHouse:
        world_of = self.scenario.world
        joint = world_of.orthosis or ("dynamixel" if self.loaded.protocol.orthosis is not None else "")
        names = [twin_of(name) for name in (world_of.unit, world_of.puck, joint) if name]
        if joint:
            self.person.witness = JointWitness("wrist", Script().torque_mnm, (-55.0, 50.0), self.person.passive)
        links = {name: MemoryLink.pair()[1] for name in names}
        log = self.witness.log.append
        world = furnish(links, START_NS, seed=self.scenario.seed, person=self.person, rate_hz=world_of.rate, log=log)
        for device in world.devices:
            device.link = None
        dress(world, self.scenario, self.person)
        powered = orthosis(joint) if joint else None
        hardware = Hardware(world, stimulator(world_of.unit), names[0], names[1], self._setting, powered, joint)
        return WitnessedHouse(hardware, HostClock(START_NS), START_NS, self._look)

    def _setting(self) -> Setting:
        worn = chosen_puck(self.scenario.world.puck)
        set_up = self.scenario.set_up
        return Setting(
            loaded=self.loaded,
            puck=chosen_driver(worn, self.scenario.world),
            which_puck=worn.which,
            puck_rate_hz=self.scenario.world.rate,
            open_record=self._open_record,
            repetitions=REPETITIONS,
            calibration_rest_s=set_up.rest,
            calibration_attempts=set_up.attempts,
            snapshot_every_ns=LOOK_NS,
        )

    def _open_record(self, patient: str, now_ns: int, resolved: ResolvedProtocol) -> WitnessedJournal:
        del resolved
        appender = MemoryAppender(SimulatedDisk())
        header = {"seed": self.scenario.seed, "patient": patient, "scenario": self.scenario.id}
        more: dict[str, Any] = {"start_ns": now_ns, "appender": appender, "manifest": {"devices": []}}
        return WitnessedJournal(Path("/simulated"), header, self._told, **more)

    # -- what happens --------------------------------------------------------------------------------------------------

    def _told(self, line: Line) -> None:
        """A line of the record."""
        witness = self.witness
        now_ns = self.house.now_ns
        line = Line(now_ns, line.kind, line.data)
        witness.record.append(line)
        if line.kind == "session":
            state = str(line.data["to"])
            witness.states.append((now_ns, state))
            if state == SessionState.RUNNING and not witness.begun_ns:
                self._begin(now_ns)
            self._happens(Moment(state))
        elif line.kind == "phase":
            self._happens(Moment("phase", str(line.data["entered"])))
        elif line.kind in KIND_OF:
            self._happens(Moment(KIND_OF[line.kind]))
        self._happens(Moment("record", line.kind))

    def _begin(self, now_ns: int) -> None:
        """Training has begun: the steps that wait for a time get it."""
        self.witness.begun_ns = now_ns
        for step in self.scenario.script:
            if step.at is not None:
                for number in range(step.times):
                    at_s = step.at + (step.wait or 0.0) + number * (step.every or 0.0)
                    if at_s > self.scenario.length:
                        break
                    self.house.at(now_ns + round(at_s * SECOND), partial(self.deeds.do, step))

    def _cued(self, now_ns: int) -> None:
        """The patient is asked to try."""
        calibrates = self.house.engine.state is SessionState.CALIBRATING
        if calibrates and self.scenario.set_up.attempt_torque:
            torque_nm = self.scenario.set_up.attempt_torque
            effort = Effort(now_ns + 500 * MS, torque_nm, 1_200 * MS, 1_000 * MS, 1_000 * MS)
            self.person.effort.begin(effort)
        elif self.scenario.patient.answers_cues:
            self.house.world.cue(now_ns)
        if not calibrates:
            self._happens(Moment("cue"))

    def _happens(self, moment: Moment) -> None:
        begun = bool(self.witness.begun_ns)
        for waiting in self._waiting:
            if waiting.meets(moment, begun):
                wait_ns = round((waiting.step.wait or 0.0) * SECOND)
                self.house.at(self.house.now_ns + wait_ns, partial(self.deeds.do, waiting.step))

    def _look(self, now_ns: int) -> None:
        """The therapist looks at the screen, and does what they do by themselves."""
        self._looks += 1
        front = self.house.front
        self.witness.see(now_ns, front.snapshot, front.status)
        if self._looks % 2 or front.snapshot is None:
            return
        state, set_up = front.snapshot.state, self.scenario.set_up
        armed = len(self.hands.armed)
        if state is SessionState.TRIPPED and set_up.acknowledges:
            self.deeds.acknowledge(now_ns)
        elif state is SessionState.PAUSED and not (set_up.resumes or self.deeds.resuming):
            return
        elif state not in (SessionState.TRIPPED, SessionState.REVIEW):
            if state is SessionState.RUNNING:
                self.deeds.resuming = False
            self.therapist.step(now_ns, self.hands)
        if len(self.hands.armed) > armed:
            self._happens(Moment("armed"))

    # -- how it is lived and judged ------------------------------------------------------------------------------------

    def run(self) -> Witness:
        """Set up, train for the length of the scenario, and see what came of it."""
        house, witness = self.house, self.witness
        limit_ns = START_NS + round(self.scenario.set_up.limit * SECOND)
        while not witness.begun_ns and house.now_ns < limit_ns:
            self._live(house.now_ns + LOOK_NS)
        if witness.begun_ns:
            until_ns = witness.begun_ns + round(self.scenario.length * SECOND)
            while house.now_ns < until_ns:
                self._live(min(house.now_ns + FORCE_NS, until_ns))
        witness.ended_ns = house.now_ns
        house.world.close(house.now_ns)
        # What its maker would write when the screen is closed: the counts of the session.
        witness.record.append(Line(house.now_ns, "tally", house.engine.training.tally()))
        witness.limb = self.person.trace
        witness.attempts = sorted(self.person.attempts)
        self._judge()
        return witness

    def _live(self, until_ns: int) -> None:
        self.house.run(until_ns)
        if self.person.fatigue is not None:
            self.witness.force.append((self.house.now_ns, self.person.fatigue.share))

    def _judge(self) -> None:
        """The checkers of skin and joint, which look on at every scenario."""
        house, course, hands = self.house, self.witness.course, self.hands
        step_ua = house.hardware.unit.limits.amplitude_step_ua
        most_ua = round(self.scenario.set_up.tolerance * 1000) + max(1_000, step_ua)
        body = Body(hands.regions, hands.pads_mm2, dict.fromkeys(hands.regions, most_ua))
        found = judge(trains_of(self.witness.log), body, course)
        if self.person.witness is not None:
            found += self.person.witness.judge(course, self.deeds.acts.gear, runs_of(self.witness.log))
        found += [Violation(t_ns, "crash", what) for t_ns, what in house.crashes]
        self.violations = sorted(found)
