"""The core by itself: in which order what arrives is taken, when it is woken, each bound and word of its machine."""

from itertools import permutations
from types import SimpleNamespace

import pytest

from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.drivers.stimulators.p24 import P24
from controller.gateway import core as core_module
from controller.gateway import device_side, engine_side, pedal, person, ports
from controller.gateway.core import GatewayCore
from controller.gateway.pedal import Pedals
from controller.gateway.permit import Holder
from controller.vocabulary.facts import GatewayState, GatewayStatus
from tests.gateway.parts import calls_of, quiet_core

pytestmark = pytest.mark.hazard("H01", "H04", "H18", "H35")

MS, AT = 1_000_000, 60_000_000_000
GO_ON = "Find out why, make it safe, then acknowledge and arm again."
RANKS = (
    (
        ports.StopSignal,
        ports.FrontGone,
        ports.EngineGone,
        ports.PedalOpened,
        ports.PedalGone,
        ports.PedalBytes,
    ),
    (ports.UnitGone, ports.JointGone),
    (ports.FromFront,),
    (ports.UnitBytes, ports.JointBytes),
    (
        ports.FromEngine,
        ports.UnitOpened,
        ports.UnitMissing,
        ports.JointOpened,
        ports.JointMissing,
        ports.PedalMissing,
        ports.DoseRead,
        ports.DoseFailed,
        ports.AuditHead,
        ports.AuditFailed,
        ports.LogFailed,
        ports.LogKept,
        ports.LogBehind,
    ),
)
"""Stops and losses of those who could stop first, then lost devices, the person, what devices say, and all else."""
RANK_OF = {kind: rank for rank, kinds in enumerate(RANKS) for kind in kinds}


@pytest.fixture
def core():
    """A gateway to which nothing has happened, with its parts quiet."""
    return quiet_core(AT - 1)


# -- what begins -------------------------------------------------------------------------------------------------------


def test_a_gateway_to_which_nothing_has_happened():
    core = GatewayCore(P24)
    assert core.state is GatewayState.CLOSED
    assert (core.scope, core.wish) == (None, None)
    assert (core.stop_tested, core.leaving) == (False, False)
    assert (core.cause, core.todo, core.patient) == ("", "", "")
    assert core.joint.unit is None
    assert core.pedals.by_role == {}
    assert core.next_deadline() == 0
    assert core.blocked(AT) == "The unit's port has not been opened yet."
    assert core.permits.holder == Holder()


def test_what_it_is_given_is_what_it_works_with():
    pedals, holder = Pedals("FS-77"), Holder(operator="op")
    core = GatewayCore(P24, first_number=40, orthosis=DYNAMIXEL, holder=holder, keeps_dose=True, pedals=pedals)
    assert core.pedals is pedals
    assert core.permits.holder is holder
    assert core.desk._next_number == 40
    assert core.joint.kind is DYNAMIXEL
    assert core.delivery.guard.begun["joint"]["name"] == DYNAMIXEL.limits.name
    assert core.dose._kept
    assert core.audit._kept


def test_without_a_word_its_numbers_begin_with_one_and_nothing_is_kept():
    core = GatewayCore(P24)
    assert core.desk._next_number == 1
    assert not core.dose._kept
    assert not core.audit._kept
    assert core.delivery.guard.begun["joint"] is None


def test_the_first_step_says_what_guard_it_is_once_and_reports_at_once():
    core = GatewayCore(P24)
    first, second = core.step(0, []), core.step(1, [])
    assert first[0] == ports.Log(0, "guard_begun", core.delivery.guard.begun, False)
    assert [type(output.message) for output in first[1:]] == [GatewayStatus] * 2
    assert second == []
    assert core.next_deadline() == 100 * MS
    assert core.step(100 * MS - 1, []) == []
    assert [type(output.message) for output in core.step(100 * MS, [])] == [GatewayStatus] * 2


def test_a_fault_of_the_start_comes_before_everything():
    core = GatewayCore(P24, fault="It is not what was tested.")
    said = core.step(0, [])
    assert said[0] == ports.Log(0, "self_test_failed", {"fault": "It is not what was tested."}, True)
    assert said[1].kind == "guard_begun"
    assert core.step(1, []) == []
    assert core.blocked(AT) == "It is not what was tested."


# -- in which order ----------------------------------------------------------------------------------------------------


def entry_of(kind):
    return kind(*[None] * len([name for name in kind._fields if name not in kind._field_defaults]))


def test_whatever_arrives_has_a_rank_and_a_function():
    assert set(core_module._INPUTS) == set(RANK_OF)
    for part in (engine_side, person, device_side, pedal):
        for kind, take in part.INPUTS.items():
            assert core_module._INPUTS[kind] is take


def test_of_any_two_that_arrive_together_the_one_of_the_lower_rank_comes_first(monkeypatch, core):
    taken = []
    monkeypatch.setattr(
        core_module, "_INPUTS", dict.fromkeys(RANK_OF, lambda core, now_ns, entry: taken.append(type(entry)))
    )
    for first, second in permutations(RANK_OF, 2):
        taken.clear()
        core.decide(AT, [entry_of(first), entry_of(second)])
        assert taken == ([first, second] if RANK_OF[first] <= RANK_OF[second] else [second, first])
    taken.clear()
    core.decide(AT, [entry_of(kind) for kind in reversed(RANK_OF)])
    assert [RANK_OF[kind] for kind in taken] == sorted(RANK_OF.values())


def test_one_entry_is_taken_with_its_time(monkeypatch, core):
    taken = []
    monkeypatch.setattr(core_module, "_INPUTS", {ports.StopSignal: lambda *given: taken.append(given)})
    core.decide(AT, [ports.StopSignal("x")])
    core.decide(AT, [])
    assert taken == [(core, AT, ports.StopSignal("x"))]


