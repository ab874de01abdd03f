"""Worn orthoses: a person's wish becomes a synced line of the journal, a line on the screen, and a line of the log."""

import math
from dataclasses import replace

import pytest

from controller.channel.codec import decode, encode
from controller.engine import ports
from controller.record import manifest
from controller.record.journal import Journal as Record
from controller.record.training_log import training_log
from controller.vocabulary import intents
from controller.vocabulary.facts import Latched
from controller.vocabulary.intents import Orthosis, WearOrthosis
from controller.vocabulary.snapshot import SessionState

MS = 1_000_000
SPLINT_ON = WearOrthosis(Orthosis.SPLINT, "right", 3_000, "clear", on=True)
SPLINT_OFF = WearOrthosis(Orthosis.SPLINT, "right", 3_000, "red over the ulna", on=False)


def worn(bench):
    """What the newest snapshot says is worn."""
    bench.run(100)
    snapshots = [output.message for _, output in bench.said if isinstance(output, ports.ToFront)]
    return snapshots[-1].worn


def test_putting_on_and_taking_off_are_synced_lines_with_kind_side_angle_and_skin(bench):
    bench.to_fitting()
    bench.intend(SPLINT_ON)
    (view,) = worn(bench)
    assert (view.kind, view.side, view.angle_cdeg) == (Orthosis.SPLINT, "right", 3_000)
    bench.run(2_000)
    bench.intend(SPLINT_OFF)
    assert worn(bench) == ()
    told = [(kind, data, sync) for _, kind, data, sync in bench.journal.events if kind.startswith("orthosis_")]
    assert told == [
        ("orthosis_donned", {"kind": "splint", "side": "right", "angle_cdeg": 3_000, "skin": "clear"}, True),
        (
            "orthosis_doffed",
            {"kind": "splint", "side": "right", "angle_cdeg": 3_000, "skin": "red over the ulna"},
            True,
        ),
    ]
    donned, doffed = (t_ns for t_ns, kind, _, _ in bench.journal.events if kind.startswith("orthosis_"))
    assert view.since_ns == donned
    assert 2_000 * MS <= doffed - donned <= 2_300 * MS


def test_one_of_a_kind_on_a_side_and_six_at_most(bench):
    bench.to_fitting()
    every = [WearOrthosis(kind, side, None, "clear", on=True) for kind in Orthosis for side in ("left", "right")]
    bench.intend(*every, *every)
    assert len(worn(bench)) == 6
    assert len(bench.event("orthosis_donned")) == 6
    bench.intend(SPLINT_OFF, SPLINT_OFF)
    assert len(bench.event("orthosis_doffed")) == 1
    assert bench.event("orthosis_doffed")[0]["angle_cdeg"] is None  # as it went on, whatever is said later


@pytest.mark.parametrize(
    "wish",
    [
        WearOrthosis(Orthosis.AFO, "right", None, "", on=True),
        WearOrthosis(Orthosis.AFO, "right", None, " \t", on=True),
        WearOrthosis(Orthosis.AFO, "both", None, "clear", on=True),
        WearOrthosis(Orthosis.AFO, "right", 18_001, "clear", on=True),
        WearOrthosis(Orthosis.AFO, "right", math.nan, "clear", on=True),
        WearOrthosis(Orthosis.AFO, "right", None, "clear", on=False),
    ],
    ids=["no skin check", "blank skin check", "no side", "angle too large", "no angle at all", "not worn"],
)
def test_what_is_not_sound_leaves_no_trace(bench, wish):
    bench.to_fitting()
    bench.intend(wish)
    assert worn(bench) == ()
    assert not [kind for kind in bench.kinds() if kind.startswith("orthosis_")]


def test_in_every_state_with_an_open_record_and_in_no_other(bench):
    bench.intend(SPLINT_ON)
    assert worn(bench) == ()  # nobody is chosen: there is no record
    counts = []
    bench.intend(intents.ChoosePatient("SIM01"))
    for step in (
        lambda: None,
        lambda: bench.screen(),
        lambda: bench.step(_latched()),
    ):
        step()
        bench.intend(SPLINT_ON)
        bench.intend(SPLINT_OFF)
        counts.append((bench.core.state, len(bench.event("orthosis_doffed"))))
    assert counts == [(SessionState.SCREENING, 1), (SessionState.FITTING, 2), (SessionState.TRIPPED, 3)]


def test_running_and_paused_take_it_and_no_order_changes(kit):
    bench = kit.Bench().to_current()
    before = bench.orders()
    bench.intend(SPLINT_ON)
    assert bench.orders()[len(before) :] == []
    bench.intend(intents.Pause())
    bench.intend(SPLINT_OFF)
    assert len(bench.event("orthosis_donned")) == len(bench.event("orthosis_doffed")) == 1


def test_what_is_worn_at_the_end_stays_on_the_screen_and_the_closed_record_takes_no_more(bench):
    bench.to_fitting()
    bench.intend(SPLINT_ON)
    bench.intend(intents.EndSession())
    assert bench.core.state is SessionState.REVIEW
    bench.intend(SPLINT_OFF)
    assert len(worn(bench)) == 1
    bench.step(_latched())
    assert bench.core.state is SessionState.TRIPPED
    bench.intend(SPLINT_OFF)
    assert len(worn(bench)) == 1  # tripped after the end: the record is closed all the same
    assert bench.event("orthosis_doffed") == []


def test_a_long_text_is_cut_and_the_wish_survives_the_wire():
    long = WearOrthosis(Orthosis.SLING, "left", None, "x" * 5_000, on=True)
    assert decode(*encode(long)) == long
    assert decode(*encode(SPLINT_ON)) == SPLINT_ON


def test_the_skin_text_is_bounded(bench):
    bench.to_fitting()
    bench.intend(WearOrthosis(Orthosis.SLING, "left", None, "x" * 5_000, on=True))
    assert len(bench.event("orthosis_donned")[0]["skin"]) == 200


def test_from_wish_to_the_training_log(kit, tmp_path):
    def record(patient, now_ns, resolved):
        started = manifest.utc_now()
        folder = manifest.create_folder(tmp_path, patient, started)
        begun = manifest.begin(started, now_ns, patient=patient)
        return Record(folder, {"patient": patient}, "inline", start_ns=now_ns, manifest=begun)

    bench = kit.Bench()
    bench.core.setting = replace(bench.core.setting, open_record=record)
    bench.to_fitting()
    bench.intend(SPLINT_ON)
    bench.run(1_500)
    bench.intend(SPLINT_OFF, WearOrthosis(Orthosis.SLING, "left", None, "clear", on=True))
    bench.intend(intents.EndSession())
    assert bench.core.record.join()
    splint, sling = training_log(bench.core.record.folder).worn
    assert (splint.kind, splint.side, splint.angle_deg) == ("splint", "right", 30.0)
    assert (splint.skin_before, splint.skin_after, splint.left) == ("clear", "red over the ulna", "")
    assert splint.minutes == pytest.approx(1.5 / 60, abs=0.001)
    assert (sling.angle_deg, sling.doffed_s, sling.left) == (None, None, "not taken off in the session")


def _latched():
    return ports.FromGateway(Latched(0, "STOP was pressed (F12).", "Look after the patient."))
