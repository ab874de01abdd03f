"""Ways to stop a real session, from outside: command line, signals, the world's input, and the twin's log."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sweeps.black_box import GAP_NS, MS, WAYS, Told, judge, trial

pytestmark = pytest.mark.hazard("H01", "H02", "H03", "H18", "H29", "H30")
QUICK = ("stimloop stop", "gateway SIGTERM", "gateway SIGKILL", "engine SIGKILL", "front SIGKILL", "F12")
TRIES = 3
ACT_NS = 10_000 * MS


@pytest.fixture(scope="module")
def told():
    """name -> what came of it; side by side, since most of each is waiting."""
    with ThreadPoolExecutor(len(QUICK)) as pool:
        return dict(zip(QUICK, pool.map(trial, QUICK), strict=True))


@pytest.mark.parametrize("name", QUICK)
def test_current_ends_in_time_and_nothing_starts_without_a_person(told, name, record_property):
    found = told[name]
    for seed in range(2, 2 + TRIES):
        if found.begun:
            break
        found = trial(name, seed)  # a machine without time to spare had stopped it before the act
    record_property("last_pulse_ms", found.last_ms)
    print(f"{name}: last pulse after {found.last_ms} ms ({found.within_ms:.0f} ms promised)")
    assert found.begun, found
    assert found.last_ms <= found.within_ms, found
    assert not found.unarmed, found
    assert found.verified, found
    assert found.left == [], found


def test_every_way_of_the_page_has_a_trial():
    named = " ".join(WAYS)
    for way in ("F12", "stimloop stop", "SIGTERM", "SIGINT", "SIGHUP", "SIGKILL", "SIGSTOP", "terminal closed"):
        assert way in named
    assert {"unit unplugged", "puck unplugged"} <= set(WAYS)


# -- the judge can say no ----------------------------------------------------------------------------------------------


def run(start_ms, end_ms):
    """A train, in ms from the act."""
    return {"t_start_ns": ACT_NS + start_ms * MS, "t_end_ns": ACT_NS + end_ms * MS}


def judged(trains, armed_ms):
    told = Told("a way", within_ms=250.0, verified=True)
    judge(told, trains, [ACT_NS + ms * MS for ms in armed_ms], ACT_NS, ACT_NS)
    return told


def test_a_clean_stop_is_good():
    found = judged([run(-900, -400), run(-390, 120)], [-2_000])
    assert (found.good, found.last_ms) == (True, 120.0)


def test_a_pulse_too_late_is_not():
    assert not judged([run(-900, 251)], [-2_000]).good


def test_current_that_comes_back_by_itself_is_not():
    found = judged([run(-900, 20), run(1_500, 1_600)], [-2_000])
    assert (found.good, found.unarmed) == (False, 1)


def test_current_after_a_person_armed_again_is_theirs():
    found = judged([run(-900, 20), run(1_500, 1_600)], [-2_000, 1_400])
    assert (found.good, found.last_ms) == (True, 20.0)


def test_current_before_anybody_armed_is_not():
    assert judged([run(-900, 20)], [-800]).unarmed == 1


def test_a_trial_in_which_nothing_flowed_shows_nothing():
    assert not judged([run(-900, -2 * GAP_NS // MS)], [-2_000]).begun
