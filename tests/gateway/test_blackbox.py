"""The gateway's own log: kept until a folder is known, chained, continued, and never in anybody's way."""

import pytest

from controller.gateway.blackbox import KEPT_MAX, NAME, BlackBox
from controller.vocabulary.chain import REOPENED, read

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


def test_the_newest_records_wait_and_no_more_than_agreed(tmp_path):
    box = BlackBox(threaded=False)
    for number in range(KEPT_MAX + 10):
        box.record(number, "note", {"n": number})
    box.open(tmp_path)
    assert box.close(0)
    records = read((tmp_path / NAME).read_bytes()).records
    assert len(records) == KEPT_MAX + 1
    assert records[1].data["n"] == 10


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
