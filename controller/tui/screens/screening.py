"""Screening: the blocking questions, one at a time, y or n. Any yes blocks the session."""

from textual.app import ComposeResult

from controller.tui.keys import Key, key
from controller.tui.screening_questions import QUESTIONS
from controller.tui.screens.base import HouseScreen
from controller.tui.view import View
from controller.tui.widgets.pane import Pane, Parts
from controller.tui.words import Part
from controller.vocabulary.intents import ScreeningDone

_PRACTICE = "This is a simulated patient: the questions are shown for practice. A no is the honest answer to each."


class ScreeningScreen(HouseScreen):
    """`answers[i]` is True for yes, False for no, None for open."""

    BOUND = "y,n,up,down,g,b,w,q"
    HELP = (
        "Ask each question before anything is put on the skin. "
        "A yes to any of them blocks electrical stimulation today.\n"
        "An arrow goes back to a question; answering it again replaces the answer."
    )

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[bool | None] = [None] * len(QUESTIONS)
        self.at = 0

    def compose_body(self) -> ComposeResult:
        """What this is, the questions, the verdict."""
        yield Pane(id="intro", classes="note")
        yield Pane(id="questions")
        yield Pane(id="verdict", classes="verdict")

    @property
    def blocked(self) -> bool:
        """A yes was given."""
        return True in self.answers

    @property
    def complete(self) -> bool:
        """Every question has an answer."""
        return None not in self.answers

    def keys(self, view: View) -> list[Key]:
        """Answer, move, and then either go on or go back."""
        found = [
            key("y", "yes", lambda: self._answer(True)),
            key("n", "no", lambda: self._answer(False)),
            key("up", "back", lambda: self._move(-1), shown="↑"),
            key("down", "on", lambda: self._move(1), shown="↓"),
        ]
        if self.blocked:
            found.append(key("b", "blocked: end", lambda: self._done(False)))
        elif self.complete:
            found.append(key("g", "all no: go on", lambda: self._done(True)))
        return [*found, *self.worn_keys(view), self.quit_key()]

    def why_not(self, name: str, view: View) -> str:
        """What is asked for first."""
        return {
            "g": "A yes blocks: b ends here." if self.blocked else "Answer every question first: y or n.",
            "b": "Nothing blocks so far.",
        }.get(name, super().why_not(name, view))

    def _answer(self, yes: bool) -> None:
        self.answers[self.at] = yes
        self._move(1)

    def _move(self, by: int) -> None:
        self.at = min(len(QUESTIONS) - 1, max(0, self.at + by))

    def _done(self, passed: bool) -> None:
        self.house.front.intend(ScreeningDone(passed))

    def paint(self, view: View) -> None:
        """The list with answers and mark."""
        patient = "" if view.snapshot is None else view.snapshot.patient
        intro = _PRACTICE if self.house.simulated else "Ask every question, today, before the electrodes go on."
        self.query_one("#intro", Pane).parts = ((f"Screening of {patient}\n", "bold"), intro)
        parts: list[Part] = []
        for index, question in enumerate(QUESTIONS):
            word, look = {None: ("  ·  ", "$quiet"), True: ("▲ YES", "bold $alarm"), False: ("✓ no ", "$good")}[
                self.answers[index]
            ]
            mark = "▶" if index == self.at else " "
            style = "bold" if index == self.at else ""
            parts += [(f"{mark} ", style), (word, look), (f"  {index + 1:2d}. {question}\n", style)]
        self.query_one("#questions", Pane).parts = tuple(parts)
        self.query_one("#verdict", Pane).parts = self._verdict()

    def _verdict(self) -> Parts:
        if self.blocked:
            return (
                ("▲ BLOCKED. ", "bold $alarm"),
                "No electrical stimulation today. Ask the responsible clinician. Press b to end here.",
            )
        if self.complete:
            return (("✓ Nothing blocks. ", "bold $good"), "Press g to go on to the devices.")
        return (f"{self.answers.count(None)} questions are open. y = yes, n = no.",)
