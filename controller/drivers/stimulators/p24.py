"""The P24: an eight-channel stimulator that speaks ScienceMode 4. The driver's body is `sciencemode_driver`.

Figures: P24 instructions for use v1.1 and the vendor's C library ScienceMode4 0cb1201; never tried on hardware.
"""

from controller.drivers.ports import LineSettings
from controller.drivers.stimulators.kind import StimulatorKind
from controller.drivers.stimulators.sciencemode_driver import ScienceModeDriver
from controller.drivers.stimulators.sciencemode_profile import Profile, probes
from controller.vocabulary.capabilities import Capabilities
from controller.wire.sciencemode.messages import CHANNELS, ChannelReport, GetExtendedVersion, GetVersionMain, MlInit
from controller.wire.sciencemode.p24 import CATALOGUE, GENERATION, resembles
from controller.wire.sciencemode.pulses import (
    CURRENT_STEP_UA,
    CURRENT_UA_MAX,
    DURATION_US_MAX,
    POINTS_MAX,
    PULSE_OVERHEAD_US,
    update_fault,
)
from safety.limits import DeviceLimits

SELECTION = 4
"""Of the current data: each channel's state."""

P24_LIMITS = DeviceLimits(
    name="P24",
    channels=CHANNELS,
    amplitude_ua_max=CURRENT_UA_MAX,
    amplitude_step_ua=CURRENT_STEP_UA,
    pulse_width_us_min=10,
    pulse_width_us_max=DURATION_US_MAX,
    period_us_min=500,
    period_us_max=16_383_000,
    period_step_us=500,
    points_max=POINTS_MAX,
    overhead_us=PULSE_OVERHEAD_US,
)

P24_PROFILE = Profile(
    kind="p24",
    limits=P24_LIMITS,
    generation=GENERATION,
    catalogue=CATALOGUE,
    refusal=update_fault,
    init=MlInit(stop_on_all_errors=True),
    versions=(GetExtendedVersion(), GetVersionMain()),
    probes=probes(CATALOGUE, SELECTION),
    report=ChannelReport,
    check="Check the unit's USB cable and that its port gives at least 2.4 A.",
)


class P24Driver(ScienceModeDriver):
    """One connection to a P24 in its mid level."""

    profile = P24_PROFILE


P24 = StimulatorKind(
    P24_PROFILE.kind,
    P24Driver,
    P24_LIMITS,
    # 3 Mbaud 8N2 with RTS/CTS is what the unit's protocol asks for (its USB port ignores it).
    LineSettings(baud=3_000_000, stop_bits=2, rts_cts=True),
    Capabilities(
        "P24",
        channels=P24_LIMITS.channels,
        amplitude_step_ua=P24_LIMITS.amplitude_step_ua,
        watchdog_ms=2_000,
        electrode_test_ua_min=15_000,
        break_circuit="Pull the electrode leads out of the unit, or switch it off at its own switch.",
    ),
    usb=((0x0483, 0x5740),),
    resembles=resembles,
)
