"""The pages say what the program does: rules, caps, keys, commands, links and examples are compared with the code."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from controller.cli.main import COMMANDS
from controller.drivers.stimulators.p24 import P24_LIMITS
from controller.session import model
from controller.session.conditions import Kind
from controller.session.loader import load_bytes
from controller.session.rules import RULES
from safety.limits import CAPS
from safety.rules import BODY_RULES, CHANNEL_RULE, ORDER_RULES, TRAIN_RULES, WITHOUT_LATCH

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
GUARD_RULES = (*ORDER_RULES, CHANNEL_RULE, *TRAIN_RULES, *BODY_RULES)
FOREIGN_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home|Users|mnt)\b")


def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name, first):
    """The cells of the table row whose first cell is `first`."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page(name).splitlines()
        if line.startswith(f"| {first} |")
    ]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(("number", "rule"), GUARD_RULES, ids=[number for number, _ in GUARD_RULES])
def test_every_guard_rule_stands_in_the_table_as_the_code_says_it(number, rule):
    says = " ".join(rule.__doc__.split("\n\n")[0].split())
    assert rows("docs/guard.md", number) == [[number, says, "no" if number in WITHOUT_LATCH else "yes"]]


@pytest.mark.parametrize("region", CAPS, ids=str)
def test_every_cap_stands_in_the_table(region):
    cap = CAPS[region]
    expected = [
        region.value,
        cap.muscles,
        f"{cap.amplitude_ua / 1000:g} mA",
        f"{cap.pulse_width_us} us",
        f"{1e6 / cap.period_us_min:g} Hz",
        f"{cap.charge_nc / 1000:g} uC",
        f"{cap.on_ms / 1000:g} s",
    ]
    assert rows("docs/guard.md", region.value) == [expected]


def test_the_caps_are_called_proposals():
    assert "proposals awaiting clinical sign-off" in page("docs/guard.md")
    assert "proposals awaiting clinical sign-off" in page("README.md")
    assert "Not a medical device" in page("README.md")


def parts():
    return [kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, BaseModel)]


@pytest.mark.parametrize("part", [part for part in parts() if part.model_fields], ids=lambda part: part.__name__)
def test_every_key_of_a_protocol_is_explained(part):
    text = page("docs/protocols.md")
    keys = [field.alias or name for name, field in part.model_fields.items()]
    assert [key for key in keys if not re.search(rf"[`{{ ]{key}[`:]", text)] == []


def test_every_rule_of_a_protocol_and_every_condition_is_named():
    for rule, says in RULES.items():
        assert rows("docs/protocols.md", rule) == [[rule, says]]
    assert [kind for kind in Kind if kind.value not in page("docs/protocols.md")] == []
    assert get_args(model.Protocol.model_fields["stimloop"].annotation) == ("1",)


def test_the_example_protocol_is_accepted():
    [example] = re.findall(r"```yaml\n(.*?)```", page("docs/protocols.md"), re.DOTALL)
    assert load_bytes(example.encode()).protocol.session.repetitions == 60


def test_the_page_of_the_p24_has_the_limits_that_the_guard_has():
    text = page("docs/devices/p24.md")
    most = P24_LIMITS
    assert f"up to {most.amplitude_ua_max // 1000} mA, grid {most.amplitude_step_ua / 1000:g} mA" in text
    assert f"{most.pulse_width_us_min} to {most.pulse_width_us_max} us, at most {most.points_max} points" in text
    assert f"to {most.period_us_max / 1e6:g} s" in text
    assert f"| channels | {most.channels} |" in text


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_commands_exist_and_paths_are_those_of_any_machine(path):
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"```\n(.*?)```", text, re.DOTALL):
        for command in re.findall(r"^(?:\.venv/bin/)?stimloop (\w+)", block, re.MULTILINE):
            assert command in COMMANDS
    assert FOREIGN_PATHS.findall(text) == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_files_that_are_named_exist(path):
    for name in re.findall(
        r"`((?:controller|safety|sim|tests|protocols|docs)/[\w./-]+\.\w+)`", path.read_text("utf-8")
    ):
        assert (ROOT / name).exists(), name


def test_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^(\w[\w-]*):", page("Makefile"), re.MULTILINE))
    named = {name for path in PAGES for name in re.findall(r"`make (\w[\w-]*)`", path.read_text("utf-8"))}
    assert named - targets == set()


def test_decisions_have_their_four_headings():
    headings = ["## Context", "## Options", "## Decision", "## Consequences"]
    decisions = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert len(decisions) >= 10
    for number, path in enumerate(decisions):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert path.name.startswith(f"{number:04d}-")
        assert [line for line in lines if line.startswith("## ")] == headings


def test_the_pictures_are_drawn_and_fetch_nothing():
    for name in ("run-screen", "fitting-screen"):
        text = page(f"docs/pictures/{name}.svg")
        assert "STOP" in text
        assert re.findall(r"url\([\"']?https?:", text) == []


def test_the_licence_is_whole():
    text = page("LICENSE")
    assert [f"   {number}. " in text for number in range(1, 10)] == [True] * 9
    assert "END OF TERMS AND CONDITIONS" in text
