"""The RehaMove3's twin, and the faults that both ScienceMode twins can be given (their body: test_p24_twin.py)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.wire.sciencemode import p24, rehamove3
from controller.wire.sciencemode.frame import Frame, Framer, build, parse
from controller.wire.sciencemode.messages import (
    Ack,
    BatteryStatus,
    ChannelReport,
    ChannelUpdate,
    DeviceId,
    GetBatteryStatus,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    LlPulseAck,
    LlStop,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    Reset,
    RunReport,
    StimStatus,
    VersionMain,
)
from sim.catalogue import make
from sim.devices.p24 import P24Twin
from sim.devices.rehamove3 import RehaMove3Twin
from sim.devices.sciencemode_output import fits

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "sciencemode3_rehamove3.json").read_text())
SERVER = [pytest.param(case, id=case["case"]) for case in VECTORS["server_accept_reject"]]
MS = 1_000_000
T0 = 5_000_000_000
PERIOD_US = 29_000


def pulse(amplitude_ua: int = 20_000, channel: int = 1, width_us: int = 250) -> ChannelUpdate:
    return ChannelUpdate(channel - 1, ((width_us, amplitude_ua), (100, 0), (width_us, -amplitude_ua)), PERIOD_US)


class Bench:
    """A twin with a host that asks one thing at a time."""

    def __init__(self, kind: Any = RehaMove3Twin, **options: Any) -> None:
        self.log: list[dict[str, Any]] = []
        self.twin = kind(log=self.log.append, **options)
        self.wire: Any = rehamove3 if kind is RehaMove3Twin else p24
        self._framer = Framer()

    def answers(self, data: bytes) -> list[Any]:
        found = []
        for frame in self._framer.feed(data):
            assert isinstance(frame, Frame)
            found.append(self.wire.decode_answer(frame))
        return found

    def ask(self, now_ns: int, request: Any) -> Any:
        found = self.answers(self.twin.feed(now_ns, self.wire.encode(7, request)))
        return found[0] if found else None

    def update(self, now_ns: int, *channels: ChannelUpdate) -> int:
        answer = self.ask(now_ns, MlUpdate(channels))
        assert isinstance(answer, Ack)
        return answer.result

    def ready(self) -> "Bench":
        assert self.ask(T0 - 50 * MS, MlInit(False)) is None
        assert self.answers(self.twin.advance(T0)) == [Ack(31)]
        return self

    def faults(self) -> list[str]:
        return [entry["fault"] for entry in self.log if entry["kind"] == "fault"]

    def states(self) -> list[str]:
        return [entry["state"] for entry in self.log if entry["kind"] == "state"]


@pytest.fixture
def bench() -> Bench:
    return Bench().ready()


# -- what only this unit does ----------------------------------------------------------------------------------------


def test_questions_about_the_unit() -> None:
    bench = Bench(identity="SIM0000042")
    assert bench.ask(T0, GetDeviceId()) == DeviceId(0, "SIM0000042")
    assert bench.ask(T0, GetVersionMain()) == VersionMain(0, (2, 1, 16), (3, 2, 4))
    assert bench.ask(T0, GetBatteryStatus()) == BatteryStatus(0, 87, 4_096)
    assert bench.answers(bench.twin.feed(T0, p24.encode(3, GetExtendedVersion()))) == [Ack(67, 11)]
    with pytest.raises(ValueError, match="begins with SIM"):
        RehaMove3Twin("RM3-0001")
    assert make("rehamove3", seed=5, log=None).identity == "SIM0RM3001"


def test_levels_and_reports(bench: Bench) -> None:
    assert bench.ask(T0, GetStimStatus()) == StimStatus(0, 2, 6)
    assert bench.ask(T0, MlGetCurrentData(2)) == RunReport(0, 2, False, 0)
    assert bench.update(T0, pulse(), pulse(channel=4)) == 0
    assert bench.ask(T0, MlGetCurrentData(2)) == RunReport(0, 2, True, 0)
    assert bench.ask(T0, GetStimStatus()) == StimStatus(0, 3, 6)
    assert bench.ask(T0, MlGetCurrentData(4)).result == 2
    assert bench.ask(T0 + MS, MlStop()) is None
    assert bench.answers(bench.twin.advance(T0 + 41 * MS)) == [Ack(35)]
    assert bench.ask(T0 + 50 * MS, MlGetCurrentData(2)).result == 7
    assert bench.update(T0 + 50 * MS, pulse()) == 7
    assert bench.states() == ["ml", "running", "none"]


@pytest.mark.parametrize("case", SERVER)
def test_update_is_accepted_or_refused_as_by_the_vendors_decoder(case: dict[str, Any], bench: Bench) -> None:
    (answer,) = bench.answers(bench.twin.feed(T0, bytes.fromhex(case["hex"])))
    assert answer == Ack(33, 0 if case["accepted_by_vendor_server_decoder"] else 2)


CHANNELS = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(0, 4095), st.sampled_from([0, 500, -500, 130_500, 150_000])), min_size=1, max_size=6
        ).map(tuple),
        st.integers(0, 40).map(lambda units: units * 500),
    ),
    max_size=4,
).map(lambda found: tuple(ChannelUpdate(index, *entry) for index, entry in enumerate(found)))


@given(CHANNELS)
def test_hosts_check_and_units_check_agree(channels: tuple[ChannelUpdate, ...]) -> None:
    assert fits(channels, 150_000, 330) is (rehamove3.update_fault(MlUpdate(channels)) == "")


def test_a_fifth_channel_and_a_demultiplexer_do_not_exist(bench: Bench) -> None:
    data = p24.encode(3, MlUpdate((pulse(channel=5),)))
    assert bench.answers(bench.twin.feed(T0, data)) == [Ack(33, 2)]
    fresh = Bench()
    assert fresh.answers(fresh.twin.feed(T0, p24.encode(3, MlInit(True)))) == [Ack(31, 2)]
    for channel in (0, 5):
        with pytest.raises(ValueError, match="channels are 1 to 4"):
            bench.twin.electrode(channel, False)


def test_soft_start_counts_every_pulse_in_full(bench: Bench) -> None:
    assert bench.ask(T0, MlUpdate((pulse(),), soft_start=True)) == Ack(33)
    bench.twin.close(T0 + 100 * MS)
    (train,) = [entry for entry in bench.log if entry["kind"] == "train"]
    assert (train["pulses"], train["amplitude_ua"], train["charge_nc"]) == (4, 20_000, 20_000)


def test_a_reset_is_not_answered(bench: Bench) -> None:
    bench.update(T0, pulse())
    assert bench.ask(T0 + MS, Reset()) is None
    assert bench.twin.drive() == ()
    assert bench.update(T0 + 2 * MS, pulse()) == 7


def test_low_level_is_refused() -> None:
    bench = Bench()
    assert bench.ask(T0, LlInit()) == Ack(67, 11)
    assert bench.ask(T0, LlStop()) == Ack(5)
    bench.ready()
    assert bench.ask(T0, LlInit()) == Ack(1, 7)
    assert bench.ask(T0, LlStop()) == Ack(5, 7)
    assert bench.ask(T0, LlChannelConfig(0, 0, ((100, 500),))) == LlPulseAck(7)


@pytest.mark.parametrize(("own_acks", "answer"), [(True, RunReport(1)), (False, Ack(66, 1))])
def test_damaged_request_is_answered_with_transfer_error(own_acks: bool, answer: Any) -> None:
    bench = Bench(own_acks=own_acks).ready()
    data = bytearray(bench.wire.encode(9, MlGetCurrentData(2)))
    data[8] ^= 1
    assert bench.answers(bench.twin.feed(T0, bytes(data))) == [answer]
    assert bench.faults() == ["transfer"]


def test_watchdog_ends_pulses_after_two_seconds(bench: Bench) -> None:
    bench.update(T0, pulse())
    bench.ask(T0 + 500 * MS, MlGetCurrentData(2))
    bench.ask(T0 + 600 * MS, GetBatteryStatus())  # no keep-alive
    bench.twin.advance(T0 + 2_499 * MS)
    assert bench.twin.drive() != ()
    bench.twin.advance(T0 + 9_000 * MS)
    assert bench.twin.drive() == ()
    assert bench.ask(T0 + 9_000 * MS, MlGetCurrentData(2)) == RunReport(0, 2, False, 0)
    assert bench.update(T0 + 9_000 * MS, pulse()) == 0


@pytest.mark.parametrize("channel", [1, 2, 3, 4])
def test_a_lost_electrode_ends_all_channels_and_sets_its_bit(channel: int, bench: Bench) -> None:
    bench.update(T0, *(pulse(15_000, number) for number in (1, 2, 3, 4)))
    bench.twin.electrode(channel, False)
    bench.twin.advance(T0 + 60 * MS)
    assert bench.twin.drive() == ()
    assert bench.ask(T0 + 60 * MS, MlGetCurrentData(2)) == RunReport(0, 2, False, 1 << channel - 1)
    assert bench.update(T0 + 61 * MS, pulse(15_000, channel)) == 10
    bench.twin.electrode(channel, True)
    assert bench.update(T0 + 62 * MS, pulse(15_000, channel)) == 0


def test_below_15_ma_a_lost_electrode_goes_unnoticed(bench: Bench) -> None:
    bench.twin.electrode(1, False)
    assert bench.update(T0, pulse(14_500)) == 0
    bench.twin.advance(T0 + 100 * MS)
    assert bench.ask(T0 + 100 * MS, MlGetCurrentData(2)) == RunReport(0, 2, True, 0)
    assert (bench.twin.pulses, bench.twin.drive()) == (0, ())


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_are_survived_and_answers_are_good_frames(chunks: list[bytes]) -> None:
    bench = Bench().ready()
    for step, chunk in enumerate(chunks):
        bench.answers(bench.twin.feed(T0 + step * MS, chunk))
    assert isinstance(bench.ask(T0 + 10_000 * MS, MlStop()), Ack | None)


def test_vectors_of_requests_are_all_understood() -> None:
    for vector in VECTORS["vectors"]:
        if vector["direction"] == "host->unit":
            frame = parse(bytes.fromhex(vector["hex"]))
            assert isinstance(frame, Frame)
            twin = RehaMove3Twin()
            (back,) = Framer().feed(twin.feed(T0, bytes.fromhex(vector["hex"])) + twin.advance(T0 + 100 * MS))
            assert isinstance(back, Frame)
            assert back.packet_number == frame.packet_number


# -- faults on purpose -----------------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("kind", [RehaMove3Twin, P24Twin])


@BOTH
def test_an_electrode_can_be_lost_and_found(kind: Any) -> None:
    bench = Bench(kind).ready()
    assert bench.twin.suffer("electrode-off", "2", T0)
    assert bench.update(T0, pulse(), pulse(channel=2)) == 10
    assert bench.faults() == ["electrode"]
    assert bench.twin.suffer("electrode-off", "2 ok", T0 + MS)
    assert bench.update(T0 + MS, pulse(), pulse(channel=2)) == 0
    assert bench.twin.suffer("electrode-off", "", T0 + 2 * MS)
    assert bench.twin.suffer("electrode-off", "ok", T0 + 3 * MS)
    bench.twin.advance(T0 + 100 * MS)
    assert [entry[0] for entry in bench.twin.drive()] == [1, 2]


def test_too_little_current_is_told_apart_by_the_p24_alone() -> None:
    unit = Bench(P24Twin)
    unit.ask(T0 - 50 * MS, MlInit(False))
    unit.twin.advance(T0)
    assert unit.twin.suffer("electrode-short", "3", T0)
    assert unit.update(T0, pulse(), pulse(channel=3)) == 28
    assert unit.ask(T0, MlGetCurrentData(4)) == ChannelReport(0, 1, (0, 0, 3, 0, 0, 0, 0, 0))
    assert unit.ask(T0, MlGetCurrentData(3)) == RunReport(0, 3, True, 0)
    assert unit.faults() == ["low current"]
    other = Bench().ready()
    assert other.twin.suffer("electrode-short", "3", T0)
    assert other.update(T0, pulse(channel=3)) == 10
    assert other.ask(T0, MlGetCurrentData(2)) == RunReport(0, 2, False, 0b100)


def test_too_little_current_in_the_low_level() -> None:
    bench = Bench(P24Twin)
    bench.ask(T0 - 50 * MS, LlInit())
    bench.twin.advance(T0)
    bench.twin.suffer("electrode-short", "1", T0)
    assert bench.ask(T0, LlChannelConfig(0, 0, ((250, 20_000), (250, -20_000)))) is None
    assert bench.answers(bench.twin.advance(T0 + MS)) == [LlChannelConfigAck(28)]


def test_the_battery_can_be_low() -> None:
    bench = Bench()
    for value, percent in (("", 5), ("33", 33), ("ok", 87), ("0", 0), ("100", 100)):
        assert bench.twin.suffer("low-battery", value, T0)
        assert bench.ask(T0, GetBatteryStatus()).percent == percent
    for value in ("101", "-1", "much"):
        assert not bench.twin.suffer("low-battery", value, T0)
    assert not P24Twin().suffer("low-battery", "", T0)


@BOTH
def test_a_restart_by_itself_ends_everything_and_forgets_what_was_asked(kind: Any) -> None:
    bench = Bench(kind)
    init = MlInit(kind is P24Twin)
    bench.ask(T0, init)
    bench.ask(T0 + MS, GetDeviceId())
    assert bench.twin.suffer("reset", "", T0 + 10 * MS)
    assert bench.answers(bench.twin.advance(T0 + 200 * MS)) == []
    assert bench.update(T0 + 200 * MS, pulse()) == 7
    assert bench.ask(T0 + 200 * MS, init) is None
    assert bench.answers(bench.twin.advance(T0 + 300 * MS)) == [Ack(31)]
    assert bench.update(T0 + 300 * MS, pulse()) == 0
    bench.twin.suffer("reset", "", T0 + 330 * MS)
    assert bench.twin.drive() == ()
    assert bench.states() == ["ml", "running", "none"]
    assert [entry["pulses"] for entry in bench.log if entry["kind"] == "train"] == [2]


def test_a_restart_while_the_low_level_comes_up_leaves_no_level_behind() -> None:
    bench = Bench(P24Twin)
    bench.ask(T0, LlInit())
    bench.twin.suffer("reset", "", T0 + MS)
    bench.ask(T0 + 2 * MS, MlInit(True))
    bench.twin.advance(T0 + 100 * MS)
    assert bench.states() == ["ml"]


@BOTH
def test_an_error_that_nobody_asked_for(kind: Any) -> None:
    bench = Bench(kind)
    assert bench.twin.suffer("unsolicited-error", "", T0)
    assert bench.twin.next_deadline() == T0
    assert bench.answers(bench.twin.advance(T0)) == [Ack(66, 4)]
    assert bench.twin.next_deadline() > T0
    assert bench.twin.suffer("unsolicited-error", "8", T0 + MS)
    assert bench.answers(bench.twin.feed(T0 + MS, bench.wire.encode(3, GetDeviceId())))[0] == Ack(66, 8)
    assert not bench.twin.suffer("unsolicited-error", "0", T0 + MS)
    assert not bench.twin.suffer("unsolicited-error", "256", T0 + MS)


@BOTH
@pytest.mark.parametrize("value", ["9", "0", "x", "-1", "1.5"])
def test_faults_that_the_unit_cannot_have_are_refused(kind: Any, value: str) -> None:
    twin = kind()
    assert not twin.suffer("electrode-off", value, T0)
    assert not twin.suffer("e-stop", "", T0)
    assert not twin.suffer("reset", "ok", T0)


def test_answers_that_fall_due_when_a_fault_strikes_are_not_lost() -> None:
    bench = Bench()
    bench.ask(T0, MlInit(False))
    assert bench.twin.suffer("unsolicited-error", "4", T0 + 100 * MS)
    assert bench.answers(bench.twin.advance(T0 + 100 * MS)) == [Ack(31), Ack(66, 4)]


def test_a_reset_that_was_asked_for_is_answered_by_the_p24() -> None:
    twin = P24Twin()
    assert twin.feed(T0, p24.encode(3, Reset())) == build(3, 59, b"\x00")
