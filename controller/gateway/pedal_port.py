"""A foot pedal's nodes in the gateway's shell: found by serial number, opened, read. What comes of it is input."""

from controller.channel.waiter import Waiter
from controller.drivers.inputs import open_pedal
from controller.drivers.ports import PortFault
from controller.gateway import ports
from controller.vocabulary.pedal import PedalRole
from controller.wire.evdev import EVENT_BYTES
from controller.wire.link import Link, LinkLost

READ_BYTES = 64 * EVENT_BYTES
"""The kernel gives whole events; this many at one time."""


class PedalPort:
    """One pedal. `inputs` collects what happens for the core's next step."""

    def __init__(self, role: PedalRole, named: str, inputs: list[ports.Input], waiter: Waiter) -> None:
        self._role = role
        self._named = named
        self._inputs = inputs
        self._waiter = waiter
        self._links: tuple[Link, ...] = ()

    def open(self) -> None:
        """Try once."""
        self._close()
        try:
            pedal = open_pedal(self._named)
        except PortFault as error:
            todo = error.todo[:1].upper() + error.todo[1:]
            self._inputs.append(ports.PedalMissing(self._role, f"{error}. {todo}."))
            return
        self._links = pedal.links
        for number, link in enumerate(pedal.links):
            self._waiter.watch(link.fileno(), lambda number=number: self._read(number))  # type: ignore[misc]
        self._inputs.append(ports.PedalOpened(self._role, pedal.serial, pedal.name, pedal.held, pedal.simulated))

    def _read(self, number: int) -> None:
        if number >= len(self._links):  # it was lost by another of its nodes in this very wake-up
            return
        try:
            data = self._links[number].read(READ_BYTES)
        except LinkLost as error:
            self._close()
            self._inputs.append(ports.PedalGone(self._role, str(error)))
            return
        if data:
            self._inputs.append(ports.PedalBytes(self._role, number, data))

    def _close(self) -> None:
        links, self._links = self._links, ()
        for link in links:
            self._waiter.forget(link.fileno())
            link.close()
