"""No current without the gateway's own log: it is on disk before anything is armed, and never more than 1 s behind."""

import os
import socket
import threading
import time

import pytest

from controller.clock import MS, now_ns
from controller.drivers.stimulators.p24 import P24
from controller.gateway import ports
from controller.gateway import shell as shell_module
from controller.gateway.blackbox import NAME, BlackBox
from controller.gateway.core import GatewayCore
from controller.gateway.log_keeper import BEHIND, CATCH_UP, UNOPENED, LogKeeper
from controller.vocabulary.chain import read
from controller.vocabulary.facts import ArmDenied, GatewayState
from controller.vocabulary.notices import OpenRecord
from controller.vocabulary.requests import StopNow

pytestmark = pytest.mark.hazard("H03", "H30")


def test_nothing_is_armed_before_the_log_is_on_disk(kit):
    bench = kit.Bench(keeps_dose=True)
    bench.step(ports.UnitOpened("memory"))
    bench.run(200)
    bench.prescribe()
    bench.step(ports.DoseRead(kit.PATIENT, kit.DATE, (0, 0, 0, 0), ""))
    bench.core.delivery.guard._memory.identified = {1, 2}
    bench.press(StopNow("F12"))
    bench.run(200)
    answer = bench.ask()
    assert isinstance(answer, ArmDenied)
    assert answer.reason == UNOPENED
    bench.send(OpenRecord("/here"))
    assert bench.core.blocked(bench.now_ns) == UNOPENED
    bench.step(ports.LogKept("/elsewhere"))  # an answer about another folder is none
    assert bench.core.blocked(bench.now_ns) == UNOPENED
    bench.step(ports.LogKept("/here"))
    assert bench.core.blocked(bench.now_ns) == ""
    bench.send(OpenRecord("/here"))  # said again: it is there already
    assert bench.core.blocked(bench.now_ns) == ""
    bench.send(OpenRecord("/another"))
    assert bench.core.blocked(bench.now_ns) == UNOPENED


def test_a_run_without_a_disk_needs_no_log(bench):
    bench.press(StopNow("F12"))
    bench.run(200)
    assert bench.core.blocked(bench.now_ns) == ""
    assert LogKeeper(wanted=False).blocked == ""


def test_a_log_that_is_behind_ends_what_runs_until_it_has_caught_up(kit, stimulating):
    stimulating.core.log = LogKeeper(wanted=True)
    stimulating.core.log.opening("/here")
    stimulating.core.log.kept("/here")
    stimulating.step(ports.LogBehind(True))
    assert stimulating.twin.drive() == ()
    assert stimulating.core.state is GatewayState.LATCHED
    assert (stimulating.core.cause, stimulating.core.todo) == (BEHIND, CATCH_UP)
    stimulating.renews = False
    stimulating.run(200)
    assert stimulating.ask(reason="all well").reason == f"{BEHIND} {CATCH_UP}"
    stimulating.step(ports.LogBehind(False))
    assert stimulating.core.blocked(stimulating.now_ns) == ""
    assert [entry["behind"] for entry in stimulating.logged("log_behind")] == [True, False]


def test_what_waited_for_a_folder_has_not_waited_for_the_disk(tmp_path):
    box = BlackBox()
    box.record(1, "guard_begun", {})
    now = 10**15
    assert box.backlog_ms(now) == 0  # there is nowhere to write it yet
    seen = []
    box.open(tmp_path, now)
    seen.append(box.backlog_ms(now + 5 * MS))
    assert box.close(now)
    assert max(seen) <= 5
    assert box.backlog_ms(now) == 0


def test_a_folder_has_its_first_record_on_disk_without_anything_being_said(tmp_path):
    box = BlackBox()
    box.open(tmp_path, 77)
    until = time.monotonic() + 5
    while box.vouched is None and time.monotonic() < until:
        time.sleep(0.01)
    assert box.vouched is not None
    assert box.vouched[0] == 0
    assert box.close(78)
    (header,) = read((tmp_path / NAME).read_bytes()).records
    assert (header.kind, header.t_ns) == ("header", 77)


class NoSignals:
    """A signal pipe that leaves this process' own handlers alone."""

    def __init__(self):
        self._ends = socket.socketpair()

    def fileno(self):
        return self._ends[0].fileno()


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell that has been told nothing yet."""
    monkeypatch.setattr(shell_module, "SignalPipe", NoSignals)
    (front, screen), (engine, other) = socket.socketpair(), socket.socketpair()
    made = shell_module.GatewayShell(GatewayCore(P24), front, engine, str(tmp_path / "nothing"), tmp_path)
    yield made
    made._stop.close()
    for end in (front, screen, engine, other, *made._signals._ends):
        end.close()


def until(shell, kind):
    """What the shell tells the core of its log, for at most 5 s."""
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        shell._look_at_log()
        told = [entry for entry in shell._inputs if isinstance(entry, kind)]
        if told:
            shell._inputs.clear()
            return told
        time.sleep(0.02)
    return []


def test_the_shell_says_when_the_log_is_kept_and_when_a_disk_that_hangs_is_behind(shell, tmp_path):
    folder = tmp_path / "ses-1"
    folder.mkdir()
    shell._perform([ports.OpenLog(str(folder))])
    assert until(shell, ports.LogKept) == [ports.LogKept(str(folder))]
    shell._look_at_log()
    assert shell._inputs == []  # said once
    hung = tmp_path / "ses-2"
    hung.mkdir()
    shell._perform([ports.OpenLog(str(hung))])
    assert until(shell, ports.LogKept) == [ports.LogKept(str(hung))]
    appender = shell._log._appender
    goes_on = threading.Event()
    write = appender._files.write

    def hang(name, data):
        goes_on.wait(10)
        write(name, data)

    appender._files.write = hang
    begun = now_ns()
    shell._perform([ports.Log(begun, "latched", {"cause": "STOP"}, True)])
    assert now_ns() - begun < 500 * MS  # nobody waits for it
    assert until(shell, ports.LogBehind) == [ports.LogBehind(True)]
    assert now_ns() - begun >= 1_000 * MS
    goes_on.set()
    assert until(shell, ports.LogBehind) == [ports.LogBehind(False)]
    assert shell._log.close(now_ns())
    assert os.path.getsize(hung / NAME) > 0
