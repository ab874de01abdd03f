"""`FrontLine` over two real socket pairs: what comes is sorted, STOP goes out whole from any thread."""

import threading
from dataclasses import replace

import pytest

from controller.channel.codec import KINDS, decode, encode
from controller.channel.front import STOP_SOURCES, FrontLine
from controller.channel.line import Line, pair
from controller.tui import samples
from controller.tui.samples import NOW_NS
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayStatus, Refusal
from controller.vocabulary.intents import Begin
from controller.vocabulary.requests import Arm, ConfirmArm, Heartbeat, Prescribe, PrescribeJoint, StopNow
from controller.vocabulary.snapshot import MotionPoint
from safety.orders import ArmScope


@pytest.fixture
def ends():
    """(front, engine's end, gateway's end)."""
    ours_engine, engine = pair()
    ours_gateway, gateway = pair()
    lines = [Line(sock) for sock in (ours_engine, engine, ours_gateway, gateway)]
    yield FrontLine(lines[0], lines[2]), lines[1], lines[3]
    for line in lines:
        line.close()


def received(line: Line) -> list[object]:
    return [decode(kind, payload) for kind, payload in line.receive()]


def test_the_latest_snapshot_wins_but_no_motion_point_is_lost(ends):
    front, engine, _ = ends
    for number in (1, 2):
        points = tuple(MotionPoint(10 * number + step, 1.0, 2.0) for step in range(3))
        engine.send(*encode(replace(samples.snapshot(), number=number, motion=points)))
    front.poll(NOW_NS)
    assert front.snapshot is not None
    assert front.snapshot.number == 2
    assert [point.t_ms for point in front.take_motion()] == [10, 11, 12, 20, 21, 22]
    assert front.take_motion() == []
    assert front.snapshot_age_ms(NOW_NS) == 20


def test_what_the_gateway_says(ends):
    front, _, gateway = ends
    assert front.status_age_ms(NOW_NS) == front.snapshot_age_ms(NOW_NS) == -1
    gateway.send(*encode(samples.status()))
    gateway.send(*encode(Refusal(1, 2, "G07", "too much", False)))
    gateway.send(*encode(ArmNumber(9, ArmScope.SESSION, NOW_NS + 10)))
    front.poll(NOW_NS)
    assert isinstance(front.status, GatewayStatus)
    assert front.status == samples.status()
    assert front.status_age_ms(NOW_NS) == 40
    assert [refusal.rule for refusal in front.refusals] == ["G07"]
    assert front.arm_number == ArmNumber(9, ArmScope.SESSION, NOW_NS + 10)
    front.poll(NOW_NS + 11)
    assert front.arm_number is None


def test_a_denial_closes_the_number_and_a_new_wish_clears_the_denial(ends):
    front, _, gateway = ends
    gateway.send(*encode(ArmNumber(9, ArmScope.SESSION, NOW_NS + 10)))
    gateway.send(*encode(ArmDenied("the puck is old")))
    front.poll(NOW_NS)
    assert (front.arm_number, front.arm_denied) == (None, "the puck is old")
    front.request(Arm(ArmScope.SESSION))
    assert front.arm_denied == ""


def test_a_number_is_used_once(ends):
    front, _, gateway = ends
    gateway.send(*encode(ArmNumber(9, ArmScope.SESSION, NOW_NS + 10)))
    front.poll(NOW_NS)
    front.request(ConfirmArm(9))
    assert front.arm_number is None
    assert received(gateway) == [ConfirmArm(9)]


def test_intents_go_to_the_engine_and_requests_to_the_gateway(ends):
    front, engine, gateway = ends
    front.intend(Begin())
    front.heartbeat(5)
    assert received(engine) == [Begin()]
    assert received(gateway) == [Heartbeat(5)]


@pytest.mark.parametrize("source", [*STOP_SOURCES, "foot pedal"])
def test_stop_names_its_source(ends, source):
    front, engine, gateway = ends
    front.stop(source)
    assert received(gateway) == [StopNow(source)]
    assert received(engine) == []


