"""The scales of a FitMi puck: found from synthetic reports of known scales, refused when badly done; and their file."""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.drivers.presence import Present
from controller.drivers.pucks import fitmi_scales
from controller.drivers.pucks.fitmi import FITMI
from controller.drivers.pucks.fitmi_calibration import (
    CalibrationRefused,
    Reading,
    at_rest,
    level,
    line,
    of_load,
    of_turn,
)
from controller.drivers.pucks.fitmi_scales import BOUNDS, NO_SCALES, Calibrated, Scales
from controller.wire.fitmi import Block
from sim.attitude import LEVEL, turned

MS = 1_000_000
USUAL = Scales(0.001, 1.0)


def recording(seconds, speed_at, axis=(0.0, 0.0, 1.0), scales=USUAL, seed=1, **more):
    """Readings each 10 ms (give or take `jitter_ms`), of a puck turned about `axis` at `speed_at(t)` deg/s."""
    rng = random.Random(seed)
    bias = more.get("bias", (0.0, 0.0, 0.0))
    jitter_ms, noise = more.get("jitter_ms", 0.0), more.get("noise", 0.3)
    turn, readings = LEVEL, []
    for n in range(round(seconds * 100)):
        t_s = n / 100
        rate = tuple(speed_at(t_s) * part for part in axis)
        turn = turned(turn, tuple(speed_at(t_s - 0.005) * part for part in axis), 0.01) if n else turn
        gyro = tuple(
            round(part / scales.gyro_dps + off + rng.gauss(0.0, noise)) for part, off in zip(rate, bias, strict=True)
        )
        acc = tuple(round(part / scales.acc_g + rng.gauss(0.0, noise)) for part in more.get("acc_g", (0.0, 0.0, 1.0)))
        quaternion = tuple(round(part * 10_000) for part in turn)
        load = round(more.get("load", 500) + rng.gauss(0.0, more.get("load_noise", 0.5)))
        at_ns = round((t_s * 1000 + rng.uniform(-jitter_ms, jitter_ms)) * MS)
        readings.append(Reading(at_ns, Block(gyro, acc, (n, 0, 0), quaternion, load, 90, 3)))
    return readings


def quarter(angle_deg=90.0, in_s=2.0):
    """A smooth turn, then rest."""
    return lambda t_s: angle_deg / in_s * (1 - math.cos(2 * math.pi * t_s / in_s)) if 0 <= t_s <= in_s else 0.0


def still(t_s):
    return 0.0


@pytest.mark.parametrize("seed", range(20))
def test_known_scales_are_found_within_one_percent(seed):
    """Any axis, any bias, reports that arrive up to 3 ms early or late."""
    rng = random.Random(seed)
    true = Scales(acc_g=10 ** rng.uniform(-4, -2.7), gyro_dps=10 ** rng.uniform(-2, -0.3))
    axis = tuple(rng.gauss(0.0, 1.0) for _ in range(3))
    axis = tuple(part / math.hypot(*axis) for part in axis)
    bias = tuple(rng.randint(-40, 40) for _ in range(3))
    rest = at_rest(recording(10, still, scales=true, bias=bias, seed=seed, acc_g=(0.6, 0.0, 0.8)))
    turn = of_turn(recording(4, quarter(), axis, true, seed=seed, bias=bias, jitter_ms=3.0), rest.gyro_bias)
    assert rest.acc_g == pytest.approx(true.acc_g, rel=0.01)
    assert rest.gyro_bias == pytest.approx(bias, abs=0.2)
    assert turn.slope == pytest.approx(true.gyro_dps, rel=0.01)
    assert turn.r2 > 0.99


