"""The status-and-STOP bar: row 1 of every screen and dialog. What it says is made by pure functions, tested alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from controller.tui.joint_words import does, newton_metres, pushing, region_of, stands_by
from controller.tui.pedal_words import pedal_link
from controller.tui.view import STALE_AFTER_MS, View
from controller.tui.words import Part, milliamps, seconds, shortened, strongest
from controller.vocabulary.facts import GatewayState, GatewayStatus, JointReport
from controller.vocabulary.snapshot import SessionState
from controller.vocabulary.stages import SHOWN, Stage

FLASH_HALF_NS = 250_000_000  # 2 Hz, the rate of a high-priority alarm
STOP_LABEL = " F12 STOP "
GOOD = "$good"
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
    word, look = _said(status, view.state, region_of(view))
    if view.status_age_ms > STALE_AFTER_MS:
        return f"{word} (stale {seconds(view.status_age_ms)})", "stale"
    return word, look


def _said(status: GatewayStatus, session: SessionState | None, region: str) -> tuple[str, str]:
    state = status.state
    joint = next((joint for joint in status.joint if pushing(joint)), None)
    if state is GatewayState.LATCHED:
        still = "" if joint is None else f", ORTHOSIS STILL ON {newton_metres(joint.torque_mnm)}"
        return f"▲ STOPPED{still}: {status.cause}", "alarm"
    output = strongest(status.outputs)
    if output is not None:
        amplitude = milliamps(max(output.commanded_ua, output.confirmed_ua))
        word = "STIM ON" if state is GatewayState.DELIVERING else "SWITCHING OFF"
        return f"■ {word} ch{output.channel} {amplitude}{_and_orthosis(joint)}", "stim"
    if joint is not None:
        return f"■ ORTHOSIS ON {newton_metres(joint.torque_mnm)}, {does(joint, region)}", "stim"
    if state is GatewayState.DELIVERING:
        return "■ STIM ON 0.0 mA", "stim"
    if state in (GatewayState.ARMED, GatewayState.RESTING):
        if session is SessionState.PAUSED:
            return "‖ PAUSED, armed, 0 mA", "paused"
        what = "resting" if state is GatewayState.RESTING else f"for {status.scope}"
        return f"▶ ARMED {what}, 0 mA", "armed"
    no_torque = _no_torque(status)
    if session is SessionState.PAUSED:
        return f"‖ PAUSED, safe, 0 mA{no_torque}", "paused"
    if state is GatewayState.DISARMED:
        return f"□ SAFE 0 mA{no_torque}", "safe"
    return ("○ NO UNIT" if state is GatewayState.CLOSED else "○ UNIT STARTING"), "safe"


def _no_torque(status: GatewayStatus) -> str:
    """Said of an orthosis that has itself reported it; nothing is claimed of one that has not."""
    told = [joint for joint in status.joint if joint.t_ns > 0 and not joint.fault]
    return ", torque off" if told and len(told) == len(status.joint) else ""


def _and_orthosis(joint: JointReport | None) -> str:
    return "" if joint is None else f" + ORTHOSIS {newton_metres(joint.torque_mnm)}"


def _links(view: View) -> tuple[Part, ...]:
    parts: list[Part] = [*stage_tag(view.status)]
    if view.engine_lost:
        parts.append(("engine ✖  ", "bold $alarm"))
    elif view.snapshot is not None and view.engine_stale:
        parts.append((f"stale {seconds(view.snapshot_age_ms)}  ", "$quiet"))
    status = view.status
    if view.gateway_silent:
        parts.append(("unit ? ", "bold $alarm"))
        return (*parts, *_puck_link(view))
    parts += pedal_link(view)
    for joint in status.joint if status is not None else ():
        here = status is not None and (joint.ready or stands_by(joint, status))
        parts.append(("orthosis ● ", GOOD) if here else ("orthosis ○ ", "bold $warning"))
    ready = status is not None and status.unit and status.state not in (GatewayState.CLOSED, GatewayState.CONNECTED)
    parts.append(("unit ● ", GOOD) if ready else ("unit ○ ", "bold $warning"))
    return (*parts, *_puck_link(view))


def stage_tag(status: GatewayStatus | None) -> tuple[Part, ...]:
    """What the devices may be used for, in words: simulated and real must never be taken for one another."""
    if status is None or not status.unit:
        return ()
    look = "$quiet" if status.stage is Stage.SIMULATED else "bold $ink on $real"
    return ((SHOWN[status.stage], look), ("  ", ""))


def is_real(view: View) -> bool:
    """Something real is connected: the whole screen wears another ground."""
    return view.status is not None and view.status.unit != "" and view.status.stage is not Stage.SIMULATED


def _puck_link(view: View) -> tuple[Part, ...]:
    pucks = () if view.snapshot is None else tuple(puck for puck in view.snapshot.pucks if puck.used)
    if not pucks:
        return (("puck ○ ", "bold $warning"),)
    worst = max(pucks, key=lambda puck: (bool(puck.lost), puck.age_ms))
    if worst.lost:
        return (("puck ✖ ", "bold $alarm"),)
    if worst.age_ms > 100:  # a fresh puck's age says nothing and would flicker all the time
        return ((f"puck ▲ {seconds(worst.age_ms)} old ", "bold $warning"),)
    return (("puck ● ", GOOD),)


def bar_parts(model: BarModel, width: int) -> tuple[Part, ...]:
    """The bar in exactly `width` columns: STOP always stands whole at the right.

    Where the state needs the room, first the links that are in order give way (the orthosis first), then the state.
    """
    links = list(model.links)
    room = _room(links, width)
    while len(model.word) + 2 > room and (good := next((part for part in links if part[1] == GOOD), None)):
        links.remove(good)
        room = _room(links, width)
    word = shortened(f" {model.word} ", room)
    gap = " " * max(1, width - len(word) - _columns(links) - len(STOP_LABEL))
    return ((word, _GROUNDS[model.look]), gap, *links, (STOP_LABEL, "bold #ffffff on $stop"))


def _columns(links: Sequence[Part]) -> int:
    return sum(len(part if isinstance(part, str) else part[0]) for part in links)


def _room(links: Sequence[Part], width: int) -> int:
    """What is left of the row for the state."""
    return max(8, width - _columns(links) - len(STOP_LABEL) - 1)


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
