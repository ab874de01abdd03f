"""`Pane`: a fixed box of styled text. Model in, watch, paint: it repaints only when its parts differ."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from controller.tui.words import Part

Parts = tuple[Part, ...]


class Pane(Static):
    """Set `parts`; the box keeps its size, so that a repaint never moves anything else."""

    parts: reactive[Parts] = reactive((), init=False)

    def watch_parts(self, parts: Parts) -> None:
        """Paint."""
        self.update(Content.assemble(*parts), layout=False)
