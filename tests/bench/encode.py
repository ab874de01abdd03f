"""`python -m tests.bench.encode`: what it costs to encode an Ml_update, beside science-mode-4 in the same run.

Both make the same bytes (checked first). Rounds alternate, so that a busy machine slows both; each figure is the best
and the median of the rounds, in microseconds an update. `driver` is what the driver really does: encode, read back with
the unit's side of the codec, and compare with the ticket.
"""

import argparse
import asyncio
import json
import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

logging.getLogger("science_mode_4").disabled = True
from science_mode_4.mid_level import MidLevelChannelConfiguration, PacketMidLevelUpdate  # noqa: E402
from science_mode_4.protocol import ChannelPoint  # noqa: E402
from science_mode_4.protocol.protocol import Protocol  # noqa: E402

from controller.drivers.stimulators.p24 import P24_PROFILE  # noqa: E402
from controller.drivers.stimulators.sciencemode_orders import checked_update  # noqa: E402
from controller.wire.sciencemode.messages import ChannelUpdate, MlUpdate  # noqa: E402
from controller.wire.sciencemode.p24 import encode  # noqa: E402
from safety.stimulus import Point, Train  # noqa: E402

CASES = {"common: 2 channels, 3 points": (2, 3), "largest: 8 channels, 16 points": (8, 16)}
NUMBER = 7
PERIOD_US = 29_000


def points(count: int, channel: int) -> tuple[tuple[int, int], ...]:
    """A balanced pulse of `count` points, in us and uA."""
    half = count // 2
    rest = ((100, 0),) if count % 2 else ()
    currents = [2_000 + 500 * ((index + channel) % 40) for index in range(half)]
    up = tuple((150 + 10 * index, ua) for index, ua in enumerate(currents))
    return (*up, *rest, *((us, -ua) for us, ua in up))


def theirs(channels: int, count: int) -> Callable[[], bytes]:
    """science-mode-4's way to the same frame."""
    settings = []
    for channel in range(8):
        made = [ChannelPoint(us, ua / 1000) for us, ua in points(count, channel)] if channel < channels else []
        settings.append(MidLevelChannelConfiguration(channel < channels, 0, PERIOD_US // 1000, made))

    def make() -> bytes:
        packet = PacketMidLevelUpdate()
        packet.number = NUMBER
        packet.channel_configuration = settings
        return bytes(Protocol.packet_to_bytes(packet))

    return make


def ours(channels: int, count: int) -> Callable[[], bytes]:
    """Our codec."""
    shapes = [points(count, channel) for channel in range(channels)]

    def make() -> bytes:
        return encode(NUMBER, MlUpdate(tuple([ChannelUpdate(n, shape, PERIOD_US) for n, shape in enumerate(shapes)])))

    return make


def driver(channels: int, count: int) -> Callable[[], bytes]:
    """Our codec with the driver's pair check, nothing remembered."""
    trains = tuple(
        Train(channel + 1, tuple(Point(*point) for point in points(count, channel)), PERIOD_US)
        for channel in range(channels)
    )
    return lambda: checked_update(NUMBER, trains, {}, P24_PROFILE)[0]


def cost_us(make: Callable[[], bytes], times: int) -> float:
    """Microseconds a call, over `times` calls."""
    began = time.perf_counter_ns()
    for _ in range(times):
        make()
    return (time.perf_counter_ns() - began) / times / 1000


def measure(rounds: int) -> dict[str, Any]:
    """All cases; raises AssertionError where the two encoders differ."""
    told = {}
    for name, (channels, count) in CASES.items():
        ways = {"science_mode_4": theirs(channels, count), "ours": ours(channels, count)}
        assert ways["ours"]() == ways["science_mode_4"](), f"{name}: the two encoders differ"
        ways["driver"] = driver(channels, count)
        assert ways["driver"]() == ways["ours"]()
        found: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, make in ways.items():
                found[way].append(cost_us(make, 20 if way == "science_mode_4" else 400))
        figures = {
            way: {"best_us": round(min(costs), 2), "median_us": round(statistics.median(costs), 2)}
            for way, costs in found.items()
        }
        ratio = statistics.median(a / b for a, b in zip(found["science_mode_4"], found["ours"], strict=True))
        told[name] = figures | {"times_faster": round(ratio, 1), "bytes": len(ways["ours"]())}
    return told


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.encode")
    parser.add_argument("--rounds", type=int, default=60)
    print(json.dumps(measure(parser.parse_args().rounds), indent=2))


if __name__ == "__main__":
    asyncio.set_event_loop(asyncio.new_event_loop())
    main()
