"""`python -m tests.model.run [--depth N]`: the exhaustive check of guard, gateway and session, with its figures."""

import argparse
import sys
import time

from tests.model.alphabet import letters
from tests.model.explore import Found, explore
from tests.model.roots import ROOTS


def report(found: Found, took_s: float) -> str:
    """One line a root."""
    return (
        f"{found.root:30} depth {found.depth}, states {found.states}, transitions {found.transitions}, "
        f"not gone on from {found.words_left}, violations {len(found.violations)}, {took_s:.0f} s"
    )


def main() -> int:
    """0: no violation. 1: there is one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--depth", type=int, default=3, help="letters in a word (default 3)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--states", type=int, default=1 << 30, help="states gone on from, at most, for each root")
    parser.add_argument("--root", action="append", choices=[root.name for root in ROOTS], help="only this one")
    options = parser.parse_args()
    print(f"{len(letters(False))} letters ({len(letters(True))} with an orthosis), {len(ROOTS)} roots", flush=True)
    transitions = states = wrong = 0
    for root in ROOTS:
        if options.root and root.name not in options.root:
            continue
        begun = time.monotonic()
        found = explore(root, options.depth, options.jobs, options.states)
        print(report(found, time.monotonic() - begun), flush=True)
        for word, text in found.violations[:5]:
            print(f"  {' > '.join(word)}\n    {text}", flush=True)
        transitions, states = transitions + found.transitions, states + found.states
        wrong += len(found.violations)
    print(f"{states} states, {transitions} transitions, {wrong} violations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
