"""The driver of a joint on one Dynamixel servo (Protocol 2.0): a machine fed bytes and time that hands back bytes.

A connection begins with torque off to every servo on the bus; then which model, what name, are its settings safe,
current control, bus watchdog of 100 ms. Current control alone is used: in a position mode a servo goes on pushing when
its host has died. The driver moves a goal along and asks for current from a damped loop that never asks for more than
was admitted.

    CLOSED -> FREEING -> SETTING_UP -> READY                                        (start, rearm)
    READY -> ENABLING -> MOVING -> RELEASING -> FREEING -> READY                    (move, release)
    any -> FREEING -> STOPPED                                                       (stop, every fault)

Every 20 ms of a movement the posture is read and, when it has come, a new current written: reads and writes are what
feeds the servo's watchdog, and `poll` makes them only when `alive`. No order is ever sent twice; a new connection is a
new driver. Sync writes are used where a question follows at once, because nobody answers them.
"""

from controller.drivers.orthoses.dynamixel_connection import MS, Phase
from controller.drivers.orthoses.dynamixel_course import DYNAMIXEL_LIMITS as DYNAMIXEL_LIMITS
from controller.drivers.orthoses.dynamixel_course import Wish
from controller.drivers.orthoses.dynamixel_moves import DynamixelMoves
from controller.drivers.orthoses.events import PairCheckFailed
from controller.drivers.orthoses.kind import OrthosisKind
from controller.drivers.ports import LineSettings
from controller.vocabulary.capabilities import Capabilities
from controller.wire.dynamixel.instructions import resembles
from safety.joint import Assist, Hold
from safety.orders import Admitted

HOLD_CDPS = 1_000
"""A hold names no speed: the joint is brought to its angle this slowly."""


class DynamixelDriver(DynamixelMoves):
    """See the module's text. All times are integer nanoseconds on the caller's clock."""

    @property
    def ready(self) -> bool:
        """True while `move` may be called."""
        return self.phase in (Phase.READY, Phase.ENABLING, Phase.MOVING)

    # -- what the gateway asks for -----------------------------------------------------------------------------------

    def start(self, now_ns: int) -> bytes:
        """The first bytes on a fresh connection: torque off. The rest of the set-up comes out of `poll`."""
        data = self.stop(now_ns)
        self._goal_ready = True
        return data

    def stop(self, now_ns: int) -> bytes:
        """Torque off, now; valid in every state; `poll` repeats it until a read confirms it."""
        self._goal_ready = False
        self._prepared = False
        if self.phase is not Phase.FREEING:
            self._begin_freeing(now_ns)
        return self._free(now_ns)

    def rearm(self, now_ns: int) -> bytes:
        """Make a stopped joint ready again; `Ready` follows. Does nothing when it is ready or on its way."""
        self._said.clear()
        self._given_up = False
        if self.phase in (Phase.STOPPED, Phase.CLOSED):
            return self.start(now_ns)
        self._goal_ready = True
        return b""

    def release(self, now_ns: int, ramp_ms: int) -> bytes:
        """Let go over `ramp_ms`, as long as `alive` holds, then torque off. Without torque: torque off at once.

        Once letting go has begun, another release can only shorten it.
        """
        if self.phase is Phase.RELEASING and ramp_ms > 0:
            self._hasten(now_ns, now_ns + ramp_ms * MS)
            return b""
        if self.phase is not Phase.MOVING or not ramp_ms > 0 or not self._units:
            return self._let_go(now_ns)
        self.phase = Phase.RELEASING
        self._control = False
        self._ramp = (now_ns, now_ns + ramp_ms * MS, self._units)
        return b""

    def move(self, ticket: Admitted, now_ns: int) -> bytes:
        """Begin, or change, an admitted movement; the steps come out of `poll`. Raises `PairCheckFailed`."""
        order: object = ticket.order
        if not isinstance(order, Hold | Assist):
            raise PairCheckFailed("only an admitted hold or assist moves a joint")
        if not self.ready:
            raise PairCheckFailed("the orthosis is not ready, so nothing may be written")
        wish = self._checked(order)
        if self.phase is Phase.MOVING and self._course is not None and self.posture is not None:
            self._course.order(wish, self.posture.angle_cdeg)
        self._wish = wish
        if self.phase is not Phase.READY:
            return b""
        self.confirmed_free = False
        self.phase, self._step, self._look = Phase.ENABLING, 0, False
        self._give_up()
        return self._enable(now_ns)

    def _checked(self, order: Hold | Assist) -> Wish:
        """What `order` wishes, if this joint can do exactly that. Raises `PairCheckFailed`."""
        if isinstance(order, Assist):
            wish = Wish(order.target_cdeg, order.speed_cdps, order.torque_mnm)
        else:
            wish = Wish(order.angle_cdeg, HOLD_CDPS, order.torque_mnm)
        limits = DYNAMIXEL_LIMITS
        good = (
            all(type(value) is int for value in wish)
            and limits.angle_cdeg_min <= wish.target_cdeg <= limits.angle_cdeg_max
            and 1 <= wish.speed_cdps <= limits.speed_cdps_max
            and 1 <= wish.torque_mnm <= limits.torque_mnm_max
        )
        if not good:
            raise PairCheckFailed(f"{order!r} is outside what this joint can do")
        units = self._units_for(wish.torque_mnm)
        if not units:
            raise PairCheckFailed(f"{wish.torque_mnm} mNm is less than one step of this servo")
        for most in (units, -units):
            self._current(most, units)
        return wish


DYNAMIXEL = OrthosisKind(
    "dynamixel",
    DynamixelDriver,
    DYNAMIXEL_LIMITS,
    LineSettings(baud=1_000_000),
    Capabilities(
        "Dynamixel joint",
        channels=0,
        watchdog_ms=100,
        break_circuit="Switch the orthosis off at its power switch, or pull its power plug.",
    ),
    # Of the U2D2 adapter's FTDI chip, from memory and not verified; every adapter with that chip has the same.
    usb=((0x0403, 0x6014),),
    resembles=resembles,
)
