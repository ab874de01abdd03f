"""The RehaMove3's driver by hand and with its twin, and what happens when the other ScienceMode unit is on the port.

What the body does for every unit (window, belief, stop, pair check) is tested in test_p24_driver.py.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.drivers.ports import LineSettings
from controller.drivers.stimulators.events import Confirmed, Identified, PairCheckFailed, Ready, UnitFault, UnitWarning
from controller.drivers.stimulators.kind import stimulator
from controller.drivers.stimulators.p24 import P24Driver
from controller.drivers.stimulators.p24_low import P24LowDriver
from controller.drivers.stimulators.rehamove3 import REHAMOVE3, REHAMOVE3_LIMITS, REHAMOVE3_PROFILE, RehaMove3Driver
from controller.drivers.stimulators.sciencemode_orders import checked_update
from controller.wire.errors import LocalError
from controller.wire.sciencemode import p24
from controller.wire.sciencemode.frame import Frame, Framer, parse
from controller.wire.sciencemode.messages import (
    Ack,
    BatteryStatus,
    ChannelReport,
    DeviceId,
    ExtendedVersion,
    GetBatteryStatus,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    LlStop,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    RunReport,
    VersionMain,
)
from controller.wire.sciencemode.rehamove3 import CATALOGUE, decode_request, encode
from safety.orders import Admitted, Deliver, Purpose, Token
from safety.stimulus import Point, Train, biphasic
from sim.devices.p24 import P24Twin
from sim.devices.rehamove3 import RehaMove3Twin

SERVER = json.loads((Path(__file__).parents[1] / "data" / "sciencemode3_rehamove3.json").read_text())
CASES = [pytest.param(case, id=case["case"]) for case in SERVER["server_accept_reject"]]
MS = 1_000_000
T0 = 1_000_000_000
TRAIN = biphasic(1, 20_000, 250, 100, 29_000)
TOKEN = Token()
HANDSHAKE = (DeviceId(0, "SIM0RM3001"), VersionMain(0, (2, 1, 16), (3, 2, 4)), BatteryStatus(0, 87, 3_951), Ack(31))


def ticket(*trains: Train) -> Admitted:
    return Admitted(TOKEN, 1, T0, Deliver(1, T0, T0 + 120 * MS, Purpose.ASSIST, trains))


def said(data: bytes) -> list[tuple[int, Any]]:
    """What bytes to the unit say: (packet number, request)."""
    framer = Framer()
    found = []
    for frame in framer.feed(data):
        assert isinstance(frame, Frame)
        found.append((frame.packet_number, decode_request(frame)))
    assert framer.feed(b"") == []
    return found


def faults(events: Iterable[object]) -> list[UnitFault]:
    return [event for event in events if isinstance(event, UnitFault)]


def warnings(events: Iterable[object]) -> list[UnitWarning]:
    return [event for event in events if isinstance(event, UnitWarning)]


def handshake(driver: RehaMove3Driver, *answers: Any) -> tuple[list[Any], list[object]]:
    """Answer the driver's questions one after the other; gives the questions and the events."""
    asked, events = [], []
    for answer in answers:
        ((number, request),) = said(driver.poll(T0, True)[0])
        asked.append(request)
        events += driver.feed(T0, encode(number, answer))
    return asked, events


def stopped_driver() -> RehaMove3Driver:
    """A driver that is about to ask its first question."""
    driver = RehaMove3Driver()
    driver.start(T0)
    driver.feed(T0, encode(62, Ack(33, 7)) + encode(63, Ack(35)))
    return driver


def ready_driver() -> RehaMove3Driver:
    driver = stopped_driver()
    handshake(driver, *HANDSHAKE)
    assert driver.ready
    return driver


def deliver_and_ack(driver: RehaMove3Driver, *trains: Train) -> list[object]:
    """Deliver; the unit takes the update and reports that it runs."""
    events: list[object] = []
    for number, request in said(driver.deliver(ticket(*trains), T0)):
        answer = Ack(33) if type(request) is MlUpdate else RunReport(0, 2, True, 0)
        events += driver.feed(T0, encode(number, answer))
    return events


# -- handshake -------------------------------------------------------------------------------------------------------


