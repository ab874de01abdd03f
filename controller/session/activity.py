"""`Activity`: the phases of an activity at work, on a `transitions` machine built from the resolved table.

What is put out is a function of the phase, never of a callback. Time is an argument. A step without a change costs
little: the ways out of each phase are made into plain functions once.
"""

from collections.abc import Callable
from math import nan
from typing import Final, NamedTuple

from transitions import Machine

from controller.session.resolve import ResolvedFollow, ResolvedMove, ResolvedPhase, ResolvedProtocol, ResolvedWay
from controller.vocabulary.button import ANY, BITS, ButtonSource

STOPPED: Final = "stopped"
NEVER_NS: Final = 1 << 62
CHANGES_MAX: Final = 4
"""Phases passed in one step; what is left over happens in the next."""


class Seen(NamedTuple):
    """What is known at one step. Angles in deg, speed in deg/s, load in N (NaN: not measured), quiet time in ns.

    `attempt` and `button` hold in the one step in which they were seen, `touch` as long as it lasts; `button` is the
    bits of the sources that were pressed (`controller.vocabulary.button`). `may_stimulate`: the guard's minimum rest
    is over.
    """

    attempt: bool = False
    angle_deg: float = nan
    speed_dps: float = nan
    quiet_ns: int = 0
    load_n: float = nan
    touch: bool = False
    button: int = 0
    may_stimulate: bool = True


class PhaseChange(NamedTuple):
    """A phase was left for another. `because` is the condition as written, `counts` what the entered one counts as."""

    t_ns: int
    left: str
    entered: str
    because: str
    counts: str


class PhasePlan(NamedTuple):
    """What a phase asks for: per mille of each channel's amplitude, or an amplitude that follows the angle.

    `limit_ns` is the longest that the phase can last, 0 when only the patient ends it.
    """

    phase: str
    prompt: str
    stimulate: tuple[tuple[str, int | ResolvedFollow], ...]
    stimulates: bool
    wants_attempt: bool
    is_cue: bool
    limit_ns: int
    counts: str
    orthosis: ResolvedMove | None = None
    wants_button: int = 0
    """The bits of the sources whose press a way out looks at."""

    @property
    def helps(self) -> bool:
        """Current flows or the orthosis pushes."""
        return self.stimulates or self.orthosis is not None


class _Moment:
    """What the ways out of a phase are asked about: its age, what is seen now and since its beginning, is it done.

    One object serves every step: a new one each time would cost more than the asking.
    """

    __slots__ = ("attempted", "done", "elapsed_ns", "pressed", "seen")

    def __init__(self) -> None:
        self.elapsed_ns = 0
        self.seen = Seen()
        self.attempted = self.done = False
        self.pressed = 0


_Check = Callable[[_Moment], bool]
_IDLE = PhasePlan(STOPPED, "", (), False, False, False, 0, "")


class _Way(NamedTuple):
    open: _Check
    needs_rest: bool
    trigger: str
    text: str


class _Row(NamedTuple):
    plan: PhasePlan
    at_least_ns: int
    quiet_ns: int
    ways: tuple[_Way, ...]
    deadlines_ns: tuple[int, ...]


class Activity:
    """Runs the phases. `start`, then `step` on every event and at `due_ns`; `stop` works from every phase.

    Rest: a way from a phase without current into one that stimulates, waits for an attempt or is a cue stays shut
    while `may_stimulate` is false. An attempt or a press in that time is not remembered, so no help comes late.
    """

    def __init__(self, protocol: ResolvedProtocol) -> None:
        self._first = protocol.phases[0].name
        self._rows = _rows(protocol)
        self._course = _Course()
        self._machine = Machine(
            model=self._course,
            states=[*self._rows, STOPPED],
            initial=STOPPED,
            transitions=table(protocol),
            auto_transitions=False,
            queued=True,
        )
        self._row: _Row | None = None
        self._moment = _Moment()
        self.entered_ns = 0
        self.due_ns = NEVER_NS
        """When the next time limit of the present phase comes due, in ns; `NEVER_NS` when none is ahead.

        Always later than the last step, so that waiting for it never spins; a way that the guard's rest holds shut
        opens in the step after the rest, not at a deadline.
        """

    @property
    def phase(self) -> str:
        """The present phase, or `stopped`."""
        return self._course.state

    @property
    def plan(self) -> PhasePlan:
        """What the present phase asks for; nothing at all while stopped."""
        return self._row.plan if self._row else _IDLE

    def start(self, now_ns: int) -> PhaseChange | None:
        """Enter the first phase. None when the activity runs already."""
        return None if self._row else self._go("start", now_ns, "start")

    def stop(self, now_ns: int) -> PhaseChange | None:
        """Leave any phase at once. None when it is stopped already."""
        return self._go("stop", now_ns, "stop") if self._row else None

    def step(self, now_ns: int, seen: Seen) -> list[PhaseChange]:
        """Take the ways that are open now, at most `CHANGES_MAX`; usually none."""
        changes: list[PhaseChange] = []
        if now_ns >= self.due_ns:
            self._plan_ahead(now_ns)
        way = self._open_way(now_ns, seen)
        while way is not None:
            helped = self.plan.helps
            changes.append(self._go(way.trigger, now_ns, way.text))
            if len(changes) == CHANGES_MAX:
                break
            # Where help ends here, its rest only begins: it cannot be over in the same step.
            may_stimulate = seen.may_stimulate and not (helped and not self.plan.helps)
            seen = seen._replace(attempt=False, button=0, may_stimulate=may_stimulate)
            way = self._open_way(now_ns, seen)
        return changes

    def _plan_ahead(self, now_ns: int) -> None:
        """Find the first time limit after `now_ns`."""
        self.due_ns = NEVER_NS
        if self._row is not None:
            for deadline_ns in self._row.deadlines_ns:
                if self.entered_ns + deadline_ns > now_ns:
                    self.due_ns = self.entered_ns + deadline_ns
                    return

    def _open_way(self, now_ns: int, seen: Seen) -> _Way | None:
        row = self._row
        if row is None:
            return None
        moment = self._moment
        moment.seen = seen
        if seen.attempt and (seen.may_stimulate or row.plan.helps):
            moment.attempted = True
        if seen.button:
            moment.pressed |= seen.button
        moment.elapsed_ns = elapsed_ns = now_ns - self.entered_ns
        moment.done = elapsed_ns >= row.at_least_ns and seen.quiet_ns >= row.quiet_ns
        for way in row.ways:
            if way.open(moment) and (seen.may_stimulate or not way.needs_rest):
                return way
        if moment.pressed and not (seen.may_stimulate or row.plan.helps):
            moment.pressed = 0  # a press in the guard's rest brings no help later on
        return None

    def _go(self, trigger: str, now_ns: int, because: str) -> PhaseChange:
        left = self._course.state
        self._course.trigger(trigger)
        entered = self._course.state
        self._row = self._rows.get(entered)
        self.entered_ns = now_ns
        self._moment.attempted = False
        self._moment.pressed = 0
        self._plan_ahead(now_ns)
        return PhaseChange(now_ns, left, entered, because, self.plan.counts)


