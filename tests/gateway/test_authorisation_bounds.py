"""The authorisation file at its bounds: the last day, the last letter, the last entry; and where it is looked for."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from controller.gateway import authorisation
from controller.gateway.authorisation import NO_BOOK, Book, check, default_path, read, template
from controller.vocabulary.stages import GRANTED

pytestmark = pytest.mark.hazard("H05", "H40", "H48")

TODAY = date(2026, 11, 23)
HEAD = 'format = 1\nsite = "Bench room"\n'
BOX = 'resistor_box = { done = 2026-09-01, by = "Engineer" }'
BUTTON = 'button_triggered = { done = 2026-09-01, by = "Therapist" }'


def entry(*more, unit="P24-0815", stage=GRANTED[0], approved="2026-10-15", expires="2027-02-01", approver="Head"):
    lines = ["[[authorisation]]", f'unit = "{unit}"', 'operator = "op"', f'approver = "{approver}"']
    lines += [f"approved = {approved}", f"expires = {expires}", f'stage = "{stage}"', *more]
    return "\n".join([*lines, ""])


def fault(text, today=TODAY):
    found = check(text.encode(), "a.toml", today)
    assert bool(found.fault) is not bool(found.entries)
    return found.fault


def test_a_book_without_anything_grants_nothing():
    assert Book() == Book(path="", site="", sha256="", entries=(), fault="", missing=False)
    assert Book(missing=True) == NO_BOOK


@pytest.mark.parametrize(
    ("base", "folder"),
    [("/etc/site", "/etc/site"), ("", "HOME/.config"), (None, "HOME/.config"), ("relative", "HOME/.config")],
)
def test_where_the_file_is_looked_for(monkeypatch, base, folder):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if base is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", base)
    assert default_path() == Path(folder.replace("HOME", str(Path.home()))) / "stimloop" / "authorisation.toml"


# -- days --------------------------------------------------------------------------------------------------------------


def test_approved_today_counts_and_tomorrow_does_not():
    text = HEAD + entry(approved="2026-11-23")
    assert fault(text) == ""
    assert fault(text, TODAY - timedelta(days=1)) == (
        "a.toml, line 7: `approved` is 2026-11-23, which is after today (2026-11-22)."
    )


def test_an_entry_may_end_on_the_day_on_which_it_begins():
    assert fault(HEAD + entry(approved="2026-10-15", expires="2026-10-15")) == ""
    assert "it expires (2026-10-14) before" in fault(HEAD + entry(expires="2026-10-14"))


@pytest.mark.parametrize(("expires", "good"), [("2027-10-16", True), ("2027-10-17", False)])
def test_an_entry_lasts_366_days_at_most(expires, good):
    said = "a.toml, line 8: an entry lasts 366 days at most. Choose an earlier `expires`."
    assert fault(HEAD + entry(expires=expires)) == ("" if good else said)


@pytest.mark.parametrize(("approved", "good"), [("2026-09-01", True), ("2026-08-31", False)])
def test_a_record_may_be_of_the_day_of_the_approval(approved, good):
    found = fault(HEAD + entry(BOX, stage=GRANTED[1], approved=approved, expires="2026-12-01"))
    assert found == ("" if good else found)
    assert ("was done on 2026-09-01, after this entry was approved (2026-08-31)" in found) is not good


@pytest.mark.parametrize(("done", "good"), [("2026-09-01", True), ("2026-08-31", False)])
def test_two_stages_may_be_done_on_one_day(done, good):
    found = fault(HEAD + entry(BOX, BUTTON.replace("2026-09-01", done), stage=GRANTED[2]))
    assert ("before the stage that comes first" in found) is not good


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("letters", "good"), [(0, False), (1, True), (120, True), (121, False)])
def test_a_name_has_1_to_120_letters(letters, good):
    found = fault(HEAD + entry(approver="x" * letters))
    assert found == ("" if good else "a.toml, line 6: `approver` must be a text of 1 to 120 characters in quotes.")


@pytest.mark.parametrize("approver", [" Head", "Head ", "He\\tad"])
def test_a_name_has_no_blanks_around_it_and_can_be_printed(approver):
    assert "`approver` must be a text" in fault(HEAD + entry(approver=approver))


def test_what_is_wrong_with_the_head_is_told_with_its_line():
    assert fault('format = 1\nsite = ""\n').startswith("a.toml, line 2: `site` must be a text")
    assert fault('site = "x"\nformat = 2\n') == "a.toml, line 2: `format` must be 1."
    said = "a.toml, line 3: write each entry below a line [[authorisation]]."
    assert fault(HEAD + "authorisation = 5\n") == said
    assert fault(HEAD + 'authorisation = [{ unit = "x" }, 5]\n') == said
    assert fault(HEAD + "[authorisation]\nunit = 5\n") == said


def test_a_key_that_cannot_be_found_has_no_line():
    assert fault('site = "x"\n') == "a.toml: `format` must be 1."


def test_each_entry_knows_its_line():
    found = check((HEAD + entry() + "\n" + entry(unit="P24-0816")).encode(), "a.toml", TODAY)
    assert [one.line for one in found.entries] == [3, 11]
    assert fault(HEAD + entry() + entry()).startswith("a.toml, line 11: op has an entry for P24-0815 on line 3 already")


@pytest.mark.parametrize(("count", "good"), [(200, True), (201, False)])
def test_two_hundred_entries_are_the_most(count, good):
    found = fault(HEAD + "".join(entry(unit=f"P24-{number}") for number in range(count)))
    assert found == ("" if good else "a.toml: there are more than 200 entries. Take out those that have expired.")


def test_names_with_quotes_and_backslashes_come_back_as_they_were():
    name = 'Head "of" C:\\bench'
    text = template(name, "P24-0815", "op", name, TODAY, TODAY + timedelta(days=30))
    found = check(text.encode(), "a.toml", TODAY)
    assert (found.fault, found.site, found.entries[0].approver) == ("", name, name)


# -- the file ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "good"), [(0, True), (1, False)])
def test_a_file_of_65536_bytes_is_the_largest(tmp_path, more, good):
    path = tmp_path / "authorisation.toml"
    text = HEAD + entry()
    path.write_text(text + "#" * (65_536 + more - len(text)))
    path.chmod(0o600)
    found = read(path, TODAY)
    too_large = f"{path}: it is larger than 65536 bytes. Keep the entries that are still needed."
    assert found.fault == ("" if good else too_large)
    assert bool(found.entries) is good


def test_no_descriptor_is_left_open(tmp_path, monkeypatch):
    path = tmp_path / "authorisation.toml"
    path.write_text(HEAD + entry())
    path.chmod(0o600)
    opened, closed, flags = [], [], []
    real_open, real_close = os.open, os.close

    def spied(name, how, *more, **named):
        descriptor = real_open(name, how, *more, **named)
        if str(name) == str(path):
            opened.append(descriptor)
            flags.append(how)
        return descriptor

    monkeypatch.setattr(authorisation.os, "open", spied)
    monkeypatch.setattr(
        authorisation.os, "close", lambda descriptor: (closed.append(descriptor), real_close(descriptor))
    )
    assert read(path, TODAY).fault == ""
    monkeypatch.undo()
    assert opened == closed
    assert flags == [os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK]  # not inherited, and no pipe to wait at


def test_a_file_of_somebody_else_says_whose_it_must_be(tmp_path, monkeypatch):
    path = tmp_path / "authorisation.toml"
    path.write_text(HEAD + entry())
    path.chmod(0o600)
    monkeypatch.setattr(authorisation.os, "geteuid", lambda: os.stat(path).st_uid + 1)
    found = read(path, TODAY).fault
    if os.stat(path).st_uid:  # what belongs to root is the administrator's, whoever reads it
        assert found == f"{path}: it belongs to another user. It must belong to the operator's account or to root."
    else:
        assert found == ""


def test_what_belongs_to_neither_is_refused():
    stranger = os.stat_result((0o100600, 1, 1, 1, 12_345, 12_345, 0, 0, 0, 0))
    with pytest.raises(ValueError, match="it belongs to another user"):
        authorisation._guarded(stranger, "it", Path("a.toml"))


def test_an_error_of_the_system_is_told_in_its_own_words(tmp_path):
    assert authorisation._told(OSError(13, "Permission denied")) == "Permission denied"
    assert authorisation._told(OSError()) == "it cannot be read"
    assert authorisation._told(ValueError("this")) == "this"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert read(loop, TODAY).fault == f"{loop}: Too many levels of symbolic links"
