"""One FitMi puck from report to report: is it fresh, how fast does it turn, and its counts in units where known."""

import math

from controller.drivers.pucks.fitmi_calibration import unit
from controller.drivers.pucks.fitmi_scales import Scales
from controller.drivers.pucks.turning import STILL, rate_dps
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, TOUCHED, Quaternion, Sample, Vector
from controller.wire import fitmi as wire
from controller.wire.fitmi import Block

UNCHANGED_NS_MAX = 100_000_000
STEP_NS_MIN = 1_000_000  # USB gives at most one report a millisecond: a smaller step is a queue being emptied
RATE_DPS_MAX = 2500.0


class Tracker:
    """One puck. `refused` and `bunched` count as those of the driver do; without `scales` counts stay unsaid."""

    def __init__(self, name: str, scales: Scales | None = None) -> None:
        self.name = name
        self.refused = 0
        self.bunched = 0
        self._scales = scales
        self._measured: tuple[object, ...] = ()
        self._changed_ns = 0
        self._before: Quaternion | None = None
        self._before_ns = 0
        self._rate = STILL

    def restart(self) -> None:
        """The next quaternion has no predecessor."""
        self._before = None

    def step(self, now_ns: int, block: Block) -> Sample | None:
        """The sample of this block; None while there is nothing new to say."""
        alive = bool(block.status & wire.CONNECTED and block.status & wire.IMU_OK)
        if not (alive and block.quaternion_ok):
            self.refused += alive
            self.restart()
            self._measured = ()
            return self._sample(now_ns, block, None, stale=True)
        if block.measured == self._measured:
            if now_ns - self._changed_ns <= UNCHANGED_NS_MAX:
                return None
            self.restart()
            return self._sample(now_ns, block, None, stale=True)
        self._measured, self._changed_ns = block.measured, now_ns
        return self._turn(now_ns, block)

    def _turn(self, now_ns: int, block: Block) -> Sample | None:
        quaternion = unit(block.quaternion)
        before, step_ns = self._before, now_ns - self._before_ns
        self._before, self._before_ns = quaternion, now_ns
        if before is None or step_ns > UNCHANGED_NS_MAX:
            self._rate = STILL
            return self._sample(now_ns, block, quaternion, stale=True)
        if step_ns < STEP_NS_MIN:
            self.bunched += 1
            return None
        rate = rate_dps(before, quaternion, step_ns)
        if not math.hypot(*rate) <= RATE_DPS_MAX:
            self.refused += 1
            self._rate = STILL
            return self._sample(now_ns, block, quaternion, stale=True)
        self._rate = rate
        return self._sample(now_ns, block, quaternion, stale=False)

    def _sample(self, now_ns: int, block: Block, quaternion: Quaternion | None, *, stale: bool) -> Sample:
        flags = STALE if stale else IMU_OK
        if block.status & wire.CONNECTED:
            flags |= CONNECTED
        if block.status & wire.TOUCHED:
            flags |= TOUCHED
        battery = block.battery if block.battery <= 100 else None
        acc, load = (None, None) if quaternion is None else self._in_units(block)
        return Sample(self.name, now_ns, self._rate, acc, quaternion, load, None, battery, flags)

    def _in_units(self, block: Block) -> tuple[Vector | None, float | None]:
        """g and newton, where the scales are known."""
        scales = self._scales
        if scales is None:
            return None, None
        ax, ay, az = block.acc
        one = scales.acc_g
        load = None if scales.load_n is None else (block.load - scales.load_zero) * scales.load_n
        return (ax * one, ay * one, az * one), load
