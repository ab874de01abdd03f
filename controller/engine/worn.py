"""Worn orthoses: splint, AFO, sling. Nothing here touches an order: what is worn is a fact, and goes on record."""

from typing import TYPE_CHECKING

from controller.vocabulary.intents import Orthosis, WearOrthosis
from controller.vocabulary.snapshot import SessionState, WornView

if TYPE_CHECKING:
    from controller.engine.core import EngineCore

SIDES = ("left", "right")
ANGLE_CDEG_MAX = 18_000
SKIN_LETTERS_MAX = 200


class Wardrobe:
    """What is worn now: at most one of a kind on a side, so six at most."""

    def __init__(self) -> None:
        self._worn: dict[tuple[Orthosis, str], WornView] = {}

    @property
    def worn(self) -> tuple[WornView, ...]:
        """In the order in which they went on."""
        return tuple(self._worn.values())

    def put_on(self, wish: WearOrthosis, now_ns: int) -> WornView | None:
        """What went on; None when it is worn already."""
        key = (wish.kind, wish.side)
        if key in self._worn:
            return None
        self._worn[key] = worn = WornView(wish.kind, wish.side, wish.angle_cdeg, now_ns)
        return worn

    def take_off(self, wish: WearOrthosis) -> WornView | None:
        """What came off; None when it was not worn."""
        return self._worn.pop((wish.kind, wish.side), None)


def sound(wish: WearOrthosis) -> bool:
    """The skin was looked at, the side is one, and the angle can be. The screen has asked for all of it before."""
    angle_cdeg = wish.angle_cdeg
    fits = angle_cdeg is None or (type(angle_cdeg) is int and -ANGLE_CDEG_MAX <= angle_cdeg <= ANGLE_CDEG_MAX)
    return fits and wish.side in SIDES and bool(wish.skin.strip())


def wear(core: "EngineCore", now_ns: int, wish: WearOrthosis) -> None:
    """Put on or taken off: journalled and synced. What is not sound, or changes nothing, leaves no trace."""
    if core.record is None or core.course.resumes_at is SessionState.REVIEW or not sound(wish):
        return  # a record that is closed takes nothing more, and then the screen must not claim it
    changed = core.wardrobe.put_on(wish, now_ns) if wish.on else core.wardrobe.take_off(wish)
    if changed is not None:
        skin = wish.skin.strip()[:SKIN_LETTERS_MAX]
        told = {"kind": changed.kind, "side": changed.side, "angle_cdeg": changed.angle_cdeg, "skin": skin}
        core.note(now_ns, "orthosis_donned" if wish.on else "orthosis_doffed", told, sync=True)
