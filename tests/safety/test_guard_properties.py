"""What must hold for every sequence of orders, judged by a checker that knows the proposed caps and not the code."""

from copy import deepcopy
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safety.orders import Admitted, ArmScope, Purpose
from safety.stimulus import Point, Train, biphasic

pytestmark = pytest.mark.hazard("H20", "H27", "H32")

REGIONS = ("hand", "forearm", "upper_arm", "lower_leg", "thigh")
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Skin:
    """Watches admitted trains as they would reach the skin. Its figures are its own (mA, us, uC, s, cm2)."""

    def __init__(self, proposed, ceiling_ua, pad_mm2):
        self.milliamps, self.width_us, self.microcoulombs, self.seconds = proposed
        self.ceiling_ua, self.pad_cm2 = ceiling_ua, pad_mm2 / 100
        self.history = []  # (t_ns, {channel: uA}), as of then
        self.on_since = self.rest_until = None

    def off(self, t_ns):
        if self.on_since is not None:
            on_s = (t_ns - self.on_since) / 1e9
            assert on_s <= self.seconds + 0.12 + 1e-9
            self.rest_until = t_ns + int(max(on_s / 2, 2.0) * 1e9) - 2
            self.on_since = None
        self.history.append((t_ns, {}))

    def deliver(self, t_ns, trains):
        carrying = {train.channel: train for train in trains if train.amplitude_ua}
        if self.on_since is None:
            assert self.rest_until is None or t_ns >= self.rest_until
            self.on_since = t_ns
        assert 1 <= len(carrying) <= 4
        assert len({train.channel for train in trains}) == len(trains)
        for train in carrying.values():
            self._pulse(train)
            lowest = self._lowest(t_ns, train.channel)
            assert train.amplitude_ua - lowest <= 2000
        self.history.append((t_ns, {channel: train.amplitude_ua for channel, train in carrying.items()}))

    def _pulse(self, train):
        currents = [current for _, current in train.points]
        assert max(map(abs, currents)) <= min(self.milliamps * 1000, self.ceiling_ua)
        assert all(current % 500 == 0 for current in currents)
        assert sum(duration * current for duration, current in train.points) == 0
        assert train.period_us >= 20_000
        assert train.period_us % 500 == 0
        for sign in (1, -1):
            run_us = run_pc = 0
            for duration, current in train.points:
                run_us, run_pc = (run_us + duration, run_pc + duration * abs(current)) if current * sign > 0 else (0, 0)
                assert run_us <= self.width_us
                assert run_pc <= self.microcoulombs * 1e6
        rms_ma = (sum(duration * (current / 1000) ** 2 for duration, current in train.points) / train.period_us) ** 0.5
        assert rms_ma / self.pad_cm2 <= 1.0 + 1e-12
        assert (rms_ma / 1000) ** 2 * 500 / (self.pad_cm2 / 2) <= 0.1

    def _lowest(self, t_ns, channel):
        lowest, until = None, t_ns
        for since, currents in reversed(self.history):
            if until <= t_ns - 20_000_000:
                break
            amount = currents.get(channel, 0)
            lowest = amount if lowest is None else min(lowest, amount)
            until = since
        return 0 if lowest is None else lowest


AMOUNTS = st.one_of(st.integers(0, 8).map(lambda steps: 500 * steps), st.integers(-1, 220).map(lambda n: 500 * n))


@st.composite
def trains(draw):
    channel, ua = draw(st.integers(0, 6)), draw(AMOUNTS)
    width_us = draw(st.sampled_from([9, 10, 100, 250, 300, 350, 351, 400, 450, 500]))
    period_us = draw(st.sampled_from([19_500, 20_000, 20_250, 29_000, 50_000]))
    shape = draw(st.integers(0, 5))
    if shape == 0:
        points = (Point(width_us, ua), Point(width_us, -ua), Point(width_us, ua), Point(width_us, -ua))
        return Train(channel, points, period_us)
    if shape == 1:
        return Train(channel, (Point(width_us, ua), Point(2 * width_us, -ua)), period_us)
    return biphasic(channel, ua, width_us, 100, period_us)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deliver", "deliver", "rise", "rise", "renew", "renew", "off", "rest", "stale"]),
        st.lists(trains(), min_size=1, max_size=3),
        st.sampled_from([0, 1, 10, 19, 20, 21, 60, 120, 121]),
    ),
    max_size=60,
)


