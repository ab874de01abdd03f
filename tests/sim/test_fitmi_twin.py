"""The FitMi twin: what its pucks say, how it obeys, and what can go wrong with it."""

import math
from itertools import pairwise

import pytest

from controller.wire.fitmi import CONNECTED, IMU_OK, PuckCommand, decode_report, encode_command, encode_effect
from controller.wire.link import MemoryLink
from sim.attached import Puck
from sim.catalogue import make
from sim.devices.fitmi import BATTERY_LOW_PERCENT, BATTERY_PERCENT, RESET_US, FitMiTwin, TwinScales, yellow_twin
from sim.faults_running import faults_of
from sim.patient import WristPatient
from sim.world import World

UP = (0.0, 0.0, 1.0)
STILL = (0.0, 0.0, 0.0)
MS = 1_000_000


def woken(**settings):
    twin = FitMiTwin(**settings)
    for puck in (0, 1):
        twin.feed(0, encode_command(puck, PuckCommand.GAMEON, 0, 1))
    return twin


def blocks(twin, n, gyro_dps=STILL, **more):
    return decode_report(twin.frame(n * 10_000, gyro_dps, UP, **more)).blocks


def test_its_name_begins_with_sim():
    assert FitMiTwin().identity.startswith("SIM")
    with pytest.raises(ValueError, match="SIM"):
        FitMiTwin("dongle")


def test_a_puck_sleeps_with_zeros_until_gameon_and_each_for_itself():
    twin = FitMiTwin()
    asleep = decode_report(twin.frame(0, (50.0, 0.0, 0.0), UP)).blocks[0]
    assert (asleep.status, asleep.quaternion) == (CONNECTED, (0, 0, 0, 0))
    twin.feed(0, b"\xff\xff\x00\x0b\x00")
    twin.feed(0, b"\x01")
    blue, yellow = decode_report(twin.report()).blocks
    assert (blue.gyro, blue.status) == ((50, 0, 0), CONNECTED | IMU_OK)
    assert yellow.status == CONNECTED


def test_the_quaternion_is_the_motion_integrated():
    twin = woken()
    for n in range(101):
        blue, yellow = blocks(twin, n, (0.0, 90.0, 0.0))
    half = math.radians(45.0)
    assert blue.quaternion == pytest.approx((10_000 * math.cos(half), 0, 10_000 * math.sin(half), 0), abs=2)
    assert yellow.quaternion == (10_000, 0, 0, 0)


def test_a_resting_puck_never_repeats_its_block():
    twin = woken()
    seen = [blocks(twin, n)[1].measured for n in range(200)]
    assert all(before != after for before, after in pairwise(seen))


def test_the_worn_puck_is_moved_and_the_other_rides_on_the_unaffected_hand():
    twin = yellow_twin()
    for puck in (0, 1):
        twin.feed(0, encode_command(puck, PuckCommand.GAMEON, 0, 1))
    pairs = [blocks(twin, n, (0.0, 70.0, 0.0)) for n in range(300)]
    assert {yellow.gyro for _, yellow in pairs} == {(0, 70, 0)}
    others = [blue.gyro[1] for blue, _ in pairs]
    assert max(others) > 20
    assert min(others) < -20
    assert all(abs(math.hypot(*blue.acc) - 1000) < 3 and blue.quaternion_ok for blue, _ in pairs)


def test_scales_other_than_the_usual_ones():
    twin = woken(scales=TwinScales(gyro_dps=0.061, acc_g=0.0005, load_n=0.02, load_zero=300))
    blue, _ = blocks(twin, 0, (61.0, 0.0, 0.0), load=2.0)
    assert (blue.gyro[0], blue.acc[2], blue.load) == (1000, 2000, 400)


def test_every_command_is_kept_and_written_down_with_its_time():
    log = []
    twin = woken(log=log.append)
    twin.feed(5 * MS, encode_effect(1, PuckCommand.PULSE_MOTOR, 300, 50))
    twin.feed(6 * MS, encode_command(0, PuckCommand.TOUCHBUZ, 0, 0))
    twin.feed(7 * MS, encode_command(0, PuckCommand.DNGLRST, 0, 0))
    assert [entry["command"] for entry in log] == ["GAMEON", "GAMEON", "PULSE_MOTOR", "TOUCHBUZ", "DNGLRST"]
    vibration = {
        "kind": "command",
        "t_ns": 5 * MS,
        "puck": "yellow",
        "command": "PULSE_MOTOR",
        "ms": 300,
        "percent": 50,
    }
    assert log[2] == vibration
    assert not twin.touch_buzz(0)
    assert twin.touch_buzz(1)
    for _ in range(100):
        twin.feed(8 * MS, encode_command(0, PuckCommand.GAMEON, 0, 1))
    assert len(twin.commands) == 64


