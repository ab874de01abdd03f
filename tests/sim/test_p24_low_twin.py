"""The low level of the P24's twin: levels, single pulses and their answers, the queue, electrodes, the train log."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.wire.sciencemode.frame import Frame, Framer, build
from controller.wire.sciencemode.messages import (
    Ack,
    ChannelReport,
    ChannelUpdate,
    GetStimStatus,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    LlStop,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    Reset,
    StimStatus,
)
from controller.wire.sciencemode.p24 import decode_answer, encode
from sim.devices.p24 import P24Twin

US, MS = 1_000, 1_000_000
SECOND = 1_000 * MS
T0 = 5 * SECOND
POINTS = ((250, 20_000), (100, 0), (250, -20_000))
LENGTH_NS = 600 * US


def pulse(channel: int = 1, points: Any = POINTS, execute: bool = True) -> LlChannelConfig:
    connector, place = divmod(channel - 1, 4)
    return LlChannelConfig(place, connector, points, execute)


class Bench:
    """A twin and a host that asks. `heard` collects (time, packet number, answer)."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []
        self.twin = P24Twin(log=self.log.append)
        self.heard: list[tuple[int, int, Any]] = []
        self._framer = Framer()

    def _hear(self, now_ns: int, data: bytes) -> list[Any]:
        frames = self._framer.feed(data)
        assert all(isinstance(frame, Frame) for frame in frames)
        answers = [(now_ns, frame.packet_number, decode_answer(frame)) for frame in frames]  # type: ignore[union-attr,arg-type]
        self.heard += answers
        return [answer for _, _, answer in answers]

    def ask(self, now_ns: int, request: Any, number: int = 7) -> Any:
        """What the unit answers at once, None if nothing."""
        self.live(now_ns)
        found = self._hear(now_ns, self.twin.feed(now_ns, encode(number, request)))
        return found[0] if found else None

    def live(self, to_ns: int) -> list[Any]:
        """Let the unit live up to `to_ns`, from one of its deadlines to the next."""
        found = []
        while self.twin.next_deadline() <= to_ns:
            at_ns = self.twin.next_deadline()
            found += self._hear(at_ns, self.twin.advance(at_ns))
        return found + self._hear(to_ns, self.twin.advance(to_ns))

    def ready(self, **options: int) -> "Bench":
        assert self.ask(T0 - 40 * MS, LlInit(**options)) is None
        assert self.live(T0) == [Ack(1)]
        return self

    def run(self, times_ns: Any, channel: int = 1, points: Any = POINTS) -> int:
        """A pulse at each of these times; gives the last."""
        for at_ns in times_ns:
            assert self.ask(at_ns, pulse(channel, points)) is None
        return at_ns

    def trains(self, now_ns: int | None = None) -> list[dict[str, Any]]:
        if now_ns is not None:
            self.twin.close(now_ns)
        return [entry for entry in self.log if entry["kind"] == "train"]

    def faults(self) -> list[str]:
        return [entry["fault"] for entry in self.log if entry["kind"] == "fault"]


@pytest.fixture
def bench() -> Bench:
    return Bench().ready()


# -- levels ----------------------------------------------------------------------------------------------------------


def test_the_level_goes_up_and_down_with_40_ms_of_high_voltage_each() -> None:
    bench = Bench()
    assert bench.ask(T0, LlInit()) is None
    assert bench.ask(T0 + 39 * MS, GetStimStatus()) is None
    assert bench.live(T0 + 40 * MS) == [Ack(1), StimStatus(0, 1, 6)]
    assert bench.ask(T0 + 50 * MS, LlStop()) is None
    assert bench.live(T0 + 90 * MS) == [Ack(5)]
    assert bench.ask(T0 + 91 * MS, GetStimStatus()) == StimStatus(0, 0, 1)
    assert [entry["state"] for entry in bench.log if entry["kind"] == "state"] == ["ll", "none"]


def test_the_mid_level_is_refused_while_the_low_level_is_up(bench: Bench) -> None:
    assert bench.ask(T0, LlInit()) == Ack(1, 7)
    assert bench.ask(T0, MlInit()) == Ack(31, 7)
    assert bench.ask(T0, MlUpdate((ChannelUpdate(0, POINTS, 20_000),))) == Ack(33, 7)
    assert bench.ask(T0, MlGetCurrentData()) == ChannelReport(7)
    assert bench.ask(T0, MlStop()) == Ack(35, 7)
    assert bench.ask(T0, GetStimStatus()) == StimStatus(0, 1, 6)
    assert bench.twin.pulses == 0


