"""`AttemptGate`: is a movement that is fast and long enough the one that was asked for?

Two questions, each asked only where the protocol wants it: does it go the way that was learned in calibration, and
does it go one way at all. An inertial sensor sees what moves, not who moves it: no gate replaces the therapist's eye.
"""

from typing import Final

from controller.motion.axis import Axis
from controller.motion.oscillation import Alternation
from controller.motion.settings import AttemptSettings, Direction, TremorGate
from controller.vocabulary.events import Veto
from controller.vocabulary.sample import Vector

ONE_WAY_NS: Final = 180_000_000
"""With the tremor gate on a candidate must go one way for so long: half a wave of 3.5 Hz is over before, and so is the
first one, which the low-pass makes longer."""
ALONG_COS_MIN: Final = 0.5  # 60 deg
PEAK_FLOOR_DPS: Final = 8.0
"""Smaller waves are noise and breathing, and stay below every attempt threshold that a patient of ours has."""


class AttemptGate:
    """Fed each filtered rate (`see`) before the detector sees the feature; asked by the detector about a candidate.

    `axis` is None until calibration has learned it: then no way is the wrong one. `tremulous` switches the tremor gate
    of a protocol that says `auto` on.
    """

    __slots__ = ("_alternation", "_directed", "_first", "_gate", "_sum", "axis", "rates", "tremulous")

    def __init__(self, settings: AttemptSettings) -> None:
        self._directed = settings.direction != Direction.ANY
        self._gate = settings.tremor_gate
        self._alternation = Alternation(max(PEAK_FLOOR_DPS, settings.floor_dps))
        self._first: Vector = (0.0, 0.0, 0.0)
        self._sum = (0.0, 0.0, 0.0)
        self.rates: Vector = (0.0, 0.0, 0.0)
        self.axis: Axis | None = None
        self.tremulous = False

    @property
    def holds_tremor(self) -> bool:
        """The tremor gate is on."""
        return self._gate == TremorGate.ON or (self.tremulous and self._gate == TremorGate.AUTO)

    def see(self, t_ns: int, rates_dps: Vector) -> None:
        """The next filtered rate, puck axes, deg/s."""
        self.rates = rates_dps
        if self._gate != TremorGate.OFF:
            self._alternation.step(t_ns, rates_dps)

    def lose(self) -> None:
        """Samples are missing."""
        self._alternation.restart()

    def alternates(self, t_ns: int) -> bool:
        """The limb goes to and fro now (known only where the protocol has a tremor gate)."""
        return self._alternation.alternates(t_ns)

    def begin(self) -> None:
        """A candidate begins with the rate seen last."""
        self._first = self.rates
        self._sum = (0.0, 0.0, 0.0)

    def follow(self) -> bool:
        """The candidate goes on with the rate seen last. False: it has turned back, so it was no attempt."""
        x, y, z = self.rates
        a, b, c = self._sum
        self._sum = (a + x, b + y, c + z)
        if not self.holds_tremor:
            return True
        a, b, c = self._first
        return not x * a + y * b + z * c < 0.0

    def judge(self, t_ns: int, lasted_ns: int) -> Veto | bool:
        """True: an attempt. False: not yet to be told. Else why it is none."""
        if self.holds_tremor:
            if self._alternation.alternates(t_ns):
                return Veto.TREMOR
            if lasted_ns < ONE_WAY_NS:
                return False
        axis = self.axis
        if not self._directed or axis is None:
            return True
        x, y, z = self._sum
        along = x * axis[0] + y * axis[1] + z * axis[2]
        least = ALONG_COS_MIN * (x * x + y * y + z * z) ** 0.5
        if along >= least:
            return True
        return Veto.DIRECTION if along <= -least else Veto.OFF_AXIS
