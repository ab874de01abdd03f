"""A judge that knows the proposed caps and what was said, and nothing of the guard: is what was admitted harmless?

It hears each step of an episode with the guard's answer, keeps its own books, and asserts at the skin and at the
joint. Its figures are its own (mA, us, uC, s, cm2; deg/s, Nm, deg).
"""

import itertools

from safety.joint import Assist, Hold
from safety.orders import ArmScope, Deliver, Purpose, Renew

MS, SECOND = 1_000_000, 1_000_000_000
# mA, us, uC, s
CAPS = {
    "hand": (25, 300, 7.5, 10),
    "forearm": (45, 350, 14, 12),
    "upper_arm": (60, 400, 20, 15),
    "lower_leg": (70, 400, 25, 10),
    "thigh": (100, 450, 40, 15),
}
# deg/s, Nm, deg, deg, s
JOINTS = {"finger": (45, 0.14, -120, 120, 8), "wrist": (45, 1.5, -60, 60, 10), "elbow": (60, 5, -135, -5, 10)}
JOINTS["ankle"] = (40, 5, -15, 20, 6)
SAID = "."


class Burst:
    """When something was on, how strong on which channel, and since when."""

    def __init__(self):
        self.history = []  # (t_ns, {name: amount})
        self.spans = []  # (from, until) of what is over
        self.on_since = None
        self.lease_until = None

    def lapse(self, now_ns):
        if self.lease_until is not None and now_ns > self.lease_until:
            self.off(self.lease_until)

    def off(self, now_ns):
        if self.on_since is not None:
            self.spans.append((self.on_since, max(now_ns, self.on_since)))
        self.on_since = self.lease_until = None
        self.history.append((now_ns, {}))

    def on(self, now_ns, amounts, until_ns):
        if self.on_since is None:
            self.on_since = now_ns
        self.history.append((now_ns, amounts))
        self.lease_until = until_ns

    def lowest(self, now_ns, name):
        lowest, until = None, now_ns
        for since, amounts in reversed(self.history):
            if until <= now_ns - 20 * MS:
                break
            amount = amounts.get(name, 0)
            lowest = amount if lowest is None else min(lowest, amount)
            until = since
        return 0 if lowest is None else lowest


