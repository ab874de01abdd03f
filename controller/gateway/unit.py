"""The unit's port and driver: opening, identity, handshake, the earned keep-alive, and the way back after a loss."""

from collections.abc import Callable, Sequence

from controller.clock import SECOND
from controller.drivers.stimulators.base import StimulatorDriver
from controller.drivers.stimulators.events import Identified, UnitEvent
from controller.gateway.ports import CloseUnit, OpenUnit
from controller.gateway.voice import Voice

REOPEN_EVERY_NS = SECOND


class Unit:
    """A fresh driver for each connection: nothing of an earlier one is ever sent again."""

    def __init__(self, new_driver: Callable[[], StimulatorDriver], voice: Voice) -> None:
        self.driver: StimulatorDriver | None = None
        self.identity = ""
        self.missing = "The unit's port has not been opened yet."
        self._new_driver = new_driver
        self._voice = voice
        self._reopen_at_ns = 0

    @property
    def ready(self) -> bool:
        """The unit is identified, initialised and at zero."""
        return self.driver is not None and self.driver.ready

    def opened(self, now_ns: int, port: str) -> None:
        """The port is open: stop first, then ask who it is."""
        self.driver = self._new_driver()
        self.identity = self.missing = ""
        self._reopen_at_ns = 0
        self._voice.unit(self.driver.start(now_ns))
        self._voice.log(now_ns, "unit_opened", {"port": port})

    def could_not_open(self, now_ns: int, cause: str) -> None:
        """Tried again each second."""
        self.missing = cause
        self._reopen_at_ns = now_ns + REOPEN_EVERY_NS

    def lost(self, now_ns: int, cause: str) -> None:
        """The port is gone."""
        self.missing = f"The unit's cable or port was lost ({cause}). Take the leads off, then plug it in again."
        self.driver = None
        self.identity = ""
        self._reopen_at_ns = now_ns + REOPEN_EVERY_NS
        self._voice.log(now_ns, "unit_lost", {"cause": cause}, sync=True)
        self._voice.out.append(CloseUnit())

    def feed(self, now_ns: int, data: bytes) -> list[UnitEvent]:
        """What the unit said."""
        if self.driver is None:
            return []
        events = self.driver.feed(now_ns, data)
        for event in events:
            if isinstance(event, Identified):
                self.identity = event.identity
                self._voice.log(now_ns, "identified", {"identity": event.identity})
        return events

    def keep(self, now_ns: int, leased: bool, leaving: bool) -> Sequence[UnitEvent]:
        """Time for the driver. The keep-alive is earned: by a live lease, or by output that is confirmed zero."""
        driver = self.driver
        if driver is None:
            if self._reopen_at_ns and now_ns >= self._reopen_at_ns and not leaving:
                self._reopen_at_ns = now_ns + REOPEN_EVERY_NS
                self._voice.out.append(OpenUnit())
            return ()
        if now_ns < driver.next_deadline():
            return ()
        data, events = driver.poll(now_ns, leased or driver.confirmed_zero)
        self._voice.unit(data)
        return events

    def stop(self, now_ns: int) -> None:
        """The pre-encoded stop frames, in every state."""
        if self.driver is not None:
            self._voice.unit(self.driver.stop(now_ns))

    def next_deadline(self) -> int:
        """When `keep` has something to do, in ns (0 for never)."""
        return self._reopen_at_ns if self.driver is None else self.driver.next_deadline()
