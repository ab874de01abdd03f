"""The framer: any cut of the stream, garbage and damage; one good frame is never lost for a bad one before it."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.wire.errors import LocalError
from controller.wire.sciencemode.frame import (
    FRAME_BYTES_MAX,
    STRAY,
    BadFrame,
    Frame,
    Framer,
    build,
    parse,
)

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "sciencemode4_p24.json").read_text())
GOLDEN = [
    bytes.fromhex(vector["hex"])
    for library in ("c_library", "python_library")
    for vector in VECTORS[library]["vectors"]
]

FRAMES = st.builds(build, st.integers(0, 63), st.integers(0, 1023), st.binary(max_size=60))
NO_START = st.binary(max_size=30).map(lambda data: data.replace(b"\xf0", b""))


def frames_of(found: list[Frame | BadFrame]) -> list[Frame]:
    return [entry for entry in found if isinstance(entry, Frame)]


@pytest.mark.parametrize("data", GOLDEN, ids=lambda data: data.hex())
def test_golden_frame_byte_by_byte_and_rebuilt(data: bytes) -> None:
    framer = Framer()
    found = [frame for byte in data for frame in framer.feed(bytes([byte]))]
    assert len(found) == 1
    frame = found[0]
    assert isinstance(frame, Frame)
    assert framer.bad == 0
    assert build(*frame) == data
    assert parse(data) == frame


def test_all_golden_frames_joined_with_garbage_between() -> None:
    framer = Framer()
    stream = b"".join(data + b"\x00\x81\x0f\x55" for data in GOLDEN)
    found = framer.feed(stream)
    assert frames_of(found) == [parse(data) for data in GOLDEN]
    assert framer.bad == len(GOLDEN)


@pytest.mark.parametrize("wanted", [0xF0, 0x0F, 0x81])
@pytest.mark.parametrize("place", [2, 4, 6, 8])
def test_header_bytes_that_look_like_start_stop_or_escape(wanted: int, place: int) -> None:
    """The second half of a header pair may be any byte; the high half of the length only reaches 0 to 4."""
    for size in range(1, 1100):
        for filler in range(0, 256, 37):
            data = build(1, 33, bytes([filler]) * size) if size < 600 else build(1, 33, bytes(size))
            if data[place] == wanted:
                assert frames_of(Framer().feed(data)) == [parse(data)]
                return
    assert place == 2, "no frame was found that has this byte there"


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(0, 400), max_size=10), st.lists(NO_START, max_size=6))
def test_any_cut_gives_the_same_frames_and_faults(frames: list[bytes], cuts: list[int], junk: list[bytes]) -> None:
    stream = b"".join(frame + (junk[index] if index < len(junk) else b"") for index, frame in enumerate(frames))
    whole = Framer()
    expected = whole.feed(stream)
    assert frames_of(expected) == [parse(frame) for frame in frames]
    piecewise = Framer()
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    found = [entry for start, end in pairwise(edges) for entry in piecewise.feed(stream[start:end])]
    assert found == expected
    assert piecewise.bad == whole.bad


@given(st.binary(max_size=300), st.integers(1, 7))
def test_any_bytes_at_all_are_survived_the_same_however_they_are_cut(data: bytes, step: int) -> None:
    whole, piecewise = Framer(), Framer()
    expected = whole.feed(data)
    found = [entry for at in range(0, len(data), step) for entry in piecewise.feed(data[at : at + step])]
    assert found == expected
    assert piecewise.bad == whole.bad == len(expected) - len(frames_of(expected))


@given(FRAMES, st.data())
def test_a_damaged_byte_costs_at_most_its_own_frame(frame: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(frame) - 1))
    damaged = bytearray(frame)
    damaged[place] ^= data.draw(st.integers(1, 255))
    good = build(5, 36, b"\x04")
    framer = Framer()
    found = frames_of(framer.feed(bytes(damaged) + good + good))
    # CRC-16 detects every burst of up to 16 bits, so the damaged frame itself never comes out as another one.
    assert found == [parse(good), parse(good)]
    assert framer.bad >= 1


@given(FRAMES, st.integers(1, 40))
def test_a_cut_frame_does_not_take_the_next_with_it(frame: bytes, missing: int) -> None:
    good = build(5, 36, b"\x04")
    found = Framer().feed(frame[: max(0, len(frame) - missing)] + good)
    assert frames_of(found) == [parse(good)]


def test_wrong_crc_still_tells_number_and_command() -> None:
    data = bytearray(build(9, 32, b"\x00\x01"))
    data[-2] ^= 0x20
    assert Framer().feed(bytes(data)) == [BadFrame("wrong CRC", 9, 32)]


def test_length_out_of_range_is_given_up_at_once() -> None:
    framer = Framer()
    found = framer.feed(bytes.fromhex("F0 81 A4 81 55 81 55 81 55"))
    assert found == [BadFrame("length field out of range")]
    assert framer.feed(build(1, 35, b"\x00")) == [Frame(1, 35, b"\x00")]


def test_stray_bytes_count_once_however_many() -> None:
    framer = Framer()
    assert framer.feed(b"\x00" * 5000) == [BadFrame(STRAY)]
    assert framer.feed(b"\x01\x02") == []
    assert framer.bad == 1


@settings(max_examples=30)
@given(st.binary(max_size=5000))
def test_buffer_stays_bounded(data: bytes) -> None:
    framer = Framer()
    framer.feed(b"\xf0\x81\x51" + data)
    framer.feed(b"\xf0\x81\x51\x81\xe5")
    assert len(framer._rest) <= FRAME_BYTES_MAX


def test_clear_forgets_half_a_frame() -> None:
    framer = Framer()
    data = build(3, 34, b"")
    framer.feed(data[:7])
    framer.clear()
    assert framer.feed(data) == [Frame(3, 34, b"")]
    assert framer.bad == 0


@pytest.mark.parametrize(("number", "command"), [(64, 1), (-1, 1), (1, 1024), (1, -1)])
def test_numbers_that_do_not_fit_are_refused(number: int, command: int) -> None:
    with pytest.raises(LocalError):
        build(number, command, b"")


def test_frame_longer_than_the_protocol_allows_is_refused() -> None:
    assert len(build(1, 2, bytes(1188))) == FRAME_BYTES_MAX
    with pytest.raises(LocalError):
        build(1, 2, bytes(1189))


@pytest.mark.parametrize("data", [b"", b"\xf0", build(1, 2, b"") + b"\x00", b"\x00" * 12])
def test_parse_takes_exactly_one_frame(data: bytes) -> None:
    assert isinstance(parse(data), BadFrame)
