"""Limits that only narrow: what the unit can do, what a body region may take, the patient's ceiling, the protocol.

Every figure of `CAPS` and of the constants below is a PROPOSAL AWAITING CLINICAL SIGN-OFF. They were put together
from published clinical ranges and from the instructions for use of surface stimulators (HASOMED RehaStim2, 2021-03:
at most 2 mA/cm2 and 0.1 W/cm2 at the electrode); `RegionCap.source` says so for each region. No file can raise them.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isqrt
from typing import NamedTuple

from safety.orders import ArmScope

SIGNED_OFF = False
"""No clinician has signed the caps yet. Screens and reports that quote a cap say so."""

PAD_DERATING = 2
"""Density and power are reckoned on one part in this many of the pad: a half-lifted pad cannot be detected."""
DENSITY_UA_PER_CM2_MAX = 2_000
"""Rms current density on the derated pad: 1.0 mA/cm2 with the whole pad, 2 mA/cm2 with half of it lifted."""
POWER_UW_PER_CM2_MAX = 100_000
"""Mean power density on the derated pad, 0.1 W/cm2."""
LOAD_OHM = 500
"""The resistance into which power is reckoned (the standard test load of surface stimulators)."""
RMS_UA_MAX = 25_000
"""Rms current of one train, whatever its pad: above every plain pulse that the regions' caps allow (20 mA at most, for
the thigh), below what a RehaStim2 puts out at its full 130 mA, 500 us and 50 Hz (29 mA). Not summed over channels: each
has its own pads, and at most four carry current."""
PAD_AREA_MM2_MIN, PAD_AREA_MM2_MAX = 100, 30_000

CHANNELS_ACTIVE_MAX = 4
BURSTS_MAX = 1_200
STIMULATED_NS_MAX = 60 * 60 * 1_000_000_000
REST_NS_MIN = 2_000_000_000
BURSTS_A_MINUTE_MAX, MINUTE_NS = 20, 60_000_000_000
"""Short bursts with the least rest would come to nearly thirty a minute."""
DUTY_WINDOW_NS, DUTY_NS_MAX = 600_000_000_000, 300_000_000_000
"""Current is on for at most half of any 10 min (the rest after each burst alone would allow two thirds)."""
LONGEST_BURST_NS = 15_120_000_000
"""The longest burst of any region with its last lease: a burst that begins may become as long as this."""
GAP_NS_MAX = 500_000_000
"""Longest time between two looks at the clock while current is on or the orthosis pushes."""
SLEW_UA_MAX, SLEW_WINDOW_NS = 2_000, 20_000_000
SENSOR_AGE_NS_MAX = 100_000_000

TRAIN_MS_MAX = 3_000
"""Longest train in fitting."""
STEP_UA_BELOW_MOTOR, STEP_UA_ABOVE_MOTOR = 500, 1_000
STEP_UA_MAX = 2_000
"""A unit whose grid is coarser than the step gets one step of its grid, up to this."""
STEP_EVERY_NS = 300_000_000
"""Time between two increases in fitting. With the larger step it stays under the cap of 5 mA/s."""
STEP_NS_PER_UA = 200_000
"""The cap of 5 mA/s, for a grid whose step is over 1.5 mA: 400 ms after a step of 2 mA."""
PRESS_FRESH_NS = 1_000_000_000
"""A key press that is older has gone stale: nothing may start on it any more."""


class Region(StrEnum):
    """Where on the body a channel's pads are."""

    HAND = "hand"
    FOREARM = "forearm"
    UPPER_ARM = "upper_arm"
    LOWER_LEG = "lower_leg"
    THIGH = "thigh"


@dataclass(frozen=True, slots=True)
class RegionCap:
    """The compiled cap of one body region. Integers: uA, us, us (the shortest period), nC a phase, ms without rest."""

    amplitude_ua: int
    pulse_width_us: int
    period_us_min: int
    charge_nc: int
    on_ms: int
    muscles: str
    source: str


