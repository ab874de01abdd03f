"""Stop times on the virtual clock: from a fault at a random instant of a burst to the last pulse and the last torque.

`python -m controller.assembly.stop_times --times 1000`. One session is brought to where current and orthosis work
together. At each of so many random instants of that, the process is copied once for every kind of fault (fork), the
fault happens in the copy, and the copy tells what it saw at the skin and at the joint. Nobody re-arms in a copy.

Where software can act, p100 must be within 250 ms. A screen that stands still is noticed by its missing heartbeat after
500 ms, so 750 ms are asked there. What only the device's own watchdog can end is told apart, with its own bound.
"""

import argparse
import json
import os
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from controller.assembly.simulated import twin_of
from controller.assembly.swarm_house import SimulatedHouse
from controller.assembly.swarm_plan import draw
from controller.assembly.swarm_world import SwarmWorld
from controller.clock import MS, SECOND
from controller.vocabulary.requests import Disarm
from sim.checker_course import trains_of

SOFTWARE_MS, SCREEN_MS = 250, 750
QUIET_NS = SECOND
LONGEST_NS = 4 * SECOND
BIN_MS = 25
FOREVER_NS = 1 << 60
ASLEEP_NS = 700 * MS


class Bounds(NamedTuple):
    """What is asked, in ms: of current and of torque; and whether it is software that ends them."""

    skin_ms: int
    joint_ms: int
    skin_by_software: bool = True
    joint_by_software: bool = True


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind: what happens (it gives the instant from which it counts), and what is asked."""

    name: str
    happen: Callable[[SwarmWorld], int]
    bounds: Bounds


def _do(act: Callable[[SwarmWorld], None]) -> Callable[[SwarmWorld], int]:
    """The act happens, and counts from now."""

    def happen(world: SwarmWorld) -> int:
        now_ns = world.house.now_ns
        act(world)
        return now_ns

    return happen


def _freeze(world: SwarmWorld, name: str) -> int:
    house = world.house
    house.freeze(getattr(house, name), FOREVER_NS)
    return house.now_ns


def _sleep(world: SwarmWorld) -> int:
    until_ns = world.house.now_ns + ASLEEP_NS
    world.house.sleep(until_ns)
    return until_ns


def _silence_puck(world: SwarmWorld) -> int:
    for puck in world.house.world.pucks:
        puck.period_ns = FOREVER_NS
    return world.house.now_ns


def _fill_disk(world: SwarmWorld) -> int:
    world.disk.full = True
    return world.house.now_ns


def _pull(world: SwarmWorld, port: str) -> int:
    house = world.house
    getattr(house, port).pull(house.now_ns, FOREVER_NS)
    return house.now_ns


def kinds(watchdog_ms: int, servo_ms: int) -> list[FaultKind]:
    """All kinds, for a unit and a servo with these watchdogs."""
    soft = Bounds(SOFTWARE_MS, SOFTWARE_MS)
    alone = Bounds(watchdog_ms + 100, servo_ms + 100, False, False)

    def house(world: SwarmWorld) -> SimulatedHouse:
        return world.house

    return [
        FaultKind("STOP by key", _do(lambda w: w.person.hands.stop("F12")), Bounds(100, 100)),
        FaultKind("STOP by `stimloop stop`", _do(lambda w: house(w).signal("stimloop stop")), Bounds(100, 100)),
        FaultKind("STOP by pedal", _do(lambda w: house(w).signal("pedal")), Bounds(100, 100)),
        FaultKind("disarmed by a person", _do(lambda w: w.person.hands.request(Disarm("looked"))), soft),
        FaultKind("engine killed", _do(lambda w: house(w).kill_engine()), soft),
        FaultKind("engine stands still", lambda w: _freeze(w, "engine_process"), soft),
        FaultKind("engine not heard (line)", _do(lambda w: house(w).engine_to_gateway.hold()), soft),
        FaultKind("screen killed", _do(lambda w: house(w).hang_up()), soft),
        FaultKind("screen stands still", lambda w: _freeze(w, "screen"), Bounds(SCREEN_MS, SCREEN_MS)),
        FaultKind("clock jumps 2 s", _do(lambda w: house(w).clock.step(house(w).now_ns, 2 * SECOND)), soft),
        FaultKind("computer wakes from suspend", _sleep, soft),
        FaultKind("puck silent", _silence_puck, soft),
        FaultKind("puck unplugged", lambda w: _pull(w, "puck"), soft),
        FaultKind("orthosis unplugged", lambda w: _pull(w, "joint"), Bounds(SOFTWARE_MS, servo_ms + 100, True, False)),
        FaultKind("disk full", _fill_disk, soft),
        FaultKind("unit unplugged", lambda w: _pull(w, "unit"), Bounds(watchdog_ms + 100, SOFTWARE_MS, False, True)),
        FaultKind("gateway killed", _do(lambda w: house(w).kill_gateway()), alone),
        FaultKind("gateway stands still", lambda w: _freeze(w, "gateway_process"), alone),
    ]


class Bench:
    """One session where current and orthosis work together; `instants(n)` stops it at random instants of that."""

    def __init__(self, unit: str, seed: int) -> None:
        self.rng = random.Random(seed)
        plan = replace(
            draw(seed), unit=unit, puck="ximu3", orthosis="dynamixel", protocol="bench_together", phenotype="moderate"
        )
        self.world = SwarmWorld(replace(plan, acts=(), faults=(), early=(), early_faults=()))
        self.world.set_up()

    def instants(self, count: int) -> Iterator[SwarmWorld]:
        """The world at `count` instants of a burst with the orthosis at work."""
        world, found = self.world, 0
        while found < count:
            world.live(world.house.now_ns + self.rng.randint(1, 60) * MS + self.rng.randint(0, MS))
            if self.working:
                found += 1
                yield world

    @property
    def working(self) -> bool:
        """Current flows and the orthosis pushes."""
        unit, joint = self.world.house.world.stimulator, self.world.house.world.orthosis
        if unit is None or joint is None:
            return False
        return bool(unit.twin.drive()) and abs(joint.twin.torque_nm()) > 0.05


def one(world: SwarmWorld, kind: FaultKind) -> tuple[float, float]:
    """The fault happens in this (copied) world: (ms to the last pulse, ms to the last torque), 0.0 for none after."""
    house = world.house
    world.person = SimpleNamespace(look=lambda now_ns: None, hands=world.person.hands)  # type: ignore[assignment]
    fault_ns = kind.happen(world)
    quiet_ns = house.now_ns
    ends_ns = fault_ns + LONGEST_NS
    unit, joint = house.world.stimulator, house.world.orthosis
    while house.now_ns < ends_ns and house.now_ns - quiet_ns < QUIET_NS:
        world.live(house.now_ns + 20 * MS)
        pushing = joint is not None and abs(joint.twin.torque_nm()) > 0.02
        if house.now_ns < fault_ns or pushing or (unit is not None and unit.twin.drive()):
            quiet_ns = house.now_ns
    house.world.close(house.now_ns)
    skin_ns = max((train.end_ns for train in trains_of(world.log)), default=0)
    witness = world.patient.witness
    joint_ns = 0 if witness is None else witness.last_ns
    return max(0, skin_ns - fault_ns) / MS, max(0, joint_ns - fault_ns) / MS


def in_a_copy(world: SwarmWorld, kind: FaultKind) -> tuple[float, float]:
    """`one` in a copy of this process. Raises RuntimeError when the copy died."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            os.write(writer, json.dumps(one(world, kind)).encode())
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)  # nothing of the parent's may be run or flushed twice
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise RuntimeError(f"the copy for {kind.name!r} died")
    skin_ms, joint_ms = json.loads(told)
    return skin_ms, joint_ms


