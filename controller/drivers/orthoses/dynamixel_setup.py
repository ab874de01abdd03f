"""What is asked of a servo before it may push, as a table: question, size of its answer, and what must be in it.

The servo's torque is off all the time. Settings that belong to whoever built the orthosis are only looked at; the
operating mode and the bus watchdog are written, and read back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from controller.drivers.orthoses.dynamixel_faults import (
    NO_WATCHDOG,
    firmware_fault,
    hardware_fault,
    model_fault,
    refusal,
    setting_fault,
)
from controller.drivers.orthoses.dynamixel_gate import MODE_CURRENT, WATCHDOG_PERIODS, read, write
from controller.drivers.orthoses.events import UnitFault
from controller.wire.dynamixel.messages import Error, Message, Ping, Read
from controller.wire.dynamixel.registers import (
    IDENTITY_ADDRESS,
    IDENTITY_BYTES,
    MODELS,
    OVERHEAT,
    OVERLOAD,
    SHOCK,
    Model,
)

FIRMWARE_MIN = 38
"""The first with a bus watchdog and a drive mode."""
RETURN_ALL = 2
PROTOCOL = 2
SHUTDOWN_MIN = OVERHEAT | SHOCK | OVERLOAD


@dataclass(slots=True)
class Servo:
    """What is known of the servo so far. Volts in 0.1 V; `current_limit` in its own units."""

    id: int
    model: Model | None = None
    firmware: int = 0
    identity: str = ""
    mode: int = -1
    current_limit: int = 0
    temperature_max: int = 0
    voltage_min: int = 0
    voltage_max: int = 0


STEP_TRIES = 3
"""So often a question is asked that nobody answers, or that was damaged on its way."""
UNREADABLE = (Error.INSTRUCTION, Error.RANGE, Error.LENGTH, Error.LIMIT, Error.ACCESS)
"""What a servo may say to a read of an address that it does not have. Which of them is for hardware to show."""


class Step(NamedTuple):
    """One question. `ask` gives None where it need not be asked; `check` gives what is wrong. `size` of a good answer.

    `error_ok`: one of `UNREADABLE` is an answer too, and `check` gets it as no data.
    """

    what: str
    size: int
    ask: Callable[[Servo], Message | None]
    check: Callable[[Servo, bytes], UnitFault | None]
    error_ok: bool = False

    def judge(self, servo: Servo, error: int, data: bytes) -> UnitFault | None:
        """What is wrong with this answer."""
        if error and not (self.error_ok and error in UNREADABLE):
            return refusal(self.what, error)
        return self.check(servo, b"" if error else data)


def _ping(servo: Servo, data: bytes) -> UnitFault | None:
    number, servo.firmware = data[0] | data[1] << 8, data[2]
    servo.model = MODELS.get(number)
    if servo.model is None:
        return model_fault(number)
    return None if servo.firmware >= FIRMWARE_MIN else firmware_fault(servo.firmware, FIRMWARE_MIN)


def _identity(servo: Servo, data: bytes) -> UnitFault | None:
    """A servo has no name and answers with an error; a simulated one says that it is simulated."""
    text = data.rstrip(b"\0 ").decode("ascii", "replace")
    name = servo.model.name if servo.model else "Dynamixel"
    servo.identity = text if text.startswith("SIM") and text.isprintable() else f"{name} id {servo.id}"
    return None


def _hardware(servo: Servo, data: bytes) -> UnitFault | None:
    if data[2]:
        return hardware_fault(data[2])
    return None if data[0] == RETURN_ALL else setting_fault("status return level", data[0], f"{RETURN_ALL}")


def _configuration(servo: Servo, data: bytes) -> UnitFault | None:
    servo.mode = data[3]
    # Reverse mode is refused too: the makers' pages differ on whether current turns round with the angle.
    if data[2]:
        return setting_fault("drive mode", data[2], "0")
    return None if data[5] == PROTOCOL else setting_fault("protocol", data[5], f"{PROTOCOL}")


def _limits(servo: Servo, data: bytes) -> UnitFault | None:
    servo.temperature_max = data[0]
    servo.voltage_max, servo.voltage_min = data[1] | data[2] << 8, data[3] | data[4] << 8
    servo.current_limit = data[7] | data[8] << 8
    most = servo.model.current_limit if servo.model else 0
    return (
        None
        if 1 <= servo.current_limit <= most
        else setting_fault("current limit", servo.current_limit, f"1 to {most}")
    )


def _startup(servo: Servo, data: bytes) -> UnitFault | None:
    return setting_fault("startup configuration", data[0], "0") if data[0] else None


def _shutdown(servo: Servo, data: bytes) -> UnitFault | None:
    missing = SHUTDOWN_MIN & ~data[0]
    return setting_fault("shutdown mask", data[0], f"{SHUTDOWN_MIN} or include it") if missing else None


def _mode(servo: Servo, data: bytes) -> UnitFault | None:
    return None if data[0] == MODE_CURRENT else setting_fault("operating mode", data[0], f"{MODE_CURRENT}")


def _watchdog(servo: Servo, data: bytes) -> UnitFault | None:
    return None if data[0] == WATCHDOG_PERIODS else NO_WATCHDOG


def _nothing(servo: Servo, data: bytes) -> UnitFault | None:
    return None


def _has_startup(servo: Servo) -> bool:
    return servo.model is not None and servo.firmware >= servo.model.startup_firmware


IDENTIFY: tuple[Step, ...] = (
    Step("a ping", 3, lambda s: Ping(s.id), _ping),
    Step("a name", IDENTITY_BYTES, lambda s: Read(s.id, IDENTITY_ADDRESS, IDENTITY_BYTES), _identity, error_ok=True),
)
PREPARE: tuple[Step, ...] = (
    Step("its hardware error", 3, lambda s: read(s.id, "status_return", 3), _hardware),
    Step("its configuration", 6, lambda s: read(s.id, "baud", 6), _configuration),
    Step("its limits", 9, lambda s: read(s.id, "temperature_limit", 9), _limits),
    Step("its startup configuration", 1, lambda s: read(s.id, "startup", 1) if _has_startup(s) else None, _startup),
    Step("its shutdown mask", 1, lambda s: read(s.id, "shutdown", 1), _shutdown),
    Step(
        "current control",
        0,
        lambda s: None if s.mode == MODE_CURRENT else write(s.id, "operating_mode", MODE_CURRENT),
        _nothing,
    ),
    Step("its operating mode", 1, lambda s: read(s.id, "operating_mode", 1), _mode),
    Step("clearing its watchdog", 0, lambda s: write(s.id, "bus_watchdog", 0), _nothing),
    Step("its watchdog", 0, lambda s: write(s.id, "bus_watchdog", WATCHDOG_PERIODS), _nothing),
    Step("its watchdog's value", 1, lambda s: read(s.id, "bus_watchdog", 1), _watchdog),
)
STEPS = IDENTIFY + PREPARE


def refused(error: int) -> int:
    """The error number in a status' error byte, without the alert."""
    return Error.NONE if not error & 0x7F else error & 0x7F
