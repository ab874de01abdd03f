"""What happens in an episode of the frozen corpus: sessions as they should be, with something wrong now and then."""

from typing import Any

from safety.orders import ArmScope, Purpose
from safety.stimulus import Point, Train
from tests.safety.corpus_episodes import JOINTS, MS, SECOND, WHO, Episode, Step

NEAR = (-1, 0, 1)
"""One nanosecond before a bound, at it, after it."""


def episode(number: int) -> list[Step]:
    """The steps of the episode of that number."""
    one = Episode(number)
    if number % 16 == 9:
        one.pad = 30_000
    usual = number % 5 != 0
    channels = 3 if usual else one.chance.of(1, 3, 4)
    kind = number % 16
    low_ua = min(one.cap_ua, one.chance.of(2, 4, 6, 8, 12) * 1000 + one.chance.of(0, 0, one.grid))
    one.prescribe(0, channels)
    if one.joint:
        one.prescribe_joint()
    one.place(usual)
    if kind == 5:
        one.arm(ArmScope.FITTING)
        _fitting(one)
        return one.steps
    if not one.chance.one_in(30):
        one.identify(channels)
    one.prescribe(one.cap_ua if kind == 9 else low_ua, channels)
    if one.chance.one_in(3):
        _constrain(one, low_ua)
    if kind in (6, 7):
        _dose(one)
    one.arm(ArmScope.SESSION)
    if kind == 9:
        _tall(one)
    elif number % 4096 == 11:
        _long(one)
    elif one.joint and kind in (3, 6):
        _many_movements(one)
    elif kind in (6, 7, 11):
        _many(one)
    else:
        _session(one, low_ua, channels)
    return one.steps


def _constrain(one: Episode, low_ua: int) -> None:
    """The protocol narrows."""
    chance = one.chance
    wish: list[Any] = [
        chance.of(1, 2),
        one.region,
        one.pad,
        low_ua,
        chance.of(200, 250, 400),
        20_000,
        chance.of(500, 9_000),
    ]
    if chance.one_in(3):
        at = chance.below(7)
        odd = (
            (0, 9, False),
            ("nose", "thigh"),
            (99, 30_001, 100),
            (-1, 1_000, 0.5),
            (-1, 100),
            (-1, 50_000),
            (-1, 0, 1),
        )
        wish[at] = chance.of(*odd[at])
    one.say("constrain", *wish)


def _dose(one: Episode) -> None:
    """Most of the day's dose has been had already."""
    chance = one.chance
    bursts = chance.of(0, 1_195, 1_199, 1_200, -1, 1.0, 10**15 + 1)
    on_ns = chance.of(0, 3_599 * SECOND, 3_600 * SECOND - 1, 3_600 * SECOND, -1, None)
    one.say(
        "begin_dose", *WHO, bursts, on_ns, chance.of(0, 0, 1_199, 1_200), chance.of(0, 3_599 * SECOND, 3_600 * SECOND)
    )


def _session(one: Episode, most_ua: int, channels: int) -> None:
    """Bursts with ramps; help of the motor; something odd now and then."""
    chance = one.chance
    odd_one_in = chance.of(12, 25, 60)
    for _ in range(chance.of(20, 40, 60)):
        if one.joint and chance.one_in(2):
            _motion(one, odd_one_in)
        if chance.one_in(odd_one_in):
            _odd(one, most_ua)
            _after_refusal(one)
            continue
        top = max(one.level.values(), default=0)
        what = chance.below(10)
        if not one.level or (what < 5 and top < most_ua):
            one.wait(chance.of(20 * MS, 20 * MS, 20 * MS + 1, 25 * MS, 60 * MS))
            rise = chance.of(2_000, 2_000, one.grid, 1_000 if one.grid <= 1_000 else 2_000)
            levels = {channel: min(most_ua, ua + rise) for channel, ua in one.level.items()}
            levels = levels or {1 + chance.below(channels): min(rise, most_ua)}
            if chance.one_in(4) and len(levels) < channels:
                levels.setdefault(1 + chance.below(channels), one.grid)
            one.deliver(
                {ch: ua - ua % one.grid for ch, ua in levels.items()}, chance.of(Purpose.ASSIST, Purpose.CYCLIC)
            )
        elif what < 8:
            one.wait(chance.of(20 * MS, 20 * MS, 100 * MS, 118 * MS))
            one.renew()
        elif what == 8:
            one.wait(20 * MS)
            one.deliver(
                {ch: max(0, ua - chance.of(1, 2, 4) * one.grid) for ch, ua in one.level.items()}, Purpose.ASSIST
            )
        else:
            one.wait(20 * MS)
            one.off()
            one.wait(chance.of(2 * SECOND + chance.of(*NEAR), 2 * SECOND, 3 * SECOND, 8 * SECOND))


