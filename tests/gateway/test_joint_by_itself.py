"""The gateway's half of the orthosis by itself: leases, letting go, what is said, each bound one nanosecond off it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.drivers.orthoses.events import Freed, Identified, Moved, PairCheckFailed, Ready, UnitFault
from controller.gateway import ports
from controller.gateway.delivery import Verdict
from controller.gateway.joint import Joint
from controller.gateway.voice import Voice
from controller.vocabulary.facts import JointReport, Refusal
from controller.vocabulary.notices import ConstrainJoint
from controller.vocabulary.requests import PrescribeJoint
from safety.joint import Assist, Free, Hold, Posture, Release
from safety.orders import Refused

pytestmark = pytest.mark.hazard("H33", "H37", "H44")

MS, AT = 1_000_000, 50_000_000_000
LEASE_NS = AT + 120 * MS
HERE = Posture(AT, 1_200, -300, 45, True)
HOLD = Hold(7, AT, LEASE_NS, 1_250, 60)
ASSIST = Assist(8, AT, LEASE_NS, 2_500, 3_000, 90)
UNUSED = "The joint of the orthosis has not been measured today. Measure it in fitting, then arm."


class Driver:
    """A driver that says what it is told to."""

    def __init__(self):
        self.identity, self.ready, self.posture, self.confirmed_free = "", True, HERE, False
        self.done, self.due_ns, self.fails, self.words = [], 0, False, []

    def start(self, now_ns):
        return b"start"

    def feed(self, now_ns, data):
        return self.words

    def poll(self, now_ns, alive):
        self.done.append(("poll", now_ns, alive))
        return b"", [Ready()]

    def next_deadline(self):
        return self.due_ns

    def move(self, ticket, now_ns):
        if self.fails:
            raise PairCheckFailed("read back as 3 mNm")
        self.done.append(("move", ticket, now_ns))
        return b"move"

    def release(self, now_ns, ramp_ms):
        self.done.append(("release", now_ns, ramp_ms))
        return b"let go"

    def stop(self, now_ns):
        return b"stop"

    def rearm(self, now_ns):
        return b"rearm"


class Guard:
    """Says what it is told to, and remembers what it was asked."""

    def __init__(self):
        self.told, self.answer, self.limit, self.joint_rest_until_ns = [], "ticket", None, AT + 9

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*given, **named):
            self.told.append((name, *given, *([named] if named else [])))

        return call

    def admit(self, order, now_ns, conditions):
        self.told.append(("admit", order, now_ns, conditions))
        return self.answer

    def joint_limit(self):
        return self.limit

    def asked(self, name):
        return [each[1:] for each in self.told if each[0] == name]


@pytest.fixture
def bare():
    """A port that was not opened yet."""
    drivers = []
    kind = replace(DYNAMIXEL, driver=lambda: drivers.append(Driver()) or drivers[-1])
    guard, voice = Guard(), Voice()
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
    voice, guard = Voice(), Guard()
    return SimpleNamespace(joint=Joint(None, guard, voice), voice=voice, guard=guard)


def bound(value, source="device"):
    return SimpleNamespace(value=value, source=source)


def limit(**changes):
    bounds = {"torque_mnm": bound(300, "patient ceiling"), "speed_cdps": bound(4_000)}
    bounds |= {"angle_min_cdeg": bound(-500, "patient range"), "angle_max_cdeg": bound(3_000, "protocol")}
    return SimpleNamespace(**(bounds | changes))


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
    assert joint.keep(AT, False) == []
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
    assert joint.keep(AT, False) == []
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


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_lease_ends_one_nanosecond_after_its_last(moving):
    assert moving.joint.expired(LEASE_NS) is False
    assert moving.joint.expired(LEASE_NS + 1) is True
    moving.joint.on = False
    assert moving.joint.expired(LEASE_NS + 1) is False


@pytest.mark.parametrize(
    ("due_ns", "on", "when_ns"),
    [
        (0, False, 0),
        (LEASE_NS + 9, False, LEASE_NS + 9),
        (0, True, LEASE_NS + 1),
        (LEASE_NS - 1, True, LEASE_NS - 1),
        (LEASE_NS, True, LEASE_NS),
        (LEASE_NS + 1, True, LEASE_NS + 1),
        (LEASE_NS + 2, True, LEASE_NS + 1),
    ],
)
def test_it_is_woken_when_its_driver_is_due_and_when_its_lease_has_ended(moving, due_ns, on, when_ns):
    moving.driver.due_ns, moving.joint.on = due_ns, on
    assert moving.joint.next_deadline() == when_ns


def alive(fit, now_ns):
    fit.driver.done.clear()
    assert fit.joint.keep(now_ns, False) == [Ready()]
    ((_, _, said),) = fit.driver.done
    return said


def test_steps_of_a_movement_go_out_while_its_lease_lives(moving):
    assert alive(moving, LEASE_NS) is True
    assert alive(moving, LEASE_NS + 1) is False
    moving.joint.on = False
    assert alive(moving, AT) is False
    moving.driver.confirmed_free = True
    assert moving.joint.freed
    assert alive(moving, LEASE_NS + 1) is True


def test_steps_of_letting_go_go_out_while_the_time_for_it_lasts(moving):
    moving.joint.order(AT, Release(9, AT, 300), "conditions")
    assert alive(moving, AT + 500 * MS) is True
    assert alive(moving, AT + 500 * MS + 1) is False
    assert not moving.joint.freed


def test_a_gateway_that_leaves_does_not_try_the_port_again(fit):
    fit.joint.take(AT, ports.JointGone("cable"))
    fit.voice.begin()
    assert fit.joint.keep(AT + 1_000 * MS, True) == []
    assert fit.voice.out == []
    assert fit.joint.keep(AT + 1_000 * MS, False) == []
    assert [type(entry) for entry in fit.voice.out] == [ports.OpenJoint]


# -- its port, and what it says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "missing", "kinds"),
    [
        (ports.JointOpened("port"), "", ["ToJoint", "Log"]),
        (ports.JointMissing("busy"), "busy", []),
        (
            ports.JointGone("cable"),
            "The orthosis's cable or port was lost (cable). Support the limb, then plug it in again.",
            ["Log", "CloseJoint"],
        ),
    ],
)
def test_whatever_becomes_of_its_port_nothing_of_before_counts(moving, entry, missing, kinds):
    moving.joint.order(AT, Release(9, AT, 300), "conditions")
    moving.voice.begin()
    moving.guard.told.clear()
    assert moving.joint.take(AT, entry) == []
    assert moving.guard.told == [("posture", None)]
    assert moving.joint._letting_go_until_ns == 0
    assert moving.joint.unit.missing == missing
    assert [type(each).__name__ for each in moving.voice.out] == kinds


def test_bytes_are_the_drivers_and_change_nothing_by_themselves(moving):
    moving.joint.order(AT, Release(9, AT, 300), "conditions")
    moving.guard.told.clear()
    moving.driver.words = [Ready()]
    assert moving.joint.take(AT, ports.JointBytes(b"x")) == [Ready()]
    assert moving.guard.told == []
    assert moving.joint._letting_go_until_ns == AT + 500 * MS


def test_postures_go_to_the_guard_each_and_to_the_engine_every_forty_milliseconds(fit):
    told = []
    for now_ns in (AT, AT + 1, AT + 40 * MS - 1, AT + 40 * MS, AT + 80 * MS - 1):
        fit.voice.begin()
        assert fit.joint.heed(now_ns, Moved(HERE)) is None
        told.append([type(entry) for entry in fit.voice.out])
    assert told == [[ports.ToEngine], [], [], [ports.ToEngine], []]
    assert fit.guard.asked("posture") == [(HERE,)] * 5


def test_the_first_posture_of_all_is_told(fit):
    fit.joint.heed(0, Moved(HERE))
    assert [entry.message.t_ns for entry in fit.voice.out] == [AT]


def test_what_else_it_says(fit):
    assert fit.joint.heed(AT, Freed(AT)) is None
    assert fit.voice.out == [ports.Log(AT, "torque_off", {}, False)]
    assert fit.joint.heed(AT, Ready()) is None
    fault = UnitFault("It is hot.", "Let it cool down.")
    assert fit.joint.heed(AT, fault) is fault
    assert fit.guard.told == []


# -- the report --------------------------------------------------------------------------------------------------------


def test_the_report_is_what_it_said_and_what_is_in_force(moving):
    moving.joint.unit.missing = "something"
    assert moving.joint.report() == JointReport(AT, "SIM1", True, True, 1_200, -300, 45, True, "something")
    moving.driver.posture = None
    assert moving.joint.report() == JointReport(0, "SIM1", True, True, 0, 0, 0, False, "something")
    moving.joint.unit.driver = None
    assert moving.joint.report() == JointReport(0, "SIM1", False, True, 0, 0, 0, False, "something")


def test_the_report_carries_the_limits_of_now(fit):
    fit.guard.limit = limit()
    assert fit.joint.report() == JointReport(
        AT,
        "SIM1",
        True,
        False,
        1_200,
        -300,
        45,
        True,
        rest_until_ns=AT + 9,
        torque_limit_mnm=300,
        torque_step_mnm=DYNAMIXEL.limits.torque_step_mnm,
        speed_limit_cdps=4_000,
        angle_min_cdeg=-500,
        angle_max_cdeg=3_000,
        bound_by="patient ceiling",
    )


# -- what a person measured, and what the protocol narrows -------------------------------------------------------------

WISH = PrescribeJoint("P007", "2026-01-05", "wrist", "right", -5_500, 5_000, 1_200, "measured anew")
NARROW = ConstrainJoint("wrist", 1_200, 4_000, 0, 3_000, 6_000, ((1, 1),))
GIVEN = {
    "patient": "P007",
    "date": "2026-01-05",
    "region": "wrist",
    "side": "right",
    "rom_min_cdeg": -5_500,
    "rom_max_cdeg": 5_000,
    "torque_mnm": 1_200,
}


@pytest.mark.parametrize("armed", [True, False])
def test_what_was_measured_goes_to_the_guard_and_with_its_reason_into_the_log(fit, armed):
    assert fit.joint.prescribe(AT, WISH, armed) is True
    assert fit.guard.told == [("prescribe_joint", GIVEN | {"armed": armed})]
    assert fit.voice.out == [ports.Log(AT, "joint_prescribed", GIVEN | {"reason": "measured anew"}, True)]


def test_what_the_guard_does_not_take_is_said_to_all_and_latches_nothing(fit, monkeypatch):
    monkeypatch.setattr(fit.guard, "prescribe_joint", lambda **given: Refused("P11", "Too much."), raising=False)
    assert fit.joint.prescribe(AT, WISH, False) is False
    said = Refusal(AT, 0, "P11", "Too much.", False)
    told = GIVEN | {"refused": "P11", "reason": "Too much."}
    assert fit.voice.out == [ports.ToFront(said), ports.ToEngine(said), ports.Log(AT, "joint_prescribed", told, True)]


def test_the_protocols_limits_go_to_the_guard_and_into_the_log(fit):
    fit.joint.constrain(AT, NARROW)
    told = {name: getattr(NARROW, name) for name in NARROW.__slots__}
    assert fit.guard.told == [("constrain_joint", told)]
    assert fit.voice.out == [ports.Log(AT, "joint_constrained", told, True)]


def test_a_protocol_that_moves_nothing_needs_nothing_measured(fit):
    assert fit.joint.unfitted == ""
    fit.joint.constrain(AT, NARROW)
    assert fit.joint.unfitted == UNUSED


@pytest.mark.parametrize(("torque_mnm", "said"), [(0, UNUSED), (1, ""), (-1, UNUSED)])
def test_a_torque_that_was_not_found_is_not_measured(fit, torque_mnm, said):
    fit.joint.constrain(AT, NARROW)
    fit.guard.limit = limit(torque_mnm=bound(torque_mnm))
    assert fit.joint.unfitted == said


@pytest.mark.parametrize(("low", "room"), [(2_999, True), (3_000, True), (3_001, False)])
def test_a_range_of_one_angle_is_room_and_an_empty_one_is_not(fit, low, room):
    fit.joint.constrain(AT, NARROW)
    fit.guard.limit = limit(angle_min_cdeg=bound(low, "patient range"))
    assert fit.joint.unfitted == (
        ""
        if room
        else "There is no room to move the joint in (patient range against protocol). Measure it again, or use less."
    )
