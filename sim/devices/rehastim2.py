"""Twin of a RehaStim2 stimulator (ScienceMode 2): the device role of the codec, with the unit's own rules.

Rules, limits and result codes: ScienceMode2 Description and Protocol v1.24 and the maker's notes beside it. Guesses, to
be tried on hardware: before `InitAck` everything else is passed over in silence; a stop in the start mode answers 0; a
new list is taken only in the start mode; an odd current acts as the next even one; a short inter-pulse time acts as 8
ms; a start with the emergency switch open is acknowledged, then stopped with -1; a single pulse answers -8 while one
runs on the same module; an unknown command is answered under its own number; the pulse comes at once, where the maker
says 10 to 24 ms.
"""

from collections.abc import Callable
from typing import ClassVar

from controller.wire.errors import RemoteError
from controller.wire.sciencemode2.frame import STRAY, BadFrame, Frame, Framer
from controller.wire.sciencemode2.messages import (
    Ack,
    GetStimulationMode,
    InitAck,
    InitChannelListMode,
    Mode,
    Motomed,
    Result,
    SimulatedName,
    SinglePulse,
    StartChannelListMode,
    StimulationFault,
    StimulationMode,
    StopChannelListMode,
    UnknownCommand,
    Watchdog,
    WhoAreYou,
)
from controller.wire.sciencemode2.rehastim2 import COMMAND, INTERVAL_US_MIN, Message, decode_request, encode
from sim.devices.rehastim2_output import Log, Output, Pulse
from sim.devices.rehastim2_unit import RehaStim2Unit, State

INTERVAL_US_MAX = 1_025_000
WIDTH_US_MIN, WIDTH_US_MAX = 20, 500
PROTOCOL_UA_MAX, HARDWARE_UA_MAX, HARDWARE_STEP_UA = 130_000, 126_000, 2_000
SLOT_US, MODULE = 1_500, 4
"""Each selected channel of a module of four has a slot of this length in every interval."""
FACTOR_MAX, MODE_MAX = 7, 2

_MODES = {State.START: Mode.START, State.INITIALISED: Mode.INITIALISED, State.STARTED: Mode.STARTED}
_ACKNOWLEDGED = frozenset({COMMAND[InitChannelListMode], COMMAND[StartChannelListMode]}) | {
    COMMAND[kind] for kind in (StopChannelListMode, SinglePulse)
}


