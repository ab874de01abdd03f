"""Rules of the joint asked alone, one unit beside their bounds (1 ns, 1 cdeg, 1 mNm), and what they say.

An order through the guard moves in milliseconds and is stopped by the first rule; what is off by one is seen here only.
"""

from dataclasses import replace

import pytest

from safety import joint_rules
from safety.guard import Guard
from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.joint_limits import (
    JOINT_CAPS,
    JointPrescription,
    JointProtocolLimit,
    JointRegion,
    effective_joint_limit,
)
from safety.joint_memory import JointMemory, way_of
from safety.joint_prescribing import joint_constraint_refused, joint_prescription_refused
from safety.joint_rules import Asked
from safety.memory import Memory, Trail
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H12", "H43")
MS = 1_000_000
NOW_NS = 1_000 * MS
MOTOR = JointDeviceLimits("M", 20_000, 1, 30_000, -18_000, 18_000)


def carrying(ua):
    trail = Trail()
    trail.amount = ua
    return trail


@pytest.fixture
def joint_memory(kit):
    shared = Memory(kit.UNIT)
    shared.scope, shared.armed_ns, shared.last_now_ns = ArmScope.SESSION, 0, 0
    found = JointMemory(MOTOR, shared)
    given = JointPrescription(JointRegion.WRIST, "left", -6_300, 6_300, 1_000, "P-1", kit.DAY)
    found.limit = effective_joint_limit(MOTOR, given, None)
    return found


def moving(hold=False, **changes):
    fields = {"seq": 1, "stamp_ns": NOW_NS, "expires_ns": NOW_NS + 100 * MS, "torque_mnm": 100, "sensor_ns": NOW_NS}
    fields |= {"angle_cdeg": 0} if hold else {"target_cdeg": 1_000, "speed_cdps": 1_000}
    return (Hold if hold else Assist)(**(fields | changes))


def asked(memory, angle_cdeg=0, age_ns=0, **changes):
    posture = Posture(NOW_NS - age_ns, angle_cdeg, 0, 0, True)
    return Asked(memory, moving(**changes), NOW_NS, MOTOR, memory.limit, posture)


def test_a_joint_s_memory_begins_before_the_first_order(kit, joint_memory):
    assert joint_rules.j02_sequence_rises(joint_memory, moving(seq=0), NOW_NS, kit.GOOD) is None
    assert joint_rules.j02_sequence_rises(joint_memory, moving(seq=-1), NOW_NS, kit.GOOD) is not None
    assert joint_rules.j11_posture(asked(joint_memory)._replace(posture=joint_memory.posture)) is not None
    assert joint_memory.torque.lowest(NOW_NS) == 0
    assert joint_rules.j22_movements_a_minute(asked(joint_memory)) is None


def test_an_order_of_motion_from_the_future_is_none(kit, joint_memory):
    for stamp_ns, holds in ((NOW_NS + 1, False), (NOW_NS, True), (NOW_NS - 120 * MS, True)):
        order = moving(stamp_ns=stamp_ns)
        assert (joint_rules.j03_time(joint_memory, order, NOW_NS, kit.GOOD) is None) is holds
    says = joint_rules.j03_time(joint_memory, moving(stamp_ns=NOW_NS - 120 * MS - 1), NOW_NS, kit.GOOD)
    assert says == "The order's age is 120 ms; 0 to 120 ms are allowed."


@pytest.mark.parametrize(("lease_ns", "holds"), [(MS - 1, False), (MS, True), (120 * MS, True), (120 * MS + 1, False)])
def test_a_lease_of_motion_lasts_a_millisecond_at_least(kit, joint_memory, lease_ns, holds):
    order = moving(expires_ns=NOW_NS + lease_ns)
    assert (joint_rules.j04_lease(joint_memory, order, NOW_NS, kit.GOOD) is None) is holds


