"""SIGKILL of each real process at points of its record: the folder is opened again, and nothing synced is lost.

A point is a number of records of the session's chain: the killer watches the files of a running demonstration and
kills as soon as so many records are there. What the process had been told to be on disk is known from what the other
chain vouches for: `gateway_head` in `events.jsonl` and `events_head` in `gateway.jsonl` name records that were synced.
"""

import contextlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from controller.record import manifest as manifests
from controller.record.verify import verify
from controller.vocabulary.chain import read
from tests.sweeps.black_box import Box

ROLES = ("front", "engine", "gateway")
WITHIN_S = 40.0
RECORDS_MAX = 60
"""Records of both chains by the middle of fitting: current flows from about the thirtieth on."""
VOUCHES = (("gateway_head", manifests.GATEWAY), ("events_head", manifests.EVENTS))


@dataclass
class Kill:
    """What came of one kill: whom, at which record, what was found."""

    role: str
    at: int
    number: int = 0
    events: int = 0
    gateway: int = 0
    torn: int = 0
    vouched: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """In one line."""
        found = f"{self.events} + {self.gateway} records, {self.torn} torn bytes, {self.vouched} vouched for"
        return f"{self.role} killed at record {self.at}: {found}{''.join(f'; {fault}' for fault in self.faults)}"


def cases(each: int, seed: int = 1) -> list[Kill]:
    """So many kills of each process, at seeded points."""
    rng = random.Random(seed)
    return [Kill(role, rng.randint(1, RECORDS_MAX), number) for number in range(each) for role in ROLES]


def killed(kill: Kill) -> Kill:
    """Live up to the point, kill, see the rest end, and open what is left."""
    box = Box(Path(tempfile.mkdtemp(prefix="sl")), seed=1 + kill.number)
    try:
        if not _reach(box, kill.at):
            kill.faults.append(f"the point was not reached; see {box.folder}")
        else:
            box.signal(kill.role, signal.SIGKILL)
            time.sleep(1.0)
    finally:
        left = box.close()
    if left:
        kill.faults.append(f"still there: {left}")
    if not kill.faults:
        _open(box, kill)
    if not kill.faults:
        shutil.rmtree(box.folder, ignore_errors=True)
    return kill


def _reach(box: Box, at: int) -> bool:
    ends = time.monotonic() + WITHIN_S
    while time.monotonic() < ends and box.front.poll() is None:
        sessions = box.sessions()
        if sessions and sum(_lines(sessions[0] / name) for _, name in VOUCHES) >= at:
            with contextlib.suppress(RuntimeError):
                for role in ("gateway", "engine", "world"):
                    box.number(role)
                return True
        time.sleep(0.005)
    return False


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _open(box: Box, kill: Kill) -> None:
    for folder in box.sessions():
        found = verify(folder)
        kill.faults += [f"{folder.name}: {fault}" for fault in found.faults]
        kill.events, kill.gateway = kill.events + found.events, kill.gateway + found.gateway_events
        kill.torn += found.torn_bytes + found.gateway_torn_bytes
        kill.faults += list(_lost(folder, kill))
    if not box.sessions():
        kill.faults.append("there is no session")


def _lost(folder: Path, kill: Kill) -> Iterator[str]:
    """Records that one chain says were on disk in the other, and that are not there."""
    chains = {name: read((folder / name).read_bytes()) for _, name in VOUCHES if (folder / name).exists()}
    for by in chains.values():
        for kind, of in VOUCHES:
            for record in by.records:
                if record.kind != kind:
                    continue
                kill.vouched += 1
                number, digest = record.data["seq"], record.data["hash"]
                there = chains.get(of)
                if there is None or len(there.hashes) <= number or there.hashes[number] != digest:
                    yield f"{of}: record {number} was vouched for, and is not there"


# -- a full disk for real processes ------------------------------------------------------------------------------------

LIMITED = (
    "import resource, os, sys; n = int(sys.argv[1]);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); os.execv(sys.argv[2], sys.argv[2:])"
)


def filled(limit_bytes: int) -> dict[str, object]:
    """The product where no file may grow beyond so many bytes (a full disk, as far as a process can tell).

    The demonstration runs into it with its record; it must end by itself, and what is there must open.
    """
    folder = Path(tempfile.mkdtemp(prefix="sl"))
    environment = {"XDG_RUNTIME_DIR": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    product = str(Path(sys.executable).with_name("stimloop"))
    words = [sys.executable, "-c", LIMITED, str(limit_bytes), sys.executable, product]
    words += ["demo", "--headless", "--json", "--speed", "realtime", "--data", str(folder / "data")]
    ran = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=90.0)
    sessions = sorted(path.parent for path in (folder / "data").glob("sub-*/ses-*/session.json"))
    kinds: list[str] = []
    for session in sessions:
        path = session / manifests.GATEWAY
        kinds += [record.kind for record in read(path.read_bytes()).records] if path.exists() else []
    told = json.loads(ran.stdout) if ran.stdout.startswith("{") else {}
    faults = [fault for session in sessions for fault in verify(session).faults]
    shutil.rmtree(folder, ignore_errors=True)
    return {"status": ran.returncode, "told": told, "kinds": kinds, "faults": faults, "stderr": ran.stderr[-400:]}
