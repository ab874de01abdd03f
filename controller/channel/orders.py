"""Orders on the line between engine and gateway: fixed little-endian structs, no JSON on the hot path."""

import struct
from functools import lru_cache

from controller.channel.codec import ASSIST, DELIVER, FREE, HOLD, RELEASE, RENEW, STOP, MessageError
from safety.joint import Assist, Free, Hold, MotionOrder, Release
from safety.orders import Deliver, Order, Purpose, Renew, Stop, StopReason
from safety.stimulus import Point, Train

_DELIVER = struct.Struct("<QqqqIBB")  # seq, stamp, expires, sensor, press, purpose, number of trains
_TRAIN = struct.Struct("<BBI")  # channel, number of points, period in us
_POINT = struct.Struct("<Hi")  # duration in us, current in uA
_RENEW = struct.Struct("<Qqqq")
_STOP = struct.Struct("<QqB")
_MOTION: dict[type, tuple[int, struct.Struct]] = {  # the fields in the order of the dataclass
    Hold: (HOLD, struct.Struct("<Qqqiiq")),  # seq, stamp, expires, angle, torque, sensor
    Assist: (ASSIST, struct.Struct("<Qqqiiiq")),  # seq, stamp, expires, target, speed, torque, sensor
    Release: (RELEASE, struct.Struct("<Qqi")),  # seq, stamp, ramp in ms
    Free: (FREE, struct.Struct("<Qq")),
}
_MOTION_KINDS = {kind: (order, layout) for order, (kind, layout) in _MOTION.items()}
TRAINS_REMEMBERED = 256
_PURPOSES = {purpose.value: purpose for purpose in Purpose}


def encode_order(order: Order | MotionOrder) -> tuple[int, bytes]:
    """(kind, payload) of an order."""
    if isinstance(order, Deliver):
        head = _DELIVER.pack(
            order.seq,
            order.stamp_ns,
            order.expires_ns,
            order.sensor_ns,
            order.press,
            order.purpose,
            len(order.trains),
        )
        return DELIVER, head + _encode_trains(order.trains)
    if isinstance(order, Renew):
        return RENEW, _RENEW.pack(order.seq, order.stamp_ns, order.expires_ns, order.sensor_ns)
    if isinstance(order, Stop):
        return STOP, _STOP.pack(order.seq, order.stamp_ns, order.reason)
    kind, layout = _MOTION[type(order)]
    return kind, layout.pack(*[getattr(order, name) for name in order.__slots__])


def decode_order(kind: int, payload: bytes) -> Order | MotionOrder:
    """The order of `kind`. Raises `MessageError` when the payload does not fit."""
    try:
        if kind == DELIVER:
            return _decode_deliver(payload)
        if kind == RENEW:
            return Renew(*_RENEW.unpack(payload))
        if kind == STOP:
            seq, stamp_ns, reason = _STOP.unpack(payload)
            return Stop(seq, stamp_ns, StopReason(reason))
        if kind in _MOTION_KINDS:
            order, layout = _MOTION_KINDS[kind]
            motion: MotionOrder = order(*layout.unpack(payload))
            return motion
    except (struct.error, ValueError) as error:
        raise MessageError(f"order kind {kind}: {error}") from error
    raise MessageError(f"unknown order kind {kind}")


def _decode_deliver(payload: bytes) -> Deliver:
    seq, stamp_ns, expires_ns, sensor_ns, press, purpose, count = _DELIVER.unpack_from(payload)
    trains = _decode_trains(payload[_DELIVER.size :], count)
    wanted = _PURPOSES.get(purpose)
    if wanted is None:
        raise MessageError(f"{purpose} is no purpose of an order")
    return Deliver(seq, stamp_ns, expires_ns, wanted, trains, press, sensor_ns)


# A burst uses few different trains, each many times: both directions remember the last ones, bounded.


@lru_cache(maxsize=TRAINS_REMEMBERED)
def _encode_trains(trains: tuple[Train, ...]) -> bytes:
    parts = []
    for train in trains:
        parts.append(_TRAIN.pack(train.channel, len(train.points), train.period_us))
        parts += [_POINT.pack(*point) for point in train.points]
    return b"".join(parts)


@lru_cache(maxsize=TRAINS_REMEMBERED)
def _decode_trains(payload: bytes, count: int) -> tuple[Train, ...]:
    at = 0
    trains = []
    for _ in range(count):
        channel, points, period_us = _TRAIN.unpack_from(payload, at)
        at += _TRAIN.size
        shape = tuple(Point(*_POINT.unpack_from(payload, at + index * _POINT.size)) for index in range(points))
        at += points * _POINT.size
        trains.append(Train(channel, shape, period_us))
    if at != len(payload):
        raise MessageError(f"{len(payload) - at} bytes too many after the last train")
    return tuple(trains)