def test_a_connection_begins_with_a_stop_then_asks_name_version_battery_and_ends_ready() -> None:
    driver = RehaMove3Driver()
    assert said(driver.start(T0)) == [(62, MlUpdate()), (63, MlStop()), (62, LlStop())]
    assert driver.feed(T0, encode(62, Ack(33, 7)) + encode(63, Ack(35))) == [Confirmed(T0, ())]
    asked, events = handshake(driver, *HANDSHAKE)
    assert asked == [GetDeviceId(), GetVersionMain(), GetBatteryStatus(), MlInit(stop_on_all_errors=False)]
    assert events == [Identified("SIM0RM3001"), Ready()]
    assert (driver.version, driver.battery_percent, driver.wire_faults) == ("2.1.16", 87, 0)


def test_kind_and_limits_are_those_of_the_documents() -> None:
    assert stimulator("rehamove3") is REHAMOVE3
    assert REHAMOVE3.line == LineSettings(baud=3_000_000, stop_bits=2, rts_cts=True)
    assert REHAMOVE3.usb == ((0x0403, 0x6001),)
    most = REHAMOVE3_LIMITS
    assert (most.name, most.channels, most.amplitude_ua_max, most.amplitude_step_ua) == ("RehaMove3", 4, 130_000, 500)
    assert (most.pulse_width_us_min, most.pulse_width_us_max, most.points_max, most.overhead_us) == (20, 4_095, 16, 330)
    assert (most.period_us_min, most.period_us_max, most.period_step_us) == (500, 16_383_000, 500)
    able = REHAMOVE3.capabilities
    assert (able.battery, able.emergency_stop_input, able.watchdog_ms, able.electrode_test_ua_min) == (
        True,
        False,
        2_000,
        15_000,
    )


@pytest.mark.parametrize("step", range(4))
def test_silence_in_the_handshake_is_a_fault(step: int) -> None:
    driver = stopped_driver()
    handshake(driver, *HANDSHAKE[:step])
    driver.poll(T0, True)
    late_ns = driver.next_deadline()
    assert late_ns == T0 + (250 if step == 3 else 100) * MS
    assert driver.poll(late_ns - 1, True) == (b"", [])
    data, events = driver.poll(late_ns, True)
    assert (data, len(faults(events))) == (b"", 1)


# -- battery ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("percent", [0, 9, 101, 255])
def test_a_battery_that_is_low_or_impossible_is_a_fault_before_the_unit_is_initialised(percent: int) -> None:
    driver = stopped_driver()
    _, events = handshake(driver, *HANDSHAKE[:2], BatteryStatus(0, percent, 3_500))
    (fault,) = faults(events)
    assert f"at {percent} %" in fault.cause
    assert fault.todo.endswith("arm again.")
    assert not driver.ready
    assert driver.poll(driver.next_deadline(), True) != (b"", [])


def test_ten_percent_are_enough() -> None:
    driver = stopped_driver()
    _, events = handshake(driver, *HANDSHAKE[:2], BatteryStatus(0, 10, 3_500), Ack(31))
    assert events[-1] == Ready()


def test_every_rearm_asks_after_the_battery_again() -> None:
    driver = ready_driver()
    driver.stop(T0)
    driver.feed(T0, encode(63, Ack(35)))
    ((number, request),) = said(driver.rearm(T0))
    assert request == GetBatteryStatus()
    (fault,) = faults(driver.feed(T0, encode(number, BatteryStatus(0, 9, 3_400))))
    assert "needs at least 10 %" in fault.cause
    assert said(driver.rearm(T0)) == [(62, MlUpdate()), (63, MlStop()), (62, LlStop())]
    driver.feed(T0, encode(63, Ack(35)))
    asked, events = handshake(driver, BatteryStatus(0, 60, 3_900), Ack(31))
    assert asked == [GetBatteryStatus(), MlInit(False)]
    assert events == [Ready()]


