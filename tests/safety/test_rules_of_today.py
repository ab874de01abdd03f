"""Rules G29 to G34 and J20 to J22 at their bounds: gaps, rms, the dose of late, identified channels, position."""

import pytest

from safety.joint_limits import JOINT_CAPS
from safety.limits import CAPS, DUTY_NS_MAX, DUTY_WINDOW_NS, LONGEST_BURST_NS
from safety.memory import Dose
from safety.orders import LEASE_MAX_NS, ArmScope, Purpose
from safety.pulse_rules import g30_rms
from safety.stimulus import Point, Train

pytestmark = pytest.mark.hazard("H04", "H08", "H09", "H16", "H17", "H28", "H31", "H34")

MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND


def burst(rig, bed, on_ms=20):
    """One burst of so long, renewed each 20 ms and ended as ordered; the rule of the first refusal."""
    answer = rig.verdict(bed.pulse()) or rig.keep_on(on_ms)
    rig.guard.off(rig.now_ns)
    return answer


def test_g29_gap(bed):
    for gap_ms, rule in ((500, "G22"), (501, "G29")):  # after 500 ms the lease is long over: that alone is a rest
        rig = bed.rig()
        assert rig.verdict(bed.pulse()) == ""
        rig.wait(gap_ms)
        answer = rig.deliver(bed.pulse())
        assert (answer.rule, answer.latches) == (rule, rule == "G29")
        assert not rig.guard.delivering
    rig = bed.rig()
    assert rig.verdict(bed.pulse()) == ""
    rig.wait(501)
    assert bed.rule_of(rig.renew()) == "G29"
    assert rig.guard.rest_until_ns == rig.now_ns + 2000 * MS  # the burst counts up to now, in case it was on
    rig = bed.rig()
    assert rig.verdict(bed.pulse()) == ""
    for _ in range(6):  # each look counts, also one that refused a renewal of no burst
        rig.wait(120)
        assert bed.rule_of(rig.renew()) == ""
    rig.guard.off(rig.now_ns)
    rig.wait(60_000)
    assert rig.verdict(bed.pulse()) == ""  # nothing was on: a pause is no gap
    rig = bed.rig()
    assert rig.verdict(bed.pulse()) == ""
    rig.wait(501)
    assert rig.verdict() == ""  # off is always admitted


