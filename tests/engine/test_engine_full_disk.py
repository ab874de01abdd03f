"""A disk that takes no record: no session begins, the screen says why, and the engine goes on."""

from dataclasses import replace

import pytest

from controller.engine.core import EngineCore
from controller.vocabulary import intents
from controller.vocabulary.snapshot import SessionState

pytestmark = pytest.mark.hazard("H29")


def test_a_record_that_cannot_be_made_keeps_the_session_from_beginning(kit):
    bench = kit.Bench()
    refusing = [True]

    def open_record(patient, now_ns, resolved):
        if refusing[0]:
            raise OSError(28, "No space left on device")
        return bench.journal

    bench.core = EngineCore(replace(bench.core.setting, open_record=open_record))
    bench.intend(intents.ChoosePatient("P-01"))
    assert bench.core.state is SessionState.IDLE
    assert "No space left on device" in bench.core.todo
    assert "Free the disk" in bench.core.todo
    refusing[0] = False
    bench.intend(intents.ChoosePatient("P-01"))
    assert bench.core.state is SessionState.SCREENING
    assert bench.core.todo == ""
