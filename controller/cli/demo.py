"""`stimloop demo`: a whole session on simulated devices, on a screen or without one."""

import argparse
import json
import sys
from pathlib import Path

from controller.drivers import registry
from controller.session.faults import ProtocolRefused, render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--headless", action="store_true", help="no screen: a scripted therapist presses the keys")
    parser.add_argument("--hands-free", action="store_true", help="with the screen, but the scripted therapist's keys")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="patient and noise follow from it")
    parser.add_argument("--repetitions", type=int, default=10, metavar="N", help="end after N completed repetitions")
    parser.add_argument("--speed", choices=["realtime", "max"], help="real processes, or the virtual clock")
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="instead of the shipped wrist extension")
    parser.add_argument("--motion", metavar="FILE:TRIAL", help="recorded motion instead of the simulated patient")
    units, orthoses = registry.own(registry.STIMULATORS), registry.own(registry.ORTHOSES)
    pucks = [*registry.own(registry.PUCKS), "fitmi.yellow"]
    _add_kind(parser, "--unit", units, "p24", "which stimulator is simulated")
    _add_kind(parser, "--puck", pucks, "ximu3", "which puck is simulated")
    _add_kind(
        parser, "--orthosis", orthoses, None, "a powered orthosis, simulated too (default: if the protocol has one)"
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where the session's record goes")
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def _add_kind(parser: argparse.ArgumentParser, option: str, kinds: list[str], default: str | None, about: str) -> None:
    """An option that takes a kind without a port: a demonstration brings its own."""

    def kind(word: str) -> str:
        if word in kinds:
            return word
        name, colon, _ = word.partition(":")
        if colon and name in kinds:
            own_port = f"a demonstration brings its own ports: name the kind alone ({option} {name})"
            raise argparse.ArgumentTypeError(f"{own_port}; for a device on a port: stimloop {option} {word}")
        raise argparse.ArgumentTypeError(f"there is no {word!r} to simulate; there are {', '.join(kinds)}")

    told = f"{about}; default {default}" if default else about
    parser.add_argument(option, type=kind, default=default, metavar="KIND", help=f"{told}; kinds: {', '.join(kinds)}")


def run(options: argparse.Namespace) -> int:
    """0: the session came to its end. 1: it did not. 2: the arguments cannot be used."""
    if not options.headless and sys.stdin.isatty() and sys.stdout.isatty():
        return _on_screen(options)
    from controller.assembly.demo import DemoPlan, headless_real, headless_virtual
    from sim.recording import RecordingError

    if not 1 <= options.repetitions <= 1200:
        print("stimloop demo: --repetitions takes 1 to 1200", file=sys.stderr)
        return 2
    plan = DemoPlan(
        protocol=options.protocol,
        seed=options.seed,
        repetitions=options.repetitions,
        motion=_motion(options.motion),
        data=options.data,
        unit=options.unit,
        puck=options.puck,
        orthosis=options.orthosis or "",
    )
    speed = options.speed or ("realtime" if options.motion else "max")
    try:
        result = headless_virtual(plan) if speed == "max" else headless_real(plan)
    except ProtocolRefused as refused:
        print(render(refused.faults, refused.source), file=sys.stderr)
        return 2
    except (RecordingError, OSError) as error:
        print(f"stimloop demo: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(result.as_dict()))
    else:
        _show(Path(result.session))
    return 0 if result.ended == "normal" else 1


def _motion(text: str | None) -> tuple[Path, str] | None:
    if text is None:
        return None
    path, _, trial = text.rpartition(":")
    return Path(path), trial


def _show(folder: Path) -> None:
    import shutil

    from controller.record.log_text import render_text
    from controller.record.training_log import training_log

    print(render_text(training_log(folder), shutil.get_terminal_size((80, 24)).columns))
    print(f"\nThe record is in {folder}")


def _on_screen(options: argparse.Namespace) -> int:
    from controller.assembly.screen import demo_on_screen

    try:
        return demo_on_screen(options)
    except ProtocolRefused as refused:
        print(render(refused.faults, refused.source), file=sys.stderr)
        return 2
