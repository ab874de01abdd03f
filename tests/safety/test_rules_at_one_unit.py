"""Rules of the body asked alone, one unit beside their bounds (1 uA, 1 ns), and what the guard's memory begins with.

An order through the guard moves on a unit's grid and in milliseconds; a bound that is off by one is seen here only.
"""

from dataclasses import replace

import pytest

from safety import body_rules
from safety.body_rules import Wanted
from safety.guard import Guard
from safety.limits import DUTY_NS_MAX, DUTY_WINDOW_NS, Prescription, Region, channel_limit
from safety.memory import Memory, Trail, Vetted
from safety.orders import ArmScope, Deliver, Purpose, Renew
from safety.stimulus import Waveform

pytestmark = pytest.mark.hazard("H12", "H28")
MS = 1_000_000
NOW_NS = 1_000 * MS


@pytest.fixture
def memory(kit):
    memory = Memory(kit.UNIT)
    memory.scope, memory.armed_ns, memory.last_now_ns = ArmScope.SESSION, 0, 0
    return memory


@pytest.fixture
def fitting(memory):
    memory.scope = ArmScope.FITTING
    memory.fitting.pressed, memory.fitting.pressed_ns = 1, NOW_NS
    return memory


def carrying(ua):
    trail = Trail()
    trail.amount = ua
    return trail


def vetted(kit, ua=2_000, channel=1, busy_us=460, period_us=30_000, motor_ua=0):
    given = Prescription(channel, Region.FOREARM, 2_500, 10_000, motor_ua, "P-1", kit.DAY)
    limit = channel_limit(kit.UNIT, given, None, ArmScope.SESSION)
    return Vetted(channel, ua, busy_us, Waveform(100, 0, period_us), 12_000, limit)


def wanted(memory, *trains, **changes):
    fields = {"seq": 1, "stamp_ns": NOW_NS, "expires_ns": NOW_NS + 100 * MS, "purpose": Purpose.ASSIST, "trains": ()}
    order = Deliver(**(fields | {"press": 1, "sensor_ns": NOW_NS} | changes))
    return Wanted(memory, order, NOW_NS, list(trains), 12_000, order.purpose)


# -- the body ----------------------------------------------------------------------------------------------------------


def test_a_channel_is_active_from_one_microampere_on(kit, memory):
    four = [vetted(kit, 1, channel) for channel in (1, 2, 3, 4)]
    assert body_rules.g17_channels(wanted(memory, *four)) is None
    assert body_rules.g17_channels(wanted(memory, *four, vetted(kit, 0, 5))) is None
    assert body_rules.g17_channels(wanted(memory, *four, vetted(kit, 1, 5))) is not None
    assert body_rules.g17_channels(wanted(memory)) is None
    twice = "A channel is named twice."
    assert body_rules.g17_channels(wanted(memory, vetted(kit, 0), vetted(kit, 0))) == twice


@pytest.mark.parametrize(
    ("busy", "fits"),
    [
        ((), True),
        ((0,), True),
        ((99,), True),
        ((100,), False),
        ((101,), False),
        ((-1,), False),
        ((50, 49), True),
        ((50, 50), False),
        ((30, 30, 39), True),
        ((30, 30, 40), False),
    ],
)
def test_the_unit_s_time_is_never_used_up(kit, memory, busy, fits):
    trains = [vetted(kit, channel=at + 1, busy_us=us, period_us=100) for at, us in enumerate(busy)]
    assert (body_rules.g18_duty(wanted(memory, *trains)) is None) is fits


def test_periods_that_differ_share_the_unit_s_time(kit, memory):
    half = vetted(kit, busy_us=100, period_us=200)
    rest = vetted(kit, channel=2, busy_us=149, period_us=300)
    assert body_rules.g18_duty(wanted(memory, half, rest)) is None
    says = body_rules.g18_duty(wanted(memory, half, rest._replace(busy_us=151)))
    assert says == "The unit would be busy 1003 us of each ms; it must stay under 1000."


def test_a_slot_longer_than_the_period_fits_no_channel_of_a_module(kit):
    slots = Memory(replace(kit.UNIT, slot_us=10_000, slot_channels=4))
    for channel in range(1, 9):
        for ua, period_us, fits in ((1, 10_000, True), (1, 9_999, False), (0, 9_999, True)):
            train = vetted(kit, ua, channel, period_us=period_us)
            assert (body_rules.g18_duty(wanted(slots, train)) is None) is fits, (channel, ua, period_us)
    fourth, fifth = vetted(kit, 1, 4, period_us=10_000), vetted(kit, 1, 5, period_us=10_000)
    assert body_rules.g18_duty(wanted(slots, fourth, fifth)) is None  # of two modules
    assert "need 20000 us" in body_rules.g18_duty(wanted(slots, fourth, vetted(kit, 1, 1, period_us=10_000)))


