"""The joint that a powered orthosis moves: where it is, what may be asked of it, and what its motor can do.

Integers: angles in cdeg (1/100 deg, + = extension, opening, dorsiflexion), speeds in cdeg/s, torques in mNm (never
negative: a torque is how hard the motor may push either way). Times in ns on the gateway's clock.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Posture(NamedTuple):
    """What the orthosis reported last. `torque_mnm` is signed here: + pushes towards extension."""

    t_ns: int
    angle_cdeg: int
    speed_cdps: int
    torque_mnm: int
    torque_on: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the joint at `angle_cdeg` with at most `torque_mnm`. `seq`, times and lease: see `orders.Deliver`."""

    seq: int
    stamp_ns: int
    expires_ns: int
    angle_cdeg: int
    torque_mnm: int
    sensor_ns: int = 0


@dataclass(frozen=True, slots=True)
class Assist:
    """Move the joint to `target_cdeg` at no more than `speed_cdps` with at most `torque_mnm`."""

    seq: int
    stamp_ns: int
    expires_ns: int
    target_cdeg: int
    speed_cdps: int
    torque_mnm: int
    sensor_ns: int = 0


@dataclass(frozen=True, slots=True)
class Release:
    """Let go over `ramp_ms`, then torque off. It needs no ticket: off is always admitted."""

    seq: int
    stamp_ns: int
    ramp_ms: int = 300


@dataclass(frozen=True, slots=True)
class Free:
    """Torque off, now. It needs no ticket: off is always admitted."""

    seq: int
    stamp_ns: int


MotionOrder = Hold | Assist | Release | Free


@dataclass(frozen=True, slots=True)
class JointDeviceLimits:
    """What a powered orthosis can do, from its maker's documents. Speeds and torques above 0; angles low < high."""

    name: str
    torque_mnm_max: int
    torque_step_mnm: int
    speed_cdps_max: int
    angle_cdeg_min: int
    angle_cdeg_max: int
