"""Permission by itself: whose entry, until which nanosecond, which press, and what is written down of it."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from controller.gateway import permit
from controller.gateway.authorisation import Book, Entry
from controller.gateway.permit import Holder, Permits
from controller.vocabulary.stages import Stage
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H05", "H40", "H48")

DAY_NS = 24 * 60 * 60 * 1_000_000_000
PRESS_NS = 1_000_000_000
TODAY = date(2026, 11, 23)
AT = 50_000_000_000
UNIT, SERVO, SIMULATED = "P24-0815", "servo id 1", "SIM0P24001"


def entry(stage=Stage.CLOSED_LOOP, unit=UNIT, operator="op", expires=TODAY, port="", line=4):
    return Entry(unit, operator, stage, "Head", TODAY - timedelta(days=9), expires, port, line)


def holder(*entries, **changes):
    book = Book("a.toml", "Bench room", "5" * 64, entries or (entry(),))
    fields = {"book": book, "operator": "op", "unit_port": "usb:U", "joint_port": "usb:J", "today": TODAY}
    return Holder(**(fields | {"at_ns": AT, "into_day_ns": 0} | changes))


class Core:
    """What permission looks at, and where it writes."""

    def __init__(self, unit=UNIT, joint=None, patient="P007", scope=ArmScope.SESSION):
        fitted = None if joint is None else SimpleNamespace(identity=joint)
        self.kind = SimpleNamespace(capabilities=SimpleNamespace(device="P24"))
        self.unit = SimpleNamespace(identity=unit)
        self.joint = SimpleNamespace(unit=fitted, identified=joint != "")
        self.patient, self.scope = patient, scope
        self.logs, self.changes = [], []
        self.voice = SimpleNamespace(log=lambda *told, sync=False: self.logs.append((*told, sync)))
        self.audit = SimpleNamespace(change=lambda *told, stands: self.changes.append((*told, stands)))


# -- whose entry, and how long -----------------------------------------------------------------------------------------


def test_the_last_nanosecond_of_the_last_day_is_permitted_and_the_next_is_not():
    held = holder(into_day_ns=DAY_NS - 5)
    permits = Permits(held)
    assert permits.found(Core(), AT).why == ""
    assert permits.found(Core(), AT + 4).why == ""
    said = "The permission of op for P24-0815 expired on 2026-11-23 (a.toml, line 4). Have it renewed by Head."
    assert permits.found(Core(), AT + 5) == (Stage.NONE, said, None)
    assert permits.found(Core(), AT).why == said  # a clock that went back gives no day back


def test_a_permission_lasts_through_its_last_day_and_the_next_is_counted_from_the_start():
    permits = Permits(holder(entry(expires=TODAY + timedelta(days=1)), into_day_ns=0))
    assert permits.found(Core(), AT + 2 * DAY_NS - 1).why == ""
    assert permits.found(Core(), AT + 2 * DAY_NS).why != ""


def test_a_clock_from_before_the_start_does_not_begin_the_day_before():
    permits = Permits(holder(entry(expires=TODAY - timedelta(days=1))))
    assert "expired on 2026-11-22" in permits.found(Core(), AT - 1).why


def test_nobody_in_particular_holds_nothing():
    assert Holder() == Holder(permit.NO_BOOK, "", "", "", None, 0, 0)
    said = "P24-0815 is a real device and there is no authorisation file. Only simulated ones need none."
    assert Permits().found(Core(), AT).why.startswith(said)
    assert Permits().by_button_only is False


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"book": Book(fault="Line 3 is wrong.")}, "is a real device and the authorisation file is not valid. Line 3"),
        ({"book": Book("b.toml", missing=True)}, "and there is no authorisation file (b.toml). Only simulated ones"),
        ({"today": None}, "and there is no authorisation file (a.toml). Only simulated ones"),
        ({"operator": ""}, "is a real device: start stimloop with --operator NAME, as in a.toml."),
        ({"operator": "else"}, "a.toml has no entry for P24-0815 and the operator else."),
    ],
)
def test_what_is_missing_is_said(changes, said):
    found = Permits(holder(**changes)).found(Core(), AT)
    assert (found.stage, found.entry) == (Stage.NONE, None)
    assert said in found.why


def test_another_units_entry_does_not_count():
    found = Permits(holder(entry(unit="P24-1"))).found(Core(), AT)
    assert found.why == "a.toml has no entry for P24-0815. Another unit's entry does not count for it."
    found = Permits(holder()).found(Core(unit=""), AT)
    assert found.why == "The devices have not said who they are yet. Wait a moment, or check their cables."


@pytest.mark.parametrize(
    ("unit", "port", "here", "said"),
    [
        (UNIT, "", "usb:U", ""),
        (UNIT, "usb:U", "usb:U", ""),
        (UNIT, "usb:V", "usb:U", "P24-0815 is on another port."),
        ("P24", "", "usb:U", "P24 is a name that several devices share."),
        ("P24", "usb:V", "usb:U", "P24 is a name that several devices share."),
        ("P24", "usb:U", "usb:U", ""),
        ("unnamed", "", "usb:U", "unnamed is a name that several devices share."),
        ("servo id 12", "", "usb:U", "servo id 12 is a name that several devices share."),
        ("servo id 12", "usb:U", "usb:U", ""),
        ("servo id 1x", "", "usb:U", ""),
    ],
)
def test_an_entry_without_a_port_counts_for_a_name_that_one_device_has(unit, port, here, said):
    found = Permits(holder(entry(unit=unit, port=port), unit_port=here)).found(Core(unit=unit), AT)
    assert found.why == (f'{said} Open it by usb:SERIAL, and write port = "usb:SERIAL" into its entry.' if said else "")


def test_what_was_judged_is_remembered_up_to_sixty_five_and_then_anew(monkeypatch):
    permits, asked = Permits(holder()), []
    judge = permits._judge
    monkeypatch.setattr(permits, "_judge", lambda *given: asked.append(given[0]) or judge(*given))
    for number in range(65):
        permits._of(f"P24-{number}", "P24", "usb:U", AT)
    assert len(permits._known) == 65
    permits._of("P24-0", "P24", "usb:U", AT)
    assert len(asked) == 65
    permits._of("P24-65", "P24", "usb:U", AT)
    assert len(permits._known) == 1
    assert permits._of("P24-65", "P24", "usb:U", AT) is permits._of("P24-65", "P24", "usb:U", AT)
    assert len(asked) == 66


# -- both devices ------------------------------------------------------------------------------------------------------


def both(unit_stage, joint_stage):
    entries = (entry(unit_stage), entry(joint_stage, unit=SERVO, port="usb:J"))
    return Permits(holder(*entries)).found(Core(joint=SERVO), AT)


@pytest.mark.parametrize(
    ("unit", "joint", "which"),
    [
        (Stage.RESISTOR_BOX, Stage.BUTTON_TRIGGERED, UNIT),
        (Stage.RESISTOR_BOX, Stage.RESISTOR_BOX, UNIT),
        (Stage.CLOSED_LOOP, Stage.BUTTON_TRIGGERED, SERVO),
        (Stage.CLOSED_LOOP, Stage.RESISTOR_BOX, SERVO),
        (Stage.BUTTON_TRIGGERED, Stage.CLOSED_LOOP, UNIT),
    ],
)
def test_the_lesser_of_two_real_devices_holds(unit, joint, which):
    assert both(unit, joint).entry.unit == which


def test_a_real_one_counts_beside_a_simulated_one_and_a_refusal_beside_everything():
    entries = (entry(), entry(Stage.BUTTON_TRIGGERED, unit=SERVO, port="usb:J"))
    permits = Permits(holder(*entries))
    assert permits.found(Core(joint="SIM1"), AT).entry.unit == UNIT
    assert permits.found(Core(unit=SIMULATED, joint=SERVO), AT).entry.unit == SERVO
    assert permits.found(Core(unit=SIMULATED, joint="SIM1"), AT).stage is Stage.SIMULATED
    assert permits.found(Core(unit=SIMULATED), AT).stage is Stage.SIMULATED
    assert "no entry for servo id 2" in permits.found(Core(joint="servo id 2"), AT).why
    assert "no entry for P24-9" in permits.found(Core(unit="P24-9", joint="servo id 2"), AT).why


def test_a_unit_called_like_a_servo_is_not_shared_by_the_orthosis():
    """What several devices are called is looked up for each port by itself."""
    named = entry(unit="XX", port="")
    assert Permits(holder(entry(), named)).found(Core(joint="XX"), AT).why == ""


# -- how it may be used ------------------------------------------------------------------------------------------------


def test_simulated_devices_may_be_used_for_everybody():
    permits = Permits()
    for patient in ("", "SIM01", "P007", "RESISTOR"):
        assert permits.why_not(Core(unit=SIMULATED, patient=patient), AT, "current") == ""


@pytest.mark.parametrize("stage", [Stage.RESISTOR_BOX, Stage.BUTTON_TRIGGERED, Stage.CLOSED_LOOP])
def test_no_real_device_for_a_simulated_patient(stage):
    for patient in ("SIM01", "sim2"):
        said = Permits(holder(entry(stage))).why_not(Core(patient=patient), AT)
        assert said == (f"{patient} is a simulated patient and this unit is real. Choose RESISTOR for a test load.")
    assert Permits(holder(entry(stage))).why_not(Core(patient="RESISTOR"), AT) == ""


def test_the_resistor_box_takes_the_test_load_or_nobody_yet():
    permits = Permits(holder(entry(Stage.RESISTOR_BOX)))
    for patient, allowed in (("", True), ("RESISTOR", True), ("P007", False), ("resistor", False), ("X", False)):
        said = permits.why_not(Core(patient=patient), AT)
        assert (said == "") is allowed
        assert allowed or said == (
            "This unit may be used on a resistor box only. "
            "Take the leads off the person, connect the box and choose the patient RESISTOR."
        )
    assert Permits(holder(entry(Stage.CLOSED_LOOP))).why_not(Core(patient="P007"), AT) == ""


BUTTON = "This unit may be used with a person's button only, and no fresh press begins this."


def by_button():
    return Permits(holder(entry(Stage.BUTTON_TRIGGERED)))


@pytest.mark.parametrize(
    ("age_ns", "fresh"), [(-1, False), (0, True), (1, True), (PRESS_NS, True), (PRESS_NS + 1, False)]
)
def test_a_press_is_fresh_for_one_second(age_ns, fresh):
    permits = by_button()
    permits.press(1, AT)
    assert permits.why_not(Core(), AT + age_ns, "current") == ("" if fresh else BUTTON)


def test_at_the_beginning_nobody_has_pressed():
    for now_ns in (0, 1, PRESS_NS, DAY_NS):
        assert by_button().why_not(Core(), now_ns, "current") == BUTTON
    permits = by_button()
    permits.press(1, 5)
    permits.forget()
    for now_ns in (0, 5, DAY_NS):
        assert permits.why_not(Core(), now_ns, "current") == BUTTON


def test_what_goes_on_needs_no_press_nor_does_fitting():
    permits = by_button()
    assert permits.why_not(Core(), AT) == ""
    assert permits.why_not(Core(), AT, "") == ""
    assert permits.why_not(Core(), AT, "movement") == BUTTON
    assert permits.why_not(Core(scope=ArmScope.FITTING), AT, "movement") == ""
    assert permits.why_not(Core(scope=None), AT, "movement") == ""
    assert Permits(holder(entry(Stage.CLOSED_LOOP))).why_not(Core(), AT, "movement") == ""


def test_presses_from_the_screen_rise_and_each_begins_everything_once():
    permits = by_button()
    permits.press(0, AT)  # numbers begin above 0
    assert permits.why_not(Core(), AT, "current") == BUTTON
    permits.press(1, AT)
    permits.began("current")
    assert permits.why_not(Core(), AT, "current") == BUTTON
    assert permits.why_not(Core(), AT, "movement") == ""
    permits.press(1, AT + PRESS_NS)
    assert permits.why_not(Core(), AT + PRESS_NS, "current") == BUTTON
    permits.press(2, AT + PRESS_NS)
    assert permits.why_not(Core(), AT + 2 * PRESS_NS, "current") == ""
    permits.press(1, AT + 3 * PRESS_NS)
    assert permits.why_not(Core(), AT + 3 * PRESS_NS, "current") == BUTTON


def test_a_session_by_button_is_armed_only_where_the_protocol_waits_for_it():
    permits, core = by_button(), Core()
    said = (
        "This unit may be used with a person's button only, and the protocol begins stimulation without it. "
        "Choose one in which `button key` or `button pedal` does."
    )
    assert permits.unsuited(core, AT, ArmScope.SESSION) == said
    assert permits.unsuited(core, AT, ArmScope.FITTING) == ""
    permits.by_button_only = True
    assert permits.unsuited(core, AT, ArmScope.SESSION) == ""
    assert Permits(holder(entry(Stage.CLOSED_LOOP))).unsuited(core, AT, ArmScope.SESSION) == ""


# -- what is written down of it ----------------------------------------------------------------------------------------


def test_what_was_permitted_is_written_down_with_all_it_rests_on():
    core, permits = Core(), Permits(holder())
    permits.note(core, AT)
    told = {"unit": UNIT, "orthosis": "", "operator": "op", "stage": Stage.CLOSED_LOOP, "why_not": ""}
    told |= {"file": "a.toml", "sha256": "5" * 64, "site": "Bench room", "approver": "Head", "expires": "2026-11-23"}
    assert core.logs == [(AT, "permission_granted", told, True)]
    assert core.changes == [(AT, "authorisation", UNIT, told, "as the authorisation file says", False)]
    permits.note(core, AT + 1)
    assert len(core.logs) == len(core.changes) == 1  # once


def test_what_was_refused_is_written_down_and_so_is_each_change():
    core, permits = Core(joint="SIM7"), Permits(holder(entry(unit="P24-1")))
    permits.note(core, AT)
    ((_, kind, told, sync),) = core.logs
    assert (kind, sync) == ("permission_refused", True)
    assert told["why_not"].startswith("a.toml has no entry for P24-0815.")
    assert (told["orthosis"], told["stage"]) == ("SIM7", Stage.NONE)
    assert "approver" not in told
    core.joint.unit.identity = "SIM8"
    permits.note(core, AT)
    assert [log[2]["orthosis"] for log in core.logs] == ["SIM7", "SIM8"]


def test_of_simulated_devices_the_log_alone_knows():
    core = Core(unit=SIMULATED)
    Permits().note(core, AT)
    assert [log[1] for log in core.logs] == ["permission_granted"]
    assert core.logs[0][2]["stage"] is Stage.SIMULATED
    assert core.changes == []


@pytest.mark.parametrize("core", [Core(unit=""), Core(joint="")])
def test_nothing_is_written_down_before_every_device_has_said_who_it_is(core):
    permits = Permits(holder())
    permits.note(core, AT)
    assert core.logs == []
    assert core.changes == []


def test_the_holder_is_as_it_was_given():
    held = replace(holder(), operator="somebody")
    assert Permits(held).holder is held
