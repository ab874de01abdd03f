"""Rules of a pulse, and what may be prescribed, confirmed and constrained: asked alone, one unit beside their bounds.

Through the guard the first rule that refuses hides the others; which rule it was, and what it says, is seen here.
"""

from dataclasses import replace

import pytest

from safety import pulse_rules
from safety.guard import Guard
from safety.limits import CAPS, Bound, DeviceLimits, Prescription, ProtocolLimit, Region, channel_limit
from safety.orders import Admitted, ArmScope, Deliver, Purpose, Refused, Renew, Stop, StopReason, Token
from safety.position import Placed, Position, misplaced, needing_refused, placing_refused
from safety.prescribing import constraint_refused, dose_refused, identification_refused, prescription_refused
from safety.stimulus import Point, Train

pytestmark = pytest.mark.hazard("H12", "H16", "H17", "H31")
DAY = "2026-01-05"
FINE = DeviceLimits("F1", 8, 130_000, 1, 10, 4_095, 500, 16_383_000, 500, 16)
"""A unit with a grid of 1 uA."""


def limit_of(scope=ArmScope.SESSION, pad_mm2=2_500, ceiling_ua=10_000, region=Region.FOREARM):
    return channel_limit(FINE, Prescription(1, region, pad_mm2, ceiling_ua, 0, "P-1", DAY), None, scope)


def train(*points, channel=1, period_us=29_000):
    return Train(channel, tuple(Point(*point) for point in points), period_us)


def plain(ua=2_000, width_us=250, **settings):
    return train((width_us, ua), (100, 0), (width_us, -ua), **settings)


# -- the pulse ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channel", "there"), [(0, False), (1, True), (8, True), (9, False)])
def test_g07_a_channel_of_the_unit_that_was_prescribed(channel, there):
    asked = plain(channel=channel)
    missing = None if there else f"Channel {channel} does not exist on this unit."
    assert pulse_rules.g07_channel(FINE, asked, limit_of()) == missing
    unknown = f"Channel {channel} is not prescribed, or the protocol means another region."
    assert pulse_rules.g07_channel(FINE, asked, None) == (missing or unknown)


def test_g08_a_ceiling_of_one_microampere_has_been_found():
    says = "The ceiling of channel 1 has not been found today."
    for ua, answer in ((-1, says), (0, says), (1, None)):
        assert pulse_rules.g08_ceiling_found(FINE, plain(), limit_of(ceiling_ua=ua)) == answer
        assert pulse_rules.g08_ceiling_found(FINE, plain(), limit_of(ArmScope.FITTING, ceiling_ua=ua)) is None


NOT_EQUAL = "The pulse is not two equal phases, + then -, with nothing or a pause between."


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ((), "The pulse has 0 points; two phases, with or without a pause between, are allowed."),
        (((100, 0),), "The pulse has 1 points; two phases, with or without a pause between, are allowed."),
        (((100, 1), (100, -1)), None),
        (((100, 0), (100, 0)), None),
        (((100, 1), (50, 0), (100, -1)), None),
        (((100, 1), (50, 0), (50, 0), (100, -1)), "The pulse has 4 points; two phases, with or without a pause"),
        (((100, -1), (50, 0), (100, 1)), NOT_EQUAL),
        (((100, -1), (100, 1)), NOT_EQUAL),
        (((100, 1), (50, 1), (100, -1)), NOT_EQUAL),
        (((100, 1), (101, -1)), NOT_EQUAL),
        (((100, 1), (100, -2)), NOT_EQUAL),
        (((10, 1), (10, -1)), None),
        (((9, 1), (9, -1)), "A point of 9 us is not within what the unit keeps as it is."),
        (((4_095, 1), (4_095, -1)), None),
        (((4_096, 1), (4_096, -1)), "A point of 4096 us is not within what the unit keeps as it is."),
        (((100, 1), (9, 0), (100, -1)), "A point of 9 us is not within what the unit keeps as it is."),
    ],
)
def test_g09_says_what_is_wrong_with_a_pulse(points, says):
    found = pulse_rules.g09_points(FINE, train(*points), limit_of())
    assert found is None if says is None else found.startswith(says)


def test_g09_a_unit_s_grid_and_its_own_pause():
    coarse = replace(FINE, amplitude_step_ua=500)
    for ua in (499, 501):
        says = f"{ua} uA is off the unit's grid of 500 uA."
        assert pulse_rules.g09_points(coarse, plain(ua), limit_of()) == says
    assert pulse_rules.g09_points(coarse, plain(500), limit_of()) is None
    for own_us in (99, 101, 0):
        says = f"The unit leaves {own_us} us between the phases, not 100 us."
        assert pulse_rules.g09_points(replace(FINE, interphase_us=own_us), plain(), limit_of()) == says
    assert pulse_rules.g09_points(replace(FINE, interphase_us=100), plain(), limit_of()) is None


