"""What the engine says to the gateway, word by word: where it goes, and what is written down of it."""

from types import SimpleNamespace

import pytest

from controller.gateway import engine_side, person, ports
from controller.gateway.delivery import Verdict
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary import notices, requests
from controller.vocabulary.facts import ArmNumber, GatewayState, GatewayStatus
from safety.joint import Assist, Free, Hold, Release
from safety.orders import ArmScope, Deliver, Purpose, Renew, Stop, StopReason
from tests.gateway.parts import calls_of, known_core, quiet_core

pytestmark = pytest.mark.hazard("H18", "H35", "H51")

AT = 70_000_000_000
GO_ON = "Find out why, make it safe, then acknowledge and arm again."
NOT_ARMED = [state for state in GatewayState if state not in PERMITS_DELIVERY]
ARMED = sorted(PERMITS_DELIVERY)


@pytest.fixture
def core():
    """A gateway of a simulated unit that is known, with everybody there; it has not said anything yet."""
    return known_core(quiet_core(AT - 1), AT)


def front(core, message):
    person.heard(core, AT, ports.FromFront(message))


def engine(core, message):
    engine_side.heard(core, AT, ports.FromEngine(message))


def logs(core):
    return [(entry.kind, entry.data, entry.sync) for entry in core.voice.out if isinstance(entry, ports.Log)]


def told(core):
    return [entry.message for entry in core.voice.out if isinstance(entry, ports.ToFront)]


# -- the engine: orders -----------------------------------------------------------------------------------------------

ORDER = Deliver(1, AT, AT + 5, Purpose.ASSIST, ())


@pytest.fixture
def armed(monkeypatch, core):
    """Armed, with a driver; the guard's answer is as it is told."""
    core.state, core.scope = GatewayState.ARMED, ArmScope.SESSION
    core.unit.driver = SimpleNamespace(ready=True)
    made = SimpleNamespace(core=core, verdict=Verdict.CARRIED, given=[], why=[])
    monkeypatch.setattr(core.delivery, "order", lambda *given: made.given.append(given) or made.verdict)
    monkeypatch.setattr(core.joint, "order", lambda *given: made.given.append(given) or made.verdict)
    monkeypatch.setattr(core.permits, "why_not", lambda core, now_ns, starts: made.why.append(starts) or "")
    made.began = calls_of(monkeypatch, core.permits, "began")
    made.done = calls_of(monkeypatch, core, "move", "latch")
    core.delivery.cause, core.delivery.todo = "cause of current", "todo of current"
    core.joint.cause, core.joint.todo = "cause of movement", "todo of movement"
    return made


def test_every_word_of_the_engine_is_heard(monkeypatch, core):
    heard = calls_of(monkeypatch, core.watch, "heard_engine")
    engine(core, notices.EngineBeat(5))
    engine(core, requests.Press(1))
    assert heard == [("heard_engine", AT)] * 2
    assert core.voice.out == []


@pytest.mark.parametrize(
    ("verdict", "began", "done"),
    [
        (Verdict.CARRIED, [], []),
        (Verdict.STARTED, [("began", "current")], [("move", AT, "delivered")]),
        (Verdict.ENDED, [], [("move", AT, "released")]),
        (Verdict.UNSAFE, [], [("latch", AT, "cause of current", "todo of current")]),
    ],
)
@pytest.mark.parametrize("order", [ORDER, Renew(1, AT, AT + 5)])
def test_what_becomes_of_an_order_moves_the_gateway(armed, order, verdict, began, done):
    armed.verdict = verdict
    engine(armed.core, order)
    ((now_ns, asked, driver, conditions),) = armed.given
    assert (now_ns, asked, driver) == (AT, order, armed.core.unit.driver)
    assert conditions.engine_alive
    assert (armed.began, armed.done) == (began, done)
    assert armed.core.delivery.dropped == 0


@pytest.mark.parametrize(("on", "starts"), [(False, "current"), (True, "")])
def test_an_order_begins_current_where_none_is_on(armed, on, starts):
    armed.core.delivery.on = on
    engine(armed.core, ORDER)
    assert armed.why == [starts]


@pytest.mark.parametrize("state", NOT_ARMED)
def test_an_order_that_comes_while_nothing_is_armed_is_counted_and_put_to_nobody(armed, state):
    armed.core.state = state
    engine(armed.core, ORDER)
    engine(armed.core, ORDER)
    assert (armed.given, armed.core.delivery.dropped) == ([], 2)