def _after_refusal(one: Episode) -> None:
    """What was on is off now; mostly the engine waits, and sometimes a person has to arm again."""
    chance = one.chance
    one.level, one.torque = {}, 0
    if chance.one_in(3):
        one.say("disarm", one.now)
        if chance.one_in(4):
            one.prescribe(chance.of(0, 2_000, 4_000, 90_000), 2)
        one.arm(chance.of(ArmScope.SESSION, ArmScope.SESSION, ArmScope.FITTING))
    if not chance.one_in(4):
        one.wait(chance.of(2 * SECOND + chance.of(*NEAR), 4 * SECOND, 8 * SECOND))
    if one.joint:
        one.stand(one.angle)


def _odd(one: Episode, most_ua: int) -> None:
    """An order that differs from a good one in one respect, mostly by one step beyond a bound."""
    chance = one.chance
    gap = chance.of(1, 20, 60, 118, 120, 121, 240, 499, 500, 501) * MS + chance.of(*NEAR)
    one.wait(gap if chance.one_in(2) else 20 * MS)
    near, now = chance.of(*NEAR), one.now
    if chance.one_in(12):
        one.say("need", chance.of("seated", "lying", "nowhere", 1))
        one.say("place", chance.of("lying", "seated"), False, *WHO, chance.of(True, False))
    other: dict[str, Any] = chance.of(
        {"seq": one.seq - chance.of(0, 1)},
        {"stamp_ns": now + chance.of(0, 1, MS)},
        {"stamp_ns": now - 120 * MS + near, "expires_ns": now},
        {"expires_ns": now + 118 * MS + near},
        {"stamp_ns": now, "expires_ns": now + MS + near},
        {"stamp_ns": now - 20 * MS, "expires_ns": now + near},
        {"sensor_ns": now - 2 * MS - 100 * MS + near},
        {"sensor_ns": now - 2 * MS + chance.of(*NEAR)},
        {"purpose": chance.of(*Purpose, 3, "assist")},
        {"press": chance.of(1.0, True, -1)},
        {chance.of("seq", "stamp_ns", "expires_ns", "sensor_ns"): chance.of(1.0, True, None, "1")},
        {"conditions": chance.below(8)},
        {"trains": _odd_trains(one, most_ua)},
        {"trains": _odd_trains(one, most_ua)},
        {"trains": _odd_trains(one, most_ua)},
        {"trains": _odd_trains(one, most_ua)},
        {"trains": _odd_trains(one, most_ua)},
        {"clock": -1},
    )
    opened = (other.pop("conditions"),) if "conditions" in other else ()
    late = other.pop("clock", 0)
    if chance.one_in(4) and "trains" not in other and "purpose" not in other and "press" not in other:
        one.renew(**other)
    else:
        one.deliver(one.level or {1: one.grid}, other.pop("purpose", Purpose.ASSIST), **other)
    name, (order, at, _) = one.steps[-1]
    one.steps[-1] = (name, (order, chance.of(at - 1, at - 30 * MS, 1.0, at) if late else at, opened))


