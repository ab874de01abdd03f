"""The device's end of a serial cable: a pseudo-terminal, or a socket on loopback. Neither ever blocks or grows.

The pseudo-terminal's own side keeps one descriptor of the client's end open, so that a client that closes does not
make the device's reads fail and its last bytes are not lost; pulling the cable is closing both.
Linux first; macOS should work (`FIONREAD` and `tcflush` exist there too).
"""

import array
import contextlib
import errno
import fcntl
import os
import select
import socket
import termios
import tty

from controller.wire.link import LinkLost

NOT_NOW = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)


class PtyLink:
    """The device's side of a new pseudo-terminal in raw mode; a client opens `url`.

    `streaming` devices send unasked. While nobody reads, only the newest frame of a stream is kept waiting, so that
    whoever opens the port reads the present and not the past. A byte from the client, or a read by it, shows that
    somebody is there; more than `PATIENCE` bytes sent into a full buffer show that nobody is. `dropped` counts the
    times that unread bytes were thrown away.
    """

    FULL = 4000  # a terminal's line buffer holds 4095 bytes
    PATIENCE = 16_384

    def __init__(self, streaming: bool) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.url = os.ttyname(self._slave)
        self.dropped = 0
        self._closed = False
        self._watched = not streaming
        self._unread = 0
        self._readable = select.poll()
        self._readable.register(self._slave, select.POLLIN)
        self._waiting = array.array("i", [0])

    def fileno(self) -> int:
        """The descriptor to select on; -1 when closed."""
        return -1 if self._closed else self._master

    def read(self, limit: int = 4096) -> bytes:
        """What the client wrote."""
        if self._closed:
            raise LinkLost(f"{self.url} is closed")
        try:
            data = os.read(self._master, limit)
        except OSError as fault:
            if fault.errno in NOT_NOW:
                return b""
            raise LinkLost(f"{self.url}: {fault.strerror}") from fault
        if data:
            self._watched = True
        return data

    def write(self, data: bytes) -> int:
        """Send to the client if it reads; the number of bytes taken (0: dropped)."""
        if self._closed:
            raise LinkLost(f"{self.url} is closed")
        self._make_room(len(data))
        try:
            return os.write(self._master, data)
        except OSError as fault:
            if fault.errno not in NOT_NOW:
                raise LinkLost(f"{self.url}: {fault.strerror}") from fault
        self._watched = False
        self.dropped += 1
        termios.tcflush(self._slave, termios.TCIFLUSH)
        return 0

    def _make_room(self, size: int) -> None:
        """Watch whether anybody reads, and throw away what nobody read."""
        fcntl.ioctl(self._slave, termios.FIONREAD, self._waiting)
        waiting = self._waiting[0]
        if waiting == 0 and not self._watched and self._unread > 0:
            # The kernel passes bytes on in the background; a poll waits for that, the count alone does not.
            waiting = len(self._readable.poll(0))
        if waiting == 0:
            self._watched = self._watched or self._unread > 0
            self._unread = size
        elif not self._watched:
            termios.tcflush(self._slave, termios.TCIFLUSH)
            self.dropped += 1
            self._unread = size
        elif waiting < self.FULL:
            self._unread = size
        else:
            self._unread += size
            self._watched = self._unread < self.PATIENCE

    def close(self) -> None:
        """Pull the cable: the client's next read or write fails."""
        if not self._closed:
            self._closed = True
            os.close(self._slave)
            os.close(self._master)


class LoopbackLink:
    """A device on a TCP port of this machine; a client connects to `url` (`socket://127.0.0.1:port`), one at a time.

    `fileno` changes when a client comes or goes: ask before every select.
    """

    def __init__(self) -> None:
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self.dropped = 0

    def fileno(self) -> int:
        """The client's descriptor, or the listening one while there is no client; -1 when closed."""
        wanted = self._client or self._listener
        return -1 if wanted is None else wanted.fileno()

    def read(self, limit: int = 4096) -> bytes:
        """What the client sent; takes a waiting client first."""
        if self._listener is None:
            raise LinkLost(f"{self.url} is closed")
        if self._client is None and not self._accept(self._listener):
            return b""
        assert self._client is not None
        try:
            data = self._client.recv(limit)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def write(self, data: bytes) -> int:
        """Send to the client; dropped when there is none, or when it does not keep up."""
        if self._listener is None:
            raise LinkLost(f"{self.url} is closed")
        if self._client is None:
            self.dropped += 1
            return 0
        try:
            sent = self._client.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._hang_up()
            sent = 0
        self.dropped += sent < len(data)
        return sent

    def close(self) -> None:
        """The device is gone: the client sees the end of the stream, and nobody can connect again."""
        self._hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> bool:
        try:
            client, _ = listener.accept()
        except OSError:
            return False
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        return True

    def _hang_up(self) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.close()
            self._client = None
