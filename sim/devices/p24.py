"""Twin of a P24 stimulator (ScienceMode 4, mid level): the device role of the codec, with the unit's own rules.

    NONE -- Ml_init, 40 ms for the high voltage --> ML -- Ml_update --> RUNNING -- Ml_stop --> NONE
    RUNNING -- 2.0 s without Ml_update or Ml_get_current_data --> ML (pulses stop, level stays, next update restarts)

Answers come at once, except while the high voltage is being switched: what arrives then waits its turn. Rules and
result codes: vendor C library ScienceMode4 0cb1201 and the P24 instructions for use v1.1. Guesses, to be tried on
hardware: Ml_stop without a level answers 0; an update that switches on a channel without contact answers 10; the ramp
of an update is ignored (every pulse counts in full, so the charge is never under-reported).
"""

from collections import deque
from collections.abc import Callable
from typing import ClassVar

from controller.wire.errors import RemoteError
from controller.wire.sciencemode.frame import STRAY, BadFrame, Frame, Framer
from controller.wire.sciencemode.messages import (
    CHANNELS,
    Ack,
    BatteryStatus,
    ChannelReport,
    DeviceId,
    ExtendedVersion,
    GetBatteryStatus,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    Level,
    LlChannelConfig,
    LlChannelConfigAck,
    LlInit,
    LlStop,
    MlGetCurrentData,
    MlInit,
    MlStop,
    MlUpdate,
    Reset,
    Result,
    RunReport,
    StimStatus,
    VersionMain,
)
from controller.wire.sciencemode.p24 import (
    COMMAND,
    GENERAL_ERROR,
    UNKNOWN_COMMAND,
    Message,
    decode_request,
    encode,
    is_request,
)
from sim.devices.p24_output import Log, fits, shape_of
from sim.devices.p24_unit import ELECTRODE_UA_MIN, MS, P24Unit, State

HIGH_VOLTAGE_NS = 40 * MS
QUEUE_MAX = 64
HV_ON, HV_OFF = 6, 1
FIRMWARE, PROTOCOL = (1, 0, 0), (4, 0, 0)


_LEVELS = {State.NONE: Level.NONE, State.ML: Level.MID, State.RUNNING: Level.MID_RUNNING}


