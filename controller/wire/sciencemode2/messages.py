"""What a RehaStim2 and its host say to each other, as plain values. Channels stand here as on the wire, 0 to 7.

Currents are integers in uA (whole mA on the wire), times in us. Results are signed: 0 is good, the rest is negative.
Source: ScienceMode2 Description and Protocol v1.24, whose detail tables print two wrong command names; the numbers
here are those of its overview.
"""

from enum import IntEnum
from typing import NamedTuple

CHANNELS = 8


class Result(IntEnum):
    """Result codes of the unit's acknowledgements (`INCOMPATIBLE` is the host's, in `InitAck`)."""

    OK = 0
    TRANSFER = -1
    PARAMETER = -2
    WRONG_MODE = -3
    INCOMPATIBLE = -5
    BUSY = -8


class StimulationFault(IntEnum):
    """What `StimulationError` says."""

    EMERGENCY_STOP = -1
    ELECTRODE = -2
    MODULE = -3


class Mode(IntEnum):
    """What a unit says it is doing (GetStimulationMode)."""

    START = 0
    INITIALISED = 1
    STARTED = 2


class Init(NamedTuple):
    """The unit is there and waits for a host; sent every 500 ms until `InitAck`."""

    version: int = 1


class InitAck(NamedTuple):
    """The host's answer to `Init`, under the unit's packet number."""

    result: int = 0


class UnknownCommand(NamedTuple):
    """The unit does not know `command`."""

    command: int


class Watchdog(NamedTuple):
    """The host is there. It has no answer."""


class GetStimulationMode(NamedTuple):
    pass


class StimulationMode(NamedTuple):
    """Answer to `GetStimulationMode`; a refusal has no mode."""

    result: int = 0
    mode: int = 0


class InitChannelListMode(NamedTuple):
    """Which channels are to run, all at one interval. Bit i of a mask is channel i.

    `interval_us` 0: each start gives one pulse group (one-shot). Channels of `low_frequency_mask` leave out
    `low_frequency_factor` intervals of each factor + 1. `inter_pulse_us` is the time between the pulses of a doublet
    or triplet. `execution` 1 is not implemented in the unit.
    """

    channels: int
    interval_us: int
    inter_pulse_us: int = 8_000
    low_frequency_factor: int = 0
    low_frequency_mask: int = 0
    execution: int = 0


class ListPulse(NamedTuple):
    """The pulse of one channel of the list. `mode` 0 single, 1 doublet, 2 triplet."""

    mode: int
    width_us: int
    current_ua: int


class StartChannelListMode(NamedTuple):
    """Start, or change, what runs: one pulse for each channel of the list, in rising order."""

    pulses: tuple[ListPulse, ...]


class StopChannelListMode(NamedTuple):
    pass


class SinglePulse(NamedTuple):
    """One pulse on one channel, outside the list."""

    channel: int
    width_us: int
    current_ua: int


class Ack(NamedTuple):
    """An answer that says no more than how it went. `command` is the answer's own number (request + 1)."""

    command: int
    result: int = 0


class StimulationError(NamedTuple):
    """Unasked: the unit has stopped by itself and is in its start mode again."""

    fault: int


class Motomed(NamedTuple):
    """Something of a MOTOmed trainer at the same unit, which this program passes over."""

    command: int
    payload: bytes


class WhoAreYou(NamedTuple):
    """Our own question, with a command number that no document defines: a unit answers `UnknownCommand`."""


class SimulatedName(NamedTuple):
    """The answer of a simulated unit to `WhoAreYou`: a name that begins with SIM. No real unit sends it."""

    name: str
