"""Arming, the record of changes and the day's dose, each asked alone: at its bounds, and for every field it says."""

import json
import os
import stat
from types import SimpleNamespace

import pytest

from controller.gateway import audit_book, ports
from controller.gateway.arming import ArmingDesk, Permission
from controller.gateway.audit import AuditKeeper
from controller.gateway.audit_book import NAME, AuditBook
from controller.gateway.conditions import conditions_of
from controller.gateway.dose import DoseKeeper
from controller.gateway.voice import Voice
from controller.vocabulary.chain import GENESIS, read
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState, Refusal
from safety.interlocks import Conditions
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H40", "H42", "H48")

AT, FIVE_SECONDS = 70_000_000_000, 5_000_000_000
WHEN = "2026-01-05T10:00:00Z"


# -- the arming desk ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late_ns", "counts"), [(-1, True), (0, True), (1, False)])
def test_a_confirmation_counts_five_seconds_to_the_nanosecond(late_ns, counts):
    desk = ArmingDesk()
    asked = desk.ask(AT, ArmScope.SESSION, "", False, "")
    assert asked == ArmNumber(1, ArmScope.SESSION, AT + FIVE_SECONDS)
    then = AT + FIVE_SECONDS + late_ns
    answer = desk.confirm(then, 1)
    assert (answer == Permission(ArmScope.SESSION, "", then + FIVE_SECONDS)) is counts
    assert isinstance(answer, ArmDenied) is not counts


@pytest.mark.parametrize(("reason", "enough"), [("ab", False), (" ab ", False), ("abc", True), (" abc ", True)])
@pytest.mark.parametrize("latched", [True, False])
def test_after_a_latch_three_letters_are_the_least(reason, enough, latched):
    assert isinstance(ArmingDesk().ask(AT, ArmScope.SESSION, reason, latched, ""), ArmNumber) is (enough or not latched)


def test_a_refused_request_closes_the_one_before_and_uses_no_number_up():
    desk = ArmingDesk()
    assert desk.ask(AT, ArmScope.SESSION, "", False, "").number == 1
    assert isinstance(desk.ask(AT, ArmScope.SESSION, "", False, "No cable."), ArmDenied)
    assert isinstance(desk.confirm(AT, 1), ArmDenied)
    assert desk.ask(AT, ArmScope.SESSION, "", False, "").number == 2


# -- the record of changes, the core's half ----------------------------------------------------------------------------


@pytest.fixture
def voice():
    return Voice()


def test_the_first_setting_needs_no_reason_and_a_change_of_it_does(voice):
    keeper = AuditKeeper(voice, kept=True)
    assert keeper.blocked == ""
    assert keeper.unexplained(AT, "ceiling", "SIM01", {"ua": 1}, "") is False
    keeper.change(AT, "ceiling", "SIM01", {"ua": 1})
    assert voice.begin() == []
    assert keeper.unexplained(AT, "ceiling", "SIM01", {"ua": 1}, "") is False
    assert keeper.unexplained(AT, "ceiling", "SIM02", {"ua": 2}, "") is False
    assert keeper.unexplained(AT, "current", "SIM01", {"ua": 2}, "") is False
    assert keeper.unexplained(AT, "ceiling", "SIM01", {"ua": 2}, "abc") is False
    assert voice.out == []
    assert keeper.unexplained(AT, "ceiling", "SIM01", {"ua": 2}, "ab") is True
    sentence = "The ceiling of SIM01 stands already: a change needs a reason, in a few words."
    refusal = Refusal(AT, 0, "A01", sentence, False)
    told = {"what": "ceiling", "subject": "SIM01", "new": {"ua": 2}, "refused": "A01", "reason": sentence}
    logged = ports.Log(AT, "change_refused", told, True)
    assert voice.out == [ports.ToFront(refusal), ports.ToEngine(refusal), logged]


@pytest.mark.parametrize("reason", [" ab ", None, 1234, b"abcd", ["a", "b", "c"]])
def test_what_is_no_text_of_three_letters_is_no_reason(voice, reason):
    keeper = AuditKeeper(voice, kept=True)
    keeper.change(AT, "ceiling", "SIM01", {"ua": 1})
    assert keeper.unexplained(AT, "ceiling", "SIM01", {"ua": 2}, reason) is True


def test_a_change_is_handed_out_with_at_most_200_letters_of_why(voice):
    keeper = AuditKeeper(voice, kept=True)
    keeper.change(AT, "ceiling", "SIM01", {"ua": 1})
    keeper.change(AT + 1, "ceiling", "SIM01", {"ua": 2}, f"  {'x' * 201} ")
    first = ports.Audit(AT, "ceiling", "SIM01", {"ua": 1}, "")
    assert voice.out == [first, ports.Audit(AT + 1, "ceiling", "SIM01", {"ua": 2}, "x" * 200)]


