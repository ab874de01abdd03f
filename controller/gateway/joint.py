"""The powered orthosis behind the same guard: its port and driver, the orders that move it, the lease they live by.

It never latches by itself: what is unsafe is said as a `Verdict`. Letting go needs no ticket and never waits for the
stimulator, nor the stimulator for it.
"""

from dataclasses import replace

from controller.clock import MS
from controller.drivers.orthoses.base import OrthosisDriver
from controller.drivers.orthoses.events import Freed, JointEvent, Moved, PairCheckFailed, UnitFault
from controller.drivers.orthoses.kind import OrthosisKind
from controller.gateway import ports
from controller.gateway.delivery import Verdict
from controller.gateway.unit import JOINT, Unit
from controller.gateway.voice import Voice
from controller.vocabulary import notices, requests
from controller.vocabulary.facts import JointReport, Refusal
from safety.guard import Guard
from safety.interlocks import Conditions, is_simulated
from safety.joint import Assist, Hold, MotionOrder, Release
from safety.orders import Refused

POSTURE_NS_MAX = 60 * MS
REPORT_EVERY_NS = 40 * MS
RAMP_MS_MAX = 1_000
CONFIRM_NS = 200 * MS
"""After the ramp: torque off, and a read that confirms it."""


class Joint:
    """See the module's text. Without an orthosis (`kind` None) it is always in order and does nothing."""

    def __init__(self, kind: OrthosisKind | None, guard: Guard, voice: Voice) -> None:
        self.kind = kind
        self.unit: Unit[OrthosisDriver] | None = None if kind is None else Unit(kind, voice, JOINT)
        self.on = False
        self.lease_until_ns = 0
        self.cause = ""
        self.todo = ""
        self._guard = guard
        self._voice = voice
        self._report_due_ns = 0
        self._wanted = False
        self._letting_go_until_ns = 0

    # -- what is so now ------------------------------------------------------------------------------------------

    def ok(self, now_ns: int) -> bool:
        """No orthosis is fitted, or it is ready (or letting go softly) and has said where it is within 60 ms."""
        unit = self.unit
        if unit is None:
            return True
        posture = unit.driver.posture if unit.driver is not None else None
        steady = unit.ready or (unit.identity != "" and now_ns <= self._letting_go_until_ns)
        return steady and posture is not None and 0 <= now_ns - posture.t_ns <= POSTURE_NS_MAX

    @property
    def identified(self) -> bool:
        """No orthosis is fitted, or it has said who it is."""
        return self.unit is None or self.unit.identity != ""

    @property
    def ready(self) -> bool:
        """No orthosis is fitted, or it may be told to move."""
        return self.unit is None or self.unit.ready

    @property
    def simulated(self) -> bool:
        """No orthosis is fitted, or it says of itself that it is a simulated one."""
        return self.unit is None or is_simulated(self.unit.identity)

    @property
    def unfitted(self) -> str:
        """Why the joint could not be moved in a session although the protocol wants to, in one sentence; else ""."""
        if self.unit is None or not self._wanted:
            return ""
        limit = self._guard.joint_limit()
        if limit is None or not limit.torque_mnm.value > 0:
            return "The joint of the orthosis has not been measured today. Measure it in fitting, then arm."
        if not limit.angle_min_cdeg.value <= limit.angle_max_cdeg.value:
            low, high = limit.angle_min_cdeg.source, limit.angle_max_cdeg.source
            return f"There is no room to move the joint in ({low} against {high}). Measure it again, or use less."
        return ""

    def rearm(self, now_ns: int) -> None:
        """A person arms: a stopped orthosis is made ready again."""
        driver = None if self.unit is None else self.unit.driver
        if driver is not None and not driver.ready:
            self._voice.joint(driver.rearm(now_ns))

    def expired(self, now_ns: int) -> bool:
        """A movement is in force and its lease is over."""
        return self.on and now_ns > self.lease_until_ns

    @property
    def freed(self) -> bool:
        """There is no torque, as far as the orthosis itself has confirmed."""
        driver = None if self.unit is None else self.unit.driver
        return driver is None or driver.confirmed_free

    def next_deadline(self) -> int:
        """When `keep` has something to do, in ns (0 for never)."""
        due = 0 if self.unit is None else self.unit.next_deadline()
        if self.on and (not due or self.lease_until_ns < due):
            return self.lease_until_ns + 1
        return due

    def report(self) -> JointReport | None:
        """The orthosis as a fact; None where there is none."""
        unit = self.unit
        if unit is None:
            return None
        posture = unit.driver.posture if unit.driver is not None else None
        where = (0, 0, 0, 0, False) if posture is None else posture
        t_ns, angle_cdeg, speed_cdps, torque_mnm, torque_on = where
        report = JointReport(
            t_ns, unit.identity, unit.ready, self.on, angle_cdeg, speed_cdps, torque_mnm, torque_on, unit.missing
        )
        limit = self._guard.joint_limit()
        if limit is None or self.kind is None:
            return report
        return replace(
            report,
            rest_until_ns=self._guard.joint_rest_until_ns,
            torque_limit_mnm=limit.torque_mnm.value,
            torque_step_mnm=self.kind.limits.torque_step_mnm,
            speed_limit_cdps=limit.speed_cdps.value,
            angle_min_cdeg=limit.angle_min_cdeg.value,
            angle_max_cdeg=limit.angle_max_cdeg.value,
            bound_by=limit.torque_mnm.source,
        )

    # -- orders --------------------------------------------------------------------------------------------------

    def order(self, now_ns: int, order: MotionOrder, conditions: Conditions) -> Verdict:
        """Put an order to move to the guard and, where it is admitted, on the wire; letting go is carried out."""
        driver = None if self.unit is None else self.unit.driver
        if driver is None or self.unit is None:
            return Verdict.CARRIED
        if not isinstance(order, Hold | Assist):
            self._let_go(now_ns, order.ramp_ms if isinstance(order, Release) else 0)
            return Verdict.CARRIED
        answer = self._guard.admit(order, now_ns, conditions)
        if isinstance(answer, Refused):
            return self._refuse(now_ns, order.seq, answer)
        try:
            data = driver.move(answer, now_ns)
        except PairCheckFailed as error:
            self.cause, self.todo = f"The orthosis' frame did not match the order: {error}.", "Report this defect."
            return Verdict.UNSAFE
        self._voice.joint(data)
        self.lease_until_ns = order.expires_ns
        if not self.on:
            self.on = True
            aim = order.target_cdeg if isinstance(order, Assist) else order.angle_cdeg
            told = {"seq": order.seq, "order": type(order).__name__.lower(), "aim_cdeg": aim}
            self._voice.log(now_ns, "motion_started", told | {"torque_mnm": order.torque_mnm})
        return Verdict.CARRIED

    def stop(self, now_ns: int, why: str) -> None:
        """Torque off, now, in every state."""
        self._letting_go_until_ns = 0
        if self.unit is not None:
            self.unit.stop(now_ns)
            self._end(now_ns, why)

    def _let_go(self, now_ns: int, ramp_ms: int) -> None:
        """Softly or at once; the orthosis stays ready, for a movement that ends is no fault.

        The time for it begins once: saying it again neither prolongs the torque nor the patience with it.
        """
        driver = None if self.unit is None else self.unit.driver
        if driver is not None:
            ramp_ms = max(0, min(ramp_ms, RAMP_MS_MAX))
            self._voice.joint(driver.release(now_ns, ramp_ms))
            if self.on:
                self._letting_go_until_ns = now_ns + ramp_ms * MS + CONFIRM_NS
            elif now_ns > self._letting_go_until_ns:
                self._letting_go_until_ns = now_ns + CONFIRM_NS
        self._end(now_ns, "released")

    def _end(self, now_ns: int, why: str) -> None:
        self._guard.off_joint(now_ns)
        self.lease_until_ns = 0
        if self.on:
            self.on = False
            self._voice.log(now_ns, "motion_ended", {"why": why}, sync=why != "released")

    def _refuse(self, now_ns: int, seq: int, answer: Refused) -> Verdict:
        self._voice.all(Refusal(now_ns, seq, answer.rule, answer.reason, answer.latches))
        self._voice.log(now_ns, "refused", {"seq": seq, "rule": answer.rule, "reason": answer.reason}, sync=True)
        if answer.latches:
            self.cause = f"Rule {answer.rule} refused a movement. {answer.reason}"
            self.todo = "Keep this session's record: a refusal is a defect. Acknowledge, then arm again."
            return Verdict.UNSAFE
        self._let_go(now_ns, 0)
        return Verdict.CARRIED

    # -- the orthosis --------------------------------------------------------------------------------------------

    def take(self, now_ns: int, entry: ports.JointInput) -> list[JointEvent]:
        """What happened at its port, and what it said there."""
        unit = self.unit
        if unit is None:
            return []
        if isinstance(entry, ports.JointBytes):
            return unit.feed(now_ns, entry.data)
        self._letting_go_until_ns = 0
        self._guard.posture(None)
        if isinstance(entry, ports.JointOpened):
            unit.opened(now_ns, entry.port)
        elif isinstance(entry, ports.JointMissing):
            unit.could_not_open(now_ns, entry.cause)
        else:
            unit.lost(now_ns, entry.cause)
        return []

    def keep(self, now_ns: int, leaving: bool, engine_spoke: bool) -> list[JointEvent]:
        """Time for the driver: steps of a movement go out while its lease lives, those of letting go for a while.

        Letting go softly is for an engine that is there (`engine_spoke`); without one torque ends at once.
        """
        if self.unit is None:
            return []
        easing = engine_spoke and now_ns <= self._letting_go_until_ns
        alive = (self.on and now_ns <= self.lease_until_ns) or easing or self.freed
        return self.unit.keep(now_ns, alive, leaving)

    def heed(self, now_ns: int, event: JointEvent) -> UnitFault | None:
        """Take in what the orthosis said; gives a fault back, for the gateway to latch on."""
        if isinstance(event, Moved):
            self._guard.posture(event.posture)
            if now_ns >= self._report_due_ns:
                self._report_due_ns = now_ns + REPORT_EVERY_NS
                report = self.report()
                if report is not None:
                    self._voice.engine(report)
        elif isinstance(event, Freed):
            self._voice.log(now_ns, "torque_off", {})
        return self.unit.explain(event) if isinstance(event, UnitFault) and self.unit is not None else None

    # -- what a person measured, and what the protocol narrows ---------------------------------------------------

    def prescribe(self, now_ns: int, wish: requests.PrescribeJoint, armed: bool) -> bool:
        """Range of motion and torque ceiling of today; True when the guard took them."""
        fields = {name: getattr(wish, name) for name in wish.__slots__}
        given = {name: value for name, value in fields.items() if name != "reason"}
        refused = self._guard.prescribe_joint(**given, armed=armed)
        self._note(now_ns, "joint_prescribed", fields, refused)
        return refused is None

    def constrain(self, now_ns: int, wish: notices.ConstrainJoint) -> bool:
        """The protocol's own limits: they can only narrow; True when the guard took them."""
        self._wanted = True
        fields = {name: getattr(wish, name) for name in wish.__slots__}
        refused = self._guard.constrain_joint(**fields)
        self._note(now_ns, "joint_constrained", fields, refused)
        return refused is None

    def _note(self, now_ns: int, kind: str, told: dict[str, object], refusal: Refused | None) -> None:
        if refusal is not None:
            told = told | {"refused": refusal.rule, "reason": refusal.reason}
            self._voice.all(Refusal(now_ns, 0, refusal.rule, refusal.reason, False))
        self._voice.log(now_ns, kind, told, sync=True)
