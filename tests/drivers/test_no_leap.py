"""However late a unit hears or answers: at its skin no channel rises by more than a step at a time."""

import random
from collections import deque
from functools import partial

import pytest

from controller.drivers.stimulators.ladder import FOREVER, Ladder
from controller.drivers.stimulators.p24 import P24, P24_LIMITS
from controller.drivers.stimulators.p24_low import P24_LOW
from controller.drivers.stimulators.rehamove3 import REHAMOVE3
from controller.drivers.stimulators.rehastim2 import REHASTIM2, REHASTIM2_LIMITS
from safety.limits import SLEW_UA_MAX, SLEW_WINDOW_NS
from safety.orders import Admitted, Deliver, Purpose, Token
from safety.stimulus import biphasic
from sim.devices.p24 import P24Twin
from sim.devices.rehamove3 import RehaMove3Twin
from sim.devices.rehastim2 import RehaStim2Twin

pytestmark = pytest.mark.hazard("H27")
MS = 1_000_000
T0 = 1_000_000_000
KINDS = {
    "p24": (P24, P24Twin),
    "p24-low": (P24_LOW, P24Twin),
    "rehamove3": (REHAMOVE3, RehaMove3Twin),
    "rehastim2": (REHASTIM2, RehaStim2Twin),
}
TOKEN = Token()


class Line:
    """One way of a cable: what is written arrives `late_ms` later, and never before what was written earlier."""

    def __init__(self, late_ms):
        self.late_ms = late_ms
        self.on_the_way = deque()
        self.due_ms = 0

    def write(self, now_ms, data):
        if data:
            self.due_ms = max(self.due_ms, now_ms + self.late_ms(now_ms))
            self.on_the_way.append((self.due_ms, data))

    def read(self, now_ms):
        found = b""
        while self.on_the_way and self.on_the_way[0][0] <= now_ms:
            found += self.on_the_way.popleft()[1]
        return found


class Bench:
    """A driver and the twin of its unit, ms by ms. `levels` is what each change of the twin's output was."""

    def __init__(self, kind, there, back):
        unit, twin = KINDS[kind]
        self.driver, self.log = unit.driver(), []
        self.twin = twin(log=self.log.append)
        self.there, self.back = Line(there), Line(back)
        self.ms = 0
        self.levels = []
        self.there.write(0, self.driver.start(T0))
        while not self.driver.ready:
            self.step()
            assert self.ms < 5_000, "the unit never got ready"

    def step(self, *trains, orders=False):
        now_ns = T0 + self.ms * MS
        if orders:
            order = Deliver(self.ms, now_ns, now_ns + 120 * MS, Purpose.ASSIST, trains)
            self.there.write(self.ms, self.driver.deliver(Admitted(TOKEN, self.ms, now_ns, order), now_ns))
        self.back.write(self.ms, self.twin.feed(now_ns, self.there.read(self.ms)))
        self.driver.feed(now_ns, self.back.read(self.ms))
        data, _ = self.driver.poll(now_ns, True)
        self.there.write(self.ms, data)
        level = {channel: ua for channel, ua, _, _ in self.twin.drive()}
        if not self.levels or self.levels[-1][1] != level:
            self.levels.append((self.ms, level))
        self.ms += 1


def leaps(levels, step_ua):
    """Rises of more than a step over the lowest of the last 20 ms."""
    found = []
    for at, (ms, level) in enumerate(levels):
        for channel, ua in level.items():
            lowest, until = None, ms
            for since, before in reversed(levels[:at]):
                if until <= ms - 20:
                    break
                amount = before.get(channel, 0)
                lowest = amount if lowest is None else min(lowest, amount)
                until = since
            if ua - (lowest or 0) > step_ua:
                found.append((ms, channel, lowest, ua))
    return found


