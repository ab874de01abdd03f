"""A recorded session put to today's guard: what would be refused now, by which rule, and why.

The gateway's log holds all that the guard was asked and told (`guard` records, see `controller.gateway.witness`). The
same calls go to a fresh guard of the unit that was used. A refusal there ends the burst for it, so what it refuses next
may only follow from that: such orders are counted apart, until a person arms or the next burst begins.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from controller.record import manifest as manifests
from controller.vocabulary.chain import Record, read
from safety.guard import Guard
from safety.interlocks import Conditions
from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.limits import DeviceLimits
from safety.orders import ArmScope, Deliver, Purpose, Refused, Renew
from safety.stimulus import Point, Train

BEGUN, ROWS = "guard_begun", "guard"
SHOWN_MAX = 100
_ENDS = ("arm", "disarm", "off", "off_stimulation", "off_joint")
Limits = Callable[[str], DeviceLimits | JointDeviceLimits | None]
_GOOD = Conditions(True, True, True, True, "", False, True, True)


class OddRow(ValueError):
    """A row that no witness writes."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Today's guard would not have taken this. `t_s` is seconds into the log; `order` says what it was."""

    t_s: float
    order: str
    rule: str
    reason: str


@dataclass
class Replay:
    """What came of one session. `fault` is why it could not be replayed ("" when it could)."""

    folder: str
    fault: str = ""
    unit: str = ""
    orders: int = 0
    renewals: int = 0
    settings: int = 0
    refused_then: int = 0
    refused_again: int = 0
    admitted_now: int = 0
    """Orders that were refused when they were made and would be taken today."""
    following: int = 0
    """Orders refused today that only follow from an objection before them."""
    rules: dict[str, int] = field(default_factory=dict)
    objections: list[Objection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The result in one line."""
        if self.fault:
            return self.fault
        count = sum(self.rules.values())
        what = f"{self.orders} orders and {self.renewals} renewals to {self.unit}"
        if not count:
            return f"{what}: today's guard takes them all"
        rules = ", ".join(f"{rule} {times}x" for rule, times in sorted(self.rules.items()))
        return f"{what}: today's guard would refuse {count} ({rules}), and {self.following} that follow from those"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": not self.fault and not self.rules, **asdict(self), "sentence": self.sentence}


def replay(folder: Path, today: Limits) -> Replay:
    """Put the session in `folder` to today's guard. `today(name)` gives the limits of a unit as they are now.

    Never raises for what stands in the folder; raises `OSError` when the log cannot be read.
    """
    found = Replay(str(folder))
    path = folder / manifests.GATEWAY
    if not path.is_file():
        found.fault = f"there is no {manifests.GATEWAY} here: no orders were recorded"
        return found
    reading = read(path.read_bytes())
    found.notes += [f"{manifests.GATEWAY}: {fault}" for fault in reading.faults]
    if not any(record.kind == BEGUN for record in reading.records):
        refused = sum(record.kind == "refused" for record in reading.records)
        found.fault = (
            f"this session was recorded before the gateway's log held the orders: it cannot be replayed "
            f"(its own guard refused {refused})"
        )
        return found
    _Player(found, today).play(reading.records)
    if found.admitted_now:
        found.notes.append(f"{found.admitted_now} orders that were refused then would be taken today")
    return found


class _Player:
    """One fresh guard after the other, and what it says."""

    def __init__(self, found: Replay, today: Limits) -> None:
        self._found = found
        self._today = today
        self._guard: Guard | None = None
        self._conditions = _GOOD
        self._from_ns: int | None = None
        self._objected = False
        self._last: tuple[str, Refused | None] | None = None
        self._now_ns = 0
        self._rules: Counter[str] = Counter()

    def play(self, records: list[Record]) -> None:
        """All records in their order. A row that cannot be read is said, and left out."""
        for record in records:
            if self._from_ns is None:
                self._from_ns = record.t_ns
            try:
                if record.kind == BEGUN:
                    self._begin(record.data)
                elif record.kind == ROWS:
                    for row in record.data["rows"]:
                        self._row(row, record.data["t0"], record.t_ns)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                self._note(f"record {record.seq} cannot be replayed: {type(error).__name__}: {error}")
        self._settle(None)
        self._found.rules = dict(self._rules)

    def _begin(self, data: dict[str, Any]) -> None:
        self._settle(None)
        device, joint = data["device"], data["joint"]
        limits = self._limits(DeviceLimits, device)
        orthosis = None if joint is None else self._limits(JointDeviceLimits, joint)
        self._guard = Guard(limits, orthosis)
        self._found.unit = limits.name
        self._objected, self._conditions = False, _GOOD

    def _limits(self, kind: type[Any], recorded: dict[str, Any]) -> Any:
        now = self._today(str(recorded["name"]))
        if isinstance(now, kind):
            return now
        self._note(f"{recorded['name']} is not known here any more: its limits are taken from the record")
        return kind(**{each.name: recorded[each.name] for each in fields(kind) if each.name in recorded})

    def _row(self, row: list[Any], t0: int, t_ns: int) -> None:
        guard, what = self._guard, row[0]
        if what == "x":
            self._settle(str(row[1]))
            return
        self._settle(None)
        if guard is None:
            raise OddRow("no guard was begun")
        if what == "c":
            known = {each: row[1][each] for each in Conditions._fields if each in row[1]}
            if len(known) != len(Conditions._fields) or len(known) != len(row[1]):
                self._note("what stood around the guard was recorded in another form: what is not known counts as good")
            self._conditions = _GOOD._replace(**known)
        elif what == "p":
            guard.posture(None if len(row) == 1 else Posture(row[1] + t0, *row[2:]))
        elif what in _ORDERS:
            order = _ORDERS[what](row, t0)
            if what == "r":
                self._found.renewals += 1
            else:
                self._found.orders += 1
            began = not guard.delivering and not guard.moving
            answer = guard.admit(order, row[1] + t0, self._conditions)
            if began and not isinstance(answer, Refused):
                self._objected = False
            self._last = (_words(order), answer if isinstance(answer, Refused) else None)
            self._now_ns = row[1] + t0
        else:
            self._told(guard, what, row, t_ns)

    def _told(self, guard: Guard, name: str, row: list[Any], t_ns: int) -> None:
        given = dict(row[1])
        method = getattr(guard, name, None)
        if method is None or name.startswith("_"):
            self._note(f"the guard has no {name} any more: it was left out")
            return
        if "scope" in given:
            given["scope"] = ArmScope(given["scope"])
        if "channel_signs" in given:
            given["channel_signs"] = tuple(tuple(pair) for pair in given["channel_signs"])
        answer = method(**given)
        self._found.settings += 1
        if name in _ENDS:
            self._objected = False
        refused_then = len(row) > 2
        self._found.refused_then += refused_then
        if isinstance(answer, Refused) and not refused_then:
            self._now_ns = given.get("now_ns", t_ns)
            self._object(name.replace("_", " "), answer)
        elif isinstance(answer, Refused):
            self._found.refused_again += 1
        elif refused_then:
            self._found.admitted_now += 1

    def _settle(self, rule_then: str | None) -> None:
        """The order before is complete: was it refused then (`rule_then`), and is it now?"""
        if self._last is None:
            return
        (words, refused), self._last = self._last, None
        self._found.refused_then += rule_then is not None
        if refused is not None and rule_then is not None:
            self._found.refused_again += 1
            self._objected = True
        elif rule_then is not None:
            self._found.admitted_now += 1
            self._objected = True  # then the burst ended here, now it goes on: what comes next is not comparable
        elif refused is not None and self._objected:
            self._found.following += 1
        elif refused is not None:
            self._objected = True
            self._object(words, refused)

    def _object(self, words: str, refused: Refused) -> None:
        self._rules[refused.rule] += 1
        if len(self._found.objections) < SHOWN_MAX:
            t_s = round((self._now_ns - (self._from_ns or 0)) / 1e9, 3)
            self._found.objections.append(Objection(t_s, words, refused.rule, refused.reason))

    def _note(self, text: str) -> None:
        if text not in self._found.notes and len(self._found.notes) < SHOWN_MAX:
            self._found.notes.append(text)


def _deliver(row: list[Any], t0: int) -> Deliver:
    _, _, seq, stamp, expires, purpose, press, sensor, trains = row
    made = tuple(
        Train(channel, tuple(Point(*pair) for pair in zip(rest[::2], rest[1::2], strict=True)), period)
        for channel, period, *rest in trains
    )
    return Deliver(seq, stamp + t0, expires + t0, Purpose(purpose), made, press, 0 if sensor is None else sensor + t0)


def _renew(row: list[Any], t0: int) -> Renew:
    _, _, seq, stamp, expires, sensor = row
    return Renew(seq, stamp + t0, expires + t0, 0 if sensor is None else sensor + t0)


_ORDERS: dict[str, Callable[[list[Any], int], Deliver | Renew | Hold | Assist]] = {
    "d": _deliver,
    "r": _renew,
    "h": lambda row, _t0: Hold(**row[2]),
    "a": lambda row, _t0: Assist(**row[2]),
}


def _words(order: Deliver | Renew | Hold | Assist) -> str:
    if isinstance(order, Deliver):
        trains = ", ".join(
            f"ch{train.channel} {train.amplitude_ua / 1000:g} mA {train.pulse_width_us} us every {train.period_us} us"
            for train in order.trains
        )
        return f"order {order.seq}, {order.purpose.name.lower()}: {trains or 'off'}"
    if isinstance(order, Renew):
        return f"renewal {order.seq}"
    if isinstance(order, Hold):
        return f"order {order.seq}, hold at {order.angle_cdeg / 100:g} deg with {order.torque_mnm} mNm"
    return f"order {order.seq}, assist to {order.target_cdeg / 100:g} deg with {order.torque_mnm} mNm"
