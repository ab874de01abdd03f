"""The day's dose, the core's half, beside a guard that answers as it is told: what is asked, taken and handed out."""

from types import SimpleNamespace

import pytest

from controller.gateway import ports
from controller.gateway.dose import DoseKeeper
from controller.gateway.voice import Voice
from controller.vocabulary.requests import Prescribe
from safety.lately import Lately

pytestmark = pytest.mark.hazard("H22", "H29", "H31")

AT = 70_000_000_000
WHOSE = ("P1", "2026-01-05")
HAD = (5, 6, 7, 8)
LATELY = Lately(1, 2, 3, 4, 4, 5)
CEILINGS = ((1, "forearm", 9_000), (2, "forearm", 8_000))
TORQUES = (("wrist", "left", 900), ("elbow", "left", 800))
FOUND = ports.DoseRead(*WHOSE, HAD, "", LATELY, CEILINGS, TORQUES)


class Told:
    """A guard that writes down what it is told, refuses what `refuses` names, and says what it has."""

    def __init__(self):
        self.told, self.refuses = [], ""
        self.now = {"dose": (0, 0, 0, 0), "ceilings": (), "torques": ()}

    def __getattr__(self, name):
        return lambda *words: self._answer(name, words)

    def _answer(self, name, words):
        assert words[:2] == WHOSE
        if name in self.now:
            return self.now[name]
        if name == "lately":
            return LATELY
        self.told.append((name, *words[2:]))
        return SimpleNamespace(reason=f"{name} refused") if name == self.refuses else None


@pytest.fixture
def desk():
    guard, voice = Told(), Voice()
    return SimpleNamespace(guard=guard, voice=voice, keeper=DoseKeeper(guard, voice, kept=True))


def said(desk):
    out = desk.voice.out[:]
    desk.voice.out.clear()
    return out


def wish(channel):
    return Prescribe(*WHOSE, channel, "forearm", 2_500, 0, 0)


def test_a_day_is_asked_for_once_and_until_it_is_known_nothing_is_armed(desk):
    assert desk.keeper.blocked == ""
    desk.keeper.meet(*WHOSE)
    desk.keeper.meet(*WHOSE)
    assert desk.keeper.hold(wish(1))
    assert said(desk) == [ports.OpenDose(*WHOSE)]
    assert desk.keeper.blocked == "What this patient had today is being read. Wait a moment."
    desk.keeper.note(AT)
    assert said(desk) == []


def test_what_was_found_is_told_to_the_guard_in_order_and_logged_with_sync(desk):
    desk.keeper.meet(*WHOSE)
    said(desk)
    desk.keeper.read(AT, FOUND)
    assert desk.guard.told == [
        ("begin_dose", *HAD),
        ("begin_lately", AT, *LATELY),
        *[("begin_ceiling", *ceiling) for ceiling in CEILINGS],
        *[("begin_torque", *torque) for torque in TORQUES],
    ]
    told = {"patient": WHOSE[0], "date": WHOSE[1], "amounts": HAD, "fault": ""}
    assert said(desk) == [ports.Log(AT, "dose_read", told, True)]
    assert desk.keeper.blocked == ""
    assert not desk.keeper.hold(wish(1))


def test_what_the_guard_counted_itself_needs_no_rest_anew(desk):
    desk.guard.now["dose"] = HAD
    desk.keeper.meet(*WHOSE)
    desk.keeper.read(AT, FOUND)
    assert [name for name, *_ in desk.guard.told].count("begin_lately") == 0


@pytest.mark.parametrize("refused", ["begin_dose", "begin_lately", "begin_ceiling", "begin_torque"])
def test_what_the_guard_does_not_take_keeps_everything_disarmed(desk, refused):
    desk.guard.refuses = refused
    desk.keeper.meet(*WHOSE)
    said(desk)
    desk.keeper.read(AT, FOUND)
    assert desk.keeper.blocked == f"What this patient had today is not known: {refused} refused"
    assert said(desk)[0].data["fault"] == desk.keeper.blocked
    desk.guard.now["dose"] = (9, 9, 9, 9)
    desk.keeper.note(AT)
    assert said(desk) == []


