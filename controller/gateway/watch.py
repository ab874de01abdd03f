"""Who must be heard from, and how often. Silence means stop."""

from controller.clock import MS

FRONT_SILENT_NS = 500 * MS
ENGINE_SILENT_NS = 500 * MS
ENGINE_QUIET_NS = 200 * MS
"""It beats every 100 ms. A release under way has no lease of its own: with a quieter engine it ends at once."""
JUMP_NS = 500 * MS


class Watch:
    """Remembers when the engine and the screen were last heard, and notices a jump of the clock.

    `step` gives a sentence for the first thing that is wrong, or "". A jump counts only between two steps of a
    running gateway: it is woken at least each 100 ms, so 500 ms without a step means suspend, freeze or a clock step.
    """

    def __init__(self) -> None:
        self.engine_ns = 0
        self.front_ns = 0
        self.engine_here = False
        self.front_here = False
        self._last_step_ns = 0

    def heard_engine(self, now_ns: int) -> None:
        """A message of the engine arrived."""
        self.engine_ns, self.engine_here = now_ns, True

    def heard_front(self, now_ns: int) -> None:
        """A message of the screen arrived."""
        self.front_ns, self.front_here = now_ns, True

    def jumped_ns(self, now_ns: int) -> int:
        """How far the clock moved since the last step when that is impossible (backwards or over 500 ms), else 0."""
        last, self._last_step_ns = self._last_step_ns, now_ns
        gap = now_ns - last
        return 0 if not last or 0 <= gap <= JUMP_NS else gap

    def engine_spoke(self, now_ns: int) -> bool:
        """The engine was heard so lately that what it let go may still be let go softly."""
        return self.engine_here and now_ns - self.engine_ns <= ENGINE_QUIET_NS

    def engine_alive(self, now_ns: int) -> bool:
        """The engine was heard within its time."""
        return self.engine_here and now_ns - self.engine_ns <= ENGINE_SILENT_NS

    def front_alive(self, now_ns: int) -> bool:
        """The screen's event loop was heard within its time."""
        return self.front_here and now_ns - self.front_ns <= FRONT_SILENT_NS
