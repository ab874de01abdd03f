"""A rig around the guard: its own clock, sequence and good conditions."""

from dataclasses import replace
from types import SimpleNamespace

from safety.guard import Guard
from safety.interlocks import Conditions
from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.limits import DeviceLimits
from safety.orders import Admitted, ArmScope, Deliver, Purpose, Refused, Renew
from safety.stimulus import Train, Waveform, biphasic
from tests.safety.proposed import PROPOSED, PROPOSED_JOINTS

MS = 1_000_000
UNIT = DeviceLimits("P24", 8, 130_000, 500, 10, 4095, 500, 16_383_000, 500, 16)
GOOD = Conditions(True, True, True, True, "", False, True)
DAY = "2026-01-05"
FITTED = Waveform(10_000, 0, 1)
"""So wide and so often that G37 never binds."""
MOTOR = JointDeviceLimits("M1", 20_000, 1, 30_000, -18_000, 18_000)


class Rig:
    """A guard with channels 1 and 2 prescribed and armed. `deliver` and `renew` stamp their orders with its clock."""

    def __init__(self, region="forearm", scope=ArmScope.SESSION, ceiling_ua=None, motor_ua=0, pad_mm2=2500, unit=UNIT):
        self.guard = Guard(unit)
        self.now_ns = 10_000 * MS
        self.seq = 0
        self.number = 0
        ceiling_ua = PROPOSED[region][0] * 1000 if ceiling_ua is None else ceiling_ua
        for channel in (1, 2, 3, 4, 5):
            refused = self.guard.prescribe(channel, region, pad_mm2, ceiling_ua, motor_ua, "P-001", DAY, armed=False)
            assert refused is None
        self.guard._memory.identified = {1, 2, 3, 4, 5}
        self.guard._memory.fitted = dict.fromkeys((1, 2, 3, 4, 5), FITTED)
        seat(self.guard)
        self.guard.arm(scope, self.now_ns)
        self.scope = scope

    def wait(self, ms):
        self.now_ns += ms * MS

    def press(self):
        self.number += 1
        self.guard.press(self.number, self.now_ns)

    def order(self, *trains, **changes):
        self.seq += 1
        purpose = Purpose.ASSIST if self.scope is ArmScope.SESSION else Purpose.TITRATE
        order = Deliver(
            self.seq, self.now_ns, self.now_ns + 120 * MS, purpose, tuple(trains), self.number, self.now_ns - 5 * MS
        )
        return replace(order, **changes)

    def deliver(self, *trains, conditions=GOOD, **changes):
        return self.guard.admit(self.order(*trains, **changes), self.now_ns, conditions)

    def renew(self, conditions=GOOD, **changes):
        self.seq += 1
        order = Renew(self.seq, self.now_ns, self.now_ns + 120 * MS, self.now_ns - 5 * MS)
        return self.guard.admit(replace(order, **changes), self.now_ns, conditions)

    def verdict(self, *trains, **changes):
        """The rule that refuses, "" when the order is admitted."""
        return rule_of(self.deliver(*trains, **changes))

    def ramp(self, to_ua, channel=1, width_us=250, period_us=29_000):
        """Raise one channel by 2 mA each 20 ms; the last answer's rule."""
        answer = ""
        for ua in [*range(2000, to_ua, 2000), to_ua]:
            answer = self.verdict(pulse(ua, channel, width_us, period_us))
            if answer or ua == to_ua:
                return answer
            self.wait(20)
        return answer

    def keep_on(self, ms):
        """Renew each 20 ms for so long; the rule of the first refusal."""
        for _ in range(ms // 20):
            self.wait(20)
            answer = rule_of(self.renew())
            if answer:
                return answer
        return ""


class JointRig:
    """A joint whose measured range is wider than its cap, so that the cap binds; it stands in the middle."""

    good = GOOD

    def __init__(self, region="wrist", device=MOTOR, scope=ArmScope.SESSION, stimulator=UNIT, **prescribed):
        dps, newton_metres, low, high, seconds, self.crowd = PROPOSED_JOINTS[region]
        self.region, self.speed_cdps = region, dps * 100
        self.torque_mnm, self.rise_mnm = round(newton_metres * 1000), round(newton_metres * 100)
        self.low_cdeg, self.high_cdeg, self.on_ms = low * 100, high * 100, seconds * 1000
        self.middle_cdeg = (self.low_cdeg + self.high_cdeg) // 2
        self.guard = Guard(stimulator, device)
        self.now_ns, self.seq, self.delivered = 10_000 * MS, 0, 0
        self.wider = {"rom_min_cdeg": self.low_cdeg - 300, "rom_max_cdeg": self.high_cdeg + 300}
        assert self.prescribe(**prescribed) == ("P12" if device is None else "")
        for channel in (1, 2):
            region_of_pad, pad, ceiling = "forearm", 2500, 20_000
            refused = self.guard.prescribe(channel, region_of_pad, pad, ceiling, 0, "P-001", DAY, armed=False)
            assert refused is None
        self.guard._memory.identified = {1, 2}
        self.guard._memory.fitted = dict.fromkeys((1, 2), FITTED)
        seat(self.guard)
        self.stand(self.middle_cdeg)
        self.scope = scope
        self.guard.arm(scope, self.now_ns)

    def prescribe(self, **changes):
        settings = {"region": self.region, "side": "left", "torque_mnm": self.torque_mnm, **self.wider}
        settings |= {"patient": "P-001", "date": DAY, "armed": False}
        return rule_of(self.guard.prescribe_joint(**(settings | changes)))

    def constrain(self, **changes):
        settings = {"region": self.region, "torque_mnm": 99_999, "speed_cdps": 99_999, "on_ms_max": 99_999}
        settings |= {"angle_min_cdeg": -99_999, "angle_max_cdeg": 99_999, "channel_signs": ()}
        return rule_of(self.guard.constrain_joint(**(settings | changes)))

    def wait(self, ms):
        """Time passes and the joint reports again from where it stood."""
        self.now_ns += ms * MS
        self.stand(self.angle_cdeg)

    def stand(self, angle_cdeg, age_ms=0):
        self.angle_cdeg = angle_cdeg
        self.guard.posture(Posture(self.now_ns - age_ms * MS, angle_cdeg, 0, 0, False))

    def assist(self, conditions=GOOD, **changes):
        self.seq += 1
        order = Assist(
            self.seq, self.now_ns, self.now_ns + 120 * MS, self.middle_cdeg, self.speed_cdps, 1, self.now_ns - 5 * MS
        )
        return self.guard.admit(replace(order, **changes), self.now_ns, conditions)

    def hold(self, conditions=GOOD, **changes):
        self.seq += 1
        order = Hold(self.seq, self.now_ns, self.now_ns + 120 * MS, self.middle_cdeg, 1)
        return self.guard.admit(replace(order, **changes), self.now_ns, conditions)

    def assists(self, **changes):
        """The rule that refuses an assist, "" when it is admitted."""
        return rule_of(self.assist(**changes))

    def holds(self, **changes):
        return rule_of(self.hold(**changes))

    def both(self, **changes):
        """The rules of an assist and of a hold, each in a state of its own (the memory is set back between)."""
        first = self.assists(**changes)
        if self.guard.moving:
            self.guard.off_joint(self.now_ns)
            self.now_ns = self.guard.joint_rest_until_ns
            self.stand(self.angle_cdeg)
        return first, self.holds(**changes)

    def ramp(self, to_mnm):
        """Raise the torque by a tenth of the cap each 20 ms; the last answer's rule."""
        answer = ""
        for mnm in [*range(self.rise_mnm, to_mnm, self.rise_mnm), to_mnm]:
            answer = self.assists(torque_mnm=mnm)
            if answer or mnm == to_mnm:
                return answer
            self.wait(20)
        return answer

    def keep_on(self, ms, **changes):
        """Repeat an assist each 20 ms for so long; the rule of the first refusal."""
        for _ in range(ms // 20):
            self.wait(20)
            answer = self.assists(**changes)
            if answer:
                return answer
        return ""

    def deliver(self, ua=2000, channel=1, conditions=GOOD, beside=()):
        """One train of stimulation, and 2 mA on each channel of `beside`; the rule that refuses, "" when admitted."""
        self.delivered += 1
        trains = (pulse(ua, channel), *[pulse(2000, other) for other in beside])
        order = Deliver(
            self.delivered, self.now_ns, self.now_ns + 120 * MS, Purpose.ASSIST, trains, 0, self.now_ns - 5 * MS
        )
        return rule_of(self.guard.admit(order, self.now_ns, conditions))


def seat(guard, position="seated", harness=False, patient="P-001", date=DAY):
    """The protocol is made for this position, and a person has confirmed it."""
    assert guard.need(position) is None
    assert guard.place(position, harness, patient, date, armed=False) is None


def rule_of(answer):
    assert answer is None or isinstance(answer, Admitted | Refused)
    return answer.rule if isinstance(answer, Refused) else ""


def pulse(ua=2000, channel=1, width_us=250, period_us=29_000) -> Train:
    return biphasic(channel, ua, width_us, 100, period_us)


class Bed:
    """The contract's bench for one body region: fresh rigs, and the region's proposed caps in the code's units."""

    rule_of = staticmethod(rule_of)
    pulse = staticmethod(pulse)
    seat = staticmethod(seat)
    good, unit = GOOD, UNIT

    def __init__(self, region):
        self.region = region
        milliamps, self.width_us, microcoulombs, seconds = PROPOSED[region]
        self.cap_ua, self.charge_nc, self.on_ms = milliamps * 1000, int(microcoulombs * 1000), seconds * 1000

    def rig(self, **settings):
        return Rig(self.region, **settings)

    def fitting(self, **settings):
        return self.rig(scope=ArmScope.FITTING, ceiling_ua=0, **settings)

    def vets(self, *trains, **settings):
        """The rule of the pulse (G07 to G16) that refuses the trains, "" when all of those hold."""
        rule = self.rig(**settings).verdict(*trains)
        return rule if "G07" <= rule <= "G16" else ""


KIT = SimpleNamespace(
    Rig=Rig,
    JointRig=JointRig,
    rule_of=rule_of,
    pulse=pulse,
    seat=seat,
    MS=MS,
    DAY=DAY,
    UNIT=UNIT,
    GOOD=GOOD,
    MOTOR=MOTOR,
    PROPOSED=PROPOSED,
    PROPOSED_JOINTS=PROPOSED_JOINTS,
)