def run_ready(driver: RehaMove3Driver, percent: int, until_ns: int, running: bool) -> tuple[list[int], list[object]]:
    """A unit that answers everything at once; gives when the battery was asked after, in ms, and the events."""
    times, events = [], []
    while driver.ready and driver.next_deadline() <= until_ns:
        now_ns = driver.next_deadline()
        data, found = driver.poll(now_ns, True)
        events += found
        for number, request in said(data):
            if request == GetBatteryStatus():
                times.append((now_ns - T0) // MS)
                answer: Any = BatteryStatus(0, percent, 3_600)
            else:
                assert request == MlGetCurrentData(2)
                answer = RunReport(0, 2, running, 0)
            events += driver.feed(now_ns, encode(number, answer))
    return times, events


def test_the_battery_is_asked_after_every_30_s_beside_the_keep_alive() -> None:
    driver = ready_driver()
    times, events = run_ready(driver, 50, T0 + 95_000 * MS, running=False)
    assert times == [30_000, 60_000, 90_000]
    assert events == []
    assert driver.battery_percent == 50


def test_a_battery_that_becomes_low_in_use_is_a_warning_once_and_output_goes_on() -> None:
    driver = ready_driver()
    deliver_and_ack(driver, TRAIN)
    _, events = run_ready(driver, 9, T0 + 95_000 * MS, running=True)
    (warning,) = warnings(events)
    assert "down to 9 %" in warning.cause
    assert faults(events) == []
    assert driver.ready
    _, events = run_ready(driver, 8, T0 + 130_000 * MS, running=True)
    assert len(warnings(events)) == 1


def test_a_battery_that_becomes_low_before_anything_was_delivered_is_a_fault() -> None:
    driver = ready_driver()
    _, events = run_ready(driver, 9, T0 + 40_000 * MS, running=False)
    assert len(faults(events)) == 1
    assert not driver.ready


def test_a_lost_answer_about_the_battery_is_no_fault() -> None:
    driver = ready_driver()
    now_ns, kinds = T0, []
    while now_ns < T0 + 35_000 * MS:
        now_ns = driver.next_deadline()
        data, events = driver.poll(now_ns, True)
        assert events == []
        for number, request in said(data):
            kinds.append(type(request))
            if type(request) is MlGetCurrentData:
                driver.feed(now_ns, encode(number, RunReport(0, 2, False, 0)))
    assert kinds.count(GetBatteryStatus) == 1
    assert driver.ready


# -- updates and reports ---------------------------------------------------------------------------------------------


def test_an_update_is_probed_with_selection_2_and_confirmed() -> None:
    driver = ready_driver()
    (number, update), (probe, question) = said(driver.deliver(ticket(TRAIN, biphasic(4, 5_000, 200, 0, 20_000)), T0))
    assert [entry.channel for entry in update.channels] == [0, 3]
    assert not update.soft_start
    assert question == MlGetCurrentData(2)
    assert driver.feed(T0, encode(number, Ack(33))) == []
    assert driver.feed(T0, encode(probe, RunReport(0, 2, True, 0))) == [Confirmed(T0, ((1, 20_000), (4, 5_000)))]
    assert driver.outputs() == ((1, 20_000, 20_000, ""), (4, 5_000, 5_000, ""))


@pytest.mark.parametrize("case", CASES)
def test_the_pair_check_holds_the_vendors_verdict_and_our_own_limit(case: dict[str, Any]) -> None:
    frame = parse(bytes.fromhex(case["hex"]))
    assert isinstance(frame, Frame)
    update = decode_request(frame)
    trains = tuple(
        Train(entry.channel + 1, tuple(Point(*point) for point in entry.points), entry.period_us)
        for entry in update.channels
    )
    balanced = all(train.net_charge_pc == 0 for train in trains)
    peak_ua = max(train.amplitude_ua for train in trains)
    wanted = case["accepted_by_vendor_server_decoder"] and balanced and peak_ua <= 130_000
    try:
        data, outputs, _ = checked_update(1, trains, {}, REHAMOVE3_PROFILE)
    except PairCheckFailed:
        assert not wanted
        return
    assert wanted
    if outputs:  # a train without current is left out, which is off
        assert data == bytes.fromhex(case["hex"])


@pytest.mark.parametrize(
    "train",
    [
        biphasic(5, 20_000, 250, 0, 29_000),
        biphasic(0, 20_000, 250, 0, 29_000),
        biphasic(1, 130_500, 250, 0, 29_000),
        biphasic(1, 20_000, 200, 0, 500),
        biphasic(1, 20_250, 250, 0, 29_000),
        biphasic(1, 20_000, 250, 0, 28_250),
        Train(1, (Point(250, 20_000),), 29_000),
    ],
)
def test_an_order_that_this_unit_cannot_carry_out_is_refused(train: Train) -> None:
    driver = ready_driver()
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(train), T0)
    assert driver.outputs() == ()


