"""`stimloop`: one front door, one file a command. A command's module is imported only when it is asked for.

Exit 0: good. 1: found faults. 2: usage or environment. No traceback reaches a person: what was not foreseen is written
to a crash file and named in one sentence.
"""

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

COMMANDS: dict[str, str] = {
    "screen": "the therapist's screen (what `stimloop` alone opens)",
    "demo": "a whole session on simulated devices and a simulated patient, or on recorded motion",
    "devices": "what is plugged in, by serial number, and who answers on a port",
    "doctor": "look at versions, ports, permissions, terminal and clock, and say what to do",
    "authorise": "real units: write a new authorisation file, or check one",
    "fitmi": "FitMi pucks: find the scales of their sensors; the rule that lets the dongle be opened",
    "pedal": "foot pedals that are plugged in; the rule that lets them be read",
    "screening": "the screening list that is asked here; check a site's own file",
    "stop": "emergency stop from anywhere on this machine",
    "log": "the task-training log of a session",
    "audit": "who changed which limit or prescription, when and why",
    "validate": "the scenario suite: requirements, hazards, stop times, PASS or FAIL",
    "replay": "put a recorded session's orders to today's guard",
    "verify": "check a session's hash chains and files",
    "protocol": "check a protocol file",
    "sim": "a simulated device on a port",
    "bench": "latency, stop times and simulation speed, each beside its control",
}
GOOD, FAULTS, USAGE = 0, 1, 2
_ABOUT_ALL = ("-h", "--help", "-V", "--version")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in COMMANDS:
        return _run(words.pop(0), words)
    if not words or (words[0].startswith("-") and words[0] not in _ABOUT_ALL):
        return _run("screen", words)  # `stimloop --unit ...` opens the screen
    return _run_help(words)


def _run_help(words: list[str]) -> int:
    if words[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"stimloop {version('stimloop')} - research software, not a medical device")
        return GOOD
    lines = [f"  {name:<10}{about}" for name, about in COMMANDS.items()]
    usage = (
        "usage: stimloop [COMMAND] [--help]\n       stimloop --unit KIND:PORT --puck KIND:PORT [--orthosis KIND:PORT]"
    )
    text = f"{usage}\n\n" + "\n".join(lines)
    if words[0] in ("-h", "--help"):
        print(text)
        return GOOD
    print(f"stimloop: there is no command {words[0]!r}\n\n{text}", file=sys.stderr)
    return USAGE


def _run(name: str, words: list[str]) -> int:
    module = importlib.import_module(f"controller.cli.{name}")
    parser = argparse.ArgumentParser(
        prog=f"stimloop {name}" if name != "screen" else "stimloop", description=COMMANDS[name]
    )
    module.add_arguments(parser)
    try:
        options = parser.parse_args(words)
        code: int = module.run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe had seen enough
        return GOOD
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else USAGE
    except Exception as error:
        return _crash(name, error)
    return code


def _crash(name: str, error: Exception) -> int:
    path = Path.home() / ".cache" / "stimloop" / "crash.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        where = f"details are in {path}"
    except OSError:
        where = "the details could not be written"
    print(f"stimloop {name}: something went wrong that was not foreseen: {error} ({where})", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
