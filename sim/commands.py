"""Lines on stdin that act on a running world: what a person beside the patient would do.

cue | relax                     ask the person to move, to let go
attempt NM RISE HOLD FALL       let the person make exactly this attempt now (N m, s)
play                            start the recording
unplug DEVICE                   pull that cable
touch on|off [NEWTON]           lay a hand on the worn puck (with this load), take it away
press [DEVICE]                  step on that pedal and off again; `press DEVICE down` stays on it, `up` lets go
electrode CHANNEL off|on        lift an electrode, stick it back
fault SPEC                      let something go wrong from now on (sim/faults.py says how it is written)
clear [NAME]                    end the faults of that name, or all
quit                            end
"""

import contextlib
import os
import sys

from sim.faults import FaultRefused, parse
from sim.world import World

LINE_MAX = 256


class CommandLine:
    """Lines of a descriptor, read without blocking; `fileno` is -1 when there is none, or it has ended."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = -1
        self._rest = b""
        if descriptor is not None:
            with contextlib.suppress(OSError):  # closed by whoever started us
                os.fstat(descriptor)
                self._descriptor = descriptor

    def fileno(self) -> int:
        """What to select on."""
        return self._descriptor

    def read(self) -> list[str]:
        """The whole lines that have arrived; call when the descriptor is ready."""
        if self._in_background():
            self._descriptor = -1
            return []
        try:
            data = os.read(self._descriptor, 4096)
        except OSError:
            data = b""
        if not data:
            self._descriptor = -1
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-LINE_MAX:]
        return [line.decode("utf-8", "replace") for line in lines]

    def _in_background(self) -> bool:
        """A terminal whose keys belong to another job: reading it would stop this process."""
        if not os.isatty(self._descriptor):
            return False
        try:
            return os.tcgetpgrp(self._descriptor) != os.getpgrp()
        except OSError:
            return True


def obey(world: World, line: str, now_ns: int) -> bool:
    """Do what `line` says at `now_ns`; a line that cannot be obeyed is told on stderr. False for `quit`."""
    match line.split():
        case []:
            done = True
        case ["quit"]:
            return False
        case ["cue"]:
            world.cue(now_ns)
            done = True
        case ["relax"]:
            world.relax(now_ns)
            done = True
        case ["attempt", *figures] if len(figures) == 4:
            done = world.attempt(now_ns, figures)
        case ["play"]:
            done = world.play(now_ns)
        case ["unplug", name]:
            done = world.unplug(name, now_ns)
        case ["electrode", channel, "on" | "off" as state] if channel.isdecimal():
            done = world.electrode(int(channel), state == "on", now_ns)
        case ["touch", "on" | "off" as state, *load] if len(load) < 2 and all(map(_is_number, load)):
            done = world.touch(state == "on", float(load[0]) if load else 0.0, now_ns)
        case ["press", *words] if len(words) < 3 and words[1:2] in ([], ["down"], ["up"]):
            done = _press(world, words, now_ns)
        case ["fault", spec]:
            done = _fault(world, spec, now_ns)
        case ["clear", *names] if len(names) < 2:
            done = world.clear("".join(names), now_ns)
        case _:
            done = False
    if not done:
        print(f"not done: {line.strip()!r}", file=sys.stderr, flush=True)
    return True


def _press(world: World, words: list[str], now_ns: int) -> bool:
    """Down, up, or both."""
    name = words[0] if words else ""
    ways = [way for way in ("down", "up") if words[1:2] in ([], [way])]
    done = [world.step(name, way == "down", now_ns) for way in ways]
    return all(done)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _fault(world: World, spec: str, now_ns: int) -> bool:
    """Add a fault; why it cannot be is told on stderr."""
    try:
        world.add(parse(spec), now_ns)
    except FaultRefused as refused:
        print(refused, file=sys.stderr, flush=True)
        return False
    return True
