"""A line between two processes: framed messages over a stream socket, never blocking, bounded on both sides.

A message is `<length u16> <kind u8> <payload>`, little endian; the length counts kind and payload. End of stream and
a reset connection mean the same: the other process has gone.
"""

import socket
import struct

_HEAD = struct.Struct("<HB")
MESSAGE_BYTES_MAX = 60_000
BACKLOG_BYTES_MAX = 256 * 1024


class LineClosed(Exception):
    """The process at the other end has closed the line or died."""


class Line:
    """One end of a line. `send` says whether the message was taken; `receive` gives the whole messages that came."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BACKLOG_BYTES_MAX)
        self._sock = sock
        self._inbox = bytearray()
        self._outbox = bytearray()
        self.dropped = 0

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._sock.fileno()

    @property
    def wants_write(self) -> bool:
        """True while a message waits for room."""
        return bool(self._outbox)

    def send(self, kind: int, payload: bytes = b"") -> bool:
        """Queue one message and push what fits. False, and counted, when the bounded backlog is full."""
        size = len(payload) + 1
        if size > MESSAGE_BYTES_MAX:
            raise ValueError(f"a message of {size} bytes is over the line's limit of {MESSAGE_BYTES_MAX}")
        if len(self._outbox) + size > BACKLOG_BYTES_MAX:
            self.dropped += 1
            return False
        self._outbox += _HEAD.pack(size, kind) + payload
        self.flush()
        return True

    def flush(self) -> None:
        """Push what the kernel takes now; a vanished reader shows on `receive`."""
        try:
            while self._outbox:
                sent = self._sock.send(self._outbox)
                del self._outbox[:sent]
        except BlockingIOError:
            return
        except OSError:
            self._outbox.clear()

    def receive(self) -> list[tuple[int, bytes]]:
        """The messages that have arrived whole, oldest first (one bounded read). Raises `LineClosed` at the end."""
        try:
            data = self._sock.recv(65536)
        except BlockingIOError:
            return []
        except OSError as error:
            raise LineClosed(str(error)) from error
        if not data:
            raise LineClosed("end of stream")
        self._inbox += data
        return self._whole_messages()

    def _whole_messages(self) -> list[tuple[int, bytes]]:
        found = []
        at = 0
        while len(self._inbox) - at >= _HEAD.size:
            size, kind = _HEAD.unpack_from(self._inbox, at)
            end = at + 2 + size
            if len(self._inbox) < end:
                break
            found.append((kind, bytes(self._inbox[at + _HEAD.size : end])))
            at = end
        del self._inbox[:at]
        return found

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two joined stream sockets; each end becomes a `Line` in its own process."""
    return socket.socketpair()
