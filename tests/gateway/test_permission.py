"""Staged permission at the gateway: what a real unit may do with whom, at each stage, and when it ends."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from controller.drivers.stimulators.p24 import P24
from controller.gateway import ports
from controller.gateway.authorisation import Book, Entry
from controller.gateway.permit import DAY_NS, Found, Holder, Permits
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState, GatewayStatus
from controller.vocabulary.notices import NeedPosition, StartsBy
from controller.vocabulary.requests import Arm, ConfirmArm, Place, Prescribe, Press
from controller.vocabulary.stages import GRANTED, TEST_LOAD, Stage
from safety.orders import ArmScope, Purpose
from safety.stimulus import Waveform

pytestmark = pytest.mark.hazard("H05", "H40", "H48")
REAL, OPERATOR = "P24-0815", "m.weiss"
TODAY = date(2026, 11, 23)
MS, SECOND, START_NS = 1_000_000, 1_000_000_000, 1_000_000_000_000
HOUR = 3_600 * SECOND


def book(stage, unit=REAL, operator=OPERATOR, expires=TODAY, port=""):
    entry = Entry(unit, operator, Stage(stage), "Head", TODAY - timedelta(days=9), expires, port, 4)
    return Book("a.toml", "Bench room", "5" * 64, (entry,))


def holder(stage, **changes):
    into_ns = changes.pop("into_day_ns", 12 * HOUR)
    fields = {"operator": OPERATOR, "unit_port": "/dev/ttyACM0"} | changes
    return Holder(**({"book": book(stage), "today": TODAY, "at_ns": START_NS, "into_day_ns": into_ns} | fields))


def known(bench, patient, day="2026-11-23"):
    """A person has seen both muscles move, and how the patient sits."""
    bench.core.delivery.guard._memory.identified.update({1, 2})
    bench.core.delivery.guard._memory.fitted = dict.fromkeys({1, 2}, Waveform(10_000, 0, 1))
    bench.send(NeedPosition("seated"))
    bench.press(Place(patient, day, "seated", False))
    return bench


@pytest.fixture
def real(kit):
    """A bench with a unit that calls itself a real one; for tests alone, as everywhere."""

    def make(stage=Stage.CLOSED_LOOP, patient="P007", identity=REAL, **changes):
        bench = kit.Bench(identity, holder=holder(stage, **changes)).connect()
        for channel in (1, 2):
            wish = Prescribe(patient, "2026-11-23", channel, "forearm", 2_500, 20_000, 8_000)
            bench.press(wish)
        return known(bench, patient)

    return make


def why(bench, scope=ArmScope.FITTING):
    if not bench.core.stop_tested:
        bench.core.stop_tested = True
    answer = bench.ask(scope)
    return answer.reason if isinstance(answer, ArmDenied) else ""


def test_a_simulated_unit_needs_no_permission_and_says_so(bench):
    status = bench.facts(GatewayStatus)[-1]
    assert (status.stage, status.permission) == (Stage.SIMULATED, "")
    assert why(bench) == ""


@pytest.mark.parametrize("stage", GRANTED)
def test_a_valid_entry_lets_a_real_unit_be_armed_and_the_log_says_by_whom(real, stage):
    bench = real(stage, TEST_LOAD)
    assert why(bench) == ""
    status = bench.facts(GatewayStatus)[-1]
    assert (status.stage, status.permission, status.operator, status.simulated) == (stage, "", OPERATOR, False)
    told = bench.logged("permission_granted")
    assert len(told) == 1  # once, and not at every status
    assert told[0] | {"unit": REAL, "stage": stage, "approver": "Head", "sha256": "5" * 64} == told[0]


REFUSED = {
    "no file": ({"book": Book("a.toml", missing=True)}, "there is no authorisation file (a.toml)"),
    "a file that is wrong": ({"book": Book("a.toml", fault="a.toml, line 3: no.")}, "a.toml, line 3: no."),
    "no operator": ({"operator": ""}, "--operator NAME"),
    "another operator": ({"operator": "somebody"}, "no entry for P24-0815 and the operator somebody"),
    "nearly the same operator": ({"operator": "M.Weiss"}, "no entry"),
    "another unit": ({"book": book(GRANTED[2], unit="P24-0816")}, "a.toml has no entry for P24-0815."),
    "expired yesterday": ({"book": book(GRANTED[2], expires=TODAY - timedelta(days=1))}, "expired on 2026-11-22"),
    "no date": ({"today": None}, "there is no authorisation file"),
    "another port": ({"book": book(GRANTED[2], port="usb:A1")}, "Open it by usb:SERIAL"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_without_a_valid_entry_a_real_unit_is_never_armed(real, name):
    changes, said = REFUSED[name]
    bench = real(GRANTED[2], TEST_LOAD, **changes)
    assert said in why(bench)
    assert said in why(bench, ArmScope.SESSION)
    assert bench.facts(GatewayStatus)[-1].stage is Stage.NONE
    assert said in bench.logged("permission_refused")[-1]["why_not"]
    bench.send(bench.order(2_000))
    assert bench.twin.pulses == 0


def test_a_permission_that_ends_at_midnight_ends_at_midnight_and_no_clock_brings_it_back(real):
    bench = real(Stage.CLOSED_LOOP, into_day_ns=DAY_NS - 30 * SECOND)
    bench.arm()
    bench.stimulate()
    bench.run(1_000)
    assert bench.core.state is GatewayState.DELIVERING
    bench.now_ns = START_NS + 30 * SECOND
    permits = bench.core.permits
    assert "expired" in permits.why_not(bench.core, bench.now_ns)
    assert "expired" in permits.why_not(bench.core, bench.now_ns - 20 * SECOND)  # backwards: it stays expired


def test_permission_that_ends_while_current_flows_refuses_the_next_order_and_latches(real):
    bench = real(Stage.CLOSED_LOOP, into_day_ns=DAY_NS - 2 * SECOND)
    bench.arm().stimulate()
    bench.run(2_500)
    assert bench.core.state is GatewayState.LATCHED
    assert "expired" in bench.core.cause
    assert bench.twin.drive() == ()


def test_a_name_that_units_share_counts_on_its_own_port_alone(real):
    shared = P24.capabilities.device
    entry = book(GRANTED[2], unit=shared)
    assert "several devices share" in why(real(GRANTED[2], identity=shared, book=entry))
    entry = book(GRANTED[2], unit=shared, port="usb:A1")
    assert "several devices share" in why(real(GRANTED[2], identity=shared, book=entry, unit_port="usb:A2"))
    assert why(real(GRANTED[2], identity=shared, book=entry, unit_port="usb:A1")) == ""
    unnamed = book(GRANTED[2], unit="unnamed")
    assert "several devices share" in why(real(GRANTED[2], identity="", book=unnamed))


def test_a_resistor_box_takes_no_person(real):
    assert "choose the patient RESISTOR" in why(real(Stage.RESISTOR_BOX))
    bench = real(Stage.RESISTOR_BOX, TEST_LOAD)
    bench.arm(ArmScope.FITTING)
    bench.press(Press(1))
    bench.send(bench.order(500, purpose=Purpose.TITRATE, press=1))
    assert bench.twin.drive() == ((1, 500, 250, 29_000),)
    session = real(Stage.RESISTOR_BOX, TEST_LOAD).arm().stimulate()
    assert session.twin.drive() != ()


def test_another_patient_takes_the_permission_of_the_box_away(real):
    bench = real(Stage.RESISTOR_BOX, TEST_LOAD)
    assert why(bench) == ""
    bench.press(Prescribe("P007", "2026-11-23", 1, "forearm", 2_500, 20_000, 8_000))
    assert "resistor box only" in why(bench)


@pytest.mark.parametrize("stage", GRANTED)
@pytest.mark.parametrize("patient", ["SIM01", "sim7"])
def test_a_simulated_patient_is_never_treated_by_a_real_unit(real, stage, patient):
    said = why(real(stage, patient))
    assert "RESISTOR" in said
    assert patient in said or stage is Stage.RESISTOR_BOX


# -- button-triggered -----------------------------------------------------------------------------------------------


@pytest.fixture
def button(real):
    bench = real(Stage.BUTTON_TRIGGERED)
    bench.send(StartsBy(True))
    return bench.arm()


def test_a_protocol_that_begins_otherwise_is_not_armed_for_a_session(real):
    bench = real(Stage.BUTTON_TRIGGERED)
    assert "a person's button only" in why(bench, ArmScope.SESSION)  # the engine has not said anything yet
    bench.send(StartsBy(False))
    assert "a person's button only" in why(bench, ArmScope.SESSION)
    assert why(bench, ArmScope.FITTING) == ""
    bench.send(StartsBy(True))
    assert why(bench, ArmScope.SESSION) == ""


def test_each_burst_needs_a_fresh_press_of_its_own(button):
    button.press(Press(1))
    button.run(20)
    button.stimulate()
    button.run(1_500)  # a burst goes on as long as its own rules let it
    assert button.core.state is GatewayState.DELIVERING
    button.renews = False
    button.send(button.order())
    button.run(3_000)
    button.press(Press(1))  # the same press once more
    button.send(button.order(2_000))
    assert button.core.state is GatewayState.LATCHED
    assert "no fresh press" in button.core.cause
    assert button.twin.drive() == ()


def test_a_second_press_begins_a_second_burst(button):
    for number in (1, 2):
        button.press(Press(number))
        button.stimulate()
        button.renews = False
        button.send(button.order())
        button.run(3_000)
    assert button.core.state is GatewayState.ARMED


@pytest.mark.parametrize("wait_ms", [None, 1_050])
def test_no_press_or_an_old_one_begins_nothing(button, wait_ms):
    if wait_ms is not None:
        button.press(Press(1))
        button.run(wait_ms)
    button.send(button.order(2_000))
    assert button.core.state is GatewayState.LATCHED
    assert button.twin.pulses == 0


def test_the_engine_cannot_press(button):
    button.step(ports.FromEngine(Press(1)))
    button.send(button.order(2_000, press=1))
    assert button.core.state is GatewayState.LATCHED
    assert button.twin.pulses == 0


def test_a_press_from_before_arming_begins_nothing(real):
    bench = real(Stage.BUTTON_TRIGGERED)
    bench.send(StartsBy(True))
    bench.core.stop_tested = True
    bench.run(200)
    number = bench.ask()
    assert isinstance(number, ArmNumber)
    bench.press(Press(5))
    bench.press(ConfirmArm(number.number))
    assert bench.core.state is GatewayState.ARMED
    bench.send(bench.order(2_000))
    assert bench.core.state is GatewayState.LATCHED


def test_the_closed_loop_needs_no_press(real):
    assert real(Stage.CLOSED_LOOP).arm().stimulate().twin.drive() != ()


def test_a_press_begins_each_thing_once_and_one_does_not_use_up_the_other(button):
    core, permits = button.core, button.core.permits
    button.press(Press(1))
    for what, other in (("current", "movement"), ("movement", "")):
        assert permits.why_not(core, button.now_ns, what) == ""
        permits.began(what)
        assert "no fresh press" in permits.why_not(core, button.now_ns, what)
        assert permits.why_not(core, button.now_ns, other) == ""
    permits.pressed(button.now_ns)  # of a button that the gateway reads itself
    assert permits.why_not(core, button.now_ns, "current") == ""
    assert permits.why_not(core, button.now_ns, "movement") == ""


# -- unit and orthosis together --------------------------------------------------------------------------------------


class _Device:
    def __init__(self, identity):
        self.identity = identity


@pytest.mark.parametrize(
    ("unit", "joint", "stage"),
    [
        ("SIM1", "SIM2", Stage.SIMULATED),
        ("SIM1", "servo id 1", Stage.RESISTOR_BOX),
        (REAL, "SIM2", Stage.CLOSED_LOOP),
        (REAL, "servo id 1", Stage.RESISTOR_BOX),
        (REAL, "servo id 2", Stage.NONE),
        ("P24-9", "servo id 1", Stage.NONE),
        (REAL, "", Stage.NONE),
    ],
)
def test_of_two_devices_the_lesser_stage_holds(bench, unit, joint, stage):
    both = (*book(Stage.CLOSED_LOOP).entries, *book(Stage.RESISTOR_BOX, unit="servo id 1", port="usb:S").entries)
    held = holder(Stage.CLOSED_LOOP, book=replace(book(Stage.CLOSED_LOOP), entries=both), joint_port="usb:S")
    core = bench.core
    core.unit.identity, core.joint.unit = unit, _Device(joint)
    found = Permits(held).found(core, bench.now_ns)
    assert isinstance(found, Found)
    assert found.stage is stage
    assert (found.why == "") is (stage is not Stage.NONE)
    core.joint.unit = None


def test_asking_twice_does_not_change_the_number_of_what_is_remembered(real):
    bench = real(Stage.CLOSED_LOOP)
    for name in range(200):
        bench.core.permits._of(f"P24-{name}", "", "", bench.now_ns)
    assert len(bench.core.permits._known) <= 65
    assert isinstance(bench.ask(), ArmDenied | ArmNumber)
    assert Arm(ArmScope.SESSION).reason == ""
