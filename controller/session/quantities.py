"""Quantities of a protocol as exact integers, each in the one unit that the house uses (`safety.units` reads them)."""

import re

from controller.session.faults import shorten
from safety import units
from safety.units import Field, UnitFault

_FACTOR = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,3}))?")


class Wrong(Exception):
    """A value that cannot be taken: the rule, why in one sentence, and what to write instead."""

    def __init__(self, rule: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.rule, self.message, self.fix = rule, message, fix


def _exact(text: str, field: Field) -> int:
    try:
        return units.quantity(text, field)
    except UnitFault as fault:
        raise Wrong("UNT001", shorten(fault.message, 160), fault.fix) from None


def current_ua(text: str) -> int:
    """`25 mA` -> 25000 (uA)."""
    return _exact(text, Field.CURRENT)


def width_us(text: str) -> int:
    """`250 us` -> 250 (us)."""
    return _exact(text, Field.PULSE_WIDTH)


def period_us(text: str) -> int:
    """`35 Hz` -> 29000 (us): the period, rounded up to the unit's grid of 0.5 ms."""
    try:
        return units.period_us(text)
    except UnitFault as fault:
        raise Wrong("UNT001", shorten(fault.message, 160), fault.fix) from None


def duration_ns(text: str) -> int:
    """`2 s` -> 2000000000 (ns)."""
    return _exact(text, Field.DURATION)


def area_mm2(text: str) -> int:
    """`25 cm2` -> 2500 (mm2)."""
    return _exact(text, Field.AREA)


def percent_permille(text: str) -> int:
    """`80 %` -> 800 (per mille)."""
    return _exact(text, Field.PERCENT)


def angle_mdeg(text: str) -> int:
    """`30 deg` -> 30000 (mdeg). A leading minus is read here: the closed grammar of quantities has no sign."""
    negative = text.startswith("-")
    amount = _exact(text[1:].strip() if negative else text, Field.ANGLE)
    return -amount if negative else amount


def speed_mdps(text: str) -> int:
    """`5 deg/s` -> 5000 (mdeg/s)."""
    return _exact(text, Field.ANGULAR_SPEED)


def torque_mnm(text: str) -> int:
    """`0.5 Nm` -> 500 (mNm)."""
    return _exact(text, Field.TORQUE)


def force_mn(text: str) -> int:
    """`10 N` -> 10000 (mN)."""
    number, unit = text[:-2], text[-2:]
    if unit != " N" or not _FACTOR.fullmatch(number):
        raise Wrong("UNT001", f'"{shorten(text)}" is not a force in newton', "write for example 10 N or 2.5 N")
    return factor_milli(number)


def rate_mhz(text: str) -> int:
    """`6 Hz` -> 6000 (mHz): a sample rate or a filter's corner, exact, not put on the unit's grid."""
    return _exact(text, Field.RATE)


def factor_milli(text: str) -> int:
    """`4` or `2.5` -> 4000, 2500: a plain factor without a unit, in thousandths."""
    found = _FACTOR.fullmatch(text)
    if not found:
        raise Wrong("UNT001", f'"{shorten(text)}" is not a plain number', "write for example 4 or 2.5, without a unit")
    return int(found.group(1)) * 1000 + int((found.group(2) or "").ljust(3, "0"))