def test_a_radio_reset_silences_the_dongle_for_600_ms():
    twin = woken()
    blocks(twin, 0)
    twin.feed(1, encode_command(0, PuckCommand.DNGLRST, 0, 0))
    silent = [twin.frame(10_000 * n, STILL, UP) for n in range(1, 80)]
    assert silent[: RESET_US // 10_000] == [b""] * 60
    assert all(len(data) == 62 for data in silent[60:])


def test_a_radio_that_needs_a_reset_finds_no_puck_before_it():
    twin = woken(needs_reset=True)
    assert [block.status for block in blocks(twin, 0)] == [0, 0]
    twin.feed(1, encode_command(0, PuckCommand.DNGLRST, 0, 0))
    assert twin.frame(10_000, STILL, UP) == b""
    assert [block.status for block in blocks(twin, 61)] == [CONNECTED, CONNECTED]


def test_a_stuck_sensor_repeats_its_block_and_the_other_puck_goes_on():
    twin = woken()
    before = blocks(twin, 0, (10.0, 0.0, 0.0))
    assert twin.suffer("stuck-sensor", "blue", 1)
    after = blocks(twin, 1, (50.0, 0.0, 0.0))
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert twin.suffer("stuck-sensor", "ok", 2)
    assert blocks(twin, 2, (50.0, 0.0, 0.0))[0].gyro == (50, 0, 0)


def test_a_lost_puck_is_not_connected_and_sleeps_when_it_comes_back():
    twin = woken()
    assert twin.suffer("lost-puck", "yellow", 1)
    assert [block.status for block in blocks(twin, 0)] == [CONNECTED | IMU_OK, 0]
    twin.feed(1, encode_command(1, PuckCommand.TOUCHBUZ, 0, 0))  # out of reach: it does not hear this
    assert twin.touch_buzz(1)
    assert twin.suffer("lost-puck", "yellow ok", 2)
    assert [block.status for block in blocks(twin, 1)] == [CONNECTED | IMU_OK, CONNECTED]


def test_low_battery_and_reset_of_one_puck_or_both():
    twin = woken()
    assert twin.suffer("low-battery", "", 1)
    assert {block.battery for block in blocks(twin, 0)} == {BATTERY_LOW_PERCENT}
    assert twin.suffer("low-battery", "off", 1)
    assert {block.battery for block in blocks(twin, 1)} == {BATTERY_PERCENT}
    assert twin.suffer("reset", "blue", 1)
    assert [block.status for block in blocks(twin, 2)] == [CONNECTED, CONNECTED | IMU_OK]
    assert blocks(twin, 3)[0].quaternion == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("fault", "value"), [("clock-drift", ""), ("electrode-off", "1"), ("stuck-sensor", "green"), ("reset", "1")]
)
def test_it_has_no_clock_and_no_third_puck(fault, value):
    assert not woken().suffer(fault, value, 0)


def test_its_faults_are_in_the_list_of_the_simulator_and_in_its_log():
    assert set(faults_of("fitmi")) >= {"stuck-sensor", "lost-puck", "low-battery", "reset"}
    assert "clock-drift" not in faults_of("fitmi-yellow")
    log = []
    FitMiTwin(log=log.append).suffer("lost-puck", "blue", 7)
    assert log == [{"kind": "fault", "t_ns": 7, "fault": "lost-puck", "value": "blue"}]


def test_in_a_world_the_yellow_twin_feels_the_limb():
    host, there = MemoryLink.pair()
    twin = make("fitmi-yellow", seed=3)
    person = WristPatient(3, start_ns=0)
    world = World(0, person, pucks=[Puck("fitmi-yellow", twin, there)])
    for puck in (0, 1):
        host.write(encode_command(puck, PuckCommand.GAMEON, 0, 1))
    world.advance(1)
    world.advance(1_000 * MS)
    data = host.read(1 << 20)
    found = [decode_report(data[at : at + 62]).blocks for at in range(0, len(data), 62)]
    assert len(found) == 100
    assert max(abs(yellow.gyro[1]) for _, yellow in found[1:]) < 10
    assert max(abs(blue.gyro[1]) for blue, _ in found[1:]) > 15
