"""The screening in the engine: nothing goes on without a whole list that passes, and what follows from the answers."""

import json
from types import SimpleNamespace

import pytest

from controller.engine import ports
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.notices import ToAudit
from controller.vocabulary.snapshot import SessionState
from safety.screening import Pads

pytestmark = pytest.mark.hazard("H17", "H31", "H41", "H50")

DAY = "2026-03-20"
SIGNED = {"yes": True, "clinician": "Dr. Weiss", "reason": "seen today"}


class Care(SimpleNamespace):
    """Pads as they are said to be; keeps what was noted."""

    def __init__(self, pads=None):
        super().__init__(pads=pads or Pads(), notes=[])

    def meet(self, patient):
        return self.pads

    def note(self, t_ns, kind, data):
        self.notes.append((kind, dict(data)))


@pytest.fixture
def asked(kit):
    """An engine that asks the list."""

    def make(care=None, **changes):
        bench = kit.Bench(day=lambda: DAY, care=care or Care(), **changes)
        bench.intend(intents.ChoosePatient("SIM01"))
        assert bench.core.state is SessionState.SCREENING
        return bench

    return make


@pytest.fixture
def soon(monkeypatch, kit):
    """The look at the skin comes a second after the first stimulation."""
    monkeypatch.setattr("controller.engine.screening.LOOK_AFTER_NS", kit.SECOND)


def snapshot(bench):
    bench.run(60)
    return [o.message for _, o in bench.said if isinstance(o, ports.ToFront)][-1]


def test_the_list_goes_to_the_screen_while_it_is_asked(asked):
    bench = asked()
    rows = {row.row: row for row in snapshot(bench).screening}
    assert rows["identity"].question == "Asked who they are: is this SIM01?"
    assert rows["side"].question == "Is the right side the one to be treated?"
    assert rows["active_implant"].good is False
    assert rows["skin_before"].good is True
    assert "skin_after" not in rows
    bench.screen()
    assert snapshot(bench).screening == ()


def test_without_a_whole_list_nothing_goes_on_whatever_the_screen_says(asked):
    bench = asked()
    for wish in (
        intents.ScreeningDone(()),
        bench.answers(pregnancy=None),
        bench.answers(identity=None),
        bench.answers(botulinum=True),
        bench.answers(botulinum={"yes": True, "date": "2026-03-21", "muscles": "biceps"}),
        bench.answers(epilepsy=True),
        bench.answers(epilepsy=SIGNED | {"reason": ""}),
        bench.answers(invented=False),
    ):
        bench.intend(wish)
        assert bench.core.state is SessionState.SCREENING
        assert bench.core.todo
    assert [told["passed"] for told in bench.event("screened")] == [False] * 8
    bench.screen()
    assert bench.core.state is SessionState.FITTING
    assert bench.core.todo == ""


@pytest.mark.parametrize("answer", [{"pregnancy": True}, {"identity": False}, {"side": False}, {"skin_before": False}])
def test_what_blocks_ends_it(asked, answer):
    bench = asked()
    bench.screen(**answer)
    assert bench.core.state is SessionState.REVIEW
    assert bench.event("screened")[-1]["findings"][0]["hold"] == "blocked"
    assert bench.journal.ended == ["stop"]


def test_every_answer_stands_in_the_record_with_list_and_digest(asked):
    bench = asked()
    bench.screen(epilepsy=SIGNED)
    told = bench.event("screened")[0]
    assert told["passed"] is True
    assert (told["version"], len(told["sha256"]), told["site_sha256"]) == (1, 64, "")
    assert {"row": "epilepsy"} | SIGNED in told["answers"]
    assert {"row": "pregnancy", "yes": False} in told["answers"]
    assert [kind for _, kind, _, sync in bench.journal.events if sync and kind == "screened"]


def test_a_sign_off_goes_to_the_record_of_changes(asked):
    bench = asked()
    bench.screen(epilepsy=SIGNED)
    sent = [o.message for _, o in bench.said if isinstance(o, ports.ToGateway) and isinstance(o.message, ToAudit)]
    assert [(each.what, each.subject, each.reason) for each in sent] == [
        ("screening", "SIM01", "epilepsy: seen today (Dr. Weiss)")
    ]
    assert json.loads(sent[0].new)["yes"] == [{"row": "epilepsy"} | SIGNED]


