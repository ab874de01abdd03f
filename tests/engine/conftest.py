"""An engine on a bench: the real core, puck driver and motion; a puck played by the test, a gateway that only talks."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.assembly.protocols import CUED, PROPORTIONAL, SELF_PACED, shipped
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.engine import ports
from controller.engine.core import EngineCore, Setting
from controller.session.loader import load
from controller.vocabulary import intents
from controller.vocabulary.facts import BurstEnded, BurstStarted, GatewayState, GatewayStatus
from controller.vocabulary.snapshot import SessionState
from controller.wire.ximu3 import Inertial, encode
from safety.orders import ArmScope, Deliver, Renew, Stop

MS = 1_000_000
SECOND = 1_000 * MS
PUCK_NS = 10 * MS
STATUS = GatewayStatus(
    t_ns=0,
    state=GatewayState.DISARMED,
    scope=None,
    unit="SIM0P24001",
    simulated=True,
    stop_tested=True,
    blocked="",
    cause="",
    todo="",
    outputs=(),
    confirmed_age_ms=10,
    rest_until_ns=0,
    refused=0,
    wire_faults=0,
    identified=(1, 2),
)


class Journal:
    """The record's port, in memory."""

    def __init__(self):
        self.folder = Path("/nowhere")
        self.failed = ""
        self.backlog = 0
        self.events, self.rows, self.trials, self.stims, self.ended = [], [], [], [], []

    vouched = None

    def backlog_ms(self, now_ns):
        return self.backlog

    def event(self, t_ns, kind, data, sync=False):
        self.events.append((t_ns, kind, dict(data), sync))

    def motion(self, puck, t_ns, row):
        self.rows.append((puck, t_ns, row))

    def declare(self, t_ns, puck, columns):
        pass

    def trial(self, t_ns, trial):
        self.trials.append(trial)

    def stim(self, t_ns, stim):
        if not self.ended:  # a closed record takes nothing more
            self.stims.append(stim)

    def device(self, t_ns, role, identity, **details):
        pass

    def close(self, t_ns, ended, reason=""):
        self.ended.append(ended)


