"""The simulated person with disturbances, and a puck that is worn badly: what scenarios are made of.

`DisturbedWrist` is the watched person whose limb is moved, pushed and tired out by a script; `WornPuck` stands between
the limb and a puck's twin and bends what the puck feels: turned when it was strapped on, clipped at full scale, too
slow, under load, beside a second puck on the same arm.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sim.disturbances import Burst, Carry, Disturbance, Drift, ExtraTorque, Feeling, Movement, Sine, Stroke
from sim.fatigue import Fatigue
from sim.imu import Vector, rigid_motion
from sim.joint_checker import WatchedWrist
from sim.muscle import MusclePreset, Pulses, neural_drive
from sim.patient import PUCK_RADIUS_M

MS, SECOND = 1_000_000, 1_000_000_000
TIRES_EVERY_NS = 100 * MS
MOVEMENTS = (Sine, Burst, Stroke, Drift)
NOTHING: Vector = (0.0, 0.0, 0.0)


class Running(NamedTuple):
    """A disturbance that began at `start_ns`."""

    start_ns: int
    what: Any

    def since_s(self, now_ns: int) -> float:
        """For so long it has been going on."""
        return (now_ns - self.start_ns) * 1e-9


class Seen(NamedTuple):
    """The limb at one instant, as it truly was: deg and deg/s."""

    t_ns: int
    angle_deg: float
    speed_dps: float


class DisturbedWrist(WatchedWrist):
    """`disturb(now, what)` begins one. `trace` is what the limb did, a row for each frame of the first puck."""

    def __init__(self, seed: int, self_paced: bool = False, **more: Any) -> None:
        super().__init__(seed, self_paced, **more)
        self.trace: list[Seen] = []
        self.disturbed: list[tuple[int, int]] = []
        """(from, to) of everything that was not the person's own doing."""
        self.fatigue: Fatigue | None = None
        self._press = (0, 0, 0.0)
        self._movements: list[Running] = []
        self._torques: list[Running] = []
        self._feelings: list[Running] = []
        self._offset_deg = 0.0
        self._motor_nm = 0.0
        self._shift: tuple[int, int, float, MusclePreset] | None = None
        self._tired_ns = self.lived_ns
        self._ending_ns = 0

    def disturb(self, now_ns: int, what: Disturbance) -> None:
        """It begins now."""
        running = Running(now_ns, what)
        self.disturbed.append((now_ns, now_ns + round(what.length_s * SECOND)))
        if isinstance(what, MOVEMENTS):
            self._movements.append(running)
        elif isinstance(what, ExtraTorque):
            self._torques.append(running)
        else:
            self._feelings.append(running)

    def shift_recruitment(self, now_ns: int, share: float, over_ns: int) -> None:
        """The pads lift or dry: over that time the charge that recruits half of the muscle rises by `share`."""
        self._shift = (now_ns, over_ns, share, self._muscle)

    def press(self, now_ns: int, force_n: float, length_ns: int) -> None:
        """A hand presses the load cell."""
        self._press = (now_ns, now_ns + length_ns, force_n)

    def pressed_n(self, now_ns: int) -> float:
        """How hard the load cell is pressed."""
        from_ns, to_ns, force_n = self._press
        return force_n if from_ns <= now_ns < to_ns else 0.0

    def tire(self) -> None:
        """From now on the stimulated muscle tires."""
        self.fatigue = Fatigue()
        self._tired_ns = self.lived_ns

    # -- the limb ------------------------------------------------------------------------------------------------------

    def push(self, torque_nm: float) -> None:
        """The orthosis pushes, beside whatever else does."""
        self._motor_nm = torque_nm
        super().push(torque_nm)
        if self._torques:
            self._push_all(self.lived_ns)

    def _push_all(self, now_ns: int) -> None:
        torque_nm = self._motor_nm
        for running in self._torques:
            torque_nm += running.what.at(running.since_s(now_ns))
        self._wrist.push_by(torque_nm)

    def advance(self, to_ns: int, drive: Sequence[Pulses]) -> None:
        """As the watched person, in steps of 1 ms while something pushes; the muscle tires and its pads lift."""
        self._change_muscle(to_ns)
        while self._torques and to_ns - self.lived_ns >= MS:
            now_ns = self.lived_ns
            self._torques = [each for each in self._torques if each.since_s(now_ns) < each.what.length_s]
            self._push_all(now_ns)
            super().advance(now_ns + MS, drive)
        super().advance(to_ns, drive)

    def _change_muscle(self, now_ns: int) -> None:
        if now_ns - self._tired_ns < TIRES_EVERY_NS:
            return
        seconds, self._tired_ns = (now_ns - self._tired_ns) * 1e-9, now_ns
        changed = False
        if self.fatigue is not None:
            works = min(1.0, self.activation / self._asked) if self._asked > 0.01 else 0.0
            while seconds > 0.0:
                self.fatigue.step(min(seconds, 0.1), works)
                seconds -= 0.1
            changed = True
        if self._shift is not None:
            from_ns, over_ns, share, fresh = self._shift
            part = min(1.0, (now_ns - from_ns) / over_ns)
            self._muscle = fresh._replace(q50_uc=fresh.q50_uc * (1.0 + share * part))
            changed = True
        if changed and self._pulses:
            share = 1.0 if self.fatigue is None else self.fatigue.share
            self._asked = share * neural_drive(self._pulses, self._extensors, self._muscle)
            self._on_the_way.append((now_ns + self._muscle.delay_ms * MS, self._asked))

    # -- what the puck feels -------------------------------------------------------------------------------------------

    def imu(self, now_ns: int) -> tuple[Vector, Vector]:
        """(gyro deg/s, specific force g) of the puck on the hand."""
        wrist = self._wrist
        angle = wrist.angle + wrist.speed * (now_ns - self._now_ns) * 1e-9
        speed, acceleration = wrist.speed, wrist.acceleration
        if self._movements or self._offset_deg:
            moved_deg, moved_dps, moved_dps2 = self._moved(now_ns)
            angle += math.radians(moved_deg)
            speed += math.radians(moved_dps)
            acceleration += math.radians(moved_dps2)
        self.trace.append(Seen(now_ns, math.degrees(angle), math.degrees(speed)))
        gyro, acc = rigid_motion(angle, speed, acceleration, PUCK_RADIUS_M)
        gyro, acc = self._sensor.measure(now_ns, gyro, acc)
        return self._felt(now_ns, gyro, acc) if self._feelings else (gyro, acc)

    def _moved(self, now_ns: int) -> tuple[float, float, float]:
        angle, speed, acceleration = self._offset_deg, 0.0, 0.0
        left: list[Running] = []
        for running in self._movements:
            movement: Movement = running.what
            since_s = running.since_s(now_ns)
            if since_s >= movement.length_s:
                self._offset_deg += movement.rests
                angle += movement.rests
                continue
            left.append(running)
            more = movement.at(since_s)
            angle, speed, acceleration = angle + more[0], speed + more[1], acceleration + more[2]
        self._movements = left
        return angle, speed, acceleration

    def _felt(self, now_ns: int, gyro: Vector, acc: Vector) -> tuple[Vector, Vector]:
        self._feelings = [each for each in self._feelings if each.since_s(now_ns) < each.what.length_s]
        for running in self._feelings:
            feeling: Feeling = running.what
            more_gyro, more_acc = feeling.at(running.since_s(now_ns))
            gain = getattr(feeling, "gain", 1.0)
            gyro = (gyro[0] * gain + more_gyro[0], gyro[1] * gain + more_gyro[1], gyro[2] * gain + more_gyro[2])
            acc = (acc[0] + more_acc[0], acc[1] + more_acc[1], acc[2] + more_acc[2])
        return gyro, acc

    def carried(self, now_ns: int) -> tuple[Vector, Vector]:
        """What a second puck on the forearm feels: the whole arm being carried, and gravity."""
        gyro, acc = NOTHING, (0.0, 0.0, 1.0)
        for running in self._feelings:
            since_s = running.since_s(now_ns)
            if isinstance(running.what, Carry) and since_s < running.what.length_s:
                more_gyro, more_acc = running.what.at(since_s)
                gyro = (gyro[0] + more_gyro[0], gyro[1] + more_gyro[1], gyro[2] + more_gyro[2])
                acc = (acc[0] + more_acc[0], acc[1] + more_acc[1], acc[2] + more_acc[2])
        return gyro, acc


