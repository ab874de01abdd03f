"""The driver of a P24's low level: the host clocks every single pulse, so nothing comes any more when the host dies.

The handshake is the mid level's: stop, who are you, which version, initialise (here the low level). After an admitted
order `poll` hands out one pulse at a time, each channel at its own period, only while `alive` and only for the trains
of the newest ticket. The unit repeats nothing by itself: what has not been sent does not happen.

    CLOSED -> STOPPING -> IDENTIFYING -> VERSIONING -> INITIALISING -> READY       (start, rearm)
    any -> STOPPING -> STOPPED -> INITIALISING -> READY                            (stop, then rearm)
    any -> FAULTED, which `stop` or `rearm` leaves

A `poll` that is not alive drops the trains: only a new ticket starts pulses again. While eight pulses are unanswered
none is sent, and a pulse that is unanswered for 100 ms is a fault. The unit is asked how it is while it is idle.
"""

from dataclasses import replace

from controller.drivers.stimulators.events import PairCheckFailed, UnitEvent, UnitFault
from controller.drivers.stimulators.kind import StimulatorKind
from controller.drivers.stimulators.p24 import P24, P24_PROFILE
from controller.drivers.stimulators.p24_low_connection import (
    DEAF_TO_STOP,
    STATUS_ANSWER,
    UNCONFIRMED,
    P24LowConnection,
)
from controller.drivers.stimulators.p24_low_orders import (
    P24_LOW_LIMITS,
    PULSE_ACK,
    STOP,
    STOP_WHOEVER_DROVE,
    Pulse,
    checked_pulses,
    pulse_frame,
)
from controller.drivers.stimulators.sciencemode_connection import STATUS_EVERY_NS, Phase
from controller.drivers.stimulators.sciencemode_driver import (
    ACK_NS,
    STOP_EVERY_NS,
    STOP_LATER_NS,
    STOP_TRIES,
    questions,
)
from controller.drivers.stimulators.sciencemode_faults import SILENT
from controller.drivers.stimulators.sciencemode_window import FOREVER, Sent
from controller.wire.sciencemode.messages import GetStimStatus, LlInit
from controller.wire.sciencemode.p24 import COMMAND, Message, encode
from safety.orders import Admitted, Renew

UNANSWERED_MAX = 8
"""Requests that may be unanswered at once; the unit has room for ten pulses (vendor's library)."""

_QUESTIONS = questions(P24_PROFILE, LlInit())


