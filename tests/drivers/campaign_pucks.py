"""A puck's driver under a mix of faults: its twin on a moving person's hand, 100 frames a second, on the virtual clock.

    0 s   the port is opened                                          (no faults: fresh samples must come)
    2 s   the mix begins, for 8 to 12 s; a cable that came out is plugged in again
    then  no faults: within RECOVERY_NS a fresh sample of every puck

Asked of every fresh sample (not flagged STALE): the twin has measured just this, and not longer ago than the line holds
bytes up. What a perfect line would have given is found with a second driver that hears the twin directly. Devices
without any check in their frames cannot hold to that where bits were changed, and those with an 8-bit sum cannot where
pieces of frames were lost (one such join in 256 passes): there wrong values are only counted.
"""

import random
from typing import Any

from controller.drivers.pucks.kind import puck
from controller.vocabulary.sample import STALE, Sample
from controller.wire.link import LinkLost, MemoryLink
from sim.attached import Puck
from sim.catalogue import make
from sim.faults import Fault
from sim.faults_cable import HELD_NS_MAX
from sim.patient import WristPatient
from sim.world import World
from tests.drivers.campaign_mix import MS, SECOND, Outcome, draw, driver_of, longest_wait_ns

START_NS = 1_000 * SECOND
FAULTS_FROM_NS = 2 * SECOND
RECOVERY_NS = 2 * SECOND
AGE_NS_MAX = 150 * MS
CHECKED = ("witmotion", "bno085")
"""Devices whose frames carry a sum of 8 bits; the others carry nothing."""
RATE_DERIVED = ("fitmi", "bno085")
"""Devices without a rate of their own: the driver makes it of two orientations and the time between them."""
_CHANGES_BITS = {"bit-flip", "junk", "wrong-number", "wrong-length"}
_LOSES_WRITES = {"drop", "radio-loss", "reorder", "duplicate"}


def may_be_wrong(device: str, mix: list[Fault]) -> bool:
    """Whether the device's frames let wrong values through under this mix, whatever its driver does."""
    names = {fault.name for fault in mix}
    if "split" in names and names & _LOSES_WRITES:
        return True
    return driver_of(device) not in CHECKED and bool(names & _CHANGES_BITS)


class Session:
    """One seed on one puck."""

    def __init__(self, device: str, seed: int) -> None:
        rng = random.Random(f"{device}/{seed}")
        self.now_ns = START_NS
        self.driver = puck(driver_of(device)).driver()
        self.listener = puck(driver_of(device)).driver()
        self.listener.start(START_NS)
        self.here, there = MemoryLink.pair()
        twin = make(device, seed=seed)
        self.world = World(
            START_NS, WristPatient(seed, True, start_ns=START_NS), pucks=[Puck(device, twin, there)], seed=seed
        )
        span_ms = rng.randint(8_000, 12_000)
        self.mix = draw(rng, device, span_ms)
        self.faults_end_ns = START_NS + FAULTS_FROM_NS + span_ms * MS
        self.out = Outcome(device, seed, tuple(fault.text for fault in self.mix))
        self._device = device
        self._strict = not may_be_wrong(device, self.mix)
        self._age_ns = AGE_NS_MAX + HELD_NS_MAX + longest_wait_ns(self.mix)
        self._measured: dict[Any, int] = {}
        self._fresh_ns: dict[str, int] = {}
        self._replug_ns = 0
        self._replug_after_ns = rng.randint(300, 3_000) * MS
        frame = twin.frame

        def witnessed(t_us: int, gyro_dps: Any, acc_g: Any) -> bytes:
            data: bytes = frame(t_us, gyro_dps, acc_g)
            at_ns = START_NS + t_us * 1000
            for sample in self.listener.feed(at_ns, data):
                self._measured[self._key(sample)] = at_ns
            return data

        twin.frame = witnessed

    def run(self) -> Outcome:
        """All of it."""
        self._write(self.driver.start(self.now_ns))
        self._until(START_NS + FAULTS_FROM_NS)
        if not self._fresh_since(START_NS):
            self.out.broken(FAULTS_FROM_NS, "without any fault no fresh sample of each puck comes")
            return self.out
        for fault in self.mix:
            self.world.add(fault, self.now_ns)
        self._until(self.faults_end_ns)
        self.world.clear("", self.now_ns)
        self._replug_ns = min(self._replug_ns, self.now_ns)
        ends_ns = self.faults_end_ns + RECOVERY_NS
        while self.now_ns < ends_ns and not self._fresh_since(self.faults_end_ns + 1):
            self._until(self.now_ns + 10 * MS)
        if self._fresh_since(self.faults_end_ns + 1):
            self.out.recovered_ns = self.now_ns - self.faults_end_ns
        else:
            self.out.broken(self._at(), f"no fresh sample {RECOVERY_NS // SECOND} s after the last fault")
        self.out.count = len(self._measured)
        return self.out

    def _fresh_since(self, since_ns: int) -> bool:
        return all(self._fresh_ns.get(name, 0) >= since_ns for name in self.driver.pucks)

    def _until(self, ends_ns: int) -> None:
        while self.now_ns < ends_ns:
            due_ns = min(ends_ns, self.world.next_deadline(), self.driver.next_deadline())
            self.now_ns = max(self.now_ns + 1, due_ns)
            self.world.live(self.now_ns)
            self._plug_in_again()
            self._hear()
            if self.now_ns >= self.driver.next_deadline():
                self._write(self.driver.poll(self.now_ns))

    def _plug_in_again(self) -> None:
        if self._replug_ns and self.now_ns >= self._replug_ns:
            self._replug_ns = 0
            self.here, there = MemoryLink.pair()
            self.world.plug(self._device, there, self.now_ns)
            self._write(self.driver.start(self.now_ns))

    def _hear(self) -> None:
        if self._replug_ns:
            return
        try:
            data = self.here.read(1 << 16)
        except LinkLost:
            self._replug_ns = self.now_ns + self._replug_after_ns
            return
        if data:
            for sample in self.driver.feed(self.now_ns, data):
                self._judge(sample)

    def _write(self, data: bytes) -> None:
        if data and not self._replug_ns:
            try:
                self.here.write(data)
            except LinkLost:
                self._replug_ns = self.now_ns + self._replug_after_ns
            self.world.feed(self.now_ns)

    def _key(self, sample: Sample) -> Any:
        rate = None if driver_of(self._device) in RATE_DERIVED else sample.gyro_dps
        return sample.puck, rate, sample.acc_g, sample.quaternion

    def _judge(self, sample: Sample) -> None:
        if sample.flags & STALE:
            return
        self._fresh_ns[sample.puck] = self.now_ns
        measured_ns = self._measured.get(self._key(sample))
        if measured_ns is None:
            self.out.wrong += 1
            if self._strict:
                self.out.broken(self._at(), f"a fresh sample that was never measured: {sample}")
        elif self.now_ns - measured_ns > self._age_ns:
            self.out.wrong += 1  # a changed bit may happen to give what was true before
            if self._strict:
                self.out.broken(self._at(), f"a fresh sample was measured {(self.now_ns - measured_ns) // MS} ms ago")

    def _at(self) -> int:
        return self.now_ns - START_NS


def run(device: str, seed: int) -> Outcome:
    """One seed."""
    return Session(device, seed).run()
