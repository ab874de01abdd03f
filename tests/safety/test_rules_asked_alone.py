"""Rules asked alone, past those that come before: what is no number, and a memory that is broken, is refused as well.

In the guard none of this can reach them: G01 lets whole numbers through and nothing else. A rule must not rest on it.
"""

from types import SimpleNamespace

import pytest

from safety import body_rules, joint_rules, pulse_rules, rules
from safety.body_rules import Wanted
from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.joint_limits import JointPrescription, JointRegion, effective_joint_limit
from safety.joint_memory import JointMemory
from safety.joint_rules import Asked
from safety.limits import BURSTS_MAX, Prescription, Region, channel_limit
from safety.memory import Memory, Trail, Vetted
from safety.orders import ArmScope, Deliver, Purpose
from safety.stimulus import Point, Train, Waveform

pytestmark = pytest.mark.hazard("H12")
NAN = float("nan")
MS = 1_000_000


@pytest.fixture
def limit(kit):
    given = Prescription(1, Region.FOREARM, 2_500, 10_000, 0, "P-1", kit.DAY)
    return channel_limit(kit.UNIT, given, None, ArmScope.SESSION)


@pytest.fixture
def memory(kit):
    memory = Memory(kit.UNIT)
    memory.scope, memory.armed_ns, memory.live = ArmScope.SESSION, 0, False
    return memory


def train(ua=2_000, width_us=200, period_us=30_000):
    return Train(1, (Point(width_us, ua), Point(width_us, -ua)), period_us)


@pytest.mark.parametrize(
    ("rule", "odd"),
    [
        (pulse_rules.g09_points, train(width_us=NAN)),
        (pulse_rules.g09_points, train(ua=NAN)),
        (pulse_rules.g10_net_charge, train(ua=NAN)),
        (pulse_rules.g11_amplitude, train(ua=NAN)),
        (pulse_rules.g12_pulse_width, train(width_us=NAN)),
        (pulse_rules.g13_period, train(period_us=NAN)),
        (pulse_rules.g15_density, train(ua=NAN)),
        (pulse_rules.g16_power, train(ua=NAN)),
        (pulse_rules.g30_rms, train(ua=NAN)),
        (pulse_rules.g15_density, train(period_us=NAN)),
    ],
)
def test_a_pulse_of_no_number_is_refused_by_each_rule(kit, limit, rule, odd):
    assert rule(kit.UNIT, train(), limit) is None
    assert rule(kit.UNIT, odd, limit) is not None


def test_a_channel_of_no_number_does_not_exist(kit, limit):
    assert pulse_rules.g07_channel(kit.UNIT, train(), limit) is None
    assert pulse_rules.g07_channel(kit.UNIT, train()._replace(channel=NAN), limit) is not None


def order(now_ns=1_000 * MS, **changes):
    fields = {"seq": 1, "stamp_ns": now_ns, "expires_ns": now_ns + 100 * MS, "purpose": Purpose.ASSIST}
    fields |= {"trains": (train(),), "press": 0, "sensor_ns": now_ns} | changes
    return Deliver(**fields)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (rules.g02_sequence_rises, {"seq": NAN}),
        (rules.g03_time, {"stamp_ns": NAN}),
        (rules.g04_lease, {"expires_ns": NAN}),
        (rules.g04_lease, {"stamp_ns": NAN}),
    ],
)
def test_an_order_of_no_number_is_refused_by_each_rule(kit, memory, rule, changes):
    assert rule(memory, order(), 1_000 * MS, kit.GOOD) is None
    assert rule(memory, order(**changes), 1_000 * MS, kit.GOOD) is not None


@pytest.mark.parametrize("rule", [rules.g03_time, rules.g04_lease])
def test_a_clock_of_no_number_is_refused(kit, memory, rule):
    assert rule(memory, order(), NAN, kit.GOOD) is not None


def wanted(memory, limit, now_ns=1_000 * MS, amplitude_ua=2_000, **changes):
    one = Vetted(1, amplitude_ua, 460, Waveform(100, 0, 30_000), 12_000, limit)
    return Wanted(memory, order(**changes), now_ns, [one], 12_000, Purpose.ASSIST)


