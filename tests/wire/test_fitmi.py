"""FitMi reports and commands.

The golden bytes were written by hand from the layout in docs/devices/fitmi.md; no recording of a real dongle was at
hand. Every field has its own value, so that no two offsets can be mistaken for each other.
"""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.wire.errors import LocalError, RemoteError
from controller.wire.fitmi import (
    STREAM_RECEIVER,
    BadReport,
    Block,
    PuckCommand,
    Receiver,
    Report,
    StreamFramer,
    decode_command,
    decode_report,
    effect_ms,
    encode_command,
    encode_effect,
    encode_report,
    plausible,
)

GOLDEN = bytes.fromhex(
    "0100 FEFF 0300"  # 0  blue: gyro 1 -2 3
    "6400 38FF E803"  # 6  accelerometer 100 -200 1000
    "D007 0CFE 6810"  # 12 magnetometer 2000 -500 4200
    "7017 401F 0000 0000"  # 18 quaternion 0.6 0.8 0 0
    "3412"  # 26 load cell 0x1234: its high byte is not the battery
    "55"  # 28 battery 85 %
    "07"  # 29 connected, sensor well, touched
    "0A00 0B00 0C00"  # 30 yellow: gyro 10 11 12
    "F6FF F5FF F4FF"  # 36 accelerometer -10 -11 -12
    "0100 0200 0300"  # 42 velocity, as the status says
    "F0D8 0000 0000 0000"  # 48 quaternion -1 0 0 0
    "F401"  # 56 load cell 500
    "2A"  # 58 battery 42 %
    "0B"  # 59 connected, sensor well, velocity mode
    "082A"  # 60 receiver: state 1, channel 40, block 1 on pipe 1, block 0 on pipe 0
)
BLUE = Block((1, -2, 3), (100, -200, 1000), (2000, -500, 4200), (6000, 8000, 0, 0), 0x1234, 85, 7)
YELLOW = Block((10, 11, 12), (-10, -11, -12), (1, 2, 3), (-10000, 0, 0, 0), 500, 42, 11)
REPORT = Report((BLUE, YELLOW), Receiver(1, 40, (0, 1)))

TWIN_REPORT = REPORT._replace(receiver=STREAM_RECEIVER)
STREAMED = GOLDEN[:60] + bytes.fromhex("C8FF")

int16 = st.integers(-32768, 32767)
counts = st.tuples(int16, int16, int16)
blocks = st.builds(
    Block,
    counts,
    counts,
    counts,
    st.tuples(int16, int16, int16, int16),
    int16,
    st.integers(0, 255),
    st.integers(0, 255),
)
receivers = st.builds(Receiver, st.integers(0, 7), st.integers(0, 127), st.tuples(st.integers(0, 7), st.integers(0, 7)))
reports = st.builds(Report, st.tuples(blocks, blocks), receivers)


