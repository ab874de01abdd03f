"""What is asked and said before current, one unit beside its bounds: days, sessions, letters, and units in words."""

import pytest

from safety.screening import Answer, Asks, Hold, Kind, Pads, Row, When, change_refused, day_number, judge, pads_worn
from safety.units import Field, UnitFault, period_us, quantity, rate_text

pytestmark = pytest.mark.hazard("H11", "H17", "H50")
TODAY = "2026-03-20"
SEIZURES = Row("seizures", Kind.SIGN_OFF, "Epilepsy?", "maker", 1)
TOXIN = Row("toxin", Kind.SIGN_OFF, "Botulinum toxin?", "papers", 1, Asks.DATE)


def of_toxin(date, muscles="calf", **signed):
    return judge((TOXIN,), (Answer("toxin", True, date, muscles, **signed),), TODAY, Pads())


def says(verdict):
    return [(found.row, found.hold, found.why) for found in verdict.findings]


def test_words_that_are_written_down_keep_their_spelling():
    assert [kind.value for kind in Kind] == ["block", "sign_off", "every_session"]
    assert [asks.value for asks in Asks] == ["yes_no", "date", "pads"]
    assert [when.value for when in When] == ["before", "two_minutes", "after"]
    assert [hold.value for hold in Hold] == ["open", "blocked", "unsigned"]


def test_what_is_not_said_is_empty():
    assert SEIZURES[5:] == (Asks.YES_NO, When.BEFORE, "")
    assert Answer("seizures", False)[2:] == ("", "", "", "")
    assert Pads() == (0, "", False)


@pytest.mark.parametrize(
    ("date", "found", "changing"),
    [
        ("2026-03-21", Hold.OPEN, False),
        ("2026-03-20", Hold.UNSIGNED, True),
        ("2026-03-07", Hold.UNSIGNED, True),
        ("2026-03-06", None, True),
        ("2025-12-26", None, True),
        ("2025-12-25", None, False),
    ],
)
def test_toxin_is_signed_for_14_days_and_changes_strength_for_12_weeks(date, found, changing):
    verdict = of_toxin(date)
    assert [one.hold for one in verdict.findings] == ([] if found is None else [found])
    assert (verdict.changing, verdict.passes, verdict.blocked) == (changing, found is None, False)


@pytest.mark.parametrize(
    ("clinician", "reason", "passes"),
    [
        ("Al", "yes", True),
        ("A", "yes", False),
        (" A ", "yes", False),
        ("Al", "ye", False),
        ("Al", " ye ", False),
        ("A" * 200, "r" * 200, True),
        ("A" * 201, "yes", False),
        ("Al", "r" * 201, False),
        (None, "yes", False),
    ],
)
def test_a_signature_has_letters_enough_and_not_too_many(clinician, reason, passes):
    given = Answer("seizures", True, clinician=clinician, reason=reason)
    verdict = judge((SEIZURES,), (given,), TODAY, Pads())
    why = "A named clinician has to sign this off, with a reason."
    assert says(verdict) == ([] if passes else [("seizures", Hold.UNSIGNED, why)])
    assert verdict.changing is False


def test_muscles_have_two_letters_at_least():
    assert of_toxin("2026-03-06", "ab").passes
    assert says(of_toxin("2026-03-06", "a")) == [("toxin", Hold.OPEN, "The muscles have to be named.")]


@pytest.mark.parametrize(
    ("pads", "why"),
    [
        (Pads(), ""),
        (Pads(0, "", True), "The skin was irritated under these pads."),
        (Pads(0, "", 0), "The skin was irritated under these pads."),
        (Pads(-1, TODAY), "These pads have had -1 sessions; 30 are the most."),
        (Pads(1, TODAY), ""),
        (Pads(29, TODAY), ""),
        (Pads(30, TODAY), "These pads have had 30 sessions; 30 are the most."),
        (Pads(1, "2025-12-21"), ""),
        (Pads(1, "2025-12-20"), "These pads are three months old, or their first day is not known."),
        (Pads(1, "2026-03-21"), "These pads are three months old, or their first day is not known."),
        (Pads(1, ""), "These pads are three months old, or their first day is not known."),
    ],
)
def test_pads_are_worn_after_30_sessions_or_90_days(pads, why):
    assert pads_worn(pads, TODAY) == why


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1900-01-01", 693_901),  # the calendar counts from 0001-01-01 as 1: 305 days later
        ("1899-12-31", None),
        ("1900-02-28", 693_959),
        ("1900-02-29", None),
        ("1900-03-01", 693_960),
        ("2000-02-29", 730_484),
        ("2000-02-30", None),
        ("2023-02-29", None),
        ("2024-02-29", 739_250),
        ("2024-00-10", None),
        ("2024-13-10", None),
        ("2024-01-00", None),
        ("2024-04-31", None),
        ("2024-12-31", 739_556),
        ("2024-12-32", None),
        ("2024/12-31", None),
        ("2024-12/31", None),
        ("2024-12-3a", None),
        ("2024-12-311", None),
        (20241231, None),
    ],
)
def test_days_are_counted_from_a_first_of_march(text, days):
    assert day_number(text) == days


