"""The start-up self-test in the gateway: a fault keeps it from being armed, and stands in its log."""

import shutil
import subprocess
import sys

import pytest

from controller.drivers.stimulators.p24 import P24
from controller.gateway import __main__ as gateway_main
from controller.gateway import ports
from controller.gateway.core import GatewayCore
from controller.gateway.selftest import first_fault, self_test
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState, GatewayStatus
from controller.vocabulary.requests import Arm, ConfirmArm, StopNow
from safety import digest
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H42")

FAULT = "safety/ is not what was tested: restore it."


@pytest.fixture
def faulty(kit):
    """Connected and prescribed, with a gateway whose self-test failed."""
    bench = kit.Bench()
    bench.core = GatewayCore(P24, fault=FAULT)
    return bench.connect().prescribe()


@pytest.mark.parametrize("scope", ArmScope)
def test_with_a_fault_nothing_can_be_armed(faulty, scope):
    faulty.press(StopNow("F12"))
    faulty.run(200)
    assert faulty.ask(scope) == ArmDenied(FAULT)
    faulty.press(ConfirmArm(1))
    faulty.run(200)
    assert faulty.core.state is GatewayState.DISARMED
    faulty.send(faulty.order(2_000))
    assert faulty.twin.drive() == ()
    assert not faulty.facts(ArmNumber)


def test_the_fault_stands_before_every_other_reason_and_on_the_screen(kit, faulty):
    assert GatewayCore(P24, fault=FAULT).blocked(kit.SECOND) == FAULT
    assert {status.blocked for status in faulty.facts(GatewayStatus)} == {FAULT}


def test_a_confirmation_out_of_nowhere_is_refused_too(faulty):
    said = faulty.press(Arm(ArmScope.SESSION, "all well"), ConfirmArm(1))
    assert [type(answer) for answer in faulty.facts((ArmNumber, ArmDenied), said)] == [ArmDenied, ArmDenied]


def test_the_fault_is_logged_once_and_first(faulty):
    logs = [output for output in faulty.said if isinstance(output, ports.Log)]
    assert (logs[0].kind, logs[0].data, logs[0].sync) == ("self_test_failed", {"fault": FAULT}, True)
    assert len(faulty.logged("self_test_failed")) == 1


def test_without_a_fault_nothing_is_said_of_it(armed):
    assert armed.logged("self_test_failed") == []


def test_a_stale_digest_is_a_fault(tmp_path):
    copy = tmp_path / "safety"
    shutil.copytree(digest.FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert digest.main(["--write"], copy) == 0
    assert first_fault(lambda: self_test(safety_folder=copy)) == ""
    with (copy / "limits.py").open("a") as limits:
        limits.write("# changed\n")
    fault = first_fault(lambda: self_test(safety_folder=copy))
    assert str(copy) in fault
    assert "make digest" in fault


def test_a_self_test_that_cannot_be_made_is_a_fault():
    def broken():
        raise OSError("no such disk")

    assert "no such disk" in first_fault(broken)


def test_the_process_hands_the_fault_to_its_core(monkeypatch):
    """The real start, up to where it would serve; the core then refuses with the self-test's own sentence."""
    cores = []
    monkeypatch.setattr(gateway_main, "first_fault", lambda: FAULT)
    monkeypatch.setattr(gateway_main, "GatewayShell", lambda core, *_: cores.append(core) or Served())
    monkeypatch.setattr(gateway_main.socket, "socket", lambda fileno: fileno)
    for name in ("collect", "freeze", "disable"):
        monkeypatch.setattr(gateway_main.gc, name, lambda: None)
    monkeypatch.setattr(sys, "argv", ["gateway", "--front", "3", "--engine", "4", "--unit", "p24:none"])
    gateway_main.main()
    assert [core.blocked(1) for core in cores] == [FAULT]


class Served:
    """A shell that has nothing to serve."""

    def run(self):
        return None


def test_the_gateway_with_its_self_test_stays_lean():
    code = (
        "import sys, controller.gateway.__main__ as g; g.first_fault();"
        "print(sorted({m.split('.')[0] for m in sys.modules}"
        " & {'numpy','pint','yaml','pydantic','textual','hid','transitions','sim','protocols'}))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
