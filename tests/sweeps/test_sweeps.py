"""A sample of the fault sweeps (`make sweep` makes them all), and that the judge of a sweep can say no."""

import errno
from concurrent.futures import ThreadPoolExecutor

import pytest

from controller import disk
from controller.engine import core
from controller.vocabulary.chain import Chain, read
from tests.sweeps import kills, sweep
from tests.sweeps.injected import FailingOs, Injector, SteppedAppender

pytestmark = pytest.mark.hazard("H01", "H02", "H03", "H04", "H05", "H29", "H30")
SAMPLE = 1
KILLS = (kills.Kill("engine", 34, 1), kills.Kill("gateway", 40, 2), kills.Kill("front", 30, 3))
ENTRIES = 40


@pytest.fixture(scope="module")
def told():
    return list(sweep.swept(SAMPLE))


def test_a_failed_call_puts_nothing_wrong_at_the_skin_and_loses_nothing_synced(told):
    assert {one.failure for one in told} == {failure.name for failure in sweep.FAILURES}
    assert [one for one in told if one.faults] == []


def test_a_lost_unit_a_jump_and_a_full_disk_are_not_borne_in_silence(told):
    ended = [one for one in told if one.failure in ("unit write", "clock +700 ms", "suspend 30 s")]
    assert ended
    for one in ended:
        assert not one.borne, one
        assert one.cause, one


# -- the appender, at every call ---------------------------------------------------------------------------------------


def written(folder, monkeypatch, kind, number, error):
    """Forty chained entries, each third synced, through an appender whose N-th call of a kind fails."""
    system = FailingOs(Injector(lambda what, count: what == kind and count == number))
    system.error = error
    monkeypatch.setattr(disk, "os", system)
    appender, chain, lines = SteppedAppender(folder), Chain(), []
    for t_ns in range(ENTRIES):
        lines.append(chain.line(t_ns, "entry", {"n": t_ns}))
        appender.append(t_ns, "events.jsonl", lines[-1], sync=t_ns % 3 == 0, mark=t_ns)
    appender.finish()
    return appender, lines, (folder / "events.jsonl").read_bytes()


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("kind", ["log write", "fsync"])
def test_the_appender_keeps_a_whole_beginning_whichever_call_fails(tmp_path, monkeypatch, kind, error):
    calls = ENTRIES if kind == "log write" else ENTRIES // 3 + 1
    for number in range(1, calls + 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        appender, lines, content = written(folder, monkeypatch, kind, number, error)
        assert appender.failed
        assert b"".join(lines).startswith(content)
        assert read(content).faults == []
        assert len(read(content).records) > appender.synced


def test_the_same_appender_without_a_failure(tmp_path, monkeypatch):
    appender, lines, content = written(tmp_path, monkeypatch, "", 0, errno.EIO)
    assert (appender.failed, content, appender.synced) == ("", b"".join(lines), 39)


# -- the judge can say no ----------------------------------------------------------------------------------------------


def test_a_synced_record_that_is_not_there_is_found(tmp_path):
    chain = Chain()
    line = chain.line(0, "header", {})
    head = (0, chain.head)
    later = chain.line(1, "later", {})
    (tmp_path / "events.jsonl").write_bytes(line + later)
    lost = [fault for fault in sweep.record_faults(tmp_path, (1, chain.head), None) if "was synced" in fault]
    assert lost == []
    (tmp_path / "events.jsonl").write_bytes(line)
    assert any("record 1 was synced" in fault for fault in sweep.record_faults(tmp_path, (1, chain.head), None))
    assert not any("was synced" in fault for fault in sweep.record_faults(tmp_path, head, None))


def test_a_session_that_goes_on_without_its_log_is_found(monkeypatch):
    """Were nobody told that the gateway's log has failed, current would go on: the sweep sees it."""
    monkeypatch.setattr(sweep.SweepHouse, "tells_of_log", False)
    monkeypatch.setattr(core, "watch_record", lambda core, now_ns: None)
    faults = [fault for one in sweep.swept(12, ["disk full"]) for fault in one.faults]
    assert faults
    assert all("after the disk failed" in fault or fault == "current flows without a record" for fault in faults), (
        faults
    )


# -- real processes ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def killed():
    with ThreadPoolExecutor(len(KILLS)) as pool:
        return list(pool.map(kills.killed, KILLS))


def test_a_process_killed_leaves_a_record_that_opens_with_all_that_was_synced(killed):
    for kill in killed:
        print(kill.line)
        assert kill.faults == [], kill
        assert kill.events + kill.gateway >= kill.at, kill


def test_a_full_disk_ends_a_real_session():
    found = kills.filled(30_000)
    assert found["status"] == 1, found
    assert "latched" in found["kinds"], found
    assert found["faults"] == [], found
    assert "Traceback" not in str(found["stderr"]), found
