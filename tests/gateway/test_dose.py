"""A day's dose over restarts: what was written counts, what cannot be read keeps everything disarmed."""

import hashlib
import os
import threading

import pytest

from controller.gateway import ports
from controller.gateway.dose_book import DoseBook, amounts_of, path_of
from controller.vocabulary.chain import GENESIS
from controller.vocabulary.facts import ArmDenied, GatewayState
from controller.vocabulary.notices import NeedPosition
from controller.vocabulary.requests import Place, StopNow
from safety.limits import BURSTS_MAX, STIMULATED_NS_MAX
from safety.stimulus import Waveform

pytestmark = pytest.mark.hazard("H22", "H29", "H30", "H31")
PATIENT, DATE = "SIM01", "2026-01-05"
MS, SECOND = 1_000_000, 1_000_000_000
LONGEST_NS = 12 * SECOND  # of a burst on the forearm


def seen(bench):
    """A person has seen both muscles move, and how the patient sits."""
    bench.core.delivery.guard._memory.identified.update({1, 2})
    bench.core.delivery.guard._memory.fitted = dict.fromkeys({1, 2}, Waveform(10_000, 0, 1))
    bench.send(NeedPosition("seated"))
    bench.press(Place(PATIENT, DATE, "seated", False))
    return bench


@pytest.fixture
def life(kit):
    """A gateway with a book under `root`, which does for it what the shell does."""

    class Kept(kit.Bench):
        def __init__(self, root):
            super().__init__(keeps_dose=True)
            self.book = DoseBook(root)

        def prescribe(self, *amounts):
            return seen(super().prescribe(*amounts))

        def _carry_out(self, outputs):
            super()._carry_out(outputs)
            for output in outputs:
                if isinstance(output, ports.OpenDose):
                    assert self.book.let_go(5.0)
                    self.step(self.book.open(self.now_ns, output.patient, output.date))
                elif isinstance(output, ports.NoteDose):
                    self.book.note(output)

        def kill(self):
            """What was handed over is written; nothing more is."""
            self.book.close(timeout_s=5.0)

    return Kept


def burst(bench, ms=1_000):
    bench.stimulate()
    bench.run(ms)
    bench.renews = False
    bench.send(bench.order())
    bench.run(3_000)


def had(root):
    return amounts_of(path_of(root, PATIENT, DATE).read_bytes())


def test_a_new_gateway_goes_on_counting(life, tmp_path):
    first = life(tmp_path).connect().prescribe().arm()
    burst(first)
    first.kill()
    bursts, on_ns, movements, moved_ns = had(tmp_path)
    assert (bursts, movements, moved_ns) == (1, 0, 0)
    assert 1_000 * MS <= on_ns <= 1_200 * MS
    second = life(tmp_path).connect().prescribe()
    assert second.core.delivery.guard.dose(PATIENT, DATE) == (1, on_ns, 0, 0)
    second.arm().run(6_000)  # the rest that was due
    burst(second)
    second.kill()
    assert had(tmp_path)[0] == 2
    assert had(tmp_path)[1] >= on_ns + 1_000 * MS


def test_a_gateway_that_is_killed_in_a_burst_leaves_the_longest_that_it_could_be(life, tmp_path):
    first = life(tmp_path).connect().prescribe().arm().stimulate()
    first.run(200)
    first.kill()
    assert had(tmp_path)[0] == 1
    assert had(tmp_path)[1] >= LONGEST_NS
    assert life(tmp_path).connect().prescribe().core.delivery.guard.dose(PATIENT, DATE)[1] >= LONGEST_NS


def test_the_dose_of_today_holds_over_a_restart(life, tmp_path):
    before = DoseBook(tmp_path)
    assert before.open(1, PATIENT, DATE).amounts == (0, 0, 0, 0)
    before.note(ports.NoteDose(2, PATIENT, DATE, (BURSTS_MAX, SECOND, 0, 0)))
    before.close(timeout_s=5.0)
    bench = life(tmp_path).connect().prescribe().arm()
    bench.send(bench.order(2_000))
    assert bench.twin.pulses == 0
    assert any(entry["rule"] == "G23" or entry["rule"] == "G24" for entry in bench.logged("refused"))


