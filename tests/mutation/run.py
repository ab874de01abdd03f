"""The mutation gate: `python -m tests.mutation.run [--group safety] [--files safety/guard.py] [--sample N --seed S]`.

Thousands of small faults are sown, one at a time, and the tests have to notice each. A fault that nothing notices is
a test that is missing, or no fault at all; the latter stand in `survivors.yaml` with the reason. Exit 1 when another
one survives in `safety/`, or when fewer than 90 of 100 are noticed in the gateway's files.

Why a runner of our own. mutmut 3 leaves constants outside of functions alone, and those are the limits themselves; it
rewrites every function into a trampoline that picks the mutant at run time, which changes the very types and code
objects that the guard compares. cosmic-ray starts a process with an import of everything for each mutant: over a
second each, for thousands of them. Here a fault in a function costs a fork and the test that noticed it last time
(`killers.json.gz`), a few milliseconds.

It can be broken off: what was found is in the results file, and counts as long as the mutated file has not changed.
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import select
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import yaml

from tests.mutation.operators import Mutant, mutants
from tests.mutation.reach import GROUPS, ROOT, Reach, files_of, reach_of
from tests.mutation.workers import CRASHED, SURVIVED, TIMEOUT, Worker, prepare

HERE = Path(__file__).resolve().parent
SURVIVORS = HERE / "survivors.yaml"
KILLERS = HERE / "killers.json.gz"
FOLDER = ROOT / ".pytest_cache" / "mutation"
LEAST_PERCENT = {"safety": 100, "checker": 100, "gateway": 90}
SLOW = 4
"""A machine with other work may take so many times longer than when the tests were timed."""
CORPUS = tuple(f"test_guard_corpus.py::test_nothing_that_was_refused_is_admitted[{part}]" for part in range(3))
SENTINELS = ("test_limits_lock.py", "test_limits.py", "test_joint_limits.py")
"""Asked first about a fault outside of functions, where no line says which tests it concerns."""


def reviewed() -> dict[str, dict[str, str]]:
    """The reviewed survivors by their id."""
    rows = yaml.safe_load(SURVIVORS.read_text(encoding="utf-8")) if SURVIVORS.is_file() else None
    return {row["id"]: row for row in rows or []}


def known_killers() -> dict[str, str]:
    """Mutant > the test that noticed it last time."""
    return json.loads(gzip.decompress(KILLERS.read_bytes())) if KILLERS.is_file() else {}


def keep_killers(found: dict[str, str], alive: set[str]) -> None:
    """Store who noticed what, without a date inside, so that equal content is an equal file."""
    killers = {name: test for name, test in sorted((known_killers() | found).items()) if name in alive}
    data = json.dumps(killers, indent=0, sort_keys=True).encode()
    KILLERS.write_bytes(gzip.compress(data, 9, mtime=0))


def stages(
    mutant: Mutant, killer: str, reach: Reach | None, nodes: Sequence[str], within_s: float
) -> Iterator[tuple[list[str], float]]:
    """What is tried one after another, with its time limit: the test of last time, then all that can notice."""
    if killer:
        yield [killer], 10.0 + SLOW * (reach.time_of([killer]) if reach else 5)
    if reach is None:
        yield list(nodes), 300.0
        return
    if not mutant.where:
        first = sentinels(reach)
        yield first, 10.0 + SLOW * reach.time_of(first)
    chosen = those_that_can(mutant, reach, within_s)
    yield chosen, 10.0 + SLOW * reach.time_of(chosen)


def sentinels(reach: Reach) -> list[str]:
    """Tests that are asked first about a fault outside of functions."""
    return [name for name in reach.all_tests() if name.split("::")[0].rsplit("/", 1)[-1] in SENTINELS]


def those_that_can(mutant: Mutant, reach: Reach, within_s: float) -> list[str]:
    """The tests that run the lines of the fault (outside of functions: all), cheapest first, as many as the time is;
    and then the frozen corpus, which sees most."""
    if mutant.where:
        reached = reach.tests_of(mutant.file, mutant.first_line, mutant.last_line)
        chosen = reached or sentinels(reach) or reach.all_tests()
    else:
        chosen = reach.all_tests()
    sums = accumulate(reach.seconds.get(name, 1.0) for name in chosen)
    cheap = [name for name, total_s in zip(chosen, sums, strict=True) if total_s <= within_s]
    return list(dict.fromkeys([*cheap, *[name for name in chosen if name.endswith(CORPUS)]]))


def judge_all(
    jobs: Sequence[Mutant],
    tests: Sequence[str],
    reach: Reach | None,
    killers: dict[str, str],
    within_s: float,
    pipe: Connection,
) -> None:
    """A worker's life: its share of the mutants, each answer sent as soon as it is there."""
    prepare()
    worker = Worker(tests)
    for mutant in jobs:
        begun = time.monotonic()
        known = killers.get(mutant.id, "")
        known = known if known in worker.nodes else ""
        answer = worker.judge(mutant, stages(mutant, known, reach, worker.nodes, within_s))
        if answer == SURVIVED and mutant.where and reach is not None:
            # A second opinion: a table may have been built from what the function gave while it was imported.
            chosen = [name for name in those_that_can(mutant, reach, within_s) if not name.endswith(CORPUS)]
            answer = worker.afresh(mutant, chosen, 10 + SLOW * reach.time_of(chosen))
        pipe.send((mutant, answer, time.monotonic() - begun))
    pipe.send(None)
    worker.close()


