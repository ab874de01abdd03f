"""`bench stop`: from the instant of a fault to the last pulse at the twin's skin (the end of torque at its joint).

Each trial starts the whole product on real PTYs: the real screen in a terminal of its own, engine, gateway, and the
unit's twin in a process of its own that logs what reaches the skin. The bench plays the puck: a limb held at an angle
that the amplitude follows. At a random instant while current flows one thing goes wrong; the twin's log says when the
last pulse was. Then the bench waits, to see whether anything starts again by itself, and verifies the records. The
cases `orthosis_*` do the same with a powered orthosis that lifts the wrist; their figure is the end of its torque.
"""

import contextlib
import json
import multiprocessing
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from controller.assembly.bench.house_under_test import KEY_F12
from controller.assembly.bench.stop_trial import Trial
from controller.clock import MS, SECOND, now_ns
from controller.record.merge import records
from controller.record.verify import verify
from controller.timing import sleep_until

RANDOM_WAIT_NS = 1_500 * MS
BLOCKED_BEFORE_NS = 100 * MS
FROZEN_NS = SECOND
AFTERWARDS_NS = 1_200 * MS
RESTED_NS = 500 * MS
PULSES_NS = 60 * MS  # at 50 Hz a pulse is never further back than this while current flows
SOFTWARE_MS = 250.0
WATCHDOG_MS = 2_000.0
BUS_WATCHDOG_MS = 160.0
"""100 ms of silence on the bus; two ticks of 20 ms and as long again for a busy machine may come before it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A fault: what is done at its instant, what after `FROZEN_NS`, and how soon the skin must be quiet.

    With `torque_within_ms` an orthosis is worn, and its torque must have ended as soon as that. `instant` says when
    the fault was where the trial's log knows better than whoever asked for it.
    """

    at_once: Callable[[Trial], None]
    within_ms: float
    later: Callable[[Trial], None] | None = None
    before: Callable[[Trial], None] | None = None
    watch_ns: int = AFTERWARDS_NS
    torque_within_ms: float = 0.0
    pedal: bool = False
    instant: Callable[[Trial, int], int] | None = None


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


def _pulled(trial: Trial, asked_ns: int) -> int:
    """When a cable was out, by the world's own log."""
    return max((entry["t_ns"] for entry in trial.logged("world") if entry["event"] == "unplug"), default=asked_ns)


CASES: dict[str, Case] = {
    "tui_sigkill": Case(_signal("screen", signal.SIGKILL), 250.0),
    "tui_sigstop": Case(_signal("screen", signal.SIGSTOP), 750.0, _signal("screen", signal.SIGCONT)),
    "terminal_closed": Case(lambda trial: trial.house.terminal.close(), 250.0),
    "f12": Case(lambda trial: trial.house.terminal.press(KEY_F12), 250.0),
    "f12_ui_blocked": Case(lambda trial: trial.house.terminal.press(KEY_F12), 250.0, before=_block),
    "engine_sigkill": Case(_signal("engine", signal.SIGKILL), 250.0),
    "engine_sigstop": Case(_signal("engine", signal.SIGSTOP), 250.0, _signal("engine", signal.SIGCONT)),
    "stop_command": Case(_stop_command, 500.0),
    "pedal": Case(lambda trial: trial.devices.say("press pedal"), 250.0, pedal=True),
    "pedal_unplugged": Case(lambda trial: trial.devices.say("unplug pedal"), 250.0, pedal=True),
    "puck_unplugged": Case(lambda trial: trial.puck.close(), 250.0),
    "puck_silent": Case(lambda trial: trial.silence(), 250.0),
    "gateway_sigterm": Case(_signal("gateway", signal.SIGTERM), 250.0),
    "gateway_sigkill": Case(_signal("gateway", signal.SIGKILL), WATCHDOG_MS, watch_ns=3 * SECOND),
    "gateway_sigstop": Case(_signal("gateway", signal.SIGSTOP), WATCHDOG_MS, watch_ns=3 * SECOND),
    "unit_unplugged": Case(lambda trial: trial.devices.say("unplug p24"), WATCHDOG_MS, watch_ns=3 * SECOND),
    "orthosis_f12": Case(lambda trial: trial.house.terminal.press(KEY_F12), SOFTWARE_MS, torque_within_ms=SOFTWARE_MS),
    "orthosis_engine_sigkill": Case(_signal("engine", signal.SIGKILL), SOFTWARE_MS, torque_within_ms=SOFTWARE_MS),
    "orthosis_gateway_sigkill": Case(
        _signal("gateway", signal.SIGKILL), WATCHDOG_MS, watch_ns=3 * SECOND, torque_within_ms=BUS_WATCHDOG_MS
    ),
    "orthosis_unplugged": Case(
        lambda trial: trial.devices.say("unplug dynamixel"),
        SOFTWARE_MS,
        torque_within_ms=BUS_WATCHDOG_MS,
        instant=_pulled,
    ),
}


def run_stops(
    times: int,
    seed: int = 1,
    only: list[str] | None = None,
    say: Callable[[str], None] = print,
    jobs: int = 1,
    out: Path | None = None,
) -> dict[str, Any]:
    """Every case `times` times, in turn. A key a case: n, median_ms, max_ms, restarts, journals_ok, every figure.

    `jobs` trials run side by side, each with a process, ports and a runtime folder of its own: most of each is
    waiting, but a machine with too many of them stops sessions by itself (`not_begun`). `out` gets a line a trial; what
    stands there already is not done again. Ctrl+C ends the bench with what has been measured so far.
    """
    tried: dict[str, list[Outcome]] = {name: [] for name in CASES if not only or name in only}
    done = _resumed(out, seed)
    for (name, _), outcome in done.items():
        if name in tried:
            tried[name].append(outcome)
    asked = [(name, number) for number in range(times) for name in tried if (name, number) not in done]
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawned, initializer=_alone) as pool:
        running = {pool.submit(_one, name, _wait_ns(seed, name, number)): (name, number) for name, number in asked}
        try:
            for future in as_completed(running):
                (name, number), outcome = running[future], future.result()
                tried[name].append(outcome)
                said = "restarted!" if outcome.restarts else outcome.note
                say(f"{number + 1}/{times} {name}: {outcome.figure_ms:.1f} ms {said}")
                if out is not None:
                    with out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"case": name, "number": number, "seed": seed, **asdict(outcome)}) + "\n")
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            say("ended early")
    return {name: _summary(CASES[name], outcomes) for name, outcomes in tried.items() if outcomes}


