"""Which keys mean STOP. Asked in the terminal's input thread, so it reads plain attributes and calls `Front.stop`."""

from controller.tui.port import Front
from controller.vocabulary.facts import GatewayState

ALWAYS_LIVE = frozenset({"f1", "f2", "ctrl+q"})
UNWELL = "the patient is unwell"
"""What the record says of a STOP by `x`."""
_STOPPABLE = frozenset({GatewayState.ARMED, GatewayState.DELIVERING, GatewayState.RESTING})


class StopKeys:
    """F12 always stops. While armed or delivering so do space, escape and every key that is not live on the screen.

    The event loop replaces `live` (one assignment) whenever the screen or its keys change.
    """

    def __init__(self, front: Front) -> None:
        self.live: frozenset[str] = frozenset()
        self._front = front

    def pressed(self, key: str) -> bool:
        """Send STOP if `key` means it, and say whether it did."""
        source = self.source(key)
        if source:
            self._front.stop(source)
        return bool(source)

    def source(self, key: str) -> str:
        """The source that a STOP by `key` names in the record, "" when it is no STOP now."""
        if is_f12(key):
            return "F12"
        status = self._front.status
        if status is None or status.state not in _STOPPABLE:
            return ""
        if key in ("space", "escape"):
            return key
        if key in self.live or key in ALWAYS_LIVE:
            return ""
        return UNWELL if key == "x" else "unbound key"


def is_f12(key: str) -> bool:
    """F12, with any modifier held (some terminals call shift+F12 F24)."""
    return key in ("f12", "f24") or key.endswith("+f12")
