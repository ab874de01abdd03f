"""`stimloop verify SESSION`: are the records whole and unchanged?"""

import argparse
import json
import sys
from pathlib import Path

from controller.record.site import SiteVerification, is_site, verify_site
from controller.record.verify import Verification, verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "sessions", type=Path, nargs="+", metavar="SESSION|DATA", help="session folders, or a whole data folder"
    )
    parser.add_argument(
        "--head", default="", metavar="NUMBER:HASH", help="a last change that was written down elsewhere (data folder)"
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: intact. 1: something was changed, cut or added. 2: no session there."""
    found: list[Verification | SiteVerification] = []
    for folder in options.sessions:
        try:
            found.append(verify_site(folder, options.head) if is_site(folder) else verify(folder))
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
            for session in one.sessions if isinstance(one, SiteVerification) else []:
                if not session.ok:
                    print(f"  {session.folder}: {session.sentence}")
    return 0 if good else 1