def _odd_trains(one: Episode, most_ua: int) -> object:
    """Trains of which something is odd."""
    chance = one.chance
    channel = next(iter(one.level), 1)
    held = one.level.get(channel, 0)
    good = one.train(channel, max(one.grid, min(most_ua, held + 2_000)))
    ua, period = good.points[0].current_ua, good.period_us
    width = one.width_us + chance.of(-1, 0, 1, 50)
    step = chance.of(one.grid, 500, 2_000)
    balanced = (Point(100, ua), Point(100, -ua))
    return chance.of(
        (one.train(channel, held + 2_000 + step),),
        (one.train(channel, most_ua + chance.of(0, one.grid)),),
        (one.train(chance.of(0, 4, 5, 8, 9, True), one.grid),),
        (good, good),
        (good, *[one.train(other, one.grid) for other in range(1, 6) if other != channel]),
        (good._replace(points=(Point(width, ua), Point(width, -ua))),),
        (good._replace(points=(Point(chance.of(9, 10, 19, 20), ua), Point(10, 0), Point(20, -ua))),),
        (good._replace(points=(Point(100, ua), Point(101, -ua))),),
        (good._replace(points=(Point(100, ua), Point(chance.of(99, 100, 200), 0), Point(100, -ua))),),
        (good._replace(points=(Point(100, -ua), Point(100, 0), Point(100, ua))),),
        (good._replace(points=balanced * chance.of(1, 2, 8, 9)),),
        (good._replace(points=chance.of((), list(balanced), (1, 2), ((100, ua), (100, -ua)))),),
        (good._replace(points=(Point(100, ua + 1), Point(100, -ua - 1))),),
        (good._replace(points=(Point(2 * width, ua // 2), Point(2 * width, -(ua // 2)))),),
        (good._replace(period_us=chance.of(19_000, 19_500, 20_000, 20_001, period + 500, 1 << 24, True, 30_000.0)),),
        (good, replace_channel(one.train(channel, one.grid), 1 + channel % 3, chance.of(period, 30_000, 40_000))),
        chance.of([good], None, (None,), ((1, (), 2),)),
    )


def replace_channel(train: Train, channel: int, period_us: int) -> Train:
    """The same pulse elsewhere."""
    return train._replace(channel=channel, period_us=period_us)


def _fitting(one: Episode) -> None:
    """A person presses a key for each step up and down."""
    chance = one.chance
    channel, level = 1, 0
    for _ in range(chance.of(20, 40)):
        every = 400 * MS if one.unit == 1 else 300 * MS
        one.go_on(chance.of(every, every, every + chance.of(*NEAR), 20 * MS, 500 * MS))
        if not chance.one_in(8):
            one.pressed()
            one.go_on(chance.of(0, 0, 0, 0, 0, SECOND, SECOND + 1, 60 * MS))
        if chance.one_in(12):
            channel, level = chance.of(1, 2, 3), 0
        step = max(one.grid, chance.of(500, 500, 500, 1_000))
        wished = max(0, level + chance.of(step, step, step, 0, -one.grid, 1_500))
        one.deliver(
            {channel: wished - wished % one.grid}, chance.of(Purpose.TITRATE, Purpose.TITRATE, Purpose.IDENTIFY)
        )
        level = wished
        if chance.one_in(3):
            one.wait(100 * MS)
            one.renew()
        if chance.one_in(10):
            one.off()
            one.say("identify", channel, *WHO)
            one.wait(2 * SECOND)
            level = 0
        if chance.one_in(15):
            one.deliver({1: 500, 2: 500}, chance.of(Purpose.TITRATE, Purpose.ASSIST))
            level = 0
            one.wait(2 * SECOND)


def _tall(one: Episode) -> None:
    """Up to the cap of the region, and one step beyond."""
    for ua in range(2_000, one.cap_ua + 2_001, 2_000):
        one.wait(20 * MS)
        one.deliver({1: min(ua, one.cap_ua) - min(ua, one.cap_ua) % one.grid}, Purpose.ASSIST)
    for _ in range(6):
        one.wait(20 * MS)
        top, wide = one.train(1, one.cap_ua - one.cap_ua % one.grid), one.width_us + one.chance.of(-1, 0, 1)
        ua = top.points[0].current_ua
        wide = one.chance.of(wide, top.points[0].duration_us)
        points = one.chance.of(1, 1, 3, 8) * (Point(wide, ua), Point(wide, -ua))
        one.deliver({1: ua}, Purpose.ASSIST, trains=(top._replace(points=points, period_us=20_000),))
    one.wait(20 * MS)
    one.deliver({1: one.cap_ua + one.grid}, Purpose.ASSIST)


def _many(one: Episode) -> None:
    """Short bursts with the least rest between, or bursts as long as they may be."""
    chance = one.chance
    length = chance.of(1, 1, 1, 5, 5, 100)
    for _ in range(40 if length < 100 else 2):
        one.deliver({1: one.grid}, Purpose.ASSIST)
        begun = one.now
        for _ in range(length):
            one.wait(118 * MS if length == 100 else 20 * MS)
            one.renew()
        if length == 100:
            for _ in range(20):
                one.wait(min(118 * MS, max(1, begun + one.on_ms * MS - one.now)))
                one.renew()
            one.wait(chance.of(1, 20 * MS))
            one.renew()
        on_ns = one.now - begun
        one.off()
        one.wait(max(2 * SECOND, (on_ns + 1) // 2) + chance.of(-1, 0, 0, 0, 1))
        if chance.one_in(30):
            one.wait(60 * SECOND)


def _many_movements(one: Episode) -> None:
    """Short movements with the least rest between, or movements as long as they may be; and a muscle in the way."""
    chance = one.chance
    _, most, low, high, on_ms = JOINTS[one.joint]
    length = chance.of(1, 1, 4, 120)
    one.angle = (low + high) // 2
    for number in range(45 if length < 100 else 3):
        begun = one.now
        for _ in range(length):
            one.wait(20 * MS if length < 100 else 100 * MS)
            one.stand(one.angle)
            one.move(chance.one_in(2), max(1, most // 100))
        if chance.one_in(6):
            one.deliver({chance.of(1, 2): one.grid}, Purpose.CYCLIC)
            one.wait(20 * MS)
            one.stand(one.angle)
            one.move(chance.one_in(2), max(1, most // 100))
        if length > 100:
            one.wait(max(1, begun + on_ms * MS + 20 * MS + chance.of(*NEAR) - one.now))
            one.stand(one.angle)
            one.move(chance.one_in(2), 1)
        one.say(chance.of("off_joint", "off_joint", "off"), one.now)
        one.wait(max(2 * SECOND, one.now - begun) + chance.of(-1, 0, 0, 0, 1))
        if number == 30:
            one.wait(chance.of(60 * SECOND, 600 * SECOND))


def _long(one: Episode) -> None:
    """Half of ten minutes and more, in bursts of 10 s with the least rest between."""
    for _ in range(45):
        begun = one.now
        one.deliver({1: one.grid}, Purpose.ASSIST)
        for _ in range(85):
            one.wait(118 * MS)
            one.renew()
        if one.now - begun > one.on_ms * MS:
            one.level = {}
        one.off()
        one.wait(one.chance.of(5_100 * MS, 6 * SECOND))


def _motion(one: Episode, odd_one_in: int) -> None:
    """Something for the orthosis."""
    chance = one.chance
    speed, most, low, high, _ = JOINTS[one.joint]
    rise = most // 10
    if one.angle == 0:
        one.angle = (low + high) // 2
    what = chance.below(8)
    one.stand(one.angle + chance.of(0, 0, 100, -100, 600), chance.of(0, 0, 0, 60 * MS + chance.of(*NEAR)))
    if chance.one_in(odd_one_in):
        near = chance.of(*NEAR)
        other: dict[str, Any] = chance.of(
            {"seq": one.motion_seq},
            {"stamp_ns": one.now + 1},
            {"stamp_ns": one.now - 120 * MS + near, "expires_ns": one.now},
            {"expires_ns": one.now + 120 * MS + near},
            {"expires_ns": one.now + MS + near},
            {"sensor_ns": one.now - 100 * MS + near},
            {"sensor_ns": chance.of(0, one.now + 1)},
            {"opened": (chance.below(8),)},
            {"speed_cdps": speed + near},
            {"speed_cdps": chance.of(0, 1, 1.0)},
            {"target_cdeg": chance.of(low, high) + near, "angle_cdeg": one.angle + 1_000 + near},
            {"angle_cdeg": one.angle - 1_000 + near, "target_cdeg": chance.of(None, one.angle)},
            {"torque_mnm": chance.of(0, 1, -1, most + 1, True, one.torque + rise + near)},
            {chance.of("seq", "stamp_ns", "expires_ns", "sensor_ns"): chance.of(1.0, True, None)},
        )
        if chance.one_in(6):
            one.stand(chance.of(low - 1_300, high + 1_300) + near, 0)
        one.move(chance.one_in(2), one.torque or 1, **other)
        one.torque = 0
        return
    if what == 7:
        one.say(chance.of("off_joint", "off"), one.now)
        one.torque = 0
        one.wait(chance.of(2 * SECOND, 3 * SECOND))
        return
    one.wait(chance.of(20 * MS, 20 * MS, 5 * MS, 118 * MS))
    one.stand(one.angle)
    one.move(what < 3, min(most, one.torque + rise) if what % 2 else max(1, one.torque))
