"""The listening half of the RehaStim2's driver: where the connection is, and what each message means for it.

Whatever arrives, nothing is raised: damaged frames, answers to nothing that was asked and answers of the wrong kind
are counted; what belongs to a MOTOmed trainer is let pass. A fault is said once for each cause until a person re-arms.
"""

from collections.abc import Callable
from enum import IntEnum, auto
from typing import ClassVar

from controller.drivers.stimulators.events import Confirmed, Identified, Ready, UnitEvent, UnitFault
from controller.drivers.stimulators.ladder import Ladder
from controller.drivers.stimulators.rehastim2_belief import Belief
from controller.drivers.stimulators.rehastim2_faults import (
    DEAF_TO_STOP,
    NOT_A_REHASTIM2,
    NOTHING_SAID,
    SESSION_LOST,
    UNCONFIRMED,
    fault_of,
    mode_fault,
    stimulation_fault,
    unknown_command_fault,
    version_fault,
)
from controller.drivers.stimulators.rehastim2_line import FOREVER, Key, Line, Sent
from controller.drivers.stimulators.rehastim2_orders import INIT, REHASTIM2_LIMITS, START, STOP_KEY, Known, ListUpdate
from controller.wire.errors import RemoteError
from controller.wire.sciencemode2.frame import Frame, Framer
from controller.wire.sciencemode2.messages import (
    Ack,
    Init,
    InitAck,
    Mode,
    Motomed,
    Result,
    SimulatedName,
    StimulationError,
    StimulationFault,
    StimulationMode,
    UnknownCommand,
)
from controller.wire.sciencemode2.rehastim2 import SIMULATED_NAME, WHO_ARE_YOU, Message, decode_answer

MS = 1_000_000
QUESTION_EVERY_NS = WATCHDOG_EVERY_NS = 400 * MS
RETRY_NS = 1_000 * MS
VERSION = 1
REAL = "RehaStim2"
"""The protocol has no identity; a unit that does not know our question is one of these."""


class Phase(IntEnum):
    """Where the connection is. `WAITING`: nothing has been heard yet. `CHECKING`: it is asked whether it is at rest."""

    CLOSED = auto()
    WAITING = auto()
    STOPPING = auto()
    IDENTIFYING = auto()
    CHECKING = auto()
    READY = auto()
    STOPPED = auto()
    FAULTED = auto()


