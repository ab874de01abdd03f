"""ScienceMode 2: frames and messages against other people's bytes, both directions; the framer under every cut."""

import json
import math
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode2.frame import (
    CUT,
    DATA_BYTES_MAX,
    FRAME_BYTES_MAX,
    STRAY,
    BadFrame,
    Frame,
    Framer,
    build,
    crc8,
    parse,
)
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
from controller.wire.sciencemode2.rehastim2 import (
    ACKS,
    MOTOMED,
    SIMULATED_NAME,
    WHO_ARE_YOU,
    decode_answer,
    decode_request,
    encode,
    mislengthed,
    renumbered,
    resembles,
)

DATA = Path(__file__).parents[1] / "data"
FILE = json.loads((DATA / "sciencemode2_rehastim2.json").read_text())
VECTORS = [pytest.param(vector, id=f"{vector['name']}-{vector['params'][:45]}") for vector in FILE["vectors"]]
THIRD = [pytest.param(check, id=check["name"]) for check in FILE["third_party_spec_check"]]
DIFFERING = [vector for vector in FILE["vectors"] if not vector["equal"]]
DOCUMENTED = frozenset({1, 2, 3, 4, 10, 11, *range(30, 39)}) | MOTOMED
EXTRA_ESCAPES = (0x55, 0x0A)


def whole(data: bytes) -> Frame:
    frame = parse(data)
    assert isinstance(frame, Frame), frame
    return frame


def read(vector: dict[str, Any]) -> tuple[int, Any]:
    frame = whole(bytes.fromhex(vector["spec_hex"]))
    reader = decode_request if vector["direction"] == "host->unit" else decode_answer
    return frame.packet_number, reader(frame)


def single(width_us: int, current_ma: int) -> ListPulse:
    return ListPulse(0, width_us, current_ma * 1000)


# -- golden bytes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS)
def test_golden_frame_decodes_and_encodes_byte_for_byte(vector: dict[str, Any]) -> None:
    number, message = read(vector)
    assert f"pn={number} " in vector["params"]
    assert encode(number, message).hex().upper() == vector["spec_hex"]


def test_there_are_golden_frames_of_both_directions() -> None:
    directions = [vector["direction"] for vector in FILE["vectors"]]
    assert directions.count("host->unit") >= 15
    assert directions.count("unit->host") >= 8


MEANINGS = [
    InitAck(0),
    InitAck(0),
    Watchdog(),
    Watchdog(),
    Watchdog(),
    InitChannelListMode(0x01, 20_000, 2_000),
    InitChannelListMode(0x01, 25_000, 2_000),
    InitChannelListMode(0x01, 200_000, 2_000, 2, 0x01),
    InitChannelListMode(0xFF, 33_000, 8_000),
    InitChannelListMode(0x09, 28_500, 2_000),
    InitChannelListMode(0x01, 1_025_000, 2_000),
    StartChannelListMode((single(300, 0),)),
    StartChannelListMode((single(350, 30), ListPulse(1, 200, 20_000))),
    StartChannelListMode((single(240, 15),)),
    StartChannelListMode((single(129, 85),)),
    StartChannelListMode((single(500, 12),)),  # asked for as 12.7 mA: the other encoder cuts it
    StopChannelListMode(),
    SinglePulse(0, 300, 20_000),
    SinglePulse(7, 200, 30_000),
    Init(1),
    StimulationMode(0, 2),
    Ack(31, 0),
    Ack(31, -2),
    Ack(33, -1),
    Ack(33, -3),
    Ack(35, 0),
    StimulationError(-1),
    StimulationError(-2),
    UnknownCommand(95),
]


def test_golden_frames_mean_what_their_names_say() -> None:
    assert [read(vector)[1] for vector in FILE["vectors"]] == MEANINGS


@pytest.mark.parametrize("check", THIRD)
def test_frames_printed_by_a_third_party_are_ours_except_one_that_contradicts_itself(check: dict[str, Any]) -> None:
    given_bytes, spec = bytes.fromhex(check["given"]), bytes.fromhex(check["spec"])
    frame = whole(spec)
    assert encode(frame.packet_number, decode_request(frame)) == spec
    assert (given_bytes == spec) is check["equal"]
    if not check["equal"]:
        # The same file gives two CRCs for one and the same body; the other one is right.
        assert parse(given_bytes) == BadFrame("wrong CRC", frame.packet_number, frame.command)
        assert given_bytes[:2] + given_bytes[3:] == spec[:2] + spec[3:]


