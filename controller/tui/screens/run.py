"""The run screen: what the patient is asked, what the limb does, what the unit does, and how far the session is."""

from functools import partial

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Digits

from controller.tui.joint_words import has_orthosis, joint_parts
from controller.tui.keys import UNWELL, Key, PressGate, key
from controller.tui.pedal_words import key_is_a_button
from controller.tui.screens.base import HouseScreen
from controller.tui.screens.dialogs import EndDialog, NoteDialog
from controller.tui.view import View
from controller.tui.widgets.meter import output_parts
from controller.tui.widgets.pane import Pane, Parts
from controller.tui.widgets.strip_chart import ChartModel, StripChart
from controller.tui.words import Part, bar, clock, seconds
from controller.tui.worn_words import worn_line
from controller.vocabulary.facts import ArmScope
from controller.vocabulary.feature import AttemptState
from controller.vocabulary.intents import Begin, HoldLimb, Intent, Pause, PressButton, Resume
from controller.vocabulary.requests import Press
from controller.vocabulary.snapshot import SessionState, Snapshot

JOINT_COLUMNS = 35
RIGHT_COLUMNS = 48
"""As in the style sheet: the right side of a wide terminal."""
_LOOKING = {
    AttemptState.DISARMED: "○ not looking for an attempt",
    AttemptState.QUIET_WAIT: "… waiting for stillness",
    AttemptState.ARMED: "● ready for an attempt",
    AttemptState.CANDIDATE: "◐ movement seen",
    AttemptState.FIRED: "★ ATTEMPT",
    AttemptState.BLANK: "– blanked: stimulation or its tail",
}


class RunScreen(HouseScreen):
    """ready, running and paused. It draws 20 to 30 frames a second: the chart moves, the rest changes when it must."""

    BOUND = "a,c,d,b,p,h,r,e,n,w,q"
    HELP = (
        "Arm for the session (a, then c), then b begins. p pauses (current off), r resumes, e ends, x: unwell.\n"
        "The chart shows the limb's speed over ten seconds; the dashed line is the attempt threshold. "
        "Commanded is what was asked of the unit, confirmed is what the unit reports. A ≠ marks where they differ.\n"
        "A powered orthosis has lines of its own: what it does, the torque that is asked for at most and the torque "
        "that it reports, the limit that binds today, and where the joint stands (●) in today's range; ═ is where "
        "it may be moved to.\n"
        "Enter is the button of a protocol that waits for one, and then stops nothing; in any other protocol it stops "
        "while armed, like every key that the line below does not show.\n"
        "h says that you move the limb, and h again that you let go: in between nothing is taken for an attempt and no "
        "help begins. The puck cannot tell your hand from the patient's own effort.\n"
        "Notes (n) can be written while disarmed: while armed, letters that are no key stop the current."
    )

    def __init__(self) -> None:
        super().__init__()
        self._hold_gate = PressGate()

    def compose_body(self) -> ComposeResult:
        """Prompt and chart in one pane, figures in the other; a small terminal puts them under each other."""
        with Container(id="run-left"):
            yield Pane(id="run-title")
            yield Pane(id="run-prompt", classes="box")
            yield StripChart(self.house.trace, self.house.count_frame, id="chart")
        with Container(id="run-right"):
            yield Pane(id="run-big-label", classes="wide-only")
            yield Digits("", id="run-big", classes="wide-only")
            yield Pane(id="run-score-label", classes="wide-only")
            yield Digits("", id="run-score", classes="wide-only")
            yield Pane(id="run-tally", classes="box")
            yield Pane(id="run-output", classes="box")

    def keys(self, view: View) -> list[Key]:
        """What the session's state permits; arming only where something can start."""
        keys: list[Key] = []
        armed = view.armed_for(ArmScope.SESSION)
        if view.state is SessionState.RUNNING:
            if key_is_a_button(view):
                keys.append(key("enter", "button", self._press_button))
            keys.append(key("p", "pause", partial(self._say, Pause())))
        held = view.snapshot is not None and view.snapshot.limb_held
        if held or view.state is SessionState.RUNNING:
            keys.append(key("h", "let go" if held else "I move it", partial(self._hold, not held)))
        if armed and view.state is SessionState.READY:
            keys.append(key("b", "begin", partial(self._say, Begin())))
        if armed and view.state is SessionState.PAUSED:
            keys.append(key("r", "resume", partial(self._say, Resume())))
        if view.state is not SessionState.RUNNING or not armed:
            keys += self.house.armer.keys(view, ArmScope.SESSION)
        if not view.armed:
            keys.append(key("n", "note", lambda: self.house.open(NoteDialog(self.house))))
        keys += [*([UNWELL] if view.armed else []), *self.skin_keys(view), *self.worn_keys(view)]
        keys.append(key("e", "end", lambda: self.house.open(EndDialog(self.house))))
        keys.append(self.quit_key())
        return keys

    def live_keys(self, view: View) -> frozenset[str]:
        """Enter is a key of this screen where the protocol listens to it, also a moment before it begins; else STOP."""
        live = super().live_keys(view)
        return live | {"enter"} if key_is_a_button(view) else live

    def _press_button(self) -> None:
        """Once a press: a held key repeats itself. The gateway is told first, since it may ask for a fresh press."""
        gate = self.house.press_gate
        if gate.fresh(self.house.clock()):
            self.house.front.request(Press(gate.number))
            self._say(PressButton())

    def _hold(self, on: bool) -> None:
        """Once a press: a held key must not take the limb and let go of it again and again."""
        if self._hold_gate.fresh(self.house.clock()):
            self._say(HoldLimb(on))

    def why_not(self, name: str, view: View) -> str:
        """Most of it is arming that has not been done."""
        running, paused = view.state is SessionState.RUNNING, view.state is SessionState.PAUSED
        if name == "b":
            return (
                "The session has begun already." if running or paused else "Arm first: press a, then c. Then b begins."
            )
        if name == "r":
            return "Arm first: press a, then c. Then r resumes." if paused else "Nothing is paused."
        return {
            "p": "Nothing is running.",
            "h": "Nothing is running: move the limb as you like.",
            "a": "Armed already.",
            "c": "Press a first, then c within 5 s.",
            "d": "Not armed. While running, p pauses and e ends." if running else "Not armed.",
            "n": "Notes are written while disarmed: while armed, letters stop the current.",
        }.get(name, super().why_not(name, view))

    def _say(self, intent: Intent) -> None:
        self.house.front.intend(intent)

    def paint(self, view: View) -> None:
        """All panes and the chart."""
        snapshot = view.snapshot
        if snapshot is None:
            return
        old = view.engine_stale
        self.set_class(has_orthosis(view), "-joint")
        self.set_class(len(view.channels) > 1, "-many")
        self.query_one("#run-title", Pane).parts = _title(view, snapshot, self.size.width, self.has_class("-wide"))
        self.query_one("#run-prompt", Pane).parts = _prompt(view, snapshot, self.has_class("-wide"))
        self.query_one("#run-tally", Pane).parts = _tally(snapshot, old)
        self.query_one("#run-output", Pane).parts = output_parts(
            view, joint_parts(view, JOINT_COLUMNS, self.house.joint_found.range)
        )
        chart = self.query_one(StripChart)
        newest = self.house.trace.newest_ms
        chart.model = ChartModel(snapshot.threshold_dps, snapshot.speed_dps, snapshot.angle_deg, newest, old)
        if self.has_class("-wide"):
            self.query_one("#run-big-label", Pane).parts = ((f"Repetitions, of {snapshot.tally.target}", "bold"),)
            self.query_one("#run-score-label", Pane).parts = (("Score", "bold"),)
            _digits(self.query_one("#run-big", Digits), str(snapshot.tally.completed))
            _digits(self.query_one("#run-score", Digits), str(snapshot.tally.score))


