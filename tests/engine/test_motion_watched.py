"""What the session makes of the limb's motion: direction learned, hands on the limb, clonus, clipping, late samples."""

import math

import pytest

from controller.assembly.protocols import CUED, PROPORTIONAL, shipped
from controller.drivers.pucks.fitmi import FitMiDriver
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.engine import ports
from controller.engine.core import EngineCore, Setting
from controller.engine.motion_feed import MotionFeed
from controller.engine.response import ResponseBook
from controller.motion.settings import AttemptSettings
from controller.session.loader import load_bytes
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.sample import Sample
from controller.vocabulary.snapshot import SessionState
from controller.wire.ximu3 import Inertial, encode
from safety.orders import Deliver
from tests.engine.conftest import MS, PUCK_NS, SECOND, Bench

pytestmark = pytest.mark.hazard("H06", "H07", "H09", "H10", "H20")

HOLD, LET_GO = intents.HoldLimb(True), intents.HoldLimb(False)


class Limb(Bench):
    """A bench whose protocol has more under `attempt:`, and whose puck may be strapped on as one likes."""

    def __init__(self, attempt="", protocol=CUED, turned="", full_scale_dps=2000.0, **changes):
        super().__init__(protocol, **changes)
        lines = shipped(protocol).read_bytes().splitlines(keepends=True)
        ours = (b"  direction:", b"  tremor_gate:")  # what the shipped one asks for is not what is tested here
        source = b"".join(line for line in lines if not line.startswith(ours))
        if attempt:
            source = source.replace(b"attempt:\n", b"attempt:\n  " + attempt.encode() + b"\n", 1)
        self.driver = Ximu3Driver("puck", "x-IMU3")
        self.driver.full_scale_dps = full_scale_dps
        settings = {"calibration_rest_s": 1.0, "calibration_attempts": 0} | changes
        self.core = EngineCore(
            Setting(
                loaded=load_bytes(source),
                puck=self.driver,
                puck_rate_hz=100.0,
                open_record=lambda patient, now_ns, resolved: self.journal,
                **settings,
            )
        )
        self.turned = turned
        self.shakes_hz = self.shakes_deg = 0.0
        self.step(ports.PuckOpened("memory"))

    def frame(self):
        plain = super().frame()
        theta, t_s = math.radians(self.angle_deg), self._device_us * 1e-6
        omega = 2 * math.pi * self.shakes_hz
        rate = self.speed_dps + omega * self.shakes_deg * math.cos(omega * t_s)
        if not (self.turned or self.shakes_hz):
            return plain
        noise = 0.01 * (self._device_us // 10_000 % 7 - 3)
        full = self.driver.full_scale_dps
        rate = min(max(rate, -full), full)
        gyro, acc = (noise, rate + noise, 0.0), (-math.sin(theta), 0.0, math.cos(theta))
        if self.turned == "by 90 deg":
            gyro, acc = (rate + noise, noise, 0.0), (0.0, math.sin(theta), math.cos(theta))
        elif self.turned == "by 180 deg":
            gyro, acc = (noise, -rate + noise, 0.0), (math.sin(theta), 0.0, math.cos(theta))
        return encode(Inertial(self._device_us, gyro, acc))

    def calibrate(self, way=1):
        """Rest, then three attempts of 30 deg; to wherever that leads."""
        levels = [intents.Level.SENSORY, intents.Level.MOTOR, intents.Level.TOLERANCE]
        self.to_fitting()
        while levels:
            self.press()
            self.run(400)
            if self.core.set_up.fitting.level_ua[1] >= 1_000 * (4 - len(levels)):
                self.intend(intents.MarkLevel(1, levels.pop(0)))
        self.intend(intents.FittingDone())
        self.state = GatewayState.DISARMED
        self.intend(intents.CalibrateRest())
        self.run(1_500)
        self.intend(intents.CalibrateAttempts())
        calibration = self.core.set_up.calibration
        for _ in range(60):
            self.run(250)
            if calibration.next_cue:
                self.reach(way * 30.0, 400)
                self.run(200)
                self.reach(0.0, 800)
            if calibration.result is not None:
                break
        self.intend(intents.AcceptCalibration())
        return self

    def begin(self):
        self.state, self.rest_until_ns = GatewayState.ARMED, 0
        self.run(1_500)
        self.intend(intents.Begin())
        return self

    def note(self, kind):
        return [data for _, what, data, _ in self.journal.events if what == kind]

    def delivered(self, since_ns):
        return [order for order in self.orders(since_ns, (Deliver,)) if order.trains]


def test_calibration_learns_the_way_and_a_movement_against_it_brings_no_current():
    bench = Limb("direction: extension", calibration_attempts=3).calibrate().begin()
    assert bench.core.state is SessionState.RUNNING
    [calibrated] = bench.note("calibrated")
    assert calibrated["axis"][1] == pytest.approx(1.0, abs=0.01)
    bench.run(5_000)
    since_ns = bench.now_ns
    bench.reach(-40.0, 600)
    bench.run(500)
    assert len(bench.note("antagonist_attempt")) == 1
    assert bench.delivered(since_ns) == []
    assert bench.note("attempt_started") == []
    bench.run(1_200)
    bench.reach(0.0, 600)  # the way back goes the asked way
    bench.run(300)
    assert len(bench.note("attempt_started")) == 1
    assert bench.core.training.tally()["antagonist"] == 1


def test_the_same_movement_against_the_way_is_an_attempt_where_no_way_is_asked_for():
    bench = Limb(calibration_attempts=3).calibrate().begin()
    bench.run(5_000)
    bench.reach(-40.0, 600)
    bench.run(500)
    assert len(bench.note("attempt_started")) == 1


def test_a_puck_strapped_on_turned_by_90_deg_fails_calibration_in_words():
    bench = Limb("direction: extension", turned="by 90 deg", calibration_attempts=3).calibrate()
    assert bench.core.state is SessionState.CALIBRATING
    view = bench.core.set_up.calibration.view
    assert (view.stage, view.threshold_dps) == ("failed", 0.0)
    assert "about its x axis" in view.advice
    assert "record rest and attempts again" in view.advice


@pytest.mark.parametrize(("direction", "way", "sign"), [("extension", 1, 1), ("flexion", -1, 1)])
@pytest.mark.parametrize("turned", ["by 180 deg", "the usual way"])
def test_extension_is_positive_however_the_puck_sits(direction, way, sign, turned):
    bench = Limb(f"direction: {direction}", turned=turned, calibration_attempts=3).calibrate(way)
    assert bench.core.state is SessionState.READY, bench.core.set_up.calibration.view
    bench.reach(25.0, 500)
    bench.run(50)
    assert bench.core.feed.feature.angle_deg == pytest.approx(sign * 25.0, abs=3.0)


def test_while_somebody_holds_the_limb_nothing_is_an_attempt():
    bench = Limb().to_ready().begin()
    bench.run(5_000)
    bench.intend(HOLD)
    bench.reach(40.0, 600)
    bench.run(2_000)
    bench.reach(0.0, 600)
    assert bench.note("attempt_started") == []
    assert bench.note("limb_held") == [{"on": True}]
    bench.intend(LET_GO)
    bench.run(200)
    bench.reach(10.0, 300)  # before the limb has been still
    assert bench.note("attempt_started") == []
    bench.run(1_000)
    bench.reach(40.0, 600)
    bench.run(200)
    assert len(bench.note("attempt_started")) == 1


def test_without_the_key_a_move_by_another_hand_is_an_attempt():
    """The limit of an inertial sensor, which is why there is a key."""
    bench = Limb().to_ready().begin()
    bench.run(5_000)
    bench.reach(40.0, 600)
    bench.run(200)
    assert len(bench.note("attempt_started")) == 1


def test_taking_a_limb_that_is_helped_ends_the_current_and_pauses():
    bench = Limb(protocol=PROPORTIONAL).to_ready().begin()
    bench.run(2_500)
    bench.reach(45.0)
    bench.run(500)
    assert bench.on
    bench.intend(HOLD)
    assert not bench.on
    assert bench.core.state is SessionState.PAUSED
    since_ns = bench.now_ns + 1
    bench.run(3_000)
    bench.intend(intents.Resume())
    assert bench.core.state is SessionState.PAUSED
    assert "Let go" in bench.core.todo
    assert bench.delivered(since_ns) == []
    bench.intend(LET_GO, intents.Resume())
    assert bench.core.state is SessionState.RUNNING


def test_a_held_limb_opens_no_way_into_help():
    bench = Limb(protocol=PROPORTIONAL).to_ready().begin()
    bench.intend(HOLD)
    bench.run(2_500)
    bench.reach(45.0)
    bench.run(1_000)
    assert not bench.on
    bench.intend(LET_GO)
    bench.run(200)
    assert bench.on


@pytest.mark.parametrize("gate", ["on", "auto"])
def test_clonus_lets_the_current_fall_and_pauses(gate):
    bench = Limb(f"tremor_gate: {gate}", protocol=PROPORTIONAL).to_ready().begin()
    bench.run(2_500)
    bench.reach(45.0)
    bench.run(1_000)
    assert bench.on
    bench.shakes_hz, bench.shakes_deg = 5.0, 5.0
    since_ns = bench.now_ns
    bench.run(1_500)
    assert len(bench.note("clonus")) == 1
    assert bench.core.state is SessionState.RUNNING or not bench.on
    bench.run(1_000)
    assert not bench.on
    assert bench.core.state is SessionState.PAUSED
    assert bench.core.todo.startswith("Clonus")
    clonus_ns = next(t_ns for t_ns, kind, *_ in bench.journal.events if kind == "clonus")
    assert clonus_ns - since_ns < 1_200 * MS
    falling = [order.trains[0].amplitude_ua for order in bench.delivered(clonus_ns)]
    assert falling == sorted(falling, reverse=True)
    assert len(set(falling)) > 2  # along its ramp, not at once


def test_the_same_shaking_is_not_looked_for_where_the_protocol_does_not_ask():
    bench = Limb(protocol=PROPORTIONAL).to_ready().begin()
    bench.shakes_hz, bench.shakes_deg = 5.0, 5.0
    bench.run(3_000)
    assert bench.note("clonus") == []


def test_a_clipped_gyroscope_loses_the_angle_until_the_limb_is_still():
    bench = Limb(protocol=PROPORTIONAL, turned="the usual way", full_scale_dps=250.0).to_ready().begin()
    bench.run(2_500)
    bench.reach(60.0, 200)  # 300 deg/s
    assert len(bench.note("gyro_clipped")) == 1
    assert math.isnan(bench.core.feed.feature.angle_deg)
    bench.run(900)
    assert not bench.on  # no way that asks for an angle is open
    bench.run(500)
    assert len(bench.note("angle_rezeroed")) == 1
    assert bench.core.feed.feature.angle_deg == pytest.approx(60.0, abs=2.0)


def test_samples_that_waited_in_a_queue_cannot_trigger():
    """A radio that falls behind: each sample comes 10 ms later than the one before, and none is missing."""
    bench = Limb().to_ready().begin()
    bench.run(5_000)
    since_ns = bench.now_ns
    for k in range(100):
        bench.now_ns += 2 * PUCK_NS
        bench.speed_dps = 60.0 if k > 20 else 0.0  # it is 200 ms behind when the limb moves
        bench.step(ports.FromGateway(bench.status()), ports.PuckBytes(bench.frame()))
    assert bench.note("attempt_started") == []
    assert bench.delivered(since_ns) == []
    assert bench.note("puck_stale")
    assert bench.core.state is SessionState.PAUSED


def test_a_stuck_sensor_ends_the_current_and_pauses():
    bench = Limb(protocol=PROPORTIONAL).to_ready().begin()
    bench.run(2_500)
    bench.reach(45.0)
    bench.run(500)
    assert bench.on
    since_ns = bench.now_ns
    bench.frame = lambda: encode(Inertial(bench._advance(), (0.0, 1.5, 0.0), (0.0, 0.0, 1.0)))
    bench._advance = lambda: setattr(bench, "_device_us", bench._device_us + 10_000) or bench._device_us
    bench.run(400)
    assert not bench.on
    assert bench.core.state is SessionState.PAUSED
    assert bench.note("puck_stale")
    assert bench.now_ns - since_ns <= 400 * MS


def splint(angle_cdeg, side="right", on=True):
    return intents.WearOrthosis(intents.Orthosis.SPLINT, side, angle_cdeg, "clear", on=on)


@pytest.mark.parametrize(
    ("worn", "begins"), [(splint(1_000), False), (splint(None), True), (splint(1_000, "left"), True)]
)
def test_a_locked_splint_on_the_affected_side_is_refused_where_movement_is_waited_for(worn, begins):
    bench = Limb().to_ready()
    bench.intend(worn)
    bench.begin()
    assert (bench.core.state is SessionState.RUNNING) == begins
    if not begins:
        assert bench.core.todo.startswith("splint: locked at 10 deg")
        bench.intend(splint(1_000, on=False), intents.Begin())
        assert bench.core.state is SessionState.RUNNING


def test_a_limb_that_answers_less_is_told_once_and_only_told():
    book = ResponseBook()
    book.at((20_000,))
    turns = [40.0] * 6 + [38.0, 30.0] + [24.0] * 6
    found = []
    for turn in turns:
        book.began(5.0)
        for angle in (5.0, 5.0 + turn, 20.0):
            book.look(angle)
        found.append(book.ended())
    [reduced] = [one for one in found if one is not None]
    assert (reduced.first_deg, reduced.last_deg) == (40.0, 24.0)
    assert (book.first_deg, book.last_deg) == (40.0, 24.0)
    book.at((18_000,))
    assert book.first_deg is None
    book.began(math.nan)
    book.look(3.0)
    assert book.ended() is None


def test_steady_answers_and_limbs_that_hardly_move_are_not_told():
    for turn in (40.0, 1.0):
        book = ResponseBook()
        for k in range(30):
            book.began(0.0)
            book.look(turn * (1.0 if k < 15 else 0.75 if turn > 3 else 0.1))
            assert book.ended() is None


def test_two_pucks_are_one_motion_and_one_puck_is_warned_of():
    settings = AttemptSettings(relative_to="back of the forearm")
    feed = MotionFeed(FitMiDriver(), settings, 60.0, "blue")
    assert [view.used for view in feed.views(0)] == [True, True]
    assert feed.views(0)[0].remark == ""
    speeds = []
    for k in range(200):
        t_ns = SECOND + k * 16 * MS
        half = math.radians(90.0 * k * 0.016) / 2  # the whole arm turns at 90 deg/s
        carried = (math.cos(half), 0.0, 0.0, math.sin(half))
        if k < 150:
            feed.glance(Sample("yellow", t_ns, (0.0, 0.0, 90.0 + k % 5 * 0.01), None, carried))
        feature, _ = feed.take(Sample("blue", t_ns, (0.0, 0.0, 90.0), None, carried), 0)
        speeds.append(feature.angular_speed_dps)
    assert max(speed for speed in speeds[:150]) < 1.0
    assert all(map(math.isnan, speeds[157:]))  # the second puck fell silent: nothing is known
    assert feed.feature.angle_deg == pytest.approx(0.0, abs=0.1)

    alone = MotionFeed(Ximu3Driver("wrist"), settings, 100.0)
    assert "second puck on the back of the forearm" in alone.views(0)[0].remark
    feature, _ = alone.take(Sample("wrist", SECOND, (0.0, 20.0, 0.0)), 0)
    assert feature.angular_speed_dps == pytest.approx(20.0)


def test_one_puck_where_two_are_wanted_stands_in_the_record():
    bench = Limb('relative_to: "back of the forearm"').to_fitting()
    assert bench.note("puck_alone") == [{"wanted": "back of the forearm"}]


def test_the_second_puck_of_a_report_is_heard_first():
    feed = MotionFeed(FitMiDriver(), AttemptSettings(relative_to="forearm"), 60.0, "blue")
    feed.driver.feed = lambda now_ns, data: [Sample("blue", 1, (0.0,) * 3), Sample("yellow", 1, (0.0,) * 3)]
    order = [sample.puck for sample in feed.hear(1, b"")]
    assert order == ["yellow", "blue"]
