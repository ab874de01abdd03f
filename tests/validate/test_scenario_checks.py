"""Every kind of check can hold and can fail: the same run, looked at with a right and with a wrong expectation."""

from collections.abc import Mapping

import pytest

from controller.assembly.validate.checks import LOOKS, look
from controller.assembly.validate.model import SUBJECTS, Check
from controller.assembly.validate.witness import Line, Witness
from controller.clock import MS, SECOND
from sim.checker_course import Armed
from sim.disturbed import Seen

pytestmark = pytest.mark.hazard("H08", "H09", "H18")

START = 100 * SECOND


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def train(begin_s: float, end_s: float, amplitude_ua: int) -> dict[str, object]:
    pulses = round((end_s - begin_s) / 0.03) + 1
    end_ns = at(begin_s) + (pulses - 1) * 30 * MS
    charge_nc = amplitude_ua * 250 * pulses // 1000
    return {
        "kind": "train",
        "t_start_ns": at(begin_s),
        "t_end_ns": end_ns,
        "channel": 1,
        "pulses": pulses,
        "amplitude_ua": amplitude_ua,
        "width_us": 250,
        "period_us": 30_000,
        "charge_nc": charge_nc,
    }


@pytest.fixture
def witness() -> Witness:
    """Two attempts, one of them a false trigger, two trains, one stop."""
    seen = Witness(begun_ns=START, ended_ns=at(20.0))
    seen.course.armed = [Armed(START - SECOND, "session")]
    seen.states = [(START - 2 * SECOND, "ready"), (START, "running"), (at(12.5), "paused")]
    seen.attempts = [(at(2.0), at(4.0))]
    seen.record = [
        Line(at(2.3), "attempt_started", {"value_dps": 20.0}),
        Line(at(2.3), "phase", {"left": "cue", "entered": "assist"}),
        Line(at(5.0), "trial", {"outcome": "completed"}),
        Line(at(9.0), "attempt_started", {"value_dps": 20.0}),
        Line(at(12.0), "trial", {"outcome": "missed"}),
    ]
    seen.gateway = [Line(at(12.5), "latched", {"cause": "F12"})]
    seen.screen = [(at(12.6), "The puck fell silent: current is off.")]
    seen.steps = {"stop": at(12.4), "try": at(2.0)}
    seen.log = [train(2.4, 2.7, 2_000), train(2.7, 4.5, 18_000), train(9.1, 12.46, 16_000)]
    seen.limb = [Seen(at(1.0), -35.0, 0.0), Seen(at(2.2), -30.0, 40.0), Seen(at(3.0), 25.0, -300.0)]
    seen.force = [(at(1.0), 1.0), (at(19.0), 0.6)]
    return seen


KINDS: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "triggers": ({"triggers": "2"}, {"triggers": "1"}),
    "false_triggers": ({"false_triggers": "1"}, {"false_triggers": "0"}),
    "trains": ({"trains": "2"}, {"trains": ">= 3"}),
    "pulses": ({"pulses": "<= 3", "after": "stop", "within": "10 s"}, {"pulses": "0"}),
    "repetitions": ({"repetitions": "1"}, {"repetitions": "0"}),
    "missed": ({"missed": "1"}, {"missed": "0"}),
    "latency": (
        {"latency": "0.2 s to 0.5 s", "after": "try", "within": "1 s"},
        {"latency": "<= 0.2 s", "after": "try", "within": "1 s"},
    ),
    "last_pulse": ({"last_pulse": "<= 100 ms", "after": "stop"}, {"last_pulse": "<= 10 ms", "after": "stop"}),
    "pause": ({"pause": ">= 4 s"}, {"pause": ">= 5 s"}),
    "train_length": ({"train_length": "2 s to 4 s"}, {"train_length": "<= 3 s"}),
    "duty": ({"duty": "20 % to 30 %"}, {"duty": "<= 10 %"}),
    "current": ({"current": "<= 18 mA"}, {"current": "<= 17 mA"}),
    "first_current": ({"first_current": "2 mA"}, {"first_current": "<= 1 mA"}),
    "limb_speed": ({"limb_speed": "290 deg/s to 310 deg/s"}, {"limb_speed": "<= 100 deg/s"}),
    "limb_turn": ({"limb_turn": "55 deg to 65 deg"}, {"limb_turn": "<= 20 deg"}),
    "force_left": ({"force_left": "50 % to 70 %"}, {"force_left": ">= 90 %"}),
    "state": ({"state": "paused"}, {"state": "tripped"}),
    "ends": ({"ends": "paused"}, {"ends": "running"}),
    "never": ({"never": "tripped"}, {"never": "paused"}),
    "phase": ({"phase": "assist", "count": "1"}, {"phase": "hold"}),
    "record": ({"record": "trial", "holding": "missed"}, {"record": "clonus"}),
    "gateway": ({"gateway": "latched", "after": "stop", "within": "1 s"}, {"gateway": "armed"}),
    "screen": ({"screen": "fell silent"}, {"screen": "clonus"}),
    "refused": ({"refused": "UNT001"}, {"refused": "SAF004"}),
}


def test_every_kind_of_check_is_here() -> None:
    assert set(KINDS) == set(SUBJECTS)
    assert set(LOOKS) == set(SUBJECTS) - {"refused"}


@pytest.mark.parametrize("kind", KINDS)
def test_it_holds_where_it_is_so_and_fails_where_it_is_not(kind: str, witness: Witness) -> None:
    right, wrong = KINDS[kind]
    witness.refusal = "UNT001 a pulse width is not written in ms" if kind == "refused" else ""
    assert look(Check.model_validate(right), witness).good
    found = look(Check.model_validate(wrong), witness)
    assert not found.good
    assert found.found


def test_what_cannot_be_looked_at_has_failed(witness: Witness) -> None:
    never_done = Check.model_validate({"triggers": "0", "after": "never"})
    assert not look(never_done, witness).good
    no_current = Check.model_validate({"last_pulse": "<= 100 ms", "after": "try"})
    assert not look(no_current, witness).good
    witness.begun_ns = 0
    assert not look(Check.model_validate({"pulses": "0"}), witness).good
    witness.refusal = "SAF004 too much"
    assert not look(Check.model_validate({"never": "tripped"}), witness).good


def test_a_stop_time_is_kept_for_the_report(witness: Witness) -> None:
    found = look(Check.model_validate({"last_pulse": "<= 100 ms", "after": "stop"}), witness)
    assert found.stop_ms is not None
    assert 0.0 < found.stop_ms <= 100.0
