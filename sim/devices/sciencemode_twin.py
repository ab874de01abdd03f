"""The body of the ScienceMode twins (mid level): the device role of the codec, with the units' own rules.

    NONE -- Ml_init, 40 ms for the high voltage --> ML -- Ml_update --> RUNNING -- Ml_stop --> NONE
    RUNNING -- 2.0 s without Ml_update or Ml_get_current_data --> ML (pulses stop, level stays, next update restarts)

What tells a P24 from a RehaMove3 is data (`TwinProfile`). Answers come at once, except while the high voltage is being
switched: what arrives then waits its turn. Guesses, to be tried on hardware: Ml_stop without a level answers 0; an
update that switches on a channel without contact answers 10; the ramp of an update is ignored (every pulse counts in
full, so the charge is never under-reported).
"""

from collections import deque
from collections.abc import Callable
from typing import ClassVar

from controller.wire.errors import RemoteError
from controller.wire.sciencemode.catalogue import COMMAND, Message
from controller.wire.sciencemode.frame import STRAY, BadFrame, Frame, Framer
from controller.wire.sciencemode.messages import (
    GENERAL_ERROR,
    UNKNOWN_COMMAND,
    Ack,
    ChannelReport,
    DeviceId,
    ExtendedVersion,
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    GetVersionMain,
    Level,
    LlChannelConfig,
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
from sim.devices.sciencemode_output import ELECTRODE, Log, fits, shape_of
from sim.devices.sciencemode_troubles import Troubles
from sim.devices.sciencemode_unit import MS, State

HIGH_VOLTAGE_NS = 40 * MS
QUEUE_MAX = 64
HV_ON, HV_OFF = 6, 1
FIRST_FOUR, ALL_EIGHT, BY_CHANNEL = 2, 3, 4
"""What may be asked of the current data: electrode errors of channels 1 to 4, of all eight; the state of each."""


_LEVELS = {State.NONE: Level.NONE, State.LL: Level.LOW, State.ML: Level.MID, State.RUNNING: Level.MID_RUNNING}


class ScienceModeTwin(Troubles):
    """See the module's text. Channels are numbered from 1. `log` gets a dictionary for each pulse train that ended,
    each change of state and each fault. `own_acks`: a damaged request is answered with result 1 in its own answer where
    its number could be read; else, or without, in a General_error.
    """

    def __init__(self, identity: str, log: Log | None = None, *, own_acks: bool = True) -> None:
        if not identity.startswith("SIM"):
            raise ValueError(f"the identity of a simulated device begins with SIM, not {identity!r}")
        super().__init__(log)
        self.identity = identity
        self._encode = self.profile.catalogue.encode
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
        if not self.profile.catalogue.is_request(command):
            self._note(now_ns, "fault", fault="unknown command", command=command)
            return self._encode(number, Ack(UNKNOWN_COMMAND, Result.INVALID_COMMAND))
        try:
            request = self.profile.catalogue.decode_request(frame)
        except RemoteError:
            return self._encode(number, self._refusal(command, Result.PARAMETER))
        handler = self._HANDLERS.get(type(request))
        if handler is None:
            return self._encode(number, Ack(UNKNOWN_COMMAND, Result.INVALID_COMMAND))
        answer = handler(self, now_ns, number, request)
        return b"" if answer is None else self._encode(number, answer)

    def _complain(self, now_ns: int, frame: BadFrame) -> bytes:
        if frame.reason == STRAY:
            return b""
        self._note(now_ns, "fault", fault="transfer", reason=frame.reason)
        if self._own_acks and self.profile.catalogue.is_request(frame.command):
            return self._encode(frame.packet_number, self._refusal(frame.command, Result.TRANSFER))
        return self._encode(max(frame.packet_number, 0), Ack(GENERAL_ERROR, Result.TRANSFER))

    def _refusal(self, command: int, result: Result) -> Message:
        kind = self.profile.refusals.get(command)
        return Ack(command + 1, result) if kind is None else kind(result)

    def _ml_init(self, now_ns: int, number: int, request: MlInit) -> Message | None:
        if self.state is not State.NONE:
            return Ack(COMMAND[MlInit] + 1, Result.NOT_INITIALISED)
        self._stop_all = request.stop_on_all_errors or self.profile.stops_all
        self._errors = [0] * self.profile.channels
        self._switch(now_ns, number, Ack(COMMAND[MlInit] + 1))
        return None

    def _ml_stop(self, now_ns: int, number: int, request: MlStop) -> Message | None:
        answer = Ack(COMMAND[MlStop] + 1)
        if self.state is State.NONE:
            return answer
        if self.state is State.LL:
            return Ack(answer.command, Result.NOT_INITIALISED)
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
            answers += self._encode(number, answer)
        while self._queue and self._switching is None:
            answers += self._answer(at_ns, self._queue.popleft())
        return answers

    def _power_down(self, now_ns: int, why: str) -> None:
        self._settle(now_ns)
        self._all_off()
        self._enter(now_ns, State.NONE, why)

    def _ml_update(self, now_ns: int, number: int, request: MlUpdate) -> Message:
        answer = COMMAND[MlUpdate] + 1
        if self.state not in (State.ML, State.RUNNING):
            return Ack(answer, Result.NOT_INITIALISED)
        self._alive_ns = now_ns
        if request.channels == self._update:
            return Ack(answer)
        if not fits(request.channels, self.profile.current_ua_max, self.profile.overhead_us):
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
            if channel.missed(shape):
                missed.append(index)
        self._update, self._drive = request.channels, None
        self._enter(now_ns, State.RUNNING, "update")
        for index in missed:
            self._electrode_fault(now_ns, index)
        if not missed:
            return Ack(answer)
        lost = any(self._errors[index] == ELECTRODE for index in missed)
        return Ack(answer, Result.ELECTRODE if lost else Result.PULSE_LOW_CURRENT)

    def _ml_get_current_data(self, now_ns: int, number: int, request: MlGetCurrentData) -> Message:
        if self.state not in (State.ML, State.RUNNING):
            return self.profile.report(Result.NOT_INITIALISED)
        self._alive_ns = now_ns
        selection = request.selection
        if selection not in self.profile.selections:
            return self.profile.report(Result.PARAMETER)
        if selection == BY_CHANNEL:
            return ChannelReport(Result.OK, self._active(), tuple(self._errors))
        lost = sum(1 << index for index, error in enumerate(self._errors) if error == ELECTRODE)
        return RunReport(Result.OK, selection, self._active() != 0, lost & 0xF if selection == FIRST_FOUR else lost)

    def _active(self) -> int:
        return sum(1 << index for index, channel in enumerate(self._channels) if channel.shape is not None)

    def _reset(self, now_ns: int, number: int, request: Reset) -> Message | None:
        self._power_down(now_ns, "reset")
        return Ack(COMMAND[Reset] + 1) if self.profile.acks_reset else None

    def _restart(self, now_ns: int) -> None:
        super()._restart(now_ns)
        self._power_down(now_ns, "reset by itself")
        self._switching = None
        self._framer.clear()
        self._queue.clear()

    def _low_level(self, now_ns: int, number: int, request: Message) -> Message | None:
        """No low level here: refused as the unit refuses it while another level is up."""
        if self.state is State.NONE:
            return Ack(UNKNOWN_COMMAND, Result.INVALID_COMMAND)
        return self._refusal(COMMAND[type(request)], Result.NOT_INITIALISED)

    def _ll_stop(self, now_ns: int, number: int, request: LlStop) -> Message:
        return Ack(COMMAND[LlStop] + 1, Result.OK if self.state is State.NONE else Result.NOT_INITIALISED)

    def _about(self, now_ns: int, number: int, request: Message) -> Message:
        unit = self.profile
        if type(request) is GetDeviceId:
            return DeviceId(Result.OK, self.identity)
        if type(request) is GetExtendedVersion:
            return ExtendedVersion(Result.OK, unit.firmware, unit.protocol, 0, 1, True)
        if type(request) is GetVersionMain:
            return VersionMain(Result.OK, unit.firmware, unit.protocol)
        return StimStatus(Result.OK, _LEVELS[self.state], self._high_voltage_level())

    def _high_voltage_level(self) -> int:
        """As Get_stim_status numbers it."""
        return HV_OFF if self.state is State.NONE else HV_ON

    _HANDLERS: ClassVar[dict[type, Callable[..., Message | None]]] = {
        MlInit: _ml_init,
        MlUpdate: _ml_update,
        MlStop: _ml_stop,
        MlGetCurrentData: _ml_get_current_data,
        Reset: _reset,
        LlInit: _low_level,
        LlChannelConfig: _low_level,
        LlStop: _ll_stop,
        GetDeviceId: _about,
        GetExtendedVersion: _about,
        GetVersionMain: _about,
        GetStimStatus: _about,
    }
