"""Small dialogs: one question, plain keys, the bar above."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Input

from controller.tui.joint_words import has_orthosis
from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseDialog
from controller.tui.view import View
from controller.tui.widgets.pane import Pane
from controller.tui.worn_words import worn_line
from controller.vocabulary.facts import ArmScope
from controller.vocabulary.intents import EndSession, Note
from controller.vocabulary.requests import Arm, Disarm

if TYPE_CHECKING:
    from controller.tui.app import StimloopApp

REASON_LETTERS_MIN = 3


class AskDialog(HouseDialog):
    """A question with y and n; `agreed` is called on y."""

    def __init__(self, question: str, about: str, agreed: Callable[[], None]) -> None:
        super().__init__()
        self._question = question
        self._about = about
        self._agreed = agreed

    def compose_body(self) -> ComposeResult:
        """The question."""
        yield Pane(id="question", classes="box dialog")

    def keys(self, view: View) -> list[Key]:
        """Yes or no."""
        return [key("y", "yes", self._yes), key("n", "no, go back", self.dismiss)]

    def _yes(self) -> None:
        self.dismiss()
        self._agreed()

    def paint(self, view: View) -> None:
        """The question stands still."""
        self.query_one("#question", Pane).parts = (
            (f"{self._question}\n\n", "bold"),
            f"{self._about}\n\n",
            ("y", "bold reverse"),
            " yes     ",
            ("n", "bold reverse"),
            " no, go back",
        )


class QuitDialog(AskDialog):
    """Leaving in the middle of a session. The current is off already when this shows."""

    BOUND = "y,n,q"
    HELP = "The current has been switched off. Yes ends the session, closes its record and leaves the program."

    def __init__(self, house: "StimloopApp") -> None:
        about = f"{_off(house, 'is', 'are')} off. Yes ends the session and closes its record.{_still_on(house)}"
        super().__init__("Leave the session?", about, house.leave)


class EndDialog(AskDialog):
    """Ending a session in the ordinary way."""

    BOUND = "y,n,e"
    HELP = "Ending switches the current off, closes the record and shows the training log."

    def __init__(self, house: "StimloopApp") -> None:
        off = _off(house, "goes", "go")
        about = f"{off} off, the record is closed, and the training log is shown.{_still_on(house)}"
        super().__init__("End the session?", about, partial(_end, house))


def _off(house: "StimloopApp", one: str, both: str) -> str:
    return f"Current and orthosis {both}" if has_orthosis(house.view) else f"The current {one}"


def _still_on(house: "StimloopApp") -> str:
    """A closed record takes no more: what is worn is said before."""
    worn = worn_line(house.view, 60)
    return (
        f"\n\nStill {worn}. To enter that it came off: n{', disarm' if house.view.armed else ''}, then w."
        if worn
        else ""
    )


def _end(house: "StimloopApp") -> None:
    """Off and disarmed first, then the end."""
    house.front.request(Disarm("the session was ended"))
    house.front.intend(EndSession())


class TextDialog(HouseDialog):
    """A question with a line of text; `entered` gets it. Never opened while armed: there, letters mean STOP."""

    def __init__(self, question: str, example: str, entered: Callable[[str], None]) -> None:
        super().__init__()
        self._question = question
        self._example = example
        self._entered = entered

    def compose_body(self) -> ComposeResult:
        """The question and the field."""
        yield Pane(id="question", classes="box dialog")
        field = Input(id="field", placeholder=self._example, max_length=200)
        field.cursor_blink = False
        yield field

    def on_mount(self) -> None:
        """Ready to type."""
        super().on_mount()
        self.query_one(Input).focus()

    def keys(self, view: View) -> list[Key]:
        """Enter is the field's own; escape goes back."""
        return [
            key("enter", "done", None, shown="Enter"),
            key("escape", "go back", self.dismiss, shown="Esc"),
        ]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Too short a text stays in the field."""
        text = event.value.strip()
        if len(text) < REASON_LETTERS_MIN:
            self.say("Write a few words, please.")
            self.house.repaint()
            return
        self.dismiss()
        self._entered(text)

    def paint(self, view: View) -> None:
        """The question stands still."""
        self.query_one("#question", Pane).parts = ((self._question, "bold"),)


class ReasonDialog(TextDialog):
    """Arming again after a latch: why is it safe to go on? The confirming key is still to come."""

    HELP = "The gateway stopped and latched. It arms again only with a reason, which is kept in the record."

    def __init__(self, house: "StimloopApp", scope: ArmScope) -> None:
        example = "for example: electrode put back, patient is well"
        super().__init__("Output was stopped. Why is it safe to go on?", example, partial(_arm_again, house, scope))


def _arm_again(house: "StimloopApp", scope: ArmScope, reason: str) -> None:
    house.armer.reason = reason
    house.front.request(Arm(scope, reason))


class NoteDialog(TextDialog):
    """A line for the training log."""

    HELP = "The line is kept in the record with its time and printed in the training log."

    def __init__(self, house: "StimloopApp") -> None:
        example = "what you saw, aids used, how the patient felt"
        super().__init__("Note for the training log", example, lambda text: house.front.intend(Note(text)))
