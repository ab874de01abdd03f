"""The status-and-STOP bar: words, glyphs, staleness, and STOP always whole."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.tui.samples import NOW_NS, SampleFront
from controller.tui.view import View
from controller.tui.widgets.alert_line import alert_parts
from controller.tui.widgets.status_bar import bar_model, bar_parts
from controller.vocabulary.facts import ChannelOutput, GatewayState, Refusal
from controller.vocabulary.snapshot import PuckView, SessionState


def text(parts) -> str:
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def view(status, snapshot=None, now_ns=NOW_NS) -> View:
    return View.of(SampleFront(snapshot or samples.snapshot(), status), now_ns)


@pytest.mark.parametrize(
    ("status", "state", "word"),
    [
        (samples.status(GatewayState.CLOSED), SessionState.IDLE, "○ NO UNIT"),
        (samples.status(GatewayState.CONNECTED), SessionState.IDLE, "○ UNIT STARTING"),
        (samples.status(), SessionState.READY, "□ SAFE 0 mA"),
        (samples.status(), SessionState.PAUSED, "‖ PAUSED, safe, 0 mA"),
        (samples.status(GatewayState.ARMED), SessionState.RUNNING, "▶ ARMED for session, 0 mA"),
        (samples.status(GatewayState.ARMED), SessionState.PAUSED, "‖ PAUSED, armed, 0 mA"),
        (samples.status(GatewayState.RESTING), SessionState.RUNNING, "▶ ARMED resting, 0 mA"),
        (samples.status(GatewayState.DELIVERING, 12_500), SessionState.RUNNING, "■ STIM ON ch1 12.5 mA"),
        (samples.latched(), SessionState.TRIPPED, "▲ STOPPED: STOP was pressed (F12)."),
    ],
)
def test_each_state_has_its_word_and_glyph(status, state, word):
    assert bar_model(view(status, samples.snapshot(state))).word == word


def test_safe_is_never_said_while_the_unit_still_reports_current():
    still_on = replace(samples.status(), outputs=(ChannelOutput(1, 0, 9_000),))
    assert bar_model(view(still_on)).word == "■ SWITCHING OFF ch1 9.0 mA"


@pytest.mark.parametrize("width", [80, 81, 120, 160])
def test_stop_stands_whole_at_the_right_edge_whatever_the_cause(width):
    wordy = replace(samples.latched(), cause="The unit reported an electrode error on channel 1, " * 4)
    row = text(bar_parts(bar_model(view(wordy)), width))
    assert len(row) == width
    assert row.endswith(" F12 STOP ")
    assert "…" in row


def test_old_status_is_marked_stale_and_silence_says_pull_the_leads():
    status = samples.status(GatewayState.DELIVERING, 12_500)
    stale = bar_model(view(replace(status, t_ns=NOW_NS - 250_000_000)))
    assert stale.word.endswith("(stale 0.2 s)")
    assert stale.look == "stale"
    silent = bar_model(view(replace(status, t_ns=NOW_NS - 400_000_000)))
    assert silent.word == "▲ PULL THE LEADS: gateway silent 0.4 s"
    assert "unit ?" in text(silent.links)


def test_a_lost_gateway_line_says_pull_the_leads_at_once():
    front = SampleFront(samples.snapshot(), samples.status())
    front.gateway_lost = "end of stream"
    assert "PULL THE LEADS" in bar_model(View.of(front, NOW_NS)).word


def test_the_alarm_flashes_twice_a_second_but_keeps_its_word():
    models = [
        bar_model(view(replace(samples.latched(), t_ns=now_ns), now_ns=now_ns))
        for now_ns in (NOW_NS, NOW_NS + 250_000_000, NOW_NS + 500_000_000)
    ]
    assert [model.look for model in models] == ["alarm", "alarm-off", "alarm"]
    assert len({model.word for model in models}) == 1


def test_links_name_a_lost_puck_and_an_old_one():
    lost = replace(samples.snapshot(), pucks=(PuckView("wrist", "x", 0.0, 900, 0, "unplugged"),))
    old = replace(samples.snapshot(), pucks=(PuckView("wrist", "x", 100.0, 140, 0, ""),))
    assert "puck ✖" in text(bar_model(view(samples.status(), lost)).links)
    assert "puck ▲ 0.1 s old" in text(bar_model(view(samples.status(), old)).links)


def test_old_snapshot_is_marked_on_the_bar():
    old = replace(samples.snapshot(), t_ns=NOW_NS - 400_000_000)
    assert "stale 0.4 s" in text(bar_model(view(samples.status(), old)).links)


def test_alerts_come_in_the_order_of_their_urgency():
    front = SampleFront(samples.snapshot(), samples.status())
    front.refusals = (Refusal(NOW_NS, 1, "G07", "too much", False),)
    assert "rule G07" in text(alert_parts(View.of(front, NOW_NS), ""))
    assert text(alert_parts(View.of(front, NOW_NS), "mind this")) == "* mind this"
    front.arm_denied = "the puck is old"
    assert text(alert_parts(View.of(front, NOW_NS), "")) == "** Not armed: the puck is old"
    assert text(alert_parts(View.of(front, NOW_NS), "mind this")) == "* mind this"  # the answer to the last key
    front.status = samples.latched()
    assert text(alert_parts(View.of(front, NOW_NS), "")).startswith("*** Stopped: STOP was pressed")
    front.engine_lost = "end of stream"
    assert "The engine has gone" in text(alert_parts(View.of(front, NOW_NS), ""))
    front.gateway_lost = "end of stream"
    assert text(alert_parts(View.of(front, NOW_NS), "")).startswith("*** PULL THE LEADS")


@pytest.mark.parametrize("state", [GatewayState.ARMED, GatewayState.RESTING])
def test_a_long_rest_is_told_with_its_length_and_a_short_one_is_not(state):
    front = SampleFront(samples.snapshot(SessionState.RUNNING), samples.status(state))
    front.status = replace(front.status, rest_until_ns=NOW_NS + 253_400_000_000)
    told = text(alert_parts(View.of(front, NOW_NS), ""))
    assert told.startswith("* Resting: another 253 s. 20 bursts a minute and half of any ten minutes are the most;")
    front.status = replace(front.status, rest_until_ns=NOW_NS + 10_000_000_000)
    assert "Resting" not in text(alert_parts(View.of(front, NOW_NS), ""))
