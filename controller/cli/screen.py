"""`stimloop` alone: the therapist's screen, on the devices that are named."""

import argparse
import sys
from pathlib import Path

from controller.drivers.registry import ORTHOSES, PUCKS, STIMULATORS, own
from controller.session.faults import ProtocolRefused, render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--unit",
        metavar="KIND:PORT",
        help=f"the stimulator (p24:/dev/ttyACM0, p24:usb:SERIAL, p24:socket://host:port); kinds: {_kinds(STIMULATORS)}",
    )
    parser.add_argument(
        "--puck",
        metavar="KIND:PORT",
        help="the puck (ximu3:/dev/ttyACM1, fitmi:/dev/hidraw0; fitmi.yellow:/dev/hidraw0 for the other of a dongle); "
        f"kinds: {_kinds(PUCKS)}",
    )
    parser.add_argument(
        "--orthosis",
        metavar="KIND:PORT",
        help=f"a powered orthosis, where there is one (dynamixel:/dev/ttyUSB0); kinds: {_kinds(ORTHOSES)}. "
        "Splints that are worn need no port: w on the screen",
    )
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="default: the shipped cued wrist extension")
    parser.add_argument("--side", choices=["left", "right"], default="right", help="the affected side")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where records go")


def _kinds(group: str) -> str:
    return ", ".join(own(group))


def run(options: argparse.Namespace) -> int:
    """0 after the screen was closed, 2 when it cannot be opened."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(
            "stimloop: the therapist's screen needs a terminal. Without one: `stimloop demo --headless`.",
            file=sys.stderr,
        )
        return 2
    if not options.unit or not options.puck:
        print("stimloop: name the devices, or try `stimloop demo`, which brings simulated ones.", file=sys.stderr)
        print("  stimloop --unit p24:/dev/ttyACM0 --puck ximu3:/dev/ttyACM1", file=sys.stderr)
        print("  Ports that are there: `stimloop devices`. Only simulated units may be armed so far.", file=sys.stderr)
        return 2
    from controller.assembly.named import misnamed

    wrong = misnamed(options.unit, options.puck, options.orthosis)
    if wrong:
        print(f"stimloop: {wrong}", file=sys.stderr)
        return 2
    from controller.assembly.screen import session_on_screen

    try:
        return session_on_screen(options)
    except ProtocolRefused as refused:
        print(render(refused.faults, refused.source), file=sys.stderr)
        return 2
