"""The gateway's shell: one thread, one `poll` over all descriptors, no decisions.

Each wake-up drains a bounded amount from every ready descriptor, reads the clock *after* that, steps the core and
performs what it says. Nothing here is ever printed to the terminal. Should anything in it raise, the devices are told
to stop before anything else is done.
"""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from controller.channel.codec import (
    ASSIST,
    DELIVER,
    FREE,
    HOLD,
    RELEASE,
    RENEW,
    STOP,
    MessageError,
    decode,
    encode,
)
from controller.channel.farewell import details, farewell
from controller.channel.line import Line, LineClosed
from controller.channel.orders import decode_order
from controller.channel.signals import SignalPipe
from controller.channel.stopline import StopListener
from controller.channel.waiter import Waiter
from controller.clock import MS, now_ns
from controller.gateway import ports
from controller.gateway.blackbox import BlackBox
from controller.gateway.changes import Changes
from controller.gateway.core import GatewayCore
from controller.gateway.device_port import DevicePort, PortInputs
from controller.gateway.dose_book import DoseBook
from controller.gateway.last_word import off
from controller.gateway.pedal_port import PedalPort
from controller.vocabulary.facts import BurstStarted
from safety.orders import Deliver

_ORDERS = frozenset({DELIVER, RENEW, STOP, HOLD, ASSIST, RELEASE, FREE})
_UNIT = PortInputs(ports.UnitOpened, ports.UnitMissing, ports.UnitGone, ports.UnitBytes)
_JOINT = PortInputs(ports.JointOpened, ports.JointMissing, ports.JointGone, ports.JointBytes)
FAREWELL_NS = 250 * MS
BEHIND_MS_MAX = 1_000


