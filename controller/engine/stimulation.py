"""From "these muscles at this share of today's ceiling" to absolute orders, one a tick, inside every limit.

The engine aims inside the limits that the guard holds: ramps are made here, amplitudes are rounded down to the unit's
grid, and no channel rises more than 2 mA within 60 ms. The guard holds 2 mA within 20 ms on its own clock: the margin
is for orders that a busy machine delivers up to 40 ms late, in a bunch. A refusal of the guard is therefore a defect
report.
"""

from collections import deque
from dataclasses import dataclass, field

from controller.clock import MS
from controller.engine.train_log import TrainLog
from safety.orders import LEASE_MAX_NS, Deliver, Order, Purpose, Renew, Stop, StopReason
from safety.stimulus import Train, biphasic

TICK_NS = 20 * MS
GRID_UA = 500
"""The amplitude grid until the unit has said what its own is."""
SLEW_UA_MAX = 2_000
SLEW_WINDOW_NS = 60 * MS


@dataclass(frozen=True, slots=True)
class Output:
    """One channel as it may be used today: integers in the units of the guard, ramps in ns for the whole range."""

    name: str
    channel: int
    pulse_width_us: int
    interphase_us: int
    period_us: int
    ceiling_ua: int
    ramp_up_ns: int
    ramp_down_ns: int
    grid_ua: int = GRID_UA


@dataclass(slots=True)
class _Level:
    """Where a channel is, where it is going, and where that movement started."""

    output: Output
    now_ua: int = 0
    target_ua: int = 0
    from_ua: int = 0
    from_ns: int = 0
    direct: bool = False
    history: deque[tuple[int, int]] = field(default_factory=deque)
    """(until when, amplitude) of what was commanded before: rising amplitudes, newest last."""

    def aim(self, now_ns: int, target_ua: int, direct: bool) -> None:
        """Go to `target_ua`: along the ramp, or at once when `direct` (only the slew bounds it)."""
        target_ua -= target_ua % self.output.grid_ua
        if target_ua != self.target_ua:
            self.target_ua, self.from_ua, self.from_ns = target_ua, self.now_ua, now_ns
        self.direct = direct

    def move(self, now_ns: int) -> int:
        """The amplitude for `now_ns`, remembered as commanded."""
        wanted = self.target_ua if self.direct else self._on_ramp(now_ns)
        if wanted > self.now_ua:
            wanted = min(wanted, self._lowest_ua(now_ns) + SLEW_UA_MAX)
        if wanted != self.now_ua:
            self._remember(now_ns)
            self.now_ua = wanted
        return wanted

    def _remember(self, now_ns: int) -> None:
        """What is left now was commanded until now. An entry as high as a later one can never be the lowest."""
        history, leaving_ua = self.history, self.now_ua
        while history and history[-1][1] >= leaving_ua:
            history.pop()
        history.append((now_ns, leaving_ua))

    def _on_ramp(self, now_ns: int) -> int:
        passed, grid_ua = now_ns - self.from_ns, self.output.grid_ua
        if self.target_ua >= self.from_ua:
            gained = self.output.ceiling_ua * passed // max(1, self.output.ramp_up_ns)
            gained = max(grid_ua, gained - gained % grid_ua)  # the first step comes with the trigger, not a tick later
            return min(self.target_ua, self.from_ua + gained)
        lost = self.output.ceiling_ua * passed // max(1, self.output.ramp_down_ns)
        lost += -lost % grid_ua
        return max(self.target_ua, self.from_ua - lost)

    def _lowest_ua(self, now_ns: int) -> int:
        """The lowest amplitude that was commanded at any instant of the slew window."""
        history = self.history
        while history and now_ns - history[0][0] >= SLEW_WINDOW_NS:
            history.popleft()
        return min(history[0][1], self.now_ua) if history else self.now_ua

    def rest(self) -> None:
        """Output was stopped: the next movement starts from zero."""
        self.now_ua = self.target_ua = self.from_ua = 0
        self.history.clear()


