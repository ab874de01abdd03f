"""Screening: what is asked before current, what an answer means, and how a site may make the list stricter.

The rows are data (`screening.yaml`, read at the border); here are the rules alone, pure and in whole numbers. A yes to
a row of kind `block` blocks. A yes to a row of kind `sign_off` needs a named clinician and a reason. A row of kind
`every_session` must be answered yes: it is something that a person does or looks at each time. Nothing passes while a
row has no answer. `today` and all dates are `YYYY-MM-DD`.
"""

from enum import StrEnum
from typing import NamedTuple

SIGN_OFF_DAYS = 14
"""Botulinum toxin less than this long ago: a clinician signs."""
CHANGING_DAYS = 84
"""Up to this long after it (12 weeks): the strength is changing, thresholds are found anew."""
PADS_SESSIONS_MAX = 30
PADS_DAYS_MAX = 90
"""Three months, to the stricter side."""
NAME_LETTERS_MIN = 2
REASON_LETTERS_MIN = 3
TEXT_MAX = 200
_DIGITS = frozenset("0123456789")
_MONTH_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Kind(StrEnum):
    """What a yes means, and for the last kind what a no means. From the strictest on for contraindications."""

    BLOCK = "block"
    SIGN_OFF = "sign_off"
    EVERY_SESSION = "every_session"


class Asks(StrEnum):
    """What belongs to an answer besides yes or no."""

    YES_NO = "yes_no"
    DATE = "date"  # a yes names a date and muscles
    PADS = "pads"  # a yes means that the pads are new today


class When(StrEnum):
    """When a row of every session is asked."""

    BEFORE = "before"
    TWO_MINUTES = "two_minutes"  # two minutes after the first stimulation
    AFTER = "after"


class Row(NamedTuple):
    """One row of the list. `since` is the version of the list that it came with, `remind` is shown after a yes."""

    id: str
    kind: Kind
    question: str
    source: str
    since: int
    asks: Asks = Asks.YES_NO
    when: When = When.BEFORE
    remind: str = ""


class Answer(NamedTuple):
    """What a person answered to a row. Date and muscles for `Asks.DATE`; clinician and reason sign a yes off."""

    row: str
    yes: bool
    date: str = ""
    muscles: str = ""
    clinician: str = ""
    reason: str = ""


class Pads(NamedTuple):
    """The pads of a patient as far as it was written down: sessions with them, since when, irritated skin since."""

    sessions: int = 0
    since: str = ""
    irritated: bool = False


class Hold(StrEnum):
    """What stands in the way of a row."""

    OPEN = "open"  # no answer yet, or not a whole one
    BLOCKED = "blocked"
    UNSIGNED = "unsigned"  # a clinician's name and reason are missing


class Finding(NamedTuple):
    """A row that does not pass, and why in one sentence."""

    row: str
    hold: Hold
    why: str


class Verdict(NamedTuple):
    """The whole list judged. It passes when nothing was found; `changing` asks for thresholds found anew."""

    findings: tuple[Finding, ...]
    reminders: tuple[str, ...]
    changing: bool

    @property
    def passes(self) -> bool:
        """Every row was answered and nothing blocks."""
        return not self.findings

    @property
    def blocked(self) -> bool:
        """Some answer blocks, whatever else is open."""
        return Hold.BLOCKED in [finding.hold for finding in self.findings]


def day_number(text: str) -> int | None:
    """Days from 0000-03-01 to a date YYYY-MM-DD; None where that is no date from the year 1900 on."""
    if type(text) is not str or len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    digits = text[:4] + text[5:7] + text[8:]
    if not _DIGITS.issuperset(digits):
        return None
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:])
    if not year >= 1900 or not month < len(_MONTH_DAYS):  # month 0 has no day
        return None
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    last = 29 if leap and month == 2 else _MONTH_DAYS[month]
    if not 1 <= day <= last:
        return None
    shifted = (month + 9) % 12
    years = year if month > 2 else year - 1
    return years * 365 + years // 4 - years // 100 + years // 400 + (shifted * 153 + 2) // 5 + day - 1


