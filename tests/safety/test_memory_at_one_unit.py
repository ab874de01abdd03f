"""What the guard remembers and reckons with, one unit beside its bounds (1 uA, 1 ns), without a guard around it."""

from dataclasses import replace

import pytest

from safety import limits
from safety.limits import Bound, Prescription, ProtocolLimit, Region, channel_limit, fitting_step_ua, least, most, reach
from safety.memory import Dose, Fitting, Memory, Trail, Vetted
from safety.orders import ArmScope, Deliver, Purpose
from safety.stimulus import Waveform

pytestmark = pytest.mark.hazard("H12", "H17", "H28")
MS = 1_000_000
SECOND = 1_000 * MS
NOW_NS = 10_000 * SECOND
LONG_AGO_NS = -1_000 * SECOND
WAVEFORM = Waveform(250, 100, 29_000)


def limit_of(kit, region=Region.FOREARM, pad_mm2=2_500, ceiling_ua=200_000, unit=None):
    given = Prescription(1, region, pad_mm2, ceiling_ua, 0, "P-1", kit.DAY)
    return channel_limit(unit or kit.UNIT, given, None, ArmScope.SESSION)


def vetted(kit, ua=2_000, channel=1, waveform=WAVEFORM):
    return Vetted(channel, ua, 460, waveform, 12_000, limit_of(kit))


def order(purpose=Purpose.ASSIST):
    return Deliver(1, NOW_NS, NOW_NS + 100 * MS, purpose, ())


# -- how strong something was of late ----------------------------------------------------------------------------------


def test_what_has_not_begun_was_nothing():
    assert Trail().lowest(NOW_NS) == 0


def test_the_lowest_of_the_last_20_ms_counts_until_they_are_over():
    trail = Trail()
    trail.change(NOW_NS, 500)
    trail.change(NOW_NS + 5 * MS, 1_500)
    trail.change(NOW_NS + 6 * MS, 1_500)  # no change
    assert trail.past == [(NOW_NS, 0), (NOW_NS + 5 * MS, 500)]
    lowest = [trail.lowest(NOW_NS + at_ns) for at_ns in (20 * MS - 1, 20 * MS, 25 * MS - 1, 25 * MS)]
    assert lowest == [0, 500, 500, 1_500]


def test_what_was_stronger_than_now_is_not_the_lowest():
    trail = Trail()
    trail.change(NOW_NS, 900)
    trail.change(NOW_NS + 20 * MS, 300)
    assert trail.lowest(NOW_NS + 21 * MS) == 300


@pytest.mark.parametrize(("later_ns", "kept"), [(20 * MS - 1, True), (20 * MS, False)])
def test_what_is_older_than_20_ms_is_let_go(later_ns, kept):
    trail = Trail()
    trail.change(NOW_NS, 500)
    trail.change(NOW_NS + later_ns, 700)
    assert trail.past == [*([(NOW_NS, 0)] if kept else []), (NOW_NS + later_ns, 500)]


def test_of_equal_amounts_the_later_one_is_kept():
    trail = Trail()
    for at_ns, ua in enumerate((500, 700, 500, 900)):
        trail.change(NOW_NS + at_ns, ua)
    assert trail.past == [(NOW_NS, 0), (NOW_NS + 3, 500)]


# -- the dose of a day -------------------------------------------------------------------------------------------------


def test_the_twentieth_burst_waits_for_the_end_of_its_minute():
    dose = Dose()
    for number in range(19):
        dose.begin(NOW_NS + number)
    assert (dose.bursts, dose.crowded_until_ns) == (19, 0)
    for number, until_ns in ((19, NOW_NS + 60 * SECOND), (20, NOW_NS + 60 * SECOND + 1)):
        dose.begin(NOW_NS + number)
        assert (dose.bursts, dose.crowded_until_ns, len(dose.begun)) == (number + 1, until_ns, 20)


