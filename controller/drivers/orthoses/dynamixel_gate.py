"""The only way out: which instructions and registers of a servo this program writes, and the frames made beforehand.

`frame` encodes a message that the table below allows and reads the bytes back as the servo would; for anything else it
raises before bytes exist. Torque off is in the table without a condition. Everything that is not here (registered
writes and their action, factory reset, reboot, clear, bulk instructions, all of EEPROM but the operating mode) is
denied.
"""

from typing import NamedTuple

from controller.drivers.orthoses.events import PairCheckFailed
from controller.wire.dynamixel.frame import BROADCAST, Frame, parse
from controller.wire.dynamixel.instructions import decode_instruction, encode
from controller.wire.dynamixel.messages import Message, Ping, Read, SyncWrite, Write
from controller.wire.dynamixel.registers import AT, REGISTER
from controller.wire.errors import LocalError, RemoteError

MODE_CURRENT = 0
WATCHDOG_PERIODS = 5
"""100 ms of silence on the bus."""


class Permit(NamedTuple):
    """What may be written now. `id`: the one servo that may be told to push. `units`: the most current, either way.

    `idle`: its torque is known to be off. `push`: torque may be switched on.
    """

    id: int
    idle: bool = False
    push: bool = False
    units: int = 0


def frame(message: Message, permit: Permit) -> bytes:
    """The bytes of `message`, read back. Raises `PairCheckFailed` for what is not allowed or does not read back."""
    if not _allowed(message, permit):
        raise PairCheckFailed(f"{message!r} is not among what may be written to this servo now")
    try:
        data = encode(message)
        read = parse(data)
        said = decode_instruction(read) if isinstance(read, Frame) else None
    except (LocalError, RemoteError) as error:
        raise PairCheckFailed(f"no frame can be made for {message!r}: {error}") from error
    # What is compared is what the servo will understand: kind, id, register and value, not the bytes.
    if type(said) is not type(message) or said != message or not _allowed(said, permit):
        raise PairCheckFailed(f"{message!r} reads back as {said!r}")
    return data


def _allowed(message: Message, permit: Permit) -> bool:
    kind = type(message)
    if kind is Ping or kind is Read:
        return bool(message.id == permit.id)
    if kind is Write:
        return _may_write(message.id, message.address, message.data, permit)
    if kind is SyncWrite:
        return all(
            _may_write(id, message.address, data, permit) and len(data) == message.size for id, data in message.entries
        )
    return False


def _may_write(id: int, address: int, data: bytes, permit: Permit) -> bool:
    """One register, whole, of this servo; to all servos only torque off."""
    register = AT.get(address)
    if register is None or len(data) != register.size:
        return False
    value = register.unpack(data)
    if register.name == "torque_enable" and value == 0:
        return True
    if id != permit.id or id == BROADCAST:
        return False
    match register.name:
        case "torque_enable":
            return value == 1 and permit.push
        case "goal_current":
            return -permit.units <= value <= permit.units
        case "operating_mode":
            return value == MODE_CURRENT and permit.idle
        case "bus_watchdog":
            return value in (0, WATCHDOG_PERIODS) and permit.idle
    return False


def write(id: int, name: str, value: int) -> Write:
    """A write of one register, to be answered. Raises `LocalError` where the value does not fit."""
    register = REGISTER[name]
    return Write(id, register.address, register.pack(value))


def unanswered(id: int, name: str, value: int) -> SyncWrite:
    """The same as a sync write to one servo, which nobody answers, so that a question may follow at once."""
    register = REGISTER[name]
    return SyncWrite(register.address, register.size, ((id, register.pack(value)),))


def read(id: int, first: str, size: int) -> Read:
    """A read of `size` bytes from a register on."""
    return Read(id, REGISTER[first].address, size)


def off_frames(id: int) -> bytes:
    """Torque off to every servo on the bus, and the question whether this one's is off; made beforehand.

    Nothing else is written: a goal, even 0, could switch torque on in a servo whose drive mode is not known yet.
    """
    permit = Permit(id)
    everyone = frame(write(BROADCAST, "torque_enable", 0), permit)
    return everyone + frame(read(id, "torque_enable", 2), permit)
