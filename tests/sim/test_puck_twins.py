"""The twins of serial pucks: their names, their faults, and that a host cannot hurt them."""

import math

import pytest

from controller.drivers import registry
from controller.drivers.pucks.kind import puck
from controller.wire.bno085 import decode as decode_rvc
from sim.catalogue import TWINS, Role, make
from sim.devices.bno085 import BANNER, Bno085Twin
from sim.devices.textline import TextLineTwin
from sim.devices.witmotion import WitMotionTwin
from sim.devices.ximu3 import Ximu3Twin, ascii_twin

MS = 1_000_000
UP = (0.0, 0.0, 1.0)
STILL = (0.0, 0.0, 0.0)
SERIAL = [name for name, kind in TWINS.items() if kind.role is Role.PUCK and "fitmi" not in name]
WITH_CLOCK = [name for name in SERIAL if name != "bno085"]


def driver_of(twin):
    names = registry.names(registry.PUCKS)
    driver = puck(next(name for name in names if twin in (name, f"{name}-ascii"))).driver()
    driver.start(0)
    return driver


class Worn:
    """A twin and its driver; each step turns it and gives the sample, or None."""

    def __init__(self, name, log=None):
        self.twin = make(name, seed=1, log=log)
        self.driver = driver_of(name)
        self.n = 0

    def step(self, gyro_dps=STILL):
        self.n += 1
        samples = self.driver.feed(self.n * 10 * MS, self.twin.frame(self.n * 10_000, gyro_dps, UP))
        return samples[-1] if samples else None


@pytest.mark.parametrize("kind", [Ximu3Twin, ascii_twin, WitMotionTwin, Bno085Twin, TextLineTwin])
def test_the_name_of_a_twin_begins_with_sim(kind):
    assert kind(identity="SIM-X").identity == "SIM-X"
    assert kind().identity.startswith("SIM")
    with pytest.raises(ValueError, match="SIM"):
        kind(identity="WT901")


@pytest.mark.parametrize("name", SERIAL)
def test_a_twin_takes_any_bytes_of_a_host_and_stays_silent(name):
    twin = make(name, seed=1)
    for data in (b"", b"\xff\xaa\x03\x09\x00", bytes(1000), b"{" * 5000, b"\n" * 10):
        assert twin.feed(1, data) == b""
    assert twin.ignored > 0


@pytest.mark.parametrize("name", SERIAL)
def test_a_stuck_sensor_measures_the_same_for_ever_and_goes_on_counting(name):
    worn = Worn(name)
    for n in range(5):
        worn.step((0.0, 10.0 * n, 0.0))
    assert worn.twin.suffer("stuck-sensor", "", 50 * MS)
    worn.step((0.0, 50.0, 0.0))
    stuck = [worn.step((0.0, 70.0 + n, 0.0)) for n in range(20)]
    assert all(sample is not None for sample in stuck)
    assert len({(sample.gyro_dps, sample.acc_g, sample.quaternion) for sample in stuck}) == 1
    assert len({sample.device_us for sample in stuck}) == 20
    assert worn.driver.bad_frames == worn.driver.duplicates == 0
    assert worn.twin.suffer("stuck-sensor", "off", 100 * MS)
    worn.step((0.0, 30.0, 0.0))
    assert worn.step((0.0, 30.0, 0.0)).gyro_dps[1] == pytest.approx(30.0, abs=2.0)


@pytest.mark.parametrize("name", WITH_CLOCK)
@pytest.mark.parametrize(("value", "ppm"), [("", 1_000), ("20000", 20_000), ("-20000", -20_000), ("300", 300)])
def test_a_clock_drifts_by_so_many_millionths(name, value, ppm):
    worn = Worn(name)
    worn.step()
    assert worn.twin.suffer("clock-drift", value, 0)
    first = worn.step()
    for _ in range(1000):
        last = worn.step()
    assert last.device_us - first.device_us == pytest.approx(10_000_000 + 10 * ppm, abs=1_000)
    assert worn.twin.suffer("clock-drift", "ok", 0)
    before, after = worn.step(), worn.step()
    assert after.device_us - before.device_us == pytest.approx(10_000, abs=1_000)
    assert (worn.driver.backwards, worn.driver.duplicates) == (0, 0)


def test_a_device_without_a_clock_has_none_that_drifts():
    assert not Bno085Twin().suffer("clock-drift", "", 0)
    assert not WitMotionTwin(clock=False).suffer("clock-drift", "", 0)


@pytest.mark.parametrize("name", SERIAL)
@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("low-battery", ""),
        ("electrode-off", "1"),
        ("clock-drift", "fast"),
        ("clock-drift", "1000000"),
        ("nonsense", ""),
    ],
)
def test_a_fault_that_a_twin_cannot_have_is_refused_and_leaves_it_as_it_was(name, fault, value):
    log = []
    twin, other = make(name, seed=1, log=log.append), make(name, seed=1)
    assert not twin.suffer(fault, value, 0)
    assert log == []
    assert [twin.frame(n, (1.0, 2.0, 3.0), UP) for n in (0, 10_000)] == [
        other.frame(n, (1.0, 2.0, 3.0), UP) for n in (0, 10_000)
    ]


@pytest.mark.parametrize("name", WITH_CLOCK)
def test_a_reset_starts_the_clock_anew(name):
    worn = Worn(name)
    for _ in range(50):
        before = worn.step()
    assert worn.twin.suffer("reset", "", 0)
    after = worn.step()
    assert after.device_us < before.device_us - 400_000
    assert worn.driver.backwards == 1
    assert worn.step().device_us - after.device_us == 10_000


def test_a_reset_of_the_bno085_starts_index_and_yaw_anew_behind_its_banner():
    twin = Bno085Twin()
    for n in range(40):
        twin.frame(n * 10_000, (0.0, 0.0, 90.0), UP)
    assert twin.suffer("reset", "", 0)
    data = twin.frame(400_000, STILL, UP)
    assert data.startswith(BANNER)
    assert decode_rvc(data[len(BANNER) :])[:4] == (0, 0, 0, 0)
    assert decode_rvc(twin.frame(410_000, STILL, UP)).number == 1


@pytest.mark.parametrize("name", SERIAL)
def test_each_fault_is_written_down(name):
    log = []
    twin = make(name, seed=1, log=log.append)
    twin.suffer("stuck-sensor", "", 5)
    twin.suffer("reset", "", 6)
    assert log == [
        {"kind": "fault", "t_ns": 5, "fault": "stuck-sensor", "value": ""},
        {"kind": "fault", "t_ns": 6, "fault": "reset", "value": ""},
    ]


@pytest.mark.parametrize("name", SERIAL)
def test_a_motion_beyond_the_sensor_comes_out_as_the_end_of_its_scale_and_never_raises(name):
    worn = Worn(name)
    for _ in range(3):
        worn.driver.feed(worn.n * MS, worn.twin.frame(worn.n * 10_000, (9e4, -9e4, 0.0), (90.0, -90.0, 0.0)))
        worn.n += 1
    sample = worn.step()
    assert sample is None or math.hypot(*sample.gyro_dps) < 5000
