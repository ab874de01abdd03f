"""Simulated and real are never taken for one another: in words on the bar and the check list, and by another ground."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.tui.samples import NOW_NS, SampleFront
from controller.tui.screens.check import items
from controller.tui.view import View
from controller.tui.widgets.status_bar import bar_model, bar_parts, is_real
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.stages import SHOWN, Stage

pytestmark = pytest.mark.hazard("H40")
REAL = [stage for stage in Stage if stage is not Stage.SIMULATED]


def view(status):
    return View.of(SampleFront(samples.snapshot(), status), NOW_NS)


def row(shown, width=80):
    return "".join(part if isinstance(part, str) else part[0] for part in bar_parts(bar_model(shown), width))


def test_each_stage_has_words_of_its_own():
    assert len(set(SHOWN.values())) == len(Stage)


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("stage", REAL)
def test_the_bar_says_the_stage_while_current_flows(stage, width):
    shown = row(view(samples.real(samples.status(GatewayState.DELIVERING, 12_500), stage)), width)
    assert SHOWN[stage] in shown
    assert "SIMULATED" not in shown
    assert "STIM ON ch1 12.5 mA" in shown
    assert shown.endswith(" F12 STOP ")
    assert len(shown) == width


def test_the_bar_says_simulated_and_nothing_before_the_unit_has_a_name():
    assert "SIMULATED" in row(view(samples.status()))
    nameless = view(replace(samples.status(GatewayState.CONNECTED), unit="", stage=Stage.NONE))
    assert not is_real(nameless)
    assert not [words for words in SHOWN.values() if words in row(nameless)]


@pytest.mark.parametrize("stage", REAL)
def test_the_check_list_says_what_a_real_unit_may_do_and_who_answers_for_it(stage):
    listed = {item.name: item for item in items(view(samples.real(samples.status(), stage)))}
    unit = listed["unit"]
    assert unit.good is (stage is not Stage.NONE)
    assert "P24-0815" in unit.found
    assert SHOWN[stage] in unit.found
    assert ("authorisation file" in unit.todo) is (stage is Stage.NONE)
    assert ("operator" in listed) is (stage is not Stage.NONE)


async def test_a_real_unit_gives_the_screen_another_ground_and_a_simulated_one_takes_it_away(make_app):
    front = SampleFront(samples.snapshot(), samples.real(samples.status()))
    app = make_app(front)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.pause()
        assert app.screen.has_class("-real")
        ground = app.screen.query_one("#keys").styles.background
        front.status = samples.status()
        await app.tick()
        await pilot.pause()
        assert not app.screen.has_class("-real")
        assert app.screen.query_one("#keys").styles.background != ground
