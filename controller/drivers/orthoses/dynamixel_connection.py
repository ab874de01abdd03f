"""The listening half of the Dynamixel driver: where the connection is, and what each answer of the servo means for it.

The bus is half-duplex and answers carry no number, so at most one question is open, and questions differ in the size
of their answers. What was given up may still be answered: answers of another size than the open question's are let
pass. Whatever arrives, nothing is raised. A fault is said once for each cause until a person re-arms; every fault
leads to torque off, repeated by `poll` until a read confirms it.
"""

from collections.abc import Callable
from enum import IntEnum, auto
from typing import ClassVar, NamedTuple

from controller.drivers.orthoses.dynamixel_course import Course, Wish
from controller.drivers.orthoses.dynamixel_faults import (
    ALERTED,
    DEAF_TO_STOP,
    FELL_OFF,
    NO_WATCHDOG,
    STILL_ON,
    TRIPPED,
    hardware_fault,
    heat_fault,
    refusal,
    voltage_fault,
)
from controller.drivers.orthoses.dynamixel_gate import WATCHDOG_PERIODS
from controller.drivers.orthoses.dynamixel_setup import IDENTIFY, STEP_TRIES, STEPS, Servo, refused
from controller.drivers.orthoses.events import Freed, Identified, JointEvent, Moved, Ready, UnitFault
from controller.wire.dynamixel.frame import Frame, Framer
from controller.wire.dynamixel.instructions import STATUS, decode_status
from controller.wire.dynamixel.messages import ALERT, Error, Status
from controller.wire.dynamixel.registers import REGISTER, WATCHDOG_TRIPPED, ZERO_POSITION
from controller.wire.errors import RemoteError
from safety.joint import Posture

MS = 1_000_000
FOREVER = 1 << 62
HEALTH_EVERY_NS = 125 * MS
"""Four questions take turns, so each is asked every 500 ms."""
AGAIN_NS = 1_000 * MS
"""A servo that could not be identified is asked again by itself: nobody can arm what has no name."""
STALE_MAX = 8
"""So many answers to what was given up are let pass uncounted."""
WARM_C = 5
"""This much below the servo's own limit it is too hot."""


class Phase(IntEnum):
    """Where the connection is. Torque may be on from `ENABLING` to `RELEASING`, and until `FREEING` ends."""

    CLOSED = auto()
    FREEING = auto()
    SETTING_UP = auto()
    STOPPED = auto()
    READY = auto()
    ENABLING = auto()
    MOVING = auto()
    RELEASING = auto()


class Ask(IntEnum):
    """What an open question is about."""

    STEP = auto()  # of the set-up
    WRITE = auto()
    POSTURE = auto()
    TORQUE = auto()
    HARDWARE = auto()
    WATCHDOG = auto()
    SUPPLY = auto()


QUESTIONS: dict[Ask, tuple[str, int]] = {
    Ask.POSTURE: ("present_current", 10),
    Ask.TORQUE: ("torque_enable", 2),
    Ask.HARDWARE: ("status_return", 3),
    Ask.WATCHDOG: ("bus_watchdog", 1),
    Ask.SUPPLY: ("position_trajectory", 7),
}
"""First register and size of each reading; no two of one size, so that no answer can be taken for another's."""
HEALTH = (Ask.HARDWARE, Ask.WATCHDOG, Ask.TORQUE, Ask.SUPPLY)
TORQUE_MAY_BE_ON = (Phase.ENABLING, Phase.MOVING, Phase.RELEASING)


class Asked(NamedTuple):
    """A question whose answer is awaited until `due_ns`."""

    about: Ask
    size: int
    asked_ns: int
    due_ns: int


