"""The status-and-STOP bar: row 1 of every screen and dialog. What it says is made by pure functions, tested alone."""

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from controller.tui.view import STALE_AFTER_MS, View
from controller.tui.words import Part, milliamps, seconds, shortened, strongest
from controller.vocabulary.facts import GatewayState, GatewayStatus
from controller.vocabulary.snapshot import SessionState

FLASH_HALF_NS = 250_000_000  # 2 Hz, the rate of a high-priority alarm
STOP_LABEL = " F12 STOP "
_GROUNDS = {
    "stim": "bold $ink on $stim",
    "armed": "bold $ink on $armed",
    "paused": "bold $ink on $paused",
    "safe": "bold",
    "alarm": "bold $ink on $alarm",
    "alarm-off": "bold $alarm reverse",
    "stale": "$quiet",
}


@dataclass(frozen=True, slots=True)
class BarModel:
    """What the bar shows: the state in words with its glyph, its look, the links, and their trouble."""

    word: str
    look: str
    links: tuple[Part, ...]


def bar_model(view: View) -> BarModel:
    """The bar for `view`: silence of the gateway outranks all, then what the gateway says."""
    word, look = _state(view)
    if look == "alarm" and (view.now_ns // FLASH_HALF_NS) % 2:
        look = "alarm-off"
    return BarModel(word, look, _links(view))


def _state(view: View) -> tuple[str, str]:
    status = view.status
    if view.gateway_silent:
        age = f" {seconds(view.status_age_ms)}" if view.status_age_ms >= 0 else ""
        return f"▲ PULL THE LEADS: gateway silent{age}", "alarm"
    if status is None:
        return "○ STARTING: no word from the gateway yet", "stale"
    word, look = _said(status, view.state)
    if view.status_age_ms > STALE_AFTER_MS:
        return f"{word} (stale {seconds(view.status_age_ms)})", "stale"
    return word, look


def _said(status: GatewayStatus, session: SessionState | None) -> tuple[str, str]:
    state = status.state
    if state is GatewayState.LATCHED:
        return f"▲ STOPPED: {status.cause}", "alarm"
    output = strongest(status.outputs)
    if output is not None:
        amplitude = milliamps(max(output.commanded_ua, output.confirmed_ua))
        word = "STIM ON" if state is GatewayState.DELIVERING else "SWITCHING OFF"
        return f"■ {word} ch{output.channel} {amplitude}{_and_orthosis(status)}", "stim"
    if _pushing(status):
        return f"■ ORTHOSIS ON {_torque(status)}", "stim"
    if state is GatewayState.DELIVERING:
        return "■ STIM ON 0.0 mA", "stim"
    if state in (GatewayState.ARMED, GatewayState.RESTING):
        if session is SessionState.PAUSED:
            return "‖ PAUSED, armed, 0 mA", "paused"
        what = "resting" if state is GatewayState.RESTING else f"for {status.scope}"
        return f"▶ ARMED {what}, 0 mA", "armed"
    if session is SessionState.PAUSED:
        return "‖ PAUSED, safe, 0 mA", "paused"
    if state is GatewayState.DISARMED:
        return "□ SAFE 0 mA", "safe"
    return ("○ NO UNIT" if state is GatewayState.CLOSED else "○ UNIT STARTING"), "safe"


def _pushing(status: GatewayStatus) -> bool:
    return any(joint.torque_on or joint.moving for joint in status.joint)


def _torque(status: GatewayStatus) -> str:
    return f"{max(abs(joint.torque_mnm) for joint in status.joint) / 1000:.1f} Nm"


def _and_orthosis(status: GatewayStatus) -> str:
    return f" + ORTHOSIS {_torque(status)}" if _pushing(status) else ""


def _links(view: View) -> tuple[Part, ...]:
    parts: list[Part] = []
    if view.engine_lost:
        parts.append(("engine ✖  ", "bold $alarm"))
    elif view.snapshot is not None and view.engine_stale:
        parts.append((f"stale {seconds(view.snapshot_age_ms)}  ", "$quiet"))
    status = view.status
    if view.gateway_silent:
        parts.append(("unit ? ", "bold $alarm"))
        return (*parts, *_puck_link(view))
    for joint in () if status is None else status.joint:
        parts.append(("orthosis ● ", "$good") if joint.ready else ("orthosis ○ ", "bold $warning"))
    ready = status is not None and status.unit and status.state not in (GatewayState.CLOSED, GatewayState.CONNECTED)
    parts.append(("unit ● ", "$good") if ready else ("unit ○ ", "bold $warning"))
    return (*parts, *_puck_link(view))


def _puck_link(view: View) -> tuple[Part, ...]:
    pucks = () if view.snapshot is None else view.snapshot.pucks
    if not pucks:
        return (("puck ○ ", "bold $warning"),)
    worst = max(pucks, key=lambda puck: (bool(puck.lost), puck.age_ms))
    if worst.lost:
        return (("puck ✖ ", "bold $alarm"),)
    if worst.age_ms > 100:  # a fresh puck's age says nothing and would flicker all the time
        return ((f"puck ▲ {seconds(worst.age_ms)} old ", "bold $warning"),)
    return (("puck ● ", "$good"),)


def bar_parts(model: BarModel, width: int) -> tuple[Part, ...]:
    """The bar in exactly `width` columns: STOP always stands whole at the right, the state gives way first."""
    links_width = sum(len(part if isinstance(part, str) else part[0]) for part in model.links)
    room = max(8, width - links_width - len(STOP_LABEL) - 1)
    word = shortened(f" {model.word} ", room)
    gap = " " * max(1, width - len(word) - links_width - len(STOP_LABEL))
    return ((word, _GROUNDS[model.look]), gap, *model.links, (STOP_LABEL, "bold #ffffff on $stop"))


class StatusBar(Static):
    """Set `model`."""

    model: reactive[BarModel | None] = reactive(None, init=False)

    def watch_model(self) -> None:
        """Paint."""
        self.paint()

    def on_resize(self) -> None:
        """The gap in the middle depends on the width."""
        self.paint()

    def paint(self) -> None:
        """Put the model on the row."""
        width = self.size.width or self.app.size.width  # a screen that is just coming up has no size yet
        if self.model is not None and width:
            self.update(Content.assemble(*bar_parts(self.model, width)), layout=False)
