"""The driver of the P24's low level against the twin on a virtual clock: beat, lease, spreading, faults, refusals."""

import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.drivers.registry import STIMULATORS, names
from controller.drivers.stimulators import p24_low_orders
from controller.drivers.stimulators.events import Confirmed, Identified, PairCheckFailed, Ready, UnitFault
from controller.drivers.stimulators.kind import stimulator
from controller.drivers.stimulators.p24 import P24Driver
from controller.drivers.stimulators.p24_low import P24_LOW, UNANSWERED_MAX, P24LowDriver
from controller.drivers.stimulators.p24_low_clock import PulseClock
from controller.drivers.stimulators.p24_low_orders import checked_pulses
from controller.wire.sciencemode.frame import Frame, Framer
from controller.wire.sciencemode.messages import (
    Ack,
    DeviceId,
    ExtendedVersion,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    LlStop,
    MlInit,
    MlStop,
    MlUpdate,
    StimStatus,
    VersionMain,
)
from controller.wire.sciencemode.p24 import decode_request, encode
from safety.orders import Admitted, Deliver, Purpose, Renew, Token
from safety.stimulus import Point, Train, biphasic
from sim.devices.p24 import P24Twin

US, MS = 1_000, 1_000_000
SECOND = 1_000 * MS
T0 = SECOND
PERIOD_US = 29_000
PERIOD_NS = PERIOD_US * US
LENGTH_NS = 600 * US
TRAIN = biphasic(1, 20_000, 250, 100, PERIOD_US)
TOKEN = Token()
Answer = Callable[[int, Any], bytes]


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


def kinds(data: bytes) -> list[type]:
    """Messages without fields all equal the empty tuple, so what matters is their kind."""
    return [type(request) for _, request in said(data)]


def faults(events: Iterable[object]) -> list[UnitFault]:
    return [event for event in events if isinstance(event, UnitFault)]


class Bench:
    """Driver and twin on one clock, stepped at their own deadlines; `late_ns` makes each `poll` that much late.

    `pulses` holds (time, channel) of each pulse that reached the unit, `sent` everything that did.
    """

    def __init__(self, late_ns: Callable[[], int] = lambda: 0) -> None:
        self.now_ns = T0
        self.log: list[dict[str, Any]] = []
        self.twin = P24Twin(log=self.log.append)
        self.driver = P24LowDriver()
        self.alive = self.plugged = True
        self.change: Callable[[bytes], bytes] = lambda answer: answer
        self.events: list[Any] = []
        self.sent: list[tuple[int, Any]] = []
        self._late_ns = late_ns
        self._polls_ns = 0
        self._write(self.driver.start(self.now_ns))
        self.run(300)
        assert self.driver.ready

    def _write(self, data: bytes) -> None:
        self.sent += [(self.now_ns, request) for _, request in said(data)]
        if data and self.plugged:
            self._hear(self.twin.feed(self.now_ns, data))

    def _hear(self, answer: bytes) -> None:
        if self.plugged and answer:
            self.events += self.driver.feed(self.now_ns, self.change(answer))

    def run(self, ms: float) -> "Bench":
        ends_ns = self.now_ns + round(ms * MS)
        planned_ns, late_ns = -1, 0
        while self.now_ns < ends_ns:
            if self.driver.next_deadline() != planned_ns:
                planned_ns, late_ns = self.driver.next_deadline(), self._late_ns()
            poll_ns = max(planned_ns, self.now_ns) + late_ns
            self.now_ns = max(self.now_ns, min(poll_ns, self.twin.next_deadline(), ends_ns))
            self._hear(self.twin.advance(self.now_ns))
            if self.now_ns >= poll_ns:
                data, events = self.driver.poll(self.now_ns, self.alive)
                self.events += events
                self._write(data)
                planned_ns = -1
        return self

    def deliver(self, *trains: Train) -> "Bench":
        assert self.driver.deliver(ticket(*trains), self.now_ns) == b""
        return self

    def stop(self) -> None:
        self._write(self.driver.stop(self.now_ns))

    @property
    def pulses(self) -> list[tuple[int, int]]:
        return [
            (at_ns, request.connector * 4 + request.channel + 1)
            for at_ns, request in self.sent
            if isinstance(request, LlChannelConfig)
        ]

    def beats(self, channel: int = 1) -> list[int]:
        """The times between two pulses of a channel, in ns."""
        return [after - before for before, after in pairwise(at for at, one in self.pulses if one == channel)]

    def trains(self) -> list[dict[str, Any]]:
        """The twin's log, with the trains that still run."""
        self.twin.close(self.now_ns)
        return [entry for entry in self.log if entry["kind"] == "train"]


