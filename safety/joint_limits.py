"""Limits of a powered orthosis that only narrow: its motor, a joint region's cap, what was found today, the protocol.

Every figure of `JOINT_CAPS` and of the constants below is a PROPOSAL AWAITING CLINICAL SIGN-OFF; `JointCap.source` says
what it was drawn from. No file can raise them. Units: mNm at the joint, cdeg (1/100 deg, + = extension, opening,
dorsiflexion; 0 = straight), cdeg/s, ms.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from safety.joint import JointDeviceLimits
from safety.limits import Bound, least, most

ROM_MARGIN_CDEG = 300
"""How far inside the passive range that was measured today every goal stays."""
ROM_ABS_CDEG_MAX = 18_000
OUTSIDE_CDEG_MAX = 1_000
"""A posture further than this outside the range that was measured today is not believed: nothing moves then."""
HOLD_AWAY_CDEG_MAX = 1_000
"""A joint is held where it is: the angle to hold lies no further than this from the posture."""
THERE_CDEG = 500
"""Nearer to its goal than this an assist counts as there: it works neither with nor against a muscle."""
POSTURE_AGE_NS_MAX = 60_000_000
MOVEMENTS_MAX = 1_200
MOVEMENTS_A_MINUTE_MAX = 20
MOVED_NS_MAX = 60 * 60 * 1_000_000_000
MOTION_REST_NS_MIN = 2_000_000_000
"""Least rest after a movement. It also lasts at least as long as the movement did: a duty of 50 %."""
CROWD_NS = 10 * 60 * 1_000_000_000
"""The time in which `JointCap.crowd` movements may begin."""


class JointRegion(StrEnum):
    """Which joint the orthosis moves."""

    FINGER = "finger"
    WRIST = "wrist"
    ELBOW = "elbow"
    ANKLE = "ankle"


SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class JointCap:
    """The compiled cap of one joint region: cdeg/s, mNm, mNm of rise in 20 ms, cdeg, ms of one movement, movements.

    `crowd` is how many movements may begin within ten minutes (1200: as many as in a session); `seated_only`: not for a
    patient who lies or stands.
    """

    speed_cdps: int
    torque_mnm: int
    torque_rise_mnm: int
    angle_min_cdeg: int
    angle_max_cdeg: int
    on_ms: int
    crowd: int
    note: str
    source: str
    seated_only: bool = False


_PROPOSAL = "proposal awaiting clinical sign-off; drawn from "
JOINT_CAPS: dict[JointRegion, JointCap] = {
    JointRegion.FINGER: JointCap(
        4_500, 140, 14, -12_000, 12_000, 8_000, 40, "today's range binds", f"{_PROPOSAL}120 mA of a small servo"
    ),
    JointRegion.WRIST: JointCap(
        4_500,
        1_500,
        150,
        -6_000,
        6_000,
        10_000,
        1_200,
        "",
        f"{_PROPOSAL}a stroke wrist's stimulated torque, 0.5 to 4 Nm",
    ),
    JointRegion.ELBOW: JointCap(
        6_000, 5_000, 500, -13_500, -500, 10_000, 1_200, "flexion counts below 0", f"{_PROPOSAL}a design cap of 15 Nm"
    ),
    JointRegion.ANKLE: JointCap(
        4_000,
        5_000,
        500,
        -1_500,
        2_000,
        6_000,
        1_200,
        "seated only",
        f"{_PROPOSAL}a stimulated ankle's 3 to 15 Nm",
        True,
    ),
}


class JointPrescription(NamedTuple):
    """What a person measured and found today: the passive range, moved by hand, and the torque the patient accepts.

    A ceiling of 0 means "not found yet".
    """

    region: JointRegion
    side: str
    rom_min_cdeg: int
    rom_max_cdeg: int
    torque_mnm: int
    patient: str
    date: str


class JointProtocolLimit(NamedTuple):
    """The most that the running protocol ever asks of the joint, and which way each channel's muscle moves it."""

    region: JointRegion
    torque_mnm: int
    speed_cdps: int
    angle_min_cdeg: int
    angle_max_cdeg: int
    on_ms_max: int
    channel_signs: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class JointLimit:
    """The effective limit of the joint; each bound carries its source. Units: mNm, cdeg/s, cdeg, ms."""

    region: JointRegion
    side: str
    rom_min_cdeg: int
    rom_max_cdeg: int
    ceiling_mnm: int
    torque_mnm: Bound
    torque_rise_mnm: Bound
    speed_cdps: Bound
    angle_min_cdeg: Bound
    angle_max_cdeg: Bound
    on_ms: Bound


def effective_joint_limit(
    device: JointDeviceLimits, given: JointPrescription, protocol: JointProtocolLimit | None
) -> JointLimit | None:
    """min(device, cap, today's range less 3 deg, today's ceiling, protocol), bound by bound.

    None when the protocol is for another joint. On a tie the earlier of them binds. Where the ranges do not overlap
    the effective one is empty (least above most), and no angle is within it.
    """
    cap = JOINT_CAPS[given.region]
    unit, region = f"device {device.name}", f"{given.region} cap"
    today = f"range measured today less {ROM_MARGIN_CDEG // 100} deg"
    torque = least(Bound(device.torque_mnm_max, unit), Bound(cap.torque_mnm, region))
    torque = least(torque, Bound(given.torque_mnm, "patient ceiling"))
    speed = least(Bound(device.speed_cdps_max, unit), Bound(cap.speed_cdps, region))
    low = most(Bound(device.angle_cdeg_min, unit), Bound(cap.angle_min_cdeg, region))
    low = most(low, Bound(given.rom_min_cdeg + ROM_MARGIN_CDEG, today))
    high = least(Bound(device.angle_cdeg_max, unit), Bound(cap.angle_max_cdeg, region))
    high = least(high, Bound(given.rom_max_cdeg - ROM_MARGIN_CDEG, today))
    on_ms = Bound(cap.on_ms, region)
    if protocol is not None:
        if protocol.region is not given.region:
            return None
        torque = least(torque, Bound(protocol.torque_mnm, "protocol"))
        speed = least(speed, Bound(protocol.speed_cdps, "protocol"))
        low = most(low, Bound(protocol.angle_min_cdeg, "protocol"))
        high = least(high, Bound(protocol.angle_max_cdeg, "protocol"))
        on_ms = least(on_ms, Bound(protocol.on_ms_max, "protocol"))
    return JointLimit(
        region=given.region,
        side=given.side,
        rom_min_cdeg=given.rom_min_cdeg,
        rom_max_cdeg=given.rom_max_cdeg,
        ceiling_mnm=given.torque_mnm,
        torque_mnm=torque,
        torque_rise_mnm=Bound(cap.torque_rise_mnm, region),
        speed_cdps=speed,
        angle_min_cdeg=low,
        angle_max_cdeg=high,
        on_ms=on_ms,
    )
