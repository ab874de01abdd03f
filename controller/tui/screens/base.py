"""What every screen has: the bar on row 1, the alert line, its own body, and the keys line at the foot."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import ModalScreen, Screen

from controller.tui.keys import Key, key
from controller.tui.view import View
from controller.tui.widgets.alert_line import AlertLine, alert_parts
from controller.tui.widgets.keys_line import KeysLine, hints
from controller.tui.widgets.status_bar import StatusBar, bar_model, is_real
from controller.vocabulary.intents import SkinSeen
from controller.vocabulary.requests import Present

if TYPE_CHECKING:
    from controller.tui.app import StimloopApp


class HouseScreen(Screen[Any]):
    """A main screen. Sub-classes give `compose_body`, `keys` and `paint`; none of them decides anything."""

    HELP: ClassVar[str] = ""
    BOUND: ClassVar[str] = ""
    """Keys that this screen binds in any of its states: while armed they do not stop, even when they do nothing now."""
    tripped: ClassVar[bool] = False
    said = ""

    @property
    def house(self) -> "StimloopApp":
        """The app, by its own type."""
        return cast("StimloopApp", self.app)

    def compose(self) -> ComposeResult:
        """Bar, alert, body, keys."""
        yield StatusBar(id="bar")
        yield AlertLine(id="alert")
        with Container(id="body"):
            yield from self.compose_body()
        yield KeysLine(id="keys")

    def compose_body(self) -> ComposeResult:
        """The widgets of this screen."""
        yield from ()

    def keys(self, view: View) -> list[Key]:
        """The keys that work now, most important first."""
        return []

    def paint(self, view: View) -> None:
        """Hand the widgets their models."""

    def show(self, view: View) -> None:
        """Paint all of the screen from `view`."""
        self.query_one(StatusBar).model = bar_model(view)
        self.set_class(is_real(view), "-real")
        self.paint(view)
        self.query_one(AlertLine).parts = alert_parts(view, self.said, self.tripped)
        self.query_one(KeysLine).shown = hints(self.keys(view))

    def live_keys(self, view: View) -> frozenset[str]:
        """Every key name that is bound here."""
        bound = frozenset(self.BOUND.split(","))
        return bound.union(*(each.names for each in self.keys(view))) - {""}

    def on_mount(self) -> None:
        """Paint at once, not only on the next poll."""
        self.show(self.house.view)

    def on_key(self, event: events.Key) -> None:
        """Do what the keys line says, and nothing else; where it was asked, any key says that somebody is there."""
        status = self.house.view.status
        if status is not None and status.alone:
            self.house.front.request(Present())
        for live in self.keys(self.house.view):
            if live.action is not None and event.key in live.names:
                event.stop()
                self.said = ""
                live.action()
                self.house.repaint()
                return
        if event.key in self.BOUND.split(","):
            event.stop()
            self.said = self.why_not(event.key, self.house.view)
            self.house.repaint()

    def why_not(self, name: str, view: View) -> str:
        """Why this screen's key `name` does nothing now: nobody should have to guess."""
        if name == "w" and view.armed:
            return "Disarm first (d): while armed, letters stop. Then w for what is worn."
        return f"{name} does nothing now."

    def worn_keys(self, view: View) -> list[Key]:
        """Splint, AFO and sling, wherever letters do not mean STOP."""
        return [] if view.armed or view.engine_lost else [key("w", "worn", self._open_worn)]

    def _open_worn(self) -> None:
        from controller.tui.screens.worn_dialog import WornDialog  # which is a screen itself

        self.house.open(WornDialog())

    def skin_keys(self, view: View) -> list[Key]:
        """The answer to the look at the skin, while it is due. Otherwise these letters mean what they always mean."""
        if view.snapshot is None or not view.snapshot.skin_due or view.engine_lost:
            return []
        return [
            key("k", "skin well", lambda: self.house.front.intend(SkinSeen(True))),
            key("i", "not well", lambda: self.house.front.intend(SkinSeen(False))),
        ]

    def quit_key(self) -> Key:
        """Leaving; the app asks first where that matters."""
        return key("q", "quit", lambda: self.app.run_worker(self.house.action_quit()))

    def say(self, text: str) -> None:
        """Put a sentence of this screen's own on the alert line, until the next key."""
        self.said = text


class HouseDialog(HouseScreen, ModalScreen[Any]):
    """A dialog: same bar, same keys line, over whatever main screen there is."""
