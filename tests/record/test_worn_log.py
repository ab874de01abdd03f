"""Worn orthoses in the record: spans, the log's lines, a kill in the middle, and what the session before left on."""

import json
from dataclasses import asdict

import pytest

from controller.record import manifest
from controller.record.log_text import render_text
from controller.record.training_log import training_log
from controller.record.verify import verify
from controller.record.worn import CUT_OFF, KEPT_ON, look_back, session_before

SECOND = 1_000_000_000
START_NS = 7 * SECOND
SPLINT = {"kind": "splint", "side": "right", "angle_cdeg": 3_050}
SLING = {"kind": "sling", "side": "left", "angle_cdeg": None}


def at(seconds):
    return START_NS + int(seconds * SECOND)


@pytest.fixture
def worn_session(open_journal):
    """A splint for six minutes, and a sling that stays on."""
    journal = open_journal()
    journal.event(at(60), "orthosis_donned", {**SPLINT, "skin": "clear"}, sync=True)
    journal.event(at(90), "orthosis_donned", {**SLING, "skin": "dry"}, sync=True)
    journal.event(at(420), "orthosis_doffed", {**SPLINT, "skin": "red over the ulna, 1 cm"}, sync=True)
    journal.close(at(600), "normal")
    assert journal.join()
    return journal.folder


def test_a_span_has_type_side_angle_times_minutes_and_both_skin_checks(worn_session):
    splint, sling = training_log(worn_session).worn
    assert asdict(splint) == {
        "kind": "splint",
        "side": "right",
        "angle_deg": 30.5,
        "donned_s": 60.0,
        "donned_at": "2026-03-04T09:31:00+00:00",
        "skin_before": "clear",
        "doffed_s": 420.0,
        "doffed_at": "2026-03-04T09:37:00+00:00",
        "skin_after": "red over the ulna, 1 cm",
        "minutes": 6.0,
        "left": "",
    }
    assert (sling.angle_deg, sling.doffed_s, sling.doffed_at, sling.skin_after) == (None, None, "", "")
    assert (sling.minutes, sling.left) == (8.5, KEPT_ON)


@pytest.mark.parametrize("width", [80, 132, 200])
def test_the_log_prints_it_and_fits_its_width(worn_session, width):
    text = render_text(training_log(worn_session), width)
    assert max(map(len, text.splitlines())) <= width
    lines = text[text.index("Orthoses worn") :].splitlines()
    assert lines[2].split() == ["splint", "right", "30.5", "deg", "09:31:00", "09:37:00", "6.0"]
    assert [line.strip() for line in lines[3:5]] == ["skin before: clear", "skin after: red over the ulna, 1 cm"]
    assert lines[5].split() == ["sling", "left", "-", "09:31:30", "-", "8.5"]
    assert lines[6].strip() == "not taken off in the session"


def test_a_session_without_one_has_no_such_table(closed_session):
    assert training_log(closed_session).worn == []
    assert "worn" not in render_text(training_log(closed_session))


def test_the_json_holds_it_as_plain_values(worn_session):
    told = json.loads(json.dumps(training_log(worn_session).as_dict()))["worn"]
    assert [one["kind"] for one in told] == ["splint", "sling"]
    assert told[1]["doffed_s"] is None


def test_the_record_is_intact_with_it(worn_session):
    assert verify(worn_session).faults == []


def test_killed_at_any_instant_an_open_one_is_told_as_not_known(open_journal):
    journal = open_journal()
    journal.event(at(60), "orthosis_donned", {**SPLINT, "skin": "clear"}, sync=True)
    journal.close(at(61), "normal")
    assert journal.join()
    events = journal.folder / manifest.EVENTS
    content = events.read_bytes()
    whole = content.index(b"\n", content.index(b"orthosis_donned")) + 1
    killed = manifest.begin(manifest.utc_now(), START_NS)  # the manifest as it is before a session closes
    manifest.write(journal.folder, {**killed, "started": "2026-03-04T09:30:00.000+00:00"}, durable=False)
    for end in range(whole, len(content), 7):
        events.write_bytes(content[:end])
        (span,) = training_log(journal.folder).worn
        assert (span.left, span.doffed_s) == (CUT_OFF, None)
        text = render_text(training_log(journal.folder))
        assert "whether it came off is not known" in text
        assert "0.0\n       whether" not in text  # how long is not known either
    for end in range(0, whole - 1, 7):
        events.write_bytes(content[:end])
        assert training_log(journal.folder).worn == []


def test_without_a_manifest_the_times_count_from_the_start_of_the_session(worn_session):
    (worn_session / manifest.NAME).unlink()
    splint, _ = training_log(worn_session).worn
    assert (splint.donned_at, splint.doffed_at) == ("", "")
    assert "+01:00" in render_text(training_log(worn_session))


def test_put_on_twice_or_taken_off_twice_counts_once(open_journal):
    journal = open_journal()
    for seconds, kind in (
        (1, "doffed"),
        (10, "donned"),
        (20, "donned"),
        (30, "doffed"),
        (40, "doffed"),
        (50, "donned"),
    ):
        journal.event(at(seconds), f"orthosis_{kind}", {**SPLINT, "skin": "clear"})
    journal.close(at(60), "normal")
    first, second = training_log(journal.folder).worn
    assert (first.donned_s, first.doffed_s) == (10.0, 30.0)
    assert (second.donned_s, second.doffed_s) == (50.0, None)


# -- the session before -----------------------------------------------------------------------------------------------


def test_the_next_session_is_reminded_of_what_was_left_on_normally_or_by_a_kill(open_journal, worn_session):
    now = open_journal()
    assert now.folder.name == f"{worn_session.name}-2"
    (sling,) = look_back(str(now.folder))
    assert (sling.kind, sling.side, sling.left) == ("sling", "left", KEPT_ON)
    path = worn_session / manifest.EVENTS
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"orthosis_doffed") + 40])  # killed while it wrote that the splint is off
    (worn_session / manifest.NAME).unlink()
    assert [(one.kind, one.left) for one in look_back(str(now.folder))] == [("splint", CUT_OFF), ("sling", CUT_OFF)]


def test_only_the_last_session_before_counts(open_journal, worn_session):
    between = open_journal()
    between.close(at(1), "normal")
    now = open_journal()
    assert session_before(now.folder) == between.folder
    assert look_back(str(now.folder)) == ()
    assert session_before(worn_session) is None
    assert look_back("") == look_back("/nowhere/at/all") == ()


def test_the_tenth_session_of_a_second_comes_after_the_second(tmp_path):
    for number in ("", "-2", "-9", "-10", "-x"):
        (tmp_path / f"ses-20260304T093000{number}").mkdir()
    assert session_before(tmp_path / "ses-20260304T093000-10").name == "ses-20260304T093000-9"
    assert session_before(tmp_path / "ses-20260305T000000").name == "ses-20260304T093000-10"


def test_a_note_cannot_be_taken_for_one(open_journal):
    journal = open_journal()
    journal.event(at(1), "note", {"text": '"kind":"orthosis_donned"'})
    journal.close(at(2), "normal")
    assert look_back(str(open_journal().folder)) == ()
