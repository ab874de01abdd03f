"""A simulated ScienceMode unit without its host: level, channels, electrodes watchdog, on the caller's clock."""

from enum import StrEnum
from typing import Any, ClassVar

from controller.wire.sciencemode.messages import ChannelUpdate
from sim.devices.sciencemode_output import ELECTRODE, LOW_CURRENT, Channel, Log
from sim.devices.sciencemode_profile import TwinProfile

MS = 1_000_000
FOREVER = 1 << 62
WATCHDOG_NS = 2_000 * MS
FAULT_NAMES = {ELECTRODE: "electrode", LOW_CURRENT: "low current"}


class State(StrEnum):
    """What level is up, and whether it runs."""

    NONE = "none"
    LL = "ll"
    ML = "ml"
    RUNNING = "running"


class ScienceModeUnit:
    """Channels are numbered from 1 in everything that is said; `ScienceModeTwin` adds the host's side."""

    profile: ClassVar[TwinProfile]

    def __init__(self, log: Log | None) -> None:
        self.state = State.NONE
        self._log = log
        self._channels = [Channel(number + 1, log) for number in range(self.profile.channels)]
        self._errors = [0] * self.profile.channels
        self._stop_all = False
        self._now_ns = 0
        self._alive_ns = 0
        self._deadline_ns = FOREVER
        self._switched_ns = FOREVER
        self._update: tuple[ChannelUpdate, ...] | None = None
        self._drive: tuple[tuple[int, int, int, int], ...] | None = None
        self._unasked = b""

    def advance(self, now_ns: int) -> bytes:
        """Live up to `now_ns`: delayed answers, the watchdog, electrodes that are missed."""
        answers = b""
        while self._deadline_ns <= now_ns:
            answers += self._happen(self._deadline_ns)
        if now_ns > self._now_ns:
            self._now_ns = now_ns
        return answers

    def next_deadline(self) -> int:
        """When something happens by itself, in ns."""
        return self._deadline_ns

    def close(self, now_ns: int) -> None:
        """Live up to `now_ns` and log the trains that still run."""
        self.advance(now_ns)
        for channel in self._channels:
            channel.settle(now_ns)
            channel.flush()

    # -- at the skin -------------------------------------------------------------------------------------------------

    def drive(self) -> tuple[tuple[int, int, int, int], ...]:
        """(channel, amplitude_ua, width_us, period_us) of each train that reaches the skin now."""
        if self._drive is None:
            self._drive = tuple(
                (channel.number, shape.amplitude_ua, shape.width_us, shape.period_us)
                for channel in self._channels
                if (shape := channel.shape) is not None and shape.amplitude_ua and channel.contact
            )
        return self._drive

    @property
    def pulses(self) -> int:
        """Pulses delivered so far."""
        self._settle(self._now_ns)
        return sum(channel.pulses for channel in self._channels)

    @property
    def charge_nc(self) -> float:
        """Charge delivered so far, one phase a pulse, in nanocoulomb."""
        self._settle(self._now_ns)
        return sum(channel.charge_pc for channel in self._channels) / 1000

    def electrode(self, channel: int, ok: bool) -> None:
        """Stick the electrode of `channel` on or take it off, as of the last instant lived through."""
        self.contact(channel, ok, ELECTRODE)

    def contact(self, channel: int, ok: bool, symptom: int) -> None:
        """The same, for whatever keeps current from the skin: the unit notices it as `symptom`."""
        if not 1 <= channel <= self.profile.channels:
            raise ValueError(f"channels are 1 to {self.profile.channels}, not {channel}")
        self._settle(self._now_ns)
        place = self._channels[channel - 1]
        place.contact, place.symptom = ok, symptom
        self._drive = None
        self._plan()

    # -- what happens by itself --------------------------------------------------------------------------------------

    def _plan(self) -> None:
        due = self._now_ns if self._unasked else self._switched_ns
        for channel in self._channels:
            if (shape := channel.shape) is None:
                continue
            due = min(due, self._alive_ns + WATCHDOG_NS)
            if channel.missed(shape):
                due = min(due, max(channel.next_pulse_ns, self._now_ns))
        self._deadline_ns = due

    def _happen(self, at_ns: int) -> bytes:
        """Whatever is due at `at_ns`."""
        self._settle(at_ns)
        self._now_ns = at_ns
        answers, self._unasked = self._unasked, b""
        answers += self._switched(at_ns) if self._switched_ns <= at_ns else b""
        for index, channel in enumerate(self._channels):
            shape = channel.shape
            if shape is not None and channel.missed(shape) and channel.next_pulse_ns <= at_ns:
                self._electrode_fault(at_ns, index)
        if self.state is State.RUNNING and at_ns >= self._alive_ns + WATCHDOG_NS:
            self._all_off()
            self._note(at_ns, "fault", fault="watchdog")
            self._enter(at_ns, State.ML, "watchdog")
        self._plan()
        return answers

    def _switched(self, at_ns: int) -> bytes:
        """The high voltage has been switched."""
        self._switched_ns = FOREVER
        return b""

    def _electrode_fault(self, at_ns: int, index: int) -> None:
        symptom = self._errors[index] = self._channels[index].symptom
        self._note(at_ns, "fault", fault=FAULT_NAMES[symptom], channel=index + 1)
        if self._stop_all:
            self._all_off()
        else:
            self._channels[index].off()
        self._update = self._drive = None

    def _restart(self, now_ns: int) -> None:
        """The unit starts anew by itself, as a weak supply makes it: what it was about to say is lost."""
        self._unasked = b""
        self._switched_ns = FOREVER

    def _settle(self, now_ns: int) -> None:
        for channel in self._channels:
            if channel.shape is not None:
                channel.settle(now_ns)

    def _all_off(self) -> None:
        for channel in self._channels:
            channel.off()
        self._update = self._drive = None

    def _enter(self, now_ns: int, state: State, why: str) -> None:
        if state is not self.state:
            self.state = state
            self._note(now_ns, "state", state=state, why=why)

    def _note(self, now_ns: int, kind: str, **more: Any) -> None:
        if self._log is not None:
            self._log({"kind": kind, "t_ns": now_ns, **more})
