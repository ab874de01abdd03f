"""What the engine does when a puck, the gateway, the screen, the record or the engine itself falls silent."""

from itertools import pairwise

import pytest

from controller.engine import ports
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState, Latched
from controller.vocabulary.notices import Constrain, EngineBeat, OpenRecord
from controller.vocabulary.snapshot import SessionState, Snapshot
from safety.orders import Deliver, Renew, Stop, StopReason

MS = 1_000_000


def of(outputs, kind):
    """Messages (or bare outputs) of that kind among outputs."""
    return [found for output in outputs if isinstance(found := getattr(output, "message", output), kind)]


# -- the puck ---------------------------------------------------------------------------------------------------------


def test_a_stale_puck_takes_the_current_off_and_pauses(current):
    silent_ns = current.now_ns
    current.puck_talks = False
    current.run(160)
    assert current.core.state is SessionState.PAUSED
    assert "puck fell silent" in current.core.todo
    assert not current.on
    stop = current.orders(silent_ns, Stop)
    assert [order.reason for order in stop] == [StopReason.RELEASE]
    assert silent_ns + 100 * MS <= stop[0].stamp_ns <= silent_ns + 100 * MS + 40 * MS
    current.run(1_000)
    assert current.orders(stop[0].stamp_ns + 1) == []
    assert current.event("puck_stale")


def test_no_order_ever_rests_on_a_sample_that_is_too_old(current):
    current.puck_talks = False
    current.run(300)
    orders = current.orders(current.begun_ns, (Deliver, Renew))
    assert orders
    for order in orders:
        assert 0 <= order.stamp_ns - order.sensor_ns <= 100 * MS


def test_a_puck_that_comes_back_does_not_resume_by_itself(current):
    current.puck_talks = False
    current.run(300)
    back_ns = current.now_ns
    current.puck_talks = True
    current.run(3_000)
    assert current.core.state is SessionState.PAUSED
    assert current.orders(back_ns) == []
    current.intend(intents.Resume())
    assert current.core.state is SessionState.RUNNING


def test_a_silent_puck_lets_nobody_begin(bench):
    bench.to_ready()
    bench.state = GatewayState.ARMED
    bench.run(300)
    bench.puck_talks = False
    bench.run(500)
    bench.intend(intents.Begin())
    assert bench.core.state is SessionState.READY
    assert "samples a second" in bench.core.todo


def test_a_disarmed_gateway_lets_nobody_begin(bench):
    bench.to_ready()
    bench.run(300)
    bench.intend(intents.Begin())
    assert bench.core.state is SessionState.READY
    assert bench.core.todo.startswith("Arm first")


def test_a_lost_puck_trips_and_its_port_is_tried_each_second(current):
    lost_ns = current.now_ns
    outputs = current.step(ports.PuckGone("no such device"))
    assert current.core.state is SessionState.TRIPPED
    assert "puck was lost (no such device)" in current.core.trip
    assert [order.reason for order in of(outputs, Stop)] == [StopReason.FAULT]
    assert current.event("puck_lost") == [{"cause": "no such device"}]
    current.puck_talks = False
    current.run(900)
    assert not [o for t_ns, o in current.said if t_ns > lost_ns and isinstance(o, ports.OpenPuck)]
    current.run(200)
    assert [o for t_ns, o in current.said if t_ns > lost_ns and isinstance(o, ports.OpenPuck)]
    current.step(ports.PuckMissing("There is no such port."))
    assert current.core.feed.lost == "There is no such port."
    current.step(ports.PuckOpened("again"))
    assert current.core.feed.lost == ""
    assert current.core.state is SessionState.TRIPPED


def test_a_puck_lost_before_the_session_runs_is_no_trip(bench):
    bench.to_fitting()
    bench.step(ports.PuckGone("unplugged"))
    assert bench.core.state is SessionState.FITTING


@pytest.mark.parametrize("noise", [b"\x00" * 200, b"garbage\n" * 20, bytes(range(256)), b"\n" * 50])
def test_bytes_of_a_broken_puck_are_counted_and_shown(current, noise):
    current.step(ports.PuckBytes(noise))
    current.run(100)
    snapshot = [o.message for _, o in current.said if isinstance(o, ports.ToFront)][-1]
    assert current.core.state is SessionState.RUNNING
    assert snapshot.pucks[0].bad_frames == current.core.feed.driver.bad_frames > 0