def pads_worn(pads: Pads, today: str) -> str:
    """Why these pads may not be used again, in one sentence; "" when they may (or none are written down)."""
    if pads.irritated is not False:
        return "The skin was irritated under these pads."
    if not 0 <= pads.sessions < PADS_SESSIONS_MAX:
        return f"These pads have had {pads.sessions} sessions; {PADS_SESSIONS_MAX} are the most."
    if pads.sessions == 0:
        return ""
    begun, now = day_number(pads.since), day_number(today)
    if begun is None or now is None or not 0 <= now - begun < PADS_DAYS_MAX:
        return "These pads are three months old, or their first day is not known."
    return ""


def judge(rows: tuple[Row, ...], answers: tuple[Answer, ...], today: str, pads: Pads) -> Verdict:
    """Judge the answers to all rows that are asked before current. A row answered twice counts as not answered."""
    findings: list[Finding] = []
    reminders: list[str] = []
    changing = False
    for row in rows:
        if row.when is not When.BEFORE:
            continue
        given = [answer for answer in answers if answer.row == row.id]
        answer = given.pop() if len(given) == 1 else None
        if answer is None or type(answer.yes) is not bool:
            findings.append(Finding(row.id, Hold.OPEN, "This was not answered."))
            continue
        if row.kind is Kind.EVERY_SESSION:
            why = _not_done(row, answer, pads, today)
            findings += [Finding(row.id, Hold.BLOCKED, why)] if why else []
        elif answer.yes:
            findings += _contraindicated(row, answer, today)
            changing = changing or _is_changing(row, answer, today)
        if answer.yes and row.remind:
            reminders.append(row.remind)
    known = [row.id for row in rows if row.when is When.BEFORE]
    findings += [
        Finding(answer.row, Hold.OPEN, "The list has no such row.") for answer in answers if answer.row not in known
    ]
    return Verdict(tuple(findings), tuple(reminders), changing)


def change_refused(row: Row | None, kind: Kind) -> str | None:
    """Why a site may not give a row this kind: it can only become stricter. None when it may."""
    if row is None:
        return "The list has no such row."
    if row.kind is kind:
        return None
    if row.kind is Kind.SIGN_OFF and kind is Kind.BLOCK:
        return None
    return f"This would soften the row from {row.kind} to {kind}."


def addition_refused(rows: tuple[Row, ...], row: Row) -> str | None:
    """Why a site may not add this row: its name must be new, or it would replace one. None when it may."""
    if row.id in [each.id for each in rows]:
        return "The list has a row of this name: added rows need names of their own."
    return None


def _not_done(row: Row, answer: Answer, pads: Pads, today: str) -> str:
    if row.asks is Asks.PADS:
        return "" if answer.yes else pads_worn(pads, today)
    return "" if answer.yes else "This has to be so before current."


def _contraindicated(row: Row, answer: Answer, today: str) -> list[Finding]:
    if row.asks is Asks.DATE:
        days = _days_since(answer, today)
        if days is None or not days >= 0:
            return [Finding(row.id, Hold.OPEN, "A date is needed, as YYYY-MM-DD, and not one to come.")]
        if not _is_text(answer.muscles, NAME_LETTERS_MIN):
            return [Finding(row.id, Hold.OPEN, "The muscles have to be named.")]
        if row.kind is Kind.SIGN_OFF and days >= SIGN_OFF_DAYS:
            return []
    if row.kind is Kind.BLOCK:
        return [Finding(row.id, Hold.BLOCKED, "A yes blocks.")]
    if _is_text(answer.clinician, NAME_LETTERS_MIN) and _is_text(answer.reason, REASON_LETTERS_MIN):
        return []
    return [Finding(row.id, Hold.UNSIGNED, "A named clinician has to sign this off, with a reason.")]


def _is_changing(row: Row, answer: Answer, today: str) -> bool:
    days = _days_since(answer, today) if row.asks is Asks.DATE else None
    return days is not None and 0 <= days <= CHANGING_DAYS


def _days_since(answer: Answer, today: str) -> int | None:
    then, now = day_number(answer.date), day_number(today)
    return None if then is None or now is None else now - then


def _is_text(text: str, letters_min: int) -> bool:
    return type(text) is str and letters_min <= len(text.strip()) and len(text) <= TEXT_MAX
