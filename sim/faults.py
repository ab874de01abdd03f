"""What can go wrong on purpose: the names of the faults, and how one is asked for in a word.

    NAME[:VALUE][@DEVICE][/HOW_OFTEN][+START][~LENGTH]

VALUE is a channel (`electrode-off:2`), a time (`delay:30ms`), a preset (`radio-loss:bad_wifi`) or how often
(`drop:0.05`). DEVICE is a name as in `stimloop sim DEVICE`; without it every device that has such a fault. HOW_OFTEN
is the part of the writes that are hit (`/0.05`), or a time (`/2s`: once every 2 s). START counts from the start of the
world (for a line on stdin: from now), LENGTH from START; without them at once, and for good. A time is a number with
`us`, `ms` or `s`. So `drop:0.05`, `delay:30ms@ximu3/0.2`, `electrode-off:2@p24+12s~3s`, `unsolicited-error/2s`.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from sim.faults_radio import PRESETS

SECOND = 1_000_000_000
FOREVER = 1 << 62
TIME_MAX_NS = 24 * 3600 * SECOND


class FaultRefused(ValueError):
    """A fault that cannot be made; the text says why, and what there is."""


class Place(Enum):
    """Where a fault happens."""

    SENT = "to what the device sends"
    BOTH = "to what either end sends"
    DEVICE = "in the device"
    PLUG = "at the plug"


class Value(Enum):
    """What stands after the colon of a fault, and what is said when it does not."""

    NOTHING = "nothing"
    CHANNEL = "a channel from 1 on"
    TIME = "a time such as 30ms"
    PRESET = f"one of {', '.join(PRESETS)}"
    PART = "how often, such as 0.05"
    FREE = "whatever the device takes"


class Kind(NamedTuple):
    """One name: where it happens, what its value is (and is by default), and how often a write is hit by default.

    `lasts` is False for what is over as soon as it has happened, so that nothing has to be mended when it ends.
    """

    place: Place
    value: Value
    usual: str = ""
    part: float = 0.0
    lasts: bool = True


FAULTS: dict[str, Kind] = {
    "drop": Kind(Place.BOTH, Value.PART, "", 0.05),  # a write is lost
    "delay": Kind(Place.BOTH, Value.TIME, "30ms", 1.0),  # a write comes late, and what follows waits behind it
    "duplicate": Kind(Place.SENT, Value.PART, "", 0.05),  # a write comes twice
    "reorder": Kind(Place.SENT, Value.PART, "", 0.05),  # a write comes after the next one
    "wrong-number": Kind(Place.SENT, Value.PART, "", 0.05),  # its packet number, or who it says it is from, is wrong
    "bit-flip": Kind(Place.BOTH, Value.PART, "", 0.02),  # one bit is wrong
    "wrong-length": Kind(Place.SENT, Value.PART, "", 0.05),  # its length field is wrong
    "split": Kind(Place.BOTH, Value.TIME, "3ms", 0.2),  # its second part comes this much later
    "merge": Kind(Place.BOTH, Value.TIME, "20ms", 0.2),  # it waits, and comes in one piece with what follows
    "junk": Kind(Place.BOTH, Value.PART, "", 0.05),  # up to 16 random bytes come before it
    "radio-loss": Kind(Place.BOTH, Value.PRESET, "clinic_typical", 1.0),  # writes are lost in bursts
    "unplug": Kind(Place.PLUG, Value.NOTHING, lasts=False),
    "unsolicited-error": Kind(Place.DEVICE, Value.FREE, lasts=False),
    "electrode-off": Kind(Place.DEVICE, Value.CHANNEL, "1"),
    "electrode-short": Kind(Place.DEVICE, Value.CHANNEL, "1"),
    "low-battery": Kind(Place.DEVICE, Value.FREE),
    "reset": Kind(Place.DEVICE, Value.FREE, lasts=False),
    "e-stop": Kind(Place.DEVICE, Value.FREE),
    "stuck-sensor": Kind(Place.DEVICE, Value.FREE),
    "lost-puck": Kind(Place.DEVICE, Value.FREE),  # one of several on a receiver is out of its reach
    "clock-drift": Kind(Place.DEVICE, Value.FREE),
    "overload": Kind(Place.DEVICE, Value.FREE),
    "overheat": Kind(Place.DEVICE, Value.FREE),
    "stuck-joint": Kind(Place.DEVICE, Value.FREE),
    "slow-joint": Kind(Place.DEVICE, Value.FREE),
    "lost-bus-watchdog": Kind(Place.DEVICE, Value.FREE),
}
CABLE_PLACES = (Place.SENT, Place.BOTH)

_TIME = r"[0-9]+(?:\.[0-9]+)?(?:us|ms|s)"
_SPEC = re.compile(
    r"(?P<name>[a-z-]+)(?::(?P<value>[^@/+~\s]+))?(?:@(?P<device>[a-z0-9_-]+))?"
    rf"(?:/(?P<often>[0-9.]+(?:us|ms|s)?))?(?:\+(?P<start>{_TIME}))?(?:~(?P<length>{_TIME}))?"
)
_UNITS = {"us": 1_000, "ms": 1_000_000, "s": SECOND}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as it was asked for. `device` "" means every device that has it; `value_ns` is a value that is a time.

    `part` is the part of the writes that are hit, `every_ns` the time between two hits where that was asked for (else
    0), `start_ns` counts from when it is added, `length_ns` is `FOREVER` for one that does not end.
    """

    text: str
    name: str
    value: str = ""
    device: str = ""
    value_ns: int = 0
    part: float = 1.0
    every_ns: int = 0
    start_ns: int = 0
    length_ns: int = FOREVER

    @property
    def kind(self) -> Kind:
        """What kind of fault this is."""
        return FAULTS[self.name]


