"""The doctor: each check on a machine that the test brings, the report, and the start-up self-test."""

import importlib.metadata
import json
import os
from types import SimpleNamespace

import pytest

from controller.assembly import doctor, doctor_ports
from controller.assembly.doctor import Finding, Level
from controller.cli.doctor import checks, render, run
from controller.cli.main import COMMANDS, main
from controller.gateway.selftest import PACKAGES, package_folders, self_test
from safety import digest

WELL, NOTE, FAULT = Level.OK, Level.NOTE, Level.FAULT


def levels(findings):
    return [finding.level for finding in findings]


def port(device, vid=None, pid=None, description="n/a"):
    return SimpleNamespace(device=str(device), vid=vid, pid=pid, description=description)


# -- the self-test ----------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    """A whole tree of the four packages, with a `safety/` that matches its digest."""
    for name in PACKAGES:
        (tmp_path / name).mkdir()
    (tmp_path / "safety" / "limits.py").write_text("CAP = 1\n")
    (tmp_path / "safety" / digest.STORED).write_text(digest.compute(tmp_path / "safety") + "\n")
    return tmp_path


def test_the_self_test_passes_on_this_installation():
    parents = {folder.parent for name in PACKAGES for folder in package_folders(name)}
    assert parents == {digest.FOLDER.parent}
    assert self_test(safety_folder=digest.FOLDER) == [] or not digest.matches()


def test_a_whole_tree_is_well(tree):
    assert self_test(lambda name: [tree / name], tree / "safety") == []


def test_a_changed_file_of_safety_is_found(tree):
    (tree / "safety" / "limits.py").write_text("CAP = 2\n")
    [fault] = self_test(lambda name: [tree / name], tree / "safety")
    assert "make digest" in fault


def test_a_package_from_elsewhere_is_found(tree):
    stranger = tree / "elsewhere" / "sim"
    [fault] = self_test(lambda name: [stranger if name == "sim" else tree / name], tree / "safety")
    assert str(stranger.parent) in fault


def test_a_package_in_two_pieces_is_found(tree):
    pieces = [tree / "protocols", tree / "elsewhere" / "protocols"]
    found = self_test(lambda name: pieces if name == "protocols" else [tree / name], tree / "safety")
    assert [str(pieces[1]) in fault for fault in found] == [True]


def test_a_missing_package_is_found(tree):
    [fault] = self_test(lambda name: [] if name == "sim" else [tree / name], tree / "safety")
    assert "sim is missing" in fault
    assert package_folders("no_such_package_of_ours") == []


# -- the program ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "level"), [("Linux", WELL), ("Darwin", NOTE), ("Windows", FAULT)])
def test_the_system(name, level):
    assert levels(doctor.system(name, "x86_64")) == [level]


@pytest.mark.parametrize(
    ("version", "level"), [((3, 10, 9), FAULT), ((3, 11, 0), WELL), ((3, 13, 9), WELL), ((3, 14, 0), FAULT)]
)
def test_the_version_of_python(version, level):
    assert levels(doctor.python(version)) == [level]


def test_every_part_is_named_with_its_version():
    findings = doctor.versions()
    assert [finding.name for finding in findings] == list(doctor.PARTS)
    assert all(finding.text == importlib.metadata.version(finding.name) for finding in findings)


def test_a_missing_part_and_the_stranger_named_safety_are_faults():
    def find(name):
        if name == "numpy":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    faults = {finding.name for finding in doctor.versions(find) if finding.level is FAULT}
    assert faults == {"numpy", "safety"}


# -- the machine ------------------------------------------------------------------------------------------------------


def test_one_processor_is_a_note():
    assert levels(doctor.processors(1)) == [NOTE]
    assert levels(doctor.processors(2)) == [WELL]


def test_no_clock_that_counts_sleep_is_a_note():
    assert levels(doctor.clock(None)) == [NOTE]
    assert "resolution" in doctor.clock()[0].text or doctor.clock()[0].level is NOTE


