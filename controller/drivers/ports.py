"""Ports: a device path, `socket://host:port` or a hidraw node becomes a `Link` that never blocks.

Every way in which a port can go (EIO, end of file, a reset connection) becomes `LinkLost` with the system's own
sentence. A port that cannot be opened raises `PortBusy` or `PortMissing` with what to do about it.
"""

import contextlib
import errno
import fcntl
import os
import socket
import stat
import termios
from abc import ABC, abstractmethod
from dataclasses import dataclass
from urllib.parse import urlsplit

import serial

from controller.wire.link import Link, LinkLost

CONNECT_TIMEOUT_S = 1.0


class PortFault(Exception):
    """A port could not be opened. The text is one sentence; `todo` says what to do."""

    def __init__(self, text: str, todo: str) -> None:
        super().__init__(text)
        self.todo = todo


class PortBusy(PortFault):
    """Another program has the port open."""


class PortMissing(PortFault):
    """The port is not there, is not ours to open, or is no port."""


@dataclass(frozen=True, slots=True)
class LineSettings:
    """A serial line: bits per second, parity N, E or O, 1 or 2 stop bits, RTS/CTS, 8 data bits. Defaults: x-IMU3."""

    baud: int = 115_200
    parity: str = "N"
    stop_bits: int = 1
    rts_cts: bool = False


class _SystemLink(ABC):
    """What both kinds of link share: nothing blocks, and a link once lost stays lost with its first cause."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lost = ""

    def read(self, limit: int = 4096) -> bytes:
        """What has arrived, b"" if nothing. Raises `LinkLost`. On a hidraw node: one report."""
        if self._lost:
            raise LinkLost(self._lost)
        try:
            data = self._receive(limit)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lose(_sentence(error)) from error
        if not data:
            raise self._lose("end of file: the other end has gone")
        return data

    def write(self, data: bytes) -> int:
        """Write all of `data`. A port that does not take it whole is as good as lost: half a frame helps nobody."""
        if self._lost:
            raise LinkLost(self._lost)
        try:
            taken = self._send(data)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            raise self._lose(_sentence(error)) from error
        if taken != len(data):
            raise self._lose(f"it took only {taken} of {len(data)} bytes: the device no longer listens")
        return taken

    @abstractmethod
    def _receive(self, limit: int) -> bytes: ...

    @abstractmethod
    def _send(self, data: bytes) -> int: ...

    def _lose(self, why: str) -> LinkLost:
        self._lost = f"{self._name}: {why}"
        return LinkLost(self._lost)


class DescriptorLink(_SystemLink):
    """A link over an open, non-blocking descriptor (serial line, PTY, hidraw), which it owns."""

    def __init__(self, descriptor: int, name: str, port: serial.Serial | None = None) -> None:
        super().__init__(name)
        self._descriptor = descriptor
        self._port = port

    def _receive(self, limit: int) -> bytes:
        return os.read(self._descriptor, limit)

    def _send(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def close(self) -> None:
        """Close the port; reading and writing then raise `LinkLost`."""
        if self._descriptor < 0:
            return
        self._lost = self._lost or f"{self._name}: closed"
        if self._port is None:
            os.close(self._descriptor)
        else:
            # A line whose device has gone may refuse even this; there is nothing left to close then.
            with contextlib.suppress(OSError, termios.error):
                self._port.close()
        self._descriptor = -1

    def fileno(self) -> int:
        """The descriptor to select on, -1 when closed."""
        return self._descriptor


class SocketLink(_SystemLink):
    """A link over a connected stream socket, which it owns."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        super().__init__(name)
        connection.setblocking(False)
        if connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection

    def _receive(self, limit: int) -> bytes:
        return self._connection.recv(limit)

    def _send(self, data: bytes) -> int:
        return self._connection.send(data)

    def close(self) -> None:
        """Close the connection; reading and writing then raise `LinkLost`."""
        self._lost = self._lost or f"{self._name}: closed"
        self._connection.close()

    def fileno(self) -> int:
        """The descriptor to select on, -1 when closed."""
        return self._connection.fileno()


def open_serial(url: str, settings: LineSettings) -> Link:
    """Open a serial line, a PTY (by path) or `socket://host:port`, for this program alone. Raises `PortFault`.

    Opening a socket waits at most `CONNECT_TIMEOUT_S`; nothing else here waits.
    """
    if url.startswith("socket://"):
        return _open_socket(url)
    _check_device(url)
    try:
        port = serial.Serial(
            url,
            baudrate=settings.baud,
            parity=settings.parity,
            stopbits=settings.stop_bits,
            rtscts=settings.rts_cts,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
    except (serial.SerialException, OSError, ValueError, termios.error) as error:
        raise _fault(url, error) from error
    try:
        _wait_for_a_byte(port.fileno())
    except (OSError, termios.error) as error:
        port.close()
        raise _fault(url, error) from error
    return DescriptorLink(port.fileno(), url, port)


def open_hidraw(path: str) -> Link:
    """Open a hidraw node, for this program alone. Each read gives one report and each write is one report."""
    _check_device(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise _fault(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise _fault(path, error) from error
    return DescriptorLink(descriptor, path)


def is_hidraw(path: str) -> bool:
    """Is this (or the node a link points to) a hidraw node?"""
    return os.path.realpath(path).startswith("/dev/hidraw")


def _open_socket(url: str) -> Link:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        raise PortMissing(f"{url} is no address", "write it as socket://host:port, for example socket://127.0.0.1:5000")
    # pyserial's own socket port waits 5 s to open and 0.3 s to close: too long for a loop that must stop current.
    try:
        return SocketLink(socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S), url)
    except OSError as error:
        todo = "start the device or the simulator that serves this address, then try again"
        raise PortMissing(f"{url}: {_sentence(error)}", todo) from error


def _wait_for_a_byte(descriptor: int) -> None:
    """VMIN 1: without it an empty read gives b"", which could not be told from an unplugged device."""
    attributes = termios.tcgetattr(descriptor)
    attributes[6][termios.VMIN] = 1
    attributes[6][termios.VTIME] = 0
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def _check_device(path: str) -> None:
    try:
        is_device = stat.S_ISCHR(os.stat(path).st_mode)
    except (OSError, ValueError) as error:
        raise _fault(path, error) from error
    if not is_device:
        raise PortMissing(f"{path} is no port", "give the path of a serial port or of a hidraw node under /dev")


def _fault(path: str, error: Exception) -> PortFault:
    number = getattr(error, "errno", None)
    text = f"{path}: {_sentence(error)}"
    if number in (errno.EAGAIN, errno.EBUSY):
        return PortBusy(f"{path} is in use by another program", "close the other program that uses it, then try again")
    if number in (errno.EACCES, errno.EPERM):
        todo = "serial port: join the group dialout; FitMi dongle: see `stimloop fitmi rule`"
        return PortMissing(text, f"{todo}; then log in again")
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return PortMissing(text, "plug the device in and switch it on, or choose another port")
    return PortMissing(text, "check the path and the line settings of this device")


def _sentence(error: Exception) -> str:
    """The system's own words where it has some."""
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if isinstance(number, int) and number > 0 else str(error)
