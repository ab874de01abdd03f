"""Lines between simulated processes: what one says the other hears, at once, late, or not before the line is let go.

Also the front's two ends of them, so that the screen's own half of the channel (`FrontLine`) runs without a socket.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, cast

from controller.channel.codec import decode
from controller.channel.front import FrontLine
from controller.channel.line import Line

FOREVER = 1 << 62
WAITING_MAX = 4_096
"""Messages that a line holds at most: later ones are lost, as with a full socket."""


class Pipe:
    """One direction of a line. Order is kept. `held`: nothing arrives until the line is let go."""

    def __init__(self) -> None:
        self.delay_ns = 0
        self.ended = ""
        """Why the other end has gone, "" while it is there."""
        self.waiting: deque[tuple[int, Any]] = deque()
        self._held = False

    def push(self, now_ns: int, message: Any) -> None:
        """Say it."""
        if len(self.waiting) < WAITING_MAX:
            due_ns = FOREVER if self._held else now_ns + self.delay_ns
            if self.waiting and self.waiting[-1][0] > due_ns:
                due_ns = self.waiting[-1][0]
            self.waiting.append((due_ns, message))

    def take(self, now_ns: int) -> Iterator[Any]:
        """What has arrived by now, oldest first."""
        waiting = self.waiting
        while waiting and waiting[0][0] <= now_ns:
            yield waiting.popleft()[1]

    def due(self) -> int:
        """When the next message arrives."""
        return self.waiting[0][0] if self.waiting else FOREVER

    def hold(self) -> None:
        """Nothing gets through from now on."""
        self._held = True

    def let_go(self, now_ns: int) -> None:
        """What waited arrives now, all of it."""
        self._held = False
        self.waiting = deque((min(due_ns, now_ns + self.delay_ns), message) for due_ns, message in self.waiting)


class FrontEnd:
    """The front's end of a line. What goes out goes through the codec, as over `Line`."""

    def __init__(self, say: Callable[[Any], None]) -> None:
        self._say = say
        self._closed = False

    def send(self, kind: int, payload: bytes = b"") -> bool:
        """One message to the other process."""
        if not self._closed:
            self._say(decode(kind, payload))
        return True

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Hang up."""
        self._closed = True


class SimulatedFront(FrontLine):
    """The screen's own half of its two lines, on lines in memory: what comes in is taken as the values that were said.

    (The codec of what comes in has tests of its own, and would be a tenth of what a simulated second costs.)
    """

    def __init__(self, to_engine: Callable[[Any], None], to_gateway: Callable[[Any], None]) -> None:
        super().__init__(cast(Line, FrontEnd(to_engine)), cast(Line, FrontEnd(to_gateway)))

    def hear(self, now_ns: int, host_ns: int, engine: Pipe, gateway: Pipe) -> None:
        """What has arrived, and who has gone; then what `poll` does with the time."""
        for pipe, of_engine in ((engine, True), (gateway, False)):
            for message in pipe.take(now_ns):
                self.heed(message)
            if pipe.ended and not pipe.waiting:
                if of_engine:
                    self.engine_lost = pipe.ended
                else:
                    self.gateway_lost = self.gateway_lost or pipe.ended
        self._motion.clear()
        if self.arm_number is not None and host_ns > self.arm_number.expires_ns:
            self.arm_number = None

    def meet(self, to_gateway: Callable[[Any], None]) -> None:
        """A new gateway is on a new line."""
        self.replace_gateway(cast(Line, FrontEnd(to_gateway)))
