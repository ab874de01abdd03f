"""Whatever raises in the engine: the gateway is hung up on first, which latches it, and a person gets a sentence."""

import os
import socket
import subprocess
import sys

import pytest

from controller.channel.line import Line, LineClosed
from controller.drivers.ports import PortFault
from controller.engine import ports
from controller.engine import shell as shell_module
from controller.vocabulary.requests import StopNow

pytestmark = pytest.mark.hazard("H36")


class NoSignals:
    """Stands for the process's signals, which belong to the tests' own process here."""

    def __init__(self):
        self._ends = socket.socketpair()

    def fileno(self):
        return self._ends[0].fileno()


class Core:
    """Says what it is told to say; raises when it has nothing more to say."""

    def __init__(self, gateway):
        self.gateway, self.says, self.noted, self.closed, self.latched_first = gateway, [], [], [], False

    def decide(self, now_ns, inputs):
        if not self.says:
            raise RecursionError("nobody thought of it")
        return self.says.pop()

    def tick(self, now_ns):
        return []

    def next_deadline(self):
        return 0

    def note(self, now_ns, kind, data, sync=False):
        self.noted.append((kind, data))
        if kind == "engine_failed":
            with pytest.raises(LineClosed):
                self.gateway.receive()
            self.latched_first = True

    def close(self, now_ns, reason):
        self.closed.append(reason)
        raise OSError("the disk has gone as well")


def no_puck():
    raise PortFault("there is no puck", "plug it in")


@pytest.fixture
def shell(monkeypatch):
    monkeypatch.setattr(shell_module, "SignalPipe", NoSignals)
    pairs = [socket.socketpair() for _ in range(3)]
    (screen, front), (far, gateway), (house, handover) = pairs
    core = Core(Line(far))
    made = shell_module.EngineShell(core, front, gateway, handover, os.getpid(), no_puck)
    made.core, made.screen = core, Line(screen)
    yield made
    for end in (screen, front, far, gateway, house, handover, *made._signals._ends):
        end.close()


def test_the_gateway_is_hung_up_on_before_anything_else(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    said = shell.run()
    assert shell.core.latched_first
    assert [kind for kind, _ in shell.core.noted] == ["engine_failed"]
    assert shell.core.closed == ["fault"]
    assert "nobody thought of it" in said
    assert "The gateway stops all output" in said
    assert "Traceback" not in said
    assert "Traceback" in (tmp_path / ".cache" / "stimloop" / "crash-engine.txt").read_text()


def test_what_is_too_long_for_the_screen_is_left_out_and_written_down(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    shell.core.says = [[ports.ToFront(StopNow("x" * 70_000))], [ports.ToFront(StopNow("x" * 70_000))]]
    shell.run()
    assert [kind for kind, _ in shell.core.noted] == ["message_dropped", "engine_failed"]
    assert shell.screen.receive() == []


def test_an_engine_that_cannot_start_says_so_in_a_sentence(tmp_path):
    words = ["--front", "9", "--gateway", "9", "--handover", "9", "--gateway-pid", "1", "--puck", "toaster:x"]
    words += ["--protocol", str(tmp_path / "none.yaml"), "--data", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "controller.engine", *words],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "did not start" in done.stderr
    assert "Traceback" not in done.stderr
