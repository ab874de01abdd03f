"""Requests: what a person at the screen tells the gateway directly, past the engine."""

from dataclasses import dataclass

from controller.vocabulary.facts import ArmScope


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The screen's event loop is alive. Sent each 100 ms; 500 ms without one stops and latches."""

    t_ns: int


@dataclass(frozen=True, slots=True)
class StopNow:
    """STOP, from the named source (key, command, signal). Valid in every state."""

    source: str


@dataclass(frozen=True, slots=True)
class Arm:
    """First key: ask for an arming number. From LATCHED a reason in words is required."""

    scope: ArmScope
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmArm:
    """Second, different key: the number that the gateway gave, within five seconds."""

    number: int


@dataclass(frozen=True, slots=True)
class Disarm:
    """Back to DISARMED: output off, permission gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Press:
    """A fresh key press in fitting. The guard lets one titration step answer to it."""

    number: int


@dataclass(frozen=True, slots=True)
class Prescribe:
    """What was found and fitted today for one channel: region, pad, ceiling. Accepted only while disarmed.

    `ceiling_ua` of 0 means "not found yet": the channel can be identified and titrated, never used in a session.
    """

    patient: str
    date: str
    channel: int
    region: str
    pad_area_mm2: int
    ceiling_ua: int
    motor_ua: int = 0
    reason: str = ""
    """Why what stands is changed. The first setting of a day needs none."""


@dataclass(frozen=True, slots=True)
class PrescribeJoint:
    """What a person measured and found today at the joint that a powered orthosis moves. Only while disarmed.

    `rom_min_cdeg` and `rom_max_cdeg` are the passive range of motion (1/100 deg), moved by hand without force;
    `torque_mnm` is the most that the patient accepts.
    """

    patient: str
    date: str
    region: str
    side: str
    rom_min_cdeg: int
    rom_max_cdeg: int
    torque_mnm: int
    reason: str = ""
    """As for a channel."""


@dataclass(frozen=True, slots=True)
class Identified:
    """A person saw the right muscle move while this channel carried current in fitting."""

    patient: str
    date: str
    channel: int


@dataclass(frozen=True, slots=True)
class Place:
    """A person looked how the patient is placed: seated, lying or standing, and whether a harness holds them.

    Only while disarmed; it counts for this patient and day.
    """

    patient: str
    date: str
    position: str
    harness: bool


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody is with the patient: a key was pressed at the screen."""


_Arming = Present | Heartbeat | StopNow | Arm | ConfirmArm | Disarm | Press
Request = _Arming | Prescribe | PrescribeJoint | Identified | Place
