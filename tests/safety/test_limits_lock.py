"""The lock of the limits: no limit, constant or rule changes without a reason, a date and a line in the history."""

import json
import runpy
import sys
from dataclasses import replace

import pytest

from safety import limits, limits_lock
from safety.limits import CAPS, Region
from safety.limits_lock import UNSIGNED, changes, digest, main, read, values, write

pytestmark = pytest.mark.hazard("H15", "H42")


def test_the_limits_are_those_of_the_lock():
    assert changes(read(), values()) == [], "a limit changed: python -m safety.limits_lock --write REASON --date DAY"


def test_nobody_has_signed_and_the_last_entry_of_the_history_says_so():
    lock = json.loads(limits_lock.STORED.read_text(encoding="utf-8"))
    assert lock["signed"] == lock["history"][-1]["signed"]
    assert (lock["signed"] == UNSIGNED) is not limits.SIGNED_OFF
    assert lock["rationale"] == lock["history"][-1]["rationale"]
    assert len(lock["rationale"]) > 20
    assert lock["sha256"] == lock["history"][-1]["sha256"] == digest(values())


@pytest.mark.parametrize(
    ("name", "value"),
    [  # written down a second time
        ("limits.CAPS.hand.amplitude_ua", 25_000),
        ("limits.CAPS.thigh.on_ms", 15_000),
        ("limits.SENSOR_AGE_NS_MAX", 100_000_000),
        ("limits.DeviceLimits.overhead_us", 60),
        ("limits.DeviceLimits.interphase_us", None),
        ("limits.SIGNED_OFF", False),
        ("limits.Region.HAND", "hand"),
        ("orders.LEASE_MAX_NS", 120_000_000),
        ("orders.Purpose.ASSIST", 3),
        ("joint_limits.JOINT_CAPS.ankle.seated_only", True),
        ("joint_limits.JOINT_CAPS.elbow.angle_max_cdeg", -500),
        ("joint_limits.SIDES.1", "right"),
        ("interlocks._NEEDED.5", False),
        ("rules.ORDER_RULES.0.1", "g01_exact_integers"),
        ("rules.PURPOSES.fitting.1", 2),
        ("screening.SIGN_OFF_DAYS", 14),
        ("screening._DIGITS.9", "9"),
        ("guard.ON_MS_NO_CAP", 1_000_000),
    ],
)
def test_every_kind_of_value_is_in_the_lock(name, value):
    found = values()
    assert found[name] == value
    assert type(found[name]) is type(value)


def test_a_constant_belongs_to_one_file_only():
    found = values()
    assert "rules.GAP_NS_MAX" not in found
    assert "limits.GAP_NS_MAX" in found


def test_no_file_of_the_guard_is_forgotten():
    from tests.safety.house_rules import GUARD_FILES

    named = {module.__name__.removeprefix("safety.") for module in limits_lock.MODULES}
    without_constants = {"body_rules", "joint_guard", "lately", "pulse_rules", "today"}
    assert named | without_constants == set(GUARD_FILES)


def test_a_changed_cap_is_seen_and_named(monkeypatch):
    cap = replace(CAPS[Region.HAND], amplitude_ua=25_001)
    monkeypatch.setitem(CAPS, Region.HAND, cap)
    assert changes(read(), values()) == ["limits.CAPS.hand.amplitude_ua: 25000 became 25001"]


def test_what_came_and_what_went_is_named():
    assert changes({"a": 1, "b": None}, {"b": 0, "c": ""}) == [
        "a: 1 became nothing",
        "b: null became 0",
        'c: nothing became ""',
    ]
    assert changes({"a": 1}, {"a": True}) == ["a: 1 became true"]


def test_a_kind_that_cannot_be_locked_is_an_error(monkeypatch):
    monkeypatch.setattr(limits, "NEW_MAX", 0.5, raising=False)
    with pytest.raises(TypeError, match=r"limits\.NEW_MAX"):
        values()


def test_a_lock_that_was_edited_by_hand_is_no_lock(tmp_path):
    path = tmp_path / "limits.lock"
    assert read(path) == {}
    write("The first values of all.", "2026-01-05", path=path)
    assert read(path) == values()
    path.write_text(path.read_text().replace(": 25000,", ": 26000,", 1))
    with pytest.raises(ValueError, match="by hand"):
        read(path)