@pytest.mark.parametrize(("lasted_ns", "on_ns"), [(-5, 0), (-1, 0), (0, 0), (1, 1), (3 * SECOND, 3 * SECOND)])
def test_a_burst_is_booked_to_the_nanosecond_and_never_as_less_than_nothing(lasted_ns, on_ns):
    dose = Dose()
    dose.on_ns = 7
    assert dose.end(NOW_NS, NOW_NS + lasted_ns) == on_ns
    assert (dose.on_ns, dose.spans) == (7 + on_ns, [(NOW_NS, NOW_NS + on_ns)])
    assert (dose.bursts, dose.begun, dose.spent_until_ns) == (0, [], 0)


def test_only_the_last_ten_minutes_are_in_the_window():
    dose = Dose()
    window_ns = NOW_NS - 600 * SECOND
    dose.spans = [(window_ns - 9, window_ns), (window_ns - 5, window_ns + 1), (window_ns + 2, window_ns + 4)]
    dose.end(NOW_NS - 1, NOW_NS)
    assert dose.spans == [(window_ns, window_ns + 1), (window_ns + 2, window_ns + 4), (NOW_NS - 1, NOW_NS)]


LEFT_NS = 300 * SECOND - 15_120 * MS
"""Half of ten minutes, less the longest burst: with so much behind them the muscles may have one more."""


@pytest.mark.parametrize("over_ns", [0, 1, 10])
def test_one_nanosecond_over_half_of_the_window_waits_until_it_has_left(over_ns):
    dose = Dose()
    dose.end(NOW_NS, NOW_NS + LEFT_NS + over_ns)
    assert dose.spent_until_ns == (NOW_NS + over_ns + 600 * SECOND if over_ns else 0)


@pytest.mark.parametrize(
    ("over_ns", "waits_for_ns"),
    [(0, None), (1, NOW_NS + 1), (40, NOW_NS + 40), (41, NOW_NS + 1_001), (50, NOW_NS + 1_010)],
)
def test_the_oldest_bursts_leave_the_window_first(over_ns, waits_for_ns):
    dose = Dose()
    dose.end(NOW_NS, NOW_NS + 40)
    dose.end(NOW_NS + 1_000, NOW_NS + 1_000 + LEFT_NS + over_ns - 40)
    assert dose.spent_until_ns == (0 if waits_for_ns is None else waits_for_ns + 600 * SECOND)


# -- the steps of fitting ----------------------------------------------------------------------------------------------


def state(fitting):
    return (fitting.used, fitting.allowed_ua, fitting.levels, fitting.raised_press, fitting.raised_ns)


def test_before_the_first_press_nothing_is_earned(kit):
    fitting = Fitting()
    assert (fitting.pressed, fitting.pressed_ns) == (0, LONG_AGO_NS)
    assert state(fitting) == (0, 0, {}, 0, LONG_AGO_NS)
    fitting.note(NOW_NS, 0, vetted(kit, 500), 500, 0)
    assert state(fitting) == (0, 0, {1: 500}, 0, LONG_AGO_NS)
    assert fitting.carried == {1}


def test_a_press_earns_one_step_once(kit):
    fitting = Fitting()
    fitting.note(NOW_NS, 1, vetted(kit, 0), 500, 0)
    assert state(fitting) == (1, 500, {1: 0}, 0, LONG_AGO_NS)  # used, and not yet raised: it was not raised by 0 uA
    fitting.note(NOW_NS + 1, 1, vetted(kit, 300), 500, 0)
    assert state(fitting) == (1, 500, {1: 300}, 1, NOW_NS + 1)
    fitting.note(NOW_NS + 2, 1, vetted(kit, 500), 500, 300)
    assert state(fitting) == (1, 500, {1: 500}, 1, NOW_NS + 1)  # the same press: the rest of its step
    fitting.note(NOW_NS + 3, 2, vetted(kit, 500), 1_000, 500)
    assert state(fitting) == (2, 1_500, {1: 500}, 1, NOW_NS + 1)  # as strong as before is no wish for less
    fitting.note(NOW_NS + 4, 2, vetted(kit, 501), 1_000, 500)
    assert state(fitting) == (2, 1_500, {1: 501}, 2, NOW_NS + 4)


