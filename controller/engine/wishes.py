"""What a person at the screen wants of the session: one function a wish, and the states in which it counts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.engine import buttons, hands, ports
from controller.engine.screening import in_the_way, must_try, screen, seen
from controller.engine.worn import wear
from controller.vocabulary import intents
from controller.vocabulary.button import ButtonSource
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.notices import OpenRecord
from controller.vocabulary.snapshot import SessionState

if TYPE_CHECKING:
    from controller.engine.core import EngineCore


def choose(core: "EngineCore", now_ns: int, wish: intents.ChoosePatient) -> None:
    try:
        record = core.setting.open_record(wish.patient, now_ns, core.set_up.resolved)
    except OSError as error:  # without a record there is no session, and a full disk is no reason to die
        core.todo = f"The record cannot be made: {error}. Free the disk, then choose the patient again."
        return
    core.patient, core.started_ns, core.record, core.todo = wish.patient, now_ns, record, ""
    core.vouched_seq = -1
    core.checks.begin(wish.patient, core.setting.affected_side, core.setting.day())
    core.record.device(now_ns, "puck", core.feed.driver.device or core.feed.driver.name)
    core.out.append(ports.ToGateway(OpenRecord(str(core.record.folder))))
    for notice in core.set_up.notices():
        core.out.append(ports.ToGateway(notice))
    if core.feed.watch.remark:
        core.note(now_ns, "puck_alone", {"wanted": core.feed.settings.relative_to}, sync=True)
    core.apply(now_ns, "choose")


def titrate(core: "EngineCore", now_ns: int, wish: intents.Titrate) -> None:
    core.carry(core.set_up.titrate(now_ns, wish))


def titrate_off(core: "EngineCore", now_ns: int, _wish: intents.TitrateOff) -> None:
    core.carry(core.set_up.titrate_off(now_ns))


def mark(core: "EngineCore", now_ns: int, wish: intents.MarkLevel) -> None:
    level = core.set_up.flowing_ua(wish.channel)
    if level and core.set_up.fitting.mark(wish, level):
        core.note(now_ns, "level_marked", {"channel": wish.channel, "level": wish.level, "ua": level}, sync=True)


def fitted(core: "EngineCore", now_ns: int, _wish: intents.FittingDone) -> None:
    if core.set_up.fitting.complete and core.status and not core.set_up.unidentified(core.status.identified):
        core.carry(core.set_up.titrate_off(now_ns))
        core.apply(now_ns, "fitted")


def calibrate_rest(core: "EngineCore", now_ns: int, _wish: intents.CalibrateRest) -> None:
    core.set_up.calibrate_rest(now_ns)


def calibrate_attempts(core: "EngineCore", now_ns: int, _wish: intents.CalibrateAttempts) -> None:
    core.set_up.calibrate_attempts(now_ns)


def accept(core: "EngineCore", now_ns: int, _wish: intents.AcceptCalibration) -> None:
    core.todo = must_try(core)
    threshold = 0.0 if core.todo else core.set_up.accept_calibration()
    if threshold:
        axis = core.set_up.study.axis
        learned = {} if axis is None else {"axis": [round(part, 3) for part in axis[:3]]}
        core.note(now_ns, "calibrated", {"threshold_dps": round(threshold, 3), **learned}, sync=True)
        core.apply(now_ns, "calibrated")


def begin(core: "EngineCore", now_ns: int, wish: intents.Begin | intents.Resume) -> None:
    status = core.status
    if status is None or status.state not in (GatewayState.ARMED, GatewayState.RESTING):
        core.todo = "Arm first: the arm key, then the other key to confirm."
        return
    if not core.feed.fresh(now_ns) or core.feed.rate_hz(now_ns) < core.feed.settings.min_rate_hz:
        core.todo = f"The puck sends {core.feed.rate_hz(now_ns):.0f} samples a second; it takes 50 to begin."
        return
    core.todo = core.buttons.missing(core) or hands.splinted(core) or in_the_way(core)
    if core.training.held:
        core.todo = "Let go of the limb first: press h."
    if core.todo:
        return
    if core.apply(now_ns, "begin" if isinstance(wish, intents.Begin) else "resume"):
        core.note(now_ns, "resolved", core.set_up.resolve().as_json(), sync=True)
        core.carry(core.training.begin(now_ns, status.rest_until_ns))


def press_button(core: "EngineCore", now_ns: int, _wish: intents.PressButton) -> None:
    buttons.press(core, now_ns, ButtonSource.KEY)


def pause(core: "EngineCore", now_ns: int, _wish: intents.Pause) -> None:
    core.carry(core.training.pause(now_ns))
    core.apply(now_ns, "pause")


def end(core: "EngineCore", now_ns: int, _wish: intents.EndSession) -> None:
    core.carry(core.set_up.titrate_off(now_ns))
    core.carry(core.training.pause(now_ns))
    if core.apply(now_ns, "end"):
        core.todo = ""
        core.close(now_ns, "normal")


def acknowledge(core: "EngineCore", now_ns: int, wish: intents.Acknowledge) -> None:
    core.note(now_ns, "acknowledged", {"cause": core.trip, "reason": wish.reason}, sync=True)
    if core.apply(now_ns, "acknowledge"):
        core.trip = core.todo = ""


def take_note(core: "EngineCore", now_ns: int, wish: intents.Note) -> None:
    core.note(now_ns, "note", {"text": wish.text})


_SET_UP = frozenset({SessionState.SCREENING, SessionState.FITTING, SessionState.CALIBRATING, SessionState.READY})
_ANY = frozenset(SessionState)
_RECORDING = _ANY - {SessionState.IDLE, SessionState.REVIEW}
_FITTING = frozenset({SessionState.FITTING})
_CALIBRATING = frozenset({SessionState.CALIBRATING})
_BEGUN = frozenset({SessionState.READY, SessionState.RUNNING, SessionState.PAUSED})
"""A session may be ready for the second time: after a new gateway, which leads back through fitting."""
WISHES: dict[type, tuple[Callable[..., None], frozenset[SessionState]]] = {
    intents.ChoosePatient: (choose, frozenset({SessionState.IDLE})),
    intents.ScreeningDone: (screen, frozenset({SessionState.SCREENING})),
    intents.SkinSeen: (seen, _BEGUN | {SessionState.REVIEW}),
    intents.Titrate: (titrate, _FITTING),
    intents.TitrateOff: (titrate_off, _FITTING),
    intents.MarkLevel: (mark, _FITTING),
    intents.FittingDone: (fitted, _FITTING),
    intents.CalibrateRest: (calibrate_rest, _CALIBRATING),
    intents.CalibrateAttempts: (calibrate_attempts, _CALIBRATING),
    intents.AcceptCalibration: (accept, _CALIBRATING),
    intents.Begin: (begin, frozenset({SessionState.READY})),
    intents.Resume: (begin, frozenset({SessionState.PAUSED})),
    intents.PressButton: (press_button, frozenset({SessionState.RUNNING})),
    intents.HoldLimb: (hands.hold, _BEGUN),
    intents.Pause: (pause, frozenset({SessionState.RUNNING})),
    intents.EndSession: (end, _SET_UP | {SessionState.RUNNING, SessionState.PAUSED}),
    intents.Acknowledge: (acknowledge, frozenset({SessionState.TRIPPED})),
    intents.WearOrthosis: (wear, _RECORDING),
    intents.Note: (take_note, _ANY),
}
