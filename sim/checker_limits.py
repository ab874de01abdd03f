"""The checkers' own copy of the limits, each with where it comes from. A test compares it with what the guard holds.

They are written down a second time on purpose: a slip in the guard's table then shows as a difference, and a checker
that read the guard's table could only agree with it.
"""

from typing import NamedTuple

MS = 1_000_000
SECOND = 1_000 * MS
_RANGES = "published clinical ranges of surface stimulation after stroke; a proposal awaiting clinical sign-off"
_IFU = "HASOMED RehaStim2 instructions for use, 2021-03: at most 2 mA/cm2 and 0.1 W/cm2 at the electrode"
_HALF = "a half-lifted pad cannot be noticed, so half of it counts"


class RegionLimit(NamedTuple):
    """One body region: uA, us, us (the shortest period), charge of a phase in pC (uA x us), longest burst in ns."""

    amplitude_ua: int
    width_us: int
    period_us_min: int
    charge_pc: int
    on_ns: int
    source: str


REGIONS: dict[str, RegionLimit] = {
    "hand": RegionLimit(25_000, 300, 20_000, 7_500_000, 10 * SECOND, f"small muscles: {_RANGES}"),
    "forearm": RegionLimit(45_000, 350, 20_000, 14_000_000, 12 * SECOND, f"wrist and fingers: {_RANGES}"),
    "upper_arm": RegionLimit(60_000, 400, 20_000, 20_000_000, 15 * SECOND, f"Ito 2023, shoulder: {_RANGES}"),
    "lower_leg": RegionLimit(70_000, 400, 20_000, 25_000_000, 10 * SECOND, f"INDISCAP, ankle: {_RANGES}"),
    "thigh": RegionLimit(100_000, 450, 20_000, 40_000_000, 15 * SECOND, f"PMC8167342, table 5: {_RANGES}"),
}


class Figure(NamedTuple):
    """One limit that holds for every region, and its source."""

    value: int
    source: str


DENSITY_UA_PER_CM2 = Figure(2_000, f"rms, on the derated pad. {_IFU}")
POWER_UW_PER_CM2 = Figure(100_000, f"mean, on the derated pad. {_IFU}")
DERATING = Figure(2, _HALF)
LOAD_OHM = Figure(500, "the standard test load of surface stimulators (IEC 60601-2-10 as quoted by makers)")
CHANNELS_AT_ONCE = Figure(4, _RANGES)
RISE_UA = Figure(2_000, "soft start: at most this much within RISE_NS; a proposal awaiting clinical sign-off")
RISE_NS = Figure(20 * MS, "see RISE_UA")
REST_NS = Figure(2 * SECOND, "least rest after a burst, and half of the burst; a proposal awaiting clinical sign-off")
BURSTS_A_MINUTE, MINUTE_NS = Figure(20, "a design cap; a proposal awaiting clinical sign-off"), 60 * SECOND
DUTY_NS, DUTY_WINDOW_NS = Figure(300 * SECOND, "half of any ten minutes; awaiting clinical sign-off"), 600 * SECOND
BURSTS_A_DAY = Figure(1_200, _RANGES)
ON_NS_A_DAY = Figure(3_600 * SECOND, _RANGES)
FITTING_ON_NS = Figure(3 * SECOND, "longest train in fitting; a proposal awaiting clinical sign-off")
STOP_NS = Figure(250 * MS, "from an event that software can act on to the last pulse; the design's own promise")
OPERATOR_STOP_NS = Figure(100 * MS, "from the operator's STOP to the last pulse; the design's own promise")


class JointLimit(NamedTuple):
    """One joint: cdeg/s, mNm, mNm of rise in RISE_NS, cdeg, cdeg, longest movement in ns, movements in ten minutes."""

    speed_cdps: int
    torque_mnm: int
    rise_mnm: int
    angle_min_cdeg: int
    angle_max_cdeg: int
    on_ns: int
    crowd: int
    source: str


_MOTOR = "a proposal awaiting clinical sign-off, drawn from"
JOINTS: dict[str, JointLimit] = {
    "finger": JointLimit(4_500, 140, 14, -12_000, 12_000, 8 * SECOND, 40, f"{_MOTOR} 120 mA of a small servo"),
    "wrist": JointLimit(
        4_500, 1_500, 150, -6_000, 6_000, 10 * SECOND, 1_200, f"{_MOTOR} 0.5 to 4 Nm of a stroke wrist"
    ),
    "elbow": JointLimit(6_000, 5_000, 500, -13_500, -500, 10 * SECOND, 1_200, f"{_MOTOR} a design cap of 15 Nm"),
    "ankle": JointLimit(4_000, 5_000, 500, -1_500, 2_000, 6 * SECOND, 1_200, f"{_MOTOR} 3 to 15 Nm, seated only"),
}
MOVEMENT_REST_NS = Figure(2 * SECOND, "least rest after a movement, and as long as it was; awaiting clinical sign-off")
