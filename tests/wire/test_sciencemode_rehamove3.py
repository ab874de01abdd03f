"""The RehaMove3's messages against frames made by the vendor's library and printed in the vendor's description."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode import p24, rehamove3
from controller.wire.sciencemode.frame import BadFrame, Frame, Framer, build, mislengthed, parse, renumbered
from controller.wire.sciencemode.generation import generation
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
from controller.wire.sciencemode.rehamove3 import decode_answer, decode_request, encode, is_request, update_fault

DATA = Path(__file__).parents[1] / "data"
FILE = json.loads((DATA / "sciencemode3_rehamove3.json").read_text())
VECTORS = {vector["name"]: vector for vector in FILE["vectors"]}
SERVER = [pytest.param(case, id=case["case"]) for case in FILE["server_accept_reject"]]
P24_VECTORS = json.loads((DATA / "sciencemode4_p24.json").read_text())["c_library"]["vectors"]
BALANCED = ((200, 20_000), (100, 0), (200, -20_000))
TWO = (ChannelUpdate(0, BALANCED, 20_000, 3), ChannelUpdate(1, ((100, 10_000), (100, 0), (100, -10_000)), 10_000, 3))


def read(data: bytes, direction: str = "host->unit") -> Any:
    frame = parse(data)
    assert isinstance(frame, Frame)
    return decode_request(frame) if direction == "host->unit" else decode_answer(frame)


@pytest.mark.parametrize("name", VECTORS)
def test_golden_frame_decodes_and_encodes_byte_for_byte(name: str) -> None:
    vector = VECTORS[name]
    data = bytes.fromhex(vector["hex"])
    assert len(data) == vector["len"]
    frame = parse(data)
    assert isinstance(frame, Frame)
    assert encode(frame.packet_number, read(data, vector["direction"])) == data


# Section 7 of HASOMED's description of ScienceMode 3 (v3.2.4): name of the example, number, message. The update is not
# marked in the data, which has it with the soft start; without, it is the P24's of the same name, byte for byte.
DESCRIPTION = {
    "Ll_init": ("ll_init_pdf", 0, LlInit(0, 0)),
    "Ll_channel_config": ("ll_channel_config_pdf", 1, LlChannelConfig(0, 0, ((250, 20_000), (100, 0), (250, -20_000)))),
    "Ll_stop": ("ll_stop_pdf", 2, LlStop()),
    "Ml_init": ("ml_init_pdf", 0, MlInit(False)),
    "Ml_get_current_data": ("ml_get_current_data_pdf", 2, MlGetCurrentData(2)),
    "Ml_stop": ("ml_stop_pdf", 3, MlStop()),
}


@pytest.mark.parametrize("example", DESCRIPTION)
def test_the_frames_printed_in_the_vendors_description(example: str) -> None:
    name, number, message = DESCRIPTION[example]
    assert VECTORS[name]["equals_vendor_pdf"]
    assert encode(number, message) == bytes.fromhex(VECTORS[name]["vendor_pdf_hex"])
    assert read(bytes.fromhex(VECTORS[name]["vendor_pdf_hex"])) == message


def test_the_update_printed_in_the_vendors_description() -> None:
    (printed,) = [vector for vector in P24_VECTORS if vector["name"] == "ml_update_pdf"]
    assert encode(1, MlUpdate(TWO)) == bytes.fromhex(printed["hex"])
    assert read(bytes.fromhex(printed["hex"])) == MlUpdate(TWO)


MEANINGS = {
    "get_version_main": GetVersionMain(),
    "get_device_id": GetDeviceId(),
    "get_stim_status": GetStimStatus(),
    "ll_init_120V": LlInit(0, 5),
    "ll_channel_config_stuffing": LlChannelConfig(3, 0, ((240, 130_000), (129, 0), (240, -130_000))),
    "ml_update_softstart": MlUpdate(TWO, soft_start=True),
    "ml_update_white_28p5ms": MlUpdate((ChannelUpdate(3, ((300, 12_500), (300, -12_500)), 28_500),)),
    "ml_update_all_off": MlUpdate(),
    "ack_cmd31_result7": Ack(31, 7),
    "ack_cmd66_result1": Ack(66, 1),
    "ack_cmd67_result11": Ack(67, 11),
    "get_device_id_ack": DeviceId(0, "SIM0000003"),
    "get_battery_status_ack": BatteryStatus(0, 87, 3_951),
    "ll_channel_config_ack_ok": LlPulseAck(0, 0),
    "ll_channel_config_ack_electrode": LlPulseAck(10, 0),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_golden_frame_means_what_its_name_says(name: str) -> None:
    vector = VECTORS[name]
    assert read(bytes.fromhex(vector["hex"]), vector["direction"]) == MEANINGS[name]


@pytest.mark.parametrize("case", SERVER)
def test_pre_send_check_agrees_with_the_vendors_decoder(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    update = read(data)
    first = update.channels[0]
    assert first.period_us == case["decoded_period"] * 1000
    assert first.points[0] == (case["decoded_time0"], case["decoded_current0"] * 1000)
    assert (update_fault(update) == "") is case["accepted_by_vendor_server_decoder"]
    if first.period_us:
        assert encode(1, update) == data
    else:
        with pytest.raises(LocalError):
            encode(1, update)


def one(channel: Any = 0, fine: bool = False, period_us: int = 20_000) -> MlUpdate:
    return MlUpdate((ChannelUpdate(channel, BALANCED, period_us, 0, fine),))


@pytest.mark.parametrize(
    "message",
    [
        one(channel=4),
        one(channel=7),
        one(channel=-1),
        one(channel=True),
        one(fine=True),
        MlInit(True),
        LlInit(1, 0),
        LlInit(0, 7),
        LlChannelConfig(0, 1, BALANCED),
        ChannelReport(),
        RunReport(0, 3, True, 0),
        RunReport(0, 2, True, 16),
        LlPulseAck(0, 256),
        BatteryStatus(0, 256, 0),
        BatteryStatus(0, 50, 65_536),
        Ack(32, 0),
    ],
    ids=repr,
)
def test_what_this_unit_does_not_have_is_refused(message: Any) -> None:
    with pytest.raises(LocalError):
        encode(1, message)


@pytest.mark.parametrize(
    ("command", "payload"),
    [(30, b"\x01"), (0, b"\x10"), (0, b"\x01"), (2, b"\x90" + bytes(4)), (32, b"\x20"), (32, b"\xe1")],
)
def test_bits_that_must_stay_zero_are_refused_by_the_unit(command: int, payload: bytes) -> None:
    with pytest.raises(RemoteError):
        decode_request(Frame(1, command, payload))


def test_the_p24s_fine_period_is_refused_by_the_unit() -> None:
    frame = parse(p24.encode(1, one(fine=True, period_us=28_250)))
    assert isinstance(frame, Frame)
    with pytest.raises(RemoteError):
        decode_request(frame)


@pytest.mark.parametrize("payload", [b"\x00\x04\x00", b"\x00\x02\x20", b"\x00\x02", b"\x00\x03\x10\x10", b""])
def test_reports_that_this_unit_does_not_make_are_refused(payload: bytes) -> None:
    with pytest.raises(RemoteError):
        decode_answer(Frame(1, 37, payload))


def test_a_host_may_ask_as_a_p24_is_asked_and_this_unit_does_not_know_the_question() -> None:
    data = encode(4, GetExtendedVersion())
    assert data == p24.encode(4, GetExtendedVersion())
    with pytest.raises(RemoteError):
        read(data)
    answer = ExtendedVersion(0, (1, 0, 0), (4, 0, 0), 7, 1, True)
    assert read(p24.encode(4, answer), "unit->host") == answer


def test_a_report_says_running_and_one_bit_a_channel() -> None:
    assert encode(5, RunReport(0, 2, True, 0b0101)) == build(5, 37, b"\x00\x02\x15")
    assert len(encode(5, RunReport())) == 15
    assert decode_answer(Frame(1, 37, b"\x07")) == RunReport(7)
    assert is_request(36)
    assert not is_request(68)


POINTS = st.lists(
    st.tuples(st.integers(0, 4095), st.integers(-300, 300).map(lambda steps: steps * 500)), min_size=1, max_size=16
).map(tuple)
PERIODS = st.integers(1, 32_767).map(lambda units: units * 500)
CHANNEL = st.builds(ChannelUpdate, st.just(0), POINTS, PERIODS, st.integers(0, 15), st.just(False))
BYTE = st.integers(0, 255)
THREE = st.tuples(BYTE, BYTE, BYTE)
UPDATES = st.builds(
    lambda found, soft: MlUpdate(tuple(found[index]._replace(channel=index) for index in sorted(found)), soft),
    st.dictionaries(st.integers(0, 3), CHANNEL, max_size=4),
    st.booleans(),
)
REQUESTS = st.one_of(
    UPDATES,
    st.builds(LlInit, st.just(0), st.integers(0, 6)),
    st.builds(LlChannelConfig, st.integers(0, 3), st.just(0), POINTS, st.booleans()),
    st.builds(MlGetCurrentData, BYTE),
    st.sampled_from([LlStop(), MlStop(), MlInit(False), GetVersionMain(), GetDeviceId(), GetBatteryStatus(), Reset()]),
)
ANSWERS = st.one_of(
    st.builds(Ack, st.sampled_from([1, 5, 31, 33, 35, 59, 66, 67]), BYTE),
    st.builds(LlPulseAck, BYTE, BYTE),
    st.builds(RunReport, BYTE, st.just(2), st.booleans(), st.integers(0, 15)),
    st.builds(VersionMain, BYTE, THREE, THREE),
    st.builds(BatteryStatus, BYTE, BYTE, st.integers(0, 65_535)),
    st.builds(StimStatus, BYTE, BYTE, BYTE),
)


@given(REQUESTS, st.integers(0, 63))
def test_every_request_reads_back(message: Any, number: int) -> None:
    data = encode(number, message)
    frame = parse(data)
    assert isinstance(frame, Frame)
    assert frame.packet_number == number
    assert decode_request(frame) == message
    if not (type(message) is MlUpdate and message.soft_start) and type(message) is not MlInit:
        assert p24.encode(number, message) == data  # the codec is shared


@given(ANSWERS, st.integers(0, 63))
def test_every_answer_reads_back(message: Any, number: int) -> None:
    frame = parse(encode(number, message))
    assert isinstance(frame, Frame)
    assert frame.packet_number == number
    assert decode_answer(frame) == message


@given(st.integers(0, 1023), st.binary(max_size=40))
def test_any_payload_is_read_or_refused_and_nothing_else(command: int, payload: bytes) -> None:
    frame = Frame(1, command, payload)
    for reader in (decode_request, decode_answer):
        try:
            message = reader(frame)
        except RemoteError:
            continue
        assert message is not None


# -- which unit is it ------------------------------------------------------------------------------------------------

SAID_BY_3 = b"".join(bytes.fromhex(v["hex"]) for v in FILE["vectors"] if v["direction"] == "unit->host")
SAID_BY_4 = b"".join(bytes.fromhex(v["hex"]) for v in P24_VECTORS if v["direction"] == "unit->host")


@given(st.integers(0, 11), st.integers(0, 11))
def test_each_unit_is_known_by_its_answers_wherever_they_are_cut(head: int, tail: int) -> None:
    for data, three in ((SAID_BY_3, True), (SAID_BY_4, False)):
        cut = data[head : len(data) - tail]
        assert (rehamove3.resembles(cut), p24.resembles(cut)) == (three, not three)


def test_no_frame_of_the_other_unit_is_taken_for_ones_own() -> None:
    assert not any(p24.resembles(bytes.fromhex(vector["hex"])) for vector in FILE["vectors"])
    assert not any(rehamove3.resembles(bytes.fromhex(vector["hex"])) for vector in P24_VECTORS)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (rehamove3.encode(1, VersionMain(0, (2, 1, 16), (3, 2, 4))), 3),
        (p24.encode(1, VersionMain(0, (1, 0, 0), (4, 0, 0))), 4),
        (p24.encode(1, VersionMain(0, (1, 0, 0), (5, 0, 0))), 0),
        (p24.encode(1, ExtendedVersion(0, (1, 0, 0), (4, 0, 0))), 4),
        (p24.encode(1, ChannelReport()), 4),
        (p24.encode(1, RunReport(0, 3)), 4),
        (p24.encode(1, RunReport(0, 2)), 0),
        (p24.encode(1, Ack(35)) + p24.encode(2, DeviceId(0, "SIM1")), 0),
        (p24.encode(1, ChannelReport()) + rehamove3.encode(1, LlPulseAck()), 0),
        (build(1, 37, b"\x07") + build(1, 3, b"\x07"), 0),
    ],
)
def test_only_answers_that_differ_tell_the_generation(data: bytes, expected: int) -> None:
    assert generation(data) == expected


@given(st.binary(max_size=400))
def test_random_bytes_and_other_devices_resemble_neither_unit(data: bytes) -> None:
    assert generation(data) == 0


def test_other_devices_resemble_neither_unit() -> None:
    assert generation(random.Random(1).randbytes(200_000)) == 0
    for name in ("sciencemode2_rehastim2.json", "orthosis.json"):
        assert generation(b"".join(hexes(json.loads((DATA / name).read_text())))) == 0


def hexes(value: Any) -> list[bytes]:
    """Every string of hex digits in a file of vectors."""
    if isinstance(value, dict):
        return [data for entry in value.values() for data in hexes(entry)]
    if isinstance(value, list):
        return [data for entry in value for data in hexes(entry)]
    if isinstance(value, str) and len(value) >= 8:
        try:
            return [bytes.fromhex(value)]
        except ValueError:
            return []
    return []


# -- what a bad line makes of a frame --------------------------------------------------------------------------------


@given(st.integers(0, 63), st.integers(0, 1023), st.binary(max_size=60), st.binary(max_size=20))
def test_a_renumbered_frame_is_good_and_has_another_number(
    number: int, command: int, payload: bytes, more: bytes
) -> None:
    data = renumbered(build(number, command, payload) + more)
    size = len(data) - len(more)
    frame = parse(data[:size])
    assert isinstance(frame, Frame)
    assert (frame.command, frame.payload, data[size:]) == (command, payload, more)
    assert frame.packet_number != number


@given(st.integers(0, 63), st.integers(0, 1023), st.binary(max_size=60))
def test_a_frame_with_a_wrong_length_is_bad_and_the_next_one_is_not_lost(
    number: int, command: int, payload: bytes
) -> None:
    whole = build(number, command, payload)
    data = mislengthed(whole)
    assert len(data) == len(whole)
    good = encode(7, Ack(35))
    found = Framer().feed(data + good)
    assert isinstance(found[0], BadFrame)
    assert found[-1] == parse(good)


def test_the_longest_frame_can_be_given_a_wrong_length_too() -> None:
    assert isinstance(Framer().feed(mislengthed(build(1, 2, bytes(1188))))[0], BadFrame)


@pytest.mark.parametrize("data", [b"", b"\xf0", b"\x00" * 12, encode(1, MlStop())[:-1], b"\x00" + encode(1, MlStop())])
def test_only_a_good_frame_can_be_spoilt(data: bytes) -> None:
    for spoil in (renumbered, mislengthed):
        with pytest.raises(LocalError):
            spoil(data)
