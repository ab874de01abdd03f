"""The core by itself: in which order what arrives is taken, when it is woken, each bound and word of its machine."""

from dataclasses import replace
from itertools import permutations
from types import SimpleNamespace

import pytest

from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.drivers.stimulators.p24 import P24
from controller.gateway import core as core_module
from controller.gateway import device_side, engine_side, pedal, person, ports
from controller.gateway.arming import Permission
from controller.gateway.core import GatewayCore
from controller.gateway.pedal import Pedals
from controller.gateway.permit import Holder
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary.facts import ArmDenied, GatewayState, GatewayStatus, Latched
from controller.vocabulary.requests import Press, StopNow
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H01", "H04", "H18", "H35")

MS, SECOND, AT = 1_000_000, 1_000_000_000, 60_000_000_000
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
    ),
)
"""Stops and losses of those who could stop first, then lost devices, the person, what devices say, and all else."""
RANK_OF = {kind: rank for rank, kinds in enumerate(RANKS) for kind in kinds}


@pytest.fixture
def core():
    """A gateway to which nothing has happened, with its parts quiet."""
    made = GatewayCore(P24)
    made.step(AT - 1, [])
    made.voice.begin()
    return made


def logs(core, kind=""):
    return [entry for entry in core.voice.out if isinstance(entry, ports.Log) and kind in ("", entry.kind)]


def calls_of(monkeypatch, owner, *names, gives=None):
    """Each call of these is remembered instead of made."""
    made = []
    for name in names:

        def call(*given, _name=name, **named):
            made.append((_name, *given, *named.values()))
            return gives

        monkeypatch.setattr(owner, name, call)
    return made


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
        ("joint", AT, False),
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


# -- what stands in the way --------------------------------------------------------------------------------------------


@pytest.fixture
def known(core):
    """A simulated unit that is known, with everybody there."""
    core.unit.identity, core.unit.missing = "SIM0P24001", ""
    core.watch.heard_engine(AT)
    core.watch.heard_front(AT)
    core.stop_tested = True
    return core


def test_nothing_stands_in_the_way_where_all_is_well(known):
    assert known.blocked(AT) == ""


def test_a_unit_that_has_said_nothing_stands_in_the_way(known):
    known.unit.identity = ""
    assert known.blocked(AT) == "The unit has not said who it is yet. Wait a moment, or check its cable."
    known.unit.missing = "No port."
    assert known.blocked(AT) == "No port."


def test_an_orthosis_that_has_said_nothing_stands_in_the_way(known):
    known.joint.unit = SimpleNamespace(identity="", missing="", driver=None, ready=False)
    assert known.blocked(AT) == "The orthosis has not said who it is yet. Check its cable and power."
    known.joint.unit.missing = "No port for it."
    assert known.blocked(AT) == "No port for it."
    known.joint.unit.identity = "SIM1"
    assert known.blocked(AT) == ""


def test_a_latch_is_no_reason_not_to_arm_but_every_interlock_is(known):
    known.state = GatewayState.LATCHED
    assert known.blocked(AT) == ""
    known.stop_tested = False
    assert known.blocked(AT) == "STOP has not been tested in this session. Press F12 once."


def test_each_reason_is_said_before_the_next(known):
    known.audit.blocked = "audit"
    assert known.blocked(AT) == "audit"
    known.dose.blocked = "dose"
    assert known.blocked(AT) == "dose"
    known.stop_tested = False
    assert "STOP" in known.blocked(AT)
    known.pedals = SimpleNamespace(blocked=lambda unit: f"pedal of {unit}", ready=True)
    assert known.blocked(AT) == "pedal of SIM0P24001"
    known.delivery.misfit = "misfit"
    assert known.blocked(AT) == "misfit"
    known._fault = "fault"
    assert known.blocked(AT) == "fault"


