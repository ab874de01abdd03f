"""Rules J08 to J19 (what an order would do to the joint), and G28, at their bounds, for every joint."""

import pytest

from safety.joint import Assist, JointDeviceLimits, Posture
from safety.joint_limits import JointRegion
from safety.joint_memory import way_of
from safety.joint_rules import Asked, j12_inside

pytestmark = pytest.mark.hazard("H33", "H43")

MS = 1_000_000


def test_j08_torque(joint):
    for mnm, rule in ((-1, "J08"), (0, "J08"), (1, "")):
        assert joint().both(torque_mnm=mnm) == (rule, rule), mnm
    rig = joint()
    assert rig.ramp(rig.torque_mnm) == ""
    rig.wait(20)
    assert rig.assists(torque_mnm=rig.torque_mnm + 1) == "J08"
    rig = joint(torque_mnm=5)
    assert rig.assists(torque_mnm=5) == ""
    assert rig.assists(torque_mnm=6) == "J08"
    coarse = JointDeviceLimits("M4", 20_000, 4, 30_000, -18_000, 18_000)
    assert joint(device=coarse).assists(torque_mnm=4) == ""
    assert joint(device=coarse).assists(torque_mnm=6) == "J08"


def test_j09_goal(joint):
    rig = joint()
    low, high = rig.low_cdeg, rig.high_cdeg
    for goal, rule in ((low - 1, "J09"), (low, ""), (high, ""), (high + 1, "J09")):
        assert joint().assists(target_cdeg=goal) == rule
    # Today's range less 3 deg binds where it is narrower.
    middle = rig.middle_cdeg
    for goal, rule in ((middle - 1, "J09"), (middle, ""), (middle + 1, ""), (middle + 2, "J09")):
        narrow = {"rom_min_cdeg": middle - 300, "rom_max_cdeg": middle + 301}
        assert joint(**narrow).assists(target_cdeg=goal) == rule
        assert joint(**narrow).holds(angle_cdeg=goal) == rule


def test_j10_speed(joint):
    most = joint().speed_cdps
    for speed, rule in ((-1, "J10"), (0, "J10"), (1, ""), (most, ""), (most + 1, "J10")):
        assert joint().assists(speed_cdps=speed) == rule
    assert joint().holds() == ""


def test_j11_posture(joint):
    for age_ms, rule in ((-1, "J11"), (0, ""), (60, ""), (61, "J11")):
        for order in ("assists", "holds"):
            rig = joint()
            rig.stand(rig.middle_cdeg, age_ms)
            assert getattr(rig, order)() == rule, age_ms
    rig = joint()
    good = Posture(rig.now_ns, rig.middle_cdeg, 0, 0, True)
    for junk in (
        None,
        tuple(good),
        good._replace(t_ns=float(rig.now_ns)),
        good._replace(angle_cdeg=float("nan")),
        good._replace(angle_cdeg=True),
        good._replace(speed_cdps=0.0),
        good._replace(torque_mnm=None),
        good._replace(torque_on=1),
    ):
        rig = joint()
        rig.guard.posture(junk)
        assert rig.both() == ("J11", "J11"), junk
        rig.guard.posture(good)
        assert rig.assists() == ""


def test_j12_inside(joint):
    rig = joint()
    low, high = rig.low_cdeg - 300, rig.high_cdeg + 300  # as measured today
    for angle, rule in ((low - 1001, "J12"), (low - 1000, ""), (low, ""), (high + 1000, ""), (high + 1001, "J12")):
        rig = joint()
        rig.stand(angle)
        assert rig.assists() == rule, angle
        rig = joint()
        rig.stand(angle)
        assert rig.holds(angle_cdeg=min(max(angle, rig.low_cdeg), rig.high_cdeg)) in (rule, "J18")
    for end in (rig.low_cdeg, rig.high_cdeg):  # at the very end of its range, and to stay there
        rig = joint()
        rig.stand(end)
        assert rig.assists(target_cdeg=end) == ""
        assert rig.holds(angle_cdeg=end) == ""


