from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.motion.calibration import (
    NOT_SEPARABLE,
    NOT_STILL,
    TOO_FEW,
    Calibrated,
    CalibrationRefused,
    calibrate_attempts,
    calibrate_rest,
    rest_level,
)
from controller.motion.calibration_run import CalibrationRun
from controller.motion.detector import AttemptDetector
from controller.motion.settings import AttemptSettings

SETTINGS = AttemptSettings()


def test_rest_level_is_the_99th_percentile():
    assert rest_level([float(v) for v in range(101)]) == pytest.approx(99.0)
    for bad in ([], [1.0, nan]):
        with pytest.raises(ValueError, match="rest level"):
            rest_level(bad)


@pytest.mark.parametrize(
    ("rest", "peaks", "threshold"),
    [
        (0.3, (12.0, 11.0, 10.0), 5.0),  # the floor binds
        (0.3, (40.0, 80.0, 60.0), 18.0),  # 30 % of the median
        (2.0, (10.0, 100.0, 40.0), 12.0),
        (0.3, (900.0, 800.0, 700.0), 60.0),  # the ceiling binds
    ],
)
def test_threshold_of_attempts(rest, peaks, threshold):
    result = calibrate_attempts(SETTINGS, rest, peaks)
    assert isinstance(result, Calibrated)
    assert result.threshold_dps == pytest.approx(threshold)
    assert (result.rest_p99_dps, result.peaks_dps) == (rest, peaks)


def test_attempts_that_do_not_stand_out_from_rest_are_refused_with_advice():
    result = calibrate_attempts(SETTINGS, 2.0, (20.0, 22.0, 26.0))
    assert isinstance(result, CalibrationRefused)
    assert result.reason == NOT_SEPARABLE
    assert "2.0 deg/s" in result.advice
    assert "22.0" in result.advice


def test_a_restless_limb_is_refused_because_it_would_never_re_arm():
    for rest in (5.0, 30.0, nan):
        for result in (calibrate_rest(SETTINGS, rest), calibrate_attempts(SETTINGS, rest, (500.0,))):
            assert isinstance(result, CalibrationRefused)
            assert result.reason == NOT_STILL


@given(rest=st.floats(0.0, 4.9), peaks=st.lists(st.floats(0.0, 2000.0), max_size=9))
def test_every_threshold_that_is_found_is_one_that_the_detector_takes(rest, peaks):
    for result in (calibrate_rest(SETTINGS, rest), calibrate_attempts(SETTINGS, rest, peaks)):
        if isinstance(result, Calibrated):
            assert AttemptDetector(SETTINGS, result.threshold_dps).threshold_dps >= max(5.0, 4.0 * rest - 1e-9)


@pytest.fixture
def run(speeds):
    def build(rest=0.5, rest_ms=10_100, **options):
        calibration = CalibrationRun(SETTINGS, **options)
        stream = speeds(calibration.step)
        calibration.start_rest(0)
        stream.run(rest, rest_ms)
        return calibration, stream

    return build


def _answer(calibration, stream, speed, ms=400):
    stream.run(0.5, 12_000, until=lambda: calibration.next_cue)
    assert calibration.next_cue
    stream.run(speed, ms)
    stream.run(0.5, 700)


def test_a_whole_calibration(run):
    calibration, stream = run()
    assert calibration.view.stage == "rest"
    assert calibration.view.progress == 1.0
    assert calibration.view.rest_p99_dps == pytest.approx(0.5)
    calibration.start_attempts(stream.t_ns)
    for number, peak in enumerate((40.0, 50.0, 60.0, 70.0, 80.0), start=1):
        _answer(calibration, stream, peak)
        assert calibration.cue_number == number
    assert calibration.view.stage == "done"
    assert calibration.view.peaks_dps == (40.0, 50.0, 60.0, 70.0, 80.0)
    assert calibration.view.threshold_dps == pytest.approx(18.0)
    assert isinstance(calibration.result, Calibrated)


