"""The RehaStim2's driver: a machine that is fed bytes and time and hands back bytes. It opens nothing, waits for none.

The unit speaks first: it announces itself every 500 ms until a host answers. A connection begins with a stop all the
same, for another host may have left it running; then the answer to its announcement, who are you, and whether it is at
rest. After that an order becomes a list (which channels, at which period), and each later order an absolute update of
that list; another period or another set of channels is stop, new list, start. No update is ever sent twice, and a new
connection is a new driver, so nothing restarts by itself.

    CLOSED -> WAITING (for the unit) -> STOPPING -> IDENTIFYING -> CHECKING -> READY   (start, rearm)
    any -> STOPPING -> STOPPED -> CHECKING -> READY                                    (stop, then rearm)
    any -> FAULTED, which `stop` or `rearm` leaves

`feed` never makes bytes and `poll` makes all that fall due; `deliver`, `release`, `stop` hand theirs back at once. One
request about the list is open at a time, updates go out once a period at most (so does a start after a stop), and of
those that wait only the newest is kept. After a burst its list is initialised again, so that the next one starts with
one frame. Off is always StopChannelListMode: a list of 0 mA would keep its test pulses running.
"""

from controller.drivers.ports import LineSettings
from controller.drivers.stimulators.events import PairCheckFailed, UnitEvent
from controller.drivers.stimulators.kind import StimulatorKind
from controller.drivers.stimulators.rehastim2_connection import (
    MS,
    QUESTION_EVERY_NS,
    WATCHDOG_EVERY_NS,
    Phase,
    RehaStim2Connection,
)
from controller.drivers.stimulators.rehastim2_faults import DEAF_TO_STOP, NOT_A_REHASTIM2, NOTHING_SAID, SILENT
from controller.drivers.stimulators.rehastim2_line import FOREVER, Sent
from controller.drivers.stimulators.rehastim2_orders import (
    INIT,
    INTERPHASE_US,
    RELEASES,
    START,
    STOP,
    STOP_LIST,
    ListUpdate,
    checked_list,
    list_frame,
)
from controller.drivers.stimulators.rehastim2_orders import REHASTIM2_LIMITS as REHASTIM2_LIMITS
from controller.vocabulary.capabilities import Capabilities
from controller.wire.sciencemode2.messages import GetStimulationMode, Mode, Watchdog, WhoAreYou
from controller.wire.sciencemode2.rehastim2 import COMMAND, encode, resembles
from safety.orders import Admitted, Renew

ACK_NS = 150 * MS
"""The unit answers within 100 ms (its document); the rest is for the USB serial chip, which may hold bytes 16 ms."""
LOOK_AGAIN_NS = 50 * MS
STOP_EVERY_NS, STOP_TRIES, STOP_LATER_NS = 100 * MS, 3, 500 * MS
WAIT_FOR_UNIT_NS = 2_000 * MS
NOISE_BYTES_MAX = 32
"""So many bytes may come from plugging in; more, and nothing that a RehaStim2 says, come from another device."""
ANSWER = 1
"""An answer has the number of its request + 1."""