def test_j12_inside_needs_the_way_back(joint):
    # J09 leaves no goal outside the range, so the rule itself is asked.
    rig = joint()
    limit = rig.guard.joint_limit()
    for angle, goal, holds in (
        (limit.angle_min_cdeg.value - 100, limit.angle_min_cdeg.value - 50, True),
        (limit.angle_min_cdeg.value - 100, limit.angle_min_cdeg.value - 100, False),
        (limit.angle_min_cdeg.value - 100, limit.angle_min_cdeg.value - 150, False),
        (limit.angle_max_cdeg.value + 100, limit.angle_max_cdeg.value + 50, True),
        (limit.angle_max_cdeg.value + 100, limit.angle_max_cdeg.value + 100, False),
        (limit.angle_max_cdeg.value + 100, limit.angle_max_cdeg.value + 150, False),
    ):
        order = Assist(1, rig.now_ns, rig.now_ns + MS, goal, 1, 1, rig.now_ns)
        where = Posture(rig.now_ns, angle, 0, 0, False)
        asked = Asked(rig.guard._joint.memory, order, rig.now_ns, rig.guard._joint.memory.device, limit, where)
        assert (j12_inside(asked) is None) is holds, (angle, goal)


def test_j13_torque_rise(joint):
    rise = joint().rise_mnm
    assert joint().both(torque_mnm=rise) == ("", "")
    assert joint().both(torque_mnm=rise + 1) == ("J13", "J13")
    for gap_ms, rule in ((19, "J13"), (20, ""), (21, "")):
        rig = joint()
        assert rig.assists(torque_mnm=rise) == ""
        rig.wait(gap_ms)
        assert rig.holds(torque_mnm=2 * rise) == rule, gap_ms
    rig = joint()
    assert rig.ramp(5 * rise) == ""
    rig.wait(1)
    assert rig.assists(torque_mnm=1) == ""  # falls are free
    rig.wait(1)
    assert rig.assists(torque_mnm=rise + 1) == ""
    rig.wait(1)
    assert rig.assists(torque_mnm=rise + 2) == "J13"  # over the dip 2 ms ago
    rig.now_ns = rig.guard.joint_rest_until_ns
    rig.stand(rig.middle_cdeg)
    assert rig.assists(torque_mnm=rise + 1) == "J13"  # from 0 again after a refusal


def test_j14_on_time(joint):
    for last in ("assists", "holds"):
        rig = joint()
        assert rig.assists() == ""
        assert rig.keep_on(rig.on_ms) == ""
        rig.wait(1)
        assert getattr(rig, last)() == "J14"
    rig = joint()
    assert rig.constrain(on_ms_max=100) == ""
    assert rig.assists() == ""
    assert rig.keep_on(100) == ""
    rig.wait(20)
    assert rig.assists() == "J14"


def test_j15_rest(joint):
    for on_ms, rest_ms in ((20, 2000), (2000, 2000), (3000, 3000)):
        rig = joint()
        assert rig.assists() == ""
        assert rig.keep_on(on_ms) == ""
        rig.guard.off_joint(rig.now_ns)
        end_ns = rig.now_ns
        assert rig.guard.joint_rest_until_ns == end_ns + rest_ms * MS
        rig.now_ns = rig.guard.joint_rest_until_ns - 1
        rig.stand(rig.middle_cdeg)
        early = rig.assist()
        assert (early.rule, early.latches) == ("J15", False)
        assert "another 0 ms" in early.reason
        assert rig.guard.joint_rest_until_ns == end_ns + rest_ms * MS  # a refusal does not prolong it
        rig.now_ns = rig.guard.joint_rest_until_ns
        rig.stand(rig.middle_cdeg)
        assert rig.holds() == ""


