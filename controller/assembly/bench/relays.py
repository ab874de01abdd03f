"""The two controls of `bench loop`, as processes of their own: a bare echo, and a bare two-hop relay that does no work.

Both read frames from one serial port and answer each with as many bytes as an update has, on another. They do what any
program between these ports must do, and nothing else.
"""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Sequence

FRAME_BYTES = 34
HOP_BYTES = 64
ANSWER = bytes(43)


def echo(puck: str, unit: str) -> None:
    """One process: read, answer."""
    read_from, write_to = _open(puck), _open(unit)
    while True:
        select.select([read_from], [], [])
        for _ in range(_count(read_from)):
            os.write(write_to, ANSWER)


def first_hop(puck: str, hop: int) -> None:
    """Two processes: the first reads the port and writes a message of fixed size to the second."""
    read_from = _open(puck)
    line = socket.socket(fileno=hop)
    message = bytes(HOP_BYTES)
    while True:
        select.select([read_from], [], [])
        for _ in range(_count(read_from)):
            line.send(message)


def second_hop(unit: str, hop: int) -> None:
    """The second reads messages and answers on the other port."""
    write_to = _open(unit)
    line = socket.socket(fileno=hop)
    rest = 0
    while True:
        select.select([line], [], [])
        data = line.recv(65536)
        if not data:
            return
        whole, rest = divmod(rest + len(data), HOP_BYTES)
        for _ in range(whole):
            os.write(write_to, ANSWER)


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_NOCTTY)


_pending: dict[int, int] = {}


def _count(descriptor: int) -> int:
    """Whole frames that have arrived, by length alone."""
    whole, rest = divmod(_pending.get(descriptor, 0) + len(os.read(descriptor, 65536)), FRAME_BYTES)
    _pending[descriptor] = rest
    return whole


class Control:
    """A running control: `kind` is echo or relay."""

    def __init__(self, kind: str, puck: str, unit: str) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        if kind == "echo":
            self._start(["echo", puck, unit])
            return
        here, there = socket.socketpair()
        self._start(["first_hop", puck, str(here.fileno())], [here.fileno()])
        self._start(["second_hop", unit, str(there.fileno())], [there.fileno()])
        here.close()
        there.close()

    def _start(self, words: list[str], descriptors: Sequence[int] = ()) -> None:
        command = [sys.executable, "-P", "-m", "controller.assembly.bench.relays", *words]
        self._processes.append(subprocess.Popen(command, pass_fds=descriptors, stdin=subprocess.DEVNULL))

    def close(self) -> None:
        """End it."""
        for process in self._processes:
            process.kill()
            process.wait()


def _main() -> None:
    import gc

    gc.freeze()
    gc.disable()
    name, first, second = sys.argv[1:4]
    if name == "echo":
        echo(first, second)
    elif name == "first_hop":
        first_hop(first, int(second))
    else:
        second_hop(first, int(second))


if __name__ == "__main__":
    _main()
