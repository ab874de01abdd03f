"""The gateway's core: the last gate before current, as a pure machine.

`step(now, inputs) -> outputs` is the whole of it. It owns the guard, the unit's driver and the lease; it owns no
descriptor, reads no clock and cannot be made to deliver by anything but: a person's two keys, then an engine's order
that the guard admits, renewed before its lease ends. Everything else ends in `latch`.

Order within a step: stops and losses, then the person, then the unit, then the engine (`_RANK`).
"""

from collections.abc import Callable, Sequence
from typing import get_args

from controller.clock import MS
from controller.drivers.orthoses.events import JointEvent
from controller.drivers.orthoses.kind import OrthosisKind
from controller.drivers.stimulators.base import StimulatorDriver
from controller.drivers.stimulators.events import Ready, UnitEvent, UnitFault, UnitWarning
from controller.drivers.stimulators.kind import StimulatorKind
from controller.gateway import ports
from controller.gateway.arming import ArmingDesk, Permission
from controller.gateway.conditions import conditions_of
from controller.gateway.delivery import Delivery, Verdict
from controller.gateway.joint import Joint
from controller.gateway.person import REQUESTS, stop_pressed
from controller.gateway.states import PERMITS_DELIVERY, Happening, after
from controller.gateway.status import status_of
from controller.gateway.unit import Unit
from controller.gateway.voice import Voice
from controller.gateway.watch import Watch
from controller.vocabulary import notices
from controller.vocabulary.facts import ArmDenied, GatewayState, Latched
from safety.interlocks import Conditions, first_open
from safety.joint import Assist, Free, Hold, MotionOrder, Release
from safety.orders import ArmScope, Deliver, Renew, Stop, StopReason

STATUS_EVERY_NS = 100 * MS
_RANK: dict[type, int] = {
    ports.StopSignal: 0,
    ports.FrontGone: 0,
    ports.EngineGone: 0,
    ports.UnitGone: 1,
    ports.JointGone: 1,
    ports.FromFront: 2,
    ports.UnitBytes: 3,
    ports.JointBytes: 3,
}
_LISTEN = "Look at its cable and power, and whether this computer is very busy. Then acknowledge and arm again."
_GO_ON = "Find out why, make it safe, then acknowledge and arm again."


