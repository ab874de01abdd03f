"""`stimloop screening [FILE]`: the list that is asked, with the source of each row; a site's own file is checked."""

import argparse
import json
import sys
from pathlib import Path

from controller.record.manifest import default_root
from controller.session.faults import ProtocolRefused, render
from controller.session.screening import Screening, found, load
from safety.screening import Kind

_MEANS = {Kind.BLOCK: "blocks", Kind.SIGN_OFF: "sign-off", Kind.EVERY_SESSION: "each session"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a site's own stricter list")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="whose screening.yaml is taken without FILE")
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: this is asked. 1: the site's file is refused, with line and fix."""
    path = found(options.data or default_root(), options.file)
    try:
        asked = load(path)
    except ProtocolRefused as refused:
        print(render(refused.faults, refused.source), file=sys.stderr)
        return 1
    if options.json:
        rows = [row._asdict() for row in asked.rows]
        told = {"version": asked.version, "sha256": asked.sha256, "site": asked.site, "site_sha256": asked.site_sha256}
        print(json.dumps({"ok": True, **told, "file": str(path or ""), "rows": rows}))
    else:
        _show(asked, path)
    return 0


def _show(asked: Screening, path: Path | None) -> None:
    site = f", made stricter by {path} ({asked.site})" if path is not None else ""
    print(f"Screening list, version {asked.version}{site}. Proposed, awaiting clinical sign-off.")
    for row in asked.rows:
        print(f"  {_MEANS[row.kind]:<13}{row.id:<18}{row.question}\n{'':33}{row.source}")
