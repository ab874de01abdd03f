"""Linux input events, as a foot pedal or a button sends them (`struct input_event` of a 64-bit system), both roles.

An event has 24 bytes: seconds and microseconds (two int64), type and code (two uint16), value (int32), little endian. A
key event's value is 1 for a press, 0 for a release and 2 while the kernel repeats a key that is held. `SYN_DROPPED`
says that the kernel had to throw events away: what happened meanwhile is not known. Source: the kernel's own
`include/uapi/linux/input.h` and `Documentation/input/event-codes.rst`.
"""

import struct
from typing import NamedTuple

from controller.wire.errors import LocalError

EVENT_BYTES = 24
EV_SYN, EV_KEY, EV_MAX = 0x00, 0x01, 0x1F
SYN_REPORT, SYN_DROPPED = 0, 3
KEY_MAX = 0x2FF
RELEASED, PRESSED, REPEATED = 0, 1, 2

_EVENT = struct.Struct("<qqHHi")
_MICROSECONDS = 1_000_000

# The requests of ioctl(2) on an event node; those that fill a buffer take its size.
_READ, _WRITE = 2, 1
KEY_STATE_BYTES = KEY_MAX // 8 + 1


def _request(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("E") << 8 | number


TEXT_BYTES = 256
GET_NAME = _request(_READ, 0x06, TEXT_BYTES)
GET_UNIQ = _request(_READ, 0x08, TEXT_BYTES)
GET_KEYS = _request(_READ, 0x18, KEY_STATE_BYTES)
GRAB = _request(_WRITE, 0x90, 4)


class KeyPressed(NamedTuple):
    """A key went down, or is repeated without our having seen it go down."""

    code: int


class KeyReleased(NamedTuple):
    """A key went up."""

    code: int


class EventsLost(NamedTuple):
    """Events were thrown away, or cannot be read: nobody knows what was pressed meanwhile."""

    why: str


KeyEvent = KeyPressed | KeyReleased | EventsLost


def encode(kind: int, code: int, value: int, t_us: int = 0) -> bytes:
    """Device role: the 24 bytes of one event at `t_us` microseconds. Raises `LocalError` where a field does not fit."""
    try:
        return _EVENT.pack(*divmod(t_us, _MICROSECONDS), kind, code, value)
    except struct.error as error:
        raise LocalError(f"no such input event: {kind} {code} {value}: {error}") from error


def encode_key(code: int, value: int, t_us: int = 0) -> bytes:
    """Device role: a key event and the report that ends it, as the kernel hands them out."""
    return encode(EV_KEY, code, value, t_us) + encode(EV_SYN, SYN_REPORT, 0, t_us)


def keys_of(state: bytes) -> frozenset[int]:
    """The codes whose bits are set, in the answer to `GET_KEYS`."""
    return frozenset(8 * at + bit for at, byte in enumerate(state) for bit in range(8) if byte >> bit & 1)


class KeyReader:
    """Bytes of one event node -> key events. Torn reads are put together; never raises.

    `held` are the keys that are down, as far as is known; give it the node's own word at the opening. After
    `SYN_DROPPED` the rest of that report is skipped, as the kernel asks for, and nothing is taken for held: what the
    loss means is for the caller to say. Bytes that are no event are taken for a loss too.
    """

    def __init__(self, held: frozenset[int] = frozenset()) -> None:
        self.held = set(held)
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[KeyEvent]:
        """What the bytes complete, oldest first. Keeps at most 23 bytes between calls."""
        data = self._rest + data
        whole = len(data) - len(data) % EVENT_BYTES
        self._rest = data[whole:]
        found: list[KeyEvent] = []
        for seconds, microseconds, kind, code, value in _EVENT.iter_unpack(data[:whole]):
            if not (seconds >= 0 and 0 <= microseconds < _MICROSECONDS and kind <= EV_MAX):
                found.append(self._lose("what it sends cannot be read"))
            elif kind == EV_SYN:
                if code == SYN_DROPPED:
                    found.append(self._lose("the system dropped some of its events"))
                    self._skipping = True
                elif code == SYN_REPORT:
                    self._skipping = False
            elif kind == EV_KEY and not self._skipping:
                self._take(code, value, found)
        return found

    def _take(self, code: int, value: int, found: list[KeyEvent]) -> None:
        if value == RELEASED:
            self.held.discard(code)
            found.append(KeyReleased(code))
        elif value != REPEATED or code not in self.held:  # a press whose release was lost is a press too
            self.held.add(code)
            found.append(KeyPressed(code))

    def _lose(self, why: str) -> EventsLost:
        self.held.clear()
        return EventsLost(why)
