"""The check list with a dongle of two pucks: the one that is used decides, the other is only shown."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.tui.samples import NOW_NS, SampleFront
from controller.tui.screens.check import check_parts, items
from controller.tui.view import View
from controller.tui.widgets.status_bar import bar_model
from controller.vocabulary.snapshot import PuckView

YELLOW = PuckView("yellow", "/dev/hidraw0", 99.0, 12, 0, "", battery_percent=80)
BLUE = PuckView("blue", "/dev/hidraw0", 0.0, -1, 0, "", battery_percent=60, used=False)


def view_of(*pucks):
    snapshot = replace(samples.snapshot(), pucks=pucks)
    return View.of(SampleFront(snapshot, samples.status()), NOW_NS)


def item_of(view, name):
    [found] = [item for item in items(view) if item.name == name]
    return found


def painted(parts):
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def test_both_pucks_stand_on_the_list_with_rate_age_and_battery():
    view = view_of(YELLOW, BLUE)
    assert item_of(view, "puck yellow").found == "/dev/hidraw0  99 Hz  fresh  battery 80 %  0 bad frames"
    assert item_of(view, "puck blue").found == "not used  /dev/hidraw0  0 Hz  nothing yet  battery 60 %  0 bad frames"
    text = painted(check_parts(view))
    assert " ✓ puck yellow" in text
    assert " · puck blue" in text


def test_a_puck_that_is_not_used_stands_in_nobodys_way():
    view = view_of(YELLOW, BLUE)
    assert not any(item.stops for item in items(view))
    assert "puck ●" in painted(bar_model(view).links)


def test_the_puck_that_is_used_does():
    view = view_of(replace(BLUE, used=True), replace(YELLOW, used=False))
    assert [item.name for item in items(view) if item.stops] == ["puck blue"]
    old = view_of(replace(YELLOW, age_ms=300), replace(BLUE, age_ms=5, rate_hz=100.0))
    assert [item.name for item in items(old) if item.stops] == ["puck yellow"]
    assert "puck ▲ 0.3 s old" in painted(bar_model(old).links)


def test_a_fresh_rate_with_no_sample_yet_is_not_fresh():
    assert item_of(view_of(replace(YELLOW, age_ms=-1)), "puck yellow").stops


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"battery_percent": 19}, "Its battery is low: charge it soon."),
        ({"battery_percent": 20}, ""),
        ({"battery_percent": -1}, ""),
        ({"remark": "fitmi.json is not used."}, "fitmi.json is not used."),
    ],
)
def test_a_low_battery_and_a_remark_are_said_and_stop_nothing(changes, said):
    item = item_of(view_of(replace(YELLOW, **changes)), "puck yellow")
    assert (item.todo, item.good, item.stops) == (said, True, False)


def test_a_battery_that_is_not_known_is_left_out():
    assert "battery" not in item_of(view_of(replace(YELLOW, battery_percent=-1)), "puck yellow").found
