"""The checkers at skin and joint: they see what they should, excuse what physics alone does, and hold our limits."""

import pytest

from safety import joint_limits
from safety import limits as guards
from sim import checker_limits as own
from sim.checker_course import Armed, Body, Course, Event, Kind, Span, Train, bursts_of, trains_of
from sim.checkers import judge, permission, unprompted
from sim.joint_checker import JointWitness, WatchedWrist, runs_of

pytestmark = pytest.mark.hazard("H12", "H15", "H18", "H21", "H26", "H27", "H33")
MS, SECOND = 1_000_000, 1_000_000_000
BODY = Body({1: "forearm"}, {1: 2_500}, {1: 20_000})
PERIOD_US = 29_000


def train(start_ms, pulses, amplitude_ua=2_000, width_us=250, period_us=PERIOD_US, channel=1, net_pc=0):
    start_ns = start_ms * MS
    end_ns = start_ns + (pulses - 1) * period_us * 1_000
    return Train(start_ns, end_ns, channel, pulses, amplitude_ua, width_us, period_us, amplitude_ua * width_us, net_pc)


def course(**more):
    return Course(armed=[Armed(0, "session")], **more)


def rules(trains, of_course=None, body=BODY):
    return {violation.rule for violation in judge(trains, body, of_course or course())}


def test_the_checkers_own_caps_are_those_of_the_guard():
    assert set(own.REGIONS) == {str(region) for region in guards.CAPS}
    for region, cap in guards.CAPS.items():
        mine = own.REGIONS[str(region)]
        assert mine[:5] == (
            cap.amplitude_ua,
            cap.pulse_width_us,
            cap.period_us_min,
            cap.charge_nc * 1000,
            cap.on_ms * MS,
        )
    assert own.DENSITY_UA_PER_CM2.value == guards.DENSITY_UA_PER_CM2_MAX
    assert own.POWER_UW_PER_CM2.value == guards.POWER_UW_PER_CM2_MAX
    assert own.DERATING.value == guards.PAD_DERATING
    assert own.LOAD_OHM.value == guards.LOAD_OHM
    assert own.CHANNELS_AT_ONCE.value == guards.CHANNELS_ACTIVE_MAX
    assert (own.RISE_UA.value, own.RISE_NS.value) == (guards.SLEW_UA_MAX, guards.SLEW_WINDOW_NS)
    assert own.REST_NS.value == guards.REST_NS_MIN
    assert (own.BURSTS_A_DAY.value, own.ON_NS_A_DAY.value) == (guards.BURSTS_MAX, guards.STIMULATED_NS_MAX)
    assert (own.BURSTS_A_MINUTE.value, own.MINUTE_NS) == (guards.BURSTS_A_MINUTE_MAX, guards.MINUTE_NS)
    assert (own.DUTY_NS.value, own.DUTY_WINDOW_NS) == (guards.DUTY_NS_MAX, guards.DUTY_WINDOW_NS)
    assert own.FITTING_ON_NS.value == guards.TRAIN_MS_MAX * MS


def test_the_checkers_own_caps_of_the_joint_are_those_of_the_guard():
    assert set(own.JOINTS) == {str(region) for region in joint_limits.JOINT_CAPS}
    for region, cap in joint_limits.JOINT_CAPS.items():
        mine = own.JOINTS[str(region)]
        assert mine[:3] == (cap.speed_cdps, cap.torque_mnm, cap.torque_rise_mnm)
        assert mine[3:7] == (cap.angle_min_cdeg, cap.angle_max_cdeg, cap.on_ms * MS, cap.crowd)
    assert own.MOVEMENT_REST_NS.value == joint_limits.MOTION_REST_NS_MIN


def test_every_limit_names_its_source():
    named = [*own.REGIONS.values(), *own.JOINTS.values()]
    named += [value for value in vars(own).values() if isinstance(value, own.Figure)]
    assert len(named) > 20
    assert all(len(entry.source) > 5 for entry in named)


def test_a_burst_within_all_limits_is_good():
    assert rules([train(0, 2), train(58, 60, 4_000), train(1_798, 20, 6_000)]) == set()


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (train(0, 5, 46_000), "amplitude"),
        (train(0, 5, 21_000), "amplitude"),
        (train(0, 5, width_us=400), "width"),
        (train(0, 50, period_us=15_000), "frequency"),
        (train(0, 5, 44_000, 349), "charge"),
        (train(0, 5, net_pc=1), "net charge"),
        (train(0, 5, channel=3), "channel"),
        (train(0, 5, 2_500), "rise"),
        (train(0, 430, 2_000), "on-time"),
    ],
)
def test_what_is_over_a_limit_is_seen(bad, rule):
    assert rule in rules([bad])


def test_density_and_power_are_reckoned_on_half_of_the_pad():
    assert "density" in rules([train(0, 5, 2_000, 250, 20_000)], body=Body({1: "forearm"}, {1: 25}, {1: 20_000}))
    assert "density" not in rules([train(0, 5, 2_000, 250, 20_000)], body=Body({1: "forearm"}, {1: 60}, {1: 20_000}))
    assert "power" in rules([train(0, 5, 40_000, 350, 20_000)], body=Body({1: "forearm"}, {1: 10}, {1: 45_000}))


