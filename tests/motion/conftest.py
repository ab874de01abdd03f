"""Helpers for the motion tests: streams of samples and features on an exact clock."""

from collections.abc import Callable
from pathlib import Path

import pytest

from controller.vocabulary.feature import Feature

MS = 1_000_000


@pytest.fixture
def data() -> Path:
    return Path(__file__).parents[1] / "data"


class Speeds:
    """Feeds a consumer with features of chosen speed at 100 Hz; quiet time is counted below 5 deg/s."""

    def __init__(self, consume: Callable[[Feature], list | None], period_ns: int = 10 * MS) -> None:
        self.t_ns = 0
        self.period_ns = period_ns
        self._consume = consume
        self._quiet_from: int | None = None
        self.angle = 0.0

    def run(self, speed: float, ms: int, until: Callable[[], bool] = lambda: False) -> list:
        """`ms` of constant speed, or until the condition; returns the events."""
        events = []
        for _ in range(ms * MS // self.period_ns):
            if until():
                break
            events += self.one(speed)
        return events

    def one(self, speed: float) -> list:
        self.t_ns += self.period_ns
        if not speed < 5.0:
            self._quiet_from = None
        elif self._quiet_from is None:
            self._quiet_from = self.t_ns
        quiet = self.t_ns - self._quiet_from if self._quiet_from is not None else 0
        return self._consume(Feature(self.t_ns, speed, self.angle, quiet)) or []


@pytest.fixture
def speeds() -> type[Speeds]:
    return Speeds