def test_a_joint_without_a_limit_does_not_move(kit, joint_memory):
    assert joint_rules.j07_joint(joint_memory, moving(), NOW_NS, kit.GOOD) is None
    joint_memory.limit = None
    assert "not prescribed" in joint_rules.j07_joint(joint_memory, moving(), NOW_NS, kit.GOOD)


def test_a_limit_without_an_orthosis_does_not_move(kit):
    rig = kit.JointRig()
    rig.guard._joint.memory.device = None
    refused = rig.assist()
    assert refused.rule == "J07"
    assert refused.reason == "The joint is not prescribed, or no orthosis is fitted."
    assert kit.JointRig(torque_mnm=0).assist().reason == "The torque that the patient accepts has not been found today."


def test_a_clock_that_went_back_was_not_watched(kit, joint_memory):
    joint_memory.live = True
    for gap_ns, holds in ((-1, False), (0, True), (500 * MS, True)):
        joint_memory.shared.last_now_ns = NOW_NS - gap_ns
        assert (joint_rules.j21_gap(joint_memory, moving(), NOW_NS, kit.GOOD) is None) is holds
    joint_memory.shared.last_now_ns = NOW_NS - 500 * MS - 1
    says = joint_rules.j21_gap(joint_memory, moving(), NOW_NS, kit.GOOD)
    assert says == "The orthosis pushed and nobody looked for 500 ms; at most 500 ms may pass."


def test_a_posture_from_the_future_is_none(joint_memory):
    for age_ns, holds in ((-1, False), (0, True), (60 * MS, True)):
        assert (joint_rules.j11_posture(asked(joint_memory, age_ns=age_ns)) is None) is holds
    says = joint_rules.j11_posture(asked(joint_memory, age_ns=60 * MS + 1))
    assert says == "The orthosis reported its posture 60 ms ago; at most 60 ms are allowed."


def test_over_an_empty_range_the_way_back_is_down(kit, joint_memory):
    # Nothing is inside; at its lower end the joint is above its upper one already.
    given = JointPrescription(JointRegion.WRIST, "left", -6_300, 6_300, 1_000, "P-1", kit.DAY)
    empty = JointProtocolLimit(JointRegion.WRIST, 1_000, 1_000, 100, -100, 1_000)
    joint_memory.limit = effective_joint_limit(MOTOR, given, empty)
    goals = {
        angle: [
            joint_rules.j12_inside(asked(joint_memory, angle, target_cdeg=angle + way)) is None for way in (-1, 0, 1)
        ]
        for angle in (99, 100, 101)
    }
    assert goals == {99: [False, False, True], 100: [True, False, False], 101: [True, False, False]}


def test_a_movement_ends_at_its_very_time(joint_memory):
    joint_memory.live = True
    for begun_ns, holds in ((NOW_NS + 1, False), (NOW_NS, True), (NOW_NS - 10_000 * MS, True)):
        joint_memory.moved_from_ns = begun_ns
        assert (joint_rules.j14_on_time(asked(joint_memory)) is None) is holds
    joint_memory.moved_from_ns = NOW_NS - 13_100 * MS
    says = joint_rules.j14_on_time(asked(joint_memory))
    assert says == "Moving or holding for 13100 ms; at most 10000 ms are allowed (wrist cap)."
    joint_memory.moved_from_ns = NOW_NS - 10_000 * MS - 1
    assert joint_rules.j14_on_time(asked(joint_memory)) is not None


def test_the_last_nanosecond_of_a_session_may_begin(joint_memory):
    joint_memory.dose.moved_ns = 3_600_000 * MS - 1
    assert joint_rules.j16_session_dose(asked(joint_memory)) is None
    joint_memory.dose.moved_ns += 1
    assert joint_rules.j16_session_dose(asked(joint_memory)) is not None
    joint_memory.dose.moved_ns, joint_memory.dose.movements = 0, 1_199
    assert joint_rules.j16_session_dose(asked(joint_memory)) is None
    joint_memory.dose.movements = 1_200
    assert joint_rules.j16_session_dose(asked(joint_memory)) is not None


