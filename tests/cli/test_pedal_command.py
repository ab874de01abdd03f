"""`stimloop pedal`, pedals on `stimloop devices` and `doctor`, and what is refused before a session starts."""

import json
from types import SimpleNamespace

import pytest

from controller.assembly import house, pedals, start_check
from controller.assembly.demo import DemoPlan
from controller.assembly.protocols import CUED, shipped
from controller.assembly.start_check import check_start, mispedalled
from controller.cli.doctor import checks
from controller.cli.main import main
from controller.drivers.inputs import InputDevice, InputNode
from controller.session.faults import ProtocolRefused
from controller.session.loader import load

pytestmark = pytest.mark.hazard("H18")

UNIT, PUCK = "p24:/dev/ttyACM0", "ximu3:/dev/ttyACM1"


def device(serial, name, keys=3):
    node = InputNode("/dev/input/event7", serial, name, (0x3553, 0xB001), keys, "usb", (13, 71))
    return InputDevice(serial, name, node.usb, (node,))


@pytest.fixture
def plugged(monkeypatch):
    there = [device("FS-77", "FootSwitch")]
    monkeypatch.setattr(pedals, "devices", lambda: there)
    return there


def test_the_rule_is_printed_as_it_is_shipped(capsys):
    assert main(["pedal", "rule"]) == 0
    text = capsys.readouterr().out
    assert 'SUBSYSTEM!="input"' in text
    assert "/etc/udev/rules.d/71-stimloop-pedal.rules" in text


def test_pedals_are_listed_by_their_serial_numbers(plugged, capsys):
    assert main(["pedal", "list"]) == 0
    assert capsys.readouterr().out.startswith("FS-77 ")
    assert main(["pedal", "list", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["pedals"]
    assert (told["serial"], told["usb"], told["nodes"]) == ("FS-77", "3553:b001", ["/dev/input/event7"])


def test_devices_and_doctor_know_them(plugged, capsys, monkeypatch):
    monkeypatch.setattr("controller.assembly.devices.present", list)
    assert main(["devices"]) == 0
    assert "FS-77" in capsys.readouterr().out
    assert main(["devices", "--json"]) == 0
    assert [each["serial"] for each in json.loads(capsys.readouterr().out)["pedals"]] == ["FS-77"]
    (finding,) = checks()["foot pedal"]()
    assert "FS-77" in finding.text


@pytest.mark.parametrize(
    ("stop", "button", "said"),
    [
        ("FS-77", "FB-1", ""),
        ("", "", ""),
        ("/dev/pts/4", "socket://127.0.0.1:9", ""),
        ("FS-77", "FS-77", "this pedal stops; the button needs a pedal of its own"),
        ("/dev/input/event7", "", "name the pedal by its serial number"),
        ("", "FB-1 ", "no blanks"),
    ],
)
def test_pedals_that_cannot_be_meant_are_one_sentence(stop, button, said):
    told = mispedalled(stop, button)
    assert said in told
    assert bool(told) == bool(said)


@pytest.fixture
def terminal(monkeypatch):
    """As if somebody sat at a terminal; a screen that would open is remembered instead."""
    opened = []
    tty = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("controller.cli.screen.sys", SimpleNamespace(stdin=tty, stdout=tty, stderr=None))
    monkeypatch.setattr("controller.assembly.screen.session_on_screen", lambda options: opened.append(options) or 0)
    return opened


def test_the_screen_takes_both_pedals(terminal):
    assert main(["--unit", UNIT, "--puck", PUCK, "--pedal", "FS-77", "--button-pedal", "FB-1"]) == 0
    assert [(options.pedal, options.button_pedal) for options in terminal] == [("FS-77", "FB-1")]


def test_one_pedal_for_both_opens_no_screen(terminal):
    assert main(["--unit", UNIT, "--puck", PUCK, "--pedal", "FS-77", "--button-pedal", "FS-77"]) == 2
    assert terminal == []


def test_the_gateway_is_told_of_both(tmp_path):
    plan = house.HousePlan(UNIT, PUCK, shipped(CUED), tmp_path, tmp_path / "log", pedal="FS-77", button_pedal="FB-1")
    words = house.House._gateway_words(SimpleNamespace(plan=plan))
    assert words[words.index("--pedal") + 1] == "FS-77"
    assert words[words.index("--button-pedal") + 1] == "FB-1"


# -- what a session cannot start without ----------------------------------------------------------------------------


@pytest.fixture
def waits_for(tmp_path):
    """A protocol whose cue waits for this condition."""

    def write(condition):
        text = shipped(CUED).read_text(encoding="utf-8")
        path = tmp_path / "protocol.yaml"
        path.write_text(text.replace("{attempt: assist, after 6 s", f"{{{condition}: assist, after 6 s", 1))
        return path

    return write


@pytest.mark.parametrize(
    ("condition", "puck", "pedal", "said"),
    [
        ("attempt", "ximu3:x", "", ""),
        ("button", "ximu3:x", "", ""),
        ("button touch", "fitmi.yellow:/dev/pts/1", "", ""),
        ("load > 2 N", "textline:x", "", ""),
        ("button pedal", "ximu3:x", "FB-1", ""),
        ("button pedal", "ximu3:x", "", "no button pedal was named"),
        ("touch", "ximu3:x", "", "the x-IMU3 feels no touch"),
        ("touch", "witmotion:x", "FB-1", "feels no touch"),
        ("load > 2 N", "fitmi:/dev/pts/1", "", "the FitMi dongle tells no load in newton"),
    ],
)
def test_a_protocol_that_waits_for_what_is_not_there_is_refused_before_the_start(
    waits_for, condition, puck, pedal, said, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))  # no scales of this machine's own dongle
    loaded = load(waits_for(condition))
    if not said:
        check_start(loaded, puck, pedal)
        return
    with pytest.raises(ProtocolRefused, match="DEV001") as caught:
        check_start(loaded, puck, pedal)
    assert said in str(caught.value)


def test_a_demonstration_is_refused_in_the_same_words(waits_for, capsys):
    path = waits_for("button touch")
    assert main(["demo", "--headless", "--protocol", str(path)]) == 2
    assert "error DEV001" in capsys.readouterr().err
    assert DemoPlan(protocol=path, puck="fitmi").loaded()
    assert start_check.check_start is check_start
