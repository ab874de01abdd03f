"""Makes the faults that were asked for happen to a world: when they start and end, on which cable, in which device.

Everything follows from the seed: each fault, direction and device has random numbers of its own, so that one fault
more leaves the others as they were. Each start and each end is a line in the world's log.
"""

import heapq
import random
from importlib import import_module
from typing import Any, Protocol

from sim.catalogue import TWINS, make
from sim.faults import CABLE_PLACES, FAULTS, FOREVER, Fault, FaultRefused, Place, Value
from sim.faults_cable import Cable, Helper, Lane, Stage

HELPERS = {"wrong-number": "renumbered", "wrong-length": "mislengthed"}
FAULTS_MAX = 64
"""Faults that may be there at once, to come ones among them."""


class Afflicted(Protocol):
    """What a fault needs of the world."""

    @property
    def devices(self) -> tuple[Any, ...]: ...
    def suffer(self, device: Any, fault: str, value: str, now_ns: int) -> bool: ...
    def unplug(self, name: str, now_ns: int) -> bool: ...
    def pass_on(self, device: Any, now_ns: int) -> None: ...
    def note(self, now_ns: int, event: str, **more: Any) -> None: ...


def helper_of(device: str, name: str) -> Helper | None:
    """What damages that field of this device's frames; None where its frames have no such field."""
    known = TWINS.get(device)
    if known is None or not known.wire:
        return None
    helper: Helper | None = getattr(import_module(known.wire), HELPERS[name], None)
    return helper


def has(device: str, name: str, value: str = "") -> bool:
    """Whether the device of that name can have the fault. A spare twin is asked, so nothing happens to any other."""
    if name in HELPERS:
        return helper_of(device, name) is not None
    if FAULTS[name].place is not Place.DEVICE:
        return True
    if device not in TWINS:
        return False
    spare = make(device)
    try:
        return hasattr(spare, "suffer") and bool(spare.suffer(name, value, 0))
    except ValueError:
        return False


def faults_of(device: str) -> tuple[str, ...]:
    """The names of all faults that the device of that name can have."""
    return tuple(name for name, kind in FAULTS.items() if has(device, name, kind.usual))


