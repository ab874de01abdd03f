"""Mixes of faults drawn from a seed, and what a run under such a mix came to."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from sim.faults import FAULTS, FOREVER, Fault, Place, Value, parse
from sim.faults_radio import PRESETS
from sim.faults_running import faults_of

MS, SECOND = 1_000_000, 1_000_000_000
FAULTS_PER_MIX_MAX = 4
DRIVERS = {"ximu3-ascii": "ximu3", "fitmi-yellow": "fitmi"}
"""Twins whose driver has another name."""
TWINS_OF = {"p24-low": "p24"}
"""Drivers whose twin has another name."""


@dataclass
class Outcome:
    """What one seed came to. `recovered_ns` is -1 for never, `count` the pulses or measurements that there were.

    `causes` are (when, why) of each latch. `wrong` counts what a device without a check in its frames let through.
    """

    device: str
    seed: int
    mix: tuple[str, ...]
    violations: list[str] = field(default_factory=list)
    causes: list[tuple[int, str]] = field(default_factory=list)
    recovered_ns: int = -1
    count: int = 0
    wrong: int = 0

    @property
    def latches(self) -> int:
        """How often the gateway latched."""
        return len(self.causes)

    def broken(self, at_ns: int, what: str) -> None:
        """Note a violation; the same one is noted once."""
        if all(not known.endswith(what) for known in self.violations) and len(self.violations) < 8:
            self.violations.append(f"at {at_ns / SECOND:.3f} s: {what}")


def driver_of(device: str) -> str:
    """The driver that a device of the campaign is driven with."""
    return DRIVERS.get(device, device)


def twin_of(device: str) -> str:
    """The twin that stands for a device of the campaign."""
    return TWINS_OF.get(device, device)


@cache
def names_for(device: str) -> tuple[str, ...]:
    """The faults that a device has."""
    return faults_of(device)


def _part(rng: random.Random) -> str:
    return f"{rng.choice((0.02, 0.05, 0.1, 0.2, 0.5, 1.0))}"


_VALUES: dict[str, Callable[[random.Random], str]] = {
    "delay": lambda rng: f"{rng.randint(2, 300)}ms",
    "split": lambda rng: f"{rng.randint(1, 40)}ms",
    "merge": lambda rng: f"{rng.randint(2, 100)}ms",
    "radio-loss": lambda rng: rng.choice(list(PRESETS)),
    "clock-drift": lambda rng: f"{rng.choice((-20_000, -200, 200, 20_000))}",
    "electrode-off": lambda rng: f"{rng.randint(1, 2)}",
    "electrode-short": lambda rng: f"{rng.randint(1, 2)}",
}


def draw(rng: random.Random, device: str, span_ms: int) -> list[Fault]:
    """One to four faults that the device has, all within `span_ms` of their start."""
    twin = twin_of(device)
    names = names_for(twin)
    chosen = rng.sample(names, min(rng.randint(1, FAULTS_PER_MIX_MAX), len(names)))
    return [_one(rng, name, twin, span_ms) for name in chosen]


def _one(rng: random.Random, name: str, device: str, span_ms: int) -> Fault:
    kind = FAULTS[name]
    text = f"{name}:{_VALUES[name](rng)}@{device}" if name in _VALUES else f"{name}@{device}"
    if kind.value in (Value.PART, Value.TIME):
        text += f"/{_part(rng)}"
    elif kind.place is Place.DEVICE and not kind.lasts and rng.random() < 0.3:
        text += f"/{rng.randint(300, 4000)}ms"
    start_ms = rng.randint(1, span_ms * 3 // 4)
    text += f"+{start_ms}ms"
    if kind.place is not Place.PLUG:
        text += f"~{rng.randint(50, span_ms - start_ms)}ms"
    return parse(text)


def host_side(faults: list[Fault]) -> list[Fault]:
    """Those that also touch what the host sends, so that an order or a stop may not arrive as it was written."""
    return [fault for fault in faults if fault.kind.place in (Place.BOTH, Place.PLUG)]


def longest_wait_ns(faults: list[Fault]) -> int:
    """How long bytes may be held up by all of these together."""
    return sum(fault.value_ns for fault in faults if fault.kind.value is Value.TIME)


def ends_ns(fault: Fault) -> int:
    """When the fault is over, counted from when the mix was added."""
    return fault.start_ns + fault.length_ns if fault.length_ns < FOREVER else FOREVER
