"""The guard: the last gate before current or motor torque. It refuses and never repairs, and off is always admitted.

It walks the table of `safety.rules` and keeps the memory that the rules read; it reads no clock and owns no port.
Integers only: no float, no division, no exceptions, bounded loops. After any refusal the remembered currents are 0,
so what comes next must rise from there, after the rest. Whether a refusal latches is for the caller to carry out.
Orders to a powered orthosis pass the same gate: their rules and memory are in `safety.joint_guard`.
"""

from safety.interlocks import Conditions
from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.joint_guard import JointGuard
from safety.joint_limits import JointLimit
from safety.limits import ChannelLimit, DeviceLimits, Prescription, ProtocolLimit, channel_limit
from safety.memory import Dose, Memory, Trail, Vetted
from safety.orders import Admitted, ArmScope, Deliver, Refused, Renew, Token
from safety.prescribing import REGIONS, constraint_refused, prescription_refused, region_unknown
from safety.rules import (
    ANTAGONIST_RULE,
    BODY_RULES,
    ORDER_RULES,
    PURPOSES,
    WITHOUT_LATCH,
    Wanted,
    step_ua,
)
from safety.vetting import is_off, note_exact, vet

ON_MS_NO_CAP = 1_000_000
"""More than any region's longest burst: where the search for the least begins."""


