"""The pucks that the engine can open: one line a kind."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.drivers.ports import LineSettings, is_hidraw, open_hidraw, open_serial
from controller.drivers.pucks.base import PuckDriver
from controller.drivers.pucks.fitmi import FitMiDriver
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.wire.link import Link


@dataclass(frozen=True, slots=True)
class PuckKind:
    """How to drive a kind of puck and, for serial ones, how its line is set."""

    driver: Callable[[], PuckDriver]
    line: LineSettings


PUCKS: dict[str, PuckKind] = {
    "ximu3": PuckKind(Ximu3Driver, LineSettings()),
    "fitmi": PuckKind(FitMiDriver, LineSettings()),
}


def open_puck(kind: str, url: str) -> Link:
    """The puck's port: a hidraw node as a descriptor, everything else as a serial port. Raises `PortFault`."""
    return open_hidraw(url) if is_hidraw(url) else open_serial(url, PUCKS[kind].line)