def test_a_channel_that_was_off_rises_from_nothing(kit, memory):
    assert body_rules.g19_slew(wanted(memory, vetted(kit, 2_000))) is None
    says = body_rules.g19_slew(wanted(memory, vetted(kit, 2_001)))
    assert says == "Channel 1 would rise 2001 uA in 20 ms; 2000 are allowed."


def test_a_burst_ends_at_its_very_time(kit, memory):
    memory.live = True
    for begun_ns, holds in ((NOW_NS - 12_000 * MS - 1, False), (NOW_NS - 12_000 * MS, True), (NOW_NS, True)):
        memory.burst_from_ns = begun_ns
        assert (body_rules.g20_on_time(wanted(memory, vetted(kit))) is None) is holds, begun_ns
    memory.burst_from_ns = NOW_NS + 1
    assert body_rules.g20_on_time(wanted(memory, vetted(kit))) is not None


def test_a_sample_from_the_future_is_none(kit, memory):
    for sensor_ns, holds in ((NOW_NS + 1, False), (NOW_NS, True), (NOW_NS - 100 * MS, True)):
        assert (body_rules.g25_sensor(wanted(memory, sensor_ns=sensor_ns)) is None) is holds
    says = body_rules.g25_sensor(wanted(memory, sensor_ns=NOW_NS - 100 * MS - 1))
    assert says == "The puck's newest sample was 100 ms old; at most 100 ms are allowed."


def test_a_key_press_counts_for_a_second_and_not_before_it_was(kit, fitting):
    assert body_rules.g26_press(wanted(fitting, vetted(kit))) is None
    for pressed_ns, holds in ((NOW_NS + 1, False), (NOW_NS - 1_000 * MS, True), (NOW_NS - 1_000 * MS - 1, False)):
        fitting.fitting.pressed_ns = pressed_ns
        assert (body_rules.g26_press(wanted(fitting, vetted(kit))) is None) is holds
    assert body_rules.g26_press(wanted(fitting)) == "Fitting works on one channel at a time, not on 0."


@pytest.mark.parametrize(
    ("motor_ua", "level_ua", "most_ua"),
    [(0, 0, 500), (0, 3_000, 3_500), (1, 0, 500), (1, 1, 1_001), (3_000, 2_999, 3_499), (3_000, 3_000, 4_000)],
)
def test_a_press_earns_one_step_from_the_level_that_was_reached(kit, fitting, motor_ua, level_ua, most_ua):
    if level_ua:
        fitting.fitting.levels[1] = level_ua
        fitting.fitting.waveforms[1] = vetted(kit).waveform
    assert body_rules.g27_step(wanted(fitting, vetted(kit, most_ua, motor_ua=motor_ua))) is None
    says = body_rules.g27_step(wanted(fitting, vetted(kit, most_ua + 1, motor_ua=motor_ua)))
    assert says == f"{most_ua + 1} uA is more than one step up: {most_ua} uA are allowed now."
    fitting.fitting.raised_ns = NOW_NS - 300 * MS + 1
    says = body_rules.g27_step(wanted(fitting, vetted(kit, most_ua, motor_ua=motor_ua)))
    assert says == "The last increase was 299 ms ago; wait 300 ms."
    assert body_rules.g27_step(wanted(fitting, vetted(kit, level_ua, motor_ua=motor_ua))) is None
    fitting.fitting.raised_ns -= 1
    assert body_rules.g27_step(wanted(fitting, vetted(kit, most_ua, motor_ua=motor_ua))) is None


def test_a_muscle_against_the_movement_is_not_switched_on(kit, memory):
    memory.assisted_sign, memory.channel_signs = 1, {1: -1}
    against = "Channel 1 would work against the movement that the orthosis is making."
    assert body_rules.g28_antagonist(wanted(memory, vetted(kit, 1))) == against
    assert body_rules.g28_antagonist(wanted(memory, vetted(kit, 0))) is None
    memory.trails[1] = carrying(0)  # named, and without current
    assert body_rules.g28_antagonist(wanted(memory, vetted(kit, 1))) == against
    memory.trails[1] = carrying(1)  # on already
    assert body_rules.g28_antagonist(wanted(memory, vetted(kit, 1))) is None


