"""The x-IMU3 driver against its twin: values, the device's clock, and everything a broken puck can do."""

import math
import struct

import pytest

from controller.drivers.pucks.base import NEVER
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.vocabulary.sample import CONNECTED, IMU_OK
from controller.wire.ximu3 import stuff
from sim.devices.ximu3 import Ximu3Twin

FRESH = CONNECTED | IMU_OK
UP = (0.0, 0.0, 1.0)


@pytest.fixture
def imu():
    return Ximu3Driver("wrist", "/dev/ttyACM0")


@pytest.fixture
def imu_twin():
    return Ximu3Twin()


@pytest.mark.parametrize("text", [False, True])
def test_ximu3_samples_carry_what_the_twin_measured(imu, text):
    data = Ximu3Twin(text=text).frame(5_000, (1.5, -2.25, 300.0), (0.5, 0.25, -1.0), (0.0, 1.0, 0.0, 0.0))
    (sample,) = imu.feed(77, data)
    assert sample.puck == "wrist"
    assert (sample.t_ns, sample.device_us, sample.flags) == (77, 5_000, FRESH)
    assert sample.gyro_dps == (1.5, -2.25, 300.0)
    assert sample.acc_g == (0.5, 0.25, -1.0)
    assert sample.quaternion == (0.0, 1.0, 0.0, 0.0)
    assert sample.load_n is None


def test_ximu3_writes_nothing_and_plans_nothing(imu):
    assert (imu.start(5), imu.poll(5), imu.next_deadline()) == (b"", b"", NEVER)


def test_ximu3_frames_of_one_read_share_the_arrival_time(imu, imu_twin):
    data = b"".join(imu_twin.frame(1_000 * n, (float(n), 0.0, 0.0), UP) for n in range(5))
    samples = imu.feed(9, data)
    assert [sample.t_ns for sample in samples] == [9] * 5
    assert [sample.device_us for sample in samples] == [0, 1000, 2000, 3000, 4000]


@pytest.mark.parametrize(
    ("gyro", "acc"),
    [
        ((math.nan, 0.0, 0.0), UP),
        ((0.0, math.inf, 0.0), UP),
        ((0.0, 0.0, -2501.0), UP),
        ((0.0, 0.0, 0.0), (0.0, -math.inf, 0.0)),
        ((0.0, 0.0, 0.0), (40.5, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, math.nan)),
    ],
)
def test_ximu3_refuses_values_that_no_limb_makes(imu, imu_twin, gyro, acc):
    assert imu.feed(1, imu_twin.frame(1, gyro, acc)) == []
    assert imu.bad_frames == 1
    assert len(imu.feed(2, imu_twin.frame(1, (2500.0, 0.0, 0.0), (0.0, -40.0, 0.0)))) == 1


def test_ximu3_drops_and_counts_duplicates(imu, imu_twin):
    frame = imu_twin.frame(1_000, (1.0, 0.0, 0.0), UP)
    assert len(imu.feed(1, frame)) == 1
    assert imu.feed(2, frame * 3) == []
    assert (imu.duplicates, imu.bad_frames) == (3, 0)


def test_ximu3_counts_holes_and_restarts_of_the_devices_clock(imu, imu_twin):
    for n, t_us in enumerate([1_000_000, 1_010_000, 1_110_000, 1_210_001, 500, 10_500]):
        assert len(imu.feed(n, imu_twin.frame(t_us, (0.0, 0.0, 0.0), UP))) == 1
    assert (imu.jumps, imu.backwards, imu.duplicates) == (1, 1, 0)


def test_ximu3_orientation_must_be_one_and_recent(imu, imu_twin):
    imu.feed(0, imu_twin.frame(1_000, (0.0, 0.0, 0.0), UP, (1.0, 0.0, 0.0, 0.0)))
    (recent,) = imu.feed(1, imu_twin.frame(101_000, (0.0, 0.0, 0.0), UP))
    (old,) = imu.feed(2, imu_twin.frame(101_001, (0.0, 0.0, 0.0), UP))
    assert (recent.quaternion, old.quaternion) == ((1.0, 0.0, 0.0, 0.0), None)
    (sample,) = imu.feed(3, imu_twin.frame(101_002, (0.0, 0.0, 0.0), UP, (0.1, 0.0, 0.0, 0.0)))
    assert sample.quaternion is None
    assert imu.bad_frames == 1


def test_ximu3_forgets_half_a_frame_and_the_clock_on_a_new_start(imu, imu_twin):
    frame = imu_twin.frame(1_000, (1.0, 0.0, 0.0), UP)
    imu.feed(0, frame + frame[:20])
    imu.start(5)
    assert len(imu.feed(6, frame)) == 1
    assert (imu.bad_frames, imu.duplicates) == (0, 0)


def test_ximu3_counts_garbage_and_passes_over_what_it_does_not_need(imu):
    imu.feed(0, b'garbage\n{"ping":null}\r\nN,1,Hello\r\n' + stuff(struct.pack("<BQ3f", 0xCD, 1, 0, 0, 0)))
    assert imu.bad_frames == 1


def test_the_ximu3_twin_answers_a_ping_and_its_name_begins_with_sim(imu_twin):
    assert imu_twin.feed(0, b'{"ping":null}\r\n') == (
        b'{"ping":{"interface":"USB","deviceName":"x-IMU3 twin","serialNumber":"SIM-XIMU3-01"}}\r\n'
    )
    assert imu_twin.feed(0, b'{"reset":null}\n[]\n{"a":1,"b":2}\n{broken\n') == b""
    assert imu_twin.ignored == 4
    with pytest.raises(ValueError, match="SIM"):
        Ximu3Twin("REAL-1")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("text", [False, True])
def test_ximu3_reads_lines_of_either_end_and_binary_messages_in_one_stream(imu, text, end):
    lines = b"Q,990,0.0000,1.0000,0.0000,0.0000" + end + b"I,1000,1.5000,-2.2500,300.0000,0.5000,0.2500,-1.0000" + end
    first, second = imu.feed(1, lines + Ximu3Twin(text=text).frame(2_000, (4.0, 0.0, 0.0), UP))
    assert (first.device_us, first.gyro_dps, first.acc_g) == (1000, (1.5, -2.25, 300.0), (0.5, 0.25, -1.0))
    assert first.quaternion == second.quaternion == (0.0, 1.0, 0.0, 0.0)
    assert (second.device_us, second.gyro_dps) == (2000, (4.0, 0.0, 0.0))
    assert imu.bad_frames == 0


@pytest.mark.parametrize("text", [False, True])
def test_ximu3_binary_and_ascii_survive_any_cut(imu, text):
    twin = Ximu3Twin(text=text)
    data = b"".join(twin.frame(n * 10_000, (float(n), 0.0, 0.0), UP, (1.0, 0.0, 0.0, 0.0)) for n in range(20))
    samples = [sample for n in range(len(data)) for sample in imu.feed(n, data[n : n + 1])]
    assert [sample.gyro_dps[0] for sample in samples] == [float(n) for n in range(20)]
    assert all(sample.quaternion == (1.0, 0.0, 0.0, 0.0) for sample in samples)
    assert imu.bad_frames == 0
