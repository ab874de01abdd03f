"""The driver of a ScienceMode unit: fed bytes and time, it hands back bytes. It opens nothing and waits for nothing.

A connection begins with a stop, whoever drove the unit before; then who are you, which version, how full is the battery
(where there is one), and initialise. After that every update is absolute: a channel that is not in it is off. No update
is ever sent twice, and a new connection is a new driver, so nothing restarts by itself. What tells a P24 from a
RehaMove3 is data (`Profile`).

    CLOSED -> STOPPING -> IDENTIFYING -> VERSIONING (-> VERSIONING_OTHERWISE) (-> CHARGE) -> INITIALISING -> READY
    any -> STOPPING -> STOPPED (-> CHARGE) -> INITIALISING -> READY                (stop, then rearm)
    any -> FAULTED, which `stop` or `rearm` leaves

`feed` never makes bytes and `poll` makes all that fall due; `deliver`, `release`, `stop` hand theirs back at once. The
stop frames are made once, at the start, with packet numbers of their own, so that stopping needs no work and no room.
The unit answers in order, so what is still open when a later probe is answered has been lost.
"""

from controller.drivers.stimulators.events import PairCheckFailed, UnitEvent
from controller.drivers.stimulators.sciencemode_connection import (
    BATTERY_EVERY_NS,
    MS,
    STATUS_EVERY_NS,
    Phase,
    ScienceModeConnection,
)
from controller.drivers.stimulators.sciencemode_faults import DEAF_TO_STOP, SILENT
from controller.drivers.stimulators.sciencemode_orders import ALL_OFF, STOP_FRAMES, Outputs, checked_update
from controller.drivers.stimulators.sciencemode_profile import Profile
from controller.drivers.stimulators.sciencemode_window import REPORT, UPDATE_ACK, Sent
from controller.wire.sciencemode.catalogue import COMMAND, Message
from controller.wire.sciencemode.messages import GetBatteryStatus, GetDeviceId, GetStimStatus
from safety.orders import Admitted, Renew

ACK_NS = 100 * MS
SLOW_ACK_NS = 250 * MS
"""Initialising switches the high voltage of two modules, 40 ms each."""
LOOK_AGAIN_NS = 50 * MS
STOP_EVERY_NS, STOP_TRIES, STOP_LATER_NS = 100 * MS, 3, 500 * MS

_BATTERY_ACK = COMMAND[GetBatteryStatus] + 1


def questions(unit: Profile, init: Message) -> dict[Phase, tuple[Message, int]]:
    """What is asked in each phase of the handshake, and how long the answer may take in ns."""
    own, other = unit.versions
    return {
        Phase.IDENTIFYING: (GetDeviceId(), ACK_NS),
        Phase.VERSIONING: (own, ACK_NS),
        Phase.VERSIONING_OTHERWISE: (other, ACK_NS),
        Phase.CHARGE: (GetBatteryStatus(), ACK_NS),
        Phase.INITIALISING: (init, SLOW_ACK_NS),
        Phase.STOPPED: (GetStimStatus(), SLOW_ACK_NS),
    }


