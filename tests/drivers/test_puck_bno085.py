"""The BNO085 driver against its twin: rates out of angles, at every attitude, and everything a broken puck can do."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.drivers.pucks.base import NEVER
from controller.drivers.pucks.bno085 import Bno085Driver
from controller.drivers.pucks.turning import from_zxy, from_zyx
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE
from controller.wire.bno085 import Report, decode, encode
from sim.attitude import angles_zxy, angles_zyx, turned
from sim.devices.bno085 import Bno085Twin
from sim.imu import CONSUMER, Sensor, rigid_motion

MS = 1_000_000
FRESH, NOT_FRESH = CONNECTED | IMU_OK, CONNECTED | STALE
UP = (0.0, 0.0, 1.0)
STILL = (0.0, 0.0, 0.0)
ROUNDING_DPS = 2 * math.sqrt(3) * 0.005 / 0.01
"""Three angles, each rounded to 0.01 deg at both ends of 10 ms: no rate can be further from the truth."""


class Arm:
    """A twin and its driver, one frame each `period_ms`."""

    def __init__(self, period_ms=10):
        self.driver = Bno085Driver("wrist", "/dev/ttyUSB0")
        self.twin = Bno085Twin()
        self.period_ms = period_ms
        self.now_ns = 0

    def frame(self, gyro_dps=STILL, acc_g=UP, quaternion=None):
        self.now_ns += self.period_ms * MS
        return self.twin.frame(self.now_ns // 1000, gyro_dps, acc_g, quaternion)

    def after(self, *motion, **more):
        data = self.frame(*motion, **more)
        (sample,) = self.driver.feed(self.now_ns, data)
        return sample


@pytest.fixture
def arm():
    return Arm()


def test_bno085_the_data_sheets_example_agrees_with_itself():
    # Frame and values of the BNO080 data sheet, 1.3.5.2. Gravity, turned into the sensor by the three angles as this
    # driver applies them, is the printed acceleration but for the sensor's own 4.5 percent. The order in the sheet's
    # text (pitch about y, roll about x) would give (19, 356, 934) mg.
    (sample,) = Bno085Driver().feed(0, bytes.fromhex("AAAADE010092FF25088DFEECFFD103000000E7"))
    w, x, y, z = sample.quaternion
    gravity = (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y))
    norm = math.hypot(*sample.acc_g)
    assert sample.acc_g == (-0.371, -0.02, 0.977)
    assert [part / norm for part in sample.acc_g] == pytest.approx(gravity, abs=0.001)


def test_bno085_writes_nothing_and_plans_nothing():
    driver = Bno085Driver()
    assert (driver.start(5), driver.poll(5), driver.next_deadline()) == (b"", b"", NEVER)


def test_bno085_first_sample_is_not_to_be_acted_upon(arm):
    first, second = arm.after((90.0, 0.0, 0.0)), arm.after((90.0, 0.0, 0.0))
    assert (first.flags, first.gyro_dps) == (NOT_FRESH, STILL)
    assert (second.puck, second.flags, second.t_ns) == ("wrist", FRESH, 20 * MS)
    assert second.gyro_dps == pytest.approx((90.0, 0.0, 0.0), abs=ROUNDING_DPS)
    assert (second.acc_g, second.load_n, second.battery_percent) == (UP, None, None)


def test_bno085_rates_of_a_swinging_limb_are_right_to_the_rounding_of_its_angles(arm):
    sensor = Sensor(random.Random(3), CONSUMER)
    arm.after()
    for n in range(300):
        phase = n * 0.06
        motion = rigid_motion(0.8 * math.sin(phase), 4.8 * math.cos(phase), -28.8 * math.sin(phase), 0.08)
        gyro, acc = sensor.measure(n * 10 * MS, *motion)
        sample = arm.after(gyro, acc)
        assert sample.flags == FRESH
        assert math.dist(sample.gyro_dps, gyro) < ROUNDING_DPS
        assert sample.acc_g == pytest.approx(acc, abs=0.00051)
        assert math.hypot(*sample.quaternion) == pytest.approx(1.0)


@pytest.mark.parametrize("gyro", [(0.0, 0.0, 200.0), (0.0, 0.0, -200.0), (0.0, 200.0, 0.0), (200.0, 0.0, 0.0)])
def test_bno085_survives_full_turns_about_each_axis(arm, gyro):
    arm.after(gyro)
    yaws = set()
    for _ in range(400):
        sample = arm.after(gyro)
        yaws.add(round(sample.quaternion[3], 1))
        assert sample.flags == FRESH
        assert math.dist(sample.gyro_dps, gyro) < ROUNDING_DPS
    assert arm.driver.bad_frames == 0


@pytest.mark.parametrize("pitch", [89.0, 89.99, 90.0, -90.0])
def test_bno085_survives_a_pitch_near_90(arm, pitch):
    """There yaw and roll swing by tens of degrees for a small turn; the orientation does not."""
    gyro = (3.0, 40.0, -70.0)
    arm.after(quaternion=from_zxy(20.0, pitch, 30.0))
    swings = []
    for _ in range(40):
        before = arm.twin._turn
        sample = arm.after(gyro)
        swings.append(abs(angles_zxy(arm.twin._turn)[0] - angles_zxy(before)[0]))
        assert math.dist(sample.gyro_dps, gyro) < ROUNDING_DPS
    assert pitch == 89.0 or max(swings) > 5.0


@given(
    st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda turn: math.hypot(*turn) > 0.1),
    st.tuples(*[st.floats(-1000, 1000)] * 3),
)
def test_bno085_rate_is_right_at_any_attitude(turn, gyro):
    arm = Arm()
    arm.after(quaternion=tuple(part / math.hypot(*turn) for part in turn))
    assert math.dist(arm.after(gyro).gyro_dps, gyro) < ROUNDING_DPS


@given(st.floats(-180, 180), st.floats(-89.9, 89.9), st.floats(-180, 180))
def test_angles_become_orientations_and_angles_again(first, second, third):
    for there, back in ((from_zyx, angles_zyx), (from_zxy, angles_zxy)):
        again = there(*back(there(first, second, third)))
        assert abs(sum(a * b for a, b in zip(again, there(first, second, third), strict=True))) == pytest.approx(1.0)
    assert angles_zyx(from_zyx(10.0, 20.0, 30.0)) == pytest.approx((10.0, 20.0, 30.0))
    assert angles_zxy(from_zxy(10.0, 20.0, 30.0)) == pytest.approx((10.0, 20.0, 30.0))


def test_bno085_yaw_is_clockwise(arm):
    arm.after((0.0, 0.0, 50.0))
    for _ in range(3):
        data = arm.frame((0.0, 0.0, 50.0))
    assert decode(data).yaw_cdeg == -150
    assert arm.driver.feed(arm.now_ns, data)[0].gyro_dps[2] == pytest.approx(50.0, abs=1.0)


def test_bno085_device_time_counts_frames_and_not_arrivals(arm):
    frames = [arm.frame((0.0, 60.0, 0.0)) for _ in range(6)]
    samples = arm.driver.feed(1_000 * MS, b"".join(frames[:2])) + arm.driver.feed(1_016 * MS, b"".join(frames[2:]))
    assert [sample.device_us - samples[0].device_us for sample in samples] == [n * 10_000 for n in range(6)]
    assert [sample.gyro_dps[1] for sample in samples[1:]] == pytest.approx([60.0] * 5, abs=ROUNDING_DPS)


def test_bno085_counts_lost_frames_and_takes_the_mean_rate_over_them(arm):
    arm.after((0.0, 60.0, 0.0))
    for _ in range(3):
        arm.frame((0.0, 60.0, 0.0))
    sample = arm.after((0.0, 60.0, 0.0))
    assert arm.driver.lost == 3
    assert (sample.flags, sample.device_us) == (FRESH, 50_000)
    assert sample.gyro_dps[1] == pytest.approx(60.0, abs=ROUNDING_DPS)


def test_bno085_the_index_goes_round_without_a_loss(arm):
    for _ in range(600):
        arm.after()
    assert (arm.driver.lost, arm.driver.jumps, arm.driver.duplicates) == (0, 0, 0)


def test_bno085_drops_and_counts_duplicates(arm):
    arm.after()
    data = arm.frame((0.0, 30.0, 0.0))
    assert len(arm.driver.feed(arm.now_ns, data * 3)) == 1
    assert (arm.driver.duplicates, arm.driver.bad_frames) == (2, 0)


@pytest.mark.parametrize("steps", [11, 255])
def test_bno085_a_strange_index_is_a_new_beginning(arm, steps):
    arm.after()
    arm.after()
    arm.twin._number = (arm.twin._number - 1 + steps) % 256
    jumped = arm.after((0.0, 80.0, 0.0))
    assert (jumped.flags, jumped.gyro_dps) == (NOT_FRESH, STILL)
    assert arm.after((0.0, 80.0, 0.0)).flags == FRESH
    assert (arm.driver.jumps, arm.driver.lost) == (1, 0)


def test_bno085_a_gap_in_time_is_no_movement(arm):
    arm.after()
    before = arm.after()
    arm.now_ns += 101 * MS
    late = arm.after((0.0, 90.0, 0.0))
    assert (late.flags, late.gyro_dps) == (NOT_FRESH, STILL)
    assert late.device_us - before.device_us == 111_000
    assert arm.driver.jumps == 1


@pytest.mark.parametrize("frames", [30, 253, 256])
def test_bno085_a_restart_costs_a_sample_and_makes_no_movement(arm, frames):
    for _ in range(frames):
        arm.after((0.0, 0.0, 100.0))
    assert arm.twin.suffer("reset", "", arm.now_ns)
    back = [arm.after() for _ in range(3)]
    assert [sample.flags for sample in back] == [NOT_FRESH, FRESH, FRESH]
    assert all(sample.gyro_dps == pytest.approx(STILL, abs=0.01) for sample in back)
    assert arm.driver.bad_frames == 1  # the text that it says then


def test_bno085_refuses_a_turn_that_no_limb_makes(arm):
    arm.after()
    arm.after()
    flung = arm.after(quaternion=(0.0, 0.0, 0.0, 1.0))
    assert (flung.flags, flung.gyro_dps) == (NOT_FRESH, STILL)
    assert arm.driver.bad_frames == 1
    assert arm.after().flags == FRESH


@pytest.mark.parametrize(
    "report", [Report(5, 18011, 0, 0, 0, 0, 0), Report(5, 0, -9011, 0, 0, 0, 0), Report(5, 0, 0, 32767, 0, 0, 0)]
)
def test_bno085_refuses_angles_that_are_none(report):
    driver = Bno085Driver()
    assert driver.feed(1, encode(report)) == []
    assert driver.bad_frames == 1


def test_bno085_a_sensor_at_another_pace_is_measured_within_a_second():
    arm = Arm(period_ms=20)
    rates = [arm.after((0.0, 60.0, 0.0)).gyro_dps[1] for _ in range(120)]
    assert rates[1] == pytest.approx(120.0, abs=ROUNDING_DPS)
    assert rates[60:] == pytest.approx([60.0] * 60, abs=ROUNDING_DPS / 2)


def test_bno085_arrivals_in_bunches_leave_the_pace_alone(arm):
    for bunch in range(200):
        data = b"".join(arm.frame((0.0, 60.0, 0.0)) for _ in range(2 if bunch % 3 else 1))
        samples = arm.driver.feed(arm.now_ns, data)
        if bunch:
            assert all(sample.gyro_dps[1] == pytest.approx(60.0, abs=ROUNDING_DPS) for sample in samples)


def test_bno085_forgets_half_a_frame_and_the_orientation_on_a_new_start(arm):
    arm.after()
    data = arm.frame()
    arm.driver.feed(arm.now_ns, data[:10])
    arm.driver.start(arm.now_ns)
    assert arm.after().flags == NOT_FRESH
    assert (arm.driver.bad_frames, arm.driver.jumps, arm.driver.lost) == (0, 0, 0)


def test_the_angles_of_the_twin_are_those_of_a_turning_limb():
    turn = (1.0, 0.0, 0.0, 0.0)
    for _ in range(100):
        turn = turned(turn, (0.0, 45.0, 0.0), 0.01)
    assert angles_zxy(turn) == pytest.approx((0.0, 0.0, 45.0))
    assert angles_zyx(turn) == pytest.approx((0.0, 45.0, 0.0))