def test_the_runtime_folder_is_of_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert levels(doctor.runtime()) == [WELL]
    [folder] = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_runtime_folder_that_cannot_be_or_is_too_deep_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
    assert levels(doctor.runtime()) == [FAULT]
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    [finding] = doctor.runtime()
    assert finding.level is FAULT
    assert "short" in finding.todo


def test_the_data_folder_is_not_made_and_little_room_is_a_note(tmp_path):
    root = tmp_path / "records" / "sessions"
    assert levels(doctor.data_folder(root, doctor.FREE_BYTES_MIN)) == [WELL]
    assert levels(doctor.data_folder(root, doctor.FREE_BYTES_MIN - 1)) == [NOTE]
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_under_a_file_is_a_fault(tmp_path):
    (tmp_path / "file").write_text("")
    assert levels(doctor.data_folder(tmp_path / "file" / "sessions")) == [FAULT]


# -- the terminal -----------------------------------------------------------------------------------------------------

COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("size", "environment", "encoding", "expected"),
    [
        (None, COLOURS, "UTF-8", [NOTE]),
        ((80, 24), COLOURS, "utf8", [WELL, WELL]),
        ((79, 24), COLOURS, "UTF-8", [FAULT, WELL]),
        ((80, 23), COLOURS, "UTF-8", [FAULT, WELL]),
        ((80, 24), {"TERM": "dumb"}, "UTF-8", [FAULT, NOTE]),
        ((80, 24), {}, "UTF-8", [FAULT, NOTE]),
        ((80, 24), {"TERM": "xterm-256color"}, "UTF-8", [WELL, WELL]),
        ((80, 24), COLOURS | {"NO_COLOR": "1"}, "UTF-8", [WELL, NOTE]),
        ((80, 24), COLOURS | {"NO_COLOR": ""}, "UTF-8", [WELL, WELL]),
        ((160, 50), COLOURS, "ANSI_X3.4-1968", [WELL, NOTE, WELL]),
    ],
)
def test_the_terminal(size, environment, encoding, expected):
    assert levels(doctor.terminal(size, environment, encoding)) == expected


# -- the ports --------------------------------------------------------------------------------------------------------


def test_no_serial_port_is_a_note():
    assert levels(doctor_ports.serial_ports([])) == [NOTE]


def test_a_p24_is_named_and_other_ports_say_what_they_are(tmp_path):
    for name in ("ttyACM0", "ttyUSB0"):
        (tmp_path / name).write_text("")
    other = port(tmp_path / "ttyUSB0", 0x0403, 0x6001, "FT232R")
    findings = doctor_ports.serial_ports([other, port(tmp_path / "ttyACM0", 0x0483, 0x5740)])
    assert levels(findings) == [WELL, WELL]
    assert "P24" in findings[0].text
    assert "FT232R (0403:6001)" in findings[1].text


