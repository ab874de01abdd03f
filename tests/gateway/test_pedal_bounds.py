"""Pedals by themselves: when they are looked for, what each knows and says, and the nodes of one at its port."""

from types import SimpleNamespace

import pytest

from controller.gateway import ports
from controller.gateway.pedal import Pedal, Pedals
from controller.vocabulary.facts import GatewayState, GatewayStatus, PedalPressed
from controller.vocabulary.pedal import PedalReport, PedalRole
from controller.vocabulary.requests import StopNow
from controller.wire import evdev
from controller.wire.evdev import encode, encode_key

pytestmark = pytest.mark.hazard("H18", "H37", "H49")

STOP, BUTTON = PedalRole.STOP, PedalRole.BUTTON
SECOND, AT = 1_000_000_000, 5_000_000_000
DOWN, UP = encode_key(183, evdev.PRESSED), encode_key(183, evdev.RELEASED)
UNSEEN = "it has not been looked for yet. Wait a moment."


def opened(*held, role=STOP, serial="FS-77", **more):
    return ports.PedalOpened(role, serial, "FootSwitch", tuple(frozenset(keys) for keys in held or ((),)), **more)


def here(*held, **more):
    pedal = Pedal(STOP, "FS-77")
    pedal.opened(opened(*held, **more))
    return pedal


# -- one pedal ---------------------------------------------------------------------------------------------------------


def test_a_pedal_that_was_only_named_is_not_there_and_says_so():
    pedal = Pedal(STOP, "FS-77")
    assert pedal.known_as == "foot pedal FS-77"
    assert pedal.report("") == PedalReport(STOP, "FS-77", "", False, False, False, False, UNSEEN)
    assert pedal.report("another fault").fault == "another fault"
    assert pedal.ready is False
    assert pedal.due(AT) is False  # the shell opens it at its start; only one that is missing is looked for
    assert pedal.due(0) is False


def test_opening_it_forgets_what_was_known():
    pedal = Pedal(STOP, "/dev/pts/7")
    pedal.lost(AT, "unplugged")
    pedal.tested = True
    pedal.opened(opened(serial="SIM-PEDAL", simulated=True))
    assert pedal.report("") == PedalReport(STOP, "SIM-PEDAL", "FootSwitch", True, False, False, True, "")
    assert pedal.due(AT + 9 * SECOND) is False
    pedal.tested = True
    pedal.opened(opened())
    assert (pedal.tested, pedal.simulated, pedal.serial) == (False, False, "FS-77")


def test_one_key_of_one_node_holds_it():
    assert here((), ()).held is False
    assert here((), (30,)).held is True
    assert here((30,), ()).held is True


def test_ready_is_there_tested_and_let_go():
    pedal = here()
    assert not pedal.ready
    pedal.tested = True
    assert pedal.ready
    pedal.feed(ports.PedalBytes(STOP, 0, DOWN))
    assert not pedal.ready
    pedal.feed(ports.PedalBytes(STOP, 0, UP))
    assert pedal.ready
    pedal.here = False
    assert not pedal.ready


def test_a_pedal_that_is_lost_is_nothing_any_more():
    pedal = here((30,))
    pedal.tested = True
    pedal.lost(AT, "unplugged")
    assert pedal.report("") == PedalReport(STOP, "FS-77", "FootSwitch", False, False, False, False, "unplugged")
    assert not pedal.ready


def test_it_is_looked_for_each_second_from_the_loss_on():
    pedal = here()
    pedal.lost(AT, "unplugged")
    assert not pedal.due(AT + SECOND - 1)
    assert pedal.due(AT + SECOND) is True
    assert not pedal.due(AT + 2 * SECOND - 1)
    assert pedal.due(AT + 2 * SECOND) is True
    pedal.opened(opened())
    assert pedal.due(AT + 9 * SECOND) is False


def test_bytes_of_a_node_that_it_does_not_have_say_nothing():
    pedal = here((), ())
    for node, said in ((0, True), (1, True), (2, False), (3, False)):
        events = pedal.feed(ports.PedalBytes(STOP, node, DOWN))
        assert bool(events) is said
        assert isinstance(events, list)


# -- all of them -------------------------------------------------------------------------------------------------------


def test_nobody_named_any():
    pedals = Pedals()
    assert pedals.by_role == {}
    assert pedals.ready
    assert pedals.blocked("P24-1") == ""
    assert pedals.reports("P24-1") == ()


def test_each_is_known_by_its_role_and_the_button_alone_blocks_nothing():
    assert list(Pedals(stop="A").by_role) == [STOP]
    assert list(Pedals(button="A").by_role) == [BUTTON]
    assert [pedal.serial for pedal in Pedals("A", "B").by_role.values()] == ["A", "B"]
    pedals = Pedals(button="A")
    assert pedals.ready
    assert pedals.blocked("P24-1") == ""