class RehaStim2Driver(RehaStim2Connection):
    """See the module's text. All times are integer nanoseconds on the caller's clock."""

    def __init__(self) -> None:
        super().__init__()
        self._begun_ns = 0
        self._next_start_ns = 0

    # -- what the gateway reads ------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """True while `deliver` may be called."""
        return self.phase is Phase.READY

    @property
    def running(self) -> bool:
        """True while the unit's list is started, as far as its acknowledgements say."""
        return self.phase is Phase.READY and self._mode is Mode.STARTED

    def outputs(self) -> tuple[tuple[int, int, int, str], ...]:
        """(channel from 1, ordered uA, confirmed uA, fault) of each channel used in this connection.

        Confirmed is what the unit acknowledged while it reported that it runs. It does not say which electrode is off:
        then every channel in use has the fault.
        """
        return self._belief.outputs()

    def next_deadline(self) -> int:
        """When `poll` has something to do, in ns; far away when only bytes can change anything."""
        phase, line = self.phase, self._line
        if phase in (Phase.READY, Phase.STOPPED):
            due_ns = min(self._watchdog_due_ns, self._question_due_ns, line.overdue_ns())
            return min(due_ns, self._request_due_ns()) if phase is Phase.READY else due_ns
        if phase in (Phase.IDENTIFYING, Phase.CHECKING):
            return line.overdue_ns() if line.open else 0
        return self._due_ns

    # -- what the gateway asks for -----------------------------------------------------------------------------------

    def start(self, now_ns: int) -> bytes:
        """The first bytes on a fresh connection: stop. The rest of the handshake comes out of `poll`."""
        if self.phase is Phase.CLOSED:
            self.phase = Phase.WAITING
            self._begun_ns = now_ns
            self._due_ns = now_ns + STOP_LATER_NS
        data = self.stop(now_ns)
        self._goal_ready = True
        return data

    def stop(self, now_ns: int) -> bytes:
        """StopChannelListMode, valid in every state; `poll` repeats it until confirmed."""
        self._goal_ready = False
        self._last = None
        self._ladder.off()
        self._belief.order(())
        if self.phase is Phase.CLOSED:
            return STOP
        if self.phase not in (Phase.WAITING, Phase.STOPPING):
            self._line.forget()
            self.confirmed_zero = False
            self.phase = Phase.STOPPING
            self._stop_tries = 1
            # An announcement that came in the meantime is answered at once.
            self._due_ns = now_ns if self._init_reply is not None else now_ns + STOP_EVERY_NS
        return STOP

    def rearm(self, now_ns: int) -> bytes:
        """Make a stopped unit ready again; `Ready` follows. Does nothing when it is ready or on its way."""
        self._said.clear()
        self._belief.faults = {}
        if self.phase in (Phase.FAULTED, Phase.CLOSED):
            return self.start(now_ns)
        self._goal_ready = True
        if self.phase is Phase.STOPPED:
            self._line.forget()
            self._step(now_ns)
            return self._ask(now_ns)
        return b""

    def release(self, now_ns: int) -> bytes:
        """The ordinary end of a burst: StopChannelListMode; the driver stays ready. `stop` where it is not."""
        if self.phase is not Phase.READY:
            return self.stop(now_ns)
        self._ladder.off()
        return self._end_list(now_ns)

    def deliver(self, ticket: Admitted, now_ns: int) -> bytes:
        """The next frame towards an admitted order, read back before it is handed out; b"" for a renewal.

        b"" also while the unit is still busy with something before it, or has had an update in this period: then
        `poll` goes on, with as much of the newest order as may be written (see `Ladder`). Raises `PairCheckFailed` when
        the frames would not say what the order says, or the unit is not ready.
        """
        if type(ticket.order) is Renew:
            return b""
        if self.phase is not Phase.READY:
            raise PairCheckFailed("the unit is not initialised, so nothing may be written")
        if checked_list(ticket.trains, self._known) is None:
            return self.release(now_ns)
        self._ladder.order(now_ns, ticket.trains)
        self.confirmed_zero = False
        return self._request(now_ns)

    # -- time --------------------------------------------------------------------------------------------------------

    def poll(self, now_ns: int, alive: bool) -> tuple[bytes, list[UnitEvent]]:
        """Bytes that fall due by `now_ns`, and what silence means. The keep-alive is sent only when `alive`."""
        events: list[UnitEvent] = []
        if now_ns < self.next_deadline():
            return b"", events
        phase = self.phase
        if phase in (Phase.READY, Phase.STOPPED):
            return self._keep(now_ns, alive, events), events
        if phase in (Phase.WAITING, Phase.STOPPING):
            return self._stop_again(now_ns, events), events
        if phase is Phase.FAULTED:
            return self.stop(now_ns), events
        if self._line.open:
            self._fail(now_ns, SILENT, events)
            return b"", events
        return self._ask(now_ns), events

    def _keep(self, now_ns: int, alive: bool, events: list[UnitEvent]) -> bytes:
        line = self._line
        data = b""
        if not alive:
            # Nothing that would feed the unit's watchdog: no update, no question, no list for later.
            self._last = None
            self._ladder.drop()
            self._watchdog_due_ns = max(self._watchdog_due_ns, now_ns + LOOK_AGAIN_NS)
            self._question_due_ns = max(self._question_due_ns, now_ns + LOOK_AGAIN_NS)
        if now_ns >= line.overdue_ns():
            if line.suspect or line.order is None or not alive:
                self._fail(now_ns, SILENT, events)
                return b""
            # One question before giving up: is the unit still there, and did the answer only come late?
            line.drop_question()
            line.suspect = True
            data = self._question(now_ns)
        if not alive:
            return data
        if self.phase is Phase.READY:
            data += self._request(now_ns)
        if now_ns >= self._watchdog_due_ns:
            self._watchdog_due_ns = now_ns + WATCHDOG_EVERY_NS
            data += encode(line.next_number(), Watchdog())
        if now_ns >= self._question_due_ns:
            if line.question is None:
                data += self._question(now_ns)
            else:
                self._question_due_ns = now_ns + LOOK_AGAIN_NS
        return data

    def _stop_again(self, now_ns: int, events: list[UnitEvent]) -> bytes:
        reply, self._init_reply = self._init_reply, None
        data = STOP if reply is None else encode(*reply) + STOP
        if self.phase is Phase.WAITING:
            self._due_ns = now_ns + STOP_LATER_NS
            if now_ns - self._begun_ns >= WAIT_FOR_UNIT_NS:
                self._say(NOT_A_REHASTIM2 if self._noise_bytes > NOISE_BYTES_MAX else NOTHING_SAID, events)
            return data
        if self._stop_tries >= STOP_TRIES:
            self._say(DEAF_TO_STOP, events)
        self._stop_tries += 1
        self._due_ns = now_ns + (STOP_EVERY_NS if self._stop_tries <= STOP_TRIES else STOP_LATER_NS)
        return data

    # -- sending -----------------------------------------------------------------------------------------------------

    def _request_due_ns(self) -> int:
        """When the next request about the list may go out."""
        if self._line.order is not None:
            return FOREVER
        wanted = self._wanted()
        if self._list is None or wanted is None or self._list != wanted.shape:
            return FOREVER if wanted is None else 0
        return max(self._next_start_ns, self._ladder.due_ns())

    def _request(self, now_ns: int) -> bytes:
        """The next request on the way to what is held; a list for the next burst where nothing is."""
        wanted = self._wanted()
        if wanted is None or now_ns < self._request_due_ns():
            return b""
        if self._list is None:
            return self._send(now_ns, INIT, self._line.next_number(), wanted, wanted.init)
        if self._list != wanted.shape:
            return self._end_list(now_ns)
        number = self._line.next_number()
        update = checked_list(self._ladder.take(now_ns, (START + ANSWER, number)), self._known)
        if update is None:
            return b""
        self._last = update
        self._next_start_ns = now_ns + update.period_us * 1000
        self.confirmed_zero = False
        self._belief.order(update.outputs)
        return self._send(now_ns, START, number, update, update.start)

    def _wanted(self) -> ListUpdate | None:
        """The list that is worked for: that of the newest order; where none waits, one for the next burst."""
        if self._ladder.waiting:
            return checked_list(self._ladder.aim, self._known)
        return self._last if self._list is None else None

    def _send(self, now_ns: int, command: int, number: int, update: ListUpdate, payload: bytes) -> bytes:
        data = list_frame(number, command, payload)
        self._line.send((command + ANSWER, number), Sent(now_ns + ACK_NS, update))
        return data

    def _end_list(self, now_ns: int) -> bytes:
        if self._mode is Mode.STARTED and self._list is not None:
            # The next list begins with a pulse at once: never sooner after the last pulse than one period.
            self._next_start_ns = now_ns + self._list[1] * 1000
        self._line.forget()
        self._belief.order(())
        number = self._line.next_number()
        self._line.send((STOP_LIST + ANSWER, number), Sent(now_ns + ACK_NS))
        return RELEASES[number]

    def _question(self, now_ns: int) -> bytes:
        number = self._line.next_number()
        expected = -1 if self._line.order is not None else int(self._mode)
        key = (COMMAND[GetStimulationMode] + ANSWER, number)
        self._line.send(key, Sent(now_ns + ACK_NS, expected=expected), is_question=True)
        self._question_due_ns = now_ns + QUESTION_EVERY_NS
        return encode(number, GetStimulationMode())

    def _ask(self, now_ns: int) -> bytes:
        """The question of the phase."""
        if self.phase is Phase.CHECKING:
            return self._question(now_ns)
        number = self._line.next_number()
        self._line.send((COMMAND[WhoAreYou] + ANSWER, number), Sent(now_ns + ACK_NS), is_question=True)
        return encode(number, WhoAreYou())


REHASTIM2 = StimulatorKind(
    "rehastim2",
    RehaStim2Driver,
    REHASTIM2_LIMITS,
    LineSettings(baud=460_800, parity="E", stop_bits=1),
    Capabilities(
        "RehaStim2",
        channels=REHASTIM2_LIMITS.channels,
        amplitude_step_ua=REHASTIM2_LIMITS.amplitude_step_ua,
        interphase_us=INTERPHASE_US,
        common_period=True,
        emergency_stop_input=True,
        watchdog_ms=1_200,
        electrode_test_ua_min=15_000,
        break_circuit="Press the unit's emergency switch, or pull the electrode leads out of the unit.",
    ),
    # FTDI's usual chip; that this unit shows exactly these numbers has not been seen.
    usb=((0x0403, 0x6001),),
    resembles=resembles,
)
