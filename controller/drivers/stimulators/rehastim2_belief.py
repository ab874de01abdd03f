"""What is believed of a RehaStim2's outputs: ordered, acknowledged, and reported as running."""

from controller.drivers.stimulators.rehastim2_orders import Outputs


class Belief:
    """The unit reports one mode for all channels, so a channel is confirmed when its list is and the unit runs."""

    def __init__(self) -> None:
        self.faults: dict[int, str] = {}
        self.running = False
        self._ordered: dict[int, int] = {}
        self._acked: Outputs = ()

    def order(self, outputs: Outputs) -> None:
        """A list with these outputs is being written (none: everything off)."""
        for channel in self._ordered:
            self._ordered[channel] = 0
        self._ordered.update(outputs)

    def acknowledge(self, outputs: Outputs) -> None:
        """The unit took a list with these outputs."""
        self._acked = outputs

    def ended(self) -> None:
        """The unit confirmed that it has stopped, or stopped by itself."""
        self._acked = ()
        self.running = False

    def channels(self) -> list[int]:
        """Channels (from 1) that are ordered to be on."""
        return [channel for channel, current_ua in self._ordered.items() if current_ua]

    def confirmed(self) -> Outputs:
        """(channel, uA) of what is acknowledged while the unit reports that it runs."""
        return self._acked if self.running else ()

    def outputs(self) -> tuple[tuple[int, int, int, str], ...]:
        """(channel, ordered uA, confirmed uA, fault) of each channel ever used."""
        confirmed = dict(self.confirmed())
        channels = sorted(self._ordered.keys() | self.faults.keys())
        return tuple(
            (channel, self._ordered.get(channel, 0), confirmed.get(channel, 0), self.faults.get(channel, ""))
            for channel in channels
        )