def test_an_encoder_that_sets_the_soft_start_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = ready_driver()
    monkeypatch.setattr(CATALOGUE, "encode", lambda number, update: encode(number, update._replace(soft_start=True)))
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(TRAIN), T0)


@pytest.mark.parametrize("channel", [1, 2, 3, 4])
def test_the_bit_of_a_channel_is_its_electrode(channel: int) -> None:
    driver = ready_driver()
    (number, _), (probe, _) = said(driver.deliver(ticket(TRAIN._replace(channel=channel)), T0))
    driver.feed(T0, encode(number, Ack(33)))
    (fault,) = faults(driver.feed(T0, encode(probe, RunReport(0, 2, False, 1 << channel - 1))))
    assert f"electrode on channel {channel} " in fault.cause
    assert driver.outputs()[0][3] == "electrode"


@pytest.mark.parametrize("running", [True, False])
def test_a_unit_that_runs_otherwise_than_ordered_is_a_fault(running: bool) -> None:
    driver = ready_driver()
    if not running:
        (number, _), (probe, _) = said(driver.deliver(ticket(TRAIN), T0))
        driver.feed(T0, encode(number, Ack(33)))
        (fault,) = faults(driver.feed(T0, encode(probe, RunReport(0, 2, False, 0))))
        assert fault.cause == "The unit runs no channel, ordered was channel 1."
    else:
        ((probe, _),) = said(driver.poll(driver.next_deadline(), True)[0])
        (fault,) = faults(driver.feed(T0, encode(probe, RunReport(0, 2, True, 0))))
        assert fault.cause == "The unit runs some channel, ordered was no channel."


def test_a_p24s_report_is_no_answer_of_this_unit() -> None:
    driver = ready_driver()
    (_, _), (probe, _) = said(driver.deliver(ticket(TRAIN), T0))
    assert driver.feed(T0, p24.encode(probe, ChannelReport(0, 1))) == []
    assert driver.wire_faults == 1
    with pytest.raises(LocalError):
        encode(probe, ChannelReport(0, 1))


@pytest.mark.parametrize("result", range(1, 30))
def test_every_result_code_of_an_update_is_a_fault_that_never_speaks_of_the_p24(result: int) -> None:
    driver = ready_driver()
    (number, _), _ = said(driver.deliver(ticket(TRAIN._replace(channel=2)), T0))
    (fault,) = faults(driver.feed(T0, encode(number, Ack(33, result))))
    assert fault.cause.endswith(".")
    assert fault.todo.endswith((".", "?"))
    assert "P24" not in fault.todo + fault.cause
    assert "{" not in fault.todo + fault.cause
    assert "2.4 A" not in fault.todo


@settings(max_examples=60)
@given(
    st.lists(
        st.binary(max_size=40)
        | st.builds(
            encode,
            st.integers(0, 63),
            st.builds(Ack, st.sampled_from([1, 5, 31, 33, 35, 59, 66, 67]), st.integers(0, 255))
            | st.builds(RunReport, st.integers(0, 3), st.just(2), st.booleans(), st.integers(0, 15))
            | st.builds(BatteryStatus, st.integers(0, 1), st.integers(0, 255), st.integers(0, 65_535)),
        )
    )
)
def test_whatever_a_unit_sends_the_driver_does_not_raise_and_can_be_stopped(chunks: list[bytes]) -> None:
    driver = ready_driver()
    driver.deliver(ticket(TRAIN), T0)
    for step, chunk in enumerate(chunks):
        driver.feed(T0 + step * MS, chunk)
        driver.poll(T0 + step * MS, True)
    assert said(driver.stop(T0)) == [(62, MlUpdate()), (63, MlStop())]
    assert not driver.ready


# -- together with the twin ------------------------------------------------------------------------------------------


class Pair:
    """Driver and twin joined in memory on one clock."""

    def __init__(self, driver: Any, twin: Any) -> None:
        self.driver = driver
        self.twin = twin
        self.now_ns = T0
        self.events: list[object] = []
        self.write(driver.start(T0))

    def write(self, data: bytes) -> None:
        self.events += self.driver.feed(self.now_ns, self.twin.feed(self.now_ns, data))

    def run(self, ms: int, alive: bool = True) -> None:
        until_ns = self.now_ns + ms * MS
        while (due_ns := min(self.twin.next_deadline(), self.driver.next_deadline())) <= until_ns:
            self.now_ns = max(self.now_ns, due_ns)
            self.events += self.driver.feed(self.now_ns, self.twin.advance(self.now_ns))
            data, events = self.driver.poll(self.now_ns, alive)
            self.events += events
            self.write(data)
        self.now_ns = until_ns
        self.twin.advance(until_ns)


