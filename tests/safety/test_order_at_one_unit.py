"""Rules of the order asked alone, one unit beside their bounds (1 ns), what they say, and what is looked at first.

An order through the guard moves in milliseconds and is stopped by the first rule; what is off by one is seen here only.
"""

import pytest

from safety import rules, vetting
from safety.limits import Prescription, Region, channel_limit
from safety.memory import Memory
from safety.orders import ArmScope, Deliver, Purpose, Refused, Renew
from safety.stimulus import Point, Train, Waveform, biphasic

pytestmark = pytest.mark.hazard("H12", "H28")
MS = 1_000_000
NOW_NS = 1_000 * MS
PURPOSES = {
    ArmScope.FITTING: {Purpose.IDENTIFY, Purpose.TITRATE},
    ArmScope.SESSION: {Purpose.ASSIST, Purpose.CYCLIC},
}


class Whole(int):
    """Equal to an int and none."""


@pytest.fixture
def memory(kit):
    memory = Memory(kit.UNIT)
    memory.scope, memory.armed_ns, memory.last_now_ns = ArmScope.SESSION, 0, 0
    given = Prescription(1, Region.FOREARM, 2_500, 10_000, 0, "P-1", kit.DAY)
    memory.limits = {1: channel_limit(kit.UNIT, given, None, ArmScope.SESSION)}
    return memory


def order(**changes):
    fields = {"seq": 1, "stamp_ns": NOW_NS, "expires_ns": NOW_NS + 100 * MS, "purpose": Purpose.ASSIST, "trains": ()}
    return Deliver(**(fields | {"press": 1, "sensor_ns": NOW_NS} | changes))


def renewal(**changes):
    return Renew(**({"seq": 1, "stamp_ns": NOW_NS, "expires_ns": NOW_NS + MS, "sensor_ns": NOW_NS} | changes))


def types_of(kit, memory, wish, now_ns=NOW_NS):
    return rules.g01_exact_integers(memory, wish, now_ns, kit.GOOD)


# -- the types ---------------------------------------------------------------------------------------------------------


def test_what_is_exactly_ours_is_taken(kit, memory):
    assert types_of(kit, memory, order(trains=(kit.pulse(), kit.pulse(channel=2)))) is None
    assert types_of(kit, memory, order()) is None
    assert types_of(kit, memory, renewal()) is None


@pytest.mark.parametrize("wrong", [Whole(NOW_NS), True, float(NOW_NS), None, "1"])
def test_each_time_and_number_is_exactly_an_int(kit, memory, wrong):
    said = "A time or number of the order is not a whole number."
    for make in (order, renewal):
        for name in ("seq", "stamp_ns", "expires_ns"):
            assert types_of(kit, memory, make(**{name: wrong})) == said
        assert types_of(kit, memory, make(), wrong) == said
        assert types_of(kit, memory, make(sensor_ns=wrong)) == "The time of the puck's sample is not a whole number."


def test_only_orders_to_deliver_and_to_renew_are_known(kit, memory):
    class Other(Deliver):
        pass

    for wish in (None, 1, Other(1, NOW_NS, NOW_NS + MS, Purpose.ASSIST, ())):
        assert types_of(kit, memory, wish) == "This is no order to deliver or to renew."


@pytest.mark.parametrize("changes", [{"purpose": 3}, {"press": True}, {"press": 1.0}, {"trains": []}])
def test_purpose_press_and_trains_are_of_the_agreed_type(kit, memory, changes):
    said = "The order's purpose, press or list of trains is not of the agreed type."
    assert types_of(kit, memory, order(**changes)) == said


