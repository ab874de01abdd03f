"""The device's end of a cable: never blocks, never grows, keeps the newest, survives its client."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from controller.wire.link import LinkLost
from sim.terminal import LoopbackLink, PtyLink


@pytest.fixture
def pty_link() -> Iterator[PtyLink]:
    link = PtyLink(streaming=True)
    yield link
    link.close()


@pytest.fixture
def loopback() -> Iterator[LoopbackLink]:
    link = LoopbackLink()
    yield link
    link.close()


def opened(link: PtyLink) -> int:
    return os.open(link.url, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


def eventually(happens: Callable[[], object]) -> bool:
    for _ in range(500):
        if happens():
            return True
        time.sleep(0.005)
    return False


def read_all(client: int, size: int) -> bytes:
    data = b""

    def more() -> bool:
        nonlocal data
        with contextlib.suppress(BlockingIOError):
            data += os.read(client, 1 << 16)
        return len(data) >= size

    assert eventually(more), data
    return data


def connected(link: LoopbackLink) -> socket.socket:
    host, port = link.url.removeprefix("socket://").split(":")
    return socket.create_connection((host, int(port)), timeout=5.0)


def frame(k: int) -> bytes:
    return b"%06d\n" % k


def test_bytes_pass_unchanged_both_ways(pty_link: PtyLink) -> None:
    every = bytes(range(256))
    client = opened(pty_link)
    os.write(client, every)
    got = b""

    def arrived() -> bool:
        nonlocal got
        got += pty_link.read()
        return len(got) >= len(every)

    assert eventually(arrived)
    assert got == every
    assert pty_link.write(every) == len(every)
    assert read_all(client, len(every)) == every
    os.close(client)


def test_who_opens_a_stream_late_reads_the_present(pty_link: PtyLink) -> None:
    for k in range(30):
        pty_link.write(frame(k))
        time.sleep(0.002)
    client = opened(pty_link)
    assert read_all(client, 7) == frame(29)
    assert pty_link.dropped > 0
    for k in range(30, 60):
        pty_link.write(frame(k))
        time.sleep(0.001)
    assert read_all(client, 30 * 7) == b"".join(frame(k) for k in range(30, 60))
    os.close(client)


def test_a_client_that_stops_reading_neither_blocks_the_device_nor_piles_up(pty_link: PtyLink) -> None:
    client = opened(pty_link)
    os.write(client, b"here")
    assert eventually(lambda: pty_link.read() == b"here")
    for k in range(20_000):
        pty_link.write(frame(k))
    assert pty_link.dropped > 0
    time.sleep(0.05)
    waiting = b""
    while True:
        try:
            waiting += os.read(client, 1 << 16)
        except BlockingIOError:
            break
    assert len(waiting) < PtyLink.FULL + 2 * PtyLink.PATIENCE + 4096
    os.close(client)


def test_a_clients_close_is_no_fault_and_the_next_one_is_served(pty_link: PtyLink) -> None:
    first = opened(pty_link)
    os.write(first, b"stop")
    os.close(first)
    assert eventually(lambda: pty_link.read() == b"stop")
    assert pty_link.read() == b""
    second = opened(pty_link)
    pty_link.write(b"x")
    assert read_all(second, 1) == b"x"
    os.close(second)


def test_pulling_the_cable_ends_the_clients_reads_and_the_devices(pty_link: PtyLink) -> None:
    client = opened(pty_link)
    pty_link.close()
    assert pty_link.fileno() == -1
    with pytest.raises(LinkLost):
        pty_link.read()
    with pytest.raises(LinkLost):
        pty_link.write(b"x")
    with pytest.raises(OSError, match="put/output"):
        os.write(client, b"x")
    os.close(client)


def test_an_answering_device_keeps_every_answer_until_it_is_read() -> None:
    link = PtyLink(streaming=False)
    client = opened(link)
    for k in range(50):
        link.write(frame(k))
    assert read_all(client, 50 * 7) == b"".join(frame(k) for k in range(50))
    assert link.dropped == 0
    os.close(client)
    link.close()


def test_loopback_serves_one_client_after_the_other(loopback: LoopbackLink) -> None:
    assert loopback.write(b"nobody") == 0
    for word in (b"first", b"second"):
        client = connected(loopback)
        client.sendall(word)
        assert eventually(lambda word=word: loopback.read() == word)
        assert loopback.write(word[::-1]) == len(word)
        assert client.recv(64) == word[::-1]
        client.close()
        time.sleep(0.01)
        assert loopback.read() == b""
    assert loopback.dropped == 1


def test_loopback_listens_on_this_machine_only_and_ends_when_unplugged(loopback: LoopbackLink) -> None:
    assert loopback.url.startswith("socket://127.0.0.1:")
    client = connected(loopback)
    loopback.read()
    loopback.close()
    assert loopback.fileno() == -1
    assert client.recv(16) == b""
    client.close()
    with pytest.raises(LinkLost):
        loopback.read()
    with pytest.raises(LinkLost):
        loopback.write(b"x")


def test_a_deaf_loopback_client_does_not_block_the_device(loopback: LoopbackLink) -> None:
    client = connected(loopback)
    assert eventually(lambda: loopback.read() == b"" and loopback.write(b"x") == 1)
    for _ in range(400):
        loopback.write(b"y" * 65_536)
    assert loopback.dropped > 0
    client.close()
