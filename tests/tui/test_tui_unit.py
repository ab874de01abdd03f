"""What the check list and the alert line say of the unit: its warning, and why it is not there."""

from dataclasses import replace

from controller.tui import samples
from controller.tui.samples import NOW_NS, SampleFront
from controller.tui.screens.check import items
from controller.tui.view import View
from controller.tui.widgets.alert_line import alert_parts
from controller.vocabulary.facts import GatewayState


def view_of(status):
    return View.of(SampleFront(samples.snapshot(), status), NOW_NS)


def unit_of(view):
    return next(item for item in items(view) if item.name == "unit")


def test_a_units_warning_is_said_and_stops_nothing():
    view = view_of(replace(samples.status(), warning="The battery is down to 9 %. End the session soon."))
    assert not unit_of(view).stops
    assert "9 %" in unit_of(view).todo
    assert "9 %" in "".join(part if isinstance(part, str) else part[0] for part in alert_parts(view, ""))


def test_a_unit_that_is_not_there_says_what_the_gateway_knows():
    wrong = "This port was opened as a P24, but a x-IMU3 talks there."
    for state in (GatewayState.CLOSED, GatewayState.CONNECTED):
        unit = unit_of(view_of(replace(samples.status(state), unit="", blocked=wrong)))
        assert unit.stops
        assert unit.todo == wrong
