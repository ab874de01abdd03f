"""The gateway's core: the last gate before current, as a pure machine.

`step(now, inputs) -> outputs` is the whole of it. It owns the guard, the unit's driver and the lease; it owns no
descriptor, reads no clock and cannot be made to deliver by anything but: a person's two keys, then an engine's order
that the guard admits, renewed before its lease ends. Everything else ends in `_latch`.

Order within a step: stops and losses, then the person, then the unit, then the engine (`_RANK`).
"""

from collections.abc import Callable, Sequence

from controller.clock import MS
from controller.drivers.stimulators.events import Ready, UnitEvent, UnitFault
from controller.drivers.stimulators.kind import StimulatorKind
from controller.gateway import ports
from controller.gateway.arming import ArmingDesk, Permission
from controller.gateway.delivery import Delivery, Verdict
from controller.gateway.states import PERMITS_DELIVERY, Happening, after
from controller.gateway.status import status_of
from controller.gateway.unit import Unit
from controller.gateway.voice import Voice
from controller.gateway.watch import Watch
from controller.vocabulary import notices, requests
from controller.vocabulary.facts import ArmDenied, GatewayState, Latched
from safety.interlocks import Conditions, first_open, is_simulated
from safety.orders import ArmScope, Deliver, Renew, Stop, StopReason

STATUS_EVERY_NS = 100 * MS
_RANK: dict[type, int] = {
    ports.StopSignal: 0,
    ports.FrontGone: 0,
    ports.EngineGone: 0,
    ports.UnitGone: 1,
    ports.FromFront: 2,
    ports.UnitBytes: 3,
}
_GO_ON = "Find out why, make it safe, then acknowledge and arm again."


