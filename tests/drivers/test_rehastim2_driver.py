"""The RehaStim2's driver against a hand-played unit and against the twin: list, keep-alive, stop, refusals."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.drivers.stimulators import rehastim2_orders
from controller.drivers.stimulators.events import Confirmed, Identified, PairCheckFailed, Ready, UnitFault
from controller.drivers.stimulators.kind import stimulator
from controller.drivers.stimulators.rehastim2 import REHASTIM2, REHASTIM2_LIMITS, RehaStim2Driver
from controller.drivers.stimulators.rehastim2_orders import STOP
from controller.wire.sciencemode2.frame import Frame, Framer
from controller.wire.sciencemode2.messages import (
    Ack,
    GetStimulationMode,
    Init,
    InitAck,
    InitChannelListMode,
    ListPulse,
    Motomed,
    SimulatedName,
    StartChannelListMode,
    StimulationError,
    StimulationMode,
    StopChannelListMode,
    UnknownCommand,
    Watchdog,
    WhoAreYou,
)
from controller.wire.sciencemode2.rehastim2 import WHO_ARE_YOU, decode_request, encode
from safety.orders import Admitted, Deliver, Purpose, Renew, Token
from safety.stimulus import Point, Train, biphasic
from sim.devices.rehastim2 import RehaStim2Twin

PAGE = Path(__file__).parents[2] / "docs" / "devices" / "rehastim2.md"
MS = 1_000_000
T0 = 1_000_000_000
PERIOD_US = 29_000
TRAIN = biphasic(1, 20_000, 250, 100, PERIOD_US)
OTHER = biphasic(6, 10_000, 200, 100, PERIOD_US)
TOKEN = Token()
STOP_ACK = encode(255, Ack(35))
LIST_1 = InitChannelListMode(0b1, PERIOD_US)
LIST_1_6 = InitChannelListMode(0b100001, PERIOD_US)
START_1 = StartChannelListMode((ListPulse(0, 250, 20_000),))


def ticket(*trains: Train) -> Admitted:
    return Admitted(TOKEN, 1, T0, Deliver(1, T0, T0 + 120 * MS, Purpose.ASSIST, trains))


def train(amplitude_ua: int = 20_000, width_us: int = 250, channel: int = 1, period_us: int = PERIOD_US) -> Train:
    return biphasic(channel, amplitude_ua, width_us, 100, period_us)


def said(data: bytes) -> list[tuple[int, Any]]:
    """What bytes to the unit say: (packet number, request)."""
    framer = Framer()
    found = []
    for frame in framer.feed(data):
        assert isinstance(frame, Frame)
        found.append((frame.packet_number, decode_request(frame)))
    assert framer._rest == b""
    return found


def requests(data: bytes) -> list[Any]:
    return [request for _, request in said(data)]


def faults(events: Iterable[object]) -> list[UnitFault]:
    return [event for event in events if isinstance(event, UnitFault)]


def answer(data: bytes, mode: int = 0) -> bytes:
    """What a unit without faults answers to each request."""
    answers = b""
    for number, request in said(data):
        if type(request) is GetStimulationMode:
            answers += encode(number, StimulationMode(0, mode))
        elif type(request) is WhoAreYou:
            answers += encode(number, UnknownCommand(WHO_ARE_YOU))
        elif type(request) in (InitChannelListMode, StartChannelListMode, StopChannelListMode):
            number_of = {InitChannelListMode: 31, StartChannelListMode: 33, StopChannelListMode: 35}
            answers += encode(number, Ack(number_of[type(request)]))
    return answers


def ready_driver(now_ns: int = T0) -> RehaStim2Driver:
    """A driver whose unit has answered everything up to `Ready`."""
    driver = RehaStim2Driver()
    driver.start(now_ns)
    driver.feed(now_ns, encode(0, Init(1)))
    for _ in range(3):
        driver.feed(now_ns, answer(driver.poll(now_ns, True)[0]))
    assert driver.ready
    return driver


def running_driver(*trains: Train) -> RehaStim2Driver:
    """A ready driver whose unit has taken these trains and reports that it runs."""
    driver = ready_driver()
    data = driver.deliver(ticket(*(trains or (TRAIN,))), T0)
    for _ in range(3):
        driver.feed(T0, answer(data, 2))
        data, _ = driver.poll(T0, True)
    assert driver.running
    assert data == b""
    return driver


# -- handshake -------------------------------------------------------------------------------------------------------


def test_a_connection_begins_with_a_stop_and_answers_the_unit_that_speaks_first() -> None:
    driver = RehaStim2Driver()
    assert requests(driver.start(T0)) == [StopChannelListMode()]
    assert driver.poll(T0 + 300 * MS, True) == (b"", [])
    events = driver.feed(T0 + 400 * MS, encode(37, Init(1)))
    assert events == []
    now_ns = T0 + 400 * MS
    assert driver.next_deadline() <= now_ns
    data, events = driver.poll(now_ns, True)
    assert said(data) == [(37, InitAck(0)), (255, StopChannelListMode())]
    assert not driver.confirmed_zero
    assert driver.feed(now_ns, STOP_ACK) == [Confirmed(now_ns, ())]
    assert driver.confirmed_zero
    asked = []
    for _ in range(2):
        data, _ = driver.poll(now_ns, True)
        asked += requests(data)
        events += driver.feed(now_ns, answer(data))
    assert asked == [WhoAreYou(), GetStimulationMode()]
    assert events == [Identified("RehaStim2", "ScienceMode 2, version 1"), Ready()]
    assert (driver.identity, driver.ready, driver.wire_faults) == ("RehaStim2", True, 0)


def test_a_simulated_unit_is_known_by_its_name() -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    driver.feed(T0, encode(0, Init(1)))
    driver.poll(T0, True)
    driver.feed(T0, STOP_ACK)
    ((number, _),) = said(driver.poll(T0, True)[0])
    assert driver.feed(T0, encode(number, SimulatedName("SIM0RS2001")))[0].identity == "SIM0RS2001"


@pytest.mark.parametrize("number", [0, 17])
def test_the_unknown_command_is_taken_under_any_number_but_only_when_asked(number: int) -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    driver.feed(T0, encode(0, Init(1)))
    driver.feed(T0, encode(number, UnknownCommand(WHO_ARE_YOU)))
    assert (driver.identity, driver.wire_faults) == ("", 1)
    driver.poll(T0, True)
    driver.feed(T0, STOP_ACK)
    driver.poll(T0, True)
    driver.feed(T0, encode(number, UnknownCommand(WHO_ARE_YOU)))
    assert driver.identity == "RehaStim2"


def test_a_unit_that_another_host_left_running_is_stopped_without_an_announcement() -> None:
    driver = RehaStim2Driver()
    assert driver.start(T0) == STOP
    assert driver.feed(T0 + MS, STOP_ACK) == [Confirmed(T0 + MS, ())]
    assert requests(driver.poll(T0 + MS, True)[0]) == [WhoAreYou()]


def test_a_stop_answered_before_the_announcement_does_not_skip_the_answer_to_it() -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    driver.feed(T0, encode(4, Init(1)) + STOP_ACK)
    assert requests(driver.poll(T0, True)[0]) == [InitAck(0), StopChannelListMode()]


def test_a_unit_that_says_nothing_is_reported_after_two_seconds_and_stopped_all_the_while() -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    found: list[tuple[int, UnitFault]] = []
    stops = 0
    now_ns = T0
    while now_ns < T0 + 6_000 * MS:
        now_ns = driver.next_deadline()
        data, events = driver.poll(now_ns, False)
        stops += data == STOP
        found += [(now_ns, fault) for fault in faults(events)]
        if events:
            assert driver.stop(now_ns) == STOP
    ((at_ns, fault),) = found
    assert at_ns == T0 + 2_000 * MS
    assert "is it in the ScienceMode2 screen?" in fault.cause
    assert stops == 12


def test_a_unit_that_appears_late_is_named_but_not_made_ready_without_a_person() -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    driver.stop(T0 + 2_000 * MS)
    now_ns = T0 + 5_000 * MS
    driver.feed(now_ns, encode(9, Init(1)))
    assert requests(driver.poll(now_ns, True)[0]) == [InitAck(0), StopChannelListMode()]
    driver.feed(now_ns, STOP_ACK)
    data, _ = driver.poll(now_ns, True)
    driver.feed(now_ns, answer(data))
    assert (driver.identity, driver.ready) == ("RehaStim2", False)
    data = driver.rearm(now_ns)
    assert requests(data) == [GetStimulationMode()]
    assert driver.feed(now_ns, answer(data)) == [Ready()]


def test_another_device_is_named_by_what_the_port_was_opened_as() -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    found = []
    for step in range(25):
        now_ns = T0 + step * 100 * MS
        driver.feed(now_ns, b"I,%d,0.1,0.2,0.3,0.0,0.0,1.0\r\n\xf0" % step)
        found += faults(driver.poll(now_ns, True)[1])
    assert [fault.cause for fault in found] == ["This port was opened as a RehaStim2, but what talks there is not one."]
    assert driver.identity == ""


def test_a_unit_of_another_version_is_told_so_and_refused() -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    (fault,) = faults(driver.feed(T0, encode(5, Init(2))))
    assert "version 2" in fault.cause
    data, _ = driver.poll(T0, True)
    assert data == STOP
    assert requests(driver.poll(T0, True)[0]) == [InitAck(-5), StopChannelListMode()]
    assert not driver.ready


def test_a_unit_that_runs_although_it_was_stopped_is_not_ready() -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    driver.feed(T0, encode(0, Init(1)))
    driver.poll(T0, True)
    driver.feed(T0, STOP_ACK)
    driver.feed(T0, answer(driver.poll(T0, True)[0]))
    (fault,) = faults(driver.feed(T0, answer(driver.poll(T0, True)[0], 2)))
    assert "stimulating" in fault.cause
    assert "LEADS OFF" in fault.todo
    assert not driver.ready


@pytest.mark.parametrize("step", [0, 1])
def test_silence_in_the_handshake_is_a_fault(step: int) -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    driver.feed(T0, STOP_ACK)
    if step:
        driver.feed(T0, answer(driver.poll(T0, True)[0]))
    driver.poll(T0, True)
    assert driver.next_deadline() == T0 + 150 * MS
    assert driver.poll(T0 + 150 * MS - 1, True) == (b"", [])
    data, events = driver.poll(T0 + 150 * MS, True)
    assert (data, [fault.cause for fault in faults(events)]) == (b"", ["The unit no longer answers."])


# -- delivering ------------------------------------------------------------------------------------------------------


def test_an_order_becomes_a_list_then_a_start_then_a_confirmation() -> None:
    driver = ready_driver()
    data = driver.deliver(ticket(TRAIN), T0)
    assert requests(data) == [LIST_1]
    assert not driver.confirmed_zero
    assert driver.outputs() == ()
    assert driver.feed(T0 + MS, answer(data)) == []
    assert driver.next_deadline() <= T0 + MS
    data, _ = driver.poll(T0 + MS, True)
    assert requests(data) == [START_1]
    assert driver.outputs() == ((1, 20_000, 0, ""),)
    assert driver.feed(T0 + 2 * MS, answer(data)) == []
    data, _ = driver.poll(T0 + 2 * MS, True)
    assert requests(data) == [GetStimulationMode()]
    assert driver.feed(T0 + 3 * MS, answer(data, 2)) == [Confirmed(T0 + 3 * MS, ((1, 20_000),))]
    assert driver.outputs() == ((1, 20_000, 20_000, ""),)
    assert driver.confirmed_at_ns == T0 + 3 * MS


def test_an_update_of_the_same_channels_is_one_frame_and_confirmed_by_its_answer() -> None:
    driver = running_driver()
    now_ns = T0 + 40 * MS
    data = driver.deliver(ticket(train(22_000)), now_ns)
    assert requests(data) == [StartChannelListMode((ListPulse(0, 250, 22_000),))]
    assert driver.outputs() == ((1, 22_000, 20_000, ""),)
    assert driver.feed(now_ns, answer(data)) == [Confirmed(now_ns, ((1, 22_000),))]


def test_updates_go_out_once_a_period_at_most_and_only_the_newest() -> None:
    driver = running_driver()
    sent: list[tuple[int, int]] = []

    def note(now_ns: int, data: bytes) -> None:
        for number, request in said(data):
            if type(request) is StartChannelListMode:
                sent.append(((now_ns - T0) // MS, request.pulses[0].current_ua))
                driver.feed(now_ns, encode(number, Ack(33)))
            elif type(request) is GetStimulationMode:
                driver.feed(now_ns, encode(number, StimulationMode(0, 2)))

    for ms in range(0, 100, 5):
        now_ns = T0 + ms * MS
        note(now_ns, driver.deliver(ticket(train(18_000 - 2_000 * (ms // 25))), now_ns))
        for later in range(ms, ms + 5):
            note(T0 + later * MS, driver.poll(T0 + later * MS, True)[0])
    assert [at_ms for at_ms, _ in sent] == [29, 58, 87]
    assert [current_ua for _, current_ua in sent] == [18_000 - 2_000 * (at_ms // 25) for at_ms, _ in sent]


def test_of_rising_orders_in_one_period_only_what_is_a_step_goes_out() -> None:
    driver = running_driver()
    sent: list[tuple[int, int]] = []
    answers: list[tuple[int, int]] = []
    late_ms = 95
    for ms in range(400):
        now_ns = T0 + ms * MS
        for number in [number for due_ms, number in answers if due_ms == ms]:
            driver.feed(now_ns, encode(number, Ack(33)))
        data = driver.deliver(ticket(train(22_000 + 2_000 * (ms // 20))), now_ns) if ms % 20 == 0 else b""
        for number, request in said(data + driver.poll(now_ns, True)[0]):
            if type(request) is StartChannelListMode:
                sent.append((ms, request.pulses[0].current_ua))
                answers.append((ms + late_ms, number))
            elif type(request) is GetStimulationMode:
                driver.feed(now_ns, encode(number, StimulationMode(0, 2)))
    assert len(sent) >= 3
    assert [ua for _, ua in sent] == [22_000 + 2_000 * each for each in range(len(sent))]
    assert all(later - before >= late_ms + 20 for (before, _), (later, _) in pairwise(sent))


@pytest.mark.parametrize(
    ("trains", "told"),
    [
        ((TRAIN, OTHER), LIST_1_6),
        ((train(period_us=40_000),), InitChannelListMode(0b1, 40_000)),
        ((train(channel=2),), InitChannelListMode(0b10, PERIOD_US)),
    ],
    ids=["another channel too", "another period", "another channel"],
)
def test_another_set_of_channels_or_period_is_stop_then_list_then_start(
    trains: tuple[Train, ...], told: InitChannelListMode
) -> None:
    driver = running_driver()
    now_ns = T0 + 10 * MS
    data = driver.deliver(ticket(*trains), now_ns)
    assert requests(data) == [StopChannelListMode()]
    assert driver.feed(now_ns, answer(data)) == []
    data, _ = driver.poll(now_ns, True)
    assert requests(data) == [told]
    driver.feed(now_ns, answer(data))
    assert driver.poll(now_ns, True)[0] == b""
    # The old list's last pulse may have been just now: the new one's first comes a period later.
    assert driver.next_deadline() == now_ns + PERIOD_US * 1000
    data, _ = driver.poll(driver.next_deadline(), True)
    assert type(requests(data)[0]) is StartChannelListMode
    assert [output[:2] for output in driver.outputs() if output[1]] == [(t.channel, t.amplitude_ua) for t in trains]


def test_a_renewal_writes_nothing() -> None:
    assert ready_driver().deliver(Admitted(TOKEN, 1, T0, Renew(2, T0, T0 + MS)), T0) == b""


@pytest.mark.parametrize("trains", [(), (train(0),), (train(0), train(0, channel=2))])
def test_no_current_is_a_stop_and_never_a_list_of_0_ma(trains: tuple[Train, ...]) -> None:
    driver = running_driver()
    data = driver.deliver(ticket(*trains), T0 + MS)
    assert requests(data) == [StopChannelListMode()]
    assert driver.feed(T0 + MS, answer(data)) == [Confirmed(T0 + MS, ())]
    assert driver.confirmed_zero
    assert driver.outputs() == ((1, 0, 0, ""),)


def test_after_a_burst_the_list_is_prepared_so_that_the_next_starts_with_one_frame() -> None:
    driver = running_driver()
    driver.feed(T0 + MS, answer(driver.release(T0 + MS)))
    data, _ = driver.poll(T0 + MS, True)
    assert requests(data) == [LIST_1]
    driver.feed(T0 + MS, answer(data))
    assert driver.confirmed_zero
    now_ns = T0 + 200 * MS
    assert requests(driver.deliver(ticket(train(30_000)), now_ns)) == [
        StartChannelListMode((ListPulse(0, 250, 30_000),))
    ]
    assert not driver.confirmed_zero


def test_a_prepared_list_is_left_when_the_next_burst_has_other_channels() -> None:
    driver = running_driver()
    driver.feed(T0, answer(driver.release(T0)))
    driver.feed(T0, answer(driver.poll(T0, True)[0]))
    data = driver.deliver(ticket(OTHER), T0 + 50 * MS)
    assert requests(data) == [StopChannelListMode()]
    driver.feed(T0 + 50 * MS, answer(data))
    assert requests(driver.poll(T0 + 50 * MS, True)[0]) == [InitChannelListMode(0b100000, PERIOD_US)]


def test_no_list_is_prepared_without_a_lease_or_after_a_stop() -> None:
    driver = running_driver()
    driver.feed(T0, answer(driver.release(T0)))
    assert driver.poll(T0, False) == (b"", [])
    assert driver.next_deadline() > T0
    stopped = running_driver()
    stopped.stop(T0)
    stopped.feed(T0, STOP_ACK)
    assert stopped.poll(T0, True)[0] == b""


def test_an_order_during_the_end_of_a_burst_waits_for_the_end_and_a_period() -> None:
    driver = running_driver()
    data = driver.release(T0 + MS)
    assert driver.deliver(ticket(TRAIN), T0 + 2 * MS) == b""
    assert driver.feed(T0 + 3 * MS, answer(data)) == []
    assert not driver.confirmed_zero
    data, _ = driver.poll(T0 + 3 * MS, True)
    assert requests(data) == [LIST_1]
    driver.feed(T0 + 3 * MS, answer(data))
    assert driver.poll(T0 + 3 * MS, True)[0] == b""
    assert driver.next_deadline() == T0 + 30 * MS
    assert requests(driver.poll(T0 + 30 * MS, True)[0]) == [START_1]


@pytest.mark.parametrize("end", ["release", "stop"])
def test_an_order_that_waits_is_never_sent_after_the_end(end: str) -> None:
    driver = ready_driver()
    data = driver.deliver(ticket(TRAIN), T0)
    assert requests(data) == [LIST_1]
    ending = getattr(driver, end)(T0)
    assert requests(ending) == [StopChannelListMode()]
    driver.feed(T0, answer(data) + answer(ending))
    seen = []
    for ms in range(0, 2_000, 10):
        data, _ = driver.poll(T0 + ms * MS, True)
        driver.feed(T0 + ms * MS, answer(data))
        seen += requests(data)
    assert [type(request) for request in seen if type(request) in (InitChannelListMode, StartChannelListMode)] == []


def test_an_order_that_waits_is_dropped_when_the_lease_ends() -> None:
    driver = ready_driver()
    data = driver.deliver(ticket(TRAIN), T0)
    driver.poll(T0 + 150 * MS, False)
    driver = ready_driver()
    data = driver.deliver(ticket(TRAIN), T0)
    driver.feed(T0, answer(data))
    assert driver.poll(T0, False) == (b"", [])
    assert driver.poll(T0 + 10 * MS, True) == (b"", [])


# -- the pair check --------------------------------------------------------------------------------------------------

BAD_TRAINS = {
    "unbalanced": Train(1, (Point(250, 20_000), Point(100, 0), Point(250, -18_000)), PERIOD_US),
    "unequal widths": Train(1, (Point(250, 20_000), Point(100, 0), Point(500, -10_000)), PERIOD_US),
    "negative first": Train(1, (Point(250, -20_000), Point(100, 0), Point(250, 20_000)), PERIOD_US),
    "no gap": biphasic(1, 20_000, 250, 0, PERIOD_US),
    "gap of 99 us": biphasic(1, 20_000, 250, 99, PERIOD_US),
    "gap with current": Train(1, (Point(250, 20_000), Point(100, 2_000), Point(250, -20_000)), PERIOD_US),
    "four points": Train(1, (*TRAIN.points, Point(10, 0)), PERIOD_US),
    "one phase": Train(1, (Point(250, 20_000),), PERIOD_US),
    "above 126 mA": train(128_000),
    "odd mA": train(21_000),
    "half mA": train(20_500),
    "19 us": train(width_us=19),
    "501 us": train(width_us=501),
    "above 50 Hz": train(period_us=19_500),
    "above 1025 ms": train(period_us=1_025_500),
    "period off the grid": train(period_us=29_250),
    "period 0": train(period_us=0),
    "channel 0": train(channel=0),
    "channel 9": train(channel=9),
    "not a number": Train(1, (Point(250, float("nan")), Point(100, 0), Point(250, -20_000)), PERIOD_US),  # type: ignore[arg-type]
    "floats": Train(1, (Point(250, 20_000.0), Point(100, 0), Point(250, -20_000.0)), PERIOD_US),  # type: ignore[arg-type]
    "true": Train(True, TRAIN.points, PERIOD_US),
    "period not a number": Train(1, TRAIN.points, float("nan")),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", BAD_TRAINS)
def test_an_order_that_the_unit_cannot_do_exactly_is_refused_and_nothing_changes(name: str) -> None:
    driver = ready_driver()
    with pytest.raises(PairCheckFailed) as refusal:
        driver.deliver(ticket(BAD_TRAINS[name]), T0)
    assert len(str(refusal.value)) > 20
    assert driver.outputs() == ()
    assert driver.confirmed_zero
    assert driver.poll(T0, True) == (b"", [])


def test_unequal_periods_and_a_channel_twice_are_refused_with_a_sentence() -> None:
    driver = ready_driver()
    with pytest.raises(PairCheckFailed, match="share one period"):
        driver.deliver(ticket(TRAIN, train(channel=2, period_us=30_000)), T0)
    with pytest.raises(PairCheckFailed, match="twice"):
        driver.deliver(ticket(TRAIN, TRAIN), T0)


def test_the_slots_of_a_module_must_fit_the_period(monkeypatch: pytest.MonkeyPatch) -> None:
    four = [train(2_000, channel=channel, period_us=20_000) for channel in (1, 2, 3, 4)]
    assert rehastim2_orders.checked_list(tuple(four)) is not None
    slow = replace(REHASTIM2_LIMITS, slot_us=5_001)
    monkeypatch.setattr(rehastim2_orders, "REHASTIM2_LIMITS", slow)
    with pytest.raises(PairCheckFailed, match="5001 us each in 20000 us"):
        rehastim2_orders.checked_list(tuple(four))
    spread = [train(2_000, channel=channel, period_us=20_000) for channel in (1, 2, 3, 5)]
    assert rehastim2_orders.checked_list(tuple(spread)) is not None


def altered(message: Any, **change: Any) -> Any:
    if type(message) is StartChannelListMode:
        return StartChannelListMode((message.pulses[0]._replace(**change), *message.pulses[1:]))
    return message._replace(**change)


ENCODER_DEFECTS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "current": (StartChannelListMode, lambda m: altered(m, current_ua=22_000)),
    "width": (StartChannelListMode, lambda m: altered(m, width_us=251)),
    "doublet": (StartChannelListMode, lambda m: altered(m, mode=1)),
    "two pulses": (StartChannelListMode, lambda m: StartChannelListMode(m.pulses * 2)),
    "another message": (StartChannelListMode, lambda m: StopChannelListMode()),
    "channel": (InitChannelListMode, lambda m: altered(m, channels=2)),
    "one more channel": (InitChannelListMode, lambda m: altered(m, channels=3)),
    "period": (InitChannelListMode, lambda m: altered(m, interval_us=20_000)),
    "one shot": (InitChannelListMode, lambda m: altered(m, interval_us=0)),
    "low frequency": (InitChannelListMode, lambda m: altered(m, low_frequency_factor=1, low_frequency_mask=1)),
    "execution": (InitChannelListMode, lambda m: altered(m, execution=1)),
    "no list": (InitChannelListMode, lambda m: StopChannelListMode()),
}


@pytest.mark.parametrize("defect", ENCODER_DEFECTS)
def test_pair_check_catches_an_encoder_that_says_something_else(defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, change = ENCODER_DEFECTS[defect]

    def wrong(number: int, message: Any) -> bytes:
        return encode(number, change(message) if type(message) is kind else message)

    driver = ready_driver()
    monkeypatch.setattr(rehastim2_orders, "encode", wrong)
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(TRAIN), T0)
    assert driver.confirmed_zero


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: data + b"\x00", lambda data: data[:-2] + b"\x77\x0f"]
)
def test_pair_check_catches_damaged_bytes(spoil: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = ready_driver()
    with monkeypatch.context() as patch:
        patch.setattr(rehastim2_orders, "encode", lambda number, message: spoil(encode(number, message)))
        with pytest.raises(PairCheckFailed):
            driver.deliver(ticket(TRAIN), T0)
    rehastim2_orders.checked_list((TRAIN,), driver._known)
    build = rehastim2_orders.build
    monkeypatch.setattr(rehastim2_orders, "build", lambda *parts: spoil(build(*parts)))
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(TRAIN), T0)


LEGAL = st.dictionaries(
    st.integers(1, 8), st.tuples(st.integers(1, 63).map(lambda steps: 2_000 * steps), st.integers(20, 500)), min_size=1
)


@given(LEGAL, st.integers(40, 2050))
def test_every_legal_order_reads_back_as_itself(pulses: dict[int, tuple[int, int]], half_ms: int) -> None:
    trains = tuple(train(ua, us, channel, half_ms * 500) for channel, (ua, us) in sorted(pulses.items()))
    update = rehastim2_orders.checked_list(trains)
    assert update is not None
    init = rehastim2_orders.list_frame(7, 30, update.init)
    start = rehastim2_orders.list_frame(8, 32, update.start)
    assert tuple(rehastim2_orders.read_back(init, start)) == trains
    assert update.outputs == tuple((t.channel, t.amplitude_ua) for t in trains)


def test_nothing_is_delivered_before_ready_or_after_stop() -> None:
    with pytest.raises(PairCheckFailed):
        RehaStim2Driver().deliver(ticket(TRAIN), T0)
    driver = ready_driver()
    driver.stop(T0)
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(TRAIN), T0)


def test_what_is_known_stays_bounded_and_is_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known: rehastim2_orders.Known = {}
    first = rehastim2_orders.checked_list((TRAIN,), known)
    with monkeypatch.context() as patch:
        patch.setattr(rehastim2_orders, "encode", None)
        assert rehastim2_orders.checked_list((TRAIN,), known) is first
    for width_us in range(20, 501):
        for amplitude_ua in (2_000, 4_000):
            rehastim2_orders.checked_list((train(amplitude_ua, width_us),), known)
    assert len(known) <= rehastim2_orders.KNOWN_MAX


# -- keep-alive ------------------------------------------------------------------------------------------------------


def test_the_watchdog_is_fed_every_400_ms_at_most_and_only_while_alive() -> None:
    driver = ready_driver()
    fed: list[int] = []
    other: set[type] = set()
    now_ns = T0
    while now_ns < T0 + 3_000 * MS:
        now_ns = driver.next_deadline()
        alive = not T0 + 1_000 * MS <= now_ns < T0 + 2_000 * MS
        data, events = driver.poll(now_ns, alive)
        assert events == []
        for _, request in said(data):
            if type(request) is Watchdog:
                fed.append((now_ns - T0) // MS)
            else:
                other.add(type(request))
            assert alive
        driver.feed(now_ns, answer(data))
    assert fed == [400, 800, 2000, 2400, 2800, 3200]
    assert other == {GetStimulationMode}


def test_without_a_lease_nothing_at_all_is_written_not_even_a_question() -> None:
    driver = running_driver()
    for ms in range(1_300):
        data, _ = driver.poll(T0 + ms * MS, False)
        assert data == b""


def test_updates_do_not_keep_the_watchdog_waiting_and_it_is_not_sent_more_often() -> None:
    driver = running_driver()
    fed = []
    for ms in range(0, 2_000, 10):
        now_ns = T0 + ms * MS
        data = driver.deliver(ticket(train(20_000 + 2_000 * (ms // 10 % 2))), now_ns)
        data += driver.poll(now_ns, True)[0]
        fed += [ms for request in requests(data) if type(request) is Watchdog]
        driver.feed(now_ns, answer(data, 2))
    assert fed == [400, 800, 1200, 1600]


# -- what the unit may say or not say --------------------------------------------------------------------------------


def test_a_lost_acknowledgement_costs_one_question_and_then_a_fault() -> None:
    driver = running_driver()
    now_ns = T0 + 30 * MS
    assert requests(driver.deliver(ticket(train(22_000)), now_ns)) != []
    assert driver.next_deadline() == now_ns + 150 * MS
    data, events = driver.poll(now_ns + 150 * MS, True)
    assert (requests(data), events) == ([GetStimulationMode()], [])
    (fault,) = faults(driver.feed(now_ns + 160 * MS, answer(data, 2)))
    assert "did not confirm" in fault.cause
    assert not driver.ready


def test_an_acknowledgement_that_is_only_late_is_no_fault() -> None:
    driver = running_driver()
    now_ns = T0 + 30 * MS
    data = driver.deliver(ticket(train(22_000)), now_ns)
    question, _ = driver.poll(now_ns + 150 * MS, True)
    events = driver.feed(now_ns + 160 * MS, answer(data) + answer(question, 2))
    assert events == [Confirmed(now_ns + 160 * MS, ((1, 22_000),))]
    assert driver.ready


def test_a_unit_that_falls_silent_is_a_fault_after_the_question() -> None:
    driver = running_driver()
    now_ns = T0 + 30 * MS
    driver.deliver(ticket(train(22_000)), now_ns)
    driver.poll(now_ns + 150 * MS, True)
    data, events = driver.poll(now_ns + 300 * MS, True)
    assert data == b""
    assert [fault.cause for fault in faults(events)] == ["The unit no longer answers."]


def test_without_a_lease_a_late_answer_is_a_fault_at_once() -> None:
    driver = running_driver()
    now_ns = T0 + 30 * MS
    driver.deliver(ticket(train(22_000)), now_ns)
    data, events = driver.poll(now_ns + 150 * MS, False)
    assert (data, len(faults(events))) == (b"", 1)


@pytest.mark.parametrize(
    ("result", "words"), [(-1, "damaged"), (-2, "parameters"), (-3, "mode"), (-8, "busy"), (-7, "-7")]
)
def test_a_refusal_is_a_fault_with_a_sentence_and_what_to_do(result: int, words: str) -> None:
    for command, driver in ((31, ready_driver()), (33, running_driver())):
        ((number, _),) = said(driver.deliver(ticket(train(22_000)), T0 + 30 * MS))
        (fault,) = faults(driver.feed(T0 + 30 * MS, encode(number, Ack(command, result))))
        assert words in fault.cause
        assert fault.todo.endswith(".")
        assert not driver.ready


@pytest.mark.parametrize(
    ("code", "words", "todo"),
    [
        (-1, "emergency-stop switch of the unit is open or not connected.", "Close it, then"),
        (-2, "electrode on one of channels 1, 6", "Check the electrodes"),
        (-3, "module inside the unit is faulty", "switch the unit off and on"),
        (-9, "error -9", "switch the unit off and on"),
    ],
)
def test_an_error_of_the_stimulation_is_a_fault_and_nothing_runs_any_more(code: int, words: str, todo: str) -> None:
    driver = running_driver(TRAIN, OTHER)
    (fault,) = faults(driver.feed(T0 + 9 * MS, encode(3, StimulationError(code))))
    assert words in fault.cause
    assert todo in fault.todo
    assert not driver.ready
    assert all(confirmed_ua == 0 for _, _, confirmed_ua, _ in driver.outputs())
    assert [fault for *_, fault in driver.outputs()] == (["electrode"] * 2 if code == -2 else ["", ""])
    # The same again while the gateway stops it is not told twice.
    driver.stop(T0 + 10 * MS)
    assert driver.feed(T0 + 10 * MS, encode(4, StimulationError(code))) == []


def test_after_an_error_the_list_is_initialised_anew_once_a_person_has_rearmed() -> None:
    driver = running_driver()
    driver.feed(T0, encode(3, StimulationError(-1)))
    driver.feed(T0, answer(driver.stop(T0)))
    assert driver.poll(T0, True) == (b"", [])
    data = driver.rearm(T0 + MS)
    assert driver.feed(T0 + MS, answer(data)) == [Ready()]
    assert driver.outputs() == ((1, 0, 0, ""),)
    assert requests(driver.deliver(ticket(TRAIN), T0 + MS)) == [LIST_1]


@pytest.mark.parametrize("reported", [0, 1, 7])
def test_a_unit_that_does_not_run_what_it_acknowledged_is_a_fault(reported: int) -> None:
    driver = running_driver()
    now_ns = T0 + 400 * MS
    data, _ = driver.poll(now_ns, True)
    (fault,) = faults(driver.feed(now_ns, answer(data, reported)))
    assert "should be stimulating" in fault.cause


def test_an_announcement_in_a_session_is_a_fault_and_answered_after_the_stop() -> None:
    driver = running_driver()
    (fault,) = faults(driver.feed(T0 + MS, encode(8, Init(1))))
    assert "ended the session by itself" in fault.cause
    assert driver.poll(T0 + MS, True) == (b"", [])
    assert driver.stop(T0 + MS) == STOP
    assert said(driver.poll(T0 + MS, True)[0]) == [(8, InitAck(0)), (255, StopChannelListMode())]
    driver.feed(T0 + MS, STOP_ACK)
    assert requests(driver.poll(T0 + MS, True)[0]) == [WhoAreYou()]


def test_an_announcement_to_a_stopped_driver_begins_a_session_without_a_fault() -> None:
    driver = running_driver()
    driver.stop(T0)
    driver.feed(T0, STOP_ACK)
    assert driver.feed(T0 + 900 * MS, encode(8, Init(1))) == []
    assert said(driver.poll(T0 + 900 * MS, True)[0]) == [(8, InitAck(0)), (255, StopChannelListMode())]
    driver.feed(T0 + 900 * MS, STOP_ACK)
    events = driver.feed(T0 + 900 * MS, answer(driver.poll(T0 + 900 * MS, True)[0]))
    assert events == [Identified("RehaStim2", "ScienceMode 2, version 1")]
    assert not driver.ready


def test_frames_of_a_motomed_are_passed_over_and_not_counted() -> None:
    driver = running_driver()
    noise = b"".join(encode(n, Motomed(60, bytes((0, n, 0xF0, 0x0F, 0x81, 0)))) for n in range(200))
    noise += encode(1, Motomed(90, b"\xfc")) + encode(2, Motomed(58, bytes(20)))
    assert driver.feed(T0 + MS, noise) == []
    assert (driver.wire_faults, driver.ready, driver.confirmed_at_ns) == (0, True, T0)


def test_a_command_that_the_unit_should_know_and_does_not_is_a_fault() -> None:
    driver = running_driver()
    (fault,) = faults(driver.feed(T0, encode(3, UnknownCommand(10))))
    assert "command 10" in fault.cause


def test_answers_to_nothing_that_was_asked_are_counted_and_change_nothing() -> None:
    driver = running_driver()
    before = driver.outputs()
    junk = encode(77, Ack(33)) + encode(78, StimulationMode(0, 0)) + encode(79, SimulatedName("SIM")) + STOP_ACK
    assert driver.feed(T0, junk) == []
    assert driver.wire_faults == 3
    assert driver.outputs() == before
    assert driver.ready


# -- stop ------------------------------------------------------------------------------------------------------------


def in_each_state() -> dict[str, Callable[[], RehaStim2Driver]]:
    def stopping() -> RehaStim2Driver:
        driver = running_driver()
        driver.stop(T0)
        return driver

    def faulted() -> RehaStim2Driver:
        driver = running_driver()
        driver.feed(T0, encode(1, StimulationError(-3)))
        return driver

    def waiting() -> RehaStim2Driver:
        driver = RehaStim2Driver()
        driver.start(T0)
        return driver

    def identifying() -> RehaStim2Driver:
        driver = waiting()
        driver.feed(T0, STOP_ACK)
        driver.poll(T0, True)
        return driver

    return {
        "closed": RehaStim2Driver,
        "waiting": waiting,
        "identifying": identifying,
        "ready": ready_driver,
        "running": running_driver,
        "stopping": stopping,
        "faulted": faulted,
    }


@pytest.mark.parametrize("state", in_each_state())
def test_stop_is_one_prebuilt_frame_in_every_state(state: str) -> None:
    driver = in_each_state()[state]()
    assert driver.stop(T0) == STOP
    assert requests(STOP) == [StopChannelListMode()]
    assert not driver.ready
    assert driver.outputs() in ((), ((1, 0, 20_000, ""),), ((1, 0, 0, ""),))


def test_a_stop_is_repeated_until_confirmed_and_reported_when_the_unit_is_deaf() -> None:
    driver = running_driver()
    driver.stop(T0)
    sent, found = [], []
    now_ns = T0
    while now_ns < T0 + 2_000 * MS:
        now_ns = driver.next_deadline()
        data, events = driver.poll(now_ns, False)
        assert data == STOP
        sent.append((now_ns - T0) // MS)
        found += [(now_ns - T0) // MS for _ in faults(events)]
    assert sent == [100, 200, 300, 800, 1300, 1800, 2300]
    assert found == [300]
    assert driver.feed(now_ns, STOP_ACK) == [Confirmed(now_ns, ())]
    assert driver.confirmed_zero


@pytest.mark.parametrize(("result", "confirms"), [(0, True), (-3, True), (-1, False), (-8, False)])
def test_a_stop_is_confirmed_by_a_good_answer_or_by_the_wrong_mode(result: int, confirms: bool) -> None:
    driver = running_driver()
    driver.stop(T0)
    driver.feed(T0, encode(255, Ack(35, result)))
    assert driver.confirmed_zero is confirms


def test_what_was_on_its_way_when_it_was_stopped_is_let_pass() -> None:
    driver = running_driver()
    data = driver.deliver(ticket(train(22_000)), T0 + 30 * MS)
    driver.stop(T0 + 31 * MS)
    assert driver.feed(T0 + 32 * MS, answer(data) + STOP_ACK) == [Confirmed(T0 + 32 * MS, ())]
    assert driver.wire_faults == 0
    assert driver.outputs() == ((1, 0, 0, ""),)


def test_a_release_without_a_session_is_a_stop() -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    assert driver.release(T0) == STOP


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([STOP_ACK, encode(0, Init(1))])), max_size=12), st.data()
)
def test_no_bytes_and_no_order_of_calls_make_it_raise_or_loop(pieces: list[bytes], data: st.DataObject) -> None:
    driver = RehaStim2Driver()
    driver.start(T0)
    now_ns = T0
    for piece in pieces:
        driver.feed(now_ns, piece)
        for _ in range(10):
            if driver.next_deadline() > now_ns:
                break
            written, _ = driver.poll(now_ns, data.draw(st.booleans()))
            said(written)
        else:
            raise AssertionError("poll has always something more to do")
        getattr(driver, data.draw(st.sampled_from(["stop", "release", "rearm"])))(now_ns)
        now_ns += data.draw(st.integers(0, 700)) * MS


# -- with the twin ---------------------------------------------------------------------------------------------------


class Pair:
    """Driver and twin on one cable; `to_unit` and `to_host` are hooks: what of a write arrives."""

    def __init__(self, **options: Any) -> None:
        self.log: list[dict[str, Any]] = []
        self.twin = RehaStim2Twin(log=self.log.append, **options)
        self.driver = RehaStim2Driver()
        self.now_ns = T0
        self.alive = True
        self.events: list[Any] = []
        self.to_unit: Callable[[bytes], bytes] = lambda data: data
        self.to_host: Callable[[bytes], bytes] = lambda data: data
        self.written: list[bytes] = []

    def give(self, data: bytes) -> None:
        for _ in range(20):
            if data:
                self.written.append(data)
            arrived = self.to_unit(data) if data else b""
            reply = self.twin.feed(self.now_ns, arrived) if arrived else self.twin.advance(self.now_ns)
            heard = self.to_host(reply) if reply else b""
            self.events += self.driver.feed(self.now_ns, heard)
            data, events = self.driver.poll(self.now_ns, self.alive)
            self.events += events
            if not data:
                return
        raise AssertionError("driver and unit never fall silent")

    def run(self, ms: int) -> "Pair":
        end_ns = self.now_ns + ms * MS
        self.give(b"")
        while self.now_ns < end_ns:
            due_ns = min(self.driver.next_deadline(), self.twin.next_deadline(), end_ns)
            self.now_ns = max(self.now_ns + 1, due_ns)
            self.give(b"")
        return self

    def connect(self) -> "Pair":
        self.give(self.driver.start(self.now_ns))
        self.run(100)
        assert self.driver.ready
        return self

    def order(self, *trains: Train) -> None:
        self.give(self.driver.deliver(ticket(*trains), self.now_ns))

    def stop(self) -> None:
        self.give(self.driver.stop(self.now_ns))

    def trains(self) -> list[dict[str, Any]]:
        self.twin.close(self.now_ns)
        return [entry for entry in self.log if entry["kind"] == "train"]

    def faults(self) -> list[str]:
        return [entry["fault"] for entry in self.log if entry["kind"] == "fault"]


@pytest.fixture
def pair() -> Pair:
    return Pair().connect()


def test_a_burst_reaches_the_skin_as_ordered_and_ends(pair: Pair) -> None:
    assert [type(event) for event in pair.events] == [Confirmed, Identified, Ready]
    assert pair.driver.identity == "SIM0RS2001"
    pair.order(TRAIN, OTHER)
    pair.run(1_000)
    pair.give(pair.driver.release(pair.now_ns))
    pair.run(3_000)
    one, six = pair.trains()
    for found, wanted in ((one, TRAIN), (six, OTHER)):
        assert (found["channel"], found["amplitude_ua"], found["width_us"], found["period_us"]) == (
            wanted.channel,
            wanted.amplitude_ua,
            wanted.pulse_width_us,
            PERIOD_US,
        )
        assert found["pulses"] == 35  # 0 to 986 ms, every 29 ms
        assert found["charge_nc"] == 35 * wanted.charge_per_phase_nc
    assert pair.driver.confirmed_zero
    assert pair.driver.ready
    assert pair.faults() == []
    assert faults(pair.events) == []
    assert pair.driver.wire_faults == 0


def test_no_channel_ever_pulses_faster_than_ordered_whatever_is_ordered_when(pair: Pair) -> None:
    wanted = [(TRAIN,), (train(22_000),), (TRAIN, OTHER), (OTHER,), (train(period_us=20_000),), (TRAIN,)]
    pulses: dict[int, list[int]] = {}
    for step in range(40):
        pair.order(*wanted[step % len(wanted)])
        pair.run(7 + 13 * (step % 5))
        if step % 9 == 8:
            pair.give(pair.driver.release(pair.now_ns))
    for entry in pair.trains():
        times = [entry["t_start_ns"] + n * entry["period_us"] * 1000 for n in range(entry["pulses"])]
        pulses.setdefault(entry["channel"], []).extend(times)
    assert set(pulses) == {1, 6}
    for times in pulses.values():
        times.sort()
        assert min(b - a for a, b in pairwise(times)) >= 20_000_000
    assert pair.faults() == []
    assert faults(pair.events) == []


def test_without_a_lease_the_unit_stops_itself_within_its_watchdog(pair: Pair) -> None:
    pair.order(TRAIN)
    pair.run(1_000)
    pair.alive = False
    lost_ns = pair.now_ns
    pair.run(1_300)
    assert pair.twin.drive() == ()
    (found,) = pair.trains()
    assert lost_ns < found["t_end_ns"] < lost_ns + 1_200 * MS
    assert pair.faults() == ["watchdog"]
    assert faults(pair.events)[0].cause.startswith("The unit has ended the session by itself")


def test_while_alive_a_session_lasts_although_nothing_changes(pair: Pair) -> None:
    pair.order(TRAIN)
    pair.run(30_000)
    (found,) = pair.trains()
    assert found["pulses"] == 30_000 // 29 + 1
    assert pair.faults() == []


def test_nothing_is_sent_again_after_a_unit_has_come_back(pair: Pair) -> None:
    pair.order(TRAIN)
    pair.run(500)
    pair.twin.suffer("reset", "", pair.now_ns)
    pair.run(20)
    written = len(pair.written)
    # The gateway stops it at the first fault that it hears of; nobody re-arms.
    for _ in range(40):
        pair.run(50)
        if faults(pair.events):
            pair.stop()
            pair.events.clear()
    kinds = {type(request) for data in pair.written[written:] for request in requests(data)}
    assert not kinds & {StartChannelListMode, InitChannelListMode}
    assert pair.twin.drive() == ()
    assert pair.driver.identity == "SIM0RS2001"
    assert not pair.driver.ready
    pair.give(pair.driver.rearm(pair.now_ns))
    pair.run(10)
    assert pair.driver.ready
    assert pair.twin.pulses == len([0 for _ in range(0, 500, 29)])


def test_the_emergency_switch_stops_at_once_and_a_person_rearms_after_closing_it(pair: Pair) -> None:
    pair.order(TRAIN)
    pair.run(500)
    assert pair.twin.suffer("e-stop", "", pair.now_ns)
    pair.run(1)
    assert pair.twin.drive() == ()
    (fault,) = faults(pair.events)
    assert "emergency-stop switch" in fault.cause
    pair.stop()
    pair.run(100)
    assert pair.driver.confirmed_zero
    pair.give(pair.driver.rearm(pair.now_ns))
    pair.events.clear()
    pair.order(TRAIN)
    pair.run(100)
    assert "emergency-stop switch" in faults(pair.events)[0].cause
    pair.stop()
    pair.twin.suffer("e-stop", "off", pair.now_ns)
    pair.run(100)
    pair.events.clear()
    pair.give(pair.driver.rearm(pair.now_ns))
    pair.order(TRAIN)
    pair.run(200)
    assert faults(pair.events) == []
    assert pair.twin.drive() == ((1, 20_000, 250, PERIOD_US),)


def test_a_lifted_electrode_is_a_fault_from_15_ma_on(pair: Pair) -> None:
    pair.order(train(14_000))
    pair.twin.suffer("electrode-off", "1", pair.now_ns)
    pair.run(300)
    assert faults(pair.events) == []
    pair.order(train(16_000))
    pair.run(100)
    (fault,) = faults(pair.events)
    assert "electrode on channel 1" in fault.cause
    assert pair.driver.outputs()[0][3] == "electrode"


def test_a_motomed_at_the_unit_changes_nothing() -> None:
    pair = Pair(motomed=True).connect()
    pair.order(TRAIN)
    pair.run(2_000)
    assert faults(pair.events) == []
    assert pair.driver.wire_faults == 0
    assert pair.driver.ready


def test_noise_on_the_line_ends_in_a_fault_or_in_nothing_and_a_stop_gets_through(pair: Pair) -> None:
    pair.order(TRAIN)
    pair.run(200)
    pair.to_host = lambda data: b"\xf0\x81\x00" + data[:-1] + bytes((data[-1] ^ 1,))
    pair.run(2_000)
    assert faults(pair.events)[0].cause == "The unit no longer answers."
    pair.to_host = lambda data: data
    pair.stop()
    pair.run(600)
    assert pair.driver.confirmed_zero
    assert pair.twin.drive() == ()


def test_a_deaf_cable_towards_the_unit_is_survived_by_its_watchdog(pair: Pair) -> None:
    pair.order(TRAIN)
    pair.run(200)
    pair.to_unit = lambda data: b""
    cut_ns = pair.now_ns
    pair.run(400)
    assert faults(pair.events) != []
    pair.stop()
    pair.run(1_000)
    (found,) = pair.trains()
    assert found["t_end_ns"] < cut_ns + 1_200 * MS


def test_the_kind_says_what_the_program_must_know() -> None:
    assert stimulator("rehastim2") is REHASTIM2
    line, can = REHASTIM2.line, REHASTIM2.capabilities
    assert (line.baud, line.parity, line.stop_bits, line.rts_cts) == (460_800, "E", 1, False)
    assert (can.emergency_stop_input, can.watchdog_ms, can.interphase_us, can.common_period) == (True, 1_200, 100, True)
    assert (can.channels, can.amplitude_step_ua, can.electrode_test_ua_min) == (8, 2_000, 15_000)
    limits = REHASTIM2.limits
    assert (limits.amplitude_ua_max, limits.amplitude_step_ua, limits.channels) == (126_000, 2_000, 8)
    assert (limits.pulse_width_us_min, limits.pulse_width_us_max, limits.points_max) == (20, 500, 3)
    assert (limits.period_us_min, limits.period_us_max, limits.period_step_us) == (20_000, 1_025_000, 500)
    assert (limits.interphase_us, limits.common_period, limits.slot_us, limits.slot_channels) == (100, True, 1_500, 4)
    assert REHASTIM2.resembles(encode(0, Init(1)))
    assert REHASTIM2.usb == ((0x0403, 0x6001),)


def test_the_page_has_the_limits_that_the_guard_has() -> None:
    text = PAGE.read_text(encoding="utf-8")
    most = REHASTIM2_LIMITS
    assert f"| channels | {most.channels} |" in text
    assert f"up to {most.amplitude_ua_max // 1000} mA, grid {most.amplitude_step_ua // 1000} mA" in text
    assert (
        f"{most.pulse_width_us_min} to {most.pulse_width_us_max} us each, always {most.interphase_us} us apart" in text
    )
    assert f"{most.period_us_min // 1000} ms to {most.period_us_max / 1e6:g} s, grid 0.5 ms" in text
    assert f"{most.slot_us / 1000:g} ms in each period" in text
    assert f"command {WHO_ARE_YOU}" in text
