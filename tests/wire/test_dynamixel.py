"""Dynamixel packets against frames of other people's encoders; stuffing exhaustively; any cut of the stream."""

import json
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from dynamixel_sdk import Protocol2PacketHandler
from dynamixel_sdk.robotis_def import COMM_SUCCESS
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.wire.dynamixel.frame import (
    BROADCAST,
    CUT,
    FRAME_BYTES_MAX,
    STRAY,
    BadFrame,
    Frame,
    Framer,
    build,
    crc16,
    mislengthed,
    parse,
    renumbered,
    stuff,
    unstuff,
)
from controller.wire.dynamixel.instructions import (
    INSTRUCTIONS,
    STATUS,
    decode_fast_status,
    decode_instruction,
    decode_status,
    encode,
    resembles,
)
from controller.wire.dynamixel.messages import (
    Action,
    BulkRead,
    BulkWrite,
    Clear,
    FactoryReset,
    FastBulkRead,
    FastStatus,
    FastSyncRead,
    Ping,
    Read,
    Reboot,
    RegWrite,
    Status,
    SyncRead,
    SyncWrite,
    Write,
)
from controller.wire.dynamixel.registers import AT, MODELS, REGISTER, REGISTERS
from controller.wire.errors import LocalError, RemoteError

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "orthosis.json").read_text())["dynamixel"]
OTHERS = Path(__file__).parents[1] / "data"
DEFECT = "SDK-DEFECT"
HOST = [vector for vector in VECTORS["host_to_device"] if DEFECT not in vector["name"]]
WORKED = VECTORS["emanual_examples"]
DAMAGED = {"bad crc", "garbage + good", "echo of own tx then reply (RS485 adapter w/ local echo)"}
SERVO = [vector for vector in VECTORS["device_to_host"] if vector["name"] not in DAMAGED]
GOLDEN = [bytes.fromhex(vector["bytes"]) for vector in (*HOST, *SERVO, *WORKED)]


def named(name: str) -> bytes:
    return next(
        bytes.fromhex(vector["bytes"])
        for part in ("host_to_device", "device_to_host", "emanual_examples")
        for vector in VECTORS[part]
        if vector["name"].startswith(name)
    )


def whole(data: bytes) -> Frame:
    frame = parse(data)
    assert isinstance(frame, Frame)
    return frame


def understood(data: bytes) -> Any:
    frame = whole(data)
    return decode_status(frame) if frame.instruction == STATUS else decode_instruction(frame)


@pytest.mark.parametrize("vector", [*HOST, *SERVO, *WORKED], ids=lambda vector: vector["name"])
def test_golden_frame_decodes_and_encodes_byte_for_byte(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["bytes"])
    frame = whole(data)
    assert build(*frame) == data
    assert encode(understood(data)) == data
    assert crc16(data[:-2]) == int.from_bytes(data[-2:], "little")


