"""A protocol that this unit cannot carry out is said before arming, with both named."""

from dataclasses import replace

import pytest

from controller.drivers.stimulators.p24 import P24_LIMITS
from controller.gateway.fitness import misfit
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.notices import Constrain

pytestmark = pytest.mark.hazard("H11", "H25")

WISH = Constrain(1, "forearm", 2_500, 25_000, 250, 29_000, 8_000)
SMALL = replace(
    P24_LIMITS, name="Small", channels=4, pulse_width_us_min=20, pulse_width_us_max=300, period_us_min=25_000
)


def test_what_fits_is_silent():
    assert misfit(SMALL, []) == ""
    assert misfit(SMALL, [WISH, replace(WISH, channel=4)]) == ""


def test_each_misfit_names_what_is_asked_and_what_there_is():
    assert "channel 5" in misfit(SMALL, [replace(WISH, channel=5)])
    assert "channels 1 to 4" in misfit(SMALL, [replace(WISH, channel=0)])
    for width in (19, 301):
        assert f"{width} us" in misfit(SMALL, [replace(WISH, pulse_width_us=width)])
    assert "40 Hz at most" in misfit(SMALL, [replace(WISH, period_us_min=24_500)])
    for wish in (replace(WISH, channel=5), replace(WISH, pulse_width_us=301), replace(WISH, period_us_min=24_500)):
        assert misfit(SMALL, [wish]).endswith("Choose another protocol or another unit.")


def test_one_frequency_for_all_where_the_unit_has_only_one():
    shared = replace(SMALL, common_period=True)
    two = [WISH, replace(WISH, channel=2, period_us_min=30_000)]
    assert misfit(SMALL, two) == ""
    assert "share one frequency" in misfit(shared, two)


def test_the_gateway_says_it_instead_of_arming(kit):
    bench = kit.in_state(GatewayState.DISARMED)
    assert "channel" not in bench.core.blocked(bench.now_ns)
    bench.send(replace(WISH, channel=9))
    assert "channel 9" in bench.core.blocked(bench.now_ns)
