"""A line between two processes: framed messages over a stream socket, never blocking, bounded on both sides.

A message is `<length u16> <kind u8> <payload>`, little endian; the length counts kind and payload. End of stream and
a reset connection mean the same: the other process has gone.
"""

import socket
import struct

_HEAD = struct.Struct("<HB")
MESSAGE_BYTES_MAX = 60_000
BACKLOG_BYTES_MAX = 256 * 1024
READ_BYTES = 16_384


class LineClosed(Exception):
    """The process at the other end has closed the line or died."""


class Line:
    """One end of a line. `send` says whether the message was taken; `receive` gives the whole messages that came."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BACKLOG_BYTES_MAX)
        self._sock = sock
        self._rest = b""
        self._outbox = bytearray()
        self.dropped = 0
        self._overlong = self._told_overlong = False

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._sock.fileno()

    @property
    def wants_write(self) -> bool:
        """True while a message waits for room."""
        return bool(self._outbox)

    def send(self, kind: int, payload: bytes = b"") -> bool:
        """Queue one message and push what fits. False, and counted, when it is too long or the backlog is full."""
        size = len(payload) + 1
        if size > MESSAGE_BYTES_MAX:
            self.dropped += 1
            self._overlong = True
            return False
        message = _HEAD.pack(size, kind) + payload
        if self._outbox:
            self.flush()  # room may have come: a STOP must not wait for somebody else to flush
        if not self._outbox:
            message = message[self._push(message) :]
            if not message:
                return True
        elif len(self._outbox) + size > BACKLOG_BYTES_MAX:
            self.dropped += 1
            return False
        self._outbox += message
        return True

    def told_overlong(self) -> bool:
        """True once: after the first message that was longer than any may be. It is a defect, to be written down."""
        new = self._overlong and not self._told_overlong
        self._told_overlong = self._overlong
        return new

    def _push(self, data: bytes | bytearray) -> int:
        """How many bytes the kernel took now; all of them when the reader has gone, which shows on `receive`."""
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)

    def flush(self) -> None:
        """Push what the kernel takes now; a vanished reader shows on `receive`."""
        while self._outbox:
            sent = self._push(self._outbox)
            if not sent:
                return
            del self._outbox[:sent]

    def receive(self) -> list[tuple[int, bytes]]:
        """The messages that have arrived whole, oldest first (one bounded read). Raises `LineClosed` at the end."""
        try:
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            raise LineClosed(str(error)) from error
        if not data:
            raise LineClosed("end of stream")
        if self._rest:
            data = self._rest + data
        found = []
        at = 0
        while len(data) - at >= _HEAD.size:
            size, kind = _HEAD.unpack_from(data, at)
            end = at + 2 + size
            if len(data) < end:
                break
            found.append((kind, data[at + _HEAD.size : end]))
            at = end
        self._rest = data[at:]
        return found

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two joined stream sockets; each end becomes a `Line` in its own process."""
    return socket.socketpair()
