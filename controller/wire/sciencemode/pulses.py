"""The pulses in the frames: points, updates of the mid level, and what a unit would refuse of them.

Currents are integers in uA on the unit's grid of 500 uA, times in us on the grid of their field. Everything else is a
defect of the caller and refused with `LocalError`, never rounded.
"""

import struct

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.messages import CHANNELS, ChannelUpdate, MlUpdate, PulsePoint

POINTS_MAX = 16
RAMP_MAX = 15
CURRENT_STEP_UA = 500
WIRE_CURRENT_UA_MAX = 150_000
CURRENT_UA_MAX = 130_000
DURATION_US_MAX = 4095
PERIOD_STEP_US, FINE_STEP_US = 500, 250
PERIOD_UNITS_MAX = 0x7FFF
PULSE_OVERHEAD_US = 60

_ZERO_CURRENT = 300
_PACK = [struct.Struct(f">{count}I").pack for count in range(POINTS_MAX + 1)]
_UNPACK = [struct.Struct(f">{count}I").unpack_from for count in range(POINTS_MAX + 1)]
_SHAPE = struct.Struct(">BH")
_CHANNELS_OF = [tuple(channel for channel in range(CHANNELS) if mask >> channel & 1) for mask in range(256)]


def update_fault(update: MlUpdate, current_ua_max: int = CURRENT_UA_MAX, overhead_us: int = PULSE_OVERHEAD_US) -> str:
    """Why a unit refuses `update` ("" when it accepts): its current, a period, and time for all pulses of all channels.

    The sum over channels of (all points + overhead) / period must stay under one (vendor C library, packet validity).
    The usual figures are the P24's.
    """
    busy, whole = 0, 1
    for channel, points, period_us, _, _ in update.channels:
        if not period_us > 0:
            return f"channel {channel + 1} has no period"
        length_us = overhead_us
        for duration_us, current_ua in points:
            length_us += duration_us
            if not -current_ua_max <= current_ua <= current_ua_max:
                return f"{current_ua} uA on channel {channel + 1} is above {current_ua_max} uA"
        busy, whole = busy * period_us + length_us * whole, whole * period_us
    return "" if busy < whole else "the pulses of all channels do not fit into their periods"


def encode_points(points: tuple[tuple[int, int], ...]) -> bytes:
    """Points as 32-bit words: 12 bits of us, 10 bits of half mA from -150 mA, 10 bits zero. Raises `LocalError`."""
    count = len(points)
    if not 1 <= count <= POINTS_MAX:
        raise LocalError(f"a pulse has 1 to {POINTS_MAX} points, not {count}")
    words = []
    for duration_us, current_ua in points:
        # `type is int` keeps out bool, NaN and floats, which would all pass or truncate silently.
        if not (type(duration_us) is int and 0 <= duration_us <= DURATION_US_MAX):
            raise LocalError(f"a point lasts 0 to {DURATION_US_MAX} whole us, not {duration_us!r}")
        if type(current_ua) is not int or current_ua % CURRENT_STEP_UA:
            raise LocalError(f"current is in whole steps of {CURRENT_STEP_UA} uA, not {current_ua!r} uA")
        if not -WIRE_CURRENT_UA_MAX <= current_ua <= WIRE_CURRENT_UA_MAX:
            raise LocalError(f"{current_ua} uA does not fit the wire")
        words.append(duration_us << 20 | (current_ua // CURRENT_STEP_UA + _ZERO_CURRENT) << 10)
    return _PACK[count](*words)


def decode_points(data: bytes, at: int, count: int) -> tuple[PulsePoint, ...]:
    """`count` points from `at` on. Raises `RemoteError` for missing bytes or a set reserved bit."""
    if at + 4 * count > len(data):
        raise RemoteError("points are missing")
    words = _UNPACK[count](data, at)
    # The constructor of a NamedTuple is a Python function; `tuple.__new__` is not, and runs for every point.
    new, kind = tuple.__new__, PulsePoint
    points = [new(kind, (word >> 20, ((word >> 10 & 0x3FF) - _ZERO_CURRENT) * CURRENT_STEP_UA)) for word in words]
    for word in words:
        if word & 0x3FF:
            raise RemoteError("a reserved bit of a point is set")
    return tuple(points)


def encode_update(message: MlUpdate) -> bytes:
    """Payload of an update: one bit a channel, then each active channel in rising order. Raises `LocalError`."""
    if message.soft_start:
        raise LocalError("this unit has no soft start")
    mask = 0
    data = b""
    for channel, points, period_us, ramp, fine in message.channels:
        if type(channel) is not int or not 0 <= channel < CHANNELS or mask >> channel:
            raise LocalError(f"channels are 0 to {CHANNELS - 1}, each once, in rising order, not {channel!r}")
        if not (type(ramp) is int and 0 <= ramp <= RAMP_MAX):
            raise LocalError(f"a ramp has 0 to {RAMP_MAX} pulses, not {ramp!r}")
        step_us = FINE_STEP_US if fine else PERIOD_STEP_US
        if type(period_us) is not int or period_us % step_us:
            raise LocalError(f"a period is in whole steps of {step_us} us, not {period_us!r} us")
        units = period_us // step_us
        if not 1 <= units <= PERIOD_UNITS_MAX:
            raise LocalError(f"a period of {period_us} us does not fit the wire")
        mask |= 1 << channel
        words = encode_points(points)
        data += _SHAPE.pack((len(points) - 1) << 4 | ramp, units << 1 | bool(fine)) + words
    return bytes((mask,)) + data


def decode_update(data: bytes) -> MlUpdate:
    """An update as the unit reads it; values that it would refuse are read all the same. Raises `RemoteError`."""
    if not data:
        raise RemoteError("an update without its channel byte")
    mask, at, end = data[0], 1, len(data)
    channels = []
    for channel in _CHANNELS_OF[mask]:
        if at + 3 > end:
            raise RemoteError(f"channel {channel} is missing")
        shape, units = _SHAPE.unpack_from(data, at)
        count = (shape >> 4) + 1
        points = decode_points(data, at + 3, count)
        at += 3 + 4 * count
        fine = units & 1 == 1
        period_us = (units >> 1) * (FINE_STEP_US if fine else PERIOD_STEP_US)
        channels.append(tuple.__new__(ChannelUpdate, (channel, points, period_us, shape & 0xF, fine)))
    if at != end:
        raise RemoteError(f"{end - at} bytes too many after the last channel")
    return MlUpdate(tuple(channels))
