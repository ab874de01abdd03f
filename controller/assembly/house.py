"""The front's half of the three processes: starts the gateway, then the engine, watches both, and ends them.

Children are spawned, never forked, each in a session of its own, with exactly the descriptors it is given and no
terminal: what they might print goes to a file. A gateway that died is replaced once it is gone; the new one starts
disarmed and sends off first, and the engine is handed its line.
"""

import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from controller.channel.front import FrontLine
from controller.channel.line import Line, pair
from controller.clock import SECOND, now_ns

FAREWELL_NS = 2 * SECOND


@dataclass(frozen=True, slots=True)
class HousePlan:
    """Which devices, which protocol, where the record goes. Devices are `kind:url` (`ximu3:/dev/ttyACM1`)."""

    unit: str
    puck: str
    protocol: Path
    data: Path
    log: Path
    orthosis: str = ""
    pedal: str = ""
    """The serial number of the foot pedal that stops, "" for none."""
    button_pedal: str = ""
    screening: Path | None = None
    """A site's own screening file; without one, `screening.yaml` in the data folder where it is there."""
    authorisation: Path | None = None
    operator: str = ""
    puck_rate_hz: float = 100.0
    affected_side: str = "right"
    seed: int | None = None
    repetitions: int | None = None
    calibration_rest_s: float | None = None
    calibration_attempts: int | None = None


@dataclass(slots=True)
class House:
    """The two real-time processes and the lines to them."""

    plan: HousePlan
    front: FrontLine = field(init=False)
    gateway: "subprocess.Popen[bytes]" = field(init=False)
    engine: "subprocess.Popen[bytes]" = field(init=False)
    gateways_started: int = 0
    _handover: socket.socket = field(init=False)
    _log: IO[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.plan.log.parent.mkdir(parents=True, exist_ok=True)
        self._log = self.plan.log.open("ab")
        gateway_line, engine_end = self._start_gateway()
        engine_line, front_end = pair()
        handover_here, handover_there = pair()
        self._handover = handover_here
        self.engine = self._spawn(
            "controller.engine",
            {"--front": front_end, "--gateway": engine_end, "--handover": handover_there},
            self._engine_words(),
        )
        for end in (front_end, engine_end, handover_there):
            end.close()
        self.front = FrontLine(Line(engine_line), Line(gateway_line))

    def watch(self) -> None:
        """Replace a gateway that has gone. Call it as often as the screen looks."""
        if self.gateway.poll() is None or self.engine.poll() is not None:
            return
        gateway_line, engine_end = self._start_gateway()
        socket.send_fds(self._handover, [str(self.gateway.pid).encode()], [engine_end.fileno()])
        engine_end.close()
        self.front.replace_gateway(Line(gateway_line))

    def close(self) -> None:
        """Hang up, and see both processes go: the gateway stops the unit first, the engine closes the record."""
        self.front.close()
        self._handover.close()
        ends_ns = now_ns() + FAREWELL_NS
        for process in (self.gateway, self.engine):
            try:
                process.wait(max(0.05, (ends_ns - now_ns()) / SECOND))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()

    def _start_gateway(self) -> tuple[socket.socket, socket.socket]:
        """The front's end of the gateway's line, and the engine's."""
        here, front_end = pair()
        engine_end, gateway_end = pair()
        self.gateway = self._spawn(
            "controller.gateway",
            {"--front": front_end, "--engine": gateway_end},
            self._gateway_words(),
        )
        self.gateways_started += 1
        front_end.close()
        gateway_end.close()
        return here, engine_end

    def _gateway_words(self) -> list[str]:
        plan = self.plan
        words = ["--unit", plan.unit, "--orthosis", plan.orthosis, "--data", str(plan.data)]
        words += ["--operator", plan.operator, "--pedal", plan.pedal, "--button-pedal", plan.button_pedal]
        return words if plan.authorisation is None else [*words, "--authorisation", str(plan.authorisation)]

    def _engine_words(self) -> list[str]:
        plan = self.plan
        words = ["--gateway-pid", str(self.gateway.pid), "--puck", plan.puck, "--puck-rate", str(plan.puck_rate_hz)]
        words += ["--protocol", str(plan.protocol), "--data", str(plan.data), "--side", plan.affected_side]
        words += ["--operator", plan.operator]
        optional = {
            "--screening": plan.screening,
            "--seed": plan.seed,
            "--repetitions": plan.repetitions,
            "--calibration-rest": plan.calibration_rest_s,
            "--calibration-attempts": plan.calibration_attempts,
        }
        for name, value in optional.items():
            words += [name, str(value)] if value is not None else []
        return words

    def _spawn(self, module: str, lines: dict[str, socket.socket], words: list[str]) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-P", "-m", module]
        for name, end in lines.items():
            command += [name, str(end.fileno())]
        return subprocess.Popen(
            command + words,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[end.fileno() for end in lines.values()],
            start_new_session=True,
        )
