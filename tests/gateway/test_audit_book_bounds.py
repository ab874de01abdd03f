"""The record of changes on disk, at its bounds: what waits, how long a lock is waited for, what is read again."""

import fcntl
import json
import os
import threading

import pytest

from controller.gateway import audit_book, ports
from controller.gateway.audit import MISDATED, UNEXPLAINED
from controller.gateway.audit_book import AuditBook
from controller.vocabulary.chain import read

pytestmark = pytest.mark.hazard("H30", "H51")

WHEN = "2026-01-05T10:00:00Z"


def change(number):
    return ports.Audit(number, "ceiling", f"SIM{number}", {"ua": number}, "because")


def test_the_rules_of_a_record_of_changes_have_names_of_their_own():
    assert (UNEXPLAINED, MISDATED) == ("A01", "A02")


def test_the_bounds():
    assert audit_book.BYTES_MAX == 64_000_000
    assert pytest.approx(2.0) == audit_book.LOCK_TRIES * audit_book.LOCK_AGAIN_S


@pytest.mark.parametrize(
    ("count", "failed"), [(1_000, ""), (1_001, "1000 changes wait for the disk, and it takes none")]
)
def test_a_thousand_changes_may_wait(tmp_path, monkeypatch, count, failed):
    monkeypatch.setattr(AuditBook, "_run", lambda self: None)
    book = AuditBook(tmp_path)
    for number in range(count):
        book.add(change(number), WHEN)
    assert book.failed == failed
    assert len(book._waiting) == 1_000


def test_the_file_is_named_and_headed_as_agreed(tmp_path):
    book = AuditBook(tmp_path)
    book.add(change(1), WHEN)
    assert book.close(5.0)
    header, first = read((tmp_path / "audit.jsonl").read_bytes()).records
    assert (header.kind, header.data) == ("header", {"schema": 1, "at": WHEN})
    assert (first.kind, first.data["operator"]) == ("change", "unnamed")


def test_the_writer_does_not_keep_a_program_from_ending(tmp_path):
    book = AuditBook(tmp_path, "Ada")
    assert book._thread.daemon
    assert book.close(5.0)


def test_a_file_that_nobody_else_touched_is_not_read_again(tmp_path, monkeypatch):
    reads, real = [], os.pread
    monkeypatch.setattr(os, "pread", lambda *words: (reads.append(words[1:]), real(*words))[1])
    book = AuditBook(tmp_path)
    for number in range(3):
        book.add(change(number), WHEN)
    assert book.close(5.0)
    assert reads == [(64_000_000, 0)]


def test_what_another_program_added_is_gone_on_after(tmp_path):
    one, two = AuditBook(tmp_path, "Ada"), AuditBook(tmp_path, "Bob")
    for number, book in ((1, one), (2, two), (3, one)):
        before = book.head
        book.add(change(number), WHEN)
        while book.head == before:
            assert book.failed == ""
            threading.Event().wait(0.001)
    assert one.close(5.0)
    assert two.close(5.0)
    reading = read((tmp_path / "audit.jsonl").read_bytes())
    assert reading.faults == []
    assert [record.data.get("operator") for record in reading.records] == [None, "Ada", "Bob", "Ada"]


def test_a_lock_is_tried_forty_times_with_a_pause_between(tmp_path, monkeypatch):
    tries, pauses = [], []

    def busy(*_):
        tries.append(1)
        raise BlockingIOError

    monkeypatch.setattr(fcntl, "flock", busy)
    monkeypatch.setattr(audit_book.time, "sleep", pauses.append)
    with pytest.raises(OSError, match=r"another program keeps audit\.jsonl locked: end it"):
        audit_book._lock(3)
    assert len(tries) == 40
    assert pauses == [0.05] * 40


def test_a_lock_that_comes_free_in_the_end_is_taken(monkeypatch):
    answers = [BlockingIOError] * 39

    def busy(*_):
        if answers:
            raise answers.pop()

    monkeypatch.setattr(fcntl, "flock", busy)
    monkeypatch.setattr(audit_book.time, "sleep", lambda _: None)
    audit_book._lock(3)
    assert answers == []


def test_each_line_is_json_with_its_number(tmp_path):
    book = AuditBook(tmp_path, "Ada")
    book.add(change(7), WHEN)
    assert book.close(5.0)
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == [0, 1]
    assert book.head == (1, lines[-1]["hash"])