# -- handshake -------------------------------------------------------------------------------------------------------


def test_a_connection_begins_with_a_stop_of_both_levels_and_ends_ready() -> None:
    bench = Bench()
    requests = [type(request) for _, request in bench.sent]
    assert requests == [MlUpdate, MlStop, LlStop, GetDeviceId, GetExtendedVersion, LlInit]
    assert (bench.sent[0][1], bench.sent[5][1]) == (MlUpdate(()), LlInit(0, 0))
    assert bench.events == [Confirmed(T0, ()), Identified("SIM0P24001"), Ready()]
    assert bench.driver.confirmed_zero
    assert bench.driver.wire_faults == 0


def test_a_unit_that_somebody_left_running_in_its_mid_level_is_stopped_and_taken_over() -> None:
    twin = P24Twin()
    twin.feed(0, encode(1, MlInit()))
    pulse = ((200, 20_000), (200, -20_000))
    twin.advance(50 * MS)
    twin.feed(50 * MS, encode(2, MlUpdate(((0, pulse, 20_000, 0, False),))))  # type: ignore[arg-type]
    assert twin.drive()
    driver, events, now_ns = P24LowDriver(), [], 60 * MS
    events += driver.feed(now_ns, twin.feed(now_ns, driver.start(now_ns)))
    assert twin.drive() == ()
    for _ in range(20):
        now_ns = min(driver.next_deadline(), max(twin.next_deadline(), now_ns + 1))
        events += driver.feed(now_ns, twin.advance(now_ns))
        data, more = driver.poll(now_ns, True)
        events += more + driver.feed(now_ns, twin.feed(now_ns, data))
        if driver.ready:
            break
    assert driver.ready
    assert faults(events) == []


def test_zero_is_confirmed_only_when_both_levels_have_answered() -> None:
    driver = P24LowDriver()
    driver.start(T0)
    assert driver.feed(T0, encode(62, Ack(33, 7)) + encode(63, Ack(35, 7))) == []
    assert not driver.confirmed_zero
    assert driver.feed(T0, encode(63, Ack(5))) == [Confirmed(T0, ())]
    assert driver.confirmed_zero
    other = P24LowDriver()
    other.start(T0)
    assert other.feed(T0, encode(62, Ack(33, 7)) + encode(63, Ack(5))) == []
    assert not other.confirmed_zero
    assert other.feed(T0, encode(63, Ack(35))) == [Confirmed(T0, ())]


def test_a_silent_unit_is_told_to_stop_again_and_reported_once() -> None:
    driver = P24LowDriver()
    stop = driver.start(T0)
    found: list[Any] = []
    for _ in range(12):
        now_ns = driver.next_deadline()
        data, events = driver.poll(now_ns, True)
        assert data == stop
        found += events
    assert [fault.cause for fault in faults(found)] == ["The unit does not confirm STOP."]
    assert "2 s" not in faults(found)[0].todo


@pytest.mark.parametrize("step", range(3))
def test_silence_in_the_handshake_is_a_fault(step: int) -> None:
    driver = P24LowDriver()
    driver.start(T0)
    driver.feed(T0, encode(63, Ack(35)) + encode(63, Ack(5)))
    for answer in (DeviceId(0, "SIM0P24001"), ExtendedVersion(0, (1, 2, 3), (4, 0, 0)))[:step]:
        ((number, _),) = said(driver.poll(T0, True)[0])
        driver.feed(T0, encode(number, answer))
    driver.poll(T0, True)
    late_ns = driver.next_deadline()
    assert late_ns == T0 + (250 if step == 2 else 100) * MS
    assert driver.poll(late_ns - 1, True) == (b"", [])
    data, events = driver.poll(late_ns, True)
    assert (data, len(faults(events))) == (b"", 1)


def test_it_is_a_kind_of_its_own_that_says_it_is_fail_silent() -> None:
    assert stimulator("p24-low") is P24_LOW
    assert names(STIMULATORS)[:2] == ("p24", "p24-low")
    assert P24_LOW.capabilities.watchdog_ms == 0
    assert P24_LOW.capabilities.electrode_test_ua_min == 15_000
    assert stimulator("p24").capabilities.watchdog_ms == 2_000


