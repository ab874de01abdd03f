"""Phases at work: the table, its guards, and the time of a step against a control."""

import time
from itertools import pairwise

import pytest

from controller.session.activity import CHANGES_MAX, NEVER_NS, STOPPED, Activity, Seen, table
from controller.session.loader import load
from controller.session.resolve import resolve

SECOND = 1_000_000_000
STILL = Seen(quiet_ns=2 * SECOND, angle_deg=0.0, speed_dps=0.0)


@pytest.fixture
def resolved(protocols):
    return resolve(load(protocols / "wrist_extension_cued.yaml"), {"extensors": 20_000})


@pytest.fixture
def activity(resolved):
    return Activity(resolved)


def at(activity: Activity, phase: str) -> int:
    """Bring the cued activity to a phase; returns the time."""
    now = 0
    activity.start(now)
    route = {
        "rest": [], "cue": [4], "assist": [4, "attempt"], "hold": [4, "attempt", 5], "missed": [4, 6],
        "release": [4, "attempt", 5],
    }[phase]  # fmt: skip
    for leg in route:
        now += SECOND * leg if isinstance(leg, int) else 1
        activity.step(now, STILL._replace(attempt=leg == "attempt"))
    return now


def test_a_whole_repetition_in_order_and_with_its_reasons(activity):
    assert (activity.phase, activity.plan.stimulate) == (STOPPED, ())
    assert activity.start(0).entered == "rest"
    assert activity.start(0) is None
    assert activity.step(4 * SECOND - 1, STILL) == []
    changes = activity.step(4 * SECOND, STILL)
    changes += activity.step(5 * SECOND, STILL._replace(attempt=True))
    assert activity.plan.stimulate == (("extensors", 1000),)
    changes += activity.step(6 * SECOND, STILL._replace(angle_deg=30.0))
    assert activity.plan.stimulate == (("extensors", 800),)
    changes += activity.step(8 * SECOND, STILL)
    assert [(change.left, change.entered, change.because) for change in changes] == [
        ("rest", "cue", "done"),
        ("cue", "assist", "attempt"),
        ("assist", "hold", "angle >= 30 deg"),
        ("hold", "release", "after 2 s"),
        ("release", "rest", "done"),
    ]
    assert [change.counts for change in changes] == ["", "", "", "repetition", ""]


def test_no_attempt_is_a_miss(activity):
    now = at(activity, "cue")
    assert activity.step(now + 6 * SECOND - 1, STILL) == []
    (change,) = activity.step(now + 6 * SECOND, STILL)
    assert (change.entered, change.counts, activity.plan.prompt) == ("missed", "missed", "Almost. Again!")


def test_rest_lasts_until_the_limb_is_quiet(activity):
    activity.start(0)
    assert activity.step(9 * SECOND, STILL._replace(quiet_ns=SECOND - 1)) == []
    assert activity.step(9 * SECOND, STILL._replace(quiet_ns=SECOND))[0].entered == "cue"


def test_the_cue_waits_for_the_guards_rest_and_an_attempt_before_it_is_not_kept(activity):
    activity.start(0)
    held = STILL._replace(may_stimulate=False)
    assert activity.step(5 * SECOND, held) == []
    assert activity.step(6 * SECOND, STILL)[0].entered == "cue"
    assert activity.step(7 * SECOND, held._replace(attempt=True)) == []
    assert activity.step(8 * SECOND, STILL) == []
    assert activity.step(9 * SECOND, STILL._replace(attempt=True))[0].entered == "assist"


def test_current_is_never_held_on_by_the_guards_rest(activity):
    now = at(activity, "assist")
    assert activity.step(now + 5 * SECOND, STILL._replace(may_stimulate=False))[0].entered == "hold"


def test_deadlines_lie_always_ahead_of_the_last_step(activity):
    assert activity.due_ns == NEVER_NS
    activity.start(100)
    assert activity.due_ns == 100 + 4 * SECOND
    activity.step(100 + 4 * SECOND, STILL._replace(quiet_ns=0))
    assert activity.due_ns == NEVER_NS
    activity.step(200 + 4 * SECOND, STILL)
    assert activity.due_ns == 200 + 4 * SECOND + 6 * SECOND


