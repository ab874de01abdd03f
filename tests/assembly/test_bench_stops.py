"""What `bench stop` makes of a trial's log: how long it went on, what began again, and which figure a case is about."""

import pytest

from controller.assembly.bench.stops import CASES, Outcome, _last, _summary

pytestmark = pytest.mark.hazard("H18")

MS = 1_000_000
FAULT_NS = 10_000 * MS


def run(start_ms, end_ms):
    """A run of pulses or torque, in ms from the fault."""
    return {"t_start_ns": FAULT_NS + start_ms * MS, "t_end_ns": FAULT_NS + end_ms * MS}


def test_the_figure_is_the_end_of_what_flowed_at_the_fault():
    assert _last([run(-900, -400), run(-400, 30)], FAULT_NS) == (30.0, 0)
    assert _last([run(-900, -20)], FAULT_NS) == (0.0, 0)  # the last pulse came just before it
    assert _last([run(-400, 30), run(40, 300)], FAULT_NS) == (300.0, 0)  # no pause: it has not ended yet


def test_what_begins_after_half_a_second_of_quiet_is_a_restart_and_no_later_end():
    assert _last([run(700, 900), run(-400, 30), run(1_000, 1_100)], FAULT_NS) == (30.0, 2)


def test_a_trial_in_which_nothing_flowed_at_the_fault_does_not_count():
    assert _last([], FAULT_NS) is None
    assert _last([run(-900, -61), run(5, 9)], FAULT_NS) is None


@pytest.mark.parametrize(
    ("current_ms", "torque_ms", "in_time"), [(240.0, 100.0, True), (251.0, 100.0, False), (1.0, 161.0, False)]
)
def test_with_an_orthosis_the_figure_is_the_torque_and_both_have_to_be_in_time(current_ms, torque_ms, in_time):
    tried = [Outcome(current_ms, 0, True, True, "", torque_ms), Outcome(0.0, 0, True, False, "never flowed")]
    summary = _summary(CASES["orthosis_unplugged"], tried)
    assert (summary["n"], summary["max_ms"], summary["current_max_ms"]) == (1, torque_ms, current_ms)
    assert summary["in_time"] is in_time
    assert (summary["within_ms"], summary["not_begun"], summary["restarts"]) == (160.0, 1, 0)


def test_without_one_the_figure_is_the_current():
    summary = _summary(CASES["f12"], [Outcome(3.0, 0, True, True, ""), Outcome(5.0, 0, True, True, "")])
    assert (summary["median_ms"], summary["max_ms"], summary["in_time"]) == (4.0, 5.0, True)
    assert not [name for name in summary if name.startswith("current")]