def test_without_a_disk_nothing_is_handed_out_and_what_stands_still_needs_a_reason(voice):
    keeper = AuditKeeper(voice, kept=False)
    keeper.change(AT, "ceiling", "SIM01", {"ua": 1})
    assert voice.out == []
    assert keeper.unexplained(AT, "ceiling", "SIM01", {"ua": 2}, "") is True


@pytest.mark.parametrize(
    ("text", "new"), [('{"a":1}', {"a": 1}), ("[1]", {"value": [1]}), ("{", {"text": "{"}), ("3", {"value": 3})]
)
def test_what_the_engine_tells_is_written_down_and_binds_nobody(voice, text, new):
    keeper = AuditKeeper(voice, kept=True)
    keeper.tell(AT, "method", "gait", text, "said so")
    assert voice.out == [ports.Audit(AT, "method", "gait", new, "said so")]
    assert keeper.unexplained(AT, "method", "gait", {"other": 1}, "") is False


def test_a_disk_that_fails_blocks_arming_and_both_records_are_synced(voice):
    keeper = AuditKeeper(voice, kept=True)
    keeper.head(AT, ports.AuditHead(7, "ab"))
    keeper.failed(AT + 1, "disk full")
    assert keeper.blocked.startswith("Changes cannot be written down (disk full). ")
    assert voice.out == [
        ports.Log(AT, "audit_head", {"seq": 7, "hash": "ab"}, True),
        ports.Log(AT + 1, "audit_failed", {"cause": "disk full"}, True),
    ]


# -- the record of changes, the disk's half ----------------------------------------------------------------------------


def change(t_ns, subject, value, why="because"):
    return ports.Audit(t_ns, "ceiling", subject, {"ua": value}, why)


def written(root, *changes, operator="Ada"):
    book = AuditBook(root, operator)
    assert (book.failed, book.head) == ("", (-1, GENESIS))
    for one in changes:
        book.add(one, WHEN)
    assert book.close(timeout_s=5.0) is True
    return book, read((root / NAME).read_bytes()).records


def told(operator, subject, old, new):
    fields = {"at": WHEN, "operator": operator, "what": "ceiling", "subject": subject, "reason": "because"}
    return fields | {"old": old, "new": new}


def test_a_record_says_who_when_what_of_whom_from_what_to_what_and_why(tmp_path):
    same = change(13, "SIM01", 2)
    book, records = written(tmp_path / "a" / "b", change(11, "SIM01", 1), change(12, "SIM01", 2), same)
    assert [(one.t_ns, one.kind) for one in records] == [(11, "header"), (11, "change"), (12, "change")]
    assert records[0].data == {"schema": 1, "at": WHEN}
    assert records[1].data == told("Ada", "SIM01", None, {"ua": 1})
    assert records[2].data == told("Ada", "SIM01", {"ua": 1}, {"ua": 2})
    last = json.loads((tmp_path / "a" / "b" / NAME).read_bytes().splitlines()[-1])
    assert book.head == (2, last["hash"])
    assert stat.S_IMODE(os.stat(tmp_path / "a" / "b" / NAME).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "a" / "b").st_mode) == 0o700


def test_the_next_program_goes_on_after_what_was_written(tmp_path):
    written(tmp_path, change(11, "SIM01", 1))
    _, records = written(tmp_path, change(12, "SIM01", 1), change(13, "SIM02", 1), operator="")
    assert [one.kind for one in records] == ["header", "change", "change"]
    assert records[2].data == told("unnamed", "SIM02", None, {"ua": 1})


def test_a_torn_end_is_closed_before_the_next_line(tmp_path):
    written(tmp_path, change(11, "SIM01", 1))
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"seq":')
    _, records = written(tmp_path, change(12, "SIM01", 2))
    assert [one.kind for one in records] == ["header", "change", "reopened", "change"]
    assert records[2].t_ns == 12


@pytest.mark.parametrize(("more", "kept"), [(0, True), (1, False)])
def test_a_file_of_the_greatest_size_is_the_last_that_is_gone_on_with(tmp_path, monkeypatch, more, kept):
    written(tmp_path, change(11, "SIM01", 1))
    monkeypatch.setattr(audit_book, "BYTES_MAX", (tmp_path / NAME).stat().st_size - more)
    book = AuditBook(tmp_path)
    book.add(change(12, "SIM01", 2), WHEN)
    assert book.close(timeout_s=5.0) is kept
    assert ("OSError: audit.jsonl is larger than" in book.failed) is not kept


