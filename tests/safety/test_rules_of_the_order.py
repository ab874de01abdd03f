"""Rules G01 to G06, and off, at their bounds, for every body region (`bed` is a fixture of five regions)."""

import pytest

from safety.orders import ArmScope, Purpose, Stop
from safety.stimulus import Point, Train

pytestmark = pytest.mark.hazard("H12", "H20", "H27")

MS = 1_000_000


@pytest.mark.parametrize("bad", [True, 1.0, float("nan"), "1", None])
def test_g01_exact_integers(bed, bad):
    for name in ("seq", "stamp_ns", "expires_ns", "sensor_ns", "press"):
        assert bed.rig().verdict(bed.pulse(), **{name: bad}) == "G01"
    good = bed.pulse()
    for train in (
        good._replace(channel=bad),
        good._replace(period_us=bad),
        good._replace(points=[Point(250, 2000), Point(250, -2000)]),
        good._replace(points=(Point(bad, 2000), *good.points[1:])),
        good._replace(points=(Point(250, bad), *good.points[1:])),
        good._replace(points=((250, 2000), (250, -2000))),
        tuple(good),
    ):
        assert bed.rig().verdict(train) == "G01"
    rig = bed.rig()
    assert bed.rule_of(rig.guard.admit(Stop(1, rig.now_ns), rig.now_ns, bed.good)) == "G01"
    assert bed.rule_of(rig.guard.admit(rig.order(good), bad, bed.good)) == "G01"
    assert rig.verdict(good, purpose=3) == "G01"
    assert rig.verdict(good, trains=[good]) == "G01"
    assert bed.rule_of(rig.renew(sensor_ns=bad)) == "G01"


def test_g02_sequence_rises(bed):
    rig = bed.rig()
    assert rig.verdict(bed.pulse(), seq=7) == ""
    rig.wait(20)
    assert rig.verdict(bed.pulse(), seq=8) == ""
    for stale in (8, 7, 0, -1):
        again = bed.rig()
        assert again.verdict(bed.pulse(), seq=8) == ""
        assert again.verdict(bed.pulse(), seq=stale) == "G02"
        assert again.verdict(bed.pulse(), seq=9) == "G22"  # the refusal ended the burst


def test_g03_time(bed):
    for age_ms, rule in ((-1, "G03"), (0, ""), (119, ""), (120, ""), (121, "G03")):
        rig = bed.rig()
        rig.wait(1000)
        stamp_ns = rig.now_ns - age_ms * MS
        lease = {"stamp_ns": stamp_ns, "expires_ns": stamp_ns + 120 * MS, "sensor_ns": stamp_ns}
        answer = rig.verdict(bed.pulse(), **lease)
        assert answer == rule, age_ms
    rig = bed.rig()
    assert rig.verdict(bed.pulse(), stamp_ns=rig.now_ns - 1) == "G03"  # made before arming
    rig = bed.rig()
    assert rig.verdict(bed.pulse()) == ""
    rig.now_ns -= 1
    assert rig.verdict(bed.pulse()) == "G03"  # the guard's clock ran backwards
    rig = bed.rig()
    rig.wait(100)
    assert rig.verdict(bed.pulse()) == ""
    rig.wait(10)
    assert rig.verdict(bed.pulse(), stamp_ns=rig.now_ns - 11 * MS) == "G03"  # older than the one before


def test_g04_lease(bed):
    for lease_ns, rule in (
        (MS - 1, "G04"),
        (MS, ""),
        (120 * MS, ""),
        (120 * MS + 1, "G04"),
        (-1, "G04"),
    ):
        rig = bed.rig()
        assert rig.verdict(bed.pulse(), expires_ns=rig.now_ns + lease_ns) == rule
    rig = bed.rig()
    rig.wait(50)
    assert rig.verdict(bed.pulse(), stamp_ns=rig.now_ns - 20 * MS, expires_ns=rig.now_ns - 1) == "G04"


def test_g05_interlocks(bed):
    for name in ("unit_ready", "engine_alive", "screen_alive", "stop_tested", "permission", "latched", "time_ok"):
        opened = bed.good._replace(**{name: "No." if name == "permission" else not getattr(bed.good, name)})
        rig = bed.rig()
        assert rig.verdict(bed.pulse(), conditions=opened) == "G05", name
        rig = bed.rig()
        assert rig.verdict(bed.pulse()) == ""
        assert bed.rule_of(rig.renew(conditions=opened)) == "G05", name


def test_g06_scope(bed):
    for purpose in Purpose:
        for scope in ArmScope:
            rig = bed.rig(scope=scope)
            rig.press()
            fits = (scope is ArmScope.SESSION) is (purpose in (Purpose.ASSIST, Purpose.CYCLIC))
            answer = rig.verdict(bed.pulse(500), purpose=purpose)
            assert answer == ("" if fits else "G06")
    rig = bed.rig()
    rig.guard.disarm(rig.now_ns)
    assert rig.verdict(bed.pulse()) == "G06"


def test_off_is_always_admitted(bed):
    nothing = bed.pulse(0)
    opened = bed.good._replace(unit_ready=False, latched=True, permission="No.")
    for trains in ((), (nothing,), (Train(99, (), -1),), (nothing, nothing)):
        rig = bed.rig()
        assert rig.verdict(bed.pulse()) == ""
        rig.wait(20)
        answer = rig.verdict(
            *trains, conditions=opened, seq=-5, stamp_ns=0, expires_ns=-1, purpose=Purpose.TITRATE, sensor_ns=1
        )
        assert answer == ""
        assert not rig.guard.delivering
        assert rig.guard.rest_until_ns == rig.now_ns + 2000 * MS
        rig.guard.disarm(rig.now_ns)
        assert rig.verdict(*trains) == ""


def test_off_keeps_count_of_orders(bed):
    rig = bed.rig()
    assert rig.verdict(seq=40) == ""
    assert rig.verdict(bed.pulse(), seq=40) == "G02"
    assert rig.verdict(seq=None) == ""
    assert rig.verdict(bed.pulse(), seq=41) == ""


def test_refusal_ends_what_was_on(bed):
    rig = bed.rig()
    assert rig.ramp(4000) == ""
    rig.wait(20)
    assert rig.verdict(bed.pulse(9000)) == "G19"
    assert not rig.guard.delivering
    assert rig.verdict(bed.pulse(4000)) == "G19"  # from 0 again
    rig.now_ns = rig.guard.rest_until_ns
    assert rig.verdict(bed.pulse(2000)) == ""
