"""What can go wrong in a simulated ScienceMode unit itself, on purpose."""

from controller.wire.sciencemode.messages import GENERAL_ERROR, Ack, Result
from sim.devices.sciencemode_output import ELECTRODE, LOW_CURRENT
from sim.devices.sciencemode_unit import ScienceModeUnit

OVER = ("ok", "off")
"""A value that ends with one of these ends the fault."""


class Troubles(ScienceModeUnit):
    """The faults of these units, by name."""

    def suffer(self, fault: str, value: str, now_ns: int) -> bool:
        """Make `fault` happen at `now_ns`; a value that ends with "ok" or "off" ends it. False: there is no such fault.

        `electrode-off` and `electrode-short` take a channel from 1 on (usually 1; "2 ok" ends that of channel 2, "ok"
        that of all), `unsolicited-error` a result code (usually 4). Answers that fell due come with the next `advance`.
        """
        earlier = self.advance(now_ns)
        done = self._suffer(fault, value, now_ns)
        self._unasked = earlier + self._unasked
        self._plan()
        return done

    def _suffer(self, fault: str, value: str, now_ns: int) -> bool:
        words = value.split()
        over = bool(words) and words[-1] in OVER
        number = words[0] if words and words[0] not in OVER else ""
        if number and not number.isdecimal():
            return False
        if fault in ("electrode-off", "electrode-short"):
            low = fault == "electrode-short" and self.profile.tells_low_current
            return self._lose_contact(number, over, LOW_CURRENT if low else ELECTRODE)
        if over:
            return False  # the others are over at once
        if fault == "reset":
            self._restart(now_ns)
        elif fault == "unsolicited-error":
            result = int(number) if number else Result.TIMEOUT
            if not 1 <= result <= 0xFF:
                return False
            self._note(now_ns, "fault", fault="unsolicited error", result=int(result))
            self._unasked += self.profile.catalogue.encode(0, Ack(GENERAL_ERROR, result))
        else:
            return False
        return True

    def _lose_contact(self, number: str, over: bool, symptom: int) -> bool:
        channels = range(1, self.profile.channels + 1)
        wanted = channels if over and not number else (int(number or 1),)
        if not all(channel in channels for channel in wanted):
            return False
        for channel in wanted:
            self.contact(channel, over, symptom)
        return True
