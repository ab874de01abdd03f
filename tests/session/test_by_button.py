"""Does a person's button alone begin the help? Asked of phases as they are resolved."""

import pytest

from controller.session.button import by_button_only
from controller.session.conditions import DONE, parse
from controller.session.resolve import ResolvedMove, ResolvedPhase, ResolvedWay, resolve

pytestmark = pytest.mark.hazard("H40", "H09")
MOVE = ResolvedMove("open", 3_000, 500, 2_000, False)


def phase(name, ways, share=0, move=None):
    found = []
    for text, to in ways:
        condition = DONE if text == "done" else parse(text)
        groups = tuple(tuple((str(test.kind), test.sign, test.amount) for test in group) for group in condition.any_of)
        found.append(ResolvedWay(text, groups, to))
    stimulate = (("extensors", share),) if share else ()
    return ResolvedPhase(name, "", 0, 0, stimulate, tuple(found), False, False, 0, "", move)


def circle(begins, **helps):
    """rest > help > rest; `begins` is what leads into the help."""
    helping = helps or {"share": 1_000}
    return (phase("rest", [(begins, "help")]), phase("help", [("after 2 s", "rest")], **helping))


@pytest.mark.parametrize("begins", ["button key", "button pedal", "button key or button pedal"])
@pytest.mark.parametrize("helps", [{"share": 1_000}, {"move": MOVE}])
def test_a_key_or_a_pedal_alone(begins, helps):
    assert by_button_only(circle(begins, **helps))


@pytest.mark.parametrize(
    "begins",
    [
        "attempt",
        "button",  # a touch of the puck is one too, and the gateway cannot see it
        "button touch",
        "button key or attempt",
        "button key and quiet 1 s",
        "button key and angle >= 3 deg",
        "after 4 s",
        "done",
    ],
)
@pytest.mark.parametrize("helps", [{"share": 1_000}, {"move": MOVE}])
def test_anything_else_or_with_anything_else(begins, helps):
    assert not by_button_only(circle(begins, **helps))


def test_help_in_the_first_phase_begins_without_a_press():
    rest, helping = circle("button key")
    assert not by_button_only((helping, rest))


def test_one_other_way_in_is_enough_and_a_way_within_the_help_is_none():
    rest, _ = circle("button key")
    hold = phase("hold", [("after 1 s", "rest")], share=500)
    within = phase("help", [("angle >= 20 deg", "hold"), ("after 2 s", "rest")], share=1_000)
    assert by_button_only((rest, within, hold))
    other = phase("other", [("attempt", "hold")])
    assert not by_button_only((rest, within, hold, other))


def test_a_way_to_nowhere_known_counts_as_help_and_nothing_at_all_is_no_button():
    assert not by_button_only((phase("rest", [("attempt", "gone")]),))
    assert not by_button_only(())


def test_protocols_as_they_are_read(load_text, changed, cued):
    assert not by_button_only(resolve(load_text(cued), {}).phases)
    by_key = changed("attempt: assist", "button key: assist")
    assert by_button_only(resolve(load_text(by_key), {}).phases)
