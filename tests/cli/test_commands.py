"""The front door: exit codes, one JSON object where it was asked for, and no traceback for anybody."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from controller.assembly.protocols import CUED, PROPORTIONAL, SELF_PACED, shipped
from controller.channel import stopline
from controller.cli import main as front_door
from controller.cli.main import COMMANDS, main

DEMO_KEYS = {
    "attempts",
    "triggers",
    "trigger_times_s",
    "assisted",
    "completed",
    "missed",
    "refused",
    "pulses",
    "charge_uc",
    "latency_ms",
    "session",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """`stimloop demo --headless --json` on the virtual clock: exit code, object, everything on stdout."""
    folder = tmp_path_factory.mktemp("demo")
    words = ["demo", "--headless", "--json", "--speed", "max", "--repetitions", "2", "--data", str(folder)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "controller.cli.main", *words], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout), done.stdout


@pytest.fixture
def session(demo):
    return demo[1]["session"]


def bad_protocol(tmp_path):
    text = shipped(CUED).read_text()
    path = tmp_path / "bad.yaml"
    path.write_text(
        text.replace("amplitude: 25 mA", "amplitude: 25 ma").replace("pulse_width: 250 us", "width: 250 us")
    )
    return path


# -- the door itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version(capsys, word):
    assert main([word]) == 0
    out = capsys.readouterr().out
    assert out.startswith("stimloop 0.")
    assert "not a medical device" in out


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_names_every_command(capsys, word):
    assert main([word]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "screen"])
def test_every_command_has_its_own_help(capsys, name):
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: stimloop {name}")


@pytest.mark.parametrize("words", [["stpo"], ["Demo"], ["screen "]])
def test_an_unknown_command_is_usage(capsys, words):
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"there is no command {words[0]!r}" in told.err
    assert "usage: stimloop" in told.err


@pytest.mark.parametrize("words", [["demo", "--speed", "fast"], ["log"], ["protocol", "bless", "x"], ["verify"]])
def test_wrong_arguments_are_usage(capsys, words):
    assert main(words) == 2
    assert f"usage: stimloop {words[0]}" in capsys.readouterr().err


def test_without_a_terminal_the_screen_says_what_to_do_instead(capsys):
    assert main([]) == 2
    assert "stimloop demo --headless" in capsys.readouterr().err


def test_what_was_not_foreseen_is_one_sentence_and_a_file(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("controller.cli.stop.press_stop", lambda folder: 1 // 0)
    assert main(["stop"]) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "not foreseen" in told.err
    assert "Traceback" not in told.err
    crash = tmp_path / ".cache" / "stimloop" / "crash.txt"
    assert "ZeroDivisionError" in crash.read_text()


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 0)])
def test_who_interrupts_or_has_seen_enough_gets_no_complaint(capsys, monkeypatch, raised, code):
    def end(folder):
        raise raised

    monkeypatch.setattr("controller.cli.stop.press_stop", end)
    assert main(["stop"]) == code
    assert capsys.readouterr().err == ""


def test_the_console_script_is_this_door():
    (script,) = [path for path in [Path(sys.executable).with_name("stimloop")] if path.exists()] or [None]
    if script is None:
        pytest.skip("the console script is not installed beside this interpreter")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert front_door.main(["--version"]) == 0


# -- protocol check ---------------------------------------------------------------------------------------------------


def test_good_protocols(capsys):
    files = [str(shipped(name)) for name in (CUED, SELF_PACED, PROPORTIONAL)]
    assert main(["protocol", "check", *files]) == 0
    out = capsys.readouterr().out
    assert out.count(": good (") == 3
    assert main(["protocol", "check", *files, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"files": {name: [] for name in files}, "faults": 0}


def test_a_bad_protocol_shows_every_fault_with_line_and_fix(capsys, tmp_path):
    path = bad_protocol(tmp_path)
    lines = path.read_text().splitlines()
    assert main(["protocol", "check", str(path)]) == 1
    out = capsys.readouterr().out
    amplitude = 1 + next(n for n, line in enumerate(lines) if "25 ma" in line)
    width = 1 + next(n for n, line in enumerate(lines) if "width: 250" in line)
    assert f"{path}:{amplitude}:" in out
    assert f"{path}:{width}:" in out
    assert "^" in out
    assert main(["protocol", "check", str(path), str(shipped(CUED)), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["faults"] == len(told["files"][str(path)]) >= 2
    assert told["files"][str(shipped(CUED))] == []


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"- a list\n"])
def test_what_is_no_protocol_is_a_fault_and_no_crash(capsys, tmp_path, content):
    path = tmp_path / "thing.yaml"
    if content is not None:
        path.write_bytes(content)
    assert main(["protocol", "check", str(path)]) == 1
    told = capsys.readouterr()
    assert str(path) in told.out
    assert told.err == ""


# -- demo -------------------------------------------------------------------------------------------------------------


def test_demo_gives_one_object_with_the_agreed_keys(demo):
    code, told, out = demo
    assert code == 0
    assert out.count("\n") == 1
    assert set(told) >= DEMO_KEYS
    assert set(told) - DEMO_KEYS <= {"ended"}
    assert told["completed"] == 2
    assert told["attempts"] == told["triggers"] == told["assisted"] == len(told["trigger_times_s"])
    assert told["refused"] == 0
    assert told["latency_ms"] is None
    assert told["pulses"] > 0
    assert told["charge_uc"] > 0
    assert Path(told["session"]).is_dir()


def test_demo_without_json_prints_the_training_log(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["demo", "--headless", "--repetitions", "1", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "lift the hand" in out
    assert f"The record is in {tmp_path}" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--repetitions", "0"], "--repetitions takes 1 to 1200"),
        (["--motion", "nowhere.npz:05"], "nowhere.npz"),
        (["--motion", "nocolon"], "nocolon"),
    ],
)
def test_demo_that_cannot_be_given_says_why(capsys, words, sentence):
    assert main(["demo", "--headless", *words]) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.startswith("stimloop demo: ")
    assert told.out == ""


def test_demo_refuses_a_bad_protocol_as_the_check_does(capsys, tmp_path):
    assert main(["demo", "--headless", "--protocol", str(bad_protocol(tmp_path))]) == 2
    assert "25 ma" in capsys.readouterr().err


# -- verify and log ---------------------------------------------------------------------------------------------------


def test_verify_and_log_of_a_session(capsys, session):
    assert main(["verify", session]) == 0
    assert "intact" in capsys.readouterr().out
    assert main(["verify", session, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert told["sessions"][0]["ended"] == "normal"
    assert main(["log", session]) == 0
    assert "lift the hand" in capsys.readouterr().out
    assert main(["log", session, "--json"]) == 0
    log = json.loads(capsys.readouterr().out)
    assert log["patient"] == "SIM01"
    assert [row["outcome"] for row in log["rows"]].count("completed") == 2
    assert log["total"]["completed"] == 2


def test_verify_finds_a_changed_byte(capsys, session, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(session, copy)
    path = copy / "events.jsonl"
    content = bytearray(path.read_bytes())
    at = content.index(b"threshold_dps")
    content[at] ^= 1
    path.write_bytes(bytes(content))
    assert main(["verify", str(copy)]) == 1
    assert "NOT intact" in capsys.readouterr().out
    assert main(["verify", session, str(copy), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [one["ok"] for one in told["sessions"]] == [True, False]


@pytest.mark.parametrize("name", ["verify", "log"])
def test_no_session_there_is_usage(capsys, tmp_path, name):
    assert main([name, str(tmp_path / "nothing")]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"stimloop {name}: ")
    assert told.err.count("\n") == 1


# -- stop -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return stopline.runtime_folder()


def test_stop_without_a_session(capsys, runtime):
    assert main(["stop"]) == 0
    assert capsys.readouterr().out == "No session is running on this machine for this user.\n"
    assert main(["stop", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"confirmed": 0, "silent": 0}


def test_a_gateway_that_does_not_answer_means_pull_the_leads(capsys, runtime, monkeypatch):
    monkeypatch.setattr("controller.cli.stop.press_stop", lambda folder: (1, 1))
    assert main(["stop"]) == 1
    assert "PULL THE LEADS" in capsys.readouterr().out