def ordered(bench, chance, seconds, grid_ua):
    """What a guard admits at most: 2 mA more each 20 ms, falls at any time, on one channel or two; now and then off."""
    channels = [1]
    level = dict.fromkeys(channels, 0)
    period_us = 29_000
    for ms in range(seconds * 1_000):
        orders = ms % 20 == 0
        if orders:
            mood = chance.random()
            if mood < 0.02:
                level = dict.fromkeys(level, 0)
            for channel in level:
                step = grid_ua * round(chance.choice((2_000, 2_000, 2_000, 0, -2_000, -6_000)) / grid_ua)
                level[channel] = max(0, min(30_000, level[channel] + step))
        trains = [biphasic(channel, ua, 250, 100, period_us) for channel, ua in level.items() if ua]
        bench.step(*trains, orders=orders)


ANSWERS = {
    "at once": lambda ms: 0,
    "10 ms late": lambda ms: 10,
    "30 ms late": lambda ms: 30,
    "90 ms late": lambda ms: 90,
    "in bunches": lambda ms: 80 - ms % 80,
}


@pytest.mark.parametrize("late", [name for name in ANSWERS if name != "at once"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "p24-low"])
def test_a_unit_that_answers_late_makes_no_leap(kind, late):
    """The low level paces each pulse by itself: between two of them as many steps pass as time does."""
    for seed in range(3):
        bench = Bench(kind, ANSWERS["at once"], ANSWERS[late])
        ordered(bench, random.Random(seed), 3, 2_000 if kind == "rehastim2" else 500)
        assert len(bench.levels) > 5, "nothing flowed"
        assert leaps(bench.levels, SLEW_UA_MAX) == []


@pytest.mark.parametrize("late", ["10 ms late", "30 ms late", "in bunches"])
@pytest.mark.parametrize("kind", ["p24", "rehamove3", "rehastim2"])
def test_a_unit_that_hears_in_bunches_makes_at_most_two_steps_at_once(kind, late):
    """What is on its way when the driver finds out cannot be called back: it is one step, and the one before it."""
    for seed in range(3):
        bench = Bench(kind, ANSWERS[late], ANSWERS["at once"])
        ordered(bench, random.Random(seed), 3, 2_000 if kind == "rehastim2" else 500)
        assert len(bench.levels) > 5, "nothing flowed"
        assert leaps(bench.levels, 2 * SLEW_UA_MAX) == []