# -- arming ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def wished(monkeypatch, core):
    """A confirmed wish, devices that are ready, and what is done about it."""
    core.unit = SimpleNamespace(ready=True)
    core.joint = SimpleNamespace(ready=True)
    core.state = GatewayState.DISARMED
    core.cause, core.todo = "cause", "todo"
    core.wish = Permission(ArmScope.SESSION, "it is well", AT + 5)
    done = calls_of(monkeypatch, core, "move", "disarm")
    done_to_parts = [
        calls_of(monkeypatch, core.delivery.guard, "arm"),
        calls_of(monkeypatch, core.presence, "armed"),
        calls_of(monkeypatch, core.permits, "forget"),
    ]
    return SimpleNamespace(core=core, done=done, parts=done_to_parts)


def test_a_wish_is_carried_out_until_its_last_nanosecond(wished):
    core = wished.core
    core.arm_when_ready(AT + 5)
    assert core.wish is None
    assert core.scope is ArmScope.SESSION
    assert (core.cause, core.todo) == ("", "")
    assert wished.parts == [[("arm", ArmScope.SESSION, AT + 5)], [("armed", AT + 5)], [("forget",)]]
    told = {"scope": ArmScope.SESSION, "reason": "it is well"}
    assert core.voice.out == [ports.Log(AT + 5, "armed", told, True)]
    assert wished.done == [("move", AT + 5, "armed")]
    core.arm_when_ready(AT + 5)
    assert len(wished.done) == 1


def test_out_of_a_latch_it_is_called_rearmed(wished):
    wished.core.state = GatewayState.LATCHED
    wished.core.arm_when_ready(AT)
    assert wished.done == [("move", AT, "rearmed")]
    assert wished.core.voice.out[0].kind == "rearmed"


def test_a_wish_that_is_too_old_is_forgotten(wished):
    wished.core.arm_when_ready(AT + 6)
    assert wished.core.wish is None
    assert wished.done == []
    assert wished.core.voice.out == []


@pytest.mark.parametrize("waits_for", ["unit", "joint"])
def test_it_waits_for_every_device(wished, waits_for):
    getattr(wished.core, waits_for).ready = False
    wished.core.arm_when_ready(AT)
    assert wished.done == []
    assert wished.core.wish is not None
    assert wished.core.scope is None
    getattr(wished.core, waits_for).ready = True
    wished.core.arm_when_ready(AT)
    assert wished.done == [("move", AT, "armed")]


@pytest.mark.parametrize("state", sorted(PERMITS_DELIVERY))
def test_who_is_armed_already_is_disarmed_instead(wished, state):
    wished.core.state = state
    wished.core.arm_when_ready(AT)
    assert wished.done == [("disarm", AT, "armed anew")]


# -- the ways out ------------------------------------------------------------------------------------------------------


@pytest.fixture
def live(monkeypatch, core):
    """Armed, with current on; what is done to the devices is remembered."""
    core.state, core.scope = GatewayState.DELIVERING, ArmScope.SESSION
    core.delivery.on = True
    done = [
        calls_of(monkeypatch, core.unit, "stop"),
        calls_of(monkeypatch, core.joint, "stop"),
        calls_of(monkeypatch, core.delivery.guard, "disarm"),
        calls_of(monkeypatch, core.delivery, "end"),
    ]
    return SimpleNamespace(core=core, done=done)


OFF = [[("stop", AT)], [("stop", AT, "stopped")], [("disarm", AT)], [("end", AT, "stopped", True)]]


def test_disarming_takes_everything_off_and_the_permission_with_it(live):
    live.core.wish = Permission(ArmScope.SESSION, "", AT + 5)
    live.core.disarm(AT, "enough")
    assert live.done == OFF
    assert live.core.state is GatewayState.DISARMED
    assert (live.core.scope, live.core.wish) == (None, None)
    assert logs(live.core) == [ports.Log(AT, "disarmed", {"reason": "enough"}, True)]


def test_a_burst_that_is_not_on_does_not_end(live):
    live.core.delivery.on = False
    live.core.disarm(AT, "enough")
    assert live.done == [*OFF[:3], []]


@pytest.mark.parametrize("state", [state for state in GatewayState if state not in PERMITS_DELIVERY])
def test_where_nothing_is_armed_disarming_only_drops_what_was_asked(live, state):
    live.core.state, live.core.wish = state, Permission(ArmScope.SESSION, "", AT + 5)
    live.core.desk.ask(AT, ArmScope.SESSION, "", False, "")
    live.core.disarm(AT, "enough")
    assert live.done == [[], [], [], []]
    assert live.core.state is state
    assert live.core.wish is None
    assert isinstance(live.core.desk.confirm(AT, 1), ArmDenied)
    assert live.core.voice.out == []


