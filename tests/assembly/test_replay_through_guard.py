"""A recorded session through today's guard: nothing new is refused by the same guard, and a stricter one shows."""

import json
from dataclasses import replace as changed

import pytest

from controller.assembly.demo import DemoPlan, run_virtual
from controller.assembly.replay import replay
from controller.cli.main import main
from controller.drivers.stimulators.p24 import P24
from controller.gateway.witness import TOLD, WitnessedGuard
from controller.vocabulary.chain import Chain, read
from safety import limits
from safety.guard import Guard

pytestmark = pytest.mark.hazard("H42", "H51")
P24_NOW = {P24.limits.name: P24.limits}.get


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A recorded demonstration of two repetitions."""
    run = run_virtual(DemoPlan(seed=1, repetitions=2), tmp_path_factory.mktemp("replay"))
    return run.assembly.engine.record.folder


def copy_with(session, folder, change):
    """The session again, its gateway's log written anew with `change(record)` (None leaves a record out)."""
    chain = Chain()
    records = [change(record) for record in read((session / "gateway.jsonl").read_bytes()).records]
    lines = [chain.line(record.t_ns, record.kind, record.data) for record in records if record is not None]
    (folder / "gateway.jsonl").write_bytes(b"".join(lines))
    return folder


def test_the_guard_that_admitted_it_admits_it_again(session):
    found = replay(session, P24_NOW)
    assert found.fault == ""
    assert (found.rules, found.objections, found.notes) == ({}, [], [])
    assert found.orders > 30
    assert found.renewals > 100
    assert found.settings > 5
    assert found.as_dict()["ok"] is True
    assert found.sentence.endswith("today's guard takes them all")


def test_a_stricter_cap_shows_with_rule_time_and_order(session, monkeypatch):
    cap = limits.CAPS[limits.Region.FOREARM]
    monkeypatch.setitem(limits.CAPS, limits.Region.FOREARM, changed(cap, amplitude_ua=9_000))
    found = replay(session, P24_NOW)
    assert found.rules
    assert set(found.rules) <= {"G12", "G13", "G14", "P03", *found.rules}
    assert found.objections[0].reason
    assert "mA" in found.objections[0].order or "prescribe" in found.objections[0].order
    assert found.objections[0].t_s > 0
    assert found.as_dict()["ok"] is False
    assert "would refuse" in found.sentence


def test_a_unit_that_can_do_less_today_shows(session):
    found = replay(session, {"P24": changed(P24.limits, pulse_width_us_max=100)}.get)
    assert found.rules
    assert found.following > 0  # what only follows from the first refusal is counted apart


def test_a_unit_that_is_not_known_any_more_is_taken_from_the_record(session):
    found = replay(session, lambda name: None)
    assert found.rules == {}
    assert "limits are taken from the record" in found.notes[0]


def test_an_older_session_says_so_plainly(session, tmp_path):
    def without(record):
        return None if record.kind.startswith("guard") else record

    found = replay(copy_with(session, tmp_path, without), P24_NOW)
    assert "before the gateway's log held the orders" in found.fault
    assert found.as_dict()["ok"] is False
    assert "no orders were recorded" in replay(tmp_path / "nothing", P24_NOW).fault


@pytest.mark.parametrize(
    "rows",
    [
        [["z", 1]], [[]], [None], ["d"], [["d", 1]], [["d", "a", 1, 2, 3, 4, 5, 6, []]], [["c", {"new_one": True}]],
        [["_end", {}]], [["forgotten", {"a": 1}]], [["arm", {}]], [["p", 1]], [["h", 1, {}]], {"a": 1}, 7, [["x"]],
    ],
)  # fmt: skip
def test_odd_rows_end_in_a_note(session, tmp_path, rows):
    seen = []

    def odd(record):
        if record.kind == "guard" and not seen:
            seen.append(record)
            return record._replace(data={"t0": 0, "rows": rows})
        return record

    found = replay(copy_with(session, tmp_path, odd), P24_NOW)
    assert found.fault == ""
    assert found.notes


def test_what_was_refused_then_is_counted_apart(session, tmp_path):
    def refused(record):
        if record.kind == "guard":
            rows = record.data["rows"]
            at = next((index for index, row in enumerate(rows) if row[0] == "r"), None)
            if at is not None:
                record.data["rows"] = [*rows[: at + 1], ["x", "G99", True], *rows[at + 1 :]]
        return record

    found = replay(copy_with(session, tmp_path, refused), P24_NOW)
    assert found.refused_then == found.admitted_now > 0
    assert "would be taken today" in found.notes[-1]


def test_no_method_of_the_guard_goes_unwitnessed():
    public = {name for name in dir(Guard) if not name.startswith("_") and callable(getattr(Guard, name))}
    looking = {"limit", "joint_limit", "dose", "lately", "ceilings", "torques"}
    assert public == {*TOLD, "admit", "posture"} | looking
    assert all(getattr(WitnessedGuard, name) is not getattr(Guard, name) for name in (*TOLD, "admit", "posture"))


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command(session, tmp_path, capsys, monkeypatch):
    assert main(["replay", str(session), "--through-guard"]) == 0
    assert "takes them all" in capsys.readouterr().out
    assert main(["replay", str(session.parent.parent), "--through-guard", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert len(told["sessions"]) == 1
    monkeypatch.setattr("controller.cli.replay._limits_now", lambda: {"P24": changed(P24.limits, channels=0)})
    assert main(["replay", str(session), "--through-guard"]) == 1
    assert " s  " in capsys.readouterr().out
    for words in (["replay", str(session)], ["replay", str(tmp_path), "--through-guard"]):
        assert main(words) == 2
        assert capsys.readouterr().err.startswith("stimloop replay: ")
