"""A guard that writes down all that it is asked and told, so that a session can be put to another guard later.

It adds no rule and changes no answer: each call goes to the guard itself and is noted afterwards. The notes go into
the gateway's log in batches (`guard` records), which `controller.assembly.replay` reads. A row's first entry says what
it is; times of orders and postures are relative to the batch's `t0`, all others as they were:

    [c, {name: value}]                         the conditions, when they are not those of the last order
    [d, now, seq, stamp, expires, purpose, press, sensor, [[channel, period, duration, current, ...], ...]]
    [r, now, seq, stamp, expires, sensor]                       a renewal
    [h or a, now, {field: value}]                               hold, assist (times as they were)
    [p, t, angle, speed, torque, on] or [p]                     a posture, or none
    [x, rule, latches]                                          the answer to the order before it was no
    [name, {argument: value}] or [name, {...}, rule]            any other method of the guard, and the rule that refused

`guard_begun` says of what device the guard is; the rows after it are for a fresh guard.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from safety.guard import Guard
from safety.interlocks import Conditions
from safety.joint import Assist, Hold, JointDeviceLimits, Posture
from safety.limits import DeviceLimits
from safety.orders import Admitted, Deliver, Refused, Renew

BATCH = 64
"""So many rows are written at once,"""
BATCH_NS = 1_000_000_000
"""and after this time what there is."""
TOLD = (
    "prescribe",
    "constrain",
    "identify",
    "meet",
    "place",
    "need",
    "prescribe_joint",
    "constrain_joint",
    "begin_dose",
    "begin_lately",
    "begin_ceiling",
    "begin_torque",
    "press",
    "arm",
    "disarm",
    "off",
    "off_stimulation",
    "off_joint",
    "rest_anew",
)
"""The methods that change what the guard knows, besides `admit` and `posture`. A test looks that none is forgotten."""


class WitnessedGuard(Guard):
    """See the module's text. `take` gives the next batch when it is due."""

    def __init__(self, device: DeviceLimits, joint: JointDeviceLimits | None = None) -> None:
        super().__init__(device, joint)
        self._rows: list[list[Any]] = []
        self._t0_ns = 0
        self._seen: Conditions | None = None
        self.inside = False
        self.begun: dict[str, Any] = {
            "device": asdict(device),
            "joint": None if joint is None else asdict(joint),
        }

    def take(self, now_ns: int) -> dict[str, Any] | None:
        """The rows since the last batch, when there are enough of them or they have waited long enough."""
        rows = self._rows
        if not rows or (len(rows) < BATCH and 0 <= now_ns - self._t0_ns < BATCH_NS):
            return None
        return self._batch()

    def rest(self) -> dict[str, Any] | None:
        """Whatever has not been taken yet."""
        return self._batch() if self._rows else None

    def _batch(self) -> dict[str, Any]:
        rows, self._rows, self._seen = self._rows, [], None
        return {"t0": self._t0_ns, "rows": rows}

    def _base(self, now_ns: int) -> int:
        if not self._rows:
            self._t0_ns = now_ns
        return self._t0_ns

    def admit(self, order: Deliver | Renew | Hold | Assist, now_ns: int, conditions: Conditions) -> Admitted | Refused:
        """The guard's own answer, noted."""
        answer = Guard.admit(self, order, now_ns, conditions)
        t0 = self._base(now_ns)
        rows = self._rows
        if conditions != self._seen:
            self._seen = conditions
            rows.append(["c", conditions._asdict()])
        if type(order) is Renew:
            sensor = order.sensor_ns - t0 if order.sensor_ns else None
            rows.append(["r", now_ns - t0, order.seq, order.stamp_ns - t0, order.expires_ns - t0, sensor])
        elif type(order) is Deliver:
            rows.append(_deliver(order, now_ns, t0))
        elif isinstance(order, Hold | Assist):
            rows.append(["h" if isinstance(order, Hold) else "a", now_ns - t0, asdict(order)])
        if type(answer) is Refused:
            rows.append(["x", answer.rule, answer.latches])
        return answer

    def posture(self, posture: Posture | None) -> None:
        """Where the joint stands, noted."""
        Guard.posture(self, posture)
        if posture is None:
            self._rows.append(["p"])
        else:
            t0 = self._base(posture.t_ns)
            self._rows.append(["p", posture.t_ns - t0, *posture[1:]])

    def note(self, name: str, given: dict[str, Any], answer: object) -> None:
        """A call that is over."""
        if not self._rows:
            self._t0_ns = next((value for key, value in given.items() if key == "now_ns"), self._t0_ns)
        self._rows.append([name, given, answer.rule] if isinstance(answer, Refused) else [name, given])


def _deliver(order: Deliver, now_ns: int, t0: int) -> list[Any]:
    trains = [
        [train.channel, train.period_us, *[number for point in train.points for number in point]]
        for train in order.trains
    ]
    stamp, expires = order.stamp_ns - t0, order.expires_ns - t0
    sensor = order.sensor_ns - t0 if order.sensor_ns else None
    return ["d", now_ns - t0, order.seq, stamp, expires, int(order.purpose), order.press, sensor, trains]


def _witnessed(name: str) -> Callable[..., Any]:
    """The guard's method, noted; what it calls of itself is part of it and not noted again."""
    plain: Callable[..., Any] = getattr(Guard, name)
    names = plain.__code__.co_varnames[1 : plain.__code__.co_argcount]

    def call(guard: WitnessedGuard, *args: Any, **kwargs: Any) -> Any:
        if guard.inside:
            return plain(guard, *args, **kwargs)
        guard.inside = True
        try:
            answer = plain(guard, *args, **kwargs)
        finally:
            guard.inside = False
        guard.note(name, dict(zip(names, args, strict=False)) | kwargs, answer)
        return answer

    call.__name__, call.__doc__ = name, plain.__doc__
    return call


for _name in TOLD:
    setattr(WitnessedGuard, _name, _witnessed(_name))
