"""The parts of a simulated computer: a process, the end of a cable, and what stands on the table beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controller.assembly.swarm_lines import FOREVER
from controller.drivers.orthoses.kind import OrthosisKind
from controller.drivers.stimulators.kind import StimulatorKind
from controller.engine.core import Setting
from controller.wire.link import LinkLost, MemoryLink
from sim.world import World


class Port:
    """The computer's end of one device's cable. `out_until_ns`: pulled, and in a person's hand until then."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.here: MemoryLink | None = None
        self.out_until_ns = 0
        self._world = world

    def open(self, now_ns: int) -> bool:
        """Open the port; False where there is no cable."""
        if now_ns < self.out_until_ns:
            return False
        self.close()
        device = next(device for device in self._world.devices if device.name == self.name)
        device.link = None
        self.here, there = MemoryLink.pair()
        return self._world.plug(self.name, there, now_ns)

    def close(self) -> None:
        """The process has closed the port, or has ended."""
        if self.here is not None:
            self.here.close()
            self.here = None

    def pull(self, now_ns: int, until_ns: int) -> None:
        """A person pulls the cable, and plugs it in again at `until_ns`."""
        self._world.unplug(self.name, now_ns)
        self.out_until_ns = until_ns

    def read(self) -> bytes | None:
        """What the device said; None when the cable is out (told once)."""
        if self.here is None:
            return b""
        try:
            return self.here.read(1 << 16)
        except LinkLost:
            self.here = None
            return None


@dataclass
class Process:
    """One process: whether it is there, until when it stands still, when it has something to do."""

    up: bool = False
    frozen_until_ns: int = 0
    due_ns: int = FOREVER
    news: list[Any] = field(default_factory=list)
    """What its shell has noticed: a port that opened or was lost, a signal."""

    def awake(self, now_ns: int) -> bool:
        """It runs."""
        return self.up and now_ns >= self.frozen_until_ns

    def next_ns(self) -> int:
        """When it has to be looked after next."""
        return max(self.due_ns, self.frozen_until_ns) if self.up else FOREVER


@dataclass(frozen=True, slots=True)
class Hardware:
    """What stands on the table, and what the engine is made of (anew for each start)."""

    world: World
    unit: StimulatorKind
    unit_name: str
    puck_name: str
    setting: Callable[[], Setting]
    orthosis: OrthosisKind | None = None
    joint_name: str = ""
