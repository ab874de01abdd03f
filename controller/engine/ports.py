"""What goes into and comes out of the engine's core: plain values, performed by the shell or the virtual assembly."""

from typing import NamedTuple

from controller.vocabulary.facts import Fact
from controller.vocabulary.intents import Intent
from controller.vocabulary.notices import Notice
from controller.vocabulary.snapshot import Snapshot
from safety.joint import MotionOrder
from safety.orders import Order


class FromFront(NamedTuple):
    """What a person at the screen wants."""

    message: Intent


class FromGateway(NamedTuple):
    """What the gateway says."""

    message: Fact


class FrontGone(NamedTuple):
    """The screen's line has ended."""

    cause: str


class GatewayGone(NamedTuple):
    """The gateway's line has ended."""

    cause: str


class GatewayBack(NamedTuple):
    """A new gateway is on the line: it starts closed, and knows nothing yet."""


class PuckOpened(NamedTuple):
    """The puck's port is open."""

    port: str


class PuckMissing(NamedTuple):
    """The puck's port could not be opened; one sentence with what to do."""

    cause: str


class PuckGone(NamedTuple):
    """The puck's port was lost."""

    cause: str


class PuckBytes(NamedTuple):
    """Bytes from the puck."""

    data: bytes


Input = (
    FromFront | FromGateway | FrontGone | GatewayGone | GatewayBack | PuckOpened | PuckMissing | PuckGone | PuckBytes
)


class ToGateway(NamedTuple):
    """An order or a notice."""

    message: Order | MotionOrder | Notice


class ToFront(NamedTuple):
    """The session as it is now."""

    message: Snapshot


class ToPuck(NamedTuple):
    """Bytes for the puck's port."""

    data: bytes


class OpenPuck(NamedTuple):
    """Try to open the puck's port now."""


class EndGateway(NamedTuple):
    """The gateway is silent: end its process, so that the unit's own watchdog and a new gateway can stop the output."""


class Leave(NamedTuple):
    """The engine has nothing left to do: the record is closed."""


Output = ToGateway | ToFront | ToPuck | OpenPuck | EndGateway | Leave
