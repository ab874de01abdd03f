"""Flint FitMi pucks: the reports and commands of their USB radio dongle (HID, 04D8:2742), both roles.

A report is 62 bytes, little endian: two puck blocks of 30 bytes and one receiver word; no counter, no time, no
checksum. Block: gyro 3 x int16, accelerometer 3 x int16, magnetometer or velocity 3 x int16, quaternion w x y z
4 x int16 (1/10000), load cell int16, battery uint8 at 28, status uint8 at 29. Counts other than the quaternion have
no known scale. Source: three public code bases that read the dongle, compared in docs/devices/fitmi.md.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from controller.wire.errors import LocalError, RemoteError

REPORT_BYTES = 62
COMMAND_BYTES = 4
QUATERNION_ONE = 10_000
BLUE, YELLOW = 0, 1

_REPORT = struct.Struct("<" + "3h3h3h4hhBB" * 2 + "H")
_BLOCK_FIELDS = 16
_MIN_SQUARE = (9 * QUATERNION_ONE // 10) ** 2
_MAX_SQUARE = (11 * QUATERNION_ONE // 10) ** 2

CONNECTED = 1
IMU_OK = 2
TOUCHED = 4
VELOCITY_MODE = 8
RESERVED = 128

Counts = tuple[int, int, int]


class PuckCommand(IntEnum):
    """The commands that this program may send. The dongle knows more; calibration, power and radio are left alone."""

    BLINK_RED = 0x01
    BLINK_GREEN = 0x02
    BLINK_BLUE = 0x03
    BLINK_MOTOR = 0x04
    PULSE_RED = 0x05
    PULSE_GREEN = 0x06
    PULSE_BLUE = 0x07
    PULSE_MOTOR = 0x08
    GAMEON = 0x0B
    DNGLRST = 0x0F
    TOUCHBUZ = 0x11


EFFECTS = frozenset(PuckCommand(number) for number in range(0x01, 0x09))
"""Lights and vibration: msb is the duration, lsb the amplitude in percent."""
EFFECT_MS_MAX = 1500
AMPLITUDE_PERCENT_MAX = 100


class Block(NamedTuple):
    """One puck's part of a report, raw counts. `quaternion` in 1/10000; the first four fields are the measurement."""

    gyro: Counts
    acc: Counts
    third: Counts
    """Magnetometer, or velocity where the status says so."""
    quaternion: tuple[int, int, int, int]
    load: int
    battery: int
    status: int

    @property
    def measured(self) -> tuple[object, ...]:
        """Bytes 0-25: what changes, if only by noise, with every new measurement."""
        return self[:4]

    @property
    def quaternion_ok(self) -> bool:
        """The quaternion's norm is within 0.9 to 1.1 (a sleeping puck sends zeros)."""
        w, x, y, z = self.quaternion
        return _MIN_SQUARE <= w * w + x * x + y * y + z * z <= _MAX_SQUARE


class Receiver(NamedTuple):
    """The receiver word: hardware state 0-7, radio channel 0-127, radio pipe of each block 0-7."""

    state: int
    channel: int
    pipes: tuple[int, int]


# On a byte stream the receiver word is what marks a report's end. A twin there says this one: its upper byte is no
# possible puck status, so that the window from block 1 to the next block 0 can never pass for a report.
STREAM_RECEIVER = Receiver(state=7, channel=127, pipes=(0, 1))


class Report(NamedTuple):
    """A whole report. Block 0 is the blue puck, block 1 the yellow one."""

    blocks: tuple[Block, Block]
    receiver: Receiver


class BadReport(NamedTuple):
    """Bytes that are no report: why, and how many."""

    reason: str
    size: int


def decode_report(data: bytes) -> Report:
    """One report of 62 bytes, or 63 with a leading report id of 0. Raises `RemoteError` for any other length."""
    if len(data) == REPORT_BYTES + 1 and data[0] == 0:
        data = data[1:]
    if len(data) != REPORT_BYTES:
        raise RemoteError(f"a FitMi report has {REPORT_BYTES} bytes, not {len(data)}")
    fields = _REPORT.unpack(data)
    word = fields[-1]
    receiver = Receiver(word >> 13, word >> 6 & 0x7F, (word & 7, word >> 3 & 7))
    return Report((_block(fields[:_BLOCK_FIELDS]), _block(fields[_BLOCK_FIELDS:-1])), receiver)


def _block(fields: tuple[int, ...]) -> Block:
    gx, gy, gz, ax, ay, az, tx, ty, tz, w, x, y, z, load, battery, status = fields
    return Block((gx, gy, gz), (ax, ay, az), (tx, ty, tz), (w, x, y, z), load, battery, status)