def their_frame(number: int, command: int, data: bytes) -> bytes:
    """How pysciencemode 1.1.5 builds a frame, written down from what its vectors show."""
    odd = (0xF0, 0x0F, 0x81, *EXTRA_ESCAPES)
    head = bytes(byte ^ 0x55 if byte in odd else byte for byte in (number, command))  # without the escape: its fault
    body = head + b"".join(bytes((0x81, byte ^ 0x55)) if byte in odd else bytes((byte,)) for byte in data)
    return bytes((0xF0, 0x81, crc8(body) ^ 0x55, 0x81, len(body) ^ 0x55)) + body + b"\x0f"


@pytest.mark.parametrize("vector", VECTORS)
def test_we_differ_from_pysciencemode_only_where_it_leaves_the_document(vector: dict[str, Any]) -> None:
    frame = whole(bytes.fromhex(vector["spec_hex"]))
    theirs = bytes.fromhex(vector["pysciencemode_hex"])
    assert their_frame(*frame) == theirs
    assert (build(*frame) == theirs) is vector["equal"]
    odd_head = {frame.packet_number, frame.command} & {0xF0, 0x0F, 0x81, *EXTRA_ESCAPES}
    odd_data = set(frame.payload) & set(EXTRA_ESCAPES)
    assert vector["equal"] is not bool(odd_head or odd_data)
    # Theirs is read all the same: extra escapes by their meaning, a missing one as another number.
    said = whole(theirs)
    assert said.payload == frame.payload
    if not odd_head:
        assert said == frame
    else:
        assert said[:2] != frame[:2]


def test_what_differs_is_known() -> None:
    assert [(vector["name"], vector["params"][:6]) for vector in DIFFERING] == [
        ("Watchdog", "pn=15 "),
        ("Watchdog", "pn=240"),
        ("StartChannelListMode", "pn=6 c"),
        ("SinglePulse", "pn=10 "),
    ]
    assert whole(their_frame(1, 10, b"")).command == 95  # so GetStimulationMode arrives as an unknown command


def test_the_crc_is_crc_8_with_polynomial_7_and_start_0() -> None:
    assert crc8(b"123456789") == 0xF4
    assert crc8(b"") == 0


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        "stop",
        Ack(32, 0),
        Ack(31, 200),
        Ack(31, 0.5),
        InitAck(-129),
        Init(256),
        UnknownCommand(-1),
        StimulationError(1000),
        StimulationMode(0, 256),
        Motomed(34, b""),
        Motomed(60, bytes(61)),
        InitChannelListMode(0, 20_000),
        InitChannelListMode(256, 20_000),
        InitChannelListMode(True, 20_000),
        InitChannelListMode(1, 7_500),
        InitChannelListMode(1, 1_025_500),
        InitChannelListMode(1, 20_250),
        InitChannelListMode(1, math.nan),
        InitChannelListMode(1, 20_000.0),
        InitChannelListMode(1, False),
        InitChannelListMode(1, 20_000, 1_000),
        InitChannelListMode(1, 20_000, 129_500),
        InitChannelListMode(1, 20_000, 8_000, 8),
        InitChannelListMode(1, 20_000, 8_000, 0, 256),
        InitChannelListMode(1, 20_000, execution=2),
        StartChannelListMode(()),
        StartChannelListMode((single(200, 10),) * 9),
        StartChannelListMode((single(501, 10),)),
        StartChannelListMode((single(19, 10),)),
        StartChannelListMode((single(200, 131),)),
        StartChannelListMode((ListPulse(0, 200, -1_000),)),
        StartChannelListMode((ListPulse(0, 200, 10_500),)),
        StartChannelListMode((ListPulse(0, 200, math.nan),)),
        StartChannelListMode((ListPulse(0, 200, 10_000.0),)),
        StartChannelListMode((ListPulse(0, True, 10_000),)),
        StartChannelListMode((ListPulse(3, 200, 10_000),)),
        SinglePulse(8, 200, 10_000),
        SinglePulse(-1, 200, 10_000),
        SimulatedName("RehaStim2"),
        SimulatedName("SIM\n"),
        SimulatedName("SIM" + "X" * 40),
        SimulatedName("SIMÜ"),
    ],
    ids=repr,
)
def test_what_must_never_be_on_the_wire_is_refused(message: Any) -> None:
    with pytest.raises(LocalError):
        encode(1, message)


