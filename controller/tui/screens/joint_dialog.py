"""What the therapist measures at a powered orthosis' joint: its passive range, and the torque that is accepted."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Input

from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseDialog
from controller.tui.view import View
from controller.tui.widgets.pane import Pane
from controller.vocabulary.requests import PrescribeJoint
from controller.vocabulary.snapshot import JointView

if TYPE_CHECKING:
    from controller.tui.app import StimloopApp

_FIELDS = (
    ("lowest", "lowest angle in degrees, moved by hand without force, for example -50"),
    ("highest", "highest angle in degrees, for example 45"),
    ("torque", "most torque the patient accepts, in Nm, for example 0.8"),
)


def measured(lowest: str, highest: str, torque: str) -> tuple[int, int, int] | str:
    """(cdeg, cdeg, mNm) from what was typed, or one sentence with what is wrong. Rounded towards the gentler side."""
    numbers = []
    for text, what in ((lowest, "lowest angle"), (highest, "highest angle"), (torque, "torque")):
        try:
            number = Decimal(text.strip().replace("−", "-"))
        except InvalidOperation:
            point = " Use a point, not a comma." if "," in text else ""
            return f"The {what} is no number.{point}"
        if not -1_000 <= number <= 1_000:  # not a number is outside, too
            return f"The {what} of {text.strip()} cannot be."
        numbers.append(number)
    low = int((numbers[0] * 100).to_integral_value(ROUND_CEILING))
    high = int((numbers[1] * 100).to_integral_value(ROUND_FLOOR))
    torque_mnm = int((numbers[2] * 1000).to_integral_value(ROUND_FLOOR))
    if not low < high:
        return "The lowest angle must be below the highest."
    if not torque_mnm > 0:
        return "The torque must be above 0."
    return low, high, torque_mnm


class JointDialog(HouseDialog):
    """Three numbers, one under the other; Enter goes on, and at the last one is done."""

    BOUND = "enter,escape"
    HELP = (
        "Switch the orthosis off and move the joint by hand, slowly and without force, to both ends: that is today's "
        "passive range. Nothing will move it nearer than 3 deg to them. Begin with little torque; for the same day "
        "it can only be lowered."
    )

    def __init__(self, house: "StimloopApp", joint: JointView) -> None:
        super().__init__()
        self._host = house
        self._joint = joint

    def compose_body(self) -> ComposeResult:
        """The question and the three fields."""
        yield Pane(id="question", classes="box dialog")
        for name, example in _FIELDS:
            field = Input(id=name, placeholder=example, max_length=12)
            field.cursor_blink = False
            yield field

    def on_mount(self) -> None:
        """Ready to type."""
        super().on_mount()
        self.query_one("#lowest", Input).focus()

    def keys(self, view: View) -> list[Key]:
        """Enter is the field's own; escape goes back."""
        return [key("enter", "next, done", None, shown="Enter"), key("escape", "go back", self.dismiss, shown="Esc")]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to the next field; at the end all three are looked at together."""
        names = [name for name, _ in _FIELDS]
        at = names.index(event.input.id or names[-1])
        if at + 1 < len(names):
            self.query_one(f"#{names[at + 1]}", Input).focus()
            return
        found = measured(*(self.query_one(f"#{name}", Input).value for name in names))
        if isinstance(found, str):
            self.say(found)
            self._host.repaint()
            return
        self.dismiss()
        self._host.measure_joint(self._joint, *found)

    def paint(self, view: View) -> None:
        """What is asked, and where the joint stands now."""
        joints = () if view.status is None else view.status.joint
        stands = f"It stands at {joints[0].angle_cdeg / 100:.0f} deg now.\n" if joints else ""
        most = self._joint.torque_mnm / 1000
        self.query_one("#question", Pane).parts = (
            (f"The {self._joint.region} today\n\n", "bold"),
            f"Move it by hand to both ends of its passive range. {stands}",
            f"The protocol asks for {most:g} Nm at most. Extension counts up from straight (0).",
        )


def prescription(view: View, joint: JointView, date: str, found: tuple[int, int, int]) -> PrescribeJoint:
    """What the gateway is told of the joint."""
    snapshot = view.snapshot
    low_cdeg, high_cdeg, torque_mnm = found
    return PrescribeJoint(
        patient="" if snapshot is None else snapshot.patient,
        date=date,
        region=joint.region,
        side="right" if snapshot is None else snapshot.affected_side,
        rom_min_cdeg=low_cdeg,
        rom_max_cdeg=high_cdeg,
        torque_mnm=torque_mnm,
    )