def test_the_page_has_the_limits_that_the_guard_has() -> None:
    page = (Path(__file__).parents[2] / "docs" / "devices" / "p24-low.md").read_text(encoding="utf-8")
    limits = P24_LOW.limits
    assert f"| {limits.period_us_min / 1000:g} ms to {limits.period_us_max / 1e6:g} s, grid 0.5 ms |" in page
    assert f"each pulse plus {limits.overhead_us // 1000} ms" in page


# -- the beat --------------------------------------------------------------------------------------------------------


def test_pulses_stepped_at_the_deadlines_are_exactly_one_period_apart() -> None:
    bench = Bench().deliver(TRAIN).run(2_000)
    assert bench.pulses[0][0] == bench.now_ns - 2_000 * MS
    assert len(bench.pulses) == 2_000 // 29 + 1
    assert set(bench.beats()) == {PERIOD_NS}
    (train,) = bench.trains()
    assert (train["channel"], train["amplitude_ua"], train["width_us"]) == (1, 20_000, 250)
    assert (train["period_us"], train["pulses"]) == (PERIOD_US, 2_000 // 29 + 1)
    assert train["charge_nc"] == train["pulses"] * 5_000
    assert faults(bench.events) == []


@pytest.mark.parametrize("seed", range(5))
def test_with_late_polls_no_two_pulses_come_closer_than_seven_eighths_of_a_period(seed: int) -> None:
    dice = random.Random(seed)
    bench = Bench(lambda: dice.choice((0, dice.randrange(MS), dice.randrange(MS), dice.randrange(12 * MS))))
    bench.deliver(TRAIN).run(10_000)
    assert min(bench.beats()) >= PERIOD_NS * 7 // 8
    assert max(bench.beats()) <= PERIOD_NS + 12 * MS
    times = [at_ns for at_ns, _ in bench.pulses]
    for first in range(0, len(times), 7):
        for last in range(first + 1, len(times)):
            assert times[last] - times[first] >= (last - first) * PERIOD_NS - PERIOD_NS // 8
    assert sum(train["pulses"] for train in bench.trains()) == len(bench.pulses)
    assert faults(bench.events) == []


@pytest.mark.parametrize("seed", range(3))
def test_late_by_at_most_a_millisecond_step_is_one_train_at_its_rate(seed: int) -> None:
    dice = random.Random(seed)
    bench = Bench(lambda: dice.randrange(MS + 1)).deliver(TRAIN).run(10_000)
    (train,) = bench.trains()
    assert abs(train["period_us"] - PERIOD_US) <= 5
    assert train["pulses"] == len(bench.pulses)
    assert max(abs(beat - PERIOD_NS) for beat in bench.beats()) <= MS


@pytest.mark.parametrize("gap_periods", [1, 2, 5, 30])
def test_a_gap_of_the_host_is_not_caught_up(gap_periods: int) -> None:
    bench = Bench().deliver(TRAIN).run(10 * 29)
    before = len(bench.pulses)
    gap_ns = gap_periods * PERIOD_NS + 3 * MS
    bench.now_ns = bench.driver.next_deadline() + gap_ns
    bench._hear(bench.twin.advance(bench.now_ns))
    assert len(bench.pulses) == before
    start_ns = bench.now_ns
    bench.run(100)
    later = [at_ns for at_ns, _ in bench.pulses[before:]]
    assert later == [start_ns + k * PERIOD_NS for k in range(4)]


def test_a_renewal_changes_nothing() -> None:
    bench = Bench().deliver(TRAIN).run(100)
    due_ns = bench.driver.next_deadline()
    renewal = Admitted(TOKEN, 2, bench.now_ns, Renew(2, bench.now_ns, bench.now_ns + 120 * MS))
    assert bench.driver.deliver(renewal, bench.now_ns) == b""
    assert bench.driver.next_deadline() == due_ns
    assert bench.driver.outputs() == ((1, 20_000, 20_000, ""),)


def test_a_new_amplitude_keeps_the_beat_and_applies_from_the_next_pulse() -> None:
    bench = Bench()
    for step in range(20):
        bench.deliver(biphasic(1, 2_000 + step * 500, 250, 100, PERIOD_US)).run(20)
    bench.run(100)
    assert set(bench.beats()) == {PERIOD_NS}
    amplitudes = [train["amplitude_ua"] for train in bench.trains()]
    assert amplitudes == sorted(amplitudes)
    assert (amplitudes[0], amplitudes[-1]) == (2_000, 11_500)


def test_a_new_period_counts_from_the_last_pulse() -> None:
    bench = Bench().deliver(TRAIN).run(30)
    bench.deliver(biphasic(1, 20_000, 250, 100, 50_000)).run(200)
    assert bench.beats()[0] == PERIOD_NS
    assert set(bench.beats()[1:]) == {50 * MS}


def test_orders_that_come_and_go_never_bring_two_pulses_closer_than_a_period() -> None:
    bench = Bench()
    for _ in range(40):
        bench.deliver(TRAIN).run(4)
        bench._write(bench.driver.release(bench.now_ns))
        bench.run(1)
    assert len(bench.pulses) == pytest.approx(200 / 29, abs=1)
    assert min(bench.beats()) >= PERIOD_NS


# -- several channels ------------------------------------------------------------------------------------------------


def test_eight_channels_are_spread_so_that_no_two_pulses_overlap() -> None:
    bench = Bench()
    bench.deliver(*[biphasic(channel, 20_000, 250, 100, 20_000 + 1_000 * channel) for channel in range(1, 9)])
    waited = 0
    for _ in range(2_000):
        bench.run(1)
        waited = max(waited, len(bench.twin._waiting))
    assert waited == 0
    for (at_ns, _), (next_ns, _) in pairwise(bench.pulses):
        assert next_ns - at_ns >= LENGTH_NS + 60 * US
    for channel in range(1, 9):
        period_ns = (20_000 + 1_000 * channel) * US
        assert min(bench.beats(channel)) >= period_ns * 7 // 8
        assert len(bench.beats(channel)) == pytest.approx(2_000 * MS / period_ns, abs=2)
    assert {train["channel"] for train in bench.trains()} == set(range(1, 9))
    assert faults(bench.events) == []
    confirmed = [event for event in bench.events if isinstance(event, Confirmed)]
    assert confirmed[-1].outputs == tuple((channel, 20_000) for channel in range(1, 9))


def test_equal_periods_keep_their_places_one_behind_the_other() -> None:
    bench = Bench().deliver(*[biphasic(channel, 20_000, 250, 100, 25_000) for channel in range(1, 9)]).run(500)
    for channel in range(1, 9):
        assert set(bench.beats(channel)) == {25 * MS}
    first = [at_ns - bench.pulses[0][0] for at_ns, _ in bench.pulses[:8]]
    assert first == [place * (LENGTH_NS + 60 * US) for place in range(8)]


def test_a_channel_that_the_newest_ticket_does_not_name_is_off() -> None:
    two = biphasic(2, 16_000, 250, 100, PERIOD_US)
    bench = Bench().deliver(TRAIN, two).run(100)
    assert bench.driver.outputs() == ((1, 20_000, 20_000, ""), (2, 16_000, 16_000, ""))
    bench.deliver(two)
    cut_ns = bench.now_ns
    bench.run(100)
    assert {channel for at_ns, channel in bench.pulses if at_ns >= cut_ns} == {2}
    assert bench.driver.outputs() == ((1, 0, 0, ""), (2, 16_000, 16_000, ""))
    assert bench.events[-1].outputs == ((2, 16_000),)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(1, 8), st.integers(20, 80), max_size=4),
            st.integers(0, 120),
            st.integers(0, 9),
        ),
        max_size=12,
    )
)
def test_any_orders_any_lateness_no_overlap_and_never_too_fast(plan: list[tuple[dict[int, int], int, int]]) -> None:
    late = [0]
    bench = Bench(lambda: late[0])
    shortest: dict[int, int] = {}
    for periods, run_ms, late_ms in plan:
        trains = [biphasic(channel, 16_000, 250, 100, ms * 1000) for channel, ms in periods.items()]
        for channel, ms in periods.items():
            shortest[channel] = min(shortest.get(channel, 1 << 62), ms * MS)
        late[0] = late_ms * MS
        data = bench.driver.deliver(ticket(*trains), bench.now_ns)
        assert kinds(data) in ([], [GetStimStatus])
        bench._write(data)
        bench.run(run_ms)
    for (at_ns, _), (next_ns, _) in pairwise(bench.pulses):
        assert next_ns - at_ns >= LENGTH_NS + 60 * US
    for channel, period_ns in shortest.items():
        assert all(beat >= period_ns * 7 // 8 for beat in bench.beats(channel))
    assert faults(bench.events) == []


# -- the lease -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_us", [0, 1, 300, 600, 20_000, 28_999])
def test_when_the_lease_ends_no_further_pulse_reaches_the_unit(at_us: int) -> None:
    bench = Bench().deliver(TRAIN).run(290 + at_us / 1000)
    bench.alive = False
    ended_ns = bench.now_ns
    bench.run(1_000)
    assert [at_ns for at_ns, _ in bench.pulses if at_ns > ended_ns] == []
    assert all(train["t_end_ns"] <= ended_ns for train in bench.trains())
    assert bench.twin.drive() == ()
    assert bench.driver.confirmed_zero
    bench.alive = True
    before = len(bench.pulses)
    bench.run(500)
    assert len(bench.pulses) == before
    bench.deliver(TRAIN).run(60)
    assert len(bench.pulses) == before + 3


def test_when_the_host_falls_silent_nothing_comes_any_more() -> None:
    bench = Bench().deliver(TRAIN, biphasic(5, 16_000, 250, 100, 20_000)).run(300)
    silent_ns = bench.now_ns
    bench.twin.advance(silent_ns + 10 * SECOND)
    delivered = bench.twin.pulses
    bench.twin.advance(silent_ns + 60 * SECOND)
    assert bench.twin.pulses == delivered == len(bench.pulses)
    trains = [entry for entry in bench.log if entry["kind"] == "train"]
    assert {train["channel"] for train in trains} == {1, 5}
    assert max(train["t_end_ns"] for train in trains) <= silent_ns


def test_a_pulled_cable_ends_the_pulses_at_once_and_a_new_driver_does_not_go_on() -> None:
    bench = Bench().deliver(TRAIN).run(300)
    bench.plugged = False
    bench.twin.unplug(bench.now_ns)
    pulled_ns = bench.now_ns
    bench.run(1_000)
    assert all(train["t_end_ns"] <= pulled_ns for train in bench.trains())
    before = bench.twin.pulses
    bench.driver, bench.plugged = P24LowDriver(), True
    bench._write(bench.driver.start(bench.now_ns))
    bench.run(1_000)
    assert bench.driver.ready
    assert bench.twin.pulses == before


def test_the_end_of_a_burst_confirms_zero_and_keeps_the_level() -> None:
    bench = Bench().deliver(TRAIN).run(100)
    assert not bench.driver.confirmed_zero
    data = bench.driver.release(bench.now_ns)
    assert kinds(data) == [GetStimStatus]
    bench._write(data)
    assert bench.driver.confirmed_zero
    assert bench.events[-1] == Confirmed(bench.now_ns, ())
    assert bench.driver.ready
    assert bench.driver.outputs() == ((1, 0, 0, ""),)


def test_zero_in_the_middle_of_a_pulse_waits_for_its_end() -> None:
    bench = Bench().deliver(TRAIN).run(29.2)
    assert bench.driver._window.channels() == {1}
    bench._write(bench.driver.release(bench.now_ns))
    assert not bench.driver.confirmed_zero
    bench.run(0.5)
    assert bench.driver.confirmed_zero


def test_an_order_without_current_is_the_end_of_the_burst() -> None:
    bench = Bench().deliver(TRAIN).run(100)
    bench._write(bench.driver.deliver(ticket(biphasic(1, 0, 250, 100, PERIOD_US)), bench.now_ns))
    count = len(bench.pulses)
    bench.run(200)
    assert len(bench.pulses) == count
    assert bench.driver.confirmed_zero


@pytest.mark.parametrize("at_us", [29_000, 29_300, 40_000])
def test_stop_is_one_frame_and_ends_the_pulses(at_us: int) -> None:
    bench = Bench().deliver(TRAIN).run(at_us / 1000)
    stopped_ns = bench.now_ns
    count = len(bench.pulses)
    bench.stop()
    assert (bench.sent[-1][0], type(bench.sent[-1][1])) == (stopped_ns, LlStop)
    assert bench.twin.drive() == ()
    assert not bench.driver.confirmed_zero
    bench.run(50)
    assert bench.driver.confirmed_zero
    bench.run(2_000)
    assert len(bench.pulses) == count
    assert not bench.driver.ready
    assert faults(bench.events) == []
    bench._write(bench.driver.rearm(bench.now_ns))
    bench.run(50)
    assert bench.driver.ready
    assert len(bench.pulses) == count


def test_stop_is_repeated_until_the_unit_confirms_it() -> None:
    bench = Bench().deliver(TRAIN).run(100)
    bench.change = lambda answer: b""
    bench.stop()
    bench.run(1_000)
    stops = [at_ns for at_ns, request in bench.sent if type(request) is LlStop][1:]
    assert [after - before for before, after in pairwise(stops)][:4] == [100 * MS, 100 * MS, 100 * MS, 500 * MS]
    assert [fault.cause for fault in faults(bench.events)] == ["The unit does not confirm STOP."]
    bench.change = lambda answer: answer
    bench.run(600)
    assert bench.driver.confirmed_zero


def test_stop_and_release_are_valid_in_every_state() -> None:
    driver = P24LowDriver()
    stop = [MlUpdate, MlStop, LlStop]
    assert kinds(driver.stop(T0)) == stop
    assert kinds(driver.release(T0)) == stop
    bench = Bench()
    assert kinds(bench.driver.release(bench.now_ns)) == [GetStimStatus]
    bench.stop()
    assert kinds(bench.driver.stop(bench.now_ns)) == [LlStop]


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_lifted_electrode_is_a_fault_of_its_channel_and_ends_the_pulses() -> None:
    bench = Bench().deliver(TRAIN, biphasic(6, 16_000, 250, 100, PERIOD_US)).run(100)
    bench.twin.electrode(6, ok=False)
    bench.run(30)
    (fault,) = faults(bench.events)
    assert "channel 6" in fault.cause
    assert not bench.driver.ready
    assert bench.driver.outputs()[1] == (6, 0, 16_000, "electrode")
    count = len(bench.pulses)
    bench.run(1_000)
    assert len(bench.pulses) == count


def test_below_15_ma_a_lifted_electrode_is_not_noticed() -> None:
    bench = Bench().deliver(biphasic(1, 14_500, 250, 100, PERIOD_US))
    bench.twin.electrode(1, ok=False)
    bench.run(300)
    assert faults(bench.events) == []
    assert bench.twin.pulses == 0


def test_a_short_circuit_is_a_fault_of_its_channel() -> None:
    bench = Bench().deliver(TRAIN).run(100)
    assert bench.twin.suffer("electrode-short", "1", bench.now_ns)
    bench.run(60)
    (fault,) = faults(bench.events)
    assert fault.cause == "Too little current flows on channel 1."
    assert bench.driver.outputs()[0][3] == "low current"


def test_a_unit_that_restarts_by_itself_is_a_fault_and_does_not_go_on() -> None:
    bench = Bench().deliver(TRAIN).run(100)
    assert bench.twin.suffer("reset", "", bench.now_ns)
    before = bench.twin.pulses
    bench.run(1_000)
    (fault,) = faults(bench.events)
    assert fault.cause.startswith("The unit lost its initialisation")
    assert bench.twin.pulses == before
    bench._write(bench.driver.rearm(bench.now_ns))
    bench.run(500)
    assert bench.driver.ready
    assert bench.twin.pulses == before


def test_an_idle_unit_that_restarts_by_itself_is_found_out_by_the_next_question() -> None:
    bench = Bench().run(10)
    bench.twin.suffer("reset", "", bench.now_ns)
    bench.run(450)
    assert [fault.cause[:30] for fault in faults(bench.events)] == ["The unit lost its initialisati"]


def test_a_unit_that_names_its_version_otherwise_is_asked_otherwise() -> None:
    driver = P24LowDriver()
    driver.start(T0)
    driver.feed(T0, encode(63, Ack(35)) + encode(63, Ack(5)))
    ((number, _),) = said(driver.poll(T0, True)[0])
    driver.feed(T0, encode(number, DeviceId(0, "SIM0P24001")))
    ((number, _),) = said(driver.poll(T0, True)[0])
    driver.feed(T0, encode(number, Ack(67, 11)))
    ((number, request),) = said(driver.poll(T0, True)[0])
    assert type(request) is GetVersionMain
    (fault,) = faults(driver.feed(T0, encode(number, VersionMain(0, (1, 0, 0), (3, 2, 4)))))
    assert "RehaMove3" in fault.cause
    assert not driver.ready


def test_a_pulse_confirmed_on_another_channel_is_a_fault() -> None:
    bench = Bench().deliver(TRAIN)
    bench.change = lambda answer: encode(bench.driver._window._number, LlChannelConfigAck(0, 1, 2))
    bench.run(1)
    (fault,) = faults(bench.events)
    assert fault.cause == "The unit confirmed a pulse on channel 7, ordered was channel 1."
    assert not bench.driver.ready


def test_an_answer_with_a_wrong_number_is_counted_and_confirms_nothing() -> None:
    bench = Bench().deliver(TRAIN)
    bench.change = lambda answer: encode(61, LlChannelConfigAck(0, 0, 0))
    bench.run(20)
    assert bench.driver.wire_faults == 1
    assert bench.driver.outputs() == ((1, 20_000, 0, ""),)


@pytest.mark.parametrize("result", [2, 7, 8, 16, 21, 28])
def test_every_refusal_of_a_pulse_is_a_fault(result: int) -> None:
    bench = Bench().deliver(TRAIN)
    bench.change = lambda answer: encode(bench.driver._window._number, LlChannelConfigAck(result, 0, 0))
    bench.run(40)
    assert len(faults(bench.events)) == 1
    assert len(bench.pulses) == 1
    assert bench.driver.outputs()[0][3] != ""


def test_a_channel_whose_pulse_is_unanswered_waits_and_silence_is_a_fault() -> None:
    bench = Bench()
    bench.change = lambda answer: b""
    bench.deliver(*[biphasic(channel, 16_000, 250, 100, 20_000) for channel in range(1, 9)])
    started_ns = bench.now_ns
    bench.run(99)
    assert len(bench.pulses) == UNANSWERED_MAX == 8  # one of each channel
    bench.run(3)
    (fault,) = faults(bench.events)
    assert fault.cause == "The unit no longer answers."
    bench.run(1_000)
    assert len(bench.pulses) == UNANSWERED_MAX
    assert max(at_ns for at_ns, _ in bench.pulses) < started_ns + 100 * MS


def test_one_lost_answer_is_a_fault_after_100_ms_although_another_channel_goes_on() -> None:
    bench = Bench().deliver(TRAIN, biphasic(2, 10_000, 250, 100, 29_000))
    bench.change = lambda answer: b""
    bench.run(1)
    bench.change = lambda answer: answer
    bench.run(98)
    assert faults(bench.events) == []
    assert len(bench.pulses) == 1 + 4
    bench.run(3)
    (fault,) = faults(bench.events)
    assert fault.cause.startswith("The unit did not confirm a pulse")


def test_the_unit_is_asked_every_400_ms_while_idle_and_its_silence_is_a_fault() -> None:
    bench = Bench()
    bench.alive = False  # nothing is kept alive by it: it is asked all the same
    bench.run(2_000)
    asked = [at_ns for at_ns, request in bench.sent if type(request) is GetStimStatus]
    assert {after - before for before, after in pairwise(asked)} == {400 * MS}
    assert len(asked) >= 4
    bench.change = lambda answer: b""
    bench.run(501)
    assert [fault.cause for fault in faults(bench.events)] == ["The unit no longer answers."]


@pytest.mark.parametrize("level", [0, 2, 3])
def test_a_unit_that_is_in_another_level_is_a_fault(level: int) -> None:
    bench = Bench()
    bench.change = lambda answer: encode(bench.driver._window._number, StimStatus(0, level, 6))
    bench.run(500)
    assert len(faults(bench.events)) == 1


def test_an_unasked_error_of_the_unit_ends_the_pulses() -> None:
    bench = Bench().deliver(TRAIN).run(50)
    bench._hear(encode(0, Ack(66, 4)))
    assert len(faults(bench.events)) == 1
    count = len(bench.pulses)
    bench.run(500)
    assert len(bench.pulses) == count


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data: bytes) -> None:
    driver = P24LowDriver()
    driver.start(T0)
    driver.feed(T0, data)
    for _ in range(3):
        driver.poll(T0 + 50 * MS, True)


