"""What the engine keeps an eye on, each 20 ms: the puck, the gateway, the record. Silence means stop."""

from typing import TYPE_CHECKING

from controller.clock import MS
from controller.engine import ports
from controller.vocabulary.events import PuckStale
from controller.vocabulary.snapshot import SessionState

if TYPE_CHECKING:
    from controller.engine.core import EngineCore

GATEWAY_SILENT_NS = 300 * MS
BACKLOG_MS_MAX = 1000


def watch_puck(core: "EngineCore", now_ns: int) -> None:
    """Current stops and the session pauses when the puck has been silent too long."""
    for event in core.feed.detector.tick(now_ns):
        if isinstance(event, PuckStale):
            core.note(now_ns, "puck_stale", {"age_ms": event.age_ns // MS}, sync=True)
    stale = not core.feed.fresh(now_ns)
    if stale and not core.was_stale and core.state is SessionState.RUNNING:
        core.carry(core.training.pause(now_ns))
        core.apply(now_ns, "pause")
        core.todo = "The puck fell silent: current is off. Check that it is on and near, then press resume."
    core.was_stale = stale


def watch_gateway(core: "EngineCore", now_ns: int) -> None:
    """A gateway that is silent for 300 ms is ended: the unit's own watchdog and a new gateway then stop the output."""
    if core.gateway_here and core.status_ns and now_ns - core.status_ns > GATEWAY_SILENT_NS:
        core.gateway_here = False
        core.out.append(ports.EndGateway())
        core.halt(now_ns, "The gateway fell silent.", f"PULL THE LEADS: {core.set_up.unit.alone}", told_gateway=True)


def watch_record(core: "EngineCore", now_ns: int) -> None:
    """No session without its record."""
    record = core.record
    if record is None or core.state is not SessionState.RUNNING:
        return
    if record.failed:
        core.halt(now_ns, f"The record cannot be written: {record.failed}.", "Free the disk, then start again.")
    elif record.backlog_ms(now_ns) > BACKLOG_MS_MAX:
        core.halt(now_ns, "The disk is more than 1 s behind with the record.", "Check the disk, then go on.")
