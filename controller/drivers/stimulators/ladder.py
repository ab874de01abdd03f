"""`Ladder`: how much of an admitted order may be written now, so that a unit that answers late makes no leap.

The guard bounds the rise of what it admits, order by order. A driver that waits for its unit and then writes the newest
order alone would put all the steps that it left out into one. Times are ns, currents uA.
"""

from safety.limits import SLEW_UA_MAX, SLEW_WINDOW_NS
from safety.memory import Trail
from safety.stimulus import Train, biphasic

FOREVER = 1 << 62
Key = tuple[int, int]
"""(command of the answer, packet number)."""


class Ladder:
    """`aim` is the newest order that is not, or not wholly, written; its falls never wait.

    A driver that is in step with its unit (nothing waits, every rise was answered) writes what was admitted. Else a
    channel rises to the order that began to wait, as that was admitted, or to 2 mA (on the unit's grid) over the lowest
    current of the last 20 ms at the skin, whichever is more. When a late unit carried a rise out is known from its
    answer, not before; a fall counts from when it is written. What is written is the order or less of it.
    """

    def __init__(self, grid_ua: int) -> None:
        self._step_ua = SLEW_UA_MAX - SLEW_UA_MAX % grid_ua
        self.aim: tuple[Train, ...] = ()
        self._first: dict[int, int] = {}
        self._written: dict[int, int] = {}
        self._rises: dict[Key, dict[int, int]] = {}
        self._trails: dict[int, Trail] = {}
        self._again_ns = FOREVER

    @property
    def waiting(self) -> bool:
        """Something that was admitted is not wholly written."""
        return self.aim != ()

    def order(self, now_ns: int, trains: tuple[Train, ...]) -> None:
        """This is admitted, in the place of everything before it."""
        wanted = {train.channel: train.amplitude_ua for train in trains}
        if self.waiting:
            before = self._first
            wanted = {channel: min(ua, before[channel]) for channel, ua in wanted.items() if channel in before}
        elif self._rises:
            wanted = {}
        self._first = wanted
        self.aim, self._again_ns = trains, now_ns

    def due_ns(self) -> int:
        """When `take` may have something to give, as far as the unit is free to take it."""
        return self._again_ns if self.waiting else FOREVER

    def take(self, now_ns: int, key: Key) -> tuple[Train, ...]:
        """The trains to write now, in the frame that is answered as `key`; () for nothing."""
        trains = tuple(self._lowered(train, now_ns) for train in self.aim)
        whole = trains == self.aim
        wanted = {train.channel: train.amplitude_ua for train in trains if train.amplitude_ua}
        self._again_ns = self._loosens_ns(now_ns)
        if not whole and wanted == self._written:
            return ()
        if any(ua > self._written.get(channel, 0) for channel, ua in wanted.items()):
            self._rises[key] = wanted
        for channel in {*wanted, *self._trails}:
            trail = self._trails.setdefault(channel, Trail())
            if wanted.get(channel, 0) < trail.amount:
                trail.change(now_ns, wanted.get(channel, 0))
        self._written, self._first = wanted, {}
        if whole:
            self.aim = ()
        return trains

    def answered(self, now_ns: int, key: Key) -> None:
        """The unit has carried out the frame of this answer, at the latest now, and all before it."""
        if key not in self._rises:
            return
        for each in tuple(self._rises):
            rise = self._rises.pop(each)
            for channel, ua in rise.items():
                reached_ua = min(ua, self._written.get(channel, 0))
                if reached_ua > self._trails[channel].amount:
                    self._trails[channel].change(now_ns, reached_ua)
            if each == key:
                break
        self._again_ns = now_ns

    def drop(self) -> None:
        """What waits is not to be written any more."""
        self.aim = ()

    def off(self) -> None:
        """Everything is off, and nothing waits."""
        self.aim = ()
        self._written, self._rises, self._trails = {}, {}, {}

    def _lowered(self, train: Train, now_ns: int) -> Train:
        channel, trail = train.channel, self._trails.get(train.channel)
        lowest_ua = 0 if trail is None else trail.lowest(now_ns)
        most_ua = max(lowest_ua + self._step_ua, self._written.get(channel, 0), self._first.get(channel, 0))
        if train.amplitude_ua <= most_ua:
            return train
        width_us, pause_us, period_us = train.waveform
        return biphasic(train.channel, most_ua, width_us, pause_us, period_us)

    def _loosens_ns(self, now_ns: int) -> int:
        """When the lowest current of the last 20 ms is another; far away where only an answer can change it."""
        leaves = [until_ns + SLEW_WINDOW_NS for trail in self._trails.values() for until_ns, _ in trail.past]
        return min([leaves_ns for leaves_ns in leaves if leaves_ns > now_ns], default=FOREVER)
