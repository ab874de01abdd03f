"""The engine's shell: one thread, one `poll` over all descriptors, no decisions.

Each wake-up drains a bounded amount, reads the clock after that, steps the core and performs what it says: orders
first, the screen last. The record is written by a thread of its own (`controller.record`).
"""

import contextlib
import os
import signal
import socket
from collections.abc import Callable

from controller.channel.codec import MessageError, decode, encode
from controller.channel.farewell import details, farewell
from controller.channel.line import Line, LineClosed
from controller.channel.orders import encode_order
from controller.channel.signals import SignalPipe
from controller.channel.waiter import Waiter
from controller.clock import now_ns
from controller.drivers.ports import PortFault
from controller.engine import ports
from controller.engine.core import EngineCore
from controller.vocabulary.notices import Notice
from controller.wire.link import Link, LinkLost
from safety.orders import Deliver, Renew


class EngineShell:
    """Owns the descriptors. `handover` brings a new gateway's line; `open_puck` opens the puck's port."""

    def __init__(
        self,
        core: EngineCore,
        front: socket.socket,
        gateway: socket.socket,
        handover: socket.socket,
        gateway_pid: int,
        open_puck: Callable[[], Link],
    ) -> None:
        self._core = core
        self._front: Line | None = Line(front)
        self._gateway: Line | None = Line(gateway)
        self._handover = handover
        self._handover.setblocking(False)
        self._gateway_pid = gateway_pid
        self._open_puck_port = open_puck
        self._puck: Link | None = None
        self._signals = SignalPipe()
        self._inputs: list[ports.Input] = []
        self._leaving = False
        self._waiter = Waiter()
        self._waiter.watch(self._signals.fileno(), self._read_signals)
        self._waiter.watch(handover.fileno(), self._read_handover)
        self._waiter.watch(front.fileno(), self._read_front)
        self._waiter.watch(gateway.fileno(), self._read_gateway)

    def run(self) -> str:
        """Serve until the core has nothing left to do.

        Gives "" then. Whatever raises ends it too: the gateway is hung up on first, which stops and latches it.
        """
        try:
            self._serve()
        except Exception as error:
            return self._fall(error)
        return ""

    def _fall(self, error: Exception) -> str:
        if self._gateway is not None:
            self._gateway.close()
        with contextlib.suppress(Exception):
            self._core.note(now_ns(), "engine_failed", {"details": details(error)}, sync=True)
        with contextlib.suppress(Exception):
            self._core.close(now_ns(), "fault")
        done = "The gateway stops all output when the engine ends. Look after the patient."
        return farewell("engine", error, done)

    def _serve(self) -> None:
        self._open_puck()
        while not self._leaving:
            for reader in self._wait():
                reader()
            inputs, self._inputs = self._inputs, []
            now = now_ns()
            self._perform(self._core.decide(now, inputs))
            self._perform(self._core.tick(now))

    def _wait(self) -> list[Callable[[], None]]:
        backlog = False
        for line in (self._front, self._gateway):
            if line is not None and line.wants_write:
                line.flush()
                backlog = True
        left_ns = 0 if self._inputs else self._core.next_deadline() - now_ns()
        return self._waiter.wait(left_ns, backlog)

    # -- what arrived ----------------------------------------------------------------------------------------

    def _read_front(self) -> None:
        if self._front is None:
            return
        try:
            for kind, payload in self._front.receive():
                self._inputs.append(ports.FromFront(decode(kind, payload)))
        except (MessageError, LineClosed) as error:
            self._waiter.forget(self._front.fileno())
            self._front = None
            self._inputs.append(ports.FrontGone(str(error)))

    def _read_gateway(self) -> None:
        if self._gateway is None:
            return
        try:
            for kind, payload in self._gateway.receive():
                self._inputs.append(ports.FromGateway(decode(kind, payload)))
        except (MessageError, LineClosed) as error:
            self._waiter.forget(self._gateway.fileno())
            self._gateway = None
            self._inputs.append(ports.GatewayGone(str(error)))

    def _read_puck(self) -> None:
        try:
            data = self._puck.read() if self._puck else b""
        except LinkLost as error:
            self._lose_puck(str(error))
            return
        if data:
            self._inputs.append(ports.PuckBytes(data))

    def _read_handover(self) -> None:
        """A new gateway: its process number as text, its line as a descriptor."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._handover, 32, 1)
        except BlockingIOError:
            return
        if not data:  # the front has gone, which its own line says as well
            self._waiter.forget(self._handover.fileno())
            return
        if self._gateway is not None:
            self._waiter.forget(self._gateway.fileno())
        self._gateway_pid = int(data)
        self._gateway = Line(socket.socket(fileno=descriptors[0]))
        self._waiter.watch(self._gateway.fileno(), self._read_gateway)
        self._inputs.append(ports.GatewayBack())

    def _read_signals(self) -> None:
        names = self._signals.names()
        if names:
            self._inputs.append(ports.FrontGone(names[0]))

    # -- what is to be done ----------------------------------------------------------------------------------

    def _perform(self, outputs: list[ports.Output]) -> None:
        for output in outputs:
            if isinstance(output, ports.ToGateway):
                self._send_gateway(output)
            elif isinstance(output, ports.ToFront):
                if self._front is not None and not self._front.wants_write:  # latest wins: a slow screen skips
                    self._say(self._front, output.message)
            elif isinstance(output, ports.ToPuck):
                self._write_puck(output.data)
            elif isinstance(output, ports.OpenPuck):
                self._open_puck()
            elif isinstance(output, ports.EndGateway):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._gateway_pid, signal.SIGKILL)
            else:
                self._leaving = True

    def _send_gateway(self, output: ports.ToGateway) -> None:
        if self._gateway is None:
            return
        message = output.message
        if type(message) is Deliver or type(message) is Renew or not isinstance(message, Notice):
            self._gateway.send(*encode_order(message))
        else:
            self._say(self._gateway, message)

    def _say(self, line: Line, message: object) -> None:
        if not line.send(*encode(message)) and line.told_overlong():
            self._core.note(now_ns(), "message_dropped", {"message": type(message).__name__}, sync=True)

    def _write_puck(self, data: bytes) -> None:
        try:
            if self._puck is not None:
                self._puck.write(data)
        except LinkLost as error:
            self._lose_puck(str(error))

    def _open_puck(self) -> None:
        try:
            self._puck = self._open_puck_port()
        except PortFault as error:
            self._inputs.append(ports.PuckMissing(f"{error}. {error.todo.capitalize()}."))
        else:
            self._waiter.watch(self._puck.fileno(), self._read_puck)
            self._inputs.append(ports.PuckOpened(""))

    def _lose_puck(self, cause: str) -> None:
        if self._puck is not None:
            self._waiter.forget(self._puck.fileno())
            self._puck.close()
            self._puck = None
        self._inputs.append(ports.PuckGone(cause))
