"""Every message of the vocabulary through the codec and back; orders through their own structs."""

import dataclasses
import enum
import json
import types
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.channel.codec import DELIVER, KINDS, RENEW, STOP, MessageError, decode, encode
from controller.channel.line import MESSAGE_BYTES_MAX
from controller.channel.orders import decode_order, encode_order
from controller.vocabulary import facts, intents, notices, requests
from controller.vocabulary.snapshot import MotionPoint, Snapshot
from safety.orders import Deliver, Purpose, Renew, Stop, StopReason
from safety.stimulus import Point, Train

TIMES = st.integers(-(2**63), 2**63 - 1)
UNIONS = (facts.Fact, intents.Intent, requests.Request, notices.Notice)


def values(annotation):
    """A strategy for any value that `annotation` allows."""
    if annotation is type(None):
        return st.none()
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from(list(annotation))
    if dataclasses.is_dataclass(annotation):
        return instances(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*map(values, arguments))
    plain = {int: TIMES, str: st.text(max_size=20), bool: st.booleans()}
    return plain.get(annotation, st.floats(allow_nan=False, allow_infinity=False))


def instances(cls):
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: values(hints[field.name]) for field in dataclasses.fields(cls)})


@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_message_comes_back_as_it_went(cls, data):
    message = data.draw(instances(cls))
    kind, payload = encode(message)
    back = decode(kind, payload)
    assert back == message
    assert type(back) is cls
    assert isinstance(json.loads(payload), dict)  # plain JSON, never pickle


def test_every_message_of_the_vocabulary_has_a_number_of_its_own():
    named = {cls for union in UNIONS for cls in typing.get_args(union)} | {facts.ArmNumber, facts.ArmDenied, Snapshot}
    assert named == set(KINDS)
    assert len(set(KINDS.values())) == len(KINDS)
    assert not set(KINDS.values()) & {DELIVER, RENEW, STOP}
    assert all(0 <= kind <= 255 for kind in KINDS.values())


def test_enums_and_tuples_come_back_as_themselves():
    status = decode(*encode(requests.Arm(facts.ArmScope.FITTING, "ok so far")))
    assert status.scope is facts.ArmScope.FITTING
    point = MotionPoint(5, 1.5, -2.25)
    answer = intents.ScreeningAnswer("botulinum", True, "2026-01-02", "biceps", "Dr. A", "low dose")
    done = intents.ScreeningDone((answer,))
    assert decode(*encode(done)) == done
    assert dataclasses.asdict(point) == {"t_ms": 5, "speed_dps": 1.5, "angle_deg": -2.25}


def test_the_largest_snapshot_fits_the_line(engine_snapshot):
    full = dataclasses.replace(engine_snapshot, motion=(MotionPoint(10**9, -1234.56, -123.45),) * 64)
    assert len(encode(full)[1]) < MESSAGE_BYTES_MAX


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (250, b"{}"),
        (0, b""),
        (KINDS[requests.Heartbeat], b""),
        (KINDS[requests.Heartbeat], b"{"),
        (KINDS[requests.Heartbeat], b"[]"),
        (KINDS[requests.Heartbeat], b"{}"),
        (KINDS[requests.Heartbeat], b"\xff\xfe"),
        (KINDS[requests.Arm], b'{"scope":"everything","reason":""}'),
        (KINDS[requests.Arm], b'{"scope":null,"reason":""}'),
        (KINDS[facts.GatewayStatus], b'{"t_ns":1}'),
    ],
)
def test_what_does_not_fit_is_a_message_error(kind, payload):
    with pytest.raises(MessageError):
        decode(kind, payload)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 255), st.binary(max_size=60))
def test_noise_is_a_message_or_a_message_error(kind, payload):
    for read in (decode, decode_order):
        try:
            message = read(kind, payload)
        except MessageError:
            continue
        assert message is not None


# -- orders -----------------------------------------------------------------------------------------------------------

points = st.builds(Point, st.integers(0, 65_535), st.integers(-(2**31), 2**31 - 1))
trains = st.builds(Train, st.integers(0, 255), st.lists(points, max_size=16).map(tuple), st.integers(0, 2**32 - 1))
seqs = st.integers(0, 2**64 - 1)
orders = st.one_of(
    st.builds(
        Deliver,
        seqs,
        TIMES,
        TIMES,
        st.sampled_from(Purpose),
        st.lists(trains, max_size=8).map(tuple),
        st.integers(0, 2**32 - 1),
        TIMES,
    ),
    st.builds(Renew, seqs, TIMES, TIMES, TIMES),
    st.builds(Stop, seqs, TIMES, st.sampled_from(StopReason)),
)


@settings(max_examples=300, deadline=None)
@given(orders)
def test_every_order_comes_back_exactly(order):
    kind, payload = encode_order(order)
    back = decode_order(kind, payload)
    assert back == order
    assert type(back) is type(order)
    if isinstance(back, Deliver):
        assert all(
            type(train) is Train and all(type(point) is Point for point in train.points) for train in back.trains
        )
        assert type(back.purpose) is Purpose


@settings(max_examples=100, deadline=None)
@given(orders, st.data())
def test_a_cut_or_padded_order_is_refused(order, data):
    kind, payload = encode_order(order)
    for wrong in (payload[: data.draw(st.integers(0, len(payload) - 1))], payload + b"\x00"):
        with pytest.raises(MessageError):
            decode_order(kind, wrong)


def test_an_unknown_purpose_or_reason_is_refused():
    kind, payload = encode_order(Stop(1, 2))
    with pytest.raises(MessageError):
        decode_order(kind, payload[:-1] + b"\x09")
    kind, payload = encode_order(Deliver(1, 2, 3, Purpose.ASSIST, ()))
    with pytest.raises(MessageError):
        decode_order(kind, payload[:-2] + b"\x09\x00")
    with pytest.raises(MessageError):
        decode_order(99, payload)
