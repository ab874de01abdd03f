"""The swarm: many worlds, a seed each, one line each; `python -m controller.assembly.swarm --seeds 1..1000 --out FILE`.

It resumes: seeds that the file already holds for this code and length are not lived again, and code is all that a
world is made of, so that a commit that changes a test or a page does not undo a night's campaign. Exit 0 when no world
was bad, 1 when one was (with the seed, the commit and the command that repeats it), 2 for a wrong use.
"""

import argparse
import gc
import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from controller.assembly.swarm_plan import LONG_S, SHORT_S, draw
from controller.assembly.swarm_world import Result, SwarmWorld
from safety.digest import compute

CHUNK = 4
MADE_OF = ("controller", "protocols", "safety", "sim")
ELSEWHERE = ("tui", "cli", "scenarios")
"""A world has a simulated person in the place of screen and command line, and a seed in that of a scenario."""


@cache
def commit() -> str:
    """The commit of this tree, with `+` where files differ from it; the digest of `safety/` where there is no git."""
    here = Path(__file__).resolve().parent
    try:
        words = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return f"safety-{compute()[:12]}"


@cache
def code() -> str:
    """The digest of every file that a world is made of."""
    root, digest = Path(__file__).resolve().parents[2], hashlib.sha256()
    for path in sorted(
        path for name in MADE_OF for path in (root / name).rglob("*") if path.suffix in (".py", ".yaml")
    ):
        parts = path.relative_to(root).parts
        if parts[1] not in ELSEWHERE:
            digest.update(f"{'/'.join(parts)} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def repeat(seed: int, length_s: int) -> str:
    """The one command that lives the world of that seed again, told in full."""
    return f".venv/bin/python -m controller.assembly.swarm --seed {seed} --length {length_s}"


def live(work: tuple[int, int, str]) -> tuple[str, bool, float]:
    """(line, whether all was well, seconds it took) of one world."""
    seed, length_s, of_commit = work
    began = time.perf_counter()
    # As the real-time processes do: nothing of a world is garbage before its end.
    gc.disable()
    result = SwarmWorld(draw(seed, length_s), of_commit).run()
    result.code = code()
    gc.enable()
    gc.collect()
    return result.line(), result.good, time.perf_counter() - began


def of_this_code(entries: Iterable[dict[str, Any]], length_s: int) -> list[dict[str, Any]]:
    """Those that were lived by the code of this tree, and are so long."""
    return [entry for entry in entries if entry["length_s"] == length_s and entry.get("code") == code()]


def known(path: Path, length_s: int) -> set[int]:
    """The seeds that the file already holds for this code and length; a torn last line is passed over."""
    return {entry["seed"] for entry in of_this_code(lines(path), length_s)}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of the file."""
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(text)
        except ValueError:
            continue


def campaign(seeds: Iterable[int], length_s: int, jobs: int, out: Path | None, every: bool = False) -> list[str]:
    """Live the worlds of these seeds and append a line each; gives the lines of this call, in the order of the end."""
    done = set() if out is None or every else known(out, length_s)
    work = [(seed, length_s, commit()) for seed in seeds if seed not in done]
    told: list[str] = []
    sink = None if out is None else out.open("a", encoding="utf-8")
    if sink is not None and sink.tell() and not (out and out.read_bytes().endswith(b"\n")):
        sink.write("\n")  # the last line was cut off
    try:
        for line, good, took_s in _lived(work, jobs):
            told.append(line)
            if sink is not None:
                sink.write(line + "\n")
                sink.flush()
            if not good:
                _tell(Result(**json.loads(line)), took_s)
    finally:
        if sink is not None:
            sink.close()
    return told


def _lived(work: list[tuple[int, int, str]], jobs: int) -> Iterator[tuple[str, bool, float]]:
    if jobs <= 1:
        yield from map(live, work)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(live, work, chunksize=CHUNK)


def _tell(result: Result, took_s: float) -> None:
    """A world that was not well, with all that is needed to see it again."""
    print(f"SEED={result.seed} COMMIT={result.commit} ({result.devices}, {result.protocol}, {took_s:.1f} s)")
    print(f"  mix        {', '.join(result.mix)}")
    for text in (*result.violations, *result.crashes):
        print(f"  VIOLATION  {text}")
    if result.alive_s < 0.0:
        print(f"  NOT ALIVE  {result.alive_max_s} s after the last fault: {result.stuck}")
    print(f"  repeat     {repeat(result.seed, result.length_s)}", flush=True)


def summary(entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What a file of lines comes to: the newest line of each seed counts."""
    newest = {(entry["length_s"], entry["seed"]): entry for entry in entries}
    worlds = list(newest.values())
    bad = [entry["seed"] for entry in worlds if entry["violations"] or entry["crashes"]]
    dead = [entry["seed"] for entry in worlds if entry["alive_s"] < 0.0]
    alive = sorted(entry["alive_s"] for entry in worlds if entry["alive_s"] >= 0.0)
    rules = Counter(text.split(" ")[2].rstrip(":") for entry in worlds for text in entry["violations"])
    count = len(worlds)
    return {
        "worlds": count,
        "simulated_h": round(sum(entry["simulated_s"] for entry in worlds) / 3600, 1),
        "pulses": sum(entry["pulses"] for entry in worlds),
        "bursts": sum(entry["bursts"] for entry in worlds),
        "unprompted": sum(entry["unprompted"] for entry in worlds),
        "faults": sum(len(entry["mix"]) for entry in worlds),
        "violations": len(bad),
        "violations_upper_95": _upper(len(bad), count),
        "by_rule": dict(rules),
        "bad_seeds": bad[:20],
        "not_rearmable": len(dead),
        "not_rearmable_upper_95": _upper(len(dead), count),
        "dead_seeds": dead[:20],
        "begun_anew_by_choice": sum(entry["impatient"] for entry in worlds),
        "rested_s": max((entry.get("rested_s", 0.0) for entry in worlds), default=0.0),
        "alive_s": {} if not alive else {"median": alive[len(alive) // 2], "max": alive[-1]},
    }


def _upper(found: int, count: int) -> float | None:
    """The 95 % upper bound of the rate: 3/n where nothing was found; None where something was."""
    return round(3 / count, 6) if count and not found else None


def main(words: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="swarm", description="Seeded worlds with faults, judged at skin and joint.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seeds", help="a range such as 1..1000")
    which.add_argument("--seed", type=int, help="one world again, told in full")
    parser.add_argument("--length", type=int, choices=(SHORT_S, LONG_S), default=SHORT_S, help="simulated s of faults")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="append a line a seed, and resume from there")
    parser.add_argument("--all", action="store_true", help="live them again although the file holds them")
    options = parser.parse_args(words)
    if options.seed is not None:
        return _one(options.seed, options.length)
    first, dots, last = options.seeds.partition("..")
    if not (dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        parser.error(f"--seeds is a range such as 1..1000, not {options.seeds!r}")
    began = time.perf_counter()
    seeds = range(int(first), int(last) + 1)
    told = campaign(seeds, options.length, options.jobs, options.out, options.all)
    entries = [json.loads(line) for line in told] if options.out is None else list(lines(options.out))
    kept = of_this_code(entries, options.length)
    told_summary = summary(kept) | {"length_s": options.length, "commit": commit(), "code": code()}
    told_summary["lived_now"] = len(told)
    told_summary["wall_s"] = round(time.perf_counter() - began, 1)
    print(json.dumps(told_summary, indent=1))
    return 1 if told_summary["violations"] or told_summary["not_rearmable"] else 0


def _one(seed: int, length_s: int) -> int:
    """One world, with what was written down on the way."""
    began = time.perf_counter()
    world = SwarmWorld(draw(seed, length_s), commit(), print)
    result = world.run()
    print(json.dumps(json.loads(result.line()), indent=1))
    _tell(result, time.perf_counter() - began)
    return 0 if result.good else 1


if __name__ == "__main__":
    sys.exit(main())
