"""What a simulated ScienceMode unit puts out: the pulses of one channel, reckoned when asked and never one by one.

A pulse clock runs from the instant a channel comes on. Pulse k of an undisturbed train comes k periods after the first;
how many have come by now is a division. A new amplitude or pulse width keeps the clock and applies from the next pulse
on; a new period counts from the last pulse. A pulse due exactly now is not yet out.
"""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from controller.wire.sciencemode.messages import ChannelUpdate

Log = Callable[[dict[str, Any]], None]
Points = tuple[tuple[int, int], ...]

SHORTEST_US = 10
"""The unit lets shorter points act as 10 us."""
ELECTRODE_UA_MIN = 15_000
"""Below this the unit cannot tell whether current gets through."""
ELECTRODE, LOW_CURRENT = 1, 3
"""What is wrong with a channel, as the P24's report numbers it."""


class Shape(NamedTuple):
    """One pulse as the skin gets it. `charge_pc`: the larger of what flows in and out, uA x us."""

    amplitude_ua: int
    width_us: int
    charge_pc: int
    points: Points
    period_us: int

    @property
    def net_pc(self) -> int:
        """What flows in less what flows out, uA x us."""
        return sum(max(duration_us, SHORTEST_US) * current_ua for duration_us, current_ua in self.points)

    def entry(self, pulses: int) -> dict[str, Any]:
        """A train of so many of these pulses, for the log; its net charge is named only where it is not zero."""
        told = {
            "pulses": pulses,
            "amplitude_ua": self.amplitude_ua,
            "width_us": self.width_us,
            "period_us": self.period_us,
            "charge_nc": pulses * self.charge_pc / 1000,
        }
        return told | ({"net_nc": pulses * self.net_pc / 1000} if self.net_pc else {})


def shape_of(points: Points, period_us: int) -> Shape:
    """Reckon the pulse: largest current, longest run of one sign, charge of the larger of the two directions."""
    amplitude = width = run = sign = 0
    charge = {1: 0, -1: 0, 0: 0}
    for duration_us, current_ua in points:
        duration_us = max(duration_us, SHORTEST_US)
        this = (current_ua > 0) - (current_ua < 0)
        run = run + duration_us if this == sign else duration_us
        sign = this
        if this:
            width = max(width, run)
            amplitude = max(amplitude, abs(current_ua))
            charge[this] += duration_us * abs(current_ua)
    return Shape(amplitude, width, max(charge[1], charge[-1]), points, period_us)


class Channel:
    """One channel, numbered from 1. `pulses` and `charge_pc` are totals up to the last `settle`."""

    def __init__(self, number: int, log: Log | None) -> None:
        self.number = number
        self.shape: Shape | None = None
        self.contact = True
        self.symptom = ELECTRODE
        """What the unit notices where there is no contact."""
        self.pulses = 0
        self.charge_pc = 0
        self._log = log
        self._next_ns = 0
        self._last_ns: int | None = None
        # The train that is being counted: equal pulses without a gap, whatever was ordered in between.
        self._train: Shape | None = None
        self._train_start_ns = self._train_end_ns = 0
        self._train_pulses = 0

    def missed(self, shape: Shape) -> int:
        """What the unit notices when it puts out this pulse: 0, `ELECTRODE` or `LOW_CURRENT`."""
        return 0 if self.contact or shape.amplitude_ua < ELECTRODE_UA_MIN else self.symptom

    @property
    def next_pulse_ns(self) -> int:
        """When the next pulse is due (only while the channel is on)."""
        return self._next_ns

    def apply(self, now_ns: int, shape: Shape) -> None:
        """Run this pulse from now on (already settled up to now)."""
        running = self.shape
        self.shape = shape
        if running is None:
            self._next_ns, self._last_ns = now_ns, None
        elif running.period_us != shape.period_us and self._last_ns is not None:
            self._next_ns = max(now_ns, self._last_ns + shape.period_us * 1000)

    def off(self) -> None:
        """No further pulse."""
        if self.shape is not None:
            self.shape = None
            self.flush()

    def settle(self, now_ns: int) -> None:
        """Count the pulses before `now_ns`."""
        shape = self.shape
        first_ns = self._next_ns
        if shape is None or first_ns >= now_ns:
            return
        period_ns = shape.period_us * 1000
        count = (now_ns - 1 - first_ns) // period_ns + 1
        self._next_ns = first_ns + count * period_ns
        self._last_ns = self._next_ns - period_ns
        if not shape.amplitude_ua or not self.contact:
            self.flush()
            return
        self.pulses += count
        self.charge_pc += count * shape.charge_pc
        if shape != self._train:
            self.flush()
            self._train, self._train_start_ns = shape, first_ns
        self._train_pulses += count
        self._train_end_ns = self._last_ns

    def flush(self) -> None:
        """End the train that is being counted and log it."""
        train = self._train
        if train is None:
            return
        if self._log is not None:
            self._log(
                {
                    "kind": "train",
                    "t_start_ns": self._train_start_ns,
                    "t_end_ns": self._train_end_ns,
                    "channel": self.number,
                    **train.entry(self._train_pulses),
                }
            )
        self._train = None
        self._train_pulses = 0


def fits(channels: tuple[ChannelUpdate, ...], current_ua_max: int, overhead_us: int) -> bool:
    """The unit's own check of an update, written apart from the host's: current, and time for every pulse."""
    if any(not -current_ua_max <= current_ua <= current_ua_max for entry in channels for _, current_ua in entry.points):
        return False
    if any(entry.period_us <= 0 for entry in channels):
        return False
    # Sum of (points + overhead) / period below one, cleared of fractions.
    whole = prod(entry.period_us for entry in channels)
    busy = sum((sum(us for us, _ in entry.points) + overhead_us) * whole // entry.period_us for entry in channels)
    return busy < whole
