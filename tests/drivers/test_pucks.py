"""Both pucks as drivers, and the FitMi driver against its twin: values, freshness, everything a broken puck can do."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.drivers.pucks.base import PuckDriver
from controller.drivers.pucks.fitmi import FitMiDriver
from controller.drivers.pucks.fitmi_scales import Scales
from controller.drivers.pucks.turning import rate_dps
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, TOUCHED
from controller.wire.fitmi import PuckCommand, decode_report, encode_report
from sim.devices.fitmi import FitMiTwin

MS = 1_000_000
FRESH = CONNECTED | IMU_OK
UP = (0.0, 0.0, 1.0)


def as_puck(driver: PuckDriver) -> PuckDriver:
    """Lets the type checker see that both drivers are one."""
    return driver


class Dongle:
    """A FitMi twin and a driver that has opened it, one report every 10 ms."""

    def __init__(self, stream=False, **settings):
        self.driver = FitMiDriver(device="twin" if stream else "/dev/hidraw3", **settings)
        self.twin = FitMiTwin()
        self.now_ns = 0
        self.driver.start(0)
        for _ in range(12):
            self.after(10)

    def after(self, ms, gyro_dps=(0.0, 0.0, 0.0), **more):
        """The samples of the report `ms` later, by puck; due commands go out first."""
        ends_ns = self.now_ns + ms * MS
        while (due_ns := self.driver.next_deadline()) <= ends_ns:
            self.now_ns = max(self.now_ns, due_ns)
            self.twin.feed(self.now_ns, self.driver.poll(self.now_ns))
        self.now_ns = ends_ns
        data = self.twin.frame(self.now_ns // 1000, gyro_dps, UP, **more)
        return {sample.puck: sample for sample in self.driver.feed(self.now_ns, data)}


@pytest.fixture
def dongle():
    return Dongle()


def test_both_drivers_are_pucks():
    assert as_puck(Ximu3Driver("wrist")).pucks == ("wrist",)
    assert as_puck(FitMiDriver(pucks=("left", "right"))).pucks == ("left", "right")


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_no_bytes_make_a_driver_raise(chunks):
    imu, stream, reports = Ximu3Driver(), FitMiDriver(), FitMiDriver(device="/dev/hidraw0")
    for now_ns, chunk in enumerate(chunks):
        for driver in (imu, stream, reports):
            for sample in driver.feed(now_ns, chunk):
                assert all(math.isfinite(part) for part in sample.gyro_dps)


def test_fitmi_wakes_both_pucks_and_silences_their_buzz_and_nothing_else(dongle):
    assert dongle.twin.commands == [
        (0, PuckCommand.GAMEON, 0, 1),
        (1, PuckCommand.GAMEON, 0, 1),
        (0, PuckCommand.TOUCHBUZ, 0, 0),
        (1, PuckCommand.TOUCHBUZ, 0, 0),
    ]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_fitmi_rate_is_that_of_the_limb_on_its_own_axis(dongle, axis):
    gyro = tuple(80.0 if part == axis else 0.0 for part in range(3))
    for _ in range(3):
        samples = dongle.after(10, gyro)
    assert samples["blue"].flags == FRESH
    assert samples["blue"].gyro_dps == pytest.approx(gyro, abs=2.5)
    assert samples["yellow"].gyro_dps == pytest.approx((0, 0, 0))


def test_fitmi_rate_uses_the_real_time_between_reports(dongle):
    rates = [dongle.after(ms, (0.0, 60.0, 0.0))["blue"].gyro_dps[1] for ms in (10, 10, 20, 7, 33, 10)]
    assert rates[1:] == pytest.approx([60.0] * 5, abs=3.5)


def test_fitmi_sample_has_no_value_without_a_known_scale(dongle):
    dongle.after(10)
    sample = dongle.after(10, load=5.0)["blue"]
    assert (sample.acc_g, sample.load_n, sample.device_us) == (None, None, None)
    assert sample.battery_percent == 90
    assert math.hypot(*sample.quaternion) == pytest.approx(1.0)


def test_fitmi_first_sample_is_not_to_be_acted_upon(dongle):
    dongle.driver.start(dongle.now_ns)
    first = dongle.after(10, (100.0, 0.0, 0.0))["blue"]
    assert first.flags == CONNECTED | STALE
    assert first.gyro_dps == (0.0, 0.0, 0.0)
    assert dongle.after(10, (100.0, 0.0, 0.0))["blue"].flags == FRESH


def test_fitmi_minus_q_is_the_same_orientation(dongle):
    turns = [(math.cos(n * 0.01), math.sin(n * 0.01), 0.0, 0.0) for n in range(6)]
    flipped = [turn if n % 2 else tuple(-part for part in turn) for n, turn in enumerate(turns)]
    rates = [dongle.after(10, quaternion=turn)["blue"].gyro_dps[0] for turn in flipped]
    assert rates[1:] == pytest.approx([math.degrees(0.02) / 0.01] * 5, abs=2.5)


def test_fitmi_frozen_radio_is_stale_after_100_ms_and_fresh_two_reports_later(dongle):
    for _ in range(3):
        dongle.after(10, (50.0, 0.0, 0.0))
    dongle.twin.freeze(0)
    quiet = [dongle.after(10, (50.0, 0.0, 0.0)) for _ in range(12)]
    assert all("blue" not in samples for samples in quiet[:10])
    assert [samples["blue"].flags for samples in quiet[10:]] == [CONNECTED | STALE] * 2
    assert all(samples["yellow"].flags == FRESH for samples in quiet)
    dongle.twin.freeze(0, False)
    back = [dongle.after(10, (50.0, 0.0, 0.0))["blue"].flags for _ in range(3)]
    assert back == [CONNECTED | STALE, FRESH, FRESH]


def test_fitmi_a_gap_in_time_is_no_movement(dongle):
    dongle.after(10)
    dongle.after(10)
    late = dongle.after(101, (90.0, 0.0, 0.0))["blue"]
    assert late.flags & STALE
    assert late.gyro_dps == (0.0, 0.0, 0.0)


def test_fitmi_puck_out_of_reach_is_stale_at_once_and_woken_when_it_returns(dongle):
    before = len(dongle.twin.commands)
    dongle.twin.connect(0, False)
    gone = dongle.after(10)["blue"]
    assert gone.flags == STALE
    dongle.twin.connect(0, True)
    assert dongle.after(10)["blue"].flags == CONNECTED | STALE
    for _ in range(6):
        back = dongle.after(10)["blue"]
    assert dongle.twin.commands[before:] == [(0, PuckCommand.GAMEON, 0, 1), (0, PuckCommand.TOUCHBUZ, 0, 0)]
    assert back.flags == FRESH


@pytest.mark.parametrize("quaternion", [(0, 0, 0, 0), (8900, 0, 0, 0), (0, 0, 11100, 0)])
def test_fitmi_refuses_what_is_no_quaternion(dongle, quaternion):
    dongle.after(10)
    dongle.after(10)
    report = decode_report(dongle.twin.report())
    broken = report.blocks[0]._replace(quaternion=quaternion)
    data = encode_report(report._replace(blocks=(broken, report.blocks[1])))
    blue, yellow = dongle.driver.feed(dongle.now_ns + 10 * MS, data)
    assert blue.flags == CONNECTED | STALE
    assert yellow.flags == FRESH
    assert dongle.driver.bad_frames == 1


def test_fitmi_refuses_a_turn_that_no_limb_makes(dongle):
    dongle.after(10)
    dongle.after(10)
    jumped = dongle.after(10, quaternion=(0.0, 0.0, 0.0, 1.0))["blue"]
    assert jumped.flags & STALE
    assert jumped.gyro_dps == (0.0, 0.0, 0.0)
    assert dongle.driver.bad_frames == 1


def test_fitmi_reports_of_one_instant_do_not_divide_by_zero(dongle):
    dongle.after(10, (40.0, 0.0, 0.0))
    dongle.after(10, (40.0, 0.0, 0.0))
    queued = [dongle.twin.frame(dongle.now_ns // 1000 + ms * 1000, (40.0, 0.0, 0.0), UP) for ms in (10, 20, 30)]
    late_ns = dongle.now_ns + 30 * MS
    samples = [dongle.driver.feed(late_ns + n * 50_000, data) for n, data in enumerate(queued)]
    assert [len(found) for found in samples] == [2, 0, 0]
    assert dongle.driver.bunched == 4
    dongle.now_ns = late_ns
    assert dongle.after(10, (40.0, 0.0, 0.0))["blue"].gyro_dps[0] == pytest.approx(40.0, abs=2.5)


def test_fitmi_touch_and_an_impossible_battery(dongle):
    dongle.after(10)
    dongle.twin.touch(0, True)
    assert dongle.after(10)["blue"].flags == FRESH | TOUCHED
    report = decode_report(dongle.twin.report())
    full = report.blocks[0]._replace(battery=250)
    data = encode_report(report._replace(blocks=(full, report.blocks[1])))
    assert dongle.driver.feed(dongle.now_ns + 10 * MS, data)[0].battery_percent is None


def test_fitmi_counts_reports_of_a_wrong_length(dongle):
    assert dongle.driver.feed(dongle.now_ns + 5, bytes(61)) == []
    assert dongle.driver.feed(dongle.now_ns + 6, bytes(124)) == []
    assert dongle.driver.bad_frames == 2


def test_fitmi_reports_of_63_bytes_with_a_report_id_are_the_same(dongle):
    dongle.after(10)
    data = dongle.twin.frame(dongle.now_ns // 1000 + 10_000, (40.0, 0.0, 0.0), UP)
    blue, yellow = dongle.driver.feed(dongle.now_ns + 10 * MS, b"\x00" + data)
    assert (blue.flags, yellow.flags) == (FRESH, FRESH)
    assert blue.gyro_dps[0] == pytest.approx(40.0, abs=2.5)


def test_fitmi_with_scales_gives_g_and_newton_and_a_puck_without_them_does_not():
    scales = Scales(acc_g=0.002, gyro_dps=1.0, load_n=0.1, load_zero=400.0)
    dongle = Dongle(calibration=(None, scales))
    dongle.twin.move(1, 0, (0, 0, 0), UP, load=19.6)  # 100 counts of 0.196 N from 500
    samples = dongle.after(10)
    assert samples["yellow"].acc_g == pytest.approx((0.0, 0.0, 2.0))
    assert samples["yellow"].load_n == pytest.approx(20.0)
    assert (samples["blue"].acc_g, samples["blue"].load_n) == (None, None)
    dongle.twin.suffer("reset", "yellow", dongle.now_ns)
    asleep = dongle.after(10)["yellow"]
    assert (asleep.flags, asleep.acc_g, asleep.load_n) == (CONNECTED | STALE, None, None)


def test_fitmi_over_a_stream_survives_any_cut_and_lost_bytes():
    dongle = Dongle(stream=True)
    samples = []
    for n in range(60):
        dongle.now_ns += 10 * MS
        data = dongle.twin.frame(dongle.now_ns // 1000, (60.0, 0.0, 0.0), UP)
        data = data[17:] if n == 30 else data
        half = n % len(data)
        for part in (data[:half], data[half:]):
            samples += dongle.driver.feed(dongle.now_ns, part)
    blue = [sample for sample in samples if sample.puck == "blue"]
    fresh = [sample for sample in blue if not sample.flags & STALE]
    assert len(fresh) > 50
    assert all(sample.gyro_dps[0] == pytest.approx(60.0, abs=35.0) for sample in fresh)
    assert dongle.driver.bad_frames > 0
    assert blue[-1].gyro_dps[0] == pytest.approx(60.0, abs=2.5)


def test_fitmi_of_several_reports_in_one_read_the_newest_counts():
    dongle = Dongle(stream=True)
    for _ in range(4):
        dongle.after(10, (30.0, 0.0, 0.0))
    bunched = dongle.driver.bunched
    data = b"".join(dongle.twin.frame(dongle.now_ns // 1000 + n * 10_000, (30.0, 0.0, 0.0), UP) for n in (1, 2, 3))
    blue, _ = dongle.driver.feed(dongle.now_ns + 30 * MS, data)
    assert blue.gyro_dps[0] == pytest.approx(30.0, abs=1.0)
    assert dongle.driver.bunched == bunched + 2


@pytest.mark.parametrize(
    ("device", "stream"),
    [("/dev/hidraw0", False), ("usb:FM1", False), ("/dev/pts/3", True), ("socket://127.0.0.1:1", True), ("", True)],
)
def test_fitmi_knows_from_the_device_whether_reports_come_whole(device, stream):
    assert FitMiDriver(device=device).stream is stream
    assert FitMiDriver(device=device, stream=not stream).stream is not stream


@given(
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: math.hypot(*axis) > 0.1),
    st.floats(-170, 170),
    st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda turn: math.hypot(*turn) > 0.1),
)
def test_rate_of_a_known_turn(axis, angle_deg, start):
    start = tuple(part / math.hypot(*start) for part in start)
    axis = tuple(part / math.hypot(*axis) for part in axis)
    half = math.radians(angle_deg) / 2
    a, b, c, d = start
    w, x, y, z = math.cos(half), *(part * math.sin(half) for part in axis)
    after = (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )
    expected = tuple(part * angle_deg * 10 for part in axis)
    assert rate_dps(start, after, 100 * MS) == pytest.approx(expected, abs=1e-3)
    assert rate_dps(start, tuple(-part for part in after), 100 * MS) == pytest.approx(expected, abs=1e-3)