@pytest.mark.parametrize(
    ("train", "says"),
    [
        (None, "A train of the order is not of the agreed type."),
        ((1, (), 29_000), "A train of the order is not of the agreed type."),
        (Train(1, [], 29_000), "A train of the order is not of the agreed type."),
        (Train(True, (), 29_000), "A train's channel or period is not a whole number."),
        (Train(1, (), 29_000.0), "A train's channel or period is not a whole number."),
        (Train(1, ((250, 2_000),), 29_000), "A point of a pulse is not two whole numbers."),
        (Train(1, (Point(250.0, 2_000),), 29_000), "A point of a pulse is not two whole numbers."),
        (Train(1, (Point(250, 2_000.0),), 29_000), "A point of a pulse is not two whole numbers."),
        (Train(1, (Point(250.0, 2_000.0),), 29_000), "A point of a pulse is not two whole numbers."),
    ],
)
def test_each_train_is_looked_through_wherever_it_stands(kit, memory, train, says):
    good = kit.pulse()
    vetting.note_exact(memory, good)
    assert types_of(kit, memory, order(trains=(train,))) == says
    assert types_of(kit, memory, order(trains=(good, train))) == says
    assert types_of(kit, memory, order(trains=(kit.pulse(channel=2), train))) == says


def test_only_the_very_train_that_was_looked_through_is_known_again(kit, memory):
    wrong = Train(1, (), 29_000.0)
    memory.exact = {id(wrong): wrong}
    assert types_of(kit, memory, order(trains=(wrong,))) is None
    memory.exact = {id(wrong): kit.pulse()}
    assert types_of(kit, memory, order(trains=(wrong,))) is not None


# -- its time ----------------------------------------------------------------------------------------------------------


def test_a_number_rises_by_one_at_least(kit, memory):
    memory.last_seq = 7
    assert rules.g02_sequence_rises(memory, order(seq=8), NOW_NS, kit.GOOD) is None
    assert rules.g02_sequence_rises(memory, order(seq=7), NOW_NS, kit.GOOD) == "Order 7 came after order 7."
    assert rules.g02_sequence_rises(memory, order(seq=6), NOW_NS, kit.GOOD) == "Order 6 came after order 7."


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("last_now_ns", "The guard's clock ran backwards by 1 ns."),
        ("last_stamp_ns", "The order was made before the one that came before it."),
        ("armed_ns", "The order was made before the output was armed."),
    ],
)
def test_time_may_stand_still_and_never_runs_backwards(kit, memory, field, says):
    for at_ns, said in ((NOW_NS - 1, None), (NOW_NS, None), (NOW_NS + 1, says)):
        setattr(memory, field, at_ns)
        assert rules.g03_time(memory, order(), NOW_NS, kit.GOOD) == said


def test_how_far_a_clock_ran_backwards_is_said(kit, memory):
    memory.last_now_ns = NOW_NS + 12
    assert rules.g03_time(memory, order(), NOW_NS, kit.GOOD) == "The guard's clock ran backwards by 12 ns."


@pytest.mark.parametrize(
    ("age_ns", "says"),
    [
        (-1, "The order's age is -1 ms; 0 to 120 ms are allowed."),
        (0, None),
        (120 * MS, None),
        (120 * MS + 1, "The order's age is 120 ms; 0 to 120 ms are allowed."),
        (250 * MS, "The order's age is 250 ms; 0 to 120 ms are allowed."),
    ],
)
def test_an_order_is_0_to_120_ms_old(kit, memory, age_ns, says):
    assert rules.g03_time(memory, order(stamp_ns=NOW_NS - age_ns), NOW_NS, kit.GOOD) == says


@pytest.mark.parametrize(
    ("lease_ns", "says"),
    [
        (MS - 1, "The lease of 0 ms is not within 1 to 120 ms."),
        (MS, None),
        (120 * MS, None),
        (120 * MS + 1, "The lease of 120 ms is not within 1 to 120 ms."),
        (250 * MS, "The lease of 250 ms is not within 1 to 120 ms."),
    ],
)
def test_a_lease_lasts_1_to_120_ms(kit, memory, lease_ns, says):
    assert rules.g04_lease(memory, order(expires_ns=NOW_NS + lease_ns), NOW_NS, kit.GOOD) == says


