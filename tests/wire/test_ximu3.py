"""The x-IMU3 byte stream: the manual's own examples, framing however the stream is cut, and garbage."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.wire.errors import LocalError
from controller.wire.ximu3 import (
    LINE_BYTES_MAX,
    BadFrame,
    Command,
    Framer,
    Inertial,
    NotNeeded,
    Orientation,
    encode,
    resembles,
    stuff,
    unstuff,
)

# Examples printed in the x-IMU3 User Manual v0.11, sections 8.2.2 and 8.2.4 (timestamp 1 s).
MANUAL_INERTIAL = bytes.fromhex("C9 40420F0000000000 00000000 00000000 00000000 00000000 00000000 0000803F 0A")
MANUAL_INERTIAL_TEXT = b"I,1000000,0.0000,0.0000,0.0000,0.0000,0.0000,1.0000\r\n"
MANUAL_QUATERNION = bytes.fromhex("D1 40420F0000000000 0000803F 00000000 00000000 00000000 0A")
MANUAL_QUATERNION_TEXT = b"Q,1000000,1.0000,0.0000,0.0000,0.0000\r\n"

UPRIGHT = Inertial(1_000_000, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
LEVEL = Orientation(1_000_000, (1.0, 0.0, 0.0, 0.0))

float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
inertials = st.builds(
    Inertial, st.integers(0, 2**64 - 1), st.tuples(float32, float32, float32), st.tuples(float32, float32, float32)
)
orientations = st.builds(Orientation, st.integers(0, 2**64 - 1), st.tuples(float32, float32, float32, float32))


def fed_in_pieces(data, cuts):
    framer, found, at = Framer(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += framer.feed(data[at:cut])
        at = cut
    return found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (MANUAL_INERTIAL, UPRIGHT),
        (MANUAL_INERTIAL_TEXT, UPRIGHT),
        (MANUAL_INERTIAL_TEXT.replace(b"\r", b""), UPRIGHT),
        (MANUAL_QUATERNION, LEVEL),
        (MANUAL_QUATERNION_TEXT, LEVEL),
    ],
)
def test_the_manuals_examples_decode(data, message):
    assert Framer().feed(data) == [message]


def test_the_manuals_examples_encode():
    assert encode(UPRIGHT) == MANUAL_INERTIAL
    assert encode(UPRIGHT, text=True) == MANUAL_INERTIAL_TEXT
    assert encode(LEVEL) == MANUAL_QUATERNION
    assert encode(LEVEL, text=True) == MANUAL_QUATERNION_TEXT


def test_the_manuals_other_messages_are_known_but_not_needed():
    rssi = bytes.fromhex("D7 40420F0000000000 0000C842 000048C2 0A")
    serial = bytes.fromhex("D3 40420F0000000000 616263313233F1F2F3 0A")
    text = b"W,1000000,100.000,-50.0000\r\nS,1000000,abc123???\r\nN,5,This, is a notification\n"
    assert Framer().feed(rssi + serial + text) == [NotNeeded(letter) for letter in "WSWSN"]


def test_line_feed_and_escape_never_stand_inside_a_message():
    inertial = Inertial(0x0ADB0A0A, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    data = encode(inertial)
    assert data[1:9] == bytes.fromhex("DBDC DBDC DBDD DBDC")
    assert data.index(0x0A) == len(data) - 1
    assert Framer().feed(data) == [inertial]


@pytest.mark.parametrize("escape", [b"\xdb", b"\xdb\x00", b"\xdb\xdb\xdc", b"\xdb\xdc\xdb"])
def test_a_broken_escape_is_refused(escape):
    assert unstuff(b"abc" + escape) is None
    (bad,) = Framer().feed(b"\xc9" + escape + b"\n")
    assert isinstance(bad, BadFrame)


def test_byte_by_byte_the_same_messages_come_out():
    data = (MANUAL_INERTIAL + MANUAL_QUATERNION + MANUAL_INERTIAL_TEXT) * 3
    assert fed_in_pieces(data, range(len(data))) == Framer().feed(data) == [UPRIGHT, LEVEL, UPRIGHT] * 3


def test_garbage_between_frames_costs_only_itself():
    data = MANUAL_INERTIAL + b"\x00\xff\x13garbage\n" + MANUAL_INERTIAL
    assert [type(message) for message in Framer().feed(data)] == [Inertial, BadFrame, Inertial]


def test_a_frame_that_lost_a_byte_is_bad_and_the_next_is_good():
    data = MANUAL_INERTIAL[:20] + MANUAL_INERTIAL[21:] + MANUAL_INERTIAL
    assert [type(message) for message in Framer().feed(data)] == [BadFrame, Inertial]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\r",
        b"I",
        b"I,",
        b"I,1,2,3",
        b"I,-5,0,0,0,0,0,1",
        b"I,18446744073709551616,0,0,0,0,0,1",
        b"I," + b"9" * 4000 + b",0,0,0,0,0,1",
        b"I,1,zero,0,0,0,0,1",
        b"I,1,1_0,0,0,0,0,1",
        b"Q,1,1,0,0",
        b"M,1,0,0",
        b"X,1,0",
        b"\x80",
        b"\xc9",
        b"\xc9" + bytes(31),
        b"\xcd" + bytes(21),
        b"\xd8" + bytes(20),
        b"^mux",
    ],
)
def test_what_is_no_message_is_bad(line):
    (message,) = Framer().feed(line + b"\n")
    assert isinstance(message, BadFrame)
    assert message.reason
    assert len(message.data) <= 64


def test_json_lines_pass_without_being_parsed():
    assert Framer().feed(b'{"ping":{{{not json\r\n') == [Command(b'{"ping":{{{not json')]


def test_not_a_number_is_passed_on_for_the_driver_to_refuse():
    data = stuff(struct.pack("<BQ6f", 0xC9, 5, float("nan"), float("inf"), 0, 0, 0, 0))
    (message,) = Framer().feed(data)
    assert isinstance(message, Inertial)
    assert message.gyro_dps[0] != message.gyro_dps[0]
    assert message.gyro_dps[1] == float("inf")


@pytest.mark.parametrize("chunk", [1, 7, 1000, 100_000])
def test_a_line_without_end_is_bounded_and_reported_once(chunk):
    framer, found = Framer(), []
    flood = b"\xc9" * (3 * LINE_BYTES_MAX) + b"\n" + MANUAL_INERTIAL
    for at in range(0, len(flood), chunk):
        found += framer.feed(flood[at : at + chunk])
        assert len(framer._rest) <= LINE_BYTES_MAX
    assert [type(message) for message in found] == [BadFrame, Inertial]


@pytest.mark.parametrize(
    "message",
    [Inertial(-1, (0, 0, 0), (0, 0, 0)), Inertial(2**64, (0, 0, 0), (0, 0, 0)), Inertial(0, (1e39, 0, 0), (0, 0, 0))],
)
@pytest.mark.parametrize("text", [False, True])
def test_what_does_not_fit_is_not_encoded(message, text):
    with pytest.raises(LocalError):
        encode(message, text=text)


@given(st.lists(inertials | orientations, max_size=6), st.lists(st.integers(0, 250), max_size=8))
def test_round_trip_however_the_stream_is_cut(messages, cuts):
    data = b"".join(map(encode, messages))
    assert fed_in_pieces(data, [min(cut, len(data)) for cut in cuts]) == messages


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_any_bytes_give_the_same_answer_however_they_are_cut(data, cuts):
    whole = Framer().feed(data)
    assert repr(fed_in_pieces(data, [min(cut, len(data)) for cut in cuts])) == repr(whole)
    assert len(whole) == data.count(b"\n")


@given(st.binary(max_size=200))
def test_stuffing_is_undone(plain):
    stuffed = stuff(plain)
    assert stuffed.count(b"\n") == 1
    assert unstuff(stuffed[:-1]) == plain


def test_a_stream_is_recognised_wherever_it_is_cut_binary_and_ascii():
    for data in (MANUAL_INERTIAL, MANUAL_INERTIAL_TEXT, MANUAL_QUATERNION + MANUAL_INERTIAL):
        stream = data * 6
        assert all(resembles(stream[first : first + 4 * len(data)]) for first in range(len(data)))
    assert not resembles(MANUAL_INERTIAL * 2)
    assert not resembles(b"\n".join([b"garbage"] * 3 + [MANUAL_INERTIAL[:-1]] * 2) + b"\n")
    assert not resembles(b"")
