"""What of a dose still counts for the rests, put to a guard that starts anew: it waits longer, and never shorter."""

import pytest

from safety.joint_limits import CROWD_NS, JOINT_CAPS, MOTION_REST_NS_MIN, MOVEMENTS_A_MINUTE_MAX, MOVEMENTS_MAX
from safety.lately import Lately
from safety.limits import BURSTS_A_MINUTE_MAX, DUTY_NS_MAX, DUTY_WINDOW_NS, LONGEST_BURST_NS, MINUTE_NS, REST_NS_MIN
from safety.orders import ArmScope
from safety.prescribing import DOSE_MOST, REMEMBERED_MAX

pytestmark = pytest.mark.hazard("H22", "H29", "H30", "H31")
MS, SECOND = 1_000_000, 1_000_000_000
WHO = ("P-001", "2026-01-05")
ROOM_NS = DUTY_NS_MAX - LONGEST_BURST_NS


def anew(kit, **lately):
    """A guard that has only just begun, and was told what an earlier one left."""
    rig = kit.Rig()
    assert rig.guard.begin_lately(*WHO, rig.now_ns, **Lately(**lately)._asdict()) is None
    return rig


def refusals(rig, wait_ns, pulse, rule):
    """1 ns before the instant it is refused by that rule, at the instant it is admitted."""
    rig.now_ns += wait_ns - 1
    assert rig.verdict(pulse) == rule
    rig.now_ns += 1
    assert rig.verdict(pulse) == ""


def test_the_rest_that_is_due_is_waited_for(kit):
    refusals(anew(kit, rest_ns=3 * SECOND), 3 * SECOND, kit.pulse(), "G22")


def test_the_bursts_of_the_last_minute_count_as_if_they_had_begun_now(kit):
    refusals(anew(kit, bursts=BURSTS_A_MINUTE_MAX), MINUTE_NS, kit.pulse(), "G31")
    rig = anew(kit, bursts=BURSTS_A_MINUTE_MAX - 1)
    assert rig.verdict(kit.pulse()) == ""
    rig.guard.off(rig.now_ns)
    rig.wait(5_000)
    assert rig.verdict(kit.pulse()) == "G31"


def test_the_current_of_the_last_ten_minutes_counts_as_if_it_had_ended_now(kit):
    assert anew(kit, on_ns=ROOM_NS).verdict(kit.pulse()) == ""
    refusals(anew(kit, on_ns=ROOM_NS + 1), DUTY_WINDOW_NS - ROOM_NS, kit.pulse(), "G32")
    refusals(anew(kit, on_ns=DUTY_WINDOW_NS), DUTY_WINDOW_NS - ROOM_NS, kit.pulse(), "G32")


def test_what_a_guard_leaves_is_what_the_next_one_waits_for(kit):
    """The same bursts, and then a restart: the new guard refuses for at least as long as the old one would have."""
    rig = kit.Rig()
    for _ in range(BURSTS_A_MINUTE_MAX):
        assert rig.verdict(kit.pulse()) == ""
        rig.wait(100)
        rig.guard.off(rig.now_ns)
        rig.wait(2_000)
    left = rig.guard.lately(*WHO, rig.now_ns)
    assert left.bursts == BURSTS_A_MINUTE_MAX
    assert left.on_ns == BURSTS_A_MINUTE_MAX * 100 * MS
    other = anew(kit, **left._asdict())
    assert other.guard.rest_until_ns - other.now_ns >= rig.guard.rest_until_ns - rig.now_ns > 0
    assert rig.guard.lately("P-002", WHO[1], rig.now_ns) == Lately(rest_ns=left.rest_ns)


def test_what_is_on_counts_at_its_longest(kit):
    rig = kit.Rig()
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately()
    assert rig.verdict(kit.pulse()) == ""
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately(12 * SECOND, 1, 6 * SECOND)
    rig.wait(100)
    rig.guard.off(rig.now_ns)
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately(100 * MS, 1, REST_NS_MIN)
    rig.now_ns += MINUTE_NS
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately(100 * MS, 0, 0)
    rig.now_ns += DUTY_WINDOW_NS
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately()