# -- what is refused -------------------------------------------------------------------------------------------------

GOOD = TRAIN.points


@pytest.mark.parametrize(
    "trains",
    [
        (Train(0, GOOD, PERIOD_US),),
        (Train(9, GOOD, PERIOD_US),),
        (Train(True, GOOD, PERIOD_US),),
        (Train(1, GOOD, 9_999),),
        (Train(1, GOOD, 0),),
        (Train(1, GOOD, 16_384_000),),
        (Train(1, GOOD, 29_000.0),),  # type: ignore[arg-type]
        (Train(1, GOOD, float("nan")),),  # type: ignore[arg-type]
        (Train(1, (Point(250, 20_000),), PERIOD_US),),
        (Train(1, (Point(250, 20_000), Point(250, -19_500)), PERIOD_US),),
        (Train(1, (Point(250, 20_250), Point(250, -20_250)), PERIOD_US),),
        (Train(1, (Point(250, 130_500), Point(250, -130_500)), PERIOD_US),),
        (Train(1, (Point(4_096, 500), Point(4_096, -500)), PERIOD_US),),
        (Train(1, (Point(10, 500), Point(10, -500)) * 9, PERIOD_US),),
        (TRAIN, Train(1, GOOD, 40_000)),
        tuple(Train(channel, (Point(900, 5_000), Point(900, -5_000)), 20_000) for channel in range(1, 9)),
    ],
    ids=range(16),
)
def test_an_order_that_the_low_level_cannot_say_is_refused_before_anything_is_sent(trains: tuple[Train, ...]) -> None:
    bench = Bench()
    with pytest.raises(PairCheckFailed):
        bench.driver.deliver(ticket(*trains), bench.now_ns)
    bench.run(100)
    assert bench.pulses == []


