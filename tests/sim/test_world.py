"""The world over links in memory: order of events, frames at their instants, cables pulled."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controller.wire import ximu3
from controller.wire.link import LinkLost, MemoryLink
from controller.wire.sciencemode.messages import ChannelUpdate, MlInit, MlUpdate
from controller.wire.sciencemode.p24 import encode
from sim.attached import FOREVER, Puck, Stimulator
from sim.devices.ximu3 import Ximu3Twin
from sim.effort import MODERATE, MS, SECOND
from sim.muscle import Pulses
from sim.patient import WristPatient
from sim.playback import Playback
from sim.room import WORLD, furnish
from sim.world import World

START_NS = 5_000_000_123_456
TRAIN: Pulses = (1, 18_000, 250, 28_500)


class TimedStimulator:
    """Switches its train on and off at given instants of its own, and on for every byte fed."""

    identity = "SIM-TIMED"

    def __init__(self, edges_ns: Sequence[int] = ()) -> None:
        self.attached = {1: True, 2: True}
        self.closed_ns: int | None = None
        self._edges = sorted(edges_ns)
        self.on = False
        self.fed: list[tuple[int, bytes]] = []

    def feed(self, now_ns: int, data: bytes) -> bytes:
        self.fed.append((now_ns, data))
        self.on = True
        return b"ack" + data

    def advance(self, now_ns: int) -> bytes:
        while self._edges and self._edges[0] <= now_ns:
            self._edges.pop(0)
            self.on = not self.on
        return b""

    def next_deadline(self) -> int:
        return self._edges[0] if self._edges else FOREVER

    def drive(self) -> list[Pulses]:
        return [TRAIN] if self.on else []

    def electrode(self, channel: int, attached: bool) -> None:
        if channel not in self.attached:
            raise ValueError(channel)
        self.attached[channel] = attached

    def unplug(self, now_ns: int) -> None:
        self.fed.append((now_ns, b"unplugged"))

    def close(self, now_ns: int) -> None:
        self.closed_ns = now_ns


class WitnessedMotion:
    """Remembers for how long which trains were at the skin."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self.spans: list[tuple[int, int, bool]] = []

    def cue(self, now_ns: int) -> str:
        self.spans.append((now_ns, now_ns, True))
        return "attempt"

    def relax(self, now_ns: int) -> None:
        self.spans.append((now_ns, now_ns, False))

    def advance(self, to_ns: int, drive: Sequence[Pulses]) -> None:
        if to_ns > self._now_ns:
            self.spans.append((self._now_ns, to_ns, bool(drive)))
        self._now_ns = to_ns

    def imu(self, now_ns: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        assert now_ns == self._now_ns
        return (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)

    def driven_ns(self) -> int:
        return sum(end - begin for begin, end, driven in self.spans if driven)


@dataclass
class Tape:
    """Ten samples at 50 Hz that count upwards."""

    rate_hz: float = 50.0

    @property
    def gyro_dps(self) -> list[list[float]]:
        return [[float(k), 0.0, 0.0] for k in range(10)]

    @property
    def acc_g(self) -> list[list[float]]:
        return [[0.0, 0.0, 1.0]] * 10


def frames(link: MemoryLink) -> list[ximu3.Inertial]:
    messages = ximu3.Framer().feed(link.read(1 << 20))
    assert all(isinstance(message, ximu3.Inertial) for message in messages)
    return [message for message in messages if isinstance(message, ximu3.Inertial)]


def puck(rate_hz: float = 100.0) -> tuple[Puck, MemoryLink]:
    host, device = MemoryLink.pair()
    return Puck("ximu3", Ximu3Twin(), device, rate_hz), host


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 102.4, 1000.0])
def test_every_frame_goes_out_at_its_own_instant_however_long_the_tick(rate_hz: float) -> None:
    it, host = puck(rate_hz)
    world = World(START_NS, WristPatient(1, start_ns=START_NS), pucks=[it])
    seen = []
    for tick in range(1, 101):
        world.advance(START_NS + tick * 10 * MS)
        seen += frames(host)
    period_ns = round(SECOND / rate_hz)
    assert [frame.device_us for frame in seen] == [k * period_ns // 1000 for k in range(1, SECOND // period_ns + 1)]
    assert world.next_deadline() == START_NS + (SECOND // period_ns + 1) * period_ns


@pytest.mark.parametrize("rate_hz", [0.5, 1001.0, float("nan")])
def test_a_puck_with_another_rate_is_refused(rate_hz: float) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        puck(rate_hz)


@pytest.mark.parametrize("tick_ns", [7 * MS, 250 * MS, 2 * SECOND])
def test_current_reaches_the_limb_exactly_while_it_is_on(tick_ns: int) -> None:
    edges = [START_NS + 300 * MS, START_NS + 777 * MS, START_NS + 1_500 * MS, START_NS + 1_501 * MS]
    motion, (it, _) = WitnessedMotion(START_NS), puck()
    _, device = MemoryLink.pair()
    world = World(START_NS, motion, stimulator=Stimulator("p24", TimedStimulator(edges), device), pucks=[it])
    now_ns = START_NS
    while now_ns < START_NS + 2 * SECOND:
        now_ns = min(now_ns + tick_ns, START_NS + 2 * SECOND)
        world.advance(now_ns)
    assert motion.driven_ns() == 477 * MS + MS


def test_bytes_act_when_they_are_fed_and_are_answered() -> None:
    motion, (it, _) = WitnessedMotion(START_NS), puck()
    host, device = MemoryLink.pair()
    twin = TimedStimulator()
    world = World(START_NS, motion, stimulator=Stimulator("p24", twin, device), pucks=[it])
    host.write(b"go")
    assert world.advance(START_NS + 500 * MS)
    assert not world.advance(START_NS + 600 * MS)
    assert twin.fed == [(START_NS + 500 * MS, b"go")]
    assert host.read() == b"ackgo"
    assert motion.driven_ns() == 100 * MS


def test_an_unplugged_device_is_lost_to_its_host_and_lives_on() -> None:
    noted: list[dict[str, Any]] = []
    it, host = puck()
    stimulator_host, device = MemoryLink.pair()
    twin = TimedStimulator([START_NS + 200 * MS])
    motion = WitnessedMotion(START_NS)
    world = World(START_NS, motion, stimulator=Stimulator("p24", twin, device), pucks=[it], log=noted.append)
    world.advance(START_NS + 100 * MS)
    assert world.unplug("ximu3", START_NS + 100 * MS)
    assert world.unplug("p24", START_NS + 100 * MS)
    assert not world.unplug("ximu3", START_NS + 100 * MS)
    assert not world.unplug("fitmi", START_NS + 100 * MS)
    assert len(frames(host)) == 10
    for end in (host, stimulator_host):
        with pytest.raises(LinkLost):
            end.read()
    world.advance(START_NS + 300 * MS)
    assert motion.driven_ns() == 100 * MS
    assert [entry["device"] for entry in noted] == ["ximu3", "p24"]


def test_a_host_that_closes_its_end_does_not_stop_the_world() -> None:
    it, host = puck()
    world = World(START_NS, WristPatient(1, start_ns=START_NS), pucks=[it])
    host.close()
    world.advance(START_NS + SECOND)
    assert it.link is None


def test_stimulation_on_the_wire_extends_the_wrist() -> None:
    person = WristPatient(1, start_ns=START_NS, effort=MODERATE)
    it, host = puck()
    _, device = MemoryLink.pair()
    edges = [START_NS + SECOND, START_NS + 3 * SECOND]
    world = World(START_NS, person, stimulator=Stimulator("p24", TimedStimulator(edges), device), pucks=[it])
    world.advance(START_NS + 900 * MS)
    assert max(abs(frame.gyro_dps[1]) for frame in frames(host)) < 5.0
    world.advance(START_NS + 3 * SECOND)
    assert person.angle_deg > 30.0
    assert max(frame.gyro_dps[1] for frame in frames(host)) > 100.0
    world.advance(START_NS + 6 * SECOND)
    assert person.angle_deg == pytest.approx(-35.5, abs=1.0)


def test_a_furnished_world_closes_the_loop_from_bytes_to_movement_and_back() -> None:
    entries: list[dict[str, Any]] = []
    ends = {name: MemoryLink.pair() for name in WORLD}
    links = {name: device for name, (_, device) in ends.items()}
    world = furnish(links, START_NS, seed=2, log=entries.append)
    unit, host = ends["p24"][0], ends["ximu3"][0]
    unit.write(encode(0, MlInit()))
    world.advance(START_NS)
    points = ((250, 18_000), (100, 0), (250, -18_000))
    for number in range(1, 25):
        unit.write(encode(number, MlUpdate((ChannelUpdate(0, points, 28_500),))))
        world.advance(START_NS + number * 100 * MS)
    assert max(frame.gyro_dps[1] for frame in frames(host)) > 100.0
    assert len(ends["fitmi"][0].read(1 << 20)) % 62 == 0
    world.unplug("p24", START_NS + 2_400 * MS)
    world.advance(START_NS + 6 * SECOND)
    assert [entry["fault"] for entry in entries if entry["kind"] == "fault"] == ["watchdog"]
    (train,) = (entry for entry in entries if entry["kind"] == "train")
    assert train["t_end_ns"] <= START_NS + 4_400 * MS < train["t_end_ns"] + 28_500_000
    assert train["pulses"] == (train["t_end_ns"] - train["t_start_ns"]) // 28_500_000 + 1


def test_a_device_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no simulated device 'rehastim'; there are p24, .*ximu3.*fitmi"):
        furnish({"rehastim": MemoryLink.pair()[0]}, 0)


def test_a_recording_is_played_once_from_the_frame_after_play() -> None:
    host, device = MemoryLink.pair()
    world = World(START_NS, Playback(Tape(), 1), pucks=[Puck("ximu3", Ximu3Twin(), device, 50.0)])
    world.advance(START_NS + 95 * MS)
    assert world.play(START_NS + 95 * MS)
    assert not world.play(START_NS + 96 * MS)
    world.advance(START_NS + 600 * MS)
    rates = [frame.gyro_dps[0] for frame in frames(host)]
    assert all(abs(rate) < 1.0 for rate in rates[:4])
    assert rates[4:14] == [float(k) for k in range(10)]
    assert len(rates) == 30
    assert all(abs(rate) < 1.0 for rate in rates[14:])


def test_a_recording_at_another_rate_than_the_pucks_keeps_its_own_time() -> None:
    tape = Playback(Tape(), 1)
    tape.play(START_NS)
    assert [tape.imu(START_NS + k * 10 * MS)[0][0] for k in range(20)] == [float(k // 2) for k in range(20)]
    assert not tape.ended(START_NS + 199 * MS)
    assert tape.ended(START_NS + 200 * MS)


def test_electrodes_come_off_and_the_end_is_told_to_the_stimulator() -> None:
    noted: list[dict[str, Any]] = []
    _, device = MemoryLink.pair()
    twin = TimedStimulator()
    world = World(0, WristPatient(1), stimulator=Stimulator("p24", twin, device), log=noted.append)
    assert world.electrode(1, False, 5 * MS)
    assert twin.attached == {1: False, 2: True}
    assert not world.electrode(9, False, 5 * MS)
    assert noted == [{"kind": "world", "t_ns": 5 * MS, "event": "electrode", "channel": 1, "attached": False}]
    world.close(7 * MS)
    assert twin.closed_ns == 7 * MS
    bare = World(0, WristPatient(1))
    assert not bare.electrode(1, False, 0)
    bare.close(0)


def test_without_a_recording_play_is_refused() -> None:
    it, _ = puck()
    assert not World(0, WristPatient(1), pucks=[it]).play(0)


def session(seed: int) -> bytes:
    it, host = puck()
    _, device = MemoryLink.pair()
    edges = [START_NS + k * 3 * SECOND for k in range(1, 9)]
    person = WristPatient(seed, self_paced=True, start_ns=START_NS)
    world = World(START_NS, person, stimulator=Stimulator("p24", TimedStimulator(edges), device), pucks=[it])
    world.advance(START_NS + 30 * SECOND)
    return host.read(1 << 20)


def test_one_seed_gives_the_same_bytes() -> None:
    assert session(3) == session(3)
    assert session(3) != session(4)


def test_the_recordings_folder_is_what_the_pucks_play(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    recording = pytest.importorskip("sim.recording").Recording
    rates = numpy.arange(30, dtype=numpy.int16).reshape(10, 3)
    info = json.dumps({"fs_hz": 100.0, "gyr_lsb_deg_s": 0.5, "acc_lsb_g": 0.25})
    path = tmp_path / "motion.npz"
    numpy.savez(path, b05_gyr_raw=rates, b05_acc_raw=rates, info=numpy.array(info))
    host, device = MemoryLink.pair()
    tape = Playback(recording.load(path, "05"), 1)
    world = World(0, tape, pucks=[Puck("ximu3", Ximu3Twin(), device, tape.rate_hz)])
    world.play(0)
    world.advance(100 * MS)
    assert [frame.gyro_dps for frame in frames(host)] == [tuple(row) for row in (rates * 0.5).tolist()]