def test_g10_not_one_picocoulomb_is_left_behind():
    for left_pc in (-1, 1):
        uneven = train((1, 5 + left_pc), (1, -5))
        says = f"The pulse leaves {left_pc} pC behind; it must leave none."
        assert pulse_rules.g10_net_charge(FINE, uneven, limit_of()) == says
    assert pulse_rules.g10_net_charge(FINE, plain(), limit_of()) is None


def test_g11_the_ceiling_is_the_last_microampere():
    for ua in (0, 1, 10_000):
        assert pulse_rules.g11_amplitude(FINE, plain(ua), limit_of()) is None
    says = "10001 uA is over 10000 uA (patient ceiling)."
    for ua in (10_001, -10_001):
        assert pulse_rules.g11_amplitude(FINE, plain(ua), limit_of()) == says


def test_g12_only_a_pulse_without_current_has_no_width():
    for ua, width_us, holds in ((1, 9, False), (1, 10, True), (1, 350, True), (1, 351, False), (0, 9, True)):
        found = pulse_rules.g12_pulse_width(FINE, plain(ua, width_us), limit_of())
        says = f"A pulse width of {width_us} us is over 350 us (forearm cap)."
        assert found == (None if holds else says), (ua, width_us)
    assert pulse_rules.g12_pulse_width(FINE, plain(0, 351), limit_of()) is None


def test_g13_a_period_between_the_cap_and_the_unit_s_most():
    for period_us, holds in ((19_500, False), (20_000, True), (16_383_000, True), (16_383_500, False)):
        found = pulse_rules.g13_period(FINE, plain(period_us=period_us), limit_of())
        says = f"A period of {period_us} us is not within 20000 us (forearm cap) and the unit's most."
        assert found == (None if holds else says)
    for period_us in (20_499, 20_501):
        says = f"A period of {period_us} us is off the unit's grid of 500 us."
        assert pulse_rules.g13_period(FINE, plain(period_us=period_us), limit_of()) == says


def test_g14_the_charge_of_a_phase_is_rounded_up():
    for ua, holds in ((0, True), (40_000, True), (40_001, False)):  # 14 uC in 350 us
        found = pulse_rules.g14_charge(FINE, plain(ua, 350), limit_of())
        assert found == (None if holds else "14001 nC a phase is over 14000 nC (forearm cap).")
    # A time below nothing is G09's to refuse; a charge below nothing is none that is small enough, whoever asks.
    backwards = train((-1, 1_000))
    assert backwards.charge_per_phase_nc == -1
    assert pulse_rules.g14_charge(FINE, backwards, limit_of()) is not None


def test_g15_g16_g30_reckon_with_the_square_of_each_current():
    # 1 cm2, half of it: 1 mA rms, so 1e6 uA^2 x 29000 us; twice 145 us at 10 mA, and 1 us x (1 uA)^2 more.
    small = limit_of(pad_mm2=100)
    full = ((145, 10_000), (145, -10_000))
    assert pulse_rules.g15_density(FINE, train(*full), small) is None
    says = "The rms density on half of 100 mm2 is over 2000 uA/cm2."
    assert pulse_rules.g15_density(FINE, train(*full, (1, 1)), small) == says
    # 50 mW into 500 ohm: 1e8 uA^2 x 29000 us.
    full = ((145, 100_000), (145, -100_000))
    assert pulse_rules.g16_power(FINE, train(*full), small) is None
    says = "The power on half of 100 mm2 is over 100000 uW/cm2."
    assert pulse_rules.g16_power(FINE, train(*full, (1, -1)), small) == says
    # 25 mA rms: 6.25e8 uA^2 x 29000 us.
    full = ((145, 250_000), (145, -250_000))
    assert pulse_rules.g30_rms(FINE, train(*full), small) is None
    assert pulse_rules.g30_rms(FINE, train(*full, (1, 1)), small) == "The rms current of the train is over 25000 uA."


# -- orders and answers ------------------------------------------------------------------------------------------------


def test_what_an_order_does_not_say_is_nothing():
    order = Deliver(1, 2, 3, Purpose.ASSIST, (plain(),))
    assert (order.press, order.sensor_ns, Renew(1, 2, 3).sensor_ns) == (0, 0, 0)
    assert Stop(1, 2).reason is StopReason.RELEASE
    assert Refused("G01", "No.").latches is True
    ticket = Admitted(Token(), 1, 2, order)
    assert (ticket.trains, ticket.expires_ns) == ((plain(),), 3)
    assert Admitted(Token(), 1, 2, Renew(1, 2, 3)).trains == ()