def spread(jobs: Sequence[Mutant], parallel: int, *rest: object) -> Iterator[tuple[Mutant, str, float]]:
    """The answers of all workers, as they come."""
    pipes: list[Connection] = []
    for number in range(parallel):
        here, there = Pipe(duplex=False)
        if os.fork() == 0:
            here.close()
            judge_all(jobs[number::parallel], *rest, there)  # type: ignore[arg-type]
            os._exit(0)
        there.close()
        pipes.append(here)
    while pipes:
        for pipe in select.select(pipes, [], [])[0]:
            try:
                answer = pipe.recv()
            except EOFError:
                print("a worker ended early", file=sys.stderr)
                answer = None
            if answer is None:
                pipes.remove(pipe)
            else:
                yield answer


def all_mutants(files: Sequence[str]) -> list[Mutant]:
    """Every mutant of these files."""
    return [one for file in files for one in mutants(file, (ROOT / file).read_text(encoding="utf-8"))]


def chosen_mutants(options: argparse.Namespace) -> list[Mutant]:
    """All mutants of the group's files, or of some, or a sample of them."""
    found = all_mutants(options.files or files_of(GROUPS[options.group]))
    if options.sample:
        found = random.Random(options.seed).sample(found, min(options.sample, len(found)))
    return found


def earlier(results: Path, again: str) -> dict[tuple[str, str], str]:
    """(mutant, digest of its file) > answer of an earlier run; survivors only where they are not asked again."""
    found: dict[tuple[str, str], str] = {}
    for line in results.read_text(encoding="utf-8").splitlines() if results.is_file() else []:
        row = json.loads(line)
        found[(row["id"], row["digest"])] = row["answer"]
    return {} if again == "all" else {key: a for key, a in found.items() if again != "survivors" or is_noticed(a)}


def is_noticed(answer: str) -> bool:
    """A test failed, or never ended."""
    return answer not in (SURVIVED, CRASHED)


def report(group: str, answers: dict[str, str], took_s: float) -> int:
    """Say what survived; 0 when the gate holds."""
    known = reviewed()
    alive = sorted(name for name, answer in answers.items() if not is_noticed(answer))
    new = [name for name in alive if name not in known]
    for name in new:
        print(f"SURVIVED  {name}")
    for name in sorted(answers.keys() & known.keys() - set(alive)):
        print(f"no survivor any more, take it off the list: {name}")
    endless = sum(answer == TIMEOUT for answer in answers.values())
    noticed = len(answers) - len(alive)
    percent = 100 * (noticed + len(alive) - len(new)) / max(1, len(answers))
    print(
        f"{group}: {len(answers)} mutants, {noticed} noticed ({endless} by never ending), "
        f"{len(alive) - len(new)} reviewed, {len(new)} survive: {percent:.1f} %, {took_s:.0f} s"
    )
    return 0 if percent >= LEAST_PERCENT[group] else 1


def main() -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.run")
    parser.add_argument("--group", choices=GROUPS, default="safety")
    parser.add_argument("--files", nargs="*", help="only these files of the group")
    parser.add_argument("--sample", type=int, default=0, help="so many of them, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", choices=("none", "survivors", "all"), default="survivors", help="what is asked anew")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.jsonl")
    parser.add_argument("--within", type=float, default=1e9, help="seconds of tests for one mutant; the dearest wait")
    parser.add_argument("--keep", action="store_true", help="store which test noticed what")
    options = parser.parse_args()
    begun = time.monotonic()
    wanted = chosen_mutants(options)
    digests = {file: hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:12] for file in {m.file for m in wanted}}
    before = {} if options.sample else earlier(options.results, options.again)
    answers = {m.id: before[(m.id, digests[m.file])] for m in wanted if (m.id, digests[m.file]) in before}
    jobs = [mutant for mutant in wanted if mutant.id not in answers]
    killers = known_killers() | {name: answer for (name, _), answer in before.items() if "::" in answer}
    reach = None if options.sample else reach_of(options.group, options.results.parent)
    print(f"{len(wanted)} mutants, {len(jobs)} to judge", flush=True)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    if jobs:
        with options.results.open("a", encoding="utf-8") as log:
            tests = GROUPS[options.group].tests
            for mutant, answer, took_s in spread(jobs, options.jobs, tests, reach, killers, options.within):
                answers[mutant.id] = answer
                row = {"id": mutant.id, "digest": digests[mutant.file], "answer": answer, "took_s": round(took_s, 2)}
                log.write(json.dumps(row) + "\n")
                log.flush()
    if options.keep:
        noticed = {name: answer for name, answer in answers.items() if "::" in answer}
        keep_killers(noticed, {one.id for group in GROUPS for one in all_mutants(files_of(GROUPS[group]))})
    return report(options.group, answers, time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main())
