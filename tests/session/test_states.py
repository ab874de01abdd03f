"""The session's table, walked from every state."""

import itertools

import pytest

from controller.session.states import ACKNOWLEDGED, STEPS, TRIGGERS, NotPermitted, SessionCourse
from controller.vocabulary.snapshot import SessionState

WAYS = {
    SessionState.IDLE: (),
    SessionState.SCREENING: ("choose",),
    SessionState.FITTING: ("choose", "screened"),
    SessionState.CALIBRATING: ("choose", "screened", "fitted"),
    SessionState.READY: ("choose", "screened", "fitted", "calibrated"),
    SessionState.RUNNING: ("choose", "screened", "fitted", "calibrated", "begin"),
    SessionState.PAUSED: ("choose", "screened", "fitted", "calibrated", "begin", "pause"),
    SessionState.REVIEW: ("choose", "screened", "fitted", "calibrated", "begin", "end"),
    SessionState.TRIPPED: ("trip",),
}
AFTER_TRIP = {
    SessionState.RUNNING: SessionState.READY,
    SessionState.PAUSED: SessionState.READY,
}


def course_at(state: SessionState) -> SessionCourse:
    course = SessionCourse()
    for trigger in WAYS[state]:
        course.apply(trigger)
    assert course.state is state
    return course


def test_a_session_from_end_to_end():
    course = SessionCourse()
    seen = [course.state]
    for trigger in ("choose", "screened", "fitted", "calibrated", "begin", "pause", "resume", "end", "close"):
        seen.append(course.apply(trigger))
    assert [state.value for state in seen] == [
        "idle", "screening", "fitting", "calibrating", "ready", "running", "paused", "running", "review", "idle",
    ]  # fmt: skip


@pytest.mark.parametrize(("state", "trigger"), itertools.product(SessionState, TRIGGERS))
def test_each_state_takes_exactly_the_triggers_of_the_table(state, trigger):
    course = course_at(state)
    held = {step.trigger: step.target for step in STEPS if step.source is state}
    if state is SessionState.TRIPPED:
        held = {"acknowledge": SessionState.IDLE, "trip": SessionState.TRIPPED}
    if trigger in held:
        assert course.apply(trigger) is held[trigger]
        return
    assert trigger not in course.permits
    with pytest.raises(NotPermitted, match=f"not possible while {state.value}"):
        course.apply(trigger)
    assert course.state is state


@pytest.mark.parametrize("state", [state for state in SessionState if state is not SessionState.TRIPPED])
def test_a_trip_is_one_step_away_and_leads_back_to_the_set_up_step_not_completed(state):
    course = course_at(state)
    assert course.apply("trip") is SessionState.TRIPPED
    assert course.permits == {"acknowledge"}
    assert course.apply("trip") is SessionState.TRIPPED
    assert course.resumes_at is AFTER_TRIP.get(state, state)
    assert course.apply("acknowledge") is AFTER_TRIP.get(state, state)
    assert course.state in ACKNOWLEDGED


def test_a_step_back_in_set_up_is_remembered_by_a_trip():
    course = course_at(SessionState.PAUSED)
    course.apply("refit")
    course.apply("trip")
    assert course.apply("acknowledge") is SessionState.FITTING


def test_no_jump_and_no_unknown_trigger():
    course = SessionCourse()
    for trigger in ("to_running", "acknowledge_ready", "", "running", "state"):
        with pytest.raises(NotPermitted):
            course.apply(trigger)
    assert not hasattr(course._model, "to_running")
    with pytest.raises(AttributeError):
        course.state = SessionState.RUNNING


def test_each_state_is_reachable_and_none_is_a_dead_end():
    for state in SessionState:
        assert course_at(state).permits
