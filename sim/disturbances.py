"""Disturbances: scripted signals that move the limb, push at the joint, or spoil what the puck feels.

Each is a value with a length and is a pure function of the time since it began (s). A *movement* is laid over the
wrist's own: (angle deg, speed deg/s, acceleration deg/s2), consistent with each other, so that the gyroscope, the
accelerometer and the limb tell one story, and a figure such as "3.8 Hz 12 deg" is met exactly. A *torque* acts on the
wrist's mechanics. A *feeling* reaches the puck alone.
"""

import math
from typing import NamedTuple, Protocol

from sim.effort import minimum_jerk
from sim.imu import Vector

Moved = tuple[float, float, float]
"""Angle deg, speed deg/s, acceleration deg/s2."""

STILL: Moved = (0.0, 0.0, 0.0)
PEAK = 1.875  # the peak rate of a minimum-jerk stroke of length 1 and size 1


class Movement(Protocol):
    """Something that moves the limb whatever the muscles do. After `length_s` it stays where it ended (`rests`)."""

    @property
    def length_s(self) -> float: ...

    def at(self, t_s: float) -> Moved: ...

    @property
    def rests(self) -> float: ...


class Sine(NamedTuple):
    """Tremor, clonus: `amplitude_deg` either way at `frequency_hz`; whole periods, so that it ends where it began."""

    amplitude_deg: float
    frequency_hz: float
    seconds: float

    @property
    def length_s(self) -> float:
        """The whole periods in `seconds`, at least one."""
        return max(1, int(self.seconds * self.frequency_hz + 1e-9)) / self.frequency_hz

    @property
    def rests(self) -> float:
        """Where it ends, deg."""
        return 0.0

    def at(self, t_s: float) -> Moved:
        """The movement `t_s` after it began."""
        turn = 2.0 * math.pi * self.frequency_hz
        sine, cosine = math.sin(turn * t_s), math.cos(turn * t_s)
        size = self.amplitude_deg
        return (size * sine, size * turn * cosine, -size * turn * turn * sine)


class Burst(NamedTuple):
    """A jerk: half a sine of speed, `peak_dps` for `seconds`, and the same way back in `back_s` (0: it stays there)."""

    peak_dps: float
    seconds: float
    back_s: float = 0.0

    @property
    def length_s(self) -> float:
        """There and back."""
        return self.seconds + self.back_s

    @property
    def turn_deg(self) -> float:
        """How far it goes."""
        return self.peak_dps * self.seconds * 2.0 / math.pi

    @property
    def rests(self) -> float:
        """Where it ends, deg."""
        return 0.0 if self.back_s else self.turn_deg

    def at(self, t_s: float) -> Moved:
        """The movement `t_s` after it began."""
        if t_s < self.seconds or not self.back_s:
            return _half_sine(self.peak_dps, self.seconds, min(t_s, self.seconds))
        peak_dps = -self.peak_dps * self.seconds / self.back_s
        angle, speed, acceleration = _half_sine(peak_dps, self.back_s, t_s - self.seconds)
        return (self.turn_deg + angle, speed, acceleration)


def _half_sine(peak_dps: float, seconds: float, t_s: float) -> Moved:
    turn = math.pi / seconds
    angle = peak_dps / turn * (1.0 - math.cos(turn * t_s))
    return (angle, peak_dps * math.sin(turn * t_s), peak_dps * turn * math.cos(turn * t_s))


class Stroke(NamedTuple):
    """Somebody moves the limb by `turn_deg`, smoothly, at `peak_dps` at most; holds it there, and takes it back."""

    turn_deg: float
    peak_dps: float
    hold_s: float = 0.0
    back: bool = True

    @property
    def _seconds(self) -> float:
        return PEAK * abs(self.turn_deg) / self.peak_dps

    @property
    def length_s(self) -> float:
        """There, and back where it goes back."""
        return self._seconds + (self.hold_s + self._seconds if self.back else 0.0)

    @property
    def rests(self) -> float:
        """Where it ends, deg."""
        return 0.0 if self.back else self.turn_deg

    def at(self, t_s: float) -> Moved:
        """The movement `t_s` after it began."""
        seconds = self._seconds
        if t_s < seconds or not self.back:
            return _stroke(self.turn_deg, seconds, t_s)
        if t_s < seconds + self.hold_s:
            return (self.turn_deg, 0.0, 0.0)
        angle, speed, acceleration = _stroke(-self.turn_deg, seconds, t_s - seconds - self.hold_s)
        return (self.turn_deg + angle, speed, acceleration)


