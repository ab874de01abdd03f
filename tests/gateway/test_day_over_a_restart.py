"""A program that starts anew knows what of the day still counts: rests, windows of late, ceilings; and whose it is."""

from datetime import date

import pytest

from controller.gateway import ports
from controller.gateway.audit import MISDATED
from controller.gateway.changes import Changes
from controller.gateway.dose import WAITING_MAX, DoseKeeper
from controller.gateway.dose_book import DoseBook, Kept, file_of, kept_in, path_of
from controller.gateway.permit import DAY_NS, Holder, Permits
from controller.gateway.status import status_of
from controller.gateway.voice import Voice
from controller.record.site import verify_site
from controller.vocabulary.chain import Chain
from controller.vocabulary.facts import Ceiling, GatewayState, Refusal
from controller.vocabulary.requests import Prescribe, Present
from safety.joint_limits import JOINT_CAPS, MOVEMENTS_MAX
from safety.lately import Lately
from safety.limits import BURSTS_A_MINUTE_MAX, DUTY_NS_MAX, DUTY_WINDOW_NS, LONGEST_BURST_NS
from safety.orders import ArmScope
from safety.stimulus import Waveform

pytestmark = pytest.mark.hazard("H22", "H29", "H30", "H31")
PATIENT, DATE = "SIM01", "2026-01-05"
MS, SECOND = 1_000_000, 1_000_000_000
NOTHING = (0, 0, 0, 0)


@pytest.fixture
def life(kit):
    """A gateway with a book under `root`, which does for it what the shell does."""

    class Kept(kit.Bench):
        def __init__(self, root, **wants):
            super().__init__(keeps_dose=True, **wants)
            self.book = DoseBook(root)

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


def begin(life, root, ceiling_ua=20_000):
    bench = life(root).connect().prescribe(ceiling_ua)
    bench.core.delivery.guard._memory.identified.update({1, 2})
    bench.core.delivery.guard._memory.fitted = dict.fromkeys({1, 2}, Waveform(10_000, 0, 1))
    return bench


def left_by(root, lately=Lately(), ceilings=(), amounts=(1, 1, 0, 0)):  # noqa: B008 (it cannot be changed)
    """An earlier gateway wrote this down, and has gone."""
    book = DoseBook(root)
    assert book.open(1, PATIENT, DATE).fault == ""
    book.note(ports.NoteDose(2, PATIENT, DATE, amounts, lately, ceilings))
    book.close(timeout_s=5.0)


def refused(bench):
    return [fact.rule for fact in bench.facts(Refusal)]


