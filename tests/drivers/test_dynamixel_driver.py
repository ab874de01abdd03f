"""The Dynamixel driver against its twin on a hinge, and against a hand-played servo: set-up, movement, letting go."""

import math
from collections.abc import Iterable
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.drivers.orthoses import dynamixel_gate
from controller.drivers.orthoses.dynamixel import DYNAMIXEL, DYNAMIXEL_LIMITS, DynamixelDriver
from controller.drivers.orthoses.dynamixel_course import Course, Wish
from controller.drivers.orthoses.dynamixel_gate import Permit, frame, off_frames, unanswered, write
from controller.drivers.orthoses.events import Freed, Identified, Moved, PairCheckFailed, Ready, UnitFault
from controller.drivers.orthoses.kind import orthosis
from controller.wire.dynamixel.frame import BROADCAST, Frame, Framer, renumbered
from controller.wire.dynamixel.instructions import INSTRUCTIONS, STATUS, decode_instruction, encode
from controller.wire.dynamixel.messages import (
    Action,
    BulkRead,
    BulkWrite,
    Clear,
    FactoryReset,
    FastBulkRead,
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
from controller.wire.dynamixel.registers import REGISTER, REGISTERS
from safety.joint import Assist, Free, Hold, Posture
from safety.orders import Admitted, Deliver, Purpose, Renew, Token
from sim.devices.dynamixel import DynamixelTwin
from sim.wrist import Push, Wrist, WristPreset

MS = 1_000_000
T0 = 1_000_000_000
TOKEN = Token()
HINGE = WristPreset(gravity_nm=0.0, rest_deg=0.0)
"""At rest at 0 deg; 30 deg take 0.31 N m."""
CAP_MNM = 1_500

POSTURE = Read(1, 126, 10)


def ticket(order: Any) -> Admitted:
    return Admitted(TOKEN, 1, T0, order)


def assist(target: int = 3_000, speed: int = 3_000, torque: int = CAP_MNM) -> Admitted:
    return ticket(Assist(1, T0, T0 + 120 * MS, target, speed, torque))


def hold(angle: int = 0, torque: int = CAP_MNM) -> Admitted:
    return ticket(Hold(1, T0, T0 + 120 * MS, angle, torque))


def said(data: bytes) -> list[Any]:
    """What bytes to the bus say."""
    found = []
    for entry in Framer().feed(data):
        assert isinstance(entry, Frame)
        found.append(decode_instruction(entry))
    return found


def faults(events: Iterable[object]) -> list[UnitFault]:
    return [event for event in events if isinstance(event, UnitFault)]


class Rig:
    """Driver, twin and a hinge in between, on a clock of whole milliseconds."""

    def __init__(self, joint: WristPreset = HINGE, angle_deg: float | None = None, **options: Any) -> None:
        self.now_ns = T0
        self.log: list[dict[str, Any]] = []
        self.twin = DynamixelTwin(log=self.log.append, **options)
        self.hinge = Wrist(joint)
        if angle_deg is not None:
            self.hinge.angle = math.radians(angle_deg)
        self.driver: DynamixelDriver | None = DynamixelDriver()
        self.alive = True
        self.events: list[Any] = []
        self.sent: list[tuple[int, Any]] = []
        self.trace: list[tuple[int, float, float]] = []  # ms, deg, N m
        self.lose = 0
        self.give(self.driver.start(self.now_ns))

    @property
    def angle(self) -> float:
        return math.degrees(self.hinge.angle)

    @property
    def ms(self) -> int:
        return (self.now_ns - T0) // MS

    def give(self, data: bytes) -> None:
        self.sent += [(self.ms, message) for message in said(data)]
        self.twin.feel(self.now_ns, self.angle, math.degrees(self.hinge.speed))
        self.hear(self.twin.feed(self.now_ns, data))

    def hear(self, data: bytes) -> None:
        if self.driver is None or not data:
            return
        if self.lose:
            self.lose -= 1
            return
        self.events += self.driver.feed(self.now_ns, data)

    def run(self, ms: int) -> "Rig":
        for _ in range(ms):
            torque = self.twin.torque_nm()
            self.hinge.step(1, 0.0, Push(torque))
            self.now_ns += MS
            self.twin.feel(self.now_ns, self.angle, math.degrees(self.hinge.speed))
            self.hear(self.twin.advance(self.now_ns))
            self.poll()
            self.trace.append((self.ms, self.angle, self.twin.torque_nm()))
        return self

    def poll(self) -> None:
        for _ in range(20):
            if self.driver is None or not (self.driver.next_deadline() <= self.now_ns or not self.alive):
                return
            data, events = self.driver.poll(self.now_ns, self.alive)
            self.events += events
            if not data and not events:
                return
            self.give(data)
        raise AssertionError("poll does not come to rest")

    def ready(self) -> "Rig":
        self.run(60)
        assert self.driver is not None
        assert self.driver.ready
        return self

    def move(self, order: Admitted) -> "Rig":
        assert self.driver is not None
        self.give(self.driver.move(order, self.now_ns))
        return self

    def peak(self, since_ms: int = 0) -> float:
        return max((abs(torque) for ms, _, torque in self.trace if ms > since_ms), default=0.0)

    def causes(self) -> list[str]:
        return [fault.cause for fault in faults(self.events)]

    def kinds(self) -> list[type]:
        return [type(event) for event in self.events if not isinstance(event, Moved)]


# -- set-up ----------------------------------------------------------------------------------------------------------


def test_a_connection_begins_with_torque_off_to_all_and_ends_ready() -> None:
    rig = Rig().ready()
    driver = rig.driver
    assert driver is not None
    asked = [message for _, message in rig.sent]
    assert asked[0] == Write(BROADCAST, 64, b"\0")
    assert asked[1] == Read(1, 64, 2)
    assert asked[2] == Ping(1)
    assert rig.kinds() == [Freed, Identified, Ready]
    assert rig.events[1] == Identified("SIMDXL0001", "firmware 46")
    writes = [message for message in asked if isinstance(message, Write | SyncWrite)]
    assert writes == [
        Write(BROADCAST, 64, b"\0"),
        Write(1, 11, b"\0"),
        Write(1, 98, b"\0"),
        Write(1, 98, b"\5"),
    ]
    assert rig.twin.table.get("operating_mode") == 0
    assert rig.twin.table.get("bus_watchdog") == 5
    assert (driver.confirmed_free, driver.wire_faults, driver.identity) == (True, 0, "SIMDXL0001")
    assert driver.posture is not None
    assert not driver.posture.torque_on
    assert rig.peak() == 0.0


def test_a_mode_that_is_right_is_not_written_again() -> None:
    rig = Rig()
    rig.twin.table.set("operating_mode", 0)
    rig.ready()
    assert not any(isinstance(message, Write) and message.address == 11 for _, message in rig.sent)


def test_a_real_servo_has_no_name_and_is_called_by_model_and_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        DynamixelTwin, "_bytes_at", lambda self, address, size: (self.measure(), self.table.read(address, size))[1]
    )
    rig = Rig(model="XC330-T288", firmware=47).ready()
    assert rig.driver is not None
    assert rig.driver.identity == "XC330-T288 id 1"