class GatewayCore:
    """See the module's text. `kind` is the stimulator: its limits, and what makes a driver for a fresh connection.

    `fault` is what the start-up self-test found, in a sentence: while it is not "", nothing can be armed.
    """

    def __init__(
        self, kind: StimulatorKind, first_number: int = 1, fault: str = "", orthosis: OrthosisKind | None = None
    ) -> None:
        self.state = GatewayState.CLOSED
        self.scope: ArmScope | None = None
        self.stop_tested = False
        self.cause = self.todo = ""
        self.leaving = False
        self._fault = self._fault_untold = fault
        self.voice = Voice()
        self.kind = kind
        self.unit: Unit[StimulatorDriver] = Unit(kind, self.voice)
        self.delivery = Delivery(kind.limits, self.voice, None if orthosis is None else orthosis.limits)
        self.joint = Joint(orthosis, self.delivery.guard, self.voice)
        self.watch = Watch()
        self.desk = ArmingDesk(first_number)
        self.wish: Permission | None = None
        self._status_due_ns = 0
        self._handlers: dict[type, Callable[..., None]] = {
            ports.FromEngine: self._on_engine,
            ports.FromFront: self._on_front,
            ports.EngineGone: self._on_engine_gone,
            ports.FrontGone: self._on_front_gone,
            ports.UnitOpened: self._on_opened,
            ports.UnitMissing: lambda now_ns, entry: self.unit.could_not_open(now_ns, entry.cause),
            ports.UnitGone: self._on_gone,
            ports.UnitBytes: self._on_bytes,
            **dict.fromkeys(get_args(ports.JointInput), self._on_joint),
            ports.StopSignal: lambda now_ns, entry: stop_pressed(self, now_ns, entry.source),
        }

    # -- the machine ---------------------------------------------------------------------------------------------

    def step(self, now_ns: int, inputs: Sequence[ports.Input]) -> list[ports.Output]:
        """Take what arrived by `now_ns` and say what is to be done. Never raises for anything the outside does."""
        return self.decide(now_ns, inputs) + self.tick(now_ns)

    def decide(self, now_ns: int, inputs: Sequence[ports.Input]) -> list[ports.Output]:
        """The first half of a step: what arrived, and whether the lease still lives. A shell performs it at once."""
        out = self.voice.begin()
        if self._fault_untold:
            self.voice.log(now_ns, "self_test_failed", {"fault": self._fault_untold}, sync=True)
            self._fault_untold = ""
        jump_ns = self.watch.jumped_ns(now_ns)
        if jump_ns and self.state in PERMITS_DELIVERY:
            self.latch(now_ns, f"The clock jumped by {jump_ns // MS} ms: the computer slept or froze.", _GO_ON)
        if self.delivery.expired(now_ns) or self.joint.expired(now_ns):
            self.latch(now_ns, "The engine fell silent: its lease ended, all output is off.", _GO_ON)
        if len(inputs) > 1:
            inputs = sorted(inputs, key=lambda entry: _RANK.get(type(entry), 4))
        for entry in inputs:
            self._handlers[type(entry)](now_ns, entry)
        return out

    def tick(self, now_ns: int) -> list[ports.Output]:
        """The second half of a step: what time brings. It comes after the bytes of an order, never before them."""
        out = self.voice.begin()
        earned = self.delivery.leased(now_ns) or (self.unit.driver is not None and self.unit.driver.confirmed_zero)
        for event in self.unit.keep(now_ns, earned, self.leaving):
            self._on_unit_event(now_ns, event)
        if self.joint.unit is not None:
            self._heed_joint(now_ns, self.joint.keep(now_ns, self.leaving))
        self.arm_when_ready(now_ns)
        self._keep_watch(now_ns)
        if now_ns >= self._status_due_ns:
            self.report(now_ns)
        return out

    def next_deadline(self) -> int:
        """When `step` must be called again even if nothing arrives, in ns."""
        due = self._status_due_ns
        if self.delivery.on:
            due = min(due, self.delivery.lease_until_ns + 1)
        if self.joint.unit is not None:
            due = min(due, self.joint.next_deadline() or due)
        return min(due, self.unit.next_deadline() or due)

    def blocked(self, now_ns: int) -> str:
        """Why the gateway cannot be armed now, in one sentence with what to do; "" when it can."""
        if self._fault:
            return self._fault
        if not self.unit.identity:
            return self.unit.missing or "The unit has not said who it is yet. Wait a moment, or check its cable."
        if self.joint.unit is not None and not self.joint.identified:
            return self.joint.unit.missing or "The orthosis has not said who it is yet. Check its cable and power."
        return self.delivery.misfit or first_open(conditions_of(self, now_ns, for_arming=True)) or ""

    # -- the engine ----------------------------------------------------------------------------------------------

    def _on_engine(self, now_ns: int, entry: ports.FromEngine) -> None:
        self.watch.heard_engine(now_ns)
        message = entry.message
        if isinstance(message, Deliver) or isinstance(message, Renew):  # noqa: SIM101 - a union costs three times this
            self._on_order(now_ns, message)
        elif isinstance(message, Stop):
            self._on_stop_order(now_ns, message)
        elif isinstance(message, Hold | Assist | Release | Free):
            self._on_motion(now_ns, message)
        elif isinstance(message, notices.Constrain):
            self.delivery.constrain(now_ns, message)
        elif isinstance(message, notices.ConstrainJoint):
            self.joint.constrain(now_ns, message)
        elif isinstance(message, notices.OpenRecord):
            self.voice.out.append(ports.OpenLog(message.folder))

    def _on_order(self, now_ns: int, order: Deliver | Renew) -> None:
        conditions = conditions_of(self, now_ns)
        if not (conditions.screen_alive and conditions.engine_alive):
            # A silent screen is then named as the cause, not the order refused because of it.
            self._keep_watch(now_ns)
        self._miss_joint(now_ns, conditions)
        driver = self.unit.driver
        if self.state not in PERMITS_DELIVERY or driver is None:
            self.delivery.refused += 1
            return
        verdict = self.delivery.order(now_ns, order, driver, conditions)
        if verdict is Verdict.STARTED:
            self._move(now_ns, Happening.DELIVERED)
        elif verdict is Verdict.ENDED:
            self._move(now_ns, Happening.RELEASED)
        elif verdict is Verdict.UNSAFE:
            self.latch(now_ns, self.delivery.cause, self.delivery.todo)

    def _on_motion(self, now_ns: int, order: MotionOrder) -> None:
        """Letting go is carried out in every state; a movement only where current would be permitted too."""
        conditions = conditions_of(self, now_ns)
        if isinstance(order, Hold | Assist):
            self._miss_joint(now_ns, conditions)
        if isinstance(order, Hold | Assist) and self.state not in PERMITS_DELIVERY:
            self.delivery.refused += 1
        elif self.joint.order(now_ns, order, conditions) is Verdict.UNSAFE:
            self.latch(now_ns, self.joint.cause, self.joint.todo)

    def _miss_joint(self, now_ns: int, conditions: Conditions) -> None:
        """A silent orthosis is then named as the cause, not the order that the guard would refuse because of it."""
        if not conditions.joint_ok and self.state in PERMITS_DELIVERY:
            self.latch(now_ns, "The orthosis did not say for 60 ms where the joint is.", _LISTEN)

    def _on_stop_order(self, now_ns: int, order: Stop) -> None:
        driver = self.unit.driver
        if order.reason is not StopReason.RELEASE:
            if self.state in PERMITS_DELIVERY:
                self.latch(now_ns, "The engine stopped the session.", _GO_ON)
        elif driver is not None and self.delivery.on:
            self.delivery.release(now_ns, driver, "released")
            self._move(now_ns, Happening.RELEASED)

    def _on_engine_gone(self, now_ns: int, entry: ports.EngineGone) -> None:
        self.watch.engine_here = False
        if self.state in PERMITS_DELIVERY:
            self.latch(now_ns, f"The engine has gone ({entry.cause}).", "End this session and start stimloop again.")
        self.report(now_ns)

    # -- a person at the screen ----------------------------------------------------------------------------------

    def _on_front(self, now_ns: int, entry: ports.FromFront) -> None:
        self.watch.heard_front(now_ns)
        obey = REQUESTS.get(type(entry.message))
        if obey is not None:
            obey(self, now_ns, entry.message)

    def arm_when_ready(self, now_ns: int) -> None:
        """Carry out a confirmed wish to arm, once every device is ready."""
        wish = self.wish
        if wish is not None and now_ns > wish.until_ns:
            wish = self.wish = None
        if wish is None or not self.unit.ready or not self.joint.ready:
            return
        if self.state in PERMITS_DELIVERY:
            self.disarm(now_ns, "armed anew")
            return
        self.wish = None
        happening = Happening.REARMED if self.state is GatewayState.LATCHED else Happening.ARMED
        self.scope = wish.scope
        self.cause = self.todo = ""
        self.delivery.guard.arm(wish.scope, now_ns)
        self.voice.log(now_ns, happening, {"scope": wish.scope, "reason": wish.reason}, sync=True)
        self._move(now_ns, happening)

    def disarm(self, now_ns: int, reason: str) -> None:
        """Output off and permission gone; nothing to do where nothing was armed."""
        self.forget_wish()
        if self.state not in PERMITS_DELIVERY:
            return
        self._off(now_ns)
        self._move(now_ns, Happening.DISARMED)
        self.voice.log(now_ns, "disarmed", {"reason": reason}, sync=True)

    def _on_front_gone(self, now_ns: int, entry: ports.FrontGone) -> None:
        self.watch.front_here = False
        self.leaving = True
        self.latch(now_ns, f"The screen has gone ({entry.cause}).", "Start stimloop again.")

    def forget_wish(self) -> None:
        """A stop came between the two keys, or instead of them."""
        self.desk.forget()
        self.wish = None

    # -- the unit ------------------------------------------------------------------------------------------------

    def _on_opened(self, now_ns: int, entry: ports.UnitOpened) -> None:
        self.unit.opened(now_ns, entry.port)
        if self.state is GatewayState.CLOSED:
            self._move(now_ns, Happening.OPENED)

    def _on_gone(self, now_ns: int, entry: ports.UnitGone) -> None:
        if self.state in PERMITS_DELIVERY:
            todo = f"TAKE THE LEADS OFF: {self.kind.capabilities.alone} Then plug it in again."
            self.latch(now_ns, f"The unit was lost ({entry.cause}).", todo)
        elif self.state is not GatewayState.LATCHED and self.state is not GatewayState.CLOSED:
            self._move(now_ns, Happening.LOST)
        self.forget_wish()
        self.unit.lost(now_ns, entry.cause)
        self.report(now_ns)

    def _on_bytes(self, now_ns: int, entry: ports.UnitBytes) -> None:
        for event in self.unit.feed(now_ns, entry.data):
            self._on_unit_event(now_ns, event)

    def _on_unit_event(self, now_ns: int, event: UnitEvent) -> None:
        if isinstance(event, Ready):
            if self.state is GatewayState.CONNECTED:
                self._move(now_ns, Happening.READY)
            self.arm_when_ready(now_ns)
        elif isinstance(event, UnitWarning):
            self.unit.warn(now_ns, event)
        elif isinstance(event, UnitFault):
            fault = self.unit.explain(event)
            self.latch(now_ns, fault.cause, fault.todo)

    # -- the powered orthosis ------------------------------------------------------------------------------------

    def _on_joint(self, now_ns: int, entry: ports.JointInput) -> None:
        if isinstance(entry, ports.JointGone):
            if self.state in PERMITS_DELIVERY:
                todo = "SUPPORT THE LIMB and switch the orthosis off at its own switch. Then plug it in again."
                self.latch(now_ns, f"The orthosis was lost ({entry.cause}).", todo)
            self.forget_wish()
        self._heed_joint(now_ns, self.joint.take(now_ns, entry))

    def _heed_joint(self, now_ns: int, events: list[JointEvent]) -> None:
        for event in events:
            fault = self.joint.heed(now_ns, event)
            if fault is not None:
                self.latch(now_ns, fault.cause, fault.todo)
            elif isinstance(event, Ready):
                self.arm_when_ready(now_ns)

    # -- silence means stop --------------------------------------------------------------------------------------

    def _keep_watch(self, now_ns: int) -> None:
        if self.state not in PERMITS_DELIVERY:
            return
        if not self.watch.front_alive(now_ns):
            self.latch(now_ns, "The screen fell silent for 500 ms.", _GO_ON)
        elif not self.watch.engine_alive(now_ns):
            self.latch(now_ns, "The engine fell silent for 500 ms.", _GO_ON)
        elif self.state is GatewayState.RESTING and now_ns >= self.delivery.guard.rest_until_ns:
            self._move(now_ns, Happening.RESTED)

    def latch(self, now_ns: int, cause: str, todo: str) -> None:
        """Stop, now and for good: the first cause is kept until a person re-arms."""
        self._off(now_ns)
        if self.wish is not None:
            self.voice.out.append(ports.ToFront(ArmDenied(f"{cause} {todo}")))
        self.forget_wish()
        if self.state is GatewayState.LATCHED:
            self.todo = f"{cause} {todo}"  # the first cause stays; what is to be done now is about the newest
            self.voice.log(now_ns, "stopped_again", {"cause": cause}, sync=True)
            self.report(now_ns)
            return
        self.cause, self.todo = cause, todo
        self.voice.all(Latched(now_ns, cause, todo))
        self.voice.log(now_ns, "latched", {"cause": cause, "from": self.state}, sync=True)
        self._move(now_ns, Happening.LATCHED)

    def _off(self, now_ns: int) -> None:
        self.unit.stop(now_ns)
        self.joint.stop(now_ns, "stopped")
        self.delivery.guard.disarm(now_ns)
        self.scope = None
        if self.delivery.on:
            self.delivery.end(now_ns, "stopped", sync=True)

    # -- what is so now ------------------------------------------------------------------------------------------

    def _move(self, now_ns: int, happening: Happening) -> None:
        self.state = after(self.state, happening)
        self.report(now_ns)

    def report(self, now_ns: int) -> None:
        """Tell screen and engine how things stand, now."""
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        self.voice.all(status_of(self, now_ns))
