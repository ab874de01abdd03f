"""The WitMotion driver against its twin: values, cycles, the device's clock, and everything a broken puck can do."""

import math
import random

import pytest

from controller.drivers.pucks.base import NEVER
from controller.drivers.pucks.kind import puck
from controller.drivers.pucks.witmotion import WitMotionDriver
from controller.vocabulary.sample import CONNECTED, IMU_OK
from controller.wire.witmotion import Acceleration, Angles, Clock, Orientation, Rate, encode
from sim.attitude import turned
from sim.devices.witmotion import WitMotionTwin
from sim.imu import CONSUMER, Sensor, rigid_motion

MS = 1_000_000
FRESH = CONNECTED | IMU_OK
UP = (0.0, 0.0, 1.0)
STILL = (0.0, 0.0, 0.0)
GYRO_COUNT_DPS, ACC_COUNT_G = 2000 / 32768, 16 / 32768

ACC, GYRO, ANGLES = encode(Acceleration(UP)), encode(Rate((125.0, 0.0, 0.0))), encode(Angles(0.0, 0.0, 0.0))


@pytest.fixture
def wit():
    return WitMotionDriver("wrist", "/dev/ttyUSB0")


@pytest.fixture
def wit_twin():
    return WitMotionTwin()


def test_witmotion_samples_carry_what_the_twin_measured(wit, wit_twin):
    (sample,) = wit.feed(77, wit_twin.frame(5_000, (125.0, -250.0, 1000.0), (0.5, 0.25, -1.0)))
    assert (sample.puck, sample.t_ns, sample.flags) == ("wrist", 77, FRESH)
    assert sample.gyro_dps == (125.0, -250.0, 1000.0)
    assert sample.acc_g == (0.5, 0.25, -1.0)
    assert (sample.load_n, sample.battery_percent) == (None, None)


def test_witmotion_writes_nothing_and_plans_nothing(wit):
    assert (wit.start(5), wit.poll(5), wit.next_deadline()) == (b"", b"", NEVER)


def test_witmotion_line_is_115200_8n1():
    line = puck("witmotion").line
    assert (line.baud, line.parity, line.stop_bits, line.rts_cts) == (115_200, "N", 1, False)