@pytest.mark.parametrize(
    ("register", "value", "words"),
    [
        ("model_number", 1060, "model 1060"),
        ("firmware", 37, "firmware is 37"),
        ("status_return", 1, "status return level"),
        ("drive_mode", 1, "drive mode is 1"),
        ("drive_mode", 4, "drive mode is 4"),
        ("drive_mode", 8, "drive mode is 8"),
        ("protocol", 1, "protocol is 1"),
        ("current_limit", 0, "current limit is 0"),
        ("current_limit", 1_194, "current limit is 1194"),
        ("startup", 1, "startup configuration is 1"),
        ("startup", 2, "startup configuration is 2"),
        ("shutdown", 4, "shutdown mask is 4"),
        ("hardware_error", 0x20, "overload"),
        ("hardware_error", 0x04, "too hot"),
        ("hardware_error", 0x01, "supply voltage"),
        ("hardware_error", 0x10, "electrical"),
        ("hardware_error", 0x08, "angle sensor"),
        ("hardware_error", 0x02, "hardware error 2"),
    ],
)
def test_a_servo_that_is_not_set_as_it_must_be_is_refused(register: str, value: int, words: str) -> None:
    rig = Rig()
    rig.twin.table.set(register, value)
    rig.run(400)
    assert rig.driver is not None
    assert not rig.driver.ready
    assert any(words in cause for cause in rig.causes())
    assert all(fault.todo for fault in faults(rig.events))
    with pytest.raises(PairCheckFailed):
        rig.driver.move(assist(), rig.now_ns)
    assert rig.peak() == 0.0
    assert rig.driver.confirmed_free


def test_a_startup_configuration_is_not_asked_of_a_firmware_without_one() -> None:
    rig = Rig(firmware=44)
    rig.twin.table.set("startup", 1)
    rig.ready()
    assert Read(1, 60, 1) not in [message for _, message in rig.sent]


def test_a_servo_that_loses_its_bus_watchdog_is_refused() -> None:
    rig = Rig()
    rig.twin.suffer("lost-bus-watchdog", "", rig.now_ns)
    rig.run(300)
    assert rig.driver is not None
    assert not rig.driver.ready
    assert any("bus watchdog" in cause for cause in rig.causes())


def test_a_servo_that_is_not_there_is_reported_once_and_named_when_it_comes() -> None:
    driver = DynamixelDriver()
    first = driver.start(T0)
    assert first == off_frames(1)
    now_ns, found = T0, []
    for _ in range(40):
        now_ns = driver.next_deadline()
        data, events = driver.poll(now_ns, True)
        assert data == first
        found += events
    assert len(faults(found)) == 1
    assert "does not confirm" in faults(found)[0].cause
    assert 300 * MS <= now_ns - T0 <= 4_000 * MS
    driver.stop(now_ns)
    events = driver.feed(now_ns, encode(Status(1, 0, b"\0\0")))
    assert events == [Freed(now_ns)]
    assert said(driver.poll(now_ns, True)[0]) == [Ping(1)]
    driver.feed(now_ns, encode(Status(1, 0, b"\x06\x04\x2e")))
    driver.poll(now_ns, True)
    assert driver.feed(now_ns, encode(Status(1, 7))) == [Identified("XM430-W210 id 1", "firmware 46")]
    assert not driver.ready
    assert said(driver.rearm(now_ns)) == [Write(BROADCAST, 64, b"\0"), Read(1, 64, 2)]


