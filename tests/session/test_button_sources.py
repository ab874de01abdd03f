"""The button of a protocol: named sources, what they open, and what devices must be able to give."""

import pytest

from controller.session.activity import Activity, Seen
from controller.session.button import by_button_only
from controller.session.conditions import BUTTONS, Kind, parse
from controller.session.faults import ProtocolRefused
from controller.session.quantities import Wrong
from controller.session.resolve import resolve
from controller.session.rules import RULES
from controller.session.sources import Asked, Given, asked_of, check_devices, lacking, sentence
from controller.vocabulary.button import ANY, BITS, ButtonSource

pytestmark = pytest.mark.hazard("H09", "H18")

SECOND = 1_000_000_000
STILL = Seen(quiet_ns=2 * SECOND)
CUE = "{attempt: assist, after 6 s: missed}"
KEY, PEDAL, TOUCH = (BITS[source] for source in ButtonSource)


def test_each_source_has_a_bit_of_its_own_and_all_of_them_are_any():
    assert sorted(BITS.values()) == [1, 2, 4]
    assert sum(BITS.values()) == ANY
    assert {source for source in BUTTONS.values() if source} == set(ButtonSource)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("button", Kind.BUTTON),
        ("button key", Kind.BUTTON_KEY),
        ("button   pedal", Kind.BUTTON_PEDAL),
        ("button touch", Kind.BUTTON_TOUCH),
    ],
)
def test_a_source_is_written_after_the_word(text, kind):
    assert parse(text).kinds() == {kind}
    assert parse(f"{text} and quiet 1 s or after 9 s").kinds() == {kind, Kind.QUIET, Kind.AFTER}


@pytest.mark.parametrize("text", ["button foot", "button keys", "button key pedal", "Button key", "button >= 1 N"])
def test_a_source_that_is_none_is_refused_with_those_that_there_are(text):
    with pytest.raises(Wrong) as caught:
        parse(text)
    assert caught.value.rule == "ACT004"
    if text.startswith("button"):
        assert caught.value.fix == "write `button`, `button key`, `button pedal` or `button touch`"


def test_the_message_for_a_wrong_source_is_this_one(changed, refused):
    shown = str(refused(changed(CUE, "{button foot: assist, after 6 s: missed}")))
    assert 'error ACT004  "button foot" is not a condition' in shown
    assert "fix: write `button`, `button key`, `button pedal` or `button touch`" in shown


def test_the_message_for_a_touch_while_current_flows_is_this_one(changed, refused):
    (fault,) = refused(changed("after 5 s: hold", "touch: hold, after 5 s: hold")).faults
    assert fault.rule == "ACT017"
    assert fault.message == "touch is not looked at while current flows or the orthosis pushes"
    assert fault.fix == "wait for it in a phase without help, or use `button pedal` or angle"
    assert "blanked" not in RULES["ACT017"]


def test_a_touch_as_a_button_needs_a_puck_and_a_key_does_not(cued, refused, load_text):
    puck = cued[cued.index("puck:") : cued.index("channels:")]
    attempt = cued[cued.index("attempt:\n") : cued.index("calibration:")]
    bare = cued.replace(puck, "").replace(attempt, "").replace("        until: {quiet: 1 s}\n", "")
    bare = bare.replace("angle >= 30 deg: hold, ", "")
    faults = refused(bare.replace(CUE, "{button touch: assist, after 6 s: missed}")).faults
    assert [fault.message for fault in faults] == ["button touch needs a puck, and the protocol declares none"]
    assert load_text(bare.replace(CUE, "{button pedal: assist, after 6 s: missed}"))


@pytest.fixture
def waiting(changed, load_text):
    """The cued activity in its cue, which waits for the given condition."""

    def build(condition: str) -> Activity:
        activity = Activity(resolve(load_text(changed(CUE, f"{{{condition}: assist, after 6 s: missed}}")), {}))
        activity.start(0)
        activity.step(4 * SECOND, STILL)
        assert activity.phase == "cue"
        return activity

    return build


@pytest.mark.parametrize("pressed", [KEY, PEDAL, TOUCH, KEY | PEDAL, ANY])
@pytest.mark.parametrize(
    ("condition", "opened_by"),
    [("button", ANY), ("button key", KEY), ("button pedal", PEDAL), ("button touch", TOUCH)],
)
def test_a_source_opens_its_own_way_and_no_other(waiting, condition, opened_by, pressed):
    changes = waiting(condition).step(5 * SECOND, STILL._replace(button=pressed))
    assert [change.entered for change in changes] == (["assist"] if pressed & opened_by else [])


