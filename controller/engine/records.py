"""Opening a session's record: its folder, its manifest, its journal."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from controller.record import manifest
from controller.record.journal import Journal, Sync, rendered
from controller.session.loader import Loaded
from controller.session.resolve import ResolvedProtocol
from safety.digest import compute

SOFTWARE = "stimloop"


def open_session(
    root: Path,
    loaded: Loaded,
    seed: int | None,
    side: str,
    patient: str,
    now_ns: int,
    resolved: ResolvedProtocol,
    sync: Sync = "thread",
    operator: str = "",
) -> Journal:
    """A new session folder under `root` with its journal. Raises `OSError` when the folder cannot be made."""
    started = manifest.utc_now()
    folder = manifest.create_folder(root, patient, started)
    software, digest = version(SOFTWARE), compute()
    head = {
        "software": software,
        "safety_digest": digest,
        "protocol_sha256": loaded.sha256,
        "seed": seed,
        "patient": patient,
        "affected_side": side,
        "operator": operator,
        "resolved_sha256": hashlib.sha256(rendered(resolved.as_json())).hexdigest(),
    }
    begun = manifest.begin(
        started,
        now_ns,
        patient=patient,
        protocol_id=loaded.protocol.name,
        protocol_sha256=loaded.sha256,
        versions={SOFTWARE: software, "safety": digest},
    )
    return Journal(
        folder,
        head,
        sync,
        start_ns=now_ns,
        manifest=begun,
        protocol_yaml=loaded.source,
        resolved=resolved.as_json(),
    )
