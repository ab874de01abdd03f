"""What must hold for any bytes at all, one target a codec. Used by the fuzzer and by the test that replays its corpus.

No byte sequence makes a framer raise, hang or grow without bound; how the stream is cut changes nothing; what a framer
lets through is decoded or refused with `RemoteError`, and what was decoded encodes to what decodes to the same.
"""

from collections.abc import Callable
from typing import Any

from controller.wire.errors import RemoteError

HELD_BYTES_MAX = 4096
"""More than this no framer may keep between two calls: the longest frame of any codec has 1200 bytes."""


class Broken(AssertionError):
    """A property of a codec does not hold for some bytes."""


def _held(framer: Any) -> int:
    """Bytes that a framer keeps, its helpers' included."""
    total = 0
    for value in vars(framer).values():
        if isinstance(value, bytes | bytearray | str | list | tuple):
            total += len(value)
        elif hasattr(value, "__dict__"):
            total += _held(value)
    return total


def _framed(make: Callable[[], Any], data: bytes) -> list[Any]:
    """All that the framer finds, whole and in pieces; the same both ways, with little kept."""
    framer = make()
    whole = framer.feed(data)
    if _held(framer) > HELD_BYTES_MAX:
        raise Broken(f"the framer keeps {_held(framer)} bytes")
    if len(whole) > len(data) + 1:
        raise Broken(f"{len(whole)} messages from {len(data)} bytes")
    pieces, at, framer = [], 0, make()
    while at < len(data):
        size = 1 + data[at] % 13
        pieces += framer.feed(data[at : at + size])
        at += size
    if repr(pieces) != repr(whole):  # by their text, because a float may be no number
        raise Broken(f"cut in pieces it reads {pieces}, whole {whole}")
    return list(whole)


def _only_refused(decode: Callable[[Any], Any], frame: Any) -> Any:
    try:
        return decode(frame)
    except RemoteError:
        return None


def sciencemode(data: bytes) -> None:
    """ScienceMode 3 and 4: P24 and RehaMove3."""
    from controller.wire.sciencemode import p24, rehamove3
    from controller.wire.sciencemode.frame import Frame, Framer, build, parse

    for frame in _framed(Framer, data):
        if type(frame) is not Frame:
            continue
        if parse(build(*frame)) != frame:
            raise Broken(f"{frame} does not survive its own bytes")
        for role in (p24.decode_request, p24.decode_answer, rehamove3.decode_request, rehamove3.decode_answer):
            _only_refused(role, frame)
    p24.resembles(data)
    rehamove3.resembles(data)


def sciencemode2(data: bytes) -> None:
    """ScienceMode 2: RehaStim2."""
    from controller.wire.sciencemode2 import rehastim2
    from controller.wire.sciencemode2.frame import Frame, Framer

    for frame in _framed(Framer, data):
        if type(frame) is Frame:
            for role in (rehastim2.decode_request, rehastim2.decode_answer):
                _only_refused(role, frame)
    rehastim2.resembles(data)


def dynamixel(data: bytes) -> None:
    """Dynamixel Protocol 2.0."""
    from controller.wire.dynamixel import instructions
    from controller.wire.dynamixel.frame import Frame, Framer, build, parse, stuff, unstuff

    for frame in _framed(Framer, data):
        if type(frame) is Frame:
            if parse(build(*frame)) != frame:
                raise Broken(f"{frame} does not survive its own bytes")
            for role in (instructions.decode_instruction, instructions.decode_status):
                _only_refused(role, frame)
            _only_refused(lambda frame: instructions.decode_fast_status(frame, 4), frame)
    if unstuff(stuff(data)) != data:
        raise Broken("stuffing loses something")
    instructions.resembles(data)


def ximu3(data: bytes) -> None:
    """x-IMU3, binary and text."""
    from controller.wire import ximu3 as wire

    _framed(wire.Framer, data)
    if wire.unstuff(wire.stuff(data)[:-1]) != data:
        raise Broken("stuffing loses something")
    wire.resembles(data)


def witmotion(data: bytes) -> None:
    """WitMotion, serial frames and radio notifications."""
    from controller.wire import witmotion as wire

    _framed(wire.Framer, data)
    _only_refused(wire.decode_notification, data)
    _only_refused(wire.decode, data)
    wire.resembles(data)


def bno085(data: bytes) -> None:
    """BNO085 in its UART-RVC mode."""
    from controller.wire import bno085 as wire

    _framed(wire.Framer, data)
    _only_refused(wire.decode, data)
    wire.resembles(data)


def textline(data: bytes) -> None:
    """Lines of text."""
    from controller.wire import textline as wire

    _framed(wire.Framer, data)
    _only_refused(wire.decode, data)
    wire.resembles(data)


def fitmi(data: bytes) -> None:
    """FitMi reports and commands."""
    from controller.wire import fitmi as wire

    for report in _framed(wire.StreamFramer, data):
        if isinstance(report, wire.Report) and wire.decode_report(wire.encode_report(report)) != report:
            raise Broken(f"{report} does not survive its own bytes")
    _only_refused(wire.decode_report, data)
    _only_refused(wire.decode_command, data)


CODECS: dict[str, Callable[[bytes], None]] = {
    "sciencemode": sciencemode,
    "sciencemode2": sciencemode2,
    "dynamixel": dynamixel,
    "ximu3": ximu3,
    "witmotion": witmotion,
    "bno085": bno085,
    "textline": textline,
    "fitmi": fitmi,
}
