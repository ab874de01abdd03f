"""The screening's rules: what each kind of row asks, dates, pads, and that a site can only make the list stricter."""

from datetime import date, timedelta

import pytest

from safety import screening
from safety.screening import (
    Answer,
    Asks,
    Hold,
    Kind,
    Pads,
    Row,
    When,
    addition_refused,
    change_refused,
    day_number,
    judge,
    pads_worn,
)

pytestmark = pytest.mark.hazard("H17", "H31", "H41", "H50")

TODAY = "2026-03-20"
IMPLANT = Row("implant", Kind.BLOCK, "Pacemaker?", "maker", 1)
EPILEPSY = Row("epilepsy", Kind.SIGN_OFF, "Epilepsy?", "maker", 1, remind="Watch.")
TOXIN = Row("toxin", Kind.SIGN_OFF, "Botulinum toxin?", "papers", 1, Asks.DATE)
SKIN = Row("skin", Kind.EVERY_SESSION, "Skin sound?", "maker", 1)
PADS = Row("pads", Kind.EVERY_SESSION, "New pads?", "maker", 1, Asks.PADS)
LATER = Row("later", Kind.EVERY_SESSION, "Skin well?", "maker", 1, when=When.TWO_MINUTES)
AFTER = Row("after", Kind.EVERY_SESSION, "Skin well?", "maker", 1, when=When.AFTER)
ROWS = (IMPLANT, EPILEPSY, TOXIN, SKIN, PADS, LATER, AFTER)
GOOD = {"implant": False, "epilepsy": False, "toxin": False, "skin": True, "pads": False}


def ago(days):
    return (date.fromisoformat(TODAY) - timedelta(days)).isoformat()


NEW = Pads()


def judged(rows=ROWS, used=NEW, today=TODAY, without=(), **others):
    answers = [Answer(name, yes) for name, yes in GOOD.items() if name not in others and name not in without]
    answers += [
        other
        if isinstance(other, Answer)
        else Answer(name, **other)
        if isinstance(other, dict)
        else Answer(name, other)
        for name, other in others.items()
    ]
    return judge(rows, tuple(answers), today, used)


def holds(verdict):
    return [(finding.row, finding.hold) for finding in verdict.findings]


def test_all_in_order_passes_and_reminds_of_nothing():
    verdict = judged()
    assert verdict == ((), (), False)
    assert verdict.passes
    assert not verdict.blocked


@pytest.mark.parametrize("name", GOOD)
def test_every_row_needs_exactly_one_answer_that_is_yes_or_no(name):
    assert holds(judged(without=(name,))) == [(name, Hold.OPEN)]
    for odd in (1, 0, None, "yes", "no"):
        assert holds(judged(**{name: odd})) == [(name, Hold.OPEN)]
    answers = tuple(Answer(row, yes) for row, yes in GOOD.items())
    twice = judge(ROWS, (*answers, Answer(name, GOOD[name])), TODAY, Pads())
    assert holds(twice) == [(name, Hold.OPEN)]
    assert not twice.passes
    assert not twice.blocked
    assert judge(ROWS, (), TODAY, Pads()).findings[0].why == "This was not answered."


def test_an_answer_to_no_row_is_no_answer():
    assert holds(judged(other=True)) == [("other", Hold.OPEN)]
    assert holds(judged(later=True)) == [("later", Hold.OPEN)]  # it is asked at another time
    assert "no such row" in judged(other=True).findings[0].why


def test_a_yes_to_a_blocking_row_blocks_whoever_signs():
    for answer in (True, {"yes": True, "clinician": "Dr. Weiss", "reason": "looked at"}):
        verdict = judged(implant=answer)
        assert holds(verdict) == [("implant", Hold.BLOCKED)]
        assert verdict.blocked
        assert not verdict.passes
    assert judged(implant=True, without=("skin",)).blocked


@pytest.mark.parametrize(
    ("clinician", "reason", "passes"),
    [
        ("Dr. Weiss", "free of seizures", True),
        ("Dr", "yes", True),
        ("D", "yes", False),
        (" D ", "yes", False),
        ("", "yes", False),
        ("Dr", "ok", False),
        ("Dr", "  ok  ", False),
        ("Dr", "", False),
        ("Dr", None, False),
        (b"Dr", "yes", False),
        ("Dr", "y" * 200, True),
        ("Dr", "y" * 201, False),
    ],
)
def test_a_yes_to_sign_off_needs_a_name_and_a_reason(clinician, reason, passes):
    verdict = judged(epilepsy={"yes": True, "clinician": clinician, "reason": reason})
    assert verdict.passes is passes
    assert holds(verdict) == ([] if passes else [("epilepsy", Hold.UNSIGNED)])
    assert verdict.reminders == ("Watch.",)
    assert not verdict.blocked
    assert not verdict.changing
    assert passes or "clinician" in verdict.findings[0].why


@pytest.mark.parametrize(
    ("days", "signs", "changing"),
    [(0, True, True), (13, True, True), (14, False, True), (84, False, True), (85, False, False), (4000, False, False)],
)
def test_botulinum_toxin_by_its_date(days, signs, changing):
    said = {"yes": True, "date": ago(days), "muscles": "biceps"}
    verdict = judged(toxin=said)
    assert holds(verdict) == ([("toxin", Hold.UNSIGNED)] if signs else [])
    assert verdict.changing is changing
    signed = judged(toxin=said | {"clinician": "Dr. Weiss", "reason": "low dose"})
    assert signed.passes
    assert signed.changing is changing


