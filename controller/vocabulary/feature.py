"""`Feature`: what the motion pipeline says about one sample, and `AttemptState`, what the detector makes of it."""

from enum import StrEnum
from typing import NamedTuple


class Feature(NamedTuple):
    """Causal features of one puck at one sample: times in ns, speed in deg/s, angle in deg, quiet time in ns."""

    t_ns: int
    angular_speed_dps: float
    """Norm of the low-pass filtered angular rate (each axis filtered first), deg/s."""
    angle_deg: float
    """Angle of the limb about the movement axis since the reference posture, deg (positive in the task direction)."""
    quiet_ns: int
    """How long the limb has been quiet without a break, ns."""


class AttemptState(StrEnum):
    """States of the attempt detector."""

    DISARMED = "disarmed"  # not looking: no session, stale puck, inhibited, or the phase wants no attempt
    QUIET_WAIT = "quiet_wait"  # waiting for the limb to be still
    ARMED = "armed"  # still long enough: the next movement counts
    CANDIDATE = "candidate"  # above the attempt threshold, dwell not yet over
    FIRED = "fired"  # an attempt was seen at this sample
    BLANK = "blank"  # stimulation is on, or ended less than the blanking time ago
