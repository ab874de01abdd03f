"""The authorisation file: what is valid, and each way in which it is not, with its line and what to do."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from controller.gateway.authorisation import BYTES_MAX, check, read, template
from controller.vocabulary.stages import GRANTED, Stage

pytestmark = pytest.mark.hazard("H05", "H40", "H48")
TODAY = date(2026, 11, 23)
HEAD = 'format = 1\nsite = "Bench room"\n'
RECORDS = {
    "resistor_box": 'resistor_box = { done = 2026-09-01, by = "Engineer" }',
    "button_triggered": 'button_triggered = { done = 2026-10-01, by = "Therapist" }',
}


def entry(stage="resistor box", records=(), **changes):
    fields = {
        "unit": '"P24-0815"',
        "operator": '"m.weiss"',
        "approver": '"Head"',
        "approved": "2026-10-15",
        "expires": "2027-02-01",
    } | changes
    lines = [f"{key} = {value}" for key, value in fields.items() if value]
    lines += [f'stage = "{stage}"', *(RECORDS.get(record, record) for record in records)]
    return "\n".join(["[[authorisation]]", *lines, ""])


def book(text):
    return check(text.encode(), "a.toml", TODAY)


@pytest.mark.parametrize(
    ("stage", "records"), [(GRANTED[0], ()), (GRANTED[1], ("resistor_box",)), (GRANTED[2], RECORDS)]
)
def test_each_stage_with_the_records_of_those_before_it(stage, records):
    found = book(HEAD + entry(stage, records))
    assert found.fault == ""
    assert found.site == "Bench room"
    assert [(one.stage, one.unit, one.operator, one.line) for one in found.entries] == [
        (stage, "P24-0815", "m.weiss", 3)
    ]


BAD = {
    "later stage without the earlier record": (entry(GRANTED[1]), 'needs the record of "resistor box"', 3),
    "last stage without the middle record": (
        entry(GRANTED[2], ["resistor_box"]),
        'the record of "button-triggered"',
        3,
    ),
    "last stage without the first record": (entry(GRANTED[2], ["button_triggered"]), 'of "resistor box"', 3),
    "record of a later stage": (entry(GRANTED[0], ["resistor_box"]), "belongs to an entry of a later stage", 10),
    "records in the wrong order": (
        entry(GRANTED[2], ['resistor_box = { done = 2026-10-02, by = "E" }', "button_triggered"]),
        "before the stage that comes first",
        11,
    ),
    "record after the approval": (
        entry(GRANTED[1], ['resistor_box = { done = 2026-10-16, by = "E" }']),
        "after this entry was approved",
        10,
    ),
    "record without a name": (entry(GRANTED[1], ["resistor_box = { done = 2026-09-01 }"]), "needs the record", 10),
    "record by nobody": (entry(GRANTED[1], ['resistor_box = { done = 2026-09-01, by = "" }']), "`by` must be", 10),
    "record without a date": (entry(GRANTED[1], ['resistor_box = { done = "soon", by = "E" }']), "`done` must be", 10),
    "record that is only a date": (entry(GRANTED[1], ["resistor_box = 2026-09-01"]), "needs the record", 10),
    "future approval": (entry(approved="2026-11-24", expires="2027-01-01"), "which is after today", 7),
    "expires before it was approved": (entry(expires="2026-10-14"), "before it was approved", 8),
    "lasts too long": (entry(expires="2028-01-01"), "lasts 366 days at most", 8),
    "date in quotes": (entry(expires='"2027-02-01"'), "without quotes", 8),
    "date with a time": (entry(expires="2027-02-01T10:00:00"), "without quotes", 8),
    "unknown stage": (entry("home use"), '"home use" is no stage', 9),
    "simulated is no stage to grant": (entry("simulated"), '"simulated" is no stage', 9),
    "unknown key": (entry(records=["limits = 3"]), "an entry has no `limits`", 10),
    "no operator": (entry(operator=""), "has no `operator`", 3),
    "no expiry": (entry(expires=""), "has no `expires`", 3),
    "empty operator": (entry(operator='""'), "`operator` must be", 5),
    "operator with blanks around": (entry(operator='" m.weiss"'), "`operator` must be", 5),
    "any unit": (entry(unit="true"), "`unit` must be", 4),
    "port that is no serial number": (entry(port='"/dev/ttyACM0"'), "`port` names a serial number", 9),
    "the same twice": (entry() + entry(GRANTED[1], ["resistor_box"]), "on line 3 already", 11),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_file_line_and_remedy_and_voids_all(name):
    text, said, line = BAD[name]
    found = book(HEAD + text)
    assert found.entries == ()
    assert said in found.fault
    assert found.fault.startswith(f"a.toml, line {line}: ")
    assert found.fault.endswith((".", "}"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "`format` must be 1"),
        ('site = "x"', "`format` must be 1"),
        ('format = 2\nsite = "x"', "a.toml, line 1: `format` must be 1"),
        ("format = true", "`format` must be 1"),
        ("format = 1", "`site` must be"),
        (HEAD + "everyone = true", "a.toml, line 3: there is no `everyone` here"),
        (HEAD + "authorisation = 3", "write each entry below"),
        (HEAD + "[authorisation]\nunit = 1", "write each entry below"),
        (HEAD + "[[authorisation]\n", "no TOML file"),
        (HEAD + 'site = "again"', "no TOML file"),
        ("\ufffe", "no TOML file"),
        ("a = " + "[" * 5_000, "no TOML file"),
    ],
)
def test_a_file_that_is_no_authorisation_grants_nothing(text, said):
    found = book(text)
    assert said in found.fault
    assert found.entries == ()


def test_bytes_that_are_no_text_grant_nothing():
    assert "no TOML file" in check(b"\xff\xfe\x00", "a.toml", TODAY).fault


@pytest.fixture
def file(tmp_path):
    tmp_path.chmod(0o700)
    path = tmp_path / "authorisation.toml"
    path.write_text(HEAD + entry(), encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_file_of_ones_own_is_read_with_its_digest(file):
    found = read(file, TODAY)
    assert (found.fault, len(found.entries), len(found.sha256)) == ("", 1, 64)


def test_no_file_is_no_fault_and_no_permission(tmp_path):
    found = read(tmp_path / "none.toml", TODAY)
    assert (found.missing, found.fault, found.entries) == (True, "", ())


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_change_is_void(file, mode):
    file.chmod(mode)
    found = read(file, TODAY)
    assert "can change it" in found.fault
    assert f"chmod go-w {file}" in found.fault
    assert found.entries == ()


def test_a_folder_in_which_others_can_put_another_file_is_void(file):
    file.parent.chmod(0o770)
    assert "can change its folder" in read(file, TODAY).fault


def test_a_file_of_somebody_else_is_void(file, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    found = read(file, TODAY)
    assert ("another user" in found.fault) is (os.getuid() != 0)


def test_what_is_no_file_or_too_large_is_void(file, tmp_path):
    assert "no plain file" in read(tmp_path, TODAY).fault
    os.mkfifo(tmp_path / "pipe")
    assert "no plain file" in read(tmp_path / "pipe", TODAY).fault
    file.write_text("#" * (BYTES_MAX + 1))
    assert "larger than" in read(file, TODAY).fault


def test_the_template_is_valid_and_grants_the_first_stage_alone():
    text = template('Room "1"', "P24-0815", "m.weiss", "Head\\x", TODAY, TODAY + timedelta(days=90))
    found = check(text.encode(), "a.toml", TODAY)
    assert found.fault == ""
    assert [one.stage for one in found.entries] == [Stage.RESISTOR_BOX]
    assert found.site == 'Room "1"'


def test_the_page_shows_the_file_as_it_is_read():
    page = (Path(__file__).parents[2] / "docs" / "authorisation.md").read_text(encoding="utf-8")
    text = page.split("```toml\n")[1].split("```")[0]
    found = check(text.encode(), "docs", date(2026, 12, 1))
    assert found.fault == ""
    assert {one.stage for one in found.entries} == set(GRANTED)
