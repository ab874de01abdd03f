"""`stimloop protocol check`: read a protocol file and show every fault at once."""

import argparse
import json
from pathlib import Path

from controller.session.faults import ProtocolRefused, render
from controller.session.loader import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("action", choices=["check"])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: all files are good. 1: at least one has faults."""
    found = {}
    for path in options.files:
        try:
            loaded = load(path)
        except ProtocolRefused as refused:
            found[str(path)] = [fault._asdict() for fault in refused.faults]
            if not options.json:
                print(render(refused.faults, refused.source))
        else:
            found[str(path)] = []
            if not options.json:
                print(f"{path}: good ({loaded.protocol.name})")
    if options.json:
        print(json.dumps({"files": found, "faults": sum(len(faults) for faults in found.values())}))
    return 1 if any(found.values()) else 0
