"""Which generation of ScienceMode answers: some answers are the same in 3 and 4, others give their unit away.

A RehaMove3 (3) and a P24 (4) share frames and most answers. Told apart are: the version of the protocol, where it is
said; the extended version and the report of channels, which only a P24 gives; the answer to a pulse of the low level,
two bytes or more.
"""

from controller.wire.sciencemode.frame import Frame, Framer

UNITS = {3: "RehaMove3", 4: "P24"}
"""The unit that speaks each generation."""

_PULSE_ACK, _REPORT, _VERSION, _EXTENDED = 3, 37, 51, 69
_VERSION_BYTES, _EXTENDED_BYTES = 7, 13
_PROTOCOL_AT = 4


def generation(data: bytes) -> int:
    """3 or 4 when the good answers in `data` tell; 0 when they do not, or contradict each other."""
    told = {_told(frame) for frame in Framer().feed(data) if isinstance(frame, Frame)} - {0}
    return told.pop() if len(told) == 1 else 0


def _told(frame: Frame) -> int:
    """What one frame gives away: 3, 4, or 0."""
    command, payload = frame.command, frame.payload
    size = len(payload)
    if (command, size) in ((_VERSION, _VERSION_BYTES), (_EXTENDED, _EXTENDED_BYTES)):
        spoken = payload[_PROTOCOL_AT]
        return spoken if spoken in UNITS else 0
    if command == _REPORT and size > 1:
        return 4 if (payload[1], size) in ((3, 4), (4, 7)) else 0
    if command == _PULSE_ACK and size > 1:
        return 3 if size == 2 else 4
    return 0
