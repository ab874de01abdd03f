"""WitMotion frames and notifications: bytes worked out by hand from the data sheet, framing, and garbage."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.wire.errors import LocalError, RemoteError
from controller.wire.witmotion import (
    Acceleration,
    Angles,
    BadFrame,
    Clock,
    Framer,
    Notification,
    NotNeeded,
    Orientation,
    Rate,
    decode,
    decode_notification,
    encode,
    encode_notification,
    resembles,
)

# Worked out by hand from the maker's data sheets (layout, scales, sum): counts that are round in both systems.
GOLDEN = {
    "5550 18 03 09 0D 2D 0A FA00 07": Clock(24, 3, 9, 13, 45, 10, 250),
    "5551 0000 0000 0008 C409 7B": Acceleration((0.0, 0.0, 1.0), 25.0),
    "5552 0008 00F0 0000 0000 9F": Rate((125.0, -250.0, 0.0), 0),
    "5553 0040 00E0 0080 0100 49": Angles(90.0, -45.0, -180.0, 1),
    "5559 0040 00C0 0040 0040 2E": Orientation((0.5, -0.5, 0.5, 0.5)),
}
STREAM = b"".join(map(bytes.fromhex, GOLDEN))
MESSAGES = list(GOLDEN.values())

int16 = st.integers(-32768, 32767)
clocks = st.builds(Clock, *[st.integers(0, 255)] * 6, st.integers(0, 65535))
accelerations = st.builds(
    Acceleration, st.tuples(*[int16.map(lambda n: n * 16 / 32768)] * 3), int16.map(lambda n: n / 100)
)
rates = st.builds(Rate, st.tuples(*[int16.map(lambda n: n * 2000 / 32768)] * 3), int16)
angles = st.builds(Angles, *[int16.map(lambda n: n * 180 / 32768)] * 3, int16)
orientations = st.builds(Orientation, st.tuples(*[int16.map(lambda n: n / 32768)] * 4))
messages = clocks | accelerations | rates | angles | orientations


def fed_in_pieces(data, cuts):
    framer, found, at = Framer(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += framer.feed(data[at:cut])
        at = cut
    return found


@pytest.mark.parametrize(("text", "message"), GOLDEN.items())
def test_frames_worked_out_by_hand_both_ways(text, message):
    data = bytes.fromhex(text)
    assert encode(message) == data
    assert decode(data) == message
    assert Framer().feed(data) == [message]


def test_frames_of_other_types_are_known_but_not_needed():
    magnetometer = bytes.fromhex("5554 0100 0200 0300 0000 AF")
    answer = bytes.fromhex("555F 0000 0000 0000 0000 B4")
    assert Framer().feed(magnetometer + answer) == [NotNeeded(0x54), NotNeeded(0x5F)]


def test_byte_by_byte_the_same_messages_come_out():
    assert fed_in_pieces(STREAM * 2, range(2 * len(STREAM))) == MESSAGES * 2


@pytest.mark.parametrize("cut", range(1, 11))
def test_joining_in_the_middle_costs_that_frame_only(cut):
    assert Framer().feed(STREAM[cut:]) == [BadFrame(11 - cut), *MESSAGES[1:]]


def test_a_start_byte_inside_a_frame_does_not_mislead():
    full_of_starts = Rate((0x5555 * 2000 / 32768,) * 3, 0x5555)
    data = encode(full_of_starts) * 3
    assert Framer().feed(data) == [full_of_starts] * 3
    assert Framer().feed(data[3:])[-2:] == [full_of_starts] * 2


def test_each_wrong_bit_costs_one_frame():
    whole = encode(MESSAGES[1])
    for bit in range(8 * len(whole)):
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert Framer().feed(bytes(spoilt) + STREAM) == [BadFrame(11), *MESSAGES]


@pytest.mark.parametrize("data", [b"", STREAM[:10], STREAM[:12], STREAM[:10] + b"\0", b"\x55\x4f" + bytes(8) + b"\xa4"])
def test_what_is_not_exactly_one_frame_is_refused(data):
    with pytest.raises(RemoteError):
        decode(data)


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("flood", [b"\x55" * 5000, bytes(5000), b"\x55\x51" * 2500])
def test_a_flood_is_reported_in_parts_and_never_kept(flood, chunk):
    framer, found = Framer(), []
    for at in range(0, len(flood), chunk):
        found += framer.feed(flood[at : at + chunk])
        assert len(framer._frames._rest) <= 10
    assert {type(message) for message in found} == {BadFrame}
    assert 4900 <= sum(message.size for message in found) <= 5000


@pytest.mark.parametrize(
    "message",
    [
        Acceleration((16.0, 0.0, 0.0)),
        Acceleration((math.nan, 0.0, 0.0)),
        Rate((0.0, math.inf, 0.0)),
        Rate((0.0, -2001.0, 0.0)),
        Angles(0.0, 0.0, 180.0),
        Orientation((1.0, 0.0, 0.0, 0.0)),
        Clock(256, 1, 1, 0, 0, 0, 0),
    ],
)
def test_what_does_not_fit_is_not_encoded(message):
    with pytest.raises(LocalError):
        encode(message)


@given(st.lists(messages, max_size=6), st.lists(st.integers(0, 66), max_size=8))
def test_round_trip_however_the_stream_is_cut(sent, cuts):
    data = b"".join(map(encode, sent))
    assert fed_in_pieces(data, [min(cut, len(data)) for cut in cuts]) == sent


@given(st.lists(st.binary(max_size=30) | messages.map(encode), max_size=12).map(b"".join), st.data())
def test_any_bytes_give_the_same_answer_however_they_are_cut(data, draw):
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=8))
    assert fed_in_pieces(data, cuts) == Framer().feed(data)


def test_a_notification_worked_out_by_hand_both_ways():
    message = Notification((0.0, 0.5, 1.0), (125.0, -250.0, 0.0), (90.0, -45.0, -180.0))
    data = bytes.fromhex("5561 0000 0004 0008 0008 00F0 0000 0040 00E0 0080")
    assert encode_notification(message) == data
    assert decode_notification(data) == message


def test_a_recorded_notification_shows_one_g_and_the_roll_that_gravity_shows():
    # From the public notes of a WT901BLE68's owner (GitHub obedier/vib); the last four bytes were not published.
    data = bytes.fromhex("5561 35ff 59ff 0a08 0000 0000 0000 b9fc 0000 0000")
    acc, gyro, (roll_deg, _, _) = decode_notification(data)
    assert math.hypot(*acc) == pytest.approx(1.0, abs=0.02)
    assert gyro == (0.0, 0.0, 0.0)
    assert roll_deg == pytest.approx(math.degrees(math.atan2(acc[1], acc[2])), abs=0.1)


@given(st.tuples(*[int16] * 9))
def test_notifications_go_round(counts):
    ax, ay, az, gx, gy, gz, roll, pitch, yaw = counts
    unit = (16 / 32768, 2000 / 32768, 180 / 32768)
    message = Notification(
        (ax * unit[0], ay * unit[0], az * unit[0]),
        (gx * unit[1], gy * unit[1], gz * unit[1]),
        (roll * unit[2], pitch * unit[2], yaw * unit[2]),
    )
    assert decode_notification(encode_notification(message)) == message


@pytest.mark.parametrize("data", [b"", b"\x55\x61" + bytes(17), b"\x55\x61" + bytes(19), b"\x55\x71" + bytes(18)])
def test_what_is_no_notification_is_refused(data):
    with pytest.raises(RemoteError):
        decode_notification(data)


def test_a_notification_that_does_not_fit_is_not_encoded():
    with pytest.raises(LocalError):
        encode_notification(Notification((17.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
    with pytest.raises(LocalError):
        encode_notification(Notification((0.0, 0.0, 0.0), (0.0, 0.0, math.nan), (0.0, 0.0, 0.0)))


def test_a_stream_is_recognised_wherever_it_is_cut():
    assert all(resembles((STREAM * 3)[first : first + 60]) for first in range(len(STREAM)))
    assert not resembles(STREAM[:11])
    assert not resembles(b"")
    assert not resembles(bytes(100) + STREAM[:22])
