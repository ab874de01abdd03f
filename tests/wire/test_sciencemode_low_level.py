"""The low level of ScienceMode 4: the vendor's frames by meaning, both forms of the answer, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.frame import Frame, build, parse
from controller.wire.sciencemode.messages import Ack, LlChannelConfig, LlChannelConfigAck, LlInit, LlStop
from controller.wire.sciencemode.p24 import decode_answer, decode_request, encode

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "sciencemode4_p24.json").read_text())["c_library"]
FRAMES = {vector["name"]: vector for vector in VECTORS["vectors"]}
PAIR = ((300, 12_500), (301, -12_500))
PULSE = ((250, 20_000), (100, 0), (250, -20_000))
MEANINGS: dict[str, Any] = {
    "ll_init": LlInit(),
    "ll_init_meas_volt_hvoff": LlInit(2, 1),
    "ll_channel_config_pdf": LlChannelConfig(0, 0, PULSE),
    **{f"ll_channel_config_ch{n}": LlChannelConfig((n - 1) % 4, (n - 1) // 4, PAIR) for n in range(1, 9)},
    "ll_channel_config_16pts": LlChannelConfig(
        3, 1, tuple((4_080 + place, -130_000 if place % 2 else 130_000) for place in range(16))
    ),
    "ll_channel_config_not_executed": LlChannelConfig(2, 1, (), False),
    "ll_init_ack": Ack(1, 0),
    "ll_init_ack_refused": Ack(1, 7),
    "ack_cmd5_result0": Ack(5, 0),
    "ll_channel_config_ack_ok": LlChannelConfigAck(0, 0, 0),
    "ll_channel_config_ack_electrode": LlChannelConfigAck(10, 1, 2),
    "ll_channel_config_ack_busy": LlChannelConfigAck(21, 1, 3),
    "ll_channel_config_ack_measured": LlChannelConfigAck(0, 0, 1, 1, 240, tuple(range(0, 128 * 15, 15))),
}


def frame_of(data: bytes) -> Frame:
    frame = parse(data)
    assert isinstance(frame, Frame)
    return frame


@pytest.mark.parametrize("name", MEANINGS)
def test_the_vendors_frame_means_this_and_this_is_the_vendors_frame(name: str) -> None:
    vector = FRAMES[name]
    data = bytes.fromhex(vector["hex"])
    frame = frame_of(data)
    said = (decode_request if vector["direction"] == "host->unit" else decode_answer)(frame)
    assert type(said) is type(MEANINGS[name])
    assert said == MEANINGS[name]
    assert encode(frame.packet_number, MEANINGS[name]) == data


@pytest.mark.parametrize("vector", VECTORS["decode_only"], ids=lambda vector: vector["name"])
def test_points_that_are_counted_but_left_out_are_read_where_nothing_is_executed(vector: dict[str, Any]) -> None:
    frame = frame_of(bytes.fromhex(vector["hex"]))
    assert decode_request(frame) == LlChannelConfig(2, 1, (), False)


def test_the_stop_has_no_payload() -> None:
    assert encode(7, LlStop()) == bytes.fromhex("F081558159815381CF1C040F")
    assert type(decode_request(frame_of(encode(7, LlStop())))) is LlStop
    with pytest.raises(RemoteError):
        decode_request(Frame(7, 4, b"\x00"))


def test_an_answer_of_14_bytes_says_the_same_as_one_of_15() -> None:
    long, short = encode(1, LlChannelConfigAck(10, 1, 2)), build(1, 3, b"\x0a\x12")
    assert (len(long), len(short)) == (15, 14)
    assert decode_answer(frame_of(short)) == decode_answer(frame_of(long)) == LlChannelConfigAck(10, 1, 2)


@pytest.mark.parametrize("size", [0, 1, 4, 5, 6, 100, 260, 262])
def test_answers_of_other_lengths_are_refused(size: int) -> None:
    with pytest.raises(RemoteError):
        decode_answer(Frame(1, 3, bytes(size)))


@pytest.mark.parametrize(
    "message",
    [
        LlChannelConfig(4, 0, PULSE),
        LlChannelConfig(-1, 0, PULSE),
        LlChannelConfig(0, 2, PULSE),
        LlChannelConfig(0, -1, PULSE),
        LlChannelConfig(0, 0, ()),
        LlChannelConfig(0, 0, ((100, 500),) * 17),
        LlChannelConfig(0, 0, ((100, 150_500),)),
        LlChannelConfig(0, 0, ((100, 250),)),
        LlChannelConfig(0, 0, ((4_096, 500),)),
        LlChannelConfig(float("nan"), 0, PULSE),  # type: ignore[arg-type]
        LlChannelConfig(0, 0, ((100, float("nan")),)),  # type: ignore[arg-type]
        LlInit(8, 0),
        LlInit(0, 8),
        LlInit(0, -1),
    ],
    ids=repr,
)
def test_what_must_never_be_on_the_wire_is_refused(message: Any) -> None:
    with pytest.raises(LocalError):
        encode(1, message)


CURRENTS = st.integers(-300, 300).map(lambda steps: steps * 500)
POINTS = st.lists(st.tuples(st.integers(0, 4095), CURRENTS), min_size=1, max_size=16).map(tuple)


@given(st.integers(0, 63), st.integers(0, 3), st.integers(0, 1), POINTS, st.booleans())
def test_every_pulse_reads_back(number: int, channel: int, connector: int, points: Any, execute: bool) -> None:
    message = LlChannelConfig(channel, connector, points, execute)
    frame = frame_of(encode(number, message))
    assert (frame.packet_number, frame.command) == (number, 2)
    assert decode_request(frame) == message