def test_the_low_level_is_refused_while_the_mid_level_is_up() -> None:
    bench = Bench()
    bench.ask(T0, MlInit())
    bench.live(T0 + 40 * MS)
    for _ in range(2):
        assert bench.ask(T0 + 50 * MS, LlInit()) == Ack(1, 7)
        assert bench.ask(T0 + 50 * MS, LlStop()) == Ack(5, 7)
        assert bench.ask(T0 + 50 * MS, pulse(7)) == LlChannelConfigAck(7, 1, 2)
        bench.ask(T0 + 50 * MS, MlUpdate((ChannelUpdate(0, POINTS, 20_000),)))
    assert bench.twin.drive() == ((1, 20_000, 250, 20_000),)


def test_without_a_level_a_pulse_is_refused_and_a_stop_is_not() -> None:
    bench = Bench()
    assert bench.ask(T0, pulse()) == LlChannelConfigAck(7, 0, 0)
    assert bench.ask(T0, LlStop()) == Ack(5)
    assert bench.twin.pulses == 0


def test_after_the_low_level_the_mid_level_works_and_the_other_way_round(bench: Bench) -> None:
    bench.run([T0])
    bench.ask(T0 + 10 * MS, LlStop())
    bench.ask(T0 + 60 * MS, MlInit())
    bench.live(T0 + 100 * MS)
    assert bench.ask(T0 + 100 * MS, MlUpdate((ChannelUpdate(0, POINTS, 20_000),))) == Ack(33)
    bench.ask(T0 + 200 * MS, MlStop())
    bench.ask(T0 + 250 * MS, LlInit())
    bench.live(T0 + 290 * MS)
    assert bench.ask(T0 + 290 * MS, pulse()) is None
    assert [train["pulses"] for train in bench.trains(T0 + SECOND)] == [1, 5, 1]


@pytest.mark.parametrize(("measurement", "high_voltage"), [(4, 0), (7, 0), (0, 7)])
def test_an_init_that_no_unit_knows_is_a_parameter_error(measurement: int, high_voltage: int) -> None:
    assert Bench().ask(T0, LlInit(measurement, high_voltage)) == Ack(1, 2)


def test_with_the_high_voltage_off_no_pulse_is_put_out() -> None:
    bench = Bench().ready(high_voltage=1)
    assert bench.ask(T0, GetStimStatus()) == StimStatus(0, 1, 1)
    assert bench.ask(T0, pulse()) == LlChannelConfigAck(8, 0, 0)
    assert bench.twin.pulses == 0


def test_reset_ends_the_level(bench: Bench) -> None:
    bench.run([T0])
    assert bench.ask(T0 + 100 * US, Reset()) == Ack(59)
    assert bench.twin.drive() == ()
    assert bench.live(T0 + SECOND) == []
    assert bench.ask(T0 + SECOND, pulse()).result == 7