@pytest.fixture
def log() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def pair(log: list[dict[str, Any]]) -> Pair:
    joined = Pair(RehaMove3Driver(), RehaMove3Twin(log=log.append))
    joined.run(200)
    assert joined.driver.ready
    return joined


def test_with_the_twin_a_burst_is_delivered_confirmed_and_released(pair: Pair) -> None:
    for step in range(20):
        pair.write(pair.driver.deliver(ticket(biphasic(1, 500 * (step + 1), 250, 0, 29_000)), pair.now_ns))
        pair.run(20)
    pair.run(1_000)
    assert pair.driver.outputs() == ((1, 10_000, 10_000, ""),)
    pair.write(pair.driver.release(pair.now_ns))
    assert pair.driver.confirmed_zero
    assert pair.driver.ready
    assert pair.twin.drive() == ()
    pair.run(40_000)
    assert faults(pair.events) == []
    assert pair.driver.wire_faults == 0


def test_with_the_twin_nothing_keeps_the_unit_running_without_a_lease(pair: Pair, log: list[dict[str, Any]]) -> None:
    pair.write(pair.driver.deliver(ticket(TRAIN), pair.now_ns))
    started_ns = pair.now_ns
    pair.run(5_000, alive=False)
    (train,) = [entry for entry in log if entry["kind"] == "train"]
    assert train["t_end_ns"] < started_ns + 2_000 * MS


@pytest.mark.parametrize("channel", [1, 2, 3, 4])
def test_with_the_twin_a_lost_electrode_stops_everything_and_says_which(pair: Pair, channel: int) -> None:
    pair.write(pair.driver.deliver(ticket(*(TRAIN._replace(channel=number) for number in (1, 2, 3, 4))), pair.now_ns))
    pair.run(300)
    pair.twin.suffer("electrode-off", str(channel), pair.now_ns)
    pair.run(500)
    (fault,) = faults(pair.events)
    assert f"electrode on channel {channel} " in fault.cause
    assert pair.twin.drive() == ()
    pair.write(pair.driver.stop(pair.now_ns))
    pair.run(200)
    pair.twin.suffer("electrode-off", f"{channel} ok", pair.now_ns)
    pair.write(pair.driver.rearm(pair.now_ns))
    pair.run(200)
    assert pair.driver.ready


def test_with_the_twin_a_low_battery_keeps_the_unit_from_being_armed(pair: Pair) -> None:
    pair.write(pair.driver.stop(pair.now_ns))
    pair.run(200)
    pair.twin.suffer("low-battery", "", pair.now_ns)
    pair.write(pair.driver.rearm(pair.now_ns))
    pair.run(200)
    (fault,) = faults(pair.events)
    assert "at 5 %" in fault.cause
    pair.write(pair.driver.stop(pair.now_ns))
    pair.twin.suffer("low-battery", "ok", pair.now_ns)
    pair.run(1_000)
    pair.write(pair.driver.rearm(pair.now_ns))
    pair.run(300)
    assert pair.driver.ready


def test_with_the_twin_a_battery_that_runs_low_in_use_is_told(pair: Pair) -> None:
    pair.write(pair.driver.deliver(ticket(TRAIN), pair.now_ns))
    pair.twin.suffer("low-battery", "7", pair.now_ns)
    pair.run(31_000)
    assert [warning.cause for warning in warnings(pair.events)] == ["The unit's battery is down to 7 %."]
    assert pair.twin.drive() != ()
    assert faults(pair.events) == []


def test_with_the_twin_a_stop_while_the_unit_is_busy_is_confirmed_when_it_is_done(pair: Pair) -> None:
    pair.write(pair.driver.stop(pair.now_ns))  # 40 ms for the high voltage
    pair.run(10)
    pair.write(pair.driver.stop(pair.now_ns))
    pair.write(pair.driver.rearm(pair.now_ns))
    pair.run(60)
    pair.run(10)
    pair.write(pair.driver.stop(pair.now_ns))  # in the middle of being initialised, perhaps
    pair.run(300)
    assert pair.driver.confirmed_zero
    assert not pair.driver.ready
    assert pair.twin.state == "none"
    assert faults(pair.events) == []