def test_what_is_not_measured_opens_no_way(activity):
    now = at(activity, "assist")
    assert activity.step(now + 1, Seen()) == []
    assert activity.step(now + 2, Seen(angle_deg=float("inf")))[0].entered == "hold"


@pytest.mark.parametrize("name", ["wrist_extension_cued", "wrist_extension_self_paced", "bench_proportional"])
def test_from_every_state_stop_is_one_step_away(protocols, name):
    resolved = resolve(load(protocols / f"{name}.yaml"), {})
    activity = Activity(resolved)
    states = set(activity._machine.states)
    assert states == {phase.name for phase in resolved.phases} | {STOPPED}
    stops = {row["source"]: row["dest"] for row in table(resolved) if row["trigger"] == "stop"}
    assert stops == dict.fromkeys(states - {STOPPED}, STOPPED)
    for state in states - {STOPPED}:
        runs = Activity(resolved)
        runs._machine.set_state(state)
        runs._row = runs._rows[state]
        assert runs.stop(7).entered == STOPPED
        assert (runs.phase, runs.plan.stimulate, runs.due_ns) == (STOPPED, (), NEVER_NS)
        assert runs.stop(8) is None
        assert runs.step(9, STILL._replace(attempt=True, touch=True, button=True, angle_deg=90.0)) == []
        assert runs.start(10).entered == resolved.phases[0].name


def test_nothing_jumps_into_a_phase(activity):
    assert not [name for name in dir(activity._course) if name.startswith("to_")]
    with pytest.raises(AttributeError):
        activity.phase = "assist"


def test_the_plan_is_a_function_of_the_phase(resolved):
    for phase in ("rest", "cue", "assist", "missed"):
        fresh = Activity(resolved)
        at(fresh, phase)
        assert fresh.phase == fresh.plan.phase == phase
        assert fresh.plan.stimulates == (phase == "assist")
        assert fresh.plan.is_cue == fresh.plan.wants_attempt == (phase == "cue")


@pytest.fixture
def with_ways(changed, load_text):
    """The cued activity with other ways out of its cue."""

    def build(ways: str) -> Activity:
        text = changed("{attempt: assist, after 6 s: missed}", ways)
        activity = Activity(resolve(load_text(text), {"extensors": 20_000}))
        activity.start(0)
        activity.step(4 * SECOND, Seen(quiet_ns=SECOND))
        assert activity.phase == "cue"
        return activity

    return build


@pytest.mark.parametrize(
    ("ways", "seen", "entered"),
    [
        ("touch", STILL._replace(touch=True), "assist"),
        ("touch", STILL, None),
        ("button", STILL._replace(button=True), "assist"),
        ("speed < 5 deg/s", STILL._replace(speed_dps=5.0), None),
        ("speed < 5 deg/s", STILL._replace(speed_dps=4.9), "assist"),
        ("speed <= 5 deg/s", STILL._replace(speed_dps=5.0), "assist"),
        ("load > 10 N", STILL._replace(load_n=10.0), None),
        ("load > 10 N", STILL._replace(load_n=10.1), "assist"),
        ("angle > -5 deg", STILL._replace(angle_deg=-5.0), None),
        ("angle > -5 deg", STILL._replace(angle_deg=-4.9), "assist"),
        ("quiet 3 s", STILL, None),
        ("quiet 2 s", STILL, "assist"),
        ("attempt and angle >= 10 deg", STILL._replace(attempt=True), None),
        ("attempt and angle >= 10 deg", STILL._replace(attempt=True, angle_deg=10.0), "assist"),
        ("touch and button or speed > 9 deg/s", STILL._replace(speed_dps=10.0), "assist"),
        ("touch and button or speed > 9 deg/s", STILL._replace(touch=True), None),
    ],
)
def test_each_kind_of_condition(with_ways, ways, seen, entered):
    activity = with_ways(f'{{"{ways}": assist, after 6 s: missed}}')
    changes = activity.step(5 * SECOND, seen)
    assert [change.entered for change in changes] == ([entered] if entered else [])