def test_g30_rms(bed):
    """Pulses of many phases, asked of this rule alone: their rms current, reckoned here in mA, against 25 mA."""
    limit = bed.rig().guard.limit(1, ArmScope.SESSION)
    for phases in (2, 8, 12, 16):
        for ua in range(bed.cap_ua // 2 // 500 * 500, bed.cap_ua + 1, 2500):
            width_us = min(bed.width_us, bed.charge_nc * 1000 // ua, 19_000 // phases)
            points = tuple(Point(width_us, -ua if at % 2 else ua) for at in range(phases))
            rms_ma = (phases * width_us * (ua / 1000) ** 2 / 20_000) ** 0.5
            holds = g30_rms(bed.unit, Train(1, points, 20_000), limit) is None
            assert holds is (rms_ma <= 25), (phases, ua)


def test_g30_rms_at_its_bound(bed):
    exactly = (Point(5_000, 35_355), Point(5_000, -35_355))  # a little under 25 mA rms; 35 356 uA is a little over
    device = bed.unit.__class__("any", 8, 200_000, 1, 10, 9_000, 500, 16_383_000, 500, 16)
    limit = bed.rig().guard.limit(1, ArmScope.SESSION)
    assert g30_rms(device, Train(1, exactly, 20_000), limit) is None
    assert g30_rms(device, Train(1, (Point(5_000, 35_356), Point(5_000, -35_356)), 20_000), limit)
    # What the caps allow of a plain pulse never comes near it.
    cap = CAPS[limit.region]
    width_us = min(cap.pulse_width_us, cap.charge_nc * 1000 // cap.amplitude_ua)
    plain = (Point(width_us, cap.amplitude_ua), Point(width_us, -cap.amplitude_ua))
    assert g30_rms(device, Train(1, plain, 20_000), limit) is None


def test_g31_bursts_a_minute(bed):
    rig = bed.rig()
    begun = []
    for _ in range(20):
        begun.append(rig.now_ns)
        assert burst(rig, bed) == ""
        rig.now_ns = rig.guard.rest_until_ns
    assert rig.now_ns == begun[0] + MINUTE  # what the guard says of its rest waits for the minute, too
    rig.now_ns -= 1
    answer = rig.deliver(bed.pulse())
    assert (answer.rule, answer.latches) == ("G31", False)
    rig.now_ns += 1
    begun.append(rig.now_ns)
    assert burst(rig, bed) == ""
    for _ in range(30):  # and so on, for every minute
        rig.now_ns = rig.guard.rest_until_ns
        begun.append(rig.now_ns)
        assert burst(rig, bed) == ""
    assert all(later - earlier >= MINUTE for earlier, later in zip(begun, begun[20:], strict=False))
    other = rig.guard
    other.disarm(rig.now_ns)
    assert other.prescribe(1, "forearm", 2500, 5000, 0, "P-002", "2026-01-05", armed=False) is None
    assert other.rest_until_ns < rig.now_ns + 2 * SECOND + 1  # another patient has a minute of their own


def test_g32_duty(bed):
    rig = bed.rig()
    longest_ms = bed.on_ms
    spans = []
    while rig.now_ns < 10_000 * MS + 3 * DUTY_WINDOW_NS:
        from_ns = rig.now_ns
        answer = rig.deliver(bed.pulse())
        if bed.rule_of(answer) == "G32":
            assert not answer.latches
            assert rig.guard.rest_until_ns > rig.now_ns
            rig.now_ns = rig.guard.rest_until_ns - 1
            assert rig.verdict(bed.pulse()) in ("G32", "G31")
            rig.now_ns += 1
            continue
        assert bed.rule_of(answer) == ""
        for _ in range(longest_ms // 100):
            rig.wait(100)
            assert bed.rule_of(rig.renew()) == ""
        rig.guard.off(rig.now_ns)
        spans.append((from_ns, rig.now_ns))
        rig.now_ns = rig.guard._memory.rest_until_ns  # the rest of the burst alone, so that G32 is met
        if rig.guard._memory.dose.on_ns > 3000 * SECOND:
            rig.guard._memory.dose.on_ns = 0
    assert len(spans) > 50
    for end_ns in [until for _, until in spans]:
        used = sum(max(0, min(b, end_ns) - max(a, end_ns - DUTY_WINDOW_NS)) for a, b in spans)
        assert used <= DUTY_WINDOW_NS // 2
    most = max(sum(max(0, min(b, e) - max(a, e - DUTY_WINDOW_NS)) for a, b in spans) for _, e in spans)
    assert most > 270 * SECOND  # and the limit is really met


def test_g32_duty_reserves_the_longest_burst():
    assert max(cap.on_ms for cap in CAPS.values()) * MS + LEASE_MAX_NS == LONGEST_BURST_NS
    dose = Dose()
    room_ns = DUTY_NS_MAX - LONGEST_BURST_NS
    assert dose.end(0, 10 * SECOND) == 10 * SECOND
    assert dose.spent_until_ns == 0
    dose.end(20 * SECOND, 20 * SECOND + room_ns - 10 * SECOND)
    assert dose.spent_until_ns == 0  # exactly full
    now_ns = 400 * SECOND
    dose.end(now_ns, now_ns + 12 * SECOND)
    # 12 s too much: all of the first burst (10 s) and 2 s of the second must leave the window.
    assert dose.spent_until_ns == 20 * SECOND + 2 * SECOND + DUTY_WINDOW_NS
    dose.end(700 * SECOND, 700 * SECOND)
    assert dose.spans[0] == (100 * SECOND, 20 * SECOND + room_ns - 10 * SECOND)  # what left is gone
    assert Dose().end(5, 3) == 0  # a clock that ran backwards adds nothing


def test_g33_identified(bed):
    rig = bed.rig()
    rig.guard._memory.identified = {2}
    answer = rig.deliver(bed.pulse(channel=1))
    assert (answer.rule, answer.latches) == ("G33", True)
    rig = bed.rig()
    rig.guard._memory.identified = {2}
    assert rig.verdict(bed.pulse(channel=2), bed.pulse(0, channel=1)) == ""  # a channel without current needs none
    rig.wait(20)
    assert rig.verdict(bed.pulse(channel=2), bed.pulse(channel=1)) == "G33"
    rig = bed.fitting()
    rig.guard._memory.identified = set()
    rig.press()
    assert rig.verdict(bed.pulse(500)) == ""  # fitting is where it is found out


def identifies(rig, channel=1, patient="P-001", date="2026-01-05"):
    refused = rig.guard.identify(channel, patient, date)
    assert refused is None or not refused.latches
    return "" if refused is None else refused.rule


def test_g33_identified_by_a_pulse_and_a_person(bed):
    rig = bed.fitting()
    rig.guard._memory.identified = set()
    assert identifies(rig) == "P09"  # no pulse yet
    rig.press()
    assert rig.verdict(bed.pulse(500)) == ""
    assert identifies(rig, 2) == "P09"  # that channel had none
    for wrong in ({"channel": 6}, {"channel": True}, {"channel": None}, {"patient": "P-002"}, {"date": "2026-01-06"}):
        assert identifies(rig, **wrong) == "P08"
    assert identifies(rig) == ""
    assert rig.guard.identified == (1,)
    rig.guard.arm(ArmScope.FITTING, rig.now_ns)
    assert rig.guard.identified == (1,)
    assert identifies(rig) == "P09"  # armed anew: a pulse of this arming is needed
    rig.guard.disarm(rig.now_ns)
    assert identifies(rig) == "P09"
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    assert identifies(rig) == "P09"


def test_g33_identified_is_forgotten(bed):
    def known(channels=(1, 2)):
        rig = bed.rig()
        rig.guard._memory.identified = set(channels)
        rig.guard.disarm(rig.now_ns)
        return rig.guard

    def prescribe(guard, channel=1, region=bed.region, pad=2500, patient="P-001", date="2026-01-05"):
        assert guard.prescribe(channel, region, pad, 0, 0, patient, date, armed=False) is None

    guard = known()
    prescribe(guard)
    assert guard.identified == (1, 2)  # the same pad on the same channel: still true
    prescribe(guard, pad=1600)
    assert guard.identified == (2,)
    prescribe(guard, 2, region="hand" if bed.region != "hand" else "thigh")
    assert guard.identified == ()
    for other in ({"patient": "P-002"}, {"date": "2026-01-06"}):
        guard = known()
        prescribe(guard, **other)
        assert guard.identified == ()
    guard = known()
    guard.meet("SIM0P24001")
    guard._memory.identified = {1, 2}
    guard.meet("SIM0P24001")
    assert guard.identified == (1, 2)
    guard.meet("SIM0P24002")
    assert guard.identified == ()  # another unit: the leads were moved


def test_g34_position(bed):
    rig = bed.rig()
    rig.guard.disarm(rig.now_ns)
    rig.guard._memory.needed = None
    assert rig.guard.position_fault == "The protocol has not said which position it is made for."
    for needed, placed, harness, rule in (
        ("seated", "seated", False, ""),
        ("seated", "seated", True, ""),
        ("lying", "lying", False, ""),
        ("standing", "standing", True, ""),
        ("standing", "standing", False, "G34"),
        ("seated", "standing", True, "G34"),
        ("seated", "lying", False, "G34"),
        ("lying", "seated", False, "G34"),
        ("standing", "seated", True, "G34"),
    ):
        rig = bed.rig()
        rig.guard.disarm(rig.now_ns)
        bed.seat(rig.guard, placed, harness)
        assert rig.guard.need(needed) is None
        assert bool(rig.guard.position_fault) is bool(rule)
        rig.guard.arm(ArmScope.SESSION, rig.now_ns)
        answer = rig.deliver(bed.pulse())
        assert bed.rule_of(answer) == rule, (needed, placed, harness)
        assert rule == "" or answer.latches
        assert rig.verdict() == ""
    for missing in ("needed", "placed"):
        rig = bed.rig()
        setattr(rig.guard._memory, missing, None)
        assert rig.verdict(bed.pulse()) == "G34"
    rig = bed.fitting()
    rig.guard._memory.placed = None
    rig.press()
    assert rig.verdict(bed.pulse(500)) == ""  # low steps of fitting, one channel, a person's hand on the key


def test_g34_position_counts_for_one_patient_and_day(bed):
    rig = bed.rig()
    rig.guard.disarm(rig.now_ns)
    guard = rig.guard
    assert (guard.placed.patient, guard.position_fault) == ("P-001", "")
    bed.seat(guard, patient="P-002")
    unknown = "The patient's position has not been confirmed today."
    assert guard.position_fault == unknown  # said of somebody who is not prescribed (yet)
    assert guard.placed.patient == "P-002"
    assert guard.prescribe(1, bed.region, 2500, 0, 0, "P-002", "2026-01-05", armed=False) is None
    assert guard.position_fault == ""
    assert guard.prescribe(1, bed.region, 2500, 0, 0, "P-002", "2026-01-06", armed=False) is None
    assert guard.position_fault == unknown


def test_g34_position_is_said_while_disarmed(bed):
    rig = bed.rig()
    assert rig.guard.place("seated", False, "P-001", "2026-01-05", armed=False).rule == "P06"  # the guard knows better
    assert rig.guard.need("lying").rule == "C06"
    assert rig.guard.need("seated") is None
    rig.guard.disarm(rig.now_ns)
    assert rig.guard.place("seated", False, "P-001", "2026-01-05", armed=True).rule == "P06"
    for position, harness in (("sitting", False), ("", False), (None, False), ("seated", 1), ("seated", None)):
        assert rig.guard.place(position, harness, "P-001", "2026-01-05", armed=False).rule == "P07"
    for position in ("sitting", "", None, True):
        assert rig.guard.need(position).rule == "C05"
    assert rig.guard.need("lying") is None
    assert rig.guard.position_fault.startswith("The protocol is made for a patient who is lying")


def test_j20_position(joint):
    def placed(needed, position, harness):
        rig = joint()
        rig.guard.disarm(rig.now_ns)
        assert rig.guard.place(position, harness, "P-001", "2026-01-05", armed=False) is None
        assert rig.guard.need(needed) is None
        rig.guard.arm(ArmScope.SESSION, rig.now_ns)
        return rig

    ankle = "J20" if joint().region == "ankle" else ""
    for needed, position, harness, rule in (
        ("seated", "seated", False, ""),
        ("lying", "lying", False, ankle),
        ("standing", "standing", True, ankle),
        ("standing", "standing", False, "J20"),
        ("seated", "standing", True, "J20"),
    ):
        for order in ("assist", "hold"):
            answer = getattr(placed(needed, position, harness), order)()
            assert getattr(answer, "rule", "") == rule, (needed, position)
            assert rule == "" or answer.latches
    for missing in ("needed", "placed"):
        rig = joint()
        setattr(rig.guard._memory, missing, None)
        assert rig.assists() == "J20"
    assert [region for region, cap in JOINT_CAPS.items() if cap.seated_only] == ["ankle"]


def test_j20_position_of_a_patient_with_an_orthosis_and_no_channel(joint):
    rig = joint()
    rig.guard.disarm(rig.now_ns)
    assert rig.prescribe(patient="P-009") == ""  # the channels of the patient before are forgotten
    assert rig.guard.place("seated", False, "P-009", "2026-01-05", armed=False) is None
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    assert rig.assists() == ""


def test_j20_position_that_was_confirmed_before_the_joint_was_prescribed(joint):
    rig = joint()
    rig.guard.disarm(rig.now_ns)
    assert rig.guard.place("seated", False, "P-009", "2026-01-05", armed=False) is None
    assert rig.guard.position_fault != ""  # of another patient
    assert rig.prescribe(patient="P-009") == ""
    assert rig.guard.position_fault == ""
    assert rig.prescribe() == ""
    assert rig.guard.position_fault != ""


def test_j21_gap(joint):
    for gap_ms, rule in ((500, "J15"), (501, "J21")):
        for order in ("assist", "hold"):
            rig = joint()
            assert rig.assists() == ""
            rig.wait(gap_ms)
            answer = getattr(rig, order)()
            assert (answer.rule, answer.latches) == (rule, rule == "J21")
            assert not rig.guard.moving
    rig = joint()
    assert rig.assists() == ""
    rig.guard.off_joint(rig.now_ns)
    rig.wait(60_000)
    assert rig.assists() == ""
    # One clock for both: looks for the sake of current count, and so does a gap.
    rig = joint()
    assert rig.deliver() == ""
    assert rig.assists() == ""
    rig.wait(501)
    assert rig.deliver() == "G29"


def test_j22_movements_a_minute(joint):
    rig = joint()
    crowd = rig.crowd
    first_ns = rig.now_ns
    for _ in range(20):
        assert rig.assists() == ""
        rig.guard.off_joint(rig.now_ns)
        rig.now_ns = rig.guard.joint_rest_until_ns
        rig.stand(rig.angle_cdeg)
    assert rig.now_ns == first_ns + MINUTE
    rig.now_ns -= 1
    rig.stand(rig.angle_cdeg)
    answer = rig.assist()
    assert (answer.rule, answer.latches) == ("J22", False)
    rig.now_ns += 1
    rig.stand(rig.angle_cdeg)
    assert rig.assists() == ""
    assert rig.keep_on(40) == ""  # a movement that is on is not asked
    assert crowd >= 40  # the crowd of ten minutes is another rule's matter


def test_g35_one_purpose(bed):
    for first, then, rule in (
        (Purpose.ASSIST, Purpose.CYCLIC, "G35"),
        (Purpose.CYCLIC, Purpose.ASSIST, "G35"),
        (Purpose.ASSIST, Purpose.ASSIST, ""),
        (Purpose.CYCLIC, Purpose.CYCLIC, ""),
    ):
        rig = bed.rig()
        assert rig.verdict(bed.pulse(), purpose=first) == ""
        rig.wait(20)
        assert rig.verdict(bed.pulse(), purpose=then, sensor_ns=rig.now_ns if then is Purpose.ASSIST else 0) == rule
        assert rig.verdict() == ""
        rig.wait(6_000)
        assert rig.verdict(bed.pulse(), purpose=then) == ""  # another burst may
    rig = bed.fitting()
    rig.wait(6_000)
    rig.press()
    assert rig.verdict(bed.pulse(500), purpose=Purpose.IDENTIFY) == ""
    rig.wait(20)
    assert rig.verdict(bed.pulse(500), purpose=Purpose.TITRATE) == ""  # in fitting both need the same
