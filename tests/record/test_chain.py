"""The chain: deterministic bytes, every change shows, and a log goes on after its writer died."""

import hashlib
import json
import math
import random
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.vocabulary.chain import GENESIS, REOPENED, Chain, plain, read, reopened, resume

TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def lines(count: int) -> list[bytes]:
    chain = Chain()
    return [chain.line(number * 1000, "phase", {"to": "assist", "value": number / 3}) for number in range(count)]


def test_a_line_is_one_json_object_with_the_six_members_in_order():
    line = Chain().line(12, "phase", {"b": 1, "a": [2.5, None]})
    assert list(json.loads(line)) == ["seq", "t_ns", "kind", "data", "prev", "hash"]
    assert line.startswith(b'{"seq":0,"t_ns":12,"kind":"phase","data":{"a":[2.5,null],"b":1},"prev":"000')
    assert line.endswith(b'"}\n')


def test_the_hash_can_be_checked_by_hand():
    line = Chain().line(12, "phase", {"a": 1}).decode()
    body = line[: line.index(',"prev"')]
    assert json.loads(line)["hash"] == hashlib.sha256((GENESIS + body).encode()).hexdigest()


@given(st.lists(st.tuples(st.integers(-(2**60), 2**62), TEXT, st.dictionaries(TEXT, JSON, max_size=4)), max_size=5))
def test_what_was_written_is_read_back(entries):
    chain = Chain()
    content = b"".join(chain.line(*entry) for entry in entries)
    reading = read(content)
    assert (reading.faults, reading.torn, reading.head) == ([], b"", chain.head)
    assert [(r.seq, r.t_ns, r.kind, r.data) for r in reading.records] == [(i, *e) for i, e in enumerate(entries)]


@given(st.data())
def test_any_flipped_bit_shows(data):
    content = b"".join(lines(4))
    at = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]
    assert read(changed).faults


def test_every_byte_position_of_a_line_is_covered():
    content = b"".join(lines(3))
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 0x01]) + content[at + 1 :]
        assert read(changed).faults, f"a flip at byte {at} went unseen"


def test_a_cut_middle_a_swap_a_repeat_and_foreign_lines_show():
    whole = lines(6)
    assert not read(b"".join(whole)).faults
    for changed in (
        whole[:2] + whole[3:],
        whole[1:],
        [*whole[:2], whole[3], whole[2], *whole[4:]],
        [*whole[:3], *whole[2:]],
        [*whole, b"appended\n"],
        [*whole, Chain(6).line(1, "phase", {})],
        [*whole, b"\n"],
    ):
        assert read(b"".join(changed)).faults


def test_a_torn_end_at_any_byte_is_no_fault_and_loses_only_the_last_record():
    whole = lines(3)
    content = b"".join(whole)
    for end in range(len(content)):
        reading = read(content[:end])
        assert not reading.faults
        assert len(reading.records) == content[:end].count(b"\n")
        assert content[:end].endswith(reading.torn)


def test_bytes_after_the_last_record_that_no_record_begins_with_are_a_fault():
    content = b"".join(lines(2))
    assert read(content + b"junk").faults
    assert read(content + b'{"seq":7,"t_ns":1').faults
    assert not read(content + b"\0" * 40).faults  # blocks that a file system never filled


def test_a_log_goes_on_after_a_torn_line_and_every_byte_stays_covered():
    whole = b"".join(lines(3))
    for cut in (1, 40, len(lines(1)[0]) - 1):
        content = whole[: len(whole) - cut]
        chain, torn = resume(content)
        content += b"" if content.endswith(b"\n") else b"\n"
        content += chain.line(9000, REOPENED, reopened(torn)) + chain.line(9001, "phase", {})
        assert read(content).faults == []
        assert [record.seq for record in read(content).records][-2:] == [chain.seq - 2, chain.seq - 1]
        for at in random.Random(cut).sample(range(len(content)), 60):
            changed = content[:at] + bytes([content[at] ^ 0x04]) + content[at + 1 :]
            assert read(changed).faults


def test_odd_data_is_written_as_text_and_never_raises():
    loop: list[object] = []
    loop.append(loop)
    odd = {"nan": math.nan, "inf": -math.inf, "bytes": b"\x01", "set": {2, 1}, 3: object(), "loop": loop, "no": None}
    content = Chain().line(1, "odd", odd)
    record = read(content).records[0]
    assert record.data["nan"] == "nan"
    assert record.data["inf"] == "-inf"
    assert record.data["bytes"] == "01"
    assert record.data["3"] == "(object)"
    assert plain({"a": (1, 2)}) == {"a": [1, 2]}


def test_a_line_costs_little_more_than_its_json_and_its_hash():
    data = {"phase": "assist", "from": "cue", "value": 12.5, "channel": 3, "why": "attempt"}
    chain = Chain()

    def control() -> None:
        text = json.dumps({"seq": 1, "t_ns": 5, "kind": "k", "data": data}, sort_keys=True, separators=(",", ":"))
        hashlib.sha256((GENESIS + text).encode()).hexdigest()

    ours = min(timeit.repeat(lambda: chain.line(5, "k", data), number=2000, repeat=7))
    assert ours <= 1.5 * min(timeit.repeat(control, number=2000, repeat=7))


def sealed(*bodies, prev=GENESIS):
    """Lines that are sealed as they should be, whatever they say: a chain has no key."""
    lines = []
    for body in bodies:
        digest = hashlib.sha256(prev.encode() + body).hexdigest()
        lines.append(body + f',"prev":"{prev}","hash":"{digest}"}}\n'.encode())
        prev = digest
    return b"".join(lines)


@pytest.mark.hazard("H30")
@pytest.mark.parametrize(
    "body",
    [
        b'{"seq":0,"t_ns":1,"kind":"x","data":{"a":' + b"[" * 60_000,
        b'{"seq":0,"t_ns":1,"kind":"x","data":{"a":' + b"[" * 60_000 + b"]" * 60_000 + b"}",
        b'{"seq":"0","t_ns":1,"kind":"x","data":{}',
        b'{"seq":false,"t_ns":1,"kind":"x","data":{}',
        b'{"seq":0.0,"t_ns":1,"kind":"x","data":{}',
        b'{"seq":-1,"t_ns":1,"kind":"x","data":{}',
        b'{"seq":0,"t_ns":1' + b"0" * 400 + b',"kind":"x","data":{}',
        b'{"seq":0,"t_ns":null,"kind":"x","data":{}',
        b'{"seq":0,"t_ns":1,"kind":["x"],"data":{}',
        b'{"seq":0,"t_ns":1,"kind":"x","data":[]',
        b'[{"seq":0,"t_ns":1,"kind":"x","data":{}',
    ],
    ids=range(11),
)
def test_a_sealed_line_whose_own_fields_are_of_another_kind_is_no_record(body):
    content = sealed(body, body)
    reading = read(content)
    assert reading.records == []
    assert reading.faults[0] == "line 1 is not a record"
    chain, torn = resume(content)
    assert (chain.seq, torn) == (0, b"")
    assert len(read(content + chain.line(1, "note", {})).records) == 1