class P24Twin(P24Unit):
    """See the module's text. Channels are numbered from 1. `log` gets a dictionary for each pulse train that ended,
    each change of state and each fault. `own_acks`: a damaged request is answered with result 1 in its own answer where
    its number could be read; else, or without, in a General_error.
    """

    def __init__(self, identity: str = "SIM0P24001", log: Log | None = None, *, own_acks: bool = True) -> None:
        if not identity.startswith("SIM"):
            raise ValueError(f"the identity of a simulated device begins with SIM, not {identity!r}")
        super().__init__(log)
        self.identity = identity
        self._own_acks = own_acks
        self._framer = Framer()
        self._switching: tuple[int, Message] | None = None
        self._queue: deque[Frame | BadFrame] = deque(maxlen=QUEUE_MAX)

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """What the unit answers to `data` by `now_ns`, with whatever fell due before."""
        answers = self.advance(now_ns)
        for frame in self._framer.feed(data):
            if self._switching is not None:
                self._queue.append(frame)
            else:
                answers += self._answer(now_ns, frame)
        self._plan()
        return answers

    def unplug(self, now_ns: int) -> None:
        """The host's cable is out: what it had sent half is lost, pulses go on until the watchdog."""
        self.advance(now_ns)
        self._framer.clear()
        self._queue.clear()
        self._note(now_ns, "state", state=self.state, why="unplugged")

    # -- what the host asks ------------------------------------------------------------------------------------------

    def _answer(self, now_ns: int, frame: Frame | BadFrame) -> bytes:
        if isinstance(frame, BadFrame):
            return self._complain(now_ns, frame)
        number, command = frame.packet_number, frame.command
        if not is_request(command):
            self._note(now_ns, "fault", fault="unknown command", command=command)
            return encode(number, Ack(UNKNOWN_COMMAND, Result.INVALID_COMMAND))
        try:
            request = decode_request(frame)
        except RemoteError:
            return encode(number, self._refusal(command, Result.PARAMETER))
        handler = self._HANDLERS.get(type(request))
        if handler is None:
            return encode(number, Ack(UNKNOWN_COMMAND, Result.INVALID_COMMAND))
        answer = handler(self, now_ns, number, request)
        return b"" if answer is None else encode(number, answer)

    def _complain(self, now_ns: int, frame: BadFrame) -> bytes:
        if frame.reason == STRAY:
            return b""
        self._note(now_ns, "fault", fault="transfer", reason=frame.reason)
        if self._own_acks and is_request(frame.command):
            return encode(frame.packet_number, self._refusal(frame.command, Result.TRANSFER))
        return encode(max(frame.packet_number, 0), Ack(GENERAL_ERROR, Result.TRANSFER))

    def _refusal(self, command: int, result: Result) -> Message:
        kind = _LONG_ANSWERS.get(command)
        return Ack(command + 1, result) if kind is None else kind(result)

    def _ml_init(self, now_ns: int, number: int, request: MlInit) -> Message | None:
        if self.state is not State.NONE:
            return Ack(COMMAND[MlInit] + 1, Result.NOT_INITIALISED)
        self._stop_all = request.stop_on_all_errors
        self._errors = [0] * CHANNELS
        self._switch(now_ns, number, Ack(COMMAND[MlInit] + 1))
        return None

    def _ml_stop(self, now_ns: int, number: int, request: MlStop) -> Message | None:
        answer = Ack(COMMAND[MlStop] + 1)
        if self.state is State.NONE:
            return answer
        self._power_down(now_ns, "stopped")
        self._switch(now_ns, number, answer)
        return None

    def _switch(self, now_ns: int, number: int, answer: Message) -> None:
        """Answer when the high voltage has been switched; until then other requests wait."""
        self._switching = (number, answer)
        self._switched_ns = now_ns + HIGH_VOLTAGE_NS

    def _switched(self, at_ns: int) -> bytes:
        answers = super()._switched(at_ns)
        if self._switching is not None:
            number, answer = self._switching
            self._switching = None
            if answer == Ack(COMMAND[MlInit] + 1):
                self._enter(at_ns, State.ML, "initialised")
            answers += encode(number, answer)
        while self._queue and self._switching is None:
            answers += self._answer(at_ns, self._queue.popleft())
        return answers

    def _power_down(self, now_ns: int, why: str) -> None:
        self._settle(now_ns)
        self._all_off()
        self._enter(now_ns, State.NONE, why)

    def _ml_update(self, now_ns: int, number: int, request: MlUpdate) -> Message:
        answer = COMMAND[MlUpdate] + 1
        if self.state is State.NONE:
            return Ack(answer, Result.NOT_INITIALISED)
        self._alive_ns = now_ns
        if request.channels == self._update:
            return Ack(answer)
        if not fits(request.channels):
            self._note(now_ns, "fault", fault="parameter")
            return Ack(answer, Result.PARAMETER)
        self._settle(now_ns)
        shapes = {entry.channel: shape_of(entry.points, entry.period_us) for entry in request.channels}
        missed = []
        for index, channel in enumerate(self._channels):
            shape = shapes.get(index)
            if shape is None:
                channel.off()
                continue
            channel.apply(now_ns, shape)
            self._errors[index] = 0
            if not channel.contact and shape.amplitude_ua >= ELECTRODE_UA_MIN:
                missed.append(index)
        self._update, self._drive = request.channels, None
        self._enter(now_ns, State.RUNNING, "update")
        for index in missed:
            self._electrode_fault(now_ns, index)
        return Ack(answer, Result.ELECTRODE if missed else Result.OK)

    def _ml_get_current_data(self, now_ns: int, number: int, request: MlGetCurrentData) -> Message:
        if self.state is State.NONE:
            return ChannelReport(Result.NOT_INITIALISED)
        self._alive_ns = now_ns
        if request.selection in (2, 3):
            lost = sum(1 << index for index, error in enumerate(self._errors) if error == 1)
            shown = lost if request.selection == 3 else lost & 0xF
            return RunReport(Result.OK, request.selection, self._active() != 0, shown)
        if request.selection != 4:
            return ChannelReport(Result.PARAMETER)
        return ChannelReport(Result.OK, self._active(), tuple(self._errors))

    def _active(self) -> int:
        return sum(1 << index for index, channel in enumerate(self._channels) if channel.shape is not None)

    def _reset(self, now_ns: int, number: int, request: Reset) -> Message:
        self._power_down(now_ns, "reset")
        return Ack(COMMAND[Reset] + 1)

    def _low_level(self, now_ns: int, number: int, request: Message) -> Message:
        """This twin has no low level: refused as the unit refuses it while another level is up."""
        command = COMMAND[type(request)]
        if self.state is State.NONE:
            return Ack(UNKNOWN_COMMAND, Result.INVALID_COMMAND)
        return self._refusal(command, Result.NOT_INITIALISED)

    def _about(self, now_ns: int, number: int, request: Message) -> Message:
        if type(request) is GetDeviceId:
            return DeviceId(Result.OK, self.identity)
        if type(request) is GetExtendedVersion:
            return ExtendedVersion(Result.OK, FIRMWARE, PROTOCOL, 0, 1, True)
        if type(request) is GetVersionMain:
            return VersionMain(Result.OK, FIRMWARE, PROTOCOL)
        return StimStatus(Result.OK, _LEVELS[self.state], HV_OFF if self.state is State.NONE else HV_ON)

    _HANDLERS: ClassVar[dict[type, Callable[..., Message | None]]] = {
        MlInit: _ml_init,
        MlUpdate: _ml_update,
        MlStop: _ml_stop,
        MlGetCurrentData: _ml_get_current_data,
        Reset: _reset,
        LlInit: _low_level,
        LlChannelConfig: _low_level,
        LlStop: _low_level,
        GetDeviceId: _about,
        GetExtendedVersion: _about,
        GetVersionMain: _about,
        GetStimStatus: _about,
    }


_LONG_ANSWERS: dict[int, Callable[[int], Message]] = {
    COMMAND[LlChannelConfig]: LlChannelConfigAck,
    COMMAND[MlGetCurrentData]: ChannelReport,
    COMMAND[GetVersionMain]: VersionMain,
    COMMAND[GetDeviceId]: DeviceId,
    COMMAND[GetBatteryStatus]: BatteryStatus,
    COMMAND[GetStimStatus]: StimStatus,
    COMMAND[GetExtendedVersion]: ExtendedVersion,
}
"""Answers to a request that say more than a result; a refusal is the same answer with nothing but the result."""
