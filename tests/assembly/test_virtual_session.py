"""A whole session on the virtual clock: the same seed gives the same bytes, and stimulation never triggers itself."""

import json

import pytest

from controller.assembly.demo import DemoPlan
from controller.assembly.results import collect, skin_totals
from controller.record.motion_rows import read_motion
from controller.record.training_log import training_log
from controller.record.verify import verify
from controller.session.loader import load

pytestmark = pytest.mark.hazard("H09", "H27")

QUIET_DPS = 5.0
WINDOW_S = 6.0


def test_a_session_comes_to_its_end_with_whole_records(session):
    found = verify(session.folder)
    assert found.ok, found.faults
    assert found.ended == "normal"
    assert found.gateway_events > 10
    assert session.tally["completed"] == 5
    assert session.tally["refused"] == 0
    assert not [event for event in session.gateway if event.kind in ("refused", "latched")][1:]
    assert len(training_log(session.folder).rows) == session.tally["completed"] + session.tally["missed"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(kit, session, tmp_path):
    again = kit.Seen(DemoPlan(repetitions=5, seed=1), tmp_path / "again")
    other = kit.Seen(DemoPlan(repetitions=5, seed=2), tmp_path / "other")
    for name in ("events.jsonl", "gateway.jsonl", "trials.tsv"):
        assert (again.folder / name).read_bytes() == (session.folder / name).read_bytes()
    assert again.run.trains == session.run.trains
    assert (other.folder / "events.jsonl").read_bytes() != (session.folder / "events.jsonl").read_bytes()
    assert other.tally["completed"] == 5


def test_every_attempt_is_a_trigger_and_every_trigger_is_helped(session):
    attempts, bursts = session.of("attempt_started"), session.of("burst_started")
    assisted = [burst for burst in bursts if burst.data.get("written_ns")]
    assert len(attempts) == session.tally["attempts"] == session.tally["assisted"] == len(assisted)
    assert session.tally["assisted"] == session.tally["completed"]
    for attempt, burst in zip(attempts, assisted, strict=True):
        assert attempt.data["value_dps"] >= attempt.data["threshold_dps"] >= QUIET_DPS
        assert attempt.data["crossed_ns"] < attempt.t_ns <= burst.t_ns


def test_every_trigger_follows_a_cue_and_a_quiet_limb(kit, session):
    """From the raw motion in the record, not from the detector's own word."""
    start_ns = session.run.assembly.engine.started_ns
    cues_ns = [cue_ns - start_ns for cue_ns in session.cues_ns]
    for attempt in session.of("attempt_started"):
        crossed_ns = attempt.data["crossed_ns"]
        before = [cue_ns for cue_ns in cues_ns if cue_ns <= crossed_ns]
        assert before
        assert attempt.t_ns - before[-1] <= (WINDOW_S + 0.2) * kit.SECOND
        still = [speed for t_ns, speed in motion(session) if crossed_ns - 600 * kit.MS <= t_ns < crossed_ns]
        assert len(still) > 30
        quiet_ms = 10 * max(len(run) for run in quiet_runs(still))
        assert quiet_ms >= 400


def quiet_runs(speeds):
    run = []
    for speed in speeds:
        if speed < QUIET_DPS:
            run.append(speed)
        else:
            yield run
            run = []
    yield run


def motion(session):
    """The record's motion rows: (time in the session in ns, filtered speed in deg/s)."""
    names, rows = read_motion(session.folder, "puck")
    return [(round(row[0] * 1e9), row[names.index("speed")]) for row in rows]


def test_no_trigger_comes_during_or_soon_after_current(kit, session):
    start_ns = session.run.assembly.engine.started_ns
    ends_ns = [train["t_end_ns"] - start_ns for train in session.trains]
    starts_ns = [train["t_start_ns"] - start_ns for train in session.trains]
    for attempt in session.of("attempt_started"):
        crossed_ns = attempt.data["crossed_ns"]
        past = [end for start, end in zip(starts_ns, ends_ns, strict=True) if start <= crossed_ns]
        assert not past or max(past) + kit.SECOND <= crossed_ns


def test_the_limb_is_moved_by_current_far_faster_than_by_the_attempt(session):
    """Else the test above would prove nothing: there is something to be blind to."""
    peaks = [row.peak_dps for row in training_log(session.folder).rows if row.peak_dps]
    fastest = max(speed for _, speed in motion(session))
    assert fastest > 3 * sorted(peaks)[len(peaks) // 2]


def test_no_current_before_the_first_attempt_but_that_of_fitting(session):
    start_ns = session.run.assembly.engine.started_ns
    fitted_ns = next(event.t_ns for event in session.of("session") if event.data["to"] == "calibrating")
    first_ns = session.of("attempt_started")[0].t_ns
    between = [t for t in session.trains if fitted_ns < t["t_start_ns"] - start_ns < first_ns]
    assert between == []


def test_the_twin_never_had_more_than_the_ceiling_of_today(session):
    resolved = session.of("resolved")[-1].data
    ceiling_ua = resolved["channels"][0]["ceiling_ua"]
    begun_ns = session.run.assembly.engine.started_ns + session.of("resolved")[-1].t_ns
    in_session = [train for train in session.trains if train["t_start_ns"] > begun_ns]
    assert in_session
    assert max(train["amplitude_ua"] for train in in_session) <= ceiling_ua


def test_the_result_is_read_from_record_and_twin(session):
    result = collect(session.folder, session.run.trains, real_time=False)
    assert (result.attempts, result.triggers, result.completed) == (5, 5, 5)
    assert result.latency_ms is None
    assert result.ended == "normal"
    assert (result.pulses, result.charge_uc) == (
        session.run.world.stimulator.twin.pulses,
        round(skin_totals(session.run.trains)[1], 3),
    )
    assert list(result.trigger_times_s) == sorted(result.trigger_times_s)
    assert json.dumps(result.as_dict())


@pytest.mark.parametrize("seed", [3, 4])
def test_other_patients_get_through_as_well(kit, tmp_path, seed):
    seen = kit.Seen(DemoPlan(repetitions=3, seed=seed), tmp_path)
    assert seen.tally["completed"] == 3
    assert seen.tally["refused"] == 0
    assert seen.tally["attempts"] == seen.tally["assisted"]
    assert verify(seen.folder).ok


def test_the_protocol_in_the_record_is_the_file_byte_for_byte(session):
    from controller.assembly.protocols import CUED, shipped

    kept = [path for path in session.folder.iterdir() if path.suffix == ".yaml"]
    assert [path.read_bytes() for path in kept] == [shipped(CUED).read_bytes()]
    assert load(kept[0]).sha256 == session.events[0].data["protocol_sha256"]
