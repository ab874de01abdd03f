"""Twin of a P24 stimulator (ScienceMode 4): eight channels, mid level (`sciencemode_twin`) and low level (`p24_low`).

Rules and result codes: vendor C library ScienceMode4 0cb1201 and the P24 instructions for use v1.1.
"""

from collections.abc import Callable
from typing import ClassVar

from controller.wire.sciencemode.catalogue import COMMAND, Message
from controller.wire.sciencemode.messages import (
    CHANNELS,
    BatteryStatus,
    ChannelReport,
    DeviceId,
    ExtendedVersion,
    GetBatteryStatus,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    LlStop,
    MlGetCurrentData,
    StimStatus,
    VersionMain,
)
from controller.wire.sciencemode.p24 import CATALOGUE
from sim.devices.p24_low import LowLevel
from sim.devices.sciencemode_output import Log
from sim.devices.sciencemode_profile import TwinProfile
from sim.devices.sciencemode_twin import ALL_EIGHT, BY_CHANNEL, FIRST_FOUR, HV_ON, ScienceModeTwin
from sim.devices.sciencemode_unit import State

P24_PROFILE = TwinProfile(
    channels=CHANNELS,
    catalogue=CATALOGUE,
    current_ua_max=130_000,
    overhead_us=60,
    firmware=(1, 0, 0),
    protocol=(4, 0, 0),
    selections=frozenset({FIRST_FOUR, ALL_EIGHT, BY_CHANNEL}),
    report=ChannelReport,
    refusals={
        COMMAND[LlChannelConfig]: LlChannelConfigAck,
        COMMAND[MlGetCurrentData]: ChannelReport,
        COMMAND[GetVersionMain]: VersionMain,
        COMMAND[GetDeviceId]: DeviceId,
        COMMAND[GetBatteryStatus]: BatteryStatus,
        COMMAND[GetStimStatus]: StimStatus,
        COMMAND[GetExtendedVersion]: ExtendedVersion,
    },
    stops_all=False,
    tells_low_current=True,
    acks_reset=True,
)


class P24Twin(ScienceModeTwin, LowLevel):
    """See the module's text. `seed` is taken for all twins alike; nothing here is random."""

    profile = P24_PROFILE

    def __init__(
        self, identity: str = "SIM0P24001", log: Log | None = None, *, seed: int = 1, own_acks: bool = True
    ) -> None:
        super().__init__(identity, log, own_acks=own_acks)

    def _high_voltage_level(self) -> int:
        return self.high_voltage or HV_ON if self.state is State.LL else super()._high_voltage_level()

    _HANDLERS: ClassVar[dict[type, Callable[..., Message | None]]] = {
        **ScienceModeTwin._HANDLERS,  # noqa: SLF001 - the body's own table, with the low level that this unit has
        LlInit: LowLevel.ll_init,
        LlChannelConfig: LowLevel.ll_channel_config,
        LlStop: LowLevel.ll_stop,
    }