MEANINGS = {
    "ping id1": Ping(1),
    "ping broadcast": Ping(BROADCAST),
    "read hardware_error id1": Read(1, 70, 1),
    "read present block id1": Read(1, 126, 10),
    "write torque_enable=0 broadcast": Write(BROADCAST, 64, b"\0"),
    "write goal_current=-50": Write(1, 102, (-50).to_bytes(2, "little", signed=True)),
    "write bus_watchdog=5": Write(1, 98, b"\5"),
    "reg_write goal_position=2200": RegWrite(1, 116, (2200).to_bytes(4, "little")),
    "action broadcast": Action(BROADCAST),
    "reboot id1": Reboot(1),
    "factory_reset opt1": FactoryReset(1, 1),
    "clear id1": Clear(1, b"\x01DXL\x22"),
    "sync_read 132x4": SyncRead(132, 4, (1, 2)),
    "fast_sync_read present block": FastSyncRead(126, 10, (1, 2)),
    "bulk_read id1@126x10": BulkRead(((1, 126, 10), (2, 144, 3))),
    "sync_write torque_enable=0": SyncWrite(64, 1, ((1, b"\0"), (2, b"\0"), (3, b"\0"))),
    "ping reply model 1030 fw 46": Status(1, 0, b"\x06\x04\x2e"),
    "alert bit 0x80": Status(1, 0x80, b"\x20"),
    "alert bit + access": Status(1, 0x87),
    "wrong id reply": Status(2, 0, b"\0\x08\0\0"),
    "block reply normal": Status(1, 0, bytes.fromhex("F4FF 1E000000 35080000")),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_golden_frame_means_what_its_name_says(name: str) -> None:
    assert understood(named(name)) == MEANINGS[name]


def test_damaged_golden_frames_are_seen_as_such() -> None:
    assert parse(named("bad crc")) == BadFrame("wrong CRC", 1)
    framer = Framer()
    garbage, good = framer.feed(named("garbage + good"))
    assert (garbage, decode_status(good)) == (BadFrame(STRAY), Status(1, 0, b"\0\x08\0\0"))
    echo, reply = Framer().feed(named("echo of own tx"))
    assert decode_instruction(echo) == Read(1, 132, 4)
    assert decode_status(reply) == Status(1, 0, b"\0\x08\0\0")


def test_what_the_sdk_sends_wrongly_is_right_here_and_differs() -> None:
    wrong = named(DEFECT)
    message = Write(1, 102, (-1).to_bytes(2, "little", signed=True) + (-3).to_bytes(4, "little", signed=True))
    ours = encode(message)
    assert ours == bytes.fromhex("FFFFFD00010C00036600FFFFFDFDFFFFFF0935")
    assert ours != wrong
    assert parse(wrong) == BadFrame(CUT)
    assert understood(ours) == message


def test_a_stuffed_answer_of_a_servo_is_read() -> None:
    data = bytes.fromhex("FFFFFD00010F005500FFFFFDFDFFFFFF0008000049F0")
    status = understood(data)
    assert status == Status(1, 0, bytes.fromhex("FFFF FDFFFFFF 00080000"))
    assert REGISTER["present_current"].unpack(status.data[:2]) == -1
    assert REGISTER["present_velocity"].unpack(status.data[2:6]) == -3
    assert encode(status) == data


def test_stuffing_loses_nothing_in_all_21760_short_payloads() -> None:
    """All payloads of 4 to 7 bytes of FF FD 00 01, 21,760 of them; the vendor's SDK loses a byte in 12."""
    payloads = [bytes(p) for size in range(4, 8) for p in product(b"\xff\xfd\x00\x01", repeat=size)]
    assert len(payloads) == VECTORS["sdk_unstuff_lossy"]["tested_payloads"] == 21_760
    for payload in payloads:
        assert unstuff(stuff(payload)) == payload
        data = build(1, STATUS, b"\0" + payload)
        assert parse(data) == Frame(1, STATUS, b"\0" + payload)


@pytest.mark.parametrize("example", VECTORS["sdk_unstuff_lossy"]["examples"], ids=lambda example: example[0])
def test_what_the_sdk_loses_is_kept(example: list[str]) -> None:
    payload = bytes.fromhex(example[0])
    frame = parse(build(1, STATUS, b"\0" + payload))
    assert isinstance(frame, Frame)
    assert frame.payload == b"\0" + payload
    assert len(bytes.fromhex(example[1])) == len(payload) - 1


# -- the maker's SDK as a second encoder -----------------------------------------------------------------------------


class Tray:
    """A port that keeps what is written and answers nothing."""

    is_using = False

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def clearPort(self) -> None:  # noqa: N802  (the SDK's name)
        pass

    def writePort(self, packet: list[int]) -> int:  # noqa: N802
        self.written.append(bytes(packet))
        return len(packet)

    def setPacketTimeout(self, length: int) -> None:  # noqa: N802
        pass


def sdk(method: str, *arguments: Any) -> bytes:
    tray, handler = Tray(), Protocol2PacketHandler()
    tray.is_using = False
    result = getattr(handler, method)(tray, *arguments)
    assert result in (COMM_SUCCESS, None)
    (data,) = tray.written
    return data


DATA = st.binary(min_size=1, max_size=18).filter(lambda data: b"\xff\xff\xfd" not in data)
IDS = st.integers(0, 252)


@settings(max_examples=150)
@given(IDS, st.integers(0, 1023), DATA)
def test_writes_of_the_sdk_equal_ours(id: int, address: int, data: bytes) -> None:
    assert sdk("writeTxOnly", id, address, len(data), list(data)) == encode(Write(id, address, data))
    assert sdk("regWriteTxOnly", id, address, len(data), list(data)) == encode(RegWrite(id, address, data))


@settings(max_examples=100)
@given(IDS, st.integers(0, 1023), st.integers(1, 200), st.lists(IDS, min_size=1, max_size=8, unique=True))
def test_reads_of_the_sdk_equal_ours(id: int, address: int, size: int, ids: list[int]) -> None:
    assert sdk("readTx", id, address, size) == encode(Read(id, address, size))
    for fast, kind in ((False, SyncRead), (True, FastSyncRead)):
        assert sdk("syncReadTx", address, size, ids, len(ids), fast) == encode(kind(address, size, tuple(ids)))
    bulk = [byte for id in ids for byte in (id, *address.to_bytes(2, "little"), *size.to_bytes(2, "little"))]
    entries = tuple((id, address, size) for id in ids)
    assert sdk("bulkReadTx", bulk, len(bulk), False) == encode(BulkRead(entries))
    assert sdk("bulkReadTx", bulk, len(bulk), True) == encode(FastBulkRead(entries))


def test_the_sdk_stuffs_right_but_sends_wrong() -> None:
    """Its `addStuffing` gives the right packet back, and `txPacket` drops it."""
    message = Write(1, 102, bytes.fromhex("FFFF FDFFFFFF"))
    sent = sdk("writeTxOnly", 1, 102, 6, list(message.data))
    assert sent == named(DEFECT)
    packet = Protocol2PacketHandler().addStuffing(list(sent))
    assert bytes(packet)[:-2] == encode(message)[:-2]


# -- messages --------------------------------------------------------------------------------------------------------

ADDRESSES = st.integers(0, 0xFFFF)
SIZES = st.integers(1, 64)
RAW = st.binary(max_size=40)
UNIQUE = st.lists(IDS, min_size=1, max_size=6, unique=True).map(tuple)
MESSAGES = st.one_of(
    st.builds(Ping, IDS),
    st.builds(Read, IDS, ADDRESSES, ADDRESSES),
    st.builds(Write, IDS, ADDRESSES, RAW.filter(bool)),
    st.builds(RegWrite, IDS, ADDRESSES, RAW.filter(bool)),
    st.builds(Action, IDS),
    st.builds(FactoryReset, IDS, st.integers(0, 255)),
    st.builds(Reboot, IDS),
    st.builds(Clear, IDS, RAW.filter(bool)),
    st.builds(SyncRead, ADDRESSES, ADDRESSES, UNIQUE),
    st.builds(FastSyncRead, ADDRESSES, ADDRESSES, UNIQUE),
    st.builds(lambda a, ids: SyncWrite(a, 3, tuple((id, b"\xff\xff\xfd") for id in ids)), ADDRESSES, UNIQUE),
    st.builds(lambda a, n, ids: BulkRead(tuple((id, a, n) for id in ids)), ADDRESSES, SIZES, UNIQUE),
    st.builds(lambda a, n, ids: FastBulkRead(tuple((id, a, n) for id in ids)), ADDRESSES, SIZES, UNIQUE),
    st.builds(lambda a, d, ids: BulkWrite(tuple((id, a, d) for id in ids)), ADDRESSES, RAW, UNIQUE),
    st.builds(Status, IDS, st.integers(0, 255), RAW),
)


@given(MESSAGES)
def test_every_message_comes_back(message: Any) -> None:
    assert understood(encode(message)) == message


@given(st.lists(st.tuples(IDS, st.integers(0, 255)), min_size=1, max_size=4), st.data())
def test_fast_answers_come_back(heads: list[tuple[int, int]], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    content = st.lists(st.sampled_from(b"\xff\xfd\x00\x55"), min_size=size, max_size=size).map(bytes)
    message = FastStatus(tuple(Status(id, error, data.draw(content)) for id, error in heads))
    assert decode_fast_status(whole(encode(message)), size) == message


def test_there_is_a_row_for_each_instruction() -> None:
    assert len(INSTRUCTIONS) == 14
    assert set(INSTRUCTIONS) >= {Ping, Read, Write, Reboot, SyncRead, SyncWrite, FastSyncRead}


@pytest.mark.parametrize(
    "message",
    [
        Ping(253),
        Ping(255),
        Ping(-1),
        Read(1, 0x10000, 1),
        Read(1, 0, -1),
        Read(1, 1.5, 1),
        Write(1, 64, "0"),
        SyncRead(0, 1, ()),
        SyncRead(0, 1, (1, 1)),
        SyncRead(0, 1, (254,)),
        SyncWrite(64, 1, ((1, b"\0\0"),)),
        SyncWrite(64, 0, ((1, b""),)),
        Status(1, 256),
        FastStatus(()),
        FastStatus((Status(1, 0, b"a"), Status(2, 0, b"ab"))),
        Write(1, 0, bytes(FRAME_BYTES_MAX)),
        "ping",
        None,
    ],
    ids=repr,
)
def test_what_must_not_be_on_the_wire_is_refused(message: Any) -> None:
    with pytest.raises(LocalError):
        encode(message)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(1, 0x01, b"\0"),
        Frame(1, 0x02, b"\0\0\0"),
        Frame(1, 0x03, b"\0\0"),
        Frame(1, 0x06, b""),
        Frame(1, 0x10, b""),
        Frame(BROADCAST, 0x82, bytes(4)),
        Frame(1, 0x82, b"\0\0\1\0\1"),
        Frame(BROADCAST, 0x82, b"\0\0\1\0\xfe"),
        Frame(BROADCAST, 0x83, b"\0\0\1\0\1"),
        Frame(BROADCAST, 0x83, b"\0\0\0\0\1"),
        Frame(BROADCAST, 0x92, b"\1\0\0\0"),
        Frame(BROADCAST, 0x93, b"\1\0\0\5\0\1"),
        Frame(1, 0x7F, b""),
        Frame(1, STATUS, b""),
    ],
    ids=repr,
)
def test_what_a_servo_cannot_understand_is_said(frame: Frame) -> None:
    with pytest.raises(RemoteError):
        decode_instruction(frame)
    with pytest.raises(RemoteError):
        decode_status(frame._replace(payload=b""))


