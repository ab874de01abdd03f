"""The gateway's own log: kept until a folder is known, chained, continued, and never in anybody's way."""

import hashlib

import pytest

from controller.gateway import ports
from controller.gateway.blackbox import DROPPED, KEPT_MAX, NAME, BlackBox
from controller.vocabulary.chain import GENESIS, REOPENED, read
from controller.vocabulary.requests import StopNow

pytestmark = pytest.mark.hazard("H03", "H30")


def kinds(folder):
    reading = read((folder / NAME).read_bytes())
    assert reading.faults == []
    assert reading.torn == b""
    return [record.kind for record in reading.records]


@pytest.mark.parametrize("threaded", [False, True])
def test_what_was_said_before_a_folder_was_known_comes_first(tmp_path, threaded):
    box = BlackBox(threaded)
    box.record(1, "unit_opened", {"port": "memory"})
    box.record(2, "stop_pressed", {"source": "F12"}, sync=True)
    box.open(tmp_path)
    box.record(3, "armed", {}, sync=True)
    assert box.close(4)
    assert kinds(tmp_path) == ["header", "unit_opened", "stop_pressed", "armed"]
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0
    assert box.failed == ""


def test_the_first_records_wait_and_how_many_more_there_were_is_written_down(tmp_path):
    box = BlackBox(threaded=False)
    for number in range(KEPT_MAX + 10):
        box.record(number, "note", {"n": number})
    box.open(tmp_path)
    box.record(9_999, "armed", {})
    assert box.close(0)
    records = read((tmp_path / NAME).read_bytes()).records
    assert [record.data["n"] for record in records[1 : KEPT_MAX + 1]] == list(range(KEPT_MAX))
    assert records[KEPT_MAX + 1][1:] == (KEPT_MAX + 9, DROPPED, {"records": 10})
    assert records[KEPT_MAX + 2].kind == "armed"


def test_as_many_as_agreed_are_kept_whole(tmp_path):
    box = BlackBox(threaded=False)
    for number in range(KEPT_MAX):
        box.record(number, "note", {"n": number})
    box.open(tmp_path)
    assert box.close(0)
    assert len(read((tmp_path / NAME).read_bytes()).records) == KEPT_MAX + 1


def test_the_next_gateway_goes_on_after_a_torn_line(tmp_path):
    box = BlackBox(threaded=False)
    box.open(tmp_path)
    box.record(1, "latched", {"cause": "STOP"})
    assert box.close(2)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes() + b'{"half a line')
    following = BlackBox(threaded=False)
    following.open(tmp_path)
    following.open(tmp_path)  # said twice: nothing changes
    following.record(9, "unit_opened", {})
    assert following.close(10)
    assert kinds(tmp_path) == ["header", "latched", REOPENED, "unit_opened"]


@pytest.mark.parametrize("threaded", [False, True])
def test_a_folder_that_cannot_be_written_is_a_failure_in_words_and_nothing_raises(tmp_path, threaded):
    box = BlackBox(threaded)
    box.open(tmp_path / "gone")
    box.record(1, "latched", {"cause": "STOP"}, sync=True)
    box.close(2)
    box.open(tmp_path / "gone")
    box.record(3, "latched", {}, sync=True)
    box.close(4)
    box.open(tmp_path)  # a good folder later is used again
    box.record(5, "armed", {})
    assert box.close(6)
    assert "armed" in kinds(tmp_path)


def test_another_session_gets_a_log_of_its_own(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    box = BlackBox()
    box.open(one)
    box.record(1, "armed", {})
    box.open(two)
    box.record(2, "latched", {})
    assert box.close(3)
    assert kinds(two) == ["header", "latched"]


@pytest.mark.parametrize("line", [b'{"seq":0,"a":' + b"[" * 60_000, b'{"seq":"0","t_ns":1,"kind":"x","data":{}', b"{}"])
def test_a_log_that_was_changed_is_a_failure_that_says_what_to_do_and_goes_on_all_the_same(tmp_path, line):
    digest = hashlib.sha256(GENESIS.encode() + line).hexdigest()
    (tmp_path / NAME).write_bytes(line + f',"prev":"{GENESIS}","hash":"{digest}"}}\n'.encode())
    box = BlackBox(threaded=False)
    box.open(tmp_path)
    assert "was changed or damaged, line 1 " in box.failed
    assert "begin a new session" in box.failed
    box.record(1, "latched", {"cause": "STOP"}, sync=True)
    box.close(2)
    assert [record.kind for record in read((tmp_path / NAME).read_bytes()).records] == [REOPENED, "latched"]


def test_a_log_that_was_changed_keeps_the_gateway_from_being_armed(bench):
    bench.press(StopNow("F12"))
    bench.run(200)
    assert bench.core.blocked(bench.now_ns) == ""
    bench.step(ports.LogFailed("gateway.jsonl was changed or damaged, line 1 is not a record"))
    bench.run(200)
    assert "line 1 is not a record" in bench.core.blocked(bench.now_ns)
