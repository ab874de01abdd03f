"""Arming: STOP test, number, second key, reason; and a simulated unit, whatever its port is called."""

import pytest

from controller.gateway import ports
from controller.gateway.arming import READY_WITHIN_NS, ArmingDesk, Permission
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState
from controller.vocabulary.requests import Arm, ConfirmArm, Disarm, Press, StopNow
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H35", "H40", "H48", "H49")


def denied(outputs):
    return [output.message.reason for output in outputs if isinstance(getattr(output, "message", None), ArmDenied)]


def test_nothing_is_armed_before_stop_was_tested(bench):
    answer = bench.ask()
    assert isinstance(answer, ArmDenied)
    assert "STOP has not been tested" in answer.reason
    bench.press(StopNow("F12"))
    assert isinstance(bench.ask(), ArmNumber)


def test_the_number_goes_to_the_screen_alone(bench):
    bench.press(StopNow("F12"))
    outputs = bench.press(Arm(ArmScope.SESSION))
    numbers = [output for output in outputs if isinstance(getattr(output, "message", None), ArmNumber)]
    assert len(numbers) == 1
    assert isinstance(numbers[0], ports.ToFront)
    assert bench.core.state is GatewayState.DISARMED


def test_two_keys_arm_for_the_scope_that_was_asked(bench):
    bench.arm(ArmScope.FITTING)
    assert bench.core.scope is ArmScope.FITTING
    assert bench.logged("armed")[-1]["scope"] == ArmScope.FITTING


@pytest.mark.parametrize(("wait_ms", "armed"), [(4_900, True), (5_100, False)])
def test_the_second_key_counts_for_five_seconds(bench, wait_ms, armed):
    bench.press(StopNow("F12"))
    number = bench.ask().number
    bench.run(wait_ms)
    outputs = bench.press(ConfirmArm(number))
    bench.run(200)
    assert (bench.core.state is GatewayState.ARMED) == armed
    assert any("more than 5 s" in reason for reason in denied(outputs)) != armed


@pytest.mark.parametrize("off_by", [-1, 1, 1_000])
def test_another_number_confirms_nothing_and_uses_the_request_up(bench, off_by):
    bench.press(StopNow("F12"))
    number = bench.ask().number
    assert denied(bench.press(ConfirmArm(number + off_by)))
    assert denied(bench.press(ConfirmArm(number)))
    bench.run(300)
    assert bench.core.state is GatewayState.DISARMED


def test_a_number_counts_once(armed):
    used = next(o.message.number for o in armed.said if isinstance(getattr(o, "message", None), ArmNumber))
    armed.press(Disarm("pause"))
    armed.run(300)
    assert denied(armed.press(ConfirmArm(used)))
    armed.run(300)
    assert armed.core.state is GatewayState.DISARMED


def test_stop_between_the_two_keys_closes_the_request(bench):
    bench.press(StopNow("F12"))
    number = bench.ask().number
    bench.press(StopNow("F12"))
    assert denied(bench.press(ConfirmArm(number)))
    bench.run(300)
    assert bench.core.state is GatewayState.DISARMED


def test_stop_after_the_second_key_but_before_the_unit_is_ready(bench):
    bench.press(StopNow("F12"))
    bench.run(200)
    bench.press(ConfirmArm(bench.ask().number))  # the unit is still switching its high voltage
    assert bench.core.state is GatewayState.DISARMED
    bench.press(StopNow("F12"))
    bench.run(500)
    assert bench.core.state is GatewayState.DISARMED


@pytest.mark.parametrize("reason", ["", "  ", "ok", " x "])
def test_after_a_latch_a_reason_in_words_is_needed(stimulating, reason):
    stimulating.press(StopNow("F12"))
    stimulating.run(300)
    answer = stimulating.ask(reason=reason)
    assert isinstance(answer, ArmDenied)
    assert "Write in a few words" in answer.reason
    stimulating.arm(reason="pad stuck back on")
    assert stimulating.logged("rearmed")[-1]["reason"] == "pad stuck back on"
    assert stimulating.core.cause == ""


