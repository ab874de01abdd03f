"""--unit, --puck and --orthosis: a kind and a port at the screen, a kind alone for a demonstration."""

import sys
from types import SimpleNamespace

import pytest

from controller.assembly.named import misnamed
from controller.cli.main import main
from controller.drivers import registry

UNIT, PUCK, ORTHOSIS = "p24:/dev/ttyACM0", "ximu3:/dev/ttyACM1", "dynamixel:/dev/ttyUSB0"


@pytest.mark.parametrize("orthosis", [ORTHOSIS, None, ""])
@pytest.mark.parametrize("puck", [PUCK, "fitmi.yellow:/dev/hidraw0", "ximu3:usb:0012:34", "ximu3:socket://[::1]:9"])
def test_a_kind_and_a_port_of_its_own_is_right(puck, orthosis):
    assert misnamed(UNIT, puck, orthosis) == ""


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("/dev/ttyACM0", PUCK, None), "--unit /dev/ttyACM0: name the kind and the port, for example --unit p24:"),
        (("p24", PUCK, None), "name the kind and the port"),
        (("p24:", PUCK, None), "name the kind and the port"),
        (("P24:/dev/ttyACM0", PUCK, None), "there is no stimulator 'P24'; there are p24"),
        ((UNIT, "p24:/dev/ttyACM1", None), "--puck p24:/dev/ttyACM1: 'p24' is a device for --unit, not for --puck"),
        ((UNIT, PUCK, "ximu3:/dev/ttyUSB0"), "'ximu3' is a device for --puck, not for --orthosis"),
        ((UNIT, PUCK, "splint:/dev/ttyUSB0"), "there is no orthosis 'splint'; there are dynamixel"),
        (("p24.a:/dev/ttyACM0", PUCK, None), "there is no stimulator 'p24.a'; there are p24"),
        ((UNIT, "ximu3:/dev/ttyACM0", None), "--unit names the same port"),
        ((UNIT, PUCK, "dynamixel:/dev/ttyACM1"), "--puck names the same port"),
    ],
)
def test_a_wrong_name_is_one_sentence_with_the_option_and_what_was_written(names, said):
    told = misnamed(*names)
    assert said in told
    assert told.startswith("--")
    assert "\n" not in told


class Terminal:
    """`sys` as it is at a terminal; what is printed goes where it always does."""

    stdin = stdout = SimpleNamespace(isatty=lambda: True)

    @property
    def stderr(self):
        return sys.stderr


@pytest.fixture
def terminal(capsys, monkeypatch):
    """As if somebody sat at a terminal, with what is printed kept."""
    monkeypatch.setattr("controller.cli.screen.sys", Terminal())


def test_options_alone_open_the_screen_and_screen_is_its_name_too(capsys, terminal, monkeypatch):
    opened = []
    monkeypatch.setattr("controller.assembly.screen.session_on_screen", lambda options: opened.append(options) or 0)
    for words in ([], ["screen"]):
        assert main([*words, "--unit", UNIT, "--puck", PUCK, "--orthosis", ORTHOSIS]) == 0
    assert [(one.unit, one.puck, one.orthosis) for one in opened] == [(UNIT, PUCK, ORTHOSIS)] * 2
    assert capsys.readouterr().err == ""


def test_at_the_screen_a_wrong_name_is_a_matter_of_usage(capsys, terminal):
    assert main(["--unit", "p24", "--puck", PUCK]) == 2
    assert capsys.readouterr().err == (
        "stimloop: --unit p24: name the kind and the port, for example --unit p24:/dev/ttyACM0\n"
    )
    assert main(["--unit", UNIT]) == 2
    told = capsys.readouterr().err
    assert "stimloop --unit p24:/dev/ttyACM0 --puck ximu3:/dev/ttyACM1" in told
    assert "stimloop devices" in told


@pytest.mark.parametrize("words", [["--unit"], ["--nonsense"], ["-x"]])
def test_an_option_that_is_none_is_told_with_the_usage_of_the_screen(words, capsys):
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.startswith("usage: stimloop [-h] [--unit KIND:PORT]")
    assert words[0] in told


def test_the_screens_help_names_the_form_and_every_kind(capsys):
    assert main(["screen", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"{option} KIND:PORT" in told for option in ("--unit", "--puck", "--orthosis"))
    words = told.replace(",", " ").replace(".", " ").split()
    assert {kind for group in registry.OWN for kind in registry.own(group)} <= set(words)
    assert main(["--help"]) == 0
    assert "stimloop --unit KIND:PORT --puck KIND:PORT [--orthosis KIND:PORT]" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--unit", "--puck", "--orthosis"])
def test_a_demonstration_takes_a_kind_alone_and_says_so(option, capsys):
    named = {"--unit": UNIT, "--puck": PUCK, "--orthosis": ORTHOSIS}[option]
    assert main(["demo", "--headless", option, named]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"name the kind alone ({option} {named.partition(':')[0]})" in told
    assert f"stimloop {option} {named}" in told
    assert main(["demo", "--headless", option, "nonsense"]) == 2
    assert "there is no 'nonsense' to simulate; there are" in capsys.readouterr().err


def test_the_demonstrations_help_shows_kinds(capsys):
    assert main(["demo", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert all(f"{option} KIND" in told for option in ("--unit", "--puck", "--orthosis"))
    assert "default p24; kinds: p24, p24-low" in told
