"""The strip chart's drawing: the newest point at the right, the threshold in its row, nothing lost between columns."""

import pytest

from controller.tui.widgets.trace import POINTS_MAX, WINDOW_MS, Trace, top_of_scale
from controller.vocabulary.snapshot import MotionPoint

WIDTH, HEIGHT = 50, 10


def trace_of(speeds: dict[int, float]) -> Trace:
    trace = Trace()
    trace.extend(MotionPoint(t_ms, speed, 0.0) for t_ms, speed in speeds.items())
    return trace


def inked(picture, row: int) -> list[int]:
    return [column for column, cell in enumerate(picture.rows[row]) if 0x2800 < ord(cell) <= 0x28FF]


def test_scale_stands_still_at_four_times_the_threshold():
    assert top_of_scale(10.0, 0.0) == top_of_scale(10.0, 900.0) == 40.0
    assert top_of_scale(0.0, 33.0) == 40.0
    assert top_of_scale(5000.0, 0.0) == 2000.0


def test_nothing_yet_shows_the_threshold_line_alone():
    picture = Trace().draw(WIDTH, HEIGHT, 10.0)
    assert picture.rows[picture.threshold_row] == "╌" * WIDTH
    assert all(row.strip() == "" for index, row in enumerate(picture.rows) if index != picture.threshold_row)


def test_without_a_threshold_there_is_no_line():
    picture = trace_of({0: 1.0}).draw(WIDTH, HEIGHT, 0.0)
    assert picture.threshold_row == -1
    assert all("╌" not in row for row in picture.rows)


def test_newest_is_at_the_right_and_older_than_the_window_is_gone():
    picture = trace_of({0: 39.0, WINDOW_MS + 500: 0.0}).draw(WIDTH, HEIGHT, 10.0)
    assert inked(picture, 0) == []
    assert inked(picture, HEIGHT - 1) == [WIDTH - 1]


def test_a_single_fast_sample_is_drawn_even_where_many_share_a_column():
    speeds = dict.fromkeys(range(0, WINDOW_MS, 2), 0.0) | {5000: 39.9}
    picture = trace_of(dict(sorted(speeds.items()))).draw(WIDTH, HEIGHT, 10.0)
    assert len(inked(picture, 0)) == 1


def test_above_the_threshold_looks_different():
    speeds = {t_ms: (35.0 if t_ms > 5000 else 1.0) for t_ms in range(0, WINDOW_MS, 10)}
    picture = trace_of(speeds).draw(WIDTH, HEIGHT, 10.0)
    assert set("".join(picture.looks)) == {" ", "t", "a", "l"}
    assert all("t" not in look for look in picture.looks[: picture.threshold_row + 1])


def test_off_the_scale_stays_on_the_top_row():
    picture = trace_of({9990: 0.0, 10_000: 1e6}).draw(WIDTH, HEIGHT, 10.0)
    assert inked(picture, 0) == [WIDTH - 1]


def test_points_in_one_go_or_one_by_one_give_the_same_picture():
    speeds = {t_ms: float(t_ms % 370) / 10 for t_ms in range(0, 14_000, 10)}
    at_once = trace_of(speeds)
    slowly = Trace()
    for t_ms, speed in speeds.items():
        slowly.extend([MotionPoint(t_ms, speed, 0.0)])
        slowly.draw(WIDTH, HEIGHT, 10.0)
    assert slowly.draw(WIDTH, HEIGHT, 10.0) == at_once.draw(WIDTH, HEIGHT, 10.0)


def test_another_width_draws_the_same_points_anew():
    trace = trace_of(dict.fromkeys(range(0, WINDOW_MS, 10), 20.0))
    trace.draw(WIDTH, HEIGHT, 10.0)
    wide = trace.draw(2 * WIDTH, HEIGHT, 10.0)
    assert all(len(row) == 2 * WIDTH for row in wide.rows)
    assert max(len(inked(wide, row)) for row in range(HEIGHT)) == 2 * WIDTH


def test_time_that_runs_backwards_starts_afresh():
    trace = trace_of(dict.fromkeys(range(0, WINDOW_MS, 10), 39.0))
    trace.extend([MotionPoint(0, 0.0, 0.0)])
    assert inked(trace.draw(WIDTH, HEIGHT, 10.0), 0) == []


def test_memory_is_bounded():
    trace = trace_of(dict.fromkeys(range(POINTS_MAX * 2), 1.0))
    trace.draw(WIDTH, HEIGHT, 10.0)
    assert len(trace._points) == POINTS_MAX
    assert len(trace._bins) <= 2 * WIDTH


@pytest.mark.parametrize("speed_dps", [float("nan"), float("inf")])
def test_a_speed_that_nobody_knows_is_a_gap_and_no_end_of_the_screen(speed_dps):
    trace = Trace()
    trace.extend([MotionPoint(0, 3.0, 0.0), MotionPoint(1_000, speed_dps, 0.0), MotionPoint(2_000, 4.0, 0.0)])
    assert trace.newest_ms == 2_000
    assert trace.draw(60, 10, 5.0).rows
    unknown = Trace()
    unknown.extend([MotionPoint(0, speed_dps, 0.0)])
    assert unknown.draw(60, 10, 0.0).rows