class RehaStim2Connection:
    """State of one connection, changed by what the unit says. `RehaStim2Driver` adds what is said to the unit."""

    def __init__(self) -> None:
        self.phase = Phase.CLOSED
        self.identity = ""
        self.version = ""
        self.confirmed_at_ns = 0
        self.confirmed_zero = False
        """True when the unit has acknowledged that everything is off and nothing was ordered since."""
        self._framer = Framer()
        self._odd = 0
        self._noise_bytes = 0
        """Bytes that came before anything that a RehaStim2 says."""
        self._met = False
        """The unit has said who it is since it last began a session."""
        self._goal_ready = False
        self._line = Line()
        self._belief = Belief()
        self._known: Known = {}
        self._init_reply: tuple[int, InitAck] | None = None
        self._mode = Mode.START
        self._list: tuple[int, int] | None = None
        """What the unit's list was initialised with, while it is initialised or started."""
        self._ladder = Ladder(REHASTIM2_LIMITS.amplitude_step_ua)
        self._last: ListUpdate | None = None
        self._question_due_ns = self._watchdog_due_ns = 0
        self._due_ns = FOREVER
        self._stop_tries = 0
        self._said: set[str] = set()

    @property
    def wire_faults(self) -> int:
        """Damaged frames, stray bytes, and answers to nothing that was asked, since the connection began."""
        return self._framer.bad + self._odd

    def feed(self, now_ns: int, data: bytes) -> list[UnitEvent]:
        """Take bytes from the unit. Whatever they are, nothing is raised; what does not belong is counted."""
        events: list[UnitEvent] = []
        if self.phase is Phase.WAITING:
            self._noise_bytes += len(data)
        for frame in self._framer.feed(data):
            if type(frame) is not Frame:
                continue
            try:
                message = decode_answer(frame)
            except RemoteError:
                self._odd += 1
                continue
            if type(message) is not Motomed:
                self._take(now_ns, (frame.command, frame.packet_number), message, events)
            elif self.phase is Phase.WAITING:
                self._heard(now_ns)  # a trainer's frames come only from a unit whose session is open
        return events

    def _take(self, now_ns: int, key: Key, message: Message, events: list[UnitEvent]) -> None:
        kind = type(message)
        if self.phase is Phase.WAITING and kind is not Init:
            self._heard(now_ns)
        if kind is Init:
            self._on_init(now_ns, key[1], message, events)
        elif kind is StimulationError:
            self._on_error(now_ns, message, events)
        elif key == STOP_KEY:
            self._on_stop_answer(now_ns, message.result, events)
        elif kind is UnknownCommand:
            self._on_unknown(now_ns, message, events)
        else:
            sent = self._line.take(key)
            if sent is not None:
                self.confirmed_at_ns = now_ns
                self._HANDLERS[kind](self, now_ns, key, sent, message, events)
            elif not self._line.is_stale(key):
                self._odd += 1

    def _heard(self, now_ns: int) -> None:
        """The unit is there, in a session that somebody began: what is left is that it confirms STOP."""
        self.phase = Phase.STOPPING
        self._stop_tries = 0
        self._due_ns = now_ns

    # -- what the unit says unasked ----------------------------------------------------------------------------------

    def _on_init(self, now_ns: int, number: int, message: Init, events: list[UnitEvent]) -> None:
        """The unit begins anew: all its modes are reset, nothing runs."""
        fits = message.version == VERSION
        self._init_reply = (number, InitAck(Result.OK if fits else Result.INCOMPATIBLE))
        self.version = str(message.version)
        was, self._met = self.phase, False
        self._settle()
        if not fits:
            self._fail(now_ns, version_fault(message.version), events)
            self._due_ns = now_ns
        elif was is Phase.READY:
            self._fail(now_ns, SESSION_LOST, events)
        elif was not in (Phase.CLOSED, Phase.FAULTED):
            self._line.forget()
            self.confirmed_zero = False
            self._heard(now_ns)

    def _on_error(self, now_ns: int, message: StimulationError, events: list[UnitEvent]) -> None:
        channels = self._belief.channels() or sorted(self._belief.faults)
        fault = stimulation_fault(message.fault, channels)
        if message.fault == StimulationFault.ELECTRODE:
            self._belief.faults = dict.fromkeys(channels, "electrode")
        self._settle()
        if self.phase in (Phase.CLOSED, Phase.STOPPING, Phase.FAULTED):
            self._say(fault, events)
        else:
            self._fail(now_ns, fault, events)

    def _on_unknown(self, now_ns: int, message: UnknownCommand, events: list[UnitEvent]) -> None:
        """The packet number of this answer is not documented, so it is matched by the command that it names."""
        asked = next((key for key in self._line.open if key[0] == SIMULATED_NAME), None)
        if message.command == WHO_ARE_YOU and asked is not None:
            self._line.take(asked)
            self._meet(now_ns, REAL, events)
        else:
            self._odd += 1
            if message.command != WHO_ARE_YOU and self.phase in (Phase.CHECKING, Phase.READY, Phase.STOPPED):
                self._fail(now_ns, unknown_command_fault(message.command), events)

    # -- what the unit answers ---------------------------------------------------------------------------------------

    def _on_stop_answer(self, now_ns: int, result: int, events: list[UnitEvent]) -> None:
        if self.phase is not Phase.STOPPING or self._init_reply is not None:
            return  # the answer to an earlier stop: that one has done its work, or the unit has begun anew since
        self.confirmed_at_ns = now_ns
        # "Wrong mode" is as good an answer: what has not been started does not stimulate.
        if result not in (Result.OK, Result.WRONG_MODE):
            return  # `poll` repeats it
        self._settle()
        self._note_zero(now_ns, events)
        self._said -= {DEAF_TO_STOP.cause, NOTHING_SAID.cause, NOT_A_REHASTIM2.cause}
        self._step(now_ns)

    def _on_name(self, now_ns: int, key: Key, sent: Sent, message: SimulatedName, events: list[UnitEvent]) -> None:
        self._meet(now_ns, message.name, events)

    def _on_mode(self, now_ns: int, key: Key, sent: Sent, message: StimulationMode, events: list[UnitEvent]) -> None:
        line = self._line
        suspected, line.suspect = line.suspect, False
        if message.result:
            self._fail(now_ns, fault_of(message.result), events)
        elif sent.expected >= 0 and message.mode != sent.expected:
            self._fail(now_ns, mode_fault(sent.expected, message.mode), events)
        elif suspected and line.overdue_ns() <= now_ns:
            self._fail(now_ns, UNCONFIRMED, events)
        elif self.phase is Phase.CHECKING:
            self.phase = Phase.READY
            self._watch(now_ns)
            events.append(Ready())
        elif sent.expected == Mode.STARTED and not self._belief.running and self._mode is Mode.STARTED:
            self._belief.running = True
            events.append(Confirmed(now_ns, self._belief.confirmed()))

    def _on_ack(self, now_ns: int, key: Key, sent: Sent, message: Ack, events: list[UnitEvent]) -> None:
        ends = key[0] not in (INIT + 1, START + 1)
        if message.result and not (ends and message.result == Result.WRONG_MODE):
            self._fail(now_ns, fault_of(message.result), events)
        elif key[0] == INIT + 1 and sent.update is not None:
            self._mode, self._list = Mode.INITIALISED, sent.update.shape
        elif key[0] == START + 1 and sent.update is not None:
            self._ladder.answered(now_ns, key)
            before = self._belief.confirmed()
            self._belief.acknowledge(sent.update.outputs)
            if self._mode is not Mode.STARTED:
                self._mode = Mode.STARTED
                self._question_due_ns = now_ns  # it has just come on: does it really run?
            elif self._belief.confirmed() != before:
                events.append(Confirmed(now_ns, self._belief.confirmed()))
        elif ends:
            self._settle()
            if not self._ladder.waiting:
                self._note_zero(now_ns, events)

    def _meet(self, now_ns: int, identity: str, events: list[UnitEvent]) -> None:
        self.confirmed_at_ns = now_ns
        self.identity, self._met = identity, True
        events.append(Identified(identity, f"ScienceMode 2, version {self.version}" if self.version else ""))
        self._step(now_ns)

    # -- what follows ------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """The unit is in its start mode: nothing runs, no list is initialised."""
        self._mode, self._list = Mode.START, None
        self._belief.ended()

    def _note_zero(self, now_ns: int, events: list[UnitEvent]) -> None:
        if not self.confirmed_zero:
            self.confirmed_zero = True
            events.append(Confirmed(now_ns, ()))

    def _fail(self, now_ns: int, fault: UnitFault, events: list[UnitEvent]) -> None:
        self._line.forget()
        self._last = None
        self._ladder.off()
        self.phase = Phase.FAULTED
        self._due_ns = FOREVER if self.identity else now_ns + RETRY_NS
        self._say(fault, events)

    def _say(self, fault: UnitFault, events: list[UnitEvent]) -> None:
        """Each cause once until a person re-arms: a unit that keeps failing must not flood the record."""
        if fault.cause not in self._said:
            self._said.add(fault.cause)
            events.append(fault)

    def _step(self, now_ns: int) -> None:
        """The next step towards the goal, from a unit that is known to be off; `poll` asks the question of it."""
        if not self._met:
            self.phase = Phase.IDENTIFYING
        else:
            self.phase = Phase.CHECKING if self._goal_ready else Phase.STOPPED
        self._watch(now_ns)

    def _watch(self, now_ns: int) -> None:
        """From now on the unit is kept alive and asked at the usual intervals."""
        self._question_due_ns = now_ns + QUESTION_EVERY_NS
        self._watchdog_due_ns = now_ns + WATCHDOG_EVERY_NS

    _HANDLERS: ClassVar[dict[type, Callable[..., None]]] = {
        Ack: _on_ack,
        StimulationMode: _on_mode,
        SimulatedName: _on_name,
    }