class _Course:
    """What the machine writes its state on. The machine binds `trigger`; it must not exist before."""

    state: str
    trigger: Callable[[str], bool]


def table(protocol: ResolvedProtocol) -> list[dict[str, str]]:
    """The transition table: `start`, `stop` from every phase, and one trigger for each way out."""
    rows = [{"trigger": "start", "source": STOPPED, "dest": protocol.phases[0].name}]
    for phase in protocol.phases:
        rows.append({"trigger": "stop", "source": phase.name, "dest": STOPPED})
        rows.extend(
            {"trigger": _trigger(phase, number), "source": phase.name, "dest": way.to}
            for number, way in enumerate(phase.ways)
        )
    return rows


def _trigger(phase: ResolvedPhase, number: int) -> str:
    return f"leave_{phase.name}_{number}"


def _rows(protocol: ResolvedProtocol) -> dict[str, _Row]:
    plans = {phase.name: _plan(phase) for phase in protocol.phases}
    return {phase.name: _row(phase, plans) for phase in protocol.phases}


def _row(phase: ResolvedPhase, plans: dict[str, PhasePlan]) -> _Row:
    ways = []
    for number, way in enumerate(phase.ways):
        target = plans[way.to]
        active = target.helps or target.wants_attempt or target.is_cue
        needs_rest = active and not plans[phase.name].helps
        ways.append(_Way(_check(way), needs_rest, _trigger(phase, number), way.text))
    tests = [test for way in phase.ways for group in way.any_of for test in group]
    times = {amount for kind, _, amount in tests if kind == "after"}
    if any(kind == "done" for kind, _, _ in tests):
        times.add(phase.at_least_ns)
    return _Row(plans[phase.name], phase.at_least_ns, phase.quiet_ns, tuple(ways), tuple(sorted(times)))


def _plan(phase: ResolvedPhase) -> PhasePlan:
    on = any(_most(share) > 0 for _, share in phase.stimulate)
    return PhasePlan(
        phase.name,
        phase.prompt,
        phase.stimulate,
        on,
        phase.wants_attempt,
        phase.is_cue,
        phase.limit_ns,
        phase.counts,
        phase.orthosis,
        _buttons(phase),
    )


def _buttons(phase: ResolvedPhase) -> int:
    bits = {"button": ANY, **{f"button {source}": bit for source, bit in BITS.items()}}
    wanted = 0
    for kind in {kind for way in phase.ways for group in way.any_of for kind, _, _ in group}:
        wanted |= bits.get(kind, 0)
    return wanted


def _most(share: int | ResolvedFollow) -> int:
    return share if isinstance(share, int) else max(share.least_permille, share.most_permille)


_PLAIN: dict[str, _Check] = {
    "attempt": lambda moment: moment.attempted,
    "button": lambda moment: moment.pressed != 0,
    "button key": lambda moment: moment.pressed & BITS[ButtonSource.KEY] != 0,
    "button pedal": lambda moment: moment.pressed & BITS[ButtonSource.PEDAL] != 0,
    "button touch": lambda moment: moment.pressed & BITS[ButtonSource.TOUCH] != 0,
    "touch": lambda moment: moment.seen.touch,
    "done": lambda moment: moment.done,
}


def _check(way: ResolvedWay) -> _Check:
    groups = [_group([_test(*test) for test in group]) for group in way.any_of]
    if len(groups) == 1:
        return groups[0]
    return lambda moment: any(group(moment) for group in groups)


def _group(tests: list[_Check]) -> _Check:
    if len(tests) == 1:
        return tests[0]
    return lambda moment: all(test(moment) for test in tests)


def _test(kind: str, sign: str, amount: int) -> _Check:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "after":
        return lambda moment: moment.elapsed_ns >= amount
    if kind == "quiet":
        return lambda moment: moment.seen.quiet_ns >= amount
    compare = _COMPARE[sign]
    value = amount / 1000
    if kind == "angle":
        return lambda moment: compare(moment.seen.angle_deg, value)
    if kind == "speed":
        return lambda moment: compare(moment.seen.speed_dps, value)
    return lambda moment: compare(moment.seen.load_n, value)


# NaN makes every one of these false: what is not measured opens no way.
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda left, right: left >= right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    "<": lambda left, right: left < right,
}
