"""The small grammar of conditions: what ends a phase of an activity.

    condition := part { or part }        part := test { and test }         (`and` binds tighter; no brackets)
    test := attempt | touch | button | done | after DURATION | quiet DURATION | angle|speed|load  >=|>|<=|<  QUANTITY
    button := button | button key | button pedal | button touch

`attempt` and `button` stay true from the moment they were seen until the phase ends; all others are looked at anew.
`button` alone takes a press from anywhere. `done` means: `at_least` is over and `until` holds.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from controller.session import quantities
from controller.session.faults import shorten, suggest
from controller.session.quantities import Wrong
from controller.vocabulary.button import ButtonSource

TESTS_MAX = 8


class Kind(StrEnum):
    """What a test looks at."""

    ATTEMPT = "attempt"
    TOUCH = "touch"
    BUTTON = "button"
    BUTTON_KEY = "button key"
    BUTTON_PEDAL = "button pedal"
    BUTTON_TOUCH = "button touch"
    DONE = "done"
    AFTER = "after"
    QUIET = "quiet"
    ANGLE = "angle"
    SPEED = "speed"
    LOAD = "load"


BUTTONS: dict[Kind, ButtonSource | None] = {
    Kind.BUTTON: None,
    Kind.BUTTON_KEY: ButtonSource.KEY,
    Kind.BUTTON_PEDAL: ButtonSource.PEDAL,
    Kind.BUTTON_TOUCH: ButtonSource.TOUCH,
}
"""The source that each asks for; None: any."""
BARE = (Kind.ATTEMPT, Kind.TOUCH, Kind.DONE, *BUTTONS)
MOVEMENT = (Kind.ATTEMPT, Kind.QUIET, Kind.ANGLE, Kind.SPEED, Kind.LOAD, Kind.TOUCH, Kind.BUTTON_TOUCH)
"""Kinds that need a puck."""
BLANKED = (Kind.TOUCH, Kind.LOAD, Kind.BUTTON_TOUCH)
"""Kinds that are not looked at while current flows or the orthosis pushes, and for the blanking time after it."""

_AMOUNT: dict[Kind, Callable[[str], int]] = {
    Kind.AFTER: quantities.duration_ns,
    Kind.QUIET: quantities.duration_ns,
    Kind.ANGLE: quantities.angle_mdeg,
    Kind.SPEED: quantities.speed_mdps,
    Kind.LOAD: quantities.force_mn,
}
_TIMED = re.compile(r"(after|quiet)\s+(\S.*)")
_COMPARED = re.compile(r"(angle|speed|load)\s*(>=|<=|>|<)\s*(\S.*)")
_FORMS = "attempt, touch, button, done, after 5 s, quiet 1 s, angle >= 30 deg, speed < 5 deg/s, load > 10 N"


class Test(NamedTuple):
    """One test. `amount` is an exact integer: ns (after, quiet), mdeg (angle), mdeg/s (speed), mN (load), else 0."""

    kind: Kind
    sign: str = ""
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """`any_of` groups of tests: true when all tests of one group are. `text` is what the author wrote."""

    text: str
    any_of: tuple[tuple[Test, ...], ...]

    def kinds(self) -> set[Kind]:
        """All kinds of test that occur."""
        return {test.kind for group in self.any_of for test in group}

    def sure_after_ns(self) -> int | None:
        """The time by which this condition is true whatever else happens, in ns; None when there is none."""
        sure = [group[0].amount for group in self.any_of if len(group) == 1 and group[0].kind is Kind.AFTER]
        return min(sure, default=None)


DONE = Condition("done", ((Test(Kind.DONE),),))


def parse(text: str) -> Condition:
    """Read one condition. Raises Wrong (rule ACT004, or UNT001 for a quantity) with a fix."""
    words = " ".join(text.split())
    groups = tuple(tuple(_test(test) for test in part.split(" and ")) for part in words.split(" or "))
    if sum(len(group) for group in groups) > TESTS_MAX:
        raise Wrong("ACT004", f"more than {TESTS_MAX} tests in one condition", "split it over two phases")
    return Condition(words, groups)


def _test(text: str) -> Test:
    text = text.strip()
    if text in BARE:
        return Test(Kind(text))
    timed, compared = _TIMED.fullmatch(text), _COMPARED.fullmatch(text)
    if timed:
        kind = Kind(timed.group(1))
        amount = _AMOUNT[kind](timed.group(2))
        if amount <= 0:
            raise Wrong("ACT004", f'"{text}" is over at once', "write a time above zero, or `done` for at once")
        return Test(kind, ">=", amount)
    if compared:
        kind = Kind(compared.group(1))
        return Test(kind, compared.group(2), _AMOUNT[kind](compared.group(3)))
    raise Wrong("ACT004", f'"{shorten(text)}" is not a condition', _fix(text))


def _fix(text: str) -> str:
    head = text.split(" ")[0] if text else ""
    if head in (Kind.ANGLE, Kind.SPEED, Kind.LOAD):
        return f"write `{head} >= QUANTITY`; signs are >=, >, <=, <"
    if head in (Kind.AFTER, Kind.QUIET):
        return f"write `{head} 5 s`"
    if head == Kind.BUTTON:
        return "write `button`, `button key`, `button pedal` or `button touch`"
    guess = suggest(head, list(Kind))
    return f"{guess} write one of: {_FORMS}" if guess.startswith("did") else f"write one of: {_FORMS}"
