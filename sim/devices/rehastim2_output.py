"""What a simulated RehaStim2 puts out: the pulses of one channel, reckoned when asked and never one by one.

A pulse is two equal phases with 100 us between them. A channel has up to three voices: the first pulse of each
interval, and the second and third of a doublet or triplet, each a train of its own in the log. Pulse k of a voice comes
k periods after its first; a new current or width applies from the next pulse on. A pulse due exactly now is not yet
out. With 0 mA the unit only tests, so nothing is counted.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

Log = Callable[[dict[str, Any]], None]
VOICES = 3


class Pulse(NamedTuple):
    """What the skin gets in every period; `group` 1 single, 2 doublet, 3 triplet."""

    amplitude_ua: int
    width_us: int
    group: int = 1

    @property
    def charge_pc(self) -> int:
        """Charge of one phase, uA x us."""
        return self.amplitude_ua * self.width_us


class Voice:
    """One train: a pulse every period. Settle it up to now before anything changes."""

    def __init__(self, channel: "Output") -> None:
        self._channel = channel
        self.pulse: Pulse | None = None
        self.next_ns = 0
        self._period_us = 0
        # The train that is being counted: equal pulses without a gap, whatever was ordered in between.
        self._train: tuple[Pulse, int] | None = None
        self._start_ns = self._end_ns = 0
        self._pulses = 0

    def run(self, first_ns: int, pulse: Pulse, period_us: int) -> None:
        """From now on; a running voice keeps its clock."""
        if self.pulse is None:
            self.next_ns = first_ns
        self.pulse, self._period_us = pulse, period_us

    def off(self) -> None:
        """No further pulse."""
        self.pulse = None
        self.flush()

    def settle(self, now_ns: int) -> None:
        """Count the pulses before `now_ns`."""
        pulse, first_ns = self.pulse, self.next_ns
        if pulse is None or first_ns >= now_ns:
            return
        period_ns = self._period_us * 1000
        count = (now_ns - 1 - first_ns) // period_ns + 1
        self.next_ns = first_ns + count * period_ns
        self._count(first_ns, self.next_ns - period_ns, count, pulse, self._period_us)

    def once(self, at_ns: int, pulse: Pulse) -> None:
        """One pulse, outside any train."""
        self.flush()
        self._count(at_ns, at_ns, 1, pulse, 0)
        self.flush()

    def flush(self) -> None:
        """End the train that is being counted and log it."""
        train, self._train = self._train, None
        pulses, self._pulses = self._pulses, 0
        if train is None or self._channel.log is None:
            return
        pulse, period_us = train
        self._channel.log(
            {
                "kind": "train",
                "t_start_ns": self._start_ns,
                "t_end_ns": self._end_ns,
                "channel": self._channel.number,
                "pulses": pulses,
                "amplitude_ua": pulse.amplitude_ua,
                "width_us": pulse.width_us,
                "period_us": period_us,
                "charge_nc": pulses * pulse.charge_pc / 1000,
            }
        )

    def _count(self, first_ns: int, last_ns: int, count: int, pulse: Pulse, period_us: int) -> None:
        channel = self._channel
        if not (pulse.amplitude_ua and channel.contact):
            self.flush()
            return
        channel.pulses += count
        channel.charge_pc += count * pulse.charge_pc
        if self._train != (pulse, period_us):
            self.flush()
            self._train, self._start_ns = (pulse, period_us), first_ns
        self._pulses += count
        self._end_ns = last_ns


class Output:
    """One channel, numbered from 1. `pulses` and `charge_pc` are totals up to the last `settle`."""

    def __init__(self, number: int, log: Log | None) -> None:
        self.number = number
        self.log = log
        self.contact = True
        self.pulses = 0
        self.charge_pc = 0
        self.period_us = 0
        self._voices = [Voice(self) for _ in range(VOICES)]

    @property
    def pulse(self) -> Pulse | None:
        """What runs, None when the channel is off."""
        return self._voices[0].pulse

    @property
    def next_pulse_ns(self) -> int:
        """When the first pulse of the next group is due (only while the channel is on)."""
        return self._voices[0].next_ns

    def run(self, first_ns: int, pulse: Pulse, period_us: int, gap_us: int) -> None:
        """Run these pulses, the first group at `first_ns` where the channel was off (already settled up to now)."""
        self.period_us = period_us
        for index, voice in enumerate(self._voices):
            if index < pulse.group:
                start_ns = self._voices[0].next_ns if index and self.pulse is not None else first_ns
                voice.run(start_ns + index * gap_us * 1000, pulse, period_us)
            else:
                voice.off()

    def once(self, at_ns: int, pulse: Pulse, gap_us: int = 0) -> None:
        """One group of pulses."""
        for index in range(pulse.group):
            self._voices[index].once(at_ns + index * gap_us * 1000, pulse)

    def off(self) -> None:
        """No further pulse."""
        for voice in self._voices:
            voice.off()

    def settle(self, now_ns: int) -> None:
        """Count the pulses before `now_ns`."""
        for voice in self._voices:
            if voice.pulse is not None:
                voice.settle(now_ns)

    def flush(self) -> None:
        """Log what is being counted."""
        for voice in self._voices:
            voice.flush()
