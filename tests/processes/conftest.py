"""The real processes on real PTYs: house, gateway, engine and the unit's twin. The test is screen, person and puck."""

import contextlib
import os
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from controller.assembly.bench.puck_player import PuckPlayer
from controller.assembly.bench.terminals import RawPort
from controller.assembly.house import House, HousePlan
from controller.assembly.protocols import PROPORTIONAL, TOGETHER, shipped
from controller.assembly.results import twin_log
from controller.assembly.simulated import SimulatedDevices, SimulatedPlan, twin_of
from controller.assembly.therapist import Script, ScriptedTherapist
from controller.clock import MS, SECOND, now_ns, wall_day
from controller.record.merge import records
from controller.record.verify import verify
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState

PUCK_S = 0.01
QUICK = Script(sensory_ua=1_000, motor_ua=1_500, tolerance_ua=2_000, calibrate_attempts=False)
GOES_ON = Script(1_000, 1_500, 2_000, calibrate_attempts=False, go_on_after_trip=True)
WIGGLE_DEG = 4.0
NEVER_NS = 1 << 62
PULSES_NS = 60 * MS  # at 50 Hz a pulse is never further back than this while current flows
PUSHED_MNM = 100  # measured at the joint: the orthosis lifts the hand, it does not only stand by


class Live:
    """A session up to current at the skin, and torque where an orthosis is worn. `pump` is the screen's event loop."""

    def __init__(self, folder, script, unit="p24", orthosis="", pedal=""):
        self.folder = folder
        self.angle_deg = 0.0
        self.screen_beats = True
        self.replaces_gateway = True
        twins = tuple(twin_of(kind) for kind in (unit, orthosis) if kind)
        self.devices = SimulatedDevices(SimulatedPlan(seed=1, log=folder / "twin.jsonl", devices=twins))
        self.puck = RawPort()
        self._playing = True
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()
        plan = HousePlan(
            unit=self.devices.port(unit),
            puck=f"ximu3:{self.puck.path}",
            orthosis=self.devices.port(orthosis) if orthosis else "",
            pedal=pedal,
            protocol=shipped(TOGETHER if orthosis else PROPORTIONAL),
            data=folder / "data",
            log=folder / "processes.log",
            calibration_rest_s=1.0,
            calibration_attempts=0,
            repetitions=300,
        )
        self.house = House(plan)
        self.front = self.house.front
        self.therapist = ScriptedTherapist(script, date=wall_day()[0])
        self._beat_ns = 0

    def _play(self):
        """The limb goes smoothly to its angle and moves a little about it, so that amplitudes keep changing."""
        player, angle, number = PuckPlayer(1 / PUCK_S), 0.0, 0
        while self._playing:
            number += 1
            wiggle = WIGGLE_DEG * (1 if number // 25 % 2 else -1) if self.angle_deg else 0.0
            angle += max(-1.0, min(1.0, self.angle_deg + wiggle - angle))
            self.puck.write(player.frame(angle, now_ns() // 1000))
            time.sleep(PUCK_S)

    def pump(self, seconds, until=lambda: False):
        """Screen and therapist for so long, or until something is so; gives whether it came to be."""
        ends_ns = now_ns() + round(seconds * SECOND)
        while now_ns() < ends_ns:
            now = now_ns()
            self.front.poll(now)
            if self.replaces_gateway:
                self.house.watch()
            if self.screen_beats and now - self._beat_ns >= 100 * MS:
                self._beat_ns = now
                self.front.heartbeat(now)
            self.therapist.step(now, self.front)
            if until():
                return True
            time.sleep(0.01)
        return False

    @property
    def session_state(self):
        return self.front.snapshot.state if self.front.snapshot else None

    @property
    def gateway_state(self):
        return self.front.status.state if self.front.status else None

    def is_up(self):
        """Both processes have spoken, and the unit is ready."""
        return self.front.snapshot is not None and self.gateway_state is GatewayState.DISARMED

    def flows(self):
        """The unit confirmed more than 1 mA, and an orthosis pushes."""
        status = self.front.status
        if self.gateway_state is not GatewayState.DELIVERING or not any(o.confirmed_ua > 1_000 for o in status.outputs):
            return False
        return all(report.torque_on and abs(report.torque_mnm) > PUSHED_MNM for report in status.joint)

    def helps(self):
        """Current that the session gave, not the fitting."""
        return self.session_state is SessionState.RUNNING and self.flows()

    def to_current(self):
        assert self.pump(60.0, lambda: self.session_state is SessionState.RUNNING), self.told()
        self.angle_deg = 45.0
        assert self.pump(10.0, self.flows), self.told()
        self.pump(0.3)
        assert self.pump(10.0, self.flows), self.told()  # a starved machine may have ended the burst meanwhile
        return self

    def told(self):
        """How things stand, in a text that a failed assertion shows whole."""
        snapshot, status = self.front.snapshot, self.front.status
        session = snapshot and (str(snapshot.state), snapshot.trip, snapshot.todo)
        why = status and (str(status.state), status.blocked, status.cause)
        return f"session {session}\ngateway {why}\n{status}\n{self.processes_log()}"

    def processes_log(self):
        return (self.folder / "processes.log").read_text()

    def close(self):
        self._playing = False
        self._thread.join()
        self.house.close()
        self.devices.close()
        self.puck.close()

    # -- afterwards --------------------------------------------------------------------------------------------

    def logged(self, kind):
        """What the twins wrote down of one kind: `train`, `torque`, `state`, `fault`, `world`."""
        return [entry for entry in twin_log(self.folder / "twin.jsonl") if entry.get("kind") == kind]

    def trains(self):
        return self.logged("train")

    def last_pulse_ms(self, fault_ns):
        """From the fault to the last pulse at the skin, in ms (0 when none came after it)."""
        return max(0.0, (max(train["t_end_ns"] for train in self.trains()) - fault_ns) / MS)

    def last_ms(self, kind, fault_ns, until_ns=NEVER_NS):
        """From the fault to the end of all current (`train`) or torque (`torque`) that began before `until_ns`, in ms.

        It includes whatever began anew after the fault, so a restart shows as a late end. There must have been some
        at the fault's instant, or nothing is shown.
        """
        runs = [run for run in self.logged(kind) if run["t_start_ns"] < until_ns]
        assert any(run["t_start_ns"] <= fault_ns <= run["t_end_ns"] + PULSES_NS for run in runs), f"no {kind} to stop"
        return max(0.0, (max(run["t_end_ns"] for run in runs) - fault_ns) / MS)

    def session(self):
        (manifest,) = (self.folder / "data").glob("sub-*/ses-*/session.json")
        return manifest.parent

    def gateway_records(self):
        return records(self.session() / "gateway.jsonl")

    def causes(self):
        return [record.data["cause"] for record in self.gateway_records() if record.kind == "latched"]

    def assert_whole(self):
        """The records are whole, the processes have printed nothing, and both have gone."""
        found = verify(self.session())
        assert found.ok, found.faults
        assert self.processes_log() == ""
        assert self.house.gateway.poll() is not None
        assert self.house.engine.poll() is not None


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """A runtime folder of the test's own, so that no other gateway is stopped."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / f"stimloop-{os.getuid()}"


@pytest.fixture
def start(tmp_path, runtime):
    """Makes a live session; whatever happens, it is ended."""
    made = []

    def begin(script=QUICK, **more):
        made.append(Live(tmp_path, script, **more))
        return made[-1]

    yield begin
    for live in made:
        live.close()


@contextlib.contextmanager
def together(folder, script, cases, workers):
    """Run live sessions side by side, since most of each is waiting: {name: future of `script(name, folder)`}.

    `cases` are names; each gets a folder of its own in `folder`. All share a runtime folder, which is of this call and
    not of one test: use it in a fixture called `own_folders` of the module, which takes the place of each test's.
    """
    runtime = tempfile.mkdtemp(prefix="sl")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(workers) as pool:
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        futures = {}
        for name in cases:
            (folder / name).mkdir()
            futures[name] = pool.submit(script, name, folder / name)
        yield futures
        pool.shutdown()
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def live(start):
    """A session with current at the skin."""
    return start().to_current()


@pytest.fixture(scope="session")
def kit():
    return SimpleNamespace(QUICK=QUICK, GOES_ON=GOES_ON, Live=Live, together=together)
