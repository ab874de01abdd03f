"""The RehaMove3: a four-channel stimulator with a battery that speaks ScienceMode 3. The body is `sciencemode_driver`.

Figures: HASOMED's description of ScienceMode 3 v3.2.4, its library smpt_rm3 3.2.4 and the README of ScienceMode3; never
tried on hardware. Where they differ the narrower figure is taken: 130 mA (the library takes 150 mA), 20 us (the README
says 10 us).
"""

from controller.drivers.ports import LineSettings
from controller.drivers.stimulators.kind import StimulatorKind
from controller.drivers.stimulators.sciencemode_driver import ScienceModeDriver
from controller.drivers.stimulators.sciencemode_profile import Profile, probes
from controller.vocabulary.capabilities import Capabilities
from controller.wire.sciencemode.messages import GetExtendedVersion, GetVersionMain, MlInit, RunReport
from controller.wire.sciencemode.pulses import CURRENT_STEP_UA, DURATION_US_MAX, POINTS_MAX
from controller.wire.sciencemode.rehamove3 import (
    CATALOGUE,
    CHANNELS,
    CURRENT_UA_MAX,
    GENERATION,
    PULSE_OVERHEAD_US,
    SELECTION,
    resembles,
    update_fault,
)
from safety.limits import DeviceLimits

BATTERY_PERCENT_MIN = 10
"""Our own choice: no document says how long a charge lasts."""

REHAMOVE3_LIMITS = DeviceLimits(
    name="RehaMove3",
    channels=CHANNELS,
    amplitude_ua_max=CURRENT_UA_MAX,
    amplitude_step_ua=CURRENT_STEP_UA,
    pulse_width_us_min=20,
    pulse_width_us_max=DURATION_US_MAX,
    period_us_min=500,
    period_us_max=16_383_000,
    period_step_us=500,
    points_max=POINTS_MAX,
    overhead_us=PULSE_OVERHEAD_US,
)

REHAMOVE3_PROFILE = Profile(
    kind="rehamove3",
    limits=REHAMOVE3_LIMITS,
    generation=GENERATION,
    catalogue=CATALOGUE,
    refusal=update_fault,
    init=MlInit(stop_on_all_errors=False),
    versions=(GetVersionMain(), GetExtendedVersion()),
    probes=probes(CATALOGUE, SELECTION),
    report=RunReport,
    check="Check the unit's cable and its battery.",
    battery_percent_min=BATTERY_PERCENT_MIN,
)


class RehaMove3Driver(ScienceModeDriver):
    """One connection to a RehaMove3 in its mid level."""

    profile = REHAMOVE3_PROFILE


REHAMOVE3 = StimulatorKind(
    REHAMOVE3_PROFILE.kind,
    RehaMove3Driver,
    REHAMOVE3_LIMITS,
    LineSettings(baud=3_000_000, stop_bits=2, rts_cts=True),
    Capabilities(
        "RehaMove3",
        channels=REHAMOVE3_LIMITS.channels,
        amplitude_step_ua=REHAMOVE3_LIMITS.amplitude_step_ua,
        watchdog_ms=2_000,
        electrode_test_ua_min=15_000,
        battery=True,
        break_circuit="Pull the electrode leads out of the unit, or switch it off at its own switch.",
    ),
    # The usual numbers of an FTDI serial chip, which many other devices announce too; not verified on a unit.
    usb=((0x0403, 0x6001),),
    resembles=resembles,
)
