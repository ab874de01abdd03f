"""The virtual assembly: world, engine, gateway and therapist in one process, on one clock that nobody waits for.

The very cores of the real processes, stepped from one heap keyed (time, number). What is missing is what the shells
do: descriptors, signals, waiting. Bytes go over links in memory, orders and facts as the values that the cores give.
The same seed gives the same bytes.
"""

from collections.abc import Callable
from pathlib import Path

from controller.assembly.therapist import ScriptedTherapist
from controller.clock import MS, SECOND
from controller.engine import ports as engine_ports
from controller.engine.core import EngineCore
from controller.gateway import ports as gateway_ports
from controller.gateway.blackbox import BlackBox
from controller.gateway.core import GatewayCore
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayStatus
from controller.vocabulary.intents import Intent
from controller.vocabulary.requests import Heartbeat, Request, StopNow
from controller.vocabulary.snapshot import Snapshot
from controller.wire.link import MemoryLink
from sim.world import World

HEARTBEAT_NS = 100 * MS
LOOK_EVERY_NS = 200 * MS
ROUNDS_MAX = 64
START_NS = 1_000 * SECOND


class VirtualFront:
    """What the therapist sees and can do, without a screen."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.status: GatewayStatus | None = None
        self.arm_number: ArmNumber | None = None
        self.arm_denied = ""
        self.intents: list[Intent] = []
        self.requests: list[Request] = []

    def intend(self, intent: Intent) -> None:
        """To the engine, at the next step."""
        self.intents.append(intent)

    def request(self, request: Request) -> None:
        """To the gateway, at the next step."""
        self.requests.append(request)

    def stop(self, source: str) -> None:
        """STOP."""
        self.requests.append(StopNow(source))


class VirtualAssembly:
    """One session on the virtual clock. `run(until)` goes on until the therapist is done or the time is over."""

    def __init__(
        self,
        world: World,
        engine: EngineCore,
        gateway: GatewayCore,
        unit_link: MemoryLink,
        puck_link: MemoryLink,
        therapist: ScriptedTherapist,
        on_snapshot: Callable[[Snapshot], None] | None = None,
        joint_link: MemoryLink | None = None,
    ) -> None:
        self.world = world
        self.engine = engine
        self.gateway = gateway
        self.therapist = therapist
        self.front = VirtualFront()
        self.black_box = BlackBox(threaded=False)
        self.now_ns = START_NS
        self._unit = unit_link
        self._puck = puck_link
        self._joint = joint_link
        self._on_snapshot = on_snapshot
        self._to_engine: list[engine_ports.Input] = [engine_ports.PuckOpened("memory")]
        self._to_gateway: list[gateway_ports.Input] = [gateway_ports.UnitOpened("memory")]
        if joint_link is not None:
            self._to_gateway.append(gateway_ports.JointOpened("memory"))
        self._wrote = False
        self._world_due_ns = self._gateway_due_ns = self._engine_due_ns = self.now_ns
        self._look_due_ns = self.now_ns
        self._beat_due_ns = self.now_ns

    def run(self, until_ns: int) -> None:
        """Go on until the therapist is done, or the virtual clock reaches `until_ns`.

        Four parties, each with its next deadline: the earliest is next, and of two at one instant the world, then the
        gateway, then the engine, then the person. That is a heap keyed (time, number) with four entries.
        """
        therapist = self.therapist
        self._world_due_ns = self.world.next_deadline()
        while not therapist.done and self.now_ns < until_ns:
            due = self._world_due_ns
            if self._gateway_due_ns < due:
                due = self._gateway_due_ns
            if self._engine_due_ns < due:
                due = self._engine_due_ns
            if self._look_due_ns < due:
                due = self._look_due_ns
            if due > self.now_ns:
                self.now_ns = due
            now = self.now_ns
            if self._world_due_ns <= now:
                self.world.live(now)
                self._hear()
            if self._gateway_due_ns <= now:
                self._step_gateway()
            if self._engine_due_ns <= now or self._to_engine:
                self._step_engine()
            if self._look_due_ns <= now:
                self._look()
            if self._to_gateway or self._to_engine or self._wrote:
                self._settle()

    def close(self) -> None:
        """The screen hangs up: the gateway stops, the engine closes the record."""
        self._to_gateway.append(gateway_ports.FrontGone("session over"))
        self._to_engine.append(engine_ports.FrontGone("session over"))
        self._step_gateway()
        self._step_engine()
        self.world.advance(self.now_ns)
        self.black_box.close(self.now_ns)

    # -- one instant -----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Everything else that happens at this instant, until nobody has anything left to say."""
        for _ in range(ROUNDS_MAX):
            if self._wrote:
                self._wrote = False
                self.world.advance(self.now_ns)
                self._hear()
            if self._to_gateway:
                self._step_gateway()
            if self._to_engine:
                self._step_engine()
            if not (self._wrote or self._to_gateway or self._to_engine):
                return
        raise RuntimeError("the cores never fell silent at one instant")

    def _hear(self) -> None:
        """What the world, which has just been lived through up to now, has to say."""
        self._world_due_ns = self.world.next_deadline()
        if self._puck.inbox:
            self._to_engine.append(engine_ports.PuckBytes(self._puck.read()))
        if self._unit.inbox:
            self._to_gateway.append(gateway_ports.UnitBytes(self._unit.read()))
        if self._joint is not None and self._joint.inbox:
            self._to_gateway.append(gateway_ports.JointBytes(self._joint.read()))

    def _look(self) -> None:
        self._look_due_ns = self.now_ns + LOOK_EVERY_NS
        self.therapist.step(self.now_ns, self.front)
        if self.now_ns >= self._beat_due_ns:
            self._beat_due_ns = self.now_ns + HEARTBEAT_NS
            self.front.requests.append(Heartbeat(self.now_ns))
        self._to_gateway += [gateway_ports.FromFront(request) for request in self.front.requests]
        self._to_engine += [engine_ports.FromFront(intent) for intent in self.front.intents]
        self.front.requests.clear()
        self.front.intents.clear()

    def _step_gateway(self) -> None:
        inputs, self._to_gateway = self._to_gateway, []
        for output in self.gateway.step(self.now_ns, inputs):
            if isinstance(output, gateway_ports.ToEngine):
                self._to_engine.append(engine_ports.FromGateway(output.message))
            elif isinstance(output, gateway_ports.ToFront):
                self._see(output)
            elif isinstance(output, gateway_ports.ToUnit):
                self._unit.write(output.data)
                self._wrote = True
            elif isinstance(output, gateway_ports.ToJoint) and self._joint is not None:
                self._joint.write(output.data)
                self._wrote = True
            elif isinstance(output, gateway_ports.Log):
                self.black_box.record(output.t_ns, output.kind, output.data, output.sync)
            elif isinstance(output, gateway_ports.OpenLog):
                self.black_box.open(Path(output.folder))
        self._gateway_due_ns = self.gateway.next_deadline()

    def _see(self, output: gateway_ports.ToFront) -> None:
        message = output.message
        if isinstance(message, GatewayStatus):
            self.front.status = message
        elif isinstance(message, ArmNumber):
            self.front.arm_number = message
        elif isinstance(message, ArmDenied):
            self.front.arm_number, self.front.arm_denied = None, message.reason

    def _step_engine(self) -> None:
        inputs, self._to_engine = self._to_engine, []
        for output in self.engine.step(self.now_ns, inputs):
            if isinstance(output, engine_ports.ToGateway):
                self._to_gateway.append(gateway_ports.FromEngine(output.message))
            elif isinstance(output, engine_ports.ToFront):
                self.front.snapshot = output.message
                if self._on_snapshot is not None:
                    self._on_snapshot(output.message)
            elif isinstance(output, engine_ports.ToPuck):
                self._puck.write(output.data)
                self._wrote = True
        self._engine_due_ns = self.engine.next_deadline()