# -- the gateway ------------------------------------------------------------------------------------------------------


def test_a_silent_gateway_is_ended_after_300_ms_and_the_leads_are_to_be_pulled(current):
    heard_ns = current.core.status_ns
    current.gateway_talks = False
    current.run(600)
    ended = [t_ns for t_ns, output in current.said if isinstance(output, ports.EndGateway)]
    assert len(ended) == 1
    assert heard_ns + 300 * MS < ended[0] <= heard_ns + 300 * MS + 60 * MS
    assert current.core.state is SessionState.TRIPPED
    assert current.core.trip == "The gateway fell silent."
    assert "PULL THE LEADS" in current.core.todo
    assert not current.core.stimulation.delivering
    assert current.event("tripped") == [{"cause": "The gateway fell silent."}]


def test_a_gateway_that_has_gone_trips_at_once(current):
    current.gateway_talks = False
    current.step(ports.GatewayGone("end of stream"))
    assert current.core.state is SessionState.TRIPPED
    assert "PULL THE LEADS" in current.core.todo
    current.run(1_000)
    assert not [o for _, o in current.said if isinstance(o, ports.EndGateway)]  # nobody is left to be ended


def test_a_new_gateway_is_told_folder_and_limits_and_nothing_more(current):
    current.gateway_talks = False
    current.step(ports.GatewayGone("end of stream"))
    current.run(50)
    back_ns = current.now_ns
    outputs = current.step(ports.GatewayBack())
    assert len(of(outputs, OpenRecord)) == 1
    assert len(of(outputs, Constrain)) == 1
    current.gateway_talks, current.state = True, GatewayState.DISARMED
    current.run(3_000)
    assert current.orders(back_ns) == []
    assert current.core.state is SessionState.TRIPPED


def test_a_new_gateway_may_take_its_time_to_start_and_is_then_watched(current):
    """Else it would be ended again and again before it could say a word, and never send its stop."""
    current.gateway_talks = False
    current.step(ports.GatewayGone("end of stream"))
    current.step(ports.GatewayBack())
    current.run(3_000)
    assert not [o for _, o in current.said if isinstance(o, ports.EndGateway)]
    current.gateway_talks, current.state = True, GatewayState.DISARMED
    current.run(500)
    current.gateway_talks = False
    current.run(500)
    assert len([o for _, o in current.said if isinstance(o, ports.EndGateway)]) == 1


def test_a_latched_gateway_trips_the_session_with_its_cause(current):
    outputs = current.step(ports.FromGateway(Latched(current.now_ns, "STOP was pressed (F12).", "Look.")))
    assert current.core.state is SessionState.TRIPPED
    assert (current.core.trip, current.core.todo) == ("STOP was pressed (F12).", "Look.")
    assert of(outputs, Stop) == []  # it has stopped already
    assert not current.core.stimulation.delivering


def test_a_disarmed_gateway_pauses(current):
    current.state, current.on = GatewayState.DISARMED, False
    current.step(ports.FromGateway(current.status()))
    assert current.core.state is SessionState.PAUSED
    assert "disarmed" in current.core.todo


def test_the_first_cause_is_kept(current):
    current.step(ports.PuckGone("no such device"))
    first = current.core.trip
    current.step(ports.FromGateway(Latched(current.now_ns, "STOP was pressed (F12).", "Look.")))
    current.step(ports.GatewayGone("end of stream"))
    assert current.core.trip == first
    assert len(current.event("tripped")) == 1


def test_after_a_trip_it_takes_a_person_to_go_on(current):
    current.step(ports.FromGateway(Latched(current.now_ns, "STOP was pressed (F12).", "Look.")))
    tripped_ns = current.now_ns + 1
    current.state, current.on = GatewayState.LATCHED, False
    for wish in (intents.Begin(), intents.Resume(), intents.Pause(), intents.EndSession()):
        current.intend(wish)
    current.run(3_000)
    assert current.core.state is SessionState.TRIPPED
    assert current.orders(tripped_ns) == []
    current.intend(intents.Acknowledge("looked at, all well"))
    assert current.core.state is SessionState.READY
    assert current.event("acknowledged")[-1]["reason"] == "looked at, all well"
    assert current.core.trip == ""


# -- the engine itself ------------------------------------------------------------------------------------------------


