"""The virtual patient against the reference tables, and what a closed loop relies on."""

import csv
import math
import random
from itertools import pairwise
from pathlib import Path

import pytest

from sim.effort import MODERATE, MS, SECOND, Effort, minimum_jerk
from sim.imu import PERFECT, Sensor, SensorPreset, rigid_motion
from sim.muscle import frequency_gain, neural_drive, recruitment
from sim.patient import WristPatient
from sim.wrist import NO_PUSH, Wrist, resting_angle

TABLES = Path(__file__).parents[1] / "data" / "reference"
WIDTH_US = 250
PERIOD_35_HZ_US = 1_000_000 / 35
ALWAYS = MODERATE._replace(missed=0.0, weak=0.0)


def table(name: str) -> list[dict[str, float]]:
    with (TABLES / name).open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def summary(case: str) -> dict[str, float]:
    with (TABLES / "wrist_plant_summary.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["case"].startswith(case))
    return {key: float(value) for key, value in row.items() if key != "case"}


def column(name: str, case: str, what: str) -> list[float]:
    rows = table(name)
    key = next(key for key in rows[0] if key.startswith(case) and key.endswith(what))
    return [row[key] for row in rows]


def stimulated(peak_ma: float, period_us: float, ramp_s: float) -> tuple[list[float], list[float]]:
    """(angle deg, speed dps) each millisecond of 9 s: from 0.5 s ramp up, hold 5 s, ramp down."""
    person = WristPatient(1, sensor=PERFECT)
    angles, speeds = [], []
    for ms in range(9000):
        angles.append(person.angle_deg)
        speeds.append(person.speed_dps)
        t = ms * 1e-3 - 0.5
        part = min(t / ramp_s, 1.0, 1.0 - (t - ramp_s - 5.0) / ramp_s)
        drive = [(1, peak_ma * 1e3 * part, WIDTH_US, period_us)] if part > 0.0 else []
        person.advance((ms + 1) * MS, drive)
    return angles, speeds


@pytest.mark.parametrize("width_us", [150, 200, 250, 300, 400])
def test_recruitment_follows_the_charge_table(width_us: int) -> None:
    for row in table("recruitment_wrist_charge_sigmoid.csv"):
        charge_uc = row["I_mA"] * width_us * 1e-3
        assert charge_uc == pytest.approx(row[f"Q_uC_pw{width_us}"], abs=1e-9)
        assert recruitment(charge_uc) == pytest.approx(row[f"r_pw{width_us}"], abs=1e-4)


def test_only_trains_on_the_extensors_reach_them_and_half_the_force_comes_at_f50() -> None:
    train = (1, 20_000, 250, 28_500)
    assert frequency_gain(12.5) == pytest.approx(0.5)
    assert neural_drive([train], frozenset({1})) == pytest.approx(recruitment(5.0) * frequency_gain(1e6 / 28_500))
    assert neural_drive([train], frozenset({2})) == 0.0
    assert neural_drive([train, train], frozenset({1})) == 1.0
    assert neural_drive([(1, 0, 250, 28_500)], frozenset({1})) == 0.0


def test_the_two_lags_answer_a_step_as_the_table_says() -> None:
    wrist, course = Wrist(), []
    for ms in range(2000):
        course.append(wrist.x2)
        wrist.step(1, 1.0 if 25 <= ms < 1025 else 0.0, NO_PUSH)
    for row in table("hammerstein_step.csv"):
        ms = round(row["t_s"] * 1000)
        if ms < len(course):
            assert course[ms] == pytest.approx(row["activation"], abs=1e-3)
    passed = [next(ms for ms, value in enumerate(course) if value >= part) for part in (0.1, 0.5, 0.9)]
    assert passed == [57, 126, 259]


def test_resting_angle_under_a_constant_torque() -> None:
    for row in table("wrist_static_torque_angle.csv"):
        angle = math.degrees(resting_angle(row["net_active_torque_Nm"]))
        assert angle == pytest.approx(row["theta_eq_deg"], abs=0.01)


@pytest.mark.parametrize(
    ("case", "peak_ma", "period_us", "ramp_s"),
    [
        ("A", 20.0, PERIOD_35_HZ_US, 1.0),
        ("B", 16.0, PERIOD_35_HZ_US, 1.0),
        ("C", 20.0, 50_000.0, 1.0),
        ("D", 20.0, PERIOD_35_HZ_US, 0.2),
    ],
)
def test_stimulated_wrist_follows_the_reference_run(case: str, peak_ma: float, period_us: float, ramp_s: float) -> None:
    angles, speeds = stimulated(peak_ma, period_us, ramp_s)
    expected = summary(case)
    assert max(angles) == pytest.approx(expected["theta_max_deg"], abs=0.1)
    assert max(speeds) == pytest.approx(expected["peak_ext_dps"], abs=1.0)
    assert min(speeds) == pytest.approx(expected["peak_flex_dps"], abs=1.0)
    reference = column("wrist_plant_reference.csv", case, "deg")[:900]
    assert angles[::10] == pytest.approx(reference, abs=0.25)


@pytest.mark.parametrize(("case", "torque_nm", "rise_s", "hold_s"), [("E", 0.35, 1.2, 1.5), ("F", 0.12, 1.5, 1.0)])
def test_voluntary_attempt_follows_the_reference_run(case: str, torque_nm: float, rise_s: float, hold_s: float) -> None:
    person = WristPatient(1, sensor=PERFECT)
    person.attempt(500 * MS, torque_nm, rise_s, hold_s, rise_s)
    angles, speeds = [], []
    for ms in range(6000):
        angles.append(person.angle_deg)
        speeds.append(person.speed_dps)
        person.advance((ms + 1) * MS, ())
    expected = summary(case)
    assert max(angles) == pytest.approx(expected["theta_max_deg"], abs=0.1)
    assert max(speeds) == pytest.approx(expected["peak_ext_dps"], abs=0.5)
    assert min(speeds) == pytest.approx(expected["peak_flex_dps"], abs=0.5)
    assert angles[::10] == pytest.approx(column("wrist_plant_reference.csv", case, "deg")[:600], abs=0.1)


def test_stimulated_motion_is_5_to_50_times_faster_than_an_attempt() -> None:
    attempts = [summary("E")["peak_ext_dps"], summary("F")["peak_ext_dps"]]
    _, speeds = stimulated(18.0, PERIOD_35_HZ_US, 1.0)
    for attempt_dps in attempts:
        assert 5.0 < max(speeds) / attempt_dps < 50.0


def test_minimum_jerk_course() -> None:
    for row in table("min_jerk_normalised.csv"):
        assert minimum_jerk(row["s"]) == pytest.approx(row["pos"], abs=1e-6)  # the table has six digits


def test_perfect_puck_at_rest_and_on_a_swing() -> None:
    for row in table("imu_static_check.csv"):
        angle = math.radians(row["theta_deg_about_y"])
        _, acc = rigid_motion(angle, 0.0, 0.0, 0.08)
        assert acc == pytest.approx((row["acc_x_g"], row["acc_y_g"], row["acc_z_g"]), abs=1e-5)
    for row in table("imu_sinusoid_check.csv"):
        turn, t = 2.0 * math.pi, row["t_s"]
        angle = math.radians(20.0) * math.sin(turn * t)
        speed = math.radians(20.0) * turn * math.cos(turn * t)
        gyro, acc = rigid_motion(angle, speed, -turn * turn * angle, 0.08)
        assert gyro == pytest.approx((0.0, row["gyro_y_dps"], 0.0), abs=1e-3)
        assert acc == pytest.approx((row["acc_x_g"], row["acc_y_g"], row["acc_z_g"]), abs=1e-5)


def test_patients_puck_feels_its_wrist() -> None:
    person = WristPatient(1, sensor=PERFECT)
    person.attempt(0, 0.35, 1.2, 1.0, 1.0)
    person.advance(600 * MS, ())
    gyro, acc = person.imu(600 * MS)
    assert gyro == pytest.approx((0.0, person.speed_dps, 0.0))
    assert person.speed_dps > 20.0
    assert math.degrees(math.atan2(-acc[0], acc[2])) == pytest.approx(person.angle_deg, abs=2.0)


def run(seed: int) -> tuple[list[object], float]:
    person = WristPatient(seed, self_paced=True)
    seen: list[object] = []
    for frame in range(1, 3000):
        person.advance(frame * 10 * MS, [(1, 18_000, 250, 28_500)] if frame % 700 < 300 else [])
        seen.append(person.imu(frame * 10 * MS))
    return seen, person.angle_deg


def test_same_seed_same_calls_same_bits() -> None:
    assert run(7) == run(7)
    assert run(7) != run(8)


def test_a_resting_puck_never_repeats_itself_and_stays_under_the_attempt_floor() -> None:
    person = WristPatient(3)
    seen = []
    for frame in range(1, 6000):
        person.advance(frame * 10 * MS, ())
        seen.append(person.imu(frame * 10 * MS))
    assert len(set(seen)) == len(seen)
    assert max(abs(rate) for gyro, _ in seen for rate in gyro) < 5.0


def test_an_extra_sway_of_the_limb_shows_at_its_own_size() -> None:
    sensor = Sensor(random.Random(1), SensorPreset(0.0, 0.0, 0.0, 0.0, sway_dps=2.0))
    rates = [sensor.measure(k * 10 * MS, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))[0][1] for k in range(20_000)]
    assert math.sqrt(sum(rate * rate for rate in rates) / len(rates)) == pytest.approx(2.0, rel=0.1)


