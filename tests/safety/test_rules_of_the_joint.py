"""Rules J01 to J07 (the order), for every joint (`joint` is a fixture that makes rigs of four joints)."""

import pytest

from safety.joint import Assist, Hold
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H12", "H43")

MS = 1_000_000


@pytest.mark.parametrize("bad", [True, 1.0, float("nan"), "1", None])
def test_j01_exact_integers(joint, bad):
    for name in ("seq", "stamp_ns", "expires_ns", "torque_mnm", "sensor_ns"):
        assert joint().both(**{name: bad}) == ("J01", "J01"), name
    assert joint().assists(target_cdeg=bad) == "J01"
    assert joint().assists(speed_cdps=bad) == "J01"
    assert joint().holds(angle_cdeg=bad) == "J01"
    rig = joint()
    order = Assist(1, rig.now_ns, rig.now_ns + MS, rig.middle_cdeg, 1, 1, rig.now_ns)
    assert rig.guard.admit(order, bad, rig.good).rule == "J01"

    class Lookalike(Hold):
        pass

    disguised = Lookalike(1, rig.now_ns, rig.now_ns + MS, rig.middle_cdeg, 1)
    assert rig.guard.admit(disguised, rig.now_ns, rig.good).rule == "J01"


def test_j02_sequence_rises(joint):
    rig = joint()
    assert rig.assists(seq=7) == ""
    assert rig.deliver() == ""  # counted by itself
    assert rig.assists(seq=8) == ""
    assert rig.holds(seq=9) == ""  # one count for both kinds
    for stale in (9, 8, 0, -1):
        again = joint()
        assert again.assists(seq=9) == ""
        assert again.holds(seq=stale) == "J02"
        assert again.holds(seq=10) == "J15"  # the refusal ended the movement
    assert joint().assists(seq=-1) == "J02"
    again.guard.arm(ArmScope.SESSION, again.now_ns)
    again.now_ns = again.guard.joint_rest_until_ns
    again.stand(again.middle_cdeg)
    assert again.assists(seq=0) == ""  # a new sender counts from the beginning


def test_j03_time(joint):
    for age_ms, rule in ((-1, "J03"), (0, ""), (119, ""), (120, ""), (121, "J03")):
        rig = joint()
        rig.wait(1000)
        stamp_ns = rig.now_ns - age_ms * MS
        timed = {"stamp_ns": stamp_ns, "expires_ns": stamp_ns + 120 * MS, "sensor_ns": stamp_ns}
        assert rig.both(**timed)[0] == rule, age_ms
    assert joint().assists(stamp_ns=10_000 * MS - 1) == "J03"  # made before arming
    rig = joint()
    assert rig.assists() == ""
    rig.now_ns -= 1
    backwards = rig.assist()
    assert (backwards.rule, "by 1 ns" in backwards.reason) == ("J03", True)  # the guard's clock ran backwards
    rig = joint()
    rig.wait(1000)
    late = rig.assist(stamp_ns=rig.now_ns - 130 * MS)
    assert (late.rule, "age is 130 ms" in late.reason) == ("J03", True)
    rig = joint()
    assert rig.deliver() == ""
    rig.now_ns -= 1
    assert rig.assists() == "J03"  # one clock for current and motion
    rig = joint()
    assert rig.assists() == ""
    rig.now_ns -= 1
    assert rig.deliver() == "G03"
    rig = joint()
    rig.wait(100)
    assert rig.assists() == ""
    rig.wait(10)
    assert rig.assists(stamp_ns=rig.now_ns - 11 * MS) == "J03"  # older than the one before


def test_j04_lease(joint):
    for lease_ns, rule in ((MS - 1, "J04"), (MS, ""), (120 * MS, ""), (120 * MS + 1, "J04"), (-1, "J04")):
        rig = joint()
        assert rig.assists(expires_ns=rig.now_ns + lease_ns) == rule
        rig = joint()
        assert rig.holds(expires_ns=rig.now_ns + lease_ns) == rule
    rig = joint()
    rig.wait(50)
    assert rig.assists(stamp_ns=rig.now_ns - 20 * MS, expires_ns=rig.now_ns - 1) == "J04"


