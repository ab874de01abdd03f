"""The strip chart's memory and drawing, without Textual: the last ten seconds of speed as braille cells."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, isfinite

from controller.vocabulary.snapshot import MotionPoint

WINDOW_MS = 10_000
POINTS_MAX = 12_000
_NICE = (5, 10, 20, 30, 40, 50, 60, 80, 100, 120, 160, 200, 250, 300, 400, 500, 600, 800, 1000, 1500, 2000)
# Bit of the dot in column 0 and 1 of a braille cell, rows from the top.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


@dataclass(frozen=True, slots=True)
class Picture:
    """`rows` of cells as text (top first), and for each cell its look: ` ` empty, `t` trace, `a` above, `l` line."""

    rows: tuple[str, ...]
    looks: tuple[str, ...]
    threshold_row: int
    top_dps: float


def top_of_scale(threshold_dps: float, highest_dps: float) -> float:
    """Four times the attempt threshold, rounded up to a round figure: the scale stands still and the threshold stays
    readable when stimulated motion, 5 to 50 times faster, runs off it. Without a threshold: the highest speed."""
    wanted = 4 * threshold_dps if threshold_dps > 0 else highest_dps
    return next((float(nice) for nice in _NICE if nice >= wanted), float(_NICE[-1]))


class Trace:
    """Speeds in bins of one dot column each, kept as (lowest, highest, last) while they come."""

    def __init__(self) -> None:
        self._points: deque[tuple[int, float]] = deque(maxlen=POINTS_MAX)
        self._bins: dict[int, tuple[float, float, float]] = {}
        self._bin_ms = 0
        self.newest_ms = 0

    def extend(self, points: Iterable[MotionPoint]) -> None:
        """Take new points; time that runs backwards (a new session) starts afresh."""
        for point in points:
            if point.t_ms < self.newest_ms:
                self._points.clear()
                self._bins.clear()
            self.newest_ms = point.t_ms
            if not isfinite(point.speed_dps):  # nothing is known of that instant: a gap, as in a pause of the puck
                continue
            self._points.append((point.t_ms, point.speed_dps))
            if self._bin_ms:
                self._put(point.t_ms, point.speed_dps)

    def _put(self, t_ms: int, speed_dps: float) -> None:
        index = t_ms // self._bin_ms
        low, high, _ = self._bins.get(index, (speed_dps, speed_dps, speed_dps))
        self._bins[index] = (min(low, speed_dps), max(high, speed_dps), speed_dps)

    def _rebin(self, bin_ms: int) -> None:
        self._bin_ms = bin_ms
        self._bins.clear()
        for t_ms, speed_dps in self._points:
            self._put(t_ms, speed_dps)

    def draw(self, width: int, height: int, threshold_dps: float) -> Picture:
        """The last ten seconds in `width` x `height` cells, newest at the right."""
        bin_ms = max(1, ceil(WINDOW_MS / (2 * width)))
        if bin_ms != self._bin_ms:
            self._rebin(bin_ms)
        newest = self.newest_ms // bin_ms
        first = newest - 2 * width + 1
        for index in [index for index in self._bins if index < first]:
            del self._bins[index]
        top = top_of_scale(threshold_dps, max((high for _, high, _ in self._bins.values()), default=0.0))
        cells = self._cells(width, height, top, first)
        return _picture(cells, width, height, threshold_dps, top)

    def _cells(self, width: int, height: int, top: float, first: int) -> list[list[int]]:
        cells = [[0] * width for _ in range(height)]
        dots = 4 * height - 1
        before: int | None = None
        for column in range(2 * width):
            entry = self._bins.get(first + column)
            if entry is None:
                before = None
                continue
            low, high, last = (min(dots, max(0, round(speed / top * dots))) for speed in entry)
            if before is not None:
                low, high = min(low, before), max(high, before)
            before = last
            bits = _DOTS[column & 1]
            for dot in range(dots - high, dots - low + 1):
                cells[dot >> 2][column >> 1] |= bits[dot & 3]
        return cells


def _picture(cells: list[list[int]], width: int, height: int, threshold_dps: float, top: float) -> Picture:
    dots = 4 * height - 1
    line_row = (dots - min(dots, round(threshold_dps / top * dots))) >> 2 if threshold_dps > 0 else -1
    rows, looks = [], []
    for index, row in enumerate(cells):
        empty = "╌" if index == line_row else " "
        rows.append("".join(chr(0x2800 + bits) if bits else empty for bits in row))
        mark = "a" if index < line_row or (index == line_row) else "t"
        blank = "l" if index == line_row else " "
        looks.append("".join(mark if bits else blank for bits in row))
    return Picture(tuple(rows), tuple(looks), line_row, top)
