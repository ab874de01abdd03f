"""A bad cable between a device and its host: whole writes are lost, late, doubled, damaged, cut or joined.

One write of a device is its frames; towards the device one write is what one read of the link gave. Bytes keep their
order, except by `reorder`, `drop` and the like: a late write holds up those behind it. Nothing grows without bound.
"""

import random
from collections import deque
from collections.abc import Callable

from sim.faults import FOREVER, Fault
from sim.faults_radio import PRESETS, Radio

QUEUE_BYTES_MAX = 65_536
JUNK_BYTES_MAX = 16
HELD_NS_MAX = 50_000_000
"""How long a reordered write waits for another one to come before it."""

Write = tuple[int, bytes]
"""(how much later it comes in ns, the bytes)."""
Helper = Callable[[bytes], bytes]
"""What makes a wrong number or a wrong length out of a good frame; raises ValueError where it cannot."""


class Stage:
    """One fault in one direction. `hits` counts the writes that it has touched."""

    def __init__(self, fault: Fault, rng: random.Random, helper: Helper | None = None) -> None:
        self.fault = fault
        self.hits = 0
        self.held = b""
        self.held_until_ns = FOREVER
        self._rng = rng
        self._helper = helper
        self._again_ns = 0
        self._waits_until_ns = 0
        self._radio = Radio(PRESETS[fault.value], rng.random) if fault.name == "radio-loss" else None
        self._work: Callable[[int, bytes], list[Write]] = {
            "drop": self._drop,
            "radio-loss": self._drop,
            "delay": self._delay,
            "duplicate": self._duplicate,
            "reorder": self._hold,
            "bit-flip": self._flip,
            "wrong-number": self._spoil,
            "wrong-length": self._spoil,
            "split": self._split,
            "merge": self._merge,
            "junk": self._junk,
        }[fault.name]

    def take(self, now_ns: int, data: bytes) -> list[Write]:
        """What becomes of one write."""
        if self.held:
            released = self.let_go()
            return [(0, data), (0, released)]
        if not self._is_hit(now_ns):
            return [(0, data)]
        self.hits += 1
        return self._work(now_ns, data)

    def let_go(self) -> bytes:
        """The write that is being held back, if any."""
        held, self.held, self.held_until_ns = self.held, b"", FOREVER
        return held

    def _is_hit(self, now_ns: int) -> bool:
        if self._radio is not None:
            return self._radio.loses()
        if not self.fault.every_ns:
            return self._rng.random() < self.fault.part
        if now_ns < self._again_ns:
            return False
        self._again_ns = now_ns + self.fault.every_ns
        return True

    def _drop(self, now_ns: int, data: bytes) -> list[Write]:
        return []

    def _delay(self, now_ns: int, data: bytes) -> list[Write]:
        return [(self.fault.value_ns, data)]

    def _duplicate(self, now_ns: int, data: bytes) -> list[Write]:
        return [(0, data), (0, data)]

    def _hold(self, now_ns: int, data: bytes) -> list[Write]:
        self.held, self.held_until_ns = data, now_ns + HELD_NS_MAX
        return []

    def _flip(self, now_ns: int, data: bytes) -> list[Write]:
        spoilt = bytearray(data)
        spoilt[self._rng.randrange(len(spoilt))] ^= 1 << self._rng.randrange(8)
        return [(0, bytes(spoilt))]

    def _spoil(self, now_ns: int, data: bytes) -> list[Write]:
        try:
            return [(0, data if self._helper is None else self._helper(data))]
        except (ValueError, IndexError):  # a write that has no such field
            self.hits -= 1
            return [(0, data)]

    def _split(self, now_ns: int, data: bytes) -> list[Write]:
        if len(data) < 2:
            return [(0, data)]
        at = self._rng.randrange(1, len(data))
        return [(0, data[:at]), (self.fault.value_ns, data[at:])]

    def _merge(self, now_ns: int, data: bytes) -> list[Write]:
        if now_ns >= self._waits_until_ns:
            self._waits_until_ns = now_ns + self.fault.value_ns
        return [(self._waits_until_ns - now_ns, data)]

    def _junk(self, now_ns: int, data: bytes) -> list[Write]:
        return [(0, self._rng.randbytes(self._rng.randint(1, JUNK_BYTES_MAX)) + data)]


class Lane:
    """One direction of a cable. `lost_bytes` counts what found no room."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.lost_bytes = 0
        self._queue: deque[tuple[int, bytes]] = deque()
        self._size = 0

    @property
    def idle(self) -> bool:
        """Nothing is wrong here and nothing is on its way."""
        return not self.stages and not self._queue

    def carry(self, now_ns: int, data: bytes = b"") -> bytes:
        """Send one write (b"" for none); gives what arrives now, this or earlier ones."""
        for stage in self.stages:
            if stage.held_until_ns <= now_ns:
                self._push(now_ns, stage.let_go())
        if data:
            writes = [(0, data)]
            for stage in self.stages:
                writes = [
                    (wait_ns + more_ns, after)
                    for wait_ns, before in writes
                    for more_ns, after in stage.take(now_ns, before)
                ]
            for wait_ns, after in writes:
                self._push(now_ns + wait_ns, after)
        arrived = b""
        while self._queue and self._queue[0][0] <= now_ns:
            arrived += self._queue.popleft()[1]
        self._size -= len(arrived)
        return arrived

    def next_deadline(self) -> int:
        """When something arrives by itself, in ns."""
        due_ns = self._queue[0][0] if self._queue else FOREVER
        for stage in self.stages:
            if stage.held_until_ns < due_ns:
                due_ns = stage.held_until_ns
        return due_ns

    def remove(self, stage: Stage, now_ns: int) -> None:
        """That fault is over."""
        self.stages.remove(stage)
        self._push(now_ns, stage.let_go())

    def cut(self) -> None:
        """The cable is out: what was on its way is lost."""
        self._queue.clear()
        self._size = 0
        for stage in self.stages:
            stage.let_go()

    def _push(self, due_ns: int, data: bytes) -> None:
        if self._size + len(data) > QUEUE_BYTES_MAX:
            self.lost_bytes += len(data)
        elif data:
            self._queue.append((max(due_ns, self._queue[-1][0]) if self._queue else due_ns, data))
            self._size += len(data)


class Cable:
    """Both directions of one device's cable."""

    def __init__(self) -> None:
        self.to_host = Lane()
        self.to_device = Lane()

    @property
    def idle(self) -> bool:
        """Nothing is wrong with it and nothing is on its way: it can be left out."""
        return self.to_host.idle and self.to_device.idle

    def next_deadline(self) -> int:
        """When something arrives by itself, in ns."""
        return min(self.to_host.next_deadline(), self.to_device.next_deadline())

    def cut(self) -> None:
        """The cable is out."""
        self.to_host.cut()
        self.to_device.cut()
