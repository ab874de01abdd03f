"""A patient's dose of today, kept over restarts: the core's half. The disk's half is `dose_book`.

When a patient and day are prescribed for, what was written down earlier is asked for, and until it is known nothing
can be armed; the prescription itself waits, for a ceiling found earlier that day bounds it. A dose that cannot be read,
or was changed, is never taken for none. Each change is handed out to be written, with what of it still counts for the
rests: at the start of a burst with the longest that it may last, at its end with what it was. So a gateway that is
killed in between leaves too much on paper, never too little.
"""

from typing import Any

from controller.gateway import ports
from controller.gateway.voice import Voice
from controller.vocabulary.requests import Prescribe, PrescribeJoint
from safety.guard import Guard

Wish = Prescribe | PrescribeJoint
WAITING_MAX = 64
"""Prescriptions that wait for a day's dose to be read: more than channels and joint can have in that instant."""


class DoseKeeper:
    """`kept` False: there is nowhere to write it down (a run without a disk); it is then counted from zero."""

    def __init__(self, guard: Guard, voice: Voice, kept: bool) -> None:
        self.blocked = ""
        """Why nothing may be armed, in one sentence with what to do; "" when the day's dose is known."""
        self._guard = guard
        self._voice = voice
        self._kept = kept
        self._whose = ("", "")
        self._known = False
        self._written: tuple[Any, ...] = ()
        self._for = ("", "")
        self._waiting: list[Wish] = []
        self._reading = False

    def meet(self, patient: str, date: str) -> None:
        """This patient, on this day, is prescribed for from now on."""
        self._for = (patient, date)
        self._ask(patient, date)

    def hold(self, wish: Wish) -> bool:
        """True when this waits: what was found earlier that day is read first, for it may bound what is found now."""
        if not self._kept:
            return False
        self._ask(wish.patient, wish.date)
        if self._reading and len(self._waiting) < WAITING_MAX:
            self._waiting.append(wish)
        return self._reading

    def take_waiting(self) -> list[Wish]:
        """What waited for the answer, in its order; each is to be put to the guard now."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def ceilings(self) -> tuple[tuple[int, str, int], ...]:
        """(channel, region, uA) of what was found so far today for the patient who is prescribed for."""
        return self._guard.ceilings(*self._for)

    def settle(self) -> None:
        """What waited has been put to the guard: the book is that of the patient who is prescribed now."""
        if not self._reading and self._for != ("", ""):
            self._ask(*self._for)

    def _ask(self, patient: str, date: str) -> None:
        if not self._kept or (patient, date) == self._whose:
            return
        self._whose = (patient, date)
        self._known, self._reading, self._waiting = False, True, []
        self.blocked = "What this patient had today is being read. Wait a moment."
        self._voice.out.append(ports.OpenDose(patient, date))

    def read(self, now_ns: int, found: ports.DoseRead) -> None:
        """What was written down earlier today, or why that cannot be known."""
        if (found.patient, found.date) != self._whose:
            return
        self._reading = False
        fault = found.fault or self._take(now_ns, found)
        self.blocked = _unknown(fault) if fault else ""
        self._known = not self.blocked
        self._written = (found.amounts, found.ceilings, found.torques)
        told = {"patient": found.patient, "date": found.date, "amounts": found.amounts, "fault": self.blocked}
        self._voice.log(now_ns, "dose_read", told, sync=True)

    def failed(self, now_ns: int, cause: str) -> None:
        """It cannot be written down any more: nothing more is delivered, for a restart would not know of it."""
        self.blocked = f"Today's dose cannot be written down ({cause}). Make room or mend the disk, then start again."
        self._voice.log(now_ns, "dose_failed", {"cause": cause}, sync=True)

    def note(self, now_ns: int) -> None:
        """Hand out what has changed since the last time."""
        if not self._known:
            return
        guard, whose = self._guard, self._whose
        amounts, ceilings, torques = guard.dose(*whose), guard.ceilings(*whose), guard.torques(*whose)
        if (amounts, ceilings, torques) != self._written:
            self._written = (amounts, ceilings, torques)
            lately = guard.lately(*whose, now_ns)
            self._voice.out.append(ports.NoteDose(now_ns, *whose, amounts, lately, ceilings, torques))

    def _take(self, now_ns: int, found: ports.DoseRead) -> str:
        """Tell the guard; gives its reason when it does not take it. What it counted itself needs no rest anew."""
        guard, whose = self._guard, (found.patient, found.date)
        counted = guard.dose(*whose) == found.amounts
        refused = guard.begin_dose(*whose, *found.amounts)
        if refused is None and not counted:
            refused = guard.begin_lately(*whose, now_ns, *found.lately)
        for channel, region, ceiling_ua in found.ceilings:
            refused = refused or guard.begin_ceiling(*whose, channel, region, ceiling_ua)
        for joint, side, torque_mnm in found.torques:
            refused = refused or guard.begin_torque(*whose, joint, side, torque_mnm)
        return "" if refused is None else refused.reason


def _unknown(cause: str) -> str:
    return f"What this patient had today is not known: {cause}"
