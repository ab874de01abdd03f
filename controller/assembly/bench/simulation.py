"""`bench sim`: how fast the assembly of `demo --speed max` runs, stage by stage, beside a fixed pure-Python control."""

import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.assembly.bench.machine import Stolen, control_ns
from controller.assembly.demo import DemoPlan, VirtualRun
from controller.assembly.virtual import START_NS
from controller.clock import SECOND
from controller.record import manifest


class Stage:
    """Time spent inside one call, the stages called from within taken out."""

    stack: list["Stage"] = []  # noqa: RUF012 - one stack for one thread, emptied by itself

    def __init__(self, name: str) -> None:
        self.name = name
        self.spent_s = 0.0
        self.calls = 0
        self._inner_s = 0.0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, timed."""
        clock = time.perf_counter

        def timed(*values: Any) -> Any:
            Stage.stack.append(self)
            started = clock()
            try:
                return call(*values)
            finally:
                spent = clock() - started
                Stage.stack.pop()
                self.calls += 1
                self.spent_s += spent - self._inner_s
                self._inner_s = 0.0
                if Stage.stack:
                    Stage.stack[-1]._inner_s += spent  # noqa: SLF001 - a stage of the same stack

        return timed


def _time_stages(run: VirtualRun) -> list[Stage]:
    """Put a stop-watch around each stage of the assembly."""
    assembly = run.assembly
    engine, gateway, world = assembly.engine, assembly.gateway, assembly.world
    stimulator = world.stimulator
    places: list[tuple[str, Any, str]] = [
        ("world: pucks, links", world, "live"),
        ("patient at 1 ms", world.motion, "advance"),
        ("engine: activity, orders, screen", engine, "step"),
        ("puck driver", engine.feed.driver, "feed"),
        ("features and detector", engine.feed, "take"),
        ("gateway: states, lease", gateway, "step"),
        ("guard", gateway.delivery.guard, "admit"),
    ]
    if stimulator is not None:
        places += [
            ("twin of the unit", stimulator.twin, "feed"),
            ("twin of the unit, time", stimulator.twin, "advance"),
        ]
    stages = []
    for name, holder, attribute in places:
        stage = Stage(name)
        setattr(holder, attribute, stage.wrap(getattr(holder, attribute)))
        stages.append(stage)
    return stages


def run_sim(seconds: int = 1200, seed: int = 1) -> dict[str, Any]:
    """`seconds` of a session on the virtual clock: untimed for the speed, then again (same seed) by stages."""
    before = control_ns()
    plan = DemoPlan(seed=seed, repetitions=1200)
    watch = Stolen()
    started = time.perf_counter()
    cpu = time.process_time()
    first, _ = _once(plan, seconds)
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    stolen, after = watch.percent(), control_ns()
    second, timed = _once(plan, seconds, timed=True)
    digests = [_digest(run) for run in (first, second)]
    tally = first.assembly.engine.training.score
    frames = sum(puck.frames for puck in first.assembly.world.pucks)
    return {
        "x_realtime": round(first.simulated_ns / 1e9 / wall_s, 1),
        "x_realtime_cpu": round(first.simulated_ns / 1e9 / cpu_s, 1),
        "simulated_s": round(first.simulated_ns / 1e9, 1),
        "wall_s": round(wall_s, 2),
        "completed": tally.completed,
        "frames": frames,
        "us_per_frame": round(wall_s / frames * 1e6, 1),
        "control_ns_per_round": [before, after],
        "stolen_percent": stolen,
        "us_by_stage_per_frame": {stage.name: round(stage.spent_s / frames * 1e6, 2) for stage in timed},
        "digest": digests[0],
        "same_bytes": digests[0] == digests[1],
    }


def _once(plan: DemoPlan, seconds: int, timed: bool = False) -> tuple[VirtualRun, list[Stage]]:
    run = VirtualRun(plan, Path(tempfile.mkdtemp(prefix="stimloop-bench-")))
    stages = _time_stages(run) if timed else []
    run.finish(START_NS + seconds * SECOND)
    return run, stages


def _digest(run: VirtualRun) -> str:
    record = run.assembly.engine.record
    if record is None:
        raise RuntimeError("the session never began")
    return hashlib.sha256((record.folder / manifest.EVENTS).read_bytes()).hexdigest()