def test_witmotion_rates_of_a_swinging_limb_are_right_to_half_a_count(wit, wit_twin):
    sensor = Sensor(random.Random(3), CONSUMER)
    for n in range(300):
        now_ns = n * 10 * MS
        phase = n * 0.06
        motion = rigid_motion(0.8 * math.sin(phase), 4.8 * math.cos(phase), -28.8 * math.sin(phase), 0.08)
        gyro, acc = sensor.measure(now_ns, *motion)
        (sample,) = wit.feed(now_ns, wit_twin.frame(now_ns // 1000, gyro, acc))
        assert sample.gyro_dps == pytest.approx(gyro, abs=GYRO_COUNT_DPS / 2 * 1.001)
        assert sample.acc_g == pytest.approx(acc, abs=ACC_COUNT_G / 2 * 1.001)
        assert math.hypot(*sample.quaternion) == pytest.approx(1.0)
    assert wit.bad_frames == wit.incomplete == wit.jumps == wit.duplicates == 0


@pytest.mark.parametrize("sends", [False, True])
def test_witmotion_orientation_is_that_of_the_limb(wit, sends):
    twin = WitMotionTwin(quaternion=sends)
    turn = (1.0, 0.0, 0.0, 0.0)
    gyro = (40.0, -90.0, 25.0)
    wit.feed(0, twin.frame(0, gyro, UP, turn))
    for n in range(1, 100):
        if sends:
            expected = turn  # the quaternion comes last in a cycle, so a sample has that of the cycle before
        turn = turned(turn, gyro, 0.01)
        if not sends:
            expected = turn
        (sample,) = wit.feed(n * 10 * MS, twin.frame(n * 10_000, gyro, UP))
        same = sum(a * b for a, b in zip(sample.quaternion, expected, strict=True))
        assert abs(same) == pytest.approx(1.0, abs=1e-6)


def test_witmotion_never_mixes_angles_and_quaternions(wit):
    cycle = ACC + GYRO + ANGLES
    (first,) = wit.feed(0, cycle)
    assert first.quaternion == (1.0, 0.0, 0.0, 0.0)
    wit.feed(1, encode(Orientation((0.5, 0.5, 0.5, 0.5))))
    (second,), (third,) = wit.feed(2, cycle), wit.feed(3, cycle)
    assert second.quaternion == (0.5, 0.5, 0.5, 0.5)
    assert third.quaternion is None


def test_witmotion_a_sample_is_complete_with_its_angles_and_not_before(wit):
    assert wit.feed(1, ACC + GYRO) == []
    (sample,) = wit.feed(2, ANGLES)
    assert sample.t_ns == 2
    assert wit.incomplete == 0


@pytest.mark.parametrize(
    "frames",
    [GYRO + ANGLES, ACC + ANGLES, ANGLES, GYRO + ACC + ANGLES, ACC + GYRO + GYRO + ANGLES, ACC + GYRO + ACC + ANGLES],
)
def test_witmotion_half_a_cycle_or_one_in_another_order_is_no_sample(wit, frames):
    assert wit.feed(1, frames) == []
    assert wit.incomplete > 0
    assert len(wit.feed(2, ACC + GYRO + ANGLES)) == 1


def test_witmotion_a_hole_inside_a_cycle_never_joins_two_cycles(wit):
    other = encode(Rate((-500.0, 0.0, 0.0)))
    assert wit.feed(1, ACC + GYRO[:7] + ACC[5:] + other + ANGLES) == []
    assert wit.incomplete > 0
    assert wit.bad_frames > 0


def test_witmotion_frames_that_nobody_needs_do_not_disturb_a_cycle(wit):
    magnetometer = bytes.fromhex("5554 0100 0200 0300 0000 AF")
    assert len(wit.feed(1, ACC + magnetometer + GYRO + magnetometer + ANGLES + magnetometer)) == 1
    assert (wit.bad_frames, wit.incomplete) == (0, 0)


def test_witmotion_without_its_clock_there_is_no_device_time(wit):
    (sample,) = wit.feed(1, WitMotionTwin(clock=False).frame(5_000, STILL, UP))
    assert sample.device_us is None


def test_witmotion_the_devices_clock_counts_milliseconds_over_midnight_and_new_year(wit):
    cycle = ACC + GYRO + ANGLES
    moments = [Clock(23, 12, 31, 23, 59, 59, 995), Clock(24, 1, 1, 0, 0, 0, 5)]
    before, after = (wit.feed(n, encode(moment) + cycle)[0] for n, moment in enumerate(moments))
    assert after.device_us - before.device_us == 10_000
    assert (wit.jumps, wit.backwards) == (0, 0)


def test_witmotion_counts_duplicates_holes_and_restarts_by_the_devices_clock(wit, wit_twin):
    frames = [wit_twin.frame(t_us, STILL, UP) for t_us in (1_000_000, 1_010_000, 1_110_000, 1_211_000)]
    assert [len(wit.feed(n, frame)) for n, frame in enumerate([*frames, frames[-1], frames[0]])] == [1, 1, 1, 1, 0, 1]
    assert (wit.jumps, wit.duplicates, wit.backwards) == (1, 1, 1)


@pytest.mark.parametrize(
    "clock", [Clock(0, 0, 0, 0, 0, 0, 0), Clock(24, 2, 30, 0, 0, 0, 0), Clock(24, 1, 1, 24, 0, 0, 0)]
)
def test_witmotion_a_date_that_no_calendar_has_is_no_time(wit, clock):
    (sample,) = wit.feed(1, encode(clock) + ACC + GYRO + ANGLES)
    assert sample.device_us is None
    assert wit.bad_frames == 1


def test_witmotion_refuses_a_pitch_and_a_quaternion_that_no_rotation_has(wit):
    assert wit.feed(1, ACC + GYRO + encode(Angles(0.0, 120.0, 0.0))) == []
    assert wit.feed(2, encode(Orientation((0.5, 0.0, 0.0, 0.0)))) == []
    assert wit.bad_frames == 2
    assert wit.feed(3, ACC + GYRO + ANGLES)[0].quaternion == (1.0, 0.0, 0.0, 0.0)


def test_witmotion_forgets_half_a_cycle_and_the_clock_on_a_new_start(wit, wit_twin):
    frame = wit_twin.frame(1_000, STILL, UP)
    wit.feed(0, frame + frame[:25])
    wit.start(5)
    assert len(wit.feed(6, frame)) == 1
    assert (wit.bad_frames, wit.incomplete, wit.duplicates) == (0, 0, 0)


def test_witmotion_survives_any_cut(wit):
    twin = WitMotionTwin()
    data = b"".join(twin.frame(n * 10_000, (60.0, 0.0, 0.0), UP) for n in range(20))
    samples = [sample for n in range(len(data)) for sample in wit.feed(n, data[n : n + 1])]
    assert [sample.device_us - samples[0].device_us for sample in samples] == [n * 10_000 for n in range(20)]
    assert wit.bad_frames == 0