@pytest.mark.parametrize("lost", range(13))
def test_one_lost_answer_in_the_set_up_is_asked_again(lost: int) -> None:
    rig = Rig()
    for _ in range(400):
        if len(rig.sent) > lost + 2 and not rig.lose and not hasattr(rig, "done"):
            rig.lose, rig.done = 1, True  # type: ignore[attr-defined]
        rig.run(1)
    assert rig.driver is not None
    assert rig.driver.ready
    assert rig.causes() == []


def test_silence_in_the_set_up_is_a_fault() -> None:
    rig = Rig()
    rig.run(3)
    rig.lose = 1_000
    rig.run(600)
    assert rig.driver is not None
    assert not rig.driver.ready
    assert "The orthosis no longer answers." in rig.causes()


# -- movement --------------------------------------------------------------------------------------------------------


def test_it_carries_the_joint_to_30_deg_at_30_deg_a_second() -> None:
    rig = Rig().ready()
    start_ms = rig.ms
    rig.move(assist()).run(2_000)
    assert 29.0 <= rig.angle <= 31.0
    assert rig.causes() == []
    arrived = next(ms for ms, angle, _ in rig.trace if angle >= 28.5)
    assert 900 <= arrived - start_ms <= 1_500
    assert max(angle for _, angle, _ in rig.trace) <= 32.0
    speeds = [
        (later[1] - now[1]) * 10 for now, later in zip(rig.trace[start_ms:], rig.trace[start_ms + 100 :], strict=False)
    ]
    assert max(speeds) <= 45.0
    assert 0.0 < rig.peak() <= CAP_MNM / 1000
    posture = rig.driver.posture if rig.driver else None
    assert posture is not None
    assert posture.torque_on
    assert abs(posture.angle_cdeg - 3_000) <= 150
    assert abs(posture.torque_mnm - 314) <= 60


@pytest.mark.parametrize("model", ["XM430-W210", "XC330-T288"])
@pytest.mark.parametrize("torque", [100, 250, 500])
def test_torque_is_never_above_what_was_admitted(model: str, torque: int) -> None:
    rig = Rig(WristPreset(), model=model, firmware=47).ready()
    rig.move(assist(torque=torque)).run(1_500)
    assert 0.9 * torque / 1000 <= rig.peak() <= torque / 1000
    assert all(entry["peak_mnm"] <= torque for entry in rig.log if entry["kind"] == "torque")
    written = [
        int.from_bytes(message.entries[0][1], "little", signed=True)
        for _, message in rig.sent
        if isinstance(message, SyncWrite) and message.address == 102
    ]
    assert written
    assert max(abs(units) * rig.twin.motor._model.torque_unm for units in written) <= torque * 1000


@settings(max_examples=12, deadline=None)
@given(
    st.integers(-4_000, 4_000),
    st.integers(500, 6_000),
    st.integers(50, 1_500),
    st.floats(0.002, 0.01),
    st.floats(0.0, 0.33),
)
def test_no_limb_gets_more_torque_than_admitted_or_is_pushed_beyond_its_range(
    target: int, speed: int, torque: int, inertia: float, gravity: float
) -> None:
    rig = Rig(WristPreset(inertia=inertia, gravity_nm=gravity)).ready()
    start = rig.angle * 100
    rig.move(assist(target, speed, torque)).run(1_200)
    assert rig.peak() <= torque / 1000
    low, high = min(start, target) - 250, max(start, target) + 250
    for (_, angle, torque_nm), (_, before, _) in zip(rig.trace[1:], rig.trace, strict=False):
        # The servo keeps a current until the next step, 20 ms later, so only what is well beyond is looked at.
        if min(angle, before) * 100 > high + 400:
            assert torque_nm <= 0.0
        if max(angle, before) * 100 < low - 400:
            assert torque_nm >= 0.0


def test_it_steps_every_20_ms_and_reads_the_posture_each_time() -> None:
    rig = Rig().ready()
    rig.move(assist())
    begin = rig.ms
    rig.run(1_000)
    reads = [ms for ms, message in rig.sent if message == Read(1, 126, 10) and ms > begin + 10]
    writes = [ms for ms, message in rig.sent if isinstance(message, SyncWrite) and ms > begin + 10]
    assert {later - now for now, later in pairwise(reads)} == {20}
    assert {later - now for now, later in pairwise(writes)} == {20}
    assert len([event for event in rig.events if isinstance(event, Moved)]) >= 45


def test_torque_goes_on_only_after_watchdog_and_zero_current_are_confirmed() -> None:
    rig = Rig().ready()
    begin = len(rig.sent)
    rig.move(assist()).run(10)
    first = [message for _, message in rig.sent[begin:] if message != POSTURE][:3]
    assert first == [Read(1, 98, 1), Write(1, 102, b"\0\0"), Write(1, 64, b"\1")]
    asked = [message for _, message in rig.sent[begin:]][:8:2]
    assert asked == [POSTURE] * 4  # in between, lest it grow too old for the guard behind a slow adapter


def test_a_watchdog_that_is_gone_before_torque_on_keeps_torque_off() -> None:
    rig = Rig().ready()
    rig.twin.table.set("bus_watchdog", 0)
    rig.move(assist()).run(300)
    assert rig.peak() == 0.0
    assert any("bus watchdog" in cause for cause in rig.causes())
    assert not [message for _, message in rig.sent if message == Write(1, 64, b"\1")]