@pytest.mark.parametrize("day", [ago(-1), ago(-400), "", "20.03.2026", "2026-02-29", "2026-3-20", None, 20260320])
def test_a_date_that_is_none_or_to_come_is_refused(day):
    said = {"yes": True, "date": day, "muscles": "biceps", "clinician": "Dr. Weiss", "reason": "low dose"}
    verdict = judged(toxin=said)
    assert holds(verdict) == [("toxin", Hold.OPEN)]
    assert not verdict.changing
    assert "not one to come" in verdict.findings[0].why


def test_a_day_that_is_not_known_lets_no_date_pass():
    said = {"yes": True, "date": ago(30), "muscles": "biceps"}
    assert holds(judged(toxin=said, today="today")) == [("toxin", Hold.OPEN)]


def test_the_muscles_have_to_be_named():
    said = {"yes": True, "date": ago(30)}
    for muscles in ("", " ", "b", None):
        assert holds(judged(toxin=said | {"muscles": muscles})) == [("toxin", Hold.OPEN)]
    assert "muscles" in judged(toxin=said).findings[0].why
    assert judged(toxin=said | {"muscles": "bi"}).passes


def test_a_site_that_blocks_after_toxin_blocks_at_any_date():
    rows = (TOXIN._replace(kind=Kind.BLOCK),)
    for days in (3, 30, 100):
        answer = Answer("toxin", True, ago(days), "biceps", "Dr. Weiss", "low dose")
        assert holds(judge(rows, (answer,), TODAY, Pads())) == [("toxin", Hold.BLOCKED)]


def test_what_is_done_each_session_must_be_so():
    verdict = judged(skin=False)
    assert holds(verdict) == [("skin", Hold.BLOCKED)]
    assert "before current" in verdict.findings[0].why


def test_a_no_reminds_of_nothing():
    assert judged(rows=(IMPLANT._replace(remind="Never."),), without=tuple(GOOD)[1:]).reminders == ()


@pytest.mark.parametrize(
    ("pads", "worn"),
    [
        (Pads(), False),
        (Pads(0, "1999-01-01"), False),
        (Pads(1, TODAY), False),
        (Pads(29, ago(89)), False),
        (Pads(30, ago(5)), True),
        (Pads(31, ago(5)), True),
        (Pads(-1, ago(5)), True),
        (Pads(1, ago(90)), True),
        (Pads(1, ago(91)), True),
        (Pads(1, ago(-1)), True),
        (Pads(1, ""), True),
        (Pads(0, "", True), True),
        (Pads(3, ago(3), True), True),
        (Pads(3, ago(3), None), True),
    ],
)
def test_worn_pads_are_replaced(pads, worn):
    assert bool(pads_worn(pads, TODAY)) is worn
    assert judged(used=pads).passes is not worn
    renewed = tuple(Answer(name, yes or name == "pads") for name, yes in GOOD.items())
    assert judge(ROWS, renewed, TODAY, pads).passes
    if worn:
        assert holds(judged(used=pads)) == [("pads", Hold.BLOCKED)]
    if pads.sessions:
        assert pads_worn(pads, "today")  # nobody knows how old they are


def test_why_pads_are_worn_is_said():
    assert "irritated" in pads_worn(Pads(0, "", True), TODAY)
    assert pads_worn(Pads(30, TODAY), TODAY) == "These pads have had 30 sessions; 30 are the most."
    assert "three months" in pads_worn(Pads(2, ago(200)), TODAY)


# -- dates -----------------------------------------------------------------------------------------------------------


def test_days_are_counted_as_the_calendar_does():
    first = date(1900, 1, 1)
    offset = first.toordinal() - day_number("1900-01-01")
    for step in range(0, 150_000, 13):
        day = first + timedelta(step)
        assert day_number(day.isoformat()) == day.toordinal() - offset, day
    for text in ("1999-12-31", "2000-02-29", "2000-03-01", "2024-02-29", "2100-02-28", "2100-03-01", "9999-12-31"):
        assert day_number(text) == date.fromisoformat(text).toordinal() - offset
    assert day_number("0400-03-01") is None
    assert day_number("1900-03-01") == 1900 * 365 + 475 - 19 + 4


@pytest.mark.parametrize(
    "text",
    [
        "1899-12-31", "2026-00-10", "2026-13-10", "2026-01-00", "2026-01-32", "2026-04-31", "2026-02-30", "2023-02-29",
        "2100-02-29", "1900-02-29", "2026-1-10", "2026-01-1", "20260110", "2026/01/10", "2026-01/10", "2026-01-100",
        "2026-0١-10", "2026--1-10", " 026-01-10", "2026-+1-10", "", None, 20260110, b"2026-01-10", "2026-06-31",
        "x026-01-10", "2x26-01-10", "20x6-01-10", "202x-01-10", "2026-x1-10", "2026-0x-10", "2026-01-x0", "2026-01-1x",
    ],
)  # fmt: skip
def test_what_is_no_date(text):
    assert day_number(text) is None


# -- a site can only make it stricter --------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [IMPLANT, EPILEPSY, SKIN])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_row_only_becomes_stricter(row, kind):
    allowed = kind is row.kind or (row.kind is Kind.SIGN_OFF and kind is Kind.BLOCK)
    refused = change_refused(row, kind)
    assert (refused is None) is allowed
    if refused:
        assert refused == f"This would soften the row from {row.kind} to {kind}."


def test_no_row_is_replaced_or_changed_that_is_not_there():
    assert "no such row" in change_refused(None, Kind.BLOCK)
    assert addition_refused(ROWS, SKIN._replace(id="fever")) is None
    assert "of this name" in addition_refused(ROWS, SKIN)
    assert addition_refused((), SKIN) is None


def test_the_periods_are_those_of_the_page():
    assert (screening.SIGN_OFF_DAYS, screening.CHANGING_DAYS) == (14, 84)
    assert (screening.PADS_SESSIONS_MAX, screening.PADS_DAYS_MAX) == (30, 90)
