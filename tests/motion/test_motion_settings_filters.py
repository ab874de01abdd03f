import cmath
from itertools import pairwise
from math import nan, pi, sqrt, tan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.motion.filters import VectorLowPass, butterworth_lowpass
from controller.motion.settings import BOUNDS, AttemptSettings


def _gain(biquad, hz, rate):
    z = cmath.exp(-2j * pi * hz / rate)
    return abs((biquad.b0 + biquad.b1 * z + biquad.b2 * z * z) / (1 + biquad.a1 * z + biquad.a2 * z * z))


@given(cutoff=st.floats(3.0, 10.0), rate=st.floats(50.0, 1000.0))
def test_the_low_pass_is_a_butterworth(cutoff, rate):
    biquad = butterworth_lowpass(cutoff, rate)
    assert _gain(biquad, 0.0, rate) == pytest.approx(1.0, abs=1e-9)
    assert _gain(biquad, cutoff, rate) == pytest.approx(1 / sqrt(2), rel=1e-6)
    assert _gain(biquad, rate / 2, rate) < 1e-6
    steps = [_gain(biquad, cutoff * f, rate) for f in (0.0, 0.25, 0.5, 0.75, 1.0, 1.2)]
    assert all(a >= b - 1e-9 for a, b in pairwise(steps))  # no ripple in the pass band


@given(cutoff=st.floats(3.0, 10.0), rate=st.floats(50.0, 1000.0))
def test_coefficients_agree_with_the_analogue_poles_taken_through_the_bilinear_transform(cutoff, rate):
    warped = 2 * rate * tan(pi * cutoff / rate)
    analogue = warped * cmath.exp(0.75j * pi)  # the Butterworth pole of the second quadrant
    pole = (2 * rate + analogue) / (2 * rate - analogue)
    a1, a2 = -2 * pole.real, abs(pole) ** 2
    b0 = (1 + a1 + a2) / 4  # both zeros at Nyquist, gain 1 at rest
    assert butterworth_lowpass(cutoff, rate) == pytest.approx((b0, 2 * b0, b0, a1, a2), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("cutoff", "rate"), [(6.0, 14.9), (0.0, 100.0), (-1.0, 100.0), (nan, 100.0), (6.0, nan)])
def test_an_impossible_low_pass_is_refused(cutoff, rate):
    with pytest.raises(ValueError, match="low-pass"):
        butterworth_lowpass(cutoff, rate)


def test_a_settled_filter_shows_no_transient_and_redesign_goes_on_from_where_it_was():
    lowpass = VectorLowPass(butterworth_lowpass(6.0, 100.0))
    lowpass.settle((3.0, -2.0, 500.0))
    for _ in range(20):
        assert lowpass.step((3.0, -2.0, 500.0)) == pytest.approx((3.0, -2.0, 500.0), rel=1e-12)
    lowpass.redesign(butterworth_lowpass(6.0, 60.0))
    assert lowpass.step((3.0, -2.0, 500.0)) == pytest.approx((3.0, -2.0, 500.0), rel=1e-12)


def test_defaults_are_the_designs():
    settings = AttemptSettings()
    assert (settings.floor_dps, settings.dwell_ns, settings.refractory_ns) == (5.0, 50_000_000, 500_000_000)
    assert (settings.blanking_ns, settings.stale_ns, settings.min_rate_hz) == (1_000_000_000, 100_000_000, 50.0)
    assert settings.excursion_deg is None


@pytest.mark.parametrize("name", BOUNDS)
def test_each_setting_is_held_within_its_bounds(name):
    low, high = BOUNDS[name]
    for value in (low - 1, high + 1, nan):
        with pytest.raises(ValueError, match=name):
            AttemptSettings(**{name: value})


def test_floor_and_excursion_are_checked():
    with pytest.raises(ValueError, match="floor_dps"):
        AttemptSettings(floor_dps=20.0, ceiling_dps=10.0)
    with pytest.raises(ValueError, match="excursion_deg"):
        AttemptSettings(excursion_deg=nan)
