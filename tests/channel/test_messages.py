"""Every message of the vocabulary through the codec and back; orders through their own structs."""

import dataclasses
import json
import math
import types
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.channel import fields
from controller.channel.codec import DELIVER, KINDS, RENEW, STOP, MessageError, decode, encode
from controller.channel.line import MESSAGE_BYTES_MAX
from controller.channel.orders import decode_order, encode_order
from controller.vocabulary import facts, intents, notices, requests
from controller.vocabulary.snapshot import MotionPoint, Snapshot
from safety.orders import Deliver, Purpose, Renew, Stop, StopReason
from safety.stimulus import Point, Train
from tests.channel.strategies import TIMES, instances

LIMITS = notices.Constrain(1, "forearm", 2_500, 20_000, 300, 20_000, 5_000)
JOINT_LIMITS = notices.ConstrainJoint("wrist", 1, 1, 1, 2, 2, ((1, 1),))
UNIONS = (facts.Fact, intents.Intent, requests.Request, notices.Notice)


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


BAD = [None, True, 1, 1.5, "1", "", [], [1], {}, {"t_ns": 1}, 1 << 63, -(1 << 63) - 1, float("nan"), float("inf")]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([1 << 70, "x" * 30_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def fits(annotation, value):
    """Independent of the codec: `value` is exactly what `annotation` says."""
    if annotation is type(None):
        return value is None
    if dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation)
        return type(value) is annotation and all(fits(hint, getattr(value, name)) for name, hint in hints.items())
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
        return type(value) is tuple and len(value) == len(kinds) and all(map(fits, kinds, value))
    if origin in (types.UnionType, typing.Union):
        return any(fits(one, value) for one in arguments)
    if annotation is int:
        return type(value) is int and -(2**63) <= value < 2**63
    if annotation is float:
        return type(value) is float and math.isfinite(value)
    return type(value) is annotation


def read_or_refused(kind, payload):
    """The message, or None where it is a `MessageError`; nothing else may come of it."""
    try:
        return decode(kind, payload)
    except MessageError as error:
        said = str(error)
    assert len(said) < 1_000  # it goes on as a cause, and must not carry what was sent
    return None


@pytest.mark.hazard("H36")
@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_message_is_exactly_what_its_fields_say_or_it_is_broken(cls, data):
    """A good message with one value somewhere replaced: by anything that JSON can hold."""
    kind, payload = encode(data.draw(instances(cls)))
    told = json.loads(payload)
    if told:
        told[data.draw(st.sampled_from(sorted(told)))] = data.draw(st.sampled_from(BAD) | JSON)
    message = read_or_refused(kind, json.dumps(told).encode())
    assert message is None or fits(cls, message)


@pytest.mark.hazard("H36")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(KINDS.values())), JSON)
def test_anything_that_json_can_hold_is_a_message_or_a_message_error(kind, value):
    read_or_refused(kind, json.dumps(value).encode())


@pytest.mark.hazard("H36")
@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)
def test_what_is_nested_without_end_is_a_message_error(cls):
    for payload in (b"[" * 50_000, b'{"source":' + b"[" * 50_000, b'{"a":' * 9_000, b"9" * 5_000):
        with pytest.raises(MessageError):
            decode(KINDS[cls], payload)


@pytest.mark.hazard("H36")
@pytest.mark.parametrize(
    ("message", "name", "wrong"),
    [
        (LIMITS, "channel", [None, "1", [], True, 1.0, 1 << 63]),
        (LIMITS, "region", [[], None, 5, "x" * 4_097, {}]),
        (JOINT_LIMITS, "region", [[], None]),
        (JOINT_LIMITS, "channel_signs", [None, [1], [[1]], [[1, 2, 3]], [[1, "a"]], {}]),
        (notices.ToAudit("a", "b", "{}"), "new", [None, [], {}, "x" * 20_001]),
        (notices.OpenRecord("/tmp"), "folder", [5, None, "x" * 4_097]),
        (notices.StartsBy(True), "button_only", [1, 0, "true", None]),
        (requests.Press(1), "number", ["1", None, True, 1.0]),
        (requests.StopNow("F12"), "source", ["x" * 1_001, None, 12]),
        (requests.Arm(facts.ArmScope.FITTING), "scope", [None, [], {}, 0, "everything"]),
        (requests.Prescribe("P1", "2026-01-05", 1, "forearm", 1, 1), "patient", [[], None, 7]),
    ],
)
def test_a_field_of_another_kind_is_a_message_error_that_names_it(message, name, wrong):
    kind, payload = encode(message)
    assert decode(kind, payload) == message
    for value in wrong:
        with pytest.raises(MessageError, match=name):
            decode(kind, json.dumps(json.loads(payload) | {name: value}).encode())


def test_a_field_too_many_is_a_message_error():
    with pytest.raises(MessageError, match="no others"):
        decode(KINDS[requests.Press], b'{"number":1,"more":2}')


def test_a_whole_number_is_a_number():
    point = {"t_ms": 1, "speed_dps": 2, "angle_deg": 0}
    assert fields.reader(MotionPoint, 10)(point) == MotionPoint(1, 2.0, 0.0)


def test_a_message_that_no_reader_knows_is_noticed_when_it_is_written():
    for annotation in (dict[str, int], int | str, bytes, int | str | None):
        with pytest.raises(TypeError, match="cannot hold"):
            fields.reader(annotation, 10)


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