class Bench:
    """`run(ms)` lets time pass: puck frames of a limb at `angle_deg`, the gateway's words, the engine's deadlines.

    The gateway here obeys: it says that bursts start and end as ordered, so the engine's own doing is what is seen.
    """

    def __init__(self, protocol=PROPORTIONAL, **changes):
        self.now_ns = 1_000 * SECOND
        self.journal = Journal()
        settings = {"calibration_rest_s": 1.0, "calibration_attempts": 0} | changes
        self.core = EngineCore(
            Setting(
                loaded=load(shipped(protocol)),
                puck=Ximu3Driver("puck", "x-IMU3"),
                puck_rate_hz=100.0,
                open_record=lambda patient, now_ns, resolved: self.journal,
                **settings,
            )
        )
        self.said = []  # (time, output)
        self.angle_deg, self.speed_dps = 0.0, 0.0
        self.puck_talks = self.gateway_talks = True
        self.state, self.rest_until_ns = GatewayState.DISARMED, 0
        self.on = False
        self._device_us = 0
        self._puck_ns = self._status_ns = self.now_ns
        self._press = 0
        self.step(ports.PuckOpened("memory"))

    # -- what happens ------------------------------------------------------------------------------------------

    def step(self, *inputs):
        outputs = self.core.step(self.now_ns, list(inputs))
        self.said += [(self.now_ns, output) for output in outputs]
        facts = [ports.FromGateway(fact) for output in outputs for fact in self._obey(output)]
        if facts and self.gateway_talks:
            outputs = [*outputs, *self.step(*facts)]
        return outputs

    def _obey(self, output):
        order = getattr(output, "message", None)
        if isinstance(order, Deliver) and order.trains and not self.on:
            self.on, self.state = True, GatewayState.DELIVERING
            yield BurstStarted(order.seq, self.now_ns, self.now_ns + 50_000, self.now_ns + 90_000)
        elif isinstance(order, Stop | Deliver) and self.on and not getattr(order, "trains", ()):
            self.on, self.state = False, GatewayState.RESTING
            self.rest_until_ns = self.now_ns + 2 * SECOND
            yield BurstEnded(self.now_ns, "released", self.rest_until_ns)

    def frame(self):
        """The next frame of the puck. A trace of noise, or it would be taken for a stuck sensor."""
        self._device_us += PUCK_NS // 1000
        noise = 0.01 * (self._device_us // 10_000 % 7 - 3)
        self.angle_deg += self.speed_dps * PUCK_NS / SECOND
        theta = math.radians(self.angle_deg)
        gyro = (noise, self.speed_dps + noise, -noise)
        return encode(Inertial(self._device_us, gyro, (-math.sin(theta), 0.0, math.cos(theta))))

    def run(self, ms):
        ends_ns = self.now_ns + ms * MS
        while self.now_ns < ends_ns:
            due = min(max(self.core.next_deadline(), self.now_ns + 1), self._puck_ns, self._status_ns, ends_ns)
            self.now_ns = due
            inputs = []
            if due >= self._puck_ns:
                self._puck_ns += PUCK_NS
                frame = self.frame()  # the puck measures whether or not anybody hears it
                inputs += [ports.PuckBytes(frame)] if self.puck_talks else []
            if due >= self._status_ns:
                self._status_ns += 100 * MS
                if self.state is GatewayState.RESTING and due >= self.rest_until_ns:
                    self.state = GatewayState.ARMED
                inputs += [ports.FromGateway(self.status())] if self.gateway_talks else []
            self.step(*inputs)

    def status(self, **changes):
        rest = self.rest_until_ns if self.rest_until_ns > self.now_ns else 0
        return replace(STATUS, t_ns=self.now_ns, state=self.state, rest_until_ns=rest, **changes)

    def freeze(self, ms):
        """The engine itself stands still: nothing steps it, the puck's bytes pile up. Gives the next outputs."""
        self.now_ns += ms * MS
        backlog = b"".join(self.frame() for _ in range(ms // 10))
        self._puck_ns = self.now_ns + PUCK_NS
        self._status_ns = self.now_ns + 100 * MS
        return self.step(ports.PuckBytes(backlog))

    def intend(self, *wishes):
        return self.step(*[ports.FromFront(wish) for wish in wishes])

    def reach(self, angle_deg, ms=300):
        """The limb goes to that angle."""
        self.speed_dps = (angle_deg - self.angle_deg) * 1000 / ms
        self.run(ms)
        self.speed_dps, self.angle_deg = 0.0, angle_deg

    # -- the usual ways ------------------------------------------------------------------------------------------

    def press(self, step_ua=500, channel=1, purpose="titrate"):
        self._press += 1
        return self.intend(intents.Titrate(channel, step_ua, self._press, purpose))

    def answers(self, **others):
        """The answers that are in order, or others by row: True, False, None (not answered), or a dict."""
        rows = {view.row: {"yes": view.good} for view in self.core.checks.views(SessionState.SCREENING)}
        for row, other in others.items():
            rows[row] = other if isinstance(other, dict) else {"yes": other}
        said = [intents.ScreeningAnswer(row, **what) for row, what in rows.items() if what != {"yes": None}]
        return intents.ScreeningDone(tuple(said))

    def screen(self, **others):
        return self.intend(self.answers(**others))

    def to_fitting(self):
        self.intend(intents.ChoosePatient("SIM01"))
        self.screen()
        self.state = GatewayState.ARMED
        self.run(100)
        assert self.core.state is SessionState.FITTING
        return self

    def to_ready(self):
        self.to_fitting()
        levels = [intents.Level.SENSORY, intents.Level.MOTOR, intents.Level.TOLERANCE]
        while levels:
            self.press()
            self.run(400)
            if self.core.set_up.fitting.level_ua[1] >= 1_000 * (4 - len(levels)):
                self.intend(intents.MarkLevel(1, levels.pop(0)))
        self.intend(intents.FittingDone())
        self.state = GatewayState.DISARMED
        self.intend(intents.CalibrateRest())
        self.run(2_500)
        self.intend(intents.AcceptCalibration())
        assert self.core.state is SessionState.READY, self.core.set_up.calibration.view
        return self

    def to_running(self):
        self.to_ready()
        self.state, self.rest_until_ns = GatewayState.ARMED, 0
        self.run(2_500)
        self.begun_ns = self.now_ns
        self.intend(intents.Begin())
        assert self.core.state is SessionState.RUNNING, self.core.todo
        return self

    def to_current(self):
        """Running, with the amplitude following a limb at 45 deg."""
        self.to_running()
        self.run(2_500)
        self.reach(45.0)
        self.run(500)
        assert self.on
        return self

    # -- what was seen ---------------------------------------------------------------------------------------------

    def orders(self, since_ns=0, kinds=(Deliver, Renew, Stop)):
        sent = [o.message for t_ns, o in self.said if t_ns >= since_ns and isinstance(o, ports.ToGateway)]
        return [message for message in sent if isinstance(message, kinds)]

    def kinds(self):
        return [kind for _, kind, _, _ in self.journal.events]

    def event(self, kind):
        return [data for _, name, data, _ in self.journal.events if name == kind]


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def running():
    return Bench().to_running()


@pytest.fixture
def current():
    return Bench().to_current()


@pytest.fixture(scope="session")
def kit():
    return SimpleNamespace(
        Bench=Bench, MS=MS, SECOND=SECOND, CUED=CUED, SELF_PACED=SELF_PACED, STATUS=STATUS, ArmScope=ArmScope
    )
