"""Sessions on the virtual clock, made once and looked at by many tests; and one whose limb the test holds itself."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from controller.assembly.demo import DemoPlan, VirtualRun, run_virtual
from controller.assembly.protocols import PROPORTIONAL, shipped
from controller.assembly.therapist import Script
from controller.assembly.virtual import START_NS
from controller.engine.core import EngineCore
from controller.record.merge import records
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState

MS = 1_000_000
SECOND = 1_000 * MS
QUICK = Script(sensory_ua=1_000, motor_ua=1_500, tolerance_ua=20_000, calibrate_attempts=False)


class Seen:
    """A finished session: the run, its folder, its records and the twin's trains."""

    def __init__(self, plan, data):
        self.run = run_virtual(plan, data)
        self.folder = self.run.assembly.engine.record.folder
        self.events = records(self.folder / "events.jsonl")
        self.gateway = records(self.folder / "gateway.jsonl")
        self.trains = [entry for entry in self.run.trains if entry.get("kind") == "train"]
        self.cues_ns = [entry["t_ns"] for entry in self.run.trains if entry.get("event") == "cue"]

    def of(self, kind):
        return [event for event in self.events if event.kind == kind]

    @property
    def tally(self):
        return self.of("tally")[-1].data


@pytest.fixture(scope="session")
def session(tmp_path_factory):
    """Five cued repetitions of the simulated patient, seed 1."""
    return Seen(DemoPlan(repetitions=5, seed=1), tmp_path_factory.mktemp("session"))


class HeldLimb:
    """Motion in the place of a patient: the limb goes smoothly to `target_deg`, at 100 deg/s."""

    def __init__(self):
        self.target_deg = self.angle_deg = 0.0
        self._at_ns = START_NS
        self._number = 0

    def cue(self, now_ns):
        pass

    def relax(self, now_ns):
        pass

    def advance(self, to_ns, drive):
        pass

    def imu(self, now_ns):
        passed_s = (now_ns - self._at_ns) / SECOND
        self._at_ns = now_ns
        self._number += 1
        moved = max(-100.0 * passed_s, min(100.0 * passed_s, self.target_deg - self.angle_deg))
        self.angle_deg += moved
        noise = 0.01 * (self._number % 7 - 3)
        theta = math.radians(self.angle_deg)
        return (noise, (moved / passed_s if passed_s else 0.0) + noise, -noise), (
            -math.sin(theta),
            0.0,
            math.cos(theta),
        )


class Held(VirtualRun):
    """The bench protocol (amplitude follows the angle) with both real cores; the test says what the limb does."""

    def __init__(self, data, **script):
        plan = DemoPlan(
            protocol=shipped(PROPORTIONAL),
            repetitions=1_200,
            script=replace(QUICK, **script),
        )
        super().__init__(plan, data)
        self.limb = self.world.motion = HeldLimb()
        self.therapist.script = plan.script
        # The puck is calibrated from a second of rest; there is no patient who could attempt anything.
        setting = replace(self.assembly.engine.setting, calibration_rest_s=1.0, calibration_attempts=0)
        self.engine = self.assembly.engine = EngineCore(setting)
        self.gateway = self.assembly.gateway

    def go(self, ms):
        self.assembly.run(self.assembly.now_ns + ms * MS)
        return self

    def alone(self):
        """The therapist looks on and touches nothing any more (the screen still beats)."""
        self.assembly.therapist = SimpleNamespace(done=False, step=lambda now_ns, front: None)
        return self

    def to_running(self):
        for _ in range(200):
            self.go(500)
            if self.engine.state is SessionState.RUNNING:
                return self.go(2_500)
        raise AssertionError(f"never ran: {self.engine.state}, {self.engine.todo}")

    def to_current(self, angle_deg=45.0):
        self.to_running()
        self.limb.target_deg = angle_deg
        self.go(2_000)
        assert self.gateway.state is GatewayState.DELIVERING
        return self

    @property
    def drive(self):
        return self.world.stimulator.twin.drive()

    def finish(self):
        self.assembly.close()
        self.world.close(self.assembly.now_ns)
        return self.engine.record.folder


@pytest.fixture
def held(tmp_path):
    return Held(tmp_path)


@pytest.fixture(scope="session")
def kit():
    return SimpleNamespace(Seen=Seen, Held=Held, MS=MS, SECOND=SECOND, records=records)
