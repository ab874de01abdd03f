"""Signals as bytes in the `select` set: a plain handler can wait for the time-out, a wake-up descriptor does not."""

import signal
import socket

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class SignalPipe:
    """From its making on, SIGTERM, SIGINT and SIGHUP arrive here by name instead of ending the process."""

    def __init__(self) -> None:
        self._inbox, self._outbox = socket.socketpair()
        self._inbox.setblocking(False)
        self._outbox.setblocking(False)
        signal.set_wakeup_fd(self._outbox.fileno(), warn_on_full_buffer=False)
        for number in _ENDING:
            signal.signal(number, _ignore)

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._inbox.fileno()

    def names(self) -> list[str]:
        """The signals that arrived, by name, oldest first."""
        try:
            return [signal.Signals(number).name for number in self._inbox.recv(64)]
        except BlockingIOError:
            return []


def _ignore(_number: int, _frame: object) -> None:
    """Installed so that the default action (ending at once) does not happen; the byte in the pipe is what counts."""
