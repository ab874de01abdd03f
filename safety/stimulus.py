"""Values of stimulation: what a channel is asked to put out, in exact integers.

A `Train` is an unbroken repetition of one pulse on one channel. Its pulse is spelled out as points, so that
"the net charge is zero" is a statement about the order itself and can be checked, here and on the wire.
"""

from typing import NamedTuple


class Point(NamedTuple):
    """One constant piece of a pulse: `duration_us` microseconds at `current_ua` microamperes (signed)."""

    duration_us: int
    current_ua: int


class Waveform(NamedTuple):
    """All of a train but its current: how long each phase is, the pause between the two, and how often it comes."""

    pulse_width_us: int
    interphase_us: int
    period_us: int


class Train(NamedTuple):
    """Equal pulses on one channel, repeated every `period_us` until something else is ordered."""

    channel: int
    points: tuple[Point, ...]
    period_us: int

    @property
    def amplitude_ua(self) -> int:
        """The largest current of the pulse, either sign, in microamperes (0 for a pulse without points)."""
        return max((abs(point.current_ua) for point in self.points), default=0)

    @property
    def pulse_width_us(self) -> int:
        """The longest phase of the pulse: an unbroken run of points that carry current of one sign, in us."""
        return max((duration for duration, _ in self.phases()), default=0)

    @property
    def charge_per_phase_nc(self) -> int:
        """The largest charge of one phase, in nanocoulomb, rounded up (so that a limit is never undershot)."""
        return max((-(-charge_pc // 1000) for _, charge_pc in self.phases()), default=0)

    @property
    def net_charge_pc(self) -> int:
        """Signed sum of current times time over the pulse, in picocoulomb (uA x us). Must be exactly zero."""
        return sum(point.duration_us * point.current_ua for point in self.points)

    @property
    def waveform(self) -> Waveform:
        """That of a pulse of two equal phases (no other passes G09); without current its width is 0."""
        pause_us = sum([duration_us for duration_us, current_ua in self.points if current_ua == 0])
        return Waveform(self.pulse_width_us, pause_us, self.period_us)

    def phases(self) -> list[tuple[int, int]]:
        """Each phase as (duration in us, absolute charge in pC): runs of points with current of one sign."""
        found: list[tuple[int, int]] = []
        sign = 0
        for duration_us, current_ua in self.points:
            this = (current_ua > 0) - (current_ua < 0)
            charge = duration_us * abs(current_ua)
            if this and this == sign:
                found[-1] = (found[-1][0] + duration_us, found[-1][1] + charge)
            elif this:
                found.append((duration_us, charge))
            sign = this
        return found


def biphasic(channel: int, amplitude_ua: int, pulse_width_us: int, interphase_us: int, period_us: int) -> Train:
    """A charge-balanced rectangular pulse: positive phase, pause (left out when 0), equal negative phase."""
    pause = (Point(interphase_us, 0),) if interphase_us else ()
    points = (Point(pulse_width_us, amplitude_ua), *pause, Point(pulse_width_us, -amplitude_ua))
    return Train(channel, points, period_us)
