"""What was measured at the orthosis' joint today, and whether the gateway took it."""

from collections.abc import Sequence

from controller.vocabulary.facts import Refusal

Found = tuple[int, int, int]
"""Lowest and highest angle (cdeg) and torque (mNm)."""
_PRESCRIBING = ("P11", "P12", "P13", "P14", "P15")
"""The guard's rules for what may be prescribed for a joint (docs/guard.md)."""


class JointFound:
    """`found` is the last that the gateway did not refuse; None before the first."""

    def __init__(self) -> None:
        self.found: Found | None = None
        self._before: Found | None = None
        self._asked_ns = self._last_ns = 0

    @property
    def range(self) -> tuple[int, int] | None:
        """Today's passive range, cdeg."""
        return None if self.found is None else self.found[:2]

    def ask(self, found: Found, now_ns: int) -> None:
        """It goes to the gateway now."""
        self._before, self.found, self._asked_ns = self.found, found, now_ns
        self._last_ns = now_ns

    def hear(self, refusals: Sequence[Refusal]) -> None:
        """A refusal since then: what stood before stands."""
        if self._asked_ns and any(one.rule in _PRESCRIBING and one.t_ns >= self._asked_ns for one in refusals):
            self.found, self._asked_ns = self._before, 0

    def still_true(self, refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
        """Without those that were about an earlier measurement than the last one."""
        return tuple(one for one in refusals if one.rule not in _PRESCRIBING or one.t_ns >= self._last_ns)

    def forget(self) -> None:
        """Another patient."""
        self.found = self._before = None
        self._asked_ns = self._last_ns = 0
