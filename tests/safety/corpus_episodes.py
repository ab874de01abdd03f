"""The episodes of the frozen corpus: what people and engine say to a guard, drawn by a generator of our own.

An episode is a list of steps (name, arguments) for one new guard. Nothing here looks at the guard's answers, nor at
its limits: the figures are written down a second time, and the numbers come from splitmix64, so that no library and no
change of the guard can change an episode. Most steps are what a good session does; some differ from it in one field,
mostly by one step beyond a bound. Times are ns.
"""

from typing import Any

from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.limits import DeviceLimits
from safety.orders import ArmScope, Deliver, Purpose, Renew
from safety.stimulus import Point, Train

MS, SECOND = 1_000_000, 1_000_000_000
MASK = (1 << 64) - 1
Step = tuple[str, tuple[Any, ...]]

UNITS = (
    DeviceLimits("P", 8, 130_000, 500, 10, 4095, 500, 16_383_000, 500, 16, 60, None, False, 0, 0),
    DeviceLimits("R", 8, 130_000, 2_000, 20, 500, 8_000, 1_024_000, 500, 3, 0, 100, True, 1_500, 4),
    DeviceLimits("S", 4, 30_000, 1_000, 10, 400, 10_000, 500_000, 1_000, 4, 100, None, False, 2_500, 2),
)
MOTOR = JointDeviceLimits("M", 20_000, 1, 30_000, -18_000, 18_000)
# region: uA, us, nC, ms on
REGIONS = {
    "hand": (25_000, 300, 7_500, 10_000),
    "forearm": (45_000, 350, 14_000, 12_000),
    "upper_arm": (60_000, 400, 20_000, 15_000),
    "lower_leg": (70_000, 400, 25_000, 10_000),
    "thigh": (100_000, 450, 40_000, 15_000),
}
# joint: cdeg/s, mNm, cdeg, cdeg, ms on
JOINTS = {
    "finger": (4_500, 140, -12_000, 12_000, 8_000),
    "wrist": (4_500, 1_500, -6_000, 6_000, 10_000),
    "elbow": (6_000, 5_000, -13_500, -500, 10_000),
    "ankle": (4_000, 5_000, -1_500, 2_000, 6_000),
}
POSITIONS = ("seated", "lying", "standing")
WHO = ("P-1", "2026-01-05")


