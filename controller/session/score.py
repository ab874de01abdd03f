"""Score: counts of a session, and the small cheer that keeps a hundred repetitions from being dull."""

from dataclasses import dataclass

POINTS_COMPLETED = 10
STREAK_BONUS_MAX = 10
CHEER_EACH = 5
RECORD_FROM = 5

_CHEERS = ("Well done!", "Keep going!", "Strong work!", "That is it!")


@dataclass(slots=True)
class Score:
    """Counts and points.

    A completed repetition gives 10 points and 1 more for each completed one directly before it, up to 10 more. A
    missed one gives nothing, takes nothing and ends the streak. The same course of events gives the same points.
    A cheer is due each fifth completed repetition, and "Woo hoo!" once in a streak: when it reaches 5, or passes the
    best streak before it if that was longer. `cheer` is empty otherwise.
    """

    attempts: int = 0
    assisted: int = 0
    completed: int = 0
    missed: int = 0
    streak: int = 0
    best_streak: int = 0
    points: int = 0
    cheer: str = ""
    _record: int = 0

    def attempted(self) -> None:
        """The patient tried: an attempt was seen."""
        self.attempts += 1

    def helped(self) -> None:
        """Current or an orthosis came to help."""
        self.assisted += 1

    def complete(self) -> None:
        """A repetition reached its end."""
        self.completed += 1
        self.points += POINTS_COMPLETED + min(self.streak, STREAK_BONUS_MAX)
        self.streak += 1
        self.best_streak = max(self.best_streak, self.streak)
        if self.streak == max(self._record + 1, RECORD_FROM):
            self.cheer = f"Woo hoo! Best streak: {self.streak}"
        elif self.completed % CHEER_EACH == 0:
            self.cheer = _CHEERS[self.completed // CHEER_EACH % len(_CHEERS) - 1]
        else:
            self.cheer = ""

    def miss(self) -> None:
        """The time for an attempt ran out."""
        self.missed += 1
        self.streak = 0
        self._record = self.best_streak
        self.cheer = ""
