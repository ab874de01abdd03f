"""Limits that only narrow, the source that binds, and what may be prescribed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety import limits
from safety.guard import Guard
from safety.limits import Bound, Prescription, ProtocolLimit, Region, channel_limit, reach
from safety.memory import Dose, Trail
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H17", "H31")

DAY = "2026-01-05"


def prescribe(guard, channel=1, region="forearm", pad=2500, ceiling=18_000, motor=9000, patient="P-001", **changes):
    given = {"date": DAY, "armed": False} | changes
    answer = guard.prescribe(channel, region, pad, ceiling, motor, patient, given["date"], given["armed"])
    return "" if answer is None else answer.rule


def constrain(guard, channel=1, region="forearm", pad=2500, ua=16_000, width=300, period=29_000, on_ms=6000):
    answer = guard.constrain(channel, region, pad, ua, width, period, on_ms)
    return "" if answer is None else answer.rule


@pytest.fixture
def guard(kit):
    return Guard(kit.UNIT)


def test_caps_are_the_proposed_ones_and_say_so(kit):
    assert limits.SIGNED_OFF is False
    assert {region.value for region in limits.CAPS} == set(kit.PROPOSED)
    for region, cap in limits.CAPS.items():
        milliamps, width_us, microcoulombs, seconds = kit.PROPOSED[region]
        assert (cap.amplitude_ua, cap.pulse_width_us) == (milliamps * 1000, width_us)
        assert (cap.charge_nc, cap.on_ms) == (int(microcoulombs * 1000), seconds * 1000)
        assert cap.period_us_min == 20_000
        assert "awaiting clinical sign-off" in cap.source
    assert (limits.CHANNELS_ACTIVE_MAX, limits.BURSTS_MAX, limits.STIMULATED_NS_MAX) == (4, 1200, 3600 * 10**9)
    assert (limits.SLEW_UA_MAX, limits.SLEW_WINDOW_NS, limits.REST_NS_MIN) == (2000, 20 * kit.MS, 2000 * kit.MS)
    assert (limits.TRAIN_MS_MAX, limits.STEP_EVERY_NS, limits.SENSOR_AGE_NS_MAX) == (3000, 300 * kit.MS, 100 * kit.MS)
    # The cap of 5 mA/s in fitting follows from step and spacing.
    assert limits.STEP_UA_ABOVE_MOTOR * 10**9 <= 5000 * limits.STEP_EVERY_NS
    assert limits.STEP_UA_BELOW_MOTOR == 500


def test_the_source_that_binds(guard):
    assert prescribe(guard) == ""
    limit = guard.limit(1, ArmScope.SESSION)
    assert limit.amplitude_ua == Bound(18_000, "patient ceiling")
    assert limit.pulse_width_us == Bound(350, "forearm cap")
    assert limit.on_ms == Bound(12_000, "forearm cap")
    assert constrain(guard) == ""
    limit = guard.limit(1, ArmScope.SESSION)
    assert limit.amplitude_ua == Bound(16_000, "protocol")
    assert limit.pulse_width_us == Bound(300, "protocol")
    assert limit.period_us_min == Bound(29_000, "protocol")
    assert limit.on_ms == Bound(6000, "protocol")
    assert constrain(guard, ua=99_000, width=999, period=1, on_ms=99_000, pad=1000) == ""
    limit = guard.limit(1, ArmScope.SESSION)
    assert limit.amplitude_ua == Bound(18_000, "patient ceiling")
    assert limit.pad_area_mm2 == 1000  # the smaller of the two
    fitting = guard.limit(1, ArmScope.FITTING)
    assert fitting.amplitude_ua == Bound(45_000, "forearm cap")
    assert fitting.on_ms == Bound(3000, "fitting rule")
    assert fitting.pad_area_mm2 == 2500
    assert guard.limit(2, ArmScope.SESSION) is None


def test_a_weak_unit_binds_too(kit):
    from dataclasses import replace

    weak = replace(kit.UNIT, name="W1", amplitude_ua_max=10_000, pulse_width_us_max=200, period_us_min=40_000)
    given = Prescription(1, Region.UPPER_ARM, 2500, 50_000, 0, "P-001", DAY)
    limit = channel_limit(weak, given, None, ArmScope.SESSION)
    assert limit.amplitude_ua == Bound(10_000, "device W1")
    assert limit.pulse_width_us == Bound(200, "device W1")
    assert limit.period_us_min == Bound(40_000, "device W1")
    assert limit.charge_nc == Bound(20_000, "upper arm cap")


@given(
    region=st.sampled_from(list(Region)),
    ceiling=st.integers(0, 130_000),
    ua=st.integers(0, 200_000),
    width=st.integers(0, 5000),
    period=st.integers(0, 10**8),
    on_ms=st.integers(0, 10**6),
    pad=st.integers(100, 30_000),
)
def test_nothing_widens(kit, region, ceiling, ua, width, period, on_ms, pad):
    given_today = Prescription(1, region, 2500, ceiling, 0, "P-001", DAY)
    protocol = ProtocolLimit(region, pad, ua, width, period, on_ms)
    limit = channel_limit(kit.UNIT, given_today, protocol, ArmScope.SESSION)
    milliamps, width_us, microcoulombs, seconds = kit.PROPOSED[region]
    assert limit.amplitude_ua.value == min(130_000, milliamps * 1000, ceiling, ua)
    assert limit.pulse_width_us.value == min(4095, width_us, width)
    assert limit.period_us_min.value == max(500, 20_000, period)
    assert limit.on_ms.value == min(seconds * 1000, on_ms)
    assert limit.charge_nc.value == microcoulombs * 1000
    assert limit.pad_area_mm2 == min(2500, pad)


@given(
    region=st.sampled_from(["hand", "forearm", "upper_arm", "lower_leg", "thigh"]),
    pad=st.sampled_from([100, 200, 400, 900, 2500, 30_000]),
    width=st.integers(10, 300),
    period=st.integers(40, 200).map(lambda n: 500 * n),
)
def test_reach_is_the_last_step_that_the_guard_admits(kit, region, pad, width, period):
    rig = kit.Rig(region, pad_mm2=pad)
    best = reach(rig.guard.limit(1, ArmScope.SESSION), width, period, 500)
    assert best.value % 500 == 0
    pulse_rules = {"G11", "G14", "G15", "G16"}
    assert rig.verdict(kit.pulse(best.value, 1, width, period)) not in pulse_rules
    assert rig.verdict(kit.pulse(best.value + 500, 1, width, period)) in pulse_rules


def test_power_is_exact_at_its_bound():
    # 100 cm2, half of it: 5 W into 500 ohm is 10 000 mA^2, 1e10 uA^2 x 20000 us.
    assert limits.power_holds(10**10 * 20_000, 20_000, 10_000)
    assert not limits.power_holds(10**10 * 20_000 + 1, 20_000, 10_000)


def test_on_a_tie_the_earlier_source_is_named(guard):
    assert prescribe(guard, ceiling=45_000) == ""
    assert constrain(guard, ua=45_000, width=350, period=20_000, on_ms=12_000) == ""
    limit = guard.limit(1, ArmScope.SESSION)
    for bound in (limit.amplitude_ua, limit.pulse_width_us, limit.period_us_min, limit.on_ms):
        assert bound.source == "forearm cap"


def test_reach_names_what_binds(kit):
    def binding(region, pad, width):
        return reach(kit.Rig(region, pad_mm2=pad).guard.limit(1, ArmScope.SESSION), width, 20_000, 500).source

    assert binding("forearm", 100, 300) == "current density of the pad"
    assert binding("forearm", 2500, 350) == "charge per phase, forearm cap"
    assert binding("forearm", 2500, 100) == "forearm cap"


def test_prescriptions_that_are_refused(guard, kit):
    assert prescribe(guard, armed=True) == "P01"
    assert prescribe(guard, armed=None) == "P01"
    for changes in (
        {"channel": 0},
        {"channel": 9},
        {"channel": True},
        {"region": "neck"},
        {"pad": 99},
        {"pad": 30_001},
        {"pad": 2500.0},
    ):
        assert prescribe(guard, **changes) == "P02", changes
    for changes in (
        {"ceiling": -1},
        {"ceiling": 45_001},
        {"ceiling": 18_000.0},
        {"motor": -1},
        {"motor": True},
        {"motor": 45_001},
    ):
        assert prescribe(guard, **changes) == "P03", changes
    assert prescribe(guard, ceiling=45_000) == ""
    guard.arm(ArmScope.SESSION, 0)
    assert prescribe(guard) == "P01"
    guard.disarm(1)
    assert prescribe(guard) == ""


def test_the_ceiling_only_falls(guard):
    assert prescribe(guard, ceiling=0) == ""
    assert prescribe(guard, ceiling=18_000) == ""
    assert prescribe(guard, ceiling=18_500) == "P04"
    assert prescribe(guard, ceiling=15_000) == ""
    assert prescribe(guard, ceiling=15_000) == ""
    assert prescribe(guard, ceiling=18_000) == "P04"
    assert prescribe(guard, ceiling=0) == ""
    assert guard.limit(1, ArmScope.SESSION).amplitude_ua.value == 0
    assert prescribe(guard, ceiling=15_500) == "P04"  # 0 does not make it forget
    assert prescribe(guard, patient="P-002", ceiling=20_000) == ""
    assert prescribe(guard, ceiling=18_000) == "P04"
    assert prescribe(guard, ceiling=18_000, pad=2600) == "P04"  # another pad is no other muscle
    assert prescribe(guard, ceiling=18_000, date="2026-01-06") == ""
    assert prescribe(guard, ceiling=18_000, channel=2) == ""


def test_prescriptions_are_bounded(guard):
    for number in range(1000):
        assert prescribe(guard, patient=f"P-{number}") == ""
    assert prescribe(guard, patient="P-1000") == "P05"


def test_constraints_that_are_refused(guard):
    assert constrain(guard, channel=9) == "C01"
    assert constrain(guard, region="neck") == "C01"
    assert constrain(guard, pad=0) == "C01"
    for name in ("ua", "width", "period", "on_ms"):
        for bad in (-1, 1.0, True):
            assert constrain(guard, **{name: bad}) == "C02"
    assert constrain(guard, ua=0, width=0, period=0, on_ms=0) == ""
    assert prescribe(guard) == ""
    assert constrain(guard, region="hand") == "C03"


def test_while_armed_a_protocol_only_narrows(guard):
    assert prescribe(guard) == ""
    assert constrain(guard) == ""
    guard.arm(ArmScope.SESSION, 0)
    assert constrain(guard) == ""
    for wider in ({"ua": 16_500}, {"width": 301}, {"period": 28_500}, {"on_ms": 6001}, {"pad": 2501}):
        assert constrain(guard, **wider) == "C04"
    assert constrain(guard, ua=10_000, width=200, period=40_000, on_ms=1000, pad=2000) == ""
    assert constrain(guard) == "C04"
    assert guard.limit(1, ArmScope.SESSION).amplitude_ua == Bound(10_000, "protocol")
    guard.disarm(1)
    assert constrain(guard) == ""


def test_a_protocol_for_another_region_makes_the_channel_unusable(guard, kit):
    assert constrain(guard, region="hand") == ""
    assert prescribe(guard) == ""
    assert guard.limit(1, ArmScope.SESSION) is None
    assert guard.limit(1, ArmScope.FITTING) is not None
    guard.arm(ArmScope.SESSION, 0)
    rig = kit.Rig()
    rig.guard, rig.now_ns = guard, 20 * kit.MS
    assert rig.verdict(kit.pulse()) == "G07"


def test_the_unit_s_last_channel_is_one_of_its_channels(kit):
    rig = kit.Rig()
    rig.guard.disarm(rig.now_ns)
    assert prescribe(rig.guard, channel=8) == ""
    rig.guard._memory.identified = {8}
    rig.guard._memory.fitted = {8: kit.pulse().waveform}
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    assert rig.verdict(kit.pulse(channel=8)) == ""


def test_a_narrowed_limit_counts_at_once(kit):
    rig = kit.Rig()
    assert rig.ramp(10_000) == ""
    rig.wait(20)
    assert constrain(rig.guard, ua=9500) == ""
    assert rig.verdict(kit.pulse(10_000)) == "G11"


def test_trail_forgets_what_can_never_be_lowest(kit):
    trail = Trail()
    for at, ua in enumerate([500, 1000, 1500, 2000, 500, 1000]):
        trail.change(at * kit.MS, ua)
    assert trail.past == [(0, 0), (5 * kit.MS, 500)]
    assert trail.lowest(19 * kit.MS) == 0
    assert trail.lowest(20 * kit.MS) == 500
    assert trail.lowest(25 * kit.MS) == 1000
    assert (Dose().bursts, Dose().on_ns) == (0, 0)
