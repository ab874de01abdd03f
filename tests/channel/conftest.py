"""A snapshot as the engine makes it."""

import pytest

from controller.assembly.demo import DemoPlan, VirtualRun
from controller.assembly.virtual import START_NS


@pytest.fixture
def engine_snapshot(tmp_path):
    run = VirtualRun(DemoPlan(), tmp_path)
    run.assembly.run(START_NS + 2_000_000_000)
    run.assembly.close()
    snapshot = run.assembly.front.snapshot
    assert snapshot is not None
    return snapshot