def test_a_burst_that_began_a_minute_ago_is_none_of_the_last_minute(kit):
    rig = kit.Rig()
    begun_ns = rig.now_ns
    assert rig.verdict(kit.pulse()) == ""
    rig.guard.off(begun_ns + 100 * MS)
    assert rig.guard.lately(*WHO, begun_ns + MINUTE_NS - 1).bursts == 1
    assert rig.guard.lately(*WHO, begun_ns + MINUTE_NS).bursts == 0
    for gone_ns in range(4):
        assert rig.guard.lately(*WHO, begun_ns + DUTY_WINDOW_NS + 100 * MS - 2 + gone_ns).on_ns == max(0, 2 - gone_ns)


def test_bursts_of_this_run_and_of_an_earlier_one_fill_one_minute(kit):
    rig = kit.Rig()
    begun_ns = rig.now_ns
    for _ in range(2):
        assert rig.verdict(kit.pulse()) == ""
        rig.wait(100)
        rig.guard.off(rig.now_ns)
        rig.wait(5_000)
    second_ns = begun_ns + 5_100 * MS
    assert rig.guard.begin_lately(*WHO, rig.now_ns, *Lately(bursts=BURSTS_A_MINUTE_MAX - 2)) is None
    assert rig.guard.rest_until_ns == begun_ns + MINUTE_NS
    assert rig.guard.begin_lately(*WHO, rig.now_ns, *Lately(bursts=1)) is None
    assert rig.guard.rest_until_ns == second_ns + MINUTE_NS


def test_a_movement_that_is_on_counts_at_its_longest(joint):
    rig = joint()
    longest_ns = rig.guard.joint_limit().on_ms.value * MS
    assert rig.assists() == ""
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately(crowd=1, movements=1, motion_rest_ns=longest_ns)
    rig.wait(100)
    rig.guard.off(rig.now_ns)
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately(crowd=1, movements=1, motion_rest_ns=MOTION_REST_NS_MIN)
    rig.now_ns += MINUTE_NS
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately(crowd=1)
    rig.now_ns += CROWD_NS
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately()


