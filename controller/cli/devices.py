"""`stimloop devices`: what is plugged in, by serial number; and who answers on a port that is named."""

import argparse
import json
import sys
from typing import Any

from controller.assembly.devices import Found, ask, connected
from controller.assembly.pedals import pedals, pedals_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--ask",
        action="append",
        default=[],
        metavar="KIND:PORT",
        help="open this port, send off, and ask who it is (p24:/dev/ttyACM0, p24:usb:SERIAL)",
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: all that was asked answered as what it was asked as. 1: something did not. 2: a name that is none."""
    from controller.assembly.named import wrong_name

    for named in options.ask:
        wrong = wrong_name(named)
        if wrong:
            print(f"stimloop devices: --ask {wrong}", file=sys.stderr)
            return 2
    found = connected()
    feet = pedals()
    answers = [ask(named) for named in options.ask]
    if options.json:
        told: dict[str, Any] = {
            "devices": [port.as_dict() for port in found],
            "pedals": [pedal.as_dict() for pedal in feet],
            "asked": [answer.as_dict() for answer in answers],
        }
        print(json.dumps(told))
    else:
        _show(found)
        if feet:
            print(f"\nFoot pedals:\n{pedals_text(feet)}")
        for answer in answers:
            print(answer.sentence)
    return 0 if all(answer.good for answer in answers) else 1


def _show(found: list[Found]) -> None:
    if not found:
        print("No serial port and no motion dongle is plugged in. Simulated ones need none: stimloop demo")
        return
    width = max(len(port.serial) for port in found)
    for port in found:
        name = port.serial or "no serial number"
        may_be = f"may be: {', '.join(port.kinds)}" if port.kinds else "no device that this program knows by its chip"
        print(f"{name:<{max(width, 16)}}  {port.path}  {port.about}  ({may_be})")
    print("\nIn the place of a port you may write usb:SERIAL. Who answers: stimloop devices --ask KIND:usb:SERIAL")
