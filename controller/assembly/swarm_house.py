"""A simulated computer with the three processes on it: the very cores, on a clock, lines and ports that can fail.

Each process can be killed or stand still, each line between two of them can be late, each cable can be pulled and
plugged in again, and the computer's clock can drift or jump. What the shells and the house of the real processes do
about it is done here in the same way: a gateway that died is replaced once the screen sees it, and starts disarmed; a
screen that has gone ends both others; whoever stood still finds afterwards what has piled up.
"""

import heapq
from collections.abc import Callable
from typing import Any

from controller.assembly.swarm_lines import Pipe, SimulatedFront
from controller.assembly.swarm_parts import Hardware, Port, Process
from controller.clock import MS
from controller.engine import ports as engine_ports
from controller.engine.core import EngineCore
from controller.gateway import ports as gateway_ports
from controller.gateway.core import GatewayCore
from controller.wire.link import LinkLost
from sim.clocks import HostClock

LOOK_EVERY_NS = 100 * MS
LONGEST_WAIT_NS = 100 * MS
"""A shell wakes up at least so often, as its `poll` does."""
FAREWELL_NS = 250 * MS
START_UP_NS = 400 * MS
ROUNDS_MAX = 64
CRASHES_MAX = 100


class SimulatedHouse:
    """See the module's text. `look` is the person at the screen, asked each 100 ms while the screen is alive."""

    def __init__(self, hardware: Hardware, clock: HostClock, start_ns: int, look: Callable[[int], None]) -> None:
        self.hardware = hardware
        self.world = hardware.world
        self.clock = clock
        self.now_ns = start_ns
        self.crashes: list[tuple[int, str]] = []
        """(when, what) of each exception that ended a process."""
        self.starts = self.gateways = self.steps = 0
        self.doses: dict[tuple[str, str], gateway_ports.NoteDose] = {}
        self.asleep_until_ns = 0
        """The computer sleeps until then: no process runs, and none can be started."""
        self._look = look
        self.unit = Port(self.world, hardware.unit_name)
        self.puck = Port(self.world, hardware.puck_name)
        self.joint = Port(self.world, hardware.joint_name)
        self._agenda: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0
        self._wrote = False
        self.start(start_ns)

    # -- processes begin and end -----------------------------------------------------------------------------------

    def start(self, now_ns: int) -> None:
        """A person starts the program: all three processes anew."""
        self.starts += 1
        self.screen, self.engine_process, self.gateway_process = Process(True, 0, now_ns), Process(), Process()
        self._new_engine_lines()
        self._start_gateway(now_ns)
        self.engine = EngineCore(self.hardware.setting())
        self.engine_process = Process(True, 0, now_ns)
        self._open(self.engine_process, self.puck, engine_ports.PuckOpened, engine_ports.PuckMissing)
        self.front = SimulatedFront(self._tell_engine, self._tell_gateway)

    def _new_engine_lines(self) -> None:
        self.engine_to_front, self.front_to_engine = Pipe(), Pipe()

    def _start_gateway(self, now_ns: int, ready_ns: int = 0) -> None:
        hardware = self.hardware
        self.gateways += 1
        self.front_to_gateway, self.gateway_to_front = Pipe(), Pipe()
        self.engine_to_gateway, self.gateway_to_engine = Pipe(), Pipe()
        self.gateway = GatewayCore(
            hardware.unit, first_number=self.gateways * 1_000, orthosis=hardware.orthosis, keeps_dose=True
        )
        self.gateway_process = process = Process(True, now_ns + ready_ns, now_ns)
        self._leaving_ns = 0
        self.at(now_ns + ready_ns, lambda _: self._open_gateway_ports(process))

    def _open_gateway_ports(self, process: Process) -> None:
        if not process.up:
            return
        self._open(process, self.unit, gateway_ports.UnitOpened, gateway_ports.UnitMissing)
        if self.hardware.orthosis is not None:
            self._open(process, self.joint, gateway_ports.JointOpened, gateway_ports.JointMissing)

    def _open(self, process: Process, port: Port, opened: Any, missing: Any) -> None:
        found = port.open(self.now_ns)
        process.news.append(opened("memory") if found else missing("There is no such port."))

    def kill_gateway(self, cause: str = "killed") -> None:
        """The process ends at once: its ports close, its lines end."""
        if self.gateway_process.up:
            self.gateway_process = Process()
            self.unit.close()
            self.joint.close()
            self.gateway_to_front.ended = cause
            self.gateway_to_engine.push(self.now_ns, engine_ports.GatewayGone(cause))

    def kill_engine(self, cause: str = "killed") -> None:
        """The process ends at once."""
        if self.engine_process.up:
            self.engine_process = Process()
            self.puck.close()
            self.engine_to_front.ended = cause
            self.engine_to_gateway.push(self.now_ns, gateway_ports.EngineGone(cause))

    def hang_up(self, cause: str = "killed") -> None:
        """The screen ends: both lines end, and so do the others when they have heard of it."""
        if self.screen.up:
            self.screen = Process()
            self.front.close()
            self.front_to_gateway.push(self.now_ns, gateway_ports.FrontGone(cause))
            self.front_to_engine.push(self.now_ns, engine_ports.FrontGone(cause))

    def freeze(self, process: Process, until_ns: int) -> None:
        """The process stands still."""
        process.frozen_until_ns = max(process.frozen_until_ns, until_ns)

    def sleep(self, until_ns: int) -> None:
        """The computer is suspended: all processes stand still, and the clock goes on."""
        self.asleep_until_ns = max(self.asleep_until_ns, until_ns)
        for process in (self.gateway_process, self.engine_process, self.screen):
            self.freeze(process, until_ns)

    def signal(self, source: str) -> None:
        """STOP from outside the screen: `stimloop stop`, a pedal."""
        if self.gateway_process.up:
            self.gateway_process.news.append(gateway_ports.StopSignal(source))
            self.gateway_process.due_ns = self.now_ns

    def at(self, t_ns: int, happen: Callable[[int], None]) -> None:
        """Let `happen(now)` be called at `t_ns`."""
        self._count += 1
        heapq.heappush(self._agenda, (t_ns, self._count, happen))

    # -- time --------------------------------------------------------------------------------------------------------

    def run(self, until_ns: int) -> None:
        """Live up to `until_ns`."""
        self._world_due_ns = self.world.next_deadline()
        while True:
            due_ns = self._next_ns()
            if due_ns > until_ns:
                self.now_ns = max(self.now_ns, until_ns)
                return
            if due_ns > self.now_ns:
                self.now_ns = due_ns
            self._instant(self.now_ns)

    def _next_ns(self) -> int:
        due_ns = self._world_due_ns
        for process in (self.gateway_process, self.engine_process, self.screen):
            if process.up:
                next_ns = process.due_ns
                if next_ns < process.frozen_until_ns:
                    next_ns = process.frozen_until_ns
                if next_ns < due_ns:
                    due_ns = next_ns
        if self._agenda and self._agenda[0][0] < due_ns:
            due_ns = self._agenda[0][0]
        for pipe, process in (
            (self.engine_to_gateway, self.gateway_process),
            (self.front_to_gateway, self.gateway_process),
            (self.gateway_to_engine, self.engine_process),
            (self.front_to_engine, self.engine_process),
        ):
            if pipe.waiting and process.up:
                next_ns = max(pipe.waiting[0][0], process.frozen_until_ns)
                if next_ns < due_ns:
                    due_ns = next_ns
        return due_ns

    def _instant(self, now_ns: int) -> None:
        if self._world_due_ns <= now_ns:
            self.world.live(now_ns)
        while self._agenda and self._agenda[0][0] <= now_ns:
            self.world.live(now_ns)
            heapq.heappop(self._agenda)[2](now_ns)
        if self.screen.due_ns <= now_ns and self.screen.awake(now_ns):
            self._step_screen(now_ns)
        for _ in range(ROUNDS_MAX):
            if self._wrote:
                self._wrote = False
                self.world.advance(now_ns)
            stepped = self._step_gateway(now_ns)
            stepped = self._step_engine(now_ns) or stepped
            if not stepped and not self._wrote:
                self._world_due_ns = self.world.next_deadline()
                return
        self.crashes.append((now_ns, "the cores never fall silent: a real process would spin"))
        self.gateway_process.due_ns = self.engine_process.due_ns = now_ns + MS
        self._world_due_ns = self.world.next_deadline()

    # -- the screen --------------------------------------------------------------------------------------------------

    def _tell_gateway(self, message: Any) -> None:
        self.front_to_gateway.push(self.now_ns, gateway_ports.FromFront(message))

    def _tell_engine(self, message: Any) -> None:
        self.front_to_engine.push(self.now_ns, engine_ports.FromFront(message))

    def _step_screen(self, now_ns: int) -> None:
        self.screen.due_ns = now_ns + LOOK_EVERY_NS
        host_ns = self.clock.read(now_ns)
        self.front.hear(now_ns, host_ns, self.engine_to_front, self.gateway_to_front)
        self.front.heartbeat(host_ns)
        if not self.gateway_process.up and self.engine_process.up:
            self._start_gateway(now_ns, START_UP_NS)
            self.front.meet(self._tell_gateway)
            self.gateway_to_engine.push(now_ns, engine_ports.GatewayBack())
        self._look(now_ns)

    # -- the gateway -------------------------------------------------------------------------------------------------

    def _step_gateway(self, now_ns: int) -> bool:
        process = self.gateway_process
        if not process.awake(now_ns):
            return False
        inputs, process.news = process.news, []
        if self.front_to_gateway.waiting:
            inputs += self.front_to_gateway.take(now_ns)
        if self.engine_to_gateway.waiting:
            inputs += self.engine_to_gateway.take(now_ns)
        if self.unit.here is not None:
            self._hear(inputs, self.unit, gateway_ports.UnitBytes, gateway_ports.UnitGone)
        if self.joint.here is not None:
            self._hear(inputs, self.joint, gateway_ports.JointBytes, gateway_ports.JointGone)
        if not inputs and now_ns < process.due_ns:
            return False
        self.steps += 1
        gateway = self.gateway
        try:
            outputs = gateway.step(self.clock.read(now_ns), inputs)
        except Exception as error:  # whatever it is: it would end the real process
            self._crashed("gateway", error)
            self.kill_gateway(repr(error))
            return True
        for output in outputs:
            self._perform_gateway(now_ns, process, output)
        process.due_ns = min(self.clock.when(gateway.next_deadline()), now_ns + LONGEST_WAIT_NS)
        if gateway.leaving:
            self._see_gateway_off(now_ns)
        return True

    def _see_gateway_off(self, now_ns: int) -> None:
        self._leaving_ns = self._leaving_ns or now_ns + FAREWELL_NS
        driver = self.gateway.unit.driver
        if now_ns >= self._leaving_ns or ((driver is None or driver.confirmed_zero) and self.gateway.joint.freed):
            if self._wrote:
                self.world.advance(now_ns)
            self.kill_gateway("it has left")

    @staticmethod
    def _hear(inputs: list[Any], port: Port, bytes_of: Any, gone: Any) -> None:
        data = port.read()
        if data is None:
            inputs.append(gone("the cable is out"))
        elif data:
            inputs.append(bytes_of(data))

    def _perform_gateway(self, now_ns: int, process: Process, output: gateway_ports.Output) -> None:
        if isinstance(output, gateway_ports.ToEngine):
            self.gateway_to_engine.push(now_ns, engine_ports.FromGateway(output.message))
        elif isinstance(output, gateway_ports.ToFront):
            self.gateway_to_front.push(now_ns, output.message)
        elif isinstance(output, gateway_ports.ToUnit):
            self._write(process, self.unit, output.data, gateway_ports.UnitGone)
        elif isinstance(output, gateway_ports.ToJoint):
            self._write(process, self.joint, output.data, gateway_ports.JointGone)
        elif isinstance(output, gateway_ports.OpenUnit):
            self._open(process, self.unit, gateway_ports.UnitOpened, gateway_ports.UnitMissing)
        elif isinstance(output, gateway_ports.CloseUnit):
            self.unit.close()
        elif isinstance(output, gateway_ports.OpenJoint):
            self._open(process, self.joint, gateway_ports.JointOpened, gateway_ports.JointMissing)
        elif isinstance(output, gateway_ports.CloseJoint):
            self.joint.close()
        elif isinstance(output, gateway_ports.OpenLog):
            process.news.append(gateway_ports.LogKept(output.folder))
        elif isinstance(output, gateway_ports.OpenDose):
            process.news.append(self._dose_of(output.patient, output.date))
        elif isinstance(output, gateway_ports.NoteDose):
            self.doses[output.patient, output.date] = output

    def _dose_of(self, patient: str, date: str) -> gateway_ports.DoseRead:
        """What stands in the book of the day, which outlives every process."""
        noted = self.doses.get((patient, date))
        if noted is None:
            return gateway_ports.DoseRead(patient, date, (0, 0, 0, 0), "")
        return gateway_ports.DoseRead(patient, date, noted.amounts, "", noted.lately, noted.ceilings, noted.torques)

    def _write(self, process: Process, port: Port, data: bytes, gone: Any) -> None:
        if port.here is None:
            return
        try:
            port.here.write(data)
            self._wrote = True
        except LinkLost:
            port.here = None
            process.news.append(gone("the cable is out"))

    # -- the engine --------------------------------------------------------------------------------------------------

    def _step_engine(self, now_ns: int) -> bool:
        process = self.engine_process
        if not process.awake(now_ns):
            return False
        inputs, process.news = process.news, []
        if self.front_to_engine.waiting:
            inputs += self.front_to_engine.take(now_ns)
        if self.gateway_to_engine.waiting:
            inputs += self.gateway_to_engine.take(now_ns)
        if self.puck.here is not None:
            self._hear(inputs, self.puck, engine_ports.PuckBytes, engine_ports.PuckGone)
        if not inputs and now_ns < process.due_ns:
            return False
        self.steps += 1
        try:
            outputs = self.engine.step(self.clock.read(now_ns), inputs)
        except Exception as error:  # whatever it is: it would end the real process
            self._crashed("engine", error)
            self.kill_engine(repr(error))
            return True
        for output in outputs:
            if isinstance(output, engine_ports.ToGateway):
                self.engine_to_gateway.push(now_ns, gateway_ports.FromEngine(output.message))
            elif isinstance(output, engine_ports.ToFront):
                self.engine_to_front.push(now_ns, output.message)
            elif isinstance(output, engine_ports.ToPuck):
                self._write(process, self.puck, output.data, engine_ports.PuckGone)
            elif isinstance(output, engine_ports.OpenPuck):
                self._open(process, self.puck, engine_ports.PuckOpened, engine_ports.PuckMissing)
            elif isinstance(output, engine_ports.EndGateway):
                self.kill_gateway("ended by the engine")
            elif isinstance(output, engine_ports.Leave):
                self.kill_engine("it has left")
        process.due_ns = min(self.clock.when(self.engine.next_deadline()), now_ns + LONGEST_WAIT_NS)
        return True

    def _crashed(self, who: str, error: Exception) -> None:
        if len(self.crashes) < CRASHES_MAX:
            self.crashes.append((self.now_ns, f"the {who} died: {error!r}"))
