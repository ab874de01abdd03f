"""What the engine keeps an eye on, each 20 ms: the puck, the gateway, the record. Silence means stop."""

from typing import TYPE_CHECKING

from controller.clock import MS
from controller.engine import ports
from controller.engine.movement import SHORT_RAMP_MS
from controller.vocabulary.events import PuckStale
from controller.vocabulary.notices import RecordHead
from controller.vocabulary.snapshot import SessionState

if TYPE_CHECKING:
    from controller.engine.core import EngineCore

GATEWAY_SILENT_NS = 300 * MS
LISTENS_NS = 100 * MS
"""A gap between two steps longer than this: the engine did not listen (its tick is 20 ms)."""
BACKLOG_MS_MAX = 1000
VOUCH_EVERY_NS = 5_000 * MS


def watch_puck(core: "EngineCore", now_ns: int) -> None:
    """Current stops and the session pauses when the puck has been silent too long."""
    for event in core.feed.detector.tick(now_ns):
        if isinstance(event, PuckStale):
            core.note(now_ns, "puck_stale", {"age_ms": event.age_ns // MS}, sync=True)
    if core.training.wound_down:
        core.carry(core.training.pause(now_ns))
        core.apply(now_ns, "pause")
    stale = not core.feed.fresh(now_ns)
    if stale and not core.was_stale and core.state is SessionState.RUNNING:
        core.carry(core.training.pause(now_ns, SHORT_RAMP_MS))
        core.apply(now_ns, "pause")
        core.todo = "The puck fell silent: current is off. Check that it is on and near, then press resume."
    core.was_stale = stale


def watch_gateway(core: "EngineCore", now_ns: int) -> None:
    """A gateway that is silent for 300 ms is ended: the unit's own watchdog and a new gateway then stop the output."""
    if core.gateway_here and core.status_ns and now_ns - core.status_ns > GATEWAY_SILENT_NS:
        core.gateway_here = False
        core.out.append(ports.EndGateway())
        core.halt(now_ns, "The gateway fell silent.", f"PULL THE LEADS: {core.set_up.unit.alone}", told_gateway=True)


def excuse_gateway(core: "EngineCore", now_ns: int, gap_ns: int) -> None:
    """The time in which the engine itself did not listen is no silence of the gateway.

    After a short sleep of the computer both would otherwise wake up, and the engine would end a gateway that is just
    about to switch the output off.
    """
    if core.status_ns:
        core.status_ns = min(now_ns, core.status_ns + gap_ns)


def watch_heads(core: "EngineCore", now_ns: int) -> None:
    """Now and then the gateway's log is told how far the journal is on disk, so that a cut shows."""
    record = core.record
    if record is None or now_ns < core.vouch_due_ns:
        return
    vouched = record.vouched
    if vouched is not None and vouched[0] > core.vouched_seq:
        core.vouched_seq, core.vouch_due_ns = vouched[0], now_ns + VOUCH_EVERY_NS
        core.out.append(ports.ToGateway(RecordHead(*vouched)))


def watch_record(core: "EngineCore", now_ns: int) -> None:
    """No current without its record, in fitting or in the session."""
    record = core.record
    if record is None or core.state not in (SessionState.FITTING, SessionState.RUNNING):
        return
    if record.failed:
        core.halt(now_ns, f"The record cannot be written: {record.failed}.", "Free the disk, then start again.")
    elif record.backlog_ms(now_ns) > BACKLOG_MS_MAX:
        core.halt(now_ns, "The disk is more than 1 s behind with the record.", "Check the disk, then go on.")