# -- what is prescribed ------------------------------------------------------------------------------------------------

GIVEN = Prescription(1, Region.FOREARM, 2_500, 10_000, 4_000, "P-1", DAY)
LIMITED = ProtocolLimit(Region.FOREARM, 2_500, 9_000, 250, 29_000, 6_000)


def prescribed(device=FINE, armed=False, lowest_ua=0, remembered=0, **changes):
    return prescription_refused(device, GIVEN._replace(**changes), armed, lowest_ua, remembered)


def constrained(channel=1, given=GIVEN, before=None, **changes):
    return constraint_refused(FINE, LIMITED._replace(**changes), channel, given, before)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"channel": 8},
        {"pad_area_mm2": 100},
        {"pad_area_mm2": 30_000},
        {"ceiling_ua": 0, "motor_ua": 0},
        {"ceiling_ua": 45_000, "motor_ua": 45_000},
        {"lowest_ua": 10_000},
        {"lowest_ua": 1, "ceiling_ua": 1},
        {"lowest_ua": 1, "ceiling_ua": 0},
        {"remembered": 999},
    ],
)
def test_what_may_be_prescribed_is_taken(changes):
    assert prescribed(**changes) is None


@pytest.mark.parametrize(
    ("rule", "says", "changes"),
    [
        ("P01", "Prescriptions change only while disarmed.", {"armed": True}),
        ("P01", "Prescriptions change only while disarmed.", {"armed": 0}),
        ("P02", "Channel 0 does not exist on this unit.", {"channel": 0}),
        ("P02", "Channel 9 does not exist on this unit.", {"channel": 9}),
        ("P02", "Channel True does not exist on this unit.", {"channel": True}),
        ("P02", "A pad of 99 mm2 is not within 100 to 30000 mm2.", {"pad_area_mm2": 99}),
        ("P02", "A pad of 30001 mm2 is not within 100 to 30000 mm2.", {"pad_area_mm2": 30_001}),
        ("P02", "A pad of 500.0 mm2 is not within 100 to 30000 mm2.", {"pad_area_mm2": 500.0}),
        ("P03", "Ceiling and motor threshold are whole numbers of uA.", {"ceiling_ua": 1.0}),
        ("P03", "Ceiling and motor threshold are whole numbers of uA.", {"motor_ua": True}),
        ("P03", "A ceiling of -1 uA is not within 0 to 45000 uA.", {"ceiling_ua": -1}),
        ("P03", "A ceiling of 45001 uA is not within 0 to 45000 uA.", {"ceiling_ua": 45_001}),
        ("P03", "A motor threshold of -1 uA is not within 0 to 45000 uA.", {"motor_ua": -1}),
        ("P03", "A motor threshold of 45001 uA is not", {"motor_ua": 45_001}),
        ("P03", "is not within 0 to 9999 uA.", {"device": replace(FINE, amplitude_ua_max=9_999)}),
        (
            "P04",
            "Today's ceiling was found at 1 uA and may only fall, not rise to 2 uA.",
            {"lowest_ua": 1, "ceiling_ua": 2},
        ),
        ("P05", "Too many prescriptions in one run: start the program again.", {"remembered": 1_000}),
    ],
)
def test_a_prescription_is_refused_with_its_figures_and_never_latches(rule, says, changes):
    refused = prescribed(**changes)
    assert (refused.rule, refused.latches) == (rule, False)
    assert says in refused.reason


def test_a_dose_of_earlier_today_is_four_whole_numbers():
    for amount in (0, 1, 10**15):
        assert dose_refused((amount, 0, 0, amount), 999) is None
    broken = Refused("P20", "A dose of earlier today is no whole number from 0 up.", latches=False)
    for amount in (-1, 10**15 + 1, 1.0, True):
        assert dose_refused((0, amount, 0, 0), 0) == dose_refused((0, 0, 0, amount), 0) == broken
    many = Refused("P20", "Too many doses in one run: start the program again.", latches=False)
    assert dose_refused((0, 0, 0, 0), 1_000) == many