def test_a_press_for_less_lowers_the_level(kit):
    fitting = Fitting()
    fitting.note(NOW_NS, 1, vetted(kit, 2_000), 500, 0)
    fitting.note(NOW_NS + 1, 2, vetted(kit, 1_999), 500, 2_000)
    assert state(fitting) == (2, 1_999, {1: 1_999}, 1, NOW_NS)
    fitting.note(NOW_NS + 2, 2, vetted(kit, 1_000), 500, 1_999)  # the ramp down of the same press lowers no more
    assert state(fitting) == (2, 1_999, {1: 1_999}, 1, NOW_NS)


def test_a_level_counts_for_its_waveform_and_until_fitting_begins_again(kit):
    fitting = Fitting()
    fitting.note(NOW_NS, 1, vetted(kit, 700), 500, 0)
    assert fitting.reached_ua(vetted(kit)) == 700
    assert fitting.reached_ua(vetted(kit, channel=2)) == 0
    assert fitting.reached_ua(vetted(kit, waveform=WAVEFORM._replace(pulse_width_us=251))) == 0
    fitting.begin()
    assert state(fitting) == (1, 0, {}, 1, NOW_NS)
    assert fitting.carried == set()
    assert fitting.reached_ua(vetted(kit)) == 0


# -- the memory --------------------------------------------------------------------------------------------------------


def test_a_memory_begins_with_nothing(kit):
    memory = Memory(kit.UNIT)
    assert (memory.live, memory.scope, memory.needed, memory.placed) == (False, None, None, None)
    for known in (memory.channel_signs, memory.limits, memory.vetted, memory.exact, memory.trails):
        assert known == {}
    assert (memory.fitted, memory.waveforms, memory.identified) == ({}, {}, set())
    assert memory.purpose is Purpose.ASSIST  # the purpose that needs most
    assert (memory.last_seq, memory.assisted_sign, memory.on_ms) == (-1, 0, 0)
    assert memory.last_now_ns == memory.last_stamp_ns == memory.armed_ns == LONG_AGO_NS
    assert memory.burst_from_ns == memory.lease_until_ns == memory.rest_until_ns == 0


@pytest.mark.parametrize(("common", "slot_us", "paced"), [(False, 0, False), (True, 0, True), (False, 1, True)])
def test_one_period_or_slots_pace_a_unit(kit, common, slot_us, paced):
    assert Memory(replace(kit.UNIT, common_period=common, slot_us=slot_us)).paced is paced


def test_what_was_found_of_a_channel_is_forgotten_for_that_channel(kit):
    memory = Memory(kit.UNIT)
    memory.identified, memory.fitted = {1, 2}, {1: WAVEFORM, 2: WAVEFORM}
    memory.forget(1)
    memory.forget(3)
    assert (memory.identified, memory.fitted) == ({2}, {2: WAVEFORM})


def test_the_gentlest_of_fitting_is_the_narrowest_and_the_slowest(kit):
    memory = Memory(kit.UNIT)
    for given, gentlest in (
        (Waveform(250, 100, 29_000), (250, 100, 29_000)),
        (Waveform(251, 90, 28_500), (250, 90, 29_000)),
        (Waveform(249, 100, 29_500), (249, 100, 29_500)),
    ):
        memory.fit(vetted(kit, waveform=given))
        assert memory.fitted == {1: gentlest}


@pytest.mark.parametrize(
    ("lasted_ns", "rest_ns"),
    [
        (-1, 2 * SECOND),
        (0, 2 * SECOND),
        (4 * SECOND, 2 * SECOND),
        (4 * SECOND + 1, 2 * SECOND + 1),
        (4 * SECOND + 2, 2 * SECOND + 1),
        (4 * SECOND + 3, 2 * SECOND + 2),
    ],
)
def test_a_rest_lasts_half_of_the_burst_rounded_up_and_2_s_at_least(kit, lasted_ns, rest_ns):
    memory = Memory(kit.UNIT)
    memory.deliver(NOW_NS, order(), [vetted(kit)], 12_000)
    memory.end_burst(NOW_NS + lasted_ns)
    assert memory.rest_until_ns == NOW_NS + lasted_ns + rest_ns
    assert (memory.live, memory.trails, memory.waveforms) == (False, {}, {})
    memory.end_burst(NOW_NS + 60 * SECOND)  # nothing is on
    assert (memory.rest_until_ns, len(memory.dose.spans)) == (NOW_NS + lasted_ns + rest_ns, 1)