@pytest.mark.parametrize("region", REGIONS)
@QUICK
@given(steps=STEPS, ceiling=st.integers(1, 200), pad_mm2=st.sampled_from([100, 400, 2500, 30_000]))
def test_no_sequence_puts_more_on_the_skin_than_the_caps(kit, region, steps, ceiling, pad_mm2):
    ceiling_ua = min(500 * ceiling, kit.PROPOSED[region][0] * 1000)
    rig = kit.Rig(region, ceiling_ua=ceiling_ua, pad_mm2=pad_mm2)
    skin = Skin(kit.PROPOSED[region], ceiling_ua, pad_mm2)
    lease_end, held, last_seq = None, 0, -1
    for kind, wished, gap_ms in steps:
        rig.wait(gap_ms)
        if lease_end is not None and rig.now_ns > lease_end:
            skin.off(rig.now_ns)
            rig.guard.off(rig.now_ns)
            lease_end = None
        if kind == "rest":
            rig.now_ns = max(rig.now_ns, rig.guard.rest_until_ns)
        if kind == "off":
            answer = rig.deliver()
            assert isinstance(answer, Admitted)
        elif kind == "renew":
            answer = rig.renew()
        elif kind == "stale":
            answer = rig.deliver(*wished, seq=rig.seq)
        else:
            if kind == "rise":
                held = held + 1000 if rig.guard.delivering else 1000
                wished = [kit.pulse(held, 1, 100)]
            answer = rig.deliver(*wished)
        last_seq = _judge(skin, answer, rig, last_seq)
        on = isinstance(answer, Admitted) and rig.guard.delivering
        lease_end = answer.expires_ns if on else None


def _judge(skin, answer, rig, last_seq):
    if not isinstance(answer, Admitted):
        skin.off(rig.now_ns)
        assert not rig.guard.delivering
        return last_seq
    if any(train.amplitude_ua for train in answer.trains):
        assert answer.order.seq > last_seq
        skin.deliver(rig.now_ns, answer.trains)
    elif answer.trains or not hasattr(answer.order, "sensor_ns") or not rig.guard.delivering:
        skin.off(rig.now_ns)
    return max(last_seq, answer.order.seq)


@QUICK
@given(wished=st.lists(trains(), min_size=1, max_size=3), to_ua=st.integers(2, 12), lower=st.data())
def test_what_is_admitted_is_admitted_with_less_current(kit, wished, to_ua, lower):
    rig = kit.Rig("forearm", ceiling_ua=20_000)
    assert rig.ramp(1000 * to_ua) == ""
    rig.wait(20)
    twin = deepcopy(rig)
    if rig.verdict(*wished) == "":
        gentler = []
        for train in wished:
            factor = lower.draw(st.integers(0, abs(train.points[0].current_ua) // 500))
            sign = -1 if train.points[0].current_ua < 0 else 1
            smaller = [
                Point(duration, sign * factor * 500 * (1 if current * sign > 0 else -1) if current else 0)
                for duration, current in train.points
            ]
            gentler.append(train._replace(points=tuple(smaller)))
        assert twin.verdict(*gentler) == ""


@QUICK
@given(steps=STEPS, junk=st.one_of(st.none(), st.integers(), st.floats()))
def test_off_is_admitted_in_any_state(kit, steps, junk):
    rig = kit.Rig()
    for _, wished, gap_ms in steps[:10]:
        rig.wait(gap_ms)
        rig.deliver(*wished)
    closed = kit.GOOD._replace(unit_ready=False, latched=True, time_ok=False)
    answer = rig.deliver(kit.pulse(0), conditions=closed, seq=junk, stamp_ns=junk, expires_ns=junk, sensor_ns=junk)
    assert isinstance(answer, Admitted)
    assert not rig.guard.delivering


@QUICK
@given(
    steps=st.lists(
        st.tuples(st.booleans(), st.integers(0, 40), st.sampled_from([20, 100, 299, 300, 310, 2000])), max_size=60
    ),
    motor_ua=st.sampled_from([0, 2000, 5000]),
)
def test_fitting_rises_one_step_a_press_and_no_faster(kit, steps, motor_ua):
    rig = kit.Rig(scope=ArmScope.FITTING, ceiling_ua=0, motor_ua=motor_ua)
    level_ua, presses, peak_ua, rises = 0, 0, 0, []
    for pressed, halves, gap_ms in steps:
        rig.wait(gap_ms)
        if pressed:
            rig.press()
            presses += 1
        answer = rig.deliver(kit.pulse(500 * halves, 1, 100), purpose=Purpose.TITRATE)
        if isinstance(answer, Admitted) and 500 * halves > peak_ua:
            peak_ua = 500 * halves
            rises.append((rig.now_ns, rig.number, peak_ua - level_ua))
            step_ua = 1000 if 0 < motor_ua <= level_ua else 500
            assert peak_ua - level_ua <= step_ua
            level_ua = peak_ua
    assert peak_ua <= 1000 * presses
    for (before_ns, before_press, _), (then_ns, then_press, _) in pairwise(rises):
        assert then_press > before_press or then_ns - before_ns < 300 * kit.MS
        assert then_press == before_press or then_ns - before_ns >= 300 * kit.MS


def test_same_orders_same_answers(kit):
    def run():
        rig = kit.Rig()
        answers = [rig.ramp(9000), rig.keep_on(300), rig.verdict(kit.pulse(12_000)), rig.verdict()]
        return answers, rig.guard.rest_until_ns

    assert run() == run()
