"""A device's port by itself: opening, identity, the keep-alive that is earned, the loss and the way back."""

from types import SimpleNamespace

import pytest

from controller.drivers.events import Identified, Ready, UnitFault, UnitWarning
from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.drivers.recognise import CHOOSE
from controller.drivers.stimulators.p24 import P24
from controller.gateway import ports
from controller.gateway.unit import JOINT, UNIT, Unit
from controller.gateway.voice import Voice

pytestmark = pytest.mark.hazard("H05", "H17", "H33")

SECOND, AT = 1_000_000_000, 9_000_000_000


class Driver:
    """Says what it is told to say, and remembers what it was asked."""

    def __init__(self):
        self.identity, self.ready, self.due_ns = "", True, 0
        self.starts, self.stops, self.asked = b"start", b"stop", []
        self.words, self.polled = [], (b"", [])

    def start(self, now_ns):
        return self.starts

    def feed(self, now_ns, data):
        self.asked.append((now_ns, data))
        return self.words

    def poll(self, now_ns, alive):
        self.asked.append((now_ns, alive))
        return self.polled

    def next_deadline(self):
        return self.due_ns

    def stop(self, now_ns):
        return self.stops


@pytest.fixture(params=[UNIT, JOINT], ids=["unit", "orthosis"])
def at(request):
    """A unit or an orthosis, its voice, and the drivers that were made for it."""
    made, voice = [], Voice()
    kind = SimpleNamespace(
        driver=lambda: made.append(Driver()) or made[-1],
        capabilities=(P24 if request.param is UNIT else DYNAMIXEL).capabilities,
    )
    return SimpleNamespace(unit=Unit(kind, voice, request.param), voice=voice, made=made, place=request.param)


def logs(at, kind):
    return [entry for entry in at.voice.out if isinstance(entry, ports.Log) and entry.kind == kind]


def opened(at, identity="SIM1"):
    at.unit.opened(AT, "port")
    if identity:
        at.made[-1].words = [Identified(identity, "1.2")]
        at.unit.feed(AT, b"x")
        at.made[-1].words = []
    at.voice.begin()
    return at


def test_each_place_speaks_for_its_own_port():
    assert (UNIT.name, UNIT.write(b"x"), UNIT.open, UNIT.close) == (
        "unit",
        ports.ToUnit(b"x"),
        ports.OpenUnit(),
        ports.CloseUnit(),
    )
    assert (JOINT.name, JOINT.write(b"x"), JOINT.open, JOINT.close) == (
        "orthosis",
        ports.ToJoint(b"x"),
        ports.OpenJoint(),
        ports.CloseJoint(),
    )
    assert isinstance(UNIT.close, ports.CloseUnit)
    assert isinstance(JOINT.open, ports.OpenJoint)


def test_before_its_port_was_opened_it_is_nobody(at):
    unit = at.unit
    assert (unit.driver, unit.identity, unit.warning, unit.ready) == (None, "", "", False)
    assert unit.missing == f"The {at.place.name}'s port has not been opened yet."
    assert unit.next_deadline() == 0
    assert unit.keep(AT, True, False) == []
    assert unit.feed(AT, b"x") == []
    unit.stop(AT)
    assert at.voice.out == []  # the shell opens it at its start; only one that is missing is tried again


def test_an_opened_port_hears_the_stop_first_and_everything_of_before_is_forgotten(at):
    opened(at)
    at.unit.warn(AT, UnitWarning("The battery is low.", "Charge it."))
    at.unit.could_not_open(AT, "busy")
    at.voice.begin()
    at.unit.opened(AT + 1, "/dev/a")
    assert at.voice.out == [
        at.place.write(b"start"),
        ports.Log(AT + 1, f"{at.place.name}_opened", {"port": "/dev/a"}, False),
    ]
    assert (at.unit.identity, at.unit.missing, at.unit.warning) == ("", "", "")
    assert at.unit.driver is at.made[1]
    assert not at.unit.ready
    at.made[1].due_ns = 77
    assert at.unit.next_deadline() == 77
    at.unit.driver = None
    assert at.unit.next_deadline() == 0


