"""The puck's port, opened as its kind asks."""

from controller.drivers.ports import is_hidraw, open_hidraw, open_serial
from controller.drivers.presence import SamePort
from controller.drivers.pucks.kind import PuckKind
from controller.wire.link import Link


def open_puck(kind: PuckKind, port: SamePort) -> Link:
    """The puck's port: a hidraw node as a descriptor, everything else as a serial port. Raises `PortFault`."""
    path = port.path()
    return open_hidraw(path) if is_hidraw(path) else open_serial(path, kind.line)
