"""The session folder and its manifest `session.json`: wall time, host, versions and devices stand only here.

The manifest is written twice: at the start, saying `interrupted`, which is the truth if nothing more is written, and
at the close, with how the session ended and the digest of every file. It carries a digest of itself.
"""

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from controller.disk import sync_folder

NAME = "session.json"
EVENTS = "events.jsonl"
GATEWAY = "gateway.jsonl"
TRIALS = "trials.tsv"
STIM = "stim.tsv"
PROTOCOL = "protocol.yaml"
RESOLVED = "protocol.resolved.json"
SCHEMA = 1
ENDINGS = ("normal", "stop", "fault", "interrupted")
INTERRUPTED = "interrupted"

_PSEUDONYM = re.compile(r"[A-Za-z0-9]{1,64}")


class ManifestError(Exception):
    """`session.json` is missing or is not what was written; the text says which."""


def default_root() -> Path:
    """$STIMLOOP_DATA, else $XDG_DATA_HOME/stimloop/sessions, else ~/.local/share/stimloop/sessions."""
    chosen = os.environ.get("STIMLOOP_DATA")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_DATA_HOME") or ""
    data = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return data / "stimloop" / "sessions"


def create_folder(root: Path, pseudonym: str, started: datetime) -> Path:
    """Make `<root>/sub-<pseudonym>/ses-<YYYYMMDDThhmmss>[-n]`, readable by the user alone.

    Raises `ValueError` for a pseudonym that is not 1 to 64 letters and digits, `OSError` when it cannot be made.
    """
    if not _PSEUDONYM.fullmatch(pseudonym):
        raise ValueError(f"a pseudonym is 1 to 64 letters and digits, not {pseudonym!r}")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    patient = root / f"sub-{pseudonym}"
    patient.mkdir(mode=0o700, exist_ok=True)
    stem = f"ses-{started:%Y%m%dT%H%M%S}"
    for number in range(1, 10_000):
        folder = patient / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{patient / stem} and 9,998 after it exist already")


def sessions(root: Path) -> Iterator[Path]:
    """Every session folder under `root`, the oldest first within a patient."""
    yield from sorted(path.parent for path in root.glob(f"sub-*/ses-*/{NAME}"))


def begin(
    started: datetime,
    start_ns: int,
    *,
    patient: str = "",
    protocol_id: str = "",
    protocol_sha256: str = "",
    versions: Mapping[str, str] | None = None,
    simulated: bool | None = None,
) -> dict[str, Any]:
    """The manifest of a session that starts now. `started` needs a time zone; `start_ns` is the same instant in ns."""
    return {
        "schema": SCHEMA,
        "patient": patient,
        "started": started.isoformat(timespec="milliseconds"),
        "ended": INTERRUPTED,
        "ended_at": None,
        "reason": "",
        "clock": {"start_ns": start_ns, "unit": "ns"},
        "protocol": {"id": protocol_id, "sha256": protocol_sha256},
        "simulated": simulated,
        "versions": {"python": platform.python_version(), **(versions or {})},
        "host": {"name": platform.node(), "system": platform.system(), "machine": platform.machine()},
        "devices": [],
        "files": [],
    }


def close(manifest: Mapping[str, Any], folder: Path, ended: str, reason: str, now_ns: int) -> dict[str, Any]:
    """The manifest of a session that is over: how, when (by the session's own clock), and the digest of each file."""
    elapsed = timedelta(microseconds=(now_ns - manifest["clock"]["start_ns"]) // 1000)
    ended_at = datetime.fromisoformat(manifest["started"]) + elapsed
    return {
        **manifest,
        "ended": ended,
        "ended_at": ended_at.isoformat(timespec="milliseconds"),
        "reason": reason,
        "files": list(_digests(folder)),
    }


def write(folder: Path, manifest: Mapping[str, Any], durable: bool = True) -> None:
    """Put `session.json` in place in one step. Raises `OSError`."""
    temporary = folder / f"{NAME}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(render(manifest))
        file.flush()
        if durable:
            os.fsync(file.fileno())
    temporary.replace(folder / NAME)
    if durable:
        sync_folder(folder)


def read(folder: Path) -> dict[str, Any]:
    """The manifest, proved by its own digest. Raises `ManifestError`."""
    try:
        content = (folder / NAME).read_bytes()
    except OSError as error:
        raise ManifestError(f"{NAME} cannot be read: {error.strerror or error}") from error
    try:
        manifest = json.loads(content)
        stated = manifest.pop("digest", None)
    except (ValueError, AttributeError, RecursionError) as error:
        raise ManifestError(f"{NAME} is not JSON") from error
    if stated is None or render(manifest) != content:
        raise ManifestError(f"{NAME} was changed: its digest does not fit")
    return dict(manifest)


def render(manifest: Mapping[str, Any]) -> bytes:
    """The exact bytes of `session.json`: readable JSON, its last member the SHA-256 of all the others."""
    plain = {key: value for key, value in manifest.items() if key != "digest"}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    return (json.dumps({**plain, "digest": digest}, indent=2) + "\n").encode()


def utc_now() -> datetime:
    """Wall time, for the manifest and the folder's name alone."""
    return datetime.now(UTC)


def _digests(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(NAME):
            continue
        content = path.read_bytes()
        entry: dict[str, Any] = {
            "name": path.name,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        if path.name == GATEWAY:
            entry["grows"] = True  # the gateway outlives the session; the digest is of the first `bytes` bytes
        yield entry
