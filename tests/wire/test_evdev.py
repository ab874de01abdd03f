"""Input events of a foot pedal: bytes packed by hand, torn reads, repeats, and events that the kernel threw away."""

import random
import struct
import sys

import pytest

from controller.wire import evdev
from controller.wire.errors import LocalError
from controller.wire.evdev import EventsLost, KeyPressed, KeyReader, KeyReleased

pytestmark = pytest.mark.hazard("H18")

F13 = 183
# By hand: 5 s and 250000 us, then type, code and value, little endian.
TIME = "050000000000000090d0030000000000"
DOWN = bytes.fromhex(TIME + "0100b70001000000")
UP = bytes.fromhex(TIME + "0100b70000000000")
AGAIN = bytes.fromhex(TIME + "0100b70002000000")
REPORT = bytes.fromhex(TIME + "0000000000000000")
LOST = bytes.fromhex(TIME + "0000030000000000")
SCAN = bytes.fromhex(TIME + "0400040068000700")
"""EV_MSC, which every USB keyboard sends before the key itself."""


def test_the_bytes_of_a_press_are_those_of_the_kernel():
    assert evdev.encode(evdev.EV_KEY, F13, evdev.PRESSED, 5_250_000) == DOWN
    assert evdev.encode_key(F13, evdev.RELEASED, 5_250_000) == UP + REPORT
    assert struct.calcsize("@llHHi") == evdev.EVENT_BYTES == len(DOWN)
    assert struct.pack("@llHHi", 5, 250_000, 1, F13, 1) == DOWN or sys.byteorder != "little"


def test_the_requests_are_those_of_the_kernels_header():
    assert evdev.GRAB == 0x40044590
    assert evdev.GET_NAME == 0x81004506
    assert evdev.GET_UNIQ == 0x81004508
    assert evdev.GET_KEYS == 0x80604518


def test_press_repeat_and_release():
    reader = KeyReader()
    assert reader.feed(SCAN + DOWN + REPORT) == [KeyPressed(F13)]
    assert reader.held == {F13}
    assert reader.feed(AGAIN + REPORT + AGAIN + REPORT) == []
    assert reader.feed(SCAN + UP + REPORT) == [KeyReleased(F13)]
    assert reader.held == set()


def test_what_is_repeated_and_was_never_seen_to_go_down_is_a_press():
    assert KeyReader().feed(AGAIN + REPORT + AGAIN + REPORT) == [KeyPressed(F13)]


def test_a_second_press_without_a_release_counts():
    assert KeyReader().feed(DOWN + REPORT + DOWN + REPORT) == [KeyPressed(F13), KeyPressed(F13)]


def test_what_is_held_at_the_opening_is_not_pressed_anew_by_a_repeat():
    reader = KeyReader(frozenset({F13}))
    assert reader.feed(AGAIN + REPORT) == []
    assert reader.feed(UP + REPORT + DOWN + REPORT) == [KeyReleased(F13), KeyPressed(F13)]


def test_a_loss_is_told_and_the_rest_of_its_report_is_skipped():
    reader = KeyReader(frozenset({F13}))
    (lost,) = reader.feed(LOST + DOWN + REPORT)
    assert isinstance(lost, EventsLost)
    assert "dropped" in lost.why
    assert reader.held == set()
    assert reader.feed(DOWN + REPORT) == [KeyPressed(F13)]


@pytest.mark.parametrize("broken", [b"\xff" * 24, DOWN[:8] + struct.pack("<q", 1_000_000) + DOWN[16:]])
def test_bytes_that_are_no_event_are_a_loss(broken):
    (lost,) = KeyReader().feed(broken)
    assert isinstance(lost, EventsLost)
    assert "cannot be read" in lost.why


def test_however_the_reads_are_torn_the_events_are_the_same():
    stream = (SCAN + DOWN + REPORT + AGAIN + REPORT + UP + REPORT) * 20 + LOST + DOWN + REPORT + DOWN + REPORT
    whole = KeyReader().feed(stream)
    assert whole.count(KeyPressed(F13)) == 41
    dice = random.Random(4)
    for _ in range(50):
        reader, at, found = KeyReader(), 0, []
        while at < len(stream):
            size = dice.randint(1, 40)
            found += reader.feed(stream[at : at + size])
            at += size
        assert found == whole


def test_any_bytes_at_all_raise_nothing():
    dice = random.Random(18)
    reader = KeyReader()
    for _ in range(300):
        reader.feed(dice.randbytes(dice.randint(0, 100)))


@pytest.mark.parametrize("fields", [(0x10000, 1, 1), (1, -1, 1), (1, 1, 1 << 31)])
def test_what_does_not_fit_is_not_encoded(fields):
    with pytest.raises(LocalError):
        evdev.encode(*fields)


def test_the_keys_that_are_down():
    state = bytearray(evdev.KEY_STATE_BYTES)
    state[F13 // 8] |= 1 << F13 % 8
    state[0] |= 2
    assert evdev.keys_of(bytes(state)) == {1, F13}
