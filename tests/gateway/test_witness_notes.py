"""What the guard was asked and told, row by row: nothing is left out, nothing is said twice, and nothing is changed."""

import inspect
from dataclasses import asdict

import pytest

from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.drivers.stimulators.p24 import P24
from controller.gateway.witness import TOLD, WitnessedGuard, _witnessed
from safety.guard import Guard
from safety.interlocks import Conditions
from safety.joint import Assist, Hold, Posture
from safety.orders import ArmScope, Deliver, Purpose, Refused, Renew
from safety.stimulus import Point, Train

pytestmark = pytest.mark.hazard("H42", "H51")

SECOND, AT = 1_000_000_000, 80_000_000_000
GOOD = Conditions(True, True, True, True, "", False, True)
TRAIN = Train(1, (Point(250, 2_000), Point(100, 0), Point(250, -2_000)), 29_000)
TRAIN_ROW = [1, 29_000, 250, 2_000, 100, 0, 250, -2_000]


def order(**changes):
    fields = {"seq": 3, "stamp_ns": AT - 1, "expires_ns": AT + 120, "purpose": Purpose.ASSIST, "trains": (TRAIN,)}
    return Deliver(**(fields | {"press": 0, "sensor_ns": AT - 5} | changes))


@pytest.fixture
def guard():
    return WitnessedGuard(P24.limits, DYNAMIXEL.limits)


def rows(guard):
    batch = guard.rest()
    return [] if batch is None else batch["rows"]


# -- what begins ------------------------------------------------------------------------------------------------------


def test_the_record_begins_with_what_the_guard_is_for(guard):
    assert guard.begun == {"device": asdict(P24.limits), "joint": asdict(DYNAMIXEL.limits)}
    assert WitnessedGuard(P24.limits).begun == {"device": asdict(P24.limits), "joint": None}
    assert guard.rest() is None
    assert guard.take(AT) is None
    assert guard.inside is False


def test_it_is_a_guard_of_that_device(guard):
    assert isinstance(guard, Guard)
    assert guard.limit(1, ArmScope.SESSION) is None
    assert guard.joint_limit() is None
    answer = guard.admit(Hold(1, AT, AT + 1, 0, 1), AT, GOOD)
    assert "fitted" not in answer.reason
    plain = Guard(P24.limits, DYNAMIXEL.limits)
    assert answer == plain.admit(Hold(1, AT, AT + 1, 0, 1), AT, GOOD)


def test_every_method_that_changes_the_guard_is_noted_under_its_own_name():
    public = {name for name, what in inspect.getmembers(Guard, inspect.isfunction) if not name.startswith("_")}
    reads = {"limit", "dose", "lately", "ceilings", "torques", "joint_limit", "admit", "posture"}
    assert set(TOLD) == public - reads
    for name in TOLD:
        noted = getattr(WitnessedGuard, name)
        assert noted is not getattr(Guard, name)
        assert noted.__name__ == name
        assert noted.__doc__ == getattr(Guard, name).__doc__


def test_a_method_is_wrapped_with_its_name_its_text_and_the_names_of_its_arguments(guard):
    noted = _witnessed("press")
    assert (noted.__name__, noted.__doc__) == ("press", Guard.press.__doc__)
    noted(guard, 4, AT)
    assert rows(guard) == [["press", {"number": 4, "now_ns": AT}]]


# -- calls ------------------------------------------------------------------------------------------------------------


def test_a_call_is_noted_with_its_arguments_by_name(guard):
    guard.press(4, AT)
    guard.press(number=5, now_ns=AT + 1)
    guard.press(6, now_ns=AT + 2)
    assert guard.rest() == {
        "t0": AT,
        "rows": [
            ["press", {"number": 4, "now_ns": AT}],
            ["press", {"number": 5, "now_ns": AT + 1}],
            ["press", {"number": 6, "now_ns": AT + 2}],
        ],
    }


def test_a_call_without_a_time_lets_the_batch_begin_where_the_last_one_did(guard):
    guard.meet("SIM1")
    assert guard.rest() == {"t0": 0, "rows": [["meet", guard_meet(guard, "SIM1")]]}
    guard.off(AT)
    guard.off(AT + 7)
    assert guard.rest()["t0"] == AT
    guard.posture(None)
    assert guard.rest() == {"t0": AT, "rows": [["p"]]}


def guard_meet(guard, identity):
    """The one argument of `meet` under its own name."""
    (name,) = list(inspect.signature(Guard.meet).parameters)[1:]
    return {name: identity}


def test_what_a_call_calls_by_itself_is_part_of_it_and_is_done(guard):
    guard.arm(ArmScope.SESSION, AT)
    guard.disarm(AT + 1)
    assert [row[0] for row in rows(guard)] == ["arm", "disarm"]
    assert guard.inside is False
    guard.inside = True
    guard.arm(ArmScope.FITTING, AT)
    assert guard._memory.scope is ArmScope.FITTING
    assert rows(guard) == []


