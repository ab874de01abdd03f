"""The P24's driver against a hand-played unit and against the twin: handshake, window, belief, stop, refusals."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.drivers.stimulators.events import Confirmed, Identified, PairCheckFailed, Ready, UnitFault
from controller.drivers.stimulators.p24 import P24_LIMITS, P24Driver
from controller.drivers.stimulators.sciencemode_orders import STOP_FRAMES
from controller.wire.sciencemode.frame import Frame, Framer
from controller.wire.sciencemode.messages import (
    Ack,
    ChannelReport,
    DeviceId,
    ExtendedVersion,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    LlStop,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    RunReport,
    StimStatus,
)
from controller.wire.sciencemode.p24 import CATALOGUE, decode_request, encode
from safety.orders import Admitted, Deliver, Purpose, Renew, Token
from safety.stimulus import Point, Train, biphasic
from sim.devices.p24 import P24Twin

MS = 1_000_000
T0 = 1_000_000_000
TRAIN = biphasic(1, 20_000, 250, 100, 29_000)
TOKEN = Token()


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


def requests(data: bytes) -> list[Any]:
    return [request for _, request in said(data)]


def faults(events: Iterable[object]) -> list[UnitFault]:
    return [event for event in events if isinstance(event, UnitFault)]


def ready_driver(now_ns: int = T0) -> P24Driver:
    """A driver whose unit has answered everything up to `Ready`."""
    driver = P24Driver()
    driver.start(now_ns)
    driver.feed(now_ns, encode(62, Ack(33, 7)) + encode(63, Ack(35)))
    for answer in (DeviceId(0, "SIM0P24001"), ExtendedVersion(0, (1, 2, 3), (4, 0, 0)), Ack(31)):
        ((number, _),) = said(driver.poll(now_ns, True)[0])
        driver.feed(now_ns, encode(number, answer))
    assert driver.ready
    return driver


def deliver_and_ack(driver: P24Driver, now_ns: int, *trains: Train) -> list[object]:
    """Deliver; the unit takes the update and, where asked, reports exactly what was ordered."""
    events: list[object] = []
    for number, request in said(driver.deliver(ticket(*trains), now_ns)):
        if type(request) is MlUpdate:
            mask = sum(1 << entry.channel for entry in request.channels)
            events += driver.feed(now_ns, encode(number, Ack(33)))
        else:
            events += driver.feed(now_ns, encode(number, ChannelReport(0, mask)))
    return events


# -- handshake -------------------------------------------------------------------------------------------------------


def test_a_connection_begins_with_a_stop_and_ends_ready() -> None:
    driver = P24Driver()
    assert requests(driver.start(T0)) == [MlUpdate(), MlStop(), LlStop()]
    assert not driver.confirmed_zero
    events = driver.feed(T0, encode(62, Ack(33, 7)) + encode(63, Ack(35)))
    assert events == [Confirmed(T0, ())]
    assert driver.confirmed_zero
    asked = []
    for answer in (DeviceId(0, "SIM0P24001"), ExtendedVersion(0, (1, 2, 3), (4, 0, 0)), Ack(31)):
        assert driver.next_deadline() <= T0
        ((number, request),) = said(driver.poll(T0, True)[0])
        asked.append(request)
        events += driver.feed(T0, encode(number, answer))
    assert asked == [GetDeviceId(), GetExtendedVersion(), MlInit(stop_on_all_errors=True)]
    assert events[1:] == [Identified("SIM0P24001"), Ready()]
    assert (driver.identity, driver.version, driver.ready) == ("SIM0P24001", "1.2.3", True)
    assert driver.wire_faults == 0


def test_a_unit_with_another_protocol_is_refused() -> None:
    driver = P24Driver()
    driver.start(T0)
    driver.feed(T0, encode(63, Ack(35)))
    ((number, _),) = said(driver.poll(T0, True)[0])
    driver.feed(T0, encode(number, DeviceId(0, "SIM0P24001")))
    ((number, _),) = said(driver.poll(T0, True)[0])
    (fault,) = faults(driver.feed(T0, encode(number, ExtendedVersion(0, (1, 0, 0), (3, 2, 4)))))
    assert "3.2.4" in fault.cause
    assert not driver.ready


def test_a_silent_unit_is_told_to_stop_again_and_reported_once() -> None:
    driver = P24Driver()
    driver.start(T0)
    stop = STOP_FRAMES.data
    now_ns, sent, found = T0, 0, []
    for _ in range(12):
        now_ns = driver.next_deadline()
        data, events = driver.poll(now_ns, True)
        sent += data == stop
        found += events
        if events:
            assert now_ns == T0 + 300 * MS
            assert driver.stop(now_ns) == stop
    assert sent == 12
    assert [fault.cause for fault in faults(found)] == ["The unit does not confirm STOP."]


def test_a_unit_that_appears_late_is_named_but_not_initialised_without_a_person() -> None:
    driver = P24Driver()
    driver.start(T0)
    driver.stop(T0 + 400 * MS)
    now_ns = T0 + 500 * MS
    driver.feed(now_ns, encode(62, Ack(33, 7)) + encode(63, Ack(35)))
    asked: list[Any] = []
    for answer in (DeviceId(0, "SIM0P24001"), ExtendedVersion(0, (1, 0, 0), (4, 0, 0)), StimStatus(0, 0, 1)):
        now_ns = max(now_ns, driver.next_deadline())
        ((number, request),) = said(driver.poll(now_ns, True)[0])
        asked.append(request)
        driver.feed(now_ns, encode(number, answer))
    assert asked == [GetDeviceId(), GetExtendedVersion(), GetStimStatus()]
    assert driver.identity == "SIM0P24001"
    assert not driver.ready
    assert requests(driver.rearm(now_ns)) == [MlInit(stop_on_all_errors=True)]


@pytest.mark.parametrize("step", range(3))
def test_silence_in_the_handshake_is_a_fault(step: int) -> None:
    driver = P24Driver()
    driver.start(T0)
    driver.feed(T0, encode(63, Ack(35)))
    for answer in (DeviceId(0, "SIM0P24001"), ExtendedVersion(0, (1, 2, 3), (4, 0, 0)))[:step]:
        ((number, _),) = said(driver.poll(T0, True)[0])
        driver.feed(T0, encode(number, answer))
    driver.poll(T0, True)
    late_ns = driver.next_deadline()
    assert late_ns == T0 + (250 if step == 2 else 100) * MS
    assert driver.poll(late_ns - 1, True) == (b"", [])
    data, events = driver.poll(late_ns, True)
    assert (data, len(faults(events))) == (b"", 1)


# -- delivering ------------------------------------------------------------------------------------------------------


def test_first_update_with_current_is_followed_by_a_probe_and_then_confirmed() -> None:
    driver = ready_driver()
    data = driver.deliver(ticket(TRAIN), T0)
    (number, update), (probe, question) = said(data)
    assert question == MlGetCurrentData(4)
    (entry,) = update.channels
    assert (entry.channel, entry.points, entry.period_us, entry.ramp) == (0, TRAIN.points, 29_000, 0)
    assert not driver.confirmed_zero
    assert driver.outputs() == ((1, 20_000, 0, ""),)
    assert driver.feed(T0 + MS, encode(number, Ack(33))) == []
    assert driver.outputs() == ((1, 20_000, 0, ""),)
    assert driver.feed(T0 + 2 * MS, encode(probe, ChannelReport(0, 1))) == [Confirmed(T0 + 2 * MS, ((1, 20_000),))]
    assert driver.outputs() == ((1, 20_000, 20_000, ""),)
    assert driver.confirmed_at_ns == T0 + 2 * MS


def test_amplitude_follows_each_acknowledged_update_without_another_probe() -> None:
    driver = ready_driver()
    deliver_and_ack(driver, T0, TRAIN)
    data = driver.deliver(ticket(biphasic(1, 21_000, 250, 100, 29_000)), T0 + MS)
    ((number, _),) = said(data)
    assert driver.outputs() == ((1, 21_000, 20_000, ""),)
    driver.feed(T0 + MS, encode(number, Ack(33)))
    assert driver.outputs() == ((1, 21_000, 21_000, ""),)


def test_a_renewal_writes_nothing() -> None:
    driver = ready_driver()
    assert driver.deliver(Admitted(TOKEN, 1, T0, Renew(2, T0, T0 + MS)), T0) == b""


@pytest.mark.parametrize("trains", [(), (biphasic(1, 0, 250, 100, 29_000),)])
def test_no_current_is_the_all_off_update(trains: tuple[Train, ...]) -> None:
    driver = ready_driver()
    deliver_and_ack(driver, T0, TRAIN)
    ((number, update),) = said(driver.deliver(ticket(*trains), T0))
    assert update == MlUpdate()
    assert driver.feed(T0, encode(number, Ack(33))) == [Confirmed(T0, ())]
    assert driver.confirmed_zero
    assert driver.outputs() == ((1, 0, 0, ""),)


def test_channels_go_out_in_rising_order_and_without_those_at_zero() -> None:
    driver = ready_driver()
    data = driver.deliver(
        ticket(biphasic(8, 500, 10, 0, 500_000), biphasic(2, 0, 200, 0, 20_000), biphasic(1, 1_000, 20, 0, 20_000)), T0
    )
    assert [entry.channel for entry in requests(data)[0].channels] == [0, 7]
    assert [output[:2] for output in driver.outputs()] == [(1, 1_000), (8, 500)]


BAD_TRAINS = {
    "unbalanced": Train(1, (Point(250, 20_000), Point(250, -19_500)), 29_000),
    "monophasic": Train(1, (Point(250, 20_000),), 29_000),
    "above 130 mA": biphasic(1, 130_500, 250, 0, 29_000),
    "off the grid": biphasic(1, 20_250, 250, 0, 29_000),
    "period off the grid": biphasic(1, 20_000, 250, 0, 28_250),
    "period 0": biphasic(1, 20_000, 250, 0, 0),
    "too long for its period": biphasic(1, 20_000, 400, 0, 500),
    "17 points": Train(1, (Point(10, 500), Point(10, -500)) * 8 + (Point(10, 0),), 29_000),
    "channel 0": biphasic(0, 20_000, 250, 0, 29_000),
    "channel 9": biphasic(9, 20_000, 250, 0, 29_000),
    "not a number": Train(1, (Point(250, float("nan")), Point(250, 500)), 29_000),  # type: ignore[arg-type]
    "true": Train(1, (Point(250, 500), Point(250, -500)), True),
}


@pytest.mark.parametrize("name", BAD_TRAINS)
def test_an_order_that_cannot_be_said_exactly_is_refused_and_nothing_changes(name: str) -> None:
    driver = ready_driver()
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(BAD_TRAINS[name]), T0)
    assert driver.outputs() == ()
    assert driver.confirmed_zero


def test_the_same_channel_twice_is_refused() -> None:
    with pytest.raises(PairCheckFailed):
        ready_driver().deliver(ticket(TRAIN, TRAIN), T0)


def altered(update: MlUpdate, **change: Any) -> MlUpdate:
    return MlUpdate((update.channels[0]._replace(**change), *update.channels[1:]))


ENCODER_DEFECTS = {
    "amplitude": lambda update: altered(update, points=((250, 21_000), (100, 0), (250, -21_000))),
    "width": lambda update: altered(update, points=((251, 20_000), (100, 0), (251, -20_000))),
    "balance": lambda update: altered(update, points=((250, 20_000), (100, 0), (249, -20_000))),
    "channel": lambda update: altered(update, channel=1),
    "period": lambda update: altered(update, period_us=14_500),
    "ramp": lambda update: altered(update, ramp=3),
    "nothing": lambda update: MlUpdate(),
    "another message": lambda update: MlStop(),
    "double period": lambda update: altered(update, period_us=14_500, fine=True),
}


@pytest.mark.parametrize("defect", ENCODER_DEFECTS)
def test_pair_check_catches_an_encoder_that_says_something_else(defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = ready_driver()
    monkeypatch.setattr(CATALOGUE, "encode", lambda number, update: encode(number, ENCODER_DEFECTS[defect](update)))
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(TRAIN), T0)


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: data + b"\x00", lambda data: data[:-3] + b"\x11\x22\x0f"]
)
def test_pair_check_catches_damaged_bytes_and_a_wrong_number(spoil: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = ready_driver()
    with monkeypatch.context() as patch:
        patch.setattr(CATALOGUE, "encode", lambda number, update: spoil(encode(number, update)))
        with pytest.raises(PairCheckFailed):
            driver.deliver(ticket(TRAIN), T0)
    monkeypatch.setattr(CATALOGUE, "encode", lambda number, update: encode(number ^ 1, update))
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(TRAIN), T0)


def test_nothing_is_delivered_before_ready_or_after_stop() -> None:
    with pytest.raises(PairCheckFailed):
        P24Driver().deliver(ticket(TRAIN), T0)
    driver = ready_driver()
    driver.stop(T0)
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(TRAIN), T0)


def test_window_holds_the_newest_update_back_and_sends_it_when_there_is_room() -> None:
    driver = ready_driver()
    sent: list[int] = []
    probes = 0
    for step in range(40):
        for number, request in said(driver.deliver(ticket(biphasic(1, 500 * (1 + step % 4), 250, 0, 29_000)), T0)):
            if type(request) is MlUpdate:
                sent.append(number)
            else:
                probes += 1
    assert (len(sent), probes) == (31, 1)
    assert driver.next_deadline() > T0
    driver.feed(T0, encode(sent[0], Ack(33)))
    assert driver.next_deadline() <= T0
    ((number, update),) = said(driver.poll(T0, True)[0])
    assert update.channels[0].points[0][1] == 2_000
    assert number not in sent[1:]
    assert driver.outputs()[0][1] == 2_000
    assert driver.poll(T0, True) == (b"", [])


def test_a_flood_of_rising_orders_that_nobody_answers_earns_one_step() -> None:
    driver = ready_driver()
    written: list[tuple[int, int]] = []

    def note(data: bytes) -> None:
        written.extend((number, told.channels[0].points[0][1]) for number, told in said(data) if type(told) is MlUpdate)

    for step in range(40):
        note(driver.deliver(ticket(biphasic(1, 500 * (1 + step), 250, 0, 29_000)), T0 + step * MS))
    assert [ua for _, ua in written] == [500, 1_000, 1_500, 2_000]
    late_ns = T0 + 95 * MS
    for number, _ in tuple(written):
        driver.feed(late_ns, encode(number, Ack(33)))
    note(driver.poll(late_ns, True)[0])
    assert len(written) == 4  # only now is it known that there are 2 mA
    assert driver.next_deadline() <= late_ns + 20 * MS
    note(driver.poll(late_ns + 20 * MS - 1, True)[0])
    assert len(written) == 4
    note(driver.poll(late_ns + 20 * MS, True)[0])
    assert [ua for _, ua in written[4:]] == [4_000]
    note(driver.deliver(ticket(biphasic(1, 1_000, 250, 0, 29_000)), late_ns + 21 * MS))
    assert [ua for _, ua in written[5:]] == [1_000]  # a fall waits for nobody


@pytest.mark.parametrize("end", ["release", "stop"])
def test_an_update_that_was_held_back_is_never_sent_after_the_end(end: str) -> None:
    driver = ready_driver()
    numbers: list[int] = []
    for _ in range(33):
        numbers += [number for number, _ in said(driver.deliver(ticket(TRAIN), T0))]
    getattr(driver, end)(T0)
    for number in numbers[:1] + numbers[2:]:
        driver.feed(T0, encode(number, Ack(33)))
    data, _ = driver.poll(T0 + MS, True)
    assert data == b""


def test_packet_numbers_wrap_and_leave_out_those_of_the_stop() -> None:
    driver = ready_driver()
    numbers = []
    for step in range(200):
        deliver = driver.deliver(ticket(biphasic(1, 500 + 500 * (step % 2), 250, 0, 29_000)), T0)
        for number, request in said(deliver):
            numbers.append(number)
            answer = Ack(33) if type(request) is MlUpdate else ChannelReport(0, 1)
            driver.feed(T0, encode(number, answer))
    assert set(numbers) == set(range(62))
    assert driver.wire_faults == 0


# -- what the unit may say or not say --------------------------------------------------------------------------------


def test_a_lost_acknowledgement_costs_one_probe_and_then_a_fault() -> None:
    driver = ready_driver()
    deliver_and_ack(driver, T0, TRAIN)
    driver.deliver(ticket(biphasic(1, 21_000, 250, 100, 29_000)), T0)
    assert driver.next_deadline() == T0 + 100 * MS
    data, events = driver.poll(T0 + 100 * MS, True)
    ((probe, question),) = said(data)
    assert question == MlGetCurrentData(4)
    assert events == []
    (fault,) = faults(driver.feed(T0 + 101 * MS, encode(probe, ChannelReport(0, 1))))
    assert "did not confirm" in fault.cause
    assert not driver.ready


def test_an_acknowledgement_that_is_only_late_is_no_fault() -> None:
    driver = ready_driver()
    deliver_and_ack(driver, T0, TRAIN)
    ((number, _),) = said(driver.deliver(ticket(biphasic(1, 21_000, 250, 100, 29_000)), T0))
    ((probe, _),) = said(driver.poll(T0 + 100 * MS, True)[0])
    late = encode(number, Ack(33)) + encode(probe, ChannelReport(0, 1))
    assert driver.feed(T0 + 120 * MS, late) == []
    assert driver.ready
    assert driver.outputs() == ((1, 21_000, 21_000, ""),)


def test_a_unit_that_falls_silent_is_a_fault_after_the_probe() -> None:
    driver = ready_driver()
    driver.deliver(ticket(TRAIN), T0)
    assert requests(driver.poll(T0 + 100 * MS, True)[0]) == [MlGetCurrentData(4)]
    assert driver.next_deadline() == T0 + 200 * MS
    data, events = driver.poll(T0 + 200 * MS, True)
    assert data == b""
    assert [fault.cause for fault in faults(events)] == ["The unit no longer answers."]


def test_without_a_lease_not_even_the_probe_keeps_the_unit_alive() -> None:
    driver = ready_driver()
    driver.deliver(ticket(TRAIN), T0)
    data, events = driver.poll(T0 + 100 * MS, False)
    assert data == b""
    assert len(faults(events)) == 1


def test_keep_alive_is_sent_every_400_ms_and_only_while_alive() -> None:
    driver = ready_driver()
    sent: list[int] = []
    now_ns = T0
    while now_ns < T0 + 3_000 * MS:
        now_ns = driver.next_deadline()
        alive = not T0 + 1_000 * MS <= now_ns < T0 + 2_000 * MS
        data, events = driver.poll(now_ns, alive)
        assert events == []
        for number, request in said(data):
            assert request == MlGetCurrentData(4)
            sent.append((now_ns - T0) // MS)
            driver.feed(now_ns, encode(number, ChannelReport(0, 0)))
    assert sent == [400, 800, 2000, 2400, 2800, 3200]


@pytest.mark.parametrize("active", [0, 0b11, 0b10])
def test_a_report_that_differs_from_what_was_ordered_is_a_fault(active: int) -> None:
    driver = ready_driver()
    (number, _), (probe, _) = said(driver.deliver(ticket(TRAIN), T0))
    driver.feed(T0, encode(number, Ack(33)))
    (fault,) = faults(driver.feed(T0, encode(probe, ChannelReport(0, active))))
    assert "ordered was channel 1" in fault.cause


def test_a_report_from_before_the_release_is_held_against_what_was_ordered_then() -> None:
    driver = ready_driver()
    (number, _), (probe, _) = said(driver.deliver(ticket(TRAIN), T0))
    ((off, _),) = said(driver.release(T0))
    answers = encode(number, Ack(33)) + encode(probe, ChannelReport(0, 1)) + encode(off, Ack(33))
    assert driver.feed(T0, answers) == [Confirmed(T0, ((1, 20_000),)), Confirmed(T0, ())]
    assert driver.confirmed_zero


NIBBLES = {
    1: "electrode on channel 3",
    2: "pulse on channel 3",
    3: "Too little current flows on channel 3",
    9: "error 9",
}


@pytest.mark.parametrize("nibble", NIBBLES)
def test_channel_states_become_one_fault_with_a_sentence(nibble: int) -> None:
    driver = ready_driver()
    (number, _), (probe, _) = said(driver.deliver(ticket(TRAIN._replace(channel=3)), T0))
    driver.feed(T0, encode(number, Ack(33)))
    (fault,) = faults(driver.feed(T0, encode(probe, ChannelReport(0, 0, (0, 0, nibble, 0, 0, 0, 0, 0)))))
    assert NIBBLES[nibble] in fault.cause
    assert driver.outputs()[0][3] != ""
    driver.rearm(T0)
    assert driver.outputs()[0][3] == ""


@pytest.mark.parametrize("result", range(1, 30))
def test_every_result_code_of_an_update_is_a_fault_with_cause_and_todo(result: int) -> None:
    driver = ready_driver()
    (number, _), _ = said(driver.deliver(ticket(TRAIN._replace(channel=2)), T0))
    (fault,) = faults(driver.feed(T0, encode(number, Ack(33, result))))
    assert fault.cause.endswith(".")
    assert fault.todo.endswith((".", "?"))
    assert not driver.ready
    if result == 10:
        assert fault.todo.startswith("Check the electrode on channel 2")


@pytest.mark.parametrize("answer", [Ack(66, 1), Ack(67, 11)])
def test_unsolicited_errors_are_faults_while_the_unit_should_be_well(answer: Ack) -> None:
    driver = ready_driver()
    assert len(faults(driver.feed(T0, encode(17, answer)))) == 1
    assert not driver.ready
    driver.stop(T0)
    assert faults(driver.feed(T0, encode(17, answer))) == []
    assert driver.wire_faults == 2


def test_wrong_numbers_wrong_kinds_and_rubbish_are_counted_and_change_nothing() -> None:
    driver = ready_driver()
    ((number, _), (probe, _)) = said(driver.deliver(ticket(TRAIN), T0))
    before = driver.outputs()
    broken = bytearray(encode(number, Ack(33)))
    broken[-2] ^= 1
    rubbish = encode((number + 5) % 62, Ack(33)) + b"\x00\x01" + bytes(broken) + encode(1, MlStop())
    assert driver.feed(T0, rubbish + encode(probe, RunReport(0, 2, True, 0))) == []
    assert driver.wire_faults == 5
    assert driver.outputs() == before
    assert driver.feed(T0, encode(number, Ack(33)) + encode(probe, ChannelReport(0, 1))) != []


@settings(max_examples=60)
@given(
    st.lists(
        st.binary(max_size=40)
        | st.builds(
            encode,
            st.integers(0, 63),
            st.builds(Ack, st.sampled_from([1, 5, 31, 33, 35, 59, 66, 67]), st.integers(0, 255)),
        )
    )
)
def test_whatever_a_unit_sends_the_driver_does_not_raise_and_can_be_stopped(chunks: list[bytes]) -> None:
    driver = ready_driver()
    driver.deliver(ticket(TRAIN), T0)
    for step, chunk in enumerate(chunks):
        driver.feed(T0 + step * MS, chunk)
        driver.poll(T0 + step * MS, True)
    assert requests(driver.stop(T0)) == [MlUpdate(), MlStop()]
    assert not driver.ready


# -- stopping --------------------------------------------------------------------------------------------------------


def test_stop_is_valid_in_every_state_and_always_the_same_bytes() -> None:
    fresh = P24Driver()
    expected = fresh.stop(T0)
    assert requests(expected) == [MlUpdate(), MlStop()]
    driver = P24Driver()
    driver.start(T0)
    assert driver.stop(T0) == expected
    driver = ready_driver()
    driver.deliver(ticket(TRAIN), T0)
    assert driver.stop(T0) == expected
    driver.feed(T0, encode(62, Ack(33)) + encode(63, Ack(35)))
    assert driver.stop(T0) == expected


def test_stop_is_repeated_until_confirmed_and_late_answers_are_let_pass() -> None:
    driver = ready_driver()
    (number, _), (probe, _) = said(driver.deliver(ticket(TRAIN), T0))
    stop = driver.stop(T0)
    assert driver.poll(T0 + 99 * MS, True) == (b"", [])
    assert driver.poll(T0 + 100 * MS, True) == (stop, [])
    late = encode(number, Ack(33)) + encode(probe, ChannelReport(0, 1)) + encode(62, Ack(33))
    assert driver.feed(T0 + 110 * MS, late) == [Confirmed(T0 + 110 * MS, ())]
    assert not driver.ready
    driver.feed(T0 + 120 * MS, encode(63, Ack(35)))
    assert driver.feed(T0 + 121 * MS, encode(62, Ack(33, 7)) + encode(63, Ack(35))) == []
    assert driver.wire_faults == 0
    assert driver.confirmed_zero


def test_stopped_unit_needs_rearm_and_a_unit_that_still_runs_is_reported() -> None:
    driver = ready_driver()
    driver.stop(T0)
    driver.feed(T0, encode(63, Ack(35)))
    now_ns = driver.next_deadline()
    ((number, question),) = said(driver.poll(now_ns, True)[0])
    assert question == GetStimStatus()
    (fault,) = faults(driver.feed(now_ns, encode(number, StimStatus(0, 3, 6))))
    assert "although it was stopped" in fault.cause


def test_rearm_while_the_stop_is_on_its_way_initialises_after_it() -> None:
    driver = ready_driver()
    driver.stop(T0)
    assert driver.rearm(T0) == b""
    driver.feed(T0 + 40 * MS, encode(63, Ack(35)))
    ((number, request),) = said(driver.poll(T0 + 40 * MS, True)[0])
    assert request == MlInit(True)
    assert driver.feed(T0 + 80 * MS, encode(number, Ack(31))) == [Ready()]


def test_rearm_after_a_fault_begins_with_a_stop() -> None:
    driver = ready_driver()
    driver.feed(T0, encode(17, Ack(66, 4)))
    assert requests(driver.rearm(T0)) == [MlUpdate(), MlStop(), LlStop()]


# -- together with the twin --------------------------------------------------------------------------------------------


class Pair:
    """Driver and twin joined in memory on one clock."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []
        self.twin = P24Twin(log=self.log.append)
        self.driver = P24Driver()
        self.now_ns = T0
        self.events: list[object] = []

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
def pair() -> Pair:
    joined = Pair()
    joined.write(joined.driver.start(T0))
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
    assert faults(pair.events) == []
    assert pair.driver.wire_faults == 0