def test_j05_interlocks(joint):
    for name in (
        "unit_ready",
        "engine_alive",
        "screen_alive",
        "stop_tested",
        "permission",
        "latched",
        "time_ok",
        "joint_ok",
    ):
        opened = joint().good._replace(**{name: "No." if name == "permission" else name == "latched"})
        for order in ("assists", "holds"):
            rig = joint()
            assert rig.assists() == ""
            assert getattr(rig, order)(conditions=opened) == "J05", name
            assert not rig.guard.moving
    rig = joint()
    assert rig.deliver(conditions=rig.good._replace(joint_ok=False)) == "G05"  # both permissions fall together


def test_j06_scope(joint):
    assert joint(scope=ArmScope.FITTING).both() == ("J06", "J06")
    rig = joint()
    rig.guard.disarm(rig.now_ns)
    assert rig.both() == ("J06", "J06")


def test_j07_joint(joint):
    assert joint(torque_mnm=0).both() == ("J07", "J07")  # the torque has not been found
    assert joint(torque_mnm=1).both() == ("", "")
    rig = joint()
    rig.guard.disarm(rig.now_ns)
    refused = rig.guard.prescribe(1, "forearm", 2500, 0, 0, "P-002", "2026-01-05", armed=False)
    assert refused is None  # another patient: the joint of the one before is forgotten
    assert rig.guard.joint_limit() is None
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    assert rig.both() == ("J07", "J07")
    rig.guard.disarm(rig.now_ns)
    assert rig.constrain(region="ankle" if rig.region == "wrist" else "wrist") == ""
    assert rig.prescribe() == ""
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    assert rig.both() == ("J07", "J07")  # the protocol means another joint
    assert joint(date="2026-01-06").assists() == "J07"  # the channels, prescribed last, are of another day


def test_no_orthosis_means_no_motion(joint):
    rig = joint(device=None)
    assert rig.both() == ("J07", "J07")
    assert rig.guard.joint_limit() is None
    assert (rig.guard.moving, rig.guard.joint_rest_until_ns) == (False, 0)
    assert rig.deliver() == ""


def test_a_refusal_ends_the_movement_alone(joint):
    rig = joint()
    assert rig.deliver() == ""
    assert rig.assists() == ""
    refusal = rig.assist(torque_mnm=0)
    assert (refusal.rule, refusal.latches) == ("J08", True)
    assert not rig.guard.moving
    assert rig.guard.delivering  # whether all must end is the latch's matter
    rig = joint()
    assert rig.assists() == ""
    assert rig.deliver(9000) == "G19"
    assert rig.guard.moving


def test_off_ends_both_or_either(joint):
    def begun():
        rig = joint()
        assert rig.deliver() == ""
        assert rig.assists() == ""
        return rig

    rig = begun()
    rig.guard.off(rig.now_ns)
    assert (rig.guard.delivering, rig.guard.moving) == (False, False)
    rig = begun()
    rig.guard.off_stimulation(rig.now_ns)
    assert (rig.guard.delivering, rig.guard.moving) == (False, True)
    rig = begun()
    rig.guard.off_joint(rig.now_ns)
    assert (rig.guard.delivering, rig.guard.moving) == (True, False)
    assert rig.guard.joint_rest_until_ns == rig.now_ns + 2000 * MS
    rig = begun()
    rig.guard.off_joint(None)  # a time that is none: the last one that was
    assert rig.guard.joint_rest_until_ns == rig.now_ns + 2000 * MS
    rig = begun()
    rig.guard.disarm(rig.now_ns)
    assert (rig.guard.delivering, rig.guard.moving) == (False, False)
    rig = begun()
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    assert (rig.guard.delivering, rig.guard.moving) == (False, False)


def test_a_ticket_for_motion_says_what_was_admitted(joint):
    rig = joint()
    ticket = rig.assist()
    assert isinstance(ticket.order, Assist)
    assert ticket.trains == ()
    assert ticket.expires_ns == rig.now_ns + 120 * MS
    assert ticket.admitted_ns == rig.now_ns
    assert rig.hold().serial == ticket.serial + 1