def fed_in_pieces(data, cuts):
    framer, found, at = StreamFramer(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += framer.feed(data[at:cut])
        at = cut
    return found


def test_the_golden_report_both_ways():
    assert len(GOLDEN) == 62
    assert decode_report(GOLDEN) == REPORT
    assert encode_report(REPORT) == GOLDEN


def test_battery_and_status_stand_at_28_and_29_of_each_block():
    for start, number in ((0, 0), (30, 1)):
        changed = bytearray(GOLDEN)
        changed[start + 28], changed[start + 29] = 99, 1
        block = decode_report(bytes(changed)).blocks[number]
        assert (block.battery, block.status) == (99, 1)
        assert block.load == REPORT.blocks[number].load


def test_the_report_id_of_windows_is_dropped():
    assert decode_report(b"\x00" + GOLDEN) == REPORT


@pytest.mark.parametrize("data", [b"", GOLDEN[:-1], GOLDEN + b"\x00", b"\x01" + GOLDEN, GOLDEN * 2])
def test_any_other_length_is_refused(data):
    with pytest.raises(RemoteError):
        decode_report(data)


@pytest.mark.parametrize(
    ("quaternion", "good"),
    [
        ((10000, 0, 0, 0), True),
        ((0, -9000, 0, 0), True),
        ((0, 0, 11000, 0), True),
        ((0, 0, 0, 8999), False),
        ((11001, 0, 0, 0), False),
        ((0, 0, 0, 0), False),
        ((-32768, -32768, -32768, -32768), False),
    ],
)
def test_a_quaternion_has_a_norm_near_one(quaternion, good):
    assert BLUE._replace(quaternion=quaternion).quaternion_ok is good


def test_load_battery_and_status_are_no_news_of_motion():
    assert BLUE._replace(load=1, battery=2, status=3).measured == BLUE.measured
    assert BLUE._replace(third=(0, 0, 0)).measured != BLUE.measured


def test_commands_are_four_bytes_with_report_id_0():
    assert encode_command(0, PuckCommand.GAMEON, 0, 1) == bytes.fromhex("00 0B 00 01")
    assert encode_command(1, PuckCommand.GAMEON, 0, 1) == bytes.fromhex("00 2B 00 01")
    assert encode_command(1, PuckCommand.TOUCHBUZ, 0, 0) == bytes.fromhex("00 31 00 00")
    assert decode_command(bytes.fromhex("00 2B 00 01")) == (1, PuckCommand.GAMEON, 0, 1)


@pytest.mark.parametrize(("puck", "msb", "lsb"), [(2, 0, 0), (-1, 0, 0), (0, 256, 0), (0, 0, -1)])
def test_impossible_commands_are_not_encoded(puck, msb, lsb):
    with pytest.raises(LocalError):
        encode_command(puck, PuckCommand.GAMEON, msb, lsb)


MAY_BE_SENT = {*range(0x01, 0x09), 0x0B, 0x0F, 0x11}


@pytest.mark.parametrize("number", [number for number in range(-1, 300) if number not in MAY_BE_SENT])
def test_no_other_command_can_be_encoded(number):
    """0x0A power, 0x0C-0x0E calibration, 0x12 on: frequency, channel, pipes. None of them may ever be written."""
    with pytest.raises(LocalError, match="may be sent"):
        encode_command(0, number, 0, 1)


def test_the_list_of_what_may_be_sent_is_complete():
    assert {int(command) for command in PuckCommand} == MAY_BE_SENT


@pytest.mark.parametrize(
    ("command", "duration_ms", "percent", "frame"),
    [
        (PuckCommand.BLINK_RED, 1500, 100, "00 01 FF 64"),
        (PuckCommand.BLINK_GREEN, 0, 0, "00 02 00 00"),
        (PuckCommand.BLINK_BLUE, 300, 50, "00 03 33 32"),
        (PuckCommand.BLINK_MOTOR, 750, 7, "00 04 80 07"),
        (PuckCommand.PULSE_RED, 100, 100, "00 05 11 64"),
        (PuckCommand.PULSE_GREEN, 800, 60, "00 06 88 3C"),
        (PuckCommand.PULSE_BLUE, 500, 60, "00 07 55 3C"),
        (PuckCommand.PULSE_MOTOR, 300, 50, "00 08 33 32"),
    ],
)
def test_lights_and_vibration_are_a_duration_and_a_percentage(command, duration_ms, percent, frame):
    assert encode_effect(0, command, duration_ms, percent) == bytes.fromhex(frame)
    puck, number, msb, lsb = decode_command(encode_effect(1, command, duration_ms, percent))
    assert (puck, number, lsb) == (1, command, percent)
    assert effect_ms(msb) == pytest.approx(duration_ms, abs=3)


@pytest.mark.parametrize(
    ("command", "duration_ms", "percent"),
    [
        (PuckCommand.PULSE_RED, 1501, 50),
        (PuckCommand.PULSE_RED, -1, 50),
        (PuckCommand.PULSE_RED, float("nan"), 50),
        (PuckCommand.PULSE_RED, 100, 101),
        (PuckCommand.PULSE_RED, 100, -1),
        (PuckCommand.GAMEON, 100, 1),
    ],
)
def test_effects_beyond_their_range_are_not_encoded(command, duration_ms, percent):
    with pytest.raises(LocalError):
        encode_effect(0, command, duration_ms, percent)


@pytest.mark.parametrize(
    ("command", "msb", "lsb"),
    [(PuckCommand.GAMEON, 0, 2), (PuckCommand.GAMEON, 1, 1), (PuckCommand.TOUCHBUZ, 0, 2), (PuckCommand.DNGLRST, 0, 1)],
)
def test_settings_have_no_other_payload_than_on_and_off(command, msb, lsb):
    with pytest.raises(LocalError):
        encode_command(0, command, msb, lsb)


@pytest.mark.parametrize("data", [b"", b"\x00\x0b\x00", b"\x01\x0b\x00\x01"])
def test_broken_commands_are_refused(data):
    with pytest.raises(RemoteError):
        decode_command(data)


@pytest.mark.parametrize(
    "report",
    [
        REPORT._replace(receiver=Receiver(8, 0, (0, 1))),
        REPORT._replace(receiver=Receiver(0, 128, (0, 1))),
        REPORT._replace(receiver=Receiver(0, 0, (0, 8))),
        REPORT._replace(blocks=(BLUE._replace(load=40000), YELLOW)),
    ],
)
def test_impossible_reports_are_not_encoded(report):
    with pytest.raises(LocalError):
        encode_report(report)


@given(reports)
def test_every_report_survives_the_round_trip(report):
    assert decode_report(encode_report(report)) == report


@given(st.binary(min_size=62, max_size=62))
def test_every_62_bytes_are_a_report_and_come_back(data):
    assert encode_report(decode_report(data)) == data


def test_a_stream_byte_by_byte_split_and_joined():
    data = STREAMED * 4
    assert fed_in_pieces(data, range(len(data))) == [TWIN_REPORT] * 4
    assert StreamFramer().feed(data) == [TWIN_REPORT] * 4
    assert fed_in_pieces(data, [61, 63, 186]) == [TWIN_REPORT] * 4


def test_the_first_report_waits_for_its_witness():
    framer = StreamFramer()
    assert framer.feed(STREAMED) == []
    assert framer.feed(STREAMED) == [TWIN_REPORT, TWIN_REPORT]
    assert framer.feed(STREAMED) == [TWIN_REPORT]


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("lost", range(1, 62))
def test_a_stream_finds_its_step_again_after_lost_bytes(before, lost):
    found = StreamFramer().feed(STREAMED * before + STREAMED[lost:] + STREAMED * 3)
    whole = [item for item in found if isinstance(item, Report)]
    assert whole == [TWIN_REPORT] * (before + 3)
    assert sum(item.size for item in found if isinstance(item, BadReport)) == 62 - lost


@pytest.mark.parametrize("battery", range(101))
def test_the_yellow_block_is_never_taken_for_the_blue_one(battery):
    """This magnetometer makes the window that starts at block 1 look like quaternions too."""
    report = encode_report(TWIN_REPORT._replace(blocks=(BLUE._replace(battery=battery, load=0x0102), YELLOW)))
    found = [item for item in StreamFramer().feed(report[30:] + report * 4) if isinstance(item, Report)]
    assert [item.blocks[1] for item in found] == [YELLOW] * len(found)
    assert len(found) == 4


def test_silence_in_zeros_is_no_report():
    found = StreamFramer().feed(bytes(620))
    assert found
    assert all(isinstance(item, BadReport) and item.size == 62 for item in found)


def test_a_sleeping_puck_is_plausible_and_a_wild_one_is_not():
    asleep = Block((0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0, 0), 500, 0, 1)
    assert plausible(TWIN_REPORT._replace(blocks=(BLUE, asleep)))
    assert not plausible(TWIN_REPORT._replace(blocks=(BLUE, asleep._replace(status=3))))
    assert not plausible(TWIN_REPORT._replace(blocks=(BLUE, YELLOW._replace(status=0x83))))
    assert not plausible(TWIN_REPORT._replace(blocks=(BLUE, YELLOW._replace(battery=101))))
    assert not plausible(TWIN_REPORT._replace(receiver=Receiver(1, 40, (0, 1))))


@given(st.binary(max_size=300), st.lists(st.integers(0, 424), max_size=8))
def test_any_stream_gives_the_same_answer_however_it_is_cut(garbage, cuts):
    data = STREAMED * 2 + garbage + STREAMED
    whole = StreamFramer().feed(data)
    assert fed_in_pieces(data, [min(cut, len(data)) for cut in cuts]) == whole
    assert whole[0] == TWIN_REPORT
    seen = sum(item.size if isinstance(item, BadReport) else 62 for item in whole)
    assert len(data) - seen < 3 * 62


def test_the_receiver_word_is_read_as_the_makers_own_code_does():
    data = GOLDEN[:60] + struct.pack("<H", 5 << 13 | 99 << 6 | 4 << 3 | 2)
    assert decode_report(data).receiver == Receiver(state=5, channel=99, pipes=(2, 4))
