"""`stimloop stop`: a socket of this user alone, on which any connection means STOP. Standard library only.

The gateway listens in the runtime folder; the command connects to every gateway there, sends eight bytes and waits
for the answer, which the gateway gives after the stop frames are written.
"""

import contextlib
import os
import socket
import tempfile
from pathlib import Path

STOP_FRAME = b"STIMSTOP"
ANSWER = b"STOPPED\n"
WAITING_MAX = 8


def runtime_folder() -> Path:
    """The folder for sockets, made if need be, readable by this user alone."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"stimloop-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else: remove it, or set XDG_RUNTIME_DIR")
    folder.chmod(0o700)
    return folder


class StopListener:
    """The gateway's end."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"gateway-{os.getpid()}.sock"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(self._path))
        self._path.chmod(0o600)
        self._socket.listen(WAITING_MAX)
        self._socket.setblocking(False)
        self._waiting: list[socket.socket] = []

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._socket.fileno()

    def pressed(self) -> bool:
        """True when somebody connected: that alone is a STOP, whatever is sent."""
        try:
            caller, _ = self._socket.accept()
        except BlockingIOError:
            return False
        caller.setblocking(False)
        self._waiting = [*self._waiting[-WAITING_MAX + 1 :], caller]
        return True

    def acknowledge(self) -> None:
        """Tell the callers that the stop frames are written."""
        while self._waiting:
            caller = self._waiting.pop()
            with contextlib.suppress(OSError):
                caller.send(ANSWER)
            caller.close()

    def close(self) -> None:
        """Stop listening. Who still waits is not told anything that is not so."""
        self._socket.close()
        while self._waiting:
            self._waiting.pop().close()
        self._path.unlink(missing_ok=True)


def press_stop(folder: Path, timeout_s: float = 1.0) -> tuple[int, int]:
    """STOP to every gateway of this user: (how many confirmed, how many were reached and did not answer)."""
    confirmed = silent = 0
    for path in sorted(folder.glob("gateway-*.sock")):
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        caller.settimeout(timeout_s)
        try:
            caller.connect(str(path))
            with contextlib.suppress(OSError):  # the connection was the STOP: a quick gateway has hung up already
                caller.sendall(STOP_FRAME)
            answered = caller.recv(len(ANSWER)) == ANSWER
        except ConnectionRefusedError:  # left behind by a gateway that was killed: nobody listens
            path.unlink(missing_ok=True)
            continue
        except OSError:
            answered = False
        finally:
            caller.close()
        confirmed += answered
        silent += not answered
    return confirmed, silent