def test_a_port_that_is_not_ours_is_a_fault_only_where_a_unit_may_hang_on_it(monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    findings = doctor_ports.serial_ports([port("/dev/ttyACM0", 0x0483, 0x5740), port("/dev/ttyS0")])
    assert levels(findings) == [FAULT, NOTE]
    assert all("dialout" in finding.todo for finding in findings)


@pytest.mark.parametrize(("kept_ms", "level"), [("16\n", NOTE), ("1\n", WELL)])
def test_the_latency_timer_comes_with_the_command_that_changes_it(tmp_path, kept_ms, level):
    timer = tmp_path / "ttyUSB3" / "latency_timer"
    timer.parent.mkdir()
    timer.write_text(kept_ms)
    (tmp_path / "ttyUSB4").mkdir()
    [finding] = doctor_ports.latency_timers(tmp_path)
    assert finding.level is level
    assert "/dev/ttyUSB3" in finding.text
    assert (f"sudo tee {timer}" in finding.todo) == (level is NOTE)


@pytest.fixture
def hidraw(tmp_path):
    """A machine with a keyboard, an entry without a description, and a FitMi dongle on hidraw2."""
    classes, nodes = tmp_path / "class", tmp_path / "dev"
    nodes.mkdir()
    for name, usb_id in (("hidraw0", "0003:0000046D:0000C31C"), ("hidraw1", ""), ("hidraw2", "0003:000004D8:00002742")):
        (classes / name / "device").mkdir(parents=True)
        (nodes / name).write_text("")
        if usb_id:
            (classes / name / "device" / "uevent").write_text(f"DRIVER=hid-generic\nHID_ID={usb_id}\n")
    return classes, nodes


def test_the_dongle_is_found_by_its_usb_numbers(hidraw):
    [finding] = doctor_ports.fitmi_dongles(*hidraw)
    assert finding.level is WELL
    assert finding.text.endswith("hidraw2")


def test_a_dongle_that_is_not_ours_brings_the_rule_that_helps(hidraw, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    [finding] = doctor_ports.fitmi_dongles(*hidraw)
    assert finding.level is FAULT
    assert finding.todo.startswith("stimloop fitmi rule | sudo tee /etc/udev/rules.d/70-stimloop-fitmi.rules")


def test_a_file_of_scales_is_named_and_a_broken_one_is_a_note(tmp_path):
    path = tmp_path / "fitmi.json"
    assert doctor_ports.fitmi_scales(path) == []
    path.write_text('{"format": 1, "dongles": {}}')
    assert levels(doctor_ports.fitmi_scales(path)) == [WELL]
    path.write_text("{")
    [finding] = doctor_ports.fitmi_scales(path)
    assert finding.level is NOTE
    assert "stimloop fitmi calibrate" in finding.todo


def test_no_dongle_is_a_note(tmp_path):
    assert levels(doctor_ports.fitmi_dongles(tmp_path, tmp_path)) == [NOTE]


# -- the report -------------------------------------------------------------------------------------------------------


def test_a_check_that_breaks_off_is_a_fault_and_the_others_go_on():
    def broken():
        raise PermissionError("no")

    findings = doctor.examine({"first": broken, "second": lambda: [Finding(WELL, "second", "fine")]})
    assert levels(findings) == [FAULT, WELL]
    assert findings[0].name == "first"


def test_a_line_has_its_level_first_and_what_to_do_below():
    assert render(Finding(WELL, "clock", "good")) == "ok     clock           good"
    assert render(Finding(FAULT, "clock", "bad", "mend it")).splitlines()[1].strip() == "> mend it"


@pytest.fixture
def report(monkeypatch, capsys):
    """Runs the command on one finding of a given level: (exit code, what was printed)."""

    def run_with(level, as_json):
        found = {"x": lambda: [Finding(level, "x", "text", "todo")]}
        monkeypatch.setattr("controller.cli.doctor.checks", lambda: found)
        return run(SimpleNamespace(json=as_json)), capsys.readouterr().out

    return run_with


@pytest.mark.parametrize(("level", "code"), [(WELL, 0), (NOTE, 0), (FAULT, 1)])
def test_only_a_fault_makes_the_command_fail(report, level, code):
    assert report(level, False)[0] == code
    found, text = report(level, True)
    told = json.loads(text)
    assert found == code
    assert told["ok"] is (code == 0)
    assert told["findings"] == [{"level": str(level), "name": "x", "text": "text", "todo": "todo"}]


def test_the_command_looks_at_this_machine(capsys):
    assert "doctor" in COMMANDS
    assert main(["doctor", "--json"]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    names = {finding["name"] for finding in told["findings"]}
    assert {"system", "Python", "stimloop", "self-test", "clock", "runtime folder", "data folder"} <= names
    assert told["faults"] == sum(finding["level"] == "fault" for finding in told["findings"])
    assert all(finding["todo"] for finding in told["findings"] if finding["level"] != "ok")
    assert set(checks()) >= {"serial ports", "latency timer", "FitMi dongle"}
