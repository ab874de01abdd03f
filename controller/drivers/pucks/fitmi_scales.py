"""The file in which a person's FitMi scales stand: `$XDG_CONFIG_HOME/stimloop/fitmi.json`, by dongle and puck.

    {"format": 1, "dongles": {SERIAL: {"blue": {"date", "acc_g", "gyro_dps", "load_n", "load_zero", "residuals"}}}}

Scales are per count; `load_n` is null where the load cell was left out. A dongle without a serial number has "".
A file that cannot be used gives no scales and one sentence, never an error.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from controller.drivers.presence import Present, present

FORMAT = 1
PUCKS = ("blue", "yellow")
FILE_BYTES_MAX = 100_000
BOUNDS: dict[str, tuple[float, float]] = {
    "acc_g": (1e-5, 0.1),
    "gyro_dps": (1e-4, 100.0),
    "load_n": (-10.0, 10.0),
    "load_zero": (-32_768.0, 32_767.0),
}
"""Least and most of each scale: what lies outside can only be a mistake."""


class Scales(NamedTuple):
    """Of one puck: g, deg/s and newton a count, and the load cell's counts with nothing on it."""

    acc_g: float
    gyro_dps: float
    load_n: float | None = None
    load_zero: float = 0.0


class Calibrated(NamedTuple):
    """Scales with the day on which they were found and what was left over by each fit."""

    scales: Scales
    date: str
    residuals: dict[str, float]


BothScales = tuple[Scales | None, Scales | None]
NO_SCALES: BothScales = (None, None)


class BrokenFile(ValueError):
    """The text is no file of scales; says why."""


def default_path() -> Path:
    """$XDG_CONFIG_HOME/stimloop/fitmi.json, else ~/.config/stimloop/fitmi.json."""
    base = os.environ.get("XDG_CONFIG_HOME") or ""
    config = Path(base) if base.startswith("/") else Path.home() / ".config"
    return config / "stimloop" / "fitmi.json"


def parse(text: str) -> dict[str, dict[str, Calibrated]]:
    """Every puck of every dongle. Raises `BrokenFile`."""
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise BrokenFile(f"its format is {told['format']!r}, not {FORMAT}")
        return {
            str(serial): {name: _calibrated(name, pucks[name]) for name in pucks}
            for serial, pucks in told["dongles"].items()
        }
    except BrokenFile:
        raise
    except json.JSONDecodeError as error:
        raise BrokenFile(f"it is no JSON: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        raise BrokenFile(f"something is missing or of the wrong kind: {error}") from error


def render(dongles: dict[str, dict[str, Calibrated]]) -> str:
    """The file's text."""
    told = {
        serial: {
            name: {"date": found.date, **found.scales._asdict(), "residuals": found.residuals}
            for name, found in pucks.items()
        }
        for serial, pucks in dongles.items()
    }
    return json.dumps({"format": FORMAT, "dongles": told}, indent=2, allow_nan=False) + "\n"


def load(serial: str, path: Path | None = None) -> tuple[BothScales, str]:
    """The scales of that dongle's two pucks, and a sentence where a file is there that cannot be used."""
    path = path or default_path()
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise BrokenFile("it is too large")
        pucks = parse(path.read_text(encoding="utf-8")).get(serial, {})
    except FileNotFoundError:
        return NO_SCALES, ""
    except (OSError, ValueError) as error:
        return NO_SCALES, f"{path} is not used ({error}). Delete it, or run `stimloop fitmi calibrate` again."
    blue, yellow = (pucks[name].scales if name in pucks else None for name in PUCKS)
    return (blue, yellow), ""


def save(serial: str, puck: str, found: Calibrated, path: Path) -> None:
    """Add this puck of this dongle to the file; a file that cannot be read is replaced. Raises OSError."""
    try:
        dongles = parse(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        dongles = {}
    dongles.setdefault(serial, {})[puck] = found
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(render(dongles), encoding="utf-8")
    part.replace(path)


def serial_at(port: str, there: list[Present] | None = None) -> str:
    """The serial number of the dongle at this port, "" where it has none (a simulated one, for example)."""
    if port.startswith("usb:"):
        return port.removeprefix("usb:")
    if "://" in port or port.startswith("/dev/pts/"):
        return ""
    real = os.path.realpath(port)
    listed = present([]) if there is None else there
    return next((one.serial for one in listed if one.path in (port, real)), "")


def _calibrated(name: str, told: dict[str, Any]) -> Calibrated:
    if name not in PUCKS:
        raise BrokenFile(f"there is no puck {name!r}; there are {' and '.join(PUCKS)}")
    load_n = None if told["load_n"] is None else _within("load_n", told["load_n"])
    if load_n == 0.0:
        raise BrokenFile("load_n is 0")
    scales = Scales(
        _within("acc_g", told["acc_g"]),
        _within("gyro_dps", told["gyro_dps"]),
        load_n,
        _within("load_zero", told["load_zero"]),
    )
    return Calibrated(scales, str(told["date"]), {key: float(left) for key, left in told["residuals"].items()})


def _within(name: str, value: Any) -> float:
    least, most = BOUNDS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BrokenFile(f"{name} is {value!r}, which no puck has")
    return float(value)
