"""`stimloop verify SESSION`: are the records whole and unchanged?"""

import argparse
import json
import sys
from pathlib import Path

from controller.record.verify import verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("sessions", type=Path, nargs="+", metavar="SESSION", help="session folders")
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: intact. 1: something was changed, cut or added. 2: no session there."""
    found = []
    for folder in options.sessions:
        try:
            found.append(verify(folder))
        except OSError as error:
            print(f"stimloop verify: {error}. Give the folder of one session (…/sub-…/ses-…).", file=sys.stderr)
            return 2
    good = all(one.ok for one in found)
    if options.json:
        print(json.dumps({"ok": good, "sessions": [one.as_dict() for one in found]}))
    else:
        for one in found:
            print(f"{one.folder}: {one.sentence}")
            for line in (*one.faults, *one.notes):
                print(f"  {line}")
    return 0 if good else 1
