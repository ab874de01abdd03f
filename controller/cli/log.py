"""`stimloop log SESSION`: the task-training log."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from controller.record.log_text import render_text
from controller.record.training_log import training_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("session", type=Path, metavar="SESSION", help="a session folder")
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: shown. 2: no session there."""
    try:
        log = training_log(options.session)
    except (OSError, ValueError) as error:
        print(f"stimloop log: {error}. Give the folder of one session (…/sub-…/ses-…).", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(log.as_dict()))
    else:
        print(render_text(log, shutil.get_terminal_size((80, 24)).columns))
    return 0