def test_a_refused_ceiling_is_the_last_thing_the_guard_is_asked(desk):
    desk.guard.refuses = "begin_ceiling"
    desk.keeper.meet(*WHOSE)
    desk.keeper.read(AT, FOUND)
    assert [name for name, *_ in desk.guard.told] == ["begin_dose", "begin_lately", "begin_ceiling"]


@pytest.mark.parametrize("other", [("P2", WHOSE[1]), (WHOSE[0], "2026-01-06")])
def test_an_answer_about_somebody_else_or_another_day_is_none(desk, other):
    desk.keeper.meet(*WHOSE)
    said(desk)
    desk.keeper.read(AT, FOUND._replace(patient=other[0], date=other[1]))
    assert said(desk) == []
    assert desk.guard.told == []
    assert desk.keeper.hold(wish(1))


def test_only_what_has_changed_is_handed_out_and_once(desk):
    desk.keeper.meet(*WHOSE)
    desk.keeper.read(AT, FOUND)
    desk.guard.now = {"dose": HAD, "ceilings": CEILINGS, "torques": TORQUES}
    said(desk)
    desk.keeper.note(AT)
    assert said(desk) == []  # it is what the file says already
    for key, value in (("dose", (6, 6, 7, 8)), ("ceilings", CEILINGS[:1]), ("torques", TORQUES[:1])):
        desk.guard.now[key] = value
        desk.keeper.note(AT + 1)
        desk.keeper.note(AT + 2)
        now = desk.guard.now
        assert said(desk) == [ports.NoteDose(AT + 1, *WHOSE, now["dose"], LATELY, now["ceilings"], now["torques"])]


def test_sixty_four_wishes_wait_and_no_more(desk):
    wishes = [wish(number) for number in range(65)]
    assert all(desk.keeper.hold(one) for one in wishes)
    assert desk.keeper.take_waiting() == wishes[:64]


def test_without_a_disk_nothing_waits_and_nothing_is_asked(desk):
    keeper = DoseKeeper(desk.guard, desk.voice, kept=False)
    keeper.meet(*WHOSE)
    assert not keeper.hold(wish(1))
    keeper.settle()
    assert said(desk) == []
    assert keeper.blocked == ""


def test_a_new_patient_s_book_is_opened_anew_and_what_waited_is_the_new_one_s(desk):
    other = Prescribe("P2", WHOSE[1], 1, "forearm", 2_500, 0, 0)
    desk.keeper.meet(*WHOSE)
    assert desk.keeper.hold(wish(1))
    assert desk.keeper.hold(other)
    assert said(desk) == [ports.OpenDose(*WHOSE), ports.OpenDose("P2", WHOSE[1])]
    assert desk.keeper.take_waiting() == [other]
    desk.keeper.settle()  # still being read: whose it is is not changed meanwhile
    assert said(desk) == []


def test_once_what_waited_is_settled_the_book_is_that_of_who_is_prescribed_for(desk):
    desk.keeper.meet(*WHOSE)
    desk.keeper.read(AT, FOUND)
    said(desk)
    desk.keeper.settle()
    assert said(desk) == []
    desk.keeper._whose = ("P2", WHOSE[1])  # as after a wish of another patient that was refused
    desk.keeper.settle()
    assert said(desk) == [ports.OpenDose(*WHOSE)]


def test_what_was_found_today_is_that_of_who_is_prescribed_for(desk):
    desk.guard.now["ceilings"] = CEILINGS
    desk.keeper.meet(*WHOSE)
    assert desk.keeper.ceilings() == CEILINGS


def test_before_anybody_was_met_there_is_nothing_to_settle(desk):
    desk.keeper.settle()
    assert said(desk) == []
    assert desk.keeper.blocked == ""
