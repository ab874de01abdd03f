"""Somebody else's client of the RehaStim2, PyPI pysciencemode 1.1.5: it drives our twin, unmodified, over a PTY.

It runs in a process of its own: it prints, waits without a bound, and its threads keep a process alive.
"""

import json
import subprocess
import sys
import termios
from collections.abc import Iterator
from importlib.metadata import version

import pytest

from sim.devices.rehastim2 import RehaStim2Twin
from tests.clients.served import Served

PATIENCE_S = 60
PERIOD_MS = 30
BEGIN = f"""
import json, os, sys, time
from pysciencemode import Channel, Device, Modes, Rehastim2

def channel(number, amplitude, mode=Modes.SINGLE):
    return Channel(mode=mode, no_channel=number, amplitude=amplitude, pulse_width=250, device_type=Device.Rehastim2)

unit = Rehastim2(port=sys.argv[1], show_log=SHOW_LOG)
unit.init_channel(stimulation_interval={PERIOD_MS}, list_channels=[channel(1, 10), channel(6, 20)])
"""
END = """
unit.end_stimulation()
unit.disconnect()
unit.close_port()
print(json.dumps({"error": unit.error_occured}))
sys.stdout.flush()
os._exit(0)
"""
UPDATES = """
for step in range(25):
    unit.start_stimulation(upd_list_channels=[channel(1, 10 + 2 * (step // 5)), channel(6, 20)])
    time.sleep(0.06)
"""
AN_UPDATE_JUST_AFTER_ITS_WATCHDOG = """
unit.start_stimulation()
before = unit.time_last_cmd
while unit.time_last_cmd == before:
    time.sleep(0.005)
time.sleep(0.05)
unit.start_stimulation()
time.sleep(2.0)
"""


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served(RehaStim2Twin)
    yield server
    server.close()


def run(served: Served, middle: str, *, show_log: bool) -> dict[str, bool]:
    program = BEGIN.replace("SHOW_LOG", str(show_log)) + middle + END
    done = subprocess.run(
        [sys.executable, "-c", program, served.path], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, bool] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_it_is_the_version_that_the_page_names() -> None:
    assert version("pysciencemode") == "1.1.5"


def test_it_initialises_updates_and_stops_our_twin_over_a_pty(served: Served) -> None:
    result = run(served, UPDATES, show_log=True)
    assert result == {"error": False}
    _, _, control, _, speed_in, speed_out, _ = termios.tcgetattr(served.master)
    assert (speed_in, speed_out) == (termios.B460800, termios.B460800)
    assert not control & termios.CSTOPB
    log = served.close()
    assert [entry for entry in log if entry["kind"] == "fault"] == []
    states = [entry["state"] for entry in log if entry["kind"] == "state"]
    assert states[:4] == ["start", "initialised", "started", "start"]
    trains = [entry for entry in log if entry["kind"] == "train"]
    assert {(entry["width_us"], entry["period_us"]) for entry in trains} == {(250, PERIOD_MS * 1000)}
    rising = [entry["amplitude_ua"] for entry in trains if entry["channel"] == 1]
    assert rising == [10_000, 12_000, 14_000, 16_000, 18_000]
    (six,) = [entry for entry in trains if entry["channel"] == 6]
    assert six["amplitude_ua"] == 20_000
    assert six["pulses"] == (six["t_end_ns"] - six["t_start_ns"]) // (PERIOD_MS * 1_000_000) + 1
    assert six["pulses"] >= 25 * 0.06 * 1000 / PERIOD_MS
    assert six["charge_nc"] == six["pulses"] * 5_000
    assert served.twin.pulses == sum(entry["pulses"] for entry in trains)


def test_its_own_gap_of_more_than_1200_ms_loses_the_session_of_our_strict_twin(served: Served) -> None:
    """It looks every 0.8 s whether 0.8 s have passed, so it is silent for up to 1.6 s: a defect of theirs."""
    run(served, AN_UPDATE_JUST_AFTER_ITS_WATCHDOG, show_log=False)
    log = served.close()
    assert [entry["fault"] for entry in log if entry["kind"] == "fault"] == ["watchdog"]
    states = [(entry["state"], entry["why"]) for entry in log if entry["kind"] == "state"]
    assert states == [("start", "host"), ("initialised", "list"), ("started", "started"), ("waiting", "watchdog")]
    lost_ns = next(entry["t_ns"] for entry in log if entry["kind"] == "fault")
    ends_ns = [entry["t_end_ns"] for entry in log if entry["kind"] == "train"]
    assert len(ends_ns) == 2
    assert all(0 < lost_ns - end_ns <= PERIOD_MS * 1_000_000 for end_ns in ends_ns)