def test_a_lease_holds_for_its_last_nanosecond(kit):
    memory = Memory(kit.UNIT)
    memory.deliver(NOW_NS, order(), [vetted(kit)], 12_000)
    memory.lease_until_ns = NOW_NS + 100 * MS
    memory.lapse(NOW_NS + 100 * MS)
    assert memory.live
    memory.lapse(NOW_NS + 100 * MS + 1)
    assert (memory.live, memory.dose.on_ns) == (False, 100 * MS + 1)


def test_what_is_delivered_is_what_is_on(kit):
    memory = Memory(kit.UNIT)
    memory.deliver(NOW_NS, order(Purpose.CYCLIC), [vetted(kit, 1), vetted(kit, 0, 2)], 6_000)
    assert (memory.live, memory.burst_from_ns, memory.purpose, memory.on_ms) == (True, NOW_NS, Purpose.CYCLIC, 6_000)
    assert {channel: trail.amount for channel, trail in memory.trails.items()} == {1: 1, 2: 0}
    assert memory.waveforms == {1: WAVEFORM}
    first = memory.trails[1]
    memory.deliver(NOW_NS + 1, order(), [vetted(kit, 2), vetted(kit, 5, 3)], 12_000)
    assert (memory.burst_from_ns, memory.dose.begun, memory.on_ms) == (NOW_NS, [NOW_NS], 12_000)
    assert memory.trails[1] is first  # its slew is reckoned from what it was
    assert {channel: trail.amount for channel, trail in memory.trails.items()} == {1: 2, 3: 5}
    assert set(memory.waveforms) == {1, 3}


# -- limits ------------------------------------------------------------------------------------------------------------


def test_the_first_of_two_equal_bounds_binds():
    five, also, six = Bound(5, "a"), Bound(5, "b"), Bound(6, "c")
    assert least(five, also) is most(five, also) is five
    assert least(six, five) is least(five, six) is five
    assert most(five, six) is most(six, five) is six


def test_a_train_of_fitting_lasts_3_s_and_a_protocol_shortens_that_of_a_session_only(kit):
    given = Prescription(3, Region.FOREARM, 2_500, 10_000, 4_000, "P-1", kit.DAY)
    protocol = ProtocolLimit(Region.FOREARM, 2_400, 9_000, 200, 40_000, 1_000)
    fitting = channel_limit(kit.UNIT, given, protocol, ArmScope.FITTING)
    assert (fitting.on_ms, fitting.amplitude_ua.value) == (Bound(3_000, "fitting rule"), 45_000)
    limit = channel_limit(kit.UNIT, given, protocol, ArmScope.SESSION)
    assert (limit.channel, limit.scope, limit.region, limit.pad_area_mm2) == (3, "session", "forearm", 2_400)
    assert (limit.ceiling_ua, limit.motor_ua) == (10_000, 4_000)
    assert (limit.on_ms.value, limit.charge_nc) == (1_000, Bound(14_000, "forearm cap"))
    elsewhere = protocol._replace(region=Region.HAND)
    assert channel_limit(kit.UNIT, given, elsewhere, ArmScope.SESSION) is None
    assert channel_limit(kit.UNIT, given, elsewhere, ArmScope.FITTING) == fitting


def test_density_power_and_rms_are_exact_at_their_bounds():
    # 1 cm2, half of it, 2 mA/cm2: 1 mA rms, in uA^2. 3 cm2: 3 mA.
    for pad_mm2, squares in ((100, 1_000 * 1_000), (300, 3_000 * 3_000)):
        assert limits.density_holds(squares * 20_000, 20_000, pad_mm2)
        assert not limits.density_holds(squares * 20_000 + 1, 20_000, pad_mm2)
    # 1 cm2, half of it, 0.1 W/cm2: 50 mW into 500 ohm is 100 mA^2.
    assert limits.power_holds(100_000_000 * 20_000, 20_000, 100)
    assert not limits.power_holds(100_000_000 * 20_000 + 1, 20_000, 100)
    assert limits.rms_holds(25_000 * 25_000 * 7, 7)
    assert not limits.rms_holds(25_000 * 25_000 * 7 + 1, 7)