# -- single pulses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", range(1, 9))
def test_a_pulse_is_answered_when_it_is_over_with_its_channel(bench: Bench, channel: int) -> None:
    assert bench.ask(T0, pulse(channel), number=33) is None
    assert bench.live(T0 + LENGTH_NS - 1) == []
    bench.live(T0 + LENGTH_NS)
    answer = LlChannelConfigAck(0, (channel - 1) // 4, (channel - 1) % 4)
    assert bench.heard[-1] == (T0 + LENGTH_NS, 33, answer)
    assert bench.trains(T0 + SECOND)[0]["channel"] == channel


def test_the_answer_has_the_fifteen_bytes_of_the_vendors_library(bench: Bench) -> None:
    bench.ask(T0, LlChannelConfig(0, 0, POINTS), number=1)
    assert bench.twin.advance(T0 + LENGTH_NS).hex().upper() == "F08155815A8147818F04030000000F"


def test_pulses_wait_for_each_other_up_to_ten_and_are_answered_in_order(bench: Bench) -> None:
    for number in range(11):
        assert bench.ask(T0, pulse(number % 8 + 1), number) is None
    assert bench.ask(T0, pulse(4), number=11) == LlChannelConfigAck(21, 0, 3)
    bench.heard.clear()
    bench.live(T0 + SECOND)
    assert [(at_ns, number) for at_ns, number, _ in bench.heard] == [
        (T0 + LENGTH_NS + place * (LENGTH_NS + 60 * US), place) for place in range(11)
    ]
    assert bench.twin.pulses == 11
    assert bench.faults() == ["busy"]


def test_a_configuration_that_is_not_executed_is_answered_at_once_and_puts_out_nothing(bench: Bench) -> None:
    assert bench.ask(T0, pulse(6, execute=False)) == LlChannelConfigAck(0, 1, 1)
    assert bench.ask(T0, pulse(6, (), execute=False)) == LlChannelConfigAck(0, 1, 1)
    # The vendor's library keeps the number of points in its field and leaves the points out.
    (answer,) = bench._hear(T0, bench.twin.feed(T0, build(3, 2, b"\x32")))
    assert answer == LlChannelConfigAck(0, 1, 1)
    assert bench.live(T0 + SECOND) == []
    assert bench.twin.pulses == 0


@pytest.mark.parametrize("payload", [b"", b"\x82", b"\x82" + bytes(8), b"\x02" + bytes(4)])
def test_a_configuration_with_missing_points_is_a_parameter_error(bench: Bench, payload: bytes) -> None:
    (answer,) = bench._hear(T0, bench.twin.feed(T0, build(3, 2, payload)))
    assert answer.result == 2
    assert bench.twin.pulses == 0


def test_more_than_130_ma_is_refused_and_130_ma_is_not(bench: Bench) -> None:
    assert bench.ask(T0, pulse(2, ((100, 130_500), (100, -130_500)))) == LlChannelConfigAck(2, 0, 1)
    assert bench.ask(T0, pulse(2, ((100, 130_000), (100, -130_000)))) is None
    assert bench.trains(T0 + SECOND)[0]["amplitude_ua"] == 130_000


def test_points_under_10_us_last_10_us(bench: Bench) -> None:
    bench.ask(T0, pulse(1, ((1, 20_000), (0, -20_000))))
    bench.live(T0 + 20 * US)
    assert bench.heard[-1][0] == T0 + 20 * US
    (train,) = bench.trains(T0 + SECOND)
    assert (train["width_us"], train["charge_nc"]) == (10, 200)


def test_a_stop_drops_what_waits(bench: Bench) -> None:
    for number in range(5):
        bench.ask(T0, pulse(1), number)
    bench.heard.clear()
    bench.ask(T0 + 700 * US, LlStop(), 20)
    bench.live(T0 + SECOND)
    assert [(number, answer) for _, number, answer in bench.heard] == [
        (0, LlChannelConfigAck()),
        (20, Ack(5)),
    ]
    assert bench.twin.pulses == 2


def test_there_is_no_watchdog_and_no_pulse_without_a_request(bench: Bench) -> None:
    bench.run([T0, T0 + 29 * MS])
    bench.live(T0 + 60 * SECOND)
    assert bench.twin.pulses == 2
    assert bench.ask(T0 + 60 * SECOND, GetStimStatus()) == StimStatus(0, 1, 6)
    assert bench.faults() == []


def test_with_the_cable_out_only_what_the_unit_had_already_taken_is_put_out(bench: Bench) -> None:
    for number in range(3):
        bench.ask(T0, pulse(1), number)
    bench.twin.unplug(T0 + MS)
    bench.twin.advance(T0 + 10 * SECOND)
    assert bench.twin.pulses == 3


# -- electrodes and measurement --------------------------------------------------------------------------------------


def test_a_missing_electrode_is_noticed_from_15_ma_on(bench: Bench) -> None:
    bench.twin.electrode(7, ok=False)
    assert bench.ask(T0, pulse(7, ((200, 14_500), (200, -14_500)))) is None
    bench.live(T0 + MS)
    assert bench.heard[-1][2] == LlChannelConfigAck(0, 1, 2)
    assert bench.ask(T0 + 2 * MS, pulse(7, ((200, 15_000), (200, -15_000)))) is None
    bench.live(T0 + 3 * MS)
    assert bench.heard[-1][2] == LlChannelConfigAck(10, 1, 2)
    assert bench.faults() == ["electrode"]
    assert bench.twin.pulses == 0
    bench.twin.electrode(7, ok=True)
    bench.run([T0 + 10 * MS], channel=7)
    assert bench.twin.pulses == 1


def test_faults_made_on_purpose_reach_the_low_level(bench: Bench) -> None:
    assert bench.twin.suffer("electrode-short", "2", T0)
    bench.ask(T0, pulse(2))
    bench.live(T0 + MS)
    assert bench.heard[-1][2] == LlChannelConfigAck(28, 0, 1)
    assert bench.twin.suffer("electrode-short", "2 ok", T0 + MS)
    assert bench.twin.suffer("unsolicited-error", "4", T0 + 2 * MS)
    assert bench.live(T0 + 2 * MS) == [Ack(66, 4)]
    bench.run([T0 + 3 * MS], channel=2)
    assert bench.twin.suffer("reset", "", T0 + 3 * MS + 100 * US)
    assert bench.live(T0 + SECOND) == []
    assert bench.ask(T0 + SECOND, pulse(2)).result == 7


def test_a_restart_while_the_high_voltage_rises_leaves_no_level() -> None:
    bench = Bench()
    bench.ask(T0, LlInit())
    bench.twin.suffer("reset", "", T0 + 10 * MS)
    assert bench.live(T0 + SECOND) == []
    assert bench.ask(T0 + SECOND, MlInit()) is None
    assert bench.live(T0 + 2 * SECOND) == [Ack(31)]
    assert bench.ask(T0 + 2 * SECOND, GetStimStatus()) == StimStatus(0, 2, 6)


@pytest.mark.parametrize(("kind", "scaled"), [(1, 2_000), (2, 1_000), (3, 15_000)])
def test_what_is_asked_to_be_measured_is_answered(kind: int, scaled: int) -> None:
    bench = Bench().ready(measurement=kind)
    bench.ask(T0, pulse(6))
    bench.live(T0 + LENGTH_NS)
    answer = bench.heard[-1][2]
    assert (answer.result, answer.connector, answer.channel, answer.measurement) == (0, 1, 1, kind)
    assert answer.sampling_us == 5  # 128 samples cover 600 us
    assert answer.samples[0] == answer.samples[100] == scaled
    assert answer.samples[60] == (15_000 if kind == 3 else 0)
    assert answer.samples[127] == (15_000 if kind == 3 else 0)


# -- the train log ---------------------------------------------------------------------------------------------------


def test_equal_pulses_at_equal_spacing_are_one_train(bench: Bench) -> None:
    last_ns = bench.run([T0 + k * 29 * MS for k in range(50)])
    assert bench.trains() == []
    assert bench.twin.drive() == ((1, 20_000, 250, 29_000),)
    assert bench.trains(last_ns + MS) == [
        {
            "kind": "train",
            "t_start_ns": T0,
            "t_end_ns": last_ns,
            "channel": 1,
            "pulses": 50,
            "amplitude_ua": 20_000,
            "width_us": 250,
            "period_us": 29_000,
            "charge_nc": 250_000,
        }
    ]


@pytest.mark.parametrize("percent", [5, 12, 24])
def test_jitter_of_less_than_a_quarter_is_one_train_with_its_mean_period(bench: Bench, percent: int) -> None:
    dice = random.Random(percent)
    times, at_ns = [T0], T0
    for step in range(60):
        at_ns += 20 * MS if step < 10 else round(20 * MS * (1 + dice.uniform(-percent, percent) / 110))
        times.append(at_ns)
    bench.run(times)
    (train,) = bench.trains(at_ns + MS)
    assert (train["pulses"], train["t_end_ns"]) == (61, at_ns)
    assert train["period_us"] == round((at_ns - T0) / 60 / 1000)


@pytest.mark.parametrize("factor", [0.7, 1.3, 2.0])
def test_another_spacing_begins_a_new_train(bench: Bench, factor: float) -> None:
    times = [T0 + k * 20 * MS for k in range(10)]
    second = [times[-1] + round((k + 1) * 20 * MS * factor) for k in range(10)]
    bench.run(times + second)
    trains = bench.trains(second[-1] + MS)
    assert [train["pulses"] for train in trains] == [10, 10]
    assert [train["period_us"] for train in trains] == [20_000, round(20_000 * factor)]
    assert trains[1]["t_start_ns"] == second[0]


def test_another_pulse_begins_a_new_train(bench: Bench) -> None:
    bench.run([T0 + k * 20 * MS for k in range(5)])
    bench.run([T0 + (5 + k) * 20 * MS for k in range(5)], points=((250, 21_000), (100, 0), (250, -21_000)))
    assert bench.twin.drive() == ((1, 21_000, 250, 20_000),)
    trains = bench.trains(T0 + 190 * MS)
    assert [(train["pulses"], train["amplitude_ua"]) for train in trains] == [(5, 20_000), (5, 21_000)]


def test_channels_are_logged_apart(bench: Bench) -> None:
    for k in range(20):
        bench.run([T0 + k * 30 * MS], 1)
        bench.run([T0 + k * 30 * MS + MS], 2)
    trains = bench.trains(T0 + SECOND)
    assert [(train["channel"], train["pulses"], train["period_us"]) for train in trains] == [
        (1, 20, 30_000),
        (2, 20, 30_000),
    ]


def test_a_train_is_logged_when_two_and_a_half_periods_have_passed_without_a_pulse(bench: Bench) -> None:
    last_ns = bench.run([T0 + k * 20 * MS for k in range(5)])
    bench.live(last_ns + 50 * MS - 1)
    assert bench.trains() == []
    bench.live(last_ns + 50 * MS)
    assert [train["pulses"] for train in bench.trains()] == [5]


def test_a_pulse_unlike_its_neighbours_has_the_time_since_the_one_before(bench: Bench) -> None:
    for k in range(4):
        bench.run([T0 + k * 29 * MS], points=((200, 500 * (k + 1)), (200, -500 * (k + 1))))
    trains = bench.trains(T0 + 90 * MS)
    assert [(train["amplitude_ua"], train["period_us"]) for train in trains] == [
        (500, 0),
        (1_000, 29_000),
        (1_500, 29_000),
        (2_000, 29_000),
    ]


def test_a_lone_pulse_is_logged_without_a_period(bench: Bench) -> None:
    bench.run([T0])
    bench.live(T0 + 2 * SECOND)
    (train,) = bench.trains()
    assert (train["pulses"], train["period_us"], train["charge_nc"]) == (1, 0, 5_000)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 40_000), st.integers(0, 60)), max_size=40))