class RehaStim2Twin(RehaStim2Unit):
    """See the module's text. Channels are numbered from 1. `log` gets a dictionary for each pulse train that ended,
    each change of state and each fault. `motomed`: a MOTOmed trainer is attached and reports every 20 ms.
    """

    def __init__(self, identity: str = "SIM0RS2001", log: Log | None = None, *, motomed: bool = False) -> None:
        if not identity.startswith("SIM"):
            raise ValueError(f"the identity of a simulated device begins with SIM, not {identity!r}")
        super().__init__(log, motomed)
        self.identity = identity
        self._framer = Framer()
        self._busy_until_ns = [0, 0]

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """What the unit answers to `data` by `now_ns`, with whatever fell due before."""
        answers = self.advance(now_ns)
        for frame in self._framer.feed(data):
            answers += self._answer(now_ns, frame)
            # What follows from a request is said after its answer.
            answers, self._unasked = answers + self._unasked, b""
        self._plan()
        return answers

    def unplug(self, now_ns: int) -> None:
        """The host's cable is out: what it had sent half is lost, pulses go on until the watchdog."""
        self.advance(now_ns)
        self._framer.clear()
        self._note(now_ns, "state", state=self.state, why="unplugged")

    # -- what the host says ------------------------------------------------------------------------------------------

    def _answer(self, now_ns: int, frame: Frame | BadFrame) -> bytes:
        if isinstance(frame, BadFrame):
            return self._complain(now_ns, frame)
        number, command = frame.packet_number, frame.command
        try:
            request = decode_request(frame)
        except RemoteError:
            request = None
        if self.state is State.WAITING:
            # The number is that of the last announcement.
            if request == InitAck(Result.OK) and number == (self._own_number - 1) & 0xFF:
                self._meet(now_ns)
            return b""
        self._alive_ns = now_ns
        if request is None and command in _ACKNOWLEDGED:
            return encode(number, self._refuse(now_ns, command + 1, Result.PARAMETER))
        if request is None or type(request) is Motomed:
            self._note(now_ns, "fault", fault="unknown command", command=command)
            return encode(number, UnknownCommand(command))
        answer = self._HANDLERS[type(request)](self, now_ns, request)
        return b"" if answer is None else encode(number, answer)

    def _complain(self, now_ns: int, frame: BadFrame) -> bytes:
        if frame.reason == STRAY or self.state is State.WAITING:
            return b""
        self._note(now_ns, "fault", fault="transfer", reason=frame.reason)
        if frame.command in _ACKNOWLEDGED:
            return encode(frame.packet_number, Ack(frame.command + 1, Result.TRANSFER))
        return b""

    def _refuse(self, now_ns: int, command: int, result: Result) -> Ack:
        self._note(now_ns, "fault", fault=result.name.lower().replace("_", " "), command=command - 1)
        return Ack(command, result)

    def _nothing(self, now_ns: int, request: Message) -> None:
        """Being heard was all."""

    def _who(self, now_ns: int, request: WhoAreYou) -> Message:
        return SimulatedName(self.identity)

    def _which_mode(self, now_ns: int, request: GetStimulationMode) -> Message:
        return StimulationMode(Result.OK, _MODES[self.state])

    def _init_list(self, now_ns: int, request: InitChannelListMode) -> Message:
        answer = COMMAND[InitChannelListMode] + 1
        if self.state is not State.START:
            return self._refuse(now_ns, answer, Result.WRONG_MODE)
        slots_us = max(_in_module(request.channels, 0), _in_module(request.channels, 1)) * SLOT_US
        interval_us = request.interval_us
        fits = not interval_us or (INTERVAL_US_MIN <= interval_us <= INTERVAL_US_MAX and slots_us <= interval_us)
        if not (fits and slots_us and request.low_frequency_factor <= FACTOR_MAX and not request.execution):
            return self._refuse(now_ns, answer, Result.PARAMETER)
        self._list = request
        self._enter(now_ns, State.INITIALISED, "list")
        return Ack(answer)

    def _start_list(self, now_ns: int, request: StartChannelListMode) -> Message:
        answer = COMMAND[StartChannelListMode] + 1
        told = self._list
        if told is None:
            return self._refuse(now_ns, answer, Result.WRONG_MODE)
        channels = [bit for bit in range(len(self._outputs)) if told.channels >> bit & 1]
        gap_us = max(told.inter_pulse_us, INTERVAL_US_MIN)
        if len(channels) != len(request.pulses):
            return self._refuse(now_ns, answer, Result.PARAMETER)
        for mode, width_us, current_ua in request.pulses:
            group_us = (mode + 1) * gap_us if mode else 0
            if mode > MODE_MAX or (told.interval_us and group_us > told.interval_us) or not _fits(width_us, current_ua):
                return self._refuse(now_ns, answer, Result.PARAMETER)
        if self._switch_open:
            self._error(now_ns, StimulationFault.EMERGENCY_STOP)
            return Ack(answer)
        self._settle(now_ns)
        for bit, (mode, width_us, current_ua) in zip(channels, request.pulses, strict=True):
            pulse = _at_the_skin(width_us, current_ua, mode + 1)
            output = self._outputs[bit]
            first_ns = now_ns + _in_module(told.channels & (1 << bit) - 1, bit // MODULE) * SLOT_US * 1000
            if not told.interval_us:
                self._once(output, first_ns, pulse, gap_us)
                continue
            leaves_out = told.low_frequency_factor if told.low_frequency_mask >> bit & 1 else 0
            output.run(first_ns, pulse, told.interval_us * (leaves_out + 1), gap_us)
        self._drive = None
        if self._list is not None:
            self._enter(now_ns, State.STARTED, "started")
        return Ack(answer)

    def _stop_list(self, now_ns: int, request: StopChannelListMode) -> Message:
        self._all_off(now_ns)
        self._enter(now_ns, State.START, "stopped")
        return Ack(COMMAND[StopChannelListMode] + 1)

    def _single(self, now_ns: int, request: SinglePulse) -> Message:
        answer = COMMAND[SinglePulse] + 1
        if self.state is not State.START:
            return self._refuse(now_ns, answer, Result.WRONG_MODE)
        if request.channel >= len(self._outputs) or not _fits(request.width_us, request.current_ua):
            return self._refuse(now_ns, answer, Result.PARAMETER)
        module = request.channel // MODULE
        if now_ns < self._busy_until_ns[module]:
            return self._refuse(now_ns, answer, Result.BUSY)
        if self._switch_open:
            self._error(now_ns, StimulationFault.EMERGENCY_STOP)
            return Ack(answer)
        self._busy_until_ns[module] = now_ns + SLOT_US * 1000
        self._once(self._outputs[request.channel], now_ns, _at_the_skin(request.width_us, request.current_ua, 1))
        return Ack(answer)

    def _once(self, output: Output, at_ns: int, pulse: Pulse, gap_us: int = 0) -> None:
        if self._misses(output, pulse):
            self._error(at_ns, StimulationFault.ELECTRODE)
        else:
            output.once(at_ns, pulse, gap_us)

    _HANDLERS: ClassVar[dict[type, Callable[..., Message | None]]] = {
        InitAck: _nothing,
        Watchdog: _nothing,
        WhoAreYou: _who,
        GetStimulationMode: _which_mode,
        InitChannelListMode: _init_list,
        StartChannelListMode: _start_list,
        StopChannelListMode: _stop_list,
        SinglePulse: _single,
    }


def _in_module(mask: int, module: int) -> int:
    """How many channels of `mask` belong to a module (0: channels 1 to 4)."""
    return (mask >> module * MODULE & (1 << MODULE) - 1).bit_count()


def _fits(width_us: int, current_ua: int) -> bool:
    return width_us <= WIDTH_US_MAX and current_ua <= PROTOCOL_UA_MAX


def _at_the_skin(width_us: int, current_ua: int, group: int) -> Pulse:
    """What the hardware makes of it: at least 20 us, steps of 2 mA (never less than asked), at most 126 mA."""
    steps = -(-current_ua // HARDWARE_STEP_UA)
    return Pulse(min(steps * HARDWARE_STEP_UA, HARDWARE_UA_MAX), max(width_us, WIDTH_US_MIN), group)
