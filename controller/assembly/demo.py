"""Demonstrations without a screen: on the virtual clock, or with the real processes in real time."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from controller.assembly.house import House, HousePlan
from controller.assembly.protocols import CUED, SELF_PACED, shipped
from controller.assembly.results import DemoResult, collect, twin_log
from controller.assembly.simulated import SimulatedDevices, SimulatedPlan, twin_of
from controller.assembly.start_check import check_start
from controller.assembly.therapist import Script, ScriptedTherapist
from controller.assembly.virtual import LOOK_EVERY_NS, START_NS, VirtualAssembly
from controller.clock import MS, SECOND, now_ns, wall_day
from controller.drivers.orthoses.kind import orthosis
from controller.drivers.pucks.kind import chosen_puck
from controller.drivers.stimulators.kind import stimulator
from controller.engine.core import EngineCore, Setting
from controller.engine.records import open_session
from controller.gateway.core import GatewayCore
from controller.session.loader import Loaded, load
from controller.vocabulary.snapshot import SessionState, Snapshot
from controller.wire.link import MemoryLink
from sim.recording import Recording
from sim.room import furnish

REST_OF_RECORDING_S = 10.0
TAIL_NS = 12 * SECOND
SESSION_MAX_NS = 4 * 3600 * SECOND
SET_UP_MAX_NS = 180 * SECOND
POWERED = "dynamixel"
"""The orthosis of a demonstration whose protocol asks for one."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What to show. `motion` is (file, trial) of a recording in the place of the simulated patient."""

    protocol: Path | None = None
    seed: int = 1
    repetitions: int = 10
    motion: tuple[Path, str] | None = None
    data: Path | None = None
    unit: str = "p24"
    puck: str = "ximu3"
    orthosis: str = ""
    puck_rate_hz: float | None = None
    script: Script = field(default_factory=Script)

    @property
    def devices(self) -> tuple[str, ...]:
        """The twins of this demonstration."""
        return tuple(twin_of(kind) for kind in (self.unit, self.puck, self.orthosis) if kind)

    def loaded(self) -> Loaded:
        """The protocol: the given one; else self-paced for a recording, cued for a patient. Raises ProtocolRefused."""
        loaded = load(self.protocol or shipped(SELF_PACED if self.motion else CUED))
        check_start(loaded, self.puck)
        return loaded

    def recording(self) -> Recording | None:
        """The recorded motion, if any. Raises RecordingError."""
        return Recording.load(*self.motion) if self.motion else None


def with_orthosis(plan: DemoPlan, loaded: Loaded) -> DemoPlan:
    """A protocol that moves an orthosis gets one."""
    wanted = loaded.protocol.orthosis is not None and not plan.orthosis
    return replace(plan, orthosis=POWERED) if wanted else plan


class VirtualRun:
    """A session on the virtual clock: made, run, and what came of it. `trains` is the twin's own log."""

    def __init__(self, plan: DemoPlan, data: Path) -> None:
        loaded, recording = plan.loaded(), plan.recording()
        plan = with_orthosis(plan, loaded)
        unit_here, unit_there = MemoryLink.pair()
        puck_here, puck_there = MemoryLink.pair()
        joint_here, joint_there = MemoryLink.pair()
        self.trains: list[dict[str, Any]] = []
        attempt = loaded.protocol.attempt
        self.world = furnish(
            dict(zip(plan.devices, (unit_there, puck_there, joint_there), strict=False)),
            START_NS,
            seed=plan.seed,
            recording=recording,
            rate_hz=plan.puck_rate_hz,
            self_paced=attempt is None or attempt.self_paced,
            log=self.trains.append,
        )
        engine = EngineCore(_virtual_setting(plan, loaded, recording, data))
        worn = orthosis(plan.orthosis) if plan.orthosis else None
        gateway = GatewayCore(stimulator(plan.unit), orthosis=worn)
        self.therapist = ScriptedTherapist(
            replace(plan.script, calibrate_attempts=recording is None), on_cue=self.world.cue
        )
        self._recording = recording
        self._player = _Player(self.world.play) if recording else None
        self.assembly = VirtualAssembly(
            self.world,
            engine,
            gateway,
            unit_here,
            puck_here,
            self.therapist,
            self._player,
            joint_here if plan.orthosis else None,
        )

    @property
    def simulated_ns(self) -> int:
        """How far the virtual clock has gone."""
        return self.assembly.now_ns - START_NS

    def finish(self, until_ns: int) -> None:
        """Run to the end of the session (of the recording, or at `until_ns`), end it, and close the record."""
        assembly = self.assembly
        if self._recording is not None:
            until_ns = _until_played(assembly, self._player, self._recording, until_ns)
        assembly.run(until_ns)
        self.therapist.ending = True
        assembly.run(assembly.now_ns + TAIL_NS)
        assembly.close()
        self.world.close(assembly.now_ns)


