"""What becomes of the puck's port: opened, missing, lost."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.clock import SECOND
from controller.engine import ports
from controller.vocabulary.snapshot import SessionState

if TYPE_CHECKING:
    from controller.engine.core import EngineCore

REOPEN_EVERY_NS = SECOND


def opened(core: "EngineCore", now_ns: int, _entry: ports.PuckOpened) -> None:
    """Its driver begins anew; until a sample comes, what talks there is listened to."""
    core.reopen_at_ns = 0
    core.feed.lost = ""
    core.unmet = core.setting.listener
    if core.unmet is not None:
        core.unmet.begin(now_ns)
    core.note(now_ns, "puck_opened", {})
    data = core.feed.driver.start(now_ns)
    if data:
        core.out.append(ports.ToPuck(data))


def missing(core: "EngineCore", now_ns: int, entry: ports.PuckMissing) -> None:
    """It is looked for again each second."""
    core.feed.lost = entry.cause
    core.reopen_at_ns = now_ns + REOPEN_EVERY_NS


def gone(core: "EngineCore", now_ns: int, entry: ports.PuckGone) -> None:
    """A session does not go on without it."""
    missing(core, now_ns, ports.PuckMissing(entry.cause))
    core.note(now_ns, "puck_lost", {"cause": entry.cause}, sync=True)
    if core.state is SessionState.RUNNING:
        core.halt(now_ns, f"The puck was lost ({entry.cause}).", "Plug it in again, then acknowledge and arm.")


def look_again(core: "EngineCore", now_ns: int) -> None:
    """Try to open it once more, when that is due."""
    if core.reopen_at_ns and now_ns >= core.reopen_at_ns:
        core.reopen_at_ns = now_ns + REOPEN_EVERY_NS
        core.out.append(ports.OpenPuck())


INPUTS: dict[type, Callable[..., None]] = {
    ports.PuckOpened: opened,
    ports.PuckMissing: missing,
    ports.PuckGone: gone,
}
