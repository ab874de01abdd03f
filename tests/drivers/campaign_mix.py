"""Mixes of faults drawn from a seed, and what a run under such a mix came to."""

import random
from dataclasses import dataclass, field

from sim import mixes
from sim.faults import Fault
from sim.mixes import ends_ns, host_side, longest_wait_ns, names_for

__all__ = [
    "MS",
    "SECOND",
    "Outcome",
    "draw",
    "driver_of",
    "ends_ns",
    "host_side",
    "longest_wait_ns",
    "names_for",
    "twin_of",
]
MS, SECOND = 1_000_000, 1_000_000_000
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


def draw(rng: random.Random, device: str, span_ms: int) -> list[Fault]:
    """One to four faults that the device has, all within `span_ms` of their start."""
    return mixes.draw(rng, twin_of(device), span_ms)
