"""Buttons, touch and load in a running session: what opens a phase, what is blanked, and what the record says of it."""

from math import isnan, nan

import pytest

from controller.assembly.protocols import CUED, shipped
from controller.drivers.pucks.base import Senses
from controller.engine import ports
from controller.vocabulary import intents
from controller.vocabulary.button import ButtonSource
from controller.vocabulary.facts import PedalPressed
from controller.vocabulary.pedal import PedalReport, PedalRole
from controller.vocabulary.sample import CONNECTED, IMU_OK, STALE, TOUCHED
from controller.vocabulary.snapshot import SessionState

pytestmark = pytest.mark.hazard("H09")

CUE = "{attempt: assist, after 6 s: missed}"
PEDAL = PedalReport(PedalRole.BUTTON, "FB-1", "FootSwitch", True, False, False, False, "")
GOOD = CONNECTED | IMU_OK


class Hand:
    """What the puck feels besides its motion; it goes into every sample from now on."""

    def __init__(self, bench):
        self.touches, self.stale, self.load_n = False, False, None
        driver = bench.core.feed.driver
        feed = driver.feed
        driver.feed = lambda now_ns, data: [self._felt(sample) for sample in feed(now_ns, data)]
        bench.core.feed.senses = Senses(touch=True, load=True)

    def _felt(self, sample):
        flags = GOOD | (STALE if self.stale else 0) | (TOUCHED if self.touches else 0)
        return sample._replace(flags=flags, load_n=self.load_n)


@pytest.fixture
def make(kit, tmp_path):
    """A bench whose cue waits for `condition`, up to the state `to`."""

    def build(condition, pedal=PEDAL):
        text = shipped(CUED).read_text(encoding="utf-8")
        assert CUE in text
        path = tmp_path / "button"
        path.with_suffix(".yaml").write_text(text.replace(CUE, f"{{{condition}: assist, after 6 s: missed}}", 1))
        bench = kit.Bench(str(path))
        bench.hand = Hand(bench)
        said = bench.status
        bench.status = lambda **more: said(**({"pedals": (pedal,) if pedal else ()} | more))
        return bench

    return build


@pytest.fixture
def waiting(make):
    """The same, running, in its cue."""

    def build(condition, pedal=PEDAL):
        bench = make(condition, pedal)
        bench.hand.load_n = 0.0
        bench.to_running()
        bench.run(5_000)
        assert bench.core.training.activity.phase == "cue"
        return bench

    return build


def phase(bench):
    return bench.core.training.activity.phase


def press(bench, source):
    if source is ButtonSource.KEY:
        bench.intend(intents.PressButton())
    elif source is ButtonSource.PEDAL:
        bench.step(ports.FromGateway(PedalPressed(bench.now_ns)))
    else:
        bench.hand.touches = True
        bench.run(30)


@pytest.mark.parametrize("source", ButtonSource)
@pytest.mark.parametrize("condition", ["button", "button key", "button pedal", "button touch"])
def test_each_source_opens_what_asks_for_it_and_is_in_the_record(waiting, condition, source):
    bench = waiting(condition)
    press(bench, source)
    heard = condition in ("button", f"button {source}")
    assert (phase(bench) == "assist") == heard
    assert [data["source"] for data in bench.event("button_pressed")] == ([source] if heard else [])
    assert bool(bench.on) == heard


def test_a_key_and_a_pedal_act_at_once_and_not_only_at_the_next_sample(waiting):
    for source in (ButtonSource.KEY, ButtonSource.PEDAL):
        bench = waiting("button")
        before_ns = bench.now_ns
        press(bench, source)
        assert phase(bench) == "assist"
        assert bench.now_ns == before_ns


def test_presses_within_300_ms_are_one(waiting):
    bench = waiting("button pedal and angle >= 10 deg")
    for _ in range(5):
        press(bench, ButtonSource.PEDAL)
        bench.run(50)
    assert len(bench.event("button_pressed")) == 1
    bench.run(100)
    press(bench, ButtonSource.PEDAL)
    assert len(bench.event("button_pressed")) == 2


def test_a_press_before_the_session_runs_is_none(make):
    bench = make("button").to_ready()
    press(bench, ButtonSource.KEY)
    press(bench, ButtonSource.PEDAL)
    assert bench.event("button_pressed") == []


def test_a_press_in_a_protocol_that_asks_for_none_is_no_event(waiting):
    bench = waiting("attempt")
    for source in ButtonSource:
        press(bench, source)
    assert phase(bench) == "cue"
    assert "button_pressed" not in bench.kinds()


def test_a_hand_that_lay_there_all_the_while_is_no_new_touch_after_a_silence(waiting):
    bench = waiting("button touch")
    bench.hand.stale = True
    bench.run(50)
    bench.hand.stale, bench.hand.touches = False, True
    bench.run(60)
    assert phase(bench) == "cue"
    bench.hand.touches = False
    bench.run(400)
    bench.hand.touches = True
    bench.run(30)
    assert phase(bench) == "assist"


def test_a_touch_that_is_stale_is_none(waiting):
    bench = waiting("touch")
    bench.hand.touches = bench.hand.stale = True
    bench.run(60)
    assert phase(bench) == "cue"


