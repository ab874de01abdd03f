"""What the guard keeps of today, looked at by itself: whose it is, what forgets it, and what a dose is raised by."""

import pytest

from safety.guard import Guard
from safety.orders import ArmScope

pytestmark = pytest.mark.hazard("H12", "H28")
MS = 1_000_000
OTHERS = [("P-002", "2026-01-05"), ("P-001", "2026-01-06")]


def prescribed(kit, channel=1, ceiling_ua=10_000, patient="P-001", date=None, guard=None, pad=2_500, region="forearm"):
    guard = guard or Guard(kit.UNIT)
    refused = guard.prescribe(channel, region, pad, ceiling_ua, 0, patient, date or kit.DAY, armed=False)
    return guard, refused


def constrained(guard, channel=1, amplitude_ua=8_000, region="forearm"):
    return guard.constrain(channel, region, 2_500, amplitude_ua, 250, 20_000, 10_000)


def bound(guard, channel=1):
    return guard.limit(channel, ArmScope.SESSION).amplitude_ua.value


def test_nothing_is_known_in_the_morning(kit):
    guard = Guard(kit.UNIT)
    assert (guard.identified, guard.placed) == ((), None)
    assert guard.limit(1, ArmScope.SESSION) is None
    assert guard.position_fault != ""
    assert guard.dose("P-001", kit.DAY) == (0, 0, 0, 0)


def test_a_region_without_a_cap_is_refused_by_name_and_number(kit):
    guard, refused = prescribed(kit, region="neck")
    assert refused.rule == "P02"
    assert constrained(guard, region="neck").rule == "C01"


def test_the_ceiling_may_only_fall_and_a_new_beginning_does_not_forget_it(kit):
    guard, refused = prescribed(kit, ceiling_ua=5_000)
    assert refused is None
    assert prescribed(kit, ceiling_ua=0, guard=guard)[1] is None
    assert prescribed(kit, ceiling_ua=5_001, guard=guard)[1] is not None
    assert prescribed(kit, ceiling_ua=1, guard=guard)[1] is None
    assert prescribed(kit, ceiling_ua=2, guard=guard)[1] is not None


@pytest.mark.parametrize("armed", [True, 0, None])
def test_only_what_is_surely_disarmed_may_be_prescribed_and_placed(kit, armed):
    guard = Guard(kit.UNIT)
    assert guard.prescribe(1, "forearm", 2_500, 5_000, 0, "P-001", kit.DAY, armed=armed) is not None
    assert guard.place("seated", False, "P-001", kit.DAY, armed=armed) is not None
    assert (guard.placed, guard.limit(1, ArmScope.SESSION)) == (None, None)


def test_armed_nothing_new_is_prescribed_placed_or_needed(kit):
    rig = kit.Rig()
    assert prescribed(kit, guard=rig.guard)[1] is not None
    assert rig.guard.place("seated", False, "P-001", kit.DAY, armed=False) is not None
    assert rig.guard.need("supine") is not None


def test_a_protocol_is_replaced_while_disarmed_and_only_narrows_while_armed(kit):
    guard, _ = prescribed(kit)
    kit.seat(guard)
    assert constrained(guard, amplitude_ua=6_000) is None
    assert bound(guard) == 6_000
    assert constrained(guard, amplitude_ua=8_000) is None
    assert bound(guard) == 8_000
    guard.arm(ArmScope.SESSION, 10_000 * MS)
    assert constrained(guard, amplitude_ua=8_001) is not None
    assert constrained(guard, amplitude_ua=7_000) is None
    assert bound(guard) == guard._memory.limits[1].amplitude_ua.value == 7_000


@pytest.mark.parametrize(("patient", "date"), OTHERS)
def test_another_patient_or_day_forgets_every_channel(kit, patient, date):
    guard, _ = prescribed(kit)
    prescribed(kit, channel=2, guard=guard)
    guard._memory.identified = {1, 2, 3}
    kit.seat(guard)
    assert guard.position_fault == ""
    assert prescribed(kit, channel=3, patient=patient, date=date, guard=guard)[1] is None
    assert [guard.limit(channel, ArmScope.SESSION) is None for channel in (1, 2, 3)] == [True, True, False]
    assert guard.identified == (3,)
    assert guard.position_fault != ""


@pytest.mark.parametrize(
    ("changes", "identified"),
    [({}, (1,)), ({"ceiling_ua": 1}, (1,)), ({"pad": 2_400}, ()), ({"region": "hand"}, ())],
)
def test_another_pad_or_region_is_not_identified(kit, changes, identified):
    guard, _ = prescribed(kit)
    guard._memory.identified = {1}
    assert prescribed(kit, guard=guard, **changes)[1] is None
    assert guard.identified == identified


def test_another_unit_forgets_which_channels_were_identified(kit):
    guard, _ = prescribed(kit)
    guard._memory.identified = {2, 1}
    guard.meet("one")
    guard.meet("one")
    assert guard.identified == (1, 2)
    guard.meet("two")
    assert guard.identified == ()
    guard._memory.identified = {1}
    guard.meet("one")
    assert guard.identified == ()


def test_a_channel_is_identified_by_current_in_fitting_only(kit):
    for scope, carried, taken in ((ArmScope.FITTING, {1}, True), (ArmScope.FITTING, {2}, False)):
        guard, _ = prescribed(kit, ceiling_ua=0)
        guard._memory.scope, guard._memory.fitting.carried = scope, carried
        assert (guard.identify(1, "P-001", kit.DAY) is None) is taken
        assert guard.identified == ((1,) if taken else ())
        assert guard.identify(True, "P-001", kit.DAY) is not None
    guard._memory.scope, guard._memory.fitting.carried = ArmScope.SESSION, {1}
    assert guard.identify(1, "P-001", kit.DAY) is not None


def test_a_dose_is_only_raised_and_is_that_of_its_patient_and_day(kit):
    guard = Guard(kit.UNIT, kit.MOTOR)
    assert guard.begin_dose("P-001", kit.DAY, 2, 20, 3, 30) is None
    assert guard.begin_dose("P-001", kit.DAY, 1, 21, 2, 31) is None
    assert guard.dose("P-001", kit.DAY) == (2, 21, 3, 31)
    for patient, date in OTHERS:
        assert guard.dose(patient, date) == (0, 0, 0, 0)


def test_a_burst_counts_at_its_longest_while_it_is_on(kit):
    guard, _ = prescribed(kit)
    memory = guard._memory
    memory.on_ms, memory.dose.on_ns = 7, 5
    assert guard.dose("P-001", kit.DAY)[1] == 5
    memory.live = True
    assert guard.dose("P-001", kit.DAY)[1] == 7_000_005
    guard.begin_dose("P-002", kit.DAY, 0, 9, 0, 0)
    assert guard.dose("P-002", kit.DAY)[1] == 9


def test_each_change_of_a_limit_lets_every_pulse_be_vetted_again(kit):
    rig = kit.Rig()
    assert rig.verdict(kit.pulse()) == ""
    assert rig.guard._memory.vetted
    assert rig.guard._memory.exact
    assert constrained(rig.guard) is None
    assert (rig.guard._memory.vetted, rig.guard._memory.exact) == ({}, {})
    assert sorted(rig.guard._memory.limits) == [1, 2, 3, 4, 5]
