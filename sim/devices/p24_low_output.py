"""What a simulated P24 puts out in its low level: single pulses as they come, joined into trains for the log.

One train is an unbroken run of equal pulses at equal spacing. A spacing that differs by more than a quarter from the
mean so far begins a new train. `period_us` of a train is its mean spacing, rounded; for one pulse the time since the
pulse before it (0 where none came within 120 ms).
"""

from sim.devices.sciencemode_output import Channel, Log, Shape

MS = 1_000_000
FOREVER = 1 << 62
TOLERANCE = 4
"""One part in this many of the mean spacing is jitter, not a new train."""
LONE_NS = 2_000 * MS
"""How long a first pulse waits for a second before it is logged alone."""
DRIVE_NS = 120 * MS
"""A muscle is driven no longer than this after a pulse; a lone pulse counts as a train of this period."""


class Repeats:
    """The pulses of one channel. Totals are kept by the channel itself."""

    def __init__(self, channel: Channel, log: Log | None) -> None:
        self.channel = channel
        self.drive_until_ns = -1
        self.silent_ns = FOREVER
        """When the train that is being counted is over because no pulse came."""
        self._log = log
        self._drive: tuple[int, int, int, int] | None = None
        self._last_ns: int | None = None
        self._shape: Shape | None = None
        self._start_ns = self._end_ns = self._before_ns = 0
        self._pulses = 0

    def pulse(self, at_ns: int, shape: Shape) -> None:
        """A pulse has been put out at `at_ns`."""
        last_ns, self._last_ns = self._last_ns, at_ns
        spacing_ns = 0 if last_ns is None or at_ns - last_ns > LONE_NS else at_ns - last_ns
        if last_ns is None or not self._continues(shape, at_ns - last_ns, last_ns):
            self.flush()
            self._shape, self._start_ns = shape, at_ns
            self._before_ns = spacing_ns if spacing_ns <= DRIVE_NS else 0
        self._pulses += 1
        self._end_ns = at_ns
        self.channel.pulses += 1
        self.channel.charge_pc += shape.charge_pc
        mean_ns = self._mean_ns(at_ns)
        self.silent_ns = at_ns + (5 * mean_ns // 2 if mean_ns else LONE_NS)
        self.drive_until_ns = at_ns + (min(5 * spacing_ns // 2, DRIVE_NS) if spacing_ns else DRIVE_NS)
        period_us = round((spacing_ns or DRIVE_NS) / 1000)
        self._drive = (self.channel.number, shape.amplitude_ua, shape.width_us, period_us)

    def drive(self, now_ns: int) -> tuple[int, int, int, int] | None:
        """(channel, amplitude_ua, width_us, period_us) of what reaches the skin now, by the last spacing."""
        return self._drive if now_ns < self.drive_until_ns and self.channel.contact else None

    def flush(self) -> None:
        """The train that is being counted is over: log it."""
        shape, self._shape = self._shape, None
        self.silent_ns = FOREVER
        pulses, self._pulses = self._pulses, 0
        if shape is None or self._log is None:
            return
        period_ns = (self._end_ns - self._start_ns) / (pulses - 1) if pulses > 1 else self._before_ns
        self._log(
            {
                "kind": "train",
                "t_start_ns": self._start_ns,
                "t_end_ns": self._end_ns,
                "channel": self.channel.number,
                **shape._replace(period_us=round(period_ns / 1000)).entry(pulses),
            }
        )

    def off(self) -> None:
        """The level is gone: no pulse and no effect of one goes on."""
        self.flush()
        self.drive_until_ns = -1
        self._last_ns = self._drive = None

    def _continues(self, shape: Shape, spacing_ns: int, last_ns: int) -> bool:
        if shape != self._shape:
            return False
        mean_ns = self._mean_ns(last_ns)
        return not mean_ns or abs(spacing_ns - mean_ns) * TOLERANCE <= mean_ns

    def _mean_ns(self, last_ns: int) -> int:
        return (last_ns - self._start_ns) // (self._pulses - 1) if self._pulses > 1 else 0