class Guard:
    """See the module's text. Not shared between threads; one for each unit, with the powered orthosis beside it.

    `joint` is what that orthosis can do; without it every order of motion is refused.
    """

    def __init__(self, device: DeviceLimits, joint: JointDeviceLimits | None = None) -> None:
        self._memory = Memory(device)
        self._joint = JointGuard(joint, self._memory)
        self._token = Token()
        self._serial = 0
        self._prescribed: dict[int, Prescription] = {}
        self._protocol: dict[int, ProtocolLimit] = {}
        self._lowest: dict[tuple[str, int, int, str], int] = {}
        self._doses: dict[tuple[str, str], Dose] = {}

    # -- what a person sets, and what the protocol narrows ---------------------------------------------------------

    def prescribe(
        self,
        channel: int,
        region: str,
        pad_area_mm2: int,
        ceiling_ua: int,
        motor_ua: int,
        patient: str,
        date: str,
        armed: bool,
    ) -> Refused | None:
        """What was found and fitted today for one channel (uA, mm2). A ceiling of 0 means "not found yet".

        Only while disarmed. For the same patient, channel, pad and date the ceiling may only fall. Prescribing for
        another patient or day forgets every channel, and the joint, of the one before; the doses of all are kept.
        """
        key = (patient, channel, pad_area_mm2, date)
        named = REGIONS.get(region)
        if named is None:
            return region_unknown("P02", region)
        wish = Prescription(channel, named, pad_area_mm2, ceiling_ua, motor_ua, patient, date)
        lowest_ua = self._lowest.get(key, 0)
        barred = armed is not False or self._memory.scope is not None
        refused = prescription_refused(self._memory.device, wish, barred, lowest_ua, len(self._lowest))
        if refused is not None:
            return refused
        self._forget_others(patient, date)
        self._prescribed[channel] = wish
        self._lowest[key] = ceiling_ua if ceiling_ua > 0 else lowest_ua
        self._memory.dose = self._doses.setdefault((patient, date), Dose())
        self._forget_vetted()
        return None

    def constrain(
        self,
        channel: int,
        region: str,
        pad_area_mm2: int,
        amplitude_ua: int,
        pulse_width_us: int,
        period_us_min: int,
        on_ms_max: int,
    ) -> Refused | None:
        """The most that the protocol ever asks of a channel. It can only narrow what device, cap and ceiling leave.

        While armed it can only narrow what it said before, too; while disarmed a new protocol replaces the old one's.
        """
        named = REGIONS.get(region)
        if named is None:
            return region_unknown("C01", region)
        wish = ProtocolLimit(named, pad_area_mm2, amplitude_ua, pulse_width_us, period_us_min, on_ms_max)
        before = self._protocol.get(channel) if self._memory.scope is not None else None
        refused = constraint_refused(self._memory.device, wish, channel, self._prescribed.get(channel), before)
        if refused is not None:
            return refused
        self._protocol[channel] = wish
        self._forget_vetted()
        return None

    def prescribe_joint(
        self,
        region: str,
        side: str,
        rom_min_cdeg: int,
        rom_max_cdeg: int,
        torque_mnm: int,
        patient: str,
        date: str,
        armed: bool,
    ) -> Refused | None:
        """The passive range measured today (cdeg), and the torque that the patient accepts (mNm, 0: not found yet).

        Only while disarmed. For the same patient, joint, side and date the torque may only fall. Another patient or
        day forgets what was prescribed for the one before, as `prescribe` does.
        """
        refused = self._joint.prescribe(region, side, rom_min_cdeg, rom_max_cdeg, torque_mnm, patient, date, armed)
        if refused is None:
            self._forget_others(patient, date)
            self._forget_vetted()
        return refused

    def constrain_joint(
        self,
        region: str,
        torque_mnm: int,
        speed_cdps: int,
        angle_min_cdeg: int,
        angle_max_cdeg: int,
        on_ms_max: int,
        channel_signs: tuple[tuple[int, int], ...] = (),
    ) -> Refused | None:
        """The most that the protocol ever asks of the orthosis; as `constrain`, it can only narrow.

        `channel_signs` holds (channel, sign): which way that channel's muscle moves the joint (+1 extends, -1 flexes).
        """
        return self._joint.constrain(
            region, torque_mnm, speed_cdps, angle_min_cdeg, angle_max_cdeg, on_ms_max, channel_signs
        )

    def joint_limit(self) -> JointLimit | None:
        """The effective limit of the joint, each bound with the source that binds; None when it is not prescribed."""
        return self._joint.limit()

    def posture(self, posture: Posture | None) -> None:
        """What the orthosis reported last (None: where it stands is not known any more)."""
        self._joint.stand(posture)

    def limit(self, channel: int, scope: ArmScope) -> ChannelLimit | None:
        """The effective limit of a channel, each bound with the source that binds; None when it is not prescribed."""
        given = self._prescribed.get(channel)
        if given is None:
            return None
        return channel_limit(self._memory.device, given, self._protocol.get(channel), scope)

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
                if vetted.on_ms < on_ms:
                    on_ms = vetted.on_ms
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
        """Until when no new burst is admitted, in ns (0 before the first burst)."""
        return self._memory.rest_until_ns

    # -- inside ----------------------------------------------------------------------------------------------------

    def _admit_motion(self, order: Hold | Assist, now_ns: int, conditions: Conditions) -> Admitted | Refused:
        refused = self._joint.judge(order, now_ns, conditions)
        if type(now_ns) is int and now_ns > self._memory.last_now_ns:
            self._memory.last_now_ns = now_ns
        return self._ticket(order, now_ns) if refused is None else refused

    def _forget_others(self, patient: str, date: str) -> None:
        """Channels and joint of another patient or day are not prescribed any more."""
        self._joint.forget_others(patient, date)
        for other in tuple(self._prescribed.values()):
            if (other.patient, other.date) != (patient, date):
                del self._prescribed[other.channel]

    def _note_step(self, order: Deliver, now_ns: int, trains: list[Vetted]) -> None:
        memory = self._memory
        if memory.scope is ArmScope.FITTING:
            one = trains[0]
            before_ua = memory.trails.get(one.channel, Trail()).amount
            level_ua = memory.fitting.levels.get(one.channel, 0)
            memory.fitting.note(now_ns, order.press, one, step_ua(memory, one.limit, level_ua), before_ua)

    def _refuse(self, order: Deliver | Renew, now_ns: int, number: str, reason: str) -> Refused:
        self._end(now_ns)
        self._note_seen(order, now_ns)
        return Refused(number, reason, latches=number not in WITHOUT_LATCH)

    def _ticket(self, order: Deliver | Renew | Hold | Assist, now_ns: int) -> Admitted:
        self._serial += 1
        return Admitted(self._token, self._serial, now_ns, order)

    def _note_seen(self, order: Deliver | Renew, now_ns: int) -> None:
        """Numbers of orders and the guard's own time are remembered whatever the answer was."""
        memory = self._memory
        seq = getattr(order, "seq", None)
        if type(seq) is int and seq > memory.last_seq:
            memory.last_seq = seq
        if type(now_ns) is int and now_ns > memory.last_now_ns:
            memory.last_now_ns = now_ns

    def _end(self, now_ns: int) -> None:
        """Current is off from `now_ns` on, or from the last time that was a whole number."""
        self._memory.end_burst(now_ns if type(now_ns) is int else self._memory.last_now_ns)

    def _forget_vetted(self) -> None:
        """Limits may have changed: every pulse must be vetted again."""
        memory = self._memory
        memory.vetted = {}
        memory.exact = {}
        memory.limits = {}
        for channel in self._prescribed:
            limit = None if memory.scope is None else self.limit(channel, memory.scope)
            if limit is not None:
                memory.limits[channel] = limit
