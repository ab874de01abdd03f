"""The P24's driver: a machine that is fed bytes and time and hands back bytes. It opens nothing and waits for nothing.

A connection begins with a stop, whoever drove the unit before; then who are you, which version, and initialise, with
"stop all channels on any error". After that every update is absolute: a channel that is not in it is off. No update
is ever sent twice, and a new connection is a new driver, so nothing restarts by itself.

    CLOSED -> STOPPING -> IDENTIFYING -> VERSIONING -> INITIALISING -> READY       (start, rearm)
    any -> STOPPING -> STOPPED -> INITIALISING -> READY                            (stop, then rearm)
    any -> FAULTED, which `stop` or `rearm` leaves

`feed` never makes bytes and `poll` makes all that fall due; `deliver`, `release`, `stop` hand theirs back at once. The
stop frames are made once, at the start, with packet numbers of their own, so that stopping needs no work and no room.
The unit answers in order, so what is still open when a later probe is answered has been lost.
"""

from controller.drivers.ports import LineSettings
from controller.drivers.stimulators.events import PairCheckFailed, UnitEvent
from controller.drivers.stimulators.kind import StimulatorKind
from controller.drivers.stimulators.p24_connection import MS, STATUS_EVERY_NS, P24Connection, Phase
from controller.drivers.stimulators.p24_faults import DEAF_TO_STOP, SILENT
from controller.drivers.stimulators.p24_orders import ALL_OFF, STOP_FRAMES, checked_update
from controller.drivers.stimulators.p24_orders import P24_LIMITS as P24_LIMITS
from controller.drivers.stimulators.p24_window import REPORT, UPDATE_ACK, Held, Sent
from controller.vocabulary.capabilities import Capabilities
from controller.wire.sciencemode.messages import (
    GetDeviceId,
    GetExtendedVersion,
    GetStimStatus,
    MlGetCurrentData,
    MlInit,
)
from controller.wire.sciencemode.p24 import COMMAND, Message, encode
from safety.orders import Admitted, Renew

ACK_NS = 100 * MS
SLOW_ACK_NS = 250 * MS
"""Initialising switches the high voltage of two modules, 40 ms each."""
LOOK_AGAIN_NS = 50 * MS
STOP_EVERY_NS, STOP_TRIES, STOP_LATER_NS = 100 * MS, 3, 500 * MS

_QUESTIONS: dict[Phase, tuple[Message, int]] = {
    Phase.IDENTIFYING: (GetDeviceId(), ACK_NS),
    Phase.VERSIONING: (GetExtendedVersion(), ACK_NS),
    Phase.INITIALISING: (MlInit(stop_on_all_errors=True), SLOW_ACK_NS),
    Phase.STOPPED: (GetStimStatus(), SLOW_ACK_NS),
}


