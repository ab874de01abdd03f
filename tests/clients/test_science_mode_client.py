"""Somebody else's client of the P24, PyPI science-mode-4 0.0.23: it drives our twin, and its bytes equal ours."""

import asyncio
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest

# Its logger writes every command to stderr from its own handler; it must be silenced before the import.
logging.getLogger("science_mode_4").disabled = True
import science_mode_4  # noqa: E402
from science_mode_4.mid_level import MidLevelChannelConfiguration, PacketMidLevelUpdate  # noqa: E402
from science_mode_4.protocol import ChannelPoint  # noqa: E402
from science_mode_4.protocol.protocol import Protocol  # noqa: E402

from controller.wire.sciencemode.messages import ChannelUpdate, MlUpdate  # noqa: E402
from controller.wire.sciencemode.p24 import encode  # noqa: E402
from sim.devices.p24 import P24Twin  # noqa: E402
from tests.clients.served import Served  # noqa: E402

ROUNDS = 10_000


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served(P24Twin)
    yield server
    server.close()


async def session(path: str) -> dict[str, Any]:
    """The library's own example flow: initialise, mid level, update, poll, stop."""
    connection = science_mode_4.SerialPortConnection(path)
    connection.open()
    try:
        device = science_mode_4.DeviceP24(connection)
        await device.initialize()
        general, mid = device.get_layer_general(), device.get_layer_mid_level()
        await mid.init(True)
        points = [ChannelPoint(200, 20), ChannelPoint(100, 0), ChannelPoint(200, -20)]
        await mid.update([MidLevelChannelConfiguration(True, 0, 20, points)])
        seen = []
        for _ in range(3):
            await asyncio.sleep(0.05)
            report = await mid.get_current_data()
            seen.append(
                (list(report.is_stimulation_active_per_channel), [int(error) for error in report.channel_error])
            )
        await mid.stop()
        return {"identity": general.device_id, "seen": seen}
    finally:
        connection.close()


async def test_it_initialises_updates_polls_and_stops_our_twin_over_a_pty(served: Served) -> None:
    result = await session(served.path)
    log = served.close()
    assert result["identity"].strip() == "SIM0P24001"
    for active, errors in result["seen"]:
        assert active == [True] + [False] * 7
        assert errors == [0] * 8
    (train,) = [entry for entry in log if entry["kind"] == "train"]
    assert (train["channel"], train["amplitude_ua"], train["width_us"], train["period_us"]) == (1, 20_000, 200, 20_000)
    assert train["pulses"] == (train["t_end_ns"] - train["t_start_ns"]) // 20_000_000 + 1
    assert train["charge_nc"] == train["pulses"] * 4_000
    assert train["pulses"] >= 8
    assert [entry["state"] for entry in log if entry["kind"] == "state"] == ["ml", "running", "none"]
    assert [entry for entry in log if entry["kind"] == "fault"] == []


@pytest.mark.timeout(900)  # its encoder takes milliseconds an update
def test_ten_thousand_random_legal_updates_encode_to_equal_bytes() -> None:
    dice = random.Random(20_260)
    packet = PacketMidLevelUpdate()
    for round_ in range(ROUNDS):
        theirs: list[Any] = [None] * 8
        ours = []
        for channel in sorted(dice.sample(range(8), dice.choice((1, 1, 1, 2, 3, 8)))):
            count = dice.choice((1, 2, 3, 3, 3, 16))
            points = tuple((dice.randint(0, 4095), 500 * dice.randint(-300, 300)) for _ in range(count))
            period_ms, ramp = dice.randint(1, 16_383), dice.randint(0, 15)
            ours.append(ChannelUpdate(channel, points, period_ms * 1000, ramp))
            theirs[channel] = MidLevelChannelConfiguration(
                True, ramp, period_ms, [ChannelPoint(us, ua / 1000) for us, ua in points]
            )
        packet.number = round_ % 64
        packet.channel_configuration = theirs
        assert encode(round_ % 64, MlUpdate(tuple(ours))) == Protocol.packet_to_bytes(packet)
