"""The training log: a row a trial, totals, and a page that a person can read."""

import json

import pytest

from controller.record import manifest
from controller.record.log_text import render_text
from controller.record.tables import TRIAL_COLUMNS, Outcome, Trial, milliamperes, read_table
from controller.record.training_log import training_log

SECOND = 1_000_000_000


def test_a_row_a_trial_and_totals_a_task_and_the_session(closed_session):
    log = training_log(closed_session)
    assert [row.outcome for row in log.rows] == ["completed", "missed", "assisted", "completed"]
    first = log.rows[0]
    assert (first.clock, first.peak_dps, first.threshold_dps) == ("00:09", 42.0, 12.0)
    assert first.channels == "extensors 12.5 mA; thumb 8 mA"
    total = log.total
    assert (total.attempts, total.assisted, total.completed, total.missed, total.pulses) == (3, 3, 2, 1, 207)
    assert total.minutes == pytest.approx(0.5)
    task = log.tasks["wrist_extension", "Lift your hand", "right"]
    assert task.pulses == 207
    assert task.minutes == pytest.approx(0.4)
    assert not log.from_chain


def test_a_note_stands_beside_the_trial_it_followed(closed_session):
    assert [row.note for row in training_log(closed_session).rows] == ["", "", "", "tired"]


def test_a_torn_table_is_replaced_by_the_chain(closed_session):
    whole = training_log(closed_session)
    path = closed_session / manifest.TRIALS
    content = path.read_bytes()
    for end in (0, 30, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:end])
        torn = training_log(closed_session)
        assert torn.from_chain
        assert torn.rows == whole.rows
    path.unlink()
    assert training_log(closed_session).rows == whole.rows


@pytest.mark.parametrize("width", [40, 80, 100, 131, 132, 160, 240])
def test_the_page_fits_its_width_and_says_everything(closed_session, width):
    text = render_text(training_log(closed_session), width)
    assert max(len(line) for line in text.splitlines()) <= max(80, width)
    for told in ("00:09", "extensors", "12.5", "thumb", "42/12", "31 ms", "assisted", "completed", "missed", "tired"):
        assert told in text
    for told in ("Lift your hand", "right", "wrist extension", "2026-03-04 09:30 UTC", "simulated", "207"):
        assert told in text


def test_a_long_cell_wraps_and_odd_text_cannot_break_the_table(open_journal):
    journal = open_journal()
    journal.trial(
        8 * SECOND,
        Trial(
            1, "reach", "Reach for\tthe\ncup " * 6, "left", Outcome.ASSISTED, None, None, None,
            (("anterior deltoid", 20_000),), "wrist splint", "table support", "x" * 200,
        ),
    )  # fmt: skip
    journal.close(9 * SECOND, "normal")
    content = (journal.folder / manifest.TRIALS).read_bytes()
    assert content.count(b"\n") == 2
    assert read_table(content, TRIAL_COLUMNS)[1]
    for width in (80, 160):
        text = render_text(training_log(journal.folder), width)
        assert max(len(line) for line in text.splitlines()) <= width
        for word in ("anterior", "deltoid", "20", "wrist", "splint", "table", "support"):
            assert word in text


def test_a_session_without_trials_has_a_page_too(open_journal):
    journal = open_journal()
    journal.close(8 * SECOND, "stop")
    log = training_log(journal.folder)
    assert log.total.attempts == 0
    assert log.total.pulses is None
    assert "No trial" in render_text(log)


def test_the_log_is_plain_json(closed_session):
    told = json.loads(json.dumps(training_log(closed_session).as_dict()))
    assert told["total"]["completed"] == 2
    assert told["tasks"][0]["task"] == "Lift your hand"
    assert len(told["rows"]) == 4


def test_milliamperes_are_exact():
    assert [milliamperes(value) for value in (0, 500, 8_000, 12_500, 130_000, 1)] == [
        "0", "0.5", "8", "12.5", "130", "0.001",
    ]  # fmt: skip
