"""The rules of a pulse, `G07` to `G16` and `G30`: asked of each train by itself, once for each pulse and limit.

Their answers depend on the unit, the channel's limit and the train alone, so the guard may keep them. Written as in
`safety.rules`, which holds the table.
"""

from safety.limits import (
    DENSITY_UA_PER_CM2_MAX,
    POWER_UW_PER_CM2_MAX,
    RMS_UA_MAX,
    ChannelLimit,
    DeviceLimits,
    density_holds,
    power_holds,
    rms_holds,
)
from safety.orders import ArmScope
from safety.stimulus import Train, biphasic


def g07_channel(device: DeviceLimits, train: Train, limit: ChannelLimit | None) -> str | None:
    """The channel exists, and a person fitted and prescribed it (for the protocol's region)."""
    if not 1 <= train.channel <= device.channels:
        return f"Channel {train.channel} does not exist on this unit."
    if limit is None:
        return f"Channel {train.channel} is not prescribed, or the protocol means another region."
    return None


def g08_ceiling_found(_: DeviceLimits, train: Train, limit: ChannelLimit) -> str | None:
    """In a session, the patient's ceiling of today has been found."""
    if limit.scope is ArmScope.FITTING or limit.ceiling_ua > 0:
        return None
    return f"The ceiling of channel {train.channel} has not been found today."


def g09_points(device: DeviceLimits, train: Train, _: ChannelLimit) -> str | None:
    """Two equal phases, + then -, and at most one pause between; durations and currents that the unit keeps.

    A point shorter than the unit's least duration would be stretched by the unit, and the charge with it. A pulse of
    more phases could carry more one way than G14 sees in one of them, and more often than G13 reckons.
    """
    if not 2 <= len(train.points) <= 3:
        return f"The pulse has {len(train.points)} points; two phases, with or without a pause between, are allowed."
    for duration_us, current_ua in train.points:
        if not device.pulse_width_us_min <= duration_us <= device.pulse_width_us_max:
            return f"A point of {duration_us} us is not within what the unit keeps as it is."
        if current_ua % device.amplitude_step_ua != 0:
            return f"{current_ua} uA is off the unit's grid of {device.amplitude_step_ua} uA."
    width_us, current_ua = train.points[0]
    pause_us = sum([point.duration_us for point in train.points[1:-1]])
    pulse = biphasic(train.channel, current_ua, width_us, pause_us, train.period_us)
    if not (current_ua >= 0 and train == pulse):
        return "The pulse is not two equal phases, + then -, with nothing or a pause between."
    if device.interphase_us not in (None, pause_us):
        return f"The unit leaves {device.interphase_us} us between the phases, not {pause_us} us."
    return None


def g10_net_charge(_: DeviceLimits, train: Train, __: ChannelLimit) -> str | None:
    """What flows in flows out again: the net charge of a pulse is exactly zero."""
    if train.net_charge_pc == 0:
        return None
    return f"The pulse leaves {train.net_charge_pc} pC behind; it must leave none."


def g11_amplitude(_: DeviceLimits, train: Train, limit: ChannelLimit) -> str | None:
    """Amplitude within the least of device, cap, ceiling and protocol."""
    if train.amplitude_ua <= limit.amplitude_ua.value:
        return None
    return f"{train.amplitude_ua} uA is over {limit.amplitude_ua.value} uA ({limit.amplitude_ua.source})."


def g12_pulse_width(device: DeviceLimits, train: Train, limit: ChannelLimit) -> str | None:
    """Pulse width within unit, cap and protocol. A pulse without current has no width."""
    width_us = train.pulse_width_us
    if train.amplitude_ua == 0 or device.pulse_width_us_min <= width_us <= limit.pulse_width_us.value:
        return None
    return f"A pulse width of {width_us} us is over {limit.pulse_width_us.value} us ({limit.pulse_width_us.source})."


def g13_period(device: DeviceLimits, train: Train, limit: ChannelLimit) -> str | None:
    """Period on the unit's grid, and no shorter than unit, cap and protocol allow."""
    if train.period_us % device.period_step_us != 0:
        return f"A period of {train.period_us} us is off the unit's grid of {device.period_step_us} us."
    if limit.period_us_min.value <= train.period_us <= device.period_us_max:
        return None
    shortest = limit.period_us_min
    return (
        f"A period of {train.period_us} us is not within {shortest.value} us ({shortest.source}) and the unit's most."
    )


def g14_charge(_: DeviceLimits, train: Train, limit: ChannelLimit) -> str | None:
    """Charge per phase within the region's cap."""
    if 0 <= train.charge_per_phase_nc <= limit.charge_nc.value:
        return None
    return f"{train.charge_per_phase_nc} nC a phase is over {limit.charge_nc.value} nC ({limit.charge_nc.source})."


def g15_density(_: DeviceLimits, train: Train, limit: ChannelLimit) -> str | None:
    """Rms current density within its cap, on the derated pad."""
    if density_holds(_squares(train), train.period_us, limit.pad_area_mm2):
        return None
    return f"The rms density on half of {limit.pad_area_mm2} mm2 is over {DENSITY_UA_PER_CM2_MAX} uA/cm2."


def g16_power(_: DeviceLimits, train: Train, limit: ChannelLimit) -> str | None:
    """Mean power density within its cap, on the derated pad."""
    if power_holds(_squares(train), train.period_us, limit.pad_area_mm2):
        return None
    return f"The power on half of {limit.pad_area_mm2} mm2 is over {POWER_UW_PER_CM2_MAX} uW/cm2."


def g30_rms(_: DeviceLimits, train: Train, __: ChannelLimit) -> str | None:
    """Rms current of the train within its cap, however large the pad."""
    if rms_holds(_squares(train), train.period_us):
        return None
    return f"The rms current of the train is over {RMS_UA_MAX} uA."


def _squares(train: Train) -> int:
    return sum(duration_us * current_ua * current_ua for duration_us, current_ua in train.points)