class Judge:
    """`hear(step, answer)` after each step."""

    def __init__(self):
        self.anew()

    def anew(self):
        self.fitted, self.floor, self.narrow = {}, {}, {}
        self.scope = self.needed = self.placed = self.joint = None
        self.identified, self.carried = set(), set()
        self.lasting, self.tried = {}, {}
        self.skin, self.limb = Burst(), Burst()
        self.angle = None
        self.last_seq = self.last_motion_seq = -1
        self.armed_ns = 0
        self.presses = {}
        self.used_press = 0

    def hear(self, step, answer):
        name, arguments = step
        if name == "admit":
            self._order(*arguments, answer)
        elif answer in ("", SAID):
            getattr(self, f"_{name}", lambda *_: None)(*arguments)

    # -- what people said --------------------------------------------------------------------------------------------

    def _new(self, unit, joint):
        self.anew()

    def _prescribe(self, channel, region, pad_mm2, ceiling_ua, motor_ua, patient, day, armed):
        assert armed is False
        assert self.scope is None
        self._another(patient, day)
        before = self.fitted.get(channel)
        if before is not None and before[:2] != (region, pad_mm2):
            self._unknown(channel)
        key = (patient, channel, pad_mm2, day)
        if ceiling_ua:
            assert ceiling_ua <= self.floor.get(key, ceiling_ua)  # a ceiling of today only falls
            self.floor[key] = ceiling_ua
        self.fitted[channel] = (region, pad_mm2, ceiling_ua, patient, day)

    def _unknown(self, channel):
        self.identified.discard(channel)
        self.tried.pop(channel, None)

    def _another(self, patient, day):
        for channel, one in list(self.fitted.items()):
            if one[3:] != (patient, day):
                del self.fitted[channel]
                self._unknown(channel)
        if self.joint is not None and self.joint[4:] != (patient, day):
            self.joint = None

    def _prescribe_joint(self, region, side, low, high, torque, patient, day, armed):
        assert armed is False
        assert self.scope is None
        self._another(patient, day)
        self.joint = (region, low, high, torque, patient, day)

    def _constrain(self, channel, region, pad_mm2, ua, width_us, period_us, on_ms):
        self.narrow[channel] = (region, ua, width_us, period_us, on_ms)

    def _need(self, position):
        assert self.scope is None or self.needed in (None, position)
        self.needed = position

    def _place(self, position, harness, patient, day, armed):
        assert self.scope is None
        self.placed = (position, harness, patient, day)

    def _identify(self, channel, patient, day):
        assert self.scope is ArmScope.FITTING
        assert channel in self.carried
        self.identified.add(channel)

    def _press(self, number, now_ns):
        if number > max(self.presses, default=0):
            self.presses[number] = now_ns

    def _arm(self, scope, now_ns):
        self._off(now_ns)
        self.scope, self.armed_ns, self.last_seq, self.last_motion_seq = scope, now_ns, -1, -1
        self.carried = set()

    def _disarm(self, now_ns):
        self._off(now_ns)
        self.scope = None

    def _off(self, now_ns):
        self.skin.off(now_ns)
        self.limb.off(now_ns)

    def _off_stimulation(self, now_ns):
        self.skin.off(now_ns)

    def _off_joint(self, now_ns):
        self.limb.off(now_ns)

    def _posture(self, posture):
        self.angle = posture

    # -- what the guard admitted ---------------------------------------------------------------------------------------

    def _order(self, order, now_ns, opened, answer):
        motion = isinstance(order, Hold | Assist)
        burst = self.limb if motion else self.skin
        if type(now_ns) is not int:
            assert answer or not any(train.amplitude_ua for train in order.trains)
            now_ns = max([since for since, _ in burst.history], default=0)
        burst.lapse(now_ns)
        if answer:
            burst.off(now_ns)
            return
        trains = () if motion or isinstance(order, Renew) else order.trains
        if not motion and isinstance(order, Deliver) and not any(c for t in trains for _, c in t.points):
            burst.off(now_ns)
            return
        assert opened == (), "an open interlock"
        assert self.scope is not None
        assert self.armed_ns <= order.stamp_ns <= now_ns <= order.expires_ns <= order.stamp_ns + 120 * MS
        if motion:
            self._motion(order, now_ns)
            return
        assert order.seq > self.last_seq
        self.last_seq = order.seq
        if isinstance(order, Renew):
            assert burst.on_since is not None
            burst.lease_until = order.expires_ns
            self._on_time(now_ns, burst.history[-1][1])
            return
        self._current(order, now_ns)

    def _current(self, order, now_ns):
        carrying = {train.channel: train for train in order.trains if train.amplitude_ua}
        assert len({train.channel for train in order.trains}) == len(order.trains)
        assert len(carrying) <= 4
        for train in carrying.values():
            self._pulse(train)
            assert train.amplitude_ua - self.skin.lowest(now_ns, train.channel) <= 2_000
            before = self.lasting if self.skin.on_since is not None else {}
            assert self._lasting(train) == before.get(train.channel, self._lasting(train))
        if self.scope is ArmScope.SESSION:
            assert order.purpose in (Purpose.ASSIST, Purpose.CYCLIC)
            assert set(carrying) <= self.identified
            self._placed_well(now_ns)
            if order.purpose is Purpose.ASSIST:
                assert 0 <= order.stamp_ns - order.sensor_ns <= 100 * MS
        else:
            assert order.purpose in (Purpose.IDENTIFY, Purpose.TITRATE)
            assert len(order.trains) == 1
            self._fitting(order, now_ns)
        if self.skin.on_since is None:
            self._begins(self.skin, now_ns, 0.5, 20)
        self.skin.on(now_ns, {channel: train.amplitude_ua for channel, train in carrying.items()}, order.expires_ns)
        self.lasting = {channel: self._lasting(train) for channel, train in carrying.items()}
        self._on_time(now_ns, carrying)
        self._duty(now_ns)

    @staticmethod
    def _lasting(train):
        """All of a train but its current."""
        return (*[duration for duration, _ in train.points], train.period_us)

    def _fitting(self, order, now_ns):
        (train,) = order.trains
        width_us, period_us = self.tried.get(train.channel, (1 << 40, 0))
        self.tried[train.channel] = (min(width_us, train.points[0].duration_us), max(period_us, train.period_us))
        self.carried.add(train.channel)
        if self.skin.on_since is None or train.channel not in self.skin.history[-1][1]:
            assert order.press > self.used_press or self.skin.on_since is not None
            assert order.press in self.presses
        if order.press > self.used_press:
            assert now_ns - self.presses[order.press] <= SECOND
            self.used_press = order.press

    def _pulse(self, train):
        region, pad_mm2, ceiling_ua, _, _ = self.fitted[train.channel]
        milliamps, width_us, microcoulombs, _ = CAPS[region]
        most_ua = milliamps * 1000
        if self.scope is ArmScope.SESSION:
            assert ceiling_ua > 0
            assert train.points[0].duration_us <= self.tried[train.channel][0]
            assert train.period_us >= self.tried[train.channel][1]
            most_ua = min(most_ua, ceiling_ua)
            if train.channel in self.narrow:
                assert self.narrow[train.channel][0] == region
                most_ua = min(most_ua, self.narrow[train.channel][1])
                width_us = min(width_us, self.narrow[train.channel][2])
        currents = [current for _, current in train.points]
        assert max(map(abs, currents)) <= most_ua
        assert sum(duration * current for duration, current in train.points) == 0
        assert train.period_us >= 20_000
        ways = [current > 0 for current in currents if current]
        assert sum(one != other for one, other in itertools.pairwise(ways)) == 1  # one pulse a period
        for forth in (True, False):  # a pause changes nothing: what went one way is in the body until it comes back
            way = [(duration, abs(current)) for duration, current in train.points if current and (current > 0) is forth]
            assert sum(duration for duration, _ in way) <= width_us
            assert sum(duration * current for duration, current in way) <= microcoulombs * 1e6
        rms_ma = (sum(duration * (current / 1000) ** 2 for duration, current in train.points) / train.period_us) ** 0.5
        assert rms_ma <= 25 + 1e-9
        assert rms_ma / (pad_mm2 / 100) <= 1 + 1e-12
        assert (rms_ma / 1000) ** 2 * 500 / (pad_mm2 / 200) <= 0.1

    def _placed_well(self, now_ns):
        assert self.placed is not None
        assert self.placed[0] == self.needed
        assert self.needed != "standing" or self.placed[1] is True

    def _begins(self, burst, now_ns, rest_share, a_minute):
        """Rests before something begins, reckoned from when it was on for sure."""
        if burst.spans:
            since, until = burst.spans[-1]
            assert now_ns - until >= max(2 * SECOND, (until - since) * rest_share) - 1
        begun = [since for since, _ in burst.spans if since > now_ns - 60 * SECOND]
        assert len(begun) < a_minute

    def _on_time(self, now_ns, channels):
        seconds = (
            3 if self.scope is ArmScope.FITTING else min([CAPS[self.fitted[one][0]][3] for one in channels], default=15)
        )
        if self.scope is ArmScope.SESSION:
            seconds = min([seconds, *[self.narrow[one][4] / 1000 for one in channels if one in self.narrow]])
        assert now_ns - self.skin.on_since <= seconds * SECOND

    def _duty(self, now_ns):
        window = now_ns - 600 * SECOND
        on_ns = sum(until - max(since, window) for since, until in self.skin.spans if until > window)
        assert on_ns + now_ns - self.skin.on_since <= 300 * SECOND

    def _motion(self, order, now_ns):
        assert order.seq > self.last_motion_seq
        self.last_motion_seq = order.seq
        assert self.scope is ArmScope.SESSION
        self._placed_well(now_ns)
        region, low, high, ceiling, _, _ = self.joint
        degrees, newton_metres, least, most, seconds = JOINTS[region]
        assert region != "ankle" or self.needed == "seated"
        assert 0 < order.torque_mnm <= min(newton_metres * 1000, ceiling)
        assert order.torque_mnm - self.limb.lowest(now_ns, "torque") <= newton_metres * 100 + 1e-6
        assert 0 <= now_ns - self.angle.t_ns <= 60 * MS
        goal = order.angle_cdeg if isinstance(order, Hold) else order.target_cdeg
        assert max(least * 100, low + 300) <= goal <= min(most * 100, high - 300)
        if isinstance(order, Hold):
            assert abs(goal - self.angle.angle_cdeg) <= 1_000
        else:
            assert 0 < order.speed_cdps <= degrees * 100
            assert 0 <= order.stamp_ns - order.sensor_ns <= 100 * MS
        if self.limb.on_since is None:
            self._begins(self.limb, now_ns, 1, 20)
        self.limb.on(now_ns, {"torque": order.torque_mnm}, order.expires_ns)
        assert now_ns - self.limb.on_since <= seconds * SECOND
