"""The button of a protocol: where a press can come from."""

from enum import StrEnum


class ButtonSource(StrEnum):
    """Who pressed: the key on the run screen, the patient's own pedal (never the STOP pedal), a touch of the puck."""

    KEY = "key"
    PEDAL = "pedal"
    TOUCH = "touch"


BITS = {ButtonSource.KEY: 1, ButtonSource.PEDAL: 2, ButtonSource.TOUCH: 4}
"""Sources as bits, so that what was pressed in one step, or since a phase began, is one integer."""
ANY = 7
