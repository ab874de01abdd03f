"""How figures read on the screen: fixed decimals, units always, nothing that depends on a clock."""

from controller.vocabulary.facts import ChannelOutput

Part = str | tuple[str, str]
"""A piece of painted text: plain, or (text, style); the styles name variables of the theme."""


def milliamps(amplitude_ua: int) -> str:
    """`12500` -> `12.5 mA`."""
    return f"{amplitude_ua / 1000:.1f} mA"


def milliamps_or_dash(amplitude_ua: int) -> str:
    """As `milliamps`, and a dash for what was not found yet."""
    return milliamps(amplitude_ua) if amplitude_ua > 0 else "-"


def clock(elapsed_ms: int) -> str:
    """`252000` -> `04:12`; an hour and more -> `1:04:12`."""
    minutes, seconds = divmod(max(0, elapsed_ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def seconds(elapsed_ms: int) -> str:
    """`400` -> `0.4 s`."""
    return f"{max(0, elapsed_ms) / 1000:.1f} s"


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` columns, with an ellipsis where it was cut."""
    return text if len(text) <= width else text[: max(0, width - 1)].rstrip() + "…"


def strongest(outputs: tuple[ChannelOutput, ...]) -> ChannelOutput | None:
    """The channel with the most current, commanded or confirmed; None when all are at zero."""
    live = [output for output in outputs if output.commanded_ua or output.confirmed_ua]
    return max(live, key=lambda output: max(output.commanded_ua, output.confirmed_ua), default=None)


def bar(fraction: float, width: int) -> str:
    """A bar of `width` cells: full and empty cells differ in glyph, not only in colour."""
    filled = round(min(1.0, max(0.0, fraction)) * width)
    return "█" * filled + "░" * (width - filled)