BROKEN = {
    "slew": (body_rules.g19_slew, lambda memory: memory.trails.update({1: SimpleNamespace(lowest=lambda now_ns: NAN)})),
    "on-time": (body_rules.g20_on_time, lambda memory: _live(memory, 1_000 * MS + 1)),
    "rest": (body_rules.g22_rest, lambda memory: setattr(memory, "rest_until_ns", NAN)),
    "bursts": (body_rules.g23_bursts, lambda memory: setattr(memory.dose, "bursts", -1)),
    "bursts of no number": (body_rules.g23_bursts, lambda memory: setattr(memory.dose, "bursts", NAN)),
    "dose": (body_rules.g24_session_dose, lambda memory: setattr(memory.dose, "on_ns", -1)),
    "dose of no number": (body_rules.g24_session_dose, lambda memory: setattr(memory.dose, "on_ns", NAN)),
    "crowd": (body_rules.g31_bursts_a_minute, lambda memory: setattr(memory.dose, "crowded_until_ns", NAN)),
    "duty": (body_rules.g32_duty, lambda memory: setattr(memory.dose, "spent_until_ns", NAN)),
}


def _live(memory, from_ns):
    memory.live, memory.burst_from_ns = True, from_ns


@pytest.mark.parametrize("name", BROKEN)
def test_a_memory_that_is_broken_is_refused(memory, limit, name):
    rule, damage = BROKEN[name]
    assert rule(wanted(memory, limit)) is None
    damage(memory)
    assert rule(wanted(memory, limit)) is not None


def test_what_is_counted_from_nothing_is_exact(memory, limit):
    memory.dose.bursts = 0
    assert body_rules.g23_bursts(wanted(memory, limit)) is None
    memory.dose.bursts = BURSTS_MAX - 1
    assert body_rules.g23_bursts(wanted(memory, limit)) is None
    memory.dose.on_ns = 3_600 * 1_000 * MS - 1
    assert body_rules.g24_session_dose(wanted(memory, limit)) is None
    memory.dose.on_ns += 1
    assert body_rules.g24_session_dose(wanted(memory, limit)) is not None
    _live(memory, 1_000 * MS)
    assert body_rules.g20_on_time(wanted(memory, limit)) is None


def test_a_sample_of_no_time_is_none(memory, limit):
    assert body_rules.g25_sensor(wanted(memory, limit)) is None
    assert body_rules.g25_sensor(wanted(memory, limit, sensor_ns=NAN)) is not None


def test_a_rise_of_no_number_is_refused(memory, limit):
    memory.trails[1] = Trail()
    assert body_rules.g19_slew(wanted(memory, limit, amplitude_ua=NAN)) is not None


# -- the joint ---------------------------------------------------------------------------------------------------------

MOTOR = JointDeviceLimits("M", 20_000, 1, 30_000, -18_000, 18_000)


@pytest.fixture
def joint_memory(kit, memory):
    found = JointMemory(MOTOR, memory)
    given = JointPrescription(JointRegion.WRIST, "left", -6_300, 6_300, 1_000, "P-1", kit.DAY)
    found.limit = effective_joint_limit(MOTOR, given, None)
    return found


def asked(memory, posture=None, hold=False, **changes):
    now_ns = 1_000 * MS
    fields = {"seq": 1, "stamp_ns": now_ns, "expires_ns": now_ns + 100 * MS, "torque_mnm": 100, "sensor_ns": now_ns}
    fields |= {"angle_cdeg": 0} if hold else {"target_cdeg": 1_000, "speed_cdps": 1_000}
    kind = Hold if hold else Assist
    posture = posture or Posture(now_ns, 0, 0, 0, True)
    return Asked(memory, kind(**(fields | changes)), now_ns, MOTOR, memory.limit, posture)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (joint_rules.j08_torque, {"torque_mnm": NAN}),
        (joint_rules.j09_goal, {"target_cdeg": NAN}),
        (joint_rules.j10_speed, {"speed_cdps": NAN}),
        (joint_rules.j11_posture, {"posture": Posture(NAN, 0, 0, 0, True)}),
        (joint_rules.j12_inside, {"posture": Posture(0, NAN, 0, 0, True)}),
        (joint_rules.j13_torque_rise, {"torque_mnm": NAN}),
        (joint_rules.j17_sensor, {"sensor_ns": NAN}),
        (joint_rules.j18_hold_here, {"hold": True, "angle_cdeg": NAN}),
    ],
)
def test_a_movement_of_no_number_is_refused_by_each_rule(joint_memory, rule, changes):
    assert rule(asked(joint_memory, hold=changes.get("hold", False))) is None
    assert rule(asked(joint_memory, **changes)) is not None