def test_a_lease_holds_to_its_very_end(kit, memory):
    wish = order(expires_ns=NOW_NS + MS)
    assert rules.g04_lease(memory, wish, NOW_NS + MS, kit.GOOD) is None
    assert rules.g04_lease(memory, wish, NOW_NS + MS + 1, kit.GOOD) == "The order's lease is already over."


@pytest.mark.parametrize(
    ("gap_ns", "says"),
    [
        (-1, "Current was on and nobody looked for -1 ms; at most 500 ms may pass."),
        (0, None),
        (500 * MS, None),
        (500 * MS + 1, "Current was on and nobody looked for 500 ms; at most 500 ms may pass."),
        (900 * MS, "Current was on and nobody looked for 900 ms; at most 500 ms may pass."),
    ],
)
def test_current_is_looked_at_every_500_ms(kit, memory, gap_ns, says):
    memory.last_now_ns = NOW_NS - gap_ns
    assert rules.g29_gap(memory, order(), NOW_NS, kit.GOOD) is None
    memory.live = True
    assert rules.g29_gap(memory, order(), NOW_NS, kit.GOOD) == says


# -- what a person armed for -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ArmScope)
@pytest.mark.parametrize("purpose", Purpose)
def test_a_scope_permits_its_own_two_purposes(kit, memory, scope, purpose):
    memory.scope, memory.purpose = scope, purpose
    allowed = purpose in PURPOSES[scope]
    said = None if allowed else f"Armed for {scope}, which does not permit {purpose.name.lower()}."
    assert rules.g06_scope(memory, order(purpose=purpose), NOW_NS, kit.GOOD) == said
    assert rules.g06_scope(memory, renewal(), NOW_NS, kit.GOOD) == said
    memory.scope = None
    assert rules.g06_scope(memory, order(purpose=purpose), NOW_NS, kit.GOOD) == "Output is not armed."


def test_an_interlock_that_is_open_says_which(kit, memory):
    assert rules.g05_interlocks(memory, order(), NOW_NS, kit.GOOD) is None
    assert rules.g05_interlocks(memory, order(), NOW_NS, kit.GOOD._replace(**{kit.GOOD._fields[0]: False}))


def test_the_tables_hold_every_rule_under_its_own_number_and_in_this_order():
    assert [name for name, _ in rules.ORDER_RULES] == ["G01", "G02", "G03", "G29", "G04", "G05", "G06"]
    pulse = ["G08", "G09", "G10", "G11", "G12", "G13", "G14", "G15", "G16", "G30"]
    assert [name for name, _ in rules.TRAIN_RULES] == pulse
    body = ["G33", "G34", "G17", "G18", "G19", "G20", "G21", "G22", "G31", "G32", "G23", "G24", "G25", "G26", "G27"]
    body += ["G35", "G36", "G37"]
    assert [name for name, _ in rules.BODY_RULES] == body
    every = (*rules.ORDER_RULES, rules.CHANNEL_RULE, *rules.TRAIN_RULES, *rules.BODY_RULES, rules.ANTAGONIST_RULE)
    assert [rule.__name__[:3].upper() for _, rule in every] == [name for name, _ in every]
    assert sorted(name for name, _ in every) == [f"G{number:02d}" for number in range(1, 38)]
    assert set(rules.WITHOUT_LATCH) == {"G21", "G22", "G31", "G32"}  # a rest, and a renewal that came too late


# -- the first looks ---------------------------------------------------------------------------------------------------


def test_off_is_only_what_surely_is_off():
    zero, one = Train(1, (Point(250, 0), Point(250, 0)), 29_000), Train(1, (Point(250, 0), Point(250, 1)), 29_000)
    for trains, off in (((), True), ((zero,), True), ((zero, zero), True), ((one,), False), ((zero, one), False)):
        assert vetting.is_off(order(trains=trains)) is off
    assert vetting.is_off(order(trains=(Train(1, (), 29_000),))) is True
    assert vetting.is_off(renewal()) is False
    for odd in ([], [zero]):
        assert vetting.is_off(order(trains=odd)) is False


