"""The keys line at the foot of every screen: the keys that work now, and no others."""

from collections.abc import Iterable

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from controller.tui.keys import Key
from controller.tui.words import Part

Hint = tuple[str, str]
HELP_HINT: Hint = ("F1", "help")


def hints(keys: Iterable[Key]) -> tuple[Hint, ...]:
    """(shown, label) of each key; F1 comes last."""
    return (*((key.shown, key.label) for key in keys if key.label), HELP_HINT)


def line_width(shown: tuple[Hint, ...]) -> int:
    """Columns that the line needs."""
    return sum(len(name) + len(label) + 4 for name, label in shown)


class KeysLine(Static):
    """Set `shown`."""

    shown: reactive[tuple[Hint, ...]] = reactive((), init=False)

    def watch_shown(self, shown: tuple[Hint, ...]) -> None:
        """Paint."""
        parts: list[Part] = []
        for name, label in shown:
            parts += [(f" {name} ", "bold reverse"), f" {label} "]
        self.update(Content.assemble(*parts), layout=False)