def test_stop_from_another_thread_never_tears_a_message(ends):
    front, _, gateway = ends
    done = threading.Event()

    def hammer() -> None:
        for _ in range(200):
            front.stop("F12")
        done.set()

    thread = threading.Thread(target=hammer)
    thread.start()
    beats = 0
    got: list[object] = []
    while not done.is_set() or beats < 200:
        if beats < 200:
            front.heartbeat(beats)
            beats += 1
        got += received(gateway)
    thread.join()
    front.poll(NOW_NS)
    got += received(gateway)
    assert got.count(StopNow("F12")) == 200
    assert [message.t_ns for message in got if isinstance(message, Heartbeat)] == list(range(200))


def test_a_closed_line_is_named_and_a_stop_after_it_does_no_harm(ends):
    front, engine, gateway = ends
    engine.close()
    gateway.close()
    front.poll(NOW_NS)
    assert front.engine_lost == front.gateway_lost == "end of stream"
    front.stop("F12")
    front.intend(Begin())
    front.poll(NOW_NS)


def test_nonsense_is_counted_and_does_not_stop_the_reading(ends):
    front, engine, _ = ends
    engine.send(250, b"{}")
    engine.send(KINDS[GatewayStatus], b"[1]")
    engine.send(*encode(replace(samples.snapshot(), motion=())))
    front.poll(NOW_NS)
    assert front.bad_messages == 2
    assert front.snapshot is not None


def test_a_new_gateway_is_told_what_was_fitted_today(ends):
    front, _, gateway = ends
    old = Prescribe("P-001", "2026-01-05", 1, "forearm", 2_500, 14_000, 8_000)
    other_day = [replace(old, date="2026-01-06", channel=channel, ceiling_ua=9_000) for channel in (1, 2)]
    lowered = replace(other_day[0], ceiling_ua=8_000)
    for one in (old, *other_day, lowered):
        front.request(one)
    received(gateway)
    here, there = (Line(sock) for sock in pair())
    front.replace_gateway(here)
    assert received(there) == [lowered, other_day[1]]
    front.close()
    there.close()


def test_a_new_gateway_is_never_told_more_than_the_lowest_that_was_found_today(ends):
    """The old gateway refused to raise a ceiling; the new one has forgotten it and must not be told the raise."""
    front, _, gateway = ends
    found = Prescribe("P-001", "2026-01-05", 1, "forearm", 2_500, 14_000, 8_000)
    joint = PrescribeJoint("P-001", "2026-01-05", "wrist", "right", -3_000, 3_000, 800)
    for one in (found, replace(found, ceiling_ua=20_000), joint, replace(joint, torque_mnm=1_200)):
        front.request(one)
    received(gateway)
    here, there = (Line(sock) for sock in pair())
    front.replace_gateway(here)
    assert received(there) == [found, joint]
    front.request(replace(found, pad_area_mm2=1_600, ceiling_ua=20_000))  # another pad is found anew
    assert front._prescribed[1].ceiling_ua == 20_000
    front.close()
    there.close()


@pytest.mark.parametrize("seen", [True, False], ids=["its end was seen", "replaced before that"])
def test_a_gateway_stays_lost_until_the_new_one_speaks(ends, seen):
    front, _, gateway = ends
    gateway.send(*encode(samples.status()))
    front.poll(NOW_NS)
    gateway.close()
    if seen:
        front.poll(NOW_NS)
        assert front.gateway_lost == "end of stream"
    here, there = (Line(sock) for sock in pair())
    front.replace_gateway(here)
    front.poll(NOW_NS)
    assert front.gateway_lost
    assert front.status is None
    there.send(*encode(samples.status()))
    front.poll(NOW_NS)
    assert front.gateway_lost == ""
    assert front.status == samples.status()
    front.close()
    there.close()