def _stroke(turn_deg: float, seconds: float, t_s: float) -> Moved:
    s = min(t_s / seconds, 1.0)
    speed = 30.0 * s * s * (1.0 - s) * (1.0 - s)
    acceleration = 60.0 * s * (1.0 - s) * (1.0 - 2.0 * s)
    return (turn_deg * minimum_jerk(s), turn_deg * speed / seconds, turn_deg * acceleration / (seconds * seconds))


class Drift(NamedTuple):
    """A limb that sags: `speed_dps` for `seconds`; it stays where it came to."""

    speed_dps: float
    seconds: float

    @property
    def length_s(self) -> float:
        """How long it goes on."""
        return self.seconds

    @property
    def rests(self) -> float:
        """Where it ends, deg."""
        return self.speed_dps * self.seconds

    def at(self, t_s: float) -> Moved:
        """The movement `t_s` after it began."""
        return (self.speed_dps * t_s, self.speed_dps, 0.0)


class ExtraTorque(NamedTuple):
    """Torque at the joint (N m, + = extension): rises, is held, falls; with `frequency_hz` it beats to and fro."""

    torque_nm: float
    rise_s: float
    hold_s: float
    fall_s: float
    frequency_hz: float = 0.0

    @property
    def length_s(self) -> float:
        """From the first to the last torque."""
        return self.rise_s + self.hold_s + self.fall_s

    def at(self, t_s: float) -> float:
        """Torque in N m `t_s` after it began."""
        share = 1.0
        if t_s < self.rise_s:
            share = minimum_jerk(t_s / self.rise_s)
        elif t_s > self.rise_s + self.hold_s:
            share = minimum_jerk(max(0.0, (self.length_s - t_s) / self.fall_s))
        if self.frequency_hz:
            share *= math.sin(2.0 * math.pi * self.frequency_hz * t_s)
        return self.torque_nm * share


class Knock(NamedTuple):
    """Something hits the table or the puck: half a sine of acceleration along z, felt by the puck alone."""

    peak_g: float
    seconds: float

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return self.seconds

    def at(self, t_s: float) -> tuple[Vector, Vector]:
        """(gyro deg/s, acceleration g) to add."""
        return (0.0, 0.0, 0.0), (0.0, 0.0, self.peak_g * math.sin(math.pi * t_s / self.seconds))


class Carry(NamedTuple):
    """The whole arm is carried: it turns smoothly by way of `peak_dps` and is thrown about by `peak_g`.

    Every puck on the arm feels it, the joint between them does not.
    """

    peak_dps: float
    peak_g: float
    seconds: float

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return self.seconds

    def at(self, t_s: float) -> tuple[Vector, Vector]:
        """(gyro deg/s, acceleration g) to add."""
        s = t_s / self.seconds
        speed = 16.0 * s * s * (1.0 - s) * (1.0 - s)
        return (0.0, self.peak_dps * speed, 0.0), (self.peak_g * math.sin(2.0 * math.pi * s), 0.0, 0.0)


class Bias(NamedTuple):
    """The gyroscope's zero has moved, and its gain is another; for `seconds` (a long time: for good)."""

    gyro_dps: float
    gain: float = 1.0
    seconds: float = 1e6

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return self.seconds

    def at(self, t_s: float) -> tuple[Vector, Vector]:
        """(gyro deg/s, acceleration g) to add; the gain is taken by whoever applies it."""
        del t_s
        return (0.0, self.gyro_dps, 0.0), (0.0, 0.0, 0.0)


Feeling = Knock | Carry | Bias
Disturbance = Sine | Burst | Stroke | Drift | ExtraTorque | Knock | Carry | Bias
