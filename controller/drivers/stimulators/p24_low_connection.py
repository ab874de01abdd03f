"""The listening half of the low level's driver: what the unit's answers mean. The handshake is the mid level's own.

Answers are matched by command and number. The acknowledgement of a pulse comes when it has run, and must name the
channel that was asked for. Nothing is raised, whatever arrives.
"""

from collections.abc import Callable
from typing import ClassVar

from controller.drivers.stimulators.events import Confirmed, UnitEvent, UnitFault
from controller.drivers.stimulators.p24 import P24_PROFILE
from controller.drivers.stimulators.p24_low_belief import PulseBelief
from controller.drivers.stimulators.p24_low_clock import PulseClock
from controller.drivers.stimulators.p24_low_orders import (
    CHANNELS_PER_CONNECTOR,
    LL_STOP_KEY,
    ML_STOP_KEY,
    PULSE_ACK,
    KnownPulses,
)
from controller.drivers.stimulators.sciencemode_connection import STATUS_EVERY_NS, Phase, ScienceModeConnection
from controller.drivers.stimulators.sciencemode_faults import CHANNEL_FAULTS, STILL_RUNNING, fault_of
from controller.drivers.stimulators.sciencemode_orders import STOP_FRAMES, Outputs
from controller.drivers.stimulators.sciencemode_window import Key, Sent, Window
from controller.wire.sciencemode.messages import GetStimStatus, Level, LlChannelConfigAck, Result, StimStatus
from controller.wire.sciencemode.p24 import COMMAND, Message

STATUS_ANSWER = COMMAND[GetStimStatus] + 1

DEAF_TO_STOP = UnitFault("The unit does not confirm STOP.", "TAKE THE LEADS OFF. No more pulses are sent to it.")
UNCONFIRMED = UnitFault(
    "The unit did not confirm a pulse within 100 ms, although it still answers.",
    f"{P24_PROFILE.check} Then acknowledge and arm again.",
)


class PulseWindow(Window):
    """Open requests, oldest first; every kind of request counts, and every open one keeps its number."""

    def next_number(self) -> int:
        """A packet number that no open or abandoned request carries (the stop frames have their own)."""
        taken = {number for _, number in self.open} | {number for _, number in self._stale}
        number = self._number
        for _ in range(STOP_FRAMES.first_number):
            number = (number + 1) % STOP_FRAMES.first_number
            if number not in taken:
                break
        self._number = number
        return number

    def has(self, command: int) -> bool:
        """True while an answer of this command is due."""
        return any(due == command for due, _ in self.open)

    def channels(self) -> set[int]:
        """Channels (from 1) with a pulse that has not been answered."""
        return {
            channel for (command, _), sent in self.open.items() if command == PULSE_ACK for channel, _ in sent.outputs
        }


class P24LowConnection(ScienceModeConnection):
    """State of one connection in the low level, changed by what the unit says."""

    profile = P24_PROFILE

    def __init__(self) -> None:
        super().__init__()
        self._window: PulseWindow = PulseWindow()
        self._clock = PulseClock()
        self._run = PulseBelief()
        self._pulses_known: KnownPulses = {}
        self._foreign = True
        """The unit has not yet confirmed in this connection that it has left whatever level it was in."""
        self._stops_due: set[Key] = set()
        self._announced: Outputs = ()

    def _take(self, now_ns: int, key: Key, answer: Message, events: list[UnitEvent]) -> None:
        if key == LL_STOP_KEY:
            self._on_stop_answer(now_ns, key, answer.result, events)
            return
        if answer.result and key[0] == PULSE_ACK and key in self._window.open:
            nibble = {Result.ELECTRODE: 1, Result.PULSE_TIMEOUT: 2, Result.PULSE_LOW_CURRENT: 3}.get(answer.result, 0)
            for channel, _ in self._window.open[key].outputs:
                self._run.faults[channel] = CHANNEL_FAULTS.get(nibble, f"error {answer.result}")
        super()._take(now_ns, key, answer, events)

    def _on_pulse(self, now_ns: int, key: Key, sent: Sent, answer: LlChannelConfigAck, events: list[UnitEvent]) -> None:
        ((channel, amplitude_ua),) = sent.outputs
        said = answer.connector * CHANNELS_PER_CONNECTOR + answer.channel + 1
        if said != channel:
            cause = f"The unit confirmed a pulse on channel {said}, ordered was channel {channel}."
            todo = "Take the leads off, switch the unit off and on, then acknowledge and arm again."
            self._fail(now_ns, UnitFault(cause, todo), events)
            return
        open_channels = self._window.channels()
        over = channel not in self._clock.channels and channel not in open_channels
        self._run.acknowledge(channel, amplitude_ua, over)
        if not self._clock.running and not open_channels:
            self._note_zero(now_ns, events)
        elif self._run.confirmed() != self._announced:
            self._announced = self._run.confirmed()
            events.append(Confirmed(now_ns, self._announced))

    def _on_level(self, now_ns: int, key: Key, sent: Sent, answer: StimStatus, events: list[UnitEvent]) -> None:
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        if answer.level == Level.MID_RUNNING:
            self._fail(now_ns, STILL_RUNNING, events)
        elif self.phase is Phase.READY and answer.level != Level.LOW:
            self._fail(now_ns, fault_of(self.profile, Result.NOT_INITIALISED), events)
        elif self.phase is Phase.READY and not self._clock.running and not self._window.channels():
            self._note_zero(now_ns, events)

    def _on_stop_answer(self, now_ns: int, key: Key, result: int, events: list[UnitEvent]) -> None:
        if self.phase is not Phase.STOPPING:
            return  # the answer to a repeated stop, after the first answers have done their work
        self.confirmed_at_ns = now_ns
        # "Not initialised" is as good an answer: a level that is not up puts out nothing.
        if result not in (Result.OK, Result.NOT_INITIALISED):
            self._fail(now_ns, fault_of(self.profile, result), events)
            return
        self._stops_due.discard(key)
        if self._stops_due:
            return
        self._foreign = False
        self._run.settle()
        self._note_zero(now_ns, events)
        self._window.settled()
        self._said.discard(DEAF_TO_STOP.cause)
        self._step(now_ns)

    def _note_zero(self, now_ns: int, events: list[UnitEvent]) -> None:
        self._announced = ()
        super()._note_zero(now_ns, events)

    def _await_stops(self) -> None:
        self._stops_due = {LL_STOP_KEY, ML_STOP_KEY} if self._foreign else {LL_STOP_KEY}

    def _fail(self, now_ns: int, fault: UnitFault, events: list[UnitEvent]) -> None:
        self._clock.clear()
        self._run.order(())
        super()._fail(now_ns, fault, events)

    _HANDLERS: ClassVar[dict[type, Callable[..., None]]] = {
        **ScienceModeConnection._HANDLERS,  # noqa: SLF001 - the base's own table, with two answers read otherwise
        LlChannelConfigAck: _on_pulse,
        StimStatus: _on_level,
    }
