"""What a person at the screen says to the gateway, word by word: where it goes, and what is written down of it."""

from types import SimpleNamespace

import pytest

from controller.gateway import engine_side, person, ports
from controller.gateway.arming import Permission
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary import requests
from controller.vocabulary.facts import ArmDenied, GatewayState, GatewayStatus
from safety.orders import ArmScope
from tests.gateway.parts import calls_of, known_core, quiet_core

pytestmark = pytest.mark.hazard("H18", "H35", "H51")

AT = 70_000_000_000
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


# -- a person: being there --------------------------------------------------------------------------------------------


def test_every_word_of_the_screen_is_heard_and_only_a_persons_is_a_sign_of_one(monkeypatch, core):
    heard = calls_of(monkeypatch, core.watch, "heard_front")
    noticed = calls_of(monkeypatch, core.presence, "noticed")
    front(core, requests.Heartbeat(5))
    assert (heard, noticed) == ([("heard_front", AT)], [])
    front(core, requests.Present())
    front(core, "a word that nobody knows")
    assert (len(heard), noticed) == (3, [("noticed", AT)] * 2)
    assert core.voice.out == []


def test_each_request_has_its_function():
    assert {kind.__name__: obey.__name__ for kind, obey in person.REQUESTS.items()} == {
        "StopNow": "stop",
        "Arm": "arm",
        "ConfirmArm": "confirm",
        "Disarm": "disarm",
        "Press": "press",
        "Prescribe": "prescribe",
        "PrescribeJoint": "prescribe_joint",
        "Identified": "identified",
        "Place": "place",
    }


def test_a_screen_that_has_gone_ends_the_session_and_the_gateway(monkeypatch, core):
    latched = calls_of(monkeypatch, core, "latch")
    person.gone(core, AT, ports.FrontGone("hung up"))
    assert latched == [("latch", AT, "The screen has gone (hung up).", "Start stimloop again.")]
    assert core.leaving is True
    assert core.watch.front_here is False


# -- a person: stop ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", NOT_ARMED)
@pytest.mark.parametrize("outside", [True, False])
def test_stop_where_nothing_is_armed_goes_to_every_device_and_counts_as_its_test(monkeypatch, core, state, outside):
    core.state, core.stop_tested = state, False
    core.wish = Permission(ArmScope.SESSION, "", AT + 5)
    off = [calls_of(monkeypatch, core.unit, "stop"), calls_of(monkeypatch, core.joint, "stop")]
    if outside:
        person.stop_from_outside(core, AT, ports.StopSignal("SIGTERM"))
    else:
        front(core, requests.StopNow("SIGTERM"))
    assert off == [[("stop", AT)], [("stop", AT, "stopped")]]
    assert logs(core) == [("stop_pressed", {"source": "SIGTERM", "state": state}, True)]
    assert [type(fact) for fact in told(core)] == [GatewayStatus]
    assert core.stop_tested is True
    assert core.wish is None
    assert core.state is state


@pytest.mark.parametrize("state", ARMED)
def test_stop_while_armed_latches(monkeypatch, core, state):
    core.state = state
    latched = calls_of(monkeypatch, core, "latch")
    front(core, requests.StopNow("F12"))
    todo = "Look after the patient, then acknowledge and arm."
    assert latched == [("latch", AT, "STOP was pressed (F12).", todo)]
    assert logs(core) == []


@pytest.mark.parametrize(("before", "tests", "after"), [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)])
def test_a_stop_that_shows_nothing_of_the_screen_takes_no_test_back(core, before, tests, after):
    core.stop_tested = bool(before)
    person.stop_pressed(core, AT, "x", tests=bool(tests))
    assert core.stop_tested is bool(after)
    core.stop_tested = False
    person.stop_pressed(core, AT, "x")
    assert core.stop_tested is True


# -- a person: the two keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [GatewayState.DISARMED, GatewayState.LATCHED])
def test_the_first_key_asks_the_desk_with_all_that_stands_in_the_way(monkeypatch, core, state):
    core.state = state
    asked = calls_of(monkeypatch, core.desk, "ask", gives="the answer")
    monkeypatch.setattr(core.permits, "unsuited", lambda core, now_ns, scope: "")
    front(core, requests.Arm(ArmScope.FITTING, "why"))
    assert asked == [("ask", AT, ArmScope.FITTING, "why", state is GatewayState.LATCHED, "")]
    assert told(core) == ["the answer"]
    assert [type(entry) for entry in core.voice.out] == [ports.ToFront]


