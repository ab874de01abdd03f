"""`stimloop replay SESSION --through-guard`: would today's guard take what a recorded session asked for?"""

import argparse
import json
import sys
from pathlib import Path

from controller.assembly.replay import Replay, replay
from controller.drivers.orthoses.kind import OrthosisKind
from controller.drivers.registry import ORTHOSES, STIMULATORS, load, own
from controller.drivers.stimulators.kind import StimulatorKind
from safety.joint import JointDeviceLimits
from safety.limits import DeviceLimits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("session", type=Path, metavar="SESSION|DATA", help="a session's folder, or one that holds many")
    parser.add_argument("--through-guard", action="store_true", help="put its orders to today's guard")
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: today's guard takes all of it. 1: it would refuse something. 2: nothing there that could be replayed."""
    if not options.through_guard:
        print(
            "stimloop replay: say --through-guard, and the session's orders are put to today's guard. Recorded motion "
            "is played with `stimloop demo --headless --motion FILE:TRIAL`.",
            file=sys.stderr,
        )
        return 2
    folders = _folders(options.session)
    if not folders:
        print(f"stimloop replay: {options.session} is no session's folder and holds none.", file=sys.stderr)
        return 2
    limits = _limits_now()
    try:
        found = [replay(folder, limits.get) for folder in folders]
    except OSError as error:
        print(f"stimloop replay: {error}", file=sys.stderr)
        return 2
    played = [one for one in found if not one.fault]
    if options.json:
        good = bool(played) and not any(one.rules for one in played)
        print(json.dumps({"ok": good, "sessions": [one.as_dict() for one in found]}))
    else:
        for one in found:
            _show(one)
    return 2 if not played else 1 if any(one.rules for one in played) else 0


def _folders(path: Path) -> list[Path]:
    if (path / "gateway.jsonl").is_file() or (path / "session.json").is_file():
        return [path]
    return sorted({found.parent for name in ("gateway.jsonl", "session.json") for found in path.glob(f"**/{name}")})


def _limits_now() -> dict[str, DeviceLimits | JointDeviceLimits]:
    """What our own units can do today, by the name in their limits; others' limits are taken from the record."""
    units = [load(STIMULATORS, name, StimulatorKind).limits for name in own(STIMULATORS)]
    joints = [load(ORTHOSES, name, OrthosisKind).limits for name in own(ORTHOSES)]
    return {limits.name: limits for limits in units} | {limits.name: limits for limits in joints}


def _show(one: Replay) -> None:
    print(f"{one.folder}: {one.sentence}")
    for objection in one.objections:
        print(f"  {objection.t_s:9.3f} s  {objection.rule}  {objection.order}: {objection.reason}")
    for note in one.notes:
        print(f"  note: {note}")
