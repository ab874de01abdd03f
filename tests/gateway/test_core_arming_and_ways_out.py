"""The core by itself: what stands in the way of arming, arming, the ways out, and silence while armed."""

from types import SimpleNamespace

import pytest

from controller.gateway import ports
from controller.gateway.arming import Permission
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary.facts import ArmDenied, GatewayState, GatewayStatus, Latched
from safety.orders import ArmScope
from tests.gateway.parts import calls_of, known_core, quiet_core

pytestmark = pytest.mark.hazard("H01", "H04", "H18", "H35")

MS, AT = 1_000_000, 60_000_000_000
GO_ON = "Find out why, make it safe, then acknowledge and arm again."


@pytest.fixture
def core():
    """A gateway to which nothing has happened, with its parts quiet."""
    return quiet_core(AT - 1)


def logs(core):
    return [entry for entry in core.voice.out if isinstance(entry, ports.Log)]


@pytest.fixture
def known(core):
    """A simulated unit that is known, with everybody there."""
    return known_core(core, AT)


# -- what stands in the way --------------------------------------------------------------------------------------------


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
    monkeypatch.setattr(core, "barred", lambda now_ns, scope: "")
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
