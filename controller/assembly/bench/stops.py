"""`bench stop`: from the instant of a fault to the last pulse at the twin's skin, with the real processes.

Each trial starts the whole product on real PTYs: the real screen in a terminal of its own, engine, gateway, and the
unit's twin in a process of its own that logs what reaches the skin. The bench plays the puck: a limb held at an angle
that the amplitude follows. At a random instant while current flows one thing goes wrong; the twin's log says when the
last pulse was. Then the bench waits, to see whether anything starts again by itself, and verifies the records.
"""

import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.assembly.bench.house_under_test import KEY_F12, HouseUnderTest
from controller.assembly.bench.puck_player import PuckPlayer
from controller.assembly.bench.terminals import RawPort
from controller.assembly.results import twin_log
from controller.assembly.simulated import SimulatedDevices, SimulatedPlan
from controller.clock import MS, SECOND, now_ns
from controller.record.verify import verify
from controller.timing import sleep_until

PUCK_HZ = 100
STARTS_WITHIN_NS = 60 * SECOND
FLOWING_NS = 300 * MS
RANDOM_WAIT_NS = 1_500 * MS
BLOCKED_BEFORE_NS = 100 * MS
FROZEN_NS = SECOND
AFTERWARDS_NS = 1_200 * MS
RESTED_NS = 500 * MS
PULSES_NS = 60 * MS  # at 50 Hz a pulse is never further back than this while current flows
WATCHDOG_MS = 2_000.0
WIGGLE_DEG = 4.0


@dataclass(frozen=True, slots=True)
class Case:
    """A fault: what is done at its instant, what after `FROZEN_NS`, and how soon the skin must be quiet."""

    at_once: Callable[["Trial"], None]
    within_ms: float
    later: Callable[["Trial"], None] | None = None
    before: Callable[["Trial"], None] | None = None
    watch_ns: int = AFTERWARDS_NS


