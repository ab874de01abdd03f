"""A simulated RehaStim2 without its host: mode, channels, electrodes, emergency stop and watchdog, on a given clock.

WAITING (Init every 500 ms) -- InitAck --> START -- list --> INITIALISED -- start --> STARTED
any but WAITING -- 1.2 s without a valid packet --> WAITING (everything off)
INITIALISED, STARTED -- StimulationError --> START (everything off)
"""

from enum import StrEnum
from typing import Any

from controller.wire.sciencemode2.messages import (
    CHANNELS,
    Init,
    InitChannelListMode,
    Motomed,
    StimulationError,
    StimulationFault,
)
from controller.wire.sciencemode2.rehastim2 import Message, encode
from sim.devices.rehastim2_output import Log, Output, Pulse

MS = 1_000_000
FOREVER = 1 << 62
WATCHDOG_NS = 1_200 * MS
INIT_EVERY_NS = 500 * MS
MOTOMED_EVERY_NS = 20 * MS
VERSION = 1
ACTUAL_VALUES = 60
ELECTRODE_UA_MIN = 15_000
"""Below this the test impulse cannot tell whether an electrode is on."""


class State(StrEnum):
    """Whether a host is there, and the mode."""

    WAITING = "waiting"
    START = "start"
    INITIALISED = "initialised"
    STARTED = "started"


