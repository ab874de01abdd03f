"""`stimloop fitmi` against the twin on a real PTY: a scripted person lays, turns and loads the puck."""

import builtins
import contextlib
import json
import math
import os
import random
import select
import threading
import tty
from types import SimpleNamespace

import pytest

from controller.cli.fitmi import RULE
from controller.cli.main import main
from controller.clock import now_ns
from controller.drivers.pucks import fitmi_scales
from controller.drivers.pucks.fitmi import FITMI
from controller.wire.fitmi import PuckCommand
from sim.devices.fitmi import FitMiTwin, TwinScales

TRUE = TwinScales(gyro_dps=0.061, acc_g=1 / 2048, load_n=0.0196, load_zero=480)
AXIS = (0.6, 0.0, 0.8)
TURN_S = 2.0


class Hand:
    """A twin that runs in real time on a PTY, and the person who holds it: `at(question)` moves it and answers."""

    def __init__(self, puck="blue", masses=("", ""), angle_deg=90.0, restless=False, wakes=True):
        self.twin = FitMiTwin(scales=TRUE)
        self.number = ("blue", "yellow").index(puck)
        self.answers = list(masses)
        self.angle_deg, self.restless, self.wakes = angle_deg, restless, wakes
        self.load_n = 0.0
        self.turn_from_ns = 0
        self.asked = []
        self.noise = random.Random(1)
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self.slave)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.live)
        self.thread.start()

    def rate(self, at_ns):
        """A smooth turn of `angle_deg` in `TURN_S` about a slanted axis, and a little noise."""
        done = (at_ns - self.turn_from_ns) / 1e9 / TURN_S if self.turn_from_ns else 2.0
        speed = self.angle_deg / TURN_S * (1 - math.cos(2 * math.pi * done)) if done <= 1.0 else 0.0
        speed += 30.0 * math.sin(at_ns / 2e8) if self.restless else 0.0
        return tuple(speed * part + self.noise.gauss(0.0, 0.05) for part in AXIS)

    def live(self):
        begun_ns = due_ns = now_ns()
        while not self.ending.is_set():
            select.select([self.master], [], [], max(0, due_ns - now_ns()) / 1e9)
            if now_ns() < due_ns:
                self.hear()
                continue
            at_ns, due_ns = due_ns, due_ns + 10_000_000  # the hand moves evenly, however late a busy machine looks
            acc = tuple(part + self.noise.gauss(0.0, 0.002) for part in (0.0, 0.6, 0.8))
            t_us, rate = (at_ns - begun_ns) // 1000, self.rate(at_ns)
            data = self.twin.frame(t_us, rate, acc, load=self.load_n, puck=self.number)
            with contextlib.suppress(BlockingIOError):
                os.write(self.master, data)

    def hear(self):
        try:
            data = os.read(self.master, 4096)
        except BlockingIOError:
            return
        if self.wakes:
            self.twin.feed(now_ns(), data)

    def readline(self):
        question = self.asked[-1]
        if "gram" in question:
            answer = self.answers.pop(0)
            return f"{answer}\n"
        if question.startswith("2."):
            self.turn_from_ns = now_ns() + 300_000_000
        elif "everything off" in question:
            self.load_n = 0.0
        elif "Lay the" in question:
            self.load_n = float(question.split("Lay the ")[1].split(" g")[0]) / 1000 * 9.80665
        return "\n"

    def close(self):
        """The end; what the host still wrote is read."""
        if self.ending.is_set():
            return
        self.ending.set()
        self.thread.join()
        self.hear()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Runs `stimloop fitmi calibrate` with a hand: (exit code, stdout, stderr)."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    hands = []

    def run(hand, *words):
        hands.append(hand)

        def overheard(text="", **more):
            hand.asked.append(str(text).strip())
            printed(text, **more)

        printed = builtins.print
        monkeypatch.setattr("controller.cli.fitmi.print", overheard, raising=False)
        monkeypatch.setattr("sys.stdin", SimpleNamespace(readline=hand.readline))
        code = main(["fitmi", "calibrate", "--port", hand.path, "--still", "1", *words])
        return code, *capsys.readouterr()

    yield run
    for hand in hands:
        hand.close()


