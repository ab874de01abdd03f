"""The gateway's half of the orthosis by itself: leases, letting go, what is said, each bound one nanosecond off it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.drivers.orthoses.events import Identified, Moved, UnitFault
from controller.gateway import ports
from controller.gateway.delivery import Verdict
from controller.gateway.joint import Joint
from controller.gateway.voice import Voice
from controller.vocabulary.facts import JointReport, Refusal
from controller.vocabulary.notices import ConstrainJoint
from safety.joint import Assist, Free, Hold, Posture, Release
from safety.orders import Refused
from tests.gateway.parts import JointDriver, JointGuard

pytestmark = pytest.mark.hazard("H33", "H37", "H44")

MS, AT = 1_000_000, 50_000_000_000
LEASE_NS = AT + 120 * MS
HERE = Posture(AT, 1_200, -300, 45, True)
HOLD = Hold(7, AT, LEASE_NS, 1_250, 60)
ASSIST = Assist(8, AT, LEASE_NS, 2_500, 3_000, 90)


@pytest.fixture
def bare():
    """A port that was not opened yet."""
    drivers = []
    kind = replace(DYNAMIXEL, driver=lambda: drivers.append(JointDriver()) or drivers[-1])
    guard, voice = JointGuard(), Voice()
    return SimpleNamespace(joint=Joint(kind, guard, voice), guard=guard, voice=voice, drivers=drivers)


@pytest.fixture
def fit(bare):
    """Open, known, ready, and nothing said yet."""
    bare.joint.take(AT, ports.JointOpened("port"))
    bare.driver = bare.drivers[-1]
    bare.driver.words = [Identified("SIM1")]
    bare.joint.take(AT, ports.JointBytes(b"x"))
    bare.driver.words = []
    bare.guard.told.clear()
    bare.voice.begin()
    return bare


@pytest.fixture
def moving(fit):
    fit.joint.order(AT, ASSIST, "conditions")
    fit.voice.begin()
    fit.guard.told.clear()
    fit.driver.done.clear()
    return fit


@pytest.fixture
def none():
    """No orthosis is fitted."""
    voice, guard = Voice(), JointGuard()
    return SimpleNamespace(joint=Joint(None, guard, voice), voice=voice, guard=guard)


def logs(fit):
    return [entry for entry in fit.voice.out if isinstance(entry, ports.Log)]


# -- no orthosis, or none that is known --------------------------------------------------------------------------------


def test_without_an_orthosis_everything_is_in_order_and_nothing_is_done(none):
    joint = none.joint
    assert joint.unit is None
    assert (joint.ok(AT), joint.identified, joint.ready, joint.simulated, joint.freed) == (True,) * 5
    assert (joint.on, joint.lease_until_ns, joint.cause, joint.todo) == (False, 0, "", "")
    assert joint.report() is None
    assert joint.next_deadline() == 0
    joint.constrain(AT, ConstrainJoint("wrist", 1, 1, 0, 1, 1))
    none.voice.begin()
    assert joint.unfitted == ""
    for order in (HOLD, ASSIST, Release(1, AT), Free(1, AT)):
        assert joint.order(AT, order, "conditions") is Verdict.CARRIED
    joint.rearm(AT)
    joint.stop(AT, "stopped")
    assert joint.keep(AT, False, True) == []
    for entry in (ports.JointOpened("p"), ports.JointBytes(b"x"), ports.JointGone("c"), ports.JointMissing("c")):
        assert joint.take(AT, entry) == []
    assert joint.heed(AT, UnitFault("a", "b")) is None
    assert not joint.expired(1 << 62)
    assert none.voice.out == []
    assert none.guard.asked("admit") == []
    joint.heed(AT, Moved(HERE))
    assert none.voice.out == []


def test_an_orthosis_whose_port_is_closed_is_not_in_order(bare):
    joint = bare.joint
    assert (joint.ok(AT), joint.identified, joint.ready, joint.simulated) == (False,) * 4
    assert joint.freed  # nothing of ours pushes
    assert joint.report() == JointReport(
        0, "", False, False, 0, 0, 0, False, "The orthosis's port has not been opened yet."
    )
    assert joint.order(AT, HOLD, "conditions") is Verdict.CARRIED
    assert joint.order(AT, Free(1, AT), "conditions") is Verdict.CARRIED
    assert joint.keep(AT, False, True) == []
    joint.rearm(AT)
    joint.stop(AT, "stopped")
    assert bare.voice.out == []
    assert bare.guard.asked("admit") == []
    assert bare.guard.asked("off_joint") == [(AT,)]
    assert joint._letting_go_until_ns == 0


def test_nothing_has_been_let_go_of_before_anything_has_moved(fit):
    fit.driver.ready, fit.driver.posture = False, HERE._replace(t_ns=1)
    assert fit.joint.ok(1) is False
    assert Joint(DYNAMIXEL, fit.guard, fit.voice)._letting_go_until_ns == 0


def test_a_device_that_calls_itself_real_is_no_simulated_one(fit):
    assert (fit.joint.identified, fit.joint.ready, fit.joint.simulated) == (True, True, True)
    fit.joint.unit.identity = "XM430 id 1"
    assert (fit.joint.identified, fit.joint.ready, fit.joint.simulated) == (True, True, False)
    fit.driver.ready = False
    assert (fit.joint.identified, fit.joint.ready) == (True, False)


# -- its posture is young ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age_ns", "ok"), [(-1, False), (0, True), (60 * MS, True), (60 * MS + 1, False)])
def test_where_it_stands_is_known_for_sixty_milliseconds(fit, age_ns, ok):
    assert fit.joint.ok(AT + age_ns) is ok


def test_without_a_posture_or_a_ready_driver_it_is_not_in_order(fit):
    fit.driver.posture = None
    assert fit.joint.ok(AT) is False
    fit.driver.posture, fit.driver.ready = HERE, False
    assert fit.joint.ok(AT) is False


def test_while_it_lets_go_it_is_in_order_until_the_time_for_that_is_over(moving):
    joint = moving.joint
    joint.order(AT, Release(9, AT, 0), "conditions")
    moving.driver.ready = False
    until = AT + 200 * MS
    for now_ns, ok in ((AT, True), (until, True), (until + 1, False)):
        moving.driver.posture = HERE._replace(t_ns=now_ns)
        assert joint.ok(now_ns) is ok
    moving.driver.posture = HERE
    joint.unit.identity = ""
    assert joint.ok(AT) is False


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (HOLD, {"seq": 7, "order": "hold", "aim_cdeg": 1_250, "torque_mnm": 60}),
        (ASSIST, {"seq": 8, "order": "assist", "aim_cdeg": 2_500, "torque_mnm": 90}),
    ],
)
def test_a_movement_begins_with_the_guards_ticket_and_is_written_down_once(fit, order, told):
    assert fit.joint.order(AT + 1, order, "conditions") is Verdict.CARRIED
    assert fit.guard.asked("admit") == [(order, AT + 1, "conditions")]
    assert fit.driver.done == [("move", "ticket", AT + 1)]
    assert fit.voice.out == [ports.ToJoint(b"move"), ports.Log(AT + 1, "motion_started", told, False)]
    assert fit.joint.on is True
    assert fit.joint.lease_until_ns == LEASE_NS
    later = replace(order, seq=9, expires_ns=LEASE_NS + 5)
    fit.voice.begin()
    assert fit.joint.order(AT + 2, later, "conditions") is Verdict.CARRIED
    assert fit.voice.out == [ports.ToJoint(b"move")]
    assert fit.joint.lease_until_ns == LEASE_NS + 5


def test_bytes_that_would_not_say_the_movement_are_a_defect(fit):
    fit.driver.fails = True
    assert fit.joint.order(AT, ASSIST, "conditions") is Verdict.UNSAFE
    assert fit.joint.cause == "The orthosis' frame did not match the order: read back as 3 mNm."
    assert fit.joint.todo == "Report this defect."
    assert fit.voice.out == []
    assert not fit.joint.on


def test_a_refusal_that_latches_is_said_to_all_and_unsafe(moving):
    moving.guard.answer = Refused("J09", "Too far.", True)
    assert moving.joint.order(AT, ASSIST, "conditions") is Verdict.UNSAFE
    said = Refusal(AT, 8, "J09", "Too far.", True)
    record = ports.Log(AT, "refused", {"seq": 8, "rule": "J09", "reason": "Too far."}, True)
    assert moving.voice.out == [ports.ToFront(said), ports.ToEngine(said), record]
    assert moving.joint.cause == "Rule J09 refused a movement. Too far."
    assert moving.joint.todo == ("Keep this session's record: a refusal is a defect. Acknowledge, then arm again.")
    assert moving.driver.done == []


def test_a_refusal_that_does_not_latch_lets_go_at_once(moving):
    moving.guard.answer = Refused("J19", "A muscle pulls the other way.", False)
    assert moving.joint.order(AT, ASSIST, "conditions") is Verdict.CARRIED
    assert moving.driver.done == [("release", AT, 0)]
    assert moving.joint.cause == ""
    assert not moving.joint.on
    refusals = [entry.message for entry in moving.voice.out if isinstance(entry, ports.ToFront)]
    assert refusals == [Refusal(AT, 8, "J19", "A muscle pulls the other way.", False)]
    assert moving.guard.asked("off_joint") == [(AT,)]


# -- letting go --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "ramp_ms"),
    [
        (Free(9, AT), 0),
        (Release(9, AT, 0), 0),
        (Release(9, AT, 1), 1),
        (Release(9, AT, 300), 300),
        (Release(9, AT, 1_000), 1_000),
        (Release(9, AT, 1_001), 1_000),
        (Release(9, AT, -1), 0),
    ],
)
def test_letting_go_asks_nobody_and_lasts_a_second_at_most(moving, order, ramp_ms):
    assert moving.joint.order(AT, order, "conditions") is Verdict.CARRIED
    assert moving.driver.done == [("release", AT, ramp_ms)]
    ended = ports.Log(AT, "motion_ended", {"why": "released"}, False)
    assert moving.voice.out == [ports.ToJoint(b"let go"), ended]
    assert moving.guard.told == [("off_joint", AT)]
    assert (moving.joint.on, moving.joint.lease_until_ns) == (False, 0)
    assert moving.joint._letting_go_until_ns == AT + ramp_ms * MS + 200 * MS


def test_saying_it_again_prolongs_nothing(moving):
    joint = moving.joint
    joint.order(AT, Release(9, AT, 300), "conditions")
    until = AT + 500 * MS
    for now_ns in (AT + 1, until - 1, until):
        joint.order(now_ns, Release(10, now_ns, 300), "conditions")
        assert joint._letting_go_until_ns == until
    joint.order(until + 1, Release(11, until + 1, 300), "conditions")
    assert joint._letting_go_until_ns == until + 1 + 200 * MS
    assert [entry.data for entry in logs(moving)] == [{"why": "released"}]  # it ended once


def test_a_stop_takes_the_torque_away_in_every_state(moving):
    moving.joint.order(AT, Release(9, AT, 300), "conditions")
    moving.joint.order(AT, ASSIST, "conditions")
    moving.voice.begin()
    moving.guard.told.clear()
    moving.joint.stop(AT + 1, "stopped")
    assert moving.voice.out == [
        ports.ToJoint(b"stop"),
        ports.Log(AT + 1, "motion_ended", {"why": "stopped"}, True),
    ]
    assert moving.guard.told == [("off_joint", AT + 1)]
    assert (moving.joint.on, moving.joint.lease_until_ns, moving.joint._letting_go_until_ns) == (False, 0, 0)
    moving.joint.stop(AT + 2, "stopped")
    assert [entry.t_ns for entry in logs(moving)] == [AT + 1]
    assert moving.voice.out[-1] == ports.ToJoint(b"stop")


def test_a_person_who_arms_makes_a_stopped_orthosis_ready_and_leaves_a_ready_one_alone(fit):
    fit.joint.rearm(AT)
    assert fit.voice.out == []
    fit.driver.ready = False
    fit.joint.rearm(AT)
    assert fit.voice.out == [ports.ToJoint(b"rearm")]