class Trouble:
    """All faults of one world. `next_deadline` and `happen` are its part of the world's time."""

    def __init__(self, world: Afflicted, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._count = 0
        self._agenda: list[tuple[int, int, str, Fault]] = []
        self._running: dict[int, Fault] = {}
        self._stages: dict[int, list[tuple[Any, Lane, Stage]]] = {}

    def add(self, fault: Fault, now_ns: int) -> None:
        """`fault` begins `start_ns` after `now_ns`. Raises `FaultRefused` where no device of the world can have it."""
        self._devices(fault)
        if len(self._running) + len(self._agenda) >= FAULTS_MAX:
            raise FaultRefused(f"{fault.text}: there are {FAULTS_MAX} faults already; `clear` some.")
        self._count += 1
        heapq.heappush(self._agenda, (now_ns + fault.start_ns, self._count, "begin", fault))
        self.happen(now_ns)

    def clear(self, name: str, now_ns: int) -> int:
        """End every fault of that name ("" for all), and those still to come; how many there were."""
        waiting = {number for _, number, _, fault in self._agenda if name in ("", fault.name)}
        running = [number for number, fault in self._running.items() if name in ("", fault.name)]
        for number in running:
            self._end(number, now_ns)
        self._agenda = [entry for entry in self._agenda if entry[1] not in waiting]
        heapq.heapify(self._agenda)
        self._leave_out_good_cables()
        return len(waiting | set(running))

    def next_deadline(self) -> int:
        """When a fault begins or ends, or bytes that were held up arrive, in ns."""
        due_ns = self._agenda[0][0] if self._agenda else FOREVER
        for device in self._world.devices:
            if device.cable is not None:
                due_ns = min(due_ns, device.cable.next_deadline())
        return due_ns

    def happen(self, now_ns: int) -> None:
        """Whatever is due at `now_ns`, up to which the world has been lived through."""
        while self._agenda and self._agenda[0][0] <= now_ns:
            _, number, what, fault = heapq.heappop(self._agenda)
            if what == "begin":
                self._begin(number, fault, now_ns)
            elif what == "again" and number in self._running:
                self._strike(number, fault, now_ns)
            elif what == "end" and number in self._running:
                self._end(number, now_ns)
        for device in self._world.devices:
            if device.cable is not None:
                self._world.pass_on(device, now_ns)
        self._leave_out_good_cables()

    # -- beginnings and ends -------------------------------------------------------------------------------------------

    def _devices(self, fault: Fault) -> list[Any]:
        """The devices of the world that `fault` happens to; `FaultRefused` when there is none."""
        devices = [device for device in self._world.devices if fault.device in ("", device.name)]
        if not devices:
            there = ", ".join(device.name for device in self._world.devices) or "none"
            raise FaultRefused(f"{fault.text}: there is no device {fault.device!r} here; there are {there}.")
        able = [device for device in devices if has(device.name, fault.name, fault.value)]
        if not able:
            known = "; ".join(f"{device.name} has {', '.join(faults_of(device.name))}" for device in devices)
            raise FaultRefused(f"{fault.text}: no device here can have {_called(fault)}. {known}.")
        return able

    def _begin(self, number: int, fault: Fault, now_ns: int) -> None:
        self._running[number] = fault
        if fault.length_ns < FOREVER:
            heapq.heappush(self._agenda, (now_ns + fault.length_ns, number, "end", fault))
        for device in self._devices(fault):
            self._world.note(now_ns, "fault begins", fault=fault.name, device=device.name, asked=fault.text)
            if fault.kind.place in CABLE_PLACES:
                self._lay(number, fault, device)
        if fault.kind.place not in CABLE_PLACES:
            self._strike(number, fault, now_ns)

    def _lay(self, number: int, fault: Fault, device: Any) -> None:
        """Put the fault into the device's cable."""
        cable = device.cable = device.cable or Cable()
        lanes = {"sent": cable.to_host, "received": cable.to_device}
        for way, lane in lanes.items():
            if way == "received" and fault.kind.place is not Place.BOTH:
                continue
            rng = random.Random(f"{self._seed}/{fault.text}/{device.name}/{way}")
            helper = helper_of(device.name, fault.name) if fault.name in HELPERS else None
            stage = Stage(fault, rng, helper)
            lane.stages.append(stage)
            self._stages.setdefault(number, []).append((device, lane, stage))

    def _strike(self, number: int, fault: Fault, now_ns: int) -> None:
        """What happens in the device or at its plug, once; and again where it is to be repeated."""
        for device in self._devices(fault):
            if fault.kind.place is Place.PLUG:
                self._world.unplug(device.name, now_ns)
            else:
                self._world.suffer(device, fault.name, fault.value, now_ns)
        if fault.every_ns:
            heapq.heappush(self._agenda, (now_ns + fault.every_ns, number, "again", fault))

    def _end(self, number: int, now_ns: int) -> None:
        fault = self._running.pop(number)
        stages = self._stages.pop(number, [])
        for device, lane, stage in stages:
            lane.remove(stage, now_ns)
            if lane is device.cable.to_host:
                hits = sum(other.hits for owner, _, other in stages if owner is device)
                self._world.note(now_ns, "fault ends", fault=fault.name, device=device.name, hits=hits)
        if stages:
            return
        for device in self._devices(fault):
            ended = fault.kind.lasts and self._heal(device, fault, now_ns)
            self._world.note(now_ns, "fault ends", fault=fault.name, device=device.name, healed=ended)

    def _heal(self, device: Any, fault: Fault, now_ns: int) -> bool:
        """Tell the device that it is well again; False where the fault stays."""
        if fault.kind.value is Value.CHANNEL:
            return bool(self._world.suffer(device, fault.name, f"{fault.value} ok", now_ns))
        return bool(self._world.suffer(device, fault.name, "ok", now_ns))

    def _leave_out_good_cables(self) -> None:
        for device in self._world.devices:
            if device.cable is not None and device.cable.idle:
                device.cable = None


def _called(fault: Fault) -> str:
    return f"{fault.name}:{fault.value}" if fault.value else fault.name