def test_a_whole_calibration_finds_the_scales_within_one_percent_and_the_driver_takes_them(command, tmp_path):
    for _ in range(3):  # the reports are timed as they arrive: a starved machine spoils a turn, not three in a row
        hand = Hand(masses=("500", "1000"))
        code, out, err = command(hand, "--json")
        assert code == 0, err
        if json.loads(out)["gyro_dps"] == pytest.approx(TRUE.gyro_dps, rel=0.01):
            break
        hand.close()
    told = json.loads(out)
    assert told["acc_g"] == pytest.approx(TRUE.acc_g, rel=0.01)
    assert told["gyro_dps"] == pytest.approx(TRUE.gyro_dps, rel=0.01)
    assert told["load_n"] == pytest.approx(TRUE.load_n, rel=0.01)
    assert told["load_zero"] == pytest.approx(TRUE.load_zero, abs=3)
    assert told["residuals"]["gyro_r2"] > 0.98
    assert told["residuals"]["load_r2"] > 0.98
    path = tmp_path / "stimloop" / "fitmi.json"
    assert told["file"] == str(path)
    driver = FITMI.driver_at(hand.path)
    assert driver.remark == ""
    assert driver.calibration[0].acc_g == told["acc_g"]
    assert driver.calibration[1] is None
    motors = [command for command in hand.twin.commands if command[1] == PuckCommand.PULSE_MOTOR]
    assert [puck for puck, *_ in motors] == [0]
    hand.close()
    assert [hand.twin.touch_buzz(puck) for puck in (0, 1)] == [True, True]


def test_the_yellow_puck_without_weights_stands_beside_the_blue_one(command, tmp_path):
    out_file = tmp_path / "scales.json"
    blue = fitmi_scales.Calibrated(fitmi_scales.Scales(0.001, 1.0), "2026-01-01", {})
    fitmi_scales.save("", "blue", blue, out_file)
    code, out, _ = command(Hand("yellow"), "--puck", "yellow", "--out", str(out_file))
    assert code == 0
    assert "load cell: left out" in out
    (was, found), remark = fitmi_scales.load("", out_file)
    assert (was, remark) == (blue.scales, "")
    assert found.acc_g == pytest.approx(TRUE.acc_g, rel=0.01)
    assert found.gyro_dps == pytest.approx(TRUE.gyro_dps, rel=0.01)
    assert found.load_n is None


@pytest.mark.parametrize(
    ("hand", "said"),
    [
        ({"restless": True}, "did not lie still"),
        ({"angle_deg": 170.0}, "it takes about 90"),
        ({"masses": ("a", "-3", "nan")}, "No mass was typed"),
        ({"masses": ("500", "400")}, "must be the heavier one"),
    ],
)
def test_what_was_not_done_well_is_refused_with_what_to_do_and_nothing_is_written(command, tmp_path, hand, said):
    code, _, err = command(Hand(**hand))
    assert code == 1
    assert said in err
    assert "Nothing was saved." in err
    assert not (tmp_path / "stimloop").exists()


def test_a_puck_that_does_not_wake_is_refused(command, monkeypatch):
    monkeypatch.setattr("controller.assembly.fitmi_guide.AWAKE_NS_MAX", 1_000_000_000)
    code, _, err = command(Hand(wakes=False))
    assert code == 1
    assert "does not measure" in err


def test_nobody_at_the_terminal_leaves_it(command, monkeypatch):
    hand = Hand()
    monkeypatch.setattr(hand, "readline", lambda: "")
    code, _, err = command(hand)
    assert code == 1
    assert "Nobody answers" in err


def test_a_port_that_is_not_there_and_a_time_that_cannot_be_are_matters_of_usage(capsys):
    assert main(["fitmi", "calibrate", "--port", "/dev/hidraw99"]) == 2
    assert "plug the device in" in capsys.readouterr().err.lower()
    assert main(["fitmi", "calibrate", "--port", "/dev/null", "--still", "nan"]) == 2
    assert "--still takes" in capsys.readouterr().err


def test_the_rule_is_printed_as_it_is_shipped(capsys):
    assert main(["fitmi", "rule"]) == 0
    text = capsys.readouterr().out
    assert text == RULE.read_text()
    assert 'ATTRS{idVendor}=="04d8", ATTRS{idProduct}=="2742"' in text
    assert "controller" in RULE.parts  # inside the package that pip installs
