"""The orders to the orthosis: inside every limit, soft in and out, and masking what the actuator moves."""

from dataclasses import replace

from controller.engine.movement import AFTER_ORDER_NS, HOLD_CDEG, RAMP_MS, STILL_NS, TICK_NS, Movement
from controller.session.resolve import ResolvedJoint, ResolvedMove
from controller.vocabulary.facts import JointReport
from safety.joint import Assist, Free, Hold, Release
from safety.joint_limits import JOINT_CAPS, MOTION_REST_NS_MIN, JointRegion
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


def test_the_muscle_that_has_carried_the_joint_past_todays_range_is_not_worked_against():
    past = replace(REPORT, angle_max_cdeg=2_500, angle_cdeg=3_100)  # the protocol's 30 deg lie ahead of neither
    assert moving(report=past).order(T0, T0, frozenset({1})) is None
    assert isinstance(moving(report=past).order(T0, T0, frozenset()), Assist)


def test_a_muscle_that_is_about_to_carry_the_joint_past_its_goal_is_not_worked_against_either():
    near = replace(REPORT, angle_cdeg=2_700)  # the goal is at 28 deg
    assert isinstance(moving(report=near).order(T0, T0, frozenset({1})), Assist)
    assert moving(report=replace(near, speed_cdps=9_000)).order(T0, T0, frozenset({1})) is None
    assert isinstance(moving(report=replace(near, speed_cdps=9_000)).order(T0, T0, frozenset()), Assist)


def test_a_hold_is_a_hold():
    order = moving(replace(LIFT, hold=True), replace(REPORT, angle_cdeg=2_500)).order(T0, T0, frozenset())
    assert isinstance(order, Hold)
    assert order.angle_cdeg == 2_800


def test_short_of_its_place_a_joint_is_held_where_it_stands_and_let_go_when_it_is_carried_off():
    hold = replace(LIFT, hold=True)
    movement, now = moving(hold, replace(REPORT, angle_cdeg=1_000)), T0
    for here, held in ((1_000, 1_000), (700, 1_000), (1_500, 1_500), (1_400, 1_500), (2_200, 2_800), (2_800, 2_800)):
        movement.reported(now, replace(REPORT, t_ns=now, angle_cdeg=here, moving=True))
        assert movement.order(now, now, frozenset()).angle_cdeg == held
        now += TICK_NS
    movement.reported(now, replace(REPORT, t_ns=now, angle_cdeg=2_800 - HOLD_CDEG - 1, moving=True))
    assert isinstance(movement.order(now, now, frozenset()), Release)
    assert moving(hold).order(T0, T0, frozenset()) is None  # 30 deg outside the range: nowhere to hold it


def test_a_joint_that_rests_is_not_asked_and_begins_when_its_rest_is_over():
    movement = moving(report=replace(REPORT, rest_until_ns=T0 + 100 * MS))
    assert movement.order(T0, T0, frozenset()) is None
    assert not movement.masks
    assert movement.due() == T0 + TICK_NS
    assert movement.order(T0 + 99 * MS, T0, frozenset()) is None
    first = movement.order(T0 + 100 * MS, T0, frozenset())
    assert first.torque_mnm == moving().order(T0, T0, frozenset()).torque_mnm


def test_its_own_reckoning_of_the_rest_holds_until_the_gateways_word_comes():
    movement = moving()
    movement.order(T0, T0, frozenset())
    end = T0 + 3_000 * MS
    movement.release(end)
    movement.reported(end + MS, replace(REPORT, t_ns=end))  # made before the release arrived: it knows of no rest
    assert movement.rest_until_ns == end + 3_000 * MS
    movement = moving()
    movement.order(T0, T0, frozenset())
    movement.release(T0 + 100 * MS)
    assert movement.rest_until_ns == T0 + 100 * MS + MOTION_REST_NS_MIN


def test_a_wish_that_a_muscle_bars_is_tried_again_and_ends_with_its_phase():
    movement = moving()
    assert movement.order(T0, T0, frozenset({2})) is None
    assert movement.due() == T0 + TICK_NS
    assert isinstance(movement.order(T0 + TICK_NS, T0, frozenset()), Assist)
    movement = moving()
    movement.order(T0, T0, frozenset({2}))
    movement.aim(None)
    assert movement.due() == 0
    assert movement.order(T0 + TICK_NS, T0, frozenset()) is None


def test_a_torque_below_the_grid_is_none():
    assert moving(replace(LIFT, torque_mnm=3)).order(T0, T0, frozenset()) is None
    assert moving(report=replace(REPORT, torque_limit_mnm=3)).order(T0, T0, frozenset()) is None


def test_orders_in_a_bunch_rise_no_further_than_the_guard_allows_at_once():
    cases = (
        (JointRegion.FINGER, 140, 5, TICK_NS),
        (JointRegion.WRIST, 1_500, 5, TICK_NS),
        (JointRegion.WRIST, 1_500, 5, MS),
    )
    for region, torque_mnm, grid_mnm, every_ns in cases:
        joint = ResolvedJoint(region.value, torque_mnm, 4_000, 0, 3_000, 5_000, ())
        report = replace(REPORT, torque_limit_mnm=torque_mnm, torque_step_mnm=grid_mnm)
        movement = Movement(joint)
        movement.reported(T0, report)
        movement.aim(replace(LIFT, torque_mnm=torque_mnm))
        orders = [movement.order(T0 + n * every_ns, T0, frozenset()) for n in range(60)]
        torques = [0] + [order.torque_mnm for order in orders]
        bunch = 3 if every_ns == TICK_NS else 40
        rises = [after - before for before, after in zip(torques, torques[bunch:], strict=False)]
        assert 0 < max(rises) <= JOINT_CAPS[region].torque_rise_mnm


def test_what_the_gateway_does_not_move_is_not_asked_for_for_ever():
    movement, now = moving(), T0
    while movement.moving or now == T0:
        movement.order(now, now, frozenset())
        movement.reported(now, replace(REPORT, t_ns=now, moving=False))
        now += TICK_NS
        assert now < T0 + 200 * MS
    assert movement.due() == 0
    movement, now = moving(), T0
    for _ in range(50):
        movement.order(now, now, frozenset())
        movement.reported(now, replace(REPORT, t_ns=now, moving=True))
        now += TICK_NS
    assert movement.moving


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


def test_a_gap_between_two_still_reports_is_no_stillness():
    movement = moving()
    movement.order(T0, T0, frozenset())
    movement.free(T0)
    for ms in (500, 5_000, 5_040, 5_080, 5_200, 5_240):
        movement.reported(T0 + ms * MS, REPORT)
        assert movement.masks
    for ms in range(5_280, 5_500, 40):
        movement.reported(T0 + ms * MS, REPORT)
    assert not movement.masks


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