@pytest.mark.parametrize(
    ("lately", "rule", "over_ms"),
    [
        (Lately(rest_ns=6 * SECOND), "G22", 6_000),
        (Lately(bursts=BURSTS_A_MINUTE_MAX), "G31", 60_000),
        (Lately(on_ns=DUTY_NS_MAX - LONGEST_BURST_NS + 1), "G32", 320_000),
    ],
)
def test_what_the_last_gateway_left_is_waited_for_by_the_next(life, tmp_path, lately, rule, over_ms):
    left_by(tmp_path, lately)
    bench = begin(life, tmp_path).arm()
    bench.send(bench.order(2_000))
    assert refused(bench)[-1] == rule
    assert bench.twin.pulses == 0
    assert bench.core.state is GatewayState.ARMED  # a rest not yet over is no defect
    for _ in range(4):
        bench.press(Present())
        bench.run(over_ms // 4)
    bench.send(bench.order(2_000))
    assert bench.core.state is GatewayState.DELIVERING
    bench.kill()


def test_a_burst_that_a_kill_interrupts_leaves_its_longest_and_its_rest(life, tmp_path):
    first = begin(life, tmp_path).arm().stimulate()
    first.kill()
    kept = kept_in(path_of(tmp_path, PATIENT, DATE).read_bytes())
    assert kept.amounts == (1, 12 * SECOND, 0, 0)
    assert kept.lately == Lately(12 * SECOND, 1, 6 * SECOND)
    assert kept.ceilings == ((1, "forearm", 20_000), (2, "forearm", 20_000))
    second = begin(life, tmp_path)
    assert second.core.delivery.guard.rest_until_ns == second.core.delivery.guard._memory.rest_until_ns > second.now_ns
    second.kill()


def test_the_patient_who_comes_back_within_one_run_waits_for_no_rest_anew(life, tmp_path):
    bench = begin(life, tmp_path).arm().stimulate()
    bench.renews = False
    bench.send(bench.order())
    bench.run(10_000)
    bench.core.disarm(bench.now_ns, "another patient")
    before = bench.core.delivery.guard.rest_until_ns
    bench.press(Prescribe("P007", DATE, 1, "forearm", 2_500, 0, 0))
    bench.press(Prescribe(PATIENT, DATE, 1, "forearm", 2_500, 20_000, 8_000))
    assert bench.core.delivery.guard.rest_until_ns == before
    bench.kill()


def test_a_line_of_an_earlier_version_counts_as_all_of_late(tmp_path):
    path = path_of(tmp_path, PATIENT, DATE)
    path.parent.mkdir()
    had = {"bursts": 30, "on_ns": 700 * SECOND, "movements": 2_000, "moved_ns": 5}
    path.write_bytes(Chain().line(1, "dose", had))
    longest_ns = max(cap.on_ms for cap in JOINT_CAPS.values()) * MS
    late = Lately(DUTY_WINDOW_NS, 20, LONGEST_BURST_NS // 2, MOVEMENTS_MAX, MOVEMENTS_MAX, longest_ns)
    assert kept_in(path.read_bytes()) == Kept((30, 700 * SECOND, 2_000, 5), late)
    path.write_bytes(Chain().line(1, "dose", dict.fromkeys(had, 0)))
    assert kept_in(path.read_bytes()) == Kept()


def test_a_torn_line_leaves_a_burst_and_a_movement_of_the_longest_kind(tmp_path):
    left_by(tmp_path, Lately(1, 2, 3, 4, 4, 5))
    content = path_of(tmp_path, PATIENT, DATE).read_bytes()
    late = kept_in(content + b'{"seq":1,"t_ns":').lately
    assert (late.bursts, late.crowd, late.movements) == (3, 5, 5)
    assert late.on_ns > LONGEST_BURST_NS - SECOND
    assert late.rest_ns == LONGEST_BURST_NS // 2
    assert late.motion_rest_ns == max(cap.on_ms for cap in JOINT_CAPS.values()) * MS


@pytest.mark.parametrize(
    "wrong",
    [
        {"lately": {"on_ns": 1}},
        {"lately": [1, 2, 3, 4, 5, 6]},
        {"lately": dict.fromkeys(Lately._fields, -1)},
        {"ceilings": [[1, "forearm"]]},
        {"ceilings": [["1", "forearm", 5]]},
        {"ceilings": [[1, "forearm", True]]},
        {"torques": [[1, "right", 5]]},
    ],
)
def test_what_is_no_dose_keeps_it_disarmed(life, tmp_path, wrong):
    path = path_of(tmp_path, PATIENT, DATE)
    path.parent.mkdir()
    none = dict.fromkeys(("bursts", "on_ns", "movements", "moved_ns"), 0)
    path.write_bytes(Chain().line(1, "dose", none | wrong))
    bench = begin(life, tmp_path)
    assert "is not known" in bench.core.dose.blocked


# -- the ceilings of the day -------------------------------------------------------------------------------------------


def prescribes(bench, ceiling_ua, reason="", pad=2_500, patient=PATIENT):
    """The ceiling that stands afterwards; None when nothing does."""
    bench.press(Prescribe(patient, DATE, 1, "forearm", pad, ceiling_ua, 8_000, reason))
    limit = bench.core.delivery.guard.limit(1, ArmScope.SESSION)
    return None if limit is None else limit.ceiling_ua


@pytest.mark.parametrize("pad", [2_500, 2_501])
@pytest.mark.parametrize("reason", ["", "more is needed"])
def test_the_ceiling_of_today_only_falls_over_a_restart(life, tmp_path, pad, reason):
    begin(life, tmp_path).kill()
    bench = life(tmp_path).connect()
    assert prescribes(bench, 40_000, reason, pad) is None
    assert refused(bench) == ["P04", "P04"]  # to screen and engine
    assert bench.core.patient == ""
    assert prescribes(bench, 0, reason, pad) == 0  # fitting can begin anew
    assert prescribes(bench, 20_000, reason, pad) == 20_000
    assert prescribes(bench, 15_000, "it hurt", pad) == 15_000
    bench.run(100)
    bench.kill()
    assert kept_in(path_of(tmp_path, PATIENT, DATE).read_bytes()).ceilings[0] == (1, "forearm", 15_000)
    third = life(tmp_path).connect()
    assert prescribes(third, 15_001) is None
    third.kill()


def test_what_is_found_waits_until_what_was_found_is_read(kit):
    bench = kit.Bench(keeps_dose=True).connect()
    assert prescribes(bench, 40_000) is None
    assert "being read" in bench.core.dose.blocked
    bench.step(ports.DoseRead(PATIENT, DATE, NOTHING, "", Lately(), ((1, "forearm", 20_000),)))
    assert refused(bench) == ["P04", "P04"]
    assert prescribes(bench, 20_000) == 20_000


def test_the_status_says_what_was_found_earlier_today(kit):
    """So that fitting need not find out by a refusal that it went too high."""
    bench = kit.Bench(keeps_dose=True).connect()
    prescribes(bench, 0)
    assert status_of(bench.core, bench.now_ns).ceilings == ()
    bench.step(ports.DoseRead(PATIENT, DATE, NOTHING, "", Lately(), ((1, "forearm", 20_000),)))
    assert status_of(bench.core, bench.now_ns).ceilings == (Ceiling(1, "forearm", 20_000),)
    prescribes(bench, 15_000)
    assert status_of(bench.core, bench.now_ns).ceilings == (Ceiling(1, "forearm", 15_000),)


def test_a_patient_who_was_refused_does_not_take_the_book_of_the_one_who_is_here(life, tmp_path):
    bench = begin(life, tmp_path)
    bench.press(Prescribe("P007", DATE, 1, "nose", 2_500, 1, 1))
    bench.run(100)
    assert bench.core.patient == PATIENT
    assert bench.core.dose.blocked == ""
    bench.arm().stimulate()
    bench.kill()
    assert kept_in(path_of(tmp_path, PATIENT, DATE).read_bytes()).amounts[0] == 1


def test_what_waits_has_an_end(kit):
    keeper = DoseKeeper(kit.Bench().core.delivery.guard, Voice(), True)
    keeper._voice.begin()
    wishes = [Prescribe(PATIENT, DATE, number, "forearm", 2_500, 0, 0) for number in range(WAITING_MAX + 1)]
    assert all(keeper.hold(wish) for wish in wishes)
    assert keeper.take_waiting() == wishes[:-1]
    assert keeper.take_waiting() == []


# -- whose day it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [date(2026, 1, 4), date(2026, 1, 6)])
def test_another_day_than_today_is_refused(kit, day):
    bench = kit.Bench(keeps_dose=True, holder=Holder(today=day, at_ns=1_000 * SECOND)).connect()
    assert prescribes(bench, 20_000) is None
    assert refused(bench) == [MISDATED, MISDATED]
    said = bench.facts(Refusal)[0].reason
    assert said == f"It is {day} today, not {DATE}: leave stimloop and start it again."
    assert not [out for out in bench.said if isinstance(out, ports.OpenDose)]
    assert bench.logged("change_refused")[0]["refused"] == MISDATED


def test_today_goes_on_at_midnight(kit):
    permits = Permits(Holder(today=date(2026, 1, 5), at_ns=0, into_day_ns=DAY_NS - 10))
    assert permits.other_day(9, DATE) == ""
    assert permits.other_day(10, DATE) != ""
    assert permits.other_day(10, "2026-01-06") == ""
    assert Permits().other_day(10, "2000-01-01") == ""  # the virtual clock has no calendar


def test_one_patient_has_one_book_however_the_pseudonym_is_spelt(tmp_path):
    book = DoseBook(tmp_path)
    book.open(1, "P1", DATE)
    book.note(ports.NoteDose(2, "P1", DATE, (7, SECOND, 0, 0)))
    book.close(timeout_s=5.0)
    assert DoseBook(tmp_path).open(3, "p1", DATE).amounts == (7, SECOND, 0, 0)
    assert file_of(tmp_path, "p1", DATE) == path_of(tmp_path, "P1", DATE)
    assert file_of(tmp_path, "p10", DATE) == path_of(tmp_path, "p10", DATE)
    other = path_of(tmp_path, "p1", DATE)
    other.parent.mkdir(exist_ok=True)
    if not other.exists():  # where the disk tells the two apart
        other.write_bytes(b"")
        fault = DoseBook(tmp_path).open(4, "p1", DATE).fault
        assert "are of one patient" in fault


@pytest.mark.parametrize("harm", ["", "gone", "cut"])
def test_a_dose_that_was_kept_and_is_gone_is_missed(tmp_path, harm):
    book, changes = DoseBook(tmp_path), Changes(tmp_path, "", [])
    book.open(1, PATIENT, DATE)
    assert book.vouched is None
    changes.dose(book.name, book.vouched)
    book.note(ports.NoteDose(2, PATIENT, DATE, (1, 1, 0, 0)))
    book.note(ports.NoteDose(3, PATIENT, DATE, (2, 2, 0, 0)))
    book._appender.finish()
    book._appender.join(5.0)
    assert book.vouched[0] == 1
    changes.dose(book.name, book.vouched)
    book.close(timeout_s=5.0)
    changes.close(None, (-1, ""))
    path = path_of(tmp_path, PATIENT, DATE)
    if harm == "gone":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes().splitlines(True)[0])
    found = verify_site(tmp_path)
    name = f"sub-{PATIENT}/dose-{DATE}.jsonl"
    expected = {"": [], "gone": [f"{name} is missing, as audit.jsonl knows"]}
    expected["cut"] = [f"{name} was cut: record 1 is missing, as audit.jsonl knows"]
    assert found.faults == expected[harm]
