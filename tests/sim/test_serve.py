"""Simulated devices as a real process on real ports."""

import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.clock import now_ns
from controller.wire import ximu3
from controller.wire.sciencemode.messages import ChannelUpdate, MlInit, MlStop, MlUpdate
from controller.wire.sciencemode.p24 import encode

PATIENCE_S = 20.0
PROGRAM = """
import argparse, sys
from sim.serve import add_arguments, run
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(run(parser.parse_args()))
"""


class Served:
    """One served process: its announcements, its command lines, its log."""

    def __init__(self, log: Path, *args: str) -> None:
        self.log_path = log
        command = [sys.executable, "-c", PROGRAM, *args, "--log", str(log)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.devices: dict[str, dict[str, str]] = {}

    def announced(self, count: int) -> dict[str, dict[str, str]]:
        assert self.process.stdout is not None
        for _ in range(count):
            line = json.loads(self.process.stdout.readline())
            self.devices[line["device"]] = line
        return self.devices

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_text().splitlines()] if self.log_path.exists() else []

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.log() if entry["kind"] == "world"]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(*args: str) -> Served:
        started.append(Served(tmp_path / f"twin{len(started)}.jsonl", *args))
        return started[-1]

    yield start
    for served in started:
        served.process.kill()
        served.process.communicate()


