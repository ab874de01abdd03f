"""`Pane`: a fixed box of styled text. Model in, watch, paint: it repaints only when its parts differ."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from controller.tui.words import Part

Parts = tuple[Part, ...]


class Pane(Static):
    """Set `parts`; the box keeps its size while its lines are as many, so that a repaint moves nothing else."""

    parts: reactive[Parts] = reactive((), init=False)
    _lines = -1

    def watch_parts(self, parts: Parts) -> None:
        """Paint; another number of lines needs another height, where that is not fixed."""
        content = Content.assemble(*parts)
        before, self._lines = self._lines, self._height_of(content)
        self.update(content, layout=before != self._lines)

    def _height_of(self, content: Content) -> int:
        """Lines of `content`, folded at the width there is (none yet: not folded)."""
        width = self.content_size.width
        return sum(1 + (max(0, len(line) - 1) // width if width else 0) for line in content.plain.split("\n"))
