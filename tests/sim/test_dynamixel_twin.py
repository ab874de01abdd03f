"""The Dynamixel twin: its table, limits by mode, bus watchdog, faults, answers in time, and a log of every push."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.wire.dynamixel.frame import BROADCAST, Frame, Framer, build
from controller.wire.dynamixel.instructions import decode_fast_status, decode_status, encode
from controller.wire.dynamixel.messages import (
    ALERT,
    Action,
    BulkRead,
    BulkWrite,
    Clear,
    Error,
    FactoryReset,
    FastBulkRead,
    FastStatus,
    FastSyncRead,
    Ping,
    Read,
    Reboot,
    RegWrite,
    Status,
    SyncRead,
    SyncWrite,
    Write,
)
from controller.wire.dynamixel.registers import IDENTITY_ADDRESS, REGISTER
from sim.catalogue import TWINS, Role, make
from sim.devices.dynamixel import DynamixelTwin
from sim.wrist import Push, Wrist, WristPreset

MS = 1_000_000
US = 1_000
T0 = 5_000_000_000
HINGE = WristPreset(gravity_nm=0.0, rest_deg=0.0)


class Bench:
    """A twin with a host that asks one thing at a time, and a hinge that it is fixed to."""

    def __init__(self, joint: WristPreset = HINGE, **options: Any) -> None:
        self.log: list[dict[str, Any]] = []
        self.twin = DynamixelTwin(log=self.log.append, **options)
        self.now_ns = T0
        self.hinge = Wrist(joint)
        self.hinge.angle = 0.0
        self.twin.advance(T0)

    @property
    def angle(self) -> float:
        return self.hinge.angle * 57.29577951308232

    def say(self, message: Any) -> bytes:
        """Everything that is said within 5 ms of `message`."""
        data = self.twin.feed(self.now_ns, encode(message))
        return data + self.live(5)

    def ask(self, message: Any) -> Status | None:
        found = [frame for frame in Framer().feed(self.say(message)) if isinstance(frame, Frame)]
        assert len(found) <= 1
        return decode_status(found[0]) if found else None

    def live(self, ms: int) -> bytes:
        said = b""
        for _ in range(ms):
            self.hinge.step(1, 0.0, Push(self.twin.torque_nm()))
            self.now_ns += MS
            self.twin.feel(self.now_ns, self.angle, self.hinge.speed * 57.29577951308232)
            said += self.twin.advance(self.now_ns)
        return said

    def write(self, name: str, value: int, id: int = 1) -> int:
        register = REGISTER[name]
        status = self.ask(Write(id, register.address, register.pack(value)))
        assert status is not None
        assert status.data == b""
        return status.error

    def read(self, name: str) -> int:
        register = REGISTER[name]
        status = self.ask(Read(1, register.address, register.size))
        assert status is not None
        return register.unpack(status.data)

    def mode(self, mode: int, **registers: int) -> "Bench":
        assert self.write("operating_mode", mode) == 0
        for name, value in registers.items():
            assert self.write(name, value) == 0
        assert self.write("torque_enable", 1) == 0
        return self

    def kind(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.log if entry["kind"] == kind]

    def faults(self) -> list[str]:
        return [entry["fault"] for entry in self.kind("fault")]


# -- answers ---------------------------------------------------------------------------------------------------------


def test_an_answer_comes_after_the_return_delay_and_its_time_on_the_wire() -> None:
    twin = DynamixelTwin()
    assert twin.feed(T0, encode(Ping(1))) == b""
    due_ns = T0 + 500 * US + 14 * 10 * US
    assert twin.next_deadline() == due_ns
    assert twin.advance(due_ns - 1) == b""
    (frame,) = Framer().feed(twin.advance(due_ns))
    assert decode_status(frame) == Status(1, 0, b"\x06\x04\x2e")  # type: ignore[arg-type]
    twin.feed(due_ns, encode(Write(1, 9, b"\0")))
    assert twin.next_deadline() == due_ns + 11 * 10 * US


def test_a_broadcast_ping_is_answered_in_the_turn_of_the_id() -> None:
    twin = DynamixelTwin(id=4, model="XC330-T288", firmware=47)
    twin.feed(T0, encode(Ping(BROADCAST)))
    assert twin.next_deadline() == T0 + 12 * MS + 640 * US
    (frame,) = Framer().feed(twin.advance(T0 + 13 * MS))
    assert decode_status(frame) == Status(4, 0, b"\xc4\x04\x2f")  # type: ignore[arg-type]


def test_others_are_not_answered_and_nobody_answers_a_write_to_all() -> None:
    bench = Bench()
    assert bench.ask(Ping(2)) is None
    assert bench.ask(Write(BROADCAST, 65, b"\1")) is None
    assert bench.read("led") == 1
    assert bench.ask(Read(BROADCAST, 65, 1)) is None


def test_the_name_stands_outside_every_table() -> None:
    bench = Bench(identity="SIMSERVO42")
    assert bench.ask(Read(1, IDENTITY_ADDRESS, 32)) == Status(1, 0, b"SIMSERVO42".ljust(32))
    assert bench.ask(Read(1, IDENTITY_ADDRESS - 1, 1)) == Status(1, Error.ACCESS)
    with pytest.raises(ValueError, match="begins with SIM"):
        DynamixelTwin("XM430")
    with pytest.raises(ValueError, match="XC330-T288"):
        DynamixelTwin(model="XL330")


@pytest.mark.parametrize(("level", "ping", "read", "write"), [(2, 1, 1, 1), (1, 1, 1, 0), (0, 1, 0, 0)])
def test_the_status_return_level_decides_what_is_answered(level: int, ping: int, read: int, write: int) -> None:
    bench = Bench()
    bench.say(Write(1, 68, bytes((level,))))
    for message, answered in ((Ping(1), ping), (Read(1, 0, 2), read), (Write(1, 65, b"\1"), write)):
        assert (bench.ask(message) is not None) == bool(answered)


def test_reads_of_several_registers_and_of_none() -> None:
    bench = Bench()
    block = bench.ask(Read(1, 126, 10))
    assert block == Status(1, 0, b"\0\0" + bytes(4) + (2048).to_bytes(4, "little"))
    assert bench.ask(Read(1, 144, 3)) == Status(1, 0, b"\x78\0\x23")
    for address, size in ((147, 2), (148, 1), (0, 0), (500, 4)):
        assert bench.ask(Read(1, address, size)) == Status(1, Error.ACCESS)


def test_multi_servo_instructions() -> None:
    bench = Bench()
    assert bench.ask(SyncRead(64, 1, (1, 2))) == Status(1, 0, b"\0")
    assert bench.ask(SyncRead(64, 1, (2, 1))) is None
    (frame,) = Framer().feed(bench.say(FastSyncRead(64, 2, (1,))))
    assert isinstance(frame, Frame)
    assert decode_fast_status(frame, 2) == FastStatus((Status(1, 0, b"\0\0"),))
    assert bench.ask(FastSyncRead(64, 1, (1, 2))) is None
    assert bench.ask(SyncWrite(65, 1, ((2, b"\0"), (1, b"\1")))) is None
    assert bench.read("led") == 1
    assert bench.ask(BulkRead(((1, 0, 2),))) == Status(1, 0, b"\x06\x04")
    assert bench.ask(FastBulkRead(((1, 0, 2),))) is None
    assert bench.ask(BulkWrite(((1, 65, b"\0"), (2, 65, b"\1")))) is None
    assert bench.read("led") == 0


def test_a_registered_write_waits_for_its_action() -> None:
    bench = Bench()
    assert bench.ask(Action(1)) == Status(1, Error.INSTRUCTION)
    assert bench.ask(RegWrite(1, 65, b"\1")) == Status(1)
    assert bench.ask(RegWrite(1, 65, b"\2")) == Status(1, Error.RANGE)
    assert (bench.read("led"), bench.read("registered")) == (0, 1)
    assert bench.ask(Action(1)) == Status(1)
    assert (bench.read("led"), bench.read("registered")) == (1, 0)


def test_clear_and_factory_reset() -> None:
    bench = Bench()
    assert bench.ask(Clear(1, b"\x01DXL\x22")) == Status(1)
    assert bench.ask(Clear(1, b"\x01DXL\x23")) == Status(1, Error.RANGE)
    bench.write("operating_mode", 0)
    bench.write("id", 7)
    assert bench.ask(FactoryReset(7, 3)) == Status(7, Error.RANGE)
    assert bench.ask(FactoryReset(7, 1)) == Status(7)
    bench.live(300)
    assert bench.ask(Read(7, 11, 1)) == Status(7, 0, b"\3")
    assert bench.ask(FactoryReset(7, 0xFF)) == Status(7)
    bench.live(300)
    assert bench.ask(Ping(1)) is not None


def test_damaged_and_unknown_instructions_are_answered_with_their_errors() -> None:
    bench = Bench()
    damaged = bytearray(encode(Ping(1)))
    damaged[-1] ^= 1
    (frame,) = Framer().feed(bench.twin.feed(bench.now_ns, bytes(damaged)) + bench.live(5))
    assert decode_status(frame) == Status(1, Error.CRC)  # type: ignore[arg-type]
    for data in (build(1, 0x7E, b""), build(1, 0x02, b"\0")):
        (frame,) = Framer().feed(bench.twin.feed(bench.now_ns, data) + bench.live(5))
        assert decode_status(frame) == Status(1, Error.INSTRUCTION)  # type: ignore[arg-type]
    assert bench.twin.feed(bench.now_ns, build(2, 0x7E, b"")) + bench.live(5) == b""
    assert bench.faults() == ["transfer", "instruction", "instruction"]


# -- writes ----------------------------------------------------------------------------------------------------------


def test_eeprom_takes_no_writes_while_torque_is_on() -> None:
    bench = Bench().mode(0)
    for name in ("operating_mode", "current_limit", "id", "shutdown"):
        assert bench.write(name, 0) == Error.ACCESS
    assert bench.write("torque_enable", 0) == 0
    assert bench.write("operating_mode", 1) == 0


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("operating_mode", 2, Error.RANGE),
        ("operating_mode", 17, Error.RANGE),
        ("id", 253, Error.RANGE),
        ("torque_enable", 2, Error.RANGE),
        ("bus_watchdog", 128, Error.RANGE),
        ("bus_watchdog", 127, Error.NONE),
        ("current_limit", 1_194, Error.RANGE),
        ("voltage_min", 94, Error.RANGE),
        ("goal_current", 1_194, Error.LIMIT),
        ("goal_current", -1_194, Error.LIMIT),
        ("goal_current", -1_193, Error.NONE),
        ("goal_velocity", 331, Error.LIMIT),
        ("goal_pwm", 886, Error.LIMIT),
        ("goal_position", 4_096, Error.LIMIT),
        ("goal_position", -1, Error.LIMIT),
        ("profile_velocity", 32_768, Error.RANGE),
        ("present_position", 0, Error.ACCESS),
        ("model_number", 1, Error.ACCESS),
        ("hardware_error", 0, Error.ACCESS),
        ("pwm_slope", 100, Error.ACCESS),
    ],
)
def test_ranges_and_limits(name: str, value: int, error: Error) -> None:
    assert Bench().write(name, value) == error


def test_the_other_model_has_its_own_limits() -> None:
    bench = Bench(model="XC330-T288")
    assert bench.write("goal_current", 911) == Error.LIMIT
    assert bench.write("pwm_slope", 100) == 0
    assert (bench.read("temperature_limit"), bench.read("voltage_min"), bench.read("model_number")) == (70, 55, 1_220)


def test_only_whole_registers_are_written_and_a_block_only_as_a_whole() -> None:
    bench = Bench()
    assert bench.ask(Write(1, 102, b"\1")) == Status(1, Error.LENGTH)
    assert bench.ask(Write(1, 103, b"\1")) == Status(1, Error.ACCESS)
    assert bench.ask(Write(1, 66, b"\1")) == Status(1, Error.ACCESS)
    good = b"\x32\0" + (50).to_bytes(4, "little") + bytes(8) + (2_100).to_bytes(4, "little")
    assert bench.ask(Write(1, 102, good)) == Status(1)
    assert (bench.read("goal_current"), bench.read("goal_velocity"), bench.read("goal_position")) == (50, 50, 2_100)
    bad = b"\x33\0" + (999).to_bytes(4, "little")
    assert bench.ask(Write(1, 102, bad)) == Status(1, Error.LIMIT)
    assert bench.read("goal_current") == 50


def test_position_limits_bind_position_control_but_not_current_based_position_control() -> None:
    for mode, error in ((3, Error.LIMIT), (5, Error.NONE), (4, Error.NONE)):
        bench = Bench()
        bench.write("operating_mode", mode)
        bench.write("position_max", 3_072)
        bench.write("position_min", 1_024)
        assert bench.write("goal_position", 3_000) == 0
        assert bench.write("goal_position", 3_500) == error
        assert bench.write("goal_position", -500) == error
    assert Bench().write("goal_position", 1_048_576) == Error.LIMIT


# -- movement --------------------------------------------------------------------------------------------------------


def test_current_control_pushes_with_current_times_a_constant() -> None:
    bench = Bench().mode(0)
    assert bench.write("goal_current", 50) == 0
    bench.live(800)
    assert bench.twin.torque_nm() == pytest.approx(50 * 4.842e-3)
    assert bench.read("present_current") == 50
    assert bench.angle == pytest.approx(50 * 4.842e-3 / 0.6 * 57.3, abs=1.0)
    assert abs(bench.read("present_position") - 2_048 - bench.angle * 4096 / 360) <= 1
    assert bench.write("goal_current", -50) == 0
    assert bench.twin.torque_nm() == pytest.approx(-50 * 4.842e-3)
    assert bench.write("torque_enable", 0) == 0
    assert bench.twin.torque_nm() == 0.0
    weak = Bench(model="XC330-T288").mode(0, goal_current=100)
    assert weak.twin.torque_nm() == pytest.approx(0.115)


def test_nothing_pushes_with_torque_off() -> None:
    bench = Bench()
    bench.write("operating_mode", 0)
    bench.write("goal_current", 500)
    assert (bench.twin.torque_nm(), bench.twin.next_deadline() > T0 + 10**15) == (0.0, True)
    bench.live(50)
    assert abs(bench.angle) < 0.01


@pytest.mark.parametrize("mode", [3, 4, 5])
def test_position_control_goes_to_its_goal(mode: int) -> None:
    bench = Bench().mode(mode)
    assert bench.twin.torque_nm() == 0.0
    if mode == 5:
        assert bench.write("goal_current", 300) == 0
    assert bench.write("goal_position", 2_048 + 228) == 0
    bench.live(1_500)
    assert 14.0 <= bench.angle <= 20.5
    assert abs(bench.hinge.speed) < 0.1


def test_current_based_position_control_pushes_with_no_more_than_its_goal_current() -> None:
    bench = Bench().mode(5, goal_current=20)
    bench.write("goal_position", 3_000)
    for _ in range(100):
        bench.live(5)
        assert abs(bench.twin.torque_nm()) <= 20 * 4.842e-3 + 1e-9
    assert bench.read("present_current") == 20


def test_a_profile_velocity_bounds_the_speed_and_0_does_not() -> None:
    quick, slow = Bench().mode(3), Bench().mode(3, profile_velocity=15)
    for bench in (quick, slow):
        bench.write("goal_position", 2_500)
        bench.live(300)
    assert quick.angle > 3 * slow.angle > 0.0


def test_velocity_control_turns_at_its_goal() -> None:
    bench = Bench(WristPreset(gravity_nm=0.0, rest_deg=0.0, stiffness=0.05)).mode(1)
    bench.write("goal_velocity", 22)
    bench.live(900)
    assert bench.hinge.speed * 57.3 == pytest.approx(30.2, abs=6.0)
    assert bench.read("moving") == 1


def test_pwm_control_pushes_in_proportion() -> None:
    bench = Bench().mode(16)
    bench.write("goal_pwm", -100)
    assert bench.twin.torque_nm() == pytest.approx(-(1_193 * 100 // 885) * 4.842e-3)


def test_torque_fades_towards_the_no_load_speed() -> None:
    twin = DynamixelTwin()
    for message in (Write(1, 11, b"\0"), Write(1, 64, b"\1"), Write(1, 102, (1_193).to_bytes(2, "little"))):
        twin.feed(T0, encode(message))
    pushes = []
    for step, speed in enumerate((0.0, 200.0, 400.0, 430.0, -400.0)):
        twin.feel(T0, 0.0, speed)
        twin.advance(T0 + (step + 1) * 5 * MS)
        pushes.append(twin.torque_nm())
    assert pushes[0] > pushes[1] > pushes[2] > pushes[3] == 0.0
    assert pushes[4] == pushes[0]


def test_every_push_is_in_the_log_as_one_run() -> None:
    bench = Bench().mode(0)
    begin_ns = bench.now_ns
    bench.write("goal_current", 40)
    bench.live(200)
    bench.write("goal_current", 60)
    bench.live(200)
    end_ns = bench.now_ns
    bench.write("goal_current", 0)
    bench.live(50)
    bench.write("goal_current", -10)
    bench.live(20)
    bench.twin.close(bench.now_ns)
    first, second = bench.kind("torque")
    assert (first["t_start_ns"], first["t_end_ns"]) == (begin_ns, end_ns)
    assert first["peak_mnm"] == 60 * 4_842 // 1000
    assert (first["from_cdeg"], abs(first["to_cdeg"]) > 1_000) == (0, True)
    assert (second["peak_mnm"], second["t_end_ns"]) == (48, bench.now_ns)
    assert [entry["state"] for entry in bench.kind("state")] == ["torque"]


# -- bus watchdog ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("torque_drops", [False, True])
def test_the_bus_watchdog_stops_and_locks_the_goals_until_cleared(torque_drops: bool) -> None:
    bench = Bench(torque_drops=torque_drops).mode(0)
    bench.write("goal_current", 50)
    bench.write("bus_watchdog", 5)
    fed_ns = bench.now_ns - 5 * MS
    assert bench.twin.next_deadline() <= fed_ns + 100 * MS
    bench.live(94)
    assert bench.twin.torque_nm() > 0.0
    bench.live(2)
    assert bench.twin.torque_nm() == 0.0
    assert bench.faults() == ["watchdog"]
    assert bench.ask(Read(1, 98, 1)) == Status(1, 0, b"\xff")
    assert bench.read("torque_enable") == int(not torque_drops)
    for name in ("goal_current", "goal_velocity", "goal_position", "goal_pwm"):
        assert bench.write(name, 0) == Error.RANGE
    assert bench.write("bus_watchdog", 5) == Error.RANGE
    assert bench.write("bus_watchdog", 0) == 0
    assert bench.write("goal_current", 50) == 0


def test_the_bus_watchdog_sleeps_while_torque_is_off_and_wakes_with_it() -> None:
    bench = Bench()
    bench.write("operating_mode", 0)
    bench.write("bus_watchdog", 5)
    bench.live(1_000)
    assert bench.faults() == []
    bench.write("torque_enable", 1)
    bench.live(150)
    assert bench.faults() == ["watchdog"]


@pytest.mark.parametrize("any_id", [True, False])
def test_whose_packets_feed_the_bus_watchdog(any_id: bool) -> None:
    bench = Bench(fed_by_any_id=any_id).mode(0, goal_current=50, bus_watchdog=5)
    for _ in range(5):
        bench.live(40)
        bench.say(Ping(2))
    assert (bench.faults() == []) is any_id
    fed = Bench(fed_by_any_id=any_id).mode(0, goal_current=50, bus_watchdog=5)
    for _ in range(5):
        fed.live(40)
        fed.say(SyncWrite(65, 1, ((2, b"\0"),)))  # goes to all, so it is ours as well
    assert fed.faults() == []


@pytest.mark.parametrize("mode", [1, 3, 5])
def test_a_tripped_watchdog_in_other_modes_stops_where_the_joint_is(mode: int) -> None:
    bench = Bench().mode(mode, bus_watchdog=5)
    bench.write("goal_velocity" if mode == 1 else "goal_position", 60 if mode == 1 else 2_600)
    bench.live(200)
    assert bench.faults() == ["watchdog"]
    stopped = bench.angle
    assert stopped > 0.5
    bench.live(1_000)
    assert abs(bench.angle) <= abs(stopped) + 6.0
    assert bench.read("torque_enable") == 1


def test_an_unplugged_servo_goes_on_until_its_watchdog() -> None:
    bench = Bench().mode(0, goal_current=50, bus_watchdog=5)
    bench.twin.feed(bench.now_ns, b"\xff\xff\xfd\x00\x01")
    bench.twin.unplug(bench.now_ns)
    assert bench.twin.torque_nm() > 0.0
    bench.live(110)
    assert bench.twin.torque_nm() == 0.0
    assert bench.ask(Ping(1)) is not None


# -- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "bit"), [("overload", 0x20), ("overheat", 0x04)])
def test_shutdown_takes_the_torque_and_only_a_reboot_ends_it(fault: str, bit: int) -> None:
    bench = Bench().mode(0, goal_current=50)
    assert bench.twin.suffer(fault, "", bench.now_ns)
    assert bench.twin.torque_nm() == 0.0
    assert bench.ask(Read(1, 64, 1)) == Status(1, ALERT, b"\0")
    assert bench.ask(Read(1, 70, 1)) == Status(1, ALERT, bytes((bit,)))
    assert bench.write("torque_enable", 1) == Error.ACCESS | ALERT
    assert bench.write("torque_enable", 0) == ALERT
    assert bench.twin.suffer(fault, "off", bench.now_ns)
    assert bench.read("hardware_error") == bit
    assert bench.ask(Reboot(1)) == Status(1, ALERT)
    assert bench.ask(Ping(1)) is None
    bench.live(250)
    assert bench.ask(Read(1, 70, 1)) == Status(1, 0, b"\0")
    assert bench.write("torque_enable", 1) == 0


def test_a_servo_that_is_still_too_hot_is_so_after_a_reboot() -> None:
    bench = Bench()
    bench.twin.suffer("overheat", "", bench.now_ns)
    bench.ask(Reboot(1))
    bench.live(250)
    assert bench.read("hardware_error") == 0x04
    assert bench.read("temperature") == 81


def test_a_mask_without_the_bit_keeps_the_torque() -> None:
    bench = Bench()
    bench.write("shutdown", 4)
    bench.mode(0, goal_current=50)
    bench.twin.suffer("overload", "", bench.now_ns)
    assert bench.read("torque_enable") == 1
    assert bench.twin.torque_nm() > 0.0


def test_low_voltage_is_an_alert_that_goes_with_the_voltage() -> None:
    bench = Bench()
    bench.twin.suffer("low-battery", "", bench.now_ns)
    assert (bench.read("voltage"), bench.read("hardware_error")) == (92, 1)
    bench.twin.suffer("low-battery", "off", bench.now_ns)
    assert (bench.read("voltage"), bench.read("hardware_error")) == (120, 0)


def test_a_brown_out_loses_ram_and_keeps_eeprom() -> None:
    bench = Bench().mode(0, goal_current=50, bus_watchdog=5)
    bench.twin.suffer("reset", "", bench.now_ns)
    assert bench.twin.torque_nm() == 0.0
    assert bench.ask(Ping(1)) is None
    bench.live(250)
    assert [bench.read(name) for name in ("torque_enable", "goal_current", "bus_watchdog")] == [0, 0, 0]
    assert bench.read("operating_mode") == 0


def test_a_startup_configuration_switches_torque_on_by_itself() -> None:
    bench = Bench()
    bench.write("startup", 1)
    bench.twin.suffer("reset", "", bench.now_ns)
    bench.live(250)
    assert bench.read("torque_enable") == 1


def test_a_goal_may_switch_torque_on_where_the_drive_mode_says_so() -> None:
    bench = Bench()
    bench.write("operating_mode", 0)
    bench.write("goal_current", 0)
    assert bench.read("torque_enable") == 0
    bench.write("drive_mode", 8)
    bench.write("goal_current", 0)
    assert bench.read("torque_enable") == 1


def test_a_stuck_joint_stays_and_its_current_rises() -> None:
    bench = Bench().mode(3)
    bench.twin.suffer("stuck-joint", "", bench.now_ns)
    bench.write("goal_position", 4_000)
    bench.live(500)
    assert (bench.read("present_position"), bench.read("present_velocity")) == (2_048, 0)
    assert bench.read("present_current") == 1_193
    assert abs(bench.angle) < 1.0
    bench.twin.suffer("stuck-joint", "off", bench.now_ns)
    bench.live(300)
    assert bench.angle > 10.0


def test_a_slow_joint_moves_at_about_a_tenth() -> None:
    well, ill = Bench().mode(0), Bench().mode(0)
    ill.twin.suffer("slow-joint", "", ill.now_ns)
    for bench in (well, ill):
        bench.write("goal_current", 100)
        bench.live(150)
    assert 0.0 < ill.angle < well.angle / 5


def test_a_lost_watchdog_reads_0_and_does_nothing() -> None:
    bench = Bench().mode(0, goal_current=50)
    bench.twin.suffer("lost-bus-watchdog", "", bench.now_ns)
    assert bench.write("bus_watchdog", 5) == 0
    assert bench.read("bus_watchdog") == 0
    bench.live(500)
    assert bench.twin.torque_nm() > 0.0


@pytest.mark.parametrize("fault", ["electrode-off", "stuck-sensor", "e-stop", "clock-drift", "nonsense"])
def test_faults_of_other_devices_are_not_its_own(fault: str) -> None:
    bench = Bench()
    assert not bench.twin.suffer(fault, "", bench.now_ns)
    assert bench.log == []


# -- the rest --------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.builds(lambda a, d: encode(Write(1, a, d)), st.integers(0, 160), st.binary(min_size=1, max_size=8)),
            st.builds(lambda a, n: encode(Read(1, a, n)), st.integers(0, 200), st.integers(0, 60)),
        ),
        max_size=20,
    )
)
def test_any_bytes_are_survived_and_answers_are_good_frames(chunks: list[bytes]) -> None:
    twin = DynamixelTwin()
    said, now_ns = b"", T0
    for chunk in chunks:
        said += twin.feed(now_ns, chunk)
        twin.feel(now_ns, 0.0, 0.0)
        now_ns += 7 * MS
        assert twin.next_deadline() > T0
    said += twin.advance(now_ns + 500 * MS)
    assert all(isinstance(frame, Frame) for frame in Framer().feed(said))
    assert abs(twin.torque_nm()) < 6.0
    twin.close(now_ns + 500 * MS)


def test_a_flood_of_questions_is_bounded() -> None:
    twin = DynamixelTwin()
    for _ in range(1_000):
        twin.feed(T0, encode(Ping(1)))
    assert len(Framer().feed(twin.advance(T0 + 10_000 * MS))) == 64


def test_it_is_in_the_catalogue() -> None:
    assert TWINS["dynamixel"].role is Role.ORTHOSIS
    twin = make("dynamixel", seed=3, log=None)
    assert isinstance(twin, DynamixelTwin)
    assert twin.identity.startswith("SIM")