def test_with_the_twin_nothing_keeps_the_unit_running_without_a_lease(pair: Pair) -> None:
    pair.write(pair.driver.deliver(ticket(TRAIN), pair.now_ns))
    started_ns = pair.now_ns
    pair.run(5_000, alive=False)
    (train,) = [entry for entry in pair.log if entry["kind"] == "train"]
    assert train["t_end_ns"] < started_ns + 2_000 * MS


def test_with_the_twin_a_lost_electrode_stops_everything_and_says_which(pair: Pair) -> None:
    pair.write(pair.driver.deliver(ticket(TRAIN), pair.now_ns))
    pair.run(300)
    pair.twin.electrode(1, False)
    pair.run(500)
    (fault,) = faults(pair.events)
    assert "electrode on channel 1" in fault.cause
    pair.write(pair.driver.stop(pair.now_ns))
    pair.run(200)
    pair.twin.electrode(1, True)
    pair.write(pair.driver.rearm(pair.now_ns))
    pair.run(200)
    assert pair.driver.ready


def test_with_the_twin_a_restarted_unit_is_noticed(pair: Pair) -> None:
    pair.write(pair.driver.deliver(ticket(TRAIN), pair.now_ns))
    pair.twin = P24Twin()
    pair.run(500)
    (fault,) = faults(pair.events)
    assert "restarted" in fault.cause


def test_a_new_connection_to_a_running_unit_begins_with_its_end(pair: Pair) -> None:
    pair.write(pair.driver.deliver(ticket(TRAIN), pair.now_ns))
    pair.run(100)
    assert pair.twin.drive() != []
    pair.twin.unplug(pair.now_ns)
    pair.driver = P24Driver()
    pair.write(pair.driver.start(pair.now_ns))
    assert pair.twin.drive() == ()
    pair.run(300)
    assert pair.driver.ready
    assert pair.driver.outputs() == ()


def test_limits_are_those_of_the_instructions_for_use() -> None:
    assert (P24_LIMITS.channels, P24_LIMITS.amplitude_ua_max, P24_LIMITS.amplitude_step_ua) == (8, 130_000, 500)
    assert (P24_LIMITS.pulse_width_us_min, P24_LIMITS.pulse_width_us_max, P24_LIMITS.points_max) == (10, 4_095, 16)
    assert (P24_LIMITS.period_us_min, P24_LIMITS.period_us_max, P24_LIMITS.period_step_us) == (500, 16_383_000, 500)
