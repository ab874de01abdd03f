"""Rules G17 to G25 at their bounds, for every body region."""

import pytest

from safety.limits import BURSTS_MAX
from safety.orders import Purpose
from safety.stimulus import biphasic

pytestmark = pytest.mark.hazard("H06", "H08", "H23", "H27", "H28")

MS = 1_000_000


def test_g17_channels(bed):
    four = [bed.pulse(channel=channel) for channel in (1, 2, 3, 4)]
    assert bed.rig().verdict(*four) == ""
    assert bed.rig().verdict(*four, bed.pulse(channel=5)) == "G17"
    assert bed.rig().verdict(*four, bed.pulse(0, channel=5)) == ""
    assert bed.rig().verdict(bed.pulse(), bed.pulse()) == "G17"


def test_g18_duty(bed):
    def busy(channel, pause_us, ua=500):
        return biphasic(channel, ua, 100, pause_us, 20_000)  # 200 + pause + 60 of 20000 us

    four = [busy(channel, 4_095) for channel in (1, 2, 3, 4)]  # 17420
    assert bed.rig().verdict(*four, busy(5, 2_270, 0)) == ""  # and 2530 are 19950
    assert bed.rig().verdict(*four, busy(5, 2_319, 0)) == ""  # 19999
    assert bed.rig().verdict(*four, busy(5, 2_320, 0)) == "G18"  # 20000
    assert bed.rig().verdict(*four, busy(5, 4_095, 0)) == "G18"


def test_g19_slew(bed):
    assert bed.rig().verdict(bed.pulse(2000)) == ""
    assert bed.rig().verdict(bed.pulse(2500)) == "G19"
    for gap_ms, rule in ((19, "G19"), (20, ""), (21, "")):
        rig = bed.rig()
        assert rig.verdict(bed.pulse(2000)) == ""
        rig.wait(gap_ms)
        assert rig.verdict(bed.pulse(4000)) == rule, gap_ms
    rig = bed.rig()
    assert rig.ramp(10_000) == ""
    rig.wait(1)
    assert rig.verdict(bed.pulse(500)) == ""  # falls are free
    rig.wait(1)
    assert rig.verdict(bed.pulse(2500)) == ""
    rig.wait(1)
    assert rig.verdict(bed.pulse(3000)) == "G19"  # 2.5 mA over the dip 2 ms ago
    rig = bed.rig()
    assert rig.verdict(bed.pulse(2000)) == ""
    rig.wait(20)
    assert rig.verdict(bed.pulse(2000, channel=2)) == ""
    rig.wait(5)
    assert rig.verdict(bed.pulse(2500), bed.pulse(2000, channel=2)) == "G19"  # channel 1 was off


def test_g20_on_time(bed):
    rig = bed.rig()
    assert rig.verdict(bed.pulse()) == ""
    assert rig.keep_on(bed.on_ms) == ""
    rig.wait(1)
    assert bed.rule_of(rig.renew()) == "G20"
    rig = bed.rig()
    assert rig.verdict(bed.pulse()) == ""
    assert rig.keep_on(bed.on_ms) == ""
    assert rig.verdict(bed.pulse()) == ""
    rig.wait(1)
    assert rig.verdict(bed.pulse()) == "G20"


def test_g21_renewal(bed):
    rig = bed.rig()
    answer = rig.renew()
    assert (answer.rule, answer.latches) == ("G21", False)
    assert rig.verdict(bed.pulse()) == ""
    rig.wait(120)
    assert bed.rule_of(rig.renew()) == ""
    rig.wait(121)
    assert bed.rule_of(rig.renew()) == "G21"  # the lease had run out
    assert not rig.guard.delivering


def test_g22_rest(bed):
    for on_ms, rest_ms in ((20, 2000), (4000, 2000), (6000, 3000)):
        rig = bed.rig()
        assert rig.verdict(bed.pulse()) == ""
        assert rig.keep_on(on_ms) == ""
        rig.guard.off(rig.now_ns)
        end_ns = rig.now_ns
        assert rig.guard.rest_until_ns == end_ns + rest_ms * MS
        rig.now_ns = rig.guard.rest_until_ns - 1
        early = rig.deliver(bed.pulse())
        assert (early.rule, early.latches) == ("G22", False)
        assert rig.guard.rest_until_ns == end_ns + rest_ms * MS  # a refusal does not prolong it
        rig.now_ns = rig.guard.rest_until_ns
        assert rig.verdict(bed.pulse()) == ""


def test_g22_rest_begins_anew_when_the_clock_jumped(bed):
    rig = bed.rig()
    rig.guard.rest_anew(rig.now_ns)
    assert rig.guard.rest_until_ns == rig.guard.joint_rest_until_ns == 0  # there was nothing to rest from
    assert rig.verdict(bed.pulse()) == ""
    assert rig.keep_on(6_000) == ""
    rig.guard.off(rig.now_ns)
    end_ns = rig.now_ns
    rig.guard.rest_anew(end_ns + 500 * MS)
    assert rig.guard.rest_until_ns == end_ns + 500 * MS + 7_560 * MS  # of a burst of 15.12 s: who knows how long it was
    rig.guard.rest_anew(end_ns - 5_000 * MS)
    assert rig.guard.rest_until_ns == end_ns + 500 * MS + 7_560 * MS  # back in time, nothing is taken from it
    rig.now_ns = end_ns + 60_000 * MS
    rig.guard.rest_anew(rig.now_ns)
    assert rig.guard.rest_until_ns == rig.now_ns + 7_560 * MS
    assert bed.rule_of(rig.deliver(bed.pulse())) == "G22"


def test_g23_bursts(bed):
    rig = bed.rig()
    dose = rig.guard._memory.dose
    dose.bursts = BURSTS_MAX - 1
    assert BURSTS_MAX == 1200
    assert rig.verdict(bed.pulse()) == ""
    assert rig.keep_on(100) == ""  # the last burst may go on
    assert rig.verdict() == ""
    rig.wait(5000)
    assert rig.verdict(bed.pulse()) == "G23"
    assert dose.bursts == 1200


def test_g24_session_dose(bed):
    rig = bed.rig()
    rig.guard._memory.dose.on_ns = 3600 * 1000 * MS - 100 * MS
    assert rig.verdict(bed.pulse()) == ""
    assert rig.keep_on(80) == ""
    rig.wait(20)
    assert bed.rule_of(rig.renew()) == "G24"
    rig.wait(5000)
    assert rig.verdict(bed.pulse()) == "G24"


def test_g25_sensor(bed):
    for age_ms, rule in ((-1, "G25"), (0, ""), (100, ""), (101, "G25")):
        rig = bed.rig()
        rig.wait(200)
        sensor_ns = rig.now_ns - age_ms * MS
        assert rig.verdict(bed.pulse(), sensor_ns=sensor_ns) == rule
        rig = bed.rig()
        rig.wait(200)
        assert rig.verdict(bed.pulse(), sensor_ns=sensor_ns, purpose=Purpose.CYCLIC) == ""
        rig = bed.rig()
        assert rig.verdict(bed.pulse()) == ""
        rig.wait(110)
        assert bed.rule_of(rig.renew(sensor_ns=rig.now_ns - age_ms * MS)) == rule
    rig = bed.rig()
    assert rig.verdict(bed.pulse(), purpose=Purpose.CYCLIC, sensor_ns=0) == ""
    assert bed.rule_of(rig.renew(sensor_ns=0)) == ""