def test_a_hold_keeps_the_joint_where_it_is_against_a_push() -> None:
    rig = Rig(angle_deg=0.0).ready()
    rig.move(hold(0)).run(300)
    rig.hinge = Wrist(WristPreset(gravity_nm=0.25, rest_deg=0.0))  # now the hand's weight hangs on it
    rig.hinge.angle = 0.0
    rig.run(700)
    assert abs(rig.angle) <= 0.7
    assert rig.twin.torque_nm() > 0.2
    assert rig.causes() == []


def test_a_hold_from_afar_comes_slowly() -> None:
    rig = Rig().ready()
    begin = rig.ms
    rig.move(hold(1_000)).run(800)
    half = next(ms for ms, angle, _ in rig.trace if angle >= 5.0)
    assert 400 <= half - begin <= 800
    rig.run(1_000)
    assert abs(rig.angle - 10.0) <= 1.0


def test_the_same_order_again_changes_nothing_and_another_turns_round() -> None:
    rig = Rig().ready()
    rig.move(assist())
    for _ in range(20):
        rig.run(40)
        rig.move(assist())
    assert 18.0 <= rig.angle <= 28.0
    rig.run(500)
    assert abs(rig.angle - 30.0) <= 1.0
    rig.move(assist(target=1_000)).run(1_300)
    assert abs(rig.angle - 10.0) <= 1.5
    assert rig.causes() == []


def posture(angle: int, speed: int = 0, t_ns: int = T0, torque: int = 0) -> Posture:
    return Posture(t_ns, angle, speed, torque, True)


@given(
    st.integers(-15_000, 15_000),
    st.integers(-15_000, 15_000),
    st.integers(1, 2_700),
    st.lists(st.tuples(st.integers(-18_000, 18_000), st.integers(-40_000, 40_000)), min_size=1, max_size=40),
)
def test_outside_the_admitted_range_nothing_pushes_further_out(
    start: int, target: int, torque: int, seen: list[tuple[int, int]]
) -> None:
    course = Course(Wish(target, 3_000, torque), T0, start)
    now_ns = T0
    for angle, speed in seen:
        now_ns += 20 * MS
        asked = course.step(now_ns, posture(angle, speed))
        assert -torque <= asked <= torque
        assert abs(course.goal_cdeg - angle) <= 1_000
        if angle >= max(start, target) + 200:
            assert asked <= 0
        if angle <= min(start, target) - 200:
            assert asked >= 0


@pytest.mark.parametrize(("start", "way"), [(16_000, 1), (-16_000, -1)])
def test_a_joint_beyond_the_devices_own_range_is_only_brought_back(start: int, way: int) -> None:
    course = Course(Wish(way * 15_000, 3_000, 1_000), T0, start)
    for step in range(50):
        asked = course.step(T0 + step * 20 * MS, posture(start, -way * 30_000 * (step % 2)))
        assert asked * way <= 0


def test_the_goal_walks_at_the_ordered_speed_and_stays_10_deg_ahead_of_a_joint_that_does_not_move() -> None:
    course = Course(Wish(6_000, 3_000, 1_000), T0, 0)
    goals = []
    for step in range(1, 31):
        course.step(T0 + step * 20 * MS, posture(0))
        goals.append(course.goal_cdeg)
    assert goals[:16] == [60 * step for step in range(1, 17)]
    assert goals[-1] == 1_000
    course.step(T0 + 10_000 * MS, posture(0))
    assert course.goal_cdeg == 1_000


# -- letting go ------------------------------------------------------------------------------------------------------


def test_it_stops_within_20_ms_of_not_alive_and_sends_nothing_that_pushes() -> None:
    for delay in range(0, 40, 3):
        rig = Rig().ready()
        rig.move(assist()).run(500 + delay)
        assert rig.twin.torque_nm() > 0.1
        rig.alive = False
        begin, sent = rig.ms, len(rig.sent)
        rig.run(400)
        assert max(ms for ms, _, torque in rig.trace if torque) <= begin + 20
        assert not [
            message
            for _, message in rig.sent[sent:]
            if not (isinstance(message, Read) or message == Write(BROADCAST, 64, b"\0"))
        ]
        assert rig.driver is not None
        assert rig.driver.confirmed_free
        assert rig.driver.ready


def test_a_release_ramps_down_and_then_torque_is_off_and_confirmed() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(1_500)
    assert rig.driver is not None
    assert not rig.driver.confirmed_free
    before, begin = rig.twin.torque_nm(), rig.ms
    rig.give(rig.driver.release(rig.now_ns, 300))
    assert not rig.driver.ready
    rig.run(100)
    assert rig.driver.release(rig.now_ns, 300) == b""  # said again: the first ramp goes on
    rig.run(300)
    course = [torque for ms, _, torque in rig.trace if ms > begin]
    assert 0.4 * before <= course[150] <= 0.6 * before
    assert all(later <= now + 1e-9 for now, later in pairwise(course))
    last = max(ms for ms, _, torque in rig.trace if torque)
    assert 240 <= last - begin <= 310
    assert rig.kinds()[-1] is Freed
    assert rig.driver.ready
    assert rig.driver.confirmed_free
    assert rig.twin.table.get("torque_enable") == 0


