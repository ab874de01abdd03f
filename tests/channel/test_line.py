"""The line between two processes: framing split and joined, a bounded backlog, and the end of the stream."""

import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.channel.line import BACKLOG_BYTES_MAX, MESSAGE_BYTES_MAX, Line, LineClosed, pair


@pytest.fixture
def ends():
    one, other = pair()
    lines = Line(one), Line(other)
    yield lines
    for line in lines:
        line.close()


@pytest.fixture
def raw():
    """A line, and the bare socket at its other end."""
    one, other = pair()
    line = Line(one)
    yield line, other
    line.close()
    other.close()


def drained(line, count):
    """The next `count` messages (each read is bounded, so it may take several)."""
    found = []
    for _ in range(1_000):
        found += line.receive()
        if len(found) >= count:
            break
    return found


def framed(kind, payload):
    return struct.pack("<HB", len(payload) + 1, kind) + payload


def test_messages_arrive_whole_and_in_order(ends):
    here, there = ends
    assert here.receive() == []
    sent = [(1, b""), (255, b"x" * 1000), (0, b"\x00\xff")]
    assert all(there.send(kind, payload) for kind, payload in sent)
    assert here.receive() == sent
    assert here.receive() == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=8), st.data())
def test_framing_does_not_care_how_the_stream_is_cut(messages, data):
    one, other = pair()
    with one, other:
        line = Line(one)
        stream = b"".join(framed(*message) for message in messages)
        found = []
        while stream:
            size = data.draw(st.integers(1, len(stream)))
            other.sendall(stream[:size])
            stream = stream[size:]
            found += line.receive()
        assert found == messages


def test_byte_by_byte(raw):
    line, other = raw
    found = []
    for byte in framed(7, b"stop") + framed(8, b""):
        other.sendall(bytes([byte]))
        found += line.receive()
    assert found == [(7, b"stop"), (8, b"")]


def test_the_backlog_is_bounded_and_drops_are_counted(ends):
    here, there = ends
    payload = b"x" * 10_000
    taken = 0
    while here.send(1, payload):
        taken += 1
        assert taken < 1_000, "the backlog has no bound"
    assert here.dropped == 1
    assert not here.send(1, payload)
    assert here.dropped == 2
    assert here.wants_write
    assert len(here._outbox) <= BACKLOG_BYTES_MAX + 16
    found = []
    for _ in range(10_000):
        found += there.receive()
        here.flush()
        if len(found) == taken:
            break
    assert found == [(1, payload)] * taken  # what was taken arrives whole, whatever was dropped
    assert here.send(2, b"again")
    assert there.receive() == [(2, b"again")]


@pytest.mark.hazard("H36")
def test_a_message_over_the_limit_is_dropped_and_said_once(ends):
    here, there = ends
    assert here.send(1, b"x" * (MESSAGE_BYTES_MAX - 1))
    assert drained(there, 1) == [(1, b"x" * (MESSAGE_BYTES_MAX - 1))]
    assert not here.told_overlong()
    for dropped in (1, 2):
        assert not here.send(1, b"x" * MESSAGE_BYTES_MAX)
        assert here.dropped == dropped
        assert here.told_overlong() is (dropped == 1)
    assert here.send(2, b"stop")
    assert drained(there, 1) == [(2, b"stop")]  # what comes after it is whole


def test_the_end_of_the_stream_is_said_after_the_last_message(raw):
    line, other = raw
    other.sendall(framed(1, b"last"))
    other.close()
    assert line.receive() == [(1, b"last")]
    for _ in range(2):
        with pytest.raises(LineClosed, match="end of stream"):
            line.receive()


def test_half_a_message_at_the_end_is_nothing(raw):
    line, other = raw
    other.sendall(framed(1, b"whole") + framed(2, b"torn")[:-2])
    other.close()
    assert line.receive() == [(1, b"whole")]
    with pytest.raises(LineClosed):
        line.receive()


def test_sending_to_nobody_neither_raises_nor_fills_up(raw):
    line, other = raw
    other.close()
    for _ in range(100):
        line.send(1, b"x" * 10_000)
    assert not line.wants_write
    with pytest.raises(LineClosed):
        line.receive()


def test_room_that_has_come_is_used_by_the_next_message(ends):
    """A STOP is sent by a thread that cannot wait for the event loop to flush what is left from before."""
    here, there = ends
    while not here.wants_write:
        here.send(1, b"x" * 10_000)
    for _ in range(1_000):
        if not there.receive():
            break
    here.send(2, b"stop")
    assert not here.wants_write
    assert drained(there, 2)[-1] == (2, b"stop")


def test_a_line_never_blocks(raw):
    line, _ = raw
    assert not line._sock.getblocking()
    assert line.fileno() == line._sock.fileno()
    assert line._sock.family is socket.AF_UNIX