@pytest.mark.parametrize(
    "odd",
    [
        (1, (), 29_000),
        Train(1, [], 29_000),
        Train(1, ((250, 0),), 29_000),
        Train(1, (Point(250, 0.0),), 29_000),
        Train(1, (Point(250, -1),), 29_000),
    ],
)
def test_what_is_not_of_the_agreed_type_is_not_off(odd):
    assert vetting.is_off(order(trains=(odd,))) is False


def test_a_pulse_that_holds_is_kept_with_its_figures(kit, memory):
    train = kit.pulse(2_000)
    found = vetting.vet(memory, train)
    busy_us, waveform = 250 + 100 + 250 + kit.UNIT.overhead_us, Waveform(250, 100, 29_000)
    assert found == vetting.Vetted(1, 2_000, busy_us, waveform, 12_000, memory.limits[1])
    assert found.period_us == 29_000
    assert memory.vetted == {train: found}


def test_a_pulse_that_does_not_hold_says_by_which_rule_and_is_not_kept(kit, memory):
    unknown = vetting.vet(memory, kit.pulse(channel=2))
    assert (unknown.rule, unknown.latches) == ("G07", True)
    assert unknown.reason == "Channel 2 is not prescribed, or the protocol means another region."
    memory.limits[9] = memory.limits[1]
    assert vetting.vet(memory, kit.pulse(channel=9)) == Refused("G07", "Channel 9 does not exist on this unit.")
    over = vetting.vet(memory, kit.pulse(99_000))
    assert over.rule == "G11"
    assert over.reason
    assert memory.vetted == {}


def test_1024_pulses_are_kept_and_then_it_begins_anew(kit, memory):
    vetting.vet(memory, kit.pulse())
    memory.vetted = dict.fromkeys(range(1023))
    vetting.vet(memory, kit.pulse())
    assert len(memory.vetted) == 1_024
    vetting.vet(memory, kit.pulse(1_000))
    assert list(memory.vetted) == [kit.pulse(1_000)]
    memory.exact = {-number: None for number in range(1_023)}
    first, second = kit.pulse(), kit.pulse()
    vetting.note_exact(memory, first)
    assert len(memory.exact) == 1_024
    vetting.note_exact(memory, second)
    assert memory.exact == {id(second): second}


# -- the pulse ---------------------------------------------------------------------------------------------------------


def test_a_pulse_is_spelled_out():
    assert biphasic(3, 2_000, 250, 0, 29_000) == Train(3, (Point(250, 2_000), Point(250, -2_000)), 29_000)
    assert biphasic(3, 2_000, 250, 1, 29_000).points == (Point(250, 2_000), Point(1, 0), Point(250, -2_000))


@pytest.mark.parametrize("sign", [1, -1])
def test_phases_are_runs_of_one_sign(sign):
    points = ((10, 1), (5, 3), (7, 0), (4, 2), (6, -2), (9, -1), (1, 0))
    train = Train(1, tuple(Point(us, sign * ua) for us, ua in points), 29_000)
    assert train.phases() == [(15, 25), (4, 8), (15, 21)]
    assert (train.amplitude_ua, train.pulse_width_us, train.net_charge_pc) == (3, 15, sign * 12)


def test_a_pulse_of_nothing_has_nothing():
    for points in ((), (Point(250, 0),)):
        train = Train(1, points, 29_000)
        found = (train.amplitude_ua, train.pulse_width_us, train.charge_per_phase_nc, train.net_charge_pc)
        assert (train.phases(), found) == ([], (0, 0, 0, 0))


@pytest.mark.parametrize(("pc", "nc"), [(1, 1), (999, 1), (1_000, 1), (1_001, 2), (2_000, 2), (1_000_000, 1_000)])
def test_charge_is_rounded_up_to_the_nanocoulomb(pc, nc):
    assert Train(1, (Point(1, pc), Point(1, -1)), 29_000).charge_per_phase_nc == nc
