"""`bench loop`: from a puck's frame on its port to the update on the unit's port, beside two controls in the same run.

The bench holds both ports. It writes frames at 1,000 a second, whatever comes back (no coordinated omission), and takes
the time until the update that answers each frame can be read. Ours is the whole product: the real screen drawing, the
engine, the guard, the codec with read-back. The controls run while that very screen goes on drawing.
"""

import select
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controller.assembly.bench.house_under_test import HouseUnderTest
from controller.assembly.bench.machine import Stolen
from controller.assembly.bench.puck_player import PuckPlayer
from controller.assembly.bench.relays import ANSWER, FRAME_BYTES, Control
from controller.assembly.bench.terminals import RawPort
from controller.clock import MS, SECOND, now_ns
from controller.wire.sciencemode.frame import Frame, Framer
from controller.wire.sciencemode.messages import MlUpdate
from controller.wire.sciencemode.p24 import decode_request
from sim.devices.p24 import P24Twin

RATE_HZ = 1000
FRAME_NS = SECOND // RATE_HZ
TOLERANCE_UA = 20_000
STEP_DEG = 60.0 * 500 / TOLERANCE_UA
BURST_FRAMES = 8_000
TAIL_NS = SECOND
REST_NS = 5_200 * MS
SETTLE_FRAMES = 120
LADDER = (4, 5, 6, 7, 6, 5)  # steps of 0.5 mA: up and down by one a frame, never more than 2 mA above the lowest
STARTS_WITHIN_NS = 90 * SECOND
CALM_HZ = 100


@dataclass(frozen=True, slots=True)
class Leg:
    """The latencies of one leg in us, and how many frames were never answered."""

    latencies_us: list[float]
    lost: int
    stolen_percent: float | None = None