def parse(text: str) -> Fault:
    """The fault that `text` asks for. Raises `FaultRefused`."""
    found = _SPEC.fullmatch(text)
    if found is None:
        raise FaultRefused(
            f"{text!r} is no fault: write NAME[:VALUE][@DEVICE][/HOW_OFTEN][+START][~LENGTH], "
            "such as drop:0.05 or electrode-off:2@p24+12s~3s."
        )
    name, often = found["name"], found["often"]
    if name not in FAULTS:
        raise FaultRefused(f"There is no fault {name!r}; there are {', '.join(FAULTS)}.")
    kind = FAULTS[name]
    if kind.value is Value.PART and found["value"] is not None:
        if often is not None:
            raise FaultRefused(f"{text!r} says twice how often: write {name}:0.05 or {name}/0.05.")
        often = found["value"]
    value, value_ns = _value(name, kind, found["value"])
    part, every_ns = _how_often(name, kind, often)
    start_ns = nanoseconds(found["start"]) if found["start"] else 0
    length_ns = nanoseconds(found["length"]) if found["length"] else FOREVER
    if kind.place is Place.PLUG and length_ns != FOREVER:
        raise FaultRefused(f"{text!r}: nobody plugs the cable in again, so {name} has no length.")
    return Fault(text, name, value, found["device"] or "", value_ns, part, every_ns, start_ns, length_ns)


def nanoseconds(text: str) -> int:
    """A time such as 30ms or 1.5s in ns, above 0 and at most a day. Raises `FaultRefused`."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(us|ms|s)", text)
    value_ns = round(float(found[1]) * _UNITS[found[2]]) if found else 0
    if not 0 < value_ns <= TIME_MAX_NS:
        raise FaultRefused(f"{text!r} is no time: write a number above 0 with us, ms or s, at most a day.")
    return value_ns


def _value(name: str, kind: Kind, given: str | None) -> tuple[str, int]:
    """The value as text, and as ns where it is a time."""
    value = kind.usual if given is None else given
    if kind.value is Value.NOTHING and value:
        raise FaultRefused(f"{name} takes no value, and was given {value!r}.")
    if kind.value is Value.TIME:
        return value, nanoseconds(value)
    if kind.value is Value.CHANNEL and not (value.isdecimal() and 1 <= int(value) <= 99):
        raise FaultRefused(f"{name} needs {kind.value.value}, not {value!r}.")
    if kind.value is Value.PRESET and value not in PRESETS:
        raise FaultRefused(f"{name} needs {kind.value.value}, not {value!r}.")
    return ("" if kind.value is Value.PART else value), 0


def _how_often(name: str, kind: Kind, often: str | None) -> tuple[float, int]:
    """The part of the writes that are hit, and the time between two hits (0 where that was not asked for)."""
    if often is None:
        return (kind.part if kind.place in CABLE_PLACES else 1.0), 0
    if kind.value is Value.PRESET or kind.place is Place.PLUG:
        raise FaultRefused(f"{name} takes no /{often}: it happens as it does.")
    if often[-1] == "s":
        return 1.0, nanoseconds(often)
    try:
        part = float(often)
    except ValueError:
        part = -1.0
    if not 0.0 < part <= 1.0:
        raise FaultRefused(f"{name}: {often!r} is not how often; write a part such as 0.05, or a time such as 2s.")
    if kind.place not in CABLE_PLACES:
        raise FaultRefused(f"{name} happens in the device, so a part of the writes means nothing: write /2s.")
    return part, 0
