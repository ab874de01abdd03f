"""F1: what this screen is for, and what holds everywhere."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseDialog
from controller.tui.view import View
from controller.tui.widgets.pane import Pane

_EVERYWHERE = (
    ("STOP\n", "bold"),
    "F12 stops at once, current and orthosis, in every screen and dialog. While armed or stimulating so do the "
    "space bar, Esc and every key that this screen does not use. A foot pedal can be set to send F12. "
    "From another terminal: stimloop stop. After a stop the output stays latched until a person "
    "writes a reason and arms again.\n",
    ("Arming\n", "bold"),
    "Two different keys: a asks, c confirms within 5 s. Nothing starts on one key or a held key.\n",
    ("The first line\n", "bold"),
    "□ SAFE no current   ▶ ARMED current may come   ■ STIM ON current flows\n"
    "■ ORTHOSIS ON it pushes   ‖ PAUSED   ▲ STOPPED latched, waits for you\n"
    "▲ PULL THE LEADS: nobody can say what the unit does\n",
    ("Keys everywhere\n", "bold"),
    "F1 help   F2 devices   F12 STOP   ctrl+q leave (stops first, then asks)\n"
    "w while disarmed: splint, AFO or sling put on or taken off, with the skin check\n",
)


class HelpDialog(HouseDialog):
    """`about` is the help text of the screen underneath."""

    BOUND = "x,escape,up,down"
    HELP = "This page."

    def __init__(self, about: str) -> None:
        super().__init__()
        self._about = about

    def compose_body(self) -> ComposeResult:
        """One page that scrolls on a small terminal."""
        scroll = VerticalScroll(Pane(id="help"), id="page", can_focus=False)
        yield scroll

    def keys(self, view: View) -> list[Key]:
        """Close, scroll."""
        page = self.query_one("#page", VerticalScroll)
        return [
            key("x,escape", "close", self.dismiss),
            key("up", "up", lambda: page.scroll_up(animate=False), shown="↑"),
            key("down", "down", lambda: page.scroll_down(animate=False), shown="↓"),
        ]

    def paint(self, view: View) -> None:
        """Text."""
        self.query_one("#help", Pane).parts = (("This screen\n", "bold"), f"{self._about}\n", *_EVERYWHERE)