def test_with_the_twin_a_stop_while_updates_are_unanswered_ends_all_of_them(pair: Pair) -> None:
    unanswered = b"".join(
        pair.driver.deliver(ticket(biphasic(1, 500 * step, 250, 0, 29_000)), pair.now_ns) for step in range(1, 20)
    )
    stop = pair.driver.stop(pair.now_ns)
    pair.write(unanswered + stop)
    assert pair.twin.drive() == ()
    pair.run(200)
    assert pair.driver.confirmed_zero
    assert faults(pair.events) == []


@pytest.mark.parametrize(
    ("fault", "says"), [("reset", "restarted"), ("unsolicited-error", "does not answer inside the unit")]
)
def test_with_the_twin_what_it_suffers_is_noticed(pair: Pair, fault: str, says: str) -> None:
    pair.write(pair.driver.deliver(ticket(TRAIN), pair.now_ns))
    pair.run(50)
    pair.twin.suffer(fault, "", pair.now_ns)
    pair.run(500)
    (found,) = faults(pair.events)
    assert says in found.cause
    assert "battery" in found.todo or "leads" in found.todo


# -- the wrong unit --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("driver", "twin", "cause", "todo"),
    [
        (
            P24Driver,
            RehaMove3Twin,
            "This port answers as a RehaMove3 (ScienceMode 3.2.4); it was opened as a P24.",
            "Choose rehamove3, or another port.",
        ),
        (
            P24LowDriver,
            RehaMove3Twin,
            "This port answers as a RehaMove3 (ScienceMode 3.2.4); it was opened as a P24.",
            "Choose rehamove3, or another port.",
        ),
        (
            RehaMove3Driver,
            P24Twin,
            "This port answers as a P24 (ScienceMode 4.0.0); it was opened as a RehaMove3.",
            "Choose p24, or another port.",
        ),
    ],
)
def test_the_other_unit_on_the_port_is_named_and_never_initialised(
    driver: Any, twin: Any, cause: str, todo: str
) -> None:
    log: list[dict[str, Any]] = []
    pair = Pair(driver(), twin(log=log.append))
    pair.run(2_000)
    assert faults(pair.events) == [UnitFault(cause, todo)]
    assert not pair.driver.ready
    assert [entry for entry in log if entry["kind"] == "state"] == []
    pair.write(pair.driver.rearm(pair.now_ns))
    pair.run(1_000)
    assert faults(pair.events) == [UnitFault(cause, todo)] * 2
    assert not pair.driver.ready


def test_a_p24_that_does_not_know_the_short_question_is_asked_as_a_p24() -> None:
    driver = stopped_driver()
    handshake(driver, HANDSHAKE[0])
    ((number, request),) = said(driver.poll(T0, True)[0])
    assert request == GetVersionMain()
    assert driver.feed(T0, encode(number, Ack(67, 11))) == []
    (frame,) = Framer().feed(driver.poll(T0, True)[0])
    assert isinstance(frame, Frame)
    assert p24.decode_request(frame) == GetExtendedVersion()
    assert driver.wire_faults == 0
    assert faults(driver.feed(T0, encode(frame.packet_number, Ack(67, 11)))) != []


def test_a_p24_that_only_knows_the_short_version_is_accepted() -> None:
    driver = P24Driver()
    driver.start(T0)
    driver.feed(T0, p24.encode(63, Ack(35)))
    for request, answer in (
        (GetDeviceId(), DeviceId(0, "SIM1")),
        (GetExtendedVersion(), ExtendedVersion(11)),
        (GetVersionMain(), VersionMain(0, (1, 2, 3), (4, 0, 0))),
        (MlInit(True), Ack(31)),
    ):
        (frame,) = Framer().feed(driver.poll(T0, True)[0])
        assert isinstance(frame, Frame)
        assert p24.decode_request(frame) == request
        events = driver.feed(T0, p24.encode(frame.packet_number, answer))
    assert events == [Ready()]
    assert driver.version == "1.2.3"


def test_a_status_question_of_a_stopped_unit_is_the_same_for_both() -> None:
    driver = ready_driver()
    driver.stop(T0)
    driver.feed(T0, encode(63, Ack(35)))
    ((_, question),) = said(driver.poll(driver.next_deadline(), True)[0])
    assert question == GetStimStatus()
