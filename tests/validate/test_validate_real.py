"""One scenario on the real processes: STOP in the ramp, the same file and checks as on the virtual clock."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.hazard("H18"), pytest.mark.timeout(120)]


def test_stop_in_the_ramp_on_real_processes() -> None:
    words = ["validate", "--real", "--json", "S29"]
    run = subprocess.run([sys.executable, "-m", "controller.cli.main", *words], capture_output=True, text=True)
    told = json.loads(run.stdout)
    assert told["scenarios"] == {"total": 1, "passed": 1, "failed": 0, "not_yet": 0}, run.stdout
    assert 0.0 <= told["stop_ms"]["max"] <= 250.0