def test_a_change_is_added_to_the_history(tmp_path, monkeypatch, capsys):
    path = tmp_path / "limits.lock"
    assert main(["--write", " The first. ", "--date", "2026-01-05"], path) == 0
    assert main([], path) == 0
    assert capsys.readouterr().out == f"{digest(values())} matches limits.lock\n" * 2
    before = digest(values())
    monkeypatch.setattr(limits, "SLEW_UA_MAX", 1_000)
    assert main([], path) == 1
    line = "limits.SLEW_UA_MAX: 2000 became 1000"
    assert capsys.readouterr().out == f"{line}\n{digest(values())} differs from limits.lock\n"
    assert main(["--write", "Gentler.", "--date", "2026-01-06", "--signed", "Dr A, physician"], path) == 0
    lock = json.loads(path.read_text())
    assert list(lock) == ["sha256", "signed", "rationale", "history", "values"]
    assert (lock["signed"], lock["rationale"]) == ("Dr A, physician", "Gentler.")
    first, second = lock["history"]
    assert first == {
        "date": "2026-01-05",
        "rationale": "The first.",
        "signed": UNSIGNED,
        "sha256": before,
        "changed": [f"{len(values())} values"],
    }
    assert (second["date"], second["changed"], second["sha256"]) == ("2026-01-06", [line], digest(values()))


@pytest.mark.parametrize(
    "arguments",
    [["--write", "why"], ["--write", " ", "--date", "2026-01-05"], ["--write", "why", "--date", "5.1.26"], ["now"]],
)
def test_a_change_without_reason_or_date_is_refused(tmp_path, arguments):
    path = tmp_path / "limits.lock"
    with pytest.raises(SystemExit) as exit_of:
        main(arguments, path)
    assert exit_of.value.code == 2
    assert not path.exists()


def test_as_a_script_it_only_looks(monkeypatch, capsys):
    before = limits_lock.STORED.read_bytes()
    monkeypatch.setattr(sys, "argv", ["limits_lock"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(limits_lock.__file__, run_name="__main__")
    assert end.value.code == 0
    assert "matches" in capsys.readouterr().out
    assert limits_lock.STORED.read_bytes() == before


def test_the_command_says_that_all_is_as_locked(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["limits_lock"])
    with pytest.warns(RuntimeWarning, match="limits_lock"), pytest.raises(SystemExit) as exit_of:
        runpy.run_module("safety.limits_lock", run_name="__main__")
    assert exit_of.value.code == 0
    assert "matches limits.lock" in capsys.readouterr().out


def test_the_hash_is_of_names_and_values_and_not_of_their_order():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert len({digest(of) for of in ({"a": 1}, {"a": 2}, {"b": 1}, {"a": True}, {"a": "1"}, {"a": None})}) == 6


def test_a_lock_that_is_written_anew_keeps_its_lines(tmp_path):
    """So that a change of limits is a change of the lines of those limits, to whoever reads it."""
    path = tmp_path / "limits.lock"
    write("The first.", "2026-01-05", path=path)
    written, stored = path.read_text().splitlines(), limits_lock.STORED.read_text().splitlines()
    assert [line for line in written if line.startswith(' "values"')] == [' "values": {']
    assert written[written.index(' "values": {') :] == stored[stored.index(' "values": {') :]
    assert path.read_bytes().endswith(b"\n }\n}\n")


def test_names_with_an_underscore_before_them_and_sets_are_locked_too(monkeypatch):
    monkeypatch.setattr(limits, "_HIDDEN", frozenset({"b", "a"}), raising=False)
    monkeypatch.setattr(limits, "Mixed", 0.5, raising=False)  # no constant, by its name
    found = values()
    assert {name: value for name, value in found.items() if "HIDDEN" in name} == {
        "limits._HIDDEN.0": "a",
        "limits._HIDDEN.1": "b",
    }


def test_what_a_class_says_is_said_once_where_it_was_written():
    found = values()
    assert "limits.ArmScope.FITTING" not in found
    assert (found["orders.ArmScope.FITTING"], found["orders.Deliver.press"]) == ("fitting", 0)
    assert not [name for name in found if name.startswith("safety")]


def test_the_command_explains_itself(capsys, tmp_path):
    with pytest.raises(SystemExit) as end:
        main(["--help"], tmp_path / "limits.lock")
    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(
        "usage: python -m safety.limits_lock [-h] [--write RATIONALE] [--date DATE] [--signed SIGNED]"
    )
    assert "the day of the change, YYYY-MM-DD" in said


def test_who_does_not_say_otherwise_has_not_signed(tmp_path):
    path = tmp_path / "limits.lock"
    assert main(["--write", "The first.", "--date", "2026-01-05"], path) == 0
    assert json.loads(path.read_text())["signed"] == "unsigned: proposal"
    assert limits_lock.STORED.name == "limits.lock"
