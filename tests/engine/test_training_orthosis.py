"""Current and orthosis together: what the engine asks of both, judged by the real guard, which latches on a refusal."""

from functools import partial

import pytest

from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.drivers.stimulators.p24 import P24
from controller.engine import ports
from controller.engine.motion_feed import MotionFeed
from controller.engine.stimulation import Output, Stimulation
from controller.engine.training import Training
from controller.motion.settings import AttemptSettings
from controller.session.loader import load
from controller.session.resolve import resolve
from controller.vocabulary.facts import JointReport, Refusal
from controller.vocabulary.feature import Feature
from safety.guard import Guard
from safety.interlocks import Conditions
from safety.joint import Assist, Hold, Posture, Release
from safety.orders import ArmScope, Deliver, Refused, Renew, Stop
from safety.stimulus import Waveform

MS = 1_000_000
SECOND = 1_000 * MS
T0 = 1_000 * SECOND
CLOSED = Conditions(True, True, True, True, "", False, True)
HEAD = """stimloop: 1
name: two muscles
task: open and close
position: seated
puck: {placement: hand, min_rate: 50 Hz}
channels:
  extensors: {channel: 1, muscle: extensors, placement: arm, region: forearm, electrode_area: 25 cm2,
    amplitude: 20 mA, pulse_width: 250 us, frequency: 35 Hz, ramp_up: 300 ms, ramp_down: RAMP}
  flexors: {channel: 2, muscle: flexors, placement: arm, region: forearm, electrode_area: 25 cm2,
    amplitude: 20 mA, pulse_width: 250 us, frequency: 35 Hz, ramp_up: 300 ms, ramp_down: RAMP}
orthosis: {joint: JOINT, positions: {open: 30 deg, closed: -20 deg}, torque: TORQUE, speed: 40 deg/s,
  moved_by: {extensors: extends, flexors: flexes}}
attempt: {window: 6 s, threshold: {fraction: 30 %, rest_multiple: 4, floor: 5 deg/s, ceiling: 60 deg/s},
  dwell: 50 ms, quiet: 500 ms, blanking: 1 s}
calibration: {rest: 10 s, attempts: 5, timeout: 10 s}
activity:
  grasp:
    task: grasp
    phases:
      rest: {at_least: 3 s, then: go}
PHASES
session: {activity: grasp, repetitions: 5}
"""
BACK = "      back: {counts: repetition, then: rest}\n"


