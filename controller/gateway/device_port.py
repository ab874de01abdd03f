"""A device's port in the gateway's shell: what becomes of it is an input of the core."""

from collections.abc import Callable
from typing import NamedTuple

from controller.channel.waiter import Waiter
from controller.drivers.ports import LineSettings, PortFault, open_serial
from controller.drivers.presence import SamePort
from controller.gateway.ports import Input
from controller.wire.link import Link, LinkLost


class PortInputs(NamedTuple):
    """What the core is told of a port."""

    opened: Callable[[str], Input]
    missing: Callable[[str], Input]
    gone: Callable[[str], Input]
    data: Callable[[bytes], Input]


class DevicePort:
    """One port. `inputs` collects what happens for the core's next step."""

    def __init__(self, url: str, line: LineSettings, say: PortInputs, inputs: list[Input], waiter: Waiter) -> None:
        self._url = url
        self._same = SamePort(url)
        self._line = line
        self._say = say
        self._inputs = inputs
        self._waiter = waiter
        self._link: Link | None = None

    def open(self) -> None:
        """Try once."""
        try:
            self._link = open_serial(self._same.path(), self._line)
        except PortFault as error:
            self._inputs.append(self._say.missing(f"{error}. {error.todo.capitalize()}."))
        else:
            self._waiter.watch(self._link.fileno(), self._read)
            self._inputs.append(self._say.opened(self._url))

    def write(self, data: bytes) -> None:
        """Write whole, or the port is lost."""
        try:
            if self._link is not None and data:
                self._link.write(data)
        except LinkLost as error:
            self._lose(str(error))

    def close(self) -> None:
        """Close it if it is open."""
        if self._link is not None:
            self._waiter.forget(self._link.fileno())
            self._link.close()
            self._link = None

    def _read(self) -> None:
        try:
            data = self._link.read() if self._link is not None else b""
        except LinkLost as error:
            self._lose(str(error))
            return
        if data:
            self._inputs.append(self._say.data(data))

    def _lose(self, cause: str) -> None:
        self.close()
        self._inputs.append(self._say.gone(cause))
