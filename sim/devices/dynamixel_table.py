"""The control table of a simulated Dynamixel servo: bytes, defaults, ranges, and which writes a servo refuses.

Defaults and ranges: e-manual of Robotis, XM430-W210 and XC330-T288. Guesses: a read may cross addresses that are not
defined (they read 0) but not begin outside the table; a block is taken whole or refused whole. Indirect addresses are
not simulated.
"""

from controller.wire.dynamixel.messages import Error
from controller.wire.dynamixel.registers import (
    AT,
    EEPROM_END,
    READ,
    REGISTER,
    REGISTERS,
    TURN,
    WATCHDOG_TRIPPED,
    XC330,
    Model,
    Register,
)

TABLE_BYTES = 148
CURRENT, VELOCITY, POSITION, EXTENDED, CURRENT_POSITION, PWM = 0, 1, 3, 4, 5, 16
MODES = frozenset({CURRENT, VELOCITY, POSITION, EXTENDED, CURRENT_POSITION, PWM})
MULTI_TURN = 1_048_575
GOALS = frozenset({"goal_pwm", "goal_current", "goal_velocity", "goal_position"})
_LIMITED_BY = {"goal_pwm": "pwm_limit", "goal_current": "current_limit", "goal_velocity": "velocity_limit"}

# name, default, lowest, highest; None: by the model
_COMMON: dict[str, tuple[int, int, int]] = {
    "id": (1, 0, 252),
    "baud": (3, 0, 7),
    "return_delay": (250, 0, 254),
    "drive_mode": (0, 0, 13),
    "operating_mode": (POSITION, 0, 16),
    "shadow_id": (255, 0, 255),
    "protocol": (2, 1, 22),
    "homing_offset": (0, -1_044_479, 1_044_479),
    "moving_threshold": (10, 0, 1_023),
    "pwm_limit": (885, 0, 885),
    "position_max": (TURN - 1, 0, TURN - 1),
    "position_min": (0, 0, TURN - 1),
    "startup": (0, 0, 3),
    "shutdown": (52, 0, 255),
    "torque_enable": (0, 0, 1),
    "led": (0, 0, 1),
    "status_return": (2, 0, 2),
    "position_d": (0, 0, 16_383),
    "position_i": (0, 0, 16_383),
    "feedforward_2": (0, 0, 16_383),
    "feedforward_1": (0, 0, 16_383),
    "bus_watchdog": (0, 0, 127),
    "profile_acceleration": (0, 0, 32_767),
    "profile_velocity": (0, 0, 32_767),
}
_XM430: dict[str, tuple[int, int, int]] = {
    "temperature_limit": (80, 0, 100),
    "voltage_max": (160, 95, 160),
    "voltage_min": (95, 95, 160),
    "current_limit": (1_193, 0, 1_193),
    "velocity_limit": (330, 0, 1_023),
    "velocity_i": (1_920, 0, 16_383),
    "velocity_p": (100, 0, 16_383),
    "position_p": (800, 0, 16_383),
}
_XC330: dict[str, tuple[int, int, int]] = {
    "temperature_limit": (70, 0, 100),
    "voltage_max": (140, 55, 140),
    "voltage_min": (55, 55, 140),
    "current_limit": (910, 0, 910),
    "velocity_limit": (320, 0, 2_047),
    "pwm_slope": (255, 1, 255),
    "velocity_i": (1_200, 0, 16_383),
    "velocity_p": (40, 0, 16_383),
    "position_p": (900, 0, 16_383),
}


class ControlTable:
    """One servo's table. `boot` gives what is lost without power its defaults again; EEPROM stays."""

    def __init__(self, model: Model, id: int, firmware: int) -> None:
        self.data = bytearray(TABLE_BYTES)
        self._values = dict.fromkeys(REGISTER, 0)  # what the bytes say: read far more often than written
        self._rows = {**_COMMON, **(_XC330 if model is XC330 else _XM430)}
        self._fixed = {"model_number": model.number, "firmware": firmware}
        self.factory()
        self.set("id", id)

    def get(self, name: str) -> int:
        """The value of a register."""
        return self._values[name]

    def set(self, name: str, value: int) -> None:
        """Put a value into a register, whatever a host may do there."""
        register = REGISTER[name]
        self.data[register.address : register.address + register.size] = register.pack(value)
        self._values[name] = value

    def factory(self, *keep: str) -> None:
        """All of EEPROM at its default, but for the registers `keep`; then `boot`."""
        kept = {name: self.get(name) for name in keep}
        for name, (default, _, _) in self._rows.items():
            self.set(name, kept.get(name, default))
        for name, value in self._fixed.items():
            self.set(name, value)
        self.boot()

    def boot(self) -> None:
        """What a servo's memory holds after power has come."""
        for register in REGISTERS:
            if register.address >= EEPROM_END:
                self.set(register.name, self._rows.get(register.name, (0, 0, 0))[0])
        self.set("torque_enable", self.get("startup") & 1)
        self.new_goals()

    def new_goals(self) -> None:
        """The goals with which an operating mode begins."""
        for name in GOALS:
            self.set(name, 0)
        self.set("goal_pwm", self.get("pwm_limit") if self.get("operating_mode") != PWM else 0)
        if self.get("operating_mode") == CURRENT_POSITION:
            self.set("goal_current", self.get("current_limit"))

    def read(self, address: int, size: int) -> bytes | None:
        """`size` bytes from `address`; None where the table has none."""
        if size < 1 or address + size > TABLE_BYTES:
            return None
        return bytes(self.data[address : address + size])

    def check(self, address: int, data: bytes) -> tuple[Error, list[tuple[Register, int]]]:
        """What writing `data` at `address` means: an error, or the registers with their new values."""
        wanted: list[tuple[Register, int]] = []
        at = 0
        while at < len(data):
            register = AT.get(address + at)
            if register is None or register.access == READ or register.name not in {*self._rows, *GOALS}:
                return Error.ACCESS, []
            if register.address < EEPROM_END and self.get("torque_enable"):
                return Error.ACCESS, []
            if len(data) - at < register.size:
                return Error.LENGTH, []
            value = register.unpack(data[at : at + register.size])
            error = self._range(register.name, value)
            if error:
                return error, []
            wanted.append((register, value))
            at += register.size
        return (Error.NONE, wanted) if wanted else (Error.LENGTH, [])

    def _range(self, name: str, value: int) -> Error:
        if name in GOALS:
            return self._goal(name, value)
        if name == "operating_mode" and value not in MODES:
            return Error.RANGE
        if name == "bus_watchdog" and value and self.get(name) == WATCHDOG_TRIPPED:
            return Error.RANGE
        _, low, high = self._rows[name]
        return Error.NONE if low <= value <= high else Error.RANGE

    def _goal(self, name: str, value: int) -> Error:
        if self.get("bus_watchdog") == WATCHDOG_TRIPPED:
            return Error.RANGE
        if name in _LIMITED_BY:
            return Error.NONE if abs(value) <= self.get(_LIMITED_BY[name]) else Error.LIMIT
        if self.get("operating_mode") in (EXTENDED, CURRENT_POSITION):
            # Current-based position control knows no position limit: only these servos' own range of turns.
            return Error.NONE if abs(value) <= MULTI_TURN else Error.RANGE
        return Error.NONE if self.get("position_min") <= value <= self.get("position_max") else Error.LIMIT