def test_a_full_hour_of_earlier_today_leaves_nothing(life, tmp_path):
    before = DoseBook(tmp_path)
    before.open(1, PATIENT, DATE)
    before.note(ports.NoteDose(2, PATIENT, DATE, (3, STIMULATED_NS_MAX, 0, 0)))
    before.close(timeout_s=5.0)
    bench = life(tmp_path).connect().prescribe().arm()
    bench.send(bench.order(2_000))
    assert bench.twin.pulses == 0


def test_another_day_and_another_patient_have_their_own_count(tmp_path):
    book = DoseBook(tmp_path)
    book.open(1, PATIENT, DATE)
    book.note(ports.NoteDose(2, PATIENT, DATE, (7, SECOND, 0, 0)))
    assert book.let_go(5.0)
    assert book.open(3, PATIENT, "2026-01-06").amounts == (0, 0, 0, 0)
    assert book.let_go(5.0)
    assert book.open(4, "P007", DATE).amounts == (0, 0, 0, 0)
    book.note(ports.NoteDose(5, PATIENT, DATE, (9, SECOND, 0, 0)))  # not the open one: it is nobody's here
    book.close(timeout_s=5.0)
    assert DoseBook(tmp_path).open(6, PATIENT, DATE).amounts[0] == 7


def test_a_file_is_read_again_only_when_all_that_waited_is_in_it(tmp_path, monkeypatch):
    may_write = threading.Event()
    write = os.write

    def slowly(descriptor, data):
        assert may_write.wait(10.0)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", slowly)
    book = DoseBook(tmp_path)
    book.open(1, PATIENT, DATE)
    book.note(ports.NoteDose(2, PATIENT, DATE, (7, SECOND, 0, 0)))
    assert not book.let_go()
    book.note(ports.NoteDose(3, PATIENT, DATE, (8, SECOND, 0, 0)))  # too late: it was let go of
    assert not book.let_go()
    assert book.vouched is None
    assert DoseBook(tmp_path).open(4, PATIENT, DATE).fault != ""  # nor may another program read it by now
    may_write.set()
    assert book.let_go(5.0)
    assert book.open(5, PATIENT, DATE).amounts == (7, SECOND, 0, 0)
    book.close(timeout_s=5.0)


def denied(bench):
    bench.press(StopNow("F12"))
    bench.run(200)
    answer = bench.ask()
    return answer.reason if isinstance(answer, ArmDenied) else ""


@pytest.fixture
def written(life, tmp_path):
    first = life(tmp_path).connect().prescribe().arm()
    burst(first)
    burst(first)
    first.kill()
    return path_of(tmp_path, PATIENT, DATE)


def flip(content):
    return content.replace(b'"bursts":2', b'"bursts":0')


