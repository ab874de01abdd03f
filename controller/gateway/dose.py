"""A patient's dose of today, kept over restarts: the core's half. The disk's half is `dose_book`.

When a patient and day are prescribed for, what was written down earlier is asked for, and until it is known nothing
can be armed. A dose that cannot be read, or was changed, is never taken for none. Each change is handed out to be
written: at the start of a burst with the longest that it may last, at its end with what it was. So a gateway that is
killed in between leaves too much on paper, never too little.
"""

from controller.gateway import ports
from controller.gateway.voice import Voice
from safety.guard import Guard


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
        self._written: tuple[int, int, int, int] = (0, 0, 0, 0)

    def meet(self, patient: str, date: str) -> None:
        """This patient, on this day, is prescribed for from now on."""
        if not self._kept or (patient, date) == self._whose:
            return
        self._whose = (patient, date)
        self._known = False
        self.blocked = "What this patient had today is being read. Wait a moment."
        self._voice.out.append(ports.OpenDose(patient, date))

    def read(self, now_ns: int, found: ports.DoseRead) -> None:
        """What was written down earlier today, or why that cannot be known."""
        if (found.patient, found.date) != self._whose:
            return
        self.blocked = _unknown(found.fault) if found.fault else ""
        if not found.fault:
            refused = self._guard.begin_dose(found.patient, found.date, *found.amounts)
            self.blocked = "" if refused is None else _unknown(refused.reason)
        self._known = not self.blocked
        self._written = self._guard.dose(*self._whose)
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
        amounts = self._guard.dose(*self._whose)
        if amounts != self._written:
            self._written = amounts
            self._voice.out.append(ports.NoteDose(now_ns, *self._whose, amounts))


def _unknown(cause: str) -> str:
    return f"What this patient had today is not known: {cause}"
