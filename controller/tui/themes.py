"""Colours. The palette is Okabe and Ito's, which people with any common colour blindness can tell apart.

Colour never stands alone: every state also has a word, a glyph and a place. Vermillion is kept for alarms and STOP.
Contrast of text on its ground is 4.5:1 or more (black on orange 9:1, black on vermillion 5.4:1, white on red 7:1).
"""

from textual.theme import Theme

_STATES = {
    "stim": "#e69f00",
    "armed": "#56b4e9",
    "paused": "#cc79a7",
    "alarm": "#d55e00",
    "stop": "#a8001c",
    "real": "#f0e442",
    "ink": "#000000",
}
DARK = Theme(
    name="stimloop-dark",
    primary="#56b4e9",
    secondary="#0072b2",
    accent="#e69f00",
    warning="#f0e442",
    error="#d55e00",
    success="#009e73",
    foreground="#e8e8e8",
    background="#101418",
    surface="#161b21",
    panel="#242c35",
    dark=True,
    variables=_STATES
    | {
        "trace": "#56b4e9",
        "attempt": "#e69f00",
        "line": "#f0e442",
        "good": "#2fc59a",
        "quiet": "#9aa7b4",
        "ground": "#4a3200",
    },
)
LIGHT = Theme(
    name="stimloop-light",
    primary="#0072b2",
    secondary="#56b4e9",
    accent="#b07800",
    warning="#8a7a00",
    error="#b04a00",
    success="#00704f",
    foreground="#14181c",
    background="#fbfbf8",
    surface="#f1f1ec",
    panel="#e2e2da",
    dark=False,
    variables=_STATES
    | {
        "trace": "#0072b2",
        "attempt": "#a84a00",
        "line": "#5c5200",
        "good": "#00704f",
        "quiet": "#59636d",
        "ground": "#f3e6b8",
    },
)
THEMES = (DARK, LIGHT)
