"""`stimloop audit`: who changed which limit or prescription, when, from what to what, and why."""

import argparse
import json
import sys
from pathlib import Path

from controller.record.manifest import default_root
from controller.record.site import CHANGE, change_line, changes_of, concerns
from controller.record.vouching import AUDIT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where records are (default: where they go)")
    parser.add_argument("--patient", metavar="PSEUDONYM", help="only what is about this patient")
    parser.add_argument("--what", metavar="WORDS", help="only this kind: prescription, screening, protocol limits, ...")
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: the record is whole. 1: it was changed or cut. 2: there is none."""
    folder = options.data or default_root()
    if not (folder / AUDIT).is_file():
        print(f"stimloop audit: {folder} holds no {AUDIT}. Name the data folder with --data.", file=sys.stderr)
        return 2
    try:
        reading = changes_of(folder)
    except OSError as error:
        print(f"stimloop audit: {folder / AUDIT} cannot be read: {error.strerror or error}.", file=sys.stderr)
        return 2
    found = [record for record in reading.records if record.kind == CHANGE]
    if options.patient:
        found = [record for record in found if concerns(record, options.patient)]
    if options.what:
        found = [record for record in found if record.data.get("what") == options.what]
    if options.json:
        changes = [{"seq": record.seq, **record.data} for record in found]
        print(json.dumps({"ok": not reading.faults, "faults": reading.faults, "changes": changes}))
    else:
        for record in found:
            print(change_line(record))
        for fault in reading.faults:
            print(f"▲ NOT intact: {fault}", file=sys.stderr)
    return 1 if reading.faults else 0
