"""Units at the border: one quantity in text becomes one exact integer, or a fault with its fix.

The grammar is closed: digits, at most one point with digits after it, one space, one unit of the field's own list,
24 characters at most, ASCII and the micro sign. Only then pint is asked, because by itself it takes `25,0 mA` for
250 mA, `25 ma` for milliyears, `nan mA` for a current, and reckons `9**9**9 mA` until the machine gives up. A second
factor table, written by hand, must agree with pint. Fields and their integers:

current uA, pulse width us, duration ns, angle mdeg, angular speed mdeg/s, torque mNm, area mm2, charge nC, percent
permille, rate mHz. A frequency becomes a period in us (`period_us`).
"""

import re
from decimal import Context, Decimal, localcontext
from enum import Enum
from functools import cache
from typing import NamedTuple

import pint

TEXT_MAX = 24
PERIOD_GRID_US = 500
_QUANTITY = re.compile(r"([0-9]+)(?:\.([0-9]+))? ([A-Za-z%µ][A-Za-z0-9/]*|%)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_DEFINITIONS = (
    "milli- = 1e-3 = m-",
    "micro- = 1e-6 = µ- = u-",
    "nano- = 1e-9 = n-",
    "centi- = 1e-2 = c-",
    "ampere = [current] = A",
    "second = [time] = s",
    "minute = 60 * second = min",
    "metre = [length] = m",
    "coulomb = ampere * second = C",
    "hertz = 1 / second = Hz",
    "newton_metre = [torque] = Nm",
    "degree = [] = deg",
    "permille = [] = permille",
    "percent = 10 * permille = percent",
)


class UnitFault(Exception):
    """A quantity that was refused: `message` says what is wrong, `fix` what to write instead."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message}; {fix}")
        self.message = message
        self.fix = fix


class _Kind(NamedTuple):
    name: str
    example: str
    target: str
    factors: dict[str, Decimal]


_TIMES = {"ms": Decimal(1_000_000), "s": Decimal(1_000_000_000), "min": Decimal(60_000_000_000)}


class Field(Enum):
    """A kind of field: its name in a sentence, an example, its integer's unit, and units with our own factors."""

    CURRENT = _Kind("a current", "25 mA", "uA", {"mA": Decimal(1000), "uA": Decimal(1)})
    PULSE_WIDTH = _Kind("a pulse width", "250 us", "us", {"us": Decimal(1)})
    DURATION = _Kind("a duration", "2 s", "ns", _TIMES)
    FREQUENCY = _Kind("a frequency", "35 Hz", "Hz", {"Hz": Decimal(1)})
    ANGLE = _Kind("an angle", "30 deg", "mdeg", {"deg": Decimal(1000)})
    ANGULAR_SPEED = _Kind("an angular speed", "5 deg/s", "mdeg/s", {"deg/s": Decimal(1000)})
    TORQUE = _Kind("a torque", "0.5 Nm", "mNm", {"Nm": Decimal(1000), "mNm": Decimal(1)})
    AREA = _Kind("an area", "25 cm2", "mm2", {"cm2": Decimal(100), "mm2": Decimal(1)})
    CHARGE = _Kind("a charge", "10 uC", "nC", {"uC": Decimal(1000)})
    PERCENT = _Kind("a percentage", "80 %", "permille", {"%": Decimal(10)})
    RATE = _Kind("a rate", "6 Hz", "mHz", {"Hz": Decimal(1000)})


_PINT_NAMES = {"cm2": "cm**2", "mm2": "mm**2"}
_KNOWN = {unit: field for field in Field for unit in field.value.factors}


def quantity(text: str, field: Field) -> int:
    """The exact integer of `text` in the field's own unit (see the module). Raises `UnitFault` for all else."""
    if field is Field.FREQUENCY:
        return period_us(text)
    number, unit = _split(text, field)
    value = _convert(number, unit, field)
    if value != int(value):
        kind = field.value
        raise UnitFault(f"{text} is finer than the grid of {kind.target} that is worked in", "round it to the grid")
    return int(value)


