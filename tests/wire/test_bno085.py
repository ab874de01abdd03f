"""UART-RVC frames: the data sheet's own example, framing however the stream is cut, and garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.wire.bno085 import BadFrame, Framer, Report, decode, encode, renumbered, resembles
from controller.wire.errors import LocalError, RemoteError

# The example of the BNO080 data sheet 1000-3927 (October 2017), section 1.3.5.2, with the values printed beside it.
EXAMPLE = bytes.fromhex("AAAA DE 0100 92FF 2508 8DFE ECFF D103 000000 E7")
REPORT = Report(222, 1, -110, 2085, -371, -20, 977)

int16 = st.integers(-32768, 32767)
reports = st.builds(Report, st.integers(0, 255), *[int16] * 6, st.binary(min_size=3, max_size=3))


def fed_in_pieces(data, cuts):
    framer, found, at = Framer(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += framer.feed(data[at:cut])
        at = cut
    return found


def test_the_data_sheets_example_both_ways():
    assert encode(REPORT) == EXAMPLE
    assert decode(EXAMPLE) == REPORT
    assert Framer().feed(EXAMPLE) == [REPORT]


def test_byte_by_byte_the_same_reports_come_out():
    assert fed_in_pieces(EXAMPLE * 3, range(57)) == [REPORT] * 3


@pytest.mark.parametrize("cut", range(1, 19))
def test_joining_in_the_middle_costs_that_frame_only(cut):
    assert Framer().feed(EXAMPLE[cut:] + EXAMPLE * 2) == [BadFrame(19 - cut), REPORT, REPORT]


def test_the_text_after_a_reset_costs_only_itself():
    banner = b"%Hillcrest Labs 10003608\r\n"
    assert Framer().feed(EXAMPLE + banner + EXAMPLE) == [REPORT, BadFrame(len(banner)), REPORT]


@pytest.mark.parametrize("number", [0xAA, 0xA9])
def test_a_header_inside_a_frame_does_not_mislead(number):
    report = Report(number, -21846, -21846, -21846, -21846, -21846, -21846, b"\xaa\xaa\xaa")
    assert Framer().feed(encode(report) * 4) == [report] * 4
    assert Framer().feed(encode(report)[1:] + encode(report) * 2)[-2:] == [report] * 2


def test_each_wrong_bit_costs_one_frame():
    for bit in range(8 * 19):
        spoilt = bytearray(EXAMPLE)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert Framer().feed(bytes(spoilt) + EXAMPLE) == [BadFrame(19), REPORT]


@pytest.mark.parametrize("data", [b"", EXAMPLE[:-1], EXAMPLE + b"\0", EXAMPLE[:-1] + b"\xe8", b"\xab" + EXAMPLE[1:]])
def test_what_is_not_exactly_one_frame_is_refused(data):
    with pytest.raises(RemoteError):
        decode(data)


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("flood", [b"\xaa" * 5000, bytes(5000), b"\xaa\xaa\x00" * 1700])
def test_a_flood_is_reported_in_parts_and_never_kept(flood, chunk):
    framer, found = Framer(), []
    for at in range(0, len(flood), chunk):
        found += framer.feed(flood[at : at + chunk])
        assert len(framer._frames._rest) <= 18
    assert {type(item) for item in found} == {BadFrame}
    assert len(flood) - 100 <= sum(item.size for item in found) <= len(flood)


@pytest.mark.parametrize(
    "report",
    [
        REPORT._replace(number=256),
        REPORT._replace(yaw_cdeg=32768),
        REPORT._replace(z_mg=-32769),
        REPORT._replace(reserved=b"\0\0"),
        REPORT._replace(reserved=b"\0\0\0\0"),
    ],
)
def test_what_does_not_fit_is_not_encoded(report):
    with pytest.raises(LocalError):
        encode(report)


@given(st.lists(reports, max_size=6), st.lists(st.integers(0, 114), max_size=8))
def test_round_trip_however_the_stream_is_cut(sent, cuts):
    data = b"".join(map(encode, sent))
    assert fed_in_pieces(data, [min(cut, len(data)) for cut in cuts]) == sent


@given(st.lists(st.binary(max_size=40) | reports.map(encode), max_size=10).map(b"".join), st.data())
def test_any_bytes_give_the_same_answer_however_they_are_cut(data, draw):
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=8))
    assert fed_in_pieces(data, cuts) == Framer().feed(data)


def test_a_wrong_number_is_a_good_frame_with_another_index():
    assert decode(renumbered(EXAMPLE)) == REPORT._replace(number=222 - 128)
    assert renumbered(EXAMPLE + b"rest")[19:] == b"rest"
    with pytest.raises(RemoteError):
        renumbered(b"text")


def test_a_stream_is_recognised_wherever_it_is_cut():
    assert all(resembles((EXAMPLE * 5)[first : first + 76]) for first in range(19))
    assert not resembles(EXAMPLE)
    assert not resembles(b"")
