"""Until the engine has spoken."""

from textual.app import ComposeResult

from controller.tui.keys import Key
from controller.tui.screens.base import HouseScreen
from controller.tui.view import View
from controller.tui.widgets.pane import Pane


class StartingScreen(HouseScreen):
    """Says what is being waited for."""

    BOUND = "q"
    HELP = "The program is starting its two other processes: the engine (pucks, session) and the gateway (the unit)."

    def compose_body(self) -> ComposeResult:
        """One box."""
        yield Pane(id="starting", classes="box")

    def keys(self, view: View) -> list[Key]:
        """Only leaving."""
        return [self.quit_key()]

    def paint(self, view: View) -> None:
        """Which of the two has answered."""
        gateway = "● answers" if view.status is not None else "○ not heard yet"
        engine = "● answers" if view.snapshot is not None else "○ not heard yet"
        self.query_one("#starting", Pane).parts = (
            ("stimloop\n\n", "bold"),
            "Starting. No current can flow.\n\n",
            f"gateway  {gateway}\nengine   {engine}\n",
        )