class DynamixelConnection:
    """State of one connection, changed by what the servo says. `DynamixelDriver` adds what is said to the servo."""

    def __init__(self, servo_id: int) -> None:
        self.phase = Phase.CLOSED
        self.identity = ""
        self.posture: Posture | None = None
        self.confirmed_free = False
        self._servo = Servo(servo_id)
        self._framer = Framer()
        self._odd = 0
        self._stale = 0
        self._open: Asked | None = None
        self._goal_ready = False
        self._given_up = False
        self._again_ns = FOREVER
        self._prepared = False
        self._step = 0
        self._tries = 0
        self._skip_torque = False
        self._torque_on = False
        self._due_ns = FOREVER
        self._heard_ns = 0
        self._health = 0
        self._health_ns = 0
        self._said: set[str] = set()
        self._wish: Wish | None = None
        self._course: Course | None = None
        self._control = False
        """A posture has come that no current has answered yet."""

    @property
    def wire_faults(self) -> int:
        """Damaged frames, stray bytes, and answers to nothing that was asked, since the connection began."""
        return self._framer.bad + self._odd

    def feed(self, now_ns: int, data: bytes) -> list[JointEvent]:
        """Take bytes from the bus. Whatever they are, nothing is raised; what does not belong is counted."""
        events: list[JointEvent] = []
        for frame in self._framer.feed(data):
            # An adapter may echo what was sent: an instruction is no answer, and no fault.
            if type(frame) is not Frame or frame.instruction != STATUS:
                continue
            try:
                status = decode_status(frame)
            except RemoteError:
                self._odd += 1
                continue
            if status.id == self._servo.id:
                self._take(now_ns, status, events)
            else:
                self._odd += 1
        return events

    def _take(self, now_ns: int, status: Status, events: list[JointEvent]) -> None:
        asked, error = self._open, refused(status.error)
        if asked is None or len(status.data) != (0 if error else asked.size):
            if self._stale:
                self._stale -= 1
            else:
                self._odd += 1
            return
        self._open = None
        self._heard_ns = now_ns
        if asked.about is Ask.STEP:
            self._on_step(now_ns, error, status.data, events)
            return
        if error:
            if self.phase is not Phase.FREEING:
                self._fail(now_ns, refusal(f"a question or order ({asked.about.name.lower()})", error), events)
            return
        self._HANDLERS[asked.about](self, now_ns, asked, status.data, events)
        if status.error & ALERT and asked.about is not Ask.HARDWARE:
            self._health, self._health_ns = HEALTH.index(Ask.HARDWARE), now_ns
            if self.phase in TORQUE_MAY_BE_ON:
                self._fail(now_ns, ALERTED, events)

    # -- answers -----------------------------------------------------------------------------------------------------

    def _on_step(self, now_ns: int, error: int, data: bytes, events: list[JointEvent]) -> None:
        if error == Error.CRC and self._tries + 1 < STEP_TRIES:
            self._tries += 1
            self._due_ns = now_ns  # the question was damaged on its way: ask again
            return
        fault = STEPS[self._step].judge(self._servo, error, data)
        if fault is not None:
            self._fail(now_ns, fault, events)
            return
        self._next_step(now_ns)
        if self._step == len(IDENTIFY) and self.identity != self._servo.identity:
            self.identity = self._servo.identity
            events.append(Identified(self.identity, f"firmware {self._servo.firmware}"))

    def _next_step(self, now_ns: int) -> None:
        """Go on in the set-up; without a wish to be ready only as far as the name."""
        self._step += 1
        self._tries = 0
        self._due_ns = now_ns
        if self._step >= len(IDENTIFY) and not self._goal_ready:
            self._rest(now_ns, Phase.STOPPED)

    def _on_write(self, now_ns: int, asked: Asked, data: bytes, events: list[JointEvent]) -> None:
        self._step += 1
        self._due_ns = now_ns

    def _on_posture(self, now_ns: int, asked: Asked, data: bytes, events: list[JointEvent]) -> None:
        model = self._servo.model
        if model is None:
            return
        current = REGISTER["present_current"].unpack(data[:2])
        velocity = REGISTER["present_velocity"].unpack(data[2:6])
        position = REGISTER["present_position"].unpack(data[6:])
        # The time of the question: what is reported is never older than that.
        self.posture = Posture(
            asked.asked_ns,
            ((position - ZERO_POSITION) * 1125 + 64) // 128,
            velocity * 687 // 5,
            (abs(current) * model.torque_unm // 1000) * (1 if current > 0 else -1),
            self._torque_on,
        )
        events.append(Moved(self.posture))
        if self.phase is Phase.SETTING_UP:
            self._prepared = True
            self._stale = 0
            self._rest(now_ns, Phase.READY)
            events.append(Ready())
        elif self.phase is Phase.ENABLING:
            self._due_ns = now_ns
        elif self.phase is Phase.MOVING:
            self._control = True

    def _on_torque(self, now_ns: int, asked: Asked, data: bytes, events: list[JointEvent]) -> None:
        on = data[0] != 0
        if self.phase is Phase.FREEING:
            if self._skip_torque:
                # The answer may belong to a question from before torque off was written; ask again at once.
                self._skip_torque = False
                self._due_ns = now_ns
            elif not on:
                self._freed(now_ns, events)
        elif on and self.phase in (Phase.READY, Phase.STOPPED):
            self._fail(now_ns, STILL_ON, events)
        elif not on and self.phase in (Phase.MOVING, Phase.RELEASING):
            self._fail(now_ns, FELL_OFF, events)

    def _freed(self, now_ns: int, events: list[JointEvent]) -> None:
        self._torque_on = False
        self.confirmed_free = True
        events.append(Freed(now_ns))
        self._said.discard(DEAF_TO_STOP.cause)
        if self._goal_ready and self._prepared:
            self._rest(now_ns, Phase.READY)
        elif self._goal_ready or not (self.identity or self._given_up):
            self.phase, self._step, self._tries, self._due_ns = Phase.SETTING_UP, 0, 0, now_ns
        else:
            self._rest(now_ns, Phase.STOPPED)
            self._again_ns = now_ns + AGAIN_NS

    def _rest(self, now_ns: int, phase: Phase) -> None:
        """Nothing moves; posture and health are read from now on."""
        self.phase = phase
        self._due_ns = self._heard_ns = now_ns
        self._health_ns = now_ns + HEALTH_EVERY_NS

    def _on_hardware(self, now_ns: int, asked: Asked, data: bytes, events: list[JointEvent]) -> None:
        if data[2]:
            self._fail(now_ns, hardware_fault(data[2]), events)

    def _on_watchdog(self, now_ns: int, asked: Asked, data: bytes, events: list[JointEvent]) -> None:
        if self.phase is Phase.STOPPED or not self._prepared:
            return
        if data[0] != WATCHDOG_PERIODS:
            self._fail(now_ns, TRIPPED if data[0] == WATCHDOG_TRIPPED else NO_WATCHDOG, events)
        elif self.phase is Phase.ENABLING:
            self._on_write(now_ns, asked, data, events)

    def _on_supply(self, now_ns: int, asked: Asked, data: bytes, events: list[JointEvent]) -> None:
        decivolts, celsius = data[4] | data[5] << 8, data[6]
        servo = self._servo
        if servo.voltage_max and not servo.voltage_min <= decivolts <= servo.voltage_max:
            self._fail(now_ns, voltage_fault(decivolts), events)
        elif servo.temperature_max and celsius > servo.temperature_max - WARM_C:
            self._fail(now_ns, heat_fault(celsius), events)

    # -- faults ------------------------------------------------------------------------------------------------------

    def _fail(self, now_ns: int, fault: UnitFault, events: list[JointEvent]) -> None:
        """Say it, and let go: torque off comes out of the next `poll`, which is due at once."""
        self._given_up = self._given_up or self.phase is Phase.SETTING_UP
        self._say(fault, events)
        self._goal_ready = False
        self._prepared = False
        if self.phase not in (Phase.FREEING, Phase.STOPPED) or (self.phase is Phase.STOPPED and fault is STILL_ON):
            self._begin_freeing(now_ns)

    def _begin_freeing(self, now_ns: int) -> None:
        self._wish = self._course = None
        self._control = False
        self.confirmed_free = False
        self._skip_torque = self._open is not None and self._open.about is Ask.TORQUE
        self._give_up()
        self.phase = Phase.FREEING
        self._tries = 0
        self._due_ns = now_ns

    def _give_up(self) -> None:
        """Wait no longer for the open question's answer."""
        if self._open is not None:
            self._open = None
            self._stale = min(self._stale + 1, STALE_MAX)

    def _say(self, fault: UnitFault, events: list[JointEvent]) -> None:
        """Each cause once until a person re-arms: a servo that keeps failing must not flood the record."""
        if fault.cause not in self._said:
            self._said.add(fault.cause)
            events.append(fault)

    _HANDLERS: ClassVar[dict[Ask, Callable[..., None]]] = {
        Ask.WRITE: _on_write,
        Ask.POSTURE: _on_posture,
        Ask.TORQUE: _on_torque,
        Ask.HARDWARE: _on_hardware,
        Ask.WATCHDOG: _on_watchdog,
        Ask.SUPPLY: _on_supply,
    }
