"""A few scenarios on the real processes, ports and clock: the same file, the same checks, and what a machine adds.

Set-up is short: a weak current, a second of rest, no attempts in calibration. A check that looks at the limb itself is
left out, because the limb is in another process. The operator's STOP has 250 ms here, the design's bound for software.
"""

import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from controller.assembly.house import House, HousePlan
from controller.assembly.protocols import shipped
from controller.assembly.results import twin_log
from controller.assembly.simulated import SimulatedDevices, SimulatedPlan
from controller.assembly.therapist import Script, ScriptedTherapist
from controller.assembly.validate.checks import look
from controller.assembly.validate.model import Check, Scenario, Step
from controller.assembly.validate.reader import load_scenario
from controller.assembly.validate.run import Case, Result
from controller.assembly.validate.witness import Line, Witness
from controller.assembly.validate.words import Moment, Range
from controller.clock import MS, SECOND, now_ns, wall_day
from controller.record import manifest
from controller.record.merge import records
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState
from sim.checker_course import Armed

REAL = {"S01": 17.0, "S21": 10.0, "S29": 9.0, "S30": 12.0}
"""The scenarios that run on real processes, and how long training is watched, s."""
SET_UP_NS = 40 * SECOND
EVERY_NS = 20 * MS
BEAT_NS = 100 * MS
STOP_S = 0.25
LIMB = frozenset({"limb_speed", "limb_turn", "force_left"})
SCRIPT = Script(sensory_ua=2_000, motor_ua=3_000, tolerance_ua=4_000, go_on_after_trip=True)


@dataclass
class _Hand:
    """Carries out the steps of the script as their moments come."""

    scenario: Scenario
    devices: SimulatedDevices
    house: House
    witness: Witness
    _due: list[tuple[int, Step]] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)

    def happens(self, moment: Moment, at_ns: int) -> None:
        """The moment has come: its steps are due."""
        key = str(moment)
        self._seen[key] = seen = self._seen.get(key, 0) + 1
        for step in self.scenario.script:
            if step.when == moment and step.number <= seen < step.number + step.times:
                self._due.append((at_ns + round((step.wait or 0.0) * SECOND), step))

    def act(self) -> None:
        """Whatever is due."""
        now = now_ns()
        for at_ns, step in [entry for entry in self._due if entry[0] <= now]:
            self._due.remove((at_ns, step))
            if step.name:
                self.witness.steps.setdefault(step.name, now_ns())
            if step.attempt is not None:
                tried = step.attempt
                self.devices.say(f"attempt {tried.torque} {tried.rise} {tried.hold} {tried.fall}")
            elif step.fault is not None:
                self.devices.say(f"fault {step.fault}")
            elif step.press == "stop":
                self.house.front.stop("F12")
            elif step.press == "pause":
                self.house.front.intend(intents.Pause())


def run_scenario(path: Path) -> Result:
    """One scenario on real processes. Raises RuntimeError where the devices do not come up."""
    scenario = load_scenario(path)
    began = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="stimloop-validate-"))
    witness = _lived(scenario, folder)
    case = Case("", simulated_s=REAL[path.stem])
    case.found = [look(_loosened(check), witness) for check in scenario.expect if check.subject not in LIMB]
    return Result(scenario, path, [case], time.perf_counter() - began, real=True)


def _loosened(check: Check) -> Check:
    """The operator's STOP has 100 ms on the virtual clock, and 250 ms on a machine that does other things too."""
    wanted = check.last_pulse
    if wanted is None or wanted.high >= STOP_S:
        return check
    return check.model_copy(update={"last_pulse": Range(wanted.low, STOP_S, "<= 250 ms")})


def _lived(scenario: Scenario, folder: Path) -> Witness:
    witness = Witness()
    log = folder / "twins.jsonl"
    devices = SimulatedDevices(SimulatedPlan(scenario.seed, log, devices=("p24", "ximu3")))
    house: House | None = None
    try:
        house = House(
            HousePlan(
                unit=devices.port("p24"),
                puck=devices.port("ximu3"),
                protocol=shipped(scenario.protocol),
                data=folder,
                log=folder / "processes.log",
                seed=scenario.seed,
                calibration_rest_s=1.0,
                calibration_attempts=0,
            )
        )
        record = _sat_through(scenario, _Hand(scenario, devices, house, witness))
    finally:
        if house is not None:
            house.close()
        devices.close()
    if record is not None:
        _read(record, log, witness)
    return witness


def _sat_through(scenario: Scenario, hand: _Hand) -> Path | None:
    """Look every 20 ms until the scenario is over; where the record is."""
    front, witness = hand.house.front, hand.witness
    cued = partial(hand.happens, Moment("cue"))
    therapist = ScriptedTherapist(SCRIPT, date=wall_day()[0], on_cue=cued)
    beat_ns = look_ns = 0
    flowed = False
    ends_ns = now_ns() + SET_UP_NS
    while (now := now_ns()) < ends_ns and not front.engine_lost:
        front.poll(now)
        hand.house.watch()
        if now - beat_ns >= BEAT_NS:
            beat_ns = now
            front.heartbeat(now)
        snapshot, status = front.snapshot, front.status
        witness.see(now, snapshot, status)
        if snapshot is not None and snapshot.state is SessionState.RUNNING and not witness.begun_ns:
            witness.begun_ns = now
            ends_ns = now + round(REAL[scenario.id] * SECOND)
        flows = status is not None and status.state is GatewayState.DELIVERING and bool(witness.begun_ns)
        if flows and not flowed:
            hand.happens(Moment("train"), now)
        flowed = flows
        stopped = snapshot is not None and snapshot.state in (SessionState.PAUSED, SessionState.TRIPPED)
        if now - look_ns >= 2 * EVERY_NS and not (stopped and witness.begun_ns):
            look_ns = now
            therapist.step(now, front)
        hand.act()
        time.sleep(EVERY_NS / SECOND)
    witness.ended_ns = now_ns()
    snapshot = front.snapshot
    return None if snapshot is None or not snapshot.folder else Path(snapshot.folder)


def _read(record: Path, log: Path, witness: Witness) -> None:
    """What the processes wrote down, on one clock."""
    start_ns = manifest.read(record)["clock"]["start_ns"]
    for line in records(record / manifest.EVENTS):
        witness.record.append(Line(line.t_ns + start_ns, line.kind, line.data))
        if line.kind == "session":
            witness.states.append((line.t_ns + start_ns, str(line.data["to"])))
    for line in records(record / manifest.GATEWAY):
        witness.gateway.append(Line(line.t_ns, line.kind, line.data))
        if line.kind in ("armed", "rearmed"):
            witness.course.armed.append(Armed(line.t_ns, str(line.data.get("scope", ""))))
    witness.log = twin_log(log)
    witness.attempts = [
        (entry["t_ns"], entry["t_ns"] + entry["length_ms"] * MS)
        for entry in witness.log
        if entry.get("event") == "attempt"
    ]
    began = [t_ns for t_ns, state in witness.states if state == SessionState.RUNNING]
    witness.begun_ns = began[0] if began else 0