class P24Driver(P24Connection):
    """See the module's text. All times are integer nanoseconds on the caller's clock."""

    # -- what the gateway reads ------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """True while `deliver` may be called."""
        return self.phase is Phase.READY

    def outputs(self) -> tuple[tuple[int, int, int, str], ...]:
        """(channel from 1, ordered uA, confirmed uA, fault) of each channel used in this connection.

        Confirmed is what the unit acknowledged *and* reported as running.
        """
        return self._belief.outputs()

    def next_deadline(self) -> int:
        """When `poll` has something to do, in ns; far away when only bytes can change anything."""
        phase = self.phase
        if phase is Phase.READY:
            if self._window.held is not None and not self._window.full:
                return 0
            return min(self._status_due_ns, self._window.overdue_ns())
        if phase in _QUESTIONS:
            return self._window.overdue_ns() if self._window.open else self._status_due_ns
        return self._due_ns

    # -- what the gateway asks for -----------------------------------------------------------------------------------

    def start(self, now_ns: int) -> bytes:
        """The first bytes on a fresh connection: stop. The rest of the handshake comes out of `poll`."""
        data = self.stop(now_ns)
        self._goal_ready = True
        return data

    def stop(self, now_ns: int) -> bytes:
        """All off, then Ml_stop (drops the high voltage). Valid in every state; `poll` repeats it until confirmed."""
        self._goal_ready = False
        if self.phase is not Phase.STOPPING:
            self._window.forget()
            self._belief.order((), 0)
            self.confirmed_zero = False
            self.phase = Phase.STOPPING
            self._stop_tries = 1
            self._due_ns = now_ns + STOP_EVERY_NS
        return STOP_FRAMES.data

    def rearm(self, now_ns: int) -> bytes:
        """Make a stopped unit ready again; `Ready` follows. Does nothing when it is ready or on its way."""
        self._said.clear()
        self._belief.faults = {}
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
        """The ordinary end of a burst: all off, level and high voltage stay. `stop` where the unit is not ready."""
        if self.phase is not Phase.READY:
            return self.stop(now_ns)
        self._window.held = None
        number = self._window.next_number()
        return self._send_update(now_ns, Held(number, ALL_OFF[number], (), 0))

    def deliver(self, ticket: Admitted, now_ns: int) -> bytes:
        """The update for an admitted order, read back before it is handed out; b"" for a renewal.

        b"" also while `WINDOW` updates are unanswered: then `poll` sends the newest as soon as there is room. Raises
        `PairCheckFailed` when the bytes would not say what the order says, or the unit is not ready.
        """
        if type(ticket.order) is Renew:
            return b""
        if self.phase is not Phase.READY:
            raise PairCheckFailed("the unit is not initialised, so nothing may be written")
        window = self._window
        number = window.next_number()
        update = Held(number, *checked_update(number, ticket.trains, self._known))
        if not update.mask:
            return self.release(now_ns)
        if window.full:
            window.held = update
            return b""
        window.held = None
        return self._send_update(now_ns, update)

    # -- time --------------------------------------------------------------------------------------------------------

    def poll(self, now_ns: int, alive: bool) -> tuple[bytes, list[UnitEvent]]:
        """Bytes that fall due by `now_ns`, and what silence means. The keep-alive is sent only when `alive`."""
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
        data = b""
        if now_ns >= window.overdue_ns():
            if window.suspect or not alive:
                self._fail(now_ns, SILENT, events)
                return b""
            # One question before giving up: is the unit still there, and did the answer only come late?
            window.drop_probe()
            window.suspect = True
            data = self._send_probe(now_ns)
        if window.held is not None and not window.full:
            update, window.held = window.held, None
            data += self._send_update(now_ns, update)
        if now_ns >= self._status_due_ns:
            if window.probe is not None or not alive:
                self._status_due_ns = now_ns + LOOK_AGAIN_NS
            else:
                data += self._send_probe(now_ns)
        return data

    def _stop_again(self, now_ns: int, events: list[UnitEvent]) -> bytes:
        if self._stop_tries >= STOP_TRIES:
            self._say(DEAF_TO_STOP, events)
        self._stop_tries += 1
        self._due_ns = now_ns + (STOP_EVERY_NS if self._stop_tries <= STOP_TRIES else STOP_LATER_NS)
        return STOP_FRAMES.data

    # -- sending -----------------------------------------------------------------------------------------------------

    def _send_update(self, now_ns: int, update: Held) -> bytes:
        window, belief = self._window, self._belief
        window.last_update = key = (UPDATE_ACK, update.number)
        window.open[key] = Sent(now_ns + ACK_NS, update.outputs)
        self.confirmed_zero = False
        belief.order(update.outputs, update.mask)
        if update.mask != belief.probed:
            # A channel has come on: ask at once whether it really runs.
            if window.probe is None:
                return update.data + self._send_probe(now_ns)
            self._status_due_ns = now_ns
        return update.data

    def _send_probe(self, now_ns: int) -> bytes:
        window, belief = self._window, self._belief
        number = window.next_number()
        window.probe = (REPORT, number)
        window.open[window.probe] = Sent(now_ns + ACK_NS, mask=belief.mask)
        belief.probed = belief.mask
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        return encode(number, MlGetCurrentData())

    def _ask(self, now_ns: int) -> bytes:
        message, patience_ns = _QUESTIONS[self.phase]
        number = self._window.next_number()
        self._window.open[COMMAND[type(message)] + 1, number] = Sent(now_ns + patience_ns)
        return encode(number, message)


P24 = StimulatorKind(
    "p24",
    P24Driver,
    P24_LIMITS,
    # 3 Mbaud 8N2 with RTS/CTS is what the unit's protocol asks for (its USB port ignores it).
    LineSettings(baud=3_000_000, stop_bits=2, rts_cts=True),
    Capabilities(
        "P24",
        channels=P24_LIMITS.channels,
        amplitude_step_ua=P24_LIMITS.amplitude_step_ua,
        watchdog_ms=2_000,
        electrode_test_ua_min=15_000,
        break_circuit="Pull the electrode leads out of the unit, or switch it off at its own switch.",
    ),
    usb=((0x0483, 0x5740),),
)
