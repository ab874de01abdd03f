"""Foot pedals in the gateway's core: the one that stops, and the one that is a protocol's button.

Any key of the STOP pedal is STOP, and so is whatever leaves us in doubt: a key that is down when it is opened, events
that the system dropped. Nothing can be armed until a press of it was seen, and none after it was plugged in anew;
losing it while armed latches. The button pedal only tells the engine that it was pressed: doubt is no press there.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.clock import SECOND
from controller.gateway import ports
from controller.gateway.person import stop_pressed
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary.facts import PedalPressed
from controller.vocabulary.pedal import PedalReport, PedalRole
from controller.wire.evdev import EventsLost, KeyEvent, KeyPressed, KeyReader
from safety.interlocks import is_simulated

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore

LOOK_EVERY_NS = SECOND


class Pedal:
    """One pedal, by its serial number (or a simulator's port). It is looked for again each second while missing."""

    def __init__(self, role: PedalRole, named: str) -> None:
        self.role = role
        self.serial = named
        self.name = ""
        self.here = self.tested = self.simulated = False
        self.missing = "it has not been looked for yet. Wait a moment."
        self._readers: tuple[KeyReader, ...] = ()
        self._look_at_ns = 0

    @property
    def held(self) -> bool:
        """A key of it is down, as far as is known."""
        return any(reader.held for reader in self._readers)

    @property
    def known_as(self) -> str:
        """How sentences and the record name it."""
        return f"foot pedal {self.serial}"

    @property
    def ready(self) -> bool:
        """There, tested since it was plugged in, and not held down."""
        return self.here and self.tested and not self.held

    def pretends(self, *devices: str) -> bool:
        """It is a simulated one beside a device that is not: no foot of anybody is on it."""
        return self.here and self.simulated and not all(is_simulated(one) for one in devices if one)

    def opened(self, entry: ports.PedalOpened) -> None:
        """Its nodes are open; what was known of it is forgotten."""
        self.here, self.tested, self.simulated = True, False, entry.simulated
        self.serial, self.name, self.missing = entry.serial, entry.name, ""
        self._readers = tuple(KeyReader(keys) for keys in entry.held)
        self._look_at_ns = 0

    def lost(self, now_ns: int, cause: str) -> None:
        """It is not there, or not ours."""
        self.here = self.tested = False
        self.missing = cause
        self._readers = ()
        self._look_at_ns = now_ns + LOOK_EVERY_NS

    def feed(self, entry: ports.PedalBytes) -> list[KeyEvent]:
        """What the bytes of one node say."""
        return self._readers[entry.node].feed(entry.data) if entry.node < len(self._readers) else []

    def due(self, now_ns: int) -> bool:
        """It is time to look for it again."""
        if not self._look_at_ns or now_ns < self._look_at_ns:
            return False
        self._look_at_ns = now_ns + LOOK_EVERY_NS
        return True

    def report(self, fault: str) -> PedalReport:
        """As the screen shows it."""
        return PedalReport(
            self.role, self.serial, self.name, self.here, self.tested, self.held, self.simulated, fault or self.missing
        )


class Pedals:
    """Those that were named at the start ("" for none). Raises ValueError when both are the same."""

    def __init__(self, stop: str = "", button: str = "") -> None:
        if stop and stop == button:
            raise ValueError(f"{stop} cannot be the pedal that stops and the button at once")
        named = {PedalRole.STOP: stop, PedalRole.BUTTON: button}
        self.by_role = {role: Pedal(role, name) for role, name in named.items() if name}

    @property
    def ready(self) -> bool:
        """There is no STOP pedal, or it can be relied upon."""
        pedal = self.by_role.get(PedalRole.STOP)
        return pedal is None or pedal.ready

    def blocked(self, *devices: str) -> str:
        """Why nothing can be armed because of a pedal, in one sentence with what to do; "" when it can.

        `devices`: who the unit and the orthosis say they are.
        """
        for pedal in self.by_role.values():
            if pedal.pretends(*devices):
                return f"The {pedal.known_as} is a simulated one, and a device is not: name a real pedal, or none."
        stops = self.by_role.get(PedalRole.STOP)
        if stops is None:
            return ""
        the = f"The {stops.known_as}"
        if not stops.here:
            return f"{the} is not there: {stops.missing}"
        if stops.held:
            return f"{the} is held down: let go of it."
        return "" if stops.tested else f"{the} has not been tested since it was plugged in: press it once."

    def reports(self, *devices: str) -> tuple[PedalReport, ...]:
        """All of them, for the screen."""
        blocked = self.blocked(*devices)
        return tuple(pedal.report(blocked if pedal.role is PedalRole.STOP else "") for pedal in self.by_role.values())


def keep(core: "GatewayCore", now_ns: int) -> None:
    """Look again for what is missing."""
    for pedal in core.pedals.by_role.values():
        if pedal.due(now_ns) and not core.leaving:
            core.voice.out.append(ports.OpenPedal(pedal.role))


def opened(core: "GatewayCore", now_ns: int, entry: ports.PedalOpened) -> None:
    """It is there. One that is held down has not been let go of since somebody meant STOP."""
    pedal = core.pedals.by_role[entry.role]
    pedal.opened(entry)
    told = {"role": entry.role, "serial": entry.serial, "name": entry.name, "held": pedal.held}
    core.voice.log(now_ns, "pedal_opened", {**told, "simulated": entry.simulated}, sync=True)
    if entry.role is PedalRole.STOP and pedal.held:
        stop_pressed(core, now_ns, f"{pedal.known_as}, held down when it was opened", tests=False)
    core.report(now_ns)


def missing(core: "GatewayCore", now_ns: int, entry: ports.PedalMissing) -> None:
    """It could not be opened. Told once for each cause."""
    pedal = core.pedals.by_role[entry.role]
    if pedal.missing != entry.cause:
        core.voice.log(now_ns, "pedal_missing", {"role": entry.role, "cause": entry.cause})
    pedal.lost(now_ns, entry.cause)


def gone(core: "GatewayCore", now_ns: int, entry: ports.PedalGone) -> None:
    """It was lost. Without the STOP pedal that was asked for nothing stays armed."""
    pedal = core.pedals.by_role[entry.role]
    pedal.lost(now_ns, f"{entry.cause}. Plug the same pedal in again.")
    core.voice.log(now_ns, "pedal_lost", {"role": entry.role, "cause": entry.cause}, sync=True)
    if entry.role is PedalRole.STOP:
        core.forget_wish()
        if core.state in PERMITS_DELIVERY:
            todo = "Plug the same pedal in again and press it once. Then acknowledge and arm again."
            core.latch(now_ns, f"The {pedal.known_as} was lost ({entry.cause}).", todo)
    core.report(now_ns)


def heard(core: "GatewayCore", now_ns: int, entry: ports.PedalBytes) -> None:
    """Its events: presses, releases, and what was lost of them."""
    pedal = core.pedals.by_role[entry.role]
    was_held = pedal.held
    for event in pedal.feed(entry):
        if entry.role is PedalRole.BUTTON:
            if isinstance(event, KeyPressed) and not pedal.pretends(*core.identities):
                core.voice.engine(PedalPressed(now_ns))
                core.permits.pressed(now_ns)
        elif isinstance(event, KeyPressed):
            pedal.tested = True
            stop_pressed(core, now_ns, pedal.known_as, tests=False)
        elif isinstance(event, EventsLost):
            stop_pressed(core, now_ns, f"{pedal.known_as}: {event.why}", tests=False)
    if pedal.held != was_held:
        core.report(now_ns)


INPUTS: dict[type, Callable[..., None]] = {
    ports.PedalOpened: opened,
    ports.PedalMissing: missing,
    ports.PedalGone: gone,
    ports.PedalBytes: heard,
}
