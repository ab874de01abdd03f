"""A dose of earlier today: it can only raise the count, and what is on counts at its longest."""

import pytest

from safety.limits import BURSTS_MAX, STIMULATED_NS_MAX
from safety.prescribing import DOSE_MOST, REMEMBERED_MAX

pytestmark = pytest.mark.hazard("H22", "H30", "H31")
MS, SECOND = 1_000_000, 1_000_000_000
WHO = ("P-001", "2026-01-05")


def test_a_dose_of_earlier_today_counts_from_the_first_burst_on(kit):
    rig = kit.Rig()
    assert rig.guard.begin_dose(*WHO, BURSTS_MAX, SECOND, 0, 0) is None
    assert rig.verdict(kit.pulse()) == "G23"
    rig = kit.Rig()
    assert rig.guard.begin_dose(*WHO, 1, STIMULATED_NS_MAX, 0, 0) is None
    assert rig.verdict(kit.pulse()) == "G24"
    rig = kit.Rig()
    assert rig.guard.begin_dose("P-002", WHO[1], BURSTS_MAX, STIMULATED_NS_MAX, 0, 0) is None
    assert rig.verdict(kit.pulse()) == ""  # somebody else's


def test_a_dose_can_only_be_raised(kit):
    rig = kit.Rig()
    assert rig.guard.begin_dose(*WHO, 5, 6 * SECOND, 7, 8 * SECOND) is None
    for lower in ((0, 0, 0, 0), (4, SECOND, 6, SECOND), (5, 0, 7, 0)):
        assert rig.guard.begin_dose(*WHO, *lower) is None
        assert rig.guard.dose(*WHO) == (5, 6 * SECOND, 7, 8 * SECOND)
    assert rig.guard.begin_dose(*WHO, 6, SECOND, 7, 9 * SECOND) is None
    assert rig.guard.dose(*WHO) == (6, 6 * SECOND, 7, 9 * SECOND)


@pytest.mark.parametrize("junk", [-1, 1.0, True, None, "3", DOSE_MOST + 1])
@pytest.mark.parametrize("place", range(4))
def test_p20_numbers_that_are_no_dose_are_refused_and_change_nothing(kit, junk, place):
    rig = kit.Rig()
    amounts = [1, 1, 1, 1]
    amounts[place] = junk
    refused = rig.guard.begin_dose(*WHO, *amounts)
    assert (refused.rule, refused.latches) == ("P20", False)
    assert rig.guard.dose(*WHO) == (0, 0, 0, 0)
    assert rig.guard.begin_dose(*WHO, 0, DOSE_MOST, 0, 0) is None


def test_p20_there_is_an_end_to_what_is_remembered(kit):
    rig = kit.Rig()
    for number in range(REMEMBERED_MAX - 1):  # one is the rig's own patient
        assert rig.guard.begin_dose(f"P{number}", WHO[1], 0, 0, 0, 0) is None
    assert rig.guard.begin_dose("one more", WHO[1], 0, 0, 0, 0).rule == "P20"


def test_a_burst_that_is_on_counts_at_its_longest_and_then_as_it_was(kit):
    rig = kit.Rig()
    assert rig.guard.dose(*WHO) == (0, 0, 0, 0)
    assert rig.verdict(kit.pulse(2_000)) == ""
    assert rig.guard.dose(*WHO) == (1, 12 * SECOND, 0, 0)
    assert rig.guard.dose("P-002", WHO[1]) == (0, 0, 0, 0)
    rig.wait(100)
    rig.guard.off(rig.now_ns)
    assert rig.guard.dose(*WHO) == (1, 100 * MS, 0, 0)


def test_a_movement_that_is_on_counts_at_its_longest_and_then_as_it_was(joint):
    rig = joint()
    assert rig.guard.dose(*WHO) == (0, 0, 0, 0)
    limit_ns = rig.guard.joint_limit().on_ms.value * MS
    assert rig.assists() == ""
    assert rig.guard.dose(*WHO) == (0, 0, 1, limit_ns)
    rig.wait(100)
    rig.guard.off(rig.now_ns)
    assert rig.guard.dose(*WHO) == (0, 0, 1, 100 * MS)


def test_movements_of_earlier_today_count(joint):
    rig = joint()
    assert rig.guard.begin_dose(*WHO, 0, 0, 100_000, 0) is None
    assert rig.assists() == "J16"
