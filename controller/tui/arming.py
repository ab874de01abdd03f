"""Arming as the screen does it: one key asks the gateway for a number, a different key confirms it within 5 s."""

from collections.abc import Callable

from controller.clock import SECOND
from controller.tui.keys import Key, key
from controller.tui.port import Front
from controller.tui.view import View
from controller.vocabulary.facts import ArmScope
from controller.vocabulary.requests import Arm, ConfirmArm, Disarm


class Armer:
    """`ask_reason` opens the dialog that asks why it is safe to go on; it is needed after a latch only."""

    def __init__(self, front: Front, ask_reason: Callable[[ArmScope], None]) -> None:
        self.reason = ""
        self._front = front
        self._ask_reason = ask_reason

    def keys(self, view: View, scope: ArmScope, before: Callable[[], None] | None = None) -> list[Key]:
        """Confirm while a number is open, disarm while armed, else arm. `before` runs just before the request."""
        if view.engine_lost:
            return []
        if view.arm_number is not None:
            left = max(0, -(-(view.arm_number.expires_ns - view.now_ns) // SECOND))
            return [key("c", f"confirm: arm ({left} s)", lambda: self.confirm(view))]
        if view.armed:
            return [key("d", "disarm", self.disarm)]
        return [key("a", "arm again" if view.latched else "arm", lambda: self.ask(view, scope, before))]

    def ask(self, view: View, scope: ArmScope, before: Callable[[], None] | None = None) -> None:
        """First key. After a latch the typed reason goes along."""
        if view.latched and not self.reason:
            self._ask_reason(scope)
            return
        if before is not None:
            before()
        self._front.request(Arm(scope, self.reason if view.latched else ""))

    def confirm(self, view: View) -> None:
        """Second key."""
        if view.arm_number is not None:
            self._front.request(ConfirmArm(view.arm_number.number))
            self.reason = ""

    def disarm(self) -> None:
        """Output off, permission gone."""
        self._front.request(Disarm("the therapist disarmed"))
