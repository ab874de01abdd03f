"""How worn orthoses read on the screen: a short line while they are on, a reminder where one was left on."""

from collections.abc import Sequence

from controller.record.worn import WornSpan
from controller.tui.view import View
from controller.tui.words import shortened
from controller.vocabulary.intents import Orthosis
from controller.vocabulary.snapshot import WornView

NAMES = {Orthosis.SPLINT: "splint", Orthosis.AFO: "AFO", Orthosis.SLING: "sling"}


def kind_name(kind: str) -> str:
    """The name of a kind as the record holds it."""
    return NAMES[Orthosis(kind)] if kind in NAMES else kind


def name_of(worn: WornView) -> str:
    """`splint, right side, 30 deg`."""
    angle = "" if worn.angle_cdeg is None else f", {worn.angle_cdeg / 100:g} deg"
    return f"{NAMES[worn.kind]}, {worn.side} side{angle}"


def worn_line(view: View, width: int) -> str:
    """All that is worn now in one short line, "" for nothing: `worn: splint right 30 deg, sling left`."""
    worn = () if view.snapshot is None else view.snapshot.worn
    told = [
        f"{NAMES[one.kind]} {one.side}" + ("" if one.angle_cdeg is None else f" {one.angle_cdeg / 100:g} deg")
        for one in worn
    ]
    return shortened(f"worn: {', '.join(told)}", width) if told else ""


def left_before(view: View, before: Sequence[WornSpan]) -> tuple[WornSpan, ...]:
    """What the patient's last record left on and nobody has entered in this one yet."""
    worn = () if view.snapshot is None else view.snapshot.worn
    entered = {(one.kind.value, one.side) for one in worn}
    return tuple(span for span in before if (span.kind, span.side) not in entered)
