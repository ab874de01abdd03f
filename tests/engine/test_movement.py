"""The orders to the orthosis: inside every limit, soft in and out, and masking what the actuator moves."""

from dataclasses import replace

from controller.engine.movement import AFTER_ORDER_NS, RAMP_MS, STILL_NS, TICK_NS, Movement
from controller.session.resolve import ResolvedJoint, ResolvedMove
from controller.vocabulary.facts import JointReport
from safety.joint import Assist, Free, Hold, Release
from safety.joint_limits import JOINT_CAPS, JointRegion
from safety.orders import LEASE_MAX_NS

MS = 1_000_000
T0 = 5_000 * MS
JOINT = ResolvedJoint("wrist", 1_200, 4_000, 0, 3_000, 5_000, ((1, 1), (2, -1)))
LIFT = ResolvedMove("open", 3_000, 1_200, 4_000, hold=False)
REPORT = JointReport(
    T0, "SIM-XM430-01", True, False, -3_000, 0, 0, False, "", 0, 1_000, 4, 4_000, 0, 2_800, "patient ceiling"
)


def moving(wish=LIFT, report=REPORT):
    movement = Movement(JOINT)
    movement.reported(T0, report)
    movement.aim(wish)
    return movement


def test_torque_rises_to_the_ceiling_in_steps_that_the_guard_allows_and_the_aim_stays_in_todays_range():
    movement, seen = moving(), []
    for tick in range(60):
        order = movement.order(T0 + tick * TICK_NS, T0, frozenset({1}))
        assert isinstance(order, Assist)
        assert order.expires_ns - order.stamp_ns == LEASE_MAX_NS
        assert order.target_cdeg == 2_800  # narrower than the protocol's 30 deg
        assert order.torque_mnm % 4 == 0
        seen.append((order.seq, order.torque_mnm))
    torques = [torque for _, torque in seen]
    rise = JOINT_CAPS[JointRegion.WRIST].torque_rise_mnm
    assert torques == sorted(torques)
    assert all(after - before <= rise // 3 for before, after in zip([0, *torques], torques, strict=False))
    assert torques[-1] == 1_000
    assert [seq for seq, _ in seen] == sorted({seq for seq, _ in seen})


def test_nothing_is_asked_before_a_person_has_measured_the_joint():
    for narrow in (replace(REPORT, torque_limit_mnm=0), replace(REPORT, angle_min_cdeg=1, angle_max_cdeg=0)):
        movement = moving(report=narrow)
        assert movement.order(T0, T0, frozenset()) is None
        assert not movement.masks


def test_a_limit_that_vanishes_lets_go():
    movement = moving()
    assert isinstance(movement.order(T0, T0, frozenset()), Assist)
    movement.reported(T0 + TICK_NS, replace(REPORT, torque_limit_mnm=0))
    order = movement.order(T0 + TICK_NS, T0, frozenset())
    assert isinstance(order, Release)
    assert order.ramp_ms == RAMP_MS
    assert movement.order(T0 + 2 * TICK_NS, T0, frozenset()) is None


def test_it_never_works_against_a_muscle_that_current_drives():
    assert moving().order(T0, T0, frozenset({2})) is None
    movement = moving()
    assert isinstance(movement.order(T0, T0, frozenset({1})), Assist)
    assert isinstance(movement.order(T0 + TICK_NS, T0, frozenset({1, 2})), Release)


def test_a_hold_is_a_hold():
    order = moving(replace(LIFT, hold=True)).order(T0, T0, frozenset())
    assert isinstance(order, Hold)
    assert order.angle_cdeg == 2_800


def test_what_the_actuator_moves_is_masked_until_the_joint_has_been_still_for_250_ms():
    movement = moving()
    assert not movement.masks
    movement.order(T0, T0, frozenset())
    assert movement.masks
    movement.release(T0 + 100 * MS)
    now = T0 + 100 * MS
    fast = replace(REPORT, speed_cdps=201)
    while now < T0 + 900 * MS:  # it still swings: masked however long ago the last order was
        movement.reported(now, fast)
        assert movement.masks
        now += 20 * MS
    still_from = now
    while movement.masks:
        movement.reported(now, REPORT)
        now += 20 * MS
        assert now - still_from < 1_000 * MS
    assert STILL_NS <= now - still_from <= STILL_NS + 40 * MS


def test_stillness_right_after_the_order_is_not_enough():
    movement = moving()
    movement.order(T0, T0, frozenset())
    movement.free(T0)
    for ms in range(0, AFTER_ORDER_NS // MS - 20, 20):
        movement.reported(T0 + ms * MS, REPORT)
        assert movement.masks
    movement.reported(T0 + AFTER_ORDER_NS, REPORT)
    assert not movement.masks


def test_torque_that_is_still_on_masks_and_silence_unmasks_nothing():
    movement = moving()
    movement.order(T0, T0, frozenset())
    movement.release(T0)
    for ms in range(0, 2_000, 50):
        movement.reported(T0 + ms * MS, replace(REPORT, torque_on=True))
    assert movement.masks


def test_letting_go_at_once_and_being_stopped_from_outside():
    movement = moving()
    movement.order(T0, T0, frozenset())
    assert isinstance(movement.free(T0), Free)
    assert not movement.moving
    assert movement.due() == 0
    movement = moving()
    movement.order(T0, T0, frozenset())
    movement.forget(T0)
    assert not movement.moving
    assert movement.order(T0, T0, frozenset()) is None
