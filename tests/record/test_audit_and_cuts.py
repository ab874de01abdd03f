"""The record of changes, and that no flipped bit and no cut goes unsaid: sealed sessions, killed ones, whole sites."""

import json
import os
import shutil
import threading
from hashlib import sha256

import pytest

from controller.cli.main import main
from controller.gateway.audit_book import AuditBook
from controller.gateway.blackbox import BlackBox
from controller.gateway.ports import Audit
from controller.record import manifest
from controller.record.journal import Journal
from controller.record.site import verify_site
from controller.record.verify import verify
from controller.vocabulary.chain import read

pytestmark = pytest.mark.hazard("H30", "H51")

SECOND = 1_000_000_000
START_NS = 7 * SECOND
PROTOCOL = b"name: wrist extension\n"
EVERY = int(os.environ.get("EVERY", "29"))
"""Of so many bytes one is flipped or cut at; `EVERY=1` takes them all."""


def change(t, subject="P001 2026-03-04 channel 1", reason="", **new):
    return Audit(t, "prescription", subject, new, reason)


def site(root, closed=False):
    """A data folder as the processes make it: two changes, one session whose files speak of each other."""
    book = AuditBook(root, "m.weiss")
    book.add(change(1, ceiling_ua=18_000), "2026-03-04T09:30:00Z")
    folder = root / "sub-P001" / "ses-20260304T093000"
    folder.mkdir(parents=True)
    begun = manifest.begin(manifest.utc_now(), START_NS, patient="P001")
    header = {"seed": 4, "protocol_sha256": sha256(PROTOCOL).hexdigest()}
    journal = Journal(folder, header, "thread", start_ns=START_NS, manifest=begun, protocol_yaml=PROTOCOL)
    box = BlackBox()
    box.open(folder)
    for turn in range(1, 13):
        now = START_NS + turn * SECOND
        journal.event(now, "phase", {"turn": turn}, sync=turn % 3 == 0)
        journal.motion("wrist", now, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, float(turn)))
        box.record(now, "burst", {"turn": turn}, turn % 4 == 0)
        if turn == 9:
            wait_for(lambda: journal.vouched is not None and journal.vouched[0] > 5 and box.vouched is not None)
            box.record(now, "events_head", dict(zip(("seq", "hash"), journal.vouched, strict=True)), True)
            journal.event(now, "gateway_head", dict(zip(("seq", "hash"), box.vouched, strict=True)), sync=True)
    book.add(change(2, ceiling_ua=15_000, reason="it hurt"), "2026-03-04T09:31:00Z")
    wait_for(lambda: book.head[0] == 2)
    box.record(now, "audit_head", dict(zip(("seq", "hash"), book.head, strict=True)), True)
    if closed:
        journal.close(START_NS + 20 * SECOND, "normal")
        assert journal.join()
    else:
        wait_for(lambda: journal.backlog_ms(now) == 0)
        threading.Event().wait(0.12)  # the writer's round
    head = box.head
    assert box.close(0)
    sealed = {"open": False, "seq": head[0], "hash": head[1]}
    book.add(Audit(3, "session", f"sub-P001/{folder.name}", sealed, "the gateway ended"), "2026-03-04T09:32:00Z")
    assert book.close()
    return folder


def wait_for(done):
    for _ in range(400):
        if done():
            return
        threading.Event().wait(0.01)
    raise AssertionError("the writer never came so far")


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    root = tmp_path_factory.mktemp("killed")
    return site(root).parent.parent


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    root = tmp_path_factory.mktemp("closed")
    return site(root, closed=True).parent.parent


def parts(root):
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("which", ["closed", "killed"])
def test_as_it_was_written_it_is_intact(which, request):
    root = request.getfixturevalue(which)
    found = verify_site(root)
    assert found.ok, (found.faults, [session.faults for session in found.sessions])
    assert (found.changes, len(found.sessions)) == (3, 1)
    assert found.sentence.startswith("intact: 3 changes, 1 sessions; last change 3:")


@pytest.mark.parametrize("which", ["closed", "killed"])
def test_every_single_flipped_bit_shows(which, request, tmp_path):
    """Every bit of every file. What nothing vouches for in a killed session is said before anything is flipped."""
    root = tmp_path / "site"
    shutil.copytree(request.getfixturevalue(which), root)
    unvouched = {name: size for session in verify_site(root).sessions for name, size in loose(session)}
    assert which == "killed" or not unvouched
    flips = 0
    for path in parts(root):
        content = path.read_bytes()
        bound = len(content) - unvouched.get(path.name, 0)
        assert bound > 0
        for at in range(len(content) % EVERY, bound, EVERY):
            bit = 1 << (at * 5 % 8)
            path.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
            assert not verify_site(root).ok, f"{path.name} byte {at}, bit {bit}"
            flips += 1
        path.write_bytes(content)
    assert flips > 4_000 // EVERY
    assert verify_site(root).ok


def loose(session):
    for note in session.notes:
        if "nothing vouches for its last" in note:
            yield note.split(":")[0], int(note.split("last ")[1].split()[0])


@pytest.mark.parametrize("which", ["closed", "killed"])
def test_every_cut_shows_or_is_said_to_be_the_torn_end_of_a_killed_writer(which, request, tmp_path):
    root = tmp_path / "site"
    shutil.copytree(request.getfixturevalue(which), root)
    found = verify_site(root)
    silent = []
    for path in parts(root):
        content = path.read_bytes()
        for end in range(0, len(content), EVERY):
            path.write_bytes(content[:end])
            if verify_site(root).ok and verify_site(root, found.head).ok:
                silent.append((path.name, end, len(content)))
        path.write_bytes(content)
    if which == "closed":
        assert silent == []
        return
    names = {name for name, _, _ in silent}
    assert names <= {"events.jsonl", "trials.tsv", "motion_wrist.f32"}, silent  # what came after the last word of it
    for name, end, _length in silent:
        folder = next(root.glob("sub-*/ses-*"))
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:end])
        again = verify(folder)
        assert again.ended == "interrupted"
        said = again.sentence + " ".join(again.notes)
        assert "interrupted after record" in said
        (folder / name).write_bytes(content)