class Trial:
    """One run of the whole product, up to current at the skin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.devices = SimulatedDevices(SimulatedPlan(seed=1, log=folder / "twin.jsonl", devices=("p24",)))
        self.puck = RawPort()
        self._player = PuckPlayer(PUCK_HZ)
        self._angle_deg = 0.0
        self._playing = True
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()
        self.house = HouseUnderTest(self.devices.url("p24"), self.puck.path, folder / "house")

    def _play(self) -> None:
        """The limb goes smoothly to its angle and moves a little about it, so that amplitudes keep changing."""
        angle, due, number = 0.0, now_ns(), 0
        while self._playing:
            number += 1
            wiggle = WIGGLE_DEG * (1 if number // 25 % 2 else -1) if self._angle_deg else 0.0
            target = self._angle_deg + wiggle
            angle += max(-1.0, min(1.0, target - angle))
            self.puck.write(self._player.frame(angle))
            due += SECOND // PUCK_HZ
            sleep_until(due)

    def flow(self) -> bool:
        """Raise the limb once the session runs, and wait until current has flowed for a while."""
        ends = now_ns() + STARTS_WITHIN_NS
        while self.house.frames().get("state") != "running":
            if now_ns() > ends or self.house.process.poll() is not None:
                return False
            sleep_until(now_ns() + 20 * MS)
        self._angle_deg = 45.0
        while not self._flows():
            if now_ns() > ends:
                return False
            sleep_until(now_ns() + 20 * MS)
        return True

    def _flows(self) -> bool:
        trains = self.trains()
        return bool(trains) and now_ns() - trains[-1]["t_end_ns"] < FLOWING_NS and trains[-1]["amplitude_ua"] > 1_000

    def trains(self) -> list[dict[str, Any]]:
        """What the skin has had so far."""
        return [entry for entry in twin_log(self.folder / "twin.jsonl") if entry.get("kind") == "train"]

    def lower(self) -> None:
        """The limb goes down: nothing would be asked for any more, were somebody still listening."""
        self._angle_deg = 0.0

    def close(self) -> None:
        """End everything."""
        self._playing = False
        self._thread.join()
        self.house.close()
        self.devices.close()
        self.puck.close()


def _signal(role: str, number: int) -> Callable[[Trial], None]:
    return lambda trial: trial.house.signal(role, number)


def _stop_command(trial: Trial) -> None:
    subprocess.Popen(
        [sys.executable, "-P", "-m", "controller.cli.main", "stop"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=trial.house.environment,
    )


def _block(trial: Trial) -> None:
    trial.house.signal("screen", signal.SIGUSR1)
    sleep_until(now_ns() + BLOCKED_BEFORE_NS)


CASES: dict[str, Case] = {
    "tui_sigkill": Case(_signal("screen", signal.SIGKILL), 250.0),
    "tui_sigstop": Case(_signal("screen", signal.SIGSTOP), 750.0, _signal("screen", signal.SIGCONT)),
    "terminal_closed": Case(lambda trial: trial.house.terminal.close(), 250.0),
    "f12": Case(lambda trial: trial.house.terminal.press(KEY_F12), 250.0),
    "f12_ui_blocked": Case(lambda trial: trial.house.terminal.press(KEY_F12), 250.0, before=_block),
    "engine_sigkill": Case(_signal("engine", signal.SIGKILL), 250.0),
    "engine_sigstop": Case(_signal("engine", signal.SIGSTOP), 250.0, _signal("engine", signal.SIGCONT)),
    "stop_command": Case(_stop_command, 500.0),
    "puck_unplugged": Case(lambda trial: trial.puck.close(), 250.0),
    "gateway_sigkill": Case(_signal("gateway", signal.SIGKILL), WATCHDOG_MS, watch_ns=3 * SECOND),
    "gateway_sigstop": Case(_signal("gateway", signal.SIGSTOP), WATCHDOG_MS, watch_ns=3 * SECOND),
    "unit_unplugged": Case(lambda trial: trial.devices.say("unplug p24"), WATCHDOG_MS, watch_ns=3 * SECOND),
}


def run_stops(
    times: int, seed: int = 1, only: list[str] | None = None, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Every case `times` times, in turn. A key a case: n, median_ms, max_ms, restarts, journals_ok, every figure.

    Ctrl+C ends the bench with what has been measured so far.
    """
    draw = random.Random(seed)
    tried: dict[str, list[Outcome]] = {name: [] for name in CASES if not only or name in only}
    try:
        for number in range(times):
            for name, outcomes in tried.items():
                outcome = _one(CASES[name], draw.randrange(RANDOM_WAIT_NS))
                outcomes.append(outcome)
                said = "restarted!" if outcome.restarts else outcome.note
                say(f"{number + 1}/{times} {name}: {outcome.last_pulse_ms:.1f} ms {said}")
    except KeyboardInterrupt:
        say("ended early")
    return {name: _summary(CASES[name], outcomes) for name, outcomes in tried.items() if outcomes}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one trial showed: ms from fault to last pulse, trains that began later, whether records are whole."""

    last_pulse_ms: float
    restarts: int
    journals_ok: bool
    began: bool
    note: str


def _one(case: Case, wait_ns: int) -> Outcome:
    folder = Path(tempfile.mkdtemp(prefix="stimloop-stop-"))
    trial = Trial(folder)
    try:
        if not trial.flow():
            return Outcome(0.0, 0, False, False, f"current never flowed; see {folder}")
        sleep_until(now_ns() + wait_ns)
        if case.before is not None:
            case.before(trial)
        fault_ns = now_ns()
        case.at_once(trial)
        if case.later is not None:
            sleep_until(fault_ns + FROZEN_NS)
            case.later(trial)
        sleep_until(fault_ns + case.watch_ns + (FROZEN_NS if case.later is not None else 0))
    finally:
        trial.close()
    outcome = _judge(trial, fault_ns)
    if outcome.journals_ok and not outcome.restarts:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _judge(trial: Trial, fault_ns: int) -> Outcome:
    """A restart is a train that begins after the skin has been quiet for half a second."""
    trains = sorted(trial.trains(), key=lambda train: train["t_start_ns"])
    if not any(train["t_start_ns"] <= fault_ns <= train["t_end_ns"] + PULSES_NS for train in trains):
        return Outcome(0.0, 0, True, False, "no current flowed at the instant of the fault")
    last_ns, restarts = fault_ns, 0
    for train in trains:
        if train["t_start_ns"] > max(last_ns, fault_ns) + RESTED_NS:
            restarts += 1
        elif not restarts:
            last_ns = max(last_ns, train["t_end_ns"])
    found = [verify(session) for session in trial.house.sessions()]
    faults = "; ".join(fault for one in found for fault in one.faults)
    return Outcome((last_ns - fault_ns) / 1e6, restarts, bool(found) and all(one.ok for one in found), True, faults)


def _summary(case: Case, tried: list[Outcome]) -> dict[str, Any]:
    times = [one.last_pulse_ms for one in tried if one.began]
    return {
        "n": len(times),
        "median_ms": round(statistics.median(times), 1) if times else None,
        "max_ms": round(max(times), 1) if times else None,
        "within_ms": case.within_ms,
        "in_time": bool(times) and max(times) <= case.within_ms,
        "restarts": sum(one.restarts for one in tried),
        "journals_ok": all(one.journals_ok for one in tried),
        "not_begun": sum(not one.began for one in tried),
        "notes": sorted({one.note for one in tried if one.note}),
        "all_ms": [round(value, 1) for value in times],
    }
