"""The puck's port, opened as its kind asks."""

from controller.drivers.ports import is_hidraw, open_hidraw, open_serial
from controller.drivers.pucks.kind import PuckKind
from controller.wire.link import Link


def open_puck(kind: PuckKind, url: str) -> Link:
    """The puck's port: a hidraw node as a descriptor, everything else as a serial port. Raises `PortFault`."""
    return open_hidraw(url) if is_hidraw(url) else open_serial(url, kind.line)