def test_a_driver_that_has_nothing_to_say_writes_nothing(at):
    opened(at)
    at.made[0].stops = b""
    at.unit.stop(AT)
    assert at.voice.out == []
    at.made[0].stops = b"stop"
    at.unit.stop(AT)
    assert at.voice.out == [at.place.write(b"stop")]


def test_ready_is_a_ready_driver_of_a_known_device(at):
    opened(at)
    assert at.unit.ready
    at.made[0].ready = False
    assert not at.unit.ready
    at.made[0].ready = True
    at.unit.identity = ""
    assert not at.unit.ready
    at.unit.identity, at.unit.driver = "SIM1", None
    assert not at.unit.ready


def test_an_identity_is_written_down_with_its_version(at):
    at.unit.opened(AT, "port")
    at.made[0].words = [Identified("SIM1", "1.2"), Ready()]
    assert at.unit.feed(AT, b"x") == [Identified("SIM1", "1.2"), Ready()]
    assert logs(at, "identified") == [ports.Log(AT, "identified", {"identity": "SIM1", "version": "1.2"}, True)]
    assert (at.unit.identity, at.unit.missing) == ("SIM1", "")
    assert at.made[0].asked == [(AT, b"x")]


def test_another_device_on_the_same_port_has_no_identity_until_the_first_comes_back(at):
    opened(at)
    at.unit.opened(AT, "port")
    at.made[1].words = [Identified("SIM2")]
    at.unit.feed(AT, b"x")
    assert at.unit.identity == ""
    assert at.unit.missing == (
        f"The {at.place.name}'s port was SIM1 and now answers as SIM2. "
        "Plug SIM1 in again, or leave and start stimloop with the other one."
    )
    at.made[1].words = [Identified("SIM1")]
    at.unit.feed(AT, b"x")
    assert (at.unit.identity, at.unit.missing) == ("SIM1", "")
    at.made[1].words = [Identified("SIM3")]  # without a word from the port
    at.unit.feed(AT, b"x")
    assert at.unit.identity == ""
    assert not at.unit.ready


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("could_not_open", "busy"),
        ("lost", "The {name}'s cable or port was lost (busy). {loose}, then plug it in again."),
    ],
)
def test_a_missing_port_is_tried_each_second_until_the_gateway_leaves(at, how, said):
    if how == "lost":
        opened(at)
    getattr(at.unit, how)(AT, "busy")
    assert at.unit.missing == said.format(name=at.place.name, loose=at.place.loose)
    assert (at.unit.identity, at.unit.driver) == ("", None)
    assert at.unit.next_deadline() == AT + SECOND
    at.voice.begin()
    assert at.unit.keep(AT + SECOND - 1, True, False) == []
    assert at.unit.keep(AT + SECOND, True, False) == []
    assert at.voice.out == [at.place.open]
    assert at.unit.next_deadline() == AT + 2 * SECOND
    at.unit.keep(AT + 2 * SECOND - 1, True, False)
    assert at.voice.out == [at.place.open]
    at.unit.keep(AT + 2 * SECOND, True, False)
    assert at.voice.out == [at.place.open] * 2
    assert at.unit.keep(AT + 3 * SECOND, True, True) == []
    assert at.voice.out == [at.place.open] * 2
    assert at.unit.next_deadline() == 0  # nor is it due any more: a process that waits for it would spin


def test_a_loss_is_written_down_and_its_port_closed(at):
    opened(at).unit.lost(AT, "unplugged")
    assert at.voice.out == [ports.Log(AT, f"{at.place.name}_lost", {"cause": "unplugged"}, True), at.place.close]