def test_the_first_reason_that_stands_in_the_way_is_said(monkeypatch, core):
    def why(scope=ArmScope.SESSION):
        core.voice.begin()
        front(core, requests.Arm(scope))
        (answer,) = told(core)
        return answer.reason if isinstance(answer, ArmDenied) else ""

    unfit = "No channel has a ceiling of today. Fit the electrodes first, then arm for the session."
    assert why() == unfit
    assert why(ArmScope.FITTING) == ""
    monkeypatch.setattr(core.permits, "unsuited", lambda core, now_ns, scope: f"unsuited for {scope}")
    assert why() == "unsuited for session"
    assert why(ArmScope.FITTING) == "unsuited for fitting"
    monkeypatch.setattr(core, "blocked", lambda now_ns: f"blocked at {now_ns}")
    assert why() == f"blocked at {AT}"


def test_what_is_not_fitted_is_the_unit_first_and_then_the_joint(monkeypatch, core):
    monkeypatch.setattr(core, "blocked", lambda now_ns: "")
    monkeypatch.setattr(core.permits, "unsuited", lambda *_: "")
    for unit, joint, said in (("a", "b", "a"), ("a", "", "a"), ("", "b", "b"), ("", "", "")):
        core.delivery, core.joint = SimpleNamespace(unfit=unit), SimpleNamespace(unfitted=joint)
        assert core.barred(AT, ArmScope.SESSION) == said
        assert core.barred(AT, ArmScope.FITTING) == ""


@pytest.fixture
def keys(monkeypatch, core):
    """The second key, with a desk that answers as it is told."""
    core.unit.driver = SimpleNamespace(ready=True, rearm=lambda now_ns: b"rearm")
    wish = Permission(ArmScope.SESSION, "", AT + 5)
    kept = SimpleNamespace(core=core, wish=wish, answer=wish, blocked="", asked=[])
    monkeypatch.setattr(core.desk, "confirm", lambda *given: kept.asked.append(given) or kept.answer)
    monkeypatch.setattr(core, "barred", lambda now_ns, scope: kept.blocked if scope is wish.scope else "?")
    kept.joint = calls_of(monkeypatch, core.joint, "rearm")
    kept.armed = calls_of(monkeypatch, core, "arm_when_ready")
    return kept


def test_the_second_key_makes_it_a_wish_and_the_devices_ready(keys):
    front(keys.core, requests.ConfirmArm(7))
    assert keys.asked == [(AT, 7)]
    assert keys.core.wish is keys.wish
    assert keys.core.voice.out == []
    assert (keys.joint, keys.armed) == ([("rearm", AT)], [("arm_when_ready", AT)])


def test_a_unit_that_was_stopped_is_made_ready_again(keys):
    keys.core.unit.driver.ready = False
    front(keys.core, requests.ConfirmArm(7))
    assert keys.core.voice.out == [ports.ToUnit(b"rearm")]
    keys.core.unit.driver = None
    keys.core.voice.begin()
    front(keys.core, requests.ConfirmArm(7))
    assert keys.core.voice.out == []
    assert keys.core.wish is keys.wish


@pytest.mark.parametrize(
    ("denied", "blocked", "said"), [("no", "", "no"), ("no", "blocked", "no"), ("", "blocked", "blocked")]
)
def test_the_second_key_is_denied_with_the_desks_reason_or_what_stands_in_the_way(keys, denied, blocked, said):
    keys.answer, keys.blocked = ArmDenied(denied) if denied else keys.wish, blocked
    front(keys.core, requests.ConfirmArm(7))
    assert keys.core.voice.out == [ports.ToFront(ArmDenied(said))]
    assert keys.core.wish is None
    assert (keys.joint, keys.armed) == ([], [])


def test_disarming_and_a_press_go_where_they_belong(monkeypatch, core):
    disarmed = calls_of(monkeypatch, core, "disarm")
    pressed = [calls_of(monkeypatch, core.delivery.guard, "press"), calls_of(monkeypatch, core.permits, "press")]
    front(core, requests.Disarm("pause"))
    front(core, requests.Press(4))
    assert disarmed == [("disarm", AT, "pause")]
    assert pressed == [[("press", 4, AT)]] * 2


# -- a person: what was found today -----------------------------------------------------------------------------------

