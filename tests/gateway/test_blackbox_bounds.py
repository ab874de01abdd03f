"""The gateway's own log at its bounds: what waits, what is dropped, what a head is, and each word of its records."""

import json
import threading

import pytest

from controller.gateway import blackbox
from controller.gateway.blackbox import BlackBox
from controller.vocabulary.chain import GENESIS, read

pytestmark = pytest.mark.hazard("H03", "H30")

NAME = "gateway.jsonl"


class Appender:
    """Writes down what it is asked to write; ends, or fails, as it is told."""

    def __init__(self, folder=None, ends=True, failed=""):
        self.entries, self.ends, self.failed, self.synced, self.waited = [], ends, failed, -1, []

    def append(self, *words):
        self.entries.append(words)

    def finish(self):
        self.entries.append("finish")

    def join(self, timeout_s):
        self.waited.append(timeout_s)
        return self.ends

    def backlog_ms(self, now_ns):
        return now_ns


@pytest.fixture
def made(monkeypatch):
    """The appenders that boxes make, in their order."""
    made = []

    def make(folder):
        made.append(Appender(folder))
        return made[-1]

    monkeypatch.setattr(blackbox, "InlineAppender", make)
    monkeypatch.setattr(blackbox, "ThreadAppender", make)
    return made


def written(appender):
    """(stamp, kind, data, sync, number) of each record, and bytes that are none as they are."""
    found = []
    for entry in appender.entries:
        if entry == "finish" or len(entry) < 5:
            found.append(entry)
        else:
            stamp_ns, name, line, sync, number = entry
            assert name == NAME
            record = json.loads(line)
            assert record["seq"] == number
            found.append((stamp_ns, record["t_ns"], record["kind"], record["data"], sync, number))
    return found


def test_a_new_box_has_no_folder_no_failure_and_an_empty_head(made):
    box = BlackBox()
    assert (box.failed, box.folder, box.head, box.vouched) == ("", None, (-1, GENESIS), None)
    assert box.backlog_ms(99) == 0
    assert box.close(5) is True  # there is nothing that could be lost
    assert made == []


def test_the_first_record_brings_a_header_with_its_time(tmp_path, made):
    box = BlackBox(threaded=False)
    box.open(tmp_path)
    assert box.folder == tmp_path
    assert made[0].entries == []
    box.record(7, "armed", {"scope": "session"})
    box.record(8, "latched", {}, sync=True)
    assert written(made[0]) == [
        (7, 7, "header", {"schema": 1}, True, 0),
        (7, 7, "armed", {"scope": "session"}, False, 1),
        (8, 8, "latched", {}, True, 2),
    ]
    assert box.head == (2, json.loads(made[0].entries[-1][2])["hash"])


def test_a_box_that_is_opened_at_a_time_has_its_header_at_once(tmp_path, made):
    box = BlackBox(threaded=False)
    box.open(tmp_path, 1)
    assert written(made[0]) == [(1, 1, "header", {"schema": 1}, True, 0)]


def test_what_waited_for_a_folder_did_not_wait_for_the_disk(tmp_path, made):
    box = BlackBox(threaded=False)
    box.record(5, "unit_opened", {}, sync=True)
    box.open(tmp_path, 50)
    box.record(49, "late", {})
    box.record(60, "armed", {})
    assert [(stamp, t_ns, kind) for stamp, t_ns, kind, *_ in written(made[0])] == [
        (50, 5, "header"),
        (50, 5, "unit_opened"),
        (50, 49, "late"),
        (60, 60, "armed"),
    ]


def test_1024_records_wait_and_one_more_is_counted(tmp_path, made):
    box = BlackBox(threaded=False)
    for number in range(1_026):
        box.record(number, "note", {"n": number})
    box.open(tmp_path)
    records = written(made[0])
    assert [entry[3] for entry in records[1:1_025]] == [{"n": number} for number in range(1_024)]
    assert records[1_025:] == [(1_025, 1_025, "records_dropped", {"records": 2}, True, 1_025)]
    (tmp_path / "next").mkdir()
    box.open(tmp_path / "next")
    box.record(2_000, "armed", {})
    assert [entry[2] for entry in written(made[1])] == ["header", "armed"]  # what was told is not told again


