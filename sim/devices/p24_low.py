"""The low level of a simulated P24: every pulse is asked for by the host, runs once, and is answered when it is over.

    NONE -- Ll_init, 40 ms for the high voltage --> LL -- Ll_stop, 40 ms --> NONE

Pulses run one after the other; up to ten wait. There is no watchdog: without a request there is no pulse. Limits and
frames: vendor C library ScienceMode4 0cb1201; that ten may wait, and that the answer comes after the pulse: P24
instructions for use v1.1. Guesses, to be tried on hardware: an eleventh waiting pulse answers 21 (busy); a pulse with
the high voltage off answers 8; one without contact is answered after 60 us; Ll_stop drops what waits, unanswered;
Ll_stop without a level answers 0; the unit needs 60 us between pulses; what is measured (the load is taken as
500 ohm, the high voltage as 150 V, 128 samples over the pulse).
"""

from abc import ABC, abstractmethod
from collections import deque

from controller.wire.sciencemode.messages import Ack, LlChannelConfig, LlChannelConfigAck, LlInit, LlStop, Result
from controller.wire.sciencemode.p24 import COMMAND, SAMPLES, Message, encode
from sim.devices.p24_low_output import Repeats
from sim.devices.sciencemode_output import ELECTRODE, SHORTEST_US, Log, Points, shape_of
from sim.devices.sciencemode_unit import FAULT_NAMES, FOREVER, ScienceModeUnit, State

WAITING_MAX = 10
CHANNELS_PER_CONNECTOR = 4
HV_STANDARD, HV_OFF, HV_MAX = 0, 1, 6
MEASURE_CURRENT, MEASURE_VOLTAGE, MEASURE_MAX = 1, 2, 3
LOAD_OHM, HIGH_VOLTAGE_V = 500, 150
_SCALE = 100
"""Samples are in hundredths of mA or V."""


