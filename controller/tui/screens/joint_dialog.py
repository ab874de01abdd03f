"""What the therapist measures at a powered orthosis' joint: its passive range, and the torque that is accepted."""

from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import TYPE_CHECKING

from controller.tui.joint_words import degrees, ways
from controller.tui.screens.form_dialog import Field, FormDialog, Wrong, number, whole
from controller.tui.view import View
from controller.tui.widgets.pane import Parts
from controller.vocabulary.requests import PrescribeJoint
from controller.vocabulary.snapshot import JointView

if TYPE_CHECKING:
    from controller.tui.app import StimloopApp

LOWEST = Field("lowest", "lowest angle, degrees", "moved by hand without force, for example -50")
HIGHEST = Field("highest", "highest angle, degrees", "for example 45")
TORQUE = Field("torque", "most torque that the patient accepts, Nm", "begin with little, for example 0.5")
ANGLE_MAX, TORQUE_MAX = 180, 100
FIRST = "measured at the joint"
KEPT_FREE_CDEG = 300
"""At each end of the range; the guard keeps its own figure and has the last word."""


def measured(lowest: str, highest: str, torque: str) -> tuple[int, int, int] | Wrong:
    """(cdeg, cdeg, mNm) from what was typed, or which field is wrong and why. Rounded towards the gentler side."""
    given = ((LOWEST, lowest, "lowest angle", ANGLE_MAX), (HIGHEST, highest, "highest angle", ANGLE_MAX))
    numbers = []
    for field, text, what, most in (*given, (TORQUE, torque, "torque", TORQUE_MAX)):
        found = number(text, what, most)
        if isinstance(found, str):
            return Wrong(field.name, found)
        numbers.append(found)
    low, high = whole(numbers[0], 100, ROUND_CEILING), whole(numbers[1], 100, ROUND_FLOOR)
    torque_mnm = whole(numbers[2], 1000, ROUND_FLOOR)
    if not low < high:
        return Wrong(LOWEST.name, "The lowest angle must be below the highest.")
    if not low + KEPT_FREE_CDEG < high - KEPT_FREE_CDEG:
        return Wrong(HIGHEST.name, "That range leaves nothing: 3 deg at each end are kept free.")
    if not torque_mnm > 0:
        return Wrong(TORQUE.name, "The torque must be above 0.")
    return low, high, torque_mnm


class JointDialog(FormDialog):
    """Three numbers; the gateway is told, and has the last word."""

    HELP = (
        "Move the joint by hand, slowly and without force, to both ends: that is today's passive range. The orthosis "
        "has no torque while disarmed; where it still resists, switch it off. Nothing will move the joint nearer than "
        "3 deg to the ends. Begin with little torque: for the same day it can only be lowered. Enter goes on to the "
        "next field, at the last one it is done."
    )

    def __init__(self, house: "StimloopApp", joint: JointView) -> None:
        super().__init__(LOWEST, HIGHEST, TORQUE)
        self._host = house
        self._joint = joint

    def take(self, values: dict[str, str]) -> Wrong | None:
        """To the gateway."""
        found = measured(values[LOWEST.name], values[HIGHEST.name], values[TORQUE.name])
        if isinstance(found, Wrong):
            return found
        self._host.measure_joint(self._joint, found)
        return None

    def question(self, view: View) -> Parts:
        """What is asked, and where the joint stands now."""
        joints = () if view.status is None else view.status.joint
        told = bool(joints) and joints[0].t_ns > 0
        stands = f"It stands at {degrees(joints[0].angle_cdeg)} now." if told else "It has not said where it stands."
        most = self._joint.torque_mnm / 1000
        up, _ = ways(self._joint.region)
        return (
            (f"The {self._joint.region} today\n", "bold"),
            f"Move it by hand to both ends of its passive range. {stands}\n",
            f"0 is straight; angles count up as it {up}. ",
            f"The protocol asks for {most:g} Nm at most.",
        )


def prescription(
    view: View, joint: JointView, date: str, found: tuple[int, int, int], reason: str = FIRST
) -> PrescribeJoint:
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
        reason=reason,
    )