def test_registers_do_not_overlap_and_pack_both_ways() -> None:
    for before, after in pairwise(REGISTERS):
        assert before.address + before.size <= after.address
    assert REGISTER["goal_current"].pack(-50) == b"\xce\xff"
    assert AT[132].unpack(b"\0\x08\0\0") == 2048
    for value in (-1, 256, True, 1.0):
        with pytest.raises(LocalError):
            REGISTER["torque_enable"].pack(value)  # type: ignore[arg-type]
    with pytest.raises(RemoteError):
        REGISTER["goal_current"].unpack(b"\0")
    assert {number: model.name for number, model in MODELS.items()} == {1030: "XM430-W210", 1220: "XC330-T288"}


@pytest.mark.parametrize("row", [row for row in VECTORS["units"] if row["register"].startswith("current")])
def test_units_of_current_are_those_of_the_vectors(row: dict[str, Any]) -> None:
    model = next(model for model in MODELS.values() if model.name.startswith(row["register"].split()[1]))
    assert round(row["raw"] * model.current_ua / 1000, 1) == float(row["value"].split()[0])


# -- the stream ------------------------------------------------------------------------------------------------------

FRAMES = MESSAGES.map(encode)
JUNK = st.binary(max_size=30).map(lambda data: data.replace(b"\xff", b"\x01"))


