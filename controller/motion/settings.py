"""`AttemptSettings`: what counts as an attempt. Defaults of the design; a protocol may change them within `BOUNDS`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_MS: Final = 1_000_000
_SECOND: Final = 1_000_000_000

BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "lowpass_hz": (3.0, 10.0),
    "floor_dps": (5.0, 60.0),  # the hard minimum: below it somebody's noise always fires
    "ceiling_dps": (5.0, 60.0),
    "fraction_of_attempt": (0.05, 0.95),
    "rest_multiple": (1.0, 20.0),
    "hysteresis": (0.1, 1.0),
    "dwell_ns": (0, 500 * _MS),
    "quiet_before_ns": (0, 10 * _SECOND),
    "quiet_below_dps": (0.5, 60.0),
    "refractory_ns": (0, 60 * _SECOND),
    "blanking_ns": (300 * _MS, 10 * _SECOND),  # stimulated motion outlasts the last pulse: it may not trigger
    "stale_ns": (20 * _MS, 100 * _MS),
    "stuck_ns": (50 * _MS, 200 * _MS),
    "warm_up_ns": (_SECOND, 10 * _SECOND),
    "min_rate_hz": (50.0, 1000.0),
    "min_interval_ns": (0, 600 * _SECOND),
}
"""Lowest and highest value of each setting, in the unit of its name."""


class Direction(StrEnum):
    """Which way a movement must go to be an attempt."""

    ANY = "any"
    EXTENSION = "extension"
    FLEXION = "flexion"


class TremorGate(StrEnum):
    """Whether a limb that goes to and fro is kept from triggering. It costs 0.1 s, so it is for those who need it."""

    OFF = "off"
    ON = "on"
    AUTO = "auto"  # from the moment that the limb was seen to go to and fro


@dataclass(frozen=True, slots=True)
class AttemptSettings:
    """Settings of feature, detector and calibration. Units stand last in each name; times in ns, speeds in deg/s.

    The cue window is no setting: it moves with the cue and is handed to `AttemptDetector.arm`.

    Raises ValueError, naming the setting, when a value is outside `BOUNDS` (NaN is outside everything).
    """

    lowpass_hz: float = 6.0
    floor_dps: float = 5.0
    ceiling_dps: float = 60.0
    fraction_of_attempt: float = 0.30
    """Of the median peak of the patient's own attempts in calibration."""
    rest_multiple: float = 4.0
    """Of the 99th percentile of the speed at rest."""
    hysteresis: float = 0.5
    """A candidate is given up below this fraction of the attempt threshold."""
    dwell_ns: int = 50 * _MS
    quiet_before_ns: int = 500 * _MS
    """Stillness that re-arms; after blanking and refractory time it is counted from their end."""
    quiet_below_dps: float = 5.0
    refractory_ns: int = 500 * _MS
    blanking_ns: int = _SECOND
    """After the last pulse."""
    stale_ns: int = 100 * _MS
    stuck_ns: int = 200 * _MS
    """A gyroscope that repeats itself to the bit for longer is not measuring."""
    warm_up_ns: int = _SECOND
    """Unbroken data before the detector may look (again)."""
    min_rate_hz: float = 50.0
    min_interval_ns: int = 0
    """Between two attempts; the minimum rest between bursts is the guard's and not repeated here."""
    excursion_deg: float | None = None
    """Rotation since the candidate began that an attempt needs besides its dwell; None where not asked for."""
    direction: Direction = Direction.ANY
    tremor_gate: TremorGate = TremorGate.OFF
    relative_to: str = ""
    """Where the second puck is worn, in words: what counts is the motion of the one against the other. "": one puck."""

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} = {value} is not within {low} .. {high}")
        if not self.floor_dps <= self.ceiling_dps:
            raise ValueError(f"floor_dps = {self.floor_dps} is above ceiling_dps = {self.ceiling_dps}")
        if self.excursion_deg is not None and not 0.0 <= self.excursion_deg <= 180.0:
            raise ValueError(f"excursion_deg = {self.excursion_deg} is not within 0 .. 180")