def test_an_order_without_a_unit_is_counted_too(armed):
    armed.core.unit.driver = None
    engine(armed.core, ORDER)
    assert (armed.given, armed.core.delivery.dropped) == ([], 1)


@pytest.mark.parametrize(("screen", "told"), [(True, False), (False, True)])
def test_a_silent_screen_is_named_before_the_order_is_refused_because_of_it(monkeypatch, armed, screen, told):
    watched = calls_of(monkeypatch, armed.core, "keep_watch")
    armed.core.watch.front_here = screen
    engine(armed.core, ORDER)
    assert bool(watched) is told
    assert watched in ([], [("keep_watch", AT)])


@pytest.mark.parametrize("order", [ORDER, Hold(1, AT, AT + 5, 0, 1), Assist(1, AT, AT + 5, 0, 1, 1)])
@pytest.mark.parametrize("state", [GatewayState.ARMED, GatewayState.LATCHED])
def test_a_silent_orthosis_is_named_and_latches_whoever_is_armed(monkeypatch, armed, order, state):
    armed.core.state = state
    monkeypatch.setattr(armed.core.joint, "ok", lambda now_ns: False)
    engine(armed.core, order)
    said = "The orthosis did not say for 60 ms where the joint is."
    assert armed.done == ([("latch", AT, said, engine_side.LISTEN)] if state is GatewayState.ARMED else [])


def test_letting_go_does_not_wait_for_an_orthosis_that_is_silent(monkeypatch, armed):
    monkeypatch.setattr(armed.core.joint, "ok", lambda now_ns: False)
    for order in (Free(1, AT), Release(1, AT, 5)):
        engine(armed.core, order)
    assert [given[1] for given in armed.given] == [Free(1, AT), Release(1, AT, 5)]
    assert armed.done == []


MOVES = (Hold(1, AT, AT + 5, 0, 1), Assist(1, AT, AT + 5, 0, 1, 1))
LETS_GO = (Release(1, AT, 5), Free(1, AT))


@pytest.mark.parametrize("state", NOT_ARMED)
def test_where_nothing_is_armed_only_letting_go_is_carried_out(armed, state):
    armed.core.state = state
    for order in (*MOVES, *LETS_GO):
        engine(armed.core, order)
    assert [given[1] for given in armed.given] == list(LETS_GO)
    assert armed.core.delivery.dropped == 2


@pytest.mark.parametrize("order", [*MOVES, *LETS_GO])
@pytest.mark.parametrize("verdict", [Verdict.CARRIED, Verdict.UNSAFE])
def test_a_movement_that_cannot_be_made_safe_latches(armed, order, verdict):
    armed.verdict = verdict
    engine(armed.core, order)
    unsafe = [("latch", AT, "cause of movement", "todo of movement")]
    assert armed.done == (unsafe if verdict is Verdict.UNSAFE else [])
    assert armed.given[0][:2] == (AT, order)


@pytest.mark.parametrize(
    ("was_on", "is_on", "began"), [(False, False, 0), (False, True, 1), (True, True, 0), (True, False, 0)]
)
def test_a_movement_that_begins_uses_a_press_up_and_one_that_goes_on_does_not(monkeypatch, armed, was_on, is_on, began):
    armed.core.joint.on = was_on
    monkeypatch.setattr(armed.core.joint, "order", lambda *given: setattr(armed.core.joint, "on", is_on))
    engine(armed.core, MOVES[0])
    assert armed.why == ["" if was_on else "movement"]
    assert armed.began == [("began", "movement")] * began


# -- the engine: the end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(GatewayState))
def test_an_engine_that_has_gone_latches_whoever_is_armed_and_is_told_of(monkeypatch, core, state):
    core.state = state
    latched = calls_of(monkeypatch, core, "latch")
    engine_side.gone(core, AT, ports.EngineGone("died"))
    said = ("latch", AT, "The engine has gone (died).", "End this session and start stimloop again.")
    assert latched == ([said] if state in PERMITS_DELIVERY else [])
    assert core.watch.engine_here is False
    assert [type(fact) for fact in told(core)] == [GatewayStatus]


