"""`stimloop devices`: what is there by serial number, and who answers on a port that a twin stands on."""

import json

import pytest

from controller.assembly import devices
from controller.assembly.simulated import SimulatedDevices, SimulatedPlan
from controller.cli.main import main
from controller.drivers.presence import Present


@pytest.fixture
def shelf(tmp_path):
    """A P24 and an x-IMU3, simulated, on real terminals."""
    served = SimulatedDevices(SimulatedPlan(seed=1, log=tmp_path / "twins.jsonl"))
    yield served
    served.close()


@pytest.fixture
def plugged(monkeypatch):
    there = [
        Present("/dev/ttyACM0", "P24-0017", (0x0483, 0x5740), "P24"),
        Present("/dev/ttyS0", "", None, "on board"),
    ]
    monkeypatch.setattr(devices, "present", lambda: there)


def test_what_is_plugged_in_is_listed_by_serial_number(plugged, capsys):
    assert main(["devices"]) == 0
    text = capsys.readouterr().out
    assert text.index("P24-0017") < text.index("/dev/ttyACM0") < text.index("/dev/ttyS0")
    assert "may be: p24" in text
    assert main(["devices", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    first, second = told["devices"]
    assert (first["serial"], first["path"], first["usb"]) == ("P24-0017", "/dev/ttyACM0", "0483:5740")
    assert "p24" in first["kinds"]
    assert (second["serial"], second["kinds"]) == ("", [])
    assert told["asked"] == []


def test_nothing_plugged_in_is_no_fault(monkeypatch, capsys):
    monkeypatch.setattr(devices, "present", list)
    assert main(["devices"]) == 0
    assert "stimloop demo" in capsys.readouterr().out


def test_the_right_device_says_who_it_is(shelf, capsys):
    assert main(["devices", "--json", "--ask", shelf.port("p24"), "--ask", shelf.port("ximu3")]) == 0
    unit, puck = json.loads(capsys.readouterr().out)["asked"]
    assert unit["identity"] == "SIM0P24001"
    assert puck["identity"] == "x-IMU3"


def test_the_wrong_device_is_refused_with_a_sentence_that_names_both(shelf, capsys):
    assert main(["devices", "--ask", f"p24:{shelf.url('ximu3')}"]) == 1
    said = capsys.readouterr().out
    assert "opened as a P24" in said
    assert "x-IMU3 talks there" in said


def test_a_silent_port_and_a_missing_one_are_said(shelf, capsys):
    assert main(["devices", "--ask", f"ximu3:{shelf.url('p24')}"]) == 1
    assert "Nothing answers as a x-IMU3" in capsys.readouterr().out
    assert main(["devices", "--ask", "p24:/dev/ttyACM99"]) == 1
    assert "plug the device in" in capsys.readouterr().out.lower()


def test_a_name_that_is_none_is_a_matter_of_usage(capsys):
    for named, said in (("p24", "name the kind and the port"), ("p42:/dev/null", "there is no device 'p42'")):
        assert main(["devices", "--ask", named]) == 2
        assert said in capsys.readouterr().err
