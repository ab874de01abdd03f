"""What a P24 or a RehaMove3 and its host say to each other, as plain values. Channels as on the wire, from 0.

Currents are integers in uA, times in us. Source: vendor C library ScienceMode4 0cb1201 and the P24 instructions for
use v1.1 (whose table gives 37/38 for Get_current_data: a misprint, library and frames say 36/37).
"""

from enum import IntEnum
from typing import NamedTuple

CHANNELS = 8


class Result(IntEnum):
    """Result codes that this program knows by name."""

    OK = 0
    TRANSFER = 1
    PARAMETER = 2
    PROTOCOL_VERSION = 3
    TIMEOUT = 4
    NOT_INITIALISED = 7
    HIGH_VOLTAGE = 8
    ELECTRODE = 10
    INVALID_COMMAND = 11
    PULSE_TIMEOUT = 16
    BUSY = 21
    PULSE_LOW_CURRENT = 28


class Level(IntEnum):
    """What a unit says it is doing (Get_stim_status)."""

    NONE = 0
    LOW = 1
    MID = 2
    MID_RUNNING = 3


class PulsePoint(NamedTuple):
    """One constant piece of a pulse."""

    duration_us: int
    current_ua: int


class ChannelUpdate(NamedTuple):
    """One active channel of an update. `fine` counts the period in 250 us instead of 500 us on the wire."""

    channel: int
    points: tuple[tuple[int, int], ...]
    period_us: int
    ramp: int = 0
    fine: bool = False


class LlInit(NamedTuple):
    measurement: int = 0
    high_voltage: int = 0


class LlChannelConfig(NamedTuple):
    channel: int
    connector: int
    points: tuple[tuple[int, int], ...]
    execute: bool = True


class LlStop(NamedTuple):
    pass


class MlInit(NamedTuple):
    """The flag exists in the P24 alone; the same bit switches a demultiplexer on in a RehaMove3."""

    stop_on_all_errors: bool = True


class MlUpdate(NamedTuple):
    """The whole state: a channel that is not named is off. No channels at all: everything off, high voltage stays.

    `soft_start` exists in the RehaMove3's frames alone; this program never sets it.
    """

    channels: tuple[ChannelUpdate, ...] = ()
    soft_start: bool = False


class MlStop(NamedTuple):
    pass


class MlGetCurrentData(NamedTuple):
    selection: int = 4


class GetVersionMain(NamedTuple):
    pass


class GetDeviceId(NamedTuple):
    pass


class GetBatteryStatus(NamedTuple):
    pass


class Reset(NamedTuple):
    pass


class GetStimStatus(NamedTuple):
    pass


class GetExtendedVersion(NamedTuple):
    pass


class Ack(NamedTuple):
    """An answer that says no more than how it went. `command` is the answer's own number (request + 1, or 66, 67)."""

    command: int
    result: int = 0


class LlChannelConfigAck(NamedTuple):
    result: int = 0
    connector: int = 0
    channel: int = 0
    measurement: int = 0
    sampling_us: int = 0
    samples: tuple[int, ...] = ()


class LlPulseAck(NamedTuple):
    """A RehaMove3's answer to one pulse of the low level: `channel` is the one that an electrode error is about."""

    result: int = 0
    channel: int = 0


class RunReport(NamedTuple):
    """Current data, selection 2 (channels 0-3; all that a RehaMove3 has) or 3 (0-7): running, electrode-fault bits."""

    result: int = 0
    selection: int = 2
    running: bool = False
    electrode_faults: int = 0


class ChannelReport(NamedTuple):
    """Current data, selection 4: bit i of `active` for channel i; `errors` 0 ok, 1 electrode, 2 timeout, 3 low."""

    result: int = 0
    active: int = 0
    errors: tuple[int, ...] = (0,) * CHANNELS


class VersionMain(NamedTuple):
    result: int = 0
    firmware: tuple[int, int, int] = (0, 0, 0)
    protocol: tuple[int, int, int] = (0, 0, 0)


class DeviceId(NamedTuple):
    """Ten ASCII characters, without trailing blanks and zeros."""

    result: int = 0
    identity: str = ""


class BatteryStatus(NamedTuple):
    result: int = 0
    percent: int = 0
    millivolts: int = 0


class StimStatus(NamedTuple):
    result: int = 0
    level: int = 0
    high_voltage: int = 0


class ExtendedVersion(NamedTuple):
    result: int = 0
    firmware: tuple[int, int, int] = (0, 0, 0)
    protocol: tuple[int, int, int] = (0, 0, 0)
    hash_value: int = 0
    hash_kind: int = 0
    hash_valid: bool = False


GENERAL_ERROR, UNKNOWN_COMMAND = 66, 67
