"""The gateway's core: the last gate before current, as a pure machine.

`step(now, inputs) -> outputs` is the whole of it. It owns the guard, the unit's driver and the lease; it owns no
descriptor, reads no clock and cannot be made to deliver by anything but: a person's two keys, then an engine's order
that the guard admits, renewed before its lease ends. Everything else ends in `latch`.

What arrives is taken in three files by who said it: `engine_side`, `person`, `device_side`. What the machine itself
does (arm, disarm, latch, watch, report) stands here.

Order within a step: stops and losses, then the person, then the unit, then the engine (`_RANK`).
"""

from collections.abc import Sequence

from controller.clock import MS
from controller.drivers.orthoses.kind import OrthosisKind
from controller.drivers.stimulators.base import StimulatorDriver
from controller.drivers.stimulators.kind import StimulatorKind
from controller.gateway import device_side, engine_side, pedal, person, ports
from controller.gateway.arming import ArmingDesk, Permission
from controller.gateway.audit import AuditKeeper
from controller.gateway.conditions import conditions_of
from controller.gateway.delivery import Delivery
from controller.gateway.dose import DoseKeeper
from controller.gateway.joint import Joint
from controller.gateway.log_keeper import LogKeeper
from controller.gateway.permit import Holder, Permits
from controller.gateway.presence import Presence
from controller.gateway.states import PERMITS_DELIVERY, Happening, after
from controller.gateway.status import status_of
from controller.gateway.unit import Unit
from controller.gateway.voice import Voice
from controller.gateway.watch import Watch
from controller.vocabulary.facts import ArmDenied, GatewayState, Latched
from safety.interlocks import first_open
from safety.orders import ArmScope

STATUS_EVERY_NS = 100 * MS
_RANK: dict[type, int] = {
    ports.StopSignal: 0,
    ports.FrontGone: 0,
    ports.EngineGone: 0,
    ports.PedalOpened: 0,
    ports.PedalGone: 0,
    ports.PedalBytes: 0,
    ports.UnitGone: 1,
    ports.JointGone: 1,
    ports.FromFront: 2,
    ports.UnitBytes: 3,
    ports.JointBytes: 3,
}
_INPUTS = engine_side.INPUTS | person.INPUTS | device_side.INPUTS | pedal.INPUTS
"""What arrives, and the function that takes it: (core, now_ns, entry)."""


