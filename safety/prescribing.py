"""What may be prescribed, confirmed and constrained: `P01` to `P05`, `P08`, `P09` and `C01` to `C04`.

None of these latches: they are said while nothing flows, or leave the limits as they are.
"""

from safety.joint_limits import MOVEMENTS_MAX
from safety.lately import Lately
from safety.limits import (
    BURSTS_A_MINUTE_MAX,
    CAPS,
    DUTY_WINDOW_NS,
    PAD_AREA_MM2_MAX,
    PAD_AREA_MM2_MIN,
    DeviceLimits,
    Prescription,
    ProtocolLimit,
    Region,
)
from safety.orders import Refused

REMEMBERED_MAX = 1_000
"""Ceilings and doses that the guard remembers; more than this in one run means something is wrong."""

DOSE_MOST = 1_000_000_000_000_000
"""No day has as many ns, nor as many bursts: a number above it is a broken one."""

REGIONS: dict[str, Region] = {region.value: region for region in Region}


def region_unknown(rule: str, region: str) -> Refused:
    """The answer to a region that has no cap."""
    return Refused(rule, f"'{region}' is no body region with a cap: {', '.join(REGIONS)}.", latches=False)


def setting_fault(device: DeviceLimits, channel: int, pad_area_mm2: int) -> str | None:
    """Why this channel and pad cannot be, in one sentence; None when they can."""
    if type(channel) is not int or not 1 <= channel <= device.channels:
        return f"Channel {channel} does not exist on this unit."
    if type(pad_area_mm2) is not int or not PAD_AREA_MM2_MIN <= pad_area_mm2 <= PAD_AREA_MM2_MAX:
        return f"A pad of {pad_area_mm2} mm2 is not within {PAD_AREA_MM2_MIN} to {PAD_AREA_MM2_MAX} mm2."
    return None


def prescription_refused(
    device: DeviceLimits, wish: Prescription, armed: bool, lowest_ua: int, remembered: int
) -> Refused | None:
    """Judge a prescription. `lowest_ua` is the least ceiling found before for the same patient, channel, region and day
    (0 when none was); `remembered` how many of those the guard holds already."""
    if armed is not False:
        return Refused("P01", "Prescriptions change only while disarmed.", latches=False)
    wrong = setting_fault(device, wish.channel, wish.pad_area_mm2)
    if wrong is not None:
        return Refused("P02", wrong, latches=False)
    if type(wish.ceiling_ua) is not int or type(wish.motor_ua) is not int:
        return Refused("P03", "Ceiling and motor threshold are whole numbers of uA.", latches=False)
    most_ua = min(device.amplitude_ua_max, CAPS[wish.region].amplitude_ua)
    for name, found_ua in (("ceiling", wish.ceiling_ua), ("motor threshold", wish.motor_ua)):
        if not 0 <= found_ua <= most_ua:
            return Refused("P03", f"A {name} of {found_ua} uA is not within 0 to {most_ua} uA.", latches=False)
    if lowest_ua > 0 and not wish.ceiling_ua <= lowest_ua:
        reason = f"Today's ceiling was found at {lowest_ua} uA and may only fall, not rise to {wish.ceiling_ua} uA."
        return Refused("P04", reason, latches=False)
    if not remembered < REMEMBERED_MAX:
        return Refused("P05", "Too many prescriptions in one run: start the program again.", latches=False)
    return None


def dose_refused(amounts: tuple[int, ...], remembered: int) -> Refused | None:
    """Judge a dose of earlier today. `remembered` is how many patients and days the guard holds already."""
    for amount in amounts:
        if type(amount) is not int or not 0 <= amount <= DOSE_MOST:
            return Refused("P20", "A dose of earlier today is no whole number from 0 up.", latches=False)
    if not remembered < REMEMBERED_MAX:
        return Refused("P20", "Too many doses in one run: start the program again.", latches=False)
    return None


def lately_refused(lately: Lately, remembered: int) -> Refused | None:
    """Judge what an earlier run left for the rests."""
    refused = dose_refused(lately, remembered)
    if refused is not None:
        return refused
    current = lately.on_ns <= DUTY_WINDOW_NS and lately.bursts <= BURSTS_A_MINUTE_MAX
    if current and lately.movements <= lately.crowd <= MOVEMENTS_MAX:
        return None
    return Refused("P20", "More of late than 10 min can have: this is no dose of earlier today.", latches=False)


def found_refused(rule: str, known: bool, amount: int, there: bool, remembered: int) -> Refused | None:
    """Judge a ceiling that was found earlier today (uA, mNm). `known`: what it is of exists; `there`: one is known."""
    if known is not True or type(amount) is not int or not 0 < amount <= DOSE_MOST:
        return Refused(rule, "What was found earlier today is no ceiling above 0 of a part of the body.", latches=False)
    if not there and not remembered < REMEMBERED_MAX:
        return Refused(rule, "Too many prescriptions in one run: start the program again.", latches=False)
    return None


def identification_refused(
    channel: int, given: Prescription | None, patient: str, date: str, carried: bool
) -> Refused | None:
    """Judge a person's word that the right muscle moved. `carried`: the channel has had current since arming for it."""
    if given is None or (given.patient, given.date) != (patient, date):
        return Refused("P08", f"Channel {channel} is not prescribed for this patient today.", latches=False)
    if carried is not True:
        reason = f"Channel {channel} has had no current since it was armed for fitting: nothing can have moved."
        return Refused("P09", reason, latches=False)
    return None


def constraint_refused(
    device: DeviceLimits, wish: ProtocolLimit, channel: int, given: Prescription | None, before: ProtocolLimit | None
) -> Refused | None:
    """Judge a protocol's limits. `given` is the channel's prescription, `before` what must not be widened (armed)."""
    wrong = setting_fault(device, channel, wish.pad_area_mm2)
    if wrong is not None:
        return Refused("C01", wrong, latches=False)
    for number in (wish.amplitude_ua, wish.pulse_width_us, wish.period_us_min, wish.on_ms_max):
        if type(number) is not int or not number >= 0:
            return Refused("C02", "A limit of the protocol is not a whole number from 0 up.", latches=False)
    if given is not None and given.region is not wish.region:
        reason = f"The protocol means the {wish.region}, but channel {channel} is prescribed for the {given.region}."
        return Refused("C03", reason, latches=False)
    if before is not None and not _within(wish, before):
        return Refused("C04", "While armed, the protocol's limits can only narrow.", latches=False)
    return None


def _within(wish: ProtocolLimit, before: ProtocolLimit) -> bool:
    return (
        wish.region is before.region
        and wish.pad_area_mm2 <= before.pad_area_mm2
        and wish.amplitude_ua <= before.amplitude_ua
        and wish.pulse_width_us <= before.pulse_width_us
        and wish.period_us_min >= before.period_us_min
        and wish.on_ms_max <= before.on_ms_max
    )
