"""The small words of a scenario: quantities with their unit, ranges, and moments. Text in, numbers out.

QUANTITY := [-] digits [. digits] blank unit          each key has a kind of its own, and that kind its units
RANGE    := QUANTITY | QUANTITY to QUANTITY | >= QUANTITY | <= QUANTITY         a plain quantity: exactly that
MOMENT   := cue | attempt | train | train over | armed | STATE | phase NAME | record KIND
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from controller.session.faults import shorten, suggest
from controller.vocabulary.snapshot import SessionState

UNITS: Final[dict[str, dict[str, float]]] = {
    "time": {"ms": 1e-3, "s": 1.0, "min": 60.0},
    "torque": {"mNm": 1e-3, "Nm": 1.0},
    "stiffness": {"Nm/rad": 1.0},
    "angle": {"deg": 1.0},
    "speed": {"deg/s": 1.0},
    "acceleration": {"g": 1.0},
    "frequency": {"Hz": 1.0},
    "force": {"N": 1.0},
    "current": {"mA": 1.0},
    "share": {"%": 0.01},
    "count": {"": 1.0},
}
"""Kind of quantity -> unit -> how many of the kind's own unit it is (s, N m, deg, deg/s, g, Hz, N, mA, 1)."""

_QUANTITY = re.compile(r"(-?[0-9]{1,7}(?:\.[0-9]{1,6})?)(?: ([A-Za-z%/]{1,8}))?")
STATES: Final = tuple(state.value for state in SessionState)
PLAIN_MOMENTS: Final = ("cue", "attempt", "train", "train over", "armed", *STATES)


class Unreadable(ValueError):
    """A word that cannot be read: why, and what to write."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.why, self.fix = why, fix


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included, in the kind's own unit; `text` is as it was written."""

    low: float
    high: float
    text: str

    def holds(self, value: float) -> bool:
        """Whether the value is inside; what is not a number never is."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens in a session: its word, and the phase or record that it is about."""

    word: str
    of: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.of}".strip()


def quantity(text: str, kind: str) -> float:
    """The number in the kind's own unit. Raises `Unreadable`."""
    units = UNITS[kind]
    found = _QUANTITY.fullmatch(text)
    unit = "" if found is None else found[2] or ""
    if found is None or unit not in units:
        named = " or ".join(unit or "no unit" for unit in units)
        example = f"{text.split(' ')[0] if found else '1'} {next(iter(units))}".strip()
        raise Unreadable(f'"{shorten(text)}" is no {kind} ({named})', f"write for example: {example}")
    return float(found[1]) * units[unit]


def span(text: str, kind: str) -> Range:
    """A range of quantities. Raises `Unreadable`."""
    low, to, high = text.partition(" to ")
    if to:
        found = Range(quantity(low, kind), quantity(high, kind), text)
        if not found.low <= found.high:
            raise Unreadable(f'"{shorten(text)}" ends before it begins', "write the smaller one first")
        return found
    for sign in (">= ", "<= "):
        if text.startswith(sign):
            value = quantity(text[len(sign) :], kind)
            return Range(value, float("inf"), text) if sign == ">= " else Range(float("-inf"), value, text)
    value = quantity(text, kind)
    return Range(value, value, text)


def moment(text: str) -> Moment:
    """A moment. Raises `Unreadable`."""
    word, _, of = text.partition(" ")
    if word in ("phase", "record") and of and " " not in of:
        return Moment(word, of)
    if text in PLAIN_MOMENTS:
        return Moment(text)
    fix = suggest(text, [*PLAIN_MOMENTS, "phase NAME", "record KIND"])
    raise Unreadable(f'"{shorten(text)}" is nothing that a step can wait for', fix)


def _reader(read: Callable[[str], Any]) -> BeforeValidator:
    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise fault("one value is expected here, not a list or a mapping", "write one value in this line")
        try:
            return read(" ".join(value.split()))
        except Unreadable as wrong:
            raise fault(wrong.why, wrong.fix) from None

    return BeforeValidator(validate)


def fault(message: str, fix: str) -> PydanticCustomError:
    """A fault in the form in which pydantic collects it."""
    return PydanticCustomError("SCN002", "{message}", {"message": message, "fix": fix})


def _positive(kind: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = quantity(text, kind)
        if not 0.0 < value <= 1e6:
            raise Unreadable(f'"{shorten(text)}" is not above 0', "write a positive quantity")
        return value

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= 7 and least <= int(text) <= most):
            raise Unreadable(f'"{shorten(text)}" is no whole number from {least} to {most}', f"write {least} to {most}")
        return int(text)

    return read


def _times(text: str) -> int:
    return 1_000_000 if text == "always" else _whole(1, 100_000)(text)


def _switch(text: str) -> bool:
    if text not in ("yes", "no"):
        raise Unreadable(f'"{shorten(text)}" is neither yes nor no', "write yes or no")
    return text == "yes"


def _signed(kind: str) -> BeforeValidator:
    return _reader(lambda text: quantity(text, kind))


def _ranged(kind: str) -> BeforeValidator:
    return _reader(lambda text: span(text, kind))


Time = Annotated[float, _reader(_positive("time"))]
Torque = Annotated[float, _signed("torque")]
Stiffness = Annotated[float, _reader(_positive("stiffness"))]
Angle = Annotated[float, _signed("angle")]
Speed = Annotated[float, _signed("speed")]
Frequency = Annotated[float, _reader(_positive("frequency"))]
Acceleration = Annotated[float, _signed("acceleration")]
Force = Annotated[float, _signed("force")]
Current = Annotated[float, _reader(_positive("current"))]
Share = Annotated[float, _signed("share")]
Whole = Annotated[int, _reader(_whole(0, 1_000_000))]
Times = Annotated[int, _reader(_times)]
Switch = Annotated[bool, _reader(_switch)]
When = Annotated[Moment, _reader(moment)]
Counts = Annotated[Range, _ranged("count")]
TimeRange = Annotated[Range, _ranged("time")]
AngleRange = Annotated[Range, _ranged("angle")]
SpeedRange = Annotated[Range, _ranged("speed")]
ShareRange = Annotated[Range, _ranged("share")]
CurrentRange = Annotated[Range, _ranged("current")]
Words = Annotated[str, _reader(lambda text: text)]