class Bench:
    """The two ports, the puck's player and the unit's twin."""

    def __init__(self, data: Path, screen: bool) -> None:
        self.unit, self.puck = RawPort(), RawPort()
        self.twin = P24Twin()
        self.player = PuckPlayer(RATE_HZ)
        self._framer = Framer()
        self._data = data
        self.house = HouseUnderTest(self.unit.path, self.puck.path, data, RATE_HZ, TOLERANCE_UA, screen)

    def close(self) -> None:
        """End everything."""
        self.house.close()
        self.unit.close()
        self.puck.close()

    # -- the unit's side -------------------------------------------------------------------------------------

    def serve_unit(self) -> list[tuple[int, int]]:
        """Answer as the unit does; gives (time, amplitude in uA) of each update with current that arrived."""
        data = self.unit.read()
        now = now_ns()
        updates = []
        if data:
            for frame in self._framer.feed(data):
                message = decode_request(frame) if isinstance(frame, Frame) else None
                if isinstance(message, MlUpdate) and message.channels:
                    updates.append((now, _amplitude_ua(message)))
            self.unit.write(self.twin.feed(now, data))
        if now >= self.twin.next_deadline():
            self.unit.write(self.twin.advance(now))
        return updates

    # -- legs ------------------------------------------------------------------------------------------------

    def wait(self, done: Callable[[], bool], angle_deg: float, at_most_ns: int) -> bool:
        """Keep the puck sending at full rate at one angle until `done`."""
        ends = now_ns() + at_most_ns
        due = now_ns()
        while now_ns() < ends:
            self.puck.write(self.player.frame(angle_deg, now_ns() // 1000))
            self.serve_unit()
            if done():
                return True
            due += FRAME_NS
            _sleep_until(due, [self.unit.master])
        return False

    def leg(self, name: str, frames: int) -> Leg:
        """The leg `control`, `relay` or `ours`, and what the host took away meanwhile."""
        watch = Stolen()
        leg = self.ours(frames) if name == "ours" else self.control("echo" if name == "control" else name, frames)
        return replace(leg, stolen_percent=watch.percent())

    def ours(self, frames: int) -> Leg:
        """`frames` frames, each with an order of its own, in bursts that keep to the on-time and rest of the rules."""
        latencies: list[float] = []
        lost = 0
        while frames > 0:
            burst = min(frames, BURST_FRAMES)
            leg = self._burst(burst)
            latencies += leg.latencies_us
            lost += leg.lost
            frames -= burst
            self._calm(REST_NS)
        return Leg(latencies, lost)

    def _calm(self, time_ns: int) -> None:
        ends = now_ns() + time_ns
        self.wait(lambda: now_ns() >= ends, 0.0, time_ns + SECOND)

    def _burst(self, frames: int) -> Leg:
        """Rise to the foot of the ladder, then one step a frame. Updates are matched to frames in their order."""
        seen: list[tuple[int, int]] = []
        foot = LADDER[0] * STEP_DEG + STEP_DEG / 2
        if not self._rise(foot, seen):
            raise RuntimeError(f"no current followed the angle; see {self._data}")
        sent: list[tuple[int, int]] = []
        seen.clear()
        due = now_ns()
        for number in range(frames):
            step = LADDER[number % len(LADDER)]
            self._answer_until(due, seen)
            frame = self.player.frame(step * STEP_DEG + STEP_DEG / 2, now_ns() // 1000)
            sent.append((now_ns(), step * 500))
            self.puck.write(frame)
            due += FRAME_NS
        self._answer_until(now_ns() + TAIL_NS // 10, seen)
        return _match(sent, seen)

    def _rise(self, foot_deg: float, seen: list[tuple[int, int]]) -> bool:
        """Go up by half a step a frame, and hold until the last frame is the only one without its update."""
        angle = 0.0
        due = now_ns()
        for _ in range(4 * SETTLE_FRAMES):
            angle = min(foot_deg, angle + STEP_DEG / 8)
            self.puck.write(self.player.frame(angle, now_ns() // 1000))
            due += FRAME_NS
            self._answer_until(due, seen)
        self._answer_until(now_ns() + 50 * MS, seen)
        return bool(seen)

    def _answer_until(self, due_ns: int, seen: list[tuple[int, int]]) -> None:
        while True:
            left_ns = due_ns - now_ns()
            readable = select.select([self.unit.master], [], [], max(0.0, left_ns / 1e9))[0]
            if readable:
                seen += self.serve_unit()
            if left_ns <= 0:
                return

    def control(self, kind: str, frames: int) -> Leg:
        """A control on ports of its own, while our house goes on at rest with its screen."""
        puck, unit = RawPort(), RawPort()
        control = Control(kind, puck.path, unit.path)
        try:
            return self._drive(puck, unit, frames)
        finally:
            control.close()
            puck.close()
            unit.close()

    def _drive(self, puck: RawPort, unit: RawPort, frames: int) -> Leg:
        self._calm(SECOND // 2)
        payload = bytes(FRAME_BYTES)
        sent: list[int] = []
        latencies: list[float] = []
        rest = 0
        due = now_ns()
        for number in range(frames + RATE_HZ // 10):
            if number % (RATE_HZ // CALM_HZ) == 0:
                self.puck.write(self.player.frame(0.0, now_ns() // 1000))
                self.serve_unit()
            if number < frames:
                sent.append(now_ns())
                puck.write(payload)
            due += FRAME_NS
            while (left_ns := due - now_ns()) > 0:
                if not select.select([unit.master], [], [], left_ns / 1e9)[0]:
                    break
                whole, rest = divmod(rest + len(unit.read()), len(ANSWER))
                arrived = now_ns()
                latencies += [(arrived - sent[len(latencies) + index]) / 1000 for index in range(whole)]
        return Leg(latencies, frames - len(latencies))


def _match(sent: list[tuple[int, int]], seen: list[tuple[int, int]]) -> Leg:
    """Pair frames and updates in order; amplitudes prove that the pairs belong together."""
    latencies = []
    at = 0
    for instant, amplitude_ua in sent:
        if at < len(seen) and seen[at][1] == amplitude_ua:
            latencies.append((seen[at][0] - instant) / 1000)
            at += 1
    return Leg(latencies, len(sent) - len(latencies))


def _amplitude_ua(message: MlUpdate) -> int:
    return max(current_ua for channel in message.channels for _, current_ua in channel.points)


def _sleep_until(due_ns: int, readable: list[int]) -> None:
    left_ns = due_ns - now_ns()
    if left_ns > 0:
        select.select(readable, [], [], left_ns / 1e9)


def percentile(values: list[float], part: float) -> float:
    """The value below which `part` of the values lie (nearest rank, nothing filtered)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(part * len(ordered) * 1000) // 1000) - 1))]


def run_loop(
    frames: int = 20_000, rounds: int = 5, screen: bool = True, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """The whole bench: `rounds` rounds of echo, relay, ours with `frames` frames each."""
    data = Path(tempfile.mkdtemp(prefix="stimloop-bench-"))
    bench = Bench(data, screen)
    legs: dict[str, list[Leg]] = {"control": [], "relay": [], "ours": []}
    try:
        if not bench.wait(lambda: bench.house.frames().get("state") == "running", 0.0, STARTS_WITHIN_NS):
            raise RuntimeError(f"the session did not begin; see {data}")
        bench.wait(lambda: False, 0.0, SECOND)
        before = bench.house.frames()
        for number in range(rounds):
            for name, each in legs.items():
                each.append(bench.leg(name, frames))
            say(f"round {number + 1} of {rounds}: " + ", ".join(f"{k} {_line(v[-1])}" for k, v in legs.items()))
        after = bench.house.frames()
    finally:
        bench.close()
    return _summary(legs, frames * rounds, _rate(before, after), data)


def _line(leg: Leg) -> str:
    return f"{statistics.median(leg.latencies_us):.0f} us (p99.9 {percentile(leg.latencies_us, 0.999):.0f})"


def _rate(before: dict[str, Any], after: dict[str, Any]) -> float:
    spent_s = (after["t_ns"] - before["t_ns"]) / 1e9
    return round((after["frames"] - before["frames"]) / spent_s, 1) if spent_s > 0 else 0.0


def _summary(legs: dict[str, list[Leg]], frames: int, drawn_hz: float, data: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, each in legs.items():
        figures[name] = {
            "median_us": _over(each, 0.5),
            "p99_us": _over(each, 0.99),
            "p999_us": _over(each, 0.999),
            "stolen_percent": [leg.stolen_percent for leg in each],
            "rounds": [[round(percentile(leg.latencies_us, part), 1) for part in (0.5, 0.99, 0.999)] for leg in each],
        }
    ours, relay, control = figures["ours"], figures["relay"], figures["control"]
    return {
        **figures,
        "frames": frames,
        "lost": sum(leg.lost for leg in legs["ours"]),
        "ratio_to_control": round(ours["median_us"] / control["median_us"], 2),
        "over_relay_us": round(ours["median_us"] - relay["median_us"], 1),
        "over_relay_p999_us": round(ours["p999_us"] - relay["p999_us"], 1),
        "screen_fps": drawn_hz,
        "data": str(data),
    }


def _over(legs: list[Leg], part: float) -> float:
    """The median over the rounds of one percentile."""
    return round(statistics.median(percentile(leg.latencies_us, part) for leg in legs), 1)
