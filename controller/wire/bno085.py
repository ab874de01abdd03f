"""BNO085 and kin (BNO080, BNO086) in UART-RVC mode, both roles: one frame of 19 bytes, a hundred times a second.

    AA AA | index | yaw pitch roll, 3 x int16, 0.01 deg | x y z, 3 x int16, mg | 3 reserved | sum of the 16 before it

Little endian. The index counts frames from 0 to 255 and around again. After a reset the sensor says who it is in
lines of text that begin with `%`. Which turn is about which axis is for the driver to know. There is no length field.
Source: BNO080 data sheet 1000-3927 (October 2017), section 1.3.5.2, with one example frame.
"""

import struct
from typing import NamedTuple

from controller.wire.errors import LocalError, RemoteError
from controller.wire.fixed import FixedFramer, Stray, mostly_frames

FRAME_BYTES = 19
INDICES = 256

_START = b"\xaa\xaa"
_SUM_AT = FRAME_BYTES - 1
_FIELDS = struct.Struct("<B6h3s")


class Report(NamedTuple):
    """One frame: `number` is the index, angles in 0.01 deg, specific force in mg, `reserved` as it came.

    The BNO086 says something in two of the reserved bytes.
    """

    number: int
    yaw_cdeg: int
    pitch_cdeg: int
    roll_cdeg: int
    x_mg: int
    y_mg: int
    z_mg: int
    reserved: bytes = b"\0\0\0"


BadFrame = Stray


def _good(frame: bytes) -> bool:
    return frame[:2] == _START and sum(frame[2:_SUM_AT]) & 0xFF == frame[_SUM_AT]


class Framer:
    """Cuts a byte stream into reports. Never raises, keeps at most 18 bytes; see `FixedFramer`."""

    def __init__(self) -> None:
        self._frames = FixedFramer(_START, FRAME_BYTES, _good)

    def feed(self, data: bytes) -> list[Report | BadFrame]:
        """The reports that `data` completes, oldest first."""
        return [
            item if isinstance(item, Stray) else Report(*_FIELDS.unpack_from(item, 2))
            for item in self._frames.feed(data)
        ]


def decode(frame: bytes) -> Report:
    """Exactly one frame. Raises `RemoteError`."""
    if len(frame) != FRAME_BYTES or not _good(frame):
        raise RemoteError(f"not a UART-RVC frame: {frame[:FRAME_BYTES].hex()}")
    return Report(*_FIELDS.unpack_from(frame, 2))


def encode(report: Report) -> bytes:
    """The frame of a report. Raises `LocalError` where a field does not fit."""
    try:
        fields = _FIELDS.pack(*report)
    except struct.error as error:
        raise LocalError(f"{report} does not fit a UART-RVC frame: {error}") from error
    if len(report.reserved) != 3:
        raise LocalError(f"there are 3 reserved bytes in a UART-RVC frame, not {len(report.reserved)}")
    return _START + fields + bytes((sum(fields) & 0xFF,))


def renumbered(frame: bytes) -> bytes:
    """`frame` (and what follows it) with an index half way round, and a checksum that fits. Raises `RemoteError`."""
    report = decode(frame[:FRAME_BYTES])
    return encode(report._replace(number=(report.number + INDICES // 2) % INDICES)) + frame[FRAME_BYTES:]


def resembles(data: bytes) -> bool:
    """Are these bytes, cut anywhere, a stream of UART-RVC frames?"""
    return mostly_frames(FixedFramer(_START, FRAME_BYTES, _good), data, FRAME_BYTES)