@pytest.mark.parametrize(
    ("rule", "name", "value"),
    [
        (joint_rules.j15_rest, "rest_until_ns", NAN),
        (joint_rules.j16_session_dose, "dose.movements", -1),
        (joint_rules.j16_session_dose, "dose.movements", NAN),
        (joint_rules.j16_session_dose, "dose.moved_ns", -1),
        (joint_rules.j16_session_dose, "dose.moved_ns", NAN),
        (joint_rules.j14_on_time, "moved_from_ns", 1_000 * MS + 1),
        (joint_rules.j14_on_time, "moved_from_ns", NAN),
    ],
)
def test_a_memory_of_motion_that_is_broken_is_refused(joint_memory, rule, name, value):
    joint_memory.moved_from_ns, joint_memory.live = 1_000 * MS, rule is joint_rules.j14_on_time
    assert rule(asked(joint_memory)) is None
    *path, last = name.split(".")
    setattr(getattr(joint_memory, path[0]) if path else joint_memory, last, value)
    assert rule(asked(joint_memory)) is not None


def test_an_assist_is_there_within_five_degrees_and_a_hold_always(joint_memory):
    from safety.joint_memory import way_of

    here = Posture(0, 100, 0, 0, True)
    goals = {-401: -1, -400: 0, 100: 0, 600: 0, 601: 1}
    assert {goal: way_of(asked(joint_memory, target_cdeg=goal).order, here) for goal in goals} == goals
    assert way_of(asked(joint_memory, hold=True, angle_cdeg=2_000).order, here) == 0


# -- what a refusal says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "change", "says"),
    [
        (body_rules.g20_on_time, {"live": True, "burst_from_ns": -12_100 * MS}, "On for 13100 ms; at most 12000 ms"),
        (body_rules.g22_rest, {"rest_until_ns": 1_790 * MS}, "another 790 ms."),
        (body_rules.g31_bursts_a_minute, {"dose.crowded_until_ns": 4_500 * MS}, "20 bursts began within a minute"),
        (body_rules.g31_bursts_a_minute, {"dose.crowded_until_ns": 4_500 * MS}, "may begin in 3500 ms."),
        (body_rules.g32_duty, {"dose.spent_until_ns": 61_000 * MS}, "their 300 s in 600 s of current"),
        (body_rules.g32_duty, {"dose.spent_until_ns": 61_000 * MS}, "may begin in 60000 ms."),
    ],
)
def test_a_refusal_names_its_figures(memory, limit, rule, change, says):
    for name, value in change.items():
        owner, _, field = name.rpartition(".")
        setattr(getattr(memory, owner) if owner else memory, field, value)
    assert says in rule(wanted(memory, limit))


@pytest.mark.parametrize("rule", [body_rules.g31_bursts_a_minute, body_rules.g32_duty, body_rules.g22_rest])
def test_a_rest_is_over_at_its_very_end(memory, limit, rule):
    now_ns = 1_000 * MS
    memory.rest_until_ns = memory.dose.crowded_until_ns = memory.dose.spent_until_ns = now_ns
    assert rule(wanted(memory, limit)) is None
    memory.rest_until_ns = memory.dose.crowded_until_ns = memory.dose.spent_until_ns = now_ns + 1
    assert rule(wanted(memory, limit)) is not None