@pytest.mark.parametrize("number", [-1, 256])
def test_a_packet_number_or_command_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(LocalError):
        build(number, 1, b"")
    with pytest.raises(LocalError):
        build(1, number, b"")
    with pytest.raises(LocalError):
        build(1, 1, bytes(DATA_BYTES_MAX + 1))


@given(st.integers(0, 255), st.binary(max_size=DATA_BYTES_MAX))
def test_any_data_is_read_or_refused_and_nothing_else(command: int, payload: bytes) -> None:
    frame = Frame(1, command, payload)
    for reader in (decode_request, decode_answer):
        try:
            message = reader(frame)
        except RemoteError:
            continue
        assert message is not None


@pytest.mark.parametrize("command", [1, 3, 31, 33, 35, 37, 38, SIMULATED_NAME])
def test_an_answer_of_the_wrong_size_is_refused(command: int) -> None:
    for payload in (b"", b"\0\0\0"):
        with pytest.raises(RemoteError):
            decode_answer(Frame(1, command, payload))


def test_an_answer_about_the_mode_without_a_mode_is_a_refusal_or_nothing() -> None:
    assert decode_answer(Frame(1, 11, b"\xfd")) == StimulationMode(-3, 0)
    with pytest.raises(RemoteError):
        decode_answer(Frame(1, 11, b"\0"))


def test_values_that_a_unit_would_refuse_are_read_as_they_stand() -> None:
    assert decode_request(Frame(1, 32, bytes((9, 2, 0, 255)))) == StartChannelListMode((ListPulse(9, 512, 255_000),))
    one_shot = decode_request(Frame(1, 30, bytes((0, 1, 0, 13, 0, 0, 0))))
    assert one_shot == InitChannelListMode(1, 0)
    assert encode(1, one_shot) == build(1, 30, bytes((0, 1, 0, 13, 0, 0, 0)))


# -- round trips -------------------------------------------------------------------------------------------------------

PULSES = st.builds(ListPulse, st.integers(0, 2), st.integers(20, 500), st.integers(0, 130).map(lambda ma: ma * 1000))
INTERVALS = st.one_of(st.just(0), st.integers(14, 2048).map(lambda units: 1000 + 500 * units))
INTER_PULSES = st.integers(0, 255).map(lambda units: 1500 + 500 * units)
REQUESTS = st.one_of(
    st.builds(InitAck, st.integers(-128, 127)),
    st.just(Watchdog()),
    st.just(GetStimulationMode()),
    st.builds(
        InitChannelListMode,
        st.integers(1, 255),
        INTERVALS,
        INTER_PULSES,
        st.integers(0, 7),
        st.integers(0, 255),
        st.integers(0, 1),
    ),
    st.lists(PULSES, min_size=1, max_size=8).map(lambda pulses: StartChannelListMode(tuple(pulses))),
    st.just(StopChannelListMode()),
    st.builds(SinglePulse, st.integers(0, 7), st.integers(20, 500), st.integers(0, 130).map(lambda ma: ma * 1000)),
    st.just(WhoAreYou()),
)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=37).map(lambda text: "SIM" + text)
ANSWERS = st.one_of(
    st.builds(Init, st.integers(0, 255)),
    st.builds(UnknownCommand, st.integers(0, 255)),
    st.builds(StimulationMode, st.just(0), st.integers(0, 255)),
    st.builds(StimulationMode, st.integers(-128, -1), st.just(0)),
    st.builds(Ack, st.sampled_from(sorted(ACKS)), st.integers(-128, 127)),
    st.builds(StimulationError, st.integers(-128, 127)),
    st.builds(SimulatedName, NAMES),
    st.builds(Motomed, st.sampled_from(sorted(MOTOMED)), st.binary(max_size=60)),
)


