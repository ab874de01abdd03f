"""Is it the movement that was asked for: its axis, its direction, and whether it goes one way at all."""

from math import cos, pi, radians, sin

import pytest

from controller.motion.aftermath import Aftermath, WeakAttempts
from controller.motion.axis import MOVED_APART, NO_GRAVITY, WRONG_MOUNT, AxisStudy
from controller.motion.calibration import CalibrationRefused
from controller.motion.delay import DelayWatch
from controller.motion.detector import AttemptDetector
from controller.motion.features import FeatureFilter
from controller.motion.gate import AttemptGate
from controller.motion.oscillation import Alternation, ClonusWatch, RestTremor
from controller.motion.relative import RelativeMotion
from controller.motion.settings import AttemptSettings
from controller.vocabulary.events import AttemptStarted, AttemptVetoed, Veto
from controller.vocabulary.sample import STALE, Sample

pytestmark = pytest.mark.hazard("H06", "H08", "H09", "H10")

MS = 1_000_000
SECOND = 1_000 * MS
STEP = 10 * MS
UP = (0.0, 0.0, 1.0)


def study_of(*strokes, acc_g=UP):
    """Each stroke is a mean rate about x, y, z (deg/s) for 0.4 s, then the way back at half the speed."""
    study = AxisStudy()
    for _ in range(50):
        study.rest(acc_g)
    study.start_attempts()
    t_ns = SECOND
    for stroke in strokes:
        for share, n in ((0.0, 10), (1.0, 40), (-0.5, 80), (0.0, 10)):
            for _ in range(n):
                t_ns += STEP
                study.attempt(t_ns, tuple(share * part for part in stroke), moving=share != 0.0)
    return study


@pytest.mark.parametrize("sign", [1, -1])
def test_the_attempts_say_which_way_is_asked_for(sign):
    study = study_of(*[(3.0 * k, sign * 40.0, 2.0) for k in (-1, 0, 1, 1)])
    assert study.conclude() is None
    assert study.axis.mount_sign == sign
    assert sign * study.axis.y > 0.98
    assert study.axis.share > 0.95


@pytest.mark.parametrize(
    ("strokes", "reason"),
    [
        ([(40.0, 2.0, 0.0)] * 4, WRONG_MOUNT),  # strapped on turned by 90 deg about z
        ([(0.0, 2.0, 40.0)] * 4, WRONG_MOUNT),
        ([(30.0, 30.0, 0.0)] * 4, WRONG_MOUNT),
        ([(0.0, 40.0, 0.0), (0.0, -40.0, 0.0)] * 2, MOVED_APART),
        ([(0.0, 40.0, 0.0), (40.0, 0.0, 0.0)] * 2, MOVED_APART),
        ([(0.0, 40.0, 0.0)] * 2, MOVED_APART),
        ([(0.0, 4.0, 0.0)] * 5, MOVED_APART),
    ],
)
def test_attempts_that_do_not_fit_the_puck_or_each_other_are_refused_in_words(strokes, reason):
    study = study_of(*strokes)
    refused = study.conclude()
    assert isinstance(refused, CalibrationRefused)
    assert refused.reason == reason
    assert study.axis is None
    assert refused.advice.endswith(".")


@pytest.mark.parametrize("acc_g", [(0.0, 0.0, 0.5), (0.0, 0.0, 1.4)])
def test_rest_without_gravity_is_no_rest(acc_g):
    assert study_of(*[(0.0, 40.0, 0.0)] * 4, acc_g=acc_g).conclude().reason == NO_GRAVITY


def test_a_puck_without_accelerometer_is_judged_by_its_turns_alone():
    assert study_of(*[(0.0, 40.0, 0.0)] * 4, acc_g=None).conclude() is None