class RehaStim2Unit:
    """Channels are numbered from 1 in everything that is said; `RehaStim2Twin` adds the host's side."""

    def __init__(self, log: Log | None, motomed: bool) -> None:
        self.state = State.WAITING
        self._log = log
        self._outputs = [Output(number + 1, log) for number in range(CHANNELS)]
        self._list: InitChannelListMode | None = None
        self._switch_open = False
        self._now_ns = -1
        self._alive_ns = 0
        self._init_due_ns = self._motomed_due_ns = self._deadline_ns = FOREVER
        self._motomed = motomed
        self._own_number = 0
        self._unasked = b""
        self._drive: tuple[tuple[int, int, int, int], ...] | None = None

    def advance(self, now_ns: int) -> bytes:
        """Live up to `now_ns` (the first call switches the unit on); what it says unasked."""
        if self._now_ns < 0:
            self._now_ns = self._init_due_ns = now_ns
            self._plan()
        while self._deadline_ns <= now_ns:
            self._happen(self._deadline_ns)
        self._now_ns = max(self._now_ns, now_ns)
        said, self._unasked = self._unasked, b""
        return said

    def next_deadline(self) -> int:
        """When something happens by itself, in ns; far away before the first call of `advance` or `feed`."""
        return self._deadline_ns

    def close(self, now_ns: int) -> None:
        """Live up to `now_ns` and log the trains that still run."""
        self.advance(now_ns)
        self._settle(now_ns)
        for output in self._outputs:
            output.flush()

    # -- at the skin -------------------------------------------------------------------------------------------------

    def drive(self) -> tuple[tuple[int, int, int, int], ...]:
        """(channel, amplitude_ua, width_us, period_us) of each train that reaches the skin now.

        Doublets and triplets appear as often as they have pulses. Single pulses are not among them.
        """
        if self._drive is None:
            self._drive = tuple(
                (output.number, pulse.amplitude_ua, pulse.width_us, output.period_us)
                for output in self._outputs
                if (pulse := output.pulse) is not None and pulse.amplitude_ua and output.contact
                for _ in range(pulse.group)
            )
        return self._drive

    @property
    def pulses(self) -> int:
        """Pulses delivered so far."""
        self._settle(self._now_ns)
        return sum(output.pulses for output in self._outputs)

    @property
    def charge_nc(self) -> float:
        """Charge delivered so far, one phase a pulse, in nanocoulomb."""
        self._settle(self._now_ns)
        return sum(output.charge_pc for output in self._outputs) / 1000

    def electrode(self, channel: int, ok: bool) -> None:
        """Stick the electrode of `channel` on or take it off, as of the last instant lived through."""
        if not 1 <= channel <= CHANNELS:
            raise ValueError(f"channels are 1 to {CHANNELS}, not {channel}")
        self._settle(self._now_ns)
        self._outputs[channel - 1].contact = ok
        self._drive = None
        self._plan()

    def suffer(self, fault: str, value: str, now_ns: int) -> bool:
        """Make `fault` happen, or end it (`value` "off" or "ok"); False where this unit has no such fault.

        What the unit says of it comes with the next `advance`. Values: `electrode-off` a channel, `unsolicited-error`
        the code (-3 unless given).
        """
        self._unasked = self.advance(now_ns) + self._unasked
        name, _, more = value.partition(" ")
        ends = (more or name) in ("off", "ok")
        if fault == "electrode-off" and name.isdecimal():
            self.electrode(int(name), ends)
        elif fault == "e-stop":
            self._switch_open = not ends
            if self._switch_open and self.state in (State.INITIALISED, State.STARTED):
                self._error(now_ns, StimulationFault.EMERGENCY_STOP)
        elif fault == "reset" and not ends:
            self._begin_anew(now_ns, "reset", now_ns + INIT_EVERY_NS)
        elif fault == "unsolicited-error" and value in ("", "-1", "-2", "-3"):
            if self.state is not State.WAITING:
                self._error(now_ns, int(value or "-3"))
        else:
            return False
        self._plan()
        return True

    # -- what happens by itself --------------------------------------------------------------------------------------

    def _plan(self) -> None:
        if self.state is State.WAITING:
            self._deadline_ns = self._init_due_ns
            return
        due_ns = min(self._alive_ns + WATCHDOG_NS, self._motomed_due_ns)
        for output in self._outputs:
            if self._misses(output):
                due_ns = min(due_ns, max(output.next_pulse_ns, self._now_ns))
        self._deadline_ns = due_ns

    def _happen(self, at_ns: int) -> None:
        """Whatever is due at `at_ns`."""
        self._settle(at_ns)
        self._now_ns = at_ns
        if any(self._misses(output) and output.next_pulse_ns <= at_ns for output in self._outputs):
            self._error(at_ns, StimulationFault.ELECTRODE)
        if self.state is not State.WAITING and at_ns >= self._alive_ns + WATCHDOG_NS:
            self._note(at_ns, "fault", fault="watchdog")
            self._begin_anew(at_ns, "watchdog", at_ns)
        if self.state is State.WAITING and at_ns >= self._init_due_ns:
            self._say(Init(VERSION))
            self._init_due_ns = at_ns + INIT_EVERY_NS
        if at_ns >= self._motomed_due_ns:
            self._motomed_due_ns = at_ns + MOTOMED_EVERY_NS
            turn = at_ns // MOTOMED_EVERY_NS
            self._say(Motomed(ACTUAL_VALUES, (turn % 360).to_bytes(2) + (240).to_bytes(2) + (129).to_bytes(2)))
        self._plan()

    def _misses(self, output: Output, pulse: Pulse | None = None) -> bool:
        """The test impulse before the pulse (the next of what runs) finds no electrode."""
        pulse = pulse or output.pulse
        return pulse is not None and not output.contact and pulse.amplitude_ua >= ELECTRODE_UA_MIN

    def _meet(self, now_ns: int) -> None:
        """A host has answered."""
        self._alive_ns = now_ns
        self._init_due_ns = FOREVER
        if self._motomed:
            self._motomed_due_ns = now_ns + MOTOMED_EVERY_NS
        self._enter(now_ns, State.START, "host")

    def _begin_anew(self, now_ns: int, why: str, init_due_ns: int) -> None:
        """Everything off, all modes reset, no host."""
        self._all_off(now_ns)
        self._init_due_ns, self._motomed_due_ns = init_due_ns, FOREVER
        self._enter(now_ns, State.WAITING, why)

    def _error(self, now_ns: int, code: int) -> None:
        """The unit stops by itself, falls back to its start mode and says so."""
        self._all_off(now_ns)
        named = {entry.value: entry.name.lower().replace("_", " ") for entry in StimulationFault}
        lost = [output.number for output in self._outputs if not output.contact]
        more = {"channel": lost[0]} if code == StimulationFault.ELECTRODE and lost else {}
        self._note(now_ns, "fault", fault=named.get(code, str(code)), **more)
        self._enter(now_ns, State.START, "error")
        self._say(StimulationError(code))

    def _say(self, message: Message) -> None:
        """Something unasked, under the unit's own packet number."""
        self._unasked += encode(self._own_number, message)
        self._own_number = (self._own_number + 1) & 0xFF

    def _settle(self, now_ns: int) -> None:
        for output in self._outputs:
            output.settle(now_ns)

    def _all_off(self, now_ns: int) -> None:
        self._settle(now_ns)
        for output in self._outputs:
            output.off()
        self._list = self._drive = None

    def _enter(self, now_ns: int, state: State, why: str) -> None:
        if state is not self.state:
            self.state = state
            self._note(now_ns, "state", state=state, why=why)

    def _note(self, now_ns: int, kind: str, **more: Any) -> None:
        if self._log is not None:
            self._log({"kind": kind, "t_ns": now_ns, **more})
