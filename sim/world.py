"""The world at the far end of the cables: a person (or a recording), a stimulator, an orthosis, and pucks on the limb.

Pure: time is an argument, bytes come and go over `Link` objects, nothing waits. `advance(now)` lives through everything
up to `now` in the order in which it happens and then reads the links, so bytes act at the instant they are fed.
"""

from collections.abc import Sequence
from typing import Any, cast

from controller.wire.link import Link, LinkLost
from sim.attached import FOREVER, Device, Limb, Log, Motion, Orthosis, Pedal, Puck, Stimulator
from sim.faults import Fault
from sim.faults_running import Trouble
from sim.playback import Playback


class World:
    """Everything simulated, from `start_ns` on.

    `log` receives one dictionary for each thing done to the world (cue, relax, unplug, start of a recording, start and
    end of a fault); the twins write their own entries. `seed` is that of the faults. Raises ValueError for an orthosis
    on a limb that cannot be held.
    """

    def __init__(
        self,
        start_ns: int,
        motion: Motion,
        *,
        stimulator: Stimulator | None = None,
        orthosis: Orthosis | None = None,
        pucks: Sequence[Puck] = (),
        pedals: Sequence[Pedal] = (),
        log: Log | None = None,
        seed: int = 1,
    ) -> None:
        if orthosis is not None and not hasattr(motion, "push"):
            raise ValueError("an orthosis needs a simulated person: a recorded limb cannot be held or moved")
        self.motion = motion
        self.stimulator = stimulator
        self.orthosis = orthosis
        self.pucks = tuple(pucks)
        self.pedals = tuple(pedals)
        self.trouble: Trouble | None = None
        self._start_ns = start_ns
        self.log = log
        self._seed = seed
        self.devices: tuple[Device, ...] = tuple(
            device for device in (stimulator, orthosis, *self.pucks, *self.pedals) if device is not None
        )
        for puck in self.pucks:
            puck.due_ns = start_ns + puck.period_ns
        self._frame_ns = min((puck.due_ns for puck in self.pucks), default=FOREVER)

    def next_deadline(self) -> int:
        """The next instant at which something happens by itself."""
        due_ns = self._frame_ns
        if self.stimulator is not None:
            unit_ns = self.stimulator.twin.next_deadline()
            if unit_ns < due_ns:
                due_ns = unit_ns
        if self.orthosis is not None:
            due_ns = min(due_ns, self.orthosis.twin.next_deadline())
        if self.trouble is not None:
            due_ns = min(due_ns, self.trouble.next_deadline())
        return due_ns

    def advance(self, now_ns: int) -> bool:
        """`live` up to `now_ns`, then `feed`. True when bytes had arrived."""
        self.live(now_ns)
        return self.feed(now_ns)

    def live(self, now_ns: int) -> None:
        """Everything that happens by itself up to `now_ns`; the cables are not read."""
        trouble = self.trouble
        if trouble is not None:
            while (due_ns := trouble.next_deadline()) <= now_ns:
                self._live_frames(due_ns)
                trouble.happen(due_ns)
        self._live_frames(now_ns)

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
                if device.cable is not None:
                    data = device.cable.to_device.carry(now_ns, data)
                    if not data:
                        continue
                self._give(device, now_ns, data)
        return arrived

    # -- what a person beside the patient can do -----------------------------------------------------------------------

    def cue(self, now_ns: int) -> None:
        """The person is asked to move."""
        self.note(now_ns, "cue", answer=self.motion.cue(now_ns))

    def relax(self, now_ns: int) -> None:
        """The person is asked to let go."""
        self.motion.relax(now_ns)
        self.note(now_ns, "relax")

    def attempt(self, now_ns: int, figures: Sequence[str]) -> bool:
        """The person makes exactly this attempt: N m, then s of rise, hold and fall. False for what is none."""
        try:
            torque_nm, rise_s, hold_s, fall_s = (float(figure) for figure in figures)
        except ValueError:
            return False
        if not (abs(torque_nm) <= 20.0 and all(0.0 <= part <= 60.0 for part in (rise_s, hold_s, fall_s))):
            return False
        if not hasattr(self.motion, "attempt"):
            return False
        self.motion.attempt(now_ns, torque_nm, rise_s, hold_s, fall_s)
        self.note(now_ns, "attempt", torque_nm=torque_nm, length_ms=round((rise_s + hold_s + fall_s) * 1000))
        return True

    def play(self, now_ns: int) -> bool:
        """Start the recording with the next frame. False when there is none, or it runs already."""
        motion = self.motion
        if not isinstance(motion, Playback) or motion.started_ns is not None:
            return False
        start_ns = min((puck.due_ns for puck in self.pucks), default=now_ns)
        motion.play(start_ns)
        self.note(start_ns, "play", puck_us=(start_ns - self._start_ns) // 1000)
        return True

    def step(self, name: str, down: bool, now_ns: int) -> bool:
        """A foot goes on pedal `name` ("" for the first), or off it. False when there is no such pedal."""
        pedal = next((each for each in self.pedals if name in ("", each.name)), None)
        if pedal is None:
            return False
        self._write(pedal, now_ns, pedal.twin.step(now_ns, down))
        return True

    def touch(self, touched: bool, load_n: float, now_ns: int) -> bool:
        """A hand lies on the worn pucks with this load, or has gone. False where none of them feels it."""
        feeling: list[Any] = [puck.twin for puck in self.pucks if hasattr(puck.twin, "hand")]
        for twin in feeling:
            twin.hand(touched, load_n)
        self.note(now_ns, "touch", touched=touched, load_n=load_n)
        return bool(feeling)

    def unplug(self, name: str, now_ns: int) -> bool:
        """Pull the cable of device `name` at the device's end. False when it is not there or already out."""
        for device in self.devices:
            if device.name == name and device.link is not None:
                device.link.close()
                device.link = None
                if device.cable is not None:
                    device.cable.cut()
                if not isinstance(device, Puck):
                    device.twin.unplug(now_ns)
                self.note(now_ns, "unplug", device=name)
                return True
        return False

    def plug(self, name: str, link: Link, now_ns: int) -> bool:
        """Plug a new cable into device `name`. False when it is not there, or has one."""
        for device in self.devices:
            if device.name == name and device.link is None:
                device.link = link
                self.note(now_ns, "plug", device=name)
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
        self.note(now_ns, "electrode", channel=channel, attached=attached)
        return True

    def add(self, fault: Fault, now_ns: int) -> None:
        """Let `fault` happen, counted from `now_ns`. Raises `FaultRefused` when no device here can have it."""
        self.trouble = self.trouble or Trouble(self, self._seed)
        self.trouble.add(fault, now_ns)

    def clear(self, name: str, now_ns: int) -> bool:
        """End every fault of that name ("" for all of them). False when there was none."""
        return self.trouble is not None and self.trouble.clear(name, now_ns) > 0

    def close(self, now_ns: int) -> None:
        """The end: stimulator and orthosis write down what is still going on. Cables are left to who laid them."""
        if self.stimulator is not None:
            self.stimulator.twin.close(now_ns)
        if self.orthosis is not None:
            self.orthosis.twin.close(now_ns)

    # -- what faults need ----------------------------------------------------------------------------------------------

    def suffer(self, device: Any, fault: str, value: str, now_ns: int) -> bool:
        """The fault happens (or ends) in the twin. False when it has no such fault."""
        try:
            suffers = hasattr(device.twin, "suffer") and bool(device.twin.suffer(fault, value, now_ns))
        except ValueError:
            return False
        if not isinstance(device, Puck):
            self._write(device, now_ns, device.twin.advance(now_ns))
            self._push()
        return suffers

    def pass_on(self, device: Any, now_ns: int) -> None:
        """Bytes that were held up in the device's cable and are due arrive."""
        cable = device.cable
        if device.link is None:
            cable.cut()
            return
        if data := cable.to_device.carry(now_ns):
            self._give(device, now_ns, data)
        self._write(device, now_ns, b"")

    def note(self, now_ns: int, event: str, **more: Any) -> None:
        """A line for the log."""
        if self.log is not None:
            self.log({"kind": "world", "t_ns": now_ns, "event": event, **more})

    # -- how time passes -----------------------------------------------------------------------------------------------

    def _live_frames(self, now_ns: int) -> None:
        """Up to `now_ns`, each puck's frame at its own instant."""
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

    def _live(self, to_ns: int) -> None:
        """The stimulator's and the person's time up to `to_ns`, split where the current at the skin changes."""
        if self.orthosis is not None:
            self._live_held(to_ns, self.orthosis)
            return
        stimulator = self.stimulator
        if stimulator is None:
            self.motion.advance(to_ns, ())
            return
        twin = stimulator.twin
        deadline = twin.next_deadline()
        while deadline < to_ns:
            self.motion.advance(deadline, twin.drive())
            self._write(stimulator, deadline, twin.advance(deadline))
            following = twin.next_deadline()
            if following <= deadline:
                break
            deadline = following
        self.motion.advance(to_ns, twin.drive())
        reply = twin.advance(to_ns)
        if reply:
            self._write(stimulator, to_ns, reply)

    def _live_held(self, to_ns: int, orthosis: Orthosis) -> None:
        """The same with an orthosis on the limb: split also where its torque may change."""
        unit = None if self.stimulator is None else self.stimulator.twin
        limb, motor = cast(Limb, self.motion), orthosis.twin
        lived_ns = -1
        while lived_ns < to_ns:
            due_ns = motor.next_deadline()
            if unit is not None:
                due_ns = min(due_ns, unit.next_deadline())
            lived_ns = min(due_ns, to_ns) if due_ns > lived_ns else to_ns
            limb.advance(lived_ns, () if unit is None else unit.drive())
            if self.stimulator is not None:
                self._write(self.stimulator, lived_ns, self.stimulator.twin.advance(lived_ns))
            motor.feel(lived_ns, limb.angle_deg, limb.speed_dps)
            self._write(orthosis, lived_ns, motor.advance(lived_ns))
            limb.push(motor.torque_nm())

    def _push(self) -> None:
        """The orthosis' torque may have changed."""
        if self.orthosis is not None:
            cast(Limb, self.motion).push(self.orthosis.twin.torque_nm())

    def _send_frame(self, puck: Puck) -> None:
        now_ns = puck.due_ns
        puck.due_ns = now_ns + puck.period_ns
        if puck.link is None:
            return
        gyro, acc = self.motion.imu(now_ns)
        puck.frames += 1
        self._write(puck, now_ns, puck.twin.frame((now_ns - self._start_ns) // 1000, gyro, acc))

    def _give(self, device: Device, now_ns: int, data: bytes) -> None:
        """Bytes reach a twin, and it answers."""
        if device is self.orthosis:
            limb = cast(Limb, self.motion)
            self.orthosis.twin.feel(now_ns, limb.angle_deg, limb.speed_dps)
        self._write(device, now_ns, device.twin.feed(now_ns, data))
        self._push()

    def _write(self, device: Device, now_ns: int, data: bytes) -> None:
        """To the far end if there is one: a device does not care whether anybody listens."""
        if device.cable is not None and device.link is not None:
            data = device.cable.to_host.carry(now_ns, data)
        if not data or device.link is None:
            return
        try:
            device.link.write(data)
        except LinkLost:
            device.link = None