def test_a_latch_takes_everything_off_and_says_why_to_all(live):
    live.core.latch(AT, "Why.", "What.")
    assert live.done == OFF
    assert live.core.state is GatewayState.LATCHED
    assert (live.core.cause, live.core.todo, live.core.scope) == ("Why.", "What.", None)
    fact = Latched(AT, "Why.", "What.")
    record = ports.Log(AT, "latched", {"cause": "Why.", "from": GatewayState.DELIVERING}, True)
    assert live.core.voice.out[:3] == [ports.ToFront(fact), ports.ToEngine(fact), record]
    assert [type(entry.message) for entry in live.core.voice.out[3:]] == [GatewayStatus] * 2


def test_a_second_latch_stops_again_keeps_the_first_cause_and_says_what_is_to_be_done_now(live):
    live.core.latch(AT - 1, "Why.", "What.")
    for done in live.done:
        done.clear()
    live.core.voice.begin()
    live.core.latch(AT, "Another.", "Do this.")
    assert live.done[:3] == OFF[:3]
    assert (live.core.cause, live.core.todo) == ("Why.", "Another. Do this.")
    assert live.core.voice.out[0] == ports.Log(AT, "stopped_again", {"cause": "Another."}, True)
    assert [type(entry.message) for entry in live.core.voice.out[1:]] == [GatewayStatus] * 2
    assert live.core._status_due_ns == AT + 100 * MS


def test_a_wish_that_a_latch_comes_between_is_denied_with_its_cause(live):
    live.core.wish = Permission(ArmScope.SESSION, "", AT + 5)
    live.core.latch(AT, "Why.", "What.")
    assert live.core.voice.out[0] == ports.ToFront(ArmDenied("Why. What."))
    assert live.core.wish is None


# -- while armed -------------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(monkeypatch, known):
    known.state = GatewayState.ARMED
    done = calls_of(monkeypatch, known, "latch", "move")
    kept = calls_of(monkeypatch, known.presence, "keep")
    return SimpleNamespace(core=known, done=done, kept=kept)


def test_screen_and_engine_must_be_heard_while_armed(watched):
    watched.core.keep_watch(AT)
    assert watched.done == []
    assert watched.kept == [("keep", watched.core, AT)]
    watched.kept.clear()
    watched.core.watch.engine_here = False
    watched.core.keep_watch(AT)
    assert watched.done.pop() == ("latch", AT, "The engine fell silent for 500 ms.", GO_ON)
    watched.core.watch.front_here = False
    watched.core.keep_watch(AT)
    assert watched.done == [("latch", AT, "The screen fell silent for 500 ms.", GO_ON)]
    assert watched.kept == []


@pytest.mark.parametrize("state", [state for state in GatewayState if state not in PERMITS_DELIVERY])
def test_while_nothing_is_armed_silence_is_no_matter(watched, state):
    watched.core.watch.front_here = watched.core.watch.engine_here = False
    watched.core.state = state
    watched.core.keep_watch(AT)
    assert watched.done == []
    assert watched.kept == []


@pytest.mark.parametrize(
    ("state", "rest_ns", "over"),
    [
        (GatewayState.RESTING, AT + 1, False),
        (GatewayState.RESTING, AT, True),
        (GatewayState.RESTING, AT - 1, True),
        (GatewayState.ARMED, AT, False),
        (GatewayState.DELIVERING, AT, False),
    ],
)
def test_a_rest_that_is_over_is_over(watched, state, rest_ns, over):
    watched.core.state = state
    watched.core.delivery.guard._memory.rest_until_ns = rest_ns
    assert watched.core.delivery.guard.rest_until_ns == rest_ns
    watched.core.keep_watch(AT)
    assert watched.done == ([("move", AT, "rested")] if over else [])


# -- the report --------------------------------------------------------------------------------------------------------


