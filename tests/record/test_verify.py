"""`verify`: what was changed shows, what a kill leaves behind opens and says where it ends."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from controller.cli.main import main
from controller.gateway.blackbox import BlackBox
from controller.record import manifest
from controller.record.merge import merged
from controller.record.verify import verify
from controller.vocabulary.chain import GENESIS

SECOND = 1_000_000_000


def flip(path: Path, at: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


def test_a_closed_session_is_intact(closed_session):
    found = verify(closed_session)
    assert (found.ok, found.ended, found.faults, found.notes) == (True, "normal", [], [])
    assert found.events == 11  # eight, and three on the files that are no chains
    assert json.loads(json.dumps(found.as_dict()))["ok"] is True
    assert "ended: normal" in found.sentence


def test_a_flipped_bit_in_any_file_of_a_closed_session_shows(closed_session):
    chance = random.Random(3)
    for path in sorted(closed_session.iterdir()):
        content = path.read_bytes()
        places = range(len(content)) if len(content) < 80 else chance.sample(range(len(content)), 80)
        for at in places:
            flip(path, at, chance.randrange(8))
            assert not verify(closed_session).ok, f"{path.name} byte {at}"
            path.write_bytes(content)
    assert verify(closed_session).ok


def test_a_missing_shortened_or_prolonged_file_shows(closed_session):
    for path in sorted(closed_session.iterdir()):
        content = path.read_bytes()
        for changed in (None, content[:-1], content + b"x", b""):
            path.unlink() if changed is None else path.write_bytes(changed)
            assert not verify(closed_session).ok, path.name
            path.write_bytes(content)


def test_records_cut_off_the_end_of_a_closed_session_show(closed_session):
    path = closed_session / manifest.EVENTS
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
    assert not verify(closed_session).ok


def test_a_protocol_that_was_swapped_before_the_close_shows(open_journal):
    journal = open_journal()
    (journal.folder / manifest.PROTOCOL).write_bytes(b"name: another\n")
    journal.close(9 * SECOND, "normal")
    assert any("protocol.yaml" in fault for fault in verify(journal.folder).faults)


def test_an_interrupted_session_opens_at_every_byte_and_says_where_it_ends(closed_session, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(closed_session, folder)
    told = manifest.read(folder)
    manifest.write(folder, {**told, "ended": "interrupted", "ended_at": None, "files": []})
    content = (folder / manifest.EVENTS).read_bytes()
    trials = (folder / manifest.TRIALS).read_bytes().splitlines(keepends=True)
    for end in range(0, len(content), 7):
        (folder / manifest.EVENTS).write_bytes(content[:end])
        whole = content[:end].splitlines(keepends=True)
        kept = sum(b'"kind":"trial"' in line and line.endswith(b"\n") for line in whole)
        (folder / manifest.TRIALS).write_bytes(b"".join(trials[: 1 + kept]))
        found = verify(folder)
        assert found.ok, found.faults
        assert found.ended == "interrupted"
        assert found.events == content[:end].count(b"\n")
        assert found.torn_bytes == len(content[:end].rpartition(b"\n")[2])
        if found.events:
            assert f"interrupted after record {found.events - 1}" in found.sentence


def test_a_trial_changed_in_the_table_of_an_interrupted_session_shows(open_journal, write_trials):
    journal = open_journal()
    write_trials(journal)
    journal._appender.flush()
    assert verify(journal.folder).ok
    path = journal.folder / manifest.TRIALS
    path.write_bytes(path.read_bytes().replace(b"missed", b"completed"))
    assert any("trials.tsv" in fault for fault in verify(journal.folder).faults)


def test_an_empty_folder_is_a_session_that_was_killed_before_its_first_record(tmp_path):
    found = verify(tmp_path)
    assert (found.ok, found.ended, found.events) == (True, "interrupted", 0)
    with pytest.raises(NotADirectoryError):
        verify(tmp_path / "nothing")


def test_the_gateways_log_is_checked_goes_on_after_the_close_and_merges_in_time_order(open_journal, write_trials):
    journal = open_journal()
    box = BlackBox(threaded=False)
    box.record(6 * SECOND, "connected", {"unit": "SIM0P24001"})
    box.open(journal.folder)
    box.record(11 * SECOND, "armed", {}, True)
    write_trials(journal)
    box._appender.flush()
    journal.close(37 * SECOND, "normal")
    box.record(38 * SECOND, "disarmed", {})
    assert box.close(39 * SECOND)
    found = verify(journal.folder)
    assert (found.ok, found.gateway_events) == (True, 4)
    entries = list(merged(journal.folder))
    assert [entry.t_ns for entry in entries] == sorted(entry.t_ns for entry in entries)
    assert [(e.t_ns, e.kind) for e in entries if e.source == "gateway"][1:] == [
        (-SECOND, "connected"),
        (4 * SECOND, "armed"),
        (31 * SECOND, "disarmed"),
    ]
    path = journal.folder / manifest.GATEWAY
    for at in range(0, path.stat().st_size, 11):
        flip(path, at)
        assert not verify(journal.folder).ok
        flip(path, at)


WRITER = """
import sys, time
from pathlib import Path
from controller.record.journal import Journal
journal = Journal(Path(sys.argv[1]), {"seed": 1}, "thread")
number = 0
while True:
    number += 1
    now = number * 1_000_000
    journal.event(now, "phase", {"number": number}, sync=number % 7 == 0)
    journal.motion("wrist", now, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0))
    if journal.failed:
        sys.exit(journal.failed)
    sys.stdout.write(f"{journal.synced_seq}\\n")
    sys.stdout.flush()
    time.sleep(0.0005)