@given(st.integers(0, 255), REQUESTS)
def test_every_request_reads_back(number: int, message: Any) -> None:
    frame = whole(encode(number, message))
    assert (frame.packet_number, decode_request(frame)) == (number, message)


@given(st.integers(0, 255), ANSWERS)
def test_every_answer_reads_back(number: int, message: Any) -> None:
    frame = whole(encode(number, message))
    assert (frame.packet_number, decode_answer(frame)) == (number, message)


FRAMES = st.builds(build, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=DATA_BYTES_MAX))
RICH = st.lists(st.sampled_from([0xF0, 0x0F, 0x81, 0x55, 0x0A, 0xA5, 0x5A, 0xD4]), max_size=DATA_BYTES_MAX).map(bytes)


@given(st.integers(0, 255), st.integers(0, 255), st.one_of(RICH, st.binary(max_size=DATA_BYTES_MAX)))
def test_a_frame_holds_start_and_stop_bytes_only_at_its_ends_and_after_escapes(
    number: int, command: int, payload: bytes
) -> None:
    data = build(number, command, payload)
    assert len(data) <= FRAME_BYTES_MAX
    assert whole(data) == (number, command, payload)
    body = data[5:-1]
    assert 0xF0 not in body
    assert 0x0F not in body
    assert data[4] ^ 0x55 == len(body)


@given(st.integers(0, 255), st.integers(0, 255), RICH, st.data())
def test_extra_escapes_anywhere_mean_the_same(number: int, command: int, payload: bytes, data: st.DataObject) -> None:
    plain = bytes((number, command)) + payload[:40]
    needed = (0xF0, 0x0F, 0x81)
    body = b""
    for byte in plain:
        escape = byte in needed or data.draw(st.booleans())
        body += bytes((0x81, byte ^ 0x55)) if escape else bytes((byte,))
    frame = bytes((0xF0, 0x81, crc8(body) ^ 0x55, 0x81, len(body) ^ 0x55)) + body + b"\x0f"
    assert whole(frame) == (number, command, payload[:40])
    assert Framer().feed(frame) == [(number, command, payload[:40])]


# -- the framer --------------------------------------------------------------------------------------------------------


