"""Limits of a powered orthosis: caps, the source that binds, and what may be prescribed and constrained."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety import joint_limits, joint_rules
from safety.joint import JointDeviceLimits
from safety.joint_limits import JointPrescription, JointProtocolLimit, JointRegion, effective_joint_limit
from safety.limits import Bound
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H31", "H43")

TODAY = "range measured today less 3 deg"


def test_caps_are_the_proposed_ones_and_say_so(kit):
    for region, cap in joint_limits.JOINT_CAPS.items():
        dps, newton_metres, low, high, seconds, crowd = kit.PROPOSED_JOINTS[region]
        assert (cap.speed_cdps, cap.torque_mnm) == (dps * 100, round(newton_metres * 1000))
        assert cap.torque_rise_mnm * 10 == cap.torque_mnm
        assert (cap.angle_min_cdeg, cap.angle_max_cdeg, cap.on_ms) == (low * 100, high * 100, seconds * 1000)
        assert cap.crowd == crowd
        assert "awaiting clinical sign-off" in cap.source
    assert (joint_limits.ROM_MARGIN_CDEG, joint_limits.HOLD_AWAY_CDEG_MAX) == (300, 1000)
    assert (joint_limits.MOVEMENTS_MAX, joint_limits.MOVED_NS_MAX) == (1200, 3600 * 10**9)
    assert (joint_limits.MOTION_REST_NS_MIN, joint_limits.POSTURE_AGE_NS_MAX) == (2 * 10**9, 60 * kit.MS)
    assert joint_limits.CROWD_NS == 600 * 10**9
    assert "seated" in joint_limits.JOINT_CAPS[JointRegion.ANKLE].note


def test_the_source_that_binds(joint):
    rig = joint()
    cap = f"{rig.region} cap"
    limit = rig.guard.joint_limit()
    assert (limit.region, limit.side, limit.ceiling_mnm) == (rig.region, "left", rig.torque_mnm)
    assert limit.torque_mnm == Bound(rig.torque_mnm, cap)  # a tie with the ceiling: the earlier is named
    assert limit.torque_rise_mnm == Bound(rig.rise_mnm, cap)
    assert limit.speed_cdps == Bound(rig.speed_cdps, cap)
    assert (limit.angle_min_cdeg, limit.angle_max_cdeg) == (Bound(rig.low_cdeg, cap), Bound(rig.high_cdeg, cap))
    assert limit.on_ms == Bound(rig.on_ms, cap)
    low, high = rig.middle_cdeg - 500, rig.middle_cdeg + 700
    limit = joint(torque_mnm=7, rom_min_cdeg=low, rom_max_cdeg=high).guard.joint_limit()
    assert limit.torque_mnm == Bound(7, "patient ceiling")
    assert (limit.angle_min_cdeg, limit.angle_max_cdeg) == (Bound(low + 300, TODAY), Bound(high - 300, TODAY))
    assert (limit.rom_min_cdeg, limit.rom_max_cdeg) == (low, high)
    weak = JointDeviceLimits("W1", 100, 1, 900, rig.middle_cdeg - 2, rig.middle_cdeg + 3)
    limit = joint(device=weak, torque_mnm=100).guard.joint_limit()
    assert (limit.torque_mnm, limit.speed_cdps) == (Bound(100, "device W1"), Bound(900, "device W1"))
    assert limit.angle_min_cdeg == Bound(rig.middle_cdeg - 2, "device W1")
    assert limit.angle_max_cdeg == Bound(rig.middle_cdeg + 3, "device W1")
    asked = {"torque_mnm": 9, "speed_cdps": 800, "on_ms_max": 3000, "angle_min_cdeg": rig.middle_cdeg - 1}
    assert rig.constrain(**asked, angle_max_cdeg=rig.middle_cdeg + 1) == ""
    limit = rig.guard.joint_limit()
    for bound, value in (
        (limit.torque_mnm, 9),
        (limit.speed_cdps, 800),
        (limit.on_ms, 3000),
        (limit.angle_min_cdeg, rig.middle_cdeg - 1),
        (limit.angle_max_cdeg, rig.middle_cdeg + 1),
    ):
        assert bound == Bound(value, "protocol")
    assert rig.assists(speed_cdps=801) == "J10"  # counts at once


ANGLES = st.integers(-18_000, 18_000)


@given(
    region=st.sampled_from(list(JointRegion)),
    motor=st.tuples(st.integers(0, 20_000), st.integers(0, 20_000), ANGLES, ANGLES),
    today=st.tuples(st.integers(0, 20_000), ANGLES, ANGLES),
    protocol=st.tuples(st.integers(0, 20_000), st.integers(0, 20_000), ANGLES, ANGLES, st.integers(0, 20_000)),
)
def test_nothing_widens(kit, region, motor, today, protocol):
    dps, newton_metres, low, high, seconds, _ = kit.PROPOSED_JOINTS[region]
    device = JointDeviceLimits("M1", motor[0], 1, motor[1], motor[2], motor[3])
    given_today = JointPrescription(region, "left", today[1], today[2], today[0], "P-001", kit.DAY)
    torque, speed, least, most, on_ms = protocol
    limit = effective_joint_limit(device, given_today, JointProtocolLimit(region, torque, speed, least, most, on_ms))
    assert limit.torque_mnm.value == min(motor[0], round(newton_metres * 1000), today[0], torque)
    assert limit.speed_cdps.value == min(motor[1], dps * 100, speed)
    assert limit.angle_min_cdeg.value == max(motor[2], low * 100, today[1] + 300, least)
    assert limit.angle_max_cdeg.value == min(motor[3], high * 100, today[2] - 300, most)
    assert limit.on_ms.value == min(seconds * 1000, on_ms)


def test_an_empty_range_admits_nothing(joint):
    rig = joint()
    assert rig.constrain(angle_min_cdeg=rig.middle_cdeg + 1, angle_max_cdeg=rig.middle_cdeg - 1) == ""
    for goal in (rig.middle_cdeg - 1, rig.middle_cdeg, rig.middle_cdeg + 1):
        assert rig.assists(target_cdeg=goal) == "J09"


def test_prescriptions_that_are_refused(joint):
    rig = joint()
    assert rig.prescribe() == "P11"  # armed, whatever the caller says
    rig.guard.disarm(rig.now_ns)
    for armed in (True, None, 0):
        assert rig.prescribe(armed=armed) == "P11"
    for changes in ({"region": "neck"}, {"side": "middle"}, {"side": ""}, {"side": None}):
        assert rig.prescribe(**changes) == "P12", changes
    for low, high in (
        (0.0, 1000),
        (0, 1000.0),
        (True, 1000),
        (1000, 0),
        (-18_001, 0),
        (0, 18_001),
        (0, 600),
        (float("nan"), 1000),
    ):
        assert rig.prescribe(rom_min_cdeg=low, rom_max_cdeg=high) == "P13", (low, high)
    assert rig.prescribe(rom_min_cdeg=0, rom_max_cdeg=601) == ""
    assert rig.prescribe(rom_min_cdeg=-18_000, rom_max_cdeg=18_000) == ""
    for mnm in (-1, rig.torque_mnm + 1, 5.0, True, None):
        assert rig.prescribe(torque_mnm=mnm) == "P14", mnm
    weak = joint(device=replace(joint().guard._joint.memory.device, torque_mnm_max=100), torque_mnm=100)
    weak.guard.disarm(weak.now_ns)
    assert weak.prescribe(torque_mnm=101) == "P14"


def test_the_torque_only_falls(joint):
    rig = joint(torque_mnm=1)
    rig.guard.disarm(rig.now_ns)
    assert rig.prescribe(torque_mnm=2) == "P14"
    rig = joint(torque_mnm=0)
    rig.guard.disarm(rig.now_ns)
    assert rig.prescribe(torque_mnm=100) == ""
    assert rig.prescribe(torque_mnm=101) == "P14"
    assert rig.prescribe(torque_mnm=90) == ""
    assert rig.prescribe(torque_mnm=90) == ""
    assert rig.prescribe(torque_mnm=100) == "P14"
    assert rig.prescribe(torque_mnm=0) == ""
    assert rig.prescribe(torque_mnm=91) == "P14"  # 0 does not make it forget
    assert rig.prescribe(torque_mnm=91, rom_min_cdeg=rig.low_cdeg, rom_max_cdeg=rig.high_cdeg) == "P14"
    for other in ({"patient": "P-002"}, {"side": "right"}, {"date": "2026-01-06"}):
        assert rig.prescribe(torque_mnm=110, **other) == ""
    assert rig.prescribe(torque_mnm=91) == "P14"


def test_prescriptions_are_bounded(kit):
    rig = kit.JointRig()
    rig.guard.disarm(rig.now_ns)
    for number in range(999):
        assert rig.prescribe(patient=f"P{number}") == ""
    assert rig.prescribe(patient="P-1000") == "P15"


def test_one_patient_at_a_time(joint):
    rig = joint()
    assert rig.assists() == ""
    assert rig.keep_on(100) == ""
    rig.guard.disarm(rig.now_ns)
    dose = rig.guard._joint.memory.dose
    assert (dose.movements, dose.moved_ns) == (1, 100_000_000)
    assert rig.prescribe(patient="P-002") == ""
    assert rig.guard._joint.memory.dose.movements == 0
    assert rig.guard.limit(1, ArmScope.SESSION) is None  # the other patient's channels are gone
    assert rig.guard.prescribe(1, "forearm", 2500, 0, 0, "P-002", "2026-01-05", armed=False) is None
    assert rig.guard.joint_limit() is not None
    assert rig.prescribe() == ""
    assert rig.guard._joint.memory.dose is dose


def test_constraints_that_are_refused(joint):
    rig = joint()
    rig.guard.disarm(rig.now_ns)
    assert rig.constrain(region="neck") == "C11"
    for name in ("torque_mnm", "speed_cdps", "on_ms_max"):
        for bad in (-1, 1.0, True, None):
            assert rig.constrain(**{name: bad}) == "C12"
    for name in ("angle_min_cdeg", "angle_max_cdeg"):
        for bad in (1.0, False, None, float("nan")):
            assert rig.constrain(**{name: bad}) == "C12"
    for signs in (
        [(1, 1)],
        None,
        ([1, 1],),
        ((1,),),
        ((1, 1, 1),),
        ((True, 1),),
        ((1, 1.0),),
        ((0, 1),),
        ((9, 1),),
        ((1, 2),),
        ((1, -2),),
        ((1, 1), (1, 0)),
        tuple((1, 1) for _ in range(9)),
    ):
        assert rig.constrain(channel_signs=signs) == "C13", signs
    assert rig.constrain(channel_signs=((1, 1), (8, -1), (2, 0))) == ""
    assert rig.constrain(torque_mnm=0, speed_cdps=0, on_ms_max=0) == ""
    assert rig.constrain(channel_signs=tuple((channel, 1) for channel in range(1, 9))) == ""
    assert rig.constrain(region="ankle" if rig.region == "wrist" else "wrist") == "C14"


def test_while_armed_a_protocol_only_narrows(joint):
    rig = joint()
    rig.guard.disarm(rig.now_ns)
    said = {"torque_mnm": 100, "speed_cdps": 900, "on_ms_max": 3000, "channel_signs": ((1, 1),)}
    said |= {"angle_min_cdeg": -100, "angle_max_cdeg": 100}
    assert rig.constrain(**said) == ""
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    assert rig.constrain(**said) == ""
    for wider in (
        {"torque_mnm": 101},
        {"speed_cdps": 901},
        {"on_ms_max": 3001},
        {"angle_min_cdeg": -101},
        {"angle_max_cdeg": 101},
        {"channel_signs": ()},
    ):
        assert rig.constrain(**(said | wider)) == "C15", wider
    narrower = {"torque_mnm": 9, "speed_cdps": 8, "on_ms_max": 7, "angle_min_cdeg": 0, "angle_max_cdeg": 0}
    assert rig.constrain(**(said | narrower)) == ""
    assert rig.constrain(**said) == "C15"
    rig.guard.disarm(rig.now_ns)
    assert rig.constrain(**said) == ""


def test_nothing_that_is_set_latches(joint):
    rig = joint()
    assert rig.guard.prescribe_joint("neck", "left", 0, 0, 0, "P", "D", armed=False).latches is False
    assert rig.guard.constrain_joint("neck", 0, 0, 0, 0, 0).latches is False
    assert rig.guard.constrain_joint(rig.region, -1, 0, 0, 0, 0).latches is False


@pytest.mark.parametrize("number", joint_rules.JOINT_WITHOUT_LATCH)
def test_only_rests_and_the_muscle_s_lead_do_not_latch(number):
    assert number in ("J15", "J19", "J22")


def test_a_protocol_for_another_joint_leaves_no_limit_whichever_came_first(kit):
    rig = kit.JointRig()
    rig.guard.disarm(rig.now_ns)
    assert rig.guard.joint_limit() is not None
    assert rig.constrain(region="ankle") == "C14"
    assert rig.guard.joint_limit() is None
    rig.guard.arm(rig.scope, rig.now_ns)
    assert rig.assists() == "J07"
