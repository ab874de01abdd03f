"""How well the limb answers the current, train by train. Nothing here raises an amplitude: it is a word to a person."""

from statistics import median
from typing import Final, NamedTuple

TRAINS: Final = 5
"""The first so many trains say what is usual, the last so many how it is now."""
LOW_SHARE: Final = 0.7
LEAST_DEG: Final = 3.0
"""A limb that never moved more cannot answer less."""


class Reduced(NamedTuple):
    """The answer has become small: medians of the turn of the limb during a train, deg, and how many trains it took."""

    first_deg: float
    last_deg: float
    trains: int


class ResponseBook:
    """`began`, `look` at each sample, `ended`; at other amplitudes (`at`) it begins anew. Told once a spell."""

    def __init__(self) -> None:
        self._levels: object = None
        self._turns: list[float] = []
        self._from_deg: float | None = None
        self._turn_deg = 0.0
        self._told = False

    def at(self, levels: object) -> None:
        """The amplitudes that are used from now on."""
        self._from_deg = None
        if levels != self._levels:
            self._levels, self._turns, self._told = levels, [], False

    def began(self, angle_deg: float) -> None:
        """A train of full strength begins with the limb at this angle (NaN: not known, and the train says nothing)."""
        self._from_deg = angle_deg if angle_deg == angle_deg else None
        self._turn_deg = 0.0

    def look(self, angle_deg: float) -> None:
        """The angle at a sample."""
        if self._from_deg is not None:
            turn_deg = abs(angle_deg - self._from_deg)
            if turn_deg > self._turn_deg:
                self._turn_deg = turn_deg

    def ended(self) -> Reduced | None:
        """The train is over. The finding when the answer has just become small."""
        if self._from_deg is None:
            return None
        self._from_deg = None
        self._turns.append(self._turn_deg)
        first_deg, last_deg = self.first_deg, self.last_deg
        if first_deg is None or last_deg is None or len(self._turns) < 2 * TRAINS or first_deg < LEAST_DEG:
            return None
        if last_deg >= LOW_SHARE * first_deg:
            self._told = False
            return None
        if self._told:
            return None
        self._told = True
        return Reduced(first_deg, last_deg, len(self._turns))

    @property
    def first_deg(self) -> float | None:
        """Median of the first trains, deg; None before there are enough."""
        return median(self._turns[:TRAINS]) if len(self._turns) >= TRAINS else None

    @property
    def last_deg(self) -> float | None:
        """Median of the last trains, deg; None before there are enough."""
        return median(self._turns[-TRAINS:]) if len(self._turns) >= TRAINS else None
