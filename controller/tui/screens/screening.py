"""Screening: the list that the engine hands out, one row at a time, y or n. What an answer means the engine decides."""

from textual.app import ComposeResult

from controller.tui.keys import Key, key
from controller.tui.screening_words import SIGN_OFF, about, mark_of, stands_in_the_way
from controller.tui.screens.base import HouseScreen
from controller.tui.screens.sign_off_dialog import SignOffDialog
from controller.tui.view import View
from controller.tui.widgets.pane import Pane, Parts
from controller.tui.words import Part
from controller.vocabulary.intents import ScreeningAnswer, ScreeningDone
from controller.vocabulary.snapshot import QuestionView

_PRACTICE = "This is a simulated patient: the questions are shown for practice."
_REAL = "Ask every question, today, before the electrodes go on."


class ScreeningScreen(HouseScreen):
    """`answers` holds what was said, by row."""

    BOUND = "y,n,up,down,g,b,w,q"
    HELP = (
        "Ask each question before anything is put on the skin. A yes to the first kind blocks stimulation today. A yes "
        "to the second kind needs a named clinician and a reason. The last ones are done or looked at each time: a no "
        "blocks until it is so.\n"
        "An arrow goes back to a question; answering it again replaces the answer. All of it is kept in the record."
    )

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, ScreeningAnswer] = {}
        self.at = 0

    def compose_body(self) -> ComposeResult:
        """What this is, the questions, the marked one in detail, the verdict."""
        yield Pane(id="intro", classes="note")
        yield Pane(id="questions")
        yield Pane(id="about-question")
        yield Pane(id="verdict", classes="verdict")

    def rows(self, view: View) -> tuple[QuestionView, ...]:
        """The list as the engine hands it out."""
        return () if view.snapshot is None else view.snapshot.screening

    def blocked(self, view: View) -> bool:
        """An answer blocks, as far as the screen can say."""
        given = self.answers
        return any(row.row in given and stands_in_the_way(row, given[row.row]) for row in self.rows(view))

    def open_count(self, view: View) -> int:
        """How many rows have no answer."""
        return sum(row.row not in self.answers for row in self.rows(view))

    def keys(self, view: View) -> list[Key]:
        """Answer, move, and then either go on or go back."""
        found: list[Key] = []
        if self.rows(view):
            found += [
                key("y", "yes", lambda: self._answer(True)),
                key("n", "no", lambda: self._answer(False)),
                key("up", "back", lambda: self._move(-1), shown="↑"),
                key("down", "on", lambda: self._move(1), shown="↓"),
            ]
        if self.blocked(view):
            found.append(key("b", "blocked: end", self._done))
        elif self.rows(view) and not self.open_count(view):
            found.append(key("g", "go on", self._done))
        return [*found, *self.worn_keys(view), self.quit_key()]

    def why_not(self, name: str, view: View) -> str:
        """What is asked for first."""
        return {
            "g": "That blocks: put it right and answer again, or b ends here."
            if self.blocked(view)
            else "Answer every question first: y or n.",
            "b": "Nothing blocks so far.",
        }.get(name, super().why_not(name, view))

    def _answer(self, yes: bool) -> None:
        row = self.rows(self.house.view)[self.at]
        if yes and row.kind == SIGN_OFF:
            self.house.open(SignOffDialog(row, self._take))
        else:
            self._take(ScreeningAnswer(row.row, yes))

    def _take(self, answer: ScreeningAnswer) -> None:
        self.answers[answer.row] = answer
        self._move(1)

    def _move(self, by: int) -> None:
        self.at = min(len(self.rows(self.house.view)) - 1, max(0, self.at + by))

    def _done(self) -> None:
        rows = self.rows(self.house.view)
        self.house.front.intend(ScreeningDone(tuple(self.answers[row.row] for row in rows if row.row in self.answers)))

    def paint(self, view: View) -> None:
        """As many rows as there is room for around the marked one."""
        snapshot, rows = view.snapshot, self.rows(view)
        if snapshot is None or not rows:
            return
        pane = self.query_one("#questions", Pane)
        room = max(3, pane.size.height or 10)
        first = max(0, min(self.at - room // 2, len(rows) - room))
        parts: list[Part] = []
        for index, row in list(enumerate(rows))[first : first + room]:
            look = "bold" if index == self.at else ""
            parts += [("▶ " if index == self.at else "  ", look), mark_of(row, self.answers.get(row.row))]
            parts.append((f" {index + 1:2d}. {row.question}\n", look))
        pane.parts = tuple(parts)
        who = f"Screening of {snapshot.patient}, {snapshot.affected_side} side"
        self.query_one("#intro", Pane).parts = (
            (who, "bold"),
            (f"   list version {snapshot.screening_version}, {len(rows)} questions\n", "$quiet"),
            _PRACTICE if self.house.simulated else _REAL,
        )
        row = rows[self.at]
        self.query_one("#about-question", Pane).parts = about(row, self.answers.get(row.row), self.size.width - 6)
        self.query_one("#verdict", Pane).parts = self._verdict(view)

    def _verdict(self, view: View) -> Parts:
        if self.blocked(view):
            return (("▲ BLOCKED. ", "bold $alarm"), "Put it right and answer again, or b ends here.")
        count = self.open_count(view)
        if not count:
            return (("✓ All is answered. ", "bold $good"), "Press g to go on to the devices.")
        return (f"{count} question{'s are' if count > 1 else ' is'} open. y = yes, n = no.",)
