"""Mixes of device faults from a random source: one draw for the campaigns of single drivers and for the swarm."""

import random
from collections.abc import Callable, Sequence
from functools import cache

from sim.faults import FAULTS, FOREVER, Fault, Place, Value, parse
from sim.faults_radio import PRESETS
from sim.faults_running import faults_of

FAULTS_PER_MIX_MAX = 4


@cache
def names_for(device: str) -> tuple[str, ...]:
    """The faults that a twin has."""
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


def draw(rng: random.Random, twin: str, span_ms: int) -> list[Fault]:
    """One to four faults that the twin has, all within `span_ms` of their start."""
    names = names_for(twin)
    chosen = rng.sample(names, min(rng.randint(1, FAULTS_PER_MIX_MAX), len(names)))
    return [one(rng, name, twin, span_ms) for name in chosen]


def one(rng: random.Random, name: str, device: str, span_ms: int) -> Fault:
    """The fault of that name in the device, somewhere within `span_ms`."""
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


def host_side(faults: Sequence[Fault]) -> list[Fault]:
    """Those that also touch what the host sends, so that an order or a stop may not arrive as it was written."""
    return [fault for fault in faults if fault.kind.place in (Place.BOTH, Place.PLUG)]


def longest_wait_ns(faults: Sequence[Fault]) -> int:
    """How long bytes may be held up by all of these together."""
    return sum(fault.value_ns for fault in faults if fault.kind.value is Value.TIME)


def ends_ns(fault: Fault) -> int:
    """When the fault is over, counted from when the mix was added."""
    return fault.start_ns + fault.length_ns if fault.length_ns < FOREVER else FOREVER
