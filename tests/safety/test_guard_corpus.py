"""The frozen corpus: what the guard refused it still refuses, unless a limit of the lock has changed."""

import json
from collections import Counter

import pytest

from safety import body_rules, limits_lock, rules
from tests.safety import corpus
from tests.safety.corpus import ABOUT, ANSWERS, PLAIN, STEPS, compare, part, stored

pytestmark = pytest.mark.hazard("H15", "H42")
SOME = range(1)


@pytest.mark.parametrize("number", range(PLAIN))
def test_nothing_that_was_refused_is_admitted(number, record_property):
    """Nor is anything newly refused that is not frozen: `python -m tests.safety.corpus --freeze --date DAY`."""
    found = compare([number])
    for rule, many in found.refused.items():
        record_property(f"newly refused by {rule}", many)
    assert not found.drifted, "the episodes are not those that were frozen"
    assert found.admitted == Counter(), found.examples
    assert found.refused == found.other == Counter(), "stricter: freeze it, so that it stays so"


def test_the_plain_tests_compare_a_hundred_thousand_steps():
    assert stored()[0]["starts"][PLAIN] >= 100_000


def test_the_corpus_was_frozen_with_the_limits_of_the_lock():
    assert stored()[0]["lock"] == limits_lock.digest(limits_lock.values())


def test_the_corpus_is_large_meets_nearly_every_rule_and_is_small_on_disk():
    about, answers = stored()
    assert about["steps"] == len(answers) >= STEPS
    assert ANSWERS.stat().st_size < 300_000
    met = set(about["alphabet"])
    tables = (rules.ORDER_RULES, (rules.CHANNEL_RULE,), rules.TRAIN_RULES, rules.BODY_RULES, (rules.ANTAGONIST_RULE,))
    known = {number for table in tables for number, _ in table}
    # What other rules let pass is balanced and heats no pad: the tests of these three ask them alone.
    assert known - met == {"G10", "G16", "G30"}
    assert {f"J{number:02}" for number in range(1, 23)} - met == set()
    admitted = about["answers"]["admitted"]
    assert 0.25 < admitted / about["steps"] < 0.75


def test_a_rule_that_is_lost_is_seen():
    real = body_rules.g22_rest.__code__
    body_rules.g22_rest.__code__ = (lambda wanted: None).__code__
    try:
        found = compare(SOME)
    finally:
        body_rules.g22_rest.__code__ = real
    assert found.admitted["G22"] > 0
    assert found.examples


def test_a_rule_that_is_stricter_is_counted_and_what_follows_is_not_compared(monkeypatch):
    monkeypatch.setattr(body_rules, "SLEW_UA_MAX", 1_000)
    found = compare(SOME)
    assert set(found.refused) == {"G19"}
    assert found.admitted == Counter()


def test_other_episodes_are_seen(monkeypatch):
    first = part(0)
    monkeypatch.setattr(corpus, "part", lambda number: [first[1], first[0], *first[2:]])
    assert corpus.mark(corpus.part(0)) != corpus.mark(first)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A corpus of its own, small and in a folder of its own."""
    monkeypatch.setattr(corpus, "STEPS", 2_000)
    for name in ("FOLDER", "ANSWERS", "ABOUT"):
        monkeypatch.setattr(corpus, name, tmp_path / getattr(corpus, name).name)
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    corpus.freeze("2026-01-05")


def test_a_laxer_guard_cannot_be_frozen_with_the_same_limits(small, monkeypatch, capsys):
    command = ["corpus", "--freeze", "--date", "2026-01-06"]
    monkeypatch.setattr("sys.argv", command)
    before = corpus.ABOUT.read_text()
    real = body_rules.g34_position.__code__
    body_rules.g34_position.__code__ = (lambda wanted: None).__code__
    try:
        assert corpus.main() == 2
        assert corpus.ABOUT.read_text() == before
        about = json.loads(before) | {"lock": "another"}
        corpus.ABOUT.write_text(json.dumps(about))
        assert corpus.main() == 0
    finally:
        body_rules.g34_position.__code__ = real
    assert "newly admitted" in capsys.readouterr().out
    assert json.loads(corpus.ABOUT.read_text())["date"] == "2026-01-06"
    assert corpus.compare(SOME).refused["G34"] > 0


def test_the_frozen_files_are_where_the_tests_look():
    assert ABOUT.is_file()
    assert ANSWERS.is_file()
