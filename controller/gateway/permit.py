"""Staged permission: what the devices that are connected may be used for, by this operator, today.

A device that calls itself simulated needs no permission. A real one needs an entry of the authorisation file, and the
least that is granted to any real device holds for all. Permission is only ever taken away here: the day is counted on
from the start on the gateway's own clock, so no change of the wall clock can bring an expired entry back.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from controller.gateway.authorisation import NO_BOOK, Book, Entry
from controller.vocabulary.stages import GRANTED, SIMULATED_PATIENT, TEST_LOAD, Stage
from safety.interlocks import PERMITTED, is_simulated
from safety.limits import PRESS_FRESH_NS
from safety.orders import ArmScope

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore

DAY_NS = 86_400_000_000_000
_NO_SERIAL = re.compile(r"unnamed|.* id \d+")
"""Names that several devices of a kind share."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who works here with what: the file, the operator, the ports, and the wall date at one instant of our clock.

    `into_day_ns` is how much of `today` was over at `at_ns`. Without a date nothing real is ever permitted.
    """

    book: Book = NO_BOOK
    operator: str = ""
    unit_port: str = ""
    joint_port: str = ""
    today: date | None = None
    at_ns: int = 0
    into_day_ns: int = 0


class Found(NamedTuple):
    """What was found for one device: its stage, why not (one sentence, "" when it may), and the entry it rests on."""

    stage: Stage
    why: str
    entry: Entry | None = None


_SIMULATED = Found(Stage.SIMULATED, PERMITTED)


class Permits:
    """Judges devices against the holder's file, and every start against the stage that is in force."""

    def __init__(self, holder: Holder | None = None) -> None:
        self.holder = holder or Holder()
        self.by_button_only = False
        """What the engine says of its protocol: a button alone begins each burst and each movement."""
        self._days = 0
        self._pressed_ns = -DAY_NS
        self._number = 0
        self._used: set[str] = set()
        self._known: dict[tuple[str, str, int], Found] = {}
        self._told: tuple[object, ...] = ()

    def other_day(self, now_ns: int, day: str) -> str:
        """Why this date is not today's, in one sentence with what to do; "" when it is (or no date is known here)."""
        if self.holder.today is None:
            return ""
        self._count_days(now_ns)
        today = (self.holder.today + timedelta(days=self._days)).isoformat()
        return "" if day == today else f"It is {today} today, not {day}: leave stimloop and start it again."

    # -- what is permitted ------------------------------------------------------------------------------------------

    def found(self, core: "GatewayCore", now_ns: int) -> Found:
        """What holds for all devices together: the least of them."""
        kind, joint = core.kind, core.joint.unit
        found = self._of(core.unit.identity, kind.capabilities.device, self.holder.unit_port, now_ns)
        if joint is None or found.why:
            return found
        other = self._of(joint.identity, "", self.holder.joint_port, now_ns)
        if other.why or found is _SIMULATED:
            return other
        return found if other is _SIMULATED or _rank(found.stage) <= _rank(other.stage) else other

    def why_not(self, core: "GatewayCore", now_ns: int, starts: str = "") -> str:
        """Why the devices may not be used as they are about to be, in one sentence with what to do; else "".

        `starts`: "current" or "movement" where an order would begin it, "" where nothing begins.
        """
        found = self.found(core, now_ns)
        if found is _SIMULATED or found.why:
            return found.why
        patient = core.patient
        if patient.upper().startswith(SIMULATED_PATIENT):
            return f"{patient} is a simulated patient and this unit is real. Choose {TEST_LOAD} for a test load."
        if found.stage is Stage.RESISTOR_BOX and patient not in ("", TEST_LOAD):
            said = "This unit may be used on a resistor box only."
            return f"{said} Take the leads off the person, connect the box and choose the patient {TEST_LOAD}."
        if found.stage is not Stage.BUTTON_TRIGGERED or not starts or core.scope is not ArmScope.SESSION:
            return PERMITTED
        if starts not in self._used and 0 <= now_ns - self._pressed_ns <= PRESS_FRESH_NS:
            return PERMITTED
        return "This unit may be used with a person's button only, and no fresh press begins this."

    def unsuited(self, core: "GatewayCore", now_ns: int, scope: ArmScope) -> str:
        """Why this scope could only end in a refusal at the stage in force, in one sentence; else ""."""
        if scope is ArmScope.FITTING or self.found(core, now_ns).stage is not Stage.BUTTON_TRIGGERED:
            return ""
        if self.by_button_only:
            return ""
        said = "This unit may be used with a person's button only, and the protocol begins stimulation without it."
        return f"{said} Choose one in which `button key` or `button pedal` does."

    # -- a person's button ------------------------------------------------------------------------------------------

    def press(self, number: int, now_ns: int) -> None:
        """A press that came from the screen or a pedal to the gateway itself; an old number counts for nothing."""
        if number > self._number:
            self._number = number
            self.pressed(now_ns)

    def pressed(self, now_ns: int) -> None:
        """A press without a number, of a button that the gateway reads itself. It begins each thing once."""
        self._pressed_ns = now_ns
        self._used.clear()

    def forget(self) -> None:
        """A person armed: what was pressed before begins nothing."""
        self._pressed_ns = -DAY_NS

    def began(self, what: str) -> None:
        """Current or movement began: the press is used up for it."""
        self._used.add(what)

    # -- for the record ---------------------------------------------------------------------------------------------

    def note(self, core: "GatewayCore", now_ns: int) -> None:
        """Say in the log what was permitted or refused to whom, whenever that has changed."""
        if not core.unit.identity or not core.joint.identified:
            return
        found, holder = self.found(core, now_ns), self.holder
        joint = core.joint.unit.identity if core.joint.unit is not None else ""
        told = (core.unit.identity, joint, found.stage, found.why)
        if told == self._told:
            return
        self._told = told
        data: dict[str, object] = {"unit": told[0], "orthosis": joint, "operator": holder.operator}
        data |= {"stage": found.stage, "why_not": found.why, "file": holder.book.path, "sha256": holder.book.sha256}
        if found.entry is not None:
            entry = found.entry
            data |= {"site": holder.book.site, "approver": entry.approver, "expires": entry.expires.isoformat()}
        core.voice.log(now_ns, "permission_refused" if found.why else "permission_granted", data, sync=True)
        if found is not _SIMULATED:
            why = "as the authorisation file says"
            core.audit.change(now_ns, "authorisation", core.unit.identity, data, why, stands=False)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _of(self, identity: str, device: str, port: str, now_ns: int) -> Found:
        if is_simulated(identity):
            return _SIMULATED
        self._count_days(now_ns)
        key = (identity, port, self._days)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 64:
                self._known.clear()
            found = self._known[key] = self._judge(identity, device, port)
        return found

    def _count_days(self, now_ns: int) -> None:
        passed = (now_ns - self.holder.at_ns + self.holder.into_day_ns) // DAY_NS
        self._days = max(self._days, passed)  # a clock that went back gives no day back

    def _judge(self, identity: str, device: str, port: str) -> Found:
        holder, book = self.holder, self.holder.book
        if not identity:
            return _refused("The devices have not said who they are yet. Wait a moment, or check their cables.")
        if book.fault:
            return _refused(f"{identity} is a real device and the authorisation file is not valid. {book.fault}")
        if book.missing or holder.today is None:
            where = f" ({book.path})" if book.path else ""
            how = "Only simulated ones need none. See `stimloop authorise`."
            return _refused(f"{identity} is a real device and there is no authorisation file{where}. {how}")
        if not holder.operator:
            return _refused(f"{identity} is a real device: start stimloop with --operator NAME, as in {book.path}.")
        mine = [entry for entry in book.entries if entry.unit == identity]
        if not mine:
            return _refused(f"{book.path} has no entry for {identity}. Another unit's entry does not count for it.")
        mine = [entry for entry in mine if entry.operator == holder.operator]
        if not mine:
            return _refused(f"{book.path} has no entry for {identity} and the operator {holder.operator}.")
        shared = identity == device or _NO_SERIAL.fullmatch(identity) is not None
        entry = next((one for one in mine if one.port == port or not (one.port or shared)), None)
        if entry is None:
            said = f"{identity} is a name that several devices share." if shared else f"{identity} is on another port."
            return _refused(f'{said} Open it by usb:SERIAL, and write port = "usb:SERIAL" into its entry.')
        today = holder.today + timedelta(days=self._days)
        if today > entry.expires:
            said = f"The permission of {holder.operator} for {identity} expired on {entry.expires}"
            return _refused(f"{said} ({book.path}, line {entry.line}). Have it renewed by {entry.approver}.")
        return Found(entry.stage, PERMITTED, entry)


def _refused(why: str) -> Found:
    return Found(Stage.NONE, why)


def _rank(stage: Stage) -> int:
    return GRANTED.index(stage)