"""


@pytest.mark.parametrize("turn", range(5))
def test_killed_at_any_instant_the_session_opens_and_nothing_synced_is_lost(tmp_path, turn):
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child, child.stdout as out:
        for _ in range(random.Random(turn).randrange(2, 250)):
            line = out.readline()
        child.kill()
        last = [int(line), *(int(text) for text in out.read().splitlines(keepends=True) if text.endswith(b"\n"))][-1]
    found = verify(tmp_path)
    assert found.ok, found.faults
    assert found.ended == "interrupted"
    assert found.events > last
    numbers = [entry.data.get("number") for entry in merged(tmp_path)] if found.events else []
    assert numbers[1:] == list(range(1, len(numbers)))


def test_the_gateways_log_goes_on_after_a_kill_in_mid_line(tmp_path):
    box = BlackBox()
    box.open(tmp_path)
    box.record(1, "armed", {}, True)
    assert box.close(2)
    path = tmp_path / manifest.GATEWAY
    os.truncate(path, path.stat().st_size - 20)
    torn = path.read_bytes().rpartition(b"\n")[2]
    again = BlackBox()
    again.open(tmp_path)
    again.record(3, "latched", {"cause": "the gateway was started anew"}, True)
    assert again.close(4)
    found = verify(tmp_path)
    assert (found.ok, found.gateway_events) == (True, 3)
    assert hashlib.sha256(torn).hexdigest().encode() in path.read_bytes()


def test_the_black_box_without_a_folder_keeps_a_bounded_number_and_never_raises(tmp_path):
    box = BlackBox(threaded=False)
    for number in range(5000):
        box.record(number, "fact", {"n": number})
    box.open(tmp_path / "missing")
    box.record(5001, "fact", {})
    box.close(5002)
    assert "missing" in box.failed or not (tmp_path / "missing").exists()
    other = BlackBox(threaded=False)
    for number in range(5000):
        other.record(number, "fact", {"n": number})
    other.open(tmp_path)
    assert other.close(5001)
    assert verify(tmp_path).gateway_events == 1026  # the header, and how many were lost


def sealed(*bodies: bytes, prev: str = GENESIS) -> bytes:
    """Lines that are sealed as they should be, whatever they say: a chain has no key."""
    lines = []
    for body in bodies:
        digest = hashlib.sha256(prev.encode() + body).hexdigest()
        lines.append(body + f',"prev":"{prev}","hash":"{digest}"}}\n'.encode())
        prev = digest
    return b"".join(lines)


@pytest.mark.hazard("H30")
@pytest.mark.parametrize(
    ("name", "bodies"),
    [
        (manifest.GATEWAY, (b'{"seq":0,"t_ns":1,"kind":"x","data":{"a":' + b"[" * 60_000,)),
        (manifest.GATEWAY, (b'{"seq":"0","t_ns":1,"kind":"x","data":{}',) * 2),
        (manifest.EVENTS, (b'{"seq":0,"t_ns":1,"kind":"x","data":{"a":' + b"[" * 60_000,)),
        (manifest.EVENTS, (b'{"seq":"0","t_ns":1,"kind":"x","data":{}',) * 2),
        (manifest.EVENTS, (b'{"seq":0,"t_ns":1,"kind":"trial","data":{}',)),
        (manifest.EVENTS, (b'{"seq":0,"t_ns":1,"kind":"files","data":{"a":["x","y"]}',)),
        (manifest.EVENTS, (b'{"seq":0,"t_ns":1,"kind":"files","data":{"a":[1e400,"y"]}',)),
        (manifest.EVENTS, (b'{"seq":0,"t_ns":1,"kind":"files","data":{"a\\u0000":[1,"y"]}',)),
    ],
    ids=["deep", "words", "deep journal", "words in the journal", "no trial", "no size", "an endless size", "no name"],
)
def test_a_crafted_file_is_a_finding_in_words(closed_session: Path, name: str, bodies: tuple[bytes, ...], capsys):
    (closed_session / name).write_bytes(sealed(*bodies))
    found = verify(closed_session)
    assert not found.ok
    assert found.sentence.startswith("NOT intact: ")
    assert main(["verify", str(closed_session)]) == 1
    said = capsys.readouterr()
    assert "NOT intact" in said.out
    assert "not foreseen" not in said.err


@pytest.mark.hazard("H30")
def test_json_that_is_nested_without_end_is_a_finding_in_any_file(closed_session: Path):
    for path in [closed_session / manifest.NAME, *closed_session.glob("motion_*.json")]:
        content = path.read_bytes()
        path.write_bytes(b"[" * 60_000)
        assert not verify(closed_session).ok
        path.write_bytes(content)