def test_the_report_notes_the_permission_and_is_due_again_in_a_tenth_of_a_second(monkeypatch, core):
    noted = calls_of(monkeypatch, core.permits, "note")
    core.report(AT)
    assert noted == [("note", core, AT)]
    assert core.next_deadline() == AT + 100 * MS
    assert [type(entry) for entry in core.voice.out] == [ports.ToFront, ports.ToEngine]


def test_the_status_says_how_everything_stands(core):
    core.unit.identity, core.unit.warning, core.unit.missing = "SIM0P24001", "warned", ""
    core.scope, core.cause, core.todo, core.stop_tested = ArmScope.FITTING, "cause", "todo", True
    core.delivery.refused, core.delivery.dropped = 3, 4
    core.report(AT)
    status = core.voice.out[-1].message
    assert (status.t_ns, status.state, status.scope) == (AT, GatewayState.CLOSED, ArmScope.FITTING)
    assert (status.unit, status.simulated, status.stop_tested) == ("SIM0P24001", True, True)
    assert (status.cause, status.todo, status.warning) == ("cause", "todo", "warned")
    assert (status.outputs, status.confirmed_age_ms, status.wire_faults) == ((), -1, 0)
    assert (status.refused, status.dropped, status.joint, status.identified) == (3, 4, (), ())
    assert (status.position, status.position_of, status.alone) == ("", "", False)
    assert status.blocked == core.blocked(AT)
    assert status.capabilities is P24.capabilities
    core.unit.identity = "P24-1"
    core.report(AT)
    assert core.voice.out[-1].message.simulated is False


def test_the_status_gives_the_age_of_what_the_unit_said_last_and_its_outputs(core):
    core.unit.driver = SimpleNamespace(
        outputs=lambda: ((1, 6_000, 5_900, "off"),), confirmed_at_ns=AT - 7 * MS, wire_faults=2
    )
    core.report(AT)
    status = core.voice.out[-1].message
    assert (status.confirmed_age_ms, status.wire_faults) == (7, 2)
    (output,) = status.outputs
    assert (output.channel, output.commanded_ua, output.confirmed_ua, output.fault) == (1, 6_000, 5_900, "off")


@pytest.mark.parametrize(("until_ns", "said_ns"), [(AT - 1, 0), (AT, 0), (AT + 1, AT + 1)])
def test_a_rest_that_has_ended_is_said_as_none(core, until_ns, said_ns):
    core.delivery.guard._memory.rest_until_ns = until_ns
    core.report(AT)
    assert core.voice.out[-1].message.rest_until_ns == said_ns


@pytest.mark.parametrize(
    ("state", "alone_ns", "asks"),
    [
        (GatewayState.ARMED, 600 * SECOND, False),
        (GatewayState.ARMED, 600 * SECOND + 1, True),
        (GatewayState.LATCHED, 600 * SECOND + 1, False),
    ],
)
def test_the_screen_asks_whether_somebody_is_there_only_while_armed(core, state, alone_ns, asks):
    core.state = state
    core.presence.armed(AT)
    core.report(AT + alone_ns)
    assert core.voice.out[-1].message.alone is asks


def test_with_a_real_orthosis_nothing_is_simulated_and_the_patients_place_is_told(core):
    core.unit.identity = "SIM0P24001"
    core.joint = SimpleNamespace(
        unit=SimpleNamespace(identity="XM430", missing=""),
        identified=True,
        simulated=False,
        report=lambda: "the joint",
        ok=lambda now_ns: True,
    )
    core.delivery.guard._placed = SimpleNamespace(position=SimpleNamespace(value="lying"), patient="P7")
    core.report(AT)
    status = core.voice.out[-1].message
    assert (status.simulated, status.joint) == (False, ("the joint",))
    assert (status.position, status.position_of) == ("lying", "P7")


def test_a_whole_step_is_its_two_halves(bench):
    outputs = bench.step(ports.FromFront(Press(1)), ports.FromFront(StopNow("F12")))
    assert [entry.kind for entry in outputs if isinstance(entry, ports.Log)] == ["stop_pressed"]
    assert replace(P24).capabilities is P24.capabilities
