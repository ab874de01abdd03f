"""A rig around the guard: its own clock, sequence and good conditions, and its own copy of the proposed caps."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from safety.guard import Guard
from safety.interlocks import Conditions
from safety.limits import DeviceLimits
from safety.orders import Admitted, ArmScope, Deliver, Purpose, Refused, Renew
from safety.stimulus import Train, biphasic

MS = 1_000_000
UNIT = DeviceLimits("P24", 8, 130_000, 500, 10, 4095, 500, 16_383_000, 500, 16)
GOOD = Conditions(True, True, True, True, True, False, True, "SIM0P24001")
# mA, us, uC, s: written down a second time, from the table of proposed caps, not from the code.
PROPOSED = {
    "hand": (25, 300, 7.5, 10),
    "forearm": (45, 350, 14, 12),
    "upper_arm": (60, 400, 20, 15),
    "lower_leg": (70, 400, 25, 10),
    "thigh": (100, 450, 40, 15),
}


class Rig:
    """A guard with channels 1 and 2 prescribed and armed. `deliver` and `renew` stamp their orders with its clock."""

    def __init__(self, region="forearm", scope=ArmScope.SESSION, ceiling_ua=None, motor_ua=0, pad_mm2=2500):
        self.guard = Guard(UNIT)
        self.now_ns = 10_000 * MS
        self.seq = 0
        self.number = 0
        ceiling_ua = PROPOSED[region][0] * 1000 if ceiling_ua is None else ceiling_ua
        for channel in (1, 2, 3, 4, 5):
            refused = self.guard.prescribe(
                channel, region, pad_mm2, ceiling_ua, motor_ua, "P-001", "2026-01-05", armed=False
            )
            assert refused is None
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


def rule_of(answer):
    assert isinstance(answer, Admitted | Refused)
    return answer.rule if isinstance(answer, Refused) else ""


def pulse(ua=2000, channel=1, width_us=250, period_us=29_000) -> Train:
    return biphasic(channel, ua, width_us, 100, period_us)


class Bed:
    """The contract's bench for one body region: fresh rigs, and the region's proposed caps in the code's units."""

    rule_of = staticmethod(rule_of)
    pulse = staticmethod(pulse)
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


@pytest.fixture(params=sorted(PROPOSED))
def bed(request):
    """Every body region inherits the whole contract."""
    return Bed(request.param)


@pytest.fixture(scope="session")
def kit():
    return SimpleNamespace(Rig=Rig, rule_of=rule_of, pulse=pulse, MS=MS, UNIT=UNIT, GOOD=GOOD, PROPOSED=PROPOSED)