def _virtual_setting(plan: DemoPlan, loaded: Loaded, recording: Recording | None, data: Path) -> Setting:
    worn = chosen_puck(plan.puck)
    return Setting(
        loaded=loaded,
        puck=worn.kind.driver(),
        which_puck=worn.which,
        puck_rate_hz=plan.puck_rate_hz or (recording.rate_hz if recording else 100.0),
        open_record=partial(open_session, data, loaded, plan.seed, "right", sync="inline"),
        repetitions=None if recording else plan.repetitions,
        calibration_rest_s=REST_OF_RECORDING_S if recording else None,
        calibration_attempts=0 if recording else None,
        snapshot_every_ns=LOOK_EVERY_NS,
    )


def run_virtual(plan: DemoPlan, data: Path, until_ns: int = START_NS + SESSION_MAX_NS) -> VirtualRun:
    """A session on the virtual clock, from the choice of the patient to the closed record."""
    run = VirtualRun(plan, data)
    run.finish(until_ns)
    return run


class _Player:
    """Starts the recording when calibration begins to record the limb at rest."""

    def __init__(self, play: Callable[[int], object]) -> None:
        self._play = play
        self.started_ns = 0

    def __call__(self, snapshot: Snapshot) -> None:
        if not self.started_ns and snapshot.state is SessionState.CALIBRATING:
            self.started_ns = snapshot.t_ns
            self._play(snapshot.t_ns)


def _until_played(assembly: VirtualAssembly, player: _Player | None, recording: Recording, ends_ns: int) -> int:
    """Run up to the start of the recording, and say when it will be over."""
    while player is not None and not player.started_ns and assembly.now_ns < min(ends_ns, START_NS + SET_UP_MAX_NS):
        assembly.run(assembly.now_ns + SECOND)
    return assembly.now_ns + int(len(recording.gyro_dps) / recording.rate_hz * SECOND) + SECOND


def headless_virtual(plan: DemoPlan) -> DemoResult:
    """`demo --headless --speed max`."""
    data = plan.data or Path(tempfile.mkdtemp(prefix="stimloop-demo-"))
    run = run_virtual(plan, data)
    record = run.assembly.engine.record
    if record is None:
        raise RuntimeError("the session never began")
    return collect(record.folder, run.trains, real_time=False)


def headless_real(plan: DemoPlan) -> DemoResult:
    """`demo --headless --speed realtime`: the real processes, on simulated devices at real ports."""
    data = plan.data or Path(tempfile.mkdtemp(prefix="stimloop-demo-"))
    loaded, recording = plan.loaded(), plan.recording()
    plan, protocol = with_orthosis(plan, loaded), loaded.protocol
    devices = SimulatedDevices(
        SimulatedPlan(
            seed=plan.seed,
            log=data / "twins.jsonl",
            motion=plan.motion,
            rate_hz=plan.puck_rate_hz,
            self_paced=protocol.attempt is None or protocol.attempt.self_paced,
            devices=plan.devices,
        )
    )
    house = House(
        HousePlan(
            unit=devices.port(plan.unit),
            puck=devices.port(plan.puck),
            orthosis=devices.port(plan.orthosis) if plan.orthosis else "",
            protocol=Path(loaded.path),
            data=data,
            log=data / "processes.log",
            puck_rate_hz=plan.puck_rate_hz or (recording.rate_hz if recording else 100.0),
            seed=plan.seed,
            repetitions=None if recording else plan.repetitions,
            calibration_rest_s=REST_OF_RECORDING_S if recording else None,
            calibration_attempts=0 if recording else None,
        )
    )
    script = replace(plan.script, calibrate_attempts=recording is None)
    therapist = ScriptedTherapist(script, date=wall_day()[0], on_cue=lambda _now: devices.say("cue"))
    try:
        length_ns = int(len(recording.gyro_dps) / recording.rate_hz * SECOND) + SECOND if recording else 0
        _sit_through(house, therapist, devices, length_ns)
    finally:
        house.close()
        devices.close()
    snapshot = house.front.snapshot
    if snapshot is None or not snapshot.folder:
        raise RuntimeError(f"the session never began; see {data / 'processes.log'}")
    return collect(Path(snapshot.folder), twin_log(data / "twins.jsonl"), real_time=True)


def _sit_through(house: House, therapist: ScriptedTherapist, devices: SimulatedDevices, length_ns: int) -> None:
    """Look every 40 ms, as the screen does, until the session is over or the recording has been played."""
    front = house.front
    played_from_ns = beat_ns = 0
    while not therapist.done and not front.engine_lost:
        now = now_ns()
        front.poll(now)
        house.watch()
        if now - beat_ns >= 100 * MS:
            beat_ns = now
            front.heartbeat(now)
        therapist.step(now, front)
        snapshot = front.snapshot
        if length_ns and not played_from_ns and snapshot and snapshot.state is SessionState.CALIBRATING:
            played_from_ns = now
            devices.say("play")
        if played_from_ns and now - played_from_ns > length_ns:
            therapist.ending = True
        time.sleep(0.02)
