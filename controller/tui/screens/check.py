"""Device check: what is there, what is missing, what to do, and how to break the circuit by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult

from controller.record.worn import WornSpan
from controller.tui.joint_words import degrees, stands_by
from controller.tui.keys import Key, key
from controller.tui.pedal_words import pedal_lines
from controller.tui.placing import place_keys, place_line
from controller.tui.screens.base import HouseDialog, HouseScreen
from controller.tui.view import View
from controller.tui.widgets.meter import CONFIRM_STALE_MS
from controller.tui.widgets.pane import Pane, Parts
from controller.tui.words import Part, seconds
from controller.tui.worn_words import kind_name, left_before, worn_line
from controller.vocabulary.capabilities import UNKNOWN, Capabilities
from controller.vocabulary.facts import GatewayState, GatewayStatus
from controller.vocabulary.snapshot import PuckView
from controller.vocabulary.stages import SHOWN, Stage
from safety.interlocks import is_simulated

RATE_MIN_HZ = 50.0
AGE_MAX_MS = 100
BATTERY_LOW_PERCENT = 20


@dataclass(frozen=True, slots=True)
class Item:
    """One line: is it good, what it is, how it stands, and what to do when it is not good. What is not `needed` is
    shown for what it is, and stands in nobody's way."""

    good: bool
    name: str
    found: str
    todo: str = ""
    needed: bool = True

    @property
    def stops(self) -> bool:
        """It must be mended before the session goes on."""
        return self.needed and not self.good


def items(view: View, left_on: Sequence[WornSpan] = ()) -> tuple[Item, ...]:
    """The check list for `view`; `left_on` is what the patient still wore where the last record ends."""
    pedals = tuple(Item(*line) for line in pedal_lines(view))
    devices = (_unit(view), *_operator(view), *_pucks(view), *_orthosis(view), *pedals, _link(view), _engine(view))
    devices = (*devices, *((Item(*place_line(view)),) if view.snapshot is not None else ()))
    return (*devices, *_worn(view), *_left(view, left_on))


def _unit(view: View) -> Item:
    status = view.status
    if status is None or status.state is GatewayState.CLOSED or not (status.unit or _starting(status)):
        why = "" if status is None else status.blocked
        return Item(False, "unit", "not found", why or "Plug the unit in and switch it on.")
    if _starting(status):
        todo = "Wait. If it stays so: unit off, on again." if status.unit else status.blocked
        return Item(False, "unit", f"{status.unit or 'unknown'}: starting", todo or "Wait a moment.")
    simulated = is_simulated(status.unit)  # `status.simulated` speaks of unit and orthosis together
    good = simulated or status.stage is not Stage.NONE
    kind = "simulated" if simulated else SHOWN[status.stage]
    report = _confirmation(status)
    return Item(good, "unit", f"{status.unit}  {kind}  {report}", status.warning if good else status.permission)


def _operator(view: View) -> tuple[Item, ...]:
    """Who answers for a real device; with simulated ones nobody has to."""
    status = view.status
    if status is None or status.stage in (Stage.SIMULATED, Stage.NONE):
        return ()
    return (Item(True, "operator", f"{status.operator}  {SHOWN[status.stage]}"),)


def _starting(status: GatewayStatus) -> bool:
    return status.state is GatewayState.CONNECTED


def _confirmation(status: GatewayStatus) -> str:
    """Ages that change with every look would only flicker: fresh, or how old."""
    if status.confirmed_age_ms < 0:
        return "not reported yet"
    stale = status.confirmed_age_ms > CONFIRM_STALE_MS
    return f"last report {seconds(status.confirmed_age_ms)} ago" if stale else "report fresh"


def _pucks(view: View) -> tuple[Item, ...]:
    pucks = () if view.snapshot is None else view.snapshot.pucks
    if view.engine_lost:
        return (Item(False, "puck", "not known: the engine reads it", "Leave with ctrl+q and start again."),)
    if not pucks:
        return (Item(False, "puck", "not found", "Switch the motion puck on and plug in its receiver."),)
    return tuple(_puck(puck) for puck in pucks)


