"""The screening in the engine: the list that is asked, the answers judged, and the looks at the skin that follow.

The screen asks what the engine hands out and sends the answers back; what they mean is decided here, by the rules of
`safety.screening`. Without a whole list of answers that passes there is no fitting, whatever the screen says.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from controller.clock import SECOND
from controller.engine import ports
from controller.session.screening import Screening
from controller.vocabulary.facts import BurstStarted
from controller.vocabulary.intents import ScreeningAnswer, ScreeningDone, SkinSeen
from controller.vocabulary.notices import ToAudit
from controller.vocabulary.snapshot import QuestionView, SessionState
from safety.screening import Answer, Asks, Kind, Pads, Row, Verdict, When, judge, pads_worn

if TYPE_CHECKING:
    from controller.engine.core import EngineCore

LOOK_AFTER_NS = 120 * SECOND
"""From the first stimulation of the session to the look under the pads."""
CHANGING = "Botulinum toxin in the last 12 weeks: STRENGTH IS CHANGING."


class Care(Protocol):
    """What `controller.record.care.CareBook` gives: what is kept of a patient's pads and skin over sessions."""

    def meet(self, patient: str) -> Pads: ...

    def note(self, t_ns: int, kind: str, data: Mapping[str, object]) -> None: ...


class NoCare:
    """Nothing is kept over sessions (the virtual clock)."""

    def meet(self, patient: str) -> Pads:
        """No pads are known."""
        del patient
        return Pads()

    def note(self, t_ns: int, kind: str, data: Mapping[str, object]) -> None:
        """Nowhere to write it."""


class Checks:
    """One session's screening. `day` is today as the session began, YYYY-MM-DD."""

    def __init__(self, screening: Screening, care: Care) -> None:
        self.list = screening
        self.reminders: tuple[str, ...] = ()
        self.changing = False
        self.skin_due = ""
        self.unwell = False
        """The skin under a pad was found not well in this session."""
        self._care = care
        self._day = ""
        self._pads = Pads()
        self._views: tuple[QuestionView, ...] = ()
        self._look_at_ns = 0
        self._begun = False
        self._seen_after = False

    # -- before current ------------------------------------------------------------------------------------------

    def begin(self, patient: str, side: str, day: str) -> None:
        """A patient was chosen: the list is asked from the beginning."""
        self._day, self._pads = day, self._care.meet(patient)
        self.reminders, self.changing, self.skin_due, self.unwell = (), False, "", False
        self._look_at_ns, self._begun, self._seen_after = 0, False, False
        asked = [row for row in self.list.rows if row.when is When.BEFORE]
        self._views = tuple(self._view(row, patient, side) for row in asked)

    def _view(self, row: Row, patient: str, side: str) -> QuestionView:
        good, note = row.kind is Kind.EVERY_SESSION, ""
        if row.asks is Asks.PADS:
            worn = pads_worn(self._pads, self._day)
            good = bool(worn)
            note = worn or (f"{self._pads.sessions} sessions with them" if self._pads.sessions else "")
        question = row.question.replace("{patient}", patient).replace("{side}", side)
        return QuestionView(row.id, row.kind, row.asks, question, row.source, good, note)

    def views(self, state: SessionState) -> tuple[QuestionView, ...]:
        """The rows for the screen, while they are asked."""
        return self._views if state is SessionState.SCREENING else ()

    def judge(self, wish: ScreeningDone) -> Verdict:
        """The answers by the rules. What passes is taken over: reminders, changing strength."""
        verdict = judge(self.list.rows, tuple(map(_answer, wish.answers)), self._day, self._pads)
        if verdict.passes:
            self.reminders = (*((CHANGING,) if verdict.changing else ()), *verdict.reminders)
            self.changing = verdict.changing
        return verdict

    def keep(self, now_ns: int, wish: ScreeningDone) -> None:
        """Write down that the pads are new, where that was said."""
        if any(answer.yes for answer in wish.answers if self._asks(answer.row) is Asks.PADS):
            self._care.note(now_ns, "pads_new", {"day": self._day})

    def _asks(self, name: str) -> Asks | None:
        return next((row.asks for row in self.list.rows if row.id == name), None)

    # -- the skin, later ------------------------------------------------------------------------------------------

    def stimulated(self, fact: BurstStarted) -> None:
        """Current began in a session: with the first one the pads count one more, and the look is two minutes off."""
        if not self._begun:
            self._begun = True
            self._look_at_ns = fact.written_ns + LOOK_AFTER_NS
            self._care.note(fact.written_ns, "session", {"day": self._day})

    def on_time(self, now_ns: int, state: SessionState) -> None:
        """Is a look at the skin due?"""
        if self._look_at_ns and now_ns >= self._look_at_ns and not self.skin_due:
            self.skin_due = self._question(When.TWO_MINUTES)
            self._look_at_ns = 0
        if state is SessionState.REVIEW:
            self.skin_due = self._question(When.AFTER) if self._begun and not self._seen_after else ""

    def seen(self, now_ns: int, well: bool, state: SessionState) -> str:
        """The skin was looked at; gives when ("" when nobody had asked). What is not well is kept for the next time."""
        if not self.skin_due:
            return ""
        when = When.AFTER if state is SessionState.REVIEW else When.TWO_MINUTES
        self._seen_after = self._seen_after or when is When.AFTER
        self.skin_due, self.unwell = "", not well
        self._care.note(now_ns, "skin", {"when": when, "well": well, "day": self._day})
        return when

    def matters(self, name: str) -> bool:
        """A yes to this row speaks against stimulation, or would."""
        return any(row.id == name and row.kind is not Kind.EVERY_SESSION for row in self.list.rows)

    def _question(self, when: When) -> str:
        return next((row.question for row in self.list.rows if row.when is when), "")