# -- the first half ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("jump_ns", "armed"), [(0, True), (501 * MS, True), (501 * MS, False), (-1, True)])
def test_a_clock_that_jumped_begins_the_rest_anew_and_latches_whoever_is_armed(monkeypatch, core, jump_ns, armed):
    core.state = GatewayState.ARMED if armed else GatewayState.DISARMED
    done = calls_of(monkeypatch, core, "latch")
    done_to_guard = calls_of(monkeypatch, core.delivery.guard, "rest_anew")
    monkeypatch.setattr(core.watch, "jumped_ns", lambda now_ns: jump_ns)
    core.decide(AT, [])
    said = f"The clock jumped by {jump_ns // MS} ms: the computer slept or froze."
    assert done == ([("latch", AT, said, GO_ON)] if jump_ns and armed else [])
    assert done_to_guard == ([("rest_anew", AT)] if jump_ns else [])


@pytest.mark.parametrize(("current", "torque"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_lease_that_ended_latches_before_anything_else_is_heard(monkeypatch, core, current, torque):
    done = calls_of(monkeypatch, core, "latch")
    monkeypatch.setattr(core.delivery, "expired", lambda now_ns: current)
    monkeypatch.setattr(core.joint, "expired", lambda now_ns: torque)
    core.decide(AT, [])
    said = "The engine fell silent: its lease ended, all output is off."
    assert done == ([("latch", AT, said, GO_ON)] if current or torque else [])


# -- the second half ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leased", "driver", "earned"),
    [
        (True, None, True),
        (False, None, False),
        (False, SimpleNamespace(confirmed_zero=True), True),
        (False, SimpleNamespace(confirmed_zero=False), False),
        (True, SimpleNamespace(confirmed_zero=False), True),
    ],
)
@pytest.mark.parametrize("leaving", [True, False])
def test_a_live_lease_or_a_confirmed_zero_earns_the_keep_alive(monkeypatch, core, leased, driver, earned, leaving):
    kept = calls_of(monkeypatch, core.unit, "keep", gives=())
    monkeypatch.setattr(core.delivery, "leased", lambda now_ns: leased)
    monkeypatch.setattr(core, "report", lambda now_ns: None)
    core.unit.driver, core.leaving = driver, leaving
    core.tick(AT)
    assert kept == [("keep", AT, earned, leaving)]


def test_time_brings_all_of_this_and_in_this_order(monkeypatch, core):
    done = []
    core.joint.unit = SimpleNamespace()

    def note(name, gives=None):
        return lambda *given: done.append((name, *given)) or gives

    monkeypatch.setattr(core.unit, "keep", note("unit", ["an event"]))
    monkeypatch.setattr(device_side, "heed_unit", note("heed unit"))
    monkeypatch.setattr(core.joint, "keep", note("joint", ["another"]))
    monkeypatch.setattr(device_side, "heed_joint", note("heed joint"))
    monkeypatch.setattr(pedal, "keep", note("pedals"))
    for name in ("arm_when_ready", "keep_watch", "report"):
        monkeypatch.setattr(core, name, note(name))
    monkeypatch.setattr(core.dose, "note", note("dose"))
    monkeypatch.setattr(core.delivery.guard, "take", note("guard", {"rows": []}))
    core._status_due_ns = AT
    assert core.tick(AT) == [ports.Log(AT, "guard", {"rows": []}, False)]
    assert done == [
        ("unit", AT, False, False),
        ("heed unit", core, AT, "an event"),
        ("joint", AT, False, False),
        ("heed joint", core, AT, ["another"]),
        ("pedals", core, AT),
        ("arm_when_ready", AT),
        ("keep_watch", AT),
        ("dose", AT),
        ("guard", AT),
        ("report", AT),
    ]
    done.clear()
    core.joint.unit, core._status_due_ns = None, AT + 1
    core.tick(AT)
    assert [call[0] for call in done] == [
        "unit",
        "heed unit",
        "pedals",
        "arm_when_ready",
        "keep_watch",
        "dose",
        "guard",
    ]


@pytest.mark.parametrize(("leaving", "asked"), [(False, "take"), (True, "rest")])
def test_a_gateway_that_leaves_writes_down_the_guards_rest_at_once(monkeypatch, core, leaving, asked):
    core.leaving = leaving
    done = calls_of(monkeypatch, core.delivery.guard, "take", "rest")
    assert core.tick(AT) == []
    assert [call[0] for call in done] == [asked]


@pytest.mark.parametrize(
    ("status", "lease", "joint", "unit", "due"),
    [
        (50, None, None, 0, 50),
        (50, None, None, 40, 40),
        (50, None, None, 60, 50),
        (50, 30, None, 0, 31),
        (50, 60, None, 0, 50),
        (50, None, 20, 0, 20),
        (50, None, 70, 0, 50),
        (50, None, 0, 0, 50),
        (50, 30, 20, 10, 10),
        (50, 30, 35, 45, 31),
    ],
)
def test_it_is_woken_for_whatever_comes_first(monkeypatch, core, status, lease, joint, unit, due):
    """The status, the end of a lease (one nanosecond after it), the orthosis, the unit. 0 is never."""
    core._status_due_ns = status
    core.delivery.on, core.delivery.lease_until_ns = lease is not None, lease or 5
    core.joint.unit = None if joint is None else SimpleNamespace()
    monkeypatch.setattr(core.joint, "next_deadline", lambda: 3 if joint is None else joint)
    monkeypatch.setattr(core.unit, "next_deadline", lambda: unit)
    assert core.next_deadline() == due