class Stimulation:
    """Makes the orders. It holds no permission: it only knows what it last asked for."""

    def __init__(self) -> None:
        self._levels: dict[str, _Level] = {}
        self._seq = 0
        self._delivering = False
        self._renewed_ns = 0
        self._trains: dict[tuple[int, int], Train] = {}
        self.log = TrainLog()

    def use(self, outputs: list[Output]) -> None:
        """The channels and ceilings of today (only while nothing is delivered)."""
        self._levels = {output.name: _Level(output) for output in outputs}
        self._trains.clear()

    @property
    def delivering(self) -> bool:
        """Current was asked for and not yet ended."""
        return self._delivering

    def now_ua(self, name: str) -> int:
        """The amplitude that a channel was last commanded to, in uA."""
        level = self._levels.get(name)
        return 0 if level is None else level.now_ua

    def ceiling_ua(self, name: str) -> int:
        """Today's ceiling of a channel, in uA."""
        return self._levels[name].output.ceiling_ua

    def aim(self, now_ns: int, targets: dict[str, int], direct: bool = False) -> None:
        """Aim every channel: the named ones at their amplitude in uA, all others at zero."""
        for name, level in self._levels.items():
            level.aim(now_ns, targets.get(name, 0), direct)

    def levels(self) -> list[tuple[str, int]]:
        """(name, amplitude in uA) of every channel as last commanded."""
        return [(name, level.now_ua) for name, level in self._levels.items()]

    def driven(self) -> list[int]:
        """The channels (as numbered on the unit) that carry current, or are about to."""
        return [level.output.channel for level in self._levels.values() if level.now_ua or level.target_ua]

    def peak_ua(self) -> int:
        """The largest amplitude that is commanded now, in uA."""
        return max((level.now_ua for level in self._levels.values()), default=0)

    @property
    def wanted(self) -> bool:
        """Some channel is on, or is to be."""
        return any(level.now_ua or level.target_ua for level in self._levels.values())

    def due(self) -> int:
        """When the next order of a running burst is due, in ns (0 when nothing is delivered)."""
        return self._renewed_ns + TICK_NS if self._delivering else 0

    def order(
        self, now_ns: int, sensor_ns: int, purpose: Purpose, press: int = 0, always: bool = False
    ) -> Order | None:
        """The order for `now_ns`: a new `Deliver` where an amplitude changes (or `always`), else a `Renew`.

        None when nothing is wanted and nothing is on.
        """
        levels = self._levels.values()
        on = changed = False
        for level in levels:
            before_ua = level.now_ua
            after_ua = level.move(now_ns)
            on = on or after_ua > 0
            changed = changed or after_ua != before_ua
        if not on and not always:
            return self.stop(now_ns) if self._delivering else None
        self._renewed_ns = now_ns
        if self._delivering and not changed and not always:
            return Renew(self._next(), now_ns, now_ns + LEASE_MAX_NS, sensor_ns)
        self._delivering = on
        trains = tuple([self._train(level) for level in levels if level.now_ua])
        order = Deliver(self._next(), now_ns, now_ns + LEASE_MAX_NS, purpose, trains, press, sensor_ns)
        self.log.deliver(order)
        return order

    def stop(self, now_ns: int, reason: StopReason = StopReason.RELEASE) -> Stop:
        """End all output at once."""
        self.forget(now_ns)
        return Stop(self._next(), now_ns, reason)

    def forget(self, now_ns: int) -> None:
        """The gateway has stopped by itself: everything is at zero."""
        self._delivering = False
        self.log.stop(now_ns)
        for level in self._levels.values():
            level.rest()

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _train(self, level: _Level) -> Train:
        output = level.output
        key = (output.channel, level.now_ua)
        train = self._trains.get(key)
        if train is None:
            train = biphasic(
                output.channel, level.now_ua, output.pulse_width_us, output.interphase_us, output.period_us
            )
            self._trains[key] = train
        return train