def test_the_way_back_between_two_cues_is_no_attempt(run):
    calibration, stream = run()
    calibration.start_attempts(stream.t_ns)
    for _ in range(5):
        _answer(calibration, stream, 40.0)
        assert not calibration.next_cue
        stream.run(200.0, 300)
    assert calibration.view.peaks_dps == (40.0,) * 5


def test_a_knock_is_no_attempt_and_a_cue_without_one_is_a_miss(run):
    calibration, stream = run()
    calibration.start_attempts(stream.t_ns)
    for _ in range(2):
        _answer(calibration, stream, 500.0, ms=40)
        stream.run(0.5, 9_500)
    for _ in range(3):
        _answer(calibration, stream, 40.0)
    assert calibration.view.stage == "done"
    assert calibration.view.peaks_dps == (40.0,) * 3


def test_more_misses_than_attempts_fail_with_advice_and_can_be_repeated(run):
    calibration, stream = run(attempts=2, timeout_s=2.0)
    calibration.start_attempts(stream.t_ns)
    stream.run(0.5, 9_000)
    assert calibration.view.stage == "failed"
    assert calibration.result.reason == TOO_FEW
    assert "Only 0 of 2" in calibration.view.advice
    calibration.start_attempts(stream.t_ns)
    for _ in range(2):
        _answer(calibration, stream, 30.0)
    assert calibration.view.threshold_dps == pytest.approx(9.0)


def test_an_attempt_that_never_ends_is_a_miss_and_a_limb_that_never_rests_fails(run):
    calibration, stream = run(attempts=1, timeout_s=2.0)
    calibration.start_attempts(stream.t_ns)
    _answer(calibration, stream, 40.0, ms=2_500)
    assert calibration.result.reason == TOO_FEW
    calibration.start_attempts(stream.t_ns)
    stream.run(20.0, 2_100)
    assert calibration.result.reason == NOT_STILL


def test_restless_rest_and_a_slow_puck_fail_with_advice(run, speeds):
    calibration, stream = run(rest=6.0)
    assert calibration.view.stage == "failed"
    assert "6.0 deg/s" in calibration.view.advice
    with pytest.raises(ValueError, match="rest must be recorded"):
        calibration.start_attempts(stream.t_ns)
    slow = CalibrationRun(SETTINGS)
    stream = speeds(slow.step, period_ns=30_000_000)
    slow.start_rest(0)
    stream.run(0.5, 10_500)
    assert slow.result.reason == "puck too slow"


def test_features_that_are_not_numbers_do_not_count(run):
    calibration, stream = run(rest_ms=5_000)
    stream.run(nan, 300)
    stream.run(0.5, 5_000)
    assert calibration.view.rest_p99_dps == pytest.approx(0.5)
    calibration, stream = run(rest=nan)
    assert calibration.view.stage == "failed"


def test_rest_alone_gives_a_threshold_where_no_attempts_are_asked_for(run):
    calibration, _ = run(rest=2.0, attempts=0)
    assert calibration.view.stage == "done"
    assert calibration.view.threshold_dps == pytest.approx(8.0)


def test_views_before_and_within(run):
    assert CalibrationRun(SETTINGS).view.stage == "idle"
    calibration, stream = run(rest_ms=5_000)
    assert calibration.view.progress == pytest.approx(0.5)
    assert calibration.view.stage == "rest"
    stream.run(0.5, 5_100)
    calibration.start_attempts(stream.t_ns)
    _answer(calibration, stream, 40.0)
    assert calibration.view.stage == "attempts"
    assert calibration.view.progress == pytest.approx(0.2)
    for bad in ({"rest_s": nan}, {"attempts": -1}, {"timeout_s": 0.0}):
        with pytest.raises(ValueError, match="not possible"):
            CalibrationRun(SETTINGS, **bad)
