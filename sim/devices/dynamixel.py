"""Twin of one Dynamixel servo on a joint: the servo's role of the codec, its control table, motor and bus watchdog.

The world tells it where the joint is (`feel`), lets it live (`advance`) and takes what it pushes with (`torque_nm`).
Answers come after the servo's return delay and their time on the wire at 1 Mbaud. Rules: e-manual of Robotis. Guesses,
to be tried on hardware: what the watchdog does to torque (`torque_drops`) and whose packets feed it (`fed_by_any_id`);
that a servo answers a multi-servo read only where nobody stands before it in the list; 200 ms to start.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from controller.wire.dynamixel.frame import BROADCAST, STRAY, BadFrame, Frame, Framer
from controller.wire.dynamixel.instructions import decode_instruction, encode
from controller.wire.dynamixel.messages import (
    ALERT,
    Action,
    BulkRead,
    BulkWrite,
    Clear,
    Error,
    FactoryReset,
    FastBulkRead,
    FastStatus,
    FastSyncRead,
    Message,
    Ping,
    Read,
    Reboot,
    RegWrite,
    Status,
    SyncRead,
    SyncWrite,
    Write,
)
from controller.wire.dynamixel.registers import IDENTITY_ADDRESS, MODELS
from controller.wire.errors import RemoteError
from sim.devices.dynamixel_motor import Log
from sim.devices.dynamixel_servo import DynamixelServo

US = 1_000
BYTE_NS = 10 * US
PING_NS = 3_000 * US
ANSWERS_MAX = 64
CLEAR_TURNS = b"\x01DXL\x22"
_LEVEL_READS, _LEVEL_ALL = 1, 2


class DynamixelTwin(DynamixelServo):
    """See the module's text. `log` gets a dictionary for each run of torque, change of state and fault."""

    def __init__(
        self,
        identity: str = "SIMDXL0001",
        seed: int = 1,
        log: Log | None = None,
        *,
        model: str = "XM430-W210",
        id: int = 1,
        firmware: int = 46,
        torque_drops: bool = False,
        fed_by_any_id: bool = True,
    ) -> None:
        if not identity.startswith("SIM"):
            raise ValueError(f"the identity of a simulated device begins with SIM, not {identity!r}")
        known = next((entry for entry in MODELS.values() if entry.name == model), None)
        if known is None:
            names = ", ".join(entry.name for entry in MODELS.values())
            raise ValueError(f"there is no servo {model!r}; there are {names}")
        super().__init__(known, id, firmware, log, torque_drops)
        self.identity = identity
        self.seed = seed
        self._fed_by_any_id = fed_by_any_id
        self._framer = Framer()
        self._answers: deque[tuple[int, bytes]] = deque(maxlen=ANSWERS_MAX)
        self._registered: RegWrite | None = None

    # -- bytes and time ----------------------------------------------------------------------------------------------

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """What is said by `now_ns` after `data` has arrived; most of an answer comes out of `advance`, later."""
        said = self.advance(now_ns)
        if self.booting:
            return said
        for frame in self._framer.feed(data):
            if isinstance(frame, BadFrame):
                self._complain(now_ns, frame)
            else:
                self._hear(now_ns, frame)
        return said + self._due(now_ns)

    def advance(self, now_ns: int) -> bytes:
        """Live up to `now_ns`: control steps, the bus watchdog, answers that fall due."""
        self.live(now_ns)
        return self._due(now_ns)

    def next_deadline(self) -> int:
        """When something happens by itself: each 5 ms while torque is on, else only answers and starting."""
        due_ns = self.deadline()
        return min(due_ns, self._answers[0][0]) if self._answers else due_ns

    def unplug(self, now_ns: int) -> None:
        """The bus is out: what came half is lost, and what the motor does goes on until its watchdog."""
        self.advance(now_ns)
        self._framer.clear()
        self._answers.clear()
        self._note(now_ns, "state", state="torque" if self.table.get("torque_enable") else "free", why="unplugged")

    def _due(self, now_ns: int) -> bytes:
        said = b""
        while self._answers and self._answers[0][0] <= now_ns:
            said += self._answers.popleft()[1]
        return said

    def _lost_power(self) -> None:
        self._framer.clear()
        self._answers.clear()
        self._registered = None

    # -- instructions ------------------------------------------------------------------------------------------------

    def _hear(self, now_ns: int, frame: Frame) -> None:
        own = frame.id in (self.table.get("id"), BROADCAST)
        try:
            message = decode_instruction(frame)
        except RemoteError as error:
            if own:
                self._fed(now_ns)
                self._note(now_ns, "fault", fault="instruction", reason=str(error))
                self._answer(now_ns, Error.INSTRUCTION, to_all=frame.id == BROADCAST)
            return
        if own or self._fed_by_any_id:
            self._fed(now_ns)
        if own:
            self._HANDLERS[type(message)](self, now_ns, message)
            self.refresh(now_ns)

    def _complain(self, now_ns: int, frame: BadFrame) -> None:
        if frame.reason == STRAY:
            return
        self._note(now_ns, "fault", fault="transfer", reason=frame.reason)
        if frame.id == self.table.get("id"):
            self._answer(now_ns, Error.CRC)

    def _answer(
        self, now_ns: int, error: int = 0, data: bytes = b"", *, to_all: bool = False, level: int = _LEVEL_ALL
    ) -> None:
        """A status of our own, unless the instruction went to all or the servo is told to keep quiet."""
        if to_all or self.table.get("status_return") < level:
            return
        self._send(now_ns, encode(Status(self.table.get("id"), error | self._alert(), data)))

    def _alert(self) -> int:
        return ALERT if self.table.get("hardware_error") else 0

    def _send(self, now_ns: int, data: bytes, wait_ns: int = 0) -> None:
        begin_ns = now_ns + wait_ns + 2 * US * self.table.get("return_delay")
        if self._answers:
            begin_ns = max(begin_ns, self._answers[-1][0])
        self._answers.append((begin_ns + len(data) * BYTE_NS, data))

    def _ping(self, now_ns: int, request: Ping) -> None:
        id = self.table.get("id")
        wait_ns = PING_NS * id if request.id == BROADCAST else 0
        data = bytes(self.table.data[0:2]) + bytes((self.table.get("firmware"),))
        self._send(now_ns, encode(Status(id, self._alert(), data)), wait_ns)

    def _read(self, now_ns: int, request: Read) -> None:
        data = self._bytes_at(request.address, request.size)
        error = Error.ACCESS if data is None else Error.NONE
        self._answer(now_ns, error, data or b"", to_all=request.id == BROADCAST, level=_LEVEL_READS)

    def _bytes_at(self, address: int, size: int) -> bytes | None:
        """What a read finds. Outside every table: this twin's name, which a servo does not have."""
        if address == IDENTITY_ADDRESS:
            return self.identity.encode("ascii").ljust(size)[:size]
        self.measure()
        return self.table.read(address, size)

    def _write(self, now_ns: int, request: Write) -> None:
        self._answer(now_ns, self.write(now_ns, request.address, request.data), to_all=request.id == BROADCAST)

    def _reg_write(self, now_ns: int, request: RegWrite) -> None:
        error, _ = self.table.check(request.address, request.data)
        if not error:
            self._registered = request
            self.table.set("registered", 1)
        self._answer(now_ns, error, to_all=request.id == BROADCAST)

    def _action(self, now_ns: int, request: Action) -> None:
        waiting, self._registered = self._registered, None
        self.table.set("registered", 0)
        error = Error.INSTRUCTION if waiting is None else self.write(now_ns, waiting.address, waiting.data)
        self._answer(now_ns, error, to_all=request.id == BROADCAST)

    def _factory_reset(self, now_ns: int, request: FactoryReset) -> None:
        keep = {0xFF: (), 0x01: ("id",), 0x02: ("id", "baud")}.get(request.option)
        to_all = request.id == BROADCAST
        if keep is None or self.table.get("torque_enable"):
            self._answer(now_ns, Error.RANGE if keep is None else Error.ACCESS, to_all=to_all)
            return
        self._answer(now_ns, to_all=to_all)
        said = tuple(self._answers)
        self.table.factory(*keep)
        self.restart(now_ns, "factory reset")
        self._answers.extend(said)

    def _reboot(self, now_ns: int, request: Reboot) -> None:
        self._answer(now_ns, to_all=request.id == BROADCAST)
        said = tuple(self._answers)
        self.restart(now_ns, "reboot")
        self._answers.extend(said)

    def _clear(self, now_ns: int, request: Clear) -> None:
        error = Error.NONE if request.data == CLEAR_TURNS else Error.RANGE
        self._answer(now_ns, error, to_all=request.id == BROADCAST)

    def _sync_read(self, now_ns: int, request: SyncRead) -> None:
        # A servo further down the list waits for those before it, and this bus has no others.
        if request.ids[:1] == (self.table.get("id"),):
            self._read(now_ns, Read(request.ids[0], request.address, request.size))

    def _fast_sync_read(self, now_ns: int, request: FastSyncRead) -> None:
        id = self.table.get("id")
        data = self._bytes_at(request.address, request.size)
        if request.ids != (id,) or data is None or not self.table.get("status_return"):
            return  # one frame of several servos needs all of them
        self._send(now_ns, encode(FastStatus((Status(id, self._alert(), data),))))

    def _sync_write(self, now_ns: int, request: SyncWrite) -> None:
        for id, data in request.entries:
            if id == self.table.get("id"):
                self.write(now_ns, request.address, data)

    def _bulk_read(self, now_ns: int, request: BulkRead | FastBulkRead) -> None:
        id, address, size = request.entries[0]
        if id == self.table.get("id") and type(request) is BulkRead:
            self._read(now_ns, Read(id, address, size))

    def _bulk_write(self, now_ns: int, request: BulkWrite) -> None:
        for id, address, data in request.entries:
            if id == self.table.get("id"):
                self.write(now_ns, address, data)

    _HANDLERS: ClassVar[dict[type, Callable[[Any, int, Message], None]]] = {
        Ping: _ping,
        Read: _read,
        Write: _write,
        RegWrite: _reg_write,
        Action: _action,
        FactoryReset: _factory_reset,
        Reboot: _reboot,
        Clear: _clear,
        SyncRead: _sync_read,
        FastSyncRead: _fast_sync_read,
        SyncWrite: _sync_write,
        BulkRead: _bulk_read,
        FastBulkRead: _bulk_read,
        BulkWrite: _bulk_write,
    }
