"""The therapist's screen with the scripted therapist's keys, for the benches.

`python -P -m controller.assembly.scripted_screen`: the real screen on the real processes. SIGUSR1 blocks its event
loop for three seconds, as a fault would; the process numbers of the house stand in `processes.json` in the data
folder.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import termios
import time
from pathlib import Path

from controller.assembly.house import House, HousePlan
from controller.assembly.screen import HouseApp, end_with_terminal
from controller.assembly.therapist import Script, ScriptedTherapist
from controller.clock import now_ns, wall_day
from controller.timing import sleep_until
from controller.tui.port import Front

BLOCKED_S = 3.0
LOOK_EVERY_NS = 40_000_000
FRAMES_EVERY_NS = 100_000_000
PROCESSES = "processes.json"
FRAMES = "frames.json"
QUICK = Script(sensory_ua=1_000, motor_ua=1_500, tolerance_ua=2_000, calibrate_attempts=False)


class FrameCounter:
    """Hands free; writes down ten times a second how many chart frames were drawn and what an orthosis pushes with."""

    def __init__(self, therapist: ScriptedTherapist, path: Path) -> None:
        self._therapist = therapist
        self._path = path
        self._due_ns = 0
        self.app: HouseApp | None = None

    def step(self, now_ns: int, front: Front) -> None:
        """Look; now and then write down what there is to be seen."""
        self._therapist.step(now_ns, front)
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + FRAMES_EVERY_NS
            state = front.snapshot.state if front.snapshot else ""
            whole = self._path.with_suffix(".new")  # a reader must never see half of it
            frames = self.app.frames_drawn if self.app else 0
            joint = front.status.joint if front.status else ()
            torque_mnm = abs(joint[0].torque_mnm) if joint and joint[0].torque_on else 0
            told = {"t_ns": now_ns, "frames": frames, "state": state, "torque_mnm": torque_mnm}
            whole.write_text(json.dumps(told))
            whole.replace(self._path)


def main() -> None:
    """Open the screen on the named ports."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--unit", required=True)
    parser.add_argument("--puck", required=True)
    parser.add_argument("--orthosis", default="")
    parser.add_argument("--pedal", default="")
    parser.add_argument("--puck-rate", type=float, default=100.0)
    parser.add_argument("--protocol", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--no-screen", action="store_true", help="the same hands, nothing drawn")
    parser.add_argument("--tolerance-ua", type=int, default=QUICK.tolerance_ua)
    options = parser.parse_args()
    _take_terminal()
    end_with_terminal()
    house = House(
        HousePlan(
            unit=options.unit,
            puck=options.puck,
            orthosis=options.orthosis,
            pedal=options.pedal,
            protocol=options.protocol,
            data=options.data,
            log=options.data / "processes.log",
            puck_rate_hz=options.puck_rate,
            repetitions=1200,
            calibration_rest_s=1.0,
            calibration_attempts=0,
        )
    )
    numbers = {"screen": os.getpid(), "gateway": house.gateway.pid, "engine": house.engine.pid}
    (options.data / PROCESSES).write_text(json.dumps(numbers))
    script = Script(QUICK.sensory_ua, QUICK.motor_ua, options.tolerance_ua, calibrate_attempts=False)
    counter = FrameCounter(ScriptedTherapist(script, date=wall_day()[0]), options.data / FRAMES)
    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(BLOCKED_S))
    try:
        if options.no_screen:
            _without_screen(house, counter)
        else:
            counter.app = HouseApp(house, None, scripted=False)
            counter.app.hands_free = counter
            counter.app.run()
    finally:
        house.close()


def _without_screen(house: House, counter: FrameCounter) -> None:
    """Look 25 times a second, as the screen does, until told to end."""
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda which, _frame: ended.append(which))
    front = house.front
    while not ended and not front.engine_lost:
        now = now_ns()
        front.poll(now)
        front.heartbeat(now)
        house.watch()
        counter.step(now, front)
        sleep_until(now + LOOK_EVERY_NS)


def _take_terminal() -> None:
    """Make standard input the session's own terminal, so that its end is a hang-up, as in a terminal window."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


if __name__ == "__main__":
    main()
