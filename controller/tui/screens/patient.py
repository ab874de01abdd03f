"""Who is here today."""

from functools import partial

from textual.app import ComposeResult

from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseScreen
from controller.tui.view import View
from controller.tui.widgets.pane import Pane
from controller.tui.words import Part
from controller.vocabulary.intents import ChoosePatient
from controller.vocabulary.stages import TEST_LOAD

_ABOUT = (
    "Patients are known here by a pseudonym. Names are not kept in this program.\n"
    "Research software, not a medical device. A real unit can be armed only as its authorisation file says."
)


class PatientScreen(HouseScreen):
    """Up and down move the mark, enter chooses; a digit chooses at once."""

    BOUND = "up,down,enter,q,1,2,3,4,5,6,7,8,9"
    HELP = "Choose who is treated. The session that starts is filed under this pseudonym.\nNo current can flow yet."
    marked = 0

    def compose_body(self) -> ComposeResult:
        """The list, and what a pseudonym means."""
        yield Pane(id="patients", classes="box")
        yield Pane(id="about", classes="note")

    def keys(self, view: View) -> list[Key]:
        """Choose, move, leave."""
        found = [key("enter", "choose", partial(self._choose, self.marked), shown="Enter")]
        if len(self.house.patients) > 1:
            found.append(key("up", "up", partial(self._move, -1), shown="↑"))
            found.append(key("down", "down", partial(self._move, 1), shown="↓"))
        found += [
            key(str(index + 1), "", partial(self._choose, index)) for index in range(len(self.house.patients[:9]))
        ]
        return [
            *found,
            key("f2", "devices", self.house.action_show_devices, shown="F2"),
            self.quit_key(),
        ]

    def _move(self, by: int) -> None:
        self.marked = (self.marked + by) % len(self.house.patients)

    def _choose(self, index: int) -> None:
        self.house.front.intend(ChoosePatient(self.house.patients[index].pseudonym))

    def paint(self, view: View) -> None:
        """The list with its mark."""
        parts: list[Part] = [("Who is treated today?\n\n", "bold")]
        for index, patient in enumerate(self.house.patients):
            mark = "▶" if index == self.marked else " "
            kind = "simulated patient" if patient.simulated else "patient"
            kind = "test load, no person" if patient.pseudonym == TEST_LOAD else kind
            line = f" {mark} {index + 1}  {patient.pseudonym:<10} {patient.affected_side} side affected   {kind}\n"
            parts += [
                (line, "bold reverse" if index == self.marked else ""),
                (f"        {patient.about}\n\n", "$quiet"),
            ]
        self.query_one("#patients", Pane).parts = tuple(parts)
        self.query_one("#about", Pane).parts = ((_ABOUT, "$quiet"),)