_PROPOSAL = "proposal awaiting clinical sign-off; drawn from "
CAPS: dict[Region, RegionCap] = {
    Region.HAND: RegionCap(
        25_000, 300, 20_000, 7_500, 10_000, "hand intrinsics, thumb", _PROPOSAL + "small-muscle ranges"
    ),
    Region.FOREARM: RegionCap(
        45_000, 350, 20_000, 14_000, 12_000, "wrist and finger extensors, flexors", _PROPOSAL + "stroke forearm ranges"
    ),
    Region.UPPER_ARM: RegionCap(
        60_000, 400, 20_000, 20_000, 15_000, "upper arm, shoulder; never across the chest", _PROPOSAL + "Ito 2023"
    ),
    Region.LOWER_LEG: RegionCap(
        70_000, 400, 20_000, 25_000, 10_000, "tibialis anterior, peroneals", _PROPOSAL + "INDISCAP, ankle dorsiflexors"
    ),
    Region.THIGH: RegionCap(
        100_000, 450, 20_000, 40_000, 15_000, "quadriceps, hamstrings, gluteals", _PROPOSAL + "PMC8167342 table 5"
    ),
}


@dataclass(frozen=True, slots=True)
class DeviceLimits:
    """What a unit can put out, from its maker's documents. Channels are numbered 1 to `channels`."""

    name: str
    channels: int
    amplitude_ua_max: int
    amplitude_step_ua: int
    pulse_width_us_min: int
    pulse_width_us_max: int
    period_us_min: int
    period_us_max: int
    period_step_us: int
    points_max: int
    overhead_us: int = 60
    """Time that the unit needs beside each pulse; the sum over channels must leave room (P24: 60 us)."""
    interphase_us: int | None = None
    """The gap that the unit always makes between two equal phases: no other shape exists. None: points are free."""
    common_period: bool = False
    """Whether all trains of an order share one period: the unit has one clock for all its channels."""
    slot_us: int = 0
    """Time that each active channel of a module needs in every period (0: the unit has no such slots)."""
    slot_channels: int = 0
    """How many channels in a row make a module that shares one pulse source (0: all of the unit's)."""


class Prescription(NamedTuple):
    """What was found and fitted today for one channel. A ceiling of 0 means "not found yet"."""

    channel: int
    region: Region
    pad_area_mm2: int
    ceiling_ua: int
    motor_ua: int
    patient: str
    date: str


class ProtocolLimit(NamedTuple):
    """The most that the running protocol ever asks of a channel."""

    region: Region
    pad_area_mm2: int
    amplitude_ua: int
    pulse_width_us: int
    period_us_min: int
    on_ms_max: int


class Bound(NamedTuple):
    """One bound and the source that binds: "patient ceiling", "forearm cap", "device P24", "protocol"."""

    value: int
    source: str


@dataclass(frozen=True, slots=True)
class ChannelLimit:
    """The effective limit of one channel in one scope; each bound carries its source. Units: uA, us, nC, ms, mm2."""

    channel: int
    scope: ArmScope
    region: Region
    pad_area_mm2: int
    ceiling_ua: int
    motor_ua: int
    amplitude_ua: Bound
    pulse_width_us: Bound
    period_us_min: Bound
    charge_nc: Bound
    on_ms: Bound


def channel_limit(
    device: DeviceLimits, given: Prescription, protocol: ProtocolLimit | None, scope: ArmScope
) -> ChannelLimit | None:
    """min(device, cap, ceiling, protocol), bound by bound; None when the protocol is for another region.

    In fitting neither the ceiling nor the protocol counts (the ceiling is what is being looked for), and a train
    lasts at most `TRAIN_MS_MAX`. On a tie the earlier of the four binds.
    """
    cap = CAPS[given.region]
    unit, region = f"device {device.name}", f"{given.region.replace('_', ' ')} cap"
    amplitude = least(Bound(device.amplitude_ua_max, unit), Bound(cap.amplitude_ua, region))
    width = least(Bound(device.pulse_width_us_max, unit), Bound(cap.pulse_width_us, region))
    period = most(Bound(device.period_us_min, unit), Bound(cap.period_us_min, region))
    on_ms = Bound(cap.on_ms, region)
    area = given.pad_area_mm2
    if scope is ArmScope.FITTING:
        on_ms = least(on_ms, Bound(TRAIN_MS_MAX, "fitting rule"))
    else:
        amplitude = least(amplitude, Bound(given.ceiling_ua, "patient ceiling"))
        if protocol is not None:
            if protocol.region is not given.region:
                return None
            amplitude = least(amplitude, Bound(protocol.amplitude_ua, "protocol"))
            width = least(width, Bound(protocol.pulse_width_us, "protocol"))
            period = most(period, Bound(protocol.period_us_min, "protocol"))
            on_ms = least(on_ms, Bound(protocol.on_ms_max, "protocol"))
            area = min(area, protocol.pad_area_mm2)
    return ChannelLimit(
        channel=given.channel,
        scope=scope,
        region=given.region,
        pad_area_mm2=area,
        ceiling_ua=given.ceiling_ua,
        motor_ua=given.motor_ua,
        amplitude_ua=amplitude,
        pulse_width_us=width,
        period_us_min=period,
        charge_nc=Bound(cap.charge_nc, region),
        on_ms=on_ms,
    )