def test_a_call_that_fails_leaves_the_next_one_noted(guard):
    with pytest.raises(TypeError):
        guard.press()
    guard.press(1, AT)
    assert [row[0] for row in rows(guard)] == ["press"]


def test_the_rule_that_refused_a_call_is_noted_and_the_answer_given(guard):
    names = list(inspect.signature(Guard.prescribe).parameters)[1:]
    values = {"patient": "SIM01", "date": "2026-01-05", "channel": 1, "region": "forearm", "pad_area_mm2": 2_500}
    values |= {"ceiling_ua": 20_000, "motor_ua": 8_000, "armed": False}
    given = {name: values[name] for name in names}
    assert guard.prescribe(**given) is None
    answer = guard.prescribe(**(given | {"armed": True}))
    assert isinstance(answer, Refused)
    assert rows(guard) == [["prescribe", given], ["prescribe", given | {"armed": True}, answer.rule]]
    assert guard.limit(1, ArmScope.SESSION).ceiling_ua == 20_000


# -- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_is_noted_relative_to_the_first_of_its_batch_and_so_is_the_refusal(guard):
    answer = guard.admit(order(), AT, GOOD)
    assert answer == Guard(P24.limits, DYNAMIXEL.limits).admit(order(), AT, GOOD)
    assert isinstance(answer, Refused)
    assert guard.rest() == {
        "t0": AT,
        "rows": [
            ["c", GOOD._asdict()],
            ["d", 0, 3, -1, 120, int(Purpose.ASSIST), 0, -5, [TRAIN_ROW]],
            ["x", answer.rule, answer.latches],
        ],
    }


def test_later_orders_count_from_the_same_instant_and_conditions_are_said_once(guard):
    guard.off(AT)
    guard.admit(order(seq=4, press=9, sensor_ns=0), AT + 10, GOOD)
    guard.admit(Renew(5, AT + 11, AT + 130, AT + 3), AT + 12, GOOD)
    guard.admit(Renew(6, AT + 13, AT + 131), AT + 14, GOOD._replace(latched=True))
    found = [row for row in rows(guard) if row[0] != "x"]
    assert found == [
        ["off", {"now_ns": AT}],
        ["c", GOOD._asdict()],
        ["d", 10, 4, -1, 120, 3, 9, None, [TRAIN_ROW]],
        ["r", 12, 5, 11, 130, 3],
        ["c", GOOD._replace(latched=True)._asdict()],
        ["r", 14, 6, 13, 131, None],
    ]
    guard.admit(Renew(7, AT + 13, AT + 131), AT + 20, GOOD._replace(latched=True))
    assert rows(guard)[0][0] == "c"  # each batch can be read by itself


def test_movements_keep_their_times_as_they_were(guard):
    guard.off(AT)
    hold, assist = Hold(1, AT, AT + 9, 1_000, 60), Assist(2, AT, AT + 9, 1_000, 500, 60)
    answers = [guard.admit(one, AT + 5, GOOD) for one in (hold, assist)]
    assert rows(guard)[2:] == [
        ["h", 5, asdict(hold)],
        ["x", answers[0].rule, answers[0].latches],
        ["a", 5, asdict(assist)],
        ["x", answers[1].rule, answers[1].latches],
    ]


def test_an_order_that_is_admitted_has_no_refusal_behind_it(guard):
    off = order(trains=())
    assert not isinstance(guard.admit(off, AT, GOOD), Refused)
    assert rows(guard)[-1][0] == "d"


def test_a_posture_is_noted_and_reaches_the_guard(guard):
    guard.off(AT)
    guard.posture(Posture(AT + 4, 1_200, -300, 45, True))
    assert guard._joint.memory.posture.angle_cdeg == 1_200
    guard.posture(None)
    assert guard._joint.memory.posture.t_ns < 0
    assert rows(guard)[1:] == [["p", 4, 1_200, -300, 45, True], ["p"]]
    guard.posture(Posture(AT + 4, 1_200, -300, 45, True))
    assert guard.rest() == {"t0": AT + 4, "rows": [["p", 0, 1_200, -300, 45, True]]}


# -- batches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "age_ns", "due"),
    [
        (1, 0, False),
        (63, SECOND - 1, False),
        (64, 0, True),
        (65, 0, True),
        (1, SECOND - 1, False),
        (1, SECOND, True),
        (1, SECOND + 1, True),
        (1, -1, True),
    ],
)
def test_a_batch_is_due_with_sixty_four_rows_or_after_a_second_or_when_the_clock_went_back(guard, count, age_ns, due):
    for _ in range(count):
        guard.off(AT)
    batch = guard.take(AT + age_ns)
    assert (batch is not None) is due
    if due:
        assert batch == {"t0": AT, "rows": [["off", {"now_ns": AT}]] * count}
        assert guard.rest() is None
    else:
        assert len(rows(guard)) == count
