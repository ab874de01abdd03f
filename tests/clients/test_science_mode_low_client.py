"""Somebody else's client of the P24's low level, PyPI science-mode-4 0.0.23: single pulses to our twin."""

import asyncio
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest

# Its logger writes every command to stderr from its own handler; it must be silenced before the import.
logging.getLogger("science_mode_4").disabled = True
import science_mode_4  # noqa: E402
from science_mode_4.low_level import (  # noqa: E402
    LowLevelHighVoltageSource,
    LowLevelMode,
    PacketLowLevelChannelConfig,
    PacketLowLevelChannelConfigAck,
)
from science_mode_4.protocol import ChannelPoint  # noqa: E402
from science_mode_4.protocol.protocol import Protocol  # noqa: E402
from science_mode_4.protocol.types import Channel, Connector  # noqa: E402

from controller.wire.sciencemode.frame import Frame, parse  # noqa: E402
from controller.wire.sciencemode.messages import LlChannelConfig, LlChannelConfigAck  # noqa: E402
from controller.wire.sciencemode.p24 import decode_request, encode  # noqa: E402
from sim.devices.p24 import P24Twin  # noqa: E402
from tests.clients.served import Served  # noqa: E402

PULSES = 12
POINTS = [ChannelPoint(250, 20), ChannelPoint(100, 0), ChannelPoint(250, -20)]
PLACES = ((Connector.YELLOW, Channel.RED, 1), (Connector.GREEN, Channel.WHITE, 8))


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served(P24Twin)
    yield server
    server.close()


async def answers(device: Any, count: int) -> list[Any]:
    """The next `count` answers to channel configurations, as the library reads them; at most 2 s."""
    found: list[Any] = []
    for _ in range(200):
        while (answer := device.packet_buffer.get_packet_from_buffer()) is not None:
            assert isinstance(answer, PacketLowLevelChannelConfigAck)
            found.append(answer)
        if len(found) >= count:
            break
        await asyncio.sleep(0.01)
    return found


async def session(path: str, mode: LowLevelMode, execute: bool) -> list[Any]:
    """Initialise, single pulses on two channels every 40 ms, stop: the library's calls, nothing else."""
    connection = science_mode_4.SerialPortConnection(path)
    connection.open()
    try:
        device = science_mode_4.DeviceP24(connection)
        await device.initialize()
        low = device.get_layer_low_level()
        await low.init(mode, LowLevelHighVoltageSource.STANDARD)
        for _ in range(PULSES):
            for connector, channel, _ in PLACES:
                low.send_channel_config(execute, channel, connector, POINTS)
            await asyncio.sleep(0.04)
        heard = await answers(device, PULSES * len(PLACES))
        await low.stop()
        return heard
    finally:
        connection.close()


async def test_its_single_pulses_are_put_out_answered_and_stopped_over_a_pty(served: Served) -> None:
    heard = await session(served.path, LowLevelMode.NO_MEASUREMENT, execute=True)
    log = served.close()
    assert len(heard) == PULSES * len(PLACES)
    assert {int(answer.result) for answer in heard} == {0}
    assert {(answer.connector, answer.channel) for answer in heard} == {(0, 0), (1, 3)}
    trains = [entry for entry in log if entry["kind"] == "train"]
    for _, _, channel in PLACES:
        mine = [train for train in trains if train["channel"] == channel]
        # On a busy machine the client's own sleep may split a run of pulses into several trains.
        assert sum(train["pulses"] for train in mine) == PULSES
        assert {(train["amplitude_ua"], train["width_us"]) for train in mine} == {(20_000, 250)}
        assert sum(train["charge_nc"] for train in mine) == PULSES * 5_000
        span_ns = max(train["t_end_ns"] for train in mine) - min(train["t_start_ns"] for train in mine)
        assert span_ns >= (PULSES - 1) * 38_000_000
    # The second channel's pulse always waits for the first one's end, and for the pause between two pulses.
    first, second = (min(t["t_start_ns"] for t in trains if t["channel"] == channel) for channel in (1, 8))
    assert second - first >= 660_000
    assert [entry["state"] for entry in log if entry["kind"] == "state"] == ["ll", "none"]
    assert [entry for entry in log if entry["kind"] == "fault"] == []


async def test_what_it_does_not_execute_is_answered_and_puts_out_nothing(served: Served) -> None:
    heard = await session(served.path, LowLevelMode.NO_MEASUREMENT, execute=False)
    log = served.close()
    assert len(heard) == PULSES * len(PLACES)
    assert {int(answer.result) for answer in heard} == {0}
    assert [entry for entry in log if entry["kind"] == "train"] == []


async def test_it_reads_the_current_that_our_twin_measured(served: Served) -> None:
    heard = await session(served.path, LowLevelMode.STIM_CURRENT, execute=True)
    served.close()
    assert len(heard) == PULSES * len(PLACES)
    for answer in heard:
        assert answer.mode == LowLevelMode.STIM_CURRENT
        assert answer.sampling_time_in_microseconds == 5
        assert answer.measurement_samples[0] == answer.measurement_samples[100] == 20.0
        assert answer.measurement_samples[60] == answer.measurement_samples[127] == 0.0


def test_two_thousand_random_pulses_encode_to_equal_bytes_and_read_back() -> None:
    dice = random.Random(24)
    packet = PacketLowLevelChannelConfig()
    for round_ in range(2_000):
        points = tuple(
            (dice.randint(0, 4095), 500 * dice.randint(-300, 300)) for _ in range(dice.choice((1, 2, 3, 3, 16)))
        )
        ours = LlChannelConfig(dice.randrange(4), dice.randrange(2), points, dice.random() < 0.5)
        packet.number = round_ % 64
        packet.execute_stimulation = ours.execute
        packet.channel, packet.connector = Channel(ours.channel), Connector(ours.connector)
        packet.points = [ChannelPoint(us, ua / 1000) for us, ua in points]
        data = encode(round_ % 64, ours)
        assert data == Protocol.packet_to_bytes(packet)
        frame = parse(data)
        assert isinstance(frame, Frame)
        assert decode_request(frame) == ours


@pytest.mark.parametrize("measurement", range(4))
def test_it_reads_our_answers(measurement: int) -> None:
    samples = tuple(range(0, 128 * 90, 90)) if measurement else ()
    answer = LlChannelConfigAck(10, 1, 2, measurement, 480 if measurement else 0, samples)
    command, number, payload = Protocol.extract_packet_data(encode(5, answer))
    theirs = PacketLowLevelChannelConfigAck(payload)
    assert (command, number, int(theirs.result), theirs.connector, theirs.channel) == (3, 5, 10, 1, 2)
    assert int(theirs.mode) == measurement
    if measurement:
        assert theirs.sampling_time_in_microseconds == 480
        assert theirs.measurement_samples == [sample / 100 for sample in samples]
