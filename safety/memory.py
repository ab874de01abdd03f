"""What the guard remembers between orders to deliver: the burst, each channel's current, the dose, steps of fitting.

Data and bookkeeping only: it decides nothing. All times are ns on the gateway's clock, all currents uA.
"""

from typing import NamedTuple

from safety.limits import (
    BURSTS_A_MINUTE_MAX,
    DUTY_NS_MAX,
    DUTY_WINDOW_NS,
    LONGEST_BURST_NS,
    MINUTE_NS,
    REST_NS_MIN,
    SLEW_WINDOW_NS,
    ChannelLimit,
    DeviceLimits,
)
from safety.orders import ArmScope, Deliver, Purpose
from safety.position import Placed, Position
from safety.stimulus import Train, Waveform

NEVER_NS = -1_000_000_000_000


def rest_after_ns(on_ns: int) -> int:
    """The rest after a burst that was on for so long: half of it, and 2 s at least (G22)."""
    return max((on_ns + 1) // 2, REST_NS_MIN)


class Vetted(NamedTuple):
    """A train that has passed all rules of its pulse: what the later rules need of it."""

    channel: int
    amplitude_ua: int
    busy_us: int
    waveform: Waveform
    on_ms: int
    limit: ChannelLimit

    @property
    def period_us(self) -> int:
        """How often the pulse comes."""
        return self.waveform.period_us


class Trail:
    """How strong something is (a channel's current in uA, a motor's torque in mNm), and how low it was of late.

    `past` holds (until when, how much) with rising amounts: an entry that was as high as a later one can never be the
    lowest again. The slew rule itself keeps it to a handful of entries.
    """

    __slots__ = ("amount", "past")

    def __init__(self) -> None:
        self.amount = 0
        self.past: list[tuple[int, int]] = []

    def lowest(self, now_ns: int) -> int:
        """The lowest amount that was in force at any instant of the slew window before `now_ns`."""
        in_force = [amount for until_ns, amount in self.past if until_ns > now_ns - SLEW_WINDOW_NS]
        return min([self.amount, *in_force])

    def change(self, now_ns: int, amount: int) -> None:
        """From `now_ns` on it is `amount`."""
        before, horizon_ns = self.amount, now_ns - SLEW_WINDOW_NS
        if amount != before:
            self.past = [entry for entry in self.past if entry[0] > horizon_ns and entry[1] < before]
            self.past.append((now_ns, before))
            self.amount = amount


class Dose:
    """What one patient has had today: bursts begun, time with current on, and when both of late.

    `begun` holds when the newest bursts began, `spans` from when until when those of the last 10 min were on.
    """

    __slots__ = ("begun", "bursts", "crowded_until_ns", "on_ns", "spans", "spent_until_ns")

    def __init__(self) -> None:
        self.bursts = 0
        self.on_ns = 0
        self.begun: list[int] = []
        self.spans: list[tuple[int, int]] = []
        self.crowded_until_ns = self.spent_until_ns = 0

    def begin(self, now_ns: int) -> None:
        """A burst begins. Once there have been as many as a minute may have, the next waits for that minute's end."""
        self.bursts += 1
        self.begun = [*self.begun[1 - BURSTS_A_MINUTE_MAX :], now_ns]
        if len(self.begun) == BURSTS_A_MINUTE_MAX:
            self.crowded_until_ns = self.begun[0] + MINUTE_NS

    def end(self, from_ns: int, now_ns: int) -> int:
        """The burst that began at `from_ns` is over: how long it was, in ns.

        `spent_until_ns` becomes the instant from which the longest burst there is has room again in the window.
        """
        on_ns = max(0, now_ns - from_ns)
        self.on_ns += on_ns
        self._count(from_ns, from_ns + on_ns, now_ns)
        return on_ns

    def of_late(self, now_ns: int) -> tuple[int, int]:
        """(ns of current in the last 10 min, bursts begun in the last minute); no more than there is of either."""
        from_ns = now_ns - DUTY_WINDOW_NS
        on_ns = sum([max(0, ended - max(begun, from_ns)) for begun, ended in self.spans])
        return min(on_ns, DUTY_WINDOW_NS), len([begun for begun in self.begun if begun > now_ns - MINUTE_NS])

    def recall(self, now_ns: int, on_ns: int, bursts: int) -> None:
        """So much of it was had before this program began: it counts as if it had ended only now."""
        self.begun = [*self.begun, *[now_ns] * bursts][-BURSTS_A_MINUTE_MAX:]
        if len(self.begun) == BURSTS_A_MINUTE_MAX:
            self.crowded_until_ns = self.begun[0] + MINUTE_NS
        self._count(now_ns - on_ns, now_ns, now_ns)

    def _count(self, from_ns: int, until_ns: int, now_ns: int) -> None:
        window_from_ns = now_ns - DUTY_WINDOW_NS
        self.spans = [(max(begun, window_from_ns), ended) for begun, ended in self.spans if ended > window_from_ns]
        self.spans.append((from_ns, until_ns))
        over_ns = sum([ended - begun for begun, ended in self.spans]) - (DUTY_NS_MAX - LONGEST_BURST_NS)
        for begun, ended in self.spans:  # the oldest leave the window first
            if over_ns > 0:
                self.spent_until_ns = min(begun + over_ns, ended) + DUTY_WINDOW_NS
            over_ns -= ended - begun


class Fitting:
    """The steps of fitting: which key press is in use, what it earned, and the level each channel has reached.

    `carried` are the channels that have had current since a person armed for fitting. A level counts for the waveform
    alone with which it was reached (`waveforms`): with wider pulses, or more of them, it would be felt as much more.
    """

    __slots__ = (
        "allowed_ua",
        "carried",
        "levels",
        "pressed",
        "pressed_ns",
        "raised_ns",
        "raised_press",
        "used",
        "waveforms",
    )

    def __init__(self) -> None:
        self.pressed = self.used = self.raised_press = 0
        self.pressed_ns = self.raised_ns = NEVER_NS
        self.allowed_ua = 0
        self.levels: dict[int, int] = {}
        self.waveforms: dict[int, Waveform] = {}
        self.carried: set[int] = set()

    def reached_ua(self, wanted: Vetted) -> int:
        """The level that this train's channel has reached with its waveform, in uA: 0 before its first step."""
        known = self.waveforms.get(wanted.channel) == wanted.waveform
        return self.levels.get(wanted.channel, 0) if known else 0

    def begin(self) -> None:
        """Fitting starts again from 0. Numbers of key presses are never forgotten."""
        self.allowed_ua = 0
        self.levels = {}
        self.carried = set()

    def note(self, now_ns: int, press: int, wanted: Vetted, step_ua: int, before_ua: int) -> None:
        """An admitted order of fitting: it may have used a press, raised the level, or (a person's wish) lowered it."""
        level_ua = self.levels[wanted.channel] = self.reached_ua(wanted)
        self.waveforms[wanted.channel] = wanted.waveform
        amount_ua = wanted.amplitude_ua
        self.carried.add(wanted.channel)
        if press != self.used:
            self.used = press
            self.allowed_ua = level_ua + step_ua
            if amount_ua < before_ua:
                self.allowed_ua = self.levels[wanted.channel] = level_ua = amount_ua
        if amount_ua > level_ua:
            self.levels[wanted.channel] = amount_ua
            if self.raised_press != press:
                self.raised_press, self.raised_ns = press, now_ns


class Memory:
    """All that the rules read. `live` means that a burst is on: from its first current to off.

    `exact` holds, by identity, trains whose every number was found to be exactly an int: being immutable they stay so,
    and being held here their identity cannot pass to another train. `paced` means that the unit has one period or slots
    for its channels. `assisted_sign` is the way an assist in force moves the joint (0: none is, or it is there), and
    `channel_signs` the way each channel's muscle moves that joint: +1 extends, -1 flexes. `identified` are the channels
    whose muscle a person saw move today; `needed` is the position that the protocol is made for, `placed` what a person
    confirmed of the patient who is prescribed now. `waveforms` are those of the channels with current in this burst,
    and `fitted` the gentlest that each channel has had in fitting today.
    """

    __slots__ = (
        "armed_ns",
        "assisted_sign",
        "burst_from_ns",
        "channel_signs",
        "device",
        "dose",
        "exact",
        "fitted",
        "fitting",
        "identified",
        "last_now_ns",
        "last_seq",
        "last_stamp_ns",
        "lease_until_ns",
        "limits",
        "live",
        "needed",
        "on_ms",
        "paced",
        "placed",
        "purpose",
        "rest_until_ns",
        "scope",
        "trails",
        "vetted",
        "waveforms",
    )

    def __init__(self, device: DeviceLimits) -> None:
        self.device = device
        self.paced = device.common_period or device.slot_us > 0
        self.assisted_sign = 0
        self.channel_signs: dict[int, int] = {}
        self.scope: ArmScope | None = None
        self.limits: dict[int, ChannelLimit] = {}
        self.vetted: dict[Train, Vetted] = {}
        self.exact: dict[int, Train] = {}
        self.trails: dict[int, Trail] = {}
        self.dose = Dose()
        self.fitting = Fitting()
        self.fitted: dict[int, Waveform] = {}
        self.waveforms: dict[int, Waveform] = {}
        self.identified: set[int] = set()
        self.needed: Position | None = None
        self.placed: Placed | None = None
        self.live = False
        self.purpose = Purpose.ASSIST
        self.last_seq = -1
        self.last_now_ns = self.last_stamp_ns = self.armed_ns = NEVER_NS
        self.burst_from_ns = self.lease_until_ns = self.rest_until_ns = self.on_ms = 0

    def forget(self, channel: int) -> None:
        """What a person found out today of this channel's muscle does not hold any more."""
        self.identified.discard(channel)
        self.fitted.pop(channel, None)

    def fit(self, wanted: Vetted) -> None:
        """This channel had current in fitting: no session may be stronger in width or rate than the gentlest of it."""
        width_us, pause_us, period_us = wanted.waveform
        before = self.fitted.get(wanted.channel, wanted.waveform)
        gentlest = Waveform(min(width_us, before.pulse_width_us), pause_us, max(period_us, before.period_us))
        self.fitted[wanted.channel] = gentlest

    def end_burst(self, now_ns: int) -> None:
        """Current is off from `now_ns`: the dose is booked and the rest begins. Nothing happens without a burst."""
        self.trails = {}
        self.waveforms = {}
        if self.live:
            self.live = False
            on_ns = self.dose.end(self.burst_from_ns, now_ns)
            self.rest_until_ns = now_ns + rest_after_ns(on_ns)

    def lapse(self, now_ns: int) -> None:
        """Silence means stop: a burst whose lease has run out is over, and counted up to now in case it was not."""
        if now_ns > self.lease_until_ns:
            self.end_burst(now_ns)

    def deliver(self, now_ns: int, order: Deliver, wanted: list[Vetted], on_ms: int) -> None:
        """These trains, and no others, are on from `now_ns`."""
        if not self.live:
            self.live = True
            self.burst_from_ns = now_ns
            self.dose.begin(now_ns)
        self.purpose, self.on_ms = order.purpose, on_ms
        trails: dict[int, Trail] = {}
        for one in wanted:
            trail = self.trails.get(one.channel) or Trail()
            trail.change(now_ns, one.amplitude_ua)
            trails[one.channel] = trail
        self.trails = trails
        self.waveforms = {one.channel: one.waveform for one in wanted if one.amplitude_ua > 0}