def _alone() -> None:
    """Ctrl+C is for whoever shares the work out: a trial that has begun goes to its end and clears up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _wait_ns(seed: int, name: str, number: int) -> int:
    """How long current flows before the fault: its own for each trial, so that a resumed bench is the same bench."""
    return random.Random(f"{seed} {name} {number}").randrange(RANDOM_WAIT_NS)


def _resumed(out: Path | None, seed: int) -> "dict[tuple[str, int], Outcome]":
    """What an earlier run with that seed wrote down, without the trials in which nothing flowed."""
    found: dict[tuple[str, int], Outcome] = {}
    if out is None or not out.exists():
        return found
    for line in out.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):  # a torn last line of a run that was killed
            told = json.loads(line)
            key = (told.pop("case"), told.pop("number"))
            if told.pop("seed") == seed and told["began"]:
                found[key] = Outcome(**told)
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one trial showed: ms from fault to last pulse, later starts, whole records, ms to the end of torque."""

    last_pulse_ms: float
    restarts: int
    journals_ok: bool
    began: bool
    note: str
    torque_ms: float | None = None

    @property
    def figure_ms(self) -> float:
        """What the case is about: the torque where an orthosis is worn, else the current."""
        return self.last_pulse_ms if self.torque_ms is None else self.torque_ms


def _one(name: str, wait_ns: int) -> Outcome:
    """One trial of that case."""
    case = CASES[name]
    folder = Path(tempfile.mkdtemp(prefix="stimloop-stop-"))
    trial = Trial(folder, orthosis=case.torque_within_ms > 0.0, pedal=case.pedal)
    try:
        if not trial.flow():
            return Outcome(0.0, 0, True, False, f"current never flowed{_stopped_by(trial)}; see {folder}")
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
    outcome = _judge(trial, case.instant(trial, fault_ns) if case.instant else fault_ns)
    if outcome.journals_ok and not outcome.restarts:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _judge(trial: Trial, fault_ns: int) -> Outcome:
    current = _last(trial.logged("train"), fault_ns)
    torque = _last(trial.logged("torque"), fault_ns) if trial.orthosis else None
    if current is None or (trial.orthosis and torque is None):
        what = "current" if current is None else "torque"
        return Outcome(0.0, 0, True, False, f"no {what} flowed at the instant of the fault{_stopped_by(trial)}")
    found = [verify(session) for session in trial.house.sessions()]
    faults = "; ".join(fault for one in found for fault in one.faults)
    whole = bool(found) and all(one.ok for one in found)
    if torque is None:
        return Outcome(current[0], current[1], whole, True, faults)
    return Outcome(current[0], current[1] + torque[1], whole, True, faults, torque[0])


def _stopped_by(trial: Trial) -> str:
    """What the gateway had stopped for: on a machine without time to spare it stops by itself."""
    logs = [session / "gateway.jsonl" for session in trial.house.sessions()]
    causes = [entry.data["cause"] for log in logs for entry in records(log) if entry.kind == "latched"]
    return f" ({causes[0]})" if causes else ""


def _last(runs: Sequence[dict[str, Any]], fault_ns: int) -> tuple[float, int] | None:
    """(ms from the fault to the end, restarts), or None where nothing flowed at the fault.

    A restart is a run that begins after half a second of quiet.
    """
    if not any(run["t_start_ns"] <= fault_ns <= run["t_end_ns"] + PULSES_NS for run in runs):
        return None
    last_ns, restarts = fault_ns, 0
    for run in sorted(runs, key=lambda run: int(run["t_start_ns"])):
        if run["t_start_ns"] > max(last_ns, fault_ns) + RESTED_NS:
            restarts += 1
        elif not restarts:
            last_ns = max(last_ns, run["t_end_ns"])
    return (last_ns - fault_ns) / 1e6, restarts


def _summary(case: Case, tried: list[Outcome]) -> dict[str, Any]:
    begun = [one for one in tried if one.began]
    within_ms = case.torque_within_ms or case.within_ms
    current = {f"current_{name}": value for name, value in _figures([one.last_pulse_ms for one in begun]).items()}
    in_time = all(one.last_pulse_ms <= case.within_ms and one.figure_ms <= within_ms for one in begun)
    return {
        "n": len(begun),
        **_figures([one.figure_ms for one in begun]),
        **(current | {"current_within_ms": case.within_ms} if case.torque_within_ms else {}),
        "within_ms": within_ms,
        "in_time": bool(begun) and in_time,
        "restarts": sum(one.restarts for one in tried),
        "journals_ok": all(one.journals_ok for one in tried),
        "not_begun": sum(not one.began for one in tried),
        "notes": sorted({one.note for one in tried if one.note}),
        "all_ms": [round(one.figure_ms, 1) for one in begun],
    }


def _figures(times: list[float]) -> dict[str, float | None]:
    median_ms = round(statistics.median(times), 1) if times else None
    return {"median_ms": median_ms, "max_ms": round(max(times), 1) if times else None}
