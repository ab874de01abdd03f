"""A dialog of a few text fields, one under the other: Enter goes on, and at the last one all are looked at."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import NamedTuple

from textual.app import ComposeResult
from textual.widgets import Input

from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseDialog
from controller.tui.view import View
from controller.tui.widgets.pane import Pane, Parts


class Field(NamedTuple):
    """One text field: its title stays readable while the example gives way to what is typed."""

    name: str
    title: str
    example: str
    given: str = ""
    letters_max: int = 12


class Wrong(NamedTuple):
    """Which field cannot be taken, and why, in one sentence."""

    field: str
    sentence: str


class FormDialog(HouseDialog):
    """Sub-classes give `question` and `take`. Never opened while armed: there, letters mean STOP.

    Nothing is `BOUND` here: what this screen took for itself, Enter above all, would never reach the fields.
    """

    def __init__(self, *fields: Field) -> None:
        super().__init__()
        self._fields = fields

    def question(self, view: View) -> Parts:
        """What is asked."""
        return ()

    def take(self, values: dict[str, str]) -> Wrong | None:
        """Use what was typed, by field; None when it could be used."""
        return None

    def compose_body(self) -> ComposeResult:
        """The question and the fields."""
        yield Pane(id="question", classes="box dialog")
        for field in self._fields:
            entry = Input(field.given, field.example, id=field.name, classes="entry", max_length=field.letters_max)
            entry.border_title = field.title
            entry.cursor_blink = False
            yield entry

    def on_mount(self) -> None:
        """Ready to type."""
        super().on_mount()
        self._focus(self._fields[0].name)

    def _focus(self, name: str) -> None:
        self.query_one(f"#{name}", Input).focus()

    def keys(self, view: View) -> list[Key]:
        """Enter is the field's own; tab is Textual's; escape goes back."""
        return [
            key("enter", "next, done", None, shown="Enter"),
            key("tab", "", None),
            key("shift+tab", "", None),
            key("escape", "go back", self.dismiss, shown="Esc"),
        ]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to the next field; at the end all are looked at together."""
        names = [field.name for field in self._fields]
        at = names.index(event.input.id or names[-1])
        if at + 1 < len(names):
            self._focus(names[at + 1])
            return
        wrong = self.take({name: self.query_one(f"#{name}", Input).value.strip() for name in names})
        if wrong is None:
            self.dismiss()
            return
        self.say(wrong.sentence)
        self._focus(wrong.field)
        self.house.repaint()

    def paint(self, view: View) -> None:
        """The question, with what it says of now."""
        self.query_one("#question", Pane).parts = self.question(view)


def number(text: str, what: str, most: int) -> Decimal | str:
    """The number that was typed, within `most` either way; else one sentence with what is wrong."""
    if not text.strip():
        return f"The {what} is missing."
    try:
        found = Decimal(text.strip().replace("−", "-"))
    except InvalidOperation:
        point = " Use a point, not a comma." if "," in text else ""
        return f"The {what} is no number.{point}"
    if not found.is_finite() or not -most <= found <= most:
        return f"The {what} of {text.strip()} cannot be."
    return found


def whole(found: Decimal, per_unit: int, rounding: str = ROUND_HALF_EVEN) -> int:
    """`found` in steps of 1/`per_unit`."""
    return int((found * per_unit).to_integral_value(rounding))