class GatewayCore:
    """See the module's text. `kind` is the stimulator: its limits, and what makes a driver for a fresh connection.

    `fault` is what the start-up self-test found, in a sentence: while it is not "", nothing can be armed. `holder` is
    who works here with what authorisation; without one only simulated devices can be armed. `keeps_dose`: what a
    patient had today is written down and read again, and the log is kept (the shell has a place for them).
    """

    def __init__(
        self,
        kind: StimulatorKind,
        first_number: int = 1,
        fault: str = "",
        orthosis: OrthosisKind | None = None,
        holder: Holder | None = None,
        keeps_dose: bool = False,
        pedals: pedal.Pedals | None = None,
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
        self.dose = DoseKeeper(self.delivery.guard, self.voice, keeps_dose)
        self.audit = AuditKeeper(self.voice, keeps_dose)
        self.log = LogKeeper(keeps_dose)
        self.permits = Permits(holder)
        self._told_guard = False
        self.patient = ""
        """For whom the guard was told something last; "" before the first prescription."""
        self.pedals = pedals or pedal.Pedals()
        self.watch = Watch()
        self.presence = Presence()
        self.desk = ArmingDesk(first_number)
        self.wish: Permission | None = None
        self._status_due_ns = 0

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
        if not self._told_guard:
            self._told_guard = True
            self.voice.log(now_ns, "guard_begun", self.delivery.guard.begun)
        jump_ns = self.watch.jumped_ns(now_ns)
        if jump_ns and self.state in PERMITS_DELIVERY:
            self.latch(
                now_ns, f"The clock jumped by {jump_ns // MS} ms: the computer slept or froze.", engine_side.GO_ON
            )
        if jump_ns:
            self.delivery.guard.rest_anew(now_ns)
        if self.delivery.expired(now_ns) or self.joint.expired(now_ns):
            self.latch(now_ns, "The engine fell silent: its lease ended, all output is off.", engine_side.GO_ON)
        for entry in sorted(inputs, key=lambda entry: _RANK.get(type(entry), 4)):
            _INPUTS[type(entry)](self, now_ns, entry)
        return out

    def tick(self, now_ns: int) -> list[ports.Output]:
        """The second half of a step: what time brings. It comes after the bytes of an order, never before them."""
        out = self.voice.begin()
        earned = self.delivery.leased(now_ns) or (self.unit.driver is not None and self.unit.driver.confirmed_zero)
        for event in self.unit.keep(now_ns, earned, self.leaving):
            device_side.heed_unit(self, now_ns, event)
        if self.joint.unit is not None:
            device_side.heed_joint(self, now_ns, self.joint.keep(now_ns, self.leaving, self.watch.engine_spoke(now_ns)))
        pedal.keep(self, now_ns)
        self.arm_when_ready(now_ns)
        self.keep_watch(now_ns)
        self.dose.note(now_ns)
        asked = self.delivery.guard.rest() if self.leaving else self.delivery.guard.take(now_ns)
        if asked is not None:
            self.voice.log(now_ns, "guard", asked)
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
        interlock = first_open(conditions_of(self, now_ns, for_arming=True))
        return self.delivery.misfit or self.pedals.blocked(*self.identities) or interlock or self._unkept

    @property
    def identities(self) -> tuple[str, ...]:
        """Who the devices say they are: the unit, and the orthosis where there is one; "" until they have."""
        return (self.unit.identity,) if self.joint.unit is None else (self.unit.identity, self.joint.unit.identity)

    def barred(self, now_ns: int, scope: ArmScope) -> str:
        """`blocked`, and why this scope could only end in a refusal."""
        unfit = "" if scope is ArmScope.FITTING else self.delivery.unfit or self.joint.unfitted
        return self.blocked(now_ns) or self.permits.unsuited(self, now_ns, scope) or unfit

    @property
    def _unkept(self) -> str:
        """What has to be written down and cannot be."""
        return self.dose.blocked or self.audit.blocked or self.log.blocked

    # -- a person at the screen ----------------------------------------------------------------------------------

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
        barred = self.barred(now_ns, wish.scope)  # seconds may have passed since the second key
        if barred:
            self.voice.out.append(ports.ToFront(ArmDenied(barred)))
            return
        happening = Happening.REARMED if self.state is GatewayState.LATCHED else Happening.ARMED
        self.scope = wish.scope
        self.cause = self.todo = ""
        self.delivery.guard.arm(wish.scope, now_ns)
        self.presence.armed(now_ns)
        self.permits.forget()
        self.voice.log(now_ns, happening, {"scope": wish.scope, "reason": wish.reason}, sync=True)
        self.move(now_ns, happening)

    def disarm(self, now_ns: int, reason: str) -> None:
        """Output off and permission gone; nothing to do where nothing was armed."""
        self.forget_wish()
        if self.state not in PERMITS_DELIVERY:
            return
        self._off(now_ns)
        self.move(now_ns, Happening.DISARMED)
        self.voice.log(now_ns, "disarmed", {"reason": reason}, sync=True)

    def forget_wish(self, why: str = "") -> None:
        """A stop came between the two keys, or instead of them; `why` is said where somebody waits for the devices."""
        if why and self.wish is not None:
            self.voice.out.append(ports.ToFront(ArmDenied(why)))
        self.desk.forget()
        self.wish = None

    # -- silence means stop --------------------------------------------------------------------------------------

    def keep_watch(self, now_ns: int) -> None:
        """While armed: screen and engine must be heard; and a rest that is over is over."""
        if self.state not in PERMITS_DELIVERY:
            return
        if not self.watch.front_alive(now_ns):
            self.latch(now_ns, "The screen fell silent for 500 ms.", engine_side.GO_ON)
        elif not self.watch.engine_alive(now_ns):
            self.latch(now_ns, "The engine fell silent for 500 ms.", engine_side.GO_ON)
        else:
            self.presence.keep(self, now_ns)
        if self.state is GatewayState.RESTING and now_ns >= self.delivery.guard.rest_until_ns:
            self.move(now_ns, Happening.RESTED)

    def latch(self, now_ns: int, cause: str, todo: str) -> None:
        """Stop, now and for good: the first cause is kept until a person re-arms."""
        self._off(now_ns)
        self.forget_wish(f"{cause} {todo}")
        if self.state is GatewayState.LATCHED:
            self.todo = f"{cause} {todo}"  # the first cause stays; what is to be done now is about the newest
            self.voice.log(now_ns, "stopped_again", {"cause": cause}, sync=True)
            self.report(now_ns)
            return
        self.cause, self.todo = cause, todo
        self.voice.all(Latched(now_ns, cause, todo))
        self.voice.log(now_ns, "latched", {"cause": cause, "from": self.state}, sync=True)
        self.move(now_ns, Happening.LATCHED)

    def _off(self, now_ns: int) -> None:
        self.unit.stop(now_ns)
        self.joint.stop(now_ns, "stopped")
        self.delivery.guard.disarm(now_ns)
        self.scope = None
        if self.delivery.on:
            self.delivery.end(now_ns, "stopped", sync=True)

    # -- what is so now ------------------------------------------------------------------------------------------

    def move(self, now_ns: int, happening: Happening) -> None:
        """To the state that the table gives, said at once."""
        self.state = after(self.state, happening)
        self.report(now_ns)

    def report(self, now_ns: int) -> None:
        """Tell screen and engine how things stand, now."""
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        self.permits.note(self, now_ns)
        self.voice.all(status_of(self, now_ns))