@given(
    load_n=st.floats(0.005, 0.5) | st.floats(-0.5, -0.005),
    zero=st.integers(-500, 900),
    masses=st.tuples(st.floats(0.3, 2.0), st.floats(0.3, 2.0)),
)
def test_a_known_load_cell_is_found_within_one_percent(load_n, zero, masses):
    newtons = [0.0, masses[0] * 9.80665, (masses[0] + masses[1]) * 9.80665]
    fit = of_load(newtons, [zero + newton / load_n for newton in newtons])
    assert fit.slope == pytest.approx(load_n, rel=0.01)
    assert -fit.offset / fit.slope == pytest.approx(zero, abs=0.5)


def test_the_load_cell_under_one_weight_is_its_mean():
    assert level(recording(2, still, load=612.3)) == pytest.approx(612.3, abs=0.3)


def test_a_line_of_least_squares():
    fit = line([0, 1, 2, 3], [1, 3, 5, 7.4])
    assert (fit.slope, fit.offset) == pytest.approx((2.12, 0.92))
    assert 0.99 < fit.r2 < 1.0
    assert line([1, 2, 3], [2, 4, 6], through_zero=True).slope == pytest.approx(2.0)
    for xs, ys in (([], []), ([1], [1]), ([1, 1], [1, 2]), ([1, 2], [3, 3]), ([math.nan, 1], [1, 2])):
        with pytest.raises(CalibrationRefused):
            line(xs, ys)


# -- what was not done well -------------------------------------------------------------------------------------------


def shaken(t_s):
    return 40.0 * math.sin(5 * t_s)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (lambda: at_rest(recording(10, shaken)), "did not lie still"),
        (lambda: at_rest(recording(10, still, noise=60.0)), "did not lie still"),
        (lambda: at_rest(recording(10, still, acc_g=(0.0, 0.0, 0.0), noise=0.0)), "says nothing but 0"),
        (lambda: at_rest(recording(0.3, still)), "Too few measurements"),
        (lambda: at_rest([]), "Too few measurements"),
        (
            lambda: at_rest(recording(2, still) + [r._replace(t_ns=r.t_ns + 2400 * MS) for r in recording(2, still)]),
            "pau",
        ),
        (lambda: of_turn(recording(4, quarter(30.0)), (0, 0, 0)), "turned by 30 deg; it takes about 90"),
        (lambda: of_turn(recording(4, quarter(170.0)), (0, 0, 0)), "it takes about 90"),
        (lambda: of_turn(recording(4, quarter(), noise=200.0), (0, 0, 0)), "do not agree"),
        (lambda: of_turn(recording(4, quarter(), scales=Scales(0.001, -1.0)), (0, 0, 0)), "do not agree"),
        (lambda: level(recording(2, still, load_noise=40.0)), "did not settle"),
        (lambda: of_load([0.0, 4.9, 9.8], [500, 503, 504]), "did not feel the weights"),
        (lambda: of_load([0.0, 4.9, 9.8], [500, 600, 620]), "do not lie on one line"),
    ],
)
def test_a_step_that_was_not_done_well_is_refused_with_what_to_do(step, said):
    with pytest.raises(CalibrationRefused, match=said) as refused:
        step()
    assert str(refused.value).rstrip().endswith(".")


def test_gyro_axes_that_are_not_those_of_the_quaternion_are_refused():
    crossed = [
        Reading(t_ns, block._replace(gyro=(block.gyro[1], block.gyro[0], block.gyro[2])))
        for t_ns, block in recording(4, quarter(), (1.0, 0.0, 0.0))
    ]
    with pytest.raises(CalibrationRefused, match="do not agree"):
        of_turn(crossed, (0.0, 0.0, 0.0))


# -- the file ---------------------------------------------------------------------------------------------------------

FOUND = Calibrated(Scales(0.001, 0.061, 0.0196, 480.0), "2026-03-01", {"gyro_r2": 0.9991})


