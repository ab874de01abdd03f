"""`stimloop pedal`: the foot pedals that are plugged in (`list`), and the rule that lets them be read (`rule`)."""

import argparse
import json
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    what = parser.add_subparsers(dest="what", required=True, metavar="list|rule")
    listing = what.add_parser("list", help="input devices that may be pedals, with their serial numbers")
    listing.add_argument("--all", action="store_true", help="keyboards and mice too")
    listing.add_argument("--json", action="store_true", help="one object on stdout")
    what.add_parser("rule", help="print the udev rule for foot pedals; its first lines say where it goes")


def run(options: argparse.Namespace) -> int:
    """0, whatever there is."""
    from controller.assembly.pedals import pedals, pedals_text
    from controller.drivers.inputs import RULE

    if options.what == "rule":
        sys.stdout.write(RULE.read_text(encoding="utf-8"))
        return 0
    found = pedals(everything=options.all)
    print(json.dumps({"pedals": [pedal.as_dict() for pedal in found]}) if options.json else pedals_text(found))
    return 0
