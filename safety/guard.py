"""The guard: the last gate before current or motor torque. It refuses and never repairs, and off is always admitted.

It walks the table of `safety.rules` and keeps the memory that the rules read; it reads no clock and owns no port.
Integers only: no float, no division, no exceptions, bounded loops. After any refusal the remembered currents are 0,
so what comes next must rise from there, after the rest. Whether a refusal latches is for the caller to carry out.
Orders to a powered orthosis pass the same gate: their rules and memory are in `safety.joint_guard`. What a person sets
and the protocol narrows is the other half of the guard, in `safety.today`.
"""

from safety.body_rules import Wanted, step_ua
from safety.interlocks import Conditions
from safety.joint import Assist, Hold, Posture
from safety.joint_limits import JOINT_CAPS
from safety.limits import LONGEST_BURST_NS
from safety.memory import Trail, Vetted, rest_after_ns
from safety.orders import Admitted, ArmScope, Deliver, Refused, Renew, Token
from safety.rules import (
    ANTAGONIST_RULE,
    BODY_RULES,
    ORDER_RULES,
    PURPOSES,
    WITHOUT_LATCH,
)
from safety.today import Today
from safety.vetting import is_off, note_exact, vet

ON_MS_NO_CAP = 1_000_000
"""More than any region's longest burst: where the search for the least begins."""


