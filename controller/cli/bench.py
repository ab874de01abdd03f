"""`stimloop bench loop|stop|sim`: figures, each with its control in the same run."""

import argparse
import json
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    kinds = parser.add_subparsers(dest="kind", required=True)
    loop = kinds.add_parser("loop", help="from a puck's frame to the unit's update")
    loop.add_argument("--ui", action="store_true", help="with the real run screen drawing (the whole product)")
    loop.add_argument("--frames", type=int, default=20_000, help="frames in each leg")
    loop.add_argument("--rounds", type=int, default=5, help="rounds of control, relay, ours")
    stop = kinds.add_parser("stop", help="from a fault to the last pulse at the skin")
    stop.add_argument("--times", type=int, default=5, help="how often each case")
    stop.add_argument("--case", action="append", help="only this case (may be given more than once)")
    stop.add_argument("--seed", type=int, default=1, help="the random instants follow from it")
    stop.add_argument("--jobs", type=int, default=1, help="so many trials side by side")
    stop.add_argument("--out", type=Path, help="a line a trial; what stands there is not done again")
    sim = kinds.add_parser("sim", help="speed of the virtual assembly")
    sim.add_argument("--seconds", type=int, default=1200, help="simulated seconds")
    sim.add_argument("--seed", type=int, default=1)
    for each in (loop, stop, sim):
        each.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: measured. 1: frames were lost, or a stop came too late or did not last."""
    if options.kind == "sim":
        from controller.assembly.bench.simulation import run_sim

        result = run_sim(options.seconds, options.seed)
        good = result["same_bytes"]
    elif options.kind == "loop":
        from controller.assembly.bench.loop import run_loop

        result = run_loop(options.frames, options.rounds, options.ui, say=_say)
        good = result["lost"] == 0
    else:
        from controller.assembly.bench.stops import run_stops

        result = run_stops(options.times, options.seed, options.case, _say, options.jobs, options.out)
        good = all(case["in_time"] and not case["restarts"] and case["journals_ok"] for case in result.values())
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))
    return 0 if good else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
