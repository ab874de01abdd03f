"""Worn orthoses: what is on, putting one on (kind, side, angle, skin before) and taking one off (skin after)."""

from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from controller.clock import SECOND
from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseDialog
from controller.tui.screens.form_dialog import Field, FormDialog, Wrong, number, whole
from controller.tui.view import View
from controller.tui.widgets.pane import Pane, Parts
from controller.tui.words import Part
from controller.tui.worn_words import NAMES, name_of
from controller.vocabulary.intents import Orthosis, WearOrthosis
from controller.vocabulary.snapshot import WornView

if TYPE_CHECKING:
    from controller.tui.app import StimloopApp

SKIN_LETTERS_MIN = 3
_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
_PUT_ON = (("s", Orthosis.SPLINT), ("a", Orthosis.AFO), ("l", Orthosis.SLING))
_SKIN = "clear; or: red over the ulna, 1 cm"


class WornDialog(HouseDialog):
    """What is worn now, and the two things that can be done with it."""

    BOUND = "s,a,l,1,2,3,4,5,6,escape,x"
    HELP = (
        "A splint, an ankle-foot orthosis or a sling moves nothing by itself. What is kept: kind, side, the angle it "
        "is set to, when it went on and came off, and what the skin looked like before and after. Look at the skin "
        "each time. What is still on at the end stands in the training log."
    )

    def compose_body(self) -> ComposeResult:
        """One box."""
        yield Pane(id="question", classes="box dialog")

    def keys(self, view: View) -> list[Key]:
        """Put on by letter, take off by number."""
        worn = _worn(view)
        keys = [key(letter, NAMES[kind], partial(self._put_on, kind)) for letter, kind in _PUT_ON]
        keys += [key(str(at), "", partial(self._take_off, one)) for at, one in enumerate(worn, 1)]
        if worn:
            keys.append(key("", "take off", None, shown=f"1-{len(worn)}" if len(worn) > 1 else "1"))
        keys.append(key("escape,x", "close", self.dismiss, shown="Esc"))
        return keys

    def why_not(self, name: str, view: View) -> str:
        """The numbers are those of the list."""
        return f"There is no number {name} in the list." if name.isdigit() else super().why_not(name, view)

    def _put_on(self, kind: Orthosis) -> None:
        taken = [one.side for one in _worn(self.house.view) if one.kind is kind]
        if len(taken) == 2:
            self.say(f"There is a {NAMES[kind]} on both sides already.")
            return
        self.dismiss()
        self.house.open(DonDialog(self.house, kind, taken))

    def _take_off(self, worn: WornView) -> None:
        self.dismiss()
        self.house.open(DoffDialog(self.house, worn))

    def paint(self, view: View) -> None:
        """The list."""
        parts: list[Part] = [("Orthoses that are worn\n\n", "bold")]
        for at, one in enumerate(_worn(view), 1):
            minutes = max(0, view.now_ns - one.since_ns) // (60 * SECOND)
            parts += [(f" {at} ", "bold reverse"), f" {name_of(one)}, for {minutes} min\n"]
        if not _worn(view):
            parts.append(("none\n", "$quiet"))
        parts.append("\nPut on by its letter, take off by its number. The skin is looked at both times.")
        self.query_one("#question", Pane).parts = tuple(parts)


class DonDialog(FormDialog):
    """Putting one on: side, angle where it has one, and the skin before."""

    HELP = WornDialog.HELP

    def __init__(self, house: "StimloopApp", kind: Orthosis, taken: list[str]) -> None:
        snapshot = house.view.snapshot
        affected = "right" if snapshot is None else snapshot.affected_side
        free = affected if affected not in taken else next(side for side in ("left", "right") if side not in taken)
        super().__init__(
            Field("side", "side", "left or right", free),
            Field("angle", "angle it is set to, degrees", "empty where it has none"),
            Field("skin", "skin before it goes on", _SKIN, letters_max=200),
        )
        self._host = house
        self._kind = kind
        self._taken = taken

    def question(self, view: View) -> Parts:
        """Which one."""
        return (
            (f"Put on: {NAMES[self._kind]}\n", "bold"),
            "Look at the skin under it first: pressure marks, redness, swelling, wounds.\n",
            ("With an open wound or a mark that does not fade it stays off.", "$warning"),
        )

    def take(self, values: dict[str, str]) -> Wrong | None:
        """To the engine."""
        side = _SIDES.get(values["side"].lower())
        if side is None:
            return Wrong("side", "Which side: left or right?")
        if side in self._taken:
            return Wrong("side", f"There is a {NAMES[self._kind]} on the {side} side already.")
        angle = angle_cdeg(values["angle"])
        if isinstance(angle, str):
            return Wrong("angle", angle)
        if len(values["skin"]) < SKIN_LETTERS_MIN:
            return Wrong("skin", "Write in a few words what the skin looks like.")
        self._host.front.intend(WearOrthosis(self._kind, side, angle, values["skin"], on=True))
        return None


class DoffDialog(FormDialog):
    """Taking one off: the skin after, in words."""

    HELP = WornDialog.HELP

    def __init__(self, house: "StimloopApp", worn: WornView) -> None:
        super().__init__(Field("skin", "skin after it came off", _SKIN, letters_max=200))
        self._host = house
        self._worn = worn

    def question(self, view: View) -> Parts:
        """Which one."""
        return (
            (f"Take off: {name_of(self._worn)}\n", "bold"),
            "Look at the skin under it: pressure marks, redness, swelling, wounds.",
        )

    def take(self, values: dict[str, str]) -> Wrong | None:
        """To the engine."""
        if len(values["skin"]) < SKIN_LETTERS_MIN:
            return Wrong("skin", "Write in a few words what the skin looks like.")
        worn = self._worn
        self._host.front.intend(WearOrthosis(worn.kind, worn.side, worn.angle_cdeg, values["skin"], on=False))
        return None


def angle_cdeg(text: str) -> int | str | None:
    """What was typed in 1/100 deg, None for nothing; else one sentence with what is wrong."""
    if not text:
        return None
    found = number(text, "angle", 180)
    return found if isinstance(found, str) else whole(found, 100)


def _worn(view: View) -> tuple[WornView, ...]:
    return () if view.snapshot is None else view.snapshot.worn
