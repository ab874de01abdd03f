"""What a protocol prescribes against the caps of the body region: amplitude, width, frequency, charge, density, time.

The guard checks all of it again on every order. Here the author learns of it, with the line and a figure that fits.
"""

from collections.abc import Iterator

from controller.session import graph
from controller.session.model import Channel, Protocol
from controller.session.nodes import Path
from safety.limits import (
    CAPS,
    PAD_AREA_MM2_MAX,
    SLEW_UA_MAX,
    SLEW_WINDOW_NS,
    RegionCap,
    density_holds,
    power_holds,
)

RAMP_UP_NS_MIN = 200_000_000
LATENESS_NS = 100_000_000
"""Allowance for the last tick and the last update: current is on a little longer than the phases say."""

MS = 1_000_000

Found = tuple[Path, str, str, str]


def prescription_findings(protocol: Protocol) -> Iterator[Found]:
    """(path, rule, message, fix) for each value that is above a cap, and for current that flows too long."""
    used: dict[int, str] = {}
    for name, channel in protocol.channels.items():
        path: Path = ("channels", name)
        if channel.channel in used:
            message = f"channel {channel.channel} is already used by {used[channel.channel]}"
            yield (*path, "channel"), "SAF010", message, "give each name a channel of its own"
        used.setdefault(channel.channel, name)
        for key, rule, message, fix in _channel(channel, CAPS[channel.region]):
            yield (*path, key), rule, message, fix
    for name in protocol.activity:
        yield from _burst(protocol, name)


def burst_ns(protocol: Protocol, activity: str, channel: str) -> int:
    """The longest that current flows without a pause on a path that uses `channel`, ramp down and lateness included."""
    ramp = max((each.ramp_down_ns for each in protocol.channels.values()), default=0)
    return graph.on_time_ns(protocol.activity[activity], channel) + ramp + LATENESS_NS


def _burst(protocol: Protocol, name: str) -> Iterator[Found]:
    activity = protocol.activity[name]
    path: Path = ("activity", name, "phases")
    endless = graph.circle(graph.flowing(activity))
    if endless:
        message = f"current never pauses: {' > '.join([*endless, endless[0]])}"
        yield (*path, endless[0]), "SAF008", message, "put a phase without `stimulate` between them"
        return
    for key, channel in protocol.channels.items():
        cap_ms = CAPS[channel.region].on_ms
        longest = graph.on_time_ns(activity, key)
        if longest and longest < graph.UNLIMITED_NS and burst_ns(protocol, name, key) > cap_ms * MS:
            first = next(phase for phase in graph.flowing(activity) if key in activity.phases[phase].stimulate)
            room = cap_ms - (burst_ns(protocol, name, key) - longest) // MS
            message = (
                f"{key} can be on for {burst_ns(protocol, name, key) // MS} ms without a pause "
                f"(phases, ramp down, lateness); the cap of {channel.region.value} is {cap_ms} ms ({_source(channel)})"
            )
            yield (*path, first), "SAF007", message, f"shorten the phases to {room} ms together, or rest between them"


def _channel(channel: Channel, cap: RegionCap) -> Iterator[tuple[str, str, str, str]]:
    where = f"the cap of {channel.region.value} is"
    source = f"({_source(channel)})"
    if not channel.amplitude_ua <= cap.amplitude_ua:
        most = f"{_milli(cap.amplitude_ua)} mA"
        yield "amplitude", "SAF001", f"{_milli(channel.amplitude_ua)} mA; {where} {most} {source}", f"at most {most}"
    if not 20 <= channel.pulse_width_us <= cap.pulse_width_us:
        most = f"{cap.pulse_width_us} us"
        message = f"{channel.pulse_width_us} us; {where} 20 us to {most} {source}"
        yield "pulse_width", "SAF002", message, f"at most {most}, at least 20 us"
    if not channel.period_us >= cap.period_us_min:
        most = f"{_hertz(cap.period_us_min)} Hz"
        yield "frequency", "SAF003", f"{_hertz(channel.period_us)} Hz; {where} {most} {source}", f"at most {most}"
    charge_pc, most_pc = channel.amplitude_ua * channel.pulse_width_us, cap.charge_nc * 1000
    if not charge_pc <= most_pc:
        narrower = f"at most {most_pc // channel.amplitude_ua} us at {_milli(channel.amplitude_ua)} mA"
        message = f"{charge_pc / 1e6:g} uC in each phase; {where} {most_pc / 1e6:g} uC {source}"
        yield "pulse_width", "SAF004", message, narrower
    yield from _pad(channel, source)
    ramp_ns = max(RAMP_UP_NS_MIN, -(-channel.amplitude_ua * SLEW_WINDOW_NS // SLEW_UA_MAX))
    if not channel.ramp_up_ns >= ramp_ns:
        message = (
            f"{channel.ramp_up_ns // MS} ms to {_milli(channel.amplitude_ua)} mA is too abrupt; current rises over at "
            f"least {RAMP_UP_NS_MIN // MS} ms, by at most {_milli(SLEW_UA_MAX)} mA each {SLEW_WINDOW_NS // MS} ms"
        )
        yield "ramp_up", "SAF005", message, f"at least {-(-ramp_ns // MS)} ms"


def _pad(channel: Channel, source: str) -> Iterator[tuple[str, str, str, str]]:
    """Density and power under the electrode, by the guard's own inequalities."""
    squares = 2 * channel.pulse_width_us * channel.amplitude_ua * channel.amplitude_ua
    holds = [
        density_holds(squares, channel.period_us, channel.pad_area_mm2),
        power_holds(squares, channel.period_us, channel.pad_area_mm2),
    ]
    if all(holds):
        return
    area_mm2 = next(
        (
            area_mm2
            for area_mm2 in range(channel.pad_area_mm2, PAD_AREA_MM2_MAX + 1, 10)
            if density_holds(squares, channel.period_us, area_mm2) and power_holds(squares, channel.period_us, area_mm2)
        ),
        None,
    )
    larger = f"electrodes of at least {area_mm2 / 100:g} cm2, or a lower amplitude" if area_mm2 else "a lower amplitude"
    message = (
        f"the current is too dense under {channel.pad_area_mm2 / 100:g} cm2, a half-lifted pad allowed for {source}"
    )
    yield "electrode_area", "SAF006", message, larger


def _source(channel: Channel) -> str:
    return f"safety/limits.py, {CAPS[channel.region].source}"


def _milli(amount: int) -> str:
    return f"{amount / 1000:g}"


def _hertz(period_us: int) -> str:
    return f"{1e6 / period_us:.4g}"
