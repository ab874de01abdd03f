"""The control table of the X series as a table, and what differs between the two servos that are supported.

Addresses, sizes and units: control tables of XM430-W210 and XC330-T288 in the e-manual of Robotis, and the model files
of PyPI dynamixel-sdk 4.1.0, which agree. Registers below 64 are kept without power and take writes only while torque is
off. Numbers are little-endian, two's complement where signed.
"""

from typing import NamedTuple

from controller.wire.errors import LocalError, RemoteError

READ, WRITE = "R", "RW"
EEPROM_END = 64


class Register(NamedTuple):
    """One entry: address, bytes, signed, name, access, and what one unit means."""

    address: int
    size: int
    signed: bool
    name: str
    access: str
    unit: str

    def pack(self, value: int) -> bytes:
        """`value` as on the wire. Raises `LocalError` where it does not fit."""
        if type(value) is not int:
            raise LocalError(f"{self.name} takes a whole number, not {value!r}")
        try:
            return value.to_bytes(self.size, "little", signed=self.signed)
        except OverflowError as error:
            raise LocalError(f"{value} does not fit {self.name}") from error

    def unpack(self, data: bytes) -> int:
        """The value in `data`, which must have this register's size. Raises `RemoteError`."""
        if len(data) != self.size:
            raise RemoteError(f"{len(data)} bytes where {self.name} has {self.size}")
        return int.from_bytes(data, "little", signed=self.signed)


REGISTERS: tuple[Register, ...] = tuple(
    Register(*row)
    for row in (
        (0, 2, False, "model_number", READ, ""),
        (2, 4, False, "model_information", READ, ""),
        (6, 1, False, "firmware", READ, ""),
        (7, 1, False, "id", WRITE, ""),
        (8, 1, False, "baud", WRITE, "index"),
        (9, 1, False, "return_delay", WRITE, "2 us"),
        (10, 1, False, "drive_mode", WRITE, "bits"),
        (11, 1, False, "operating_mode", WRITE, ""),
        (12, 1, False, "shadow_id", WRITE, ""),
        (13, 1, False, "protocol", WRITE, ""),
        (20, 4, True, "homing_offset", WRITE, "360/4096 deg"),
        (24, 4, False, "moving_threshold", WRITE, "0.229 rpm"),
        (31, 1, False, "temperature_limit", WRITE, "C"),
        (32, 2, False, "voltage_max", WRITE, "0.1 V"),
        (34, 2, False, "voltage_min", WRITE, "0.1 V"),
        (36, 2, False, "pwm_limit", WRITE, "0.113 %"),
        (38, 2, False, "current_limit", WRITE, "current unit of the model"),
        (44, 4, False, "velocity_limit", WRITE, "0.229 rpm"),
        (48, 4, False, "position_max", WRITE, "360/4096 deg"),
        (52, 4, False, "position_min", WRITE, "360/4096 deg"),
        (60, 1, False, "startup", WRITE, "bits"),
        (62, 1, False, "pwm_slope", WRITE, "3.955 mV/ms"),
        (63, 1, False, "shutdown", WRITE, "bits"),
        (64, 1, False, "torque_enable", WRITE, ""),
        (65, 1, False, "led", WRITE, ""),
        (68, 1, False, "status_return", WRITE, ""),
        (69, 1, False, "registered", READ, ""),
        (70, 1, False, "hardware_error", READ, "bits"),
        (76, 2, False, "velocity_i", WRITE, ""),
        (78, 2, False, "velocity_p", WRITE, ""),
        (80, 2, False, "position_d", WRITE, ""),
        (82, 2, False, "position_i", WRITE, ""),
        (84, 2, False, "position_p", WRITE, ""),
        (88, 2, False, "feedforward_2", WRITE, ""),
        (90, 2, False, "feedforward_1", WRITE, ""),
        (98, 1, False, "bus_watchdog", WRITE, "20 ms"),
        (100, 2, True, "goal_pwm", WRITE, "0.113 %"),
        (102, 2, True, "goal_current", WRITE, "current unit of the model"),
        (104, 4, True, "goal_velocity", WRITE, "0.229 rpm"),
        (108, 4, False, "profile_acceleration", WRITE, "214.577 rev/min2"),
        (112, 4, False, "profile_velocity", WRITE, "0.229 rpm"),
        (116, 4, True, "goal_position", WRITE, "360/4096 deg"),
        (120, 2, False, "realtime_tick", READ, "ms"),
        (122, 1, False, "moving", READ, ""),
        (123, 1, False, "moving_status", READ, "bits"),
        (124, 2, True, "present_pwm", READ, "0.113 %"),
        (126, 2, True, "present_current", READ, "current unit of the model"),
        (128, 4, True, "present_velocity", READ, "0.229 rpm"),
        (132, 4, True, "present_position", READ, "360/4096 deg"),
        (136, 4, True, "velocity_trajectory", READ, "0.229 rpm"),
        (140, 4, True, "position_trajectory", READ, "360/4096 deg"),
        (144, 2, False, "voltage", READ, "0.1 V"),
        (146, 1, False, "temperature", READ, "C"),
        (147, 1, False, "backup_ready", READ, ""),
    )
)
REGISTER = {register.name: register for register in REGISTERS}
AT = {register.address: register for register in REGISTERS}

WATCHDOG_TRIPPED = 255
WATCHDOG_MS = 20
ZERO_POSITION = 2048
"""The register's position that this program calls 0 deg."""
TURN = 4096
VELOCITY_CDPS_MILLI = 137_400
"""One unit of velocity, 0.229 rpm, in thousandths of a cdeg/s."""

VOLTAGE_ERROR, OVERHEAT, ENCODER, SHOCK, OVERLOAD = 0x01, 0x04, 0x08, 0x10, 0x20
"""Bits of the hardware error and of the shutdown mask."""

IDENTITY_ADDRESS, IDENTITY_BYTES = 0xF000, 32
"""Where no table has anything: a servo answers a read there with an error, a simulated one with its name."""


class Model(NamedTuple):
    """What differs. `current_ua`: one unit of current. `torque_unm`: what that unit pushes with at the output shaft.

    `startup_firmware`: from which firmware on the startup configuration exists.
    """

    number: int
    name: str
    current_ua: int
    torque_unm: int
    current_limit: int
    velocity_limit: int
    startup_firmware: int


XM430 = Model(1030, "XM430-W210", 2_690, 4_842, 1_193, 1_023, 45)
"""1.8 N m/A is an estimate from above: stall torque gives 1.3 N m/A (e-manual: 3.0 N m at 2.3 A, 12 V), no-load speed
1.5 N m/A (77 rpm at 12 V). Too large a figure makes this program ask for too little current, never for too much."""
XC330 = Model(1220, "XC330-T288", 1_000, 1_150, 910, 2_047, 46)
"""1.15 N m/A from stall torque (e-manual: 0.92 N m at 0.80 A, 11.1 V). It measures current at its supply: estimate."""
MODELS = {model.number: model for model in (XM430, XC330)}
