"""The devices that are connected, by serial number, and the question to one of them who it is.

Asking begins with off, as every connection does; nothing is ever armed here.
"""

import select
from dataclasses import asdict, dataclass
from typing import Any

from controller.clock import MS, SECOND, now_ns
from controller.drivers import registry
from controller.drivers.events import Identified, UnitFault
from controller.drivers.ports import PortFault, is_hidraw, open_hidraw, open_serial
from controller.drivers.presence import locate, present
from controller.drivers.pucks.base import extras_of
from controller.drivers.pucks.kind import PuckKind
from controller.drivers.recognise import PATIENCE_NS, Listener
from controller.wire.link import Link, LinkLost

ANSWER_NS = PATIENCE_NS + SECOND


@dataclass(frozen=True, slots=True)
class Found:
    """One port that is there. `kinds` are the devices whose USB chip has these numbers: a hint, no proof."""

    serial: str
    path: str
    usb: str
    about: str
    kinds: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking. `identity` is the device's own word (for a puck: that its samples arrive)."""

    asked: str
    good: bool
    identity: str
    version: str
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def connected() -> list[Found]:
    """Every serial port and hidraw node, by serial number, then by path."""
    known = _known_usb()
    found = []
    for port in present():
        kinds = () if port.usb is None else known.get(port.usb, ())
        usb = "" if port.usb is None else f"{port.usb[0]:04x}:{port.usb[1]:04x}"
        found.append(Found(port.serial, port.path, usb, port.about, kinds))
    return sorted(found, key=lambda one: (one.serial == "", one.serial, one.path))


def ask(named: str) -> Answer:
    """Open `kind:port`, say off, and wait up to three seconds for its answer. Says nothing else to it."""
    name, _, url = named.partition(":")
    kind = _kind(name)
    try:
        path = locate(url)
        link = open_hidraw(path) if is_hidraw(path) else open_serial(path, kind.line)
    except PortFault as error:
        return Answer(named, False, "", "", f"{named}: {error}. {error.todo.capitalize()}.")
    try:
        return _listen(named, kind, link, path)
    except LinkLost as error:
        return Answer(named, False, "", "", f"{named}: lost while it was asked ({error}).")
    finally:
        link.close()


def _listen(named: str, kind: Any, link: Link, port: str) -> Answer:
    is_puck = isinstance(kind, PuckKind)
    driver: Any = kind.driver_at(port) if is_puck else kind.driver()
    listener = Listener(kind.capabilities.device)
    begun, fault = now_ns(), ""
    listener.begin(begun)
    _write(link, driver.start(begun))
    while now_ns() - begun < ANSWER_NS:
        wait_ns = min(max(driver.next_deadline() - now_ns(), 0), 20 * MS)
        select.select([link.fileno()], [], [], wait_ns / SECOND)
        data, now = link.read(), now_ns()
        listener.hear(data)
        heard: list[Any] = list(driver.feed(now, data)) if data else []
        if is_puck:
            if heard:
                device = kind.capabilities.device
                for last in extras_of(driver).close(now):
                    _write(link, last)
                return Answer(named, True, device, "", f"{named}: {device} talks here.")
            _write(link, driver.poll(now))
        else:
            out, more = driver.poll(now, True)
            heard += more
            _write(link, out)
        for event in heard:
            if isinstance(event, Identified):
                _write(link, driver.stop(now))
                version = f", version {event.version}" if event.version else ""
                return Answer(named, True, event.identity, event.version, f"{named}: {event.identity}{version}")
            if isinstance(event, UnitFault):
                fault = fault or f"{event.cause} {event.todo}"
        told = listener.verdict(now)
        if told:
            return Answer(named, False, "", "", f"{named}: {listener.other() or fault or told}")
    return Answer(named, False, "", "", f"{named}: it did not say who it is within {ANSWER_NS // SECOND} s.")


def _write(link: Link, data: bytes) -> None:
    if data:
        link.write(data)


def _known_usb() -> dict[tuple[int, int], tuple[str, ...]]:
    known: dict[tuple[int, int], tuple[str, ...]] = {}
    for group in registry.OWN:
        for name in registry.names(group):
            kind: Any = registry.load(group, name, object)
            for usb in kind.usb:
                known[usb] = (*known.get(usb, ()), name)
    return known


def _kind(name: str) -> Any:
    base = name.partition(".")[0]
    group = next(group for group in registry.OWN if base in registry.names(group))
    return registry.load(group, base, object)