class ScienceModeDriver(ScienceModeConnection):
    """See the module's text. All times are integer nanoseconds on the caller's clock."""

    def __init__(self) -> None:
        super().__init__()
        self._questions = questions(self.profile, self.profile.init)

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
            due_ns = min(self._status_due_ns, self._window.overdue_ns())
            return due_ns if self._window.full else min(due_ns, self._ladder.due_ns())
        if phase in self._questions:
            return self._window.overdue_ns() if self._window.open else self._status_due_ns
        return self._due_ns

    # -- what the gateway asks for -----------------------------------------------------------------------------------

    def start(self, now_ns: int) -> bytes:
        """The first bytes on a fresh connection: stop. The rest of the handshake comes out of `poll`."""
        data = self.stop(now_ns)
        self._goal_ready = True
        return data + STOP_FRAMES.low

    def stop(self, now_ns: int) -> bytes:
        """All off, then Ml_stop (drops the high voltage). Valid in every state; `poll` repeats it until confirmed."""
        self._goal_ready = self._charged = False
        self._ladder.off()
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
        self._ladder.off()
        number = self._window.next_number()
        return self._send_update(now_ns, number, ALL_OFF[number], (), 0)

    def deliver(self, ticket: Admitted, now_ns: int) -> bytes:
        """The update for an admitted order, read back before it is handed out; b"" for a renewal.

        b"" also while `WINDOW` updates are unanswered, and for a rise while the last one is (see `Ladder`): then `poll`
        goes on. Raises `PairCheckFailed` when the bytes would not say what the order says, or the unit is not ready.
        """
        if type(ticket.order) is Renew:
            return b""
        if self.phase is not Phase.READY:
            raise PairCheckFailed("the unit is not initialised, so nothing may be written")
        *_, mask = checked_update(0, ticket.trains, self._known, self.profile)
        if not mask:
            return self.release(now_ns)
        self._ladder.order(now_ns, ticket.trains)
        return self._climb(now_ns)

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
            window.drop_questions()
            window.suspect = True
            data = self._send_probe(now_ns)
        if alive and now_ns >= self._ladder.due_ns():
            data += self._climb(now_ns)
        if now_ns >= self._status_due_ns:
            if window.probe is not None or not alive:
                self._status_due_ns = now_ns + LOOK_AGAIN_NS
            else:
                data += self._send_probe(now_ns) + self._ask_battery(now_ns)
        return data

    def _stop_again(self, now_ns: int, events: list[UnitEvent]) -> bytes:
        if self._stop_tries >= STOP_TRIES:
            self._say(DEAF_TO_STOP, events)
        self._stop_tries += 1
        self._due_ns = now_ns + (STOP_EVERY_NS if self._stop_tries <= STOP_TRIES else STOP_LATER_NS)
        return STOP_FRAMES.data

    # -- sending -----------------------------------------------------------------------------------------------------

    def _climb(self, now_ns: int) -> bytes:
        """As much of the newest order as may be written now."""
        window = self._window
        if window.full:
            return b""
        number = window.next_number()
        trains = self._ladder.take(now_ns, (UPDATE_ACK, number))
        if not trains:
            return b""
        return self._send_update(now_ns, number, *checked_update(number, trains, self._known, self.profile))

    def _send_update(self, now_ns: int, number: int, data: bytes, outputs: Outputs, mask: int) -> bytes:
        window, belief = self._window, self._belief
        window.last_update = key = (UPDATE_ACK, number)
        window.open[key] = Sent(now_ns + ACK_NS, outputs)
        self.confirmed_zero = False
        belief.order(outputs, mask)
        if mask != belief.probed:
            # A channel has come on: ask at once whether it really runs.
            if window.probe is None:
                return data + self._send_probe(now_ns)
            self._status_due_ns = now_ns
        return data

    def _send_probe(self, now_ns: int) -> bytes:
        window, belief = self._window, self._belief
        number = window.next_number()
        window.probe = (REPORT, number)
        window.open[window.probe] = Sent(now_ns + ACK_NS, mask=belief.mask)
        belief.probed = belief.mask
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        return self.profile.probes[number]

    def _ask_battery(self, now_ns: int) -> bytes:
        """Now and then, beside the keep-alive."""
        unit, window = self.profile, self._window
        if not unit.battery_percent_min or now_ns < self._battery_due_ns:
            return b""
        self._battery_due_ns = now_ns + BATTERY_EVERY_NS
        number = window.next_number()
        window.open[_BATTERY_ACK, number] = Sent(now_ns + ACK_NS)
        return unit.catalogue.encode(number, GetBatteryStatus())

    def _ask(self, now_ns: int) -> bytes:
        message, patience_ns = self._questions[self.phase]
        number = self._window.next_number()
        self._window.open[COMMAND[type(message)] + 1, number] = Sent(now_ns + patience_ns)
        return self.profile.catalogue.encode(number, message)