@pytest.mark.parametrize("hold", [False, True])
def test_a_sample_of_motion_from_the_future_is_none(joint_memory, hold):
    for sensor_ns, holds in ((NOW_NS + 1, False), (NOW_NS, True), (NOW_NS - 100 * MS, True), (0, hold)):
        assert (joint_rules.j17_sensor(asked(joint_memory, hold=hold, sensor_ns=sensor_ns)) is None) is holds
    assert joint_rules.j17_sensor(asked(joint_memory, hold=hold, sensor_ns=NOW_NS - 100 * MS - 1)) is not None


def test_a_muscle_works_from_one_microampere_on(joint_memory):
    joint_memory.shared.channel_signs = {1: -1}
    for ua, holds in ((0, True), (1, False)):
        joint_memory.shared.trails = {1: carrying(ua)}
        assert (joint_rules.j19_antagonist(asked(joint_memory)) is None) is holds


def test_a_minute_has_twenty_movements(joint_memory):
    joint_memory.dose.begun = [NOW_NS - 60_000 * MS, *[NOW_NS - 60_000 * MS + 1] * 19]
    assert joint_rules.j22_movements_a_minute(asked(joint_memory)) is None
    joint_memory.dose.begun.append(NOW_NS)
    says = joint_rules.j22_movements_a_minute(asked(joint_memory))
    assert says == "The joint has had 20 movements within a minute and rests."


def test_a_movement_is_booked_to_the_nanosecond(joint_memory):
    for ended_ns, moved_ns in ((NOW_NS - 5, 0), (NOW_NS, 0), (NOW_NS + 1, 1), (NOW_NS + 3_000 * MS, 3_000 * MS)):
        joint_memory.dose.moved_ns = 0
        joint_memory.move(NOW_NS, moving())
        assert (joint_memory.live, joint_memory.shared.assisted_sign) == (True, 1)
        joint_memory.end_movement(ended_ns)
        assert (joint_memory.live, joint_memory.shared.assisted_sign) == (False, 0)
        assert joint_memory.dose.moved_ns == moved_ns
        assert joint_memory.rest_until_ns == ended_ns + max(moved_ns, 2_000 * MS)


def test_movements_of_more_than_ten_minutes_ago_are_let_go(joint_memory):
    joint_memory.dose.begun = [NOW_NS - 600_000 * MS - 1, NOW_NS - 600_000 * MS, NOW_NS - 600_000 * MS + 1]
    joint_memory.move(NOW_NS, moving())
    assert joint_memory.dose.begun == [NOW_NS - 600_000 * MS + 1, NOW_NS]


def test_the_way_of_no_number_is_none():
    for angle in (float("nan"), 1_000):
        assert way_of(moving(), Posture(0, angle, 0, 0, True)) == 0


def test_the_engine_is_told_of_a_crowded_minute_without_a_limit_as_well(kit):
    rig = kit.JointRig()
    joint = rig.guard._joint.memory
    joint.dose.begun = [NOW_NS + at for at in range(20)]
    assert rig.guard.joint_rest_until_ns == NOW_NS + 60_000 * MS
    joint.limit = None
    assert rig.guard.joint_rest_until_ns == NOW_NS + 60_000 * MS
    joint.dose.begun = [NOW_NS + at for at in range(19)]
    assert rig.guard.joint_rest_until_ns == 0


# -- what is said of the joint before it moves -------------------------------------------------------------------------

TODAY = JointPrescription(JointRegion.WRIST, "left", -6_300, 6_300, 1_000, "P-1", "2026-01-05")
LIMITED = JointProtocolLimit(JointRegion.WRIST, 1_000, 1_000, -100, 100, 1_000, ((1, 1),))


