"""What one seed makes of a world: devices, protocol, person, and a mix of everything that can go wrong.

Swarm: each seed first draws which families of faults may happen at all, so that worlds differ in kind and not only in
number. `Act.text` is one entry of the mix, written as faults of devices are: NAME[:VALUE][@WHERE]+START~LENGTH.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from controller.assembly.simulated import twin_of
from controller.assembly.therapist import Script
from controller.drivers import registry
from sim import mixes
from sim.faults import Fault
from sim.phenotypes import PHENOTYPES

SHORT_S, LONG_S = 30, 600
JOINT = "dynamixel"
PROTOCOLS = (
    *("wrist_extension_cued",) * 3,
    *("wrist_extension_self_paced",) * 2,
    "wrist_extension_assisted",
    "bench_proportional",
    "bench_together",
)
"""The shipped ones; those with an orthosis cost three times the time, so they are drawn less often."""
SELF_PACED = frozenset({"wrist_extension_self_paced", "bench_proportional", "bench_together"})
MOVED = frozenset({"wrist_extension_assisted", "bench_together"})
FAMILY_CHANCE = 0.3
EVERY_S = 10
"""One act of each chosen family in about so many seconds (at least one or two)."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that goes wrong: what, where, when and for how long (ms from the start of its window), how much."""

    name: str
    where: str = ""
    start_ms: int = 0
    length_ms: int = 0
    value: str = ""

    @property
    def text(self) -> str:
        """As it stands in the line of the seed."""
        value, where = (f":{self.value}" if self.value else ""), (f"@{self.where}" if self.where else "")
        length = f"~{self.length_ms}ms" if self.length_ms else ""
        return f"{self.name}{value}{where}+{self.start_ms}ms{length}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One world. `early` and `early_faults` happen in set-up, `acts` and `faults` once the session runs."""

    seed: int
    length_s: int
    unit: str
    puck: str
    orthosis: str
    protocol: str
    phenotype: str
    script: Script
    acts: tuple[Act, ...] = ()
    faults: tuple[Fault, ...] = ()
    early: tuple[Act, ...] = ()
    early_faults: tuple[Fault, ...] = ()

    @property
    def devices(self) -> tuple[str, ...]:
        """The twins: unit, puck, and the orthosis where there is one."""
        return tuple(twin_of(name) for name in (self.unit, self.puck, self.orthosis) if name)

    @property
    def self_paced(self) -> bool:
        """The person attempts of their own accord."""
        return self.protocol in SELF_PACED

    @property
    def mix(self) -> tuple[str, ...]:
        """Everything that goes wrong, in words."""
        early = [entry.text for entry in self.early] + [entry.text for entry in self.early_faults]
        later = [entry.text for entry in self.acts] + [entry.text for entry in self.faults]
        return (*(f"early {text}" for text in early), *later)


def draw_for(base: Plan, seed: int, length_s: int) -> Plan:
    """The troubles of that seed for a world that is set up: devices, protocol and person are those of `base`."""
    rng = random.Random(f"prepared/{length_s}/{seed}")
    acts, faults = _mix(rng, list(base.devices), length_s * 1_000)
    return replace(
        base, seed=seed, length_s=length_s, acts=tuple(acts), faults=tuple(faults), early=(), early_faults=()
    )


def draw(seed: int, length_s: int = SHORT_S) -> Plan:
    """The world of that seed."""
    rng = random.Random(f"swarm/{length_s}/{seed}")
    protocol = rng.choice(PROTOCOLS)
    orthosis = JOINT if protocol in MOVED else ""
    unit = rng.choice(registry.own(registry.STIMULATORS))
    puck = rng.choice((*registry.own(registry.PUCKS), "fitmi.yellow", "ximu3", "ximu3", "textline"))
    tolerance_ua = rng.choice((8_000, 8_000, 10_000, 10_000, 12_000, 16_000, 20_000))
    if (unit, protocol) == ("rehastim2", "bench_proportional"):
        tolerance_ua = 20_000  # on its grid of 2 mA a weak lift would otherwise ask for nothing
    script = Script(1_000, 2_000, tolerance_ua, calibrate_attempts=False)
    devices = [twin_of(name) for name in (unit, puck, orthosis) if name]
    acts, faults = _mix(rng, devices, length_s * 1_000)
    early: list[Act] = []
    early_faults: list[Fault] = []
    if rng.random() < 0.2:
        early, early_faults = _mix(rng, devices, 20_000)
    return Plan(
        seed,
        length_s,
        unit,
        puck,
        orthosis,
        protocol,
        rng.choice(tuple(PHENOTYPES)),
        script,
        tuple(acts),
        tuple(faults),
        tuple(early),
        tuple(early_faults),
    )


