"""Tripped: the first cause, what to do about it, and a reason in words before anything can go on."""

from textual.app import ComposeResult
from textual.widgets import Input

from controller.tui.joint_words import has_orthosis, newton_metres, pushing
from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseScreen
from controller.tui.screens.dialogs import REASON_LETTERS_MIN
from controller.tui.stop_keys import UNWELL
from controller.tui.view import View
from controller.tui.widgets.pane import Pane, Parts
from controller.vocabulary.intents import Acknowledge

_CARD = (
    "\n\nFaint or pale: lie flat. Pounding headache, flushed, sweating (dysreflexia): sit upright, loosen what is "
    "tight, look for the cause. Measure blood pressure. Call for help as your site has agreed. No more current "
    "today unless a clinician says so."
)
"""The stop rule: proposed, awaiting clinical sign-off."""


class TrippedScreen(HouseScreen):
    """Acknowledging ends the trip; current still needs arming anew, with the same reason."""

    tripped = True
    HELP = (
        "Something stopped the session. The first cause is kept until you acknowledge it.\n"
        "Look after the patient first. Then write why it is safe to go on: it is kept in the record.\n"
        "Acknowledging brings back the last step that was not completed. Current comes only after arming again."
    )

    def compose_body(self) -> ComposeResult:
        """Cause, advice, field."""
        yield Pane(id="cause", classes="box alarm")
        yield Pane(id="reason-label", classes="note")
        field = Input(id="field", placeholder="for example: electrode put back, patient is well", max_length=200)
        field.cursor_blink = False
        yield field
        yield Pane(id="after", classes="note")

    def on_mount(self) -> None:
        """Ready to type."""
        super().on_mount()
        self.query_one(Input).focus()

    def keys(self, view: View) -> list[Key]:
        """Enter belongs to the field."""
        return [
            key("enter", "acknowledge with this reason", None, shown="Enter"),
            key("ctrl+q", "leave", None),
        ]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A reason of a few letters at least."""
        reason = event.value.strip()
        if len(reason) < REASON_LETTERS_MIN:
            self.say("Write in a few words why it is safe to go on.")
        else:
            self.house.armer.reason = reason
            self.house.front.intend(Acknowledge(reason))
        self.house.repaint()

    def paint(self, view: View) -> None:
        """The cause as the engine keeps it; the gateway's own, where that differs."""
        if view.snapshot is None:
            return
        cause, todo = view.snapshot.trip, view.snapshot.todo
        gateway = view.status.cause if view.status is not None else ""
        second = f"\nThe gateway says: {gateway}" if gateway and gateway != cause else ""
        self.query_one("#cause", Pane).parts = (
            ("▲ THE SESSION WAS STOPPED\n\n", "bold $alarm"),
            (f"{cause}\n", "bold"),
            f"{second}\n",
            ("\nWhat to do  ", "bold"),
            todo,
            *_limb(view),
        )
        self.query_one("#reason-label", Pane).parts = (("Why is it safe to go on?", "bold"),)
        none = "No current and no movement" if has_orthosis(view) else "No current"
        self.query_one("#after", Pane).parts = (
            (f"The last step comes back. {none} before you arm again (a, then c).", "$quiet"),
            (_CARD if UNWELL in f"{cause} {gateway}" else "", "$warning"),
        )


def _limb(view: View) -> Parts:
    """With a powered orthosis: whether it has let go, as it says itself."""
    joints = () if view.status is None else view.status.joint
    if not joints:
        return ()
    joint = joints[0]
    if joint.fault:
        return (("\n▲ Support the limb: the orthosis cannot say whether it has let go.", "bold $alarm"),)
    if pushing(joint):
        still = f"\n▲ SUPPORT THE LIMB: its torque is still on ({newton_metres(joint.torque_mnm)})."
        return ((f"{still} Off at its own switch.", "bold $alarm"),)
    return ("\nThe orthosis has let go: its torque is off. Support the limb.",)