@pytest.mark.parametrize("state", list(GatewayState))
@pytest.mark.parametrize("reason", [StopReason.OPERATOR, StopReason.FAULT])
def test_a_stop_that_is_no_release_latches_whoever_is_armed(monkeypatch, core, state, reason):
    core.state = state
    done = calls_of(monkeypatch, core, "latch", "move")
    engine(core, Stop(1, AT, reason))
    said = ("latch", AT, "The engine stopped the session.", GO_ON)
    assert done == ([said] if state in PERMITS_DELIVERY else [])


@pytest.mark.parametrize(("on", "driver", "ends"), [(1, 1, True), (0, 1, False), (1, 0, False), (0, 0, False)])
def test_a_release_ends_a_burst_that_is_on(monkeypatch, core, on, driver, ends):
    core.delivery.on = bool(on)
    core.unit.driver = "driver" if driver else None
    released = calls_of(monkeypatch, core.delivery, "release")
    done = calls_of(monkeypatch, core, "latch", "move")
    engine(core, Stop(1, AT))
    assert released == ([("release", AT, "driver", "released")] if ends else [])
    assert done == ([("move", AT, "released")] if ends else [])


# -- the engine: notices ----------------------------------------------------------------------------------------------


def test_each_message_has_its_function():
    assert {kind.__name__: obey.__name__ for kind, obey in engine_side.MESSAGES.items()} == {
        "Deliver": "order",
        "Renew": "order",
        "Stop": "stop",
        "Hold": "motion",
        "Assist": "motion",
        "Release": "motion",
        "Free": "motion",
        "Constrain": "constrain",
        "ConstrainJoint": "constrain_joint",
        "NeedPosition": "need_position",
        "StartsBy": "starts_by",
        "OpenRecord": "open_record",
        "ToAudit": "to_audit",
        "RecordHead": "record_head",
    }


def test_the_protocols_limits_are_put_to_the_guard_and_into_the_record_of_changes(monkeypatch, core):
    done = [[], []]
    for part, heard in zip((core.delivery, core.joint), done, strict=True):
        monkeypatch.setattr(part, "constrain", lambda *given, heard=heard: heard.append(("constrain", *given)) or taken)
    taken = True
    changes = calls_of(monkeypatch, core.audit, "change")
    channel = notices.Constrain(2, "forearm", 2_500, 20_000, 250, 20_000, 5_000)
    joint = notices.ConstrainJoint("wrist", 1_200, 4_000, 0, 3_000, 6_000, ((1, 1),))
    engine(core, channel)
    engine(core, joint)
    assert done == [[("constrain", AT, channel)], [("constrain", AT, joint)]]
    fields = [{name: getattr(each, name) for name in each.__slots__} for each in (channel, joint)]
    why = "as the protocol says"
    assert changes == [
        ("change", AT, "protocol limits", "channel 2", fields[0], why, False),
        ("change", AT, "protocol limits", "joint", fields[1], why, False),
    ]
    changes.clear()
    taken = False
    engine(core, channel)
    engine(core, joint)
    assert changes == []  # what the guard refused is no change


def test_what_begins_stimulation_is_taken_for_a_button_only_where_it_is_said_so(core):
    for said, by_button in ((True, True), (False, False), (1, False), ("yes", False)):
        core.permits.by_button_only = not by_button
        engine(core, notices.StartsBy(said))
        assert core.permits.by_button_only is by_button


def test_the_other_notices_go_where_they_belong(monkeypatch, core):
    needed = calls_of(monkeypatch, core.delivery, "need_position")
    audited = calls_of(monkeypatch, core.audit, "tell")
    position = notices.NeedPosition("seated")
    engine(core, position)
    engine(core, notices.OpenRecord("/somewhere"))
    engine(core, notices.ToAudit("screening", "P007", "{}", "Dr. W"))
    engine(core, notices.RecordHead(3, "ab"))
    assert needed == [("need_position", AT, position)]
    assert audited == [("tell", AT, "screening", "P007", "{}", "Dr. W")]
    assert core.voice.out == [
        ports.OpenLog("/somewhere"),
        ports.Log(AT, "events_head", {"seq": 3, "hash": "ab"}, True),
    ]


def test_a_number_is_given_to_the_screen_alone(bench):
    bench.press(requests.StopNow("F12"))
    answer = bench.ask(ArmScope.FITTING)
    assert isinstance(answer, ArmNumber)
    assert answer.number == 1