def _digits(widget: Digits, value: str) -> None:
    if widget.value != value:
        widget.update(value)


def _title(view: View, snapshot: Snapshot, width: int, wide: bool) -> Parts:
    """One line. What is worn takes the task's place where there is no room for both: the prompt says it as well."""
    who, how_long = (
        f"{snapshot.patient}, {snapshot.affected_side} side",
        f"session {clock(snapshot.session_elapsed_ms)}",
    )
    task = "  " if snapshot.worn and not wide else f"  {snapshot.task}  "
    room = width - (RIGHT_COLUMNS if wide else 0) - len(who + task + how_long) - 6
    worn = worn_line(view, max(0, room))
    return ((who, "bold"), task, (how_long, "bold"), f"  {worn}" if worn else "")


def _prompt(view: View, snapshot: Snapshot, wide: bool) -> Parts:
    """The prompt and the phase of the activity. Outside of running: what the therapist has to do."""
    if view.engine_lost:  # the snapshot is the engine's last word: nothing of it goes on
        return (("▲ Nothing is running any more.\n", "bold $alarm"), "Leave with ctrl+q, then start again.")
    looking = "‖ you move the limb: nothing counts" if snapshot.limb_held else _LOOKING[snapshot.attempt_state]
    if snapshot.state is SessionState.RUNNING:
        limit = f" of {seconds(snapshot.phase_limit_ms)}" if snapshot.phase_limit_ms else ""
        timer = f"{seconds(snapshot.phase_elapsed_ms)}{limit}"
        prompt = snapshot.prompt or "-"
        if wide:  # to be read across the room
            prompt = " ".join(prompt.upper())
        return ((f"{prompt}\n", "bold"), (f"{snapshot.phase}", "bold $attempt"), f"  {timer}   {looking}")
    return (*_instruction(view, snapshot), ("\n" + looking, "$quiet"))


def _instruction(view: View, snapshot: Snapshot) -> Parts:
    paused = snapshot.state is SessionState.PAUSED
    if view.arm_number is not None:
        return (("Press c within 5 s to arm for the session.", "bold"),)
    if view.armed_for(ArmScope.SESSION):
        return (("‖ Paused and armed. r resumes." if paused else "Armed. b begins.", "bold"),)
    blocked = view.status.blocked if view.status is not None else ""
    if blocked:
        return (("Cannot be armed now: ", "bold $warning"), blocked)
    return (
        ("‖ Paused, disarmed. " if paused else "Ready. ", "bold"),
        ("Press a, then c, to arm for the session.", "bold"),
    )


def _tally(snapshot: Snapshot, old: bool) -> Parts:
    tally = snapshot.tally
    look = "$quiet" if old else ""
    share = tally.completed / tally.target if tally.target else 0.0
    latency = f"{snapshot.latency_ms:.1f} ms" if snapshot.latency_ms is not None else "-"
    parts: list[Part] = [
        ("Repetitions ", "bold"),
        (f"{tally.completed}/{tally.target}  ", f"bold {look}".strip()),
        (f"{bar(share, 12)}\n", "$good"),
        (f"attempts {tally.attempts}  assisted {tally.assisted}  missed {tally.missed}\n", look),
        (f"score {tally.score}  streak {tally.streak} (best {tally.best_streak})\n", look),
        (f"attempt to current {latency}\n", "$quiet"),
        (tally.cheer, "bold $good"),
    ]
    return tuple(parts)
