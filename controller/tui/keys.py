"""Keys as data: what the keys line shows is what works, and while armed everything else stops."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FRESH_AFTER_NS = 300_000_000


@dataclass(frozen=True, slots=True)
class Key:
    """One live key: Textual's names for it, how it is shown, what it does in a word or two, and the action."""

    names: tuple[str, ...]
    shown: str
    label: str
    action: Callable[[], Any] | None
    """None: somebody else acts on it (a text field, the app), and the line only shows it."""


def key(names: str, label: str, action: Callable[[], Any] | None, shown: str = "") -> Key:
    """`key("up", "more", ...)`; several names are parted by commas."""
    parts = tuple(names.split(","))
    return Key(parts, shown or parts[0], label, action)


UNWELL = Key((), "x", "unwell: STOP", None)
"""Shown while armed. It stops in the terminal's input thread like every key that is not live, and says why."""


class PressGate:
    """Tells a fresh press from a terminal's auto-repeat, which comes faster than a person means it.

    A terminal sends no key releases, so a press is fresh when no press of its kind came in the 300 ms before it.
    """

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self.number = 0

    def fresh(self, now_ns: int) -> bool:
        """True for a fresh press, which also gets the next `number`. Every press, fresh or not, restarts the wait."""
        last_ns, self._last_ns = self._last_ns, now_ns
        if last_ns is not None and now_ns - last_ns < FRESH_AFTER_NS:
            return False
        self.number += 1
        return True