class Limb:
    """Rates of a limb at 100 Hz, through the feature filter, the gate and the detector."""

    def __init__(self, **settings):
        settings = AttemptSettings(**settings)
        self.filter = FeatureFilter(settings, 100.0)
        self.gate = AttemptGate(settings)
        self.detector = AttemptDetector(settings, 10.0, "hand", self.gate)
        self.t_ns = 0
        self.events = []
        self.detector.arm(0)
        self.run(lambda s: (0.0, 0.0, 0.0), 2.0)

    def run(self, rates, seconds):
        for k in range(round(seconds * 100)):
            self.t_ns += STEP
            noise = 0.01 * (k % 7 - 3)
            x, y, z = rates(k / 100)
            feature = self.filter.step(Sample("hand", self.t_ns, (x + noise, y - noise, z + noise), UP))
            self.gate.see(feature.t_ns, self.filter.rates_dps)
            self.events += self.detector.step(feature)
        return self

    def kinds(self):
        return [e.why if isinstance(e, AttemptVetoed) else type(e) for e in self.events]


def still(_s):
    return (0.0, 0.0, 0.0)


def reach(axis, peak_dps, lasts_s=1.0):
    def rates(s):
        speed = peak_dps * sin(pi * s / lasts_s) if s <= lasts_s else 0.0
        return tuple(speed * part for part in axis)

    return rates


def shake(hz, amplitude_deg):
    peak_dps = 2 * pi * hz * amplitude_deg
    return lambda s: (0.0, peak_dps * sin(2 * pi * hz * s), 0.0)


LEARNED = study_of(*[(0.0, 40.0, 0.0)] * 4)
LEARNED.conclude()
EXTENSION = (0.0, 1.0, 0.0)
FLEXION = (0.0, -1.0, 0.0)
SKEWED = (0.0, cos(radians(40)), sin(radians(40)))
PRONATION = (0.98, 0.2, 0.0)


@pytest.mark.parametrize(
    ("way", "found"),
    [
        (EXTENSION, AttemptStarted),
        (SKEWED, AttemptStarted),
        (FLEXION, Veto.DIRECTION),
        (PRONATION, Veto.OFF_AXIS),
    ],
)
@pytest.mark.parametrize("peak_dps", [20.0, 60.0, 200.0])
def test_only_a_movement_the_asked_way_is_an_attempt(way, found, peak_dps):
    limb = Limb(direction="extension")
    limb.gate.axis = LEARNED.axis
    assert limb.run(reach(way, peak_dps), 1.5).kinds() == [found]


def test_a_flexion_that_swings_back_is_not_taken_for_an_extension():
    limb = Limb(direction="extension")
    limb.gate.axis = LEARNED.axis
    limb.run(reach(FLEXION, 100.0, 0.6), 0.6).run(reach(EXTENSION, 80.0, 0.6), 1.0)
    assert limb.kinds() == [Veto.DIRECTION]


def test_without_a_direction_every_way_counts():
    assert Limb().run(reach(FLEXION, 60.0), 1.5).kinds() == [AttemptStarted]


@pytest.mark.parametrize(("hz", "deg"), [(3.8, 12.0), (5.0, 5.0), (6.0, 2.0), (9.0, 0.6)])
def test_tremor_triggers_without_its_gate_and_never_with_it(hz, deg):
    assert hz > 8.0 or AttemptStarted in Limb().run(shake(hz, deg), 3.0).kinds()  # faster waves end before the dwell
    gated = Limb(tremor_gate="on")
    for _ in range(4):
        gated.run(shake(hz, deg), 3.0).run(still, 1.5)
    assert AttemptStarted not in gated.kinds()


def test_a_slow_swing_to_and_fro_is_vetoed_from_its_third_peak_on():
    limb = Limb(tremor_gate="on", quiet_before_ns=0, refractory_ns=0, quiet_below_dps=60.0)
    limb.run(shake(1.6, 12.0), 3.0)
    assert Veto.TREMOR in limb.kinds()
    assert limb.kinds().count(AttemptStarted) <= 2  # of a slow swing the first waves cannot be known for ones


def test_the_tremor_gate_lets_a_reach_pass_and_costs_little():
    plain, gated = (Limb(**settings).run(reach(EXTENSION, 60.0), 1.5) for settings in ({}, {"tremor_gate": "on"}))
    assert gated.kinds() == [AttemptStarted]
    assert gated.events[0].t_ns - plain.events[0].t_ns == 130 * MS