class P24LowDriver(P24LowConnection):
    """See the module's text. All times are integer nanoseconds on the caller's clock."""

    # -- what the gateway reads ------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """True while `deliver` may be called."""
        return self.phase is Phase.READY

    def outputs(self) -> tuple[tuple[int, int, int, str], ...]:
        """(channel from 1, ordered uA, confirmed uA, fault) of each channel used in this connection.

        Confirmed is the amplitude of the last pulse that the unit acknowledged, 0 when no more are to come.
        """
        return self._run.outputs()

    def next_deadline(self) -> int:
        """When `poll` has something to do, in ns; far away when only bytes can change anything."""
        phase, window = self.phase, self._window
        if phase is Phase.READY:
            if self._clock.running:
                due_ns = FOREVER if len(window.open) >= UNANSWERED_MAX else self._clock.next_ns()
            else:
                due_ns = FOREVER if window.has(STATUS_ANSWER) else self._status_due_ns
            return min(due_ns, window.overdue_ns())
        if phase in _QUESTIONS:
            return window.overdue_ns() if window.open else self._status_due_ns
        return self._due_ns

    # -- what the gateway asks for -----------------------------------------------------------------------------------

    def start(self, now_ns: int) -> bytes:
        """The first bytes on a fresh connection: stop. The rest of the handshake comes out of `poll`."""
        data = self.stop(now_ns)
        self._goal_ready = True
        return data

    def stop(self, now_ns: int) -> bytes:
        """No further pulse, then Ll_stop (drops the high voltage). Valid in every state; repeated until confirmed."""
        self._goal_ready = False
        self._clock.clear()
        if self.phase is not Phase.STOPPING:
            self._window.forget()
            self._run.order(())
            self.confirmed_zero = False
            self.phase = Phase.STOPPING
            self._await_stops()
            self._stop_tries = 1
            self._due_ns = now_ns + STOP_EVERY_NS
        return self._stop_frames()

    def rearm(self, now_ns: int) -> bytes:
        """Make a stopped unit ready again; `Ready` follows. Does nothing when it is ready or on its way."""
        self._said.clear()
        self._run.faults = {}
        if self.phase is Phase.STOPPED:
            self._goal_ready = True
            self._window.forget()
            self._step(now_ns)
            return self._ask(now_ns)
        if self.phase in (Phase.FAULTED, Phase.CLOSED):
            return self.start(now_ns)
        self._goal_ready = True
        return b""

    def release(self, now_ns: int) -> bytes:
        """The ordinary end of a burst: no further pulse, and the question whose answer confirms zero."""
        if self.phase is not Phase.READY:
            return self.stop(now_ns)
        return self._drop(now_ns)

    def deliver(self, ticket: Admitted, now_ns: int) -> bytes:
        """Take over the trains of an admitted order; always b"", for `poll` sends every pulse when it is due.

        A renewal changes nothing. Raises `PairCheckFailed` when the bytes would not say what the order says, or the
        unit is not ready.
        """
        if type(ticket.order) is Renew:
            return b""
        if self.phase is not Phase.READY:
            raise PairCheckFailed("the unit is not initialised, so nothing may be written")
        pulses = checked_pulses(ticket.trains, self._pulses_known)
        if not pulses:
            return self.release(now_ns)
        self.confirmed_zero = False
        self._clock.run(now_ns, pulses)
        self._run.order(tuple((pulse.channel, pulse.amplitude_ua) for pulse in pulses))
        self._run.settle(self._window.channels())
        return b""

    # -- time --------------------------------------------------------------------------------------------------------

    def poll(self, now_ns: int, alive: bool) -> tuple[bytes, list[UnitEvent]]:
        """Bytes that fall due by `now_ns`, and what silence means. Pulses are sent only when `alive`."""
        events: list[UnitEvent] = []
        if now_ns < self.next_deadline():
            return b"", events
        phase = self.phase
        if phase is Phase.READY:
            return self._keep(now_ns, alive, events), events
        if phase is Phase.STOPPING:
            return self._stop_again(now_ns, events), events
        if phase is Phase.FAULTED:
            return self.stop(now_ns), events
        if self._window.open:
            self._fail(now_ns, SILENT, events)
            return b"", events
        return self._ask(now_ns), events

    def _keep(self, now_ns: int, alive: bool, events: list[UnitEvent]) -> bytes:
        window = self._window
        if now_ns >= window.overdue_ns():
            oldest = next(iter(window.open.values()))
            # The unit answers in order: one that has answered since then has lost this pulse, or its answer was lost.
            answered = self.confirmed_at_ns > oldest.due_ns - ACK_NS
            self._fail(now_ns, UNCONFIRMED if answered else SILENT, events)
            return b""
        if not self._clock.running:
            return self._ask_level(now_ns)
        if not alive:
            return self._drop(now_ns)
        pulse = self._clock.take(now_ns)
        if pulse is None or pulse.channel in window.channels():
            # While its last pulse is unanswered a channel waits: a line that holds bytes back would bunch them.
            return b""
        return self._send_pulse(now_ns, pulse, events)

    def _stop_again(self, now_ns: int, events: list[UnitEvent]) -> bytes:
        if self._stop_tries >= STOP_TRIES:
            self._say(DEAF_TO_STOP, events)
        self._stop_tries += 1
        self._due_ns = now_ns + (STOP_EVERY_NS if self._stop_tries <= STOP_TRIES else STOP_LATER_NS)
        return self._stop_frames()

    # -- sending -----------------------------------------------------------------------------------------------------

    def _send_pulse(self, now_ns: int, pulse: Pulse, events: list[UnitEvent]) -> bytes:
        number = self._window.next_number()
        try:
            data = pulse_frame(number, pulse)
        except PairCheckFailed as error:
            fault = UnitFault(f"The encoded frame did not match the order: {error}.", "Report this defect.")
            self._fail(now_ns, fault, events)
            return b""
        due_ns = now_ns + pulse.length_us * 1000 + ACK_NS
        self._window.open[PULSE_ACK, number] = Sent(due_ns, ((pulse.channel, pulse.amplitude_ua),))
        return data

    def _drop(self, now_ns: int) -> bytes:
        """No further pulse; the unit is asked how it is, unless it is being asked already."""
        self._clock.clear()
        self._run.order(())
        self._run.settle(self._window.channels())
        return b"" if self._window.has(STATUS_ANSWER) else self._ask_level(now_ns)

    def _ask_level(self, now_ns: int) -> bytes:
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        return self._question(GetStimStatus(), now_ns + ACK_NS)

    def _ask(self, now_ns: int) -> bytes:
        message, patience_ns = _QUESTIONS[self.phase]
        return self._question(message, now_ns + patience_ns)

    def _question(self, message: Message, due_ns: int) -> bytes:
        number = self._window.next_number()
        self._window.open[COMMAND[type(message)] + 1, number] = Sent(due_ns)
        return encode(number, message)

    def _stop_frames(self) -> bytes:
        return STOP_WHOEVER_DROVE if self._foreign else STOP


P24_LOW = StimulatorKind(
    "p24-low",
    P24LowDriver,
    P24_LOW_LIMITS,
    P24.line,
    replace(P24.capabilities, watchdog_ms=0),
    # The same unit as "p24": never found by itself, a person chooses it.
)