def _puck(puck: PuckView) -> Item:
    name = "puck" if puck.name == "puck" else f"puck {puck.name}"
    if puck.lost:
        return Item(False, name, f"lost: {puck.lost}", "Plug it in again.")
    found = _measures(puck)
    if not puck.used:
        return Item(_is_fresh(puck), name, f"not used  {found}", needed=False)
    if not puck.rate_hz >= RATE_MIN_HZ:
        return Item(False, name, found, f"Under {RATE_MIN_HZ:.0f} Hz: bring it nearer to its receiver, or charge it.")
    if not _is_fresh(puck):
        return Item(False, name, found, "Too old: is it still switched on?")
    low = 0 <= puck.battery_percent < BATTERY_LOW_PERCENT
    return Item(True, name, found, "Its battery is low: charge it soon." if low else puck.remark)


def _is_fresh(puck: PuckView) -> bool:
    return 0 <= puck.age_ms <= AGE_MAX_MS


def _measures(puck: PuckView) -> str:
    """Port, rate, age, battery where it is known, and what was refused."""
    age = "fresh" if _is_fresh(puck) else (f"{puck.age_ms} ms old" if puck.age_ms >= 0 else "nothing yet")
    battery = f"  battery {puck.battery_percent} %" if puck.battery_percent >= 0 else ""
    return f"{puck.device}  {puck.rate_hz:.0f} Hz  {age}{battery}  {puck.bad_frames} bad frames".strip()


def _orthosis(view: View) -> tuple[Item, ...]:
    """Nothing where neither the protocol nor the command line knows of one."""
    wanted = view.snapshot is not None and bool(view.snapshot.joint)
    joints = () if view.status is None else view.status.joint
    if not joints or view.status is None:
        todo = "Leave with ctrl+q and start again with --orthosis KIND:PORT."
        return (Item(False, "orthosis", "the protocol moves one, and none was named", todo),) if wanted else ()
    joint = joints[0]
    if joint.fault or not joint.identity:
        return (Item(False, "orthosis", joint.fault or "has not said who it is yet", "Look at its cable and power."),)
    stands = f"{degrees(joint.angle_cdeg)}, torque {'ON' if joint.torque_on else 'off'}"
    standing_by = stands_by(joint, view.status)
    if not (joint.ready or standing_by):
        todo = "Wait. If it stays so: off, on again."
        return (Item(False, "orthosis", f"{joint.identity}  starting  {stands}", todo),)
    if not is_simulated(joint.identity):
        found = f"{joint.identity}  REAL ORTHOSIS, {SHOWN[view.status.stage]}  {stands}"
        good = view.status.stage is not Stage.NONE
        return (Item(good, "orthosis", found, "" if good else view.status.permission),)
    more = "  not moved by this protocol" if not wanted else ", stopped" if standing_by else ""
    return (Item(True, "orthosis", f"{joint.identity}  simulated  {stands}{more}"),)


def _worn(view: View) -> tuple[Item, ...]:
    line = worn_line(view, 60).removeprefix("worn: ")
    return (Item(True, "worn", line),) if line else ()


def _left(view: View, left_on: Sequence[WornSpan]) -> tuple[Item, ...]:
    todo = "If it is still on: look at the skin, then press w and enter it."
    left = left_before(view, left_on)
    told = [f"{kind_name(span.kind)}, {span.side} side: still on where the last record ends" for span in left]
    return tuple(Item(False, "still worn?", found, todo, needed=False) for found in told)


def _link(view: View) -> Item:
    status = view.status
    if status is None or view.gateway_silent:
        return Item(False, "gateway", "silent", "PULL THE LEADS. If it stays so: leave with ctrl+q and start again.")
    dropped = f", dropped: {status.dropped}" if status.dropped else ""
    found = f"answers, wire faults: {status.wire_faults}, orders refused: {status.refused}{dropped}"
    return Item(True, "gateway", found)


def _engine(view: View) -> Item:
    if view.engine_lost or view.snapshot is None:
        return Item(False, "engine", view.engine_lost or "silent", "Leave with ctrl+q and start again.")
    found = f"answers, {seconds(view.snapshot_age_ms)} old" if view.engine_stale else "answers"
    return Item(not view.engine_stale, "engine", found, "Wait. If it stays so: leave." if view.engine_stale else "")


