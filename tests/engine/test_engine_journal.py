"""What the engine writes down: the journal's events, the samples, the stages of the latency."""

from controller.engine import ports
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState

MS = 1_000_000


def test_the_journal_tells_the_session_from_choice_to_end(kit):
    bench = kit.Bench().to_current()
    bench.reach(0.0)
    bench.run(500)
    bench.intend(intents.Note("pad moved 1 cm"))
    bench.intend(intents.EndSession())
    assert bench.core.state is SessionState.REVIEW
    steps = [data["to"] for data in bench.event("session")]
    assert steps == ["screening", "fitting", "calibrating", "ready", "running", "review"]
    assert [data["level"] for data in bench.event("level_marked")] == ["sensory", "motor", "tolerance"]
    assert bench.event("calibrated")[0]["threshold_dps"] >= 5.0
    assert bench.event("resolved")
    assert {"burst_started", "burst_ended", "phase", "note"} <= set(bench.kinds())
    assert bench.event("tally")[-1]["completed"] == 1
    assert [trial.outcome for trial in bench.journal.trials] == ["completed"]
    assert bench.journal.ended == ["normal"]
    synced = {kind for _, kind, _, sync in bench.journal.events if sync}
    assert {"session", "level_marked", "calibrated", "resolved", "tally"} <= synced
    times = [t_ns for t_ns, *_ in bench.journal.events]
    assert times == sorted(times)


def test_every_sample_is_in_the_record(running):
    before, since = len(running.journal.rows), running.now_ns
    running.run(1_000)
    rows = running.journal.rows[before:]
    assert len(rows) == 100
    assert all(puck == "puck" and t_ns > since and len(row) == 8 for puck, t_ns, row in rows)


def test_the_stages_of_the_latency_start_at_the_crossing_and_rise(kit):
    bench = kit.Bench(kit.CUED, calibration_attempts=0).to_running()
    for _ in range(100):
        bench.run(100)
        if bench.core.training.activity.phase == "cue":
            break
    bench.run(300)
    began_ns = bench.now_ns
    bench.speed_dps = 40.0
    bench.run(300)
    assert bench.on
    (attempt,), stages = bench.event("attempt_started"), bench.event("burst_started")[-1]
    crossed_ns = attempt["crossed_ns"] + bench.core.started_ns
    assert began_ns < crossed_ns < began_ns + 100 * MS
    assert attempt["value_dps"] >= attempt["threshold_dps"]
    # dwell of 50 ms, then engine and gateway
    assert 50 * MS <= stages["detected_ns"] <= 50 * MS + 2 * 10 * MS
    assert stages["detected_ns"] <= stages["received_ns"] < stages["admitted_ns"] < stages["written_ns"]
    assert bench.core.training.trials.latency_ms == round(stages["written_ns"] / MS, 2)


def test_intents_out_of_season_change_nothing(bench):
    bench.to_fitting()
    before = bench.core.state
    for wish in (
        intents.Begin(),
        intents.Pause(),
        intents.Resume(),
        intents.AcceptCalibration(),
        intents.CalibrateRest(),
        intents.FittingDone(),
        intents.ChoosePatient("SIM02"),
        intents.Acknowledge("all well"),
    ):
        bench.intend(wish)
    assert bench.core.state is before
    assert bench.core.patient == "SIM01"


def test_a_patient_who_does_not_pass_the_screening_gets_no_fitting(bench):
    bench.intend(intents.ChoosePatient("SIM01"))
    bench.screen(pregnancy=True)
    assert bench.core.state is SessionState.REVIEW
    assert bench.journal.ended == ["stop"]


def test_after_the_end_nothing_is_left_to_do(kit):
    bench = kit.Bench().to_current()
    bench.state = GatewayState.DISARMED
    bench.run(200)  # leaving disarms first, and that pauses
    assert bench.core.state is SessionState.PAUSED
    assert bench.core.todo
    bench.intend(intents.EndSession())
    assert bench.core.state is SessionState.REVIEW
    assert bench.core.todo == ""


def test_a_session_that_ends_under_current_still_has_its_last_train(kit):
    bench = kit.Bench().to_current()
    before = len(bench.journal.stims)
    bench.step(ports.FrontGone("end of stream"))
    assert bench.journal.ended == ["fault"]
    assert len(bench.journal.stims) == before + 1
