"""`stimloop fitmi`: the scales of a FitMi puck (`calibrate`), and the rule that lets its dongle be opened (`rule`)."""

import argparse
import json
import sys
from pathlib import Path

STILL_S, STILL_S_MIN, STILL_S_MAX = 10.0, 1.0, 60.0
RULE = Path(__file__).resolve().parents[1] / "drivers" / "pucks" / "70-stimloop-fitmi.rules"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    what = parser.add_subparsers(dest="what", required=True, metavar="calibrate|rule")
    calibrate = what.add_parser("calibrate", help="find what one count of the sensors is, guided, in two minutes")
    calibrate.add_argument("--port", required=True, metavar="PORT", help="/dev/hidraw0, usb:SERIAL, or a twin's port")
    calibrate.add_argument("--puck", choices=["blue", "yellow"], default="blue", help="which one (%(default)s)")
    calibrate.add_argument("--still", type=float, default=STILL_S, metavar="S", help="seconds at rest (%(default)g)")
    calibrate.add_argument("--out", type=Path, metavar="FILE", help="default: where the driver looks for it")
    calibrate.add_argument("--json", action="store_true", help="one object on stdout; the guide speaks on stderr")
    what.add_parser("rule", help="print the udev rule for the dongle; its first lines say where it goes")


def run(options: argparse.Namespace) -> int:
    """0: done. 1: a step was not done well, and nothing was written. 2: no such port, or the file cannot be written."""
    if options.what == "rule":
        sys.stdout.write(RULE.read_text(encoding="utf-8"))
        return 0
    if not STILL_S_MIN <= options.still <= STILL_S_MAX:
        print(f"stimloop fitmi: --still takes {STILL_S_MIN:g} to {STILL_S_MAX:g} s", file=sys.stderr)
        return 2
    from controller.drivers.ports import PortFault
    from controller.drivers.pucks.fitmi_calibration import CalibrationRefused
    from controller.wire.link import LinkLost

    try:
        return _calibrate(options)
    except PortFault as error:
        print(f"stimloop fitmi: {error}. {error.todo.capitalize()}.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"stimloop fitmi: the file cannot be written: {error}. Nothing was saved.", file=sys.stderr)
        return 2
    except CalibrationRefused as refused:
        print(f"{refused} Nothing was saved.", file=sys.stderr)
    except LinkLost as lost:
        print(f"The dongle was lost ({lost}). Plug it in and start again. Nothing was saved.", file=sys.stderr)
    except EOFError:
        print("Nobody answers: the calibration was left. Nothing was saved.", file=sys.stderr)
    return 1


def _calibrate(options: argparse.Namespace) -> int:
    from controller.assembly.fitmi_guide import PuckAtPort, Talk, calibrate
    from controller.drivers.pucks.fitmi_scales import default_path, save

    out = sys.stderr if options.json else sys.stdout

    def say(text: str) -> None:
        print(text, file=out, flush=True)

    def ask(text: str) -> str:
        say(text)
        typed = sys.stdin.readline()
        if not typed:
            raise EOFError
        return typed

    at = PuckAtPort(options.port, options.puck)
    try:
        found = calibrate(at, options.puck, Talk(say, ask), options.still)
    finally:
        at.close()
    path = options.out or default_path()
    save(at.serial, options.puck, found, path)
    scales = found.scales
    if options.json:
        told = {"serial": at.serial, "puck": options.puck, "file": str(path), **scales._asdict()}
        print(json.dumps({**told, "date": found.date, "residuals": found.residuals}))
    else:
        load = "left out" if scales.load_n is None else f"{scales.load_n:.4g} N from {scales.load_zero:.0f}"
        say(f"One count is {scales.acc_g:.4g} g, {scales.gyro_dps:.4g} deg/s; load cell: {load}. Saved in {path}")
    return 0