class Guard(Today):
    """See the module's text. Not shared between threads; one for each unit, with the powered orthosis beside it.

    `Guard(device, joint)`: what the unit can do, and what the orthosis can; without one every order of motion is
    refused.
    """

    _token = Token()
    _serial = 0

    def posture(self, posture: Posture | None) -> None:
        """What the orthosis reported last (None: where it stands is not known any more)."""
        self._joint.stand(posture)

    def press(self, number: int, now_ns: int) -> None:
        """A fresh key press arrived straight from the screen. Numbers rise; an old one counts for nothing."""
        fitting = self._memory.fitting
        if type(number) is int and number > fitting.pressed:
            fitting.pressed, fitting.pressed_ns = number, now_ns

    def arm(self, scope: ArmScope, now_ns: int) -> None:
        """A person armed for this scope. Output is off; rest and dose go on counting; fitting starts from 0.

        Orders made before this instant are void, and a new sender may count its orders from the beginning.
        """
        self.off(now_ns)
        memory = self._memory
        memory.scope = scope
        memory.armed_ns = now_ns
        memory.last_seq = -1
        self._joint.begin()
        memory.purpose = PURPOSES[scope][0]
        memory.fitting.begin()
        self._forget_vetted()

    def disarm(self, now_ns: int) -> None:
        """Output is off and every order to deliver is refused until a person arms again."""
        self.off(now_ns)
        self._memory.scope = None
        self._forget_vetted()

    # -- orders ----------------------------------------------------------------------------------------------------

    def admit(self, order: Deliver | Renew | Hold | Assist, now_ns: int, conditions: Conditions) -> Admitted | Refused:
        """Judge one order at `now_ns`. A refusal means that nothing of its kind (current, or the motor's torque) may
        be on until a later order is admitted."""
        if type(order) is not Deliver and isinstance(order, (Hold, Assist)):
            return self._admit_motion(order, now_ns, conditions)
        memory = self._memory
        if is_off(order):
            self._end(now_ns)
            self._note_seen(order, now_ns)
            return self._ticket(order, now_ns)
        for number, order_rule in ORDER_RULES:
            reason = order_rule(memory, order, now_ns, conditions)
            if reason is not None:
                return self._refuse(order, now_ns, number, reason)
        memory.lapse(now_ns)
        trains: list[Vetted] = []
        on_ms, purpose = memory.on_ms, memory.purpose
        if isinstance(order, Deliver):
            on_ms, purpose = ON_MS_NO_CAP, order.purpose
            for train in order.trains:
                vetted = memory.vetted.get(train) or vet(memory, train)
                if isinstance(vetted, Refused):
                    return self._refuse(order, now_ns, vetted.rule, vetted.reason)
                trains.append(vetted)
                if id(train) not in memory.exact:
                    note_exact(memory, train)
                on_ms = min(on_ms, vetted.on_ms)
        wanted = Wanted(memory, order, now_ns, trains, on_ms, purpose)
        for number, body_rule in BODY_RULES:
            reason = body_rule(wanted)
            if reason is not None:
                return self._refuse(order, now_ns, number, reason)
        if memory.assisted_sign != 0:
            number, body_rule = ANTAGONIST_RULE
            reason = body_rule(wanted)
            if reason is not None:
                return self._refuse(order, now_ns, number, reason)
        if isinstance(order, Deliver):
            self._note_step(order, now_ns, trains)
            memory.deliver(now_ns, order, trains, on_ms)
        memory.lease_until_ns = order.expires_ns
        memory.last_stamp_ns = order.stamp_ns
        self._note_seen(order, now_ns)
        return self._ticket(order, now_ns)

    def off(self, now_ns: int) -> None:
        """All output has been switched off (stop, lease end): remembered currents and torque 0, the rests start."""
        self._end(now_ns)
        self._joint.let_go(now_ns)

    def off_stimulation(self, now_ns: int) -> None:
        """Current alone has been switched off (the end of a burst): a movement of the orthosis goes on."""
        self._end(now_ns)

    def off_joint(self, now_ns: int) -> None:
        """The orthosis has been let go (`Release`, `Free`, lease end): its rest starts, and a burst goes on."""
        self._joint.let_go(now_ns)

    def rest_anew(self, now_ns: int) -> None:
        """The clock jumped: how long the last burst, the last movement and their rests really were is not known, so
        that the rest after the longest there is begins once more."""
        memory, joint = self._memory, self._joint.memory
        if memory.rest_until_ns > 0:
            memory.rest_until_ns = max(memory.rest_until_ns, now_ns + rest_after_ns(LONGEST_BURST_NS))
        if joint.rest_until_ns > 0:
            longest_ms = max([cap.on_ms for cap in JOINT_CAPS.values()])
            joint.rest_until_ns = max(joint.rest_until_ns, now_ns + longest_ms * 1_000_000)

    @property
    def moving(self) -> bool:
        """Whether a movement (a hold or an assist) is on, as far as admitted orders say."""
        return self._joint.memory.live

    @property
    def joint_rest_until_ns(self) -> int:
        """Until when no new movement is admitted, in ns (0 before the first)."""
        return self._joint.rest_until_ns

    @property
    def delivering(self) -> bool:
        """Whether a burst is on, as far as admitted orders say."""
        return self._memory.live

    @property
    def rest_until_ns(self) -> int:
        """Until when no new burst is admitted (G22, G31, G32), in ns (0 before the first burst)."""
        memory = self._memory
        return max(memory.rest_until_ns, memory.dose.crowded_until_ns, memory.dose.spent_until_ns)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _admit_motion(self, order: Hold | Assist, now_ns: int, conditions: Conditions) -> Admitted | Refused:
        refused = self._joint.judge(order, now_ns, conditions)
        self._note_time(now_ns)
        return self._ticket(order, now_ns) if refused is None else refused

    def _note_step(self, order: Deliver, now_ns: int, trains: list[Vetted]) -> None:
        memory = self._memory
        if memory.scope is ArmScope.FITTING:
            for one in trains:
                before_ua = memory.trails.get(one.channel, Trail()).amount
                memory.fitting.note(now_ns, order.press, one, step_ua(memory, one), before_ua)
                memory.fit(one)

    def _refuse(self, order: Deliver | Renew, now_ns: int, number: str, reason: str) -> Refused:
        self._end(now_ns)
        self._note_seen(order, now_ns)
        return Refused(number, reason, latches=number not in WITHOUT_LATCH)

    def _ticket(self, order: Deliver | Renew | Hold | Assist, now_ns: int) -> Admitted:
        self._serial += 1
        return Admitted(self._token, self._serial, now_ns, order)

    def _note_seen(self, order: Deliver | Renew, now_ns: int) -> None:
        """Numbers of orders and the guard's own time are remembered whatever the answer was."""
        seq = getattr(order, "seq", None)
        if type(seq) is int:
            self._memory.last_seq = max(self._memory.last_seq, seq)
        self._note_time(now_ns)

    def _note_time(self, now_ns: int) -> None:
        if type(now_ns) is int:
            self._memory.last_now_ns = max(self._memory.last_now_ns, now_ns)

    def _end(self, now_ns: int) -> None:
        """Current is off from `now_ns` on, or from the last time that was a whole number."""
        self._memory.end_burst(now_ns if type(now_ns) is int else self._memory.last_now_ns)
