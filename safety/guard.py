"""The guard: the last gate before current. It refuses and never repairs, and off is always admitted.

It walks the table of `safety.rules` and keeps the memory that the rules read; it reads no clock and owns no port.
Integers only: no float, no division, no exceptions, bounded loops. After any refusal the remembered currents are 0,
so what comes next must rise from there, after the rest. Whether a refusal latches is for the caller to carry out.
"""

from safety.interlocks import Conditions
from safety.limits import ChannelLimit, DeviceLimits, Prescription, ProtocolLimit, channel_limit
from safety.memory import Dose, Memory, Trail, Vetted
from safety.orders import Admitted, ArmScope, Deliver, Refused, Renew, Token
from safety.prescribing import REGIONS, constraint_refused, prescription_refused, region_unknown
from safety.rules import BODY_RULES, CHANNEL_RULE, ORDER_RULES, PURPOSES, TRAIN_RULES, WITHOUT_LATCH, Wanted, step_ua
from safety.stimulus import Point, Train

VETTED_MAX = 1_024
"""Pulses whose vetting is kept. The whole train, channel and current included, is the key."""

ON_MS_NO_CAP = 1_000_000
"""More than any region's longest burst: where the search for the least begins."""


def is_off(order: Deliver | Renew) -> bool:
    """Whether an order surely asks for no current at all: no trains, or every point exactly 0 uA."""
    if type(order) is not Deliver or type(order.trains) is not tuple:
        return False
    for train in order.trains:
        if type(train) is not Train or type(train.points) is not tuple:
            return False
        for point in train.points:
            if type(point) is not Point or type(point[1]) is not int or point[1] != 0:
                return False
    return True


class Guard:
    """See the module's text. Not shared between threads; one for each unit."""

    def __init__(self, device: DeviceLimits) -> None:
        self._memory = Memory(device)
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
        another patient or day forgets every channel of the one before; the doses of all are kept.
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
        for other in tuple(self._prescribed.values()):
            if (other.patient, other.date) != (patient, date):
                del self._prescribed[other.channel]
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
        memory.purpose = PURPOSES[scope][0]
        memory.fitting.begin()
        self._forget_vetted()

    def disarm(self, now_ns: int) -> None:
        """Output is off and every order to deliver is refused until a person arms again."""
        self.off(now_ns)
        self._memory.scope = None
        self._forget_vetted()

    # -- orders ----------------------------------------------------------------------------------------------------

    def admit(self, order: Deliver | Renew, now_ns: int, conditions: Conditions) -> Admitted | Refused:
        """Judge one order at `now_ns`. A refusal means that no current may flow until a later order is admitted."""
        memory = self._memory
        if is_off(order):
            self._end(now_ns)
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
                vetted = memory.vetted.get(train) or self._vet(train)
                if isinstance(vetted, Refused):
                    return self._refuse(order, now_ns, vetted.rule, vetted.reason)
                trains.append(vetted)
                if id(train) not in memory.exact:
                    self._note_exact(train)
                if vetted.on_ms < on_ms:
                    on_ms = vetted.on_ms
        wanted = Wanted(memory, order, now_ns, trains, on_ms, purpose)
        for number, body_rule in BODY_RULES:
            reason = body_rule(wanted)
            if reason is not None:
                return self._refuse(order, now_ns, number, reason)
        if isinstance(order, Deliver):
            self._note_step(order, now_ns, trains)
            memory.deliver(now_ns, order, trains, on_ms)
        memory.lease_until_ns = order.expires_ns
        memory.last_stamp_ns = order.stamp_ns
        return self._ticket(order, now_ns)

    def off(self, now_ns: int) -> None:
        """Output has been switched off (stop, lease end, release): remembered currents 0, the rest starts."""
        self._end(now_ns)

    @property
    def delivering(self) -> bool:
        """Whether a burst is on, as far as admitted orders say."""
        return self._memory.live

    @property
    def rest_until_ns(self) -> int:
        """Until when no new burst is admitted, in ns (0 before the first burst)."""
        return self._memory.rest_until_ns

    # -- inside ----------------------------------------------------------------------------------------------------

    def _vet(self, train: Train) -> Vetted | Refused:
        """Ask the rules of the pulse; a pulse that passes is remembered until a limit changes."""
        memory = self._memory
        limit = memory.limits.get(train.channel)
        number, channel_rule = CHANNEL_RULE
        reason = channel_rule(memory.device, train, limit)
        if limit is None or reason is not None:
            return Refused(number, reason or "")
        for number, rule in TRAIN_RULES:
            reason = rule(memory.device, train, limit)
            if reason is not None:
                return Refused(number, reason)
        busy_us = sum([point.duration_us for point in train.points]) + memory.device.overhead_us
        vetted = Vetted(train.channel, train.amplitude_ua, busy_us, train.period_us, limit.on_ms.value, limit)
        if not len(memory.vetted) < VETTED_MAX:
            memory.vetted.clear()
        memory.vetted[train] = vetted
        return vetted

    def _note_exact(self, train: Train) -> None:
        """This very object has passed G01 and needs not be looked through again."""
        exact = self._memory.exact
        if not len(exact) < VETTED_MAX:
            exact.clear()
        exact[id(train)] = train

    def _note_step(self, order: Deliver, now_ns: int, trains: list[Vetted]) -> None:
        memory = self._memory
        if memory.scope is ArmScope.FITTING:
            one = trains[0]
            before_ua = memory.trails.get(one.channel, Trail()).current_ua
            level_ua = memory.fitting.levels.get(one.channel, 0)
            memory.fitting.note(now_ns, order.press, one, step_ua(one.limit, level_ua), before_ua)

    def _refuse(self, order: Deliver | Renew, now_ns: int, number: str, reason: str) -> Refused:
        self._end(now_ns)
        self._note_seen(order, now_ns)
        return Refused(number, reason, latches=number not in WITHOUT_LATCH)

    def _ticket(self, order: Deliver | Renew, now_ns: int) -> Admitted:
        self._note_seen(order, now_ns)
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
