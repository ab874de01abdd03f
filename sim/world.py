"""The world at the far end of the cables: a person (or a recording), a stimulator's twin, and pucks on the limb.

Pure: time is an argument, bytes come and go over `Link` objects, nothing waits. `advance(now)` lives through everything
up to `now` in the order in which it happens and then reads the links, so bytes act at the instant they are fed.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from controller.wire.link import Link, LinkLost
from sim.imu import Vector
from sim.muscle import Pulses
from sim.playback import Playback

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


class Stimulator:
    """A stimulator's twin on a cable. `link` is None once the cable is out; the twin lives on without it."""

    def __init__(self, name: str, twin: StimulatorTwin, link: Link) -> None:
        self.name = name
        self.twin = twin
        self.link: Link | None = link


class Puck:
    """A puck's twin on a cable, sending `rate_hz` frames a second. `link` is None once the cable is out."""

    def __init__(self, name: str, twin: PuckTwin, link: Link, rate_hz: float = 100.0) -> None:
        if not 1.0 <= rate_hz <= 1000.0:
            raise ValueError(f"a puck sends 1 to 1000 frames a second, not {rate_hz:g}")
        self.name = name
        self.twin = twin
        self.link: Link | None = link
        self.period_ns = round(SECOND / rate_hz)
        self.due_ns = FOREVER
        self.frames = 0


class World:
    """Everything simulated, from `start_ns` on.

    `log` receives one dictionary for each thing done to the world (cue, relax, unplug, start of a recording); the
    twins write their own entries.
    """

    def __init__(
        self,
        start_ns: int,
        motion: Motion,
        *,
        stimulator: Stimulator | None = None,
        pucks: Sequence[Puck] = (),
        log: Log | None = None,
    ) -> None:
        self.motion = motion
        self.stimulator = stimulator
        self.pucks = tuple(pucks)
        self._start_ns = start_ns
        self._log = log
        self.devices: tuple[Stimulator | Puck, ...] = self.pucks if stimulator is None else (stimulator, *self.pucks)
        for puck in self.pucks:
            puck.due_ns = start_ns + puck.period_ns
        self._frame_ns = min((puck.due_ns for puck in self.pucks), default=FOREVER)

    def next_deadline(self) -> int:
        """The next instant at which something happens by itself."""
        due_ns = self._frame_ns
        if self.stimulator is not None:
            unit_ns = self.stimulator.twin.next_deadline()
            if unit_ns < due_ns:
                return unit_ns
        return due_ns

    def advance(self, now_ns: int) -> bool:
        """`live` up to `now_ns`, then `feed`. True when bytes had arrived."""
        self.live(now_ns)
        return self.feed(now_ns)

    def live(self, now_ns: int) -> None:
        """Everything that happens by itself up to `now_ns`; the cables are not read."""
        lived_ns = -1
        while self._frame_ns <= now_ns:
            frame_ns = lived_ns = self._frame_ns
            self._live(frame_ns)
            following_ns = FOREVER
            for puck in self.pucks:
                if puck.due_ns == frame_ns:
                    self._send_frame(puck)
                if puck.due_ns < following_ns:
                    following_ns = puck.due_ns
            self._frame_ns = following_ns
        if lived_ns != now_ns:
            self._live(now_ns)

    def feed(self, now_ns: int) -> bool:
        """Hand what has arrived on the cables to the twins, as of `now_ns` (to which the world has been advanced)."""
        arrived = False
        for device in self.devices:
            if device.link is None:
                continue
            try:
                data = device.link.read()
            except LinkLost:
                device.link = None
                continue
            if data:
                arrived = True
                self._write(device, device.twin.feed(now_ns, data))
        return arrived

    def cue(self, now_ns: int) -> None:
        """The person is asked to move."""
        self._note(now_ns, "cue", answer=self.motion.cue(now_ns))

    def relax(self, now_ns: int) -> None:
        """The person is asked to let go."""
        self.motion.relax(now_ns)
        self._note(now_ns, "relax")

    def play(self, now_ns: int) -> bool:
        """Start the recording with the next frame. False when there is none, or it runs already."""
        motion = self.motion
        if not isinstance(motion, Playback) or motion.started_ns is not None:
            return False
        start_ns = min((puck.due_ns for puck in self.pucks), default=now_ns)
        motion.play(start_ns)
        self._note(start_ns, "play", puck_us=(start_ns - self._start_ns) // 1000)
        return True

    def unplug(self, name: str, now_ns: int) -> bool:
        """Pull the cable of device `name` at the device's end. False when it is not there or already out."""
        for device in self.devices:
            if device.name == name and device.link is not None:
                device.link.close()
                device.link = None
                if device is self.stimulator:
                    device.twin.unplug(now_ns)
                self._note(now_ns, "unplug", device=name)
                return True
        return False

    def electrode(self, channel: int, attached: bool, now_ns: int) -> bool:
        """Lift or stick back the electrode of `channel` (from 1). False when there is no such one."""
        if self.stimulator is None:
            return False
        try:
            self.stimulator.twin.electrode(channel, attached)
        except ValueError:
            return False
        self._note(now_ns, "electrode", channel=channel, attached=attached)
        return True

    def close(self, now_ns: int) -> None:
        """The end: the stimulator writes down the trains that still run. Cables are left to who laid them."""
        if self.stimulator is not None:
            self.stimulator.twin.close(now_ns)

    def _live(self, to_ns: int) -> None:
        """The stimulator's and the person's time up to `to_ns`, split where the current at the skin changes."""
        stimulator = self.stimulator
        if stimulator is None:
            self.motion.advance(to_ns, ())
            return
        twin = stimulator.twin
        deadline = twin.next_deadline()
        while deadline < to_ns:
            self.motion.advance(deadline, twin.drive())
            self._write(stimulator, twin.advance(deadline))
            following = twin.next_deadline()
            if following <= deadline:
                break
            deadline = following
        self.motion.advance(to_ns, twin.drive())
        reply = twin.advance(to_ns)
        if reply:
            self._write(stimulator, reply)

    def _send_frame(self, puck: Puck) -> None:
        now_ns = puck.due_ns
        puck.due_ns = now_ns + puck.period_ns
        if puck.link is None:
            return
        gyro, acc = self.motion.imu(now_ns)
        puck.frames += 1
        self._write(puck, puck.twin.frame((now_ns - self._start_ns) // 1000, gyro, acc))

    def _write(self, device: Stimulator | Puck, data: bytes) -> None:
        """To the far end if there is one: a device does not care whether anybody listens."""
        if not data or device.link is None:
            return
        try:
            device.link.write(data)
        except LinkLost:
            device.link = None

    def _note(self, now_ns: int, event: str, **more: Any) -> None:
        if self._log is not None:
            self._log({"kind": "world", "t_ns": now_ns, "event": event, **more})