CHANNEL = requests.Prescribe("P007", "2026-01-05", 2, "forearm", 2_500, 1, 8_000, "why")
JOINT = requests.PrescribeJoint("P007", "2026-01-05", "wrist", "right", -5_500, 5_000, 1, "why")
SETTINGS = {
    "channel": (
        CHANNEL,
        "delivery",
        "P007 2026-01-05 channel 2",
        {"region": "forearm", "pad_area_mm2": 2_500, "ceiling_ua": 1, "motor_ua": 8_000},
    ),
    "joint": (
        JOINT,
        "joint",
        "P007 2026-01-05 right wrist",
        {"rom_min_cdeg": -5_500, "rom_max_cdeg": 5_000, "torque_mnm": 1},
    ),
}


@pytest.fixture(params=SETTINGS)
def setting(request, monkeypatch, core):
    """One thing that a person found, and where it goes."""
    wish, part, subject, new = SETTINGS[request.param]
    found = SimpleNamespace(core=core, wish=wish, subject=subject, new=new, refuses=False, takes=True, given=[])
    monkeypatch.setattr(
        core.audit, "unexplained", lambda *given: found.given.append(("unexplained", *given)) or found.refuses
    )
    monkeypatch.setattr(getattr(core, part), "prescribe", lambda *given: found.given.append(given) or found.takes)
    found.changes = calls_of(monkeypatch, core.audit, "change")
    found.met = calls_of(monkeypatch, core.dose, "meet")
    return found


@pytest.mark.parametrize("most", [0, 1])
def test_what_was_found_is_taken_written_down_and_the_patient_met(setting, most):
    name = "ceiling_ua" if "ceiling_ua" in setting.new else "torque_mnm"
    fields = {field: getattr(setting.wish, field) for field in setting.wish.__slots__}
    wish = type(setting.wish)(**(fields | {name: most}))
    front(setting.core, wish)
    new = setting.new | {name: most}
    assert setting.given == [("unexplained", AT, "prescription", setting.subject, new, "why"), (AT, wish, False)]
    stands = most > 0  # 0 is "not found yet": it may be found without a reason
    assert setting.changes == [("change", AT, "prescription", setting.subject, new, "why", stands)]
    assert setting.core.patient == "P007"
    assert setting.met == [("meet", "P007", "2026-01-05")]


def test_a_change_that_nobody_explains_goes_nowhere(setting):
    setting.refuses = True
    front(setting.core, setting.wish)
    assert len(setting.given) == 1
    assert (setting.changes, setting.met, setting.core.patient) == ([], [], "")


def test_while_armed_the_guard_itself_is_asked_and_says_no(setting):
    setting.core.state, setting.takes, setting.refuses = GatewayState.ARMED, False, True
    front(setting.core, setting.wish)
    assert setting.given == [(AT, setting.wish, True)]
    assert (setting.changes, setting.met, setting.core.patient) == ([], [], "")


@pytest.mark.parametrize(("state", "armed"), [(GatewayState.DISARMED, False), (GatewayState.RESTING, True)])
def test_what_a_person_saw_goes_to_the_guard_and_back_to_the_screen(monkeypatch, core, state, armed):
    core.state = state
    done = calls_of(monkeypatch, core.delivery, "identify", "place")
    seen = requests.Identified("P007", "2026-01-05", 2)
    placed = requests.Place("P007", "2026-01-05", "seated", False)
    front(core, seen)
    assert [type(fact) for fact in told(core)] == [GatewayStatus]
    front(core, placed)
    assert [type(fact) for fact in told(core)] == [GatewayStatus] * 2
    assert done == [("identify", AT, seen), ("place", AT, placed, armed)]


# -- what comes back from the disk ------------------------------------------------------------------------------------


def test_the_books_answers_go_to_their_keepers(monkeypatch, core):
    dose = calls_of(monkeypatch, core.dose, "read", "failed")
    audit = calls_of(monkeypatch, core.audit, "head", "failed")
    latched = calls_of(monkeypatch, core, "latch")
    read = ports.DoseRead("P007", "2026-01-05", (1, 2, 3, 4), "")
    head = ports.AuditHead(3, "ab")
    for entry in (read, ports.DoseFailed("full"), head, ports.AuditFailed("worn")):
        person.INPUTS[type(entry)](core, AT, entry)
    assert dose == [("read", AT, read), ("failed", AT, "full")]
    assert audit == [("head", AT, head), ("failed", AT, "worn")]
    trouble = "Today's dose cannot be written down: full."
    assert latched == [("latch", AT, trouble, "Free the disk, then start again.")]
    latched.clear()
    person.INPUTS[ports.LogFailed](core, AT, ports.LogFailed("no space"))
    assert audit[2:] == [("failed", AT, "no space")]
    said = "The gateway's log cannot be written: no space."
    assert latched == [("latch", AT, said, "Free the disk, then start again.")]
