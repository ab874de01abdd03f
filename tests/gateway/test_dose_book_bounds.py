"""The day's dose on disk, asked alone: each field of a line, each bound, and what a torn or foreign file comes to."""

import json
import os
import stat
import time

import pytest

from controller.gateway import dose_book
from controller.gateway.dose_book import DoseBook, Kept, file_of, kept_in, path_of
from controller.gateway.ports import DoseRead, NoteDose
from controller.vocabulary.chain import Chain, read
from safety.lately import Lately

pytestmark = pytest.mark.hazard("H22", "H29", "H30", "H31")

PATIENT, DATE = "P007", "2026-01-05"
MS, SECOND = 1_000_000, 1_000_000_000
LATELY = Lately(11, 12, 13, 15, 14, 16)
CEILINGS, TORQUES = ((1, "forearm", 8_000),), (("wrist", "left", 900),)
TAIL = b'{"seq":'
TORN = (1, 15 * SECOND, 1, 15 * SECOND)
"""A burst of the longest kind, and a movement that is taken to be as long."""


@pytest.fixture
def path(tmp_path):
    return path_of(tmp_path, PATIENT, DATE)


@pytest.fixture
def book(tmp_path):
    book = DoseBook(tmp_path)
    yield book
    book.close(5.0)


def note(book, *amounts, t_ns=7, **more):
    book.note(NoteDose(t_ns, PATIENT, DATE, amounts, LATELY, CEILINGS, TORQUES)._replace(**more))


def written(book):
    """Wait until the book vouches for what it was given."""
    ends = time.monotonic() + 5
    while book.vouched is None and time.monotonic() < ends:
        time.sleep(0.001)
    return book.vouched


def records(path):
    return read(path.read_bytes()).records


def lines(path, *entries, kind="dose", tail=b""):
    chain = Chain()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(chain.line(1, kind, entry) for entry in entries) + tail)


def line(amounts=(1, 2, 3, 4), **more):
    return dict(zip(("bursts", "on_ns", "movements", "moved_ns"), amounts, strict=True)) | more


def test_a_book_that_was_never_opened_has_nothing_and_takes_nothing(tmp_path, book):
    assert (book.failed, book.vouched, book.name) == ("", None, "")
    note(book, 1, 2, 3, 4, patient="", date="")
    assert book.vouched is None
    assert book.let_go()
    assert list(tmp_path.iterdir()) == []


def test_a_line_holds_the_whole_dose_and_is_read_again(tmp_path, path, book):
    assert book.open(5, PATIENT, DATE) == DoseRead(PATIENT, DATE, (0, 0, 0, 0), "", Lately(), (), ())
    assert book.name == "sub-P007/dose-2026-01-05.jsonl"
    note(book, 1, 2, 3, 4)
    head = written(book)
    (record,) = records(path)
    assert (record.t_ns, record.kind) == (7, "dose")
    told = line(lately=LATELY._asdict(), ceilings=[[1, "forearm", 8_000]], torques=[["wrist", "left", 900]])
    assert record.data == told
    assert head == (0, json.loads(path.read_bytes())["hash"])
    note(book, 2, 3, 4, 5)
    assert book.let_go(5.0)
    assert [entry.data["bursts"] for entry in records(path)] == [1, 2]
    again = DoseBook(tmp_path).open(9, PATIENT, DATE)
    assert again == DoseRead(PATIENT, DATE, (2, 3, 4, 5), "", LATELY, CEILINGS, TORQUES)


def test_files_and_folders_are_the_operators_own(path, book):
    book.open(5, PATIENT, DATE)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700


@pytest.mark.parametrize(("patient", "date"), [("P008", DATE), (PATIENT, "2026-01-06")])
def test_a_dose_of_somebody_else_is_not_written(path, book, patient, date):
    book.open(5, PATIENT, DATE)
    note(book, 1, 2, 3, 4, patient=patient, date=date)
    assert book.let_go(5.0)
    assert records(path) == []


def test_what_was_let_go_takes_nothing_more_and_frees_the_file(tmp_path, path, book):
    book.open(5, PATIENT, DATE)
    other = DoseBook(tmp_path)
    fault = other.open(6, PATIENT, DATE)
    assert fault == DoseRead(PATIENT, DATE, (0, 0, 0, 0), fault.fault)
    assert fault.fault == "another stimloop keeps this patient's dose. Leave that one first."
    assert other.vouched is None
    assert book.let_go(5.0)
    assert (book.vouched, book.failed) == (None, "")
    note(book, 1, 2, 3, 4)
    note(book, 1, 2, 3, 4, patient="", date="")
    assert path.read_bytes() == b""
    assert other.open(7, PATIENT, DATE).fault == ""
    other.close(5.0)
    assert DoseBook(tmp_path).open(8, PATIENT, DATE).fault == ""


def test_to_close_frees_the_file_even_when_it_was_not_let_go_in_time(tmp_path, book, monkeypatch):
    book.open(5, PATIENT, DATE)
    monkeypatch.setattr(book, "let_go", lambda timeout_s: False)
    book.close(0.0)
    assert book.vouched is None
    monkeypatch.undo()
    assert DoseBook(tmp_path).open(6, PATIENT, DATE).fault == ""