def frames_of(found: list[Frame | BadFrame]) -> list[Frame]:
    return [entry for entry in found if isinstance(entry, Frame)]


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(0, 400), max_size=10), st.lists(JUNK, max_size=6))
def test_any_cut_gives_the_same_frames_and_faults(frames: list[bytes], cuts: list[int], junk: list[bytes]) -> None:
    stream = b"".join(frame + (junk[index] if index < len(junk) else b"") for index, frame in enumerate(frames))
    whole_stream = Framer()
    expected = whole_stream.feed(stream)
    assert frames_of(expected) == [parse(frame) for frame in frames]
    piecewise = Framer()
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    found = [entry for start, end in pairwise(edges) for entry in piecewise.feed(stream[start:end])]
    assert found == expected
    assert piecewise.bad == whole_stream.bad


@settings(max_examples=300)
@given(st.lists(st.sampled_from([0xFF, 0xFD, 0x00, 0x01, 0x03, 0x55, 0x09]), max_size=80).map(bytes), st.data())
def test_nasty_bytes_are_survived_and_cuts_change_nothing(nasty: bytes, data: st.DataObject) -> None:
    framer, piecewise = Framer(), Framer()
    stream = nasty + named("ping id1")
    expected = framer.feed(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    found = [entry for start, end in pairwise([0, *cuts, len(stream)]) for entry in piecewise.feed(stream[start:end])]
    assert found == expected


def test_a_good_frame_behind_a_damaged_one_is_not_lost() -> None:
    good = named("block reply normal")
    for at in range(len(good)):
        damaged = bytearray(good)
        damaged[at] ^= 0x40
        found = Framer().feed(bytes(damaged) + good + bytes(FRAME_BYTES_MAX))
        assert whole(good) in found


def test_a_frame_cut_short_is_given_up_at_the_next_header() -> None:
    good = named("block reply normal")
    framer = Framer()
    assert framer.feed(good[:-8] + good) == [BadFrame(CUT), whole(good)]
    assert framer.bad == 1


def test_a_length_that_never_comes_holds_at_most_one_frame() -> None:
    framer = Framer()
    framer.feed(b"\xff\xff\xfd\x00\x01\xf8\x03")
    for _ in range(300):
        framer.feed(b"\x00" * 64)
        assert len(framer._rest) < FRAME_BYTES_MAX
    assert framer.bad >= 1
    framer.clear()
    assert framer.feed(named("ping id1")) == [whole(named("ping id1"))]


def test_a_wrong_number_and_a_wrong_length_are_what_they_say() -> None:
    good = named("block reply normal")
    assert decode_status(whole(renumbered(good))) == decode_status(whole(good))._replace(id=2)
    assert whole(renumbered(build(252, STATUS, b"\0"))).id == 0
    wrong = mislengthed(good)
    assert isinstance(parse(wrong), BadFrame)
    assert frames_of(Framer().feed(wrong + good + good)) == [whole(good), whole(good)]


# -- recognising -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", SERVO, ids=lambda vector: vector["name"])
def test_answers_of_a_servo_are_recognised_cut_at_both_ends(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["bytes"])
    assert resembles(data)
    assert resembles(data[3:] + data + data[:4])
    assert not resembles(data[:-1])


@given(st.binary(max_size=400))
def test_random_bytes_do_not_look_like_a_servo(data: bytes) -> None:
    assert not resembles(data)


def test_the_golden_bytes_of_other_devices_do_not_look_like_a_servo() -> None:
    def strings(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [found for entry in value.values() for found in strings(entry)]
        if isinstance(value, list):
            return [found for entry in value for found in strings(entry)]
        return [value] if isinstance(value, str) else []

    seen = 0
    for path in sorted(OTHERS.glob("sciencemode*.json")):
        for text in strings(json.loads(path.read_text())):
            try:
                data = bytes.fromhex(text)
            except ValueError:
                continue
            seen += 1
            assert not resembles(data)
    assert seen > 100
    assert not any(resembles(bytes.fromhex(vector["bytes"])) for vector in HOST)
