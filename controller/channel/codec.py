"""Messages between the processes: fixed structs for what is hot, JSON for the rest, never pickle.

Orders have a layout of their own (`orders.py`); every other message is one dataclass of `controller.vocabulary`,
written as a JSON object. `KINDS` numbers them: both ends come from one tree, which the start-up self-test checks.
"""

import dataclasses
import json
import operator
import typing
from collections.abc import Callable
from typing import Any

from controller.channel.fields import Reader, reader
from controller.vocabulary import facts, intents, requests, snapshot
from controller.vocabulary.notices import (
    Constrain,
    ConstrainJoint,
    EngineBeat,
    NeedPosition,
    Notice,
    OpenRecord,
    RecordHead,
    StartsBy,
    ToAudit,
)

DELIVER, RENEW, STOP, HOLD, ASSIST, RELEASE, FREE = 1, 2, 3, 4, 5, 6, 7

_MESSAGES: tuple[type, ...] = (
    facts.GatewayStatus,
    facts.Refusal,
    facts.Latched,
    facts.BurstStarted,
    facts.BurstEnded,
    facts.JointReport,
    facts.PedalPressed,
    facts.LogHead,
    facts.ArmNumber,
    facts.ArmDenied,
    requests.Heartbeat,
    requests.StopNow,
    requests.Present,
    requests.Arm,
    requests.ConfirmArm,
    requests.Disarm,
    requests.Press,
    requests.Prescribe,
    requests.PrescribeJoint,
    requests.Identified,
    requests.Place,
    intents.ChoosePatient,
    intents.ScreeningDone,
    intents.SkinSeen,
    intents.Titrate,
    intents.TitrateOff,
    intents.MarkLevel,
    intents.FittingDone,
    intents.CalibrateRest,
    intents.CalibrateAttempts,
    intents.AcceptCalibration,
    intents.Begin,
    intents.PressButton,
    intents.HoldLimb,
    intents.Pause,
    intents.Resume,
    intents.EndSession,
    intents.Acknowledge,
    intents.WearOrthosis,
    intents.Note,
    snapshot.Snapshot,
    Constrain,
    ConstrainJoint,
    StartsBy,
    NeedPosition,
    OpenRecord,
    EngineBeat,
    ToAudit,
    RecordHead,
)
KINDS: dict[type, int] = {message: 16 + index for index, message in enumerate(_MESSAGES)}

LETTERS_MAX = 20_000
"""The longest text of a message that the screen or the engine reads; one of the record of changes is as long."""
HEARD_LETTERS_MAX: dict[type, int] = {
    **dict.fromkeys(typing.get_args(requests.Request), 1_000),
    **dict.fromkeys(typing.get_args(Notice), 4_096),  # the path of a record
    ToAudit: LETTERS_MAX,
}
"""What the gateway hears has shorter texts, so that whatever it answers with them fits a line."""

Writer = Callable[[Any], Any]
_to_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class MessageError(ValueError):
    """A message that the other process should never have sent."""


def encode(message: Any) -> tuple[int, bytes]:
    """(kind, payload) of a vocabulary message."""
    kind = KINDS[type(message)]
    return kind, _to_json(_WRITERS[kind](message)).encode()


def decode(kind: int, payload: bytes) -> Any:
    """The message of `kind`, each field exactly what its annotation says.

    Raises `MessageError`, and nothing else, for an unknown kind or a payload that does not fit it.
    """
    read = _READERS.get(kind)
    if read is None:
        raise MessageError(f"unknown message kind {kind}")
    try:
        return read(json.loads(payload))
    except (ValueError, RecursionError) as error:
        raise MessageError(f"message kind {kind}: {error}") from error


def _writer(annotation: Any) -> Writer | None:
    """How to make a value of `annotation` fit for JSON; None where it already is."""
    if dataclasses.is_dataclass(annotation):
        return _dataclass_writer(typing.cast(type, annotation))
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        item = _writer(arguments[0])
        return None if item is None else lambda value: [item(entry) for entry in value]
    return None


def _dataclass_writer(cls: type) -> Writer:
    """Like `dataclasses.asdict`, without its copies: it runs for every snapshot and status."""
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    special = [(name, writer) for name in names if (writer := _writer(hints[name])) is not None]
    get = operator.attrgetter(*names) if len(names) > 1 else None

    def write(value: Any) -> dict[str, Any]:
        written = dict(zip(names, get(value), strict=True)) if get else {name: getattr(value, name) for name in names}
        for name, writer in special:
            written[name] = writer(written[name])
        return written

    return write


_WRITERS: dict[int, Writer] = {kind: _dataclass_writer(cls) for cls, kind in KINDS.items()}
_READERS: dict[int, Reader] = {
    kind: reader(cls, HEARD_LETTERS_MAX.get(cls, LETTERS_MAX)) for cls, kind in KINDS.items()
}