class Chance:
    """splitmix64 (Steele, Lea, Flood 2014): 64 bits of state, the same numbers everywhere and always."""

    def __init__(self, seed: int) -> None:
        self.state = seed * 0x9E3779B97F4A7C15 & MASK

    def below(self, most: int) -> int:
        """0 to `most` - 1."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = (self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & MASK
        return (mixed ^ (mixed >> 31)) % most

    def of(self, *choices: Any) -> Any:
        """One of these."""
        return choices[self.below(len(choices))]

    def one_in(self, many: int) -> bool:
        """True once in so many times."""
        return self.below(many) == 0


class Episode:
    """Writes down what happens; `now` is its clock. `level` is what it believes each channel to carry."""

    def __init__(self, number: int) -> None:
        self.chance = Chance(number)
        self.steps: list[Step] = []
        self.now = self.chance.of(0, 10 * SECOND, 1 << 50)
        self.unit = self.chance.of(0, 0, 0, 1, 2)
        self.device = UNITS[self.unit]
        self.region = self.chance.of(*REGIONS)
        self.cap_ua, self.width_us, self.charge_nc, self.on_ms = REGIONS[self.region]
        self.grid = self.device.amplitude_step_ua
        self.pad = self.chance.of(100, 400, 900, 2_500, 2_500, 2_500, 30_000)
        self.joint = self.chance.of(*JOINTS) if number % 3 == 0 else ""
        self.seq = self.motion_seq = self.press = 0
        most_us = min(self.width_us, self.charge_nc * 1000 // self.cap_ua)
        self.pulse_us = min(most_us, self.chance.of(100, 200, 250, 400))
        self.gap_us = self.device.interphase_us or self.chance.of(0, 100)
        self.level: dict[int, int] = {}
        self.torque = self.angle = 0
        self.say("new", self.unit, bool(self.joint))

    def say(self, name: str, *arguments: Any) -> None:
        """One step."""
        self.steps.append((name, arguments))

    def wait(self, ns: int) -> None:
        """Time passes."""
        self.now += ns

    # -- what people do ------------------------------------------------------------------------------------------------

    def prescribe(self, ceiling_ua: int, channels: int = 3) -> None:
        """Fit some channels, and the joint where there is one; now and then something is not as it should be."""
        chance = self.chance
        motor_ua = chance.of(0, 0, 1_000, 2_000)
        for channel in range(1, channels + 1):
            wish: list[Any] = [channel, self.region, self.pad, ceiling_ua, motor_ua, *WHO, False]
            if chance.one_in(60):
                at = chance.below(8)
                odd = ((0, 9, True, 1.0), ("nose", "", "arm"), (99, 100, 30_000, 30_001, "1"))
                odd += ((-1, ceiling_ua + 500, self.cap_ua, self.cap_ua + 1, None), (-1, self.cap_ua + 1, False))
                wish[at] = chance.of(*(*odd, ("P-2",), ("2026-01-06",), (True, 0, None))[at])
            self.say("prescribe", *wish)

    def prescribe_joint(self) -> None:
        """The range of today and the torque that is accepted."""
        chance = self.chance
        _, torque, low, high, _ = JOINTS[self.joint]
        room = chance.of(300, 300, 0, -500)
        wish: list[Any] = [
            self.joint,
            chance.of("left", "right"),
            low - room,
            high + room,
            chance.of(torque, torque // 2),
        ]
        wish += [*WHO, False]
        if chance.one_in(8):
            at = chance.below(8)
            odd = (("knee",), ("both",), (high, high - 600, high - 601, -18_001, 0.5), (low, 18_001, 18_000, None))
            wish[at] = chance.of(*(*odd, (torque + 1, 0, -1, True), ("P-2",), ("2026-01-06",), (True, 0))[at])
        self.say("prescribe_joint", *wish)
        if chance.one_in(3):
            narrow = [
                self.joint,
                chance.of(torque, torque // 2),
                4_000,
                low,
                high,
                chance.of(5_000, 500),
                ((1, 1), (2, -1)),
            ]
            if chance.one_in(4):
                at = chance.below(7)
                odd = (
                    ("wrist", "nose"),
                    (-1, 0),
                    (-1, True),
                    (high, 1.5),
                    (low, None),
                    (-1, 1),
                    (((1, 2),), ((9, 1),), 1),
                )
                narrow[at] = chance.of(*odd[at])
            self.say("constrain_joint", *narrow)

    def place(self, usual: bool) -> None:
        """The position that the protocol needs and the one that was seen."""
        chance = self.chance
        needed = "seated" if usual else chance.of(*POSITIONS)
        seen = needed if usual or not chance.one_in(3) else chance.of(*POSITIONS, "upside down", 1)
        if not chance.one_in(80):
            self.say("need", needed)
        if not chance.one_in(80):
            self.say("place", seen, chance.of(True, seen != "standing", 1 == 0, 0 if not usual else True), *WHO, False)

    def arm(self, scope: ArmScope) -> None:
        """A person armed."""
        self.level = {}
        self.torque = 0
        self.say("arm", scope, self.now)
        self.wait(self.chance.of(5 * MS, 5 * MS, 2 * MS, 2 * MS - 1))

    def identify(self, channels: int = 3) -> None:
        """Fitting: a low pulse on each channel, and a person who looks."""
        chance = self.chance
        self.arm(ArmScope.FITTING)
        for channel in range(1, channels + 1):
            every = 400 * MS if self.unit == 1 else 300 * MS
            self.go_on(chance.of(*[every] * 20, every + 1, every - 1))
            self.pressed()
            ua = max(500, self.grid)
            self.deliver({channel: ua}, Purpose.IDENTIFY)
            if not chance.one_in(30):
                self.say("identify", channel, chance.of(*[WHO[0]] * 12, "P-2"), chance.of(*[WHO[1]] * 12, ""))
        self.off()
        self.say("disarm", self.now)
        self.wait(chance.of(2 * SECOND, 3 * SECOND))

    def pressed(self) -> None:
        """A key on the screen."""
        self.press += self.chance.of(*[1] * 40, 0, 2)
        self.say("press", self.press, self.now)

    # -- what the engine does ----------------------------------------------------------------------------------------

    def train(self, channel: int, ua: int) -> Train:
        """A plain pulse as the protocol has it; now and then it is another than before."""
        chance = self.chance
        width, gap = self.pulse_us, self.gap_us
        if chance.one_in(60):
            width, gap = chance.of((width + 1, gap), (width - 10, gap), (width, 150), (self.width_us, gap))
        pause = (Point(gap, 0),) if gap else ()
        return Train(channel, (Point(width, ua), *pause, Point(width, -ua)), 29_000 if self.unit != 2 else 30_000)

    def deliver(self, levels: dict[int, int], purpose: Purpose, **other: Any) -> None:
        """Ask for these currents. `other` are fields that differ."""
        self.seq += 1
        trains = tuple(self.train(channel, ua) for channel, ua in levels.items())
        fields = {"seq": self.seq, "stamp_ns": self.now - 2 * MS, "expires_ns": self.now + 118 * MS, "purpose": purpose}
        fields |= {"trains": trains, "press": self.press, "sensor_ns": self.now - 10 * MS} | other
        self.level = dict(levels)
        self.say("admit", Deliver(**fields), self.now, ())

    def renew(self, **other: Any) -> None:
        """Go on."""
        self.seq += 1
        fields = {"seq": self.seq, "stamp_ns": self.now - 2 * MS, "expires_ns": self.now + 118 * MS}
        fields |= {"sensor_ns": self.now - 2 * MS}
        self.say("admit", Renew(**(fields | other)), self.now, ())

    def go_on(self, ns: int) -> None:
        """Time passes, and the engine renews where something is on."""
        for _ in range(ns // (100 * MS) if self.level else 0):
            self.wait(min(100 * MS, ns))
            self.renew()
            ns -= 100 * MS
        self.wait(ns)

    def off(self) -> None:
        """The end of a burst, as an order or as a fact."""
        self.level = {}
        if self.chance.one_in(2):
            self.say(self.chance.of("off", "off_stimulation"), self.now)
            return
        self.seq += 1
        self.say("admit", Deliver(self.seq, self.now, self.now + 120 * MS, Purpose.ASSIST, ()), self.now, ())

    def move(self, hold: bool, torque: int, opened: tuple[int, ...] = (), **other: Any) -> None:
        """Ask the orthosis for something."""
        speed, _, low, high, _ = JOINTS[self.joint]
        self.motion_seq += 1
        fields: dict[str, Any] = {"seq": self.motion_seq, "stamp_ns": self.now, "expires_ns": self.now + 120 * MS}
        fields |= {"torque_mnm": torque, "sensor_ns": self.now - 10 * MS}
        goal = self.angle if hold else self.chance.of((low + high) // 2, self.angle + 600, self.angle - 600)
        fields |= {"angle_cdeg": goal} if hold else {"target_cdeg": goal, "speed_cdps": speed}
        fields |= {name: value for name, value in other.items() if name in fields}
        self.torque = torque
        self.say("admit", (Hold if hold else Assist)(**fields), self.now, opened)

    def stand(self, angle: int, age_ns: int = 0) -> None:
        """The orthosis reports."""
        self.angle = angle
        self.say("posture", Posture(self.now - age_ns, angle, 0, 0, True))