def outcome(pieces: list[bytes]) -> tuple[list[Frame | BadFrame], int]:
    framer = Framer()
    found = [frame for piece in pieces for frame in framer.feed(piece)]
    assert len(framer._rest) < FRAME_BYTES_MAX
    return found, framer.bad


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = [0, *sorted(place % (len(data) + 1) for place in at), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


GARBAGE = st.one_of(
    st.binary(max_size=30), st.lists(st.sampled_from([0xF0, 0x81, 0x0F, 0x55, 0x57]), max_size=30).map(bytes)
)


@given(st.lists(st.one_of(FRAMES, GARBAGE), max_size=8), st.lists(st.integers(0, 2000), max_size=12))
@example([build(1, 2, b""), b"\xf0\x81\x00\x81\x53\x01\x81"], [3])
def test_however_the_stream_is_cut_the_same_comes_out(parts: list[bytes], at: list[int]) -> None:
    data = b"".join(parts)
    together = outcome([data])
    assert outcome(cut(data, at)) == together
    assert outcome([data[i : i + 1] for i in range(len(data))]) == together
    assert together[1] == sum(isinstance(frame, BadFrame) for frame in together[0])


@given(st.lists(FRAMES, min_size=1, max_size=6), st.integers(0, 200))
def test_a_good_frame_behind_a_cut_one_is_not_lost(frames: list[bytes], at: int) -> None:
    first = frames[0]
    damaged = first[: at % len(first)]
    found, _ = outcome([damaged + b"".join(frames) + frames[0] + bytes(FRAME_BYTES_MAX)])
    good = [frame for frame in found if isinstance(frame, Frame)]
    wanted = [whole(frame) for frame in (*frames, frames[0])]
    # A truncated header may take the next start byte for its own escape or CRC, never more than one frame.
    assert good[-len(wanted) + 1 :] == wanted[1:]


@given(FRAMES, st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_is_never_read_as_another_frame(frame: bytes, at: int, bit: int) -> None:
    spoilt = bytearray(frame)
    spoilt[at % len(frame)] ^= 1 << bit
    assert [found for found in Framer().feed(bytes(spoilt)) if found == whole(frame)] == []


def test_stray_bytes_count_once_and_damage_is_told_apart() -> None:
    good = build(7, 34, b"")
    assert outcome([b"\x01\x02\x03" + good])[0] == [BadFrame(STRAY), Frame(7, 34, b"")]
    wrong_crc = good[:2] + bytes((good[2] ^ 1,)) + good[3:]
    assert outcome([wrong_crc + good])[0] == [BadFrame("wrong CRC", 7, 34), Frame(7, 34, b"")]
    assert outcome([good[:-2] + good])[0] == [BadFrame(CUT), Frame(7, 34, b"")]
    no_stop = good[:-1] + b"\x33"
    assert outcome([no_stop + good])[0] == [BadFrame("no stop byte where the length field says"), Frame(7, 34, b"")]
    too_long = good[:4] + b"\xff" + good[5:]
    assert outcome([too_long + good])[0] == [BadFrame("length field out of range"), Frame(7, 34, b"")]


def test_a_half_frame_is_forgotten_when_the_far_end_has_changed() -> None:
    framer = Framer()
    good = build(7, 34, b"")
    assert framer.feed(good[:5]) == []
    framer.clear()
    assert framer.feed(good) == [Frame(7, 34, b"")]
    assert framer.bad == 0


@pytest.mark.parametrize("answer", [Init(1), Ack(33, 0), StimulationMode(0, 2), SimulatedName("SIM0RS2001")])
def test_frames_with_a_wrong_number_or_a_wrong_length_are_made_on_purpose(answer: Any) -> None:
    good = encode(255, answer)
    assert whole(renumbered(good)) == (0, *whole(good)[1:])
    assert outcome([mislengthed(good)])[0][0] == BadFrame(CUT)
    behind = encode(3, Init(1))
    assert outcome([mislengthed(good) + behind])[0][-1] == whole(behind)
    assert renumbered(good + behind) == renumbered(good) + behind
    for damage in (renumbered, mislengthed):
        with pytest.raises(LocalError):
            damage(good[:-1])
        with pytest.raises(LocalError):
            damage(b"")


# -- who is it ---------------------------------------------------------------------------------------------------------


def test_our_question_has_a_number_that_no_document_uses() -> None:
    assert WHO_ARE_YOU not in DOCUMENTED
    assert SIMULATED_NAME not in DOCUMENTED
    assert whole(encode(1, WhoAreYou())) == (1, WHO_ARE_YOU, b"")
    assert decode_answer(whole(encode(1, UnknownCommand(WHO_ARE_YOU)))) == UnknownCommand(200)


@pytest.mark.parametrize("vector", VECTORS)
def test_a_unit_is_recognised_by_what_it_sends_and_a_host_is_not(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["spec_hex"])
    assert resembles(data) is (vector["direction"] == "unit->host")
    if vector["direction"] == "unit->host":
        assert resembles(data[3:] + data + data[:4])
        assert not resembles(data[:-1])


@given(st.binary(max_size=400))
def test_random_bytes_do_not_look_like_a_unit(data: bytes) -> None:
    assert not resembles(data)


def test_much_noise_does_not_look_like_a_unit() -> None:
    dice = random.Random(2)
    assert not any(resembles(dice.randbytes(600)) for _ in range(500))


def hexes(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for entry in value.values() for found in hexes(entry)]
    if isinstance(value, list):
        return [found for entry in value for found in hexes(entry)]
    return [value] if isinstance(value, str) else []


def test_the_golden_bytes_of_other_devices_do_not_look_like_a_unit() -> None:
    seen, together = 0, b""
    for path in sorted(DATA.glob("*.json")):
        if path.name == "sciencemode2_rehastim2.json":
            continue
        for text in hexes(json.loads(path.read_text())):
            try:
                data = bytes.fromhex(text)
            except ValueError:
                continue
            seen += 1
            together += data
            assert not resembles(data)
    assert seen > 100
    assert not resembles(together)