def test_a_simulated_button_stands_in_the_way_of_each_real_device():
    pedals = Pedals(button="A")
    button = pedals.by_role[PedalRole.BUTTON]
    button.opened(opened(simulated=True))
    said = "The foot pedal FS-77 is a simulated one, and a device is not: name a real pedal, or none."
    assert pedals.blocked("P24-1") == pedals.blocked("SIM0P24001", "XM430-1") == pedals.blocked("P24-1", "") == said
    assert pedals.blocked("SIM0P24001", "SIM0XM430") == pedals.blocked("SIM0P24001", "") == pedals.blocked() == ""
    button.opened(opened())
    assert pedals.blocked("P24-1", "XM430-1") == ""
    button.lost(0, "gone")
    assert not button.pretends("P24-1")


def test_the_same_pedal_for_both_is_refused_by_its_name():
    with pytest.raises(ValueError, match="A cannot be the pedal that stops and the button at once"):
        Pedals("A", "A")
    Pedals("", "")


def test_what_stands_in_the_way_is_said_in_this_order():
    pedals = Pedals("FS-77")
    pedal = pedals.by_role[STOP]
    assert pedals.blocked("") == f"The foot pedal FS-77 is not there: {UNSEEN}"
    pedal.opened(opened((30,), simulated=True))
    simulated = "The foot pedal FS-77 is a simulated one, and a device is not: name a real pedal, or none."
    held = "The foot pedal FS-77 is held down: let go of it."
    assert pedals.blocked("P24-1") == simulated
    assert pedals.blocked("SIM0P24001") == held
    assert pedals.blocked("") == held  # no unit has said yet what it is
    pedal.opened(opened((30,)))
    assert pedals.blocked("P24-1") == held
    assert not pedals.ready
    pedal.opened(opened())
    untested = "The foot pedal FS-77 has not been tested since it was plugged in: press it once."
    assert pedals.blocked("P24-1") == untested
    pedal.tested = True
    assert pedals.blocked("P24-1") == ""
    assert pedals.ready


def test_the_reports_give_what_blocks_to_the_one_that_stops_alone():
    pedals = Pedals("FS-77", "FB-1")
    for role, serial in ((STOP, "FS-77"), (BUTTON, "FB-1")):
        pedals.by_role[role].opened(opened(role=role, serial=serial))
    stop, button = pedals.reports("P24-1")
    assert stop.fault == "The foot pedal FS-77 has not been tested since it was plugged in: press it once."
    assert button.fault == ""
    pedals.by_role[BUTTON].lost(AT, "unplugged")
    pedals.by_role[STOP].tested = True
    assert [report.fault for report in pedals.reports("P24-1")] == ["", "unplugged"]


# -- in the core -------------------------------------------------------------------------------------------------------


@pytest.fixture
def foot(kit):
    """A gateway with both pedals named; nothing is open yet."""
    bench = kit.Bench(pedals=Pedals("FS-77", "FB-1"))
    bench.step(ports.UnitOpened("memory"))
    return bench


def records(outputs, kind):
    return [output for output in outputs if isinstance(output, ports.Log) and output.kind == kind]


def asked_for(outputs):
    return [output.role for output in outputs if isinstance(output, ports.OpenPedal)]


def test_an_opening_is_written_down_and_told(foot):
    foot.now_ns += 1
    outputs = foot.step(opened())
    (record,) = records(outputs, "pedal_opened")
    told = {"role": STOP, "serial": "FS-77", "name": "FootSwitch", "held": False, "simulated": False}
    assert (record.data, record.sync) == (told, True)
    assert foot.facts(GatewayStatus, outputs)[-1].pedals[0].here
    (record,) = records(foot.step(opened((30,), simulated=True)), "pedal_opened")
    assert record.data == told | {"held": True, "simulated": True}


def test_a_pedal_held_at_its_opening_means_stop_and_proves_no_screen(foot):
    outputs = foot.step(opened((30,)))
    (record,) = records(outputs, "stop_pressed")
    assert record.data["source"] == "foot pedal FS-77, held down when it was opened"
    assert foot.core.stop_tested is False
    assert not records(foot.step(opened()), "stop_pressed")
    held = opened((30,), role=BUTTON, serial="FB-1")
    assert not records(foot.step(held), "stop_pressed")


