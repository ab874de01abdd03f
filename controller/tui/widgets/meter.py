"""Pure text makers for meters: commanded beside confirmed, and a live bar against the attempt threshold."""

from controller.tui.view import View
from controller.tui.widgets.pane import Parts
from controller.tui.words import Part, bar, milliamps, seconds
from controller.vocabulary.facts import GatewayStatus

CONFIRM_STALE_MS = 600  # the unit is asked every 400 ms


def output_parts(view: View, orthosis: Parts = ()) -> Parts:
    """A line a channel: commanded and confirmed apart, because they are two facts from two places.

    `orthosis` are the lines of the powered orthosis, under the same heading.
    """
    parts: list[Part] = [(f"{'Output':<13} {'commanded':>9} {'confirmed':>9}\n", "bold")]
    old = view.gateway_silent
    for channel in view.channels:
        output = view.output(channel.channel)
        differs = output.commanded_ua != output.confirmed_ua
        look = "$quiet" if old else ("bold $stim" if output.commanded_ua or output.confirmed_ua else "")
        name = f"ch{channel.channel} {channel.name}"
        parts.append(f"{name:<13.13} ")
        parts.append((f"{milliamps(output.commanded_ua):>9} ", look))
        parts.append((f"{milliamps(output.confirmed_ua):>9}", "bold $warning" if differs and not old else look))
        parts.append((" ≠\n" if differs else "\n", "bold $warning"))
        if output.fault:
            parts.append((f"  ▲ {output.fault}\n", "bold $alarm"))
    parts += orthosis
    parts.append((_confirmation(view.status, old), "$quiet"))
    return tuple(parts)


def _confirmation(status: GatewayStatus | None, old: bool) -> str:
    if status is None or status.confirmed_age_ms < 0:
        return "the unit has not reported yet"
    if old:
        return "no word from the gateway (stale)"
    if status.confirmed_age_ms > CONFIRM_STALE_MS:
        return f"unit's report: stale, {seconds(status.confirmed_age_ms)} old"
    return "the unit's report is fresh"


def limb_parts(view: View) -> Parts:
    """Speed and angle of the limb in one line, for where there is no room for the chart."""
    if view.snapshot is None:
        return ()
    figures = f"limb  {view.snapshot.speed_dps:6.1f} deg/s  {view.snapshot.angle_deg:6.1f} deg"
    return ((figures, "$quiet" if view.engine_stale else "$trace"),)


def speed_bar(speed_dps: float, threshold_dps: float, width: int) -> Parts:
    """A bar of the speed now, with `┃` where the attempt threshold lies; the full width is twice the threshold."""
    top = 2 * threshold_dps if threshold_dps > 0 else 40.0
    cells = bar(speed_dps / top, width)
    above = speed_dps >= threshold_dps > 0
    look = "bold $attempt" if above else "$trace"
    figure = f" {speed_dps:6.1f} deg/s"
    if threshold_dps <= 0:
        return ((cells, look), figure)
    at = min(width - 1, round(threshold_dps / top * width))
    word = ("  ▲ above attempt threshold", "bold $attempt") if above else ("", "")
    return ((cells[:at], look), ("┃", "bold $line"), (cells[at + 1 :], look), figure, word)