def density_holds(squares: int, period_us: int, pad_area_mm2: int) -> bool:
    """Rms density on the derated pad within its cap. `squares` is the sum of uA^2 x us over one pulse.

    rms / (area / derating) <= cap, squared and cleared of fractions (100 mm2 = 1 cm2).
    """
    allowed = DENSITY_UA_PER_CM2_MAX * pad_area_mm2
    return squares * (100 * PAD_DERATING) ** 2 <= allowed * allowed * period_us


def power_holds(squares: int, period_us: int, pad_area_mm2: int) -> bool:
    """Mean power density into `LOAD_OHM` on the derated pad within its cap (uA^2 x ohm = 1e-6 uW)."""
    return squares * LOAD_OHM * 100 * PAD_DERATING <= POWER_UW_PER_CM2_MAX * pad_area_mm2 * period_us * 1_000_000


def rms_holds(squares: int, period_us: int) -> bool:
    """Rms current of a train within its cap, squared and cleared of fractions (see `density_holds`)."""
    return squares <= RMS_UA_MAX * RMS_UA_MAX * period_us


def reach(limit: ChannelLimit, pulse_width_us: int, period_us: int, step_ua: int) -> Bound:
    """The largest amplitude on the unit's grid that this limit lets a plain biphasic pulse have, and what binds.

    For whoever aims inside the limits (width and period must be legal already, both above 0).
    """
    allowed = DENSITY_UA_PER_CM2_MAX * limit.pad_area_mm2
    by_density = isqrt(allowed * allowed * period_us // (2 * pulse_width_us * (100 * PAD_DERATING) ** 2))
    power = POWER_UW_PER_CM2_MAX * limit.pad_area_mm2 * period_us * 1_000_000
    by_power = isqrt(power // (2 * pulse_width_us * LOAD_OHM * 100 * PAD_DERATING))
    by_rms = isqrt(RMS_UA_MAX * RMS_UA_MAX * period_us // (2 * pulse_width_us))
    by_charge = limit.charge_nc.value * 1_000 // pulse_width_us
    best = least(limit.amplitude_ua, Bound(by_charge, f"charge per phase, {limit.charge_nc.source}"))
    best = least(least(best, Bound(by_density, "current density of the pad")), Bound(by_power, "power at the pad"))
    best = least(best, Bound(by_rms, "rms current"))
    return Bound(best.value - best.value % step_ua, best.source)


def fitting_step_ua(level_ua: int, motor_ua: int, grid_ua: int) -> int:
    """What one key press in fitting earns, in uA: 0.5 mA below motor threshold (0: not found yet), 1 mA from it on.

    A unit whose grid is coarser gets one step of its grid, where that is at most 2 mA.
    """
    usual_ua = STEP_UA_ABOVE_MOTOR if 0 < motor_ua <= level_ua else STEP_UA_BELOW_MOTOR
    return max(usual_ua, grid_ua) if grid_ua <= STEP_UA_MAX else usual_ua


def step_every_ns(grid_ua: int) -> int:
    """Time between two increases in fitting on a unit of this grid: no step may lead to more than 5 mA/s."""
    return max(STEP_EVERY_NS, grid_ua * STEP_NS_PER_UA)


def least(one: Bound, other: Bound) -> Bound:
    """The lower of two upper bounds; the first on a tie."""
    return other if other.value < one.value else one


def most(one: Bound, other: Bound) -> Bound:
    """The higher of two lower bounds; the first on a tie."""
    return other if other.value > one.value else one
