"""Twin of a RehaMove3 stimulator (ScienceMode 3, mid level): four channels and a battery. The body: `sciencemode_twin`.

What an update may say is what the vendor's library smpt_rm3 3.2.4 takes: up to 150 mA, 330 us beside each pulse.
Guesses, to be tried on hardware: an electrode error ends all channels; too little current shows as an electrode error;
Ll_stop without a level answers 0; "running" means that a channel is on; the soft start is ignored; the battery does not
run down by itself. This twin has no low level.
"""

from collections.abc import Callable
from typing import ClassVar

from controller.wire.sciencemode.catalogue import COMMAND, Message
from controller.wire.sciencemode.messages import (
    BatteryStatus,
    DeviceId,
    GetBatteryStatus,
    GetDeviceId,
    GetStimStatus,
    GetVersionMain,
    LlChannelConfig,
    LlPulseAck,
    MlGetCurrentData,
    Result,
    RunReport,
    StimStatus,
    VersionMain,
)
from controller.wire.sciencemode.rehamove3 import CATALOGUE
from sim.devices.sciencemode_output import Log
from sim.devices.sciencemode_profile import TwinProfile
from sim.devices.sciencemode_troubles import OVER
from sim.devices.sciencemode_twin import FIRST_FOUR, ScienceModeTwin

BATTERY_PERCENT, LOW_BATTERY_PERCENT = 87, 5
EMPTY_MV, FULL_MV = 3_400, 4_200
"""The battery's voltage is taken to rise evenly between these."""

REHAMOVE3_PROFILE = TwinProfile(
    channels=4,
    catalogue=CATALOGUE,
    current_ua_max=150_000,
    overhead_us=330,
    firmware=(2, 1, 16),
    protocol=(3, 2, 4),
    selections=frozenset({FIRST_FOUR}),
    report=RunReport,
    refusals={
        COMMAND[LlChannelConfig]: LlPulseAck,
        COMMAND[MlGetCurrentData]: RunReport,
        COMMAND[GetVersionMain]: VersionMain,
        COMMAND[GetDeviceId]: DeviceId,
        COMMAND[GetBatteryStatus]: BatteryStatus,
        COMMAND[GetStimStatus]: StimStatus,
    },
    stops_all=True,
    tells_low_current=False,
    acks_reset=False,
)


class RehaMove3Twin(ScienceModeTwin):
    """See the module's text. `seed` is taken for all twins alike; nothing here is random."""

    profile = REHAMOVE3_PROFILE

    def __init__(
        self, identity: str = "SIM0RM3001", log: Log | None = None, *, seed: int = 1, own_acks: bool = True
    ) -> None:
        super().__init__(identity, log, own_acks=own_acks)
        self.battery_percent = BATTERY_PERCENT

    def _battery(self, now_ns: int, number: int, request: GetBatteryStatus) -> Message:
        percent = self.battery_percent
        return BatteryStatus(Result.OK, percent, EMPTY_MV + (FULL_MV - EMPTY_MV) * percent // 100)

    def _suffer(self, fault: str, value: str, now_ns: int) -> bool:
        """Besides what all have: `low-battery`, with the percentage that is left (usually 5)."""
        if fault != "low-battery":
            return super()._suffer(fault, value, now_ns)
        if (value.isdecimal() and not 0 <= int(value) <= 100) or not (value.isdecimal() or value in ("", *OVER)):
            return False
        self.battery_percent = BATTERY_PERCENT if value in OVER else int(value or LOW_BATTERY_PERCENT)
        self._note(now_ns, "fault", fault="battery", percent=self.battery_percent)
        return True

    _HANDLERS: ClassVar[dict[type, Callable[..., Message | None]]] = {
        **ScienceModeTwin._HANDLERS,  # noqa: SLF001 - the body's own table, with the battery that this unit has
        GetBatteryStatus: _battery,
    }