def test_j15_rest_begins_anew_when_the_clock_jumped(joint):
    rig = joint()
    assert rig.assists() == ""
    assert rig.keep_on(3_000) == ""
    rig.guard.off_joint(rig.now_ns)
    end_ns = rig.now_ns
    rig.guard.rest_anew(end_ns + 500 * MS)
    assert rig.guard.joint_rest_until_ns == end_ns + 500 * MS + 10_000 * MS  # as after the longest movement there is
    rig.guard.rest_anew(end_ns - 5_000 * MS)
    assert rig.guard.joint_rest_until_ns == end_ns + 500 * MS + 10_000 * MS
    rig.now_ns = end_ns + 60_000 * MS
    rig.guard.rest_anew(rig.now_ns)
    assert rig.guard.joint_rest_until_ns == rig.now_ns + 10_000 * MS
    rig.stand(rig.middle_cdeg)
    assert rig.assist().rule == "J15"


def test_j15_rest_after_silence(joint):
    rig = joint()
    assert rig.assists() == ""
    rig.wait(120)
    assert rig.assists() == ""
    rig.wait(121)
    assert rig.assists() == "J15"  # the lease had run out: this would be a new movement
    assert rig.guard.joint_rest_until_ns == rig.now_ns + 2000 * MS


def test_j15_rest_of_a_crowded_ten_minutes(joint):
    rig = joint()
    first_ns = rig.now_ns
    for _ in range(min(rig.crowd, 50)):
        assert rig.assists() == ""
        rig.guard.off_joint(rig.now_ns)
        rig.wait(3001)
    if rig.crowd == 40:
        assert rig.region == "finger"
        answer = rig.assist()
        assert (answer.rule, answer.latches) == ("J15", False)
        assert rig.guard.joint_rest_until_ns == first_ns + 600_000 * MS  # the engine reads it and waits
        rig.now_ns = first_ns + 600_000 * MS - 1
        rig.stand(rig.middle_cdeg)
        assert rig.assists() == "J15"
        rig.now_ns += 1
        rig.stand(rig.middle_cdeg)
    assert rig.assists() == ""


def test_j16_session_dose(joint):
    rig = joint()
    dose = rig.guard._joint.memory.dose
    dose.movements = 1199
    assert rig.assists() == ""
    assert rig.keep_on(100) == ""  # the last movement may go on
    rig.guard.off_joint(rig.now_ns)
    rig.wait(5000)
    assert rig.assists() == "J16"
    assert dose.movements == 1200
    rig = joint()
    rig.guard._joint.memory.dose.moved_ns = 3600 * 1000 * MS - 100 * MS
    assert rig.assists() == ""
    assert rig.keep_on(80) == ""
    rig.wait(20)
    assert rig.holds() == "J16"
    rig.wait(9000)
    assert rig.assists() == "J16"


def test_j17_sensor(joint):
    for age_ms, rule in ((-1, "J17"), (0, ""), (100, ""), (101, "J17")):
        for order in ("assists", "holds"):
            rig = joint()
            assert getattr(rig, order)(sensor_ns=rig.now_ns - age_ms * MS) == rule, age_ms
    assert joint().assists(sensor_ns=0) == "J17"
    assert joint().holds(sensor_ns=0) == ""


def test_j18_hold_here(joint):
    for away, rule in ((-1001, "J18"), (-1000, ""), (1000, ""), (1001, "J18")):
        rig = joint()
        assert rig.holds(angle_cdeg=rig.middle_cdeg + away) == rule
        rig = joint()
        assert rig.assists(target_cdeg=rig.middle_cdeg + away) == ""