def test_botulinum_toxin_says_so_all_session_and_wants_attempts_of_today(asked, kit):
    bench = asked(protocol=kit.CUED)
    bench.screen(botulinum={"yes": True, "date": "2026-02-20", "muscles": "biceps"})
    assert "STRENGTH IS CHANGING" in snapshot(bench).reminders[0]
    assert bench.event("screened")[0]["changing"] is True
    plain = kit.Bench(protocol=kit.CUED).to_ready()
    assert plain.core.checks.reminders == ()
    bench = kit.Bench(protocol=kit.CUED, day=lambda: DAY)
    bench.answers_for_all = bench.answers
    bench.answers = lambda **others: bench.answers_for_all(
        **({"botulinum": {"yes": True, "date": "2026-02-20", "muscles": "biceps"}} | others)
    )
    with pytest.raises(AssertionError):  # attempts were skipped: the threshold is not accepted
        bench.to_ready()
    assert bench.core.state is SessionState.CALIBRATING
    assert "attempts of today" in bench.core.todo


def test_worn_pads_have_to_be_new_and_are_then_counted_from_today(asked):
    care = Care(Pads(30, "2026-02-01"))
    bench = asked(care)
    row = next(row for row in snapshot(bench).screening if row.row == "pads_new")
    assert row.good is True
    assert "30 sessions" in row.note
    bench.screen(pads_new=True)
    assert bench.core.state is SessionState.FITTING
    assert care.notes == [("pads_new", {"day": DAY})]
    blocked = asked(Care(Pads(30, "2026-02-01")))
    blocked.screen(pads_new=False)
    assert blocked.core.state is SessionState.REVIEW


def test_the_skin_is_looked_at_two_minutes_after_the_first_stimulation(kit):
    care = Care()
    bench = kit.Bench(care=care, day=lambda: DAY).to_current()
    assert [kind for kind, _ in care.notes] == ["session"]
    assert snapshot(bench).skin_due == ""
    bench.run(121_000)
    assert "look under the pads" in snapshot(bench).skin_due
    bench.intend(intents.SkinSeen(True))
    assert snapshot(bench).skin_due == ""
    assert bench.event("skin_seen") == [{"when": "two_minutes", "well": True}]
    bench.intend(intents.SkinSeen(False))  # nobody asked
    assert bench.core.state is SessionState.RUNNING
    bench.intend(intents.EndSession())
    bench.run(100)
    assert "Pads off" in snapshot(bench).skin_due
    bench.intend(intents.SkinSeen(False))
    assert care.notes[-1] == ("skin", {"when": "after", "well": False, "day": DAY})
    assert snapshot(bench).skin_due == ""


def test_skin_that_is_not_well_ends_what_runs_and_nothing_goes_on(kit, soon):
    bench = kit.Bench(care=Care(), day=lambda: DAY).to_current()
    bench.run(2_000)
    bench.intend(intents.SkinSeen(False))
    bench.run(100)
    assert bench.core.state is SessionState.PAUSED
    assert not bench.on
    bench.state = kit.STATUS.state.__class__.ARMED
    bench.run(3_000)
    bench.intend(intents.Resume())
    assert bench.core.state is SessionState.PAUSED
    assert "not well" in bench.core.todo


def test_a_look_that_fell_due_before_the_session_began_anew_is_answered_where_it_begins(kit, soon):
    """A new gateway leads back through fitting, and the two minutes go on meanwhile."""
    bench = kit.Bench(care=Care(), day=lambda: DAY).to_current()
    bench.step(ports.GatewayGone("killed"))
    bench.intend(intents.Acknowledge("all well"))
    bench.core.set_up.start_over()
    bench.run(2_000)
    bench.state = GatewayState.DISARMED
    while bench.core.state is not SessionState.READY:
        before = bench.core.state
        bench.intend(intents.FittingDone())
        bench.intend(intents.AcceptCalibration())
        assert bench.core.state is not before, before
    bench.state = GatewayState.ARMED
    bench.run(1_000)
    bench.intend(intents.Begin())
    assert bench.core.state is SessionState.READY
    assert "Answer that first: k if it is well, i if not." in bench.core.todo
    bench.intend(intents.SkinSeen(True))
    assert bench.core.todo == ""
    bench.intend(intents.Begin())
    assert bench.core.state is SessionState.RUNNING, bench.core.todo


def test_after_a_pause_the_look_at_the_skin_comes_first(kit, soon):
    bench = kit.Bench(care=Care(), day=lambda: DAY).to_current()
    bench.run(2_000)
    bench.intend(intents.Pause())
    bench.run(3_000)
    bench.intend(intents.Resume())
    assert bench.core.state is SessionState.PAUSED
    assert "Answer that first" in bench.core.todo
    bench.intend(intents.SkinSeen(True))
    bench.intend(intents.Resume())
    assert bench.core.state is SessionState.RUNNING, bench.core.todo