class Loop:
    """Training and guard, and a joint that follows the orders at their speed up to `stuck_cdeg`."""

    def __init__(self, path, phases, joint="wrist", torque="1.2 Nm", ramp="300 ms", **world):
        text = HEAD.replace("JOINT", joint).replace("TORQUE", torque).replace("RAMP", ramp)
        text = text.replace("{at_least: 3 s, then: go}", world.get("rest", "{at_least: 3 s, then: go}"))
        path.write_text(text.replace("PHASES", phases + BACK))
        protocol = resolve(load(path), {"extensors": 10_000, "flexors": 10_000})
        self.stuck_cdeg, self.carried_cdeg = world.get("stuck_cdeg", 9_000), world.get("carried_cdeg", 0)
        self.late_ns = world.get("late_ns", 0)
        self.guard = Guard(P24.limits, DYNAMIXEL.limits)
        for channel in (1, 2):
            assert self.guard.prescribe(channel, "forearm", 2_500, 10_000, 4_000, "S", "D", False) is None
        torque_mnm = protocol.joint.torque_mnm
        assert self.guard.prescribe_joint(joint, "right", -4_000, 3_000, torque_mnm, "S", "D", False) is None
        assert self.guard.need("seated") is None
        assert self.guard.place("seated", False, "S", "D", False) is None
        self.guard._memory.identified = {1, 2}
        self.guard._memory.fitted = dict.fromkeys({1, 2}, Waveform(10_000, 0, 1))
        signs = protocol.joint
        args = (signs.torque_mnm, signs.speed_cdps, signs.angle_min_cdeg, signs.angle_max_cdeg, signs.on_ms_max)
        assert self.guard.constrain_joint(signs.region, *args, signs.channel_signs) is None
        stimulation = Stimulation()
        make = partial(Output, pulse_width_us=250, interphase_us=100, period_us=29_000, ceiling_ua=10_000)
        ramps = {"ramp_up_ns": 300 * MS, "ramp_down_ns": protocol.channels[0].ramp_down_ns}
        stimulation.use([make(name, n, **ramps) for n, name in ((1, "extensors"), (2, "flexors"))])
        self.feed = MotionFeed(Ximu3Driver("puck", "x-IMU3"), AttemptSettings(), 100.0)
        self.training = Training(protocol, self.feed, stimulation, "right")
        self.now_ns, self.angle_cdeg, self.order = T0, -1_500, None
        self.moving = False
        self.sent, self.refused, self.phases, self._waiting = [], [], [], []

    def run(self, seconds):
        self.guard.arm(ArmScope.SESSION, self.now_ns)
        self._report()
        self.take(self.training.begin(self.now_ns, 0))
        for ms in range(int(seconds * 1000)):
            self.now_ns += MS
            self._live()
            if ms % 20 == 0:
                self.guard.posture(Posture(self.now_ns - 3 * MS, round(self.angle_cdeg), 0, 0, self.moving))
            if ms % 40 == 0:
                self._report()
            if ms % 10 == 0:
                self.feed.sample_ns = self.now_ns
                feature = Feature(self.now_ns, 0.0, self.angle_cdeg / 100, 0)
                self.feed.feature = feature
                self.take(self.training.on_feature(self.now_ns, feature, None))
            self.take(self.training.on_time(self.now_ns, None))
            self._deliver(ms)
            if self.phases[-1:] != [self.training.plan.phase]:
                self.phases.append(self.training.plan.phase)
        return self

    def take(self, outputs):
        self._waiting += [output.message for output in outputs if isinstance(output, ports.ToGateway)]

    def _deliver(self, ms):
        """The gateway takes what has come: at once, or in bunches."""
        if self.late_ns and ms % (self.late_ns // MS):
            return
        waiting, self._waiting = self._waiting, []
        for order in waiting:
            self.sent.append((self.now_ns, order))
            if isinstance(order, Stop):
                self.guard.off_stimulation(self.now_ns)
            elif isinstance(order, Release):
                self.guard.off_joint(self.now_ns)
                self.moving = False
            elif isinstance(order, Deliver | Renew | Hold | Assist):
                answer = self.guard.admit(order, self.now_ns, CLOSED)
                if isinstance(answer, Refused):
                    self.refused.append((answer.rule, answer.reason))
                elif isinstance(order, Hold | Assist):
                    self.moving, self.order = True, order
            self.training.rest_until_ns = self.guard.rest_until_ns

    def _live(self):
        """The joint follows the motor, and a muscle carries it beyond."""
        if self.moving and isinstance(self.order, Assist):
            step = self.order.speed_cdps / 1000
            way = self.order.target_cdeg - self.angle_cdeg
            self.angle_cdeg += max(-step, min(step, way))
            self.angle_cdeg = min(self.angle_cdeg, self.stuck_cdeg)
        if self.carried_cdeg and self.training.stimulation.now_ua("extensors") > 8_000:
            self.angle_cdeg = min(self.carried_cdeg, self.angle_cdeg + 6)

    def _report(self):
        limit = self.guard.joint_limit()
        bounds = (limit.torque_mnm.value, 5, limit.speed_cdps.value, limit.angle_min_cdeg.value)
        angle = round(self.angle_cdeg)
        rest_ns = self.guard.joint_rest_until_ns
        at = (self.now_ns - 3 * MS, "SIM", True, self.moving, angle, 0, 0, self.moving, "", rest_ns)
        self.training.on_joint(self.now_ns, JointReport(*at, *bounds, limit.angle_max_cdeg.value, "x"))

    def moves(self, kind=Assist):
        return [order for _, order in self.sent if isinstance(order, kind)]


@pytest.fixture
def loop(tmp_path):
    return partial(Loop, tmp_path / "p.yaml")


OPEN = "{stimulate: {extensors: 100 %}, orthosis: {move_to: open}, then: {after 2 s: NEXT}}\n"
GRASP = f"      go: {OPEN.replace('NEXT', 'close')}"
PROTOCOLS = {
    "the muscle that closes follows the movement that opens": GRASP
    + "      close: {stimulate: {flexors: 100 %}, then: {after 2 s: back}}\n",
    "the movement turns round": GRASP
    + "      close: {stimulate: {flexors: 100 %}, orthosis: {move_to: closed}, then: {after 2 s: back}}\n",
    "the movement comes back before its rest is over": f"      go: {OPEN.replace('NEXT', 'wait')}"
    + "      wait: {stimulate: {extensors: 50 %}, then: {after 500 ms: again}}\n"
    + "      again: {stimulate: {extensors: 50 %}, orthosis: {move_to: open}, then: {after 4 s: back}}\n",
    "a hold after a movement that did not arrive": f"      go: {OPEN.replace('NEXT', 'keep')}"
    + "      keep: {stimulate: {extensors: 80 %}, orthosis: {hold: open}, then: {after 1 s: back}}\n",
}


@pytest.mark.parametrize("ramp", ["0 ms", "300 ms"])
@pytest.mark.parametrize("stuck_cdeg", [500, 2_000, 9_000])
@pytest.mark.parametrize("phases", PROTOCOLS.values(), ids=PROTOCOLS)
def test_no_order_of_a_whole_session_is_refused(loop, phases, stuck_cdeg, ramp):
    seen = loop(phases, ramp=ramp, stuck_cdeg=stuck_cdeg).run(40)
    assert seen.refused == []
    assert seen.phases.count("rest") >= 3
    assert len(seen.moves()) > 100


@pytest.mark.parametrize("late_ns", [20 * MS, 60 * MS])
@pytest.mark.parametrize(("joint", "torque"), [("finger", "0.14 Nm"), ("wrist", "1.5 Nm")])
def test_orders_that_arrive_late_and_in_bunches_are_not_refused_for_their_rise(loop, joint, torque, late_ns):
    phases = f"      go: {OPEN.replace('NEXT', 'back')}"
    seen = loop(phases, joint=joint, torque=torque, late_ns=late_ns).run(20)
    assert seen.refused == []
    assert max(order.torque_mnm for order in seen.moves()) == {"finger": 140, "wrist": 1_500}[joint]


def test_a_muscle_that_carries_the_joint_past_todays_range_is_not_worked_against(loop):
    seen = loop(f"      go: {OPEN.replace('NEXT', 'back')}", carried_cdeg=3_800).run(20)
    assert seen.refused == []
    assert seen.guard.joint_limit().angle_max_cdeg.value == 2_700  # the protocol says 3000
    assert seen.phases.count("rest") >= 3


def test_a_movement_begins_when_the_muscle_that_pulls_the_other_way_has_let_go(loop):
    phases = (
        "      go: {stimulate: {extensors: 100 %}, then: {after 1 s: close}}\n"
        "      close: {orthosis: {move_to: closed}, then: {after 2 s: back}}\n"
    )
    seen = loop(phases, ramp="500 ms").run(12)
    assert seen.refused == []
    assert {order.target_cdeg for order in seen.moves()} == {-2_000}


def test_a_speed_that_the_orthosis_makes_is_not_the_patients_own_peak(loop):
    seen = loop(f"      go: {OPEN.replace('NEXT', 'back')}")
    training = seen.training
    seen.run(3.5)
    assert training.movement.moving
    training.trials.open(seen.now_ns)
    training.on_feature(seen.now_ns, Feature(seen.now_ns, 90.0, 0.0, 0), None)
    assert training.trials._open.peak_dps == 0.0
    training.movement._masked = False
    training.on_feature(seen.now_ns, Feature(seen.now_ns, 12.0, 0.0, 0), None)
    assert training.trials._open.peak_dps == 12.0


def test_a_movement_that_the_gateway_refused_is_not_asked_for_again(loop, kit):
    bench = kit.Bench().to_running()
    seen = loop(f"      go: {OPEN.replace('NEXT', 'back')}").run(3.5)
    for rule, moving in (("G22", True), ("J15", False)):
        bench.core.training.movement = seen.training.movement
        assert seen.training.movement.moving
        bench.step(ports.FromGateway(Refusal(bench.now_ns, 1, rule, "why", False)))
        assert seen.training.movement.moving is moving


@pytest.mark.parametrize("ramp", ["0 ms", "300 ms"])
@pytest.mark.parametrize("rest", ["{then: {angle >= -90 deg: go}}", "{at_least: 100 ms, then: go}"])
def test_a_rest_that_an_angle_ends_waits_for_the_end_of_the_burst_and_for_the_guards_rest(loop, rest, ramp):
    phases = f"      go: {OPEN.replace('NEXT', 'back')}"
    seen = loop(phases, rest=rest, ramp=ramp).run(40)
    assert seen.refused == []
    assert seen.phases.count("rest") >= 5


def test_a_pause_hastens_what_is_being_let_go_more_slowly(loop):
    seen = loop(f"      go: {OPEN.replace('NEXT', 'back')}").run(3.5)
    training, now_ns = seen.training, seen.now_ns
    assert training.movement.moving
    training.movement.release(now_ns, 300)  # the phase has just ended

    def let_go(at_ns, ramp_ms):
        said = training.pause(at_ns, ramp_ms)
        return [o.message.ramp_ms for o in said if isinstance(o.message, Release)]

    assert let_go(now_ns + 100 * MS, 300) == []
    assert let_go(now_ns + 100 * MS, 100) == [100]
    assert let_go(now_ns + 150 * MS, 100) == []
