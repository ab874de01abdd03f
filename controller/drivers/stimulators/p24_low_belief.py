"""What is believed of a unit in its low level: what is ordered, and which pulses it said it has put out."""

from collections.abc import Collection

from controller.drivers.stimulators.sciencemode_orders import Outputs


class PulseBelief:
    """Channels are numbered from 1. Confirmed is the amplitude of the last pulse that the unit acknowledged."""

    def __init__(self) -> None:
        self.faults: dict[int, str] = {}
        self._ordered: dict[int, int] = {}
        self._confirmed: dict[int, int] = {}

    def order(self, outputs: Outputs) -> None:
        """From now on these and no others."""
        for channel in self._ordered:
            self._ordered[channel] = 0
        self._ordered.update(outputs)

    def settle(self, open_channels: Collection[int] = ()) -> None:
        """A channel that is not ordered any more puts out nothing, unless a pulse of it is still under way."""
        for channel in [one for one in self._confirmed if not self._ordered.get(one) and one not in open_channels]:
            del self._confirmed[channel]

    def acknowledge(self, channel: int, amplitude_ua: int, is_last: bool) -> None:
        """The unit has put out a pulse; `is_last`: no other is under way or to come on this channel."""
        if is_last:
            self._confirmed.pop(channel, None)
        else:
            self._confirmed[channel] = amplitude_ua

    def confirmed(self) -> Outputs:
        """(channel, uA) of each channel that puts out pulses, in the order of the channels."""
        return tuple(sorted(self._confirmed.items()))

    def outputs(self) -> tuple[tuple[int, int, int, str], ...]:
        """(channel, ordered uA, confirmed uA, fault) of each channel ever used."""
        return tuple(
            (channel, self._ordered.get(channel, 0), self._confirmed.get(channel, 0), self.faults.get(channel, ""))
            for channel in sorted(self._ordered.keys() | self.faults.keys())
        )