@pytest.mark.parametrize("identity", ["P24-000042", "sim0P24001", "", " SIM0P2400", "XSIM0P2400"])
def test_only_a_unit_that_says_it_is_simulated_is_armed(kit, identity):
    bench = kit.Bench(identity).connect().prescribe()
    bench.press(StopNow("F12"))
    bench.run(300)
    answer = bench.ask()
    assert isinstance(answer, ArmDenied)
    shown = identity or "unnamed"
    assert answer.reason.startswith(f"{shown} is a real device and there is no authorisation file. ")
    for number in (0, 1, 2):
        bench.press(ConfirmArm(number))
    bench.run(300)
    bench.send(bench.order(2_000))
    assert bench.core.state is GatewayState.DISARMED
    assert bench.twin.pulses == 0


def test_a_port_that_is_called_simulated_proves_nothing(kit):
    bench = kit.Bench("P24-000042")
    bench.step(ports.UnitOpened("socket://SIM:1"))
    bench.run(300)
    bench.press(StopNow("F12"))
    assert isinstance(bench.ask(), ArmDenied)


@pytest.mark.parametrize("cuts", ["engine_talks", "screen_talks"])
def test_a_silent_partner_keeps_it_disarmed(bench, cuts):
    bench.press(StopNow("F12"))
    setattr(bench, cuts, False)
    bench.run(700)
    if cuts == "engine_talks":
        answer = bench.ask()
        assert isinstance(answer, ArmDenied)
        assert "engine is silent" in answer.reason
    else:
        assert "screen is silent" in bench.core.blocked(bench.now_ns)


def test_what_the_engine_says_can_never_arm(bench):
    bench.press(StopNow("F12"))
    number = bench.ask().number
    for words in (Arm(ArmScope.SESSION, "please"), ConfirmArm(number), StopNow("F12"), Press(1)):
        bench.send(words)
    bench.run(300)
    assert bench.core.state is GatewayState.DISARMED
    assert bench.core.scope is None


def test_arming_anew_while_armed_goes_back_to_disarmed(stimulating):
    number = stimulating.ask().number
    stimulating.press(ConfirmArm(number))
    assert stimulating.core.state is GatewayState.DISARMED
    assert stimulating.twin.drive() == ()


def test_the_desk_by_itself():
    desk = ArmingDesk(40)
    assert desk.ask(0, ArmScope.SESSION, "", False, "No cable.") == ArmDenied("No cable.")
    first = desk.ask(0, ArmScope.SESSION, "", False, "")
    second = desk.ask(0, ArmScope.FITTING, "because", True, "")
    assert (first.number, second.number) == (40, 41)
    assert isinstance(desk.confirm(1, first.number), ArmDenied)  # asked again since
    third = desk.ask(0, ArmScope.FITTING, " because ", True, "")
    assert desk.confirm(third.expires_ns, third.number) == Permission(
        ArmScope.FITTING, "because", third.expires_ns + READY_WITHIN_NS
    )
    desk.ask(0, ArmScope.FITTING, "", False, "")
    desk.forget()
    assert isinstance(desk.confirm(0, third.number + 1), ArmDenied)


@pytest.mark.parametrize("ceiling_ua", [None, 0])
def test_a_session_without_a_ceiling_of_today_is_not_armed(kit, ceiling_ua):
    bench = kit.Bench().connect()
    if ceiling_ua is not None:
        bench.prescribe(ceiling_ua)
    bench.press(StopNow("F12"))
    bench.run(200)
    answer = bench.ask(ArmScope.SESSION)
    assert isinstance(answer, ArmDenied)
    assert "No channel has a ceiling of today" in answer.reason
    assert isinstance(bench.ask(ArmScope.FITTING), ArmNumber)
    bench.prescribe(6_000)
    assert isinstance(bench.ask(ArmScope.SESSION), ArmNumber)
