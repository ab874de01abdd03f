"""Intents: what a person at the screen wants of the session. The engine decides what follows from them."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """The three amplitudes that fitting looks for on each channel."""

    SENSORY = "sensory"  # the patient first feels it
    MOTOR = "motor"  # the muscle first moves
    TOLERANCE = "tolerance"  # the most that the patient accepts: today's ceiling


@dataclass(frozen=True, slots=True)
class ChoosePatient:
    """Start a session with this pseudonym (idle > screening)."""

    patient: str


@dataclass(frozen=True, slots=True)
class ScreeningAnswer:
    """What was answered to a row of the screening list.

    A date (YYYY-MM-DD) and muscles where the row asks for them; clinician and reason where a yes was signed off.
    """

    row: str
    yes: bool
    date: str = ""
    muscles: str = ""
    clinician: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ScreeningDone:
    """The screening list was gone through. The engine judges the answers (screening > fitting, or the end)."""

    answers: tuple[ScreeningAnswer, ...]


@dataclass(frozen=True, slots=True)
class SkinSeen:
    """The skin under the pads was looked at: two minutes after the first stimulation, and after the session."""

    well: bool


@dataclass(frozen=True, slots=True)
class Titrate:
    """One fresh key press in fitting: change a channel by `step_ua` (up or down), or switch it off with 0 steps.

    `press` is the number that went to the gateway in `Press`. `purpose` is "identify" or "titrate".
    """

    channel: int
    step_ua: int
    press: int
    purpose: str = "titrate"


@dataclass(frozen=True, slots=True)
class TitrateOff:
    """Current off in fitting, at once."""


@dataclass(frozen=True, slots=True)
class MarkLevel:
    """The present amplitude of a channel is this level."""

    channel: int
    level: Level


@dataclass(frozen=True, slots=True)
class FittingDone:
    """All channels are titrated (fitting > calibrating)."""


@dataclass(frozen=True, slots=True)
class CalibrateRest:
    """Start recording the limb at rest."""


@dataclass(frozen=True, slots=True)
class CalibrateAttempts:
    """Start recording the patient's own attempts."""


@dataclass(frozen=True, slots=True)
class AcceptCalibration:
    """The attempt threshold that was found is accepted (calibrating > ready)."""


@dataclass(frozen=True, slots=True)
class Begin:
    """ready > running."""


@dataclass(frozen=True, slots=True)
class PressButton:
    """The key of the run screen that is a button of the protocol was pressed once (running)."""


@dataclass(frozen=True, slots=True)
class HoldLimb:
    """Somebody else moves the limb from now on (`on`), or lets go of it: while held, nothing is an attempt."""

    on: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """running > paused, current off."""


@dataclass(frozen=True, slots=True)
class Resume:
    """paused > running, from the activity's first phase."""


@dataclass(frozen=True, slots=True)
class EndSession:
    """To review: current off, the record is closed."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person has seen the trip and says why it is safe to go on (tripped > the last set-up step not completed)."""

    reason: str


class Orthosis(StrEnum):
    """What a patient may wear that moves nothing by itself: a fact of the record, no device on a port."""

    SPLINT = "splint"
    AFO = "afo"
    SLING = "sling"


@dataclass(frozen=True, slots=True)
class WearOrthosis:
    """A worn orthosis was put on (`on`) or taken off, on that `side` (left or right).

    `angle_cdeg` is the angle that it is set to, None where it has none (off: not asked). `skin` is what the skin check
    found in words: before it went on, or after it came off.
    """

    kind: Orthosis
    side: str
    angle_cdeg: int | None
    skin: str
    on: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the therapist's for the training log."""

    text: str


Intent = (
    ChoosePatient
    | ScreeningDone
    | SkinSeen
    | Titrate
    | TitrateOff
    | MarkLevel
    | FittingDone
    | CalibrateRest
    | CalibrateAttempts
    | AcceptCalibration
    | Begin
    | PressButton
    | HoldLimb
    | Pause
    | Resume
    | EndSession
    | Acknowledge
    | WearOrthosis
    | Note
)