def test_a_change_is_synced_before_the_head_says_that_it_is_there(tmp_path, monkeypatch):
    heads, real, books = [], os.fsync, []
    monkeypatch.setattr(os, "fsync", lambda descriptor: (heads.append(books[0].head), real(descriptor)))
    books.append(AuditBook(tmp_path))
    books[0].add(change(11, "SIM01", 1), WHEN)
    assert books[0].close(timeout_s=5.0) is True
    assert heads == [(-1, GENESIS)]
    assert books[0].head[0] == 1
    assert read((tmp_path / NAME).read_bytes()).records[1].data["operator"] == "unnamed"


# -- the day's dose, the core's half -----------------------------------------------------------------------------------


class DoseGuard:
    """A guard that keeps only a dose."""

    def __init__(self):
        self.begun, self.refuses, self.amounts = [], None, (1, 2, 3, 4)

    def begin_dose(self, *given):
        self.begun.append(given)
        return self.refuses

    def dose(self, patient, date):
        assert (patient, date) == ("P1", "2026-01-05")
        return self.amounts


def met(voice):
    guard = DoseGuard()
    keeper = DoseKeeper(guard, voice, kept=True)
    assert keeper.blocked == ""
    keeper.note(AT)
    assert voice.out == []
    keeper.meet("P1", "2026-01-05")
    return guard, keeper


def found(fault="", patient="P1"):
    return ports.DoseRead(patient, "2026-01-05", (5, 6, 7, 8), fault)


@pytest.mark.parametrize("by_guard", [True, False])
def test_a_dose_that_is_not_known_blocks_with_its_cause_and_is_not_written_over(voice, by_guard):
    guard, keeper = met(voice)
    guard.refuses = SimpleNamespace(reason="torn") if by_guard else None
    keeper.read(AT, found("" if by_guard else "torn"))
    assert keeper.blocked == "What this patient had today is not known: torn"
    assert bool(guard.begun) is by_guard
    assert voice.out[-1].data["fault"] == keeper.blocked
    out = voice.begin()
    guard.amounts = (9, 9, 9, 9)
    keeper.note(AT)
    assert out == []


def test_a_dose_that_cannot_be_written_blocks_arming(voice):
    _, keeper = met(voice)
    voice.begin()
    keeper.failed(AT, "disk full")
    assert keeper.blocked.startswith("Today's dose cannot be written down (disk full). ")
    assert voice.out == [ports.Log(AT, "dose_failed", {"cause": "disk full"}, True)]


# -- what is around the guard ------------------------------------------------------------------------------------------


def around(ready=True, identity="SIM1", engine=True, front=True, tested=True, pedals=True, latched=False, joint=True):
    unit = SimpleNamespace(ready=ready, identity=identity)
    watch = SimpleNamespace(engine_alive=lambda _: engine, front_alive=lambda _: front)
    permits = SimpleNamespace(why_not=lambda _core, now_ns, starts: f"{now_ns} {starts}".strip())
    arm = SimpleNamespace(ok=lambda _: joint, identified=True)
    state = GatewayState.LATCHED if latched else GatewayState.ARMED
    core = {"unit": unit, "watch": watch, "joint": arm, "stop_tested": tested, "state": state, "permits": permits}
    return SimpleNamespace(**core, pedals=SimpleNamespace(ready=pedals))


GOOD = Conditions(True, True, True, True, "7", False, True, True)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({}, {}),
        ({"ready": False}, {"unit_ready": False}),
        ({"engine": False}, {"engine_alive": False}),
        ({"front": False}, {"screen_alive": False}),
        ({"tested": False}, {"stop_tested": False}),
        ({"pedals": False}, {"stop_tested": False}),
        ({"latched": True}, {"latched": True}),
        ({"joint": False}, {"joint_ok": False}),
    ],
)
def test_each_condition_of_an_order_is_what_is_so_now(changed, field):
    assert conditions_of(around(**changed), 7) == GOOD._replace(**field)
    assert conditions_of(around(**changed), 7, starts="current") == GOOD._replace(permission="7 current", **field)


def test_for_arming_devices_need_only_be_known_and_the_latch_is_left_out():
    core = around(ready=False, joint=False, latched=True)
    assert conditions_of(core, 7, for_arming=True) == GOOD
    core.unit.identity, core.joint.identified = "", False
    assert conditions_of(core, 7, for_arming=True) == GOOD._replace(unit_ready=False, joint_ok=False)
