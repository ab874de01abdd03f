"""What a person found and confirmed today, and what the protocol narrows: the guard's half that is said, not ordered.

None of it makes current flow, and none of it latches. `safety.guard.Guard` is the other half; nothing else uses this.
"""

from safety.joint import JointDeviceLimits
from safety.joint_guard import JointGuard
from safety.joint_limits import JointLimit
from safety.lately import Lately, whose
from safety.limits import DUTY_WINDOW_NS, ChannelLimit, DeviceLimits, Prescription, ProtocolLimit, channel_limit
from safety.memory import Dose, Memory, rest_after_ns
from safety.orders import ArmScope, Refused
from safety.position import POSITIONS, Placed, misplaced, needing_refused, placing_refused
from safety.prescribing import (
    REGIONS,
    constraint_refused,
    dose_refused,
    found_refused,
    identification_refused,
    lately_refused,
    prescription_refused,
    region_unknown,
)


class Today:
    """Prescriptions, ceilings, doses, identified channels and the patient's position; see the module's text."""

    def __init__(self, device: DeviceLimits, joint: JointDeviceLimits | None = None) -> None:
        self._memory = Memory(device)
        self._joint = JointGuard(joint, self._memory)
        self._prescribed: dict[int, Prescription] = {}
        self._protocol: dict[int, ProtocolLimit] = {}
        self._lowest: dict[tuple[str, str, int, str], int] = {}
        self._doses: dict[tuple[str, str], Dose] = {}
        self._placed: Placed | None = None
        self._unit = ""

    # -- channels --------------------------------------------------------------------------------------------------

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

        Only while disarmed. For the same patient, channel, region and date the ceiling may only fall, whatever the pad.
        Prescribing for another patient or day forgets every channel, and the joint, of the one before; the doses of
        all are kept.
        """
        key = (*whose(patient, date), channel, region)
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
        before = self._prescribed.get(channel)
        if before is not None and (before.region, before.pad_area_mm2) != (wish.region, wish.pad_area_mm2):
            self._memory.forget(channel)
        self._prescribed[channel] = wish
        self._lowest[key] = ceiling_ua if ceiling_ua > 0 else lowest_ua
        self._memory.dose = self._doses.setdefault(whose(patient, date), Dose())
        self._look_at_position()
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

    def identify(self, channel: int, patient: str, date: str) -> Refused | None:
        """A person saw the right muscle move while this channel carried current in fitting.

        Forgotten when another patient or day, another pad or region is prescribed, or another unit answers.
        """
        memory = self._memory
        given = self._prescribed.get(channel) if type(channel) is int else None
        carried = memory.scope is ArmScope.FITTING and channel in memory.fitting.carried
        refused = identification_refused(channel, given, patient, date, carried)
        if refused is None:
            memory.identified.add(channel)
        return refused

    def meet(self, identity: str) -> None:
        """The unit said who it is. On another one the leads may be in other sockets: no channel is identified."""
        if self._unit not in ("", identity):
            self._memory.identified = set()
            self._memory.fitted = {}
        self._unit = identity

    @property
    def identified(self) -> tuple[int, ...]:
        """The channels that a person identified today, in rising order."""
        return tuple(sorted(self._memory.identified))

    # -- the patient's position ------------------------------------------------------------------------------------

    def place(self, position: str, harness: bool, patient: str, date: str, armed: bool) -> Refused | None:
        """A person looked: this is how the patient is placed, and whether a harness holds them. Only while disarmed.

        It counts for this patient and day alone.
        """
        refused = placing_refused(position, harness, armed is not False or self._memory.scope is not None)
        if refused is None:
            self._placed = Placed(POSITIONS[position], harness, patient, date)
            self._look_at_position()
        return refused

    def need(self, position: str) -> Refused | None:
        """The position that the protocol is made for. While armed it does not change."""
        before = self._memory.needed if self._memory.scope is not None else None
        refused = needing_refused(position, before)
        if refused is None:
            self._memory.needed = POSITIONS[position]
        return refused

    @property
    def placed(self) -> Placed | None:
        """What was confirmed last, of whichever patient; None when nothing was. G34 looks whose word it is."""
        return self._placed

    @property
    def position_fault(self) -> str:
        """Why the patient's position permits no session, in one sentence; "" when it does."""
        return misplaced(self._memory.needed, self._memory.placed) or ""

    # -- the joint -------------------------------------------------------------------------------------------------

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
            self._look_at_position()
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

    def begin_dose(
        self, patient: str, date: str, bursts: int, on_ns: int, movements: int, moved_ns: int
    ) -> Refused | None:
        """What this patient had on this day before this run (numbers, ns). A dose can only be raised by it."""
        refused = dose_refused((bursts, on_ns, movements, moved_ns), len(self._doses))
        if refused is not None:
            return refused
        dose = self._doses.setdefault(whose(patient, date), Dose())
        dose.bursts, dose.on_ns = max(dose.bursts, bursts), max(dose.on_ns, on_ns)
        self._joint.take_dose(patient, date, movements, moved_ns)
        return None

    def dose(self, patient: str, date: str) -> tuple[int, int, int, int]:
        """(bursts, ns of current, movements, ns of torque) of this patient and day; what is on counts at its longest.

        So what is written down at the start of a burst holds even when nobody is left to write down its end.
        """
        memory, dose = self._memory, self._doses.get(whose(patient, date), Dose())
        running_ns = memory.on_ms * 1_000_000 if memory.live and memory.dose is dose else 0
        return (dose.bursts, dose.on_ns + running_ns, *self._joint.moved(patient, date))

    def begin_lately(
        self,
        patient: str,
        date: str,
        now_ns: int,
        on_ns: int,
        bursts: int,
        rest_ns: int,
        crowd: int,
        movements: int,
        motion_rest_ns: int,
    ) -> Refused | None:
        """What an earlier run left for the rests (the fields of `Lately`): it counts as if it had ended at `now_ns`."""
        lately = Lately(on_ns, bursts, rest_ns, crowd, movements, motion_rest_ns)
        refused = lately_refused(lately, len(self._doses))
        if refused is not None:
            return refused
        memory = self._memory
        self._doses.setdefault(whose(patient, date), Dose()).recall(now_ns, on_ns, bursts)
        memory.rest_until_ns = max(memory.rest_until_ns, now_ns + rest_ns)
        self._joint.take_lately(patient, date, now_ns, crowd, movements, motion_rest_ns)
        return None

    def lately(self, patient: str, date: str, now_ns: int) -> Lately:
        """What of this patient's dose still counts for the rests at `now_ns`; what is on counts at its longest."""
        memory, dose = self._memory, self._doses.get(whose(patient, date), Dose())
        on_ns, bursts = dose.of_late(now_ns)
        rest_ns = max(0, memory.rest_until_ns - now_ns)
        if memory.live and memory.dose is dose:
            longest_ns = memory.on_ms * 1_000_000
            on_ns = min(on_ns + longest_ns, DUTY_WINDOW_NS)
            rest_ns = max(rest_ns, rest_after_ns(longest_ns))
        return Lately(on_ns, bursts, rest_ns, *self._joint.moved_lately(patient, date, now_ns))

    def begin_ceiling(self, patient: str, date: str, channel: int, region: str, ceiling_ua: int) -> Refused | None:
        """The ceiling that an earlier run found for this patient on this day (uA): no prescription may be above it."""
        key = (*whose(patient, date), channel, region)
        known = type(channel) is int and region in REGIONS
        refused = found_refused("P04", known, ceiling_ua, key in self._lowest, len(self._lowest))
        if refused is None:
            self._lowest[key] = min(self._lowest.get(key, 0) or ceiling_ua, ceiling_ua)
        return refused

    def begin_torque(self, patient: str, date: str, region: str, side: str, torque_mnm: int) -> Refused | None:
        """The torque that an earlier run found for this patient's joint on this day (mNm), as `begin_ceiling`."""
        return self._joint.take_torque(patient, date, region, side, torque_mnm)

    def ceilings(self, patient: str, date: str) -> tuple[tuple[int, str, int], ...]:
        """(channel, region, uA) of each ceiling that was found for this patient on this day."""
        mine = whose(patient, date)
        return tuple(
            sorted([(*key[2:], least) for key, least in self._lowest.items() if key[:2] == mine and least > 0])
        )

    def torques(self, patient: str, date: str) -> tuple[tuple[str, str, int], ...]:
        """(region, side, mNm) of each torque that was found for this patient on this day."""
        return self._joint.torques_found(patient, date)

    def joint_limit(self) -> JointLimit | None:
        """The effective limit of the joint, each bound with the source that binds; None when it is not prescribed."""
        return self._joint.limit()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _forget_others(self, patient: str, date: str) -> None:
        """Channels and joint of another patient or day are not prescribed any more."""
        self._joint.forget_others(patient, date)
        for other in tuple(self._prescribed.values()):
            if (other.patient, other.date) != (patient, date):
                del self._prescribed[other.channel]
                self._memory.forget(other.channel)

    def _look_at_position(self) -> None:
        """Only what was confirmed of the patient and day that are prescribed counts."""
        placed = self._placed
        whose: set[tuple[str, str] | None] = {(one.patient, one.date) for one in self._prescribed.values()}
        whose = whose or {self._joint.whose}
        self._memory.placed = placed if placed is not None and whose == {(placed.patient, placed.date)} else None

    def _forget_vetted(self) -> None:
        """Limits may have changed: every pulse must be vetted again. There are limits only while armed."""
        memory = self._memory
        memory.vetted = {}
        memory.exact = {}
        memory.limits = {}
        for channel in self._prescribed:
            limit = None if memory.scope is None else self.limit(channel, memory.scope)
            if limit is not None:
                memory.limits[channel] = limit
