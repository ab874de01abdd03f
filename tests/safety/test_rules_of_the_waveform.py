"""Rules G36 and G37: a pulse that grows wider or comes more often is more, whatever its amplitude."""

import pytest

from safety.orders import ArmScope
from safety.stimulus import biphasic
from tests.safety.rig import pulse

pytestmark = pytest.mark.hazard("H27", "H32")
NARROW, WIDE = {"width_us": 100, "period_us": 40_000}, {"width_us": 250, "period_us": 29_000}


def fit(rig, ua=500, **waveform):
    """One press of half a milliampere with these pulses, and off again."""
    rig.guard.disarm(rig.now_ns)
    rig.guard.arm(ArmScope.FITTING, rig.now_ns)
    rig.scope = ArmScope.FITTING
    rig.wait(6_000)
    rig.press()
    answer = rig.verdict(pulse(ua, **waveform))
    rig.wait(100)
    assert rig.verdict() == ""
    return answer


def session(rig):
    rig.guard.disarm(rig.now_ns)
    rig.scope = ArmScope.SESSION
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    rig.wait(6_000)
    return rig


@pytest.mark.parametrize(
    "other", [{"width_us": 101}, {"width_us": 99}, {"period_us": 29_500}, {"period_us": 28_500}, {"width_us": 250}]
)
def test_g36_one_waveform(bed, other):
    rig = bed.rig()
    usual = {"width_us": 100, "period_us": 29_000}
    assert rig.verdict(bed.pulse(2_000, **usual), bed.pulse(0, channel=2, **usual)) == ""
    rig.wait(20)
    # a channel without current may change, one with current may not, neither up nor down
    changed = bed.pulse(500, channel=2, **(usual | other))
    assert rig.verdict(bed.pulse(2_500, **usual), changed) == ""
    rig.wait(20)
    assert rig.verdict(bed.pulse(2_000, **(usual | other)), changed) == "G36"
    rig.wait(6_000)
    assert rig.verdict(bed.pulse(2_000, **(usual | other))) == ""  # from nothing it may


def test_a_pause_between_the_phases_is_part_of_the_waveform(bed):
    rig = bed.rig()
    assert rig.verdict(biphasic(1, 2_000, 100, 100, 29_000)) == ""
    rig.wait(20)
    assert rig.verdict(biphasic(1, 2_000, 100, 0, 29_000)) == "G36"


def test_a_full_ramp_of_narrow_pulses_earns_no_wide_ones(bed):
    rig = bed.rig()
    assert rig.ramp(bed.cap_ua, width_us=10, period_us=1_000_000) == ""
    rig.wait(1)
    assert rig.verdict(bed.pulse(bed.cap_ua, width_us=100, period_us=20_000)) == "G36"


def test_g37_as_fitted(bed):
    rig = bed.fitting()
    rig.guard._memory.fitted = {}
    rig.guard.disarm(rig.now_ns)
    assert rig.guard.prescribe(1, bed.region, 2500, 10_000, 0, "P-001", "2026-01-05", armed=False) is None
    assert session(rig).verdict(bed.pulse(500, **NARROW)) == "G37"  # nothing was fitted here
    assert fit(rig, **NARROW) == ""
    for wish, rule in (
        (NARROW, ""),
        ({"width_us": 99, "period_us": 40_500}, ""),
        ({"width_us": 101, "period_us": 40_000}, "G37"),
        ({"width_us": 100, "period_us": 39_500}, "G37"),
    ):
        assert session(rig).verdict(bed.pulse(500, **wish)) == rule, wish
    assert fit(rig, **WIDE) == ""
    assert session(rig).verdict(bed.pulse(500, **WIDE)) == "G37"  # the gentlest of the day counts
    assert session(rig).verdict(bed.pulse(500, **NARROW)) == ""


def test_gentler_than_the_gentlest_counts_for_each_of_width_and_period(bed):
    rig = bed.fitting()
    rig.guard._memory.fitted = {}
    assert fit(rig, width_us=100, period_us=29_000) == ""
    assert fit(rig, width_us=250, period_us=40_000) == ""
    rig.guard.disarm(rig.now_ns)
    assert rig.guard.prescribe(1, bed.region, 2500, 10_000, 0, "P-001", "2026-01-05", armed=False) is None
    assert session(rig).verdict(bed.pulse(500, width_us=100, period_us=40_000)) == ""
    assert session(rig).verdict(bed.pulse(500, width_us=101, period_us=40_000)) == "G37"
    assert session(rig).verdict(bed.pulse(500, width_us=100, period_us=39_500)) == "G37"


@pytest.mark.parametrize("gone", ["unit", "patient", "day", "pad"])
def test_what_was_fitted_is_forgotten_with_what_was_identified(bed, gone):
    rig = bed.fitting()
    rig.guard.meet("UNIT-1")
    assert 1 in rig.guard._memory.fitted
    rig.guard.disarm(rig.now_ns)
    if gone == "unit":
        rig.guard.meet("UNIT-2")
    else:
        patient, day = "P-002" if gone == "patient" else "P-001", "2026-01-06" if gone == "day" else "2026-01-05"
        pad_mm2 = 2_600 if gone == "pad" else 2_500
        assert rig.guard.prescribe(1, bed.region, pad_mm2, 0, 0, patient, day, armed=False) is None
    assert 1 not in rig.guard._memory.fitted
    assert 1 not in rig.guard.identified


def test_a_level_of_fitting_counts_for_its_own_waveform(bed):
    """Eighty presses of pulses that nobody feels earn no step with pulses that everybody feels."""
    rig = bed.fitting()
    rig.wait(6_000)
    for ua in range(500, 4_500, 500):
        rig.press()
        assert rig.ramp(ua, **NARROW) == ""
        rig.wait(100)
        assert rig.verdict() == ""
        rig.wait(2_000)
    rig.press()
    assert rig.verdict(bed.pulse(1_000, **WIDE)) == "G27"
    rig.wait(6_000)
    rig.press()
    assert rig.verdict(bed.pulse(500, **WIDE)) == ""
    rig.wait(100)
    assert rig.verdict() == ""
    rig.wait(2_000)
    rig.press()
    assert rig.verdict(bed.pulse(1_000, **NARROW)) == "G27"  # and back again it begins anew as well
    rig.wait(6_000)
    rig.press()
    assert rig.verdict(bed.pulse(500, **NARROW)) == ""
