"""Units that are not as free as the P24: one pulse shape, one period for all, slots in it, a coarse grid."""

from dataclasses import replace

import pytest

from safety.limits import DeviceLimits, fitting_step_ua, step_every_ns
from safety.orders import ArmScope
from safety.stimulus import Point, Train, biphasic

pytestmark = pytest.mark.hazard("H17", "H25")

MS = 1_000_000
# HASOMED RehaStim2: 2 mA steps, 20 to 500 us, 100 us between the phases, 1.5 ms a channel, two modules of four.
REHASTIM2 = DeviceLimits(
    name="RehaStim2",
    channels=8,
    amplitude_ua_max=126_000,
    amplitude_step_ua=2_000,
    pulse_width_us_min=20,
    pulse_width_us_max=500,
    period_us_min=20_000,
    period_us_max=1_025_000,
    period_step_us=500,
    points_max=3,
    overhead_us=0,
    interphase_us=100,
    common_period=True,
    slot_us=1_500,
    slot_channels=4,
)
FITTING = {"scope": ArmScope.FITTING, "ceiling_ua": 0}


def test_the_p24_is_as_free_as_it_was(kit):
    assert (kit.UNIT.interphase_us, kit.UNIT.common_period) == (None, False)
    assert (kit.UNIT.slot_us, kit.UNIT.slot_channels) == (0, 0)
    rig = kit.Rig()
    assert rig.verdict(kit.pulse(period_us=29_000), kit.pulse(channel=2, period_us=30_000)) == ""
    assert rig.guard._memory.paced is False


