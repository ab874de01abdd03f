"""The text-line driver against its twin: values, the device's clock, and everything a home-made puck can do."""

import math
import random

import pytest

from controller.drivers.pucks.base import NEVER
from controller.drivers.pucks.textline import TextLineDriver
from controller.vocabulary.sample import CONNECTED, IMU_OK
from sim.devices.textline import TextLineTwin
from sim.imu import CONSUMER, Sensor, rigid_motion

MS = 1_000_000
FRESH = CONNECTED | IMU_OK
UP = (0.0, 0.0, 1.0)
STILL = (0.0, 0.0, 0.0)


@pytest.fixture
def home_made():
    return TextLineDriver("wrist", "/dev/ttyACM0")


@pytest.fixture
def home_made_twin():
    return TextLineTwin()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("load", [None, 4.5, 0.0])
def test_textline_samples_carry_what_the_twin_measured(home_made, line_end, load):
    data = TextLineTwin(line_end=line_end).frame(5_999, (1.5, -2.25, 300.0), (0.5, 0.25, -1.0), load=load)
    (sample,) = home_made.feed(77, data)
    assert (sample.puck, sample.t_ns, sample.device_us, sample.flags) == ("wrist", 77, 5_000, FRESH)
    assert sample.gyro_dps == (1.5, -2.25, 300.0)
    assert sample.acc_g == (0.5, 0.25, -1.0)
    assert (sample.load_n, sample.quaternion) == (load, None)
    assert home_made.bad_frames == 0


def test_textline_writes_nothing_and_plans_nothing(home_made):
    assert (home_made.start(5), home_made.poll(5), home_made.next_deadline()) == (b"", b"", NEVER)


def test_textline_rates_of_a_swinging_limb_are_right_to_the_last_decimal(home_made, home_made_twin):
    sensor = Sensor(random.Random(3), CONSUMER)
    for n in range(300):
        now_ns = n * 10 * MS
        phase = n * 0.06
        motion = rigid_motion(0.8 * math.sin(phase), 4.8 * math.cos(phase), -28.8 * math.sin(phase), 0.08)
        gyro, acc = sensor.measure(now_ns, *motion)
        (sample,) = home_made.feed(now_ns, home_made_twin.frame(now_ns // 1000, gyro, acc, load=2.0))
        assert sample.gyro_dps == pytest.approx(gyro, abs=0.00051)
        assert sample.acc_g == pytest.approx(acc, abs=0.000051)
    assert home_made.bad_frames == home_made.jumps == home_made.duplicates == 0


@pytest.mark.parametrize(
    "numbers",
    [
        b"2501,0,0,0,0,1",
        b"0,-2501,0,0,0,1",
        b"0,0,1e30,0,0,1",
        b"0,0,0,40.5,0,0",
        b"0,0,0,0,-40.5,0",
        b"0,0,0,0,0,-1e9",
        b"0,0,0,0,0,1,2000.5",
        b"0,0,0,0,0,1,-2000.5",
        b"nan,0,0,0,0,1",
        b"0,0,0,0,0,inf",
        b"0,0,0,0,0,1,1e400",
    ],
)
def test_textline_refuses_values_that_no_limb_makes(home_made, numbers):
    assert home_made.feed(1, b"\n5," + numbers + b"\n") == []
    assert home_made.bad_frames == 1
    assert len(home_made.feed(2, b"5,2500,0,0,-40,0,0,2000\n")) == 1


def test_textline_drops_and_counts_duplicates(home_made, home_made_twin):
    frame = home_made_twin.frame(1_000, (1.0, 0.0, 0.0), UP)
    assert len(home_made.feed(1, frame)) == 1
    assert home_made.feed(2, frame * 3) == []
    assert (home_made.duplicates, home_made.bad_frames) == (3, 0)


def test_textline_counts_holes_and_restarts_of_the_devices_clock(home_made, home_made_twin):
    for n, t_ms in enumerate([1000, 1010, 1110, 1211, 5, 15]):
        (sample,) = home_made.feed(n, home_made_twin.frame(t_ms * 1000, STILL, UP))
        assert sample.device_us == t_ms * 1000
    assert (home_made.jumps, home_made.backwards, home_made.duplicates) == (1, 1, 0)


def test_textline_the_clock_goes_on_where_its_32_bits_start_again(home_made, home_made_twin):
    start_ms = 2**32 - 25
    times = [home_made.feed(n, home_made_twin.frame((start_ms + 10 * n) * 1000, STILL, UP)) for n in range(6)]
    assert [sample.device_us for (sample,) in times] == [(start_ms + 10 * n) * 1000 for n in range(6)]
    assert b"\n5," in home_made_twin.frame(2**32 * 1000 + 5_000, STILL, UP).join([b"\n", b""])
    assert (home_made.jumps, home_made.backwards) == (0, 0)


def test_textline_passes_over_remarks_and_counts_garbage(home_made):
    data = b"\n# hello\r\nt_ms,gx,gy,gz,ax,ay,az\r\n\r\ngarbage\n1,2,3\n7,0,0,0,0,0,1\r\n"
    (sample,) = home_made.feed(1, data)
    assert sample.device_us == 7_000
    assert home_made.bad_frames == 2


def test_textline_forgets_half_a_line_and_the_clock_on_a_new_start(home_made, home_made_twin):
    home_made.feed(0, home_made_twin.frame(1_000, STILL, UP))
    line = home_made_twin.frame(2_000, STILL, UP)
    home_made.feed(1, line[:9])
    home_made.start(5)
    assert home_made.feed(6, line[9:] + home_made_twin.frame(1_000, STILL, UP))[0].device_us == 1_000
    assert (home_made.bad_frames, home_made.duplicates, home_made.backwards) == (0, 0, 0)
