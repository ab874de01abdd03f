"""The frozen corpus: a million steps, and what the guard answered to each. It is a ratchet: the guard may become
stricter, and never laxer, unless a limit of the lock has changed.

`python -m tests.safety.corpus` compares all of it; `--freeze --date DAY` stores the answers of now, and refuses to
where something that was refused would be admitted while `safety/limits.lock` says that no limit has changed.

An episode is compared up to its first step that the guard newly refuses: what follows stands on another ground.
"""

import argparse
import hashlib
import json
import lzma
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from safety import limits_lock
from safety.guard import Guard
from safety.interlocks import Conditions
from safety.orders import Admitted, Refused
from tests.safety.corpus_episodes import MOTOR, UNITS, Step
from tests.safety.corpus_plans import episode

FOLDER = Path(__file__).resolve().parents[1] / "data" / "guard_corpus"
ANSWERS, ABOUT = FOLDER / "answers.xz", FOLDER / "about.json"
STEPS, PLAIN = 1_000_000, 14
"""Steps of the whole corpus, and how many of its parts the plain tests compare (100,000 steps and more)."""
PART = 64
"""Episodes of a part: parts are compared each by itself, so that a difference is found early."""
GOOD = Conditions(True, True, True, True, "", False, True, True)
OPENED = (False, False, False, False, "Not these devices.", True, False, False)
SAID = "."
"""The answer to what has none, such as arming."""


class Compared(NamedTuple):
    """What differs: newly admitted and newly refused, by rule, and refused by another rule than before."""

    steps: int
    admitted: Counter[str]
    refused: Counter[str]
    other: Counter[str]
    examples: list[str]
    drifted: bool


def answers_of(steps: list[Step]) -> list[str]:
    """What a new guard answers to each step: "" admitted, a rule, or `SAID`."""
    answers = []
    guard = Guard(UNITS[0])
    for name, arguments in steps:
        if name == "new":
            guard = Guard(UNITS[arguments[0]], MOTOR if arguments[1] else None)
            answers.append(SAID)
        elif name == "admit":
            order, now_ns, opened = arguments
            conditions = GOOD
            for at in opened:
                conditions = Conditions(*(OPENED[at] if at == n else value for n, value in enumerate(GOOD)))
            answer = guard.admit(order, now_ns, conditions)
            answers.append("" if isinstance(answer, Admitted) else answer.rule)
        else:
            said = getattr(guard, name)(*arguments)
            answers.append(said.rule if isinstance(said, Refused) else SAID)
    return answers


def part(number: int) -> list[list[Step]]:
    """The episodes of a part."""
    return [episode(each) for each in range(number * PART, (number + 1) * PART)]


def mark(episodes: list[list[Step]]) -> str:
    """By which the episodes of a part are known."""
    return hashlib.sha256(repr(episodes).encode()).hexdigest()[:8]


def stored() -> tuple[dict[str, Any], bytes]:
    """What is known of the frozen corpus, and its answers as one byte a step."""
    return json.loads(ABOUT.read_text(encoding="utf-8")), lzma.decompress(ANSWERS.read_bytes())


def compare(parts: Iterable[int]) -> Compared:
    """Compare these parts with what was frozen."""
    about, frozen = stored()
    alphabet: list[str] = about["alphabet"]
    newly, stricter, other = Counter[str](), Counter[str](), Counter[str]()
    examples: list[str] = []
    many, drifted = 0, False
    for number in parts:
        steps_of = part(number)
        at = about["starts"][number]
        drifted = drifted or mark(steps_of) != about["marks"][number]
        for each, steps in enumerate(steps_of, number * PART):
            for place, (before, after) in enumerate(zip(frozen[at : at + len(steps)], answers_of(steps), strict=True)):
                was = alphabet[before]
                if was == after:
                    continue
                if after in ("", SAID):
                    newly[was] += 1
                    examples.append(f"episode {each}, step {place}: {was} refused {steps[place]}")
                elif was in ("", SAID):
                    stricter[after] += 1
                    break
                else:
                    other[f"{was} > {after}"] += 1
            at += len(steps)
            many += len(steps)
    return Compared(many, newly, stricter, other, examples[:10], drifted)


def freeze(date: str) -> None:
    """Store the answers of now."""
    alphabet: dict[str, int] = {"": 0, SAID: 1}
    answers = bytearray()
    starts: list[int] = []
    marks: list[str] = []
    while len(answers) < STEPS:
        steps_of = part(len(starts))
        starts.append(len(answers))
        marks.append(mark(steps_of))
        for steps in steps_of:
            answers += bytes(alphabet.setdefault(answer, len(alphabet)) for answer in answers_of(steps))
    counts = Counter(answers)
    about = {
        "date": date,
        "lock": limits_lock.digest(limits_lock.values()),
        "steps": len(answers),
        "answers": {name or "admitted": counts[byte] for name, byte in alphabet.items()},
        "alphabet": list(alphabet),
        "starts": starts,
        "marks": marks,
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    ANSWERS.write_bytes(lzma.compress(bytes(answers), preset=9 | lzma.PRESET_EXTREME))
    ABOUT.write_text(json.dumps(about) + "\n", encoding="utf-8")


def tell(found: Compared) -> None:
    """In words."""
    newly = f"newly admitted {sum(found.admitted.values())}, newly refused {sum(found.refused.values())}"
    print(f"{found.steps} steps; {newly}")
    for title, counter in (("admitted", found.admitted), ("refused", found.refused), ("other rule", found.other)):
        for rule, many in sorted(counter.items()):
            print(f"  {title}: {rule} {many}")
    for line in found.examples:
        print(f"  {line[:300]}")
    if found.drifted:
        print("  the episodes themselves are not those that were frozen")


def main() -> int:
    """See the module's text. Exit 1 when something that was refused is admitted, 2 for a freeze that may not be."""
    parser = argparse.ArgumentParser(prog="python -m tests.safety.corpus")
    parser.add_argument("--freeze", action="store_true", help="store the answers of now")
    parser.add_argument("--date", help="the day of the freeze, YYYY-MM-DD")
    parser.add_argument("--anew", action="store_true", help="the episodes themselves changed: nothing can be compared")
    options = parser.parse_args()
    begun = time.monotonic()
    found = compare(range(len(stored()[0]["starts"]))) if ANSWERS.is_file() and not options.anew else None
    if found is not None:
        tell(found)
    if not options.freeze:
        print(f"{time.monotonic() - begun:.0f} s")
        return 1 if found is None or found.admitted or found.drifted else 0
    lock = limits_lock.digest(limits_lock.values())
    if found is not None and (found.drifted or (found.admitted and stored()[0]["lock"] == lock)):
        print("not frozen: what was refused would be admitted, and no limit of the lock has changed", file=sys.stderr)
        return 2
    if not options.date:
        parser.error("a freeze needs its date")
    freeze(options.date)
    print(f"frozen: {ANSWERS.stat().st_size} bytes, {time.monotonic() - begun:.0f} s; {stored()[0]['answers']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
