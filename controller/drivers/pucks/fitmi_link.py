"""The host's side of a FitMi connection: its opening, waking the pucks, and the commands that wait to be written.

Opening, as the maker's own program does it: listen until a report says `connected`; after 200 reports or 400 ms without
one reset the dongle's radio, once, and wait 600 ms; then game mode on for both pucks. 700 ms without reports are the
end of reception: what comes after them is a new opening (without a second reset).
"""

from enum import Enum
from typing import NamedTuple

from controller.drivers.pucks.base import NEVER
from controller.wire import fitmi as wire
from controller.wire.fitmi import PuckCommand, Report

REPORTS_MAX = 200
LISTEN_NS = 400_000_000
RESET_NS = 600_000_000
SILENT_NS = 700_000_000
WAKE_AGAIN_NS = 1_000_000_000
COMMAND_GAP_NS = 20_000_000  # the dongle's queue is short
EFFECT_GAP_NS = 200_000_000  # of one puck: the rate that the maker's and other programs keep
EFFECT_AGE_NS_MAX = 500_000_000  # a light that comes later says the wrong thing
QUEUE_MAX = 10  # what the dongle itself takes


class Waiting(NamedTuple):
    """A command that waits. `effect` is True for lights and vibration, which become worthless at `until_ns`."""

    puck: int
    frame: bytes
    effect: bool
    until_ns: int


class Outbox:
    """Commands that wait: one write each, 20 ms apart, settings first, effects of a puck 200 ms apart.

    Holds at most ten. An effect that finds no room is dropped; a setting takes the place of the oldest effect.
    """

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._free_ns = 0
        self._dark_ns = [0, 0]

    def __len__(self) -> int:
        return len(self._waiting)

    def clear(self) -> None:
        """Forget what waits; the gaps still hold."""
        self._waiting.clear()

    def put(self, puck: int, frame: bytes) -> None:
        """A setting; one that waits already is not doubled."""
        if any(other.frame == frame for other in self._waiting):
            return
        if len(self._waiting) >= QUEUE_MAX:
            oldest = next((other for other in self._waiting if other.effect), self._waiting[0])
            self._waiting.remove(oldest)
        self._waiting.append(Waiting(puck, frame, False, NEVER))

    def effect(self, now_ns: int, puck: int, frame: bytes) -> None:
        """A light or a vibration."""
        if len(self._waiting) < QUEUE_MAX:
            self._waiting.append(Waiting(puck, frame, True, now_ns + EFFECT_AGE_NS_MAX))

    def take(self, now_ns: int) -> bytes:
        """The command that may go now, if one may."""
        self._waiting = [other for other in self._waiting if now_ns <= other.until_ns]
        for other in sorted(self._waiting, key=lambda waiting: waiting.effect):
            if now_ns >= self._ready_ns(other):
                self._waiting.remove(other)
                self._free_ns = now_ns + COMMAND_GAP_NS
                if other.effect:
                    self._dark_ns[other.puck] = now_ns + EFFECT_GAP_NS
                return other.frame
        return b""

    def due_ns(self) -> int:
        """When the next command may go (`NEVER` when none waits)."""
        return min((self._ready_ns(other) for other in self._waiting), default=NEVER)

    def _ready_ns(self, other: Waiting) -> int:
        return max(self._free_ns, self._dark_ns[other.puck]) if other.effect else self._free_ns


class Phase(Enum):
    """Where the connection stands."""

    LISTENING = "listening"
    RESETTING = "resetting"
    OPEN = "open"


class FitMiLink:
    """One connection to a dongle. Fed its reports and time, it gives the commands."""

    def __init__(self, now_ns: int) -> None:
        self.phase = Phase.LISTENING
        self.outbox = Outbox()
        self._since_ns = now_ns
        self._reports = 0
        self._reset_sent = False
        self._ever_open = False
        self._connected: list[bool | None] = [None, None]
        self._woken_ns = [0, 0]

    def heard(self, now_ns: int, report: Report) -> None:
        """A report has come."""
        connected = [bool(block.status & wire.CONNECTED) for block in report.blocks]
        if self.phase is Phase.OPEN:
            self._since_ns = now_ns
            for puck, block in enumerate(report.blocks):
                awake = bool(block.status & wire.IMU_OK) and block.quaternion_ok
                self._look_after(now_ns, puck, connected[puck], awake)
        elif self.phase is Phase.LISTENING:
            self._reports += 1
            if any(connected):
                self._open(now_ns)
            elif self._reports >= REPORTS_MAX:
                self._reset(now_ns)
        self._connected[:] = connected

    def poll(self, now_ns: int) -> bytes:
        """The command that is due now, if any."""
        if now_ns >= self._turn_ns():
            if self.phase is Phase.LISTENING:
                self._reset(now_ns)
            elif self.phase is Phase.RESETTING:
                self._open(now_ns)
            else:
                self.phase, self._since_ns, self._reports = Phase.LISTENING, now_ns, 0
        return self.outbox.take(now_ns)

    def next_deadline(self) -> int:
        """When `poll` has something to do, ns."""
        return min(self._turn_ns(), self.outbox.due_ns())

    def effect(self, now_ns: int, puck: int, frame: bytes) -> None:
        """A light or a vibration, where the puck can be reached."""
        if self.phase is Phase.OPEN and self._connected[puck]:
            self.outbox.effect(now_ns, puck, frame)

    def farewell(self) -> tuple[bytes, ...]:
        """The buzz on touch as it was found; nothing where nothing was changed."""
        self.outbox.clear()
        if not self._ever_open:
            return ()
        return tuple(wire.encode_command(puck, PuckCommand.TOUCHBUZ, 0, 1) for puck in (wire.BLUE, wire.YELLOW))

    def _turn_ns(self) -> int:
        """When this phase ends by itself."""
        if self.phase is Phase.RESETTING:
            return self._since_ns + RESET_NS
        if self.phase is Phase.OPEN:
            return self._since_ns + SILENT_NS
        return NEVER if self._reset_sent else self._since_ns + LISTEN_NS

    def _reset(self, now_ns: int) -> None:
        if not self._reset_sent:
            self._reset_sent = True
            self.phase, self._since_ns = Phase.RESETTING, now_ns
            self.outbox.clear()
            self.outbox.put(wire.BLUE, wire.encode_command(wire.BLUE, PuckCommand.DNGLRST, 0, 0))

    def _open(self, now_ns: int) -> None:
        self.phase, self._since_ns, self._ever_open = Phase.OPEN, now_ns, True
        self._connected[:] = [None, None]
        for command, on in _SETTINGS:
            for puck in (wire.BLUE, wire.YELLOW):
                self.outbox.put(puck, wire.encode_command(puck, command, 0, on))
        self._woken_ns[:] = [now_ns, now_ns]

    def _look_after(self, now_ns: int, puck: int, connected: bool, awake: bool) -> None:
        """A puck that joins late (taken from its charger) or sleeps has not heard the commands, or forgot them."""
        if not connected or (awake and self._connected[puck]):
            return
        back = self._connected[puck] is False
        if back or now_ns - self._woken_ns[puck] >= WAKE_AGAIN_NS:
            self._woken_ns[puck] = now_ns
            for command, on in _SETTINGS:
                self.outbox.put(puck, wire.encode_command(puck, command, 0, on))


_SETTINGS = ((PuckCommand.GAMEON, 1), (PuckCommand.TOUCHBUZ, 0))