def test_what_moved_is_confirmed_of_who_is_prescribed_and_had_current():
    assert identification_refused(1, GIVEN, "P-1", DAY, True) is None
    unknown = Refused("P08", "Channel 1 is not prescribed for this patient today.", latches=False)
    for given, patient, date in ((None, "P-1", DAY), (GIVEN, "P-2", DAY), (GIVEN, "P-1", "2026-01-06")):
        assert identification_refused(1, given, patient, date, True) == unknown
    says = "Channel 1 has had no current since it was armed for fitting: nothing can have moved."
    for carried in (False, 1):
        assert identification_refused(1, GIVEN, "P-1", DAY, carried) == Refused("P09", says, latches=False)


NARROWER = (("pad_area_mm2", -1), ("amplitude_ua", -1), ("pulse_width_us", -1), ("period_us_min", 1), ("on_ms_max", -1))


def test_a_protocol_s_limits_are_whole_numbers_from_0_up():
    assert constrained() is constrained(given=None) is None
    assert constrained(amplitude_ua=0, pulse_width_us=0, period_us_min=0, on_ms_max=0) is None
    wrong = Refused("C01", "Channel 9 does not exist on this unit.", latches=False)
    assert constrained(channel=9) == wrong
    assert constrained(pad_area_mm2=99).rule == "C01"
    broken = Refused("C02", "A limit of the protocol is not a whole number from 0 up.", latches=False)
    for name, _ in NARROWER[1:]:
        for number in (-1, 1.0, True):
            assert constrained(**{name: number}) == broken
    says = "The protocol means the hand, but channel 1 is prescribed for the forearm."
    assert constrained(region=Region.HAND) == Refused("C03", says, latches=False)
    assert constrained(region=Region.HAND, given=None) is None


@pytest.mark.parametrize(("name", "way"), NARROWER)
def test_while_armed_each_limit_only_narrows(name, way):
    before = LIMITED
    assert constrained(before=before) is None
    assert constrained(before=before, **{name: getattr(before, name) + way}) is None
    wider = constrained(before=before, **{name: getattr(before, name) - way})
    assert wider == Refused("C04", "While armed, the protocol's limits can only narrow.", latches=False)


def test_while_armed_a_protocol_keeps_its_region():
    assert constrained(given=None, before=LIMITED._replace(region=Region.HAND)).rule == "C04"


def test_a_region_without_a_cap_is_named_with_those_that_have_one():
    refused = Guard(FINE).prescribe(1, "neck", 2_500, 0, 0, "P-1", DAY, armed=False)
    says = "'neck' is no body region with a cap: hand, forearm, upper_arm, lower_leg, thigh."
    assert refused == Refused("P02", says, latches=False)
    assert list(CAPS) == ["hand", "forearm", "upper_arm", "lower_leg", "thigh"]
    assert limit_of(region=Region.UPPER_ARM).charge_nc == Bound(20_000, "upper arm cap")


# -- how the patient is placed -----------------------------------------------------------------------------------------


def test_a_patient_is_placed_as_the_protocol_needs():
    def placed(position, harness=False):
        return Placed(position, harness, "P-1", DAY)

    assert misplaced(None, None) == "The protocol has not said which position it is made for."
    assert misplaced(Position.LYING, None) == "The patient's position has not been confirmed today."
    says = "The protocol is made for a patient who is seated, but lying was confirmed."
    assert misplaced(Position.SEATED, placed(Position.LYING)) == says
    for position in (Position.SEATED, Position.LYING):
        assert misplaced(position, placed(position)) is misplaced(position, placed(position, True)) is None
    assert misplaced(Position.STANDING, placed(Position.STANDING, True)) is None
    for harness in (False, 1):
        says = "A patient who stands must be held by a harness."
        assert misplaced(Position.STANDING, placed(Position.STANDING, harness)) == says


def test_a_position_is_confirmed_only_while_disarmed():
    for position in ("seated", "lying", "standing"):
        assert placing_refused(position, False, False) is placing_refused(position, True, False) is None
    armed = Refused("P06", "The patient's position is confirmed only while disarmed.", latches=False)
    assert placing_refused("seated", False, True) == placing_refused("seated", False, 0) == armed
    none = Refused("P07", "A position is one of seated, lying, standing, with a harness or without.", latches=False)
    for position, harness in (("kneeling", False), (Position.SEATED, False), (["seated"], False), ("seated", 1)):
        assert placing_refused(position, harness, False) == none


def test_while_armed_the_protocol_s_position_stays():
    none = Refused("C05", "The protocol's position is none of seated, lying, standing.", latches=False)
    for position in ("kneeling", Position.SEATED, ["seated"]):
        assert needing_refused(position, None) == none
    assert needing_refused("seated", None) is needing_refused("seated", Position.SEATED) is None
    says = "While armed, the position that the protocol is made for does not change."
    assert needing_refused("seated", Position.LYING) == Refused("C06", says, latches=False)
