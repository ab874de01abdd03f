"""What a device can and cannot do for safety, as data: its driver states it; guard, screen and check lists read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One kind of device. Defaults are those of a device that helps with nothing.

    `watchdog_ms`: how long output may go on after the host has died (0: it ends with the last command, or there is no
    output). `electrode_test_ua_min`: from which current on a missing electrode is noticed (None: never).
    `break_circuit` says in one sentence how a person breaks the circuit by hand.
    """

    device: str
    channels: int = 0
    amplitude_step_ua: int = 0
    interphase_us: int | None = None
    """The gap between the phases that the unit always makes; None where the host chooses it."""
    common_period: bool = False
    """All channels share one period."""
    emergency_stop_input: bool = False
    watchdog_ms: int = 0
    electrode_test_ua_min: int | None = None
    battery: bool = False
    break_circuit: str = ""

    @property
    def alone(self) -> str:
        """What the device does when nobody speaks to it any more, in one sentence."""
        if self.watchdog_ms:
            return f"the {self.device} may go on for {self.watchdog_ms / 1000:g} s."
        return f"the {self.device} stops with the pulse it has."


UNKNOWN = Capabilities("unit", watchdog_ms=2_000)
"""What is to be assumed of a unit that has not been named: that it helps with nothing, and goes on for 2 s."""