def test_a_disk_that_fails_is_told(book, monkeypatch):
    book.open(5, PATIENT, DATE)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    note(book, 1, 2, 3, 4)
    book._appender.finish()
    book._appender.join(5.0)
    assert "No space left" in book.failed
    assert book.vouched is None


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_file_of_the_greatest_size_is_the_last_that_is_read(tmp_path, path, book, monkeypatch, more, taken):
    assert dose_book.BYTES_MAX == 4_000_000
    lines(path, line())
    monkeypatch.setattr(dose_book, "BYTES_MAX", path.stat().st_size - more)
    found = book.open(5, PATIENT, DATE)
    assert found.amounts == ((1, 2, 3, 4) if taken else (0, 0, 0, 0))
    where = f"Look at {tmp_path / 'sub-P007'}, and ask who treated the patient today."
    told = "" if taken else f"dose-2026-01-05.jsonl is larger than a day can make it. {where}"
    assert found.fault == told
    assert not book._lock >= 0 if not taken else book._lock >= 0


def test_a_changed_file_is_a_fault_and_is_not_kept_open(tmp_path, path, book):
    lines(path, line(), line((2, 2, 3, 4)))
    path.write_bytes(path.read_bytes().replace(b'"bursts":1', b'"bursts":0'))
    found = book.open(5, PATIENT, DATE)
    assert found.amounts == (0, 0, 0, 0)
    assert "line 1 was changed" in found.fault
    assert book.vouched is None
    note(book, 1, 2, 3, 4)
    assert DoseBook(tmp_path).open(6, PATIENT, DATE).fault == found.fault  # and not: another one keeps it


# -- what a file comes to ----------------------------------------------------------------------------------------------


def test_the_last_line_counts_and_other_kinds_do_not(path):
    lines(path, line((1, 1, 1, 1)), line((5, 6, 7, 8), lately=LATELY._asdict()))
    assert kept_in(path.read_bytes()) == Kept((5, 6, 7, 8), LATELY)
    lines(path, line((1, 1, 1, 1)), kind="note")
    assert kept_in(path.read_bytes()) == Kept((0, 0, 0, 0), Lately(), (), ())
    assert kept_in(b"") == Kept()


@pytest.mark.parametrize("tail", [b'{"seq":', b'{"seq":1,"t'])
def test_a_torn_end_counts_as_one_burst_and_one_movement_of_the_longest_kind(path, tail):
    lines(path, line((5, 6, 7, 8), lately=LATELY._asdict()), tail=tail)
    kept = kept_in(path.read_bytes())
    assert kept.amounts == (6, 6 + TORN[1], 8, 8 + TORN[3])
    assert kept.lately == Lately(11 + TORN[1], 13, 7_560 * MS, 16, 15, 10_000 * MS)


def test_what_a_torn_end_adds_stays_within_what_can_be_of_late(path):
    full = Lately(600 * SECOND, 20, 9_000 * MS, 1_200, 1_200, 12_000 * MS)
    lines(path, line(lately=full._asdict()), tail=TAIL)
    assert kept_in(path.read_bytes()).lately == full
    empty = Lately(0, 0, 0, 0, 0, 0)
    lines(path, line(lately=empty._asdict()), tail=TAIL)
    assert kept_in(path.read_bytes()).lately == Lately(TORN[1], 1, 7_560 * MS, 1, 1, 10_000 * MS)


def test_a_torn_end_is_closed_and_counts_once_at_each_opening(tmp_path, path, book):
    lines(path, line((5, 6, 7, 8), lately=LATELY._asdict()), tail=b'{"seq":')
    found = book.open(9, PATIENT, DATE)
    assert found.amounts == (6, 6 + TORN[1], 8, 8 + TORN[3])
    assert written(book) is not None
    assert [(entry.t_ns, entry.kind) for entry in records(path)] == [(1, "dose"), (9, "reopened")]
    book.close(5.0)
    again = DoseBook(tmp_path)
    assert again.open(10, PATIENT, DATE).amounts == found.amounts
    again.close(5.0)
    assert len(records(path)) == 2  # a whole line at the end needs no closing


def test_a_line_of_an_earlier_version_counts_as_all_of_late(path):
    lines(path, line((5, 6, 7, 8)))
    assert kept_in(path.read_bytes()).lately == Lately(6, 5, 7_560 * MS, 7, 7, 10_000 * MS)
    lines(path, line((0, 0, 0, 0)))
    assert kept_in(path.read_bytes()).lately == Lately(0, 0, 0, 0, 0, 0)
    lines(path, line((50, 900 * SECOND, 5_000, 8)))
    assert kept_in(path.read_bytes()).lately == Lately(600 * SECOND, 20, 7_560 * MS, 1_200, 1_200, 10_000 * MS)


@pytest.mark.parametrize("key", ["bursts", "on_ns", "movements", "moved_ns"])
@pytest.mark.parametrize("value", [-1, 1.0, True, "1", None])
def test_what_is_no_whole_number_is_no_dose(path, key, value):
    lines(path, line() | {key: value})
    with pytest.raises(ValueError, match="record 0 is no dose"):
        kept_in(path.read_bytes())


@pytest.mark.parametrize("names", [["sub-p007"], ["sub-P007"]])
def test_a_file_that_is_there_under_another_spelling_is_gone_on_with(tmp_path, names):
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / f"dose-{DATE}.jsonl").write_bytes(b"")
    assert file_of(tmp_path, PATIENT, DATE) == tmp_path / names[0] / f"dose-{DATE}.jsonl"
    assert file_of(tmp_path, PATIENT, "2026-01-06") == path_of(tmp_path, PATIENT, "2026-01-06")
