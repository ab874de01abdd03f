"""Ten bugs on purpose: each still fits the source, has two layers of proof at least, and its first layer sees it."""

import subprocess
import sys

import pytest

from tests.bugs.catalogue import BUGS
from tests.bugs.run import ROOT, files_of, patched

pytestmark = pytest.mark.hazard("H01", "H06", "H12", "H19", "H20", "H21", "H27", "H33", "H35")


def test_there_are_ten():
    assert len(BUGS) == 10


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_fits_the_source_and_has_two_layers(name):
    for file, patches in files_of(name).items():
        before = (ROOT / file).read_text(encoding="utf-8")
        after = patched(before, patches)
        assert after != before
        compile(after, file, "exec")
    layers = BUGS[name].layers
    assert len(layers) >= 2
    assert len(set(layers.values())) == len(layers)
    for tests in layers.values():
        for test in tests:
            file, _, function = test.partition("::")
            assert f"def {function.partition('[')[0]}" in (ROOT / file).read_text(encoding="utf-8")


def test_a_patch_that_does_not_fit_is_an_error():
    patches = [patch._replace(before="what stands nowhere") for patch in BUGS["clamp"].patches]
    with pytest.raises(ValueError, match="has changed"):
        patched("some text", patches)


@pytest.mark.timeout(300)
def test_each_bug_is_seen_by_its_first_layer():
    command = [sys.executable, "-m", "tests.bugs.run", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count(" red ") == len(BUGS)


def test_a_layer_that_sees_nothing_is_told():
    command = [sys.executable, "-c", SLEEPY]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "STAYS GREEN" in run.stdout


SLEEPY = """
from tests.bugs import catalogue, run
layer = {"asleep": ("tests/safety/test_interlocks.py",)}
catalogue.BUGS["torque kept"] = catalogue.BUGS["torque kept"]._replace(layers=layer)
raise SystemExit(run.main(["torque kept", "--quick"]))
"""