def test_a_release_that_is_under_way_can_be_hastened_but_not_prolonged() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(1_500)
    assert rig.driver is not None
    begin = rig.ms
    rig.give(rig.driver.release(rig.now_ns, 300))
    rig.run(90)
    assert rig.driver.release(rig.now_ns, 300) == rig.driver.release(rig.now_ns, 2_000) == b""
    assert rig.driver.release(rig.now_ns, 100) == b""
    rig.run(300)
    course = [torque for ms, _, torque in rig.trace if ms > begin]
    assert all(later <= now + 1e-9 for now, later in pairwise(course))
    assert 0.3 * course[0] <= course[140] <= 0.45 * course[0]  # half of the 0.7 that were left
    assert 170 <= max(ms for ms, _, torque in rig.trace if torque) - begin <= 195


def test_a_release_is_cut_short_when_the_lease_ends() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(1_500)
    assert rig.driver is not None
    rig.give(rig.driver.release(rig.now_ns, 1_000))
    rig.run(50)
    rig.alive = False
    begin = rig.ms
    rig.run(50)
    assert max(ms for ms, _, torque in rig.trace if torque) <= begin + 1


@pytest.mark.parametrize(("dps", "eased"), [(200.0, False), (-200.0, True), (25.0, True)])
def test_a_release_ends_at_once_when_the_joint_runs_with_the_torque(dps: float, eased: bool) -> None:
    """What still pushes then does not hold the limb up: it drives it. Against the torque, or slowly, it is eased."""
    rig = Rig().ready()
    rig.move(assist()).run(1_500)
    assert rig.driver is not None
    begin = rig.ms
    rig.give(rig.driver.release(rig.now_ns, 300))
    rig.run(50)
    rig.hinge.speed = math.radians(dps)
    rig.run(350)
    last = max(ms for ms, _, torque in rig.trace if torque)
    assert 240 <= last - begin <= 310 if eased else last - begin <= 50 + 41
    assert not faults(rig.events)
    assert rig.driver.ready
    assert rig.driver.confirmed_free


@pytest.mark.parametrize("torque", [300, -300])
def test_up_to_20_deg_s_faster_than_ordered_is_no_running_along(torque: int) -> None:
    course = Course(Wish(3_000, 3_000, CAP_MNM), T0, 0)
    sign = 1 if torque > 0 else -1
    assert not course.runs_along(torque, sign * 5_000)
    assert course.runs_along(torque, sign * 5_001)
    assert not course.runs_along(torque, -sign * 9_000)
    assert not course.runs_along(0, 9_000)


@pytest.mark.parametrize("ramp_ms", [0, -5])
def test_a_release_without_a_ramp_is_torque_off(ramp_ms: int) -> None:
    rig = Rig().ready()
    rig.move(assist()).run(800)
    assert rig.driver is not None
    rig.give(rig.driver.release(rig.now_ns, ramp_ms))
    assert rig.twin.torque_nm() == 0.0
    rig.run(20)
    assert rig.driver.ready


def test_a_stop_is_torque_off_at_once_and_needs_a_person_to_be_ready_again() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(800)
    assert rig.driver is not None
    assert rig.twin.torque_nm() > 0.1
    data = rig.driver.stop(rig.now_ns)
    assert data == off_frames(1)
    rig.give(data)
    assert rig.twin.torque_nm() == 0.0
    rig.run(200)
    assert rig.driver.confirmed_free
    assert not rig.driver.ready
    assert rig.kinds()[-1] is Freed
    with pytest.raises(PairCheckFailed):
        rig.driver.move(assist(), rig.now_ns)
    rig.give(rig.driver.rearm(rig.now_ns))
    rig.run(100)
    assert rig.driver.ready
    assert rig.kinds()[-2:] == [Freed, Ready]
    assert rig.causes() == []


@pytest.mark.parametrize("after_ms", [0, 1, 2, 5, 9, 14, 60, 61, 63, 66, 70, 90, 300])
def test_stop_is_valid_in_every_state(after_ms: int) -> None:
    rig = Rig()
    rig.run(min(after_ms, 60))
    assert rig.driver is not None
    if after_ms >= 60:
        rig.move(assist()).run(after_ms - 60)
    data = rig.driver.stop(rig.now_ns)
    assert said(data)[0] == Write(BROADCAST, 64, b"\0")
    rig.give(data)
    rig.run(150)
    assert rig.driver.confirmed_free
    assert not rig.driver.ready
    assert rig.twin.torque_nm() == 0.0
    assert rig.twin.table.get("torque_enable") == 0


def test_torque_off_is_repeated_until_a_read_confirms_it() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(400)
    assert rig.driver is not None
    rig.driver.stop(rig.now_ns)  # this one is lost on its way
    rig.lose = 3
    rig.run(100)
    assert rig.driver.confirmed_free
    assert rig.twin.torque_nm() == 0.0


def test_an_answer_from_before_torque_off_confirms_nothing() -> None:
    rig = Rig().ready()
    driver = rig.driver
    assert driver is not None
    driver._open = None
    driver._health, driver._health_ns = 2, 0
    driver._due_ns = rig.now_ns + 10 * MS
    assert said(driver.poll(rig.now_ns, True)[0]) == [Read(1, 64, 2)]
    driver.stop(rig.now_ns)
    assert driver.feed(rig.now_ns, encode(Status(1, 0, b"\0\0"))) == []
    assert not driver.confirmed_free
    assert said(driver.poll(rig.now_ns, True)[0]) == [Write(BROADCAST, 64, b"\0"), Read(1, 64, 2)]
    assert driver.feed(rig.now_ns, encode(Status(1, 0, b"\0\0"))) == [Freed(rig.now_ns)]


