"""The buttons of a session: the key on the run screen, the button pedal (which the gateway reads), the puck's touch.

A press counts while the session runs and its protocol listens to that source; presses of one source within 0.3 s of
the last that counted are the same press. A touch while current flows or the orthosis pushes, and in the blanking time
after it, is none: the stimulated muscle makes it.
"""

from math import isnan
from typing import TYPE_CHECKING

from controller.clock import MS
from controller.session.model import Protocol
from controller.session.sources import Given, asked_of, lacking, sentence
from controller.vocabulary.button import BITS, ButtonSource
from controller.vocabulary.pedal import PedalReport, PedalRole
from controller.vocabulary.snapshot import ButtonView, SessionState

if TYPE_CHECKING:
    from controller.engine.core import EngineCore

SAME_PRESS_NS = 300 * MS


class Buttons:
    """What the protocol listens to, and when each source was pressed last."""

    def __init__(self, protocol: Protocol) -> None:
        self.asked = asked_of(protocol)
        self._protocol = protocol
        self._last_ns: dict[ButtonSource, int] = {}

    def fresh(self, now_ns: int, source: ButtonSource) -> bool:
        """Whether a press of now is one of its own."""
        last_ns = self._last_ns.get(source)
        if last_ns is not None and now_ns - last_ns < SAME_PRESS_NS:
            return False
        self._last_ns[source] = now_ns
        return True

    def missing(self, core: "EngineCore") -> str:
        """What the protocol waits for and the devices cannot give now, in one sentence with what to do; else ""."""
        pedal = pedal_of(core)
        given = Given(core.feed.senses.touch, core.feed.senses.load, pedal is not None)
        puck = core.feed.driver.device or core.feed.driver.name
        found = lacking(self._protocol, given, puck)
        if found:
            return sentence(found[0])
        if self.asked.load and isnan(core.feed.load_n):
            return f"The protocol waits for `load`, and {puck} tells none: look at its load cell, or use another one."
        named = self._protocol_names_pedal()
        if named and pedal is not None and not pedal.here:
            return f"The protocol waits for `button pedal`, and it is not there: {pedal.fault}"
        return ""

    def _protocol_names_pedal(self) -> bool:
        return bool(lacking(self._protocol, Given(touch=True, load=True), ""))

    def views(self, core: "EngineCore") -> tuple[ButtonView, ...]:
        """The sources that the protocol listens to, for the screen."""
        wanted = core.training.plan.wants_button if core.state is SessionState.RUNNING else 0
        views = []
        for source in ButtonSource:
            if source in self.asked.buttons and self._there(core, source):
                views.append(ButtonView(source, bool(wanted & BITS[source])))
        return tuple(views)

    def _there(self, core: "EngineCore", source: ButtonSource) -> bool:
        if source is ButtonSource.PEDAL:
            return pedal_of(core) is not None
        return source is ButtonSource.KEY or core.feed.senses.touch


def pedal_of(core: "EngineCore") -> PedalReport | None:
    """The button pedal as the gateway sees it; None where none was named."""
    pedals = () if core.status is None else core.status.pedals
    return next((pedal for pedal in pedals if pedal.role is PedalRole.BUTTON), None)


def press(core: "EngineCore", now_ns: int, source: ButtonSource) -> None:
    """Somebody pressed."""
    if core.state is not SessionState.RUNNING or source not in core.buttons.asked.buttons:
        return
    if not core.buttons.fresh(now_ns, source):
        return
    if source is ButtonSource.TOUCH and core.feed.detector.blanked(now_ns):
        core.note(now_ns, "button_blanked", {"source": source})
        return
    core.note(now_ns, "button_pressed", {"source": source})
    core.carry(core.training.on_button(now_ns, source, core.record))
