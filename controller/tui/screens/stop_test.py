"""The STOP test: nothing can be armed until the gateway itself has seen a STOP press in this session."""

from textual.app import ComposeResult

from controller.tui.keys import Key
from controller.tui.pedal_words import stop_test_parts
from controller.tui.screens.base import HouseScreen
from controller.tui.view import View
from controller.tui.widgets.pane import Pane


class StopTestScreen(HouseScreen):
    """Goes on by itself as soon as the gateway says that it has seen the press."""

    BOUND = "w,q"
    HELP = (
        "F12 is read before anything else the screen does and goes straight to the process that owns the unit. "
        "This test proves, today and on this keyboard, that it arrives. If nothing happens: some laptops need fn+F12.\n"
        "The command `stimloop stop` in any other terminal does the same. A foot pedal that was named at the start is "
        "tested here as well: any key of it is STOP."
    )

    def compose_body(self) -> ComposeResult:
        """One instruction."""
        yield Pane(id="press", classes="large")
        yield Pane(id="why", classes="note")

    def keys(self, view: View) -> list[Key]:
        """F12 is the key; it is not in this table because it works everywhere."""
        return [*self.worn_keys(view), self.quit_key()]

    def paint(self, view: View) -> None:
        """Ask for the press."""
        self.query_one("#press", Pane).parts = stop_test_parts(view)
        self.query_one("#why", Pane).parts = (
            "Nothing can be armed before STOP has been tried.\n",
            "F12 stops in every screen and dialog. While armed or stimulating, the space bar, Esc and ",
            "every key that the line below does not show stop as well.\n\n",
            ("Nothing happens? Some keyboards need fn+F12.\n", "$quiet"),
            ("From another terminal: stimloop stop", "$quiet"),
        )
