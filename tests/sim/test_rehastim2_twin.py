"""The RehaStim2's twin: who speaks first, modes, watchdog, results, slots, electrodes, emergency stop, pulse log."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.wire.sciencemode2.frame import Frame, Framer, build, crc8
from controller.wire.sciencemode2.messages import (
    Ack,
    GetStimulationMode,
    Init,
    InitAck,
    InitChannelListMode,
    ListPulse,
    Motomed,
    SimulatedName,
    SinglePulse,
    StartChannelListMode,
    StimulationError,
    StimulationMode,
    StopChannelListMode,
    UnknownCommand,
    Watchdog,
    WhoAreYou,
)
from controller.wire.sciencemode2.rehastim2 import decode_answer, encode
from sim.catalogue import TWINS, make
from sim.devices.rehastim2 import RehaStim2Twin
from sim.devices.rehastim2_output import VOICES
from sim.faults_running import faults_of

MS = 1_000_000
T0 = 5_000_000_000
PERIOD_US = 20_000


def one(current_ua: int = 20_000, width_us: int = 250, mode: int = 0) -> ListPulse:
    return ListPulse(mode, width_us, current_ua)


class Bench:
    """A twin with a host that says one thing at a time; `feed` keeps the watchdog fed unless told otherwise."""

    def __init__(self, **options: Any) -> None:
        self.log: list[dict[str, Any]] = []
        self.twin = RehaStim2Twin(log=self.log.append, **options)
        self._framer = Framer()
        self._number = 10

    def read(self, data: bytes) -> list[Any]:
        return [message for _, message in self.numbered(data)]

    def numbered(self, data: bytes) -> list[tuple[int, Any]]:
        found = []
        for frame in self._framer.feed(data):
            assert isinstance(frame, Frame)
            found.append((frame.packet_number, decode_answer(frame)))
        return found

    def say(self, now_ns: int, *requests: Any) -> list[Any]:
        data = b""
        for request in requests:
            self._number = (self._number + 1) % 250
            data += encode(self._number, request)
        return self.read(self.twin.feed(now_ns, data))

    def met(self, now_ns: int = T0) -> "Bench":
        ((number, announcement),) = self.numbered(self.twin.advance(now_ns))
        assert announcement == Init(1)
        assert self.read(self.twin.feed(now_ns, encode(number, InitAck()))) == []
        assert self.twin.state == "start"
        return self

    def started(self, *pulses: ListPulse, channels: int = 1, now_ns: int = T0, **more: Any) -> "Bench":
        told = InitChannelListMode(channels, more.pop("interval_us", PERIOD_US), **more)
        assert self.say(now_ns, told) == [Ack(31)]
        assert self.say(now_ns, StartChannelListMode(pulses or (one(),))) == [Ack(33)]
        return self

    def live(self, to_ns: int) -> list[Any]:
        """Up to `to_ns`, with a watchdog every 400 ms."""
        found = []
        while (due_ns := min(self.twin._alive_ns + 400 * MS, to_ns)) < to_ns:
            found += self.say(due_ns, Watchdog())
        return found + self.read(self.twin.advance(to_ns))

    def trains(self, now_ns: int) -> list[dict[str, Any]]:
        self.twin.close(now_ns)
        return [entry for entry in self.log if entry["kind"] == "train"]

    def faults(self) -> list[str]:
        return [entry["fault"] for entry in self.log if entry["kind"] == "fault"]

    def states(self) -> list[tuple[str, str]]:
        return [(entry["state"], entry["why"]) for entry in self.log if entry["kind"] == "state"]


@pytest.fixture
def bench() -> Bench:
    return Bench().met()


# -- the session -----------------------------------------------------------------------------------------------------


def test_the_unit_speaks_first_every_500_ms_under_its_own_numbers() -> None:
    bench = Bench()
    assert bench.twin.next_deadline() > T0 + 3_600_000 * MS  # not switched on yet
    heard = []
    for ms in range(0, 2_001, 50):
        heard += [(ms, *entry) for entry in bench.numbered(bench.twin.advance(T0 + ms * MS))]
    assert heard == [(500 * n, n, Init(1)) for n in range(5)]
    assert bench.twin.next_deadline() == T0 + 2_500 * MS


def test_only_the_answer_to_the_last_announcement_opens_a_session() -> None:
    bench = Bench()
    bench.twin.advance(T0)
    bench.twin.advance(T0 + 500 * MS)
    for wrong in (
        encode(0, InitAck()),
        encode(1, InitAck(-5)),
        encode(1, Watchdog()),
        encode(1, StopChannelListMode()),
    ):
        assert bench.twin.feed(T0 + 600 * MS, wrong) == b""
        assert bench.twin.state == "waiting"
    assert bench.twin.feed(T0 + 600 * MS, encode(1, InitAck())) == b""
    assert bench.states() == [("start", "host")]
    assert bench.read(bench.twin.advance(T0 + 1_700 * MS)) == []


def test_a_host_that_falls_silent_loses_its_session_after_1200_ms(bench: Bench) -> None:
    bench.started()
    lost_ns = T0 + 1_200 * MS
    assert bench.twin.next_deadline() == lost_ns
    assert bench.read(bench.twin.advance(lost_ns - 1)) == []
    assert bench.numbered(bench.twin.advance(lost_ns)) == [(1, Init(1))]
    assert bench.twin.drive() == ()
    assert bench.faults() == ["watchdog"]
    (train,) = bench.trains(lost_ns)
    assert (train["pulses"], train["t_end_ns"]) == (60, T0 + 1_180 * MS)
    assert bench.say(lost_ns, StartChannelListMode((one(),))) == []
    assert bench.states()[-1] == ("waiting", "watchdog")
    assert bench.numbered(bench.twin.advance(lost_ns + 500 * MS)) == [(2, Init(1))]


@pytest.mark.parametrize(
    "frame",
    [
        encode(9, Watchdog()),
        encode(9, GetStimulationMode()),
        encode(9, WhoAreYou()),
        build(9, 111, b"?"),
        encode(9, InitAck()),
    ],
)
def test_any_valid_packet_feeds_the_watchdog(bench: Bench, frame: bytes) -> None:
    bench.started()
    bench.twin.feed(T0 + 1_199 * MS, frame)
    assert bench.twin.next_deadline() == T0 + 2_399 * MS
    assert bench.twin.state == "started"


def test_a_damaged_packet_does_not_feed_the_watchdog(bench: Bench) -> None:
    bench.started()
    bench.twin.feed(T0 + 1_000 * MS, encode(9, Watchdog())[:-2] + b"\x00\x0f")
    bench.twin.advance(T0 + 1_200 * MS)
    assert bench.twin.state == "waiting"


def test_the_name_is_told_to_who_asks_and_begins_with_sim(bench: Bench) -> None:
    assert bench.say(T0, WhoAreYou()) == [SimulatedName("SIM0RS2001")]
    with pytest.raises(ValueError, match="SIM"):
        RehaStim2Twin("RehaStim2")


def test_a_cable_that_is_pulled_leaves_the_pulses_to_the_watchdog(bench: Bench) -> None:
    bench.started()
    bench.twin.feed(T0 + 100 * MS, encode(9, Watchdog())[:4])
    bench.twin.unplug(T0 + 200 * MS)
    assert bench.states()[-1] == ("started", "unplugged")
    assert bench.twin.drive() == ((1, 20_000, 250, PERIOD_US),)
    bench.twin.advance(T0 + 1_200 * MS)
    assert bench.twin.drive() == ()


# -- modes and results -----------------------------------------------------------------------------------------------


def test_modes_follow_each_other_and_are_told(bench: Bench) -> None:
    def mode() -> Any:
        return bench.say(T0, GetStimulationMode())[0]

    assert mode() == StimulationMode(0, 0)
    assert bench.say(T0, StartChannelListMode((one(),))) == [Ack(33, -3)]
    assert bench.say(T0, InitChannelListMode(1, PERIOD_US)) == [Ack(31)]
    assert mode() == StimulationMode(0, 1)
    assert bench.say(T0, InitChannelListMode(1, PERIOD_US)) == [Ack(31, -3)]
    assert bench.say(T0, SinglePulse(0, 200, 20_000)) == [Ack(37, -3)]
    assert bench.say(T0, StartChannelListMode((one(),))) == [Ack(33)]
    assert mode() == StimulationMode(0, 2)
    assert bench.say(T0, InitChannelListMode(1, 30_000)) == [Ack(31, -3)]
    assert bench.say(T0, StopChannelListMode(), StopChannelListMode()) == [Ack(35), Ack(35)]
    assert mode() == StimulationMode(0, 0)
    assert bench.states() == [("start", "host"), ("initialised", "list"), ("started", "started"), ("start", "stopped")]


def list_data(mask: int = 1, units: int = 38, factor: int = 0, execution: int = 0, inter: int = 13) -> bytes:
    return bytes((factor, mask, 0, inter, units >> 8, units & 0xFF, execution))


@pytest.mark.parametrize(
    ("command", "data"),
    [
        (30, list_data(mask=0)),
        (30, list_data(units=13)),
        (30, list_data(units=2049)),
        (30, list_data(factor=8)),
        (30, list_data(execution=1)),
        (30, list_data()[:-1]),
        (30, b""),
        (34, b"\0"),
        (36, bytes((8, 0, 200, 20))),
        (36, bytes((0, 1, 245, 20))),
        (36, bytes((0, 0, 200, 131))),
        (36, bytes((0, 0, 200))),
    ],
)
def test_wrong_parameters_are_refused(bench: Bench, command: int, data: bytes) -> None:
    assert bench.read(bench.twin.feed(T0, build(9, command, data))) == [Ack(command + 1, -2)]
    assert bench.twin.state == "start"
    assert bench.twin.pulses == 0


@pytest.mark.parametrize(
    "data",
    [
        bytes((0, 0, 200, 20)) * 2,
        bytes((0, 0, 200)),
        bytes((3, 0, 200, 20)),
        bytes((0, 1, 245, 20)),
        bytes((0, 0, 200, 131)),
        b"",
    ],
)
def test_a_start_that_does_not_fit_its_list_changes_nothing(bench: Bench, data: bytes) -> None:
    bench.started()
    assert bench.read(bench.twin.feed(T0 + 50 * MS, build(9, 32, data))) == [Ack(33, -2)]
    assert bench.twin.drive() == ((1, 20_000, 250, PERIOD_US),)


def test_eight_channels_fit_8_ms_and_slots_count_for_each_module(bench: Bench) -> None:
    assert bench.say(T0, InitChannelListMode(0xFF, 8_000)) == [Ack(31)]


def test_a_group_must_fit_its_interval(bench: Bench) -> None:
    assert bench.say(T0, InitChannelListMode(1, PERIOD_US, 8_000)) == [Ack(31)]
    assert bench.say(T0, StartChannelListMode((one(mode=2),))) == [Ack(33, -2)]
    assert bench.say(T0, StartChannelListMode((one(mode=1),))) == [Ack(33)]


def test_damaged_requests_are_answered_where_they_can_be_and_logged(bench: Bench) -> None:
    good = encode(9, StopChannelListMode())
    wrong_crc = good[:2] + bytes((good[2] ^ 1,)) + good[3:]
    assert bench.read(bench.twin.feed(T0, wrong_crc)) == [Ack(35, -1)]
    assert bench.read(bench.twin.feed(T0, b"\x00\x01" + good[:-2] + good)) == [Ack(35, 0)]
    assert bench.faults() == ["transfer", "transfer"]


@pytest.mark.parametrize("command", [5, 12, 50, 95, 199])
def test_what_it_does_not_know_is_named(bench: Bench, command: int) -> None:
    assert bench.numbered(bench.twin.feed(T0, build(9, command, b""))) == [(9, UnknownCommand(command))]


def test_frames_with_extra_escapes_are_understood(bench: Bench) -> None:
    body = bytes((0x81, 9 ^ 0x55, 0x81, 34 ^ 0x55))
    frame = bytes((0xF0, 0x81, crc8(body) ^ 0x55, 0x81, len(body) ^ 0x55)) + body + b"\x0f"
    assert bench.numbered(bench.twin.feed(T0, frame)) == [(9, Ack(35))]


# -- pulses ----------------------------------------------------------------------------------------------------------


def test_a_train_is_logged_exactly(bench: Bench) -> None:
    bench.started()
    assert bench.twin.drive() == ((1, 20_000, 250, PERIOD_US),)
    bench.live(T0 + 999 * MS)
    bench.say(T0 + 1_000 * MS, StopChannelListMode())
    assert bench.trains(T0 + 1_100 * MS) == [
        {
            "kind": "train",
            "t_start_ns": T0,
            "t_end_ns": T0 + 980 * MS,
            "channel": 1,
            "pulses": 50,
            "amplitude_ua": 20_000,
            "width_us": 250,
            "period_us": PERIOD_US,
            "charge_nc": 50 * 5_000,
        }
    ]
    assert bench.twin.pulses == 50
    assert bench.twin.charge_nc == 50 * 5_000


def test_channels_of_a_module_follow_each_other_in_slots_and_modules_run_side_by_side(bench: Bench) -> None:
    bench.started(one(), one(), one(), channels=0b10101)  # 1 and 3 of the first module, 5 of the second
    starts = {entry["channel"]: entry["t_start_ns"] - T0 for entry in bench.trains(T0 + 100 * MS)}
    assert starts == {1: 0, 3: 1_500_000, 5: 0}


def test_an_update_applies_from_the_next_pulse_and_faster_ones_overwrite_each_other(bench: Bench) -> None:
    bench.started()
    for ms, current_ua in ((21, 30_000), (25, 40_000), (30, 50_000)):
        assert bench.say(T0 + ms * MS, StartChannelListMode((one(current_ua),))) == [Ack(33)]
    trains = bench.trains(T0 + 100 * MS)
    assert [(entry["amplitude_ua"], entry["pulses"], entry["t_start_ns"] - T0) for entry in trains] == [
        (20_000, 2, 0),
        (50_000, 3, 40 * MS),
    ]


@pytest.mark.parametrize(
    ("asked_ua", "width_us", "got"),
    [
        (21_000, 250, (22_000, 250)),
        (130_000, 250, (126_000, 250)),
        (20_000, 5, (20_000, 20)),
        (20_000, 0, (20_000, 20)),
    ],
)
def test_the_hardware_has_its_own_grid(bench: Bench, asked_ua: int, width_us: int, got: tuple[int, int]) -> None:
    assert bench.say(T0, InitChannelListMode(1, PERIOD_US)) == [Ack(31)]
    data = bytes((0, width_us >> 8, width_us & 0xFF, asked_ua // 1000))
    assert bench.read(bench.twin.feed(T0, build(9, 32, data))) == [Ack(33)]
    assert [entry[1:3] for entry in bench.twin.drive()] == [got]


def test_zero_current_counts_no_pulses_but_the_mode_goes_on(bench: Bench) -> None:
    bench.started(one(0))
    assert bench.live(T0 + 2_000 * MS) == []
    assert bench.twin.state == "started"
    assert bench.trains(T0 + 2_000 * MS) == []


@pytest.mark.parametrize(("mode", "group"), [(1, 2), (2, 3)])
def test_doublets_and_triplets_are_counted_and_stand_in_the_log_as_trains(bench: Bench, mode: int, group: int) -> None:
    bench.started(one(mode=mode), interval_us=50_000, inter_pulse_us=10_000)
    assert bench.twin.drive() == ((1, 20_000, 250, 50_000),) * group
    trains = bench.trains(T0 + 500 * MS)
    assert [(entry["pulses"], entry["t_start_ns"] - T0) for entry in trains] == [
        (10, 10 * MS * index) for index in range(group)
    ]
    assert bench.twin.pulses == 10 * group
    assert group <= VOICES


def test_a_channel_of_low_frequency_leaves_intervals_out(bench: Bench) -> None:
    bench.started(one(), one(), channels=0b100001, low_frequency_factor=2, low_frequency_mask=0b100000)
    counts = {entry["channel"]: (entry["pulses"], entry["period_us"]) for entry in bench.trains(T0 + 600 * MS)}
    assert counts == {1: (30, 20_000), 6: (10, 60_000)}


def test_in_one_shot_mode_each_start_is_one_group(bench: Bench) -> None:
    bench.started(one(mode=1), interval_us=0)
    assert bench.say(T0 + 100 * MS, StartChannelListMode((one(),))) == [Ack(33)]
    trains = bench.trains(T0 + 1_000 * MS)
    assert [(entry["pulses"], entry["t_start_ns"] - T0, entry["period_us"]) for entry in trains] == [
        (1, 0, 0),
        (1, 8 * MS, 0),
        (1, 100 * MS, 0),
    ]


def test_single_pulses_are_logged_one_by_one_and_a_module_is_busy_for_its_slot(bench: Bench) -> None:
    assert bench.say(T0, SinglePulse(0, 300, 20_000), SinglePulse(1, 300, 20_000), SinglePulse(4, 200, 10_000)) == [
        Ack(37),
        Ack(37, -8),
        Ack(37),
    ]
    assert bench.say(T0 + 1_500_000, SinglePulse(1, 300, 20_000)) == [Ack(37)]
    trains = bench.trains(T0 + 10 * MS)
    assert [(entry["channel"], entry["pulses"], entry["charge_nc"]) for entry in trains] == [
        (1, 1, 6_000),
        (5, 1, 2_000),
        (2, 1, 6_000),
    ]


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(1, 700), st.integers(0, 63), st.integers(20, 500), st.integers(0, 2)),
        min_size=1,
        max_size=8,
    ),
    st.integers(48, 200),
)
def test_the_log_adds_up_to_the_totals(updates: list[tuple[int, int, int, int]], half_ms: int) -> None:
    bench = Bench().met().started(interval_us=half_ms * 500)
    now_ns = T0
    for wait_ms, steps, width_us, mode in updates:
        bench.live(now_ns + wait_ms * MS)
        now_ns += wait_ms * MS
        assert bench.say(now_ns, StartChannelListMode((one(steps * 2_000, width_us, mode),))) == [Ack(33)]
    trains = bench.trains(now_ns + 500 * MS)
    assert bench.faults() == []
    assert bench.twin.pulses == sum(entry["pulses"] for entry in trains)
    assert bench.twin.charge_nc == pytest.approx(sum(entry["charge_nc"] for entry in trains))
    firsts = sorted(entry["t_start_ns"] for entry in trains)
    assert firsts == sorted(set(firsts))


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_lifted_electrode_stops_everything_from_15_ma_on(bench: Bench) -> None:
    bench.started(one(14_000), one(20_000), channels=0b11)
    bench.twin.electrode(1, False)
    assert bench.live(T0 + 500 * MS) == []
    assert [entry[0] for entry in bench.twin.drive()] == [2]
    assert bench.say(T0 + 510 * MS, StartChannelListMode((one(16_000), one(20_000)))) == [Ack(33)]
    assert bench.live(T0 + 530 * MS) == [StimulationError(-2)]
    assert bench.twin.drive() == ()
    assert bench.faults() == ["electrode"]
    assert bench.say(T0 + 540 * MS, GetStimulationMode()) == [StimulationMode(0, 0)]
    assert bench.say(T0 + 540 * MS, StartChannelListMode((one(), one()))) == [Ack(33, -3)]


def test_a_single_pulse_without_an_electrode_is_acknowledged_and_then_an_error(bench: Bench) -> None:
    bench.twin.electrode(1, False)
    assert bench.say(T0, SinglePulse(0, 300, 20_000)) == [Ack(37), StimulationError(-2)]
    assert bench.twin.pulses == 0


def test_there_is_no_channel_9(bench: Bench) -> None:
    for channel in (0, 9):
        with pytest.raises(ValueError, match="1 to 8"):
            bench.twin.electrode(channel, False)


def test_the_emergency_switch_ends_all_output_and_forbids_more(bench: Bench) -> None:
    bench.started()
    assert bench.twin.suffer("e-stop", "", T0 + 100 * MS)
    assert bench.twin.drive() == ()
    assert bench.numbered(bench.twin.advance(T0 + 100 * MS)) == [(1, StimulationError(-1))]
    assert bench.say(T0 + 110 * MS, InitChannelListMode(1, PERIOD_US)) == [Ack(31)]
    assert bench.say(T0 + 110 * MS, StartChannelListMode((one(),))) == [Ack(33), StimulationError(-1)]
    assert bench.say(T0 + 110 * MS, SinglePulse(0, 200, 20_000)) == [Ack(37), StimulationError(-1)]
    assert bench.twin.drive() == ()
    assert bench.twin.suffer("e-stop", "off", T0 + 200 * MS)
    bench.started(now_ns=T0 + 200 * MS)
    assert bench.twin.drive() != ()
    assert bench.faults() == ["emergency stop"] * 3
    assert bench.trains(T0 + 100 * MS)[0]["pulses"] == 5


def test_the_emergency_switch_says_nothing_while_nothing_is_initialised(bench: Bench) -> None:
    assert bench.twin.suffer("e-stop", "", T0)
    assert bench.twin.advance(T0) == b""


def test_electrodes_are_lifted_and_stuck_back_by_name(bench: Bench) -> None:
    assert bench.twin.suffer("electrode-off", "1", T0)
    bench.started()
    assert bench.live(T0 + MS) == [StimulationError(-2)]
    assert bench.faults() == ["electrode"]
    assert bench.twin.suffer("electrode-off", "1 ok", T0 + MS)
    bench.started(now_ns=T0 + MS)
    assert bench.live(T0 + 100 * MS) == []
    with pytest.raises(ValueError):
        bench.twin.suffer("electrode-off", "9", T0 + 100 * MS)


def test_a_reset_ends_the_session_and_the_unit_announces_itself_again(bench: Bench) -> None:
    bench.started()
    assert bench.twin.suffer("reset", "", T0 + 100 * MS)
    assert bench.twin.drive() == ()
    assert bench.read(bench.twin.advance(T0 + 599 * MS)) == []
    assert bench.read(bench.twin.advance(T0 + 600 * MS)) == [Init(1)]
    assert bench.states()[-1] == ("waiting", "reset")


@pytest.mark.parametrize(("value", "code"), [("", -3), ("-1", -1), ("-2", -2), ("-3", -3)])
def test_an_error_comes_unasked(bench: Bench, value: str, code: int) -> None:
    bench.started()
    assert bench.twin.suffer("unsolicited-error", value, T0 + MS)
    assert bench.read(bench.twin.advance(T0 + MS)) == [StimulationError(code)]
    assert bench.twin.state == "start"


@pytest.mark.parametrize(
    ("fault", "value"),
    [("low-battery", ""), ("electrode-short", "1"), ("unsolicited-error", "5"), ("reset", "ok"), ("x", "")],
)
def test_faults_that_such_a_unit_does_not_have_are_refused(bench: Bench, fault: str, value: str) -> None:
    assert not bench.twin.suffer(fault, value, T0)
    assert bench.faults() == []


def test_an_attached_motomed_reports_every_20_ms_while_a_host_is_there() -> None:
    bench = Bench(motomed=True).met()
    heard = bench.read(bench.twin.advance(T0 + 200 * MS))
    assert [type(message) for message in heard] == [Motomed] * 10
    assert {message.command for message in heard} == {60}
    bench.twin.advance(T0 + 1_200 * MS)
    assert bench.read(bench.twin.advance(T0 + 1_699 * MS)) == []


def test_the_catalogue_makes_it_and_knows_its_faults() -> None:
    assert TWINS["rehastim2"].streams
    twin = make("rehastim2", seed=3, log=None)
    assert type(twin) is RehaStim2Twin
    found = faults_of("rehastim2")
    assert {"e-stop", "electrode-off", "reset", "unsolicited-error", "wrong-number", "wrong-length"} <= set(found)
    assert not {"low-battery", "electrode-short", "stuck-joint", "clock-drift"} & set(found)


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=60), max_size=10), st.booleans())
def test_no_bytes_make_it_raise_and_all_it_says_is_well_formed(pieces: list[bytes], meets: bool) -> None:
    bench = Bench()
    if meets:
        bench.met()
    now_ns = T0
    for piece in pieces:
        now_ns += 300 * MS
        bench.read(bench.twin.feed(now_ns, piece))
    bench.twin.close(now_ns)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=12)), max_size=12))
def test_no_request_makes_it_raise(requests: list[tuple[int, bytes]]) -> None:
    bench = Bench().met()
    for step, (command, data) in enumerate(requests):
        bench.read(bench.twin.feed(T0 + step * 10 * MS, build(step, command, data)))
    bench.twin.close(T0 + 1_000 * MS)