def test_what_may_be_prescribed_is_taken():
    assert joint_prescription_refused(MOTOR, TODAY, False, 0, 999) is None
    assert joint_prescription_refused(MOTOR, TODAY, False, 1_000, 999) is None
    most = JOINT_CAPS[JointRegion.WRIST].torque_mnm
    assert joint_prescription_refused(MOTOR, TODAY._replace(torque_mnm=most), False, 0, 0) is None
    widest = TODAY._replace(rom_min_cdeg=-18_000, rom_max_cdeg=18_000)
    assert joint_prescription_refused(MOTOR, widest, False, 0, 0) is None
    assert joint_constraint_refused(LIMITED, 8, TODAY, LIMITED) is None


@pytest.mark.parametrize(
    ("rule", "says", "changes", "others"),
    [
        ("P11", "only while disarmed", {}, {"armed": True}),
        ("P12", "No powered orthosis is fitted", {}, {"device": None}),
        ("P12", "'middle' is no side", {"side": "middle"}, {}),
        ("P13", "not two whole numbers", {"rom_min_cdeg": 0.0}, {}),
        ("P13", "0 to 0 cdeg leaves nothing", {"rom_min_cdeg": 0, "rom_max_cdeg": 0}, {}),
        ("P13", "0 to 600 cdeg leaves nothing: 300 cdeg", {"rom_min_cdeg": 0, "rom_max_cdeg": 600}, {}),
        ("P13", "1 to 0 cdeg is none", {"rom_min_cdeg": 1, "rom_max_cdeg": 0}, {}),
        ("P13", "to 18001 cdeg is none", {"rom_max_cdeg": 18_001}, {}),
        ("P13", "A range of -18001 to", {"rom_min_cdeg": -18_001}, {}),
        ("P14", "not within 0 to 1500 mNm", {"torque_mnm": 1_501}, {}),
        ("P14", "not within 0 to 99 mNm", {"torque_mnm": 100}, {"device": replace(MOTOR, torque_mnm_max=99)}),
        ("P14", "not within 0 to 1500 mNm", {"torque_mnm": -1}, {}),
        ("P14", "found at 1 mNm and may only fall, not rise to 2", {"torque_mnm": 2}, {"lowest_mnm": 1}),
        ("P15", "Too many prescriptions", {}, {"remembered": 1_000}),
    ],
)
def test_a_prescription_is_refused_with_its_figures_and_never_latches(rule, says, changes, others):
    settings = {"device": MOTOR, "armed": False, "lowest_mnm": 0, "remembered": 0} | others
    refused = joint_prescription_refused(wish=TODAY._replace(**changes), **settings)
    assert (refused.rule, refused.latches) == (rule, False)
    assert says in refused.reason


@pytest.mark.parametrize(
    ("rule", "says", "changes"),
    [
        ("C12", "not a whole number from 0 up", {"torque_mnm": -1}),
        ("C12", "An angle", {"angle_min_cdeg": 0.0}),
        ("C13", "each channel once", {"channel_signs": ((1, 2),)}),
        ("C14", "moves the ankle, but the wrist", {"region": JointRegion.ANKLE}),
        ("C15", "can only narrow", {"torque_mnm": 1_001}),
    ],
)
def test_a_constraint_is_refused_in_words_and_never_latches(rule, says, changes):
    refused = joint_constraint_refused(LIMITED._replace(**changes), 8, TODAY, LIMITED)
    assert (refused.rule, refused.latches) == (rule, False)
    assert says in refused.reason


def test_a_joint_that_has_no_cap_never_latches(kit):
    guard = Guard(kit.UNIT, kit.MOTOR)
    for refused in (
        guard.prescribe_joint("neck", "left", 0, 0, 0, "P", "D", armed=False),
        guard.constrain_joint("neck", 0, 0, 0, 0, 0),
    ):
        assert refused.latches is False
        assert refused.reason == "'neck' is no joint with a cap: finger, wrist, elbow, ankle."
