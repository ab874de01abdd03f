"""Faults in the real processes while current flows: output ends, nothing starts again by itself, records stay whole.

Bounds are those of the design with room for a busy machine: what software stops ends well before a second, what the
unit's own watchdog has to end within its 2 s. `stimloop bench stop` measures the figures.
"""

import os
import signal
import subprocess
import sys
import time

import pytest

from controller.clock import now_ns
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState

pytestmark = pytest.mark.hazard("H02", "H03", "H06", "H18", "H20")

SOON_MS = 1_000.0
WATCHDOG_MS = 2_000.0


def test_engine_killed(live):
    fault_ns = now_ns()
    live.house.engine.kill()
    assert live.pump(3.0, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    live.pump(1.5)
    assert live.gateway_state is GatewayState.LATCHED
    assert live.front.engine_lost
    assert live.house.gateways_started == 1
    assert live.front.status.blocked  # nobody can arm without an engine
    live.close()
    assert live.last_pulse_ms(fault_ns) < SOON_MS
    live.assert_whole()
    assert "engine has gone" in live.causes()[0]


def test_engine_frozen_and_thawed(live):
    pid, fault_ns = live.house.engine.pid, now_ns()
    os.kill(pid, signal.SIGSTOP)
    live.pump(1.0)
    os.kill(pid, signal.SIGCONT)
    assert live.pump(3.0, lambda: live.session_state is SessionState.TRIPPED), live.told()
    live.pump(1.5)
    assert live.gateway_state is GatewayState.LATCHED
    live.close()
    assert live.last_pulse_ms(fault_ns) < SOON_MS
    live.assert_whole()
    assert "lease ended" in live.causes()[0]
    assert not [record for record in live.gateway_records() if record.kind == "refused"]


def test_stop_from_another_terminal_and_a_person_who_goes_on(start, kit):
    live = start(kit.GOES_ON).to_current()
    fault_ns = now_ns()
    stop = subprocess.run(
        [sys.executable, "-P", "-m", "controller.cli.main", "stop"], capture_output=True, text=True, timeout=10
    )
    assert (stop.returncode, stop.stdout) == (0, "Stopped: 1 gateway(s) confirmed.\n")
    confirmed_ns = now_ns()
    assert live.pump(3.0, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    # the scripted person acknowledges with a reason, arms with two keys, and resumes; the rest comes first
    assert live.pump(12.0, live.flows), live.told()
    again_ns = now_ns()
    live.therapist.script = kit.QUICK
    live.front.stop("F12")
    assert live.pump(3.0, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    live.pump(1.0)
    live.close()
    between = [train["t_end_ns"] for train in live.trains() if train["t_start_ns"] < confirmed_ns]
    assert max(between) - fault_ns < SOON_MS * 1e6
    assert live.last_pulse_ms(again_ns) < SOON_MS
    live.assert_whole()
    assert [cause for cause in live.causes() if "STOP was pressed" in cause] == [
        "STOP was pressed (stimloop stop).",
        "STOP was pressed (F12).",
    ]
    kinds = [record.kind for record in live.gateway_records()]
    assert kinds.count("rearmed") == 1


def test_the_screen_hangs_up(live):
    fault_ns = now_ns()
    live.front.close()
    for process in (live.house.gateway, live.house.engine):
        assert process.wait(5.0) == 0  # both end by themselves
    live.close()
    assert live.last_pulse_ms(fault_ns) < SOON_MS
    live.assert_whole()
    assert "screen has gone" in live.causes()[0]


def test_the_screen_freezes(live):
    fault_ns = now_ns()
    live.screen_beats = False
    assert live.pump(3.0, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    live.screen_beats = True
    live.pump(1.0)
    assert live.gateway_state is GatewayState.LATCHED
    live.close()
    assert live.last_pulse_ms(fault_ns) < 2 * SOON_MS  # 500 ms of silence, and a busy machine
    live.assert_whole()
    assert "screen fell silent" in live.causes()[0]


def test_gateway_killed(live):
    fault_ns = now_ns()
    live.house.gateway.kill()
    assert live.pump(5.0, lambda: live.house.gateways_started == 2), live.told()
    assert live.pump(5.0, lambda: live.gateway_state is GatewayState.DISARMED), live.told()
    live.pump(2.5)
    assert live.session_state is SessionState.TRIPPED
    assert "PULL THE LEADS" in live.front.snapshot.todo
    assert live.gateway_state is GatewayState.DISARMED
    assert not live.front.status.stop_tested  # a new gateway has to see a STOP first
    assert live.house.gateways_started == 2
    live.close()
    assert live.last_pulse_ms(fault_ns) <= WATCHDOG_MS
    live.assert_whole()
    kinds = [record.kind for record in live.gateway_records()]
    assert "reopened" in " ".join(kinds)  # the new one goes on in the same log


def test_gateway_killed_and_a_person_who_goes_on(start, kit):
    """The way back: test STOP, say which muscle answers and how the patient sits, arm with two keys. The levels that
    were found today are not asked for again."""
    live = start(kit.GOES_ON).to_current()
    live.house.gateway.kill()
    assert live.pump(10.0, lambda: live.house.gateways_started == 2), live.told()
    assert live.pump(60.0, live.helps), live.told()
    assert live.front.status.stop_tested
    live.therapist.script = kit.QUICK
    live.front.stop("F12")
    assert live.pump(3.0, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    live.close()
    live.assert_whole()
    kinds = [record.kind for record in live.gateway_records()]
    anew = kinds[kinds.index("reopened") :]
    assert "stop_pressed" in anew
    assert "channel_identified" in anew
    assert "refused" not in kinds


def test_the_puck_is_unplugged(live):
    fault_ns = now_ns()
    live.puck.close()
    assert live.pump(3.0, lambda: live.session_state is SessionState.TRIPPED), live.told()
    live.pump(1.0)
    assert live.gateway_state is GatewayState.LATCHED
    live.close()
    assert live.last_pulse_ms(fault_ns) < SOON_MS
    live.assert_whole()


def test_stop_while_nothing_flows_and_signals_end_the_processes(start):
    """Before anything is armed: SIGTERM ends each of them in order."""
    live = start()
    assert live.pump(10.0, live.is_up), live.told()
    live.house.engine.send_signal(signal.SIGTERM)
    live.house.gateway.send_signal(signal.SIGHUP)
    ends_at = time.monotonic() + 5.0
    for process in (live.house.engine, live.house.gateway):
        assert process.wait(max(0.1, ends_at - time.monotonic())) == 0
    live.close()
    assert live.trains() == []
    assert live.processes_log() == ""