def test_an_order_is_refused_while_the_unit_is_not_ready() -> None:
    driver = P24LowDriver()
    with pytest.raises(PairCheckFailed):
        driver.deliver(ticket(TRAIN), T0)


def test_a_codec_that_says_something_else_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def louder(number: int, message: Any) -> bytes:
        points = tuple((duration_us, 2 * current_ua) for duration_us, current_ua in message.points)
        return encode(number, message._replace(points=points))

    monkeypatch.setattr(p24_low_orders, "encode", louder)
    with pytest.raises(PairCheckFailed, match="channel 1 reads back"):
        checked_pulses((TRAIN,))


def test_each_frame_is_read_back_and_one_that_is_not_right_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench().deliver(TRAIN)
    broken = p24_low_orders.build
    monkeypatch.setattr(p24_low_orders, "build", lambda *frame: broken(*frame)[:-1] + b"\x00")
    bench.run(100)
    assert bench.pulses == []
    (fault,) = faults(bench.events)
    assert fault.cause.startswith("The encoded frame did not match the order")


@pytest.mark.parametrize("channel", range(1, 9))
def test_channels_are_four_on_the_yellow_and_four_on_the_green_connector(channel: int) -> None:
    bench = Bench().deliver(biphasic(channel, 16_000, 250, 100, PERIOD_US)).run(40)
    first = next(request for _, request in bench.sent if isinstance(request, LlChannelConfig))
    assert (first.connector, first.channel, first.execute) == (channel > 4, (channel - 1) % 4, True)
    assert bench.trains()[0]["channel"] == channel


