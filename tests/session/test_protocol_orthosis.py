"""What a protocol asks of a powered orthosis: read in exact integers, refused with a line and a fix, resolved once."""

from pathlib import Path

import pytest

from controller.session.activity import Activity, Seen
from controller.session.faults import ProtocolRefused
from controller.session.loader import load, load_bytes
from controller.session.resolve import ResolvedJoint, ResolvedMove, resolve
from safety.joint_limits import JOINT_CAPS, JointRegion

SHIPPED = Path(__file__).resolve().parents[2] / "protocols" / "wrist_extension_assisted.yaml"
SOURCE = SHIPPED.read_text(encoding="utf-8")
SECOND = 1_000_000_000


def changed(old, new):
    assert old in SOURCE
    return SOURCE.replace(old, new, 1)


def faults_of(text):
    with pytest.raises(ProtocolRefused) as caught:
        load_bytes(text.encode(), "p.yaml")
    return caught.value.faults


def test_the_shipped_protocol_asks_for_what_it_says():
    resolved = resolve(load(SHIPPED), {"extensors": 20_000})
    joint = resolved.joint
    assert isinstance(joint, ResolvedJoint)
    assert (joint.region, joint.torque_mnm, joint.speed_cdps) == ("wrist", 1_200, 4_000)
    assert (joint.angle_min_cdeg, joint.angle_max_cdeg) == (0, 3_000)
    assert joint.channel_signs == ((1, 1),)
    assert joint.on_ms_max == 3_000 + 1_000 + 500  # assist, hold, and the allowance for letting go
    moves = {phase.name: phase.orthosis for phase in resolved.phases}
    assert moves["assist"] == ResolvedMove("open", 3_000, 1_200, 4_000, hold=False)
    assert moves["hold"] == ResolvedMove("open", 3_000, 1_000, 4_000, hold=False)
    assert moves["rest"] is moves["cue"] is moves["release"] is None


@pytest.mark.parametrize(
    ("old", "new", "rule", "at"),
    [
        ("torque: 1.2 Nm                 ", "torque: 1.6 Nm                 ", "SAF011", "torque"),
        ("speed: 40 deg/s                ", "speed: 46 deg/s                ", "SAF011", "speed"),
        ("{move_to: open, torque: 1.2 Nm, speed", "{move_to: open, torque: 1.3 Nm, speed", "SAF011", "torque"),
        ("1.2 Nm, speed: 40 deg/s}", "1.2 Nm, speed: 41 deg/s}", "SAF011", "speed"),
        ("positions: {open: 30 deg}", "positions: {open: 61 deg}", "SAF012", "open"),
        ("positions: {open: 30 deg}", "positions: {open: 30.001 deg}", "UNT002", "open"),
        ("{move_to: open, torque: 1 Nm}", "{move_to: opn, torque: 0.8 Nm}", "ACT009", "move_to"),
        ("{move_to: open, torque: 1 Nm}", "{torque: 0.8 Nm}", "ACT015", "orthosis"),
        ("{move_to: open, torque: 1 Nm}", "{move_to: open, hold: open}", "ACT015", "orthosis"),
        ("{move_to: open, torque: 1 Nm}", "{move_to: open, torque: 0,8 Nm}", "KEY001", ""),
        ("{move_to: open, torque: 1 Nm}", '{move_to: open, torque: "0,8 Nm"}', "UNT001", "torque"),
        ("{move_to: open, torque: 1 Nm}", "{move_to: open, torque: 800 mA}", "UNT001", "torque"),
        ("moved_by: {extensors: extends}", "moved_by: {flexors: extends}", "ACT006", "moved_by"),
        ("moved_by: {extensors: extends}", "moved_by: {extensors: stretches}", "KEY006", "moved_by"),
        ("joint: wrist", "joint: knee", "KEY006", "joint"),
        ("after 3 s: hold", "after 9 s: hold", "SAF013", ""),
        (", after 3 s: hold}", "}", "SAF013", ""),
        ("then: {after 1 s: release}", "then: {after 1 s: assist}", "SAF013", ""),
        ("prompt: Lift your hand", "orthosis: {move_to: open}", "ACT016", "orthosis"),
    ],
)
def test_a_wrong_wish_is_refused_with_its_line_and_a_fix(old, new, rule, at):
    faults = faults_of(changed(old, new))
    assert rule in {fault.rule for fault in faults}
    told = next(fault for fault in faults if fault.rule == rule)
    assert told.fix
    assert told.message
    line = changed(old, new).splitlines()[told.line - 1]
    assert at in line


def test_a_phase_cannot_move_what_the_protocol_does_not_declare():
    start = SOURCE.index("orthosis:\n  joint")
    text = SOURCE[:start] + SOURCE[SOURCE.index("attempt:\n") :]
    assert {fault.rule for fault in faults_of(text)} == {"ACT009"}


def test_current_against_the_movement_is_refused():
    two = changed("positions: {open: 30 deg}", "positions: {open: 30 deg, low: -20 deg}")
    against = two.replace("extensors: extends", "extensors: flexes")
    assert {fault.rule for fault in faults_of(against)} == {"SAF014"}
    assert load_bytes(two.encode(), "p.yaml").protocol.orthosis is not None


def test_an_orthosis_at_the_ankle_is_for_a_patient_who_is_seated():
    ankle = changed("joint: wrist", "joint: ankle").replace("positions: {open: 30 deg}", "positions: {open: 15 deg}")
    assert load_bytes(ankle.encode(), "p.yaml").protocol.position == "seated"
    for position in ("lying", "standing"):
        placed = ankle.replace("position: seated", f"position: {position}")
        (fault,) = faults_of(placed)
        assert (fault.rule, fault.fix) == ("SAF015", "write `position: seated`, or leave out `orthosis`")
        assert placed.split("\n")[fault.line - 1] == f"position: {position}"
    lying = changed("position: seated", "position: lying")
    assert load_bytes(lying.encode(), "p.yaml").protocol.position == "lying"  # the wrist may be moved then


def test_a_protocol_without_a_position_is_refused_with_what_to_write():
    (fault,) = faults_of(changed("position: seated\n", ""))
    assert (fault.rule, fault.fix) == ("KEY003", "write `position: seated`, `position: lying` or `position: standing`")


def test_no_cap_can_be_written_away():
    cap = JOINT_CAPS[JointRegion.WRIST]
    for nm in (cap.torque_mnm + 1, 19_000):
        text = changed("torque: 1.2 Nm                 ", f"torque: {nm} mNm                 ")
        assert "SAF011" in {fault.rule for fault in faults_of(text)}


def test_a_movement_waits_for_the_rest_as_current_does():
    activity = Activity(resolve(load(SHIPPED), {"extensors": 20_000}))
    activity.start(0)
    quiet = Seen(quiet_ns=2 * SECOND, may_stimulate=False)
    assert activity.step(7 * SECOND, quiet) == []
    [change] = activity.step(8 * SECOND, quiet._replace(may_stimulate=True))
    assert change.entered == "cue"
    [change] = activity.step(9 * SECOND, Seen(attempt=True))
    assert change.entered == "assist"
    assert activity.plan.orthosis is not None
    assert activity.plan.helps
