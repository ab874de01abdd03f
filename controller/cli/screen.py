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
    parser.add_argument(
        "--pedal", default="", metavar="SERIAL", help="the foot pedal that stops: any key of it is STOP"
    )
    parser.add_argument(
        "--button-pedal", default="", metavar="SERIAL", help="another pedal, for protocols that wait for `button pedal`"
    )
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="default: the shipped cued wrist extension")
    parser.add_argument("--side", choices=["left", "right"], default="right", help="the affected side")
    parser.add_argument("--patient", metavar="PSEUDONYM", help="a person for today's list (letters and digits)")
    parser.add_argument("--operator", default="", metavar="NAME", help="who works here; needed for real devices")
    parser.add_argument(
        "--authorisation",
        type=Path,
        metavar="FILE",
        help="who may use which real unit for what (default: ~/.config/stimloop/authorisation.toml)",
    )
    parser.add_argument(
        "--screening",
        type=Path,
        metavar="FILE",
        help="this site's stricter screening list (default: screening.yaml in the data folder, where it is there)",
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where records go")


def _no_pseudonym(patient: str | None) -> str:
    good = patient is None or (patient.isascii() and patient.isalnum() and len(patient) <= 64)
    return "" if good else f"--patient {patient}: a pseudonym is 1 to 64 letters and digits"


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
        print("  Ports that are there: `stimloop devices`. Real units need an authorisation.", file=sys.stderr)
        return 2
    from controller.assembly.named import misnamed, with_kind
    from controller.assembly.start_check import mispedalled

    options.unit = with_kind(options.unit, options.operator, options.authorisation)
    wrong = misnamed(options.unit, options.puck, options.orthosis) or _no_pseudonym(options.patient)
    wrong = wrong or mispedalled(options.pedal, options.button_pedal)
    if wrong:
        print(f"stimloop: {wrong}", file=sys.stderr)
        return 2
    from controller.assembly.screen import session_on_screen

    try:
        return session_on_screen(options)
    except ProtocolRefused as refused:
        print(render(refused.faults, refused.source), file=sys.stderr)
        return 2
