"""The messages of a P24 (ScienceMode 4) as one table, both roles: the same rows encode and decode for host and unit.

`encode(packet_number, message)` makes a whole frame; `decode_request` reads one as the unit does, `decode_answer` as
the host does. Sources: `messages` and `pulses` in this package; what is uncertain stands in docs/devices/p24.md.
"""

import struct

from controller.wire.errors import LocalError
from controller.wire.sciencemode.catalogue import ACKS as ACKS
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
from controller.wire.sciencemode.catalogue import COMMAND as COMMAND
from controller.wire.sciencemode.catalogue import IDENTITY_BYTES as IDENTITY_BYTES
from controller.wire.sciencemode.catalogue import Message as Message
from controller.wire.sciencemode.generation import generation
from controller.wire.sciencemode.messages import (
    CHANNELS,
    ChannelReport,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    MlInit,
    MlUpdate,
    RunReport,
)
from controller.wire.sciencemode.messages import GENERAL_ERROR as GENERAL_ERROR
from controller.wire.sciencemode.messages import UNKNOWN_COMMAND as UNKNOWN_COMMAND
from controller.wire.sciencemode.pulses import decode_update, encode_update

SAMPLES = 128
GENERATION = 4

_MEASURED = struct.Struct(f">H{SAMPLES}H")


def _encode_ll_init(message: LlInit) -> bytes:
    if not (0 <= message.measurement <= 7 and 0 <= message.high_voltage <= 7):
        raise LocalError(f"{message} does not fit its bits")
    return packed(message.measurement << 4 | message.high_voltage << 1)


def _decode_ll_init(data: bytes) -> LlInit:
    (byte,) = sized(data, 1)
    return LlInit(byte >> 4 & 7, byte >> 1 & 7)


def _encode_ll_channel_ack(message: LlChannelConfigAck) -> bytes:
    head = packed(message.result, message.connector << 4 | message.channel, message.measurement)
    return head + _MEASURED.pack(message.sampling_us, *message.samples) if message.measurement else head


def _decode_ll_channel_ack(data: bytes) -> LlChannelConfigAck:
    # Two bytes as in the instructions for use, three as the vendor's library writes them.
    sized(data, 2, 3, 3 + _MEASURED.size)
    place = (data[0], data[1] >> 4, data[1] & 0xF, data[2] if len(data) > 2 else 0)
    if len(data) <= 3:
        return LlChannelConfigAck(*place)
    sampling_us, *samples = _MEASURED.unpack_from(data, 3)
    return LlChannelConfigAck(*place, sampling_us, tuple(samples))


def _encode_report(message: ChannelReport | RunReport) -> bytes:
    if isinstance(message, RunReport):
        run = bool(message.running) << 4
        low, high = message.electrode_faults & 0xF, message.electrode_faults >> 4
        more = (run | low,) if message.selection == 2 else (run | low, run | high)
        return packed(message.result, message.selection, *more)
    nibbles = (message.errors[odd] << 4 | message.errors[odd - 1] for odd in range(1, CHANNELS, 2))
    return packed(message.result, 4, message.active, *nibbles)


def _decode_report(data: bytes) -> ChannelReport | RunReport:
    selection = data[1] if len(data) > 1 else 0
    if selection == 4:
        sized(data, 3 + CHANNELS // 2)
        errors = tuple(byte >> shift & 0xF for byte in data[3:] for shift in (0, 4))
        return ChannelReport(data[0], data[2], errors)
    if selection == 2:
        sized(data, 3)
        return RunReport(data[0], 2, bool(data[2] >> 4), data[2] & 0xF)
    if selection == 3:
        sized(data, 4)
        return RunReport(data[0], 3, bool(data[2] >> 4), (data[3] & 0xF) << 4 | data[2] & 0xF)
    # A unit that refuses the question has nothing to report but the result.
    return ChannelReport(*sized(data, 1))


CATALOGUE = Catalogue(
    requests=(
        *COMMON_REQUESTS,
        (LlInit, _encode_ll_init, _decode_ll_init),
        (LlChannelConfig, encode_ll_channel, decode_ll_channel),
        (MlInit, lambda m: packed(bool(m.stop_on_all_errors)), lambda d: MlInit(bool(sized(d, 1)[0] & 1))),
        (MlUpdate, encode_update, decode_update),
        ASK_EXTENDED_VERSION,
    ),
    answers=(
        *COMMON_ANSWERS,
        (3, LlChannelConfigAck, _encode_ll_channel_ack, _decode_ll_channel_ack),
        (37, ChannelReport, _encode_report, _decode_report),
        (37, RunReport, _encode_report, _decode_report),
    ),
)
encode = CATALOGUE.encode
decode_request = CATALOGUE.decode_request
decode_answer = CATALOGUE.decode_answer
is_request = CATALOGUE.is_request


def resembles(data: bytes) -> bool:
    """Do these bytes, cut anywhere, hold an answer that only ScienceMode 4 gives? Plain results fit both units."""
    return generation(data) == GENERATION
