"""Rules G07 to G16 at their bounds, for every body region."""

import pytest

from safety.limits import ChannelLimit
from safety.orders import ArmScope
from safety.pulse_rules import g10_net_charge, g11_amplitude, g12_pulse_width, g16_power
from safety.stimulus import Point, Train, biphasic

pytestmark = pytest.mark.hazard("H16", "H17", "H26")

MS = 1_000_000


def test_g07_channel(bed):
    for channel in (1, 5):
        assert bed.vets(bed.pulse(channel=channel)) == ""
    for channel in (-1, 0, 6, 8, 9, 10**9):
        assert bed.vets(bed.pulse(channel=channel)) == "G07"


def test_g08_ceiling_found(bed):
    assert bed.vets(bed.pulse(), ceiling_ua=0) == "G08"
    assert bed.vets(bed.pulse(500), ceiling_ua=500) == ""
    rig = bed.rig(scope=ArmScope.FITTING, ceiling_ua=0)
    rig.press()
    assert rig.verdict(bed.pulse(500)) == ""


def test_g09_points(bed):
    mixed = bed.rig()
    assert mixed.verdict(bed.pulse(), Train(2, (), 29_000)) == "G09"
    for duration_us, rule in ((9, "G09"), (10, ""), (4095, ""), (4096, "G09"), (0, "G09"), (-10, "G09")):
        pause = (Point(100, 1000), Point(duration_us, 0), Point(100, -1000))
        assert bed.vets(Train(1, pause, 29_000)) == rule, duration_us
    assert bed.vets(bed.pulse(2001)) == "G09"
    assert bed.vets(bed.pulse(1499)) == "G09"


UP, DOWN, PAUSE = Point(100, 2000), Point(100, -2000), Point(100, 0)


@pytest.mark.parametrize("points", [(UP, DOWN), (UP, PAUSE, DOWN), (Point(100, 0),) * 2, (Point(100, 0),) * 3])
def test_g09_two_equal_phases_with_at_most_one_pause(bed, points):
    beside = biphasic(2, 500, 100, 0, 29_000)  # all without current would be off
    assert bed.vets(Train(1, points, 29_000), beside) == ""


@pytest.mark.parametrize(
    "points",
    [
        (Point(100, 2000), Point(10, 0)) * 4 + (Point(100, -2000), Point(10, 0)) * 4,  # four times the charge one way
        (UP, DOWN, Point(3500, 0)) * 5,  # five pulses in one period
        (UP, UP, DOWN, DOWN),
        (UP, PAUSE, PAUSE, DOWN),
        (PAUSE, UP, DOWN),
        (UP, DOWN, PAUSE),
        (DOWN, UP),
        (DOWN, PAUSE, UP),
        (UP, Point(100, 500), Point(125, -2000)),
        (UP, Point(200, -1000)),
        (UP, Point(101, -2000)),
        (UP, Point(100, -1500)),
        (UP, UP),
        (UP, PAUSE),
        (UP,),
        (PAUSE, PAUSE, UP),
        (PAUSE, Point(200, 0)),
    ],
)
def test_g09_no_other_pulse(bed, points):
    assert bed.vets(Train(1, points, 29_000), biphasic(2, 500, 100, 0, 29_000)) == "G09"


def limit_of(bed):
    return bed.rig().guard.limit(1, ArmScope.SESSION)


def test_g10_net_charge(bed):
    """G09 alone lets no other pulse pass; this one is asked by itself, should that ever be loosened."""
    for left in (-500, 500):
        points = (Point(250, 2000), Point(250, -2000 + left))
        assert g10_net_charge(bed.unit, Train(1, points, 29_000), limit_of(bed)) is not None
    assert g10_net_charge(bed.unit, Train(1, (Point(250, 2000),), 29_000), limit_of(bed)) is not None
    uneven = (Point(100, 2000), Point(200, -1000))
    assert g10_net_charge(bed.unit, Train(1, uneven, 29_000), limit_of(bed)) is None


def test_g11_amplitude(bed):
    assert bed.vets(bed.pulse(bed.cap_ua, width_us=100)) == ""
    assert bed.vets(bed.pulse(bed.cap_ua + 500, width_us=100)) == "G11"
    assert g11_amplitude(bed.unit, bed.pulse(-bed.cap_ua, width_us=100), limit_of(bed)) is None
    assert g11_amplitude(bed.unit, bed.pulse(-bed.cap_ua - 500, width_us=100), limit_of(bed)) is not None
    assert bed.vets(bed.pulse(8500), ceiling_ua=8500) == ""
    assert bed.vets(bed.pulse(9000), ceiling_ua=8999) == "G11"
    assert bed.rig().ramp(bed.cap_ua, width_us=100) == ""


def test_g12_pulse_width(bed):
    assert bed.vets(bed.pulse(2000, width_us=bed.width_us)) == ""
    assert bed.vets(bed.pulse(2000, width_us=bed.width_us + 1)) == "G12"
    half = bed.width_us // 2
    split = (Point(half, 2000), Point(half + 1, 2000), Point(2 * half + 1, -2000))
    holds = g12_pulse_width(bed.unit, Train(1, split, 29_000), limit_of(bed)) is None
    assert holds is (2 * half + 1 <= bed.width_us)
    long_split = (Point(half + 20, 2000), Point(half, 2000), Point(2 * half + 20, -2000))
    assert g12_pulse_width(bed.unit, Train(1, long_split, 29_000), limit_of(bed)) is not None


def test_g13_period(bed):
    for period_us, rule in (
        (19_500, "G13"),
        (20_000, ""),
        (20_001, "G13"),
        (20_500, ""),
        (16_383_000, ""),
        (16_383_500, "G13"),
        (0, "G13"),
        (-20_000, "G13"),
    ):
        assert bed.vets(bed.pulse(2000, width_us=100, period_us=period_us)) == rule, period_us


def test_g14_charge(bed):
    width_us = bed.charge_nc * 1000 // bed.cap_ua
    assert width_us < bed.width_us or width_us * bed.cap_ua == bed.charge_nc * 1000
    assert bed.vets(bed.pulse(bed.cap_ua, width_us=width_us)) == ""
    over = biphasic(1, bed.cap_ua, width_us + 1, 100, 29_000)
    assert bed.vets(over) == ("G14" if width_us < bed.width_us else "G12")


def test_g15_density(bed):
    # 1 cm2 of pad: 1 mA rms. At 50 Hz and 250 us a phase, 2 x I^2 x 250 / 20000 <= 1 mA^2, so I <= 6.32 mA.
    assert bed.vets(bed.pulse(6000, period_us=20_000), pad_mm2=100) == ""
    assert bed.vets(bed.pulse(6500, period_us=20_000), pad_mm2=100) == "G15"
    exact = (Point(100, 10_000), Point(100, -10_000))  # exactly 1 mA rms
    assert bed.vets(Train(1, exact, 20_000), pad_mm2=100) == ""


def test_g16_power(bed):
    # Beyond what any cap leaves possible, so asked directly: 0.1 W/cm2 on half the pad into 500 ohm.
    limit = bed.rig(pad_mm2=30_000).guard.limit(1, ArmScope.SESSION)
    assert isinstance(limit, ChannelLimit)
    rms_ma_squared = 0.1 * 150 / 500 * 1e6
    for factor, holds in ((0.999, True), (1.001, False)):
        squares = rms_ma_squared * factor * 1e6 * 20_000  # uA^2 x us
        ua = int((squares / 8000) ** 0.5)
        train = Train(1, (Point(4000, ua), Point(4000, -ua)), 20_000)
        assert (g16_power(bed.unit, train, limit) is None) is holds
