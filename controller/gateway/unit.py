"""A device's port and driver: opening, identity, handshake, the earned keep-alive, and the way back after a loss."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from controller.clock import SECOND
from controller.drivers.events import Identified, UnitFault, UnitWarning
from controller.drivers.recognise import CHOOSE, Listener
from controller.gateway import ports
from controller.gateway.voice import Voice
from controller.vocabulary.capabilities import Capabilities

REOPEN_EVERY_NS = SECOND


class Driver(Protocol):
    """What the drivers of stimulators and of powered orthoses have in common."""

    identity: str

    @property
    def ready(self) -> bool: ...
    def start(self, now_ns: int) -> bytes: ...
    def feed(self, now_ns: int, data: bytes) -> list[Any]: ...
    def poll(self, now_ns: int, alive: bool) -> tuple[bytes, list[Any]]: ...
    def next_deadline(self) -> int: ...
    def stop(self, now_ns: int) -> bytes: ...


DriverT = TypeVar("DriverT", bound=Driver)
DriverMade = TypeVar("DriverMade", bound=Driver, covariant=True)


class Kind(Protocol[DriverMade]):
    """What the kinds of stimulators and of powered orthoses have in common."""

    @property
    def name(self) -> str: ...
    @property
    def driver(self) -> Callable[[], DriverMade]: ...
    @property
    def capabilities(self) -> Capabilities: ...


class Place(NamedTuple):
    """How a device is called, and what is said to its port."""

    name: str
    loose: str  # what a person does first when its cable is out
    write: Callable[[bytes], ports.Output]
    open: ports.Output
    close: ports.Output


UNIT = Place("unit", "Take the leads off", ports.ToUnit, ports.OpenUnit(), ports.CloseUnit())
JOINT = Place("orthosis", "Support the limb", ports.ToJoint, ports.OpenJoint(), ports.CloseJoint())


class Unit(Generic[DriverT]):
    """A fresh driver for each connection: nothing of an earlier one is ever sent again.

    The first identity that is heard is the one that this gateway works with: a port that comes back as something else
    has no identity here, so nothing can be armed on it.
    """

    def __init__(self, kind: Kind[DriverT], voice: Voice, place: Place = UNIT) -> None:
        self.driver: DriverT | None = None
        self.identity = ""
        self.warning = ""
        self.missing = f"The {place.name}'s port has not been opened yet."
        self._new_driver = kind.driver
        self._listener = Listener(kind.capabilities.device)
        self._voice = voice
        self._place = place
        self._known = ""
        self._met = False
        """The device has said who it is since the port was opened, be it the right one or another."""
        self._reopen_at_ns = 0

    @property
    def ready(self) -> bool:
        """The device is identified, initialised and at zero."""
        return self.driver is not None and self.driver.ready and self.identity != ""

    def opened(self, now_ns: int, port: str) -> None:
        """The port is open: stop first, then ask who it is."""
        self.driver = self._new_driver()
        self.identity = self.missing = self.warning = ""
        self._reopen_at_ns = 0
        self._met = False
        self._listener.begin(now_ns)
        self._write(self.driver.start(now_ns))
        self._voice.log(now_ns, f"{self._place.name}_opened", {"port": port})

    def could_not_open(self, now_ns: int, cause: str) -> None:
        """Tried again each second."""
        self.missing = cause
        self._reopen_at_ns = now_ns + REOPEN_EVERY_NS

    def lost(self, now_ns: int, cause: str) -> None:
        """The port is gone."""
        name, loose = self._place.name, self._place.loose
        self.missing = f"The {name}'s cable or port was lost ({cause}). {loose}, then plug it in again."
        self.driver = None
        self.identity = ""
        self._reopen_at_ns = now_ns + REOPEN_EVERY_NS
        self._voice.log(now_ns, f"{name}_lost", {"cause": cause}, sync=True)
        self._voice.out.append(self._place.close)

    def feed(self, now_ns: int, data: bytes) -> list[Any]:
        """What the device said."""
        if self.driver is None:
            return []
        if not self._met:
            self._listener.hear(data)
        events = self.driver.feed(now_ns, data)
        for event in events:
            if isinstance(event, Identified):
                self._meet(now_ns, event)
        return events

    def warn(self, now_ns: int, event: UnitWarning) -> None:
        """Output may go on, but a person should know; the next status says it."""
        self.warning = f"{event.cause} {event.todo}"
        self._voice.log(now_ns, "warning", {"cause": event.cause, "todo": event.todo})

    def explain(self, fault: UnitFault) -> UnitFault:
        """A fault of a device that has not said who it is may only mean that it is another one."""
        other = "" if self._met else self._listener.other()
        return UnitFault(other, CHOOSE) if other else fault

    def _meet(self, now_ns: int, event: Identified) -> None:
        known = self._known = self._known or event.identity
        self._met = True
        self._voice.log(now_ns, "identified", {"identity": event.identity, "version": event.version}, sync=True)
        if event.identity == known:
            self.identity, self.missing = event.identity, ""
            return
        self.identity = ""
        self.missing = (
            f"The {self._place.name}'s port was {known} and now answers as {event.identity}. "
            f"Plug {known} in again, or leave and start stimloop with the other one."
        )

    def keep(self, now_ns: int, alive: bool, leaving: bool) -> list[Any]:
        """Time for the driver. `alive`: a lease lives, or output is confirmed zero; it earns the keep-alive."""
        driver = self.driver
        if driver is None:
            if self._reopen_at_ns and now_ns >= self._reopen_at_ns:
                self._reopen_at_ns = 0 if leaving else now_ns + REOPEN_EVERY_NS
                if not leaving:
                    self._voice.out.append(self._place.open)
            return []
        if not self._met:
            self.missing = self._listener.verdict(now_ns) or self.missing
        if now_ns < driver.next_deadline():
            return []
        data, events = driver.poll(now_ns, alive)
        self._write(data)
        for event in events:
            if isinstance(event, Identified):
                self._meet(now_ns, event)
        return events

    def stop(self, now_ns: int) -> None:
        """The pre-encoded stop frames, in every state."""
        if self.driver is not None:
            self._write(self.driver.stop(now_ns))

    def next_deadline(self) -> int:
        """When `keep` has something to do, in ns (0 for never)."""
        return self._reopen_at_ns if self.driver is None else self.driver.next_deadline()

    def _write(self, data: bytes) -> None:
        if data:
            self._voice.out.append(self._place.write(data))