def onset_ns(person: WristPatient, from_ns: int, until_ns: int) -> int | None:
    """First millisecond at which the limb moves faster than 5 deg/s."""
    for now_ns in range(from_ns + MS, until_ns, MS):
        person.advance(now_ns, ())
        if person.speed_dps > 5.0:
            return now_ns
    return None


def test_a_cue_is_answered_after_a_reaction_time_and_released_late() -> None:
    person = WristPatient(5, effort=ALWAYS._replace(hold_s=(60.0, 60.0)))
    person.advance(SECOND, ())
    person.cue(SECOND)
    moved_ns = onset_ns(person, SECOND, 8 * SECOND)
    assert moved_ns is not None
    assert moved_ns > SECOND + 200 * MS
    person.advance(20 * SECOND, ())
    held_deg = person.angle_deg
    assert held_deg > -30.0
    person.relax(20 * SECOND)
    person.advance(20 * SECOND + 100 * MS, ())
    assert person.angle_deg == pytest.approx(held_deg, abs=0.2)
    person.advance(30 * SECOND, ())
    assert person.angle_deg == pytest.approx(-35.47, abs=0.2)
    assert not person.attempting


def test_relax_before_the_attempt_has_begun_gives_it_up() -> None:
    effort = Effort(random.Random(1), ALWAYS)
    effort.cue(0)
    effort.relax(10 * MS)
    assert not effort.busy()


