"""Silence, presence and what is said: bounds of watch, presence, voice and fitness, one nanosecond off."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from controller.drivers.stimulators.p24 import P24_LIMITS
from controller.gateway import ports
from controller.gateway.fitness import misfit
from controller.gateway.presence import ALONE, LOOK, UNUSED, Presence
from controller.gateway.states import PERMITS_DELIVERY, TABLE, Happening
from controller.gateway.voice import Voice
from controller.gateway.watch import Watch
from controller.vocabulary.facts import GatewayState, Latched
from controller.vocabulary.notices import Constrain

pytestmark = pytest.mark.hazard("H01", "H04", "H23")

SILENT_NS = 500_000_000
SECOND = 1_000_000_000
AT = 77 * SECOND
MINUTE = 60 * SECOND

# -- who was heard -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["engine", "front"])
def test_silence_begins_one_nanosecond_after_half_a_second(who):
    watch = Watch()
    heard, alive = getattr(watch, f"heard_{who}"), getattr(watch, f"{who}_alive")
    assert alive(0) is False  # nobody was heard yet, however early it is
    heard(AT)
    assert alive(AT) is True
    assert alive(AT + SILENT_NS) is True
    assert alive(AT + SILENT_NS + 1) is False
    heard(AT + 3 * SECOND)
    assert alive(AT + 3 * SECOND + SILENT_NS) is True


def test_one_who_was_heard_does_not_stand_for_the_other():
    watch = Watch()
    assert (watch.engine_ns, watch.front_ns) == (0, 0)  # never
    watch.heard_engine(AT)
    assert (watch.engine_here, watch.front_here) == (True, False)
    assert (watch.engine_ns, watch.front_ns) == (AT, 0)
    assert watch.engine_alive(AT)
    assert not watch.front_alive(AT)
    watch = Watch()
    watch.heard_front(AT)
    assert (watch.engine_here, watch.front_here) == (False, True)
    assert not watch.engine_alive(AT)


@pytest.mark.parametrize("who", ["engine", "front"])
def test_whose_line_has_ended_is_silent_at_once(who):
    watch = Watch()
    getattr(watch, f"heard_{who}")(AT)
    setattr(watch, f"{who}_here", False)
    assert getattr(watch, f"{who}_alive")(AT) is False


@pytest.mark.parametrize(
    ("gap_ns", "jump_ns"),
    [
        (0, 0),
        (1, 0),
        (100_000_000, 0),
        (SILENT_NS - 1, 0),
        (SILENT_NS, 0),
        (SILENT_NS + 1, SILENT_NS + 1),
        (-1, -1),
        (-7 * SECOND, -7 * SECOND),
    ],
)
def test_a_clock_jumps_backwards_or_by_more_than_half_a_second(gap_ns, jump_ns):
    watch = Watch()
    assert watch.jumped_ns(AT) == 0  # the first step has none before it
    assert watch.jumped_ns(AT + gap_ns) == jump_ns
    assert watch.jumped_ns(AT + gap_ns + 5) == 0  # said once


# -- is somebody there -------------------------------------------------------------------------------------------------


class Core:
    """What presence looks at and calls."""

    def __init__(self, current=False, torque=False):
        self.delivery, self.joint = SimpleNamespace(on=current), SimpleNamespace(on=torque)
        self.done = []

    def disarm(self, now_ns, reason):
        self.done.append((now_ns, reason))

    def latch(self, now_ns, cause, todo):
        self.done.append((now_ns, cause, todo))


def test_unused_for_two_minutes_and_one_nanosecond_is_disarmed():
    core, presence = Core(), Presence()
    presence.armed(AT)
    presence.keep(core, AT + 2 * MINUTE)
    assert core.done == []
    presence.keep(core, AT + 2 * MINUTE + 1)
    assert core.done == [(AT + 2 * MINUTE + 1, UNUSED)]


@pytest.mark.parametrize("used", [{"current": True}, {"torque": True}])
def test_current_or_torque_is_use_and_the_two_minutes_begin_when_it_ends(used):
    core, presence = Core(**used), Presence()
    presence.armed(AT)
    for minutes in range(1, 9):
        presence.keep(core, AT + minutes * MINUTE)
    core.delivery.on = core.joint.on = False
    presence.keep(core, AT + 10 * MINUTE)
    assert core.done == []
    presence.keep(core, AT + 10 * MINUTE + 1)
    assert core.done == [(AT + 10 * MINUTE + 1, UNUSED)]


def test_a_key_begins_the_two_minutes_anew():
    core, presence = Core(), Presence()
    presence.armed(AT)
    presence.noticed(AT + MINUTE)
    presence.keep(core, AT + 3 * MINUTE)
    assert core.done == []
    presence.keep(core, AT + 3 * MINUTE + 1)
    assert core.done


def test_before_anybody_was_noticed_time_counts_from_the_clocks_beginning():
    core, presence = Core(), Presence()
    assert presence.asks(10 * MINUTE) is False
    assert presence.asks(10 * MINUTE + 1) is True
    presence.keep(core, 2 * MINUTE)
    assert core.done == []
    presence.keep(core, 2 * MINUTE + 1)
    assert core.done == [(2 * MINUTE + 1, UNUSED)]


def test_a_session_that_runs_by_itself_is_asked_after_ten_minutes_and_latched_after_twelve():
    core, presence = Core(current=True), Presence()
    presence.armed(AT)
    assert presence.asks(AT + 10 * MINUTE) is False
    assert presence.asks(AT + 10 * MINUTE + 1) is True
    presence.keep(core, AT + 12 * MINUTE)
    assert core.done == []
    presence.keep(core, AT + 12 * MINUTE + 1)
    assert core.done == [(AT + 12 * MINUTE + 1, ALONE, LOOK)]
    presence.noticed(AT + 12 * MINUTE)
    assert presence.asks(AT + 12 * MINUTE + 1) is False


# -- the table, and what is said ---------------------------------------------------------------------------------------


def test_every_happening_leads_where_the_table_is_meant_to_lead():
    """From, happening, to: written out, so that a slip in the table shows."""
    drawn = """
        closed opened connected
        connected ready disarmed
        connected lost closed
        disarmed unready connected
        disarmed lost closed
        disarmed armed armed
        armed delivered delivering
        armed disarmed disarmed
        delivering released resting
        delivering disarmed disarmed
        resting rested armed
        resting delivered delivering
        resting disarmed disarmed
        latched rearmed armed
    """
    rows = [line.split() for line in drawn.strip().splitlines()]
    rows += [[state.value, "latched", "latched"] for state in GatewayState]
    said = {(state.value, happening.value): target.value for (state, happening), target in TABLE.items()}
    assert said == {(state, happening): target for state, happening, target in rows}
    assert {state.value for state in PERMITS_DELIVERY} == {"armed", "delivering", "resting"}
    assert {happening.value for happening in Happening} == {happening for _, happening, _ in rows}


def test_nothing_is_said_to_a_device_where_there_is_nothing_to_say():
    voice = Voice()
    voice.unit(b"")
    voice.joint(b"")
    assert voice.out == []
    voice.unit(b"u")
    voice.joint(b"j")
    assert voice.out == [ports.ToUnit(b"u"), ports.ToJoint(b"j")]


def test_the_voice_keeps_the_order_and_begins_anew():
    voice, fact = Voice(), Latched(1, "why", "what")
    first = voice.begin()
    assert first is voice.out
    voice.all(fact)
    voice.engine(fact)
    voice.log(9, "kind", {"a": 1})
    voice.log(9, "kind", {}, sync=True)
    assert first == [
        ports.ToFront(fact),
        ports.ToEngine(fact),
        ports.ToEngine(fact),
        ports.Log(9, "kind", {"a": 1}, False),
        ports.Log(9, "kind", {}, True),
    ]
    assert voice.begin() == []
    assert len(first) == 5
    assert json.dumps(first[3].data) == '{"a": 1}'


# -- does the protocol fit ---------------------------------------------------------------------------------------------

WISH = Constrain(1, "forearm", 2_500, 25_000, 250, 29_000, 8_000)
SMALL = replace(
    P24_LIMITS,
    name="Small",
    channels=4,
    pulse_width_us_min=20,
    pulse_width_us_max=300,
    period_us_min=25_000,
    period_us_max=500_000,
)
CHOOSE = "Choose another protocol or another unit."


@pytest.mark.parametrize(
    "fits",
    [
        {"channel": 1},
        {"channel": 4},
        {"pulse_width_us": 20},
        {"pulse_width_us": 300},
        {"period_us_min": 25_000},
        {"period_us_min": 500_000},
    ],
)
def test_what_lies_on_the_bound_fits(fits):
    assert misfit(SMALL, [replace(WISH, **fits)]) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channel": 0}, "The protocol uses channel 0, and the Small has channels 1 to 4."),
        ({"channel": 5}, "The protocol uses channel 5, and the Small has channels 1 to 4."),
        ({"pulse_width_us": 19}, "The protocol asks for 19 us, and the Small makes 20 to 300 us."),
        ({"pulse_width_us": 301}, "The protocol asks for 301 us, and the Small makes 20 to 300 us."),
        ({"period_us_min": 24_999}, "The protocol asks for 40 Hz, and the Small makes 40 Hz at most."),
        ({"period_us_min": 12_500}, "The protocol asks for 80 Hz, and the Small makes 40 Hz at most."),
        ({"period_us_min": 500_001}, "The protocol asks for 2 Hz, and the Small makes 40 Hz at most."),
    ],
)
def test_what_lies_one_beyond_it_is_said_with_both_figures(changes, said):
    assert misfit(SMALL, [WISH, replace(WISH, **changes)]) == f"{said} {CHOOSE}"


def test_channels_of_one_frequency_fit_where_the_unit_has_only_one():
    shared = replace(SMALL, common_period=True)
    assert misfit(shared, [WISH, replace(WISH, channel=2)]) == ""
    other = [WISH, replace(WISH, channel=2, period_us_min=30_000)]
    assert misfit(shared, other) == (
        f"The channels of a Small share one frequency, and the protocol asks for several. {CHOOSE}"
    )
    assert misfit(SMALL, other) == ""