def test_a_rise_is_seen_from_pulse_to_pulse_and_from_nothing():
    assert rules([train(0, 2), train(58, 2, 6_500)]) == {"rise"}
    assert rules([train(0, 2), train(58, 2, 6_000)]) == set()
    assert "rise" in rules([train(0, 2), train(4_000, 2, 4_000)])


def test_pulses_that_grow_wider_while_current_flows_are_seen():
    assert rules([train(0, 2), train(58, 2, width_us=251)]) == {"wider"}
    assert rules([train(0, 2), train(58, 2, width_us=249)]) == set()
    assert rules([train(0, 2), train(4_000, 2, width_us=251)]) == set()


def test_a_rest_that_is_too_short_is_seen_and_one_that_a_loose_pad_made_is_not():
    two = [train(0, 100), train(4_000, 10)]
    assert rules(two) == {"rest"}
    assert rules(two, course(loose=[(1, 2_000 * MS, 5_000 * MS)])) == set()
    assert rules([train(0, 100), train(4_900, 10)]) == set()
    assert rules([train(0, 300), train(11_000, 10)]) == {"rest"}  # half of 8.7 s


def test_twenty_one_bursts_in_a_minute_are_seen():
    """Each rests its 2 s, or nearly: that is for another rule."""
    crowd = [train(2_800 * number, 15) for number in range(21)]
    assert rules(crowd) == {"crowd"}
    assert rules(crowd[:20]) == set()
    assert rules(crowd, course(stepped_ns=[3 * SECOND])) == set()
    assert rules(crowd, course(loose=[(1, 5_600 * MS, 5_700 * MS)])) == set()  # the pad broke one burst in two
    assert rules([train(3_000 * number, 15) for number in range(21)]) == set()


def test_more_than_half_of_ten_minutes_is_seen():
    """Bursts of 10 s with 8 s of rest: 326 s of ten minutes."""
    long = [train(18_000 * number, 345) for number in range(40)]
    assert rules(long) == {"duty"}
    assert rules(long[:29]) == set()
    assert rules(long[:31], course(stepped_ns=[9 * SECOND])) == set()
    assert rules([train(20_100 * number, 345) for number in range(40)]) == set()


def test_five_channels_at_once_and_the_dose_of_a_day_are_seen():
    body = Body(
        dict.fromkeys(range(1, 6), "forearm"), dict.fromkeys(range(1, 6), 2_500), dict.fromkeys(range(1, 6), 20_000)
    )
    assert "channels" in rules([train(0, 5, channel=channel) for channel in range(1, 6)], body=body)
    assert "dose" in rules([train(3_000 * number, 2) for number in range(1_201)])


def test_current_before_anybody_armed_is_seen():
    assert rules([train(0, 2)], Course(armed=[Armed(30 * MS, "session")])) == {"not armed"}
    assert rules([train(0, 2)], Course()) >= {"not armed"}


def stop(at_ms, bound_ms=250, kind=Kind.STOP, until_ms=0, session=False):
    return Event(kind, at_ms * MS, until_ms * MS, bound_ms * MS, bound_ms * MS, "a fault", session)


@pytest.mark.parametrize(("at_ms", "seen"), [(100, True), (1_100, True), (1_210, False), (2_000, False)])
def test_current_after_the_bound_of_a_stop_is_seen(at_ms, seen):
    """The train ends at 1.45 s."""
    found = rules([train(0, 51)], course(events=[stop(at_ms)]))
    assert found == ({"stop"} if seen else set())


def test_after_a_stop_a_person_has_to_arm_first():
    trains = [train(0, 4), train(5_000, 4)]
    events = [stop(50)]
    assert rules(trains, course(events=events)) == {"stop"}
    again = Course(armed=[Armed(0, "session"), Armed(4_000 * MS, "session")], events=events)
    assert rules(trains, again) == set()


def test_where_software_cannot_act_the_watchdog_has_the_last_word():
    slow = course(events=[stop(100)], untrusted=[(90 * MS, 200 * MS)], slow_ns=1_300 * MS)
    assert rules([train(0, 45)], slow) == set()
    assert rules([train(0, 55)], slow) == {"stop"}


def test_an_event_that_counts_only_while_current_flows():
    events = [stop(100, kind=Kind.IF_FLOWING)]
    assert rules([train(0, 51)], course(events=events)) == {"stop"}
    assert rules([train(200, 51)], course(events=events)) == set()


def test_a_dark_time_ends_with_its_event_and_may_be_for_sessions_alone():
    dark = [stop(100, kind=Kind.DARK, until_ms=2_000)]
    assert rules([train(1_000, 5)], course(events=dark)) == {"stop"}
    assert rules([train(2_100, 5)], course(events=dark)) == set()
    fitting = Course(armed=[Armed(0, "fitting")], events=[stop(100, kind=Kind.DARK, until_ms=2_000, session=True)])
    assert rules([train(1_000, 5)], fitting) == set()


