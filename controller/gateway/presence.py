"""Is somebody there? Permission does not outlast the person who gave it.

A person's sign is any request of theirs but the heartbeat, which comes from the screen by itself. Armed and unused for
two minutes (nobody pressed anything, no burst and no movement): disarmed. A session that runs by itself is not unused;
there the screen asks after ten minutes without a key, and two minutes later, unanswered, the gateway latches.
"""

from typing import TYPE_CHECKING

from controller.clock import SECOND

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore

UNUSED_NS = 120 * SECOND
ALONE_NS = 600 * SECOND
ANSWER_NS = 120 * SECOND
ASK = "Is somebody with the patient? Press any key of the line below."
UNUSED = "armed and unused for 2 min"
ALONE = "Nobody answered for 2 min whether the patient is alone."
LOOK = "Look after the patient, then acknowledge and arm again."


class Presence:
    """When a person was last noticed, and when the permission was last used."""

    def __init__(self) -> None:
        self._person_ns = 0
        self._used_ns = 0

    def noticed(self, now_ns: int) -> None:
        """A person did something."""
        self._person_ns = now_ns

    def armed(self, now_ns: int) -> None:
        """A person armed."""
        self._person_ns = self._used_ns = now_ns

    def asks(self, now_ns: int) -> bool:
        """The screen should ask whether somebody is there."""
        return now_ns - self._person_ns > ALONE_NS

    def keep(self, core: "GatewayCore", now_ns: int) -> None:
        """While armed: unused permission is taken back, and a patient who is alone is not stimulated on."""
        if core.delivery.on or core.joint.on:
            self._used_ns = now_ns
        if now_ns - max(self._person_ns, self._used_ns) > UNUSED_NS:
            core.disarm(now_ns, UNUSED)
        elif now_ns - self._person_ns > ALONE_NS + ANSWER_NS:
            core.latch(now_ns, ALONE, LOOK)
