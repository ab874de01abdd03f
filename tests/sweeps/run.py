"""`python -m tests.sweeps.run`: the fault sweeps, the kills of real processes, and every way to stop from outside.

--kind calls    the N-th call that fails, in a session on the virtual clock (default: all three kinds)
--kind kills    real processes killed at sampled points, the record opened afterwards
--kind box      the black box: every way to stop, on the product as it is
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.sweeps import black_box, kills, sweep

KINDS = ("calls", "kills", "box")


def calls(sample: int, jobs: int, only: list[str]) -> bool:
    """A line a failure: how many calls, what became of the session, what was wrong."""
    begun = time.monotonic()
    told: dict[str, list[sweep.Told]] = defaultdict(list)
    for one in sweep.swept(sample, only, jobs):
        told[one.failure].append(one)
    for name, found in told.items():
        ends = Counter("borne" if one.borne else f"{one.session}, {one.gateway}" for one in found)
        wrong = [one for one in found if one.faults]
        said = "; ".join(f"{count} {end}" for end, count in ends.most_common())
        print(f"{name}: {len(found)} calls, {len(wrong)} wrong: {said}")
        for one in wrong[:5]:
            print(f"    number {one.number} at {one.at_s:.2f} s: {one.faults[0]}")
    count = sum(map(len, told.values()))
    bad = sum(bool(one.faults) for found in told.values() for one in found)
    print(f"{count} failed calls, {bad} wrong, {time.monotonic() - begun:.0f} s")
    return not bad


def killed(sample: int, jobs: int) -> bool:
    """A line a kill."""
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(kills.killed, kills.cases(sample)))
    for one in found:
        print(one.line)
    bad = [one for one in found if one.faults]
    print(f"{len(found)} kills, {len(bad)} wrong")
    return not bad


def box(sample: int, jobs: int) -> bool:
    """A line a way to stop: in fitting, and then in a session. A trial that never began has shown nothing."""
    good = True
    asked = [
        (name, seed, session) for seed in range(1, sample + 1) for session in (False, True) for name in black_box.WAYS
    ]
    with ThreadPoolExecutor(jobs) as pool:
        for told in pool.map(lambda each: partial(black_box.trial, *each)(), asked):
            good = good and told.begun and told.good
            print(f"{told.way}: last pulse {told.last_ms} of {told.within_ms:.0f} ms, {told.note or 'record intact'}")
            sys.stdout.flush()
    return good


def main(words: list[str] | None = None) -> int:
    """The command. 0: nothing was wrong."""
    parser = argparse.ArgumentParser(prog="tests.sweeps.run", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this (may be given more than once)")
    parser.add_argument("--only", action="append", default=[], help="calls: only this seam or failure, by name")
    parser.add_argument("--sample", type=int, default=sweep.OTHERS, help="so many calls of each kind beside the synced")
    parser.add_argument("--kills", type=int, default=20, help="so many kills of each process")
    parser.add_argument("--rounds", type=int, default=1, help="so often each way to stop")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(words)
    kinds, good = options.kind or KINDS, True
    if "calls" in kinds:
        good = calls(options.sample, options.jobs, options.only) and good
    if "kills" in kinds:
        good = killed(options.kills, options.jobs) and good
    if "box" in kinds:
        good = box(options.rounds, options.jobs) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
