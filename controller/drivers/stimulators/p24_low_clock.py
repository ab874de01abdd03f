"""The clock of the low level: which single pulse goes to the unit next, and when. Pure arithmetic on the caller's time.

Each channel has its own period. One pulse goes out at a time: the next waits until the one before is over, so the
unit never has to queue. The clock never hurries to catch up: a pulse that is late by a period or more is skipped and
the channel goes on from now; a pulse that is less late shortens the wait for its successor by an eighth of the period
at the most. So N pulses of a channel never take less than (N - 1) periods less an eighth of one, also across orders,
stops and restarts of one connection.
"""

from controller.drivers.stimulators.p24_low_orders import Pulse, Pulses
from controller.drivers.stimulators.sciencemode_window import FOREVER

OVERHEAD_US = 60
"""What the unit needs beside each pulse (vendor C library, for the mid level)."""
CATCH_UP = 8
"""One part in this many of a period may be caught up."""


class PulseClock:
    """Times are integer ns. A channel is due at once when it is new, and a period after its own last pulse if not."""

    def __init__(self) -> None:
        self._pulses: dict[int, Pulse] = {}
        self._due_ns: dict[int, int] = {}
        self._sent_ns: dict[int, int] = {}
        self._fresh: set[int] = set()
        self._free_ns = 0

    @property
    def channels(self) -> frozenset[int]:
        """Channels (from 1) that have pulses to come."""
        return frozenset(self._pulses)

    @property
    def running(self) -> bool:
        """True while any pulse is to come."""
        return bool(self._pulses)

    def run(self, now_ns: int, pulses: Pulses) -> None:
        """From now on exactly these. A channel that goes on with its period keeps its beat."""
        before = self._pulses
        self._pulses = {pulse.channel: pulse for pulse in pulses}
        for channel in before.keys() - self._pulses.keys():
            del self._due_ns[channel]
        for channel, pulse in self._pulses.items():
            earlier = before.get(channel)
            if earlier is None or earlier.period_us != pulse.period_us:
                self._fresh.add(channel)
                last_ns = self._sent_ns.get(channel)
                self._due_ns[channel] = now_ns if last_ns is None else max(now_ns, last_ns + pulse.period_us * 1000)

    def clear(self) -> None:
        """No further pulse."""
        self._pulses = {}
        self._due_ns.clear()

    def next_ns(self) -> int:
        """When `take` gives the next pulse; far away when none is to come."""
        if not self._due_ns:
            return FOREVER
        return max(min(self._due_ns.values()), self._free_ns)

    def take(self, now_ns: int) -> Pulse | None:
        """The pulse that is to go out now, counted as sent; None when none is due or the last one still runs."""
        if now_ns < self.next_ns():
            return None
        channel = min(self._due_ns, key=lambda one: (self._due_ns[one], one))
        pulse = self._pulses[channel]
        period_ns = pulse.period_us * 1000
        late_ns = now_ns - self._due_ns[channel]
        # A first pulse sets the beat, however long it had to wait for others; after a whole period the beat is lost.
        kept = channel not in self._fresh and late_ns < period_ns
        self._due_ns[channel] = now_ns + period_ns - (min(late_ns, period_ns // CATCH_UP) if kept else 0)
        self._fresh.discard(channel)
        self._sent_ns[channel] = now_ns
        self._free_ns = now_ns + (pulse.length_us + OVERHEAD_US) * 1000
        return pulse
