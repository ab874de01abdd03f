"""How a row of the screening list and its answer read. What an answer means is the engine's to say."""

from controller.tui.words import Part, shortened
from controller.vocabulary.intents import ScreeningAnswer
from controller.vocabulary.snapshot import QuestionView

BLOCK, SIGN_OFF, EVERY_SESSION = "block", "sign_off", "every_session"
DATE, PADS = "date", "pads"
KINDS = {
    BLOCK: "A yes blocks",
    SIGN_OFF: "A yes needs a clinician's name and reason",
    EVERY_SESSION: "To be so each time: a no blocks until it is",
}


def stands_in_the_way(question: QuestionView, answer: ScreeningAnswer) -> bool:
    """As far as the screen can say: this answer blocks."""
    if question.kind == BLOCK:
        return answer.yes
    if question.kind != EVERY_SESSION:
        return False
    return not answer.yes and (question.asks != PADS or question.good)


def mark_of(question: QuestionView, answer: ScreeningAnswer | None) -> tuple[str, str]:
    """(glyph and word, style) of a row: shape and word carry it, colour only helps."""
    if answer is None:
        return ("  ·  ", "$quiet")
    word = "YES" if answer.yes else "NO "
    if stands_in_the_way(question, answer):
        return (f"▲ {word}", "bold $alarm")
    if question.kind == SIGN_OFF and answer.yes:
        return ("! YES", "bold $warning")
    return (f"✓ {word.lower()}", "$good")


def about(question: QuestionView, answer: ScreeningAnswer | None, width: int) -> tuple[Part, ...]:
    """Two lines on the marked row: what its answer means and what is known of it, then who says that it be asked."""
    meaning = KINDS.get(question.kind, question.kind)
    if question.asks == PADS:
        meaning = "Only new pads will do" if question.good else "No: the same pads go on"
    known = question.note or (answered(answer) if answer is not None else "")
    first = f"{meaning}. {known}" if known else f"{meaning}."
    return (f"{shortened(first, width)}\n", (shortened(f"Source: {question.source}", width), "$quiet"))


def answered(answer: ScreeningAnswer) -> str:
    """Date, muscles and signature in a few words."""
    signed = f"signed off by {answer.clinician}" if answer.clinician else ""
    return ", ".join(part for part in (answer.date, answer.muscles, signed, answer.reason) if part)
