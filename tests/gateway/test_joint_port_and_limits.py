"""The gateway's half of the orthosis by itself: time, its port, what it reports, what a person measured."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.drivers.orthoses.events import Freed, Identified, Moved, Ready, UnitFault
from controller.gateway import ports
from controller.gateway.joint import Joint
from controller.gateway.voice import Voice
from controller.vocabulary.facts import JointReport, Refusal
from controller.vocabulary.notices import ConstrainJoint
from controller.vocabulary.requests import PrescribeJoint
from safety.joint import Assist, Posture, Release
from safety.orders import Refused
from tests.gateway.parts import JointDriver, JointGuard

pytestmark = pytest.mark.hazard("H33", "H37", "H44")

MS, AT = 1_000_000, 50_000_000_000
LEASE_NS = AT + 120 * MS
HERE = Posture(AT, 1_200, -300, 45, True)
ASSIST = Assist(8, AT, LEASE_NS, 2_500, 3_000, 90)
UNMEASURED = "The joint of the orthosis has not been measured today. Measure it in fitting, then arm."


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


def bound(value, source="device"):
    return SimpleNamespace(value=value, source=source)


def limit(**changes):
    bounds = {"torque_mnm": bound(300, "patient ceiling"), "speed_cdps": bound(4_000)}
    bounds |= {"angle_min_cdeg": bound(-500, "patient range"), "angle_max_cdeg": bound(3_000, "protocol")}
    return SimpleNamespace(**(bounds | changes))


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


def alive(fit, now_ns, engine_spoke=True):
    fit.driver.done.clear()
    assert fit.joint.keep(now_ns, False, engine_spoke) == [Ready()]
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


def test_letting_go_softly_is_for_an_engine_that_is_there(moving):
    moving.joint.order(AT, Release(9, AT, 1_000), "conditions")
    assert alive(moving, AT + 10 * MS, engine_spoke=True) is True
    assert alive(moving, AT + 10 * MS, engine_spoke=False) is False


def test_a_movement_lives_by_its_lease_whoever_spoke(moving):
    assert alive(moving, LEASE_NS, engine_spoke=False) is True


def test_a_gateway_that_leaves_does_not_try_the_port_again(fit):
    fit.joint.take(AT, ports.JointGone("cable"))
    fit.voice.begin()
    assert fit.joint.keep(AT + 1_000 * MS, True, True) == []
    assert fit.voice.out == []
    assert fit.joint.next_deadline() == 0


def test_a_gateway_that_stays_tries_the_port_again(fit):
    fit.joint.take(AT, ports.JointGone("cable"))
    fit.voice.begin()
    assert fit.joint.keep(AT + 1_000 * MS, False, True) == []
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
    assert fit.joint.unfitted == UNMEASURED


@pytest.mark.parametrize(("torque_mnm", "said"), [(0, UNMEASURED), (1, ""), (-1, UNMEASURED)])
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