class GatewayShell:
    """Owns the descriptors. The urls are the ports of unit and orthosis, `runtime` is the folder of the STOP socket."""

    def __init__(
        self,
        core: GatewayCore,
        front: socket.socket,
        engine: socket.socket,
        unit_url: str,
        runtime: Path,
        joint_url: str = "",
        data: Path | None = None,
    ) -> None:
        self._core = core
        self._front: Line | None = Line(front)
        self._engine: Line | None = Line(engine)
        self._stop = StopListener(runtime)
        self._signals = SignalPipe()
        self._log = BlackBox()
        self._inputs: list[ports.Input] = []
        self._changes = None if data is None else Changes(data, core.permits.holder.operator, self._inputs)
        self._dose = None if data is None else DoseBook(data)
        self._dose_failed = self._log_failed = self._dose_told = ""
        self._dose_asked: ports.OpenDose | None = None
        self._log_kept: Path | None = None
        self._log_behind = False
        self._ending_at_ns = 0
        self._waiter = Waiter()
        self._unit = DevicePort(unit_url, core.kind.line, _UNIT, self._inputs, self._waiter)
        self._joint: DevicePort | None = None
        if core.joint.kind is not None:
            self._joint = DevicePort(joint_url, core.joint.kind.line, _JOINT, self._inputs, self._waiter)
        self._pedals = {
            role: PedalPort(role, pedal.serial, self._inputs, self._waiter)
            for role, pedal in core.pedals.by_role.items()
        }
        self._waiter.watch(self._stop.fileno(), self._read_stop)
        self._waiter.watch(self._signals.fileno(), self._read_signals)
        self._waiter.watch(front.fileno(), self._read_front)
        self._waiter.watch(engine.fileno(), self._read_engine)

    def run(self) -> str:
        """Serve until the screen has gone and output is confirmed zero (or 250 ms later).

        Gives "" then. Whatever raises ends it too: with both devices told to stop first, and a sentence for a person.
        """
        try:
            self._serve()
            self._close()
        except Exception as error:
            return self._fall(error)
        return ""

    def _serve(self) -> None:
        self._unit.open()
        if self._joint is not None:
            self._joint.open()
        for pedal in self._pedals.values():
            pedal.open()
        while not self._finished():
            ready = self._wait()
            for reader in ready:
                reader()
            self._look_at_dose()
            self._look_at_changes()
            self._look_at_log()
            inputs = self._inputs[:]
            self._inputs.clear()
            now = now_ns()
            self._perform(self._core.decide(now, inputs))
            self._perform(self._core.tick(now))

    def _close(self) -> None:
        folder, head = self._log.folder, self._log.head
        self._log.close(now_ns())
        self._vouch_for_dose()
        if self._changes is not None:
            self._changes.close(folder, head)
        if self._dose is not None:
            self._dose.close(timeout_s=2.0)
        self._stop.close()

    def _fall(self, error: Exception) -> str:
        """Off first. Then both neighbours are hung up on, so that they know at once, and the log says what it was."""
        told = self._off()
        for line in (self._front, self._engine):
            if line is not None:
                line.close()
        with contextlib.suppress(Exception):
            self._log.record(now_ns(), "gateway_failed", {"told": told, "details": details(error)}, sync=True)
        with contextlib.suppress(Exception):
            self._close()
        self._off()  # once more, should a frame have been lost on the way
        did = ", ".join(f"{name} {what}" for name, what in told.items())
        return farewell("gateway", error, f"Output: {did}. Look after the patient.")

    def _off(self) -> dict[str, str]:
        unit, joint = self._core.unit, self._core.joint.unit
        devices = [("the unit", unit.driver, self._unit)]
        return off(now_ns(), [*devices, ("the orthosis", joint.driver, self._joint)] if joint is not None else devices)

    def _look_at_dose(self) -> None:
        self._open_dose()
        failed = "" if self._dose is None else self._dose.failed
        if failed != self._dose_failed:
            self._dose_failed = failed
            if failed:
                self._inputs.append(ports.DoseFailed(failed))
        if self._dose is not None and self._dose.name != self._dose_told and self._dose.vouched is not None:
            self._dose_told = self._dose.name
            self._vouch_for_dose()

    def _vouch_for_dose(self) -> None:
        if self._dose is not None and self._changes is not None:
            self._changes.dose(self._dose.name, self._dose.vouched)

    def _look_at_log(self) -> None:
        failed = self._log.failed
        if failed and failed != self._log_failed:
            self._inputs.append(ports.LogFailed(failed))
        self._log_failed = failed
        if self._log.vouched is not None and self._log.folder != self._log_kept:
            self._log_kept = self._log.folder
            self._inputs.append(ports.LogKept(str(self._log_kept)))
        behind = self._log.backlog_ms(now_ns()) > BEHIND_MS_MAX
        if behind != self._log_behind:
            self._log_behind = behind
            self._inputs.append(ports.LogBehind(behind))

    def _look_at_changes(self) -> None:
        if self._changes is None:
            return
        head = self._changes.look(now_ns(), self._log.vouched)
        if head is not None:
            self._say(self._engine, head)

    def _finished(self) -> bool:
        if not self._core.leaving:
            return False
        now = now_ns()
        self._ending_at_ns = self._ending_at_ns or now + FAREWELL_NS
        driver = self._core.unit.driver
        return now >= self._ending_at_ns or ((driver is None or driver.confirmed_zero) and self._core.joint.freed)

    def _wait(self) -> list[Callable[[], None]]:
        backlog = False
        for line in (self._front, self._engine):
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
        except MessageError as error:
            self._inputs.append(ports.StopSignal(f"a broken message from the screen: {error}", tests=False))
        except LineClosed as error:
            self._waiter.forget(self._front.fileno())
            self._front = None
            self._inputs.append(ports.FrontGone(str(error)))

    def _read_engine(self) -> None:
        if self._engine is None:
            return
        pressed = False
        try:
            for kind, payload in self._engine.receive():
                if kind in _ORDERS:
                    order = decode_order(kind, payload)
                    starts = type(order) is Deliver and not self._core.delivery.on
                    pressed = pressed or starts or (type(order) is Deliver and order.press != 0)
                    self._inputs.append(ports.FromEngine(order))
                else:
                    self._inputs.append(ports.FromEngine(decode(kind, payload)))
        except (MessageError, LineClosed) as error:
            self._waiter.forget(self._engine.fileno())
            self._engine = None
            self._inputs.append(ports.EngineGone(str(error)))
        # An order of fitting, and one that begins a burst, may answer to a key press that was sent before it on the
        # other line: whatever a person said before the engine's words arrived is read too, and is taken first.
        if pressed or self._core.permits.by_button_only:
            self._read_front()

    def _read_stop(self) -> None:
        if self._stop.pressed():
            self._inputs.append(ports.StopSignal("stimloop stop"))

    def _read_signals(self) -> None:
        for name in self._signals.names():
            self._inputs.append(ports.StopSignal(name))
            self._core.leaving = True

    # -- what is to be done ----------------------------------------------------------------------------------

    def _perform(self, outputs: list[ports.Output]) -> None:
        for output in outputs:
            if isinstance(output, ports.ToUnit):
                self._unit.write(output.data)
            elif isinstance(output, ports.ToEngine):
                message = output.message
                if isinstance(message, BurstStarted):
                    message = replace(message, written_ns=now_ns())
                self._say(self._engine, message)
            elif isinstance(output, ports.ToFront):
                self._say(self._front, output.message)
            elif isinstance(output, ports.Log):
                self._log.record(output.t_ns, output.kind, output.data, output.sync)
            elif isinstance(output, ports.OpenLog):
                self._log.open(Path(output.folder), now_ns())
                if self._changes is not None:
                    self._changes.session(now_ns(), Path(output.folder))
            elif isinstance(output, ports.Audit):
                if self._changes is not None:
                    self._changes.add(output)
            elif isinstance(output, ports.DoseOutput):
                self._mind_dose(output)
            else:
                self._mind_port(output)
        self._stop.acknowledge()

    def _say(self, line: Line | None, message: object) -> None:
        if line is not None and not line.send(*encode(message)) and line.told_overlong():
            self._log.record(now_ns(), "message_dropped", {"message": type(message).__name__}, sync=True)

    def _mind_dose(self, output: ports.DoseOutput) -> None:
        if self._dose is None:
            return
        if isinstance(output, ports.NoteDose):
            self._dose.note(output)
        else:
            self._vouch_for_dose()
            self._dose_told = ""
            self._dose_asked = output
            self._open_dose()

    def _open_dose(self) -> None:
        """Once all is written that belongs to the last one: until then the core waits for the answer."""
        asked = self._dose_asked
        if self._dose is not None and asked is not None and self._dose.let_go():
            self._dose_asked = None
            self._inputs.append(self._dose.open(now_ns(), asked.patient, asked.date))

    def _mind_port(self, output: ports.Output) -> None:
        if isinstance(output, ports.OpenUnit):
            self._unit.open()
        elif isinstance(output, ports.CloseUnit):
            self._unit.close()
        elif isinstance(output, ports.OpenPedal):
            self._pedals[output.role].open()
        elif self._joint is None:
            return
        elif isinstance(output, ports.ToJoint):
            self._joint.write(output.data)
        elif isinstance(output, ports.OpenJoint):
            self._joint.open()
        elif isinstance(output, ports.CloseJoint):
            self._joint.close()
