"""The shell's hands for the record of changes: what it writes, what it tells the core, and who vouches for whom."""

import json
import time

import pytest

from controller.gateway import changes, ports
from controller.gateway.audit_book import NAME
from controller.gateway.changes import Changes
from controller.vocabulary.chain import GENESIS, read
from controller.vocabulary.facts import LogHead
from safety.digest import stored

pytestmark = pytest.mark.hazard("H30", "H51")

T0 = 70_000_000_000
SECOND = 1_000_000_000
WHEN = "2026-01-05T10:00:00Z"


class Desk:
    """The hands, and what of it is in the file once all is written."""

    def __init__(self, root):
        self.root = root
        self.inputs = []
        self.hands = Changes(root, "therapist 3", self.inputs)
        self.folder = root / "sub-P007" / "20260105-1000"

    def settle(self, t_ns=T0):
        """Wait until the writer has written what it was given, then look once."""
        ends = time.monotonic() + 10
        while self.hands._book._waiting and time.monotonic() < ends:
            time.sleep(0.001)
        while time.monotonic() < ends:
            written = self.hands._book.failed or self.hands._book.head[0] == len(self.records()) - 1 >= 0
            if written:
                break
            time.sleep(0.001)
        self.hands.look(t_ns, None)
        return self

    def records(self):
        path = self.root / NAME
        return read(path.read_bytes()).records if path.exists() else []

    def written(self):
        """(what, subject, new value, reason) of each change."""
        kept = [record.data for record in self.records() if record.kind == "change"]
        return [(entry["what"], entry["subject"], entry["new"], entry["reason"]) for entry in kept]


LIMITS = ("software limits", "safety", {"digest": stored()}, "as installed")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(changes, "wall_utc", lambda: WHEN)
    monkeypatch.setattr(changes, "now_ns", lambda: T0 + 5)
    return Desk(tmp_path)


def test_the_limits_as_installed_are_the_first_entry_with_who_and_when(desk):
    desk.settle().hands.close(None, (-1, GENESIS))
    assert desk.written() == [LIMITS]
    header, first = desk.records()
    assert header.data["at"] == WHEN
    assert (first.t_ns, first.data["at"], first.data["operator"]) == (T0 + 5, WHEN, "therapist 3")


def test_a_session_begins_and_is_sealed_with_how_far_its_log_went(desk):
    desk.hands.session(T0, desk.folder)
    desk.hands.close(desk.folder, (0, "a" * 64))
    name = "sub-P007/20260105-1000"
    assert desk.written() == [
        LIMITS,
        ("session", name, {"open": True}, "the session began"),
        ("session", name, {"open": False, "seq": 0, "hash": "a" * 64}, "the gateway ended"),
    ]
    assert [record.t_ns for record in desk.records()[2:]] == [T0, T0 + 5]


@pytest.mark.parametrize(("named", "seq"), [(False, 3), (True, -1)])
def test_without_a_log_nothing_is_sealed(desk, named, seq):
    desk.hands.close(desk.folder if named else None, (seq, "a" * 64))
    assert desk.written() == [LIMITS]


def test_a_dose_is_vouched_for_once_it_is_on_disk(desk):
    desk.hands.dose("sub-P007/dose-2026-01-05.jsonl", None)
    desk.hands.dose("sub-P007/dose-2026-01-05.jsonl", (4, "b" * 64))
    desk.hands.close(None, (-1, GENESIS))
    told = ("dose", "sub-P007/dose-2026-01-05.jsonl", {"seq": 4, "hash": "b" * 64}, "the dose is kept")
    assert desk.written() == [LIMITS, told]
    assert desk.records()[-1].t_ns == T0 + 5


def test_the_core_hears_of_each_new_head_once_and_never_of_none(tmp_path, monkeypatch):
    monkeypatch.setattr(changes.AuditBook, "add", lambda self, entry, at: None)
    desk = Desk(tmp_path)
    assert desk.hands.look(T0, None) is None
    assert desk.inputs == []
    for head in ((0, "c" * 64), (1, "d" * 64)):
        desk.hands._book.head = head
        desk.hands.look(T0, None)
        desk.hands.look(T0, None)
        assert desk.inputs == [ports.AuditHead(*head)]
        desk.inputs.clear()
    desk.hands._book.close()


def test_the_core_hears_the_first_failure_once(desk):
    desk.settle()
    desk.inputs.clear()
    desk.hands._book.failed = "OSError: No space left on device"
    desk.hands.look(T0, None)
    desk.hands._book.failed = "another"
    desk.hands.look(T0, None)
    assert desk.inputs == [ports.AuditFailed("OSError: No space left on device")]


def test_a_folder_that_cannot_be_written_is_a_failure_the_core_hears_of(tmp_path):
    root = tmp_path / "file"
    root.write_text("not a folder")
    desk = Desk(root)
    ends = time.monotonic() + 10
    while not desk.inputs and time.monotonic() < ends:
        desk.hands.look(T0, None)
    (told,) = desk.inputs
    assert isinstance(told, ports.AuditFailed)
    assert "file" in told.cause.lower()


def test_the_engine_is_told_of_the_log_every_five_seconds_and_only_of_more(desk):
    look = desk.hands.look
    assert look(0, None) is None
    assert look(0, (0, "a" * 64)) == LogHead(0, "a" * 64)  # the very first record, at the very first instant
    assert look(5 * SECOND, (0, "a" * 64)) is None  # nothing new
    assert look(5 * SECOND - 1, (7, "b" * 64)) is None  # too early
    assert look(5 * SECOND, (7, "b" * 64)) == LogHead(7, "b" * 64)
    assert look(10 * SECOND - 1, (8, "c" * 64)) is None
    assert look(20 * SECOND, (7, "b" * 64)) is None
    assert look(20 * SECOND, (6, "x" * 64)) is None
    assert look(20 * SECOND, None) is None
    assert look(20 * SECOND, (8, "c" * 64)) == LogHead(8, "c" * 64)
    assert look(25 * SECOND - 1, (9, "d" * 64)) is None
    assert look(25 * SECOND, (9, "d" * 64)) == LogHead(9, "d" * 64)


def test_the_file_is_one_json_object_a_line(desk):
    desk.hands.close(None, (-1, GENESIS), 5.0)
    for line in (desk.root / NAME).read_text().splitlines():
        assert isinstance(json.loads(line), dict)