def _mix(rng: random.Random, devices: list[str], span_ms: int) -> tuple[list[Act], list[Fault]]:
    """Some families, and for each some acts within the span."""
    acts: list[Act] = []
    faults: list[Fault] = []
    chosen = [family for family in FAMILIES if rng.random() < FAMILY_CHANCE] or [rng.choice(list(FAMILIES))]
    for family in chosen:
        most = max(2, span_ms // 1_000 // EVERY_S // 2)
        for _ in range(rng.randint(1, most)):
            act = FAMILIES[family](rng, devices, span_ms)
            if act is not None:
                acts.append(act)
    for device in devices:
        if rng.random() < FAMILY_CHANCE:
            for _ in range(1 if span_ms <= 30_000 else rng.randint(1, 4)):
                faults += _device_faults(rng, device, span_ms)
    acts.sort(key=lambda act: act.start_ms)
    return acts, faults


def _device_faults(rng: random.Random, device: str, span_ms: int) -> list[Fault]:
    """One to three faults of a device and its cable. To pull the cable is an act of a person, so not among them."""
    names = [name for name in mixes.names_for(device) if name != "unplug"]
    return [mixes.one(rng, name, device, span_ms) for name in rng.sample(names, rng.randint(1, 3))]


def _when(rng: random.Random, span_ms: int, least_ms: int, most_ms: int) -> tuple[int, int]:
    """(start, length) of something that is over when the span is."""
    length_ms = rng.randint(least_ms, min(most_ms, span_ms - 1))
    return rng.randint(1, span_ms - length_ms), length_ms


def _process(rng: random.Random, devices: list[str], span_ms: int) -> Act:
    """A process stands still or is killed; or all of them stand still together."""
    del devices
    where = rng.choice(("gateway", "engine", "screen"))
    if rng.random() < 0.3:
        return Act("kill", where, rng.randint(1, span_ms - 1))
    return Act("freeze", where, *_when(rng, span_ms, 20, rng.choice((200, 600, 4_000))))


def _suspend(rng: random.Random, devices: list[str], span_ms: int) -> Act:
    del devices
    return Act("suspend", "", *_when(rng, span_ms, 50, rng.choice((500, 3_000, 12_000))))


def _line(rng: random.Random, devices: list[str], span_ms: int) -> Act:
    del devices
    where = rng.choice(("engine>gateway", "gateway>engine", "screen>gateway", "gateway>screen", "screen>engine"))
    start_ms, length_ms = _when(rng, span_ms, 50, 4_000)
    if rng.random() < 0.2:
        return Act("hold", where, start_ms, length_ms)
    return Act("late", where, start_ms, length_ms, f"{rng.choice((5, 20, 60, 110, 130, 250, 600, 900))}ms")


def _clock(rng: random.Random, devices: list[str], span_ms: int) -> Act:
    del devices
    if rng.random() < 0.5:
        ppm = rng.choice((-20_000, -500, -50, 50, 500, 20_000))
        return Act("clock-drift", "", *_when(rng, span_ms, 1_000, span_ms - 1), f"{ppm}ppm")
    step_ms = rng.choice((-1_000, -300, -20, 20, 300, 700, 5_000, 20_000))
    return Act("clock-step", "", rng.randint(1, span_ms - 1), 0, f"{step_ms}ms")


def _disk(rng: random.Random, devices: list[str], span_ms: int) -> Act:
    del devices
    name = rng.choice(("disk-full", "disk-read-only", "disk-slow", "disk-write"))
    if name == "disk-write":
        return Act(name, "", rng.randint(1, span_ms - 1), 0)
    return Act(name, "", *_when(rng, span_ms, 50, 5_000))


def _stop(rng: random.Random, devices: list[str], span_ms: int) -> Act:
    del devices
    name, value = rng.choice((("stop", "F12"), ("stop", "space"), ("signal", "pedal"), ("signal", "stimloop stop")))
    return Act(name, "", rng.randint(1, span_ms - 1), 0, value)


def _hands(rng: random.Random, devices: list[str], span_ms: int) -> Act:
    del devices
    name = rng.choice(("disarm", "wrong-number", "arm-only", "pause", "held-key", "more"))
    if name == "held-key":
        return Act(name, "", *_when(rng, span_ms, 200, 3_000))
    return Act(name, "", rng.randint(1, span_ms - 1))


def _plug(rng: random.Random, devices: list[str], span_ms: int) -> Act:
    """A cable is pulled and plugged in again; now and then another unit stands there for a while."""
    if rng.random() < 0.15 and span_ms > 20_000:
        return Act("swap", devices[0], *_when(rng, span_ms, 8_000, 15_000))
    return Act("pull", rng.choice(devices), *_when(rng, span_ms, 300, 5_000))


FAMILIES: dict[str, Callable[[random.Random, list[str], int], Act | None]] = {
    "process": _process,
    "suspend": _suspend,
    "line": _line,
    "clock": _clock,
    "disk": _disk,
    "stop": _stop,
    "hands": _hands,
    "plug": _plug,
}