def test_a_touch_that_lasts_is_no_press_and_a_press_is_no_touch(waiting):
    assert waiting("button touch").step(5 * SECOND, STILL._replace(touch=True)) == []
    assert waiting("touch").step(5 * SECOND, STILL._replace(button=ANY)) == []


def test_a_press_is_remembered_until_its_phase_ends(waiting):
    activity = waiting("button pedal and angle >= 10 deg")
    assert activity.step(5 * SECOND, STILL._replace(button=PEDAL)) == []
    assert activity.step(5 * SECOND + 1, STILL._replace(button=KEY)) == []
    assert activity.step(5 * SECOND + 2, STILL._replace(angle_deg=12.0))[0].entered == "assist"
    again = waiting("button pedal and angle >= 10 deg")
    again.step(5 * SECOND, STILL._replace(button=PEDAL))
    for at in (10, 14, 18):  # missed, rest, and asked again
        again.step(at * SECOND, STILL)
    assert again.phase == "cue"
    assert again.step(19 * SECOND, STILL._replace(angle_deg=12.0)) == []


def test_a_press_in_the_guards_rest_brings_no_help_later(waiting):
    activity = waiting("button")
    assert activity.step(5 * SECOND, STILL._replace(button=ANY, may_stimulate=False)) == []
    assert activity.step(5 * SECOND + 1, STILL) == []
    assert activity.step(5 * SECOND + 2, STILL._replace(button=KEY))[0].entered == "assist"


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("attempt", Asked(frozenset(), False, False)),
        ("button", Asked(frozenset(ButtonSource), False, False)),
        ("button key", Asked(frozenset({ButtonSource.KEY}), False, False)),
        ("button touch or button key", Asked(frozenset({ButtonSource.TOUCH, ButtonSource.KEY}), False, False)),
        ("touch and load > 3 N", Asked(frozenset(), True, True)),
    ],
)
def test_what_a_protocol_asks_for_is_read_from_its_conditions(changed, load_text, condition, asked):
    text = changed(CUE, f"{{{condition}: assist, after 6 s: missed}}")
    assert asked_of(load_text(text).protocol) == asked


NOTHING, ALL = Given(), Given(touch=True, load=True, pedal=True)


@pytest.mark.parametrize(
    ("condition", "given", "told"),
    [
        ("button", NOTHING, ""),
        ("button key", NOTHING, ""),
        ("button pedal", Given(touch=True, load=True), "no button pedal was named"),
        ("button pedal", Given(pedal=True), ""),
        ("button touch", Given(load=True, pedal=True), "the x-IMU3 feels no touch"),
        ("touch and quiet 1 s", Given(load=True, pedal=True), "the x-IMU3 feels no touch"),
        ("load > 3 N", Given(touch=True, pedal=True), "the x-IMU3 tells no load in newton"),
        ("touch or load > 3 N or button pedal or button touch", ALL, ""),
    ],
)
def test_what_the_devices_cannot_give_is_refused_on_its_line(changed, load_text, condition, given, told):
    text = changed(CUE, f"{{{condition}: assist, after 6 s: missed}}")
    loaded = load_text(text)
    found = lacking(loaded.protocol, given, "x-IMU3")
    if not told:
        assert found == []
        check_devices(loaded, given, "x-IMU3")
        return
    with pytest.raises(ProtocolRefused) as caught:
        check_devices(loaded, given, "x-IMU3")
    (fault,) = caught.value.faults
    assert fault.rule == "DEV001"
    assert told in fault.message
    assert condition in text.split("\n")[fault.line - 1]
    assert sentence(found[0]) == f"{fault.message[0].upper()}{fault.message[1:]}: {fault.fix}."


def test_every_lack_is_told_at_once(changed, load_text):
    text = changed(CUE, "{touch: assist, load > 1 N: assist, button pedal: missed, after 6 s: missed}")
    assert len(lacking(load_text(text).protocol, NOTHING, "x-IMU3")) == 3


def test_only_a_press_that_the_gateway_can_see_for_itself_counts_as_a_start_by_button(changed, load_text):
    for condition, alone in [("button key", True), ("button pedal", True), ("button touch", False), ("attempt", False)]:
        phases = resolve(load_text(changed(CUE, f"{{{condition}: assist, after 6 s: missed}}")), {}).phases
        assert by_button_only(phases) == alone, condition
