"""Field types of the protocol model: text in, exact integers out, each with the range that makes sense for it."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from controller.motion.settings import BOUNDS
from controller.session import quantities
from controller.session.conditions import Condition, parse
from controller.session.faults import shorten
from controller.session.quantities import Wrong

SENTENCE_MAX = 400
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_WHOLE = re.compile(r"[0-9]{1,6}")
_RESERVED_NAMES = ("stopped", "trigger", "state", "done")
_SWITCH = {"true": True, "false": False}


def fault(rule: str, message: str, fix: str) -> PydanticCustomError:
    """A fault in the form in which pydantic collects it: the rule is its type, message and fix its context."""
    return PydanticCustomError(rule, "{message}", {"message": message, "fix": fix})


def _read(convert: Callable[[str], Any], example: str) -> BeforeValidator:
    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise fault(
                "KEY004", "one value is expected here, not a list or a mapping", f"write for example: {example}"
            )
        if not value.strip():
            raise fault("KEY004", "there is no value here", f"write for example: {example}")
        try:
            return convert(value)
        except Wrong as wrong:
            raise fault(wrong.rule, wrong.message, wrong.fix) from None

    return BeforeValidator(validate)


def _within(convert: Callable[[str], int], least: int, most: int, words: str) -> Callable[[str], int]:
    def ranged(text: str) -> int:
        value = convert(text)
        if not least <= value <= most:
            raise Wrong("UNT002", f"{shorten(text)} is outside the range of this field", f"write {words}")
        return value

    return ranged


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise Wrong("UNT001", f'"{shorten(text)}" is not a whole number', "write digits only, without a unit")
    return int(text)


def _name(text: str) -> str:
    if text in ("on", "off", "yes", "no", "y", "n"):
        fix = "choose another word: other YAML readers take it for true or false"
        raise Wrong("KEY005", f'"{text}" is not a name', fix)
    if not _NAME.fullmatch(text):
        fix = "lower-case letters, digits and underscores, at most 32, a letter first"
        raise Wrong("KEY005", f'"{shorten(text)}" is not a name', fix)
    if text in _RESERVED_NAMES:
        raise Wrong("KEY005", f'"{text}" is a word of the program', "choose another name")
    return text


def _sentence(text: str) -> str:
    if len(text) > SENTENCE_MAX:
        raise Wrong("KEY004", f"this text has more than {SENTENCE_MAX} characters", "shorten it")
    return " ".join(text.split())


def _switch(text: str) -> bool:
    if text not in _SWITCH:
        raise Wrong("KEY006", f'"{shorten(text)}" is neither true nor false', "write true or false")
    return _SWITCH[text]


def _joint_angle(text: str) -> int:
    value = quantities.angle_mdeg(text)
    if value % 10:
        raise Wrong("UNT002", f"{shorten(text)} is finer than the orthosis can be told", "write it in 0.01 deg")
    return value // 10


def _joint_speed(text: str) -> int:
    return quantities.speed_mdps(text) // 10  # rounded down: the gentler side


def _pause(text: str) -> int:
    value = quantities.width_us(text)
    if 0 < value < POINT_US_MIN:
        message = f"{shorten(text)} is too short: the unit makes {POINT_US_MIN} us of it"
        raise Wrong("UNT002", message, f"write 0 us, or at least {POINT_US_MIN} us")
    return value


def Count(least: int, most: int) -> BeforeValidator:  # noqa: N802 - reads as a type in the model
    """A whole number without a unit, `least` to `most`."""
    return _read(_within(_whole, least, most, f"{least} to {most}"), str(least))


MINUTE_NS = 60_000_000_000
POINT_US_MIN = 10
"""The shortest part of a pulse that a unit keeps as it is; it stretches what is shorter (the guard's rule G09)."""
RATE_MHZ_MIN, RATE_MHZ_MAX = (round(bound_hz * 1000) for bound_hz in BOUNDS["min_rate_hz"])

Name = Annotated[str, _read(_name, "assist")]
Sentence = Annotated[str, _read(_sentence, '"Open your hand"')]
Switch = Annotated[bool, _read(_switch, "true")]
Conditional = Annotated[Condition, _read(parse, "after 6 s")]

Current = Annotated[int, _read(_within(quantities.current_ua, 500, 130_000, "0.5 mA to 130 mA"), "25 mA")]
PulseWidth = Annotated[int, _read(_within(quantities.width_us, 0, 4095, "0 us to 4095 us"), "250 us")]
Interphase = Annotated[int, _read(_within(_pause, 0, 4095, "0 us, or 10 us to 4095 us"), "0 us")]
Period = Annotated[int, _read(_within(quantities.period_us, 2000, 1_000_000, "1 Hz to 500 Hz"), "35 Hz")]
Duration = Annotated[int, _read(_within(quantities.duration_ns, 0, 60 * MINUTE_NS, "0 s to 60 min"), "2 s")]
Area = Annotated[int, _read(_within(quantities.area_mm2, 100, 20_000, "1 cm2 to 200 cm2"), "25 cm2")]
Percent = Annotated[int, _read(_within(quantities.percent_permille, 0, 1000, "0 % to 100 %"), "100 %")]
Angle = Annotated[int, _read(_within(quantities.angle_mdeg, -180_000, 180_000, "-180 deg to 180 deg"), "30 deg")]
Excursion = Annotated[int, _read(_within(quantities.angle_mdeg, 0, 180_000, "0 deg to 180 deg"), "10 deg")]
Speed = Annotated[int, _read(_within(quantities.speed_mdps, 0, 2_000_000, "0 deg/s to 2000 deg/s"), "5 deg/s")]
JointAngle = Annotated[int, _read(_within(_joint_angle, -18_000, 18_000, "-180 deg to 180 deg"), "30 deg")]
JointSpeed = Annotated[int, _read(_within(_joint_speed, 100, 36_000, "1 deg/s to 360 deg/s"), "30 deg/s")]
Torque = Annotated[int, _read(_within(quantities.torque_mnm, 1, 20_000, "1 mNm to 20 Nm"), "0.5 Nm")]
Rate = Annotated[int, _read(_within(quantities.rate_mhz, 1000, 1_000_000, "1 Hz to 1000 Hz"), "6 Hz")]
SampleRate = Annotated[
    int, _read(_within(quantities.rate_mhz, RATE_MHZ_MIN, RATE_MHZ_MAX, "50 Hz to 1000 Hz"), "50 Hz")
]
Factor = Annotated[int, _read(_within(quantities.factor_milli, 1000, 100_000, "1 to 100"), "4")]