def check_parts(view: View, left_on: Sequence[WornSpan] = ()) -> Parts:
    """The list, painted."""
    parts: list[Part] = [("Devices", "bold")]
    for item in items(view, left_on):
        glyph, look = ("✓", "$good") if item.good else (("▲", "bold $warning") if item.needed else ("·", "$quiet"))
        parts += [(f"\n {glyph} ", look), (f"{item.name:<14}", "bold"), item.found]
        if item.todo:
            parts.append((f"\n     → {item.todo}", "bold $warning"))
    return tuple(parts)


def by_hand(view: View) -> Parts:
    """What no program can do, from what this unit can and cannot."""
    unit = UNKNOWN if view.status is None else view.status.capabilities
    parts: list[Part] = [("By hand     ", "bold"), _circuit(unit), _alone(unit)]
    if view.status is not None and view.status.joint:
        parts += [("Orthosis    ", "bold"), _LIMB]
    parts += [("Electrodes  ", "bold"), _electrodes(unit)]
    return tuple(parts)


def _circuit(unit: Capabilities) -> str:
    if unit.emergency_stop_input:
        return (
            "The unit's emergency-stop switch must be plugged in, closed and within reach: press it once to try it.\n"
        )
    breaks = unit.break_circuit or "Pull the electrode leads, or take an electrode off."
    return f"This unit has no emergency-stop input: keep the leads within reach. {breaks}\n"


def _alone(unit: Capabilities) -> str:
    if unit.watchdog_ms:
        return f"Should this computer die, the unit may go on for {seconds(unit.watchdog_ms)}.\n"
    return "Should this computer die, the unit stops with the pulse it has.\n" if unit is not UNKNOWN else ""


def _electrodes(unit: Capabilities) -> str:
    look = "Look at the electrodes yourself before each start.\n"
    if unit.electrode_test_ua_min is None:
        return f"The unit does not notice a loose electrode. {look}"
    least = f"{unit.electrode_test_ua_min / 1000:.0f} mA"
    return f"The unit's electrode test is blind below {least}. {look}"


_LIMB = "Its own power switch stays within reach: off lets the limb go. Support the limb before you press it.\n"
_HELP = (
    "Everything that is missing has an arrow with what to do. The list is live. "
    "p says to the gateway that you have looked how the patient is placed. "
    "Stimulation needs a unit that is ready and a puck of 50 Hz or more whose newest sample is under 100 ms old."
)


class CheckScreen(HouseScreen):
    """The step between screening and the STOP test."""

    BOUND = "g,p,w,q"
    HELP = _HELP

    def compose_body(self) -> ComposeResult:
        """The list and the two warnings."""
        yield Pane(id="devices", classes="box")
        yield Pane(id="circuit", classes="note")

    def keys(self, view: View) -> list[Key]:
        """Go on once all is there."""
        found = [*place_keys(view, self.house.date, self.house.front.request), *self.worn_keys(view), self.quit_key()]
        if not any(item.stops for item in items(view)):
            found.insert(0, key("g", "go on to the STOP test", self._go_on))
        return found

    def why_not(self, name: str, view: View) -> str:
        """The arrows say what is missing."""
        if name == "p":
            return "Confirmed already."
        if name != "g":
            return super().why_not(name, view)
        return "Something is missing: do what the arrows say."

    def _go_on(self) -> None:
        self.house.devices_checked = True

    def paint(self, view: View) -> None:
        """The live list."""
        self.query_one("#devices", Pane).parts = check_parts(view, self.house.left_on)
        self.query_one("#circuit", Pane).parts = by_hand(view)


class CheckDialog(HouseDialog):
    """The same list over any other screen (F2)."""

    BOUND = "p,x,escape"
    HELP = _HELP

    def compose_body(self) -> ComposeResult:
        """The list and the two warnings."""
        yield Pane(id="devices", classes="box")
        yield Pane(id="circuit", classes="note")

    def keys(self, view: View) -> list[Key]:
        """Close."""
        placing = place_keys(view, self.house.date, self.house.front.request)
        return [*placing, key("x,escape", "close", self.dismiss)]

    def why_not(self, name: str, view: View) -> str:
        """The position is confirmed with everything off."""
        if name != "p":
            return super().why_not(name, view)
        return (
            "Disarm first (d): the position is confirmed with everything off." if view.armed else "Confirmed already."
        )

    def paint(self, view: View) -> None:
        """The live list."""
        self.query_one("#devices", Pane).parts = check_parts(view, self.house.left_on)
        self.query_one("#circuit", Pane).parts = by_hand(view)
