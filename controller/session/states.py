"""The session's own course: states, triggers and the one table that joins them (design: set-up, run, review, trip)."""

from collections.abc import Callable
from typing import Final, NamedTuple

from transitions import Machine, MachineError

from controller.vocabulary.snapshot import SessionState as State


class Step(NamedTuple):
    """`trigger` leads from `source` to `target`."""

    trigger: str
    source: State
    target: State


SETUP: Final = (State.SCREENING, State.FITTING, State.CALIBRATING, State.READY)
"""The set-up steps in their order; each needs those before it."""

_AWAKE: Final = tuple(state for state in State if state is not State.TRIPPED)

STEPS: Final = (
    Step("choose", State.IDLE, State.SCREENING),
    Step("screened", State.SCREENING, State.FITTING),
    Step("fitted", State.FITTING, State.CALIBRATING),
    Step("calibrated", State.CALIBRATING, State.READY),
    Step("begin", State.READY, State.RUNNING),
    Step("pause", State.RUNNING, State.PAUSED),
    Step("resume", State.PAUSED, State.RUNNING),
    Step("refit", State.CALIBRATING, State.FITTING),
    Step("refit", State.READY, State.FITTING),
    Step("refit", State.PAUSED, State.FITTING),
    Step("recalibrate", State.READY, State.CALIBRATING),
    Step("recalibrate", State.PAUSED, State.CALIBRATING),
    *(Step("end", state, State.REVIEW) for state in (*SETUP, State.RUNNING, State.PAUSED)),
    Step("close", State.REVIEW, State.IDLE),
    *(Step("trip", state, State.TRIPPED) for state in _AWAKE),
)
"""Everything but `acknowledge`, whose target depends on how far set-up had come."""

ACKNOWLEDGED: Final = (State.IDLE, *SETUP, State.REVIEW)
"""Where `acknowledge` can lead."""

TRIGGERS: Final = (*dict.fromkeys(step.trigger for step in STEPS), "acknowledge")


class NotPermitted(Exception):
    """The trigger has no way out of the present state. The message is a sentence for the screen."""


class SessionCourse:
    """Walks the table. No callbacks, no jumps, no timers; the state is read, never written."""

    def __init__(self) -> None:
        self._model = _Model()
        self._machine = Machine(
            model=self._model,
            states=[state.value for state in State],
            initial=State.IDLE.value,
            transitions=_table(),
            auto_transitions=False,
            queued=True,
        )
        self._reached = State.IDLE

    @property
    def state(self) -> State:
        """Where the session is."""
        return State(self._model.state)

    @property
    def resumes_at(self) -> State:
        """Where `acknowledge` would lead: the set-up step not completed, ready if all were, else idle or review."""
        return self._reached

    @property
    def permits(self) -> frozenset[str]:
        """The triggers that have a way out of the present state."""
        here = self.state
        if here is State.TRIPPED:
            return frozenset({"acknowledge"})
        return frozenset(step.trigger for step in STEPS if step.source is here)

    def apply(self, trigger: str) -> State:
        """Take one step and return the new state.

        A second `trip` while tripped changes nothing (the first cause is kept). Raises NotPermitted for anything the
        table does not hold; the state is then unchanged.
        """
        if trigger == "trip" and self.state is State.TRIPPED:
            return State.TRIPPED
        if trigger not in self.permits:
            raise NotPermitted(f"{trigger} is not possible while {self.state.value}")
        name = f"acknowledge_{self._reached.value}" if trigger == "acknowledge" else trigger
        try:
            self._model.trigger(name)
        except MachineError as error:
            raise NotPermitted(f"{trigger} is not possible while {self.state.value}") from error
        self._remember(self.state)
        return self.state

    def _remember(self, state: State) -> None:
        """Running and paused fall back to ready; a trip keeps what was reached."""
        if state in (State.RUNNING, State.PAUSED):
            self._reached = State.READY
        elif state is not State.TRIPPED:
            self._reached = state


class _Model:
    """What the machine writes its state on. The machine binds `trigger`; it must not exist before."""

    state: str
    trigger: Callable[[str], bool]


def _table() -> list[list[str]]:
    rows = [[step.trigger, step.source.value, step.target.value] for step in STEPS]
    tripped = State.TRIPPED.value
    return rows + [[f"acknowledge_{target.value}", tripped, target.value] for target in ACKNOWLEDGED]