def test_the_gate_that_waits_to_see_tremor_is_off_until_then():
    limb = Limb(tremor_gate="auto")
    assert AttemptStarted in limb.run(shake(5.0, 5.0), 1.0).kinds()
    limb.gate.tremulous = True
    limb.events = []
    assert AttemptStarted not in limb.run(still, 3.0).run(shake(5.0, 5.0), 2.0).kinds()


def test_alternation_counts_large_peaks_only():
    alternation = Alternation(8.0)
    for k in range(300):
        alternation.step(k * STEP, (0.0, 6.0 * sin(2 * pi * 5 * k / 100), 0.0))
        assert not alternation.alternates(k * STEP)
    seen = []
    for k in range(300, 400):
        alternation.step(k * STEP, (0.0, 20.0 * sin(2 * pi * 5 * k / 100), 0.0))
        seen.append(alternation.alternates(k * STEP))
    assert 0 < seen.index(True) <= 30
    assert all(seen[30:])


def clonus(rates, seconds=3.0, rate_hz=100.0):
    watch = ClonusWatch(rate_hz)
    told = []
    for k in range(round(seconds * rate_hz)):
        t_ns = round(k / rate_hz * SECOND)
        if watch.step(t_ns, rates(k / rate_hz), rate_hz):
            told.append(k / rate_hz)
    return told


@pytest.mark.parametrize("rate_hz", [60.0, 100.0, 200.0])
@pytest.mark.parametrize("hz", [5.0, 6.0, 7.0, 8.0])
def test_clonus_is_told_once_within_a_second(hz, rate_hz):
    [at_s] = clonus(shake(hz, 5.0), rate_hz=rate_hz)
    assert 0.6 <= at_s <= 1.2


@pytest.mark.parametrize(
    "rates",
    [
        shake(3.8, 12.0),  # Holmes tremor
        shake(9.5, 3.0),
        shake(6.0, 0.4),  # too small to matter
        shake(1.0, 40.0),
        reach(EXTENSION, 300.0, 0.5),
        lambda s: (0.0, 400.0 * pow(2.718, -4 * s) * sin(2 * pi * 2.2 * s), 0.0),  # the swing of a released hand
        lambda s: (0.0, 30.0 + 6.0 * sin(2 * pi * 6 * s), 0.0),
        lambda s: (0.0, 300.0 * pow(2.718, -1.5 * s) * sin(2 * pi * 6 * s), 0.0),  # a stiff one, that swings for long
    ],
)
def test_other_movements_are_no_clonus(rates):
    assert clonus(rates) == []


def test_a_limb_that_was_let_go_swings_but_has_no_tremor():
    tremor = RestTremor()
    assert not any(tremor.step(k * STEP, k < 290) for k in range(600))
    assert not tremor.step(6 * SECOND, True)
    assert not tremor.step(9 * SECOND - 1, True)
    assert tremor.step(9 * SECOND, True)
    assert not tremor.step(9 * SECOND + STEP, False)
    assert not tremor.step(9 * SECOND + 2 * STEP, True)


def jerks(speed_at):
    aftermath = Aftermath()
    aftermath.ended(0)
    found = [aftermath.step(k * STEP, speed_at(k / 100)) for k in range(300)]
    return [event for event in found if event is not None]


def bump(s, at_s, peak, lasts_s=0.3):
    return peak * sin(pi * (s - at_s) / lasts_s) if at_s <= s <= at_s + lasts_s else 0.0


def test_a_jerk_after_the_way_back_may_be_a_spasm():
    [event] = jerks(lambda s: bump(s, 0.0, 90.0) + bump(s, 0.5, 150.0))
    assert event.peak_dps == pytest.approx(150.0, rel=0.02)
    assert event.after_off_ns == pytest.approx(650 * MS, abs=20 * MS)


@pytest.mark.parametrize(
    "speed_at",
    [
        lambda s: bump(s, 0.0, 400.0),
        lambda s: 411.0 * pow(2.718, -3.0 * s) * abs(sin(2 * pi * 2.2 * s)),  # an underdamped swing that decays
        lambda s: bump(s, 0.0, 20.0) + bump(s, 0.6, 40.0),
        lambda s: 0.0,
    ],
)
def test_the_limbs_own_way_back_is_no_spasm(speed_at):
    assert jerks(speed_at) == []