def test_what_is_dropped_for_the_next_folder_is_counted_from_nothing(tmp_path, made):
    box = BlackBox(threaded=False)
    for number in range(1_027):
        box.record(number, "note", {})
    box.open(tmp_path)
    box.close(0)
    for number in range(1_025):
        box.record(number, "note", {})
    (tmp_path / "next").mkdir()
    box.open(tmp_path / "next")
    assert written(made[1])[-1][2:4] == ("records_dropped", {"records": 1})


@pytest.mark.parametrize(("ends", "failed", "good"), [(True, "", True), (False, "", False), (True, "full", False)])
def test_all_is_on_disk_when_the_writer_has_ended_well(tmp_path, made, ends, failed, good):
    box = BlackBox()
    box.open(tmp_path)
    made[0].ends, made[0].failed = ends, failed
    assert box.failed == failed
    assert box.close(9, timeout_s=0.5) is good
    assert (made[0].entries, made[0].waited) == (["finish"], [0.5])
    assert (box.failed, box.folder) == ("", None)
    box.record(10, "late", {})
    assert made[0].entries == ["finish"]


def test_two_seconds_are_waited_where_nobody_says(tmp_path, made):
    box = BlackBox()
    box.open(tmp_path)
    box.close(9)
    assert made[0].waited == [2.0]


def test_another_folder_closes_the_one_before_without_waiting_for_it(tmp_path, made):
    box = BlackBox()
    box.open(tmp_path)
    box.record(3, "armed", {}, sync=True)
    made[0].synced = 1
    assert box.vouched == (1, box.head[1])
    (tmp_path / "next").mkdir()
    box.open(tmp_path / "next")
    assert (made[0].entries[-1], made[0].waited) == ("finish", [0.0])
    assert (box.folder, box.head, box.vouched) == (tmp_path / "next", (-1, GENESIS), None)
    box.open(tmp_path / "next")
    assert len(made) == 2


def test_a_record_is_vouched_for_once_it_is_on_disk(tmp_path, made):
    box = BlackBox()
    box.open(tmp_path)
    box.record(3, "armed", {}, sync=True)
    head = box.head
    box.record(4, "note", {})
    assert box.vouched is None
    made[0].synced = 1
    assert box.vouched == head  # and not the note, which nobody asked to be synced


def test_how_long_the_disk_has_let_wait_is_the_appenders_word_unless_it_failed(tmp_path, made):
    box = BlackBox()
    box.open(tmp_path)
    assert box.backlog_ms(77) == 77
    made[0].failed = "full"
    assert box.backlog_ms(77) == 0


def test_a_torn_line_is_ended_before_the_first_record(tmp_path, made):
    (tmp_path / NAME).write_bytes(b'{"seq":')
    box = BlackBox(threaded=False)
    box.open(tmp_path)
    box.record(8, "armed", {})
    assert made[0].entries[0] == (8, NAME, b"\n")
    assert [entry[2] for entry in written(made[0])[1:]] == ["reopened", "armed"]


def test_a_torn_line_is_ended_at_the_time_of_the_opening(tmp_path, made):
    (tmp_path / NAME).write_bytes(b'{"seq":')
    box = BlackBox(threaded=False)
    box.open(tmp_path, 30)
    assert made[0].entries[0] == (30, NAME, b"\n")


def test_a_whole_line_is_not_ended_again(tmp_path):
    box = BlackBox(threaded=False)
    box.open(tmp_path)
    box.record(1, "armed", {})
    assert box.close(2)
    again = BlackBox(threaded=False)
    again.open(tmp_path)
    again.record(3, "armed", {})
    assert again.close(4)
    content = (tmp_path / NAME).read_bytes()
    assert b"\n\n" not in content
    assert [record.kind for record in read(content).records] == ["header", "armed", "reopened", "armed"]


def test_a_good_folder_forgets_the_failure_of_the_one_before(tmp_path, made):
    box = BlackBox(threaded=False)
    (tmp_path / NAME).write_bytes(b"no record\n")
    box.open(tmp_path)
    assert f"keep {tmp_path} as it is and begin a new session" in box.failed
    (tmp_path / "next").mkdir()
    box.open(tmp_path / "next")
    assert box.failed == ""


def test_by_itself_a_box_writes_in_a_thread_of_its_own(tmp_path):
    before = threading.active_count()
    box = BlackBox()
    box.open(tmp_path)
    assert threading.active_count() == before + 1
    assert box.close(1)
    inline = BlackBox(threaded=False)
    inline.open(tmp_path)
    assert threading.active_count() == before