def test_a_servo_that_stays_on_is_told_off_again_and_again() -> None:
    driver = DynamixelDriver()
    driver.start(T0)
    now_ns, found, sent = T0, [], 0
    for _ in range(40):
        found += driver.feed(now_ns, encode(Status(1, 0, b"\1\0")))
        now_ns = max(now_ns, driver.next_deadline())
        data, events = driver.poll(now_ns, True)
        sent += data == off_frames(1)
        found += events
    assert sent == 40
    assert len(faults(found)) == 1
    assert not driver.confirmed_free


@pytest.mark.parametrize("torque_drops", [False, True])
def test_after_the_drivers_death_the_bus_watchdog_ends_the_torque(torque_drops: bool) -> None:
    rig = Rig(torque_drops=torque_drops).ready()
    rig.move(assist()).run(700)
    assert rig.twin.torque_nm() > 0.1
    rig.driver = None
    begin = rig.ms
    rig.run(500)
    assert 60 <= max(ms for ms, _, torque in rig.trace if torque) - begin <= 100
    # Whether torque stays enabled after the trip is not known; in current control nothing pushes either way.
    assert rig.twin.table.get("torque_enable") == int(not torque_drops)
    assert rig.twin.table.get("bus_watchdog") == 255


def test_a_new_driver_on_the_old_servo_restarts_nothing() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(700)
    rig.driver = DynamixelDriver()
    begin = rig.ms
    rig.give(rig.driver.start(rig.now_ns))
    rig.run(500)
    assert rig.driver.ready
    assert rig.peak(begin) == 0.0
    assert rig.twin.table.get("bus_watchdog") == 5


# -- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("overload", "overload"),
        ("overheat", "too hot"),
        ("stuck-joint", "does not follow"),
        ("slow-joint", "does not follow"),
        ("lost-bus-watchdog", "bus watchdog"),
        ("low-battery", "voltage"),
        ("reset", "60 ms"),
    ],
)
@pytest.mark.parametrize("moving", [True, False], ids=["moving", "idle"])
def test_every_fault_of_the_servo_ends_in_a_clear_state(fault: str, words: str, moving: bool) -> None:
    rig = Rig().ready()
    if moving:
        rig.move(assist(target=4_000)).run(600)
    assert rig.twin.suffer(fault, "", rig.now_ns)
    begin = rig.ms
    rig.run(2_500)
    assert rig.driver is not None
    assert rig.twin.torque_nm() == 0.0
    assert rig.driver.confirmed_free
    if not moving and fault in ("stuck-joint", "slow-joint"):
        assert rig.driver.ready
        return
    if not moving and fault == "reset":
        words = "watchdog"
    assert any(words in cause for cause in rig.causes()), rig.causes()
    assert all(fault.todo for fault in faults(rig.events))
    assert len(rig.causes()) == len(set(rig.causes())) <= 3
    assert not rig.driver.ready
    assert rig.peak() <= CAP_MNM / 1000 or fault in ("stuck-joint", "slow-joint")
    if moving:
        assert max(ms for ms, _, torque in rig.trace if torque) - begin <= 1_600


def test_after_a_fault_that_is_gone_a_person_can_make_it_ready_again() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(300)
    rig.twin.suffer("overload", "", rig.now_ns)
    rig.run(300)
    assert rig.driver is not None
    rig.give(rig.driver.rearm(rig.now_ns))
    rig.run(200)
    assert not rig.driver.ready
    assert rig.causes().count("The orthosis reports an overload.") == 2
    rig.twin.suffer("reset", "", rig.now_ns)  # power off and on
    rig.run(400)
    rig.give(rig.driver.rearm(rig.now_ns))
    rig.run(200)
    assert rig.driver.ready
    rig.move(assist()).run(1_500)
    assert abs(rig.angle - 30.0) <= 1.0


def test_a_joint_that_moves_against_the_order_is_let_go() -> None:
    rig = Rig(angle_deg=0.0).ready()
    rig.move(assist()).run(500)
    rig.hinge = Wrist(WristPreset(gravity_nm=0.0, rest_deg=-150.0, stiffness=1.2))
    rig.hinge.angle = math.radians(10.0)
    rig.run(400)
    assert any("against" in cause or "faster" in cause for cause in rig.causes())
    assert rig.driver is not None
    assert rig.driver.confirmed_free


def test_a_servo_that_pushes_harder_than_ordered_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig().ready()
    rig.move(assist(torque=100)).run(300)
    monkeypatch.setattr(rig.twin.motor, "_wanted", lambda elapsed_s: 70)
    begin = rig.ms
    rig.run(300)
    assert rig.causes() == ["The orthosis pushes harder than was ordered."]
    assert max(ms for ms, _, torque in rig.trace if torque) - begin <= 100


def test_a_thrown_joint_is_let_go() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(500)
    for _ in range(10):
        rig.hinge.speed = math.radians(250.0)
        rig.run(10)
    assert any("faster" in cause for cause in rig.causes())
    assert rig.driver is not None
    assert not rig.driver.ready


def test_a_spasm_at_full_torque_is_not_pushed_harder() -> None:
    rig = Rig().ready()
    rig.move(assist(torque=400)).run(600)
    angle = rig.hinge.angle
    rig.hinge = Wrist(WristPreset(gravity_nm=0.0, rest_deg=-25.0, stiffness=1.2, damping=0.6))
    rig.hinge.angle = angle
    begin = rig.ms
    rig.run(1_500)
    assert any("does not follow" in cause for cause in rig.causes())
    assert rig.peak(begin) <= 0.4
    assert rig.twin.torque_nm() == 0.0


