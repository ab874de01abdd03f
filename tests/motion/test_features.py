import random
from math import isnan, nan, pi, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.motion.batch import angular_speed
from controller.motion.features import FeatureFilter
from controller.motion.settings import AttemptSettings
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, Sample

MS = 1_000_000


def _noise(n, seed=1, scale=1.0):
    rng = random.Random(seed)
    return [(rng.gauss(0, scale), rng.gauss(0, scale), rng.gauss(0, scale)) for _ in range(n)]


def _samples(gyro, period_ns=10 * MS, **more):
    return [Sample("p", (n + 1) * period_ns, g, **more) for n, g in enumerate(gyro)]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([50.0, 60.0, 100.0, 285.714, 1000.0]),
    cutoff=st.floats(3.0, 10.0),
)
def test_batch_and_per_sample_speed_are_equal(seed, rate, cutoff):
    gyro = _noise(300, seed, 100.0)
    features = FeatureFilter(AttemptSettings(lowpass_hz=cutoff), rate)
    stream = [features.step(s).angular_speed_dps for s in _samples(gyro, round(1e9 / rate))]
    assert stream == pytest.approx(angular_speed(np.array(gyro), rate, cutoff), rel=1e-9, abs=1e-9)


def test_batch_refuses_other_shapes_and_numbers_that_are_none():
    for bad in (np.zeros(5), np.zeros((5, 2)), np.full((5, 3), np.nan)):
        with pytest.raises(ValueError, match="shape"):
            angular_speed(bad, 100.0)
    assert angular_speed(np.zeros((0, 3)), 100.0).shape == (0,)


def test_each_axis_is_filtered_before_the_norm_so_that_a_tremor_does_not_become_a_constant():
    tremor = [(30 * sin(2 * pi * 9 * n / 100), 0.0, 0.0) for n in range(1000)]
    features = FeatureFilter(AttemptSettings(), 100.0)
    filtered = [features.step(s).angular_speed_dps for s in _samples(tremor)][200:]
    rectified_mean = 2 * 30 / pi
    assert min(filtered) < 1.0  # swings through zero
    assert np.mean(filtered) < 0.5 * rectified_mean


def test_quiet_time_is_unbroken_time_below_the_quiet_speed():
    features = FeatureFilter(AttemptSettings(), 100.0)
    stream = _samples(_noise(100) + [(90.0, 0.0, 0.0)] * 5 + _noise(100, 2))
    quiet = [features.step(s).quiet_ns for s in stream]
    assert quiet[99] == 99 * 10 * MS
    assert 0 in quiet[100:106]
    assert 800 * MS < quiet[-1] < 1000 * MS


def test_device_time_rules_over_arrival_time_and_the_filter_follows_the_measured_rate():
    features = FeatureFilter(AttemptSettings(), 100.0)
    for n, gyro in enumerate(_noise(400)):  # 200 samples a second by the puck, arriving in bursts of four
        features.step(Sample("p", (n // 4 + 1) * 20 * MS, gyro, device_us=n * 5000))
    assert features.rate_hz == pytest.approx(200.0, rel=1e-3)
    made_for_200 = FeatureFilter(AttemptSettings(), 200.0)
    speed = speed_200 = -1.0
    for n in range(400, 700):
        sample = Sample("p", n * 5 * MS, (40 * sin(2 * pi * 4 * n / 200), 0.0, 0.01 * (n % 3)), device_us=n * 5000)
        speed, speed_200 = features.step(sample).angular_speed_dps, made_for_200.step(sample).angular_speed_dps
    assert speed == pytest.approx(speed_200, abs=1e-6)


def test_a_gap_restarts_the_filter_on_the_new_sample():
    features = FeatureFilter(AttemptSettings(), 100.0)
    for sample in _samples(_noise(50, scale=200.0)):
        features.step(sample)
    after = features.step(Sample("p", 50 * 10 * MS + 101 * MS, (3.0, 0.0, 4.0)))
    assert after.angular_speed_dps == pytest.approx(5.0)
    assert after.quiet_ns == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"flags": CONNECTED | IMU_OK | STALE},
        {"flags": CONNECTED},
        {"flags": IMU_OK},
        {"gyro_dps": (nan, 0.0, 0.0)},
        {"gyro_dps": (0.0, float("inf"), 0.0)},
        {"gyro_dps": (0.0, 0.0, 1e300)},
    ],
)
def test_a_sample_that_must_not_be_acted_upon_gives_no_speed_and_leaves_no_trace(bad):
    features = FeatureFilter(AttemptSettings(), 100.0)
    samples = _samples(_noise(60))
    for sample in samples[:50]:
        features.step(sample)
    refused = features.step(samples[50]._replace(**bad))
    assert isnan(refused.angular_speed_dps)
    assert refused.quiet_ns == 0
    after = features.step(samples[51])
    assert after.angular_speed_dps == pytest.approx(sum(v * v for v in samples[51].gyro_dps) ** 0.5)


def test_a_gyroscope_that_repeats_itself_is_refused_after_200_ms():
    features = FeatureFilter(AttemptSettings(), 100.0)
    speeds = [features.step(s).angular_speed_dps for s in _samples([(1.0, 2.0, 3.0)] * 30)]
    assert [isnan(v) for v in speeds] == [False] * 21 + [True] * 9
    assert not isnan(features.step(Sample("p", 310 * MS, (1.0, 2.0, 3.0625))).angular_speed_dps)


def test_zero_rate_from_a_living_quaternion_is_rest_and_not_a_stuck_sensor():
    # a rate made from a quantised attitude is exactly zero while the attitude does not change by one bit
    features = FeatureFilter(AttemptSettings(), 60.0)
    for n in range(60):
        feature = features.step(
            Sample("p", n * 16 * MS, (0.0, 0.0, 0.0), quaternion=(1.0, 0.0, 1e-4 * (n % 9 // 8), 0.0))
        )
        assert feature.angular_speed_dps == 0.0