@pytest.mark.parametrize("sign", [1, -1])
def test_j19_antagonist(joint, sign):
    def rig_with(channel_signs):
        rig = joint()
        assert rig.constrain(channel_signs=channel_signs) == ""
        assert rig.deliver() == ""
        return rig

    against = rig_with(((1, sign), (2, 0)))
    for away in (501, 1000):
        answer = against.assist(target_cdeg=against.middle_cdeg - sign * away)
        assert (answer.rule, answer.latches) == ("J19", False)
        assert against.guard.delivering  # the muscle was there first
    assert against.assists(target_cdeg=against.middle_cdeg + sign * 1000) == ""  # with the muscle
    assert against.assists(target_cdeg=against.middle_cdeg - sign * 500) == ""  # there
    assert against.holds(angle_cdeg=against.middle_cdeg - sign * 1000) == ""
    for signs in ((), ((1, 0),), ((2, sign),), ((1, -sign),)):
        rig = rig_with(signs)
        assert rig.assists(target_cdeg=rig.middle_cdeg - sign * 1000) == "", signs
    rig = rig_with(((2, sign),))
    assert rig.deliver(0, channel=2, beside=(1,)) == ""
    assert rig.assists(target_cdeg=rig.middle_cdeg - sign * 1000) == ""  # named, and without current
    rig = rig_with(((1, sign),))
    rig.guard.off_stimulation(rig.now_ns)
    assert rig.assists(target_cdeg=rig.middle_cdeg - sign * 1000) == ""


@pytest.mark.parametrize("sign", [1, -1])
def test_j19_antagonist_past_the_goal(joint, sign):
    # The muscle carries the joint past its goal: the motor is told to let go, and nothing latches.
    rig = joint()
    assert rig.constrain(channel_signs=((1, sign),)) == ""
    goal = rig.middle_cdeg + sign * 600
    assert rig.assists(target_cdeg=goal) == ""
    assert rig.deliver() == ""
    rig.stand(goal + sign * 500)
    assert rig.assists(target_cdeg=goal) == ""
    assert rig.deliver() == ""
    rig.stand(goal + sign * 501)
    answer = rig.assist(target_cdeg=goal)
    assert (answer.rule, answer.latches) == ("J19", False)
    assert not rig.guard.moving


@pytest.mark.parametrize("sign", [1, -1])
def test_g28_antagonist(joint, sign):
    def moving(channel_signs, away=1000):
        rig = joint()
        assert rig.constrain(channel_signs=channel_signs) == ""
        assert rig.assists(target_cdeg=rig.middle_cdeg - sign * away) == ""
        return rig

    assert moving(((1, sign),)).deliver() == "G28"
    assert moving(((1, sign),)).deliver(channel=2) == ""
    assert moving(((1, -sign),)).deliver() == ""
    assert moving(((1, 0),)).deliver() == ""
    assert moving(()).deliver() == ""
    assert moving(((1, sign),), away=500).deliver() == ""  # it is there already
    rig = moving(((1, sign), (2, -sign)))
    assert rig.deliver(0) == ""  # off is always admitted
    assert rig.deliver(channel=2) == ""
    rig.wait(20)
    assert rig.deliver(4000, channel=2) == ""
    rig.guard.off_joint(rig.now_ns)
    assert rig.deliver() == ""  # the orthosis has let go
    rig = moving(((1, sign),))
    refusal = rig.deliver()
    assert refusal == "G28"
    assert rig.guard.moving
    # What is on already when the direction changes is the assist's matter (J19), not the current's.
    rig = joint()
    assert rig.constrain(channel_signs=((1, sign),)) == ""
    assert rig.assists(target_cdeg=rig.middle_cdeg + sign * 1000) == ""
    assert rig.deliver() == ""
    rig.guard._memory.assisted_sign = -sign
    rig.wait(20)
    assert rig.deliver(4000) == ""


def test_the_way_of_an_assist():
    at = Posture(0, 1000, 0, 0, True)
    ways = [way_of(Assist(1, 0, 1, goal, 1, 1), at) for goal in (499, 500, 1000, 1500, 1501)]
    assert ways == [-1, 0, 0, 0, 1]


def test_every_joint_is_asked(kit):
    assert {region.value for region in JointRegion} == set(kit.PROPOSED_JOINTS)