def screen(core: "EngineCore", now_ns: int, wish: ScreeningDone) -> None:
    """The answers came: on to fitting, to the end, or back to what is open."""
    checks = core.checks
    verdict = checks.judge(wish)
    told = {
        "passed": verdict.passes,
        "version": checks.list.version,
        "sha256": checks.list.sha256,
        "site": checks.list.site,
        "site_sha256": checks.list.site_sha256,
        "answers": [_told(answer) for answer in wish.answers],
        "findings": [{"row": found.row, "hold": found.hold, "why": found.why} for found in verdict.findings],
        "changing": verdict.changing,
    }
    core.note(now_ns, "screened", told, sync=True)
    core.todo = ""
    if verdict.passes:
        checks.keep(now_ns, wish)
        core.out.append(ports.ToGateway(_audit(core, wish)))
        core.apply(now_ns, "screened")
    elif verdict.blocked:
        core.apply(now_ns, "end")
        core.close(now_ns, "stop")
    else:
        first = verdict.findings[0]
        question = next((view.question for view in checks.views(core.state) if view.row == first.row), first.row)
        core.todo = f"{question} {first.why}"


def in_the_way(core: "EngineCore") -> str:
    """Why nothing may begin or go on although all else is in order; "" when it may."""
    checks = core.checks
    if checks.unwell:
        return "The skin under a pad was not well: take that pad off and end the session."
    return f"{checks.skin_due} Answer that first: k if it is well, i if not." if checks.skin_due else ""


def must_try(core: "EngineCore") -> str:
    """Why an attempt threshold without attempts of today is not enough; "" when it is."""
    set_up = core.set_up
    if core.checks.changing and set_up.resolved.attempts > 0 and not set_up.calibration.asks:
        return f"{CHANGING} The attempt threshold has to come from attempts of today."
    return ""


def seen(core: "EngineCore", now_ns: int, wish: SkinSeen) -> None:
    """The skin was looked at. What is not well ends what runs."""
    asked = in_the_way(core)
    when = core.checks.seen(now_ns, wish.well is True, core.state)
    if not when:
        return
    if core.todo == asked:
        core.todo = ""
    core.note(now_ns, "skin_seen", {"when": when, "well": wish.well is True}, sync=True)
    if wish.well is not True and core.state is SessionState.RUNNING:
        core.carry(core.training.pause(now_ns))
        core.apply(now_ns, "pause")
        core.todo = "The skin under a pad is not well: take that pad off and end the session."


def _audit(core: "EngineCore", wish: ScreeningDone) -> ToAudit:
    """What was screened by which list, and what was signed off: for the record of changes."""
    signed = [answer for answer in wish.answers if answer.clinician]
    found = core.checks.list
    new = {
        "version": found.version,
        "sha256": found.sha256,
        "site_sha256": found.site_sha256,
        "yes": [_told(answer) for answer in wish.answers if answer.yes and core.checks.matters(answer.row)],
    }
    reason = "; ".join(f"{answer.row}: {answer.reason} ({answer.clinician})" for answer in signed)
    return ToAudit("screening", core.patient, json.dumps(new, sort_keys=True), reason)


def _answer(said: ScreeningAnswer) -> Answer:
    return Answer(said.row, said.yes, said.date, said.muscles, said.clinician, said.reason)


def _told(said: ScreeningAnswer) -> dict[str, object]:
    more = {"date": said.date, "muscles": said.muscles, "clinician": said.clinician, "reason": said.reason}
    return {"row": said.row, "yes": said.yes} | {name: text for name, text in more.items() if text}