def test_relax_during_the_rise_lets_go_from_where_the_effort_is() -> None:
    person = WristPatient(2, effort=ALWAYS._replace(release_s=0.01))
    person.attempt(0, 0.35, 4.0, 10.0, 0.5)
    person.advance(1500 * MS, ())
    person.relax(1500 * MS)
    person.advance(1600 * MS, ())
    highest_deg = person.angle_deg
    person.advance(4 * SECOND, ())
    assert person.angle_deg < highest_deg
    assert not person.attempting


def test_some_cues_are_missed_and_some_answers_are_weak() -> None:
    effort = Effort(random.Random(4), MODERATE)
    missed = weak = 0
    for trial in range(1000):
        now_ns = trial * 60 * SECOND
        effort.cue(now_ns)
        missed += not effort.busy()
        strength = max(effort.push(now_ns + k * 100 * MS).start_nm for k in range(150))
        weak += 0.0 < strength < 0.06
        assert not effort.busy()
    assert 30 < missed < 100
    assert 60 < weak < 150


def test_no_two_cues_running_are_missed_and_each_cue_says_what_became_of_it() -> None:
    for seed in range(20):
        effort = Effort(random.Random(seed), MODERATE)
        answers = []
        for trial in range(200):
            now_ns = trial * 60 * SECOND
            answers.append(effort.cue(now_ns))
            assert effort.busy() == (answers[-1] != "missed")
            if effort.busy():
                assert effort.cue(now_ns + MS) == "busy"
                effort.push(now_ns + 59 * SECOND)
        assert set(answers) == {"attempt", "weak", "missed"}
        assert ("missed", "missed") not in set(pairwise(answers))


def test_a_person_who_always_misses_heeds_every_other_cue() -> None:
    effort = Effort(random.Random(1), MODERATE._replace(missed=1.0, weak=0.0))
    answers = []
    for trial in range(6):
        answers.append(effort.cue(trial * 60 * SECOND))
        effort.push((trial * 60 + 59) * SECOND)
    assert answers == ["missed", "attempt"] * 3


def test_self_paced_attempts_come_6_to_12_s_after_rest_and_never_into_stimulation() -> None:
    person = WristPatient(11, self_paced=True, effort=ALWAYS)
    begun, ended, was = [], [], False
    for ms in range(1, 120_000):
        person.advance(ms * MS, [(1, 20_000, 250, 28_500)] if 40_000 <= ms < 60_000 else ())
        if person.attempting != was:
            was = person.attempting
            (begun if was else ended).append(ms)
    assert len(begun) >= 6
    assert not [ms for ms in begun if 40_000 < ms <= 66_000]
    for end_ms in ended:
        following = [ms for ms in begun if ms > end_ms]
        if following and not 28_000 < end_ms < 66_000:
            assert 6_000 <= following[0] - end_ms <= 12_600


def test_ticks_of_any_length_give_the_same_movement() -> None:
    fine, coarse = WristPatient(1, sensor=PERFECT), WristPatient(1, sensor=PERFECT)
    for person, tick in ((fine, 1), (coarse, 37)):
        person.attempt(200 * MS, 0.3, 1.3, 1.0, 0.8)
        for ms in range(tick, 3700 + 1, tick):
            person.advance(ms * MS, [(1, 17_000, 250, 28_500)] if ms > 1998 else ())
    assert fine.angle_deg == pytest.approx(coarse.angle_deg, abs=1e-9)
