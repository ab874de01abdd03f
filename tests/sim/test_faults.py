"""Faults on purpose: each does what its name says, follows from its seed, and leaves a line in the log."""

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.wire import ximu3
from controller.wire.link import LinkLost, MemoryLink
from controller.wire.sciencemode.messages import ChannelUpdate, MlInit, MlUpdate
from controller.wire.sciencemode.p24 import encode
from sim.attached import Puck, Stimulator
from sim.commands import obey
from sim.faults import FAULTS, FOREVER, FaultRefused, Place, parse
from sim.faults_cable import HELD_NS_MAX, QUEUE_BYTES_MAX, Cable, Lane, Stage
from sim.faults_radio import PRESETS, Radio
from sim.faults_running import faults_of, has, helper_of
from sim.patient import WristPatient
from sim.room import TWINS, furnish
from sim.world import World

MS, SECOND = 1_000_000, 1_000_000_000
START_NS = 5_000_000_000_000
CSV = Path(__file__).parents[1] / "data" / "reference" / "gilbert_elliott_presets.csv"
WRITES = [b"<%03d>" % number for number in range(200)]


def lane(*specs: str, seed: int = 1, helper: Callable[[bytes], bytes] | None = None) -> Lane:
    """One direction of a cable with these faults."""
    it = Lane()
    it.stages = [Stage(parse(spec), random.Random(f"{seed}/{spec}"), helper) for spec in specs]
    return it


def carried(it: Lane, writes: list[bytes] = WRITES, every_ns: int = 10 * MS) -> list[tuple[int, bytes]]:
    """(time, bytes) of all that arrives when one write is sent each `every_ns`."""
    arrived, sent_ns = [], 0
    for data in writes:
        while (due_ns := it.next_deadline()) < sent_ns:
            arrived.append((due_ns, it.carry(due_ns)))
        arrived.append((sent_ns, it.carry(sent_ns, data)))
        sent_ns += every_ns
    while (due_ns := it.next_deadline()) < FOREVER:
        arrived.append((due_ns, it.carry(due_ns)))
    return [(at_ns, data) for at_ns, data in arrived if data]


def whole(it: Lane) -> bytes:
    return b"".join(data for _, data in carried(it))


# -- how a fault is written --------------------------------------------------------------------------------------------


def test_a_fault_says_what_where_how_often_when_and_for_how_long() -> None:
    fault = parse("delay:30ms@ximu3-ascii/0.2+1.5s~250ms")
    assert (fault.name, fault.device, fault.part) == ("delay", "ximu3-ascii", 0.2)
    assert (fault.value_ns, fault.start_ns, fault.length_ns) == (30 * MS, 1_500 * MS, 250 * MS)
    assert parse("drop:0.25").part == parse("drop/0.25").part == 0.25
    assert parse("unsolicited-error/2s").every_ns == 2 * SECOND
    assert parse("electrode-off:2@p24").value == "2"
    assert parse("radio-loss:bad_wifi").value == "bad_wifi"
    assert parse("drop").part == 0.05
    assert (parse("drop").start_ns, parse("drop").length_ns) == (0, FOREVER)


