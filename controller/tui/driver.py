"""The terminal driver whose input thread sends STOP itself, before the key waits in the event loop's queue."""

import sys
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

if TYPE_CHECKING:
    from controller.tui.app import StimloopApp


class StopDriver(LinuxDriver):
    """`process_message` runs in the thread `textual-input`: it may call nothing of the app but `stop_keys.pressed`."""

    def __init__(
        self, app: App[None], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        # Textual draws on stderr. Where that was sent to a file, a session would run on a dark screen.
        out, err = sys.__stdout__, sys.__stderr__
        if out is not None and out.isatty() and not (err is not None and err.isatty()):
            self._file = out

    def process_message(self, message: Message) -> None:
        """Stop first, pass the event on second."""
        if isinstance(message, events.Key):
            cast("StimloopApp", self._app).stop_keys.pressed(message.key)
        super().process_message(message)
