"""What stands in the world: what moves the limb, the twins, and each device at its end of a cable."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from controller.wire.link import Link
from sim.faults_cable import Cable
from sim.imu import Vector
from sim.muscle import Pulses

SECOND = 1_000_000_000
FOREVER = 1 << 62
Log = Callable[[dict[str, Any]], None]


class Motion(Protocol):
    """What moves the pucks: `WristPatient` or `Playback`."""

    def cue(self, now_ns: int) -> str: ...
    def relax(self, now_ns: int) -> None: ...
    def advance(self, to_ns: int, drive: Sequence[Pulses]) -> None: ...
    def imu(self, now_ns: int) -> tuple[Vector, Vector]: ...


class StimulatorTwin(Protocol):
    """A simulated stimulator, fed bytes and time."""

    identity: str

    def feed(self, now_ns: int, data: bytes) -> bytes: ...
    def advance(self, now_ns: int) -> bytes: ...
    def next_deadline(self) -> int: ...
    def drive(self) -> Sequence[Pulses]: ...
    def electrode(self, channel: int, attached: bool, /) -> None: ...
    def unplug(self, now_ns: int) -> None: ...
    def close(self, now_ns: int) -> None: ...


class PuckTwin(Protocol):
    """A simulated puck: turns motion into its frames and answers its host's commands."""

    identity: str

    def feed(self, now_ns: int, data: bytes) -> bytes: ...
    def frame(self, t_us: int, gyro_dps: Vector, acc_g: Vector) -> bytes: ...


class OrthosisTwin(Protocol):
    """A simulated powered orthosis, fed bytes, time, and where the limb is. Torque in N m, + = extension."""

    identity: str

    def feel(self, now_ns: int, angle_deg: float, speed_dps: float) -> None: ...
    def torque_nm(self) -> float: ...
    def feed(self, now_ns: int, data: bytes) -> bytes: ...
    def advance(self, now_ns: int) -> bytes: ...
    def next_deadline(self) -> int: ...
    def unplug(self, now_ns: int) -> None: ...
    def close(self, now_ns: int) -> None: ...


class Limb(Motion, Protocol):
    """What an orthosis can hold: `WristPatient`. A recording cannot be held."""

    @property
    def angle_deg(self) -> float: ...
    @property
    def speed_dps(self) -> float: ...
    def push(self, torque_nm: float) -> None: ...


class Cabled:
    """A device's end of its cable. `link` is None once the cable is out, `cable` while nothing is wrong with it."""

    def __init__(self, name: str, link: Link) -> None:
        self.name = name
        self.link: Link | None = link
        self.cable: Cable | None = None


class Stimulator(Cabled):
    """A stimulator's twin on a cable; the twin lives on without it."""

    def __init__(self, name: str, twin: StimulatorTwin, link: Link) -> None:
        super().__init__(name, link)
        self.twin = twin


class Orthosis(Cabled):
    """A powered orthosis' twin on a cable, strapped to the limb; the twin lives on without the cable."""

    def __init__(self, name: str, twin: OrthosisTwin, link: Link) -> None:
        super().__init__(name, link)
        self.twin = twin


class PedalTwin(Protocol):
    """A simulated foot pedal: a foot on it, or off it, gives the bytes of that."""

    identity: str

    def step(self, now_ns: int, down: bool) -> bytes: ...
    def feed(self, now_ns: int, data: bytes) -> bytes: ...
    def advance(self, now_ns: int) -> bytes: ...
    def unplug(self, now_ns: int) -> None: ...


class Pedal(Cabled):
    """A foot pedal's twin on a cable."""

    def __init__(self, name: str, twin: PedalTwin, link: Link) -> None:
        super().__init__(name, link)
        self.twin = twin


class Puck(Cabled):
    """A puck's twin on a cable, sending `rate_hz` frames a second."""

    def __init__(self, name: str, twin: PuckTwin, link: Link, rate_hz: float = 100.0) -> None:
        if not 1.0 <= rate_hz <= 1000.0:
            raise ValueError(f"a puck sends 1 to 1000 frames a second, not {rate_hz:g}")
        super().__init__(name, link)
        self.twin = twin
        self.period_ns = round(SECOND / rate_hz)
        self.due_ns = FOREVER
        self.frames = 0


Device = Stimulator | Orthosis | Puck | Pedal
