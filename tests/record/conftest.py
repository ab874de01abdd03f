"""A session as the engine writes it, on the virtual clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from controller.record import manifest
from controller.record.journal import Journal
from controller.record.tables import Outcome, Stim, Trial

STARTED = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
START_NS = 7_000_000_000
SECOND = 1_000_000_000
PROTOCOL = b"name: wrist extension\n"


@pytest.fixture
def open_journal(tmp_path: Path) -> Callable[..., Journal]:
    """`open_journal(sync="inline", root="a")`: a journal in a new session folder."""

    def make(sync: str = "inline", root: str = "data", start_ns: int = START_NS) -> Journal:
        folder = manifest.create_folder(tmp_path / root, "P001", STARTED)
        begun = manifest.begin(STARTED, start_ns, patient="P001", protocol_id="wrist_extension", simulated=True)
        header = {"seed": 4, "protocol_sha256": sha256(PROTOCOL).hexdigest(), "software": "0.1.0"}
        return Journal(
            folder, header, sync, start_ns=start_ns, manifest=begun, protocol_yaml=PROTOCOL, resolved={"width_us": 250}
        )

    return make


@pytest.fixture
def write_trials() -> Callable[[Journal], None]:
    """Write four trials, their trains, motion rows and a note."""

    def write(journal: Journal, start_ns: int = START_NS) -> None:
        journal.event(start_ns + 3 * SECOND, "session_state", {"state": "running"})
        outcomes = [Outcome.COMPLETED, Outcome.MISSED, Outcome.ASSISTED, Outcome.COMPLETED]
        for number, outcome in enumerate(outcomes, 1):
            end_ns = start_ns + (3 + 6 * number) * SECOND
            for tick in range(20):
                journal.motion("wrist", end_ns - SECOND + tick * 10_000_000, (0.5, 1.0, tick, 0.0, 0.0, 1.0, 2.0, 3.0))
            helped = outcome != Outcome.MISSED
            if helped:
                journal.stim(
                    end_ns - 2 * SECOND, Stim(2 * SECOND, 1, 12_500, 250, 29_000, "assist", 69, 215_625, number)
                )
            channels = (("extensors", 12_500), ("thumb", 8_000)) if helped else ()
            latency = 31.25 if helped else None
            journal.trial(
                end_ns,
                Trial(number, "wrist_extension", "Lift your hand", "right", outcome, 42.0, 12.0, latency, channels),
            )
        journal.event(start_ns + 28 * SECOND, "note", {"text": "tired"})

    return write


@pytest.fixture
def closed_session(open_journal: Callable[..., Journal], write_trials: Callable[[Journal], None]) -> Path:
    """The folder of a session that ended normally after 30 s."""
    journal = open_journal()
    write_trials(journal)
    journal.close(START_NS + 30 * SECOND, "normal", "all repetitions done")
    assert journal.join()
    return journal.folder
