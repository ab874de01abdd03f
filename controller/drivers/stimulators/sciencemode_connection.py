"""The listening half of a ScienceMode driver: where the connection is, and what each answer of the unit means for it.

Whatever arrives, nothing is raised: damaged frames, answers to nothing that was asked and answers of the wrong kind
are counted. A fault is said once for each cause until a person re-arms.
"""

from collections.abc import Callable
from enum import IntEnum, auto
from typing import ClassVar

from controller.drivers.stimulators.events import Confirmed, Identified, Ready, UnitEvent, UnitFault
from controller.drivers.stimulators.ladder import Ladder
from controller.drivers.stimulators.sciencemode_belief import Belief
from controller.drivers.stimulators.sciencemode_faults import (
    DEAF_TO_STOP,
    STILL_RUNNING,
    battery_fault,
    battery_warning,
    fault_of,
    unconfirmed,
    version_fault,
)
from controller.drivers.stimulators.sciencemode_orders import STOP_FRAMES, Known
from controller.drivers.stimulators.sciencemode_profile import Profile
from controller.drivers.stimulators.sciencemode_window import FOREVER, UPDATE_ACK, Key, Sent, Window
from controller.wire.errors import RemoteError
from controller.wire.sciencemode.catalogue import Message
from controller.wire.sciencemode.frame import Frame, Framer
from controller.wire.sciencemode.messages import (
    GENERAL_ERROR,
    UNKNOWN_COMMAND,
    Ack,
    BatteryStatus,
    ChannelReport,
    DeviceId,
    ExtendedVersion,
    Level,
    Result,
    RunReport,
    StimStatus,
    VersionMain,
)

MS = 1_000_000
STATUS_EVERY_NS = 400 * MS
RETRY_NS = 1_000 * MS
BATTERY_EVERY_NS = 30_000 * MS


class Phase(IntEnum):
    """Where the connection is."""

    CLOSED = auto()
    STOPPING = auto()
    IDENTIFYING = auto()
    VERSIONING = auto()
    VERSIONING_OTHERWISE = auto()  # the unit did not know the question for the version: asked as another kind is asked
    CHARGE = auto()
    INITIALISING = auto()
    READY = auto()
    STOPPED = auto()
    FAULTED = auto()