def test_what_is_saved_is_loaded_for_that_dongle_and_that_puck(tmp_path):
    path = tmp_path / "deep" / "fitmi.json"
    fitmi_scales.save("FM1", "yellow", FOUND, path)
    fitmi_scales.save("FM2", "blue", FOUND._replace(scales=Scales(0.002, 1.0)), path)
    assert fitmi_scales.load("FM1", path) == ((None, FOUND.scales), "")
    assert fitmi_scales.load("FM2", path) == ((Scales(0.002, 1.0), None), "")
    assert fitmi_scales.load("FM3", path) == (NO_SCALES, "")
    assert fitmi_scales.parse(path.read_text())["FM1"]["yellow"] == FOUND
    assert [entry.name for entry in path.parent.iterdir()] == ["fitmi.json"]


def test_no_file_is_no_news(tmp_path):
    assert fitmi_scales.load("", tmp_path / "none.json") == (NO_SCALES, "")


def changed(**entries):
    told = json.loads(fitmi_scales.render({"": {"blue": FOUND}}))
    told["dongles"][""]["blue"] |= entries
    return json.dumps(told)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"format": 2, "dongles": {}}',
        '{"format": 1}',
        '{"format": 1, "dongles": []}',
        '{"format": 1, "dongles": {"": {"green": {}}}}',
        '{"format": 1, "dongles": {"": {"blue": {}}}}',
        '{"format": 1, "dongles": {"": {"blue": 3}}}',
        changed(acc_g=math.nan),
        changed(acc_g=math.inf),
        changed(acc_g=0.0),
        changed(acc_g=True),
        changed(acc_g="0.001"),
        changed(gyro_dps=-1.0),
        changed(load_n=0),
        changed(load_n=11.0),
        changed(load_zero=1e9),
        changed(load_zero=None),
        changed(residuals=None),
        changed(residuals={"gyro_r2": "good"}),
        "[" * 90_000,
        " " * 200_000,
        "1" * 5_000,
    ],
)
def test_a_broken_file_gives_a_sentence_and_no_scales(tmp_path, monkeypatch, text):
    path = tmp_path / "stimloop" / "fitmi.json"
    path.parent.mkdir()
    path.write_text(text)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found, remark = fitmi_scales.load("")
    assert found == NO_SCALES
    assert remark.startswith(f"{path} is not used (")
    assert "stimloop fitmi calibrate" in remark
    driver = FITMI.driver_at("/dev/pts/9")
    assert (driver.calibration, driver.remark) == (NO_SCALES, remark)
    fitmi_scales.save("", "blue", FOUND, path)
    assert fitmi_scales.load("") == ((FOUND.scales, None), "")


def test_bytes_that_are_no_text_and_a_folder_in_its_place_are_said_too(tmp_path):
    path = tmp_path / "fitmi.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert "not used" in fitmi_scales.load("", path)[1]
    assert "not used" in fitmi_scales.load("", tmp_path)[1]


@given(st.text(max_size=200))
def test_any_text_is_scales_or_refused(text):
    try:
        fitmi_scales.parse(text)
    except fitmi_scales.BrokenFile:
        return
    assert json.loads(text)["format"] == 1


def test_the_bounds_leave_room_for_the_guesses_of_the_page():
    for name, value in (("acc_g", 0.001), ("gyro_dps", 1.0), ("load_n", 0.196), ("load_zero", 500.0)):
        least, most = BOUNDS[name]
        assert least < value < most


def test_the_serial_number_is_that_of_the_node(tmp_path):
    there = [Present("/dev/hidraw2", "FM7", (0x04D8, 0x2742), "dongle"), Present("/dev/hidraw3", "", None, "other")]
    (tmp_path / "puck").symlink_to("/dev/hidraw2")
    assert fitmi_scales.serial_at("/dev/hidraw2", there) == "FM7"
    assert fitmi_scales.serial_at(str(tmp_path / "puck"), there) == "FM7"
    assert fitmi_scales.serial_at("usb:FM9", there) == "FM9"
    for port in ("/dev/hidraw3", "/dev/pts/1", "socket://127.0.0.1:1", ""):
        assert fitmi_scales.serial_at(port, there) == ""