@pytest.mark.parametrize(("kind", "in_ms"), [("p24", 2_000), ("rehastim2", 3_000)])
def test_a_slow_unit_still_reaches_what_was_ordered(kind, in_ms):
    bench = Bench(kind, ANSWERS["at once"], ANSWERS["90 ms late"])
    for ms in range(in_ms):
        ua = min(20_000, 2_000 * (ms // 20 + 1))
        bench.step(biphasic(1, ua, 250, 100, 29_000), orders=ms % 20 == 0)
    assert bench.levels[-1][1] == {1: 20_000}
    assert len(bench.levels) >= 10


@pytest.mark.parametrize("kind", KINDS)
def test_falls_and_the_end_wait_for_no_rise(kind):
    bench = Bench(kind, ANSWERS["at once"], ANSWERS["90 ms late"])
    for ms in range(400):
        bench.step(biphasic(1, 2_000 * (ms // 20 + 1), 250, 100, 29_000), orders=ms % 20 == 0)
    for _ in range(200):  # until the unit is free to be told
        bench.step(biphasic(1, 2_000, 250, 100, 29_000), orders=True)
        if bench.twin.drive() and bench.twin.drive()[0][1] == 2_000:
            break
    assert bench.twin.drive()[0][1] == 2_000
    bench.there.write(bench.ms, bench.driver.stop(T0 + bench.ms * MS))
    bench.step()
    assert bench.twin.drive() == ()


# -- the ladder by itself ----------------------------------------------------------------------------------------------

train = partial(biphasic, pulse_width_us=250, interphase_us=100, period_us=29_000)


def amounts(trains):
    return {each.channel: each.amplitude_ua for each in trains}


def test_in_step_with_its_unit_it_gives_what_was_admitted():
    ladder = Ladder(P24_LIMITS.amplitude_step_ua)
    assert ladder.due_ns() == FOREVER
    for number, ua in enumerate((20_000, 25_000, 1_000, 30_000)):
        ladder.order(number, (train(1, ua),))
        assert ladder.waiting
        assert ladder.due_ns() == number
        assert amounts(ladder.take(number, (33, number))) == {1: ua}
        assert not ladder.waiting
        assert ladder.due_ns() == FOREVER
        ladder.answered(number, (33, number))


def test_behind_its_unit_a_channel_rises_by_a_step_over_the_lowest_of_the_last_20_ms():
    ladder = Ladder(500)
    ladder.order(0, (train(1, 2_000),))
    assert amounts(ladder.take(0, (33, 0))) == {1: 2_000}
    ladder.order(20 * MS, (train(1, 4_000), train(2, 2_000)))
    assert amounts(ladder.take(20 * MS, (33, 1))) == {1: 2_000, 2: 2_000}
    assert ladder.waiting
    assert ladder.due_ns() == FOREVER  # an answer alone can help
    assert ladder.take(30 * MS, (33, 2)) == ()
    ladder.answered(50 * MS, (33, 1))  # the first answer is lost, and the unit answers in order
    assert ladder.due_ns() == 50 * MS
    assert ladder.take(50 * MS, (33, 2)) == ()
    assert ladder.due_ns() == 50 * MS + SLEW_WINDOW_NS
    assert ladder.take(70 * MS - 1, (33, 2)) == ()
    assert amounts(ladder.take(70 * MS, (33, 2))) == {1: 4_000, 2: 2_000}
    assert not ladder.waiting


def test_the_order_that_began_to_wait_is_the_first_rung_as_it_was_admitted():
    ladder = Ladder(500)
    ladder.order(0, (train(1, 12_000),))
    ladder.order(5, (train(1, 14_000),))
    ladder.order(6, (train(1, 16_000), train(2, 500)))
    assert amounts(ladder.take(7, (33, 0))) == {1: 12_000, 2: 500}
    ladder.order(8, (train(1, 11_000), train(2, 500)))
    assert amounts(ladder.take(8, (33, 1))) == {1: 11_000, 2: 500}


def test_a_fall_counts_from_when_it_is_written_and_a_rise_only_as_far_as_it_still_stands():
    ladder = Ladder(500)
    ladder.order(0, (train(1, 10_000),))
    ladder.take(0, (33, 0))
    ladder.order(1, (train(1, 3_000),))
    assert amounts(ladder.take(1, (33, 1))) == {1: 3_000}
    ladder.answered(2, (33, 0))  # it was carried out, and so was the fall after it
    ladder.order(30 * MS, (train(1, 10_000),))
    ladder.order(30 * MS + 1, (train(1, 10_000),))
    ladder.drop()
    assert ladder.take(30 * MS + 2, (33, 2)) == ()
    ladder.off()
    ladder.order(40 * MS, (train(1, 2_000),))
    assert amounts(ladder.take(40 * MS, (33, 3))) == {1: 2_000}


@pytest.mark.parametrize(("grid_ua", "rung_ua"), [(500, 4_000), (2_000, 4_000), (1_500, 3_500), (750, 3_500)])
def test_rungs_lie_on_the_grid_of_the_unit(grid_ua, rung_ua):
    ladder = Ladder(grid_ua)
    ladder.order(0, (train(1, 2_000),))
    ladder.take(0, (33, 0))
    ladder.order(1, (train(1, 9_000),))
    assert ladder.take(1, (33, 1)) == ()
    ladder.answered(2, (33, 0))
    assert amounts(ladder.take(2 + SLEW_WINDOW_NS, (33, 1))) == {1: rung_ua}


def test_the_unit_with_the_coarsest_grid_has_rungs_too():
    assert SLEW_UA_MAX // REHASTIM2_LIMITS.amplitude_step_ua == 1