def test_after_a_gap_of_its_own_old_motion_is_dropped_and_the_session_trips(current):
    rows = len(current.journal.rows)
    outputs = current.freeze(1_000)
    assert current.core.state is SessionState.TRIPPED
    assert "stood still for 1000 ms" in current.core.trip
    assert of(outputs, Deliver | Renew) == []
    assert [order.reason for order in of(outputs, Stop)] == [StopReason.FAULT]
    assert len(current.journal.rows) == rows
    current.run(1_000)
    assert current.core.state is SessionState.TRIPPED


def test_a_gap_that_a_busy_machine_makes_is_borne(current):
    current.freeze(60)
    current.run(500)
    assert current.core.state is SessionState.RUNNING


def test_a_gap_before_the_session_runs_is_borne_but_its_motion_is_dropped(bench):
    bench.to_ready()
    rows = len(bench.journal.rows)
    outputs = bench.freeze(2_000)
    assert len(bench.journal.rows) == rows
    assert not [output for output in outputs if isinstance(output, ports.EndGateway)]  # its words had not been heard
    bench.run(500)
    assert bench.core.state is SessionState.READY


def test_a_gateway_that_stays_silent_after_a_gap_is_still_found_out(bench):
    bench.to_ready()
    bench.gateway_talks = False
    outputs = bench.freeze(2_000)
    assert not [output for output in outputs if isinstance(output, ports.EndGateway)]
    bench.run(400)
    assert [output for _, output in bench.said if isinstance(output, ports.EndGateway)]


def test_a_sleep_that_both_slept_through_is_no_silence_of_the_gateway(bench):
    """Longer than the 300 ms of a silent gateway, shorter than the gap that trips: nobody was there to be heard."""
    bench.to_ready()
    bench.gateway_talks = False
    outputs = bench.freeze(400)
    assert not [output for output in outputs if isinstance(output, ports.EndGateway)]
    bench.run(400)
    assert [output for _, output in bench.said if isinstance(output, ports.EndGateway)]


def test_the_engine_beats_and_paints_as_agreed(running):
    since = running.now_ns
    running.run(2_000)
    beats = [t_ns for t_ns, o in running.said if t_ns > since and isinstance(getattr(o, "message", 0), EngineBeat)]
    gaps = [b - a for a, b in pairwise(beats)]
    assert max(gaps) <= 120 * MS
    frames = [o.message for t_ns, o in running.said if t_ns > since and isinstance(o, ports.ToFront)]
    assert 40 <= len(frames) <= 60  # about 25 a second
    assert all(isinstance(frame, Snapshot) for frame in frames)
    numbers = [frame.number for frame in frames]
    assert numbers == sorted(set(numbers))


# -- screen and record ------------------------------------------------------------------------------------------------


def test_a_screen_that_has_gone_stops_closes_the_record_and_ends_the_engine(current):
    outputs = current.step(ports.FrontGone("end of stream"))
    assert [order.reason for order in of(outputs, Stop)] == [StopReason.FAULT]
    assert any(isinstance(output, ports.Leave) for output in outputs)
    assert current.journal.ended == ["fault"]
    assert current.event("tally")


def test_a_record_that_cannot_be_written_trips(current):
    current.journal.failed = "No space left on device"
    current.run(40)
    assert current.core.state is SessionState.TRIPPED
    assert "No space left on device" in current.core.trip
    assert not current.on


def test_a_record_that_is_over_a_second_behind_trips(current):
    current.journal.backlog = 1_000
    current.run(100)
    assert current.core.state is SessionState.RUNNING
    current.journal.backlog = 1_001
    current.run(40)
    assert current.core.state is SessionState.TRIPPED
    assert "behind with the record" in current.core.trip


@pytest.mark.parametrize(
    ("trouble", "told"), [({"failed": "No space left on device"}, "No space left"), ({"backlog": 1_001}, "1 s behind")]
)
def test_no_titration_without_a_record(bench, trouble, told):
    bench.to_fitting()
    bench.press()
    bench.run(20)
    assert bench.on
    for name, value in trouble.items():
        setattr(bench.journal, name, value)
    bench.run(40)
    assert not bench.on
    assert [order.reason for order in bench.orders(kinds=Stop)] == [StopReason.FAULT]
    assert told in bench.core.trip
    bench.press()
    bench.run(20)
    assert not bench.on
