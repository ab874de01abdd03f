"""The terminal driver whose input thread sends STOP itself, before the key waits in the event loop's queue."""

from typing import TYPE_CHECKING, cast

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

if TYPE_CHECKING:
    from controller.tui.app import StimloopApp


class StopDriver(LinuxDriver):
    """`process_message` runs in the thread `textual-input`: it may call nothing of the app but `stop_keys.pressed`."""

    def process_message(self, message: Message) -> None:
        """Stop first, pass the event on second."""
        if isinstance(message, events.Key):
            cast("StimloopApp", self._app).stop_keys.pressed(message.key)
        super().process_message(message)