def test_the_log_accounts_for_every_pulse_and_all_charge(plan: list[tuple[int, int, int]]) -> None:
    bench, now_ns, asked = Bench().ready(), T0, 0
    for channel, wait_us, steps in plan:
        now_ns += wait_us * US
        current_ua = steps * 500
        taken = bench.ask(now_ns, pulse(channel, ((200, current_ua), (200, -current_ua))))
        asked += current_ua > 0 and taken is None
    bench.live(now_ns + SECOND)
    trains = bench.trains(now_ns + SECOND)
    assert sum(train["pulses"] for train in trains) == bench.twin.pulses == asked
    assert sum(train["charge_nc"] for train in trains) == pytest.approx(bench.twin.charge_nc)


# -- at the skin -----------------------------------------------------------------------------------------------------


def test_a_lone_pulse_drives_the_muscle_as_the_slowest_train(bench: Bench) -> None:
    bench.run([T0])
    assert bench.twin.drive() == ((1, 20_000, 250, 120_000),)
    bench.live(T0 + 120 * MS - 1)
    assert bench.twin.drive() != ()
    bench.live(T0 + 120 * MS)
    assert bench.twin.drive() == ()


def test_drive_follows_the_last_spacing_and_ends_without_pulses(bench: Bench) -> None:
    bench.run([T0, T0 + 20 * MS, T0 + 45 * MS])
    assert bench.twin.drive() == ((1, 20_000, 250, 25_000),)
    bench.live(T0 + 45 * MS + 62_499 * US)
    assert bench.twin.drive() == ((1, 20_000, 250, 25_000),)
    bench.live(T0 + 45 * MS + 62_500 * US)
    assert bench.twin.drive() == ()


def test_slow_pulses_drive_no_longer_than_120_ms(bench: Bench) -> None:
    bench.run([T0, T0 + 100 * MS])
    assert bench.twin.drive() == ((1, 20_000, 250, 100_000),)
    bench.live(T0 + 220 * MS)
    assert bench.twin.drive() == ()


def test_a_lifted_electrode_and_a_stop_end_the_drive_at_once(bench: Bench) -> None:
    bench.run([T0, T0 + 20 * MS])
    bench.twin.electrode(1, ok=False)
    assert bench.twin.drive() == ()
    bench.twin.electrode(1, ok=True)
    assert bench.twin.drive() != ()
    bench.ask(T0 + 25 * MS, LlStop())
    assert bench.twin.drive() == ()


def test_deadlines_always_lie_ahead(bench: Bench) -> None:
    now_ns = T0
    for k in range(200):
        bench.run([now_ns], channel=k % 8 + 1)
        now_ns += 3 * MS
        bench.live(now_ns)
        assert bench.twin.next_deadline() > now_ns