@pytest.mark.parametrize(
    ("region", "pad_mm2", "width_us", "period_us", "bound"),
    [
        # 9 cm2: 9 mA rms; 9 mA x sqrt(20000 / 500) is 56.92 mA.
        (Region.THIGH, 900, 250, 20_000, Bound(56_920, "current density of the pad")),
        (Region.THIGH, 903, 300, 23_000, Bound(55_908, "current density of the pad")),
        # 25 mA x sqrt(20000 / 900) is 117.85 mA; the region's cap is 100 mA, and 40 uC in 450 us are 88.88 mA.
        (Region.THIGH, 30_000, 450, 20_000, Bound(88_888, "charge per phase, thigh cap")),
        (Region.THIGH, 30_000, 100, 20_000, Bound(100_000, "thigh cap")),
        # 40 uC in 400 us are exactly the region's 100 mA: the cap comes first.
        (Region.THIGH, 30_000, 400, 20_000, Bound(100_000, "thigh cap")),
        # 25 mA x sqrt(3000 / 200) is 96.82 mA: at a rate beyond every cap only.
        (Region.THIGH, 30_000, 100, 3_000, Bound(96_824, "rms current")),
        (Region.THIGH, 30_000, 100, 3_001, Bound(96_840, "rms current")),
    ],
)
def test_reach_is_exact_to_the_microampere(kit, region, pad_mm2, width_us, period_us, bound):
    assert reach(limit_of(kit, region, pad_mm2), width_us, period_us, 1) == bound


def test_reach_keeps_to_the_power_whatever_the_other_caps_become(kit, monkeypatch):
    # Within today's caps density or rms bind before: 0.1 W/cm2 on 50 cm2 is 5 W, in 500 ohm 100 mA rms.
    monkeypatch.setattr(limits, "RMS_UA_MAX", 1_000_000)
    monkeypatch.setattr(limits, "DENSITY_UA_PER_CM2_MAX", 1_000_000)
    limit = limit_of(kit, Region.THIGH, 100)
    assert reach(limit, 100, 800, 1) == Bound(20_000, "power at the pad")  # 50 mW: 10 mA x sqrt(800 / 200)
    assert reach(limit, 100, 801, 1) == Bound(20_012, "power at the pad")
    assert reach(limit, 150, 801, 1) == Bound(16_340, "power at the pad")
    beyond = replace(limit, amplitude_ua=Bound(10**12, "none"), charge_nc=Bound(10**12, "none"))
    assert reach(beyond, 1, 2 * 10**9, 1) == Bound(316_227_766, "power at the pad")  # 10 mA x sqrt(1e9)


def test_reach_goes_down_to_the_unit_s_grid(kit):
    for step_ua, ua in ((1, 56_920), (500, 56_500), (2_000, 56_000), (56_920, 56_920), (56_921, 0)):
        assert reach(limit_of(kit, Region.THIGH, 900), 250, 20_000, step_ua).value == ua


def test_a_step_follows_the_grid_from_the_usual_step_to_2_ma():
    steps = {grid_ua: fitting_step_ua(0, 0, grid_ua) for grid_ua in (1, 499, 500, 501, 2_000, 2_001)}
    assert steps == {1: 500, 499: 500, 500: 500, 501: 501, 2_000: 2_000, 2_001: 500}
    for level_ua, motor_ua, step_ua in ((0, 0, 500), (5, 0, 500), (0, 1, 500), (1, 1, 1_000), (1, 2, 500)):
        assert fitting_step_ua(level_ua, motor_ua, 500) == step_ua, (level_ua, motor_ua)


def test_steps_of_a_coarse_grid_are_farther_apart():
    times_ns = {grid_ua: limits.step_every_ns(grid_ua) for grid_ua in (1, 1_500, 1_501, 2_000)}
    assert times_ns == {1: 300 * MS, 1_500: 300 * MS, 1_501: 300_200_000, 2_000: 400 * MS}
