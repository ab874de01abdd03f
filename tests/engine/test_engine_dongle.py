"""A dongle with two pucks in the engine: one is used, the other only shown; lights of a whole session; the end."""

import pytest

from controller.assembly.demo import DemoPlan, run_virtual
from controller.assembly.named import misnamed
from controller.drivers.pucks.fitmi import FitMiDriver
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.engine.motion_feed import MotionFeed
from controller.motion.settings import AttemptSettings
from controller.record.motion_rows import read_motion
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, Sample

MS = 1_000_000
LIGHTS = ("PULSE_BLUE", "PULSE_GREEN")


def sample(puck, t_ms, flags=CONNECTED | IMU_OK, battery=None):
    return Sample(puck, t_ms * MS, (0.01 * t_ms, 0.0, 0.0), battery_percent=battery, flags=flags)


def test_both_pucks_are_seen_with_rate_age_and_battery_and_the_used_one_comes_first():
    feed = MotionFeed(FitMiDriver(device="/dev/hidraw0", remark="No scales."), AttemptSettings(), 100.0, "yellow")
    for n in range(50):
        feed.take(sample("yellow", 1_000 + 10 * n, battery=55), 0)
        feed.glance(sample("blue", 1_000 + 20 * n, flags=CONNECTED | IMU_OK if n < 10 else STALE, battery=7))
        feed.glance(sample("green", 1_000, battery=1))
    yellow, blue = feed.views(1_500 * MS)
    assert (yellow.name, yellow.rate_hz, yellow.age_ms, yellow.battery_percent) == ("yellow", 50.0, 10, 55)
    assert (blue.name, blue.rate_hz, blue.age_ms, blue.battery_percent) == ("blue", 10.0, 320, 7)
    assert (yellow.used, blue.used) == (True, False)
    assert (yellow.remark, blue.remark) == ("No scales.", "")
    assert feed.rate_hz(1_500 * MS) == 50.0
    assert feed.rate_hz(3_000 * MS) == 0.0


def test_a_sleeping_puck_has_no_rate_and_no_age():
    feed = MotionFeed(FitMiDriver(), AttemptSettings(), 100.0)
    for n in range(100):
        feed.take(sample("blue", 10 * n, flags=STALE), 0)
    blue, yellow = feed.views(1_000 * MS)
    assert (blue.rate_hz, blue.age_ms, blue.battery_percent) == (0.0, -1, -1)
    assert (yellow.rate_hz, yellow.age_ms) == (0.0, -1)
    assert not feed.fresh(1_000 * MS)


def test_a_puck_alone_keeps_the_name_of_its_driver():
    [view] = MotionFeed(Ximu3Driver("wrist"), AttemptSettings(), 100.0).views(0)
    assert (view.name, view.used) == ("wrist", True)


@pytest.fixture(scope="module", params=[("fitmi", "blue", "yellow"), ("fitmi.yellow", "yellow", "blue")])
def session(request, tmp_path_factory):
    """A whole session on the virtual clock: the run, the puck that is worn, and the other one."""
    named, worn, other = request.param
    return run_virtual(DemoPlan(repetitions=3, puck=named), tmp_path_factory.mktemp("session")), worn, other


def commands(run, *names):
    return [entry for entry in run.trains if entry["kind"] == "command" and entry["command"] in names]


def test_a_whole_session_on_either_puck_records_the_one_that_is_worn(session):
    run, worn, other = session
    engine = run.assembly.engine
    assert engine.training.score.completed == 3
    _, rows = read_motion(engine.record.folder, worn)
    assert len(rows) > 1000
    with pytest.raises(OSError):
        read_motion(engine.record.folder, other)


def test_each_cue_is_blue_and_each_repetition_green_on_the_worn_puck_and_nothing_shakes(session):
    run, worn, _ = session
    assert {entry["puck"] for entry in commands(run, *LIGHTS)} == {worn}
    assert len(commands(run, "PULSE_GREEN")) == 3
    cues = [entry["t_ns"] for entry in run.trains if entry.get("event") == "cue"]
    blue = [entry["t_ns"] for entry in commands(run, "PULSE_BLUE")]
    assert len(blue) == len(cues) > 3
    assert all(abs(light - cue) <= 250 * MS for light, cue in zip(blue, cues, strict=True))
    every = {entry["command"] for entry in run.trains if entry["kind"] == "command"}
    assert every == {"GAMEON", "TOUCHBUZ", *LIGHTS}


def test_the_buzz_on_touch_is_off_before_the_first_current_and_on_after_the_last(session):
    run, _, _ = session
    buzz = commands(run, "TOUCHBUZ")
    trains = [entry for entry in run.trains if entry["kind"] == "train"]
    assert [entry["value"] for entry in buzz] == [0, 0, 1, 1]
    assert max(entry["t_ns"] for entry in buzz[:2]) < min(train["t_start_ns"] for train in trains)
    assert min(entry["t_ns"] for entry in buzz[2:]) > max(train["t_end_ns"] for train in trains)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("fitmi.green:/dev/hidraw0", "--puck fitmi.green:/dev/hidraw0: a FitMi dongle has no puck 'green'"),
        ("ximu3.blue:/dev/ttyACM0", "write ximu3 alone"),
        ("fitmi.yellow", "name the kind and the port"),
        ("fitmi.yellow:/dev/hidraw0", ""),
        ("fitmi:usb:FM1", ""),
    ],
)
def test_a_puck_that_is_named_wrongly_is_said_before_anything_starts(named, said):
    found = misnamed("p24:/dev/ttyACM0", named, None)
    assert said in found
    assert bool(found) is bool(said)
