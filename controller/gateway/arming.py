"""Arming: a number from the gateway, two different keys, a STOP test before, and a reason after a latch."""

from dataclasses import dataclass

from controller.clock import SECOND
from controller.vocabulary.facts import ArmDenied, ArmNumber
from safety.orders import ArmScope

CONFIRM_WITHIN_NS = 5 * SECOND
READY_WITHIN_NS = 5 * SECOND
REASON_LETTERS_MIN = 3


@dataclass(frozen=True, slots=True)
class Permission:
    """A person's confirmed wish to arm; `reason` is empty unless the gateway was latched.

    It waits for the devices to get ready until `until_ns`, and no longer: nobody expects it to be carried out later.
    """

    scope: ArmScope
    reason: str
    until_ns: int


class ArmingDesk:
    """Issues one number at a time and accepts it once. It keeps no permission itself: the core does."""

    def __init__(self, first_number: int = 1) -> None:
        self._next_number = first_number
        self._open: tuple[ArmNumber, str] | None = None

    def ask(self, now_ns: int, scope: ArmScope, reason: str, latched: bool, blocked: str) -> ArmNumber | ArmDenied:
        """The first key. `blocked` is what stands in the way, in a sentence ("" for nothing)."""
        self._open = None
        if blocked:
            return ArmDenied(blocked)
        if latched and len(reason.strip()) < REASON_LETTERS_MIN:
            return ArmDenied("Output was stopped. Write in a few words why it is safe to go on, then arm again.")
        number = ArmNumber(self._next_number, scope, now_ns + CONFIRM_WITHIN_NS)
        self._next_number += 1
        self._open = (number, reason.strip())
        return number

    def confirm(self, now_ns: int, number: int) -> Permission | ArmDenied:
        """The second key, with the number it answers to. Used or late numbers are refused."""
        waiting, self._open = self._open, None
        if waiting is None or waiting[0].number != number:
            return ArmDenied("That confirmation belongs to no open request. Press the arm key first.")
        asked, reason = waiting
        if now_ns > asked.expires_ns:
            return ArmDenied("The confirmation came more than 5 s after the arm key. Press the arm key again.")
        return Permission(asked.scope, reason, now_ns + READY_WITHIN_NS)

    def forget(self) -> None:
        """Drop an open number (a stop came between the two keys)."""
        self._open = None
