"""What must hold whatever is said to a guard, in whatever order: prescriptions, presses, orders, stops, time.

The sequences are drawn as the episodes of the frozen corpus are (`corpus_plans`), from any seed; a judge with figures
of its own looks at what was admitted (`skin_judge`).
"""

from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safety.guard import Guard
from safety.orders import Admitted, Deliver, Refused
from safety.stimulus import Point
from tests.safety.corpus import GOOD, OPENED, answers_of
from tests.safety.corpus_episodes import MOTOR, UNITS
from tests.safety.corpus_plans import episode
from tests.safety.skin_judge import Judge

pytestmark = pytest.mark.hazard("H08", "H12", "H15", "H27", "H31", "H32", "H33", "H34")
SEEDS = st.integers(1_000_000, 1 << 40)
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(seed=SEEDS)
def test_no_sequence_puts_on_skin_or_joint_what_may_not_be_there(seed):
    steps = episode(seed)
    judge = Judge()
    for number, (step, answer) in enumerate(zip(steps, answers_of(steps), strict=True)):
        try:
            judge.hear(step, answer)
        except AssertionError as error:
            raise AssertionError(f"episode({seed}), step {number}: {step}") from error


def test_the_judge_can_see_what_a_guard_lets_through(monkeypatch):
    """For each rule of the body and the pulse that is taken out, some episode is judged wrong."""
    seen = {}
    for rule in ("G11", "G12", "G19", "G22", "G31", "G33", "G34", "G36", "G37", "J09", "J13"):
        monkeypatch.setattr("safety.vetting.TRAIN_RULES", _without("safety.rules", "TRAIN_RULES", rule))
        monkeypatch.setattr("safety.guard.BODY_RULES", _without("safety.rules", "BODY_RULES", rule))
        monkeypatch.setattr("safety.joint_guard.JOINT_RULES", _without("safety.joint_rules", "JOINT_RULES", rule))
        seen[rule] = any(_judged_wrong(seed) for seed in range(1, 300))
    assert [rule for rule, wrong in seen.items() if not wrong] == []


def _without(module, table, rule):
    import importlib

    return tuple(entry for entry in getattr(importlib.import_module(module), table) if entry[0] != rule)


def _judged_wrong(seed):
    steps = episode(seed)
    judge = Judge()
    try:
        for step, answer in zip(steps, answers_of(steps), strict=True):
            judge.hear(step, answer)
    except AssertionError:
        return True
    return False


@FEW
@given(seed=SEEDS, other=SEEDS)
def test_the_same_sequence_has_the_same_answers_whatever_else_the_process_does(seed, other):
    steps = episode(seed)
    first = answers_of(steps)
    answers_of(episode(other))
    assert answers_of(steps) == first
    assert episode(seed) == steps


def said_to(guard, step):
    """One step, played; the answer to an order."""
    name, arguments = step
    if name != "admit":
        getattr(guard, name)(*arguments)
        return None
    order, now_ns, opened = arguments
    conditions = GOOD._replace(**{GOOD._fields[at]: OPENED[at] for at in opened})
    return guard.admit(order, now_ns, conditions)


def played(seed, share):
    """A guard after a part of an episode, and what is still to come."""
    steps = episode(seed)
    _, (unit, joint) = steps[0]
    guard = Guard(UNITS[unit], MOTOR if joint else None)
    until = 1 + (len(steps) - 1) * share // 100
    for step in steps[1:until]:
        said_to(guard, step)
    return guard, steps[until:]


@FEW
@given(seed=SEEDS, share=st.integers(0, 95), less=st.integers(0, 1 << 30))
def test_what_is_admitted_is_admitted_with_any_lower_current(seed, share, less):
    guard, rest = played(seed, share)
    for step in rest[:40]:
        order = step[1][0]
        twin = deepcopy(guard) if step[0] == "admit" and isinstance(order, Deliver) else None
        answer = said_to(guard, step)
        if twin is None or not isinstance(answer, Admitted) or not order.trains:
            continue
        gentler = tuple(_lower(train, twin._memory.device.amplitude_step_ua, less) for train in order.trains)
        again = said_to(twin, ("admit", (_with(order, gentler), *step[1][1:])))
        assert isinstance(again, Admitted), again


