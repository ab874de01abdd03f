"""The maker's own client, PyPI dynamixel-sdk 4.1.0, unmodified: it drives our twin over a pseudo-terminal."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from dynamixel_sdk import GroupSyncRead, GroupSyncWrite, PortHandler, Protocol2PacketHandler
from dynamixel_sdk.robotis_def import COMM_RX_TIMEOUT, COMM_SUCCESS

from controller.clock import now_ns
from sim.devices.dynamixel import DynamixelTwin
from tests.clients.served import Served

pytestmark = pytest.mark.timeout(60)
TORQUE, MODE, LED, HARDWARE, WATCHDOG, CURRENT, VELOCITY, GOAL, PRESENT = 64, 11, 65, 70, 98, 102, 104, 116, 132


class Client:
    """Port and packet handler of the SDK. Each call asserts that the communication itself went well."""

    def __init__(self, path: str) -> None:
        self.port = PortHandler(path)
        assert self.port.openPort()
        assert self.port.setBaudRate(1_000_000)
        self.handler = Protocol2PacketHandler()

    def write(self, size: int, address: int, value: int, id: int = 1) -> int:
        write = getattr(self.handler, f"write{size}ByteTxRx")
        result, error = write(self.port, id, address, value)
        assert result == COMM_SUCCESS
        return int(error)

    def read(self, size: int, address: int, id: int = 1) -> tuple[int, int]:
        read = getattr(self.handler, f"read{size}ByteTxRx")
        value, result, error = read(self.port, id, address)
        assert result == COMM_SUCCESS
        return int(value), int(error)


@pytest.fixture
def served() -> Iterator[Any]:
    server = Served(DynamixelTwin, firmware=46)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def client(served: Any) -> Iterator[Client]:
    client = Client(served.path)
    try:
        yield client
    finally:
        client.port.closePort()


def test_it_pings_one_and_all(client: Client) -> None:
    assert client.handler.ping(client.port, 1) == (1030, COMM_SUCCESS, 0)
    assert client.handler.ping(client.port, 2)[1] == COMM_RX_TIMEOUT
    assert client.handler.broadcastPing(client.port) == ({1: [1030, 46]}, COMM_SUCCESS)


def test_it_reads_and_writes(client: Client) -> None:
    assert client.read(2, 0) == (1030, 0)
    assert client.read(4, PRESENT) == (2048, 0)
    assert client.read(2, 144) == (120, 0)
    assert client.write(1, LED, 1) == 0
    assert client.read(1, LED) == (1, 0)
    assert client.write(1, LED, 2) == 4
    assert client.write(4, PRESENT, 0) == 7
    assert client.handler.readTxRx(client.port, 1, 1_000, 1)[2] == 7


def test_it_enables_torque_and_moves_in_current_control(client: Client, served: Any) -> None:
    assert client.write(1, MODE, 0) == 0
    assert client.write(1, TORQUE, 1) == 0
    assert client.write(1, MODE, 3) == 7
    assert client.write(2, CURRENT, 50) == 0
    assert client.read(2, 126) == (50, 0)
    assert served.twin.torque_nm() == pytest.approx(0.2421)
    assert client.write(2, CURRENT, 0xFFFF - 49) == 0
    assert served.twin.torque_nm() == pytest.approx(-0.2421)
    assert client.write(1, TORQUE, 0) == 0
    log = served.close()
    assert [entry["peak_mnm"] for entry in log if entry["kind"] == "torque"] == [242]
    assert [entry["state"] for entry in log if entry["kind"] == "state"] == ["torque", "free"]


def test_it_writes_and_reads_in_groups(client: Client) -> None:
    write = GroupSyncWrite(client.port, client.handler, GOAL, 4)
    assert write.addParam(1, [0, 9, 0, 0])
    assert write.txPacket() == COMM_SUCCESS
    assert client.read(4, GOAL) == (2304, 0)
    read = GroupSyncRead(client.port, client.handler, GOAL, 4)
    assert read.addParam(1)
    assert read.txRxPacket() == COMM_SUCCESS
    assert read.isAvailable(1, GOAL, 4)
    assert read.getData(1, GOAL, 4) == 2304
    assert read.fastSyncRead() == COMM_SUCCESS
    assert read.getData(1, GOAL, 4) == 2304


def test_it_sees_the_bus_watchdog_trip_and_clears_it(client: Client, served: Any) -> None:
    assert client.write(1, MODE, 1) == 0
    assert client.write(1, WATCHDOG, 3) == 0
    assert client.write(1, TORQUE, 1) == 0
    assert client.write(4, VELOCITY, 20) == 0
    threading.Event().wait(0.2)  # nothing is sent for longer than 60 ms; the twin's thread does the rest
    assert client.read(1, WATCHDOG) == (255, 0)
    assert client.write(4, VELOCITY, 20) == 4
    assert client.write(1, WATCHDOG, 0) == 0
    assert client.write(4, VELOCITY, 20) == 0
    assert [entry["fault"] for entry in served.close() if entry["kind"] == "fault"] == ["watchdog", "refused write"]


def test_it_sees_a_hardware_error_and_reboots_the_servo(client: Client, served: Any) -> None:
    assert client.write(1, MODE, 0) == 0
    assert client.write(1, TORQUE, 1) == 0
    served.twin.suffer("overload", "", now_ns())
    assert client.read(1, HARDWARE) == (0x20, 0x80)
    assert client.read(1, TORQUE) == (0, 0x80)
    assert client.write(1, TORQUE, 1) == 0x87
    assert "Hardware error" in client.handler.getRxPacketError(0x80)
    assert client.handler.reboot(client.port, 1) == (COMM_SUCCESS, 0x80)
    assert any(client.handler.ping(client.port, 1)[1] == COMM_SUCCESS for _ in range(100))  # 34 ms each
    assert client.read(1, HARDWARE) == (0, 0)
    assert client.write(1, TORQUE, 1) == 0


def test_what_the_sdk_sends_without_stuffing_moves_nothing(client: Client, served: Any) -> None:
    """Its frame for -1 mA next to velocity -3 holds a bare header: our twin takes it for two broken frames."""
    assert client.write(1, MODE, 0) == 0
    assert client.write(1, TORQUE, 1) == 0
    data = [0xFF, 0xFF, 0xFD, 0xFF, 0xFF, 0xFF]
    result, _ = client.handler.writeTxRx(client.port, 1, CURRENT, 6, data)
    assert result == COMM_RX_TIMEOUT
    assert served.twin.table.get("goal_current") == 0
    assert client.read(2, CURRENT) == (0, 0)