def test_bursts_without_an_attempt_are_counted_apart():
    bursts = bursts_of([Span(0, SECOND), Span(1_100 * MS, 2 * SECOND), Span(9 * SECOND, 10 * SECOND)])
    assert [burst.start_ns for burst in bursts] == [0, 9 * SECOND]
    assert unprompted(bursts, [(0, 500 * MS)], course(), SECOND) == 1


def test_a_train_of_the_log_keeps_its_charges():
    entry = {"kind": "train", "t_start_ns": 5, "t_end_ns": 9, "channel": 1, "pulses": 4, "amplitude_ua": 2_000}
    entry |= {"width_us": 250, "period_us": 1, "charge_nc": 2.0, "net_nc": 0.4}
    assert trains_of([{"kind": "state"}, entry]) == [Train(5, 9, 1, 4, 2_000, 250, 1, 500, 100)]


# -- the joint ---------------------------------------------------------------------------------------------------------


def felt(*pushes, gear=(), driven=(), passive=lambda angle_deg: 0.0, **more):
    witness = JointWitness("wrist", 1_200, (-55.0, 50.0), passive)
    for t_ms, torque_nm, angle_deg, speed_dps in pushes:
        witness.push(t_ms * MS, torque_nm, angle_deg, speed_dps)
    return {violation.rule for violation in witness.judge(Course(armed=[Armed(0, "session")], **more), gear, driven)}


def soft(most_nm, until_ms, angle_deg=0.0, speed_dps=10.0):
    """Torque that rises by 100 mNm each 20 ms and stays."""
    return [(5 * n, min(most_nm, 0.1 * (n // 4)), angle_deg, speed_dps) for n in range(until_ms // 5)]


def test_torque_within_all_limits_is_good():
    assert felt(*soft(1.2, 5_000)) == set()


def test_what_is_too_much_at_the_joint_is_seen():
    assert felt(*soft(1.4, 2_000)) == {"torque"}
    assert felt((0, 0.9, 0.0, 0.0), (5, 0.9, 0.0, 0.0)) == {"torque rise"}
    assert felt(*soft(0.8, 1_000, angle_deg=52.0)) == {"angle"}
    assert felt(*soft(0.8, 1_000, speed_dps=80.0)) == {"speed"}
    assert felt(*soft(1.0, 10_500)) == {"movement"}


def test_what_only_bears_a_limb_that_somebody_else_moves_does_not_drive_it():
    fast = soft(0.8, 1_000, angle_deg=20.0, speed_dps=80.0)
    assert felt(*fast, passive=lambda angle_deg: -0.8 if angle_deg == 20.0 else 0.0) == set()
    assert felt(*fast, passive=lambda _: -0.77) == {"speed"}  # as a motor does that moves it so fast by itself
    assert felt(*fast, passive=lambda _: 0.8) == {"speed"}
    down = [(t_ms, -torque, angle, speed) for t_ms, torque, angle, speed in soft(0.8, 1_000, 20.0, -80.0)]
    assert felt(*down, passive=lambda _: -0.8) == {"speed"}
    assert felt(*down, passive=lambda _: 0.8) == set()


def test_the_limb_of_a_watched_person_weighs_what_it_weighs():
    person = WatchedWrist(1)
    assert person.passive(person.angle_deg) == pytest.approx(0.0, abs=1e-6)  # it hangs at rest
    assert person.passive(30.0) < -0.5


def test_what_a_jammed_gear_holds_is_not_the_motors():
    after = {"events": [stop(500)], "gear": [(400 * MS, 3_000 * MS)]}
    assert felt(*soft(1.0, 2_000), **after) == set()
    assert felt(*soft(1.0, 2_000), **after, driven=[Span(0, 450 * MS)]) == set()
    assert felt(*soft(1.0, 2_000), **after, driven=[Span(0, 800 * MS)]) == {"stop"}
    assert felt(*soft(1.0, 4_000), **after) == {"stop"}  # the gear was well again by then
    assert felt(*soft(1.0, 12_000), gear=[(1_000 * MS, 11_000 * MS)]) == set()
    assert felt(*soft(1.0, 12_000), gear=[(1_000 * MS, 11_000 * MS)], driven=[Span(0, 12_000 * MS)]) == {"movement"}


def test_the_runs_of_a_motor():
    run = {"kind": "torque", "t_start_ns": 5, "t_end_ns": 9, "from_cdeg": 0, "to_cdeg": 1}
    assert runs_of([{"kind": "train"}, run | {"peak_mnm": 20}, run | {"peak_mnm": 19}]) == [Span(5, 9)]


def test_torque_after_a_stop_is_seen():
    assert felt(*soft(1.0, 1_000), events=[stop(500)]) == {"stop"}
    assert felt(*soft(1.0, 600), events=[stop(500)]) == set()
    assert permission([Span(0, SECOND)], Course(), "torque")[0].rule == "not armed"