@pytest.mark.parametrize("width_us", [20, 250, 350])
def test_g09_one_shape_only(kit, width_us):
    def verdict(*points, **settings):
        rig = kit.Rig(unit=replace(REHASTIM2, points_max=16, **settings))
        return rig.verdict(Train(1, tuple(Point(*point) for point in points), 29_000))

    wide, ua = width_us, 2000
    assert verdict((wide, ua), (100, 0), (wide, -ua)) == ""
    for points in (
        [(wide, -ua), (100, 0), (wide, ua)],  # negative first
        [(wide, ua), (101, 0), (wide, -ua)],  # another gap
        [(wide, ua), (99, 0), (wide, -ua)],
        [(wide, ua), (wide, -ua)],  # none
        [(wide, ua), (50, 0), (50, 0), (wide, -ua)],  # the same gap in two pieces
        [(wide, ua), (100, 0), (2 * wide, -ua // 2)],  # balanced, and not equal
        [(wide, ua), (100, ua), (wide, -ua)],
        [(wide, ua), (100, 0), (wide + 1, -ua)],
        [(wide, ua)],
    ):
        assert verdict(*points) == "G09", points
    assert verdict((wide, ua), (wide, -ua), interphase_us=0) == ""
    assert verdict((wide, ua), (100, 0), (wide, -ua), interphase_us=0) == "G09"


def test_g09_a_channel_without_current_keeps_the_shape_too(kit):
    rig = kit.Rig(unit=REHASTIM2)
    assert rig.verdict(kit.pulse(), biphasic(2, 0, 250, 100, 29_000)) == ""
    assert rig.verdict(kit.pulse(), biphasic(2, 0, 250, 0, 29_000)) == "G09"
    assert rig.verdict(kit.pulse(3000)) == "G09"  # off the grid


def test_g18_one_period_for_all(kit):
    for period_us, rule in ((29_000, ""), (29_500, "G18"), (28_500, "G18")):
        rig = kit.Rig(unit=REHASTIM2)
        assert rig.verdict(kit.pulse(), kit.pulse(channel=2, period_us=period_us)) == rule
        rig = kit.Rig(unit=replace(REHASTIM2, slot_us=0))
        assert rig.verdict(kit.pulse(), kit.pulse(channel=2, period_us=period_us)) == rule
        rig = kit.Rig(unit=replace(REHASTIM2, common_period=False))
        assert rig.verdict(kit.pulse(), kit.pulse(channel=2, period_us=period_us)) == ""
    rig = kit.Rig(unit=REHASTIM2)
    assert rig.verdict(kit.pulse()) == ""
    rig.wait(20)
    assert rig.verdict() == ""
    rig.wait(2_000)
    assert rig.verdict(kit.pulse(period_us=40_000)) == ""  # all of them together may change it, from burst to burst


def test_g18_a_slot_for_each_channel(kit):
    def verdict(channels, **settings):
        rig = kit.Rig(unit=replace(REHASTIM2, **settings))
        return rig.verdict(*[kit.pulse(channel=channel, period_us=20_000, width_us=20) for channel in channels])

    assert verdict((1, 2, 3, 4)) == ""
    assert verdict((1, 2, 3, 4), slot_us=5_000) == ""  # 20 ms of 20
    assert verdict((1, 2, 3, 4), slot_us=5_001) == "G18"
    assert verdict((1, 2, 3), slot_us=6_666) == ""
    assert verdict((1, 2, 3), slot_us=6_667) == "G18"
    assert verdict((2, 3, 4, 5), slot_us=6_666) == ""  # the fifth is in the second module
    assert verdict((2, 3, 4, 5), slot_us=6_666, slot_channels=5) == "G18"
    assert verdict((2, 3, 4, 5), slot_us=6_666, slot_channels=0) == "G18"  # all in one
    assert verdict((1, 2, 3, 4), slot_us=5_001, common_period=False) == "G18"
    rig = kit.Rig(unit=replace(REHASTIM2, slot_us=6_666))
    four = [kit.pulse(2000 if channel < 4 else 0, channel, 20, 20_000) for channel in (1, 2, 3, 4)]
    assert rig.verdict(*four) == ""  # a channel without current needs no slot


def test_g19_a_grid_of_2_ma_rises_a_step_each_20_ms(kit):
    rig = kit.Rig(unit=REHASTIM2)
    assert rig.ramp(10_000) == ""
    rig.wait(19)
    assert rig.verdict(kit.pulse(12_000)) == "G19"
    rig = kit.Rig(unit=replace(REHASTIM2, amplitude_step_ua=2_500))
    assert rig.verdict(kit.pulse(2_500)) == "G19"  # a coarser grid than 2 mA can never begin


def test_g27_step_of_a_coarse_grid(kit):
    for grid_ua, steps in (
        (100, (500, 500, 1000)),
        (500, (500, 500, 1000)),
        (1_000, (1000, 1000, 1000)),
        (2_000, (2000, 2000, 2000)),
        (2_001, (500, 500, 1000)),  # never more than 2 mA: such a unit cannot be fitted
    ):
        assert tuple(fitting_step_ua(level, 4000, grid_ua) for level in (0, 3999, 4000)) == steps, grid_ua
    assert fitting_step_ua(50_000, 0, 500) == 500  # no motor threshold yet
    rig = kit.Rig(unit=REHASTIM2, **FITTING)
    for level_ua in (2000, 4000, 6000):
        rig.press()
        assert rig.verdict(kit.pulse(level_ua)) == ""
        assert rig.keep_on(400) == ""
    assert rig.verdict(kit.pulse(8000)) == "G27"  # one press, one step
    rig = kit.Rig(unit=REHASTIM2, motor_ua=2000, **FITTING)
    rig.press()
    assert rig.verdict(kit.pulse(2000)) == ""
    assert rig.keep_on(400) == ""
    assert rig.verdict(kit.pulse(4000)) == "G27"  # from motor threshold on, too
    rig = kit.Rig(unit=replace(REHASTIM2, amplitude_step_ua=1000), **FITTING)
    rig.press()
    assert rig.verdict(kit.pulse(2000)) == "G27"  # two steps of the grid


def test_g27_step_spacing_keeps_5_ma_a_second(kit):
    for grid_ua in range(100, 2001, 100):
        biggest_ua = max(fitting_step_ua(0, 0, grid_ua), fitting_step_ua(1, 1, grid_ua))
        assert biggest_ua * 1000 <= 5_000 * step_every_ns(grid_ua) // MS
    assert [step_every_ns(grid) // MS for grid in (500, 1000, 1500, 2000)] == [300, 300, 300, 400]
    for gap_ms, rule in ((399, "G27"), (400, "")):
        rig = kit.Rig(unit=REHASTIM2, **FITTING)
        rig.press()
        assert rig.verdict(kit.pulse(2000)) == ""
        assert rig.keep_on(300) == ""
        rig.wait(gap_ms - 300)
        rig.press()
        refusal = rig.deliver(kit.pulse(4000))
        assert kit.rule_of(refusal) == rule, gap_ms
        assert not rule or "wait 400 ms" in refusal.reason