class WornPuck:
    """A puck's twin as it is worn. Everything that is not named here is the twin's own.

    `turned_deg` about z when it was strapped on; `full_scale_dps` clips the gyroscope; `second` is the number of the
    dongle's other puck, worn on the forearm. `load` gives the newtons on the load cell at an instant.
    """

    def __init__(self, twin: Any, person: DisturbedWrist, load: Callable[[int], float] | None = None) -> None:
        self.twin = twin
        self.turned_deg = 0.0
        self.full_scale_dps = 0.0
        self.second: int | None = None
        self._person = person
        self.load = load

    def __getattr__(self, name: str) -> Any:
        return getattr(self.twin, name)

    def frame(self, t_us: int, gyro_dps: Vector, acc_g: Vector) -> bytes:
        """The bytes of this measurement, as the twin sends them."""
        if self.turned_deg:
            gyro_dps, acc_g = _turned(gyro_dps, self.turned_deg), _turned(acc_g, self.turned_deg)
        if self.full_scale_dps:
            most = self.full_scale_dps
            x, y, z = (min(max(rate, -most), most) for rate in gyro_dps)
            gyro_dps = (x, y, z)
        if self.second is not None:
            self.twin.move(self.second, t_us, *self._person.carried(self._person.trace[-1].t_ns))
        load_n = None if self.load is None else self.load(self._person.trace[-1].t_ns)
        frame: bytes = (
            self.twin.frame(t_us, gyro_dps, acc_g, load=load_n)
            if load_n is not None
            else self.twin.frame(t_us, gyro_dps, acc_g)
        )
        return frame


def _turned(vector: Vector, degrees: float) -> Vector:
    """The same vector in axes that were turned by `degrees` about z."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y, z = vector
    return (cosine * x + sine * y, -sine * x + cosine * y, z)
