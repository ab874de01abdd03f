"""The strict reader: nothing is guessed, hostile files end early, sentences are plain."""

import pytest
import yaml

from controller.session import yaml_reader
from controller.session.faults import ProtocolRefused
from controller.session.nodes import Mapping, Text, place_of, plain
from controller.session.yaml_reader import decode, read


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def parser(request, monkeypatch):
    """Both of PyYAML's parsers: the quick one, and the one that is always there."""
    if not hasattr(yaml, request.param):
        pytest.skip("this PyYAML was built without libyaml")
    monkeypatch.setattr(yaml_reader, "PARSER", getattr(yaml, request.param))
    return request.param


def refusal(text: str):
    with pytest.raises(ProtocolRefused) as caught:
        read(text, "p.yaml")
    return caught.value.faults[-1]


def test_scalars_stay_text(parser):
    text = "on: off\nno: 012\ntime: 1:30\nnumber: 1e3\nbig: 250_000\nnothing:\nnull: null\nday: 2001-01-01\n"
    root, faults = read(text, "p.yaml")
    assert faults == []
    assert plain(root) == {
        "on": "off", "no": "012", "time": "1:30", "number": "1e3", "big": "250_000", "nothing": "", "null": "null",
        "day": "2001-01-01",
    }  # fmt: skip


def test_places_count_from_one_and_fall_back_to_what_is_above(parser):
    root, _ = read("a:\n  b: {c: 1, d e: 2}\n", "p.yaml")
    assert place_of(root, ("a", "b", "c")) == (2, 10)
    assert place_of(root, ("a", "b", "d e"), key=True) == (2, 13)
    assert place_of(root, ("a", "x"), key=True) == (1, 1)
    assert place_of(root, ("a", "=tag", "b"), key=True) == (2, 3)


def test_a_duplicate_key_names_both_places_and_reading_goes_on(parser):
    root, faults = read("a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n", "p.yaml")
    assert [(fault.rule, fault.line, fault.column) for fault in faults] == [("KEY002", 3, 1), ("KEY002", 4, 11)]
    assert "line 1, column 1" in faults[0].message
    assert isinstance(root, Mapping)
    assert isinstance(root.entries["a"][1], Text)
    assert root.entries["a"][1].text == "1"


@pytest.mark.parametrize(
    ("text", "rule", "line", "words"),
    [
        ("a:\n\tb: 1\n", "YML005", 2, "tab"),
        ("a: 1\tx\n", "YML005", 1, "tab"),
        ("a: 1\nbc\nd: 2\n", "YML006", 2, "colon is missing"),
        ("a: 1\nb:2\nc: 3\n", "YML006", 2, "space is missing"),
        ('a: 1\nb: "x y\nc: 2\n', "YML006", 2, "quotation mark is not closed"),
        ("a: 1\nb: 'x y\nc: 2\n", "YML006", 2, "quotation mark is not closed"),
        ("a: {b: 1\nc: 2\n", "YML006", 1, "{ is not closed"),
        ("a: [1, 2\nc: 2\n", "YML006", 1, "[ is not closed"),
        ("a: {b: [1] c: 2}\n", "YML006", 1, "comma or } is missing"),
        ("a: 1\n   b: 2\n", "YML006", 2, "indented under a key that has a value"),
        ("a:\n    b: 1\n  c: 2\n", "YML006", 3, "does not stand under"),
        ("a: b: c\n", "YML006", 1, "second colon"),
        ("a: @x\n", "YML006", 1, "cannot begin with @"),
        ("a: }\n", "YML006", 1, "without a value"),
        ("a: !e!x 1\n", "YML011", 1, "tags"),
        ("%YAML 1.1\n---\na: 1\n", "YML011", 1, "directives"),
        ("a: 1\n---\nb: 2\n", "YML012", 2, "second document"),
        ("? [a, b]\n: 1\n", "YML013", 1, "cannot be a key"),
        ("a: &x 1\nb: *x\n", "YML009", 2, "alias"),
        ("# only words\n", "YML004", 1, "only comments"),
        ("- a\n- b\n", "YML004", 1, "not a list of"),
        ("just words\n", "YML004", 1, "not a list of"),
    ],
)
def test_what_is_not_a_protocol_is_refused_in_plain_words(parser, text, rule, line, words):
    fault = refusal(text)
    assert (fault.rule, fault.line) == (rule, line)
    assert words in fault.message
    assert fault.fix


@pytest.mark.parametrize(
    ("text", "rule"),
    [("a: &x 1\n", "YML009"), ("<<: 1\n", "YML010"), ("a: !!str 1\n", "YML011"), ("a: ! 1\n", "YML011")],
)
def test_what_changes_meaning_unseen_is_noted(parser, text, rule):
    _, faults = read(text, "p.yaml")
    assert [fault.rule for fault in faults] == [rule]


@pytest.mark.parametrize(
    ("data", "rule", "line"),
    [
        (b"", "YML004", 1),
        (b"  \n\n", "YML004", 1),
        (b"\x00\x01\x02", "YML003", 1),
        (b"a: 1\nb: \xff\xfe\n", "YML003", 2),
        (b"a: 1\nb: \x1b[31mred\n", "YML003", 2),
        ("a: 1\nb: x\u202ey\n".encode(), "YML003", 2),
        ("a: 1\nb: x\u2028y\n".encode(), "YML003", 2),
        ("a: 1\rb: x\x85y\n".encode(), "YML003", 2),
        (b"\x7fELF" + bytes(range(256)), "YML003", 1),
        (b"[" * 1_000_000, "YML002", 1),
    ],
)
def test_bytes_that_are_no_text_of_a_fitting_size(data, rule, line):
    with pytest.raises(ProtocolRefused) as caught:
        decode(data, "p.yaml")
    (fault,) = caught.value.faults
    assert (fault.rule, fault.line) == (rule, line)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(parser):
    root, faults = read(decode("\ufeffa: 1\r\nb: 2\r\n".encode(), "p.yaml"), "p.yaml")
    assert faults == []
    assert plain(root) == {"a": "1", "b": "2"}


def test_depth_is_limited_to_twenty(parser):
    fits = "a: " + "[" * 19 + "]" * 19 + "\n"
    root, _ = read(fits, "p.yaml")
    assert list(root.entries) == ["a"]
    assert refusal("a: " + "[" * 20 + "]" * 20 + "\n").rule == "YML007"


def test_nodes_are_limited_while_events_arrive(parser, monkeypatch):
    taken = []
    real = yaml.parse

    def counting(*args, **keywords):
        for event in real(*args, **keywords):
            taken.append(event)
            yield event

    monkeypatch.setattr(yaml_reader.yaml, "parse", counting)
    assert refusal("a: [" + "b, " * 60_000 + "b]\n").rule == "YML008"
    assert len(taken) < yaml_reader.NODES_MAX + 10


def test_an_alias_bomb_ends_at_its_first_alias(parser):
    rows = ['a0: &a0 ["lol"]'] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    fault = refusal("\n".join(rows))
    assert (fault.rule, fault.line) == ("YML009", 2)


def test_faults_in_one_file_are_bounded():
    with pytest.raises(ProtocolRefused) as caught:
        read("".join("a: 1\n" for _ in range(500)), "p.yaml")
    assert len(caught.value.faults) == yaml_reader.FAULTS_MAX