@pytest.mark.parametrize("name", FAULTS)
def test_every_name_can_be_asked_for_alone(name: str) -> None:
    assert parse(name).name == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no fault"),
        ("drop 0.1", "is no fault"),
        ("fire", "no fault 'fire'"),
        ("drop:2", "not how often"),
        ("drop:0", "not how often"),
        ("drop:nan", "not how often"),
        ("drop:0.1/0.1", "twice"),
        ("delay:fast", "no time"),
        ("delay:0ms", "no time"),
        ("delay:99999999s", "no time"),
        ("electrode-off:x", "a channel"),
        ("electrode-off:0", "a channel"),
        ("radio-loss:sunny", "good_bench"),
        ("radio-loss/0.5", "takes no"),
        ("unplug:2", "takes no value"),
        ("unplug~3s", "nobody plugs"),
        ("reset/0.5", "in the device"),
        ("drop+5", "is no fault"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(FaultRefused, match=why):
        parse(text)


# -- what happens to writes --------------------------------------------------------------------------------------------


def test_dropped_writes_are_missing_and_nothing_else_changes() -> None:
    got = [data for _, data in carried(lane("drop:0.2"))]
    assert 0.1 < 1 - len(got) / len(WRITES) < 0.3
    assert got == [data for data in WRITES if data in got]


def test_a_late_write_holds_up_those_behind_it() -> None:
    got = carried(lane("delay:35ms/0.1"))
    assert b"".join(data for _, data in got) == b"".join(WRITES)
    late = [at_ns for at_ns, _ in got if at_ns % (10 * MS)]
    assert late
    assert all(at_ns % (10 * MS) == 5 * MS for at_ns in late)


def test_doubled_writes_come_twice_in_a_row() -> None:
    data = whole(lane("duplicate:0.2"))
    doubled = [write for write in WRITES if data.count(write) == 2]
    assert 20 <= len(doubled) <= 60
    assert all(write * 2 in data for write in doubled)
    assert all(data.count(write) in (1, 2) for write in WRITES)


def test_a_reordered_write_comes_after_the_next_one() -> None:
    data = whole(lane("reorder:0.2"))
    order = [int(data[at + 1 : at + 4]) for at in range(0, len(data), 5)]
    assert sorted(order) == list(range(len(WRITES)))
    assert order != sorted(order)
    assert all(abs(place - number) <= 1 for place, number in enumerate(order))


def test_a_reordered_write_with_nothing_behind_it_comes_in_the_end() -> None:
    it = lane("reorder:1")
    assert it.carry(0, b"last") == b""
    assert it.next_deadline() == HELD_NS_MAX
    assert it.carry(HELD_NS_MAX) == b"last"
    assert it.next_deadline() == FOREVER


def test_one_bit_is_flipped_in_each_write_that_is_hit() -> None:
    got = [data for _, data in carried(lane("bit-flip:0.5"))]
    wrong = [sum((a ^ b).bit_count() for a, b in zip(*pair, strict=True)) for pair in zip(got, WRITES, strict=True)]
    assert set(wrong) == {0, 1}
    assert 60 <= sum(wrong) <= 140


@pytest.mark.parametrize("name", ["wrong-number", "wrong-length"])
def test_a_wrong_field_is_made_by_the_codec_of_the_device(name: str) -> None:
    def spoil(frame: bytes) -> bytes:
        if frame == WRITES[7]:
            raise ValueError("no such field")
        return frame.upper().replace(b"<", b"(")

    it = lane(f"{name}:1", helper=spoil)
    assert whole(it).count(b"(") == len(WRITES) - 1
    assert it.stages[0].hits == len(WRITES) - 1


def test_a_cut_write_comes_in_two_pieces() -> None:
    got = carried(lane("split:3ms/0.3"))
    assert b"".join(data for _, data in got) == b"".join(WRITES)
    seconds = [data for at_ns, data in got if at_ns % (10 * MS) == 3 * MS]
    assert 30 <= len(seconds) <= 90
    assert all(len(data) < 5 for data in seconds)


def test_merged_writes_come_in_one_piece() -> None:
    got = carried(lane("merge:20ms/0.3"))
    assert b"".join(data for _, data in got) == b"".join(WRITES)
    assert max(len(data) for _, data in got) == 15  # two more came while it waited; none waits longer
    assert len(got) < len(WRITES) - 50


def test_junk_comes_before_the_writes_that_are_hit() -> None:
    data = whole(lane("junk:0.3"))
    assert all(write in data for write in WRITES)
    assert 60 <= len(data) - len(b"".join(WRITES)) <= 60 * 16


def test_a_time_instead_of_a_part_hits_once_in_that_time() -> None:
    it = lane("drop/200ms")
    got = [data for _, data in carried(it)]
    assert [data for data in WRITES if data not in got] == WRITES[::20]
    assert it.stages[0].hits == 10


def test_faults_of_one_cable_add_up() -> None:
    it = lane("drop:0.2", "duplicate:0.5", "delay:10ms")
    data = whole(it)
    assert it.stages[0].hits + it.stages[1].hits > 50
    assert len(data) == 5 * (len(WRITES) - it.stages[0].hits + it.stages[1].hits)
    assert it.stages[2].hits > 200


def test_a_cable_never_holds_more_than_its_bound() -> None:
    it = lane("delay:10s")
    for _ in range(100):
        it.carry(0, bytes(1000))
    assert len(it.carry(10 * SECOND)) == QUEUE_BYTES_MAX // 1000 * 1000
    assert it.lost_bytes == 100_000 - QUEUE_BYTES_MAX // 1000 * 1000


def test_a_cable_that_is_pulled_loses_what_was_on_its_way() -> None:
    cable = Cable()
    cable.to_host = lane("reorder:1", "delay:1s")
    cable.to_host.carry(0, b"one")
    cable.cut()
    assert cable.next_deadline() == FOREVER
    assert cable.to_host.carry(SECOND) == b""


def test_the_end_of_a_fault_lets_go_what_it_held() -> None:
    it = lane("reorder:1")
    it.carry(0, b"held")
    it.remove(it.stages[0], MS)
    assert it.carry(MS) == b"held"
    assert it.idle


LINE_FAULTS = [name for name, kind in FAULTS.items() if kind.place in (Place.SENT, Place.BOTH) and "wrong" not in name]


@pytest.mark.parametrize("name", LINE_FAULTS)
def test_one_seed_gives_the_same_arrivals_and_another_seed_others(name: str) -> None:
    spec = name if FAULTS[name].part < 1.0 or name == "radio-loss" else f"{name}/0.3"
    assert carried(lane(spec, seed=4)) == carried(lane(spec, seed=4))
    assert carried(lane(spec, seed=4)) != carried(lane(spec, seed=5))


# -- radio -------------------------------------------------------------------------------------------------------------


def test_the_presets_are_those_of_the_reference_and_lose_what_they_say() -> None:
    with CSV.open() as lines:
        rows = {row.pop("preset"): {key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)}
    assert list(rows) == list(PRESETS)
    for name, row in rows.items():
        preset = PRESETS[name]
        figures = (row["p_G_to_B"], row["r_B_to_G"], row["loss_in_G"], row["loss_in_B"])
        assert tuple(preset) == figures
        assert preset.bad == pytest.approx(row["stationary_B"], rel=1e-5)
        assert preset.loss == pytest.approx(row["loss_theory"], rel=1e-5)


@pytest.mark.parametrize(("name", "tolerance"), [("clinic_typical", 0.1), ("body_shadowed", 0.05), ("bad_wifi", 0.05)])
def test_losses_come_in_bursts_as_long_as_the_reference_says(name: str, tolerance: float) -> None:
    with CSV.open() as lines:
        row = next(row for row in csv.DictReader(lines) if row["preset"] == name)
    radio = Radio(PRESETS[name], random.Random(7).random)
    lost = [radio.loses() for _ in range(200_000)]
    runs = "".join(".x"[loss] for loss in lost).split(".")
    bursts = sorted(len(run) for run in runs if run)
    assert sum(lost) / len(lost) == pytest.approx(PRESETS[name].loss, rel=tolerance)
    assert sum(bursts) / len(bursts) == pytest.approx(float(row["mean_burst_pkts"]), rel=tolerance)
    assert bursts[int(len(bursts) * 0.99)] == pytest.approx(float(row["p99_burst_pkts"]), abs=1)


# -- in the world ------------------------------------------------------------------------------------------------------


def room(*specs: str, devices: tuple[str, ...] = ("ximu3",), seed: int = 1) -> Any:
    """(world, host's ends, log) with these faults from the start."""
    log: list[dict[str, Any]] = []
    ends = {name: MemoryLink.pair() for name in devices}
    links = {name: there for name, (_, there) in ends.items()}
    world = furnish(links, START_NS, seed=seed, faults=[parse(spec) for spec in specs], log=log.append)
    return world, {name: here for name, (here, _) in ends.items()}, log


def events(log: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [
        ((entry["t_ns"] - START_NS) // MS, entry["event"], entry["fault"])
        for entry in log
        if entry["kind"] == "world" and entry["event"].startswith("fault")
    ]


def test_frames_that_are_late_arrive_at_their_own_instants() -> None:
    world, hosts, _ = room("delay:25ms")
    assert world.next_deadline() == START_NS + 10 * MS
    world.advance(START_NS + 34 * MS)
    assert hosts["ximu3"].inbox == b""
    assert world.next_deadline() == START_NS + 35 * MS
    world.advance(START_NS + SECOND)
    frames = ximu3.Framer().feed(hosts["ximu3"].read(1 << 20))
    assert [frame.device_us for frame in frames if isinstance(frame, ximu3.Inertial)] == [
        10_000 * number for number in range(1, 98)
    ]


def test_a_fault_begins_and_ends_on_time_and_says_so() -> None:
    world, hosts, log = room("drop:1+200ms~300ms")
    world.advance(START_NS + SECOND)
    frames = ximu3.Framer().feed(hosts["ximu3"].read(1 << 20))
    seen = {frame.device_us // 1000 for frame in frames if isinstance(frame, ximu3.Inertial)}
    assert {200, 510} <= seen
    assert not seen & set(range(201, 501))
    assert events(log) == [(200, "fault begins", "drop"), (500, "fault ends", "drop")]
    assert log[-1]["hits"] == 30
    assert world.devices[0].cable is None


def test_without_faults_there_is_no_cable_to_pay_for() -> None:
    world, _, log = room()
    world.advance(START_NS + SECOND)
    assert world.trouble is None
    assert all(device.cable is None for device in world.devices)
    assert log == []


def test_the_unplugged_device_is_lost_to_its_host() -> None:
    world, hosts, log = room("unplug@ximu3+500ms", "delay:20ms@ximu3", devices=("ximu3", "fitmi"))
    world.advance(START_NS + SECOND)
    with pytest.raises(LinkLost):
        hosts["ximu3"].read(1 << 20) and hosts["ximu3"].read()
    assert len(hosts["fitmi"].read(1 << 20)) == 62 * 100
    assert [entry["event"] for entry in log] == ["fault begins", "fault begins", "unplug"]
    here, there = MemoryLink.pair()
    assert world.plug("ximu3", there, START_NS + SECOND)
    assert not world.plug("ximu3", there, START_NS + SECOND)
    world.advance(START_NS + 2 * SECOND)
    assert len(ximu3.Framer().feed(here.read(1 << 20))) == 98


def test_a_host_that_leaves_ends_what_was_on_its_way() -> None:
    world, hosts, _ = room("delay:20ms", "reorder:0.5")
    world.advance(START_NS + 100 * MS)
    hosts["ximu3"].close()
    world.advance(START_NS + SECOND)
    assert world.devices[0].link is None
    assert world.trouble is not None
    assert world.trouble.next_deadline() == FOREVER


class Suffering:
    """A stimulator that has one fault, and says something when it happens."""

    identity = "SIM-SUFFERER"

    def __init__(self) -> None:
        self.suffered: list[tuple[str, str, int]] = []
        self.fed: list[tuple[int, bytes]] = []
        self._out = b""

    def suffer(self, fault: str, value: str, now_ns: int) -> bool:
        if fault != "electrode-off" or value not in ("1", "1 ok"):
            return False
        self.suffered.append((fault, value, now_ns))
        self._out = b"ouch"
        return True

    def feed(self, now_ns: int, data: bytes) -> bytes:
        self.fed.append((now_ns, data))
        return b"ack"

    def advance(self, now_ns: int) -> bytes:
        out, self._out = self._out, b""
        return out

    def next_deadline(self) -> int:
        return FOREVER

    def drive(self) -> tuple[tuple[int, int, int, int], ...]:
        return ()

    def electrode(self, channel: int, attached: bool) -> None:
        raise ValueError(channel)

    def unplug(self, now_ns: int) -> None:
        pass

    def close(self, now_ns: int) -> None:
        pass


@pytest.fixture
def sufferer(monkeypatch: pytest.MonkeyPatch) -> tuple[World, Suffering, MemoryLink]:
    made = TWINS["p24"]
    monkeypatch.setitem(TWINS, "p24", type(made)(made.role, f"{__name__}:Suffering", streams=False))
    monkeypatch.setattr("sim.catalogue.import_module", lambda _: type("Module", (), {"Suffering": Suffering}))
    here, there = MemoryLink.pair()
    world = World(START_NS, WristPatient(1, start_ns=START_NS), stimulator=Stimulator("p24", Suffering(), there))
    return world, world.stimulator.twin, here


def test_a_fault_in_the_device_happens_there_again_and_again_until_its_end(sufferer: Any) -> None:
    world, twin, here = sufferer
    world.add(parse("electrode-off:1@p24/400ms+1s~900ms"), START_NS)
    assert twin.suffered == []
    world.advance(START_NS + 5 * SECOND)
    at_ms = [(value, (t_ns - START_NS) // MS) for _, value, t_ns in twin.suffered]
    assert at_ms == [("1", 1000), ("1", 1400), ("1", 1800), ("1 ok", 1900)]
    assert here.read() == b"ouch" * 4


def test_a_fault_that_no_device_has_is_refused_and_what_there_is_is_told(sufferer: Any) -> None:
    world, twin, _ = sufferer
    with pytest.raises(FaultRefused, match=r"electrode-off:9. p24 has drop, .*electrode-off"):
        world.add(parse("electrode-off:9"), START_NS)
    with pytest.raises(FaultRefused, match="reset"):
        world.add(parse("reset@p24"), START_NS)
    with pytest.raises(FaultRefused, match="no device 'ximu3' here; there are p24"):
        world.add(parse("drop@ximu3"), START_NS)
    assert twin.suffered == []


def test_bytes_for_the_device_can_be_late_too(sufferer: Any) -> None:
    world, twin, here = sufferer
    world.add(parse("delay:30ms"), START_NS)
    here.write(b"stop")
    world.advance(START_NS)
    world.advance(START_NS + 100 * MS)
    assert twin.fed == [(START_NS + 30 * MS, b"stop")]
    assert here.read() == b"ack"


def test_faults_are_bounded_in_number() -> None:
    world, _, _ = room()
    for _ in range(64):
        world.add(parse("drop+5s"), START_NS)
    with pytest.raises(FaultRefused, match="64 faults already"):
        world.add(parse("drop"), START_NS)


def test_lines_add_and_clear_faults(capsys: pytest.CaptureFixture[str]) -> None:
    world, hosts, log = room()
    assert obey(world, "fault drop:1", START_NS)
    assert obey(world, "fault delay:10ms", START_NS)
    world.advance(START_NS + 100 * MS)
    assert hosts["ximu3"].inbox == b""
    assert obey(world, "clear drop", START_NS + 100 * MS)
    world.advance(START_NS + 200 * MS)
    assert len(ximu3.Framer().feed(hosts["ximu3"].read(1 << 20))) == 9
    assert obey(world, "clear", START_NS + 200 * MS)
    assert capsys.readouterr().err == ""
    for line in ("clear", "clear drop", "fault fire", "fault electrode-off:1@ximu3", "fault", "clear a b"):
        assert obey(world, line, START_NS + 200 * MS)
        assert f"not done: {line!r}" in capsys.readouterr().err
    assert [what for _, what, _ in events(log)] == ["fault begins", "fault begins", "fault ends", "fault ends"]


def heard(seed: int, *specs: str) -> bytes:
    world, hosts, _ = room(*specs, seed=seed)
    world.advance(START_NS + 3 * SECOND)
    return hosts["ximu3"].read(1 << 20)


def test_one_seed_gives_the_same_bytes_in_the_world_and_a_fault_more_leaves_the_others_as_they_were() -> None:
    assert heard(3, "drop:0.1", "bit-flip") == heard(3, "drop:0.1", "bit-flip")
    assert heard(3, "drop:0.1") != heard(4, "drop:0.1")
    alone = ximu3.Framer().feed(heard(3, "drop:0.1"))
    both = ximu3.Framer().feed(heard(3, "delay:20ms", "drop:0.1"))
    assert both == alone[: len(both)]


def test_a_lifted_electrode_of_a_real_twin_is_stuck_back_at_the_end() -> None:
    world, hosts, log = room("electrode-off:2@p24+1s~1s", devices=("p24",))
    points = ((250, 18_000), (100, 0), (250, -18_000))
    hosts["p24"].write(encode(0, MlInit()))
    world.advance(START_NS)
    for number in range(1, 30):
        hosts["p24"].write(encode(number, MlUpdate((ChannelUpdate(1, points, 30_000 + 500 * (number % 2)),))))
        world.advance(START_NS + number * 100 * MS)
    trains = [entry for entry in log if entry["kind"] == "train"]
    in_fault = [entry for entry in trains if START_NS + SECOND < entry["t_start_ns"] < START_NS + 2 * SECOND]
    assert in_fault == []
    assert trains[0]["t_start_ns"] < START_NS + SECOND
    assert trains[-1]["t_start_ns"] > START_NS + 2 * SECOND
    assert events(log) == [(1000, "fault begins", "electrode-off"), (2000, "fault ends", "electrode-off")]
    assert next(entry["healed"] for entry in log if entry.get("event") == "fault ends")


@pytest.mark.parametrize("name", [name for name, kind in TWINS.items() if kind.wire])
def test_the_codecs_of_the_devices_make_wrong_numbers_and_lengths(name: str) -> None:
    made = [fault for fault in ("wrong-number", "wrong-length") if has(name, fault)]
    assert "wrong-number" in made
    for fault in made:
        assert callable(helper_of(name, fault))


@pytest.mark.parametrize("name", TWINS)
def test_every_twin_can_be_served_with_any_fault_it_has(name: str) -> None:
    names = faults_of(name)
    assert {"drop", "delay", "junk", "unplug"} <= set(names)
    here, there = MemoryLink.pair()
    world = furnish({name: there}, START_NS)
    for number, fault in enumerate(names):
        if fault != "unplug":
            assert has(name, fault, FAULTS[fault].usual)
            world.add(parse(f"{fault}@{name}~200ms"), START_NS + number * 100 * MS)
            world.advance(START_NS + (number + 1) * 100 * MS)
            if here.inbox:
                here.read(1 << 16)
    world.advance(START_NS + 60 * SECOND)
    assert all(device.cable is None for device in world.devices)


def test_a_puck_of_its_own_making_has_only_the_faults_of_its_cable() -> None:
    class Plain:
        identity = "SIM-PLAIN"

        def feed(self, now_ns: int, data: bytes) -> bytes:
            return b""

        def frame(self, t_us: int, gyro_dps: Any, acc_g: Any) -> bytes:
            return b"x"

    here, there = MemoryLink.pair()
    world = World(0, WristPatient(1), pucks=[Puck("plain", Plain(), there)])
    world.add(parse("drop:1"), 0)
    with pytest.raises(FaultRefused, match="plain has drop"):
        world.add(parse("stuck-sensor"), 0)
    world.advance(SECOND)
    assert here.inbox == b""
