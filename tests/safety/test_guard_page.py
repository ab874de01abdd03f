"""docs/guard.md says of the powered orthosis, and of G28, what the code says."""

from pathlib import Path

import pytest

from safety import joint_rules, rules
from safety.joint_limits import JOINT_CAPS, MOVEMENTS_MAX

pytestmark = pytest.mark.hazard("H51")

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "guard.md").read_text(encoding="utf-8")
JOINT_TABLE = (*joint_rules.JOINT_ORDER_RULES, joint_rules.JOINT_LIMIT_RULE, *joint_rules.JOINT_RULES)


def rows(first):
    """The cells of the table rows whose first cell is `first`."""
    lines = [line for line in PAGE.splitlines() if line.startswith(f"| {first} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("number", "rule"), [*JOINT_TABLE, rules.ANTAGONIST_RULE])
def test_every_rule_stands_in_the_table_as_the_code_says_it(number, rule):
    says = " ".join(rule.__doc__.split("\n\n")[0].split())
    latches = "no" if number in (*rules.WITHOUT_LATCH, *joint_rules.JOINT_WITHOUT_LATCH) else "yes"
    assert rows(number) == [[number, says, latches]]


@pytest.mark.parametrize("region", JOINT_CAPS, ids=str)
def test_every_cap_of_a_joint_stands_in_the_table(region):
    cap = JOINT_CAPS[region]
    expected = [
        region.value,
        f"{cap.speed_cdps / 100:g} deg/s",
        f"{cap.torque_mnm} mNm",
        f"{cap.torque_rise_mnm} mNm",
        f"{cap.angle_min_cdeg / 100:g} to {cap.angle_max_cdeg / 100:g} deg",
        f"{cap.on_ms / 1000:g} s",
        str(cap.crowd) if cap.crowd < MOVEMENTS_MAX else "-",
        cap.note,
    ]
    assert rows(region.value) == [expected]
