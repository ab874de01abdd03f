import csv
from math import cos, nan, radians, sin

import pytest

from controller.motion.angle import LimbAngle
from controller.motion.features import FeatureFilter
from controller.motion.settings import AttemptSettings
from controller.vocabulary.sample import Sample


def _table(path):
    with path.open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _acc(row):
    return row["acc_x_g"], row["acc_y_g"], row["acc_z_g"]


def _quaternion(row):
    return row["qw"], row["qx"], row["qy"], row["qz"]


@pytest.mark.parametrize("source", ["gravity", "quaternion", "quaternion of the other sign"])
def test_static_table_gravity_and_quaternion_give_plus_theta(data, source):
    rows = _table(data / "reference" / "imu_static_check.csv")
    level = next(row for row in rows if row["theta_deg_about_y"] == 0)
    for row in rows:
        angle = LimbAngle()
        angle.step((0.0, 0.0, 0.0), _acc(level), _quaternion(level) if source != "gravity" else None, -1.0)
        q = tuple(-v for v in _quaternion(row)) if source.endswith("sign") else _quaternion(row)
        for _ in range(1000):
            found = angle.step((0.0, 0.0, 0.0), _acc(row), q if source != "gravity" else None, 0.01)
        assert found == pytest.approx(row["theta_deg_about_y"], abs=0.01)


def test_sinusoid_table_gyroscope_and_gravity_agree_in_sign_and_size(data):
    rows = _table(data / "reference" / "imu_sinusoid_check.csv")[:100]
    both, gyro_only = LimbAngle(), LimbAngle()
    errors = []
    for turn in range(10):
        for row in rows:
            gyro, dt = (0.0, row["gyro_y_dps"], 0.0), 0.01 if row["t_s"] or turn else -1.0
            alone = gyro_only.step(gyro, None, None, dt)
            if turn == 9:
                errors.append(both.step(gyro, _acc(row), None, dt) - row["theta_deg"])
                assert alone == pytest.approx(row["theta_deg"], abs=1.5)
            else:
                both.step(gyro, _acc(row), None, dt)
    spread = max(errors) - min(errors)
    assert max(abs(e) for e in errors) < 3.0  # 8 cm from the axis the limb's own acceleration tilts the plumb line
    assert spread < 2.0


def test_gravity_takes_out_the_gyroscopes_bias(data):
    angle = LimbAngle()
    for n in range(1000):
        angle.step((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), None, 0.01 if n else -1.0)
    assert angle.angle_deg == pytest.approx(0.5, abs=0.02)  # bias x time constant, where the gyroscope alone has 10 deg


def test_gravity_is_not_believed_while_the_limb_is_accelerated_nor_when_it_is_not_a_number():
    angle = LimbAngle()
    angle.step((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), None, -1.0)
    for acc in ((-0.8, 0.0, 0.8), (-0.1, 0.0, 0.1), (nan, 0.0, 1.0), (0.0, 1.0, 0.0)):
        for _ in range(50):
            assert angle.step((0.0, 0.0, 0.0), acc, None, 0.01) == 0.0


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_axis_and_sign_agree_between_gyroscope_gravity_and_quaternion(axis, sign):
    i = "xyz".index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    for use in ("gyro", "gravity", "quaternion"):
        angle = LimbAngle(axis, sign)
        for n in range(301):
            theta = min(n, 100) * 0.4
            gyro, acc, q = [0.0] * 3, [0.0] * 3, [cos(radians(theta / 2)), 0.0, 0.0, 0.0]
            gyro[i] = 40.0 if 0 < n <= 100 else 0.0
            acc[j], acc[k] = sin(radians(theta)), cos(radians(theta))
            q[1 + i] = sin(radians(theta / 2))
            angle.step(
                tuple(gyro) if use == "gyro" else (0.0, 0.0, 0.0),
                tuple(acc) if use == "gravity" else None,
                tuple(q) if use == "quaternion" else None,
                0.01 if n else -1.0,
            )
        assert angle.angle_deg == pytest.approx(sign * 40.0, abs=1.0), use


@pytest.mark.parametrize("source", ["gyro", "gravity", "quaternion"])
def test_the_reference_makes_the_present_posture_zero(source):
    features = FeatureFilter(AttemptSettings(), 100.0)
    found = []
    for n in range(800):
        theta = 0.1 * min(n, 300) + (0.1 * (n - 500) if n > 500 else 0.0)
        rate = 10.0 if 0 < n <= 300 or n > 500 else 0.0
        acc = (-sin(radians(theta)), 0.0, cos(radians(theta))) if source == "gravity" else None
        half = radians(theta / 2)
        q = (cos(half), 0.0, sin(half), 0.0) if source == "quaternion" else None
        if n == 500:
            features.set_reference()
        gyro = (0.001 * (n % 5), rate, 0.0)
        found.append(features.step(Sample("p", n * 10_000_000, gyro, acc, q)).angle_deg)
    assert found[499] == pytest.approx(30.0, abs=0.3)
    assert found[500] == pytest.approx(0.0, abs=0.1)
    assert found[-1] == pytest.approx(29.9, abs=0.3)


def test_across_a_gap_gravity_gives_the_angle_and_nothing_is_integrated():
    angle = LimbAngle()
    angle.step((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), None, -1.0)
    tilted = (-sin(radians(25)), 0.0, cos(radians(25)))
    assert angle.step((0.0, 900.0, 0.0), tilted, None, -1.0) == pytest.approx(25.0)


def test_a_quaternion_that_is_none_is_passed_over_and_a_full_turn_unwraps():
    angle = LimbAngle()
    for theta in range(0, 361, 5):
        half = radians(theta / 2)
        angle.step((0.0, 0.0, 0.0), None, (cos(half), 0.0, sin(half), 0.0), 0.01)
    assert angle.angle_deg == pytest.approx(360.0)
    for q in ((0.0, 0.0, 0.0, 0.0), (nan, 0.0, 0.0, 0.0)):
        assert angle.step((0.0, 100.0, 0.0), None, q, 0.01) > 360.0  # falls back on the gyroscope


def test_an_unknown_axis_is_refused():
    for axis, sign in (("w", 1), ("y", 2)):
        with pytest.raises(ValueError, match="axis"):
            LimbAngle(axis, sign)