def encode_report(report: Report) -> bytes:
    """The 62 bytes of a report. Raises `LocalError` where a field does not fit."""
    blue, yellow = (
        (*block.gyro, *block.acc, *block.third, *block.quaternion, block.load, block.battery, block.status)
        for block in report.blocks
    )
    state, channel, (first, second) = report.receiver
    if not (0 <= state <= 7 and 0 <= channel <= 127 and 0 <= first <= 7 and 0 <= second <= 7):
        raise LocalError(f"{report.receiver} does not fit the receiver word")
    try:
        return _REPORT.pack(*blue, *yellow, state << 13 | channel << 6 | second << 3 | first)
    except struct.error as error:
        raise LocalError(f"a puck block does not fit a FitMi report: {error}") from error


def encode_command(puck: int, command: int, msb: int, lsb: int) -> bytes:
    """One output report: report id 0, puck and command, payload. Write it alone: a HID write is one report.

    Raises `LocalError` for a command that is no `PuckCommand`, and for a payload that it does not have: settings take
    0 or 1, the reset nothing, lights and vibration an amplitude of at most 100.
    """
    try:
        known = PuckCommand(command)
    except ValueError as error:
        raise LocalError(f"{command} is no FitMi command that may be sent") from error
    if known in EFFECTS:
        msb_max, lsb_max = 255, AMPLITUDE_PERCENT_MAX
    else:
        msb_max, lsb_max = 0, 0 if known is PuckCommand.DNGLRST else 1
    if not (puck in (BLUE, YELLOW) and 0 <= msb <= msb_max and 0 <= lsb <= lsb_max):
        raise LocalError(f"no such FitMi command: puck {puck}, {known.name}, payload {msb} {lsb}")
    return bytes((0, puck << 5 | known, msb, lsb))


def encode_effect(puck: int, command: PuckCommand, duration_ms: int, amplitude_percent: int) -> bytes:
    """A light or a vibration of up to 1500 ms and 100 percent. Raises `LocalError` for more, or for a setting."""
    if command not in EFFECTS or not 0 <= duration_ms <= EFFECT_MS_MAX:
        raise LocalError(f"no such FitMi light or vibration: {command!r} for {duration_ms} ms")
    return encode_command(puck, command, round(duration_ms * 255 / EFFECT_MS_MAX), amplitude_percent)


def effect_ms(msb: int) -> int:
    """Device role: the duration in ms that an effect's msb asks for."""
    return round(msb * EFFECT_MS_MAX / 255)


def decode_command(data: bytes) -> tuple[int, int, int, int]:
    """Device role: (puck, command number, msb, lsb) of one output report. Raises `RemoteError`."""
    if len(data) != COMMAND_BYTES or data[0] != 0:
        raise RemoteError(f"not a FitMi command: {data.hex()}")
    return data[1] >> 5, data[1] & 0x1F, data[2], data[3]


def plausible(report: Report) -> bool:
    """Could this be a report that starts at its first byte? Used on byte streams, where nothing marks the start."""
    return report.receiver == STREAM_RECEIVER and all(map(_plausible_block, report.blocks))


def _plausible_block(block: Block) -> bool:
    if block.status & RESERVED or block.battery > 100:
        return False
    if block.status & CONNECTED and block.status & IMU_OK:
        return block.quaternion_ok
    return block.quaternion_ok or not any(block.quaternion)


class StreamFramer:
    """Finds reports in a byte stream (a twin on a PTY or socket; a hidraw node needs none of this).

    In step, each window of 62 bytes that is `plausible` is a report. Out of step (at the start, and after a window
    that is not) the window slides by one byte until two in a row are plausible. Skipped bytes are reported before the
    report that ends them, at the latest each 62 bytes. Keeps at most 123 bytes between calls.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._in_step = False
        self._skipped = 0

    def feed(self, data: bytes) -> list[Report | BadReport]:
        """The reports that `data` completes, oldest first. Never raises."""
        data = self._rest + data
        found: list[Report | BadReport] = []
        at = 0
        while len(data) - at >= (REPORT_BYTES if self._in_step else 2 * REPORT_BYTES):
            report = decode_report(data[at : at + REPORT_BYTES])
            good = plausible(report)
            if good and not self._in_step:
                good = plausible(decode_report(data[at + REPORT_BYTES : at + 2 * REPORT_BYTES]))
            self._in_step = good
            if good:
                self._close_gap(found)
                found.append(report)
                at += REPORT_BYTES
            else:
                self._skipped += 1
                at += 1
                if self._skipped == REPORT_BYTES:
                    self._close_gap(found)
        self._rest = data[at:]
        return found

    def _close_gap(self, found: list[Report | BadReport]) -> None:
        if self._skipped:
            found.append(BadReport("not a report: looking for the next one", self._skipped))
            self._skipped = 0


def resembles(data: bytes) -> bool:
    """Mostly whole reports, as a simulated dongle streams them (a real one is a hidraw node, and no serial port)."""
    found = [report for report in StreamFramer().feed(data) if isinstance(report, Report)]
    return len(found) >= 2 and len(found) * REPORT_BYTES * 2 >= len(data)
