"""Permission does not outlast the person who gave it; what stands is changed with a reason alone, and both are told."""

from dataclasses import replace

import pytest

from controller.gateway import ports
from controller.gateway.presence import ALONE, UNUSED
from controller.vocabulary import notices
from controller.vocabulary.facts import GatewayState, GatewayStatus, Refusal
from controller.vocabulary.requests import Prescribe, Present, StopNow

pytestmark = pytest.mark.hazard("H23", "H51")
FOUND = Prescribe("SIM01", "2026-01-05", 1, "forearm", 2_500, 20_000)


def of(outputs, kind):
    return [each for each in outputs if isinstance(each, kind)]


def logged(bench, kind):
    return [entry.data for entry in of(bench.said, ports.Log) if entry.kind == kind]


def test_armed_and_unused_for_two_minutes_it_is_disarmed(armed):
    armed.run(119_000)
    assert armed.core.state is GatewayState.ARMED
    armed.run(2_000)
    assert armed.core.state is GatewayState.DISARMED
    assert logged(armed, "disarmed")[-1] == {"reason": UNUSED}


def test_a_person_who_does_something_keeps_it_armed(armed):
    for _ in range(3):
        armed.run(100_000)
        armed.press(Present())
    assert armed.core.state is GatewayState.ARMED


def test_the_screens_heartbeat_is_no_person(armed):
    armed.run(130_000)  # the bench's screen beats all the while
    assert armed.core.state is GatewayState.DISARMED


def test_a_session_that_runs_is_asked_after_ten_minutes_and_latched_after_twelve(armed, monkeypatch, kit):
    monkeypatch.setattr("controller.gateway.presence.ALONE_NS", 20 * kit.SECOND)
    monkeypatch.setattr("controller.gateway.presence.ANSWER_NS", 5 * kit.SECOND)
    monkeypatch.setattr("controller.gateway.presence.UNUSED_NS", 15 * kit.SECOND)

    def burst():
        armed.stimulate()
        armed.run(1_000)
        armed.renews = False
        armed.send(armed.order())
        armed.run(4_000)

    def alone():
        return [each.message.alone for each in of(armed.said, ports.ToFront) if type(each.message) is GatewayStatus][-1]

    for _ in range(4):
        burst()
        assert armed.core.state is GatewayState.ARMED
    armed.run(500)
    assert alone()
    armed.press(Present())
    armed.run(200)
    assert not alone()
    for _ in range(5):
        burst()
    armed.run(1_000)
    assert armed.core.state is GatewayState.LATCHED
    assert armed.core.cause == ALONE


def test_what_stands_is_changed_with_a_reason_alone(bench):
    lower = replace(FOUND, ceiling_ua=15_000)
    outputs = bench.press(lower)
    assert [each.message.rule for each in of(outputs, ports.ToFront) if isinstance(each.message, Refusal)] == ["A01"]
    assert bench.core.delivery.guard.limit(1, bench.core.scope or "session").ceiling_ua == 20_000
    for reason in ("", "  ", "ok"):
        assert not of(bench.press(replace(lower, reason=reason)), ports.Audit)
    bench.press(replace(lower, reason="it hurt"))
    assert bench.core.delivery.guard.limit(1, bench.core.scope or "session").ceiling_ua == 15_000
    assert logged(bench, "prescribed")[-1]["reason"] == "it hurt"
    assert logged(bench, "change_refused")[0]["refused"] == "A01"
    bench.press(lower)  # as it stands: no change, no reason


def test_every_change_goes_to_the_record_of_changes(kit):
    bench = kit.Bench(keeps_dose=True).connect()
    bench.press(FOUND)
    bench.step(ports.DoseRead(FOUND.patient, FOUND.date, (0, 0, 0, 0), ""))
    bench.step(ports.FromEngine(notices.ToAudit("screening", "SIM01", '{"version": 1}', "Dr. W")))
    bench.step(ports.FromEngine(notices.ToAudit("screening", "SIM01", "no json", "")))
    bench.step(ports.FromEngine(notices.Constrain(1, "forearm", 2_500, 20_000, 250, 20_000, 5_000)))
    told = [(each.what, each.subject, each.reason) for each in of(bench.said, ports.Audit)]
    assert told == [
        ("prescription", "SIM01 2026-01-05 channel 1", ""),
        ("screening", "SIM01", "Dr. W"),
        ("screening", "SIM01", ""),
        ("protocol limits", "channel 1", "as the protocol says"),
    ]
    assert of(bench.said, ports.Audit)[0].new["ceiling_ua"] == 20_000


def test_a_record_of_changes_that_cannot_be_written_keeps_it_from_arming(bench):
    bench.step(ports.AuditHead(3, "ab" * 32))
    assert logged(bench, "audit_head") == [{"seq": 3, "hash": "ab" * 32}]
    bench.press(StopNow("F12"))
    assert bench.core.blocked(bench.now_ns) == ""
    bench.step(ports.AuditFailed("no space left"))
    assert "cannot be written down" in bench.core.blocked(bench.now_ns)