def period_us(text: str) -> int:
    """The period of a frequency in us, rounded UP to the 0.5 ms grid (so never faster): "35 Hz" is 29000 us."""
    number, unit = _split(text, Field.FREQUENCY)
    hertz = _convert(number, unit, Field.FREQUENCY)
    if hertz == 0:
        raise UnitFault("a frequency of 0 has no period", "write for example 35 Hz")
    numerator, denominator = hertz.as_integer_ratio()
    return -(-1_000_000 * denominator // (numerator * PERIOD_GRID_US)) * PERIOD_GRID_US


def rate_text(period: int) -> str:
    """The rate that a period in us really gives, in words: 29000 is "34.48 Hz", 20000 is "50 Hz"."""
    hundredths = (200_000_000 + period) // (2 * period)
    return f"{Decimal(hundredths).scaleb(-2).normalize():f} Hz"


def _ascii(text: str) -> str:
    return text.replace("µ", "u")


def _split(text: str, field: Field) -> tuple[Decimal, str]:
    """Number and unit of a text that keeps to the grammar and to the field's list of units."""
    kind = field.value
    if not isinstance(text, str):
        raise UnitFault("a number with a unit is expected", f"write for example {kind.example}")
    if len(text) > TEXT_MAX:
        raise UnitFault(f"{text[:TEXT_MAX]}... is longer than {TEXT_MAX} characters", f"write e.g. {kind.example}")
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise UnitFault(*_malformed(text, field))
    whole, decimals, unit = found.groups()
    spelled = _ascii(unit)
    if spelled not in kind.factors:
        raise UnitFault(*_wrong_unit(text, unit, field))
    return Decimal(f"{whole}.{decimals or 0}"), spelled


def _convert(number: Decimal, unit: str, field: Field) -> Decimal:
    """Twice, by pint and by hand; both exact, and equal, or it is an error of ours."""
    kind = field.value
    with localcontext(Context(prec=TEXT_MAX)):  # all digits that a text has room for, and no factor adds more
        by_hand = number * kind.factors[unit]
        registry = _registry()
        name = _PINT_NAMES.get(unit, unit)
        by_pint = registry.Quantity(number, name).to(_PINT_NAMES.get(kind.target, kind.target)).magnitude
    if by_pint != by_hand:
        fix = "do not use this build: its units are wrong"
        raise UnitFault(f"internal error: {number} {unit} is {by_hand} or {by_pint} {kind.target}", fix)
    return by_hand


@cache
def _registry() -> "pint.UnitRegistry[Decimal]":
    """A registry that knows our units and no others. It takes milliseconds; pint's own takes a quarter of a second."""
    registry: pint.UnitRegistry[Decimal] = pint.UnitRegistry(None, non_int_type=Decimal)
    for line in _DEFINITIONS:
        registry.define(line)
    return registry


def _malformed(text: str, field: Field) -> tuple[str, str]:
    """(message, fix) for a text that does not keep to the grammar."""
    kind = field.value
    example = f"write for example {kind.example}"
    if not text.strip():
        return f"{kind.name} is missing", example
    if not _ascii(text).isascii():
        return f'"{text}" has a letter that only looks right', example
    if "," in text:
        return f'"{text}" has a comma', f'use a point: "{text.replace(",", ".")}"'
    if _NUMBER.fullmatch(text):
        return f'"{text}" has no unit', f'write the unit: "{text} {kind.example.split()[1]}"'
    if text.lstrip("+-").lower().startswith(("nan", "inf")):
        return f'"{text}" is no number', example
    if text[0] in "+-":
        return f'"{text}" has a sign', "leave the sign out: quantities count from 0 up"
    number = re.match(r"[0-9]+(?:\.[0-9]+)?", text)
    rest = _ascii(text[number.end() :] if number else text)
    if re.match(r"[eE][+-]?[0-9]", rest):
        return f'"{text}" has an exponent', f"write all digits, for example {kind.example}"
    if re.search(r"[*+()^_-]|/[0-9]", rest):
        return f'"{text}" is a calculation', "write the result of it, as one number and one unit"
    if number and rest.strip() in kind.factors:
        return f'"{text}" needs one space between number and unit', f'write "{number.group()} {rest.strip()}"'
    return f'"{text}" is not one number and one unit', example


def _wrong_unit(text: str, unit: str, field: Field) -> tuple[str, str]:
    """(message, fix) for a unit that the field does not take."""
    kind = field.value
    number = text.split()[0]
    right = kind.example.split()[1]
    near = [name for name in kind.factors if name.lower() == _ascii(unit).lower()]
    if unit.startswith("M") and near:
        return f'"{unit}" would be mega, a thousand million times too much', f'did you mean "{number} {near[0]}"?'
    if near:
        return f'"{unit}" is no unit: capital and small letters matter', f'did you mean "{number} {near[0]}"?'
    other = _KNOWN.get(_ascii(unit))
    takes = " or ".join(kind.factors)
    if other is not None and {other, field} != {Field.PULSE_WIDTH, Field.DURATION}:
        return f"{text} is {other.value.name}, not {kind.name}", f"write {kind.name} in {takes}: {kind.example}"
    return f"{kind.name} is not written in {unit}", f'write it in {takes}: is it "{number} {right}"?'
