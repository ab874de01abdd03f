"""What the motion of the limb means for the session: one function an event."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.clock import MS
from controller.vocabulary import events
from controller.vocabulary.snapshot import SessionState

if TYPE_CHECKING:
    from controller.engine.core import EngineCore


def attempt_started(core: "EngineCore", now_ns: int, event: events.AttemptStarted, device_us: int | None) -> None:
    data = {
        "crossed_ns": event.crossed_ns - core.started_ns,
        "value_dps": round(event.value, 3),
        "threshold_dps": round(event.threshold, 3),
        "puck_us": device_us,
    }
    core.note(now_ns, "attempt_started", data)
    core.training.on_attempt(event)


def attempt_faded(core: "EngineCore", now_ns: int, event: events.AttemptFaded, _device_us: int | None) -> None:
    core.note(now_ns, "attempt_faded", {"peak_dps": round(event.peak, 3)})


def attempt_outside(
    core: "EngineCore", now_ns: int, event: events.AttemptOutsideWindow, _device_us: int | None
) -> None:
    core.note(now_ns, "attempt_outside_window", {"value_dps": round(event.value, 3)})


def attempt_vetoed(core: "EngineCore", now_ns: int, event: events.AttemptVetoed, _device_us: int | None) -> None:
    value = {"value_dps": round(event.value, 3)}
    core.training.vetoed(event.why)
    if event.why is events.Veto.DIRECTION:
        core.note(now_ns, "antagonist_attempt", value)
    else:
        core.note(now_ns, "attempt_vetoed", {"why": event.why, **value})


def attempt_too_weak(core: "EngineCore", now_ns: int, event: events.AttemptTooWeak, _device_us: int | None) -> None:
    data = {"peak_dps": round(event.peak, 3), "threshold_dps": round(event.threshold, 3)}
    core.note(now_ns, "attempt_below_threshold", data)


def clonus_seen(core: "EngineCore", now_ns: int, event: events.ClonusSeen, _device_us: int | None) -> None:
    core.note(now_ns, "clonus", {"rms_dps": round(event.rms_dps, 1)}, sync=True)
    if core.state is SessionState.RUNNING and not core.training.winding_down:
        core.carry(core.training.wind_down(now_ns))
        core.todo = "Clonus: the limb beats 5 to 8 times a second. Ease the stretch and wait; resume when it is calm."


def spasm_suspected(core: "EngineCore", now_ns: int, event: events.SpasmSuspected, _device_us: int | None) -> None:
    if core.state is not SessionState.RUNNING and core.state is not SessionState.PAUSED:
        return  # in fitting the current ends without a ramp: the limb that it held swings, and that means nothing
    data = {"peak_dps": round(event.peak_dps, 1), "after_off_ms": event.after_off_ns // MS}
    core.note(now_ns, "possible_spasm", data)


def compensation_seen(core: "EngineCore", now_ns: int, event: events.CompensationSeen, _device_us: int | None) -> None:
    if core.state is SessionState.RUNNING:
        core.note(now_ns, "compensation", {"turn_deg": round(event.turn_deg, 1)})


def gyro_clipped(core: "EngineCore", now_ns: int, _event: events.GyroClipped, _device_us: int | None) -> None:
    core.note(now_ns, "gyro_clipped", {})


def angle_found(core: "EngineCore", now_ns: int, _event: events.AngleFound, _device_us: int | None) -> None:
    core.note(now_ns, "angle_rezeroed", {})


def puck_stale(core: "EngineCore", now_ns: int, event: events.PuckStale, _device_us: int | None) -> None:
    core.note(now_ns, "puck_stale", {"age_ms": event.age_ns // MS}, sync=True)


HAPPENINGS: dict[type, Callable[..., None]] = {
    events.AttemptStarted: attempt_started,
    events.AttemptFaded: attempt_faded,
    events.AttemptOutsideWindow: attempt_outside,
    events.AttemptVetoed: attempt_vetoed,
    events.AttemptTooWeak: attempt_too_weak,
    events.ClonusSeen: clonus_seen,
    events.SpasmSuspected: spasm_suspected,
    events.CompensationSeen: compensation_seen,
    events.GyroClipped: gyro_clipped,
    events.AngleFound: angle_found,
    events.PuckStale: puck_stale,
}
