"""The messages of a RehaMove3 (ScienceMode 3) as one table, both roles. Frames and most messages are the P24's.

Different are: four channels; no flag at Ml_init (its bit switches a demultiplexer on here); the soft start of an
update, which this program never sets; no fine periods; selection 2 of the current data; the short answer to a pulse
of the low level; no extended version. Sources: HASOMED's description of ScienceMode 3 (v3.2.4) and its library smpt_rm3
3.2.4; what is uncertain stands in docs/devices/rehamove3.md.
"""

from controller.wire.errors import LocalError, RemoteError
from controller.wire.sciencemode.catalogue import (
    ASK_EXTENDED_VERSION,
    COMMON_ANSWERS,
    COMMON_REQUESTS,
    Catalogue,
    decode_ll_channel,
    encode_ll_channel,
    packed,
    sized,
)
from controller.wire.sciencemode.generation import generation
from controller.wire.sciencemode.messages import (
    LlChannelConfig,
    LlInit,
    LlPulseAck,
    MlInit,
    MlUpdate,
    RunReport,
)
from controller.wire.sciencemode.pulses import WIRE_CURRENT_UA_MAX, decode_update, encode_update
from controller.wire.sciencemode.pulses import update_fault as _update_fault

CHANNELS = 4
GENERATION = 3
SELECTION = 2
CURRENT_UA_MAX = 130_000
"""Per the vendor's description. Its library also accepts what the wire can say, 150 mA."""
ACCEPTED_UA_MAX = WIRE_CURRENT_UA_MAX
PULSE_OVERHEAD_US = 330
"""What the unit needs beside each pulse: 200 us mute, 30 us test, 100 us reserve (by the vendor's library)."""
HIGH_VOLTAGES = 7
"""Levels of the high voltage: 0 usual (150 V), 1 off, 2 to 6 for 30 to 150 V."""

_CHANNEL_BITS, _SOFT_START = 0x0F, 0x10
_RUNNING = 0x10


def update_fault(update: MlUpdate) -> str:
    """Why the vendor's own decoder refuses `update` ("" when it accepts, which includes currents above 130 mA)."""
    return _update_fault(update, ACCEPTED_UA_MAX, PULSE_OVERHEAD_US)


def _encode_ll_init(message: LlInit) -> bytes:
    if message.measurement or not 0 <= message.high_voltage < HIGH_VOLTAGES:
        raise LocalError(f"not a level of the high voltage, or a measurement, which this unit has not: {message}")
    return packed(message.high_voltage << 1)


def _decode_ll_init(data: bytes) -> LlInit:
    (byte,) = sized(data, 1)
    if byte & ~0x0E:
        raise RemoteError("a bit of the low level's start is set that this unit has not")
    return LlInit(0, byte >> 1)


def _encode_ll_channel(message: LlChannelConfig) -> bytes:
    if message.connector:
        raise LocalError("this unit has one connector")
    return encode_ll_channel(message)


def _decode_ll_channel(data: bytes) -> LlChannelConfig:
    message = decode_ll_channel(data)
    if message.connector:
        raise RemoteError("this unit has one connector")
    return message


def _decode_pulse_ack(data: bytes) -> LlPulseAck:
    return LlPulseAck(*sized(data, 1, 2))


def _encode_ml_init(message: MlInit) -> bytes:
    if message.stop_on_all_errors:
        raise LocalError("this unit has no such flag: its bit would switch a demultiplexer on")
    return b"\x00"


def _decode_ml_init(data: bytes) -> MlInit:
    (byte,) = sized(data, 1)
    if byte:
        raise RemoteError("a bit of the mid level's start is set that must stay 0")
    return MlInit(False)


def _encode_update(message: MlUpdate) -> bytes:
    for channel, _, _, _, fine in message.channels:
        if type(channel) is not int or not 0 <= channel < CHANNELS:
            raise LocalError(f"channels are 0 to {CHANNELS - 1}, not {channel!r}")
        if fine:
            raise LocalError("periods of this unit are in whole steps of 500 us")
    data = encode_update(MlUpdate(message.channels))
    return bytes((data[0] | _SOFT_START,)) + data[1:] if message.soft_start else data


def _decode_update(data: bytes) -> MlUpdate:
    if data and data[0] & ~(_CHANNEL_BITS | _SOFT_START):
        raise RemoteError(f"an update for channels above {CHANNELS}")
    soft = bool(data) and data[0] & _SOFT_START != 0
    update = decode_update(bytes((data[0] & _CHANNEL_BITS,)) + data[1:] if soft else data)
    if any(entry.fine for entry in update.channels):
        raise RemoteError("the accuracy bit of a period, which must stay 0")
    return MlUpdate(update.channels, True) if soft else update


def _encode_report(message: RunReport) -> bytes:
    if message.selection != SELECTION or not 0 <= message.electrode_faults <= _CHANNEL_BITS:
        raise LocalError(f"not a report of this unit: {message}")
    return packed(message.result, SELECTION, bool(message.running) * _RUNNING | message.electrode_faults)


def _decode_report(data: bytes) -> RunReport:
    if len(data) == 1:
        return RunReport(data[0])  # refused: nothing to report but the result
    result, selection, state = sized(data, 3)
    if selection != SELECTION or state & ~(_RUNNING | _CHANNEL_BITS):
        raise RemoteError(f"a report with selection {selection} and state {state}")
    return RunReport(result, SELECTION, bool(state & _RUNNING), state & _CHANNEL_BITS)


CATALOGUE = Catalogue(
    requests=(
        *COMMON_REQUESTS,
        (LlInit, _encode_ll_init, _decode_ll_init),
        (LlChannelConfig, _encode_ll_channel, _decode_ll_channel),
        (MlInit, _encode_ml_init, _decode_ml_init),
        (MlUpdate, _encode_update, _decode_update),
    ),
    answers=(
        *COMMON_ANSWERS,
        (3, LlPulseAck, lambda m: packed(*m), _decode_pulse_ack),
        (37, RunReport, _encode_report, _decode_report),
    ),
    unknown=(ASK_EXTENDED_VERSION,),
)
encode = CATALOGUE.encode
decode_request = CATALOGUE.decode_request
decode_answer = CATALOGUE.decode_answer
is_request = CATALOGUE.is_request


def resembles(data: bytes) -> bool:
    """Do these bytes, cut anywhere, hold an answer that only ScienceMode 3 gives? Plain results fit both units."""
    return generation(data) == GENERATION
