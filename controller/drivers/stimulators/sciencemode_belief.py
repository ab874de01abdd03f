"""What is believed of the unit's outputs: ordered, acknowledged, and reported as running."""

from collections.abc import Callable
from typing import Any

from controller.drivers.stimulators.events import UnitFault
from controller.drivers.stimulators.sciencemode_faults import CHANNEL_FAULTS, belief_fault, channel_fault
from controller.drivers.stimulators.sciencemode_orders import Outputs
from controller.wire.sciencemode.messages import ChannelReport, RunReport

Seen = tuple[int, tuple[int, ...]]
"""(mask of what runs, -1 for "some channel"; fault of each channel from 1, 0 for none)."""


def _seen_by_channel(expected: int, report: ChannelReport) -> Seen:
    return report.active, report.errors


def _seen_as_a_whole(expected: int, report: RunReport) -> Seen:
    """A unit that only says whether it runs: where it does, it is taken to run what is expected."""
    bits = report.electrode_faults
    return (expected or -1) if report.running else 0, tuple(bits >> channel & 1 for channel in range(bits.bit_length()))


_SEEN: dict[type, Callable[[int, Any], Seen]] = {ChannelReport: _seen_by_channel, RunReport: _seen_as_a_whole}


class Belief:
    """Masks have bit i for channel i + 1. `mask` is what has been ordered, `probed` what a probe last asked after."""

    def __init__(self) -> None:
        self.mask = 0
        self.probed = 0
        self.faults: dict[int, str] = {}
        self._active = 0
        self._ordered: dict[int, int] = {}
        self._acked: Outputs = ()

    def order(self, outputs: Outputs, mask: int) -> None:
        """An update with these outputs is being written."""
        for channel in self._ordered:
            self._ordered[channel] = 0
        self._ordered.update(outputs)
        self.mask = mask
        if not mask:
            self.probed = 0

    def acknowledge(self, outputs: Outputs) -> None:
        """The unit took an update with these outputs."""
        self._acked = outputs
        if not outputs:
            self._active = 0

    @property
    def used(self) -> bool:
        """True once anything has been ordered."""
        return bool(self._ordered)

    def report(self, expected: int, report: ChannelReport | RunReport) -> UnitFault | None:
        """Compare the unit's report with what it was expected to run when it was asked."""
        self._active, errors = _SEEN[type(report)](expected, report)
        self.faults = {
            bit + 1: CHANNEL_FAULTS.get(nibble, f"error {nibble}") for bit, nibble in enumerate(errors) if nibble
        }
        if self.faults:
            channel = min(self.faults)
            return channel_fault(channel, errors[channel - 1])
        return None if self._active == expected else belief_fault(expected, self._active)

    def confirmed(self) -> Outputs:
        """(channel, uA) of what is both acknowledged and reported as running."""
        return tuple((channel, ua) for channel, ua in self._acked if self._active >> (channel - 1) & 1)

    def outputs(self) -> tuple[tuple[int, int, int, str], ...]:
        """(channel, ordered uA, confirmed uA, fault) of each channel ever used."""
        confirmed = dict(self.confirmed())
        channels = sorted(self._ordered.keys() | self.faults.keys())
        return tuple(
            (channel, self._ordered.get(channel, 0), confirmed.get(channel, 0), self.faults.get(channel, ""))
            for channel in channels
        )
