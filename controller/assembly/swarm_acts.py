"""Carries out what a plan wants to go wrong, and tells the checkers what of it has to end the output, and by when.

A bound is 250 ms wherever software can act. Where it cannot (the gateway is gone or stands still, the unit's cable is
out or spoils what is said) the last word is the device's own watchdog: such times are `untrusted`. A screen that stands
still is noticed by its missing heartbeat after 500 ms, so 750 ms are asked of it.
"""

from collections.abc import Callable

from controller.assembly.swarm_house import START_UP_NS, SimulatedHouse
from controller.assembly.swarm_lines import Pipe
from controller.assembly.swarm_parts import Port
from controller.assembly.swarm_person import Person
from controller.assembly.swarm_plan import Act
from controller.clock import MS, SECOND
from sim.catalogue import make
from sim.checker_course import Course, Event, Kind
from sim.checker_limits import OPERATOR_STOP_NS, STOP_NS
from sim.disk import SimulatedDisk
from sim.faults import Fault
from sim.mixes import ends_ns, host_side, longest_wait_ns

SILENT_SCREEN_NS = 750 * MS
LEASE_CHECK_NS = 250 * MS
JUMP_NS = 600 * MS
JUMPED, WOKE = "the clock jumped", "the computer woke up"
KEY_EVERY_NS = 33 * MS
"""A key that is held repeats about 30 times a second."""
FOREVER = 1 << 62