def test_the_duty_that_is_named_is_the_one_that_is_kept(memory):
    memory.dose.spent_until_ns = NOW_NS + 3_000 * MS
    says = body_rules.g32_duty(wanted(memory))
    assert says == (
        f"The muscles have had their {DUTY_NS_MAX // (1_000 * MS)} s in {DUTY_WINDOW_NS // (1_000 * MS)} s of current; "
        "the next burst may begin in 3000 ms."
    )


def test_one_microampere_needs_a_channel_that_was_identified(kit, memory):
    assert body_rules.g33_identified(wanted(memory, vetted(kit, 0))) is None
    assert body_rules.g33_identified(wanted(memory, vetted(kit, 1))) is not None
    memory.identified.add(1)
    assert body_rules.g33_identified(wanted(memory, vetted(kit, 1))) is None


def test_a_renewal_fits_whatever_the_unit_does(kit, memory):
    order = Renew(1, NOW_NS, NOW_NS + 100 * MS, NOW_NS)
    assert body_rules.g18_duty(Wanted(memory, order, NOW_NS, [], 12_000, Purpose.ASSIST)) is None


# -- what the guard begins with, and keeps -----------------------------------------------------------------------------


def test_tickets_are_numbered_from_one_and_a_new_sender_from_nought(kit):
    rig = kit.Rig()
    assert rig.verdict(kit.pulse(), seq=-1) == "G02"
    rig.now_ns = rig.guard.rest_until_ns or rig.now_ns
    tickets = [rig.deliver(kit.pulse(), seq=seq) for seq in (0, 1)]
    assert [ticket.serial for ticket in tickets] == [1, 2]
    assert Guard(kit.UNIT).admit(tickets[0].order, rig.now_ns, kit.GOOD).rule == "G06"


def test_who_is_armed_anew_is_a_new_sender_with_another_purpose(kit):
    rig = kit.Rig()
    assert rig.verdict(kit.pulse(), seq=7) == ""
    assert rig.guard._memory.purpose is Purpose.ASSIST
    rig.guard.arm(ArmScope.FITTING, rig.now_ns)
    assert not rig.guard.delivering
    early = rig.renew(seq=0)  # nothing is on; were the purpose still that of the session, this would latch
    assert (early.rule, early.latches) == ("G21", False)
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    rig.now_ns = rig.guard.rest_until_ns
    assert rig.verdict(kit.pulse(), seq=0) == ""


def test_an_order_that_was_refused_has_been_seen(kit):
    rig = kit.Rig()
    assert rig.verdict(kit.pulse(99_000), seq=7) != ""
    assert rig.verdict(kit.pulse(), seq=7) == "G02"
    ticket = rig.deliver(kit.pulse(), seq=8)
    assert ticket.order.seq == 8
    off = rig.deliver(kit.pulse(0), seq=9)
    assert (off.serial, off.order.seq) == (2, 9)
    assert rig.verdict(kit.pulse(), seq=9) == "G02"


def test_a_renewal_before_any_order_is_judged_as_help_that_needs_the_puck(kit):
    rig = kit.Rig()
    memory = rig.guard._memory
    memory.live, memory.burst_from_ns, memory.last_now_ns, memory.on_ms = True, rig.now_ns, rig.now_ns, 1_000
    memory.lease_until_ns = rig.now_ns + MS
    assert kit.rule_of(rig.renew(sensor_ns=0)) == "G25"


def test_a_train_that_was_looked_through_once_is_known_again(kit):
    rig = kit.Rig()
    train = kit.pulse()
    assert rig.verdict(train) == ""
    assert rig.guard._memory.exact == {id(train): train}


def test_any_rest_begins_anew_when_the_clock_jumped(kit):
    rig = kit.JointRig()
    memory, joint = rig.guard._memory, rig.guard._joint.memory
    memory.rest_until_ns = joint.rest_until_ns = 1
    rig.guard.rest_anew(rig.now_ns)
    assert memory.rest_until_ns == rig.now_ns + 7_560 * MS
    assert joint.rest_until_ns == rig.now_ns + 10_000 * MS
    memory.rest_until_ns = joint.rest_until_ns = 0
    rig.guard.rest_anew(rig.now_ns)
    assert memory.rest_until_ns == joint.rest_until_ns == 0


def test_an_orthosis_that_never_reported_does_not_move(kit):
    rig = kit.JointRig()
    guard = Guard(kit.UNIT, kit.MOTOR)
    assert guard.prescribe_joint("wrist", "left", -6_300, 6_300, 1_500, "P-001", kit.DAY, armed=False) is None
    kit.seat(guard)
    guard.arm(ArmScope.SESSION, rig.now_ns)
    ticket = rig.assist()
    assert guard.admit(ticket.order, rig.now_ns, kit.GOOD).rule == "J11"