def test_the_driver_is_polled_when_it_is_due_and_told_whether_it_may_keep_the_device_alive(at):
    opened(at)
    driver = at.made[0]
    driver.asked, driver.due_ns, driver.polled = [], AT + 5, (b"alive", [Ready()])
    assert at.unit.keep(AT + 4, True, False) == []
    assert driver.asked == []
    assert at.unit.keep(AT + 5, True, False) == [Ready()]
    assert at.unit.keep(AT + 6, False, False) == [Ready()]
    assert driver.asked == [(AT + 5, True), (AT + 6, False)]
    assert at.voice.out == [at.place.write(b"alive")] * 2


def test_an_identity_out_of_a_poll_counts_as_one_out_of_bytes(at):
    opened(at, identity="")
    at.made[0].polled = (b"", [Identified("unnamed")])
    at.unit.keep(AT, True, False)
    assert at.unit.identity == "unnamed"
    assert logs(at, "identified")


def test_a_warning_is_kept_for_the_screen_and_written_down(at):
    opened(at).unit.warn(AT, UnitWarning("The battery is low.", "Charge it."))
    assert at.unit.warning == "The battery is low. Charge it."
    told = {"cause": "The battery is low.", "todo": "Charge it."}
    assert at.voice.out == [ports.Log(AT, "warning", told, False)]


# -- who is it that talks there ----------------------------------------------------------------------------------------


class Ear:
    """A listener that answers as it is told."""

    def __init__(self):
        self.heard, self.begun, self.says, self.judges = [], [], "", ""

    def begin(self, now_ns):
        self.begun.append(now_ns)

    def hear(self, data):
        self.heard.append(data)

    def other(self):
        return self.says

    def verdict(self, now_ns):
        return self.judges


@pytest.fixture
def ear(at):
    at.unit._listener = Ear()
    return at.unit._listener


def test_bytes_are_listened_to_until_the_device_was_met(at, ear):
    at.unit.opened(AT, "port")
    assert ear.begun == [AT]
    at.unit.feed(AT, b"a")
    at.made[0].words = [Identified("SIM1")]
    at.unit.feed(AT, b"b")
    at.unit.feed(AT, b"c")
    assert ear.heard == [b"a", b"b"]
    at.unit.opened(AT, "port")  # it may be another one now
    at.unit.feed(AT, b"d")
    assert ear.heard == [b"a", b"b", b"d"]


def test_the_listeners_sentence_stands_until_the_device_is_met(at, ear):
    at.unit.opened(AT, "port")
    at.unit.keep(AT, True, False)
    assert at.unit.missing == ""
    ear.judges = "Nothing answers."
    at.unit.keep(AT, True, False)
    ear.judges = ""
    at.unit.keep(AT, True, False)
    assert at.unit.missing == "Nothing answers."
    at.made[0].words = [Identified("SIM1")]
    at.unit.feed(AT, b"x")
    ear.judges = "Nothing answers."
    at.unit.keep(AT, True, False)
    assert at.unit.missing == ""


def test_a_fault_of_a_stranger_is_said_to_be_the_wrong_device(at, ear):
    fault = UnitFault("It said nonsense.", "Look.")
    at.unit.opened(AT, "port")
    assert at.unit.explain(fault) is fault
    ear.says = "A heart-rate monitor talks there."
    assert at.unit.explain(fault) == UnitFault("A heart-rate monitor talks there.", CHOOSE)
    at.made[0].words = [Identified("SIM1")]
    at.unit.feed(AT, b"x")
    assert at.unit.explain(fault) is fault
    before = Unit(SimpleNamespace(driver=Driver, capabilities=P24.capabilities), at.voice, at.place)
    before._listener = ear
    assert before.explain(fault).cause == "A heart-rate monitor talks there."


def test_a_gateway_without_a_word_about_the_place_has_a_unit():
    unit = Unit(SimpleNamespace(driver=Driver, capabilities=P24.capabilities), Voice())
    assert unit.missing == "The unit's port has not been opened yet."
    assert unit._listener.other() == ""
    unit.opened(AT, "port")
    unit.keep(AT + 2 * SECOND, True, False)
    device = P24.capabilities.device
    assert unit.missing == f"Nothing answers as a {device} on this port. Is it switched on, and the right port?"
