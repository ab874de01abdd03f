"""Text lines of a home-made puck (an Arduino with a motion sensor, and a load cell if there is one), both roles.

    t_ms,gx,gy,gz,ax,ay,az[,load]        deg/s, g, newton; the line ends with LF or CR LF

`t_ms` is the device's own clock, a whole number of milliseconds that starts again at 0 after 2^32 - 1. A line that
begins with `#` is a comment and a line of seven or eight names is a header; both are passed over, as is an empty one.
There is no checksum, no number of a line and no length field. This format is stimloop's own: docs/devices/textline.md.
"""

import math
import re
from typing import NamedTuple

from controller.wire.errors import LocalError

Vector = tuple[float, float, float]

LINE_BYTES_MAX = 256
BAD_BYTES_KEPT = 64
CLOCK_MS = 1 << 32
"""The device's clock is below this."""
HEADER = "t_ms,gx,gy,gz,ax,ay,az,load"

# No `nan`, no `inf`, no hexadecimal, no underscore: only what an Arduino prints.
_NUMBER = rb" ?([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)"
_LINE = re.compile(rb"([0-9]{1,10})" + (rb"," + _NUMBER) * 6 + rb"(?:," + _NUMBER + rb")?")
_NAMES = re.compile(rb" ?[A-Za-z][A-Za-z0-9_ ]{0,31}(?:,[A-Za-z][A-Za-z0-9_ ]{0,31}){6,7}")


class Measurement(NamedTuple):
    """One line: the device's clock in ms, deg/s, g, and newton where there is a load cell. All numbers are finite."""

    t_ms: int
    gyro_dps: Vector
    acc_g: Vector
    load_n: float | None = None


class Remark(NamedTuple):
    """A comment, a header or an empty line, without its end."""

    line: bytes


class BadFrame(NamedTuple):
    """A line that is none of these: why, and at most `BAD_BYTES_KEPT` bytes of it."""

    reason: str
    data: bytes


Message = Measurement | Remark | BadFrame


class Framer:
    """Cuts a byte stream into lines. Never raises; keeps at most `LINE_BYTES_MAX` bytes of an unfinished one.

    What comes before the first LF is passed over: it may be the end of a line, and a whole line may end like another.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._joining = True
        self._overrun = False

    def feed(self, data: bytes) -> list[Message]:
        """The lines that `data` completes, oldest first. However the stream is cut, the same messages come out."""
        *lines, rest = (self._rest + data).split(b"\n")
        found: list[Message] = []
        for line in lines:
            if self._overrun:
                self._overrun = False  # the tail of an over-long line, already reported
            elif not self._joining or len(line) > LINE_BYTES_MAX:
                found.append(decode(line))
            self._joining = False
        if self._overrun:
            rest = b""
        elif len(rest) > LINE_BYTES_MAX:
            found.append(_overrun(rest))
            self._overrun = True
            rest = b""
        self._rest = rest
        return found


def decode(line: bytes) -> Message:
    """One line without its LF. Anything that is neither a measurement nor a remark becomes a `BadFrame`."""
    if len(line) > LINE_BYTES_MAX:
        return _overrun(line)
    plain = line.removesuffix(b"\r")
    found = _LINE.fullmatch(plain)
    if found is None:
        if not plain or plain[0] == ord("#") or _NAMES.fullmatch(plain):
            return Remark(plain)
        return _bad("not t_ms,gx,gy,gz,ax,ay,az[,load]", line)
    t_text, *texts, load_text = found.groups()
    t_ms = int(t_text)
    gx, gy, gz, ax, ay, az = map(float, texts)
    load_n = None if load_text is None else float(load_text)
    if t_ms >= CLOCK_MS or not math.isfinite(gx + gy + gz + ax + ay + az + (load_n or 0.0)):
        return _bad("a number is too large", line)
    return Measurement(t_ms, (gx, gy, gz), (ax, ay, az), load_n)


def _bad(reason: str, line: bytes) -> BadFrame:
    return BadFrame(reason, line[:BAD_BYTES_KEPT])


def _overrun(line: bytes) -> BadFrame:
    return _bad(f"no line end within {LINE_BYTES_MAX} bytes", line)


def encode(measurement: Measurement, *, line_end: str = "\n") -> bytes:
    """A line as the device sends it: 0.001 deg/s, 0.0001 g, 0.001 N. Raises `LocalError` for what no line can say."""
    t_ms, gyro_dps, acc_g, load_n = measurement
    numbers = (*gyro_dps, *acc_g, load_n or 0.0)
    if not (0 <= t_ms < CLOCK_MS and all(-1e9 <= number <= 1e9 for number in numbers)):
        raise LocalError(f"{measurement} does not fit a text line")
    fields = [f"{t_ms}", *(f"{value:.3f}" for value in gyro_dps), *(f"{value:.4f}" for value in acc_g)]
    if load_n is not None:
        fields.append(f"{load_n:.3f}")
    return (",".join(fields) + line_end).encode("ascii")


def resembles(data: bytes) -> bool:
    """Are these bytes, cut anywhere, lines of this format? Two whole measurements, and no bad line between."""
    whole = [decode(line) for line in data.split(b"\n")[1:-1]]
    measured = sum(isinstance(message, Measurement) for message in whole)
    return measured >= 2 and not any(isinstance(message, BadFrame) for message in whole)
