"""The interlocks and their sentences."""

from itertools import product

import pytest

from safety.interlocks import Conditions, first_open, is_simulated

pytestmark = pytest.mark.hazard("H35", "H48")


def test_exactly_one_setting_is_closed():
    kinds = product(*[(False, True)] * 4, ("No.", ""), *[(False, True)] * 3)
    closed = [values for values in kinds if first_open(Conditions(*values)) is None]
    assert closed == [(True, True, True, True, "", False, True, True)]


@pytest.mark.parametrize("junk", [1, None, "yes", 1.0, b"", (), 0])
def test_only_a_bool_closes_an_interlock_and_only_no_text_permits(kit, junk):
    for name in Conditions._fields:
        assert first_open(kit.GOOD._replace(**{name: junk})) is not None


def test_a_permission_that_is_no_text_is_not_believed(kit):
    assert first_open(kit.GOOD._replace(permission=True)) == "What these devices may be used for is not known."


def test_sentences(kit):
    real = kit.GOOD._replace(permission="P24-0815 has no permission {yet}.", latched=True)
    assert first_open(real) == "P24-0815 has no permission {yet}."
    assert "STOP has not been tested" in first_open(real._replace(stop_tested=False))
    assert "not ready" in first_open(real._replace(stop_tested=False, unit_ready=False))
    assert "latched" in first_open(kit.GOOD._replace(latched=True))
    assert "orthosis" in first_open(kit.GOOD._replace(joint_ok=False))
    assert "not ready" in first_open(kit.GOOD._replace(unit_ready=False, joint_ok=False))
    assert Conditions(True, True, True, True, "", False, True).joint_ok is True  # no orthosis is fitted


def test_only_its_own_word_makes_a_unit_simulated():
    assert is_simulated("SIM0P24001")
    for identity in ("", "P24-SIM", "sim0", " SIM0", "socket://SIM"):
        assert not is_simulated(identity)
