"""The strip chart: speed of the limb over the last ten seconds against the attempt threshold.

Our own `render_line` with braille cells: 7 to 8 ms of processor time a frame, a third of what chart libraries need.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from controller.tui.widgets.trace import Picture, Trace

AXIS_COLUMNS = 6
_LOOKS = {" ": "chart--empty", "t": "chart--trace", "a": "chart--attempt", "l": "chart--line", "s": "chart--stale"}


@dataclass(frozen=True, slots=True)
class ChartModel:
    """What the chart shows besides its points. `newest_ms` changes with every new point and so causes the repaint."""

    threshold_dps: float
    speed_dps: float
    angle_deg: float
    newest_ms: int
    stale: bool


class StripChart(Widget):
    """Draws `trace`, which the app fills on every screen; set `model` after new points."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(_LOOKS.values()) | {"chart--legend"}
    model: reactive[ChartModel | None] = reactive(None, init=False)

    def __init__(self, trace: Trace, drawn: Callable[[], None], id: str | None = None) -> None:
        """`drawn` is called once for each frame that is really drawn."""
        super().__init__(id=id)
        self._drawn = drawn
        self._trace = trace
        self._picture: Picture | None = None

    def render_line(self, y: int) -> Strip:
        """Row 0 is the legend, the last row the time axis, the plot lies between."""
        width, height = self.size
        model = self.model
        if model is None or width <= AXIS_COLUMNS + 4 or height < 4:
            return Strip.blank(width)
        if y == 0:
            self._picture = self._trace.draw(width - AXIS_COLUMNS, height - 2, model.threshold_dps)
            self._drawn()
            return self._legend(model, width)
        if self._picture is None:
            self._picture = self._trace.draw(width - AXIS_COLUMNS, height - 2, model.threshold_dps)
        if y == height - 1:
            return self._time_axis(width)
        return self._plot_row(self._picture, y - 1, model, width)

    def _legend(self, model: ChartModel, width: int) -> Strip:
        threshold = f"{model.threshold_dps:.1f} deg/s" if model.threshold_dps > 0 else "not calibrated"
        pieces = [
            ("speed ", "chart--legend"),
            (f"{model.speed_dps:6.1f} deg/s", "s" if model.stale else "t"),
            (f"   angle {model.angle_deg:6.1f} deg   ", "chart--legend"),
            ("╌╌ ", "l"),
            (f"attempt threshold {threshold}", "chart--legend"),
        ]
        segments = [Segment(text, self.get_component_rich_style(_LOOKS.get(look, look))) for text, look in pieces]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _plot_row(self, picture: Picture, row: int, model: ChartModel, width: int) -> Strip:
        label = ""
        if row == picture.threshold_row:
            label = f"{model.threshold_dps:.1f}"
        elif row == 0:
            label = f"≥{picture.top_dps:.0f}"  # faster movement is drawn along the top
        elif row == len(picture.rows) - 1:
            label = "0"
        axis = self.get_component_rich_style("chart--legend")
        segments = [Segment(f"{label:>{AXIS_COLUMNS - 1}}│", axis)]
        at = 0
        for look, run in groupby(picture.looks[row]):
            size = len(list(run))
            name = "s" if model.stale and look in "ta" else look
            segments.append(Segment(picture.rows[row][at : at + size], self.get_component_rich_style(_LOOKS[name])))
            at += size
        return Strip(segments, width)

    def _time_axis(self, width: int) -> Strip:
        plot = width - AXIS_COLUMNS
        left, middle, right = "10 s ago", "5 s ago", "now"
        gap = max(1, plot // 2 - len(left) - len(middle) // 2)
        text = " " * AXIS_COLUMNS + left + " " * gap + middle
        text = text.ljust(width - len(right)) + right
        return Strip([Segment(text[:width], self.get_component_rich_style("chart--legend"))]).adjust_cell_length(width)