class LowLevel(ScienceModeUnit, ABC):
    """The level `LL`, beside the mid level of `P24Twin`, which adds the host's side."""

    def __init__(self, log: Log | None) -> None:
        super().__init__(log)
        self._repeats = [Repeats(channel, log) for channel in self._channels]
        self._waiting: deque[tuple[int, LlChannelConfig]] = deque(maxlen=WAITING_MAX)
        self._pulsing: tuple[int, LlChannelConfigAck] | None = None
        self._pulse_ends_ns = FOREVER
        self._free_ns = 0
        self._rising = False
        self._measurement = 0
        self.high_voltage = HV_STANDARD

    @abstractmethod
    def _switch(self, now_ns: int, number: int, answer: Message) -> None:
        """Answer when the high voltage has been switched."""

    @abstractmethod
    def _power_down(self, now_ns: int, why: str) -> None:
        """Everything off, no level."""

    # -- what the host asks ------------------------------------------------------------------------------------------

    def ll_init(self, now_ns: int, number: int, request: LlInit) -> Message | None:
        """Raise the high voltage and enter the level."""
        answer = COMMAND[LlInit] + 1
        if self.state is not State.NONE:
            return Ack(answer, Result.NOT_INITIALISED)
        if request.measurement > MEASURE_MAX or request.high_voltage > HV_MAX:
            return Ack(answer, Result.PARAMETER)
        self._measurement, self.high_voltage = request.measurement, request.high_voltage
        self._rising = True
        self._switch(now_ns, number, Ack(answer))
        return None

    def ll_stop(self, now_ns: int, number: int, request: LlStop) -> Message | None:
        """Leave the level; pulses that wait are dropped."""
        answer = COMMAND[LlStop] + 1
        if self.state is State.LL:
            self._power_down(now_ns, "stopped")
            self._switch(now_ns, number, Ack(answer))
            return None
        return Ack(answer, Result.OK if self.state is State.NONE else Result.NOT_INITIALISED)

    def ll_channel_config(self, now_ns: int, number: int, request: LlChannelConfig) -> Message | None:
        """One pulse: it runs when those before it are over, and is answered then."""
        result = Result.OK
        if self.state is not State.LL:
            result = Result.NOT_INITIALISED
        elif any(
            not -self.profile.current_ua_max <= current_ua <= self.profile.current_ua_max
            for _, current_ua in request.points
        ):
            result = Result.PARAMETER
        elif request.execute and self.high_voltage == HV_OFF:
            result = Result.HIGH_VOLTAGE
        elif request.execute and len(self._waiting) >= WAITING_MAX:
            result = Result.BUSY
        if result is not Result.OK:
            self._note(now_ns, "fault", fault=result.name.lower().replace("_", " "), channel=_index(request) + 1)
        if result is not Result.OK or not request.execute:
            return LlChannelConfigAck(result, request.connector, request.channel)
        self._waiting.append((number, request))
        self._begin(now_ns)
        return None

    # -- at the skin -------------------------------------------------------------------------------------------------

    def drive(self) -> tuple[tuple[int, int, int, int], ...]:
        """(channel, amplitude_ua, width_us, period_us) of each train that reaches the skin now, of either level."""
        if self.state is not State.LL:
            return super().drive()
        found = (repeats.drive(self._now_ns) for repeats in self._repeats)
        return tuple(entry for entry in found if entry is not None)

    def close(self, now_ns: int) -> None:
        """Live up to `now_ns` and log the trains that still run."""
        super().close(now_ns)
        for repeats in self._repeats:
            repeats.flush()

    # -- what happens by itself --------------------------------------------------------------------------------------

    def _begin(self, now_ns: int) -> None:
        """Start the pulse that waits longest, if the unit is free."""
        if self._pulsing is not None or not self._waiting or now_ns < self._free_ns:
            return
        number, request = self._waiting.popleft()
        index = _index(request)
        channel = self._channels[index]
        shape = shape_of(request.points, 0)
        if symptom := channel.missed(shape):
            self._note(now_ns, "fault", fault=FAULT_NAMES[symptom], channel=index + 1)
            result = Result.ELECTRODE if symptom == ELECTRODE else Result.PULSE_LOW_CURRENT
            self._pulsing = (number, LlChannelConfigAck(result, request.connector, request.channel))
            self._pulse_ends_ns = now_ns + self.profile.overhead_us * 1000
            return
        length_us = sum(max(duration_us, SHORTEST_US) for duration_us, _ in request.points)
        self._pulsing = (number, self._measured(request, length_us, channel.contact))
        self._pulse_ends_ns = now_ns + length_us * 1000
        if channel.contact and shape.amplitude_ua:
            self._repeats[index].pulse(now_ns, shape)

    def _measured(self, request: LlChannelConfig, length_us: int, contact: bool) -> LlChannelConfigAck:
        """The answer to a pulse that has run, with what was asked to be measured."""
        kind = self._measurement
        if not kind:
            return LlChannelConfigAck(Result.OK, request.connector, request.channel)
        sampling_us = -(-length_us // SAMPLES)
        samples = []
        for position in range(SAMPLES):
            current_ua = abs(_current_at(request.points, position * sampling_us)) if contact else 0
            if kind == MEASURE_CURRENT:
                samples.append(current_ua * _SCALE // 1000)
            elif kind == MEASURE_VOLTAGE:
                samples.append(min(current_ua * LOAD_OHM // 1_000_000, HIGH_VOLTAGE_V) * _SCALE)
            else:
                samples.append(HIGH_VOLTAGE_V * _SCALE)
        return LlChannelConfigAck(Result.OK, request.connector, request.channel, kind, sampling_us, tuple(samples))

    def _plan(self) -> None:
        super()._plan()
        due_ns = min(self._deadline_ns, self._pulse_ends_ns)
        if self._waiting and self._pulsing is None:
            due_ns = min(due_ns, self._free_ns)
        if self.state is State.LL:
            for repeats in self._repeats:
                due_ns = min(due_ns, repeats.silent_ns)
                if repeats.drive_until_ns > self._now_ns:
                    due_ns = min(due_ns, repeats.drive_until_ns)
        self._deadline_ns = due_ns

    def _happen(self, at_ns: int) -> bytes:
        answers = super()._happen(at_ns)
        if self._pulsing is not None and self._pulse_ends_ns <= at_ns:
            number, answer = self._pulsing
            answers += encode(number, answer)
            self._pulsing, self._pulse_ends_ns = None, FOREVER
            self._free_ns = at_ns + self.profile.overhead_us * 1000
        self._begin(at_ns)
        for repeats in self._repeats:
            if repeats.silent_ns <= at_ns:
                repeats.flush()
        self._plan()
        return answers

    def _switched(self, at_ns: int) -> bytes:
        answers = super()._switched(at_ns)
        if self._rising:
            self._rising = False
            self._enter(at_ns, State.LL, "initialised")
        return answers

    def _restart(self, now_ns: int) -> None:
        super()._restart(now_ns)
        self._rising = False

    def _all_off(self) -> None:
        super()._all_off()
        self._waiting.clear()
        self._pulsing, self._pulse_ends_ns = None, FOREVER
        for repeats in self._repeats:
            repeats.off()


def _index(request: LlChannelConfig) -> int:
    return request.connector * CHANNELS_PER_CONNECTOR + request.channel


def _current_at(points: Points, at_us: int) -> int:
    """The current of a pulse `at_us` after its start, in uA."""
    for duration_us, current_ua in points:
        at_us -= max(duration_us, SHORTEST_US)
        if at_us < 0:
            return current_ua
    return 0
