"""An orthosis on the limb: its torque moves the wrist, it is told where the limb is, time is split at its deadlines."""

import math
from dataclasses import dataclass
from typing import Any

import pytest

from controller.wire.link import MemoryLink
from sim.attached import FOREVER, Orthosis, Puck, Stimulator
from sim.catalogue import make
from sim.devices.ximu3 import Ximu3Twin
from sim.patient import WristPatient
from sim.playback import Playback
from sim.room import furnish, unfit
from sim.world import World
from sim.wrist import resting_angle

MS, SECOND = 1_000_000, 1_000_000_000
START_NS = 7_000_000_000_000


class Motor:
    """Pushes with a torque by a plan of (time, N m), and writes down what it is told."""

    identity = "SIM-MOTOR"

    def __init__(self, *plan: tuple[int, float]) -> None:
        self.felt: list[tuple[int, float, float]] = []
        self.fed: list[bytes] = []
        self.ended: list[tuple[str, int]] = []
        self._plan = [(START_NS + at_ms * MS, torque_nm) for at_ms, torque_nm in plan]
        self._torque_nm = 0.0

    def feel(self, now_ns: int, angle_deg: float, speed_dps: float) -> None:
        self.felt.append((now_ns, angle_deg, speed_dps))

    def torque_nm(self) -> float:
        return self._torque_nm

    def advance(self, now_ns: int) -> bytes:
        assert self.felt[-1][0] == now_ns
        while self._plan and self._plan[0][0] <= now_ns:
            self._torque_nm = self._plan.pop(0)[1]
        return b""

    def next_deadline(self) -> int:
        return self._plan[0][0] if self._plan else FOREVER

    def feed(self, now_ns: int, data: bytes) -> bytes:
        assert self.felt[-1][0] == now_ns
        self.fed.append(data)
        if data == b"off":
            self._torque_nm = 0.0
        return b"<" + data + b">"

    def unplug(self, now_ns: int) -> None:
        self.ended.append(("unplug", now_ns))

    def close(self, now_ns: int) -> None:
        self.ended.append(("close", now_ns))


class Blinker:
    """A stimulator with deadlines of its own and no current."""

    identity = "SIM-BLINKER"

    def __init__(self) -> None:
        self.lived: list[int] = []

    def advance(self, now_ns: int) -> bytes:
        self.lived.append(now_ns)
        return b""

    def next_deadline(self) -> int:
        return START_NS + 70 * MS if not self.lived or self.lived[-1] < START_NS + 70 * MS else FOREVER

    def drive(self) -> tuple[tuple[int, int, int, int], ...]:
        return ()

    def feed(self, now_ns: int, data: bytes) -> bytes:
        return b""

    def electrode(self, channel: int, attached: bool) -> None:
        raise ValueError(channel)

    def unplug(self, now_ns: int) -> None:
        pass

    def close(self, now_ns: int) -> None:
        pass


def held(motor: Motor, **more: Any) -> tuple[World, WristPatient, MemoryLink]:
    here, there = MemoryLink.pair()
    person = WristPatient(1, start_ns=START_NS)
    return World(START_NS, person, orthosis=Orthosis("motor", motor, there), **more), person, here


@pytest.mark.parametrize("torque_nm", [0.5, -0.3, 1.5])
def test_a_constant_push_takes_the_wrist_to_where_the_torques_balance_and_lets_it_go_again(torque_nm: float) -> None:
    person = WristPatient(1)
    at_rest = person.angle_deg
    person.push(torque_nm)
    person.advance(4 * SECOND, ())
    assert person.angle_deg == pytest.approx(math.degrees(resting_angle(torque_nm)), abs=0.2)
    person.push(0.0)
    person.advance(8 * SECOND, ())
    assert person.angle_deg == pytest.approx(at_rest, abs=0.2)


def test_without_a_push_nothing_changes_in_the_last_digit() -> None:
    pushed, other = WristPatient(3, True), WristPatient(3, True)
    for k in range(1, 400):
        pushed.push(0.0)
        pushed.advance(k * 50 * MS, ())
        other.advance(k * 50 * MS, ())
    assert pushed.angle_deg == other.angle_deg
    assert pushed.imu(20 * SECOND) == other.imu(20 * SECOND)


