"""The exhaustive check of guard, gateway and session, in small (`make model` goes deeper), and that it can fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from controller.vocabulary.facts import GatewayState
from tests.model.alphabet import letters
from tests.model.explore import explore, fingerprint, live, verdict
from tests.model.roots import ROOTS, bring
from tests.model.seeded import BUGS

pytestmark = pytest.mark.hazard("H02", "H03", "H04", "H18", "H20", "H21", "H27", "H35", "H36", "H44")
HERE = Path(__file__).parents[2]
BY_NAME = {root.name: root for root in ROOTS}
SEEDED = """
import sys
from tests.model.explore import explore
from tests.model.roots import ROOTS
from tests.model.seeded import BUGS
make, root, only = BUGS[sys.argv[1]]
make()
found = explore(next(one for one in ROOTS if one.name == root), 2, only=only)
print(len(found.violations))
"""


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_no_letter_from_any_root_puts_on_the_skin_or_the_joint_what_must_not_be_there(root):
    found = explore(root, 1)
    assert found.violations == []
    assert found.transitions == len(letters(root.orthosis))
    assert found.states > 5


def test_words_of_two_letters_where_current_flows():
    found = explore(BY_NAME["running, current"], 2, words_max=6)
    assert found.violations == []
    assert found.transitions == 6 * len(letters(False))


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_on_purpose_is_found(bug):
    command = [sys.executable, "-c", SEEDED, bug]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100, cwd=HERE)
    assert int(told.stdout) > 0


def test_a_word_is_lived_the_same_twice():
    marks = []
    for _ in range(2):
        world = bring(BY_NAME["running, current"])
        live(world, letters(False)["engine still 110 ms"])
        live(world, letters(False)["STOP"])
        assert world.house.gateway.state is GatewayState.LATCHED
        marks.append((fingerprint(world), verdict(world), len(world.log)))
    assert marks[0] == marks[1]