def test_an_attempt_is_remembered_until_the_phase_ends_and_no_longer(with_ways):
    activity = with_ways('{"attempt and angle >= 10 deg": assist, after 6 s: missed}')
    assert activity.step(5 * SECOND, STILL._replace(attempt=True)) == []
    assert activity.step(5 * SECOND + 1, STILL._replace(angle_deg=12.0))[0].entered == "assist"
    again = with_ways('{"attempt and angle >= 10 deg": assist, after 6 s: missed}')
    again.step(5 * SECOND, STILL._replace(attempt=True))
    again.step(10 * SECOND, STILL)
    again.step(14 * SECOND, STILL)
    again.step(18 * SECOND, STILL)
    assert again.phase == "cue"
    assert again.step(19 * SECOND, STILL._replace(angle_deg=12.0)) == []


def test_changes_in_one_step_are_bounded(changed, load_text):
    chain = "".join(f"      q{n}:\n        then: q{n + 1}\n" for n in range(9)) + "      q9:\n        then: rest\n"
    text = changed("after 6 s: missed", "after 6 s: q0").replace("      missed:\n", chain + "      missed:\n")
    text = text.replace("attempt: assist", "attempt: assist, touch: missed")
    activity = Activity(resolve(load_text(text), {}))
    activity.start(0)
    activity.step(4 * SECOND, STILL)
    seen = [change.entered for change in activity.step(10 * SECOND, STILL)]
    assert seen == ["q0", "q1", "q2", "q3"]
    assert len(seen) == CHANGES_MAX
    assert activity.step(10 * SECOND, STILL)[0].entered == "q4"


def test_a_step_without_a_change_costs_little(activity):
    """Against a control of the same run: making a Seen and calling a function, ten times over."""
    at(activity, "cue")
    seen = STILL._replace(quiet_ns=0)
    now = activity.entered_ns

    def control() -> None:
        for _ in range(10):
            len(seen._replace(attempt=False))

    def ours() -> None:
        activity.step(now, seen)

    times = {work: min(_timed(work) for _ in range(7)) for work in (control, ours)}
    print(f"step without a change: {times[ours] * 1e6:.2f} us, control {times[control] * 1e6:.2f} us")
    assert times[ours] < times[control]


def _timed(work) -> float:
    began = time.perf_counter()
    for _ in range(2000):
        work()
    return (time.perf_counter() - began) / 2000


def test_the_bench_activity_follows_and_rests(protocols):
    activity = Activity(resolve(load(protocols / "bench_proportional.yaml"), {"extensors": 20_000}))
    activity.start(0)
    assert activity.step(1, Seen(angle_deg=0.9)) == []
    assert activity.step(2, Seen(angle_deg=5.0, may_stimulate=False)) == []
    assert activity.step(3, Seen(angle_deg=5.0))[0].entered == "follow"
    assert activity.plan.stimulates
    assert [change.entered for change in activity.step(4, Seen(angle_deg=0.4))] == ["counted", "rest"]
    activity.step(5, Seen(angle_deg=5.0))
    assert [change.entered for change in activity.step(5 + 9 * SECOND, Seen(angle_deg=5.0, may_stimulate=False))] == [
        "counted", "rest",
    ]  # fmt: skip


def test_every_step_of_a_long_run_follows_an_edge_of_the_table(resolved):
    activity = Activity(resolved)
    edges = {(row["source"], row["dest"]) for row in table(resolved)}
    changes = [activity.start(0)]
    now = 0
    for number in range(20_000):
        now += 37_000_000
        seen = Seen(
            attempt=number % 29 == 0, angle_deg=float(number * 7 % 50), quiet_ns=number % 13 * SECOND // 4,
            may_stimulate=number % 5 != 0,
        )  # fmt: skip
        changes += activity.step(now, seen)
    assert all((change.left, change.entered) in edges for change in changes)
    assert all(before.entered == after.left for before, after in pairwise(changes))
    assert sum(change.counts == "repetition" for change in changes) > 10