@pytest.mark.parametrize("tick_ns", [3 * MS, 100 * MS, 5 * SECOND])
def test_torque_acts_exactly_from_its_deadline_on_however_long_the_tick(tick_ns: int) -> None:
    ends_ns = START_NS + SECOND
    world, person, _ = held(Motor((200, 0.6), (700, 0.0)))
    now_ns = START_NS
    while now_ns < ends_ns:
        now_ns = min(now_ns + tick_ns, ends_ns)
        world.advance(now_ns)
    alone = WristPatient(1, start_ns=START_NS)
    for at_ms, torque_nm in ((200, 0.6), (700, 0.0), (1000, 0.0)):
        alone.advance(START_NS + at_ms * MS, ())
        alone.push(torque_nm)
    assert person.angle_deg == pytest.approx(alone.angle_deg, abs=1e-9)
    assert abs(person.angle_deg - math.degrees(resting_angle())) > 2.0  # still swinging


def test_it_is_told_where_the_limb_is_before_each_of_its_instants() -> None:
    motor = Motor((50, 0.0), (90, 0.5), (150, 0.5))
    unit, puck = Blinker(), Puck("ximu3", Ximu3Twin(), MemoryLink.pair()[1], 50.0)
    world, person, _ = held(motor, stimulator=Stimulator("unit", unit, MemoryLink.pair()[1]), pucks=[puck])
    world.live(START_NS + 200 * MS)
    instants = [(at_ns - START_NS) // MS for at_ns, _, _ in motor.felt]
    assert instants == [20, 40, 50, 60, 70, 80, 90, 100, 120, 140, 150, 160, 180, 200]
    assert [(at_ns - START_NS) // MS for at_ns in unit.lived] == instants
    assert motor.felt[-1][1:] == (person.angle_deg, person.speed_dps)
    assert motor.felt[-1][2] > 10.0


def test_a_deadline_that_never_moves_does_not_stop_time() -> None:
    motor = Motor((50, 0.5))
    motor.next_deadline = lambda: START_NS + 50 * MS  # type: ignore[method-assign]
    world, person, _ = held(motor)
    world.advance(START_NS + SECOND)
    assert motor.felt[-1][0] == START_NS + SECOND
    assert person.angle_deg > -30.0


def test_bytes_reach_it_and_what_they_change_acts_at_once() -> None:
    motor = Motor((0, 0.8))
    world, person, here = held(motor)
    world.advance(START_NS + SECOND)
    up = person.angle_deg
    here.write(b"off")
    assert world.advance(START_NS + SECOND)
    assert here.read() == b"<off>"
    world.advance(START_NS + 4 * SECOND)
    assert motor.fed == [b"off"]
    assert up > 0.0
    assert person.angle_deg == pytest.approx(-35.5, abs=1.0)


def test_its_cable_can_be_pulled_and_its_end_is_told() -> None:
    motor = Motor()
    world, _, _ = held(motor)
    assert world.unplug("motor", START_NS + MS)
    world.close(START_NS + 2 * MS)
    assert motor.ended == [("unplug", START_NS + MS), ("close", START_NS + 2 * MS)]
    assert world.next_deadline() == FOREVER


@dataclass
class Tape:
    """A recording that lies still."""

    rate_hz: float = 50.0

    @property
    def gyro_dps(self) -> list[list[float]]:
        return [[0.0, 0.0, 0.0]] * 10

    @property
    def acc_g(self) -> list[list[float]]:
        return [[0.0, 0.0, 1.0]] * 10


def test_a_recorded_limb_cannot_be_held() -> None:
    with pytest.raises(ValueError, match="recorded limb"):
        World(0, Playback(Tape(), 1), orthosis=Orthosis("motor", Motor(), MemoryLink.pair()[1]))
    with pytest.raises(ValueError, match="cannot be held by dynamixel"):
        furnish({"dynamixel": MemoryLink.pair()[1]}, 0, recording=Tape())


@pytest.mark.parametrize(
    ("devices", "why"),
    [
        (("p24", "ximu3", "dynamixel"), ""),
        (("ximu3", "fitmi", "textline"), ""),
        (("p24", "rehastim2"), "one stimulator, not 2"),
        (("ximu3", "ximu3"), "one of each device"),
        (("p24", "toaster"), "no simulated device 'toaster'"),
    ],
)
def test_one_stimulator_one_orthosis_and_any_pucks_stand_together(devices: tuple[str, ...], why: str) -> None:
    assert why in unfit(devices)
    assert bool(why) == bool(unfit(devices))


def test_a_furnished_world_has_the_orthosis_of_the_catalogue_on_the_limb() -> None:
    ends = {name: MemoryLink.pair() for name in ("p24", "dynamixel", "ximu3")}
    world = furnish({name: there for name, (_, there) in ends.items()}, START_NS)
    assert world.orthosis is not None
    assert type(world.orthosis.twin) is type(make("dynamixel"))
    world.advance(START_NS + SECOND)
    assert world.orthosis.twin.torque_nm() == 0.0
    assert len(ends["ximu3"][0].inbox) > 1000