def test_touch_and_load_open_what_asks_for_them(waiting):
    bench = waiting("touch and load > 10 N")
    bench.hand.touches = True
    bench.run(50)
    assert phase(bench) == "cue"
    bench.hand.load_n = 10.0
    bench.run(50)
    assert phase(bench) == "cue"
    bench.hand.load_n = 10.1
    bench.run(50)
    assert phase(bench) == "assist"


@pytest.mark.hazard("H09")
@pytest.mark.parametrize("condition", ["load > 10 N", "touch", "button touch"])
def test_what_current_makes_the_hand_press_triggers_nothing(waiting, condition):
    """The load cell shows force and the hand touches while current flows, and for the blanking time after it."""
    bench = waiting(f"button key or {condition}")
    training = bench.core.training
    bursts = bench.kinds().count("burst_started")
    press(bench, ButtonSource.KEY)
    assert bench.on
    seen = []
    real = training.activity.step
    training.activity.step = lambda now_ns, given: (seen.append((now_ns, given)), real(now_ns, given))[1]
    for _ in range(20):  # the stimulated hand presses and lets go
        bench.hand.touches, bench.hand.load_n = not bench.hand.touches, 40.0
        bench.run(100)
    assert bench.on
    assert all(isnan(given.load_n) and not given.touch and not given.button for _, given in seen)
    while bench.on:
        bench.run(10)
    ended_ns, blanking_ns = bench.now_ns, bench.core.feed.settings.blanking_ns
    for _ in range(30):
        bench.hand.touches = not bench.hand.touches
        bench.run(50)
    after = [(now_ns, given) for now_ns, given in seen if now_ns > ended_ns]
    early = [given for now_ns, given in after if now_ns < ended_ns + blanking_ns - 20_000_000]
    late = [given for now_ns, given in after if now_ns > ended_ns + blanking_ns + 20_000_000]
    assert early
    assert all(isnan(given.load_n) and not given.touch and not given.button for given in early)
    assert any(given.load_n == 40.0 for given in late)
    assert any(given.touch for given in late)
    told = bench.event("button_blanked")
    assert bool(told) == (condition == "button touch")
    assert bench.kinds().count("burst_started") == bursts + 1


def test_what_is_not_measured_is_nan(waiting):
    bench = waiting("load > 10 N")
    bench.hand.load_n = None
    bench.run(200)
    assert isnan(bench.core.feed.load_n)
    assert phase(bench) == "cue"


# -- what the devices cannot give -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "senses", "pedal", "said"),
    [
        ("button pedal", Senses(), None, "The protocol waits for `button pedal`, and no button pedal was named"),
        ("touch", Senses(load=True), PEDAL, "The protocol waits for `touch`, and the x-IMU3 feels no touch"),
        ("button touch", Senses(), PEDAL, "waits for `button touch`, and the x-IMU3 feels no touch"),
        ("load > 1 N", Senses(touch=True), PEDAL, "and the x-IMU3 tells no load in newton"),
        ("load > 1 N", Senses(load=True), PEDAL, "and x-IMU3 tells none: look at its load cell"),
    ],
)
def test_a_session_does_not_begin_without_what_its_protocol_waits_for(make, condition, senses, pedal, said):
    bench = make(condition, pedal).to_ready()
    bench.core.feed.senses = senses
    bench.state, bench.rest_until_ns = "armed", 0
    bench.run(2_500)
    bench.intend(intents.Begin())
    assert bench.core.state is SessionState.READY
    assert said in bench.core.todo


def test_a_button_pedal_that_was_pulled_out_is_named(make):
    gone = PedalReport(PedalRole.BUTTON, "FB-1", "FootSwitch", False, False, False, False, "Plug it in.")
    bench = make("button pedal", gone).to_ready()
    bench.state, bench.rest_until_ns = "armed", 0
    bench.run(2_500)
    bench.intend(intents.Begin())
    assert bench.core.state is SessionState.READY
    assert bench.core.todo == "The protocol waits for `button pedal`, and it is not there: Plug it in."


def test_a_plain_button_begins_without_pedal_and_touch(make):
    bench = make("button", None)
    bench.core.feed.senses = Senses()
    bench.hand.load_n = nan
    assert bench.to_running().core.state is SessionState.RUNNING


# -- what the screen is told ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "sources"),
    [
        ("attempt", []),
        ("button key", [ButtonSource.KEY]),
        ("button pedal", [ButtonSource.PEDAL]),
        ("button", list(ButtonSource)),
    ],
)
def test_the_screen_knows_where_a_press_can_come_from_and_whether_it_is_waited_for(waiting, condition, sources):
    bench = waiting(condition)
    bench.run(50)
    snapshot = next(o.message for _, o in reversed(bench.said) if isinstance(o, ports.ToFront))
    assert [view.source for view in snapshot.buttons] == sources
    assert all(view.wanted for view in snapshot.buttons)
    bench.run(6_500)
    assert phase(bench) != "cue"
    snapshot = next(o.message for _, o in reversed(bench.said) if isinstance(o, ports.ToFront))
    assert not any(view.wanted for view in snapshot.buttons)
