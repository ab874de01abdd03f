"""Trunk and arm that move instead of the joint are told once a movement, and a still one never."""

from math import cos, radians, sin

import pytest

from controller.motion.compensation import COMPENSATION_DEG, CompensationWatch
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, Sample

pytestmark = pytest.mark.hazard("H08")

STEP = 10_000_000
GOOD = CONNECTED | IMU_OK


def sample(t_ns, turn_deg, rate_dps=0.0, flags=GOOD, length=1.0):
    half = radians(turn_deg) / 2
    quaternion = (length * cos(half), 0.0, length * sin(half), 0.0)
    return Sample(t_ns=t_ns, device_us=None, puck="second", gyro_dps=(0.0, rate_dps, 0.0), acc_g=None,
                  quaternion=quaternion, flags=flags)  # fmt: skip


class Trunk:
    def __init__(self):
        self.watch, self.t_ns, self.told = CompensationWatch(), 0, []

    def go(self, *turns_deg, rate_dps=0.0, flags=GOOD, length=1.0):
        for turn_deg in turns_deg:
            self.t_ns += STEP
            event = self.watch.step(sample(self.t_ns, turn_deg, rate_dps, flags, length))
            if event is not None:
                self.told.append(round(event.turn_deg, 6))

    def rest(self, at_deg, seconds=0.6, **more):
        self.go(*[at_deg] * round(seconds * 100), **more)

    def swing(self, low, high, **more):
        self.go(*(at_deg - 0.5 for at_deg in range(low, high + 1)), rate_dps=100.0, **more)


def test_a_turn_is_told_once_when_it_passes_the_bound_and_again_after_a_rest():
    assert COMPENSATION_DEG == 15.0
    trunk = Trunk()
    trunk.rest(0.0)
    trunk.swing(1, 15)
    assert trunk.told == []
    trunk.swing(16, 40)
    assert trunk.told == [15.5]
    trunk.rest(40.0)
    trunk.swing(41, 80)
    assert trunk.told == [15.5, 15.5]


def test_it_counts_from_where_it_rested_and_slow_drifting_is_rest():
    trunk = Trunk()
    trunk.rest(170.0)
    for at_deg in range(170, 300, 2):
        trunk.rest(at_deg, seconds=1.0, rate_dps=4.0)
    assert trunk.told == []
    trunk.swing(300, 320)
    assert trunk.told == [15.5]  # from 298 deg on


def test_before_it_has_rested_nothing_is_known():
    trunk = Trunk()
    trunk.swing(0, 90)
    trunk.rest(90.0, seconds=0.4)
    trunk.swing(91, 130)
    assert trunk.told == []


@pytest.mark.parametrize("flags", [GOOD | STALE, CONNECTED, 0])
def test_a_second_puck_that_is_not_good_has_to_rest_anew(flags):
    trunk = Trunk()
    trunk.rest(0.0)
    trunk.go(0.0, flags=flags)
    trunk.swing(0, 90)
    assert trunk.told == []
    trunk.rest(0.0)
    trunk.swing(0, 90)
    assert trunk.told == [15.5]


def test_attitudes_need_not_be_of_length_one_and_none_at_all_says_nothing():
    trunk = Trunk()
    trunk.rest(0.0, length=1.08)
    trunk.swing(0, 30, length=0.93)
    assert trunk.told == [15.5]
    trunk.rest(30.0)
    trunk.swing(0, 30, length=0.0)
    assert trunk.told == [15.5]