def test_a_silent_servo_while_moving_is_a_fault_within_60_ms() -> None:
    rig = Rig().ready()
    rig.move(assist()).run(500)
    rig.lose = 10_000
    begin = rig.ms
    rig.run(100)
    assert rig.causes() == ["The angle of the joint was not reported for 60 ms while the orthosis moved it."]
    assert max(ms for ms, _, torque in rig.trace if torque) - begin <= 62
    rig.run(500)
    assert "The orthosis does not confirm that its torque is off." in rig.causes()


def test_one_lost_answer_while_moving_is_no_fault() -> None:
    rig = Rig().ready()
    rig.move(assist())
    for _ in range(12):
        rig.run(95)
        rig.lose = 1
    rig.run(600)
    assert rig.causes() == []
    assert abs(rig.angle - 30.0) <= 1.0


def test_a_silent_servo_while_idle_is_a_fault() -> None:
    rig = Rig().ready()
    rig.lose = 10_000
    rig.run(400)
    assert rig.causes()[0] == "The orthosis no longer answers."
    assert rig.driver is not None
    assert not rig.driver.ready


def test_torque_that_nobody_ordered_is_a_fault() -> None:
    rig = Rig().ready()
    rig.twin.table.set("torque_enable", 1)
    rig.run(700)
    assert any("although nothing was ordered" in cause for cause in rig.causes())
    assert rig.twin.table.get("torque_enable") == 0


def test_idle_posture_stays_younger_than_the_guard_demands() -> None:
    rig = Rig().ready()
    for _ in range(1_200):
        rig.run(1)
        assert rig.driver is not None
        assert rig.driver.posture is not None
        assert rig.now_ns - rig.driver.posture.t_ns <= 55 * MS


# -- tickets and the gate --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order",
    [
        Renew(1, T0, T0 + MS),
        Deliver(1, T0, T0 + MS, Purpose.ASSIST, ()),
        Free(1, T0),
        Assist(1, T0, T0, 3_000, 3_000, 0),
        Assist(1, T0, T0, 3_000, 3_000, -5),
        Assist(1, T0, T0, 3_000, 3_000, 4),
        Assist(1, T0, T0, 3_000, 3_000, 2_705),
        Assist(1, T0, T0, 3_000, 0, 500),
        Assist(1, T0, T0, 3_000, -3_000, 500),
        Assist(1, T0, T0, 3_000, 30_001, 500),
        Assist(1, T0, T0, 15_001, 3_000, 500),
        Assist(1, T0, T0, -15_001, 3_000, 500),
        Assist(1, T0, T0, 3_000, 3_000, True),
        Assist(1, T0, T0, float("nan"), 3_000, 500),  # type: ignore[arg-type]
        Assist(1, T0, T0, 3_000.0, 3_000, 500),  # type: ignore[arg-type]
        Hold(1, T0, T0, 0, float("nan")),  # type: ignore[arg-type]
        Hold(1, T0, T0, 16_000, 500),
        None,
    ],
    ids=repr,
)
def test_an_order_that_cannot_be_said_exactly_is_refused_and_nothing_is_written(order: Any) -> None:
    rig = Rig().ready()
    assert rig.driver is not None
    with pytest.raises(PairCheckFailed):
        rig.driver.move(ticket(order), rig.now_ns)
    sent = len(rig.sent)
    rig.run(100)
    assert all(isinstance(message, Read) for _, message in rig.sent[sent:])
    assert rig.driver.confirmed_free


PERMITS = (
    Permit(1),
    Permit(1, idle=True),
    Permit(1, push=True),
    Permit(1, units=100),
    Permit(1, idle=True, push=True, units=1_000),
)
TORQUE_OFF = Write(1, 64, b"\0")


@pytest.mark.parametrize("permit", PERMITS, ids=repr)
def test_torque_off_is_never_refused(permit: Permit) -> None:
    for id in (0, 1, 2, 252, BROADCAST):
        assert frame(Write(id, 64, b"\0"), permit)
        assert frame(SyncWrite(64, 1, ((1, b"\0"), (2, b"\0"))), permit)


@pytest.mark.parametrize("permit", PERMITS, ids=repr)
def test_every_other_instruction_is_denied(permit: Permit) -> None:
    denied = [
        RegWrite(1, 64, b"\0"),
        RegWrite(1, 102, b"\0\0"),
        Action(1),
        Action(BROADCAST),
        FactoryReset(1, 0xFF),
        FactoryReset(1, 1),
        Reboot(1),
        Clear(1, b"\x01DXL\x22"),
        SyncRead(126, 10, (1,)),
        FastSyncRead(126, 10, (1,)),
        BulkRead(((1, 126, 10),)),
        FastBulkRead(((1, 126, 10),)),
        BulkWrite(((1, 64, b"\0"),)),
        Status(1),
        Ping(2),
        Ping(BROADCAST),
        Read(2, 64, 2),
        None,
        b"\xff\xff\xfd\x00",
    ]
    assert {type(message) for message in denied} >= set(INSTRUCTIONS) - {Write, SyncWrite}
    for message in denied:
        with pytest.raises(PairCheckFailed):
            frame(message, permit)