def _lower(train, grid_ua, less):
    """The same pulse with any lower amplitude on the unit's grid; its shape stays."""
    most = max((abs(point.current_ua) for point in train.points), default=0)
    alike = all(abs(point.current_ua) in (0, most) for point in train.points)
    now_ua = less % (most // grid_ua + 1) * grid_ua if alike else 0
    points = [Point(p.duration_us, now_ua * ((p.current_ua > 0) - (p.current_ua < 0))) for p in train.points]
    return train._replace(points=tuple(points))


def _with(order, trains):
    fields = {name: getattr(order, name) for name in order.__slots__}
    return Deliver(**(fields | {"trains": trains}))


@FEW
@given(seed=SEEDS, share=st.integers(0, 100))
def test_off_is_total_and_may_be_repeated_in_every_state(seed, share):
    guard, _ = played(seed, share)
    now_ns = guard._memory.last_now_ns + 1
    ordered = deepcopy(guard)
    closed = GOOD._replace(**dict(zip(GOOD._fields, OPENED, strict=True)))
    for order in (Deliver(-1, 5, 0, None, ()), Deliver(True, None, 0.5, 9, episode_off())):
        assert isinstance(ordered.admit(order, now_ns, closed), Admitted)
        assert not ordered.delivering
    for off in ("off_stimulation", "off_joint", "off", "disarm"):
        getattr(guard, off)(now_ns)
    assert not guard.delivering
    assert not guard.moving
    before = books(guard)
    for off in ("off", "disarm", "off_stimulation", "off_joint"):
        getattr(guard, off)(now_ns + 50)
        assert books(guard) == before
    assert guard._memory.trails == {}
    assert guard._joint.memory.torque.amount == 0
    assert guard._memory.scope is None


def episode_off():
    from safety.stimulus import biphasic

    return (biphasic(99, 0, 200, 0, 1), biphasic(99, 0, 200, 0, 1))


def books(guard):
    dose, moved = guard._memory.dose, guard._joint.memory.dose
    rests = guard.rest_until_ns, guard.joint_rest_until_ns
    return rests, dose.bursts, dose.on_ns, moved.movements, moved.moved_ns


@FEW
@given(seed=SEEDS, share=st.integers(0, 100))
def test_nothing_flows_or_moves_again_before_a_person_arms(seed, share):
    guard, rest = played(seed, share)
    guard.disarm(guard._memory.last_now_ns + 1)
    for step in rest:
        if step[0] == "arm":
            continue
        answer = said_to(guard, step)
        assert not guard.delivering
        assert not guard.moving
        if isinstance(answer, Admitted):
            assert not any(train.amplitude_ua for train in answer.trains)


RESTS = {"G21", "G22", "G31", "G32", "J15", "J19", "J22"}


@FEW
@given(seed=SEEDS)
def test_what_is_only_said_never_latches_and_of_orders_only_a_rest_does_not(seed):
    steps = episode(seed)
    guard = Guard(UNITS[0])
    serial = 0
    for name, arguments in steps:
        if name == "new":
            guard = Guard(UNITS[arguments[0]], MOTOR if arguments[1] else None)
            continue
        answer = said_to(guard, (name, arguments)) if name == "admit" else getattr(guard, name)(*arguments)
        if isinstance(answer, Refused):
            assert answer.latches is (name == "admit" and answer.rule not in RESTS)
            assert len(answer.reason) > 10
            assert answer.reason.endswith((".", "!"))
        elif name == "admit":
            serial += 1
            assert (answer.serial, answer.order, answer.admitted_ns) == (serial, arguments[0], arguments[1])