def spread(values_ms: list[float], bound_ms: int, by_software: bool) -> dict[str, Any]:
    """p50, p99, p100 and a histogram of `BIN_MS` bins (lower edge -> count)."""
    ordered, count = sorted(values_ms), len(values_ms)
    bins: dict[str, int] = {}
    for value in ordered:
        edge = str(int(value) // BIN_MS * BIN_MS)
        bins[edge] = bins.get(edge, 0) + 1
    return {
        "p50_ms": round(ordered[count // 2], 1),
        "p99_ms": round(ordered[min(count - 1, count * 99 // 100)], 1),
        "p100_ms": round(ordered[-1], 1),
        "bound_ms": bound_ms,
        "by": "software" if by_software else "the device's own watchdog",
        "within": ordered[-1] <= bound_ms,
        "histogram": bins,
    }


def measure(unit: str, times: int, seed: int, only: str = "") -> dict[str, Any]:
    """Every kind of fault at `times` random instants, on one unit."""
    bench = Bench(unit, seed)
    hardware = bench.world.house.hardware
    servo_ms = 0 if hardware.orthosis is None else hardware.orthosis.capabilities.watchdog_ms
    asked = [kind for kind in kinds(hardware.unit.capabilities.watchdog_ms, servo_ms) if only in kind.name]
    seen: dict[str, list[tuple[float, float]]] = {kind.name: [] for kind in asked}
    for world in bench.instants(times):
        for kind in asked:
            seen[kind.name].append(in_a_copy(world, kind))
    told: dict[str, Any] = {"unit": unit, "twin": twin_of(unit), "times": times, "seed": seed, "kinds": {}}
    for kind in asked:
        skin_ms, joint_ms, skin_soft, joint_soft = kind.bounds
        found = seen[kind.name]
        told["kinds"][kind.name] = {
            "n": len(found),
            "skin": spread([skin for skin, _ in found], skin_ms, skin_soft),
            "joint": spread([joint for _, joint in found], joint_ms, joint_soft),
        }
    told["good"] = all(entry[where]["within"] for entry in told["kinds"].values() for where in ("skin", "joint"))
    return told


def main(words: list[str] | None = None) -> int:
    """The command: JSON on standard output, exit 1 when a bound was missed."""
    parser = argparse.ArgumentParser(prog="stop_times", description="Stop times at the simulated skin and joint.")
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--unit", default="p24")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds whose name holds this")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(words)
    told = measure(options.unit, options.times, options.seed, options.only)
    text = json.dumps(told, indent=1)
    if options.out is not None:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0 if told["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
