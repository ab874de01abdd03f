"""Between the second key and the current: what is changed meanwhile, what is not so any more, who waits for whom."""

import fcntl
import os

import pytest

from controller.gateway import audit_book, ports
from controller.gateway.audit_book import NAME, AuditBook
from controller.gateway.pedal import Pedals
from controller.gateway.person import CHANGED
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState, PedalPressed
from controller.vocabulary.notices import OpenRecord
from controller.vocabulary.pedal import PedalRole
from controller.vocabulary.requests import Arm, ConfirmArm, Place, Prescribe, StopNow
from controller.wire.evdev import encode_key
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H03", "H04", "H29")
MS = 1_000_000


@pytest.fixture
def waiting(kit):
    """Both keys were pressed, and the unit, which was stopped, has not answered yet."""
    bench = kit.Bench().connect().prescribe()
    bench.press(StopNow("F12"))
    bench.run(200)
    bench.on_the_way = []
    bench.heard = lambda data: bench.on_the_way.append(data) or b""
    (number,) = bench.facts(ArmNumber, bench.press(Arm(ArmScope.SESSION, "")))
    bench.press(ConfirmArm(number.number))
    assert bench.core.wish is not None
    bench.now_ns += MS
    return bench


def arrive(bench):
    """What was on the way to the unit arrives, and it answers."""
    bench.heard = lambda data: data
    bench._here.write(b"".join(bench.on_the_way))
    bench.run(500)


def denials(bench, *requests):
    return [denied.reason for denied in bench.facts(ArmDenied, bench.press(*requests))]


@pytest.mark.parametrize(
    "request_",
    [
        Prescribe("SIM02", "2026-01-05", 1, "forearm", 2_500, 20_000, 8_000),
        Prescribe("SIM01", "2026-01-05", 1, "forearm", 2_500, 10_000, 8_000, "felt strongly today"),
        Place("SIM01", "2026-01-05", "seated", False),
    ],
)
def test_a_change_after_the_second_key_takes_the_wish_back(waiting, request_):
    assert denials(waiting, request_) == [CHANGED]
    assert waiting.core.wish is None
    arrive(waiting)
    assert waiting.core.state is GatewayState.DISARMED


def test_a_prescription_that_is_refused_takes_nothing_back(waiting):
    assert denials(waiting, Prescribe("SIM01", "2026-01-05", 1, "nose", 2_500, 10_000, 8_000, "felt strongly")) == []
    assert waiting.core.wish is not None


def test_what_is_in_the_way_when_the_devices_are_ready_is_said_instead_of_arming(waiting):
    waiting.step(ports.AuditFailed("No space left on device"))
    assert waiting.core.audit.blocked
    arrive(waiting)
    assert waiting.core.state is GatewayState.DISARMED
    assert waiting.core.wish is None
    assert "No space left" in waiting.facts(ArmDenied)[-1].reason


def test_a_wish_that_nothing_speaks_against_is_carried_out(waiting):
    arrive(waiting)
    assert waiting.core.state is GatewayState.ARMED


def test_a_change_between_the_two_keys_voids_the_number(kit):
    bench = kit.Bench().connect().prescribe()
    bench.press(StopNow("F12"))
    bench.run(200)
    (number,) = bench.facts(ArmNumber, bench.press(Arm(ArmScope.SESSION, "")))
    bench.press(Place("SIM01", "2026-01-05", "seated", False))
    assert "no open request" in denials(bench, ConfirmArm(number.number))[0]


# -- a log that would be waited for --------------------------------------------------------------------------------


@pytest.mark.parametrize("armed", [False, True])
def test_a_log_is_opened_only_while_nothing_is_armed(kit, armed):
    bench = kit.in_state(GatewayState.DELIVERING if armed else GatewayState.DISARMED)
    outputs = bench.send(OpenRecord("/somewhere"))
    assert [output.folder for output in outputs if isinstance(output, ports.OpenLog)] == (
        [] if armed else ["/somewhere"]
    )
    assert [told["folder"] for told in bench.logged("record_refused")] == (["/somewhere"] if armed else [])
    assert bench.core.state is (GatewayState.DELIVERING if armed else GatewayState.DISARMED)


# -- a foot that nobody has ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("identity", "counts"), [("SIM0P24001", True), ("P24-000042", False)])
def test_a_simulated_button_is_nobody_s_beside_a_real_unit(kit, identity, counts):
    bench = kit.Bench(identity).connect()
    bench.core.pedals = Pedals(button="socket://127.0.0.1:5000")
    bench.step(ports.PedalOpened(PedalRole.BUTTON, "socket://127.0.0.1:5000", "simulated", (frozenset(),), True))
    outputs = bench.step(ports.PedalBytes(PedalRole.BUTTON, 0, encode_key(183, 1)))
    assert bool(bench.facts(PedalPressed, outputs)) is counts
    assert (bench.core.permits._pressed_ns == bench.now_ns) is counts
    assert ("simulated one" in bench.core.blocked(bench.now_ns)) is not counts


# -- the record of changes is somebody else's ------------------------------------------------------------------------


def change(number):
    return ports.Audit(number, "prescription", "SIM01", {"ceiling_ua": number}, "because")


def test_a_record_of_changes_that_another_program_keeps_locked_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(audit_book, "LOCK_TRIES", 3)
    descriptor = os.open(tmp_path / NAME, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    book = AuditBook(tmp_path)
    book.add(change(1), "2026-01-05T10:00:00Z")
    assert book.close(timeout_s=5.0) is False
    assert "another program keeps audit.jsonl locked" in book.failed
    os.close(descriptor)


def test_a_lock_of_a_moment_is_waited_for(tmp_path, monkeypatch):
    locks = []
    real = fcntl.flock

    def busy_twice(descriptor, how):
        locks.append(how)
        if len(locks) <= 2:
            raise BlockingIOError
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", busy_twice)
    book = AuditBook(tmp_path)
    book.add(change(1), "2026-01-05T10:00:00Z")
    assert book.close(timeout_s=5.0) is True
    assert locks == [fcntl.LOCK_EX | fcntl.LOCK_NB] * 3


def test_changes_that_a_disk_does_not_take_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(audit_book, "WAITING_MAX", 3)
    descriptor = os.open(tmp_path / NAME, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    book = AuditBook(tmp_path)
    for number in range(10):
        book.add(change(number), "2026-01-05T10:00:00Z")
    assert len(book._waiting) <= 3
    assert "changes wait for the disk" in book.failed
    os.close(descriptor)
    assert book.close(timeout_s=5.0) is False