def cut(content):
    return content[: len(content) // 2] + content[len(content) // 2 + 1 :]


@pytest.mark.parametrize(
    "harm",
    [
        flip,
        lambda c: c[: len(c) // 2] + c[len(c) // 2 + 1 :],
        lambda c: b"".join(c.splitlines(True)[1:]),
        lambda c: b"x" + c,
    ],
    ids=["a lower number", "a byte cut out", "the first line gone", "a byte before it"],
)
def test_a_book_that_was_changed_keeps_it_disarmed(life, written, harm):
    written.write_bytes(harm(written.read_bytes()))
    bench = life(written.parents[1]).connect().prescribe()
    assert denied(bench).startswith("What this patient had today is not known: ")
    bench.send(bench.order(2_000))
    assert bench.core.state is GatewayState.DISARMED
    assert bench.logged("dose_read")[-1]["fault"] != ""


def test_a_book_that_cannot_be_read_keeps_it_disarmed(life, written):
    written.unlink()
    written.mkdir()
    assert "is not known" in denied(life(written.parents[1]).connect().prescribe())


def test_a_line_torn_by_a_power_cut_counts_as_one_more_of_the_longest(life, written):
    whole = written.read_bytes()
    before = amounts_of(whole)
    written.write_bytes(whole[:-20])
    torn = amounts_of(written.read_bytes())
    assert torn[0] >= before[0]
    assert torn[1] >= before[1] + LONGEST_NS
    bench = life(written.parents[1]).connect().prescribe()
    assert denied(bench) == ""
    bench.kill()
    assert amounts_of(written.read_bytes())[0] >= torn[0]  # and it stays so on the next reading


def test_two_programs_cannot_count_for_one_patient(life, written):
    other = DoseBook(written.parents[1])
    assert other.open(1, PATIENT, DATE).fault == ""
    assert "another stimloop" in denied(life(written.parents[1]).connect().prescribe())
    other.close(timeout_s=5.0)


def test_nothing_is_armed_before_the_answer_and_an_answer_for_somebody_else_is_none(kit):
    bench = seen(kit.Bench(keeps_dose=True).connect().prescribe())
    assert denied(bench) == "What this patient had today is being read. Wait a moment."
    bench.step(ports.DoseRead("P007", DATE, (0, 0, 0, 0), ""))
    assert denied(bench) != ""
    bench.step(ports.DoseRead(PATIENT, DATE, (0, -1, 0, 0), ""))
    assert "whole number" in denied(bench)
    bench.step(ports.DoseRead(PATIENT, DATE, (0, 0, 0, 0), ""))
    assert denied(bench) == ""


def test_a_disk_that_fails_ends_what_runs_and_arms_nothing_new(kit):
    bench = seen(kit.Bench(keeps_dose=True).connect().prescribe())
    bench.step(ports.DoseRead(PATIENT, DATE, (0, 0, 0, 0), ""))
    bench.arm().stimulate()
    bench.step(ports.DoseFailed("No space left on device"))
    assert bench.twin.drive() == ()
    assert bench.core.state is GatewayState.LATCHED
    assert bench.core.cause == "Today's dose cannot be written down: No space left on device."
    assert "Free the disk" in bench.core.todo
    bench.renews = False
    bench.run(5_000)
    answer = bench.ask(reason="all well")
    assert "No space left" in answer.reason
    bench.send(bench.order(2_000))
    assert bench.twin.drive() == ()


def test_a_run_without_a_disk_counts_in_memory(bench):
    assert bench.core.dose.blocked == ""
    burst(seen(bench).arm())
    assert [out for out in bench.said if isinstance(out, ports.DoseOutput)] == []


@pytest.mark.parametrize(("patient", "date"), [("../etc", DATE), ("", DATE), (PATIENT, "today"), (PATIENT, "../../x")])
def test_names_that_are_no_file_names_are_refused(tmp_path, patient, date):
    assert DoseBook(tmp_path).open(1, patient, date).fault != ""
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_the_book_is_not_followed(tmp_path):
    path = path_of(tmp_path, PATIENT, DATE)
    path.parent.mkdir()
    os.symlink(tmp_path / "elsewhere", path)
    assert DoseBook(tmp_path).open(1, PATIENT, DATE).fault != ""
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "line",
    [
        b'{"seq":0,"t_ns":1,"kind":"dose","data":{"bursts":' + b"[" * 60_000,
        b'{"seq":"0","t_ns":1,"kind":"dose","data":{}',
        b'{"seq":0,"t_ns":1,"kind":"dose","data":[]',
    ],
    ids=["nested without end", "a number in words", "a list"],
)
def test_a_file_that_nobody_can_read_keeps_everything_disarmed_and_says_what_to_do(life, tmp_path, line):
    path = path_of(tmp_path, PATIENT, DATE)
    path.parent.mkdir()
    digest = hashlib.sha256(GENESIS.encode() + line).hexdigest()
    path.write_bytes((line + f',"prev":"{GENESIS}","hash":"{digest}"}}\n'.encode()) * 2)
    bench = life(tmp_path).connect().prescribe()
    bench.press(StopNow("F12"))
    bench.run(200)
    answer = bench.ask()
    assert isinstance(answer, ArmDenied)
    assert "What this patient had today is not known: line 1 is not a record" in answer.reason
    assert "ask who treated the patient today" in answer.reason
    bench.kill()