def test_whole_records_cut_off_each_chain_are_missed_by_another(killed, tmp_path):
    for name, knows in (("gateway.jsonl", "audit.jsonl knows"), ("audit.jsonl", "gateway.jsonl knows")):
        root = tmp_path / name
        shutil.copytree(killed, root)
        path = next(root.rglob(name))
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: len(lines) - (1 if name == "gateway.jsonl" else 2)]))
        found = verify_site(root)
        assert not found.ok
        assert knows in " ".join(found.sessions[0].faults)
    root = tmp_path / "journal"
    shutil.copytree(killed, root)
    path = next(root.rglob("events.jsonl"))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
    assert "as gateway.jsonl knows" in verify_site(root).sessions[0].faults[0]


def test_the_last_change_alone_is_missed_by_whoever_wrote_its_head_down(killed, tmp_path):
    root = tmp_path / "site"
    shutil.copytree(killed, root)
    head = verify_site(root).head
    path = root / "audit.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert verify_site(root).ok  # a site put back to before the last change looks whole to itself
    assert not verify_site(root, head).ok
    assert not verify_site(root, "3:").ok
    assert not verify_site(root, "x:y").ok


def test_a_session_that_was_taken_away_is_missed(killed, tmp_path):
    root = tmp_path / "site"
    shutil.copytree(killed, root)
    shutil.rmtree(next(root.glob("sub-*/ses-*")))
    assert "is missing" in verify_site(root).faults[0]


# -- the record of changes ---------------------------------------------------------------------------------------------


def changes(root):
    return [record.data for record in read((root / "audit.jsonl").read_bytes()).records if record.kind == "change"]


def test_who_when_what_old_new_and_why(tmp_path):
    book = AuditBook(tmp_path)
    book.add(change(1, ceiling_ua=18_000, pads=(1, 2)), "2026-03-04T09:30:00Z")
    book.add(change(2, ceiling_ua=18_000, pads=(1, 2)), "2026-03-04T09:31:00Z")  # nothing changed
    book.add(change(3, ceiling_ua=15_000, pads=(1, 2), reason="it hurt"), "2026-03-04T09:32:00Z")
    assert book.close()
    first, second = changes(tmp_path)
    assert first["old"] is None
    assert (second["at"], second["operator"], second["what"]) == ("2026-03-04T09:32:00Z", "unnamed", "prescription")
    assert (second["old"]["ceiling_ua"], second["new"]["ceiling_ua"], second["reason"]) == (18_000, 15_000, "it hurt")
    again = AuditBook(tmp_path, "m.weiss")
    again.add(change(9, ceiling_ua=15_000, pads=(1, 2)), "2026-03-05T08:00:00Z")
    again.add(change(9, ceiling_ua=12_000, pads=(1, 2)), "2026-03-05T08:00:00Z")
    assert again.close()
    assert changes(tmp_path)[-1]["old"]["ceiling_ua"] == 15_000  # known over sessions
    assert len(changes(tmp_path)) == 3


def test_two_programs_write_in_turn(tmp_path):
    books = [AuditBook(tmp_path, name) for name in ("a", "b")]
    for number in range(20):
        books[number % 2].add(change(number, subject=f"P{number}", ceiling_ua=number), "2026-03-05T08:00:00Z")
    assert all(book.close(10.0) for book in books)
    reading = read((tmp_path / "audit.jsonl").read_bytes())
    assert reading.faults == []
    assert sum(record.kind == "change" for record in reading.records) == 20


def test_a_torn_end_is_accounted_for(tmp_path):
    book = AuditBook(tmp_path)
    book.add(change(1, ceiling_ua=1), "now")
    assert book.close()
    path = tmp_path / "audit.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    again = AuditBook(tmp_path)
    again.add(change(2, ceiling_ua=2), "now")
    assert again.close()
    reading = read(path.read_bytes())
    assert (reading.faults, reading.torn) == ([], b"")


def test_a_record_of_changes_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "audit.jsonl").mkdir()
    book = AuditBook(tmp_path)
    book.add(change(1, ceiling_ua=1), "now")
    assert not book.close()
    assert book.failed


def test_the_commands(killed, tmp_path, capsys):
    assert main(["audit", "--data", str(killed)]) == 0
    out = capsys.readouterr().out
    assert "m.weiss  prescription, P001 2026-03-04 channel 1" in out
    assert "ceiling_ua: 18000 -> 15000" in out
    assert "why: it hurt" in out
    assert main(["audit", "--data", str(killed), "--patient", "P002", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "faults": [], "changes": []}
    assert main(["audit", "--data", str(killed), "--patient", "P001", "--what", "prescription", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["changes"]) == 2
    assert main(["audit", "--data", str(tmp_path)]) == 2
    assert "holds no audit.jsonl" in capsys.readouterr().err
    assert main(["verify", str(killed), "--json"]) == 0
    head = json.loads(capsys.readouterr().out)["sessions"][0]["head"]
    assert main(["verify", str(killed), "--head", head]) == 0
    assert main(["verify", str(killed), "--head", "1:ab"]) == 1
    assert "written down elsewhere" in capsys.readouterr().out