def test_what_cannot_be_opened_is_told_once_for_each_cause_and_looked_for_again(foot):
    told = [records(foot.step(ports.PedalMissing(STOP, cause)), "pedal_missing") for cause in ("a", "a", "b")]
    assert [[record.data for record in each] for each in told] == [
        [{"role": STOP, "cause": "a"}],
        [],
        [{"role": STOP, "cause": "b"}],
    ]
    assert foot.core.pedals.by_role[STOP].missing == "b"
    foot.now_ns += SECOND - 1
    assert asked_for(foot.step()) == []
    foot.now_ns += 1
    assert asked_for(foot.step()) == [STOP]
    assert asked_for(foot.step()) == []


def test_nobody_looks_for_a_pedal_any_more_when_leaving(foot):
    foot.step(ports.PedalMissing(STOP, "a"))
    foot.core.leaving = True
    foot.now_ns += SECOND
    assert asked_for(foot.step()) == []


@pytest.mark.parametrize("role", [STOP, BUTTON])
def test_a_loss_is_written_down_and_told(foot, role):
    foot.step(opened(), opened(role=BUTTON, serial="FB-1"))
    foot.now_ns += 1
    outputs = foot.step(ports.PedalGone(role, "unplugged"))
    (record,) = records(outputs, "pedal_lost")
    assert (record.data, record.sync) == ({"role": role, "cause": "unplugged"}, True)
    report = foot.facts(GatewayStatus, outputs)[-1].pedals[role is BUTTON]
    assert not report.here
    assert report.fault.endswith("unplugged. Plug the same pedal in again.")
    assert foot.core.state is not GatewayState.LATCHED  # nothing was armed


def test_losing_the_stop_pedal_takes_a_confirmed_wish_back_and_losing_the_button_does_not(foot):
    foot.step(opened(), opened(role=BUTTON, serial="FB-1"))
    for role, kept in ((BUTTON, True), (STOP, False)):
        wish = SimpleNamespace(until_ns=foot.now_ns + SECOND)
        foot.core.wish = wish
        foot.step(ports.PedalGone(role, "unplugged"))
        assert (foot.core.wish is wish) is kept


def test_the_button_tells_the_engine_of_each_press_and_the_gateway_takes_it_for_one(foot):
    foot.step(opened(role=BUTTON, serial="FB-1"))
    foot.core.permits.began("current")
    outputs = foot.step(ports.PedalBytes(BUTTON, 0, DOWN + UP + DOWN))
    assert [fact.t_ns for fact in foot.facts(PedalPressed, outputs)] == [foot.now_ns] * 2
    assert foot.core.permits._pressed_ns == foot.now_ns
    assert foot.core.permits._used == set()
    assert not foot.core.pedals.by_role[BUTTON].tested
    assert not records(outputs, "stop_pressed")
    assert not foot.facts(PedalPressed, foot.step(ports.PedalBytes(BUTTON, 0, UP)))


def test_a_press_of_the_stop_pedal_is_tested_and_told(foot):
    foot.step(opened())
    foot.now_ns += 1
    outputs = foot.step(ports.PedalBytes(STOP, 0, DOWN))
    (record,) = records(outputs, "stop_pressed")
    assert record.data == {"source": "foot pedal FS-77", "state": foot.core.state}
    assert foot.core.pedals.by_role[STOP].tested is True
    assert foot.core.stop_tested is False  # of the pedal alone, not of the screen's key
    assert foot.facts(GatewayStatus, outputs)[-1].pedals[0].held
    assert not foot.facts(PedalPressed, outputs)


def test_lost_events_stop_and_are_no_test(foot):
    foot.step(opened())
    outputs = foot.step(ports.PedalBytes(STOP, 0, encode(evdev.EV_SYN, evdev.SYN_DROPPED, 0)))
    (record,) = records(outputs, "stop_pressed")
    assert record.data["source"] == "foot pedal FS-77: the system dropped some of its events"
    assert not foot.core.pedals.by_role[STOP].tested
    assert not foot.core.stop_tested


def test_a_release_is_told_and_stops_nothing(foot):
    foot.step(opened(), ports.PedalBytes(STOP, 0, DOWN))
    foot.now_ns += 1
    outputs = foot.step(ports.PedalBytes(STOP, 0, UP))
    assert not records(outputs, "stop_pressed")
    assert not foot.facts(GatewayStatus, outputs)[-1].pedals[0].held
    foot.now_ns += 1
    assert not foot.facts(GatewayStatus, foot.step(ports.PedalBytes(STOP, 0, encode(4, 4, 7))))  # nothing changed


def test_a_press_by_foot_in_the_midst_of_a_session_latches_as_the_unit_is_told_to_stop(stimulating):
    stimulating.core.pedals = Pedals("FS-77")
    stimulating.step(opened())
    stimulating.step(ports.PedalBytes(STOP, 0, DOWN))
    assert stimulating.core.cause == "STOP was pressed (foot pedal FS-77)."
    stimulating.press(StopNow("F12"))
    assert stimulating.core.state is GatewayState.LATCHED
