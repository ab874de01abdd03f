"""What is kept of pads and skin over sessions; what cannot be known counts as pads to be replaced."""

import pytest

from controller.record.care import NAME, REPLACE, CareBook, pads_of
from controller.vocabulary.chain import Record, read
from safety.screening import Pads

pytestmark = pytest.mark.hazard("H17")


@pytest.fixture
def book(tmp_path):
    books = []

    def make():
        books.append(CareBook(tmp_path))
        return books[-1]

    yield make
    for each in books:
        each.close(2.0)


def filled(book):
    first = book()
    assert first.meet("P001") == Pads()
    first.note(1, "session", {"day": "2026-01-05"})
    first.note(2, "session", {"day": "2026-01-07"})
    first.close(2.0)
    assert first.failed == ""


def test_sessions_are_counted_from_the_first_or_the_last_new_pads(book):
    filled(book)
    second = book()
    assert second.meet("P001") == Pads(2, "2026-01-05")
    second.note(3, "skin", {"well": True})
    second.note(4, "skin", {"well": False})
    second.close(2.0)
    third = book()
    assert third.meet("P001") == Pads(2, "2026-01-05", True)
    third.note(5, "pads_new", {"day": "2026-01-09"})
    third.note(6, "session", {"day": "2026-01-09"})
    third.close(2.0)
    assert book().meet("P001") == Pads(1, "2026-01-09")
    assert book().meet("P002") == Pads()


def test_an_answer_that_is_no_plain_yes_is_irritation():
    for well in (None, 0, 1, "yes"):
        assert pads_of([Record(0, 0, "skin", {"well": well})]).irritated


def test_a_file_that_was_changed_counts_as_pads_to_be_replaced(book, tmp_path):
    filled(book)
    path = tmp_path / "sub-P001" / NAME
    content = bytearray(path.read_bytes())
    content[60] ^= 4
    path.write_bytes(content)
    again = book()
    assert again.meet("P001") == REPLACE
    assert "line 1" in again.failed


def test_a_torn_end_is_accounted_for(book, tmp_path):
    filled(book)
    path = tmp_path / "sub-P001" / NAME
    path.write_bytes(path.read_bytes()[:-30])
    again = book()
    assert again.meet("P001") == Pads(1, "2026-01-05")
    again.note(9, "session", {"day": "2026-01-08"})
    again.close(2.0)
    reading = read(path.read_bytes())
    assert reading.faults == []
    assert pads_of(reading.records).sessions == 2


def test_what_cannot_be_opened_counts_as_pads_to_be_replaced(book, tmp_path):
    one = book()
    assert one.meet("P001") == Pads()
    assert book().meet("P001") == REPLACE  # in another program's hands
    assert book().meet("../P001") == REPLACE
    (tmp_path / "sub-P003").write_text("a file in the way")
    other = book()
    assert other.meet("P003") == REPLACE
    assert other.failed
    other.note(1, "session", {})