class Acts:
    """One world's troubles. `course` is what the checkers will be given."""

    def __init__(self, house: SimulatedHouse, person: Person, disk: SimulatedDisk, course: Course, seed: int) -> None:
        self.house = house
        self.person = person
        self.disk = disk
        self.course = course
        self.gear: list[tuple[int, int]] = []
        self._seed = seed
        self._steps: list[int] = []
        self._watchdog_ns = house.hardware.unit.capabilities.watchdog_ms * MS
        orthosis = house.hardware.orthosis
        self._servo_ns = 0 if orthosis is None else orthosis.capabilities.watchdog_ms * MS
        course.slow_ns = self._watchdog_ns + STOP_NS.value + 100 * MS
        course.joint_slow_ns = self._servo_ns + SECOND

    # -- faults of devices and cables ----------------------------------------------------------------------------------

    def add_faults(self, faults: tuple[Fault, ...], now_ns: int) -> None:
        """They begin as they say, counted from now."""
        unit, joint = self.house.unit.name, self.house.joint.name
        for fault in faults:
            self.house.world.add(fault, now_ns)
            begin_ns, end_ns = now_ns + fault.start_ns, now_ns + ends_ns(fault)
            if fault.device == unit and host_side([fault]):
                self.course.untrusted.append((begin_ns, end_ns + self._watchdog_ns + SECOND))
                self.course.slow_ns += longest_wait_ns([fault])
            elif fault.device == joint and host_side([fault]):
                self.course.joint_untrusted.append((begin_ns, end_ns + self._servo_ns + SECOND))
                self.course.joint_slow_ns += longest_wait_ns([fault])
            elif fault.name == "lost-bus-watchdog":
                self.course.joint_slow_ns = FOREVER
            elif fault.name in ("stuck-joint", "slow-joint"):
                self.gear.append((begin_ns, end_ns + SECOND))
            elif fault.name in ("electrode-off", "electrode-short"):
                self.course.loose.append((int(fault.value), begin_ns, end_ns + SECOND))
            elif fault.device == unit and fault.name == "reset":
                self.course.untrusted.append((begin_ns, min(end_ns, begin_ns + 100 * SECOND)))

    # -- everything else -----------------------------------------------------------------------------------------------

    def add(self, acts: tuple[Act, ...], now_ns: int) -> None:
        """They begin as they say, counted from now."""
        for act in acts:
            self.house.at(now_ns + act.start_ms * MS, self._beginning(act))

    def _beginning(self, act: Act) -> Callable[[int], None]:
        return lambda now_ns: self.do(now_ns, act)

    def do(self, now_ns: int, act: Act) -> None:
        """It begins now."""
        _ACTS[act.name](self, now_ns, act)

    def _event(self, kind: Kind, t_ns: int, skin_ns: int, joint_ns: int, cause: str, until_ns: int = 0) -> None:
        self.course.events.append(Event(kind, t_ns, until_ns, skin_ns, joint_ns, cause))

    def _if_flowing(self, t_ns: int, cause: str, session: bool = False) -> None:
        bound_ns = STOP_NS.value
        self.course.events.append(Event(Kind.IF_FLOWING, t_ns, 0, bound_ns, bound_ns, cause, session))

    def _stop(self, t_ns: int, cause: str, bound_ns: int = STOP_NS.value) -> None:
        self._event(Kind.STOP, t_ns, bound_ns, bound_ns, cause)

    def _deaf(self, from_ns: int, until_ns: int) -> None:
        """Nobody speaks for the gateway in this time."""
        self.course.untrusted.append((from_ns, until_ns))
        self.course.joint_untrusted.append((from_ns, until_ns))

    def _without_gateway(self, now_ns: int, cause: str) -> None:
        self._deaf(now_ns, now_ns + START_UP_NS + self._watchdog_ns + SECOND)
        self._stop(now_ns, cause)

    def kill(self, now_ns: int, act: Act) -> None:
        """A process is killed."""
        if act.where == "gateway":
            self._without_gateway(now_ns, "the gateway was killed")
            self.house.kill_gateway()
        elif act.where == "engine":
            self._stop(now_ns, "the engine was killed")
            self.house.kill_engine()
        elif self.house.screen.up:
            self._stop(now_ns, "the screen was killed")
            self.person.begin_anew(now_ns)

    def freeze(self, now_ns: int, act: Act) -> None:
        """A process stands still for a while."""
        house, length_ns = self.house, act.length_ms * MS
        until_ns = now_ns + length_ns
        if act.where == "gateway":
            self._deaf(now_ns, until_ns + START_UP_NS + self._watchdog_ns + SECOND)
            if length_ns >= JUMP_NS:
                self._stop(now_ns, "the gateway stood still")
            house.freeze(house.gateway_process, until_ns)
        elif act.where == "engine":
            if length_ns >= LEASE_CHECK_NS:
                self._if_flowing(now_ns, "the engine stood still")
            if length_ns >= SILENT_SCREEN_NS and house.engine_process.up:
                self._stop(now_ns, "the engine stood still", SILENT_SCREEN_NS)
            house.freeze(house.engine_process, until_ns)
        else:
            if length_ns >= SILENT_SCREEN_NS + 100 * MS and house.screen.up:
                self._stop(now_ns, "the screen stood still", SILENT_SCREEN_NS)
            house.freeze(house.screen, until_ns)

    def suspend(self, now_ns: int, act: Act) -> None:
        """The computer sleeps: nobody on it does anything, and the clock goes on."""
        house, until_ns = self.house, now_ns + act.length_ms * MS
        house.sleep(until_ns)
        self._deaf(now_ns, until_ns - 1)
        dark_ns = self.course.slow_ns
        self._event(Kind.DARK, now_ns, dark_ns, self.course.joint_slow_ns, "the computer slept", until_ns)
        if until_ns - now_ns >= JUMP_NS:
            self._stop(until_ns, WOKE)

    def late(self, now_ns: int, act: Act) -> None:
        """A line brings everything later, or nothing at all until it is let go."""
        house, until_ns = self.house, now_ns + act.length_ms * MS
        pipe = self._pipe(act.where)
        if act.name == "hold":
            pipe.hold()
            delay_ns = act.length_ms * MS
            house.at(until_ns, pipe.let_go)
        else:
            delay_ns = pipe.delay_ns = int(act.value[:-2]) * MS
            house.at(until_ns, lambda _: setattr(pipe, "delay_ns", 0))
        if act.where == "screen>gateway":
            self._deaf(now_ns, until_ns + delay_ns)
            if delay_ns >= SILENT_SCREEN_NS and act.length_ms * MS >= SILENT_SCREEN_NS:
                self._stop(now_ns, "the screen was not heard", SILENT_SCREEN_NS + 100 * MS)
        elif act.where == "gateway>engine" and delay_ns > 250 * MS:
            self._deaf(now_ns, until_ns + delay_ns + START_UP_NS + self._watchdog_ns + SECOND)
        elif act.where == "engine>gateway" and act.name == "hold" and act.length_ms * MS >= LEASE_CHECK_NS:
            self._if_flowing(now_ns, "the engine was not heard")

    def _pipe(self, where: str) -> Pipe:
        house = self.house
        return {
            "engine>gateway": house.engine_to_gateway,
            "gateway>engine": house.gateway_to_engine,
            "screen>gateway": house.front_to_gateway,
            "gateway>screen": house.gateway_to_front,
            "screen>engine": house.front_to_engine,
        }[where]

    def drift(self, now_ns: int, act: Act) -> None:
        """The computer's clock runs too fast or too slow for a while."""
        self.house.clock.drift(now_ns, int(act.value[:-3]))
        self.house.at(now_ns + act.length_ms * MS, lambda later_ns: self.house.clock.drift(later_ns, 0))

    def step(self, now_ns: int, act: Act) -> None:
        """The computer's clock jumps."""
        by_ns = int(act.value[:-2]) * MS
        self.house.clock.step(now_ns, by_ns)
        house, steps = self.house, self._steps
        steps.append(now_ns)
        self.course.stepped_ns.append(now_ns)
        if 0 < by_ns < JUMP_NS:  # too small to notice: the guard's rest is shorter by so much
            self.course.blind_ns.append(now_ns)
        unseen_ns = now_ns - 110 * MS if len(steps) > 1 and now_ns - steps[-2] < 110 * MS else now_ns
        if unseen_ns < now_ns or now_ns < max(house.asleep_until_ns, house.gateway_process.frozen_until_ns):
            # Who looks at the clock only now sees the sum of all that happened to it: it may be too small to notice.
            self.course.blind_ns.append(now_ns)
            for event in [each for each in self.course.events if each.kind is Kind.STOP and each.t_ns >= unseen_ns]:
                if event.cause in (JUMPED, WOKE):
                    self.course.events.remove(event)
        elif by_ns >= JUMP_NS or by_ns <= -200 * MS:
            self._stop(now_ns, JUMPED)
        for process in (self.house.gateway_process, self.house.engine_process):
            process.due_ns = min(process.due_ns, now_ns + 100 * MS)

    def disk_fault(self, now_ns: int, act: Act) -> None:
        """The disk fails for a while, or in one write."""
        disk, until_ns = self.disk, now_ns + act.length_ms * MS
        notice_ns = now_ns + 20 * MS
        if act.name == "disk-write":
            disk.fail_at = disk.writes + 1
        elif act.name == "disk-slow":
            disk.behind_since_ns, notice_ns = self.house.clock.read(now_ns), now_ns + 1_020 * MS
        else:
            disk.full, disk.read_only = act.name == "disk-full", act.name == "disk-read-only"
        if act.name == "disk-write" or notice_ns < until_ns:
            self._if_flowing(notice_ns, act.name, session=True)
        if act.length_ms:
            self.house.at(until_ns, lambda _: disk.mend())

    def press_stop(self, now_ns: int, act: Act) -> None:
        """STOP, by a key or from outside."""
        if act.name == "signal":
            self._stop(now_ns, f"STOP ({act.value})", OPERATOR_STOP_NS.value)
            self.house.signal(act.value)
        elif self.house.screen.up:
            self._stop(now_ns, f"STOP ({act.value})", OPERATOR_STOP_NS.value)
            self.person.hands.stop(act.value)

    def err(self, now_ns: int, act: Act) -> None:
        """A hand on the keys."""
        if not self.house.screen.awake(now_ns):
            return
        if act.name == "disarm":
            self._stop(now_ns, "a person disarmed")
        for number in range(1 + act.length_ms * MS // KEY_EVERY_NS):
            self.house.at(now_ns + number * KEY_EVERY_NS, lambda later_ns: self._press(later_ns, act.name))

    def _press(self, now_ns: int, what: str) -> None:
        if self.house.screen.awake(now_ns):
            self.person.err(now_ns, what)

    def pull(self, now_ns: int, act: Act) -> None:
        """A cable is pulled, and plugged in again."""
        house, until_ns = self.house, now_ns + act.length_ms * MS
        cause = f"the cable of {act.where} was pulled"
        port = self._port(act.where)
        if port is house.unit:
            self.course.untrusted.append((now_ns, until_ns + self._watchdog_ns + SECOND))
            self._stop(now_ns, cause)
        elif port is house.joint:
            self.course.joint_untrusted.append((now_ns, until_ns + self._servo_ns + SECOND))
            self._stop(now_ns, cause)
        else:
            self._if_flowing(now_ns, cause, session=True)
            away = Event(Kind.DARK, now_ns, until_ns, STOP_NS.value, STOP_NS.value, cause, session=True)
            self.course.events.append(away)
        port.pull(now_ns, until_ns)

    def _port(self, name: str) -> Port:
        house = self.house
        return next(port for port in (house.unit, house.joint, house.puck) if port.name == name)

    def swap(self, now_ns: int, act: Act) -> None:
        """The unit is unplugged, another one of its kind stands there for a while, then the first comes back."""
        house = self.house
        unit = house.world.stimulator
        if unit is None:
            return
        own = unit.twin
        other = make(unit.name, seed=self._seed, log=house.world.log)
        other.identity = own.identity[:-1] + "X"
        third_ns = act.length_ms * MS // 3
        self.pull(now_ns, Act("pull", unit.name, 0, act.length_ms // 3))

        def change(later_ns: int, twin: object) -> None:
            unit.twin.advance(later_ns)
            unit.twin = twin  # type: ignore[assignment]
            unit.twin.advance(later_ns)

        def second(later_ns: int) -> None:
            self.pull(later_ns, Act("pull", unit.name, 0, act.length_ms // 3))

        house.at(now_ns + third_ns - 1, lambda later_ns: change(later_ns, other))
        house.at(now_ns + 2 * third_ns, second)
        house.at(now_ns + 3 * third_ns - 1, lambda later_ns: change(later_ns, own))


_ACTS: dict[str, Callable[[Acts, int, Act], None]] = {
    "kill": Acts.kill,
    "freeze": Acts.freeze,
    "suspend": Acts.suspend,
    "late": Acts.late,
    "hold": Acts.late,
    "clock-drift": Acts.drift,
    "clock-step": Acts.step,
    "disk-full": Acts.disk_fault,
    "disk-read-only": Acts.disk_fault,
    "disk-slow": Acts.disk_fault,
    "disk-write": Acts.disk_fault,
    "stop": Acts.press_stop,
    "signal": Acts.press_stop,
    "disarm": Acts.err,
    "wrong-number": Acts.err,
    "arm-only": Acts.err,
    "pause": Acts.err,
    "held-key": Acts.err,
    "more": Acts.err,
    "pull": Acts.pull,
    "swap": Acts.swap,
}
