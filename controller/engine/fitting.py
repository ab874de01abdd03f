"""Fitting: which amplitude the patient feels, which one moves the muscle, and which one is the most they accept."""

from dataclasses import dataclass

from controller.clock import MS
from controller.vocabulary.intents import Level, MarkLevel, Titrate
from safety.orders import Purpose

TRAIN_NS = 2_700 * MS  # the guard allows 3 s: the engine aims inside, and a busy machine may be late


@dataclass(slots=True)
class Found:
    """What fitting found on one channel today, in uA (0 = not yet)."""

    sensory_ua: int = 0
    motor_ua: int = 0
    tolerance_ua: int = 0


class Fitting:
    """The titration of every channel of the protocol, one fresh key press at a time."""

    def __init__(self, channels: dict[int, str], limits_ua: dict[int, int]) -> None:
        self.found = {name: Found() for name in channels.values()}
        self.level_ua = dict.fromkeys(channels, 0)
        self.active: int = 0
        self.press = 0
        self.purpose = Purpose.TITRATE
        self._names = channels
        self._limits_ua = limits_ua
        self._until_ns = 0

    def titrate(self, now_ns: int, wish: Titrate) -> str:
        """Take one step. Gives the channel's name, or "" when the channel is none of the protocol's."""
        name = self._names.get(wish.channel, "")
        if not name:
            return ""
        level = self.level_ua[wish.channel] + wish.step_ua
        if 0 <= level <= self._limits_ua[wish.channel]:
            self.level_ua[wish.channel] = level
        if wish.channel != self.active or now_ns >= self._until_ns:
            self._until_ns = now_ns + TRAIN_NS
        self.active, self.press = wish.channel, wish.press
        self.purpose = Purpose.IDENTIFY if wish.purpose == "identify" else Purpose.TITRATE
        return name

    def targets(self, now_ns: int) -> dict[str, int]:
        """What the active channel should put out now; nothing once its train is over."""
        if not self.active or now_ns >= self._until_ns:
            self.active = 0
            return {}
        return {self._names[self.active]: self.level_ua[self.active]}

    def off(self) -> None:
        """Current off; the level that was reached is remembered."""
        self.active = 0

    def start_over(self) -> None:
        """The next step of every channel is its first; what was found stays."""
        self.level_ua = dict.fromkeys(self.level_ua, 0)

    def deadline(self) -> int:
        """When the running train must end, in ns (0 for none)."""
        return self._until_ns if self.active else 0

    def mark(self, wish: MarkLevel, amplitude: int) -> bool:
        """`amplitude` (uA, flowing now) is this level of a channel. False where it cannot be."""
        name = self._names.get(wish.channel, "")
        if not name or not amplitude:
            return False
        found = self.found[name]
        if wish.level is Level.SENSORY:
            found.sensory_ua = amplitude
        elif wish.level is Level.MOTOR:
            found.motor_ua = amplitude
        elif amplitude >= found.motor_ua:
            found.tolerance_ua = amplitude if not found.tolerance_ua else min(amplitude, found.tolerance_ua)
        else:
            return False
        return True

    @property
    def complete(self) -> bool:
        """Every channel has all three levels."""
        return all(found.sensory_ua and found.motor_ua and found.tolerance_ua for found in self.found.values())
