"""Disturbances meet the figures that a scenario gives, and tell one story to gyroscope and accelerometer."""

import math

import pytest

from sim.disturbances import Bias, Burst, Carry, Drift, ExtraTorque, Knock, Movement, Sine, Stroke
from sim.disturbed import DisturbedWrist, WornPuck
from sim.fatigue import Fatigue
from sim.imu import PERFECT

MS, SECOND = 1_000_000, 1_000_000_000
MOVEMENTS = [
    Sine(12.0, 3.8, 2.0),
    Burst(80.0, 0.02),
    Burst(-150.0, 0.2, 0.25),
    Stroke(40.0, 60.0, 0.5),
    Stroke(-8.0, 60.0, 0.1, back=False),
    Drift(-1.0, 20.0),
]


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_speed_is_the_slope_of_the_angle_and_it_ends_where_it_says(movement: Movement) -> None:
    step = movement.length_s / 20_000
    for number in range(1, 20_000, 97):
        t_s = number * step
        before, here, after = movement.at(t_s - step), movement.at(t_s), movement.at(t_s + step)
        slope = (after[0] - before[0]) / (2 * step)
        assert slope == pytest.approx(here[1], abs=0.01 * max(abs(here[1]), 5.0) + 0.5)
    assert movement.at(movement.length_s)[0] == pytest.approx(movement.rests, abs=0.01)


@pytest.mark.parametrize(
    ("movement", "peak_dps"),
    [(Sine(0.3, 9.0, 1.0), 17.0), (Sine(12.0, 3.8, 1.0), 286.5), (Burst(80.0, 0.02), 80.0), (Stroke(40.0, 60.0), 60.0)],
)
def test_peaks_are_those_of_the_scenario(movement: Movement, peak_dps: float) -> None:
    speeds = [abs(movement.at(number * movement.length_s / 5_000)[1]) for number in range(5_001)]
    assert max(speeds) == pytest.approx(peak_dps, rel=0.01)


def test_a_sine_has_whole_periods() -> None:
    assert Sine(5.0, 4.0, 1.1).length_s == pytest.approx(1.0)
    assert Sine(5.0, 4.0, 0.1).length_s == pytest.approx(0.25)


def test_extra_torque_rises_is_held_and_falls() -> None:
    push = ExtraTorque(-0.2, 0.4, 1.0, 0.6)
    assert push.at(0.0) == 0.0
    assert push.at(1.0) == pytest.approx(-0.2)
    assert push.at(push.length_s) == pytest.approx(0.0)
    assert abs(ExtraTorque(1.0, 0.0, 1.0, 0.1, 5.0).at(0.05)) == pytest.approx(1.0)


def person() -> DisturbedWrist:
    return DisturbedWrist(1, start_ns=0, sensor=PERFECT)


def test_a_movement_is_felt_whole_and_stays_where_it_ends() -> None:
    limb = person()
    limb.disturb(0, Stroke(20.0, 60.0, back=False))
    limb.advance(100 * MS, ())
    before = limb.imu(0)[0]
    assert before == (0.0, 0.0, 0.0)
    middle_ns = round(Stroke(20.0, 60.0).length_s / 2 * 0.5 * SECOND)
    assert max(abs(limb.imu(number * MS)[0][1]) for number in range(0, 700, 5)) == pytest.approx(60.0, rel=0.02)
    assert middle_ns > 0
    assert limb.imu(2 * SECOND)[0] == (0.0, 0.0, 0.0)
    assert limb.trace[-1].angle_deg - limb.trace[0].angle_deg == pytest.approx(20.0, abs=0.1)


def test_torque_moves_the_wrist_and_lets_it_go() -> None:
    limb = person()
    rest_deg = limb.angle_deg
    limb.disturb(0, ExtraTorque(0.3, 0.2, 1.0, 0.2))
    limb.advance(SECOND, ())
    assert limb.angle_deg > rest_deg + 10.0
    limb.advance(5 * SECOND, ())
    assert limb.angle_deg == pytest.approx(rest_deg, abs=0.5)


def test_feelings_reach_the_puck_alone() -> None:
    limb = person()
    limb.advance(100 * MS, ())
    rest = limb.imu(100 * MS)[1]
    limb.disturb(100 * MS, Knock(3.0, 0.015))
    limb.disturb(100 * MS, Bias(5.0))
    gyro, acc = limb.imu(100 * MS + 7_500_000)
    assert acc[2] - rest[2] == pytest.approx(3.0, abs=0.01)
    assert gyro[1] == pytest.approx(5.0)
    assert limb.speed_dps == 0.0
    limb.disturb(SECOND, Carry(40.0, 0.5, 1.5))
    gyro, _ = limb.imu(SECOND + 750 * MS)
    assert gyro[1] == pytest.approx(45.0, abs=0.1)
    assert limb.carried(SECOND + 750 * MS)[0][1] == pytest.approx(40.0, abs=0.1)


class Twin:
    """Keeps what it was given."""

    def __init__(self) -> None:
        self.frames: list[tuple[object, ...]] = []

    def frame(self, t_us: int, *measured: object, **more: object) -> bytes:
        self.frames.append((t_us, *measured, more))
        return b"x"


def test_a_puck_that_is_worn_badly() -> None:
    twin = Twin()
    worn = WornPuck(twin, person())
    worn.turned_deg, worn.full_scale_dps = 90.0, 250.0
    worn.frame(1, (0.0, 300.0, 0.0), (0.0, 0.0, 1.0))
    _, gyro, acc, _ = twin.frames[-1]
    assert isinstance(gyro, tuple)
    assert isinstance(acc, tuple)
    assert gyro == pytest.approx((250.0, 0.0, 0.0), abs=1e-9)
    assert acc == pytest.approx((0.0, 0.0, 1.0))


def test_fatigue_falls_and_recovers_as_published() -> None:
    """5 s on, 10 s off at 35 Hz: 0.53 at 150 s and 0.50 at 300 s of the first peak, and nearly all back after 300 s."""
    muscle = Fatigue(35.0)
    peaks: dict[int, float] = {}
    for number in range(3_000):
        train, at_s = divmod(number / 10, 15.0)
        if at_s < 5.0:
            peaks[int(train)] = max(peaks.get(int(train), 0.0), muscle.share)
        muscle.step(0.1, 1.0 if at_s < 5.0 else 0.0)
    assert peaks[10] / peaks[0] == pytest.approx(0.53, abs=0.03)
    assert peaks[19] / peaks[0] == pytest.approx(0.504, abs=0.03)
    for _ in range(3_000):
        muscle.step(0.1, 0.0)
    assert muscle.share / peaks[0] == pytest.approx(1.0, abs=0.06)


def test_the_muscle_of_the_person_tires_and_its_pads_lift() -> None:
    tired, fresh, lifted = person(), person(), person()
    tired.tire()
    lifted.shift_recruitment(0, 0.3, 2 * SECOND)
    drive = ((1, 16_000, 250, 29_000),)
    for limb in (tired, fresh, lifted):
        for number in range(1, 300):
            limb.advance(number * 100 * MS, drive)
    assert tired.fatigue is not None
    assert tired.fatigue.share < 0.7
    assert tired.activation < fresh.activation - 0.1
    assert lifted.activation < fresh.activation - 0.1
    assert math.isfinite(tired.angle_deg)
