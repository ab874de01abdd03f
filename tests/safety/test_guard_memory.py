"""The table of rules is whole, and what the guard remembers is bounded and kept apart."""

from pathlib import Path

import pytest

from safety import joint_rules, rules
from safety.memory import Dose
from safety.orders import ArmScope, Deliver, Purpose, Renew

pytestmark = pytest.mark.hazard("H28", "H31", "H34")


def test_every_rule_has_its_test():
    tests = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_rules_of_*.py")))
    table = (*rules.ORDER_RULES, rules.CHANNEL_RULE, *rules.TRAIN_RULES, *rules.BODY_RULES)
    assert sorted(number for number, _ in table) == [f"G{number:02d}" for number in range(1, 38) if number != 28]
    for number, rule in table:
        assert rule.__name__.startswith(number.lower() + "_")
        assert f"def test_{rule.__name__}(bed" in tests, rule.__name__
        assert rule.__doc__
    number, antagonist = rules.ANTAGONIST_RULE
    assert (number, antagonist.__name__) == ("G28", "g28_antagonist")
    assert "def test_g28_antagonist(joint" in tests


def test_every_rule_of_the_joint_has_its_test():
    tests = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_rules_of_*.py")))
    table = (*joint_rules.JOINT_ORDER_RULES, joint_rules.JOINT_LIMIT_RULE, *joint_rules.JOINT_RULES)
    assert sorted(number for number, _ in table) == [f"J{number:02d}" for number in range(1, 23)]
    for number, rule in table:
        assert rule.__name__.startswith(number.lower() + "_")
        assert f"def test_{rule.__name__}(joint" in tests, rule.__name__
        assert rule.__doc__


def test_two_patients_doses_are_kept_apart(kit):
    rig = kit.Rig()
    assert rig.verdict(kit.pulse()) == ""
    rig.guard.disarm(rig.now_ns)
    dose = rig.guard._memory.dose
    assert dose.bursts == 1
    assert rig.guard.prescribe(2, "hand", 900, 0, 0, "P-002", "2026-01-05", armed=False) is None
    assert rig.guard._memory.dose.bursts == 0
    assert rig.guard.limit(1, ArmScope.SESSION) is None  # the other patient's channels are gone
    assert rig.guard.prescribe(1, "forearm", 2500, 0, 0, "P-001", "2026-01-05", armed=False) is None
    assert rig.guard._memory.dose is dose
    assert isinstance(dose, Dose)


def test_vetted_pulses_are_bounded_and_types_are_not_confused(kit):
    rig = kit.Rig("thigh")
    for width_us in range(20, 420):
        for channel in (1, 2, 3):
            assert rig.verdict(kit.pulse(2000, channel, width_us)) == ""
            assert 0 < len(rig.guard._memory.vetted) <= 1024
            rig.guard.off(rig.now_ns)
            rig.now_ns = rig.guard.rest_until_ns
        if width_us == 380:
            rig.guard._memory.dose.bursts = 0
    same_but_float = kit.pulse(2000, 1, 419)._replace(period_us=29_000.0)
    assert same_but_float in rig.guard._memory.vetted  # equal, and still refused
    assert rig.verdict(same_but_float) == "G01"


def test_trains_known_to_be_exact_are_bounded_and_known_by_identity_alone(kit):
    rig = kit.Rig("thigh")
    exact = rig.guard._memory.exact
    kept = []
    for _ in range(1030):
        kept.append(kit.pulse(2000, 1, 250))  # equal, each an object of its own
        assert rig.verdict(kept[-1]) == ""
        assert 0 < len(exact) <= 1024
    assert exact[id(kept[-1])] is kept[-1]
    assert len(exact) < 1030
    assert rig.verdict(kept[-1]) == ""  # the same object again
    assert exact[id(kept[-1])] is kept[-1]
    true_for_one = kit.pulse(2000, 1, 250)._replace(channel=True)
    assert true_for_one == kept[-1]
    assert rig.verdict(true_for_one) == "G01"
    assert id(true_for_one) not in exact
    rig.guard.disarm(rig.now_ns)
    assert rig.guard._memory.exact == {}


def test_orders_are_values():
    assert Deliver(1, 2, 3, Purpose.ASSIST, ()) == Deliver(1, 2, 3, Purpose.ASSIST, ())
    assert Renew(1, 2, 3) != Renew(2, 2, 3)