def moves_anew(joint, wait_ns=0, **lately):
    rig = joint()
    assert rig.guard.begin_lately(*WHO, rig.now_ns, **Lately(**lately)._asdict()) is None
    rig.wait(-(-wait_ns // MS))
    rig.stand(0)
    return rig.assists()


@pytest.mark.parametrize(
    ("lately", "wait_ns", "rule"),
    [
        ({"motion_rest_ns": 3 * SECOND}, 3 * SECOND, "J15"),
        ({"crowd": MOVEMENTS_A_MINUTE_MAX, "movements": MOVEMENTS_A_MINUTE_MAX}, MINUTE_NS, "J22"),
        ({"crowd": MOVEMENTS_MAX}, CROWD_NS - MINUTE_NS, "J15"),
        ({"crowd": MOVEMENTS_MAX, "movements": 1}, CROWD_NS - MINUTE_NS, "J15"),
    ],
)
def test_the_joints_rests_are_waited_for(joint, lately, wait_ns, rule):
    crowd = JOINT_CAPS[joint().guard.joint_limit().region].crowd
    lately = lately | ({"crowd": crowd} if "crowd" in lately and rule == "J15" else {})
    assert moves_anew(joint, wait_ns - MS, **lately) == rule
    assert moves_anew(joint, wait_ns, **lately) == ""


@pytest.mark.parametrize("junk", [-1, 1.0, True, None, "3", DOSE_MOST + 1])
@pytest.mark.parametrize("field", Lately._fields)
def test_p20_numbers_that_are_none_are_refused_and_change_nothing(kit, junk, field):
    rig = kit.Rig()
    lately = Lately(1, 1, 1, 1, 1, 1)._asdict() | {field: junk}
    refused = rig.guard.begin_lately(*WHO, rig.now_ns, **lately)
    assert (refused.rule, refused.latches) == ("P20", False)
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately()


@pytest.mark.parametrize(
    "lately",
    [
        Lately(on_ns=DUTY_WINDOW_NS + 1),
        Lately(bursts=BURSTS_A_MINUTE_MAX + 1),
        Lately(crowd=MOVEMENTS_MAX + 1),
        Lately(crowd=1, movements=2),
    ],
)
def test_p20_more_than_there_can_be_is_refused(kit, lately):
    rig = kit.Rig()
    refused = rig.guard.begin_lately(*WHO, rig.now_ns, *lately)
    assert (refused.rule, refused.latches) == ("P20", False)
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately()


# -- the ceilings of the day -------------------------------------------------------------------------------------------


def prescribes(rig, ceiling_ua, patient=WHO[0], channel=1, region="forearm", pad=2_500, date=WHO[1]):
    rig.guard.disarm(rig.now_ns)
    refused = rig.guard.prescribe(channel, region, pad, ceiling_ua, 0, patient, date, armed=False)
    return "" if refused is None else refused.rule


def test_a_ceiling_of_earlier_today_still_only_falls(kit):
    rig = kit.Rig()
    assert rig.guard.begin_ceiling("P-009", WHO[1], 1, "forearm", 20_000) is None
    assert prescribes(rig, 20_001, "P-009") == "P04"
    assert prescribes(rig, 20_001, "P-009", pad=2_501) == "P04"
    assert prescribes(rig, 20_001, "p-009") == "P04"  # however the pseudonym is spelt
    assert prescribes(rig, 0, "P-009") == ""  # fitting can begin anew
    assert rig.guard.limit(1, ArmScope.FITTING).amplitude_ua.value > 20_000
    assert prescribes(rig, 20_001, "P-009") == "P04"
    assert prescribes(rig, 20_000, "P-009") == ""
    assert prescribes(rig, 20_001, "P-009", region="hand") in ("", "P03")  # another muscle
    assert prescribes(rig, 20_001, "P-009", channel=2) == ""
    assert prescribes(rig, 20_001, "P-009", date="2026-01-06") == ""
    assert prescribes(rig, 20_001, "P-008") == ""


def test_the_ceilings_of_a_day_are_told_to_be_kept(kit):
    rig = kit.Rig()
    assert prescribes(rig, 9_000, "P-009", channel=2) == prescribes(rig, 8_000, "P-009") == ""
    assert prescribes(rig, 7_000, "P-009", channel=2) == prescribes(rig, 0, "P-009", channel=3) == ""
    assert rig.guard.ceilings("p-009", WHO[1]) == ((1, "forearm", 8_000), (2, "forearm", 7_000))
    assert rig.guard.ceilings("P-009", "2026-01-06") == ()
    assert rig.guard.begin_ceiling("P-009", WHO[1], 2, "forearm", 6_000) is None
    assert rig.guard.begin_ceiling("P-009", WHO[1], 1, "forearm", 9_999) is None  # it can only fall by this
    assert rig.guard.ceilings("P-009", WHO[1]) == ((1, "forearm", 8_000), (2, "forearm", 6_000))


def test_a_torque_of_earlier_today_still_only_falls(joint):
    rig = joint()
    given = rig.guard._joint._given
    assert rig.guard.torques(*WHO) == ((str(given.region), given.side, given.torque_mnm),)
    assert rig.guard.begin_torque("P-009", WHO[1], str(given.region), "left", 50) is None
    rig.guard.disarm(rig.now_ns)
    wish = (str(given.region), "left", given.rom_min_cdeg, given.rom_max_cdeg)
    assert rig.guard.prescribe_joint(*wish, 51, "p-009", WHO[1], armed=False).rule == "P14"
    assert rig.guard.prescribe_joint(*wish, 50, "P-009", WHO[1], armed=False) is None
    assert rig.guard.torques("P-009", WHO[1]) == ((str(given.region), "left", 50),)
    assert rig.guard.begin_torque("P-009", WHO[1], "nose", "left", 50).rule == "P14"
    assert rig.guard.begin_torque("P-009", WHO[1], str(given.region), "middle", 50).rule == "P14"


def test_the_least_torque_of_the_day_is_the_one_that_is_remembered(joint):
    rig = joint()
    region = str(rig.guard._joint._given.region)
    for torque_mnm in (50, 60, 1, 40):
        assert rig.guard.begin_torque("P-009", WHO[1], region, "left", torque_mnm) is None
        assert rig.guard.torques("P-009", WHO[1]) == ((region, "left", min(torque_mnm, 50) if torque_mnm > 40 else 1),)


def test_a_torque_that_is_not_found_yet_is_none_to_remember(joint):
    rig = joint()
    given = rig.guard._joint._given
    wish = (str(given.region), given.side, given.rom_min_cdeg, given.rom_max_cdeg)
    rig.guard.disarm(rig.now_ns)
    assert rig.guard.prescribe_joint(*wish, 0, "P-009", WHO[1], armed=False) is None
    assert rig.guard.torques("P-009", WHO[1]) == ()
    assert rig.guard.prescribe_joint(*wish, 1, "P-009", WHO[1], armed=False) is None
    assert rig.guard.torques("P-009", WHO[1]) == ((str(given.region), given.side, 1),)


def test_there_is_an_end_to_the_torques_that_are_remembered(joint):
    rig = joint()
    region = str(rig.guard._joint._given.region)
    many = range(REMEMBERED_MAX - len(rig.guard._joint._lowest))
    told = [rig.guard.begin_torque(f"P-{number}", WHO[1], region, "left", 5) for number in many]
    assert told == [None] * len(many)
    assert rig.guard.begin_torque("P-X", WHO[1], region, "left", 5).rule == "P14"
    assert rig.guard.begin_torque("P-0", WHO[1], region, "left", 4) is None
    assert rig.guard.torques("P-0", WHO[1]) == ((region, "left", 4),)


def test_what_began_as_long_ago_as_a_window_is_long_is_out_of_it(joint):
    rig = joint()
    begun_ns = rig.now_ns
    assert rig.assists() == ""
    rig.guard.off(begun_ns)
    for window_ns, after in ((MINUTE_NS, (1, 0)), (CROWD_NS, (0, 0))):
        late = rig.guard.lately(*WHO, begun_ns + window_ns - 1)
        assert (late.crowd, late.movements) == (1, int(window_ns == MINUTE_NS))
        late = rig.guard.lately(*WHO, begun_ns + window_ns)
        assert (late.crowd, late.movements) == after


@pytest.mark.parametrize("channel", [True, 1.0, "1"])
def test_a_ceiling_of_no_channel_is_none(kit, channel):
    assert kit.Rig().guard.begin_ceiling(*WHO, channel, "forearm", 1).rule == "P04"


@pytest.mark.parametrize("ceiling", [0, -1, 1.0, True, None, DOSE_MOST + 1])
def test_a_ceiling_that_is_no_number_is_none(kit, ceiling):
    rig = kit.Rig()
    refused = rig.guard.begin_ceiling("P-009", WHO[1], 1, "forearm", ceiling)
    assert (refused.rule, refused.latches) == ("P04", False)
    assert rig.guard.begin_ceiling("P-009", WHO[1], 1, "nose", 1).rule == "P04"
    assert rig.guard.ceilings("P-009", WHO[1]) == ()


def test_a_ceiling_that_is_read_after_one_was_asked_for_that_is_not_found_yet(kit):
    rig = kit.Rig()
    assert prescribes(rig, 0, "P-009") == ""
    assert rig.guard.begin_ceiling("P-009", WHO[1], 1, "forearm", 5_000) is None
    assert rig.guard.ceilings("P-009", WHO[1]) == ((1, "forearm", 5_000),)


def test_a_torque_that_is_read_after_one_was_asked_for_that_is_not_found_yet(joint):
    rig = joint()
    given = rig.guard._joint._given
    rig.guard.disarm(rig.now_ns)
    assert rig.prescribe(torque_mnm=0, patient="P-009") == ""
    assert rig.guard.begin_torque("P-009", WHO[1], str(given.region), given.side, 50) is None
    assert rig.guard.torques("P-009", WHO[1]) == ((str(given.region), given.side, 50),)


@pytest.mark.parametrize("ceiling", [1, DOSE_MOST])
def test_the_least_and_the_most_of_a_ceiling_are_ones(kit, ceiling):
    rig = kit.Rig()
    assert rig.guard.begin_ceiling("P-009", WHO[1], 1, "forearm", ceiling) is None
    assert rig.guard.ceilings("P-009", WHO[1]) == ((1, "forearm", ceiling),)


def test_there_is_an_end_to_the_ceilings_that_are_remembered(kit):
    rig = kit.Rig()
    many = range(REMEMBERED_MAX - len(rig.guard._lowest))
    assert [rig.guard.begin_ceiling("P-009", WHO[1], 100 + number, "hand", 5) for number in many] == [None] * len(many)
    refused = rig.guard.begin_ceiling("P-009", WHO[1], 99, "hand", 5)
    assert (refused.rule, refused.latches) == ("P04", False)
    assert rig.guard.begin_ceiling("P-009", WHO[1], 100, "hand", 4) is None


def test_a_pseudonym_is_one_patient_however_it_is_spelt(kit):
    rig = kit.Rig()
    assert rig.guard.begin_dose("p-001", WHO[1], 7, SECOND, 2, SECOND) is None
    assert rig.guard.dose(*WHO) == (7, SECOND, 2, SECOND)
    assert rig.guard.begin_lately("p-001", WHO[1], rig.now_ns, 5, 1, 0, 3, 2, 0) is None
    assert rig.guard.lately(*WHO, rig.now_ns) == Lately(5, 1, 0, 3, 2, 0)