def test_a_weak_attempt_is_told_with_its_peak():
    weak = WeakAttempts(50 * MS, 5.0)
    events = [weak.step(k * STEP, bump(k / 100, 0.5, 11.0, 1.0), True, 15.0) for k in range(300)]
    [event] = [event for event in events if event]
    assert (round(event.peak), event.threshold) == (11, 15.0)
    assert not any(weak.step(k * STEP, bump(k / 100, 0.5, 11.0, 1.0), False, 15.0) for k in range(300))
    assert not any(weak.step(k * STEP, bump(k / 100, 0.5, 40.0, 1.0), True, 15.0) for k in range(100))


def turn(deg, axis=1):
    half = radians(deg) / 2
    q = [cos(half), 0.0, 0.0, 0.0]
    q[1 + axis] = sin(half)
    return tuple(q)


def test_an_arm_that_is_carried_does_not_move_the_hand_against_it():
    relative = RelativeMotion(100 * MS)
    for deg in range(0, 90, 3):
        t_ns = deg * MS
        # the forearm and the hand turn together about the vertical, the hand bent by 30 deg
        arm, hand = turn(deg, 2), multiply(turn(deg, 2), turn(30.0))
        relative.second(Sample("arm", t_ns, (0.0, 0.0, 60.0), UP, arm))
        seen_by_hand = (-60.0 * sin(radians(30)), 0.0, 60.0 * cos(radians(30)))
        sample = relative.first(Sample("hand", t_ns, seen_by_hand, UP, hand))
        assert max(map(abs, sample.gyro_dps)) < 1e-9
        assert sample.quaternion == pytest.approx(turn(30.0))
        assert not sample.flags & STALE


def multiply(p, q):
    a, b, c, d = p
    w, x, y, z = q
    return (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )


def test_both_pucks_are_fresh_or_nothing_is_known():
    hand = Sample("hand", 200 * MS, (0.0, 50.0, 0.0), UP, turn(0.0))
    arm = Sample("arm", 150 * MS, (0.0, 0.0, 0.0), UP, turn(0.0))
    relative = RelativeMotion(100 * MS)
    assert relative.first(hand).flags & STALE
    relative.second(arm)
    assert relative.first(hand).gyro_dps == (0.0, 50.0, 0.0)
    assert relative.first(hand._replace(t_ns=251 * MS)).flags & STALE
    assert relative.first(hand._replace(quaternion=None)).flags & STALE
    for bad in ({"quaternion": None}, {"flags": arm.flags | STALE}, {"flags": 0}, {"quaternion": (0.0, 0.0, 0.0, 0.0)}):
        relative.second(arm._replace(**bad))
        assert relative.first(hand).flags & STALE


def test_a_queue_that_empties_at_once_is_late_by_the_pucks_clock():
    watch = DelayWatch()
    for k in range(500):
        assert watch.late_ns(k * STEP + 3 * MS, k * 10_000) <= 0
    late = [watch.late_ns(5_400 * MS, 5_000_000 + k * 10_000) for k in range(40)]
    assert late[0] == pytest.approx(397 * MS)
    assert sum(1 for age in late if age > 100 * MS) == 30
    assert watch.late_ns(5_413 * MS, 5_400_000) == pytest.approx(10 * MS)


def test_two_clocks_that_drift_apart_are_never_late():
    watch = DelayWatch()
    for k in range(60_000):  # ten minutes at 200 ppm, both ways
        assert watch.late_ns(round(k * STEP * 1.0002), k * 10_000) < 5 * MS
    watch = DelayWatch()
    for k in range(60_000):
        assert watch.late_ns(round(k * STEP * 0.9998), k * 10_000) < 5 * MS


def test_a_clock_that_begins_anew_is_a_new_clock():
    watch = DelayWatch()
    watch.late_ns(SECOND, 900_000_000)
    assert watch.late_ns(2 * SECOND, 0) == 0
