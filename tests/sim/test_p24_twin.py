"""The P24's twin: level, watchdog, result codes, electrodes, and a pulse log that is exact to the nanosecond."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.wire.sciencemode.frame import Frame, Framer, build, parse
from controller.wire.sciencemode.messages import (
    Ack,
    BatteryStatus,
    ChannelReport,
    ChannelUpdate,
    DeviceId,
    ExtendedVersion,
    GetBatteryStatus,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    Reset,
    RunReport,
    StimStatus,
    VersionMain,
)
from controller.wire.sciencemode.p24 import decode_answer, decode_request, encode
from controller.wire.sciencemode.pulses import update_fault
from sim.devices.p24 import P24Twin
from sim.devices.sciencemode_output import fits

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "sciencemode4_p24.json").read_text())
SERVER = [pytest.param(case, id=case["case"]) for case in VECTORS["server_accept_reject"]]
MS = 1_000_000
T0 = 5_000_000_000
PERIOD_US = 29_000


def pulse(
    amplitude_ua: int = 20_000, width_us: int = 250, channel: int = 1, period_us: int = PERIOD_US
) -> ChannelUpdate:
    return ChannelUpdate(channel - 1, ((width_us, amplitude_ua), (100, 0), (width_us, -amplitude_ua)), period_us)


class Bench:
    """A twin with a host that asks one thing at a time."""

    def __init__(self, **options: Any) -> None:
        self.log: list[dict[str, Any]] = []
        self.twin = P24Twin(log=self.log.append, **options)
        self._framer = Framer()

    def answers(self, data: bytes) -> list[Any]:
        found = []
        for frame in self._framer.feed(data):
            assert isinstance(frame, Frame)
            found.append(decode_answer(frame))
        return found

    def ask(self, now_ns: int, request: Any) -> Any:
        found = self.answers(self.twin.feed(now_ns, encode(7, request)))
        return found[0] if found else None

    def update(self, now_ns: int, *channels: ChannelUpdate) -> int:
        answer = self.ask(now_ns, MlUpdate(channels))
        assert isinstance(answer, Ack)
        assert answer.command == 33
        return answer.result

    def ready(self, stop_on_all_errors: bool = True) -> "Bench":
        assert self.ask(T0 - 50 * MS, MlInit(stop_on_all_errors)) is None
        assert self.answers(self.twin.advance(T0)) == [Ack(31)]
        return self

    def trains(self) -> list[dict[str, Any]]:
        return [entry for entry in self.log if entry["kind"] == "train"]

    def faults(self) -> list[str]:
        return [entry["fault"] for entry in self.log if entry["kind"] == "fault"]


@pytest.fixture
def bench() -> Bench:
    return Bench().ready()


# -- level -----------------------------------------------------------------------------------------------------------


def test_high_voltage_takes_40_ms_and_requests_wait_their_turn() -> None:
    bench = Bench()
    assert bench.ask(T0, MlInit()) is None
    assert bench.ask(T0 + MS, MlUpdate((pulse(),))) is None
    assert bench.twin.next_deadline() == T0 + 40 * MS
    assert bench.answers(bench.twin.advance(T0 + 39 * MS)) == []
    assert bench.twin.drive() == ()
    assert bench.answers(bench.twin.advance(T0 + 40 * MS)) == [Ack(31), Ack(33)]
    bench.twin.close(T0 + 41 * MS)
    assert bench.trains()[0]["t_start_ns"] == T0 + 40 * MS


def test_what_needs_a_level_is_refused_without_one() -> None:
    bench = Bench()
    assert bench.update(T0, pulse()) == 7
    assert bench.ask(T0, MlGetCurrentData()).result == 7
    assert bench.ask(T0, MlStop()) == Ack(35)
    assert bench.twin.pulses == 0


def test_a_second_init_is_refused_and_a_stop_drops_the_level(bench: Bench) -> None:
    assert bench.ask(T0, MlInit()) == Ack(31, 7)
    assert bench.update(T0, pulse()) == 0
    assert bench.ask(T0, GetStimStatus()) == StimStatus(0, 3, 6)
    assert bench.ask(T0 + MS, MlStop()) is None
    assert bench.twin.drive() == ()
    assert bench.answers(bench.twin.advance(T0 + 41 * MS)) == [Ack(35)]
    assert bench.ask(T0 + 50 * MS, GetStimStatus()) == StimStatus(0, 0, 1)
    assert bench.update(T0 + 50 * MS, pulse()) == 7
    assert [entry["state"] for entry in bench.log if entry["kind"] == "state"] == ["ml", "running", "none"]


def test_reset_ends_everything(bench: Bench) -> None:
    bench.update(T0, pulse())
    assert bench.ask(T0 + MS, Reset()) == Ack(59)
    assert bench.twin.drive() == ()
    assert bench.update(T0 + 2 * MS, pulse()) == 7


def test_questions_about_the_unit() -> None:
    bench = Bench(identity="SIM0000042")
    assert bench.ask(T0, GetDeviceId()) == DeviceId(0, "SIM0000042")
    assert bench.ask(T0, GetExtendedVersion()) == ExtendedVersion(0, (1, 0, 0), (4, 0, 0), 0, 1, True)
    assert bench.ask(T0, GetVersionMain()) == VersionMain(0, (1, 0, 0), (4, 0, 0))
    with pytest.raises(ValueError, match="begins with SIM"):
        P24Twin("P24-0001")


# -- result codes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SERVER)
def test_update_is_accepted_or_refused_as_by_the_vendors_decoder(case: dict[str, Any], bench: Bench) -> None:
    (answer,) = bench.answers(bench.twin.feed(T0, bytes.fromhex(case["hex"])))
    assert answer == Ack(33, 0 if case["accepted_by_vendor_server_decoder"] else 2)


CHANNELS = st.lists(
    st.builds(
        lambda points, period: (tuple(points), period),
        st.lists(
            st.tuples(st.integers(0, 4095), st.sampled_from([0, 500, -500, 130_000, 130_500])), min_size=1, max_size=6
        ),
        st.integers(0, 40).map(lambda units: units * 500),
    ),
    max_size=8,
).map(lambda found: tuple(ChannelUpdate(index, *entry) for index, entry in enumerate(found)))


@given(CHANNELS)
def test_hosts_check_and_units_check_agree(channels: tuple[ChannelUpdate, ...]) -> None:
    assert fits(channels, 130_000, 60) is (update_fault(MlUpdate(channels)) == "")


def damaged(data: bytes) -> bytes:
    """The same frame with a wrong CRC."""
    return data[:8] + bytes([data[8] ^ 1]) + data[9:]


@pytest.mark.parametrize(
    ("own_acks", "request_", "answer"),
    [
        (True, MlUpdate((pulse(),)), Ack(33, 1)),
        (True, MlGetCurrentData(), ChannelReport(1)),
        (False, MlUpdate((pulse(),)), Ack(66, 1)),
    ],
)
def test_damaged_request_is_answered_with_transfer_error(own_acks: bool, request_: Any, answer: Any) -> None:
    bench = Bench(own_acks=own_acks).ready()
    assert bench.answers(bench.twin.feed(T0, damaged(encode(9, request_)))) == [answer]
    assert bench.twin.drive() == ()
    assert bench.faults() == ["transfer"]


def test_wrong_length_is_a_general_error_and_stray_bytes_are_ignored(bench: Bench) -> None:
    data = bytearray(encode(9, MlStop()))
    data[4] ^= 1
    assert bench.answers(bench.twin.feed(T0, bytes(data)))[0] == Ack(66, 1)
    assert bench.answers(bench.twin.feed(T0, b"hello")) == []


def test_unknown_commands_are_named_so(bench: Bench) -> None:
    assert bench.answers(bench.twin.feed(T0, build(3, 500, b""))) == [Ack(67, 11)]
    assert bench.ask(T0, GetBatteryStatus()) == Ack(67, 11)
    assert bench.answers(bench.twin.feed(T0, damaged(encode(3, GetBatteryStatus())))) == [BatteryStatus(1)]


def test_requests_with_a_wrong_payload_are_parameter_errors(bench: Bench) -> None:
    assert bench.answers(bench.twin.feed(T0, build(3, 32, b"\x01\x20"))) == [Ack(33, 2)]
    assert bench.ask(T0, MlGetCurrentData(9)) == ChannelReport(2)


def test_low_level_is_refused_while_the_mid_level_is_up(bench: Bench) -> None:
    assert bench.ask(T0, LlInit()) == Ack(1, 7)
    assert bench.ask(T0, LlChannelConfig(0, 0, ((100, 500),))) == LlChannelConfigAck(7)


# -- pulses ----------------------------------------------------------------------------------------------------------


def test_a_train_is_counted_to_the_nanosecond(bench: Bench) -> None:
    bench.update(T0, pulse())
    assert bench.twin.drive() == ((1, 20_000, 250, PERIOD_US),)
    bench.twin.advance(T0 + 3 * PERIOD_US * 1000)
    assert bench.twin.pulses == 3
    bench.twin.advance(T0 + 3 * PERIOD_US * 1000 + 1)
    assert (bench.twin.pulses, bench.twin.charge_nc) == (4, 4 * 5_000)
    bench.update(T0 + 100 * MS)
    assert bench.trains() == [
        {
            "kind": "train",
            "t_start_ns": T0,
            "t_end_ns": T0 + 3 * PERIOD_US * 1000,
            "channel": 1,
            "pulses": 4,
            "amplitude_ua": 20_000,
            "width_us": 250,
            "period_us": PERIOD_US,
            "charge_nc": 20_000,
        }
    ]


def test_the_same_pulse_again_continues_the_train_without_an_extra_pulse(bench: Bench) -> None:
    for step in range(100):
        assert bench.update(T0 + step * 5 * MS, pulse(), pulse(channel=4, amplitude_ua=500 * (1 + step))) == 0
    bench.twin.close(T0 + 500 * MS)
    (train,) = [train for train in bench.trains() if train["channel"] == 1]
    assert (train["pulses"], train["t_start_ns"]) == (18, T0)
    assert sum(train["pulses"] for train in bench.trains() if train["channel"] == 4) == 18


def test_a_new_amplitude_keeps_the_pulse_clock_and_begins_a_new_train(bench: Bench) -> None:
    bench.update(T0, pulse(10_000))
    bench.update(T0 + 40 * MS, pulse(12_000))
    bench.twin.close(T0 + 100 * MS)
    assert [(t["amplitude_ua"], t["pulses"], t["t_start_ns"] - T0, t["t_end_ns"] - T0) for t in bench.trains()] == [
        (10_000, 2, 0, 29 * MS),
        (12_000, 2, 58 * MS, 87 * MS),
    ]


def test_an_amplitude_that_no_pulse_had_leaves_the_train_unbroken(bench: Bench) -> None:
    bench.update(T0, pulse(10_000))
    bench.update(T0 + 40 * MS, pulse(12_000))
    bench.update(T0 + 41 * MS, pulse(10_000))
    bench.twin.close(T0 + 100 * MS)
    assert [(train["amplitude_ua"], train["pulses"]) for train in bench.trains()] == [(10_000, 4)]


def test_a_new_period_counts_from_the_last_pulse(bench: Bench) -> None:
    bench.update(T0, pulse())
    bench.update(T0 + 30 * MS, pulse(period_us=50_000))
    bench.twin.close(T0 + 200 * MS)
    assert [(train["pulses"], train["t_start_ns"] - T0) for train in bench.trains()] == [(2, 0), (3, 79 * MS)]


def test_off_and_on_again_is_a_new_train_at_once(bench: Bench) -> None:
    bench.update(T0, pulse())
    bench.update(T0 + 10 * MS)
    bench.update(T0 + 20 * MS, pulse())
    bench.twin.close(T0 + 21 * MS)
    assert [(train["pulses"], train["t_start_ns"] - T0) for train in bench.trains()] == [(1, 0), (1, 20 * MS)]


def test_zero_current_is_no_pulse(bench: Bench) -> None:
    bench.update(T0, pulse(0))
    bench.twin.close(T0 + 500 * MS)
    assert (bench.twin.pulses, bench.trains(), bench.twin.drive()) == (0, [], ())
    assert bench.ask(T0 + 500 * MS, MlGetCurrentData()) == ChannelReport(0, 1)


def test_points_under_10_us_act_as_10(bench: Bench) -> None:
    bench.update(T0, pulse(10_000, 5))
    bench.twin.close(T0 + MS)
    assert (bench.trains()[0]["width_us"], bench.trains()[0]["charge_nc"]) == (10, 100)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 3), st.sampled_from([500, 10_000, 29_000])), max_size=12)
)
def test_lazy_counting_equals_counting_one_by_one(steps: list[tuple[int, int, int]]) -> None:
    """However often time is advanced in between, and against a count that walks from pulse to pulse."""
    lazy, eager = Bench().ready(), Bench().ready()
    now_ns, expected, running, next_ns, last_ns = T0, 0, None, 0, None
    for gap_us, amplitude, period_us in [*steps, (1_000, 0, 500)]:
        end_ns = now_ns + gap_us * 1000
        while running is not None and next_ns < end_ns:
            expected += 1
            last_ns, next_ns = next_ns, next_ns + running * 1000
        for at_ns in range(now_ns, end_ns, 7 * MS):
            eager.twin.advance(at_ns)
            assert eager.twin.pulses <= expected
        now_ns = end_ns
        channels = (pulse(500 * amplitude, 20, 1, period_us),) if amplitude else ()
        lazy.update(now_ns, *channels)
        eager.update(now_ns, *channels)
        if not channels:
            running = None
        elif running is None:
            running, next_ns, last_ns = period_us, now_ns, None
        elif running != period_us:
            running = period_us
            next_ns = next_ns if last_ns is None else max(now_ns, last_ns + period_us * 1000)
    lazy.twin.close(now_ns)
    eager.twin.close(now_ns)
    assert lazy.twin.pulses == eager.twin.pulses == expected
    assert lazy.log == eager.log
    assert sum(train["pulses"] for train in lazy.trains()) == expected
    assert sum(train["charge_nc"] for train in lazy.trains()) == lazy.twin.charge_nc


# -- watchdog and electrodes -----------------------------------------------------------------------------------------


def test_watchdog_ends_pulses_after_two_seconds_and_the_next_update_restarts(bench: Bench) -> None:
    bench.update(T0, pulse())
    assert bench.twin.next_deadline() == T0 + 2_000 * MS
    bench.ask(T0 + 500 * MS, MlGetCurrentData())
    bench.ask(T0 + 600 * MS, GetDeviceId())
    bench.twin.advance(T0 + 2_499 * MS)
    assert bench.twin.drive() != ()
    bench.twin.advance(T0 + 9_000 * MS)
    assert bench.twin.drive() == ()
    assert bench.trains()[0]["t_end_ns"] < T0 + 2_500 * MS
    assert bench.trains()[0]["pulses"] == 87
    assert bench.ask(T0 + 9_000 * MS, GetStimStatus()) == StimStatus(0, 2, 6)
    assert bench.ask(T0 + 9_000 * MS, MlGetCurrentData()) == ChannelReport(0, 0)
    assert bench.update(T0 + 9_000 * MS, pulse()) == 0
    assert bench.twin.drive() != ()


def test_unplugged_unit_goes_on_until_its_watchdog(bench: Bench) -> None:
    bench.update(T0, pulse())
    bench.twin.feed(T0 + MS, b"\xf0\x81\x55")
    bench.twin.unplug(T0 + 100 * MS)
    assert bench.twin.drive() != ()
    bench.twin.advance(T0 + 5_000 * MS)
    assert bench.twin.drive() == ()
    assert "watchdog" in bench.faults()
    assert bench.update(T0 + 5_000 * MS) == 0


@pytest.mark.parametrize(("stop_all", "left"), [(True, []), (False, [2])])
def test_lost_electrode_ends_its_channel_or_all_at_the_next_pulse(stop_all: bool, left: list[int]) -> None:
    bench = Bench().ready(stop_all)
    bench.update(T0, pulse(15_000), pulse(channel=2))
    bench.twin.advance(T0 + 30 * MS)
    bench.twin.electrode(1, False)
    assert bench.twin.next_deadline() == T0 + 58 * MS
    bench.twin.advance(T0 + 59 * MS)
    assert [entry[0] for entry in bench.twin.drive()] == left
    mask = sum(1 << channel - 1 for channel in left)
    assert bench.ask(T0 + 60 * MS, MlGetCurrentData()) == ChannelReport(0, mask, (1, 0, 0, 0, 0, 0, 0, 0))
    assert bench.ask(T0 + 60 * MS, MlGetCurrentData(3)) == RunReport(0, 3, bool(left), 1)
    assert bench.ask(T0 + 60 * MS, MlGetCurrentData(2)) == RunReport(0, 2, bool(left), 1)
    assert bench.update(T0 + 61 * MS, pulse(15_000), pulse(channel=2)) == 10
    bench.twin.electrode(1, True)
    assert bench.update(T0 + 62 * MS, pulse(15_000), pulse(channel=2)) == 0
    assert bench.ask(T0 + 62 * MS, MlGetCurrentData()) == ChannelReport(0, 3)


def test_below_15_ma_a_lost_electrode_goes_unnoticed_but_nothing_reaches_the_skin(bench: Bench) -> None:
    bench.twin.electrode(1, False)
    assert bench.update(T0, pulse(14_500)) == 0
    bench.twin.advance(T0 + 100 * MS)
    assert bench.ask(T0 + 100 * MS, MlGetCurrentData()) == ChannelReport(0, 1)
    assert (bench.twin.pulses, bench.twin.drive()) == (0, ())
    bench.twin.electrode(1, True)
    bench.twin.close(T0 + 200 * MS)
    assert [(train["pulses"], train["t_start_ns"] - T0) for train in bench.trains()] == [(3, 116 * MS)]


def test_there_are_eight_channels(bench: Bench) -> None:
    for channel in (0, 9):
        with pytest.raises(ValueError, match="channels are 1 to 8"):
            bench.twin.electrode(channel, False)


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_are_survived_and_answers_are_good_frames(chunks: list[bytes]) -> None:
    bench = Bench().ready()
    for step, chunk in enumerate(chunks):
        bench.answers(bench.twin.feed(T0 + step * MS, chunk))
    assert isinstance(bench.ask(T0 + 10_000 * MS, MlStop()), Ack | None)


def test_a_queue_of_requests_is_bounded_while_switching() -> None:
    bench = Bench()
    assert bench.ask(T0, MlInit()) is None
    for _ in range(200):
        assert bench.ask(T0 + MS, GetDeviceId()) is None
    assert len(bench.answers(bench.twin.advance(T0 + 50 * MS))) == 65


def test_vectors_of_requests_are_all_understood(bench: Bench) -> None:
    for vector in VECTORS["c_library"]["vectors"]:
        if vector["direction"] == "host->unit":
            frame = parse(bytes.fromhex(vector["hex"]))
            assert isinstance(frame, Frame)
            assert decode_request(frame) is not None
            twin = P24Twin()
            answer = twin.feed(T0, bytes.fromhex(vector["hex"])) + twin.advance(T0 + 100 * MS)
            (back,) = Framer().feed(answer)
            assert isinstance(back, Frame)
            assert back.packet_number == frame.packet_number