class ScienceModeConnection:
    """State of one connection, changed by what the unit says. The driver adds what is said to the unit."""

    profile: ClassVar[Profile]

    def __init__(self) -> None:
        self.phase = Phase.CLOSED
        self.identity = ""
        self._known: Known = {}
        self.version = ""
        self.confirmed_at_ns = 0
        self.confirmed_zero = False
        """True when the unit has acknowledged that everything is off and nothing was ordered since."""
        self.battery_percent: int | None = None
        self._charged = False
        """The battery has been found good enough since the unit was last stopped."""
        self._battery_due_ns = 0
        self._decode = self.profile.catalogue.decode_answer
        self._framer = Framer()
        self._odd = 0
        self._goal_ready = False
        self._window = Window()
        self._status_due_ns = 0
        self._due_ns = FOREVER
        self._stop_tries = 0
        self._said: set[str] = set()
        self._belief = Belief()
        self._ladder = Ladder(self.profile.limits.amplitude_step_ua)

    @property
    def wire_faults(self) -> int:
        """Damaged frames, stray bytes, and answers to nothing that was asked, since the connection began."""
        return self._framer.bad + self._odd

    def feed(self, now_ns: int, data: bytes) -> list[UnitEvent]:
        """Take bytes from the unit. Whatever they are, nothing is raised; what does not belong is counted."""
        events: list[UnitEvent] = []
        for frame in self._framer.feed(data):
            if type(frame) is not Frame:
                continue
            try:
                answer = self._decode(frame)
            except RemoteError:
                self._odd += 1
                continue
            self._take(now_ns, (frame.command, frame.packet_number), answer, events)
        return events

    def _take(self, now_ns: int, key: Key, answer: Message, events: list[UnitEvent]) -> None:
        sent = self._window.open.pop(key, None)
        if sent is not None:
            self.confirmed_at_ns = now_ns
            if answer.result == Result.INVALID_COMMAND and self.phase is Phase.VERSIONING:
                self._ask_otherwise()
            elif answer.result:
                channels = [channel for channel, _ in sent.outputs]
                self._fail(now_ns, fault_of(self.profile, answer.result, channels), events)
            else:
                self._HANDLERS[type(answer)](self, now_ns, key, sent, answer, events)
        elif key in (STOP_FRAMES.off_key, STOP_FRAMES.stop_key):
            self._on_stop_answer(now_ns, key, answer.result, events)
        elif key == STOP_FRAMES.low_key:
            self.confirmed_at_ns = now_ns  # whatever it answers: the stop before it says what is so
        elif key[0] == UNKNOWN_COMMAND and self.phase is Phase.VERSIONING and self._window.carries(key[1]):
            self.confirmed_at_ns = now_ns
            self._ask_otherwise()
        elif not self._window.is_stale(key):
            self._odd += 1
            listening = self.phase not in (Phase.CLOSED, Phase.STOPPING, Phase.FAULTED)
            if key[0] in (GENERAL_ERROR, UNKNOWN_COMMAND) and listening:
                self._fail(now_ns, fault_of(self.profile, answer.result), events)

    def _on_ack(self, now_ns: int, key: Key, sent: Sent, answer: Ack, events: list[UnitEvent]) -> None:
        if key[0] == UPDATE_ACK:
            self._ladder.answered(now_ns, key)
            self._belief.acknowledge(sent.outputs)
            if not sent.outputs and key == self._window.last_update:
                self._note_zero(now_ns, events)
            return
        self.phase = Phase.READY
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        events.append(Ready())

    def _on_report(
        self, now_ns: int, key: Key, sent: Sent, answer: ChannelReport | RunReport, events: list[UnitEvent]
    ) -> None:
        if type(answer) is not self.profile.report:
            self._on_other(now_ns, key, sent, answer, events)
            return
        window = self._window
        window.probe = None
        suspected, window.suspect = window.suspect, False
        if suspected and window.overdue_ns() <= now_ns:
            self._fail(now_ns, unconfirmed(self.profile), events)
            return
        before = self._belief.confirmed()
        fault = self._belief.report(sent.mask, answer)
        if fault is not None:
            self._fail(now_ns, fault, events)
        elif self._belief.confirmed() != before:
            events.append(Confirmed(now_ns, self._belief.confirmed()))

    def _on_identity(self, now_ns: int, key: Key, sent: Sent, answer: DeviceId, events: list[UnitEvent]) -> None:
        self.identity = answer.identity or "unnamed"
        events.append(Identified(self.identity))
        self._step(now_ns)

    def _ask_otherwise(self) -> None:
        self._window.forget()
        self.phase, self._status_due_ns = Phase.VERSIONING_OTHERWISE, 0

    def _on_version(
        self, now_ns: int, key: Key, sent: Sent, answer: ExtendedVersion | VersionMain, events: list[UnitEvent]
    ) -> None:
        if answer.protocol[0] != self.profile.generation:
            self._fail(now_ns, version_fault(self.profile, answer.protocol), events)
            return
        self.version = ".".join(str(part) for part in answer.firmware)
        self._step(now_ns)

    def _on_battery(self, now_ns: int, key: Key, sent: Sent, answer: BatteryStatus, events: list[UnitEvent]) -> None:
        """Too low before anything was delivered is a fault; once the unit is in use, it is said and use goes on."""
        self.battery_percent = answer.percent
        self._battery_due_ns = now_ns + BATTERY_EVERY_NS
        low = not self.profile.battery_percent_min <= answer.percent <= 100
        if low and self.phase is Phase.READY and self._belief.used:
            warning = battery_warning(answer.percent)
            if warning.cause not in self._said:
                self._said.add(warning.cause)
                events.append(warning)
        elif low:
            self._fail(now_ns, battery_fault(self.profile, answer.percent), events)
        elif self.phase is Phase.CHARGE:
            self._charged = True
            self._step(now_ns)

    def _on_status(self, now_ns: int, key: Key, sent: Sent, answer: StimStatus, events: list[UnitEvent]) -> None:
        self._status_due_ns = now_ns + STATUS_EVERY_NS
        if answer.level == Level.MID_RUNNING:
            self._fail(now_ns, STILL_RUNNING, events)

    def _on_other(self, now_ns: int, key: Key, sent: Sent, answer: Message, events: list[UnitEvent]) -> None:
        """An answer of a kind that was not asked for under this number: as good as none."""
        self._odd += 1
        self._window.open[key] = sent

    def _on_stop_answer(self, now_ns: int, key: Key, result: int, events: list[UnitEvent]) -> None:
        if self.phase is not Phase.STOPPING:
            return  # the answer to a repeated stop, after the first answer has done its work
        self.confirmed_at_ns = now_ns
        # "Not initialised" is as good an answer: what has no level does not stimulate.
        if result not in (Result.OK, Result.NOT_INITIALISED):
            self._fail(now_ns, fault_of(self.profile, result), events)
            return
        self._belief.acknowledge(())
        self._note_zero(now_ns, events)
        if key == STOP_FRAMES.stop_key:
            self._window.settled()
            self._said.discard(DEAF_TO_STOP.cause)
            self._step(now_ns)

    def _note_zero(self, now_ns: int, events: list[UnitEvent]) -> None:
        if not self.confirmed_zero:
            self.confirmed_zero = True
            events.append(Confirmed(now_ns, ()))

    def _fail(self, now_ns: int, fault: UnitFault, events: list[UnitEvent]) -> None:
        self._window.forget()
        self._ladder.off()
        self.phase = Phase.FAULTED
        self._due_ns = FOREVER if self.identity else now_ns + RETRY_NS
        self._say(fault, events)

    def _say(self, fault: UnitFault, events: list[UnitEvent]) -> None:
        """Each cause once until a person re-arms: a unit that keeps failing must not flood the record."""
        if fault.cause not in self._said:
            self._said.add(fault.cause)
            events.append(fault)

    def _next_phase(self) -> Phase:
        """The next step towards the goal, from a unit that is known to be off."""
        if not self.identity:
            return Phase.IDENTIFYING
        if not self.version:
            return Phase.VERSIONING
        if self._goal_ready and self.profile.battery_percent_min and not self._charged:
            return Phase.CHARGE
        return Phase.INITIALISING if self._goal_ready else Phase.STOPPED

    def _step(self, now_ns: int) -> None:
        """Enter the next phase; `poll` asks its question, at once except where it only watches."""
        self.phase = self._next_phase()
        self._status_due_ns = now_ns + STATUS_EVERY_NS if self.phase is Phase.STOPPED else 0

    _HANDLERS: ClassVar[dict[type, Callable[..., None]]] = {
        Ack: _on_ack,
        ChannelReport: _on_report,
        RunReport: _on_report,
        DeviceId: _on_identity,
        ExtendedVersion: _on_version,
        VersionMain: _on_version,
        BatteryStatus: _on_battery,
        StimStatus: _on_status,
    }
