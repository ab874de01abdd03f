"""What goes wrong inside a simulated puck: a sensor that sticks, a clock that runs wrong, a restart."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sim.attitude import Quaternion
from sim.imu import Vector

Log = Callable[[dict[str, Any]], None]

DRIFT_PPM_USUAL, DRIFT_PPM_MAX = 1_000, 100_000
_ENDS = ("off", "ok")


class Measured(NamedTuple):
    """What the sensor gives at once: deg/s, g, orientation and newton where it has them."""

    gyro_dps: Vector
    acc_g: Vector
    quaternion: Quaternion | None = None
    load_n: float | None = None


class PuckFaults:
    """Base of the twins of pucks. `has` names the faults that the twin can have beside `stuck-sensor` and `reset`.

    A twin hands each measurement to `sensed` and each time to `clock_us`, and sends what comes back. `restarts` is
    True once after a reset: the twin then forgets what a restart forgets.
    """

    identity: str
    has: tuple[str, ...] = ()

    def __init__(self, identity: str, log: Log | None = None) -> None:
        if not identity.startswith("SIM"):
            raise ValueError(f"the identity of a simulated device begins with SIM, not {identity!r}")
        self.identity = identity
        self._log = log
        self.ails = False
        """Something has happened to it; until then a twin may leave this class out of its frames."""
        self._stuck = False
        self._held: Measured | None = None
        self._restarting = False
        self._ppm = 0
        self._true_us: int | None = None
        self._from: tuple[int, int] | None = None  # a true time, and what the device's clock said then
        self._starts_anew = False

    def suffer(self, fault: str, value: str, now_ns: int) -> bool:
        """Make a fault happen: stuck-sensor, reset, clock-drift:PPM (`off` or `ok` ends it). False if it cannot."""
        if fault == "stuck-sensor":
            self._stuck, self._held = value not in _ENDS, None
        elif fault == "reset":
            self._restarting = value not in _ENDS
        elif fault == "clock-drift" and fault in self.has:
            ppm = _ppm(value)
            if ppm is None:
                return False
            if self._from is not None and self._true_us is not None:
                self._from = (self._true_us, self.clock_us(self._true_us))
            self._ppm = ppm
        else:
            return False
        self.ails = True
        if self._log is not None:
            self._log({"kind": "fault", "t_ns": now_ns, "fault": fault, "value": value})
        return True

    def restarts(self) -> bool:
        """True once after a reset: its clock then starts again at 0 with the next measurement."""
        restarting, self._restarting = self._restarting, False
        if restarting:
            self._from, self._starts_anew = None, True
        return restarting

    def sensed(self, measured: Measured) -> Measured:
        """What the sensor gives: this, or, once stuck, for ever the first measurement since."""
        if not self._stuck:
            return measured
        self._held = self._held or measured
        return self._held

    def clock_us(self, t_us: int) -> int:
        """The device's own clock at true time `t_us`: the same, until a fault makes it differ."""
        if self._from is None:
            self._from = (t_us, 0 if self._starts_anew else t_us)
        self._true_us = t_us
        from_us, clock_us = self._from
        return max(0, clock_us + (t_us - from_us) * (1_000_000 + self._ppm) // 1_000_000)


def _ppm(value: str) -> int | None:
    if value in _ENDS:
        return 0
    if value == "":
        return DRIFT_PPM_USUAL
    sign, digits = (-1, value[1:]) if value.startswith("-") else (1, value)
    if not (digits.isdecimal() and digits.isascii() and len(digits) <= 6 and int(digits) <= DRIFT_PPM_MAX):
        return None
    return sign * int(digits)