def test_a_row_only_becomes_stricter_and_says_from_what_to_what():
    assert change_refused(SEIZURES, Kind.BLOCK) is change_refused(SEIZURES, Kind.SIGN_OFF) is None
    softer = change_refused(SEIZURES._replace(kind=Kind.BLOCK), Kind.SIGN_OFF)
    assert softer == "This would soften the row from block to sign_off."


# -- units -------------------------------------------------------------------------------------------------------------


def test_each_field_says_its_name_and_an_example_that_it_takes():
    said = {field.name: (field.value.name, field.value.example, field.value.target) for field in Field}
    assert said["CURRENT"] == ("a current", "25 mA", "uA")
    assert said["RATE"] == ("a rate", "6 Hz", "mHz")
    for field in Field:
        assert quantity(field.value.example, field) > 0


@pytest.mark.parametrize(
    ("text", "takes"),
    [("0.00000000000000000025 s", False), ("00000000000000000000.2 s", True), ("0" * 22 + " s", True)],
)
def test_a_quantity_has_24_characters_at_most(text, takes):
    assert (len(text) <= 24) is True
    if takes:
        assert quantity(text, Field.DURATION) in (0, 200_000_000)
        with pytest.raises(UnitFault, match="is longer than 24 characters"):
            quantity("0" * (25 - len(text)) + text, Field.DURATION)
    else:
        with pytest.raises(UnitFault, match="finer than the grid of ns"):
            quantity(text, Field.DURATION)


@pytest.mark.parametrize(
    ("text", "us"), [("1 Hz", 1_000_000), ("35 Hz", 29_000), ("2000 Hz", 500), ("1999.9 Hz", 1_000), ("4000 Hz", 500)]
)
def test_a_period_is_rounded_up_to_half_a_millisecond(text, us):
    assert period_us(text) == us


@pytest.mark.parametrize(
    ("us", "says"),
    [(29_000, "34.48 Hz"), (20_000, "50 Hz"), (16_000, "62.5 Hz"), (28_500, "35.09 Hz"), (1, "1000000 Hz")],
)
def test_the_rate_is_said_to_the_nearest_hundredth(us, says):
    assert rate_text(us) == says


@pytest.mark.parametrize(
    ("text", "field", "message", "fix"),
    [
        ("25", Field.CURRENT, '"25" has no unit', 'write the unit: "25 mA"'),
        ("25,0 mA", Field.CURRENT, '"25,0 mA" has a comma', 'use a point: "25.0 mA"'),
        ("25.5mA", Field.CURRENT, '"25.5mA" needs one space between number and unit', 'write "25.5 mA"'),
        ("30 rpm", Field.FREQUENCY, "a frequency is not written in rpm", 'write it in Hz: is it "30 Hz"?'),
        ("5 deg", Field.TORQUE, "5 deg is an angle, not a torque", "write a torque in Nm or mNm: 0.5 Nm"),
        ("25 ma", Field.CURRENT, '"ma" is no unit: capital and small letters matter', 'did you mean "25 mA"?'),
        ("25 MA", Field.CURRENT, '"MA" would be mega, a thousand million times too much', 'did you mean "25 mA"?'),
        ("", Field.AREA, "an area is missing", "write for example 25 cm2"),
        ("mA", Field.CURRENT, '"mA" is not one number and one unit', "write for example 25 mA"),
    ],
)
def test_a_fault_is_said_with_what_to_write_instead(text, field, message, fix):
    with pytest.raises(UnitFault) as fault:
        quantity(text, field)
    assert (fault.value.message, fault.value.fix) == (message, fix)