def eventually(happens: Callable[[], object]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if happens():
            return True
        time.sleep(0.01)
    return False


def opened(url: str) -> int:
    return os.open(url, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


def received(client: int, enough: Callable[[list[ximu3.Inertial]], bool]) -> list[ximu3.Inertial]:
    """Messages of the x-IMU3 until there are enough."""
    framer, seen = ximu3.Framer(), []
    end = time.monotonic() + PATIENCE_S
    while not enough(seen):
        assert time.monotonic() < end, f"only {len(seen)} frames"
        seen += [message for message in framer.feed(whatever(client)) if isinstance(message, ximu3.Inertial)]
    return seen


def whatever(client: int) -> bytes:
    """What can be read within a second. Until the link knows that somebody is here it throws away what is unread, and
    that may be between `select` and `read`."""
    if not select.select([client], [], [], 1.0)[0]:
        return b""
    try:
        return os.read(client, 4096)
    except BlockingIOError:
        return b""


def test_a_puck_on_a_terminal_sends_its_frames_one_period_apart(serving: Callable[..., Served]) -> None:
    served = serving("ximu3", "--rate", "200")
    device = served.announced(1)["ximu3"]
    assert device["identity"].startswith("SIM")
    client = opened(device["url"])
    os.write(client, b"\n")  # somebody is here: from now on nothing is thrown away
    seen = received(client, lambda frames: len(frames) >= 60)
    gaps = {later.device_us - earlier.device_us for earlier, later in itertools.pairwise(seen[10:])}
    assert gaps == {5000}
    os.close(client)


def test_a_puck_on_loopback_does_the_same(serving: Callable[..., Served]) -> None:
    url = serving("ximu3", "--link", "tcp").announced(1)["ximu3"]["url"]
    host, port = url.removeprefix("socket://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as client:
        seen = received(client.fileno(), lambda frames: len(frames) >= 20)
    gaps = {later.device_us - earlier.device_us for earlier, later in itertools.pairwise(seen)}
    assert gaps == {10_000}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_serves_until_told_to_stop(serving: Callable[..., Served], number: int) -> None:
    served = serving("ximu3")
    served.announced(1)
    served.process.send_signal(number)
    assert served.process.wait(PATIENCE_S) == 0


def test_lines_on_stdin_act_on_the_world(serving: Callable[..., Served]) -> None:
    served = serving("ximu3", "--seed", "3")
    url = served.announced(1)["ximu3"]["url"]
    client = opened(url)
    for _ in range(3):  # a person may miss a cue, or answer it weakly
        served.tell("cue")
    received(client, lambda frames: any(frame.gyro_dps[1] > 7.0 for frame in frames))
    served.tell("relax")
    served.tell("dance")
    served.tell("unplug ximu3")
    assert eventually(lambda: served.events() == ["cue", "cue", "cue", "relax", "unplug"])
    with pytest.raises(OSError, match="put/output"):
        os.write(client, b"\n")
    os.close(client)
    served.tell("quit")
    assert served.process.wait(PATIENCE_S) == 0
    assert "dance" in served.process.communicate()[1]


def test_the_end_of_stdin_is_not_the_end(serving: Callable[..., Served]) -> None:
    served = serving("ximu3")
    client = opened(served.announced(1)["ximu3"]["url"])
    assert served.process.stdin is not None
    served.process.stdin.close()
    received(client, lambda frames: len(frames) >= 30)
    assert served.process.poll() is None
    os.close(client)
    served.process.stdin = None


def recording(path: Path) -> str:
    numpy = pytest.importorskip("numpy")
    rates = numpy.tile(numpy.arange(100, 150, dtype=numpy.int16)[:, None], (1, 3))
    info = json.dumps({"fs_hz": 100.0, "gyr_lsb_deg_s": 1.0, "acc_lsb_g": 0.01})
    numpy.savez(path, b05_gyr_raw=rates, b05_acc_raw=rates, info=numpy.array(info))
    return f"{path}:05"


@pytest.mark.parametrize("start_on", ["play", "first-byte"])
def test_a_recording_is_played_once_when_it_is_asked_for(
    serving: Callable[..., Served], tmp_path: Path, start_on: str
) -> None:
    served = serving("ximu3", "--motion", recording(tmp_path / "motion.npz"), "--start-on", start_on)
    client = opened(served.announced(1)["ximu3"]["url"])
    received(client, lambda frames: len(frames) >= 10)
    assert served.events() == []
    if start_on == "play":
        served.tell("play")
    else:
        os.write(client, b"\n")
    seen = received(client, lambda frames: any(frame.gyro_dps[0] >= 149.0 for frame in frames))
    assert [frame.gyro_dps[0] for frame in seen if frame.gyro_dps[0] > 50.0] == [float(k) for k in range(100, 150)]
    assert served.events() == ["play"]
    os.close(client)


def test_faults_are_made_from_the_start_and_by_lines_on_stdin(serving: Callable[..., Served]) -> None:
    served = serving("ximu3", "--fault", "drop:0.5", "--fault", "bit-flip@ximu3+2000s")
    client = opened(served.announced(1)["ximu3"]["url"])
    os.write(client, b"\n")
    received(client, lambda frames: len(frames) >= 30)
    served.tell("clear drop")
    served.tell("fault drop:1")
    served.tell("fault toothache")
    served.tell("unplug ximu3")
    assert eventually(lambda: "unplug" in served.events())
    told = [(entry["event"], entry.get("fault")) for entry in served.log() if entry["kind"] == "world"]
    assert told == [("fault begins", "drop"), ("fault ends", "drop"), ("fault begins", "drop"), ("unplug", None)]
    assert served.log()[1]["hits"] > 5
    os.close(client)
    served.tell("quit")
    assert served.process.wait(PATIENCE_S) == 0
    assert "There is no fault 'toothache'" in served.process.communicate()[1]


def test_a_world_has_the_devices_that_it_is_asked_for(serving: Callable[..., Served]) -> None:
    served = serving("world", "--devices", "dynamixel,textline,p24")
    assert list(served.announced(3)) == ["p24", "dynamixel", "textline"]


@pytest.mark.parametrize(
    "args",
    [
        ("--motion", "nowhere.npz:05"),
        ("--motion", "nowhere"),
        ("--rate", "5000"),
        ("--fault", "fire"),
        ("--fault", "electrode-off:1"),
    ],
)
def test_what_cannot_be_served_is_told_and_nothing_starts(
    serving: Callable[..., Served], args: tuple[str, str]
) -> None:
    served = serving("ximu3", *args)
    assert served.process.wait(PATIENCE_S) == 2
    out, told = served.process.communicate()
    assert out == ""
    assert args[1] in told


@pytest.mark.parametrize("devices", ["p24,rehastim2", "p24,p24", "toaster", ""])
def test_devices_that_cannot_stand_together_are_refused(serving: Callable[..., Served], devices: str) -> None:
    served = serving("world", "--devices", devices)
    assert served.process.wait(PATIENCE_S) == 2
    out, told = served.process.communicate()
    assert out == ""
    assert len(told) > 20


def stimulation(amplitude_ua: int) -> MlUpdate:
    points = ((250, amplitude_ua), (100, 0), (250, -amplitude_ua))
    return MlUpdate((ChannelUpdate(0, points, 28_500),))


def test_pulses_at_the_stimulators_port_move_the_puck_at_the_other(serving: Callable[..., Served]) -> None:
    served = serving("world")
    devices = served.announced(3)
    assert list(devices) == ["p24", "ximu3", "fitmi"]
    assert all(device["identity"].startswith("SIM") for device in devices.values())
    puck, unit = opened(devices["ximu3"]["url"]), opened(devices["p24"]["url"])
    at_rest = received(puck, lambda frames: len(frames) >= 20)
    assert max(abs(frame.gyro_dps[1]) for frame in at_rest) < 5.0
    os.write(unit, encode(0, MlInit()))
    assert select.select([unit], [], [], PATIENCE_S)[0]
    for number, amplitude_ua in enumerate((14_000, 18_000), 1):
        os.write(unit, encode(number, stimulation(amplitude_ua)))
        time.sleep(0.2)
    received(puck, lambda frames: any(frame.gyro_dps[1] > 60.0 for frame in frames))
    os.write(unit, encode(3, MlStop()))
    assert eventually(lambda: sum(entry["kind"] == "train" for entry in served.log()) == 2)
    first, second = (entry for entry in served.log() if entry["kind"] == "train")
    assert (first["amplitude_ua"], second["amplitude_ua"]) == (14_000, 18_000)
    assert (second["width_us"], second["period_us"], second["channel"]) == (250, 28_500, 1)
    assert second["charge_nc"] == pytest.approx(second["pulses"] * 18 * 250)
    assert first["t_end_ns"] < second["t_start_ns"] < second["t_end_ns"] < now_ns()
    os.close(puck)
    os.close(unit)


def test_a_train_that_still_runs_at_the_end_is_in_the_log(serving: Callable[..., Served]) -> None:
    served = serving("p24", "--link", "tcp")
    host, port = served.announced(1)["p24"]["url"].removeprefix("socket://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as unit:
        for number, request in enumerate((MlInit(), stimulation(16_000))):
            unit.sendall(encode(number, request))
            assert unit.recv(100)
        served.tell("electrode 2 off")
        assert eventually(lambda: served.events() == ["electrode"])
        served.process.terminate()
        assert served.process.wait(PATIENCE_S) == 0
    trains = [entry for entry in served.log() if entry["kind"] == "train"]
    assert [train["amplitude_ua"] for train in trains] == [16_000]
    assert trains[0]["pulses"] >= 1
