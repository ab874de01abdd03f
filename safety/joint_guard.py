"""The guard's half for a powered orthosis: what it may be asked, and whether an order of motion holds.

`safety.guard.Guard` owns one and makes the tickets; nothing else uses it. The same rules of the house: it refuses and
never repairs, integers only, and after any refusal the movement counts as over and the torque as 0.
"""

from safety.interlocks import Conditions
from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.joint_limits import (
    CROWD_NS,
    JOINT_CAPS,
    MOTION_REST_NS_MIN,
    MOVEMENTS_A_MINUTE_MAX,
    SIDES,
    JointLimit,
    JointPrescription,
    JointProtocolLimit,
    effective_joint_limit,
)
from safety.joint_memory import NOWHERE, JointDose, JointMemory
from safety.joint_prescribing import (
    JOINT_REGIONS,
    OTHER_JOINT,
    joint_constraint_refused,
    joint_prescription_refused,
    joint_unknown,
)
from safety.joint_rules import JOINT_LIMIT_RULE, JOINT_ORDER_RULES, JOINT_RULES, JOINT_WITHOUT_LATCH, Asked
from safety.lately import whose
from safety.limits import MINUTE_NS
from safety.memory import Memory
from safety.orders import Refused
from safety.prescribing import found_refused


class JointGuard:
    """One fitted joint (`device` None: no orthosis, and every order of motion is refused)."""

    def __init__(self, device: JointDeviceLimits | None, shared: Memory) -> None:
        self.memory = JointMemory(device, shared)
        self._given: JointPrescription | None = None
        self._protocol: JointProtocolLimit | None = None
        self._lowest: dict[tuple[str, str, str, str], int] = {}
        self._doses: dict[tuple[str, str], JointDose] = {}

    def prescribe(
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
        """See `Guard.prescribe_joint`."""
        memory = self.memory
        named = JOINT_REGIONS.get(region)
        if named is None:
            return joint_unknown("P12", region)
        wish = JointPrescription(named, side, rom_min_cdeg, rom_max_cdeg, torque_mnm, patient, date)
        key = (*whose(patient, date), region, side)
        lowest_mnm = self._lowest.get(key, 0)
        barred = armed is not False or memory.shared.scope is not None
        refused = joint_prescription_refused(memory.device, wish, barred, lowest_mnm, len(self._lowest))
        if refused is not None:
            return refused
        self._given = wish
        self._lowest[key] = torque_mnm if torque_mnm > 0 else lowest_mnm
        memory.dose = self._doses.setdefault(whose(patient, date), JointDose())
        self._refresh()
        return None

    def forget_others(self, patient: str, date: str) -> None:
        """What was prescribed for another patient or day is gone; the doses of all are kept."""
        if self._given is not None and (self._given.patient, self._given.date) != (patient, date):
            self._given = None
            self._refresh()

    def take_dose(self, patient: str, date: str, movements: int, moved_ns: int) -> None:
        """See `Guard.begin_dose`, which has looked at the numbers."""
        dose = self._doses.setdefault(whose(patient, date), JointDose())
        dose.movements, dose.moved_ns = max(dose.movements, movements), max(dose.moved_ns, moved_ns)

    def moved(self, patient: str, date: str) -> tuple[int, int]:
        """(movements, ns of torque) of this patient and day; a movement that is on counts at its longest."""
        memory, dose = self.memory, self._doses.get(whose(patient, date), JointDose())
        counts = memory.live and memory.dose is dose and memory.limit is not None
        running_ns = memory.limit.on_ms.value * 1_000_000 if counts and memory.limit is not None else 0
        return dose.movements, dose.moved_ns + running_ns

    def moved_lately(self, patient: str, date: str, now_ns: int) -> tuple[int, int, int]:
        """(movements of the last 10 min, of the last minute, ns of rest that is due); see `Guard.lately`."""
        memory, dose = self.memory, self._doses.get(whose(patient, date), JointDose())
        rest_ns = max(0, memory.rest_until_ns - now_ns)
        if memory.live and memory.limit is not None:
            rest_ns = max(rest_ns, memory.limit.on_ms.value * 1_000_000, MOTION_REST_NS_MIN)
        return (*dose.of_late(now_ns), rest_ns)

    def take_lately(self, patient: str, date: str, now_ns: int, crowd: int, movements: int, rest_ns: int) -> None:
        """See `Guard.begin_lately`, which has looked at the numbers."""
        self._doses.setdefault(whose(patient, date), JointDose()).recall(now_ns, crowd, movements)
        self.memory.rest_until_ns = max(self.memory.rest_until_ns, now_ns + rest_ns)

    def take_torque(self, patient: str, date: str, region: str, side: str, torque_mnm: int) -> Refused | None:
        """See `Guard.begin_torque`."""
        key = (*whose(patient, date), region, side)
        known = region in JOINT_REGIONS and side in SIDES
        refused = found_refused("P14", known, torque_mnm, key in self._lowest, len(self._lowest))
        if refused is None:
            self._lowest[key] = min(self._lowest.get(key, 0) or torque_mnm, torque_mnm)
        return refused

    def torques_found(self, patient: str, date: str) -> tuple[tuple[str, str, int], ...]:
        """(region, side, mNm) of each torque that was found for this patient on this day."""
        mine = whose(patient, date)
        return tuple(
            sorted([(*key[2:], least) for key, least in self._lowest.items() if key[:2] == mine and least > 0])
        )

    def constrain(
        self,
        region: str,
        torque_mnm: int,
        speed_cdps: int,
        angle_min_cdeg: int,
        angle_max_cdeg: int,
        on_ms_max: int,
        channel_signs: tuple[tuple[int, int], ...],
    ) -> Refused | None:
        """See `Guard.constrain_joint`."""
        shared = self.memory.shared
        named = JOINT_REGIONS.get(region)
        if named is None:
            return joint_unknown("C11", region)
        wish = JointProtocolLimit(
            named, torque_mnm, speed_cdps, angle_min_cdeg, angle_max_cdeg, on_ms_max, channel_signs
        )
        before = self._protocol if shared.scope is not None else None
        refused = joint_constraint_refused(wish, shared.device.channels, self._given, before)
        if refused is not None and refused.rule != OTHER_JOINT:
            return refused
        # A protocol that means another joint is kept all the same: with it there is no limit, so nothing moves.
        self._protocol = wish
        shared.channel_signs = {channel: sign for channel, sign in wish.channel_signs if sign != 0}
        self._refresh()
        return refused

    def stand(self, posture: Posture | None) -> None:
        """The newest posture; one that is not of exact numbers counts as unknown."""
        self.memory.posture = posture if posture is not None and _exact(posture) else NOWHERE

    def judge(self, order: Hold | Assist, now_ns: int, conditions: Conditions) -> Refused | None:
        """Judge one order of motion at `now_ns`; None when it holds, and then it is in force."""
        refused = self._refusal(order, now_ns, conditions)
        if refused is None:
            self.memory.move(now_ns, order)
        else:
            self.let_go(now_ns)
        if type(order.seq) is int:
            self.memory.last_seq = max(self.memory.last_seq, order.seq)
        return refused

    def begin(self) -> None:
        """A new sender may count its orders of motion from the beginning."""
        self.memory.last_seq = -1

    def let_go(self, now_ns: int) -> None:
        """Torque is off from `now_ns` on, or from the last time that was a whole number."""
        self.memory.end_movement(now_ns if type(now_ns) is int else self.memory.shared.last_now_ns)

    def limit(self) -> JointLimit | None:
        """The effective limit of the joint; None when it is not prescribed, or the protocol means another."""
        device, given = self.memory.device, self._given
        return None if device is None or given is None else effective_joint_limit(device, given, self._protocol)

    @property
    def rest_until_ns(self) -> int:
        """Until when J15 and J22 admit no new movement: the rest, and room among those of ten minutes and of one."""
        memory, begun = self.memory, self.memory.dose.begun
        rest_until_ns = memory.rest_until_ns
        if len(begun) >= MOVEMENTS_A_MINUTE_MAX:
            rest_until_ns = max(rest_until_ns, begun[-MOVEMENTS_A_MINUTE_MAX] + MINUTE_NS)
        if memory.limit is not None:
            crowd = JOINT_CAPS[memory.limit.region].crowd
            if len(begun) >= crowd:
                rest_until_ns = max(rest_until_ns, begun[-crowd] + CROWD_NS)
        return rest_until_ns

    @property
    def whose(self) -> tuple[str, str] | None:
        """(patient, date) of the joint that is prescribed now; None when none is."""
        return None if self._given is None else (self._given.patient, self._given.date)

    def _refusal(self, order: Hold | Assist, now_ns: int, conditions: Conditions) -> Refused | None:
        """The first rule that does not hold; None when all do."""
        memory = self.memory
        for number, order_rule in JOINT_ORDER_RULES:
            reason = order_rule(memory, order, now_ns, conditions)
            if reason is not None:
                return Refused(number, reason)
        number, limit_rule = JOINT_LIMIT_RULE
        reason = limit_rule(memory, order, now_ns, conditions)
        if memory.device is None or memory.limit is None or reason is not None:
            return Refused(number, reason or "The joint is not prescribed, or no orthosis is fitted.")
        memory.lapse(now_ns)
        asked = Asked(memory, order, now_ns, memory.device, memory.limit, memory.posture)
        for number, rule in JOINT_RULES:
            reason = rule(asked)
            if reason is not None:
                return Refused(number, reason, latches=number not in JOINT_WITHOUT_LATCH)
        return None

    def _refresh(self) -> None:
        self.memory.limit = self.limit()


def _exact(posture: Posture) -> bool:
    return (
        type(posture) is Posture
        and type(posture.t_ns) is type(posture.angle_cdeg) is int
        and type(posture.speed_cdps) is type(posture.torque_mnm) is int
        and type(posture.torque_on) is bool
    )
