"""Recorded human movement through the whole assembly: every start is helped, labelled rest stays silent.

Recordings: BROAD (see tests/data/broad/README.md). The same rule as the acceptance: a trigger belongs to a labelled
rest-to-motion edge within [-0.5, +1.5] s.
"""

from pathlib import Path

import numpy as np
import pytest

from controller.assembly.demo import DemoPlan, headless_virtual
from controller.record.verify import verify
from sim.recording import Recording

pytestmark = pytest.mark.hazard("H09")

ARCHIVE = Path(__file__).parents[1] / "data" / "broad" / "broad_subset_100hz.npz"
BEFORE_S, AFTER_S = 0.5, 1.5
EDGES = {"04": 4, "05": 4, "14": 4, "18": 4, "24": None, "26": None}


@pytest.mark.parametrize("trial", EDGES)
def test_each_start_is_helped_and_rest_stays_silent(tmp_path, trial):
    recording = Recording.load(ARCHIVE, trial)
    result = headless_virtual(DemoPlan(motion=(ARCHIVE, trial), data=tmp_path))
    moving = recording.movement
    edges = (np.flatnonzero(np.diff(moving.astype(int)) == 1) + 1) / recording.rate_hz
    found, in_rest = set(), []
    for time_s in result.trigger_times_s:
        own = [float(edge) for edge in edges if -BEFORE_S <= time_s - edge <= AFTER_S]
        if own:
            found.add(own[0])
        elif not moving[min(len(moving) - 1, round(time_s * recording.rate_hz))]:
            in_rest.append(time_s)
    assert in_rest == []
    if EDGES[trial] is not None:
        assert len(edges) == len(found) == EDGES[trial]
    assert result.ended == "normal"
    assert result.refused == 0
    assert result.triggers == result.assisted == result.completed
    assert result.pulses > 0
    assert verify(Path(result.session)).ok
