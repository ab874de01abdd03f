"""Notices: what the engine tells the gateway besides orders. None of them can give permission."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constrain:
    """The most that the running protocol ever asks of a channel. Integers: uA, us, us, ms. They can only narrow."""

    channel: int
    region: str
    pad_area_mm2: int
    amplitude_ua: int
    pulse_width_us: int
    period_us_min: int
    on_ms_max: int


@dataclass(frozen=True, slots=True)
class ConstrainJoint:
    """The most that the running protocol ever asks of the orthosis: mNm, cdeg/s, cdeg, ms. It can only narrow.

    `channel_signs` holds (channel, sign) of the channels whose muscle moves the same joint: +1 extends, -1 flexes.
    """

    region: str
    torque_mnm: int
    speed_cdps: int
    angle_min_cdeg: int
    angle_max_cdeg: int
    on_ms_max: int
    channel_signs: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class StartsBy:
    """Whether in the running protocol a person's button alone begins each burst and each movement.

    It keeps a session from being armed that could only be refused; the gateway sees to each start itself.
    """

    button_only: bool


@dataclass(frozen=True, slots=True)
class NeedPosition:
    """The position that the protocol is made for: seated, lying or standing. While armed it does not change."""

    position: str


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """Keep the gateway's own log in this session folder from now on."""

    folder: str


@dataclass(frozen=True, slots=True)
class EngineBeat:
    """The engine's loop is alive. Sent each 100 ms; 500 ms without one while armed stops and latches."""

    t_ns: int


@dataclass(frozen=True, slots=True)
class ToAudit:
    """Something decided in the engine that belongs into the record of changes: what, of whom, now how (JSON), why."""

    what: str
    subject: str
    new: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RecordHead:
    """How far the session's journal is known to be on disk: number and hash of that record, for the gateway's log."""

    seq: int
    hash: str


Notice = Constrain | ConstrainJoint | NeedPosition | StartsBy | OpenRecord | EngineBeat | ToAudit | RecordHead
