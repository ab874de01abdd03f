"""The P24's messages against frames made by other people's encoders, both directions."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.frame import Frame, parse
from controller.wire.sciencemode.messages import (
    Ack,
    ChannelReport,
    ChannelUpdate,
    DeviceId,
    ExtendedVersion,
    GetDeviceId,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    RunReport,
    StimStatus,
)
from controller.wire.sciencemode.p24 import decode_answer, decode_request, encode, is_request
from controller.wire.sciencemode.pulses import update_fault

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "sciencemode4_p24.json").read_text())
LIBRARIES = [
    pytest.param(vector, id=f"{library}-{vector['name']}-{vector['params'][:40]}")
    for library in ("c_library", "python_library")
    for vector in VECTORS[library]["vectors"]
]
SERVER = [pytest.param(case, id=case["case"]) for case in VECTORS["server_accept_reject"]]
BALANCED = ((200, 20_000), (100, 0), (200, -20_000))


def read(data: bytes, role: str = "unit") -> Any:
    frame = parse(data)
    assert isinstance(frame, Frame)
    return decode_request(frame) if role == "unit" else decode_answer(frame)


@pytest.mark.parametrize("vector", LIBRARIES)
def test_golden_frame_decodes_and_encodes_byte_for_byte(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    assert len(data) == vector["len"]
    frame = parse(data)
    assert isinstance(frame, Frame)
    message = read(data, "unit" if vector["direction"] == "host->unit" else "host")
    assert encode(frame.packet_number, message) == data


MEANINGS = {
    "ll_init_meas_volt_hvoff": LlInit(2, 1),
    "ll_channel_config_stuffing": LlChannelConfig(2, 1, ((240, 130_000), (129, 0), (240, -130_000))),
    "ml_init_stop_all": MlInit(True),
    "ml_update_all_off": MlUpdate(),
    "ml_update_pdf": MlUpdate(
        (
            ChannelUpdate(0, BALANCED, 20_000, 3),
            ChannelUpdate(1, ((100, 10_000), (100, 0), (100, -10_000)), 10_000, 3),
        )
    ),
    "ml_update_ch8_28p5ms_12p5mA": MlUpdate((ChannelUpdate(7, ((300, 12_500), (300, -12_500)), 28_500),)),
    "ml_update_ch8_28p25ms_double_accuracy": MlUpdate(
        (ChannelUpdate(7, ((300, 12_500), (300, -12_500)), 28_250, 0, True),)
    ),
    "ml_update_max_period": MlUpdate((ChannelUpdate(7, ((300, 12_500), (300, -12_500)), 16_383_000),)),
    "ack_cmd33_result10": Ack(33, 10),
    "get_device_id_ack": DeviceId(0, "SIM0000001"),
    "get_stim_status_ack": StimStatus(0, 3, 6),
    "get_extended_version_ack": ExtendedVersion(0, (1, 2, 3), (4, 0, 0), 0xDEADBEEF, 1, True),
    "ml_get_current_data_ack_ok": ChannelReport(0, 0b11, (0,) * 8),
    "ml_get_current_data_ack_errors": ChannelReport(0, 1, (0, 1, 2, 0, 0, 0, 0, 3)),
    "ml_get_current_data_ack_sel2": RunReport(0, 2, True, 0b100),
    "ml_get_current_data_ack_sel3": RunReport(0, 3, True, 0b100100),
    "ll_channel_config_ack_electrode": LlChannelConfigAck(10, 1, 2, 0),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_golden_frame_means_what_its_name_says(name: str) -> None:
    vector = next(vector for vector in VECTORS["c_library"]["vectors"] if vector["name"] == name)
    role = "unit" if vector["direction"] == "host->unit" else "host"
    assert read(bytes.fromhex(vector["hex"]), role) == MEANINGS[name]


@pytest.mark.parametrize("case", SERVER)
def test_pre_send_check_agrees_with_the_vendors_decoder(case: dict[str, Any]) -> None:
    update = read(bytes.fromhex(case["hex"]))
    first = update.channels[0]
    assert first.period_us == case["decoded_period"] * 1000
    assert first.points[0] == (case["decoded_time0"], case["decoded_current0"] * 1000)
    assert (update_fault(update) == "") is case["accepted_by_vendor_server_decoder"]
    if first.period_us:
        assert encode(1, update) == bytes.fromhex(case["hex"])
    else:
        with pytest.raises(LocalError):
            encode(1, update)


def one(points: Any = BALANCED, period_us: Any = 20_000, channel: Any = 0, ramp: Any = 0) -> MlUpdate:
    return MlUpdate((ChannelUpdate(channel, points, period_us, ramp),))


@pytest.mark.parametrize(
    "update",
    [
        one(points=()),
        one(points=((100, 0),) * 17),
        one(points=((100, math.nan),)),
        one(points=((100, True),)),
        one(points=((True, 500),)),
        one(points=((100, 20_000.0),)),
        one(points=((100, 20_250),)),
        one(points=((100, 150_500),)),
        one(points=((100, -150_500),)),
        one(points=((4096, 500),)),
        one(points=((-1, 500),)),
        one(points=((100.5, 500),)),
        one(period_us=0),
        one(period_us=-500),
        one(period_us=16_384_000),
        one(period_us=28_250),
        one(period_us=math.nan),
        one(period_us=True),
        one(channel=8),
        one(channel=-1),
        one(channel=True),
        one(ramp=16),
        one(ramp=True),
        MlUpdate((ChannelUpdate(1, BALANCED, 20_000), ChannelUpdate(0, BALANCED, 20_000))),
        MlUpdate((ChannelUpdate(1, BALANCED, 20_000), ChannelUpdate(1, BALANCED, 20_000))),
    ],
    ids=repr,
)
def test_what_must_never_be_on_the_wire_is_refused(update: MlUpdate) -> None:
    with pytest.raises(LocalError):
        encode(1, update)


@pytest.mark.parametrize(
    "message",
    [
        Ack(32, 0),
        Ack(33, 256),
        "stop",
        DeviceId(0, "ELEVEN CHARS"),
        DeviceId(0, "MÜLLER"),
        MlGetCurrentData(256),
        StimStatus(0, "running", 1),
        ExtendedVersion(0, (1, 2, 3), (4, 0, 0), 1 << 32, 1, True),
    ],
    ids=repr,
)
def test_other_messages_that_do_not_fit_are_refused(message: Any) -> None:
    with pytest.raises(LocalError):
        encode(1, message)


POINTS = st.lists(
    st.tuples(st.integers(0, 4095), st.integers(-300, 300).map(lambda steps: steps * 500)), min_size=1, max_size=16
).map(tuple)


@st.composite
def channel_updates(draw: st.DrawFn) -> ChannelUpdate:
    fine = draw(st.booleans())
    period_us = draw(st.integers(1, 32767)) * (250 if fine else 500)
    return ChannelUpdate(0, draw(POINTS), period_us, draw(st.integers(0, 15)), fine)


@given(st.dictionaries(st.integers(0, 7), channel_updates(), max_size=8), st.integers(0, 63))
def test_every_legal_update_reads_back(channels: dict[int, ChannelUpdate], number: int) -> None:
    update = MlUpdate(tuple(channels[index]._replace(channel=index) for index in sorted(channels)))
    data = encode(number, update)
    frame = parse(data)
    assert isinstance(frame, Frame)
    assert frame.packet_number == number
    assert decode_request(frame) == update


@given(st.integers(0, 1023), st.binary(max_size=40))
def test_any_payload_is_read_or_refused_and_nothing_else(command: int, payload: bytes) -> None:
    frame = Frame(1, command, payload)
    for reader in (decode_request, decode_answer):
        try:
            message = reader(frame)
        except RemoteError:
            continue
        assert message is not None


@pytest.mark.parametrize("reserved", range(10))
def test_reserved_bits_of_a_point_are_refused(reserved: int) -> None:
    frame = parse(encode(1, one()))
    assert isinstance(frame, Frame)
    payload = bytearray(frame.payload)
    payload[6 + (reserved < 8)] |= 1 << reserved % 8
    with pytest.raises(RemoteError):
        decode_request(frame._replace(payload=bytes(payload)))


def test_roles_do_not_mix() -> None:
    request, answer = parse(encode(1, MlStop())), parse(encode(1, Ack(35)))
    assert isinstance(request, Frame)
    assert isinstance(answer, Frame)
    with pytest.raises(RemoteError):
        decode_answer(request)
    with pytest.raises(RemoteError):
        decode_request(answer)
    assert is_request(34)
    assert not is_request(35)
    assert read(encode(1, GetDeviceId())) == GetDeviceId()


def test_identity_loses_padding_and_must_be_printable() -> None:
    assert decode_answer(Frame(1, 53, b"\x00SIM1\x00\x00\x00\x00\x00\x00")) == DeviceId(0, "SIM1")
    assert decode_answer(Frame(1, 53, b"\x07")) == DeviceId(7, "")
    with pytest.raises(RemoteError):
        decode_answer(Frame(1, 53, b"\x00SIM\x1b[2J   "))


def test_measured_pulse_of_the_low_level_goes_both_ways() -> None:
    answer = LlChannelConfigAck(0, 1, 3, 2, 10, tuple(range(128)))
    assert read(encode(4, answer), "host") == answer