def test_packet_numbers_stay_below_those_of_the_stop() -> None:
    bench = Bench()
    bench.driver.deliver(ticket(TRAIN), bench.now_ns)
    numbers = set()
    for _ in range(200):
        bench.now_ns = max(bench.now_ns, bench.driver.next_deadline())
        for number, request in said(bench.driver.poll(bench.now_ns, True)[0]):
            numbers.add(number)
            bench.driver.feed(bench.now_ns, encode(number, LlChannelConfigAck(0, request.connector, request.channel)))
    assert numbers == set(range(62))


def test_the_clock_alone_gives_nothing_before_time_and_nothing_after_clear() -> None:
    clock = PulseClock()
    assert clock.take(T0) is None
    (pulse,) = checked_pulses((TRAIN,))
    clock.run(T0, (pulse,))
    assert clock.take(T0 - 1) is None
    assert clock.take(T0) == pulse
    assert clock.take(T0 + PERIOD_NS - 1) is None
    clock.clear()
    assert clock.take(T0 + SECOND) is None
    assert clock.next_ns() > 1_000 * SECOND


def test_the_mid_level_takes_over_a_unit_that_an_earlier_host_left_in_the_low_level():
    twin = P24Twin()
    twin.feed(0, encode(3, LlInit()))
    twin.advance(100_000_000)
    driver, now = P24Driver(), 200_000_000
    to_unit = driver.start(now)
    for _ in range(400):
        answer = twin.feed(now, to_unit) + twin.advance(now)
        driver.feed(now, answer)
        if driver.ready:
            break
        now += 1_000_000
        to_unit, _ = driver.poll(now, True)
    assert driver.ready
    assert driver.wire_faults == 0