class GatewayCore:
    """See the module's text. `kind` is the stimulator: its limits, and what makes a driver for a fresh connection.

    `fault` is what the start-up self-test found, in a sentence: while it is not "", nothing can be armed.
    """

    def __init__(self, kind: StimulatorKind, first_number: int = 1, fault: str = "") -> None:
        self.state = GatewayState.CLOSED
        self.scope: ArmScope | None = None
        self.stop_tested = False
        self.cause = ""
        self.todo = ""
        self.leaving = False
        self._fault = self._fault_untold = fault
        self.voice = Voice()
        self.kind = kind
        self.unit = Unit(kind.driver, self.voice)
        self.delivery = Delivery(kind.limits, self.voice)
        self.watch = Watch()
        self._desk = ArmingDesk(first_number)
        self._wish: Permission | None = None
        self._status_due_ns = 0
        self._handlers: dict[type, Callable[..., None]] = {
            ports.FromEngine: self._on_engine,
            ports.FromFront: self._on_front,
            ports.EngineGone: self._on_engine_gone,
            ports.FrontGone: self._on_front_gone,
            ports.UnitOpened: self._on_opened,
            ports.UnitMissing: self._on_missing,
            ports.UnitGone: self._on_gone,
            ports.UnitBytes: self._on_bytes,
            ports.StopSignal: self._on_stop_signal,
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
            self._latch(now_ns, f"The clock jumped by {jump_ns // MS} ms: the computer slept or froze.", _GO_ON)
        if self.delivery.expired(now_ns):
            self._latch(now_ns, "The engine fell silent: its lease ended, the current is off.", _GO_ON)
        if len(inputs) > 1:
            inputs = sorted(inputs, key=lambda entry: _RANK.get(type(entry), 4))
        for entry in inputs:
            self._handlers[type(entry)](now_ns, entry)
        return out

    def tick(self, now_ns: int) -> list[ports.Output]:
        """The second half of a step: what time brings. It comes after the bytes of an order, never before them."""
        out = self.voice.begin()
        for event in self.unit.keep(now_ns, self.delivery.leased(now_ns), self.leaving):
            self._on_unit_event(now_ns, event)
        self._keep_watch(now_ns)
        if now_ns >= self._status_due_ns:
            self._report(now_ns)
        return out

    def next_deadline(self) -> int:
        """When `step` must be called again even if nothing arrives, in ns."""
        due = self._status_due_ns
        if self.delivery.on:
            due = min(due, self.delivery.lease_until_ns + 1)
        return min(due, self.unit.next_deadline() or due)

    def blocked(self, now_ns: int) -> str:
        """Why the gateway cannot be armed now, in one sentence with what to do; "" when it can."""
        if self._fault:
            return self._fault
        if not self.unit.identity:
            return self.unit.missing or "The unit has not said who it is yet. Wait a moment, or check its cable."
        return first_open(self._conditions(now_ns, for_arming=True)) or ""

    def _unfitted(self, scope: ArmScope) -> str:
        """A session with nothing fitted could only end in a refusal: say so before it is armed."""
        if scope is ArmScope.FITTING or self.delivery.fitted:
            return ""
        return "No channel has a ceiling of today. Fit the electrodes first, then arm for the session."

    # -- the engine ----------------------------------------------------------------------------------------------

    def _on_engine(self, now_ns: int, entry: ports.FromEngine) -> None:
        self.watch.heard_engine(now_ns)
        message = entry.message
        if isinstance(message, Deliver) or isinstance(message, Renew):  # noqa: SIM101 - a union costs three times this
            self._on_order(now_ns, message)
        elif isinstance(message, Stop):
            self._on_stop_order(now_ns, message)
        elif isinstance(message, notices.Constrain):
            self.delivery.constrain(now_ns, message)
        elif isinstance(message, notices.OpenRecord):
            self.voice.out.append(ports.OpenLog(message.folder))

    def _on_order(self, now_ns: int, order: Deliver | Renew) -> None:
        conditions = self._conditions(now_ns)
        if not (conditions.screen_alive and conditions.engine_alive):
            # A silent screen is then named as the cause, not the order refused because of it.
            self._keep_watch(now_ns)
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
            self._latch(now_ns, self.delivery.cause, self.delivery.todo)

    def _on_stop_order(self, now_ns: int, order: Stop) -> None:
        driver = self.unit.driver
        if order.reason is not StopReason.RELEASE:
            if self.state in PERMITS_DELIVERY:
                self._latch(now_ns, "The engine stopped the session.", _GO_ON)
        elif driver is not None and self.delivery.on:
            self.delivery.release(now_ns, driver, "released")
            self._move(now_ns, Happening.RELEASED)

    def _on_engine_gone(self, now_ns: int, entry: ports.EngineGone) -> None:
        self.watch.engine_here = False
        if self.state in PERMITS_DELIVERY:
            self._latch(now_ns, f"The engine has gone ({entry.cause}).", "End this session and start stimloop again.")
        self._report(now_ns)

    # -- a person at the screen ----------------------------------------------------------------------------------

    def _on_front(self, now_ns: int, entry: ports.FromFront) -> None:
        self.watch.heard_front(now_ns)
        message = entry.message
        if isinstance(message, requests.StopNow):
            self._stop_pressed(now_ns, message.source)
        elif isinstance(message, requests.Arm):
            latched = self.state is GatewayState.LATCHED
            blocked = self.blocked(now_ns) or self._unfitted(message.scope)
            answer = self._desk.ask(now_ns, message.scope, message.reason, latched, blocked)
            self.voice.out.append(ports.ToFront(answer))
        elif isinstance(message, requests.ConfirmArm):
            self._confirm(now_ns, message.number)
        elif isinstance(message, requests.Disarm):
            self._disarm(now_ns, message.reason)
        elif isinstance(message, requests.Press):
            self.delivery.guard.press(message.number, now_ns)
        elif isinstance(message, requests.Prescribe):
            self.delivery.prescribe(now_ns, message, self.state in PERMITS_DELIVERY)

    def _stop_pressed(self, now_ns: int, source: str) -> None:
        self.stop_tested = True
        self._forget_wish()
        if self.state in PERMITS_DELIVERY:
            self._latch(now_ns, f"STOP was pressed ({source}).", "Look after the patient, then acknowledge and arm.")
            return
        self.unit.stop(now_ns)
        self.voice.log(now_ns, "stop_pressed", {"source": source, "state": self.state}, sync=True)
        self._report(now_ns)

    def _on_stop_signal(self, now_ns: int, entry: ports.StopSignal) -> None:
        self._stop_pressed(now_ns, entry.source)

    def _confirm(self, now_ns: int, number: int) -> None:
        answer = self._desk.confirm(now_ns, number)
        blocked = self.blocked(now_ns)
        if isinstance(answer, ArmDenied) or blocked:
            self.voice.out.append(ports.ToFront(answer if isinstance(answer, ArmDenied) else ArmDenied(blocked)))
            return
        self._wish = answer
        if self.unit.driver is not None and not self.unit.driver.ready:
            self.voice.unit(self.unit.driver.rearm(now_ns))
        self._arm_when_ready(now_ns)

    def _arm_when_ready(self, now_ns: int) -> None:
        wish = self._wish
        if wish is None or not self.unit.ready:
            return
        if self.state in PERMITS_DELIVERY:
            self._disarm(now_ns, "armed anew")
            return
        self._wish = None
        happening = Happening.REARMED if self.state is GatewayState.LATCHED else Happening.ARMED
        self.scope = wish.scope
        self.cause = self.todo = ""
        self.delivery.guard.arm(wish.scope, now_ns)
        self.voice.log(now_ns, happening, {"scope": wish.scope, "reason": wish.reason}, sync=True)
        self._move(now_ns, happening)

    def _disarm(self, now_ns: int, reason: str) -> None:
        self._forget_wish()
        if self.state not in PERMITS_DELIVERY:
            return
        self._off(now_ns)
        self._move(now_ns, Happening.DISARMED)
        self.voice.log(now_ns, "disarmed", {"reason": reason}, sync=True)

    def _on_front_gone(self, now_ns: int, entry: ports.FrontGone) -> None:
        self.watch.front_here = False
        self.leaving = True
        self._latch(now_ns, f"The screen has gone ({entry.cause}).", "Start stimloop again.")

    def _forget_wish(self) -> None:
        self._desk.forget()
        self._wish = None

    # -- the unit ------------------------------------------------------------------------------------------------

    def _on_opened(self, now_ns: int, entry: ports.UnitOpened) -> None:
        self.unit.opened(now_ns, entry.port)
        if self.state is GatewayState.CLOSED:
            self._move(now_ns, Happening.OPENED)

    def _on_missing(self, now_ns: int, entry: ports.UnitMissing) -> None:
        self.unit.could_not_open(now_ns, entry.cause)

    def _on_gone(self, now_ns: int, entry: ports.UnitGone) -> None:
        if self.state in PERMITS_DELIVERY:
            todo = "TAKE THE LEADS OFF: the unit may go on for 2 s. Then plug it in again."
            self._latch(now_ns, f"The unit was lost ({entry.cause}).", todo)
        elif self.state is not GatewayState.LATCHED and self.state is not GatewayState.CLOSED:
            self._move(now_ns, Happening.LOST)
        self._forget_wish()
        self.unit.lost(now_ns, entry.cause)
        self._report(now_ns)

    def _on_bytes(self, now_ns: int, entry: ports.UnitBytes) -> None:
        for event in self.unit.feed(now_ns, entry.data):
            self._on_unit_event(now_ns, event)

    def _on_unit_event(self, now_ns: int, event: UnitEvent) -> None:
        if isinstance(event, Ready):
            if self.state is GatewayState.CONNECTED:
                self._move(now_ns, Happening.READY)
            self._arm_when_ready(now_ns)
        elif isinstance(event, UnitFault):
            self._latch(now_ns, event.cause, event.todo)

    # -- silence means stop --------------------------------------------------------------------------------------

    def _keep_watch(self, now_ns: int) -> None:
        if self.state not in PERMITS_DELIVERY:
            return
        if not self.watch.front_alive(now_ns):
            self._latch(now_ns, "The screen fell silent for 500 ms.", _GO_ON)
        elif not self.watch.engine_alive(now_ns):
            self._latch(now_ns, "The engine fell silent for 500 ms.", _GO_ON)
        elif self.state is GatewayState.RESTING and now_ns >= self.delivery.guard.rest_until_ns:
            self._move(now_ns, Happening.RESTED)

    def _latch(self, now_ns: int, cause: str, todo: str) -> None:
        """Stop, now and for good: the first cause is kept until a person re-arms."""
        self._off(now_ns)
        self._forget_wish()
        if self.state is GatewayState.LATCHED:
            self.voice.log(now_ns, "stopped_again", {"cause": cause}, sync=True)
            return
        self.cause, self.todo = cause, todo
        self.voice.all(Latched(now_ns, cause, todo))
        self.voice.log(now_ns, "latched", {"cause": cause, "from": self.state}, sync=True)
        self._move(now_ns, Happening.LATCHED)

    def _off(self, now_ns: int) -> None:
        self.unit.stop(now_ns)
        self.delivery.guard.disarm(now_ns)
        self.scope = None
        if self.delivery.on:
            self.delivery.end(now_ns, "stopped", sync=True)

    # -- what is so now ------------------------------------------------------------------------------------------

    def _move(self, now_ns: int, happening: Happening) -> None:
        self.state = after(self.state, happening)
        self._report(now_ns)

    def _conditions(self, now_ns: int, for_arming: bool = False) -> Conditions:
        unit, watch = self.unit, self.watch
        return Conditions(
            unit.ready or (for_arming and bool(unit.identity)),
            watch.engine_alive(now_ns),
            watch.front_alive(now_ns),
            self.stop_tested,
            is_simulated(unit.identity),
            self.state is GatewayState.LATCHED and not for_arming,
            True,
            unit.identity,
        )

    def _report(self, now_ns: int) -> None:
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        self.voice.all(status_of(self, now_ns))