@pytest.mark.parametrize("permit", PERMITS, ids=repr)
def test_every_register_but_the_listed_is_denied(permit: Permit) -> None:
    passed = set()
    for address, size in product(range(160), range(1, 5)):
        for value in (0, 1, 3, 5, 50, 255):
            data = value.to_bytes(size, "little")
            for message in (Write(1, address, data), SyncWrite(address, size, ((1, data),))):
                try:
                    frame(message, permit)
                except PairCheckFailed:
                    continue
                passed.add((address, size, value))
    allowed = {(64, 1, 0), (102, 2, 0)}
    if permit.idle:
        allowed |= {(11, 1, 0), (98, 1, 0), (98, 1, 5)}
    if permit.push:
        allowed.add((64, 1, 1))
    allowed |= {(102, 2, value) for value in (1, 3, 5, 50, 255) if value <= permit.units}
    assert passed == allowed


def test_goal_current_is_bounded_both_ways_and_for_the_right_servo_only() -> None:
    permit = Permit(1, units=100)
    for units in (-100, 100):
        assert frame(unanswered(1, "goal_current", units), permit)
    for units in (-101, 101, 32_767, -32_768):
        with pytest.raises(PairCheckFailed):
            frame(unanswered(1, "goal_current", units), permit)
    for id in (2, BROADCAST):
        with pytest.raises(PairCheckFailed):
            frame(write(id, "goal_current", 10), permit)
    with pytest.raises(PairCheckFailed):
        frame(SyncWrite(102, 2, ((1, b"\1\0"), (2, b"\1\0"))), permit)


ENCODER_DEFECTS = {
    "current": lambda message: unanswered(1, "goal_current", 1_000),
    "sign": lambda message: unanswered(1, "goal_current", -30_000),
    "id": lambda message: SyncWrite(102, 2, ((2, b"\1\0"),)),
    "register": lambda message: SyncWrite(100, 2, message.entries),
    "another message": lambda message: Reboot(1),
}


@pytest.mark.parametrize("defect", ENCODER_DEFECTS)
def test_pair_check_catches_an_encoder_that_says_something_else(defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig().ready()
    assert rig.driver is not None
    monkeypatch.setattr(dynamixel_gate, "encode", lambda message: encode(ENCODER_DEFECTS[defect](message)))
    with pytest.raises(PairCheckFailed):
        rig.driver.move(assist(), rig.now_ns)


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: data[:-1] + b"\x7e", renumbered]
)
def test_pair_check_catches_damaged_bytes(spoil: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig().ready()
    assert rig.driver is not None
    monkeypatch.setattr(dynamixel_gate, "encode", lambda message: spoil(encode(message)))
    with pytest.raises(PairCheckFailed):
        rig.driver.move(assist(), rig.now_ns)


def test_an_encoder_that_fails_in_the_middle_of_a_movement_is_a_fault_and_torque_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig().ready()
    rig.move(assist()).run(400)

    def wrong(message: Any) -> bytes:
        return encode(unanswered(1, "goal_current", 1_100) if isinstance(message, SyncWrite) else message)

    monkeypatch.setattr(dynamixel_gate, "encode", wrong)
    rig.run(100)
    assert rig.causes() == ["A movement's next step did not pass the program's own check."]
    assert rig.twin.torque_nm() == 0.0
    assert rig.peak() <= CAP_MNM / 1000


# -- bytes -----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.binary(max_size=20).map(lambda d: encode(Status(1, 0, d)))), max_size=12
    )
)
def test_whatever_arrives_nothing_is_raised_and_nothing_pushes(chunks: list[bytes]) -> None:
    driver = DynamixelDriver()
    driver.start(T0)
    now_ns = T0
    for chunk in chunks:
        driver.feed(now_ns, chunk)
        now_ns += 5 * MS
        for message in said(driver.poll(now_ns, False)[0]):
            assert not (isinstance(message, Write) and message.address in (64, 102) and any(message.data))
            assert not isinstance(message, SyncWrite)


def test_answers_of_others_and_to_nothing_are_counted_and_an_echo_is_not() -> None:
    rig = Rig().ready()
    driver = rig.driver
    assert driver is not None
    driver.feed(rig.now_ns, encode(Status(2, 0, b"\0\0")))
    assert driver.wire_faults == 1
    driver.feed(rig.now_ns, encode(Read(1, 126, 10)))
    assert driver.wire_faults == 1
    rig.run(2)
    driver._open = None
    driver.feed(rig.now_ns, encode(Status(1, 0, bytes(5))))
    assert driver.wire_faults == 2
    driver.feed(rig.now_ns, b"\x00\x01")
    assert driver.wire_faults == 3
    assert rig.causes() == []


def test_the_kind_is_in_the_registry_and_says_what_matters() -> None:
    kind = orthosis("dynamixel")
    assert kind is DYNAMIXEL
    assert kind.limits == DYNAMIXEL_LIMITS
    assert (kind.line.baud, kind.capabilities.watchdog_ms) == (1_000_000, 100)
    assert not kind.capabilities.emergency_stop_input
    assert "power" in kind.capabilities.break_circuit
    assert kind.resembles(encode(Status(1, 0, b"\x06\x04\x2e")))
    assert {register.name for register in REGISTERS} >= {"goal_current"}
    assert REGISTER["goal_current"].size == 2
    assert STATUS == 0x55
