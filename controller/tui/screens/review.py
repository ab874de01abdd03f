"""Review: the task-training log of the session that has ended."""

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from controller.record.log_text import render_text
from controller.record.training_log import training_log
from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseScreen
from controller.tui.view import View
from controller.tui.widgets.pane import Pane
from controller.tui.words import clock
from controller.tui.worn_words import worn_line


def render_log(folder: str, width: int) -> str:
    """The training log of the session in `folder`, as text of `width` columns."""
    return render_text(training_log(Path(folder)), width)


class ReviewScreen(HouseScreen):
    """The record is on the disk already; this reads it once, and again on `r`."""

    BOUND = "up,down,pageup,pagedown,home,end,r,q"
    HELP = (
        "The training log: a row a repetition, totals a task and a session. It is read from the session's folder;\n"
        "`stimloop log` prints the same text, `stimloop verify` checks that nobody has changed the record."
    )

    def __init__(self) -> None:
        super().__init__()
        self._lasted_ms: int | None = None

    def compose_body(self) -> ComposeResult:
        """Heading and the log."""
        yield Pane(id="heading", classes="note")
        yield VerticalScroll(Pane(id="log"), id="page", can_focus=False)

    def on_mount(self) -> None:
        """Paint, then read."""
        super().on_mount()
        self.call_after_refresh(self._read)

    def keys(self, view: View) -> list[Key]:
        """Scroll, read again, leave."""
        page = self.query_one("#page", VerticalScroll)
        return [
            *self.skin_keys(view),
            key("up", "", lambda: page.scroll_up(animate=False)),
            key("down", "scroll", lambda: page.scroll_down(animate=False), shown="↑↓"),
            key("pageup", "", lambda: page.scroll_page_up(animate=False)),
            key("pagedown", "page", lambda: page.scroll_page_down(animate=False), shown="PgUp PgDn"),
            key("home", "", lambda: page.scroll_home(animate=False)),
            key("end", "", lambda: page.scroll_end(animate=False)),
            key("r", "read again", self._read),
            self.quit_key(),
        ]

    def _read(self) -> None:
        snapshot = self.house.view.snapshot
        width = self.query_one("#page").size.width
        if snapshot is None or not snapshot.folder:
            self.query_one("#log", Pane).update("No session was recorded.")
            return
        try:
            text = self.house.log_text(snapshot.folder, width)
        except (OSError, ValueError, KeyError) as error:
            text = f"The training log cannot be read yet ({error}). Press r to read it again.\n{snapshot.folder}"
        self.query_one("#log", Pane).update(Content(text))

    def paint(self, view: View) -> None:
        """What was done, in one line, and where it lies."""
        if view.snapshot is None:
            return
        tally = view.snapshot.tally
        if self._lasted_ms is None:  # the session is over: its time stands still, the snapshot's goes on
            self._lasted_ms = view.snapshot.session_elapsed_ms
        worn = worn_line(view, self.size.width - 48)
        self.query_one("#heading", Pane).parts = (
            (f"Session of {view.snapshot.patient} is over.  ", "bold"),
            f"{tally.completed}/{tally.target} repetitions, {tally.assisted} assisted, ",
            f"time {clock(self._lasted_ms)}\n",
            (f"Record: {view.snapshot.folder}", "$quiet"),
            (f"\n▲ Still {worn}. Check the skin when it comes off." if worn else "", "bold $warning"),
        )
