"""Text lines: the format's own examples, both line ends, remarks, and every number that is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.wire.errors import LocalError
from controller.wire.textline import (
    HEADER,
    LINE_BYTES_MAX,
    BadFrame,
    Framer,
    Measurement,
    Remark,
    decode,
    encode,
    resembles,
)

# The examples of docs/devices/textline.md.
LINE = b"1000,0.000,-12.500,300.250,0.0000,0.0100,-1.0000\n"
WITH_LOAD = b"1010,0.000,-12.500,300.250,0.0000,0.0100,-1.0000,4.500\n"
PLAIN = Measurement(1000, (0.0, -12.5, 300.25), (0.0, 0.01, -1.0))
LOADED = Measurement(1010, (0.0, -12.5, 300.25), (0.0, 0.01, -1.0), 4.5)

gyros = st.integers(-2_500_000, 2_500_000).map(lambda n: n / 1000)
accs = st.integers(-400_000, 400_000).map(lambda n: n / 10_000)
loads = st.none() | st.integers(-2_000_000, 2_000_000).map(lambda n: n / 1000)
measurements = st.builds(
    Measurement, st.integers(0, 2**32 - 1), st.tuples(gyros, gyros, gyros), st.tuples(accs, accs, accs), loads
)


def fed_in_pieces(data, cuts):
    framer, found, at = Framer(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += framer.feed(data[at:cut])
        at = cut
    return found


@pytest.mark.parametrize(("line", "measurement"), [(LINE, PLAIN), (WITH_LOAD, LOADED)])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_examples_both_ways_and_with_either_line_end(line, measurement, end):
    data = line.replace(b"\n", end.encode())
    assert encode(measurement, line_end=end) == data
    assert Framer().feed(b"\n" + data) == [measurement]


@pytest.mark.parametrize(
    "line", [b"5,1,2,3,0,0,1", b"5, 1., +2.0, 3e0, .0, -0, 1E+0", b"005,1,2,3.,0.,0e5,1.000000000000"]
)
def test_numbers_are_read_as_an_arduino_prints_them(line):
    assert decode(line) == Measurement(5, (1.0, 2.0, 3.0), (0.0, 0.0, 1.0))


@pytest.mark.parametrize(
    "line", [b"", b"\r", b"# made by hand", b"#1,2,3", HEADER.encode(), b"t_ms,gx,gy,gz,ax,ay,az\r"]
)
def test_comments_headers_and_empty_lines_are_passed_over(line):
    assert isinstance(decode(line), Remark)


@pytest.mark.parametrize(
    "line",
    [
        b"5,1,2,3,0,0",
        b"5,1,2,3,0,0,1,2,3",
        b"5,1,2,3,0,0,",
        b"5,1,2,3,0,0,nan",
        b"5,inf,2,3,0,0,1",
        b"5,-Infinity,2,3,0,0,1",
        b"5,1_0,2,3,0,0,1",
        b"5,0x1,2,3,0,0,1",
        b"5,1e999,2,3,0,0,1",
        b"5,1e308,1e308,3,0,0,1",
        b"5," + b"9" * 200 + b"e200,2,3,0,0,1",
        b"4294967296,1,2,3,0,0,1",
        b"99999999999,1,2,3,0,0,1",
        b"-5,1,2,3,0,0,1",
        b"5.0,1,2,3,0,0,1",
        b"5,1,2,3,0,0,1 ",
        b"5,1,2,3,0,0,1\r\r",
        b"5;1;2;3;0;0;1",
        b"5,1,2,3,0,0,\xb2",
        b"I,1000,0.0000,0.0000,0.0000,0.0000,0.0000,1.0000",
        b"hello",
        b"\x00",
    ],
)
def test_what_is_no_line_of_this_format_is_bad(line):
    message = decode(line)
    assert isinstance(message, BadFrame)
    assert message.reason
    assert len(message.data) <= 64


def test_the_line_that_was_cut_by_joining_is_passed_over():
    assert Framer().feed(b"0,1,2,3,0,0,1\n" + LINE) == [PLAIN]


def test_a_cut_line_that_reads_like_a_whole_one_is_not_believed():
    whole = b"77,12,0,0,0,0,1,5\n"
    assert isinstance(decode(whole[3:-1]), Measurement)
    assert Framer().feed(whole[3:]) == []


def test_a_stream_of_another_device_without_any_line_end_is_noticed():
    (bad,) = Framer().feed(bytes(1000))
    assert isinstance(bad, BadFrame)
    assert fed_in_pieces(bytes(1000) + b"\n" + LINE, range(1000)) == [bad, PLAIN]


def test_byte_by_byte_the_same_messages_come_out():
    data = b"\n" + (LINE + b"# note\r\n" + WITH_LOAD) * 2
    assert fed_in_pieces(data, range(len(data))) == [PLAIN, Remark(b"# note"), LOADED] * 2


@pytest.mark.parametrize("chunk", [1, 7, 100, 100_000])
def test_a_line_without_end_is_bounded_and_reported_once(chunk):
    framer, found = Framer(), []
    flood = b"\n" + b"1" * (5 * LINE_BYTES_MAX) + b"\n" + LINE
    for at in range(0, len(flood), chunk):
        found += framer.feed(flood[at : at + chunk])
        assert len(framer._rest) <= LINE_BYTES_MAX
    assert [type(message) for message in found] == [BadFrame, Measurement]


@pytest.mark.parametrize("size", [LINE_BYTES_MAX, LINE_BYTES_MAX + 1])
def test_the_longest_line_is_the_same_however_it_comes(size):
    data = b"\n#" + b"x" * (size - 1) + b"\n"
    whole = Framer().feed(data)
    assert [type(message) for message in whole] == [Remark if size == LINE_BYTES_MAX else BadFrame]
    assert fed_in_pieces(data, range(len(data))) == whole


@pytest.mark.parametrize(
    "measurement",
    [
        PLAIN._replace(t_ms=-1),
        PLAIN._replace(t_ms=2**32),
        PLAIN._replace(gyro_dps=(math.nan, 0.0, 0.0)),
        PLAIN._replace(acc_g=(0.0, math.inf, 0.0)),
        PLAIN._replace(load_n=-math.inf),
    ],
)
def test_what_does_not_fit_is_not_encoded(measurement):
    with pytest.raises(LocalError):
        encode(measurement)


@given(st.lists(measurements, max_size=6), st.lists(st.integers(0, 400), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_round_trip_however_the_stream_is_cut(sent, cuts, end):
    data = b"\n" + b"".join(encode(measurement, line_end=end) for measurement in sent)
    assert fed_in_pieces(data, [min(cut, len(data)) for cut in cuts]) == sent


near_lines = st.text("0123456789,.-+eE \r#naif", max_size=60).map(str.encode)


@given(st.lists(st.binary(max_size=60) | near_lines | st.just(LINE), max_size=10).map(b"\n".join), st.data())
def test_any_bytes_give_the_same_finite_answer_however_they_are_cut(data, draw):
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=8))
    found = Framer().feed(data)
    assert fed_in_pieces(data, cuts) == found
    for message in found:
        if isinstance(message, Measurement):
            assert all(map(math.isfinite, (*message.gyro_dps, *message.acc_g, message.load_n or 0.0)))


def test_a_stream_is_recognised_wherever_it_is_cut():
    assert all(resembles((LINE * 6)[first : first + 200]) for first in range(len(LINE)))
    assert resembles((f"# x\n{HEADER}\n").encode() + LINE * 3)
    assert not resembles(LINE)
    assert not resembles(b"\n" + LINE + b"hello\n" + LINE * 2)
    assert not resembles(b"")
