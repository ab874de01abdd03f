"""Radio links that lose packets in bursts: the Gilbert-Elliott model, two states with a loss in each.

The presets are engineering choices for a puck's radio in a clinic, not measurements of one.
"""

from collections.abc import Callable
from typing import NamedTuple


class Preset(NamedTuple):
    """Chance to go from good to bad and back with each packet, and the part of the packets lost in either state."""

    good_to_bad: float
    bad_to_good: float
    loss_good: float
    loss_bad: float

    @property
    def bad(self) -> float:
        """The part of the time spent in the bad state."""
        return self.good_to_bad / (self.good_to_bad + self.bad_to_good)

    @property
    def loss(self) -> float:
        """The part of all packets that are lost, in the long run."""
        return (1.0 - self.bad) * self.loss_good + self.bad * self.loss_bad


PRESETS: dict[str, Preset] = {
    "good_bench": Preset(0.001, 0.5, 0.0005, 0.5),
    "clinic_typical": Preset(0.01, 0.3, 0.002, 0.7),
    "body_shadowed": Preset(0.04, 0.2, 0.01, 0.8),
    "bad_wifi": Preset(0.08, 0.15, 0.02, 0.9),
    "dropout_prone": Preset(0.002, 0.01, 0.002, 1.0),
}


class Radio:
    """One link, good to begin with. `draw` gives numbers from 0 up to 1; two are drawn for each packet."""

    def __init__(self, preset: Preset, draw: Callable[[], float]) -> None:
        self._preset = preset
        self._draw = draw
        self._is_bad = False

    def loses(self) -> bool:
        """Whether the next packet is lost."""
        preset, is_bad = self._preset, self._is_bad
        lost = self._draw() < (preset.loss_bad if is_bad else preset.loss_good)
        leaves = self._draw() < (preset.bad_to_good if is_bad else preset.good_to_bad)
        self._is_bad = is_bad != leaves
        return lost
