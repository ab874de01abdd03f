"""One world from one seed: made, lived through its faults, then without faults until it helps again, and judged.

    set-up       patient, screening, STOP test, fitting, calibration at rest      (now and then with faults of its own)
    safety       30 s or 10 min of the session with the mix of the seed            nothing bad ever at skin or joint
    liveness     no fault any more: within LIVENESS_S the person has done what the screen says and current flows again

Set-up is that of the production cores, made short by the script alone: few levels, a second of rest, no attempts
recorded. The two bounds of liveness differ because a program that was closed has to go through set-up again.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from controller.assembly.protocols import shipped
from controller.assembly.swarm_acts import Acts
from controller.assembly.swarm_house import SimulatedHouse
from controller.assembly.swarm_parts import Hardware
from controller.assembly.swarm_person import Person
from controller.assembly.swarm_plan import Plan, draw
from controller.clock import MS, SECOND
from controller.drivers.orthoses.kind import orthosis
from controller.drivers.pucks.kind import chosen_puck
from controller.drivers.stimulators.kind import stimulator
from controller.engine.core import Setting
from controller.record.journal import Journal
from controller.session.loader import Loaded, load
from controller.session.resolve import ResolvedProtocol
from controller.vocabulary.snapshot import SessionState
from controller.wire.link import MemoryLink
from safety.digest import compute
from sim import checker_limits
from sim.checker_course import Body, Course, Violation, bursts_of, trains_of
from sim.checker_course import Span as SkinSpan
from sim.checkers import judge, unprompted
from sim.clocks import HostClock
from sim.disk import MemoryAppender, SimulatedDisk
from sim.joint_checker import JointWitness, WatchedWrist, runs_of
from sim.phenotypes import PHENOTYPES
from sim.room import furnish

START_NS = 1_000 * SECOND
SET_UP_MAX_NS = 90 * SECOND
LIVENESS_S = 60
"""From the end of the last fault to help again, what the person has to do on the way included."""
IMPATIENT_S = 45
"""A therapist who has seen nothing help for so long begins anew (a puck that was out has lost its reference)."""
LIVENESS_ANEW_S = 120
"""The same where the program has been closed and begun anew, set-up included."""
RESTS_MAX_S, LONG_RESTS_MAX_S = 60, 600
"""Rests that the screen tells do not count: a minute's at most (so many bursts in the last one, by what a gateway that
was killed has left), and ten where the skin has had nearly as much current of late as ten minutes may have."""
LOOK_NS = 100 * MS
PROMPTED_NS = 1_500 * MS
REST_S = 1.0
REPETITIONS = 1_200
WITNESSES_MAX = 6


@dataclass
class Result:
    """What one seed came to. `alive_s` is -1.0 for a world that did not help again in its time."""

    seed: int
    length_s: int
    commit: str
    devices: str
    protocol: str
    phenotype: str
    mix: tuple[str, ...]
    violations: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    alive_s: float = -1.0
    alive_max_s: int = LIVENESS_S
    rested_s: float = 0.0
    set_up_s: float = 0.0
    pulses: int = 0
    bursts: int = 0
    unprompted: int = 0
    armed: int = 0
    refused: int = 0
    torque_runs: int = 0
    begun_anew: int = 0
    impatient: bool = False
    gateways: int = 0
    stuck: str = ""
    simulated_s: float = 0.0
    digest: str = ""
    code: str = ""

    @property
    def good(self) -> bool:
        """Nothing bad at skin or joint, no process died of an exception, and help came back in time."""
        return not self.violations and not self.crashes and self.alive_s >= 0.0

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


@cache
def _loaded(name: str) -> Loaded:
    return load(shipped(name))


@cache
def _software() -> tuple[str, str]:
    return version("stimloop"), compute()


class SwarmWorld:
    """The world of a plan. `run()` lives it to its end; `result` says what came of it."""

    def __init__(self, plan: Plan, commit: str = "", tell: Callable[[str], None] | None = None) -> None:
        self.plan = plan
        self._tell = tell
        devices = "+".join(name for name in (plan.unit, plan.puck, plan.orthosis) if name)
        self.result = Result(plan.seed, plan.length_s, commit, devices, plan.protocol, plan.phenotype, plan.mix)
        self.log: list[dict[str, Any]] = []
        self.disk = SimulatedDisk()
        self.course = Course()
        self.patient = self._make_patient()
        self.house = self._make_house()
        self.person = Person(plan.script, self.house)
        self.acts = Acts(self.house, self.person, self.disk, self.course, plan.seed)
        self.course.armed = self.person.hands.armed
        self._flows = False
        self.helped_ns = 0
        """When current last began to flow in a running session."""

    # -- how it is made ------------------------------------------------------------------------------------------------

    def _make_patient(self) -> WatchedWrist:
        plan, kind = self.plan, PHENOTYPES[self.plan.phenotype]
        patient = WatchedWrist(
            plan.seed,
            plan.self_paced,
            start_ns=START_NS,
            joint=kind.joint,
            muscle=kind.muscle,
            effort=kind.effort,
            sensor=kind.sensor,
        )
        if plan.orthosis:
            least_cdeg, most_cdeg = plan.script.rom_cdeg
            rom_deg = (least_cdeg / 100, most_cdeg / 100)
            patient.witness = JointWitness("wrist", plan.script.torque_mnm, rom_deg, patient.passive)
        return patient

    def _make_house(self) -> SimulatedHouse:
        plan = self.plan
        links = {name: MemoryLink.pair()[1] for name in plan.devices}
        world = furnish(links, START_NS, seed=plan.seed, person=self.patient, log=self.log.append)
        for device in world.devices:
            device.link = None
        hardware = Hardware(
            world,
            stimulator(plan.unit),
            plan.devices[0],
            plan.devices[1],
            self._setting,
            orthosis(plan.orthosis) if plan.orthosis else None,
            plan.orthosis,
        )
        return SimulatedHouse(hardware, HostClock(START_NS), START_NS, self._look)

    def _setting(self) -> Setting:
        worn = chosen_puck(self.plan.puck)
        return Setting(
            loaded=_loaded(self.plan.protocol),
            puck=worn.kind.driver(),
            which_puck=worn.which,
            puck_rate_hz=100.0,
            open_record=self._open_record,
            repetitions=REPETITIONS,
            calibration_rest_s=REST_S,
            calibration_attempts=0,
            snapshot_every_ns=200 * MS,
        )

    def _open_record(self, patient: str, now_ns: int, resolved: ResolvedProtocol) -> Journal:
        """As `open_session` does, on the simulated disk. Raises `OSError` where nothing can be made."""
        if self.disk.refuses:
            raise OSError(self.disk.refuses)
        software, digest = _software()
        head = {"software": software, "safety_digest": digest, "seed": self.plan.seed, "patient": patient}
        return Journal(
            Path("/simulated"), head, start_ns=now_ns, appender=MemoryAppender(self.disk), manifest={"devices": []}
        )

    def _look(self, now_ns: int) -> None:
        self.person.look(now_ns)

    # -- how it is lived -----------------------------------------------------------------------------------------------

    def run(self) -> Result:
        """All of it."""
        self.acts.add(self.plan.early, START_NS)
        self.acts.add_faults(self.plan.early_faults, START_NS)
        self.set_up()
        return self.endure()

    def be(self, plan: Plan) -> None:
        """This world, which is set up, is from now on that of another plan with the same devices."""
        self.plan = plan
        self.result.seed, self.result.length_s, self.result.mix = plan.seed, plan.length_s, plan.mix
        self.patient.effort.reseed(plan.seed)

    def endure(self) -> Result:
        """What comes after set-up: faults, the end of faults, the judgement."""
        house, plan, result = self.house, self.plan, self.result
        begun_ns = house.now_ns
        result.set_up_s = round((begun_ns - START_NS) / SECOND, 1)
        self.acts.add(plan.acts, begun_ns)
        self.acts.add_faults(plan.faults, begun_ns)
        self.live(begun_ns + plan.length_s * SECOND)
        self._end_faults()
        self._see_alive()
        self._judge()
        return result

    def set_up(self) -> None:
        """Up to the running session, or as far as the faults of set-up let it come."""
        house = self.house
        while house.now_ns < START_NS + SET_UP_MAX_NS:
            self.live(house.now_ns + LOOK_NS)
            if house.engine.state is SessionState.RUNNING:
                return

    def live(self, until_ns: int) -> None:
        """Live, and see when current begins and ends at the skin."""
        house = self.house
        while house.now_ns < until_ns:
            house.run(min(house.now_ns + LOOK_NS, until_ns))
            unit = house.world.stimulator
            flows = unit is not None and bool(unit.twin.drive())
            if flows and not self._flows and self.course.scope_at(house.now_ns) == "session":
                self.helped_ns = house.now_ns
            self._flows = flows

    def _end_faults(self) -> None:
        house, now_ns = self.house, self.house.now_ns
        house.world.clear("", now_ns)
        house.clock.drift(now_ns, 0)
        self.disk.mend()
        if house.world.stimulator is not None:  # whatever was begun in one unit and mended in another
            for fault in ("e-stop", "low-battery", *(f"electrode-off:{n}" for n in (1, 2))):
                name, _, channel = fault.partition(":")
                house.world.suffer(house.world.stimulator, name, f"{channel} ok".strip(), now_ns)
        self.patient.effort.oblige()

    def _see_alive(self) -> None:
        """Until current begins to flow in a session, after all faults are over."""
        house, result = self.house, self.result
        ended_ns = house.now_ns
        rests_ns = (LONG_RESTS_MAX_S if self._much_of_late(ended_ns) else RESTS_MAX_S) * SECOND
        before, rested_ns = len(self.person.begun_anew_ns), 0
        while self.helped_ns <= ended_ns:
            waited_ns = house.now_ns - ended_ns - rested_ns
            late = self.person.begun_anew_ns[before:] or self.person.begun_anew_ns[-1:]
            anew = bool(late) and late[-1] > ended_ns - 60 * SECOND
            result.alive_max_s = LIVENESS_ANEW_S if anew else LIVENESS_S
            if waited_ns >= result.alive_max_s * SECOND:
                result.stuck = self._where()
                return
            if not anew and not result.impatient and waited_ns >= IMPATIENT_S * SECOND:
                result.impatient = True
                self.person.begin_anew(house.now_ns)
            if self._told_to_rest() and rested_ns < rests_ns:
                rested_ns += LOOK_NS
            self.live(house.now_ns + LOOK_NS)
        result.rested_s = round(rested_ns / SECOND, 1)
        result.alive_s = round(max(0, self.helped_ns - ended_ns - rested_ns) / SECOND, 1)

    def _told_to_rest(self) -> bool:
        """The screen says that the muscle rests."""
        status = self.person.hands.status
        return status is not None and status.rest_until_ns > self.house.clock.read(self.house.now_ns)

    def _much_of_late(self, now_ns: int) -> bool:
        """Ten minutes may have hardly more current; a gateway that was killed leaves its burst at the longest."""
        from_ns = now_ns - checker_limits.DUTY_WINDOW_NS
        recent = [train for train in trains_of(self.log) if train.end_ns > from_ns]
        bursts = bursts_of([SkinSpan(train.start_ns, train.end_ns) for train in recent])
        on_ns = sum(burst.end_ns - max(burst.start_ns, from_ns) for burst in bursts)
        longest_ns = max(region.on_ns for region in checker_limits.REGIONS.values())
        return on_ns >= checker_limits.DUTY_NS.value - longest_ns * (2 + self.house.gateways)

    def _where(self) -> str:
        """Where a world stands that does not help again."""
        house = self.house
        gateway = house.gateway
        return (
            f"engine {house.engine.state} ({house.engine.trip or house.engine.todo}), gateway {gateway.state} "
            f"({gateway.cause or gateway.blocked(house.clock.read(house.now_ns))}), calibration "
            f"{house.engine.set_up.calibration.view.stage}"
        )

    # -- how it is judged ----------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        house, result, plan = self.house, self.result, self.plan
        house.world.close(house.now_ns)
        trains = trains_of(self.log)
        hands = self.person.hands
        step_ua = house.hardware.unit.limits.amplitude_step_ua
        accepted = {channel: plan.script.tolerance_ua + max(1_000, step_ua) for channel in hands.regions}
        found = judge(trains, Body(hands.regions, hands.pads_mm2, accepted), self.course)
        if self.patient.witness is not None:
            found += self.patient.witness.judge(self.course, self.acts.gear, runs_of(self.log))
            result.torque_runs = len(self.patient.witness.spans)
        bursts = bursts_of([SkinSpan(train.start_ns, train.end_ns) for train in trains])
        result.violations = [self._worded(violation) for violation in sorted(found)[:WITNESSES_MAX]]
        result.crashes = [f"{self._at(t_ns)} {what}" for t_ns, what in house.crashes[:WITNESSES_MAX]]
        result.pulses = sum(train.pulses for train in trains)
        result.bursts = len(bursts)
        result.unprompted = unprompted(bursts, self.patient.attempts, self.course, PROMPTED_NS)
        result.armed = len(hands.armed)
        result.refused = house.engine.training.refused
        result.begun_anew = len(self.person.begun_anew_ns)
        result.gateways = house.gateways
        result.simulated_s = round((house.now_ns - START_NS) / SECOND, 1)
        digest = hashlib.sha256(self.disk.digest.digest())
        digest.update(repr((trains, house.steps, self.course.armed)).encode())
        result.digest = digest.hexdigest()[:16]

    def _at(self, t_ns: int) -> str:
        return f"{(t_ns - START_NS) / SECOND:.3f} s"

    def _worded(self, violation: Violation) -> str:
        return f"{self._at(violation.at_ns)} {violation.rule}: {violation.text}"


def run_world(seed: int, length_s: int = 30, commit: str = "") -> Result:
    """The world of that seed, lived and judged."""
    return SwarmWorld(draw(seed, length_s), commit).run()
