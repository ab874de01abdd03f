"""`stimloop authorise`, what `doctor` says of the file, and the kind of a unit that is named by its port alone."""

from datetime import date, timedelta

import pytest

from controller.assembly import named
from controller.assembly.devices import Found
from controller.assembly.doctor import Level, authorisation
from controller.assembly.screen import patients
from controller.cli.main import main
from controller.gateway.authorisation import template

pytestmark = pytest.mark.hazard("H40")
TODAY = date.today()
BOX, BUTTON = "resistor box", "button-triggered"


@pytest.fixture
def file(tmp_path):
    tmp_path.chmod(0o700)
    return tmp_path / "a.toml"


def write(file, operator="m.weiss", stage="resistor box", days=30):
    text = template("Bench", "P24-0815", operator, "Head", TODAY - timedelta(days=60), TODAY + timedelta(days=days))
    if stage != "resistor box":
        day = TODAY - timedelta(days=70)
        record = f'resistor_box = {{ done = {day}, by = "E" }}\n'
        text = text.replace('stage = "resistor box" ', f'{record}stage = "{stage}" ')
    file.write_text(text)
    file.chmod(0o600)


def test_a_new_file_is_valid_is_ones_own_and_is_never_written_over(file, capsys):
    assert main(["authorise", "new", str(file), "--unit", "P24-0815", "--operator", "m.weiss"]) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert main(["authorise", "check", str(file)]) == 0
    assert "P24-0815  m.weiss  resistor box  until" in capsys.readouterr().out
    before = file.read_bytes()
    assert main(["authorise", "new", str(file)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert main(["authorise", "new", str(file.with_name("b.toml")), "--days", "400"]) == 2


def test_check_says_what_is_wrong_and_what_has_expired(file, capsys):
    assert main(["authorise", "check", str(file)]) == 2
    assert "only simulated devices" in capsys.readouterr().err
    write(file, days=-1)
    assert main(["authorise", "check", str(file)]) == 0
    assert "EXPIRED" in capsys.readouterr().out
    file.write_text("format = 2\n")
    assert main(["authorise", "check", str(file)]) == 1
    assert f"{file}, line 1: `format` must be 1." in capsys.readouterr().err


def test_the_doctor_looks_at_it(file):
    assert [found.level for found in authorisation(file, TODAY)] == [Level.NOTE]
    write(file)
    assert [found.level for found in authorisation(file, TODAY)] == [Level.OK]
    write(file, days=-1)
    assert [found.level for found in authorisation(file, TODAY)] == [Level.NOTE]
    file.chmod(0o666)
    assert [found.level for found in authorisation(file, TODAY)] == [Level.FAULT]


@pytest.fixture
def plugged(monkeypatch):
    ports = [
        Found("S1", "/dev/ttyACM0", "0483:5740", "P24", ("p24",)),
        Found("S2", "/dev/ttyUSB0", "0403:6001", "FTDI", ("rehastim2", "rehamove3")),
        Found("S3", "/dev/ttyUSB1", "1111:2222", "one", ("only",)),
    ]
    monkeypatch.setattr(named, "connected", lambda: ports)


@pytest.mark.parametrize(
    ("stage", "operator", "kind"),
    [
        ("resistor box", "m.weiss", "p24-low"),
        ("button-triggered", "m.weiss", "p24"),
        ("button-triggered", "x", "p24-low"),
    ],
)
@pytest.mark.parametrize("port", ["/dev/ttyACM0", "usb:S1"])
def test_on_the_bench_a_p24_is_driven_pulse_by_pulse_unless_named(file, plugged, port, stage, operator, kind):
    write(file, stage=stage)
    assert named.with_kind(port, operator, file) == f"{kind}:{port}"
    assert named.with_kind(f"p24:{port}", operator, file) == f"p24:{port}"


def test_a_port_of_which_the_kind_is_not_sure_stays_without_one(file, plugged):
    assert named.with_kind("/dev/ttyUSB0", "", file) == "/dev/ttyUSB0"
    assert named.with_kind("/dev/ttyUSB1", "", file) == "only:/dev/ttyUSB1"
    assert named.with_kind("/dev/nothing", "", file) == "/dev/nothing"
    assert named.misnamed("/dev/ttyUSB0", "ximu3:/dev/x", None) != ""


def test_the_list_of_patients_has_the_test_load_and_who_was_named():
    assert [one.pseudonym for one in patients(None, "left")] == ["SIM01", "RESISTOR"]
    named_one, *_ = patients("P007", "left")
    assert (named_one.pseudonym, named_one.affected_side, named_one.simulated) == ("P007", "left", False)
