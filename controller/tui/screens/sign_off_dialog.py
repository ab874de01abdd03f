"""What belongs to a yes in the screening: a date and muscles, and the clinician who signs it off, with a reason."""

import re
from collections.abc import Callable

from controller.tui.screening_words import DATE
from controller.tui.screens.form_dialog import Field, FormDialog, Wrong
from controller.tui.view import View
from controller.tui.widgets.pane import Parts
from controller.vocabulary.intents import ScreeningAnswer
from controller.vocabulary.snapshot import QuestionView

DAY = Field("day", "date of the injection, YYYY-MM-DD", "for example 2026-03-09", letters_max=10)
MUSCLES = Field("muscles", "muscles", "for example biceps, flexor carpi radialis", letters_max=100)
CLINICIAN = Field("clinician", "clinician who signs this off", "their name", letters_max=60)
REASON = Field(
    "reason", "why it is all right to stimulate", "for example: seen today, free of seizures", letters_max=120
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class SignOffDialog(FormDialog):
    """`answered` gets the whole answer; going back leaves the row as it was. Whether it will do, the engine says."""

    HELP = (
        "A yes here does not block, but it is not the operator's to wave through: a clinician who knows the patient "
        "decides. Their name and reason are kept in the record. Botulinum toxin: the date and the muscles; less than "
        "2 weeks ago a clinician signs, up to 12 weeks after it the strength is changing and all is measured anew."
    )

    def __init__(self, question: QuestionView, answered: Callable[[ScreeningAnswer], None]) -> None:
        self._dated = question.asks == DATE
        title = "clinician who signs this off (needed in the first 2 weeks)" if self._dated else CLINICIAN.title
        super().__init__(*((DAY, MUSCLES) if self._dated else ()), CLINICIAN._replace(title=title), REASON)
        self._asked = question
        self._answered = answered

    def question(self, view: View) -> Parts:
        """The row that was answered with yes."""
        asked = "When, which muscles, and who signs it off?" if self._dated else "Who signs it off, and why?"
        return ((f"{self._asked.question}  Yes.\n", "bold"), asked)

    def take(self, values: dict[str, str]) -> Wrong | None:
        """A whole answer goes back to the list."""
        day, muscles = values.get(DAY.name, ""), values.get(MUSCLES.name, "")
        clinician, reason = values[CLINICIAN.name], values[REASON.name]
        signs = not self._dated or bool(clinician or reason)
        if self._dated and not _DATE.fullmatch(day):
            return Wrong(DAY.name, "Write the date as year-month-day: 2026-03-09.")
        if self._dated and len(muscles) < 2:
            return Wrong(MUSCLES.name, "Name the muscles.")
        if signs and len(clinician) < 2:
            return Wrong(CLINICIAN.name, "The clinician's name is missing.")
        if signs and len(reason) < 3:
            return Wrong(REASON.name, "The reason is missing.")
        self._answered(ScreeningAnswer(self._asked.row, True, day, muscles, clinician, reason))
        return None
